#include "transfer_bench.h"

#include "crypto/crypto.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct psst_msg_id id = {.b = {0xcd, 9}};
#define TEMP ".psst-cd090000000000000000000000000000.part"

/* ---- source ---- */

static struct psst_origin *origin(const char *name, uint64_t size)
{
    struct psst_origin *o = NULL;
    const struct psst_source_id offered = {.size = size};
    must(psst_origin_of_file(&o, folder_file(&b->folder, name), &offered));
    return o;
}

static struct psst_file_source *source(const char *name, uint64_t size, uint64_t start)
{
    struct psst_file_source *s = NULL;
    must(psst_file_source_new(&s, b->workers, origin(name, size), size, start, on_ready, b));
    assert_int_equal(b->ready, 0); /* never from inside */
    return s;
}

static void source__gives__the_whole_file_and_its_hash(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 1000, PSST_IO_BLOCK - 1, PSST_IO_BLOCK, PSST_IO_BLOCK + 1, BIG};
    uint8_t *got = malloc(BIG);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        size_t size = sizes[i];
        folder_put(&b->folder, "f", b->content, size);
        b->ready = 0;
        struct psst_file_source *s = source("f", size, 0);
        struct psst_hash hash, want = hash_of(b->content, size);
        assert_int_equal(psst_file_source_hash(s, &hash), PSST_ERR_AGAIN);
        assert_int_equal(psst_file_source_position(s), 0);
        assert_int_equal(drain(s, got, RECORD, BIG), size);
        must(b->source_err);
        assert_int_equal(psst_file_source_position(s), size);
        must(psst_file_source_hash(s, &hash));
        assert_memory_equal(hash.b, want.b, 32);
        assert_memory_equal(got, b->content, size);
        psst_file_source_close(s);
    }
    free(got);
}

static void source__by_peeking__gives_the_same(void **state)
{
    (void)state;
    folder_put(&b->folder, "f", b->content, BIG);
    struct psst_file_source *s = source("f", BIG, 0);
    size_t at = 0;
    while (!psst_file_source_end(s)) {
        struct psst_view view = psst_file_source_peek(s);
        if (view.len == 0) {
            (void)uv_run(&b->loop, UV_RUN_ONCE);
            continue;
        }
        size_t n = view.len < 100000 ? view.len : 100000;
        assert_memory_equal(view.data, b->content + at, n);
        psst_file_source_consume(s, n);
        at += n;
        assert_int_equal(psst_file_source_position(s), at);
    }
    assert_int_equal(at, BIG);
    assert_int_equal(psst_file_source_peek(s).len, 0);
    psst_file_source_close(s);
}

static void source__of_an_empty_file__tells_the_end(void **state)
{
    (void)state;
    folder_put(&b->folder, "f", "", 0);
    struct psst_file_source *s = source("f", 0, 0);
    assert_false(psst_file_source_end(s));
    (void)uv_run(&b->loop, UV_RUN_DEFAULT);
    assert_int_equal(b->ready, 1);
    must(b->source_err);
    assert_true(psst_file_source_end(s));
    struct psst_hash hash, want = hash_of(b->content, 0);
    must(psst_file_source_hash(s, &hash));
    assert_memory_equal(hash.b, want.b, 32);
    psst_file_source_close(s);
}

static void source__from_an_offset__hashes_what_stands_before_it(void **state)
{
    (void)state;
    folder_put(&b->folder, "f", b->content, BIG);
    static const size_t starts[] = {1, PSST_IO_BLOCK, 3 * PSST_IO_BLOCK + 77, BIG - 1, BIG};
    uint8_t *got = malloc(BIG);
    struct psst_hash hash, want = hash_of(b->content, BIG);
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        size_t start = starts[i];
        b->ready = 0;
        struct psst_file_source *s = source("f", BIG, start);
        assert_int_equal(psst_file_source_position(s), start);
        assert_int_equal(drain(s, got, RECORD, BIG), BIG - start);
        must(b->source_err);
        assert_memory_equal(got, b->content + start, BIG - start);
        must(psst_file_source_hash(s, &hash));
        assert_memory_equal(hash.b, want.b, 32);
        psst_file_source_close(s);
    }
    free(got);
    struct psst_file_source *s = NULL;
    assert_int_equal(psst_file_source_new(&s, b->workers, origin("x", 5), 5, 6, on_ready, b), PSST_ERR_USAGE);
}

