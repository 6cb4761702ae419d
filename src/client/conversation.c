#include "client/model_internal.h"

#include <stdlib.h>
#include <string.h>

enum psst_err psst_conversation_open(struct psst_conversation **out, struct psst_model *model, const char *name)
{
    struct psst_conversation *conversation = calloc(1, sizeof *conversation);
    if (conversation == NULL) return PSST_ERR_MEMORY;
    conversation->model = model;
    conversation->next = model->conversations;
    model->conversations = conversation;
    conversation->follows = true;
    psst_model_copy(conversation->name, sizeof conversation->name, name);
    psst_conversation_bind(conversation, psst_model_held(model, name));
    if (conversation->person != NULL) {
        psst_conversation_reload(conversation);
        if (conversation->person->pub.missed_call) psst_model_changed(model, PSST_PART_CONTACTS);
        conversation->person->pub.missed_call = false;
    }
    *out = conversation;
    return PSST_OK;
}

void psst_conversation_close(struct psst_conversation *conversation)
{
    if (conversation == NULL) return;
    struct psst_conversation **at = &conversation->model->conversations;
    while (*at != conversation) at = &(*at)->next;
    *at = conversation->next;
    psst_conversation_unask(conversation);
    psst_conversation_clear(conversation);
    free(conversation);
}

void psst_conversation_bind(struct psst_conversation *conversation, struct psst_held_person *person)
{
    struct psst_held_person *before = conversation->person;
    conversation->person = person;
    if (person == NULL) { /* nothing of him is shown any longer */
        psst_conversation_unask(conversation);
        psst_conversation_clear(conversation);
        conversation->loaded = conversation->older = conversation->newer = false;
        conversation->trouble[0] = '\0';
        conversation->newest = conversation->shown = 0;
        conversation->below = 0;
        return;
    }
    bool renamed = strcmp(conversation->name, person->name) != 0, looks = psst_conversation_looks_again(conversation);
    psst_model_copy(conversation->name, sizeof conversation->name, person->name);
    if (before == person && renamed) { /* what was asked for was asked by the old name */
        psst_conversation_unask(conversation);
        if (!conversation->loaded)
            psst_conversation_reload(conversation);
        else if (looks)
            psst_conversation_look_again(conversation);
    }
    psst_conversation_weave(conversation);
}

/* ---- what it has ---- */

const char *psst_conversation_name(const struct psst_conversation *conversation)
{
    return conversation->name;
}

size_t psst_conversation_count(const struct psst_conversation *conversation)
{
    return conversation->n_items;
}

const struct psst_item *psst_conversation_item(const struct psst_conversation *conversation, size_t i)
{
    return i < conversation->n_items ? &conversation->items[i] : NULL;
}

size_t psst_conversation_find(const struct psst_conversation *conversation, uint64_t serial)
{
    size_t i = 0;
    while (i < conversation->n_items && conversation->items[i].serial != serial) i++;
    return i;
}

bool psst_conversation_loaded(const struct psst_conversation *conversation)
{
    return conversation->loaded;
}

bool psst_conversation_has_older(const struct psst_conversation *conversation)
{
    return conversation->older;
}

bool psst_conversation_has_newer(const struct psst_conversation *conversation)
{
    return conversation->newer;
}

uint64_t psst_conversation_below(const struct psst_conversation *conversation)
{
    return conversation->below;
}

const char *psst_conversation_trouble(const struct psst_conversation *conversation)
{
    return conversation->trouble;
}

/* ---- what comes ---- */

void psst_conversation_put(struct psst_conversation *conversation, const struct psst_conversation_news *news)
{
    bool fresh = news->seq > conversation->newest;
    if (fresh) conversation->newest = news->seq;
    if (!conversation->newer && conversation->loaded && !conversation->follows &&
        (conversation->n_messages == PSST_WINDOW_MESSAGES || conversation->bytes + news->text.len > PSST_WINDOW_BYTES))
        conversation->newer = true; /* what the person looks at is not pushed out */
    bool within = news->seq < psst_window_last(conversation);
    if (conversation->newer && !within) {
        if (fresh) conversation->below++;
    } else {
        (void)psst_window_put(conversation, news, PSST_WINDOW_NEWER);
    }
    psst_conversation_weave(conversation);
}

void psst_conversation_state(struct psst_conversation *conversation, const struct psst_state_change *change)
{
    for (size_t i = conversation->n_messages; i > 0; i--) {
        struct psst_held_message *message = &conversation->messages[i - 1];
        if (message->item.kind != PSST_ITEM_MESSAGE) continue;
        bool same = change->seq > 0 ? message->item.seq == change->seq : strcmp(message->id, change->id) == 0;
        if (!same) continue;
        char *reason = change->reason[0] != '\0' ? strdup(change->reason) : NULL;
        free(message->reason);
        message->reason = reason;
        message->item.reason = reason != NULL ? reason : "";
        message->item.state = change->state;
        psst_conversation_weave(conversation);
        return;
    }
}

/* ---- what is seen ---- */

static void shown_answered(struct psst_asked *asked, json_t *result, const struct psst_failure *failure)
{
    (void)asked;
    (void)result;
    (void)failure;
}

static void tell_shown(struct psst_conversation *conversation, int64_t seq)
{
    json_t *params = psst_rpc_name(conversation->name);
    conversation->shown = seq;
    if (params != NULL) (void)json_object_set_new(params, "seq", json_integer(seq));
    (void)psst_model_ask(conversation->model, "shown", params, shown_answered);
}

void psst_conversation_shown(struct psst_conversation *conversation, size_t i)
{
    struct psst_held_person *person = conversation->person;
    if (person == NULL || i >= conversation->n_items) return;
    bool end = i + 1 == conversation->n_items && !conversation->newer;
    uint64_t unread = person->pub.unread;
    bool missed = person->pub.missed_call, any = false;
    int64_t fresh = 0, last = 0;
    int64_t up_to = conversation->items[i].seq;
    conversation->follows = i + 1 == conversation->n_items;
    for (size_t j = 0; j < conversation->n_messages; j++) {
        struct psst_item *item = &conversation->messages[j].item;
        if (item->kind != PSST_ITEM_MESSAGE || item->out || item->seq > up_to) continue;
        last = item->seq;
        if (item->state != PSST_STATE_RECEIVED) continue;
        fresh = item->seq;
        item->state = PSST_STATE_SHOWN;
        any = true;
        if (person->pub.unread > 0) person->pub.unread--;
    }
    if (fresh == 0 && end && person->pub.unread > 0) fresh = last; /* psstd does not know it yet */
    if (fresh > conversation->shown) tell_shown(conversation, fresh);
    if (end) {
        person->pub.unread = 0;
        person->pub.missed_call = false;
    }
    if (any) psst_conversation_weave(conversation);
    if (unread != person->pub.unread || missed != person->pub.missed_call)
        psst_model_changed(conversation->model, PSST_PART_CONTACTS);
}
