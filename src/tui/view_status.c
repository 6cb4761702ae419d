/* The status line: with whom, how safe, where; then what else there is to know. What a contact says of himself stands last,
 * behind all that we say: there it looks like nothing else. */
#include "tui/rows.h"
#include "tui/strip.h"
#include "tui/views.h"

#include <stdio.h>
#include <string.h>

#define NAMES_SHOWN 3

/* Two pieces: how safe the line is, and whether there is one at all. */
static void say_safety(struct psst_strip *strip, const struct psst_person *person)
{
    char bits[48];
    bool verified = person->verified;
    enum psst_style style = PSST_STYLE_PLAIN;
    if (person->online)
        psst_strip_add(strip, 0, style, verified ? "encrypted, verified" : "NOT verified", "%s",
                       verified ? "encrypted, verified" : "encrypted, NOT verified: /verify");
    else
        psst_strip_add(strip, 0, style, verified ? "verified" : "NOT verified", "%s",
                       verified ? "verified" : "NOT verified: /verify");
    (void)snprintf(bits, sizeof bits, "weak key (%u bits)", person->bits);
    if (person->weak) psst_strip_add(strip, 1, style, "weak key", "%s", bits);
}

static const char *there_word(const struct psst_person *person)
{
    if (!person->online) return person->dialling ? "dialling" : "not in session";
    if (person->there == PSST_THERE_AWAY) return "away";
    return person->there == PSST_THERE_BUSY ? "busy" : "in session";
}

/* stopped: why is said below the newest one. */
static void say_waiting(struct psst_strip *strip, const struct psst_person *person, bool stopped)
{
    char brief[48];
    (void)snprintf(brief, sizeof brief, "%llu wait%s", (unsigned long long)person->waiting,
                   person->waiting == 1 ? "s" : "");
    if (!person->online)
        psst_strip_add(strip, 4, PSST_STYLE_PLAIN, brief, "%s for a session", brief);
    else if (stopped)
        psst_strip_add(strip, 4, PSST_STYLE_PLAIN, NULL, "%s", brief);
    else
        psst_strip_add(strip, 4, PSST_STYLE_PLAIN, NULL, "%llu on the way", (unsigned long long)person->waiting);
}

static void say_where(struct psst_strip *strip, const struct psst_person *person)
{
    const char *word = there_word(person);
    if (person->online && person->address[0] != '\0' && strcmp(word, "in session") == 0)
        psst_strip_add(strip, 2, PSST_STYLE_PLAIN, word, "in session at %s", person->address);
    else if (person->online && person->address[0] != '\0')
        psst_strip_add(strip, 2, PSST_STYLE_PLAIN, word, "%s, in session at %s", word, person->address);
    else
        psst_strip_add(strip, 2, PSST_STYLE_PLAIN, NULL, "%s", word);
    if (person->blocked) psst_strip_add(strip, 1, PSST_STYLE_PLAIN, NULL, "blocked");
    if (person->paused) psst_strip_add(strip, 3, PSST_STYLE_PLAIN, NULL, "paused");
}

/* "3 new: Carol, Dan", of those who are not open. */
static void say_unread(struct psst_strip *strip, const struct psst_app *app)
{
    char names[PSST_STRIP_WORDS] = "", brief[48];
    size_t at = 0;
    unsigned people = 0;
    unsigned long long unread = 0;
    for (size_t i = 0; i < psst_model_people(app->model); i++) {
        const struct psst_person *person = psst_model_person(app->model, i);
        if (person->unread == 0 || (app->open != NULL && strcmp(person->name, app->open) == 0)) continue;
        unread += person->unread;
        if (people++ >= NAMES_SHOWN || at + strlen(person->name) + 3 > sizeof names / 2) continue;
        at += (size_t)snprintf(names + at, sizeof names - at, "%s%s", at > 0 ? ", " : "", person->name);
    }
    if (people == 0) return;
    (void)snprintf(brief, sizeof brief, "%llu new", unread);
    psst_strip_add(strip, app->areas.folded ? 3 : 5, PSST_STYLE_PLAIN, brief, "%s: %s%s", brief, names,
                   people > NAMES_SHOWN ? ", ..." : "");
}

static void say_self(struct psst_strip *strip, const struct psst_self *self)
{
    if (self->damaged)
        psst_strip_add(strip, 1, PSST_STYLE_PLAIN, "damaged history", "the history is damaged: reading only");
    if (self->presence[0] != '\0' && strcmp(self->presence, "online") != 0)
        psst_strip_add(strip, 6, PSST_STYLE_PLAIN, NULL, "you: %.40s", self->presence);
    if (self->weak) psst_strip_add(strip, 8, PSST_STYLE_PLAIN, NULL, "your key is weak (%u bits)", self->bits);
    if (self->listen[0] == '\0')
        psst_strip_add(strip, 7, PSST_STYLE_PLAIN, "not listening", "not listening: nobody can reach you");
}

static void compose(struct psst_strip *strip, const struct psst_app *app)
{
    const struct psst_self *self = app->model != NULL ? psst_model_self(app->model) : NULL;
    if (self == NULL || app->gone) {
        psst_strip_add(strip, 0, PSST_STYLE_PLAIN, NULL, "psstd has ended");
        return;
    }
    if (!self->known) return;
    if (!self->exists || self->locked) {
        psst_strip_add(strip, 0, PSST_STYLE_PLAIN, NULL, self->exists ? "locked: /unlock" : "no identity");
        return;
    }
    const struct psst_person *person = app->open != NULL ? psst_model_find(app->model, app->open) : NULL;
    if (person != NULL) {
        psst_strip_add(strip, 0, PSST_STYLE_PLAIN, NULL, "%s", person->name);
        say_safety(strip, person);
        say_where(strip, person);
        if (person->waiting > 0) say_waiting(strip, person, psst_rows_waits(app->conversation) != NULL);
    } else {
        psst_strip_add(strip, 0, PSST_STYLE_PLAIN, NULL, "%s", self->name);
    }
    say_unread(strip, app);
    say_self(strip, self);
    if (person != NULL && person->online && person->there_text[0] != '\0')
        psst_strip_add(strip, 9, PSST_STYLE_PLAIN, NULL, "he says: %s", person->there_text)->last = true;
}

void psst_view_status(struct psst_app *app, struct psst_area area)
{
    struct psst_strip strip = {.n = 0};
    if (area.rows <= 0) return;
    psst_draw_clear(area, PSST_STYLE_BAR);
    compose(&strip, app);
    /* a name as long as the line leaves the words of safety their room */
    if (strip.n > 1) {
        struct psst_strip least = strip;
        struct psst_area name = {area.row, area.column, 1, area.columns};
        unsigned all = psst_strip_fit(&least, 0), own = psst_text_columns(strip.pieces[0].full);
        if (all + 1 > (unsigned)area.columns && own > 8) {
            unsigned over = all + 1 - (unsigned)area.columns;
            name.columns = 1 + (int)(own > over + 8 ? own - over : 8);
            if (name.columns > area.columns) name.columns = area.columns;
            psst_draw_text(name, 0, 1, PSST_STYLE_BAR, strip.pieces[0].full);
            for (unsigned i = 1; i < strip.n; i++) strip.pieces[i - 1] = strip.pieces[i];
            strip.n--;
            psst_strip_draw(&strip, area, 0, name.columns + 2, PSST_STYLE_BAR);
            return;
        }
    }
    psst_strip_draw(&strip, area, 0, 1, PSST_STYLE_BAR);
}
