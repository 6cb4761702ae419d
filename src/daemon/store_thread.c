/*   loop:  run() --> queue --.                                    .--> done()
 *                            | mutex, cond                        | mutex, async
 *   thread:                  `-> take all -> BEGIN                |
 *                                 SAVEPOINT job RELEASE, ...      |
 *                                 COMMIT (one fsync) -> finished -'
 *
 * Opening, shutting and what runs alone are jobs in the same queue and end a group. When a commit fails every job of its
 * group is told so, also those that had failed by themselves: what such a job saw may have been a row of the same group
 * that is now gone. */
#include "daemon/store_thread.h"

#include <stdio.h>
#include <stdlib.h>

#define GROUP_MAX 512 /* jobs in one commit: bounds how long the first waits for the last */

enum kind { KIND_WORK, KIND_ALONE, KIND_OPEN, KIND_RESCUE, KIND_SHUT };

struct psst_store_job {
    struct psst_store_job *next;
    enum kind kind;
    enum psst_err err;
    struct psst_diag diag; /* open: the sentence; work: the store's words */
    psst_store_work *work;
    psst_store_done *done;
    void *arg;
    void (*opened)(void *ctx, enum psst_err err, const struct psst_diag *diag);
    void (*shut)(void *ctx);
    char *path;
    struct psst_store_key key;
    bool rescue; /* opened so; parts: what cannot be read */
    struct psst_store_part *parts;
    size_t n_parts;
};

struct job_list {
    struct psst_store_job *first;
    struct psst_store_job **end;
};

struct psst_store_thread {
    uv_thread_t thread;
    uv_async_t async;
    uv_mutex_t mutex; /* over queue, finished, stopping, ended and damaged */
    uv_cond_t cond;
    struct job_list queue;
    struct job_list finished;
    bool stopping;
    bool ended;   /* the store is closed, and the thread about to be over */
    bool damaged; /* to be told */
    /* the loop's */
    bool rescue;
    struct psst_store_part *parts;
    size_t n_parts;
    void (*on_damage)(void *ctx);
    void *on_damage_ctx;
    size_t backlog;
    bool closing;
    struct psst_store_job *spare_shut; /* so that locking works without memory too */
    void (*closed)(void *ctx);
    void *closed_ctx;
    /* the thread's */
    struct psst_store *store;
    bool damage_told;
};

/* ---- lists ---- */

static void list_init(struct job_list *list)
{
    list->first = NULL;
    list->end = &list->first;
}

static void list_add(struct job_list *list, struct psst_store_job *job)
{
    job->next = NULL;
    *list->end = job;
    list->end = &job->next;
}

static void list_move(struct job_list *to, struct job_list *from)
{
    list_init(to);
    if (from->first == NULL) return;
    *to = *from;
    list_init(from);
}

static struct psst_store_job *list_take(struct job_list *list)
{
    struct psst_store_job *job = list->first;
    if (job == NULL) return NULL;
    list->first = job->next;
    if (list->first == NULL) list->end = &list->first;
    job->next = NULL;
    return job;
}

static void job_free(struct psst_store_job *job)
{
    PSST_WIPE(job->key);
    free(job->path);
    free(job->parts);
    free(job);
}

/* ---- the thread ---- */

static void keep_words(struct psst_store_job *job, enum psst_err err, const char *words)
{
    job->err = err;
    (void)snprintf(job->diag.text, sizeof job->diag.text, "%s", words);
}

static void finish(struct psst_store_thread *t, struct job_list *jobs)
{
    uv_mutex_lock(&t->mutex);
    struct psst_store_job *job;
    while ((job = list_take(jobs)) != NULL) list_add(&t->finished, job);
    uv_mutex_unlock(&t->mutex);
    (void)uv_async_send(&t->async);
}

static void run_in_savepoint(struct psst_store *store, struct psst_store_job *job)
{
    enum psst_err err = psst_store_savepoint(store);
    if (err == PSST_OK) {
        err = job->work(store, job->arg);
        psst_store_release(store, err == PSST_OK);
    }
    if (err != PSST_OK) keep_words(job, err, psst_store_error(store));
}

