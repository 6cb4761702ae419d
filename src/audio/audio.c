/* Two ends and one rhythm: a timer ticks on the monotonic clock, and every end that has no device's clock of its own - null,
 * wav, a device that is not there (yet, any more) or has stopped - is served by it every 20 ms. The speaker's turn lies half a
 * frame behind the microphone's: when both sides begin at one moment, as they do when a call is answered, what one captures
 * reaches the other before its speaker asks, and does not just miss it. */
#include "audio/internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define FAST_NS      (PSST_AUDIO_FRAME_NS / 2)
#define SLOW_NS      (PSST_AUDIO_FRAME_NS * 2)
#define CATCH_UP_MAX 6 /* frames at once, after a pause of the clock's; what is older is left out */

const char *psst_audio_end_word(enum psst_audio_end end)
{
    return end == PSST_AUDIO_MICROPHONE ? "microphone" : "speaker";
}

void psst_audio_say(struct psst_audio_side *side, bool works, const char *fmt, ...)
{
    char words[PSST_AUDIO_WORDS_MAX];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(words, sizeof words, fmt, args);
    va_end(args);
    if (side->told && side->works == works && strcmp(side->words, words) == 0) return;
    side->told = true;
    side->works = works;
    memcpy(side->words, words, sizeof words);
    const struct psst_audio_config *config = &side->audio->config;
    if (config->on_state != NULL) config->on_state(config->ctx, side->end, works, words);
}

/* piece: samples, when less than a frame is wanted. Returns how many it were. */
static size_t hand_over(struct psst_audio_side *side, int16_t pcm[PSST_AUDIO_FRAME_SAMPLES], size_t piece,
                        uint64_t now_ns)
{
    const struct psst_audio_config *config = &side->audio->config;
    if (side->end == PSST_AUDIO_MICROPHONE) {
        if (config->on_capture != NULL) config->on_capture(config->ctx, pcm, now_ns);
    } else if (config->on_piece != NULL) {
        config->on_piece(config->ctx, pcm, piece, now_ns);
        return piece;
    } else if (config->on_playback != NULL) {
        config->on_playback(config->ctx, pcm, now_ns);
    }
    return PSST_AUDIO_FRAME_SAMPLES;
}

size_t psst_audio_end_frame(struct psst_audio_side *side, int16_t pcm[PSST_AUDIO_FRAME_SAMPLES], uint64_t now_ns)
{
    side->by_device = true;
    const size_t samples = hand_over(side, pcm, PSST_AUDIO_PIECE_SAMPLES, now_ns);
    side->due_ns = now_ns + PSST_AUDIO_FRAME_NS * samples / PSST_AUDIO_FRAME_SAMPLES;
    return samples;
}

/* A frame by the clock. */
static void clock_frame(struct psst_audio_side *side)
{
    int16_t pcm[PSST_AUDIO_FRAME_SAMPLES] = {0};
    const bool wav = side->kind == PSST_AUDIO_WAV;
    if (wav && side->end == PSST_AUDIO_MICROPHONE) psst_wav_in_frame(&side->in, pcm);
    (void)hand_over(side, pcm, PSST_AUDIO_FRAME_SAMPLES, side->due_ns);
    if (wav && side->end == PSST_AUDIO_SPEAKER) psst_wav_out_frame(&side->out, pcm);
    side->due_ns += PSST_AUDIO_FRAME_NS;
}

static void tick_side(struct psst_audio_side *side, uint64_t now_ns)
{
    if (side->kind == PSST_AUDIO_NONE) return;
    if (!side->told && side->kind != PSST_AUDIO_PULSE) psst_audio_say(side, true, "%s", "");
    if (side->by_device) {
        if (now_ns < side->due_ns + PSST_AUDIO_PATIENCE_NS) return;
        side->by_device = false;
    }
    if (now_ns > side->due_ns + CATCH_UP_MAX * PSST_AUDIO_FRAME_NS) side->due_ns = now_ns;
    while (side->due_ns <= now_ns) clock_frame(side);
}

/* Every half frame; every two frames while both ends have clocks of their own, and it is only looked whether they go on. */
static bool set_rhythm(struct psst_audio *audio, uint64_t first_ns, uint64_t every_ns)
{
    const struct itimerspec when = {
        .it_interval = {.tv_nsec = (long)every_ns},
        .it_value = {.tv_sec = (time_t)(first_ns / 1000000000), .tv_nsec = (long)(first_ns % 1000000000)},
    };
    audio->every_ns = every_ns;
    return timerfd_settime(audio->timer, TFD_TIMER_ABSTIME, &when, NULL) == 0;
}

