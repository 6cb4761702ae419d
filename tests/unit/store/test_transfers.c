#include "world.h"

#include "store/store_internal.h"

#include <stdio.h>
#include <string.h>

struct list {
    struct psst_transfer_row rows[8];
    char name[8][32];
    char path[8][32];
    size_t n;
};

static enum psst_err collect(void *ctx, const struct psst_transfer_row *row)
{
    struct list *list = ctx;
    assert_true(list->n < 8);
    (void)snprintf(list->name[list->n], 32, "%.*s", (int)row->name.len, (const char *)row->name.data);
    (void)snprintf(list->path[list->n], 32, "%.*s", (int)row->path.len,
                   row->path.data == NULL ? "" : (const char *)row->path.data);
    list->rows[list->n++] = *row;
    return PSST_OK;
}

static struct list all(struct world *w, int64_t contact)
{
    struct list list = {.n = 0};
    must(psst_store_transfers(w->store, contact, collect, &list));
    return list;
}

static struct psst_transfer_row transfer(int64_t contact, unsigned n, enum psst_direction direction)
{
    return (struct psst_transfer_row){.contact_id = contact,
                                      .transfer_id = world_id(n),
                                      .direction = direction,
                                      .size = 123456789012345u,
                                      .created_ms = 77,
                                      .name = psst_view_str("photo.jpg"),
                                      .path = psst_view_str("/home/\xff/x")};
}

static void transfer_put__gives_back__every_field_after_reopening(void **state)
{
    struct world *w = *state;
    int64_t contact = world_contact(w, "bob", true);
    struct psst_transfer_row row = transfer(contact, 1, PSST_OUT);
    row.form = 2;
    row.flags = PSST_TRANSFER_PAUSED | PSST_TRANSFER_UNTOLD;
    row.rank = -3;
    row.mtime_ns = -5000000000;
    row.inode = UINT64_MAX - 7;
    must(psst_store_transfer_put(w->store, &row));
    assert_true(row.id > 0);
    world_reopen(w);
    struct list list = all(w, contact);
    assert_int_equal(list.n, 1);
    assert_int_equal(list.rows[0].id, row.id);
    assert_int_equal(list.rows[0].contact_id, contact);
    assert_memory_equal(list.rows[0].transfer_id.b, row.transfer_id.b, 16);
    assert_int_equal(list.rows[0].direction, PSST_OUT);
    assert_int_equal(list.rows[0].state, PSST_TRANSFER_WAITING);
    assert_int_equal(list.rows[0].size, 123456789012345u);
    assert_int_equal(list.rows[0].offset, 0);
    assert_int_equal(list.rows[0].created_ms, 77);
    assert_int_equal(list.rows[0].form, 2);
    assert_int_equal(list.rows[0].flags, PSST_TRANSFER_PAUSED | PSST_TRANSFER_UNTOLD);
    assert_int_equal(list.rows[0].rank, -3);
    assert_int_equal(list.rows[0].mtime_ns, -5000000000);
    assert_true(list.rows[0].inode == UINT64_MAX - 7);
    assert_string_equal(list.name[0], "photo.jpg");
    assert_string_equal(list.path[0], "/home/\xff/x");
}

static void transfer_put__updates__state_offset_and_path(void **state)
{
    struct world *w = *state;
    int64_t contact = world_contact(w, "bob", true);
    struct psst_transfer_row row = transfer(contact, 1, PSST_IN);
    must(psst_store_transfer_put(w->store, &row));
    row.state = PSST_TRANSFER_FAILED;
    row.reason = 6;
    row.offset = 99;
    row.flags = PSST_TRANSFER_ANEW;
    row.rank = 4;
    row.inode = 5;
    row.path = psst_view_str("/downloads/photo (2).jpg");
    must(psst_store_transfer_put(w->store, &row));
    struct list list = all(w, 0);
    assert_int_equal(list.n, 1);
    assert_int_equal(list.rows[0].state, PSST_TRANSFER_FAILED);
    assert_int_equal(list.rows[0].reason, 6);
    assert_int_equal(list.rows[0].offset, 99);
    assert_int_equal(list.rows[0].flags, PSST_TRANSFER_ANEW);
    assert_int_equal(list.rows[0].rank, 4);
    assert_int_equal(list.rows[0].inode, 5);
    assert_string_equal(list.path[0], "/downloads/photo (2).jpg");
}

