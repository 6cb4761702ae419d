/* Time stretching: a tone stays a tone, without a click; silence and hostile lengths do no harm. */
#include "media/stretch.h"

#include "sound.h"
#include "support/check.h"

#include <math.h>

#define PAST PSST_STRETCH_MAX
#define LEN  1920

/* Half of full scale at 200 Hz: no step between neighbours is larger than this. */
#define STEP_MAX 560

static void shrink__drops_whole_periods__a_tone(void **state)
{
    (void)state;
    int16_t pcm[LEN];
    sound_sine(pcm, LEN, 200, -6, 0);
    size_t gone = psst_stretch_shrink(pcm, LEN, 700, false);
    assert_int_equal(gone % 240, 0); /* 48,000 / 200 */
    assert_true(gone >= 240);
    assert_true(sound_largest_step(pcm, LEN - gone) <= STEP_MAX);
    int16_t want[LEN];
    sound_sine(want, LEN, 200, -6, 0);
    assert_true(sound_correlation(pcm, want, LEN - gone) > 0.999);
}

static void grow__repeats_whole_periods__a_tone(void **state)
{
    (void)state;
    int16_t pcm[PAST + LEN + PAST];
    sound_sine(pcm, PAST + LEN, 200, -6, 0);
    size_t more = psst_stretch_grow(pcm + PAST, LEN, 700, false);
    assert_int_equal(more % 240, 0);
    assert_true(more >= 240);
    assert_true(sound_largest_step(pcm, PAST + LEN + more) <= STEP_MAX);
    int16_t want[PAST + LEN];
    sound_sine(want, PAST + LEN, 200, -6, 0);
    assert_true(sound_correlation(pcm, want, PAST + LEN) > 0.999);
}

static void shrink__leaves_noise_alone__unless_it_must(void **state)
{
    (void)state;
    uint64_t random = 5;
    int16_t pcm[LEN], before[LEN];
    sound_noise(pcm, LEN, -20, &random);
    memcpy(before, pcm, sizeof pcm);
    assert_int_equal(psst_stretch_shrink(pcm, LEN, 700, false), 0);
    assert_memory_equal(pcm, before, sizeof pcm);
    assert_true(psst_stretch_shrink(pcm, LEN, 700, true) >= PSST_STRETCH_MIN);
}

static void cut__takes_exactly_so_much__silence(void **state)
{
    (void)state;
    int16_t pcm[LEN] = {0};
    assert_int_equal(psst_stretch_cut(pcm, LEN, 7), 7);
    assert_int_equal(psst_stretch_cut(pcm, LEN, LEN), 0);
}

static void stretch__refuses__too_little(void **state)
{
    (void)state;
    int16_t pcm[PAST + LEN] = {0};
    assert_int_equal(psst_stretch_shrink(pcm + PAST, PSST_STRETCH_FADE + 100, 119, true), 0);
    assert_int_equal(psst_stretch_shrink(pcm + PAST, PSST_STRETCH_FADE + 100, 120, true), 0);
    assert_int_equal(psst_stretch_grow(pcm + PAST, PSST_STRETCH_FADE - 1, 500, true), 0);
}

static void shrink__survives__the_loudest(void **state)
{
    (void)state;
    int16_t pcm[PAST + LEN + PAST];
    for (size_t i = 0; i < PAST + LEN + PAST; i++) pcm[i] = i % 2 == 0 ? INT16_MIN : INT16_MAX;
    assert_in_range(psst_stretch_shrink(pcm + PAST, LEN, 700, true), PSST_STRETCH_MIN, 700);
    assert_in_range(psst_stretch_grow(pcm + PAST, LEN, 700, true), PSST_STRETCH_MIN, 700);
    assert_in_range(psst_stretch_rms(pcm, LEN), 32000, 32768);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shrink__drops_whole_periods__a_tone),
        cmocka_unit_test(grow__repeats_whole_periods__a_tone),
        cmocka_unit_test(shrink__leaves_noise_alone__unless_it_must),
        cmocka_unit_test(cut__takes_exactly_so_much__silence),
        cmocka_unit_test(stretch__refuses__too_little),
        cmocka_unit_test(shrink__survives__the_loudest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
