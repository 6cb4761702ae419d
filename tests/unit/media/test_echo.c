#include "media/echo.h"
#include "sound.h"
#include "support/check.h"

#include <math.h>

/* A room: the speaker is heard in the microphone 55 ms after it was handed over (devices, air), -6 dB, with a tail of
 * reflections over 40 ms that decays. */
#define SECONDS   14
#define SAMPLES   (SECONDS * PSST_VOICE_HZ)
#define DELAY     (55 * PSST_VOICE_HZ / 1000)
#define REFLECTED 24
#define FRAMES    (SAMPLES / SOUND_FRAME)

static int16_t far[SAMPLES], microphone[SAMPLES], out[SAMPLES];

static void room(void)
{
    static int at[REFLECTED];
    static double gain[REFLECTED];
    uint64_t state = 3;
    int16_t r[2 * REFLECTED];
    sound_noise(r, 2 * REFLECTED, -10, &state);
    for (int k = 0; k < REFLECTED; k++) {
        at[k] = k == 0 ? 0 : (r[k] & 0x7fff) % (40 * PSST_VOICE_HZ / 1000);
        gain[k] = k == 0 ? 0.4 : 0.2 * exp(-at[k] / 500.0) * (r[REFLECTED + k] < 0 ? -1 : 1);
    }
    for (int i = 0; i < SAMPLES; i++) {
        double sum = 0;
        for (int k = 0; k < REFLECTED; k++) {
            int from = i - DELAY - at[k];
            if (from >= 0) sum += gain[k] * far[from];
        }
        microphone[i] = (int16_t)lrint(sum);
    }
}

static void add(int16_t *to, const int16_t *what, size_t n)
{
    for (size_t i = 0; i < n; i++) to[i] = (int16_t)(to[i] + what[i]);
}

/* played and frame take turns, as the two devices do; late: the microphone's frames come before the speaker's. */
static void run(bool cancel, bool clean, bool late)
{
    struct psst_echo *echo;
    assert_ok(psst_echo_new(&echo));
    memcpy(out, microphone, sizeof out);
    for (int f = 0; f < FRAMES; f++) {
        if (!late) psst_echo_played(echo, far + f * SOUND_FRAME, SOUND_FRAME);
        psst_echo_frame(echo, out + f * SOUND_FRAME, cancel, clean);
        if (late) psst_echo_played(echo, far + f * SOUND_FRAME, SOUND_FRAME);
    }
    psst_echo_free(echo);
}

/* Echo return loss enhancement over the seconds from..to. */
static double erle(int from, int to)
{
    size_t at = (size_t)from * PSST_VOICE_HZ, n = (size_t)(to - from) * PSST_VOICE_HZ;
    return sound_db(microphone + at, n) - sound_db(out + at, n);
}

static void echo__is_20_dB_lower__after_convergence(void **state)
{
    (void)state;
    uint64_t seed = 5;
    sound_noise(far, SAMPLES, -20, &seed);
    room();
    run(true, false, false);
    print_message("noise: %.1f dB after 3 s, %.1f dB after 10 s\n", erle(3, 5), erle(10, 14));
    assert_true(erle(3, 5) >= 36); /* 33 without the suppression of what is left */
    assert_true(erle(10, 14) >= 20);
    sound_speech(far, SAMPLES, -18, 0);
    room();
    run(true, false, false);
    print_message("speech: %.1f dB after 3 s, %.1f dB after 10 s\n", erle(3, 5), erle(10, 14));
    assert_true(erle(10, 14) >= 20);
    run(true, true, true);
    print_message("speech, cleaned, microphone first: %.1f dB after 10 s\n", erle(10, 14));
    assert_true(erle(10, 14) >= 20);
    run(false, false, false);
    assert_true(fabs(erle(10, 14)) < 0.01); /* off: it would be heard */
}

