#include "world.h"

#include "store/store_internal.h"

#include <stdio.h>
#include <string.h>

struct list {
    struct psst_contact_row rows[8];
    char spki[8][32];
    char addresses[8][64];
    size_t n;
};

static enum psst_err collect(void *ctx, const struct psst_contact_row *row)
{
    struct list *list = ctx;
    assert_true(list->n < 8);
    (void)snprintf(list->spki[list->n], 32, "%.*s", (int)row->spki.len, (const char *)row->spki.data);
    (void)snprintf(list->addresses[list->n], 64, "%.*s", (int)row->addresses.len,
                   row->addresses.data == NULL ? "" : (const char *)row->addresses.data);
    list->rows[list->n++] = *row;
    return PSST_OK;
}

static struct list all(struct world *w)
{
    struct list list = {.n = 0};
    must(psst_store_contacts(w->store, collect, &list));
    return list;
}

static struct psst_contact_row bob(void)
{
    struct psst_contact_row row = {.alias = "Bob",
                                   .fpr = {.b = {7, 8, 9}},
                                   .spki = psst_view_str("bob's key"),
                                   .has_their_secret = true,
                                   .their_secret = {.b = {0, 0, 5}},
                                   .addresses = psst_view_str("a:1\nb:2"),
                                   .verified = true,
                                   .keep_history = true,
                                   .paused = true,
                                   .receipts = true,
                                   .keep_days = 30,
                                   .presence = PSST_PRESENCE_AWAY,
                                   .presence_text = psst_view_str("on a hill"),
                                   .added_ms = UINT64_MAX};
    return row;
}

static void contacts__are_empty__at_first(void **state)
{
    assert_int_equal(all(*state).n, 0);
}

static void contact_put__gives_back__every_field_after_reopening(void **state)
{
    struct world *w = *state;
    struct psst_contact_row row = bob();
    must(psst_store_contact_put(w->store, &row));
    assert_true(row.id > 0);
    world_reopen(w);
    struct list list = all(w);
    assert_int_equal(list.n, 1);
    const struct psst_contact_row *got = &list.rows[0];
    assert_int_equal(got->id, row.id);
    assert_string_equal(got->alias, "Bob");
    assert_memory_equal(got->fpr.b, row.fpr.b, 32);
    assert_string_equal(list.spki[0], "bob's key");
    assert_string_equal(list.addresses[0], "a:1\nb:2");
    assert_false(got->has_our_secret);
    assert_true(got->has_their_secret);
    assert_memory_equal(got->their_secret.b, row.their_secret.b, 32);
    assert_false(got->blocked);
    assert_true(got->verified);
    assert_true(got->keep_history);
    assert_true(got->paused);
    assert_true(got->receipts);
    assert_false(got->reconnect);
    assert_int_equal(got->keep_days, 30);
    assert_int_equal(got->presence, PSST_PRESENCE_AWAY);
    assert_int_equal(got->presence_text.len, 9);
    assert_true(got->added_ms == UINT64_MAX);
}

static void contact_put__updates__all_but_the_id(void **state)
{
    struct world *w = *state;
    struct psst_contact_row row = bob();
    must(psst_store_contact_put(w->store, &row));
    struct psst_contact_row changed = row;
    strcpy(changed.alias, "Robert");
    changed.fpr.b[0] = 99;
    changed.spki = psst_view_str("another");
    changed.has_our_secret = true;
    changed.our_secret.b[0] = 3;
    changed.has_their_secret = false;
    changed.addresses = psst_view(NULL, 0);
    changed.blocked = true;
    changed.verified = false;
    changed.paused = false;
    changed.receipts = false;
    changed.reconnect = true;
    changed.keep_days = 0;
    changed.presence = PSST_PRESENCE_AS_ALL;
    changed.presence_text = psst_view(NULL, 0);
    must(psst_store_contact_put(w->store, &changed));
    struct list list = all(w);
    assert_int_equal(list.n, 1);
    assert_int_equal(list.rows[0].id, row.id);
    assert_string_equal(list.rows[0].alias, "Robert");
    assert_int_equal(list.rows[0].fpr.b[0], 99);
    assert_string_equal(list.spki[0], "another");
    assert_true(list.rows[0].has_our_secret);
    assert_int_equal(list.rows[0].our_secret.b[0], 3);
    assert_false(list.rows[0].has_their_secret);
    assert_string_equal(list.addresses[0], "");
    assert_true(list.rows[0].blocked);
    assert_false(list.rows[0].verified);
    assert_false(list.rows[0].paused);
    assert_false(list.rows[0].receipts);
    assert_true(list.rows[0].reconnect);
    assert_int_equal(list.rows[0].keep_days, 0);
    assert_int_equal(list.rows[0].presence, PSST_PRESENCE_AS_ALL);
    assert_int_equal(list.rows[0].presence_text.len, 0);
}

