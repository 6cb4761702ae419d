#include "tui/qr_page.h"

#include "client/qr.h"
#include "tui/app.h"

#include <stdio.h>
#include <stdlib.h>

struct qr_page {
    struct psst_page page;
    struct psst_qr qr;
};

static void draw(struct psst_page *page, struct psst_app *app, struct psst_area area)
{
    const struct psst_qr *qr = &((struct qr_page *)page)->qr;
    int rows = (int)qr->n, columns = (int)qr->columns;
    (void)app;
    psst_draw_clear(area, PSST_STYLE_PLAIN);
    psst_draw_cursor(area, -1, 0);
    if (rows <= area.rows && columns <= area.columns) {
        int left = (area.columns - columns) / 2;
        for (int i = 0; i < rows; i++) (void)psst_draw_text(area, i, left, PSST_STYLE_QR, qr->lines[i]);
        return;
    }
    (void)psst_draw_format(area, 0, 1, PSST_STYLE_WARN, "It needs %d columns and %d rows.", columns, rows + 1);
    (void)psst_draw_format(area, 1, 1, PSST_STYLE_PLAIN, "There are %d and %d.", area.columns, area.rows + 1);
    (void)psst_draw_text(area, 2, 1, PSST_STYLE_PLAIN, "Widen the terminal, or make its");
    (void)psst_draw_text(area, 3, 1, PSST_STYLE_PLAIN, "letters smaller (often Ctrl+Minus).");
    (void)psst_draw_text(area, 5, 1, PSST_STYLE_DIM, "Any key leaves this.");
}

static bool key(struct psst_page *page, struct psst_app *app, const struct psst_key *key)
{
    (void)key;
    psst_page_leave(app, page);
    return true;
}

static void free_page(struct psst_page *page)
{
    psst_qr_fini(&((struct qr_page *)page)->qr);
    free(page);
}

static const struct psst_page_kind kind = {.draw = draw, .key = key, .free = free_page, .whole = true};

void psst_qr_page_open(struct psst_app *app, const char *title, const char *text)
{
    struct qr_page *made = calloc(1, sizeof *made);
    if (made == NULL || !psst_qr_make(&made->qr, text)) {
        psst_app_error(app, made == NULL ? "out of memory" : "that is too long for a QR code");
        free(made);
        return;
    }
    made->page.kind = &kind;
    (void)snprintf(made->page.title, sizeof made->page.title, "%s", title);
    psst_page_push(app, &made->page);
}
