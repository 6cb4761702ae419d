/* RING and RINGBACK: a tone from the speaker, until something else begins. It begins with the device, so that its first note
 * is heard whole. */
#include "daemon/voice/voice.h"

#include "media/tone.h"

#include <stdlib.h>
#include <unistd.h>

struct ring {
    struct voice_job job; /* first */
    struct psst_tone tone;
    unsigned volume;
};

static void on_playing(void *ctx, int16_t pcm[PSST_AUDIO_FRAME_SAMPLES], uint64_t now_ns)
{
    (void)now_ns;
    struct ring *ring = ctx;
    if (!ring->job.works[PSST_AUDIO_SPEAKER] && ring->tone.at_samples == 0) return;
    (void)psst_tone_frame(&ring->tone, pcm);
    voice_volume(pcm, PSST_AUDIO_FRAME_SAMPLES, ring->volume);
}

static void set(struct voice_job *job, const struct psst_voice_settings *settings)
{
    ((struct ring *)job)->volume = settings->volume;
}

static void ring_free(struct voice_job *job)
{
    psst_audio_free(job->audio);
    free(job);
}

static enum psst_err start(struct voice_job **out, struct voice *voice, const struct psst_voice_start *asked,
                           const int *fds, struct psst_diag *diag)
{
    struct psst_voice_start heard = *asked;
    if (heard.kinds[PSST_AUDIO_MICROPHONE] == PSST_AUDIO_WAV) (void)close(*fds++);
    heard.kinds[PSST_AUDIO_MICROPHONE] = PSST_AUDIO_NONE; /* whoever is called is not listened to */
    struct ring *ring = calloc(1, sizeof *ring);
    if (ring == NULL) {
        if (heard.kinds[PSST_AUDIO_SPEAKER] == PSST_AUDIO_WAV) (void)close(*fds);
        return PSST_ERR_MEMORY;
    }
    *ring = (struct ring){.job.voice = voice, .volume = asked->settings.volume};
    psst_tone_init(&ring->tone, asked->job == PSST_VOICE_RING ? PSST_TONE_RING : PSST_TONE_RINGBACK);
    const enum psst_err err = voice_sound_open(&ring->job, &heard, &fds, NULL, on_playing, diag);
    if (err != PSST_OK) {
        ring_free(&ring->job);
        return err;
    }
    *out = &ring->job;
    return PSST_OK;
}

const struct voice_job_kind voice_job_tone = {.start = start, .free = ring_free, .set = set};
