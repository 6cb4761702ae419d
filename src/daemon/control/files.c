/* Methods about files and streams: send, files, file.accept, file.decline, file.cancel, file.pause, file.resume, file.first. */
#include "daemon/control/control.h"

#include "daemon/rescue.h"
#include "daemon/transfers/transfers.h"

#include <stdlib.h>
#include <unistd.h>

#define FILES_MAX   500 /* of one answer */
#define STREAM_NAME "stream"

/* A string that may be missing: def then. NULL: it is something else, answered. */
static const char *optional_string(struct psst_request *req, const char *key, const char *def)
{
    const json_t *given = json_object_get(req->params, key);
    const char *text = given != NULL ? json_string_value(given) : def;
    if (text == NULL) psst_request_invalid(req, "that is not a string");
    return text;
}

/* ---- send ---- */

/* A list of the lines in words. */
static json_t *lines_json(const char *words)
{
    json_t *list = json_array();
    while (words[0] != '\0') {
        size_t len = strcspn(words, "\n");
        (void)json_array_append_new(list, json_stringn(words, len));
        words += len + (words[len] == '\n');
    }
    return list;
}

static json_t *sent_json(struct psst_transfers *transfers, int64_t id, const char *left_out)
{
    json_t *file = psst_transfers_json_one(transfers, id), *result = json_pack("{s:I}", "id", (json_int_t)id);
    json_t *contents = json_object_get(file, "contents");
    if (contents != NULL) {
        (void)json_object_set(result, "contents", contents);
        (void)json_object_set_new(result, "left_out", lines_json(left_out));
    }
    json_decref(file);
    return result;
}

static void sent(void *ctx, enum psst_err err, const char *words, int64_t id)
{
    struct psst_request *req = ctx;
    struct psst_transfers *transfers = req->daemon->transfers;
    uint64_t gone = req->client == NULL ? req->client_number : 0;
    if (err == PSST_OK)
        psst_request_result(req, sent_json(transfers, id, words));
    else
        psst_request_finish(req, err, words);
    if (gone != 0) psst_transfers_client_gone(transfers, gone); /* it did not wait for the end of its stream */
}

static void send_stream(struct psst_request *req, struct psst_contact *contact)
{
    const char *name = optional_string(req, "as", STREAM_NAME);
    if (name == NULL) return;
    if (name[0] == '\0' || strlen(name) > PSST_FILE_NAME_MAX) {
        psst_request_invalid(req, "as: a name of 1 to 255 bytes is wanted");
        return;
    }
    psst_transfers_send_stream(req->daemon->transfers, contact, psst_request_fd(req), name, req->client_number, sent,
                               req);
}

void psst_control_send(struct psst_request *req)
{
    struct psst_contact *contact = psst_request_contact(req, "name");
    if (contact == NULL) return;
    if (req->n_fds > 0) {
        send_stream(req, contact);
        return;
    }
    const char *path = psst_request_string(req, "path");
    if (path == NULL) return;
    if (path[0] != '/')
        psst_request_invalid(req, "path: an absolute path is wanted");
    else
        psst_transfers_send(req->daemon->transfers, contact, path, sent, req);
}

/* ---- files ---- */

static void answer_files(struct psst_request *req, json_t *list, bool more)
{
    json_t *damaged = psst_rescue_parts_json(req->daemon, PSST_PART_TRANSFERS);
    psst_request_result(req, json_pack("{s:o, s:b, s:o*}", "files", list, "more", more, "damaged", damaged));
}

static void paged(void *ctx, enum psst_err err, const char *words, json_t *list, bool more)
{
    struct psst_request *req = ctx;
    if (err == PSST_OK) {
        answer_files(req, list, more);
        return;
    }
    json_decref(list);
    psst_request_finish(req, err, words);
}

void psst_control_files(struct psst_request *req)
{
    int64_t limit, before;
    if (!psst_request_int(req, "limit", 1, FILES_MAX, FILES_MAX, &limit)) return;
    if (!psst_request_int(req, "before", 0, INT64_MAX, 0, &before)) return;
    if (psst_request_bool(req, "all")) {
        psst_transfers_page(req->daemon->transfers, before, (size_t)limit, paged, req);
        return;
    }
    json_t *list = psst_transfers_json(req->daemon->transfers);
    size_t over = json_array_size(list) > (size_t)limit ? json_array_size(list) - (size_t)limit : 0;
    for (size_t i = 0; i < over; i++) (void)json_array_remove(list, 0);
    answer_files(req, list, over > 0);
}

/* ---- decisions ---- */

/* Answers with the file, as `files` shows it. */
static void decided(void *ctx, enum psst_err err, const char *words, int64_t id)
{
    struct psst_request *req = ctx;
    if (err == PSST_OK)
        psst_request_result(req, psst_transfers_json_one(req->daemon->transfers, id));
    else
        psst_request_finish(req, err, words);
}

static void accepted(void *ctx, enum psst_err err, const char *words, int64_t id)
{
    struct psst_request *req = ctx;
    struct psst_transfers *transfers = req->daemon->transfers;
    uint64_t gone = req->client == NULL ? req->client_number : 0;
    decided(req, err, words, id);
    if (gone != 0) psst_transfers_client_gone(transfers, gone);
}

void psst_control_accept(struct psst_request *req)
{
    int64_t id;
    struct psst_accept accept = {.fd = -1, .client = req->client_number};
    if (!psst_request_int(req, "id", 1, INT64_MAX, 0, &id)) return;
    accept.dir = optional_string(req, "dir", psst_settings_get(req->daemon->settings, "download_dir"));
    if (accept.dir == NULL) return;
    if (json_object_get(req->params, "as") != NULL) {
        accept.name = psst_request_string(req, "as");
        if (accept.name == NULL) return;
    }
    if (accept.dir[0] != '/') {
        psst_request_invalid(req, "dir: an absolute path is wanted");
        return;
    }
    accept.fd = psst_request_fd(req);
    psst_transfers_accept(req->daemon->transfers, id, &accept, accepted, req);
}

typedef void decide(struct psst_transfers *transfers, int64_t id, psst_transfer_done *done, void *ctx);

static void by_id(struct psst_request *req, decide *what)
{
    int64_t id;
    if (psst_request_int(req, "id", 1, INT64_MAX, 0, &id)) what(req->daemon->transfers, id, decided, req);
}

void psst_control_decline(struct psst_request *req)
{
    by_id(req, psst_transfers_cancel);
}

void psst_control_file_cancel(struct psst_request *req)
{
    by_id(req, psst_transfers_cancel);
}

void psst_control_file_pause(struct psst_request *req)
{
    by_id(req, psst_transfers_pause);
}

void psst_control_file_resume(struct psst_request *req)
{
    by_id(req, psst_transfers_resume);
}

void psst_control_file_first(struct psst_request *req)
{
    by_id(req, psst_transfers_first);
}
