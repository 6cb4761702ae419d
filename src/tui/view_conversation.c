/* The conversation: messages behind a gutter that none of them can imitate (rows.h), drawn from the bottom edge up. */
#include "base/me.h"
#include "client/out.h"
#include "tui/rows.h"
#include "tui/screen.h"
#include "tui/views.h"

#include <stdio.h>
#include <string.h>

#define OURS_INDENT 5 /* "--   " */

/* What the view remembers of the conversation that is open. */
static struct {
    const struct psst_conversation *conversation;
    char name[PSST_NAME_ROOM];
    uint64_t unread;    /* when it was opened */
    uint64_t counted;   /* of them, backwards from the newest */
    int64_t counted_to; /* the seq of the last one counted; 0: none yet */
    int64_t fresh_seq;  /* of the first one, when it is known */
    /* where the edge was in the message's text, for when the width changes */
    uint64_t edge_serial;
    unsigned edge_hidden, edge_columns;
    uint32_t edge_at;
} seen;

/* ---- what was unread ---- */

static void count_unread(const struct psst_conversation *conversation)
{
    size_t n = psst_conversation_count(conversation);
    bool joined = seen.counted_to == 0; /* the window still reaches what was counted */
    for (size_t i = n; i-- > 0 && seen.counted < seen.unread;) {
        const struct psst_item *item = psst_conversation_item(conversation, i);
        if (item->kind != PSST_ITEM_MESSAGE) continue;
        if (seen.counted_to > 0 && item->seq >= seen.counted_to) {
            joined = true;
            continue;
        }
        if (!joined) return;
        seen.counted_to = item->seq;
        if (item->out) continue;
        seen.counted++;
        if (seen.counted == seen.unread) seen.fresh_seq = item->seq;
    }
}

static void look_at_unread(struct psst_app *app)
{
    const char *name = psst_conversation_name(app->conversation);
    if (seen.conversation != app->conversation || strcmp(seen.name, name) != 0) {
        const struct psst_person *person = psst_model_find(app->model, name);
        memset(&seen, 0, sizeof seen);
        seen.conversation = app->conversation;
        (void)snprintf(seen.name, sizeof seen.name, "%s", name);
        seen.unread = person != NULL ? person->unread : 0;
    }
    if (seen.fresh_seq == 0 && seen.unread > 0 && psst_conversation_loaded(app->conversation))
        count_unread(app->conversation);
}

struct psst_rows psst_view_rows(struct psst_app *app, struct psst_area area)
{
    struct psst_rows rows = {.conversation = app->conversation};
    if (app->conversation == NULL) return rows;
    look_at_unread(app);
    rows.shape = psst_gutter_shape(area.columns > 0 ? (unsigned)area.columns : 1, seen.name);
    rows.fresh_seq = seen.fresh_seq;
    const struct psst_item *waits = psst_rows_waits(app->conversation);
    rows.waits = waits != NULL ? waits->serial : 0;
    return rows;
}

/* ---- the place when the width has changed ---- */

static void keep_edge(struct psst_place *place, const struct psst_rows *rows)
{
    struct psst_block block;
    if (place->end || seen.edge_columns == 0 || seen.edge_columns == rows->shape.columns) return;
    if (place->serial != seen.edge_serial || place->hidden_rows != seen.edge_hidden || seen.edge_hidden == 0) return;
    size_t i = psst_conversation_find(rows->conversation, place->serial);
    if (i >= psst_conversation_count(rows->conversation)) return;
    psst_rows_block(rows, i, &block);
    unsigned row = psst_block_row_at(&block, seen.edge_at);
    place->hidden_rows = block.rows > row + 1 ? block.rows - row - 1 : 0;
    seen.edge_hidden = place->hidden_rows;
    seen.edge_columns = rows->shape.columns;
}

static void remember_edge(const struct psst_place *place, const struct psst_rows *rows, size_t i, unsigned hidden)
{
    struct psst_block block;
    size_t at = 0;
    bool same = seen.edge_serial == place->serial;
    seen.edge_serial = place->serial;
    seen.edge_hidden = place->hidden_rows;
    seen.edge_columns = rows->shape.columns;
    if (hidden == 0) return;
    psst_rows_block(rows, i, &block);
    if (block.rows <= hidden || psst_block_row(&block, block.rows - hidden - 1, &at) != PSST_ROW_BODY) return;
    const struct psst_row *row = &block.body->rows[at];
    /* the same byte for as long as it stands in that row: many changes of width do not add up */
    if (!same || seen.edge_at < row->at || seen.edge_at >= row->end) seen.edge_at = row->at;
}

