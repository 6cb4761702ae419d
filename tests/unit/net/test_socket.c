#include "net/socket.h"

#include "support/check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <unistd.h>

struct pair {
    int writer, reader;
};

static struct pair pair_new(void)
{
    union psst_sockaddr at = {.in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}}, from;
    struct psst_diag diag = {{0}};
    struct pair pair = {-1, -1};
    int listener = -1, error = 0;
    bool missing = false;
    assert_int_equal(psst_socket_listen(&listener, &at, &missing, &diag), PSST_OK);
    assert_int_equal(psst_socket_local(listener, &at), PSST_OK);
    assert_int_equal(psst_socket_connect(&pair.writer, &at, &error), PSST_OK);
    while (psst_socket_accept(listener, &pair.reader, &from) == PSST_ERR_AGAIN) continue;
    assert_true(pair.reader >= 0);
    assert_int_equal(close(listener), 0);
    return pair;
}

/* Writes until nothing more is taken; gives how much that was. */
static size_t fill(const struct pair *pair)
{
    static uint8_t block[65536];
    size_t total = 0;
    ssize_t n;
    for (int dry = 0; dry<5; dry = n> 0 ? 0 : dry + 1) {
        n = send(pair->writer, block, sizeof block, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n > 0) total += (size_t)n;
        if (n <= 0) (void)usleep(1000);
    }
    return total;
}

static void take(const struct pair *pair, size_t total)
{
    static uint8_t block[65536];
    while (total > 0) {
        ssize_t n = recv(pair->reader, block, sizeof block, 0);
        assert_true(n > 0 || (n < 0 && errno == EAGAIN));
        if (n > 0) total -= (size_t)n;
    }
}

static void socket__keeps_little__when_its_reader_is_slow(void **state)
{
    (void)state;
    struct pair pair = pair_new();
    take(&pair, fill(&pair));
    assert_true(psst_socket_keep_short(pair.reader));
    size_t most = 2 * PSST_UNREAD_BYTES + PSST_NOTSENT_BYTES + 3 * 65536;
    for (int i = 0; i < 10; i++) { /* the kernel would let the buffer grow with what is read */
        size_t waits = fill(&pair);
        assert_true(waits > 0 && waits <= most);
        take(&pair, waits);
    }
    assert_int_equal(close(pair.writer), 0);
    assert_int_equal(close(pair.reader), 0);
}

static void socket__says_no__when_there_is_no_line(void **state)
{
    (void)state;
    assert_false(psst_socket_keep_short(-1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(socket__keeps_little__when_its_reader_is_slow),
        cmocka_unit_test(socket__says_no__when_there_is_no_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
