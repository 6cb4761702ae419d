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

/* A private key that comes with a public half, so that libcrypto does not compute one that nobody asks for. The
 * derivation never looks at it: any will do. */
static EVP_PKEY *private_without_public(const struct psst_x25519_private *priv)
{
    struct psst_x25519_private copy = *priv;
    uint8_t unused[32] = {9};
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PRIV_KEY, copy.b, sizeof copy.b),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, unused, sizeof unused),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "X25519", NULL);
    if (ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_KEYPAIR, params) != 1) {
        EVP_PKEY_free(pkey);
        pkey = NULL;
    }
    EVP_PKEY_CTX_free(ctx);
    PSST_WIPE(copy);
    return pkey;
}

enum psst_err psst_x25519(struct psst_x25519_secret *out, const struct psst_x25519_private *priv,
                          const struct psst_x25519_public *peer)
{
    if (psst_ossl_thread() == NULL) return PSST_ERR_INTERNAL;
    enum psst_err err = PSST_ERR_INTERNAL;
    struct psst_x25519_secret secret;
    static const uint8_t all_zero[sizeof secret.b];
    size_t len = sizeof secret.b;
    EVP_PKEY_CTX *ctx = NULL;
    EVP_PKEY *own = private_without_public(priv);
    EVP_PKEY *other = EVP_PKEY_new_raw_public_key_ex(NULL, "X25519", NULL, peer->b, sizeof peer->b);
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
