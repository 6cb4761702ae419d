/* The start-up self-test passes, with and without a secure heap, and more than once. */
#include "crypto/selftest.h"

#include "support/check.h"
#include "support/vectors.h"

static void selftest__passes__on_a_sound_libcrypto(void **state)
{
    (void)state;
    assert_ok(psst_crypto_selftest());
}

static void init__passes__again_and_with_a_secure_heap(void **state)
{
    (void)state;
    assert_ok(psst_crypto_init(0));
    assert_ok(psst_crypto_init((size_t)1 << 18));
    assert_ok(psst_crypto_init((size_t)1 << 18));
}

/* Everything that touches private keys, with the heap that psst-key uses. */
static void private_keys__work__in_the_secure_heap(void **state)
{
    (void)state;
    struct psst_rsa_private *key = vectors_private_key("a4096");
    struct psst_buf pem;
    psst_buf_init(&pem, 16384);
    assert_ok(psst_rsa_private_to_pem(key, psst_view_str("pass"), &pem));
    struct psst_rsa_private *again = NULL;
    assert_ok(psst_rsa_private_from_pem(&again, psst_buf_view(&pem), psst_view_str("pass"), NULL));
    uint8_t x[PSST_KEM_LEN];
    struct psst_kem_secret sent, got;
    assert_ok(psst_kem_encapsulate(psst_rsa_private_public(key), &psst_crypto_rng, x, &sent));
    assert_ok(psst_kem_decapsulate(again, "z", x, &got));
    assert_memory_equal(sent.b, got.b, sizeof sent.b);
    psst_rsa_private_free(again);
    psst_rsa_private_free(key);
    psst_buf_fini(&pem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(selftest__passes__on_a_sound_libcrypto),
        cmocka_unit_test(init__passes__again_and_with_a_secure_heap),
        cmocka_unit_test(private_keys__work__in_the_secure_heap),
    };
    return cmocka_run_group_tests_name("crypto/selftest", tests, NULL, NULL);
}
