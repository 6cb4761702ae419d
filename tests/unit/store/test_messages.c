#include "world.h"

#include "store/store_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void message_out__waits__until_it_is_settled(void **state)
{
    struct world *w = *state;
    int64_t bob = world_contact(w, "bob", true);
    int64_t first = 0, second = 0, third = 0, settled = 0;
    must(world_out(w, bob, 1, "one", &first));
    must(world_out(w, bob, 2, "two", &second));
    must(world_out(w, bob, 3, "three", &third));
    assert_true(first > 0 && second > first && third > second);
    struct seen seen;
    assert_string_equal(world_outbox(w, bob, 0, 10, &seen), "1:one|2:two|3:three|");

    struct psst_msg_id id = world_id(1);
    must(psst_store_message_settle(w->store, bob, &id, PSST_MESSAGE_DELIVERED, 9, &settled));
    assert_int_equal(settled, first);
    id = world_id(3);
    must(psst_store_message_settle(w->store, bob, &id, PSST_MESSAGE_REFUSED, 2, &settled));
    assert_int_equal(settled, third);
    assert_string_equal(world_outbox(w, bob, 0, 10, &seen), "2:two|");
    world_reopen(w);
    assert_string_equal(world_outbox(w, bob, 0, 10, &seen), "2:two|");
    assert_int_equal(seen.last.seq, second);
    assert_int_equal(seen.last.state, PSST_MESSAGE_SENT);
    assert_int_equal(seen.last.direction, PSST_OUT);
    assert_int_equal(seen.last.contact_id, bob);
    assert_int_equal(seen.last.time_ms, 1002);
    assert_int_equal(seen.last.stored_ms, 2002);
    assert_string_equal(world_log(w, bob, second, 10, &seen), "3:three|");
    assert_int_equal(seen.last.state, PSST_MESSAGE_REFUSED);
    assert_int_equal(seen.last.reason, 2);
    assert_string_equal(world_log(w, bob, 0, 10, &seen), "1:one|2:two|3:three|");
}

static void settle__ignores__what_was_never_sent_or_is_settled(void **state)
{
    struct world *w = *state;
    int64_t bob = world_contact(w, "bob", true);
    int64_t carol = world_contact(w, "carol", true);
    must(world_out(w, bob, 1, "one", NULL));
    must(world_in(w, bob, 2, "incoming", NULL));
    struct psst_msg_id id = world_id(1);
    int64_t seq = -1;
    assert_int_equal(psst_store_message_settle(w->store, carol, &id, PSST_MESSAGE_DELIVERED, 0, &seq),
                     PSST_ERR_NOT_FOUND);
    struct psst_msg_id unknown = world_id(7), incoming = world_id(2);
    assert_int_equal(psst_store_message_settle(w->store, bob, &unknown, PSST_MESSAGE_DELIVERED, 0, &seq),
                     PSST_ERR_NOT_FOUND);
    assert_int_equal(psst_store_message_settle(w->store, bob, &incoming, PSST_MESSAGE_DELIVERED, 0, &seq),
                     PSST_ERR_NOT_FOUND);
    assert_int_equal(psst_store_message_settle(w->store, bob, &id, PSST_MESSAGE_SHOWN, 0, &seq), PSST_ERR_USAGE);
    assert_int_equal(seq, -1);
    must(psst_store_message_settle(w->store, bob, &id, PSST_MESSAGE_REFUSED, 1, NULL));
    assert_int_equal(psst_store_message_settle(w->store, bob, &id, PSST_MESSAGE_DELIVERED, 0, &seq),
                     PSST_ERR_NOT_FOUND);
    struct seen seen;
    assert_string_equal(world_log(w, bob, 0, 1, &seen), "2:incoming|");
    assert_int_equal(seen.last.state, PSST_MESSAGE_RECEIVED);
}

