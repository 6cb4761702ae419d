/* Files on their way in. Nothing is written before the user has said where to; then everything is put where it belongs or
 * that transfer ends, never the session (attacks 24, 29 to 33).
 */
#include "daemon/safe_file.h"
#include "daemon/transfers_internal.h"

#include <stdlib.h>

#define OFFERS_BURST  PSST_TRANSFERS_UNDECIDED /* stored at once, and then one a second */
#define WITHDRAWN_MAX 1000 /* offers that one contact took back undecided: who offers for nothing is heard no more */

/* ---- offers ---- */

static void decline(struct psst_transfers *transfers, struct psst_contact *contact, const struct psst_msg_id *id,
                    uint8_t reason)
{
    const struct psst_file_chunk chunk = {.kind = PSST_FILE_DECLINE, .id = *id, .reason = reason};
    psst_transfer_say(contact, transfers->d, &chunk);
}

/* Offered before: the answer is what has become of it since. */
static void offered_again(struct psst_transfer *t, struct psst_contact *contact, const struct psst_file_chunk *chunk)
{
    uint8_t reason = t->reason & (uint8_t)~PSST_TRANSFER_OURS;
    switch (t->state) {
    case PSST_TRANSFER_DONE: psst_transfer_in_acknowledge(t); return;
    case PSST_TRANSFER_DECLINED:
    case PSST_TRANSFER_FAILED:
        decline(t->all, contact, &t->transfer_id, reason != 0 ? reason : PSST_FILE_BY_USER);
        return;
    case PSST_TRANSFER_WAITING:
    case PSST_TRANSFER_ACCEPTED: break;
    }
    if (chunk->size != t->size) {
        decline(t->all, contact, &t->transfer_id, PSST_FILE_PROTOCOL);
        psst_transfer_end(t, PSST_TRANSFER_FAILED, PSST_FILE_PROTOCOL | PSST_TRANSFER_OURS, NULL);
        return;
    }
    if (t->state == PSST_TRANSFER_ACCEPTED) psst_transfer_in_start(t);
}

/* Offers that wait for the user, and offers that never got to a decision of his: those have no folder. */
static void count_offers(const struct psst_transfers *transfers, int64_t contact_id, unsigned *undecided,
                         unsigned *withdrawn)
{
    *undecided = *withdrawn = 0;
    for (const struct psst_transfer *t = transfers->first; t != NULL; t = t->next) {
        if (t->contact_id != contact_id || t->direction != PSST_IN) continue;
        *undecided += t->state == PSST_TRANSFER_WAITING;
        *withdrawn += t->state == PSST_TRANSFER_FAILED && t->path[0] == '\0';
    }
}

/* Whether one more offer of this contact may take a row in the store. What is left out stays with the sender, which
 * offers it again with the next session. */
static bool may_store(struct psst_transfers *transfers, const struct psst_contact *contact,
                      struct psst_courier_files *files)
{
    unsigned undecided, withdrawn;
    count_offers(transfers, contact->id, &undecided, &withdrawn);
    if (undecided + files->storing >= PSST_TRANSFERS_UNDECIDED || withdrawn >= WITHDRAWN_MAX) return false;
    uint64_t now_ns = psst_daemon_now(transfers->d).mono_ns;
    uint64_t level_ns = files->offers_ns > now_ns ? files->offers_ns : now_ns;
    if (level_ns - now_ns >= OFFERS_BURST * PSST_SECOND_NS) return false;
    files->offers_ns = level_ns + PSST_SECOND_NS;
    return true;
}

static void offer_stored(struct psst_transfers *transfers, struct psst_transfer *t, enum psst_err err,
                         const char *words, void *ctx)
{
    int64_t *contact_id = ctx;
    struct psst_contact *contact = psst_book_by_id(transfers->d->book, *contact_id);
    struct psst_courier_files *files = contact != NULL ? contact->transfers : NULL;
    if (files != NULL && files->storing > 0) files->storing--;
    free(contact_id);
    if (t != NULL)
        psst_transfer_event(t);
    else if (err != PSST_ERR_EXISTS && err != PSST_ERR_LOCKED)
        psst_log_limited(&transfers->d->log, PSST_LOG_ERROR, "offer-not-kept", "reason=\"%s\"", words);
}

