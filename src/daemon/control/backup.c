/* Methods about backups: backup, backup.check, restore. The passphrase is a descriptor here, and stays unread. */
#include "daemon/backup/backup.h"
#include "daemon/control/control.h"

/* An absolute path; NULL: there is none, or answered. */
static const char *path_of(struct psst_request *req)
{
    const char *path = psst_request_string(req, "path");
    if (path == NULL || path[0] == '/') return path;
    psst_request_invalid(req, "path: an absolute path is wanted");
    return NULL;
}

static json_t *sizes(const struct psst_backup_result *result)
{
    return json_pack("{s:I, s:I}", "bytes", (json_int_t)result->bytes, "history_bytes",
                     (json_int_t)result->history_bytes);
}

/* Of check and restore: whose it is. */
static json_t *contents(const struct psst_backup_result *result)
{
    char fingerprint[PSST_FPR_TEXT_LEN];
    json_t *object = sizes(result);
    unsigned bits = psst_rsa_public_bits(result->key);
    psst_fpr_text(fingerprint, psst_rsa_public_fpr(result->key));
    (void)json_object_set_new(object, "name", psst_rpc_words(result->name));
    (void)json_object_set_new(object, "fingerprint", json_string(fingerprint));
    (void)json_object_set_new(object, "bits", json_integer((json_int_t)bits));
    (void)json_object_set_new(object, "weak", json_boolean(bits < PSST_RSA_WEAK_BITS));
    (void)json_object_set_new(object, "encrypted", json_boolean(result->encrypted));
    return object;
}

static void made(void *ctx, enum psst_err err, const char *words, const struct psst_backup_result *result)
{
    struct psst_request *req = ctx;
    if (err == PSST_OK)
        psst_request_result(req, sizes(result));
    else
        psst_request_finish(req, err, words);
}

static void checked(void *ctx, enum psst_err err, const char *words, const struct psst_backup_result *result)
{
    struct psst_request *req = ctx;
    if (err == PSST_OK)
        psst_request_result(req, contents(result));
    else
        psst_request_finish(req, err, words);
}

static void restored(void *ctx, enum psst_err err, const char *words, const struct psst_backup_result *result)
{
    struct psst_request *req = ctx;
    if (err != PSST_OK) {
        psst_request_finish(req, err, words);
        return;
    }
    json_t *object = contents(result);
    (void)json_object_set_new(object, "command_left_out", json_boolean(result->command_left_out));
    if (result->settings_words[0] != '\0')
        (void)json_object_set_new(object, "settings_error", psst_rpc_words(result->settings_words));
    psst_request_result(req, object);
}

void psst_control_backup(struct psst_request *req)
{
    bool to_fd = json_object_get(req->params, "path") == NULL;
    const char *path = to_fd ? NULL : path_of(req);
    if (!to_fd && path == NULL) return;
    if (req->n_fds != (to_fd ? 2 : 1)) {
        psst_request_invalid(req, "fds: the passphrase, and without a path also where the backup goes");
        return;
    }
    int passphrase_fd = psst_request_fd(req);
    int out_fd = to_fd ? psst_request_fd(req) : -1;
    psst_backup_make(req->daemon->backup, path, out_fd, passphrase_fd, made, req);
}

void psst_control_backup_check(struct psst_request *req)
{
    const char *path = path_of(req);
    if (path == NULL) return;
    if (req->n_fds != 1)
        psst_request_invalid(req, "fds: the passphrase is wanted");
    else
        psst_backup_check(req->daemon->backup, path, psst_request_fd(req), checked, req);
}

void psst_control_restore(struct psst_request *req)
{
    const char *path = path_of(req);
    if (path == NULL) return;
    if (req->n_fds != 1)
        psst_request_invalid(req, "fds: the passphrase is wanted");
    else
        psst_backup_restore(req->daemon->backup, path, psst_request_fd(req), restored, req);
}
