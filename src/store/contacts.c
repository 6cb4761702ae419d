/* Contacts. */
#include "store/store_internal.h"

/* ---- reading ---- */

#define COLUMNS                                                                                                        \
    "id, alias, fpr, spki, our_secret, their_secret, addresses, blocked, verified, keep_history, added_ms, paused,"    \
    " keep_days, receipts, reconnect, presence, presence_text"
const char psst_store_contact_columns[] = COLUMNS;

static bool read_secret(sqlite3_stmt *stmt, int at, bool *has, struct psst_pair_secret *secret)
{
    *has = sqlite3_column_type(stmt, at) != SQLITE_NULL;
    return !*has || psst_store_column_bytes(stmt, at, secret->b, sizeof secret->b);
}

static bool read_alias(sqlite3_stmt *stmt, int at, char *out, size_t size)
{
    struct psst_view alias = psst_store_column_view(stmt, at);
    if (alias.len == 0 || alias.len >= size || memchr(alias.data, 0, alias.len) != NULL) return false;
    memcpy(out, alias.data, alias.len);
    out[alias.len] = '\0';
    return true;
}

bool psst_store_contact_read(sqlite3_stmt *stmt, struct psst_contact_row *row)
{
    row->id = sqlite3_column_int64(stmt, 0);
    row->spki = psst_store_column_view(stmt, 3);
    row->addresses = psst_store_column_view(stmt, 6);
    row->blocked = sqlite3_column_int(stmt, 7) != 0;
    row->verified = sqlite3_column_int(stmt, 8) != 0;
    row->keep_history = sqlite3_column_int(stmt, 9) != 0;
    row->added_ms = psst_store_column_u64(stmt, 10);
    row->paused = sqlite3_column_int(stmt, 11) != 0;
    row->keep_days = (uint32_t)sqlite3_column_int(stmt, 12);
    row->receipts = sqlite3_column_int(stmt, 13) != 0;
    row->reconnect = sqlite3_column_int(stmt, 14) != 0;
    row->presence = (uint8_t)sqlite3_column_int(stmt, 15);
    row->presence_text = psst_store_column_view(stmt, 16);
    if (row->presence > PSST_PRESENCE_INVISIBLE || row->presence_text.len > PSST_PRESENCE_TEXT_MAX) return false;
    return read_alias(stmt, 1, row->alias, sizeof row->alias) &&
           psst_store_column_bytes(stmt, 2, row->fpr.b, sizeof row->fpr.b) &&
           read_secret(stmt, 4, &row->has_our_secret, &row->our_secret) &&
           read_secret(stmt, 5, &row->has_their_secret, &row->their_secret);
}

enum psst_err psst_store_contacts(struct psst_store *store, psst_contact_each *each, void *ctx)
{
    sqlite3_stmt *stmt;
    if (store->rescue) return psst_rescue_contacts(store, each, ctx);
    enum psst_err err =
        psst_store_stmt(store, STMT_CONTACTS,
                        "SELECT " COLUMNS " FROM contacts WHERE removed = 0 ORDER BY alias COLLATE NOCASE", &stmt);
    if (err != PSST_OK) return err;
    while ((err = psst_store_stmt_row(store, stmt)) == PSST_OK) {
        struct psst_contact_row row = {0};
        err = psst_store_contact_read(stmt, &row) ? each(ctx, &row)
                                                  : psst_store_damage(store, "a contact's row is damaged");
        PSST_WIPE(row);
        if (err != PSST_OK) break;
    }
    psst_store_stmt_end(stmt);
    return err == PSST_ERR_NOT_FOUND ? PSST_OK : err;
}

enum psst_err psst_store_keeps_history(struct psst_store *store, int64_t contact_id, bool *keeps)
{
    sqlite3_stmt *stmt;
    enum psst_err err = psst_store_stmt(store, STMT_CONTACT_KEEPS_HISTORY,
                                        "SELECT keep_history FROM contacts WHERE id = ?1 AND removed = 0", &stmt);
    if (err != PSST_OK) return err;
    (void)sqlite3_bind_int64(stmt, 1, contact_id);
    err = psst_store_stmt_row(store, stmt);
    if (err == PSST_OK) *keeps = sqlite3_column_int(stmt, 0) != 0;
    psst_store_stmt_end(stmt);
    return err;
}

