/* Methods about psstd itself: hello, status, shutdown, settings, set, subscribe. */
#include "daemon/calls/calls.h"
#include "daemon/control/control.h"
#include "daemon/meet.h"
#include "daemon/presence.h"

#include "daemon/reconnect/reconnect.h"
#include "daemon/rescue.h"

#include <unistd.h>

#ifndef PSST_VERSION
#define PSST_VERSION "0"
#endif

void psst_control_hello(struct psst_request *req)
{
    int64_t version;
    if (!psst_request_int(req, "version", 1, 1000000, PSST_IPC_VERSION, &version)) return;
    if (version != PSST_IPC_VERSION) {
        psst_request_error(req, PSST_EXIT_FAILED, "version",
                           "this psstd speaks another version of the control protocol: restart it with psst down");
        return;
    }
    psst_request_result(req, json_pack("{s:i, s:s, s:i}", "version", PSST_IPC_VERSION, "program", "psstd " PSST_VERSION,
                                       "pid", (int)getpid()));
}

static json_t *identity_json(struct psst_identity *identity)
{
    const struct psst_rsa_public *key = psst_identity_key(identity);
    if (key == NULL) return json_null();
    char fingerprint[PSST_FPR_TEXT_LEN];
    psst_fpr_text(fingerprint, psst_rsa_public_fpr(key));
    unsigned bits = psst_rsa_public_bits(key);
    return json_pack("{s:o, s:s, s:i, s:b, s:b, s:b}", "name", psst_rpc_words(psst_identity_name(identity)),
                     "fingerprint", fingerprint, "bits", (int)bits, "weak", bits < PSST_RSA_WEAK_BITS, "locked",
                     psst_identity_state(identity) < PSST_IDENTITY_UNLOCKED, "encrypted",
                     psst_identity_encrypted(identity));
}

/* Of contacts; none while locked. */
static json_t *paused_json(struct psst_book *book)
{
    json_t *list = json_array();
    for (const struct psst_contact *c = psst_book_first(book); c != NULL; c = c->next)
        if (c->paused) (void)json_array_append_new(list, json_string(c->alias));
    return list;
}

/* Adds what there is only while the identity is open. */
static json_t *with_company(json_t *status, const struct psst_daemon *d)
{
    if (status == NULL || psst_identity_state(d->identity) != PSST_IDENTITY_UNLOCKED) return status;
    (void)json_object_set_new(status, "presence", psst_presence_own_json(d));
    (void)json_object_set_new(status, "call", psst_calls_call_json(d->calls));
    (void)json_object_set_new(status, "meets", psst_meets_json(d->meets, NULL));
    return status;
}

/* What happened last around us; null: nothing yet. */
static json_t *with_network(json_t *status, const struct psst_daemon *d)
{
    if (status != NULL) (void)json_object_set_new(status, "network", psst_reconnect_network(d->reconnect));
    return status;
}

void psst_control_status(struct psst_request *req)
{
    struct psst_daemon *d = req->daemon;
    json_t *status = json_pack("{s:i, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "pid", (int)getpid(), "version",
                               PSST_VERSION, "identity", identity_json(d->identity), "history", psst_rescue_json(d),
                               "listen", psst_peers_listening(d->peers), "sessions", psst_peers_sessions(d->peers),
                               "paused", paused_json(d->book), "counters", psst_daemon_counters(d));
    psst_request_result(req, with_company(with_network(status, d), d));
}

void psst_control_shutdown(struct psst_request *req)
{
    struct psst_daemon *d = req->daemon;
    if (req->client != NULL) psst_control_keep_to_the_end(req->client);
    psst_request_result(req, NULL);
    psst_daemon_stop(d);
}

void psst_control_settings(struct psst_request *req)
{
    psst_request_result(req, psst_settings_all(req->daemon->settings));
}

/* When the daemon cannot follow the new value, the old one is put back. */
static enum psst_err set_and_follow(struct psst_daemon *d, const char *key, const char *value, struct psst_diag *diag)
{
    struct psst_buf before;
    psst_buf_init(&before, 65536);
    psst_buf_put_str(&before, psst_settings_get(d->settings, key));
    psst_buf_put_u8(&before, 0);
    enum psst_err err = before.failed ? PSST_ERR_MEMORY : psst_settings_set(d->settings, key, value, diag);
    if (err == PSST_OK) {
        err = psst_daemon_setting_changed(d, key, diag);
        if (err != PSST_OK && (psst_settings_set(d->settings, key, (const char *)before.data, NULL) != PSST_OK ||
                               psst_daemon_setting_changed(d, key, NULL) != PSST_OK))
            psst_log(&d->log, PSST_LOG_WARNING, "setting-not-restored", "key=%s", key);
    }
    psst_buf_fini(&before);
    return err;
}

void psst_control_set(struct psst_request *req)
{
    struct psst_daemon *d = req->daemon;
    const char *key = psst_request_string(req, "key");
    if (key == NULL) return;
    const json_t *value = json_object_get(req->params, "value");
    if (value != NULL && !json_is_string(value) && !json_is_null(value)) {
        psst_request_invalid(req, "value: a string or null is wanted");
        return;
    }
    const char *text = json_string_value(value);
    if (psst_settings_get(d->settings, key) == NULL) {
        psst_request_error(req, PSST_EXIT_USAGE, "no-setting", "there is no such setting: psst set shows them all");
        return;
    }
    struct psst_diag diag = {{0}};
    enum psst_err err = set_and_follow(d, key, text, &diag);
    if (err != PSST_OK)
        psst_request_finish(req, err, diag.text);
    else
        psst_request_result(req, json_pack("{s:o}", "value", psst_rpc_words(psst_settings_get(d->settings, key))));
}

void psst_control_subscribe(struct psst_request *req)
{
    const json_t *list = json_object_get(req->params, "events");
    unsigned events = list == NULL ? ((1u << PSST_IPC_EVENTS) - 1) & ~(1u << PSST_IPC_EVENT_VOICE) : 0;
    bool good = list == NULL || json_is_array(list);
    for (size_t i = 0; good && i < json_array_size(list); i++) {
        const char *name = json_string_value(json_array_get(list, i));
        enum psst_ipc_event event = name != NULL ? psst_ipc_event_find(name) : PSST_IPC_EVENTS;
        good = event != PSST_IPC_EVENTS;
        if (good) events |= 1u << event;
    }
    if (!good) {
        psst_request_invalid(req, "events: a list of known events is wanted");
        return;
    }
    if (req->client != NULL) psst_control_subscribe_client(req->client, events);
    psst_request_result(req, NULL);
}
