/* What the openssl*.c files share, and nobody else may include: the fetched algorithms, each thread's contexts, and how
 * libcrypto's keys are wrapped. */
#ifndef PSST_CRYPTO_OPENSSL_INTERNAL_H
#define PSST_CRYPTO_OPENSSL_INTERNAL_H

#include "crypto/crypto.h"

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdatomic.h>

/* One of each kind a thread: made at first use, freed when the thread ends. Between two calls none holds a key. */
struct psst_ossl_thread {
    EVP_MD_CTX *sha256;
    EVP_MAC_CTX *hmac;
    EVP_CIPHER_CTX *seal;
    EVP_CIPHER_CTX *open;
    EVP_PKEY_CTX *x25519; /* makes keys from bytes */
    BN_CTX *bn;           /* for numbers that are no secrets */
};

/* NULL when libcrypto has no memory, or lacks an algorithm. */
struct psst_ossl_thread *psst_ossl_thread(void);

/* Empties libcrypto's queue of errors, which would otherwise grow with every hostile input, and returns err. */
enum psst_err psst_ossl_fail(enum psst_err err);

/* A key with room for one idle context of its main operation: taken by who needs it, put back when done. Making a new
 * one costs as much as a small RSA operation; a second thread at the same time makes its own. */
struct psst_ossl_pkey {
    EVP_PKEY *pkey;
    _Atomic(EVP_PKEY_CTX *) idle;
};

enum psst_ossl_op { PSST_OSSL_ENCRYPT, PSST_OSSL_DECRYPT };

/* Raw RSA, no padding: in and out are len bytes, the length of the modulus. One key is used for one op only. */
PSST_MUST_USE enum psst_err psst_ossl_raw_rsa(struct psst_ossl_pkey *key, enum psst_ossl_op op, uint8_t *out,
                                              const uint8_t *in, size_t len);
void psst_ossl_pkey_fini(struct psst_ossl_pkey *key);

struct psst_rsa_public {
    atomic_uint refs;
    unsigned bits;
    size_t len; /* of the modulus, in bytes */
    struct psst_ossl_pkey key;
    BIGNUM *n;
    /* for the KEM, once: 2^4224 - 1 = r_max * n + c_max, so that c + r_max * n fits 528 bytes while c <= c_max; n - 2 */
    BIGNUM *c_max;
    size_t r_bits; /* of r_max */
    uint8_t r_max[PSST_KEM_LEN];
    uint8_t z_max[PSST_RSA_MAX_LEN];
    struct psst_fpr fpr;
    uint8_t spki[PSST_SPKI_MAX_LEN];
    size_t spki_len;
};

struct psst_rsa_private {
    struct psst_ossl_pkey key;
    struct psst_rsa_public *pub;
};

enum psst_ossl_check { PSST_OSSL_QUICK, PSST_OSSL_FULL };

/* Fills in what the KEM needs; n and len are set. */
PSST_MUST_USE enum psst_err psst_ossl_kem_prepare(struct psst_rsa_public *key);

/* Borrows n and e. Every public key comes through here: limits, the slow check when asked, encoding, fingerprint. */
PSST_MUST_USE enum psst_err psst_ossl_public_new(struct psst_rsa_public **out, const BIGNUM *n, const BIGNUM *e,
                                                 enum psst_ossl_check check, struct psst_diag *diag);
/* The same with n and e of another key, which may be a private one. */
PSST_MUST_USE enum psst_err psst_ossl_public_of(struct psst_rsa_public **out, const EVP_PKEY *pkey,
                                                enum psst_ossl_check check, struct psst_diag *diag);

/* Takes pkey. Every private key comes through here: limits, consistency, public half. */
PSST_MUST_USE enum psst_err psst_ossl_private_new(struct psst_rsa_private **out, EVP_PKEY *pkey,
                                                  struct psst_diag *diag);

#endif
