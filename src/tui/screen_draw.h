/* Between screen.c, screen_kind.c and draw.c: what styles mean on this terminal, and which characters it can show. */
#ifndef PSST_TUI_SCREEN_DRAW_H
#define PSST_TUI_SCREEN_DRAW_H

#include "tui/draw.h"

struct psst_attributes {
    unsigned long bits; /* attr_t of curses */
    short pair;
};

struct psst_attributes psst_screen_attributes(enum psst_style style);
/* Letters beyond ASCII; lines and blocks beyond ASCII. */
bool psst_screen_has_letters(void);
bool psst_screen_has_lines(void);
/* Where psst_draw_cursor put it. */
void psst_screen_cursor(int row, int column);
bool psst_screen_ready(void);

#endif
