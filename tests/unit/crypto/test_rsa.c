/* RSA public keys: fingerprints, the one encoding, what is refused and with which words (attack 40). */
#include "support/check.h"
#include "support/vectors.h"

#include <pthread.h>
#include <stdio.h>

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

static struct psst_view key_file(const char *name)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s.pem", PSST_TEST_KEYS_DIR, name);
    return vectors_read(path);
}

static void import__gives__the_fingerprints_of_the_vectors(void **state)
{
    (void)state;
    size_t i;
    json_t *v;
    json_array_foreach(vectors_array(root, "fingerprints"), i, v)
    {
        struct psst_rsa_public *key = vectors_public_key(vectors_str(v, "key"));
        assert_bytes(vectors_hex(v, "fpr"), psst_rsa_public_fpr(key)->b, 32);
        assert_int_equal(vectors_u64(v, "bits"), psst_rsa_public_bits(key));
        struct psst_hash h;
        struct psst_view spki = psst_rsa_public_spki(key);
        assert_true(spki.len < PSST_SPKI_MAX_LEN);
        assert_ok(psst_sha256(&h, &spki, 1));
        assert_bytes(vectors_hex(v, "fpr"), h.b, 32);
        psst_rsa_public_free(key);
    }
    assert_int_equal(11, i);
}

static void to_pem__is__what_openssl_writes(void **state)
{
    (void)state;
    size_t i;
    json_t *v;
    json_array_foreach(vectors_array(root, "fingerprints"), i, v)
    {
        char path[64];
        (void)snprintf(path, sizeof path, "keys/%s.pub.pem", vectors_str(v, "key"));
        struct psst_rsa_public *key = vectors_public_key(vectors_str(v, "key"));
        struct psst_buf pem;
        psst_buf_init(&pem, 4096);
        assert_ok(psst_rsa_public_to_pem(key, &pem));
        assert_bytes(vectors_file(path), pem.data, pem.len);
        psst_buf_fini(&pem);
        psst_buf_init(&pem, 100);
        assert_err(PSST_ERR_TOO_LONG, psst_rsa_public_to_pem(key, &pem));
        assert_int_equal(0, pem.len);
        psst_buf_fini(&pem);
        psst_rsa_public_free(key);
    }
}

static void load__takes__our_own_encoding(void **state)
{
    (void)state;
    struct psst_rsa_public *key = vectors_public_key("wide-e2048"), *again = NULL;
    assert_ok(psst_rsa_public_load(&again, psst_rsa_public_spki(key)));
    assert_memory_equal(psst_rsa_public_fpr(key), psst_rsa_public_fpr(again), 32);
    psst_rsa_public_free(key);
    psst_rsa_public_free(again);
}

static void from_numbers__refuses__what_the_vectors_refuse(void **state)
{
    (void)state;
    size_t i;
    json_t *v;
    json_array_foreach(vectors_array(root, "public_key_refused"), i, v)
    {
        struct psst_rsa_public *key = NULL;
        struct psst_diag diag = {.text = ""};
        assert_err(PSST_ERR_BAD_KEY,
                   psst_rsa_public_from_numbers(&key, vectors_hex(v, "n"), vectors_hex(v, "e"), &diag));
        assert_null(key);
        assert_true(strlen(diag.text) > 20);
    }
    assert_int_equal(7, i);
}

struct number_case {
    size_t n_len;
    uint8_t n_first, n_last;
    const char *e;
    size_t e_len;
    const char *says;
};

