/* Methods about calls: call, answer, decline, call.hangup, calls, voice, voice.set. */
#include "daemon/calls/calls.h"
#include "daemon/control/control.h"

#include <stdio.h>
#include <stdlib.h>

#define CALLS_MAX 1000 /* of one answer */

/* ---- a call ---- */

bool psst_request_ends(struct psst_request *req, struct psst_call_ends *ends)
{
    bool in = psst_request_bool(req, "wav_in"), out = psst_request_bool(req, "wav_out");
    *ends = (struct psst_call_ends){-1, -1};
    if (req->n_fds != (size_t)in + (size_t)out) {
        psst_request_invalid(req, "wav_in, wav_out: each is to bring a descriptor");
        return false;
    }
    if (in) ends->wav_in = psst_request_fd(req);
    if (out) ends->wav_out = psst_request_fd(req);
    return true;
}

/* NULL when it was left out; false: there is no such contact, answered. */
static bool maybe_contact(struct psst_request *req, struct psst_contact **contact)
{
    *contact = NULL;
    if (json_object_get(req->params, "name") == NULL) return true;
    *contact = psst_request_contact(req, "name");
    return *contact != NULL;
}

static void called(void *ctx, int exit_code, const char *name, const char *words, json_t *result)
{
    struct psst_request *req = ctx;
    if (exit_code == 0)
        psst_request_result(req, result);
    else
        psst_request_error(req, (enum psst_exit)exit_code, name, words);
}

void psst_control_call(struct psst_request *req)
{
    struct psst_call_ends ends;
    struct psst_contact *contact = psst_request_contact(req, "name");
    if (contact == NULL) return;
    if (contact->blocked) {
        char words[200];
        (void)snprintf(words, sizeof words, "%s is blocked by you: psst unblock %s", contact->alias, contact->alias);
        psst_request_error(req, PSST_EXIT_FAILED, "blocked", words);
        return;
    }
    if (psst_request_ends(req, &ends))
        psst_calls_call(req->daemon->calls, contact, ends, req->client_number, called, req);
}

void psst_control_answer(struct psst_request *req)
{
    struct psst_calls *calls = req->daemon->calls;
    struct psst_contact *contact;
    struct psst_call_ends ends;
    struct psst_diag diag = {{0}};
    if (!maybe_contact(req, &contact) || !psst_request_ends(req, &ends)) return;
    enum psst_err err = psst_calls_answer(calls, contact, ends, req->client_number, &diag);
    if (err == PSST_OK)
        psst_request_result(req, psst_calls_brief_json(calls));
    else
        psst_request_error(req, PSST_EXIT_FAILED, "no-call", diag.text);
}

typedef enum psst_err end_call(struct psst_calls *calls, const struct psst_contact *contact, struct psst_diag *diag);

static void end(struct psst_request *req, end_call *how)
{
    struct psst_contact *contact;
    struct psst_diag diag = {{0}};
    if (!maybe_contact(req, &contact)) return;
    if (how(req->daemon->calls, contact, &diag) == PSST_OK)
        psst_request_result(req, NULL);
    else
        psst_request_error(req, PSST_EXIT_FAILED, "no-call", diag.text);
}

void psst_control_call_decline(struct psst_request *req)
{
    end(req, psst_calls_decline);
}

void psst_control_call_hangup(struct psst_request *req)
{
    end(req, psst_calls_hangup);
}

/* ---- the list ---- */

struct list_job {
    struct psst_request *req;
    int64_t contact_id;
    size_t limit, n;
    bool mark; /* not in a damaged history, which is only read */
    struct psst_call_row rows[CALLS_MAX];
};

static enum psst_err take_row(void *ctx, const struct psst_call_row *row)
{
    struct list_job *job = ctx;
    if (job->n < job->limit) job->rows[job->n++] = *row;
    return PSST_OK;
}

static enum psst_err list_work(struct psst_store *store, void *arg)
{
    struct list_job *job = arg;
    enum psst_err err = psst_store_call_list(store, job->contact_id, 0, job->limit, take_row, job);
    if (err != PSST_OK || job->n == 0 || !job->mark) return err;
    return psst_store_call_seen(store, job->contact_id, job->rows[job->n - 1].id, job->rows[0].id);
}

static json_t *row_json(const struct psst_contact *contact, const struct psst_call_row *row)
{
    bool talked = row->answered_ms != 0 && row->ended_ms > row->answered_ms;
    return json_pack("{s:I, s:s, s:s, s:I, s:I, s:I, s:I, s:s, s:b}", "id", (json_int_t)row->id, "name", contact->alias,
                     "direction", row->direction == PSST_OUT ? "out" : "in", "began", (json_int_t)row->began_ms,
                     "answered", (json_int_t)row->answered_ms, "ended", (json_int_t)row->ended_ms, "seconds",
                     (json_int_t)(talked ? (row->ended_ms - row->answered_ms) / 1000 : 0), "result",
                     psst_call_result_name(row->result), "seen", row->seen);
}

