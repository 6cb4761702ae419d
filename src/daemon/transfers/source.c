/* What goes out (transfers/io.h). Blocks are a ring: the worker fills the one behind the last, the loop empties the first.
 * What the worker touches while it is at work the loop leaves alone, and the other way round:
 *   worker: origin, sha, read_at, hash, the job_ fields and the block it fills      loop: everything else
 *
 * An origin that has nothing now is polled; what comes is read by a worker all the same, for it must be hashed. */
#include "daemon/transfers/io.h"

#include "crypto/crypto.h"

#include <stdlib.h>

#define PREFIX_SLICE (64 * (uint64_t)PSST_IO_BLOCK) /* hashed in one job, so that closing need not wait for more */
#define SIZE_MAX_ANY (UINT64_C(1) << 62)            /* of what has no size: the wire knows no more */

struct block {
    uint8_t *data;
    size_t len, used;
};

struct psst_file_source {
    struct psst_workers *workers;
    struct psst_work work;
    uv_poll_t poll;
    uint64_t size, start;
    size_t block_size;
    psst_file_source_ready *ready;
    void *ctx;

    struct psst_origin *origin;
    bool opened;
    struct psst_sha256_stream *sha;
    uint64_t read_at;
    struct psst_hash hash;

    struct block blocks[PSST_IO_BLOCKS];
    size_t first, filled;
    uint64_t position, total;
    bool working, polled, waiting, closing, complete, failed;

    struct block *job_block; /* what the job under way fills, and what became of it */
    enum psst_err job_err;
    struct psst_diag job_diag;
    bool job_complete, job_again;
};

/* ---- in the worker ---- */

static enum psst_err open_source(struct psst_file_source *s)
{
    s->sha = psst_sha256_stream_new();
    enum psst_err err = s->sha == NULL ? PSST_ERR_MEMORY : s->origin->ops->open(s->origin, &s->job_diag);
    s->opened = err == PSST_OK;
    return err;
}

/* Reads and hashes up to len bytes; fewer when there is nothing more now, or at all. */
static enum psst_err read_hashed(struct psst_file_source *s, uint8_t *into, size_t len, size_t *got)
{
    bool ended = false;
    *got = 0;
    while (*got < len && !ended && !s->job_again) {
        size_t n = 0;
        enum psst_err err = s->origin->ops->read(s->origin, into + *got, len - *got, &n, &s->job_diag);
        if (err != PSST_OK && err != PSST_ERR_AGAIN) return err;
        s->job_again = err == PSST_ERR_AGAIN;
        ended = err == PSST_OK && n == 0;
        *got += n;
    }
    s->read_at += *got;
    bool known = s->size != PSST_IO_SIZE_UNKNOWN;
    if (ended && known && s->read_at < s->size)
        return psst_fail(&s->job_diag, PSST_ERR_NOT_FOUND, "It has become shorter than it was when it was offered.");
    s->job_complete = known ? s->read_at == s->size : ended;
    if (!known && s->read_at > SIZE_MAX_ANY) return psst_fail(&s->job_diag, PSST_ERR_TOO_LONG, "It is too long.");
    return psst_sha256_stream_update(s->sha, psst_view(into, *got));
}

static size_t at_most(uint64_t left, size_t most)
{
    return left < most ? (size_t)left : most;
}

static enum psst_err read_prefix(struct psst_file_source *s, uint8_t *scratch)
{
    enum psst_err err = PSST_OK;
    size_t n = 1;
    for (uint64_t done = 0; err == PSST_OK && n > 0 && done < PREFIX_SLICE && s->read_at < s->start; done += n)
        err = read_hashed(s, scratch, at_most(s->start - s->read_at, s->block_size), &n);
    if (err == PSST_OK && s->job_complete && s->read_at < s->start)
        err = psst_fail(&s->job_diag, PSST_ERR_NOT_FOUND, "It ends before the place from which it is wanted.");
    return err;
}

static enum psst_err read_block(struct psst_file_source *s, struct block *block)
{
    enum psst_err err;
    block->len = 0;
    block->used = 0;
    if (block->data == NULL) block->data = malloc(s->block_size);
    if (block->data == NULL) return PSST_ERR_MEMORY;
    if (s->read_at < s->start) {
        err = read_prefix(s, block->data);
    } else {
        uint64_t left = s->size - s->read_at; /* not known: more than any block */
        err = read_hashed(s, block->data, at_most(left, s->block_size), &block->len);
    }
    if (err != PSST_OK || !s->job_complete) return err;
    if (s->origin->ops->check != NULL) err = s->origin->ops->check(s->origin, &s->job_diag);
    return err == PSST_OK ? psst_sha256_stream_peek(s->sha, &s->hash) : err;
}

static void on_work(struct psst_work *work)
{
    struct psst_file_source *s = work->data;
    enum psst_err err = s->opened ? PSST_OK : open_source(s);
    s->job_complete = s->size == 0;
    s->job_err = err == PSST_OK ? read_block(s, s->job_block) : err;
}

/* ---- on the loop ---- */

static void free_memory(struct psst_file_source *s)
{
    for (size_t i = 0; i < PSST_IO_BLOCKS; i++) free(s->blocks[i].data);
    psst_sha256_stream_free(s->sha);
    free(s);
}

static void on_poll_closed(uv_handle_t *handle)
{
    free_memory(handle->data);
}

