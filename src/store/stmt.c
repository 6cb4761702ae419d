/* Statements, and the group that jobs run in. */
#include "store/store_internal.h"

#include <errno.h>
#include <stdio.h>

/* ---- results ---- */

static enum psst_err constraint(int extended)
{
    switch (extended) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY: return PSST_ERR_EXISTS;
    case SQLITE_CONSTRAINT_FOREIGNKEY: return PSST_ERR_NOT_FOUND;
    default: return PSST_ERR_USAGE;
    }
}

static enum psst_err system_error(sqlite3 *db)
{
    int e = sqlite3_system_errno(db);
    return e == ENOSPC || e == EDQUOT ? PSST_ERR_DISK_FULL : PSST_ERR_IO;
}

static enum psst_err meaning(const struct psst_store *store, int rc)
{
    switch (rc & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE: return PSST_OK;
    case SQLITE_FULL: return PSST_ERR_DISK_FULL;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return PSST_ERR_DAMAGED;
    case SQLITE_NOMEM: return PSST_ERR_MEMORY;
    case SQLITE_TOOBIG: return PSST_ERR_TOO_LONG;
    case SQLITE_CONSTRAINT: return constraint(rc);
    case SQLITE_READONLY: return store->damaged ? PSST_ERR_DAMAGED : PSST_ERR_PERMISSION;
    case SQLITE_PERM:
    case SQLITE_AUTH: return PSST_ERR_PERMISSION;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN: return system_error(store->db);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL: return PSST_ERR_IO;
    default: return PSST_ERR_INTERNAL;
    }
}

static void latch_damage(struct psst_store *store)
{
    if (store->damaged) return;
    store->damaged = true;
    /* what is still whole must stay so: from here on this handle only reads */
    (void)sqlite3_exec(store->db, "PRAGMA query_only = ON", NULL, NULL, NULL);
}

enum psst_err psst_store_result(struct psst_store *store, int rc)
{
    enum psst_err err = meaning(store, rc);
    if (err == PSST_OK) return err;
    store->last = err;
    if (rc == SQLITE_IOERR_FSYNC) store->log_unsure = true;
    const char *words = sqlite3_errmsg(store->db);
    (void)snprintf(store->words, sizeof store->words, "%s (%d)", words == NULL ? "unknown" : words, rc);
    if (err == PSST_ERR_DAMAGED) latch_damage(store);
    return err;
}

enum psst_err psst_store_damage(struct psst_store *store, const char *what)
{
    (void)snprintf(store->words, sizeof store->words, "%s", what);
    store->last = PSST_ERR_DAMAGED;
    latch_damage(store);
    return PSST_ERR_DAMAGED;
}

bool psst_store_is_damaged(const struct psst_store *store)
{
    return store->damaged;
}

const char *psst_store_error(const struct psst_store *store)
{
    return store->words;
}

/* ---- statements ---- */

void psst_store_stmt_end(sqlite3_stmt *stmt)
{
    (void)sqlite3_reset(stmt); /* repeats the error of the step, which was looked at there */
    (void)sqlite3_clear_bindings(stmt);
}

enum psst_err psst_store_stmt(struct psst_store *store, enum psst_stmt which, const char *sql, sqlite3_stmt **out)
{
    if (store->stmts[which] == NULL) {
        enum psst_err err =
            psst_store_result(store, sqlite3_prepare_v2(store->db, sql, -1, &store->stmts[which], NULL));
        if (err != PSST_OK) return err;
    }
    psst_store_stmt_end(store->stmts[which]);
    *out = store->stmts[which];
    return PSST_OK;
}

/* Where the MAC of a page that continues a row is wrong, SQLCipher gives SQLITE_ERROR. Our statements are all well made,
 * so that it means nothing else, but for those that control transactions. */
static enum psst_err step_error(struct psst_store *store, sqlite3_stmt *stmt, int rc)
{
    bool reads = sqlite3_column_count(stmt) > 0 || sqlite3_stmt_readonly(stmt) == 0;
    return psst_store_result(store, (rc & 0xff) == SQLITE_ERROR && reads ? SQLITE_CORRUPT : rc);
}

enum psst_err psst_store_stmt_row(struct psst_store *store, sqlite3_stmt *stmt)
{
    int rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW) return PSST_OK;
    if (rc == SQLITE_DONE) return PSST_ERR_NOT_FOUND;
    return step_error(store, stmt, rc);
}

enum psst_err psst_store_stmt_run(struct psst_store *store, sqlite3_stmt *stmt)
{
    int rc = sqlite3_step(stmt);
    enum psst_err err = rc == SQLITE_DONE || rc == SQLITE_ROW ? PSST_OK : step_error(store, stmt, rc);
    psst_store_stmt_end(stmt);
    return err;
}

enum psst_err psst_store_exec(struct psst_store *store, const char *sql)
{
    return psst_store_result(store, sqlite3_exec(store->db, sql, NULL, NULL, NULL));
}

/* ---- values ---- */

