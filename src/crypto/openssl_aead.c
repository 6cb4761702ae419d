/* ChaCha20-Poly1305. Records of 64 KiB are sealed and opened in place; one context a thread and direction is re-keyed for
 * each, which costs a fraction of making one. */
#include "crypto/openssl_internal.h"

/* Far over any record; libcrypto counts in int. */
#define MAX_LEN (1u << 30)

/* ChaCha20 and Poly1305 each pass over what one update is given: in pieces that stay in the first-level cache the second
 * pass is nearly free, which makes a record of 64 KiB a sixth faster. A multiple of ChaCha20's block. */
#define PIECE 8192

static const uint8_t no_key[PSST_KEY_LEN];

static void nonce_bytes(uint8_t out[12], uint64_t nonce)
{
    memset(out, 0, 4);
    psst_store_u64(out + 4, nonce);
}

/* EVP_EncryptUpdate or EVP_DecryptUpdate over the whole, piece by piece. */
static int update(EVP_CIPHER_CTX *ctx, int (*step)(EVP_CIPHER_CTX *, unsigned char *, int *, const unsigned char *, int),
                  uint8_t *out, const uint8_t *in, size_t len)
{
    int ok = 1, n = 0;
    for (size_t at = 0; ok == 1 && at < len; at += PIECE)
        ok = step(ctx, out + at, &n, in + at, (int)(len - at < PIECE ? len - at : PIECE));
    return ok;
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
    if (ok == 1) ok = update(t->seal, EVP_EncryptUpdate, out, plain.data, plain.len);
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
    if (ok == 1) ok = update(t->open, EVP_DecryptUpdate, out, sealed.data, len);
    /* only this last step looks at the tag; it writes nothing */
    bool genuine = ok == 1 && EVP_DecryptFinal_ex(t->open, none, &n) == 1;
    (void)EVP_DecryptInit_ex2(t->open, NULL, no_key, NULL, NULL);
    if (genuine) return PSST_OK;
    return psst_ossl_fail(ok == 1 ? PSST_ERR_AUTH : PSST_ERR_INTERNAL);
}
