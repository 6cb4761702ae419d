/* PLAY: a voice message, from its file to the speaker. */
#include "daemon/voice/voice.h"

#include "media/level.h"
#include "media/message.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define TAIL_FRAMES 15  /* of silence, until the device has played what it was given */
#define WAIT_FRAMES 150 /* for a speaker */

struct play {
    struct voice_job job; /* first */
    struct psst_message_reader *reader;
    int fd;
    unsigned volume;
    unsigned waited, tail;
    struct voice_meter meter;
};

static ptrdiff_t from_file(void *ctx, uint8_t *out, size_t len)
{
    const struct play *play = ctx;
    ssize_t n;
    do {
        n = read(play->fd, out, len);
    } while (n < 0 && errno == EINTR);
    return n;
}

static bool speaker_works(struct play *play)
{
    if (!play->job.works[PSST_AUDIO_SPEAKER] && ++play->waited > WAIT_FRAMES) {
        const char *words = play->job.words[PSST_AUDIO_SPEAKER];
        voice_over(play->job.voice, 1, words[0] != '\0' ? words : "the speaker does not answer");
    }
    return play->job.works[PSST_AUDIO_SPEAKER];
}

static void on_playing(void *ctx, int16_t pcm[PSST_AUDIO_FRAME_SAMPLES], uint64_t now_ns)
{
    (void)now_ns;
    struct play *play = ctx;
    if (!speaker_works(play)) return; /* the message waits, at its beginning or in its middle */
    play->waited = 0;
    if (play->tail > 0) {
        if (++play->tail > TAIL_FRAMES) voice_over(play->job.voice, 0, "");
        return;
    }
    const enum psst_err err = psst_message_reader_frame(play->reader, pcm);
    if (err == PSST_ERR_NOT_FOUND) play->tail = 1;
    if (err != PSST_OK && err != PSST_ERR_NOT_FOUND)
        voice_over(play->job.voice, 1, "the rest of the voice message cannot be read");
    if (err != PSST_OK) {
        memset(pcm, 0, 2 * PSST_AUDIO_FRAME_SAMPLES);
        return;
    }
    voice_meter_heard(&play->meter, PSST_AUDIO_SPEAKER, psst_level_dbfs(pcm, PSST_AUDIO_FRAME_SAMPLES));
    voice_meter_tick(&play->meter, play->job.voice);
    voice_volume(pcm, PSST_AUDIO_FRAME_SAMPLES, play->volume);
}

static void set(struct voice_job *job, const struct psst_voice_settings *settings)
{
    ((struct play *)job)->volume = settings->volume;
}

static void play_free(struct voice_job *job)
{
    struct play *play = (struct play *)job;
    psst_audio_free(job->audio);
    psst_message_reader_free(play->reader);
    if (play->fd >= 0) (void)close(play->fd);
    free(play);
}

static enum psst_err start(struct voice_job **out, struct voice *voice, const struct psst_voice_start *asked,
                           const int *fds, struct psst_diag *diag)
{
    struct psst_voice_start heard = *asked;
    if (heard.kinds[PSST_AUDIO_MICROPHONE] == PSST_AUDIO_WAV) (void)close(*fds++);
    heard.kinds[PSST_AUDIO_MICROPHONE] = PSST_AUDIO_NONE;
    const int file = fds[psst_voice_start_fds(&heard) - 1];
    struct play *play = calloc(1, sizeof *play);
    enum psst_err err = play == NULL ? PSST_ERR_MEMORY : PSST_OK;
    if (play != NULL) {
        *play = (struct play){.job.voice = voice, .fd = file, .volume = asked->settings.volume};
        voice_meter_reset(&play->meter);
        err = psst_message_reader_new(&play->reader, from_file, play, diag);
    } else {
        (void)close(file);
    }
    if (err == PSST_OK)
        err = voice_sound_open(&play->job, &heard, &fds, NULL, on_playing, diag);
    else if (heard.kinds[PSST_AUDIO_SPEAKER] == PSST_AUDIO_WAV)
        (void)close(*fds);
    if (err != PSST_OK) {
        if (play != NULL) play_free(&play->job);
        return err;
    }
    *out = &play->job;
    return PSST_OK;
}

const struct voice_job_kind voice_job_play = {.start = start, .free = play_free, .set = set};
