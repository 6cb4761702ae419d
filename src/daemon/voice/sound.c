#include "daemon/voice/voice.h"

#include <stdio.h>

#define METER_FRAMES 5

static void on_state(void *ctx, enum psst_audio_end end, bool works, const char *words)
{
    struct voice_job *job = ctx;
    job->works[end] = works;
    job->told[end] = true;
    (void)snprintf(job->words[end], sizeof job->words[end], "%s", words);
    struct psst_voice_message message = {.op = PSST_VOICE_DEVICE, .end = end, .works = works};
    (void)snprintf(message.words, sizeof message.words, "%s", words);
    voice_say(job->voice, &message);
}

enum psst_err voice_sound_open(struct voice_job *job, const struct psst_voice_start *start, const int **fds,
                               voice_captured *captured, voice_playing *playing, struct psst_diag *diag)
{
    struct psst_audio_config config = {
        .on_capture = captured, .on_playback = playing, .on_piece = job->piece, .on_state = on_state, .ctx = job};
    for (int end = 0; end < 2; end++) {
        config.ends[end].kind = start->kinds[end];
        config.ends[end].fd = start->kinds[end] == PSST_AUDIO_WAV ? *(*fds)++ : -1;
        memcpy(config.ends[end].device, start->devices[end], sizeof config.ends[end].device);
    }
    return psst_audio_new(&job->audio, voice_loop(job->voice), &config, diag);
}

void voice_volume(int16_t *pcm, size_t samples, unsigned percent)
{
    if (percent == 100) return;
    for (size_t i = 0; i < samples; i++) {
        const int v = pcm[i] * (int)percent / 100;
        pcm[i] = (int16_t)(v > INT16_MAX ? INT16_MAX : v < INT16_MIN ? INT16_MIN : v);
    }
}

void voice_meter_reset(struct voice_meter *meter)
{
    *meter = (struct voice_meter){
        .levels = {.microphone_dbfs = PSST_VOICE_SILENCE_DBFS, .speaker_dbfs = PSST_VOICE_SILENCE_DBFS}};
}

void voice_meter_heard(struct voice_meter *meter, enum psst_audio_end end, int dbfs)
{
    int8_t *level = end == PSST_AUDIO_MICROPHONE ? &meter->levels.microphone_dbfs : &meter->levels.speaker_dbfs;
    if (dbfs > 0) dbfs = 0;
    if (dbfs > *level) *level = (int8_t)dbfs;
}

void voice_meter_tick(struct voice_meter *meter, struct voice *voice)
{
    if (++meter->frames < METER_FRAMES) return;
    const struct psst_voice_message message = {.op = PSST_VOICE_LEVELS, .levels = meter->levels};
    voice_say(voice, &message);
    voice_meter_reset(meter);
}