/* ---- writing ---- */

static bool shape_is_good(const struct psst_contact_row *row)
{
    size_t alias_len = strnlen(row->alias, sizeof row->alias);
    return alias_len > 0 && alias_len < sizeof row->alias && row->spki.len > 0;
}

static int bind_row(sqlite3_stmt *stmt, const struct psst_contact_row *row)
{
    int rc = sqlite3_bind_text(stmt, 2, row->alias, -1, SQLITE_STATIC);
    rc |= psst_store_bind_blob(stmt, 3, psst_view(row->fpr.b, sizeof row->fpr.b));
    rc |= psst_store_bind_blob(stmt, 4, row->spki);
    if (row->has_our_secret)
        rc |= psst_store_bind_blob(stmt, 5, psst_view(row->our_secret.b, sizeof row->our_secret.b));
    if (row->has_their_secret)
        rc |= psst_store_bind_blob(stmt, 6, psst_view(row->their_secret.b, sizeof row->their_secret.b));
    rc |= psst_store_bind_text(stmt, 7, row->addresses);
    rc |= sqlite3_bind_int(stmt, 8, row->blocked);
    rc |= sqlite3_bind_int(stmt, 9, row->verified);
    rc |= sqlite3_bind_int(stmt, 10, row->keep_history);
    rc |= psst_store_bind_u64(stmt, 11, row->added_ms);
    rc |= sqlite3_bind_int(stmt, 12, row->paused);
    rc |= sqlite3_bind_int(stmt, 13, (int)row->keep_days);
    rc |= sqlite3_bind_int(stmt, 14, row->receipts);
    rc |= sqlite3_bind_int(stmt, 15, row->reconnect);
    rc |= sqlite3_bind_int(stmt, 16, row->presence);
    rc |= psst_store_bind_text(stmt, 17, row->presence_text);
    return rc;
}

static enum psst_err insert(struct psst_store *store, struct psst_contact_row *row)
{
    sqlite3_stmt *stmt;
    enum psst_err err =
        psst_store_stmt(store, STMT_CONTACT_INSERT,
                        "INSERT INTO contacts (" COLUMNS
                        ") VALUES (NULL, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
                        &stmt);
    if (err != PSST_OK) return err;
    err = bind_row(stmt, row) == SQLITE_OK ? psst_store_stmt_run(store, stmt) : PSST_ERR_TOO_LONG;
    if (err == PSST_OK) row->id = sqlite3_last_insert_rowid(store->db);
    return err;
}

static enum psst_err update(struct psst_store *store, const struct psst_contact_row *row)
{
    bool kept = false;
    enum psst_err err = psst_store_keeps_history(store, row->id, &kept);
    bool switches = kept != row->keep_history;
    if (err == PSST_OK && switches) err = psst_store_index_new(store);
    if (err == PSST_OK && switches && kept) err = psst_store_index_contact(store, row->id, false);
    if (err != PSST_OK) return err;
    sqlite3_stmt *stmt;
    err = psst_store_stmt(
        store, STMT_CONTACT_UPDATE,
        "UPDATE contacts SET alias = ?2, fpr = ?3, spki = ?4, our_secret = ?5, their_secret = ?6,"
        " addresses = ?7, blocked = ?8, verified = ?9, keep_history = ?10, added_ms = ?11, paused = ?12,"
        " keep_days = ?13, receipts = ?14, reconnect = ?15, presence = ?16, presence_text = ?17"
        " WHERE id = ?1",
        &stmt);
    if (err != PSST_OK) return err;
    int rc = sqlite3_bind_int64(stmt, 1, row->id) | bind_row(stmt, row);
    err = rc == SQLITE_OK ? psst_store_stmt_run(store, stmt) : PSST_ERR_TOO_LONG;
    if (err == PSST_OK && switches && !kept) err = psst_store_index_contact(store, row->id, true);
    if (err == PSST_OK && !row->receipts) err = psst_store_receipts_none(store, row->id);
    return err;
}

enum psst_err psst_store_contact_put(struct psst_store *store, struct psst_contact_row *row)
{
    if (!shape_is_good(row)) return PSST_ERR_USAGE;
    return row->id == 0 ? insert(store, row) : update(store, row);
}
