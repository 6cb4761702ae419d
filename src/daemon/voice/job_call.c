/* A call: the two halves of src/media between the devices and the line.
 *
 *     microphone -> sender -> held until 3 ms after its capture -> FRAME
 *     FRAME -> receiver -> speaker (and to the sender: what is played may come back as echo)
 *
 * The 3 ms are a timer's, so that the moment at which a frame leaves tells nothing about how long encoding took: that is 0.6 to
 * 1.9 ms on the machine that was measured, by what is said and by whether anything is warm.
 */
#include "daemon/voice/voice.h"

#include "media/level.h"
#include "media/receiver.h"
#include "media/sender.h"

#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define LEAVES_NS     UINT64_C(3000000)
#define HELD_MAX      8  /* frames at once, when the microphone has caught up after a pause */
#define REPORT_FRAMES 50 /* one a second */

struct held {
    uint64_t captured_ns;
    uint32_t timestamp;
    size_t len;
    uint8_t opus[PSST_VOICE_OPUS_MAX];
};

struct call {
    struct voice_job job; /* first */
    struct psst_voice_settings settings;
    size_t opus_max;
    struct psst_sender *sender;
    struct psst_receiver *receiver;
    bool own_echo; /* whether the sender's canceller is on */
    uint32_t timestamp;
    struct held held[HELD_MAX]; /* a ring */
    unsigned first, n;
    int timer;
    struct psst_audio_watch *watch;
    uint64_t first_capture_ns, first_playback_ns;
    unsigned frames; /* since the last report */
    struct voice_meter meter;
    size_t n_played;
    int16_t played[PSST_AUDIO_FRAME_SAMPLES];
};

/* ---- sending ---- */

static struct psst_sender_settings sender_settings(const struct call *call)
{
    return (struct psst_sender_settings){
        .opus_max = call->opus_max,
        .quality = call->settings.quality,
        .sense_dbfs = call->settings.sense_dbfs,
        .send = call->settings.send,
        .echo = call->own_echo,
        .clean = call->settings.clean,
    };
}

static void send_first(struct call *call)
{
    const struct held *h = &call->held[call->first];
    const struct psst_voice_message frame = {.op = PSST_VOICE_FRAME,
                                             .timestamp = h->timestamp,
                                             .time_ns = h->captured_ns,
                                             .payload = psst_view(h->opus, h->len)};
    call->first = (call->first + 1) % HELD_MAX;
    call->n--;
    voice_say(call->job.voice, &frame);
}

static void send_due(struct call *call)
{
    while (call->n > 0 && call->held[call->first].captured_ns + LEAVES_NS <= psst_audio_now_ns()) send_first(call);
    if (call->n == 0) return;
    const uint64_t due_ns = call->held[call->first].captured_ns + LEAVES_NS;
    const struct itimerspec when = {
        .it_value = {.tv_sec = (time_t)(due_ns / 1000000000), .tv_nsec = (long)(due_ns % 1000000000)}};
    if (timerfd_settime(call->timer, TFD_TIMER_ABSTIME, &when, NULL) != 0) send_first(call);
}

static void on_timer(void *ctx)
{
    struct call *call = ctx;
    uint64_t times;
    if (read(call->timer, &times, sizeof times) < 0) return;
    send_due(call);
}

static void say_report(struct call *call)
{
    const struct psst_receiver_stats stats = psst_receiver_stats(call->receiver);
    const struct psst_voice_message message = {
        .op = PSST_VOICE_REPORT,
        .report = {.loss_256 = stats.loss_256,
                   .jitter_ms = stats.jitter_ms,
                   .delay_ms = (uint16_t)(stats.held_ms + psst_audio_delay_ms(call->job.audio, PSST_AUDIO_SPEAKER)),
                   .received = stats.received,
                   .lost = stats.lost,
                   .late = stats.late,
                   .recovered = stats.recovered,
                   .concealed = stats.concealed,
                   .garbage = stats.garbage,
                   .first_capture_ns = call->first_capture_ns,
                   .first_playback_ns = call->first_playback_ns}};
    voice_say(call->job.voice, &message);
}

/* The sound server's canceller is the better one; a device may have got or lost it. */
static void choose_echo(struct call *call)
{
    const bool own = call->settings.echo && !psst_audio_cancels_echo(call->job.audio);
    if (own == call->own_echo) return;
    call->own_echo = own;
    const struct psst_sender_settings settings = sender_settings(call);
    psst_sender_set(call->sender, &settings);
}

