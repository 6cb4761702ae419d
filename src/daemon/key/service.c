/* psst-key's requests, after the model of OpenSSH's monitor: one table says what each request needs before it is looked
 * at. The key lives here and nowhere else; what leaves is a public key, a derived Z, the store's key, or a file that was
 * asked for.
 *
 *     recvmsg -> parsed? -> descriptors as many as announced? -> permitted in this state? -> passphrases read -> handler
 *             -> answer -> everything wiped, every descriptor closed
 */
#include "daemon/key/service.h"

#include "daemon/key/backup.h"
#include "daemon/key/files.h"
#include "daemon/key/protocol.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

/* A person has typed before the pipe is handed over; a passphrase_command may still be asking somebody. */
#define PASSPHRASE_TIMEOUT_MS 120000
#define FILE_TIMEOUT_MS       30000

#define STORE_LABEL "PSST/1 store"

/* Secrets on their way, in pages that are never swapped out. */
struct desk {
    uint8_t passphrase[2][PSST_KEY_PASSPHRASE_MAX + 1]; /* and the line feed */
    uint8_t pem[PSST_KEY_PEM_MAX];
    uint8_t sealed[PSST_KEY_PEM_MAX + PSST_TAG_LEN];
};

struct psst_key_service {
    int socket;
    struct psst_rsa_private *key; /* NULL: locked */
    struct desk *desk;
};

struct job {
    const struct psst_key_request *request;
    int fds[PSST_KEY_FDS_MAX];
    size_t n_fds;
    struct psst_view passphrase[2]; /* data NULL: there is none */
    struct psst_diag diag;
    /* the answer */
    bool encrypted, has_secret, has_wrapped;
    uint8_t secret[PSST_KEY_LEN];
    uint8_t wrapped[PSST_KEY_WRAPPED_LEN];
    uint8_t spki[PSST_SPKI_MAX_LEN];
    size_t spki_len;
};

static void answer_public_key(struct job *job, const struct psst_rsa_private *key, bool encrypted)
{
    struct psst_view spki = psst_rsa_public_spki(psst_rsa_private_public(key));
    if (spki.len > sizeof job->spki) return;
    memcpy(job->spki, spki.data, spki.len);
    job->spki_len = spki.len;
    job->encrypted = encrypted;
}

static void open_with(struct psst_key_service *s, struct job *job, struct psst_rsa_private *key, bool encrypted)
{
    psst_rsa_private_free(s->key);
    s->key = key;
    answer_public_key(job, key, encrypted);
}

/* ---- keys and files ---- */

/* Reads the key file on fd and opens it. */
static enum psst_err read_key(struct psst_key_service *s, struct job *job, int fd, struct psst_rsa_private **key,
                              bool *encrypted)
{
    size_t len = 0;
    enum psst_err err = psst_key_read_all(s->desk->pem, sizeof s->desk->pem, &len, fd, s->socket, FILE_TIMEOUT_MS);
    if (err == PSST_ERR_TOO_LONG) return psst_fail(&job->diag, err, "that is not a private key: it is over 16 KiB");
    if (err != PSST_OK) return psst_fail(&job->diag, err, "the key file cannot be read");
    struct psst_view pem = psst_view(s->desk->pem, len);
    *encrypted = psst_rsa_pem_is_encrypted(pem);
    if (*encrypted && job->passphrase[0].data == NULL) {
        return psst_fail(&job->diag, PSST_ERR_PASSPHRASE, "this key needs its passphrase");
    }
    struct psst_diag why = {0};
    err = psst_rsa_private_from_pem(key, pem, job->passphrase[0], &why);
    psst_wipe(s->desk->pem, len);
    if (err == PSST_OK) return PSST_OK;
    if (err == PSST_ERR_PASSPHRASE) return psst_fail(&job->diag, err, "that passphrase does not open the key");
    return psst_fail(&job->diag, err, "%s", why.text);
}

/* passphrase.data NULL: unencrypted. */
static enum psst_err save_key(struct job *job, const struct psst_rsa_private *key, struct psst_view passphrase, int fd)
{
    struct psst_buf pem;
    psst_buf_init(&pem, PSST_KEY_PEM_MAX);
    enum psst_err err = psst_rsa_private_to_pem(key, passphrase, &pem);
    if (err == PSST_OK)
        err = psst_key_write_file(fd, psst_buf_view(&pem), &job->diag);
    else
        (void)psst_fail(&job->diag, err, "the key could not be encrypted");
    psst_buf_fini(&pem);
    return err;
}