static void source__reads_ahead__no_more_than_its_blocks(void **state)
{
    (void)state;
    folder_put(&b->folder, "f", b->content, BIG);
    struct psst_file_source *s = source("f", BIG, 0);
    (void)uv_run(&b->loop, UV_RUN_DEFAULT); /* until nothing is under way any more */
    assert_int_equal(psst_file_source_available(s), PSST_IO_BLOCKS * (size_t)PSST_IO_BLOCK);
    assert_int_equal(b->ready, PSST_IO_BLOCKS);
    psst_file_source_close(s);
}

static void source__that_grows__is_capped(void **state)
{
    (void)state;
    folder_put(&b->folder, "f", b->content, BIG);
    size_t offered = 5 * PSST_IO_BLOCK;
    uint8_t *got = malloc(BIG);
    struct psst_file_source *s = source("f", offered, 0);
    (void)uv_run(&b->loop, UV_RUN_DEFAULT);
    int fd = open(folder_file(&b->folder, "f"), O_WRONLY | O_APPEND | O_CLOEXEC);
    assert_int_equal(write(fd, "growing", 7), 7);
    (void)close(fd);
    assert_int_equal(drain(s, got, RECORD, BIG), offered);
    must(b->source_err);
    struct psst_hash hash, want = hash_of(b->content, offered);
    must(psst_file_source_hash(s, &hash));
    assert_memory_equal(hash.b, want.b, 32);
    psst_file_source_close(s);
    free(got);
}

static void source__that_shrinks__is_told_as_changed(void **state)
{
    (void)state;
    folder_put(&b->folder, "f", b->content, BIG);
    uint8_t *got = malloc(BIG);
    struct psst_file_source *s = source("f", BIG, 0);
    (void)uv_run(&b->loop, UV_RUN_DEFAULT);
    assert_int_equal(truncate(folder_file(&b->folder, "f"), 4 * PSST_IO_BLOCK + 5), 0);
    assert_true(drain(s, got, RECORD, BIG) < BIG);
    assert_int_equal(b->source_err, PSST_ERR_NOT_FOUND);
    struct psst_hash hash;
    assert_int_equal(psst_file_source_hash(s, &hash), PSST_ERR_AGAIN);
    psst_file_source_close(s);
    free(got);
}

static void source__rewritten_meanwhile__is_told_as_changed(void **state)
{
    (void)state;
    folder_put(&b->folder, "f", b->content, BIG);
    uint8_t *got = malloc(BIG);
    struct psst_file_source *s = source("f", BIG, 0);
    (void)uv_run(&b->loop, UV_RUN_DEFAULT);
    int fd = open(folder_file(&b->folder, "f"), O_WRONLY | O_CLOEXEC);
    assert_int_equal(pwrite(fd, "rewritten", 9, 0), 9);
    const struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    assert_int_equal(futimens(fd, times), 0);
    (void)close(fd);
    (void)drain(s, got, RECORD, BIG);
    assert_int_equal(b->source_err, PSST_ERR_NOT_FOUND);
    assert_false(psst_file_source_end(s));
    psst_file_source_close(s);
    free(got);
}

