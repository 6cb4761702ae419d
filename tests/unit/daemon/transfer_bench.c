#include "transfer_bench.h"

#include "crypto/crypto.h"

#include <stdio.h>
#include <stdlib.h>

struct bench *b;

int transfer_setup(void **state)
{
    b = calloc(1, sizeof *b);
    if (b == NULL) return -1;
    folder_init(&b->folder);
    b->content = malloc(BIG);
    if (b->content == NULL || uv_loop_init(&b->loop) != 0) return -1;
    if (psst_workers_new(&b->workers, &b->loop) != PSST_OK) return -1;
    uint32_t random = 7;
    for (size_t i = 0; i < BIG; i++) {
        random = random * 1664525u + 1013904223u;
        b->content[i] = (uint8_t)(random >> 24);
    }
    *state = b;
    return 0;
}

int transfer_teardown(void **state)
{
    (void)state;
    (void)uv_run(&b->loop, UV_RUN_DEFAULT);
    psst_workers_free(b->workers);
    int rc = uv_loop_close(&b->loop);
    folder_fini(&b->folder);
    free(b->content);
    free(b);
    return rc;
}

struct psst_hash hash_of(const uint8_t *data, size_t len)
{
    struct psst_hash hash;
    struct psst_view view = psst_view(data, len);
    must(psst_sha256(&hash, &view, 1));
    return hash;
}

void on_ready(void *ctx, enum psst_err err, const struct psst_diag *diag)
{
    assert_ptr_equal(ctx, b);
    b->ready++;
    b->source_err = err;
    if (err != PSST_OK && err != PSST_ERR_MEMORY) assert_true(strlen(diag->text) > 0);
}

size_t drain(struct psst_file_source *s, uint8_t *out, size_t max, size_t room)
{
    size_t got = 0;
    while (b->source_err == PSST_OK && !psst_file_source_end(s)) {
        size_t available = psst_file_source_available(s);
        assert_true(available <= PSST_IO_BLOCKS * (size_t)PSST_IO_BLOCK);
        if (available == 0) {
            assert_true(uv_run(&b->loop, UV_RUN_ONCE) != 0 || psst_file_source_available(s) > 0 ||
                        psst_file_source_end(s) || b->source_err != PSST_OK);
            continue;
        }
        assert_true(got < room);
        size_t most = room - got < max ? room - got : max;
        size_t n = psst_file_source_take(s, out + got, most);
        assert_int_equal(n, available < most ? available : most);
        got += n;
    }
    return got;
}

void on_changed(void *ctx, enum psst_file_sink_state state, enum psst_err err, const struct psst_diag *diag)
{
    assert_ptr_equal(ctx, b);
    if (state == PSST_SINK_OPENED) b->opened = true;
    if (state == PSST_SINK_DRAINED) b->drained = true;
    if (state == PSST_SINK_WHOLE) b->whole = true;
    if (state == PSST_SINK_WROTE) b->wrote++;
    if (state == PSST_SINK_SAFE) b->checkpoints++;
    if (state == PSST_SINK_FAILED) {
        b->failed = true;
        b->sink_err = err;
        assert_true(strlen(diag->text) > 0);
    }
}

void on_done(void *ctx, enum psst_err err, const char *path, const struct psst_diag *diag)
{
    assert_ptr_equal(ctx, b);
    assert_false(b->done);
    b->done = true;
    b->sink_err = err;
    (void)snprintf(b->path, sizeof b->path, "%s", path);
    (void)snprintf(b->sentence, sizeof b->sentence, "%s", diag->text);
}

void on_sink_closed(void *ctx, uint64_t safe)
{
    assert_ptr_equal(ctx, b);
    assert_false(b->closed);
    b->closed = true;
    b->safe = safe;
}

void put(struct psst_file_sink *s, size_t from, size_t to)
{
    while (from < to) {
        size_t n = to - from < RECORD ? to - from : RECORD;
        assert_int_equal(psst_file_sink_position(s), from);
        must(psst_file_sink_put(s, psst_view(b->content + from, n)));
        from += n;
        while (psst_file_sink_full(s)) (void)uv_run(&b->loop, UV_RUN_ONCE);
    }
}

void finish(struct psst_file_sink *s, size_t len)
{
    struct psst_hash hash = hash_of(b->content, len);
    psst_file_sink_finish(s, len, &hash, on_done, b);
    assert_false(b->done);
    (void)uv_run(&b->loop, UV_RUN_DEFAULT);
    assert_true(b->done);
}

void close_and_wait(struct psst_file_sink *s, bool keep)
{
    b->closed = false;
    psst_file_sink_close(s, keep, on_sink_closed, b);
    assert_false(b->closed);
    (void)uv_run(&b->loop, UV_RUN_DEFAULT);
    assert_true(b->closed);
}

void turn_until(const bool *flag)
{
    while (!*flag) assert_true(uv_run(&b->loop, UV_RUN_ONCE) != 0 || *flag);
}
