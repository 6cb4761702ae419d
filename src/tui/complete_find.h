/* What the files of completion share; beside them only path.c includes this.
 *
 *   complete.c        Tab: putting candidates in, one after the other
 *   complete_find.c   which kind of word belongs where the cursor is
 *   complete_usage.c  what a usage line ("send NAME [--wait S] FILE...") says about a word (pure)
 *   complete_quote.c  words as commands.h reads them, and back (pure)
 *   complete_path.c   what lies in a directory
 */
#ifndef PSST_TUI_COMPLETE_FIND_H
#define PSST_TUI_COMPLETE_FIND_H

#include "tui/commands.h"

/* ---- candidates ---- */

#define PSST_FOUND_MAX 20000 /* before the list is cut to PSST_COMPLETE_MAX: their common beginning counts them all */

struct psst_candidate {
    char *word;  /* without quotes */
    char *shown; /* in the list; NULL: the word */
    char tail;   /* what stands behind it in the line: ' ', '/', ':' (and a blank), 0 */
};

struct psst_found {
    struct psst_candidate *list;
    size_t n, cap;
    size_t from;   /* where the word begins that they replace */
    size_t behind; /* bytes at the beginning of each word that the list leaves out: a path's directories */
    size_t hidden; /* would fit, but cannot be shown as they are */
    enum { PSST_QUOTE_NAME, PSST_QUOTE_PATH, PSST_QUOTE_NONE } quote;
    bool tilde; /* the ~ that they begin with is one's home */
};

/* Copies. What is no UTF-8 or has controls in it - also those that turn text around, which would be shown as something else -
 * is only counted. */
void psst_found_add(struct psst_found *found, const char *word, const char *shown, char tail);
void psst_found_sort(struct psst_found *found); /* and leaves out what is there twice */
void psst_found_fini(struct psst_found *found);

/* Everything that could stand at the cursor. */
void psst_find(struct psst_found *out, struct psst_app *app, struct psst_view text, size_t cursor);

/* ---- words ---- */

#define PSST_WORDS_MAX 64

struct psst_words { /* of a line up to the cursor; the last one may be empty and its quote open */
    char *block;
    struct psst_word {
        const char *text; /* without quotes */
        size_t from;      /* byte of the line */
        bool tilde;       /* begins with a ~ that stands for a directory */
    } list[PSST_WORDS_MAX];
    size_t n; /* at least 1 */
};

/* False: too many words, or no memory. */
bool psst_words_read(struct psst_words *out, struct psst_view line);
void psst_words_fini(struct psst_words *words);
/* Appends word so that psst_command_split gives it back. */
void psst_word_quote(struct psst_buf *out, const char *word, bool path, bool tilde);

/* ---- usage ---- */

enum psst_usage_kind { /* as bits */
                       PSST_USAGE_CONTACT = 1,
                       PSST_USAGE_PATH = 2,
                       PSST_USAGE_DIRECTORY = 4,
                       PSST_USAGE_ID = 8,
                       PSST_USAGE_SETTING = 16,
                       PSST_USAGE_VALUE = 32,
                       PSST_USAGE_PRESENCE = 64,
                       PSST_USAGE_COMMAND = 128,
};

struct psst_usage_ask {
    const char *usage;
    const struct psst_words *words; /* words[0] is the command */
    bool first_is_contact;          /* words[1] is a contact's name */
    bool may_leave_out;             /* a contact is open: NAME need not be said */
    /* a word that may stand here as it is: "on", "--json" */
    void (*literal)(void *ctx, const char *word);
    void *ctx;
};

/* What the last word may be: kinds. */
unsigned psst_usage_of(const struct psst_usage_ask *ask);
/* How many words before the last one are neither options nor what belongs to one. */
size_t psst_usage_place(const struct psst_usage_ask *ask);

/* ---- paths ---- */

void psst_find_paths(struct psst_found *out, const struct psst_word *word, bool directories);

#endif
