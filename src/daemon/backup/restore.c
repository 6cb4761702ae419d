/* Reading a backup: to look whether it is whole, or to be who is in it. */
#include "daemon/backup/internal.h"
#include "daemon/identity.h"
#include "daemon/safe_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define IDENTITY_FILE "identity.pem"
#define CONFIG_FILE   "/restore.new/config"
#define COMMAND       "passphrase_command"

static void on_passphrase(void *ctx, const struct psst_key_reply *reply);

/* ---- the head: in the worker ---- */

static enum psst_err keep_sealed(struct psst_backup_job *job)
{
    job->sealed_fd = psst_backup_memory_file(&job->diag);
    if (job->sealed_fd < 0) return PSST_ERR_IO;
    ssize_t n = write(job->sealed_fd, job->in.identity, job->in.identity_len);
    if (n == (ssize_t)job->in.identity_len && lseek(job->sealed_fd, 0, SEEK_SET) == 0) return PSST_OK;
    return psst_fail(&job->diag, PSST_ERR_IO, "no file in memory for the backup: %s", strerror(errno));
}

static void on_open(uv_work_t *work)
{
    struct psst_backup_job *job = work->data;
    enum psst_err err = psst_backup_in_open(&job->in, job->path, &job->diag);
    if (err == PSST_OK) err = keep_sealed(job);
    if (err == PSST_OK && job->kind == PSST_BACKUP_RESTORE) {
        err = psst_restore_home_begin(&job->home, &job->backup->d->paths, &job->diag);
        if (err == PSST_OK) err = psst_restore_home_file(&job->home, IDENTITY_FILE, &job->key_fd, &job->diag);
    }
    job->result.bytes = job->in.size + PSST_BACKUP_HEADER_LEN + 2 + job->in.identity_len;
    job->err = err;
}

/* ---- the members: in the worker ---- */

static enum psst_err cannot_write(struct psst_backup_job *job, const char *name)
{
    int e = errno;
    enum psst_err err = psst_file_err(e);
    if (err == PSST_ERR_DISK_FULL)
        return psst_fail(&job->diag, err, "nothing was restored, and nothing is left of it: the disk is full");
    return psst_fail(&job->diag, err, "cannot write %s: %s", name, strerror(e));
}

static enum psst_err end_file(struct psst_backup_job *job)
{
    if (job->file_fd < 0) return PSST_OK;
    enum psst_err err = fsync(job->file_fd) == 0 ? PSST_OK : cannot_write(job, "what is restored");
    (void)close(job->file_fd);
    job->file_fd = -1;
    return err;
}

static enum psst_err on_member(void *ctx, enum psst_backup_member member, uint64_t len)
{
    struct psst_backup_job *job = ctx;
    if (member == PSST_BACKUP_STORE_DB) job->result.history_bytes = len;
    if (job->kind != PSST_BACKUP_RESTORE) return PSST_OK;
    enum psst_err err = end_file(job);
    if (err == PSST_OK)
        err = psst_restore_home_file(&job->home, psst_backup_member_name(member), &job->file_fd, &job->diag);
    return err;
}

static enum psst_err on_piece(void *ctx, enum psst_backup_member member, struct psst_view piece)
{
    struct psst_backup_job *job = ctx;
    if (member == PSST_BACKUP_CARD) psst_buf_put_view(&job->card_text, piece);
    while (job->kind == PSST_BACKUP_RESTORE && piece.len > 0) {
        ssize_t n = write(job->file_fd, piece.data, piece.len);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return cannot_write(job, psst_backup_member_name(member));
        piece = psst_view(piece.data + n, piece.len - (size_t)n);
    }
    return PSST_OK;
}

/* What a newer psst or an editor has made of the settings is no reason to go without identity and history. */
static void load_settings(struct psst_backup_job *job)
{
    struct psst_paths paths = job->backup->d->paths;
    size_t len = strlen(paths.data_dir);
    if (len + sizeof CONFIG_FILE > sizeof paths.config) return;
    memcpy(paths.config, paths.data_dir, len);
    memcpy(paths.config + len, CONFIG_FILE, sizeof CONFIG_FILE);
    if (psst_settings_load(&job->settings, &paths, &job->settings_diag) != PSST_OK) job->settings = NULL;
}

static void on_read(uv_work_t *work)
{
    struct psst_backup_job *job = work->data;
    struct psst_diag why = {{0}};
    const struct psst_backup_sink sink = {on_member, on_piece, job};
    enum psst_err err = psst_backup_in_read(&job->in, &job->key, &sink, &job->stop, &job->diag);
    if (err == PSST_OK) err = end_file(job);
    if (err == PSST_OK) {
        err = psst_card_parse(&job->card, psst_buf_view(&job->card_text), &why);
        if (err != PSST_OK) err = psst_fail(&job->diag, PSST_ERR_DAMAGED, "the card in the backup is damaged");
    }
    if (err == PSST_OK && job->kind == PSST_BACKUP_RESTORE) load_settings(job);
    job->err = err;
}