/* ---- drawing ---- */

static void draw_ours(struct psst_area area, int row, const struct psst_layout *layout, size_t i)
{
    bool indented = i > 0 || layout->rows[i].rtl;
    int columns = area.columns - OURS_INDENT;
    psst_draw_text(area, row, 0, PSST_STYLE_OURS, "--");
    psst_draw_row(area, row, indented ? OURS_INDENT : 3, columns > 0 ? (unsigned)columns : 0, PSST_STYLE_OURS, layout,
                  i);
}

static void draw_head(struct psst_area area, int row, const struct psst_gutter_shape *shape,
                      const struct psst_item *item, enum psst_style style)
{
    char clock[64], mark[2] = {psst_mark_of(item), '\0'};
    struct psst_area name = {area.row + row, area.column + (int)shape->time + 2, 1, (int)shape->name};
    if (shape->time > 0) psst_draw_text(area, row, 0, PSST_STYLE_DIM, psst_out_time(clock, item->time_ms, "%H:%M"));
    psst_draw_text(area, row, (int)shape->time, item->state == PSST_STATE_REFUSED ? PSST_STYLE_WARN : PSST_STYLE_DIM,
                   mark);
    psst_draw_text(name, 0, 0, style, item->out ? PSST_ME : psst_out_alias(seen.name, sizeof seen.name));
}

static void draw_message(struct psst_area area, int row, const struct psst_rows *rows, const struct psst_item *item,
                         const struct psst_layout *layout, size_t i)
{
    const struct psst_gutter_shape *shape = &rows->shape;
    enum psst_style style = item->out ? PSST_STYLE_OWN : PSST_STYLE_PEER;
    bool kept = item->text.len > 0;
    if (i == 0) draw_head(area, row, shape, item, style);
    if (!kept) style = PSST_STYLE_OURS;
    if (item->state == PSST_STATE_RECALLED) style = PSST_STYLE_DIM;
    psst_draw_text(area, row, (int)shape->bar, PSST_STYLE_GUTTER, kept ? "|" : ":"); /* not its text, but our word */
    psst_draw_row(area, row, (int)shape->bar + 2, shape->text, style, layout, i);
}

static void draw_block_row(struct psst_area area, int row, const struct psst_rows *rows, size_t i,
                           const struct psst_block *block, unsigned of_block)
{
    const struct psst_item *item = psst_conversation_item(rows->conversation, i);
    char day[64];
    size_t at;
    switch (psst_block_row(block, of_block, &at)) {
    case PSST_ROW_DAY:
        psst_draw_format(area, row, 0, PSST_STYLE_OURS, "-- %s", psst_out_time(day, item->time_ms, "%A, %d %B %Y"));
        break;
    case PSST_ROW_FRESH:
        psst_draw_format(area, row, 0, PSST_STYLE_UNREAD, "-- %llu new message%s", (unsigned long long)seen.unread,
                         seen.unread == 1 ? "" : "s");
        break;
    case PSST_ROW_BODY:
        if (item->kind == PSST_ITEM_MESSAGE)
            draw_message(area, row, rows, item, block->body, at);
        else
            draw_ours(area, row, block->body, at);
        break;
    case PSST_ROW_REASON: draw_ours(area, row, block->reason, at); break;
    }
}

/* From the bottom edge up; gives the rows that stay empty above. */
static int draw_rows(struct psst_area area, int row, const struct psst_rows *rows, size_t i, unsigned hidden)
{
    for (;;) {
        struct psst_block block;
        psst_rows_block(rows, i, &block);
        for (unsigned at = block.rows > hidden ? block.rows - hidden : 0; at-- > 0 && row > 0;)
            draw_block_row(area, --row, rows, i, &block, at);
        hidden = 0;
        if (row == 0 || i-- == 0) return row;
    }
}

static void draw_newer(struct psst_area area, const struct psst_app *app, size_t i)
{
    const struct psst_conversation *conversation = app->conversation;
    unsigned long long n = psst_conversation_below(conversation);
    bool more = psst_conversation_has_newer(conversation);
    size_t count = psst_conversation_count(conversation);
    while (++i < count)
        if (psst_conversation_item(conversation, i)->kind == PSST_ITEM_MESSAGE) n++;
    if (n == 0)
        psst_draw_text(area, area.rows - 1, 0, PSST_STYLE_UNREAD, "-- more below: Alt+End");
    else
        psst_draw_format(area, area.rows - 1, 0, PSST_STYLE_UNREAD, "-- %s%llu newer message%s below: Alt+End",
                         more ? "more than " : "", n, n == 1 ? "" : "s");
}