static void choose_rhythm(struct psst_audio *audio, uint64_t now_ns)
{
    uint64_t every_ns = SLOW_NS;
    for (int end = 0; end < 2; end++)
        if (audio->sides[end].kind != PSST_AUDIO_NONE && !audio->sides[end].by_device) every_ns = FAST_NS;
    if (every_ns != audio->every_ns && !set_rhythm(audio, now_ns + every_ns, every_ns)) audio->every_ns = 0;
}

static void on_tick(void *ctx)
{
    struct psst_audio *audio = ctx;
    uint64_t times;
    if (read(audio->timer, &times, sizeof times) < 0) return;
    const uint64_t now_ns = psst_audio_now_ns();
    /* the speaker first: what it plays is what the microphone's echo canceller looks for */
    tick_side(&audio->sides[PSST_AUDIO_SPEAKER], now_ns);
    tick_side(&audio->sides[PSST_AUDIO_MICROPHONE], now_ns);
    psst_pulse_tick(audio, now_ns);
    choose_rhythm(audio, now_ns);
}

static enum psst_err start_rhythm(struct psst_audio *audio)
{
    audio->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (audio->timer < 0) return PSST_ERR_IO;
    const uint64_t first_ns = psst_audio_now_ns() + PSST_AUDIO_FRAME_NS;
    audio->sides[PSST_AUDIO_MICROPHONE].due_ns = first_ns;
    audio->sides[PSST_AUDIO_SPEAKER].due_ns = first_ns + PSST_AUDIO_FRAME_NS / 2;
    if (!set_rhythm(audio, first_ns, FAST_NS)) return PSST_ERR_IO;
    return psst_audio_watch_add(&audio->watch, audio->loop, audio->timer, on_tick, audio);
}

/* Takes what config has for it, also on failure. */
static enum psst_err side_init(struct psst_audio_side *side, const struct psst_audio_config *config,
                               struct psst_diag *diag)
{
    const enum psst_audio_kind kind = config->ends[side->end].kind;
    memcpy(side->device, config->ends[side->end].device, sizeof side->device);
    side->device[sizeof side->device - 1] = '\0';
    enum psst_err err = PSST_OK;
    if (kind == PSST_AUDIO_WAV && side->end == PSST_AUDIO_MICROPHONE)
        err = psst_wav_in_init(&side->in, config->ends[side->end].fd, diag);
    else if (kind == PSST_AUDIO_WAV)
        err = psst_wav_out_init(&side->out, config->ends[side->end].fd, diag);
    if (err == PSST_OK) side->kind = kind;
    return err;
}

enum psst_err psst_audio_new(struct psst_audio **out, struct psst_audio_loop *loop,
                             const struct psst_audio_config *config, struct psst_diag *diag)
{
    struct psst_audio *audio = calloc(1, sizeof *audio);
    if (audio == NULL) {
        for (int end = 0; end < 2; end++)
            if (config->ends[end].kind == PSST_AUDIO_WAV) (void)close(config->ends[end].fd);
        return PSST_ERR_MEMORY;
    }
    audio->loop = loop;
    audio->config = *config;
    audio->timer = -1;
    enum psst_err err = PSST_OK;
    for (int end = 0; end < 2; end++) {
        audio->sides[end].audio = audio;
        audio->sides[end].end = (enum psst_audio_end)end;
        const enum psst_err failed = side_init(&audio->sides[end], config, diag);
        if (err == PSST_OK) err = failed;
    }
    if (err == PSST_OK) err = start_rhythm(audio);
    if (err != PSST_OK) {
        psst_audio_free(audio);
        return err;
    }
    psst_pulse_tick(audio, psst_audio_now_ns());
    *out = audio;
    return PSST_OK;
}

void psst_audio_free(struct psst_audio *audio)
{
    if (audio == NULL) return;
    psst_pulse_close(audio);
    if (audio->sides[PSST_AUDIO_MICROPHONE].kind == PSST_AUDIO_WAV)
        psst_wav_in_fini(&audio->sides[PSST_AUDIO_MICROPHONE].in);
    if (audio->sides[PSST_AUDIO_SPEAKER].kind == PSST_AUDIO_WAV)
        psst_wav_out_fini(&audio->sides[PSST_AUDIO_SPEAKER].out);
    psst_audio_watch_remove(audio->watch);
    if (audio->timer >= 0) (void)close(audio->timer);
    free(audio);
}

bool psst_audio_cancels_echo(const struct psst_audio *audio)
{
    const struct psst_audio_side *side = &audio->sides[PSST_AUDIO_MICROPHONE];
    return side->kind == PSST_AUDIO_PULSE && side->pulse.running && side->pulse.cancels_echo;
}

uint32_t psst_audio_delay_ms(const struct psst_audio *audio, enum psst_audio_end end)
{
    const struct psst_audio_side *side = &audio->sides[end];
    return side->kind == PSST_AUDIO_PULSE && side->by_device ? psst_pulse_stream_delay_ms(side) : 0;
}
