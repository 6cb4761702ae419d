#include "client/meet_words.h"
#include "client/model_internal.h"
#include "client/presence_words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct psst_held_person *who(const struct psst_model *model, const json_t *params)
{
    return psst_model_held(model, psst_model_string(params, "contact"));
}

static bool is_quiet(const json_t *params)
{
    return json_is_true(json_object_get(params, "quiet"));
}

/* ---- messages ---- */

static void on_message(struct psst_model *model, json_t *params)
{
    struct psst_held_person *person = who(model, params);
    struct psst_conversation_news news;
    if (person == NULL || !psst_conversation_news_of(&news, params)) return;
    psst_model_notes_before(person, news.seq);
    if (news.out)
        person->pub.waiting++;
    else if (news.state == PSST_STATE_RECEIVED)
        person->pub.unread++;
    for (struct psst_conversation *c = model->conversations; c != NULL; c = c->next)
        if (c->person == person) psst_conversation_put(c, &news);
    psst_model_changed(model, PSST_PART_CONTACTS | PSST_PART_CONVERSATION);
    if (!news.out)
        psst_model_arrived(model, PSST_ARRIVAL_MESSAGE, person->name, psst_model_string(params, "text"),
                           is_quiet(params));
}

static void on_state(struct psst_model *model, json_t *params)
{
    psst_model_on_state(model, who(model, params), params);
}

/* ---- contacts ---- */

static void on_session(struct psst_model *model, json_t *params)
{
    struct psst_held_person *person = who(model, params);
    const char *reason = psst_model_string(params, "reason");
    if (person == NULL) return;
    bool up = strcmp(psst_model_string(params, "state"), "up") == 0, was_up = person->pub.online;
    person->pub.online = up;
    if (up) {
        person->pub.dialling = false;
        psst_model_copy(person->address, sizeof person->address, psst_model_string(params, "address"));
        if (!was_up) psst_model_set_there(person, "online", "");
    } else {
        person->address[0] = '\0';
        person->pub.seen_ms = (int64_t)psst_model_now_unix_ms();
        psst_model_set_there(person, "", "");
    }
    if (up && !was_up)
        psst_model_note(model, person->name, "in session with %s at %s", person->name, person->address);
    else if (!up && was_up)
        psst_model_note(model, person->name, "%s",
                        reason[0] != '\0' ? psst_out_text(reason, 1000) : "the session has ended");
    psst_model_changed(model, PSST_PART_CONTACTS);
}

static void on_contact(struct psst_model *model, json_t *params)
{
    (void)psst_model_put_person(model, params);
    psst_model_changed(model, PSST_PART_CONTACTS | PSST_PART_CONVERSATION);
}

static void on_removed(struct psst_model *model, json_t *params)
{
    struct psst_held_person *person = who(model, params);
    if (person != NULL) psst_model_drop_person(model, person);
    psst_model_changed(model, PSST_PART_CONTACTS | PSST_PART_CONVERSATION | PSST_PART_FILES);
}

/* What is erased does not stay on a screen. */
static void on_forgotten(struct psst_model *model, json_t *params)
{
    const struct psst_held_person *person = who(model, params);
    for (struct psst_conversation *c = model->conversations; c != NULL; c = c->next)
        if (person != NULL && c->person == person) psst_conversation_look_again(c);
}

static void on_presence(struct psst_model *model, json_t *params)
{
    const char *state = psst_model_string(params, "state"), *text = psst_model_string(params, "text");
    if (json_object_get(params, "contact") == NULL) {
        psst_model_copy(model->self_presence, sizeof model->self_presence, state);
        psst_model_copy(model->self_presence_text, sizeof model->self_presence_text, text);
        psst_model_changed(model, PSST_PART_SELF);
        return;
    }
    struct psst_held_person *person = who(model, params);
    char words[PSST_PRESENCE_WORDS], before[PSST_MODEL_WORDS];
    if (person == NULL || !person->pub.online) return;
    enum psst_there was = person->pub.there;
    psst_model_copy(before, sizeof before, person->there_text);
    psst_model_set_there(person, state, text);
    if (person->pub.there != was || strcmp(before, person->there_text) != 0)
        psst_model_put_note(model, person, psst_presence_line(words, params), false);
    psst_model_changed(model, PSST_PART_CONTACTS);
}

static void on_meet(struct psst_model *model, json_t *params)
{
    struct psst_held_person *person = who(model, params);
    char words[PSST_MEET_WORDS];
    if (person == NULL || psst_meet_words(words, params)[0] == '\0') return;
    psst_model_put_note(model, person, words, false);
    bool theirs = strcmp(psst_model_string(params, "direction"), "in") == 0;
    if (theirs || json_is_true(json_object_get(params, "due")))
        psst_model_arrived(model, PSST_ARRIVAL_MEETING, person->name, words, is_quiet(params));
}

/* ---- the rest ---- */

static void on_file(struct psst_model *model, json_t *params)
{
    psst_model_put_file(model, params, true);
    psst_model_changed(model, PSST_PART_FILES);
}

static void on_call(struct psst_model *model, json_t *params)
{
    psst_model_on_call(model, params);
}

static void on_levels(struct psst_model *model, json_t *params)
{
    psst_model_on_levels(model, params);
}

static void on_identity(struct psst_model *model, json_t *params)
{
    if (json_is_true(json_object_get(params, "locked")))
        psst_model_lock(model);
    else
        psst_model_load(model);
}

static void on_stopping(struct psst_model *model, json_t *params)
{
    (void)params;
    if (model->watch.stopping != NULL) model->watch.stopping(model->watch.ctx);
}

void psst_model_on_event(void *ctx, const char *event, json_t *params)
{
    static const struct {
        const char *name;
        void (*on)(struct psst_model *model, json_t *params);
    } table[] = {
        {"voice", on_levels},
        {"message", on_message},
        {"message.state", on_state},
        {"file", on_file},
        {"session", on_session},
        {"contact", on_contact},
        {"call", on_call},
        {"presence", on_presence},
        {"contact.removed", on_removed},
        {"contact.forgotten", on_forgotten},
        {"identity", on_identity},
        {"meet", on_meet},
        {"stopping", on_stopping},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (strcmp(table[i].name, event) != 0) continue;
        table[i].on(ctx, params);
        return;
    }
}
