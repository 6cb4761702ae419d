/* Text, as a whole: what hangs on a contact, the one alarm, the events of links and what they mean for whom. The parts are
 * drawn in delivery/internal.h. */
#include "daemon/delivery/internal.h"

#include "base/text.h"
#include "daemon/reconnect/reconnect.h"

#include <stdlib.h>

enum psst_err psst_delivery_new(struct psst_delivery **out, struct psst_daemon *d)
{
    struct psst_delivery *delivery = calloc(1, sizeof *delivery);
    if (delivery == NULL) return PSST_ERR_MEMORY;
    delivery->d = d;
    delivery->alarm_ns = PSST_NEVER;
    (void)uv_timer_init(d->loop, &delivery->alarm); /* cannot fail */
    delivery->alarm.data = delivery;
    *out = delivery;
    return PSST_OK;
}

void psst_delivery_close(struct psst_delivery *delivery)
{
    uv_close((uv_handle_t *)&delivery->alarm, NULL);
}

void psst_delivery_free(struct psst_delivery *delivery)
{
    free(delivery);
}

struct courier *psst_courier_of(struct psst_contact *contact)
{
    if (contact->delivery == NULL) contact->delivery = calloc(1, sizeof(struct courier));
    return contact->delivery;
}

void psst_delivery_forget(struct psst_delivery *delivery, struct psst_contact *contact)
{
    struct courier *c = contact->delivery;
    (void)delivery;
    if (c != NULL) free(c->chains);
    free(c);
    contact->delivery = NULL;
}

void psst_delivery_unloaded(struct psst_delivery *delivery)
{
    for (struct psst_contact *c = psst_book_first(delivery->d->book); c != NULL; c = c->next)
        psst_delivery_forget(delivery, c);
}

/* ---- the alarm ---- */

static void on_alarm(uv_timer_t *timer)
{
    struct psst_delivery *delivery = timer->data;
    uint64_t now_ns = psst_daemon_now(delivery->d).mono_ns;
    delivery->alarm_ns = PSST_NEVER;
    for (struct psst_contact *contact = psst_book_first(delivery->d->book); contact != NULL; contact = contact->next) {
        if (contact->delivery == NULL) continue;
        psst_delivery_wake_at(delivery, psst_delivery_in_alarm(delivery, contact->delivery, now_ns));
        psst_delivery_wake_at(delivery, psst_delivery_out_alarm(delivery, contact, now_ns));
        psst_delivery_wake_at(delivery, psst_delivery_receipts_alarm(delivery, contact, now_ns));
    }
}

void psst_delivery_wake_at(struct psst_delivery *delivery, uint64_t at_ns)
{
    if (at_ns >= delivery->alarm_ns || uv_is_closing((uv_handle_t *)&delivery->alarm)) return;
    uint64_t now_ns = psst_daemon_now(delivery->d).mono_ns;
    uint64_t ms = at_ns > now_ns ? (at_ns - now_ns) / 1000000 + 1 : 0;
    delivery->alarm_ns = at_ns;
    (void)uv_timer_start(&delivery->alarm, on_alarm, ms, 0);
}

/* ---- telling ---- */

void psst_delivery_state(struct psst_delivery *delivery, const struct psst_contact *contact,
                         const struct psst_msg_id *msg_id, int64_t seq, enum psst_message_state state, uint8_t reason)
{
    char id[2 * sizeof msg_id->b + 1];
    psst_hex_encode(id, msg_id->b, sizeof msg_id->b);
    json_t *params =
        json_pack("{s:s, s:s, s:s}", "contact", contact->alias, "id", id, "state", psst_message_state_name(state));
    if (params == NULL) return;
    if (seq > 0) (void)json_object_set_new(params, "seq", json_integer((json_int_t)seq));
    if (reason != 0) {
        char words[PSST_REASON_SIZE];
        (void)json_object_set_new(params, "reason", json_string(psst_message_reason(words, contact->alias, reason)));
    }
    psst_daemon_event(delivery->d, "message.state", params);
}

void psst_delivery_less(struct psst_delivery *delivery, struct psst_contact *contact, uint32_t n)
{
    if (n == 0) return;
    contact->waiting -= n < contact->waiting ? n : contact->waiting;
    if (contact->waiting == 0) psst_reconnect_changed(delivery->d, contact);
}

/* ---- events ---- */

void psst_delivery_event(struct psst_delivery *delivery, struct psst_conn *conn, const struct psst_event *ev)
{
    struct psst_contact *contact = psst_conn_contact(conn);
    if (ev->type == PSST_EV_TEXT) psst_delivery_arrived(delivery, conn, &ev->text);
    if (ev->type == PSST_EV_ACK) psst_delivery_acked(delivery, contact, ev->ids);
    if (ev->type == PSST_EV_READ) psst_delivery_read(delivery, contact, ev->ids);
    if (ev->type == PSST_EV_NOT_ACCEPTED) psst_delivery_not_accepted(delivery, contact, ev);
}

/* ---- what was there before ---- */

struct counts {
    struct psst_delivery *delivery;
    struct psst_counts_row *rows;
    size_t n, room;
};

static enum psst_err counts_each(void *ctx, const struct psst_counts_row *row)
{
    struct counts *counts = ctx;
    if (counts->n == counts->room) {
        size_t room = counts->room == 0 ? 64 : 2 * counts->room;
        struct psst_counts_row *rows = realloc(counts->rows, room * sizeof *rows);
        if (rows == NULL) return PSST_ERR_MEMORY;
        counts->rows = rows;
        counts->room = room;
    }
    counts->rows[counts->n++] = *row;
    return PSST_OK;
}

static enum psst_err counts_work(struct psst_store *store, void *arg)
{
    return psst_store_counts(store, counts_each, arg);
}

/* Added, not set: something may have come or gone since. */
static void counts_done(void *arg, enum psst_err err, const char *words)
{
    struct counts *counts = arg;
    struct psst_daemon *d = counts->delivery->d;
    if (err != PSST_OK && err != PSST_ERR_LOCKED)
        psst_log_limited(&d->log, PSST_LOG_ERROR, "outbox-not-counted", "reason=\"%s\"", words);
    for (size_t i = 0; err == PSST_OK && i < counts->n; i++) {
        const struct psst_counts_row *row = &counts->rows[i];
        struct psst_contact *contact = psst_book_by_id(d->book, row->contact_id);
        if (contact == NULL) continue;
        contact->waiting += row->waiting;
        contact->unread += row->unread.texts;
        contact->unread_bytes += row->unread.bytes;
        if (row->waiting > 0) psst_reconnect_changed(d, contact);
    }
    free(counts->rows);
    free(counts);
}

void psst_delivery_loaded(struct psst_delivery *delivery)
{
    struct counts *counts = calloc(1, sizeof *counts);
    if (counts == NULL) return;
    counts->delivery = delivery;
    psst_store_run(delivery->d->store, counts_work, counts_done, counts);
}
