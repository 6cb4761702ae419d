/* Receiving. Nothing is written before the user has said where to; then everything is put where it belongs or that
 * transfer ends, never the session (attacks 24, 29 to 33).
 *
 *   sink open: accept, from where everything is safe --> data into the sink --> now and then a checkpoint: safe, noted
 */
#include "daemon/transfers/internal.h"

#include <fcntl.h>
#include <stdlib.h>

#define CHECKPOINT_BYTES ((uint64_t)64 << 20)
#define CHECKPOINT_NS    (10 * PSST_SECOND_NS)

static bool is_stream(const struct psst_transfer *t)
{
    return t->form == PSST_FILE_FORM_STREAM;
}

void psst_transfer_in_release(struct psst_transfer *t)
{
    if (t->held == 0) return;
    struct psst_conn *conn = psst_conn_by_serial(t->all->d->peers, t->held);
    t->held = 0;
    if (conn != NULL) psst_conn_release(conn);
}

/* ---- what a part that comes to nothing leaves ---- */

struct left_over {
    uv_work_t work;
    struct psst_transfers *all;
    unsigned generation;
    int64_t transfer;
    struct psst_msg_id id;
    bool folder;
    uint64_t inode;
    char dir[];
};

static void remove_left_over(uv_work_t *work)
{
    struct left_over *l = work->data;
    psst_incoming_remove(l->dir, &l->id);
    if (l->folder) psst_folder_remove(l->dir, &l->id, l->inode);
}

static void left_over_removed(uv_work_t *work, int status)
{
    struct left_over *l = work->data;
    (void)status;
    struct psst_transfers *all = l->all;
    struct psst_transfer *t = l->generation == all->generation ? psst_transfer_by_id(all, l->transfer) : NULL;
    if (t != NULL && (t->flags & PSST_TRANSFER_LITTER) != 0) {
        t->flags &= ~(uint32_t)PSST_TRANSFER_LITTER;
        psst_transfer_keep(t, NULL, NULL);
    }
    free(l);
}

void psst_transfer_in_sweep(const struct psst_transfer *t)
{
    if (t->path[0] != '/') return;
    size_t size = strlen(t->path) + 1;
    struct left_over *l = malloc(sizeof *l + size);
    if (l == NULL) return; /* an unfinished file stays behind: no harm but its room */
    l->work.data = l;
    l->all = t->all;
    l->generation = t->all->generation;
    l->transfer = t->id;
    l->id = t->transfer_id;
    l->folder = t->form == PSST_FILE_FORM_FOLDER;
    l->inode = t->inode;
    memcpy(l->dir, t->path, size);
    if (uv_queue_work(t->all->d->loop, &l->work, remove_left_over, left_over_removed) != 0) free(l);
}

/* ---- closing ---- */

/* The transfer may be gone by the time its last sink is closed: it is looked for by what it was. */
struct closing {
    struct psst_transfers *all;
    unsigned generation;
    int64_t id, contact_id;
    bool keep, stream;
};

void psst_transfers_sink_gone(struct psst_transfers *all, bool stream)
{
    all->sinks--;
    if (stream) all->stream_sinks--;
    if (all->sinks > 0 || all->quiet == NULL) return;
    void (*quiet)(void *ctx) = all->quiet;
    all->quiet = NULL;
    quiet(all->quiet_ctx);
}

static void closed(struct psst_transfer *t, uint64_t safe)
{
    t->sink_closing = false;
    bool ended = psst_transfer_is_over(t);
    if (ended && t->state != PSST_TRANSFER_DONE) psst_transfer_in_sweep(t); /* it ended while its part was being kept */
    if (ended || t->whole || is_stream(t)) return;
    t->safe = safe;
    psst_transfer_keep(t, NULL, NULL);
    psst_transfer_in_start(t);
}

static void on_sink_closed(void *ctx, uint64_t safe)
{
    struct closing *closing = ctx;
    struct psst_transfers *all = closing->all;
    struct psst_transfer *t = closing->generation == all->generation ? psst_transfer_by_id(all, closing->id) : NULL;
    if (t != NULL)
        closed(t, safe);
    else if (closing->keep) /* locked, or stopping: noted all the same, if there is still time */
        psst_transfer_keep_safe(all, closing->id, closing->contact_id, safe);
    psst_transfers_sink_gone(all, closing->stream);
    psst_transfer_in_next(all);
    free(closing);
}

void psst_transfer_in_stop(struct psst_transfer *t, bool keep)
{
    psst_transfer_in_release(t);
    t->stage = PSST_STAGE_IDLE;
    t->serial = 0;
    if (t->sink == NULL) return;
    t->reached = psst_file_sink_position(t->sink);
    struct closing *closing = malloc(sizeof *closing);
    if (closing != NULL)
        *closing = (struct closing){t->all, t->all->generation, t->id, t->contact_id, keep, is_stream(t)};
    t->sink_closing = closing != NULL;
    if (closing == NULL) psst_transfers_sink_gone(t->all, is_stream(t));
    psst_file_sink_close(t->sink, keep, closing != NULL ? on_sink_closed : NULL, closing);
    t->sink = NULL;
}

