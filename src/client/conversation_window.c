/* The window: messages by seq, and with the notes between them, the list that is shown.
 *
 *   messages[]  m1 m2 m3          weave          items[]  m1 note m2 m3 note
 *   notes[]     note(before m2) note(before 0)   ----->
 *
 * A note belongs to the message that came after it. Where the window ends before the history does, the notes of what is
 * beyond are not shown.
 */
#include "client/model_internal.h"

#include "base/secret.h"

#include <stdlib.h>
#include <string.h>

static void message_free(struct psst_held_message *message)
{
    if (message->text != NULL) psst_wipe(message->text, message->item.text.len);
    free(message->text);
    free(message->reason);
}

static void drop(struct psst_conversation *conversation, size_t at)
{
    struct psst_held_message *messages = conversation->messages;
    conversation->bytes -= messages[at].item.text.len;
    message_free(&messages[at]);
    memmove(messages + at, messages + at + 1, (--conversation->n_messages - at) * sizeof *messages);
}

void psst_conversation_clear(struct psst_conversation *conversation)
{
    for (size_t i = 0; i < conversation->n_messages; i++) message_free(&conversation->messages[i]);
    conversation->n_messages = conversation->n_items = conversation->bytes = 0;
}

int64_t psst_window_first(const struct psst_conversation *conversation)
{
    return conversation->n_messages > 0 ? conversation->messages[0].item.seq : 0;
}

int64_t psst_window_last(const struct psst_conversation *conversation)
{
    return conversation->n_messages > 0 ? conversation->messages[conversation->n_messages - 1].item.seq : 0;
}

static void trim(struct psst_conversation *conversation, enum psst_window_side gives)
{
    while (conversation->n_messages > 1 && conversation->bytes > PSST_WINDOW_BYTES) {
        drop(conversation, gives == PSST_WINDOW_OLDER ? 0 : conversation->n_messages - 1);
        if (gives == PSST_WINDOW_OLDER)
            conversation->older = true;
        else
            conversation->newer = true;
    }
}

/* Where it belongs; what is damaged stands before a message of the same seq. *same: it is there already. */
static size_t place_of(const struct psst_conversation *conversation, enum psst_item_kind kind, int64_t seq, bool *same)
{
    size_t lo = 0, hi = conversation->n_messages;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        const struct psst_item *item = &conversation->messages[mid].item;
        bool less = item->seq < seq || (item->seq == seq && item->kind == PSST_ITEM_DAMAGED && kind != item->kind);
        if (less)
            lo = mid + 1;
        else
            hi = mid;
    }
    *same = lo < conversation->n_messages && conversation->messages[lo].item.seq == seq &&
            conversation->messages[lo].item.kind == kind;
    return lo;
}

/* The side that grows pushes the other one out, and no message within a full window. */
static bool make_room(struct psst_conversation *conversation, size_t *at, enum psst_window_side grows)
{
    if (conversation->n_messages < PSST_WINDOW_MESSAGES) return true;
    if (grows == PSST_WINDOW_NEWER) {
        if (*at == 0) return false;
        drop(conversation, 0);
        conversation->older = true;
        (*at)--;
    } else {
        if (*at == conversation->n_messages) return false;
        drop(conversation, conversation->n_messages - 1);
        conversation->newer = true;
    }
    return true;
}

static bool put(struct psst_conversation *conversation, size_t at, struct psst_held_message *message,
                enum psst_window_side grows)
{
    struct psst_held_message *messages = conversation->messages;
    if (!make_room(conversation, &at, grows)) {
        message_free(message);
        return false;
    }
    message->item.serial = ++conversation->model->last_serial;
    memmove(messages + at + 1, messages + at, (conversation->n_messages++ - at) * sizeof *messages);
    messages[at] = *message;
    conversation->bytes += message->item.text.len;
    trim(conversation, grows == PSST_WINDOW_NEWER ? PSST_WINDOW_OLDER : PSST_WINDOW_NEWER);
    return true;
}

/* A copy with its NUL, and what it is a view of. */
static char *copy_text(struct psst_view *text)
{
    if (text->len > PSST_MODEL_TEXT) text->len = PSST_MODEL_TEXT;
    char *copy = malloc(text->len + 1);
    if (copy == NULL) return NULL;
    if (text->len > 0) memcpy(copy, text->data, text->len);
    copy[text->len] = '\0';
    text->data = (const uint8_t *)copy;
    return copy;
}

