/* The one call of this user: its life, and what each change of its state brings with it. */
#include "daemon/calls/internal.h"

#include "daemon/program.h"
#include "ipc/rpc.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- looking ---- */

struct psst_conn *psst_call_conn(const struct psst_calls *calls)
{
    return calls->call.serial != 0 ? psst_conn_by_serial(calls->d->peers, calls->call.serial) : NULL;
}

struct psst_contact *psst_call_contact(const struct psst_calls *calls)
{
    return psst_book_by_id(calls->d->book, calls->call.contact_id);
}

bool psst_calls_talks(const struct psst_calls *calls, const struct psst_conn *conn)
{
    return calls->call.state == CALL_ACTIVE && calls->call.serial == psst_conn_serial(conn);
}

/* ---- changes ---- */

void psst_call_close_ends(struct psst_call_ends *ends)
{
    if (ends->wav_in >= 0) (void)close(ends->wav_in);
    if (ends->wav_out >= 0) (void)close(ends->wav_out);
    *ends = (struct psst_call_ends){-1, -1};
}

void psst_call_begin(struct psst_calls *calls, const struct psst_contact *contact, bool out)
{
    struct psst_daemon *d = calls->d;
    calls->call = (struct call){.number = ++calls->numbers,
                                .contact_id = contact->id,
                                .out = out,
                                .began_ms = psst_daemon_now(d).unix_ms,
                                .ends = {-1, -1},
                                .send = strcmp(psst_settings_get(d->settings, "push_to_talk"), "yes") != 0,
                                .receive = true,
                                .peer_receiving = true,
                                .works = {true, true}};
    memcpy(calls->call.name, contact->alias, sizeof calls->call.name);
}

void psst_call_tell(struct psst_calls *calls, const char *words)
{
    struct call *call = &calls->call;
    if (call->state == CALL_NONE || call->state == CALL_DIALLING) return;
    psst_call_event_json(calls, psst_call_state_name(call->state), PSST_CALLED_RUNS, words);
}

/* Where his datagrams go at first: to the address that we have called. Who was called learns it from the first datagram. */
static void find_way(struct psst_calls *calls)
{
    struct call *call = &calls->call;
    struct psst_conn *conn = psst_call_conn(calls);
    union psst_sockaddr from;
    call->via = NULL;
    if (conn == NULL) return;
    call->receiver_id = psst_link_call_receiver_id(psst_conn_link(conn));
    call->way = psst_link_call_way(psst_conn_link(conn));
    if (psst_link_role(psst_conn_link(conn)) != PSST_CALLER) return;
    psst_conn_ends(conn, &from, &call->to);
    call->via = psst_udp_towards(calls, &call->to, &from);
}

void psst_call_enter(struct psst_calls *calls, enum call_state state, const char *words)
{
    struct call *call = &calls->call;
    call->state = state;
    if (state == CALL_ACTIVE) {
        if (call->answered_ms == 0) { /* else it goes on over another session */
            call->answered_ms = psst_daemon_now(calls->d).unix_ms;
            psst_call_row_answered(calls, call->id, call->answered_ms);
        }
        find_way(calls);
        psst_udp_watch(calls, true);
        if (!call->receive) psst_call_say_receiving(calls); /* switched off before he answered */
    }
    psst_log_limited(&calls->d->log, PSST_LOG_INFO, "call", "contact=%s state=%s", call->name,
                     psst_call_state_name(state));
    psst_call_tell(calls, words);
    psst_sound_follow(calls);
}

void psst_call_end(struct psst_calls *calls, enum psst_called result, const char *words)
{
    struct call *call = &calls->call;
    if (call->state == CALL_NONE) return;
    enum call_state was = call->state;
    uint64_t other = call->other;
    psst_call_done *done = call->done;
    void *ctx = call->ctx;
    call->state = CALL_NONE;
    call->done = NULL;
    call->other = 0;
    if (was == CALL_ACTIVE) psst_udp_watch(calls, false);
    psst_sound_follow(calls);
    if (was != CALL_DIALLING) {
        psst_call_row_ended(calls, call->id, result, psst_daemon_now(calls->d).unix_ms);
        psst_log_limited(&calls->d->log, PSST_LOG_INFO, "call-ended", "contact=%s result=%s", call->name,
                         psst_call_result_name(result));
        psst_call_event_json(calls, "ended", result, words);
    }
    psst_call_close_ends(&call->ends);
    if (done != NULL) done(ctx, PSST_EXIT_FAILED, "no-call", words, NULL);
    psst_call_turn_down_other(calls, other);
}

