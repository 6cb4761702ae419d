/* Records (docs/PROTOCOL.md, "Records"): how chunks travel over TCP. One struct for each direction: key, counter, hash
 * ratchet. Works in place: no copies. */
#ifndef PSST_PROTO_RECORD_H
#define PSST_PROTO_RECORD_H

#include "crypto/crypto.h"
#include "proto/wire.h"

struct psst_record_state {
    struct psst_aead_key key;
    uint32_t counter; /* 0 to 999: the ratchet turns before it could wrap */
};

void psst_record_init(struct psst_record_state *state, const struct psst_aead_key *key);

/* The body length that a chunk of chunk_len bytes (header included, 4 to PSST_RECORD_BODY_MAX) is padded to. */
size_t psst_record_padded_len(size_t chunk_len);

/* record holds PSST_RECORD_HEAD_LEN + body_len + PSST_TAG_LEN bytes, with the body (one chunk, then zeros) already at
 * record + PSST_RECORD_HEAD_LEN; seals head and body in place. */
PSST_MUST_USE enum psst_err psst_record_seal(struct psst_record_state *state, uint8_t *record, size_t body_len);

/* Opens the 18 bytes of a head; gives the body length, 4 to 65,502. PSST_ERR_AUTH: tag or range. Changes nothing in
 * state: the counter moves when the body has opened. */
PSST_MUST_USE enum psst_err psst_record_open_head(const struct psst_record_state *state,
                                                  const uint8_t head[PSST_RECORD_HEAD_LEN], size_t *body_len);
/* Opens body_len + PSST_TAG_LEN bytes in place and moves on. Afterwards body holds body_len bytes of plain text. */
PSST_MUST_USE enum psst_err psst_record_open_body(struct psst_record_state *state, uint8_t *body, size_t body_len);

#endif
