/* Injected randomness: the range by rejection, libcrypto's generator. */
#include "support/check.h"
#include "support/det_rng.h"

static uint64_t range_of(const void *script, size_t len, uint64_t lo, uint64_t hi)
{
    struct script_rng s = script_rng(psst_view(script, len));
    const struct psst_rng rng = script_rng_of(&s);
    uint64_t v = psst_rng_range(&rng, lo, hi);
    assert_int_equal(0, s.left.len);
    return v;
}

static void range__draws_again__when_over(void **state)
{
    (void)state;
    /* span 5 is masked to 3 bits: 7 and 6 are rejected, 5 is taken */
    const uint8_t script[] = {0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0xfe, 0xff, 0, 0, 0, 0, 0, 0, 0xfd};
    assert_int_equal(15, range_of(script, sizeof script, 10, 15));
}

static void range__takes__its_ends(void **state)
{
    (void)state;
    const uint8_t zeros[8] = {0}, ones[8] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    assert_int_equal(3, range_of(ones, 8, 3, 3));
    assert_int_equal(4, range_of(zeros, 8, 4, 1000));
    assert_true(range_of(ones, 8, 0, UINT64_MAX) == UINT64_MAX);
    assert_true(range_of(zeros, 8, UINT64_MAX, UINT64_MAX) == UINT64_MAX);
    assert_int_equal(1023, range_of(ones, 8, 0, 1023));
}

static void range__is__uniform(void **state)
{
    (void)state;
    struct det_rng det = det_rng(3);
    const struct psst_rng rng = det_rng_of(&det);
    unsigned seen[6] = {0};
    for (int i = 0; i < 6000; i++) {
        uint64_t v = psst_rng_range(&rng, 20, 25);
        assert_in_range(v, 20, 25);
        seen[v - 20]++;
    }
    for (size_t i = 0; i < 6; i++) assert_in_range(seen[i], 850, 1150); /* five standard deviations, fixed seed */
}

static void crypto_rng__fills__every_byte(void **state)
{
    (void)state;
    uint8_t seen[64] = {0}, b[64];
    for (int i = 0; i < 16; i++) {
        psst_crypto_rng.fill(psst_crypto_rng.ctx, b, sizeof b);
        for (size_t k = 0; k < sizeof b; k++) seen[k] |= b[k];
    }
    for (size_t k = 0; k < sizeof b; k++) assert_int_not_equal(0, seen[k]);
    psst_crypto_rng.fill(psst_crypto_rng.ctx, b, 0);
}

static void det_rng__repeats__for_a_seed(void **state)
{
    (void)state;
    struct det_rng a = det_rng(1), b = det_rng(1), c = det_rng(2);
    struct psst_rng ra = det_rng_of(&a), rb = det_rng_of(&b), rc = det_rng_of(&c);
    uint8_t x[20], y[20], z[20];
    ra.fill(ra.ctx, x, sizeof x);
    rb.fill(rb.ctx, y, sizeof y);
    rc.fill(rc.ctx, z, sizeof z);
    assert_memory_equal(x, y, sizeof x);
    assert_memory_not_equal(x, z, sizeof x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(range__draws_again__when_over),
        cmocka_unit_test(range__takes__its_ends),
        cmocka_unit_test(range__is__uniform),
        cmocka_unit_test(crypto_rng__fills__every_byte),
        cmocka_unit_test(det_rng__repeats__for_a_seed),
    };
    return cmocka_run_group_tests_name("crypto/rng", tests, NULL, NULL);
}
