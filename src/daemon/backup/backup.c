#include "daemon/backup/internal.h"
#include "daemon/small_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define STORE_KEY_MAX 4096
#define CONFIG_MAX    65536
#define COPY_BYTES    (512 * 1024) /* of the history at once */

/* ---- jobs ---- */

enum psst_err psst_backup_new(struct psst_backup **out, struct psst_daemon *d)
{
    struct psst_backup *backup = calloc(1, sizeof *backup);
    if (backup == NULL) return PSST_ERR_MEMORY;
    backup->d = d;
    *out = backup;
    return PSST_OK;
}

static void give_up(struct psst_backup *backup, const char *words)
{
    if (backup->job == NULL || atomic_load(&backup->job->stop)) return;
    backup->job->stop_words = words;
    atomic_store(&backup->job->stop, true);
}

void psst_backup_close(struct psst_backup *backup)
{
    give_up(backup, "psstd stops: given up, nothing was changed");
}

void psst_backup_unloaded(struct psst_backup *backup)
{
    if (backup->job != NULL && backup->job->kind == PSST_BACKUP_MAKE)
        give_up(backup, "the backup was given up, and nothing is left of it: the identity was locked");
}

void psst_backup_free(struct psst_backup *backup)
{
    free(backup);
}

static void close_fd(int *fd)
{
    if (*fd >= 0) (void)close(*fd);
    *fd = -1;
}

static void job_free(struct psst_backup_job *job)
{
    close_fd(&job->passphrase_fd);
    close_fd(&job->out_fd);
    close_fd(&job->sealed_fd);
    close_fd(&job->key_fd);
    close_fd(&job->file_fd);
    psst_backup_in_close(&job->in);
    psst_store_snapshot_end(job->snapshot);
    psst_buf_fini(&job->card_text);
    psst_card_fini(&job->card);
    psst_settings_free(job->settings);
    free(job->path);
    psst_wipe(job, sizeof *job);
    free(job);
}

struct psst_backup_job *psst_backup_job_new(struct psst_backup *backup, enum psst_backup_kind kind, const char *path,
                                            int out_fd, int passphrase_fd, psst_backup_done *done, void *ctx)
{
    struct psst_backup_job *job = backup->job == NULL ? calloc(1, sizeof *job) : NULL;
    char *copy = job != NULL && path != NULL ? strdup(path) : NULL;
    if (job == NULL || (path != NULL && copy == NULL)) {
        free(job);
        close_fd(&out_fd);
        close_fd(&passphrase_fd);
        if (backup->job != NULL)
            done(ctx, PSST_ERR_AGAIN, "a backup is being made or read already: try again when that is done", NULL);
        else
            done(ctx, PSST_ERR_MEMORY, "out of memory", NULL);
        return NULL;
    }
    job->backup = backup;
    job->kind = kind;
    job->work.data = job;
    job->done = done;
    job->ctx = ctx;
    job->path = copy;
    job->out_fd = out_fd;
    job->passphrase_fd = passphrase_fd;
    job->sealed_fd = job->key_fd = job->file_fd = job->in.fd = -1;
    job->home = (struct psst_restore_home){-1, -1};
    job->stop_words = "";
    psst_buf_init(&job->card_text, PSST_CARD_MAX);
    backup->job = job;
    return job;
}

void psst_backup_job_end(struct psst_backup_job *job, enum psst_err err, const char *words)
{
    static const char *const names[] = {"backup", "backup-check", "restore"};
    struct psst_daemon *d = job->backup->d;
    if (err != PSST_OK && atomic_load(&job->stop)) {
        err = PSST_ERR_LOCKED;
        words = job->stop_words;
    }
    psst_log(&d->log, err == PSST_OK ? PSST_LOG_INFO : PSST_LOG_WARNING, names[job->kind],
             "result=%s bytes=%llu history=%llu", psst_err_name(err), (unsigned long long)job->result.bytes,
             (unsigned long long)job->result.history_bytes);
    job->backup->job = NULL;
    job->done(job->ctx, err, words, err == PSST_OK ? &job->result : NULL);
    job_free(job);
}

void psst_backup_job_work(struct psst_backup_job *job, uv_work_cb work, uv_after_work_cb after)
{
    int rc = uv_queue_work(job->backup->d->loop, &job->work, work, after);
    if (rc != 0) psst_backup_job_end(job, PSST_ERR_MEMORY, "out of memory");
}

int psst_backup_memory_file(struct psst_diag *diag)
{
    int fd = memfd_create("psst-backup", MFD_CLOEXEC);
    if (fd >= 0 && fchmod(fd, 0600) == 0) return fd;
    (void)psst_fail(diag, PSST_ERR_IO, "no file in memory for the backup: %s", strerror(errno));
    close_fd(&fd);
    return -1;
}

