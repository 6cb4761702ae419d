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
/* Runs what is queued to its end and closes the store, which may take minutes when much is to be erased; the loop turns
 * meanwhile. Then calls closed from the loop. */
void psst_store_thread_close(struct psst_store_thread *t, void (*closed)(void *ctx), void *ctx);

/* Opening and closing are jobs too. key is copied and wiped. A damaged store is opened for reading only when there is
 * something of it to read: PSST_OK as well, and is_rescue says so. */
void psst_store_thread_open(struct psst_store_thread *t, const char *path, const struct psst_store_key *key,
                            void (*opened)(void *ctx, enum psst_err err, const struct psst_diag *diag), void *ctx);
/* The store that is open and has met damage gives its place to a handle that only reads; PSST_ERR_DAMAGED: nothing can be
 * read, and none is open. */
void psst_store_thread_rescue(struct psst_store_thread *t, const char *path, const struct psst_store_key *key,
                              void (*opened)(void *ctx, enum psst_err err, const struct psst_diag *diag), void *ctx);
/* Whether the store that was opened last is only read, and what of it cannot be read. Kept until the next opening. */
bool psst_store_thread_is_rescue(const struct psst_store_thread *t);
const struct psst_store_part *psst_store_thread_parts(const struct psst_store_thread *t, size_t *n);
/* Called on the loop, once for each store that was open for writing and has met damage, after the jobs that met it. */
void psst_store_thread_on_damage(struct psst_store_thread *t, void (*damaged)(void *ctx), void *ctx);
void psst_store_thread_shut(struct psst_store_thread *t, void (*shut)(void *ctx), void *ctx);

/* Queues one job; takes arg until done. Never blocks. While no store is open: done with PSST_ERR_LOCKED. When memory is
 * out, done is called with PSST_ERR_MEMORY from the next loop turn or at once. */
void psst_store_run(struct psst_store_thread *t, psst_store_work *work, psst_store_done *done, void *arg);
/* The same outside any transaction, alone: for what cannot be done inside one (a checkpoint, a snapshot). */
void psst_store_run_alone(struct psst_store_thread *t, psst_store_work *work, psst_store_done *done, void *arg);
/* Jobs queued and not yet done: for flow control. */
size_t psst_store_thread_backlog(const struct psst_store_thread *t);

#endif
