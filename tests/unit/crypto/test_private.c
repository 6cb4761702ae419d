/* Private keys: generation, and the private halves of the vectors. */
#include "support/check.h"
#include "support/vectors.h"

static void private__has__the_public_half_of_the_vectors(void **state)
{
    (void)state;
    static const char *const names[] = {"a1024", "odd1031", "wide-e2048", "b3072", "b4096"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct psst_rsa_private *priv = vectors_private_key(names[i]);
        struct psst_rsa_public *pub = vectors_public_key(names[i]);
        const struct psst_rsa_public *half = psst_rsa_private_public(priv);
        assert_true(psst_view_equal(psst_rsa_public_spki(pub), psst_rsa_public_spki(half)));
        psst_rsa_private_free(priv);
        psst_rsa_public_free(pub);
    }
    psst_rsa_private_free(NULL);
}

static void generate__makes__keys_of_the_asked_size(void **state)
{
    (void)state;
    static const unsigned sizes[] = {1024, 1280, 2048};
    for (size_t i = 0; i < 3; i++) {
        struct psst_rsa_private *key = NULL;
        assert_ok(psst_rsa_generate(&key, sizes[i], NULL, NULL, NULL));
        const struct psst_rsa_public *pub = psst_rsa_private_public(key);
        assert_int_equal(sizes[i], psst_rsa_public_bits(pub));
        /* the exponent stands last in the encoding: INTEGER of 3 bytes, 65537 */
        struct psst_view spki = psst_rsa_public_spki(pub);
        assert_memory_equal("\x02\x03\x01\x00\x01", spki.data + spki.len - 5, 5);
        struct psst_kem_secret there, back;
        uint8_t x[PSST_KEM_LEN];
        assert_ok(psst_kem_encapsulate(pub, &psst_crypto_rng, x, &there));
        assert_ok(psst_kem_decapsulate(key, "z", x, &back));
        assert_memory_equal(there.b, back.b, 32);
        psst_rsa_private_free(key);
    }
}

static void generate__refuses__other_sizes(void **state)
{
    (void)state;
    static const unsigned sizes[] = {0, 512, 768, 1023, 1025, 2049, 4097, 4352, 8192, UINT32_MAX};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct psst_rsa_private *key = NULL;
        struct psst_diag diag = {.text = ""};
        assert_err(PSST_ERR_USAGE, psst_rsa_generate(&key, sizes[i], NULL, NULL, &diag));
        assert_null(key);
        assert_non_null(strstr(diag.text, "steps of 256"));
    }
}

static bool give_up(void *ctx, unsigned candidates)
{
    (void)candidates;
    ++*(unsigned *)ctx;
    return false;
}

/* How soon a key is found is luck: try again until the search lasted the tenth of a second that it takes to be asked. */
static void generate__stops__when_told(void **state)
{
    (void)state;
    for (int tries = 0; tries < 50; tries++) {
        unsigned asked = 0;
        struct psst_rsa_private *key = NULL;
        enum psst_err err = psst_rsa_generate(&key, 4096, give_up, &asked, NULL);
        if (asked == 0) {
            assert_ok(err);
            psst_rsa_private_free(key);
            continue;
        }
        assert_err(PSST_ERR_AGAIN, err);
        assert_null(key);
        assert_int_equal(1, asked);
        return;
    }
    fail_msg("never asked");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(private__has__the_public_half_of_the_vectors),
        cmocka_unit_test(generate__makes__keys_of_the_asked_size),
        cmocka_unit_test(generate__refuses__other_sizes),
        cmocka_unit_test(generate__stops__when_told),
    };
    return cmocka_run_group_tests_name("crypto/private", tests, NULL, NULL);
}
