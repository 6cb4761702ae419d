/* The two ends and their rhythm, without a sound server. How late a tick comes is the machine's business: what is counted is
 * that none is missing, that each has its moment, and what is said in words. */
#include "support/check.h"

#include "audio/audio.h"

#include <stdlib.h>
#include <unistd.h>

struct seen {
    struct psst_audio_loop *loop;
    unsigned captured, played, pieces, enough, states;
    void (*piece)(void *ctx, int16_t *pcm, size_t samples, uint64_t now_ns);
    uint64_t captured_ns, played_ns;
    bool works[2], uneven;
    char words[2][200];
};

static void count(struct seen *seen, unsigned *n, uint64_t *last_ns, uint64_t now_ns)
{
    if (*n > 0 && (now_ns <= *last_ns || (now_ns - *last_ns) % 20000000 != 0)) seen->uneven = true;
    *last_ns = now_ns;
    (*n)++;
    if (seen->captured >= seen->enough && seen->played >= seen->enough) psst_audio_loop_quit(seen->loop);
}

static void on_capture(void *ctx, const int16_t pcm[PSST_AUDIO_FRAME_SAMPLES], uint64_t now_ns)
{
    struct seen *seen = ctx;
    for (int i = 0; i < PSST_AUDIO_FRAME_SAMPLES; i++) assert_int_equal(0, pcm[i]);
    count(seen, &seen->captured, &seen->captured_ns, now_ns);
}

static void on_playback(void *ctx, int16_t pcm[PSST_AUDIO_FRAME_SAMPLES], uint64_t now_ns)
{
    struct seen *seen = ctx;
    memset(pcm, 1, 2 * PSST_AUDIO_FRAME_SAMPLES);
    count(seen, &seen->played, &seen->played_ns, now_ns);
}

static void on_state(void *ctx, enum psst_audio_end end, bool works, const char *words)
{
    struct seen *seen = ctx;
    seen->states++;
    seen->works[end] = works;
    (void)strncpy(seen->words[end], words, sizeof seen->words[end] - 1);
}

static void run(struct seen *seen, enum psst_audio_kind microphone, enum psst_audio_kind speaker)
{
    assert_ok(psst_audio_loop_new(&seen->loop));
    const struct psst_audio_config config = {.ends = {{.kind = microphone}, {.kind = speaker}},
                                             .on_capture = on_capture,
                                             .on_playback = on_playback,
                                             .on_piece = seen->piece,
                                             .on_state = on_state,
                                             .ctx = seen};
    struct psst_audio *audio = NULL;
    assert_ok(psst_audio_new(&audio, seen->loop, &config, NULL));
    psst_audio_loop_run(seen->loop);
    assert_false(psst_audio_cancels_echo(audio));
    assert_int_equal(0, psst_audio_delay_ms(audio, PSST_AUDIO_SPEAKER));
    psst_audio_free(audio);
    psst_audio_loop_free(seen->loop);
}

static void audio__ticks__null_at_both_ends(void **state)
{
    (void)state;
    struct seen seen = {.enough = 10};
    run(&seen, PSST_AUDIO_NULL, PSST_AUDIO_NULL);
    assert_false(seen.uneven); /* each frame has the moment that it was due, however late it came */
    assert_int_equal(2, seen.states);
    assert_true(seen.works[0] && seen.works[1]);
    assert_string_equal("", seen.words[0]);
}

static void on_piece(void *ctx, int16_t *pcm, size_t samples, uint64_t now_ns)
{
    struct seen *seen = ctx;
    assert_int_equal(PSST_AUDIO_FRAME_SAMPLES, samples);
    seen->pieces++;
    on_playback(ctx, pcm, now_ns);
}

static void audio__asks_for_whole_frames__by_the_clock(void **state)
{
    (void)state;
    struct seen seen = {.enough = 5, .piece = on_piece};
    run(&seen, PSST_AUDIO_NULL, PSST_AUDIO_NULL);
    assert_int_equal(seen.played, seen.pieces); /* each of them in on_playback's place */
    assert_false(seen.uneven);
}

static void audio__goes_on__without_a_sound_server(void **state)
{
    (void)state;
    struct seen seen = {.enough = 15};
    assert_int_equal(0, setenv("PULSE_SERVER", "/nowhere/at/all", 1));
    run(&seen, PSST_AUDIO_PULSE, PSST_AUDIO_PULSE);
    assert_false(seen.uneven);
    assert_int_equal(2, seen.states); /* said once, and not with every attempt */
    assert_false(seen.works[0] || seen.works[1]);
    assert_string_equal("the microphone has no sound: the sound server cannot be reached", seen.words[0]);
    assert_string_equal("the speaker has no sound: the sound server cannot be reached", seen.words[1]);
}

