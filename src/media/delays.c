#include "media/delays.h"

#define MS          48
#define ODD_OVER    (100 * MS)  /* so much over the 98th percentile is an outage, not jitter */
#define ODD_LASTS   (300 * MS)  /* ... which is the new normal when it lasts, */
#define ODD_AGAIN   (5000 * MS) /* ... or comes again so soon */
#define KNOWN_MIN   50
#define STALL       (40 * MS) /* pulls that are all so much later than the earliest: the device has stood still */
#define STALL_PULLS 5

void psst_delays_init(struct psst_delays *delays)
{
    memset(delays, 0, sizeof *delays);
    delays->odd_last = INT64_MIN / 2;
}

static size_t place(const struct psst_delays *d, int64_t transit)
{
    size_t low = 0, high = d->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (d->sorted[middle] < transit)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Ramjee's spike: from the first frame that is far too late until one is as early as they use to be. */
static bool outage(struct psst_delays *d, int64_t transit, int64_t now)
{
    if (d->count < KNOWN_MIN) return false;
    int64_t usual = psst_delays_quantile(d, 980);
    if (!d->odd) {
        if (transit <= usual + ODD_OVER) return false;
        bool again = now - d->odd_last < ODD_AGAIN;
        d->odd = !again;
        d->odd_since = now;
        d->odd_last = now;
        return d->odd;
    }
    d->odd_last = now;
    d->odd = transit > usual && now - d->odd_since < ODD_LASTS;
    return d->odd;
}

void psst_delays_learn(struct psst_delays *delays, int64_t transit, int64_t now)
{
    if (outage(delays, transit, now)) return;
    if (delays->count == PSST_DELAYS_FRAMES) {
        size_t old = place(delays, delays->ring[delays->at]);
        memmove(&delays->sorted[old], &delays->sorted[old + 1], (delays->count - old - 1) * sizeof delays->sorted[0]);
        delays->count--;
    }
    size_t new = place(delays, transit);
    memmove(&delays->sorted[new + 1], &delays->sorted[new], (delays->count - new) * sizeof delays->sorted[0]);
    delays->sorted[new] = transit;
    delays->ring[delays->at] = transit;
    delays->at = (delays->at + 1) % PSST_DELAYS_FRAMES;
    delays->count++;
}

int64_t psst_delays_quantile(const struct psst_delays *delays, unsigned permille)
{
    if (delays->count == 0) return 0;
    size_t i = (delays->count * permille + 999) / 1000;
    if (i > delays->count) i = delays->count;
    return delays->sorted[i > 0 ? i - 1 : 0];
}

int64_t psst_delays_share(const struct psst_delays *delays, int64_t transit)
{
    return delays->count > 0 ? (int64_t)(place(delays, transit + 1) * 1000 / delays->count) : 0;
}

void psst_pulls_init(struct psst_pulls *pulls)
{
    memset(pulls, 0, sizeof *pulls);
}

void psst_pulls_learn(struct psst_pulls *pulls, int64_t offset)
{
    pulls->behind = pulls->count > 0 && offset > pulls->base + STALL ? pulls->behind + 1 : 0;
    if (pulls->behind >= STALL_PULLS) { /* what was before it says nothing any more */
        psst_pulls_init(pulls);
    }
    pulls->ring[pulls->at] = offset;
    pulls->at = (pulls->at + 1) % PSST_PULLS;
    if (pulls->count < PSST_PULLS) pulls->count++;
    pulls->base = pulls->ring[0];
    for (size_t i = 1; i < pulls->count; i++)
        if (pulls->ring[i] < pulls->base) pulls->base = pulls->ring[i];
}
