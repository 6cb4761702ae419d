/* The receiver over modelled lines, in virtual time: how late, how whole, and how it comes back after what went wrong. */
#include "ear.h"
#include "support/check.h"

#define CODEC_MS 6.5

static struct psst_receiver_stats last(const struct ear *ear)
{
    return ear->stats[ear->frames - 1];
}

static void receiver__adds_half_a_frame__good_line(void **state)
{
    (void)state;
    for (double phase = 0.5; phase < 20; phase += 6.5) { /* of the pulls against the frames: it cannot be chosen */
        struct ear ear;
        struct line_profile line = {.delay_ms = 0.2};
        struct line_call call = ear_call(&ear, 400, &line);
        call.phase_ms = phase;
        ear_listen(&call);
        double found, delay = ear_median_ms(&ear, 150, 380, &found);
        double wait =
            phase > 1.2 + 0.5 ? phase : phase + 20; /* the pull that a frame is there for, a margin before it */
        assert_true(found > 0.9);
        assert_true(delay > wait && delay < wait + CODEC_MS + 3);
        assert_int_equal(last(&ear).received, 400);
        assert_int_equal(last(&ear).lost + last(&ear).late + last(&ear).concealed + last(&ear).doubled, 0);
        assert_int_equal(last(&ear).garbage, 0);
        assert_in_range(last(&ear).held_ms, 0, 23);
        ear_free(&ear);
    }
}

static void receiver__waits_for_no_whole_frame__device_that_pulls_little(void **state)
{
    (void)state;
    for (double phase = 0.5; phase < 8; phase += 1.6) { /* what is heard sooner than that, the ear does not find */
        struct ear ear;
        struct line_profile line = {.delay_ms = 0.2, .jitter_ms = 0.5};
        struct line_call call = ear_call(&ear, 600, &line);
        call.phase_ms = phase;
        call.piece = PSST_VOICE_FRAME_SAMPLES / 4;
        ear_listen(&call);
        double found, delay = ear_median_ms(&ear, 350, 580, &found);
        assert_true(found > 0.9);
        assert_true(delay > CODEC_MS && delay < CODEC_MS + 5 + 4.7); /* the next pull, jitter, and margins */
        assert_int_equal(last(&ear).lost + last(&ear).late + last(&ear).concealed + last(&ear).garbage, 0);
        assert_in_range(last(&ear).held_ms, 0, 8);
        ear_free(&ear);
    }
}

static void receiver__waits_for_98_of_100__jitter_and_small_pulls(void **state)
{
    (void)state;
    for (int loses = 0; loses < 2; loses++) {
        struct ear ear;
        struct line_profile line = {.delay_ms = 30, .jitter_ms = 40, .loss = loses * 0.1};
        struct line_call call = ear_call(&ear, 1000, &line);
        call.piece = PSST_VOICE_FRAME_SAMPLES / 4;
        call.fec = loses != 0 ? 10 : 0;
        ear_listen(&call);
        double found, delay = ear_median_ms(&ear, 400, 985, &found);
        assert_true(found > 0.8);
        assert_true(delay < 125);
        struct psst_receiver_stats before = ear.stats[400], after = last(&ear);
        if (loses == 0) assert_in_range(after.late - before.late + after.lost - before.lost, 0, 18); /* of 600 */
        if (loses != 0) assert_true((double)after.recovered / (after.lost + after.late) > 0.6);
        ear_free(&ear);
    }
}

static void receiver__waits_for_98_of_100__jitter(void **state)
{
    (void)state;
    static const struct {
        enum line_kind kind;
        double jitter_ms, quantile_ms;
    } cases[] = {{LINE_UNIFORM, 40, 39.2}, {LINE_UNIFORM, 100, 98}, {LINE_EXPONENTIAL, 15, 58.7}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ear ear;
        struct line_profile line = {.delay_ms = 30, .jitter_ms = cases[i].jitter_ms, .kind = cases[i].kind};
        struct line_call call = ear_call(&ear, 1500, &line);
        ear_listen(&call);
        double found, delay = ear_median_ms(&ear, 500, 1480, &found), least = 30 + cases[i].quantile_ms + CODEC_MS;
        assert_true(found > 0.85);
        assert_true(delay > least - 6 && delay < least + 30);
        struct psst_receiver_stats before = ear.stats[500], after = last(&ear);
        assert_in_range(after.late - before.late + after.lost - before.lost, 0, 25); /* of 1,000 */
        assert_in_range(after.jitter_ms, cases[i].quantile_ms * 0.75, cases[i].quantile_ms * 1.3);
        ear_free(&ear);
    }
}

