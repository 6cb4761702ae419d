#include "net/address.h"

#include "support/check.h"

static void address_split__gives__host_and_port(void **state)
{
    (void)state;
    static const struct {
        const char *address, *host;
        uint16_t port;
    } cases[] = {
        {"bob.example.org:4516", "bob.example.org", 4516},
        {"127.0.0.1:1", "127.0.0.1", 1},
        {"[::1]:65535", "::1", 65535},
        {"[2001:db8::7]:0", "2001:db8::7", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char host[PSST_HOST_MAX + 1];
        uint16_t port;
        assert_int_equal(psst_address_split(cases[i].address, host, &port), PSST_OK);
        assert_string_equal(host, cases[i].host);
        assert_int_equal(port, cases[i].port);
    }
}

static void address_split__refuses__what_is_neither(void **state)
{
    (void)state;
    char long_host[PSST_HOST_MAX + 10];
    memset(long_host, 'a', sizeof long_host);
    memcpy(long_host + PSST_HOST_MAX + 1, ":4516", 6);
    const char *const cases[] = {"",          "bob",       ":4516",  "bob:",   "bob:65536", "bob:-1",
                                 "bob:4516x", "::1",       "[::1]",  "[::1",   "[::1]4516", "[]:4516",
                                 "a:b:4516",  "bob: 4516", "bob:+1", "[::1]:", long_host,   "bob:99999999999"};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char host[PSST_HOST_MAX + 1] = "untouched";
        uint16_t port = 7;
        assert_int_equal(psst_address_split(cases[i], host, &port), PSST_ERR_MALFORMED);
        assert_string_equal(host, "untouched");
        assert_int_equal(port, 7);
    }
}

static void sockaddr__comes_back__as_its_text(void **state)
{
    (void)state;
    static const char *const cases[] = {"127.0.0.1:4516", "0.0.0.0:0", "[::]:4516", "[2001:db8::7]:65535"};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        union psst_sockaddr sa;
        char text[PSST_SOCKADDR_TEXT_MAX];
        assert_int_equal(psst_sockaddr_parse(&sa, cases[i]), PSST_OK);
        psst_sockaddr_text(text, &sa);
        assert_string_equal(text, cases[i]);
    }
}

static void sockaddr__shows__mapped_ipv4_as_ipv4(void **state)
{
    (void)state;
    union psst_sockaddr sa;
    char text[PSST_SOCKADDR_TEXT_MAX];
    assert_int_equal(psst_sockaddr_parse(&sa, "[::ffff:192.0.2.1]:80"), PSST_OK);
    psst_sockaddr_text(text, &sa);
    assert_string_equal(text, "192.0.2.1:80");
}

static void sockaddr_numeric__leaves__names_to_others(void **state)
{
    (void)state;
    union psst_sockaddr sa;
    static const char *const names[] = {"localhost", "bob.example.org", "127.1", "1", "", "127.0.0.1.", "fe80::1%lo"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_int_equal(psst_sockaddr_numeric(&sa, names[i], 4516), PSST_ERR_NOT_FOUND);
}

static void sockaddr_copy__takes__the_two_families_only(void **state)
{
    (void)state;
    union psst_sockaddr from, to;
    assert_int_equal(psst_sockaddr_parse(&from, "[::1]:5"), PSST_OK);
    assert_int_equal(psst_sockaddr_copy(&to, &from.any, 4516), PSST_OK);
    assert_int_equal(psst_sockaddr_port(&to), 4516);
    assert_int_equal(psst_sockaddr_len(&to), sizeof to.in6);
    from.any.sa_family = AF_UNIX;
    assert_int_equal(psst_sockaddr_copy(&to, &from.any, 1), PSST_ERR_USAGE);
}

static void sockaddr_equal__looks_at__family_address_and_port(void **state)
{
    (void)state;
    static const char *const all[] = {"127.0.0.1:1", "127.0.0.1:2", "127.0.0.2:1", "[::1]:1", "[::2]:1", "[::1]:2"};
    const size_t n = sizeof all / sizeof all[0];
    for (size_t i = 0; i < n * n; i++) {
        union psst_sockaddr a, b;
        assert_int_equal(psst_sockaddr_parse(&a, all[i / n]), PSST_OK);
        assert_int_equal(psst_sockaddr_parse(&b, all[i % n]), PSST_OK);
        assert_int_equal(psst_sockaddr_equal(&a, &b), i / n == i % n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(address_split__gives__host_and_port),
        cmocka_unit_test(address_split__refuses__what_is_neither),
        cmocka_unit_test(sockaddr__comes_back__as_its_text),
        cmocka_unit_test(sockaddr__shows__mapped_ipv4_as_ipv4),
        cmocka_unit_test(sockaddr_numeric__leaves__names_to_others),
        cmocka_unit_test(sockaddr_copy__takes__the_two_families_only),
        cmocka_unit_test(sockaddr_equal__looks_at__family_address_and_port),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