static void transfer_put__same_id_again__gives_the_first_one(void **state)
{
    struct world *w = *state;
    int64_t bob = world_contact(w, "bob", true);
    int64_t carol = world_contact(w, "carol", true);
    struct psst_transfer_row row = transfer(bob, 1, PSST_IN);
    must(psst_store_transfer_put(w->store, &row));
    row.state = PSST_TRANSFER_DECLINED;
    row.reason = 0x81;
    must(psst_store_transfer_put(w->store, &row));
    struct psst_transfer_row again = transfer(bob, 1, PSST_IN);
    assert_int_equal(psst_store_transfer_put(w->store, &again), PSST_ERR_EXISTS);
    assert_int_equal(again.id, row.id);
    assert_int_equal(again.state, PSST_TRANSFER_DECLINED);
    assert_int_equal(again.reason, 0x81);
    struct psst_transfer_row other_way = transfer(bob, 1, PSST_OUT);
    must(psst_store_transfer_put(w->store, &other_way));
    struct psst_transfer_row other_contact = transfer(carol, 1, PSST_IN);
    must(psst_store_transfer_put(w->store, &other_contact));
    assert_int_equal(all(w, 0).n, 3);
    assert_int_equal(all(w, bob).n, 2);
    assert_int_equal(all(w, carol).rows[0].id, other_contact.id);
}

static void transfer_put__refuses__unknown_contacts_and_ids(void **state)
{
    struct world *w = *state;
    int64_t contact = world_contact(w, "bob", true);
    struct psst_transfer_row row = transfer(contact + 1, 1, PSST_IN);
    assert_int_equal(psst_store_transfer_put(w->store, &row), PSST_ERR_NOT_FOUND);
    row = transfer(contact, 1, PSST_IN);
    row.id = 12;
    assert_int_equal(psst_store_transfer_put(w->store, &row), PSST_ERR_NOT_FOUND);
    row = transfer(contact, 1, PSST_IN);
    must(psst_store_transfer_put(w->store, &row));
    row.contact_id = contact + 1; /* somebody else's */
    assert_int_equal(psst_store_transfer_put(w->store, &row), PSST_ERR_NOT_FOUND);
}

static void transfers__come__newest_last(void **state)
{
    struct world *w = *state;
    int64_t contact = world_contact(w, "bob", true);
    for (unsigned i = 5; i > 0; i--) {
        struct psst_transfer_row row = transfer(contact, i, PSST_OUT);
        must(psst_store_transfer_put(w->store, &row));
    }
    struct list list = all(w, 0);
    assert_int_equal(list.n, 5);
    for (size_t i = 1; i < 5; i++) assert_true(list.rows[i].id > list.rows[i - 1].id);
    must(psst_store_contact_remove(w->store, contact));
    assert_int_equal(all(w, 0).n, 0);
}

static void transfer_put__a_size_not_known__comes_back(void **state)
{
    struct world *w = *state;
    int64_t contact = world_contact(w, "bob", true);
    struct psst_transfer_row row = transfer(contact, 1, PSST_OUT);
    row.size = PSST_TRANSFER_SIZE_UNKNOWN;
    must(psst_store_transfer_put(w->store, &row));
    assert_true(all(w, contact).rows[0].size == PSST_TRANSFER_SIZE_UNKNOWN);
    row.size = 12;
    must(psst_store_transfer_put(w->store, &row));
    assert_int_equal(all(w, contact).rows[0].size, 12);
}

static void transfer_find__gives__what_became_of_it(void **state)
{
    struct world *w = *state;
    int64_t bob = world_contact(w, "bob", true);
    struct psst_transfer_row row = transfer(bob, 1, PSST_IN), wanted = transfer(bob, 1, PSST_OUT);
    row.state = PSST_TRANSFER_DONE;
    row.reason = 3;
    must(psst_store_transfer_put(w->store, &row));
    assert_int_equal(psst_store_transfer_find(w->store, &wanted), PSST_ERR_NOT_FOUND);
    wanted.direction = PSST_IN;
    must(psst_store_transfer_find(w->store, &wanted));
    assert_int_equal(wanted.id, row.id);
    assert_int_equal(wanted.state, PSST_TRANSFER_DONE);
    assert_int_equal(wanted.reason, 3);
    wanted.contact_id++;
    assert_int_equal(psst_store_transfer_find(w->store, &wanted), PSST_ERR_NOT_FOUND);
}

