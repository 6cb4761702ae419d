/* scrypt (RFC 7914): from a passphrase to a key. What it may cost is bounded before anything is derived, as for key files. */
#include "crypto/openssl_internal.h"

#define MAX_COST (UINT64_C(1) << 22) /* N * r * p */

enum psst_err psst_crypto_scrypt_check(uint64_t n, uint64_t r, uint64_t p)
{
    if (n < 2 || (n & (n - 1)) != 0 || r == 0 || p == 0) return PSST_ERR_MALFORMED;
    /* each factor is bounded first, so that the product cannot wrap. Then libcrypto's own limit, its memory */
    if (n > MAX_COST || r > MAX_COST / n || p > MAX_COST / n / r) return PSST_ERR_TOO_LONG;
    bool bearable = EVP_PBE_scrypt(NULL, 0, NULL, 0, n, r, p, 0, NULL, 0) == 1;
    return bearable ? PSST_OK : psst_ossl_fail(PSST_ERR_TOO_LONG);
}

enum psst_err psst_crypto_scrypt(uint8_t *out, size_t out_len, struct psst_view passphrase, struct psst_view salt,
                                 uint64_t n, uint64_t r, uint64_t p)
{
    /* libcrypto takes NULL for "only check the cost" */
    static const uint8_t nothing[1];
    if (psst_ossl_thread() == NULL) return PSST_ERR_INTERNAL;
    if (out_len == 0) return PSST_ERR_USAGE;
    enum psst_err err = psst_crypto_scrypt_check(n, r, p);
    if (err != PSST_OK) return err;
    const char *secret = passphrase.data != NULL ? (const char *)passphrase.data : (const char *)nothing;
    int ok = EVP_PBE_scrypt(secret, passphrase.len, salt.data != NULL ? salt.data : nothing, salt.len, n, r, p, 0, out,
                            out_len);
    if (ok == 1) return PSST_OK;
    psst_wipe(out, out_len);
    return psst_ossl_fail(PSST_ERR_INTERNAL);
}
