/* Addresses and their one spelling. */
#include "identity/card.h"
#include "support/check.h"

#include <stdio.h>

#define LABEL "a23456789012345678901234567890123456789012345678901234567890123" /* 63 */

static void address__gets__its_canonical_form(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"bob.example.org", "bob.example.org:4516"},
        {"Bob.Example.ORG:4517", "bob.example.org:4517"},
        {"bob.example.org.", "bob.example.org:4516"},
        {"bob", "bob:4516"},
        {"my_host:1", "my_host:1"},
        {"a-b.c--d.org:65535", "a-b.c--d.org:65535"},
        {"xn--bcher-kva.example", "xn--bcher-kva.example:4516"},
        {"127.0.0.1", "127.0.0.1:4516"},
        {"127.0.0.1:80", "127.0.0.1:80"},
        {"host:00080", "host:80"},
        {"1host.2net", "1host.2net:4516"},
        {"0xen.org", "0xen.org:4516"},
        {"::1", "[::1]:4516"},
        {"[::1]", "[::1]:4516"},
        {"[::1]:9", "[::1]:9"},
        {"[2001:DB8:0:0::1]:4516", "[2001:db8::1]:4516"},
        {"2001:db8::0001", "[2001:db8::1]:4516"},
        {"::ffff:1.2.3.4", "[::ffff:1.2.3.4]:4516"},
        {"fe80::1%eth0", "[fe80::1%eth0]:4516"},
        {"[fe80::1%wlp2s0]:5", "[fe80::1%wlp2s0]:5"},
        {LABEL ".org", LABEL ".org:4516"},
        {LABEL "." LABEL "." LABEL "." LABEL "abcdef", NULL},
        {"expyuzz4wqqyqhjnexpyuzz4wqqyqhjnexpyuzz4wqqyqhjnexpyuzz4.onion",
         "expyuzz4wqqyqhjnexpyuzz4wqqyqhjnexpyuzz4wqqyqhjnexpyuzz4.onion:4516"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char out[PSST_ADDRESS_MAX + 1], again[PSST_ADDRESS_MAX + 1];
        struct psst_diag diag = {0};
        if (cases[i].out == NULL) {
            assert_err(PSST_ERR_USAGE, psst_address_normalize(out, cases[i].in, &diag));
            continue;
        }
        assert_ok(psst_address_normalize(out, cases[i].in, &diag));
        assert_string_equal(cases[i].out, out);
        assert_ok(psst_address_normalize(again, out, &diag)); /* what it gives, it takes, unchanged */
        assert_string_equal(out, again);
    }
}

static void address__is_taken__up_to_its_greatest_length(void **state)
{
    (void)state;
    char in[PSST_ADDRESS_MAX + 8], out[PSST_ADDRESS_MAX + 1];
    (void)snprintf(in, sizeof in, "%s.%s.%s.%.61s:65535", LABEL, LABEL, LABEL, LABEL);
    assert_int_equal(253 + 6, strlen(in));
    assert_ok(psst_address_normalize(out, in, NULL));
    assert_string_equal(in, out);
    (void)snprintf(in, sizeof in, "%s.%s.%s.%.62s:65535", LABEL, LABEL, LABEL, LABEL);
    assert_err(PSST_ERR_USAGE, psst_address_normalize(out, in, NULL));
}

static void address__is_refused__with_a_reason(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        ":4516",
        ".",
        "..",
        "a..b",
        ".a",
        "a b",
        " a",
        "a ",
        "a/b",
        "a@b",
        "http://a",
        "a:b",
        "a:",
        "a:0",
        "a:65536",
        "a:99999999999999999999",
        "a:+1",
        "a:-1",
        "a:1 ",
        "a:0x10",
        "-a",
        "a-",
        "a.-b",
        "a-.b",
        "a" LABEL,
        "b\u00fccher.example",
        "a\nb",
        "a%b",
        "1.2.3",
        "1.2.3.4.5",
        "256.1.1.1",
        "127.1",
        "2130706433",
        "0x7f.0x1",
        "0x7f000001",
        "1.2.3.4x.5",
        "[",
        "[]",
        "[::1",
        "::1]",
        "[::1]4516",
        "[::1]:",
        "[::1]x:1",
        "[1.2.3.4]",
        "[a]",
        ":::",
        "1:2",
        "12345::",
        "::1%eth0",
        "fe80::1%",
        "fe80::1%a b",
        "fe80::1%0123456789abcdef",
        "[::1]:4516:1",
        "2001:db8::1:",
        "::1 ",
        "a\x7f",
        "$(reboot)",
        "a;b",
        "a,b",
        "*",
        "a\\b",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char out[PSST_ADDRESS_MAX + 1] = "untouched";
        struct psst_diag diag = {0};
        enum psst_err err = psst_address_normalize(out, bad[i], &diag);
        if (err != PSST_ERR_USAGE) fail_msg("'%s' was taken as '%s'", bad[i], out);
        assert_string_equal("untouched", out);
        assert_true(strlen(diag.text) > 20);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(address__gets__its_canonical_form),
        cmocka_unit_test(address__is_taken__up_to_its_greatest_length),
        cmocka_unit_test(address__is_refused__with_a_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
