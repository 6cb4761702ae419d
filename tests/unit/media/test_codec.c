/* Opus behind its few calls: sizes that do not vary, what is refused, what FEC brings back. */
#include "media/codec.h"

#include "sound.h"
#include "support/check.h"

#include <stdlib.h>

#define FRAME PSST_VOICE_FRAME_SAMPLES

struct pair {
    struct psst_encoder *encoder;
    struct psst_decoder *decoder;
};

static int new_pair(void **state)
{
    struct pair *p = calloc(1, sizeof *p);
    *state = p;
    return p == NULL || psst_encoder_new(&p->encoder) != PSST_OK || psst_decoder_new(&p->decoder) != PSST_OK;
}

static int free_pair(void **state)
{
    struct pair *p = *state;
    psst_encoder_free(p->encoder);
    psst_decoder_free(p->decoder);
    free(p);
    return 0;
}

static size_t encode(struct pair *p, size_t n, uint8_t out[PSST_VOICE_OPUS_MAX])
{
    int16_t pcm[FRAME];
    size_t len = 0;
    sound_speech(pcm, FRAME, -20, n * FRAME);
    assert_ok(psst_encoder_frame(p->encoder, pcm, out, &len));
    return len;
}

static void encoder__gives_one_size__speech_and_silence(void **state)
{
    struct pair *p = *state;
    uint8_t out[PSST_VOICE_OPUS_MAX];
    int16_t silence[FRAME] = {0};
    size_t len;
    for (unsigned quality = 0; quality <= PSST_VOICE_QUALITY_MAX; quality++) {
        for (unsigned loss = 0; loss <= 20; loss += 10) {
            psst_encoder_set(p->encoder, psst_voice_opus_bytes(quality), loss);
            for (size_t n = 0; n < 15; n++) {
                assert_int_equal(encode(p, n, out), psst_voice_opus_bytes(quality));
                assert_true(psst_decoder_accepts(psst_view(out, psst_voice_opus_bytes(quality))));
            }
            assert_ok(psst_encoder_frame(p->encoder, silence, out, &len));
            assert_int_equal(len, psst_voice_opus_bytes(quality));
        }
    }
    psst_encoder_set(p->encoder, PSST_VOICE_OPUS_MAX, 0); /* more than libopus makes for one channel */
    assert_int_equal(encode(p, 0, out), PSST_VOICE_OPUS_MAX);
    assert_true(psst_decoder_accepts(psst_view(out, PSST_VOICE_OPUS_MAX)));
}

static void decoder__refuses__what_is_not_20_ms(void **state)
{
    struct pair *p = *state;
    static const uint8_t toc[] = {0x00, 0x10, 0x18, 0x60, 0x80, 0x88, 0x90}; /* 10, 40, 60, 10, 2.5, 5, 10 ms */
    uint8_t packet[100] = {0};
    int16_t pcm[FRAME];
    assert_false(psst_decoder_accepts(psst_view(NULL, 0)));
    for (size_t i = 0; i < sizeof toc; i++) {
        packet[0] = toc[i];
        assert_false(psst_decoder_accepts(psst_view(packet, sizeof packet)));
        assert_err(PSST_ERR_MALFORMED, psst_decoder_frame(p->decoder, psst_view(packet, sizeof packet), pcm));
    }
    packet[0] = 0x08; /* 20 ms, one frame */
    assert_true(psst_decoder_accepts(psst_view(packet, sizeof packet)));
    packet[0] = 0x09; /* two of them */
    assert_false(psst_decoder_accepts(psst_view(packet, sizeof packet)));
    packet[0] = 0x0b; /* a count of frames, 48 */
    packet[1] = 48;
    assert_false(psst_decoder_accepts(psst_view(packet, sizeof packet)));
    static const uint8_t large[PSST_VOICE_OPUS_MAX + 1] = {0x08};
    assert_false(psst_decoder_accepts(psst_view(large, sizeof large)));
}

/* What the decoder makes of frames 0 to 39, of which 20 is missing; how like the original is frame 20? */
static double likeness_of_lost(struct pair *p, unsigned fec, bool *recovered)
{
    static uint8_t packets[40][PSST_VOICE_OPUS_MAX];
    static int16_t said[40 * FRAME], heard[41 * FRAME];
    size_t bytes = psst_voice_opus_bytes(6);
    psst_encoder_set(p->encoder, bytes, fec);
    sound_speech(said, 40 * FRAME, -20, 0);
    for (size_t n = 0; n < 40; n++) (void)encode(p, n, packets[n]);
    for (size_t n = 0; n < 40; n++) {
        struct psst_view view = psst_view(packets[n], bytes);
        if (n == 23)
            *recovered = psst_decoder_recover(p->decoder, psst_view(packets[n + 1], bytes), heard + n * FRAME);
        else
            assert_ok(psst_decoder_frame(p->decoder, view, heard + n * FRAME));
    }
    double best = -1;
    for (size_t delay = 0; delay < 480; delay++) { /* the codec's own */
        double is = sound_correlation(said + 23 * FRAME, heard + 23 * FRAME + delay, FRAME / 2);
        if (is > best) best = is;
    }
    return best;
}

static void decoder__recovers_the_lost_frame__from_fec(void **state)
{
    bool recovered = false;
    double with = likeness_of_lost(*state, 20, &recovered);
    assert_true(recovered);
    assert_true(with > 0.8);
}

static void decoder__says_that_it_concealed__without_fec(void **state)
{
    bool recovered = true;
    (void)likeness_of_lost(*state, 0, &recovered);
    assert_false(recovered);
}

static void decoder__goes_on_from_the_copy(void **state)
{
    struct pair *p = *state;
    struct psst_decoder *other;
    uint8_t out[PSST_VOICE_OPUS_MAX];
    int16_t a[FRAME], b[FRAME];
    assert_ok(psst_decoder_new(&other));
    for (size_t n = 0; n < 10; n++) {
        size_t len = encode(p, n, out);
        assert_ok(psst_decoder_frame(p->decoder, psst_view(out, len), a));
    }
    psst_decoder_copy(other, p->decoder);
    psst_decoder_conceal(p->decoder, a);
    psst_decoder_conceal(p->decoder, a);
    size_t len = encode(p, 10, out);
    psst_decoder_copy(p->decoder, other);
    assert_ok(psst_decoder_frame(p->decoder, psst_view(out, len), a));
    assert_ok(psst_decoder_frame(other, psst_view(out, len), b));
    assert_memory_equal(a, b, sizeof a);
    psst_decoder_free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(encoder__gives_one_size__speech_and_silence, new_pair, free_pair),
        cmocka_unit_test_setup_teardown(decoder__refuses__what_is_not_20_ms, new_pair, free_pair),
        cmocka_unit_test_setup_teardown(decoder__recovers_the_lost_frame__from_fec, new_pair, free_pair),
        cmocka_unit_test_setup_teardown(decoder__says_that_it_concealed__without_fec, new_pair, free_pair),
        cmocka_unit_test_setup_teardown(decoder__goes_on_from_the_copy, new_pair, free_pair),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
