#include "folder.h"

#include "daemon/store_thread.h"
#include "store/store_internal.h"
#include "support/fault_vfs.h"

#include <stdio.h>
#include <stdlib.h>

static const struct psst_store_key key = {.b = {1, 2, 3}};

struct bench {
    struct folder folder;
    uv_loop_t loop;
    struct psst_store_thread *t;
    uv_sem_t gate;    /* the gate job waits here: what is queued meanwhile becomes one group */
    uv_sem_t at_gate; /* and says here that it has begun */
    unsigned commits; /* written by the store thread, read after a job of it was told */
    char told[1024];  /* "name:err|" in the order of telling */
    bool closed;
};

static struct bench *bench; /* callbacks have one argument, and that is their job's */

/* ---- jobs ---- */

struct job {
    char name;
    enum psst_err result;
    int64_t contact; /* 0: writes nothing */
    unsigned id;
};

static int on_commit(void *ctx)
{
    ++*(unsigned *)ctx;
    return 0;
}

static enum psst_err write_one(struct psst_store *store, void *arg)
{
    struct job *job = arg;
    if (job->contact != 0) {
        struct psst_message_row row = {.contact_id = job->contact, .text = psst_view_str("x")};
        psst_store_u32(row.id.b, job->id);
        enum psst_err err = psst_store_message_out(store, &row);
        if (err != PSST_OK) return err;
    }
    return job->result;
}

static enum psst_err make_contact(struct psst_store *store, void *arg)
{
    struct job *job = arg;
    (void)sqlite3_commit_hook(store->db, on_commit, &bench->commits);
    struct psst_contact_row row = {.alias = "bob", .spki = psst_view_str("k"), .keep_history = true};
    enum psst_err err = psst_store_contact_put(store, &row);
    job->contact = row.id;
    return err;
}

static enum psst_err wait_at_gate(struct psst_store *store, void *arg)
{
    (void)store;
    (void)arg;
    uv_sem_post(&bench->at_gate);
    uv_sem_wait(&bench->gate);
    return PSST_OK;
}

static enum psst_err count_row(void *ctx, const struct psst_message_row *row)
{
    (void)row;
    ++*(unsigned *)ctx;
    return PSST_OK;
}

static enum psst_err count_rows(struct psst_store *store, void *arg)
{
    struct job *job = arg;
    job->id = 0;
    return psst_store_log(store, job->contact, 0, SIZE_MAX, count_row, &job->id);
}

static void note(const char *what, enum psst_err err)
{
    size_t len = strlen(bench->told);
    (void)snprintf(bench->told + len, sizeof bench->told - len, "%s:%s|", what, psst_err_name(err));
}

static void job_done(void *arg, enum psst_err err, const char *words)
{
    struct job *job = arg;
    const char name[2] = {job->name, '\0'};
    note(name, err);
    assert_non_null(words);
    if (err == PSST_OK) assert_string_equal(words, "");
}

static void on_opened(void *ctx, enum psst_err err, const struct psst_diag *diag)
{
    (void)ctx;
    if (err != PSST_OK) assert_true(strlen(diag->text) > 0);
    note("open", err);
}

static void on_shut(void *ctx)
{
    (void)ctx;
    note("shut", PSST_OK);
}

static void on_closed(void *ctx)
{
    assert_ptr_equal(ctx, bench);
    bench->closed = true;
}

/* ---- bench ---- */

static void turn_until_idle(void)
{
    while (psst_store_thread_backlog(bench->t) > 0) (void)uv_run(&bench->loop, UV_RUN_ONCE);
}

static void assert_told(const char *want)
{
    assert_string_equal(bench->told, want);
    bench->told[0] = '\0';
}

static void open_store(void)
{
    psst_store_thread_open(bench->t, folder_file(&bench->folder, "history"), &key, on_opened, NULL);
    turn_until_idle();
    assert_told("open:ok|");
}

static int64_t contact(void)
{
    struct job job = {.name = 'c'};
    psst_store_run(bench->t, make_contact, job_done, &job);
    turn_until_idle();
    assert_told("c:ok|");
    return job.contact;
}

static unsigned rows(int64_t of)
{
    struct job job = {.name = 'r', .contact = of};
    psst_store_run(bench->t, count_rows, job_done, &job);
    turn_until_idle();
    assert_told("r:ok|");
    return job.id;
}

/* Holds the store thread inside a job; what is run now is one group once the gate is opened. */
static void close_gate(struct job *gate)
{
    psst_store_run(bench->t, wait_at_gate, job_done, gate);
    uv_sem_wait(&bench->at_gate);
}

