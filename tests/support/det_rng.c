#include "support/det_rng.h"

#include <stdio.h>
#include <stdlib.h>

static uint64_t splitmix64(uint64_t *state)
{
    uint64_t v = *state += UINT64_C(0x9e3779b97f4a7c15);
    v = (v ^ v >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    v = (v ^ v >> 27) * UINT64_C(0x94d049bb133111eb);
    return v ^ v >> 31;
}

static void fill_seeded(void *ctx, uint8_t *out, size_t len)
{
    struct det_rng *rng = ctx;
    while (len > 0) {
        uint8_t block[8];
        psst_store_u64(block, splitmix64(&rng->state));
        size_t n = len < sizeof block ? len : sizeof block;
        memcpy(out, block, n);
        out += n;
        len -= n;
    }
}

static void fill_scripted(void *ctx, uint8_t *out, size_t len)
{
    struct script_rng *rng = ctx;
    if (len > rng->left.len) {
        (void)fprintf(stderr, "script_rng: %zu bytes asked for, %zu left\n", len, rng->left.len);
        abort();
    }
    memcpy(out, rng->left.data, len);
    rng->left = psst_view(rng->left.data + len, rng->left.len - len);
}

struct det_rng det_rng(uint64_t seed)
{
    return (struct det_rng){.state = seed};
}

struct psst_rng det_rng_of(struct det_rng *rng)
{
    return (struct psst_rng){.fill = fill_seeded, .ctx = rng};
}

struct script_rng script_rng(struct psst_view script)
{
    return (struct script_rng){.left = script};
}

struct psst_rng script_rng_of(struct script_rng *rng)
{
    return (struct psst_rng){.fill = fill_scripted, .ctx = rng};
}
