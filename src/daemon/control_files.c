/* Methods about files: send, files, file.accept, file.decline. */
#include "daemon/control.h"

#include "daemon/rescue.h"

#include <stdlib.h>

#define FILES_MAX 1000 /* of one answer; the newest */

static void sent(void *ctx, enum psst_err err, const char *words, int64_t id)
{
    struct psst_request *req = ctx;
    if (err == PSST_OK)
        psst_request_result(req, json_pack("{s:I}", "id", (json_int_t)id));
    else
        psst_request_finish(req, err, words);
}

void psst_control_send(struct psst_request *req)
{
    struct psst_contact *contact = psst_request_contact(req, "name");
    const char *path = contact != NULL ? psst_request_string(req, "path") : NULL;
    if (path == NULL) return;
    if (path[0] != '/') {
        psst_request_invalid(req, "path: an absolute path is wanted");
        return;
    }
    psst_transfers_send(req->daemon->transfers, contact, path, sent, req);
}

void psst_control_files(struct psst_request *req)
{
    json_t *list = psst_transfers_json(req->daemon->transfers);
    while (json_array_size(list) > FILES_MAX) (void)json_array_remove(list, 0);
    json_t *damaged = psst_rescue_parts_json(req->daemon, PSST_PART_TRANSFERS);
    psst_request_result(req, json_pack("{s:o, s:o*}", "files", list, "damaged", damaged));
}

/* Answers with the file, as `files` shows it. */
static void decided(void *ctx, enum psst_err err, const char *words, int64_t id)
{
    struct psst_request *req = ctx;
    if (err != PSST_OK) {
        psst_request_finish(req, err, words);
        return;
    }
    json_t *list = psst_transfers_json(req->daemon->transfers);
    json_t *found = NULL;
    for (size_t i = json_array_size(list); i > 0 && found == NULL; i--) {
        json_t *file = json_array_get(list, i - 1);
        if (json_integer_value(json_object_get(file, "id")) == id) found = json_incref(file);
    }
    json_decref(list);
    psst_request_result(req, found);
}

void psst_control_accept(struct psst_request *req)
{
    int64_t id;
    if (!psst_request_int(req, "id", 1, INT64_MAX, 0, &id)) return;
    const json_t *given = json_object_get(req->params, "dir");
    const char *dir =
        given != NULL ? json_string_value(given) : psst_settings_get(req->daemon->settings, "download_dir");
    if (dir == NULL || dir[0] != '/') {
        psst_request_invalid(req, "dir: an absolute path is wanted");
        return;
    }
    psst_transfers_accept(req->daemon->transfers, id, dir, decided, req);
}

void psst_control_decline(struct psst_request *req)
{
    int64_t id;
    if (psst_request_int(req, "id", 1, INT64_MAX, 0, &id))
        psst_transfers_decline(req->daemon->transfers, id, decided, req);
}