static int setup(void **state)
{
    fault_vfs_install();
    bench = calloc(1, sizeof *bench);
    if (bench == NULL) return -1;
    folder_init(&bench->folder);
    if (uv_loop_init(&bench->loop) != 0 || uv_sem_init(&bench->gate, 0) != 0 || uv_sem_init(&bench->at_gate, 0) != 0)
        return -1;
    *state = bench;
    return psst_store_thread_new(&bench->t, &bench->loop) == PSST_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    (void)fault_vfs_clear();
    if (!bench->closed) psst_store_thread_close(bench->t, on_closed, bench);
    (void)uv_run(&bench->loop, UV_RUN_DEFAULT);
    int rc = bench->closed && uv_loop_close(&bench->loop) == 0 ? 0 : -1;
    uv_sem_destroy(&bench->gate);
    uv_sem_destroy(&bench->at_gate);
    folder_fini(&bench->folder);
    free(bench);
    fault_vfs_uninstall();
    return rc;
}

/* ---- tests ---- */

static void jobs__without_a_store__are_told_locked(void **state)
{
    (void)state;
    struct job a = {.name = 'a'}, b = {.name = 'b'};
    psst_store_run(bench->t, write_one, job_done, &a);
    psst_store_run(bench->t, write_one, job_done, &b);
    assert_int_equal(psst_store_thread_backlog(bench->t), 2);
    assert_told(""); /* never from inside run */
    turn_until_idle();
    assert_told("a:locked|b:locked|");
}

static void open__with_another_key__is_told_and_stays_locked(void **state)
{
    (void)state;
    open_store();
    psst_store_thread_shut(bench->t, on_shut, NULL);
    struct psst_store_key wrong = {.b = {9}};
    psst_store_thread_open(bench->t, folder_file(&bench->folder, "history"), &wrong, on_opened, NULL);
    struct job a = {.name = 'a'};
    psst_store_run(bench->t, write_one, job_done, &a);
    turn_until_idle();
    assert_told("shut:ok|open:damaged|a:locked|");
    open_store();
}

static void jobs__queued_together__share_one_commit_in_order(void **state)
{
    (void)state;
    open_store();
    int64_t bob = contact();
    struct job gate = {.name = 'g'};
    struct job jobs[20];
    close_gate(&gate);
    for (unsigned i = 0; i < 20; i++) {
        jobs[i] = (struct job){.name = (char)('A' + i), .contact = bob, .id = i};
        psst_store_run(bench->t, write_one, job_done, &jobs[i]);
    }
    assert_int_equal(psst_store_thread_backlog(bench->t), 21);
    unsigned before = bench->commits; /* the thread waits at the gate */
    uv_sem_post(&bench->gate);
    turn_until_idle();
    assert_told("g:ok|A:ok|B:ok|C:ok|D:ok|E:ok|F:ok|G:ok|H:ok|I:ok|J:ok|K:ok|L:ok|M:ok|N:ok|O:ok|P:ok|Q:ok|R:ok|S:ok|"
                "T:ok|");
    assert_int_equal(bench->commits - before, 1); /* the gate's own group wrote nothing */
    assert_int_equal(rows(bob), 20);
}

static void job__that_fails__is_undone_alone(void **state)
{
    (void)state;
    open_store();
    int64_t bob = contact();
    struct job gate = {.name = 'g'};
    struct job a = {.name = 'a', .contact = bob, .id = 1};
    struct job b = {.name = 'b', .contact = bob, .id = 2, .result = PSST_ERR_PROTOCOL}; /* wrote, then failed */
    struct job c = {.name = 'c', .contact = bob, .id = 1};                              /* the same id again */
    struct job d = {.name = 'd', .contact = bob, .id = 2};
    close_gate(&gate);
    struct job *const jobs[] = {&a, &b, &c, &d};
    for (size_t i = 0; i < 4; i++) psst_store_run(bench->t, write_one, job_done, jobs[i]);
    uv_sem_post(&bench->gate);
    turn_until_idle();
    assert_told("g:ok|a:ok|b:protocol|c:exists|d:ok|");
    assert_int_equal(rows(bob), 2);
}

static void commit__that_fails__is_told_to_every_job_of_its_group(void **state)
{
    (void)state;
    open_store();
    int64_t bob = contact();
    struct job gate = {.name = 'g'};
    struct job a = {.name = 'a', .contact = bob, .id = 1};
    struct job b = {.name = 'b', .contact = bob, .id = 1}; /* "exists" would be a lie: a's row is gone with the group */
    struct job c = {.name = 'c', .contact = bob, .id = 3};
    close_gate(&gate);
    struct job *const jobs[] = {&a, &b, &c};
    for (size_t i = 0; i < 3; i++) psst_store_run(bench->t, write_one, job_done, jobs[i]);
    fault_vfs_plan(FAULT_FULL, 1, true);
    uv_sem_post(&bench->gate);
    turn_until_idle();
    assert_told("g:ok|a:disk-full|b:disk-full|c:disk-full|");
    (void)fault_vfs_clear();
    assert_int_equal(rows(bob), 0);
    psst_store_run(bench->t, write_one, job_done, &a); /* goes on by itself */
    turn_until_idle();
    assert_told("a:ok|");
    assert_int_equal(rows(bob), 1);
}

