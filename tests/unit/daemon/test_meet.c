/* Agreed times, as far as they need nobody on the other side: what is kept, what is over, what is refused. */
#include "book_bench.h"

#include "daemon/meet.h"

#include <stdio.h>

#define MINUTE_MS 60000

static uint64_t now_ms(struct bench *b)
{
    return psst_daemon_now(&b->d).unix_ms;
}

static struct psst_contact *add_bob(struct bench *b)
{
    struct psst_contact with = bench_person(b, "bob", 0);
    assert_int_equal(bench_load(b), PSST_OK);
    assert_int_equal(bench_put(b, NULL, &with), PSST_OK);
    return psst_book_by_name(b->d.book, "bob");
}

static int64_t last_id;

static void meet_done(void *ctx, enum psst_err err, const char *words, int64_t id)
{
    last_id = id;
    bench_done(ctx, err, words);
}

static enum psst_err propose(struct bench *b, struct psst_contact *contact, uint64_t time_ms)
{
    b->waits = true;
    psst_meet_propose(b->d.meets, contact, time_ms, meet_done, b);
    return bench_wait(b);
}

static enum psst_err cancel(struct bench *b, int64_t id)
{
    b->waits = true;
    psst_meet_cancel(b->d.meets, id, meet_done, b);
    return bench_wait(b);
}

/* "waiting 123|agreed 456 due|": states and times after base. */
static const char *list(struct bench *b, uint64_t base_ms)
{
    static char text[4096];
    json_t *meets = psst_meets_json(b->d.meets, NULL), *meet;
    size_t i, at = 0;
    text[0] = '\0';
    json_array_foreach(meets, i, meet)
    {
        long long after = json_integer_value(json_object_get(meet, "time_ms")) - (long long)base_ms;
        at += (size_t)snprintf(text + at, sizeof text - at, "%s %lld%s|",
                               json_string_value(json_object_get(meet, "state")), after,
                               json_is_true(json_object_get(meet, "due")) ? " due" : "");
    }
    json_decref(meets);
    return text;
}

static enum psst_err nothing(struct psst_store *store, void *arg)
{
    (void)store, (void)arg;
    return PSST_OK;
}

/* What is in the store's queue has been done. */
static void settle(struct bench *b)
{
    assert_int_equal(bench_store(b, nothing, NULL), PSST_OK);
}

static void restart(struct bench *b)
{
    psst_meets_unloaded(b->d.meets);
    psst_meets_loaded(b->d.meets);
    settle(b);
}

static void meet__is_kept__over_a_restart(void **state)
{
    struct bench *b = *state;
    struct psst_contact *bob = add_bob(b);
    uint64_t base_ms = now_ms(b);
    assert_int_equal(propose(b, bob, base_ms + 60 * MINUTE_MS), PSST_OK);
    assert_int_equal(propose(b, bob, base_ms + 30 * MINUTE_MS), PSST_OK);
    assert_int_equal(bob->untold, 2);
    assert_string_equal(list(b, base_ms), "waiting 1800000|waiting 3600000|");
    restart(b);
    assert_string_equal(list(b, base_ms), "waiting 1800000|waiting 3600000|");
    assert_int_equal(bob->untold, 2);
    assert_int_equal(cancel(b, last_id), PSST_OK);
    assert_string_equal(list(b, base_ms), "cancelling 1800000|waiting 3600000|");
    assert_int_equal(cancel(b, last_id), PSST_ERR_NOT_FOUND); /* once is enough */
    assert_int_equal(cancel(b, 777), PSST_ERR_NOT_FOUND);
    restart(b);
    assert_string_equal(list(b, base_ms), "cancelling 1800000|waiting 3600000|");
}

struct old {
    int64_t contact_id;
    uint64_t now_ms;
};

