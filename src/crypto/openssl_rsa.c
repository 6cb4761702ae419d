/* RSA public keys: import with all its checks, the one encoding, PEM; and the raw operation that both halves use. */
#include "crypto/openssl_internal.h"

#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>

#define PEM_MAX_LEN  (64u * 1024)
#define MIN_EXPONENT 65537u
/* Numbers longer than this many bytes are not even converted. */
#define NUMBER_MAX_LEN 4096

/* ---- the raw operation ---- */

static EVP_PKEY_CTX *take_ctx(struct psst_ossl_pkey *key, enum psst_ossl_op op)
{
    EVP_PKEY_CTX *ctx = atomic_exchange(&key->idle, NULL);
    if (ctx != NULL) return ctx;
    ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
    if (ctx == NULL) return NULL;
    int ok = op == PSST_OSSL_ENCRYPT ? EVP_PKEY_encrypt_init(ctx) : EVP_PKEY_decrypt_init(ctx);
    if (ok == 1 && EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING) == 1) return ctx;
    EVP_PKEY_CTX_free(ctx);
    return NULL;
}

static void put_ctx(struct psst_ossl_pkey *key, EVP_PKEY_CTX *ctx)
{
    EVP_PKEY_CTX_free(atomic_exchange(&key->idle, ctx));
}

enum psst_err psst_ossl_raw_rsa(struct psst_ossl_pkey *key, enum psst_ossl_op op, uint8_t *out, const uint8_t *in,
                                size_t len)
{
    EVP_PKEY_CTX *ctx = take_ctx(key, op);
    if (ctx == NULL) return psst_ossl_fail(PSST_ERR_INTERNAL);
    size_t got = len;
    int ok =
        op == PSST_OSSL_ENCRYPT ? EVP_PKEY_encrypt(ctx, out, &got, in, len) : EVP_PKEY_decrypt(ctx, out, &got, in, len);
    if (ok != 1 || got != len) {
        EVP_PKEY_CTX_free(ctx);
        return psst_ossl_fail(PSST_ERR_INTERNAL);
    }
    put_ctx(key, ctx);
    return PSST_OK;
}

void psst_ossl_pkey_fini(struct psst_ossl_pkey *key)
{
    EVP_PKEY_CTX_free(atomic_exchange(&key->idle, NULL));
    EVP_PKEY_free(key->pkey);
    key->pkey = NULL;
}

/* ---- checks ---- */

static enum psst_err check_numbers(const BIGNUM *n, const BIGNUM *e, struct psst_diag *diag)
{
    int bits = BN_num_bits(n);
    if (BN_is_negative(n) || bits < PSST_RSA_MIN_BITS || bits > PSST_RSA_MAX_BITS)
        return psst_fail(diag, PSST_ERR_BAD_KEY, "This RSA key has %d bits; PSST takes %d to %d bits.", bits,
                         PSST_RSA_MIN_BITS, PSST_RSA_MAX_BITS);
    if (!BN_is_odd(n)) return psst_fail(diag, PSST_ERR_BAD_KEY, "This is no sound RSA key: its modulus is even.");
    if (BN_is_negative(e) || BN_num_bits(e) > 64)
        return psst_fail(diag, PSST_ERR_BAD_KEY, "This RSA key's public exponent has more than 64 bits.");
    if (!BN_is_odd(e))
        return psst_fail(diag, PSST_ERR_BAD_KEY, "This is no sound RSA key: its public exponent is even.");
    if (BN_num_bits(e) < 17)
        return psst_fail(diag, PSST_ERR_BAD_KEY, "This RSA key's public exponent is too small: under %u.",
                         MIN_EXPONENT);
    return PSST_OK;
}

/* libcrypto's own check: no small factor, not a prime, not a power of one. */
static enum psst_err check_slowly(EVP_PKEY *pkey, struct psst_diag *diag)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    if (ctx == NULL) return psst_ossl_fail(PSST_ERR_INTERNAL);
    int ok = EVP_PKEY_public_check(ctx);
    EVP_PKEY_CTX_free(ctx);
    if (ok == 1) return PSST_OK;
    return psst_ossl_fail(psst_fail(diag, PSST_ERR_BAD_KEY,
                                    "This is no sound RSA key: its modulus is prime, a power of a prime, or has a "
                                    "small factor."));
}

/* ---- making one ---- */

static EVP_PKEY *pkey_of_numbers(const BIGNUM *n, const BIGNUM *e)
{
    EVP_PKEY *pkey = NULL;
    OSSL_PARAM *params = NULL;
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    if (build == NULL || ctx == NULL) goto out;
    if (OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) != 1) goto out;
    if (OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) != 1) goto out;
    params = OSSL_PARAM_BLD_to_param(build);
    if (params == NULL || EVP_PKEY_fromdata_init(ctx) != 1) goto out;
    if (EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1) {
        EVP_PKEY_free(pkey);
        pkey = NULL;
    }
out:
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    EVP_PKEY_CTX_free(ctx);
    return pkey;
}

