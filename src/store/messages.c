/* Messages: stored, shown, listed. Incoming: RECEIVED -> SHOWN; what becomes of the outgoing ones is outbox.c.
 *
 * A row outlives its text. Where a contact keeps no history the text is set to NULL once it is done with, and secure_delete
 * overwrites it; the row stays, because an id that comes again must be known. Of the digest four bytes are left then:
 * enough to notice another body, too few to confirm with certainty what somebody guesses was said. */
#include "store/store_internal.h"

#include <sys/statvfs.h>

_Static_assert(PSST_MESSAGE_WAITING == 0 && PSST_MESSAGE_RECEIVED == 3, "the indices in schema.c");
_Static_assert(PSST_IN == 0 && PSST_OUT == 1, "the statements below");

/* ---- storing ---- */

static enum psst_err insert(struct psst_store *store, struct psst_message_row *row, struct psst_view digest)
{
    sqlite3_stmt *stmt;
    enum psst_err err =
        psst_store_stmt(store, STMT_MESSAGE_INSERT,
                        "INSERT INTO messages (contact_id, direction, state, reason, time_ms, stored_ms,"
                        " msg_id, digest, text, sent_ms) SELECT id, ?2, ?3, 0, ?4, ?5, ?6, ?7, ?8, ?9"
                        " FROM contacts WHERE id = ?1 AND removed = 0",
                        &stmt);
    if (err != PSST_OK) return err;
    int rc = sqlite3_bind_int64(stmt, 1, row->contact_id);
    rc |= sqlite3_bind_int(stmt, 2, (int)row->direction);
    rc |= sqlite3_bind_int(stmt, 3, row->state == PSST_MESSAGE_SENT ? PSST_MESSAGE_WAITING : (int)row->state);
    rc |= psst_store_bind_u64(stmt, 4, row->time_ms);
    rc |= psst_store_bind_u64(stmt, 5, row->stored_ms);
    rc |= psst_store_bind_blob(stmt, 6, psst_view(row->id.b, sizeof row->id.b));
    rc |= psst_store_bind_blob(stmt, 7, digest);
    rc |= psst_store_bind_text(stmt, 8, row->text);
    rc |= psst_store_bind_u64(stmt, 9, row->sent_ms);
    err = rc == SQLITE_OK ? psst_store_stmt_run(store, stmt) : PSST_ERR_TOO_LONG;
    if (err == PSST_OK && sqlite3_changes(store->db) == 0) err = PSST_ERR_NOT_FOUND;
    if (err == PSST_OK) row->seq = sqlite3_last_insert_rowid(store->db);
    return err;
}

enum psst_err psst_store_message_out(struct psst_store *store, struct psst_message_row *row)
{
    row->direction = PSST_OUT;
    row->reason = 0;
    if (row->state != PSST_MESSAGE_SENT) row->state = PSST_MESSAGE_WAITING;
    row->sent_ms = row->state != PSST_MESSAGE_SENT ? 0 : row->stored_ms > 0 ? row->stored_ms : 1;
    return insert(store, row, psst_view(NULL, 0));
}

/* PSST_OK: not seen before. PSST_ERR_EXISTS, PSST_ERR_PROTOCOL: as message_in. */
static enum psst_err compare_with_seen(struct psst_store *store, const struct psst_message_row *row)
{
    sqlite3_stmt *stmt;
    enum psst_err err =
        psst_store_stmt(store, STMT_MESSAGE_DIGEST,
                        "SELECT digest FROM messages WHERE contact_id = ?1 AND msg_id = ?2 AND direction = 0"
                        " UNION ALL SELECT digest FROM seen WHERE contact_id = ?1 AND msg_id = ?2",
                        &stmt);
    if (err != PSST_OK) return err;
    int rc = sqlite3_bind_int64(stmt, 1, row->contact_id);
    rc |= psst_store_bind_blob(stmt, 2, psst_view(row->id.b, sizeof row->id.b));
    err = rc == SQLITE_OK ? psst_store_stmt_row(store, stmt) : PSST_ERR_MEMORY;
    if (err == PSST_OK) {
        struct psst_view seen = psst_store_column_view(stmt, 0);
        if (seen.len != 4 && seen.len != sizeof row->digest.b)
            err = psst_store_damage(store, "a message's row is damaged");
        else
            err = memcmp(seen.data, row->digest.b, seen.len) == 0 ? PSST_ERR_EXISTS : PSST_ERR_PROTOCOL;
    } else if (err == PSST_ERR_NOT_FOUND) {
        err = PSST_OK;
    }
    psst_store_stmt_end(stmt);
    return err;
}

enum psst_err psst_store_message_seen(struct psst_store *store, const struct psst_message_row *row)
{
    enum psst_err err = compare_with_seen(store, row);
    return err == PSST_OK ? PSST_ERR_NOT_FOUND : err;
}