static enum psst_err put_old(struct psst_store *store, void *arg)
{
    const struct old *old = arg;
    const int64_t minutes[] = {-500, -11, -9, 0, 20};
    for (unsigned i = 0; i < 5; i++) {
        struct psst_meet_row row = {.contact_id = old->contact_id, .direction = PSST_IN, .state = PSST_MEET_AGREED};
        row.meet_id.b[0] = (uint8_t)i;
        row.time_ms = (uint64_t)((int64_t)old->now_ms + minutes[i] * MINUTE_MS);
        enum psst_err err = psst_store_meet_add(store, &row);
        if (err != PSST_OK) return err;
    }
    return PSST_OK;
}

static enum psst_err count_one(void *ctx, const struct psst_meet_row *row)
{
    (void)row;
    ++*(int *)ctx;
    return PSST_OK;
}

static enum psst_err count(struct psst_store *store, void *arg)
{
    return psst_store_meets(store, count_one, arg);
}

/* While psstd was down some have passed: ten minutes after their time nobody waits any more. */
static void meet__over__is_forgotten_here_and_in_the_store(void **state)
{
    struct bench *b = *state;
    struct psst_contact *bob = add_bob(b);
    struct old old = {bob->id, now_ms(b)};
    int left = 0;
    assert_int_equal(bench_store(b, put_old, &old), PSST_OK);
    psst_meets_loaded(b->d.meets);
    settle(b);
    assert_string_equal(list(b, old.now_ms), "agreed -540000 due|agreed 0 due|agreed 1200000|");
    settle(b);
    assert_int_equal(bench_store(b, count, &left), PSST_OK);
    assert_int_equal(left, 3);
}

static void propose__what_cannot_be__is_refused(void **state)
{
    struct bench *b = *state;
    struct psst_contact *bob = add_bob(b);
    uint64_t base_ms = now_ms(b);
    const uint64_t bad[] = {0, 1, base_ms - 1, base_ms + PSST_MEET_AHEAD_MS + MINUTE_MS, UINT64_MAX};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) assert_int_equal(propose(b, bob, bad[i]), PSST_ERR_USAGE);
    for (unsigned i = 1; i <= PSST_MEETS_MAX; i++)
        assert_int_equal(propose(b, bob, base_ms + i * 60 * MINUTE_MS), PSST_OK);
    assert_int_equal(propose(b, bob, base_ms + 5 * MINUTE_MS), PSST_ERR_FULL);
    assert_int_equal(bob->untold, PSST_MEETS_MAX);
}

/* The identity is locked while the row is written: nothing of it comes into the memory of another. */
static void propose__locked_meanwhile__is_there_after_unlocking(void **state)
{
    struct bench *b = *state;
    struct psst_contact *bob = add_bob(b);
    uint64_t base_ms = now_ms(b);
    b->waits = true;
    psst_meet_propose(b->d.meets, bob, base_ms + 60 * MINUTE_MS, meet_done, b);
    psst_meets_unloaded(b->d.meets);
    assert_int_not_equal(bench_wait(b), PSST_OK);
    assert_string_equal(list(b, base_ms), "");
    restart(b);
    assert_string_equal(list(b, base_ms), "waiting 3600000|");
}

static void contact__removed__takes_its_meetings_along(void **state)
{
    struct bench *b = *state;
    struct psst_contact *bob = add_bob(b);
    int left = 0;
    assert_int_equal(propose(b, bob, now_ms(b) + 60 * MINUTE_MS), PSST_OK);
    b->waits = true;
    psst_book_remove(b->d.book, bob, bench_done, b);
    assert_int_equal(bench_wait(b), PSST_OK);
    assert_string_equal(list(b, 0), "");
    assert_int_equal(bench_store(b, count, &left), PSST_OK);
    assert_int_equal(left, 0);
}

int main(void)
{
    if (psst_crypto_init(0) != PSST_OK) return 1;
#define T(f) cmocka_unit_test_setup_teardown(f, bench_setup, bench_teardown)
    const struct CMUnitTest tests[] = {
        T(meet__is_kept__over_a_restart),
        T(meet__over__is_forgotten_here_and_in_the_store),
        T(propose__what_cannot_be__is_refused),
        T(propose__locked_meanwhile__is_there_after_unlocking),
        T(contact__removed__takes_its_meetings_along),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
