/* Text on its way out: outbox -> link. What comes back is delivery/settle.c.
 *
 * The store is the queue. A session begins with a walk over what waits there, in the order of storing, a batch at a
 * time and never more than a window unacknowledged. A batch is marked as sent by the commit of the job that reads it, and
 * leaves after that. What is said while the walk has caught up is stored as sent, and goes straight from memory.
 *
 * When something cannot go on - he has paused us, his disk is full, or ours is - nothing more is sent for a while; then a
 * walk begins anew at the oldest that is not settled, one text at a time until one has been taken.
 */
#include "daemon/delivery/internal.h"

#include "base/text.h"
#include "daemon/reconnect/reconnect.h"

#include <stdio.h>
#include <stdlib.h>

#define WINDOW     256 /* texts sent and not acknowledged */
#define BATCH      64
#define BATCH_MAX  ((size_t)512 * 1024)  /* bytes of text: as the link has room for */
#define REST_FIRST (30 * PSST_SECOND_NS) /* docs/PROTOCOL.md: not accepted, reason 3; doubled each time */
#define RESTS_MAX  5
#define REST_MOST  (600 * PSST_SECOND_NS) /* and reason 4 */

/* ---- the walk over the outbox ---- */

struct entry {
    struct entry *next;
    struct psst_text text; /* utf8 points behind */
    int64_t seq;
    bool news; /* it was waiting before */
    uint8_t bytes[];
};

struct walk {
    struct psst_delivery *delivery;
    int64_t contact_id, after;
    uint32_t generation;
    uint64_t now_ms;
    size_t limit, n, bytes;
    struct entry *first, **end;
};

static enum psst_err walk_each(void *ctx, const struct psst_message_row *row)
{
    struct walk *walk = ctx;
    struct entry *e = malloc(sizeof *e + row->text.len);
    if (e == NULL) return PSST_ERR_MEMORY;
    memcpy(e->bytes, row->text.data, row->text.len);
    e->next = NULL;
    e->seq = row->seq;
    e->news = row->state == PSST_MESSAGE_WAITING;
    e->text = (struct psst_text){row->id, row->time_ms, psst_view(e->bytes, row->text.len)};
    *walk->end = e;
    walk->end = &e->next;
    walk->n++;
    walk->bytes += row->text.len;
    return PSST_OK;
}

static enum psst_err walk_work(struct psst_store *store, void *arg)
{
    struct walk *walk = arg;
    return psst_store_outbox_send(store, walk->contact_id, walk->after, walk->limit, BATCH_MAX, walk->now_ms, walk_each,
                                  walk);
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

static void send_batch(struct psst_delivery *delivery, struct psst_contact *contact, struct courier *c,
                       const struct walk *walk)
{
    c->walking = false;
    if (walk->n == walk->limit || walk->bytes >= BATCH_MAX) c->more = true;
    for (struct entry *e = walk->first; e != NULL && contact->session != NULL; e = e->next)
        if (!send_text(delivery, contact, c, &e->text, e->seq)) break;
    psst_delivery_pump(delivery, contact);
}

static void walk_done(void *arg, enum psst_err err, const char *words)
{
    struct walk *walk = arg;
    struct psst_delivery *delivery = walk->delivery;
    struct psst_contact *contact = psst_book_by_id(delivery->d->book, walk->contact_id);
    struct courier *c = contact != NULL ? contact->delivery : NULL;
    bool ours = c != NULL && c->generation == walk->generation;
    if (err != PSST_OK && err != PSST_ERR_LOCKED)
        psst_log_limited(&delivery->d->log, PSST_LOG_ERROR, "outbox-not-read", "reason=\"%s\"", words);
    for (struct entry *e = walk->first; e != NULL && err == PSST_OK && contact != NULL; e = e->next)
        if (e->news) psst_delivery_state(delivery, contact, &e->text.id, e->seq, PSST_MESSAGE_SENT, 0);
    if (ours && err == PSST_OK) send_batch(delivery, contact, c, walk);
    if (ours && err != PSST_OK && err != PSST_ERR_LOCKED) psst_delivery_again(delivery, contact);
    entries_free(walk->first);
    free(walk);
}

static uint32_t window(const struct courier *c)
{
    return c->resting ? 0 : c->probing ? 1 : WINDOW;
}

void psst_delivery_pump(struct psst_delivery *delivery, struct psst_contact *contact)
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
                          .now_ms = psst_daemon_now(delivery->d).unix_ms,
                          .limit = room < BATCH ? room : BATCH};
    walk->end = &walk->first;
    c->walking = true;
    c->more = false;
    psst_store_run(delivery->d->store, walk_work, walk_done, walk);
}

