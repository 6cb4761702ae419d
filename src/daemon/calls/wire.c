/* What the link says of calls (proto/call.h has checked who may say what when), and what becomes of a call that comes in:
 *
 *   the seventh within a minute                        -> declined as busy, and not noted
 *   he whom we call, over another session              -> both have called: below, another_session
 *   paused by us, or we talk, dial, are called already -> declined as busy, noted as missed
 *   psst-voice is missing                              -> declined: no voice, noted as missed
 *   he is told that we are not to be disturbed         -> rings over there, here without a tone and with "quiet"
 *   else                                               -> rings
 */
#include "daemon/calls/internal.h"

#include <stdio.h>

/* ---- a call comes in ---- */

static void turn_down(struct psst_calls *calls, struct psst_conn *conn, uint8_t reason, const char *words)
{
    const struct psst_contact *contact = psst_conn_contact(conn);
    struct psst_now now = psst_daemon_now(calls->d);
    psst_daemon_count(calls->d, "calls-turned-down");
    if (psst_link_call_decline(psst_conn_link(conn), now, reason) == PSST_OK) psst_conn_kick(conn);
    if (calls->last_id < 0) return;
    int64_t id = ++calls->last_id;
    psst_call_row_begin(calls, contact->id, PSST_IN, id, now.unix_ms);
    psst_call_row_ended(calls, id, PSST_CALLED_MISSED, now.unix_ms);
    psst_call_missed_json(calls, contact, id, words);
}

#define CALL_COSTS 10 /* of a bucket that one a second flows into */
#define CALLS_COST 60 /* six at once, and then six a minute */

/* A session has a limit of its own; but sessions are cheap, and each call is noted, told to all user interfaces, and may begin a
 * process. */
static bool calls_too_often(struct psst_calls *calls, int64_t contact_id, uint64_t now_ns)
{
    struct psst_caller *caller = NULL;
    for (size_t i = 0; i < PSST_CALLERS; i++)
        if (calls->callers[i].contact_id == contact_id) caller = &calls->callers[i];
    if (caller == NULL) {
        caller = &calls->callers[calls->next_caller];
        calls->next_caller = (calls->next_caller + 1) % PSST_CALLERS;
        caller->contact_id = contact_id;
        psst_bucket_init(&caller->bucket, 1, CALLS_COST);
    }
    return !psst_bucket_try(&caller->bucket, now_ns, CALL_COSTS);
}

void psst_call_turn_down_other(struct psst_calls *calls, uint64_t serial)
{
    struct psst_conn *conn = serial != 0 ? psst_conn_by_serial(calls->d->peers, serial) : NULL;
    if (conn == NULL || psst_conn_link(conn) == NULL || psst_conn_contact(conn) == NULL) return;
    if (psst_link_call_state(psst_conn_link(conn)) == PSST_CALL_RINGING_HERE)
        turn_down(calls, conn, PSST_CALL_BUSY, "you called at the same time");
}

/* The call goes on over this session. What went over the one before is taken back, if that still stands. */
static void move(struct psst_calls *calls, struct psst_conn *conn)
{
    struct psst_conn *before = psst_call_conn(calls);
    if (before != NULL && psst_conn_link(before) != NULL &&
        psst_link_call_hangup(psst_conn_link(before), psst_daemon_now(calls->d), PSST_CALL_HUNG_UP) == PSST_OK)
        psst_conn_kick(before);
    calls->call.silent = false;
    psst_call_offer(calls, conn, true);
}

/* He offers over another of the sessions that he has with us than the one that our call goes over. Either both have called, each over
 * the session that was his newest; or his side has put this session in the place of that one, and its bye is still on its way (then
 * even an accept of ours, or what looked like his, was for nobody). The call goes over the one that stays. While only his side can know
 * which that is, nothing moves here: a bye comes over one of the two, or his offer over ours. False: nothing of this kind. */
static bool another_session(struct psst_calls *calls, struct psst_conn *conn)
{
    struct call *call = &calls->call;
    const struct psst_contact *contact = psst_conn_contact(conn);
    bool used = contact->session == conn, stays = psst_conn_stays(conn, psst_call_conn(calls));
    if (call->contact_id != contact->id || call->serial == 0) return false;
    switch (call->state) {
    case CALL_CALLING:
    case CALL_RINGING:
        if (stays)
            move(calls, conn);
        else
            call->other = psst_conn_serial(conn); /* that one may yet stay: psst_calls_detached */
        return true;
    case CALL_ACTIVE:
        if (!used || !call->out) return false;
        if (stays)
            move(calls, conn);
        else
            call->other = psst_conn_serial(conn);
        return true;
    case CALL_OFFERED:
        if (!used || psst_link_call_ring(psst_conn_link(conn), psst_daemon_now(calls->d)) != PSST_OK) return false;
        psst_conn_kick(conn);
        call->serial = psst_conn_serial(conn);
        return true;
    case CALL_NONE:
    case CALL_DIALLING: break;
    }
    return false;
}