/* The canonical encoding and its hash. */
static enum psst_err encode(struct psst_rsa_public *key)
{
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(key->key.pkey, &der);
    if (len <= 0 || (size_t)len > sizeof key->spki) {
        OPENSSL_free(der);
        return psst_ossl_fail(PSST_ERR_INTERNAL);
    }
    memcpy(key->spki, der, (size_t)len);
    key->spki_len = (size_t)len;
    OPENSSL_free(der);
    struct psst_hash hash;
    struct psst_view spki = psst_rsa_public_spki(key);
    enum psst_err err = psst_sha256(&hash, &spki, 1);
    memcpy(key->fpr.b, hash.b, sizeof hash.b);
    return err;
}

enum psst_err psst_ossl_public_new(struct psst_rsa_public **out, const BIGNUM *n, const BIGNUM *e,
                                   enum psst_ossl_check check, struct psst_diag *diag)
{
    enum psst_err err = check_numbers(n, e, diag);
    if (err != PSST_OK) return err;
    struct psst_rsa_public *key = calloc(1, sizeof *key);
    if (key == NULL) return PSST_ERR_MEMORY;
    atomic_init(&key->refs, 1);
    key->bits = (unsigned)BN_num_bits(n);
    key->len = (size_t)BN_num_bytes(n);
    key->n = BN_dup(n);
    key->key.pkey = pkey_of_numbers(n, e);
    err = key->n != NULL && key->key.pkey != NULL ? PSST_OK : psst_ossl_fail(PSST_ERR_INTERNAL);
    if (err == PSST_OK && check == PSST_OSSL_FULL) err = check_slowly(key->key.pkey, diag);
    if (err == PSST_OK) err = encode(key);
    if (err == PSST_OK) err = psst_ossl_kem_prepare(key);
    if (err != PSST_OK) {
        psst_rsa_public_free(key);
        return err;
    }
    *out = key;
    return PSST_OK;
}

enum psst_err psst_ossl_public_of(struct psst_rsa_public **out, const EVP_PKEY *pkey, enum psst_ossl_check check,
                                  struct psst_diag *diag)
{
    BIGNUM *n = NULL, *e = NULL;
    enum psst_err err = PSST_ERR_INTERNAL;
    if (EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &n) == 1 &&
        EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e) == 1)
        err = psst_ossl_public_new(out, n, e, check, diag);
    BN_free(n);
    BN_free(e);
    return err == PSST_OK ? PSST_OK : psst_ossl_fail(err);
}

/* ---- SubjectPublicKeyInfo ---- */

/* rsaEncryption and nothing else: a key bound to RSA-PSS is for signatures, and any parameter here would be ignored. */
static enum psst_err check_algorithm(const X509_PUBKEY *spki, struct psst_diag *diag)
{
    ASN1_OBJECT *oid = NULL;
    X509_ALGOR *alg = NULL;
    const void *value = NULL;
    int type = V_ASN1_UNDEF;
    if (X509_PUBKEY_get0_param(&oid, NULL, NULL, &alg, spki) != 1) return psst_ossl_fail(PSST_ERR_INTERNAL);
    X509_ALGOR_get0(NULL, &type, &value, alg);
    int nid = OBJ_obj2nid(oid);
    if (nid == NID_rsassaPss)
        return psst_fail(diag, PSST_ERR_BAD_KEY,
                         "This RSA key is for RSA-PSS signatures only; PSST needs a plain one.");
    if (nid != NID_rsaEncryption)
        return psst_fail(diag, PSST_ERR_BAD_KEY, "This is no RSA key; PSST knows people by RSA keys alone.");
    if (type != V_ASN1_NULL && type != V_ASN1_UNDEF)
        return psst_fail(diag, PSST_ERR_BAD_KEY, "This RSA key carries parameters that no RSA key has.");
    return PSST_OK;
}

static enum psst_err from_spki(struct psst_rsa_public **out, struct psst_view der, enum psst_ossl_check check,
                               struct psst_diag *diag)
{
    static const char malformed[] = "This is no public key: it does not parse.";
    if (psst_ossl_thread() == NULL) return PSST_ERR_INTERNAL;
    if (der.len == 0 || der.len > PEM_MAX_LEN) return psst_fail(diag, PSST_ERR_MALFORMED, malformed);
    const unsigned char *at = der.data;
    enum psst_err err;
    X509_PUBKEY *spki = d2i_X509_PUBKEY(NULL, &at, (long)der.len);
    if (spki == NULL || at != der.data + der.len) {
        err = psst_fail(diag, PSST_ERR_MALFORMED, malformed);
    } else {
        err = check_algorithm(spki, diag);
        const EVP_PKEY *pkey = err == PSST_OK ? X509_PUBKEY_get0(spki) : NULL; /* borrowed */
        if (err == PSST_OK && pkey == NULL) err = psst_fail(diag, PSST_ERR_MALFORMED, malformed);
        if (err == PSST_OK) err = psst_ossl_public_of(out, pkey, check, diag);
    }
    X509_PUBKEY_free(spki);
    return err == PSST_OK ? PSST_OK : psst_ossl_fail(err);
}

enum psst_err psst_rsa_public_import(struct psst_rsa_public **out, struct psst_view spki, struct psst_diag *diag)
{
    return from_spki(out, spki, PSST_OSSL_FULL, diag);
}