/* ---- opening ---- */

static void grant(struct psst_transfer *t)
{
    struct psst_contact *contact = psst_transfer_contact(t);
    uint64_t window = psst_file_sink_written(t->sink) + PSST_STREAM_WINDOW;
    if (contact == NULL || window < t->window + PSST_STREAM_WINDOW / 4) return;
    t->window = window;
    const struct psst_file_chunk chunk = {.kind = PSST_FILE_WINDOW, .id = t->transfer_id, .offset = window};
    psst_transfer_say(contact, t->all->d, &chunk);
}

/* The part file is known and the connection stands: the other side may send. */
static void run(struct psst_transfer *t)
{
    struct psst_contact *contact = psst_transfer_contact(t);
    if (contact == NULL || contact->session == NULL) return; /* the end of the session closes the sink */
    t->window = 0;
    t->stage = PSST_STAGE_RUNNING;
    t->serial = psst_conn_serial(contact->session);
    t->checkpoint_bytes = t->start;
    t->checkpoint_ns = uv_hrtime();
    psst_pace_begin(&t->pace, t->checkpoint_ns, t->start);
    const struct psst_file_chunk chunk = {.kind = PSST_FILE_ACCEPT, .id = t->transfer_id, .offset = t->start};
    psst_transfer_say(contact, t->all->d, &chunk);
    if (is_stream(t)) grant(t);
    psst_transfer_event(t);
}

static void noted(struct psst_transfer *t, enum psst_err err, const char *words, void *ctx)
{
    if (t == NULL) return;
    if (err == PSST_OK) t->noted_inode = (uintptr_t)ctx;
    if (t->sink == NULL || t->stage != PSST_STAGE_OPENING) return;
    if (!t->noting || t->inode != (uintptr_t)ctx) return; /* an earlier run's: this one's comes yet */
    t->noting = false;
    if (err == PSST_OK)
        run(t);
    else
        psst_transfer_fail(t, PSST_FILE_NOT_SAVED, words);
}

/* The row knows the part file by its number before a byte comes, so that one that gets its name just before psstd dies is
 * known again: else it would come twice. */
static void opened(struct psst_transfer *t)
{
    uint64_t inode = psst_file_sink_inode(t->sink);
    t->start = psst_file_sink_position(t->sink);
    t->reached = t->start;
    if (t->safe == t->start && t->noted_inode == inode) {
        run(t);
        return;
    }
    t->safe = t->start;
    t->inode = inode;
    t->noting = true;
    psst_transfer_keep(t, noted, (void *)(uintptr_t)inode);
}

static void whole_already(struct psst_transfer *t)
{
    char *path = strdup(psst_file_sink_whole(t->sink));
    psst_transfer_in_stop(t, true);
    if (path != NULL) psst_transfer_in_settle(t, path);
    free(path);
}

static void on_sink(void *ctx, enum psst_file_sink_state state, enum psst_err err, const struct psst_diag *diag)
{
    struct psst_transfer *t = ctx;
    switch (state) {
    case PSST_SINK_OPENED: opened(t); return;
    case PSST_SINK_WHOLE: whole_already(t); return;
    case PSST_SINK_WROTE:
        if (is_stream(t)) grant(t);
        return;
    case PSST_SINK_DRAINED: psst_transfer_in_release(t); return;
    case PSST_SINK_SAFE:
        t->safe = psst_file_sink_safe(t->sink);
        psst_transfer_keep(t, NULL, NULL);
        return;
    case PSST_SINK_FAILED:
        if (err == PSST_ERR_AGAIN && t->form == PSST_FILE_FORM_FOLDER)
            psst_transfer_in_stop(t, true); /* a psst-tar of before is still at work: tried again once this is closed */
        else
            psst_transfer_fail(t, PSST_FILE_NOT_SAVED, diag->text);
        return;
    }
}

/* Where the bytes of each form go to. */
static enum psst_err open_target(struct psst_transfer *t, struct psst_target **target)
{
    bool exact = (t->flags & PSST_TRANSFER_NAMED) != 0;
    if (t->fd >= 0) {
        int fd = fcntl(t->fd, F_DUPFD_CLOEXEC, 0);
        return fd >= 0 ? psst_target_of_fd(target, fd) : PSST_ERR_IO;
    }
    if (t->form == PSST_FILE_FORM_FOLDER)
        return psst_target_of_folder(target, t->all->tar_program, t->path, psst_view_str(t->name), exact,
                                     &t->transfer_id, t->inode);
    return psst_target_of_part(target, t->path, psst_view_str(t->name), exact, &t->transfer_id,
                               is_stream(t) ? 0 : t->inode);
}

/* Streams have places of their own: they may be read slowly for hours. */
static bool may_open(const struct psst_transfer *t)
{
    unsigned streams = t->all->stream_sinks, files = t->all->sinks - streams, his = 0;
    if ((is_stream(t) ? streams : files) >= PSST_TRANSFERS_SINKS) return false;
    for (const struct psst_transfer *other = t->all->first; other != NULL; other = other->next)
        his += other->sink != NULL && other->contact_id == t->contact_id && is_stream(other) == is_stream(t);
    return his < PSST_TRANSFERS_SHARE;
}

