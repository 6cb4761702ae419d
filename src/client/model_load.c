/* The first answers. All are asked for at once; those that need the contacts wait for them.
 *
 *   subscribe, status, contacts (page by page), files, voice, calls, meets --> each answer as it comes --> complete
 *
 * A locked identity refuses most of them: then all is asked anew when the event `identity` says that it is open.
 */
#include "client/call_words.h"
#include "client/meet_words.h"
#include "client/model_internal.h"
#include "ipc/methods.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONTACTS_PAGE 200
#define CALLS_LIMIT   50

enum part { PART_SUBSCRIBE, PART_STATUS, PART_CONTACTS, PART_FILES, PART_VOICE, PART_CALLS, PART_MEETS };

static void first_done(struct psst_asked *asked, json_t *result, const struct psst_failure *failure);

static void ask_first(struct psst_model *model, enum part part, const char *method, json_t *params)
{
    struct psst_asked *asked = psst_model_ask(model, method, params, first_done);
    if (asked == NULL) return;
    asked->part = (int)part;
    model->loading++;
}

static void ask_contacts(struct psst_model *model, const char *after)
{
    json_t *params = json_pack("{s:i}", "limit", CONTACTS_PAGE);
    if (after != NULL && params != NULL) (void)json_object_set_new(params, "after", json_string(after));
    ask_first(model, PART_CONTACTS, "contacts", params);
}

static void ask_status(struct psst_model *model)
{
    ask_first(model, PART_STATUS, "status", NULL);
}

/* Everything of an earlier identity, or of the same one before it was locked. */
static void forget(struct psst_model *model)
{
    model->generation++;
    model->loading = 0;
    model->n_shown = 0; /* they are kept, with their notes, until it is known who is there no more */
    psst_model_files_free(model);
    psst_model_calls_end(model);
    json_decref(model->sessions);
    json_decref(model->missed);
    json_decref(model->meets);
    model->sessions = model->missed = model->meets = NULL;
    for (struct psst_conversation *c = model->conversations; c != NULL; c = c->next) psst_conversation_bind(c, NULL);
}

void psst_model_load(struct psst_model *model)
{
    json_t *events = json_array();
    forget(model);
    for (unsigned i = 0; i < PSST_IPC_EVENTS; i++)
        (void)json_array_append_new(events, json_string(psst_ipc_event_names[i]));
    ask_first(model, PART_SUBSCRIBE, "subscribe", json_pack("{s:o}", "events", events));
    ask_status(model);
    ask_contacts(model, NULL);
    ask_first(model, PART_FILES, "files", NULL);
    ask_first(model, PART_VOICE, "voice", NULL);
    ask_first(model, PART_CALLS, "calls", json_pack("{s:i}", "limit", CALLS_LIMIT));
    ask_first(model, PART_MEETS, "meets", NULL);
}

void psst_model_lock(struct psst_model *model)
{
    forget(model);
    model->self.locked = true;
    model->self.damaged = false;
    model->self_presence[0] = model->self_presence_text[0] = model->self_words[0] = '\0';
    psst_model_changed(model,
                       PSST_PART_SELF | PSST_PART_CONTACTS | PSST_PART_CONVERSATION | PSST_PART_FILES | PSST_PART_CALL);
}

/* ---- answers ---- */

static void take_status(struct psst_model *model, const json_t *status)
{
    const json_t *identity = json_object_get(status, "identity"), *history = json_object_get(status, "history");
    const json_t *presence = json_object_get(status, "presence");
    struct psst_self *self = &model->self;
    self->known = true;
    self->exists = json_is_object(identity);
    self->locked = json_is_true(json_object_get(identity, "locked"));
    self->weak = json_is_true(json_object_get(identity, "weak"));
    self->bits = (unsigned)(psst_model_int(identity, "bits", 0) & 0xffff);
    self->damaged = json_is_object(history);
    psst_model_copy(model->self_name, sizeof model->self_name, psst_model_string(identity, "name"));
    psst_model_copy(model->self_fingerprint, sizeof model->self_fingerprint,
                    psst_model_string(identity, "fingerprint"));
    psst_model_copy(model->self_words, sizeof model->self_words, psst_model_string(history, "words"));
    psst_model_copy(model->self_presence, sizeof model->self_presence, psst_model_string(presence, "state"));
    psst_model_copy(model->self_presence_text, sizeof model->self_presence_text, psst_model_string(presence, "text"));
    const char *listen = json_string_value(json_array_get(json_object_get(status, "listen"), 0));
    psst_model_copy(model->listen, sizeof model->listen, listen != NULL ? listen : "");
    json_decref(model->sessions);
    model->sessions = json_incref(json_object_get(status, "sessions"));
    psst_model_changed(model, PSST_PART_SELF);
}

