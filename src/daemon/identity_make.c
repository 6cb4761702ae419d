/* A new identity, made or restored, and another passphrase for the one that there is. psst-key makes both files; here they get their names. */
#include "daemon/identity_internal.h"

#include <stdio.h>

/* ---- making one ---- */

static void on_progress(void *ctx, unsigned tried)
{
    struct psst_identity *identity = ctx;
    if (identity->progress != NULL) identity->progress(identity->progress_ctx, tried);
}

/* Somebody may have put a key back, or taken it away, while psstd ran. Links borrow the key that we have had. */
static enum psst_err none_yet(struct psst_identity *identity, struct psst_diag *diag)
{
    if (psst_identity_exists(identity->d->paths.identity))
        return psst_fail(diag, PSST_ERR_EXISTS,
                         "identity.pem is there already, and is never overwritten: psst down, then psst up");
    if (identity->key != NULL)
        return psst_fail(diag, PSST_ERR_EXISTS,
                         "identity.pem was taken away while psstd ran: put it back, or psst down before a new one");
    return PSST_OK;
}

/* The card first: only identity.pem makes an identity, and whoever has that one has his card. */
static void on_made(void *ctx, const struct psst_key_reply *reply)
{
    struct psst_identity *identity = ctx;
    struct psst_daemon *d = identity->d;
    struct psst_diag diag = reply->diag;
    enum psst_err err = reply->err;
    if (err == PSST_OK) err = none_yet(identity, &diag);
    if (err == PSST_OK && psst_rsa_public_load(&identity->key, reply->spki) != PSST_OK)
        err = psst_fail(&diag, PSST_ERR_BAD_KEY, "the key cannot be used");
    if (err == PSST_OK) err = psst_identity_write_card(identity, &diag);
    if (err == PSST_OK) err = psst_small_file_commit(d->paths.identity, &diag);
    if (err != PSST_OK) {
        psst_small_file_abandon(d->paths.identity);
        psst_rsa_public_free(identity->key);
        identity->key = NULL;
        identity->name[0] = '\0';
        psst_identity_fail(identity, err, diag.text);
        return;
    }
    psst_identity_listen(identity);
    psst_identity_open_store(identity);
}

void psst_identity_init(struct psst_identity *identity, const char *name, unsigned bits, int import_fd,
                        int passphrase_fd, psst_key_progress *progress, psst_identity_done *done, void *ctx)
{
    struct psst_daemon *d = identity->d;
    struct psst_diag diag = {{0}};
    int out_fd = -1;
    enum psst_err err = PSST_OK;
    if (identity->state != PSST_IDENTITY_NONE)
        err = psst_fail(&diag, PSST_ERR_EXISTS, "there is an identity already: it is never overwritten");
    if (err == PSST_OK) err = none_yet(identity, &diag);
    if (err == PSST_OK) err = psst_name_check(name, &diag);
    if (err == PSST_OK) err = psst_paths_make_dir(d->paths.data_dir, true, &diag);
    if (err == PSST_OK) err = psst_small_file_begin(d->paths.identity, &out_fd, &diag);
    if (err != PSST_OK) {
        psst_identity_close_fd(import_fd);
        psst_identity_close_fd(passphrase_fd);
        done(ctx, err, diag.text);
        return;
    }
    if (!psst_identity_wait(identity, done, ctx)) {
        psst_identity_close_fd(import_fd);
        psst_identity_close_fd(passphrase_fd);
        psst_identity_close_fd(out_fd);
        return;
    }
    identity->state = PSST_IDENTITY_OPENING;
    identity->encrypted = passphrase_fd >= 0;
    identity->progress = progress;
    identity->progress_ctx = ctx;
    (void)snprintf(identity->name, sizeof identity->name, "%s", name);
    if (import_fd >= 0)
        psst_key_import(d->key, import_fd, out_fd, passphrase_fd, on_made, identity);
    else
        psst_key_generate(d->key, bits, out_fd, passphrase_fd, on_progress, on_made, identity);
}

/* ---- another passphrase ---- */

static void on_changed(void *ctx, const struct psst_key_reply *reply)
{
    struct psst_identity *identity = ctx;
    struct psst_diag diag = reply->diag;
    enum psst_err err = reply->err;
    if (err == PSST_OK)
        err = psst_small_file_commit(identity->d->paths.identity, &diag);
    else
        psst_small_file_abandon(identity->d->paths.identity);
    identity->changing = false;
    if (err == PSST_OK) identity->encrypted = reply->encrypted;
    identity->passwd.done(identity->passwd.ctx, err, diag.text);
}

void psst_identity_passwd(struct psst_identity *identity, int old_fd, int new_fd, psst_identity_done *done, void *ctx)
{
    struct psst_daemon *d = identity->d;
    struct psst_diag diag = {{0}};
    int key_fd = -1, out_fd = -1;
    enum psst_err err = PSST_OK;
    if (identity->changing || identity->state == PSST_IDENTITY_OPENING)
        err = psst_fail(&diag, PSST_ERR_AGAIN, "something else is being done with the identity just now: try again");
    if (err == PSST_OK && !identity->encrypted && new_fd < 0)
        err = psst_fail(&diag, PSST_ERR_USAGE, "there is no passphrase, and no new one was given");
    if (err == PSST_OK) {
        key_fd = psst_identity_open_key(identity, &diag);
        if (key_fd < 0) err = PSST_ERR_PERMISSION;
    }
    if (err == PSST_OK) err = psst_small_file_begin(d->paths.identity, &out_fd, &diag);
    if (err != PSST_OK) {
        psst_identity_close_fd(key_fd);
        psst_identity_close_fd(old_fd);
        psst_identity_close_fd(new_fd);
        done(ctx, err, diag.text);
        return;
    }
    identity->changing = true;
    identity->passwd = (struct waiter){NULL, done, ctx};
    psst_key_change_passphrase(d->key, key_fd, out_fd, old_fd, new_fd, on_changed, identity);
}

/* ---- restoring ---- */

enum psst_err psst_identity_restore_begin(struct psst_identity *identity, struct psst_diag *diag)
{
    if (identity->state == PSST_IDENTITY_OPENING)
        return psst_fail(diag, PSST_ERR_AGAIN, "an identity is being made or opened just now: try again");
    if (identity->state != PSST_IDENTITY_NONE)
        return psst_fail(diag, PSST_ERR_EXISTS,
                         "there is an identity already (%s), and nothing is ever restored over it: set PSST_HOME to an "
                         "empty folder",
                         identity->name);
    enum psst_err err = none_yet(identity, diag);
    if (err == PSST_OK) identity->state = PSST_IDENTITY_OPENING; /* what needs one waits */
    return err;
}

void psst_identity_restore_end(struct psst_identity *identity, bool restored)
{
    psst_identity_finish(identity, PSST_IDENTITY_NONE, PSST_OK, "");
    if (!restored || identity->d->stopping) return;
    psst_identity_start(identity);
    psst_identity_listen(identity);
}
