/* A page of text: keys, searching, what stands below it. The text and where one is in it: sheet.h. */
#include "tui/pager.h"

#include "base/secret.h"
#include "tui/app.h"
#include "tui/sheet.h"

#include <stdlib.h>
#include <string.h>

#define PATTERN    128
#define WHEEL_ROWS 3

struct pager {
    struct psst_page page;
    struct psst_sheet sheet;
    bool cut; /* all that it takes is there, and a last line says so */
    char pattern[PATTERN];
    bool typing, follows;
    size_t found; /* the line; SIZE_MAX: none */
    void (*left)(void *ctx);
    void *ctx;
};

static const struct psst_page_kind kind;

static struct pager *pager_of(struct psst_page *page)
{
    return (struct pager *)(void *)page;
}

/* ---- searching ---- */

static void find(struct pager *p, struct psst_app *app, bool back)
{
    bool again = p->found < psst_sheet_lines(&p->sheet);
    if (p->pattern[0] == '\0') return;
    if (psst_sheet_find(&p->sheet, p->pattern, again ? p->found : p->sheet.top, back, again, &p->found))
        psst_sheet_show(&p->sheet, p->found);
    else
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
    struct psst_sheet_laid laid;
    enum psst_style style = line == p->found ? PSST_STYLE_SELECTED : PSST_STYLE_PLAIN;
    if (!psst_sheet_lay(&laid, psst_sheet_line(&p->sheet, line), p->sheet.columns)) return;
    for (size_t i = skip; i < laid.rows && *row < area.rows; i++, ++*row) {
        bool hangs = i > 0 && laid.rest.n_rows > 0;
        if (hangs)
            psst_draw_row(area, *row, (int)laid.hang, p->sheet.columns - laid.hang, style, &laid.rest, i - 1);
        else
            psst_draw_row(area, *row, 0, p->sheet.columns, style, &laid.first, i);
    }
    psst_sheet_unlay(&laid);
}

static void draw_foot(struct pager *p, struct psst_area area, size_t last)
{
    size_t n = psst_sheet_lines(&p->sheet);
    if (p->typing) {
        unsigned at = 1 + psst_draw_format(area, 0, 0, PSST_STYLE_PLAIN, "/%s", p->pattern);
        psst_draw_cursor(area, 0, (int)at - 1);
        return;
    }
    const char *leave = p->left != NULL ? "at work; q ends it" : "q leaves";
    if (p->sheet.top == 0 && p->sheet.top_row == 0 && last >= n)
        psst_draw_text(area, 0, 0, PSST_STYLE_DIM, leave);
    else
        psst_draw_format(area, 0, 0, PSST_STYLE_DIM, "%zu-%zu of %zu  %s  / searches  PgUp PgDn", p->sheet.top + 1,
                         last, n, leave);
}

static void draw(struct psst_page *page, struct psst_app *app, struct psst_area area)
{
    struct pager *p = pager_of(page);
    struct psst_area foot = {area.row + area.rows - 1, area.column, 1, area.columns};
    (void)app;
    if (area.rows < 2 || area.columns < 4 || p->sheet.lines == NULL) return;
    struct psst_area body = {area.row, area.column + 1, area.rows - 1, area.columns - 2};
    bool first = p->sheet.rows == 0;
    p->sheet.rows = body.rows;
    p->sheet.columns = (unsigned)body.columns;
    if (p->follows)
        psst_sheet_end(&p->sheet);
    else if (!first)
        psst_sheet_keep_inside(&p->sheet);
    int row = 0;
    size_t line = p->sheet.top, n = psst_sheet_lines(&p->sheet);
    for (size_t skip = p->sheet.top_row; line < n && row < body.rows; line++, skip = 0)
        draw_line(p, body, &row, line, skip);
    foot.column++;
    foot.columns--;
    draw_foot(p, foot, line);
}

