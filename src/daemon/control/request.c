/* Requests: begun, held while the identity opens, run, and answered - now or much later, also when who asked is gone. */
#include "daemon/control/internal.h"

#include "daemon/rescue.h"

#include <stdlib.h>

#define HELD_MS 20

static psst_control_handler *const handlers[PSST_METHOD_COUNT] = {
    [PSST_METHOD_HELLO] = psst_control_hello,
    [PSST_METHOD_STATUS] = psst_control_status,
    [PSST_METHOD_INIT] = psst_control_init,
    [PSST_METHOD_UNLOCK] = psst_control_unlock,
    [PSST_METHOD_LOCK] = psst_control_lock,
    [PSST_METHOD_PASSWD] = psst_control_passwd,
    [PSST_METHOD_BACKUP] = psst_control_backup,
    [PSST_METHOD_BACKUP_CHECK] = psst_control_backup_check,
    [PSST_METHOD_RESTORE] = psst_control_restore,
    [PSST_METHOD_SHUTDOWN] = psst_control_shutdown,
    [PSST_METHOD_SETTINGS] = psst_control_settings,
    [PSST_METHOD_SET] = psst_control_set,
    [PSST_METHOD_CARD] = psst_control_card,
    [PSST_METHOD_INSPECT] = psst_control_inspect,
    [PSST_METHOD_ADD] = psst_control_add,
    [PSST_METHOD_CONTACTS] = psst_control_contacts,
    [PSST_METHOD_CONTACT_REMOVE] = psst_control_remove,
    [PSST_METHOD_CONTACT_BLOCK] = psst_control_block,
    [PSST_METHOD_CONTACT_UNBLOCK] = psst_control_unblock,
    [PSST_METHOD_CONTACT_PAUSE] = psst_control_pause,
    [PSST_METHOD_CONTACT_UNPAUSE] = psst_control_unpause,
    [PSST_METHOD_CONTACT_RENAME] = psst_control_rename,
    [PSST_METHOD_CONTACT_ADDRESS] = psst_control_address,
    [PSST_METHOD_CONTACT_RECONNECT] = psst_control_reconnect,
    [PSST_METHOD_CONTACT_HISTORY] = psst_control_history,
    [PSST_METHOD_CONTACT_FORGET] = psst_control_forget,
    [PSST_METHOD_CONTACT_RECEIPTS] = psst_control_receipts,
    [PSST_METHOD_SAFETY] = psst_control_safety,
    [PSST_METHOD_CONTACT_VERIFIED] = psst_control_verified,
    [PSST_METHOD_DIAL] = psst_control_dial,
    [PSST_METHOD_HANGUP] = psst_control_hangup,
    [PSST_METHOD_SAY] = psst_control_say,
    [PSST_METHOD_LOG] = psst_control_log,
    [PSST_METHOD_SHOWN] = psst_control_shown,
    [PSST_METHOD_CHECK] = psst_control_check,
    [PSST_METHOD_OUTBOX] = psst_control_outbox,
    [PSST_METHOD_RECALL] = psst_control_recall,
    [PSST_METHOD_SEND] = psst_control_send,
    [PSST_METHOD_FILES] = psst_control_files,
    [PSST_METHOD_FILE_ACCEPT] = psst_control_accept,
    [PSST_METHOD_FILE_DECLINE] = psst_control_decline,
    [PSST_METHOD_FILE_CANCEL] = psst_control_file_cancel,
    [PSST_METHOD_FILE_PAUSE] = psst_control_file_pause,
    [PSST_METHOD_FILE_RESUME] = psst_control_file_resume,
    [PSST_METHOD_FILE_FIRST] = psst_control_file_first,
    [PSST_METHOD_PRESENCE] = psst_control_presence,
    [PSST_METHOD_MEET] = psst_control_meet,
    [PSST_METHOD_MEETS] = psst_control_meets,
    [PSST_METHOD_MEET_CANCEL] = psst_control_meet_cancel,
    [PSST_METHOD_CALL] = psst_control_call,
    [PSST_METHOD_ANSWER] = psst_control_answer,
    [PSST_METHOD_DECLINE] = psst_control_call_decline,
    [PSST_METHOD_CALL_HANGUP] = psst_control_call_hangup,
    [PSST_METHOD_CALLS] = psst_control_calls,
    [PSST_METHOD_VOICE] = psst_control_voice,
    [PSST_METHOD_VOICE_SET] = psst_control_voice_set,
    [PSST_METHOD_DEVICES] = psst_control_devices,
    [PSST_METHOD_SOUNDCHECK] = psst_control_soundcheck,
    [PSST_METHOD_VOICE_RECORD] = psst_control_voice_record,
    [PSST_METHOD_VOICE_STOP] = psst_control_voice_stop,
    [PSST_METHOD_PLAY] = psst_control_play,
    [PSST_METHOD_SUBSCRIBE] = psst_control_subscribe,
};

