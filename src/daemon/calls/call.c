/* What the user wants of calls: to make one, to take one, to end one. The microphone opens with START of psst-voice's job CALL,
 * which comes of ACTIVE alone: after the user has dialled and the other side has answered, or after the user has answered. */
#include "daemon/calls/internal.h"

#include "ipc/rpc.h"

#include <stdio.h>
#include <stdlib.h>

static void answer_done(struct call *call, json_t *result)
{
    psst_call_done *done = call->done;
    call->done = NULL;
    if (done != NULL)
        done(call->ctx, 0, NULL, NULL, result);
    else
        json_decref(result);
}

/* ---- out ---- */

static enum psst_err accept_it(struct psst_calls *calls, struct psst_diag *diag)
{
    struct psst_conn *conn = psst_call_conn(calls);
    if (conn == NULL || psst_link_call_accept(psst_conn_link(conn), psst_daemon_now(calls->d)) != PSST_OK) {
        psst_call_close_ends(&calls->call.ends); /* the next who answers brings others */
        return psst_fail(diag, PSST_ERR_USAGE, "%s does not call any more", calls->call.name);
    }
    psst_conn_kick(conn);
    psst_call_enter(calls, CALL_ACTIVE, "");
    return PSST_OK;
}

/* The session stands. When he has called in the same moment, both have dialled, and it is a call at once. */
void psst_call_offer(struct psst_calls *calls, struct psst_conn *conn, bool again)
{
    struct call *call = &calls->call;
    struct psst_now now = psst_daemon_now(calls->d);
    struct psst_link *link = psst_conn_link(conn);
    enum psst_err err = PSST_OK;
    bool both = psst_link_call_state(link) == PSST_CALL_RINGING_HERE;
    call->serial = psst_conn_serial(conn);
    if (!again) {
        call->id = ++calls->last_id;
        call->began_ms = now.unix_ms;
    }
    if (both)
        err = psst_link_call_accept(link, now);
    else
        err = psst_link_call_offer(link, now, psst_call_frame_size(calls));
    if (err != PSST_OK) {
        psst_call_end(calls, PSST_CALLED_FAILED,
                      err == PSST_ERR_AGAIN ? "that was one call after the other: try again in a minute"
                                            : "no call can be made over this session just now: try again");
        return;
    }
    psst_conn_kick(conn);
    if (!again) psst_call_row_begin(calls, call->contact_id, PSST_OUT, call->id, call->began_ms);
    psst_call_enter(calls, both ? CALL_ACTIVE : CALL_CALLING, "");
    answer_done(call, psst_calls_brief_json(calls));
}

struct dialling {
    struct psst_calls *calls;
    uint64_t number;
};

static void dialled(void *ctx, int exit_code, const char *words, const char *address)
{
    struct dialling *dialling = ctx;
    struct psst_calls *calls = dialling->calls;
    struct call *call = &calls->call;
    bool ours = call->number == dialling->number && call->state == CALL_DIALLING;
    (void)address;
    free(dialling);
    if (!ours) return; /* hung up meanwhile */
    struct psst_contact *contact = psst_call_contact(calls);
    if (exit_code == 0 && contact != NULL && contact->session != NULL) {
        psst_call_offer(calls, contact->session, false);
        return;
    }
    psst_call_done *done = call->done;
    ctx = call->ctx;
    call->done = NULL;
    psst_call_end(calls, PSST_CALLED_FAILED, "");
    if (exit_code == 0) exit_code = PSST_EXIT_UNREACHABLE;
    if (done != NULL)
        done(ctx, exit_code, exit_code == PSST_EXIT_REFUSED ? "refused" : "unreachable",
             words != NULL && words[0] != '\0' ? words : "the contact is not reachable", NULL);
}

static void dial(struct psst_calls *calls, struct psst_contact *contact)
{
    struct dialling *dialling = malloc(sizeof *dialling);
    if (dialling == NULL) {
        psst_call_end(calls, PSST_CALLED_FAILED, "out of memory");
        return;
    }
    *dialling = (struct dialling){calls, calls->call.number};
    psst_peers_dial(calls->d->peers, contact, NULL, dialled, dialling);
}

static const char *objection(const struct psst_calls *calls, char words[256], const char **name)
{
    struct psst_diag diag = {{0}};
    *name = "usage";
    if (psst_calls_sound_free(calls, &diag) != PSST_OK) {
        (void)snprintf(words, 256, "%s", diag.text);
        return words;
    }
    *name = "no-voice";
    if (!psst_voice_child_exists(calls->voice))
        return "psst-voice, which has the sound, is missing: it belongs beside psstd";
    if (calls->last_id < 0 || calls->closing) return "psstd is not ready for calls just now: try again";
    return NULL;
}

