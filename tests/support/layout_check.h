/* What must hold of every layout, whatever the text: for the unit test with random text and for the fuzz target. */
#ifndef PSST_TESTS_LAYOUT_CHECK_H
#define PSST_TESTS_LAYOUT_CHECK_H

#include "tui/text.h"

#include <stdlib.h>

#define LAYOUT_HOLDS(x)                                                                                                \
    do {                                                                                                               \
        if (!(x)) return #x;                                                                                           \
    } while (0)

/* Neither a control nor anything that turns text around. */
static inline bool layout_char_harmless(wchar_t c)
{
    return c >= 0x20 && !(c >= 0x7f && c <= 0x9f) && !(c >= 0x200b && c <= 0x200f) && !(c >= 0x2028 && c <= 0x202e) &&
           !(c >= 0x2060 && c <= 0x206f) && c != 0x061c && c != 0xfeff && !(c >= 0xd800 && c <= 0xdfff) && c < 0x110000;
}

static inline const char *layout_cell_wrong(const struct psst_cell *cell)
{
    size_t n = wcslen(cell->chars);
    LAYOUT_HOLDS(cell->columns <= 2 && n <= PSST_CELL_CHARS);
    LAYOUT_HOLDS((cell->columns == 0) == (n == 0));
    for (size_t i = 0; i < n; i++) {
        LAYOUT_HOLDS(layout_char_harmless(cell->chars[i]));
        LAYOUT_HOLDS(wcwidth(cell->chars[i]) == (i == 0 ? cell->columns : 0)); /* as a terminal library counts */
    }
    return NULL;
}

/* starts: as many bytes as the text has, and one, zeros; becomes how long the cluster is that begins there, at most 255. */
static inline const char *layout_rows_wrong(const struct psst_layout *layout, size_t len, unsigned columns,
                                            uint8_t *starts)
{
    size_t cells = 0, at = 0;
    LAYOUT_HOLDS(layout->n_rows > 0);
    for (size_t r = 0; r < layout->n_rows; r++) {
        const struct psst_row *row = &layout->rows[r];
        size_t sum = 0, bytes = 0;
        LAYOUT_HOLDS(row->first == cells && row->n <= layout->n_cells - cells);
        LAYOUT_HOLDS(row->at == at && row->end >= at);
        for (size_t i = 0; i < row->n; i++) {
            const struct psst_cell *cell = &layout->cells[row->first + i];
            const char *wrong = layout_cell_wrong(cell);
            if (wrong != NULL) return wrong;
            sum += cell->columns;
            bytes += cell->len;
            if (cell->len == 0) continue;
            LAYOUT_HOLDS(cell->at >= row->at && cell->at + cell->len <= row->end);
            LAYOUT_HOLDS(starts[cell->at] == 0); /* with the sum below: no two cells have the same byte */
            starts[cell->at] = cell->len > 255 ? 255 : (uint8_t)cell->len;
        }
        LAYOUT_HOLDS(sum == row->columns);
        LAYOUT_HOLDS(columns == 0 || row->columns <= columns);
        LAYOUT_HOLDS(bytes == row->end - row->at || row->n == 0); /* none: nothing in it can be seen */
        cells += row->n;
        at = row->end;
    }
    LAYOUT_HOLDS(cells == layout->n_cells && at == len);
    return NULL;
}

static inline bool layout_row_is_ltr(const struct psst_layout *layout, const struct psst_row *row)
{
    bool rtl = row->rtl;
    for (size_t i = 0; i < row->n; i++) rtl = rtl || layout->cells[row->first + i].rtl;
    return !rtl;
}

/* The steps of a cursor, and places found from bytes and bytes from places. `most` steps, since each looks along a row. */
static inline const char *layout_steps_wrong(const struct psst_layout *layout, struct psst_view text,
                                             const uint8_t *starts, unsigned most)
{
    for (size_t at = 0; at < text.len && most > 0; most--) {
        size_t next = psst_text_next(text, at), row;
        unsigned column;
        LAYOUT_HOLDS(next > at && next <= text.len);
        LAYOUT_HOLDS(psst_text_previous(text, next) == at);
        psst_layout_find(layout, (uint32_t)at, &row, &column);
        const struct psst_row *in = &layout->rows[row];
        LAYOUT_HOLDS(row < layout->n_rows && column <= in->columns && at >= in->at);
        if (in->n > 0) LAYOUT_HOLDS(starts[at] == (next - at > 255 ? 255 : next - at));
        uint32_t back = psst_layout_at(layout, row, column);
        /* blanks that did not fit have one place, and what has nothing to be seen only its end */
        bool shared = in->n == 0 || (column == in->columns && text.data[at] != '\n' && in->columns > 0);
        if (layout_row_is_ltr(layout, in)) LAYOUT_HOLDS(back == at || (shared && back >= in->at && back <= in->end));
        at = next;
    }
    LAYOUT_HOLDS(psst_layout_at(layout, SIZE_MAX, UINT32_MAX) == text.len || layout->rows[layout->n_rows - 1].rtl);
    return NULL;
}

/* NULL, or what does not hold. */
static inline const char *layout_wrong(const struct psst_layout *layout, struct psst_view text, enum psst_render how,
                                       unsigned columns, unsigned steps)
{
    LAYOUT_HOLDS(how != PSST_RENDER_LINE || layout->n_rows == 1);
    uint8_t *starts = calloc(text.len + 1, 1);
    if (starts == NULL) return "out of memory";
    const char *wrong = layout_rows_wrong(layout, text.len, how == PSST_RENDER_LINE ? 0 : columns, starts);
    if (wrong == NULL && how == PSST_RENDER_PARAGRAPH) wrong = layout_steps_wrong(layout, text, starts, steps);
    free(starts);
    return wrong;
}

#endif
