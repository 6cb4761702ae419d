#include "line.h"

#include <math.h>
#include <stdlib.h>

#define FRAME PSST_VOICE_FRAME_SAMPLES

void line_init(struct line *line, const struct line_profile *profile, uint64_t seed)
{
    memset(line, 0, sizeof *line);
    line->profile = *profile;
    line->random = seed * 1000003 + 17;
}

double line_random(struct line *line)
{
    uint64_t z = line->random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (double)((z ^ z >> 31) >> 11) / 9007199254740992.0;
}

static double jitter(struct line *line)
{
    const struct line_profile *p = &line->profile;
    double a = line_random(line), b = line_random(line);
    if (p->kind == LINE_UNIFORM) return a * p->jitter_ms;
    if (p->kind == LINE_EXPONENTIAL) return -log(1 - a) * p->jitter_ms;
    double g = p->jitter_ms * sqrt(-2 * log(1 - a)) * cos(6.283185307179586 * b);
    return g < -p->delay_ms ? -p->delay_ms : g;
}

static bool lost(struct line *line)
{
    const struct line_profile *p = &line->profile;
    double draw = line_random(line);
    if (p->burst <= 1) return draw < p->loss;
    double leave = 1 / p->burst, enter = leave * p->loss / (1 - p->loss);
    line->bad = line->bad ? draw >= leave : draw < enter;
    return line->bad;
}

static void add(struct line *line, double at_ms, uint32_t timestamp, const void *payload, size_t len)
{
    if (line->count == LINE_WAITING || len > sizeof line->waiting[0].payload) abort();
    size_t i = line->count++;
    for (; i > 0 && line->waiting[i - 1].at_ms > at_ms; i--) line->waiting[i] = line->waiting[i - 1];
    line->waiting[i].at_ms = at_ms;
    line->waiting[i].timestamp = timestamp;
    line->waiting[i].len = len;
    if (len > 0) memcpy(line->waiting[i].payload, payload, len);
}

void line_send(struct line *line, double now_ms, uint32_t timestamp, const void *payload, size_t len)
{
    const struct line_profile *p = &line->profile;
    double at = now_ms + p->delay_ms + jitter(line), again = line_random(line);
    bool gone = lost(line);
    if (now_ms >= p->outage_from_ms && now_ms < p->outage_to_ms) {
        if (!p->outage_holds) return;
        if (at < p->outage_to_ms) at = p->outage_to_ms;
    }
    if (gone) return;
    add(line, at, timestamp, payload, len);
    if (again < p->doubled) add(line, at + 5, timestamp, payload, len);
}

bool line_receive(struct line *line, double now_ms, struct line_frame *out)
{
    if (line->count == 0 || line->waiting[0].at_ms > now_ms) return false;
    *out = line->waiting[0];
    line->count--;
    memmove(line->waiting, line->waiting + 1, line->count * sizeof line->waiting[0]);
    return true;
}

#define LOOP_MAX 500

/* What was encoded for the call before is good for the next one that says the same. */
static struct {
    size_t frames, bytes;
    unsigned fec;
    uint8_t payload[LOOP_MAX][300];
} loop;

struct sender {
    const struct line_call *call;
    struct line *line;
    struct psst_encoder *encoder;
};

static void send(struct sender *s, size_t n, double now_ms)
{
    const struct line_call *call = s->call;
    int16_t pcm[FRAME];
    uint8_t payload[PSST_VOICE_OPUS_MAX + 8];
    size_t len = 0;
    uint32_t timestamp = call->timestamp + (uint32_t)n * FRAME;
    if (call->loop > 0) {
        len = call->bytes;
        memcpy(payload, loop.payload[n % call->loop], len);
    } else if (call->say != NULL) {
        call->say(call->ctx, n, pcm);
        if (psst_encoder_frame(s->encoder, pcm, payload, &len) != PSST_OK) abort();
    }
    if (call->bend != NULL) call->bend(call->ctx, n, &timestamp, payload, &len);
    line_send(s->line, now_ms, timestamp, payload, len);
}

static void encode_loop(const struct line_call *call, struct psst_encoder *encoder)
{
    if (call->loop > LOOP_MAX || call->bytes > sizeof loop.payload[0]) abort();
    if (loop.frames == call->loop && loop.bytes == call->bytes && loop.fec == call->fec) return;
    for (size_t n = 0; n < call->loop; n++) {
        int16_t pcm[FRAME];
        size_t len;
        call->say(call->ctx, n, pcm);
        if (psst_encoder_frame(encoder, pcm, loop.payload[n], &len) != PSST_OK) abort();
    }
    loop.frames = call->loop;
    loop.bytes = call->bytes;
    loop.fec = call->fec;
}

void line_play(const struct line_call *call)
{
    struct line *line = calloc(1, sizeof *line), chance = {0};
    struct line_frame *frame = calloc(1, sizeof *frame);
    struct sender *sender = calloc(1, sizeof *sender);
    struct psst_encoder *encoder = NULL;
    struct psst_receiver *receiver = NULL;
    if (line == NULL || frame == NULL || sender == NULL || psst_encoder_new(&encoder) != PSST_OK ||
        psst_receiver_new(&receiver) != PSST_OK)
        abort();
    psst_encoder_set(encoder, call->bytes, call->fec);
    if (call->loop > 0) encode_loop(call, encoder);
    line_init(line, &call->profile, call->seed);
    chance.random = call->seed;
    *sender = (struct sender){.call = call, .line = line, .encoder = encoder};
    double every_ms = 20 / (1 + call->profile.drift_ppm / 1e6);
    size_t sent = 0, piece = call->piece > 0 ? call->piece : FRAME, at = 0;
    int16_t pcm[FRAME];
    for (size_t samples = 0; samples < call->frames * FRAME; samples += piece) {
        double now_ms = call->phase_ms + (double)samples / 48 + line_random(&chance) * call->pull_jitter_ms;
        for (; (double)sent * every_ms <= now_ms; sent++) send(sender, sent, (double)sent * every_ms);
        while (line_receive(line, now_ms, frame))
            psst_receiver_put(receiver, frame->timestamp, psst_view(frame->payload, frame->len),
                              (uint64_t)(frame->at_ms * 1e6) + 1000000000);
        psst_receiver_pull(receiver, pcm + at, piece, (uint64_t)(now_ms * 1e6) + 1000000000);
        at = (at + piece) % FRAME;
        if (at == 0) call->hear(call->ctx, samples / FRAME, now_ms - (double)(FRAME - piece) / 48, pcm, receiver);
    }
    psst_encoder_free(encoder);
    psst_receiver_free(receiver);
    free(line);
    free(frame);
    free(sender);
}
