/* A disk that is full, fails, or loses its power (attack 48): what was committed before stays, what was said to be stored
 * is, and the rest is not there at all. */
#include "world.h"

#include "support/fault_vfs.h"

#include <stdio.h>
#include <string.h>

#define JOBS 12

static int setup(void **state)
{
    fault_vfs_install();
    return world_setup(state);
}

static int teardown(void **state)
{
    (void)fault_vfs_clear();
    int rc = world_teardown(state);
    fault_vfs_uninstall();
    return rc;
}

/* A group of messages long enough to need some pages; PSST_OK: committed. */
static enum psst_err send_group(struct world *w, int64_t contact, unsigned first)
{
    static char text[6000];
    memset(text, 'x', sizeof text - 1);
    enum psst_err err = psst_store_begin(w->store);
    if (err != PSST_OK) return err;
    for (unsigned i = 0; i < JOBS; i++) {
        err = psst_store_savepoint(w->store);
        if (err != PSST_OK) continue;
        (void)snprintf(text, 8, "%u", first + i);
        text[strlen(text)] = ' ';
        err = i % 2 == 0 ? world_out(w, contact, first + i, text, NULL) : world_in(w, contact, first + i, text, NULL);
        psst_store_release(w->store, err == PSST_OK);
    }
    return psst_store_commit(w->store);
}

static size_t count(struct world *w, int64_t contact)
{
    struct seen seen;
    (void)world_log(w, contact, 0, SIZE_MAX, &seen);
    return seen.n;
}

static size_t waiting(struct world *w, int64_t contact)
{
    struct seen seen;
    (void)world_outbox(w, contact, 0, SIZE_MAX, &seen);
    return seen.n;
}

static void commit__failing_at_every_change(struct world *w, enum fault_kind kind, enum psst_err want, bool for_good)
{
    int64_t bob = world_contact(w, "bob", true);
    must(send_group(w, bob, 1000));
    unsigned next = 2000;
    size_t there = JOBS, failures = 0;
    for (long n = 1;; n++) {
        fault_vfs_plan(kind, n, for_good);
        enum psst_err err = send_group(w, bob, next);
        bool struck = fault_vfs_struck();
        (void)fault_vfs_clear();
        if (err == PSST_OK)
            there += JOBS; /* a fault after the commit, in the checkpoint, costs nothing */
        else
            assert_int_equal(err, want);
        if (err != PSST_OK) failures++;
        next += err == PSST_OK ? JOBS : 0;
        assert_int_equal(count(w, bob), there);
        assert_int_equal(waiting(w, bob), there / 2);
        if (!struck) break;
        assert_true(n < 200);
    }
    assert_true(failures > 5);
    must(send_group(w, bob, next)); /* there is room again: it goes on by itself */
    there += JOBS;
    world_assert_integrity(w);
    world_reopen(w);
    assert_int_equal(count(w, bob), there);
    world_assert_integrity(w);
}

static void commit__on_a_full_disk__saves_nothing_and_loses_nothing(void **state)
{
    commit__failing_at_every_change(*state, FAULT_FULL, PSST_ERR_DISK_FULL, false);
}

static void commit__on_a_disk_full_for_good__saves_nothing_and_loses_nothing(void **state)
{
    commit__failing_at_every_change(*state, FAULT_FULL, PSST_ERR_DISK_FULL, true);
}

static void commit__with_an_io_error__saves_nothing_and_loses_nothing(void **state)
{
    commit__failing_at_every_change(*state, FAULT_IO, PSST_ERR_IO, false);
}

static void commit__with_io_errors_for_good__saves_nothing_and_loses_nothing(void **state)
{
    commit__failing_at_every_change(*state, FAULT_IO, PSST_ERR_IO, true);
}

static void commit__whose_sync_fails__is_not_told_as_saved(void **state)
{
    struct world *w = *state;
    int64_t bob = world_contact(w, "bob", true);
    must(send_group(w, bob, 1));
    fault_vfs_plan_sync(1, false);
    assert_int_equal(send_group(w, bob, 100), PSST_ERR_IO);
    assert_true(fault_vfs_struck());
    (void)fault_vfs_clear();
    assert_int_equal(count(w, bob), JOBS);
    must(send_group(w, bob, 100)); /* the same again: not "seen already" */
    assert_int_equal(count(w, bob), 2 * JOBS);
    world_reopen(w);
    assert_int_equal(count(w, bob), 2 * JOBS);
    world_assert_integrity(w);
}