static void source__of_what_cannot_be_read__says_why(void **state)
{
    (void)state;
    folder_put(&b->folder, "short", "abc", 3);
    assert_int_equal(mkfifo(folder_file(&b->folder, "fifo"), 0600), 0);
    static const struct {
        const char *name;
        enum psst_err err;
    } cases[] = {
        {"none", PSST_ERR_NOT_FOUND}, {"short", PSST_ERR_NOT_FOUND}, {"fifo", PSST_ERR_USAGE}, {".", PSST_ERR_USAGE}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        b->ready = 0;
        struct psst_file_source *s = source(cases[i].name, 4, 0);
        (void)uv_run(&b->loop, UV_RUN_DEFAULT);
        assert_int_equal(b->ready, 1);
        assert_int_equal(b->source_err, cases[i].err);
        psst_file_source_close(s);
    }
}

static void source__closed_at_any_time__says_nothing_more(void **state)
{
    (void)state;
    folder_put(&b->folder, "f", b->content, BIG);
    for (int turns = 0; turns < 5; turns++) {
        b->ready = 0;
        struct psst_file_source *s = source("f", BIG, turns % 2 == 0 ? 0 : BIG / 2);
        for (int i = 0; i < turns; i++) (void)uv_run(&b->loop, UV_RUN_NOWAIT);
        unsigned before = b->ready;
        psst_file_source_close(s);
        (void)uv_run(&b->loop, UV_RUN_DEFAULT);
        assert_int_equal(b->ready, before);
    }
    psst_file_source_close(NULL);
}

/* ---- sink ---- */

static struct psst_target *target(const char *dir, const char *name)
{
    struct psst_target *t = NULL;
    must(psst_target_of_part(&t, dir, psst_view_str(name), false, &id, 0));
    return t;
}

static struct psst_file_sink *sink_in(const char *dir, uint64_t size, uint64_t start)
{
    struct psst_file_sink *s = NULL;
    b->opened = b->drained = b->failed = b->done = b->closed = false;
    must(psst_file_sink_new(&s, b->workers, target(dir, "gift.bin"), size, start, on_changed, b));
    assert_int_equal(psst_file_sink_put(s, psst_view("x", 1)), PSST_ERR_AGAIN);
    while (!b->opened && !b->failed) (void)uv_run(&b->loop, UV_RUN_ONCE);
    return s;
}

static struct psst_file_sink *sink(uint64_t size, uint64_t start)
{
    return sink_in(b->folder.path, size, start);
}

static void sink__writes__the_whole_file(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 1000, PSST_IO_BLOCK - 1, PSST_IO_BLOCK, PSST_IO_BLOCK + 1, BIG};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct psst_file_sink *s = sink(sizes[i], 0);
        assert_int_equal(psst_file_sink_position(s), 0);
        put(s, 0, sizes[i]);
        finish(s, sizes[i]);
        must(b->sink_err);
        assert_string_equal(b->path, folder_file(&b->folder, "gift.bin"));
        folder_assert_is(&b->folder, "gift.bin", b->content, sizes[i]);
        assert_int_equal(folder_count(&b->folder), 1);
        assert_int_equal(unlink(b->path), 0);
    }
}

static void sink__whose_name_exists__gets_a_number(void **state)
{
    (void)state;
    folder_put(&b->folder, "gift.bin", "mine", 4);
    struct psst_file_sink *s = sink(1000, 0);
    put(s, 0, 1000);
    finish(s, 1000);
    must(b->sink_err);
    assert_string_equal(b->path, folder_file(&b->folder, "gift (2).bin"));
    folder_assert_is(&b->folder, "gift (2).bin", b->content, 1000);
    folder_assert_is(&b->folder, "gift.bin", "mine", 4);
}

static void sink__with_another_hash__keeps_nothing(void **state)
{
    (void)state;
    struct psst_file_sink *s = sink(BIG, 0);
    put(s, 0, BIG);
    struct psst_hash wrong = hash_of(b->content, BIG - 1);
    psst_file_sink_finish(s, BIG, &wrong, on_done, b);
    (void)uv_run(&b->loop, UV_RUN_DEFAULT);
    assert_int_equal(b->sink_err, PSST_ERR_AUTH);
    assert_string_equal(b->path, "");
    assert_true(strlen(b->sentence) > 0);
    assert_int_equal(folder_count(&b->folder), 0);
}

