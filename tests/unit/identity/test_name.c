/* What may be a name. */
#include "identity/card.h"
#include "support/check.h"

#define TEN "0123456789"

static void name__is_taken__when_it_can_be_shown_as_it_is(void **state)
{
    (void)state;
    static const char *const good[] = {
        "Bob",
        "b",
        "Bob Smith",
        "Zo\u00eb",
        "\u5f20\u4f1f",
        "O'Neill",
        "100%n",
        "a.b-c",
        "\u0410\u043d\u043d\u0430",
        TEN TEN TEN TEN TEN TEN "1234",
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct psst_diag diag = {0};
        assert_ok(psst_name_check(good[i], &diag));
        assert_string_equal("", diag.text);
    }
}

static void name__is_refused__with_a_reason(void **state)
{
    (void)state;
    static const struct {
        const char *name, *reason;
    } bad[] = {
        {"", "empty"},
        {TEN TEN TEN TEN TEN TEN "12345", "64 bytes"},
        {"-rf", "begin with '-'"},
        {".hidden", "begin with '.'"},
        {"..", "begin with '.'"},
        {"a/b", "'/'"},
        {" Bob", "blank"},
        {"Bob ", "blank"},
        {"Bob\u00a0", "blank"},
        {"\u3000Bob", "blank"},
        {"Bob\n", "control"},
        {"Bob\tB", "control"},
        {"\033[31mBob", "control"},
        {"Bob\xc2\x9b"
         "31m",
         "control"}, /* CSI as one character */
        {"Bob\x7f", "control"},
        {"Bo\u202eb", "invisible"}, /* right-to-left override */
        {"Bo\u200bb", "invisible"}, /* zero-width space */
        {"Bo\u200db", "invisible"}, /* joiner */
        {"\ufeffBob", "invisible"}, /* byte order mark */
        {"\u0301Bob", "invisible"}, /* a mark with nothing under it */
        {"Bo\xff", "UTF-8"},
        {"Bo\xc0\xaf", "UTF-8"},
        {"\xed\xa0\x80", "UTF-8"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct psst_diag diag = {0};
        assert_err(PSST_ERR_USAGE, psst_name_check(bad[i].name, &diag));
        if (strstr(diag.text, bad[i].reason) == NULL) fail_msg("'%s' is no reason with '%s'", diag.text, bad[i].reason);
    }
    assert_err(PSST_ERR_USAGE, psst_name_check("", NULL)); /* without a place for words too */
}

static void alias__that_reads_as_oneself__is_refused(void **state)
{
    static const char *const bad[] = {
        "me",           "Me",   "ME",      "m\u0435",   "\u041c\u0415", "\uff4d\uff45", "\U0001d426\U0001d41e",
        "\u2133\u212f", "me |", "me, too", "me\u00a0x", "Alice",        "aLICE"};
    static const char *const good[] = {"men",    "mee", "m",        "e",       "em",  "Alice 2",
                                       "Malice", "me2", "me\u0301", "m\u00e9", "you", "Me\u00df"};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct psst_diag diag = {0};
        assert_ok(psst_name_check(bad[i], &diag)); /* on one's own card it is a name */
        if (psst_alias_check(bad[i], "Alice", &diag) != PSST_ERR_USAGE) fail_msg("%s is taken", bad[i]);
        assert_non_null(strstr(diag.text, "give this contact another"));
    }
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        if (psst_alias_check(good[i], "Alice", NULL) != PSST_OK) fail_msg("%s is refused", good[i]);
    assert_err(PSST_ERR_USAGE, psst_alias_check("a/b", "Alice", NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(name__is_taken__when_it_can_be_shown_as_it_is),
        cmocka_unit_test(name__is_refused__with_a_reason),
        cmocka_unit_test(alias__that_reads_as_oneself__is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
