/* RSA private keys: generation, the checks that every one passes, and its end. */
#include "crypto/openssl_internal.h"

#include <openssl/core_names.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <time.h>

#define PROGRESS_EVERY_NS 100000000

/* ---- checks ---- */

/* Before any arithmetic: numbers that could keep the checks busy for hours, or that no RSA key holds. */
static bool numbers_bounded(const EVP_PKEY *pkey, const struct psst_rsa_public *pub)
{
    static const char *const names[] = {
        OSSL_PKEY_PARAM_RSA_D,         OSSL_PKEY_PARAM_RSA_FACTOR1,   OSSL_PKEY_PARAM_RSA_FACTOR2,
        OSSL_PKEY_PARAM_RSA_EXPONENT1, OSSL_PKEY_PARAM_RSA_EXPONENT2, OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
    };
    bool ok = true;
    for (size_t i = 0; i < sizeof names / sizeof names[0] && ok; i++) {
        BIGNUM *v = BN_secure_new();
        ok = v != NULL && EVP_PKEY_get_bn_param(pkey, names[i], &v) == 1 && !BN_is_negative(v) && !BN_is_zero(v) &&
             BN_num_bits(v) <= (int)pub->bits;
        BN_clear_free(v);
    }
    return ok;
}

/* A third prime would have to be bounded and checked too, and no key that people have holds one. */
static bool two_primes(const EVP_PKEY *pkey)
{
    BIGNUM *third = NULL;
    bool two = EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_FACTOR3, &third) != 1;
    BN_clear_free(third);
    return two;
}

/* Every relation between the numbers, and that the factors are primes: 0.3 s at 4096 bits. */
static bool consistent(EVP_PKEY *pkey)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    bool ok = ctx != NULL && EVP_PKEY_pairwise_check(ctx) == 1;
    EVP_PKEY_CTX_free(ctx);
    return ok;
}

/* What goes in through the public half comes out through the private one. */
static bool works(const struct psst_rsa_private *key)
{
    static const uint8_t z[] = "any number that is not 0 or 1 will do";
    static const uint8_t r[] = {1};
    uint8_t x[PSST_KEM_LEN];
    struct psst_kem_secret there, back;
    bool ok =
        psst_kem_encapsulate_with(key->pub, psst_view(z, sizeof z), psst_view(r, sizeof r), x, &there) == PSST_OK &&
        psst_kem_decapsulate(key, "z", x, &back) == PSST_OK && psst_crypto_equal(there.b, back.b, sizeof there.b);
    PSST_WIPE(there);
    PSST_WIPE(back);
    return ok;
}

enum psst_err psst_ossl_private_new(struct psst_rsa_private **out, EVP_PKEY *pkey, struct psst_diag *diag)
{
    struct psst_rsa_private *key = calloc(1, sizeof *key);
    if (key == NULL) {
        EVP_PKEY_free(pkey);
        return PSST_ERR_MEMORY;
    }
    key->key.pkey = pkey;
    enum psst_err err = psst_ossl_public_of(&key->pub, pkey, PSST_OSSL_FULL, diag);
    if (err == PSST_OK && !two_primes(pkey))
        err = psst_fail(diag, PSST_ERR_BAD_KEY, "This RSA key has more than two primes; PSST takes keys of two.");
    if (err == PSST_OK && !(numbers_bounded(pkey, key->pub) && consistent(pkey) && works(key)))
        err = psst_fail(diag, PSST_ERR_BAD_KEY,
                        "The private key does not match its public half: the file is damaged, or was made wrong.");
    if (err != PSST_OK) {
        psst_rsa_private_free(key);
        return psst_ossl_fail(err);
    }
    *out = key;
    return PSST_OK;
}

void psst_rsa_private_free(struct psst_rsa_private *key)
{
    if (key == NULL) return;
    psst_ossl_pkey_fini(&key->key); /* libcrypto clears the numbers */
    psst_rsa_public_free(key->pub);
    free(key);
}

const struct psst_rsa_public *psst_rsa_private_public(const struct psst_rsa_private *key)
{
    return key->pub;
}

/* ---- generation ---- */

struct search {
    psst_keygen_progress *progress;
    void *ctx;
    unsigned candidates;
    uint64_t told_ns;
    bool given_up;
};

static uint64_t now_ns(void)
{
    struct timespec ts;
    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * UINT64_C(1000000000) + (uint64_t)ts.tv_nsec;
}

static int on_candidate(EVP_PKEY_CTX *ctx)
{
    struct search *s = EVP_PKEY_CTX_get_app_data(ctx);
    if (EVP_PKEY_CTX_get_keygen_info(ctx, 0) == 0) s->candidates++; /* 0: another candidate was drawn */
    uint64_t now = now_ns();
    if (!s->given_up && s->progress != NULL && now - s->told_ns >= PROGRESS_EVERY_NS) {
        s->told_ns = now;
        s->given_up = !s->progress(s->ctx, s->candidates);
    }
    return s->given_up ? 0 : 1;
}

enum psst_err psst_rsa_generate(struct psst_rsa_private **out, unsigned bits, psst_keygen_progress *progress, void *ctx,
                                struct psst_diag *diag)
{
    if (psst_ossl_thread() == NULL) return PSST_ERR_INTERNAL;
    if (bits < PSST_RSA_MIN_BITS || bits > PSST_RSA_MAX_BITS || bits % 256 != 0)
        return psst_fail(diag, PSST_ERR_USAGE, "A key can have %d to %d bits, in steps of 256; not %u.",
                         PSST_RSA_MIN_BITS, PSST_RSA_MAX_BITS, bits);
    struct search search = {.progress = progress, .ctx = ctx, .told_ns = now_ns()};
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *gen = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    bool made = gen != NULL && EVP_PKEY_keygen_init(gen) == 1 && EVP_PKEY_CTX_set_rsa_keygen_bits(gen, (int)bits) == 1;
    if (made) {
        EVP_PKEY_CTX_set_app_data(gen, &search);
        EVP_PKEY_CTX_set_cb(gen, on_candidate);
        made = EVP_PKEY_generate(gen, &pkey) == 1;
    }
    EVP_PKEY_CTX_free(gen);
    if (search.given_up) { /* libcrypto does not ask back everywhere: it may have found one all the same */
        EVP_PKEY_free(pkey);
        return psst_ossl_fail(PSST_ERR_AGAIN);
    }
    if (!made) return psst_ossl_fail(PSST_ERR_INTERNAL);
    return psst_ossl_private_new(out, pkey, diag);
}