static void outbox__is_cut__by_limit_and_after(void **state)
{
    struct world *w = *state;
    int64_t bob = world_contact(w, "bob", true);
    int64_t carol = world_contact(w, "carol", true);
    int64_t seq = 0;
    must(world_out(w, bob, 1, "b1", &seq));
    must(world_out(w, carol, 2, "c2", NULL));
    must(world_out(w, bob, 3, "b3", NULL));
    must(world_out(w, bob, 4, "b4", NULL));
    struct seen seen;
    assert_string_equal(world_outbox(w, bob, 0, 2, &seen), "1:b1|3:b3|");
    assert_string_equal(world_outbox(w, bob, seq, 2, &seen), "3:b3|4:b4|");
    assert_string_equal(world_outbox(w, bob, 0, 0, &seen), "");
    assert_string_equal(world_outbox(w, carol, 0, SIZE_MAX, &seen), "2:c2|");
}

static void log__gives__the_last_ones_oldest_first(void **state)
{
    struct world *w = *state;
    int64_t bob = world_contact(w, "bob", true);
    int64_t carol = world_contact(w, "carol", true);
    int64_t fifth = 0;
    for (unsigned i = 1; i <= 9; i++) {
        char text[8];
        (void)snprintf(text, sizeof text, "t%u", i);
        must(i % 2 ? world_in(w, bob, i, text, i == 5 ? &fifth : NULL) : world_out(w, bob, i, text, NULL));
        must(world_in(w, carol, i, "noise", NULL));
    }
    struct seen seen;
    assert_string_equal(world_log(w, bob, 0, 3, &seen), "7:t7|8:t8|9:t9|");
    assert_string_equal(world_log(w, bob, fifth, 3, &seen), "7:t7|8:t8|9:t9|");
    assert_string_equal(world_log(w, bob, fifth, 100, &seen), "6:t6|7:t7|8:t8|9:t9|");
    assert_string_equal(world_log(w, bob, 0, 0, &seen), "");
    assert_string_equal(world_log(w, 4711, 0, 10, &seen), "");
    (void)world_log(w, bob, 0, SIZE_MAX, &seen);
    assert_int_equal(seen.n, 9);
}

static void message_in__twice__is_one_row(void **state)
{
    struct world *w = *state;
    int64_t bob = world_contact(w, "bob", true);
    int64_t carol = world_contact(w, "carol", true);
    must(world_in(w, bob, 1, "body", NULL));
    assert_int_equal(world_in(w, bob, 1, "body", NULL), PSST_ERR_EXISTS);
    assert_int_equal(world_in(w, bob, 1, "other body", NULL), PSST_ERR_PROTOCOL);
    must(world_in(w, carol, 1, "other body", NULL)); /* ids are each contact's own */
    must(world_out(w, bob, 1, "ours", NULL));        /* and each direction's */
    assert_int_equal(world_out(w, bob, 1, "ours", NULL), PSST_ERR_EXISTS);
    world_reopen(w);
    assert_int_equal(world_in(w, bob, 1, "body", NULL), PSST_ERR_EXISTS);
    assert_int_equal(world_in(w, bob, 1, "bodY", NULL), PSST_ERR_PROTOCOL);
    struct seen seen;
    assert_string_equal(world_log(w, bob, 0, 10, &seen), "1:body|1:ours|");
}

static void message__for_nobody__is_refused(void **state)
{
    struct world *w = *state;
    assert_int_equal(world_in(w, 12, 1, "x", NULL), PSST_ERR_NOT_FOUND);
    assert_int_equal(world_out(w, 12, 1, "x", NULL), PSST_ERR_NOT_FOUND);
    assert_int_equal(psst_store_messages_shown(w->store, 12, 99), PSST_ERR_NOT_FOUND);
}

static void shown__marks__incoming_up_to_the_seq(void **state)
{
    struct world *w = *state;
    int64_t bob = world_contact(w, "bob", true);
    int64_t carol = world_contact(w, "carol", true);
    int64_t second = 0;
    must(world_in(w, bob, 1, "one", NULL));
    must(world_in(w, carol, 1, "hers", NULL));
    must(world_out(w, bob, 5, "ours", NULL));
    must(world_in(w, bob, 2, "two", &second));
    must(world_in(w, bob, 3, "three", NULL));
    must(psst_store_messages_shown(w->store, bob, second));
    struct seen seen;
    (void)world_log(w, bob, second - 1, 1, &seen);
    assert_int_equal(seen.last.state, PSST_MESSAGE_RECEIVED); /* three */
    (void)world_log(w, carol, 0, 1, &seen);
    assert_int_equal(seen.last.state, PSST_MESSAGE_RECEIVED);
    assert_string_equal(world_outbox(w, bob, 0, 10, &seen), "5:ours|");
    must(psst_store_messages_shown(w->store, bob, INT64_MAX));
    (void)world_log(w, bob, second, 1, &seen);
    assert_int_equal(seen.last.state, PSST_MESSAGE_SHOWN);
    assert_string_equal(world_log(w, bob, 0, 10, &seen), "1:one|5:ours|2:two|3:three|");
}

