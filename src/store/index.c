/* The index of words, and the eras.
 *
 * Messages are divided, in the order of storing, into eras of at most 8,192 messages or about 1 MiB of text. The index
 * (FTS4 without a copy of the texts: it reads the view messages_searched) is kept apart for each era by its language
 * identifier, so that
 *   - a search begins with the newest era and ends where it has enough, however often a word occurs,
 *   - erased words are driven out by writing one era anew, and not everything (psst_store_index_clean),
 *   - no list of places of a word grows without bound, whatever anybody sends.
 * An era that is full is written in one piece at once; only the last one consists of several.
 *
 *   eras: | era = its first seq | bytes | between which times its rows were stored | unclean: words wait to be driven out
 *
 * What is in the index: the texts of contacts that keep history, and of the others those that are done with and not yet
 * erased:
 *   indexed <=> text IS NOT NULL AND (keep_history OR it neither waits nor is unread)
 * New rows are indexed together, right before their group is committed: FTS4 would otherwise write a piece at each
 * savepoint. */
#include "store/store_internal.h"

#define HOUR_MS     3600000
#define ERA_BYTES   (1024 * 1024)
#define BYTES_NOTED (64 * 1024) /* so many more, and the row of the era is written again */

/* The era of messages m. */
#define ERA_OF_M "(SELECT max(era) FROM eras WHERE era <= m.seq)"
#define INSERT_INTO_INDEX                                                                                              \
    "INSERT INTO search (docid, text, who, era) SELECT m.seq, m.text, 'c' || m.contact_id, " ERA_OF_M                  \
    " FROM messages m CROSS JOIN contacts c ON c.id = m.contact_id"

/* An older store that is only read has none. */
static bool has_index(const struct psst_store *store)
{
    return store->version >= PSST_STORE_INDEX_VERSION && !store->read_only && !store->damaged;
}

static enum psst_err run(struct psst_store *store, enum psst_stmt which, const char *sql)
{
    sqlite3_stmt *stmt;
    enum psst_err err = psst_store_stmt(store, which, sql, &stmt);
    return err == PSST_OK ? psst_store_stmt_run(store, stmt) : err;
}

static enum psst_err run_for(struct psst_store *store, enum psst_stmt which, const char *sql, int64_t id)
{
    sqlite3_stmt *stmt;
    enum psst_err err = psst_store_stmt(store, which, sql, &stmt);
    if (err != PSST_OK) return err;
    (void)sqlite3_bind_int64(stmt, 1, id);
    return psst_store_stmt_run(store, stmt);
}

/* FTS4 keeps what it was given last in memory, and takes that for part of every era when it reads or merges. A savepoint
 * makes it write. */
static enum psst_err flush(struct psst_store *store)
{
    enum psst_err err = run(store, STMT_INDEX_SAVEPOINT, "SAVEPOINT words");
    return err == PSST_OK ? run(store, STMT_INDEX_RELEASE, "RELEASE words") : err;
}

/* Every era in one piece; words of texts that were taken out are gone then. What is in one piece already costs nothing. */
static enum psst_err optimize(struct psst_store *store)
{
    enum psst_err err = flush(store);
    return err == PSST_OK ? run(store, STMT_INDEX_OPTIMIZE, "INSERT INTO search (search) VALUES ('optimize')") : err;
}

/* ---- the last era ---- */

static enum psst_err read_era(struct psst_store *store, struct psst_store_era *era)
{
    sqlite3_stmt *stmt;
    enum psst_err err = psst_store_stmt(store, STMT_ERA_LAST,
                                        "SELECT era, bytes, from_ms, to_ms FROM eras ORDER BY era DESC LIMIT 1", &stmt);
    if (err != PSST_OK) return err;
    *era = (struct psst_store_era){.first_seq = 0};
    err = psst_store_stmt_row(store, stmt);
    if (err == PSST_OK)
        *era = (struct psst_store_era){.first_seq = sqlite3_column_int64(stmt, 0),
                                       .bytes = sqlite3_column_int64(stmt, 1),
                                       .noted = sqlite3_column_int64(stmt, 1),
                                       .from_ms = sqlite3_column_int64(stmt, 2),
                                       .to_ms = sqlite3_column_int64(stmt, 3)};
    psst_store_stmt_end(stmt);
    return err == PSST_ERR_NOT_FOUND ? PSST_OK : err;
}

