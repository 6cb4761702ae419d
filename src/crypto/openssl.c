/* Start-up, each thread's contexts, randomness, SHA-256, HMAC, HKDF.
 *
 * Contexts are expensive to make and cheap to use again, so each thread keeps one of a kind. A context that is put down
 * is given zeros as its next input first: a key that its owner erased must not live on in here. */
#include "crypto/openssl_internal.h"

#include "crypto/selftest.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdlib.h>

#define HMAC_LEN 32

static const uint8_t zeros[32];

/* ---- start-up ---- */

static pthread_once_t fetched_once = PTHREAD_ONCE_INIT;
static struct {
    EVP_MD *sha256;
    EVP_MAC *hmac;
    EVP_CIPHER *chacha;
    pthread_key_t at_thread_end;
    bool ok;
} algs;

static _Thread_local struct psst_ossl_thread *mine;

static void thread_free(void *ctx)
{
    struct psst_ossl_thread *t = ctx;
    if (t == NULL) return;
    EVP_MD_CTX_free(t->sha256);
    EVP_MAC_CTX_free(t->hmac);
    EVP_CIPHER_CTX_free(t->seal);
    EVP_CIPHER_CTX_free(t->open);
    EVP_PKEY_CTX_free(t->x25519);
    BN_CTX_free(t->bn);
    free(t);
    mine = NULL;
}

static void fetch(void)
{
    /* without the system's openssl.cnf: what a file there adds or forbids must not change what we can speak */
    if (OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1) return;
    algs.sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    algs.hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    algs.chacha = EVP_CIPHER_fetch(NULL, "ChaCha20-Poly1305", NULL);
    if (pthread_key_create(&algs.at_thread_end, thread_free) != 0) return;
    algs.ok = algs.sha256 != NULL && algs.hmac != NULL && algs.chacha != NULL;
}

static bool thread_fill(struct psst_ossl_thread *t)
{
    char digest[] = "SHA256";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    t->sha256 = EVP_MD_CTX_new();
    t->hmac = EVP_MAC_CTX_new(algs.hmac);
    t->seal = EVP_CIPHER_CTX_new();
    t->open = EVP_CIPHER_CTX_new();
    t->x25519 = EVP_PKEY_CTX_new_from_name(NULL, "X25519", NULL);
    t->bn = BN_CTX_new();
    return t->sha256 != NULL && t->hmac != NULL && t->seal != NULL && t->open != NULL && t->x25519 != NULL &&
           t->bn != NULL && EVP_PKEY_fromdata_init(t->x25519) == 1 &&
           EVP_DigestInit_ex2(t->sha256, algs.sha256, NULL) == 1 &&
           EVP_MAC_init(t->hmac, zeros, sizeof zeros, params) == 1 &&
           EVP_EncryptInit_ex2(t->seal, algs.chacha, NULL, NULL, NULL) == 1 &&
           EVP_DecryptInit_ex2(t->open, algs.chacha, NULL, NULL, NULL) == 1;
}

struct psst_ossl_thread *psst_ossl_thread(void)
{
    if (mine != NULL) return mine;
    (void)pthread_once(&fetched_once, fetch);
    if (!algs.ok) return NULL;
    struct psst_ossl_thread *t = calloc(1, sizeof *t);
    if (t == NULL) return NULL;
    if (!thread_fill(t) || pthread_setspecific(algs.at_thread_end, t) != 0) {
        thread_free(t);
        ERR_clear_error();
        return NULL;
    }
    mine = t;
    return t;
}

enum psst_err psst_ossl_fail(enum psst_err err)
{
    ERR_clear_error();
    return err;
}

enum psst_err psst_crypto_init(size_t secure_heap_bytes)
{
    (void)pthread_once(&fetched_once, fetch);
    if (!algs.ok) return psst_ossl_fail(PSST_ERR_INTERNAL);
    /* 2 means that the pages could not be locked: the limit on locked memory is not ours to raise, so go on */
    if (secure_heap_bytes != 0 && CRYPTO_secure_malloc_initialized() == 0 &&
        CRYPTO_secure_malloc_init(secure_heap_bytes, 32) == 0)
        return psst_ossl_fail(PSST_ERR_INTERNAL);
    return psst_crypto_selftest();
}

/* ---- randomness ---- */

static void fill_private(void *ctx, uint8_t *out, size_t len)
{
    (void)ctx;
    /* without randomness every promise is void: no caller could do anything better */
    if (RAND_priv_bytes_ex(NULL, out, len, 256) != 1) abort();
}

const struct psst_rng psst_crypto_rng = {.fill = fill_private};

/* ---- hash ---- */

