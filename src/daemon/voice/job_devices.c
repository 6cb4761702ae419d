/* DEVICES: what the sound server has, one LISTED each. Monitors - what a speaker plays, as a microphone - only when the user
 * has made one the default. */
#include "daemon/voice/voice.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct devices {
    struct voice_job job; /* first */
    bool freed;           /* the job is, but the answer is still to come */
    bool answered;
};

static void on_listed(void *ctx, const struct psst_audio_device *devices, size_t n, const char *words)
{
    struct devices *d = ctx;
    d->answered = true;
    if (d->freed) {
        free(d);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        if (devices[i].is_monitor && !devices[i].is_default) continue;
        struct psst_voice_message message = {
            .op = PSST_VOICE_LISTED, .end = devices[i].end, .is_default = devices[i].is_default};
        memcpy(message.name, devices[i].name, sizeof message.name);
        (void)snprintf(message.words, sizeof message.words, "%s", devices[i].description);
        voice_say(d->job.voice, &message);
    }
    voice_over(d->job.voice, words[0] == '\0' ? 0 : 1, words);
}

static void devices_free(struct voice_job *job)
{
    struct devices *d = (struct devices *)job;
    d->freed = true;
    if (d->answered) free(d);
}

static enum psst_err start(struct voice_job **out, struct voice *voice, const struct psst_voice_start *asked,
                           const int *fds, struct psst_diag *diag)
{
    (void)diag;
    for (size_t i = 0; i < psst_voice_start_fds(asked); i++) (void)close(fds[i]);
    struct devices *d = calloc(1, sizeof *d);
    if (d == NULL) return PSST_ERR_MEMORY;
    d->job.voice = voice;
    const enum psst_err err = psst_audio_list(voice_loop(voice), on_listed, d);
    if (err != PSST_OK) {
        free(d);
        return err;
    }
    *out = &d->job;
    return PSST_OK;
}

const struct voice_job_kind voice_job_devices = {.start = start, .free = devices_free};