static void list_done(void *arg, enum psst_err err, const char *words)
{
    struct list_job *job = arg;
    struct psst_request *req = job->req;
    if (err == PSST_OK) {
        json_t *list = json_array();
        for (size_t i = 0; i < job->n; i++) {
            const struct psst_contact *contact = psst_book_by_id(req->daemon->book, job->rows[i].contact_id);
            if (contact != NULL) (void)json_array_append_new(list, row_json(contact, &job->rows[i]));
        }
        psst_request_result(req, json_pack("{s:o}", "calls", list));
    } else {
        psst_request_finish(req, err, words);
    }
    free(job);
}

void psst_control_calls(struct psst_request *req)
{
    struct psst_contact *contact;
    int64_t limit;
    if (!maybe_contact(req, &contact) || !psst_request_int(req, "limit", 1, CALLS_MAX, 50, &limit)) return;
    struct list_job *job = malloc(sizeof *job);
    if (job == NULL) {
        psst_request_finish(req, PSST_ERR_MEMORY, NULL);
        return;
    }
    job->req = req;
    job->contact_id = contact != NULL ? contact->id : 0;
    job->limit = (size_t)limit;
    job->n = 0;
    job->mark = psst_identity_state(req->daemon->identity) == PSST_IDENTITY_UNLOCKED;
    psst_store_run(req->daemon->store, list_work, list_done, job);
}

/* ---- voice ---- */

void psst_control_voice(struct psst_request *req)
{
    psst_request_result(req, psst_calls_voice_json(req->daemon->calls));
}

/* A param of `voice.set` and the setting that keeps it. */
static const struct kept {
    const char *param, *key;
    bool afresh; /* the devices are opened anew */
} kept[] = {
    {"sense", "voice_sense", false},    {"quality", "voice_quality", false}, {"volume", "voice_volume", false},
    {"microphone", "microphone", true}, {"speaker", "speaker", true},        {"echo", "echo", false},
    {"clean", "clean", false},
};

/* As the file has it; NULL: it is of no such kind. */
static const char *written(const json_t *value, char room[32])
{
    if (json_is_string(value)) return json_string_value(value);
    if (json_is_boolean(value)) return json_is_true(value) ? "yes" : "no";
    if (!json_is_integer(value)) return NULL;
    (void)snprintf(room, 32, "%lld", (long long)json_integer_value(value));
    return room;
}

/* False: answered. */
static bool keep(struct psst_request *req, const struct kept *k)
{
    struct psst_daemon *d = req->daemon;
    const json_t *value = json_object_get(req->params, k->param);
    char room[32];
    if (value == NULL) return true;
    const char *text = written(value, room);
    struct psst_diag diag = {{0}};
    if (text == NULL) {
        psst_request_invalid(req, "a string, a number or a boolean is wanted");
        return false;
    }
    if (strcmp(text, psst_settings_get(d->settings, k->key)) == 0) return true;
    enum psst_err err = psst_settings_set(d->settings, k->key, text, &diag);
    if (err == PSST_OK) {
        psst_calls_settings_changed(d->calls, k->afresh);
        return true;
    }
    psst_request_finish(req, err, diag.text);
    return false;
}

/* A boolean that may be missing. False: it is none, answered. */
static bool maybe_bool(struct psst_request *req, const char *key, bool *room, const bool **out)
{
    const json_t *value = json_object_get(req->params, key);
    *out = NULL;
    if (value == NULL) return true;
    if (!json_is_boolean(value)) {
        psst_request_invalid(req, "send, receive, ptt: a boolean is wanted");
        return false;
    }
    *room = json_is_true(value);
    *out = room;
    return true;
}

void psst_control_voice_set(struct psst_request *req)
{
    bool rooms[3];
    const bool *send, *receive, *ptt;
    struct psst_diag diag = {{0}};
    if (!maybe_bool(req, "send", &rooms[0], &send) || !maybe_bool(req, "receive", &rooms[1], &receive) ||
        !maybe_bool(req, "ptt", &rooms[2], &ptt))
        return;
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
        if (!keep(req, &kept[i])) return;
    bool live = send != NULL || receive != NULL || ptt != NULL;
    if (live && psst_calls_switch(req->daemon->calls, send, receive, ptt, &diag) != PSST_OK)
        psst_request_error(req, PSST_EXIT_FAILED, "no-call", diag.text);
    else
        psst_control_voice(req);
}
