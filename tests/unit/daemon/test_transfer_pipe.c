/* Pipes, sockets and files as the ends of a stream (transfers/pipe.c), through the pumps. */
#include "transfer_bench.h"

#include "crypto/crypto.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct two {
    int in, out;
};

/* kind 0: a pipe, 1: a socket. Both ends block, as a shell's do. */
static struct two two_ends(int kind)
{
    int fds[2];
    assert_int_equal(kind == 0 ? pipe(fds) : socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    return (struct two){fds[0], fds[1]};
}

static struct psst_file_source *source_of(int fd)
{
    struct psst_file_source *s = NULL;
    struct psst_origin *o = NULL;
    must(psst_origin_of_fd(&o, fd));
    b->ready = 0;
    b->source_err = PSST_OK;
    must(psst_file_source_new(&s, b->workers, o, PSST_IO_SIZE_UNKNOWN, 0, on_ready, b));
    return s;
}

static void assert_blocks(int fd)
{
    assert_int_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
}

/* Waits for n bytes and takes them. */
static void take_exactly(struct psst_file_source *s, uint8_t *out, size_t n)
{
    for (size_t got = 0; got < n;) {
        if (psst_file_source_available(s) == 0) (void)uv_run(&b->loop, UV_RUN_ONCE);
        got += psst_file_source_take(s, out + got, n - got);
    }
}

static void stream_source__gives__what_comes_when_it_comes(void **state)
{
    (void)state;
    uint8_t got[64];
    for (int kind = 0; kind < 2; kind++) {
        struct two ends = two_ends(kind);
        int shell = dup(ends.in); /* who gave it to us uses it as well */
        struct psst_file_source *s = source_of(ends.in);
        for (int i = 0; i < 20; i++) (void)uv_run(&b->loop, UV_RUN_NOWAIT);
        assert_int_equal(psst_file_source_available(s), 0);
        assert_int_equal(write(ends.out, "first", 5), 5);
        take_exactly(s, got, 5);
        assert_memory_equal(got, "first", 5);
        assert_false(psst_file_source_complete(s));
        assert_int_equal(write(ends.out, "second", 6), 6);
        (void)close(ends.out);
        take_exactly(s, got, 6);
        assert_memory_equal(got, "second", 6);
        while (!psst_file_source_complete(s)) (void)uv_run(&b->loop, UV_RUN_ONCE);
        assert_true(psst_file_source_end(s));
        struct psst_hash hash, want = hash_of((const uint8_t *)"firstsecond", 11);
        must(psst_file_source_hash(s, &hash));
        assert_memory_equal(hash.b, want.b, 32);
        psst_file_source_close(s);
        (void)uv_run(&b->loop, UV_RUN_DEFAULT);
        assert_blocks(shell); /* we did not change what is not ours */
        (void)close(shell);
    }
}

static void write_all_of_it(void *fd)
{
    for (size_t at = 0; at < BIG;) {
        ssize_t n = write(*(int *)fd, b->content + at, BIG - at);
        if (n <= 0) break;
        at += (size_t)n;
    }
    (void)close(*(int *)fd);
}

static void stream_source__of_much__has_its_hash(void **state)
{
    (void)state;
    uint8_t *got = malloc(BIG);
    for (int kind = 0; kind < 3; kind++) {
        struct two ends = {-1, -1};
        uv_thread_t writer;
        if (kind < 2) {
            ends = two_ends(kind);
            assert_int_equal(uv_thread_create(&writer, write_all_of_it, &ends.out), 0);
        } else { /* a file that is led into it: from where it stands */
            folder_put(&b->folder, "f", b->content, BIG);
            ends.in = open(folder_file(&b->folder, "f"), O_RDONLY | O_CLOEXEC);
        }
        struct psst_file_source *s = source_of(ends.in);
        assert_int_equal(drain(s, got, RECORD, BIG), BIG);
        while (!psst_file_source_complete(s)) (void)uv_run(&b->loop, UV_RUN_ONCE);
        assert_memory_equal(got, b->content, BIG);
        struct psst_hash hash, want = hash_of(b->content, BIG);
        must(psst_file_source_hash(s, &hash));
        assert_memory_equal(hash.b, want.b, 32);
        psst_file_source_close(s);
        if (kind < 2) (void)uv_thread_join(&writer);
    }
    free(got);
}

static void stream_source__nobody_takes_from__reads_no_further(void **state)
{
    (void)state;
    struct two ends = two_ends(0);
    assert_int_equal(fcntl(ends.out, F_SETFL, O_NONBLOCK), 0);
    struct psst_file_source *s = source_of(ends.in);
    size_t put_in = 0;
    for (unsigned idle = 0; idle < 1000;) {
        ssize_t n = write(ends.out, b->content, RECORD);
        idle = n > 0 ? 0 : idle + 1;
        if (n > 0) put_in += (size_t)n;
        (void)uv_run(&b->loop, UV_RUN_NOWAIT);
    }
    assert_true(psst_file_source_available(s) <= PSST_IO_BLOCKS * (size_t)PSST_IO_BLOCK);
    assert_true(put_in <= (PSST_IO_BLOCKS + 2) * (size_t)PSST_IO_BLOCK); /* and a pipe full */
    psst_file_source_close(s);
    (void)close(ends.out);
}

static void stream_source__closed_while_it_waits__lets_go_of_it(void **state)
{
    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        for (int turns = 0; turns < 6; turns++) {
            struct two ends = two_ends(kind);
            struct psst_file_source *s = source_of(ends.in);
            for (int i = 0; i < turns; i++) (void)uv_run(&b->loop, UV_RUN_NOWAIT);
            psst_file_source_close(s);
            (void)uv_run(&b->loop, UV_RUN_DEFAULT);
            assert_int_equal(write(ends.out, "x", 1), -1); /* nobody reads it any more */
            assert_int_equal(errno, EPIPE);
            (void)close(ends.out);
        }
    }
}

