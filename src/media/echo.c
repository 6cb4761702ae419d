#include "media/echo.h"

#include <speex/speex_echo.h>
#include <speex/speex_preprocess.h>

#include <stdlib.h>

#define PIECE_SAMPLES  480 /* 10 ms: the suppressor's windows overlap by one piece, which is its delay */
#define TAIL_SAMPLES   (PSST_VOICE_HZ / 1000 * PSST_ECHO_TAIL_MS)
#define NOISE_DB       (-18) /* more would be heard on the voice */
#define NOISE_STAYS_DB 0
#define QUEUE_SAMPLES  (8 * PSST_VOICE_FRAME_SAMPLES)
#define LOOK_FRAMES    100 /* over so long the queue must have run down */
#define STAYS_SAMPLES  480 /* ... to so much, or to one piece */
#define QUIET_PEAK     16  /* -66 dBFS: the echo of this is lost in the noise of any microphone */
#define REST_FRAMES    (PSST_ECHO_TAIL_MS / 20 + 1) /* after so many of them nothing else is in the tail any more */

struct psst_echo {
    SpeexEchoState *canceller;
    SpeexPreprocessState *suppressor;
    int16_t queue[QUEUE_SAMPLES]; /* a ring: played, not yet paired */
    size_t first, count;
    size_t piece;    /* in which it is played */
    size_t least;    /* the smallest count after pairing */
    unsigned looked; /* ... over so many frames */
    unsigned speech_percent;
    bool cancels, cleans; /* what the suppressor is set to */
    bool begun;           /* with the frame before */
    unsigned quiet;       /* frames in a row of which nothing would be heard */
};

/* ---- the reference ---- */

static void queue_drop(struct psst_echo *echo, size_t n)
{
    echo->first = (echo->first + n) % QUEUE_SAMPLES;
    echo->count -= n;
}

void psst_echo_played(struct psst_echo *echo, const int16_t *pcm, size_t samples)
{
    if (echo->count + samples > QUEUE_SAMPLES) queue_drop(echo, echo->count + samples - QUEUE_SAMPLES);
    const size_t at = (echo->first + echo->count) % QUEUE_SAMPLES, end = QUEUE_SAMPLES - at;
    const size_t n = samples < end ? samples : end;
    memcpy(echo->queue + at, pcm, n * sizeof *pcm);
    memcpy(echo->queue, pcm + n, (samples - n) * sizeof *pcm);
    echo->count += samples;
    echo->piece = samples;
}

/* The reference of this frame of the microphone; silence when the speaker is behind. What waits in the queue comes off the
 * delay in which the echo is looked for, so what has piled up (a microphone that began late, clocks that drift) is dropped.
 * Some may stay: then it does not matter which of the two devices comes first. */
static void queue_take(struct psst_echo *echo, int16_t out[PSST_VOICE_FRAME_SAMPLES])
{
    if (echo->count >= PSST_VOICE_FRAME_SAMPLES) {
        const size_t end = QUEUE_SAMPLES - echo->first;
        const size_t n = end < PSST_VOICE_FRAME_SAMPLES ? end : PSST_VOICE_FRAME_SAMPLES;
        memcpy(out, echo->queue + echo->first, n * sizeof *out);
        memcpy(out + n, echo->queue, (PSST_VOICE_FRAME_SAMPLES - n) * sizeof *out);
        queue_drop(echo, PSST_VOICE_FRAME_SAMPLES);
    } else {
        memset(out, 0, PSST_VOICE_FRAME_SAMPLES * sizeof *out);
    }
    if (echo->looked == 0 || echo->count < echo->least) echo->least = echo->count;
    if (++echo->looked < LOOK_FRAMES) return;
    echo->looked = 0;
    const size_t stays = echo->piece > STAYS_SAMPLES ? echo->piece : STAYS_SAMPLES;
    if (echo->least > stays) queue_drop(echo, echo->least - stays);
}

/* ---- the microphone ---- */

static void set(SpeexPreprocessState *suppressor, int what, int value)
{
    (void)speex_preprocess_ctl(suppressor, what, &value); /* refuses only what it does not know */
}

/* Whether the suppressor is told what is left of the echo. */
static void hear_canceller(struct psst_echo *echo, bool on)
{
    (void)speex_preprocess_ctl(echo->suppressor, SPEEX_PREPROCESS_SET_ECHO_STATE, on ? echo->canceller : NULL);
}

static void suppressor_set(struct psst_echo *echo, bool cancel, bool clean)
{
    /* Without "denoise" speexdsp leaves the rest of the echo in, too: so it is always on, and at 0 dB where noise may stay. */
    set(echo->suppressor, SPEEX_PREPROCESS_SET_NOISE_SUPPRESS, clean ? NOISE_DB : NOISE_STAYS_DB);
    if (!cancel || !echo->cancels) echo->quiet = 0;
    hear_canceller(echo, cancel && echo->quiet <= REST_FRAMES);
    echo->cancels = cancel;
    echo->cleans = clean;
}

