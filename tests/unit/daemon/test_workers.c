#include "daemon/workers.h"

#include "support/check.h"

#include <stdlib.h>

struct job {
    struct psst_work work;
    uv_sem_t *go; /* NULL: ends at once */
    uv_thread_t ran_in;
    unsigned place; /* as which it was done, from 1 */
};

static struct bench {
    uv_loop_t loop;
    struct psst_workers *workers;
    uv_mutex_t mutex;
    unsigned at_once, most_at_once, over;
} * b;

static int setup(void **state)
{
    (void)state;
    b = calloc(1, sizeof *b);
    return b == NULL || uv_loop_init(&b->loop) != 0 || uv_mutex_init(&b->mutex) != 0 ||
                   psst_workers_new(&b->workers, &b->loop) != PSST_OK
               ? -1
               : 0;
}

static int teardown(void **state)
{
    (void)state;
    psst_workers_free(b->workers);
    int rc = uv_loop_close(&b->loop);
    uv_mutex_destroy(&b->mutex);
    free(b);
    return rc;
}

static void count(int by)
{
    uv_mutex_lock(&b->mutex);
    b->at_once += (unsigned)by;
    if (b->at_once > b->most_at_once) b->most_at_once = b->at_once;
    uv_mutex_unlock(&b->mutex);
}

static void run(struct psst_work *work)
{
    struct job *job = work->data;
    job->ran_in = uv_thread_self();
    count(1);
    if (job->go != NULL) uv_sem_wait(job->go);
    count(-1);
}

static void done(struct psst_work *work)
{
    struct job *job = work->data;
    job->place = ++b->over;
}

static void start(struct job *job, uv_sem_t *go)
{
    *job = (struct job){.work = {.run = run, .done = done, .data = job}, .go = go};
    assert_ok(psst_workers_start(b->workers, &job->work));
}

static unsigned at_once(void)
{
    uv_mutex_lock(&b->mutex);
    unsigned n = b->at_once;
    uv_mutex_unlock(&b->mutex);
    return n;
}

static void workers__more_jobs_than_threads__are_all_done(void **state)
{
    (void)state;
    enum { JOBS = 3 * PSST_WORKERS_MAX };
    struct job jobs[JOBS];
    uv_sem_t go;
    assert_int_equal(0, uv_sem_init(&go, 0));
    for (size_t i = 0; i < JOBS; i++) start(&jobs[i], &go);
    while (at_once() < PSST_WORKERS_MAX) uv_sleep(1);
    for (size_t i = 0; i < JOBS; i++) uv_sem_post(&go);
    (void)uv_run(&b->loop, UV_RUN_DEFAULT); /* ends by itself */
    assert_int_equal(b->over, JOBS);
    assert_int_equal(b->most_at_once, PSST_WORKERS_MAX);
    assert_true(uv_thread_equal(&jobs[0].ran_in, &jobs[1].ran_in) == 0);
    uv_sem_destroy(&go);
}

static void workers__one_job_after_another__has_the_same_thread(void **state)
{
    (void)state;
    struct job jobs[PSST_WORKERS_MAX], next;
    uv_sem_t go[PSST_WORKERS_MAX];
    for (size_t i = 0; i < PSST_WORKERS_MAX; i++) {
        assert_int_equal(0, uv_sem_init(&go[i], 0));
        start(&jobs[i], &go[i]);
    }
    while (at_once() < PSST_WORKERS_MAX) uv_sleep(1);
    for (unsigned i = 0; i < PSST_WORKERS_MAX; i++) { /* all exist; they become idle one by one */
        uv_sem_post(&go[i]);
        while (b->over == i) (void)uv_run(&b->loop, UV_RUN_ONCE);
        assert_int_equal(jobs[i].place, i + 1);
        uv_sem_destroy(&go[i]);
    }
    uv_thread_t first = {0};
    for (unsigned i = 0; i < 20; i++) {
        start(&next, NULL);
        (void)uv_run(&b->loop, UV_RUN_DEFAULT);
        if (i == 0) first = next.ran_in;
        assert_true(uv_thread_equal(&first, &next.ran_in) != 0);
    }
}

static void again(struct psst_work *work)
{
    if (++b->over < 5) assert_ok(psst_workers_start(b->workers, work));
}

static void workers__a_job_that_is_over__may_be_started_again(void **state)
{
    (void)state;
    struct job job = {.work = {.run = run, .done = again, .data = &job}};
    assert_ok(psst_workers_start(b->workers, &job.work));
    assert_int_equal(b->over, 0); /* never from inside */
    (void)uv_run(&b->loop, UV_RUN_DEFAULT);
    assert_int_equal(b->over, 5);
}

static void workers__without_a_job__do_not_hold_the_loop(void **state)
{
    (void)state;
    assert_int_equal(0, uv_run(&b->loop, UV_RUN_DEFAULT));
    assert_int_equal(b->over, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(workers__more_jobs_than_threads__are_all_done, setup, teardown),
        cmocka_unit_test_setup_teardown(workers__one_job_after_another__has_the_same_thread, setup, teardown),
        cmocka_unit_test_setup_teardown(workers__a_job_that_is_over__may_be_started_again, setup, teardown),
        cmocka_unit_test_setup_teardown(workers__without_a_job__do_not_hold_the_loop, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
