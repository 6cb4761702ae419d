#include "base/bucket.h"

#define SECOND_NS UINT64_C(1000000000)

static uint64_t time_of(const struct psst_bucket *bucket, uint64_t n)
{
    return (n * SECOND_NS + bucket->a_second - 1) / bucket->a_second; /* rounded up: rather less than too much */
}

void psst_bucket_init(struct psst_bucket *bucket, uint64_t a_second, uint64_t depth)
{
    *bucket = (struct psst_bucket){.a_second = a_second};
    if (a_second == 0) return;
    bucket->depth_ns = time_of(bucket, depth);
    if (bucket->depth_ns == 0) bucket->depth_ns = 1;
}

void psst_bucket_change(struct psst_bucket *bucket, uint64_t now_ns, uint64_t a_second, uint64_t depth)
{
    psst_bucket_init(bucket, a_second, depth);
    bucket->full_ns = now_ns + bucket->depth_ns;
}

uint64_t psst_bucket_wait_ns(const struct psst_bucket *bucket, uint64_t now_ns)
{
    if (bucket->a_second == 0 || bucket->full_ns <= now_ns) return 0;
    uint64_t missing_ns = bucket->full_ns - now_ns;
    return missing_ns < bucket->depth_ns ? 0 : missing_ns - bucket->depth_ns + 1;
}

void psst_bucket_take(struct psst_bucket *bucket, uint64_t now_ns, uint64_t n)
{
    if (bucket->a_second == 0) return;
    if (bucket->full_ns < now_ns) bucket->full_ns = now_ns;
    bucket->full_ns += time_of(bucket, n);
}

bool psst_bucket_try(struct psst_bucket *bucket, uint64_t now_ns, uint64_t n)
{
    if (psst_bucket_wait_ns(bucket, now_ns) > 0) return false;
    psst_bucket_take(bucket, now_ns, n);
    return true;
}
