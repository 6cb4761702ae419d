/* Text on its way in: link -> store -> acknowledgement.
 *
 * A text is handed to the store thread; the acknowledgement follows the commit. An identifier seen before is
 * acknowledged again and shown to nobody. Who brings more than the disk takes, or more than anybody would (intake.h), is
 * not read for a while: nothing is lost, his psst keeps it. What nobody reads here has an end as well.
 */
#include "daemon/delivery_internal.h"

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
    struct psst_message_row row;
    uint8_t text[];
};

static enum psst_err arrival_work(struct psst_store *store, void *arg)
{
    struct arrival *arrival = arg;
    return psst_store_message_in(store, &arrival->row);
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

/* False: he goes round the limit with ever new connections, and this one is not even looked at. It stays with him. */
static bool let_in(struct psst_delivery *delivery, struct courier *c, struct psst_conn *conn, size_t bytes)
{
    uint64_t now_ns = psst_daemon_now(delivery->d).mono_ns;
    uint64_t wait_ns = psst_intake_debt(&c->intake, now_ns);
    bool good = wait_ns <= DEBT_MAX_NS;
    if (good)
        wait_ns = psst_intake_take(&c->intake, now_ns, bytes + ROW_BYTES);
    else
        psst_daemon_count(delivery->d, "texts-left-unanswered");
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

static void answer(struct psst_delivery *delivery, const struct arrival *arrival, enum psst_err err)
{
    struct psst_conn *conn = psst_conn_by_serial(delivery->d->peers, arrival->serial);
    if (conn == NULL || psst_conn_link(conn) == NULL) return; /* it is sent again, and acknowledged then */
    struct psst_link *link = psst_conn_link(conn);
    struct psst_now now = psst_daemon_now(delivery->d);
    enum psst_err sent;
    if (err == PSST_OK || err == PSST_ERR_EXISTS)
        sent = psst_link_ack(link, now, &arrival->row.id);
    else if (err == PSST_ERR_PROTOCOL)
        sent = psst_link_not_accepted(link, now, &arrival->row.id, PSST_NOT_ACCEPTED_OTHER_BODY);
    else
        sent = psst_link_not_accepted(link, now, &arrival->row.id, PSST_NOT_ACCEPTED_DISK_FULL);
    if (sent == PSST_OK) psst_conn_kick(conn);
}

static void arrival_done(void *arg, enum psst_err err, const char *words)
{
    struct arrival *arrival = arg;
    struct psst_delivery *delivery = arrival->delivery;
    struct psst_daemon *d = delivery->d;
    struct psst_contact *contact = psst_book_by_id(d->book, arrival->row.contact_id);
    struct courier *c = contact != NULL ? contact->delivery : NULL;
    if (err != PSST_ERR_LOCKED) answer(delivery, arrival, err);
    if (err == PSST_OK && contact != NULL) {
        contact->unread++;
        contact->unread_bytes += arrival->row.text.len;
        psst_daemon_event(d, "message", psst_message_json(contact, &arrival->row));
    } else if (err == PSST_ERR_PROTOCOL) {
        psst_daemon_count(d, "texts-refused");
    } else if (err != PSST_OK && err != PSST_ERR_EXISTS && err != PSST_ERR_LOCKED) {
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

void psst_delivery_arrived(struct psst_delivery *delivery, struct psst_conn *conn, const struct psst_text *text)
{
    struct psst_contact *contact = psst_conn_contact(conn);
    struct courier *c = psst_courier_of(contact);
    if (c == NULL || !let_in(delivery, c, conn, text->utf8.len)) return; /* unanswered: it is sent again */
    uint8_t reason = objection(delivery, contact, c);
    if (reason != 0) {
        refuse(delivery, conn, &text->id, reason);
        return;
    }
    struct arrival *arrival = calloc(1, sizeof *arrival + text->utf8.len);
    if (arrival == NULL) return;
    memcpy(arrival->text, text->utf8.data, text->utf8.len);
    arrival->delivery = delivery;
    arrival->serial = psst_conn_serial(conn);
    arrival->row = (struct psst_message_row){.contact_id = contact->id,
                                             .id = text->id,
                                             .direction = PSST_IN,
                                             .state = PSST_MESSAGE_RECEIVED,
                                             .time_ms = text->time_ms,
                                             .stored_ms = psst_daemon_now(delivery->d).unix_ms,
                                             .text = psst_view(arrival->text, text->utf8.len)};
    if (digest_of(&arrival->row.digest, text) != PSST_OK) {
        free(arrival);
        return;
    }
    c->pending++;
    c->pending_bytes += text->utf8.len;
    if (c->pending > PENDING_MAX || c->pending_bytes > PENDING_BYTES) hold(delivery, &c->held, conn);
    psst_store_run(delivery->d->store, arrival_work, arrival_done, arrival);
}
