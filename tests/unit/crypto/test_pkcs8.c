/* Private keys as PEM: every form that is read, every cost and damage that is refused (attack 41), what is written. The
 * files are made by keys/make.py. */
#include "support/check.h"
#include "support/vectors.h"

#include <stdio.h>

static const struct psst_view none;

static struct psst_view pass(void)
{
    return psst_view_str("correct horse");
}

static struct psst_view key_file(const char *name)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s.pem", PSST_TEST_KEYS_DIR, name);
    return vectors_read(path);
}

static const char *const readable[] = {
    "plain", "traditional", "traditional-aes", "scrypt", "pbkdf2", "pbkdf2-most", "pbkdf2-3des-sha1",
};
#define READABLE (sizeof readable / sizeof readable[0])

static bool is_plain(const char *name)
{
    return strcmp(name, "plain") == 0 || strcmp(name, "traditional") == 0;
}

static void read__opens__every_form(void **state)
{
    (void)state;
    struct psst_rsa_public *want = NULL;
    assert_ok(psst_rsa_public_import_pem(&want, key_file("plain-public"), NULL));
    for (size_t i = 0; i < READABLE; i++) {
        struct psst_rsa_private *key = NULL;
        struct psst_diag diag = {.text = ""};
        struct psst_view with = is_plain(readable[i]) ? none : pass();
        if (psst_rsa_private_from_pem(&key, key_file(readable[i]), with, &diag) != PSST_OK)
            fail_msg("%s: %s", readable[i], diag.text);
        assert_memory_equal(psst_rsa_public_fpr(want), psst_rsa_public_fpr(psst_rsa_private_public(key)), 32);
        assert_int_equal(!is_plain(readable[i]), psst_rsa_pem_is_encrypted(key_file(readable[i])));
        psst_rsa_private_free(key);
    }
    psst_rsa_public_free(want);
}

static void read__refuses__a_wrong_passphrase(void **state)
{
    (void)state;
    const struct psst_view wrong[] = {psst_view_str("correct horsf"), psst_view_str(""), none};
    for (size_t i = 0; i < READABLE; i++) {
        if (is_plain(readable[i])) continue;
        for (size_t k = 0; k < 3; k++) {
            struct psst_rsa_private *key = NULL;
            struct psst_diag diag = {.text = ""};
            assert_err(PSST_ERR_PASSPHRASE, psst_rsa_private_from_pem(&key, key_file(readable[i]), wrong[k], &diag));
            assert_null(key);
            assert_non_null(strstr(diag.text, "passphrase"));
        }
    }
}

static void read__says__what_is_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        enum psst_err err;
        const char *says;
    } cases[] = {
        {"scrypt-absurd-r", PSST_ERR_TOO_LONG, "scrypt"},
        {"scrypt-absurd-p", PSST_ERR_TOO_LONG, "scrypt"},
        {"scrypt-absurd-memory", PSST_ERR_TOO_LONG, "32 MiB"},
        {"scrypt-zero-r", PSST_ERR_MALFORMED, "damaged"},
        {"scrypt-odd-n", PSST_ERR_MALFORMED, "damaged"},
        {"scrypt-negative-n", PSST_ERR_MALFORMED, "damaged"},
        {"pbkdf2-absurd", PSST_ERR_TOO_LONG, "1,000,000"},
        {"pbkdf2-one-more", PSST_ERR_TOO_LONG, "1,000,000"},
        {"pbkdf2-zero", PSST_ERR_MALFORMED, "damaged"},
        {"pbkdf2-negative", PSST_ERR_MALFORMED, "damaged"},
        {"kdf-unknown", PSST_ERR_USAGE, "scrypt and PBKDF2"},
        {"pbes1", PSST_ERR_USAGE, "PBES2"},
        {"camellia", PSST_ERR_USAGE, "AES"},
        {"ec", PSST_ERR_BAD_KEY, "no plain RSA"},
        {"pss", PSST_ERR_BAD_KEY, "no plain RSA"},
        {"short-512", PSST_ERR_BAD_KEY, "512 bits"},
        {"short-1023", PSST_ERR_BAD_KEY, "1023 bits"},
        {"long-4098", PSST_ERR_BAD_KEY, "4098 bits"},
        {"small-e", PSST_ERR_BAD_KEY, "too small"},
        {"three-primes", PSST_ERR_BAD_KEY, "more than two primes"},
        {"bent-d", PSST_ERR_BAD_KEY, "does not match"},
        {"bent-p", PSST_ERR_BAD_KEY, "does not match"},
        {"bent-q", PSST_ERR_BAD_KEY, "does not match"},
        {"bent-dp", PSST_ERR_BAD_KEY, "does not match"},
        {"bent-dq", PSST_ERR_BAD_KEY, "does not match"},
        {"bent-qinv", PSST_ERR_BAD_KEY, "does not match"},
        {"plain-public", PSST_ERR_MALFORMED, "no private key"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct psst_rsa_private *key = NULL;
        struct psst_diag diag = {.text = ""};
        enum psst_err err = psst_rsa_private_from_pem(&key, key_file(cases[i].file), pass(), &diag);
        if (err != cases[i].err || strstr(diag.text, cases[i].says) == NULL)
            fail_msg("%s: %s: %s", cases[i].file, psst_err_name(err), diag.text);
        assert_null(key);
    }
}

