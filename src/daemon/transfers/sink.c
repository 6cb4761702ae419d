/* What comes in (transfers/io.h). The loop fills blocks; full ones go to the worker, all that wait in one job; the last,
 * partly filled one goes only when nothing more comes, or when a checkpoint is wanted.
 *
 *   OPEN --> PREFIX (hash what an earlier run wrote) --> WRITE ... WRITE --> FINISH
 *      \_______________________________________________________\----------> CLOSE
 *                                     beside WRITE: sync, of what was written until then
 *
 * While a job runs it owns target, sha, hashed, written, the job_ fields and its blocks. The sync touches target alone, and
 * its own fields; FINISH and CLOSE wait for it. A target that takes nothing now is polled. */
#include "daemon/transfers/io.h"

#include "crypto/crypto.h"

#include <stdlib.h>

#define PREFIX_SLICE (64 * (uint64_t)PSST_IO_BLOCK) /* hashed in one job, so that closing need not wait for more */
#define SIZE_MAX_ANY (UINT64_C(1) << 62)
/* Of a prefix so much may still be hashed while data comes already: more would fill the queue, and hold up the connection. */
#define PREFIX_BESIDE (128 * (uint64_t)PSST_IO_BLOCK)

struct block {
    struct block *next;
    size_t len, used; /* used: of these so many are written; it is hashed before the first */
    bool hashed;
    uint8_t data[PSST_IO_BLOCK];
};
struct block_list {
    struct block *first, *last;
};

enum job { JOB_NONE, JOB_OPEN, JOB_PREFIX, JOB_WRITE, JOB_FINISH, JOB_CLOSE };

struct psst_file_sink {
    struct psst_workers *workers;
    struct psst_work work;
    uv_work_t sync_work;
    uv_poll_t poll;
    uint64_t size;
    psst_file_sink_changed *changed;
    void *ctx;

    struct psst_target *target;
    struct psst_sha256_stream *sha;
    uint64_t hashed; /* of the prefix */
    uint64_t written;
    struct psst_target_open open; /* what it came to */

    bool opened, announced, closing, keep, finishing, was_full, telling;
    bool polled, waiting; /* waiting: the target takes nothing now */
    uint64_t position, safe;
    size_t queued;
    struct block *filling;
    struct block_list ready;
    struct block_list spare;
    enum psst_err err; /* why it failed */
    struct psst_diag diag;
    struct psst_hash expected;
    psst_file_sink_done *done;
    void *done_ctx;
    psst_file_sink_closed *closed;
    void *closed_ctx;

    enum job job; /* under way */
    struct block_list job_blocks;
    uint64_t job_from; /* written when it began */
    enum psst_err job_err;
    struct psst_diag job_diag;
    bool job_again, job_safe;
    char *job_path;

    bool sync_wanted, flush, syncing; /* flush: the block that is being filled goes with the next WRITE */
    uint64_t sync_at;
    enum psst_err sync_err;
    struct psst_diag sync_diag;
};

/* ---- lists of blocks ---- */

static void list_add(struct block_list *list, struct block *block)
{
    block->next = NULL;
    if (list->first == NULL)
        list->first = block;
    else
        list->last->next = block;
    list->last = block;
}

static struct block *list_take(struct block_list *list)
{
    struct block *block = list->first;
    if (block != NULL) list->first = block->next;
    return block;
}

static void list_free(struct block_list *list)
{
    struct block *block;
    while ((block = list_take(list)) != NULL) free(block);
}

/* ---- in the worker ---- */

static enum psst_err do_open(struct psst_file_sink *s)
{
    s->sha = psst_sha256_stream_new();
    if (s->sha == NULL) return PSST_ERR_MEMORY;
    enum psst_err err = s->target->ops->open(s->target, &s->open, &s->job_diag);
    if (err == PSST_OK) s->written = s->open.start;
    return err;
}

static enum psst_err do_prefix(struct psst_file_sink *s)
{
    uint8_t *scratch = malloc(PSST_IO_BLOCK);
    enum psst_err err = scratch == NULL ? PSST_ERR_MEMORY : PSST_OK;
    for (uint64_t done = 0; err == PSST_OK && done < PREFIX_SLICE && s->hashed < s->open.start;) {
        uint64_t left = s->open.start - s->hashed;
        size_t n = left < PSST_IO_BLOCK ? (size_t)left : PSST_IO_BLOCK;
        err = s->target->ops->read_back(s->target, scratch, n, s->hashed, &s->job_diag);
        if (err == PSST_OK) err = psst_sha256_stream_update(s->sha, psst_view(scratch, n));
        s->hashed += n;
        done += n;
    }
    free(scratch);
    return err;
}

