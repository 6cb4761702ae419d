/* What becomes of outgoing messages, and of the receipts for incoming ones.
 *
 *   WAITING --send--> SENT --settle--> DELIVERED --read--> READ
 *      |                `-----settle--> REFUSED
 *      `--recall--> RECALLED
 *
 * In the table WAITING and SENT are one state, which the index of the outbox names; sent_ms tells them apart. A message is
 * marked as sent by a commit before its first byte leaves, so that one which may have left is never called waiting,
 * whatever crashes when. Both sending and recalling are jobs of the one store thread: the row's state decides. */
#include "store/store_internal.h"

/* ---- sending ---- */

enum psst_err psst_store_outbox(struct psst_store *store, int64_t contact_id, int64_t after_seq, size_t limit,
                                psst_message_each *each, void *ctx)
{
    sqlite3_stmt *stmt;
    enum psst_err err =
        psst_store_stmt(store, STMT_OUTBOX,
                        PSST_SELECT_MESSAGES(store, "WHERE contact_id = ?1 AND seq > ?2 AND state = " PSST_WAITING
                                                    " ORDER BY seq LIMIT ?3"),
                        &stmt);
    if (err != PSST_OK) return err;
    (void)sqlite3_bind_int64(stmt, 1, contact_id);
    (void)sqlite3_bind_int64(stmt, 2, after_seq);
    (void)sqlite3_bind_int64(stmt, 3, psst_store_bounded(limit));
    return psst_store_messages_walk(store, stmt, each, ctx);
}

struct sending {
    psst_message_each *each;
    void *ctx;
    size_t bytes, max_bytes;
    int64_t last;
    bool news, enough;
};

static enum psst_err sending_each(void *ctx, const struct psst_message_row *row)
{
    struct sending *s = ctx;
    enum psst_err err = s->each(s->ctx, row);
    if (err != PSST_OK) return err;
    s->last = row->seq;
    s->news |= row->state == PSST_MESSAGE_WAITING;
    s->bytes += row->text.len;
    s->enough = s->bytes >= s->max_bytes;
    return s->enough ? PSST_ERR_AGAIN : PSST_OK;
}

static enum psst_err mark_sent(struct psst_store *store, int64_t contact_id, int64_t after_seq, int64_t last_seq,
                               uint64_t now_ms)
{
    sqlite3_stmt *stmt;
    enum psst_err err = psst_store_stmt(store, STMT_OUTBOX_SENT,
                                        "UPDATE messages SET sent_ms = ?4 WHERE contact_id = ?1 AND seq > ?2"
                                        " AND seq <= ?3 AND sent_ms = 0 AND state = " PSST_WAITING,
                                        &stmt);
    if (err != PSST_OK) return err;
    (void)sqlite3_bind_int64(stmt, 1, contact_id);
    (void)sqlite3_bind_int64(stmt, 2, after_seq);
    (void)sqlite3_bind_int64(stmt, 3, last_seq);
    (void)psst_store_bind_u64(stmt, 4, now_ms > 0 ? now_ms : 1);
    return psst_store_stmt_run(store, stmt);
}

enum psst_err psst_store_outbox_send(struct psst_store *store, int64_t contact_id, int64_t after_seq, size_t limit,
                                     size_t max_bytes, uint64_t now_ms, psst_message_each *each, void *ctx)
{
    struct sending s = {.each = each, .ctx = ctx, .max_bytes = max_bytes};
    enum psst_err err = psst_store_outbox(store, contact_id, after_seq, limit, sending_each, &s);
    if (err == PSST_ERR_AGAIN && s.enough) err = PSST_OK;
    if (err == PSST_OK && s.news) err = mark_sent(store, contact_id, after_seq, s.last, now_ms);
    return err;
}

/* ---- finding ---- */

/* The number that a bound statement gives first; PSST_ERR_NOT_FOUND: none. */
static enum psst_err first_seq(struct psst_store *store, sqlite3_stmt *stmt, int64_t *seq)
{
    enum psst_err err = psst_store_stmt_row(store, stmt);
    if (err == PSST_OK) *seq = sqlite3_column_int64(stmt, 0);
    psst_store_stmt_end(stmt);
    return err;
}