static double share_of_lost(const struct ear *ear, uint32_t what)
{
    return (double)what / (double)(last(ear).lost + last(ear).late);
}

static void receiver__recovers_most__fec_and_loss(void **state)
{
    (void)state;
    static const struct {
        enum line_kind kind;
        double jitter_ms, loss, most_ms;
        unsigned fec;
    } cases[] = {{LINE_UNIFORM, 40, 0.1, 125, 10},
                 {LINE_UNIFORM, 80, 0.2, 165, 20},
                 {LINE_EXPONENTIAL, 40, 0.1, 160, 10}}; /* of which 98 of 100 would take 230 */
    for (size_t i = 0; i < 3; i++) {
        struct ear ear;
        struct line_profile line = {
            .delay_ms = 30, .jitter_ms = cases[i].jitter_ms, .kind = cases[i].kind, .loss = cases[i].loss};
        struct line_call call = ear_call(&ear, 1000, &line);
        call.fec = cases[i].fec;
        ear_listen(&call);
        double found, delay = ear_median_ms(&ear, 400, 985, &found);
        assert_true(found > 0.8);
        assert_true(delay < cases[i].most_ms);
        assert_true(share_of_lost(&ear, last(&ear).recovered) > 0.6);
        assert_in_range(last(&ear).loss_256, 256 * cases[i].loss / 2, 256 * cases[i].loss * 1.6);
        ear_free(&ear);
        call = ear_call(&ear, 1000, &line); /* and nothing is recovered from nothing */
        ear_listen(&call);
        assert_int_equal(last(&ear).recovered, 0);
        assert_true(share_of_lost(&ear, last(&ear).concealed) > 0.99);
        ear_free(&ear);
    }
}

static void receiver__drops_doubled_frames(void **state)
{
    (void)state;
    struct ear ear;
    struct line_profile line = {.delay_ms = 20, .doubled = 1};
    struct line_call call = ear_call(&ear, 200, &line);
    ear_listen(&call);
    assert_in_range(last(&ear).doubled, 195, 200);
    assert_in_range(last(&ear).received, 198, 200);
    assert_int_equal(last(&ear).lost + last(&ear).late, 0);
    ear_free(&ear);
}

/* 2 s of nothing, from 6 s on; then at 13 s, five seconds after its end, all is as it was */
static void comes_back(bool holds, double jitter_ms)
{
    struct ear ear;
    struct line_profile line = {
        .delay_ms = 30, .jitter_ms = jitter_ms, .outage_from_ms = 6000, .outage_to_ms = 8000, .outage_holds = holds};
    struct line_call call = ear_call(&ear, 750, &line);
    ear_listen(&call);
    double found, before = ear_median_ms(&ear, 150, 280, &found), after;
    assert_true(found > 0.8);
    for (size_t i = 325 * PSST_VOICE_FRAME_SAMPLES; i < 399 * PSST_VOICE_FRAME_SAMPLES; i++)
        assert_int_equal(ear.heard[i], 0); /* faded to silence within 0.4 s */
    after = ear_median_ms(&ear, 650, 730, &found);
    assert_true(found > 0.8);
    assert_true(after - 30 < 1.2 * (before - 30) + 1);
    for (size_t n = 650; n < 750; n++) assert_true(ear.stats[n].held_ms <= ear.stats[n].target_ms * 1.2 + 1);
    after = ear_median_ms(&ear, 425, 450, &found); /* and half a second after it, one hears */
    assert_true(found > 0.6 && after < 500);
    ear_free(&ear);
}

static void receiver__is_back_at_its_delay__outage_that_loses(void **state)
{
    (void)state;
    comes_back(false, 0);
    comes_back(false, 40);
}

static void receiver__is_back_at_its_delay__outage_that_holds(void **state)
{
    (void)state;
    comes_back(true, 0);
    comes_back(true, 40);
}

