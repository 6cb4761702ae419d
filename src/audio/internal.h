/* Between the files of src/audio. audio.c has the two ends and the rhythm; wav.c and pulse*.c are what is behind an end.
 *
 *     timerfd, every 10 ms -> on_tick -> ends without a device's clock: deliver what is due
 *                                    `-> pulse: connect, open, give up, try again
 *     pa_stream's callbacks -> psst_audio_end_frame: the device's clock; the rhythm waits in case it stops
 */
#ifndef PSST_AUDIO_INTERNAL_H
#define PSST_AUDIO_INTERNAL_H

#include "audio/audio.h"

#include <pulse/pulseaudio.h>

#define PSST_AUDIO_FRAME_NS    UINT64_C(20000000)
#define PSST_AUDIO_FRAME_BYTES ((size_t)PSST_AUDIO_FRAME_SAMPLES * 2)
/* A device that is this late has stopped; what it owes is then delivered at the clock's rhythm. */
#define PSST_AUDIO_PATIENCE_NS UINT64_C(80000000)
#define PSST_AUDIO_WORDS_MAX   200

struct psst_audio_loop {
    pa_mainloop *main;
    struct psst_audio_watch *rests; /* NULL: none */
    bool quit;
};

pa_mainloop_api *psst_audio_loop_api(struct psst_audio_loop *loop);

/* ---- wav.c ---- */

struct psst_wav_in {
    int fd;        /* read at its own offset, so that whoever is given it next goes on there */
    uint64_t left; /* bytes of samples */
};
/* Takes fd. PSST_ERR_MALFORMED with a sentence. Begins at the first sample, or where fd's offset already is behind it. */
PSST_MUST_USE enum psst_err psst_wav_in_init(struct psst_wav_in *wav, int fd, struct psst_diag *diag);
/* What is not there is silence. */
void psst_wav_in_frame(struct psst_wav_in *wav, int16_t pcm[PSST_AUDIO_FRAME_SAMPLES]);
void psst_wav_in_fini(struct psst_wav_in *wav);

struct psst_wav_out {
    int fd;
    uint32_t bytes; /* of samples */
};
/* Takes fd: empty, or one whose offset is at the end of what was written before. */
PSST_MUST_USE enum psst_err psst_wav_out_init(struct psst_wav_out *wav, int fd, struct psst_diag *diag);
/* After each, the file is a whole wav. What cannot be written is left out. */
void psst_wav_out_frame(struct psst_wav_out *wav, const int16_t pcm[PSST_AUDIO_FRAME_SAMPLES]);
void psst_wav_out_fini(struct psst_wav_out *wav);

/* ---- one end ---- */

struct psst_pulse_stream { /* pulse_stream.c */
    pa_stream *stream;     /* NULL: closed */
    uint64_t retry_ns;     /* when closed: not before */
    uint64_t heard_ns;     /* when the device last asked or gave; before that: when the stream was opened */
    bool failed;           /* to be closed with the next tick */
    bool running;          /* it has its own clock, and sound */
    bool fallback;         /* the default, because what was asked for is not there */
    bool cancels_echo;     /* PSST_AUDIO_MICROPHONE */
    char description[128]; /* of the device, fit for a screen; "": not known yet */
    size_t warmed;         /* bytes that the device has asked for (given) since it opened */
    size_t at;             /* samples of frame that are filled (microphone), played (speaker) */
    size_t asked;          /* samples of frame that there are (speaker) */
    int16_t frame[PSST_AUDIO_FRAME_SAMPLES]; /* the one under way */
};

struct psst_audio_side {
    struct psst_audio *audio;
    enum psst_audio_end end;
    enum psst_audio_kind kind;
    char device[256];
    uint64_t due_ns; /* the next frame, were it by the clock */
    bool by_device;  /* it is not */
    bool told, works;
    char words[PSST_AUDIO_WORDS_MAX];
    union {
        struct psst_wav_in in;
        struct psst_wav_out out;
        struct psst_pulse_stream pulse;
    };
};

struct psst_audio {
    struct psst_audio_loop *loop;
    struct psst_audio_config config;
    int timer;
    uint64_t every_ns; /* at which it ticks; 0: not known */
    struct psst_audio_watch *watch;
    struct psst_audio_side sides[2];
    /* pulse.c */
    pa_context *context; /* NULL: none */
    uint64_t retry_ns, backoff_ns, connecting_ns;
    bool context_ready, context_failed;
};

/* on_state, when it is news. */
void psst_audio_say(struct psst_audio_side *side, bool works, const char *fmt, ...) PSST_PRINTF(3, 4);
/* "microphone", "speaker" */
const char *psst_audio_end_word(enum psst_audio_end end);
/* One frame by the device's clock: from pcm (microphone), into it (speaker, whose pcm is silent before). Returns its samples:
 * the speaker's may be a piece. */
size_t psst_audio_end_frame(struct psst_audio_side *side, int16_t pcm[PSST_AUDIO_FRAME_SAMPLES], uint64_t now_ns);

/* ---- pulse.c: the connection to the sound server ---- */

void psst_pulse_tick(struct psst_audio *audio, uint64_t now_ns);
void psst_pulse_close(struct psst_audio *audio);
/* Not connected yet; NULL: no memory. For pulse.c and list.c. */
pa_context *psst_pulse_context(pa_mainloop_api *api);
/* pa_context_connect, without ever starting a sound server: psst-voice cannot start programs. */
bool psst_pulse_connect(pa_context *context);

/* ---- pulse_stream.c: one stream ---- */

#define PSST_PULSE_FRAGMENT_BYTES 480 /* 5 ms */
#define PSST_PULSE_FLAGS          (PA_STREAM_ADJUST_LATENCY | PA_STREAM_INTERPOLATE_TIMING | PA_STREAM_AUTO_TIMING_UPDATE)
/* The latency that is asked for. */
pa_buffer_attr psst_pulse_attr(enum psst_audio_end end);

void psst_pulse_stream_open(struct psst_audio_side *side, uint64_t now_ns);
void psst_pulse_stream_close(struct psst_audio_side *side);
/* Looks after one that is open. */
void psst_pulse_stream_tick(struct psst_audio_side *side, uint64_t now_ns);
/* Something was plugged in. */
void psst_pulse_stream_news(struct psst_audio_side *side, uint64_t now_ns);
uint32_t psst_pulse_stream_delay_ms(const struct psst_audio_side *side);

#endif