void psst_transfer_in_start(struct psst_transfer *t)
{
    struct psst_contact *contact = psst_transfer_contact(t);
    if (contact == NULL || contact->session == NULL || t->sink != NULL || t->sink_closing || t->whole) return;
    if (t->state != PSST_TRANSFER_ACCEPTED || psst_transfer_is_paused(t)) return;
    if (t->stage != PSST_STAGE_IDLE && t->stage != PSST_STAGE_IN_LINE) return;
    t->stage = PSST_STAGE_IN_LINE;
    if (!may_open(t)) return;
    if (!psst_bucket_try(&t->runs, psst_daemon_now(t->all->d).mono_ns, PSST_TRANSFER_RUN)) {
        psst_transfer_fail(t, PSST_FILE_PROTOCOL, NULL);
        return;
    }
    struct psst_target *target;
    enum psst_err err = open_target(t, &target);
    if (err == PSST_OK) err = psst_file_sink_new(&t->sink, t->all->d->workers, target, t->size, t->safe, on_sink, t);
    if (err != PSST_OK) {
        psst_transfer_fail(t, PSST_FILE_NOT_SAVED, NULL);
        return;
    }
    t->all->sinks++;
    if (is_stream(t)) t->all->stream_sinks++;
    t->stage = PSST_STAGE_OPENING;
    t->noting = false;
}

void psst_transfer_in_next(struct psst_transfers *transfers)
{
    for (struct psst_transfer *t = transfers->first; t != NULL; t = t->next) {
        if (t->direction == PSST_IN && t->stage == PSST_STAGE_IN_LINE) psst_transfer_in_start(t);
    }
}

/* ---- data ---- */

/* By what has come and by the time that has passed: asked only when something comes, so that an idle one has no timer. */
static void checkpoint(struct psst_transfer *t)
{
    uint64_t position = psst_file_sink_position(t->sink), now_ns = uv_hrtime();
    if (position - t->checkpoint_bytes < CHECKPOINT_BYTES && now_ns - t->checkpoint_ns < CHECKPOINT_NS) return;
    t->checkpoint_bytes = position;
    t->checkpoint_ns = now_ns;
    psst_file_sink_checkpoint(t->sink);
}

/* Whether it may come now, and here. False: that is seen to. */
static bool wanted(struct psst_transfer *t, struct psst_conn *conn, const struct psst_file_chunk *chunk)
{
    if (t->state == PSST_TRANSFER_WAITING) { /* nobody has accepted it */
        psst_transfer_fail(t, PSST_FILE_PROTOCOL, NULL);
        return false;
    }
    if (t->state != PSST_TRANSFER_ACCEPTED || t->stage == PSST_STAGE_DRAINING) return false; /* it was on its way */
    if (t->serial != 0 && t->serial != psst_conn_serial(conn)) return false; /* it runs on the other connection */
    bool in_order = t->stage == PSST_STAGE_RUNNING && chunk->offset == psst_file_sink_position(t->sink);
    bool granted = !is_stream(t) || chunk->offset + chunk->data.len <= t->window;
    if (!in_order || !granted) psst_transfer_fail(t, PSST_FILE_PROTOCOL, NULL);
    return in_order && granted;
}

void psst_transfer_in_data(struct psst_transfer *t, struct psst_conn *conn, const struct psst_file_chunk *chunk)
{
    if (!wanted(t, conn, chunk)) return;
    enum psst_err err = psst_file_sink_put(t->sink, chunk->data);
    if (err != PSST_OK) {
        psst_transfer_fail(t, err == PSST_ERR_PROTOCOL ? PSST_FILE_PROTOCOL : PSST_FILE_NOT_SAVED, NULL);
        return;
    }
    t->reached = psst_file_sink_position(t->sink);
    if (t->held == 0 && psst_file_sink_full(t->sink)) {
        t->held = psst_conn_serial(conn);
        psst_conn_hold(conn);
    }
    checkpoint(t);
    psst_transfer_progress(t);
}

void psst_transfer_in_paused(struct psst_transfer *t, uint8_t why)
{
    bool draining = t->stage == PSST_STAGE_DRAINING;
    if (psst_transfer_is_over(t) || is_stream(t)) return;
    if (draining && why == PSST_FILE_PAUSE_ANSWER) { /* from now on what comes is of a new run */
        t->stage = PSST_STAGE_IDLE;
        psst_transfer_in_start(t);
        psst_transfer_event(t);
        return;
    }
    bool has_it_all = t->stage == PSST_STAGE_FINISHING || t->stage == PSST_STAGE_SETTLING;
    if (why == PSST_FILE_PAUSE_ANSWER || t->state != PSST_TRANSFER_ACCEPTED || has_it_all) return;
    if (!draining) psst_transfer_in_stop(t, true);
    t->peer_paused = true;
    psst_transfer_event(t);
    psst_transfer_in_next(t->all);
}