void psst_calls_call(struct psst_calls *calls, struct psst_contact *contact, struct psst_call_ends ends,
                     uint64_t client, psst_call_done *done, void *ctx)
{
    struct call *call = &calls->call;
    char room[256];
    const char *name;
    if (call->state == CALL_OFFERED && call->contact_id == contact->id) { /* he has been quicker */
        struct psst_diag diag = {{0}};
        if (psst_calls_answer(calls, contact, ends, client, &diag) == PSST_OK)
            done(ctx, 0, NULL, NULL, psst_calls_brief_json(calls));
        else
            done(ctx, PSST_EXIT_FAILED, "no-call", diag.text, NULL);
        return;
    }
    const char *words = objection(calls, room, &name);
    if (words != NULL) {
        psst_call_close_ends(&ends);
        done(ctx, strcmp(name, "usage") == 0 ? PSST_EXIT_USAGE : PSST_EXIT_FAILED, name, words, NULL);
        return;
    }
    psst_call_begin(calls, contact, true);
    call->ends = ends;
    call->client = client;
    call->done = done;
    call->ctx = ctx;
    call->state = CALL_DIALLING;
    if (contact->session != NULL)
        psst_call_offer(calls, contact->session, false);
    else
        dial(calls, contact);
}

/* ---- in ---- */

/* PSST_ERR_USAGE: there is no call of his in such a state. */
static enum psst_err find(const struct psst_calls *calls, const struct psst_contact *contact, bool offered,
                          struct psst_diag *diag)
{
    const struct call *call = &calls->call;
    bool his = contact == NULL || call->contact_id == contact->id;
    if (his && (offered ? call->state == CALL_OFFERED : call->state != CALL_NONE)) return PSST_OK;
    if (contact != NULL)
        return psst_fail(diag, PSST_ERR_USAGE, offered ? "%s does not call" : "there is no call with %s",
                         contact->alias);
    return psst_fail(diag, PSST_ERR_USAGE, "%s", offered ? "nobody calls" : "there is no call");
}

enum psst_err psst_calls_answer(struct psst_calls *calls, const struct psst_contact *contact,
                                struct psst_call_ends ends, uint64_t client, struct psst_diag *diag)
{
    enum psst_err err = find(calls, contact, true, diag);
    if (err != PSST_OK) {
        psst_call_close_ends(&ends);
        return err;
    }
    calls->call.ends = ends;
    calls->call.client = client;
    return accept_it(calls, diag);
}

enum psst_err psst_calls_decline(struct psst_calls *calls, const struct psst_contact *contact, struct psst_diag *diag)
{
    enum psst_err err = find(calls, contact, true, diag);
    if (err != PSST_OK) return err;
    struct psst_conn *conn = psst_call_conn(calls);
    if (conn != NULL &&
        psst_link_call_decline(psst_conn_link(conn), psst_daemon_now(calls->d), PSST_CALL_DECLINED) == PSST_OK)
        psst_conn_kick(conn);
    psst_call_end(calls, PSST_CALLED_DECLINED, "you declined");
    return PSST_OK;
}

static void hang_up(struct psst_calls *calls, const char *words)
{
    struct psst_conn *conn = psst_call_conn(calls);
    if (conn != NULL &&
        psst_link_call_hangup(psst_conn_link(conn), psst_daemon_now(calls->d), PSST_CALL_HUNG_UP) == PSST_OK)
        psst_conn_kick(conn);
    psst_call_end(calls, calls->call.state == CALL_ACTIVE ? PSST_CALLED_ENDED : PSST_CALLED_UNANSWERED, words);
}

enum psst_err psst_calls_hangup(struct psst_calls *calls, const struct psst_contact *contact, struct psst_diag *diag)
{
    enum psst_err err = find(calls, contact, false, diag);
    if (err != PSST_OK) return err;
    if (calls->call.state == CALL_OFFERED) return psst_calls_decline(calls, contact, diag);
    hang_up(calls, "you hung up");
    return PSST_OK;
}

static void on_deserted(uv_timer_t *timer)
{
    struct psst_calls *calls = timer->data;
    if (calls->call.state != CALL_NONE && calls->call.client == calls->gone)
        hang_up(calls, "the program that you called with has ended");
}

/* Later: it may go in the middle of being told of this very call. */
void psst_calls_client_gone(struct psst_calls *calls, uint64_t client)
{
    if (calls->closing || calls->call.state == CALL_NONE || calls->call.client != client) return;
    calls->gone = client;
    (void)uv_timer_start(&calls->deserted, on_deserted, 0, 0);
}

void psst_call_say_receiving(struct psst_calls *calls)
{
    struct psst_conn *conn = psst_call_conn(calls);
    if (conn != NULL &&
        psst_link_call_receiving(psst_conn_link(conn), psst_daemon_now(calls->d), calls->call.receive) == PSST_OK)
        psst_conn_kick(conn);
}

enum psst_err psst_calls_switch(struct psst_calls *calls, const bool *send, const bool *receive, const bool *ptt,
                                struct psst_diag *diag)
{
    struct call *call = &calls->call;
    if (call->state == CALL_NONE) return psst_fail(diag, PSST_ERR_USAGE, "there is no call");
    bool received = call->receive;
    if (send != NULL) call->send = *send;
    if (receive != NULL) call->receive = *receive;
    if (ptt != NULL) call->ptt = *ptt;
    if (call->state == CALL_ACTIVE && call->receive != received) psst_call_say_receiving(calls);
    psst_sound_set(calls, false);
    return PSST_OK;
}