static enum psst_err by_id(struct psst_store *store, enum psst_stmt which, const char *sql, int64_t contact_id,
                           const struct psst_msg_id *id, int64_t *seq)
{
    sqlite3_stmt *stmt;
    enum psst_err err = psst_store_stmt(store, which, sql, &stmt);
    if (err != PSST_OK) return err;
    int rc = sqlite3_bind_int64(stmt, 1, contact_id);
    rc |= psst_store_bind_blob(stmt, 2, psst_view(id->b, sizeof id->b));
    return rc == SQLITE_OK ? first_seq(store, stmt, seq) : PSST_ERR_MEMORY;
}

enum psst_err psst_store_outbox_last(struct psst_store *store, int64_t contact_id, int64_t *seq)
{
    sqlite3_stmt *stmt;
    enum psst_err err = psst_store_stmt(
        store, STMT_OUTBOX_LAST,
        "SELECT seq FROM messages WHERE contact_id = ?1 AND state = " PSST_WAITING " ORDER BY seq DESC LIMIT 1", &stmt);
    if (err != PSST_OK) return err;
    (void)sqlite3_bind_int64(stmt, 1, contact_id);
    return first_seq(store, stmt, seq);
}

enum psst_err psst_store_outbox_find(struct psst_store *store, int64_t contact_id, const struct psst_msg_id *id,
                                     int64_t *seq)
{
    return by_id(store, STMT_OUTBOX_FIND,
                 "SELECT seq FROM messages WHERE contact_id = ?1 AND msg_id = ?2 AND direction = 1", contact_id, id,
                 seq);
}

/* ---- settling ---- */

enum psst_err psst_store_message_settle(struct psst_store *store, int64_t contact_id, const struct psst_msg_id *id,
                                        enum psst_message_state state, uint8_t reason, int64_t *seq)
{
    if (state != PSST_MESSAGE_DELIVERED && state != PSST_MESSAGE_REFUSED) return PSST_ERR_USAGE;
    int64_t found = 0;
    bool keeps = true;
    enum psst_err err = by_id(store, STMT_MESSAGE_FIND_SENT,
                              "SELECT seq FROM messages WHERE contact_id = ?1 AND msg_id = ?2"
                              " AND direction = 1 AND sent_ms > 0 AND state = " PSST_WAITING,
                              contact_id, id, &found);
    if (err == PSST_OK) err = psst_store_keeps_history(store, contact_id, &keeps);
    if (err != PSST_OK) return err;
    sqlite3_stmt *stmt;
    err = keeps ? psst_store_stmt(store, STMT_MESSAGE_SETTLE,
                                  "UPDATE messages SET state = ?2, reason = ?3 WHERE seq = ?1", &stmt)
                : psst_store_stmt(store, STMT_MESSAGE_SETTLE_ERASE,
                                  "UPDATE messages SET state = ?2, reason = ?3, text = NULL WHERE seq = ?1", &stmt);
    if (err != PSST_OK) return err;
    (void)sqlite3_bind_int64(stmt, 1, found);
    (void)sqlite3_bind_int(stmt, 2, (int)state);
    (void)sqlite3_bind_int(stmt, 3, state == PSST_MESSAGE_REFUSED ? reason : 0);
    err = psst_store_stmt_run(store, stmt);
    if (err == PSST_OK && !keeps) err = psst_store_note_erased(store);
    if (err == PSST_OK && seq != NULL) *seq = found;
    return err;
}

enum psst_err psst_store_message_read(struct psst_store *store, int64_t contact_id, const struct psst_msg_id *id,
                                      int64_t *seq)
{
    int64_t found = 0;
    enum psst_err err = by_id(store, STMT_MESSAGE_FIND_DELIVERED,
                              "SELECT seq FROM messages WHERE contact_id = ?1 AND msg_id = ?2"
                              " AND direction = 1 AND state = 1",
                              contact_id, id, &found);
    sqlite3_stmt *stmt;
    if (err == PSST_OK)
        err = psst_store_stmt(store, STMT_MESSAGE_READ, "UPDATE messages SET state = 6 WHERE seq = ?1", &stmt);
    if (err != PSST_OK) return err;
    (void)sqlite3_bind_int64(stmt, 1, found);
    err = psst_store_stmt_run(store, stmt);
    if (err == PSST_OK) *seq = found;
    return err;
}

/* ---- recalling ---- */

static enum psst_err keep_row(void *ctx, const struct psst_message_row *row)
{
    struct psst_message_row *kept = ctx;
    *kept = *row;
    kept->text = psst_view(NULL, 0);
    return PSST_OK;
}

