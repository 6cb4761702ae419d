#include "tui/draw.h"

#include "tui/screen.h"
#include "tui/screen_draw.h"

#include <curses.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT_MAX 2048
#define ROW_CELLS  512

#define CHAR_ELLIPSIS L'\u2026'
#define CHAR_DOWN     L'\u2502'
#define CHAR_ACROSS   L'\u2500'
#define CHAR_FULL     L'\u2588'
#define CHAR_HALF     L'\u258c'
#define CHAR_EMPTY    L'\u2591'

/* What of row, column, length lies in the area and on the terminal; false: nothing. */
static bool clip(const struct psst_area *area, int row, int column, int *length)
{
    if (!psst_screen_ready() || row < 0 || row >= area->rows || column < 0 || column >= area->columns) return false;
    int rows = psst_screen_rows(), columns = psst_screen_columns();
    if (area->row < 0 || area->column < 0 || area->row + row >= rows || area->column + column >= columns) return false;
    int most = area->columns - column;
    if (most > columns - area->column - column) most = columns - area->column - column;
    if (*length > most) *length = most;
    return *length > 0;
}

static void set(cchar_t *out, const wchar_t *chars, enum psst_style style)
{
    static const wchar_t none[] = L"?";
    struct psst_attributes how = psst_screen_attributes(style);
    if (setcchar(out, chars, (attr_t)how.bits, how.pair, NULL) == ERR)
        (void)setcchar(out, none, (attr_t)how.bits, how.pair, NULL);
}

/* Writes cells that stand side by side; n of them. */
static void put(const struct psst_area *area, int row, int column, const cchar_t *cells, int n)
{
    (void)mvadd_wchnstr(area->row + row, area->column + column, cells, n);
}

static void repeat(const struct psst_area *area, int row, int column, int length, enum psst_style style, wchar_t c)
{
    const wchar_t chars[2] = {c, L'\0'};
    cchar_t cells[64];
    if (!clip(area, row, column, &length)) return;
    set(&cells[0], chars, style);
    for (int i = 1; i < 64 && i < length; i++) cells[i] = cells[0];
    for (int done = 0; done < length; done += 64)
        put(area, row, column + done, cells, length - done < 64 ? length - done : 64);
}

void psst_draw_clear(struct psst_area area, enum psst_style style)
{
    for (int row = 0; row < area.rows; row++) repeat(&area, row, 0, area.columns, style, L' ');
}

/* One cell of a layout; where the terminal has no such letters, one that stands for it. */
static void put_cell(const struct psst_area *area, int row, int column, enum psst_style style,
                     const struct psst_cell *cell)
{
    const wchar_t stands[2] = {cell->chars[0] == CHAR_ELLIPSIS ? L'~' : L'?', L'\0'};
    const wchar_t *chars = cell->chars;
    cchar_t out;
    int columns = cell->columns;
    if (!clip(area, row, column, &columns) || columns < cell->columns) return;
    if (!psst_screen_has_letters() && (chars[0] < 0x20 || chars[0] > 0x7e)) {
        repeat(area, row, column, columns, style, stands[0]);
        return;
    }
    set(&out, chars, style);
    put(area, row, column, &out, 1);
}

/* Cells side by side from column on, as far as `most` columns reach; the columns that they took. */
static unsigned put_cells(const struct psst_area *area, int row, int column, enum psst_style style,
                          const struct psst_layout *layout, const struct psst_row *of, unsigned most)
{
    unsigned at = 0;
    for (size_t i = 0; i < of->n; i++) {
        const struct psst_cell *cell = &layout->cells[of->first + i];
        if (cell->columns == 0) continue;
        if (at + cell->columns > most) break;
        put_cell(area, row, column + (int)at, style, cell);
        at += cell->columns;
    }
    return at;
}

void psst_draw_row(struct psst_area area, int row, int column, unsigned columns, enum psst_style style,
                   const struct psst_layout *layout, size_t i)
{
    if (i >= layout->n_rows) return;
    const struct psst_row *of = &layout->rows[i];
    int start = column;
    if (of->rtl && columns > of->columns) start += (int)(columns - of->columns);
    (void)put_cells(&area, row, start, style, layout, of, columns);
}

/* ---- one line, cut ---- */

