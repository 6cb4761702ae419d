/* Reading the whole store to see whether it is sound. */
#include "store/store_internal.h"

#include <stdio.h>

/* SQLite walks every tree, and so every page is decrypted and its MAC compared; each index is held against its table. */
static const char everything[] = "PRAGMA integrity_check(1)";
/* What SQLite does not look for: rows whose contact is gone. */
static const char orphans[] = "PRAGMA foreign_key_check";

/* found: the first column of the first row, as text; empty when there is none. */
static enum psst_err first_row(struct psst_store *store, const char *sql, char *found, size_t size)
{
    sqlite3_stmt *stmt = NULL;
    found[0] = '\0';
    enum psst_err err = psst_store_result(store, sqlite3_prepare_v2(store->db, sql, -1, &stmt, NULL));
    if (err == PSST_OK) err = psst_store_stmt_row(store, stmt);
    if (err == PSST_OK) {
        struct psst_view text = psst_store_column_view(stmt, 0);
        (void)snprintf(found, size, "%.*s", (int)text.len, text.data != NULL ? (const char *)text.data : "");
    }
    (void)sqlite3_finalize(stmt);
    return err;
}

enum psst_err psst_store_check_quickly(struct psst_store *store)
{
    char found[160];
    enum psst_err err = first_row(store, "PRAGMA quick_check(1)", found, sizeof found);
    if (err != PSST_OK) return err;
    return strcmp(found, "ok") == 0 ? PSST_OK : psst_store_damage(store, found);
}

enum psst_err psst_store_check(struct psst_store *store)
{
    char found[160];
    (void)sqlite3_db_release_memory(store->db); /* pages that are remembered would not be read */
    enum psst_err err = first_row(store, everything, found, sizeof found);
    if (err != PSST_OK) return err;
    if (strcmp(found, "ok") != 0) return psst_store_damage(store, found);
    err = first_row(store, orphans, found, sizeof found);
    if (err == PSST_OK) return psst_store_damage(store, "a row belongs to no contact");
    return err == PSST_ERR_NOT_FOUND ? PSST_OK : err;
}
