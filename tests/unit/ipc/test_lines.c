/* Lines with descriptors over a socket pair; both ends are ours, and one of them misbehaves (attack 44). */
#include "support/check.h"

#include "ipc/lines.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct pair {
    struct psst_lines a, b;
};

static void open_pair(struct pair *p)
{
    int fds[2];
    assert_int_equal(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds));
    psst_lines_init(&p->a, fds[0]);
    psst_lines_init(&p->b, fds[1]);
}

static void close_pair(struct pair *p)
{
    psst_lines_fini(&p->a);
    psst_lines_fini(&p->b);
}

static size_t open_fds(void)
{
    size_t n = 0;
    DIR *dir = opendir("/proc/self/fd");
    assert_non_null(dir);
    while (readdir(dir) != NULL) n++;
    (void)closedir(dir);
    return n;
}

/* Reads b until a line is there. */
static enum psst_err get(struct psst_lines *lines, struct psst_view *line)
{
    for (int i = 0; i < 100; i++) {
        enum psst_err err = psst_lines_next(lines, line);
        if (err != PSST_ERR_AGAIN) return err;
        err = psst_lines_read(lines);
        if (err != PSST_OK) return err;
        if (lines->ended) return PSST_ERR_IO;
    }
    return PSST_ERR_INTERNAL;
}

static void put(struct psst_lines *lines, const char *text)
{
    assert_ok(psst_lines_put(lines, psst_view_str(text), NULL, 0));
}

static void lines__arrive__in_order_and_whole(void **state)
{
    (void)state;
    struct pair p;
    struct psst_view line;
    open_pair(&p);
    put(&p.a, "one");
    put(&p.a, "");
    put(&p.a, "three");
    assert_ok(psst_lines_flush(&p.a));
    assert_ok(get(&p.b, &line));
    assert_bytes(psst_view_str("one"), line.data, line.len);
    assert_ok(get(&p.b, &line));
    assert_int_equal(0, line.len);
    assert_ok(get(&p.b, &line));
    assert_bytes(psst_view_str("three"), line.data, line.len);
    assert_err(PSST_ERR_AGAIN, psst_lines_next(&p.b, &line));
    assert_err(PSST_ERR_AGAIN, psst_lines_read(&p.b));
    close_pair(&p);
}

static void lines__in_pieces__wait_for_the_line_feed(void **state)
{
    (void)state;
    struct pair p;
    struct psst_view line;
    open_pair(&p);
    for (const char *c = "ab"; *c != '\0'; c++) {
        assert_int_equal(1, write(p.a.fd, c, 1));
        assert_ok(psst_lines_read(&p.b));
        assert_err(PSST_ERR_AGAIN, psst_lines_next(&p.b, &line));
    }
    assert_int_equal(3, write(p.a.fd, "\nc\n", 3));
    assert_ok(get(&p.b, &line));
    assert_bytes(psst_view_str("ab"), line.data, line.len);
    assert_ok(get(&p.b, &line));
    assert_bytes(psst_view_str("c"), line.data, line.len);
    close_pair(&p);
}

static void lines__end_of_stream__is_told_once(void **state)
{
    (void)state;
    struct pair p;
    struct psst_view line;
    open_pair(&p);
    assert_int_equal(4, write(p.a.fd, "half", 4));
    psst_lines_fini(&p.a);
    assert_ok(psst_lines_read(&p.b));
    assert_err(PSST_ERR_AGAIN, psst_lines_next(&p.b, &line));
    assert_ok(psst_lines_read(&p.b));
    assert_true(p.b.ended);
    assert_err(PSST_ERR_IO, psst_lines_read(&p.b));
    close_pair(&p);
}

/* Pumps len bytes from a into b, which must not give a line on the way. */
static enum psst_err pump(struct pair *p, size_t len)
{
    char *chunk = malloc(65536);
    struct psst_view line;
    enum psst_err err = PSST_ERR_AGAIN;
    assert_non_null(chunk);
    memset(chunk, 'x', 65536);
    for (size_t sent = 0; sent < len && err == PSST_ERR_AGAIN;) {
        size_t want = len - sent < 65536 ? len - sent : 65536;
        ssize_t n = send(p->a.fd, chunk, want, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n > 0) sent += (size_t)n;
        while (psst_lines_read(&p->b) == PSST_OK && (err = psst_lines_next(&p->b, &line)) == PSST_ERR_AGAIN) continue;
    }
    free(chunk);
    return err;
}

static void lines__over_the_limit__is_refused(void **state)
{
    (void)state;
    struct pair p;
    open_pair(&p);
    assert_err(PSST_ERR_TOO_LONG, pump(&p, PSST_LINE_MAX));
    close_pair(&p);
}

