/* One's own values: private, and about nobody else. */
#include "store/store_internal.h"

#define VERSION 5 /* the first that has them */

enum psst_err psst_store_own_get(struct psst_store *store, const char *name, uint8_t *out, size_t size, size_t *len)
{
    sqlite3_stmt *stmt;
    if (store->version < VERSION) return PSST_ERR_NOT_FOUND;
    enum psst_err err = psst_store_stmt(store, STMT_OWN_GET, "SELECT value FROM own WHERE name = ?1", &stmt);
    if (err != PSST_OK) return err;
    err = psst_store_bind_text(stmt, 1, psst_view_str(name)) == SQLITE_OK ? psst_store_stmt_row(store, stmt)
                                                                          : PSST_ERR_MEMORY;
    if (err == PSST_OK) {
        struct psst_view value = psst_store_column_view(stmt, 0);
        if (value.len > size) err = psst_store_damage(store, "a value of one's own is damaged");
        if (err == PSST_OK && value.len > 0) memcpy(out, value.data, value.len);
        if (err == PSST_OK) *len = value.len;
    }
    psst_store_stmt_end(stmt);
    return err;
}

enum psst_err psst_store_own_put(struct psst_store *store, const char *name, struct psst_view value)
{
    sqlite3_stmt *stmt;
    bool keep = value.len > 0;
    enum psst_err err =
        keep ? psst_store_stmt(store, STMT_OWN_PUT, "INSERT OR REPLACE INTO own (name, value) VALUES (?1, ?2)", &stmt)
             : psst_store_stmt(store, STMT_OWN_REMOVE, "DELETE FROM own WHERE name = ?1", &stmt);
    if (err != PSST_OK) return err;
    int rc = psst_store_bind_text(stmt, 1, psst_view_str(name));
    if (keep) rc |= psst_store_bind_blob(stmt, 2, value);
    return rc == SQLITE_OK ? psst_store_stmt_run(store, stmt) : PSST_ERR_TOO_LONG;
}