static void source_free(struct psst_file_source *s)
{
    if (s->polled) (void)uv_poll_stop(&s->poll);
    s->origin->ops->free(s->origin);
    if (s->polled)
        uv_close((uv_handle_t *)&s->poll, on_poll_closed);
    else
        free_memory(s);
}

static void after_work(struct psst_work *work);

static void read_ahead(struct psst_file_source *s)
{
    if (s->working || s->waiting || s->complete || s->failed || s->filled == PSST_IO_BLOCKS) return;
    s->job_block = &s->blocks[(s->first + s->filled) % PSST_IO_BLOCKS];
    s->job_again = false;
    s->working = psst_workers_start(s->workers, &s->work) == PSST_OK;
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct psst_file_source *s = poll->data;
    (void)status; /* an error, too, is something that the next read tells */
    (void)events;
    (void)uv_poll_stop(poll);
    s->waiting = false;
    read_ahead(s);
}

/* Nothing is there now: the loop is told when there is. */
static enum psst_err wait_for_more(struct psst_file_source *s)
{
    if (!s->polled && uv_poll_init(psst_workers_loop(s->workers), &s->poll, s->origin->fd) != 0)
        return psst_fail(&s->job_diag, PSST_ERR_USAGE, "That stream cannot be waited for.");
    s->polled = true;
    s->poll.data = s;
    s->waiting = uv_poll_start(&s->poll, UV_READABLE, on_poll) == 0;
    return s->waiting ? PSST_OK : psst_fail(&s->job_diag, PSST_ERR_IO, "That stream cannot be waited for.");
}

static void after_work(struct psst_work *work)
{
    struct psst_file_source *s = work->data;
    s->working = false;
    if (s->closing) {
        source_free(s);
        return;
    }
    enum psst_err err = s->job_err;
    if (err == PSST_OK && s->job_again) err = wait_for_more(s);
    s->failed = err != PSST_OK;
    s->complete = !s->failed && s->job_complete;
    if (s->complete) s->total = s->read_at;
    size_t got = s->failed ? 0 : s->job_block->len;
    if (got > 0) s->filled++;
    read_ahead(s);
    if (s->failed || s->complete || got > 0) s->ready(s->ctx, err, &s->job_diag); /* may close: the last thing done */
}

enum psst_err psst_file_source_new(struct psst_file_source **out, struct psst_workers *workers,
                                   struct psst_origin *origin, uint64_t size, uint64_t start,
                                   psst_file_source_ready *ready, void *ctx)
{
    bool good = start <= size && (size <= INT64_MAX || size == PSST_IO_SIZE_UNKNOWN);
    struct psst_file_source *s = good ? calloc(1, sizeof *s) : NULL;
    if (s == NULL) {
        origin->ops->free(origin);
        return good ? PSST_ERR_MEMORY : PSST_ERR_USAGE;
    }
    s->workers = workers;
    s->work = (struct psst_work){.run = on_work, .done = after_work, .data = s};
    s->origin = origin;
    s->size = size;
    s->start = start;
    s->position = start;
    s->block_size = size == 0 ? 1 : at_most(size, PSST_IO_BLOCK);
    s->ready = ready;
    s->ctx = ctx;
    read_ahead(s);
    if (!s->working) {
        source_free(s);
        return PSST_ERR_MEMORY;
    }
    *out = s;
    return PSST_OK;
}

size_t psst_file_source_available(const struct psst_file_source *s)
{
    size_t sum = 0;
    for (size_t i = 0; i < s->filled; i++) {
        const struct block *block = &s->blocks[(s->first + i) % PSST_IO_BLOCKS];
        sum += block->len - block->used;
    }
    return sum;
}

uint64_t psst_file_source_position(const struct psst_file_source *s)
{
    return s->position;
}

bool psst_file_source_full(const struct psst_file_source *s)
{
    return s->filled == PSST_IO_BLOCKS;
}

bool psst_file_source_complete(const struct psst_file_source *s)
{
    return s->complete;
}

bool psst_file_source_end(const struct psst_file_source *s)
{
    return s->complete && s->position == s->total;
}

struct psst_view psst_file_source_peek(const struct psst_file_source *s)
{
    if (s->filled == 0) return psst_view(NULL, 0);
    const struct block *block = &s->blocks[s->first];
    return psst_view(block->data + block->used, block->len - block->used);
}

void psst_file_source_consume(struct psst_file_source *s, size_t n)
{
    if (n == 0 || s->filled == 0) return;
    struct block *block = &s->blocks[s->first];
    block->used += n;
    s->position += n;
    if (block->used < block->len) return;
    s->first = (s->first + 1) % PSST_IO_BLOCKS;
    s->filled--;
    read_ahead(s);
}

size_t psst_file_source_take(struct psst_file_source *s, uint8_t *out, size_t max)
{
    size_t taken = 0;
    while (taken < max && s->filled > 0) {
        struct psst_view view = psst_file_source_peek(s);
        size_t n = view.len < max - taken ? view.len : max - taken;
        memcpy(out + taken, view.data, n);
        psst_file_source_consume(s, n);
        taken += n;
    }
    return taken;
}

enum psst_err psst_file_source_hash(const struct psst_file_source *s, struct psst_hash *hash)
{
    if (!psst_file_source_end(s)) return PSST_ERR_AGAIN;
    *hash = s->hash;
    return PSST_OK;
}

void psst_file_source_close(struct psst_file_source *s)
{
    if (s == NULL || s->closing) return;
    s->closing = true;
    if (!s->working) source_free(s); /* else after_work does it */
}
