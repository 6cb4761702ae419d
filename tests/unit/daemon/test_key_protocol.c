/* The messages between psstd and psst-key, and psst-key's reading and writing of descriptors. */
#include "daemon/key/files.h"
#include "daemon/key/protocol.h"
#include "key_bench.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static struct psst_buf request_bytes(const struct psst_key_request *request)
{
    struct psst_buf out;
    psst_buf_init(&out, PSST_KEY_MESSAGE_MAX);
    psst_key_request_write(&out, request);
    assert_false(out.failed);
    return out;
}

static void request__survives__writing_and_reading(void **state)
{
    (void)state;
    static const uint8_t data[PSST_KEY_WRAPPED_LEN] = {7, 8, 9};
    static const struct {
        enum psst_key_op op;
        size_t passphrases, data_len, files;
    } cases[] = {
        {PSST_KEY_UNLOCK, 1, 0, 1},       {PSST_KEY_LOCK, 0, 0, 0},          {PSST_KEY_DECAPSULATE, 0, PSST_KEM_LEN, 0},
        {PSST_KEY_GENERATE, 1, 0, 1},     {PSST_KEY_IMPORT, 1, 0, 2},        {PSST_KEY_CHANGE, 2, 0, 2},
        {PSST_KEY_CREATE_STORE, 0, 0, 0}, {PSST_KEY_OPEN_STORE, 0, 576, 0},  {PSST_KEY_BACKUP_SEAL, 1, 52, 2},
        {PSST_KEY_BACKUP_OPEN, 1, 52, 2}, {PSST_KEY_BACKUP_CHECK, 1, 52, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct psst_key_request wrote = {.number = 0x01020304,
                                         .op = cases[i].op,
                                         .passphrase = {cases[i].passphrases > 0, cases[i].passphrases > 1},
                                         .bits = 4096,
                                         .data = psst_view(data, cases[i].data_len)};
        struct psst_buf bytes = request_bytes(&wrote);
        struct psst_key_request read;
        assert_ok(psst_key_request_read(&read, psst_buf_view(&bytes)));
        assert_int_equal(wrote.number, read.number);
        assert_int_equal(wrote.op, read.op);
        assert_int_equal(4096, read.bits);
        assert_int_equal(wrote.passphrase[0], read.passphrase[0]);
        assert_int_equal(wrote.passphrase[1], read.passphrase[1]);
        assert_true(psst_view_equal(wrote.data, read.data));
        assert_int_equal(cases[i].files, psst_key_op_files(read.op));
        assert_int_equal(cases[i].files + cases[i].passphrases, psst_key_request_fds(&read));

        /* cut anywhere, or one byte too long: refused, and the number is kept for the answer */
        for (size_t len = 0; len < bytes.len; len++)
            assert_err(PSST_ERR_MALFORMED, psst_key_request_read(&read, psst_view(bytes.data, len)));
        psst_buf_put_u8(&bytes, 0);
        assert_err(PSST_ERR_MALFORMED, psst_key_request_read(&read, psst_buf_view(&bytes)));
        assert_int_equal(wrote.number, read.number);
        psst_buf_fini(&bytes);
    }
}

static void request__is_refused__with_an_unknown_operation_or_passphrase(void **state)
{
    (void)state;
    static const struct {
        uint8_t op, passphrases;
    } cases[] = {{0, 0}, {PSST_KEY_OPS, 0}, {255, 0}, {PSST_KEY_LOCK, 1}, {PSST_KEY_UNLOCK, 2}, {PSST_KEY_CHANGE, 4}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const uint8_t bytes[8] = {0, 0, 0, 1, cases[i].op, cases[i].passphrases, 0, 0};
        struct psst_key_request read;
        assert_err(PSST_ERR_MALFORMED, psst_key_request_read(&read, psst_view(bytes, sizeof bytes)));
    }
}

static void answer__survives__writing_and_reading(void **state)
{
    (void)state;
    uint8_t spki[PSST_SPKI_MAX_LEN], secret[PSST_KEY_LEN], wrapped[PSST_KEY_WRAPPED_LEN];
    memset(spki, 1, sizeof spki);
    memset(secret, 2, sizeof secret);
    memset(wrapped, 3, sizeof wrapped);
    struct psst_key_answer wrote = {.number = 9,
                                    .err = PSST_ERR_DISK_FULL,
                                    .encrypted = true,
                                    .spki = psst_view(spki, sizeof spki),
                                    .secret = psst_view(secret, sizeof secret),
                                    .wrapped = psst_view(wrapped, sizeof wrapped)};
    memset(wrote.diag.text, 'w', sizeof wrote.diag.text - 1);
    struct psst_buf bytes;
    psst_buf_init(&bytes, PSST_KEY_MESSAGE_MAX);
    psst_key_answer_write(&bytes, &wrote);
    assert_false(bytes.failed); /* the longest there is fits */

    struct psst_key_answer read;
    assert_ok(psst_key_answer_read(&read, psst_buf_view(&bytes)));
    assert_int_equal(9, read.number);
    assert_false(read.progress);
    assert_int_equal(PSST_ERR_DISK_FULL, read.err);
    assert_string_equal(wrote.diag.text, read.diag.text);
    assert_true(read.encrypted);
    assert_true(psst_view_equal(wrote.spki, read.spki));
    assert_true(psst_view_equal(wrote.secret, read.secret));
    assert_true(psst_view_equal(wrote.wrapped, read.wrapped));
    for (size_t len = 0; len < bytes.len; len++)
        assert_err(PSST_ERR_MALFORMED, psst_key_answer_read(&read, psst_view(bytes.data, len)));
    psst_buf_put_u8(&bytes, 0);
    assert_err(PSST_ERR_MALFORMED, psst_key_answer_read(&read, psst_buf_view(&bytes)));
    psst_buf_fini(&bytes);
}

static void answer__is_refused__with_numbers_out_of_range(void **state)
{
    (void)state;
    static const struct {
        uint8_t bytes[16];
        size_t len;
    } cases[] = {
        {{0, 0, 0, 1, 2}, 5},                                              /* a kind that is none */
        {{0, 0, 0, 1, 0, 0, 0, 0}, 8},                                     /* progress cut short */
        {{0, 0, 0, 1, 1, PSST_ERR_INTERNAL + 1, 0, 0, 0, 0, 0, 0, 0}, 13}, /* an error that is none */
        {{0, 0, 0, 1, 1, 0, 0, 2, 0, 0, 0, 0, 0}, 13},                     /* encrypted: neither yes nor no */
        {{0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 1, 5, 0, 0}, 14},                  /* a secret of one byte */
        {{0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 1, 5}, 14},                  /* a wrapped key of one byte */
        {{0, 0, 0, 1, 1, 0, 0, 0, 0xff, 0xff, 0, 0, 0}, 13},               /* a public key that is not there */
    };
    struct psst_key_answer read;
    static const uint8_t good[] = {0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0};
    assert_ok(psst_key_answer_read(&read, psst_view(good, sizeof good)));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_err(PSST_ERR_MALFORMED, psst_key_answer_read(&read, psst_view(cases[i].bytes, cases[i].len)));
}

/* ---- descriptors ---- */

static void read_all__reads__up_to_its_maximum(void **state)
{
    (void)state;
    uint8_t out[8];
    size_t len = 99;
    int fd = fd_with_text("12345678");
    assert_ok(psst_key_read_all(out, sizeof out, &len, fd, -1, 1000));
    assert_bytes(psst_view_str("12345678"), out, len);
    (void)close(fd);
    fd = fd_with_text("");
    assert_ok(psst_key_read_all(out, sizeof out, &len, fd, -1, 1000));
    assert_int_equal(0, len);
    (void)close(fd);
    fd = fd_with_text("123456789");
    assert_err(PSST_ERR_TOO_LONG, psst_key_read_all(out, sizeof out, &len, fd, -1, 1000));
    (void)close(fd);
    assert_err(PSST_ERR_IO, psst_key_read_all(out, sizeof out, &len, fd, -1, 1000)); /* closed */
}

static void read_all__ends__when_nothing_comes_or_nobody_waits(void **state)
{
    (void)state;
    uint8_t out[8];
    size_t len = 0;
    int pipe_ends[2], pair[2];
    assert_int_equal(0, pipe2(pipe_ends, O_CLOEXEC));
    assert_int_equal(0, socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair));
    assert_int_equal(1, write(pipe_ends[1], "x", 1)); /* something, but no end */
    assert_err(PSST_ERR_EXPIRED, psst_key_read_all(out, sizeof out, &len, pipe_ends[0], pair[0], 0));
    /* a request that waits in the socket is no reason to stop */
    assert_int_equal(4, send(pair[1], "next", 4, 0));
    assert_false(psst_key_peer_gone(pair[0]));
    assert_err(PSST_ERR_EXPIRED, psst_key_read_all(out, sizeof out, &len, pipe_ends[0], pair[0], 0));
    (void)close(pair[1]);
    assert_true(psst_key_peer_gone(pair[0]));
    assert_err(PSST_ERR_AGAIN, psst_key_read_all(out, sizeof out, &len, pipe_ends[0], pair[0], 60000));
    (void)close(pair[0]);
    (void)close(pipe_ends[0]);
    (void)close(pipe_ends[1]);
}

