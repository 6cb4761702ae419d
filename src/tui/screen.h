/* The terminal as a whole: taking it over, giving it back, colours, resizing, what is written to it. One for the program. */
#ifndef PSST_TUI_SCREEN_H
#define PSST_TUI_SCREEN_H

#include "tui/draw.h"

struct psst_screen_wish {
    bool mouse;
};

/* Takes the terminal over: alternate screen, bracketed paste, focus reports, explicit direction (text.h orders itself). Colours
 * follow the theme; NO_COLOR is honoured. Whatever way the program ends short of SIGKILL, the terminal is given back as it was. False: said on standard error. */
bool psst_screen_begin(const struct psst_screen_wish *wish);
void psst_screen_end(void);

/* Gives the terminal to somebody else for a while (a child that asks), and takes it back whole. */
void psst_screen_lend(void);
/* To ourselves, to write on plainly (a view to be copied from): an empty screen, of which nothing stays where it was lent. */
void psst_screen_lend_bare(void);
void psst_screen_back(void);

/* The program has been stopped and continued by somebody else: the terminal is taken over anew. */
void psst_screen_again(void);
/* Ctrl+Z: stops the program until it is continued. */
void psst_screen_suspend(void);

int psst_screen_rows(void);
int psst_screen_columns(void);
/* After SIGWINCH (which input.c hands out as PSST_KEY_RESIZE): the new size holds, and all must be drawn again. */
void psst_screen_resize(void);
/* Forgets what stands there, so that the next show writes everything (Ctrl+L). */
void psst_screen_redraw(void);
/* What was shown is remembered nowhere any more, not by the terminal library either; all must be drawn again. */
void psst_screen_forget(void);
/* Writes what has changed, as far as the terminal takes it now; the rest when it takes again, and what has changed until then
 * with it: at most one screen's worth waits, and nothing here waits for the terminal. */
void psst_screen_show(void);
/* Goes on with that; psst_input_next does it. */
void psst_screen_turn(void);
/* The terminal has not taken all of what it was shown: what is drawn now is not seen yet. */
bool psst_screen_behind(void);
/* Rings while it is lent, too. */
void psst_screen_bell(void);
void psst_screen_mouse(bool on);
/* The window's title, rendered; NULL: what it was. */
void psst_screen_title(const char *title);

#endif