/* All that is not settled, from its beginning. */
static void begin(struct psst_delivery *delivery, struct psst_contact *contact, struct courier *c)
{
    c->generation++;
    c->cursor = 0;
    c->unacked = 0;
    c->walking = c->stalled = c->resting = false;
    c->more = true;
    psst_delivery_pump(delivery, contact);
}

void psst_delivery_up(struct psst_delivery *delivery, struct psst_contact *contact)
{
    struct courier *c = psst_courier_of(contact);
    if (c == NULL) return;
    c->rests = 0;
    begin(delivery, contact, c);
    psst_delivery_receipts_up(delivery, contact);
}

void psst_delivery_down(struct psst_delivery *delivery, struct psst_contact *contact)
{
    struct courier *c = contact->delivery;
    (void)delivery;
    if (c == NULL) return;
    c->generation++;
    c->walking = false;
}

void psst_delivery_writable(struct psst_delivery *delivery, struct psst_conn *conn)
{
    struct psst_contact *contact = psst_conn_contact(conn);
    struct courier *c = contact->delivery;
    if (c == NULL || !c->stalled) return;
    c->stalled = false;
    psst_delivery_pump(delivery, contact);
}

/* ---- resting ---- */

static uint64_t rest_time(const struct courier *c, uint8_t reason)
{
    if (reason == PSST_NOT_ACCEPTED_PAUSED) return REST_MOST;
    uint64_t ns = REST_FIRST << c->rests;
    return ns < REST_MOST ? ns : REST_MOST;
}

/* One refusal comes for each text under way; they all are one rest. */
void psst_delivery_rest(struct psst_delivery *delivery, struct psst_contact *contact, uint8_t reason)
{
    struct courier *c = psst_courier_of(contact);
    if (c == NULL) return;
    contact->paused_us = reason == PSST_NOT_ACCEPTED_PAUSED;
    if (c->resting && c->rest_reason == reason) return;
    c->resting = c->probing = true;
    c->rest_reason = reason;
    c->rest_ns = psst_daemon_now(delivery->d).mono_ns + rest_time(c, reason);
    psst_delivery_wake_at(delivery, c->rest_ns);
}

void psst_delivery_again(struct psst_delivery *delivery, struct psst_contact *contact)
{
    struct courier *c = psst_courier_of(contact);
    if (c == NULL || c->resting) return;
    c->generation++; /* a walk that is under way may hold what stands behind this */
    c->walking = false;
    c->resting = c->probing = true;
    c->rest_reason = 0;
    c->rest_ns = psst_daemon_now(delivery->d).mono_ns + rest_time(c, 0);
    psst_delivery_wake_at(delivery, c->rest_ns);
}

uint64_t psst_delivery_out_alarm(struct psst_delivery *delivery, struct psst_contact *contact, uint64_t now_ns)
{
    struct courier *c = contact->delivery;
    if (!c->resting || contact->session == NULL) return PSST_NEVER;
    if (now_ns < c->rest_ns) return c->rest_ns;
    if (c->rests < RESTS_MAX) c->rests++; /* what a person tries in between does not count */
    begin(delivery, contact, c);
    psst_transfers_offer_again(delivery->d->transfers, contact); /* offers meet the same answer */
    return PSST_NEVER;
}

