/* A bad line in virtual time, from a seed, and a call over it: encoder, line, receiver. Used by the receiver's tests and by
 * bench_receiver. Times in ms are real numbers, so that nothing falls onto a grid by itself. */
#ifndef PSST_TESTS_MEDIA_LINE_H
#define PSST_TESTS_MEDIA_LINE_H

#include "media/codec.h"
#include "media/receiver.h"

enum line_kind { LINE_UNIFORM, LINE_EXPONENTIAL, LINE_GAUSSIAN };

struct line_profile {
    double delay_ms,
        jitter_ms; /* uniform: 0 to jitter; exponential: its mean; gaussian: its deviation, never under 0 */
    enum line_kind kind;
    double loss, doubled; /* of all frames */
    double burst;         /* mean length of a row of lost ones; 0 and 1: each by itself */
    /* an outage: frames sent in it are lost, or all come at its end */
    double outage_from_ms, outage_to_ms;
    bool outage_holds;
    double drift_ppm; /* the sender's clock against the receiver's: positive, it is faster */
};

#define LINE_WAITING 1024

struct line_frame {
    double at_ms;
    uint32_t timestamp;
    size_t len;
    uint8_t payload[PSST_VOICE_OPUS_MAX + 8];
};

struct line {
    struct line_profile profile;
    uint64_t random;
    bool bad;
    size_t count; /* in order of arrival */
    struct line_frame waiting[LINE_WAITING];
};

void line_init(struct line *line, const struct line_profile *profile, uint64_t seed);
double line_random(struct line *line); /* 0 to 1 */
void line_send(struct line *line, double now_ms, uint32_t timestamp, const void *payload, size_t len);
/* The next that has arrived by now; false: none. */
bool line_receive(struct line *line, double now_ms, struct line_frame *out);

struct line_call {
    struct line_profile profile;
    uint64_t seed;
    size_t bytes;    /* of each payload */
    unsigned fec;    /* announced loss in percent, 0: no FEC */
    double phase_ms; /* of the pulls against the sender's frames */
    double pull_jitter_ms;
    size_t piece;       /* samples of each pull, a whole part of a frame; 0: a frame */
    uint32_t timestamp; /* of the first frame */
    size_t frames;
    size_t loop; /* 0, or: what was said in the first so many frames is said again and again; it must be the
                  * same in all calls of a program with the same bytes and fec, and is encoded once for them */
    /* what is said in frame n (NULL: frames that hold nothing are sent), what is heard in the n-th 20 ms */
    void (*say)(void *ctx, size_t n, int16_t pcm[PSST_VOICE_FRAME_SAMPLES]);
    void (*hear)(void *ctx, size_t n, double now_ms, const int16_t pcm[PSST_VOICE_FRAME_SAMPLES],
                 const struct psst_receiver *receiver);
    /* may change what is sent with frame n, or give len 0; may be NULL */
    void (*bend)(void *ctx, size_t n, uint32_t *timestamp, uint8_t *payload, size_t *len);
    void *ctx;
};

/* Frame n is handed over at n * 20 ms of the sender's clock; the first pull of the n-th 20 ms is at phase + n * 20 ms. As many
 * of those as frames. */
void line_play(const struct line_call *call);

#endif