/* Nothing of it is written any more; the loop is told, once. */
static void look_for_damage(struct psst_store_thread *t)
{
    if (t->store == NULL || t->damage_told || !psst_store_is_damaged(t->store) || psst_store_is_rescue(t->store))
        return;
    t->damage_told = true;
    uv_mutex_lock(&t->mutex);
    t->damaged = true;
    uv_mutex_unlock(&t->mutex);
}

/* Runs the WORK jobs at the head of todo, up to GROUP_MAX, in one transaction. */
static void run_group(struct psst_store_thread *t, struct job_list *todo)
{
    struct job_list group;
    list_init(&group);
    enum psst_err err = t->store == NULL ? PSST_ERR_LOCKED : psst_store_begin(t->store);
    bool begun = err == PSST_OK;
    for (size_t n = 0; n < GROUP_MAX && todo->first != NULL && todo->first->kind == KIND_WORK; n++) {
        struct psst_store_job *job = list_take(todo);
        if (begun) run_in_savepoint(t->store, job);
        list_add(&group, job);
    }
    if (begun) err = psst_store_commit(t->store);
    if (err != PSST_OK) {
        const char *words = t->store == NULL ? "" : psst_store_error(t->store);
        for (struct psst_store_job *job = group.first; job != NULL; job = job->next) keep_words(job, err, words);
    }
    look_for_damage(t);
    finish(t, &group);
}

static void shut_store(struct psst_store_thread *t)
{
    psst_store_close(t->store);
    t->store = NULL;
    t->damage_told = false;
}

static void note_parts(struct psst_store_job *job, const struct psst_store *store)
{
    const struct psst_store_part *parts = psst_store_parts(store, &job->n_parts);
    job->rescue = psst_store_is_rescue(store);
    if (!job->rescue || job->n_parts == 0) return;
    job->parts = malloc(job->n_parts * sizeof *parts);
    if (job->parts == NULL)
        job->n_parts = 0;
    else
        memcpy(job->parts, parts, job->n_parts * sizeof *parts);
}

/* The handle that only reads stands before the other one is closed: see open_for_writing in store/db.c. */
static void open_store(struct psst_store_thread *t, struct psst_store_job *job)
{
    struct psst_store *store = NULL;
    struct psst_diag diag = {.text = ""};
    if (job->kind == KIND_OPEN) {
        shut_store(t);
        job->err = psst_store_open(&store, job->path, &job->key, false, &diag);
        if (job->err == PSST_ERR_DAMAGED) job->err = psst_store_open(&store, job->path, &job->key, true, &job->diag);
    } else {
        job->err = psst_store_open(&store, job->path, &job->key, true, &job->diag);
        shut_store(t);
    }
    if (job->err != PSST_OK) {
        (void)psst_fail(&job->diag, job->err, "%s", diag.text);
        return;
    }
    t->store = store;
    note_parts(job, store);
}

static void open_or_shut(struct psst_store_thread *t, struct psst_store_job *job)
{
    if (job->kind == KIND_SHUT)
        shut_store(t);
    else
        open_store(t, job);
    PSST_WIPE(job->key);
}

static void run_alone(struct psst_store_thread *t, struct psst_store_job *job)
{
    enum psst_err err = t->store == NULL ? PSST_ERR_LOCKED : job->work(t->store, job->arg);
    if (err != PSST_OK) keep_words(job, err, t->store == NULL ? "" : psst_store_error(t->store));
    look_for_damage(t);
}

static void run_special(struct psst_store_thread *t, struct psst_store_job *job)
{
    if (job->kind == KIND_ALONE)
        run_alone(t, job);
    else
        open_or_shut(t, job);
    struct job_list one;
    list_init(&one);
    list_add(&one, job);
    finish(t, &one);
}

