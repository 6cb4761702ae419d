/* The receiving half of a call: what the network brought, to what the speaker pulls.
 *
 *     put(timestamp, payload, now) -> jitter buffer -> decode | recover from FEC | conceal -> stretch or shrink -> pull
 *
 * The jitter buffer is ours: it looks at the packet after the missing one (FEC), aims at the 98th percentile of the delay,
 * follows a clock that is up to 300 ppm off without ever running dry or over, shrinks again after a burst, and never holds
 * more than 500 ms. It lives in virtual time: `now_ns` is any monotonic clock of the caller's. One thread. Nothing is
 * allocated after new. docs/VOICE.md, "Receiving".
 */
#ifndef PSST_MEDIA_RECEIVER_H
#define PSST_MEDIA_RECEIVER_H

#include "media/voice.h"

#define PSST_RECEIVER_HELD_MAX_MS 500

struct psst_receiver;
PSST_MUST_USE enum psst_err psst_receiver_new(struct psst_receiver **out);
void psst_receiver_free(struct psst_receiver *receiver);

/* A frame as it came off the wire, in any order, any number of times. Copied. An empty payload is a frame that holds
 * nothing (the other side's voice process is being restarted): no loss. What is garbage, has the wrong duration, is late,
 * double or jumps is dropped and counted. */
void psst_receiver_put(struct psst_receiver *receiver, uint32_t timestamp_samples, struct psst_view payload,
                       uint64_t now_ns);
/* The next for the speaker, always; silence before the first frame. samples: a whole part of a frame, as a rule the same. A
 * device that asks for little at a time hears what comes the sooner: a frame waits for the next pull, and for no whole frame. */
void psst_receiver_pull(struct psst_receiver *receiver, int16_t *pcm, size_t samples, uint64_t now_ns);

struct psst_receiver_stats {
    uint32_t received, lost, late, doubled, garbage; /* frames since new */
    uint32_t recovered, concealed;                   /* of the lost and late: by FEC; by libopus */
    uint32_t stretched, shrunk;                      /* samples */
    uint8_t loss_256;                                /* of the last second or so: what a report says */
    uint16_t jitter_ms; /* the 98th percentile of the delay over the smallest, same window as the target */
    uint16_t target_ms; /* what is aimed at */
    uint16_t held_ms;   /* between arrival and playout, now */
};
struct psst_receiver_stats psst_receiver_stats(const struct psst_receiver *receiver);

#endif