static enum psst_err write_block(struct psst_file_sink *s, struct block *block)
{
    enum psst_err err = PSST_OK;
    if (!block->hashed) err = psst_sha256_stream_update(s->sha, psst_view(block->data, block->len));
    block->hashed = true;
    while (err == PSST_OK && block->used < block->len) {
        size_t n = 0;
        err = s->target->ops->write(s->target, block->data + block->used, block->len - block->used, &n, &s->job_diag);
        block->used += n;
        s->written += n;
    }
    return err;
}

static enum psst_err do_write(struct psst_file_sink *s)
{
    enum psst_err err = PSST_OK;
    for (struct block *block = s->job_blocks.first; block != NULL && err == PSST_OK; block = block->next)
        err = write_block(s, block);
    s->job_again = err == PSST_ERR_AGAIN;
    return s->job_again ? PSST_OK : err;
}

static enum psst_err hash_of_whole(struct psst_file_sink *s, struct psst_hash *hash)
{
    if (s->err != PSST_OK) {
        s->job_diag = s->diag;
        return s->err;
    }
    if (s->written != s->size) return psst_fail(&s->job_diag, PSST_ERR_PROTOCOL, "It is not whole.");
    return psst_sha256_stream_peek(s->sha, hash);
}

static enum psst_err do_finish(struct psst_file_sink *s)
{
    struct psst_hash hash;
    enum psst_err err = hash_of_whole(s, &hash);
    if (err != PSST_OK) {
        s->job_safe = s->target->ops->end(s->target, true);
        return err;
    }
    if (!psst_crypto_equal(hash.b, s->expected.b, sizeof hash.b)) {
        (void)s->target->ops->end(s->target, false);
        return psst_fail(&s->job_diag, PSST_ERR_AUTH, "What arrived is not what was sent: it is not kept.");
    }
    return s->target->ops->finish(s->target, &s->job_path, &s->job_diag);
}

static void on_work(struct psst_work *work)
{
    struct psst_file_sink *s = work->data;
    switch (s->job) {
    case JOB_NONE: break;
    case JOB_OPEN: s->job_err = do_open(s); break;
    case JOB_PREFIX: s->job_err = do_prefix(s); break;
    case JOB_WRITE: s->job_err = do_write(s); break;
    case JOB_FINISH: s->job_err = do_finish(s); break;
    case JOB_CLOSE:
        s->job_err = PSST_OK;
        s->job_safe = s->target->ops->end(s->target, s->keep);
        break;
    }
}

static void on_sync(uv_work_t *work)
{
    struct psst_file_sink *s = work->data;
    s->sync_err = s->target->ops->sync(s->target, &s->sync_diag);
}

/* ---- on the loop: what comes next ---- */

static void free_memory(struct psst_file_sink *s)
{
    list_free(&s->ready);
    list_free(&s->spare);
    list_free(&s->job_blocks);
    free(s->filling);
    psst_sha256_stream_free(s->sha);
    free(s->job_path);
    free(s->open.whole);
    free(s);
}

static void on_poll_closed(uv_handle_t *handle)
{
    free_memory(handle->data);
}

static void sink_free(struct psst_file_sink *s)
{
    s->target->ops->free(s->target);
    if (s->polled)
        uv_close((uv_handle_t *)&s->poll, on_poll_closed);
    else
        free_memory(s);
}

static bool has_partial(const struct psst_file_sink *s)
{
    return s->filling != NULL && s->filling->len > 0;
}

static enum job choose(const struct psst_file_sink *s)
{
    bool last = s->finishing || s->closing;
    /* what would have to wait for somebody else is not waited for any more */
    bool discard = s->closing && (!s->keep || s->waiting);
    if (s->err == PSST_OK && !discard) {
        if (!s->opened) return s->closing ? JOB_CLOSE : JOB_OPEN;
        if (s->open.whole == NULL && s->hashed < s->open.start && !s->closing) return JOB_PREFIX;
        if (s->waiting) return JOB_NONE;
        if (s->ready.first != NULL || ((last || s->flush) && has_partial(s))) return JOB_WRITE;
    }
    if (!last || s->syncing) return JOB_NONE;
    return s->closing ? JOB_CLOSE : JOB_FINISH;
}