static void history_off__erases__texts_that_are_done_with(void **state)
{
    struct world *w = *state;
    int64_t bob = world_contact(w, "bob", false);
    int64_t in = 0;
    must(world_out(w, bob, 1, "delivered", NULL));
    must(world_out(w, bob, 2, "refused", NULL));
    must(world_out(w, bob, 3, "waits", NULL));
    must(world_in(w, bob, 4, "shown", &in));
    must(world_in(w, bob, 5, "unseen", NULL));
    struct psst_msg_id one = world_id(1), two = world_id(2);
    struct seen seen;
    assert_string_equal(world_log(w, bob, 0, 10, &seen), "1:delivered|2:refused|3:waits|4:shown|5:unseen|");
    must(psst_store_message_settle(w->store, bob, &one, PSST_MESSAGE_DELIVERED, 0, NULL));
    must(psst_store_message_settle(w->store, bob, &two, PSST_MESSAGE_REFUSED, 3, NULL));
    must(psst_store_messages_shown(w->store, bob, in));
    assert_string_equal(world_log(w, bob, 0, 10, &seen), "1:|2:|3:waits|4:|5:unseen|");

    /* and what is gone is known all the same */
    assert_int_equal(world_in(w, bob, 4, "shown", NULL), PSST_ERR_EXISTS);
    assert_int_equal(world_in(w, bob, 4, "other", NULL), PSST_ERR_PROTOCOL);
    assert_int_equal(psst_store_message_settle(w->store, bob, &one, PSST_MESSAGE_DELIVERED, 0, NULL),
                     PSST_ERR_NOT_FOUND);
    world_reopen(w);
    assert_int_equal(world_in(w, bob, 4, "shown", NULL), PSST_ERR_EXISTS);
    assert_string_equal(world_log(w, bob, 0, 10, &seen), "1:|2:|3:waits|4:|5:unseen|");
}

static void erased_text__leaves__too_little_of_its_digest(void **state)
{
    struct world *w = *state;
    int64_t bob = world_contact(w, "bob", false);
    must(world_in(w, bob, 1, "secret", NULL));
    must(psst_store_messages_shown(w->store, bob, INT64_MAX));
    int64_t len = 0;
    must(psst_store_pragma_int(w->store, "SELECT length(digest) FROM messages", &len));
    assert_int_equal(len, 4);
    must(psst_store_pragma_int(w->store, "SELECT text IS NULL FROM messages", &len));
    assert_int_equal(len, 1);
}

static void message_in__refuses__when_the_reserve_is_touched(void **state)
{
    struct world *w = *state;
    int64_t bob = world_contact(w, "bob", true);
    must(world_in(w, bob, 1, "seen", NULL));
    must(psst_store_begin(w->store));
    w->store->reserve_bytes = UINT64_MAX;
    assert_int_equal(world_in(w, bob, 2, "new", NULL), PSST_ERR_DISK_FULL);
    assert_int_equal(world_in(w, bob, 1, "seen", NULL), PSST_ERR_EXISTS); /* acknowledged even so */
    must(world_out(w, bob, 3, "ours", NULL));
    must(psst_store_commit(w->store));
    w->store->reserve_bytes = 0;
    must(psst_store_begin(w->store));
    must(world_in(w, bob, 2, "new", NULL));
    must(psst_store_commit(w->store));
    struct seen seen;
    assert_string_equal(world_log(w, bob, 0, 10, &seen), "1:seen|3:ours|2:new|");
}

