#include "ear.h"

#include <math.h>
#include <stdlib.h>

#define FRAME   PSST_VOICE_FRAME_SAMPLES
#define COARSE  12 /* 4 kHz */
#define WINDOW  (19200 / COARSE)
#define LATEST  (28800 / COARSE) /* 600 ms */
#define SAYINGS 250

static int16_t voice[SAYINGS * FRAME]; /* what all calls say */

static void say(void *ctx, size_t n, int16_t pcm[FRAME])
{
    (void)ctx;
    memcpy(pcm, voice + n % SAYINGS * FRAME, FRAME * sizeof *pcm);
}

static void hear(void *ctx, size_t n, double now_ms, const int16_t pcm[FRAME], const struct psst_receiver *receiver)
{
    struct ear *ear = ctx;
    memcpy(ear->heard + n * FRAME, pcm, FRAME * sizeof *pcm);
    ear->stats[n] = psst_receiver_stats(receiver);
    ear->at_ms[n] = now_ms;
}

struct line_call ear_call(struct ear *ear, size_t frames, const struct line_profile *profile)
{
    ear->frames = frames;
    ear->heard = calloc(frames * FRAME, sizeof *ear->heard);
    ear->stats = calloc(frames, sizeof *ear->stats);
    ear->at_ms = calloc(frames, sizeof *ear->at_ms);
    if (ear->heard == NULL || ear->stats == NULL || ear->at_ms == NULL) abort();
    return (struct line_call){
        .profile = *profile,
        .seed = 1,
        .bytes = psst_voice_opus_bytes(6),
        .phase_ms = 7.3,
        .timestamp = 123456789,
        .frames = frames,
        .loop = SAYINGS,
        .say = say,
        .hear = hear,
        .ctx = ear,
    };
}

/* A voice that glides between 90 and 190 Hz, so that no two moments are alike, in syllables, with a pause in every fifth. */
static void speak(int16_t *pcm, size_t n)
{
    const double turn = 6.283185307179586;
    for (size_t i = 0; i < n; i++) {
        double t = (double)i / PSST_VOICE_HZ, syllable = t * 5, into = syllable - floor(syllable), sum = 0;
        double phase = turn * 140 * t - 50 / 1.3 * cos(turn * 1.3 * t);
        if (fmod(floor(syllable), 5) < 4)
            for (int h = 1; h <= 20; h++)
                sum += sin(h * phase) / (1 + pow((140 * h - 500 - 300 * sin(turn * 0.7 * t)) / 200, 2));
        pcm[i] = (int16_t)(6000 * sum * sin(turn / 2 * into));
    }
}

void ear_listen(const struct line_call *call)
{
    static bool spoken;
    if (!spoken) speak(voice, SAYINGS * FRAME);
    spoken = true;
    line_play(call);
}

void ear_free(struct ear *ear)
{
    free(ear->heard);
    free(ear->stats);
    free(ear->at_ms);
}

/* As much as 4 kHz can hold of the samples from `at` on; what is higher would come back as noise. */
static double low(const int16_t *pcm)
{
    double sum = 0;
    for (size_t i = 0; i < COARSE; i++) sum += pcm[i];
    return sum;
}

/* at: at 4 kHz, of what is said without end */
static double said_at(int64_t at)
{
    int64_t all = SAYINGS * FRAME / COARSE;
    return at < 0 ? 0 : low(voice + at % all * COARSE);
}

double ear_delay_ms(const struct ear *ear, size_t n, double *likeness)
{
    double heard[WINDOW], said[WINDOW + LATEST], loud = 0, other = 0, best = 0;
    int64_t from = (int64_t)(n * FRAME / COARSE), best_late = 0;
    for (int64_t i = 0; i < WINDOW; i++) {
        heard[i] = low(ear->heard + (from + i) * COARSE);
        loud += heard[i] * heard[i];
    }
    for (int64_t i = 0; i < WINDOW + LATEST; i++) said[i] = said_at(from - LATEST + i);
    for (int64_t i = 0; i < WINDOW; i++) other += said[LATEST + i] * said[LATEST + i];
    for (int64_t late = 0; late < LATEST; late++) {
        double both = 0;
        const double *s = said + LATEST - late;
        for (int64_t i = 0; i < WINDOW; i++) both += heard[i] * s[i];
        if (late > 0) other += s[0] * s[0] - s[WINDOW] * s[WINDOW];
        double is = loud > 0 && other > 0 ? both / sqrt(loud * other) : 0;
        if (is > best) {
            best = is;
            best_late = late;
        }
    }
    *likeness = best;
    return (double)best_late * 1000 * COARSE / PSST_VOICE_HZ + ear->at_ms[n] - (double)n * 20;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

double ear_median_ms(const struct ear *ear, size_t from, size_t to, double *found)
{
    double delays[64];
    size_t count = 0, asked = 0, step = (to - from) / 16 > 0 ? (to - from) / 16 : 1;
    for (size_t n = from; n < to && n + 20 <= ear->frames && count < 64; n += step) {
        double likeness, delay = ear_delay_ms(ear, n, &likeness);
        asked++;
        if (likeness > 0.6) delays[count++] = delay;
    }
    *found = asked > 0 ? (double)count / (double)asked : 0;
    if (count == 0) return -1;
    qsort(delays, count, sizeof delays[0], compare);
    return delays[count / 2];
}
