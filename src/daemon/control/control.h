/* The control socket inside psstd: what control.c gives to the rest of the daemon, and to its own methods
 * (a file for each subject). Loop thread only.
 *
 *   socket -> client (lines) -> request -> table of methods -> handler ... later ... -> psst_request_result / _error
 *
 * A request lives until it is answered, also when its client is gone by then; whoever began something asynchronous for
 * it never has to ask.
 */
#ifndef PSST_DAEMON_CONTROL_CONTROL_H
#define PSST_DAEMON_CONTROL_CONTROL_H

#include "daemon/daemon.h"
#include "ipc/methods.h"
#include "ipc/rpc.h"

#define PSST_CONTROL_CLIENTS  32 /* user interfaces at once */
#define PSST_CONTROL_REQUESTS 64 /* unanswered requests of one client; then it is not read until some are answered */

/* A contact as docs/IPC.md shows it; new reference. */
json_t *psst_contact_json(const struct psst_contact *contact);

/* ---- for the methods ---- */

struct psst_control_client;

struct psst_request {
    struct psst_daemon *daemon;
    struct psst_control *control;
    struct psst_control_client *client; /* NULL: gone */
    uint64_t client_number;             /* its number, also then; no other one ever has it */
    enum psst_method method;
    json_t *id;
    json_t *params; /* an object, never NULL */
    int fds[PSST_LINE_FDS];
    size_t n_fds;
    void *state; /* the handler's own, freed by it */
    struct psst_request *next, *prev;
};

/* Each handler answers exactly once, now or later, by one of these; the request is gone afterwards. */
void psst_request_result(struct psst_request *req, json_t *result); /* takes; NULL: an empty object */
void psst_request_error(struct psst_request *req, enum psst_exit exit_code, const char *name, const char *words);
/* From an error of ours: OK gives an empty result. words may be NULL. */
void psst_request_finish(struct psst_request *req, enum psst_err err, const char *words);
void psst_request_invalid(struct psst_request *req, const char *words); /* invalid params */
/* As psst_identity_done and psst_book_done: ctx is the request. */
void psst_request_done(void *ctx, enum psst_err err, const char *words);

/* A notification to the asking client alone: `init.progress`. */
void psst_control_progress(struct psst_request *req, unsigned tried);

/* Params. A string that must be there: NULL when it is not, and the request has been answered. */
const char *psst_request_string(struct psst_request *req, const char *key);
/* The contact that params name under key; NULL: there is none, answered. */
struct psst_contact *psst_request_contact(struct psst_request *req, const char *key);
bool psst_request_bool(const struct psst_request *req, const char *key);
/* An integer in [lo, hi], def when it is missing; false: it is something else, answered. */
bool psst_request_int(struct psst_request *req, const char *key, int64_t lo, int64_t hi, int64_t def, int64_t *out);
/* A list of addresses, normalised; missing gives n 0. false: answered. */
struct psst_address_list {
    char at[PSST_ADDRESSES_MAX][PSST_ADDRESS_MAX + 1];
    size_t n;
};
bool psst_request_addresses(struct psst_request *req, const char *key, struct psst_address_list *out);
/* The next descriptor that came along, now the caller's; -1: no more. */
int psst_request_fd(struct psst_request *req);
/* control/calls.c: the wavs that params announce (wav_in, wav_out), in this order, now the caller's. False: the descriptors are not
 * as many, answered: a microphone is never opened in the place of a file. */
struct psst_call_ends;
bool psst_request_ends(struct psst_request *req, struct psst_call_ends *out);

typedef void psst_control_handler(struct psst_request *req);
/* control/status.c */
psst_control_handler psst_control_hello, psst_control_status, psst_control_shutdown, psst_control_settings,
    psst_control_set, psst_control_subscribe;
/* control/identity.c */
psst_control_handler psst_control_init, psst_control_unlock, psst_control_lock, psst_control_passwd;
/* control/backup.c */
psst_control_handler psst_control_backup, psst_control_backup_check, psst_control_restore;
/* control/cards.c */
psst_control_handler psst_control_card, psst_control_inspect, psst_control_add, psst_control_safety;
/* control/contacts.c */
psst_control_handler psst_control_contacts, psst_control_remove, psst_control_block, psst_control_unblock,
    psst_control_pause, psst_control_unpause, psst_control_rename, psst_control_address, psst_control_reconnect,
    psst_control_receipts, psst_control_verified;
/* control/messages.c */
psst_control_handler psst_control_dial, psst_control_hangup, psst_control_say, psst_control_shown, psst_control_check;
/* control/log.c */
psst_control_handler psst_control_log, psst_control_history, psst_control_forget;
/* control/presence.c */
psst_control_handler psst_control_meet, psst_control_meets, psst_control_meet_cancel;
psst_control_handler psst_control_presence;
/* control/outbox.c */
psst_control_handler psst_control_outbox, psst_control_recall;
/* control/files.c */
psst_control_handler psst_control_send, psst_control_files, psst_control_accept, psst_control_decline,
    psst_control_file_cancel, psst_control_file_pause, psst_control_file_resume, psst_control_file_first;
/* control/calls.c */
psst_control_handler psst_control_call, psst_control_answer, psst_control_call_decline, psst_control_call_hangup,
    psst_control_calls, psst_control_voice, psst_control_voice_set;
/* control/sound.c */
psst_control_handler psst_control_devices, psst_control_soundcheck, psst_control_voice_record, psst_control_voice_stop,
    psst_control_play;

/* Whether anybody has subscribed to it: what costs something is made only then. */
bool psst_control_wanted(const struct psst_control *control, enum psst_ipc_event event);
/* Which events this client wants: a bit for each enum psst_ipc_event. */
void psst_control_subscribe_client(struct psst_control_client *client, unsigned events);
/* From now on this client's socket is closed only when psstd is gone. */
void psst_control_keep_to_the_end(struct psst_control_client *client);

#endif
