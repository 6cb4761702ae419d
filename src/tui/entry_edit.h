/* What the files of the entry line share; nobody else includes this.
 *
 *   entry.c          the text, its layout, and the one function that changes it
 *   entry_undo.c     what it takes to go back
 *   entry_history.c  lines entered before
 *   entry_walk.c     where clusters, words and lines begin (pure)
 *   entry_key.c      which key does what
 */
#ifndef PSST_TUI_ENTRY_EDIT_H
#define PSST_TUI_ENTRY_EDIT_H

#include "tui/entry.h"

#define PSST_UNDO_MAX       200    /* changes */
#define PSST_UNDO_BYTES_MAX 262144 /* of removed text, in all of them */

/* How a change may be joined with the one before it, so that undo goes back by more than a letter. */
enum psst_edit {
    PSST_EDIT_ALONE,
    PSST_EDIT_TYPED,
    PSST_EDIT_RUBBED, /* Backspace */
    PSST_EDIT_UNDO,   /* is not noted */
};

struct psst_undo {
    enum psst_edit kind;
    size_t at, inserted; /* bytes that stand there now */
    struct psst_buf removed;
    size_t cursor; /* before it */
};

struct psst_undos {
    struct psst_undo list[PSST_UNDO_MAX];
    size_t n, bytes;
    bool closed; /* the next change begins a new one */
};

struct psst_history {
    struct psst_view lines[PSST_ENTRY_HISTORY]; /* owned, wiped when they go; the oldest first */
    size_t n, at;                               /* at n: what is being written */
    struct psst_buf draft;                      /* it, while another is shown */
    size_t prefix;                              /* bytes of the draft that the lines have to begin with */
};

struct psst_entry {
    struct psst_buf text;
    size_t cursor;
    struct psst_undos undos;
    struct psst_history history;
    struct psst_buf killed;
    bool killing;      /* the last key killed: the next kill is joined to it */
    bool walking;      /* the last key was Up or Down: `column` is where one wants to be */
    unsigned column;   /* of the row */
    unsigned columns;  /* of the rows; 0: nobody has laid it out */
    size_t top;        /* the first row that is shown */
    bool laid;         /* layout is of this text */
    unsigned laid_for; /* columns */
    struct psst_layout layout;
};

/* Bytes [from, to) become `with`, the cursor stands behind it. False: it would be too long, or there is no memory; then nothing
 * has changed. `with` is valid UTF-8 and does not lie in the text. */
bool psst_entry_splice(struct psst_entry *entry, size_t from, size_t to, struct psst_view with, enum psst_edit kind);
/* In the place of everything, as if nothing had been there before. */
bool psst_entry_put(struct psst_entry *entry, struct psst_view text);

/* Before the text is changed. */
void psst_undo_note(struct psst_entry *entry, size_t from, size_t to, struct psst_view with, enum psst_edit kind);
bool psst_undo_last(struct psst_entry *entry);
void psst_undo_forget(struct psst_entry *entry);

/* by -1: older, 1: newer. False: there is none. */
bool psst_history_step(struct psst_entry *entry, int by);
/* The line was entered: the draft that was left for it is kept as the newest but one. */
void psst_history_done(struct psst_entry *entry);
void psst_history_leave(struct psst_entry *entry); /* back to writing, draft forgotten */
void psst_history_fini(struct psst_history *history);

/* Boundaries of clusters: the last before at, the first behind at, the first not before at. Only the neighbourhood is read. */
size_t psst_walk_previous(struct psst_view text, size_t at);
size_t psst_walk_next(struct psst_view text, size_t at);
size_t psst_walk_snap(struct psst_view text, size_t at);
size_t psst_walk_line_begin(struct psst_view text, size_t at);
size_t psst_walk_line_end(struct psst_view text, size_t at);
/* Words are letters and digits; with blanks, all that is between blanks. */
size_t psst_walk_word_left(struct psst_view text, size_t at, bool blanks);
size_t psst_walk_word_right(struct psst_view text, size_t at);

#endif
