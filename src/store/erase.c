/* What is not kept any longer goes, in small steps (psst_store_tidy), each a batch of messages out of one era.
 *
 *   what is to go                                   what becomes of it
 *   a removed contact                               rows deleted, then the contact's
 *   psst_store_forget: up to a seq and a time       rows deleted; of what came in the id and 4 bytes of the digest go to `seen`
 *   of a contact that keeps none, or N days         the text; the row stays, and says that something was said
 *   a row without a text, 30 days after             deleted, id to `seen`
 *   an era that words were taken out of             its index is written anew
 *   calls, by the same rules                        rows deleted (calls.c)
 *
 * What waits or is unread stays, but for removed contacts; a row that owes a receipt stays without its text. An id that
 * came in is known for as long as its contact is: he may repeat it whenever he comes back from a backup of his.
 *
 * SQLite zeroes what it frees (secure_delete), but leaves copies of rows that it moved from page to page. Only writing the
 * whole file anew drives those out: psst_store_scrub, which "erased" among one's own values asks for. */
#include "store/store_internal.h"

#include <stdlib.h>

#define BATCH_MESSAGES 128
#define BATCH_BYTES    ((int64_t)128 * 1024)
#define SEEN_BATCH     1000
#define DAY_MS         86400000
#define BARE_DAYS      30
#define SCRUB_AT_ONCE  1024   /* pages: some 50 ms */
#define SCRUB_MOST     131072 /* pages: 512 MiB, which have to be in memory meanwhile */
#define ERASED         "erased"

enum fate { FATE_ERASE, FATE_DELETE, FATE_PURGE };

struct victim {
    int64_t seq;
    bool indexed, has_text, owes_receipt;
};

struct batch {
    enum fate fate;
    int64_t contact_id;
    size_t n;
    struct victim victims[BATCH_MESSAGES];
};

#define DONE "m.state NOT IN (0, 3)"
#define VICTIM                                                                                                         \
    "SELECT m.seq, length(CAST(m.text AS BLOB)), (SELECT max(era) FROM eras WHERE era <= m.seq),"                      \
    " m.text IS NOT NULL AND (c.keep_history OR " DONE "), m.receipt, c.id FROM contacts c CROSS JOIN messages m"

/* In this order; ?1 is how many at most, ?2 the time, 0: what has no date only. */
static const struct reason {
    enum psst_stmt stmt;
    enum fate fate;
    const char *sql;
} reasons[] = {
    {STMT_TIDY_REMOVED, FATE_PURGE,
     VICTIM " INDEXED BY messages_log WHERE c.removed = 1 AND m.contact_id = c.id LIMIT ?1"},
    {STMT_TIDY_FORGET, FATE_DELETE,
     VICTIM " INDEXED BY messages_log WHERE c.forget_seq > 0 AND m.contact_id = c.id AND m.seq <= c.forget_seq"
            " AND m.stored_ms < c.forget_ms AND " DONE " AND (m.receipt = 0 OR m.text IS NOT NULL)"
            " ORDER BY c.id, m.seq LIMIT ?1"},
    {STMT_TIDY_NONE, FATE_ERASE,
     VICTIM
     " INDEXED BY messages_kept WHERE c.keep_history = 0 AND m.contact_id = c.id AND m.text IS NOT NULL AND " DONE
     " LIMIT ?1"},
    {STMT_TIDY_DAYS, FATE_ERASE,
     VICTIM " INDEXED BY messages_kept WHERE c.keep_days > 0 AND m.contact_id = c.id AND m.text IS NOT NULL"
            " AND m.stored_ms < ?2 - c.keep_days * 86400000 AND " DONE " LIMIT ?1"},
    {STMT_TIDY_BARE, FATE_DELETE,
     VICTIM " INDEXED BY messages_bare WHERE m.contact_id = c.id AND m.text IS NULL"
            " AND m.stored_ms < ?2 - 2592000000 AND m.receipt = 0 AND " DONE " LIMIT ?1"},
};
_Static_assert(BARE_DAYS *(int64_t)DAY_MS == 2592000000, "the literal above");

/* ---- finding ---- */

