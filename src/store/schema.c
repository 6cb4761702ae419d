/* The tables. Each step brings the store from one user_version to the next and is never changed once released: a change
 * is a new step. SQL that SQLite 3.15 (SQLCipher 3.4) and later ones both take. */
#include "store/store_internal.h"

#include <stdio.h>

/* messages: `text` is NULL once it is erased; `digest` is the caller's, of what came in, cut short by erasing. The log
 * index has seq at its end by itself, seq being the row's own key. */
static const char *const steps[] = {
    "CREATE TABLE contacts ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " alias TEXT NOT NULL COLLATE NOCASE UNIQUE,"
    " fpr BLOB NOT NULL UNIQUE,"
    " spki BLOB NOT NULL,"
    " our_secret BLOB,"
    " their_secret BLOB,"
    " addresses TEXT NOT NULL,"
    " blocked INTEGER NOT NULL,"
    " verified INTEGER NOT NULL,"
    " keep_history INTEGER NOT NULL,"
    " added_ms INTEGER NOT NULL);"
    "CREATE TABLE messages ("
    " seq INTEGER PRIMARY KEY AUTOINCREMENT,"
    " contact_id INTEGER NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,"
    " direction INTEGER NOT NULL,"
    " state INTEGER NOT NULL,"
    " reason INTEGER NOT NULL,"
    " time_ms INTEGER NOT NULL,"
    " stored_ms INTEGER NOT NULL,"
    " msg_id BLOB NOT NULL,"
    " digest BLOB NOT NULL,"
    " text TEXT);"
    "CREATE UNIQUE INDEX messages_by_id ON messages (contact_id, msg_id, direction);"
    "CREATE INDEX messages_log ON messages (contact_id);"
    "CREATE INDEX messages_waiting ON messages (contact_id) WHERE state = 0;"
    "CREATE INDEX messages_unseen ON messages (contact_id) WHERE state = 3;"
    "CREATE TABLE transfers ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " contact_id INTEGER NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,"
    " transfer_id BLOB NOT NULL,"
    " direction INTEGER NOT NULL,"
    " state INTEGER NOT NULL,"
    " reason INTEGER NOT NULL,"
    " size INTEGER NOT NULL,"
    " position INTEGER NOT NULL,"
    " created_ms INTEGER NOT NULL,"
    " name BLOB NOT NULL,"
    " path BLOB NOT NULL);"
    "CREATE UNIQUE INDEX transfers_by_id ON transfers (contact_id, transfer_id, direction);",

    "ALTER TABLE contacts ADD COLUMN paused INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE contacts ADD COLUMN keep_days INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE contacts ADD COLUMN receipts INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE contacts ADD COLUMN reconnect INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE contacts ADD COLUMN presence INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE contacts ADD COLUMN presence_text TEXT;",

    /* sent_ms: when it was first handed to a session; whatever waits may have been. receipt: 1 while one is due */
    "ALTER TABLE messages ADD COLUMN sent_ms INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE messages ADD COLUMN receipt INTEGER NOT NULL DEFAULT 0;"
    "UPDATE messages SET sent_ms = stored_ms WHERE state = 0;"
    "CREATE INDEX messages_receipts ON messages (contact_id) WHERE receipt = 1;",

    /* flags and rank are the caller's; inode: of the source, or of the part file */
    "ALTER TABLE transfers ADD COLUMN form INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE transfers ADD COLUMN flags INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE transfers ADD COLUMN rank INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE transfers ADD COLUMN mtime_ns INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE transfers ADD COLUMN inode INTEGER NOT NULL DEFAULT 0;"
    "CREATE INDEX transfers_open ON transfers (contact_id) WHERE state < 2 OR flags >= 65536;"
    "CREATE INDEX transfers_withdrawn ON transfers (contact_id) WHERE direction = 0 AND state = 4 AND path = x'';",

    /* own: what is private and about nobody else. meets: dropped when their time is over */
    "CREATE TABLE own (name TEXT PRIMARY KEY, value BLOB NOT NULL);"
    "CREATE TABLE meets ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " contact_id INTEGER NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,"
    " meet_id BLOB NOT NULL,"
    " direction INTEGER NOT NULL,"
    " state INTEGER NOT NULL,"
    " time_ms INTEGER NOT NULL);"
    "CREATE UNIQUE INDEX meets_by_id ON meets (contact_id, meet_id);",

    /* eras, search: index.c. seen: ids of what came in, of rows that are gone. forget, removed: work for erase.c */
    "CREATE TABLE eras ("
    " era INTEGER PRIMARY KEY,"
    " bytes INTEGER NOT NULL,"
    " from_ms INTEGER NOT NULL,"
    " to_ms INTEGER NOT NULL,"
    " unclean INTEGER NOT NULL);"
    "CREATE VIEW messages_searched AS SELECT seq AS rowid, text, 'c' || contact_id AS who,"
    " (SELECT max(era) FROM eras WHERE era <= seq) AS era FROM messages;"
    "CREATE VIRTUAL TABLE search USING fts4 (content='messages_searched', text, who, languageid='era',"
    " tokenize=unicode61, matchinfo=fts3, order=desc);"
    "CREATE TABLE seen ("
    " contact_id INTEGER NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,"
    " msg_id BLOB NOT NULL,"
    " digest BLOB NOT NULL,"
    " PRIMARY KEY (contact_id, msg_id)) WITHOUT ROWID;"
    "ALTER TABLE contacts ADD COLUMN forget_seq INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE contacts ADD COLUMN forget_ms INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE contacts ADD COLUMN removed INTEGER NOT NULL DEFAULT 0;"
    "CREATE INDEX messages_kept ON messages (contact_id, stored_ms) WHERE text IS NOT NULL;"
    "CREATE INDEX messages_bare ON messages (contact_id, stored_ms) WHERE text IS NULL;"
    "INSERT INTO eras (era, bytes, from_ms, to_ms, unclean) SELECT min(seq),"
    " coalesce(sum(length(CAST(text AS BLOB))), 0), min(stored_ms), max(stored_ms), 0 FROM messages GROUP BY seq >> 14;"
    "INSERT INTO search (docid, text, who, era) SELECT m.seq, m.text, 'c' || m.contact_id,"
    " (SELECT max(era) FROM eras WHERE era <= m.seq)"
    " FROM messages m CROSS JOIN contacts c ON c.id = m.contact_id"
    " WHERE m.text IS NOT NULL AND (c.keep_history = 1 OR m.state NOT IN (0, 3)) ORDER BY m.seq;"
    "SAVEPOINT words; RELEASE words;" /* makes FTS4 write what it has in memory: index.c */
    "INSERT INTO search (search) VALUES ('optimize');",

    /* calls: the index has id at its end by itself */
    "CREATE TABLE calls ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " contact_id INTEGER NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,"
    " direction INTEGER NOT NULL,"
    " result INTEGER NOT NULL,"
    " began_ms INTEGER NOT NULL,"
    " answered_ms INTEGER NOT NULL,"
    " ended_ms INTEGER NOT NULL,"
    " seen INTEGER NOT NULL);"
    "CREATE INDEX calls_of ON calls (contact_id);"
    "CREATE INDEX calls_running ON calls (contact_id) WHERE result = 0;"
    "CREATE INDEX transfers_voice ON transfers (contact_id) WHERE form = 3;"
    "CREATE INDEX calls_unseen ON calls (contact_id) WHERE seen = 0;",
};
#define NEWEST ((int64_t)(sizeof steps / sizeof steps[0]))

