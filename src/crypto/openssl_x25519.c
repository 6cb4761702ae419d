/* X25519, on keys that live for one handshake or rekey. */
#include "crypto/openssl_internal.h"

#include <openssl/core_names.h>

enum psst_err psst_x25519_public(struct psst_x25519_public *out, const struct psst_x25519_private *priv)
{
    if (psst_ossl_thread() == NULL) return PSST_ERR_INTERNAL;
    EVP_PKEY *own = EVP_PKEY_new_raw_private_key_ex(NULL, "X25519", NULL, priv->b, sizeof priv->b);
    struct psst_x25519_public pub;
    size_t len = sizeof pub.b;
    int ok = own != NULL && EVP_PKEY_get_raw_public_key(own, pub.b, &len) == 1 && len == sizeof pub.b;
    EVP_PKEY_free(own);
    if (!ok) return psst_ossl_fail(PSST_ERR_INTERNAL);
    *out = pub;
    return PSST_OK;
}

static EVP_PKEY *key_of(EVP_PKEY_CTX *ctx, int selection, OSSL_PARAM *params)
{
    EVP_PKEY *pkey = NULL;
    if (EVP_PKEY_fromdata(ctx, &pkey, selection, params) == 1) return pkey;
    EVP_PKEY_free(pkey);
    return NULL;
}

static EVP_PKEY *public_key(EVP_PKEY_CTX *ctx, const struct psst_x25519_public *pub)
{
    struct psst_x25519_public copy = *pub;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, copy.b, sizeof copy.b),
        OSSL_PARAM_construct_end(),
    };
    return key_of(ctx, EVP_PKEY_PUBLIC_KEY, params);
}

/* A private key that comes with a public half, so that libcrypto does not compute one that nobody asks for, which would
 * double the time. The derivation never looks at it: any will do. */
static EVP_PKEY *private_key(EVP_PKEY_CTX *ctx, const struct psst_x25519_private *priv)
{
    struct psst_x25519_private copy = *priv;
    uint8_t unused[32] = {9};
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PRIV_KEY, copy.b, sizeof copy.b),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, unused, sizeof unused),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY *pkey = key_of(ctx, EVP_PKEY_KEYPAIR, params);
    PSST_WIPE(copy);
    return pkey;
}

enum psst_err psst_x25519(struct psst_x25519_secret *out, const struct psst_x25519_private *priv,
                          const struct psst_x25519_public *peer)
{
    struct psst_ossl_thread *t = psst_ossl_thread();
    if (t == NULL) return PSST_ERR_INTERNAL;
    enum psst_err err = PSST_ERR_INTERNAL;
    struct psst_x25519_secret secret;
    static const uint8_t all_zero[sizeof secret.b];
    size_t len = sizeof secret.b;
    EVP_PKEY_CTX *ctx = NULL;
    EVP_PKEY *own = private_key(t->x25519, priv);
    EVP_PKEY *other = public_key(t->x25519, peer);
    if (own == NULL || other == NULL) goto out;
    ctx = EVP_PKEY_CTX_new_from_pkey(NULL, own, NULL);
    if (ctx == NULL || EVP_PKEY_derive_init(ctx) != 1) goto out;
    if (EVP_PKEY_derive_set_peer_ex(ctx, other, 0) != 1) goto out;
    /* libcrypto fails here by itself when the result is all zero; the check after it does not rely on that */
    err = PSST_ERR_AUTH;
    if (EVP_PKEY_derive(ctx, secret.b, &len) != 1 || len != sizeof secret.b) goto out;
    if (psst_crypto_equal(secret.b, all_zero, sizeof secret.b)) goto out;
    *out = secret;
    err = PSST_OK;
out:
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(other);
    EVP_PKEY_free(own);
    PSST_WIPE(secret);
    return err == PSST_OK ? PSST_OK : psst_ossl_fail(err);
}
