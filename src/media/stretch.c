#include "media/stretch.h"

#include <math.h>

#define WINDOW 480 /* samples that are compared, 10 ms */
#define COARSE 4   /* first one offset in four, one sample in four; then each */
#define ALIKE  0.7 /* of 1: a period; under it: not unheard */

unsigned psst_stretch_rms(const int16_t *pcm, size_t len)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < len; i++) sum += (uint64_t)((int64_t)pcm[i] * pcm[i]);
    return len > 0 ? (unsigned)sqrt((double)(sum / len)) : 0;
}

void psst_stretch_fade(int16_t *out, const int16_t *a, const int16_t *b, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        int64_t n = (int64_t)len;
        int64_t mix = ((int64_t)a[i] * (n - (int64_t)i) + (int64_t)b[i] * (int64_t)i) / n;
        out[i] = (int16_t)mix;
    }
}

/* -1 to 1; 1 when both are silence: then every offset is as good */
static double likeness(const int16_t *a, const int16_t *b, size_t len, size_t step)
{
    int64_t ab = 0, aa = 0, bb = 0;
    for (size_t i = 0; i < len; i += step) {
        ab += (int64_t)a[i] * b[i];
        aa += (int64_t)a[i] * a[i];
        bb += (int64_t)b[i] * b[i];
    }
    if (aa == 0 || bb == 0) return aa == bb ? 1 : 0;
    return (double)ab / sqrt((double)aa * (double)bb);
}

/* The offset (forwards or backwards) at which the samples at pcm are most like themselves. */
static size_t period(const int16_t *pcm, size_t window, size_t most, bool back, double *alike)
{
    size_t best = 0;
    *alike = -2;
    for (size_t step = COARSE; step > 0; step = step == COARSE ? 1 : 0) {
        size_t from = PSST_STRETCH_MIN, to = most;
        if (step == 1) {
            from = best > PSST_STRETCH_MIN + COARSE ? best - COARSE : PSST_STRETCH_MIN;
            if (best + COARSE < most) to = best + COARSE;
            *alike = -2;
        }
        for (size_t offset = from; offset <= to; offset += step) {
            double is = likeness(pcm, back ? pcm - offset : pcm + offset, window, step);
            if (is > *alike) {
                *alike = is;
                best = offset;
            }
        }
    }
    return best;
}

static size_t window_of(size_t len)
{
    return len < WINDOW ? len : WINDOW;
}

static void drop(int16_t *pcm, size_t len, size_t gone)
{
    psst_stretch_fade(pcm, pcm, pcm + gone, PSST_STRETCH_FADE);
    memmove(pcm + PSST_STRETCH_FADE, pcm + PSST_STRETCH_FADE + gone, (len - gone - PSST_STRETCH_FADE) * sizeof *pcm);
}

size_t psst_stretch_cut(int16_t *pcm, size_t len, size_t most)
{
    if (len < most + PSST_STRETCH_FADE) return 0;
    drop(pcm, len, most);
    return most;
}

size_t psst_stretch_shrink(int16_t *pcm, size_t len, size_t most, bool must)
{
    double alike;
    if (most > PSST_STRETCH_MAX) most = PSST_STRETCH_MAX;
    if (most < PSST_STRETCH_MIN || len < most + PSST_STRETCH_FADE) return 0;
    size_t gone = period(pcm, window_of(len - most), most, false, &alike);
    if (alike < ALIKE && !must) return 0;
    drop(pcm, len, gone);
    return gone;
}

size_t psst_stretch_grow(int16_t *pcm, size_t len, size_t most, bool must)
{
    double alike;
    if (most > PSST_STRETCH_MAX) most = PSST_STRETCH_MAX;
    if (most < PSST_STRETCH_MIN || len < PSST_STRETCH_FADE) return 0;
    size_t add = period(pcm, window_of(len), most, true, &alike);
    if (alike < ALIKE && !must) return 0;
    int16_t seam[PSST_STRETCH_FADE];
    psst_stretch_fade(seam, pcm, pcm - add, PSST_STRETCH_FADE);
    /* behind the seam goes what followed the earlier period: the samples from FADE - add on, some of them played ones */
    memmove(pcm + PSST_STRETCH_FADE, pcm + PSST_STRETCH_FADE - (ptrdiff_t)add,
            (len + add - PSST_STRETCH_FADE) * sizeof *pcm);
    memcpy(pcm, seam, sizeof seam);
    return add;
}