bool psst_window_put(struct psst_conversation *conversation, const struct psst_conversation_news *news,
                     enum psst_window_side grows)
{
    bool same;
    size_t at = place_of(conversation, PSST_ITEM_MESSAGE, news->seq, &same);
    if (same) return true;
    struct psst_held_message message = {.item = {.kind = PSST_ITEM_MESSAGE,
                                                 .state = news->state,
                                                 .out = news->out,
                                                 .seq = news->seq,
                                                 .time_ms = news->time_ms,
                                                 .text = news->text,
                                                 .reason = ""}};
    message.text = copy_text(&message.item.text);
    if (message.text == NULL) return false;
    if (news->reason[0] != '\0') message.reason = strndup(news->reason, PSST_MODEL_WORDS);
    if (message.reason != NULL) message.item.reason = message.reason;
    psst_model_copy(message.id, sizeof message.id, news->id);
    psst_model_catch_up(conversation->model, &message);
    return put(conversation, at, &message, grows);
}

bool psst_window_put_damaged(struct psst_conversation *conversation, const json_t *gap, enum psst_window_side grows)
{
    bool same;
    int64_t first = psst_model_int(gap, "first", 1);
    size_t at = place_of(conversation, PSST_ITEM_DAMAGED, first, &same);
    if (same) return true;
    const char *words = psst_model_string(gap, "words");
    struct psst_held_message message = {
        .item = {.kind = PSST_ITEM_DAMAGED, .seq = first, .reason = "", .text = psst_view(words, strlen(words))}};
    if (at > 0) message.item.time_ms = conversation->messages[at - 1].item.time_ms;
    if (at == 0 && conversation->n_messages > 0) message.item.time_ms = conversation->messages[0].item.time_ms;
    if (message.item.text.len >= PSST_MODEL_WORDS) message.item.text.len = PSST_MODEL_WORDS - 1;
    message.text = copy_text(&message.item.text);
    return message.text != NULL && put(conversation, at, &message, grows);
}

/* ---- what is erased ---- */

static void erase_text(struct psst_conversation *conversation, struct psst_held_message *message)
{
    conversation->bytes -= message->item.text.len;
    if (message->text != NULL) psst_wipe(message->text, message->item.text.len);
    message->item.text.len = 0;
}

/* Both are in the order of seq. */
void psst_window_keep(struct psst_conversation *conversation, int64_t first, int64_t last, const json_t *messages)
{
    size_t j = 0, n = json_array_size(messages);
    for (size_t i = 0; i < conversation->n_messages;) {
        struct psst_held_message *message = &conversation->messages[i];
        int64_t seq = message->item.seq;
        if (message->item.kind != PSST_ITEM_MESSAGE || seq < first || seq > last) {
            i++;
            continue;
        }
        while (j < n && psst_model_int(json_array_get(messages, j), "seq", 0) < seq) j++;
        const json_t *left = j < n ? json_array_get(messages, j) : NULL;
        if (psst_model_int(left, "seq", 0) != seq) {
            drop(conversation, i);
            continue;
        }
        if (json_string_length(json_object_get(left, "text")) == 0) erase_text(conversation, message);
        i++;
    }
}

/* ---- notes ---- */

static void weave_note(struct psst_conversation *conversation, const struct psst_note *note)
{
    int64_t before = conversation->n_items > 0 ? conversation->items[conversation->n_items - 1].seq : 0;
    if (conversation->n_items == PSST_CONVERSATION_MAX) return;
    conversation->items[conversation->n_items++] = (struct psst_item){.serial = note->serial,
                                                                      .kind = PSST_ITEM_NOTE,
                                                                      .state = PSST_STATE_SHOWN,
                                                                      .seq = before,
                                                                      .time_ms = note->time_ms,
                                                                      .text = psst_view(note->text, note->len),
                                                                      .reason = ""};
}

void psst_conversation_weave(struct psst_conversation *conversation)
{
    const struct psst_held_person *person = conversation->person;
    const struct psst_note *note = person != NULL ? person->notes : NULL;
    const struct psst_note *end = note != NULL ? note + person->n_notes : NULL;
    conversation->n_items = 0;
    if (conversation->older) /* of what is further up */
        for (int64_t first = psst_window_first(conversation); note != end && note->before != 0 && note->before < first;)
            note++;
    for (size_t i = 0; i < conversation->n_messages; i++) {
        const struct psst_item *item = &conversation->messages[i].item;
        for (; note != end && note->before != 0 && note->before <= item->seq; note++) weave_note(conversation, note);
        conversation->items[conversation->n_items++] = *item;
    }
    if (conversation->newer) return;
    for (; note != end; note++) weave_note(conversation, note);
}