static void hand_over_blocks(struct psst_file_sink *s)
{
    if ((s->finishing || s->closing || s->flush) && has_partial(s)) {
        list_add(&s->ready, s->filling);
        s->filling = NULL;
    }
    s->flush = false;
    s->job_blocks = s->ready;
    s->ready = (struct block_list){NULL, NULL};
    s->job_from = s->written;
}

static void after_work(struct psst_work *work);

static void stop_polling(struct psst_file_sink *s)
{
    if (s->polled) (void)uv_poll_stop(&s->poll); /* its descriptor is about to be closed */
}

static void go_on(struct psst_file_sink *s)
{
    if (s->job != JOB_NONE) return;
    s->job = choose(s);
    if (s->job == JOB_NONE) return;
    if (s->job == JOB_WRITE) hand_over_blocks(s);
    if (s->job == JOB_FINISH || s->job == JOB_CLOSE) stop_polling(s);
    s->job_diag.text[0] = '\0';
    if (psst_workers_start(s->workers, &s->work) != PSST_OK) s->job = JOB_NONE; /* the very first alone can fail */
}

/* What has been written is spare again, the rest stands in front of all others. */
static void take_back_blocks(struct psst_file_sink *s)
{
    struct block *block;
    while (s->job_blocks.first != NULL && s->job_blocks.first->used == s->job_blocks.first->len) {
        block = list_take(&s->job_blocks);
        list_add(&s->spare, block);
    }
    if (s->job_blocks.first != NULL) {
        if (s->ready.first != NULL)
            s->job_blocks.last->next = s->ready.first;
        else
            s->ready.last = s->job_blocks.last;
        s->ready.first = s->job_blocks.first;
        s->job_blocks = (struct block_list){NULL, NULL};
    }
    s->queued -= (size_t)(s->written - s->job_from);
}

static void tell_end(struct psst_file_sink *s, enum job ended)
{
    s->telling = true;
    if (s->closing) {
        if (s->closed != NULL) s->closed(s->closed_ctx, s->opened && s->job_safe ? s->written : s->safe);
    } else if (ended == JOB_FINISH) {
        s->done(s->done_ctx, s->job_err, s->job_path == NULL ? "" : s->job_path, &s->job_diag);
    }
    sink_free(s);
}

static void tell(struct psst_file_sink *s, enum psst_file_sink_state state)
{
    s->changed(s->ctx, state, state == PSST_SINK_FAILED ? s->err : PSST_OK, &s->diag);
}

static void fail_with(struct psst_file_sink *s, enum psst_err err, const struct psst_diag *diag)
{
    if (s->err != PSST_OK) return;
    s->err = err;
    s->diag = *diag;
}

/* ---- on the loop: a target that others read from ---- */

static void poll_for(struct psst_file_sink *s, int events);

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct psst_file_sink *s = poll->data;
    (void)events;
    bool told = s->waiting; /* then the next write says what is wrong, if anything is */
    (void)uv_poll_stop(poll);
    s->waiting = false;
    if (status < 0 && !told) {
        struct psst_diag diag = {{0}};
        bool first = s->err == PSST_OK;
        fail_with(s, psst_fail(&diag, PSST_ERR_NOT_FOUND, "Whoever read the stream closed it."), &diag);
        if (first && !s->finishing && !s->closing) tell(s, PSST_SINK_FAILED);
        return;
    }
    if (status >= 0) poll_for(s, 0);
    go_on(s);
}

/* Besides events: an error, which comes when the other end is closed, is always told. */
static void poll_for(struct psst_file_sink *s, int events)
{
    if (s->closing || s->target->fd < 0) return;
    if (!s->polled && uv_poll_init(psst_workers_loop(s->workers), &s->poll, s->target->fd) != 0) {
        struct psst_diag diag = {{0}};
        if (events != 0) fail_with(s, psst_fail(&diag, PSST_ERR_USAGE, "That stream cannot be waited for."), &diag);
        return;
    }
    s->polled = true;
    s->poll.data = s;
    (void)uv_poll_start(&s->poll, events | UV_DISCONNECT, on_poll);
}

/* ---- on the loop: checkpoints ---- */

