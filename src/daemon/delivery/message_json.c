/* A message as docs/IPC.md shows it. */
#include "daemon/delivery/internal.h"

#include "base/text.h"

#include <stdio.h>
#include <time.h>

#define YEAR_9999_MS UINT64_C(253402300799999)

const char *psst_message_state_name(enum psst_message_state state)
{
    switch (state) {
    case PSST_MESSAGE_WAITING: return "waiting";
    case PSST_MESSAGE_DELIVERED: return "delivered";
    case PSST_MESSAGE_REFUSED: return "refused";
    case PSST_MESSAGE_RECEIVED: return "received";
    case PSST_MESSAGE_SHOWN: return "shown";
    case PSST_MESSAGE_SENT: return "sent";
    case PSST_MESSAGE_READ: return "read";
    case PSST_MESSAGE_RECALLED: return "recalled";
    }
    return "unknown";
}

const char *psst_message_reason(char out[PSST_REASON_SIZE], const char *alias, uint8_t reason)
{
    switch (reason) {
    case PSST_NOT_ACCEPTED_MALFORMED: return "the other side cannot read this message";
    case PSST_NOT_ACCEPTED_OTHER_BODY: return "the other side has another message under this identifier";
    case PSST_NOT_ACCEPTED_DISK_FULL: return "the other side cannot save it now; it waits, and is tried again";
    case PSST_NOT_ACCEPTED_PAUSED:
        (void)snprintf(out, PSST_REASON_SIZE, "%s has paused you: not delivered; it waits, and is tried again", alias);
        return out;
    default: return "the other side does not accept this message";
    }
}

/* RFC 3339, UTC. The clock is the sender's, and may say anything. */
static void time_text(char out[32], uint64_t time_ms)
{
    if (time_ms > YEAR_9999_MS) time_ms = YEAR_9999_MS;
    time_t seconds = (time_t)(time_ms / 1000);
    struct tm tm;
    char date[24];
    (void)gmtime_r(&seconds, &tm);
    (void)strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &tm);
    (void)snprintf(out, 32, "%s.%03uZ", date, (unsigned)(time_ms % 1000));
}

static json_t *text_json(struct psst_view text)
{
    json_t *json = json_stringn(text.len > 0 ? (const char *)text.data : "", text.len);
    return json != NULL ? json : json_string("");
}

/* It is not accepted, for good or for now; *reason says why. */
static bool is_not_accepted(const struct psst_contact *contact, const struct psst_message_row *row, uint8_t *reason)
{
    const struct courier *c = contact->session != NULL ? contact->delivery : NULL;
    bool refused = row->state == PSST_MESSAGE_REFUSED;
    bool goes = row->direction == PSST_OUT && (row->state == PSST_MESSAGE_WAITING || row->state == PSST_MESSAGE_SENT);
    *reason = refused ? row->reason : goes && c != NULL && c->resting ? c->rest_reason : 0;
    return refused || *reason != 0;
}

json_t *psst_message_json(const struct psst_contact *contact, const struct psst_message_row *row)
{
    char id[2 * sizeof row->id.b + 1], when[32], words[PSST_REASON_SIZE];
    uint64_t time_ms = row->time_ms > YEAR_9999_MS ? YEAR_9999_MS : row->time_ms;
    psst_hex_encode(id, row->id.b, sizeof row->id.b);
    time_text(when, row->time_ms);
    json_t *message = json_pack("{s:s, s:I, s:s, s:s, s:I, s:s, s:s, s:o}", "id", id, "seq", (json_int_t)row->seq,
                                "contact", contact->alias, "time", when, "time_ms", (json_int_t)time_ms, "direction",
                                row->direction == PSST_OUT ? "out" : "in", "state", psst_message_state_name(row->state),
                                "text", text_json(row->text));
    uint64_t sent_ms = row->sent_ms > YEAR_9999_MS ? YEAR_9999_MS : row->sent_ms;
    if (message != NULL && sent_ms > 0)
        (void)json_object_set_new(message, "sent_ms", json_integer((json_int_t)sent_ms));
    uint8_t reason;
    if (message != NULL && is_not_accepted(contact, row, &reason))
        (void)json_object_set_new(message, "reason", json_string(psst_message_reason(words, contact->alias, reason)));
    return message;
}