static void near_end__comes_through__while_both_talk(void **state)
{
    (void)state;
    static int16_t near[SAMPLES];
    sound_speech(far, SAMPLES, -20, 0);
    room();
    memset(near, 0, sizeof near);
    size_t at = 8 * PSST_VOICE_HZ, n = 5 * PSST_VOICE_HZ;
    sound_speech(near + at, n, -20, 777777);
    add(microphone, near, SAMPLES);
    run(true, false, false);
    size_t delay = 480; /* of the suppressor */
    double same = sound_correlation(near + at, out + at + delay, n),
           echoed = sound_correlation(near + at, microphone + at, n);
    double loss = sound_db(near + at, n) - sound_db(out + at + delay, n);
    print_message("both talk: correlation %.3f (%.3f with the echo), %.1f dB lost\n", same, echoed, loss);
    assert_true(same >= 0.85);
    assert_true(loss <= 6);
}

static void queue__finds_its_way_back__after_a_microphone_that_began_late(void **state)
{
    (void)state;
    uint64_t seed = 5;
    struct psst_echo *echo;
    sound_noise(far, SAMPLES, -20, &seed);
    room();
    memcpy(out, microphone, sizeof out);
    assert_ok(psst_echo_new(&echo));
    for (int f = 0; f < FRAMES; f++) {
        psst_echo_played(echo, far + f * SOUND_FRAME, SOUND_FRAME);
        if (f >= 50) psst_echo_frame(echo, out + f * SOUND_FRAME, true, false);
    }
    psst_echo_free(echo);
    assert_true(erle(10, 14) >= 20);
}

static void queue__keeps_its_order__when_the_devices_take_turns_as_they_like(void **state)
{
    (void)state;
    uint64_t seed = 5;
    struct psst_echo *echo;
    int played = 0;
    sound_noise(far, SAMPLES, -20, &seed);
    room();
    memcpy(out, microphone, sizeof out);
    assert_ok(psst_echo_new(&echo));
    for (int f = 0; f < FRAMES; f++) { /* the speaker is 0, 1 or 2 frames ahead when the microphone's comes */
        int ahead = (int)((unsigned)f * 2654435761u >> 28) % 3;
        while (played < f + ahead && played < FRAMES) psst_echo_played(echo, far + played++ * SOUND_FRAME, SOUND_FRAME);
        psst_echo_frame(echo, out + f * SOUND_FRAME, true, false);
    }
    psst_echo_free(echo);
    assert_true(erle(10, 14) >= 20);
}

static void queue__pairs__what_is_played_in_pieces(void **state)
{
    (void)state;
    enum { PIECE = SOUND_FRAME / 4 };
    uint64_t seed = 5;
    sound_noise(far, SAMPLES, -20, &seed);
    room();
    for (int turn = 0; turn < 4; turn++) { /* of the pieces at which the microphone's frame comes */
        struct psst_echo *echo;
        memcpy(out, microphone, sizeof out);
        assert_ok(psst_echo_new(&echo));
        for (int piece = 0; piece < 4 * FRAMES; piece++) {
            psst_echo_played(echo, far + piece * PIECE, PIECE);
            if (piece % 4 == turn) psst_echo_frame(echo, out + piece / 4 * SOUND_FRAME, true, false);
        }
        psst_echo_free(echo);
        assert_true(erle(10, 14) >= 20);
    }
}

static void canceller__knows_the_room__after_a_pause(void **state)
{
    (void)state;
    uint64_t seed = 5;
    sound_noise(far, SAMPLES, -20, &seed);
    memset(far + 6 * PSST_VOICE_HZ, 0, 3 * PSST_VOICE_HZ * sizeof *far); /* longer than it takes to rest */
    room();
    run(true, false, false);
    const size_t at = 9 * PSST_VOICE_HZ + DELAY, n = PSST_VOICE_HZ / 10;
    print_message("after a pause: %.1f dB at once\n", sound_db(microphone + at, n) - sound_db(out + at, n));
    assert_true(sound_db(microphone + at, n) - sound_db(out + at, n) >= 20);
    assert_true(erle(10, 14) >= 36);
}

