/* Text on its way in: link -> store -> acknowledgement.
 *
 * A text is handed to the store thread; the acknowledgement follows the commit. An identifier seen before is
 * acknowledged again and shown to nobody. Who brings more than the disk takes, or more than anybody would (intake.h), is
 * not read for a while: nothing is lost, his psst keeps it. What nobody reads here has an end as well.
 *
 * A text never overtakes one that was said before it. When one is not accepted for now - the disk is full, he is paused -
 * those behind it in the same connection are not accepted either, until it has come again. The store sees to that, since
 * it may have the next ones before the loop hears that one has failed: each is told which one it follows, and is stored only
 * behind that one.
 */
#include "daemon/delivery/internal.h"

#include <stdlib.h>

#define PENDING_MAX   512 /* texts read and not committed: then the socket is not read */
#define PENDING_BYTES ((size_t)4 << 20)
#define ROW_BYTES     256 /* what a text costs the disk beside itself */
#define DEBT_MAX_NS   (120 * PSST_SECOND_NS)
#define UNREAD_MAX    100000 /* texts of one contact that nobody has seen */
#define UNREAD_BYTES  ((uint64_t)128 << 20)

struct arrival {
    struct psst_delivery *delivery;
    uint64_t serial; /* of the connection it came by */
    uint64_t no;     /* in that one's chain */
    bool follows, shut;
    struct psst_msg_id before; /* follows */
    struct psst_message_row row;
    uint8_t text[];
};

/* PSST_ERR_AGAIN: it is new, and its turn has not come. What is known already has had its turn. */
static enum psst_err arrival_work(struct psst_store *store, void *arg)
{
    struct arrival *arrival = arg;
    bool behind = arrival->shut;
    enum psst_err err = PSST_OK;
    if (arrival->follows && !behind) {
        err = psst_store_message_known(store, arrival->row.contact_id, &arrival->before);
        behind = err == PSST_ERR_NOT_FOUND;
        if (err != PSST_OK && !behind) return err;
    }
    if (!behind) return psst_store_message_in(store, &arrival->row);
    err = psst_store_message_seen(store, &arrival->row);
    return err == PSST_ERR_NOT_FOUND ? PSST_ERR_AGAIN : err;
}

/* ---- the order of one connection's texts ---- */

/* Makes one when there is none. NULL: more connections than anybody has any use for, or no memory. */
static struct psst_chain *chain_for(struct psst_delivery *delivery, struct courier *c, uint64_t serial)
{
    struct psst_chain *place = NULL;
    if (c->chains == NULL) c->chains = calloc(PSST_CHAINS_MAX, sizeof *c->chains);
    if (c->chains == NULL) return NULL;
    for (size_t i = 0; i < PSST_CHAINS_MAX; i++)
        if (c->chains[i].serial == serial) return &c->chains[i];
    for (size_t i = 0; i < PSST_CHAINS_MAX && place == NULL; i++)
        if (psst_conn_by_serial(delivery->d->peers, c->chains[i].serial) == NULL) place = &c->chains[i];
    if (place != NULL) *place = (struct psst_chain){.serial = serial};
    return place;
}

/* The chain that this one stood in, unless its sender has begun anew meanwhile. */
static struct psst_chain *chain_still(struct courier *c, const struct arrival *arrival)
{
    for (size_t i = 0; c->chains != NULL && i < PSST_CHAINS_MAX; i++)
        if (c->chains[i].serial == arrival->serial) return arrival->no >= c->chains[i].since ? &c->chains[i] : NULL;
    return NULL;
}

static bool was_refused(const struct psst_chain *chain, const struct psst_msg_id *id)
{
    for (unsigned i = 0; i < chain->n_refused; i++)
        if (memcmp(chain->refused[i].id.b, id->b, sizeof id->b) == 0) return true;
    return false;
}

/* Number no is not accepted for now. The first ones are kept, in their order, and the latest: where he begins anew, he
 * begins with one of these. */
static void note_refused(struct psst_chain *chain, uint64_t no, const struct psst_msg_id *id, uint8_t reason)
{
    if (was_refused(chain, id)) return;
    if (chain->n_refused == 0) chain->reason = reason;
    unsigned at = chain->n_refused;
    if (at < PSST_CHAIN_REFUSED)
        chain->n_refused++;
    else
        at--;
    for (; at > 0 && chain->refused[at - 1].no > no; at--) chain->refused[at] = chain->refused[at - 1];
    chain->refused[at].no = no;
    chain->refused[at].id = *id;
}

/* One that was refused comes again: so he has begun anew, at the oldest that is not settled. */
static void begin_anew(struct psst_chain *chain)
{
    chain->n_refused = 0;
    chain->follows = false;
    chain->since = chain->count;
}