static void offered(struct psst_calls *calls, struct psst_conn *conn)
{
    struct call *call = &calls->call;
    const struct psst_contact *contact = psst_conn_contact(conn);
    struct psst_link *link = psst_conn_link(conn);
    struct psst_now now = psst_daemon_now(calls->d);
    if (psst_link_call_state(link) != PSST_CALL_RINGING_HERE) return;
    if (call->state == CALL_DIALLING && call->contact_id == contact->id) return; /* call.c finds it, and takes it */
    if (calls_too_often(calls, contact->id, now.mono_ns)) {
        psst_daemon_count(calls->d, "calls-too-often");
        if (psst_link_call_decline(link, now, PSST_CALL_BUSY) == PSST_OK) psst_conn_kick(conn);
        return;
    }
    if (!contact->paused && another_session(calls, conn)) return;
    if (contact->paused || call->state != CALL_NONE || calls->last_id < 0 || calls->closing) {
        turn_down(calls, conn, PSST_CALL_BUSY, contact->paused ? "paused by you" : "you had another call");
        return;
    }
    if (!psst_voice_child_exists(calls->voice)) {
        turn_down(calls, conn, PSST_CALL_NO_VOICE, "psst-voice, which has the sound, is missing");
        return;
    }
    if (psst_link_call_ring(link, now) != PSST_OK) return;
    psst_conn_kick(conn);
    psst_call_begin(calls, contact, false);
    call->serial = psst_conn_serial(conn);
    call->id = ++calls->last_id;
    psst_call_row_begin(calls, contact->id, PSST_IN, call->id, call->began_ms);
    psst_call_enter(calls, CALL_OFFERED, "");
}

/* ---- ours ---- */

static void declined(struct psst_calls *calls, uint8_t reason)
{
    char words[160];
    const char *what = "declined";
    enum psst_called result = PSST_CALLED_DECLINED;
    if (reason == PSST_CALL_BUSY) {
        what = "is busy";
        result = PSST_CALLED_BUSY;
    } else if (reason == PSST_CALL_NO_VOICE) {
        what = "has no voice there";
        result = PSST_CALLED_NO_VOICE;
    }
    (void)snprintf(words, sizeof words, "%s %s", calls->call.name, what);
    psst_call_end(calls, result, words);
}

static void hung_up(struct psst_calls *calls, const struct psst_call_chunk *chunk)
{
    struct call *call = &calls->call;
    char words[160];
    enum psst_called result = PSST_CALLED_ENDED;
    (void)snprintf(words, sizeof words, "%s hung up", call->name);
    if (call->state == CALL_OFFERED) {
        result = PSST_CALLED_MISSED;
        (void)snprintf(words, sizeof words, "%s called", call->name);
    } else if (call->state == CALL_CALLING && chunk->by_us) {
        result = PSST_CALLED_NO_VOICE;
        (void)snprintf(words, sizeof words, "nothing rings at %s: that program may know no calls", call->name);
    } else if (call->state == CALL_CALLING || call->state == CALL_RINGING) {
        result = PSST_CALLED_UNANSWERED;
        (void)snprintf(words, sizeof words, "%s did not answer", call->name);
    } else if (chunk->reason == PSST_CALL_FAILED) {
        result = PSST_CALLED_FAILED;
        (void)snprintf(words, sizeof words, "the call with %s failed", call->name);
    }
    psst_call_end(calls, result, words);
}

static void silence(struct psst_calls *calls, bool silent)
{
    char words[160] = "";
    calls->call.silent = silent;
    if (silent) (void)snprintf(words, sizeof words, "nothing is heard of %s: the line may be down", calls->call.name);
    psst_call_tell(calls, words);
}

void psst_call_look_at_way(struct psst_calls *calls, struct psst_conn *conn)
{
    enum psst_voice_way way = psst_link_call_way(psst_conn_link(conn));
    if (way == calls->call.way) return;
    calls->call.way = way;
    psst_call_tell(calls, "");
}

/* Of the call that we have. */
static void running(struct psst_calls *calls, struct psst_conn *conn, const struct psst_call_chunk *chunk)
{
    struct call *call = &calls->call;
    if (call->state != CALL_ACTIVE && psst_link_call_state(psst_conn_link(conn)) == PSST_CALL_ACTIVE) {
        psst_call_enter(calls, CALL_ACTIVE, ""); /* answered, or both have called */
        return;
    }
    switch ((enum psst_call_kind)chunk->kind) {
    case PSST_CALL_KIND_RING:
        if (call->state == CALL_CALLING) psst_call_enter(calls, CALL_RINGING, "");
        return;
    case PSST_CALL_KIND_DECLINE: declined(calls, chunk->reason); return;
    case PSST_CALL_KIND_HANGUP: hung_up(calls, chunk); return;
    case PSST_CALL_KIND_RECEIVING:
        call->peer_receiving = chunk->receiving;
        psst_call_tell(calls, "");
        return;
    case PSST_CALL_KIND_REPORT: {
        const struct psst_voice_report report = {
            .loss_256 = chunk->loss_256, .jitter_ms = chunk->jitter_ms, .delay_ms = chunk->delay_ms};
        psst_voice_child_remote(calls->voice, &report);
        psst_call_look_at_way(calls, conn);
        return;
    }
    case PSST_CALL_KIND_SILENCE: silence(calls, chunk->silent); return;
    case PSST_CALL_KIND_OFFER:
    case PSST_CALL_KIND_ACCEPT: return; /* the link knows better than to report these twice */
    }
}

void psst_calls_event(struct psst_calls *calls, struct psst_conn *conn, const struct psst_event *ev)
{
    struct call *call = &calls->call;
    bool ours = call->state != CALL_NONE && call->serial != 0 && call->serial == psst_conn_serial(conn);
    if (ev->type == PSST_EV_VOICE) {
        if (ours && call->state == CALL_ACTIVE) psst_sound_frame(calls, &ev->voice, uv_hrtime());
        return;
    }
    if (ours)
        running(calls, conn, &ev->call);
    else if (ev->call.kind == PSST_CALL_KIND_OFFER)
        offered(calls, conn);
    else if (ev->call.kind == PSST_CALL_KIND_HANGUP && call->state == CALL_NONE)
        psst_daemon_count(calls->d, "calls-stale");
}