static void stream_source__that_cannot_be_read__says_why(void **state)
{
    (void)state;
    struct two ends = two_ends(0);
    (void)close(ends.in);
    const int bad[] = {ends.out, open(b->folder.path, O_RDONLY | O_CLOEXEC)};
    for (size_t i = 0; i < 2; i++) {
        struct psst_file_source *s = source_of(bad[i]);
        while (b->ready == 0) (void)uv_run(&b->loop, UV_RUN_ONCE);
        assert_int_equal(b->source_err, PSST_ERR_USAGE);
        psst_file_source_close(s);
    }
}

static struct psst_file_sink *sink_of(int fd)
{
    struct psst_file_sink *s = NULL;
    struct psst_target *t = NULL;
    must(psst_target_of_fd(&t, fd));
    b->opened = b->drained = b->failed = b->done = b->closed = false;
    must(psst_file_sink_new(&s, b->workers, t, PSST_IO_SIZE_UNKNOWN, 0, on_changed, b));
    turn_until(&b->opened);
    return s;
}

static void stream_sink__passes_on__what_comes_when_it_comes(void **state)
{
    (void)state;
    char got[64];
    for (int kind = 0; kind < 2; kind++) {
        struct two ends = two_ends(kind);
        int shell = dup(ends.out);
        struct psst_file_sink *s = sink_of(ends.out);
        must(psst_file_sink_put(s, psst_view("first", 5)));
        while (psst_file_sink_written(s) < 5) (void)uv_run(&b->loop, UV_RUN_ONCE);
        assert_int_equal(read(ends.in, got, sizeof got), 5);
        must(psst_file_sink_put(s, psst_view("second", 6)));
        psst_file_sink_checkpoint(s); /* there is no such thing */
        struct psst_hash hash = hash_of((const uint8_t *)"firstsecond", 11);
        psst_file_sink_finish(s, 11, &hash, on_done, b);
        turn_until(&b->done);
        must(b->sink_err);
        assert_string_equal(b->path, "");
        assert_int_equal(read(ends.in, got, sizeof got), 6);
        (void)uv_run(&b->loop, UV_RUN_DEFAULT);
        assert_blocks(shell);
        (void)close(shell);
        assert_int_equal(read(ends.in, got, sizeof got), 0);
        (void)close(ends.in);
    }
}

/* The reader takes nothing for a while: nothing is lost, the loop turns, and no more than the queue is held. */
static void stream_sink__with_a_slow_reader__waits_without_waiting(void **state)
{
    (void)state;
    uint8_t *got = malloc(BIG);
    for (int kind = 0; kind < 2; kind++) {
        struct two ends = two_ends(kind);
        assert_int_equal(fcntl(ends.in, F_SETFL, O_NONBLOCK), 0);
        struct psst_file_sink *s = sink_of(ends.out);
        size_t at = 0, read_at = 0;
        while (!psst_file_sink_full(s)) {
            must(psst_file_sink_put(s, psst_view(b->content + at, RECORD)));
            at += RECORD;
            (void)uv_run(&b->loop, UV_RUN_NOWAIT);
        }
        for (int i = 0; i < 1000; i++) (void)uv_run(&b->loop, UV_RUN_NOWAIT);
        assert_true(psst_file_sink_full(s));
        bool finishing = false;
        struct psst_hash hash = hash_of(b->content, BIG);
        while (!b->done) {
            ssize_t n = read(ends.in, got + read_at, BIG - read_at < 40000 ? BIG - read_at : 40000);
            if (n > 0) read_at += (size_t)n;
            size_t more = BIG - at < RECORD ? BIG - at : RECORD;
            if (more > 0 && !psst_file_sink_full(s)) {
                must(psst_file_sink_put(s, psst_view(b->content + at, more)));
                at += more;
            }
            if (at == BIG && !finishing) psst_file_sink_finish(s, BIG, &hash, on_done, b);
            finishing = at == BIG;
            (void)uv_run(&b->loop, UV_RUN_NOWAIT);
        }
        must(b->sink_err);
        while (read_at < BIG) {
            ssize_t n = read(ends.in, got + read_at, BIG - read_at);
            assert_true(n > 0);
            read_at += (size_t)n;
        }
        assert_memory_equal(got, b->content, BIG);
        (void)close(ends.in);
    }
    free(got);
}