static void thread_main(void *arg)
{
    struct psst_store_thread *t = arg;
    for (;;) {
        struct job_list todo;
        uv_mutex_lock(&t->mutex);
        while (t->queue.first == NULL && !t->stopping) uv_cond_wait(&t->cond, &t->mutex);
        list_move(&todo, &t->queue);
        uv_mutex_unlock(&t->mutex);
        if (todo.first == NULL) break; /* stopping, and nothing is left */
        while (todo.first != NULL) {
            if (todo.first->kind == KIND_WORK)
                run_group(t, &todo);
            else
                run_special(t, list_take(&todo));
        }
    }
    shut_store(t);
    uv_mutex_lock(&t->mutex);
    t->ended = true;
    uv_mutex_unlock(&t->mutex);
    (void)uv_async_send(&t->async);
}

/* ---- the loop ---- */

static void keep_parts(struct psst_store_thread *t, struct psst_store_job *job)
{
    free(t->parts);
    t->rescue = job->rescue;
    t->parts = job->parts;
    t->n_parts = job->n_parts;
    job->parts = NULL;
}

static void tell(struct psst_store_thread *t, struct psst_store_job *job)
{
    switch (job->kind) {
    case KIND_WORK:
    case KIND_ALONE: job->done(job->arg, job->err, job->diag.text); break;
    case KIND_OPEN:
    case KIND_RESCUE:
        keep_parts(t, job);
        job->opened(job->arg, job->err, &job->diag);
        break;
    case KIND_SHUT: job->shut(job->arg); break;
    }
}

/* True: the thread is over, and all that it did has been told. */
static bool deliver(struct psst_store_thread *t)
{
    struct job_list finished;
    uv_mutex_lock(&t->mutex);
    list_move(&finished, &t->finished);
    bool damaged = t->damaged;
    t->damaged = false;
    bool ended = t->ended;
    uv_mutex_unlock(&t->mutex);
    struct psst_store_job *job;
    while ((job = list_take(&finished)) != NULL) {
        t->backlog--;
        tell(t, job);
        job_free(job);
    }
    if (damaged && t->on_damage != NULL) t->on_damage(t->on_damage_ctx);
    return ended;
}

static void thread_free(struct psst_store_thread *t)
{
    uv_cond_destroy(&t->cond);
    uv_mutex_destroy(&t->mutex);
    free(t->spare_shut);
    free(t->parts);
    free(t);
}

static void on_closed(uv_handle_t *handle)
{
    struct psst_store_thread *t = handle->data;
    void (*closed)(void *ctx) = t->closed;
    void *ctx = t->closed_ctx;
    thread_free(t);
    if (closed != NULL) closed(ctx);
}

static void on_async(uv_async_t *async)
{
    struct psst_store_thread *t = async->data;
    if (!deliver(t) || uv_is_closing((uv_handle_t *)async)) return;
    (void)uv_thread_join(&t->thread); /* it has nothing left to do */
    uv_close((uv_handle_t *)async, on_closed);
}

static void on_abandoned(uv_handle_t *handle)
{
    thread_free(handle->data);
}

enum psst_err psst_store_thread_new(struct psst_store_thread **out, uv_loop_t *loop)
{
    struct psst_store_thread *t = calloc(1, sizeof *t);
    if (t == NULL) return PSST_ERR_MEMORY;
    t->spare_shut = calloc(1, sizeof *t->spare_shut);
    if (t->spare_shut == NULL) goto no_mutex;
    list_init(&t->queue);
    list_init(&t->finished);
    if (uv_mutex_init(&t->mutex) != 0) goto no_mutex;
    if (uv_cond_init(&t->cond) != 0) goto no_cond;
    if (uv_async_init(loop, &t->async, on_async) != 0) goto no_async;
    t->async.data = t;
    if (uv_thread_create(&t->thread, thread_main, t) != 0) {
        uv_close((uv_handle_t *)&t->async, on_abandoned); /* frees once the loop has turned */
        return PSST_ERR_MEMORY;
    }
    *out = t;
    return PSST_OK;
no_async:
    uv_cond_destroy(&t->cond);
no_cond:
    uv_mutex_destroy(&t->mutex);
no_mutex:
    free(t->spare_shut);
    free(t);
    return PSST_ERR_MEMORY;
}