enum psst_err psst_rsa_public_load(struct psst_rsa_public **out, struct psst_view spki)
{
    return from_spki(out, spki, PSST_OSSL_QUICK, NULL);
}

enum psst_err psst_rsa_public_from_numbers(struct psst_rsa_public **out, struct psst_view n, struct psst_view e,
                                           struct psst_diag *diag)
{
    if (psst_ossl_thread() == NULL) return PSST_ERR_INTERNAL;
    if (n.len > NUMBER_MAX_LEN || e.len > NUMBER_MAX_LEN)
        return psst_fail(diag, PSST_ERR_BAD_KEY, "This RSA key's numbers are too long.");
    BIGNUM *bn_n = BN_bin2bn(n.data, (int)n.len, NULL);
    BIGNUM *bn_e = BN_bin2bn(e.data, (int)e.len, NULL);
    enum psst_err err = PSST_ERR_INTERNAL;
    if (bn_n != NULL && bn_e != NULL) err = psst_ossl_public_new(out, bn_n, bn_e, PSST_OSSL_FULL, diag);
    BN_free(bn_n);
    BN_free(bn_e);
    return err == PSST_OK ? PSST_OK : psst_ossl_fail(err);
}

/* ---- PEM ---- */

/* Gives the DER of the first "PUBLIC KEY" block, with OPENSSL_free; other blocks before it are passed over, but what they
 * were is told when there is no such block. */
static enum psst_err first_public_block(struct psst_view pem, unsigned char **der, long *len, struct psst_diag *diag)
{
    bool saw_private = false, saw_other = false;
    char *name = NULL, *header = NULL;
    if (pem.len == 0 || pem.len > PEM_MAX_LEN)
        return psst_fail(diag, PSST_ERR_MALFORMED, "No public key found: the text is empty or over 64 KiB.");
    BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.len);
    if (bio == NULL) return psst_ossl_fail(PSST_ERR_INTERNAL);
    while (PEM_read_bio(bio, &name, &header, der, len) == 1) {
        bool found = strcmp(name, "PUBLIC KEY") == 0;
        saw_private = saw_private || strstr(name, "PRIVATE KEY") != NULL;
        saw_other = true;
        OPENSSL_free(name);
        OPENSSL_free(header);
        if (found) {
            BIO_free(bio);
            return PSST_OK;
        }
        OPENSSL_clear_free(*der, (size_t)*len);
    }
    BIO_free(bio);
    ERR_clear_error();
    if (saw_private)
        return psst_fail(diag, PSST_ERR_MALFORMED, "This is a private key, not a public one: show it to nobody.");
    return psst_fail(diag, PSST_ERR_MALFORMED,
                     saw_other ? "There is PEM here, but no block named PUBLIC KEY." : "No public key found here.");
}

enum psst_err psst_rsa_public_import_pem(struct psst_rsa_public **out, struct psst_view pem, struct psst_diag *diag)
{
    if (psst_ossl_thread() == NULL) return PSST_ERR_INTERNAL;
    unsigned char *der = NULL;
    long len = 0;
    enum psst_err err = first_public_block(pem, &der, &len, diag);
    if (err != PSST_OK) return err;
    err = psst_rsa_public_import(out, psst_view(der, (size_t)len), diag);
    OPENSSL_free(der);
    return err;
}

enum psst_err psst_rsa_public_to_pem(const struct psst_rsa_public *key, struct psst_buf *out)
{
    BIO *bio = BIO_new(BIO_s_mem());
    if (bio == NULL) return psst_ossl_fail(PSST_ERR_INTERNAL);
    enum psst_err err = PSST_ERR_INTERNAL;
    char *text = NULL;
    if (PEM_write_bio(bio, "PUBLIC KEY", "", key->spki, (long)key->spki_len) > 0) {
        long len = BIO_get_mem_data(bio, &text);
        err = len > 0 ? psst_buf_reserve(out, (size_t)len) : PSST_ERR_INTERNAL;
        if (err == PSST_OK) psst_buf_put(out, text, (size_t)len);
    }
    BIO_free(bio);
    return err == PSST_OK ? PSST_OK : psst_ossl_fail(err);
}

/* ---- references and fields ---- */

struct psst_rsa_public *psst_rsa_public_ref(struct psst_rsa_public *key)
{
    atomic_fetch_add_explicit(&key->refs, 1, memory_order_relaxed);
    return key;
}

void psst_rsa_public_free(struct psst_rsa_public *key)
{
    if (key == NULL || atomic_fetch_sub_explicit(&key->refs, 1, memory_order_acq_rel) > 1) return;
    psst_ossl_pkey_fini(&key->key);
    BN_free(key->n);
    BN_free(key->c_max);
    free(key);
}

unsigned psst_rsa_public_bits(const struct psst_rsa_public *key)
{
    return key->bits;
}

const struct psst_fpr *psst_rsa_public_fpr(const struct psst_rsa_public *key)
{
    return &key->fpr;
}

struct psst_view psst_rsa_public_spki(const struct psst_rsa_public *key)
{
    return psst_view(key->spki, key->spki_len);
}
