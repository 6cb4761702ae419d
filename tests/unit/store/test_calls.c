/* Calls: what is kept of them, and for how long. */
#include "world.h"

#include "store/store_internal.h"

#include <stdio.h>
#include <string.h>

#define DAY_MS 86400000ULL

struct list {
    struct psst_call_row rows[50];
    size_t n;
};

static enum psst_err collect(void *ctx, const struct psst_call_row *row)
{
    struct list *list = ctx;
    assert_true(list->n < sizeof list->rows / sizeof list->rows[0]);
    list->rows[list->n++] = *row;
    return PSST_OK;
}

static struct list all(struct world *w, int64_t contact)
{
    struct list list = {.n = 0};
    must(psst_store_call_list(w->store, contact, 0, 50, collect, &list));
    return list;
}

static int64_t begin(struct world *w, int64_t contact, enum psst_direction direction, uint64_t began_ms)
{
    struct psst_call_row row = {.contact_id = contact, .direction = direction, .began_ms = began_ms};
    must(psst_store_call_begin(w->store, &row));
    assert_true(row.id > 0);
    return row.id;
}

static int64_t whole(struct world *w, int64_t contact, enum psst_direction direction, uint64_t began_ms,
                     enum psst_called result)
{
    int64_t id = begin(w, contact, direction, began_ms);
    if (result == PSST_CALLED_ENDED) must(psst_store_call_answered(w->store, id, began_ms + 1000));
    must(psst_store_call_ended(w->store, id, result, began_ms + 5000));
    return id;
}

static void call__gives_back__every_field_after_reopening(void **state)
{
    struct world *w = *state;
    int64_t bob = world_contact(w, "bob", true), carol = world_contact(w, "carol", true);
    int64_t out = whole(w, bob, PSST_OUT, 1795550400123, PSST_CALLED_ENDED);
    int64_t in = whole(w, carol, PSST_IN, 1795550500123, PSST_CALLED_MISSED);
    world_reopen(w);
    struct list list = all(w, 0);
    assert_int_equal(list.n, 2); /* the newest first */
    assert_true(list.rows[0].id == in && list.rows[0].contact_id == carol && list.rows[0].direction == PSST_IN);
    assert_true(list.rows[0].result == PSST_CALLED_MISSED && !list.rows[0].seen && list.rows[0].answered_ms == 0);
    assert_true(list.rows[1].id == out && list.rows[1].contact_id == bob && list.rows[1].direction == PSST_OUT);
    assert_true(list.rows[1].result == PSST_CALLED_ENDED && list.rows[1].seen);
    assert_int_equal(list.rows[1].began_ms, 1795550400123);
    assert_int_equal(list.rows[1].answered_ms, 1795550401123);
    assert_int_equal(list.rows[1].ended_ms, 1795550405123);
    world_assert_integrity(w);
}

static void call_list__gives__pages_of_one_contact(void **state)
{
    struct world *w = *state;
    int64_t bob = world_contact(w, "bob", true), carol = world_contact(w, "carol", true), ids[6];
    for (unsigned i = 0; i < 6; i++) ids[i] = whole(w, i % 2 ? carol : bob, PSST_IN, 1000 + i, PSST_CALLED_MISSED);
    struct list page = {.n = 0};
    must(psst_store_call_list(w->store, bob, 0, 2, collect, &page));
    assert_true(page.n == 2 && page.rows[0].id == ids[4] && page.rows[1].id == ids[2]);
    page.n = 0;
    must(psst_store_call_list(w->store, bob, ids[2], 2, collect, &page));
    assert_true(page.n == 1 && page.rows[0].id == ids[0]);
    must(psst_store_contact_remove(w->store, bob));
    assert_int_equal(all(w, 0).n, 3);
    assert_int_equal(all(w, bob).n, 0);
}

static void call__goes_through_its_states__once(void **state)
{
    struct world *w = *state;
    int64_t bob = world_contact(w, "bob", true);
    struct psst_call_row nobody = {.contact_id = bob + 7};
    assert_int_equal(psst_store_call_begin(w->store, &nobody), PSST_ERR_NOT_FOUND);
    int64_t id = begin(w, bob, PSST_OUT, 5);
    assert_int_equal(all(w, bob).rows[0].result, PSST_CALLED_RUNS);
    assert_int_equal(psst_store_call_ended(w->store, id, PSST_CALLED_RUNS, 6), PSST_ERR_USAGE);
    must(psst_store_call_answered(w->store, id, 7));
    assert_int_equal(psst_store_call_answered(w->store, id, 8), PSST_ERR_NOT_FOUND);
    must(psst_store_call_ended(w->store, id, PSST_CALLED_CUT_OFF, 9));
    assert_int_equal(psst_store_call_ended(w->store, id, PSST_CALLED_ENDED, 10), PSST_ERR_NOT_FOUND);
    assert_int_equal(psst_store_call_answered(w->store, id, 8), PSST_ERR_NOT_FOUND);
    struct psst_call_row row = all(w, bob).rows[0];
    assert_true(row.answered_ms == 7 && row.ended_ms == 9 && row.result == PSST_CALLED_CUT_OFF);
}