static void write_file__refuses__what_is_no_new_private_file(void **state)
{
    (void)state;
    struct psst_view data = psst_view_str("content");
    struct psst_diag diag = {0};
    int ends[2];
    assert_int_equal(0, pipe2(ends, O_CLOEXEC));
    assert_err(PSST_ERR_PERMISSION, psst_key_write_file(ends[1], data, &diag));
    (void)close(ends[0]);
    (void)close(ends[1]);
    assert_err(PSST_ERR_IO, psst_key_write_file(-1, data, &diag));

    int file = fd_empty_file();
    assert_ok(psst_key_write_file(file, data, &diag));
    struct psst_buf got = file_content(file);
    assert_true(psst_view_equal(data, psst_buf_view(&got)));
    psst_buf_fini(&got);
    assert_err(PSST_ERR_PERMISSION, psst_key_write_file(file, data, &diag)); /* no longer empty */
    (void)close(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request__survives__writing_and_reading),
        cmocka_unit_test(request__is_refused__with_an_unknown_operation_or_passphrase),
        cmocka_unit_test(answer__survives__writing_and_reading),
        cmocka_unit_test(answer__is_refused__with_numbers_out_of_range),
        cmocka_unit_test(read_all__reads__up_to_its_maximum),
        cmocka_unit_test(read_all__ends__when_nothing_comes_or_nobody_waits),
        cmocka_unit_test(write_file__refuses__what_is_no_new_private_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