/* A key that is protected by nothing must be asked for in so many words. */
static enum psst_err refuse_empty(struct job *job, struct psst_view passphrase)
{
    if (passphrase.data == NULL || passphrase.len > 0) return PSST_OK;
    return psst_fail(&job->diag, PSST_ERR_USAGE,
                     "the passphrase is empty: use --no-passphrase for a key without a passphrase");
}

/* ---- handlers ---- */

static enum psst_err do_unlock(struct psst_key_service *s, struct job *job)
{
    struct psst_rsa_private *key = NULL;
    bool encrypted = false;
    enum psst_err err = read_key(s, job, job->fds[0], &key, &encrypted);
    if (err == PSST_OK) open_with(s, job, key, encrypted);
    return err;
}

static enum psst_err do_lock(struct psst_key_service *s, struct job *job)
{
    (void)job;
    psst_rsa_private_free(s->key);
    s->key = NULL;
    return PSST_OK;
}

static enum psst_err do_decapsulate(struct psst_key_service *s, struct job *job)
{
    struct psst_kem_secret z;
    enum psst_err err = psst_kem_decapsulate(s->key, "z", job->request->data.data, &z);
    if (err == PSST_OK) {
        memcpy(job->secret, z.b, sizeof z.b);
        job->has_secret = true;
    }
    PSST_WIPE(z);
    return err;
}

struct generation {
    int socket;
    uint32_t number;
};

static bool send_message(int socket, const struct psst_key_answer *answer, int flags);

static bool on_progress(void *ctx, unsigned tried)
{
    const struct generation *g = ctx;
    if (psst_key_peer_gone(g->socket)) return false;
    const struct psst_key_answer progress = {.number = g->number, .progress = true, .tried = tried};
    (void)send_message(g->socket, &progress, MSG_DONTWAIT); /* a full socket may miss one */
    return true;
}

static enum psst_err do_generate(struct psst_key_service *s, struct job *job)
{
    struct generation g = {s->socket, job->request->number};
    struct psst_rsa_private *key = NULL;
    enum psst_err err = refuse_empty(job, job->passphrase[0]);
    if (err == PSST_OK) err = psst_rsa_generate(&key, job->request->bits, on_progress, &g, &job->diag);
    if (err == PSST_OK) err = save_key(job, key, job->passphrase[0], job->fds[0]);
    if (err == PSST_OK)
        open_with(s, job, key, job->passphrase[0].data != NULL);
    else
        psst_rsa_private_free(key);
    return err;
}

static enum psst_err do_import(struct psst_key_service *s, struct job *job)
{
    struct psst_rsa_private *key = NULL;
    bool was_encrypted = false;
    enum psst_err err = refuse_empty(job, job->passphrase[0]);
    if (err == PSST_OK) err = read_key(s, job, job->fds[0], &key, &was_encrypted);
    if (err == PSST_OK) err = save_key(job, key, job->passphrase[0], job->fds[1]);
    if (err == PSST_OK)
        open_with(s, job, key, job->passphrase[0].data != NULL);
    else
        psst_rsa_private_free(key);
    return err;
}

/* Leaves the open key, or none, as it is. */
static enum psst_err do_change(struct psst_key_service *s, struct job *job)
{
    struct psst_rsa_private *key = NULL;
    bool was_encrypted = false;
    enum psst_err err = refuse_empty(job, job->passphrase[1]);
    if (err == PSST_OK) err = read_key(s, job, job->fds[0], &key, &was_encrypted);
    if (err == PSST_OK) err = save_key(job, key, job->passphrase[1], job->fds[1]);
    if (err == PSST_OK) answer_public_key(job, key, job->passphrase[1].data != NULL);
    psst_rsa_private_free(key);
    return err;
}

