#include "crypto/crypto.h"

uint64_t psst_rng_range(const struct psst_rng *rng, uint64_t lo, uint64_t hi)
{
    uint64_t span = hi - lo;
    uint64_t mask = span;
    for (unsigned shift = 1; shift < 64; shift *= 2) mask |= mask >> shift;
    /* at least every second draw is within, whatever the span */
    for (;;) {
        uint8_t b[8];
        rng->fill(rng->ctx, b, sizeof b);
        uint64_t v = psst_load_u64(b) & mask;
        if (v <= span) return lo + v;
    }
}
