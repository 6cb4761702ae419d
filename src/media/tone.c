#include "media/tone.h"

#include <math.h>

#define EDGE_SAMPLES (PSST_VOICE_HZ / 100) /* 10 ms up, 10 ms down: a note without a click */
#define PEAK         (0.20f * 32767.0f)    /* -14 dBFS: heard, and nobody is startled */
#define HALF_TURN    3.14159265358979323846f

struct note {
    uint16_t from_ms, ms, hz;
};

struct melody {
    const struct note *notes;
    unsigned n;
    uint16_t period_ms;
    bool once;
};

static const struct note ring[] = {{0, 160, 659},   {160, 160, 880}, {320, 160, 659},
                                   {480, 160, 880}, {640, 160, 659}, {800, 200, 880}};
static const struct note ringback[] = {{0, 1000, 425}};
static const struct note record[] = {{0, 250, 1000}};

#define NOTES(x) (x), sizeof(x) / sizeof *(x)

static const struct melody melodies[] = {
    [PSST_TONE_RING] = {NOTES(ring), 4000, false},
    [PSST_TONE_RINGBACK] = {NOTES(ringback), 5000, false},
    [PSST_TONE_RECORD] = {NOTES(record), 300, true},
};

static uint32_t samples_of(uint16_t ms)
{
    return ms * (uint32_t)(PSST_VOICE_HZ / 1000);
}

/* The raised cosine at both ends of a note of n samples. */
static float envelope(uint32_t at, uint32_t n)
{
    uint32_t edge = n - at < at ? n - at : at;
    if (edge >= EDGE_SAMPLES) return 1;
    return 0.5f - 0.5f * cosf(HALF_TURN * (float)edge / EDGE_SAMPLES);
}

static float sample_at(const struct melody *melody, uint32_t at)
{
    float sum = 0;
    for (unsigned i = 0; i < melody->n; i++) {
        const struct note *note = &melody->notes[i];
        uint32_t from = samples_of(note->from_ms), n = samples_of(note->ms);
        if (at < from || at >= from + n) continue;
        uint32_t turn = (at - from) * note->hz % PSST_VOICE_HZ; /* exact, however long the note is */
        sum += envelope(at - from, n) * sinf(2 * HALF_TURN * (float)turn / PSST_VOICE_HZ);
    }
    return sum;
}

void psst_tone_init(struct psst_tone *tone, enum psst_tone_kind kind)
{
    *tone = (struct psst_tone){.kind = kind};
}

bool psst_tone_frame(struct psst_tone *tone, int16_t pcm[PSST_VOICE_FRAME_SAMPLES])
{
    const struct melody *melody = &melodies[tone->kind];
    uint32_t period = samples_of(melody->period_ms);
    bool over = melody->once && tone->at_samples >= period;
    for (unsigned i = 0; i < PSST_VOICE_FRAME_SAMPLES; i++) {
        bool sounds = tone->at_samples < period;
        pcm[i] = sounds ? (int16_t)lrintf(PEAK * sample_at(melody, tone->at_samples)) : 0;
        if (sounds) tone->at_samples++;
        if (!melody->once && tone->at_samples >= period) tone->at_samples = 0;
    }
    return !over;
}