static void calls__that_run_at_opening__were_cut_off(void **state)
{
    struct world *w = *state;
    int64_t bob = world_contact(w, "bob", true);
    int64_t missed = begin(w, bob, PSST_IN, 100), talked = begin(w, bob, PSST_IN, 200),
            out = begin(w, bob, PSST_OUT, 300);
    must(psst_store_call_answered(w->store, talked, 250));
    world_reopen(w);
    struct list list = all(w, bob);
    assert_int_equal(list.n, 3);
    assert_true(list.rows[2].id == missed && list.rows[2].result == PSST_CALLED_MISSED && !list.rows[2].seen);
    assert_true(list.rows[1].id == talked && list.rows[1].result == PSST_CALLED_CUT_OFF && list.rows[1].seen);
    assert_int_equal(list.rows[1].ended_ms, 250);
    assert_true(list.rows[0].id == out && list.rows[0].result == PSST_CALLED_CUT_OFF && list.rows[0].ended_ms == 300);
}

static unsigned unseen(struct world *w, int64_t contact)
{
    struct list list = all(w, contact);
    unsigned n = 0;
    for (size_t i = 0; i < list.n; i++) n += !list.rows[i].seen;
    return n;
}

static void call_seen__marks__those_that_were_shown(void **state)
{
    struct world *w = *state;
    int64_t bob = world_contact(w, "bob", true), carol = world_contact(w, "carol", true);
    int64_t first = whole(w, bob, PSST_IN, 1, PSST_CALLED_MISSED);
    int64_t second = whole(w, carol, PSST_IN, 2, PSST_CALLED_MISSED);
    (void)whole(w, bob, PSST_OUT, 3, PSST_CALLED_UNANSWERED);
    assert_int_equal(unseen(w, 0), 2);
    must(psst_store_call_seen(w->store, bob, first, second));
    assert_int_equal(unseen(w, 0), 1);
    assert_int_equal(unseen(w, bob), 0);
    must(psst_store_call_seen(w->store, 0, second + 1, INT64_MAX));
    assert_int_equal(unseen(w, 0), 1);
    must(psst_store_call_seen(w->store, 0, second, INT64_MAX));
    assert_int_equal(unseen(w, 0), 0);
    assert_int_equal(all(w, 0).n, 3);
}

static void calls__of_a_contact_without_history__go_at_their_end(void **state)
{
    struct world *w = *state;
    int64_t bob = world_contact(w, "bob", false);
    int64_t id = begin(w, bob, PSST_IN, 1);
    must(psst_store_call_answered(w->store, id, 2));
    assert_int_equal(all(w, bob).n, 1);
    must(psst_store_call_ended(w->store, id, PSST_CALLED_ENDED, 3));
    assert_int_equal(all(w, bob).n, 0);
    id = whole(w, bob, PSST_IN, 4, PSST_CALLED_MISSED);
    (void)world_tidy(w, 1000 * DAY_MS);
    assert_int_equal(all(w, bob).n, 1); /* the user does not know of it yet */
    must(psst_store_call_seen(w->store, 0, id, id));
    assert_int_equal(all(w, bob).n, 0);
    /* one that the end of psstd cut off has nobody who erases it but this */
    id = begin(w, bob, PSST_OUT, 5);
    world_reopen(w);
    (void)world_tidy(w, 0);
    assert_int_equal(all(w, bob).n, 0);
}

static enum psst_err keep_days(void *ctx, const struct psst_contact_row *row)
{
    struct psst_contact_row *out = ctx;
    if (row->id == out->id) {
        static uint8_t spki[64];
        assert_true(row->spki.len <= sizeof spki);
        memcpy(spki, row->spki.data, row->spki.len);
        *out = *row;
        out->spki = psst_view(spki, row->spki.len);
        out->addresses = out->presence_text = psst_view(NULL, 0);
    }
    return PSST_OK;
}

