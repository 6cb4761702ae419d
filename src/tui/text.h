/* Text laid out for a terminal: grapheme clusters, their columns, lines broken at a width, right-to-left text in the order in
 * which it is seen. Pure; every piece of text that a screen shows goes through here, and with that through
 * psst_text_render (attacks 34 to 39).
 *
 *   UTF-8 -> paragraphs (line feeds) -> clusters (UAX 29, utf8proc) -> cells (rendered, columns) -> rows (broken at blanks,
 *   else between clusters) -> visual order (UAX 9, fribidi)
 *
 * A cell takes 1 or 2 columns and holds one character with its marks; most clusters are one cell. A flag, an emoji made of
 * several by joiners (shown as its parts), a letter with a vowel sign that stands beside it are several. What cannot be seen
 * belongs to the cluster before it. Where the C library and Unicode's tables disagree about a character's columns, a terminal
 * may too: it is shown as U+FFFD, one column, so that the screen stays whole (text_cluster.c has what is excepted, and why
 * skin tones are left out). What is sent stays as it was typed.
 */
#ifndef PSST_TUI_TEXT_H
#define PSST_TUI_TEXT_H

#include "base/text.h"

#include <wchar.h>

#define PSST_CELL_CHARS 5 /* a base and its marks: as many as a terminal library takes (CCHARW_MAX) */

struct psst_cell {
    uint32_t at,
        len; /* the bytes of its cluster in the text laid out; len is 0 in all but the first cell of a cluster */
    wchar_t chars[PSST_CELL_CHARS + 1];
    uint8_t columns; /* 1 or 2; 0 for what ended a row: a line feed, blanks that did not fit (chars is then empty) */
    bool rtl;
};

struct psst_row {
    size_t first, n;  /* cells, in the order in which they are seen */
    uint32_t at, end; /* its bytes in the text; what was broken at (a blank, a line feed) belongs to the row it ended */
    unsigned columns;
    bool rtl;       /* its paragraph runs from right to left: to be set to the right */
    bool line_feed; /* ends with one: its last cell */
};

struct psst_layout {
    struct psst_cell *cells;
    struct psst_row *rows; /* at least one, unless making failed */
    size_t n_cells, n_rows;
};

/* text is borrowed for the call; need not be valid UTF-8. columns: at least 2. PSST_RENDER_LINE gives one row that is never
 * broken. PSST_ERR_MEMORY. */
PSST_MUST_USE enum psst_err psst_layout_make(struct psst_layout *out, struct psst_view text, enum psst_render how,
                                             unsigned columns);
/* The same rows, their cells left in the order in which they are read, and brackets as they are: for what is printed line by
 * line to a terminal that does the ordering itself, if anybody does. */
PSST_MUST_USE enum psst_err psst_layout_make_as_read(struct psst_layout *out, struct psst_view text,
                                                     enum psst_render how, unsigned columns);
void psst_layout_fini(struct psst_layout *layout); /* wiped */
/* Appends the characters of a row, as UTF-8. */
void psst_layout_put(struct psst_buf *out, const struct psst_layout *layout, size_t row);

/* Where the cursor stands before the cluster at byte `at`: row and column from the left edge of the row's own text. On the
 * cluster, whichever way it runs; behind a row that is full, the column is its width. The end of what runs from right to left
 * is column 0: there is none before it. */
void psst_layout_find(const struct psst_layout *layout, uint32_t at, size_t *row, unsigned *column);
/* The byte before which a cursor at that row and column stands; the nearest one. */
uint32_t psst_layout_at(const struct psst_layout *layout, size_t row, unsigned column);

/* Columns of one line of text, rendered. */
unsigned psst_text_columns(const char *text);
/* Next and previous cluster boundary in text (UTF-8); the ends when there is none. */
size_t psst_text_next(struct psst_view text, size_t at);
size_t psst_text_previous(struct psst_view text, size_t at);

#endif