enum psst_err psst_store_message_known(struct psst_store *store, int64_t contact_id, const struct psst_msg_id *id)
{
    sqlite3_stmt *stmt;
    enum psst_err err = psst_store_stmt(store, STMT_MESSAGE_KNOWN,
                                        "SELECT 1 FROM messages WHERE contact_id = ?1 AND msg_id = ?2 AND direction = 0"
                                        " UNION ALL SELECT 1 FROM seen WHERE contact_id = ?1 AND msg_id = ?2",
                                        &stmt);
    if (err != PSST_OK) return err;
    int rc = sqlite3_bind_int64(stmt, 1, contact_id);
    rc |= psst_store_bind_blob(stmt, 2, psst_view(id->b, sizeof id->b));
    err = rc == SQLITE_OK ? psst_store_stmt_row(store, stmt) : PSST_ERR_MEMORY;
    psst_store_stmt_end(stmt);
    return err;
}

/* What others send must not fill the disk to its last byte: the user's own outbox needs room too. */
static enum psst_err check_reserve(struct psst_store *store)
{
    if (store->reserve_is_free) return PSST_OK;
    struct statvfs fs;
    if (statvfs(store->path, &fs) != 0) return PSST_ERR_IO;
    if ((uint64_t)fs.f_bavail * fs.f_frsize < store->reserve_bytes) return PSST_ERR_DISK_FULL;
    store->reserve_is_free = true;
    return PSST_OK;
}

enum psst_err psst_store_message_in(struct psst_store *store, struct psst_message_row *row)
{
    row->direction = PSST_IN;
    row->state = PSST_MESSAGE_RECEIVED;
    row->reason = 0;
    row->sent_ms = 0;
    enum psst_err err = compare_with_seen(store, row);
    if (err == PSST_OK) err = check_reserve(store);
    if (err != PSST_OK) return err;
    return insert(store, row, psst_view(row->digest.b, sizeof row->digest.b));
}

/* ---- what becomes of them ---- */

enum psst_err psst_store_messages_shown(struct psst_store *store, int64_t contact_id, int64_t up_to_seq)
{
    bool keeps = true;
    enum psst_err err = psst_store_keeps_history(store, contact_id, &keeps);
    if (err != PSST_OK) return err;
    sqlite3_stmt *stmt;
    err = keeps
              ? psst_store_stmt(store, STMT_MESSAGES_SHOWN,
                                "UPDATE messages SET state = 4, receipt = (SELECT receipts FROM contacts WHERE id = ?1)"
                                " WHERE contact_id = ?1 AND seq <= ?2 AND state = " PSST_RECEIVED,
                                &stmt)
              : psst_store_stmt(store, STMT_MESSAGES_SHOWN_ERASE,
                                "UPDATE messages SET state = 4, text = NULL, digest = substr(digest, 1, 4),"
                                " receipt = (SELECT receipts FROM contacts WHERE id = ?1)"
                                " WHERE contact_id = ?1 AND seq <= ?2 AND state = " PSST_RECEIVED,
                                &stmt);
    if (err != PSST_OK) return err;
    (void)sqlite3_bind_int64(stmt, 1, contact_id);
    (void)sqlite3_bind_int64(stmt, 2, up_to_seq);
    err = psst_store_stmt_run(store, stmt);
    return err == PSST_OK && !keeps ? psst_store_note_erased(store) : err;
}

/* ---- reading ---- */

const char psst_store_message_columns[] = PSST_MESSAGE_COLUMNS ", sent_ms";

bool psst_store_message_read_row(sqlite3_stmt *stmt, struct psst_message_row *row)
{
    int direction = sqlite3_column_int(stmt, 2);
    int state = sqlite3_column_int(stmt, 3);
    row->seq = sqlite3_column_int64(stmt, 0);
    row->contact_id = sqlite3_column_int64(stmt, 1);
    row->direction = direction == PSST_OUT ? PSST_OUT : PSST_IN;
    row->state = (enum psst_message_state)state;
    row->reason = (uint8_t)sqlite3_column_int(stmt, 4);
    row->time_ms = psst_store_column_u64(stmt, 5);
    row->stored_ms = psst_store_column_u64(stmt, 6);
    row->text = psst_store_column_view(stmt, 8);
    row->sent_ms = psst_store_column_u64(stmt, 9);
    if (row->state == PSST_MESSAGE_WAITING && row->sent_ms != 0) row->state = PSST_MESSAGE_SENT;
    /* A page that the disk lost reads as zeros, which SQLCipher lets pass; no text of ours holds any. */
    bool text_is_good = row->text.len == 0 || memchr(row->text.data, 0, row->text.len) == NULL;
    return text_is_good && state >= PSST_MESSAGE_WAITING && state <= PSST_MESSAGE_RECALLED &&
           psst_store_column_bytes(stmt, 7, row->id.b, sizeof row->id.b);
}

