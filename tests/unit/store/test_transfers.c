#include "world.h"

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
    row.path = psst_view_str("/downloads/photo (2).jpg");
    must(psst_store_transfer_put(w->store, &row));
    struct list list = all(w, 0);
    assert_int_equal(list.n, 1);
    assert_int_equal(list.rows[0].state, PSST_TRANSFER_FAILED);
    assert_int_equal(list.rows[0].reason, 6);
    assert_int_equal(list.rows[0].offset, 99);
    assert_string_equal(list.path[0], "/downloads/photo (2).jpg");
}

static void transfer_put__same_id_again__gives_the_first_one(void **state)
{
    struct world *w = *state;
    int64_t bob = world_contact(w, "bob", true);
    int64_t carol = world_contact(w, "carol", true);
    struct psst_transfer_row row = transfer(bob, 1, PSST_IN);
    must(psst_store_transfer_put(w->store, &row));
    struct psst_transfer_row again = transfer(bob, 1, PSST_IN);
    assert_int_equal(psst_store_transfer_put(w->store, &again), PSST_ERR_EXISTS);
    assert_int_equal(again.id, row.id);
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

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        T(transfer_put__gives_back__every_field_after_reopening),
        T(transfer_put__updates__state_offset_and_path),
        T(transfer_put__same_id_again__gives_the_first_one),
        T(transfer_put__refuses__unknown_contacts_and_ids),
        T(transfers__come__newest_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
