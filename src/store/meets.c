/* Meetings: agreed times. A row lives from the proposal until the time is over, or until both sides know that it was
 * called off.
 *
 *   out:  WAITING --acknowledged--> AGREED            either, called off here:  CANCELLING --acknowledged--> gone
 *   in:   ------------------------> AGREED            called off there:         gone
 */
#include "store/store_internal.h"

#define VERSION 5 /* the first that has them */
#define COLUMNS "id, contact_id, meet_id, direction, state, time_ms"

static bool read_row(sqlite3_stmt *stmt, struct psst_meet_row *row)
{
    int state = sqlite3_column_int(stmt, 4);
    row->id = sqlite3_column_int64(stmt, 0);
    row->contact_id = sqlite3_column_int64(stmt, 1);
    row->direction = sqlite3_column_int(stmt, 3) == PSST_OUT ? PSST_OUT : PSST_IN;
    row->state = (enum psst_meet_state)state;
    row->time_ms = psst_store_column_u64(stmt, 5);
    return state >= PSST_MEET_WAITING && state <= PSST_MEET_CANCELLING &&
           psst_store_column_bytes(stmt, 2, row->meet_id.b, sizeof row->meet_id.b);
}

enum psst_err psst_store_meets(struct psst_store *store, psst_meet_each *each, void *ctx)
{
    sqlite3_stmt *stmt;
    if (store->version < VERSION) return PSST_OK;
    enum psst_err err = psst_store_stmt(store, STMT_MEETS, "SELECT " COLUMNS " FROM meets ORDER BY time_ms, id", &stmt);
    if (err != PSST_OK) return err;
    while ((err = psst_store_stmt_row(store, stmt)) == PSST_OK) {
        struct psst_meet_row row = {0};
        err = read_row(stmt, &row) ? each(ctx, &row) : psst_store_damage(store, "a meeting's row is damaged");
        if (err != PSST_OK) break;
    }
    psst_store_stmt_end(stmt);
    return err == PSST_ERR_NOT_FOUND ? PSST_OK : err;
}

/* Whether this one is there; with another time it is another meeting under the same name. */
static enum psst_err compare_with_known(struct psst_store *store, struct psst_meet_row *row)
{
    sqlite3_stmt *stmt;
    enum psst_err err = psst_store_stmt(store, STMT_MEET_FIND,
                                        "SELECT id, time_ms FROM meets WHERE contact_id = ?1 AND meet_id = ?2", &stmt);
    if (err != PSST_OK) return err;
    int rc = sqlite3_bind_int64(stmt, 1, row->contact_id);
    rc |= psst_store_bind_blob(stmt, 2, psst_view(row->meet_id.b, sizeof row->meet_id.b));
    err = rc == SQLITE_OK ? psst_store_stmt_row(store, stmt) : PSST_ERR_MEMORY;
    if (err == PSST_OK) {
        row->id = sqlite3_column_int64(stmt, 0);
        err = psst_store_column_u64(stmt, 1) == row->time_ms ? PSST_ERR_EXISTS : PSST_ERR_PROTOCOL;
    }
    psst_store_stmt_end(stmt);
    return err == PSST_ERR_NOT_FOUND ? PSST_OK : err;
}

static enum psst_err check_room(struct psst_store *store, const struct psst_meet_row *row)
{
    sqlite3_stmt *stmt;
    enum psst_err err = psst_store_stmt(store, STMT_MEET_COUNT,
                                        "SELECT count(*) FROM meets WHERE contact_id = ?1 AND direction = ?2", &stmt);
    if (err != PSST_OK) return err;
    (void)sqlite3_bind_int64(stmt, 1, row->contact_id);
    (void)sqlite3_bind_int(stmt, 2, (int)row->direction);
    err = psst_store_stmt_row(store, stmt);
    if (err == PSST_OK && sqlite3_column_int64(stmt, 0) >= PSST_MEETS_MAX) err = PSST_ERR_FULL;
    psst_store_stmt_end(stmt);
    return err;
}

enum psst_err psst_store_meet_add(struct psst_store *store, struct psst_meet_row *row)
{
    sqlite3_stmt *stmt;
    bool keeps;
    enum psst_err err = psst_store_keeps_history(store, row->contact_id, &keeps); /* not of one that is being removed */
    if (err == PSST_OK) err = compare_with_known(store, row);
    if (err == PSST_OK) err = check_room(store, row);
    if (err == PSST_OK)
        err = psst_store_stmt(store, STMT_MEET_INSERT,
                              "INSERT INTO meets (" COLUMNS ") VALUES (NULL, ?1, ?2, ?3, ?4, ?5)", &stmt);
    if (err != PSST_OK) return err;
    int rc = sqlite3_bind_int64(stmt, 1, row->contact_id);
    rc |= psst_store_bind_blob(stmt, 2, psst_view(row->meet_id.b, sizeof row->meet_id.b));
    rc |= sqlite3_bind_int(stmt, 3, (int)row->direction);
    rc |= sqlite3_bind_int(stmt, 4, (int)row->state);
    rc |= psst_store_bind_u64(stmt, 5, row->time_ms);
    err = rc == SQLITE_OK ? psst_store_stmt_run(store, stmt) : PSST_ERR_TOO_LONG;
    if (err == PSST_OK) row->id = sqlite3_last_insert_rowid(store->db);
    return err;
}

enum psst_err psst_store_meet_state(struct psst_store *store, int64_t id, enum psst_meet_state state)
{
    sqlite3_stmt *stmt;
    enum psst_err err =
        psst_store_stmt(store, STMT_MEET_UPDATE, "UPDATE meets SET state = ?2 WHERE id = ?1 AND state < ?2", &stmt);
    if (err != PSST_OK) return err;
    (void)sqlite3_bind_int64(stmt, 1, id);
    (void)sqlite3_bind_int(stmt, 2, (int)state);
    err = psst_store_stmt_run(store, stmt);
    if (err == PSST_OK && sqlite3_changes(store->db) == 0) err = PSST_ERR_NOT_FOUND;
    return err;
}

enum psst_err psst_store_meet_remove(struct psst_store *store, int64_t contact_id, const struct psst_msg_id *meet_id)
{
    sqlite3_stmt *stmt;
    enum psst_err err =
        psst_store_stmt(store, STMT_MEET_REMOVE, "DELETE FROM meets WHERE contact_id = ?1 AND meet_id = ?2", &stmt);
    if (err != PSST_OK) return err;
    int rc = sqlite3_bind_int64(stmt, 1, contact_id);
    rc |= psst_store_bind_blob(stmt, 2, psst_view(meet_id->b, sizeof meet_id->b));
    return rc == SQLITE_OK ? psst_store_stmt_run(store, stmt) : PSST_ERR_MEMORY;
}

enum psst_err psst_store_meets_over(struct psst_store *store, uint64_t before_ms)
{
    sqlite3_stmt *stmt;
    enum psst_err err = psst_store_stmt(store, STMT_MEETS_OVER, "DELETE FROM meets WHERE time_ms < ?1", &stmt);
    if (err != PSST_OK) return err;
    return psst_store_bind_u64(stmt, 1, before_ms) == SQLITE_OK ? psst_store_stmt_run(store, stmt) : PSST_ERR_TOO_LONG;
}