static void message__of_the_greatest_length__comes_back_whole(void **state)
{
    struct world *w = *state;
    int64_t bob = world_contact(w, "bob", true);
    char *text = malloc(65474);
    assert_non_null(text);
    for (size_t i = 0; i < 65474; i++) text[i] = (char)('a' + i % 26);
    struct psst_message_row row = world_message(bob, 1, "x");
    row.text = psst_view(text, 65474);
    row.time_ms = UINT64_MAX;
    must(psst_store_message_in(w->store, &row));
    world_reopen(w);
    struct seen seen;
    (void)world_log(w, bob, 0, 1, &seen);
    assert_int_equal(seen.last.text.len, 65474);
    assert_true(seen.last.time_ms == UINT64_MAX);
    assert_memory_equal(seen.text, "1:abcdefgh", 10);
    free(text);
}

static enum psst_err stop_at_two(void *ctx, const struct psst_message_row *row)
{
    (void)row;
    return ++*(int *)ctx == 2 ? PSST_ERR_AGAIN : PSST_OK;
}

static void walks__end__when_the_callback_says_so(void **state)
{
    struct world *w = *state;
    int64_t bob = world_contact(w, "bob", true);
    for (unsigned i = 0; i < 5; i++) must(world_out(w, bob, i, "x", NULL));
    int calls = 0;
    assert_int_equal(psst_store_log(w->store, bob, 0, 10, stop_at_two, &calls), PSST_ERR_AGAIN);
    assert_int_equal(calls, 2);
    calls = 0;
    assert_int_equal(psst_store_outbox(w->store, bob, 0, 10, stop_at_two, &calls), PSST_ERR_AGAIN);
    assert_int_equal(calls, 2);
    struct seen seen;
    (void)world_log(w, bob, 0, 10, &seen);
    assert_int_equal(seen.n, 5);
}

/* The promise is about time; what is checked is why it holds: no statement looks at more rows than it must. */
static void statements__use__their_indices(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *sql, *index;
    } cases[] = {
        {"SELECT min(seq) FROM (SELECT seq FROM messages WHERE contact_id = 1 AND seq > 2 ORDER BY seq DESC LIMIT 3)",
         "messages_log (contact_id=? AND rowid>?)"},
        {"SELECT text FROM messages WHERE contact_id = 1 AND seq >= 2 ORDER BY seq LIMIT 3",
         "messages_log (contact_id=? AND rowid>?)"},
        {"SELECT text FROM messages WHERE contact_id = 1 AND seq > 2 AND state = 0 ORDER BY seq LIMIT 3",
         "messages_waiting (contact_id=? AND rowid>?)"},
        {"UPDATE messages SET state = 4 WHERE contact_id = 1 AND seq <= 2 AND state = 3",
         "messages_unseen (contact_id=? AND rowid<?)"},
        {"SELECT digest FROM messages WHERE contact_id = 1 AND msg_id = x'00' AND direction = 0", "messages_by_id"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char sql[512];
        (void)snprintf(sql, sizeof sql, "EXPLAIN QUERY PLAN %s", cases[i].sql);
        sqlite3_stmt *stmt = NULL;
        assert_int_equal(sqlite3_prepare_v2(w->store->db, sql, -1, &stmt, NULL), SQLITE_OK);
        bool used = false;
        while (sqlite3_step(stmt) == SQLITE_ROW) {
            const char *detail = (const char *)sqlite3_column_text(stmt, 3);
            if (strstr(detail, cases[i].index) != NULL) used = true;
            assert_null(strstr(detail, "TEMP B-TREE"));
            if (!used) print_message("%s\n", detail);
        }
        assert_true(used);
        (void)sqlite3_finalize(stmt);
    }
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        T(message_out__waits__until_it_is_settled),
        T(settle__ignores__what_was_never_sent_or_is_settled),
        T(outbox__is_cut__by_limit_and_after),
        T(log__gives__the_last_ones_oldest_first),
        T(message_in__twice__is_one_row),
        T(message__for_nobody__is_refused),
        T(shown__marks__incoming_up_to_the_seq),
        T(history_off__erases__texts_that_are_done_with),
        T(erased_text__leaves__too_little_of_its_digest),
        T(message_in__refuses__when_the_reserve_is_touched),
        T(message__of_the_greatest_length__comes_back_whole),
        T(walks__end__when_the_callback_says_so),
        T(statements__use__their_indices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
