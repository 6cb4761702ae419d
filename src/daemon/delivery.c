/* Text on its way out: outbox -> link -> acknowledgement -> store. The way in is delivery_in.c.
 *
 * The store is the queue. A session begins with a walk over what waits there, in the order of storing, a batch at a
 * time and never more than a window unacknowledged. What is said while the walk has caught up is sent straight from
 * memory. Nothing is settled before the other side has acknowledged it, and that means committed. Who cannot take any now
 * (he has paused us, or his disk is full) is left alone for a while; then one text finds out whether that has changed.
 */
#include "daemon/delivery_internal.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>

#define WINDOW         256 /* texts sent and not acknowledged */
#define BATCH          64
#define REST_PAUSED_NS (600 * PSST_SECOND_NS) /* docs/PROTOCOL.md: not accepted, reasons 4 and 3 */
#define REST_DISK_NS   (60 * PSST_SECOND_NS)

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
    (void)delivery;
    free(contact->delivery);
    contact->delivery = NULL;
}

void psst_delivery_unloaded(struct psst_delivery *delivery)
{
    for (struct psst_contact *c = psst_book_first(delivery->d->book); c != NULL; c = c->next)
        psst_delivery_forget(delivery, c);
}

/* ---- the alarm ---- */

static uint64_t out_alarm(struct psst_delivery *delivery, struct psst_contact *contact, uint64_t now_ns);