/* As many as one step may take, all of one contact and one era. */
static enum psst_err find_batch(struct psst_store *store, const struct reason *reason, int64_t now_ms,
                                struct batch *batch, int64_t *era)
{
    sqlite3_stmt *stmt;
    int64_t bytes = 0;
    enum psst_err err = psst_store_stmt(store, reason->stmt, reason->sql, &stmt);
    if (err != PSST_OK) return err;
    (void)sqlite3_bind_int64(stmt, 1, BATCH_MESSAGES);
    (void)sqlite3_bind_int64(stmt, 2, now_ms); /* some have no place for it */
    batch->fate = reason->fate;
    batch->contact_id = 0;
    batch->n = 0;
    while (batch->n < BATCH_MESSAGES && (err = psst_store_stmt_row(store, stmt)) == PSST_OK) {
        int64_t this_era = sqlite3_column_int64(stmt, 2), contact_id = sqlite3_column_int64(stmt, 5);
        bytes += sqlite3_column_int64(stmt, 1);
        bool other = this_era != *era || contact_id != batch->contact_id;
        if (batch->n > 0 && (other || bytes > BATCH_BYTES)) break;
        *era = this_era;
        batch->contact_id = contact_id;
        batch->victims[batch->n++] = (struct victim){.seq = sqlite3_column_int64(stmt, 0),
                                                     .has_text = sqlite3_column_type(stmt, 1) != SQLITE_NULL,
                                                     .indexed = sqlite3_column_int(stmt, 3) != 0,
                                                     .owes_receipt = sqlite3_column_int(stmt, 4) != 0};
    }
    psst_store_stmt_end(stmt);
    return err == PSST_ERR_NOT_FOUND ? PSST_OK : err;
}

/* ---- erasing ---- */

static enum psst_err run_for(struct psst_store *store, enum psst_stmt which, const char *sql, int64_t id)
{
    sqlite3_stmt *stmt;
    enum psst_err err = psst_store_stmt(store, which, sql, &stmt);
    if (err != PSST_OK) return err;
    (void)sqlite3_bind_int64(stmt, 1, id);
    return psst_store_stmt_run(store, stmt);
}

static enum psst_err erase_text(struct psst_store *store, int64_t seq)
{
    return run_for(store, STMT_TIDY_ERASE,
                   "UPDATE messages SET text = NULL,"
                   " digest = CASE direction WHEN 0 THEN substr(digest, 1, 4) ELSE digest END WHERE seq = ?1",
                   seq);
}

static enum psst_err remember(struct psst_store *store, int64_t seq)
{
    return run_for(store, STMT_TIDY_REMEMBER,
                   "INSERT OR IGNORE INTO seen (contact_id, msg_id, digest) SELECT contact_id, msg_id,"
                   " substr(digest, 1, 4) FROM messages WHERE seq = ?1 AND direction = 0",
                   seq);
}

static enum psst_err erase_one(struct psst_store *store, enum fate fate, const struct victim *victim)
{
    enum psst_err err = victim->indexed ? psst_store_unindex(store, victim->seq) : PSST_OK;
    if (err != PSST_OK) return err;
    if (fate == FATE_ERASE || (fate == FATE_DELETE && victim->owes_receipt)) return erase_text(store, victim->seq);
    if (fate == FATE_DELETE) err = remember(store, victim->seq);
    if (err != PSST_OK) return err;
    return run_for(store, STMT_TIDY_DELETE, "DELETE FROM messages WHERE seq = ?1", victim->seq);
}

static enum psst_err erase_batch(struct psst_store *store, const struct batch *batch)
{
    bool texts = false;
    enum psst_err err = PSST_OK;
    for (size_t i = 0; err == PSST_OK && i < batch->n; i++) {
        err = erase_one(store, batch->fate, &batch->victims[i]);
        texts |= batch->victims[i].has_text;
    }
    return err == PSST_OK && texts ? psst_store_note_erased(store) : err;
}

enum psst_err psst_store_note_erased(struct psst_store *store)
{
    if (store->erasure_noted || store->version < PSST_STORE_INDEX_VERSION) return PSST_OK;
    enum psst_err err = psst_store_own_put(store, ERASED, psst_view_str("1"));
    store->erasure_noted = err == PSST_OK;
    return err;
}

