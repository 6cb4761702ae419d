/* File transfers. Their bytes are on the disk elsewhere (daemon/transfers/io.h); here is what is known about them. */
#include "store/store_internal.h"

#define COLUMNS                                                                                                         \
    "id, contact_id, transfer_id, direction, state, reason, size, position, created_ms, name, path, form, flags, rank," \
    " mtime_ns, inode"
#define OPEN "state < 2 OR flags >= 65536" /* as in the index in schema.c, or it is not used */

_Static_assert(PSST_TRANSFER_DONE == 2 && PSST_TRANSFER_FAILED == 4 && PSST_TRANSFER_UNTOLD == 65536 && PSST_IN == 0,
               "the indices in schema.c");

/* ---- reading ---- */

const char psst_store_transfer_columns[] = COLUMNS;

/* What an older store does not have is NULL, and reads as 0. */
bool psst_store_transfer_read(sqlite3_stmt *stmt, struct psst_transfer_row *row)
{
    int state = sqlite3_column_int(stmt, 4);
    row->id = sqlite3_column_int64(stmt, 0);
    row->contact_id = sqlite3_column_int64(stmt, 1);
    row->direction = sqlite3_column_int(stmt, 3) == PSST_OUT ? PSST_OUT : PSST_IN;
    row->state = (enum psst_transfer_state)state;
    row->reason = (uint8_t)sqlite3_column_int(stmt, 5);
    row->size =
        sqlite3_column_int64(stmt, 6) == -1 ? PSST_TRANSFER_SIZE_UNKNOWN : (uint64_t)sqlite3_column_int64(stmt, 6);
    row->offset = psst_store_column_u64(stmt, 7);
    row->created_ms = psst_store_column_u64(stmt, 8);
    row->name = psst_store_column_view(stmt, 9);
    row->path = psst_store_column_view(stmt, 10);
    row->form = (uint8_t)sqlite3_column_int(stmt, 11);
    row->flags = (uint32_t)sqlite3_column_int64(stmt, 12);
    row->rank = sqlite3_column_int64(stmt, 13);
    row->mtime_ns = sqlite3_column_int64(stmt, 14);
    row->inode = (uint64_t)sqlite3_column_int64(stmt, 15);
    return state >= PSST_TRANSFER_WAITING && state <= PSST_TRANSFER_FAILED &&
           psst_store_column_bytes(stmt, 2, row->transfer_id.b, sizeof row->transfer_id.b);
}

enum psst_err psst_store_transfer_walk(struct psst_store *store, sqlite3_stmt *stmt, psst_transfer_each *each,
                                       void *ctx)
{
    enum psst_err err;
    while ((err = psst_store_stmt_row(store, stmt)) == PSST_OK) {
        struct psst_transfer_row row = {0};
        err = psst_store_transfer_read(stmt, &row) ? each(ctx, &row)
                                                   : psst_store_damage(store, "a transfer's row is damaged");
        if (err != PSST_OK) break;
    }
    psst_store_stmt_end(stmt);
    return err == PSST_ERR_NOT_FOUND ? PSST_OK : err;
}

#define SELECT "SELECT " COLUMNS " FROM transfers "

enum psst_err psst_store_transfers(struct psst_store *store, int64_t contact_id, psst_transfer_each *each, void *ctx)
{
    sqlite3_stmt *stmt;
    if (store->rescue) return psst_rescue_transfers(store, contact_id, each, ctx);
    enum psst_err err = contact_id == 0 ? psst_store_stmt(store, STMT_TRANSFERS, SELECT "ORDER BY id", &stmt)
                                        : psst_store_stmt(store, STMT_TRANSFERS_OF_CONTACT,
                                                          SELECT "WHERE contact_id = ?1 ORDER BY id", &stmt);
    if (err != PSST_OK) return err;
    if (contact_id != 0) (void)sqlite3_bind_int64(stmt, 1, contact_id);
    return psst_store_transfer_walk(store, stmt, each, ctx);
}

/* Some of what a rescue can still read. */
struct some {
    psst_transfer_each *each;
    void *ctx;
    bool open; /* of all these alone */
    int64_t from, before;
};

static enum psst_err give_some(void *ctx, const struct psst_transfer_row *row)
{
    const struct some *some = ctx;
    bool is_open = row->state < PSST_TRANSFER_DONE || row->flags >= PSST_TRANSFER_UNTOLD;
    bool wanted = row->id >= some->from && row->id < some->before && (is_open || !some->open);
    return wanted ? some->each(some->ctx, row) : PSST_OK;
}

enum psst_err psst_store_transfers_open(struct psst_store *store, psst_transfer_each *each, void *ctx)
{
    sqlite3_stmt *stmt;
    struct some some = {each, ctx, true, INT64_MIN, INT64_MAX};
    if (store->rescue) return psst_rescue_transfers(store, 0, give_some, &some);
    enum psst_err err = psst_store_stmt(store, STMT_TRANSFERS_OPEN,
                                        SELECT "INDEXED BY transfers_open WHERE " OPEN " ORDER BY id", &stmt);
    return err == PSST_OK ? psst_store_transfer_walk(store, stmt, each, ctx) : err;
}