static enum psst_err do_create_store(struct psst_key_service *s, struct job *job)
{
    struct psst_kem_secret z;
    struct psst_aead_key wrap;
    uint8_t *x = job->wrapped;
    psst_crypto_rng.fill(psst_crypto_rng.ctx, job->secret, sizeof job->secret);
    enum psst_err err = psst_kem_encapsulate_for(psst_rsa_private_public(s->key), "store", &psst_crypto_rng, x, &z);
    if (err == PSST_OK) {
        memcpy(wrap.b, z.b, sizeof wrap.b);
        err = psst_aead_seal(x + PSST_KEM_LEN, &wrap, 0, psst_view_str(STORE_LABEL),
                             psst_view(job->secret, sizeof job->secret));
    }
    job->has_secret = job->has_wrapped = err == PSST_OK;
    PSST_WIPE(z);
    PSST_WIPE(wrap);
    return err;
}

static enum psst_err do_open_store(struct psst_key_service *s, struct job *job)
{
    struct psst_kem_secret z;
    struct psst_aead_key wrap;
    const uint8_t *x = job->request->data.data;
    enum psst_err err = psst_kem_decapsulate(s->key, "store", x, &z);
    if (err == PSST_OK) {
        memcpy(wrap.b, z.b, sizeof wrap.b);
        err = psst_aead_open(job->secret, &wrap, 0, psst_view_str(STORE_LABEL),
                             psst_view(x + PSST_KEM_LEN, PSST_KEY_WRAPPED_LEN - PSST_KEM_LEN));
    }
    job->has_secret = err == PSST_OK;
    PSST_WIPE(z);
    PSST_WIPE(wrap);
    if (err != PSST_OK) {
        (void)psst_fail(&job->diag, err, "the store's key does not belong to this identity, or its file was damaged");
    }
    return err;
}

/* ---- backups ---- */

static enum psst_err derive(struct job *job, struct psst_backup_keys *keys)
{
    if (job->passphrase[0].len == 0)
        return psst_fail(&job->diag, PSST_ERR_USAGE, "a backup needs a passphrase of its own, and it was empty");
    enum psst_err err = psst_backup_derive(keys, job->request->data.data, job->passphrase[0], &job->diag);
    return err == PSST_OK ? err : psst_fail(&job->diag, err, "the passphrase could not be stretched to a key");
}

/* As far as it can be told without its own passphrase. */
static enum psst_err check_form(struct job *job, struct psst_view pem)
{
    struct psst_rsa_private *key = NULL;
    job->encrypted = psst_rsa_pem_is_encrypted(pem);
    if (job->encrypted) return PSST_OK;
    enum psst_err err = psst_rsa_private_from_pem(&key, pem, psst_view(NULL, 0), &job->diag);
    psst_rsa_private_free(key);
    return err;
}

static void answer_stream_key(struct job *job, const struct psst_backup_keys *keys)
{
    memcpy(job->secret, keys->stream.b, sizeof job->secret);
    job->has_secret = true;
}

static enum psst_err do_backup_seal(struct psst_key_service *s, struct job *job)
{
    struct psst_backup_keys keys = {0};
    struct desk *desk = s->desk;
    size_t len = 0;
    enum psst_err err = psst_key_read_all(desk->pem, sizeof desk->pem, &len, job->fds[0], s->socket, FILE_TIMEOUT_MS);
    if (err != PSST_OK) return psst_fail(&job->diag, err, "the key file cannot be read");
    struct psst_view pem = psst_view(desk->pem, len);
    err = check_form(job, pem);
    if (err == PSST_OK) err = derive(job, &keys);
    if (err == PSST_OK) err = psst_backup_identity_seal(desk->sealed, &keys.identity, job->request->data.data, pem);
    if (err == PSST_OK) err = psst_key_write_file(job->fds[1], psst_view(desk->sealed, len + PSST_TAG_LEN), &job->diag);
    if (err == PSST_OK) answer_stream_key(job, &keys);
    PSST_WIPE(keys);
    return err;
}

/* Derives, opens, and leaves what was inside on the desk. */
static enum psst_err open_sealed(struct psst_key_service *s, struct job *job, struct psst_view *pem)
{
    struct psst_backup_keys keys = {0};
    struct desk *desk = s->desk;
    size_t len = 0;
    enum psst_err err =
        psst_key_read_all(desk->sealed, sizeof desk->sealed, &len, job->fds[0], s->socket, FILE_TIMEOUT_MS);
    if (err != PSST_OK) return psst_fail(&job->diag, err, "the backup cannot be read");
    err = derive(job, &keys);
    if (err == PSST_OK) {
        err =
            psst_backup_identity_open(desk->pem, &keys.identity, job->request->data.data, psst_view(desk->sealed, len));
        if (err != PSST_OK)
            err = psst_fail(&job->diag, PSST_ERR_PASSPHRASE,
                            "that passphrase does not open the backup (or the backup is damaged at its beginning)");
    }
    if (err == PSST_OK) {
        *pem = psst_view(desk->pem, len - PSST_TAG_LEN);
        err = check_form(job, *pem);
    }
    if (err == PSST_OK) answer_stream_key(job, &keys);
    PSST_WIPE(keys);
    return err;
}