static void open__failing_at_every_change__leaves_a_store_or_none(void **state)
{
    struct world *w = *state;
    world_close(w);
    assert_int_equal(remove(w->path), 0);
    long n = 1;
    for (;; n++) {
        fault_vfs_plan(FAULT_FULL, n, true);
        struct psst_diag diag = {.text = ""};
        enum psst_err err = psst_store_open(&w->store, w->path, &world_key, false, &diag);
        bool struck = fault_vfs_struck();
        (void)fault_vfs_clear();
        if (err == PSST_OK) {
            world_close(w);
            assert_int_equal(remove(w->path), 0);
        } else {
            assert_int_equal(err, PSST_ERR_DISK_FULL);
            assert_true(strlen(diag.text) > 10);
            w->store = NULL;
        }
        if (!struck) break;
        assert_true(n < 200);
        (void)world_open(w); /* nothing that is in the way was left */
        world_close(w);
        assert_int_equal(remove(w->path), 0);
    }
    assert_true(n > 5);
    (void)world_open(w);
}

/* The power goes after the nth change; the unsynced part of every file is then half there, half not. */
static void power_cut__anywhere__keeps_what_was_committed(void **state)
{
    struct world *w = *state;
    int64_t bob = world_contact(w, "bob", true);
    size_t there = 0;
    unsigned next = 1;
    for (long n = 1; n <= 60; n++) {
        fault_vfs_plan(FAULT_IO, n, true); /* failing for good from there on is the cut, seen from inside */
        size_t committed = 0;
        for (int group = 0; group < 3; group++) {
            if (send_group(w, bob, next + 100 * (unsigned)group) != PSST_OK) break;
            committed += JOBS;
        }
        fault_vfs_power_cut();
        world_close(w);
        fault_vfs_power_back((uint64_t)n);
        (void)world_open(w);
        world_assert_integrity(w);
        size_t now = count(w, bob);
        /* the group that was under way may have made it whole, never in part */
        assert_true(now == there + committed || now == there + committed + JOBS);
        there = now;
        next += 1000;
    }
    must(send_group(w, bob, next));
    assert_int_equal(count(w, bob), there + JOBS);
}

/* psstd is killed while it commits: what it had written can be read, and is taken for committed, but was never synced. Once
 * anything is built on it the power may go: it must still be there. */
static void killed__in_a_commit__is_safe_before_it_is_built_on(void **state)
{
    struct world *w = *state;
    struct fault_disk *disk = fault_vfs_disk(w->dir);
    int64_t bob = world_contact(w, "bob", true);
    size_t unsure = 0;
    for (long n = 40; n <= 140; n += 4) {
        world_reopen(w);
        size_t before = count(w, bob);
        fault_disk_plan(disk, FAULT_POWER, n, false);
        bool committed = send_group(w, bob, (unsigned)n * 1000) == PSST_OK;
        fault_disk_power_cut(disk);
        world_close(w);
        fault_disk_crash_back(disk);
        (void)world_open(w);
        size_t now = count(w, bob);
        unsure += !committed && now > before;
        must(psst_store_begin(w->store)); /* as for a repetition, which is acknowledged without being stored */
        must(psst_store_commit(w->store));
        fault_disk_power_cut(disk);
        world_close(w);
        fault_disk_power_back(disk, (uint64_t)n);
        (void)world_open(w);
        assert_int_equal(count(w, bob), now);
        world_assert_integrity(w);
    }
    assert_true(unsure > 0);
}

/* A sync fails and has lost things for good; psstd goes on, or is killed and begins again; then the power goes. */
static void sync__that_failed__leaves_no_hole(void **state)
{
    struct world *w = *state;
    struct fault_disk *disk = fault_vfs_disk(w->dir);
    int64_t bob = world_contact(w, "bob", true);
    for (unsigned n = 1; n <= 36; n++) {
        world_reopen(w);
        must(send_group(w, bob, n * 10000));
        fault_disk_seed(disk, n);
        fault_disk_safe_overwrite(disk, n % 2 == 0);
        fault_disk_plan_sync(disk, 1, false);
        assert_int_equal(send_group(w, bob, n * 10000 + 1000), PSST_ERR_IO);
        if (n % 3 == 0) { /* killed */
            fault_disk_power_cut(disk);
            world_close(w);
            fault_disk_crash_back(disk);
            (void)world_open(w);
        }
        (void)fault_disk_clear(disk);
        must(send_group(w, bob, n * 10000 + 2000));
        size_t now = count(w, bob);
        fault_disk_power_cut(disk);
        world_close(w);
        fault_disk_power_back(disk, n);
        (void)world_open(w);
        assert_int_equal(count(w, bob), now);
        world_assert_integrity(w);
    }
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(commit__on_a_full_disk__saves_nothing_and_loses_nothing),
        T(commit__on_a_disk_full_for_good__saves_nothing_and_loses_nothing),
        T(commit__with_an_io_error__saves_nothing_and_loses_nothing),
        T(commit__with_io_errors_for_good__saves_nothing_and_loses_nothing),
        T(commit__whose_sync_fails__is_not_told_as_saved),
        T(open__failing_at_every_change__leaves_a_store_or_none),
        T(power_cut__anywhere__keeps_what_was_committed),
        T(killed__in_a_commit__is_safe_before_it_is_built_on),
        T(sync__that_failed__leaves_no_hole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
