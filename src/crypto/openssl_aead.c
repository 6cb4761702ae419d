/* ChaCha20-Poly1305. Records of 64 KiB are sealed and opened in place; one context a thread and direction is re-keyed for
 * each, which costs a fraction of making one. */
#include "crypto/openssl_internal.h"

/* Far over any record; libcrypto counts in int. */
#define MAX_LEN (1u << 30)

static const uint8_t no_key[PSST_KEY_LEN];

static void nonce_bytes(uint8_t out[12], uint64_t nonce)
{
    memset(out, 0, 4);
    psst_store_u64(out + 4, nonce);
}

/* Encrypts or decrypts len bytes, at most in two steps. On processors with AVX-512 libcrypto's Poly1305 takes a slower way
 * through everything it is given when that ends in an odd number of 64-byte blocks: a fifth of the time of a full record.
 * So a long input is cut there. */
static int update(EVP_CIPHER_CTX *ctx, uint8_t *out, const uint8_t *in, size_t len)
{
    int n = 0;
    size_t first = len < 1024 ? 0 : len & ~(size_t)127;
    if (first > 0 && EVP_CipherUpdate(ctx, out, &n, in, (int)first) != 1) return 0;
    if (first == len) return 1;
    return EVP_CipherUpdate(ctx, out + first, &n, in + first, (int)(len - first));
}

enum psst_err psst_aead_seal(uint8_t *out, const struct psst_aead_key *key, uint64_t nonce, struct psst_view ad,
                             struct psst_view plain)
{
    struct psst_ossl_thread *t = psst_ossl_thread();
    if (t == NULL) return PSST_ERR_INTERNAL;
    if (plain.len > MAX_LEN || ad.len > MAX_LEN) return PSST_ERR_USAGE;
    uint8_t iv[12];
    nonce_bytes(iv, nonce);
    int n = 0;
    int ok = EVP_EncryptInit_ex2(t->seal, NULL, key->b, iv, NULL);
    if (ok == 1 && ad.len > 0) ok = EVP_EncryptUpdate(t->seal, NULL, &n, ad.data, (int)ad.len);
    if (ok == 1) ok = update(t->seal, out, plain.data, plain.len);
    if (ok == 1) ok = EVP_EncryptFinal_ex(t->seal, out + plain.len, &n);
    if (ok == 1) ok = EVP_CIPHER_CTX_ctrl(t->seal, EVP_CTRL_AEAD_GET_TAG, PSST_TAG_LEN, out + plain.len);
    (void)EVP_EncryptInit_ex2(t->seal, NULL, no_key, NULL, NULL);
    return ok == 1 ? PSST_OK : psst_ossl_fail(PSST_ERR_INTERNAL);
}

enum psst_err psst_aead_open(uint8_t *out, const struct psst_aead_key *key, uint64_t nonce, struct psst_view ad,
                             struct psst_view sealed)
{
    struct psst_ossl_thread *t = psst_ossl_thread();
    if (t == NULL) return PSST_ERR_INTERNAL;
    if (sealed.len < PSST_TAG_LEN || sealed.len > MAX_LEN || ad.len > MAX_LEN) return PSST_ERR_AUTH;
    size_t len = sealed.len - PSST_TAG_LEN;
    uint8_t iv[12], tag[PSST_TAG_LEN], none[1];
    nonce_bytes(iv, nonce);
    memcpy(tag, sealed.data + len, sizeof tag);
    int n = 0;
    int ok = EVP_DecryptInit_ex2(t->open, NULL, key->b, iv, NULL);
    if (ok == 1) ok = EVP_CIPHER_CTX_ctrl(t->open, EVP_CTRL_AEAD_SET_TAG, PSST_TAG_LEN, tag);
    if (ok == 1 && ad.len > 0) ok = EVP_DecryptUpdate(t->open, NULL, &n, ad.data, (int)ad.len);
    if (ok == 1) ok = update(t->open, out, sealed.data, len);
    /* only this last step looks at the tag; it writes nothing */
    bool genuine = ok == 1 && EVP_DecryptFinal_ex(t->open, none, &n) == 1;
    (void)EVP_DecryptInit_ex2(t->open, NULL, no_key, NULL, NULL);
    if (genuine) return PSST_OK;
    return psst_ossl_fail(ok == 1 ? PSST_ERR_AUTH : PSST_ERR_INTERNAL);
}
