/* The verbs of cryptography that PSST needs, and nothing else. All primitives are OpenSSL's; the files named
 * openssl*.c alone see libcrypto.
 *
 * Pure functions of their arguments but for psst_crypto_random and key generation: whoever wants reproducible bytes
 * passes its own struct psst_rng. Any thread may call (contexts are kept per thread). PSST_ERR_INTERNAL means that
 * libcrypto failed where it never should, nearly always for want of memory.
 */
#ifndef PSST_CRYPTO_CRYPTO_H
#define PSST_CRYPTO_CRYPTO_H

#include "base/bytes.h"
#include "base/secret.h"

/* Prepares libcrypto: fetches the algorithms, reserves the secure heap when secure_heap_bytes is not 0 (a power of
 * two). Runs the start-up self-test: one known answer for each primitive, PSST_ERR_INTERNAL when one is wrong. */
PSST_MUST_USE enum psst_err psst_crypto_init(size_t secure_heap_bytes);

/* ---- randomness, injected ---- */

/* Fills out with len bytes that nobody can predict; cannot fail (psst_crypto_rng aborts when the system has none). */
struct psst_rng {
    void (*fill)(void *ctx, uint8_t *out, size_t len);
    void *ctx;
};

/* libcrypto's generator for secrets (RAND_priv_bytes). */
extern const struct psst_rng psst_crypto_rng;

/* Uniform in [lo, hi], by rejection. */
uint64_t psst_rng_range(const struct psst_rng *rng, uint64_t lo, uint64_t hi);

/* ---- hash, MAC, key derivation ---- */

/* SHA-256 of the concatenation of the views. */
PSST_MUST_USE enum psst_err psst_sha256(struct psst_hash *out, const struct psst_view *parts, size_t n);

struct psst_sha256_stream; /* a running hash, for files; from new to free on one thread at a time */
struct psst_sha256_stream *psst_sha256_stream_new(void); /* NULL: out of memory */
void psst_sha256_stream_free(struct psst_sha256_stream *s);
PSST_MUST_USE enum psst_err psst_sha256_stream_update(struct psst_sha256_stream *s, struct psst_view data);
/* Gives the hash of all that went in; the stream goes on unharmed. */
PSST_MUST_USE enum psst_err psst_sha256_stream_peek(const struct psst_sha256_stream *s, struct psst_hash *out);

/* HMAC-SHA256 over the concatenation of the views (RFC 2104). */
PSST_MUST_USE enum psst_err psst_hmac(uint8_t out[32], const uint8_t key[32], const struct psst_view *parts, size_t n);

/* HKDF-SHA256 (RFC 5869). Extract takes its ikm in parts; Expand gives 32 bytes, its info in parts. */
PSST_MUST_USE enum psst_err psst_hkdf_extract(uint8_t prk[32], struct psst_view salt, const struct psst_view *ikm,
                                              size_t n);
PSST_MUST_USE enum psst_err psst_hkdf_expand(uint8_t okm[32], const uint8_t prk[32], const struct psst_view *info,
                                             size_t n);

/* scrypt (RFC 7914). The cost, N a power of two, r and p, may come from anywhere: N*r*p at most 2^22 and the memory at most
 * 32 MiB, else PSST_ERR_TOO_LONG; PSST_ERR_MALFORMED: no cost at all. Half a second and 16 MiB at N = 2^14, r = 8, p = 16. */
PSST_MUST_USE enum psst_err psst_crypto_scrypt_check(uint64_t n, uint64_t r, uint64_t p);
PSST_MUST_USE enum psst_err psst_crypto_scrypt(uint8_t *out, size_t out_len, struct psst_view passphrase,
                                               struct psst_view salt, uint64_t n, uint64_t r, uint64_t p);

/* Constant-time comparison. */
bool psst_crypto_equal(const uint8_t *a, const uint8_t *b, size_t len);

/* ---- X25519 (RFC 7748) ---- */

PSST_MUST_USE enum psst_err psst_x25519_public(struct psst_x25519_public *out, const struct psst_x25519_private *priv);
/* PSST_ERR_AUTH when the result is all zero. */
PSST_MUST_USE enum psst_err psst_x25519(struct psst_x25519_secret *out, const struct psst_x25519_private *priv,
                                        const struct psst_x25519_public *peer);

/* ---- AEAD: ChaCha20-Poly1305 (RFC 8439), nonce = 4 zero bytes || nonce as u64 ---- */

#define PSST_TAG_LEN 16

/* out holds plain_len + PSST_TAG_LEN bytes, and may be the place of plain itself. */
PSST_MUST_USE enum psst_err psst_aead_seal(uint8_t *out, const struct psst_aead_key *key, uint64_t nonce,
                                           struct psst_view ad, struct psst_view plain);
/* out holds sealed.len - PSST_TAG_LEN bytes, and may be the place of sealed itself. PSST_ERR_AUTH when the tag is wrong
 * or there is no room for one; what is in out then must not be used. */
PSST_MUST_USE enum psst_err psst_aead_open(uint8_t *out, const struct psst_aead_key *key, uint64_t nonce,
                                           struct psst_view ad, struct psst_view sealed);

/* ---- RSA public keys ---- */

#define PSST_RSA_MIN_BITS  1024
#define PSST_RSA_MAX_BITS  4096
#define PSST_RSA_WEAK_BITS 3072 /* under this, marked weak wherever it is shown */
#define PSST_RSA_MAX_LEN   (PSST_RSA_MAX_BITS / 8)
#define PSST_SPKI_MAX_LEN  600 /* DER of a 4096-bit key with an exponent of 64 bits: under this */

struct psst_rsa_public; /* immutable; counted references */

