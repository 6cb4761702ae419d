#include "daemon/transfers/pace.h"

#define SECOND_NS UINT64_C(1000000000)
#define STEP_NS   (SECOND_NS / 10)
#define SMOOTH_NS (3 * SECOND_NS)     /* what was longer ago counts less and less */
#define LEFT_MAX  (UINT64_C(1) << 53) /* nobody waits for so long */

void psst_pace_begin(struct psst_pace *pace, uint64_t now_ns, uint64_t bytes)
{
    *pace = (struct psst_pace){.begun_ns = now_ns, .at_ns = now_ns, .bytes = bytes};
}

void psst_pace_step(struct psst_pace *pace, uint64_t now_ns, uint64_t bytes)
{
    if (now_ns < pace->at_ns + STEP_NS) return;
    uint64_t passed_ns = now_ns - pace->at_ns;
    uint64_t moved = bytes > pace->bytes ? bytes - pace->bytes : 0;
    double rate = (double)moved * (double)SECOND_NS / (double)passed_ns;
    /* at the beginning the mean of all there is, so that the first figure is no accident of its first tenth */
    uint64_t before_ns = pace->at_ns - pace->begun_ns;
    if (before_ns > SMOOTH_NS) before_ns = SMOOTH_NS;
    double old = (double)before_ns / (double)(before_ns + passed_ns);
    pace->rate = pace->rate * old + rate * (1 - old);
    pace->at_ns = now_ns;
    pace->bytes = bytes;
}

uint64_t psst_pace_rate(const struct psst_pace *pace)
{
    return pace->rate < 1 ? 0 : (uint64_t)pace->rate;
}

bool psst_pace_left_ms(const struct psst_pace *pace, uint64_t left_bytes, uint64_t *left_ms)
{
    if (pace->rate < 1) return false;
    double ms = (double)left_bytes * 1000 / pace->rate;
    if (ms > (double)LEFT_MAX) return false;
    *left_ms = (uint64_t)ms;
    return true;
}
