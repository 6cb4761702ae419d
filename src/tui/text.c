/* Rows: where text is broken, and where in them a byte stands. */
#include "tui/text_parts.h"

#include "base/secret.h"

#include <stdlib.h>
#include <utf8proc.h>

#define CELLS_AT_FIRST 64
#define TEXT_LONGEST   ((size_t)1 << 28) /* bytes; positions are 32 bits */

/* One layout being made. */
struct work {
    struct psst_cells cells;
    struct psst_order order;
    struct psst_row *rows;
    size_t n_rows, cap_rows;
    unsigned columns; /* 0: never broken */
    bool as_read;     /* cells stay in the order in which they are read */
};

/* ---- where a row may end ---- */

static bool blank(const struct psst_cell *cell)
{
    wchar_t c = cell->chars[0];
    return c == ' ' || c == 0x3000 || (c >= 0x2000 && c <= 0x200a && c != 0x2007);
}

/* Stays with what stands before it. Sorted by no order: there are few. */
static bool closes(wchar_t c)
{
    return c < 0x80
               ? c != 0 && wcschr(L",.!?:;)]}%'\"", c) != NULL
               : wcschr(
                     L"\u2019\u201d\u2026\u3001\u3002\u3009\u300b\u300d\u300f\u3011\u3015\u3017\u30fb\u30fc\uff01\uff09\uff0c\uff0e\uff1a\uff1b\uff1f\uff3d\uff5d",
                     c) != NULL;
}

/* Stays with what follows. */
static bool opens(wchar_t c)
{
    return c < 0x80 ? c != 0 && wcschr(L"([{", c) != NULL
                    : wcschr(L"\u2018\u201c\u3008\u300a\u300c\u300e\u3010\u3014\u3016\uff08\uff3b\uff5b", c) != NULL;
}

/* Between words, or beside a wide character. */
static bool breaks_well(const struct psst_cell *before, const struct psst_cell *after)
{
    if (blank(before)) return true;
    if (before->columns < 2 && after->columns < 2) return false;
    return !blank(after) && !closes(after->chars[0]) && !opens(before->chars[0]);
}

/* Inside a word that is too long for a row. */
static bool breaks_word(const struct psst_cell *before)
{
    return before->chars[0] == '-' || before->chars[0] == '/';
}

/* The end of the row that begins at cell `start` of n. Blanks that do not fit lose their columns; *used: of the row. */
static size_t row_end(struct psst_cell *cells, size_t start, size_t n, unsigned columns, unsigned *used)
{
    size_t good = 0, word = 0, cluster = start, i = start;
    unsigned good_used = 0, word_used = 0, cluster_used = 0;
    *used = 0;
    for (; i < n; i++) {
        if (cells[i].len > 0 && i > start) {
            cluster = i;
            cluster_used = *used;
            if (breaks_well(&cells[i - 1], &cells[i])) {
                good = i;
                good_used = *used;
            } else if (breaks_word(&cells[i - 1])) {
                word = i;
                word_used = *used;
            }
        }
        if (columns > 0 && *used + cells[i].columns > columns) break;
        *used += cells[i].columns;
    }
    if (i == n) return n;
    if (blank(&cells[i])) {
        for (; i < n && blank(&cells[i]); i++) {
            memset(cells[i].chars, 0, sizeof cells[i].chars);
            cells[i].columns = 0;
        }
        return i;
    }
    if (good > 0) {
        *used = good_used;
        return good;
    }
    if (word > 0 && word_used >= columns / 2) { /* "https:/" alone in a row helps nobody */
        *used = word_used;
        return word;
    }
    if (cluster > start) {
        *used = cluster_used;
        return cluster;
    }
    return i; /* one cluster, wider than the row */
}

/* ---- rows ---- */

