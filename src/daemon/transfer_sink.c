/* A file on its way in (transfer_io.h). The loop fills blocks; full ones go to the worker, all that wait in one job; the
 * last, partly filled one goes only when nothing more comes.
 *
 *   OPEN --> PREFIX (hash what an earlier part wrote) --> WRITE ... WRITE --> FINISH
 *      \_______________________________________________________\----------> CLOSE
 *
 * While a job runs it owns in, sha, written, the job_ fields and its blocks. */
#include "daemon/transfer_io.h"

#include "crypto/crypto.h"
#include "daemon/safe_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define PREFIX_SLICE (64 * (uint64_t)PSST_IO_BLOCK) /* hashed in one job, so that closing need not wait for more */

struct block {
    struct block *next;
    size_t len;
    uint8_t data[PSST_IO_BLOCK];
};
struct block_list {
    struct block *first, *last;
};

enum job { JOB_NONE, JOB_OPEN, JOB_PREFIX, JOB_WRITE, JOB_FINISH, JOB_CLOSE };

struct psst_file_sink {
    uv_work_t work;
    uv_loop_t *loop;
    char *dir;
    char name[PSST_SAFE_NAME_SIZE];
    struct psst_msg_id id;
    uint64_t size, start;
    psst_file_sink_changed *changed;
    void *ctx;

    struct psst_incoming in;
    struct psst_sha256_stream *sha;
    uint64_t hashed; /* of the prefix */
    uint64_t resumed;
    uint64_t written;

    bool opened, closing, keep, finishing, was_full, telling;
    uint64_t position;
    size_t queued;
    struct block *filling;
    struct block_list ready;
    struct block_list spare;
    enum psst_err err; /* why it failed */
    struct psst_diag diag;
    struct psst_hash expected;
    psst_file_sink_done *done;
    void *done_ctx;
    void (*closed)(void *ctx);
    void *closed_ctx;

