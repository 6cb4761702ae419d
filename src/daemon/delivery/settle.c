/* What became of texts that were sent: acknowledged, read, not accepted. And the other end of an outgoing message: recalled
 * before it was sent. What the peer says is only ever asked of the store, where it changes nothing but what was really sent
 * to this contact (attack 21).
 */
#include "daemon/delivery/internal.h"

#include "daemon/retention.h"

#include <stdlib.h>

/* ---- settling ---- */

struct settle {
    struct psst_delivery *delivery;
    int64_t contact_id;
    enum psst_message_state state; /* DELIVERED, REFUSED, READ */
    uint8_t reason;
    size_t n;
    struct settled {
        struct psst_msg_id id;
        int64_t seq; /* 0: it was not there to be settled */
    } ids[];
};

static enum psst_err settle_one(struct psst_store *store, const struct settle *settle, struct settled *one)
{
    if (settle->state == PSST_MESSAGE_READ)
        return psst_store_message_read(store, settle->contact_id, &one->id, &one->seq);
    return psst_store_message_settle(store, settle->contact_id, &one->id, settle->state, settle->reason, &one->seq);
}

static enum psst_err settle_work(struct psst_store *store, void *arg)
{
    struct settle *settle = arg;
    for (size_t i = 0; i < settle->n; i++) {
        struct settled *one = &settle->ids[i];
        enum psst_err err = settle_one(store, settle, one);
        if (err == PSST_ERR_NOT_FOUND)
            one->seq = 0; /* never sent to him, or settled already */
        else if (err != PSST_OK)
            return err;
    }
    return PSST_OK;
}

static void settled(struct psst_delivery *delivery, struct psst_contact *contact, const struct settle *settle)
{
    struct courier *c = contact->delivery;
    uint32_t n = 0;
    for (size_t i = 0; i < settle->n; i++) {
        if (settle->ids[i].seq == 0) continue;
        n++;
        psst_delivery_state(delivery, contact, &settle->ids[i].id, settle->ids[i].seq, settle->state, settle->reason);
    }
    if (settle->state == PSST_MESSAGE_READ) return;
    psst_delivery_less(delivery, contact, n);
    if (c == NULL) return;
    c->unacked -= n < c->unacked ? n : c->unacked;
    if (n > 0 && settle->state == PSST_MESSAGE_DELIVERED) {
        c->probing = contact->paused_us = false;
        c->rests = 0;
    }
    psst_delivery_pump(delivery, contact);
}

static void settle_done(void *arg, enum psst_err err, const char *words)
{
    struct settle *settle = arg;
    struct psst_delivery *delivery = settle->delivery;
    struct psst_contact *contact = psst_book_by_id(delivery->d->book, settle->contact_id);
    if (err == PSST_OK && contact != NULL) settled(delivery, contact, settle);
    if (err == PSST_OK && contact != NULL && !contact->keep_history) psst_retention_soon(delivery->d->retention);
    if (err != PSST_OK && err != PSST_ERR_LOCKED) {
        psst_log_limited(&delivery->d->log, PSST_LOG_ERROR, "not-settled", "reason=\"%s\"", words);
        /* it is sent again, and acknowledged again; a receipt is not worth that */
        if (contact != NULL && settle->state != PSST_MESSAGE_READ) psst_delivery_again(delivery, contact);
    }
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

void psst_delivery_acked(struct psst_delivery *delivery, struct psst_contact *contact, struct psst_view ids)
{
    settle(delivery, contact, ids, PSST_MESSAGE_DELIVERED, 0);
}

void psst_delivery_read(struct psst_delivery *delivery, struct psst_contact *contact, struct psst_view ids)
{
    settle(delivery, contact, ids, PSST_MESSAGE_READ, 0);
}

void psst_delivery_not_accepted(struct psst_delivery *delivery, struct psst_contact *contact,
                                const struct psst_event *ev)
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
    psst_delivery_state(delivery, contact, &ev->id, 0, PSST_MESSAGE_SENT, ev->reason);
}

/* ---- recalling ---- */

#define RECALL_SLICE 4096 /* in one job: as many notifications go out at once */

struct recalled {
    int64_t seq;
    struct psst_msg_id id;
};

