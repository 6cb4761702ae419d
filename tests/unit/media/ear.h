/* Who listens in the receiver's tests: keeps what was heard of a call that says something like speech, and finds how
 * late it is. */
#ifndef PSST_TESTS_MEDIA_EAR_H
#define PSST_TESTS_MEDIA_EAR_H

#include "line.h"

struct ear {
    size_t frames;
    int16_t *heard;
    struct psst_receiver_stats *stats; /* after each pull */
    double *at_ms;
};

/* A call of so many frames with a payload of 32 kbit/s over that line; the same 5 s are said again and again. What it does
 * not set may be changed before ear_listen. */
struct line_call ear_call(struct ear *ear, size_t frames, const struct line_profile *profile);
void ear_listen(const struct line_call *call);
void ear_free(struct ear *ear);

/* How late is what was heard in the 400 ms from pull n on: from a frame's handing over to the pull of its sound, the codec's
 * 6.5 ms and the line's delay included. likeness: 0 to 1; under about 0.6 it was not found. */
double ear_delay_ms(const struct ear *ear, size_t n, double *likeness);
/* The median over pulls from..to of where it was found; and in what part of the places with sound that was. */
double ear_median_ms(const struct ear *ear, size_t from, size_t to, double *found);

#endif
