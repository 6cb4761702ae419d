#include "base/bucket.h"

#include "support/check.h"

#define SECOND UINT64_C(1000000000)

static void bucket__of_all_zeros__limits_nothing(void **state)
{
    (void)state;
    struct psst_bucket bucket = {0};
    for (int i = 0; i < 1000; i++) assert_true(psst_bucket_try(&bucket, 7, UINT64_C(1) << 33));
    assert_int_equal(psst_bucket_wait_ns(&bucket, 7), 0);
}

static void bucket__full__gives_its_depth(void **state)
{
    (void)state;
    struct psst_bucket bucket;
    psst_bucket_init(&bucket, 10, 5);
    unsigned n = 0;
    while (psst_bucket_try(&bucket, 100 * SECOND, 1)) n++;
    assert_int_equal(n, 5);
    uint64_t wait = psst_bucket_wait_ns(&bucket, 100 * SECOND);
    assert_in_range(wait, 1, SECOND / 10);
    assert_false(psst_bucket_try(&bucket, 100 * SECOND + wait - 1, 1));
    assert_true(psst_bucket_try(&bucket, 100 * SECOND + wait, 1));
}

static void bucket__over_a_long_time__holds_the_average(void **state)
{
    (void)state;
    static const uint64_t rates[] = {1024, 100 * 1024, 1000003, UINT64_C(3) << 30};
    static const uint64_t pieces[] = {1, 1000, 65473};
    for (unsigned r = 0; r < 4; r++) {
        for (unsigned p = 0; p < 3; p++) {
            struct psst_bucket bucket;
            uint64_t now = 5 * SECOND, taken = 0;
            psst_bucket_change(&bucket, now, rates[r], rates[r] / 4);
            assert_false(psst_bucket_try(&bucket, now, pieces[p])); /* begins empty */
            uint64_t begin = now;
            for (int i = 0; i < 5000; i++) {
                now += psst_bucket_wait_ns(&bucket, now);
                assert_true(psst_bucket_try(&bucket, now, pieces[p]));
                taken += pieces[p];
            }
            /* the last piece is a debt; roundings make at most a nanosecond a piece */
            double allowed = (double)rates[r] * (double)(now - begin) / 1e9;
            assert_true((double)(taken - pieces[p]) <= allowed * 1.01 + 1);
            if (rates[r] < 1000000) assert_true((double)taken >= allowed * 0.99);
        }
    }
}

static void bucket__idle_for_a_year__is_no_more_than_full(void **state)
{
    (void)state;
    struct psst_bucket bucket;
    psst_bucket_init(&bucket, 1000, 100);
    psst_bucket_take(&bucket, SECOND, 100000);
    assert_in_range(psst_bucket_wait_ns(&bucket, SECOND), 99 * SECOND, 100 * SECOND);
    uint64_t later = 31536000 * SECOND;
    psst_bucket_take(&bucket, later, 99);
    assert_int_equal(psst_bucket_wait_ns(&bucket, later), 0);
    psst_bucket_take(&bucket, later, 1);
    assert_int_not_equal(psst_bucket_wait_ns(&bucket, later), 0);
}

static void bucket__changed__forgets_its_debt(void **state)
{
    (void)state;
    struct psst_bucket bucket;
    psst_bucket_init(&bucket, 1, 1);
    psst_bucket_take(&bucket, SECOND, 1000);
    psst_bucket_change(&bucket, 2 * SECOND, 1000, 100);
    assert_int_not_equal(psst_bucket_wait_ns(&bucket, 2 * SECOND), 0);
    assert_int_equal(psst_bucket_wait_ns(&bucket, 2 * SECOND + SECOND / 100), 0);
    psst_bucket_change(&bucket, 3 * SECOND, 0, 1);
    assert_int_equal(psst_bucket_wait_ns(&bucket, 3 * SECOND), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bucket__of_all_zeros__limits_nothing),
        cmocka_unit_test(bucket__full__gives_its_depth),
        cmocka_unit_test(bucket__over_a_long_time__holds_the_average),
        cmocka_unit_test(bucket__idle_for_a_year__is_no_more_than_full),
        cmocka_unit_test(bucket__changed__forgets_its_debt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