static enum psst_err do_backup_open(struct psst_key_service *s, struct job *job)
{
    struct psst_view pem;
    enum psst_err err = open_sealed(s, job, &pem);
    return err == PSST_OK ? psst_key_write_file(job->fds[1], pem, &job->diag) : err;
}

static enum psst_err do_backup_check(struct psst_key_service *s, struct job *job)
{
    struct psst_view pem;
    return open_sealed(s, job, &pem);
}

/* ---- the table ---- */

enum needs { NEEDS_NOTHING, NEEDS_LOCKED, NEEDS_UNLOCKED };

static const struct entry {
    enum needs needs;
    enum psst_err (*handler)(struct psst_key_service *s, struct job *job);
} table[PSST_KEY_OPS] = {
    [PSST_KEY_UNLOCK] = {NEEDS_NOTHING, do_unlock},
    [PSST_KEY_LOCK] = {NEEDS_NOTHING, do_lock},
    [PSST_KEY_DECAPSULATE] = {NEEDS_UNLOCKED, do_decapsulate},
    [PSST_KEY_GENERATE] = {NEEDS_LOCKED, do_generate},
    [PSST_KEY_IMPORT] = {NEEDS_LOCKED, do_import},
    [PSST_KEY_CHANGE] = {NEEDS_NOTHING, do_change},
    [PSST_KEY_CREATE_STORE] = {NEEDS_UNLOCKED, do_create_store},
    [PSST_KEY_OPEN_STORE] = {NEEDS_UNLOCKED, do_open_store},
    [PSST_KEY_BACKUP_SEAL] = {NEEDS_NOTHING, do_backup_seal},
    [PSST_KEY_BACKUP_OPEN] = {NEEDS_NOTHING, do_backup_open},
    [PSST_KEY_BACKUP_CHECK] = {NEEDS_NOTHING, do_backup_check},
};

static enum psst_err check_permission(const struct psst_key_service *s, struct job *job)
{
    enum needs needs = table[job->request->op].needs;
    if (needs == NEEDS_UNLOCKED && s->key == NULL) {
        return psst_fail(&job->diag, PSST_ERR_LOCKED, "the identity is locked");
    }
    if (needs == NEEDS_LOCKED && s->key != NULL) {
        return psst_fail(&job->diag, PSST_ERR_USAGE, "there is an identity already, and it is unlocked");
    }
    return PSST_OK;
}

static enum psst_err read_passphrase(struct psst_key_service *s, struct job *job, size_t which, int fd)
{
    uint8_t *place = s->desk->passphrase[which];
    size_t len = 0;
    enum psst_err err =
        psst_key_read_all(place, sizeof s->desk->passphrase[which], &len, fd, s->socket, PASSPHRASE_TIMEOUT_MS);
    if (err == PSST_ERR_EXPIRED) return psst_fail(&job->diag, err, "no passphrase came within two minutes");
    if (err != PSST_OK && err != PSST_ERR_TOO_LONG) {
        return psst_fail(&job->diag, err, "the passphrase cannot be read");
    }
    if (err == PSST_OK && len > 0 && place[len - 1] == '\n') len--;
    if (err != PSST_OK || len > PSST_KEY_PASSPHRASE_MAX) {
        return psst_fail(&job->diag, PSST_ERR_TOO_LONG, "a passphrase has at most %d bytes", PSST_KEY_PASSPHRASE_MAX);
    }
    job->passphrase[which] = psst_view(place, len);
    return PSST_OK;
}

static enum psst_err read_passphrases(struct psst_key_service *s, struct job *job)
{
    size_t at = psst_key_op_files(job->request->op);
    enum psst_err err = PSST_OK;
    for (size_t i = 0; i < 2 && err == PSST_OK; i++)
        if (job->request->passphrase[i]) err = read_passphrase(s, job, i, job->fds[at++]);
    return err;
}