static enum psst_err one_outgoing(struct psst_store *store, int64_t contact_id, int64_t seq,
                                  struct psst_message_row *row)
{
    sqlite3_stmt *stmt;
    enum psst_err err =
        psst_store_stmt(store, STMT_OUTBOX_ONE,
                        PSST_SELECT_MESSAGES(store, "WHERE seq = ?1 AND contact_id = ?2 AND direction = 1"), &stmt);
    if (err != PSST_OK) return err;
    (void)sqlite3_bind_int64(stmt, 1, seq);
    (void)sqlite3_bind_int64(stmt, 2, contact_id);
    row->seq = 0;
    err = psst_store_messages_walk(store, stmt, keep_row, row);
    return err == PSST_OK && row->seq == 0 ? PSST_ERR_NOT_FOUND : err;
}

enum psst_err psst_store_message_recall(struct psst_store *store, int64_t contact_id, int64_t seq,
                                        struct psst_message_row *row, bool *taken)
{
    bool keeps = true;
    *taken = false;
    enum psst_err err = one_outgoing(store, contact_id, seq, row);
    if (err != PSST_OK || row->state != PSST_MESSAGE_WAITING) return err;
    err = psst_store_keeps_history(store, contact_id, &keeps);
    if (err != PSST_OK) return err;
    sqlite3_stmt *stmt;
    err = keeps ? psst_store_stmt(store, STMT_RECALL, "UPDATE messages SET state = 7 WHERE seq = ?1", &stmt)
                : psst_store_stmt(store, STMT_RECALL_ERASE, "UPDATE messages SET state = 7, text = NULL WHERE seq = ?1",
                                  &stmt);
    if (err != PSST_OK) return err;
    (void)sqlite3_bind_int64(stmt, 1, seq);
    err = psst_store_stmt_run(store, stmt);
    if (err == PSST_OK && !keeps) err = psst_store_note_erased(store);
    *taken = err == PSST_OK;
    if (*taken) row->state = PSST_MESSAGE_RECALLED;
    return err;
}

/* ---- receipts ---- */

enum psst_err psst_store_receipts_due(struct psst_store *store, int64_t contact_id, struct psst_msg_id *ids, size_t *n)
{
    sqlite3_stmt *stmt;
    size_t room = *n, found = 0;
    enum psst_err err = psst_store_stmt(store, STMT_RECEIPTS_DUE,
                                        "SELECT msg_id FROM messages WHERE contact_id = ?1 AND receipt = 1"
                                        " ORDER BY seq LIMIT ?2",
                                        &stmt);
    if (err != PSST_OK) return err;
    (void)sqlite3_bind_int64(stmt, 1, contact_id);
    (void)sqlite3_bind_int64(stmt, 2, psst_store_bounded(room));
    while (found < room && (err = psst_store_stmt_row(store, stmt)) == PSST_OK) {
        if (!psst_store_column_bytes(stmt, 0, ids[found].b, sizeof ids[found].b)) {
            err = psst_store_damage(store, "a message's row is damaged");
            break;
        }
        found++;
    }
    psst_store_stmt_end(stmt);
    if (err == PSST_ERR_NOT_FOUND) err = PSST_OK;
    if (err == PSST_OK) *n = found;
    return err;
}

enum psst_err psst_store_receipts_sent(struct psst_store *store, int64_t contact_id, const struct psst_msg_id *ids,
                                       size_t n)
{
    enum psst_err err = PSST_OK;
    for (size_t i = 0; i < n && err == PSST_OK; i++) {
        sqlite3_stmt *stmt;
        err = psst_store_stmt(store, STMT_RECEIPT_SENT,
                              "UPDATE messages SET receipt = 0 WHERE contact_id = ?1 AND msg_id = ?2"
                              " AND direction = 0",
                              &stmt);
        if (err != PSST_OK) return err;
        int rc = sqlite3_bind_int64(stmt, 1, contact_id);
        rc |= psst_store_bind_blob(stmt, 2, psst_view(ids[i].b, sizeof ids[i].b));
        err = rc == SQLITE_OK ? psst_store_stmt_run(store, stmt) : PSST_ERR_MEMORY;
    }
    return err;
}

enum psst_err psst_store_receipts_none(struct psst_store *store, int64_t contact_id)
{
    sqlite3_stmt *stmt;
    enum psst_err err = psst_store_stmt(store, STMT_RECEIPTS_NONE,
                                        "UPDATE messages SET receipt = 0 WHERE contact_id = ?1 AND receipt = 1", &stmt);
    if (err != PSST_OK) return err;
    (void)sqlite3_bind_int64(stmt, 1, contact_id);
    return psst_store_stmt_run(store, stmt);
}
