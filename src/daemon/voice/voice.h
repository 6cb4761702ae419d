/* Inside psst-voice: one process, one thread, one job at a time. main.c reads the line and hands on what comes; a job is one
 * file that owns the sound devices and whatever of src/media it needs.
 *
 *     line.c  socket <-> messages        main.c  START -> job, SET, FRAME, REMOTE -> job, STOP -> the end
 *     job_call.c  job_tone.c  job_play.c  job_record.c  job_check.c  job_devices.c      sound.c  what they share
 *
 * Before all that it gives up what it could do (sandbox.h: sandbox_linux.c, files_linux.c), and begins the one process that still
 * leads to the sound server (relay.h: relay.c, filter.c, server.c; connect.c is this side of it).
 */
#ifndef PSST_DAEMON_VOICE_VOICE_H
#define PSST_DAEMON_VOICE_VOICE_H

#include "daemon/voice/protocol.h"

struct voice;
struct voice_job;

struct voice_job_kind {
    /* Takes fds (those of psst_voice_start_fds, in that order), on failure too; *out is to begin with a struct voice_job. A
     * sentence in diag on failure. */
    enum psst_err (*start)(struct voice_job **out, struct voice *voice, const struct psst_voice_start *start,
                           const int *fds, struct psst_diag *diag);
    void (*free)(struct voice_job *job);
    /* any of these NULL: it has no use for it */
    void (*set)(struct voice_job *job, const struct psst_voice_settings *settings);
    void (*frame)(struct voice_job *job, uint32_t timestamp, struct psst_view payload, uint64_t time_ns);
    void (*remote)(struct voice_job *job, const struct psst_voice_report *report);
    /* The end, in order, now; it may call voice_over to say more than that all is well. */
    void (*stop)(struct voice_job *job);
    /* Its devices wake it often enough, and nothing that psstd says needs to. */
    bool awake;
};

extern const struct voice_job_kind voice_job_call, voice_job_tone, voice_job_play, voice_job_record, voice_job_check,
    voice_job_devices;

/* What every job begins with. */
struct voice_job {
    struct voice *voice;
    struct psst_audio *audio; /* voice_sound_open; the job frees it */
    /* NULL, or asked in playing's place, for as little as a device takes at a time */
    void (*piece)(void *job, int16_t *pcm, size_t samples, uint64_t now_ns);
    bool works[2], told[2]; /* by enum psst_audio_end */
    char words[2][PSST_VOICE_WORDS_MAX + 1];
};

/* ---- for jobs ---- */

struct psst_audio_loop *voice_loop(struct voice *voice);
/* Dropped when psstd does not read. */
void voice_say(struct voice *voice, const struct psst_voice_message *message);
/* The job has come to its end by itself: it is freed, and DONE said, once the callback that calls this has returned. */
void voice_over(struct voice *voice, uint8_t result, const char *words);

/* ---- sound.c ---- */

typedef void voice_captured(void *job, const int16_t pcm[PSST_AUDIO_FRAME_SAMPLES], uint64_t now_ns);
typedef void voice_playing(void *job, int16_t pcm[PSST_AUDIO_FRAME_SAMPLES], uint64_t now_ns);
/* job->audio, with the ends that start names; their state is told to psstd and noted in job. *fds is moved behind those that
 * it takes. */
PSST_MUST_USE enum psst_err voice_sound_open(struct voice_job *job, const struct psst_voice_start *start,
                                             const int **fds, voice_captured *captured, voice_playing *playing,
                                             struct psst_diag *diag);
/* Percent; what would be too loud is cut off. */
void voice_volume(int16_t *pcm, size_t samples, unsigned percent);
/* Samples added up into LEVELS, ten a second, when they are counted at one end's rhythm. */
struct voice_meter {
    unsigned frames;
    struct psst_voice_levels levels;
};
void voice_meter_reset(struct voice_meter *meter);
void voice_meter_heard(struct voice_meter *meter, enum psst_audio_end end, int dbfs);
/* A frame has passed; says LEVELS when it is time. */
void voice_meter_tick(struct voice_meter *meter, struct voice *voice);

#endif
