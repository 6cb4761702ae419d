/* The line that one writes in: several lines of UTF-8, edited by grapheme cluster, with undo, a history, and place
 * for a draft per contact. Pure: keys come in, text and cursor come out. */
#ifndef PSST_TUI_ENTRY_H
#define PSST_TUI_ENTRY_H

#include "tui/input.h"
#include "tui/text.h"

#define PSST_ENTRY_MAX     65474 /* bytes: the longest text that can be said */
#define PSST_ENTRY_HISTORY 500   /* lines; only in memory, never on disk */

struct psst_entry;

PSST_MUST_USE enum psst_err psst_entry_new(struct psst_entry **out);
void psst_entry_free(struct psst_entry *entry); /* wiped; NULL is safe */

struct psst_view psst_entry_text(const struct psst_entry *entry);
size_t psst_entry_cursor(const struct psst_entry *entry); /* a byte, at a cluster boundary */
/* In the place of all there is; the cursor goes to the end (or to `cursor`). Invalid UTF-8 and NUL are left out. */
void psst_entry_set(struct psst_entry *entry, struct psst_view text, size_t cursor);
void psst_entry_insert(struct psst_entry *entry, struct psst_view text);
/* Replaces [from, to) of it: what completion does. */
void psst_entry_replace(struct psst_entry *entry, size_t from, size_t to, struct psst_view text);
void psst_entry_clear(struct psst_entry *entry);
/* Puts the text into the history (unless it is empty, or the newest already) and clears it. */
void psst_entry_done(struct psst_entry *entry);
/* The history, what was cut out and what undo would bring back go; the line that is being written stays. */
void psst_entry_forget(struct psst_entry *entry);
/* A line that must not be kept is left out of the history with clear instead. */

/* The text as it lies in rows of so many columns, made once per change; good until the next call that changes the text. From
 * then on Up and Down go by these rows. NULL: no memory. */
const struct psst_layout *psst_entry_layout(struct psst_entry *entry, unsigned columns);
/* The first of `rows` rows that are to be shown of it: moved just so far that the cursor's row is among them. */
size_t psst_entry_top(struct psst_entry *entry, const struct psst_layout *layout, size_t rows);

enum psst_entry_did {
    PSST_ENTRY_IGNORED, /* not a key for the entry line: the program's */
    PSST_ENTRY_MOVED,   /* the cursor */
    PSST_ENTRY_CHANGED, /* the text */
    PSST_ENTRY_FULL,    /* it would become too long: not taken, nothing lost of what was there */
};
/* Letters, pastes, Backspace, Delete, arrows, Home, End, Ctrl+A E B F K U W Y D H T, Alt+B F D Backspace, Ctrl+arrows; Ctrl+J and
 * Alt+Enter: a new line; Ctrl+_: undo; Up, Down: by row, of `columns` when nothing has been laid out yet, and beyond the ends
 * the history: lines that begin with what was being written when there are such, else all. Enter is the program's. */
enum psst_entry_did psst_entry_key(struct psst_entry *entry, const struct psst_key *key, unsigned columns);

#endif