static void sink__with_bytes_missing__is_not_finished(void **state)
{
    (void)state;
    struct psst_file_sink *s = sink(1000, 0);
    put(s, 0, 999);
    finish(s, 999);
    assert_int_equal(b->sink_err, PSST_ERR_PROTOCOL);
    assert_true(folder_has(&b->folder, TEMP));
    assert_false(folder_has(&b->folder, "gift.bin"));
}

static void sink__takes__nothing_past_the_size(void **state)
{
    (void)state;
    struct psst_file_sink *s = sink(1000, 0);
    put(s, 0, 990);
    assert_int_equal(psst_file_sink_put(s, psst_view(b->content, 11)), PSST_ERR_PROTOCOL);
    assert_int_equal(psst_file_sink_position(s), 990);
    put(s, 990, 1000);
    assert_int_equal(psst_file_sink_put(s, psst_view(b->content, 1)), PSST_ERR_PROTOCOL);
    finish(s, 1000);
    must(b->sink_err);
    folder_assert_is(&b->folder, "gift.bin", b->content, 1000);
}

static void sink__is_full__before_it_refuses_and_tells_when_it_has_drained(void **state)
{
    (void)state;
    struct psst_file_sink *s = sink(BIG, 0);
    size_t at = 0;
    enum psst_err err = PSST_OK;
    while (err == PSST_OK && at < BIG) { /* the loop does not turn: nothing is told, nothing drains */
        size_t n = BIG - at < RECORD ? BIG - at : RECORD;
        assert_int_equal(psst_file_sink_full(s), at >= PSST_IO_FULL);
        assert_int_equal(psst_file_sink_queued(s), at);
        err = psst_file_sink_put(s, psst_view(b->content + at, n));
        if (err == PSST_OK) at += n;
    }
    assert_int_equal(err, PSST_ERR_FULL);
    assert_true(at > PSST_IO_QUEUE_MAX - RECORD && at <= PSST_IO_QUEUE_MAX);
    assert_int_equal(psst_file_sink_position(s), at); /* what was refused was not taken in part */
    assert_false(b->drained);
    while (!b->drained) assert_true(uv_run(&b->loop, UV_RUN_ONCE) != 0 || b->drained);
    assert_false(psst_file_sink_full(s));
    assert_true(psst_file_sink_queued(s) < PSST_IO_DRAINED);
    put(s, at, BIG);
    finish(s, BIG);
    must(b->sink_err);
    folder_assert_is(&b->folder, "gift.bin", b->content, BIG);
}

static void sink__closed_and_kept__is_taken_up_where_it_was(void **state)
{
    (void)state;
    static const size_t cuts[] = {1, PSST_IO_BLOCK, 3 * PSST_IO_BLOCK + 77, BIG};
    for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
        struct psst_file_sink *s = sink(BIG, 0);
        put(s, 0, cuts[i]);
        close_and_wait(s, true);
        assert_int_equal(b->safe, cuts[i]);
        folder_assert_is(&b->folder, TEMP, b->content, cuts[i]);
        s = sink(BIG, UINT64_MAX);
        assert_int_equal(psst_file_sink_position(s), cuts[i]);
        put(s, cuts[i], BIG);
        finish(s, BIG);
        must(b->sink_err);
        folder_assert_is(&b->folder, "gift.bin", b->content, BIG);
        assert_int_equal(unlink(b->path), 0);
    }
}

