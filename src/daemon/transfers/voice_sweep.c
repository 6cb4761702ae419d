/* Where voice messages lie, and how those that are not kept any longer go: on the store thread, which may wait for the disk. */
#include "daemon/transfers/transfers.h"

#include <stdio.h>
#include <unistd.h>

enum psst_err psst_transfers_voice_dir(const struct psst_daemon *d, char *out, bool make, struct psst_diag *diag)
{
    int n = snprintf(out, PSST_PATH_MAX, "%s/voice", d->paths.data_dir);
    if (n < 0 || n >= PSST_PATH_MAX) return psst_fail(diag, PSST_ERR_USAGE, "the path of the data folder is too long");
    return make ? psst_paths_make_dir(out, true, diag) : PSST_OK;
}

struct sweep {
    const char *dir;
    int64_t *ids;
    size_t n;
};

/* Only what lies in our folder: what the user had saved elsewhere is his. */
static enum psst_err sweep_one(void *ctx, const struct psst_transfer_row *row)
{
    struct sweep *sweep = ctx;
    char path[2 * PSST_PATH_MAX];
    size_t len = strlen(sweep->dir);
    bool ours = row->path.len > len + 1 && row->path.len < sizeof path &&
                memcmp(row->path.data, sweep->dir, len) == 0 && row->path.data[len] == '/' &&
                memchr(row->path.data + len + 1, '/', row->path.len - len - 1) == NULL;
    if (ours) {
        memcpy(path, row->path.data, row->path.len);
        path[row->path.len] = '\0';
        (void)unlink(path); /* it may be gone already */
    }
    sweep->ids[sweep->n++] = row->id;
    return PSST_OK;
}

enum psst_err psst_transfers_voice_sweep(struct psst_store *store, const char *dir, uint64_t now_ms,
                                         int64_t ids[PSST_VOICE_DUE_MAX], size_t *n)
{
    struct sweep sweep = {.dir = dir, .ids = ids};
    enum psst_err err = psst_store_voice_due(store, now_ms, sweep_one, &sweep);
    for (size_t i = 0; err == PSST_OK && i < sweep.n; i++) err = psst_store_transfer_remove(store, ids[i]);
    *n = err == PSST_OK ? sweep.n : 0;
    return err;
}
