/* What a peer may send: garbage, jumps, restarts, floods, nothing. The receiver stays bounded and finds back by itself. */
#include "ear.h"
#include "support/check.h"

#include <math.h>
#include <stdlib.h>

#define FRAME PSST_VOICE_FRAME_SAMPLES

static struct psst_receiver_stats last(const struct ear *ear)
{
    return ear->stats[ear->frames - 1];
}

static double loudness(const struct ear *ear, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < FRAME; i++) sum += fabs((double)ear->heard[n * FRAME + i]);
    return sum / FRAME;
}

/* Listens to 400 frames, bent on their way. */
static void listen(struct ear *ear, void (*bend)(void *, size_t, uint32_t *, uint8_t *, size_t *))
{
    struct line_profile line = {.delay_ms = 30, .jitter_ms = 5};
    struct line_call call = ear_call(ear, 400, &line);
    call.bend = bend;
    ear_listen(&call);
    for (size_t n = 0; n < 400; n++) assert_in_range(ear->stats[n].held_ms, 0, PSST_RECEIVER_HELD_MAX_MS);
}

static double heard_share(const struct ear *ear, size_t from)
{
    double found;
    (void)ear_median_ms(ear, from, 380, &found);
    return found;
}

static void no_sound(void *ctx, size_t n, uint32_t *timestamp, uint8_t *payload, size_t *len)
{
    (void)ctx, (void)timestamp, (void)payload;
    if (n >= 100 && n < 150) *len = 0;
}

static void receiver__plays_silence__frames_that_hold_nothing(void **state)
{
    (void)state;
    struct ear ear;
    listen(&ear, no_sound);
    for (size_t n = 110; n < 145; n++) assert_true(loudness(&ear, n) < 1);
    assert_int_equal(last(&ear).lost + last(&ear).concealed, 0);
    assert_int_equal(last(&ear).received, 400 - 2);
    assert_true(heard_share(&ear, 170) > 0.9);
    ear_free(&ear);
}

static void one_jump(void *ctx, size_t n, uint32_t *timestamp, uint8_t *payload, size_t *len)
{
    (void)ctx, (void)payload, (void)len;
    if (n % 100 == 50) *timestamp += 1000000000;
    if (n % 100 == 70) *timestamp += 500;
}

static void receiver__passes_over__single_jumps(void **state)
{
    (void)state;
    struct ear ear;
    listen(&ear, one_jump);
    assert_int_equal(last(&ear).garbage, 8);
    assert_int_equal(last(&ear).lost, 8);
    assert_true(heard_share(&ear, 60) > 0.9);
    ear_free(&ear);
}

static void wild(void *ctx, size_t n, uint32_t *timestamp, uint8_t *payload, size_t *len)
{
    static uint64_t z;
    (void)ctx, (void)payload, (void)len;
    if (n < 100 || n >= 250) return;
    z = z * UINT64_C(6364136223846793005) + 1442695040888963407;
    *timestamp = (uint32_t)(z >> 33) << 1;
}

static void receiver__finds_back__wild_timestamps(void **state)
{
    (void)state;
    struct ear ear;
    listen(&ear, wild);
    assert_true(last(&ear).garbage >= 120);
    assert_true(heard_share(&ear, 290) > 0.9);
    ear_free(&ear);
}

static int64_t shift;

static void restarted(void *ctx, size_t n, uint32_t *timestamp, uint8_t *payload, size_t *len)
{
    (void)ctx, (void)payload, (void)len;
    if (n >= 150) *timestamp += (uint32_t)shift;
}

static void receiver__hears_again__sender_restarted_elsewhere(void **state)
{
    (void)state;
    static const int64_t shifts[] = {INT32_MAX, -1000000, 1000000, 417, -FRAME * 60, FRAME * 60, -FRAME * 5, FRAME * 5};
    for (size_t i = 0; i < sizeof shifts / sizeof shifts[0]; i++) {
        struct ear ear;
        shift = shifts[i];
        listen(&ear, restarted);
        double found, delay = ear_median_ms(&ear, 220, 380, &found);
        assert_true(found > 0.9);
        assert_true(delay < 100 || shift == FRAME * 5); /* which looks like a quicker line, until 8 s have gone by */
        ear_free(&ear);
    }
}

static void creeping(void *ctx, size_t n, uint32_t *timestamp, uint8_t *payload, size_t *len)
{
    (void)ctx, (void)payload, (void)len;
    *timestamp += (uint32_t)(n * 7 * FRAME); /* as if he spoke eight times as fast */
}

static void receiver__holds_no_more__timestamps_that_run_ahead(void **state)
{
    (void)state;
    struct ear ear;
    listen(&ear, creeping);
    ear_free(&ear);
}

