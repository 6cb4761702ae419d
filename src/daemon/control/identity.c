/* Methods about the own identity: init, unlock, lock, passwd. Passphrases are descriptors here, and stay unread. */
#include "daemon/control/control.h"

#include "daemon/rescue.h"

static json_t *key_json(struct psst_identity *identity)
{
    const struct psst_rsa_public *key = psst_identity_key(identity);
    if (key == NULL) return NULL;
    char fingerprint[PSST_FPR_TEXT_LEN];
    psst_fpr_text(fingerprint, psst_rsa_public_fpr(key));
    unsigned bits = psst_rsa_public_bits(key);
    return json_pack("{s:s, s:i, s:b}", "fingerprint", fingerprint, "bits", (int)bits, "weak",
                     bits < PSST_RSA_WEAK_BITS);
}

/* Open, but for reading only: that is said with it. */
static json_t *opened_json(struct psst_daemon *d)
{
    char words[PSST_RESCUE_WORDS_SIZE];
    json_t *result = key_json(d->identity);
    psst_rescue_words(d, words);
    if (result != NULL && psst_identity_state(d->identity) == PSST_IDENTITY_RESCUE)
        (void)json_object_set_new(result, "damaged", json_string(words));
    return result;
}

static void done_with_key(void *ctx, enum psst_err err, const char *words)
{
    struct psst_request *req = ctx;
    if (err == PSST_OK)
        psst_request_result(req, opened_json(req->daemon));
    else
        psst_request_finish(req, err, words);
}

/* So many descriptors as the params announce. */
static bool fds_match(struct psst_request *req, size_t wanted)
{
    if (req->n_fds == wanted) return true;
    psst_request_invalid(req, "fds: not as many descriptors as the other params say");
    return false;
}

static void init_progress(void *ctx, unsigned tried)
{
    struct psst_request *req = ctx;
    psst_control_progress(req, tried);
}

void psst_control_init(struct psst_request *req)
{
    int64_t bits;
    struct psst_diag diag = {{0}};
    bool passphrase = psst_request_bool(req, "passphrase");
    bool import = psst_request_bool(req, "import");
    const char *name = psst_request_string(req, "name");
    if (name == NULL || !psst_request_int(req, "bits", 0, 1 << 20, PSST_RSA_MAX_BITS, &bits)) return;
    if (!fds_match(req, (size_t)passphrase + (size_t)import)) return;
    if (psst_name_check(name, &diag) != PSST_OK) {
        psst_request_error(req, PSST_EXIT_USAGE, "bad-name", diag.text);
        return;
    }
    if (!import && (bits < PSST_RSA_MIN_BITS || bits > PSST_RSA_MAX_BITS || bits % 256 != 0)) {
        psst_request_error(req, PSST_EXIT_USAGE, "bad-bits", "a key has 1024 to 4096 bits, in steps of 256");
        return;
    }
    if (psst_identity_state(req->daemon->identity) != PSST_IDENTITY_NONE) {
        psst_request_error(req, PSST_EXIT_FAILED, "exists",
                           "there is an identity already, and it is never overwritten");
        return;
    }
    int passphrase_fd = passphrase ? psst_request_fd(req) : -1;
    int import_fd = import ? psst_request_fd(req) : -1;
    psst_identity_init(req->daemon->identity, name, (unsigned)bits, import_fd, passphrase_fd, init_progress,
                       done_with_key, req);
}

void psst_control_unlock(struct psst_request *req)
{
    if (!fds_match(req, psst_request_bool(req, "passphrase"))) return;
    if (psst_identity_state(req->daemon->identity) >= PSST_IDENTITY_UNLOCKED) {
        done_with_key(req, PSST_OK, NULL);
        return;
    }
    psst_identity_unlock(req->daemon->identity, psst_request_fd(req), done_with_key, req);
}

void psst_control_lock(struct psst_request *req)
{
    if (psst_identity_state(req->daemon->identity) == PSST_IDENTITY_LOCKED)
        psst_request_result(req, NULL);
    else
        psst_identity_lock(req->daemon->identity, psst_request_done, req);
}

void psst_control_passwd(struct psst_request *req)
{
    bool old = psst_request_bool(req, "old");
    bool new = psst_request_bool(req, "new");
    if (!fds_match(req, (size_t)old + (size_t) new)) return;
    int old_fd = old ? psst_request_fd(req) : -1;
    int new_fd = new ? psst_request_fd(req) : -1;
    psst_identity_passwd(req->daemon->identity, old_fd, new_fd, psst_request_done, req);
}
