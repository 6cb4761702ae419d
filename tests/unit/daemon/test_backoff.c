/* How long is waited between calls that nobody makes by hand: bounds, growth, jitter. */
#include "daemon/reconnect/backoff.h"

#include "support/check.h"
#include "support/det_rng.h"

#define S UINT64_C(1000000000)

static struct det_rng rng_state;
static struct psst_rng rng;

static int set_up(void **state)
{
    (void)state;
    rng_state = det_rng(5);
    rng = det_rng_of(&rng_state);
    return 0;
}

/* A thousand draws lie between these, and do not all lie together. */
static void assert_between(enum psst_pace pace, uint64_t age_ns, unsigned tries, uint64_t least, uint64_t most)
{
    uint64_t low = UINT64_MAX, high = 0;
    for (int i = 0; i < 1000; i++) {
        uint64_t ns = psst_backoff_ns(pace, age_ns, tries, &rng);
        if (ns < low) low = ns;
        if (ns > high) high = ns;
    }
    assert_true(low >= least && high <= most);
    assert_true(low < least + (most - least) / 10 && high > most - (most - least) / 10);
}

static void broke__is_1_to_2_seconds__for_two_minutes(void **state)
{
    (void)state;
    assert_between(PSST_PACE_BROKE, 0, 0, S, 2 * S);
    assert_between(PSST_PACE_BROKE, 119 * S, 100, S, 2 * S);
    assert_between(PSST_PACE_BROKE, 180 * S, 100, 5 * S / 2, 5 * S);
    assert_between(PSST_PACE_BROKE, 3600 * S, 4000, 4 * S, 8 * S);
    assert_between(PSST_PACE_BROKE, UINT64_MAX, UINT32_MAX, 4 * S, 8 * S);
}

static void others__grow_up_to_their_cap(void **state)
{
    (void)state;
    assert_between(PSST_PACE_URGENT, 7200 * S, 5000, S, 2 * S);
    assert_between(PSST_PACE_AWAY, 0, 0, 2 * S, 4 * S);
    assert_between(PSST_PACE_AWAY, 0, 2, 9 * S / 2, 9 * S);
    assert_between(PSST_PACE_AWAY, 0, UINT32_MAX, 30 * S, 60 * S);
    assert_between(PSST_PACE_COLD, 0, 0, 5 * S / 2, 5 * S);
    assert_between(PSST_PACE_COLD, 0, UINT32_MAX, 150 * S, 300 * S);
}

static void short_sessions__are_not_begun_in_a_loop(void **state)
{
    (void)state;
    for (unsigned n = 1; n < 40; n++) {
        uint64_t ns = psst_backoff_short_ns(n, &rng);
        uint64_t most = n < 9 ? S << n : 300 * S;
        if (most > 300 * S) most = 300 * S;
        assert_true(ns >= most / 2 && ns <= most);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(broke__is_1_to_2_seconds__for_two_minutes, set_up),
        cmocka_unit_test_setup(others__grow_up_to_their_cap, set_up),
        cmocka_unit_test_setup(short_sessions__are_not_begun_in_a_loop, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
