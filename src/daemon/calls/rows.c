/* Calls in the store. Nobody waits for these: a call that rings cannot wait for a disk. So the number of a row is given here,
 * one after the highest there is, and what is written follows in its order. */
#include "daemon/calls/internal.h"

#include <stdlib.h>

struct row_job {
    struct psst_calls *calls;
    struct psst_call_row row;
};

static void done(void *arg, enum psst_err err, const char *words)
{
    struct row_job *job = arg;
    if (err != PSST_OK && err != PSST_ERR_NOT_FOUND) /* a contact that was removed takes its calls along */
        psst_log_limited(&job->calls->d->log, PSST_LOG_WARNING, "call-not-noted", "reason=\"%s\"", words);
    free(job);
}

static void run(struct psst_calls *calls, psst_store_work *work, const struct psst_call_row *row)
{
    struct row_job *job = malloc(sizeof *job);
    if (job == NULL) return;
    *job = (struct row_job){calls, *row};
    psst_store_run(calls->d->store, work, done, job);
}

static enum psst_err begin_work(struct psst_store *store, void *arg)
{
    struct row_job *job = arg;
    return psst_store_call_begin(store, &job->row);
}

static enum psst_err answered_work(struct psst_store *store, void *arg)
{
    struct row_job *job = arg;
    return psst_store_call_answered(store, job->row.id, job->row.answered_ms);
}

static enum psst_err ended_work(struct psst_store *store, void *arg)
{
    struct row_job *job = arg;
    return psst_store_call_ended(store, job->row.id, job->row.result, job->row.ended_ms);
}

void psst_call_row_begin(struct psst_calls *calls, int64_t contact_id, enum psst_direction direction, int64_t id,
                         uint64_t began_ms)
{
    run(calls, begin_work,
        &(struct psst_call_row){.id = id, .contact_id = contact_id, .direction = direction, .began_ms = began_ms});
}

void psst_call_row_answered(struct psst_calls *calls, int64_t id, uint64_t now_ms)
{
    run(calls, answered_work, &(struct psst_call_row){.id = id, .answered_ms = now_ms});
}

void psst_call_row_ended(struct psst_calls *calls, int64_t id, enum psst_called result, uint64_t now_ms)
{
    run(calls, ended_work, &(struct psst_call_row){.id = id, .result = result, .ended_ms = now_ms});
}

/* ---- the highest number ---- */

static enum psst_err load_work(struct psst_store *store, void *arg)
{
    struct row_job *job = arg;
    return psst_store_call_last(store, &job->row.id);
}

static void loaded(void *arg, enum psst_err err, const char *words)
{
    struct row_job *job = arg;
    (void)words;
    if (err == PSST_OK) job->calls->last_id = job->row.id;
    free(job);
}

void psst_call_rows_load(struct psst_calls *calls)
{
    struct row_job *job = calloc(1, sizeof *job);
    if (job == NULL) return;
    job->calls = calls;
    psst_store_run(calls->d->store, load_work, loaded, job);
}
