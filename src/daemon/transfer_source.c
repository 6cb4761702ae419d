/* A file on its way out (transfer_io.h). Blocks are a ring: the worker fills the one behind the last, the loop empties the
 * first. What the worker touches while it is at work the loop leaves alone, and the other way round:
 *   worker: file, sha, read_at, hash, and the block it fills      loop: everything else */
#include "daemon/transfer_io.h"

#include "crypto/crypto.h"
#include "daemon/safe_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define PREFIX_SLICE (64 * (uint64_t)PSST_IO_BLOCK) /* hashed in one job, so that closing need not wait for more */

struct block {
    uint8_t *data;
    size_t len, used;
};

struct psst_file_source {
    uv_work_t work;
    uv_loop_t *loop;
    char *path;
    uint64_t size, start;
    size_t block_size;
    psst_file_source_ready *ready;
    void *ctx;

    struct psst_outgoing file; /* fd -1: not open yet */
    struct psst_sha256_stream *sha;
    uint64_t read_at;
    struct psst_hash hash;

    struct block blocks[PSST_IO_BLOCKS];
    size_t first, filled;
    uint64_t position;
    bool working, closing, complete, failed;

    struct block *job_block; /* what the job under way fills, and what became of it */
    enum psst_err job_err;
    struct psst_diag job_diag;
    bool job_complete;
};

/* ---- in the worker ---- */

static enum psst_err changed(struct psst_file_source *s)
{
    return psst_fail(&s->job_diag, PSST_ERR_NOT_FOUND, "%s has changed while it was being sent.", s->path);
}

static enum psst_err open_source(struct psst_file_source *s)
{
    enum psst_err err = psst_outgoing_open(&s->file, s->path, &s->job_diag);
    if (err != PSST_OK) return err;
    if (s->file.size < s->size) return changed(s);
    (void)posix_fadvise(s->file.fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    s->sha = psst_sha256_stream_new();
    return s->sha == NULL ? PSST_ERR_MEMORY : PSST_OK;
}

/* Reads and hashes the next len bytes; fewer are there only when the file has shrunk. */
static enum psst_err read_hashed(struct psst_file_source *s, uint8_t *into, size_t len)
{
    for (size_t got = 0; got < len;) {
        ssize_t n = pread(s->file.fd, into + got, len - got, (off_t)(s->read_at + got));
        if (n == 0) return changed(s);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return psst_fail(&s->job_diag, PSST_ERR_IO, "Cannot read %s: %s.", s->path, strerror(errno));
        got += (size_t)n;
    }
    s->read_at += len;
    return psst_sha256_stream_update(s->sha, psst_view(into, len));
}

static size_t at_most(uint64_t left, size_t most)
{
    return left < most ? (size_t)left : most;
}

static enum psst_err read_prefix(struct psst_file_source *s, uint8_t *scratch)
{
    enum psst_err err = PSST_OK;
    for (uint64_t done = 0; err == PSST_OK && done < PREFIX_SLICE && s->read_at < s->start;) {
        size_t n = at_most(s->start - s->read_at, s->block_size);
        err = read_hashed(s, scratch, n);
        done += n;
    }
    return err;
}

static enum psst_err read_block(struct psst_file_source *s, struct block *block)
{
    block->len = 0;
    block->used = 0;
    if (block->data == NULL) block->data = malloc(s->block_size);
    if (block->data == NULL) return PSST_ERR_MEMORY;
    enum psst_err err = PSST_OK;
    if (s->read_at < s->start) {
        err = read_prefix(s, block->data);
    } else {
        size_t n = at_most(s->size - s->read_at, s->block_size);
        err = read_hashed(s, block->data, n);
        if (err == PSST_OK) block->len = n;
    }
    if (err != PSST_OK || s->read_at < s->size) return err;
    if (psst_outgoing_changed(&s->file, s->size)) return changed(s);
    s->job_complete = true;
    return psst_sha256_stream_peek(s->sha, &s->hash);
}

static void on_work(uv_work_t *work)
{
    struct psst_file_source *s = work->data;
    enum psst_err err = s->sha == NULL ? open_source(s) : PSST_OK;
    s->job_err = err == PSST_OK ? read_block(s, s->job_block) : err;
}

/* ---- on the loop ---- */

static void source_free(struct psst_file_source *s)
{
    for (size_t i = 0; i < PSST_IO_BLOCKS; i++) free(s->blocks[i].data);
    if (s->file.fd >= 0) (void)close(s->file.fd);
    psst_sha256_stream_free(s->sha);
    free(s->path);
    free(s);
}

static void after_work(uv_work_t *work, int status);

static void read_ahead(struct psst_file_source *s)
{
    if (s->working || s->complete || s->failed || s->filled == PSST_IO_BLOCKS) return;
    s->job_block = &s->blocks[(s->first + s->filled) % PSST_IO_BLOCKS];
    s->job_complete = false;
    s->working = uv_queue_work(s->loop, &s->work, on_work, after_work) == 0;
}

static void after_work(uv_work_t *work, int status)
{
    struct psst_file_source *s = work->data;
    s->working = false;
    if (s->closing) {
        source_free(s);
        return;
    }
    enum psst_err err = status == 0 ? s->job_err : PSST_ERR_AGAIN;
    s->failed = err != PSST_OK;
    s->complete = !s->failed && s->job_complete;
    size_t got = s->failed ? 0 : s->job_block->len;
    if (got > 0) s->filled++;
    read_ahead(s);
    if (s->failed || s->complete || got > 0) s->ready(s->ctx, err, &s->job_diag); /* may close: the last thing done */
}

enum psst_err psst_file_source_new(struct psst_file_source **out, uv_loop_t *loop, const char *path, uint64_t size,
                                   uint64_t start, psst_file_source_ready *ready, void *ctx)
{
    if (start > size || size > INT64_MAX) return PSST_ERR_USAGE;
    struct psst_file_source *s = calloc(1, sizeof *s);
    if (s == NULL) return PSST_ERR_MEMORY;
    s->path = strdup(path);
    if (s->path == NULL) {
        free(s);
        return PSST_ERR_MEMORY;
    }
    s->work.data = s;
    s->loop = loop;
    s->size = size;
    s->start = start;
    s->position = start;
    s->block_size = size == 0 ? 1 : at_most(size, PSST_IO_BLOCK);
    s->ready = ready;
    s->ctx = ctx;
    s->file.fd = -1;
    read_ahead(s);
    if (!s->working) {
        source_free(s);
        return PSST_ERR_INTERNAL;
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

bool psst_file_source_end(const struct psst_file_source *s)
{
    return s->complete && s->position == s->size;
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
    if (s->working)
        (void)uv_cancel((uv_req_t *)&s->work); /* has begun already? then after_work frees all the same */
    else
        source_free(s);
}