static void contact_put__refuses__an_alias_or_fingerprint_that_is_taken(void **state)
{
    struct world *w = *state;
    struct psst_contact_row row = bob();
    must(psst_store_contact_put(w->store, &row));

    struct psst_contact_row same_alias = bob();
    strcpy(same_alias.alias, "bOB");
    same_alias.fpr.b[0]++;
    assert_int_equal(psst_store_contact_put(w->store, &same_alias), PSST_ERR_EXISTS);
    assert_int_equal(same_alias.id, 0);

    struct psst_contact_row same_fpr = bob();
    strcpy(same_fpr.alias, "Carol");
    assert_int_equal(psst_store_contact_put(w->store, &same_fpr), PSST_ERR_EXISTS);

    struct psst_contact_row other = bob();
    strcpy(other.alias, "Carol");
    other.fpr.b[0] = 200;
    must(psst_store_contact_put(w->store, &other));
    strcpy(other.alias, "BOB");
    assert_int_equal(psst_store_contact_put(w->store, &other), PSST_ERR_EXISTS);

    strcpy(row.alias, "BOB"); /* one's own alias in other letters is no clash */
    must(psst_store_contact_put(w->store, &row));
    struct list list = all(w);
    assert_int_equal(list.n, 2);
    assert_string_equal(list.rows[0].alias, "BOB");
    assert_string_equal(list.rows[1].alias, "Carol");
}

static void contact_put__refuses__what_is_no_contact(void **state)
{
    struct world *w = *state;
    struct psst_contact_row row = bob();
    row.alias[0] = '\0';
    assert_int_equal(psst_store_contact_put(w->store, &row), PSST_ERR_USAGE);
    row = bob();
    memset(row.alias, 'a', sizeof row.alias);
    assert_int_equal(psst_store_contact_put(w->store, &row), PSST_ERR_USAGE);
    row = bob();
    row.id = 4711;
    assert_int_equal(psst_store_contact_put(w->store, &row), PSST_ERR_NOT_FOUND);
    row = bob();
    static char long_text[2 * 1024 * 1024];
    row.addresses = psst_view(long_text, sizeof long_text);
    assert_int_equal(psst_store_contact_put(w->store, &row), PSST_ERR_TOO_LONG);
    assert_int_equal(all(w).n, 0);
}

static void contact_put__after_a_refusal__keeps_no_field_of_it(void **state)
{
    struct world *w = *state;
    static char long_text[2 * 1024 * 1024];
    struct psst_contact_row refused = bob();
    refused.addresses = psst_view(long_text, sizeof long_text);
    assert_int_equal(psst_store_contact_put(w->store, &refused), PSST_ERR_TOO_LONG);
    struct psst_contact_row row = bob();
    row.has_their_secret = false; /* bound in the refused one */
    must(psst_store_contact_put(w->store, &row));
    assert_false(all(w).rows[0].has_their_secret);
}

static void contacts__are_sorted__by_alias(void **state)
{
    struct world *w = *state;
    (void)world_contact(w, "zoe", true);
    (void)world_contact(w, "Bob", true);
    (void)world_contact(w, "alice", true);
    struct list list = all(w);
    assert_int_equal(list.n, 3);
    assert_string_equal(list.rows[0].alias, "alice");
    assert_string_equal(list.rows[1].alias, "Bob");
    assert_string_equal(list.rows[2].alias, "zoe");
}

static enum psst_err stop_at_once(void *ctx, const struct psst_contact_row *row)
{
    (void)row;
    ++*(int *)ctx;
    return PSST_ERR_AGAIN;
}

static void contacts__end__when_the_callback_says_so(void **state)
{
    struct world *w = *state;
    (void)world_contact(w, "a", true);
    (void)world_contact(w, "b", true);
    int calls = 0;
    assert_int_equal(psst_store_contacts(w->store, stop_at_once, &calls), PSST_ERR_AGAIN);
    assert_int_equal(calls, 1);
    assert_int_equal(all(w).n, 2);
}

static void contact_remove__takes__messages_and_transfers_along(void **state)
{
    struct world *w = *state;
    int64_t gone = world_contact(w, "gone", true);
    int64_t stays = world_contact(w, "stays", true);
    must(world_out(w, gone, 1, "to gone", NULL));
    must(world_in(w, gone, 2, "from gone", NULL));
    must(world_in(w, stays, 2, "from stays", NULL));
    must(psst_store_contact_remove(w->store, gone));
    (void)world_tidy(w, 0);
    struct seen seen;
    assert_string_equal(world_log(w, gone, 0, 10, &seen), "");
    assert_string_equal(world_log(w, stays, 0, 10, &seen), "2:from stays|");
    assert_int_equal(all(w).n, 1);
    assert_int_equal(psst_store_contact_remove(w->store, gone), PSST_ERR_NOT_FOUND);
    assert_true(world_contact(w, "new", true) > stays); /* an id is never used twice */
    world_assert_integrity(w);
}