/* The last ids under before: a ring. */
struct last_ids {
    int64_t ids[PSST_TRANSFERS_PAGE_MAX];
    int64_t before;
    size_t n, limit;
};

static enum psst_err note_id(void *ctx, const struct psst_transfer_row *row)
{
    struct last_ids *last = ctx;
    if (row->id < last->before) last->ids[last->n++ % last->limit] = row->id;
    return PSST_OK;
}

static enum psst_err rescue_before(struct psst_store *store, struct some *some, size_t limit)
{
    struct last_ids last = {.before = some->before, .limit = limit};
    enum psst_err err = psst_rescue_transfers(store, 0, note_id, &last);
    if (err == PSST_OK && last.n > limit) some->from = last.ids[last.n % limit];
    return err == PSST_OK ? psst_rescue_transfers(store, 0, give_some, some) : err;
}

enum psst_err psst_store_transfers_before(struct psst_store *store, int64_t before_id, size_t limit,
                                          psst_transfer_each *each, void *ctx)
{
    sqlite3_stmt *stmt;
    if (before_id == 0) before_id = INT64_MAX;
    if (limit < 1 || limit > PSST_TRANSFERS_PAGE_MAX) return PSST_ERR_USAGE;
    struct some some = {each, ctx, false, INT64_MIN, before_id};
    if (store->rescue) return rescue_before(store, &some, limit);
    enum psst_err err =
        psst_store_stmt(store, STMT_TRANSFERS_BEFORE,
                        "SELECT * FROM (" SELECT "WHERE id < ?1 ORDER BY id DESC LIMIT ?2) ORDER BY id", &stmt);
    if (err != PSST_OK) return err;
    (void)sqlite3_bind_int64(stmt, 1, before_id);
    (void)sqlite3_bind_int64(stmt, 2, (int64_t)limit);
    return psst_store_transfer_walk(store, stmt, each, ctx);
}

enum psst_err psst_store_transfer_by_id(struct psst_store *store, int64_t id, psst_transfer_each *each, void *ctx)
{
    sqlite3_stmt *stmt;
    struct some some = {each, ctx, false, id, id + 1};
    if (id < 1 || id == INT64_MAX) return PSST_OK;
    if (store->rescue) return psst_rescue_transfers(store, 0, give_some, &some);
    enum psst_err err = psst_store_stmt(store, STMT_TRANSFER_BY_ID, SELECT "WHERE id = ?1", &stmt);
    if (err != PSST_OK) return err;
    (void)sqlite3_bind_int64(stmt, 1, id);
    return psst_store_transfer_walk(store, stmt, each, ctx);
}

enum psst_err psst_store_transfers_withdrawn(struct psst_store *store, psst_transfers_count *each, void *ctx)
{
    sqlite3_stmt *stmt;
    enum psst_err err = psst_store_stmt(store, STMT_TRANSFERS_WITHDRAWN,
                                        "SELECT contact_id, count(*) FROM transfers"
                                        " WHERE direction = 0 AND state = 4 AND path = x'' GROUP BY contact_id",
                                        &stmt);
    if (err != PSST_OK) return err;
    while ((err = psst_store_stmt_row(store, stmt)) == PSST_OK) {
        int64_t n = sqlite3_column_int64(stmt, 1);
        each(ctx, sqlite3_column_int64(stmt, 0), n > UINT32_MAX ? UINT32_MAX : (uint32_t)n);
    }
    psst_store_stmt_end(stmt);
    return err == PSST_ERR_NOT_FOUND ? PSST_OK : err;
}

enum psst_err psst_store_transfer_find(struct psst_store *store, struct psst_transfer_row *row)
{
    sqlite3_stmt *stmt;
    enum psst_err err = psst_store_stmt(store, STMT_TRANSFER_FIND,
                                        "SELECT id, state, reason FROM transfers"
                                        " WHERE contact_id = ?1 AND transfer_id = ?2 AND direction = ?3",
                                        &stmt);
    if (err != PSST_OK) return err;
    int rc = sqlite3_bind_int64(stmt, 1, row->contact_id);
    rc |= psst_store_bind_blob(stmt, 2, psst_view(row->transfer_id.b, sizeof row->transfer_id.b));
    rc |= sqlite3_bind_int(stmt, 3, (int)row->direction);
    err = rc == SQLITE_OK ? psst_store_stmt_row(store, stmt) : PSST_ERR_MEMORY;
    int state = err == PSST_OK ? sqlite3_column_int(stmt, 1) : 0;
    if (err == PSST_OK && (state < PSST_TRANSFER_WAITING || state > PSST_TRANSFER_FAILED))
        err = psst_store_damage(store, "a transfer's row is damaged");
    if (err == PSST_OK) {
        row->id = sqlite3_column_int64(stmt, 0);
        row->state = (enum psst_transfer_state)state;
        row->reason = (uint8_t)sqlite3_column_int(stmt, 2);
    }
    psst_store_stmt_end(stmt);
    return err;
}

