/* Calls as user interfaces see them (docs/IPC.md). */
#include "daemon/calls/internal.h"

#include "daemon/control/control.h"
#include "daemon/presence.h"

#include <stdio.h>

const char *psst_call_state_name(enum call_state state)
{
    static const char *const names[] = {
        [CALL_NONE] = "ended",      [CALL_DIALLING] = "dialling", [CALL_CALLING] = "calling",
        [CALL_RINGING] = "ringing", [CALL_OFFERED] = "offered",   [CALL_ACTIVE] = "active",
    };
    return names[state];
}

const char *psst_call_result_name(enum psst_called result)
{
    static const char *const names[] = {
        [PSST_CALLED_RUNS] = "",
        [PSST_CALLED_ENDED] = "ended",
        [PSST_CALLED_MISSED] = "missed",
        [PSST_CALLED_DECLINED] = "declined",
        [PSST_CALLED_BUSY] = "busy",
        [PSST_CALLED_UNANSWERED] = "unanswered",
        [PSST_CALLED_NO_VOICE] = "no-voice",
        [PSST_CALLED_FAILED] = "failed",
        [PSST_CALLED_CUT_OFF] = "cut off",
    };
    return (unsigned)result < sizeof names / sizeof names[0] ? names[result] : "";
}

static const char *way_name(enum psst_voice_way way)
{
    return way == PSST_WAY_UDP ? "udp" : way == PSST_WAY_TCP ? "tcp" : "both";
}

/* ---- events ---- */

void psst_call_event_json(struct psst_calls *calls, const char *state, enum psst_called result, const char *words)
{
    const struct call *call = &calls->call;
    const struct psst_contact *contact = psst_call_contact(calls);
    const char *name = contact != NULL ? contact->alias : call->name;
    json_t *params = json_pack("{s:I, s:s, s:s, s:s, s:s, s:o, s:s, s:b, s:b}", "id", (json_int_t)call->id, "name",
                               name, "direction", call->out ? "out" : "in", "state", state, "result",
                               psst_call_result_name(result), "words", psst_rpc_words(words), "way",
                               way_name(call->way), "peer_receiving", call->peer_receiving, "silent", call->silent);
    if (params == NULL) return;
    if (contact != NULL && psst_presence_is_busy(calls->d, contact))
        (void)json_object_set_new(params, "quiet", json_true());
    psst_daemon_event(calls->d, "call", params);
}

void psst_call_missed_json(struct psst_calls *calls, const struct psst_contact *contact, int64_t id, const char *words)
{
    json_t *params = json_pack("{s:I, s:s, s:s, s:s, s:s, s:o, s:s, s:b, s:b, s:b}", "id", (json_int_t)id, "name",
                               contact->alias, "direction", "in", "state", "ended", "result", "missed", "words",
                               psst_rpc_words(words), "way", "both", "peer_receiving", 1, "silent", 0, "quiet", 1);
    if (params != NULL) psst_daemon_event(calls->d, "call", params);
}

void psst_call_levels_json(struct psst_calls *calls, const struct psst_voice_levels *levels)
{
    const struct call *call = &calls->call;
    const struct psst_voice_report *r = &call->report;
    char capture[24], playback[24];
    if (call->state != CALL_ACTIVE || !psst_control_wanted(calls->d->control, PSST_IPC_EVENT_VOICE)) return;
    (void)snprintf(capture, sizeof capture, "%llu", (unsigned long long)r->first_capture_ns);
    (void)snprintf(playback, sizeof playback, "%llu", (unsigned long long)r->first_playback_ns);
    json_t *params = json_pack(
        "{s:I, s:i, s:i, s:b, s:b, s:i, s:b, s:b, s:b, s:b, s:f, s:i, s:i, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I}",
        "id", (json_int_t)call->id, "microphone_dbfs", (int)levels->microphone_dbfs, "speaker_dbfs",
        (int)levels->speaker_dbfs, "voice", levels->voice, "clipping", levels->clipping, "quality",
        (int)levels->quality, "fec", levels->fec, "send", call->send, "receive", call->receive, "ptt", call->ptt,
        "loss", (double)r->loss_256 * 100 / 256, "jitter_ms", (int)r->jitter_ms, "delay_ms", (int)r->delay_ms, "way",
        way_name(call->way), "first_capture_ns", capture, "first_playback_ns", playback, "received",
        (json_int_t)r->received, "lost", (json_int_t)r->lost, "late", (json_int_t)r->late, "recovered",
        (json_int_t)r->recovered, "concealed", (json_int_t)r->concealed);
    if (params != NULL) psst_daemon_event(calls->d, "voice", params);
}

/* ---- answers ---- */

json_t *psst_calls_brief_json(const struct psst_calls *calls)
{
    const struct call *call = &calls->call;
    if (call->state == CALL_NONE) return json_null();
    return json_pack("{s:I, s:s, s:s}", "id", (json_int_t)call->id, "name", call->name, "state",
                     psst_call_state_name(call->state));
}

json_t *psst_calls_call_json(const struct psst_calls *calls)
{
    const struct call *call = &calls->call;
    if (call->state == CALL_NONE) return json_null();
    const struct psst_contact *contact = psst_call_contact(calls);
    uint64_t now_ms = psst_daemon_now(calls->d).unix_ms;
    uint64_t since_ms = call->answered_ms != 0 ? call->answered_ms : now_ms;
    return json_pack("{s:I, s:s, s:s, s:s, s:I, s:s, s:b, s:b}", "id", (json_int_t)call->id, "name",
                     contact != NULL ? contact->alias : call->name, "state", psst_call_state_name(call->state),
                     "direction", call->out ? "out" : "in", "seconds",
                     (json_int_t)(now_ms > since_ms ? (now_ms - since_ms) / 1000 : 0), "way", way_name(call->way),
                     "peer_receiving", call->peer_receiving, "silent", call->silent);
}

static json_t *text(const struct psst_calls *calls, const char *key)
{
    return json_string(psst_settings_get(calls->d->settings, key));
}

json_t *psst_calls_voice_json(const struct psst_calls *calls)
{
    const struct call *call = &calls->call;
    struct psst_voice_settings s;
    psst_sound_voice(calls, &s);
    bool on = call->state != CALL_NONE;
    return json_pack(
        "{s:o, s:b, s:b, s:b, s:i, s:i, s:i, s:o, s:o, s:o, s:b, s:b, s:b, s:o}", "call", psst_calls_call_json(calls),
        "send", on ? call->send : strcmp(psst_settings_get(calls->d->settings, "push_to_talk"), "yes") != 0, "receive",
        !on || call->receive, "ptt", on && call->ptt, "sense", (int)s.sense_dbfs, "quality", (int)s.quality, "volume",
        (int)s.volume, "microphone", text(calls, "microphone"), "speaker", text(calls, "speaker"), "echo",
        text(calls, "echo"), "clean", s.clean, "microphone_works", !on || call->works[PSST_AUDIO_MICROPHONE],
        "speaker_works", !on || call->works[PSST_AUDIO_SPEAKER], "words", psst_rpc_words(on ? call->words : ""));
}