enum psst_err psst_echo_new(struct psst_echo **out)
{
    struct psst_echo *echo = calloc(1, sizeof *echo);
    if (echo == NULL) return PSST_ERR_MEMORY;
    echo->canceller = speex_echo_state_init(PIECE_SAMPLES, TAIL_SAMPLES);
    echo->suppressor = speex_preprocess_state_init(PIECE_SAMPLES, PSST_VOICE_HZ);
    if (echo->canceller == NULL || echo->suppressor == NULL) {
        psst_echo_free(echo);
        return PSST_ERR_MEMORY;
    }
    int hz = PSST_VOICE_HZ;
    (void)speex_echo_ctl(echo->canceller, SPEEX_ECHO_SET_SAMPLING_RATE, &hz);
    set(echo->suppressor, SPEEX_PREPROCESS_SET_DENOISE, 1);
    suppressor_set(echo, false, false);
    *out = echo;
    return PSST_OK;
}

void psst_echo_free(struct psst_echo *echo)
{
    if (echo == NULL) return;
    if (echo->suppressor != NULL) speex_preprocess_state_destroy(echo->suppressor);
    if (echo->canceller != NULL) speex_echo_state_destroy(echo->canceller);
    free(echo);
}

/* from becomes to, over the frame, in to. */
static void cross_fade(const int16_t from[PSST_VOICE_FRAME_SAMPLES], int16_t to[PSST_VOICE_FRAME_SAMPLES])
{
    for (int i = 0; i < PSST_VOICE_FRAME_SAMPLES; i++)
        to[i] = (int16_t)((from[i] * (PSST_VOICE_FRAME_SAMPLES - i) + to[i] * i) / PSST_VOICE_FRAME_SAMPLES);
}

static bool is_quiet(const int16_t pcm[PSST_VOICE_FRAME_SAMPLES])
{
    int peak = 0;
    for (int i = 0; i < PSST_VOICE_FRAME_SAMPLES; i++) {
        const int v = pcm[i] < 0 ? -pcm[i] : pcm[i];
        if (v > peak) peak = v;
    }
    return peak <= QUIET_PEAK;
}

/* The canceller is half of what a frame costs, and rests while nothing is played: what it knows of the room is kept, and what
 * it has in its tail then is as quiet as what it misses. */
static void cancel_frame(struct psst_echo *echo, const int16_t raw[PSST_VOICE_FRAME_SAMPLES],
                         const int16_t reference[PSST_VOICE_FRAME_SAMPLES], int16_t out[PSST_VOICE_FRAME_SAMPLES])
{
    const bool rested = echo->quiet > REST_FRAMES;
    echo->quiet = !is_quiet(reference) ? 0 : rested ? echo->quiet : echo->quiet + 1;
    const bool rests = echo->quiet > REST_FRAMES;
    if (rested && rests) return;
    if (rested) hear_canceller(echo, true);
    for (unsigned at = 0; at < PSST_VOICE_FRAME_SAMPLES; at += PIECE_SAMPLES)
        speex_echo_cancellation(echo->canceller, raw + at, reference + at, out + at);
    if (rested) cross_fade(raw, out);
    if (!rests) return;
    int16_t done[PSST_VOICE_FRAME_SAMPLES];
    memcpy(done, out, sizeof done);
    memcpy(out, raw, sizeof done);
    cross_fade(done, out);
    hear_canceller(echo, false);
}

void psst_echo_frame(struct psst_echo *echo, int16_t pcm[PSST_VOICE_FRAME_SAMPLES], bool cancel, bool clean)
{
    int16_t reference[PSST_VOICE_FRAME_SAMPLES], raw[PSST_VOICE_FRAME_SAMPLES];
    bool did = echo->cancels || echo->cleans, does = cancel || clean;
    queue_take(echo, reference);
    echo->speech_percent = 0;
    if (!did && !does) return;
    /* on the way out of both, what was done is done for one frame more */
    if (does && (cancel != echo->cancels || clean != echo->cleans)) suppressor_set(echo, cancel, clean);
    memcpy(raw, pcm, sizeof raw);
    if (echo->cancels) cancel_frame(echo, raw, reference, pcm);
    for (unsigned at = 0; at < PSST_VOICE_FRAME_SAMPLES; at += PIECE_SAMPLES)
        (void)speex_preprocess_run(echo->suppressor, pcm + at);
    int percent = 0;
    (void)speex_preprocess_ctl(echo->suppressor, SPEEX_PREPROCESS_GET_PROB, &percent);
    echo->speech_percent = percent > 0 ? (unsigned)percent : 0;
    /* what is begun anew still has the end of what it did last in its windows: its first frame is not heard */
    const bool second = echo->begun;
    echo->begun = !did;
    if (second && does) cross_fade(raw, pcm);
    if (did && does) return;
    if (did && !second) cross_fade(pcm, raw);
    memcpy(pcm, raw, sizeof raw);
    if (!does) suppressor_set(echo, false, false);
}

unsigned psst_echo_speech_percent(const struct psst_echo *echo)
{
    return echo->speech_percent;
}