void psst_store_thread_close(struct psst_store_thread *t, void (*closed)(void *ctx), void *ctx)
{
    if (t == NULL || t->closing) return;
    t->closing = true;
    t->closed = closed;
    t->closed_ctx = ctx;
    uv_mutex_lock(&t->mutex);
    t->stopping = true;
    uv_cond_signal(&t->cond);
    uv_mutex_unlock(&t->mutex);
}

static void enqueue(struct psst_store_thread *t, struct psst_store_job *job)
{
    t->backlog++;
    uv_mutex_lock(&t->mutex);
    list_add(&t->queue, job);
    uv_cond_signal(&t->cond);
    uv_mutex_unlock(&t->mutex);
}

static void open_as(struct psst_store_thread *t, enum kind kind, const char *path, const struct psst_store_key *key,
                    void (*opened)(void *ctx, enum psst_err err, const struct psst_diag *diag), void *ctx)
{
    struct psst_store_job *job = t->closing ? NULL : calloc(1, sizeof *job);
    char *copy = job == NULL ? NULL : strdup(path);
    if (copy == NULL) {
        free(job);
        struct psst_diag diag = {.text = ""};
        opened(ctx, t->closing ? PSST_ERR_LOCKED : PSST_ERR_MEMORY, &diag);
        return;
    }
    job->kind = kind;
    job->path = copy;
    job->key = *key;
    job->opened = opened;
    job->arg = ctx;
    enqueue(t, job);
}

void psst_store_thread_open(struct psst_store_thread *t, const char *path, const struct psst_store_key *key,
                            void (*opened)(void *ctx, enum psst_err err, const struct psst_diag *diag), void *ctx)
{
    open_as(t, KIND_OPEN, path, key, opened, ctx);
}

void psst_store_thread_rescue(struct psst_store_thread *t, const char *path, const struct psst_store_key *key,
                              void (*opened)(void *ctx, enum psst_err err, const struct psst_diag *diag), void *ctx)
{
    open_as(t, KIND_RESCUE, path, key, opened, ctx);
}

bool psst_store_thread_is_rescue(const struct psst_store_thread *t)
{
    return t->rescue;
}

const struct psst_store_part *psst_store_thread_parts(const struct psst_store_thread *t, size_t *n)
{
    *n = t->n_parts;
    return t->parts;
}

void psst_store_thread_on_damage(struct psst_store_thread *t, void (*damaged)(void *ctx), void *ctx)
{
    t->on_damage = damaged;
    t->on_damage_ctx = ctx;
}

void psst_store_thread_shut(struct psst_store_thread *t, void (*shut)(void *ctx), void *ctx)
{
    struct psst_store_job *job = t->closing ? NULL : calloc(1, sizeof *job);
    if (job == NULL && !t->closing) {
        job = t->spare_shut;
        t->spare_shut = NULL;
    }
    if (job == NULL) { /* closed, or being shut already */
        shut(ctx);
        return;
    }
    job->kind = KIND_SHUT;
    job->shut = shut;
    job->arg = ctx;
    enqueue(t, job);
}

static void run_work(struct psst_store_thread *t, enum kind kind, psst_store_work *work, psst_store_done *done,
                     void *arg)
{
    struct psst_store_job *job = t->closing ? NULL : calloc(1, sizeof *job);
    if (job == NULL) {
        done(arg, t->closing ? PSST_ERR_LOCKED : PSST_ERR_MEMORY, "");
        return;
    }
    job->kind = kind;
    job->work = work;
    job->done = done;
    job->arg = arg;
    enqueue(t, job);
}

void psst_store_run(struct psst_store_thread *t, psst_store_work *work, psst_store_done *done, void *arg)
{
    run_work(t, KIND_WORK, work, done, arg);
}

void psst_store_run_alone(struct psst_store_thread *t, psst_store_work *work, psst_store_done *done, void *arg)
{
    run_work(t, KIND_ALONE, work, done, arg);
}

size_t psst_store_thread_backlog(const struct psst_store_thread *t)
{
    return t->backlog;
}
