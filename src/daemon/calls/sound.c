/* psst-voice and its frames. A frame stays in no queue of ours: it goes on in the same turn of the loop, or is dropped and
 * counted.
 *
 *   OFFERED: RING    RINGING: RINGBACK    ACTIVE: CALL    else nothing
 */
#include "daemon/calls/internal.h"

#include "daemon/presence.h"

#include <stdio.h>
#include <stdlib.h>

#define QUALITY_AT_LEAST 6 /* a frame has room for that, whatever the caller's own */

/* ---- settings ---- */

static const char *setting(const struct psst_calls *calls, const char *key)
{
    return psst_settings_get(calls->d->settings, key);
}

static long number(const struct psst_calls *calls, const char *key)
{
    return strtol(setting(calls, key), NULL, 10); /* settings.c has checked it */
}

/* Mute holds here as well: psst-voice decodes what the other side sends, and may be the other side's by now. */
static bool may_speak(const struct call *call)
{
    return call->send || call->ptt;
}

void psst_sound_voice(const struct psst_calls *calls, struct psst_voice_settings *out)
{
    const struct call *call = &calls->call;
    bool on = call->state != CALL_NONE;
    *out = (struct psst_voice_settings){
        .quality = (uint8_t)number(calls, "voice_quality"),
        .sense_dbfs = (int8_t)number(calls, "voice_sense"),
        .volume = (uint8_t)number(calls, "voice_volume"),
        .send = !on || may_speak(call),
        .receive = !on || call->receive,
        .echo = strcmp(setting(calls, "echo"), "own") == 0,
        .clean = strcmp(setting(calls, "clean"), "yes") == 0,
    };
}

uint16_t psst_call_frame_size(const struct psst_calls *calls)
{
    unsigned quality = (unsigned)number(calls, "voice_quality");
    if (quality < QUALITY_AT_LEAST) quality = QUALITY_AT_LEAST;
    return (uint16_t)(psst_voice_opus_bytes(quality) + PSST_VOICE_FRAME_HEAD_LEN);
}

static void fill_end(const struct psst_calls *calls, struct psst_voice_work *work, enum psst_audio_end end,
                     const char *key, int wav)
{
    const char *device = setting(calls, key);
    if (wav >= 0) {
        work->start.kinds[end] = PSST_AUDIO_WAV;
        work->fds[work->n_fds++] = wav;
    } else if (strcmp(device, "null") == 0) {
        work->start.kinds[end] = PSST_AUDIO_NULL;
    } else {
        work->start.kinds[end] = PSST_AUDIO_PULSE;
        (void)snprintf(work->start.devices[end], sizeof work->start.devices[end], "%s", device);
    }
}

void psst_calls_fill_work(const struct psst_calls *calls, const struct psst_call_ends *ends,
                          struct psst_voice_work *work)
{
    work->n_fds = 0;
    fill_end(calls, work, PSST_AUDIO_MICROPHONE, "microphone", ends->wav_in);
    fill_end(calls, work, PSST_AUDIO_SPEAKER, "speaker", ends->wav_out);
    psst_sound_voice(calls, &work->start.settings);
}

/* ---- what psst-voice says ---- */

/* Our frame: out by UDP at once, by TCP with the session's next turn. */
static void send_frame(struct psst_calls *calls, const struct psst_voice_message *m)
{
    struct call *call = &calls->call;
    struct psst_conn *conn = psst_call_conn(calls);
    uint8_t datagram[PSST_DATAGRAM_HEAD_LEN + PSST_CALL_FRAME_MAX + PSST_TAG_LEN];
    size_t len = 0;
    struct psst_view payload = may_speak(call) ? m->payload : psst_view(NULL, 0);
    call->timestamp = m->timestamp + PSST_VOICE_FRAME_SAMPLES;
    if (conn == NULL || psst_conn_link(conn) == NULL) return;
    if (psst_link_voice(psst_conn_link(conn), psst_daemon_now(calls->d), m->timestamp, payload, datagram, &len) !=
        PSST_OK) {
        psst_daemon_count(calls->d, "voice-frames-unsent");
        return;
    }
    if (len > 0 && call->via != NULL && !psst_udp_send(call->via, &call->to, psst_view(datagram, len)))
        psst_daemon_count(calls->d, "datagrams-unsent");
    psst_conn_kick(conn);
}

static void reported(struct psst_calls *calls, const struct psst_voice_report *report)
{
    struct call *call = &calls->call;
    struct psst_conn *conn = psst_call_conn(calls);
    call->report = *report;
    if (conn == NULL || psst_conn_link(conn) == NULL) return;
    if (psst_link_call_report(psst_conn_link(conn), psst_daemon_now(calls->d), report->loss_256, report->jitter_ms,
                              report->delay_ms) == PSST_OK)
        psst_conn_kick(conn);
    psst_call_look_at_way(calls, conn);
}

static void told(struct psst_calls *calls, const char *words)
{
    (void)snprintf(calls->call.words, sizeof calls->call.words, "%s", words);
    if (calls->call.state == CALL_ACTIVE) psst_call_tell(calls, words); /* before, nobody misses a tone */
}