/* It stays with him, as his texts do. */
static void refuse_paused(struct psst_transfers *transfers, struct psst_conn *conn, const struct psst_msg_id *id)
{
    struct psst_now now = psst_daemon_now(transfers->d);
    if (psst_link_not_accepted(psst_conn_link(conn), now, id, PSST_NOT_ACCEPTED_PAUSED) == PSST_OK)
        psst_conn_kick(conn);
}

void psst_transfer_in_offered(struct psst_transfers *transfers, struct psst_conn *conn,
                              const struct psst_file_chunk *chunk)
{
    struct psst_contact *contact = psst_conn_contact(conn);
    struct psst_transfer *t = psst_transfer_find(transfers, contact->id, &chunk->id, PSST_IN);
    if (t != NULL) {
        offered_again(t, contact, chunk);
        return;
    }
    if (contact->paused) {
        psst_daemon_count(transfers->d, "offers-while-paused");
        refuse_paused(transfers, conn, &chunk->id);
        return;
    }
    if (chunk->form != PSST_FILE_FORM_FILE || chunk->size > PSST_FILE_SIZE_MAX) {
        decline(transfers, contact, &chunk->id, PSST_FILE_NOT_SUPPORTED);
        return;
    }
    struct psst_courier_files *files = psst_transfer_files(contact);
    int64_t *contact_id = malloc(sizeof *contact_id);
    if (files == NULL || contact_id == NULL || !may_store(transfers, contact, files)) {
        psst_daemon_count(transfers->d, "offers-left-out");
        free(contact_id);
        return;
    }
    char name[PSST_SAFE_NAME_SIZE];
    psst_file_name_sanitize(name, chunk->name); /* what the user is shown is what the file will be called */
    const struct psst_transfer_row row = {.contact_id = contact->id,
                                          .transfer_id = chunk->id,
                                          .direction = PSST_IN,
                                          .state = PSST_TRANSFER_WAITING,
                                          .size = chunk->size,
                                          .created_ms = psst_daemon_now(transfers->d).unix_ms,
                                          .name = psst_view_str(name),
                                          .path = psst_view("", 0)};
    files->storing++;
    *contact_id = contact->id;
    psst_transfer_store_new(transfers, &row, offer_stored, contact_id);
}

/* ---- the sink ---- */

static void release(struct psst_transfer *t)
{
    if (t->held == 0) return;
    struct psst_conn *conn = psst_conn_by_serial(t->all->d->peers, t->held);
    t->held = 0;
    if (conn != NULL) psst_conn_release(conn);
}

/* The transfer may be gone by the time its last sink is closed: it is looked for by what it was. */
struct closing {
    struct psst_transfers *all;
    unsigned generation;
    int64_t contact_id;
    struct psst_msg_id id;
};

static void on_sink_closed(void *ctx, uint64_t safe)
{
    (void)safe;
    struct closing *closing = ctx;
    struct psst_transfer *t = NULL;
    if (closing->generation == closing->all->generation)
        t = psst_transfer_find(closing->all, closing->contact_id, &closing->id, PSST_IN);
    free(closing);
    if (t == NULL) return;
    t->sink_closing = false;
    if (t->state == PSST_TRANSFER_ACCEPTED) psst_transfer_in_start(t);
}

void psst_transfer_in_stop(struct psst_transfer *t)
{
    release(t);
    t->stage = PSST_STAGE_IDLE;
    t->serial = 0;
    if (t->sink == NULL) return;
    struct closing *closing = malloc(sizeof *closing);
    if (closing != NULL) *closing = (struct closing){t->all, t->all->generation, t->contact_id, t->transfer_id};
    t->sink_closing = closing != NULL;
    psst_file_sink_close(t->sink, false, closing != NULL ? on_sink_closed : NULL, closing);
    t->sink = NULL;
}