static void lines__just_at_the_limit__arrive(void **state)
{
    (void)state;
    struct pair p;
    struct psst_view line;
    open_pair(&p);
    assert_err(PSST_ERR_AGAIN, pump(&p, PSST_LINE_MAX - 1));
    assert_int_equal(1, write(p.a.fd, "\n", 1));
    assert_ok(get(&p.b, &line));
    assert_int_equal(PSST_LINE_MAX - 1, line.len);
    close_pair(&p);
}

static void put__too_long_or_with_line_feed__is_refused(void **state)
{
    (void)state;
    struct pair p;
    open_pair(&p);
    char *text = calloc(1, PSST_LINE_MAX);
    assert_non_null(text);
    memset(text, 'x', PSST_LINE_MAX);
    assert_err(PSST_ERR_TOO_LONG, psst_lines_put(&p.a, psst_view(text, PSST_LINE_MAX), NULL, 0));
    assert_err(PSST_ERR_USAGE, psst_lines_put(&p.a, psst_view_str("a\nb"), NULL, 0));
    assert_int_equal(0, psst_lines_waiting(&p.a));
    free(text);
    close_pair(&p);
}

static void put__nobody_reads__is_full_at_four_megabytes(void **state)
{
    (void)state;
    struct pair p;
    open_pair(&p);
    char *text = malloc(65536);
    assert_non_null(text);
    memset(text, 'x', 65536);
    enum psst_err err = PSST_OK;
    for (int i = 0; i < 1000 && err == PSST_OK; i++) {
        err = psst_lines_put(&p.a, psst_view(text, 65536), NULL, 0);
        enum psst_err flushed = psst_lines_flush(&p.a);
        assert_true(flushed == PSST_OK || flushed == PSST_ERR_AGAIN);
    }
    assert_err(PSST_ERR_FULL, err);
    assert_true(psst_lines_waiting(&p.a) <= PSST_LINES_OUT_MAX);
    /* what was taken still arrives whole */
    size_t lines = 0;
    struct psst_view line;
    while (psst_lines_waiting(&p.a) > 0 || psst_lines_read(&p.b) == PSST_OK) {
        enum psst_err ignored = psst_lines_flush(&p.a);
        (void)ignored;
        while (psst_lines_next(&p.b, &line) == PSST_OK) {
            assert_int_equal(65536, line.len);
            lines++;
        }
        if (psst_lines_waiting(&p.a) > 0) assert_ok(psst_lines_read(&p.b));
    }
    assert_true(lines >= PSST_LINES_OUT_MAX / 65537);
    free(text);
    close_pair(&p);
}

/* A pipe that holds one letter, so that descriptors can be told apart. */
static int lettered(char letter)
{
    int ends[2];
    assert_int_equal(0, pipe2(ends, O_CLOEXEC));
    assert_int_equal(1, write(ends[1], &letter, 1));
    (void)close(ends[1]);
    return ends[0];
}

static void assert_letter(char want, int fd)
{
    char got = '?';
    assert_int_equal(1, read(fd, &got, 1));
    assert_int_equal(want, got);
    assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    (void)close(fd);
}

static void fds__ride_with_their_lines(void **state)
{
    (void)state;
    size_t before = open_fds();
    struct pair p;
    struct psst_view line;
    int got[2];
    open_pair(&p);
    put(&p.a, "none");
    int two[] = {lettered('x'), lettered('y')};
    assert_ok(psst_lines_put(&p.a, psst_view_str("two"), two, 2));
    put(&p.a, "none again");
    int one = lettered('z');
    assert_ok(psst_lines_put(&p.a, psst_view_str("one"), &one, 1));
    assert_ok(psst_lines_flush(&p.a));
    assert_ok(get(&p.b, &line));
    assert_ok(get(&p.b, &line));
    assert_bytes(psst_view_str("two"), line.data, line.len);
    assert_ok(psst_lines_take_fds(&p.b, got, 2));
    assert_letter('x', got[0]);
    assert_letter('y', got[1]);
    assert_ok(get(&p.b, &line));
    assert_ok(get(&p.b, &line));
    assert_bytes(psst_view_str("one"), line.data, line.len);
    assert_err(PSST_ERR_PROTOCOL, psst_lines_take_fds(&p.b, got, 2));
    assert_ok(psst_lines_take_fds(&p.b, got, 1));
    assert_letter('z', got[0]);
    close_pair(&p);
    assert_int_equal(before, open_fds());
}

