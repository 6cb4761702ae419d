#include "tui/sheet.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LINE_BYTES 4096 /* a longer line goes on in the next one */
#define HANG_MOST  32   /* columns: the second column of a table, for what continues it */

/* ---- lines ---- */

static bool add_line(struct psst_sheet *sheet, size_t at)
{
    if (sheet->n_lines + 2 > sheet->room) {
        size_t room = sheet->room == 0 ? 64 : 2 * sheet->room;
        size_t *more = realloc(sheet->lines, room * sizeof *more);
        if (more == NULL) return false;
        sheet->lines = more;
        sheet->room = room;
    }
    sheet->lines[sheet->n_lines++] = at;
    return true;
}

/* From the last line on, which may have become longer. */
static void cut_lines(struct psst_sheet *sheet)
{
    size_t at = sheet->n_lines > 0 ? sheet->lines[--sheet->n_lines] : 0;
    bool good = add_line(sheet, at);
    while (good && at < sheet->text.len) {
        size_t left = sheet->text.len - at, most = left < LINE_BYTES ? left : LINE_BYTES;
        const uint8_t *lf = memchr(sheet->text.data + at, '\n', most);
        if (lf == NULL && left <= LINE_BYTES) break;
        while (lf == NULL && most > LINE_BYTES - 4 && (sheet->text.data[at + most] & 0xc0) == 0x80) most--;
        at = lf != NULL ? (size_t)(lf - sheet->text.data) + 1 : at + most;
        good = add_line(sheet, at);
    }
    if (sheet->lines != NULL) sheet->lines[sheet->n_lines] = sheet->text.len;
}

void psst_sheet_init(struct psst_sheet *sheet, size_t max)
{
    *sheet = (struct psst_sheet){.columns = 80};
    psst_buf_init(&sheet->text, max);
    cut_lines(sheet);
}

void psst_sheet_fini(struct psst_sheet *sheet)
{
    psst_buf_fini(&sheet->text);
    free(sheet->lines);
    *sheet = (struct psst_sheet){.lines = NULL};
}

bool psst_sheet_append(struct psst_sheet *sheet, struct psst_view text)
{
    psst_buf_put(&sheet->text, text.data, text.len);
    cut_lines(sheet);
    return !sheet->text.failed;
}

struct psst_view psst_sheet_line(const struct psst_sheet *sheet, size_t i)
{
    size_t at = sheet->lines[i], end = sheet->lines[i + 1];
    if (end > at && sheet->text.data[end - 1] == '\n') end--;
    return psst_view(sheet->text.data + at, end - at);
}

size_t psst_sheet_lines(const struct psst_sheet *sheet)
{
    return sheet->n_lines > 1 && sheet->lines[sheet->n_lines - 1] == sheet->text.len ? sheet->n_lines - 1
                                                                                     : sheet->n_lines;
}

static bool holds(struct psst_view line, const char *pattern)
{
    size_t n = strlen(pattern);
    for (size_t i = 0; n > 0 && i + n <= line.len; i++)
        if (strncasecmp((const char *)line.data + i, pattern, n) == 0) return true;
    return false;
}

bool psst_sheet_find(const struct psst_sheet *sheet, const char *pattern, size_t from, bool back, bool skip,
                     size_t *line)
{
    size_t n = psst_sheet_lines(sheet);
    for (size_t k = skip ? 1 : 0; k <= n && n > 0; k++) {
        size_t at = back ? (from + n - k % n) % n : (from + k) % n;
        if (!holds(psst_sheet_line(sheet, at), pattern)) continue;
        *line = at;
        return true;
    }
    return false;
}

/* ---- one line laid out ---- */

/* The column of the text behind the first run of blanks that makes a table of it, else where the line begins. */
static unsigned hang_of(struct psst_view line, unsigned columns)
{
    size_t at = 0, most = columns / 2 < HANG_MOST ? columns / 2 : HANG_MOST;
    while (at < line.len && line.data[at] == ' ') at++;
    size_t begin = at <= most ? at : 0;
    for (; at + 2 < line.len && at + 2 <= most; at++) {
        if (line.data[at] >= 0x80) break; /* columns are not bytes any more */
        if (line.data[at] != ' ' || line.data[at + 1] != ' ') continue;
        while (at < line.len && line.data[at] == ' ') at++;
        return at <= most ? (unsigned)at : (unsigned)begin;
    }
    return (unsigned)begin;
}

