/* RECORD: a short tone, then the microphone, into a file as Ogg Opus.
 *
 *     devices work -> tone (when there is a speaker) -> recording -> limit_s, STOP, or the file is full
 */
#include "daemon/voice/voice.h"

#include "media/echo.h"
#include "media/gain.h"
#include "media/level.h"
#include "media/message.h"
#include "media/tone.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define WAIT_FRAMES    150 /* for a microphone */
#define SPEAKER_FRAMES 50  /* for a speaker: without it there is no tone */
#define SPEECH_PERCENT 50

struct record {
    struct voice_job job; /* first */
    struct psst_message_writer *writer;
    int fd;
    uint32_t limit; /* frames */
    bool finished;
    bool tone_over;
    unsigned waited;
    struct psst_tone tone;
    struct psst_echo *echo; /* for its noise suppression alone */
    struct psst_gain gain;
    struct psst_voice_settings settings;
    struct voice_meter meter;
};

static bool to_file(void *ctx, const uint8_t *data, size_t len)
{
    const struct record *record = ctx;
    while (len > 0) {
        const ssize_t n = write(record->fd, data, len);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        data += n;
        len -= (size_t)n;
    }
    return true;
}

/* The end of the file, once; what is said then. */
static void finish(struct record *record, const char *words)
{
    if (record->finished) return;
    record->finished = true;
    const enum psst_err err = psst_message_writer_finish(record->writer);
    if (err != PSST_OK) words = "the voice message cannot be written";
    voice_over(record->job.voice, words[0] != '\0', words);
}

/* Whether it has begun: what is in frames before is not the message's. */
static bool begun(struct record *record)
{
    const struct voice_job *job = &record->job;
    if (record->tone_over) return true;
    record->waited++;
    if (!job->works[PSST_AUDIO_MICROPHONE]) {
        const char *words = job->words[PSST_AUDIO_MICROPHONE];
        if (record->waited > WAIT_FRAMES) finish(record, words[0] != '\0' ? words : "the microphone does not answer");
    } else if (!job->works[PSST_AUDIO_SPEAKER] && record->waited > SPEAKER_FRAMES) {
        record->tone_over = true;
    }
    return false;
}

static void on_captured(void *ctx, const int16_t microphone[PSST_AUDIO_FRAME_SAMPLES], uint64_t now_ns)
{
    (void)now_ns;
    struct record *record = ctx;
    if (!begun(record) || record->finished) return;
    int16_t pcm[PSST_AUDIO_FRAME_SAMPLES];
    memcpy(pcm, microphone, sizeof pcm);
    const int level = psst_level_loudest_dbfs(pcm);
    psst_echo_frame(record->echo, pcm, false, record->settings.clean);
    const bool speech = record->settings.clean && psst_echo_speech_percent(record->echo) >= SPEECH_PERCENT &&
                        level > record->settings.sense_dbfs;
    psst_gain_frame(&record->gain, pcm, speech, record->settings.clean);

    struct psst_voice_levels *levels = &record->meter.levels;
    voice_meter_heard(&record->meter, PSST_AUDIO_MICROPHONE, level);
    levels->voice = true;
    levels->clipping = levels->clipping || psst_level_clips(microphone);
    levels->quality = PSST_MESSAGE_QUALITY;
    voice_meter_tick(&record->meter, record->job.voice);

    const enum psst_err err = psst_message_writer_frame(record->writer, pcm);
    if (err == PSST_ERR_TOO_LONG || psst_message_writer_frames(record->writer) >= record->limit)
        finish(record, "");
    else if (err != PSST_OK)
        finish(record, "the voice message cannot be written");
}

static void on_playing(void *ctx, int16_t pcm[PSST_AUDIO_FRAME_SAMPLES], uint64_t now_ns)
{
    (void)now_ns;
    struct record *record = ctx;
    const bool *works = record->job.works;
    if (record->tone_over || !works[PSST_AUDIO_MICROPHONE] || !works[PSST_AUDIO_SPEAKER]) return;
    record->tone_over = !psst_tone_frame(&record->tone, pcm);
    voice_volume(pcm, PSST_AUDIO_FRAME_SAMPLES, record->settings.volume);
}

static void set(struct voice_job *job, const struct psst_voice_settings *settings)
{
    ((struct record *)job)->settings = *settings;
}

static void stop(struct voice_job *job)
{
    finish((struct record *)job, "");
}

static void record_free(struct voice_job *job)
{
    struct record *record = (struct record *)job;
    psst_audio_free(job->audio);
    /* put away in the middle: what there is, is a message */
    if (record->writer != NULL && !record->finished)
        record->finished = psst_message_writer_finish(record->writer) == PSST_OK;
    psst_message_writer_free(record->writer);
    psst_echo_free(record->echo);
    if (record->fd >= 0) (void)close(record->fd);
    free(record);
}

static enum psst_err start(struct voice_job **out, struct voice *voice, const struct psst_voice_start *asked,
                           const int *fds, struct psst_diag *diag)
{
    const size_t n = psst_voice_start_fds(asked);
    struct record *record = calloc(1, sizeof *record);
    if (record == NULL) {
        for (size_t i = 0; i < n; i++) (void)close(fds[i]);
        return PSST_ERR_MEMORY;
    }
    *record = (struct record){
        .job.voice = voice, .fd = fds[n - 1], .limit = (uint32_t)asked->limit_s * 50, .settings = asked->settings};
    psst_tone_init(&record->tone, PSST_TONE_RECORD);
    voice_meter_reset(&record->meter);
    enum psst_err err = psst_message_writer_new(&record->writer, to_file, record);
    if (err == PSST_OK) err = psst_echo_new(&record->echo);
    if (err == PSST_OK)
        err = voice_sound_open(&record->job, asked, &fds, on_captured, on_playing, diag);
    else
        for (size_t i = 0; i + 1 < n; i++) (void)close(fds[i]);
    if (err != PSST_OK) {
        record_free(&record->job);
        return err;
    }
    *out = &record->job;
    return PSST_OK;
}

const struct voice_job_kind voice_job_record = {.start = start, .free = record_free, .set = set, .stop = stop};
