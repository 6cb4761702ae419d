/* The requests of key/client.h, each put into its shape of key/protocol.h. */
#include "daemon/key/client_internal.h"

static struct psst_key_wish wish_of(enum psst_key_op op, psst_key_done *done, void *ctx)
{
    return (struct psst_key_wish){.request = {.op = op}, .done = done, .ctx = ctx};
}

static void add_file(struct psst_key_wish *wish, int fd)
{
    wish->fds[wish->n_fds++] = fd;
}

/* After the files. -1: there is none. */
static void add_passphrase(struct psst_key_wish *wish, size_t which, int fd)
{
    if (fd < 0) return;
    wish->request.passphrase[which] = true;
    wish->fds[wish->n_fds++] = fd;
}

void psst_key_unlock(struct psst_key_client *kc, int key_fd, int passphrase_fd, psst_key_done *done, void *ctx)
{
    struct psst_key_wish wish = wish_of(PSST_KEY_UNLOCK, done, ctx);
    add_file(&wish, key_fd);
    add_passphrase(&wish, 0, passphrase_fd);
    psst_key_submit(kc, &wish);
}

void psst_key_lock(struct psst_key_client *kc, psst_key_done *done, void *ctx)
{
    struct psst_key_wish wish = wish_of(PSST_KEY_LOCK, done, ctx);
    psst_key_submit(kc, &wish);
}

void psst_key_decapsulate(struct psst_key_client *kc, const uint8_t x[PSST_KEM_LEN], psst_key_done *done, void *ctx)
{
    struct psst_key_wish wish = wish_of(PSST_KEY_DECAPSULATE, done, ctx);
    wish.request.data = psst_view(x, PSST_KEM_LEN);
    psst_key_submit(kc, &wish);
}

void psst_key_generate(struct psst_key_client *kc, unsigned bits, int out_fd, int passphrase_fd,
                       psst_key_progress *progress, psst_key_done *done, void *ctx)
{
    struct psst_key_wish wish = wish_of(PSST_KEY_GENERATE, done, ctx);
    wish.request.bits = bits > UINT16_MAX ? UINT16_MAX : (uint16_t)bits; /* psst-key names the limits */
    wish.progress = progress;
    add_file(&wish, out_fd);
    add_passphrase(&wish, 0, passphrase_fd);
    psst_key_submit(kc, &wish);
}

void psst_key_import(struct psst_key_client *kc, int in_fd, int out_fd, int passphrase_fd, psst_key_done *done,
                     void *ctx)
{
    struct psst_key_wish wish = wish_of(PSST_KEY_IMPORT, done, ctx);
    add_file(&wish, in_fd);
    add_file(&wish, out_fd);
    add_passphrase(&wish, 0, passphrase_fd);
    psst_key_submit(kc, &wish);
}

void psst_key_change_passphrase(struct psst_key_client *kc, int key_fd, int out_fd, int old_fd, int new_fd,
                                psst_key_done *done, void *ctx)
{
    struct psst_key_wish wish = wish_of(PSST_KEY_CHANGE, done, ctx);
    add_file(&wish, key_fd);
    add_file(&wish, out_fd);
    add_passphrase(&wish, 0, old_fd);
    add_passphrase(&wish, 1, new_fd);
    psst_key_submit(kc, &wish);
}

void psst_key_create_store(struct psst_key_client *kc, psst_key_done *done, void *ctx)
{
    struct psst_key_wish wish = wish_of(PSST_KEY_CREATE_STORE, done, ctx);
    psst_key_submit(kc, &wish);
}

void psst_key_open_store(struct psst_key_client *kc, struct psst_view wrapped, psst_key_done *done, void *ctx)
{
    struct psst_key_wish wish = wish_of(PSST_KEY_OPEN_STORE, done, ctx);
    wish.request.data = wrapped;
    if (wrapped.len != PSST_KEY_WRAPPED_LEN) {
        wish.refused = PSST_ERR_DAMAGED;
        wish.words = "the file with the store's key is damaged: it has another length than what was written";
    }
    psst_key_submit(kc, &wish);
}

void psst_key_backup_seal(struct psst_key_client *kc, const uint8_t header[PSST_BACKUP_HEADER_LEN], int key_fd,
                          int out_fd, int passphrase_fd, psst_key_done *done, void *ctx)
{
    struct psst_key_wish wish = wish_of(PSST_KEY_BACKUP_SEAL, done, ctx);
    wish.request.data = psst_view(header, PSST_BACKUP_HEADER_LEN);
    add_file(&wish, key_fd);
    add_file(&wish, out_fd);
    add_passphrase(&wish, 0, passphrase_fd);
    psst_key_submit(kc, &wish);
}

void psst_key_backup_open(struct psst_key_client *kc, const uint8_t header[PSST_BACKUP_HEADER_LEN], int sealed_fd,
                          int out_fd, int passphrase_fd, psst_key_done *done, void *ctx)
{
    struct psst_key_wish wish = wish_of(out_fd >= 0 ? PSST_KEY_BACKUP_OPEN : PSST_KEY_BACKUP_CHECK, done, ctx);
    wish.request.data = psst_view(header, PSST_BACKUP_HEADER_LEN);
    add_file(&wish, sealed_fd);
    if (out_fd >= 0) add_file(&wish, out_fd);
    add_passphrase(&wish, 0, passphrase_fd);
    psst_key_submit(kc, &wish);
}
