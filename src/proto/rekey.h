/* The rekey (docs/PROTOCOL.md, "Rekey"): a fresh X25519 and a fresh encapsulation each way, mixed into RK, so that a
 * session heals after a leak of its state. The arithmetic and the order of the messages; session.c seals the records and
 * changes the keys.
 *
 *   caller                                          callee
 *   begin                  --R1, 560 bytes-->       accept -> x: decapsulate elsewhere
 *                                                   derive(ZA), write R2: its last record under the old key
 *   read_r2 -> x: decapsulate  <--R2, 560 bytes--
 *   derive(ZB), write R3: its last under the old key
 *                          --R3, empty-->           takes the new receiving key
 *
 * PSST_ERR_PROTOCOL: out of its order. PSST_ERR_AUTH: an X25519 result of all zeros, or a failed decapsulation.
 */
#ifndef PSST_PROTO_REKEY_H
#define PSST_PROTO_REKEY_H

#include "proto/handshake.h"

enum psst_rekey_stage {
    PSST_REKEY_R1_SENT, /* caller: waits for R2 */
    PSST_REKEY_R1_READ, /* callee: ZA is being decapsulated */
    PSST_REKEY_R2_SENT, /* callee: waits for R3 */
    PSST_REKEY_R2_READ, /* caller: ZB is being decapsulated */
};

/* What one side brings: an ephemeral key and an encapsulation to the other; message is R1 or R2. */
struct psst_rekey_half {
    struct psst_x25519_private scalar;
    struct psst_kem_secret z;
    uint8_t message[PSST_REKEY_LEN];
};

struct psst_rekey { /* on the heap, only while a rekey runs */
    enum psst_rekey_stage stage;
    struct psst_rekey_half own;
    uint8_t theirs[PSST_REKEY_LEN];
    struct psst_session_keys next; /* from derive on */
};

/* What the session has and a rekey starts from; borrowed for the call. */
struct psst_rekey_base {
    const struct psst_chain_key *rk;
    const struct psst_hash *hash;
    const struct psst_pair_secret *psk;
};

/* Draws one side's half. */
PSST_MUST_USE enum psst_err psst_rekey_draw(struct psst_rekey_half *half, const struct psst_rsa_public *to,
                                            const struct psst_rng *rng);

/* Caller: R1 is then own.message. */
PSST_MUST_USE enum psst_err psst_rekey_begin(struct psst_rekey **out, const struct psst_rsa_public *to,
                                             const struct psst_rng *rng);
/* Callee: takes R1; R2 will be own.message. */
PSST_MUST_USE enum psst_err psst_rekey_accept(struct psst_rekey **out, struct psst_view r1,
                                              const struct psst_rsa_public *to, const struct psst_rng *rng);
/* Caller: takes R2. */
PSST_MUST_USE enum psst_err psst_rekey_read_r2(struct psst_rekey *rekey, struct psst_view r2);
/* Whether the callee may take R3 now, and its data is right. */
PSST_MUST_USE enum psst_err psst_rekey_read_r3(const struct psst_rekey *rekey, struct psst_view r3);
/* What the other side encapsulated: PSST_KEM_LEN bytes, once its message was read. */
const uint8_t *psst_rekey_x(const struct psst_rekey *rekey);
/* Gives next, and wipes what it was made from. theirs is the decapsulated secret, NULL when that failed. The callee is
 * then in R2_SENT; the caller is done. */
PSST_MUST_USE enum psst_err psst_rekey_derive(struct psst_rekey *rekey, const struct psst_rekey_base *base,
                                              const struct psst_kem_secret *theirs);
/* Wipes and frees; NULL is safe. */
void psst_rekey_free(struct psst_rekey *rekey);

#endif
