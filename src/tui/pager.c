/* A page of text. It is kept as it came, cut into lines at line feeds (and where a line would be endless); where one is, is a
 * line and a row of it. Only what is to be seen is laid out, so a megabyte costs no more than a screen of it.
 *
 *   text -> lines (offsets) -> psst_layout of one line -> rows, those after the first behind its indentation -> area
 */
#include "tui/pager.h"

#include "tui/app.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LINE_MAX_  4096 /* bytes; a longer line goes on in the next one */
#define PATTERN    128
#define HANG_MOST  32 /* columns: the second column of a table, for what continues it */
#define WHEEL_ROWS 3

struct pager {
    struct psst_page page;
    struct psst_buf text;
    size_t *lines; /* where each begins; one more, for the end */
    size_t n_lines, room;
    bool cut;
    size_t top, top_row; /* the line at the upper edge, and how many of its rows are above that */
    int rows;            /* as drawn last */
    unsigned columns;
    char pattern[PATTERN];
    bool typing, follows, backwards;
    size_t found; /* the line; n_lines: none */
    void (*left)(void *ctx);
    void *ctx;
};

static const struct psst_page_kind kind;

static struct pager *pager_of(struct psst_page *page)
{
    return (struct pager *)(void *)page;
}

/* ---- lines ---- */

static bool add_line(struct pager *p, size_t at)
{
    if (p->n_lines + 2 > p->room) {
        size_t room = p->room == 0 ? 64 : 2 * p->room;
        size_t *more = realloc(p->lines, room * sizeof *more);
        if (more == NULL) return false;
        p->lines = more;
        p->room = room;
    }
    p->lines[p->n_lines++] = at;
    return true;
}

/* From the last line on, which may have become longer. */
static void cut_lines(struct pager *p)
{
    size_t at = p->n_lines > 0 ? p->lines[--p->n_lines] : 0;
    bool good = add_line(p, at);
    while (good && at < p->text.len) {
        size_t left = p->text.len - at, most = left < LINE_MAX_ ? left : LINE_MAX_;
        const uint8_t *lf = memchr(p->text.data + at, '\n', most);
        if (lf == NULL && left <= LINE_MAX_) break;
        while (lf == NULL && most > LINE_MAX_ - 4 && (p->text.data[at + most] & 0xc0) == 0x80) most--;
        at = lf != NULL ? (size_t)(lf - p->text.data) + 1 : at + most;
        good = add_line(p, at);
    }
    if (p->lines != NULL) p->lines[p->n_lines] = p->text.len;
}

static struct psst_view line_of(const struct pager *p, size_t i)
{
    size_t at = p->lines[i], end = p->lines[i + 1];
    if (end > at && p->text.data[end - 1] == '\n') end--;
    return psst_view(p->text.data + at, end - at);
}

/* The text ends with a line feed: what stands behind it is no line. */
static size_t shown_lines(const struct pager *p)
{
    return p->n_lines > 1 && p->lines[p->n_lines - 1] == p->text.len ? p->n_lines - 1 : p->n_lines;
}

/* ---- one line laid out ---- */

struct laid {
    struct psst_layout first, rest; /* rest: what goes on behind the indentation; no rows when the first was enough */
    unsigned hang;
    size_t rows;
};

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

