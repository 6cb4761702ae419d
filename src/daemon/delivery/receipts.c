/* Telling a contact which of his messages were read, when the user lets him know (contact->receipts).
 *
 * What was shown is marked in the store, in the commit that says so (psst_store_messages_shown), so that what is read while
 * there is no session is told in the next one. At most one chunk of PSST_RECEIPT_IDS_MAX ids in five seconds, so that a
 * peer who does not know the chunk never has to end the session over it. A receipt is done with once it was handed to the
 * session: one that the end of a session cuts off is lost, and that is all. */
#include "daemon/delivery/internal.h"

#include <stdlib.h>

#define COLLECT_NS PSST_SECOND_NS       /* what is read in the same moment leaves in one chunk */
#define PACE_NS    (5 * PSST_SECOND_NS) /* 12 a minute; and after a session began: acknowledgements come first */

struct receipts {
    struct psst_delivery *delivery;
    int64_t contact_id;
    size_t n;
    struct psst_msg_id ids[PSST_RECEIPT_IDS_MAX];
};

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* ---- told ---- */

static enum psst_err sent_work(struct psst_store *store, void *arg)
{
    const struct receipts *receipts = arg;
    return psst_store_receipts_sent(store, receipts->contact_id, receipts->ids, receipts->n);
}

/* When this fails they are told once more, which harms nobody. */
static void sent_done(void *arg, enum psst_err err, const char *words)
{
    struct receipts *receipts = arg;
    if (err != PSST_OK && err != PSST_ERR_LOCKED)
        psst_log_limited(&receipts->delivery->d->log, PSST_LOG_ERROR, "receipts-not-settled", "reason=\"%s\"", words);
    free(receipts);
}

/* ---- found ---- */

static enum psst_err due_work(struct psst_store *store, void *arg)
{
    struct receipts *receipts = arg;
    return psst_store_receipts_due(store, receipts->contact_id, receipts->ids, &receipts->n);
}

/* True: they are on their way, and the job has become that of settling them. */
static bool tell(struct psst_delivery *delivery, struct psst_contact *contact, struct courier *c,
                 struct receipts *receipts)
{
    struct psst_now now = psst_daemon_now(delivery->d);
    c->receipts_next_ns = now.mono_ns + PACE_NS;
    enum psst_err err = psst_link_read(psst_conn_link(contact->session), now, receipts->ids, receipts->n);
    if (err != PSST_OK) return false;
    psst_conn_kick(contact->session);
    psst_store_run(delivery->d->store, sent_work, sent_done, receipts);
    return true;
}

static void due_done(void *arg, enum psst_err err, const char *words)
{
    struct receipts *receipts = arg;
    struct psst_delivery *delivery = receipts->delivery;
    struct psst_contact *contact = psst_book_by_id(delivery->d->book, receipts->contact_id);
    struct courier *c = contact != NULL ? contact->delivery : NULL;
    bool gone = false;
    if (err != PSST_OK && err != PSST_ERR_LOCKED)
        psst_log_limited(&delivery->d->log, PSST_LOG_ERROR, "receipts-not-read", "reason=\"%s\"", words);
    if (c != NULL) {
        c->receipts_asked = false;
        if (err == PSST_OK && receipts->n > 0 && contact->session != NULL && contact->receipts) {
            bool all = receipts->n < PSST_RECEIPT_IDS_MAX;
            gone = tell(delivery, contact, c, receipts);
            if (!gone || !all) psst_delivery_shown(delivery, contact);
        }
    }
    if (!gone) free(receipts);
}

/* ---- when ---- */

static void look_at(struct psst_delivery *delivery, struct courier *c, uint64_t at_ns)
{
    if (c->receipts_due) return;
    c->receipts_due = true;
    c->receipts_ns = later(at_ns, c->receipts_next_ns);
    psst_delivery_wake_at(delivery, c->receipts_ns);
}

void psst_delivery_shown(struct psst_delivery *delivery, struct psst_contact *contact)
{
    struct courier *c = contact->delivery;
    if (c == NULL || !contact->receipts || contact->session == NULL) return; /* the next session looks */
    look_at(delivery, c, psst_daemon_now(delivery->d).mono_ns + COLLECT_NS);
}

void psst_delivery_receipts_up(struct psst_delivery *delivery, struct psst_contact *contact)
{
    struct courier *c = contact->delivery;
    if (contact->receipts) look_at(delivery, c, psst_daemon_now(delivery->d).mono_ns + PACE_NS);
}

uint64_t psst_delivery_receipts_alarm(struct psst_delivery *delivery, struct psst_contact *contact, uint64_t now_ns)
{
    struct courier *c = contact->delivery;
    if (!c->receipts_due) return PSST_NEVER;
    if (now_ns < c->receipts_ns) return c->receipts_ns;
    c->receipts_due = false;
    if (c->receipts_asked || contact->session == NULL || !contact->receipts) return PSST_NEVER;
    struct receipts *receipts = calloc(1, sizeof *receipts);
    if (receipts == NULL) return PSST_NEVER;
    receipts->delivery = delivery;
    receipts->contact_id = contact->id;
    receipts->n = PSST_RECEIPT_IDS_MAX;
    c->receipts_asked = true;
    psst_store_run(delivery->d->store, due_work, due_done, receipts);
    return PSST_NEVER;
}
