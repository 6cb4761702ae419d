#include "media/level.h"
#include "media/tone.h"
#include "sound.h"
#include "support/check.h"

#include <math.h>

static int16_t pcm[SOUND_FRAME];

/* Loud (1) or silent (0) frames from the beginning on, as text. */
static void pattern(enum psst_tone_kind kind, char *text, unsigned frames)
{
    struct psst_tone tone;
    psst_tone_init(&tone, kind);
    for (unsigned f = 0; f < frames; f++) {
        bool more = psst_tone_frame(&tone, pcm);
        int level = psst_level_dbfs(pcm, SOUND_FRAME);
        text[f] = (char)(more ? (level > -40 ? '1' : '0') : '.');
        if (!more) assert_int_equal(level, PSST_VOICE_SILENCE_DBFS);
    }
    text[frames] = '\0';
}

static void tone__has__its_cadence(void **state)
{
    (void)state;
    char text[801];
    pattern(PSST_TONE_RINGBACK, text, 500);
    for (int f = 0; f < 500; f++) assert_int_equal(text[f], f % 250 < 50 ? '1' : '0');
    pattern(PSST_TONE_RING, text, 800);
    for (int f = 0; f < 800; f++) assert_int_equal(text[f], f % 200 < 50 ? '1' : '0');
    pattern(PSST_TONE_RECORD, text, 17);
    assert_string_equal(text, "111111111111100..");
}

static void tone__has_soft_edges__and_room(void **state)
{
    (void)state;
    for (int kind = PSST_TONE_RING; kind <= PSST_TONE_RECORD; kind++) {
        struct psst_tone tone;
        int16_t last = 0;
        psst_tone_init(&tone, (enum psst_tone_kind)kind);
        for (int f = 0; f < 520; f++) {
            (void)psst_tone_frame(&tone, pcm);
            /* the steepest of these notes, 1000 Hz at -14 dBFS, has steps of 858 */
            assert_true(sound_largest_step(pcm, SOUND_FRAME) < 870);
            assert_true(pcm[0] - last < 870 && last - pcm[0] < 870);
            if (f == 0) assert_true(sound_largest_step(pcm, 24) < 40); /* begins softly */
            last = pcm[SOUND_FRAME - 1];
        }
    }
}

static void ringback__is__425_hz(void **state)
{
    (void)state;
    static int16_t got[40 * SOUND_FRAME], want[40 * SOUND_FRAME];
    struct psst_tone tone;
    psst_tone_init(&tone, PSST_TONE_RINGBACK);
    for (int f = 0; f < 40; f++) assert_true(psst_tone_frame(&tone, got + f * SOUND_FRAME));
    sound_sine(want, 40 * SOUND_FRAME, 425, -14, 0);
    assert_true(sound_correlation(got, want, 40 * SOUND_FRAME) > 0.99);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tone__has__its_cadence),
        cmocka_unit_test(tone__has_soft_edges__and_room),
        cmocka_unit_test(ringback__is__425_hz),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
