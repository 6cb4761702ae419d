/* Voice messages: transfers of one form, that are kept as the messages of their contact are. Their files lie elsewhere: whoever
 * asks which are to go removes the file first and the row then, so that no file is ever without its row. */
#include "store/store_internal.h"

#define VERSION 7 /* the first that has their index */

_Static_assert(PSST_TRANSFER_FORM_VOICE == 3 && PSST_TRANSFER_HEARD == 8 && PSST_TRANSFER_DONE == 2 && PSST_OUT == 1,
               "the literals below, and the index in schema.c");

enum psst_err psst_store_voice_before(struct psst_store *store, int64_t contact_id, int64_t id, uint32_t *n)
{
    sqlite3_stmt *stmt;
    enum psst_err err =
        psst_store_stmt(store, STMT_VOICE_BEFORE,
                        "SELECT count(*) FROM transfers INDEXED BY transfers_voice WHERE contact_id = ?1"
                        " AND form = 3 AND direction = 0 AND state <= 2 AND (flags & 8) = 0 AND id < ?2",
                        &stmt);
    if (err != PSST_OK) return err;
    (void)sqlite3_bind_int64(stmt, 1, contact_id);
    (void)sqlite3_bind_int64(stmt, 2, id);
    err = psst_store_stmt_row(store, stmt);
    if (err == PSST_OK) *n = (uint32_t)sqlite3_column_int64(stmt, 0);
    psst_store_stmt_end(stmt);
    return err;
}

static enum psst_err run_for(struct psst_store *store, enum psst_stmt which, const char *sql, int64_t id)
{
    sqlite3_stmt *stmt;
    enum psst_err err = psst_store_stmt(store, which, sql, &stmt);
    if (err != PSST_OK) return err;
    (void)sqlite3_bind_int64(stmt, 1, id);
    err = psst_store_stmt_run(store, stmt);
    return err == PSST_OK && sqlite3_changes(store->db) == 0 ? PSST_ERR_NOT_FOUND : err;
}

enum psst_err psst_store_voice_heard(struct psst_store *store, int64_t id)
{
    return run_for(store, STMT_VOICE_HEARD, "UPDATE transfers SET flags = flags | 8 WHERE id = ?1 AND form = 3", id);
}

enum psst_err psst_store_transfer_remove(struct psst_store *store, int64_t id)
{
    enum psst_err err = run_for(store, STMT_TRANSFER_REMOVE, "DELETE FROM transfers WHERE id = ?1", id);
    return err == PSST_OK ? psst_store_note_erased(store) : err;
}

/* Over, and the other side knows; and heard, if it came here whole. */
#define DONE "t.state >= 2 AND t.flags < 65536 AND (t.direction = 1 OR t.state <> 2 OR (t.flags & 8) <> 0)"

enum psst_err psst_store_voice_due(struct psst_store *store, uint64_t now_ms, psst_transfer_each *each, void *ctx)
{
    sqlite3_stmt *stmt;
    if (store->version < VERSION || store->read_only || store->damaged) return PSST_OK;
    enum psst_err err = psst_store_stmt(
        store, STMT_VOICE_DUE,
        "SELECT t.id, t.contact_id, t.transfer_id, t.direction, t.state, t.reason, t.size, t.position, t.created_ms,"
        " t.name, t.path, t.form, t.flags, t.rank, t.mtime_ns, t.inode FROM contacts c CROSS JOIN transfers t"
        " INDEXED BY transfers_voice ON t.contact_id = c.id AND t.form = 3 WHERE c.removed = 1 OR (" DONE
        " AND (c.keep_history = 0 OR t.created_ms < c.forget_ms OR"
        " (c.keep_days > 0 AND t.created_ms < ?1 - c.keep_days * 86400000))) LIMIT ?2",
        &stmt);
    if (err != PSST_OK) return err;
    (void)sqlite3_bind_int64(stmt, 1, now_ms > INT64_MAX / 2 ? INT64_MAX / 2 : (int64_t)now_ms);
    (void)sqlite3_bind_int64(stmt, 2, PSST_VOICE_DUE_MAX);
    return psst_store_transfer_walk(store, stmt, each, ctx);
}