static void calls__older_than_what_is_kept__go(void **state)
{
    struct world *w = *state;
    int64_t bob = world_contact(w, "bob", true), carol = world_contact(w, "carol", true);
    struct psst_contact_row row = {.id = bob};
    must(psst_store_contacts(w->store, keep_days, &row));
    row.keep_days = 3;
    must(psst_store_contact_put(w->store, &row));
    (void)whole(w, bob, PSST_OUT, 10 * DAY_MS, PSST_CALLED_DECLINED);
    int64_t unseen = whole(w, bob, PSST_IN, 11 * DAY_MS, PSST_CALLED_MISSED);
    int64_t young = whole(w, bob, PSST_OUT, 20 * DAY_MS, PSST_CALLED_BUSY);
    (void)whole(w, carol, PSST_OUT, 10 * DAY_MS, PSST_CALLED_NO_VOICE);
    assert_int_equal(world_tidy(w, 12 * DAY_MS), 13 * DAY_MS + 1); /* when the first one is due */
    assert_int_equal(all(w, bob).n, 3);
    (void)world_tidy(w, 21 * DAY_MS);
    struct list list = all(w, bob);
    assert_true(list.n == 2 && list.rows[0].id == young && list.rows[1].id == unseen);
    assert_int_equal(all(w, carol).n, 1);
    (void)world_tidy(w, 0); /* a clock in doubt */
    assert_int_equal(all(w, bob).n, 2);
}

static void forget__takes__calls_with_the_messages(void **state)
{
    struct world *w = *state;
    int64_t bob = world_contact(w, "bob", true), carol = world_contact(w, "carol", true);
    (void)whole(w, bob, PSST_OUT, 1000, PSST_CALLED_FAILED);
    (void)whole(w, bob, PSST_OUT, 2000, PSST_CALLED_ENDED);
    int64_t unseen = whole(w, bob, PSST_IN, 500, PSST_CALLED_MISSED), runs = begin(w, bob, PSST_OUT, 400);
    (void)whole(w, carol, PSST_OUT, 1000, PSST_CALLED_ENDED);
    must(psst_store_forget(w->store, bob, 1500));
    assert_int_equal(all(w, bob).n, 3);
    must(psst_store_forget(w->store, bob, UINT64_MAX));
    struct list list = all(w, bob);
    assert_true(list.n == 2 && list.rows[0].id == runs && list.rows[1].id == unseen);
    assert_int_equal(all(w, carol).n, 1);
}

static void call_begin__drops__the_oldest_over_the_bound(void **state)
{
    struct world *w = *state;
    int64_t bob = world_contact(w, "bob", true), carol = world_contact(w, "carol", true);
    int64_t other = whole(w, carol, PSST_OUT, 1, PSST_CALLED_ENDED);
    must(psst_store_begin(w->store));
    int64_t first = whole(w, bob, PSST_IN, 1, PSST_CALLED_MISSED), second = begin(w, bob, PSST_IN, 2);
    for (int i = 2; i < PSST_CALLS_MAX; i++) (void)begin(w, bob, PSST_IN, 3);
    must(psst_store_commit(w->store));
    struct list list = {.n = 0};
    must(psst_store_call_list(w->store, bob, second + 1, 5, collect, &list));
    assert_true(list.n == 2 && list.rows[1].id == first);
    (void)begin(w, bob, PSST_IN, 4);
    list.n = 0;
    must(psst_store_call_list(w->store, bob, second + 1, 5, collect, &list));
    assert_true(list.n == 1 && list.rows[0].id == second);
    assert_int_equal(all(w, carol).rows[0].id, other);
}

static void call_list__reports__a_row_that_is_not_ours(void **state)
{
    struct world *w = *state;
    int64_t bob = world_contact(w, "bob", true);
    (void)whole(w, bob, PSST_OUT, 1, PSST_CALLED_ENDED);
    must(psst_store_exec(w->store, "UPDATE calls SET result = 9"));
    struct list list = {.n = 0};
    assert_int_equal(psst_store_call_list(w->store, bob, 0, 5, collect, &list), PSST_ERR_DAMAGED);
}

/* ---- voice messages ---- */

static int64_t voice(struct world *w, int64_t contact, unsigned n, enum psst_direction direction,
                     enum psst_transfer_state state, uint64_t created_ms)
{
    struct psst_transfer_row row = {.contact_id = contact,
                                    .transfer_id = world_id(n),
                                    .direction = direction,
                                    .state = state,
                                    .form = PSST_TRANSFER_FORM_VOICE,
                                    .size = 5,
                                    .created_ms = created_ms,
                                    .name = psst_view_str("n"),
                                    .path = psst_view_str("/p")};
    must(psst_store_transfer_put(w->store, &row));
    return row.id;
}

static enum psst_err note_due(void *ctx, const struct psst_transfer_row *row)
{
    char *out = ctx;
    assert_true(psst_view_equal(row->path, psst_view_str("/p")));
    (void)snprintf(out + strlen(out), 100 - strlen(out), "%d ", (int)row->id);
    return PSST_OK;
}

