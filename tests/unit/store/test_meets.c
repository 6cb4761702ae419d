/* Meetings, and one's own values. */
#include "world.h"

struct list {
    struct psst_meet_row rows[2 * PSST_MEETS_MAX];
    size_t n;
};

static enum psst_err collect(void *ctx, const struct psst_meet_row *row)
{
    struct list *list = ctx;
    assert_true(list->n < sizeof list->rows / sizeof list->rows[0]);
    list->rows[list->n++] = *row;
    return PSST_OK;
}

static struct list all(struct world *w)
{
    struct list list = {.n = 0};
    must(psst_store_meets(w->store, collect, &list));
    return list;
}

static struct psst_meet_row meet(int64_t contact, unsigned n, enum psst_direction direction, uint64_t time_ms)
{
    return (struct psst_meet_row){
        .contact_id = contact, .meet_id = world_id(n), .direction = direction, .time_ms = time_ms};
}

static void meet_add__gives_back__every_field_after_reopening(void **state)
{
    struct world *w = *state;
    int64_t contact = world_contact(w, "bob", true);
    struct psst_meet_row row = meet(contact, 7, PSST_OUT, 1795550400123);
    row.state = PSST_MEET_CANCELLING;
    must(psst_store_meet_add(w->store, &row));
    assert_true(row.id > 0);
    world_reopen(w);
    struct list list = all(w);
    assert_int_equal(list.n, 1);
    assert_int_equal(list.rows[0].id, row.id);
    assert_int_equal(list.rows[0].contact_id, contact);
    assert_memory_equal(list.rows[0].meet_id.b, row.meet_id.b, sizeof row.meet_id.b);
    assert_int_equal(list.rows[0].direction, PSST_OUT);
    assert_int_equal(list.rows[0].state, PSST_MEET_CANCELLING);
    assert_int_equal(list.rows[0].time_ms, 1795550400123);
}

static void meets__come__earliest_first(void **state)
{
    struct world *w = *state;
    int64_t bob = world_contact(w, "bob", true), carol = world_contact(w, "carol", true);
    for (unsigned i = 6; i > 0; i--) {
        struct psst_meet_row row = meet(i % 2 ? bob : carol, i, PSST_IN, 1000 + i);
        must(psst_store_meet_add(w->store, &row));
    }
    struct list list = all(w);
    assert_int_equal(list.n, 6);
    for (size_t i = 0; i < 6; i++) assert_int_equal(list.rows[i].time_ms, 1001 + i);
    must(psst_store_contact_remove(w->store, bob));
    assert_int_equal(all(w).n, 3);
    world_assert_integrity(w);
}

static void meet_add__same_id_again__gives_the_first_one(void **state)
{
    struct world *w = *state;
    int64_t bob = world_contact(w, "bob", true), carol = world_contact(w, "carol", true);
    struct psst_meet_row row = meet(bob, 1, PSST_OUT, 5000);
    must(psst_store_meet_add(w->store, &row));
    struct psst_meet_row again = meet(bob, 1, PSST_IN, 5000); /* he proposes what we have proposed */
    assert_int_equal(psst_store_meet_add(w->store, &again), PSST_ERR_EXISTS);
    assert_int_equal(again.id, row.id);
    struct psst_meet_row moved = meet(bob, 1, PSST_IN, 5001);
    assert_int_equal(psst_store_meet_add(w->store, &moved), PSST_ERR_PROTOCOL);
    assert_int_equal(moved.id, row.id);
    struct psst_meet_row other = meet(carol, 1, PSST_IN, 5001);
    must(psst_store_meet_add(w->store, &other));
    assert_int_equal(all(w).n, 2);
}

static void meet_add__over_16_each_way__is_full(void **state)
{
    struct world *w = *state;
    int64_t bob = world_contact(w, "bob", true);
    for (unsigned direction = PSST_IN; direction <= PSST_OUT; direction++) {
        struct psst_meet_row row;
        for (unsigned i = 0; i < PSST_MEETS_MAX; i++) {
            row = meet(bob, 100 * direction + i, (enum psst_direction)direction, 5000 + i);
            must(psst_store_meet_add(w->store, &row));
        }
        row = meet(bob, 100 * direction + 99, (enum psst_direction)direction, 9000);
        assert_int_equal(psst_store_meet_add(w->store, &row), PSST_ERR_FULL);
        row = meet(bob, 100 * direction, (enum psst_direction)direction, 5000); /* known: no room is needed */
        assert_int_equal(psst_store_meet_add(w->store, &row), PSST_ERR_EXISTS);
    }
    must(psst_store_meets_over(w->store, 5001)); /* the first of each way is over */
    assert_int_equal(all(w).n, 2 * (PSST_MEETS_MAX - 1));
    struct psst_meet_row row = meet(bob, 99, PSST_IN, 9000);
    must(psst_store_meet_add(w->store, &row));
}