static void from_numbers__says__what_is_wrong(void **state)
{
    (void)state;
    /* odd, of the right size, but a multiple of 3 (all bytes are 0xff): only the slow check sees it */
    static const struct number_case cases[] = {
        {127, 0xff, 0xff, "\x01\x00\x01", 3, "1016 bits"},
        {128, 0x7f, 0xff, "\x01\x00\x01", 3, "1023 bits"},
        {513, 0x01, 0xff, "\x01\x00\x01", 3, "4097 bits"},
        {4097, 0xff, 0xff, "\x01\x00\x01", 3, "too long"},
        {128, 0xff, 0xfe, "\x01\x00\x01", 3, "modulus is even"},
        {128, 0xff, 0xff, "\x01\x00\x02", 3, "exponent is even"},
        {128, 0xff, 0xff, "\xff\xff", 2, "too small"},
        {128, 0xff, 0xff, "", 0, "exponent is even"},
        {128, 0xff, 0xff, "\x01\x00\x00\x00\x00\x00\x00\x00\x01", 9, "64 bits"},
        {128, 0xff, 0xff, "\x01\x00\x01", 3, "factor"},
        {128, 0xff, 0xff, "\xff\xff\xff\xff\xff\xff\xff\xff", 8, "factor"},
        {0, 0, 0, "\x01\x00\x01", 3, "0 bits"},
    };
    static uint8_t n[4097];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct number_case *c = &cases[i];
        memset(n, 0xff, sizeof n);
        n[0] = c->n_first;
        if (c->n_len > 0) n[c->n_len - 1] = c->n_last;
        struct psst_rsa_public *key = NULL;
        struct psst_diag diag = {.text = ""};
        assert_err(PSST_ERR_BAD_KEY,
                   psst_rsa_public_from_numbers(&key, psst_view(n, c->n_len), psst_view(c->e, c->e_len), &diag));
        if (strstr(diag.text, c->says) == NULL) fail_msg("case %zu says: %s", i, diag.text);
    }
}

static void from_numbers__takes__leading_zeros(void **state)
{
    (void)state;
    /* the modulus of b1024, taken from its encoding: SEQUENCE, INTEGER of 129 bytes whose first is zero */
    struct psst_rsa_public *key = vectors_public_key("b1024"), *again = NULL;
    struct psst_view spki = psst_rsa_public_spki(key);
    uint8_t n[200] = {0};
    const uint8_t e[] = {0, 0, 1, 0, 1};
    memcpy(n + 72, spki.data + 29, 128);
    assert_ok(psst_rsa_public_from_numbers(&again, psst_view(n, 200), psst_view(e, sizeof e), NULL));
    assert_memory_equal(psst_rsa_public_fpr(key), psst_rsa_public_fpr(again), 32);
    psst_rsa_public_free(key);
    psst_rsa_public_free(again);
}

static void import__refuses__other_keys(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        enum psst_err err;
        const char *says;
    } cases[] = {
        {"ec-public", PSST_ERR_BAD_KEY, "no RSA key"},
        {"pss-public", PSST_ERR_BAD_KEY, "RSA-PSS"},
        {"public-odd-parameters", PSST_ERR_BAD_KEY, "parameters"},
        {"public-trailing", PSST_ERR_MALFORMED, "does not parse"},
        {"plain", PSST_ERR_MALFORMED, "private key"},
        {"traditional-aes", PSST_ERR_MALFORMED, "private key"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct psst_rsa_public *key = NULL;
        struct psst_diag diag = {.text = ""};
        assert_err(cases[i].err, psst_rsa_public_import_pem(&key, key_file(cases[i].file), &diag));
        assert_null(key);
        if (strstr(diag.text, cases[i].says) == NULL) fail_msg("%s says: %s", cases[i].file, diag.text);
    }
}

static void import__makes__one_encoding_of_absent_parameters(void **state)
{
    (void)state;
    struct psst_rsa_public *with = NULL, *without = NULL;
    assert_ok(psst_rsa_public_import_pem(&with, key_file("plain-public"), NULL));
    assert_ok(psst_rsa_public_import_pem(&without, key_file("public-no-null"), NULL));
    assert_true(psst_view_equal(psst_rsa_public_spki(with), psst_rsa_public_spki(without)));
    psst_rsa_public_free(with);
    psst_rsa_public_free(without);
}

