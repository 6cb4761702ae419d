#include "support/check.h"

#include "client/card_file.h"
#include "client/init_words.h"
#include "client/qr.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char card[] = "PSST contact card\nName: Bob\nAddress: bob.example.org:4516\nKey: RSA 1024 bits\n"
                           "Fingerprint: b885 f0a5\nPair-Secret: 00ff\n\n-----BEGIN PUBLIC KEY-----\nMIGf\n"
                           "-----END PUBLIC KEY-----\n";

static char dir[64], path[128];

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(dir, sizeof dir, "/tmp/psst-card-XXXXXX");
    if (mkdtemp(dir) == NULL) return -1;
    (void)snprintf(path, sizeof path, "%s/bob.psst", dir);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    (void)unlink(path);
    return rmdir(dir);
}

static void put(const void *data, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(len, write(fd, data, len));
    (void)close(fd);
}

/* ---- reading ---- */

static void read__gives_the_text__up_to_the_limit(void **state)
{
    (void)state;
    static char text[PSST_CARD_FILE_MAX + 2], got[PSST_CARD_FILE_MAX + 1];
    memset(text, 'x', sizeof text);
    put(text, PSST_CARD_FILE_MAX);
    assert_ok(psst_card_file_read(got, path, NULL));
    assert_int_equal(PSST_CARD_FILE_MAX, strlen(got));
    put(text, PSST_CARD_FILE_MAX + 1);
    struct psst_diag diag = {{0}};
    assert_int_equal(PSST_ERR_TOO_LONG, psst_card_file_read(got, path, &diag));
    assert_string_equal("that is no card: it has more than 16384 bytes", diag.text);
}

static void read__refuses__what_is_no_text_no_file(void **state)
{
    (void)state;
    char got[PSST_CARD_FILE_MAX + 1];
    struct psst_diag diag = {{0}};
    assert_int_equal(PSST_ERR_IO, psst_card_file_read(got, path, &diag)); /* it is not there */
    assert_non_null(strstr(diag.text, "No such file"));
    diag.text[0] = '\0';
    assert_int_equal(PSST_ERR_IO, psst_card_file_read(got, dir, &diag));
    assert_non_null(strstr(diag.text, "directory"));
    put("a\0b", 3);
    assert_int_equal(PSST_ERR_MALFORMED, psst_card_file_read(got, path, NULL));
    put("\xff\xfe", 2);
    assert_int_equal(PSST_ERR_MALFORMED, psst_card_file_read(got, path, NULL));
}

static void check__refuses__what_one_would_wait_for(void **state)
{
    (void)state;
    assert_int_equal(0, mkfifo(path, 0600));
    assert_int_equal(PSST_ERR_IO, psst_card_file_check(path, NULL));
    (void)unlink(path);
    put(card, sizeof card - 1);
    assert_ok(psst_card_file_check(path, NULL));
}

/* ---- writing ---- */

static void write__replaces_a_card__and_nothing_else(void **state)
{
    (void)state;
    static const char *const others[] = {"a letter", "-----BEGIN RSA PRIVATE KEY-----\n-----BEGIN PUBLIC KEY-----\n"};
    char got[PSST_CARD_FILE_MAX + 1];
    struct stat st;
    for (size_t i = 0; i < 2; i++) {
        put(others[i], strlen(others[i]));
        assert_int_equal(PSST_ERR_EXISTS, psst_card_file_write(path, card, false, NULL));
        assert_ok(psst_card_file_read(got, path, NULL));
        assert_string_equal(others[i], got);
    }
    (void)unlink(path);
    assert_ok(psst_card_file_write(path, card, false, NULL));
    assert_ok(psst_card_file_write(path, card, true, NULL));
    assert_ok(psst_card_file_read(got, path, NULL));
    assert_string_equal(card, got);
    assert_int_equal(0, stat(path, &st));
    assert_int_equal(0600, st.st_mode & 0777);
}

static void write__says_why__it_cannot(void **state)
{
    (void)state;
    struct psst_diag diag = {{0}};
    assert_int_equal(PSST_ERR_IO, psst_card_file_write("/nowhere/bob.psst", card, false, &diag));
    assert_non_null(strstr(diag.text, "cannot write /nowhere/bob.psst"));
}

/* ---- QR ---- */

static void qr__leaves_out__what_follows_from_the_key(void **state)
{
    (void)state;
    char small[PSST_CARD_FILE_MAX + 1];
    assert_true(psst_card_for_qr(small, card));
    assert_string_equal("PSST contact card\nName: Bob\nAddress: bob.example.org:4516\nPair-Secret: 00ff\n\n"
                        "-----BEGIN PUBLIC KEY-----\nMIGf\n-----END PUBLIC KEY-----\n",
                        small);
}

static void qr__is_a_square__with_a_quiet_zone(void **state)
{
    (void)state;
    struct psst_qr qr;
    assert_true(psst_qr_make(&qr, "PSST/1 safety 877163725636112338466828927704773952566542770306555973063513"));
    assert_int_equal((qr.columns + 1) / 2, qr.n);
    for (size_t i = 0; i < qr.n; i++) {
        size_t chars = 0;
        for (const char *p = qr.lines[i]; *p != '\0'; p++) chars += ((unsigned char)*p & 0xc0) != 0x80;
        assert_int_equal(qr.columns, chars);
        assert_int_not_equal(' ', qr.lines[i][0]); /* light */
    }
    for (const char *p = qr.lines[0]; *p != '\0'; p += 3) assert_memory_equal("\xe2\x96\x88", p, 3);
    psst_qr_fini(&qr);
    static char much[4000];
    memset(much, 'x', sizeof much - 1);
    assert_false(psst_qr_make(&qr, much));
}

/* ---- the first run ---- */

static void bits__are_allowed__in_steps_of_256(void **state)
{
    (void)state;
    static const struct {
        long long bits;
        bool allowed;
    } cases[] = {{1024, true},  {1280, true},  {4096, true}, {3072, true},  {768, false},
                 {4352, false}, {1025, false}, {0, false},   {-1024, false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(cases[i].allowed, psst_init_bits_allowed(cases[i].bits));
    assert_true(psst_init_bits_allowed(psst_init_sizes[0].bits));
    assert_int_equal(PSST_INIT_BITS, psst_init_sizes[0].bits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(read__gives_the_text__up_to_the_limit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(read__refuses__what_is_no_text_no_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(check__refuses__what_one_would_wait_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(write__replaces_a_card__and_nothing_else, set_up, tear_down),
        cmocka_unit_test(write__says_why__it_cannot),
        cmocka_unit_test(qr__leaves_out__what_follows_from_the_key),
        cmocka_unit_test(qr__is_a_square__with_a_quiet_zone),
        cmocka_unit_test(bits__are_allowed__in_steps_of_256),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