static void audio__leaves_alone__an_end_that_is_none(void **state)
{
    (void)state;
    struct seen seen = {.captured = 5, .enough = 5}; /* as if they had come */
    run(&seen, PSST_AUDIO_NONE, PSST_AUDIO_NULL);
    assert_int_equal(5, seen.captured);
    assert_int_equal(5, seen.played);
    assert_int_equal(1, seen.states);
}

static void on_listed(void *ctx, const struct psst_audio_device *devices, size_t n, const char *words)
{
    (void)devices;
    struct seen *seen = ctx;
    assert_int_equal(0, n);
    assert_string_equal("the sound server cannot be reached", words);
    psst_audio_loop_quit(seen->loop);
}

static void list__says_so__without_a_sound_server(void **state)
{
    (void)state;
    struct seen seen = {0};
    assert_int_equal(0, setenv("PULSE_SERVER", "/nowhere/at/all", 1));
    assert_ok(psst_audio_loop_new(&seen.loop));
    assert_ok(psst_audio_list(seen.loop, on_listed, &seen));
    psst_audio_loop_run(seen.loop);
    psst_audio_loop_free(seen.loop);
}

static void on_readable(void *ctx)
{
    psst_audio_loop_quit(((struct seen *)ctx)->loop);
}

static void on_resting(void *ctx)
{
    ((struct seen *)ctx)->pieces++;
}

static void loop__wakes_nobody_who_rests__but_at_the_end(void **state)
{
    (void)state;
    struct seen seen = {.enough = 3};
    struct psst_audio_watch *watch = NULL;
    int ends[2];
    assert_int_equal(0, pipe(ends));
    assert_ok(psst_audio_loop_new(&seen.loop));
    assert_ok(psst_audio_watch_add(&watch, seen.loop, ends[0], on_resting, &seen));
    psst_audio_watch_rest(watch, true);
    assert_int_equal(1, write(ends[1], "x", 1)); /* stays there */
    const struct psst_audio_config config = {.ends = {{.kind = PSST_AUDIO_NULL}, {.kind = PSST_AUDIO_NULL}},
                                             .on_capture = on_capture,
                                             .on_playback = on_playback,
                                             .ctx = &seen};
    struct psst_audio *audio = NULL;
    assert_ok(psst_audio_new(&audio, seen.loop, &config, NULL));
    psst_audio_loop_run(seen.loop);
    assert_in_range(seen.pieces, 1, 20); /* with each tick, and not without end */
    psst_audio_free(audio);
    psst_audio_watch_remove(watch);
    char byte;
    assert_int_equal(1, read(ends[0], &byte, 1));
    assert_ok(psst_audio_watch_add(&watch, seen.loop, ends[0], on_readable, &seen));
    psst_audio_watch_rest(watch, true);
    (void)close(ends[1]);
    psst_audio_loop_run(seen.loop); /* returns */
    psst_audio_watch_remove(watch);
    psst_audio_loop_free(seen.loop);
    (void)close(ends[0]);
}

static void loop__tells__of_data_and_of_the_end(void **state)
{
    (void)state;
    struct seen seen = {0};
    struct psst_audio_watch *watch = NULL;
    int ends[2];
    assert_int_equal(0, pipe(ends));
    assert_ok(psst_audio_loop_new(&seen.loop));
    assert_ok(psst_audio_watch_add(&watch, seen.loop, ends[0], on_readable, &seen));
    assert_int_equal(1, write(ends[1], "x", 1));
    psst_audio_loop_run(seen.loop);
    char byte;
    assert_int_equal(1, read(ends[0], &byte, 1));
    (void)close(ends[1]);
    psst_audio_watch_remove(watch);
    psst_audio_loop_free(seen.loop);
    assert_ok(psst_audio_loop_new(&seen.loop));
    assert_ok(psst_audio_watch_add(&watch, seen.loop, ends[0], on_readable, &seen));
    psst_audio_loop_run(seen.loop);
    psst_audio_watch_remove(watch);
    psst_audio_loop_free(seen.loop);
    (void)close(ends[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(audio__ticks__null_at_both_ends),
        cmocka_unit_test(audio__asks_for_whole_frames__by_the_clock),
        cmocka_unit_test(audio__goes_on__without_a_sound_server),
        cmocka_unit_test(audio__leaves_alone__an_end_that_is_none),
        cmocka_unit_test(list__says_so__without_a_sound_server),
        cmocka_unit_test(loop__wakes_nobody_who_rests__but_at_the_end),
        cmocka_unit_test(loop__tells__of_data_and_of_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
