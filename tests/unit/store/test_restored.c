/* What came out of a backup, opened for the first time. */
#include "world.h"

#include "store/store_internal.h"

#include <stdio.h>
#include <unistd.h>

static const char *mark_of(const struct world *w)
{
    static char path[200];
    (void)snprintf(path, sizeof path, "%s-restored", w->path);
    return path;
}

static void mark(struct world *w)
{
    world_write_file(mark_of(w), (const uint8_t *)"", 0);
}

static enum psst_message_state state_of(struct world *w, int64_t contact, int64_t seq)
{
    struct seen seen = {.n = 0};
    must(psst_store_log_before(w->store, contact, seq + 1, 1, world_see, &seen));
    return seen.last.state;
}

static void restored__waiting_messages__may_have_been_sent(void **state)
{
    struct world *w = *state;
    int64_t bob = world_contact(w, "bob", true);
    struct psst_message_row row = world_message(bob, 1, "one");
    must(psst_store_message_out(w->store, &row));
    int64_t in = 0;
    must(world_in(w, bob, 2, "two", &in));
    world_reopen(w);
    assert_int_equal(state_of(w, bob, row.seq), PSST_MESSAGE_WAITING); /* the same store, on the same machine */
    world_close(w);
    mark(w);
    (void)world_open(w);
    assert_int_equal(state_of(w, bob, row.seq), PSST_MESSAGE_SENT);
    assert_int_equal(state_of(w, bob, in), PSST_MESSAGE_RECEIVED);
    assert_int_equal(access(mark_of(w), F_OK), -1);
    struct psst_message_row later = world_message(bob, 3, "three");
    must(psst_store_message_out(w->store, &later));
    world_reopen(w);
    assert_int_equal(state_of(w, bob, later.seq), PSST_MESSAGE_WAITING); /* once */
    struct seen seen = {.n = 0};
    assert_string_equal(world_outbox(w, bob, 0, 10, &seen), "1:one|3:three|"); /* and both are sent */
}

static void restored__anything_that_is_not_ours__is_not_opened(void **state)
{
    struct world *w = *state;
    static const char *const cases[] = {
        "CREATE TRIGGER t AFTER INSERT ON messages BEGIN DELETE FROM contacts; END",
        "CREATE VIEW v AS SELECT 1",
        "CREATE TABLE aaa (a)",
        "CREATE TABLE zzz (a)",
        "DROP INDEX messages_waiting",
        "DROP VIEW messages_searched; CREATE VIEW messages_searched AS SELECT seq AS rowid, text, 'c1' AS who, 1 AS era"
        " FROM messages",
        "PRAGMA user_version = 1",
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct world other = *w;
        struct psst_store *store = NULL;
        struct psst_diag diag = {.text = ""};
        (void)snprintf(other.path, sizeof other.path, "%s/other%zu", w->dir, i);
        (void)world_open(&other);
        must(psst_store_exec(other.store, cases[i]));
        world_close(&other);
        mark(&other);
        assert_int_equal(psst_store_open(&store, other.path, &world_key, false, &diag), PSST_ERR_USAGE);
        assert_non_null(strstr(diag.text, "not made as psst"));
        assert_int_equal(access(mark_of(&other), F_OK), 0); /* and so it stays */
        (void)unlink(mark_of(&other));
        (void)unlink(other.path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(restored__waiting_messages__may_have_been_sent, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(restored__anything_that_is_not_ours__is_not_opened, world_setup,
                                        world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