/* From DER SubjectPublicKeyInfo. Checks everything that docs/PROTOCOL.md demands on import: 1024 to 4096 bits, odd n, odd e,
 * 65537 <= e < 2^64, EVP_PKEY_public_check (20 ms at 4096 bits). PSST_ERR_BAD_KEY with a sentence that says which. */
PSST_MUST_USE enum psst_err psst_rsa_public_import(struct psst_rsa_public **out, struct psst_view spki,
                                                   struct psst_diag *diag);
/* The same without the slow check, for a key that was imported before and comes out of our own store. */
PSST_MUST_USE enum psst_err psst_rsa_public_load(struct psst_rsa_public **out, struct psst_view spki);
/* From modulus and exponent, big-endian: all the checks. For the test vectors and for embedders. */
PSST_MUST_USE enum psst_err psst_rsa_public_from_numbers(struct psst_rsa_public **out, struct psst_view n,
                                                         struct psst_view e, struct psst_diag *diag);
/* From and to PEM "PUBLIC KEY". The first such block counts, whatever text stands around it. import as above. */
PSST_MUST_USE enum psst_err psst_rsa_public_import_pem(struct psst_rsa_public **out, struct psst_view pem,
                                                       struct psst_diag *diag);
PSST_MUST_USE enum psst_err psst_rsa_public_to_pem(const struct psst_rsa_public *key, struct psst_buf *out);

struct psst_rsa_public *psst_rsa_public_ref(struct psst_rsa_public *key);
void psst_rsa_public_free(struct psst_rsa_public *key); /* drops one reference; NULL is safe */

unsigned psst_rsa_public_bits(const struct psst_rsa_public *key);
const struct psst_fpr *psst_rsa_public_fpr(const struct psst_rsa_public *key);
/* Re-encoded as rsaEncryption with NULL parameters: what fpr and MB are computed from. Borrowed while key lives. */
struct psst_view psst_rsa_public_spki(const struct psst_rsa_public *key);

/* ---- RSA-KEM, expanded (docs/PROTOCOL.md) ---- */

#define PSST_KEM_LEN 528 /* X */

/* Draws z and r from rng; gives X and Z. A draw of z takes as many bytes as n has, one of r as many as
 * floor((2^4224 - 1) / n) has; bits over the top are masked, a draw out of range is followed by another.
 * PSST_ERR_INTERNAL after 512 of those: the randomness is dead. */
PSST_MUST_USE enum psst_err psst_kem_encapsulate(const struct psst_rsa_public *to, const struct psst_rng *rng,
                                                 uint8_t x[PSST_KEM_LEN], struct psst_kem_secret *secret);
/* The same with z and r given, big-endian: for the vectors. PSST_ERR_USAGE when out of their ranges. */
PSST_MUST_USE enum psst_err psst_kem_encapsulate_with(const struct psst_rsa_public *to, struct psst_view z,
                                                      struct psst_view r, uint8_t x[PSST_KEM_LEN],
                                                      struct psst_kem_secret *secret);

/* ---- RSA private keys: only psst-key and tests come here ---- */

struct psst_rsa_private;

/* Called about every 0.1 s of searching while a key is made; return false to give up (PSST_ERR_AGAIN). */
typedef bool psst_keygen_progress(void *ctx, unsigned candidates_tried);

PSST_MUST_USE enum psst_err psst_rsa_generate(struct psst_rsa_private **out, unsigned bits,
                                              psst_keygen_progress *progress, void *ctx, struct psst_diag *diag);
void psst_rsa_private_free(struct psst_rsa_private *key);
/* Its public half; borrowed while key lives. */
const struct psst_rsa_public *psst_rsa_private_public(const struct psst_rsa_private *key);

/* purpose is the label inside Z's hash, "z" in the handshake, "store" for the store's key (never the same). x is X.
 * PSST_ERR_AUTH for c of 0, 1, n-1 and for every other failure. */
PSST_MUST_USE enum psst_err psst_kem_decapsulate(const struct psst_rsa_private *key, const char *purpose,
                                                 const uint8_t x[PSST_KEM_LEN], struct psst_kem_secret *secret);
/* Encapsulation to one's own key under another purpose. */
PSST_MUST_USE enum psst_err psst_kem_encapsulate_for(const struct psst_rsa_public *to, const char *purpose,
                                                     const struct psst_rng *rng, uint8_t x[PSST_KEM_LEN],
                                                     struct psst_kem_secret *secret);

/* PKCS#8. Writing: PBES2 with scrypt (N = 2^14, r = 8, p = 16) and AES-256-CBC, or unencrypted when passphrase.data is
 * NULL. Reading: PEM "ENCRYPTED PRIVATE KEY", "PRIVATE KEY", or traditional "RSA PRIVATE KEY"; the cost parameters are
 * read before anything is derived (scrypt N*r*p at most 2^22, PBKDF2 at most 1,000,000 iterations: two seconds); checks
 * that the private key is consistent and within the limits. Errors: PSST_ERR_PASSPHRASE, PSST_ERR_BAD_KEY, PSST_ERR_MALFORMED,
 * each with a sentence. */
PSST_MUST_USE enum psst_err psst_rsa_private_to_pem(const struct psst_rsa_private *key, struct psst_view passphrase,
                                                    struct psst_buf *out);
PSST_MUST_USE enum psst_err psst_rsa_private_from_pem(struct psst_rsa_private **out, struct psst_view pem,
                                                      struct psst_view passphrase, struct psst_diag *diag);
/* Whether this PEM needs a passphrase, without trying. */
bool psst_rsa_pem_is_encrypted(struct psst_view pem);

#endif