static bool text_key(struct pager *p, struct psst_app *app, const struct psst_key *key)
{
    size_t page_rows = p->sheet.rows > 1 ? (size_t)p->sheet.rows - 1 : 1;
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
    case ' ': psst_sheet_down(&p->sheet, page_rows); return true;
    case 'b': psst_sheet_up(&p->sheet, page_rows); return true;
    case 'j': psst_sheet_down(&p->sheet, 1); return true;
    case 'k': psst_sheet_up(&p->sheet, 1); return true;
    case 'g': psst_sheet_home(&p->sheet); return true;
    case 'G': psst_sheet_end(&p->sheet); return true;
    default: return true; /* no letter of a text that is not there */
    }
}

static bool take(struct psst_page *page, struct psst_app *app, const struct psst_key *key)
{
    struct pager *p = pager_of(page);
    size_t page_rows = p->sheet.rows > 1 ? (size_t)p->sheet.rows - 1 : 1;
    bool moved = true;
    if (p->sheet.lines == NULL) return false;
    if (p->typing) {
        type_key(p, app, key);
        return true;
    }
    if (key->code == PSST_KEY_TEXT) {
        bool taken = text_key(p, app, key);
        if (taken && app->page == page) p->follows = p->left != NULL && psst_sheet_at_end(&p->sheet);
        return taken;
    }
    if (key->mods != 0) return false;
    switch (key->code) {
    case PSST_KEY_UP: psst_sheet_up(&p->sheet, 1); break;
    case PSST_KEY_ENTER:
    case PSST_KEY_DOWN: psst_sheet_down(&p->sheet, 1); break;
    case PSST_KEY_PAGE_UP: psst_sheet_up(&p->sheet, page_rows); break;
    case PSST_KEY_PAGE_DOWN: psst_sheet_down(&p->sheet, page_rows); break;
    case PSST_KEY_WHEEL_UP: psst_sheet_up(&p->sheet, WHEEL_ROWS); break;
    case PSST_KEY_WHEEL_DOWN: psst_sheet_down(&p->sheet, WHEEL_ROWS); break;
    case PSST_KEY_HOME: psst_sheet_home(&p->sheet); break;
    case PSST_KEY_END: psst_sheet_end(&p->sheet); break;
    default: moved = false; break;
    }
    if (moved) p->follows = p->left != NULL && psst_sheet_at_end(&p->sheet);
    return moved;
}

static void free_pager(struct psst_page *page)
{
    struct pager *p = pager_of(page);
    if (p->left != NULL) p->left(p->ctx);
    psst_sheet_fini(&p->sheet);
    psst_wipe(p, sizeof *p); /* what was looked for, too */
    free(p);
}

static const struct psst_page_kind kind = {.draw = draw, .key = take, .free = free_pager};

/* ---- for others ---- */

struct psst_page *psst_pager_begin(struct psst_app *app, const char *title, void (*left)(void *ctx), void *ctx)
{
    struct pager *p = calloc(1, sizeof *p);
    if (p == NULL) return NULL;
    *p = (struct pager){.page = {.kind = &kind}, .left = left, .ctx = ctx, .found = SIZE_MAX, .follows = left != NULL};
    psst_sheet_init(&p->sheet, PSST_PAGER_MAX + 256);
    (void)snprintf(p->page.title, sizeof p->page.title, "%s", title);
    psst_page_push(app, &p->page);
    return &p->page;
}

void psst_pager_append(struct psst_page *page, struct psst_app *app, struct psst_view text)
{
    struct pager *p = pager_of(page);
    if (p->cut) return;
    size_t room = PSST_PAGER_MAX - p->sheet.text.len;
    bool whole = psst_sheet_append(&p->sheet, psst_view(text.data, text.len < room ? text.len : room));
    if (!whole || text.len > room) {
        p->cut = true;
        (void)psst_sheet_append(&p->sheet, psst_view_str("\n-- more than a mebibyte: the rest is left out\n"));
    }
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