    enum job job; /* under way */
    struct block_list job_blocks;
    size_t job_bytes;
    enum psst_err job_err;
    struct psst_diag job_diag;
    char *job_path;
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

static enum psst_err io_error(struct psst_file_sink *s, const char *what)
{
    int e = errno;
    return psst_fail(&s->job_diag, psst_file_err(e), "%s %s: %s.", what, s->name, strerror(e));
}

/* A wish for more than there is room for is refused now, not after an hour. */
static enum psst_err check_room(struct psst_file_sink *s)
{
    struct statvfs fs;
    if (fstatvfs(s->in.fd, &fs) != 0) return PSST_OK;
    uint64_t need = s->size - s->resumed;
    uint64_t frag = fs.f_frsize == 0 ? 1 : fs.f_frsize;
    if (need / frag < fs.f_bavail) return PSST_OK;
    if (need == 0) return PSST_OK;
    return psst_fail(&s->job_diag, PSST_ERR_DISK_FULL, "There is no room for %s in %s.", s->name, s->dir);
}

static enum psst_err do_open(struct psst_file_sink *s)
{
    struct psst_view name = psst_view_str(s->name);
    enum psst_err err = psst_incoming_open(&s->in, s->dir, name, &s->id, true, &s->job_diag);
    if (err != PSST_OK) return err;
    uint64_t resumed = s->in.size < s->start ? s->in.size : s->start;
    if (resumed > s->size) resumed = s->size;
    s->sha = psst_sha256_stream_new();
    if (s->sha == NULL) return PSST_ERR_MEMORY;
    if (ftruncate(s->in.fd, (off_t)resumed) != 0) return io_error(s, "Cannot write");
    s->resumed = resumed;
    s->written = resumed;
    return check_room(s);
}

static enum psst_err hash_at(struct psst_file_sink *s, uint8_t *scratch, size_t len)
{
    for (size_t got = 0; got < len;) {
        ssize_t n = pread(s->in.fd, scratch + got, len - got, (off_t)(s->hashed + got));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return io_error(s, "Cannot read the part that is here of");
        if (n == 0) return psst_fail(&s->job_diag, PSST_ERR_DAMAGED, "The part of %s that was here has gone.", s->name);
        got += (size_t)n;
    }
    s->hashed += len;
    return psst_sha256_stream_update(s->sha, psst_view(scratch, len));
}

static enum psst_err do_prefix(struct psst_file_sink *s)
{
    uint8_t *scratch = malloc(PSST_IO_BLOCK);
    enum psst_err err = scratch == NULL ? PSST_ERR_MEMORY : PSST_OK;
    for (uint64_t done = 0; err == PSST_OK && done < PREFIX_SLICE && s->hashed < s->resumed;) {
        uint64_t left = s->resumed - s->hashed;
        size_t n = left < PSST_IO_BLOCK ? (size_t)left : PSST_IO_BLOCK;
        err = hash_at(s, scratch, n);
        done += n;
    }
    free(scratch);
    return err;
}

static enum psst_err write_all(struct psst_file_sink *s, const uint8_t *data, size_t len)
{
    while (len > 0) {
        ssize_t n = pwrite(s->in.fd, data, len, (off_t)s->written);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return io_error(s, "Cannot write");
        s->written += (uint64_t)n;
        data += n;
        len -= (size_t)n;
    }
    return PSST_OK;
}

static enum psst_err do_write(struct psst_file_sink *s)
{
    uint64_t from = s->written;
    for (struct block *block = s->job_blocks.first; block != NULL; block = block->next) {
        enum psst_err err = psst_sha256_stream_update(s->sha, psst_view(block->data, block->len));
        if (err == PSST_OK) err = write_all(s, block->data, block->len);
        if (err != PSST_OK) return err;
    }
    /* the disk may begin now, so that the last fsync has little left to wait for */
    (void)sync_file_range(s->in.fd, (off_t)from, (off_t)(s->written - from), SYNC_FILE_RANGE_WRITE);
    return PSST_OK;
}

static char *join(const char *dir, const char *name)
{
    size_t size = strlen(dir) + strlen(name) + 2;
    char *path = malloc(size);
    if (path == NULL) return NULL;
    const char *slash = dir[0] != '\0' && dir[strlen(dir) - 1] == '/' ? "" : "/";
    (void)snprintf(path, size, "%s%s%s", dir, slash, name);
    return path;
}

static enum psst_err do_finish(struct psst_file_sink *s)
{
    enum psst_err err = s->err;
    if (err != PSST_OK) s->job_diag = s->diag;
    if (err == PSST_OK && s->written != s->size)
        err = psst_fail(&s->job_diag, PSST_ERR_PROTOCOL, "%s is not whole.", s->name);
    struct psst_hash hash;
    if (err == PSST_OK) err = psst_sha256_stream_peek(s->sha, &hash);
    if (err != PSST_OK) {
        psst_incoming_keep(&s->in);
        return err;
    }
    if (!psst_crypto_equal(hash.b, s->expected.b, sizeof hash.b)) {
        psst_incoming_abandon(&s->in);
        return psst_fail(&s->job_diag, PSST_ERR_AUTH, "%s did not arrive as it was sent: it is not kept.", s->name);
    }
    err = psst_incoming_finish(&s->in, &s->job_diag);
    if (err != PSST_OK) return err;
    s->job_path = join(s->dir, s->in.name);
    return s->job_path == NULL ? PSST_ERR_MEMORY : PSST_OK;
}

static enum psst_err do_close(struct psst_file_sink *s)
{
    if (s->keep)
        psst_incoming_keep(&s->in);
    else
        psst_incoming_abandon(&s->in);
    return PSST_OK;
}

static void on_work(uv_work_t *work)
{
    struct psst_file_sink *s = work->data;
    switch (s->job) {
    case JOB_NONE: break;
    case JOB_OPEN: s->job_err = do_open(s); break;
    case JOB_PREFIX: s->job_err = do_prefix(s); break;
    case JOB_WRITE: s->job_err = do_write(s); break;
    case JOB_FINISH: s->job_err = do_finish(s); break;
    case JOB_CLOSE: s->job_err = do_close(s); break;
    }
}

/* ---- on the loop: what comes next ---- */

static void sink_free(struct psst_file_sink *s)
{
    list_free(&s->ready);
    list_free(&s->spare);
    list_free(&s->job_blocks);
    free(s->filling);
    psst_sha256_stream_free(s->sha);
    free(s->job_path);
    free(s->dir);
    free(s);
}

static enum job choose(const struct psst_file_sink *s)
{
    bool last = s->finishing || s->closing;
    bool discard = s->closing && !s->keep;
    if (s->err == PSST_OK && !discard) {
        if (!s->opened) return s->closing ? JOB_CLOSE : JOB_OPEN;
        if (s->hashed < s->resumed && !s->closing) return JOB_PREFIX;
        if (s->ready.first != NULL || (last && s->filling != NULL && s->filling->len > 0)) return JOB_WRITE;
    }
    if (s->closing) return JOB_CLOSE;
    return s->finishing ? JOB_FINISH : JOB_NONE;
}

static void hand_over_blocks(struct psst_file_sink *s)
{
    if ((s->finishing || s->closing) && s->filling != NULL) {
        list_add(&s->ready, s->filling);
        s->filling = NULL;
    }
    s->job_blocks = s->ready;
    s->ready = (struct block_list){NULL, NULL};
    s->job_bytes = 0;
    for (struct block *block = s->job_blocks.first; block != NULL; block = block->next) s->job_bytes += block->len;
}

static void after_work(uv_work_t *work, int status);

static void go_on(struct psst_file_sink *s)
{
    if (s->job != JOB_NONE) return;
    s->job = choose(s);
    if (s->job == JOB_NONE) return;
    if (s->job == JOB_WRITE) hand_over_blocks(s);
    s->job_diag.text[0] = '\0';
    if (uv_queue_work(s->loop, &s->work, on_work, after_work) != 0)
        s->job = JOB_NONE; /* never: the call is well formed */
}

static void take_back_blocks(struct psst_file_sink *s)
{
    struct block *block;
    while ((block = list_take(&s->job_blocks)) != NULL) list_add(&s->spare, block);
    s->queued -= s->job_bytes;
    s->job_bytes = 0;
}

static void tell_end(struct psst_file_sink *s, enum job ended)
{
    s->telling = true;
    if (s->closing) {
        if (s->closed != NULL) s->closed(s->closed_ctx);
    } else if (ended == JOB_FINISH) {
        s->done(s->done_ctx, s->job_err, s->job_path == NULL ? "" : s->job_path, &s->job_diag);
    }
    sink_free(s);
}

static void tell(struct psst_file_sink *s, enum psst_file_sink_state state)
{
    s->changed(s->ctx, state, state == PSST_SINK_FAILED ? s->err : PSST_OK, &s->diag);
}

static void after_work(uv_work_t *work, int status)
{
    struct psst_file_sink *s = work->data;
    enum job ended = s->job;
    (void)status; /* nothing here is ever cancelled */
    s->job = JOB_NONE;
    if (ended == JOB_FINISH || ended == JOB_CLOSE) {
        tell_end(s, ended);
        return;
    }
    if (ended == JOB_WRITE) take_back_blocks(s);
    bool failed_now = s->job_err != PSST_OK && s->err == PSST_OK;
    if (failed_now) {
        s->err = s->job_err;
        s->diag = s->job_diag;
    }
    bool opened_now = ended == JOB_OPEN && s->err == PSST_OK;
    if (opened_now) {
        s->opened = true;
        s->position = s->resumed;
    }
    bool drained_now = s->was_full && s->queued < PSST_IO_DRAINED;
    if (drained_now) s->was_full = false;
    go_on(s);
    if (s->closing) return;
    if (failed_now && !s->finishing)
        tell(s, PSST_SINK_FAILED);
    else if (opened_now)
        tell(s, PSST_SINK_OPENED);
    else if (drained_now && s->err == PSST_OK)
        tell(s, PSST_SINK_DRAINED);
}

/* ---- on the loop: what the owner asks ---- */

enum psst_err psst_file_sink_new(struct psst_file_sink **out, uv_loop_t *loop, const char *dir, struct psst_view name,
                                 const struct psst_msg_id *transfer_id, uint64_t size, uint64_t start,
                                 psst_file_sink_changed *changed, void *ctx)
{
    if (size > INT64_MAX) return PSST_ERR_TOO_LONG;
    struct psst_file_sink *s = calloc(1, sizeof *s);
    if (s == NULL) return PSST_ERR_MEMORY;
    s->dir = strdup(dir);
    if (s->dir == NULL) {
        free(s);
        return PSST_ERR_MEMORY;
    }
    psst_file_name_sanitize(s->name, name);
    s->work.data = s;
    s->loop = loop;
    s->id = *transfer_id;
    s->size = size;
    s->start = start;
    s->changed = changed;
    s->ctx = ctx;
    s->in.fd = -1;
    s->in.dir_fd = -1;
    go_on(s);
    *out = s;
    return PSST_OK;
}

uint64_t psst_file_sink_position(const struct psst_file_sink *s)
{
    return s->position;
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
    if (data.len > s->size - s->position) return PSST_ERR_PROTOCOL;
    if (data.len > PSST_IO_QUEUE_MAX - s->queued) return PSST_ERR_FULL;
    enum psst_err err = make_room(s, data.len);
    if (err != PSST_OK) return err;
    copy_in(s, data);
    s->position += data.len;
    s->queued += data.len;
    if (s->queued >= PSST_IO_FULL) s->was_full = true;
    if (s->ready.first != NULL) go_on(s);
    return PSST_OK;
}

void psst_file_sink_finish(struct psst_file_sink *s, const struct psst_hash *expected, psst_file_sink_done *done,
                           void *ctx)
{
    if (s->finishing || s->closing) return;
    s->finishing = true;
    s->expected = *expected;
    s->done = done;
    s->done_ctx = ctx;
    go_on(s);
}

void psst_file_sink_close(struct psst_file_sink *s, bool keep, void (*closed)(void *ctx), void *ctx)
{
    if (s == NULL || s->closing || s->telling) return;
    s->closing = true;
    s->keep = keep;
    s->closed = closed;
    s->closed_ctx = ctx;
    go_on(s);
}
