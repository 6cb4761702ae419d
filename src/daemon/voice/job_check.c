/* CHECK: does it all work? A tone, the user's own voice through the very parts that a call has, and back to his ear; then what
 * there is to say about it, in one sentence.
 *
 *     wait: devices -> tone: is the speaker heard in the microphone? -> listen, limit_s: sender -> receiver -> kept
 *                   -> back: what was kept, to the speaker -> DONE
 */
#include "daemon/voice/voice.h"

#include "media/level.h"
#include "media/receiver.h"
#include "media/sender.h"
#include "media/tone.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LIMIT_MAX_S  60
#define WAIT_FRAMES  150
#define ECHO_FRAMES  40 /* from the tone's beginning: what comes back of it does so within these */
#define ECHO_HEARD   5  /* of them with the tone in them: it is heard */
#define TONE_HZ      1000
#define TONE_DBFS    (-60) /* what is quieter, nobody hears */
#define TONE_SHARE   0.5   /* of the frame's power */
#define SILENCE_DBFS (-65)
#define QUIET_DBFS   (-45)
#define CLIPPED_MOST 3  /* frames: a cough */
#define SPEECH_BELOW 15 /* dB under the loudest frame: still speech */

enum phase { WAIT, TONE, LISTEN, BACK, OVER };

struct check {
    struct voice_job job; /* first */
    enum phase phase;
    struct psst_voice_settings settings;
    struct psst_sender *sender;
    struct psst_receiver *receiver;
    struct psst_tone tone;
    unsigned waited, echo_frames, echo_heard, clipped;
    uint32_t timestamp;
    int16_t *kept;             /* limit frames */
    int8_t *levels;            /* of each of them, at the microphone */
    uint32_t limit, n, played; /* frames */
    struct voice_meter meter;
};

/* ---- listening for the tone ---- */

/* Whether most of this frame is the tone: Goertzel's filter at its frequency against the whole. */
static bool hears_tone(const int16_t pcm[PSST_AUDIO_FRAME_SAMPLES])
{
    const double k = 2 * cos(2 * 3.14159265358979323846 * TONE_HZ / PSST_AUDIO_HZ);
    double a = 0, b = 0, power = 0;
    for (size_t i = 0; i < PSST_AUDIO_FRAME_SAMPLES; i++) {
        const double c = pcm[i] + k * a - b;
        b = a;
        a = c;
        power += (double)pcm[i] * pcm[i];
    }
    const double tone = 2 * (a * a + b * b - k * a * b) / PSST_AUDIO_FRAME_SAMPLES;
    return psst_level_dbfs(pcm, PSST_AUDIO_FRAME_SAMPLES) > TONE_DBFS && tone > TONE_SHARE * power;
}

/* ---- the end ---- */

/* Mean power of what was speech. */
static int speech_dbfs(const struct check *check)
{
    int loudest = PSST_VOICE_SILENCE_DBFS;
    for (uint32_t i = 0; i < check->n; i++)
        if (check->levels[i] > loudest) loudest = check->levels[i];
    double sum = 0;
    unsigned n = 0;
    for (uint32_t i = 0; i < check->n; i++) {
        if (check->levels[i] < loudest - SPEECH_BELOW) continue;
        sum += pow(10, check->levels[i] / 10.0);
        n++;
    }
    return n == 0 ? loudest : (int)lround(10 * log10(sum / n));
}

static void over(struct check *check)
{
    check->phase = OVER;
    char words[PSST_VOICE_WORDS_MAX + 1];
    const int level = speech_dbfs(check);
    uint8_t result = 1;
    if (check->n == 0) {
        (void)snprintf(words, sizeof words, "nothing was recorded");
    } else if (level <= SILENCE_DBFS) {
        (void)snprintf(words, sizeof words, "nothing was heard: is the microphone muted?");
    } else if (check->clipped > CLIPPED_MOST) {
        (void)snprintf(words, sizeof words, "too loud: the microphone is cut off; turn it down, or move away from it");
    } else if (check->echo_heard >= ECHO_HEARD) {
        (void)snprintf(words, sizeof words, "your speaker is heard in your microphone: use a headset");
    } else if (level < QUIET_DBFS) {
        (void)snprintf(words, sizeof words, "very quiet, level %d dBFS: turn the microphone up", level);
    } else {
        (void)snprintf(words, sizeof words, "sounds good, level %d dBFS", level);
        result = 0;
    }
    voice_over(check->job.voice, result, words);
}

/* ---- the way there ---- */

static void wait_for_devices(struct check *check)
{
    const struct voice_job *job = &check->job;
    check->waited++;
    if (job->works[PSST_AUDIO_MICROPHONE] && job->works[PSST_AUDIO_SPEAKER]) {
        check->phase = TONE;
    } else if (check->waited > WAIT_FRAMES) {
        const int end = job->works[PSST_AUDIO_MICROPHONE] ? PSST_AUDIO_SPEAKER : PSST_AUDIO_MICROPHONE;
        check->phase = OVER;
        voice_over(job->voice, 1, job->words[end][0] != '\0' ? job->words[end] : "the sound device does not answer");
    }
}

