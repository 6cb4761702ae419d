/* /search: what was found, a row each, the newest at the bottom. Enter goes there. More pages come as one goes up.
 *
 *   "23 Nov 14:05  Bob  | the words around what was found"
 */
#include "base/me.h"
#include "client/out.h"
#include "client/private.h"
#include "tui/ask.h"
#include "tui/commands.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HITS_A_PAGE 50
#define HITS_MAX    2000
#define WORDS_MAX   1000
#define LEAD_CHARS  16 /* of the text that stand before what was found */
#define WHEEL_ROWS  3

struct search {
    struct psst_page page;
    char *words, *name; /* name NULL: everybody */
    json_t *hits;       /* messages as psstd gave them, the oldest first */
    size_t chosen, top; /* top: at the upper edge */
    int rows;
    bool asked, more, failed, placed;
};

static struct search *search_of(struct psst_page *page)
{
    return (struct search *)(void *)page;
}

static const char *string(const json_t *object, const char *key)
{
    const char *s = json_string_value(json_object_get(object, key));
    return s != NULL ? s : "";
}

/* ---- asking ---- */

static void answered(struct psst_page *page, struct psst_app *app, json_t *result, const struct psst_failure *failure)
{
    struct search *s = search_of(page);
    json_t *messages = json_object_get(result, "messages"), *all = json_array();
    size_t n = json_array_size(messages);
    bool first = !s->placed;
    s->asked = false;
    psst_app_dirty(app, PSST_DIRTY_PAGE);
    if (result == NULL) {
        s->failed = true;
        psst_app_error(app, "%s", failure->words);
    }
    for (size_t i = 0; i < n; i++)
        if (json_is_object(json_array_get(messages, i))) (void)json_array_append(all, json_array_get(messages, i));
    n = json_array_size(all);
    (void)json_array_extend(all, s->hits);
    json_decref(s->hits);
    s->hits = all;
    s->more = result != NULL && n > 0 && json_is_true(json_object_get(result, "more"));
    s->placed = true;
    if (first && n > 0)
        s->chosen = n - 1;
    else if (!first)
        s->chosen += n, s->top += n;
}

static void ask(struct search *s, struct psst_app *app)
{
    if (s->asked) return;
    json_t *params = json_pack("{s:o,s:i}", "search", psst_rpc_text(s->words), "limit", HITS_A_PAGE);
    if (s->name != NULL) (void)json_object_set_new(params, "name", psst_rpc_text(s->name));
    if (json_array_size(s->hits) > 0)
        (void)json_object_set(params, "before", json_object_get(json_array_get(s->hits, 0), "seq"));
    s->asked = true;
    psst_page_ask(&s->page, app, "log", params, NULL, 0, answered);
}

/* Once the first one is near. */
static void ask_older(struct search *s, struct psst_app *app)
{
    if (s->more && s->top < HITS_A_PAGE / 2 && json_array_size(s->hits) < HITS_MAX) ask(s, app);
}

/* ---- drawing ---- */

/* Where the first of the words stands in the text; 0: not so that a plain look finds it. */
static size_t place_of(const char *text, const char *words)
{
    char word[64];
    words += strspn(words, " \"");
    size_t n = strcspn(words, " \"*");
    if (n == 0 || n >= sizeof word) return 0;
    memcpy(word, words, n);
    word[n] = '\0';
    const char *at = strcasestr(text, word);
    return at != NULL ? (size_t)(at - text) : 0;
}

/* The text from a little before what was found. */
static const char *excerpt(const char *text, const char *words, int columns, const char **lead)
{
    size_t at = place_of(text, words), room = columns > 0 ? (size_t)columns : 0;
    *lead = "";
    if (at + 8 < room || at <= LEAD_CHARS) return text;
    struct psst_view view = psst_view_str(text);
    for (unsigned i = 0; i < LEAD_CHARS && at > 0; i++) at = psst_text_previous(view, at);
    *lead = "... ";
    return text + at;
}

static void draw_hit(struct search *s, struct psst_area area, int row, size_t i)
{
    const json_t *hit = json_array_get(s->hits, i);
    char when[64];
    bool out = strcmp(string(hit, "direction"), "out") == 0;
    const char *lead, *who = out ? PSST_ME : psst_out_alias(string(hit, "contact"), 64);
    enum psst_style style = i == s->chosen ? PSST_STYLE_SELECTED : PSST_STYLE_PLAIN;
    struct psst_area line = {area.row + row, area.column, 1, area.columns};
    (void)psst_out_time(when, psst_out_int(hit, "time_ms"), area.columns < 50 ? "%d %b" : "%d %b %Y %H:%M");
    if (i == s->chosen) psst_draw_clear(line, style);
    int at = (int)psst_draw_format(line, 0, 0, style, "%s%s ", i == s->chosen ? "> " : "  ", when);
    struct psst_area name = {line.row, line.column + at, 1, line.columns - at};
    if (name.columns > line.columns / 3) name.columns = line.columns / 3;
    at += (int)psst_draw_text(name, 0, 0, style, who);
    if (s->name == NULL && out) {
        struct psst_area to = {line.row, line.column + at, 1, line.columns / 4};
        at += (int)psst_draw_format(to, 0, 0, style, " to %s", string(hit, "contact"));
    }
    at += (int)psst_draw_text(line, 0, at, style, " | ");
    const char *text = excerpt(string(hit, "text"), s->words, line.columns - at, &lead);
    at += (int)psst_draw_text(line, 0, at, style, lead);
    struct psst_area rest = {line.row, line.column + at, 1, line.columns - at};
    if (rest.columns > 0) psst_draw_text(rest, 0, 0, style, text);
}