static int by_place(const void *a, const void *b)
{
    const struct psst_cell *left = *(const struct psst_cell *const *)a, *right = *(const struct psst_cell *const *)b;
    return (left->at > right->at) - (left->at < right->at);
}

/* The bytes of the text whose clusters take at most `most` columns, in the order in which they are read. */
static size_t fitting(const struct psst_layout *layout, unsigned most)
{
    const struct psst_row *row = &layout->rows[0];
    const struct psst_cell **order = calloc(row->n > 0 ? row->n : 1, sizeof *order);
    size_t bytes = 0;
    if (order == NULL) return 0;
    for (size_t i = 0; i < row->n; i++) order[i] = &layout->cells[row->first + i];
    qsort(order, row->n, sizeof *order, by_place);
    for (size_t i = 0, columns = 0; i < row->n; i++) {
        columns += order[i]->columns;
        if (columns > most) break;
        bytes = order[i]->at + order[i]->len;
    }
    free(order);
    return bytes;
}

static bool lay_line(struct psst_layout *out, const char *text, size_t len)
{
    return psst_layout_make(out, psst_view(text, len), PSST_RENDER_LINE, ROW_CELLS) == PSST_OK;
}

/* As much of it as leaves room for an ellipsis, and that. */
static bool lay_cut(struct psst_layout *out, const char *text, unsigned most)
{
    struct psst_layout whole;
    char *cut;
    static const char ellipsis[] = "\u2026";
    if (!lay_line(&whole, text, strlen(text))) return false;
    size_t len = whole.n_rows > 0 ? fitting(&whole, most - 1) : 0;
    psst_layout_fini(&whole);
    cut = malloc(len + sizeof ellipsis);
    if (cut == NULL) return false;
    memcpy(cut, text, len);
    memcpy(cut + len, ellipsis, sizeof ellipsis);
    bool laid = lay_line(out, cut, len + sizeof ellipsis - 1);
    free(cut);
    return laid;
}

unsigned psst_draw_text(struct psst_area area, int row, int column, enum psst_style style, const char *text)
{
    struct psst_layout layout;
    int most = area.columns;
    if (!clip(&area, row, column, &most) || !lay_line(&layout, text, strlen(text))) return 0;
    if (layout.n_rows > 0 && layout.rows[0].columns > (unsigned)most) {
        psst_layout_fini(&layout);
        if (!lay_cut(&layout, text, (unsigned)most)) return 0;
    }
    unsigned took =
        layout.n_rows > 0 ? put_cells(&area, row, column, style, &layout, &layout.rows[0], (unsigned)most) : 0;
    psst_layout_fini(&layout);
    return took;
}

unsigned psst_draw_format(struct psst_area area, int row, int column, enum psst_style style, const char *fmt, ...)
{
    char text[FORMAT_MAX];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return psst_draw_text(area, row, column, style, text);
}

/* ---- lines and bars ---- */

void psst_draw_line(struct psst_area area, int row, int column, unsigned length, enum psst_line line)
{
    bool lines = psst_screen_has_lines();
    int most = length < 10000 ? (int)length : 10000;
    if (line == PSST_LINE_ACROSS) {
        repeat(&area, row, column, most, PSST_STYLE_DIM, lines ? CHAR_ACROSS : L'-');
        return;
    }
    for (int i = 0; i < most; i++) repeat(&area, row + i, column, 1, PSST_STYLE_DIM, lines ? CHAR_DOWN : L'|');
}

void psst_draw_bar(struct psst_area area, int row, int column, unsigned columns, enum psst_style style, double value)
{
    bool lines = psst_screen_has_lines();
    if (!(value > 0)) value = 0; /* and what is no number */
    if (value > 1) value = 1;
    if (columns > 10000) columns = 10000;
    unsigned halves = (unsigned)(value * 2 * columns + 0.5), full = halves / 2, half = halves % 2;
    repeat(&area, row, column, (int)columns, style, lines ? CHAR_EMPTY : L'.');
    if (full > 0) repeat(&area, row, column, (int)full, style, lines ? CHAR_FULL : L'#');
    if (half > 0) repeat(&area, row, column + (int)full, 1, style, lines ? CHAR_HALF : L'+');
}

void psst_draw_cursor(struct psst_area area, int row, int column)
{
    bool inside = row >= 0 && row < area.rows && column >= 0 && column < area.columns;
    psst_screen_cursor(inside ? area.row + row : -1, inside ? area.column + column : 0);
}