static void heard(void *ctx, const struct psst_voice_message *m)
{
    struct psst_calls *calls = ctx;
    switch (m->op) {
    case PSST_VOICE_FRAME: send_frame(calls, m); return;
    case PSST_VOICE_LEVELS: psst_call_levels_json(calls, &m->levels); return;
    case PSST_VOICE_REPORT: reported(calls, &m->report); return;
    case PSST_VOICE_DEVICE:
        calls->call.works[m->end] = m->works;
        told(calls, m->words);
        return;
    case PSST_VOICE_DONE: /* of a tone: there is none. A call goes on, unless what it was given is no sound */
        if (calls->call.state == CALL_ACTIVE && m->result != PSST_VOICE_RESULT_LOST)
            psst_call_fail(calls, m->words);
        else if (m->result != 0)
            told(calls, m->words);
        return;
    case PSST_VOICE_READY:
    case PSST_VOICE_LISTED:
    case PSST_VOICE_START:
    case PSST_VOICE_SET:
    case PSST_VOICE_REMOTE:
    case PSST_VOICE_STOP: return;
    }
}

/* ---- what it has to do ---- */

static void start(struct psst_calls *calls, enum psst_voice_job job)
{
    struct call *call = &calls->call;
    const struct psst_call_ends *ends = &call->ends;
    const struct psst_call_ends none = {-1, -1};
    struct psst_voice_work work = {.heard = heard, .ctx = calls};
    struct psst_diag diag = {{0}};
    bool talk = job == PSST_VOICE_CALL;
    psst_calls_fill_work(calls, talk ? ends : &none, &work);
    work.start.job = job;
    if (talk) {
        struct psst_conn *conn = psst_call_conn(calls);
        uint16_t frame = conn != NULL ? psst_link_call_frame_size(psst_conn_link(conn)) : 0;
        work.start.opus_max = frame > PSST_VOICE_FRAME_HEAD_LEN ? (uint16_t)(frame - PSST_VOICE_FRAME_HEAD_LEN) : 0;
        work.start.timestamp = call->timestamp;
        call->works[PSST_AUDIO_MICROPHONE] = call->works[PSST_AUDIO_SPEAKER] = true; /* until it says otherwise */
        call->words[0] = '\0';
    } else {
        work.start.kinds[PSST_AUDIO_MICROPHONE] = PSST_AUDIO_NONE;
        if (ends->wav_out >= 0) work.start.kinds[PSST_AUDIO_SPEAKER] = PSST_AUDIO_NULL; /* that begins with speech */
    }
    if (psst_voice_child_start(calls->voice, &work, &diag) == PSST_OK) return;
    if (talk && psst_voice_child_job(calls->voice) != PSST_VOICE_CALL)
        psst_call_fail(calls, diag.text); /* nobody would send frames, nor would anybody be heard */
    else
        told(calls, diag.text);
}

/* A recording that a call comes in on goes on until that is answered. */
static bool is_ours(unsigned job)
{
    return job == 0 || job == PSST_VOICE_CALL || job == PSST_VOICE_RING || job == PSST_VOICE_RINGBACK;
}

static void follow(struct psst_calls *calls)
{
    const struct call *call = &calls->call;
    unsigned job = psst_voice_child_job(calls->voice);
    const struct psst_contact *contact = psst_call_contact(calls);
    bool quiet = contact != NULL && psst_presence_is_busy(calls->d, contact);
    switch (call->state) {
    case CALL_NONE:
    case CALL_DIALLING: return;
    case CALL_CALLING:
        if (is_ours(job) && job != 0) psst_voice_child_drop(calls->voice); /* it rang over another session */
        psst_voice_child_warm(calls->voice);
        return;
    case CALL_RINGING: start(calls, PSST_VOICE_RINGBACK); return;
    case CALL_OFFERED:
        if (job != 0) return;
        if (quiet)
            psst_voice_child_warm(calls->voice);
        else
            start(calls, PSST_VOICE_RING);
        return;
    case CALL_ACTIVE:
        if (!is_ours(job)) psst_voice_child_interrupt(calls->voice, "a call was answered");
        start(calls, PSST_VOICE_CALL);
        return;
    }
}

static void on_later(uv_timer_t *timer)
{
    follow(timer->data);
}

void psst_sound_follow(struct psst_calls *calls)
{
    if (calls->call.state == CALL_NONE) {
        if (is_ours(psst_voice_child_job(calls->voice))) psst_voice_child_drop(calls->voice);
        (void)uv_timer_stop(&calls->later);
    } else if (!calls->closing) {
        (void)uv_timer_start(&calls->later, on_later, 0, 0);
    }
}

void psst_sound_set(struct psst_calls *calls, bool afresh)
{
    struct psst_voice_settings settings;
    if (calls->call.state != CALL_ACTIVE) return;
    if (afresh) {
        start(calls, PSST_VOICE_CALL);
        return;
    }
    psst_sound_voice(calls, &settings);
    psst_voice_child_set(calls->voice, &settings);
}

/* ---- frames that come ---- */

void psst_sound_frame(struct psst_calls *calls, const struct psst_voice_frame *frame, uint64_t time_ns)
{
    if (!psst_voice_child_frame(calls->voice, frame->timestamp_samples, frame->opus, time_ns))
        psst_daemon_count(calls->d, "voice-frames-dropped");
}

/* ---- for others ---- */

void psst_calls_settings_changed(struct psst_calls *calls, bool afresh)
{
    psst_sound_set(calls, afresh);
}

enum psst_err psst_calls_sound_free(const struct psst_calls *calls, struct psst_diag *diag)
{
    if (calls->call.state == CALL_NONE && psst_voice_child_job(calls->voice) == 0) return PSST_OK;
    return psst_fail(diag, PSST_ERR_USAGE, "%s",
                     calls->call.state != CALL_NONE ? "a call is under way" : "a recording or a sound is under way");
}

struct psst_voice_child *psst_calls_voice(const struct psst_calls *calls)
{
    return calls->voice;
}
