/* The handshake of PSST/1 (docs/PROTOCOL.md, "Handshake"): one function per message, no state but the transcript and
 * the chain. Bytes in, bytes out; whoever drives it (link.c, tests, fuzzers) brings randomness, day, the result of the
 * private RSA operation and the contact book.
 *
 *   caller                                     callee
 *   write_m1                    --M1-->        read_m1   -> MAC, day: replay cache; then X: decapsulate elsewhere
 *                                              accept_m1(ZA)
 *   read_m2                     <--M2--        write_m2
 *   write_m3                    --M3-->        read_m3   -> claimed fingerprint: contact book
 *   read_m4a -> X: decapsulate  <--M4--        write_m4(contact or none)
 *   read_m4b(ZB)
 *   write_m5, keys              --M5-->        read_m5, keys
 *
 * Every read takes exactly one message of its fixed length. PSST_ERR_AUTH is the only failure that a peer can cause,
 * and after any failure the handshake is wiped and answers PSST_ERR_USAGE to everything. Functions called out of their
 * order answer PSST_ERR_USAGE too.
 */
#ifndef PSST_PROTO_HANDSHAKE_H
#define PSST_PROTO_HANDSHAKE_H

#include "crypto/crypto.h"
#include "proto/wire.h"

enum psst_role { PSST_CALLER, PSST_CALLEE };

/* All that a session starts from. */
struct psst_session_keys {
    struct psst_aead_key k_ab, k_ba; /* records, caller to callee and back */
    struct psst_aead_key v_ab, v_ba; /* voice */
    struct psst_chain_key rk;        /* the next rekey's salt */
    struct psst_hash hash;           /* h7, later hash' */
};

/* K_AB, K_BA, V_AB, V_BA and the next RK, all expanded from ck2 and h7, after a rekey from RK' and hash'. */
PSST_MUST_USE enum psst_err psst_session_keys_derive(struct psst_session_keys *out, const struct psst_chain_key *chain,
                                                     const struct psst_hash *hash);

struct psst_handshake; /* on the heap: about 3 KiB, only while it runs; wiped when freed */

/* self and peer are borrowed until free; psk may be NULL; features are copied (at most PSST_M3_FEATURES_MAX bytes for
 * the caller, PSST_M4_FEATURES_MAX for the callee; PSST_ERR_TOO_LONG). rng is borrowed until free. day = unix time /
 * 86400. PSST_ERR_USAGE when self and peer are the same key. */
PSST_MUST_USE enum psst_err psst_handshake_caller(struct psst_handshake **out, const struct psst_rsa_public *self,
                                                  const struct psst_rsa_public *peer,
                                                  const struct psst_pair_secret *psk, struct psst_view features,
                                                  uint64_t day, const struct psst_rng *rng);
PSST_MUST_USE enum psst_err psst_handshake_callee(struct psst_handshake **out, const struct psst_rsa_public *self,
                                                  struct psst_view features, const struct psst_rng *rng);
void psst_handshake_free(struct psst_handshake *hs);

/* ---- caller ---- */
PSST_MUST_USE enum psst_err psst_handshake_write_m1(struct psst_handshake *hs, uint8_t out[PSST_M1_LEN]);
PSST_MUST_USE enum psst_err psst_handshake_read_m2(struct psst_handshake *hs, const uint8_t in[PSST_M2_LEN]);
PSST_MUST_USE enum psst_err psst_handshake_write_m3(struct psst_handshake *hs, uint8_t out[PSST_M3_LEN]);
/* Opens the first part of M4, keeps the second; x is what must be decapsulated with the caller's private key. */
PSST_MUST_USE enum psst_err psst_handshake_read_m4a(struct psst_handshake *hs, const uint8_t in[PSST_M4_LEN],
                                                    uint8_t x[PSST_KEM_LEN]);
/* zb NULL: the decapsulation failed, which is treated exactly like a tag that does not verify. */
PSST_MUST_USE enum psst_err psst_handshake_read_m4b(struct psst_handshake *hs, const struct psst_kem_secret *zb);
PSST_MUST_USE enum psst_err psst_handshake_write_m5(struct psst_handshake *hs, uint8_t out[PSST_M5_LEN],
                                                    struct psst_session_keys *keys);

/* ---- callee ---- */

/* Constant-time check of the MAC against day-1, day, day+1 of the callee's own clock. Gives the MAC for the replay
 * cache, the day that matched, and x. No private operation and no output before the replay cache has agreed. */
PSST_MUST_USE enum psst_err psst_handshake_read_m1(struct psst_handshake *hs, const uint8_t in[PSST_M1_LEN],
                                                   uint64_t day, uint8_t mac[32], uint64_t *matched_day,
                                                   uint8_t x[PSST_KEM_LEN]);
/* za NULL: the decapsulation failed. */
PSST_MUST_USE enum psst_err psst_handshake_accept_m1(struct psst_handshake *hs, const struct psst_kem_secret *za);
PSST_MUST_USE enum psst_err psst_handshake_write_m2(struct psst_handshake *hs, uint8_t out[PSST_M2_LEN]);
PSST_MUST_USE enum psst_err psst_handshake_read_m3(struct psst_handshake *hs, const uint8_t in[PSST_M3_LEN],
                                                   struct psst_fpr *claimed);
/* contact NULL (unknown, blocked, or the callee's own fingerprint): a decoy is written, and read_m5 will refuse
 * whatever comes. contact is borrowed for the call; its fingerprint must be the claimed one. */
PSST_MUST_USE enum psst_err psst_handshake_write_m4(struct psst_handshake *hs, const struct psst_rsa_public *contact,
                                                    const struct psst_pair_secret *psk, uint8_t out[PSST_M4_LEN]);
PSST_MUST_USE enum psst_err psst_handshake_read_m5(struct psst_handshake *hs, const uint8_t in[PSST_M5_LEN],
                                                   struct psst_session_keys *keys);

/* The other side's features, valid once its M3 or M4b was read; borrowed until free. */
struct psst_view psst_handshake_peer_features(const struct psst_handshake *hs);

/* Features are entries of u8 identifier, u8 length, value, identifiers strictly ascending. Whether they are well
 * formed. */
bool psst_features_valid(struct psst_view features);
/* The value of one entry; false when it is not there. */
bool psst_features_get(struct psst_view features, uint8_t id, struct psst_view *value);

#endif
