/*   loop:    start() --> waiting --.                           .--> done()
 *                                  | the worker that last      | async
 *   worker:                        '-> became idle: run() -----'
 */
#include "daemon/workers.h"

#include <stdbool.h>
#include <stdlib.h>

struct worker {
    struct psst_workers *workers;
    struct worker *next_idle;
    uv_thread_t thread;
    uv_cond_t cond;
    bool called; /* taken from the idle ones, and not awake yet */
};

struct list {
    struct psst_work *first, *last;
};

struct psst_workers {
    uv_loop_t *loop;
    uv_async_t async; /* keeps the loop running while a job is under way */
    size_t under_way; /* the loop's */
    struct worker workers[PSST_WORKERS_MAX];
    size_t n;
    uv_mutex_t mutex; /* over all that follows */
    struct worker *idle;
    struct list waiting, over;
    bool stopping;
};

static void list_add(struct list *list, struct psst_work *work)
{
    work->next = NULL;
    if (list->first == NULL)
        list->first = work;
    else
        list->last->next = work;
    list->last = work;
}

static struct psst_work *list_take(struct list *list)
{
    struct psst_work *work = list->first;
    if (work != NULL) list->first = work->next;
    return work;
}

/* ---- a worker ---- */

/* With the mutex held. NULL: it is time to end. */
static struct psst_work *next_work(struct worker *worker)
{
    struct psst_workers *w = worker->workers;
    struct psst_work *work = NULL;
    while ((work = list_take(&w->waiting)) == NULL && !w->stopping) {
        worker->next_idle = w->idle;
        w->idle = worker;
        worker->called = false;
        while (!worker->called) uv_cond_wait(&worker->cond, &w->mutex);
    }
    return work;
}

static void worker_main(void *arg)
{
    struct worker *worker = arg;
    struct psst_workers *w = worker->workers;
    struct psst_work *work;
    uv_mutex_lock(&w->mutex);
    while ((work = next_work(worker)) != NULL) {
        uv_mutex_unlock(&w->mutex);
        work->run(work);
        uv_mutex_lock(&w->mutex);
        list_add(&w->over, work);
        (void)uv_async_send(&w->async);
    }
    uv_mutex_unlock(&w->mutex);
}

/* With the mutex held. False: none is idle. */
static bool call_one(struct psst_workers *w)
{
    struct worker *worker = w->idle;
    if (worker == NULL) return false;
    w->idle = worker->next_idle;
    worker->called = true;
    uv_cond_signal(&worker->cond);
    return true;
}

/* False: there are enough, or no more can be had. */
static bool hire(struct psst_workers *w)
{
    if (w->n == PSST_WORKERS_MAX) return false;
    struct worker *worker = &w->workers[w->n];
    worker->workers = w;
    if (uv_cond_init(&worker->cond) != 0) return false;
    if (uv_thread_create(&worker->thread, worker_main, worker) != 0) {
        uv_cond_destroy(&worker->cond);
        return false;
    }
    w->n++;
    return true;
}

/* ---- the loop ---- */

static void on_async(uv_async_t *async)
{
    struct psst_workers *w = async->data;
    uv_mutex_lock(&w->mutex);
    struct list over = w->over;
    w->over = (struct list){NULL, NULL};
    uv_mutex_unlock(&w->mutex);
    struct psst_work *work;
    while ((work = list_take(&over)) != NULL) {
        if (--w->under_way == 0) uv_unref((uv_handle_t *)async);
        work->done(work);
    }
}

enum psst_err psst_workers_new(struct psst_workers **out, uv_loop_t *loop)
{
    struct psst_workers *w = calloc(1, sizeof *w);
    if (w == NULL) return PSST_ERR_MEMORY;
    w->loop = loop;
    if (uv_mutex_init(&w->mutex) != 0) {
        free(w);
        return PSST_ERR_MEMORY;
    }
    if (uv_async_init(loop, &w->async, on_async) != 0) {
        uv_mutex_destroy(&w->mutex);
        free(w);
        return PSST_ERR_MEMORY;
    }
    w->async.data = w;
    uv_unref((uv_handle_t *)&w->async);
    *out = w;
    return PSST_OK;
}

void psst_workers_free(struct psst_workers *w)
{
    if (w == NULL) return;
    uv_mutex_lock(&w->mutex);
    w->stopping = true;
    while (call_one(w)) continue;
    uv_mutex_unlock(&w->mutex);
    for (size_t i = 0; i < w->n; i++) {
        (void)uv_thread_join(&w->workers[i].thread);
        uv_cond_destroy(&w->workers[i].cond);
    }
    uv_close((uv_handle_t *)&w->async, NULL);
    (void)uv_run(w->loop, UV_RUN_DEFAULT);
    uv_mutex_destroy(&w->mutex);
    free(w);
}

uv_loop_t *psst_workers_loop(const struct psst_workers *w)
{
    return w->loop;
}

enum psst_err psst_workers_start(struct psst_workers *w, struct psst_work *work)
{
    uv_mutex_lock(&w->mutex);
    /* a new one looks for work by itself */
    bool ready = call_one(w) || hire(w) || w->n > 0;
    if (ready) list_add(&w->waiting, work);
    uv_mutex_unlock(&w->mutex);
    if (!ready) return PSST_ERR_MEMORY;
    if (w->under_way++ == 0) uv_ref((uv_handle_t *)&w->async);
    return PSST_OK;
}