/* This one comes to nothing here; the other side is told, the session goes on. */
static void fail(struct psst_transfer *t, uint8_t reason, const char *words)
{
    psst_transfer_say_kind(t, PSST_FILE_CANCEL, reason);
    psst_transfer_end(t, PSST_TRANSFER_FAILED, reason | PSST_TRANSFER_OURS, words);
}

static void on_sink(void *ctx, enum psst_file_sink_state state, enum psst_err err, const struct psst_diag *diag)
{
    struct psst_transfer *t = ctx;
    (void)err;
    switch (state) {
    case PSST_SINK_DRAINED: release(t); return;
    case PSST_SINK_FAILED: fail(t, PSST_FILE_NOT_SAVED, diag->text); return;
    case PSST_SINK_WHOLE:
    case PSST_SINK_WROTE:
    case PSST_SINK_SAFE: return;
    case PSST_SINK_OPENED: break;
    }
    struct psst_contact *contact = psst_transfer_contact(t);
    const struct psst_file_chunk chunk = {
        .kind = PSST_FILE_ACCEPT, .id = t->transfer_id, .offset = psst_file_sink_position(t->sink)};
    if (contact == NULL || contact->session == NULL) return; /* the end of the session closes the sink */
    t->stage = PSST_STAGE_RUNNING;
    t->serial = psst_conn_serial(contact->session);
    psst_transfer_say(contact, t->all->d, &chunk);
    psst_transfer_event(t);
}

static unsigned sinks(const struct psst_transfers *transfers)
{
    unsigned n = 0;
    for (const struct psst_transfer *t = transfers->first; t != NULL; t = t->next) n += t->sink != NULL;
    return n;
}

void psst_transfer_in_start(struct psst_transfer *t)
{
    struct psst_contact *contact = psst_transfer_contact(t);
    if (contact == NULL || contact->session == NULL || t->sink != NULL || t->sink_closing) return;
    if (t->stage != PSST_STAGE_IDLE && t->stage != PSST_STAGE_IN_LINE) return;
    t->stage = PSST_STAGE_IN_LINE;
    if (sinks(t->all) >= PSST_TRANSFERS_SINKS) return;
    struct psst_target *target;
    enum psst_err err = psst_target_of_part(&target, t->path, psst_view_str(t->name), false, &t->transfer_id, 0);
    if (err == PSST_OK) err = psst_file_sink_new(&t->sink, t->all->d->loop, target, t->size, 0, on_sink, t);
    if (err != PSST_OK)
        fail(t, PSST_FILE_NOT_SAVED, NULL);
    else
        t->stage = PSST_STAGE_OPENING;
}

void psst_transfer_in_next(struct psst_transfers *transfers)
{
    for (struct psst_transfer *t = transfers->first; t != NULL; t = t->next) {
        if (t->direction != PSST_IN || t->stage != PSST_STAGE_IN_LINE) continue;
        psst_transfer_in_start(t);
        return;
    }
}

/* ---- data ---- */

void psst_transfer_in_data(struct psst_transfer *t, struct psst_conn *conn, const struct psst_file_chunk *chunk)
{
    if (t->state == PSST_TRANSFER_WAITING) { /* nobody has accepted it */
        fail(t, PSST_FILE_PROTOCOL, NULL);
        return;
    }
    if (t->state != PSST_TRANSFER_ACCEPTED) return;                    /* it was on its way when this one ended */
    if (t->serial != 0 && t->serial != psst_conn_serial(conn)) return; /* it runs on the other connection */
    if (t->stage != PSST_STAGE_RUNNING || chunk->offset != psst_file_sink_position(t->sink)) {
        fail(t, PSST_FILE_PROTOCOL, NULL);
        return;
    }
    enum psst_err err = psst_file_sink_put(t->sink, chunk->data);
    if (err != PSST_OK) {
        fail(t, err == PSST_ERR_PROTOCOL ? PSST_FILE_PROTOCOL : PSST_FILE_NOT_SAVED, NULL);
        return;
    }
    if (t->held == 0 && psst_file_sink_full(t->sink)) {
        t->held = psst_conn_serial(conn);
        psst_conn_hold(conn);
    }
    psst_transfer_progress(t);
}