const char *psst_store_step(int64_t from)
{
    return from >= 0 && from < NEWEST ? steps[from] : "";
}

enum psst_err psst_store_pragma_int(struct psst_store *store, const char *sql, int64_t *value)
{
    sqlite3_stmt *stmt = NULL;
    enum psst_err err = psst_store_result(store, sqlite3_prepare_v2(store->db, sql, -1, &stmt, NULL));
    if (err == PSST_OK) err = psst_store_stmt_row(store, stmt);
    if (err == PSST_OK) *value = sqlite3_column_int64(stmt, 0);
    (void)sqlite3_finalize(stmt);
    return err;
}

enum psst_err psst_store_take_step(struct psst_store *store, int64_t from)
{
    char note[96];
    (void)snprintf(note, sizeof note, "PRAGMA application_id = %d; PRAGMA user_version = %d", PSST_STORE_APPLICATION_ID,
                   (int)from + 1);
    enum psst_err err = psst_store_begin(store);
    if (err != PSST_OK) return err;
    err = psst_store_exec(store, steps[from]);
    if (err == PSST_OK) err = psst_store_exec(store, note);
    if (err != PSST_OK) store->broken = err; /* commit then undoes all of it */
    return psst_store_commit(store);
}

enum psst_err psst_store_migrate(struct psst_store *store, struct psst_diag *diag)
{
    int64_t version = 0;
    enum psst_err err = psst_store_pragma_int(store, "PRAGMA user_version", &version);
    if (err != PSST_OK) return err;
    if (version > NEWEST)
        return psst_fail(diag, PSST_ERR_USAGE, "The history was written by a newer psst (its version %d, ours %d).",
                         (int)version, (int)NEWEST);
    store->version = version;
    if (store->read_only) return PSST_OK; /* what reads must do without the columns that came later */
    err = psst_store_index_begin(store);  /* each step is committed, and a commit indexes what is new */
    for (; err == PSST_OK && version < NEWEST; version++) err = psst_store_take_step(store, version);
    store->version = version;
    return err;
}