enum psst_err psst_sha256(struct psst_hash *out, const struct psst_view *parts, size_t n)
{
    struct psst_ossl_thread *t = psst_ossl_thread();
    if (t == NULL) return PSST_ERR_INTERNAL;
    uint8_t digest[32];
    int ok = EVP_DigestInit_ex2(t->sha256, NULL, NULL);
    for (size_t i = 0; i < n && ok == 1; i++)
        if (parts[i].len > 0) ok = EVP_DigestUpdate(t->sha256, parts[i].data, parts[i].len);
    if (ok == 1) ok = EVP_DigestFinal_ex(t->sha256, digest, NULL);
    (void)EVP_DigestInit_ex2(t->sha256, NULL, NULL);
    if (ok == 1) memcpy(out->b, digest, sizeof digest);
    PSST_WIPE(digest);
    return ok == 1 ? PSST_OK : psst_ossl_fail(PSST_ERR_INTERNAL);
}

struct psst_sha256_stream {
    EVP_MD_CTX *ctx;
    EVP_MD_CTX *peek; /* a copy is finished here, so that ctx goes on */
};

struct psst_sha256_stream *psst_sha256_stream_new(void)
{
    if (psst_ossl_thread() == NULL) return NULL;
    struct psst_sha256_stream *s = calloc(1, sizeof *s);
    if (s == NULL) return NULL;
    s->ctx = EVP_MD_CTX_new();
    s->peek = EVP_MD_CTX_new();
    if (s->ctx == NULL || s->peek == NULL || EVP_DigestInit_ex2(s->ctx, algs.sha256, NULL) != 1) {
        psst_sha256_stream_free(s);
        ERR_clear_error();
        return NULL;
    }
    return s;
}

void psst_sha256_stream_free(struct psst_sha256_stream *s)
{
    if (s == NULL) return;
    EVP_MD_CTX_free(s->ctx);
    EVP_MD_CTX_free(s->peek);
    free(s);
}

enum psst_err psst_sha256_stream_update(struct psst_sha256_stream *s, struct psst_view data)
{
    if (data.len == 0) return PSST_OK;
    return EVP_DigestUpdate(s->ctx, data.data, data.len) == 1 ? PSST_OK : psst_ossl_fail(PSST_ERR_INTERNAL);
}

enum psst_err psst_sha256_stream_peek(const struct psst_sha256_stream *s, struct psst_hash *out)
{
    struct psst_hash digest;
    if (EVP_MD_CTX_copy_ex(s->peek, s->ctx) != 1 || EVP_DigestFinal_ex(s->peek, digest.b, NULL) != 1)
        return psst_ossl_fail(PSST_ERR_INTERNAL);
    *out = digest;
    return PSST_OK;
}

/* ---- HMAC and HKDF ---- */

/* out is written on success only, and may be one of the inputs. */
static enum psst_err hmac(uint8_t out[HMAC_LEN], struct psst_view key, const struct psst_view *parts, size_t n,
                          struct psst_view last)
{
    struct psst_ossl_thread *t = psst_ossl_thread();
    if (t == NULL) return PSST_ERR_INTERNAL;
    /* libcrypto takes a NULL key for "the same as before"; no key and zero bytes of key are the same to HMAC */
    if (key.data == NULL) key = psst_view(zeros, 0);
    uint8_t mac[HMAC_LEN];
    size_t len = 0;
    int ok = EVP_MAC_init(t->hmac, key.data, key.len, NULL);
    for (size_t i = 0; i < n && ok == 1; i++)
        if (parts[i].len > 0) ok = EVP_MAC_update(t->hmac, parts[i].data, parts[i].len);
    if (ok == 1 && last.len > 0) ok = EVP_MAC_update(t->hmac, last.data, last.len);
    if (ok == 1) ok = EVP_MAC_final(t->hmac, mac, &len, sizeof mac);
    (void)EVP_MAC_init(t->hmac, zeros, sizeof zeros, NULL);
    if (ok == 1 && len == sizeof mac) memcpy(out, mac, sizeof mac);
    PSST_WIPE(mac);
    return ok == 1 && len == sizeof mac ? PSST_OK : psst_ossl_fail(PSST_ERR_INTERNAL);
}

enum psst_err psst_hmac(uint8_t out[32], const uint8_t key[32], const struct psst_view *parts, size_t n)
{
    return hmac(out, psst_view(key, 32), parts, n, psst_view(NULL, 0));
}

enum psst_err psst_hkdf_extract(uint8_t prk[32], struct psst_view salt, const struct psst_view *ikm, size_t n)
{
    return hmac(prk, salt, ikm, n, psst_view(NULL, 0));
}

/* RFC 5869, 2.3, for L = HashLen: T(1) = HMAC(PRK, info || 0x01) is all there is. */
enum psst_err psst_hkdf_expand(uint8_t okm[32], const uint8_t prk[32], const struct psst_view *info, size_t n)
{
    static const uint8_t counter = 1;
    return hmac(okm, psst_view(prk, 32), info, n, psst_view(&counter, 1));
}

bool psst_crypto_equal(const uint8_t *a, const uint8_t *b, size_t len)
{
    return CRYPTO_memcmp(a, b, len) == 0;
}