struct recall {
    struct psst_delivery *delivery;
    int64_t contact_id;
    struct psst_recall what;
    psst_recall_done *done;
    void *ctx;
    struct psst_message_row left; /* the one asked for, when it could not be taken back; seq 0: none */
    struct recalled *rows;
    size_t n, room;
    size_t before; /* of slices that are done */
};

static enum psst_err note_waiting(void *ctx, const struct psst_message_row *row)
{
    struct recall *recall = ctx;
    if (row->state != PSST_MESSAGE_WAITING) return PSST_OK;
    if (recall->n == RECALL_SLICE) return PSST_ERR_AGAIN;
    if (recall->n == recall->room) {
        size_t room = recall->room == 0 ? 16 : 2 * recall->room;
        struct recalled *rows = realloc(recall->rows, room * sizeof *rows);
        if (rows == NULL) return PSST_ERR_MEMORY;
        recall->rows = rows;
        recall->room = room;
    }
    recall->rows[recall->n++] = (struct recalled){row->seq, row->id};
    return PSST_OK;
}

static enum psst_err recall_all(struct psst_store *store, struct recall *recall)
{
    struct psst_message_row row;
    bool taken;
    enum psst_err err = psst_store_outbox(store, recall->contact_id, 0, SIZE_MAX, note_waiting, recall);
    if (err == PSST_ERR_AGAIN && recall->n == RECALL_SLICE) err = PSST_OK;
    for (size_t i = 0; i < recall->n && err == PSST_OK; i++)
        err = psst_store_message_recall(store, recall->contact_id, recall->rows[i].seq, &row, &taken);
    return err;
}

static enum psst_err recall_work(struct psst_store *store, void *arg)
{
    struct recall *recall = arg;
    int64_t seq = recall->what.seq;
    enum psst_err err = PSST_OK;
    if (recall->what.kind == PSST_RECALL_ALL) return recall_all(store, recall);
    if (recall->what.kind == PSST_RECALL_LAST) err = psst_store_outbox_last(store, recall->contact_id, &seq);
    if (recall->what.kind == PSST_RECALL_ID)
        err = psst_store_outbox_find(store, recall->contact_id, &recall->what.id, &seq);
    struct psst_message_row row;
    bool taken = false;
    if (err == PSST_OK) err = psst_store_message_recall(store, recall->contact_id, seq, &row, &taken);
    if (err != PSST_OK) return err;
    if (!taken) {
        recall->left = row;
        return PSST_OK;
    }
    row.state = PSST_MESSAGE_WAITING; /* as it was found */
    return note_waiting(recall, &row);
}

static void recall_done(void *arg, enum psst_err err, const char *words)
{
    struct recall *recall = arg;
    struct psst_delivery *delivery = recall->delivery;
    struct psst_contact *contact = psst_book_by_id(delivery->d->book, recall->contact_id);
    size_t n = err == PSST_OK ? recall->n : 0;
    if (contact != NULL && n > 0) {
        psst_delivery_less(delivery, contact, (uint32_t)n);
        if (!contact->keep_history) psst_retention_soon(delivery->d->retention);
        for (size_t i = 0; i < n; i++)
            psst_delivery_state(delivery, contact, &recall->rows[i].id, recall->rows[i].seq, PSST_MESSAGE_RECALLED, 0);
    }
    recall->before += n;
    if (contact != NULL && n == RECALL_SLICE) {
        recall->n = 0;
        psst_store_run(delivery->d->store, recall_work, recall_done, recall);
        return;
    }
    recall->done(recall->ctx, err, words, recall->before, recall->left.seq != 0 ? &recall->left : NULL);
    free(recall->rows);
    free(recall);
}

void psst_delivery_recall(struct psst_delivery *delivery, struct psst_contact *contact, const struct psst_recall *what,
                          psst_recall_done *done, void *ctx)
{
    struct recall *recall = calloc(1, sizeof *recall);
    if (recall == NULL) {
        done(ctx, PSST_ERR_MEMORY, "out of memory", 0, NULL);
        return;
    }
    recall->delivery = delivery;
    recall->contact_id = contact->id;
    recall->what = *what;
    recall->done = done;
    recall->ctx = ctx;
    psst_store_run(delivery->d->store, recall_work, recall_done, recall);
}
