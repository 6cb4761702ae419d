/* Outgoing messages from waiting to read: what is marked as sent, and when; what can be recalled; receipts. */
#include "world.h"

#include "store/store_internal.h"

#include <stdio.h>
#include <string.h>

static int64_t wait_for(struct world *w, int64_t contact, unsigned n, const char *text)
{
    struct psst_message_row row = world_message(contact, n, text);
    must(psst_store_message_out(w->store, &row));
    assert_int_equal(row.state, PSST_MESSAGE_WAITING);
    return row.seq;
}

static enum psst_message_state state_of(struct world *w, int64_t contact, int64_t seq)
{
    struct seen seen;
    (void)world_log(w, contact, seq - 1, SIZE_MAX, &seen);
    seen.n = 0;
    must(psst_store_log_before(w->store, contact, seq + 1, 1, world_see, &seen));
    assert_int_equal(seen.last.seq, seq);
    return seen.last.state;
}

static const char *sending(struct world *w, int64_t contact, int64_t after, size_t limit, size_t bytes,
                           struct seen *seen)
{
    *seen = (struct seen){.n = 0};
    must(psst_store_outbox_send(w->store, contact, after, limit, bytes, 777, world_see, seen));
    return seen->text;
}

/* ---- sending ---- */

static void outbox_send__marks__what_it_gives(void **state)
{
    struct world *w = *state;
    int64_t bob = world_contact(w, "bob", true), carol = world_contact(w, "carol", true);
    int64_t one = wait_for(w, bob, 1, "one"), hers = wait_for(w, carol, 2, "hers"), two = wait_for(w, bob, 3, "two");
    int64_t three = wait_for(w, bob, 4, "three");
    struct seen seen;
    assert_string_equal(sending(w, bob, 0, 2, 1000, &seen), "1:one|3:two|");
    assert_int_equal(seen.last.state, PSST_MESSAGE_WAITING); /* as it was */
    world_reopen(w);
    assert_int_equal(state_of(w, bob, one), PSST_MESSAGE_SENT);
    assert_int_equal(state_of(w, bob, two), PSST_MESSAGE_SENT);
    assert_int_equal(state_of(w, bob, three), PSST_MESSAGE_WAITING);
    assert_int_equal(state_of(w, carol, hers), PSST_MESSAGE_WAITING);
    /* the next session sends again what is not settled, in order */
    assert_string_equal(sending(w, bob, 0, 10, 1000, &seen), "1:one|3:two|4:three|");
    assert_string_equal(world_outbox(w, bob, 0, 10, &seen), "1:one|3:two|4:three|");
    assert_int_equal(seen.last.sent_ms, 777);
    assert_int_equal(seen.last.state, PSST_MESSAGE_SENT);
}

static void outbox_send__ends__where_there_is_enough(void **state)
{
    struct world *w = *state;
    int64_t bob = world_contact(w, "bob", true);
    (void)wait_for(w, bob, 1, "12345");
    (void)wait_for(w, bob, 2, "12345");
    int64_t three = wait_for(w, bob, 3, "12345");
    struct seen seen;
    assert_string_equal(sending(w, bob, 0, 10, 6, &seen), "1:12345|2:12345|");
    assert_int_equal(state_of(w, bob, three), PSST_MESSAGE_WAITING);
    assert_string_equal(sending(w, bob, 0, 10, 1, &seen), "1:12345|"); /* one at least */
}

static enum psst_err fail_at_two(void *ctx, const struct psst_message_row *row)
{
    (void)row;
    return ++*(int *)ctx == 2 ? PSST_ERR_MEMORY : PSST_OK;
}

static void outbox_send__whose_reader_fails__marks_nothing(void **state)
{
    struct world *w = *state;
    int64_t bob = world_contact(w, "bob", true);
    int64_t one = wait_for(w, bob, 1, "one"), two = wait_for(w, bob, 2, "two");
    int calls = 0;
    assert_int_equal(psst_store_outbox_send(w->store, bob, 0, 10, 1000, 777, fail_at_two, &calls), PSST_ERR_MEMORY);
    assert_int_equal(state_of(w, bob, one), PSST_MESSAGE_WAITING);
    assert_int_equal(state_of(w, bob, two), PSST_MESSAGE_WAITING);
}

