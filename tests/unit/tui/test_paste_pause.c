/* Pastes that stop in the middle, and other pauses, on a terminal whose clock is the test's. */
#include "support/check.h"
#include "support/pretend_tty.h"
#include "tui/input.h"
#include "tui/input_begin.h"

static void feed(const char *bytes)
{
    pretend_tty_feed(bytes, strlen(bytes));
}

static struct psst_key next(void)
{
    struct psst_key key;
    psst_input_next(&key);
    return key;
}

static void expect_paste(const char *want)
{
    struct psst_key key = next();
    assert_int_equal(key.code, PSST_KEY_PASTE);
    assert_bytes(psst_view_str(want), key.paste, key.paste_len);
}

static int begin(void **state)
{
    (void)state;
    pretend_tty_feed("", 0);
    pretend_tty.asked_ms = 0;
    pretend_tty.rang = false;
    psst_input_begin();
    return 0;
}

static int end(void **state)
{
    (void)state;
    psst_input_end();
    return 0;
}

/* A line that stalls: what comes later is no Enter. */
static void paste__goes_on__after_a_pause(void **state)
{
    (void)state;
    feed("\033[200~one\r\xe4\xbd");
    assert_int_equal(next().code, PSST_KEY_NONE);
    assert_true(pretend_tty_wait());
    expect_paste("one\n");
    assert_int_equal(next().code, PSST_KEY_NONE);
    assert_false(pretend_tty_wait());
    feed("\xa0two\rthree\r\033[20");
    assert_int_equal(next().code, PSST_KEY_NONE);
    assert_true(pretend_tty_wait());
    expect_paste("\xe4\xbd\xa0two\nthree\n");
    feed("1~x");
    expect_paste("");
    assert_int_equal(next().cp, 'x');
}

/* A terminal that never says where it ends leaves a keyboard that works. */
static void paste__is_over__when_single_keys_follow_a_pause(void **state)
{
    static const struct {
        const char *bytes;
        enum psst_key_code code;
    } keys[] = {{"a", PSST_KEY_TEXT}, {"\r", PSST_KEY_ENTER}, {"\033[A", PSST_KEY_UP}, {"\xc3\xa4", PSST_KEY_TEXT}};
    (void)state;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        feed("\033[200~one");
        assert_int_equal(next().code, PSST_KEY_NONE);
        assert_true(pretend_tty_wait());
        expect_paste("one");
        feed(keys[i].bytes);
        assert_int_equal(next().code, keys[i].code);
        feed("\r");
        assert_int_equal(next().code, PSST_KEY_ENTER);
    }
}

static void secret__takes__what_is_pasted_and_no_keys(void **state)
{
    struct psst_passphrase pass = {.len = 0};
    (void)state;
    feed("a\033[A\033O5Pb\033[3$c\033]11;rgb:2e\033\\\033OqD\033[200~\xc3\xa4\r\033[31mz");
    assert_int_equal(psst_input_secret(&pass), PSST_SECRET_MORE);
    assert_string_equal(pass.text, "abc1D\xc3\xa4z");
    feed("\033[201~\x7f\r");
    assert_int_equal(psst_input_secret(&pass), PSST_SECRET_DONE);
    assert_string_equal(pass.text, "abc1D\xc3\xa4");
    psst_passphrase_wipe(&pass);
}

/* It asks no more in the middle of a paste: the rest of it is a paste elsewhere, too. */
static void secret__leaves__the_rest_of_a_paste_a_paste(void **state)
{
    struct psst_passphrase pass = {.len = 0};
    (void)state;
    feed("\033[200~one");
    assert_int_equal(psst_input_secret(&pass), PSST_SECRET_MORE);
    feed("two\rthree\r\033[201~");
    expect_paste("two\nthree\n");
    psst_passphrase_wipe(&pass);
}

static void secret__tells__escape_after_a_pause(void **state)
{
    struct psst_passphrase pass = {.len = 0};
    (void)state;
    feed("\033");
    assert_int_equal(psst_input_secret(&pass), PSST_SECRET_NOTHING);
    assert_true(pretend_tty_wait());
    assert_int_equal(psst_input_secret(&pass), PSST_SECRET_BACK);
    feed("\033");
    assert_int_equal(psst_input_secret(&pass), PSST_SECRET_NOTHING);
    feed("x\033");
    assert_true(pretend_tty_wait());
    assert_int_equal(psst_input_secret(&pass), PSST_SECRET_BACK);
    assert_int_equal(pass.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(paste__goes_on__after_a_pause, begin, end),
        cmocka_unit_test_setup_teardown(paste__is_over__when_single_keys_follow_a_pause, begin, end),
        cmocka_unit_test_setup_teardown(secret__takes__what_is_pasted_and_no_keys, begin, end),
        cmocka_unit_test_setup_teardown(secret__leaves__the_rest_of_a_paste_a_paste, begin, end),
        cmocka_unit_test_setup_teardown(secret__tells__escape_after_a_pause, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
