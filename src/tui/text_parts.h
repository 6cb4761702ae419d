/* Inside text.h: clusters made into cells, and the order in which they are seen. Only text*.c include this. */
#ifndef PSST_TUI_TEXT_PARTS_H
#define PSST_TUI_TEXT_PARTS_H

#include "tui/text.h"

#define PSST_TEXT_REPLACEMENT 0xfffd

/* Cells being collected. Starts as zeros but for psst_buf_init of shown. */
struct psst_cells {
    struct psst_cell *at;
    size_t n, cap;
    struct psst_buf shown; /* what rendering made of the cluster in hand */
    bool failed;           /* sticky: out of memory */
};
void psst_cells_init(struct psst_cells *cells);
void psst_cells_fini(struct psst_cells *cells);
/* Adds the cells of the cluster that begins at byte `at` (there is one); gives its end. A cluster that needs several cells
 * (a flag, a family, a vowel sign that stands beside its letter) has its bytes in the first; the others have len 0. What
 * cannot be seen adds none. A line feed of a paragraph adds one of no columns. */
size_t psst_cells_take(struct psst_cells *cells, struct psst_view text, size_t at, enum psst_render how);

/* Columns of a code point on which the C library, and so the terminal library, and Unicode's tables agree; -1: they do not. */
int psst_char_columns(uint32_t cp);

/* The order of one paragraph's n cells at `cells`, in which a line feed is not among them. */
struct psst_order {
    uint8_t *levels; /* of the cells; NULL: all run from left to right */
    bool rtl;        /* the paragraph does */
    size_t cap;
    uint32_t *room; /* code points, their kinds, brackets */
};
PSST_MUST_USE enum psst_err psst_order_find(struct psst_order *order, struct psst_cell *cells, size_t n);
/* Puts the cells of one row, [first, first + n) of the paragraph, into the order in which they are seen, and turns brackets. */
void psst_order_row(struct psst_order *order, struct psst_cell *cells, size_t first, size_t n);
void psst_order_fini(struct psst_order *order);

#endif
