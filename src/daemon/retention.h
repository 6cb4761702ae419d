/* Erasing what is not kept any longer (store: erase.c): what a contact's setting says, what is to be forgotten, contacts that
 * were removed. On the loop thread, as all of psstd.
 *
 *   a round:  psst_store_tidy, step by step, each a job of its own, so that messages go in between
 *             -> psst_store_scrub, alone -> whoever waits is told -> one timer, to the night after something is due next
 *
 * Whose messages have gone, the event `contact.forgotten` tells, whatever made them go.
 *
 * A round begins after unlocking, when a setting changed, when somebody asks, when something is due, and half a minute after
 * texts were erased on their way. Without anything due there is no timer.
 */
#ifndef PSST_DAEMON_RETENTION_H
#define PSST_DAEMON_RETENTION_H

#include "daemon/daemon.h"

PSST_MUST_USE enum psst_err psst_retention_new(struct psst_retention **out, struct psst_daemon *d);
void psst_retention_close(struct psst_retention *retention); /* its timer; free after the loop has run out */
void psst_retention_free(struct psst_retention *retention);
void psst_retention_loaded(struct psst_retention *retention);   /* unlocked: the store is open */
void psst_retention_unloaded(struct psst_retention *retention); /* before it is closed; whoever waits is told: LOCKED */

/* Something is to go that the store knows of already: done is called once it is gone from it. */
typedef void psst_retention_done(void *ctx, enum psst_err err, const char *words);
void psst_retention_run(struct psst_retention *retention, psst_retention_done *done, void *ctx);
/* A text of a contact that keeps none was erased: the write-ahead log is truncated within half a minute. */
void psst_retention_soon(struct psst_retention *retention);
/* The clock was set, or the machine has slept: what is due is looked at again. */
void psst_retention_look(struct psst_retention *retention);

#endif