static void receiver__follows_the_clock__ten_minutes(void **state)
{
    (void)state;
    for (int side = -1; side <= 1; side += 2) {
        struct ear ear;
        struct line_profile line = {.delay_ms = 30, .jitter_ms = 5, .drift_ppm = 300 * side};
        struct line_call call = ear_call(&ear, 30000, &line);
        call.say = NULL; /* frames that hold nothing: it is about the clock, and this takes no time */
        call.loop = 0;
        ear_listen(&call);
        struct psst_receiver_stats end = last(&ear);
        assert_in_range(end.lost + end.late, 0, 150);
        int32_t moved = (int32_t)(end.stretched - end.shrunk), should = -side * (int32_t)(0.0003 * 600 * PSST_VOICE_HZ);
        assert_in_range(moved - should + 2400, 0, 4800); /* half of it at the start, where it comes closer */
        for (size_t n = 500; n < ear.frames; n++) assert_in_range(ear.stats[n].held_ms, 2, 32);
        ear_free(&ear);
    }
}

static void receiver__goes_on_speaking__clock_drifts(void **state)
{
    (void)state;
    for (int side = -1; side <= 1; side += 2) {
        struct ear ear;
        struct line_profile line = {.delay_ms = 30, .jitter_ms = 1, .drift_ppm = 300 * side};
        struct line_call call = ear_call(&ear, 4000, &line);
        ear_listen(&call);
        double found, delay = ear_median_ms(&ear, 3700, 3980, &found);
        assert_true(found > 0.9);
        /* said is in the sender's time, of which so much less or more has gone by */
        delay += 0.0003 * side * 3850 * 20;
        assert_true(delay > 30 && delay < 70);
        assert_in_range(last(&ear).concealed, 0, 30);
        ear_free(&ear);
    }
}

static void receiver__hears_everything__timestamps_wrap(void **state)
{
    (void)state;
    struct ear ear;
    struct line_profile line = {.delay_ms = 30, .jitter_ms = 20};
    struct line_call call = ear_call(&ear, 400, &line);
    call.timestamp = UINT32_MAX - 200 * PSST_VOICE_FRAME_SAMPLES;
    ear_listen(&call);
    double found;
    (void)ear_median_ms(&ear, 100, 380, &found);
    assert_true(found > 0.9);
    assert_in_range(last(&ear).lost + last(&ear).late, 0, 12);
    assert_int_equal(last(&ear).garbage, 0);
    ear_free(&ear);
}

static void receiver__survives__unsteady_pulls(void **state)
{
    (void)state;
    struct ear ear;
    struct line_profile line = {.delay_ms = 5};
    struct line_call call = ear_call(&ear, 700, &line);
    call.pull_jitter_ms = 15; /* a speaker that asks when it likes */
    ear_listen(&call);
    struct psst_receiver_stats before = ear.stats[200];
    assert_in_range(last(&ear).concealed - before.concealed, 0, 10);
    assert_in_range(last(&ear).held_ms, 0, 45);
    ear_free(&ear);
}

static void receiver__gives_the_same__same_seed(void **state)
{
    (void)state;
    struct ear a, b;
    struct line_profile line = {.delay_ms = 30, .jitter_ms = 60, .loss = 0.1};
    struct line_call call = ear_call(&a, 150, &line);
    ear_listen(&call);
    call = ear_call(&b, 150, &line);
    ear_listen(&call);
    assert_memory_equal(a.heard, b.heard, 150 * PSST_VOICE_FRAME_SAMPLES * sizeof *a.heard);
    ear_free(&a);
    ear_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(receiver__adds_half_a_frame__good_line),
        cmocka_unit_test(receiver__waits_for_no_whole_frame__device_that_pulls_little),
        cmocka_unit_test(receiver__waits_for_98_of_100__jitter),
        cmocka_unit_test(receiver__waits_for_98_of_100__jitter_and_small_pulls),
        cmocka_unit_test(receiver__recovers_most__fec_and_loss),
        cmocka_unit_test(receiver__drops_doubled_frames),
        cmocka_unit_test(receiver__is_back_at_its_delay__outage_that_loses),
        cmocka_unit_test(receiver__is_back_at_its_delay__outage_that_holds),
        cmocka_unit_test(receiver__follows_the_clock__ten_minutes),
        cmocka_unit_test(receiver__goes_on_speaking__clock_drifts),
        cmocka_unit_test(receiver__hears_everything__timestamps_wrap),
        cmocka_unit_test(receiver__survives__unsteady_pulls),
        cmocka_unit_test(receiver__gives_the_same__same_seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