bool psst_sheet_lay(struct psst_sheet_laid *out, struct psst_view line, unsigned columns)
{
    *out = (struct psst_sheet_laid){.rows = 1};
    if (psst_layout_make(&out->first, line, PSST_RENDER_PARAGRAPH, columns) != PSST_OK) return false;
    out->rows = out->first.n_rows;
    if (out->rows < 2 || out->first.rows[0].rtl) return true;
    out->hang = hang_of(line, columns);
    size_t end = out->first.rows[0].end;
    if (out->hang == 0 || end > line.len || columns < out->hang + 2) return true;
    if (psst_layout_make(&out->rest, psst_view(line.data + end, line.len - end), PSST_RENDER_PARAGRAPH,
                         columns - out->hang) != PSST_OK)
        return true; /* then without */
    out->rows = 1 + out->rest.n_rows;
    return true;
}

void psst_sheet_unlay(struct psst_sheet_laid *laid)
{
    psst_layout_fini(&laid->first);
    psst_layout_fini(&laid->rest);
}

static size_t rows_of(const struct psst_sheet *sheet, size_t line)
{
    struct psst_sheet_laid laid;
    if (!psst_sheet_lay(&laid, psst_sheet_line(sheet, line), sheet->columns)) return 1;
    size_t rows = laid.rows;
    psst_sheet_unlay(&laid);
    return rows > 0 ? rows : 1;
}

/* ---- moving ---- */

void psst_sheet_up(struct psst_sheet *sheet, size_t rows)
{
    while (rows > 0) {
        size_t step = sheet->top_row < rows ? sheet->top_row : rows;
        sheet->top_row -= step;
        rows -= step;
        if (rows == 0 || sheet->top == 0) return;
        sheet->top_row = rows_of(sheet, --sheet->top);
    }
}

void psst_sheet_end(struct psst_sheet *sheet)
{
    sheet->top = psst_sheet_lines(sheet);
    sheet->top_row = 0;
    psst_sheet_up(sheet, sheet->rows > 0 ? (size_t)sheet->rows : 1);
}

static bool before(size_t line, size_t row, const struct psst_sheet *sheet)
{
    return line < sheet->top || (line == sheet->top && row < sheet->top_row);
}

void psst_sheet_keep_inside(struct psst_sheet *sheet)
{
    size_t line = sheet->top, row = sheet->top_row;
    size_t n = psst_sheet_lines(sheet), screens = 2 * (size_t)(sheet->rows > 0 ? sheet->rows : 1);
    if (line + screens < n) { /* far from the end */
        size_t rows = rows_of(sheet, line);
        if (row >= rows) sheet->top_row = rows - 1; /* it has become wider */
        return;
    }
    if (line < n && row >= rows_of(sheet, line)) row = rows_of(sheet, line) - 1;
    psst_sheet_end(sheet);
    if (before(line, row, sheet)) {
        sheet->top = line;
        sheet->top_row = row;
    }
}

bool psst_sheet_at_end(const struct psst_sheet *sheet)
{
    struct psst_sheet end = *sheet; /* borrows all that is in it */
    psst_sheet_end(&end);
    return !before(sheet->top, sheet->top_row, &end);
}

void psst_sheet_down(struct psst_sheet *sheet, size_t rows)
{
    while (rows > 0 && sheet->top < psst_sheet_lines(sheet)) {
        size_t left = rows_of(sheet, sheet->top) - sheet->top_row;
        if (rows < left) {
            sheet->top_row += rows;
            break;
        }
        rows -= left;
        sheet->top++;
        sheet->top_row = 0;
    }
    psst_sheet_keep_inside(sheet);
}

void psst_sheet_home(struct psst_sheet *sheet)
{
    sheet->top = sheet->top_row = 0;
}

void psst_sheet_show(struct psst_sheet *sheet, size_t line)
{
    sheet->top = line;
    sheet->top_row = 0;
    psst_sheet_up(sheet, (size_t)sheet->rows / 3);
    psst_sheet_keep_inside(sheet);
}
