/* The contacts, one a row:  "1 *✓ Bob          weak (3)"
 *
 *   number for Alt+1 .. Alt+0   * in session, z away, ! busy, ~ is dialled, blank: not there   ✓ verified, ? not
 *   his name   what else there is of him, in words where there is room
 */
#include "tui/views.h"

#include <langinfo.h>
#include <stdio.h>
#include <string.h>

#define NAME_COLUMN 5
#define NAME_LEAST  6 /* columns that words leave to a name */
#define NUMBERED    10
#define LEVELS      3 /* of being brief */

static size_t top; /* the first one that is seen: it moves no more than it must */

static int list_rows(struct psst_area area)
{
    return area.rows > 4 ? area.rows - 1 : area.rows; /* the last one says which keys help */
}

size_t psst_view_contact_open(const struct psst_app *app)
{
    size_t n = psst_model_people(app->model);
    for (size_t i = 0; i < n && app->open != NULL; i++)
        if (strcmp(psst_model_person(app->model, i)->name, app->open) == 0) return i;
    return n;
}

static void move_top(const struct psst_app *app, size_t rows)
{
    size_t n = psst_model_people(app->model), open = psst_view_contact_open(app);
    if (open < n && open < top) top = open;
    if (open < n && open >= top + rows) top = open - rows + 1;
    if (top + rows > n) top = n > rows ? n - rows : 0;
}

/* ---- one row ---- */

static bool can_tick(void)
{
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

static char there_sign(const struct psst_person *person)
{
    if (!person->online) return person->dialling ? '~' : ' ';
    switch (person->there) {
    case PSST_THERE_AWAY: return 'z';
    case PSST_THERE_BUSY: return '!';
    default: return '*';
    }
}

/* What the call that concerns us means for him; "" when it is another's. */
static const char *call_word(const struct psst_app *app, const struct psst_person *person)
{
    const struct psst_call_now *call = psst_model_call(app->model);
    if (call->state == PSST_CALL_NONE || call->name == NULL || strcmp(call->name, person->name) != 0) return "";
    if (call->state == PSST_CALL_OFFERED) return "rings";
    return call->state == PSST_CALL_ACTIVE ? "call" : "calling";
}

/* What else there is of him, the most important first; level 0 in words, 2 in letters. False: not all of it has room. */
static bool tags(char *out, size_t size, const struct psst_app *app, const struct psst_person *person, unsigned level,
                 unsigned room)
{
    char unread[32];
    const char *call = call_word(app, person);
    (void)snprintf(unread, sizeof unread, "(%llu)", (unsigned long long)person->unread);
    const struct {
        bool is;
        const char *words[LEVELS];
    } table[] = {
        {call[0] != '\0', {call, call, call}},
        {person->unread > 0, {unread, unread, unread}},
        {person->blocked, {"blocked", "blocked", "b"}},
        {person->weak, {"weak key", "weak", "w"}},
        {person->missed_call, {"missed call", "missed", "m"}},
        {person->paused, {"paused", "paused", "p"}},
    };
    size_t used = 0;
    bool all = true;
    out[0] = '\0';
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        const char *word = table[i].words[level];
        if (!table[i].is) continue;
        if (used + 1 + strlen(word) > room || used + 2 + strlen(word) > size) {
            all = false;
            continue;
        }
        used += (size_t)snprintf(out + used, size - used, " %s", word);
    }
    return all;
}

/* As wordy as the name allows; then the name is cut for them. Gives the columns. */
static unsigned fit_tags(char *out, size_t size, const struct psst_app *app, const struct psst_person *person,
                         unsigned room)
{
    unsigned name = psst_text_columns(person->name), kept = name < NAME_LEAST ? name : NAME_LEAST;
    for (unsigned cut = 0; cut < 2; cut++) {
        unsigned taken = cut == 0 ? name : kept;
        for (unsigned level = cut; level < LEVELS; level++)
            if (tags(out, size, app, person, level, room > taken ? room - taken : 0)) return (unsigned)strlen(out);
    }
    return (unsigned)strlen(out);
}