void psst_call_fail(struct psst_calls *calls, const char *words)
{
    struct psst_conn *conn = psst_call_conn(calls);
    if (conn != NULL && psst_conn_link(conn) != NULL &&
        psst_link_call_hangup(psst_conn_link(conn), psst_daemon_now(calls->d), PSST_CALL_FAILED) == PSST_OK)
        psst_conn_kick(conn);
    psst_call_end(calls, PSST_CALLED_FAILED, words);
}

/* ---- the session ---- */

void psst_calls_detached(struct psst_calls *calls, struct psst_conn *conn, struct psst_conn *next, const char *words)
{
    struct call *call = &calls->call;
    if (call->state == CALL_NONE || call->serial == 0 || call->serial != psst_conn_serial(conn)) return;
    /* one that was not the newest any more has no heir, but there is one that is used */
    const struct psst_contact *contact = psst_call_contact(calls);
    if (next == NULL && contact != NULL && contact->session != conn) next = contact->session;
    /* both have dialled, or he has called just when we did */
    bool open = call->state == CALL_CALLING || call->state == CALL_RINGING ||
                (call->state == CALL_ACTIVE && next != NULL && call->other == psst_conn_serial(next) &&
                 psst_link_call_state(psst_conn_link(next)) == PSST_CALL_RINGING_HERE); /* not taken back meanwhile */
    if (next != NULL && open) {
        psst_call_offer(calls, next, true);
        return;
    }
    /* we are the ones who end it: he hears that first */
    struct psst_link *link = psst_conn_link(conn);
    bool ours = link != NULL && psst_link_established(link) &&
                psst_link_call_hangup(link, psst_daemon_now(calls->d), PSST_CALL_HUNG_UP) == PSST_OK;
    enum psst_called result = PSST_CALLED_CUT_OFF;
    if (!call->out && call->state == CALL_OFFERED)
        result = PSST_CALLED_MISSED;
    else if (ours)
        result = call->state == CALL_ACTIVE ? PSST_CALLED_ENDED : PSST_CALLED_UNANSWERED;
    psst_call_end(calls, result, words);
}

/* ---- life ---- */

enum psst_err psst_calls_new(struct psst_calls **out, struct psst_daemon *d)
{
    char program[PSST_PATH_MAX];
    struct psst_calls *calls = calloc(1, sizeof *calls);
    if (calls == NULL) return PSST_ERR_MEMORY;
    calls->d = d;
    calls->last_id = -1;
    calls->call.ends = (struct psst_call_ends){-1, -1};
    (void)psst_program_find(program, "psst-voice"); /* without it nobody can call, and all else goes on */
    enum psst_err err = psst_voice_child_new(&calls->voice, d->loop, program, &d->log);
    if (err != PSST_OK) {
        free(calls);
        return err;
    }
    (void)uv_timer_init(d->loop, &calls->later);
    calls->later.data = calls;
    (void)uv_timer_init(d->loop, &calls->deserted);
    calls->deserted.data = calls;
    *out = calls;
    return PSST_OK;
}

void psst_calls_close(struct psst_calls *calls)
{
    if (calls->closing) return;
    calls->closing = true;
    psst_call_end(calls, PSST_CALLED_CUT_OFF, "psstd stops");
    psst_voice_child_close(calls->voice);
    uv_close((uv_handle_t *)&calls->later, NULL);
    uv_close((uv_handle_t *)&calls->deserted, NULL);
}

void psst_calls_free(struct psst_calls *calls)
{
    if (calls == NULL) return;
    psst_voice_child_free(calls->voice);
    free(calls->datagrams);
    free(calls);
}

void psst_calls_loaded(struct psst_calls *calls)
{
    calls->last_id = -1;
    psst_call_rows_load(calls);
}

void psst_calls_unloaded(struct psst_calls *calls)
{
    psst_call_end(calls, PSST_CALLED_CUT_OFF, "the identity was locked");
    psst_voice_child_drop(calls->voice); /* what is said into a message is nobody's now */
    calls->last_id = -1;
}
