/* Sound devices behind one small interface: pulse.c (PulseAudio, and PipeWire which speaks the same), wav.c, or nothing; and the
 * loop that they run in. psst-voice alone uses this. One thread: every callback comes from psst_audio_loop_run.
 *
 *     device's clock -> on_capture(20 ms of the microphone)      on_playback(20 ms wanted for the speaker), or less
 *
 * A device that goes away is not an error of the call: on_state says so in words, silence is delivered in its place at the
 * rhythm of the monotonic clock (so that frames go on leaving), and the device is taken up again when it, another, or the
 * sound server comes back. docs/VOICE.md, "Devices".
 */
#ifndef PSST_AUDIO_AUDIO_H
#define PSST_AUDIO_AUDIO_H

#include "base/bytes.h"

#define PSST_AUDIO_HZ            48000
#define PSST_AUDIO_FRAME_SAMPLES 960
#define PSST_AUDIO_PIECE_SAMPLES 240

/* ---- the loop: descriptors and sound, nothing else ---- */

struct psst_audio_loop;
PSST_MUST_USE enum psst_err psst_audio_loop_new(struct psst_audio_loop **out);
void psst_audio_loop_free(struct psst_audio_loop *loop);
/* Until psst_audio_loop_quit. */
void psst_audio_loop_run(struct psst_audio_loop *loop);
void psst_audio_loop_quit(struct psst_audio_loop *loop);
/* fd is borrowed; one callback whenever it can be read or has ended, until removed. */
struct psst_audio_watch;
typedef void psst_audio_readable(void *ctx);
PSST_MUST_USE enum psst_err psst_audio_watch_add(struct psst_audio_watch **out, struct psst_audio_loop *loop, int fd,
                                                 psst_audio_readable *readable, void *ctx);
void psst_audio_watch_remove(struct psst_audio_watch *watch);
/* NULL is ignored. resting: nothing is woken for what can be read; it is called when the loop wakes for something else, and when
 * fd has ended. One watch of a loop may rest. */
void psst_audio_watch_rest(struct psst_audio_watch *watch, bool resting);
/* Monotonic, the clock of all times here. */
uint64_t psst_audio_now_ns(void);

/* ---- sound ---- */

enum psst_audio_end { PSST_AUDIO_MICROPHONE = 0, PSST_AUDIO_SPEAKER = 1 };
enum psst_audio_kind {
    PSST_AUDIO_NONE = 0, /* this end is not used: no callbacks */
    PSST_AUDIO_NULL = 1, /* silence in, nothing out, on time */
    PSST_AUDIO_WAV =
        2, /* fd: 48 kHz mono s16; in: frames on time, silence after the end; out: begins with the first frame */
    PSST_AUDIO_PULSE = 3, /* device: the sound server's name for it, "" for its default */
};

struct psst_audio_config {
    struct {
        enum psst_audio_kind kind;
        char device[256];
        int fd; /* WAV: taken */
    } ends[2];  /* by enum psst_audio_end */
    /* Both may be called in any order; each exactly every 20 ms by the device's clock, give or take its fragments. */
    void (*on_capture)(void *ctx, const int16_t pcm[PSST_AUDIO_FRAME_SAMPLES], uint64_t now_ns);
    void (*on_playback)(void *ctx, int16_t pcm[PSST_AUDIO_FRAME_SAMPLES], uint64_t now_ns);
    /* If not NULL, it is asked in on_playback's place, for as much as is wanted at a time: a frame by the clock, and
     * PSST_AUDIO_PIECE_SAMPLES of it by a device. What is asked for later can still arrive. */
    void (*on_piece)(void *ctx, int16_t *pcm, size_t samples, uint64_t now_ns);
    /* works: the end has sound; words: one sentence, when it has none or has changed. */
    void (*on_state)(void *ctx, enum psst_audio_end end, bool works, const char *words);
    void *ctx;
};

struct psst_audio;
/* Devices open in the background: on_state tells. Fails only for memory, or a wav that is none (diag says why). */
PSST_MUST_USE enum psst_err psst_audio_new(struct psst_audio **out, struct psst_audio_loop *loop,
                                           const struct psst_audio_config *config, struct psst_diag *diag);
/* Ends both; a wav that was written is whole afterwards (its header is kept right as it grows). */
void psst_audio_free(struct psst_audio *audio);
/* Between a sample's handing over and its being heard (speaker), its being spoken and its frame's being handed over
 * (microphone), beyond the frame itself, as far as the sound server knows; 0: it is not used, or not known. */
uint32_t psst_audio_delay_ms(const struct psst_audio *audio, enum psst_audio_end end);
/* Whether the microphone that is used has its echo cancelled by the sound server already. */
bool psst_audio_cancels_echo(const struct psst_audio *audio);

/* What there is, asked of the sound server. Names come from it: clean them before showing. */
struct psst_audio_device {
    enum psst_audio_end end;
    bool is_default, is_monitor;
    char name[256], description[256];
};
typedef void psst_audio_listed(void *ctx, const struct psst_audio_device *devices, size_t n, const char *words);
PSST_MUST_USE enum psst_err psst_audio_list(struct psst_audio_loop *loop, psst_audio_listed *listed, void *ctx);

#endif
