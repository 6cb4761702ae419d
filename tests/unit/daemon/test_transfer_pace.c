#include "daemon/transfers/pace.h"

#include "support/check.h"

#define SECOND UINT64_C(1000000000)
#define BEGIN  (1000 * SECOND)

static void pace__steady__is_what_it_is(void **state)
{
    (void)state;
    struct psst_pace pace;
    psst_pace_begin(&pace, BEGIN, 5000000); /* resumed: what was there before is no speed */
    assert_int_equal(psst_pace_rate(&pace), 0);
    uint64_t left;
    assert_false(psst_pace_left_ms(&pace, 1, &left));
    for (uint64_t i = 1; i <= 40; i++) {
        psst_pace_step(&pace, BEGIN + i * SECOND / 4, 5000000 + i * 250000);
        assert_in_range(psst_pace_rate(&pace), 999999, 1000001);
    }
    assert_true(psst_pace_left_ms(&pace, 10000000, &left));
    assert_in_range(left, 9999, 10001);
}

static void pace__that_changes__is_followed_within_seconds(void **state)
{
    (void)state;
    struct psst_pace pace;
    psst_pace_begin(&pace, BEGIN, 0);
    uint64_t now = BEGIN, bytes = 0;
    for (int i = 0; i < 100; i++) psst_pace_step(&pace, now += SECOND / 4, bytes += 1000000);
    psst_pace_step(&pace, now += SECOND / 4, bytes += 100000);
    assert_true(psst_pace_rate(&pace) > 3000000); /* one hiccup is not shown as a collapse */
    for (int i = 0; i < 60; i++) psst_pace_step(&pace, now += SECOND / 4, bytes += 100000);
    assert_in_range(psst_pace_rate(&pace), 390000, 440000);
}

static void pace__stalled__comes_down_to_nothing(void **state)
{
    (void)state;
    struct psst_pace pace;
    uint64_t left;
    psst_pace_begin(&pace, BEGIN, 0);
    psst_pace_step(&pace, BEGIN + SECOND, 1000000);
    psst_pace_step(&pace, BEGIN + 3600 * SECOND, 1000000);
    assert_true(psst_pace_rate(&pace) < 1000);
    for (uint64_t i = 2; i < 9; i++) psst_pace_step(&pace, BEGIN + i * 3600 * SECOND, 1000000);
    assert_int_equal(psst_pace_rate(&pace), 0);
    assert_false(psst_pace_left_ms(&pace, 1000, &left));
}

static void pace__calls_in_the_same_breath__count_once(void **state)
{
    (void)state;
    struct psst_pace pace;
    psst_pace_begin(&pace, BEGIN, 0);
    for (uint64_t i = 0; i < 50; i++) psst_pace_step(&pace, BEGIN + i, i * 65473);
    assert_int_equal(psst_pace_rate(&pace), 0);
    psst_pace_step(&pace, BEGIN + SECOND, 50 * 65473);
    assert_int_equal(psst_pace_rate(&pace), 50 * 65473);
    psst_pace_step(&pace, BEGIN + 2 * SECOND, 10); /* begun anew: never less than nothing */
    assert_true(psst_pace_rate(&pace) < 50 * 65473);
}

static void pace__left__of_too_much_is_not_known(void **state)
{
    (void)state;
    struct psst_pace pace;
    uint64_t left;
    psst_pace_begin(&pace, BEGIN, 0);
    psst_pace_step(&pace, BEGIN + SECOND, 1);
    assert_false(psst_pace_left_ms(&pace, UINT64_C(1) << 62, &left));
    assert_true(psst_pace_left_ms(&pace, 60, &left));
    assert_int_equal(left, 60000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pace__steady__is_what_it_is),
        cmocka_unit_test(pace__that_changes__is_followed_within_seconds),
        cmocka_unit_test(pace__stalled__comes_down_to_nothing),
        cmocka_unit_test(pace__calls_in_the_same_breath__count_once),
        cmocka_unit_test(pace__left__of_too_much_is_not_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