/* ---- one step ---- */

static enum psst_err removed_contact(struct psst_store *store, int64_t *id)
{
    sqlite3_stmt *stmt;
    enum psst_err err = psst_store_stmt(
        store, STMT_REMOVED_CONTACT,
        "SELECT id FROM contacts WHERE removed = 1"
        " AND NOT EXISTS (SELECT 1 FROM transfers t INDEXED BY transfers_voice WHERE t.contact_id = contacts.id AND t.form = 3) LIMIT 1",
        &stmt);
    if (err != PSST_OK) return err;
    err = psst_store_stmt_row(store, stmt);
    if (err == PSST_OK) *id = sqlite3_column_int64(stmt, 0);
    psst_store_stmt_end(stmt);
    return err;
}

/* Its messages are gone; what came in from it is forgotten, then it itself. */
static enum psst_err finish_removal(struct psst_store *store, bool *worked)
{
    int64_t id = 0;
    sqlite3_stmt *stmt;
    enum psst_err err = removed_contact(store, &id);
    if (err == PSST_ERR_NOT_FOUND) return PSST_OK;
    if (err != PSST_OK) return err;
    *worked = true;
    err = psst_store_stmt(store, STMT_REMOVED_SEEN,
                          "DELETE FROM seen WHERE contact_id = ?1 AND msg_id IN"
                          " (SELECT msg_id FROM seen WHERE contact_id = ?1 LIMIT ?2)",
                          &stmt);
    if (err != PSST_OK) return err;
    (void)sqlite3_bind_int64(stmt, 1, id);
    (void)sqlite3_bind_int64(stmt, 2, SEEN_BATCH);
    err = psst_store_stmt_run(store, stmt);
    if (err != PSST_OK || sqlite3_changes(store->db) > 0) return err;
    return run_for(store, STMT_CONTACT_DELETE, "DELETE FROM contacts WHERE id = ?1", id);
}

static enum psst_err finish_forgetting(struct psst_store *store)
{
    return run_for(store, STMT_FORGOTTEN,
                   "UPDATE contacts SET forget_seq = 0, forget_ms = 0 WHERE forget_seq > ?1 OR forget_ms > ?1", 0);
}

/* The words of one era are driven out before those of another are touched: so no step writes more than the two. *contact_id
 * is whose messages it took. */
static enum psst_err take_step(struct psst_store *store, int64_t now_ms, struct batch *batch, bool *worked,
                               int64_t *contact_id)
{
    int64_t unclean = 0, era = 0;
    enum psst_err err = psst_store_index_unclean(store, &unclean);
    bool dirty = err == PSST_OK;
    if (err == PSST_ERR_NOT_FOUND) err = PSST_OK;
    batch->n = 0;
    for (size_t i = 0; err == PSST_OK && batch->n == 0 && i < sizeof reasons / sizeof reasons[0]; i++)
        err = find_batch(store, &reasons[i], now_ms, batch, &era);
    if (err != PSST_OK) return err;
    *worked = true;
    if (batch->n > 0 && (!dirty || unclean == era)) {
        *contact_id = batch->contact_id;
        return erase_batch(store, batch);
    }
    if (dirty) return psst_store_index_clean(store);
    err = psst_store_calls_tidy(store, now_ms, worked);
    if (err != PSST_OK || *worked) return err;
    err = finish_forgetting(store);
    return err == PSST_OK ? finish_removal(store, worked) : err;
}

/* ---- what is due next ---- */

/* Without whether they are done with: what is overdue all the same waits for somebody, and is looked at in a day. */
static const char next_sql[] =
    "SELECT min(due) FROM (SELECT c.keep_days * 86400000 + (SELECT m.stored_ms FROM messages m INDEXED BY messages_kept"
    " WHERE m.contact_id = c.id AND m.text IS NOT NULL ORDER BY m.stored_ms LIMIT 1) AS due"
    " FROM contacts c WHERE c.keep_days > 0"
    " UNION ALL SELECT 2592000000 + (SELECT m.stored_ms FROM messages m INDEXED BY messages_bare"
    " WHERE m.contact_id = c.id AND m.text IS NULL ORDER BY m.stored_ms LIMIT 1) AS due FROM contacts c"
    " UNION ALL SELECT c.keep_days * 86400000 + (SELECT k.began_ms FROM calls k INDEXED BY calls_of"
    " WHERE k.contact_id = c.id ORDER BY k.id LIMIT 1) AS due FROM contacts c WHERE c.keep_days > 0"
    " UNION ALL SELECT c.keep_days * 86400000 + (SELECT min(t.created_ms) FROM transfers t INDEXED BY transfers_voice"
    " WHERE t.contact_id = c.id AND t.form = 3) AS due FROM contacts c WHERE c.keep_days > 0)";

