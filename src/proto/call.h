/* Calls inside a session (docs/PROTOCOL.md, "Calls", "Voice datagrams"): `c` and `v` chunks, who may say what when, and which
 * way voice goes. Sans-I/O, driven by session.c; users drive it through the functions of link.h. call.c holds the one table of
 * states and transitions; call_chunk.c the chunks; call_voice.c keys, counters, windows and the way (UDP, TCP, both).
 *
 *   NONE --we offer--> CALLING --ring--> RINGING_THERE --accept--> ACTIVE --hang up, either--> NONE
 *   NONE --offer--> RINGING_HERE --we accept--> ACTIVE        no answer, decline, busy: NONE
 *
 * Both offer at once: both have dialled, so it is a call: ACTIVE on both sides, with the frame size that the caller of the
 * session offered.
 */
#ifndef PSST_PROTO_CALL_H
#define PSST_PROTO_CALL_H

#include "proto/datagram.h"

#define PSST_CALL_FRAME_MIN     32
#define PSST_CALL_FRAME_MAX     1200
#define PSST_CALL_UNANSWERED_MS 45000 /* it has rung for so long: hang up, reason 2 */
#define PSST_CALL_NO_RING_MS    8000  /* neither ring nor decline after an offer: the other side has no voice */

enum psst_call_state {
    PSST_CALL_NONE,
    PSST_CALL_CALLING,       /* ours, nothing heard yet */
    PSST_CALL_RINGING_THERE, /* ours, it rings */
    PSST_CALL_RINGING_HERE,  /* theirs */
    PSST_CALL_ACTIVE,
};
enum psst_call_kind {                             /* of `c` chunks */
                      PSST_CALL_KIND_SILENCE = 0, /* no chunk, an event: see `silent` */
                      PSST_CALL_KIND_OFFER = 1,
                      PSST_CALL_KIND_RING = 2,
                      PSST_CALL_KIND_ACCEPT = 3,
                      PSST_CALL_KIND_DECLINE = 4,
                      PSST_CALL_KIND_HANGUP = 5,
                      PSST_CALL_KIND_RECEIVING = 6,
                      PSST_CALL_KIND_REPORT = 7,
};
enum psst_call_decline { PSST_CALL_DECLINED = 1, PSST_CALL_BUSY = 2, PSST_CALL_NO_VOICE = 3 };
enum psst_call_hangup { PSST_CALL_HUNG_UP = 1, PSST_CALL_UNANSWERED = 2, PSST_CALL_FAILED = 3 };

struct psst_call_chunk { /* and what PSST_EV_CALL brings */
    uint8_t kind;
    uint8_t reason;       /* DECLINE, HANGUP */
    uint32_t receiver_id; /* OFFER, ACCEPT */
    uint16_t frame_size;  /* OFFER */
    bool receiving;       /* RECEIVING */
    uint8_t loss_256;     /* REPORT */
    uint16_t jitter_ms, delay_ms;
    /* events only */
    bool by_us;  /* HANGUP: our own clock ended it (unanswered, no voice there), not the other side */
    bool silent; /* SILENCE: nothing has been heard for 2 s (true), or something is again (false) */
};
void psst_call_chunk_write(struct psst_buf *out, const struct psst_call_chunk *chunk);
PSST_MUST_USE enum psst_err psst_call_chunk_read(struct psst_call_chunk *out, struct psst_view data);

enum psst_voice_way { PSST_WAY_BOTH, PSST_WAY_UDP, PSST_WAY_TCP };

#endif