static enum psst_err add_row(struct work *w, size_t first, size_t n, size_t end, unsigned columns, bool line_feed)
{
    if (w->n_rows == w->cap_rows) {
        size_t cap = w->cap_rows == 0 ? 4 : 2 * w->cap_rows;
        struct psst_row *more = realloc(w->rows, cap * sizeof *more);
        if (more == NULL) return PSST_ERR_MEMORY;
        w->rows = more;
        w->cap_rows = cap;
    }
    uint32_t at = w->n_rows > 0 ? w->rows[w->n_rows - 1].end : 0;
    w->rows[w->n_rows++] = (struct psst_row){first, n, at, (uint32_t)end, columns, w->order.rtl, line_feed};
    return PSST_OK;
}

/* Breaks one paragraph, the cells from `first` on; it ends at byte `end`, with the last cell if that is a line feed. */
static enum psst_err add_paragraph(struct work *w, size_t first, size_t end, bool line_feed)
{
    struct psst_cell *cells = w->cells.at + first;
    size_t all = w->cells.n - first, n = all - (line_feed ? 1 : 0), at = 0, byte = 0;
    if (!w->as_read && psst_order_find(&w->order, cells, n) != PSST_OK) return PSST_ERR_MEMORY;
    do {
        unsigned used;
        size_t next = row_end(cells, at, n, w->columns, &used);
        for (size_t i = next; i > at; i--) { /* the last cluster that begins here ends where the next row begins */
            if (cells[i - 1].len == 0) continue;
            byte = cells[i - 1].at + cells[i - 1].len;
            break;
        }
        psst_order_row(&w->order, cells, at, next - at);
        if (next == n) {
            next = all;
            byte = end;
        }
        bool ends = line_feed && next == all;
        if (add_row(w, first + at, next - at, byte, used, ends) != PSST_OK) return PSST_ERR_MEMORY;
        at = next;
    } while (at < n);
    return PSST_OK;
}

/* The cells of one paragraph; gives where it ends, with its line feed. */
static size_t take_paragraph(struct work *w, struct psst_view text, size_t at, enum psst_render how, bool *line_feed)
{
    size_t begin = at, last = SIZE_MAX; /* the cluster before */
    *line_feed = false;
    while (at < text.len && !*line_feed && !w->cells.failed) {
        size_t n = w->cells.n, end = psst_cells_take(&w->cells, text, at, how);
        struct psst_cell *cell = w->cells.at + n;
        if (w->cells.n > n) {
            if (last == SIZE_MAX) { /* with what cannot be seen before it */
                cell->len += (uint32_t)(at - begin);
                for (size_t i = n; i < w->cells.n; i++) w->cells.at[i].at = (uint32_t)begin;
            }
            last = n;
            *line_feed = cell->columns == 0;
        } else if (last != SIZE_MAX) {
            w->cells.at[last].len += (uint32_t)(end - at);
        }
        at = end;
    }
    return at;
}

static enum psst_err make(struct work *w, struct psst_view text, enum psst_render how)
{
    bool line_feed = true; /* an empty text is a row, and so is what follows a last line feed */
    for (size_t at = 0; at < text.len || line_feed;) {
        size_t first = w->cells.n;
        at = take_paragraph(w, text, at, how, &line_feed);
        if (w->cells.failed || add_paragraph(w, first, at, line_feed) != PSST_OK) return PSST_ERR_MEMORY;
    }
    return PSST_OK;
}

static enum psst_err make_layout(struct psst_layout *out, struct psst_view text, enum psst_render how, unsigned columns,
                                 bool as_read)
{
    *out = (struct psst_layout){0};
    if (text.len > TEXT_LONGEST) return PSST_ERR_MEMORY;
    struct work w = {.as_read = as_read, .columns = how == PSST_RENDER_LINE ? 0 : columns < 2 ? 2 : columns};
    psst_cells_init(&w.cells);
    w.cells.cap = CELLS_AT_FIRST; /* there is a place for cells even when there are none */
    w.cells.at = malloc(w.cells.cap * sizeof *w.cells.at);
    enum psst_err err = w.cells.at == NULL ? PSST_ERR_MEMORY : make(&w, text, how);
    if (err == PSST_OK) {
        /* views keep layouts for a while: no more than is needed */
        struct psst_cell *less = realloc(w.cells.at, (w.cells.n > 0 ? w.cells.n : 1) * sizeof *less);
        if (less != NULL) w.cells.at = less;
        *out = (struct psst_layout){w.cells.at, w.rows, w.cells.n, w.n_rows};
        w.cells.at = NULL;
        w.rows = NULL;
    }
    psst_order_fini(&w.order);
    psst_cells_fini(&w.cells);
    free(w.rows);
    return err;
}