static void transfer_safe__notes__only_how_far_a_running_one_is(void **state)
{
    struct world *w = *state;
    int64_t bob = world_contact(w, "bob", true);
    struct psst_transfer_row row = transfer(bob, 1, PSST_IN);
    must(psst_store_transfer_put(w->store, &row));
    assert_int_equal(psst_store_transfer_safe(w->store, row.id, bob, 5), PSST_ERR_NOT_FOUND);
    row.state = PSST_TRANSFER_ACCEPTED;
    must(psst_store_transfer_put(w->store, &row));
    must(psst_store_transfer_safe(w->store, row.id, bob, (uint64_t)1 << 61));
    assert_int_equal(all(w, bob).rows[0].offset, (uint64_t)1 << 61);
    assert_int_equal(all(w, bob).rows[0].state, PSST_TRANSFER_ACCEPTED);
    assert_int_equal(psst_store_transfer_safe(w->store, row.id, bob + 1, 6), PSST_ERR_NOT_FOUND);
    row.state = PSST_TRANSFER_DONE;
    must(psst_store_transfer_put(w->store, &row));
    assert_int_equal(psst_store_transfer_safe(w->store, row.id, bob, 7), PSST_ERR_NOT_FOUND);
}

/* One of each state, and over them an untold one of the last. */
static void put_states(struct world *w, int64_t contact, int64_t ids[6])
{
    for (unsigned i = 0; i < 6; i++) {
        struct psst_transfer_row row = transfer(contact, i, i % 2 == 0 ? PSST_OUT : PSST_IN);
        row.state = (enum psst_transfer_state)(i < 5 ? i : PSST_TRANSFER_FAILED);
        row.flags = i < 5 ? PSST_TRANSFER_PAUSED | PSST_TRANSFER_NAMED | PSST_TRANSFER_ANEW : PSST_TRANSFER_UNTOLD;
        must(psst_store_transfer_put(w->store, &row));
        ids[i] = row.id;
    }
}

static void transfers_open__gives__what_is_not_over_or_not_told(void **state)
{
    struct world *w = *state;
    int64_t ids[6];
    put_states(w, world_contact(w, "bob", true), ids);
    struct list list = {.n = 0};
    must(psst_store_transfers_open(w->store, collect, &list));
    assert_int_equal(list.n, 3);
    assert_int_equal(list.rows[0].id, ids[PSST_TRANSFER_WAITING]);
    assert_int_equal(list.rows[1].id, ids[PSST_TRANSFER_ACCEPTED]);
    assert_int_equal(list.rows[2].id, ids[5]);
}

/* So that what a psstd that was killed did not come to removing is removed by the next one. */
static void transfers_open__gives__what_may_still_lie_there(void **state)
{
    struct world *w = *state;
    struct psst_transfer_row row = transfer(world_contact(w, "bob", true), 1, PSST_IN);
    row.state = PSST_TRANSFER_FAILED;
    row.flags = PSST_TRANSFER_LITTER;
    must(psst_store_transfer_put(w->store, &row));
    world_reopen(w);
    struct list list = {.n = 0};
    must(psst_store_transfers_open(w->store, collect, &list));
    assert_int_equal(list.n, 1);
    row.flags = 0;
    must(psst_store_transfer_put(w->store, &row));
    list.n = 0;
    must(psst_store_transfers_open(w->store, collect, &list));
    assert_int_equal(list.n, 0);
}

static void count_one(void *ctx, int64_t contact_id, uint32_t n)
{
    int64_t *counted = ctx;
    counted[0] += contact_id * n;
    counted[1]++;
}