static void place(struct search *s, int rows)
{
    size_t n = json_array_size(s->hits), room = (size_t)rows;
    s->rows = rows;
    if (s->chosen >= n) s->chosen = n > 0 ? n - 1 : 0;
    if (s->top > s->chosen) s->top = s->chosen;
    if (s->chosen >= s->top + room) s->top = s->chosen - room + 1;
    if (n > room && s->top > n - room) s->top = n - room;
    if (n <= room) s->top = 0;
}

static void draw(struct psst_page *page, struct psst_app *app, struct psst_area area)
{
    struct search *s = search_of(page);
    size_t n = json_array_size(s->hits);
    if (area.rows < 2 || area.columns < 10) return;
    struct psst_area body = {area.row, area.column + 1, area.rows - 1, area.columns - 2};
    struct psst_area foot = {area.row + area.rows - 1, area.column + 1, 1, area.columns - 2};
    place(s, body.rows);
    if (n == 0)
        psst_draw_text(body, 0, 0, PSST_STYLE_OURS,
                       s->asked    ? "-- looking ..."
                       : s->failed ? "-- it could not be searched"
                                   : "-- nothing was found; what is not kept (/history) cannot be");
    int from = n < (size_t)body.rows ? body.rows - (int)n : 0; /* the newest at the bottom */
    for (size_t i = s->top; i < n && from < body.rows; i++) draw_hit(s, body, from++, i);
    const char *further = s->asked && n > 0 ? ", looking further" : s->more ? ", and older ones" : "";
    if (n > 0)
        psst_draw_format(foot, 0, 0, PSST_STYLE_DIM, "%zu found%s  Enter goes there  q leaves", n, further);
    else
        psst_draw_text(foot, 0, 0, PSST_STYLE_DIM, "q leaves");
    ask_older(s, app);
}

/* ---- keys ---- */

static void move(struct search *s, long by)
{
    long n = (long)json_array_size(s->hits), to = (long)s->chosen + by;
    if (to >= n) to = n - 1;
    s->chosen = to > 0 ? (size_t)to : 0;
}

static void go(struct search *s, struct psst_app *app)
{
    const json_t *hit = json_array_get(s->hits, s->chosen);
    char *contact = hit != NULL ? strdup(string(hit, "contact")) : NULL;
    int64_t seq = psst_out_int(hit, "seq");
    if (contact == NULL || contact[0] == '\0') {
        free(contact);
        return;
    }
    psst_page_leave(app, &s->page);
    app->closed = false;
    psst_app_open(app, contact);
    if (seq > 0) psst_app_scroll_to(app, seq);
    free(contact);
}

static bool take(struct psst_page *page, struct psst_app *app, const struct psst_key *key)
{
    struct search *s = search_of(page);
    long page_rows = s->rows > 1 ? s->rows - 1 : 1;
    if (key->mods != 0) return false;
    switch (key->code) {
    case PSST_KEY_UP: move(s, -1); break;
    case PSST_KEY_DOWN: move(s, 1); break;
    case PSST_KEY_PAGE_UP: move(s, -page_rows); break;
    case PSST_KEY_PAGE_DOWN: move(s, page_rows); break;
    case PSST_KEY_WHEEL_UP: move(s, -WHEEL_ROWS); break;
    case PSST_KEY_WHEEL_DOWN: move(s, WHEEL_ROWS); break;
    case PSST_KEY_HOME: move(s, -HITS_MAX); break;
    case PSST_KEY_END: move(s, HITS_MAX); break;
    case PSST_KEY_ENTER: go(s, app); return true;
    case PSST_KEY_TEXT:
        if (key->cp == 'q')
            psst_page_leave(app, page);
        else if (key->cp == 'k' || key->cp == 'j')
            move(s, key->cp == 'k' ? -1 : 1);
        break;
    default: return false;
    }
    return true;
}

static void free_search(struct psst_page *page)
{
    struct search *s = search_of(page);
    psst_page_ask_forget(page);
    json_decref(s->hits);
    psst_free_wiped(s->words);
    free(s->name);
    psst_free_wiped(s); /* the title says the words, too */
}

static const struct psst_page_kind kind = {.draw = draw, .key = take, .free = free_search};

void psst_search_open(struct psst_app *app, const char *words)
{
    struct search *s = calloc(1, sizeof *s);
    if (s == NULL) return;
    *s = (struct search){.page = {.kind = &kind}, .hits = json_array(), .words = strndup(words, WORDS_MAX)};
    if (app->open != NULL) s->name = strdup(app->open);
    if (s->words == NULL || s->hits == NULL || (app->open != NULL && s->name == NULL)) {
        free_search(&s->page);
        return;
    }
    (void)snprintf(s->page.title, sizeof s->page.title, "Search%s%.24s: %.40s", s->name != NULL ? " with " : "",
                   s->name != NULL ? s->name : "", words);
    psst_page_push(app, &s->page);
    ask(s, app);
}
