/* A limit on how much flows: a bucket that fills up with time. Arithmetic only, the time is passed in; who waits, and with
 * what timer, is the caller's. It may be taken from while anything is in it, also more than there is: what is missing is a
 * debt that is paid before the next time. So pieces of any size get through any limit, and the average holds. */
#ifndef PSST_BASE_BUCKET_H
#define PSST_BASE_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

/* All zeros: no limit. */
struct psst_bucket {
    uint64_t a_second; /* what flows in; 0: no limit */
    uint64_t depth_ns; /* how long an empty one takes to be full */
    uint64_t full_ns;  /* when it is full again */
};

/* Full from the start. a_second and depth in the same unit, each at most 2^33; depth at least 1. */
void psst_bucket_init(struct psst_bucket *bucket, uint64_t a_second, uint64_t depth);
/* Another limit from now on, beginning empty: what is allowed does not come in one burst. */
void psst_bucket_change(struct psst_bucket *bucket, uint64_t now_ns, uint64_t a_second, uint64_t depth);
/* Nanoseconds until something may be taken; 0: now. */
uint64_t psst_bucket_wait_ns(const struct psst_bucket *bucket, uint64_t now_ns);
/* Takes n, at most 2^33, whatever is there. */
void psst_bucket_take(struct psst_bucket *bucket, uint64_t now_ns, uint64_t n);
/* Takes n when something may be taken. */
bool psst_bucket_try(struct psst_bucket *bucket, uint64_t now_ns, uint64_t n);

#endif
