/* How late frames are: the last few seconds of arrival times, sorted, and the clock of the pulls. Times and positions are
 * samples at 48 kHz of one monotonic clock. Part of the receiver, used by jitter.c. */
#ifndef PSST_MEDIA_DELAYS_H
#define PSST_MEDIA_DELAYS_H

#include "media/voice.h"

#define PSST_DELAYS_FRAMES 400 /* 8 s */
#define PSST_PULLS         64  /* 1.3 s */

/* Transit: when a frame arrived, less where in the stream it belongs. Only differences of transits mean anything. */
struct psst_delays {
    int64_t ring[PSST_DELAYS_FRAMES], sorted[PSST_DELAYS_FRAMES];
    size_t count, at;
    /* an outage whose frames all come late at once is not learnt from, unless it lasts or comes again */
    bool odd;
    int64_t odd_since, odd_last;
};

void psst_delays_init(struct psst_delays *delays);
void psst_delays_learn(struct psst_delays *delays, int64_t transit, int64_t now);
/* Of those that are known: permille 0 is the smallest, 1000 the largest; 0 when none is known. */
int64_t psst_delays_quantile(const struct psst_delays *delays, unsigned permille);

/* How many in 1,000 are at most so large. */
int64_t psst_delays_share(const struct psst_delays *delays, int64_t transit);

/* When pulls come, less how much they have taken: constant for a device that runs evenly; what counts is the earliest. */
struct psst_pulls {
    int64_t ring[PSST_PULLS];
    size_t count, at;
    int64_t base; /* the smallest of the ring */
    unsigned behind;
};

void psst_pulls_init(struct psst_pulls *pulls);
void psst_pulls_learn(struct psst_pulls *pulls, int64_t offset);

#endif
