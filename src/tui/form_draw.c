/* Forms: where each item stands, and how it looks. One walk over the items does both: it measures, draws, or finds what is
 * at a cell. What has the keys is marked with ">" and reversed. */
#include "tui/form_internal.h"

#include <stdio.h>
#include <stdlib.h>

#define MARGIN      1  /* columns at the left; at the right one for the marks of what is out of sight */
#define INDENT      4  /* columns of "(*) " and of a field under its label */
#define FIELD_LEAST 20 /* columns; with less beside its label a field gets a row of its own */
#define LABEL_MOST  28
#define BULLETS_MAX 40

struct pen {
    const struct psst_form *form;
    struct psst_area area; /* within the margins */
    int y;                 /* of the whole, not of the area */
    bool draw, with_qr;
    int focus_from, focus_to;  /* rows of what has the keys */
    int find_row, find_column; /* in the area, to be found; -1 */
    size_t found;
    unsigned option;
};

/* The row of the area for a row of the whole; -1: out of sight. */
static int row_of(const struct pen *pen, int y)
{
    int row = y - pen->form->scroll;
    return row >= 0 && row < pen->area.rows ? row : -1;
}

static void put(const struct pen *pen, int y, int column, enum psst_style style, const char *text)
{
    int row = row_of(pen, y);
    if (pen->draw && row >= 0) (void)psst_draw_text(pen->area, row, column, style, text);
}

/* Wrapped at the area's width, less the indent. */
static void paragraphs(struct pen *pen, int indent, enum psst_style style, const char *text, size_t len)
{
    struct psst_layout layout;
    int columns = pen->area.columns - indent;
    if (columns < 2 ||
        psst_layout_make(&layout, psst_view(text, len), PSST_RENDER_PARAGRAPH, (unsigned)columns) != PSST_OK) {
        pen->y++;
        return;
    }
    for (size_t i = 0; i < layout.n_rows; i++, pen->y++) {
        int row = row_of(pen, pen->y);
        if (pen->draw && row >= 0) psst_draw_row(pen->area, row, indent, (unsigned)columns, style, &layout, i);
    }
    psst_layout_fini(&layout);
}

static void found(struct pen *pen, size_t i, int from, int to, int column, int columns, unsigned option)
{
    int row = pen->find_row + pen->form->scroll;
    if (pen->find_row < 0 || row < from || row >= to) return;
    if (pen->find_column < column || pen->find_column >= column + columns) return;
    pen->found = i;
    pen->option = option;
}

/* ---- kinds ---- */

static void choice(struct pen *pen, size_t i)
{
    const struct psst_form_item *item = &pen->form->items[i];
    bool focused = pen->form->focus == i;
    const char *at = item->label;
    for (unsigned k = 0; k < item->options; k++) {
        size_t len = strcspn(at, "\n");
        bool chosen = k == item->chosen, here = chosen && focused;
        int from = pen->y;
        put(pen, pen->y, 0, here ? PSST_STYLE_SELECTED : PSST_STYLE_PLAIN, chosen ? "(*)" : "( )");
        paragraphs(pen, INDENT, here ? PSST_STYLE_BOLD : PSST_STYLE_PLAIN, at, len);
        found(pen, i, from, pen->y, 0, pen->area.columns, k);
        if (here) {
            pen->focus_from = from;
            pen->focus_to = pen->y;
        }
        at += len + (at[len] == '\n');
    }
}