static void message_out__straight__is_sent_from_its_commit(void **state)
{
    struct world *w = *state;
    int64_t bob = world_contact(w, "bob", true), seq = 0;
    must(world_out(w, bob, 1, "one", &seq));
    assert_int_equal(state_of(w, bob, seq), PSST_MESSAGE_SENT);
    struct psst_message_row row = world_message(bob, 2, "in the year 1970");
    row.state = PSST_MESSAGE_SENT;
    row.stored_ms = 0;
    must(psst_store_message_out(w->store, &row));
    assert_int_equal(state_of(w, bob, row.seq), PSST_MESSAGE_SENT);
}

/* Attack 21, and more: what never left cannot have arrived. */
static void settle__ignores__what_only_waits(void **state)
{
    struct world *w = *state;
    int64_t bob = world_contact(w, "bob", true);
    int64_t one = wait_for(w, bob, 1, "one");
    struct psst_msg_id id = world_id(1);
    assert_int_equal(psst_store_message_settle(w->store, bob, &id, PSST_MESSAGE_DELIVERED, 0, NULL),
                     PSST_ERR_NOT_FOUND);
    assert_int_equal(state_of(w, bob, one), PSST_MESSAGE_WAITING);
    struct seen seen;
    (void)sending(w, bob, 0, 1, 1, &seen);
    must(psst_store_message_settle(w->store, bob, &id, PSST_MESSAGE_DELIVERED, 0, NULL));
    assert_int_equal(state_of(w, bob, one), PSST_MESSAGE_DELIVERED);
}

/* ---- recalling ---- */

static void recall__takes_back__what_waits_and_nothing_else(void **state)
{
    struct world *w = *state;
    int64_t bob = world_contact(w, "bob", true), carol = world_contact(w, "carol", true), in = 0, sent = 0;
    must(world_out(w, bob, 1, "sent", &sent));
    must(world_in(w, bob, 2, "incoming", &in));
    int64_t waits = wait_for(w, bob, 3, "waits");
    struct psst_message_row row;
    bool taken = true;
    assert_int_equal(psst_store_message_recall(w->store, bob, in, &row, &taken), PSST_ERR_NOT_FOUND);
    assert_int_equal(psst_store_message_recall(w->store, carol, waits, &row, &taken), PSST_ERR_NOT_FOUND);
    assert_int_equal(psst_store_message_recall(w->store, bob, 4711, &row, &taken), PSST_ERR_NOT_FOUND);
    must(psst_store_message_recall(w->store, bob, sent, &row, &taken));
    assert_false(taken);
    assert_int_equal(row.state, PSST_MESSAGE_SENT);
    assert_int_equal(row.sent_ms, 2001);
    must(psst_store_message_recall(w->store, bob, waits, &row, &taken));
    assert_true(taken);
    assert_int_equal(row.state, PSST_MESSAGE_RECALLED);
    must(psst_store_message_recall(w->store, bob, waits, &row, &taken)); /* twice is once */
    assert_false(taken);
    assert_int_equal(row.state, PSST_MESSAGE_RECALLED);
    world_reopen(w);
    assert_int_equal(state_of(w, bob, waits), PSST_MESSAGE_RECALLED);
    struct seen seen;
    assert_string_equal(world_outbox(w, bob, 0, 10, &seen), "1:sent|");
    assert_string_equal(world_log(w, bob, 0, 10, &seen), "1:sent|2:incoming|3:waits|"); /* the text stays, marked */
    assert_string_equal(sending(w, bob, 0, 10, 1000, &seen), "1:sent|");
    struct psst_msg_id id = world_id(3);
    assert_int_equal(psst_store_message_settle(w->store, bob, &id, PSST_MESSAGE_DELIVERED, 0, NULL),
                     PSST_ERR_NOT_FOUND);
}

static void recall__without_history__erases(void **state)
{
    struct world *w = *state;
    int64_t bob = world_contact(w, "bob", false);
    int64_t seq = wait_for(w, bob, 1, "secret");
    struct psst_message_row row;
    bool taken = false;
    must(psst_store_message_recall(w->store, bob, seq, &row, &taken));
    struct seen seen;
    assert_string_equal(world_log(w, bob, 0, 10, &seen), "1:|");
    assert_int_equal(seen.last.state, PSST_MESSAGE_RECALLED);
}