static enum psst_err find_next(struct psst_store *store, int64_t now_ms, uint64_t *next_ms)
{
    sqlite3_stmt *stmt;
    enum psst_err err = psst_store_stmt(store, STMT_TIDY_NEXT, next_sql, &stmt);
    if (err != PSST_OK) return err;
    err = psst_store_stmt_row(store, stmt);
    if (err == PSST_OK) {
        int64_t due = sqlite3_column_int64(stmt, 0);
        bool none = sqlite3_column_type(stmt, 0) == SQLITE_NULL;
        *next_ms = none ? UINT64_MAX : (uint64_t)(due >= now_ms ? due + 1 : now_ms + DAY_MS);
    }
    psst_store_stmt_end(stmt);
    return err;
}

enum psst_err psst_store_tidy(struct psst_store *store, uint64_t now_ms, struct psst_tidied *tidied)
{
    bool worked = false;
    *tidied = (struct psst_tidied){.next_ms = UINT64_MAX};
    if (store->read_only || store->damaged) return PSST_OK;
    struct batch *batch = malloc(sizeof *batch);
    if (batch == NULL) return PSST_ERR_MEMORY;
    int64_t now = now_ms > INT64_MAX / 2 ? INT64_MAX / 2 : (int64_t)now_ms;
    enum psst_err err = psst_store_index_new(store);
    if (err == PSST_OK) err = take_step(store, now, batch, &worked, &tidied->contact_id);
    if (err == PSST_OK && !worked) err = find_next(store, now, &tidied->next_ms);
    free(batch);
    tidied->more = err == PSST_OK && worked;
    return err;
}

/* ---- what is to go ---- */

enum psst_err psst_store_forget(struct psst_store *store, int64_t contact_id, uint64_t before_ms)
{
    sqlite3_stmt *stmt;
    /* up to the end of the last era that has anything so old: what comes later need not be looked at */
    enum psst_err err = psst_store_stmt(
        store, STMT_FORGET,
        "UPDATE contacts SET forget_ms = max(forget_ms, ?2), forget_seq = coalesce((SELECT min(era) - 1 FROM eras WHERE"
        " era > (SELECT max(era) FROM eras WHERE from_ms < ?2)), (SELECT seq FROM sqlite_sequence WHERE name = 'messages'),"
        " 0) WHERE id = ?1 AND removed = 0",
        &stmt);
    if (err == PSST_OK) err = psst_store_index_new(store); /* so that all eras are known */
    if (err != PSST_OK) return err;
    (void)sqlite3_bind_int64(stmt, 1, contact_id);
    (void)sqlite3_bind_int64(stmt, 2, before_ms > INT64_MAX ? INT64_MAX : (int64_t)before_ms);
    err = psst_store_stmt_run(store, stmt);
    if (err == PSST_OK && sqlite3_changes(store->db) == 0) err = PSST_ERR_NOT_FOUND;
    return err == PSST_OK ? psst_store_calls_forget(store, contact_id, before_ms) : err;
}

