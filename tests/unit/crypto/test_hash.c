/* SHA-256, HMAC, HKDF: the vectors, FIPS 180-4, RFC 4231 and RFC 5869; parts, threads, streams. */
#include "support/check.h"
#include "support/vectors.h"

#include <pthread.h>

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

static void sha256__matches__fips_180_4(void **state)
{
    (void)state;
    static const struct {
        const char *text, *digest;
    } cases[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct psst_hash h;
        struct psst_view whole = psst_view_str(cases[i].text);
        assert_ok(psst_sha256(&h, &whole, 1));
        assert_bytes(vectors_hex_digits(cases[i].digest), h.b, sizeof h.b);
    }
}

static void sha256__ignores__how_the_parts_are_cut(void **state)
{
    (void)state;
    const struct psst_view parts[] = {psst_view_str("a"), psst_view(NULL, 0), psst_view_str("bc")};
    const struct psst_view whole = psst_view_str("abc");
    struct psst_hash a, b;
    assert_ok(psst_sha256(&a, parts, 3));
    assert_ok(psst_sha256(&b, &whole, 1));
    assert_memory_equal(a.b, b.b, 32);
    assert_ok(psst_sha256(&a, NULL, 0));
    assert_bytes(vectors_hex_digits("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"), a.b, 32);
}

static void stream__goes_on__after_peek(void **state)
{
    (void)state;
    struct psst_sha256_stream *s = psst_sha256_stream_new();
    assert_non_null(s);
    struct psst_hash h;
    assert_ok(psst_sha256_stream_peek(s, &h));
    assert_bytes(vectors_hex_digits("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"), h.b, 32);
    assert_ok(psst_sha256_stream_update(s, psst_view_str("ab")));
    assert_ok(psst_sha256_stream_peek(s, &h));
    assert_ok(psst_sha256_stream_update(s, psst_view(NULL, 0)));
    assert_ok(psst_sha256_stream_update(s, psst_view_str("c")));
    for (int i = 0; i < 2; i++) {
        assert_ok(psst_sha256_stream_peek(s, &h));
        assert_bytes(vectors_hex_digits("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"), h.b, 32);
    }
    psst_sha256_stream_free(s);
    psst_sha256_stream_free(NULL);
}