/* ---- making one: in the worker ---- */

struct copying {
    struct psst_backup_job *job;
    struct psst_backup_out out;
    struct psst_backup_writer *writer;
    struct psst_buf sealed;
};

static enum psst_err flush(struct copying *c)
{
    struct psst_backup_job *job = c->job;
    if (c->sealed.failed) return PSST_ERR_MEMORY;
    enum psst_err err = psst_backup_out_write(&c->out, psst_buf_view(&c->sealed), &job->stop, &job->diag);
    job->result.bytes += c->sealed.len;
    c->sealed.len = 0;
    return err;
}

/* Header, and the private key as psst-key has sealed it. */
static enum psst_err write_head(struct copying *c)
{
    uint8_t identity[PSST_BACKUP_IDENTITY_MAX];
    ssize_t n = pread(c->job->sealed_fd, identity, sizeof identity, 0);
    if (n <= PSST_TAG_LEN) return psst_fail(&c->job->diag, PSST_ERR_IO, "the sealed private key cannot be read");
    psst_buf_put(&c->sealed, c->job->header, sizeof c->job->header);
    psst_buf_put_u16(&c->sealed, (uint16_t)n);
    psst_buf_put(&c->sealed, identity, (size_t)n);
    return flush(c);
}

static enum psst_err write_small(struct copying *c, enum psst_backup_member member, const char *path, size_t max)
{
    struct psst_buf content;
    struct psst_diag *diag = &c->job->diag;
    psst_buf_init(&content, max);
    enum psst_err err = psst_small_file_read(path, max, &content, diag);
    bool optional = psst_backup_member_fits(member, 0);
    if (err == PSST_ERR_NOT_FOUND && optional)
        err = PSST_OK; /* all defaults */
    else if (err != PSST_OK)
        (void)psst_fail(diag, err, "%.160s is not there, or cannot be read: no backup was made", path);
    if (err == PSST_OK && !psst_backup_member_fits(member, content.len))
        err = psst_fail(diag, PSST_ERR_DAMAGED, "%.160s is damaged: no backup was made", path);
    if (err == PSST_OK) err = psst_backup_writer_member(c->writer, member, content.len, &c->sealed);
    if (err == PSST_OK) err = psst_backup_writer_put(c->writer, psst_buf_view(&content), &c->sealed);
    psst_buf_fini(&content);
    return err;
}

static enum psst_err write_history(struct copying *c)
{
    struct psst_backup_job *job = c->job;
    uint64_t size = psst_store_snapshot_size(job->snapshot);
    uint8_t *piece = malloc(COPY_BYTES);
    if (piece == NULL) return PSST_ERR_MEMORY;
    enum psst_err err = psst_backup_writer_member(c->writer, PSST_BACKUP_STORE_DB, size, &c->sealed);
    for (uint64_t at = 0; err == PSST_OK && at < size;) {
        size_t n = size - at < COPY_BYTES ? (size_t)(size - at) : COPY_BYTES;
        err = psst_store_snapshot_read(job->snapshot, at, piece, n, &job->diag);
        if (err == PSST_OK) err = psst_backup_writer_put(c->writer, psst_view(piece, n), &c->sealed);
        if (err == PSST_OK) err = flush(c);
        at += n;
    }
    free(piece);
    job->result.history_bytes = size;
    /* from here on the store's log can be emptied again, however long the disk takes for the rest */
    psst_store_snapshot_end(job->snapshot);
    job->snapshot = NULL;
    return err;
}

static enum psst_err write_all(struct copying *c)
{
    const struct psst_paths *paths = &c->job->backup->d->paths;
    enum psst_err err = write_head(c);
    if (err == PSST_OK) err = psst_backup_writer_new(&c->writer, c->job->header, &c->job->key);
    if (err == PSST_OK) err = write_small(c, PSST_BACKUP_CARD, paths->card, PSST_CARD_MAX);
    if (err == PSST_OK) err = write_small(c, PSST_BACKUP_CONFIG, paths->config, CONFIG_MAX);
    if (err == PSST_OK) err = write_small(c, PSST_BACKUP_STORE_KEY, paths->store_key, STORE_KEY_MAX);
    if (err == PSST_OK) err = write_history(c);
    if (err == PSST_OK) err = psst_backup_writer_end(c->writer, &c->sealed);
    return err == PSST_OK ? flush(c) : err;
}

