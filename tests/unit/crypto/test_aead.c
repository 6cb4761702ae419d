/* ChaCha20-Poly1305: the vectors, in place, and every way to be wrong. */
#include "support/check.h"
#include "support/det_rng.h"
#include "support/vectors.h"

static json_t *root;

static int load(void **state)
{
    (void)state;
    root = vectors_load("kdf.json");
    return 0;
}

static int unload(void **state)
{
    (void)state;
    json_decref(root);
    return 0;
}

static void seal_and_open__match__the_vectors(void **state)
{
    (void)state;
    size_t i;
    json_t *v;
    json_array_foreach(vectors_array(root, "aead"), i, v)
    {
        struct psst_aead_key key;
        vectors_hex_exact(v, "key", key.b, sizeof key.b);
        struct psst_view nonce = vectors_hex(v, "nonce"), ad = vectors_hex(v, "ad");
        struct psst_view plain = vectors_hex(v, "plaintext"), sealed = vectors_hex(v, "sealed");
        assert_int_equal(12, nonce.len);
        uint64_t value = psst_load_u64(nonce.data + 4);
        uint8_t out[128];
        assert_true(sealed.len <= sizeof out);
        assert_ok(psst_aead_seal(out, &key, value, ad, plain));
        assert_bytes(sealed, out, plain.len + PSST_TAG_LEN);
        assert_ok(psst_aead_open(out, &key, value, ad, sealed));
        assert_bytes(plain, out, sealed.len - PSST_TAG_LEN);
    }
    assert_int_equal(4, i);
}

static void seal__takes__the_place_of_the_plaintext(void **state)
{
    (void)state;
    static const size_t lengths[] = {0, 1, 2, 15, 16, 17, 63, 64, 65, 255, 256, 257, 4096, 65502};
    static uint8_t apart[65536], place[65536], plain[65536];
    struct det_rng det = det_rng(1);
    struct psst_rng rng = det_rng_of(&det);
    struct psst_aead_key key;
    const struct psst_view ad = psst_view_str("ad");
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        size_t len = lengths[i];
        rng.fill(rng.ctx, key.b, sizeof key.b);
        rng.fill(rng.ctx, plain, len);
        memcpy(place, plain, len);
        assert_ok(psst_aead_seal(apart, &key, i, ad, psst_view(plain, len)));
        assert_ok(psst_aead_seal(place, &key, i, ad, psst_view(place, len)));
        assert_memory_equal(apart, place, len + PSST_TAG_LEN);
        assert_ok(psst_aead_open(place, &key, i, ad, psst_view(place, len + PSST_TAG_LEN)));
        if (len > 0) assert_memory_equal(plain, place, len);
    }
}

static void open__refuses__any_flipped_bit(void **state)
{
    (void)state;
    struct psst_aead_key key = {{7}};
    uint8_t ad[] = "header", sealed[32 + PSST_TAG_LEN], plain[32] = "thirty-two bytes of plain text", out[32];
    const struct psst_view ad_view = psst_view(ad, sizeof ad);
    assert_ok(psst_aead_seal(sealed, &key, 3, ad_view, psst_view(plain, sizeof plain)));
    for (size_t bit = 0; bit < 8 * sizeof sealed; bit++) {
        sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_err(PSST_ERR_AUTH, psst_aead_open(out, &key, 3, ad_view, psst_view(sealed, sizeof sealed)));
        sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t bit = 0; bit < 8 * sizeof ad; bit++) {
        ad[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_err(PSST_ERR_AUTH, psst_aead_open(out, &key, 3, ad_view, psst_view(sealed, sizeof sealed)));
        ad[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_err(PSST_ERR_AUTH, psst_aead_open(out, &key, 4, ad_view, psst_view(sealed, sizeof sealed)));
    key.b[31] ^= 1;
    assert_err(PSST_ERR_AUTH, psst_aead_open(out, &key, 3, ad_view, psst_view(sealed, sizeof sealed)));
    key.b[31] ^= 1;
    assert_ok(psst_aead_open(out, &key, 3, ad_view, psst_view(sealed, sizeof sealed)));
    assert_memory_equal(plain, out, sizeof plain);
}

static void open__refuses__what_is_shorter_than_a_tag(void **state)
{
    (void)state;
    const struct psst_aead_key key = {{7}};
    uint8_t sealed[PSST_TAG_LEN] = {0}, out[1];
    for (size_t len = 0; len < PSST_TAG_LEN; len++)
        assert_err(PSST_ERR_AUTH, psst_aead_open(out, &key, 0, psst_view(NULL, 0), psst_view(sealed, len)));
    assert_err(PSST_ERR_AUTH, psst_aead_open(out, &key, 0, psst_view(NULL, 0), psst_view(sealed, PSST_TAG_LEN)));
}

static void open__works__after_a_failure(void **state)
{
    (void)state;
    const struct psst_aead_key key = {{9}};
    const struct psst_view none = psst_view(NULL, 0);
    uint8_t sealed[3 + PSST_TAG_LEN], out[3];
    for (int i = 0; i < 3; i++) {
        assert_ok(psst_aead_seal(sealed, &key, 1, none, psst_view("abc", 3)));
        sealed[0] ^= 1;
        assert_err(PSST_ERR_AUTH, psst_aead_open(out, &key, 1, none, psst_view(sealed, sizeof sealed)));
        sealed[0] ^= 1;
        assert_ok(psst_aead_open(out, &key, 1, none, psst_view(sealed, sizeof sealed)));
        assert_memory_equal("abc", out, 3);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seal_and_open__match__the_vectors),
        cmocka_unit_test(seal__takes__the_place_of_the_plaintext),
        cmocka_unit_test(open__refuses__any_flipped_bit),
        cmocka_unit_test(open__refuses__what_is_shorter_than_a_tag),
        cmocka_unit_test(open__works__after_a_failure),
    };
    return cmocka_run_group_tests_name("crypto/aead", tests, load, unload);
}
