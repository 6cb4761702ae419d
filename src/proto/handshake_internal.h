/* Looks and levers into a running handshake, for tests and fuzzers alone: nothing in src/ but handshake.c may include
 * this. The vectors give z and r of each encapsulation, which psst_kem_encapsulate would draw by rejection, and the
 * value of each transcript hash and chain key on the way. */
#ifndef PSST_PROTO_HANDSHAKE_INTERNAL_H
#define PSST_PROTO_HANDSHAKE_INTERNAL_H

#include "proto/handshake.h"

/* The next encapsulation uses this z and r (psst_kem_encapsulate_with) instead of drawing them. Both are borrowed until
 * that encapsulation. */
void psst_handshake_fix_kem(struct psst_handshake *hs, struct psst_view z, struct psst_view r);

/* The transcript hash as it stands: h1 after M1, h3 after M2 (h2 is only passed through), h4, h6, h7. */
const struct psst_hash *psst_handshake_transcript(const struct psst_handshake *hs);
/* The chain key as it stands: ck1 from M2 on, ck2 from M4b on. */
const struct psst_chain_key *psst_handshake_chain(const struct psst_handshake *hs);

/* A second handshake in the same state, so that thousands of wrong messages can be tried at one step. NULL: no memory.
 */
struct psst_handshake *psst_handshake_clone(const struct psst_handshake *hs);

#endif