static void meet_state__changes__one_and_removal_takes_it(void **state)
{
    struct world *w = *state;
    int64_t bob = world_contact(w, "bob", true);
    struct psst_meet_row one = meet(bob, 1, PSST_OUT, 5000), two = meet(bob, 2, PSST_OUT, 6000);
    must(psst_store_meet_add(w->store, &one));
    must(psst_store_meet_add(w->store, &two));
    must(psst_store_meet_state(w->store, two.id, PSST_MEET_AGREED));
    struct list list = all(w);
    assert_int_equal(list.rows[0].state, PSST_MEET_WAITING);
    assert_int_equal(list.rows[1].state, PSST_MEET_AGREED);
    must(psst_store_meet_state(w->store, two.id, PSST_MEET_CANCELLING));
    /* an acknowledgement that comes late does not take it back */
    assert_int_equal(psst_store_meet_state(w->store, two.id, PSST_MEET_AGREED), PSST_ERR_NOT_FOUND);
    assert_int_equal(all(w).rows[1].state, PSST_MEET_CANCELLING);
    must(psst_store_meet_remove(w->store, bob, &one.meet_id));
    must(psst_store_meet_remove(w->store, bob, &one.meet_id)); /* gone is gone */
    must(psst_store_meet_remove(w->store, bob + 1, &two.meet_id));
    assert_int_equal(psst_store_meet_state(w->store, one.id, PSST_MEET_AGREED), PSST_ERR_NOT_FOUND);
    assert_int_equal(all(w).n, 1);
}

static void meet_add__unknown_contact__is_not_found(void **state)
{
    struct world *w = *state;
    struct psst_meet_row row = meet(77, 1, PSST_OUT, 5000);
    assert_int_equal(psst_store_meet_add(w->store, &row), PSST_ERR_NOT_FOUND);
}

static void own__keeps__what_was_put(void **state)
{
    struct world *w = *state;
    uint8_t got[8] = {0};
    size_t len = 99;
    assert_int_equal(psst_store_own_get(w->store, "presence", got, sizeof got, &len), PSST_ERR_NOT_FOUND);
    assert_int_equal(len, 99);
    must(psst_store_own_put(w->store, "presence", psst_view("\2away", 5)));
    must(psst_store_own_put(w->store, "other", psst_view("\0", 1)));
    world_reopen(w);
    must(psst_store_own_get(w->store, "presence", got, sizeof got, &len));
    assert_int_equal(len, 5);
    assert_memory_equal(got, "\2away", 5);
    must(psst_store_own_get(w->store, "other", got, sizeof got, &len));
    assert_int_equal(len, 1);
    must(psst_store_own_put(w->store, "presence", psst_view("\3", 1)));
    must(psst_store_own_get(w->store, "presence", got, sizeof got, &len));
    assert_int_equal(len, 1);
    must(psst_store_own_put(w->store, "presence", psst_view(NULL, 0)));
    assert_int_equal(psst_store_own_get(w->store, "presence", got, sizeof got, &len), PSST_ERR_NOT_FOUND);
}

static void own__longer_than_it_may_be__is_damage(void **state)
{
    struct world *w = *state;
    uint8_t got[4] = {0};
    size_t len = 0;
    must(psst_store_own_put(w->store, "presence", psst_view("too long", 8)));
    assert_int_equal(psst_store_own_get(w->store, "presence", got, sizeof got, &len), PSST_ERR_DAMAGED);
    assert_memory_equal(got, "\0\0\0\0", 4);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        T(meet_add__gives_back__every_field_after_reopening),
        T(meets__come__earliest_first),
        T(meet_add__same_id_again__gives_the_first_one),
        T(meet_add__over_16_each_way__is_full),
        T(meet_state__changes__one_and_removal_takes_it),
        T(meet_add__unknown_contact__is_not_found),
        T(own__keeps__what_was_put),
        T(own__longer_than_it_may_be__is_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