/* The part of the text that is shown: it begins so far right that the cursor is in sight. */
static void field_text(struct pen *pen, const struct psst_form_item *item, int y, int column, int columns, bool focused)
{
    struct psst_view text = psst_entry_text(item->entry);
    size_t cursor = psst_entry_cursor(item->entry), from = 0;
    unsigned before = 0;
    for (;;) {
        char *lead = cursor > from ? strndup((const char *)text.data + from, cursor - from) : strdup("");
        before = lead != NULL ? psst_text_columns(lead) : 0;
        free(lead);
        if ((int)before < columns || from >= cursor) break;
        from = psst_text_next(text, from);
    }
    int row = row_of(pen, y);
    if (!pen->draw || row < 0) return;
    struct psst_area box = {pen->area.row + row, pen->area.column + column, 1, columns};
    char *shown = strndup(text.len > 0 ? (const char *)text.data + from : "", text.len - from);
    psst_draw_clear(box, PSST_STYLE_PLAIN);
    unsigned used = shown != NULL ? psst_draw_text(box, 0, 0, PSST_STYLE_BOLD, shown) : 0;
    for (int c = (int)used; c < columns; c++) (void)psst_draw_text(box, 0, c, PSST_STYLE_DIM, "_");
    free(shown);
    if (focused) psst_draw_cursor(box, 0, (int)before < columns ? (int)before : columns - 1);
}

/* As many bullets as characters, up to a number: how long it is, is nobody's business but the typist's. */
static void bullets(struct pen *pen, const struct psst_form_item *item, int y, int column, int columns, bool focused)
{
    char shown[3 * BULLETS_MAX + 1];
    size_t len = 0;
    int n = 0, row = row_of(pen, y);
    for (size_t i = 0; i < item->secret->len; i++)
        n += ((unsigned char)item->secret->text[i] & 0xc0) != 0x80; /* not within a character */
    if (n > columns - 1) n = columns - 1;
    if (n > BULLETS_MAX) n = BULLETS_MAX;
    for (int i = 0; i < n; i++) {
        memcpy(shown + len, "\xe2\x80\xa2", 3);
        len += 3;
    }
    shown[len] = '\0';
    if (!pen->draw || row < 0) return;
    put(pen, y, column, PSST_STYLE_BOLD, shown);
    for (int c = n; c < columns && c < BULLETS_MAX; c++) put(pen, y, column + c, PSST_STYLE_DIM, "_");
    if (focused) psst_draw_cursor(pen->area, row, column + n);
}

static void field(struct pen *pen, size_t i)
{
    const struct psst_form_item *item = &pen->form->items[i];
    bool focused = pen->form->focus == i;
    int label = (int)psst_text_columns(item->label), column = label + 3, from = pen->y;
    bool own_row = label > LABEL_MOST || column + FIELD_LEAST > pen->area.columns;
    put(pen, pen->y, 0, focused ? PSST_STYLE_BOLD : PSST_STYLE_PLAIN, focused ? ">" : " ");
    put(pen, pen->y, 2, focused ? PSST_STYLE_BOLD : PSST_STYLE_PLAIN, item->label);
    if (own_row) {
        pen->y++;
        column = INDENT;
    }
    int columns = pen->area.columns - column;
    if (item->kind == PSST_FORM_SECRET)
        bullets(pen, item, pen->y, column, columns, focused);
    else if (columns > 0)
        field_text(pen, item, pen->y, column, columns, focused);
    pen->y++;
    found(pen, i, from, pen->y, 0, pen->area.columns, 0);
    if (focused && item->path && pen->form->hint[0] != '\0')
        paragraphs(pen, INDENT, PSST_STYLE_DIM, pen->form->hint, strlen(pen->form->hint));
    if (!focused) return;
    pen->focus_from = from;
    pen->focus_to = pen->y;
}

/* Side by side while there is room; gives the first item behind them. */
static size_t buttons(struct pen *pen, size_t i)
{
    int column = 0;
    for (; i < pen->form->n && pen->form->items[i].kind == PSST_FORM_BUTTON; i++) {
        const struct psst_form_item *item = &pen->form->items[i];
        bool focused = pen->form->focus == i;
        int columns = (int)psst_text_columns(item->label) + 6;
        if (column > 0 && column + columns > pen->area.columns) {
            pen->y++;
            column = 0;
        }
        put(pen, pen->y, column, PSST_STYLE_BOLD, focused ? ">" : " ");
        put(pen, pen->y, column + 2, focused ? PSST_STYLE_SELECTED : PSST_STYLE_PLAIN, "[");
        put(pen, pen->y, column + 3, focused ? PSST_STYLE_SELECTED : PSST_STYLE_PLAIN, item->label);
        put(pen, pen->y, column + columns - 3, focused ? PSST_STYLE_SELECTED : PSST_STYLE_PLAIN, "]");
        found(pen, i, pen->y, pen->y + 1, column, columns, 0);
        if (focused) {
            pen->focus_from = pen->y;
            pen->focus_to = pen->y + 1;
        }
        column += columns;
    }
    pen->y++;
    return i;
}

