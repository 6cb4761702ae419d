/* Between child.c (beside the loop), child_ask.c (on the whole terminal) and child_words.c. What others may do with children
 * stands in commands.h. */
#ifndef PSST_TUI_CHILD_H
#define PSST_TUI_CHILD_H

#include "tui/commands.h"

#include <sys/types.h>

/* Starts `psst WORDS` (words end with NULL; 512 at most). With output it gets these as its standard input, output and error
 * and a session of its own; with -1 the terminal. -1: said. */
pid_t psst_child_start(struct psst_app *app, char *const *words, int input, int output);

/* What it has printed, as a string for the screen: "psst: " is left out, "usage: psst say" is "usage: /say"; an error and its
 * usage are one line when so many columns are enough. Freed by the caller; NULL: out of memory. */
char *psst_child_words(const struct psst_app *app, const struct psst_buf *out, unsigned columns);

#endif