static void draw_person(struct psst_app *app, struct psst_area area, int row, size_t i)
{
    const struct psst_person *person = psst_model_person(app->model, i);
    struct psst_area line = {area.row + row, area.column, 1, area.columns};
    bool open = app->open != NULL && strcmp(app->open, person->name) == 0;
    bool calls = person->unread > 0 || person->missed_call || strcmp(call_word(app, person), "rings") == 0;
    enum psst_style style = open ? PSST_STYLE_SELECTED : calls ? PSST_STYLE_UNREAD : PSST_STYLE_PLAIN;
    char number[2] = {i < NUMBERED ? (char)('0' + (i + 1) % 10) : ' ', '\0'}, there[2] = {there_sign(person), '\0'};
    char words[96];
    psst_draw_clear(line, open ? PSST_STYLE_SELECTED : PSST_STYLE_PLAIN);
    psst_draw_text(line, 0, 0, open ? style : PSST_STYLE_DIM, number);
    psst_draw_text(line, 0, 2, open ? style : PSST_STYLE_GOOD, there);
    psst_draw_text(line, 0, 3,
                   open               ? style
                   : person->verified ? PSST_STYLE_GOOD
                                      : PSST_STYLE_WARN,
                   !person->verified ? "?"
                   : can_tick()      ? "\u2713"
                                     : "v");
    unsigned room = (unsigned)(area.columns > NAME_COLUMN ? area.columns - NAME_COLUMN : 0);
    unsigned beside = fit_tags(words, sizeof words, app, person, room);
    struct psst_area name_area = {line.row, line.column + NAME_COLUMN, 1, (int)(room - beside)};
    psst_draw_text(name_area, 0, 0, style, person->name);
    psst_draw_text(line, 0, area.columns - (int)beside, style, words);
}

/* ---- the list ---- */

static void draw_hint(struct psst_app *app, struct psst_area area)
{
    size_t n = psst_model_people(app->model), rows = (size_t)list_rows(area);
    size_t below = n > top + rows ? n - top - rows : 0;
    if (below > 0)
        psst_draw_format(area, area.rows - 1, 0, PSST_STYLE_DIM, "F1 help  +%zu below", below);
    else
        psst_draw_text(area, area.rows - 1, 0, PSST_STYLE_DIM, app->areas.folded ? "F1 help  F2 goes back" : "F1 help");
}

static void draw_nobody(struct psst_area area)
{
    static const char *const lines[] = {"No contacts yet.", "", "/card     your card", "/add FILE his card"};
    for (int i = 0; i < (int)(sizeof lines / sizeof lines[0]) && i < list_rows(area); i++)
        psst_draw_text(area, i, 0, PSST_STYLE_OURS, lines[i]);
}

void psst_view_contacts(struct psst_app *app, struct psst_area area)
{
    if (area.rows <= 0 || area.columns <= 0) return;
    psst_draw_clear(area, PSST_STYLE_PLAIN);
    if (app->model == NULL) return;
    size_t n = psst_model_people(app->model), rows = (size_t)list_rows(area);
    const struct psst_self *self = psst_model_self(app->model);
    move_top(app, rows);
    for (size_t i = 0; i < rows && top + i < n; i++) draw_person(app, area, (int)i, top + i);
    if (n == 0 && self->known && self->exists && !self->locked && psst_model_complete(app->model)) draw_nobody(area);
    if ((int)rows < area.rows) draw_hint(app, area);
}

const struct psst_person *psst_view_contact_at(const struct psst_app *app, int row, int column)
{
    struct psst_area area = app->areas.contacts;
    if (app->model == NULL || row < area.row || row >= area.row + list_rows(area)) return NULL;
    if (column < area.column || column >= area.column + area.columns) return NULL;
    size_t i = top + (size_t)(row - area.row);
    return i < psst_model_people(app->model) ? psst_model_person(app->model, i) : NULL;
}