static void sink__taken_up__at_most_from_where_it_is_told(void **state)
{
    (void)state;
    folder_put(&b->folder, TEMP, b->content, 5000);
    struct psst_file_sink *s = sink(10000, 4000);
    assert_int_equal(psst_file_sink_position(s), 4000);
    put(s, 4000, 10000);
    finish(s, 10000);
    must(b->sink_err);
    folder_assert_is(&b->folder, "gift.bin", b->content, 10000);

    folder_put(&b->folder, TEMP, "something else altogether", 25);
    s = sink(10, 0); /* anew */
    assert_int_equal(psst_file_sink_position(s), 0);
    put(s, 0, 10);
    finish(s, 10);
    must(b->sink_err);
    folder_assert_is(&b->folder, "gift (2).bin", b->content, 10);

    folder_put(&b->folder, TEMP, "forged", 6);
    s = sink(10, UINT64_MAX);
    assert_int_equal(psst_file_sink_position(s), 6);
    put(s, 6, 10);
    finish(s, 10);
    assert_int_equal(b->sink_err, PSST_ERR_AUTH); /* the old part is hashed too */
    assert_false(folder_has(&b->folder, TEMP));
}

static void sink__at_a_checkpoint__has_all_that_was_put(void **state)
{
    (void)state;
    struct psst_file_sink *s = sink(BIG, 0);
    assert_int_equal(psst_file_sink_safe(s), 0);
    psst_file_sink_checkpoint(s); /* there is nothing to save */
    (void)uv_run(&b->loop, UV_RUN_DEFAULT);
    assert_int_equal(b->checkpoints, 0);
    static const size_t cuts[] = {0, 1, PSST_IO_BLOCK, 3 * PSST_IO_BLOCK + 77, BIG};
    for (size_t i = 1; i < sizeof cuts / sizeof cuts[0]; i++) {
        put(s, cuts[i - 1], cuts[i]);
        psst_file_sink_checkpoint(s);
        psst_file_sink_checkpoint(s); /* one at a time */
        assert_true(psst_file_sink_safe(s) < cuts[i]);
        (void)uv_run(&b->loop, UV_RUN_DEFAULT);
        assert_int_equal(b->checkpoints, i);
        assert_int_equal(psst_file_sink_safe(s), cuts[i]);
        assert_int_equal(psst_file_sink_written(s), cuts[i]);
        folder_assert_is(&b->folder, TEMP, b->content, cuts[i]);
    }
    finish(s, BIG);
    must(b->sink_err);
}

/* The part file is longer than what is known to be safe: the rest of it may be anything. */
static void sink__with_an_unsafe_tail__drops_it(void **state)
{
    (void)state;
    folder_put(&b->folder, TEMP, b->content, 5000);
    struct psst_file_sink *s = sink(10000, 3000);
    folder_assert_is(&b->folder, TEMP, b->content, 3000);
    close_and_wait(s, true);
    assert_int_equal(b->safe, 3000);
    s = sink(10000, 4000); /* and never more than there is */
    assert_int_equal(psst_file_sink_position(s), 3000);
    close_and_wait(s, true);
    assert_int_equal(b->safe, 3000);
}

static void sink__finished_in_another_life__tells_where_it_is(void **state)
{
    (void)state;
    struct psst_file_sink *s = sink(1000, 0);
    put(s, 0, 1000);
    uint64_t inode = psst_file_sink_inode(s);
    assert_true(inode != 0);
    finish(s, 1000);
    must(b->sink_err);
    struct psst_target *t = NULL;
    must(psst_target_of_part(&t, b->folder.path, psst_view_str("gift.bin"), false, &id, inode));
    b->opened = b->failed = b->whole = false;
    must(psst_file_sink_new(&s, b->workers, t, 1000, 500, on_changed, b));
    turn_until(&b->whole);
    assert_false(b->opened || b->failed);
    assert_string_equal(psst_file_sink_whole(s), folder_file(&b->folder, "gift.bin"));
    b->closed = false;
    close_and_wait(s, true);
    folder_assert_is(&b->folder, "gift.bin", b->content, 1000);
    assert_int_equal(folder_count(&b->folder), 1);
}

static void sink__under_a_name_of_ours__keeps_it(void **state)
{
    (void)state;
    struct psst_target *t = NULL;
    struct psst_file_sink *s = NULL;
    must(psst_target_of_part(&t, b->folder.path, psst_view_str(".-mine"), true, &id, 0));
    must(psst_file_sink_new(&s, b->workers, t, 0, 0, on_changed, b));
    finish(s, 0);
    must(b->sink_err);
    assert_string_equal(b->path, folder_file(&b->folder, ".-mine"));
}