static void take_contacts(struct psst_model *model, const json_t *result)
{
    const json_t *list = json_object_get(result, "contacts");
    size_t before = model->n_shown;
    for (size_t i = 0; i < json_array_size(list); i++) (void)psst_model_put_person(model, json_array_get(list, i));
    const char *last = psst_model_string(json_array_get(list, json_array_size(list) - 1), "name");
    bool more = json_is_true(json_object_get(result, "more"));
    if (more && model->n_shown > before && last[0] != '\0') {
        ask_contacts(model, last);
        return;
    }
    psst_model_drop_hidden(model);
    for (struct psst_conversation *c = model->conversations; c != NULL; c = c->next) {
        struct psst_held_person *person = psst_model_held(model, c->name);
        if (person != c->person) psst_conversation_bind(c, person);
        if (person != NULL && !c->loaded && c->pages == 0) psst_conversation_reload(c);
    }
    psst_model_changed(model, PSST_PART_CONTACTS | PSST_PART_CONVERSATION);
}

static void take_files(struct psst_model *model, const json_t *result)
{
    const json_t *list = json_object_get(result, "files");
    for (size_t i = 0; i < json_array_size(list); i++) psst_model_put_file(model, json_array_get(list, i), false);
    psst_model_changed(model, PSST_PART_FILES);
}

/* ---- what waited for the contacts ---- */

static void settle_sessions(struct psst_model *model)
{
    for (size_t i = 0; i < json_array_size(model->sessions); i++) {
        const json_t *session = json_array_get(model->sessions, i);
        struct psst_held_person *person = psst_model_held(model, psst_model_string(session, "contact"));
        if (person == NULL || !person->pub.online || person->address[0] != '\0') continue;
        psst_model_copy(person->address, sizeof person->address, psst_model_string(session, "address"));
    }
}

static void settle_missed(struct psst_model *model)
{
    for (size_t i = json_array_size(model->missed); i > 0; i--) { /* the newest come first */
        const json_t *call = json_array_get(model->missed, i - 1);
        struct psst_held_person *person = psst_model_held(model, psst_model_string(call, "name"));
        char when[64], line[PSST_CALL_WORDS], words[PSST_CALL_WORDS + 80];
        if (person == NULL || !json_is_false(json_object_get(call, "seen"))) continue;
        person->pub.missed_call = true;
        (void)snprintf(words, sizeof words, "%s %s", psst_out_time(when, psst_out_int(call, "began"), "%Y-%m-%d %H:%M"),
                       psst_call_line(line, call));
        psst_model_put_note(model, person, words, true);
    }
}

static void settle_meets(struct psst_model *model)
{
    for (size_t i = 0; i < json_array_size(model->meets); i++) {
        const json_t *meet = json_array_get(model->meets, i);
        struct psst_held_person *person = psst_model_held(model, psst_model_string(meet, "contact"));
        char words[PSST_MEET_WORDS];
        if (person != NULL && psst_meet_words(words, meet)[0] != '\0') psst_model_put_note(model, person, words, true);
    }
}

static void settle(struct psst_model *model)
{
    settle_sessions(model);
    settle_missed(model);
    settle_meets(model);
    json_decref(model->sessions);
    json_decref(model->missed);
    json_decref(model->meets);
    model->sessions = model->missed = model->meets = NULL;
    psst_model_changed(model, PSST_PART_SELF | PSST_PART_CONTACTS | PSST_PART_CONVERSATION);
}

/* What is refused because the identity is locked will be asked again; what fails otherwise is missing. */
static void take_failure(struct psst_model *model, enum part part, const struct psst_failure *failure)
{
    bool locked = strcmp(failure->name, "locked") == 0, none = strcmp(failure->name, "no-identity") == 0;
    if (part == PART_CONTACTS && (locked || none)) {
        model->self.known = true;
        model->self.locked = locked;
        model->self.exists = locked;
        psst_model_changed(model, PSST_PART_SELF);
    } else if (part == PART_CONTACTS) {
        psst_model_drop_hidden(model);
    }
}

static void first_done(struct psst_asked *asked, json_t *result, const struct psst_failure *failure)
{
    struct psst_model *model = asked->model;
    if (asked->generation != model->generation) return;
    if (result == NULL) {
        take_failure(model, (enum part)asked->part, failure);
    } else {
        switch ((enum part)asked->part) {
        case PART_SUBSCRIBE: break;
        case PART_STATUS: take_status(model, result); break;
        case PART_CONTACTS: take_contacts(model, result); break;
        case PART_FILES: take_files(model, result); break;
        case PART_VOICE: psst_model_voice(model, result); break;
        case PART_CALLS: model->missed = json_incref(json_object_get(result, "calls")); break;
        case PART_MEETS: model->meets = json_incref(json_object_get(result, "meets")); break;
        }
    }
    if (--model->loading == 0) settle(model);
}
