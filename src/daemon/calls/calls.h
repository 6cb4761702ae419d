/* Calls: what joins the core (proto/call.h), psst-voice (voice_child.h), UDP, the store and the user. docs/VOICE.md. Loop thread
 * only. This user has one call at a time.
 *
 *   user ---- call, answer, hang up ----> call.c ---> link: offer, ring, accept, hang up, ...
 *   link ---- PSST_EV_CALL -------------> wire.c ---> events to user interfaces, rows in the store (rows.c)
 *   psst-voice -- FRAME --> sound.c --> psst_link_voice --> udp.c, and the session
 *   udp.c, PSST_EV_VOICE --> sound.c --> FRAME --> psst-voice
 *
 * voice_child.h keeps a psst-voice at its job, voice_process.h is one of them; message.h is what it does beside calls.
 *
 * No timer, process or watch of a socket lives while there is no call.
 */
#ifndef PSST_DAEMON_CALLS_CALLS_H
#define PSST_DAEMON_CALLS_CALLS_H

#include "daemon/calls/voice_child.h"
#include "daemon/daemon.h"

PSST_MUST_USE enum psst_err psst_calls_new(struct psst_calls **out, struct psst_daemon *d);
void psst_calls_close(struct psst_calls *calls); /* its handles; free after the loop has run out */
void psst_calls_free(struct psst_calls *calls);
void psst_calls_loaded(struct psst_calls *calls);   /* unlocked */
void psst_calls_unloaded(struct psst_calls *calls); /* before the book is wiped; after the sessions have ended */
/* A setting of the sound was changed: a call that runs follows. afresh: which devices are used. */
void psst_calls_settings_changed(struct psst_calls *calls, bool afresh);

/* ---- for peers ---- */

/* PSST_EV_CALL and PSST_EV_VOICE, of a session with a contact. */
void psst_calls_event(struct psst_calls *calls, struct psst_conn *conn, const struct psst_event *ev);
/* This connection is about to be over for its contact: its call ends, with a word to the other side if there still can be one.
 * next: the session that takes its place, where a call of ours that nobody has answered yet goes on; NULL: none. */
void psst_calls_detached(struct psst_calls *calls, struct psst_conn *conn, struct psst_conn *next, const char *words);
/* Somebody talks over it. */
bool psst_calls_talks(const struct psst_calls *calls, const struct psst_conn *conn);

/* UDP on the address that TCP listens on, always: a port that is closed unless somebody talks would tell a stranger so (an ICMP
 * message answers). It is only read while there is a call; what is not read, the system drops without a word. */
struct psst_udp;
/* NULL: it cannot be had (logged). Voice then goes by TCP. */
struct psst_udp *psst_udp_open(struct psst_calls *calls, const union psst_sockaddr *at);
void psst_udp_close(struct psst_udp *udp); /* NULL is safe */

/* ---- for control ---- */

/* Descriptors are taken, also on failure; -1: that end is a device, as the settings say. */
struct psst_call_ends {
    int wav_in, wav_out;
};
void psst_call_close_ends(struct psst_call_ends *ends);
/* id: the row in the store; state as in events. PSST_OK when words is NULL; else exit_code and the error's name. */
typedef void psst_call_done(void *ctx, int exit_code, const char *name, const char *words, json_t *result);
/* client: the user interface that asks, for as long as whose life the call lasts. Dials when there is no session; done when the offer is out. A call of his that rings is answered. */
void psst_calls_call(struct psst_calls *calls, struct psst_contact *contact, struct psst_call_ends ends,
                     uint64_t client, psst_call_done *done, void *ctx);
/* contact NULL: whoever it is. PSST_ERR_USAGE: there is no such call, in words. */
PSST_MUST_USE enum psst_err psst_calls_answer(struct psst_calls *calls, const struct psst_contact *contact,
                                              struct psst_call_ends ends, uint64_t client, struct psst_diag *diag);
/* The user interface with this number is gone: a call that it made or answered is hung up. A microphone is not open for long
 * with nobody in front of it. */
void psst_calls_client_gone(struct psst_calls *calls, uint64_t client);
PSST_MUST_USE enum psst_err psst_calls_decline(struct psst_calls *calls, const struct psst_contact *contact,
                                               struct psst_diag *diag);
PSST_MUST_USE enum psst_err psst_calls_hangup(struct psst_calls *calls, const struct psst_contact *contact,
                                              struct psst_diag *diag);
/* Of the call that runs: PSST_ERR_USAGE when there is none. NULL: as it is. */
PSST_MUST_USE enum psst_err psst_calls_switch(struct psst_calls *calls, const bool *send, const bool *receive,
                                              const bool *ptt, struct psst_diag *diag);

/* "ended", "missed", ...; "": it runs. */
const char *psst_call_result_name(enum psst_called result);
/* {id, name, state}; null: no call. A new reference, as are the next two. */
json_t *psst_calls_brief_json(const struct psst_calls *calls);
/* What `voice` answers with (docs/IPC.md). */
json_t *psst_calls_voice_json(const struct psst_calls *calls);
/* Its `call` alone, for `status`. */
json_t *psst_calls_call_json(const struct psst_calls *calls);

/* ---- for the other jobs of psst-voice (message.c) ---- */

/* PSST_ERR_USAGE, "a call is under way", when psst-voice has something to do. A call that comes in while it is not a call rings
 * without a tone, and ends it when it is answered (`heard` then gets a DONE with result 1). */
PSST_MUST_USE enum psst_err psst_calls_sound_free(const struct psst_calls *calls, struct psst_diag *diag);
struct psst_voice_child *psst_calls_voice(const struct psst_calls *calls);
/* Fills kinds, devices and settings from the settings, and which descriptors: a wav where there is one. */
void psst_calls_fill_work(const struct psst_calls *calls, const struct psst_call_ends *ends,
                          struct psst_voice_work *work);

#endif
