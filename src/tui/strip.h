/* One row of short pieces, the most important of which stay when there is no room for all: first the least important ones
 * become shorter, then they go. For the status line, calls and files. */
#ifndef PSST_TUI_STRIP_H
#define PSST_TUI_STRIP_H

#include "tui/draw.h"

#define PSST_STRIP_PIECES 16
#define PSST_STRIP_WORDS  600 /* bytes of a piece; longer ones are cut at a character */

enum psst_piece_shown { PSST_PIECE_FULL, PSST_PIECE_BRIEF, PSST_PIECE_GONE };

struct psst_piece {
    char full[PSST_STRIP_WORDS], brief[128]; /* not rendered; brief "": it has no shorter form */
    unsigned rank;                           /* 0 stays; up to 9, and the highest goes first */
    enum psst_style style;
    unsigned bar;       /* columns of a bar behind the words; 0: none */
    double value, mark; /* of the bar, 0..1; mark: a sign across it, < 0: none */
    bool last;          /* somebody's own words: cut before it goes, and nothing stands behind it */
    unsigned shown;     /* enum psst_piece_shown */
};

struct psst_strip {
    struct psst_piece pieces[PSST_STRIP_PIECES];
    unsigned n;
};

/* A piece to be filled further; what is beyond the maximum goes to the last one. brief may be NULL. */
struct psst_piece *psst_strip_add(struct psst_strip *strip, unsigned rank, enum psst_style style, const char *brief,
                                  const char *fmt, ...) PSST_PRINTF(5, 6);
/* Pure: decides what is shown in so many columns, two blanks between pieces; gives the columns needed. */
unsigned psst_strip_fit(struct psst_strip *strip, unsigned columns);
/* Fits and draws, from the column on. plain: the area's own style for all that is PSST_STYLE_PLAIN. */
void psst_strip_draw(struct psst_strip *strip, struct psst_area area, int row, int column, enum psst_style plain);

#endif