static void listen_frame(struct check *check, const int16_t pcm[PSST_AUDIO_FRAME_SAMPLES], uint64_t now_ns)
{
    uint8_t opus[PSST_VOICE_OPUS_MAX];
    size_t len = 0;
    if (psst_sender_frame(check->sender, pcm, opus, &len) != PSST_OK) len = 0;
    psst_receiver_put(check->receiver, check->timestamp, psst_view(opus, len), now_ns);
    check->timestamp += PSST_AUDIO_FRAME_SAMPLES;
    psst_receiver_pull(check->receiver, check->kept + (size_t)check->n * PSST_AUDIO_FRAME_SAMPLES,
                       PSST_AUDIO_FRAME_SAMPLES, now_ns);

    const struct psst_sender_state state = psst_sender_state(check->sender);
    const bool clips = psst_level_clips(pcm);
    check->levels[check->n++] = (int8_t)psst_level_dbfs(pcm, PSST_AUDIO_FRAME_SAMPLES);
    check->clipped += clips;
    voice_meter_heard(&check->meter, PSST_AUDIO_MICROPHONE, state.level_dbfs);
    check->meter.levels.voice = check->meter.levels.voice || state.voice;
    check->meter.levels.clipping = check->meter.levels.clipping || clips;
    check->meter.levels.quality = (uint8_t)state.quality;
    voice_meter_tick(&check->meter, check->job.voice);
    if (check->n == check->limit) check->phase = BACK;
}

static void on_captured(void *ctx, const int16_t pcm[PSST_AUDIO_FRAME_SAMPLES], uint64_t now_ns)
{
    struct check *check = ctx;
    if (check->phase == WAIT) {
        wait_for_devices(check);
    } else if (check->phase == TONE) {
        check->echo_heard += hears_tone(pcm);
        if (++check->echo_frames == ECHO_FRAMES) check->phase = LISTEN;
    } else if (check->phase == LISTEN) {
        listen_frame(check, pcm, now_ns);
    }
}

static void on_playing(void *ctx, int16_t pcm[PSST_AUDIO_FRAME_SAMPLES], uint64_t now_ns)
{
    (void)now_ns;
    struct check *check = ctx;
    if (check->phase == TONE) {
        (void)psst_tone_frame(&check->tone, pcm);
    } else if (check->phase == BACK && check->played < check->n) {
        memcpy(pcm, check->kept + (size_t)check->played++ * PSST_AUDIO_FRAME_SAMPLES, 2 * PSST_AUDIO_FRAME_SAMPLES);
        voice_meter_heard(&check->meter, PSST_AUDIO_SPEAKER, psst_level_dbfs(pcm, PSST_AUDIO_FRAME_SAMPLES));
        voice_meter_tick(&check->meter, check->job.voice);
    } else if (check->phase == BACK) {
        over(check);
    }
    voice_volume(pcm, PSST_AUDIO_FRAME_SAMPLES, check->settings.volume);
    psst_sender_played(check->sender, pcm, PSST_AUDIO_FRAME_SAMPLES);
}

/* ---- beginning and end ---- */

static struct psst_sender_settings sender_settings(const struct psst_voice_settings *s)
{
    return (struct psst_sender_settings){.opus_max = PSST_VOICE_OPUS_MAX,
                                         .quality = s->quality,
                                         .sense_dbfs = s->sense_dbfs,
                                         .send = true,
                                         .echo = s->echo,
                                         .clean = s->clean};
}

static void set(struct voice_job *job, const struct psst_voice_settings *settings)
{
    struct check *check = (struct check *)job;
    const struct psst_sender_settings changed = sender_settings(settings);
    check->settings = *settings;
    psst_sender_set(check->sender, &changed);
}

static void check_free(struct voice_job *job)
{
    struct check *check = (struct check *)job;
    psst_audio_free(job->audio);
    psst_sender_free(check->sender);
    psst_receiver_free(check->receiver);
    free(check->kept);
    free(check->levels);
    free(check);
}

static enum psst_err prepare(struct check *check)
{
    check->kept = calloc(check->limit, 2 * PSST_AUDIO_FRAME_SAMPLES);
    check->levels = calloc(check->limit, 1);
    if (check->kept == NULL || check->levels == NULL) return PSST_ERR_MEMORY;
    const struct psst_sender_settings settings = sender_settings(&check->settings);
    const enum psst_err err = psst_sender_new(&check->sender, &settings);
    return err == PSST_OK ? psst_receiver_new(&check->receiver) : err;
}

static enum psst_err start(struct voice_job **out, struct voice *voice, const struct psst_voice_start *asked,
                           const int *fds, struct psst_diag *diag)
{
    struct check *check = calloc(1, sizeof *check);
    enum psst_err err = check == NULL ? PSST_ERR_MEMORY : PSST_OK;
    if (check != NULL) {
        const uint32_t seconds = asked->limit_s < LIMIT_MAX_S ? asked->limit_s : LIMIT_MAX_S;
        *check = (struct check){.job.voice = voice, .settings = asked->settings, .limit = seconds * 50};
        psst_tone_init(&check->tone, PSST_TONE_RECORD);
        voice_meter_reset(&check->meter);
        err = prepare(check);
    }
    if (err == PSST_OK)
        err = voice_sound_open(&check->job, asked, &fds, on_captured, on_playing, diag);
    else
        for (size_t i = 0; i < psst_voice_start_fds(asked); i++) (void)close(fds[i]);
    if (err != PSST_OK) {
        if (check != NULL) check_free(&check->job);
        return err;
    }
    *out = &check->job;
    return PSST_OK;
}

const struct voice_job_kind voice_job_check = {.start = start, .free = check_free, .set = set};
