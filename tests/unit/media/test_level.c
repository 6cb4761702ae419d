#include "media/level.h"
#include "sound.h"
#include "support/check.h"

static int16_t pcm[SOUND_FRAME];

static void level__is_minus_3__of_a_full_scale_sine(void **state)
{
    (void)state;
    sound_sine(pcm, SOUND_FRAME, 1000, 0, 0);
    assert_int_equal(psst_level_dbfs(pcm, SOUND_FRAME), -3);
    for (int i = 0; i < SOUND_FRAME; i++) pcm[i] = i % 2 ? INT16_MAX : INT16_MIN;
    assert_int_equal(psst_level_dbfs(pcm, SOUND_FRAME), 0);
    sound_sine(pcm, SOUND_FRAME, 1000, -40, 0);
    assert_int_equal(psst_level_dbfs(pcm, SOUND_FRAME), -43);
}

static void level__is_minus_100__of_silence_and_of_what_is_quieter(void **state)
{
    (void)state;
    memset(pcm, 0, sizeof pcm);
    assert_int_equal(psst_level_dbfs(pcm, SOUND_FRAME), PSST_VOICE_SILENCE_DBFS);
    assert_int_equal(psst_level_loudest_dbfs(pcm), PSST_VOICE_SILENCE_DBFS);
    pcm[17] = 1; /* -120 */
    assert_int_equal(psst_level_dbfs(pcm, SOUND_FRAME), PSST_VOICE_SILENCE_DBFS);
}

static void level__hears__what_begins_late_in_the_frame(void **state)
{
    (void)state;
    memset(pcm, 0, sizeof pcm);
    sound_sine(pcm + 720, 240, 1000, -30, 0);
    assert_int_equal(psst_level_loudest_dbfs(pcm), -33);
    assert_int_equal(psst_level_dbfs(pcm, SOUND_FRAME), -39);
}

static void clipping__is_three_samples_in_a_row__at_the_rails(void **state)
{
    (void)state;
    sound_sine(pcm, SOUND_FRAME, 1000, -0.5, 0);
    assert_false(psst_level_clips(pcm));
    for (int i = 0; i < SOUND_FRAME; i++) pcm[i] = i % 3 == 2 ? 0 : INT16_MAX;
    assert_false(psst_level_clips(pcm));
    for (int i = 0; i < SOUND_FRAME; i++) pcm[i] = i % 2 ? INT16_MAX : INT16_MIN;
    assert_false(psst_level_clips(pcm)); /* from rail to rail: strange, but nothing is cut off */
    sound_sine(pcm, SOUND_FRAME, 1000, 6, 0);
    assert_true(psst_level_clips(pcm));
    memset(pcm, 0, sizeof pcm);
    for (int i = 957; i < 960; i++) pcm[i] = INT16_MIN;
    assert_true(psst_level_clips(pcm));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(level__is_minus_3__of_a_full_scale_sine),
        cmocka_unit_test(level__is_minus_100__of_silence_and_of_what_is_quieter),
        cmocka_unit_test(level__hears__what_begins_late_in_the_frame),
        cmocka_unit_test(clipping__is_three_samples_in_a_row__at_the_rails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
