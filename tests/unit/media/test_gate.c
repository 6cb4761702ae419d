#include "media/gate.h"
#include "media/level.h"
#include "sound.h"
#include "support/check.h"

#define SENSE (-40)

static int16_t pcm[SOUND_FRAME], was[SOUND_FRAME];

static bool silent(void)
{
    for (int i = 0; i < SOUND_FRAME; i++)
        if (pcm[i] != 0) return false;
    return true;
}

/* A frame of so many dBFS through the gate. */
static bool frame(struct psst_gate *gate, int level_dbfs, int sense_dbfs, bool send)
{
    static uint64_t at;
    sound_sine(pcm, SOUND_FRAME, 301, level_dbfs + 3, at);
    at += SOUND_FRAME;
    memcpy(was, pcm, sizeof was);
    return psst_gate_frame(gate, pcm, psst_level_loudest_dbfs(pcm), sense_dbfs, send);
}

static void gate__opens_at_once__and_keeps_the_frame(void **state)
{
    (void)state;
    struct psst_gate gate = {0};
    assert_false(frame(&gate, SENSE - 2, SENSE, true));
    assert_true(silent());
    assert_true(frame(&gate, SENSE + 2, SENSE, true));
    assert_int_equal(pcm[0], 0);
    assert_memory_equal(pcm + 240, was + 240, sizeof pcm - 240 * sizeof *pcm); /* after 5 ms all of it */
    assert_true(frame(&gate, SENSE + 2, SENSE, true));
    assert_memory_equal(pcm, was, sizeof pcm);
}

static void gate__stays_open__between_the_thresholds(void **state)
{
    (void)state;
    struct psst_gate gate = {0};
    for (int i = 0; i < 100; i++) assert_false(frame(&gate, SENSE - 3, SENSE, true));
    assert_true(frame(&gate, SENSE + 2, SENSE, true));
    for (int i = 0; i < 100; i++) assert_true(frame(&gate, SENSE - 3, SENSE, true));
}

static void gate__closes__after_the_hangover(void **state)
{
    (void)state;
    struct psst_gate gate = {0};
    (void)frame(&gate, SENSE + 2, SENSE, true);
    for (int i = 1; i < PSST_GATE_HANGOVER_FRAMES; i++) {
        assert_true(frame(&gate, SENSE - 10, SENSE, true));
        assert_memory_equal(pcm, was, sizeof pcm); /* nothing fades yet */
    }
    assert_true(frame(&gate, SENSE - 10, SENSE, true)); /* fades out */
    assert_int_equal(pcm[SOUND_FRAME - 1], 0);
    assert_false(silent());
    assert_false(frame(&gate, SENSE - 3, SENSE, true)); /* and what would have kept it open does not open it */
    assert_true(silent());
}

static void gate__counts_anew__when_something_is_heard(void **state)
{
    (void)state;
    struct psst_gate again = {0};
    (void)frame(&again, SENSE + 2, SENSE, true);
    for (int i = 0; i < 10; i++) assert_true(frame(&again, SENSE - 10, SENSE, true));
    assert_true(frame(&again, SENSE - 3, SENSE, true));
    for (int i = 1; i < PSST_GATE_HANGOVER_FRAMES; i++) assert_true(frame(&again, SENSE - 10, SENSE, true));
    assert_true(frame(&again, SENSE - 10, SENSE, true)); /* fades out */
    assert_false(silent());
    assert_false(frame(&again, SENSE - 10, SENSE, true));
    assert_true(silent());
}

static void gate__never_clicks(void **state)
{
    (void)state;
    struct psst_gate gate = {0};
    int16_t last = 0;
    uint64_t at = 0;
    sound_sine(was, SOUND_FRAME, 301, -6, 0);
    int smooth = sound_largest_step(was, SOUND_FRAME) + 600; /* what the fade itself adds, at the most */
    for (int i = 0; i < 100; i++, at += SOUND_FRAME) {
        sound_sine(pcm, SOUND_FRAME, 301, -6, at);
        int heard = i % 40 < 3 ? -9 : SENSE - 30;
        (void)psst_gate_frame(&gate, pcm, heard, SENSE, i % 11 != 0); /* mute comes and goes, too */
        assert_true(sound_largest_step(pcm, SOUND_FRAME) <= smooth);
        assert_true(pcm[0] - last <= smooth && last - pcm[0] <= smooth);
        last = pcm[SOUND_FRAME - 1];
    }
}

static void gate__is_always_open__at_minus_100(void **state)
{
    (void)state;
    struct psst_gate gate = {0};
    for (int i = 0; i < 50; i++) {
        memset(pcm, 0, sizeof pcm);
        assert_true(psst_gate_frame(&gate, pcm, PSST_VOICE_SILENCE_DBFS, PSST_VOICE_SILENCE_DBFS, true));
    }
    for (int i = 0; i < 100; i++) assert_true(frame(&gate, -95, PSST_VOICE_SILENCE_DBFS, true));
    assert_memory_equal(pcm, was, sizeof pcm);
}

static void gate__is_silent_within_5_ms__when_muted(void **state)
{
    (void)state;
    struct psst_gate gate = {0};
    for (int i = 0; i < 3; i++) (void)frame(&gate, -9, SENSE, true);
    (void)frame(&gate, -9, SENSE, false);
    for (int i = 240; i < SOUND_FRAME; i++) assert_int_equal(pcm[i], 0);
    for (int i = 0; i < 100; i++) {
        assert_false(frame(&gate, -9, SENSE, false));
        assert_true(silent());
    }
    assert_true(frame(&gate, -9, SENSE, true)); /* still speaking: open at once */
    assert_false(silent());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gate__opens_at_once__and_keeps_the_frame),
        cmocka_unit_test(gate__stays_open__between_the_thresholds),
        cmocka_unit_test(gate__closes__after_the_hangover),
        cmocka_unit_test(gate__counts_anew__when_something_is_heard),
        cmocka_unit_test(gate__never_clicks),
        cmocka_unit_test(gate__is_always_open__at_minus_100),
        cmocka_unit_test(gate__is_silent_within_5_ms__when_muted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