/* A sentence where there are no messages. */
static void draw_sentence(struct psst_area area, const char *words)
{
    struct psst_layout layout = {0};
    unsigned columns = area.columns > 4 ? (unsigned)area.columns - 2 : 2;
    if (psst_layout_make(&layout, psst_view_str(words), PSST_RENDER_PARAGRAPH, columns) != PSST_OK) return;
    int from = area.rows > (int)layout.n_rows + 2 ? 1 : 0;
    for (size_t i = 0; i < layout.n_rows && from + (int)i < area.rows; i++)
        psst_draw_row(area, from + (int)i, 1, columns, PSST_STYLE_OURS, &layout, i);
    psst_layout_fini(&layout);
}

static const char *why_nothing(const struct psst_app *app)
{
    const struct psst_self *self = app->model != NULL ? psst_model_self(app->model) : NULL;
    if (app->gone || self == NULL) return "psstd has ended. Nothing that was stored is lost.";
    if (!self->known) return "";
    if (!self->exists) return "There is no identity yet.";
    if (self->locked) return "The identity is locked. /unlock asks for its passphrase.";
    if (app->conversation == NULL && !psst_model_complete(app->model)) return "";
    if (app->conversation == NULL && psst_model_people(app->model) == 0)
        return "No contacts yet.\n\n/card shows your card: hand it to whom you want to talk to.\n/add FILE takes his; "
               "then write, and press Enter.\n\nF1 explains the rest.";
    if (app->conversation == NULL) return "Nobody is open. Alt+1 opens the first contact, /msg NAME any.";
    if (!psst_conversation_loaded(app->conversation))
        return psst_conversation_trouble(app->conversation)[0] != '\0'
                   ? "What was said cannot be shown now. PgUp tries again."
                   : "";
    const struct psst_person *person = psst_model_find(app->model, psst_conversation_name(app->conversation));
    if (person != NULL && !person->online)
        return "Nothing has been said yet. Write, and press Enter: it waits here until there is a session.";
    return "Nothing has been said yet. Write, and press Enter.";
}

/* What has stood on the screen, to its last row, is seen; unless the terminal says that nobody looks, or has stopped taking
 * what it is shown. */
static void tell_shown(struct psst_app *app, const struct psst_rows *rows, size_t i, unsigned hidden, unsigned height)
{
    struct psst_block block;
    if (app->page != NULL || (app->focus_known && !app->focused)) return;
    app->unseen = psst_screen_behind();
    if (app->unseen) return;
    if (hidden > 0) {
        psst_rows_block(rows, i, &block);
        if (i == 0 || block.rows >= hidden + height) return; /* nothing else is there */
        i--;
    }
    psst_conversation_shown(app->conversation, i);
}

void psst_view_conversation(struct psst_app *app, struct psst_area area)
{
    size_t i;
    unsigned hidden;
    if (area.rows <= 0 || area.columns <= 0) return;
    psst_draw_clear(area, PSST_STYLE_PLAIN);
    struct psst_rows rows = psst_view_rows(app, area);
    if (rows.conversation == NULL || psst_conversation_count(rows.conversation) == 0) {
        psst_rows_forget();
        draw_sentence(area, why_nothing(app));
        return;
    }
    keep_edge(&app->place, &rows);
    /* what a large terminal shows further down is not the place: a small one again shows what it showed before */
    struct psst_place place = app->place;
    if (!psst_place_fit(&place, &rows, psst_view_height(&place, area), &i, &hidden)) return;
    bool there =
        psst_conversation_find(rows.conversation, app->place.serial) < psst_conversation_count(rows.conversation);
    if (place.end || !there) app->place = place;
    unsigned height = psst_view_height(&place, area); /* it may have come to the end */
    int blank = draw_rows(area, (int)height, &rows, i, hidden);
    if (height < (unsigned)area.rows) draw_newer(area, app, i);
    if (place.serial == app->place.serial && place.hidden_rows == app->place.hidden_rows)
        remember_edge(&place, &rows, i, hidden);
    /* what did not come is asked for again when one scrolls, not at each look */
    if (blank > 0 && psst_conversation_has_older(app->conversation) &&
        psst_conversation_trouble(app->conversation)[0] == '\0')
        psst_conversation_older(app->conversation);
    tell_shown(app, &rows, i, hidden, height);
}