/* ---- life ---- */

static void run_later(struct psst_control *control, uint64_t ms)
{
    if (control->closed || (uv_is_active((uv_handle_t *)&control->later) && ms > 0)) return;
    (void)uv_timer_start(&control->later, psst_control_on_later, ms, 0);
}

void psst_control_request_free(struct psst_request *req)
{
    struct psst_control_client *client = req->client;
    if (req->prev != NULL)
        req->prev->next = req->next;
    else
        req->control->requests = req->next;
    if (req->next != NULL) req->next->prev = req->prev;
    if (client != NULL && !client->closing) {
        /* lines that came while it was paused are taken from the loop, not from inside whoever answers */
        if (client->pending-- == PSST_CONTROL_REQUESTS) run_later(req->control, 0);
        psst_control_client_watch(client);
    }
    psst_fds_close(req->fds, req->n_fds);
    json_decref(req->id);
    json_decref(req->params);
    free(req);
}

static void request_answer(struct psst_request *req, json_t *object)
{
    if (req->client == NULL || req->client->closing) {
        json_decref(object);
    } else if (psst_control_client_put(req->client, object) == PSST_ERR_TOO_LONG) {
        json_t *error = psst_rpc_error(req->id, PSST_RPC_OURS + PSST_EXIT_FAILED, PSST_EXIT_FAILED, "too-long",
                                       "the answer is too long for one line");
        (void)psst_control_client_put(req->client, error);
    }
    psst_control_request_free(req);
}

void psst_request_result(struct psst_request *req, json_t *result)
{
    request_answer(req, psst_rpc_result(req->id, result));
}

void psst_request_error(struct psst_request *req, enum psst_exit exit_code, const char *name, const char *words)
{
    request_answer(req, psst_rpc_error(req->id, PSST_RPC_OURS + (int)exit_code, exit_code, name, words));
}

void psst_request_invalid(struct psst_request *req, const char *words)
{
    request_answer(req, psst_rpc_error(req->id, PSST_RPC_INVALID_PARAMS, PSST_EXIT_USAGE, "invalid-params", words));
}

static const char *words_for(enum psst_err err)
{
    switch (err) {
    case PSST_ERR_LOCKED: return "the identity is locked: psst unlock";
    case PSST_ERR_PASSPHRASE: return "the passphrase is wrong";
    case PSST_ERR_MEMORY: return "out of memory";
    case PSST_ERR_DISK_FULL: return "not saved: the disk is full";
    case PSST_ERR_NOT_FOUND: return "there is no such thing";
    case PSST_ERR_EXISTS: return "it is there already";
    case PSST_ERR_DAMAGED: return "a file of the identity is damaged";
    case PSST_ERR_IO: return "the system refused: see the log";
    default: return "it failed: see the log";
    }
}

void psst_request_finish(struct psst_request *req, enum psst_err err, const char *words)
{
    char damaged[PSST_RESCUE_WORDS_SIZE];
    /* what SQLite says of damage helps nobody */
    bool rescue = psst_identity_state(req->daemon->identity) == PSST_IDENTITY_RESCUE;
    bool names_it = req->method == PSST_METHOD_CHECK && !rescue; /* that is what it was asked for */
    bool history = psst_methods[req->method].needs >= PSST_NEEDS_HISTORY && !names_it;
    if (err == PSST_ERR_DAMAGED && history) {
        psst_rescue_words(req->daemon, damaged);
        words = damaged;
    }
    if (err == PSST_ERR_DISK_FULL && history) words = NULL; /* nor of a disk that takes no more */
    if (err == PSST_OK)
        psst_request_result(req, NULL);
    else
        psst_request_error(req, psst_rpc_exit_of(err), psst_err_name(err),
                           words != NULL && words[0] != '\0' ? words : words_for(err));
}

