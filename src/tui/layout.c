/* Divides the terminal, and draws what has changed. */
#include "tui/screen.h"
#include "tui/views.h"

#define FOLD_COLUMNS     60 /* narrower: contacts or conversation, not both */
#define CONTACTS_LEAST   20
#define CONTACTS_MOST    28
#define CONVERSATION_MIN 3 /* rows that nothing else takes, while there are so many */

static int least(int a, int b)
{
    return a < b ? a : b;
}

static int at_least(int a, int b)
{
    return a > b ? a : b;
}

/* Takes up to `wished` rows off what is left, but leaves `keep`. */
static int take(int *left, int wished, int keep)
{
    int n = least(wished, at_least(*left - keep, 0));
    *left -= n;
    return n;
}

void psst_areas_divide(struct psst_areas *out, const struct psst_shape *shape)
{
    int rows = at_least(shape->rows, 1), columns = at_least(shape->columns, 1), left = rows;
    *out = (struct psst_areas){.folded = columns < FOLD_COLUMNS};
    if (shape->whole_page) {
        out->conversation = (struct psst_area){0, 0, rows, columns};
        return;
    }
    int entry = take(&left, 1, 0);
    int status = take(&left, 1, 0);
    int notice = take(&left, shape->notice ? 1 : 0, 1);
    entry += take(&left, shape->entry_rows - 1, CONVERSATION_MIN);
    int call = take(&left, shape->call_rows, 1);
    int transfers = take(&left, shape->transfer_rows, CONVERSATION_MIN);
    int at = rows - entry;
    out->entry = (struct psst_area){at, 0, entry, columns};
    out->notice = (struct psst_area){at -= notice, 0, notice, columns};
    out->status = (struct psst_area){at -= status, 0, status, columns};
    int side = out->folded ? 0 : least(at_least(columns / 4, CONTACTS_LEAST), CONTACTS_MOST);
    int from = side > 0 ? side + 1 : 0; /* a line between them */
    out->contacts = (struct psst_area){0, 0, at, side};
    out->transfers = (struct psst_area){at -= transfers, from, transfers, columns - from};
    out->call = (struct psst_area){at -= call, from, call, columns - from};
    out->conversation = (struct psst_area){0, from, at, columns - from};
    if (out->folded && shape->contacts_shown) {
        out->contacts = out->conversation;
        out->conversation = (struct psst_area){0, 0, 0, 0};
    }
}

static bool same(struct psst_area a, struct psst_area b)
{
    return a.row == b.row && a.column == b.column && a.rows == b.rows && a.columns == b.columns;
}

/* What has moved must be drawn, changed or not. */
static unsigned moved(const struct psst_areas *before, const struct psst_areas *now)
{
    bool stands = same(before->contacts, now->contacts) && same(before->conversation, now->conversation) &&
                  same(before->call, now->call) && same(before->transfers, now->transfers) &&
                  same(before->status, now->status) && same(before->notice, now->notice) &&
                  same(before->entry, now->entry);
    return stands ? 0 : PSST_DIRTY_ALL;
}

/* For what holds now. */
static void divide(const struct psst_app *app, struct psst_areas *out)
{
    struct psst_shape shape = {.rows = psst_screen_rows(),
                               .columns = psst_screen_columns(),
                               .notice = app->notice[0] != '\0',
                               .contacts_shown = app->contacts_shown && app->page == NULL,
                               .whole_page = app->page != NULL && app->page->kind->whole};
    shape.entry_rows = psst_view_entry_rows(app, shape.columns);
    shape.call_rows = psst_view_call_rows(app);
    shape.transfer_rows = psst_view_transfer_rows(app);
    psst_areas_divide(out, &shape);
}

static void draw_notice(const struct psst_app *app, struct psst_area area)
{
    enum psst_style style = app->notice_warns ? PSST_STYLE_WARN : PSST_STYLE_OURS;
    if (area.rows == 0) return;
    psst_draw_clear(area, PSST_STYLE_PLAIN);
    psst_draw_format(area, 0, 0, style, "%s%s", app->notice_warns ? "!! " : "-- ", app->notice);
}

static void draw_page(struct psst_app *app, struct psst_area area)
{
    psst_draw_clear(area, PSST_STYLE_PLAIN);
    struct psst_area title = {area.row, area.column, 1, area.columns};
    int head = app->page->title[0] != '\0' && area.rows > 3 ? 1 : 0;
    if (head > 0) {
        psst_draw_clear(title, PSST_STYLE_BAR);
        psst_draw_text(title, 0, 1, PSST_STYLE_BAR, app->page->title);
        area.row++;
        area.rows--;
    }
    psst_draw_cursor(area, -1, 0);
    app->page->kind->draw(app->page, app, area);
}

void psst_app_draw(struct psst_app *app)
{
    struct psst_areas areas;
    divide(app, &areas);
    app->dirty |= moved(&app->areas, &areas);
    app->areas = areas;
    if (app->dirty == 0) return;
    unsigned dirty = app->dirty;
    app->dirty = 0; /* a view may find that more is to be drawn: it comes with the next turn */
    bool page = app->page != NULL, whole = page && app->page->kind->whole;
    if (!whole) {
        if ((dirty & PSST_DIRTY_CONTACTS) != 0) psst_view_contacts(app, areas.contacts);
        if (dirty == PSST_DIRTY_ALL && areas.contacts.columns > 0 && !areas.folded) {
            struct psst_area line = {0, areas.contacts.columns, areas.contacts.rows, 1};
            psst_draw_line(line, 0, 0, (unsigned)line.rows, PSST_LINE_DOWN);
        }
        if ((dirty & PSST_DIRTY_CALL) != 0) psst_view_call(app, areas.call);
        if ((dirty & PSST_DIRTY_FILES) != 0) psst_view_transfers(app, areas.transfers);
        if ((dirty & PSST_DIRTY_STATUS) != 0) psst_view_status(app, areas.status);
        if ((dirty & PSST_DIRTY_STATUS) != 0 || (dirty & PSST_DIRTY_ENTRY) != 0) draw_notice(app, areas.notice);
        if (!page && (dirty & PSST_DIRTY_CONVERSATION) != 0) psst_view_conversation(app, areas.conversation);
        psst_view_entry(app, areas.entry); /* always: it has the cursor */
    }
    if (page) draw_page(app, areas.conversation);
    if (page && !whole && app->page->kind->entry) psst_view_entry(app, areas.entry);
    psst_screen_show();
}