static void on_captured(void *ctx, const int16_t pcm[PSST_AUDIO_FRAME_SAMPLES], uint64_t now_ns)
{
    struct call *call = ctx;
    if (call->first_capture_ns == 0) call->first_capture_ns = now_ns;
    if (call->n == HELD_MAX) send_first(call);
    struct held *h = &call->held[(call->first + call->n) % HELD_MAX];
    /* what cannot be encoded leaves as a frame that holds nothing, in its time */
    if (psst_sender_frame(call->sender, pcm, h->opus, &h->len) != PSST_OK) h->len = 0;
    h->captured_ns = now_ns;
    h->timestamp = call->timestamp;
    call->timestamp += PSST_AUDIO_FRAME_SAMPLES;
    call->n++;
    send_due(call);

    const struct psst_sender_state state = psst_sender_state(call->sender);
    struct psst_voice_levels *levels = &call->meter.levels;
    voice_meter_heard(&call->meter, PSST_AUDIO_MICROPHONE, state.level_dbfs);
    levels->voice = levels->voice || state.voice;
    levels->clipping = levels->clipping || state.clipping;
    levels->quality = (uint8_t)state.quality;
    levels->fec = state.fec;
    voice_meter_tick(&call->meter, call->job.voice);
    if (++call->frames < REPORT_FRAMES) return;
    call->frames = 0;
    choose_echo(call);
    say_report(call);
}

static void remote(struct voice_job *job, const struct psst_voice_report *report)
{
    struct call *call = (struct call *)job;
    psst_sender_report(call->sender, report->loss_256, report->jitter_ms, report->delay_ms);
}

/* ---- receiving ---- */

static void frame(struct voice_job *job, uint32_t timestamp, struct psst_view payload, uint64_t time_ns)
{
    struct call *call = (struct call *)job;
    const uint64_t now_ns = psst_audio_now_ns();
    psst_receiver_put(call->receiver, timestamp, payload, time_ns < now_ns ? time_ns : now_ns);
}

/* Levels are those of whole frames. */
static void meter_played(struct call *call, const int16_t *pcm, size_t samples)
{
    memcpy(call->played + call->n_played, pcm, samples * sizeof *pcm);
    call->n_played += samples;
    if (call->n_played < PSST_AUDIO_FRAME_SAMPLES) return;
    call->n_played = 0;
    voice_meter_heard(&call->meter, PSST_AUDIO_SPEAKER, psst_level_dbfs(call->played, PSST_AUDIO_FRAME_SAMPLES));
}

static void on_piece(void *ctx, int16_t *pcm, size_t samples, uint64_t now_ns)
{
    struct call *call = ctx;
    if (call->first_playback_ns == 0) call->first_playback_ns = now_ns;
    psst_receiver_pull(call->receiver, pcm, samples, now_ns);
    if (call->n_played + samples > PSST_AUDIO_FRAME_SAMPLES) call->n_played = 0; /* the clock has taken over */
    meter_played(call, pcm, samples);
    voice_volume(pcm, samples, call->settings.receive ? call->settings.volume : 0);
    psst_sender_played(call->sender, pcm, samples);
}

/* ---- beginning and end ---- */

static void set(struct voice_job *job, const struct psst_voice_settings *settings)
{
    struct call *call = (struct call *)job;
    call->settings = *settings;
    call->own_echo = settings->echo && !psst_audio_cancels_echo(job->audio);
    const struct psst_sender_settings changed = sender_settings(call);
    psst_sender_set(call->sender, &changed);
}

static void call_free(struct voice_job *job)
{
    struct call *call = (struct call *)job;
    psst_audio_free(job->audio);
    psst_audio_watch_remove(call->watch);
    if (call->timer >= 0) (void)close(call->timer);
    psst_sender_free(call->sender);
    psst_receiver_free(call->receiver);
    free(call);
}

static enum psst_err prepare(struct call *call)
{
    const struct psst_sender_settings settings = sender_settings(call);
    enum psst_err err = psst_sender_new(&call->sender, &settings);
    if (err == PSST_OK) err = psst_receiver_new(&call->receiver);
    call->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (err == PSST_OK && call->timer < 0) err = PSST_ERR_IO;
    if (err != PSST_OK) return err;
    return psst_audio_watch_add(&call->watch, voice_loop(call->job.voice), call->timer, on_timer, call);
}

static enum psst_err start(struct voice_job **out, struct voice *voice, const struct psst_voice_start *asked,
                           const int *fds, struct psst_diag *diag)
{
    struct call *call = calloc(1, sizeof *call);
    enum psst_err err = call == NULL ? PSST_ERR_MEMORY : PSST_OK;
    if (call != NULL) {
        *call = (struct call){.job = {.voice = voice, .piece = on_piece},
                              .settings = asked->settings,
                              .opus_max = asked->opus_max,
                              .own_echo = asked->settings.echo,
                              .timestamp = asked->timestamp,
                              .timer = -1};
        voice_meter_reset(&call->meter);
        err = prepare(call);
    }
    if (err != PSST_OK) {
        for (size_t i = 0; i < psst_voice_start_fds(asked); i++) (void)close(fds[i]);
    } else {
        /* a call has both its rhythms, whatever there is of devices */
        struct psst_voice_start both = *asked;
        for (int end = 0; end < 2; end++)
            if (both.kinds[end] == PSST_AUDIO_NONE) both.kinds[end] = PSST_AUDIO_NULL;
        err = voice_sound_open(&call->job, &both, &fds, on_captured, NULL, diag);
    }
    if (err != PSST_OK) {
        if (call != NULL) call_free(&call->job);
        return err;
    }
    *out = &call->job;
    return PSST_OK;
}

const struct voice_job_kind voice_job_call = {
    .start = start, .free = call_free, .set = set, .frame = frame, .remote = remote, .awake = true};
