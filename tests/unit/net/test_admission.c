#include "net/admission.h"

#include "proto/replay.h"
#include "support/check.h"

#include <stdio.h>

static struct psst_source v4(unsigned n)
{
    char text[64];
    union psst_sockaddr sa;
    (void)snprintf(text, sizeof text, "10.%u.%u.%u:1", n >> 16 & 255, n >> 8 & 255, n & 255);
    assert_int_equal(psst_sockaddr_parse(&sa, text), PSST_OK);
    return psst_source_of(&sa);
}

static struct psst_source source(const char *text)
{
    union psst_sockaddr sa;
    assert_int_equal(psst_sockaddr_parse(&sa, text), PSST_OK);
    return psst_source_of(&sa);
}

static void source__is__an_address_or_a_64(void **state)
{
    (void)state;
    struct psst_source a = source("[2001:db8:1:2::1]:1"), b = source("[2001:db8:1:2:ffff::9]:2");
    struct psst_source c = source("[2001:db8:1:3::1]:1"), d = source("192.0.2.1:5"), e = source("[::ffff:192.0.2.1]:6");
    struct psst_source f = source("192.0.2.2:5");
    assert_memory_equal(&a, &b, sizeof a);
    assert_memory_not_equal(&a, &c, sizeof a);
    assert_memory_equal(&d, &e, sizeof d); /* one and the same machine */
    assert_memory_not_equal(&d, &f, sizeof d);
}

static void enter__lets__the_fifth_push_out_the_oldest_silent_one(void **state)
{
    (void)state;
    struct psst_admission a;
    struct psst_place p[6];
    struct psst_place *evicted;
    psst_admission_init(&a, 0, 0);
    for (int i = 0; i < 4; i++) {
        assert_true(psst_admission_enter(&a, &p[i], v4(1), &evicted));
        assert_null(evicted);
    }
    psst_admission_shown(&p[0]); /* a contact: he keeps his place */
    assert_true(psst_admission_enter(&a, &p[4], v4(1), &evicted));
    assert_ptr_equal(evicted, &p[1]);
    assert_int_equal(a.waiting.n, 4);
    assert_true(psst_admission_enter(&a, &p[5], v4(2), &evicted));
    assert_null(evicted);
    assert_int_equal(a.waiting.n, 5);
}

static void enter__refuses__when_all_of_a_source_have_shown_a_mac(void **state)
{
    (void)state;
    struct psst_admission a;
    struct psst_place p[5];
    struct psst_place *evicted;
    psst_admission_init(&a, 0, 0);
    for (int i = 0; i < 4; i++) {
        assert_true(psst_admission_enter(&a, &p[i], v4(1), &evicted));
        psst_admission_shown(&p[i]);
    }
    assert_false(psst_admission_enter(&a, &p[4], v4(1), &evicted));
    psst_admission_leave(&a, &p[2]); /* one of them has completed its handshake */
    assert_true(psst_admission_enter(&a, &p[4], v4(1), &evicted));
    assert_null(evicted);
}

static void enter__never__has_more_than_all_places(void **state)
{
    (void)state;
    struct psst_admission a;
    static struct psst_place p[PSST_PLACES * 3];
    struct psst_place *evicted;
    psst_admission_init(&a, 0, 0);
    assert_true(psst_admission_enter(&a, &p[0], v4(0), &evicted));
    psst_admission_shown(&p[0]);
    for (unsigned i = 1; i < PSST_PLACES * 3; i++) {
        assert_true(psst_admission_enter(&a, &p[i], v4(i), &evicted));
        if (i < PSST_PLACES)
            assert_null(evicted);
        else
            assert_ptr_equal(evicted, &p[i - PSST_PLACES + 1]); /* the oldest silent one, never p[0] */
        assert_true(a.waiting.n <= PSST_PLACES);
    }
    assert_ptr_equal(a.waiting.oldest, &p[0]);
}

static void leave__is__harmless_twice_and_after_eviction(void **state)
{
    (void)state;
    struct psst_admission a;
    struct psst_place p[5];
    struct psst_place *evicted;
    psst_admission_init(&a, 0, 0);
    for (int i = 0; i < 5; i++) assert_true(psst_admission_enter(&a, &p[i], v4(1), &evicted));
    psst_admission_leave(&a, &p[0]); /* evicted by the fifth */
    assert_int_equal(a.waiting.n, 4);
    for (int i = 4; i >= 1; i--) {
        psst_admission_leave(&a, &p[i]);
        psst_admission_leave(&a, &p[i]);
    }
    assert_int_equal(a.waiting.n, 0);
    assert_null(a.waiting.oldest);
    assert_null(a.waiting.newest);
}

static void to_void__frees__the_place_and_closes_the_oldest_when_full(void **state)
{
    (void)state;
    struct psst_admission a;
    static struct psst_place p[PSST_PLACES_VOID + 2];
    struct psst_place *evicted;
    psst_admission_init(&a, 0, 0);
    for (unsigned i = 0; i < PSST_PLACES_VOID + 2; i++) {
        assert_true(psst_admission_enter(&a, &p[i], v4(i / 2), &evicted));
        assert_null(evicted); /* places come free at once */
        struct psst_place *out = psst_admission_to_void(&a, &p[i]);
        if (i < PSST_PLACES_VOID)
            assert_null(out);
        else
            assert_ptr_equal(out, &p[i - PSST_PLACES_VOID]);
        assert_null(psst_admission_to_void(&a, &p[i])); /* once is enough */
    }
    assert_int_equal(a.waiting.n, 0);
    assert_int_equal(a.in_void.n, PSST_PLACES_VOID);
    for (unsigned i = 0; i < PSST_PLACES_VOID + 2; i++) psst_admission_leave(&a, &p[i]);
    assert_int_equal(a.in_void.n, 0);
}