static void sink__closed_and_not_kept__leaves_nothing(void **state)
{
    (void)state;
    struct psst_file_sink *s = sink(BIG, 0);
    put(s, 0, 2 * PSST_IO_BLOCK);
    close_and_wait(s, false);
    assert_int_equal(folder_count(&b->folder), 0);

    s = NULL; /* and before it has opened */
    must(psst_file_sink_new(&s, b->workers, target(b->folder.path, "x"), 10, 0, on_changed, b));
    b->opened = b->closed = false;
    close_and_wait(s, false);
    assert_false(b->opened);
    assert_int_equal(folder_count(&b->folder), 0);
    psst_file_sink_close(NULL, false, NULL, NULL);
}

static void sink__closed_while_it_finishes__tells_only_that(void **state)
{
    (void)state;
    struct psst_file_sink *s = sink(1000, 0);
    put(s, 0, 1000);
    struct psst_hash hash = hash_of(b->content, 1000);
    psst_file_sink_finish(s, 1000, &hash, on_done, b);
    close_and_wait(s, true);
    assert_false(b->done);
    assert_int_equal(folder_count(&b->folder), 1);
}

static void sink__while_another_writes__is_refused(void **state)
{
    (void)state;
    struct psst_file_sink *first = sink(1000, 0);
    struct psst_file_sink *second = sink(1000, UINT64_MAX);
    assert_true(b->failed);
    assert_int_equal(b->sink_err, PSST_ERR_AGAIN);
    assert_int_equal(psst_file_sink_put(second, psst_view(b->content, 1)), PSST_ERR_AGAIN);
    close_and_wait(second, true);
    b->done = false;
    put(first, 0, 1000);
    finish(first, 1000);
    must(b->sink_err);
    folder_assert_is(&b->folder, "gift.bin", b->content, 1000);
}

static void sink__in_no_folder__says_why(void **state)
{
    (void)state;
    struct psst_file_sink *s = sink_in(folder_file(&b->folder, "none"), 10, 0);
    assert_true(b->failed);
    assert_int_equal(b->sink_err, PSST_ERR_NOT_FOUND);
    close_and_wait(s, false);
}

static void sink__of_a_lying_size__is_refused_at_once(void **state)
{
    (void)state;
    struct psst_file_sink *s = sink((uint64_t)1 << 62, 0);
    assert_true(b->failed);
    assert_int_equal(b->sink_err, PSST_ERR_DISK_FULL);
    close_and_wait(s, false);
    assert_int_equal(folder_count(&b->folder), 0);
    assert_int_equal(
        psst_file_sink_new(&s, b->workers, target(b->folder.path, "x"), (uint64_t)1 << 63, 0, on_changed, b),
        PSST_ERR_TOO_LONG);
}