static void contact_put__turning_history_off__erases_what_is_done_with(void **state)
{
    struct world *w = *state;
    struct psst_contact_row row = bob();
    must(psst_store_contact_put(w->store, &row));
    struct psst_msg_id delivered = world_id(1);
    must(world_out(w, row.id, 1, "delivered", NULL));
    must(psst_store_message_settle(w->store, row.id, &delivered, PSST_MESSAGE_DELIVERED, 0, NULL));
    must(world_out(w, row.id, 2, "waits", NULL));
    int64_t seq = 0;
    must(world_in(w, row.id, 3, "shown", &seq));
    must(psst_store_messages_shown(w->store, row.id, seq));
    must(world_in(w, row.id, 4, "unseen", NULL));
    row.keep_history = false;
    must(psst_store_contact_put(w->store, &row));
    (void)world_tidy(w, 0);
    struct seen seen;
    assert_string_equal(world_log(w, row.id, 0, 10, &seen), "1:|2:waits|3:|4:unseen|");
    assert_int_equal(world_in(w, row.id, 3, "shown", NULL), PSST_ERR_EXISTS);
    assert_int_equal(world_in(w, row.id, 3, "other", NULL), PSST_ERR_PROTOCOL);
}

/* The store as the first version made it, with Bob in it. */
static void make_old(struct world *w)
{
    char drop[128];
    must(psst_store_exec(w->store, "PRAGMA foreign_keys = OFF; DROP VIEW messages_searched;"
                                   "CREATE TEMP TABLE kept AS SELECT * FROM contacts"));
    for (;;) {
        sqlite3_stmt *stmt = NULL;
        assert_int_equal(sqlite3_prepare_v2(w->store->db,
                                            "SELECT name FROM main.sqlite_master WHERE type = 'table'"
                                            " AND name NOT LIKE 'sqlite%' AND name NOT LIKE '%\\_%' ESCAPE '\\'",
                                            -1, &stmt, NULL),
                         SQLITE_OK);
        bool more = sqlite3_step(stmt) == SQLITE_ROW;
        if (more) (void)snprintf(drop, sizeof drop, "DROP TABLE main.%s", (const char *)sqlite3_column_text(stmt, 0));
        (void)sqlite3_finalize(stmt);
        if (!more) break;
        must(psst_store_exec(w->store, drop));
    }
    must(psst_store_take_step(w->store, 0));
    must(psst_store_exec(w->store, "INSERT INTO contacts SELECT id, alias, fpr, spki, our_secret, their_secret,"
                                   " addresses, blocked, verified, keep_history, added_ms FROM kept;"
                                   "DROP TABLE temp.kept"));
    world_close(w);
}

static void contacts__of_an_older_store__are_brought_along(void **state)
{
    struct world *w = *state;
    struct psst_contact_row row = bob();
    must(psst_store_contact_put(w->store, &row));
    make_old(w);
    (void)world_open(w);
    struct list list = all(w);
    assert_int_equal(list.n, 1);
    assert_string_equal(list.rows[0].alias, "Bob");
    assert_string_equal(list.spki[0], "bob's key");
    assert_false(list.rows[0].paused); /* nobody was, then */
    list.rows[0].paused = true;
    list.rows[0].spki = row.spki;
    list.rows[0].addresses = row.addresses;
    must(psst_store_contact_put(w->store, &list.rows[0]));
    world_reopen(w);
    assert_true(all(w).rows[0].paused);
    world_assert_integrity(w);
}

static void contacts__of_an_older_store__can_be_read_as_they_are(void **state)
{
    struct world *w = *state;
    struct psst_contact_row row = bob();
    must(psst_store_contact_put(w->store, &row));
    make_old(w);
    struct psst_diag diag;
    must(psst_store_open(&w->store, w->path, &world_key, true, &diag)); /* for rescue: nothing is migrated */
    struct list list = all(w);
    assert_int_equal(list.n, 1);
    assert_string_equal(list.rows[0].alias, "Bob");
    assert_false(list.rows[0].paused);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        T(contacts__are_empty__at_first),
        T(contact_put__gives_back__every_field_after_reopening),
        T(contact_put__updates__all_but_the_id),
        T(contact_put__refuses__an_alias_or_fingerprint_that_is_taken),
        T(contact_put__refuses__what_is_no_contact),
        T(contact_put__after_a_refusal__keeps_no_field_of_it),
        T(contacts__are_sorted__by_alias),
        T(contacts__end__when_the_callback_says_so),
        T(contact_remove__takes__messages_and_transfers_along),
        T(contact_put__turning_history_off__erases_what_is_done_with),
        T(contacts__of_an_older_store__are_brought_along),
        T(contacts__of_an_older_store__can_be_read_as_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