/* A bent modulus or exponent may fail earlier, by its own checks. */
static void read__refuses__a_bent_public_half(void **state)
{
    (void)state;
    static const char *const files[] = {"bent-n", "bent-e"};
    for (size_t i = 0; i < 2; i++) {
        struct psst_rsa_private *key = NULL;
        struct psst_diag diag = {.text = ""};
        assert_err(PSST_ERR_BAD_KEY, psst_rsa_private_from_pem(&key, key_file(files[i]), none, &diag));
        assert_null(key);
        assert_true(strlen(diag.text) > 20);
    }
}

static void read__refuses__single_des(void **state)
{
    (void)state;
    struct psst_rsa_private *key = NULL;
    enum psst_err err = psst_rsa_private_from_pem(&key, key_file("traditional-des"), pass(), NULL);
    assert_true(err == PSST_ERR_PASSPHRASE || err == PSST_ERR_USAGE);
    assert_null(key);
}

static void read__refuses__every_truncation(void **state)
{
    (void)state;
    for (size_t i = 0; i < READABLE; i++) {
        struct psst_view pem = key_file(readable[i]);
        for (size_t len = 0; len + 2 < pem.len; len += 7) {
            struct psst_rsa_private *key = NULL;
            assert_err(PSST_ERR_MALFORMED, psst_rsa_private_from_pem(&key, psst_view(pem.data, len), pass(), NULL));
            assert_null(key);
        }
    }
}

static void read__bounds__its_input(void **state)
{
    (void)state;
    static uint8_t huge[64 * 1024 + 1];
    static const uint8_t long_pass[1025];
    memset(huge, '-', sizeof huge);
    struct psst_rsa_private *key = NULL;
    assert_err(PSST_ERR_MALFORMED, psst_rsa_private_from_pem(&key, psst_view(huge, sizeof huge), none, NULL));
    assert_err(PSST_ERR_MALFORMED, psst_rsa_private_from_pem(&key, psst_view(huge, 64 * 1024), none, NULL));
    assert_err(PSST_ERR_MALFORMED, psst_rsa_private_from_pem(&key, none, none, NULL));
    assert_err(PSST_ERR_TOO_LONG,
               psst_rsa_private_from_pem(&key, key_file("plain"), psst_view(long_pass, sizeof long_pass), NULL));
    assert_false(psst_rsa_pem_is_encrypted(psst_view(huge, sizeof huge)));
    assert_false(psst_rsa_pem_is_encrypted(none));
}

static void read__takes__the_first_private_block(void **state)
{
    (void)state;
    struct psst_buf text;
    psst_buf_init(&text, 20000);
    psst_buf_put_str(&text, "my keys\n");
    psst_buf_put_view(&text, key_file("plain-public"));
    psst_buf_put_view(&text, key_file("plain"));
    psst_buf_put_view(&text, key_file("ec"));
    struct psst_rsa_private *key = NULL;
    assert_ok(psst_rsa_private_from_pem(&key, psst_buf_view(&text), none, NULL));
    psst_rsa_private_free(key);
    psst_buf_fini(&text);
}

static void write__gives__back_the_same_key(void **state)
{
    (void)state;
    /* a passphrase is bytes: NUL and what is no UTF-8 included */
    const struct psst_view passes[] = {none, psst_view_str("x"), psst_view("\0\xff\n", 3), psst_view("", 0)};
    struct psst_rsa_private *key = vectors_private_key("odd1031");
    for (size_t i = 0; i < 4; i++) {
        struct psst_buf pem;
        psst_buf_init(&pem, 16384);
        assert_ok(psst_rsa_private_to_pem(key, passes[i], &pem));
        const char *first =
            passes[i].data == NULL ? "-----BEGIN PRIVATE KEY-----" : "-----BEGIN ENCRYPTED PRIVATE KEY-----";
        assert_memory_equal(first, pem.data, strlen(first));
        assert_int_equal(passes[i].data != NULL, psst_rsa_pem_is_encrypted(psst_buf_view(&pem)));
        struct psst_rsa_private *again = NULL;
        assert_ok(psst_rsa_private_from_pem(&again, psst_buf_view(&pem), passes[i], NULL));
        assert_memory_equal(psst_rsa_public_fpr(psst_rsa_private_public(key)),
                            psst_rsa_public_fpr(psst_rsa_private_public(again)), 32);
        psst_rsa_private_free(again);
        psst_buf_fini(&pem);
    }
    psst_rsa_private_free(key);
}

static void write__fails__when_there_is_no_room(void **state)
{
    (void)state;
    struct psst_rsa_private *key = vectors_private_key("a1024");
    struct psst_buf pem;
    psst_buf_init(&pem, 200);
    assert_err(PSST_ERR_TOO_LONG, psst_rsa_private_to_pem(key, none, &pem));
    assert_int_equal(0, pem.len);
    psst_buf_fini(&pem);
    psst_rsa_private_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(read__opens__every_form),         cmocka_unit_test(read__refuses__a_wrong_passphrase),
        cmocka_unit_test(read__says__what_is_wrong),       cmocka_unit_test(read__refuses__a_bent_public_half),
        cmocka_unit_test(read__refuses__single_des),       cmocka_unit_test(read__refuses__every_truncation),
        cmocka_unit_test(read__bounds__its_input),         cmocka_unit_test(read__takes__the_first_private_block),
        cmocka_unit_test(write__gives__back_the_same_key), cmocka_unit_test(write__fails__when_there_is_no_room),
    };
    return cmocka_run_group_tests_name("crypto/pkcs8", tests, NULL, NULL);
}