static void canceller__leaves_no_trace__when_it_rests_and_begins_again(void **state)
{
    (void)state;
    struct psst_echo *echo;
    int16_t last = 0, pcm[SOUND_FRAME], played[SOUND_FRAME];
    assert_ok(psst_echo_new(&echo));
    for (int f = 0; f < 400; f++) {
        sound_sine(pcm, SOUND_FRAME, 150, -20, (uint64_t)f * SOUND_FRAME);
        for (int i = 0; i < SOUND_FRAME; i++) played[i] = (int16_t)(f / 30 % 2 == 0 ? 0 : 20); /* just not silent */
        psst_echo_played(echo, played, SOUND_FRAME);
        psst_echo_frame(echo, pcm, true, false);
        assert_true(sound_largest_step(pcm, SOUND_FRAME) < 150); /* the sine's own is 64 */
        assert_true(f == 0 || (pcm[0] - last < 150 && last - pcm[0] < 150));
        last = pcm[SOUND_FRAME - 1];
    }
    psst_echo_free(echo);
}

static void noise__is_lowered__and_speech_is_not(void **state)
{
    (void)state;
    uint64_t seed = 9;
    static int16_t speech[SAMPLES];
    memset(far, 0, sizeof far);
    sound_noise(microphone, SAMPLES, -45, &seed);
    size_t from = 8 * PSST_VOICE_HZ, n = 6 * PSST_VOICE_HZ - 480;
    sound_speech(speech + from, n, -20, 0);
    add(microphone, speech, SAMPLES);
    run(false, true, false);
    double lowered = sound_db(microphone + 4 * PSST_VOICE_HZ, 4 * PSST_VOICE_HZ) -
                     sound_db(out + 4 * PSST_VOICE_HZ, 4 * PSST_VOICE_HZ);
    double same = sound_correlation(speech + from, out + from + 480, n);
    print_message("noise: %.1f dB lower; speech: correlation %.3f\n", lowered, same);
    assert_true(lowered >= 10);
    assert_true(same >= 0.95);
}

static void microphone__is_left_alone__when_nothing_is_asked_for(void **state)
{
    (void)state;
    sound_speech(microphone, SAMPLES, -20, 0);
    sound_speech(far, SAMPLES, -20, 4711);
    run(false, false, false);
    assert_memory_equal(out, microphone, sizeof out);
}

static void ways__change__without_a_click(void **state)
{
    (void)state;
    struct psst_echo *echo;
    int16_t last = 0, pcm[SOUND_FRAME], silence[SOUND_FRAME] = {0};
    assert_ok(psst_echo_new(&echo));
    for (int f = 0; f < 400; f++) {
        sound_sine(pcm, SOUND_FRAME, 150, -20, (uint64_t)f * SOUND_FRAME);
        psst_echo_played(echo, silence, SOUND_FRAME);
        psst_echo_frame(echo, pcm, f / 20 % 4 == 1 || f / 20 % 4 == 2, f / 20 % 4 == 2);
        assert_true(sound_largest_step(pcm, SOUND_FRAME) < 150); /* the sine's own is 64 */
        assert_true(pcm[0] - last < 150 && last - pcm[0] < 150);
        last = pcm[SOUND_FRAME - 1];
    }
    psst_echo_free(echo);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(echo__is_20_dB_lower__after_convergence),
        cmocka_unit_test(near_end__comes_through__while_both_talk),
        cmocka_unit_test(queue__finds_its_way_back__after_a_microphone_that_began_late),
        cmocka_unit_test(queue__keeps_its_order__when_the_devices_take_turns_as_they_like),
        cmocka_unit_test(queue__pairs__what_is_played_in_pieces),
        cmocka_unit_test(canceller__knows_the_room__after_a_pause),
        cmocka_unit_test(canceller__leaves_no_trace__when_it_rests_and_begins_again),
        cmocka_unit_test(noise__is_lowered__and_speech_is_not),
        cmocka_unit_test(microphone__is_left_alone__when_nothing_is_asked_for),
        cmocka_unit_test(ways__change__without_a_click),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
