/* Methods about sound beside calls: devices, soundcheck, voice.record, voice.stop, play. */
#include "daemon/control/control.h"

#include "daemon/calls/message.h"

#define RECORD_MAX_S 300
#define CHECK_MAX_S  30
#define CHECK_S      5

static void done(void *ctx, enum psst_err err, const char *name, const char *words, json_t *result)
{
    struct psst_request *req = ctx;
    if (err == PSST_OK)
        psst_request_result(req, result);
    else if (name != NULL)
        psst_request_error(req, PSST_EXIT_FAILED, name, words);
    else
        psst_request_finish(req, err, words);
}

void psst_control_devices(struct psst_request *req)
{
    psst_messages_devices(req->daemon->messages, req->client_number, done, req);
}

void psst_control_soundcheck(struct psst_request *req)
{
    int64_t seconds;
    struct psst_call_ends ends;
    if (psst_request_int(req, "seconds", 1, CHECK_MAX_S, CHECK_S, &seconds) && psst_request_ends(req, &ends))
        psst_messages_check(req->daemon->messages, (unsigned)seconds, ends, req->client_number, done, req);
}

void psst_control_voice_record(struct psst_request *req)
{
    int64_t seconds;
    struct psst_call_ends ends;
    const struct psst_contact *contact = psst_request_contact(req, "name");
    if (contact == NULL || !psst_request_int(req, "seconds", 1, RECORD_MAX_S, RECORD_MAX_S, &seconds)) return;
    if (psst_request_ends(req, &ends))
        psst_messages_record(req->daemon->messages, contact, (unsigned)seconds, ends, req->client_number, done, req);
}

void psst_control_voice_stop(struct psst_request *req)
{
    enum psst_err err = psst_messages_stop(req->daemon->messages, psst_request_bool(req, "discard"));
    if (err == PSST_OK)
        psst_request_result(req, NULL);
    else
        psst_request_error(req, PSST_EXIT_FAILED, "not-found", "nothing is recorded or played");
}

void psst_control_play(struct psst_request *req)
{
    int64_t id;
    struct psst_call_ends ends;
    if (psst_request_int(req, "id", 1, INT64_MAX, 0, &id) && psst_request_ends(req, &ends))
        psst_messages_play(req->daemon->messages, id, ends, req->client_number, done, req);
}