static void qr(struct pen *pen, const struct psst_form_item *item)
{
    if (!pen->with_qr) return;
    for (size_t i = 0; i < item->qr.n; i++) put(pen, pen->y++, 0, PSST_STYLE_QR, item->qr.lines[i]);
}

static void walk(struct pen *pen)
{
    pen->y = 0;
    for (size_t i = 0; i < pen->form->n;) {
        const struct psst_form_item *item = &pen->form->items[i];
        switch (item->kind) {
        case PSST_FORM_WORDS: paragraphs(pen, 0, item->style, item->label, strlen(item->label)); break;
        case PSST_FORM_CHOICE: choice(pen, i); break;
        case PSST_FORM_FIELD:
        case PSST_FORM_SECRET: field(pen, i); break;
        case PSST_FORM_QR: qr(pen, item); break;
        case PSST_FORM_BUTTON: i = buttons(pen, i); continue;
        }
        i++;
    }
}

/* ---- the whole ---- */

/* A QR code is of use only when it is to be seen whole. */
static bool qr_fits(const struct psst_form *form, struct pen *pen)
{
    bool there = false;
    for (size_t i = 0; i < form->n; i++) {
        if (form->items[i].kind != PSST_FORM_QR) continue;
        there = true;
        if ((int)form->items[i].qr.columns > pen->area.columns) return false;
    }
    if (!there) return false;
    pen->with_qr = true;
    walk(pen);
    return pen->y <= pen->area.rows;
}

static struct pen make_pen(const struct psst_form *form, struct psst_area area)
{
    struct pen pen = {.form = form, .area = area, .find_row = -1, .found = form->n};
    pen.area.column += MARGIN;
    pen.area.columns -= MARGIN + 1;
    pen.with_qr = qr_fits(form, &pen);
    return pen;
}

void psst_form_draw(struct psst_form *form, struct psst_area area)
{
    form->area = area;
    psst_draw_clear(area, PSST_STYLE_PLAIN);
    psst_draw_cursor(area, -1, 0);
    if (area.rows < 1 || area.columns < 6) return;
    struct pen pen = make_pen(form, area);
    walk(&pen);
    form->rows = pen.y;
    if (form->follow && pen.focus_to > form->scroll + area.rows) form->scroll = pen.focus_to - area.rows;
    if (form->follow && pen.focus_from < form->scroll) form->scroll = pen.focus_from;
    if (form->scroll > form->rows - area.rows) form->scroll = form->rows - area.rows;
    if (form->scroll < 0) form->scroll = 0;
    pen.draw = true;
    walk(&pen);
    if (form->scroll > 0) (void)psst_draw_text(area, 0, area.columns - 1, PSST_STYLE_DIM, "^");
    if (form->scroll + area.rows < form->rows)
        (void)psst_draw_text(area, area.rows - 1, area.columns - 1, PSST_STYLE_DIM, "v");
}

size_t psst_form_at(const struct psst_form *form, int row, int column, unsigned *option)
{
    if (form->area.rows < 1 || form->area.columns < 6) return form->n;
    struct pen pen = make_pen(form, form->area);
    pen.find_row = row - form->area.row;
    pen.find_column = column - pen.area.column;
    if (pen.find_row < 0 || pen.find_row >= form->area.rows) return form->n;
    pen.found = form->n;
    walk(&pen);
    *option = pen.option;
    return pen.found;
}