enum psst_err psst_store_contact_remove(struct psst_store *store, int64_t contact_id)
{
    sqlite3_stmt *stmt; /* what is known of it goes at once, and its name and key are free; the messages take a while */
    enum psst_err err =
        psst_store_stmt(store, STMT_CONTACT_REMOVE,
                        "UPDATE contacts SET removed = 1, alias = 'removed ' || id || ' ' || hex(randomblob(16)),"
                        " fpr = randomblob(32), spki = x'', our_secret = NULL, their_secret = NULL, addresses = '',"
                        " presence_text = NULL, receipts = 0, keep_days = 0, forget_seq = 0"
                        " WHERE id = ?1 AND removed = 0",
                        &stmt);
    if (err == PSST_OK) err = psst_store_index_new(store);
    if (err != PSST_OK) return err;
    (void)sqlite3_bind_int64(stmt, 1, contact_id);
    err = psst_store_stmt_run(store, stmt);
    if (err == PSST_OK && sqlite3_changes(store->db) == 0) return PSST_ERR_NOT_FOUND;
    if (err == PSST_OK)
        err = run_for(store, STMT_REMOVED_TRANSFERS, "DELETE FROM transfers WHERE contact_id = ?1 AND form <> 3",
                      contact_id); /* these have files: psst_store_voice_due */
    if (err == PSST_OK)
        err = run_for(store, STMT_REMOVED_VOICE,
                      "UPDATE transfers SET state = 4, flags = 0 WHERE contact_id = ?1 AND state < 2", contact_id);
    if (err == PSST_OK) err = run_for(store, STMT_REMOVED_MEETS, "DELETE FROM meets WHERE contact_id = ?1", contact_id);
    if (err == PSST_OK) err = run_for(store, STMT_REMOVED_CALLS, "DELETE FROM calls WHERE contact_id = ?1", contact_id);
    return err == PSST_OK ? psst_store_note_erased(store) : err;
}

/* ---- the file ---- */

static bool erasure_is_noted(struct psst_store *store)
{
    uint8_t value[8];
    size_t len = 0;
    return psst_store_own_get(store, ERASED, value, sizeof value, &len) == PSST_OK;
}

/* Everything is written into a database in memory, and copied back, within one transaction. In memory, as temp_store says:
 * what SQLCipher 3.4 has put aside into a temporary file meanwhile it reads back wrongly, and the history is lost. */
static enum psst_err write_anew(struct psst_store *store)
{
    int64_t in_memory = 0;
    enum psst_err err = psst_store_pragma_int(store, "PRAGMA temp_store", &in_memory);
    if (err == PSST_OK && in_memory != 2) return PSST_ERR_INTERNAL;
    if (err == PSST_OK) err = psst_store_exec(store, "VACUUM");
    if (err != PSST_OK) return err;
    store->erasure_noted = false;
    return psst_store_own_put(store, ERASED, psst_view(NULL, 0));
}

/* Who is reading a snapshot is not waited for. */
static enum psst_err truncate_log(struct psst_store *store)
{
    (void)sqlite3_busy_timeout(store->db, 0);
    int rc = sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    (void)sqlite3_busy_timeout(store->db, PSST_STORE_BUSY_MS);
    return (rc & 0xff) == SQLITE_BUSY ? PSST_ERR_AGAIN : psst_store_result(store, rc);
}

enum psst_err psst_store_scrub(struct psst_store *store, bool all, bool *left)
{
    int64_t pages = 0;
    *left = false;
    if (store->read_only || store->damaged || !erasure_is_noted(store)) return PSST_OK;
    *left = true;
    enum psst_err err = psst_store_pragma_int(store, "PRAGMA page_count", &pages);
    if (err == PSST_OK && pages <= (all ? SCRUB_MOST : SCRUB_AT_ONCE)) {
        err = write_anew(store);
        *left = err != PSST_OK;
    }
    enum psst_err truncated = truncate_log(store);
    return err != PSST_OK ? err : truncated;
}

enum psst_err psst_store_finish_erasing(struct psst_store *store)
{
    struct psst_tidied tidied = {.more = true};
    enum psst_err err = PSST_OK;
    if (store->read_only || store->damaged || store->version < PSST_STORE_INDEX_VERSION) return PSST_OK;
    while (err == PSST_OK && tidied.more) {
        err = psst_store_begin(store);
        if (err == PSST_OK) err = psst_store_tidy(store, 0, &tidied);
        if (err != PSST_OK && store->broken == PSST_OK) store->broken = err;
        enum psst_err committed = psst_store_commit(store);
        if (err == PSST_OK) err = committed;
    }
    bool left = false;
    return err == PSST_OK ? psst_store_scrub(store, true, &left) : err;
}