static void history__turned_off__erases_what_was_read_or_recalled(void **state)
{
    struct world *w = *state;
    struct psst_contact_row bob = {.keep_history = true, .spki = psst_view_str("key"), .alias = "bob", .fpr = {{1}}};
    must(psst_store_contact_put(w->store, &bob));
    int64_t waits = wait_for(w, bob.id, 1, "recalled"), seq = 0;
    must(world_out(w, bob.id, 2, "read", &seq));
    struct psst_message_row row;
    bool taken = false;
    struct psst_msg_id id = world_id(2);
    must(psst_store_message_recall(w->store, bob.id, waits, &row, &taken));
    must(psst_store_message_settle(w->store, bob.id, &id, PSST_MESSAGE_DELIVERED, 0, NULL));
    must(psst_store_message_read(w->store, bob.id, &id, &seq));
    bob.keep_history = false;
    must(psst_store_contact_put(w->store, &bob));
    (void)world_tidy(w, 0);
    struct seen seen;
    assert_string_equal(world_log(w, bob.id, 0, 10, &seen), "1:|2:|");
}

static void outbox_last_and_find__name_a_message(void **state)
{
    struct world *w = *state;
    int64_t bob = world_contact(w, "bob", true), seq = 0, second = 0;
    struct psst_msg_id id = world_id(2);
    assert_int_equal(psst_store_outbox_last(w->store, bob, &seq), PSST_ERR_NOT_FOUND);
    assert_int_equal(psst_store_outbox_find(w->store, bob, &id, &seq), PSST_ERR_NOT_FOUND);
    (void)wait_for(w, bob, 1, "one");
    must(world_out(w, bob, 2, "two", &second));
    must(world_in(w, bob, 3, "in", NULL));
    must(psst_store_outbox_last(w->store, bob, &seq));
    assert_int_equal(seq, second);
    must(psst_store_outbox_find(w->store, bob, &id, &seq));
    assert_int_equal(seq, second);
    id = world_id(3);
    assert_int_equal(psst_store_outbox_find(w->store, bob, &id, &seq), PSST_ERR_NOT_FOUND);
}

/* ---- the order of what comes in ---- */

static void message_known_and_seen__only_look(void **state)
{
    struct world *w = *state;
    int64_t bob = world_contact(w, "bob", true), carol = world_contact(w, "carol", true);
    struct psst_msg_id id = world_id(1);
    struct psst_message_row row = world_message(bob, 1, "text"), other = world_message(bob, 1, "other");
    assert_int_equal(psst_store_message_known(w->store, bob, &id), PSST_ERR_NOT_FOUND);
    assert_int_equal(psst_store_message_seen(w->store, &row), PSST_ERR_NOT_FOUND);
    must(world_in(w, bob, 1, "text", NULL));
    must(psst_store_message_known(w->store, bob, &id));
    assert_int_equal(psst_store_message_known(w->store, carol, &id), PSST_ERR_NOT_FOUND);
    assert_int_equal(psst_store_message_seen(w->store, &row), PSST_ERR_EXISTS);
    assert_int_equal(psst_store_message_seen(w->store, &other), PSST_ERR_PROTOCOL);
    must(world_out(w, carol, 1, "ours", NULL));
    assert_int_equal(psst_store_message_known(w->store, carol, &id), PSST_ERR_NOT_FOUND);
}

/* ---- receipts ---- */

static void read__counts__for_what_was_delivered_to_him(void **state)
{
    struct world *w = *state;
    int64_t bob = world_contact(w, "bob", true), carol = world_contact(w, "carol", true), seq = 0, found = 0;
    struct psst_msg_id id = world_id(1);
    must(world_out(w, bob, 1, "text", &seq));
    assert_int_equal(psst_store_message_read(w->store, bob, &id, &found), PSST_ERR_NOT_FOUND); /* not delivered yet */
    must(psst_store_message_settle(w->store, bob, &id, PSST_MESSAGE_DELIVERED, 0, NULL));
    assert_int_equal(psst_store_message_read(w->store, carol, &id, &found), PSST_ERR_NOT_FOUND);
    must(psst_store_message_read(w->store, bob, &id, &found));
    assert_int_equal(found, seq);
    assert_int_equal(psst_store_message_read(w->store, bob, &id, &found), PSST_ERR_NOT_FOUND); /* told once */
    assert_int_equal(state_of(w, bob, seq), PSST_MESSAGE_READ);
    must(world_in(w, bob, 2, "his", NULL));
    id = world_id(2);
    assert_int_equal(psst_store_message_read(w->store, bob, &id, &found), PSST_ERR_NOT_FOUND);
}