static void on_alarm(uv_timer_t *timer)
{
    struct psst_delivery *delivery = timer->data;
    uint64_t now_ns = psst_daemon_now(delivery->d).mono_ns;
    delivery->alarm_ns = PSST_NEVER;
    for (struct psst_contact *contact = psst_book_first(delivery->d->book); contact != NULL; contact = contact->next) {
        if (contact->delivery == NULL) continue;
        psst_delivery_wake_at(delivery, psst_delivery_in_alarm(delivery, contact->delivery, now_ns));
        psst_delivery_wake_at(delivery, out_alarm(delivery, contact, now_ns));
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

static void state_event(struct psst_delivery *delivery, const struct psst_contact *contact,
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

/* ---- out: the walk over the outbox ---- */

struct entry {
    struct entry *next;
    struct psst_text text; /* utf8 points behind */
    int64_t seq;
    uint8_t bytes[];
};

struct walk {
    struct psst_delivery *delivery;
    int64_t contact_id, after;
    uint32_t generation;
    size_t limit, n;
    struct entry *first, **end;
};

static void pump(struct psst_delivery *delivery, struct psst_contact *contact);

static enum psst_err walk_each(void *ctx, const struct psst_message_row *row)
{
    struct walk *walk = ctx;
    struct entry *e = malloc(sizeof *e + row->text.len);
    if (e == NULL) return PSST_ERR_MEMORY;
    memcpy(e->bytes, row->text.data, row->text.len);
    e->next = NULL;
    e->seq = row->seq;
    e->text = (struct psst_text){row->id, row->time_ms, psst_view(e->bytes, row->text.len)};
    *walk->end = e;
    walk->end = &e->next;
    walk->n++;
    return PSST_OK;
}

static enum psst_err walk_work(struct psst_store *store, void *arg)
{
    struct walk *walk = arg;
    return psst_store_outbox(store, walk->contact_id, walk->after, walk->limit, walk_each, walk);
}

/* False: it has not gone, and the walk goes on later. */
static bool send_text(struct psst_delivery *delivery, struct psst_contact *contact, struct courier *c,
                      const struct psst_text *text, int64_t seq)
{
    struct psst_conn *conn = contact->session;
    enum psst_err err = psst_link_text(psst_conn_link(conn), psst_daemon_now(delivery->d), text);
    if (err != PSST_OK) {
        c->stalled = err == PSST_ERR_AGAIN;
        c->more = true;
        return false;
    }
    c->cursor = seq;
    c->unacked++;
    psst_conn_kick(conn);
    return true;
}

static void entries_free(struct entry *e)
{
    while (e != NULL) {
        struct entry *next = e->next;
        psst_wipe(e->bytes, e->text.utf8.len);
        free(e);
        e = next;
    }
}

static void walk_done(void *arg, enum psst_err err, const char *words)
{
    struct walk *walk = arg;
    struct psst_delivery *delivery = walk->delivery;
    struct psst_contact *contact = psst_book_by_id(delivery->d->book, walk->contact_id);
    struct courier *c = contact != NULL ? contact->delivery : NULL;
    if (err != PSST_OK && err != PSST_ERR_LOCKED)
        psst_log_limited(&delivery->d->log, PSST_LOG_ERROR, "outbox-not-read", "reason=\"%s\"", words);
    if (c != NULL && c->generation == walk->generation) {
        c->walking = false;
        if (err == PSST_OK && walk->n == walk->limit) c->more = true;
        if (contact->session != NULL && err == PSST_OK)
            for (struct entry *e = walk->first; e != NULL; e = e->next)
                if (!send_text(delivery, contact, c, &e->text, e->seq)) break;
        if (err == PSST_OK) pump(delivery, contact);
    }
    entries_free(walk->first);
    free(walk);
}

static uint32_t window(const struct courier *c)
{
    return c->resting ? 0 : c->probing ? 1 : WINDOW;
}

static void pump(struct psst_delivery *delivery, struct psst_contact *contact)
{
    struct courier *c = contact->delivery;
    if (c == NULL || contact->session == NULL || !c->more || c->walking || c->stalled || c->unacked >= window(c))
        return;
    struct walk *walk = calloc(1, sizeof *walk);
    if (walk == NULL) return;
    size_t room = window(c) - c->unacked;
    *walk = (struct walk){.delivery = delivery,
                          .contact_id = contact->id,
                          .after = c->cursor,
                          .generation = c->generation,
                          .limit = room < BATCH ? room : BATCH};
    walk->end = &walk->first;
    c->walking = true;
    c->more = false;
    psst_store_run(delivery->d->store, walk_work, walk_done, walk);
}

/* All that waits, from its beginning. */
static void begin(struct psst_delivery *delivery, struct psst_contact *contact, struct courier *c)
{
    c->generation++;
    c->cursor = 0;
    c->unacked = 0;
    c->walking = c->stalled = c->resting = false;
    c->more = true;
    pump(delivery, contact);
}

void psst_delivery_up(struct psst_delivery *delivery, struct psst_contact *contact)
{
    struct courier *c = psst_courier_of(contact);
    if (c != NULL) begin(delivery, contact, c);
}

void psst_delivery_down(struct psst_delivery *delivery, struct psst_contact *contact)
{
    struct courier *c = contact->delivery;
    (void)delivery;
    if (c == NULL) return;
    c->generation++;
    c->walking = false;
}

void psst_delivery_rest(struct psst_delivery *delivery, struct psst_contact *contact, uint8_t reason)
{
    struct courier *c = psst_courier_of(contact);
    if (c == NULL) return;
    bool paused = reason == PSST_NOT_ACCEPTED_PAUSED;
    contact->paused_us = paused;
    c->resting = c->probing = true;
    c->rest_reason = reason;
    c->rest_ns = psst_daemon_now(delivery->d).mono_ns + (paused ? REST_PAUSED_NS : REST_DISK_NS);
    psst_delivery_wake_at(delivery, c->rest_ns);
}

static uint64_t out_alarm(struct psst_delivery *delivery, struct psst_contact *contact, uint64_t now_ns)
{
    struct courier *c = contact->delivery;
    if (!c->resting || contact->session == NULL) return PSST_NEVER;
    if (now_ns < c->rest_ns) return c->rest_ns;
    begin(delivery, contact, c);
    psst_transfers_offer_again(delivery->d->transfers, contact); /* offers meet the same answer */
    return PSST_NEVER;
}

void psst_delivery_writable(struct psst_delivery *delivery, struct psst_conn *conn)
{
    struct psst_contact *contact = psst_conn_contact(conn);
    struct courier *c = contact->delivery;
    if (c == NULL || !c->stalled) return;
    c->stalled = false;
    pump(delivery, contact);
}

/* ---- out: saying ---- */

struct say {
    struct psst_delivery *delivery;
    psst_say_done *done;
    void *ctx;
    struct psst_message_row row;
    uint8_t text[];
};

static enum psst_err say_work(struct psst_store *store, void *arg)
{
    struct say *say = arg;
    return psst_store_message_out(store, &say->row);
}

static void send_or_dial(struct psst_delivery *delivery, struct psst_contact *contact,
                         const struct psst_message_row *row)
{
    struct courier *c = psst_courier_of(contact);
    if (c == NULL) return;
    if (contact->session == NULL) {
        psst_peers_dial_quietly(delivery->d->peers, contact);
        return;
    }
    if (c->resting) { /* the person is told, and it is tried now: somebody may have changed his mind */
        state_event(delivery, contact, &row->id, row->seq, PSST_MESSAGE_WAITING, c->rest_reason);
        begin(delivery, contact, c);
        return;
    }
    if (c->more || c->walking || c->stalled || c->unacked >= window(c)) {
        c->more = true; /* it takes its turn behind what waits */
        pump(delivery, contact);
        return;
    }
    const struct psst_text text = {row->id, row->time_ms, row->text};
    (void)send_text(delivery, contact, c, &text, row->seq);
}

static void say_done(void *arg, enum psst_err err, const char *words)
{
    struct say *say = arg;
    struct psst_delivery *delivery = say->delivery;
    struct psst_contact *contact = psst_book_by_id(delivery->d->book, say->row.contact_id);
    if (err == PSST_OK && contact == NULL) {
        err = PSST_ERR_NOT_FOUND;
        words = "the contact was removed";
    }
    if (err == PSST_OK) contact->waiting++;
    say->done(say->ctx, err, words, err == PSST_OK ? &say->row : NULL);
    if (err == PSST_OK) {
        psst_daemon_event(delivery->d, "message", psst_message_json(contact, &say->row));
        send_or_dial(delivery, contact, &say->row);
    }
    psst_wipe(say->text, say->row.text.len);
    free(say);
}

void psst_delivery_say(struct psst_delivery *delivery, struct psst_contact *contact, struct psst_view text,
                       psst_say_done *done, void *ctx)
{
    if (text.len == 0 || text.len > PSST_TEXT_MAX || !psst_text_valid(text)) {
        done(ctx, PSST_ERR_USAGE, "a message is 1 to 65474 bytes of UTF-8 text", NULL);
        return;
    }
    struct say *say = calloc(1, sizeof *say + text.len);
    if (say == NULL) {
        done(ctx, PSST_ERR_MEMORY, "out of memory", NULL);
        return;
    }
    uint64_t now_ms = psst_daemon_now(delivery->d).unix_ms;
    memcpy(say->text, text.data, text.len);
    say->delivery = delivery;
    say->done = done;
    say->ctx = ctx;
    say->row = (struct psst_message_row){.contact_id = contact->id,
                                         .direction = PSST_OUT,
                                         .state = PSST_MESSAGE_WAITING,
                                         .time_ms = now_ms,
                                         .stored_ms = now_ms,
                                         .text = psst_view(say->text, text.len)};
    psst_crypto_rng.fill(psst_crypto_rng.ctx, say->row.id.b, sizeof say->row.id.b);
    psst_store_run(delivery->d->store, say_work, say_done, say);
}

/* ---- out: settling ---- */

struct settle {
    struct psst_delivery *delivery;
    int64_t contact_id;
    enum psst_message_state state;
    uint8_t reason;
    size_t n;
    struct settled {
        struct psst_msg_id id;
        int64_t seq; /* 0: was not waiting */
    } ids[];
};

static enum psst_err settle_work(struct psst_store *store, void *arg)
{
    struct settle *settle = arg;
    for (size_t i = 0; i < settle->n; i++) {
        struct settled *one = &settle->ids[i];
        enum psst_err err =
            psst_store_message_settle(store, settle->contact_id, &one->id, settle->state, settle->reason, &one->seq);
        if (err == PSST_ERR_NOT_FOUND)
            one->seq = 0; /* never sent to him, or settled already (attack 21) */
        else if (err != PSST_OK)
            return err;
    }
    return PSST_OK;
}

static void settle_done(void *arg, enum psst_err err, const char *words)
{
    struct settle *settle = arg;
    struct psst_delivery *delivery = settle->delivery;
    struct psst_contact *contact = psst_book_by_id(delivery->d->book, settle->contact_id);
    if (err != PSST_OK && err != PSST_ERR_LOCKED) /* it is sent again at the next session, and acknowledged again */
        psst_log_limited(&delivery->d->log, PSST_LOG_ERROR, "not-settled", "reason=\"%s\"", words);
    struct courier *c = contact != NULL ? contact->delivery : NULL;
    if (c != NULL && err == PSST_OK && settle->state == PSST_MESSAGE_DELIVERED) c->probing = contact->paused_us = false;
    for (size_t i = 0; err == PSST_OK && contact != NULL && i < settle->n; i++) {
        if (settle->ids[i].seq == 0) continue;
        if (contact->waiting > 0) contact->waiting--;
        if (c != NULL && c->unacked > 0) c->unacked--;
        state_event(delivery, contact, &settle->ids[i].id, settle->ids[i].seq, settle->state, settle->reason);
    }
    if (contact != NULL) pump(delivery, contact);
    free(settle);
}

static void settle(struct psst_delivery *delivery, const struct psst_contact *contact, struct psst_view ids,
                   enum psst_message_state state, uint8_t reason)
{
    size_t n = ids.len / sizeof(struct psst_msg_id);
    struct settle *job = calloc(1, sizeof *job + n * sizeof job->ids[0]);
    if (job == NULL) return;
    *job = (struct settle){.delivery = delivery, .contact_id = contact->id, .state = state, .reason = reason, .n = n};
    for (size_t i = 0; i < n; i++)
        memcpy(job->ids[i].id.b, ids.data + i * sizeof(struct psst_msg_id), sizeof job->ids[i].id.b);
    psst_store_run(delivery->d->store, settle_work, settle_done, job);
}

static void not_accepted(struct psst_delivery *delivery, struct psst_contact *contact, const struct psst_event *ev)
{
    bool later = ev->reason == PSST_NOT_ACCEPTED_DISK_FULL || ev->reason == PSST_NOT_ACCEPTED_PAUSED;
    psst_log_limited(&delivery->d->log, PSST_LOG_WARNING, "text-not-accepted", "contact=%s reason=%u", contact->alias,
                     (unsigned)ev->reason);
    if (!later) {
        settle(delivery, contact, psst_view(ev->id.b, sizeof ev->id.b), PSST_MESSAGE_REFUSED, ev->reason);
        return;
    }
    struct courier *c = contact->delivery;
    if (c == NULL || c->unacked == 0) return; /* nothing was sent */
    c->unacked--;
    psst_delivery_rest(delivery, contact, ev->reason);
    state_event(delivery, contact, &ev->id, 0, PSST_MESSAGE_WAITING, ev->reason);
}

/* ---- events ---- */

void psst_delivery_event(struct psst_delivery *delivery, struct psst_conn *conn, const struct psst_event *ev)
{
    struct psst_contact *contact = psst_conn_contact(conn);
    if (ev->type == PSST_EV_TEXT) psst_delivery_arrived(delivery, conn, &ev->text);
    if (ev->type == PSST_EV_ACK) settle(delivery, contact, ev->ids, PSST_MESSAGE_DELIVERED, 0);
    if (ev->type == PSST_EV_NOT_ACCEPTED) not_accepted(delivery, contact, ev);
}

/* ---- what was there before ---- */

struct count {
    struct psst_delivery *delivery;
    int64_t contact_id;
    uint32_t waiting;
    struct psst_unread unread;
};

static enum psst_err count_waiting(void *ctx, const struct psst_message_row *row)
{
    (void)row;
    ((struct count *)ctx)->waiting++;
    return PSST_OK;
}

static enum psst_err count_work(struct psst_store *store, void *arg)
{
    struct count *count = arg;
    enum psst_err err = psst_store_outbox(store, count->contact_id, 0, SIZE_MAX, count_waiting, count);
    return err != PSST_OK ? err : psst_store_unread(store, count->contact_id, &count->unread);
}

/* Added, not set: something may have come or gone since. */
static void count_done(void *arg, enum psst_err err, const char *words)
{
    struct count *count = arg;
    struct psst_contact *contact = psst_book_by_id(count->delivery->d->book, count->contact_id);
    (void)words;
    if (err == PSST_OK && contact != NULL) {
        contact->waiting += count->waiting;
        contact->unread += count->unread.texts;
        contact->unread_bytes += count->unread.bytes;
    }
    free(count);
}

void psst_delivery_loaded(struct psst_delivery *delivery)
{
    for (struct psst_contact *c = psst_book_first(delivery->d->book); c != NULL; c = c->next) {
        struct count *count = calloc(1, sizeof *count);
        if (count == NULL) return;
        count->delivery = delivery;
        count->contact_id = c->id;
        psst_store_run(delivery->d->store, count_work, count_done, count);
    }
}
