/* Voice datagrams and their replay window (docs/PROTOCOL.md, "Voice datagrams"; RFC 6479). Codec only: which key, which
 * receiver identifier and which counter are the call's business. */
#ifndef PSST_PROTO_DATAGRAM_H
#define PSST_PROTO_DATAGRAM_H

#include "crypto/crypto.h"
#include "proto/wire.h"

struct psst_replay_window {
    uint64_t next;  /* one over the highest counter accepted, saturating; 0: nothing yet */
    bool last_used; /* the counter 2^64 - 1 was accepted */
    uint64_t bits[PSST_REPLAY_WINDOW / 64 + 1];
};

/* Whether this counter is new and not too old; marks nothing. */
bool psst_replay_window_check(const struct psst_replay_window *w, uint64_t counter);
/* Marks a counter whose datagram has been authenticated. */
void psst_replay_window_mark(struct psst_replay_window *w, uint64_t counter);

/* out holds PSST_DATAGRAM_HEAD_LEN + frame.len + PSST_TAG_LEN bytes. */
PSST_MUST_USE enum psst_err psst_datagram_seal(uint8_t *out, const struct psst_aead_key *key, uint32_t receiver_id,
                                               uint64_t counter, struct psst_view frame);
/* frame holds datagram.len - PSST_DATAGRAM_HEAD_LEN - PSST_TAG_LEN bytes, expected_frame_len of them. Checks length,
 * receiver, window, tag in this order, and marks the counter last. PSST_ERR_AUTH for everything. */
PSST_MUST_USE enum psst_err psst_datagram_open(uint8_t *frame, const struct psst_aead_key *key, uint32_t receiver_id,
                                               struct psst_replay_window *window, size_t expected_frame_len,
                                               struct psst_view datagram, uint64_t *counter);

#define PSST_VOICE_FRAME_HEAD_LEN 7 /* timestamp, flags, length */

struct psst_voice_frame {
    uint32_t timestamp_samples; /* at 48 kHz */
    uint8_t flags;
    struct psst_view opus; /* borrowed */
};
/* PSST_ERR_TOO_LONG when it does not fit into frame_len bytes. */
PSST_MUST_USE enum psst_err psst_voice_frame_write(uint8_t *out, size_t frame_len,
                                                   const struct psst_voice_frame *frame);
/* PSST_ERR_MALFORMED: length past the end, or padding that is not zero. */
PSST_MUST_USE enum psst_err psst_voice_frame_read(struct psst_voice_frame *out, struct psst_view frame);

#endif