static size_t due(struct world *w, int64_t contact, struct psst_msg_id ids[8])
{
    size_t n = 8;
    must(psst_store_receipts_due(w->store, contact, ids, &n));
    return n;
}

static void receipts__are_due__for_what_was_shown_while_they_were_on(void **state)
{
    struct world *w = *state;
    struct psst_contact_row bob = {.keep_history = true, .spki = psst_view_str("key"), .alias = "bob", .fpr = {{1}}};
    must(psst_store_contact_put(w->store, &bob));
    struct psst_msg_id ids[8], expected[] = {world_id(2), world_id(3)};
    must(world_in(w, bob.id, 1, "before", NULL));
    must(psst_store_messages_shown(w->store, bob.id, INT64_MAX));
    assert_int_equal(due(w, bob.id, ids), 0);

    bob.receipts = true;
    must(psst_store_contact_put(w->store, &bob));
    must(world_in(w, bob.id, 2, "two", NULL));
    must(world_in(w, bob.id, 3, "three", NULL));
    assert_int_equal(due(w, bob.id, ids), 0); /* not shown */
    must(psst_store_messages_shown(w->store, bob.id, INT64_MAX));
    world_reopen(w);
    assert_int_equal(due(w, bob.id, ids), 2);
    assert_memory_equal(ids, expected, sizeof expected);
    size_t one = 1;
    must(psst_store_receipts_due(w->store, bob.id, ids, &one));
    assert_int_equal(one, 1);
    must(psst_store_receipts_sent(w->store, bob.id, ids, 1));
    assert_int_equal(due(w, bob.id, ids), 1);
    assert_memory_equal(ids, &expected[1], sizeof expected[1]);

    bob.receipts = false; /* what is due is not told any more */
    must(psst_store_contact_put(w->store, &bob));
    bob.receipts = true;
    must(psst_store_contact_put(w->store, &bob));
    assert_int_equal(due(w, bob.id, ids), 0);
}

static void receipts__without_history__are_due_all_the_same(void **state)
{
    struct world *w = *state;
    struct psst_contact_row bob = {.receipts = true, .spki = psst_view_str("key"), .alias = "bob", .fpr = {{1}}};
    must(psst_store_contact_put(w->store, &bob));
    struct psst_msg_id ids[8];
    must(world_in(w, bob.id, 2, "two", NULL));
    must(psst_store_messages_shown(w->store, bob.id, INT64_MAX));
    assert_int_equal(due(w, bob.id, ids), 1);
}

static void statements__use__their_indices(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *sql, *index;
    } cases[] = {
        {"UPDATE messages SET sent_ms = 4 WHERE contact_id = 1 AND seq > 2 AND seq <= 3 AND sent_ms = 0 AND state = 0",
         "messages_waiting (contact_id=? AND rowid>? AND rowid<?)"},
        {"SELECT seq FROM messages WHERE contact_id = 1 AND state = 0 ORDER BY seq DESC LIMIT 1",
         "messages_waiting (contact_id=?)"},
        {"SELECT msg_id FROM messages WHERE contact_id = 1 AND receipt = 1 ORDER BY seq LIMIT 2",
         "messages_receipts (contact_id=?)"},
        {"UPDATE messages SET receipt = 0 WHERE contact_id = 1 AND receipt = 1", "messages_receipts (contact_id=?)"},
        {"UPDATE messages SET receipt = 0 WHERE contact_id = 1 AND msg_id = x'00' AND direction = 0", "messages_by_id"},
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
        T(outbox_send__marks__what_it_gives),
        T(outbox_send__ends__where_there_is_enough),
        T(outbox_send__whose_reader_fails__marks_nothing),
        T(message_out__straight__is_sent_from_its_commit),
        T(settle__ignores__what_only_waits),
        T(recall__takes_back__what_waits_and_nothing_else),
        T(recall__without_history__erases),
        T(history__turned_off__erases_what_was_read_or_recalled),
        T(outbox_last_and_find__name_a_message),
        T(message_known_and_seen__only_look),
        T(read__counts__for_what_was_delivered_to_him),
        T(receipts__are_due__for_what_was_shown_while_they_were_on),
        T(receipts__without_history__are_due_all_the_same),
        T(statements__use__their_indices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
