/* Threads for what waits for the disk or computes for long, beside the loop.
 *
 * Of the threads that wait, the one that worked last has the next job. libuv's own pool takes the one that has waited longest:
 * then each block of a file goes to another thread, which the kernel wakes where it last ran, often behind the very loop that
 * woke it, while the other processor is idle. On two processors that cost a tenth of a file's throughput. */
#ifndef PSST_DAEMON_WORKERS_H
#define PSST_DAEMON_WORKERS_H

#include "base/err.h"

#include <uv.h>

#define PSST_WORKERS_MAX 4 /* threads; each begins when it is first needed */

struct psst_workers;

/* From start until done has begun it belongs to the workers. */
struct psst_work {
    void (*run)(struct psst_work *work);  /* in a thread */
    void (*done)(struct psst_work *work); /* then, on the loop; may free the work, and may start it again */
    void *data;                           /* the owner's */
    struct psst_work *next;               /* the workers' */
};

PSST_MUST_USE enum psst_err psst_workers_new(struct psst_workers **out, uv_loop_t *loop);
/* After the loop has run out (it does so only when no job is under way); runs it once more, for a handle. */
void psst_workers_free(struct psst_workers *workers);
uv_loop_t *psst_workers_loop(const struct psst_workers *workers);
/* From the loop. Jobs begin in their order. PSST_ERR_MEMORY: there is no thread, and none can be had; nothing was started. */
PSST_MUST_USE enum psst_err psst_workers_start(struct psst_workers *workers, struct psst_work *work);

#endif
