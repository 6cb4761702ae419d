#include "world.h"

#include "store/store_internal.h"

#include <string.h>

static void commit__keeps__what_savepoints_kept(void **state)
{
    struct world *w = *state;
    int64_t bob = world_contact(w, "bob", true);
    must(psst_store_begin(w->store));

    must(psst_store_savepoint(w->store));
    must(world_out(w, bob, 1, "one", NULL));
    psst_store_release(w->store, true);

    must(psst_store_savepoint(w->store)); /* a job that fails in its middle */
    must(world_out(w, bob, 2, "two", NULL));
    assert_int_equal(world_out(w, bob, 1, "again", NULL), PSST_ERR_EXISTS);
    psst_store_release(w->store, false);
    assert_non_null(strstr(psst_store_error(w->store), "UNIQUE")); /* the cause, not the undoing */

    must(psst_store_savepoint(w->store));
    assert_string_equal(psst_store_error(w->store), "");
    must(world_out(w, bob, 3, "three", NULL));
    psst_store_release(w->store, true);

    must(psst_store_commit(w->store));
    world_reopen(w);
    struct seen seen;
    assert_string_equal(world_log(w, bob, 0, 10, &seen), "1:one|3:three|");
}

static void group__without_commit__leaves_nothing(void **state)
{
    struct world *w = *state;
    int64_t bob = world_contact(w, "bob", true);
    must(psst_store_begin(w->store));
    must(world_out(w, bob, 1, "one", NULL));
    world_reopen(w);
    struct seen seen;
    assert_string_equal(world_log(w, bob, 0, 10, &seen), "");
    must(psst_store_begin(w->store));
    must(world_out(w, bob, 1, "one", NULL));
    must(psst_store_commit(w->store));
    assert_string_equal(world_log(w, bob, 0, 10, &seen), "1:one|");
}

static void group__lost_in_its_middle__refuses_the_rest(void **state)
{
    struct world *w = *state;
    int64_t bob = world_contact(w, "bob", true);
    must(psst_store_begin(w->store));
    must(psst_store_savepoint(w->store));
    must(world_out(w, bob, 1, "one", NULL));
    /* what SQLite does by itself after some errors */
    assert_int_equal(sqlite3_exec(w->store->db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    psst_store_release(w->store, true);
    assert_int_equal(psst_store_savepoint(w->store), PSST_ERR_IO);
    psst_store_release(w->store, false);
    assert_int_equal(psst_store_commit(w->store), PSST_ERR_IO);
    struct seen seen;
    assert_string_equal(world_log(w, bob, 0, 10, &seen), "");
    must(psst_store_begin(w->store)); /* and the next group is none the worse */
    must(psst_store_savepoint(w->store));
    must(world_out(w, bob, 1, "one", NULL));
    psst_store_release(w->store, true);
    must(psst_store_commit(w->store));
    assert_string_equal(world_log(w, bob, 0, 10, &seen), "1:one|");
}

static void commit__without_begin__fails(void **state)
{
    struct world *w = *state;
    assert_int_not_equal(psst_store_commit(w->store), PSST_OK);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        T(commit__keeps__what_savepoints_kept),
        T(group__without_commit__leaves_nothing),
        T(group__lost_in_its_middle__refuses_the_rest),
        T(commit__without_begin__fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
