/* A call between the two ends of a pair, for the tests of voice: frames every 20 ms, datagrams that get through or do not. */
#ifndef PSST_TESTS_TALK_H
#define PSST_TESTS_TALK_H

#include "pair.h"

#include "proto/call_internal.h"

#define TALK_FRAME    100
#define TALK_DATAGRAM (PSST_DATAGRAM_HEAD_LEN + TALK_FRAME + PSST_TAG_LEN)
#define TALK_STEP_NS  (20 * PSST_MS_NS)

struct talk_datagram {
    uint8_t data[PSST_DATAGRAM_HEAD_LEN + PSST_CALL_FRAME_MAX + PSST_TAG_LEN];
    size_t len; /* 0: it did not go by UDP */
};

struct talk {
    struct pair *pair;
    bool ab, ba; /* whether UDP gets through, at once */
    uint32_t timestamp;
    size_t by_udp[2], taken_by_udp[2]; /* frames sent by a, b; taken of a's, of b's */
};

/* The established pair has an active call, offered by a. */
void talk_begin(struct talk *t, struct pair *p);
/* The next frame of this end. */
struct talk_datagram talk_frame(struct talk *t, struct pair_end *from);
/* What came by UDP. */
enum psst_err talk_take(struct pair *p, struct pair_end *to, const struct talk_datagram *d);
/* Both speak for so long. */
void talk_for(struct talk *t, uint64_t ns);
/* The way of this end, now. */
enum psst_voice_way talk_way(struct pair *p, struct pair_end *end);
/* The caller begins a rekey at once. */
void talk_age_keys(struct pair *p);

#endif
