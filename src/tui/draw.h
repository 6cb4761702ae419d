/* Drawing on the terminal: areas, styles, text. Only screen.c, screen_kind.c, draw.c and input.c see ncurses. What is drawn
 * is clipped to its area; text is laid out by text.h first, so that nothing from outside can reach beyond the cells it was
 * given. Nothing is written to the terminal before psst_screen_show, and then only what has changed.
 */
#ifndef PSST_TUI_DRAW_H
#define PSST_TUI_DRAW_H

#include "tui/text.h"

/* Meanings, not colours: screen_kind.c has the table. Each can be told from the others without colour, by what is written. */
enum psst_style {
    PSST_STYLE_PLAIN,
    PSST_STYLE_DIM, /* times, lines between areas */
    PSST_STYLE_BOLD,
    PSST_STYLE_OWN,  /* text of one's own */
    PSST_STYLE_PEER, /* text of the contact */
    PSST_STYLE_OURS, /* what PSST says */
    PSST_STYLE_GUTTER,
    PSST_STYLE_BAR,      /* the status line: reversed */
    PSST_STYLE_SELECTED, /* the contact that is open, the row that is chosen: reversed */
    PSST_STYLE_UNREAD,   /* asks for attention */
    PSST_STYLE_GOOD,     /* verified, in session */
    PSST_STYLE_WARN,     /* weak key, not verified, refused */
    PSST_STYLE_QR,       /* light on dark, whatever the theme */
    PSST_STYLES
};

struct psst_area {
    int row, column, rows, columns; /* from the upper left corner of the terminal; may be empty */
};

/* Fills the area with blanks. */
void psst_draw_clear(struct psst_area area, enum psst_style style);
/* One line of text at row, column of the area, rendered and cut with an ellipsis at its edge; gives the columns it took. */
unsigned psst_draw_text(struct psst_area area, int row, int column, enum psst_style style, const char *text);
unsigned psst_draw_format(struct psst_area area, int row, int column, enum psst_style style, const char *fmt, ...)
    PSST_PRINTF(5, 6);
/* One row of a layout; the area's width is where a right-to-left row is set to the right edge of `columns`. */
void psst_draw_row(struct psst_area area, int row, int column, unsigned columns, enum psst_style style,
                   const struct psst_layout *layout, size_t i);
/* A run of one character of the box-drawing kind, or ASCII where the locale has no UTF-8. */
enum psst_line { PSST_LINE_DOWN, PSST_LINE_ACROSS };
void psst_draw_line(struct psst_area area, int row, int column, unsigned length, enum psst_line line);
/* A bar of `columns`, filled from the left; value in 0..1. */
void psst_draw_bar(struct psst_area area, int row, int column, unsigned columns, enum psst_style style, double value);
/* Where the cursor stands after psst_screen_show; row < 0: it is hidden. */
void psst_draw_cursor(struct psst_area area, int row, int column);

#endif