static enum psst_err work(struct psst_key_service *s, struct job *job)
{
    enum psst_err err = check_permission(s, job);
    if (err == PSST_OK) err = read_passphrases(s, job);
    if (err == PSST_OK) err = table[job->request->op].handler(s, job);
    return err;
}

/* ---- messages ---- */

static bool send_message(int socket, const struct psst_key_answer *answer, int flags)
{
    struct psst_buf out;
    psst_buf_init(&out, PSST_KEY_MESSAGE_MAX);
    psst_key_answer_write(&out, answer);
    struct iovec iov = {.iov_base = out.data, .iov_len = out.len};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    ssize_t n = -1;
    if (!out.failed) {
        do {
            n = sendmsg(socket, &msg, flags | MSG_NOSIGNAL);
        } while (n < 0 && errno == EINTR);
    }
    psst_buf_fini(&out);
    return n >= 0;
}

static bool answer(struct psst_key_service *s, struct job *job, enum psst_err err)
{
    struct psst_key_answer a = {.number = job->request->number, .err = err, .diag = job->diag};
    if (err == PSST_OK) {
        a.encrypted = job->encrypted;
        a.spki = psst_view(job->spki, job->spki_len);
        if (job->has_secret) a.secret = psst_view(job->secret, sizeof job->secret);
        if (job->has_wrapped) a.wrapped = psst_view(job->wrapped, sizeof job->wrapped);
    }
    return send_message(s->socket, &a, 0);
}

/* One message and the descriptors with it. False when the other end has closed, or the socket failed. An overlong message
 * or too many descriptors give a length of 0, which nothing parses. */
static bool receive(int socket, uint8_t *message, size_t max, size_t *len, struct job *job)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int) * PSST_KEY_FDS_MAX)];
    } control;
    struct iovec iov = {.iov_base = message, .iov_len = max};
    struct msghdr msg = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
    ssize_t n;
    do {
        n = recvmsg(socket, &msg, MSG_CMSG_CLOEXEC);
    } while (n < 0 && errno == EINTR);
    if (n <= 0) return false;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c != NULL; c = CMSG_NXTHDR(&msg, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
        size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
            if (job->n_fds < PSST_KEY_FDS_MAX)
                job->fds[job->n_fds++] = fd;
            else
                (void)close(fd);
        }
    }
    *len = (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 ? 0 : (size_t)n;
    return true;
}

static bool serve_one(struct psst_key_service *s)
{
    uint8_t message[PSST_KEY_MESSAGE_MAX];
    size_t len = 0;
    struct psst_key_request request = {0};
    struct job job = {.request = &request};
    if (!receive(s->socket, message, sizeof message, &len, &job)) return false;

    enum psst_err err = psst_key_request_read(&request, psst_view(message, len));
    if (err == PSST_OK && job.n_fds != psst_key_request_fds(&request)) err = PSST_ERR_MALFORMED;
    if (err == PSST_OK)
        err = work(s, &job);
    else
        (void)psst_fail(&job.diag, err, "the key process did not understand the request");
    bool on = answer(s, &job, err);

    for (size_t i = 0; i < job.n_fds; i++) (void)close(job.fds[i]);
    psst_wipe(s->desk, sizeof *s->desk);
    PSST_WIPE(job);
    PSST_WIPE(message);
    return on;
}

void psst_key_service_run(struct psst_key_service *service)
{
    while (serve_one(service)) {
    }
}

enum psst_err psst_key_service_new(struct psst_key_service **out, int socket)
{
    struct psst_key_service *s = calloc(1, sizeof *s);
    if (s == NULL) return PSST_ERR_MEMORY;
    void *desk = mmap(NULL, sizeof *s->desk, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (desk == MAP_FAILED) {
        free(s);
        return PSST_ERR_MEMORY;
    }
    /* a system that allows no locked pages still gets a working identity */
    (void)mlock(desk, sizeof *s->desk);
    (void)madvise(desk, sizeof *s->desk, MADV_DONTDUMP);
    s->socket = socket;
    s->desk = desk;
    *out = s;
    return PSST_OK;
}

void psst_key_service_free(struct psst_key_service *service)
{
    if (service == NULL) return;
    psst_rsa_private_free(service->key);
    psst_wipe(service->desk, sizeof *service->desk);
    (void)munmap(service->desk, sizeof *service->desk);
    free(service);
}