static enum psst_err write_era(struct psst_store *store, struct psst_store_era *era)
{
    sqlite3_stmt *stmt;
    enum psst_err err =
        era->is_new
            ? psst_store_stmt(store, STMT_ERA_INSERT,
                              "INSERT INTO eras (era, bytes, from_ms, to_ms, unclean) VALUES (?1, ?2, ?3, ?4, 0)",
                              &stmt)
            : psst_store_stmt(store, STMT_ERA_UPDATE,
                              "UPDATE eras SET bytes = ?2, from_ms = ?3, to_ms = ?4 WHERE era = ?1", &stmt);
    if (err != PSST_OK) return err;
    (void)sqlite3_bind_int64(stmt, 1, era->first_seq);
    (void)sqlite3_bind_int64(stmt, 2, era->bytes);
    (void)sqlite3_bind_int64(stmt, 3, era->from_ms);
    (void)sqlite3_bind_int64(stmt, 4, era->to_ms);
    err = psst_store_stmt_run(store, stmt);
    if (err != PSST_OK) return err;
    era->is_new = false;
    era->noted = era->bytes;
    return PSST_OK;
}

/* Times wider than need be, so that the row is written once an hour and not with every message. */
static void stretch(struct psst_store_era *era, int64_t from_ms, int64_t to_ms, bool *changed)
{
    if (era->is_new || from_ms < era->from_ms) {
        era->from_ms = from_ms > 0 ? from_ms - from_ms % HOUR_MS : from_ms;
        *changed = true;
    }
    if (era->is_new || to_ms > era->to_ms) {
        era->to_ms = to_ms > 0 && to_ms < INT64_MAX - HOUR_MS ? to_ms + HOUR_MS - to_ms % HOUR_MS : to_ms;
        *changed = true;
    }
}

static bool is_full(const struct psst_store *store, int64_t last_seq)
{
    const struct psst_store_era *era = &store->indexed.era;
    return last_seq - era->first_seq >= store->era_messages - 1 || era->bytes >= ERA_BYTES;
}

/* The era that the new rows are in: the last one, or a new one behind it. */
static enum psst_err note_new_rows(struct psst_store *store)
{
    sqlite3_stmt *stmt;
    struct psst_store_era *era = &store->indexed.era;
    enum psst_err err = psst_store_stmt(store, STMT_ERA_NEW_ROWS,
                                        "SELECT min(stored_ms), max(stored_ms), sum(length(CAST(text AS BLOB)))"
                                        " FROM messages WHERE seq > ?1",
                                        &stmt);
    if (err != PSST_OK) return err;
    (void)sqlite3_bind_int64(stmt, 1, store->indexed.seq);
    err = psst_store_stmt_row(store, stmt);
    int64_t from_ms = sqlite3_column_int64(stmt, 0), to_ms = sqlite3_column_int64(stmt, 1);
    int64_t bytes = sqlite3_column_int64(stmt, 2);
    bool any = err == PSST_OK && sqlite3_column_type(stmt, 0) != SQLITE_NULL;
    psst_store_stmt_end(stmt);
    if (!any) return err;
    if (era->first_seq == 0 || is_full(store, store->indexed.seq))
        *era = (struct psst_store_era){.first_seq = store->indexed.seq + 1, .is_new = true};
    bool changed = era->is_new;
    stretch(era, from_ms, to_ms, &changed);
    era->bytes += bytes;
    if (!changed && era->bytes - era->noted < BYTES_NOTED && era->bytes < ERA_BYTES) return PSST_OK;
    return write_era(store, era);
}

/* ---- what comes ---- */

/* The last one that was ever given, whether its row is still there or not. */
static enum psst_err last_seq(struct psst_store *store, int64_t *last)
{
    sqlite3_stmt *stmt;
    enum psst_err err =
        psst_store_stmt(store, STMT_LAST_SEQ, "SELECT seq FROM sqlite_sequence WHERE name = 'messages'", &stmt);
    if (err != PSST_OK) return err;
    err = psst_store_stmt_row(store, stmt);
    *last = err == PSST_OK ? sqlite3_column_int64(stmt, 0) : 0;
    psst_store_stmt_end(stmt);
    return err == PSST_ERR_NOT_FOUND ? PSST_OK : err;
}

