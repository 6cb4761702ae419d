#include "store/snapshot.h"

#include "store/store_internal.h"

#include <stdlib.h>

#define PAGE_BYTES   4096
#define CHECK_EVERY  10000 /* steps of SQLite's machine between two looks at *stop */
#define DAMAGE_WORDS "the history is damaged: it was not copied"

struct psst_store_snapshot {
    struct psst_store *reader; /* inside a transaction that has begun to read */
    sqlite3_file *file;        /* its main file */
    uint64_t size;
};

/* Moves all that is committed into the main file. Only another reader can be in the way. */
static enum psst_err checkpoint(struct psst_store *store, struct psst_diag *diag)
{
    int in_log = 0, moved = 0;
    if (store->damaged || store->read_only) return psst_fail(diag, PSST_ERR_DAMAGED, DAMAGE_WORDS);
    int rc = sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_PASSIVE, &in_log, &moved);
    if (rc != SQLITE_OK && (rc & 0xff) != SQLITE_BUSY) {
        enum psst_err err = psst_store_result(store, rc);
        return psst_fail(diag, err, "the history cannot be copied: %s", store->words);
    }
    if (rc == SQLITE_OK && in_log == moved) return PSST_OK;
    return psst_fail(diag, PSST_ERR_AGAIN, "the history is being copied already: try again when that is done");
}

/* The transaction holds its place from its first reading on. */
static enum psst_err take_place(struct psst_store_snapshot *s)
{
    int64_t tables = 0;
    sqlite3_int64 bytes = 0;
    sqlite3 *db = s->reader->db;
    enum psst_err err = psst_store_exec(s->reader, "BEGIN");
    if (err == PSST_OK) err = psst_store_pragma_int(s->reader, "SELECT count(*) FROM sqlite_master", &tables);
    if (err == PSST_OK)
        err = psst_store_result(s->reader, sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &s->file));
    if (err == PSST_OK) err = psst_store_result(s->reader, s->file->pMethods->xFileSize(s->file, &bytes));
    if (err != PSST_OK) return err;
    if (bytes < PAGE_BYTES || bytes % PAGE_BYTES != 0)
        return psst_store_damage(s->reader, "the file is not made of whole pages");
    s->size = (uint64_t)bytes;
    return PSST_OK;
}

enum psst_err psst_store_snapshot_begin(struct psst_store_snapshot **out, struct psst_store *store,
                                        const struct psst_store_key *key, struct psst_diag *diag)
{
    enum psst_err err = checkpoint(store, diag);
    if (err != PSST_OK) return err;
    struct psst_store_snapshot *s = calloc(1, sizeof *s);
    if (s == NULL) return psst_fail(diag, PSST_ERR_MEMORY, "out of memory");
    err = psst_store_open_beside(&s->reader, store->path, key, diag);
    if (err == PSST_OK) {
        err = take_place(s);
        if (err != PSST_OK) (void)psst_fail(diag, err, "the history cannot be copied: %s", s->reader->words);
    }
    if (err == PSST_OK)
        *out = s;
    else
        psst_store_snapshot_end(s);
    return err;
}

void psst_store_snapshot_end(struct psst_store_snapshot *snapshot)
{
    if (snapshot == NULL) return;
    psst_store_close(snapshot->reader);
    free(snapshot);
}

uint64_t psst_store_snapshot_size(const struct psst_store_snapshot *snapshot)
{
    return snapshot->size;
}

static int on_progress(void *ctx)
{
    return atomic_load((atomic_bool *)ctx) ? 1 : 0;
}

enum psst_err psst_store_snapshot_check(struct psst_store_snapshot *snapshot, atomic_bool *stop, struct psst_diag *diag)
{
    sqlite3 *db = snapshot->reader->db;
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &stmt, NULL);
    sqlite3_progress_handler(db, CHECK_EVERY, on_progress, stop);
    if (rc == SQLITE_OK) rc = sqlite3_step(stmt);
    bool good = rc == SQLITE_ROW && psst_view_equal(psst_store_column_view(stmt, 0), psst_view_str("ok"));
    enum psst_err err = rc == SQLITE_ROW ? PSST_OK : psst_store_result(snapshot->reader, rc);
    (void)sqlite3_finalize(stmt);
    sqlite3_progress_handler(db, 0, NULL, NULL);
    if (atomic_load(stop)) return PSST_ERR_AGAIN;
    if (good) return PSST_OK;
    if (err == PSST_OK || err == PSST_ERR_DAMAGED) return psst_fail(diag, PSST_ERR_DAMAGED, DAMAGE_WORDS);
    return psst_fail(diag, err, "the history cannot be read: %s", snapshot->reader->words);
}

enum psst_err psst_store_snapshot_read(struct psst_store_snapshot *snapshot, uint64_t offset, uint8_t *out, size_t len,
                                       struct psst_diag *diag)
{
    if (offset > snapshot->size || len > snapshot->size - offset || len > INT32_MAX) return PSST_ERR_USAGE;
    /* past SQLite's pages and SQLCipher's keys, straight to the disk */
    int rc = snapshot->file->pMethods->xRead(snapshot->file, out, (int)len, (sqlite3_int64)offset);
    if (rc == SQLITE_OK) return PSST_OK;
    return psst_fail(diag, PSST_ERR_IO, "the history cannot be read from the disk (%d)", rc);
}