static void after_sync(uv_work_t *work, int status)
{
    struct psst_file_sink *s = work->data;
    (void)status;
    s->syncing = false;
    bool failed_now = s->sync_err != PSST_OK && s->err == PSST_OK;
    if (s->sync_err == PSST_OK && s->sync_at > s->safe) s->safe = s->sync_at;
    if (failed_now) fail_with(s, s->sync_err, &s->sync_diag);
    go_on(s);
    if (s->closing || s->finishing) return;
    if (failed_now)
        tell(s, PSST_SINK_FAILED);
    else if (s->sync_err == PSST_OK)
        tell(s, PSST_SINK_SAFE);
}

/* Once what it is for has been written. */
static void start_sync(struct psst_file_sink *s)
{
    if (!s->sync_wanted || s->flush || s->syncing || s->finishing || s->closing || s->err != PSST_OK) return;
    s->sync_wanted = false;
    s->sync_at = s->written;
    s->sync_diag.text[0] = '\0';
    s->sync_work.data = s;
    s->syncing = uv_queue_work(psst_workers_loop(s->workers), &s->sync_work, on_sync, after_sync) == 0;
}

void psst_file_sink_checkpoint(struct psst_file_sink *s)
{
    if (!s->opened || s->sync_wanted || s->syncing || s->finishing || s->closing || s->err != PSST_OK) return;
    if (s->target->ops->sync == NULL || s->position == s->safe) return;
    s->sync_wanted = true;
    s->flush = true;
    if (s->job == JOB_NONE && s->ready.first == NULL && !has_partial(s)) {
        s->flush = false;
        start_sync(s);
    }
    go_on(s);
}

/* ---- on the loop: a job is over ---- */

/* What the one job that is over has changed, in the order of importance; each call may close. */
static void tell_changes(struct psst_file_sink *s, enum job ended, bool failed_now)
{
    if (failed_now) {
        if (!s->finishing) tell(s, PSST_SINK_FAILED);
        return;
    }
    if (s->err != PSST_OK) return;
    if ((ended == JOB_OPEN || ended == JOB_PREFIX) && !s->announced) {
        s->announced = s->open.whole != NULL || s->open.start - s->hashed <= PREFIX_BESIDE;
        if (s->announced) tell(s, s->open.whole != NULL ? PSST_SINK_WHOLE : PSST_SINK_OPENED);
        return;
    }
    if (ended != JOB_WRITE) return;
    bool drained = s->was_full && s->queued < PSST_IO_DRAINED;
    if (drained) s->was_full = false;
    tell(s, PSST_SINK_WROTE);
    if (drained && !s->closing) tell(s, PSST_SINK_DRAINED);
}

static void after_work(struct psst_work *work)
{
    struct psst_file_sink *s = work->data;
    enum job ended = s->job;
    s->job = JOB_NONE;
    if (ended == JOB_FINISH && s->job_err == PSST_ERR_AGAIN) {
        s->waiting = true;
        poll_for(s, UV_READABLE);
        go_on(s); /* closed meanwhile, or it cannot be waited for */
        return;
    }
    if (ended == JOB_FINISH || ended == JOB_CLOSE) {
        tell_end(s, ended);
        return;
    }
    if (ended == JOB_WRITE) take_back_blocks(s);
    bool failed_now = s->job_err != PSST_OK && s->err == PSST_OK;
    if (failed_now) fail_with(s, s->job_err, &s->job_diag);
    if (ended == JOB_OPEN && s->err == PSST_OK) {
        s->opened = true;
        s->position = s->safe = s->open.start;
        poll_for(s, 0);
    }
    if (ended == JOB_WRITE && s->job_again && s->err == PSST_OK) {
        s->waiting = true;
        poll_for(s, UV_WRITABLE);
        failed_now = s->err != PSST_OK;
    }
    start_sync(s);
    go_on(s);
    if (!s->closing) tell_changes(s, ended, failed_now);
}

/* ---- on the loop: what the owner asks ---- */

enum psst_err psst_file_sink_new(struct psst_file_sink **out, struct psst_workers *workers, struct psst_target *target,
                                 uint64_t size, uint64_t start, psst_file_sink_changed *changed, void *ctx)
{
    bool good = size <= INT64_MAX || size == PSST_IO_SIZE_UNKNOWN;
    struct psst_file_sink *s = good ? calloc(1, sizeof *s) : NULL;
    if (s == NULL) {
        target->ops->free(target);
        return good ? PSST_ERR_MEMORY : PSST_ERR_TOO_LONG;
    }
    s->workers = workers;
    s->work = (struct psst_work){.run = on_work, .done = after_work, .data = s};
    s->target = target;
    s->size = size;
    s->open = (struct psst_target_open){.size = size, .start = start};
    s->safe = start;
    s->changed = changed;
    s->ctx = ctx;
    go_on(s);
    if (s->job == JOB_NONE) {
        sink_free(s);
        return PSST_ERR_MEMORY;
    }
    *out = s;
    return PSST_OK;
}