static void stream_sink__whose_reader_goes__says_so(void **state)
{
    (void)state;
    for (int how = 0; how < 4; how++) { /* a pipe or a socket; while nothing, or something, is to be written */
        struct two ends = two_ends(how % 2);
        struct psst_file_sink *s = sink_of(ends.out);
        if (how >= 2) {
            for (size_t at = 0; !psst_file_sink_full(s); at += RECORD)
                must(psst_file_sink_put(s, psst_view(b->content + at, RECORD)));
            for (int i = 0; i < 100; i++) (void)uv_run(&b->loop, UV_RUN_NOWAIT);
        }
        assert_false(b->failed);
        (void)close(ends.in);
        if (how == 1) must(psst_file_sink_put(s, psst_view("x", 1))); /* a socket may just have been shut one way */
        turn_until(&b->failed);
        assert_int_equal(b->sink_err, PSST_ERR_NOT_FOUND);
        assert_int_not_equal(psst_file_sink_put(s, psst_view("x", 1)), PSST_OK);
        close_and_wait(s, false);
    }
}

static void stream_sink__closed_while_it_waits__does_not_wait_on(void **state)
{
    (void)state;
    for (int keep = 0; keep < 2; keep++) {
        struct two ends = two_ends(0);
        struct psst_file_sink *s = sink_of(ends.out);
        for (size_t at = 0; !psst_file_sink_full(s); at += RECORD)
            must(psst_file_sink_put(s, psst_view(b->content + at, RECORD)));
        for (int i = 0; i < 100; i++) (void)uv_run(&b->loop, UV_RUN_NOWAIT);
        close_and_wait(s, keep == 1);
        (void)close(ends.in);
    }
}

static void stream_sink__with_another_hash__says_so(void **state)
{
    (void)state;
    struct two ends = two_ends(0);
    struct psst_file_sink *s = sink_of(ends.out);
    must(psst_file_sink_put(s, psst_view("abc", 3)));
    struct psst_hash wrong = hash_of((const uint8_t *)"abd", 3);
    psst_file_sink_finish(s, 3, &wrong, on_done, b);
    turn_until(&b->done);
    assert_int_equal(b->sink_err, PSST_ERR_AUTH);
    (void)close(ends.in);
}

static void stream_sink__into_a_file__stands_where_the_file_stood(void **state)
{
    (void)state;
    folder_put(&b->folder, "f", "before ", 7);
    int fd = open(folder_file(&b->folder, "f"), O_WRONLY | O_APPEND | O_CLOEXEC);
    struct psst_file_sink *s = sink_of(fd);
    put(s, 0, 2 * PSST_IO_BLOCK + 5);
    finish(s, 2 * PSST_IO_BLOCK + 5);
    must(b->sink_err);
    uint8_t *want = malloc(7 + 2 * PSST_IO_BLOCK + 5);
    memcpy(want, "before ", 7);
    memcpy(want + 7, b->content, 2 * PSST_IO_BLOCK + 5);
    folder_assert_is(&b->folder, "f", want, 7 + 2 * PSST_IO_BLOCK + 5);
    free(want);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, transfer_setup, transfer_teardown)
    const struct CMUnitTest tests[] = {
        T(stream_source__gives__what_comes_when_it_comes),
        T(stream_source__of_much__has_its_hash),
        T(stream_source__nobody_takes_from__reads_no_further),
        T(stream_source__closed_while_it_waits__lets_go_of_it),
        T(stream_source__that_cannot_be_read__says_why),
        T(stream_sink__passes_on__what_comes_when_it_comes),
        T(stream_sink__with_a_slow_reader__waits_without_waiting),
        T(stream_sink__whose_reader_goes__says_so),
        T(stream_sink__closed_while_it_waits__does_not_wait_on),
        T(stream_sink__with_another_hash__says_so),
        T(stream_sink__into_a_file__stands_where_the_file_stood),
    };
    if (psst_crypto_init(0) != PSST_OK) return 1;
    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
