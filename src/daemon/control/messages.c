/* Methods about sessions and text: dial, hangup, say, shown, check. */
#include "daemon/control/control.h"

#include "base/text.h"
#include "daemon/delivery/delivery.h"
#include "daemon/identity.h"
#include "daemon/reconnect/reconnect.h"
#include "daemon/retention.h"
#include "proto/chunk.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- sessions ---- */

static void dialled(void *ctx, int exit_code, const char *words, const char *address)
{
    struct psst_request *req = ctx;
    if (exit_code == 0)
        psst_request_result(req, json_pack("{s:s?}", "address", address));
    else
        psst_request_error(req, (enum psst_exit)exit_code, exit_code == PSST_EXIT_REFUSED ? "refused" : "unreachable",
                           words != NULL ? words : "the contact is not reachable");
}

static bool refuse_blocked(struct psst_request *req, const struct psst_contact *contact)
{
    if (!contact->blocked) return false;
    char words[200];
    (void)snprintf(words, sizeof words, "%s is blocked by you: psst unblock %s", contact->alias, contact->alias);
    psst_request_error(req, PSST_EXIT_FAILED, "blocked", words);
    return true;
}

void psst_control_dial(struct psst_request *req)
{
    char address[PSST_ADDRESS_MAX + 1];
    struct psst_contact *contact = psst_request_contact(req, "name");
    if (contact == NULL || refuse_blocked(req, contact)) return;
    const json_t *given = json_object_get(req->params, "address");
    struct psst_diag diag = {{0}};
    if (given != NULL &&
        (!json_is_string(given) || psst_address_normalize(address, json_string_value(given), &diag) != PSST_OK)) {
        psst_request_error(req, PSST_EXIT_USAGE, "bad-address",
                           diag.text[0] != '\0' ? diag.text : "an address looks like HOST, HOST:PORT or [IPv6]:PORT");
        return;
    }
    psst_peers_dial(req->daemon->peers, contact, given != NULL ? address : NULL, dialled, req);
}

void psst_control_hangup(struct psst_request *req)
{
    struct psst_contact *contact = psst_request_contact(req, "name");
    if (contact == NULL) return;
    bool standing = contact->session != NULL;
    psst_peers_hangup(req->daemon->peers, contact, PSST_BYE_CLOSED, "you hung up");
    psst_reconnect_hung_up(req->daemon, contact);
    if (standing) {
        psst_request_result(req, NULL);
        return;
    }
    char words[160];
    (void)snprintf(words, sizeof words, "there is no session with %s", contact->alias);
    psst_request_error(req, PSST_EXIT_FAILED, "no-session", words);
}

/* ---- saying ---- */

static void said(void *ctx, enum psst_err err, const char *words, const struct psst_message_row *row)
{
    struct psst_request *req = ctx;
    if (err != PSST_OK) {
        psst_request_finish(req, err, words);
        return;
    }
    char id[2 * sizeof row->id.b + 1];
    psst_hex_encode(id, row->id.b, sizeof row->id.b);
    psst_request_result(req, json_pack("{s:s, s:I, s:s}", "id", id, "seq", (json_int_t)row->seq, "state",
                                       psst_message_state_name(row->state)));
}

void psst_control_say(struct psst_request *req)
{
    struct psst_contact *contact = psst_request_contact(req, "name");
    const char *text = contact != NULL ? psst_request_string(req, "text") : NULL;
    if (text == NULL || refuse_blocked(req, contact)) return;
    size_t len = json_string_length(json_object_get(req->params, "text"));
    if (len == 0 || len > PSST_TEXT_MAX) {
        char words[120];
        (void)snprintf(words, sizeof words, "a message has 1 to %d bytes, this one has %zu: send it as a file",
                       PSST_TEXT_MAX, len);
        psst_request_error(req, PSST_EXIT_FAILED, "too-long", len == 0 ? "the message is empty" : words);
        return;
    }
    psst_delivery_say(req->daemon->delivery, contact, psst_view(text, len), said, req);
}

/* ---- shown ---- */

struct shown_job {
    struct psst_request *req;
    int64_t contact_id, seq;
    struct psst_unread left; /* after it */
};

static enum psst_err shown_work(struct psst_store *store, void *arg)
{
    struct shown_job *job = arg;
    enum psst_err err = psst_store_messages_shown(store, job->contact_id, job->seq);
    return err == PSST_OK ? psst_store_unread(store, job->contact_id, &job->left) : err;
}

/* Jobs are done in the order they were queued: what arrived after this one was counted is added after this. */
static void shown_done(void *arg, enum psst_err err, const char *words)
{
    struct shown_job *job = arg;
    struct psst_contact *contact = psst_book_by_id(job->req->daemon->book, job->contact_id);
    if (err == PSST_OK && contact != NULL) {
        contact->unread = job->left.texts;
        contact->unread_bytes = job->left.bytes;
        psst_delivery_shown(job->req->daemon->delivery, contact);
        if (!contact->keep_history) psst_retention_soon(job->req->daemon->retention);
    }
    psst_request_finish(job->req, err, words);
    free(job);
}

void psst_control_shown(struct psst_request *req)
{
    int64_t seq;
    struct psst_contact *contact = psst_request_contact(req, "name");
    if (contact == NULL || !psst_request_int(req, "seq", 0, INT64_MAX, 0, &seq)) return;
    if (psst_identity_state(req->daemon->identity) == PSST_IDENTITY_RESCUE) {
        psst_request_result(req, NULL); /* nothing is written, and nobody misses it */
        return;
    }
    struct shown_job *job = calloc(1, sizeof *job);
    if (job == NULL) {
        psst_request_finish(req, PSST_ERR_MEMORY, NULL);
        return;
    }
    *job = (struct shown_job){.req = req, .contact_id = contact->id, .seq = seq};
    psst_store_run(req->daemon->store, shown_work, shown_done, job);
}

/* ---- is it sound? ---- */

static enum psst_err check_work(struct psst_store *store, void *arg)
{
    (void)arg;
    return psst_store_check(store);
}

void psst_control_check(struct psst_request *req)
{
    psst_store_run(req->daemon->store, check_work, psst_request_done, req);
}
