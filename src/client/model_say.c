/* What is said through the model, and what becomes of messages. psstd tells its answer to `say` and the event
 * `message.state` in the order that they happen, which may put the second before the first: what is told of a message that
 * is not here yet is kept for a while.
 */
#include "client/model_internal.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    enum psst_item_state state;
    int rank; /* what comes later in a message's life */
} states[] = {
    {"waiting", PSST_STATE_WAITING, 0},   {"sent", PSST_STATE_SENT, 1},       {"delivered", PSST_STATE_DELIVERED, 2},
    {"read", PSST_STATE_READ, 3},         {"refused", PSST_STATE_REFUSED, 4}, {"recalled", PSST_STATE_RECALLED, 4},
    {"received", PSST_STATE_RECEIVED, 0}, {"shown", PSST_STATE_SHOWN, 1},
};
#define STATES (sizeof states / sizeof states[0])

bool psst_model_state_of(enum psst_item_state *out, const char *state)
{
    for (size_t i = 0; i < STATES; i++) {
        if (strcmp(states[i].name, state) != 0) continue;
        *out = states[i].state;
        return true;
    }
    return false;
}

static int rank_of(enum psst_item_state state)
{
    for (size_t i = 0; i < STATES; i++)
        if (states[i].state == state) return states[i].rank;
    return 0;
}

void psst_model_catch_up(const struct psst_model *model, struct psst_held_message *message)
{
    for (size_t i = 0; i < PSST_MODEL_STATES; i++) { /* from the oldest on */
        const struct psst_state_change *change = &model->states[(model->next_state + i) % PSST_MODEL_STATES];
        bool same = change->seq > 0 ? change->seq == message->item.seq
                                    : change->id[0] != '\0' && strcmp(change->id, message->id) == 0;
        if (!same || rank_of(change->state) < rank_of(message->item.state)) continue;
        char *reason = change->reason[0] != '\0' ? strdup(change->reason) : NULL;
        free(message->reason);
        message->reason = reason;
        message->item.reason = reason != NULL ? reason : "";
        message->item.state = change->state;
    }
}

static bool is_settled(enum psst_item_state state)
{
    return state == PSST_STATE_DELIVERED || state == PSST_STATE_REFUSED || state == PSST_STATE_RECALLED;
}

void psst_model_on_state(struct psst_model *model, struct psst_held_person *person, const json_t *event)
{
    struct psst_state_change change = {.seq = psst_model_int(event, "seq", 0)};
    if (!psst_model_state_of(&change.state, psst_model_string(event, "state"))) return;
    psst_model_copy(change.id, sizeof change.id, psst_model_string(event, "id"));
    psst_model_copy(change.reason, sizeof change.reason, psst_model_string(event, "reason"));
    if (change.seq == 0 && change.id[0] == '\0') return;
    model->states[model->next_state] = change;
    model->next_state = (model->next_state + 1) % PSST_MODEL_STATES;
    if (person == NULL) return;
    if (is_settled(change.state) && person->pub.waiting > 0) {
        person->pub.waiting--;
        psst_model_changed(model, PSST_PART_CONTACTS);
    }
    for (struct psst_conversation *c = model->conversations; c != NULL; c = c->next) {
        if (c->person != person) continue;
        psst_conversation_state(c, &change);
        psst_model_changed(model, PSST_PART_CONVERSATION);
    }
}

/* ---- saying ---- */

static void said(struct psst_asked *asked, json_t *result, const struct psst_failure *failure)
{
    struct psst_model *model = asked->model;
    struct psst_held_person *person = psst_model_by_fingerprint(model, asked->name);
    struct psst_conversation_news news = {.out = true, .text = psst_view(asked->text, asked->len), .reason = ""};
    news.seq = psst_model_int(result, "seq", 0);
    news.id = psst_model_string(result, "id");
    news.time_ms = (int64_t)psst_model_now_unix_ms();
    bool good = result != NULL && news.seq > 0 && psst_model_state_of(&news.state, psst_model_string(result, "state"));
    if (good && person != NULL) {
        psst_model_notes_before(person, news.seq);
        for (struct psst_conversation *c = model->conversations; c != NULL; c = c->next)
            if (c->person == person) psst_conversation_put(c, &news);
    }
    psst_model_changed(model, PSST_PART_CONVERSATION);
    if (asked->answer != NULL) asked->answer(asked->ctx, result, failure);
}

enum psst_err psst_model_say(struct psst_model *model, const char *name, struct psst_view text,
                             psst_client_answer *answer, void *ctx)
{
    struct psst_held_person *person = psst_model_held(model, name);
    char *copy = malloc(text.len + 1);
    json_t *params = psst_rpc_name(name);
    json_t *string = json_stringn(text.len > 0 ? (const char *)text.data : "", text.len);
    bool whole = json_object_set_new(params, "text", string) == 0; /* takes it also when there are no params */
    if (copy == NULL || !whole) {
        free(copy);
        json_decref(params);
        return copy == NULL || params == NULL ? PSST_ERR_MEMORY : PSST_ERR_MALFORMED;
    }
    if (text.len > 0) memcpy(copy, text.data, text.len);
    struct psst_asked *asked = psst_model_ask(model, "say", params, said);
    if (asked == NULL) {
        free(copy);
        return PSST_ERR_IO;
    }
    asked->text = copy;
    asked->len = text.len;
    asked->answer = answer;
    asked->ctx = ctx;
    psst_model_copy(asked->name, sizeof asked->name, person != NULL ? person->fingerprint : "");
    return PSST_OK;
}