static void garbage(void *ctx, size_t n, uint32_t *timestamp, uint8_t *payload, size_t *len)
{
    (void)ctx, (void)timestamp;
    if (n % 4 == 1) payload[0] = 0x18; /* SILK, 60 ms */
    if (n % 4 == 2)                    /* well formed, and nonsense */
        for (size_t i = 1; i < *len; i++) payload[i] = (uint8_t)(n * i * 31);
    if (n % 4 == 3) *len = PSST_VOICE_OPUS_MAX + 1;
}

static void receiver__drops__what_is_no_opus_of_20_ms(void **state)
{
    (void)state;
    struct ear ear;
    listen(&ear, garbage);
    assert_int_equal(last(&ear).garbage, 200 - 1);
    ear_free(&ear);
}

/* ---- by hand, without a line ---- */

static const uint8_t packet[] = {0x08, 0x0b, 0xe4, 0xc1, 0x36, 0xec, 0xc5, 0x80};

static int new_receiver(void **state)
{
    return psst_receiver_new((struct psst_receiver **)state) != PSST_OK;
}

static int free_receiver(void **state)
{
    psst_receiver_free(*state);
    return 0;
}

static void put(struct psst_receiver *r, uint32_t frame, uint64_t ms)
{
    psst_receiver_put(r, frame * FRAME, psst_view(packet, sizeof packet), ms * 1000000);
}

static void receiver__is_silent__nothing_came(void **state)
{
    int16_t pcm[FRAME], zeros[FRAME] = {0};
    for (uint64_t n = 0; n < 20; n++) {
        memset(pcm, 1, sizeof pcm);
        psst_receiver_pull(*state, pcm, PSST_VOICE_FRAME_SAMPLES, n * 20000000);
        assert_memory_equal(pcm, zeros, sizeof pcm);
    }
    struct psst_receiver_stats s = psst_receiver_stats(*state);
    assert_int_equal(s.lost + s.concealed + s.received + s.loss_256 + s.held_ms + s.target_ms, 0);
}

static void receiver__holds_half_a_second__nobody_pulls(void **state)
{
    int16_t pcm[FRAME];
    uint64_t ms = 1000;
    uint32_t n = 0;
    for (; n < 100; n++, ms += 20) {
        put(*state, n, ms);
        psst_receiver_pull(*state, pcm, PSST_VOICE_FRAME_SAMPLES, (ms + 5) * 1000000);
    }
    for (; n < 250; n++, ms += 20) put(*state, n, ms); /* 3 s: the speaker stands still */
    for (; n < 500; n++, ms += 20) {
        put(*state, n, ms);
        psst_receiver_pull(*state, pcm, PSST_VOICE_FRAME_SAMPLES, (ms + 5) * 1000000);
        assert_in_range(psst_receiver_stats(*state).held_ms, 0, PSST_RECEIVER_HELD_MAX_MS);
        if (n > 320) assert_in_range(psst_receiver_stats(*state).held_ms, 0, 60);
    }
}

static void receiver__keeps_time__everything_at_once(void **state)
{
    int16_t pcm[FRAME];
    for (uint32_t n = 0; n < 1000; n++) put(*state, n, 1000);
    for (uint64_t n = 0; n < 100; n++) {
        psst_receiver_pull(*state, pcm, PSST_VOICE_FRAME_SAMPLES, (1000 + n * 20) * 1000000);
        assert_in_range(psst_receiver_stats(*state).held_ms, 0, PSST_RECEIVER_HELD_MAX_MS);
    }
}

static void receiver__survives__a_clock_that_stands_or_leaps(void **state)
{
    int16_t pcm[FRAME];
    static const uint64_t times[] = {0, 0, UINT64_MAX, 5, UINT64_C(1) << 62, 1000000000, 1000000000};
    for (uint32_t n = 0; n < 700; n++) {
        psst_receiver_put(*state, n * FRAME, psst_view(packet, sizeof packet), times[n / 100]);
        psst_receiver_pull(*state, pcm, PSST_VOICE_FRAME_SAMPLES, times[n / 100]);
        (void)psst_receiver_stats(*state);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(receiver__plays_silence__frames_that_hold_nothing),
        cmocka_unit_test(receiver__passes_over__single_jumps),
        cmocka_unit_test(receiver__finds_back__wild_timestamps),
        cmocka_unit_test(receiver__hears_again__sender_restarted_elsewhere),
        cmocka_unit_test(receiver__holds_no_more__timestamps_that_run_ahead),
        cmocka_unit_test(receiver__drops__what_is_no_opus_of_20_ms),
        cmocka_unit_test_setup_teardown(receiver__is_silent__nothing_came, new_receiver, free_receiver),
        cmocka_unit_test_setup_teardown(receiver__holds_half_a_second__nobody_pulls, new_receiver, free_receiver),
        cmocka_unit_test_setup_teardown(receiver__keeps_time__everything_at_once, new_receiver, free_receiver),
        cmocka_unit_test_setup_teardown(receiver__survives__a_clock_that_stands_or_leaps, new_receiver, free_receiver),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