enum psst_err psst_store_messages_walk(struct psst_store *store, sqlite3_stmt *stmt, psst_message_each *each, void *ctx)
{
    enum psst_err err;
    while ((err = psst_store_stmt_row(store, stmt)) == PSST_OK) {
        struct psst_message_row row = {0};
        err = psst_store_message_read_row(stmt, &row) ? each(ctx, &row)
                                                      : psst_store_damage(store, "a message's row is damaged");
        if (err != PSST_OK) break;
    }
    psst_store_stmt_end(stmt);
    return err == PSST_ERR_NOT_FOUND ? PSST_OK : err;
}

int64_t psst_store_bounded(size_t limit)
{
    return limit > INT32_MAX ? INT32_MAX : (int64_t)limit;
}

enum psst_err psst_store_unread(struct psst_store *store, int64_t contact_id, struct psst_unread *unread)
{
    sqlite3_stmt *stmt;
    enum psst_err err = psst_store_stmt(store, STMT_UNREAD,
                                        "SELECT count(*), sum(length(CAST(text AS BLOB))) FROM messages"
                                        " WHERE contact_id = ?1 AND state = " PSST_RECEIVED,
                                        &stmt);
    if (err != PSST_OK) return err;
    (void)sqlite3_bind_int64(stmt, 1, contact_id);
    err = psst_store_stmt_row(store, stmt);
    if (err == PSST_OK) {
        uint64_t texts = psst_store_column_u64(stmt, 0);
        *unread =
            (struct psst_unread){texts < UINT32_MAX ? (uint32_t)texts : UINT32_MAX, psst_store_column_u64(stmt, 1)};
    }
    psst_store_stmt_end(stmt);
    return err;
}

/* Where the last limit messages begin. PSST_ERR_NOT_FOUND: there are none. */
static enum psst_err log_start(struct psst_store *store, int64_t contact_id, int64_t after_seq, size_t limit,
                               int64_t *start)
{
    sqlite3_stmt *stmt;
    enum psst_err err = psst_store_stmt(store, STMT_LOG_START,
                                        "SELECT min(seq) FROM (SELECT seq FROM messages WHERE contact_id = ?1"
                                        " AND seq > ?2 ORDER BY seq DESC LIMIT ?3)",
                                        &stmt);
    if (err != PSST_OK) return err;
    (void)sqlite3_bind_int64(stmt, 1, contact_id);
    (void)sqlite3_bind_int64(stmt, 2, after_seq);
    (void)sqlite3_bind_int64(stmt, 3, psst_store_bounded(limit));
    err = psst_store_stmt_row(store, stmt);
    if (err == PSST_OK && sqlite3_column_type(stmt, 0) == SQLITE_NULL) err = PSST_ERR_NOT_FOUND;
    if (err == PSST_OK) *start = sqlite3_column_int64(stmt, 0);
    psst_store_stmt_end(stmt);
    return err;
}

enum psst_err psst_store_log(struct psst_store *store, int64_t contact_id, int64_t after_seq, size_t limit,
                             psst_message_each *each, void *ctx)
{
    int64_t start = 0;
    if (store->rescue) return psst_rescue_log(store, contact_id, after_seq, INT64_MAX, limit, each, ctx);
    enum psst_err err = log_start(store, contact_id, after_seq, limit, &start);
    if (err == PSST_ERR_NOT_FOUND) return PSST_OK;
    if (err != PSST_OK) return err;
    sqlite3_stmt *stmt;
    err = psst_store_stmt(store, STMT_LOG,
                          PSST_SELECT_MESSAGES(store, "WHERE contact_id = ?1 AND seq >= ?2 ORDER BY seq LIMIT ?3"),
                          &stmt);
    if (err != PSST_OK) return err;
    (void)sqlite3_bind_int64(stmt, 1, contact_id);
    (void)sqlite3_bind_int64(stmt, 2, start);
    (void)sqlite3_bind_int64(stmt, 3, psst_store_bounded(limit));
    return psst_store_messages_walk(store, stmt, each, ctx);
}

enum psst_err psst_store_log_before(struct psst_store *store, int64_t contact_id, int64_t before_seq, size_t limit,
                                    psst_message_each *each, void *ctx)
{
    sqlite3_stmt *stmt;
    if (store->rescue) return psst_rescue_log(store, contact_id, 0, before_seq, limit, each, ctx);
    enum psst_err err = psst_store_stmt(
        store, STMT_LOG_BEFORE,
        PSST_SELECT_MESSAGES(store, "WHERE seq IN (SELECT seq FROM messages"
                                    " WHERE contact_id = ?1 AND seq < ?2 ORDER BY seq DESC LIMIT ?3) ORDER BY seq"),
        &stmt);
    if (err != PSST_OK) return err;
    (void)sqlite3_bind_int64(stmt, 1, contact_id);
    (void)sqlite3_bind_int64(stmt, 2, before_seq);
    (void)sqlite3_bind_int64(stmt, 3, psst_store_bounded(limit));
    return psst_store_messages_walk(store, stmt, each, ctx);
}