/* ---- writing ---- */

/* A size that is not known yet is stored as -1. */
static int bind_size(sqlite3_stmt *stmt, int at, uint64_t size)
{
    return size == PSST_TRANSFER_SIZE_UNKNOWN ? sqlite3_bind_int64(stmt, at, -1) : psst_store_bind_u64(stmt, at, size);
}

/* What both statements begin with. */
static int bind_changing(sqlite3_stmt *stmt, const struct psst_transfer_row *row)
{
    int rc = sqlite3_bind_int64(stmt, 1, row->contact_id);
    rc |= sqlite3_bind_int(stmt, 2, (int)row->state);
    rc |= sqlite3_bind_int(stmt, 3, row->reason);
    rc |= bind_size(stmt, 4, row->size);
    rc |= psst_store_bind_u64(stmt, 5, row->offset);
    rc |= psst_store_bind_blob(stmt, 6, row->name);
    rc |= psst_store_bind_blob(stmt, 7, row->path);
    rc |= sqlite3_bind_int64(stmt, 8, row->flags);
    rc |= sqlite3_bind_int64(stmt, 9, row->rank);
    rc |= sqlite3_bind_int64(stmt, 10, (int64_t)row->inode);
    return rc;
}

static enum psst_err insert(struct psst_store *store, struct psst_transfer_row *row)
{
    enum psst_err err = psst_store_transfer_find(store, row);
    if (err == PSST_OK) return PSST_ERR_EXISTS;
    if (err != PSST_ERR_NOT_FOUND) return err;
    bool keeps;
    err = psst_store_keeps_history(store, row->contact_id, &keeps); /* not of one that is being removed */
    if (err != PSST_OK) return err;
    sqlite3_stmt *stmt;
    err = psst_store_stmt(store, STMT_TRANSFER_INSERT,
                          "INSERT INTO transfers (contact_id, state, reason, size, position, name, path, flags, rank,"
                          " inode, transfer_id, direction, created_ms, form, mtime_ns)"
                          " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
                          &stmt);
    if (err != PSST_OK) return err;
    int rc = bind_changing(stmt, row);
    rc |= psst_store_bind_blob(stmt, 11, psst_view(row->transfer_id.b, sizeof row->transfer_id.b));
    rc |= sqlite3_bind_int(stmt, 12, (int)row->direction);
    rc |= psst_store_bind_u64(stmt, 13, row->created_ms);
    rc |= sqlite3_bind_int(stmt, 14, row->form);
    rc |= sqlite3_bind_int64(stmt, 15, row->mtime_ns);
    err = rc == SQLITE_OK ? psst_store_stmt_run(store, stmt) : PSST_ERR_TOO_LONG;
    if (err == PSST_OK) row->id = sqlite3_last_insert_rowid(store->db);
    return err;
}

/* Whose it is, which way it goes, its form, its source's age, its transfer id and its own age never change. */
static enum psst_err update(struct psst_store *store, const struct psst_transfer_row *row)
{
    sqlite3_stmt *stmt;
    enum psst_err err = psst_store_stmt(store, STMT_TRANSFER_UPDATE,
                                        "UPDATE transfers SET state = ?2, reason = ?3, size = ?4, position = ?5,"
                                        " name = ?6, path = ?7, flags = ?8, rank = ?9, inode = ?10"
                                        " WHERE id = ?11 AND contact_id = ?1",
                                        &stmt);
    if (err != PSST_OK) return err;
    int rc = bind_changing(stmt, row) | sqlite3_bind_int64(stmt, 11, row->id);
    err = rc == SQLITE_OK ? psst_store_stmt_run(store, stmt) : PSST_ERR_TOO_LONG;
    if (err == PSST_OK && sqlite3_changes(store->db) == 0) err = PSST_ERR_NOT_FOUND;
    return err;
}

enum psst_err psst_store_transfer_put(struct psst_store *store, struct psst_transfer_row *row)
{
    return row->id == 0 ? insert(store, row) : update(store, row);
}

enum psst_err psst_store_transfer_safe(struct psst_store *store, int64_t id, int64_t contact_id, uint64_t offset)
{
    sqlite3_stmt *stmt;
    enum psst_err err =
        psst_store_stmt(store, STMT_TRANSFER_SAFE,
                        "UPDATE transfers SET position = ?3 WHERE id = ?1 AND contact_id = ?2 AND state = 1", &stmt);
    if (err != PSST_OK) return err;
    (void)sqlite3_bind_int64(stmt, 1, id);
    (void)sqlite3_bind_int64(stmt, 2, contact_id);
    (void)psst_store_bind_u64(stmt, 3, offset);
    err = psst_store_stmt_run(store, stmt);
    return err == PSST_OK && sqlite3_changes(store->db) == 0 ? PSST_ERR_NOT_FOUND : err;
}
