/* What begins with a slash: the commands of the screen, which know with whom one talks, and behind them every verb of the
 * command line (client/verb.h). One table for /help, completion and the manual.
 *
 *   "/file ~/a\ b.pdf" -> words -> command of that name, else verb -> own function, or a child `psst VERB WORDS`
 *
 * A verb whose usage begins with NAME gets the open contact's name when the first word is no contact's.
 */
#ifndef PSST_TUI_COMMANDS_H
#define PSST_TUI_COMMANDS_H

#include "client/verb.h"
#include "tui/app.h"

enum psst_complete_kind {
    PSST_WORD_NONE,
    PSST_WORD_CONTACT,
    PSST_WORD_PATH,
    PSST_WORD_ON_OFF,
    PSST_WORD_COMMAND,
    PSST_WORD_FILE_ID
};

struct psst_command {
    const char *name;
    const char *usage;             /* behind "/"; NULL: that of the verb of this name */
    const char *summary;           /* NULL: that of the verb */
    const char *help;              /* NULL: that of the verb */
    enum psst_complete_kind words; /* what its words are, for completion */
    /* words[0] is the command's name. What it has to say goes to psst_app_say or psst_app_error. */
    void (*run)(struct psst_app *app, int n, char **words);
    int verbatim; /* the so many-th word is all the rest of the line, as it stands; 0: none is */
};

extern const struct psst_command psst_commands[];
extern const size_t psst_commands_count;

/* line without its line feed, beginning with '/'. "//text" says "/text". */
void psst_command_line(struct psst_app *app, const char *line);
/* Splits as a shell would, but does nothing else: blanks, "double", 'single' and backslash quotes, ~ at the beginning of a word.
 * So many words at most, then the rest as it stands, as one more, if there is any. PSST_ERR_MALFORMED: a quote is not closed. *words is one block, to be freed. */
PSST_MUST_USE enum psst_err psst_command_split(const char *line, int most, char ***words, int *n);
/* That command or verb, as one reads about it; NULL: it has none of its own. */
const char *psst_command_usage(const struct psst_app *app, const struct psst_command *command);
const char *psst_command_summary(const struct psst_app *app, const struct psst_command *command);
/* The verb of that whole name; NULL. */
const struct psst_verb *psst_command_verb(const struct psst_app *app, const char *name);
/* The nearest command or verb to a mistyped one; NULL: nothing is near. */
const char *psst_command_nearest(const struct psst_app *app, const char *name);
/* The command or verb that `name` means, by whole name or by the only one that begins so. False: none, or several. */
bool psst_command_find(const struct psst_app *app, const char *name, const struct psst_command **command,
                       const struct psst_verb **verb);

/* ---- children: verbs as programs of their own (child.c) ---- */

/* Runs `psst VERB words`, with nothing on standard input; what it printed is shown when it ends. At most 4 at once. */
void psst_child_run(struct psst_app *app, char *const *words);
/* On the whole terminal, which it gives back at its end. */
void psst_child_ask(struct psst_app *app, char *const *words);
/* For the loop: descriptors to poll (at most max), then what to do with those that are ready. */
struct pollfd;
size_t psst_child_poll(struct psst_app *app, struct pollfd *fds, size_t max);
void psst_child_turn(struct psst_app *app, const struct pollfd *fds, size_t n);
void psst_child_end_all(struct psst_app *app);
/* Asks all of them to end; how many. */
size_t psst_child_stop_all(struct psst_app *app);

#endif