static enum psst_err outside_any_transaction(struct psst_store *store, void *arg)
{
    struct job *job = arg;
    if (sqlite3_get_autocommit(store->db) == 0) return PSST_ERR_INTERNAL;
    job->id = bench->commits;
    return job->result;
}

static void alone__runs__between_groups(void **state)
{
    (void)state;
    open_store();
    int64_t bob = contact();
    struct job gate = {.name = 'g'};
    struct job a = {.name = 'a', .contact = bob, .id = 1}, b = {.name = 'b', .contact = bob, .id = 2};
    struct job x = {.name = 'x'}, y = {.name = 'y', .result = PSST_ERR_IO};
    close_gate(&gate);
    unsigned before = bench->commits;
    psst_store_run(bench->t, write_one, job_done, &a);
    psst_store_run_alone(bench->t, outside_any_transaction, job_done, &x);
    psst_store_run_alone(bench->t, outside_any_transaction, job_done, &y);
    psst_store_run(bench->t, write_one, job_done, &b);
    uv_sem_post(&bench->gate);
    turn_until_idle();
    assert_told("g:ok|a:ok|x:ok|y:io|b:ok|");
    assert_int_equal(x.id - before, 1); /* what came before it was committed */
    assert_int_equal(bench->commits - before, 2);
    psst_store_thread_shut(bench->t, on_shut, NULL);
    psst_store_run_alone(bench->t, outside_any_transaction, job_done, &x);
    turn_until_idle();
    assert_told("shut:ok|x:locked|");
}

static void shut__comes_after__the_jobs_before_it(void **state)
{
    (void)state;
    open_store();
    int64_t bob = contact();
    struct job gate = {.name = 'g'};
    struct job a = {.name = 'a', .contact = bob, .id = 1}, b = {.name = 'b', .contact = bob, .id = 2};
    close_gate(&gate);
    psst_store_run(bench->t, write_one, job_done, &a);
    psst_store_thread_shut(bench->t, on_shut, NULL);
    psst_store_run(bench->t, write_one, job_done, &b);
    uv_sem_post(&bench->gate);
    turn_until_idle();
    assert_told("g:ok|a:ok|shut:ok|b:locked|");
    open_store();
    assert_int_equal(rows(bob), 1);
}

static void close__runs__what_is_queued_to_its_end(void **state)
{
    (void)state;
    open_store();
    int64_t bob = contact();
    struct job gate = {.name = 'g'};
    struct job a = {.name = 'a', .contact = bob, .id = 1}, b = {.name = 'b'};
    close_gate(&gate);
    psst_store_run(bench->t, write_one, job_done, &a);
    psst_store_thread_close(bench->t, on_closed, bench);
    psst_store_run(bench->t, write_one, job_done, &b); /* too late */
    assert_told("b:locked|");
    (void)uv_run(&bench->loop, UV_RUN_NOWAIT); /* the loop turns while the thread is at work */
    assert_false(bench->closed);
    uv_sem_post(&bench->gate);
    (void)uv_run(&bench->loop, UV_RUN_DEFAULT);
    assert_told("g:ok|a:ok|");
    assert_true(bench->closed);

    bench->closed = false; /* and it is there */
    assert_int_equal(psst_store_thread_new(&bench->t, &bench->loop), PSST_OK);
    open_store();
    assert_int_equal(rows(bob), 1);
}

static struct job *chained;

static void run_next(void *arg, enum psst_err err, const char *words)
{
    job_done(arg, err, words);
    if (((struct job *)arg)->id < 5) {
        ((struct job *)arg)->id++;
        psst_store_run(bench->t, write_one, run_next, chained);
    }
}

static void done__may_run__the_next_job(void **state)
{
    (void)state;
    open_store();
    int64_t bob = contact();
    struct job job = {.name = 'n', .contact = bob, .id = 1};
    chained = &job;
    psst_store_run(bench->t, write_one, run_next, &job);
    turn_until_idle();
    assert_told("n:ok|n:ok|n:ok|n:ok|n:ok|");
    assert_int_equal(rows(bob), 5);
}

/* ---- damage ---- */

static enum psst_err write_many(struct psst_store *store, void *arg)
{
    const struct job *job = arg;
    char text[500];
    memset(text, 'x', sizeof text);
    enum psst_err err = PSST_OK;
    for (unsigned i = 1; err == PSST_OK && i <= 300; i++) {
        struct psst_message_row row = {.contact_id = job->contact, .text = psst_view(text, sizeof text)};
        psst_store_u32(row.id.b, i);
        err = psst_store_message_out(store, &row);
    }
    return err;
}

