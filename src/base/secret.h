/* Typed secrets. One type per kind of key, so that the compiler refuses to take one for another; all are wiped by
 * psst_wipe on every exit. Sizes from docs/PROTOCOL.md. */
#ifndef PSST_BASE_SECRET_H
#define PSST_BASE_SECRET_H

#include <stddef.h>
#include <stdint.h>

/* Overwrites len bytes in a way that the compiler does not remove. p may be NULL when len is 0. */
void psst_wipe(void *p, size_t len);

/* Wipes a struct or array in place. */
#define PSST_WIPE(x) psst_wipe(&(x), sizeof(x))

#define PSST_KEY_LEN 32

struct psst_aead_key { /* ChaCha20-Poly1305 */
    uint8_t b[PSST_KEY_LEN];
};
struct psst_chain_key { /* a pseudo-random key that others are expanded from: ck1, ck2, RK */
    uint8_t b[PSST_KEY_LEN];
};
struct psst_kem_secret { /* Z, what both ends of an RSA encapsulation share */
    uint8_t b[PSST_KEY_LEN];
};
struct psst_x25519_private {
    uint8_t b[32];
};
struct psst_x25519_secret { /* the Diffie-Hellman result */
    uint8_t b[32];
};
struct psst_pair_secret { /* psk; all zeros when there is none */
    uint8_t b[32];
};
struct psst_store_key {
    uint8_t b[32];
};

/* Public, but typed for the same reason. */
struct psst_hash { /* SHA-256 */
    uint8_t b[32];
};
struct psst_fpr { /* fingerprint: SHA-256 of the SubjectPublicKeyInfo */
    uint8_t b[32];
};
struct psst_msg_id { /* message, and transfer, identifier */
    uint8_t b[16];
};
struct psst_x25519_public {
    uint8_t b[32];
};

#endif