const char *psst_delivery_why(struct psst_delivery *delivery, const struct psst_contact *contact,
                              char out[PSST_WHY_SIZE])
{
    const struct courier *c = contact->delivery;
    const char *alias = contact->alias;
    if (contact->blocked)
        (void)snprintf(out, PSST_WHY_SIZE, "%s is blocked by you", alias);
    else if (contact->session == NULL)
        (void)snprintf(out, PSST_WHY_SIZE, "there is no session with %s", alias);
    else if (c == NULL || !c->resting)
        (void)snprintf(out, PSST_WHY_SIZE, "on its way");
    else {
        const char *why = c->rest_reason == PSST_NOT_ACCEPTED_PAUSED ? "%s has paused you; tried again in %llu s"
                          : c->rest_reason != 0                      ? "%s cannot save it now; tried again in %llu s"
                                                : "%s: this machine could not write; tried again in %llu s";
        uint64_t now_ns = psst_daemon_now(delivery->d).mono_ns;
        uint64_t left_ns = c->rest_ns > now_ns ? c->rest_ns - now_ns : 0;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        (void)snprintf(out, PSST_WHY_SIZE, why, alias, (unsigned long long)((left_ns + 999999999) / 1000000000));
#pragma GCC diagnostic pop
    }
    return out;
}

/* ---- saying ---- */

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

/* Nothing stands before it, and there is room. */
static bool goes_straight(const struct psst_contact *contact, const struct courier *c)
{
    return contact->session != NULL && !c->more && !c->walking && !c->stalled && c->unacked + c->saying < window(c);
}

static void send_or_dial(struct psst_delivery *delivery, struct psst_contact *contact, struct courier *c,
                         const struct psst_message_row *row)
{
    if (contact->session == NULL) {
        psst_peers_dial_quietly(delivery->d->peers, contact);
    } else if (c->resting) { /* the person is told, and it is tried now: somebody may have changed his mind */
        psst_delivery_state(delivery, contact, &row->id, row->seq, row->state, c->rest_reason);
        begin(delivery, contact, c);
    } else if (row->state == PSST_MESSAGE_SENT && goes_straight(contact, c)) {
        const struct psst_text text = {row->id, row->time_ms, row->text};
        (void)send_text(delivery, contact, c, &text, row->seq);
    } else { /* it takes its turn behind what waits */
        c->more = true;
        psst_delivery_pump(delivery, contact);
    }
}

static void stored(struct psst_delivery *delivery, struct psst_contact *contact, const struct psst_message_row *row)
{
    struct courier *c = psst_courier_of(contact);
    psst_daemon_event(delivery->d, "message", psst_message_json(contact, row));
    if (c != NULL) send_or_dial(delivery, contact, c, row);
    if (contact->waiting == 1) psst_reconnect_changed(delivery->d, contact);
}

static void say_done(void *arg, enum psst_err err, const char *words)
{
    struct say *say = arg;
    struct psst_delivery *delivery = say->delivery;
    struct psst_contact *contact = psst_book_by_id(delivery->d->book, say->row.contact_id);
    struct courier *c = contact != NULL ? contact->delivery : NULL;
    if (c != NULL && say->row.state == PSST_MESSAGE_SENT && c->saying > 0) c->saying--;
    if (err == PSST_OK && contact == NULL) {
        err = PSST_ERR_NOT_FOUND;
        words = "the contact was removed";
    }
    if (err == PSST_OK) contact->waiting++;
    say->done(say->ctx, err, words, err == PSST_OK ? &say->row : NULL);
    if (err == PSST_OK) stored(delivery, contact, &say->row);
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
    struct courier *c = psst_courier_of(contact);
    struct say *say = c != NULL ? calloc(1, sizeof *say + text.len) : NULL;
    if (say == NULL) {
        done(ctx, PSST_ERR_MEMORY, "out of memory", NULL);
        return;
    }
    uint64_t now_ms = psst_daemon_now(delivery->d).unix_ms;
    bool straight = goes_straight(contact, c);
    memcpy(say->text, text.data, text.len);
    say->delivery = delivery;
    say->done = done;
    say->ctx = ctx;
    say->row = (struct psst_message_row){.contact_id = contact->id,
                                         .direction = PSST_OUT,
                                         .state = straight ? PSST_MESSAGE_SENT : PSST_MESSAGE_WAITING,
                                         .time_ms = now_ms,
                                         .stored_ms = now_ms,
                                         .text = psst_view(say->text, text.len)};
    if (straight) c->saying++;
    psst_crypto_rng.fill(psst_crypto_rng.ctx, say->row.id.b, sizeof say->row.id.b);
    psst_store_run(delivery->d->store, say_work, say_done, say);
}
