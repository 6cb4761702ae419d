/* The jitter buffer: frames by their place in the stream, what became of them, and how far behind their arrival to play.
 *
 * The stream is cut into frames of 960 samples, counted from the one that it was synchronised with; `next` is the one that is
 * decoded next. Times are samples at 48 kHz of the caller's monotonic clock. Knows nothing of Opus. Part of the receiver.
 */
#ifndef PSST_MEDIA_JITTER_H
#define PSST_MEDIA_JITTER_H

#include "media/delays.h"

#define PSST_JITTER_AHEAD 24  /* frames from `next` on: 480 ms; with what is decoded and not yet played at most 500 */
#define PSST_JITTER_SLOTS 32  /* those, and the one before `next` */
#define PSST_JITTER_FATES 256 /* frames whose fate is remembered, 5 s */

struct psst_jitter_slot {
    bool full;
    uint16_t len; /* 0: a frame that holds nothing */
    int64_t arrived;
    uint8_t payload[PSST_VOICE_OPUS_MAX];
};

enum psst_jitter_fate { PSST_FATE_UNKNOWN, PSST_FATE_USED, PSST_FATE_MISSING, PSST_FATE_LATE };

enum psst_jitter_verdict {
    PSST_JITTER_TAKEN,
    PSST_JITTER_DOUBLED,
    PSST_JITTER_LATE,   /* its turn is over; it may still be in its slot, to mend what has not been heard yet */
    PSST_JITTER_STRAY,  /* belongs nowhere near */
    PSST_JITTER_RESYNC, /* taken as the first of a new stream: what was there is forgotten */
};

struct psst_jitter {
    bool synced;
    int64_t stamp;  /* the last that was taken, without the wrap at 2^32 */
    int64_t origin; /* stamp of frame 0 */
    int64_t next;
    bool playing; /* something was asked for since it was synchronised */
    struct psst_jitter_slot slots[PSST_JITTER_SLOTS];
    uint8_t fates[PSST_JITTER_FATES]; /* of the frames before next */
    unsigned missing;                 /* among those: never came, so far */
    struct psst_delays delays;
    struct psst_pulls pulls;
    int64_t fec_until; /* the frame up to which FEC counts on being there */
    int64_t need_slow; /* the most that was needed, falling slowly */
    bool strayed;      /* frames that fit nowhere, but each other: */
    unsigned strays;
    int64_t stray_since, stray_now, stray_transit;
};

void psst_jitter_init(struct psst_jitter *jitter);
/* payload: of at most PSST_VOICE_OPUS_MAX bytes, and good. fec: it carries the frame before it. */
enum psst_jitter_verdict psst_jitter_put(struct psst_jitter *jitter, uint32_t timestamp, struct psst_view payload,
                                         bool fec, int64_t now);
/* NULL when it is not there. Valid until the next put; from next - 1 to next + PSST_JITTER_AHEAD - 1. */
const struct psst_jitter_slot *psst_jitter_at(const struct psst_jitter *jitter, int64_t frame);
/* next is over: it was used, or was missing. */
void psst_jitter_advance(struct psst_jitter *jitter);
/* Gives up the frames before `frame`. */
void psst_jitter_skip(struct psst_jitter *jitter, int64_t frame);

/* The transit that playout should keep, now: 98 of 100 frames are there in time, and with FEC enough of those behind a lost one. */
int64_t psst_jitter_need(const struct psst_jitter *jitter);
/* A pull of `piece` samples, a whole part of a frame, comes at `at`, by the clock of the pulls, and `position` of the stream
 * comes next. Returns how far playout is behind (positive: shrink by so much) or ahead (negative: grow) of where it should be;
 * 0 when it is good where it is. *aim: where it should be. */
int64_t psst_jitter_steer(struct psst_jitter *jitter, int64_t position, int64_t at, int64_t piece, int64_t *aim);

#endif