static void import__finds__the_block_in_any_text(void **state)
{
    (void)state;
    struct psst_buf text;
    struct psst_rsa_public *key = NULL, *want = vectors_public_key("a2048");
    psst_buf_init(&text, 20000);
    psst_buf_put_str(&text, "Hello,\n\nhere is my key -----BEGIN nothing\n");
    psst_buf_put_view(&text, key_file("ec"));
    psst_buf_put_view(&text, vectors_file("keys/a2048.pub.pem"));
    psst_buf_put_view(&text, vectors_file("keys/b2048.pub.pem"));
    psst_buf_put_str(&text, "bye");
    assert_ok(psst_rsa_public_import_pem(&key, psst_buf_view(&text), NULL));
    assert_memory_equal(psst_rsa_public_fpr(want), psst_rsa_public_fpr(key), 32);
    psst_rsa_public_free(key);
    psst_rsa_public_free(want);
    psst_buf_fini(&text);
}

static void import__refuses__every_truncation(void **state)
{
    (void)state;
    struct psst_view pem = key_file("plain-public");
    struct psst_rsa_public *key = NULL, *whole = NULL;
    assert_ok(psst_rsa_public_import_pem(&whole, pem, NULL));
    for (size_t len = 0; len + 2 < pem.len; len++) /* the last dash and the line feed are not missed */
        if (psst_rsa_public_import_pem(&key, psst_view(pem.data, len), NULL) == PSST_OK) fail_msg("at %zu", len);
    struct psst_view spki = psst_rsa_public_spki(whole);
    for (size_t len = 0; len < spki.len; len++)
        assert_err(PSST_ERR_MALFORMED, psst_rsa_public_load(&key, psst_view(spki.data, len)));
    assert_null(key);
    psst_rsa_public_free(whole);
}

static void import__bounds__its_input(void **state)
{
    (void)state;
    static uint8_t huge[65 * 1024];
    struct psst_rsa_public *key = NULL;
    memset(huge, 'A', sizeof huge);
    assert_err(PSST_ERR_MALFORMED, psst_rsa_public_import_pem(&key, psst_view(huge, sizeof huge), NULL));
    assert_err(PSST_ERR_MALFORMED, psst_rsa_public_import(&key, psst_view(huge, sizeof huge), NULL));
    assert_err(PSST_ERR_MALFORMED, psst_rsa_public_import(&key, psst_view(huge, 1000), NULL));
    assert_err(PSST_ERR_MALFORMED, psst_rsa_public_import_pem(&key, psst_view(NULL, 0), NULL));
}

static void *use_key(void *arg)
{
    struct psst_rsa_public *key = psst_rsa_public_ref(arg);
    const uint8_t z = 7, r = 1;
    uint8_t x[PSST_KEM_LEN];
    struct psst_kem_secret secret;
    enum psst_err err = PSST_OK;
    for (int i = 0; i < 50 && err == PSST_OK; i++)
        err = psst_kem_encapsulate_with(key, psst_view(&z, 1), psst_view(&r, 1), x, &secret);
    psst_rsa_public_free(key);
    return err == PSST_OK ? arg : NULL;
}

static void key__is_used__by_many_threads(void **state)
{
    (void)state;
    struct psst_rsa_public *key = vectors_public_key("b1024");
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++) assert_int_equal(0, pthread_create(&threads[i], NULL, use_key, key));
    for (size_t i = 0; i < 4; i++) {
        void *result = NULL;
        assert_int_equal(0, pthread_join(threads[i], &result));
        assert_ptr_equal(key, result);
    }
    psst_rsa_public_free(key);
    psst_rsa_public_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(import__gives__the_fingerprints_of_the_vectors),
        cmocka_unit_test(to_pem__is__what_openssl_writes),
        cmocka_unit_test(load__takes__our_own_encoding),
        cmocka_unit_test(from_numbers__refuses__what_the_vectors_refuse),
        cmocka_unit_test(from_numbers__says__what_is_wrong),
        cmocka_unit_test(from_numbers__takes__leading_zeros),
        cmocka_unit_test(import__refuses__other_keys),
        cmocka_unit_test(import__makes__one_encoding_of_absent_parameters),
        cmocka_unit_test(import__finds__the_block_in_any_text),
        cmocka_unit_test(import__refuses__every_truncation),
        cmocka_unit_test(import__bounds__its_input),
        cmocka_unit_test(key__is_used__by_many_threads),
    };
    return cmocka_run_group_tests_name("crypto/rsa", tests, load, unload);
}
