/* Calls: who called whom when, and what came of it. Kept as the messages of the contact are: for ever, some days, or not at
 * all; then the row is gone with the call's end, but for one that was missed, which stays until it has been seen.
 *
 *   begin: RUNS --answered--> RUNS --ended--> what came of it
 *                                             MISSED: unseen, until somebody has looked at the list
 */
#include "store/store_internal.h"

#define VERSION      7 /* the first that has them */
#define COLUMNS      "id, contact_id, direction, result, began_ms, answered_ms, ended_ms, seen"
#define TIDY_AT_ONCE 1000

_Static_assert(PSST_CALLED_RUNS == 0 && PSST_CALLED_MISSED == 2 && PSST_CALLED_CUT_OFF == 8 && PSST_IN == 0 &&
                   PSST_OUT == 1,
               "the literals below");

static bool read_row(sqlite3_stmt *stmt, struct psst_call_row *row)
{
    int result = sqlite3_column_int(stmt, 3);
    row->id = sqlite3_column_int64(stmt, 0);
    row->contact_id = sqlite3_column_int64(stmt, 1);
    row->direction = sqlite3_column_int(stmt, 2) == PSST_OUT ? PSST_OUT : PSST_IN;
    row->result = (enum psst_called)result;
    row->began_ms = psst_store_column_u64(stmt, 4);
    row->answered_ms = psst_store_column_u64(stmt, 5);
    row->ended_ms = psst_store_column_u64(stmt, 6);
    row->seen = sqlite3_column_int(stmt, 7) != 0;
    return result >= PSST_CALLED_RUNS && result <= PSST_CALLED_CUT_OFF;
}

static enum psst_err run_for(struct psst_store *store, enum psst_stmt which, const char *sql, int64_t a, int64_t b,
                             int64_t c)
{
    sqlite3_stmt *stmt;
    enum psst_err err = psst_store_stmt(store, which, sql, &stmt);
    if (err != PSST_OK) return err;
    (void)sqlite3_bind_int64(stmt, 1, a);
    (void)sqlite3_bind_int64(stmt, 2, b); /* some have no place for these */
    (void)sqlite3_bind_int64(stmt, 3, c);
    return psst_store_stmt_run(store, stmt);
}

/* What was deleted is not to be found in free pages either. */
static enum psst_err note_if_gone(struct psst_store *store, bool *gone)
{
    *gone = sqlite3_changes(store->db) > 0;
    return *gone ? psst_store_note_erased(store) : PSST_OK;
}

enum psst_err psst_store_call_begin(struct psst_store *store, struct psst_call_row *row)
{
    sqlite3_stmt *stmt;
    bool keeps;
    enum psst_err err = psst_store_keeps_history(store, row->contact_id, &keeps); /* not of one that is being removed */
    if (err == PSST_OK) /* who calls all day long does not fill the disk */
        err = run_for(store, STMT_CALLS_BOUND,
                      "DELETE FROM calls WHERE contact_id = ?1 AND id <= (SELECT id FROM calls INDEXED BY calls_of"
                      " WHERE contact_id = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
                      row->contact_id, PSST_CALLS_MAX - 1, 0);
    if (err == PSST_OK)
        err = psst_store_stmt(store, STMT_CALL_INSERT,
                              "INSERT INTO calls (" COLUMNS ") VALUES (?4, ?1, ?2, 0, ?3, 0, 0, 1)", &stmt);
    if (err != PSST_OK) return err;
    int rc = sqlite3_bind_int64(stmt, 1, row->contact_id);
    rc |= sqlite3_bind_int(stmt, 2, (int)row->direction);
    rc |= psst_store_bind_u64(stmt, 3, row->began_ms);
    rc |= row->id > 0 ? sqlite3_bind_int64(stmt, 4, row->id) : sqlite3_bind_null(stmt, 4);
    err = rc == SQLITE_OK ? psst_store_stmt_run(store, stmt) : PSST_ERR_TOO_LONG;
    if (err == PSST_OK) row->id = sqlite3_last_insert_rowid(store->db);
    return err;
}

static enum psst_err found(struct psst_store *store, enum psst_err err)
{
    return err == PSST_OK && sqlite3_changes(store->db) == 0 ? PSST_ERR_NOT_FOUND : err;
}

enum psst_err psst_store_call_last(struct psst_store *store, int64_t *id)
{
    sqlite3_stmt *stmt;
    *id = 0;
    if (store->version < VERSION) return PSST_OK;
    enum psst_err err =
        psst_store_stmt(store, STMT_CALL_LAST, "SELECT seq FROM sqlite_sequence WHERE name = 'calls'", &stmt);
    if (err != PSST_OK) return err;
    err = psst_store_stmt_row(store, stmt);
    if (err == PSST_OK) *id = sqlite3_column_int64(stmt, 0);
    psst_store_stmt_end(stmt);
    return err == PSST_ERR_NOT_FOUND ? PSST_OK : err;
}

enum psst_err psst_store_call_answered(struct psst_store *store, int64_t id, uint64_t now_ms)
{
    return found(store, run_for(store, STMT_CALL_ANSWERED,
                                "UPDATE calls SET answered_ms = ?2 WHERE id = ?1 AND result = 0 AND answered_ms = 0",
                                id, (int64_t)now_ms, 0));
}

