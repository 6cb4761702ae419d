/* What is learnt of the line's delays, and of the clock that pulls. */
#include "media/delays.h"

#include "support/check.h"

static int64_t learn(struct psst_delays *d, int64_t now, size_t count, int64_t transit, int64_t range)
{
    for (size_t i = 0; i < count; i++, now += PSST_VOICE_FRAME_SAMPLES)
        psst_delays_learn(d, transit + (int64_t)(i * 7919 % 1000) * range / 1000, now);
    return now;
}

static void delays__knows_its_quantiles__evenly_spread(void **state)
{
    (void)state;
    struct psst_delays d;
    psst_delays_init(&d);
    assert_int_equal(psst_delays_quantile(&d, 980), 0);
    assert_int_equal(psst_delays_share(&d, 0), 0);
    (void)learn(&d, 0, 1000, -5000, 2000); /* of which the last 400 count */
    assert_in_range(psst_delays_quantile(&d, 0) + 5000, 0, 20);
    assert_in_range(psst_delays_quantile(&d, 500) + 5000, 950, 1050);
    assert_in_range(psst_delays_quantile(&d, 980) + 5000, 1940, 1980);
    assert_in_range(psst_delays_share(&d, -4000), 480, 520);
    assert_int_equal(psst_delays_share(&d, -3000), 1000);
    for (size_t i = 1; i < d.count; i++) assert_true(d.sorted[i - 1] <= d.sorted[i]);
}

static void delays__forgets__what_is_eight_seconds_old(void **state)
{
    (void)state;
    struct psst_delays d;
    psst_delays_init(&d);
    int64_t now = learn(&d, 0, 400, 4000, 0);
    now = learn(&d, now, 399, 100, 0);
    assert_int_equal(psst_delays_quantile(&d, 1000), 4000);
    (void)learn(&d, now, 1, 100, 0);
    assert_int_equal(psst_delays_quantile(&d, 1000), 100);
}

/* all at once, each 20 ms older than the next */
static int64_t outage(struct psst_delays *d, int64_t now)
{
    now += 100 * PSST_VOICE_FRAME_SAMPLES;
    for (int64_t late = 100; late >= 0; late--) psst_delays_learn(d, late * PSST_VOICE_FRAME_SAMPLES, now);
    return now;
}

static void delays__learns_nothing__from_one_outage(void **state)
{
    (void)state;
    struct psst_delays d;
    psst_delays_init(&d);
    int64_t now = outage(&d, learn(&d, 0, 300, 0, 500));
    assert_in_range(psst_delays_quantile(&d, 1000), 0, 500);
    (void)outage(&d, learn(&d, now, 100, 0, 500)); /* again so soon: that is how this line is */
    assert_true(psst_delays_quantile(&d, 980) > 20000);
}

static void delays__learns__a_line_that_stays_longer(void **state)
{
    (void)state;
    struct psst_delays d;
    psst_delays_init(&d);
    int64_t now = learn(&d, 0, 300, 0, 500);
    (void)learn(&d, now, 30, 10000, 500);
    assert_true(psst_delays_quantile(&d, 980) >= 10000);
}

static void pulls__base_is_the_earliest__until_the_device_stood_still(void **state)
{
    (void)state;
    struct psst_pulls p;
    psst_pulls_init(&p);
    for (int64_t i = 0; i < 200; i++) psst_pulls_learn(&p, 1000 + i % 7 * 50);
    assert_int_equal(p.base, 1000);
    psst_pulls_learn(&p, 9000); /* one late pull says nothing */
    assert_int_equal(p.base, 1000);
    for (int i = 0; i < 4; i++) psst_pulls_learn(&p, 9000);
    assert_int_equal(p.base, 9000);
    psst_pulls_learn(&p, 500);
    assert_int_equal(p.base, 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(delays__knows_its_quantiles__evenly_spread),
        cmocka_unit_test(delays__forgets__what_is_eight_seconds_old),
        cmocka_unit_test(delays__learns_nothing__from_one_outage),
        cmocka_unit_test(delays__learns__a_line_that_stays_longer),
        cmocka_unit_test(pulls__base_is_the_earliest__until_the_device_stood_still),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
