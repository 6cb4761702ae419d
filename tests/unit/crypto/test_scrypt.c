/* scrypt: the vectors of RFC 7914, section 12, and the bounds of its cost. */
#include "support/check.h"
#include "support/vectors.h"

static void scrypt__matches__rfc_7914(void **state)
{
    (void)state;
    static const struct {
        const char *passphrase, *salt;
        uint64_t n, r, p;
        const char *key;
    } cases[] = {
        {"", "", 16, 1, 1,
         "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442"
         "fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906"},
        {"password", "NaCl", 1024, 8, 16,
         "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
         "2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640"},
        {"pleaseletmein", "SodiumChloride", 16384, 8, 1,
         "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
         "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t key[64];
        assert_ok(psst_crypto_scrypt(key, sizeof key, psst_view_str(cases[i].passphrase), psst_view_str(cases[i].salt),
                                     cases[i].n, cases[i].r, cases[i].p));
        assert_bytes(vectors_hex_digits(cases[i].key), key, sizeof key);
    }
}

/* The fourth vector of the RFC is over the bound: 2^20 * 8. */
static void scrypt__refuses__what_costs_too_much(void **state)
{
    (void)state;
    static const struct {
        uint64_t n, r, p;
        enum psst_err want;
    } cases[] = {
        {1u << 20, 8, 1, PSST_ERR_TOO_LONG},
        {1u << 15, 8, 1, PSST_ERR_TOO_LONG}, /* 32 MiB and a little */
        {1u << 14, 8, 33, PSST_ERR_TOO_LONG},
        {1u << 14, 8, 16, PSST_OK},
        {1u << 22, 1, 1, PSST_ERR_TOO_LONG},
        {UINT64_C(1) << 63, 1, 1, PSST_ERR_TOO_LONG},
        {2, UINT64_MAX, 1, PSST_ERR_TOO_LONG},
        {2, 1, UINT64_MAX, PSST_ERR_TOO_LONG},
        {UINT64_C(1) << 32, UINT64_C(1) << 31, 2, PSST_ERR_TOO_LONG}, /* a product that wraps to 0 */
        {0, 8, 1, PSST_ERR_MALFORMED},
        {1, 8, 1, PSST_ERR_MALFORMED},
        {3, 8, 1, PSST_ERR_MALFORMED},
        {16, 0, 1, PSST_ERR_MALFORMED},
        {16, 1, 0, PSST_ERR_MALFORMED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t key[32] = {1, 2, 3};
        assert_err(cases[i].want, psst_crypto_scrypt_check(cases[i].n, cases[i].r, cases[i].p));
        if (cases[i].want == PSST_OK) continue;
        assert_err(cases[i].want, psst_crypto_scrypt(key, sizeof key, psst_view_str("p"), psst_view_str("s"),
                                                     cases[i].n, cases[i].r, cases[i].p));
        assert_int_equal(1, key[0]); /* untouched */
    }
    uint8_t key[1];
    assert_err(PSST_ERR_USAGE, psst_crypto_scrypt(key, 0, psst_view_str("p"), psst_view_str("s"), 16, 1, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scrypt__matches__rfc_7914),
        cmocka_unit_test(scrypt__refuses__what_costs_too_much),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