void psst_request_done(void *ctx, enum psst_err err, const char *words)
{
    psst_request_finish(ctx, err, words);
}

void psst_control_progress(struct psst_request *req, unsigned tried)
{
    if (req->client == NULL || req->client->closing) return;
    json_t *params = json_pack("{s:I}", "tried", (json_int_t)tried);
    (void)psst_control_client_put(req->client, psst_rpc_event("init.progress", params));
}

/* Runs the handler, or refuses, or holds the request while the identity is being opened. */
static void dispatch(struct psst_request *req)
{
    enum psst_needs needs = psst_methods[req->method].needs;
    enum psst_identity_state state = psst_identity_state(req->daemon->identity);
    if (req->daemon->stopping && needs != PSST_NEEDS_NOTHING) {
        psst_request_error(req, PSST_EXIT_LOCKED, "stopping", "psstd is stopping");
    } else if (needs != PSST_NEEDS_NOTHING && state == PSST_IDENTITY_NONE) {
        psst_request_error(req, PSST_EXIT_LOCKED, "no-identity", "there is no identity yet: psst init");
    } else if (needs != PSST_NEEDS_NOTHING && state == PSST_IDENTITY_OPENING) {
        req->state = req->control->held;
        req->control->held = req;
        run_later(req->control, HELD_MS);
    } else if (needs == PSST_NEEDS_UNLOCKED && state == PSST_IDENTITY_RESCUE) {
        psst_request_finish(req, PSST_ERR_DAMAGED, NULL);
    } else if (needs >= PSST_NEEDS_HISTORY && state < PSST_IDENTITY_UNLOCKED) {
        psst_request_finish(req, PSST_ERR_LOCKED, NULL);
    } else {
        handlers[req->method](req);
    }
}

void psst_control_on_later(uv_timer_t *timer)
{
    struct psst_control *control = timer->data;
    struct psst_request *held = control->held;
    control->held = NULL;
    /* they were put in front one after the other: turned round, they run in their order */
    struct psst_request *in_order = NULL;
    while (held != NULL) {
        struct psst_request *next = held->state;
        held->state = in_order;
        in_order = held;
        held = next;
    }
    while (in_order != NULL) {
        struct psst_request *next = in_order->state;
        in_order->state = NULL;
        dispatch(in_order);
        in_order = next;
    }
    struct psst_control_client *next_client;
    for (struct psst_control_client *client = control->clients; client != NULL; client = next_client) {
        next_client = client->next;
        psst_control_client_work_off(client);
    }
}

/* NULL: refused. */
static struct psst_request *request_new(struct psst_control_client *client, const struct psst_rpc *rpc)
{
    enum psst_method method = psst_method_find(rpc->method);
    if (method == PSST_METHOD_COUNT) {
        psst_control_refuse_line(client, rpc->id, PSST_RPC_NO_METHOD, "there is no such method");
        return NULL;
    }
    const json_t *fds = json_object_get(rpc->params, "fds");
    json_int_t n = json_integer_value(fds);
    struct psst_request *req = calloc(1, sizeof *req);
    if (req == NULL) {
        psst_control_refuse_line(client, rpc->id, PSST_RPC_OURS + PSST_EXIT_FAILED, "out of memory");
        return NULL;
    }
    bool fits = (fds == NULL || json_is_integer(fds)) && n >= 0 && n <= (json_int_t)psst_methods[method].max_fds;
    if (!fits || psst_lines_take_fds(&client->lines, req->fds, (size_t)n) != PSST_OK) {
        psst_control_refuse_line(client, rpc->id, PSST_RPC_INVALID_PARAMS,
                                 "fds is not the number of descriptors that came along");
        free(req);
        return NULL;
    }
    req->n_fds = (size_t)n;
    req->method = method;
    req->client = client;
    req->client_number = client->number;
    req->control = client->control;
    req->daemon = client->control->daemon;
    req->id = json_incref(rpc->id);
    req->params = rpc->params != NULL ? json_incref(rpc->params) : json_object();
    return req;
}

void psst_control_request_begin(struct psst_control_client *client, const struct psst_rpc *rpc)
{
    struct psst_request *req = request_new(client, rpc);
    if (req == NULL) return;
    req->next = req->control->requests;
    if (req->next != NULL) req->next->prev = req;
    req->control->requests = req;
    client->pending++;
    dispatch(req);
}
