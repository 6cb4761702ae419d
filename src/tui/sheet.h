/* A text to be read and where one is in it, for pager.c. It is kept as it came, cut into lines at line feeds (and where a
 * line would be endless); where one is, is a line and a row of it. Only what is to be seen is laid out, so a megabyte costs
 * no more than a screen of it.
 *
 *   text -> lines (offsets) -> psst_layout of one line -> rows, those after the first behind its indentation
 */
#ifndef PSST_TUI_SHEET_H
#define PSST_TUI_SHEET_H

#include "tui/text.h"

struct psst_sheet {
    struct psst_buf text;
    size_t *lines; /* where each begins; one more, for the end; NULL: out of memory */
    size_t n_lines, room;
    size_t top, top_row; /* the line at the upper edge, and how many of its rows are above that */
    int rows;            /* to be seen at once; 0: never drawn */
    unsigned columns;
};

/* Empty; max: bytes that it takes. */
void psst_sheet_init(struct psst_sheet *sheet, size_t max);
void psst_sheet_fini(struct psst_sheet *sheet); /* wiped */
/* Behind what is there. False: it is not all there. */
bool psst_sheet_append(struct psst_sheet *sheet, struct psst_view text);

/* What follows the last line feed is a line when there is something. */
size_t psst_sheet_lines(const struct psst_sheet *sheet);
/* Without its line feed. */
struct psst_view psst_sheet_line(const struct psst_sheet *sheet, size_t i);
/* The first line that holds the pattern, looked for from `from` on, once around; skip: not in that one. False: none. */
bool psst_sheet_find(const struct psst_sheet *sheet, const char *pattern, size_t from, bool back, bool skip,
                     size_t *line);

/* One line laid out. */
struct psst_sheet_laid {
    struct psst_layout first, rest; /* rest: what goes on behind the indentation; no rows when the first was enough */
    unsigned hang;                  /* columns of that */
    size_t rows;
};
/* False: out of memory, and nothing is to be freed. */
bool psst_sheet_lay(struct psst_sheet_laid *out, struct psst_view line, unsigned columns);
void psst_sheet_unlay(struct psst_sheet_laid *laid);

/* Moving, within the text. */
void psst_sheet_up(struct psst_sheet *sheet, size_t rows);
void psst_sheet_down(struct psst_sheet *sheet, size_t rows);
void psst_sheet_home(struct psst_sheet *sheet);
/* So that the last row stands at the lower edge. */
void psst_sheet_end(struct psst_sheet *sheet);
bool psst_sheet_at_end(const struct psst_sheet *sheet);
/* A third of the screen above that line. */
void psst_sheet_show(struct psst_sheet *sheet, size_t line);
/* After the size has changed. */
void psst_sheet_keep_inside(struct psst_sheet *sheet);

#endif