/* ---- the end ---- */

void psst_transfer_in_acknowledge(struct psst_transfer *t)
{
    struct psst_contact *contact = psst_transfer_contact(t);
    if (contact == NULL || contact->session == NULL || psst_conn_link(contact->session) == NULL) return;
    /* when it does not get out, the sender offers again, and is told then */
    (void)!psst_link_ack(psst_conn_link(contact->session), psst_daemon_now(t->all->d), &t->transfer_id);
    psst_conn_kick(contact->session);
}

static void done_kept(struct psst_transfer *t, enum psst_err err, const char *words, void *ctx)
{
    (void)words;
    (void)ctx;
    if (err == PSST_OK) psst_transfer_in_acknowledge(t);
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

static void on_finished(void *ctx, enum psst_err err, const char *path, const struct psst_diag *diag)
{
    struct psst_transfer *t = ctx;
    t->sink = NULL; /* it is gone */
    t->stage = PSST_STAGE_IDLE;
    if (err == PSST_ERR_AUTH) {
        refuse_hash(t);
        return;
    }
    if (err != PSST_OK) {
        fail(t, err == PSST_ERR_PROTOCOL ? PSST_FILE_PROTOCOL : PSST_FILE_NOT_SAVED, diag->text);
        return;
    }
    char *copy = strdup(path);
    if (copy != NULL) {
        free(t->path);
        t->path = copy;
    }
    t->state = PSST_TRANSFER_DONE;
    psst_log_limited(&t->all->d->log, PSST_LOG_INFO, "file-ended", "id=%lld state=done", (long long)t->id);
    psst_transfer_keep(t, done_kept, NULL);
    psst_transfer_event(t);
    psst_transfer_in_next(t->all);
}

void psst_transfer_in_done(struct psst_transfer *t, struct psst_conn *conn, const struct psst_file_chunk *chunk)
{
    if (t->state != PSST_TRANSFER_ACCEPTED && t->state != PSST_TRANSFER_WAITING) return;
    if (t->stage == PSST_STAGE_FINISHING) return; /* said twice */
    if (t->serial != 0 && t->serial != psst_conn_serial(conn)) return;
    if (t->stage != PSST_STAGE_RUNNING || chunk->size != t->size || psst_file_sink_position(t->sink) != t->size) {
        fail(t, PSST_FILE_PROTOCOL, NULL);
        return;
    }
    release(t);
    t->stage = PSST_STAGE_FINISHING;
    psst_file_sink_finish(t->sink, chunk->size, &chunk->sha256, on_finished, t);
}

/* ---- what a crash left ---- */

struct left_over {
    uv_work_t work;
    struct psst_msg_id id;
    char dir[];
};

static void remove_left_over(uv_work_t *work)
{
    struct left_over *l = work->data;
    psst_incoming_remove(l->dir, &l->id);
}

static void left_over_removed(uv_work_t *work, int status)
{
    (void)status;
    free(work->data);
}

void psst_transfer_in_sweep(struct psst_transfer *t)
{
    if (t->state != PSST_TRANSFER_ACCEPTED || t->path == NULL || t->sink != NULL || t->sink_closing) return;
    size_t size = strlen(t->path) + 1;
    struct left_over *l = malloc(sizeof *l + size);
    if (l == NULL) return; /* an unfinished file stays behind: no harm but its room */
    l->work.data = l;
    l->id = t->transfer_id;
    memcpy(l->dir, t->path, size);
    if (uv_queue_work(t->all->d->loop, &l->work, remove_left_over, left_over_removed) != 0) free(l);
}