static void sink__on_a_disk_that_fills_up__says_so_and_keeps_the_part(void **state)
{
    (void)state;
    struct folder tiny;
    if (!folder_init_tiny(&tiny, 4 * PSST_IO_BLOCK)) skip();
    struct psst_file_sink *s = sink_in(tiny.path, 3 * PSST_IO_BLOCK, 0);
    assert_false(b->failed);
    folder_put(&tiny, "something else", b->content, 3 * PSST_IO_BLOCK); /* meanwhile */
    size_t at = 0;
    while (!b->failed && at + RECORD <= 3 * PSST_IO_BLOCK) {
        must(psst_file_sink_put(s, psst_view(b->content + at, RECORD)));
        at += RECORD;
        (void)uv_run(&b->loop, UV_RUN_NOWAIT);
    }
    while (!b->failed) assert_true(uv_run(&b->loop, UV_RUN_ONCE) != 0 || b->failed);
    assert_int_equal(b->sink_err, PSST_ERR_DISK_FULL);
    assert_int_equal(psst_file_sink_put(s, psst_view(b->content, 1)), PSST_ERR_DISK_FULL);
    close_and_wait(s, true);
    assert_int_equal(unlink(folder_file(&tiny, "something else")), 0); /* there is room again */
    s = sink_in(tiny.path, 3 * PSST_IO_BLOCK, UINT64_MAX);
    size_t kept = (size_t)psst_file_sink_position(s);
    assert_true(kept > 0 && kept <= PSST_IO_BLOCK);
    put(s, kept, 3 * PSST_IO_BLOCK);
    finish(s, 3 * PSST_IO_BLOCK);
    must(b->sink_err);
    folder_assert_is(&tiny, "gift.bin", b->content, 3 * PSST_IO_BLOCK);

    s = sink_in(tiny.path, 2 * PSST_IO_BLOCK, 0); /* no room from the start */
    assert_true(b->failed);
    assert_int_equal(b->sink_err, PSST_ERR_DISK_FULL);
    close_and_wait(s, false);
    folder_fini(&tiny);
}

static void sink__finished_on_a_full_disk__tells_it_there(void **state)
{
    (void)state;
    struct folder tiny;
    if (!folder_init_tiny(&tiny, 2 * PSST_IO_BLOCK)) skip();
    struct psst_file_sink *s = sink_in(tiny.path, PSST_IO_BLOCK, 0);
    folder_put(&tiny, "something else", b->content, 2 * PSST_IO_BLOCK - 4096);
    put(s, 0, PSST_IO_BLOCK - 1); /* stays in memory until there is a whole block */
    assert_int_equal(psst_file_sink_put(s, psst_view(b->content + PSST_IO_BLOCK - 1, 1)), PSST_OK);
    finish(s, PSST_IO_BLOCK);
    assert_false(b->failed);
    assert_int_equal(b->sink_err, PSST_ERR_DISK_FULL);
    assert_true(folder_has(&tiny, TEMP));
    folder_fini(&tiny);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, transfer_setup, transfer_teardown)
    const struct CMUnitTest tests[] = {
        T(source__gives__the_whole_file_and_its_hash),
        T(source__by_peeking__gives_the_same),
        T(source__of_an_empty_file__tells_the_end),
        T(source__from_an_offset__hashes_what_stands_before_it),
        T(source__reads_ahead__no_more_than_its_blocks),
        T(source__that_grows__is_capped),
        T(source__that_shrinks__is_told_as_changed),
        T(source__rewritten_meanwhile__is_told_as_changed),
        T(source__of_what_cannot_be_read__says_why),
        T(source__closed_at_any_time__says_nothing_more),
        T(sink__writes__the_whole_file),
        T(sink__whose_name_exists__gets_a_number),
        T(sink__with_another_hash__keeps_nothing),
        T(sink__with_bytes_missing__is_not_finished),
        T(sink__takes__nothing_past_the_size),
        T(sink__is_full__before_it_refuses_and_tells_when_it_has_drained),
        T(sink__closed_and_kept__is_taken_up_where_it_was),
        T(sink__taken_up__at_most_from_where_it_is_told),
        T(sink__closed_and_not_kept__leaves_nothing),
        T(sink__closed_while_it_finishes__tells_only_that),
        T(sink__while_another_writes__is_refused),
        T(sink__in_no_folder__says_why),
        T(sink__of_a_lying_size__is_refused_at_once),
        T(sink__on_a_disk_that_fills_up__says_so_and_keeps_the_part),
        T(sink__finished_on_a_full_disk__tells_it_there),
        T(sink__at_a_checkpoint__has_all_that_was_put),
        T(sink__with_an_unsafe_tail__drops_it),
        T(sink__finished_in_another_life__tells_where_it_is),
        T(sink__under_a_name_of_ours__keeps_it),
    };
    if (psst_crypto_init(0) != PSST_OK) return 1;
    folder_private_mounts();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