static const char *due(struct world *w, uint64_t now_ms, char out[100])
{
    out[0] = '\0';
    must(psst_store_voice_due(w->store, now_ms, note_due, out));
    return out;
}

static void voice_due__gives__what_is_not_kept_and_was_heard(void **state)
{
    struct world *w = *state;
    char out[100], want[100];
    int64_t bob = world_contact(w, "bob", false), carol = world_contact(w, "carol", true);
    int64_t sent = voice(w, bob, 1, PSST_OUT, PSST_TRANSFER_DONE, 5),
            came = voice(w, bob, 2, PSST_IN, PSST_TRANSFER_DONE, 6);
    (void)voice(w, bob, 3, PSST_OUT, PSST_TRANSFER_WAITING, 7);
    int64_t hers = voice(w, carol, 4, PSST_OUT, PSST_TRANSFER_DONE, 8);
    (void)snprintf(want, sizeof want, "%d ", (int)sent);
    assert_string_equal(due(w, 1000, out), want);
    must(psst_store_voice_heard(w->store, came));
    (void)snprintf(want, sizeof want, "%d %d ", (int)sent, (int)came);
    assert_string_equal(due(w, 1000, out), want);
    must(psst_store_transfer_remove(w->store, sent));
    must(psst_store_transfer_remove(w->store, came));
    assert_int_equal(psst_store_transfer_remove(w->store, came), PSST_ERR_NOT_FOUND);
    assert_string_equal(due(w, 1000, out), "");
    must(psst_store_forget(w->store, carol, 8));
    assert_string_equal(due(w, 1000, out), "");
    must(psst_store_forget(w->store, carol, UINT64_MAX)); /* there is not one text */
    (void)snprintf(want, sizeof want, "%d ", (int)hers);
    assert_string_equal(due(w, 1000, out), want);
    (void)world_tidy(w, 1000); /* once that is done, it is over */
    assert_string_equal(due(w, 1000, out), "");
}

static void voice_due__keeps_the_contact__until_the_files_are_gone(void **state)
{
    struct world *w = *state;
    char out[100], want[100];
    int64_t bob = world_contact(w, "bob", true);
    int64_t id = voice(w, bob, 1, PSST_OUT, PSST_TRANSFER_WAITING, 5);
    must(psst_store_contact_remove(w->store, bob));
    (void)world_tidy(w, 1000);
    (void)snprintf(want, sizeof want, "%d ", (int)id);
    assert_string_equal(due(w, 1000, out), want);
    must(psst_store_transfer_remove(w->store, id));
    (void)world_tidy(w, 1000);
    assert_string_equal(due(w, 1000, out), "");
    world_assert_integrity(w);
}

static void voice_before__counts__what_waits_to_be_heard(void **state)
{
    struct world *w = *state;
    uint32_t n = 99;
    int64_t bob = world_contact(w, "bob", true), carol = world_contact(w, "carol", true);
    (void)voice(w, bob, 1, PSST_IN, PSST_TRANSFER_WAITING, 5);
    (void)voice(w, bob, 2, PSST_IN, PSST_TRANSFER_DECLINED, 5);
    int64_t heard = voice(w, bob, 3, PSST_IN, PSST_TRANSFER_DONE, 5);
    (void)voice(w, bob, 4, PSST_OUT, PSST_TRANSFER_DONE, 5);
    (void)voice(w, carol, 5, PSST_IN, PSST_TRANSFER_DONE, 5);
    int64_t last = voice(w, bob, 6, PSST_IN, PSST_TRANSFER_WAITING, 5);
    must(psst_store_voice_before(w->store, bob, last, &n));
    assert_int_equal(n, 2);
    must(psst_store_voice_heard(w->store, heard));
    must(psst_store_voice_before(w->store, bob, last, &n));
    assert_int_equal(n, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(call__gives_back__every_field_after_reopening),
        TEST(call_list__gives__pages_of_one_contact),
        TEST(call__goes_through_its_states__once),
        TEST(calls__that_run_at_opening__were_cut_off),
        TEST(call_seen__marks__those_that_were_shown),
        TEST(calls__of_a_contact_without_history__go_at_their_end),
        TEST(calls__older_than_what_is_kept__go),
        TEST(forget__takes__calls_with_the_messages),
        TEST(call_begin__drops__the_oldest_over_the_bound),
        TEST(call_list__reports__a_row_that_is_not_ours),
        TEST(voice_due__gives__what_is_not_kept_and_was_heard),
        TEST(voice_due__keeps_the_contact__until_the_files_are_gone),
        TEST(voice_before__counts__what_waits_to_be_heard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