static void on_place(uv_work_t *work)
{
    struct psst_backup_job *job = work->data;
    job->err = psst_restore_home_place(&job->home, &job->diag);
}

static void on_abandon(uv_work_t *work)
{
    struct psst_backup_job *job = work->data;
    if (job->home.home_fd >= 0) psst_restore_home_abandon(&job->home);
}

/* ---- settings: on the loop ---- */

/* Those of the backup that were set there take the place of those here. One of them is a command that would be run: whoever
 * restores decides about that himself. */
static void take_settings(struct psst_backup_job *job)
{
    struct psst_daemon *d = job->backup->d;
    const char *key;
    json_t *value, *all = job->settings != NULL ? psst_settings_all(job->settings) : NULL;
    json_object_foreach(all, key, value)
    {
        const char *theirs = psst_settings_own(job->settings, key);
        if (theirs == NULL) continue;
        if (strcmp(key, COMMAND) == 0) {
            job->result.command_left_out = theirs[0] != '\0';
            continue;
        }
        if (psst_settings_set(d->settings, key, theirs, &job->settings_diag) != PSST_OK) continue;
        /* where to listen, the identity knows once it is there */
        if (strcmp(key, "listen") != 0 && psst_daemon_setting_changed(d, key, NULL) != PSST_OK)
            psst_log(&d->log, PSST_LOG_WARNING, "setting-not-followed", "key=%s", key);
    }
    json_decref(all);
    job->result.settings_words = job->settings_diag.text;
}

/* ---- the order of things: on the loop ---- */

static void end(struct psst_backup_job *job)
{
    enum psst_err err = job->err;
    job->result.name = job->card.name;
    job->result.key = job->card.key;
    if (job->kind == PSST_BACKUP_RESTORE) {
        if (err == PSST_OK) { /* not before: a crash must not leave them without the identity that they belong to */
            take_settings(job);
        }
        psst_identity_restore_end(job->backup->d->identity, err == PSST_OK);
    }
    psst_backup_job_end(job, err, job->diag.text);
}

static void on_placed_or_abandoned(uv_work_t *work, int status)
{
    (void)status; /* nothing cancels it */
    end(work->data);
}

/* What was written so far goes. */
static void fail(struct psst_backup_job *job, enum psst_err err)
{
    job->err = err;
    if (job->home.home_fd >= 0)
        psst_backup_job_work(job, on_abandon, on_placed_or_abandoned);
    else
        end(job);
}

static void on_all_read(uv_work_t *work, int status)
{
    struct psst_backup_job *job = work->data;
    (void)status;
    if (job->err == PSST_OK && atomic_load(&job->stop)) job->err = PSST_ERR_AGAIN;
    if (job->err != PSST_OK) {
        fail(job, job->err);
    } else if (job->kind == PSST_BACKUP_CHECK) {
        end(job);
    } else {
        psst_backup_job_work(job, on_place, on_placed_or_abandoned);
    }
}

static void on_passphrase(void *ctx, const struct psst_key_reply *reply)
{
    struct psst_backup_job *job = ctx;
    enum psst_err err = reply->err;
    job->diag = reply->diag;
    job->key = reply->backup_key;
    job->result.encrypted = reply->encrypted;
    if (err == PSST_OK && atomic_load(&job->stop)) err = PSST_ERR_AGAIN;
    if (err != PSST_OK)
        fail(job, err);
    else
        psst_backup_job_work(job, on_read, on_all_read);
}

static void on_opened(uv_work_t *work, int status)
{
    struct psst_backup_job *job = work->data;
    (void)status;
    if (job->err == PSST_OK && atomic_load(&job->stop)) job->err = PSST_ERR_AGAIN;
    if (job->err != PSST_OK) {
        fail(job, job->err);
        return;
    }
    int sealed_fd = job->sealed_fd, key_fd = job->key_fd, secret_fd = job->passphrase_fd;
    job->sealed_fd = job->key_fd = job->passphrase_fd = -1;
    psst_key_backup_open(job->backup->d->key, job->in.header, sealed_fd, key_fd, secret_fd, on_passphrase, job);
}

void psst_backup_check(struct psst_backup *backup, const char *path, int passphrase_fd, psst_backup_done *done,
                       void *ctx)
{
    struct psst_backup_job *job = psst_backup_job_new(backup, PSST_BACKUP_CHECK, path, -1, passphrase_fd, done, ctx);
    if (job != NULL) psst_backup_job_work(job, on_open, on_opened);
}

void psst_backup_restore(struct psst_backup *backup, const char *path, int passphrase_fd, psst_backup_done *done,
                         void *ctx)
{
    struct psst_backup_job *job = psst_backup_job_new(backup, PSST_BACKUP_RESTORE, path, -1, passphrase_fd, done, ctx);
    if (job == NULL) return;
    enum psst_err err = psst_identity_restore_begin(backup->d->identity, &job->diag);
    if (err == PSST_OK)
        psst_backup_job_work(job, on_open, on_opened);
    else
        psst_backup_job_end(job, err, job->diag.text);
}