enum psst_err psst_store_index_begin(struct psst_store *store)
{
    if (!has_index(store)) return PSST_OK;
    enum psst_err err = last_seq(store, &store->indexed.seq);
    return err == PSST_OK ? read_era(store, &store->indexed.era) : err;
}

enum psst_err psst_store_index_new(struct psst_store *store)
{
    int64_t last = 0;
    if (!has_index(store)) return PSST_OK;
    enum psst_err err = last_seq(store, &last);
    if (err != PSST_OK || last <= store->indexed.seq) return err;
    err = note_new_rows(store);
    if (err == PSST_OK)
        err = run_for(store, STMT_INDEX_NEW,
                      INSERT_INTO_INDEX " WHERE m.seq > ?1 AND m.text IS NOT NULL AND c.keep_history = 1",
                      store->indexed.seq);
    if (err == PSST_OK) err = is_full(store, last) ? optimize(store) : flush(store);
    if (err == PSST_OK) store->indexed.seq = last;
    return err;
}

/* ---- what goes ---- */

enum psst_err psst_store_unindex(struct psst_store *store, int64_t seq)
{
    enum psst_err err = run_for(store, STMT_INDEX_DELETE, "DELETE FROM search WHERE docid = ?1", seq);
    if (err != PSST_OK) return err;
    return run_for(
        store, STMT_ERA_SOIL,
        "UPDATE eras SET unclean = 1 WHERE unclean = 0 AND era = (SELECT max(era) FROM eras WHERE era <= ?1)", seq);
}

enum psst_err psst_store_index_unclean(struct psst_store *store, int64_t *era)
{
    sqlite3_stmt *stmt;
    enum psst_err err =
        psst_store_stmt(store, STMT_ERA_UNCLEAN, "SELECT era FROM eras WHERE unclean = 1 LIMIT 1", &stmt);
    if (err != PSST_OK) return err;
    err = psst_store_stmt_row(store, stmt);
    if (err == PSST_OK) *era = sqlite3_column_int64(stmt, 0);
    psst_store_stmt_end(stmt);
    return err;
}

/* Eras that have no rows any more are no eras; but the last one stays, so that no seq of it begins another. */
enum psst_err psst_store_index_clean(struct psst_store *store)
{
    enum psst_err err = optimize(store);
    if (err == PSST_OK)
        err = run(store, STMT_ERAS_GONE,
                  "DELETE FROM eras WHERE unclean = 1 AND era < (SELECT max(era) FROM eras) AND NOT EXISTS"
                  " (SELECT 1 FROM messages m WHERE m.seq >= eras.era AND m.seq <"
                  " (SELECT min(next.era) FROM eras next WHERE next.era > eras.era))");
    if (err == PSST_OK) err = run(store, STMT_ERAS_CLEAN, "UPDATE eras SET unclean = 0 WHERE unclean = 1");
    return err;
}

/* ---- a contact whose history is switched ---- */

/* Each half by its own partial index. */
#define OPEN_TEXTS                                                                                                     \
    "(SELECT seq FROM messages WHERE contact_id = ?1 AND state = " PSST_WAITING " AND text IS NOT NULL"                \
    " UNION ALL SELECT seq FROM messages WHERE contact_id = ?1 AND state = " PSST_RECEIVED " AND text IS NOT NULL)"

enum psst_err psst_store_index_contact(struct psst_store *store, int64_t contact_id, bool keeps)
{
    if (!has_index(store)) return PSST_OK;
    enum psst_err err =
        keeps ? run_for(store, STMT_INDEX_CONTACT, INSERT_INTO_INDEX " WHERE m.seq IN " OPEN_TEXTS " ORDER BY m.seq",
                        contact_id)
              : run_for(store, STMT_UNINDEX_CONTACT, "DELETE FROM search WHERE docid IN " OPEN_TEXTS, contact_id);
    if (err != PSST_OK) return err;
    return run_for(store, STMT_SOIL_CONTACT,
                   "UPDATE eras SET unclean = 1 WHERE unclean = 0 AND era IN"
                   " (SELECT " ERA_OF_M " FROM messages m WHERE m.seq IN " OPEN_TEXTS ")",
                   contact_id);
}
