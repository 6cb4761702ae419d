/* Where one is in a conversation. A place is an item and how many of its rows are below the edge; rows are counted only from
 * there, up or down, as far as the screen reaches, so that it does not matter how long the history is. */
#include "tui/rows.h"
#include "tui/views.h"

static unsigned rows_of(const struct psst_rows *rows, size_t i)
{
    struct psst_block block;
    psst_rows_block(rows, i, &block);
    return block.rows;
}

/* Rows of the window above the bottom edge, counted no further than `most`. */
static unsigned above_of(const struct psst_rows *rows, size_t i, unsigned hidden, unsigned most)
{
    unsigned own = rows_of(rows, i), n = own > hidden ? own - hidden : 0;
    while (n < most && i-- > 0) n += rows_of(rows, i);
    return n < most ? n : most;
}

/* By so many rows down, as far as the window goes. */
static void down(const struct psst_rows *rows, size_t *i, unsigned *hidden, unsigned by)
{
    size_t n = psst_conversation_count(rows->conversation);
    for (;;) {
        if (by <= *hidden) {
            *hidden -= by;
            return;
        }
        by -= *hidden;
        *hidden = 0;
        if (*i + 1 >= n) return;
        (*i)++;
        *hidden = rows_of(rows, *i);
    }
}

static void up(const struct psst_rows *rows, size_t *i, unsigned *hidden, unsigned by)
{
    for (;;) {
        unsigned own = rows_of(rows, *i);
        unsigned left = own > *hidden + 1 ? own - *hidden - 1 : 0; /* one row of it stays */
        if (by <= left || *i == 0) {
            *hidden += by < left ? by : left;
            return;
        }
        by -= own > *hidden ? own - *hidden : 0;
        (*i)--;
        *hidden = 0;
    }
}

/* The last item that is not behind that seq. */
static size_t nearest(const struct psst_conversation *conversation, int64_t seq)
{
    size_t i = psst_conversation_count(conversation);
    while (i > 1 && psst_conversation_item(conversation, i - 1)->seq > seq) i--;
    return i - 1;
}

/* The item that place means, or the nearest there is. */
static bool find(const struct psst_place *place, const struct psst_rows *rows, size_t *i, unsigned *hidden)
{
    size_t n = rows->conversation != NULL ? psst_conversation_count(rows->conversation) : 0;
    if (n == 0) return false;
    *i = place->end ? n : psst_conversation_find(rows->conversation, place->serial);
    *hidden = place->hidden_rows;
    if (*i < n) return true;
    *i = !place->end && place->seq > 0 ? nearest(rows->conversation, place->seq) : n - 1;
    *hidden = 0;
    return true;
}

static void set(struct psst_place *place, const struct psst_rows *rows, size_t i, unsigned hidden)
{
    size_t n = psst_conversation_count(rows->conversation);
    place->serial = psst_conversation_item(rows->conversation, i)->serial;
    place->seq = psst_conversation_item(rows->conversation, i)->seq;
    place->hidden_rows = hidden;
    place->end = i + 1 == n && hidden == 0 && !psst_conversation_has_newer(rows->conversation);
}

bool psst_place_fit(struct psst_place *place, const struct psst_rows *rows, unsigned height, size_t *i,
                    unsigned *hidden)
{
    if (!find(place, rows, i, hidden)) return false;
    unsigned own = rows_of(rows, *i);
    if (*hidden >= own) *hidden = own > 0 ? own - 1 : 0;
    unsigned above = above_of(rows, *i, *hidden, height);
    if (above < height) down(rows, i, hidden, height - above);
    bool end = place->end;
    set(place, rows, *i, *hidden);
    place->end = place->end || end; /* the end is on its way */
    return true;
}

/* Up is negative. */
static void move(struct psst_place *place, const struct psst_rows *rows, unsigned height, int by)
{
    size_t i;
    unsigned hidden;
    if (!psst_place_fit(place, rows, height, &i, &hidden)) return;
    if (by < 0)
        up(rows, &i, &hidden, (unsigned)-by);
    else
        down(rows, &i, &hidden, (unsigned)by);
    set(place, rows, i, hidden);
    (void)psst_place_fit(place, rows, height, &i, &hidden);
}

unsigned psst_view_height(const struct psst_place *place, struct psst_area area)
{
    unsigned rows = area.rows > 0 ? (unsigned)area.rows : 0;
    return !place->end && rows > 1 ? rows - 1 : rows;
}

/* Below the edge, counted no further than `most`. */
static unsigned below(const struct psst_rows *rows, size_t i, unsigned hidden, unsigned most)
{
    size_t count = psst_conversation_count(rows->conversation);
    unsigned n = hidden;
    while (n < most && ++i < count) n += rows_of(rows, i);
    return n;
}

void psst_view_scroll(struct psst_app *app, int by)
{
    struct psst_area area = app->areas.conversation;
    struct psst_rows rows = psst_view_rows(app, area);
    size_t i;
    unsigned hidden;
    if (rows.conversation == NULL || area.rows <= 0 || area.columns <= 0) return;
    if (by != 0 && psst_conversation_trouble(app->conversation)[0] != '\0' &&
        !psst_conversation_loaded(app->conversation))
        psst_conversation_older(app->conversation); /* its beginning did not come: once more */
    if (by < -PSST_CONVERSATION_MAX * 1000) by = -PSST_CONVERSATION_MAX * 1000;
    unsigned height = (unsigned)area.rows;
    move(&app->place, &rows, height > 1 ? height - 1 : 1, by);
    if (!psst_place_fit(&app->place, &rows, psst_view_height(&app->place, area), &i, &hidden)) return;
    /* what is a screen away is asked for now, so that it is there when it is needed */
    if (by <= 0 && above_of(&rows, i, hidden, 2 * height) < 2 * height) psst_conversation_older(app->conversation);
    if (by >= 0 && below(&rows, i, hidden, height) < height && psst_conversation_has_newer(app->conversation))
        psst_conversation_newer(app->conversation);
    if (psst_conversation_trouble(app->conversation)[0] == '\0') app->trouble_said = false;
}

int psst_view_page_rows(const struct psst_app *app)
{
    int rows = app->areas.conversation.rows - 2; /* one row stays, one is taken by the line at the bottom */
    return rows > 1 ? rows : 1;
}