enum psst_err psst_layout_make(struct psst_layout *out, struct psst_view text, enum psst_render how, unsigned columns)
{
    return make_layout(out, text, how, columns, false);
}

enum psst_err psst_layout_make_as_read(struct psst_layout *out, struct psst_view text, enum psst_render how,
                                       unsigned columns)
{
    return make_layout(out, text, how, columns, true);
}

void psst_layout_fini(struct psst_layout *layout)
{
    if (layout->cells != NULL) psst_wipe(layout->cells, layout->n_cells * sizeof *layout->cells);
    free(layout->cells);
    free(layout->rows);
    *layout = (struct psst_layout){0};
}

void psst_layout_put(struct psst_buf *out, const struct psst_layout *layout, size_t row)
{
    const struct psst_cell *cell = layout->cells + layout->rows[row].first;
    for (size_t n = layout->rows[row].n; n > 0; n--, cell++) {
        for (const wchar_t *c = cell->chars; *c != 0; c++) {
            utf8proc_uint8_t utf8[4];
            utf8proc_ssize_t len = utf8proc_encode_char((utf8proc_int32_t)*c, utf8);
            psst_buf_put(out, utf8, (size_t)len);
        }
    }
}

/* ---- bytes and places ---- */

/* The cell in whose bytes `at` lies; NULL. *column: of its left edge. */
static const struct psst_cell *cell_of(const struct psst_layout *layout, const struct psst_row *row, uint32_t at,
                                       unsigned *column)
{
    *column = 0;
    for (size_t i = 0; i < row->n; i++) {
        const struct psst_cell *cell = &layout->cells[row->first + i];
        if (at >= cell->at && at - cell->at < cell->len) return cell;
        *column += cell->columns;
    }
    return NULL;
}

void psst_layout_find(const struct psst_layout *layout, uint32_t at, size_t *row, unsigned *column)
{
    *row = 0;
    *column = 0;
    if (layout->n_rows == 0) return;
    size_t lo = 0, hi = layout->n_rows - 1; /* the first row that ends behind `at`, else the last one */
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (layout->rows[mid].end > at)
            hi = mid;
        else
            lo = mid + 1;
    }
    const struct psst_row *found = &layout->rows[lo];
    const struct psst_cell *cell = cell_of(layout, found, at, column);
    *row = lo;
    if (cell == NULL || cell->columns == 0) *column = found->rtl ? 0 : found->columns;
}

uint32_t psst_layout_at(const struct psst_layout *layout, size_t row, unsigned column)
{
    if (layout->n_rows == 0) return 0;
    if (row >= layout->n_rows) row = layout->n_rows - 1;
    const struct psst_row *in = &layout->rows[row];
    const struct psst_cell *cells = layout->cells + in->first, *last = NULL;
    unsigned left = 0;
    size_t i = 0;
    for (; i < in->n && cells[i].columns > 0; i++) {
        if (column - left < cells[i].columns) return cells[i].at;
        left += cells[i].columns;
        if (last == NULL || cells[i].at >= last->at) last = &cells[i];
    }
    if (in->rtl) return in->at; /* beyond the right edge: where it begins */
    if (row + 1 == layout->n_rows) return in->end;
    /* beyond the end: before the line feed, or the blanks that did not fit, or the last cluster, since the end of this row is
     * the beginning of the next */
    if (i < in->n) return cells[in->line_feed ? in->n - 1 : i].at;
    return last == NULL ? in->at : last->at;
}
