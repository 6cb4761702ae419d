/* How fast a transfer runs, and how long it still takes: smoothed over some seconds, so that people can read it. Arithmetic
 * only, the time is passed in. */
#ifndef PSST_DAEMON_TRANSFERS_PACE_H
#define PSST_DAEMON_TRANSFERS_PACE_H

#include <stdbool.h>
#include <stdint.h>

struct psst_pace {
    uint64_t begun_ns, at_ns, bytes;
    double rate; /* bytes a second */
};

/* A run begins, with so many bytes done before it. */
void psst_pace_begin(struct psst_pace *pace, uint64_t now_ns, uint64_t bytes);
/* So many are done now. Calls that follow each other within a tenth of a second are left for the next one. */
void psst_pace_step(struct psst_pace *pace, uint64_t now_ns, uint64_t bytes);
/* Bytes a second; 0: not known (yet), or nothing moves. */
uint64_t psst_pace_rate(const struct psst_pace *pace);
/* Milliseconds for what is left; false: not known. */
bool psst_pace_left_ms(const struct psst_pace *pace, uint64_t left_bytes, uint64_t *left_ms);

#endif