enum psst_err psst_store_call_ended(struct psst_store *store, int64_t id, enum psst_called result, uint64_t now_ms)
{
    bool gone;
    if (result == PSST_CALLED_RUNS) return PSST_ERR_USAGE;
    enum psst_err err = found(store, run_for(store, STMT_CALL_ENDED,
                                             "UPDATE calls SET result = ?2, ended_ms = ?3, seen = (?2 <> 2)"
                                             " WHERE id = ?1 AND result = 0",
                                             id, (int64_t)result, (int64_t)now_ms));
    if (err == PSST_OK)
        err = run_for(store, STMT_CALL_ENDED_ERASE,
                      "DELETE FROM calls WHERE id = ?1 AND seen = 1 AND"
                      " (SELECT keep_history FROM contacts WHERE contacts.id = calls.contact_id) = 0",
                      id, 0, 0);
    return err == PSST_OK ? note_if_gone(store, &gone) : err;
}

enum psst_err psst_store_calls_cut_off(struct psst_store *store)
{
    sqlite3_stmt *stmt;
    if (store->version < VERSION) return PSST_OK;
    /* nobody knows when: they lasted as long as is sure */
    enum psst_err err =
        psst_store_stmt(store, STMT_CALLS_CUT_OFF,
                        "UPDATE calls SET result = CASE WHEN direction = 0 AND answered_ms = 0 THEN 2 ELSE 8 END,"
                        " seen = (direction = 1 OR answered_ms <> 0), ended_ms = max(began_ms, answered_ms)"
                        " WHERE result = 0",
                        &stmt);
    if (err == PSST_OK) err = psst_store_stmt_run(store, stmt);
    return err == PSST_ERR_DISK_FULL ? PSST_OK : err; /* next time; the history is there all the same */
}

/* ---- the list ---- */

enum psst_err psst_store_call_list(struct psst_store *store, int64_t contact_id, int64_t before_id, size_t limit,
                                   psst_call_each *each, void *ctx)
{
    sqlite3_stmt *stmt;
    if (store->version < VERSION) return PSST_OK;
    enum psst_err err = contact_id == 0
                            ? psst_store_stmt(store, STMT_CALLS,
                                              "SELECT " COLUMNS " FROM calls WHERE id < ?2 AND contact_id NOT IN"
                                              " (SELECT id FROM contacts WHERE removed = 1) ORDER BY id DESC LIMIT ?3",
                                              &stmt)
                            : psst_store_stmt(store, STMT_CALLS_OF_CONTACT,
                                              "SELECT " COLUMNS " FROM calls WHERE contact_id = ?1 AND id < ?2"
                                              " ORDER BY id DESC LIMIT ?3",
                                              &stmt);
    if (err != PSST_OK) return err;
    (void)sqlite3_bind_int64(stmt, 1, contact_id);
    (void)sqlite3_bind_int64(stmt, 2, before_id > 0 ? before_id : INT64_MAX);
    (void)sqlite3_bind_int64(stmt, 3, psst_store_bounded(limit));
    while ((err = psst_store_stmt_row(store, stmt)) == PSST_OK) {
        struct psst_call_row row = {0};
        err = read_row(stmt, &row) ? each(ctx, &row) : psst_store_damage(store, "a call's row is damaged");
        if (err != PSST_OK) break;
    }
    psst_store_stmt_end(stmt);
    return err == PSST_ERR_NOT_FOUND ? PSST_OK : err;
}

enum psst_err psst_store_call_seen(struct psst_store *store, int64_t contact_id, int64_t first_id, int64_t last_id)
{
    bool gone;
    if (store->version < VERSION) return PSST_OK;
    enum psst_err err =
        run_for(store, STMT_CALLS_SEEN_ERASE,
                "DELETE FROM calls WHERE seen = 0 AND (?1 = 0 OR contact_id = ?1) AND id BETWEEN ?2 AND ?3"
                " AND (SELECT keep_history FROM contacts WHERE contacts.id = calls.contact_id) = 0",
                contact_id, first_id, last_id);
    if (err == PSST_OK) err = note_if_gone(store, &gone);
    if (err != PSST_OK) return err;
    return run_for(store, STMT_CALLS_SEEN,
                   "UPDATE calls SET seen = 1 WHERE seen = 0 AND (?1 = 0 OR contact_id = ?1) AND id BETWEEN ?2 AND ?3",
                   contact_id, first_id, last_id);
}

/* ---- what is not kept any longer ---- */

enum psst_err psst_store_calls_forget(struct psst_store *store, int64_t contact_id, uint64_t before_ms)
{
    bool gone;
    enum psst_err err =
        run_for(store, STMT_CALLS_FORGET,
                "DELETE FROM calls WHERE contact_id = ?1 AND began_ms < ?2 AND result <> 0 AND seen = 1", contact_id,
                before_ms > INT64_MAX ? INT64_MAX : (int64_t)before_ms, 0);
    return err == PSST_OK ? note_if_gone(store, &gone) : err;
}

enum psst_err psst_store_calls_tidy(struct psst_store *store, int64_t now_ms, bool *worked)
{
    enum psst_err err =
        run_for(store, STMT_CALLS_TIDY,
                "DELETE FROM calls WHERE id IN (SELECT k.id FROM contacts c CROSS JOIN calls k"
                " INDEXED BY calls_of ON k.contact_id = c.id WHERE (c.keep_history = 0 OR"
                " (c.keep_days > 0 AND k.began_ms < ?1 - c.keep_days * 86400000))"
                " AND (c.keep_history = 0 OR c.keep_days > 0) AND k.result <> 0 AND k.seen = 1 LIMIT ?2)",
                now_ms, TIDY_AT_ONCE, 0);
    return err == PSST_OK ? note_if_gone(store, worked) : err;
}