uint64_t psst_file_sink_position(const struct psst_file_sink *s)
{
    return s->position;
}

uint64_t psst_file_sink_written(const struct psst_file_sink *s)
{
    return s->position - s->queued;
}

uint64_t psst_file_sink_safe(const struct psst_file_sink *s)
{
    return s->safe;
}

uint64_t psst_file_sink_inode(const struct psst_file_sink *s)
{
    return s->opened ? s->target->inode : 0;
}

const char *psst_file_sink_whole(const struct psst_file_sink *s)
{
    return s->opened ? s->open.whole : NULL;
}

size_t psst_file_sink_queued(const struct psst_file_sink *s)
{
    return s->queued;
}

bool psst_file_sink_full(const struct psst_file_sink *s)
{
    return s->was_full;
}

/* So many blocks that len bytes have room: the one being filled, and spare ones. */
static enum psst_err make_room(struct psst_file_sink *s, size_t len)
{
    size_t room = s->filling == NULL ? 0 : PSST_IO_BLOCK - s->filling->len;
    for (struct block *block = s->spare.first; block != NULL && room < len; block = block->next) room += PSST_IO_BLOCK;
    while (room < len) {
        struct block *block = malloc(sizeof *block);
        if (block == NULL) return PSST_ERR_MEMORY;
        list_add(&s->spare, block);
        room += PSST_IO_BLOCK;
    }
    return PSST_OK;
}

static void copy_in(struct psst_file_sink *s, struct psst_view data)
{
    while (data.len > 0) {
        if (s->filling == NULL) {
            s->filling = list_take(&s->spare);
            s->filling->len = 0;
            s->filling->used = 0;
            s->filling->hashed = false;
        }
        size_t room = PSST_IO_BLOCK - s->filling->len;
        size_t n = data.len < room ? data.len : room;
        memcpy(s->filling->data + s->filling->len, data.data, n);
        s->filling->len += n;
        data = psst_view(data.data + n, data.len - n);
        if (s->filling->len == PSST_IO_BLOCK) {
            list_add(&s->ready, s->filling);
            s->filling = NULL;
        }
    }
}

enum psst_err psst_file_sink_put(struct psst_file_sink *s, struct psst_view data)
{
    if (s->err != PSST_OK) return s->err;
    if (s->finishing || s->closing) return PSST_ERR_USAGE;
    if (!s->opened) return PSST_ERR_AGAIN;
    uint64_t most = s->size != PSST_IO_SIZE_UNKNOWN ? s->size : SIZE_MAX_ANY;
    if (data.len > most - s->position) return PSST_ERR_PROTOCOL;
    if (data.len > PSST_IO_QUEUE_MAX - s->queued) return PSST_ERR_FULL;
    enum psst_err err = make_room(s, data.len);
    if (err != PSST_OK) return err;
    copy_in(s, data);
    s->position += data.len;
    s->queued += data.len;
    if (s->queued >= PSST_IO_FULL) s->was_full = true;
    if (s->target->fd >= 0) s->flush = true; /* somebody waits for it at the other end */
    if (s->ready.first != NULL || s->flush) go_on(s);
    return PSST_OK;
}

void psst_file_sink_finish(struct psst_file_sink *s, uint64_t size, const struct psst_hash *expected,
                           psst_file_sink_done *done, void *ctx)
{
    if (s->finishing || s->closing) return;
    s->finishing = true;
    if (s->size == PSST_IO_SIZE_UNKNOWN) s->size = size;
    s->expected = *expected;
    s->done = done;
    s->done_ctx = ctx;
    go_on(s);
}

void psst_file_sink_close(struct psst_file_sink *s, bool keep, psst_file_sink_closed *closed, void *ctx)
{
    if (s == NULL || s->closing || s->telling) return;
    s->closing = true;
    s->keep = keep;
    s->closed = closed;
    s->closed_ctx = ctx;
    go_on(s);
}