/* SQLite takes a NULL pointer for the value NULL; an empty view is an empty value. */
static const void *some(struct psst_view view)
{
    return view.data == NULL ? (const void *)"" : (const void *)view.data;
}

int psst_store_bind_blob(sqlite3_stmt *stmt, int at, struct psst_view view)
{
    if (view.len > PSST_STORE_VALUE_MAX) return SQLITE_TOOBIG;
    return sqlite3_bind_blob(stmt, at, some(view), (int)view.len, SQLITE_STATIC);
}

int psst_store_bind_text(sqlite3_stmt *stmt, int at, struct psst_view view)
{
    if (view.len > PSST_STORE_VALUE_MAX) return SQLITE_TOOBIG;
    return sqlite3_bind_text(stmt, at, some(view), (int)view.len, SQLITE_STATIC);
}

/* Bits are kept as they are: nothing is ever ordered by these. */
int psst_store_bind_u64(sqlite3_stmt *stmt, int at, uint64_t v)
{
    return sqlite3_bind_int64(stmt, at, (sqlite3_int64)v);
}

struct psst_view psst_store_column_view(sqlite3_stmt *stmt, int at)
{
    const void *data = sqlite3_column_blob(stmt, at);
    int len = sqlite3_column_bytes(stmt, at);
    return data == NULL || len <= 0 ? psst_view(NULL, 0) : psst_view(data, (size_t)len);
}

uint64_t psst_store_column_u64(sqlite3_stmt *stmt, int at)
{
    return (uint64_t)sqlite3_column_int64(stmt, at);
}

bool psst_store_column_bytes(sqlite3_stmt *stmt, int at, uint8_t *out, size_t len)
{
    struct psst_view view = psst_store_column_view(stmt, at);
    if (view.len != len) return false;
    memcpy(out, view.data, len);
    return true;
}

/* ---- the group ---- */

static enum psst_err run(struct psst_store *store, enum psst_stmt which, const char *sql)
{
    sqlite3_stmt *stmt;
    enum psst_err err = psst_store_stmt(store, which, sql, &stmt);
    return err != PSST_OK ? err : psst_store_stmt_run(store, stmt);
}

enum psst_err psst_store_begin(struct psst_store *store)
{
    store->broken = PSST_OK;
    store->last = PSST_OK;
    store->words[0] = '\0';
    store->reserve_is_free = false;
    store->indexed_at_begin = store->indexed;
    if (store->rescue) return PSST_OK; /* an error would stick to a transaction */
    if (store->log_unsure && !store->damaged) {
        enum psst_err err = psst_store_log_again(store);
        if (err != PSST_OK) return err;
        store->log_unsure = false;
    }
    return run(store, STMT_BEGIN, "BEGIN");
}

/* After some errors (an I/O error, no memory) SQLite rolls back everything, not the statement alone. */
static bool group_is_lost(const struct psst_store *store)
{
    return sqlite3_get_autocommit(store->db) != 0;
}

static enum psst_err lost(const struct psst_store *store)
{
    return store->last != PSST_OK ? store->last : PSST_ERR_IO;
}

static void rollback(struct psst_store *store)
{
    char words[sizeof store->words];
    memcpy(words, store->words, sizeof words);
    if (!group_is_lost(store)) (void)run(store, STMT_ROLLBACK, "ROLLBACK");
    store->indexed = store->indexed_at_begin;
    store->erasure_noted = false;
    memcpy(store->words, words, sizeof words); /* of the cause, not of the cleaning up */
}

enum psst_err psst_store_commit(struct psst_store *store)
{
    enum psst_err err = store->broken;
    if (store->rescue) return err;
    if (err == PSST_OK && group_is_lost(store)) err = lost(store);
    if (err == PSST_OK) err = psst_store_index_new(store);
    if (err == PSST_OK) err = run(store, STMT_COMMIT, "COMMIT");
    if (err != PSST_OK) rollback(store);
    store->broken = PSST_OK;
    return err;
}

enum psst_err psst_store_savepoint(struct psst_store *store)
{
    if (store->broken != PSST_OK) return store->broken;
    store->words[0] = '\0';
    store->indexed_at_job = store->indexed;
    if (store->rescue) return PSST_OK;
    return run(store, STMT_SAVEPOINT, "SAVEPOINT job");
}

void psst_store_release(struct psst_store *store, bool keep)
{
    if (store->broken != PSST_OK || store->rescue) return;
    if (group_is_lost(store)) {
        store->broken = lost(store);
        return;
    }
    char words[sizeof store->words];
    memcpy(words, store->words, sizeof words);
    enum psst_err err = PSST_OK;
    if (!keep) err = run(store, STMT_SAVEPOINT_ROLLBACK, "ROLLBACK TO job");
    if (!keep) {
        store->indexed = store->indexed_at_job;
        store->erasure_noted = false; /* it may have been this job's note */
    }
    if (err == PSST_OK) err = run(store, STMT_SAVEPOINT_RELEASE, "RELEASE job");
    if (err != PSST_OK) {
        store->broken = err;
    } else {
        memcpy(store->words, words, sizeof words);
    }
}
