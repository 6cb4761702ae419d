/* The end of receiving: all has come -> the rest is written, hashed, compared -> it has its name -> that is noted -> only
 * then it is acknowledged. */
#include "daemon/transfers/internal.h"

#include <stdlib.h>

void psst_transfer_in_acknowledge(struct psst_transfers *transfers, struct psst_contact *contact,
                                  const struct psst_msg_id *id)
{
    if (contact == NULL || contact->session == NULL || psst_conn_link(contact->session) == NULL) return;
    /* when it does not get out, the sender offers again, and is told then */
    (void)!psst_link_ack(psst_conn_link(contact->session), psst_daemon_now(transfers->d), id);
    psst_conn_kick(contact->session);
}

static void settled(struct psst_transfer *t, enum psst_err err, const char *words, void *ctx)
{
    (void)ctx;
    (void)words; /* they are in the log */
    if (t == NULL || psst_transfer_is_over(t)) return;
    t->stage = PSST_STAGE_IDLE;
    t->whole = err != PSST_OK; /* tried again with the next offer */
    if (err == PSST_OK) {
        t->state = PSST_TRANSFER_DONE;
        t->all->ended++;
        psst_transfer_close_stream(t);
        psst_log_limited(&t->all->d->log, PSST_LOG_INFO, "file-ended", "id=%lld state=done", (long long)t->id);
        psst_transfer_in_acknowledge(t->all, psst_transfer_contact(t), &t->transfer_id);
    }
    psst_transfer_event(t);
}

void psst_transfer_in_settle(struct psst_transfer *t, const char *path)
{
    char *copy = path != t->path ? strdup(path) : NULL;
    if (copy != NULL) {
        free(t->path);
        t->path = copy;
    }
    t->whole = true;
    t->stage = PSST_STAGE_SETTLING;
    psst_transfer_keep_as(t, PSST_TRANSFER_DONE, settled, NULL);
}

static void refuse_hash(struct psst_transfer *t)
{
    struct psst_contact *contact = psst_transfer_contact(t);
    if (contact != NULL && contact->session != NULL && psst_conn_link(contact->session) != NULL) {
        (void)!psst_link_not_accepted(psst_conn_link(contact->session), psst_daemon_now(t->all->d), &t->transfer_id,
                                      PSST_NOT_ACCEPTED_HASH);
        psst_conn_kick(contact->session);
    }
    psst_transfer_end(t, PSST_TRANSFER_FAILED, PSST_FILE_HASH | PSST_TRANSFER_OURS, NULL);
}

/* What was taken up may have been damaged here, or be of another age of the source: once it is begun anew. */
static void begin_anew(struct psst_transfer *t)
{
    psst_daemon_count(t->all->d, "files-begun-anew");
    psst_log_limited(&t->all->d->log, PSST_LOG_WARNING, "file-begun-anew", "id=%lld", (long long)t->id);
    t->flags |= PSST_TRANSFER_ANEW;
    t->safe = 0;
    t->reached = 0;
    psst_transfer_keep(t, NULL, NULL);
    psst_transfer_in_start(t);
    psst_transfer_event(t);
}

static uint8_t reason_of(enum psst_err err)
{
    switch (err) {
    case PSST_ERR_PROTOCOL: return PSST_FILE_PROTOCOL;
    case PSST_ERR_MALFORMED: return PSST_FILE_REFUSED;
    default: return PSST_FILE_NOT_SAVED;
    }
}

static void on_finished(void *ctx, enum psst_err err, const char *path, const struct psst_diag *diag)
{
    struct psst_transfer *t = ctx;
    bool resumed = t->start > 0 && (t->flags & PSST_TRANSFER_ANEW) == 0;
    t->sink = NULL; /* it is gone */
    psst_transfers_sink_gone(t->all, t->form == PSST_FILE_FORM_STREAM);
    t->stage = PSST_STAGE_IDLE;
    if (err == PSST_OK) {
        free(t->words);
        t->words = diag->text[0] != '\0' ? strdup(diag->text) : NULL;
        psst_transfer_in_settle(t, path);
        psst_transfer_event(t);
    } else if (err == PSST_ERR_AUTH && resumed) {
        begin_anew(t);
    } else if (err == PSST_ERR_AUTH) {
        refuse_hash(t);
    } else {
        psst_transfer_fail(t, reason_of(err), diag->text);
    }
    psst_transfer_in_next(t->all);
}

void psst_transfer_in_done(struct psst_transfer *t, struct psst_conn *conn, const struct psst_file_chunk *chunk)
{
    if (t->state != PSST_TRANSFER_ACCEPTED && t->state != PSST_TRANSFER_WAITING) return;
    if (t->stage == PSST_STAGE_FINISHING || t->stage == PSST_STAGE_SETTLING) return; /* said twice */
    if (t->stage == PSST_STAGE_DRAINING) return;
    if (t->serial != 0 && t->serial != psst_conn_serial(conn)) return;
    bool right = t->stage == PSST_STAGE_RUNNING && psst_file_sink_position(t->sink) == chunk->size;
    if (!right || (t->size != PSST_TRANSFER_SIZE_UNKNOWN && chunk->size != t->size)) {
        psst_transfer_fail(t, PSST_FILE_PROTOCOL, NULL);
        return;
    }
    psst_transfer_in_release(t);
    t->size = chunk->size;
    t->stage = PSST_STAGE_FINISHING;
    psst_file_sink_finish(t->sink, chunk->size, &chunk->sha256, on_finished, t);
}