/* A store with rows on many pages, closed. */
static void fill_and_shut(struct job *rows)
{
    rows->contact = contact();
    psst_store_run(bench->t, write_many, job_done, rows);
    psst_store_thread_shut(bench->t, on_shut, NULL);
    turn_until_idle();
    assert_told("r:ok|shut:ok|");
}

/* Flips one bit on some pages of the last third. */
static void damage(void)
{
    FILE *f = fopen(folder_file(&bench->folder, "history"), "r+b");
    assert_non_null(f);
    assert_int_equal(fseek(f, 0, SEEK_END), 0);
    long len = ftell(f);
    assert_true(len > 30 * 4096);
    for (long at = len / 4096 * 2 / 3 * 4096 + 2000; at < len; at += 3 * 4096) {
        assert_int_equal(fseek(f, at, SEEK_SET), 0);
        int c = fgetc(f);
        assert_int_equal(fseek(f, at, SEEK_SET), 0);
        assert_int_equal(fputc(c ^ 1, f), c ^ 1);
    }
    assert_int_equal(fclose(f), 0);
}

static void on_damage(void *ctx)
{
    (void)ctx;
    note("damage", PSST_ERR_DAMAGED);
}

static void open__of_a_damaged_store__is_for_reading_only(void **state)
{
    (void)state;
    struct job rows = {.name = 'r'}, write = {.name = 'w', .id = 1000};
    open_store();
    assert_false(psst_store_thread_is_rescue(bench->t));
    fill_and_shut(&rows);
    damage();
    psst_store_thread_on_damage(bench->t, on_damage, NULL);
    open_store();
    assert_true(psst_store_thread_is_rescue(bench->t));
    size_t n = 0;
    assert_non_null(psst_store_thread_parts(bench->t, &n));
    assert_true(n > 0);
    psst_store_run(bench->t, count_rows, job_done, &rows);
    turn_until_idle();
    assert_told("r:ok|"); /* nobody is told of damage that is known */
    assert_in_range(rows.id, 1, 299);
    write.contact = rows.contact;
    psst_store_run(bench->t, write_one, job_done, &write);
    turn_until_idle();
    assert_null(strstr(bench->told, "w:ok"));
}

static void damage__met_while_it_is_used__is_told_once_and_then_only_read(void **state)
{
    (void)state;
    struct job rows = {.name = 'r'}, again = {.name = 's'};
    open_store();
    fill_and_shut(&rows);
    psst_store_thread_on_damage(bench->t, on_damage, NULL);
    open_store();
    damage();
    psst_store_run(bench->t, count_rows, job_done, &rows);
    turn_until_idle();
    assert_told("r:damaged|damage:damaged|");
    again.contact = rows.contact;
    psst_store_run(bench->t, count_rows, job_done, &again);
    turn_until_idle();
    assert_told("s:damaged|"); /* once is enough */
    psst_store_thread_rescue(bench->t, folder_file(&bench->folder, "history"), &key, on_opened, NULL);
    psst_store_run(bench->t, count_rows, job_done, &again);
    turn_until_idle();
    assert_told("open:ok|s:ok|");
    assert_true(psst_store_thread_is_rescue(bench->t));
    assert_in_range(again.id, 1, 299);
}

static void rescue__of_what_cannot_be_read__leaves_nothing_open(void **state)
{
    (void)state;
    struct job rows = {.name = 'r'};
    open_store();
    fill_and_shut(&rows);
    folder_put(&bench->folder, "history", "nothing of ours", 15);
    psst_store_thread_rescue(bench->t, folder_file(&bench->folder, "history"), &key, on_opened, NULL);
    psst_store_run(bench->t, count_rows, job_done, &rows);
    turn_until_idle();
    assert_told("open:damaged|r:locked|");
    assert_false(psst_store_thread_is_rescue(bench->t));
    folder_assert_is(&bench->folder, "history", "nothing of ours", 15);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(jobs__without_a_store__are_told_locked),
        T(open__with_another_key__is_told_and_stays_locked),
        T(jobs__queued_together__share_one_commit_in_order),
        T(job__that_fails__is_undone_alone),
        T(commit__that_fails__is_told_to_every_job_of_its_group),
        T(alone__runs__between_groups),
        T(shut__comes_after__the_jobs_before_it),
        T(close__runs__what_is_queued_to_its_end),
        T(done__may_run__the_next_job),
        T(open__of_a_damaged_store__is_for_reading_only),
        T(damage__met_while_it_is_used__is_told_once_and_then_only_read),
        T(rescue__of_what_cannot_be_read__leaves_nothing_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
