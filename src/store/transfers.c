/* File transfers. Their bytes are on the disk elsewhere (daemon/transfer_io.h); here is what is known about them. */
#include "store/store_internal.h"

#define COLUMNS "id, contact_id, transfer_id, direction, state, reason, size, position, created_ms, name, path"
const char psst_store_transfer_columns[] = COLUMNS;

static enum psst_err find(struct psst_store *store, const struct psst_transfer_row *row, int64_t *id)
{
    sqlite3_stmt *stmt;
    enum psst_err err = psst_store_stmt(
        store, STMT_TRANSFER_FIND,
        "SELECT id FROM transfers WHERE contact_id = ?1 AND transfer_id = ?2 AND direction = ?3", &stmt);
    if (err != PSST_OK) return err;
    int rc = sqlite3_bind_int64(stmt, 1, row->contact_id);
    rc |= psst_store_bind_blob(stmt, 2, psst_view(row->transfer_id.b, sizeof row->transfer_id.b));
    rc |= sqlite3_bind_int(stmt, 3, (int)row->direction);
    err = rc == SQLITE_OK ? psst_store_stmt_row(store, stmt) : PSST_ERR_MEMORY;
    if (err == PSST_OK) *id = sqlite3_column_int64(stmt, 0);
    psst_store_stmt_end(stmt);
    return err;
}

static enum psst_err insert(struct psst_store *store, struct psst_transfer_row *row)
{
    enum psst_err err = find(store, row, &row->id);
    if (err == PSST_OK) return PSST_ERR_EXISTS;
    if (err != PSST_ERR_NOT_FOUND) return err;
    sqlite3_stmt *stmt;
    err = psst_store_stmt(store, STMT_TRANSFER_INSERT,
                          "INSERT INTO transfers (" COLUMNS ") VALUES (NULL, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
                          &stmt);
    if (err != PSST_OK) return err;
    int rc = sqlite3_bind_int64(stmt, 1, row->contact_id);
    rc |= psst_store_bind_blob(stmt, 2, psst_view(row->transfer_id.b, sizeof row->transfer_id.b));
    rc |= sqlite3_bind_int(stmt, 3, (int)row->direction);
    rc |= sqlite3_bind_int(stmt, 4, (int)row->state);
    rc |= sqlite3_bind_int(stmt, 5, row->reason);
    rc |= psst_store_bind_u64(stmt, 6, row->size);
    rc |= psst_store_bind_u64(stmt, 7, row->offset);
    rc |= psst_store_bind_u64(stmt, 8, row->created_ms);
    rc |= psst_store_bind_blob(stmt, 9, row->name);
    rc |= psst_store_bind_blob(stmt, 10, row->path);
    err = rc == SQLITE_OK ? psst_store_stmt_run(store, stmt) : PSST_ERR_TOO_LONG;
    if (err == PSST_OK) row->id = sqlite3_last_insert_rowid(store->db);
    return err;
}

/* Whose it is, which way it goes, its transfer id and its age never change. */
static enum psst_err update(struct psst_store *store, const struct psst_transfer_row *row)
{
    sqlite3_stmt *stmt;
    enum psst_err err = psst_store_stmt(store, STMT_TRANSFER_UPDATE,
                                        "UPDATE transfers SET state = ?3, reason = ?4, size = ?5, position = ?6,"
                                        " name = ?7, path = ?8 WHERE id = ?1 AND contact_id = ?2",
                                        &stmt);
    if (err != PSST_OK) return err;
    int rc = sqlite3_bind_int64(stmt, 1, row->id);
    rc |= sqlite3_bind_int64(stmt, 2, row->contact_id);
    rc |= sqlite3_bind_int(stmt, 3, (int)row->state);
    rc |= sqlite3_bind_int(stmt, 4, row->reason);
    rc |= psst_store_bind_u64(stmt, 5, row->size);
    rc |= psst_store_bind_u64(stmt, 6, row->offset);
    rc |= psst_store_bind_blob(stmt, 7, row->name);
    rc |= psst_store_bind_blob(stmt, 8, row->path);
    err = rc == SQLITE_OK ? psst_store_stmt_run(store, stmt) : PSST_ERR_TOO_LONG;
    if (err == PSST_OK && sqlite3_changes(store->db) == 0) err = PSST_ERR_NOT_FOUND;
    return err;
}

enum psst_err psst_store_transfer_put(struct psst_store *store, struct psst_transfer_row *row)
{
    return row->id == 0 ? insert(store, row) : update(store, row);
}

bool psst_store_transfer_read(sqlite3_stmt *stmt, struct psst_transfer_row *row)
{
    int state = sqlite3_column_int(stmt, 4);
    row->id = sqlite3_column_int64(stmt, 0);
    row->contact_id = sqlite3_column_int64(stmt, 1);
    row->direction = sqlite3_column_int(stmt, 3) == PSST_OUT ? PSST_OUT : PSST_IN;
    row->state = (enum psst_transfer_state)state;
    row->reason = (uint8_t)sqlite3_column_int(stmt, 5);
    row->size = psst_store_column_u64(stmt, 6);
    row->offset = psst_store_column_u64(stmt, 7);
    row->created_ms = psst_store_column_u64(stmt, 8);
    row->name = psst_store_column_view(stmt, 9);
    row->path = psst_store_column_view(stmt, 10);
    return state >= PSST_TRANSFER_WAITING && state <= PSST_TRANSFER_FAILED &&
           psst_store_column_bytes(stmt, 2, row->transfer_id.b, sizeof row->transfer_id.b);
}

static enum psst_err prepare_walk(struct psst_store *store, int64_t contact_id, sqlite3_stmt **stmt)
{
    if (contact_id == 0)
        return psst_store_stmt(store, STMT_TRANSFERS, "SELECT " COLUMNS " FROM transfers ORDER BY id", stmt);
    enum psst_err err = psst_store_stmt(store, STMT_TRANSFERS_OF_CONTACT,
                                        "SELECT " COLUMNS " FROM transfers WHERE contact_id = ?1 ORDER BY id", stmt);
    if (err == PSST_OK) (void)sqlite3_bind_int64(*stmt, 1, contact_id);
    return err;
}

enum psst_err psst_store_transfers(struct psst_store *store, int64_t contact_id, psst_transfer_each *each, void *ctx)
{
    sqlite3_stmt *stmt;
    if (store->rescue) return psst_rescue_transfers(store, contact_id, each, ctx);
    enum psst_err err = prepare_walk(store, contact_id, &stmt);
    if (err != PSST_OK) return err;
    while ((err = psst_store_stmt_row(store, stmt)) == PSST_OK) {
        struct psst_transfer_row row = {0};
        err = psst_store_transfer_read(stmt, &row) ? each(ctx, &row)
                                                   : psst_store_damage(store, "a transfer's row is damaged");
        if (err != PSST_OK) break;
    }
    psst_store_stmt_end(stmt);
    return err == PSST_ERR_NOT_FOUND ? PSST_OK : err;
}