/* Where in the chain this one stands. What became of those before is known unless the store still has some. */
static void take_place(struct psst_chain *chain, struct arrival *arrival, bool pending)
{
    arrival->no = chain->count;
    arrival->shut = chain->n_refused > 0;
    if (arrival->shut) return;
    arrival->follows = chain->follows && pending;
    arrival->before = chain->last;
    chain->follows = true;
    chain->last = arrival->row.id;
}

/* ---- reading no further ---- */

/* A contact may have several connections: each that goes on bringing texts is left unread. */
static void hold(struct psst_delivery *delivery, struct psst_held *held, struct psst_conn *conn)
{
    unsigned alive = 0;
    for (unsigned i = 0; i < held->n; i++)
        if (held->serials[i] == psst_conn_serial(conn)) return;
    for (unsigned i = 0; i < held->n; i++)
        if (psst_conn_by_serial(delivery->d->peers, held->serials[i]) != NULL)
            held->serials[alive++] = held->serials[i];
    held->n = alive;
    if (held->n == PSST_HELD_MAX) return;
    held->serials[held->n++] = psst_conn_serial(conn);
    psst_conn_hold(conn);
}

static void release(struct psst_delivery *delivery, struct psst_held *held)
{
    while (held->n > 0) {
        struct psst_conn *conn = psst_conn_by_serial(delivery->d->peers, held->serials[--held->n]);
        if (conn != NULL) psst_conn_release(conn);
    }
}

static void less_pending(struct psst_delivery *delivery, struct courier *c, size_t bytes)
{
    c->pending -= c->pending > 0;
    c->pending_bytes -= bytes < c->pending_bytes ? bytes : c->pending_bytes;
    if (c->pending > PENDING_MAX / 2 || c->pending_bytes > PENDING_BYTES / 2) return;
    release(delivery, &c->held);
}

/* False: he goes round the limit with ever new connections, and this one stays with him. */
static bool let_in(struct psst_delivery *delivery, struct courier *c, struct psst_conn *conn, size_t bytes)
{
    uint64_t now_ns = psst_daemon_now(delivery->d).mono_ns;
    uint64_t wait_ns = psst_intake_debt(&c->intake, now_ns);
    bool good = wait_ns <= DEBT_MAX_NS;
    if (good)
        wait_ns = psst_intake_take(&c->intake, now_ns, bytes + ROW_BYTES);
    else
        psst_daemon_count(delivery->d, "texts-not-taken");
    if (wait_ns == 0) return true;
    if (c->flooding.n == 0) {
        psst_daemon_count(delivery->d, "contacts-slowed");
        psst_log_limited(&delivery->d->log, PSST_LOG_WARNING, "contact-slowed", "contact=%s for-ms=%llu",
                         psst_conn_contact(conn)->alias, (unsigned long long)(wait_ns / 1000000));
    }
    hold(delivery, &c->flooding, conn);
    c->flooding_ns = now_ns + wait_ns;
    psst_delivery_wake_at(delivery, c->flooding_ns);
    return good;
}

uint64_t psst_delivery_in_alarm(struct psst_delivery *delivery, struct courier *c, uint64_t now_ns)
{
    if (c->flooding.n == 0) return PSST_NEVER;
    if (now_ns < c->flooding_ns) return c->flooding_ns;
    release(delivery, &c->flooding);
    return PSST_NEVER;
}

/* ---- answering ---- */

static void refuse(struct psst_delivery *delivery, struct psst_conn *conn, const struct psst_msg_id *id, uint8_t reason)
{
    struct psst_link *link = psst_conn_link(conn);
    if (link == NULL) return;
    if (psst_link_not_accepted(link, psst_daemon_now(delivery->d), id, reason) == PSST_OK) psst_conn_kick(conn);
}

/* The reason of "not accepted" that an error is; 0: it is accepted. */
static uint8_t reason_for(const struct psst_chain *chain, enum psst_err err)
{
    if (err == PSST_OK || err == PSST_ERR_EXISTS) return 0;
    if (err == PSST_ERR_PROTOCOL) return PSST_NOT_ACCEPTED_OTHER_BODY;
    return err == PSST_ERR_AGAIN && chain->n_refused > 0 ? chain->reason : PSST_NOT_ACCEPTED_DISK_FULL;
}

static void answer(struct psst_delivery *delivery, struct courier *c, const struct arrival *arrival, enum psst_err err)
{
    struct psst_chain *chain = chain_still(c, arrival);
    struct psst_conn *conn = psst_conn_by_serial(delivery->d->peers, arrival->serial);
    if (chain == NULL || conn == NULL || psst_conn_link(conn) == NULL)
        return; /* it comes again, and is answered then */
    uint8_t reason = reason_for(chain, err);
    if (reason == 0) {
        if (psst_link_ack(psst_conn_link(conn), psst_daemon_now(delivery->d), &arrival->row.id) == PSST_OK)
            psst_conn_kick(conn);
        return;
    }
    if (reason != PSST_NOT_ACCEPTED_OTHER_BODY) note_refused(chain, arrival->no, &arrival->row.id, reason);
    refuse(delivery, conn, &arrival->row.id, reason);
}

