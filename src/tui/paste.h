/* A paste as it comes between its two marks, gathered whole however it is cut into reads. Pure. */
#ifndef PSST_TUI_PASTE_H
#define PSST_TUI_PASTE_H

#include "tui/input.h"

#include <stddef.h>

struct psst_paste { /* all zeros: nothing yet */
    char *text;     /* UTF-8; carriage returns have become line feeds, other controls but tabs are gone */
    size_t len, capacity;
    bool cut;
    uint8_t partial[4]; /* of a character that goes on in the next read */
    size_t n_partial, need;
    size_t mark; /* bytes of the end mark that have matched */
    bool after_cr;
};

#define PSST_PASTE_END "\033[201~"

/* Takes bytes up to the end mark; how many. *ended: it was there. */
size_t psst_paste_take(struct psst_paste *paste, const uint8_t *bytes, size_t len, bool *ended);
/* What there is has been taken: wiped, and what comes goes on where it was, be it within a character or the end mark. */
void psst_paste_again(struct psst_paste *paste);
/* Wiped. */
void psst_paste_fini(struct psst_paste *paste);

#endif
