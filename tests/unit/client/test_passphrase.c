#include "support/check.h"

#include "client/passphrase.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static bool all_zero(const void *p, size_t len)
{
    const uint8_t *b = p;
    uint8_t any = 0;
    for (size_t i = 0; i < len; i++) any |= b[i];
    return any == 0;
}

static void pipe__holds_it_and_ends__and_ours_is_wiped(void **state)
{
    (void)state;
    static const size_t lengths[] = {1, 20, PSST_PASSPHRASE_MAX};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        struct psst_passphrase pass = {.len = lengths[i]};
        char got[PSST_PASSPHRASE_MAX + 8];
        int fd;
        memset(pass.text, 'p', pass.len);
        assert_ok(psst_passphrase_pipe(&fd, &pass, NULL));
        assert_true(all_zero(&pass, sizeof pass));
        assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
        assert_int_equal(lengths[i], read(fd, got, sizeof got));
        assert_int_equal('p', got[lengths[i] - 1]);
        assert_int_equal(0, read(fd, got, sizeof got));
        (void)close(fd);
    }
}

/* What came out of a pipe that held this. */
static enum psst_err read_back(const char *bytes, size_t len, struct psst_passphrase *out)
{
    int ends[2];
    assert_int_equal(0, pipe2(ends, O_CLOEXEC));
    assert_int_equal(len, write(ends[1], bytes, len));
    (void)close(ends[1]);
    enum psst_err err = psst_passphrase_read(out, ends[0], NULL);
    (void)close(ends[0]);
    return err;
}

static void read__one_trailing_line_feed__is_dropped(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
        const char *want; /* NULL: refused */
    } cases[] = {
        {"secret", 6, "secret"},
        {"secret\n", 7, "secret"},
        {"two words \n", 11, "two words "},
        {"", 0, ""},
        {"\n", 1, ""},
        {"secret\n\n", 8, NULL},
        {"two\nlines", 9, NULL},
        {"nul\0byte", 8, NULL},
        {"\r\n", 2, "\r"},
        {"gr\xc3\xbc\xc3\x9f", 6, "gr\xc3\xbc\xc3\x9f"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct psst_passphrase pass = {.len = 77};
        enum psst_err err = read_back(cases[i].bytes, cases[i].len, &pass);
        if (cases[i].want == NULL) {
            assert_err(PSST_ERR_MALFORMED, err);
            assert_int_equal(77, pass.len);
        } else {
            assert_ok(err);
            assert_bytes(psst_view_str(cases[i].want), pass.text, pass.len);
        }
    }
}

static void read__at_the_limit_and_over__by_a_byte(void **state)
{
    (void)state;
    char bytes[PSST_PASSPHRASE_MAX + 2];
    struct psst_passphrase pass;
    memset(bytes, 'x', sizeof bytes);
    assert_ok(read_back(bytes, PSST_PASSPHRASE_MAX, &pass));
    assert_int_equal(PSST_PASSPHRASE_MAX, pass.len);
    assert_err(PSST_ERR_TOO_LONG, read_back(bytes, PSST_PASSPHRASE_MAX + 1, &pass));
    bytes[PSST_PASSPHRASE_MAX] = '\n';
    assert_ok(read_back(bytes, PSST_PASSPHRASE_MAX + 1, &pass));
    assert_err(PSST_ERR_TOO_LONG, read_back(bytes, PSST_PASSPHRASE_MAX + 2, &pass));
}

static void file__open_to_others__is_told(void **state)
{
    (void)state;
    char path[] = "/tmp/psst-pass-XXXXXX";
    struct psst_passphrase pass;
    bool loose;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(7, write(fd, "secret\n", 7));
    assert_ok(psst_passphrase_from_file(&pass, path, &loose, NULL));
    assert_false(loose);
    assert_int_equal(6, pass.len);
    assert_int_equal(0, fchmod(fd, 0640));
    assert_ok(psst_passphrase_from_file(&pass, path, &loose, NULL));
    assert_true(loose);
    (void)close(fd);
    assert_int_equal(0, unlink(path));
    struct psst_diag diag = {{0}};
    assert_err(PSST_ERR_IO, psst_passphrase_from_file(&pass, path, &loose, &diag));
    assert_non_null(strstr(diag.text, path));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pipe__holds_it_and_ends__and_ours_is_wiped),
        cmocka_unit_test(read__one_trailing_line_feed__is_dropped),
        cmocka_unit_test(read__at_the_limit_and_over__by_a_byte),
        cmocka_unit_test(file__open_to_others__is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