/* Whether the plan of a statement that has been used goes through this index. */
static bool goes_through(struct world *w, enum psst_stmt which, const char *index)
{
    char sql[1024];
    sqlite3_stmt *stmt = NULL;
    (void)snprintf(sql, sizeof sql, "EXPLAIN QUERY PLAN %s", sqlite3_sql(w->store->stmts[which]));
    assert_int_equal(sqlite3_prepare_v2(w->store->db, sql, -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    bool found = strstr((const char *)sqlite3_column_text(stmt, 3), index) != NULL;
    (void)sqlite3_finalize(stmt);
    return found;
}

static void transfers_open__never_reads__all_of_them(void **state)
{
    struct world *w = *state;
    struct list list = {.n = 0};
    int64_t counted[2] = {0, 0};
    must(psst_store_transfers_open(w->store, collect, &list));
    assert_true(goes_through(w, STMT_TRANSFERS_OPEN, "transfers_open"));
    must(psst_store_transfers_withdrawn(w->store, count_one, counted));
    assert_true(goes_through(w, STMT_TRANSFERS_WITHDRAWN, "transfers_withdrawn"));
}

static void transfers_before__gives__pages(void **state)
{
    struct world *w = *state;
    int64_t ids[6];
    put_states(w, world_contact(w, "bob", true), ids);
    struct list list = {.n = 0};
    must(psst_store_transfers_before(w->store, 0, 4, collect, &list));
    assert_int_equal(list.n, 4);
    for (size_t i = 0; i < 4; i++) assert_int_equal(list.rows[i].id, ids[2 + i]);
    list.n = 0;
    must(psst_store_transfers_before(w->store, ids[2], 4, collect, &list));
    assert_int_equal(list.n, 2);
    assert_int_equal(list.rows[0].id, ids[0]);
    assert_int_equal(list.rows[1].id, ids[1]);
    list.n = 0;
    must(psst_store_transfers_before(w->store, ids[0], 4, collect, &list));
    assert_int_equal(list.n, 0);
    assert_int_equal(psst_store_transfers_before(w->store, 0, 0, collect, &list), PSST_ERR_USAGE);
    assert_int_equal(psst_store_transfers_before(w->store, 0, PSST_TRANSFERS_PAGE_MAX + 1, collect, &list),
                     PSST_ERR_USAGE);
}

static void transfer_by_id__gives__that_one_or_none(void **state)
{
    struct world *w = *state;
    int64_t ids[6];
    put_states(w, world_contact(w, "bob", true), ids);
    struct list list = {.n = 0};
    must(psst_store_transfer_by_id(w->store, ids[3], collect, &list));
    assert_int_equal(list.n, 1);
    assert_int_equal(list.rows[0].id, ids[3]);
    must(psst_store_transfer_by_id(w->store, ids[5] + 1, collect, &list));
    must(psst_store_transfer_by_id(w->store, 0, collect, &list));
    must(psst_store_transfer_by_id(w->store, -1, collect, &list));
    assert_int_equal(list.n, 1);
}

static void transfers_withdrawn__counts__offers_that_were_taken_back(void **state)
{
    struct world *w = *state;
    int64_t bob = world_contact(w, "bob", true), carol = world_contact(w, "carol", true);
    for (unsigned i = 0; i < 10; i++) {
        struct psst_transfer_row row = transfer(i < 3 ? bob : carol, i, i == 9 ? PSST_OUT : PSST_IN);
        row.state = i == 8 ? PSST_TRANSFER_DECLINED : PSST_TRANSFER_FAILED;
        row.path = psst_view("/somewhere", i == 7 ? 10 : 0);
        must(psst_store_transfer_put(w->store, &row));
    }
    int64_t counted[2] = {0, 0};
    must(psst_store_transfers_withdrawn(w->store, count_one, counted));
    assert_int_equal(counted[1], 2);
    assert_int_equal(counted[0], 3 * bob + 4 * carol);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        T(transfer_put__gives_back__every_field_after_reopening),
        T(transfer_put__updates__state_offset_and_path),
        T(transfer_put__same_id_again__gives_the_first_one),
        T(transfer_put__refuses__unknown_contacts_and_ids),
        T(transfer_put__a_size_not_known__comes_back),
        T(transfer_find__gives__what_became_of_it),
        T(transfer_safe__notes__only_how_far_a_running_one_is),
        T(transfers__come__newest_last),
        T(transfers_open__gives__what_is_not_over_or_not_told),
        T(transfers_open__gives__what_may_still_lie_there),
        T(transfers_open__never_reads__all_of_them),
        T(transfers_before__gives__pages),
        T(transfer_by_id__gives__that_one_or_none),
        T(transfers_withdrawn__counts__offers_that_were_taken_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
