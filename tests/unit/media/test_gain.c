#include "media/gain.h"
#include "media/level.h"
#include "sound.h"
#include "support/check.h"

#include <math.h>
#include <stdlib.h>

static int16_t pcm[SOUND_FRAME], was[SOUND_FRAME];

/* Speech of so many dBFS for so many seconds; the level of the last second. */
static double speak(struct psst_gain *gain, double dbfs, int seconds, bool on)
{
    static int16_t last[50 * SOUND_FRAME];
    for (int f = 0; f < 50 * seconds; f++) {
        sound_speech(pcm, SOUND_FRAME, dbfs, (uint64_t)f * SOUND_FRAME);
        psst_gain_frame(gain, pcm, psst_level_dbfs(pcm, SOUND_FRAME) > -60, on);
        memcpy(last + f % 50 * SOUND_FRAME, pcm, sizeof pcm);
    }
    return sound_db(last, 50 * SOUND_FRAME);
}

static void gain__brings_speech__to_the_target(void **state)
{
    (void)state;
    static const double levels[] = {-34, -28, -20, -14};
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        struct psst_gain gain = {0};
        double level = speak(&gain, levels[i], 20, true);
        if (fabs(level - PSST_GAIN_TARGET_DBFS) > 4) print_error("%.0f became %.1f\n", levels[i], level);
        assert_true(fabs(level - PSST_GAIN_TARGET_DBFS) <= 4);
    }
}

static void gain__never_clips__when_whispering_becomes_shouting(void **state)
{
    (void)state;
    struct psst_gain gain = {0};
    (void)speak(&gain, -45, 20, true);
    assert_true(gain.db > PSST_GAIN_MOST_DB - 1);
    for (int f = 0; f < 200; f++) {
        sound_sine(pcm, SOUND_FRAME, 220, f % 7 < 3 ? -1.2 : f % 7 < 5 ? 3 : -40, (uint64_t)f * SOUND_FRAME);
        psst_gain_frame(&gain, pcm, true, true);
        for (int i = 0; i < SOUND_FRAME; i++) assert_true(abs(pcm[i]) <= PSST_GAIN_CEILING + 1);
        assert_false(psst_level_clips(pcm));
    }
}

static void gain__never_clips__where_a_bang_is_short(void **state)
{
    (void)state;
    struct psst_gain gain = {0};
    uint64_t seed = 8;
    int16_t at[1];
    (void)speak(&gain, -45, 20, true);
    for (int f = 0; f < 500; f++) {
        sound_noise(pcm, SOUND_FRAME, -50, &seed);
        sound_noise(at, 1, -5, &seed);
        int from = (at[0] & 0x7fff) % (SOUND_FRAME - 60);
        for (int i = 0; i < 60; i++) pcm[from + i] = i % 2 ? 32000 : -32768;
        psst_gain_frame(&gain, pcm, false, true);
        for (int i = 0; i < SOUND_FRAME; i++) assert_true(abs(pcm[i]) <= PSST_GAIN_CEILING + 1);
    }
}

static void gain__stays__while_nobody_speaks(void **state)
{
    (void)state;
    struct psst_gain gain = {0};
    uint64_t seed = 1;
    (void)speak(&gain, -26, 20, true);
    float db = gain.db;
    for (int f = 0; f < 3000; f++) {
        sound_noise(pcm, SOUND_FRAME, -50, &seed);
        psst_gain_frame(&gain, pcm, false, true);
    }
    assert_true(fabsf(gain.db - db) < 1);
}

static void gain__touches_nothing__when_off(void **state)
{
    (void)state;
    struct psst_gain gain = {0};
    sound_sine(pcm, SOUND_FRAME, 440, 3, 0);
    memcpy(was, pcm, sizeof pcm);
    psst_gain_frame(&gain, pcm, true, false);
    assert_memory_equal(pcm, was, sizeof pcm);
    (void)speak(&gain, -45, 20, true);
    (void)speak(&gain, -45, 5, false); /* back to nothing, without a jump */
    sound_sine(pcm, SOUND_FRAME, 440, -20, 0);
    memcpy(was, pcm, sizeof pcm);
    psst_gain_frame(&gain, pcm, true, false);
    assert_memory_equal(pcm, was, sizeof pcm);
}

static void gain__moves_without_a_jump__between_frames(void **state)
{
    (void)state;
    struct psst_gain gain = {0};
    int16_t last = 0;
    for (int f = 0; f < 500; f++) {
        sound_sine(pcm, SOUND_FRAME, 100, f < 250 ? -40 : -20, (uint64_t)f * SOUND_FRAME);
        psst_gain_frame(&gain, pcm, true, f % 100 < 50);
        /* at 100 Hz, -19 dBFS and the whole gain a step is 384 at the most; the one from -40 to -20 dBFS is at zero */
        assert_true(sound_largest_step(pcm, SOUND_FRAME) < 450 && abs(pcm[0] - last) < 450);
        last = pcm[SOUND_FRAME - 1];
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gain__brings_speech__to_the_target),
        cmocka_unit_test(gain__never_clips__when_whispering_becomes_shouting),
        cmocka_unit_test(gain__never_clips__where_a_bang_is_short),
        cmocka_unit_test(gain__stays__while_nobody_speaks),
        cmocka_unit_test(gain__touches_nothing__when_off),
        cmocka_unit_test(gain__moves_without_a_jump__between_frames),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