static void on_copy(uv_work_t *work)
{
    struct psst_backup_job *job = work->data;
    struct copying c = {.job = job};
    enum psst_err err = PSST_OK;
    if (job->path != NULL)
        err = psst_backup_out_open(&c.out, job->path, &job->diag);
    else
        psst_backup_out_over(&c.out, job->out_fd);
    job->out_fd = -1;
    if (err == PSST_OK) {
        psst_buf_init(&c.sealed, (size_t)2 * COPY_BYTES);
        /* a backup of a damaged history would only be found out when it is needed */
        err = psst_store_snapshot_check(job->snapshot, &job->stop, &job->diag);
        if (err == PSST_OK) err = write_all(&c);
        psst_backup_writer_free(c.writer);
        psst_buf_fini(&c.sealed);
        if (err == PSST_OK)
            err = psst_backup_out_finish(&c.out, &job->diag);
        else
            psst_backup_out_abandon(&c.out);
    }
    psst_store_snapshot_end(job->snapshot);
    job->snapshot = NULL;
    job->err = err;
}

/* ---- making one: on the loop ---- */

static void on_copied(uv_work_t *work, int status)
{
    struct psst_backup_job *job = work->data;
    (void)status; /* nothing cancels it */
    psst_backup_job_end(job, job->err, job->diag.text);
}

static enum psst_err begin_snapshot(struct psst_store *store, void *arg)
{
    struct psst_backup_job *job = arg;
    enum psst_err err = PSST_ERR_AGAIN;
    if (!atomic_load(&job->stop)) err = psst_store_snapshot_begin(&job->snapshot, store, &job->store_key, &job->diag);
    return err;
}

static void on_snapshot(void *arg, enum psst_err err, const char *words)
{
    struct psst_backup_job *job = arg;
    PSST_WIPE(job->store_key);
    if (err != PSST_OK)
        psst_backup_job_end(job, err, job->diag.text[0] != '\0' ? job->diag.text : words);
    else
        psst_backup_job_work(job, on_copy, on_copied);
}

static void on_store_key(void *ctx, const struct psst_key_reply *reply)
{
    struct psst_backup_job *job = ctx;
    if (reply->err != PSST_OK || atomic_load(&job->stop)) {
        psst_backup_job_end(job, reply->err != PSST_OK ? reply->err : PSST_ERR_AGAIN, reply->diag.text);
        return;
    }
    job->store_key = reply->store_key;
    psst_store_run_alone(job->backup->d->store, begin_snapshot, on_snapshot, job);
}

static void on_sealed(void *ctx, const struct psst_key_reply *reply)
{
    struct psst_backup_job *job = ctx;
    struct psst_daemon *d = job->backup->d;
    struct psst_buf wrapped;
    psst_buf_init(&wrapped, STORE_KEY_MAX);
    enum psst_err err = reply->err;
    job->diag = reply->diag;
    job->key = reply->backup_key;
    if (err == PSST_OK && atomic_load(&job->stop)) err = PSST_ERR_AGAIN;
    if (err == PSST_OK) err = psst_small_file_read(d->paths.store_key, STORE_KEY_MAX, &wrapped, &job->diag);
    if (err == PSST_OK)
        psst_key_open_store(d->key, psst_buf_view(&wrapped), on_store_key, job);
    else
        psst_backup_job_end(job, err, job->diag.text);
    psst_buf_fini(&wrapped);
}

static int open_key_file(const char *path, struct psst_diag *diag)
{
    if (psst_paths_check_private(path, diag) != PSST_OK) return -1;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) (void)psst_fail(diag, PSST_ERR_IO, "cannot open %.160s: %s", path, strerror(errno));
    return fd;
}

void psst_backup_make(struct psst_backup *backup, const char *path, int out_fd, int passphrase_fd,
                      psst_backup_done *done, void *ctx)
{
    struct psst_daemon *d = backup->d;
    struct psst_backup_job *job = psst_backup_job_new(backup, PSST_BACKUP_MAKE, path, out_fd, passphrase_fd, done, ctx);
    if (job == NULL) return;
    enum psst_err err = PSST_OK;
    int key_fd = -1, sealed_fd = -1;
    if (psst_identity_state(d->identity) != PSST_IDENTITY_UNLOCKED)
        err = psst_fail(&job->diag, PSST_ERR_LOCKED, "the identity is locked, and the history with it: psst unlock");
    if (err == PSST_OK) {
        key_fd = open_key_file(d->paths.identity, &job->diag);
        job->sealed_fd = key_fd < 0 ? -1 : psst_backup_memory_file(&job->diag);
        sealed_fd = job->sealed_fd < 0 ? -1 : fcntl(job->sealed_fd, F_DUPFD_CLOEXEC, 0);
        if (sealed_fd < 0) err = PSST_ERR_IO;
    }
    if (err != PSST_OK) {
        close_fd(&key_fd);
        psst_backup_job_end(job, err, job->diag.text);
        return;
    }
    psst_backup_header_make(job->header, &psst_crypto_rng);
    int secret_fd = job->passphrase_fd;
    job->passphrase_fd = -1;
    psst_key_backup_seal(d->key, job->header, key_fd, sealed_fd, secret_fd, on_sealed, job);
}
