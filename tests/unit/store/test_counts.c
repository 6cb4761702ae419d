/* What waits and what is unread, of all contacts in one walk. */
#include "world.h"

#include "store/store_internal.h"

#include <stdio.h>
#include <string.h>

struct counted {
    char text[512]; /* "contact:waiting/unread/bytes|" */
    size_t calls;
};

static enum psst_err note(void *ctx, const struct psst_counts_row *row)
{
    struct counted *counted = ctx;
    size_t len = strlen(counted->text);
    (void)snprintf(counted->text + len, sizeof counted->text - len, "%d:%u/%u/%u|", (int)row->contact_id, row->waiting,
                   row->unread.texts, (unsigned)row->unread.bytes);
    counted->calls++;
    return PSST_OK;
}

static const char *counts(struct world *w, struct counted *counted)
{
    *counted = (struct counted){.calls = 0};
    must(psst_store_counts(w->store, note, counted));
    return counted->text;
}

static void counts__give__what_waits_and_what_is_unread_of_every_contact(void **state)
{
    struct world *w = *state;
    struct counted counted;
    assert_string_equal(counts(w, &counted), "");
    int64_t bob = world_contact(w, "bob", true);
    int64_t carol = world_contact(w, "carol", false);
    (void)world_contact(w, "dave", true);
    must(world_out(w, bob, 1, "one", NULL));
    must(world_out(w, bob, 2, "two", NULL));
    must(world_in(w, bob, 3, "three", NULL));
    must(world_in(w, carol, 4, "\xc3\xa4", NULL)); /* bytes, not characters */
    must(world_in(w, carol, 5, "five", NULL));
    assert_string_equal(counts(w, &counted), "1:2/0/0|1:0/1/5|2:0/2/6|");
    struct psst_msg_id id = world_id(1);
    must(psst_store_message_settle(w->store, bob, &id, PSST_MESSAGE_DELIVERED, 0, NULL));
    must(psst_store_messages_shown(w->store, carol, INT64_MAX));
    assert_string_equal(counts(w, &counted), "1:1/0/0|1:0/1/5|");
}

/* The promise is about time; what is checked is why it holds. */
static void counts__walk__only_what_they_count(void **state)
{
    struct world *w = *state;
    int64_t bob = world_contact(w, "bob", true);
    must(psst_store_begin(w->store));
    for (unsigned i = 0; i < 3000; i++) must(world_in(w, bob, i, "x", NULL));
    must(psst_store_messages_shown(w->store, bob, INT64_MAX));
    must(world_in(w, bob, 5000, "new", NULL));
    must(psst_store_commit(w->store));
    struct counted counted;
    (void)counts(w, &counted);
    (void)sqlite3_stmt_status(w->store->stmts[STMT_COUNTS], SQLITE_STMTSTATUS_VM_STEP, 1);
    assert_string_equal(counts(w, &counted), "1:0/1/3|");
    assert_in_range(sqlite3_stmt_status(w->store->stmts[STMT_COUNTS], SQLITE_STMTSTATUS_VM_STEP, 0), 1, 300);
    assert_int_equal(sqlite3_stmt_status(w->store->stmts[STMT_COUNTS], SQLITE_STMTSTATUS_SORT, 0), 0);
}

static enum psst_err stop(void *ctx, const struct psst_counts_row *row)
{
    (void)row;
    return ++*(int *)ctx == 1 ? PSST_ERR_AGAIN : PSST_OK;
}

static void counts__end__when_the_callback_says_so(void **state)
{
    struct world *w = *state;
    int64_t bob = world_contact(w, "bob", true);
    must(world_out(w, bob, 1, "one", NULL));
    must(world_in(w, bob, 2, "two", NULL));
    int calls = 0;
    assert_int_equal(psst_store_counts(w->store, stop, &calls), PSST_ERR_AGAIN);
    assert_int_equal(calls, 1);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        T(counts__give__what_waits_and_what_is_unread_of_every_contact),
        T(counts__walk__only_what_they_count),
        T(counts__end__when_the_callback_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
