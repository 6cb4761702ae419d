/* Transfers as rows in the store. */
#include "daemon/transfers/internal.h"

#include <stdlib.h>

struct keep {
    struct psst_transfers *all;
    unsigned generation;
    struct psst_transfer_row row; /* name and path point to the copies */
    char *name, *path;
    bool insert;
    psst_transfer_then *then;     /* of one that is in the list */
    psst_transfer_stored *stored; /* of a new one */
    void *ctx;
};

static void keep_free(struct keep *keep)
{
    free(keep->name);
    free(keep->path);
    free(keep);
}

static struct keep *keep_new(struct psst_transfers *transfers, const struct psst_transfer_row *row)
{
    struct keep *keep = calloc(1, sizeof *keep);
    if (keep == NULL) return NULL;
    keep->all = transfers;
    keep->generation = transfers->generation;
    keep->row = *row;
    keep->name = row->name.len > 0 ? strndup((const char *)row->name.data, row->name.len) : strdup("");
    keep->path = row->path.len > 0 ? strndup((const char *)row->path.data, row->path.len) : strdup("");
    if (keep->name == NULL || keep->path == NULL) {
        keep_free(keep);
        return NULL;
    }
    keep->row.name = psst_view(keep->name, row->name.len);
    keep->row.path = psst_view(keep->path, row->path.len);
    return keep;
}

/* ---- one that is in the list ---- */

static enum psst_err keep_work(struct psst_store *store, void *arg)
{
    struct keep *keep = arg;
    return psst_store_transfer_put(store, &keep->row);
}

static void kept(void *arg, enum psst_err err, const char *words)
{
    struct keep *keep = arg;
    struct psst_transfers *all = keep->all;
    struct psst_transfer *t = keep->generation == all->generation ? psst_transfer_by_id(all, keep->row.id) : NULL;
    if (err != PSST_OK && err != PSST_ERR_LOCKED)
        psst_log_limited(&all->d->log, PSST_LOG_ERROR, "transfer-not-kept", "reason=\"%s\"", words);
    if (t != NULL) t->keeping--;
    if (keep->then != NULL) keep->then(t, err, words, keep->ctx);
    keep_free(keep);
}

static struct psst_transfer_row row_of(const struct psst_transfer *t, enum psst_transfer_state state)
{
    return (struct psst_transfer_row){
        .id = t->id,
        .contact_id = t->contact_id,
        .transfer_id = t->transfer_id,
        .direction = t->direction,
        .state = state,
        .reason = t->reason,
        .form = t->form,
        .flags = t->flags,
        .rank = t->rank,
        .size = t->size,
        .offset = state == PSST_TRANSFER_DONE ? t->size : t->safe,
        .created_ms = t->created_ms,
        .mtime_ns = t->mtime_ns,
        .inode = t->inode,
        .name = psst_view_str(t->name),
        .path = psst_view_str(t->path),
    };
}

void psst_transfer_keep_as(struct psst_transfer *t, enum psst_transfer_state state, psst_transfer_then *then, void *ctx)
{
    const struct psst_transfer_row row = row_of(t, state);
    struct keep *keep = keep_new(t->all, &row);
    if (keep == NULL) {
        if (then != NULL) then(t, PSST_ERR_MEMORY, "out of memory", ctx);
        return;
    }
    keep->then = then;
    keep->ctx = ctx;
    t->keeping++;
    psst_store_run(t->all->d->store, keep_work, kept, keep);
}

void psst_transfer_keep(struct psst_transfer *t, psst_transfer_then *then, void *ctx)
{
    psst_transfer_keep_as(t, t->state, then, ctx);
}

/* ---- a new one ---- */

static enum psst_err store_work(struct psst_store *store, void *arg)
{
    struct keep *keep = arg;
    if (keep->insert) return psst_store_transfer_put(store, &keep->row);
    enum psst_err err = psst_store_transfer_find(store, &keep->row);
    return err == PSST_OK ? PSST_ERR_EXISTS : err;
}

static void stored(void *arg, enum psst_err err, const char *words)
{
    struct keep *keep = arg;
    struct psst_transfers *all = keep->all;
    struct psst_transfer *t = NULL;
    if (err == PSST_OK && keep->generation != all->generation) {
        err = PSST_ERR_LOCKED;
        words = "the identity was locked meanwhile";
    }
    if (err == PSST_OK) t = psst_transfer_new(all, &keep->row);
    if (err == PSST_OK && t == NULL) {
        err = PSST_ERR_MEMORY;
        words = "out of memory";
    }
    if (t != NULL) psst_transfer_add(all, t);
    keep->stored(all, t, &keep->row, err, words, keep->ctx);
    keep_free(keep);
}

void psst_transfer_store_new(struct psst_transfers *transfers, const struct psst_transfer_row *row, bool insert,
                             psst_transfer_stored *then, void *ctx)
{
    struct keep *keep = keep_new(transfers, row);
    if (keep == NULL) {
        then(transfers, NULL, row, PSST_ERR_MEMORY, "out of memory", ctx);
        return;
    }
    keep->insert = insert;
    keep->stored = then;
    keep->ctx = ctx;
    psst_store_run(transfers->d->store, store_work, stored, keep);
}

/* ---- one that was in the list ---- */

struct keep_safe {
    int64_t id, contact_id;
    uint64_t safe;
};

static enum psst_err safe_work(struct psst_store *store, void *arg)
{
    const struct keep_safe *keep = arg;
    return psst_store_transfer_safe(store, keep->id, keep->contact_id, keep->safe);
}

static void safe_kept(void *arg, enum psst_err err, const char *words)
{
    (void)err; /* then less is taken up again: no harm */
    (void)words;
    free(arg);
}

void psst_transfer_keep_safe(struct psst_transfers *transfers, int64_t id, int64_t contact_id, uint64_t safe)
{
    struct keep_safe *keep = malloc(sizeof *keep);
    if (keep == NULL) return;
    *keep = (struct keep_safe){id, contact_id, safe};
    psst_store_run(transfers->d->store, safe_work, safe_kept, keep);
}
