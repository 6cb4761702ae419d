/* The receiving half of a call: frames and pulls in any order.
 *
 * input: u8 how || steps
 *   how, bit 0: time goes on only with pulls, 20 ms each, and then never more than 500 ms are held
 *        bit 1: they come in pieces of 5 ms
 *   a step: u8, its low three bits say what, the other five are n
 *     0 pull                    1 n + 1 pulls
 *     2 the next genuine frame  3 a genuine frame, n - 16 frames off
 *     4 the next frame: 1 byte of Opus's head, u8 length, so many bytes
 *     5 u32 timestamp, u8 length, so many bytes
 *     6 a frame that holds nothing, n - 16 frames off
 *     7 time: u16 ms, times n
 */
#include "fuzz.h"

#include "media/codec.h"
#include "media/receiver.h"

#define GENUINE   50
#define BYTES     80
#define PULLS_MAX 400
#define FRAME     PSST_VOICE_FRAME_SAMPLES

static uint8_t genuine[GENUINE][PSST_VOICE_OPUS_MAX];

static void make_genuine(void)
{
    static bool done;
    struct psst_encoder *encoder;
    if (done) return;
    done = true;
    FUZZ_CHECK(psst_encoder_new(&encoder) == PSST_OK);
    psst_encoder_set(encoder, BYTES, 20);
    for (size_t n = 0; n < GENUINE; n++) {
        int16_t pcm[FRAME];
        size_t len;
        for (size_t i = 0; i < FRAME; i++) /* a saw of 150 Hz whose loudness changes: voice enough for FEC */
            pcm[i] = (int16_t)(((int)((n * FRAME + i) % 320 * 50) - 8000) / (int)(1 + n % 7));
        FUZZ_CHECK(psst_encoder_frame(encoder, pcm, genuine[n], &len) == PSST_OK && len == BYTES);
    }
    psst_encoder_free(encoder);
}

struct world {
    struct psst_receiver *receiver;
    bool steady, in_pieces;
    uint64_t now;
    uint32_t frame;
    unsigned pulls; /* PULLS_MAX: no more of them, so that an input takes milliseconds */
};

static void put(struct world *w, uint32_t frame, struct psst_view payload)
{
    psst_receiver_put(w->receiver, frame * FRAME, payload, w->now);
}

static void pull(struct world *w)
{
    int16_t pcm[FRAME];
    if (w->pulls++ >= PULLS_MAX) return;
    const size_t piece = w->in_pieces ? FRAME / 4 : FRAME;
    for (size_t at = 0; at < FRAME; at += piece) {
        psst_receiver_pull(w->receiver, pcm + at, piece, w->now);
        w->now += PSST_VOICE_FRAME_NS * piece / FRAME;
    }
    struct psst_receiver_stats s = psst_receiver_stats(w->receiver);
    FUZZ_CHECK(s.recovered + s.concealed <= s.lost + s.late);
    if (w->steady) FUZZ_CHECK(s.held_ms <= PSST_RECEIVER_HELD_MAX_MS);
}

static void step(struct world *w, struct psst_view *input)
{
    uint8_t byte = fuzz_take_u8(input), head[4], odd[256] = {0};
    uint32_t n = byte >> 3;
    size_t len;
    struct psst_view body;
    switch (byte & 7) {
    case 0: pull(w); break;
    case 1:
        for (uint32_t i = 0; i <= n; i++) pull(w);
        break;
    case 2:
        put(w, w->frame, psst_view(genuine[w->frame % GENUINE], BYTES));
        w->frame++;
        break;
    case 3: put(w, w->frame + n - 16, psst_view(genuine[(w->frame + n) % GENUINE], BYTES)); break;
    case 4:
        odd[0] = fuzz_take_u8(input);
        len = fuzz_take_u8(input);
        body = fuzz_take_view(input, len);
        if (body.len > 0) memcpy(odd + 1, body.data, body.len);
        put(w, w->frame++, psst_view(odd, len + 1));
        break;
    case 5:
        fuzz_take(input, head, sizeof head);
        len = fuzz_take_u8(input);
        psst_receiver_put(w->receiver, psst_load_u32(head), fuzz_take_view(input, len), w->now);
        break;
    case 6: put(w, w->frame + n - 16, psst_view(NULL, 0)); break;
    default:
        len = fuzz_take_u16(input);
        if (!w->steady) w->now += UINT64_C(1000000) * len * n;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_init();
    make_genuine();
    struct psst_view input = psst_view(data, size);
    struct world w = {.now = 1000000000, .frame = 0xfffffff0 / FRAME};
    const uint8_t how = fuzz_take_u8(&input);
    w.steady = (how & 1) != 0;
    w.in_pieces = (how & 2) != 0;
    FUZZ_CHECK(psst_receiver_new(&w.receiver) == PSST_OK);
    for (size_t steps = 0; input.len > 0 && steps < 1000 && w.pulls < PULLS_MAX; steps++) step(&w, &input);
    psst_receiver_free(w.receiver);
    return 0;
}