static void arrival_done(void *arg, enum psst_err err, const char *words)
{
    struct arrival *arrival = arg;
    struct psst_delivery *delivery = arrival->delivery;
    struct psst_daemon *d = delivery->d;
    struct psst_contact *contact = psst_book_by_id(d->book, arrival->row.contact_id);
    struct courier *c = contact != NULL ? contact->delivery : NULL;
    if (err != PSST_ERR_LOCKED && c != NULL) answer(delivery, c, arrival, err);
    if (err == PSST_OK && contact != NULL) {
        contact->unread++;
        contact->unread_bytes += arrival->row.text.len;
        psst_daemon_event(d, "message", psst_message_json(contact, &arrival->row));
    } else if (err == PSST_ERR_PROTOCOL) {
        psst_daemon_count(d, "texts-refused");
    } else if (err != PSST_OK && err != PSST_ERR_EXISTS && err != PSST_ERR_LOCKED && err != PSST_ERR_AGAIN) {
        psst_daemon_count(d, "texts-not-saved");
        psst_log_limited(&d->log, PSST_LOG_ERROR, "text-not-saved", "error=%s reason=\"%s\"", psst_err_name(err),
                         words);
    }
    if (c != NULL) less_pending(delivery, c, arrival->row.text.len);
    psst_wipe(arrival->text, arrival->row.text.len);
    free(arrival);
}

static enum psst_err digest_of(struct psst_hash *out, const struct psst_text *text)
{
    uint8_t time[8];
    psst_store_u64(time, text->time_ms);
    const struct psst_view parts[] = {psst_view(time, sizeof time), text->utf8};
    return psst_sha256(out, parts, 2);
}

/* Why this one is not even tried to be stored; 0: it is. */
static uint8_t objection(struct psst_delivery *delivery, const struct psst_contact *contact, const struct courier *c)
{
    if (contact->paused) {
        psst_daemon_count(delivery->d, "texts-while-paused");
        return PSST_NOT_ACCEPTED_PAUSED;
    }
    bool full = contact->unread + c->pending >= UNREAD_MAX || contact->unread_bytes + c->pending_bytes >= UNREAD_BYTES;
    if (!full) return 0;
    psst_daemon_count(delivery->d, "texts-over-quota");
    psst_log_limited(&delivery->d->log, PSST_LOG_WARNING, "contact-over-quota", "contact=%s unread=%u", contact->alias,
                     (unsigned)contact->unread);
    return PSST_NOT_ACCEPTED_DISK_FULL; /* for him it is: once somebody has read here, it goes */
}

static struct arrival *arrival_new(struct psst_delivery *delivery, struct psst_conn *conn, const struct psst_text *text)
{
    struct arrival *arrival = calloc(1, sizeof *arrival + text->utf8.len);
    if (arrival == NULL) return NULL;
    memcpy(arrival->text, text->utf8.data, text->utf8.len);
    arrival->delivery = delivery;
    arrival->serial = psst_conn_serial(conn);
    arrival->row = (struct psst_message_row){.contact_id = psst_conn_contact(conn)->id,
                                             .id = text->id,
                                             .direction = PSST_IN,
                                             .state = PSST_MESSAGE_RECEIVED,
                                             .time_ms = text->time_ms,
                                             .stored_ms = psst_daemon_now(delivery->d).unix_ms,
                                             .text = psst_view(arrival->text, text->utf8.len)};
    if (digest_of(&arrival->row.digest, text) == PSST_OK) return arrival;
    free(arrival);
    return NULL;
}

void psst_delivery_arrived(struct psst_delivery *delivery, struct psst_conn *conn, const struct psst_text *text)
{
    struct psst_contact *contact = psst_conn_contact(conn);
    struct courier *c = psst_courier_of(contact);
    struct psst_chain *chain = c != NULL ? chain_for(delivery, c, psst_conn_serial(conn)) : NULL;
    if (chain == NULL) return; /* unanswered: it is sent again in the next session */
    chain->count++;
    if (was_refused(chain, &text->id)) begin_anew(chain);
    uint8_t reason = PSST_NOT_ACCEPTED_DISK_FULL;
    if (let_in(delivery, c, conn, text->utf8.len)) reason = objection(delivery, contact, c);
    struct arrival *arrival = reason == 0 ? arrival_new(delivery, conn, text) : NULL;
    if (arrival == NULL) {
        if (reason == 0) reason = PSST_NOT_ACCEPTED_DISK_FULL;
        note_refused(chain, chain->count, &text->id, reason);
        refuse(delivery, conn, &text->id, reason);
        return;
    }
    take_place(chain, arrival, c->pending > 0);
    c->pending++;
    c->pending_bytes += text->utf8.len;
    if (c->pending > PENDING_MAX || c->pending_bytes > PENDING_BYTES) hold(delivery, &c->held, conn);
    psst_store_run(delivery->d->store, arrival_work, arrival_done, arrival);
}