static void fds__never_claimed__are_closed(void **state)
{
    (void)state;
    size_t before = open_fds();
    struct pair p;
    struct psst_view line;
    open_pair(&p);
    for (int i = 0; i < 20; i++) {
        int fds[PSST_LINE_FDS];
        for (size_t j = 0; j < PSST_LINE_FDS; j++) fds[j] = lettered('u');
        assert_ok(psst_lines_put(&p.a, psst_view_str("a line that claims none"), fds, PSST_LINE_FDS));
        assert_ok(psst_lines_flush(&p.a));
        assert_ok(get(&p.b, &line));
        assert_err(PSST_ERR_AGAIN, psst_lines_next(&p.b, &line));
    }
    assert_int_equal(before + 2, open_fds());
    close_pair(&p);
    assert_int_equal(before, open_fds());
}

static void send_raw(int to, const char *bytes, const int *fds, size_t n)
{
    union {
        char bytes[CMSG_SPACE(16 * sizeof(int))];
        struct cmsghdr align;
    } control = {{0}};
    struct iovec iov = {(void *)(uintptr_t)bytes, strlen(bytes)};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes};
    msg.msg_controllen = CMSG_SPACE(n * sizeof(int));
    struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(n * sizeof(int));
    memcpy(CMSG_DATA(c), fds, n * sizeof(int));
    assert_int_equal(strlen(bytes), sendmsg(to, &msg, 0));
}

static void fds__more_than_a_line_may_bring__are_refused_and_closed(void **state)
{
    (void)state;
    size_t before = open_fds();
    struct pair p;
    open_pair(&p);
    int fds[10];
    for (size_t i = 0; i < 10; i++) fds[i] = lettered('m');
    send_raw(p.a.fd, "{}\n", fds, 10);
    psst_fds_close(fds, 10);
    assert_err(PSST_ERR_PROTOCOL, psst_lines_read(&p.b));
    close_pair(&p);
    assert_int_equal(before, open_fds());
}

static void fds__piled_up_without_a_line_feed__are_refused(void **state)
{
    (void)state;
    size_t before = open_fds();
    struct pair p;
    struct psst_view line;
    enum psst_err err = PSST_OK;
    open_pair(&p);
    for (int i = 0; i < 5 && err == PSST_OK; i++) {
        int fds[PSST_LINE_FDS];
        for (size_t j = 0; j < PSST_LINE_FDS; j++) fds[j] = lettered('p');
        send_raw(p.a.fd, "never a line feed", fds, PSST_LINE_FDS);
        psst_fds_close(fds, PSST_LINE_FDS);
        err = psst_lines_read(&p.b);
        if (err == PSST_OK) assert_err(PSST_ERR_AGAIN, psst_lines_next(&p.b, &line));
    }
    assert_err(PSST_ERR_PROTOCOL, err);
    close_pair(&p);
    assert_int_equal(before, open_fds());
}

static void fds__of_a_line_that_cannot_be_queued__are_closed(void **state)
{
    (void)state;
    size_t before = open_fds();
    struct pair p;
    open_pair(&p);
    int fd = lettered('q');
    assert_err(PSST_ERR_USAGE, psst_lines_put(&p.a, psst_view_str("a\nb"), &fd, 1));
    for (size_t i = 0; i < PSST_LINES_MARKS; i++) {
        fd = lettered('w');
        assert_ok(psst_lines_put(&p.a, psst_view_str("waits"), &fd, 1));
    }
    fd = lettered('f');
    assert_err(PSST_ERR_FULL, psst_lines_put(&p.a, psst_view_str("one too many"), &fd, 1));
    close_pair(&p);
    assert_int_equal(before, open_fds());
}

static void flush__other_side_gone__is_an_error_and_no_signal(void **state)
{
    (void)state;
    struct pair p;
    open_pair(&p);
    psst_lines_fini(&p.b);
    put(&p.a, "hello?");
    assert_err(PSST_ERR_IO, psst_lines_flush(&p.a));
    close_pair(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines__arrive__in_order_and_whole),
        cmocka_unit_test(lines__in_pieces__wait_for_the_line_feed),
        cmocka_unit_test(lines__end_of_stream__is_told_once),
        cmocka_unit_test(lines__over_the_limit__is_refused),
        cmocka_unit_test(lines__just_at_the_limit__arrive),
        cmocka_unit_test(put__too_long_or_with_line_feed__is_refused),
        cmocka_unit_test(put__nobody_reads__is_full_at_four_megabytes),
        cmocka_unit_test(fds__ride_with_their_lines),
        cmocka_unit_test(fds__never_claimed__are_closed),
        cmocka_unit_test(fds__more_than_a_line_may_bring__are_refused_and_closed),
        cmocka_unit_test(fds__piled_up_without_a_line_feed__are_refused),
        cmocka_unit_test(fds__of_a_line_that_cannot_be_queued__are_closed),
        cmocka_unit_test(flush__other_side_gone__is_an_error_and_no_signal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
