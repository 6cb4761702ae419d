/* The one thread that waits for the disk. The loop hands it jobs; it takes all that are queued, runs them inside one
 * transaction (each in its own savepoint), commits, and only then are the `done` functions called, on the loop, in
 * order. That is what makes "nothing is acknowledged before it is committed" cheap: many messages share one fsync.
 */
#ifndef PSST_DAEMON_STORE_THREAD_H
#define PSST_DAEMON_STORE_THREAD_H

#include "store/store.h"

#include <uv.h>

struct psst_store_thread;
struct psst_store_job;

/* On the store thread. Must not touch anything of the loop's. What it returns goes to done, unless the commit fails. */
typedef enum psst_err psst_store_work(struct psst_store *store, void *arg);
/* On the loop, after the commit. err: PSST_OK means committed. Owns arg again (frees it). */
typedef void psst_store_done(void *arg, enum psst_err err, const char *words);

PSST_MUST_USE enum psst_err psst_store_thread_new(struct psst_store_thread **out, uv_loop_t *loop);
/* Runs what is queued to its end, closes the store, joins the thread (waits for that), then calls closed from the loop.
 */
void psst_store_thread_close(struct psst_store_thread *t, void (*closed)(void *ctx), void *ctx);

/* Opening and closing are jobs too. key is copied and wiped. */
void psst_store_thread_open(struct psst_store_thread *t, const char *path, const struct psst_store_key *key,
                            void (*opened)(void *ctx, enum psst_err err, const struct psst_diag *diag), void *ctx);
void psst_store_thread_shut(struct psst_store_thread *t, void (*shut)(void *ctx), void *ctx);

/* Queues one job; takes arg until done. Never blocks. While no store is open: done with PSST_ERR_LOCKED. When memory is
 * out, done is called with PSST_ERR_MEMORY from the next loop turn or at once. */
void psst_store_run(struct psst_store_thread *t, psst_store_work *work, psst_store_done *done, void *arg);
/* The same outside any transaction, alone: for what cannot be done inside one (a checkpoint, a snapshot). */
void psst_store_run_alone(struct psst_store_thread *t, psst_store_work *work, psst_store_done *done, void *arg);
/* Jobs queued and not yet done: for flow control. */
size_t psst_store_thread_backlog(const struct psst_store_thread *t);

#endif