static void rate__lets__a_burst_through_and_then_a_few_a_second(void **state)
{
    (void)state;
    struct psst_admission a;
    const uint64_t second = 1000000000;
    uint64_t now = 5 * second;
    psst_admission_init(&a, 0, 0);
    for (int i = 0; i < PSST_RATE_BURST; i++) assert_true(psst_admission_rate(&a, v4(1), now));
    assert_false(psst_admission_rate(&a, v4(1), now));
    assert_true(psst_admission_rate(&a, v4(2), now)); /* others are not concerned */
    unsigned through = 0;
    for (int i = 0; i < 10000; i++) { /* ten seconds, asked a thousand times a second */
        now += second / 1000;
        through += psst_admission_rate(&a, v4(1), now);
    }
    assert_in_range(through, 10 * PSST_RATE_PER_SECOND - 1, 10 * PSST_RATE_PER_SECOND + 1);
    now += 3600 * second;
    for (int i = 0; i < PSST_RATE_BURST; i++) assert_true(psst_admission_rate(&a, v4(1), now));
    assert_false(psst_admission_rate(&a, v4(1), now));
}

static void rate__forgets__the_source_that_was_quiet_for_longest(void **state)
{
    (void)state;
    struct psst_admission a;
    psst_admission_init(&a, 0, 0);
    const uint64_t ms = 1000000;
    for (int i = 0; i < PSST_RATE_BURST; i++) assert_true(psst_admission_rate(&a, v4(0), 0));
    for (unsigned i = 1; i < PSST_RATE_SOURCES; i++) assert_true(psst_admission_rate(&a, v4(i), 1 * ms));
    assert_false(psst_admission_rate(&a, v4(0), 2 * ms)); /* still known, and now the freshest */
    for (unsigned i = 0; i < PSST_RATE_SOURCES - 1; i++) assert_true(psst_admission_rate(&a, v4(10000 + i), 3 * ms));
    assert_false(psst_admission_rate(&a, v4(0), 4 * ms));
}

/* From ever new addresses, with the public key in hand. */
static void take__never__fills_the_replay_cache_in_the_days_that_it_keeps_an_entry(void **state)
{
    (void)state;
    struct psst_admission a;
    const uint64_t second = 1000000000;
    size_t taken = 0, reserved = 0;
    psst_admission_init(&a, 0, 5 * second);
    for (unsigned i = 0; i < PSST_TAKEN_BURST; i++) taken += psst_admission_take(&a, 5 * second);
    assert_int_equal(taken, PSST_TAKEN_BURST); /* nobody is kept waiting before */
    for (uint64_t at = 5; at < 3 * 86400; at++) {
        for (int i = 0; i < 20; i++) {
            bool may = psst_admission_take(&a, at * second);
            taken += may;
            reserved += !may && psst_admission_take_reserved(&a, at * second);
        }
    }
    assert_in_range(taken + reserved, 900000, PSST_REPLAY_CACHE_MAX - 1);
    assert_in_range(reserved, 86400, 300000);
}

static void take__keeps__a_reserve_for_who_is_known(void **state)
{
    (void)state;
    struct psst_admission a;
    psst_admission_init(&a, 0, 7);
    while (psst_admission_take(&a, 7)) continue;
    for (unsigned i = 0; i < PSST_RESERVED_BURST; i++) assert_true(psst_admission_take_reserved(&a, 7));
    assert_false(psst_admission_take_reserved(&a, 7));
    assert_false(psst_admission_take(&a, 7));
    assert_true(psst_admission_take(&a, 7 + UINT64_C(1000000000)));
}

static void take__remembers__what_was_taken_before_a_restart(void **state)
{
    (void)state;
    struct psst_admission a;
    psst_admission_init(&a, PSST_TAKEN_BURST - 3, 7);
    for (int i = 0; i < 3; i++) assert_true(psst_admission_take(&a, 7));
    assert_false(psst_admission_take(&a, 7));
    psst_admission_init(&a, 5 * PSST_TAKEN_BURST, 7);
    assert_false(psst_admission_take(&a, 7));
    assert_true(psst_admission_take(&a, 7 + UINT64_C(1000000000))); /* no debt that keeps everybody out for days */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(source__is__an_address_or_a_64),
        cmocka_unit_test(enter__lets__the_fifth_push_out_the_oldest_silent_one),
        cmocka_unit_test(enter__refuses__when_all_of_a_source_have_shown_a_mac),
        cmocka_unit_test(enter__never__has_more_than_all_places),
        cmocka_unit_test(leave__is__harmless_twice_and_after_eviction),
        cmocka_unit_test(to_void__frees__the_place_and_closes_the_oldest_when_full),
        cmocka_unit_test(rate__lets__a_burst_through_and_then_a_few_a_second),
        cmocka_unit_test(rate__forgets__the_source_that_was_quiet_for_longest),
        cmocka_unit_test(take__never__fills_the_replay_cache_in_the_days_that_it_keeps_an_entry),
        cmocka_unit_test(take__keeps__a_reserve_for_who_is_known),
        cmocka_unit_test(take__remembers__what_was_taken_before_a_restart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
