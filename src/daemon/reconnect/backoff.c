#include "daemon/reconnect/backoff.h"

#define SECOND_NS UINT64_C(1000000000)
#define HOT_NS    (120 * SECOND_NS)
#define GROWTH    20 /* after that, a second more every 20 */

struct pace {
    uint64_t first_ns, cap_ns;
    unsigned percent; /* growth with each try */
};

/* The pause is drawn from its upper half. */
static const struct pace paces[PSST_PACES] = {
    [PSST_PACE_NONE] = {300 * SECOND_NS, 300 * SECOND_NS, 100},
    [PSST_PACE_BROKE] = {2 * SECOND_NS, 8 * SECOND_NS, 100}, /* it grows with age */
    [PSST_PACE_URGENT] = {2 * SECOND_NS, 2 * SECOND_NS, 100},
    [PSST_PACE_AWAY] = {4 * SECOND_NS, 60 * SECOND_NS, 150},
    [PSST_PACE_COLD] = {5 * SECOND_NS, 300 * SECOND_NS, 170},
};

static uint64_t upper_half(uint64_t ns, uint64_t cap_ns, const struct psst_rng *rng)
{
    if (ns > cap_ns) ns = cap_ns;
    return psst_rng_range(rng, ns / 2, ns);
}

uint64_t psst_backoff_ns(enum psst_pace pace, uint64_t age_ns, unsigned tries, const struct psst_rng *rng)
{
    const struct pace *p = &paces[pace];
    uint64_t ns = p->first_ns;
    if (pace == PSST_PACE_BROKE && age_ns > HOT_NS) ns += (age_ns - HOT_NS) / GROWTH;
    for (unsigned i = 0; i < tries && p->percent > 100 && ns < p->cap_ns; i++) ns += ns * (p->percent - 100) / 100;
    return upper_half(ns, p->cap_ns, rng);
}

uint64_t psst_backoff_short_ns(unsigned n, const struct psst_rng *rng)
{
    const uint64_t cap_ns = paces[PSST_PACE_COLD].cap_ns;
    uint64_t ns = 2 * SECOND_NS;
    for (unsigned i = 1; i < n && ns < cap_ns; i++) ns *= 2;
    return upper_half(ns, cap_ns, rng);
}