static bool lay(struct laid *out, struct psst_view line, unsigned columns)
{
    *out = (struct laid){.rows = 1};
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

static void unlay(struct laid *laid)
{
    psst_layout_fini(&laid->first);
    psst_layout_fini(&laid->rest);
}

static size_t rows_of(const struct pager *p, size_t line)
{
    struct laid laid;
    if (!lay(&laid, line_of(p, line), p->columns)) return 1;
    size_t rows = laid.rows;
    unlay(&laid);
    return rows > 0 ? rows : 1;
}

/* ---- moving ---- */

static void up(struct pager *p, size_t rows)
{
    while (rows > 0) {
        size_t step = p->top_row < rows ? p->top_row : rows;
        p->top_row -= step;
        rows -= step;
        if (rows == 0 || p->top == 0) return;
        p->top_row = rows_of(p, --p->top);
    }
}

/* So that the last row stands at the lower edge. */
static void to_end(struct pager *p)
{
    p->top = shown_lines(p);
    p->top_row = 0;
    up(p, p->rows > 0 ? (size_t)p->rows : 1);
}

static bool before(size_t line, size_t row, const struct pager *p)
{
    return line < p->top || (line == p->top && row < p->top_row);
}

static void keep_inside(struct pager *p)
{
    size_t line = p->top, row = p->top_row;
    if (line < shown_lines(p) && line + 2 * (size_t)(p->rows > 0 ? p->rows : 1) < shown_lines(p)) {
        size_t rows = rows_of(p, line);
        if (row >= rows) p->top_row = rows - 1; /* it has become wider */
        return;
    }
    if (line < shown_lines(p) && row >= rows_of(p, line)) row = rows_of(p, line) - 1;
    to_end(p);
    if (before(line, row, p)) {
        p->top = line;
        p->top_row = row;
    }
}

static bool at_end(struct pager *p)
{
    size_t line = p->top, row = p->top_row;
    to_end(p);
    bool end = !before(line, row, p);
    if (!end) {
        p->top = line;
        p->top_row = row;
    }
    return end;
}

static void down(struct pager *p, size_t rows)
{
    while (rows > 0 && p->top < shown_lines(p)) {
        size_t left = rows_of(p, p->top) - p->top_row;
        if (rows < left) {
            p->top_row += rows;
            break;
        }
        rows -= left;
        p->top++;
        p->top_row = 0;
    }
    keep_inside(p);
}

/* ---- searching ---- */

static bool holds(struct psst_view line, const char *pattern)
{
    size_t n = strlen(pattern);
    for (size_t i = 0; n > 0 && i + n <= line.len; i++)
        if (strncasecmp((const char *)line.data + i, pattern, n) == 0) return true;
    return false;
}

static void find(struct pager *p, struct psst_app *app, bool back)
{
    size_t n = shown_lines(p), from = p->found < n ? p->found : p->top;
    bool fresh = p->found >= n;
    if (p->pattern[0] == '\0') return;
    for (size_t k = fresh ? 0 : 1; k <= n; k++) {
        size_t line = back ? (from + n - k % n) % n : (from + k) % n;
        if (!holds(line_of(p, line), p->pattern)) continue;
        p->found = line;
        p->top = line;
        p->top_row = 0;
        up(p, (size_t)p->rows / 3);
        keep_inside(p);
        return;
    }
    psst_app_say(app, "not in this text: %s", p->pattern);
}

static void type_key(struct pager *p, struct psst_app *app, const struct psst_key *key)
{
    size_t len = strlen(p->pattern);
    if (key->code == PSST_KEY_ENTER) {
        p->typing = false;
        find(p, app, false);
    } else if (key->code == PSST_KEY_ESCAPE ||
               (key->code == PSST_KEY_TEXT && key->mods == PSST_MOD_CONTROL && key->cp == 'c')) {
        p->typing = false;
        p->pattern[0] = '\0';
    } else if (key->code == PSST_KEY_BACKSPACE) {
        p->pattern[psst_text_previous(psst_view(p->pattern, len), len)] = '\0';
        if (len == 0) p->typing = false;
    } else if (key->code == PSST_KEY_TEXT && key->mods == 0 && key->cp >= ' ' && len + 5 < sizeof p->pattern) {
        uint32_t c = key->cp;
        uint8_t utf8[4] = {(uint8_t)c};
        size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
        static const uint8_t lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
        for (size_t i = n; n > 1 && i-- > 0; c >>= 6) utf8[i] = (uint8_t)(i == 0 ? lead[n] | c : 0x80 | (c & 0x3f));
        memcpy(p->pattern + len, utf8, n);
        p->pattern[len + n] = '\0';
    }
}

/* ---- as a page ---- */

static void draw_line(struct pager *p, struct psst_area area, int *row, size_t line, size_t skip)
{
    struct laid laid;
    enum psst_style style = line == p->found ? PSST_STYLE_SELECTED : PSST_STYLE_PLAIN;
    if (!lay(&laid, line_of(p, line), p->columns)) return;
    for (size_t i = skip; i < laid.rows && *row < area.rows; i++, ++*row) {
        bool hangs = i > 0 && laid.rest.n_rows > 0;
        if (hangs)
            psst_draw_row(area, *row, (int)laid.hang, p->columns - laid.hang, style, &laid.rest, i - 1);
        else
            psst_draw_row(area, *row, 0, p->columns, style, &laid.first, i);
    }
    unlay(&laid);
}

static void draw_foot(struct pager *p, struct psst_area area, size_t last)
{
    size_t n = shown_lines(p);
    if (p->typing) {
        unsigned at = 1 + psst_draw_format(area, 0, 0, PSST_STYLE_PLAIN, "/%s", p->pattern);
        psst_draw_cursor(area, 0, (int)at - 1);
        return;
    }
    const char *leave = p->left != NULL ? "at work; q ends it" : "q leaves";
    if (p->top == 0 && p->top_row == 0 && last >= n)
        psst_draw_text(area, 0, 0, PSST_STYLE_DIM, leave);
    else
        psst_draw_format(area, 0, 0, PSST_STYLE_DIM, "%zu-%zu of %zu  %s  / searches  PgUp PgDn", p->top + 1, last, n,
                         leave);
}

static void draw(struct psst_page *page, struct psst_app *app, struct psst_area area)
{
    struct pager *p = pager_of(page);
    struct psst_area foot = {area.row + area.rows - 1, area.column, 1, area.columns};
    (void)app;
    if (area.rows < 2 || area.columns < 4 || p->lines == NULL) return;
    struct psst_area body = {area.row, area.column + 1, area.rows - 1, area.columns - 2};
    bool first = p->rows == 0;
    p->rows = body.rows;
    p->columns = (unsigned)body.columns;
    if (p->follows)
        to_end(p);
    else if (!first)
        keep_inside(p);
    int row = 0;
    size_t line = p->top, n = shown_lines(p);
    for (size_t skip = p->top_row; line < n && row < body.rows; line++, skip = 0) draw_line(p, body, &row, line, skip);
    foot.column++;
    foot.columns--;
    draw_foot(p, foot, line);
}

static bool text_key(struct pager *p, struct psst_app *app, const struct psst_key *key)
{
    size_t page_rows = p->rows > 1 ? (size_t)p->rows - 1 : 1;
    if (key->mods != 0) return false;
    switch (key->cp) {
    case 'q': psst_page_leave(app, &p->page); return true;
    case '/':
        p->typing = true;
        p->pattern[0] = '\0';
        p->found = SIZE_MAX;
        return true;
    case 'n': find(p, app, false); return true;
    case 'N': find(p, app, true); return true;
    case ' ': down(p, page_rows); return true;
    case 'b': up(p, page_rows); return true;
    case 'j': down(p, 1); return true;
    case 'k': up(p, 1); return true;
    case 'g': p->top = p->top_row = 0; return true;
    case 'G': to_end(p); return true;
    default: return true; /* no letter of a text that is not there */
    }
}

static bool take(struct psst_page *page, struct psst_app *app, const struct psst_key *key)
{
    struct pager *p = pager_of(page);
    size_t page_rows = p->rows > 1 ? (size_t)p->rows - 1 : 1;
    bool moved = true;
    if (p->lines == NULL) return false;
    if (p->typing) {
        type_key(p, app, key);
        return true;
    }
    if (key->code == PSST_KEY_TEXT) {
        bool taken = text_key(p, app, key);
        if (taken && app->page == page) p->follows = p->left != NULL && at_end(p);
        return taken;
    }
    if (key->mods != 0) return false;
    switch (key->code) {
    case PSST_KEY_UP: up(p, 1); break;
    case PSST_KEY_ENTER:
    case PSST_KEY_DOWN: down(p, 1); break;
    case PSST_KEY_PAGE_UP: up(p, page_rows); break;
    case PSST_KEY_PAGE_DOWN: down(p, page_rows); break;
    case PSST_KEY_WHEEL_UP: up(p, WHEEL_ROWS); break;
    case PSST_KEY_WHEEL_DOWN: down(p, WHEEL_ROWS); break;
    case PSST_KEY_HOME: p->top = p->top_row = 0; break;
    case PSST_KEY_END: to_end(p); break;
    default: moved = false; break;
    }
    if (moved) p->follows = p->left != NULL && at_end(p);
    return moved;
}

static void free_pager(struct psst_page *page)
{
    struct pager *p = pager_of(page);
    if (p->left != NULL) p->left(p->ctx);
    psst_buf_fini(&p->text);
    free(p->lines);
    free(p);
}

static const struct psst_page_kind kind = {.draw = draw, .key = take, .free = free_pager};

/* ---- for others ---- */

struct psst_page *psst_pager_begin(struct psst_app *app, const char *title, void (*left)(void *ctx), void *ctx)
{
    struct pager *p = calloc(1, sizeof *p);
    if (p == NULL) return NULL;
    *p = (struct pager){.page = {.kind = &kind}, .left = left, .ctx = ctx, .found = SIZE_MAX, .follows = left != NULL};
    p->columns = 80;
    psst_buf_init(&p->text, PSST_PAGER_MAX + 256);
    (void)snprintf(p->page.title, sizeof p->page.title, "%s", title);
    cut_lines(p);
    psst_page_push(app, &p->page);
    return &p->page;
}

void psst_pager_append(struct psst_page *page, struct psst_app *app, struct psst_view text)
{
    struct pager *p = pager_of(page);
    if (p->cut) return;
    size_t room = PSST_PAGER_MAX - p->text.len;
    psst_buf_put(&p->text, text.data, text.len < room ? text.len : room);
    if (text.len > room || p->text.failed) {
        p->cut = true;
        psst_buf_put_str(&p->text, "\n-- more than a mebibyte: the rest is left out\n");
    }
    cut_lines(p);
    psst_app_dirty(app, PSST_DIRTY_PAGE);
}

void psst_pager_forget(struct psst_page *page, struct psst_app *app)
{
    pager_of(page)->left = NULL;
    psst_app_dirty(app, PSST_DIRTY_PAGE);
}

bool psst_pager_is(const struct psst_page *page, const char *title)
{
    return page != NULL && page->kind == &kind && strcmp(page->title, title) == 0;
}

void psst_pager_open(struct psst_app *app, const char *title, const char *text)
{
    struct psst_page *page = psst_pager_begin(app, title, NULL, NULL);
    if (page != NULL) psst_pager_append(page, app, psst_view_str(text));
}