static void hmac__matches__rfc_4231(void **state)
{
    (void)state;
    /* its test cases 1 and 2 have keys shorter than ours: zeros at the end of a key do not change an HMAC */
    static const struct {
        const char *key, *data, *mac;
    } cases[] = {
        {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b000000000000000000000000", "4869205468657265",
         "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
        {"4a65666500000000000000000000000000000000000000000000000000000000",
         "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct psst_view data = vectors_hex_digits(cases[i].data);
        const struct psst_view parts[] = {psst_view(data.data, 3), psst_view(data.data + 3, data.len - 3)};
        uint8_t mac[32];
        assert_ok(psst_hmac(mac, vectors_hex_digits(cases[i].key).data, parts, 2));
        assert_bytes(vectors_hex_digits(cases[i].mac), mac, sizeof mac);
    }
}

static void hkdf__matches__rfc_5869(void **state)
{
    (void)state;
    static const struct {
        const char *ikm, *salt, *info, *prk, *okm;
    } cases[] = {
        {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "000102030405060708090a0b0c", "f0f1f2f3f4f5f6f7f8f9",
         "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
         "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"},
        {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "", "",
         "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
         "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t prk[32], okm[32];
        struct psst_view ikm = vectors_hex_digits(cases[i].ikm), info = vectors_hex_digits(cases[i].info);
        const struct psst_view ikm_parts[] = {psst_view(ikm.data, 5), psst_view(ikm.data + 5, ikm.len - 5)};
        assert_ok(psst_hkdf_extract(prk, vectors_hex_digits(cases[i].salt), ikm_parts, 2));
        assert_bytes(vectors_hex_digits(cases[i].prk), prk, sizeof prk);
        assert_ok(psst_hkdf_expand(okm, prk, &info, 1));
        assert_bytes(vectors_hex_digits(cases[i].okm), okm, sizeof okm);
    }
}

static void hkdf__takes__no_salt_as_zeros(void **state)
{
    (void)state;
    const struct psst_view ikm = psst_view_str("ikm");
    const uint8_t zeros[32] = {0};
    uint8_t a[32], b[32], c[32];
    assert_ok(psst_hkdf_extract(a, psst_view(NULL, 0), &ikm, 1));
    assert_ok(psst_hkdf_extract(b, psst_view(zeros, sizeof zeros), &ikm, 1));
    assert_ok(psst_hkdf_extract(c, psst_view("", 0), &ikm, 1));
    assert_memory_equal(a, b, 32);
    assert_memory_equal(a, c, 32);
}

static void hkdf__expands__a_key_in_its_own_place(void **state)
{
    (void)state;
    const struct psst_view info = psst_view_str("PSST/1 ratchet");
    uint8_t key[32] = {1}, apart[32];
    assert_ok(psst_hkdf_expand(apart, key, &info, 1));
    assert_ok(psst_hkdf_expand(key, key, &info, 1));
    assert_memory_equal(apart, key, 32);
}

static void hkdf__matches__the_vectors(void **state)
{
    (void)state;
    size_t i;
    json_t *v;
    json_array_foreach(vectors_array(root, "hkdf"), i, v)
    {
        uint8_t prk[32], okm[32];
        struct psst_view ikm = vectors_hex(v, "ikm"), info = vectors_hex(v, "info");
        assert_ok(psst_hkdf_extract(prk, vectors_hex(v, "salt"), &ikm, 1));
        assert_bytes(vectors_hex(v, "prk"), prk, sizeof prk);
        assert_ok(psst_hkdf_expand(okm, prk, &info, 1));
        assert_bytes(vectors_hex(v, "okm"), okm, sizeof okm);
    }
    assert_true(i > 0);
    json_array_foreach(vectors_array(root, "expand"), i, v)
    {
        uint8_t prk[32], okm[32];
        struct psst_view info = vectors_hex(v, "info");
        vectors_hex_exact(v, "prk", prk, sizeof prk);
        assert_ok(psst_hkdf_expand(okm, prk, &info, 1));
        assert_bytes(vectors_hex(v, "okm"), okm, sizeof okm);
    }
    assert_true(i > 0);
}

static void mac_key__matches__the_vectors(void **state)
{
    (void)state;
    size_t i;
    json_t *v;
    json_array_foreach(vectors_array(root, "fingerprints"), i, v)
    {
        struct psst_rsa_public *key = vectors_public_key(vectors_str(v, "key"));
        struct psst_view spki = psst_rsa_public_spki(key);
        uint8_t prk[32], mb[32];
        assert_ok(psst_hkdf_extract(prk, psst_view_str("PSST/1 mac"), &spki, 1));
        assert_ok(psst_hkdf_expand(mb, prk, NULL, 0));
        assert_bytes(vectors_hex(v, "MB"), mb, sizeof mb);
        psst_rsa_public_free(key);
    }
    assert_true(i > 0);
}

static void equal__tells__any_one_bit(void **state)
{
    (void)state;
    uint8_t a[32] = {0}, b[32] = {0};
    assert_true(psst_crypto_equal(a, b, sizeof a));
    assert_true(psst_crypto_equal(a, b, 0));
    for (size_t bit = 0; bit < 256; bit++) {
        b[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(psst_crypto_equal(a, b, sizeof a));
        b[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void *hash_in_thread(void *out)
{
    const struct psst_view abc = psst_view_str("abc");
    for (int i = 0; i < 200; i++)
        if (psst_sha256(out, &abc, 1) != PSST_OK) return NULL;
    return out;
}

static void contexts__are_apart__in_each_thread(void **state)
{
    (void)state;
    pthread_t threads[4];
    struct psst_hash out[4];
    for (size_t i = 0; i < 4; i++) assert_int_equal(0, pthread_create(&threads[i], NULL, hash_in_thread, &out[i]));
    for (size_t i = 0; i < 4; i++) {
        void *result = NULL;
        assert_int_equal(0, pthread_join(threads[i], &result));
        assert_non_null(result);
        assert_bytes(vectors_hex_digits("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"), out[i].b,
                     32);
    }
}

int main(void)
{
    /* without psst_crypto_init: everything must work by itself */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256__matches__fips_180_4),
        cmocka_unit_test(sha256__ignores__how_the_parts_are_cut),
        cmocka_unit_test(stream__goes_on__after_peek),
        cmocka_unit_test(hmac__matches__rfc_4231),
        cmocka_unit_test(hkdf__matches__rfc_5869),
        cmocka_unit_test(hkdf__takes__no_salt_as_zeros),
        cmocka_unit_test(hkdf__expands__a_key_in_its_own_place),
        cmocka_unit_test(hkdf__matches__the_vectors),
        cmocka_unit_test(mac_key__matches__the_vectors),
        cmocka_unit_test(equal__tells__any_one_bit),
        cmocka_unit_test(contexts__are_apart__in_each_thread),
    };
    return cmocka_run_group_tests_name("crypto/hash", tests, load, unload);
}
