/* A store of every earlier version, as it was made then, opened today: all of it is there, and can be searched. Cut off in
 * the middle, it is of one version or the next, never between. */
#include "world.h"

#include "store/store_internal.h"
#include "support/fault_vfs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What each version added, as it was released. Never to be changed. */
static const char *const frozen[] = {
    /* 1 */
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
    /* 2 */
    "ALTER TABLE contacts ADD COLUMN paused INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE contacts ADD COLUMN keep_days INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE contacts ADD COLUMN receipts INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE contacts ADD COLUMN reconnect INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE contacts ADD COLUMN presence INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE contacts ADD COLUMN presence_text TEXT;",
    /* 3 */
    "ALTER TABLE messages ADD COLUMN sent_ms INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE messages ADD COLUMN receipt INTEGER NOT NULL DEFAULT 0;"
    "UPDATE messages SET sent_ms = stored_ms WHERE state = 0;"
    "CREATE INDEX messages_receipts ON messages (contact_id) WHERE receipt = 1;",
    /* 4 */
    "ALTER TABLE transfers ADD COLUMN form INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE transfers ADD COLUMN flags INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE transfers ADD COLUMN rank INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE transfers ADD COLUMN mtime_ns INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE transfers ADD COLUMN inode INTEGER NOT NULL DEFAULT 0;"
    "CREATE INDEX transfers_open ON transfers (contact_id) WHERE state < 2 OR flags >= 65536;"
    "CREATE INDEX transfers_withdrawn ON transfers (contact_id) WHERE direction = 0 AND state = 4 AND path = x'';",
    /* 5 */
    "CREATE TABLE own (name TEXT PRIMARY KEY, value BLOB NOT NULL);"
    "CREATE TABLE meets ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " contact_id INTEGER NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,"
    " meet_id BLOB NOT NULL,"
    " direction INTEGER NOT NULL,"
    " state INTEGER NOT NULL,"
    " time_ms INTEGER NOT NULL);"
    "CREATE UNIQUE INDEX meets_by_id ON meets (contact_id, meet_id);",
    /* 6 */
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
    "SAVEPOINT words; RELEASE words;"
    "INSERT INTO search (search) VALUES ('optimize');",
};
#define OLD_VERSIONS ((int)(sizeof frozen / sizeof frozen[0]))

/* Bob keeps his history, Dave does not. Ids as world_id makes them, digests as world_digest. */
static const char rows_sql[] =
    "INSERT INTO contacts (id, alias, fpr, spki, our_secret, their_secret, addresses, blocked, verified, keep_history,"
    " added_ms) VALUES"
    " (3, 'Bob', x'1100000000000000000000000000000000000000000000000000000000000022', x'6b6579', NULL,"
    "  x'3300000000000000000000000000000000000000000000000000000000000044', 'bob.example:4516', 0, 1, 1, 77),"
    " (5, 'Dave', x'5500000000000000000000000000000000000000000000000000000000000066', x'6b657932', NULL, NULL, '', 1, 0,"
    "  0, 78);"
    "INSERT INTO transfers (id, contact_id, transfer_id, direction, state, reason, size, position, created_ms, name, path)"
    " VALUES (4, 3, x'0102030405060708090a0b0c0d0e0f10', 1, 1, 0, 1000, 500, 9, x'6e616d65', x'2f70617468');";

static const struct {
    int64_t seq, contact;
    unsigned id;
    int direction, state;
    const char *text; /* NULL: erased */
} rows[] = {
    {1, 3, 1, PSST_OUT, PSST_MESSAGE_DELIVERED, "the first, delivered"},
    {2, 3, 2, PSST_IN, PSST_MESSAGE_SHOWN,
     "Gr\xc3\xbc\xc3\x9f"
     "e from the past"},
    {4, 5, 3, PSST_IN, PSST_MESSAGE_SHOWN, NULL},
    {5, 5, 4, PSST_OUT, PSST_MESSAGE_WAITING, "for Dave, the first of all"},
    {6, 5, 5, PSST_IN, PSST_MESSAGE_RECEIVED, "from Dave, unread"},
    {17000, 3, 6, PSST_OUT, PSST_MESSAGE_REFUSED, "refused first"},
    {17001, 3, 7, PSST_OUT, PSST_MESSAGE_WAITING, "waits"},
    {40000, 3, 8, PSST_IN, PSST_MESSAGE_RECEIVED, "unread, at first"},
};
#define ROWS (sizeof rows / sizeof rows[0])

static void exec(sqlite3 *db, const char *sql)
{
    char *words = NULL;
    if (sqlite3_exec(db, sql, NULL, NULL, &words) != SQLITE_OK) fail_msg("%s: %s", sql, words);
}

static void add_rows(sqlite3 *db)
{
    exec(db, rows_sql);
    sqlite3_stmt *stmt = NULL;
    assert_int_equal(
        sqlite3_prepare_v2(db,
                           "INSERT INTO messages (seq, contact_id, direction, state, reason, time_ms,"
                           " stored_ms, msg_id, digest, text) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
                           -1, &stmt, NULL),
        SQLITE_OK);
    for (size_t i = 0; i < ROWS; i++) {
        const char *text = rows[i].text == NULL ? "erased" : rows[i].text;
        struct psst_hash digest = world_digest(text);
        struct psst_msg_id id = world_id(rows[i].id);
        int digest_len = rows[i].direction == PSST_OUT ? 0 : rows[i].text == NULL ? 4 : 32;
        (void)sqlite3_bind_int64(stmt, 1, rows[i].seq);
        (void)sqlite3_bind_int64(stmt, 2, rows[i].contact);
        (void)sqlite3_bind_int(stmt, 3, rows[i].direction);
        (void)sqlite3_bind_int(stmt, 4, rows[i].state);
        (void)sqlite3_bind_int(stmt, 5, rows[i].state == PSST_MESSAGE_REFUSED ? 3 : 0);
        (void)sqlite3_bind_int64(stmt, 6, 1000 + rows[i].seq);
        (void)sqlite3_bind_int64(stmt, 7, 2000 + rows[i].seq);
        (void)sqlite3_bind_blob(stmt, 8, id.b, sizeof id.b, SQLITE_TRANSIENT);
        (void)sqlite3_bind_blob(stmt, 9, digest.b, digest_len, SQLITE_TRANSIENT);
        (void)sqlite3_bind_text(stmt, 10, rows[i].text, -1, SQLITE_STATIC);
        assert_int_equal(sqlite3_step(stmt), SQLITE_DONE);
        assert_int_equal(sqlite3_reset(stmt), SQLITE_OK);
    }
    (void)sqlite3_finalize(stmt);
}

static sqlite3 *open_raw(const char *path)
{
    sqlite3 *db = NULL;
    char key[80] = "x'";
    for (size_t i = 0; i < sizeof world_key.b; i++) (void)snprintf(key + 2 + 2 * i, 4, "%02x'", world_key.b[i]);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_key(db, key, (int)strlen(key)), SQLITE_OK);
    exec(db, "PRAGMA cipher_page_size = 4096; PRAGMA kdf_iter = 64000");
    return db;
}

/* As the program of that time left it. */
static void make(const char *path, int version)
{
    char note[100];
    sqlite3 *db = open_raw(path);
    exec(db, "PRAGMA journal_mode = WAL");
    exec(db, frozen[0]);
    add_rows(db);
    for (int v = 1; v < version; v++) exec(db, frozen[v]);
    (void)snprintf(note, sizeof note, "PRAGMA application_id = %d; PRAGMA user_version = %d", PSST_STORE_APPLICATION_ID,
                   version);
    exec(db, note);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* ---- what must be there ---- */

struct walk {
    size_t at;
    int64_t contact;
};

static enum psst_err compare_row(void *ctx, const struct psst_message_row *row)
{
    struct walk *walk = ctx;
    while (walk->at < ROWS && rows[walk->at].contact != walk->contact) walk->at++;
    assert_true(walk->at < ROWS);
    const char *text = rows[walk->at].text == NULL ? "" : rows[walk->at].text;
    struct psst_msg_id id = world_id(rows[walk->at].id);
    bool sent = row->state == PSST_MESSAGE_SENT; /* what waits in an old store may have been */
    assert_int_equal(row->seq, rows[walk->at].seq);
    assert_int_equal(row->direction, rows[walk->at].direction);
    assert_int_equal(sent ? PSST_MESSAGE_WAITING : row->state, rows[walk->at].state);
    assert_int_equal(row->reason, row->state == PSST_MESSAGE_REFUSED ? 3 : 0);
    assert_int_equal(row->time_ms, 1000 + row->seq);
    assert_int_equal(row->stored_ms, 2000 + row->seq);
    assert_memory_equal(row->id.b, id.b, sizeof id.b);
    assert_int_equal(row->text.len, strlen(text));
    if (row->text.len > 0) assert_memory_equal(row->text.data, text, row->text.len);
    walk->at++;
    return PSST_OK;
}

static enum psst_err compare_contact(void *ctx, const struct psst_contact_row *row)
{
    unsigned *n = ctx;
    ++*n;
    bool bob = row->id == 3;
    assert_string_equal(row->alias, bob ? "Bob" : "Dave");
    assert_true(row->id == (bob ? 3 : 5) && row->fpr.b[0] == (bob ? 0x11 : 0x55));
    assert_true(psst_view_equal(row->spki, psst_view_str(bob ? "key" : "key2")));
    assert_true(row->has_their_secret == bob && !row->has_our_secret && row->verified == bob && row->blocked == !bob);
    assert_true(row->keep_history == bob && row->keep_days == 0 && !row->paused && !row->receipts && !row->reconnect);
    assert_int_equal(row->added_ms, bob ? 77 : 78);
    assert_true(psst_view_equal(row->addresses, psst_view_str(bob ? "bob.example:4516" : "")));
    return PSST_OK;
}

static enum psst_err compare_transfer(void *ctx, const struct psst_transfer_row *row)
{
    unsigned *n = ctx;
    ++*n;
    assert_true(row->id == 4 && row->contact_id == 3 && row->transfer_id.b[15] == 16 && row->size == 1000);
    assert_true(row->offset == 500 && row->state == PSST_TRANSFER_ACCEPTED && row->created_ms == 9);
    assert_true(psst_view_equal(row->name, psst_view_str("name")) &&
                psst_view_equal(row->path, psst_view_str("/path")));
    return PSST_OK;
}

static void assert_rows(struct psst_store *store)
{
    unsigned n = 0;
    must(psst_store_contacts(store, compare_contact, &n));
    assert_int_equal(n, 2);
    n = 0;
    must(psst_store_transfers(store, 0, compare_transfer, &n));
    assert_int_equal(n, 1);
    static const struct {
        int64_t contact;
        size_t last;
    } contacts[] = {{3, ROWS}, {5, 5}};
    for (size_t i = 0; i < 2; i++) {
        struct walk walk = {0, contacts[i].contact};
        must(psst_store_log(store, contacts[i].contact, 0, SIZE_MAX, compare_row, &walk));
        assert_int_equal(walk.at, contacts[i].last);
    }
}

static enum psst_err note_seq(void *ctx, const struct psst_message_row *row)
{
    char *out = ctx;
    (void)snprintf(out + strlen(out), 100 - strlen(out), "%d ", (int)row->seq);
    return PSST_OK;
}

static void assert_search(struct psst_store *store, int64_t contact, const char *words, const char *seqs)
{
    char found[100] = "";
    const struct psst_find find = {.contact_id = contact, .words = psst_view_str(words), .limit = 50};
    must(psst_store_find(store, &find, note_seq, found));
    assert_string_equal(found, seqs);
}

static enum psst_err note_counts(void *ctx, const struct psst_counts_row *row)
{
    char *out = ctx;
    (void)snprintf(out + strlen(out), 100 - strlen(out), "%d:%u/%u ", (int)row->contact_id, row->waiting,
                   row->unread.texts);
    return PSST_OK;
}

static void assert_all(struct world *w)
{
    char counts[100] = "";
    assert_rows(w->store);
    must(psst_store_check(w->store));
    world_assert_integrity(w);
    /* Dave's texts are not kept, so they cannot be searched */
    assert_search(w->store, 3, "first", "1 17000 40000 ");
    assert_search(w->store, 0, "first", "1 17000 40000 ");
    assert_search(w->store, 5, "first", "");
    assert_search(w->store, 3, "GRUSSE", ""); /* an sz is no ss */
    assert_search(w->store, 3,
                  "gru\xc3\x9f"
                  "e pas*",
                  "2 ");
    must(psst_store_counts(w->store, note_counts, counts));
    assert_string_equal(counts, "3:1/0 5:1/0 3:0/1 5:0/1 ");
    assert_int_equal(world_in(w, 3, 2,
                              "Gr\xc3\xbc\xc3\x9f"
                              "e from the past",
                              NULL),
                     PSST_ERR_EXISTS);
    assert_int_equal(world_in(w, 5, 3, "erased", NULL), PSST_ERR_EXISTS);
    assert_int_equal(world_in(w, 5, 3, "other", NULL), PSST_ERR_PROTOCOL);
}

/* Then it lives on: new rows, in new places. */
static void assert_alive(struct world *w)
{
    int64_t seq = 0;
    must(psst_store_begin(w->store));
    must(world_in(w, 3, 100, "new, and first", &seq));
    must(psst_store_commit(w->store));
    assert_true(seq > 40000);
    char seqs[100];
    (void)snprintf(seqs, sizeof seqs, "1 17000 40000 %d ", (int)seq);
    assert_search(w->store, 3, "first", seqs);
    (void)world_tidy(w, 1000);
    must(psst_store_forget(w->store, 3, UINT64_MAX));
    (void)world_tidy(w, 1000);
    (void)snprintf(seqs, sizeof seqs, "40000 %d ", (int)seq); /* unread both */
    assert_search(w->store, 3, "first", seqs);
    world_assert_integrity(w);
}

/* Everything that the tables are made of. */
static char *describe(sqlite3 *db)
{
    char *all = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&all, &size);
    sqlite3_stmt *stmt = NULL;
    assert_non_null(f);
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT type, name, sql FROM sqlite_master ORDER BY 1, 2", -1, &stmt, NULL),
                     SQLITE_OK);
    while (sqlite3_step(stmt) == SQLITE_ROW)
        (void)fprintf(f, "%s %s: %s\n", (const char *)sqlite3_column_text(stmt, 0),
                      (const char *)sqlite3_column_text(stmt, 1), (const char *)sqlite3_column_text(stmt, 2));
    (void)sqlite3_finalize(stmt);
    (void)fclose(f);
    return all;
}

static void wipe_files(struct world *w)
{
    static const char *const tails[] = {"", "-wal", "-shm", "-journal"};
    char name[300];
    for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++) {
        (void)snprintf(name, sizeof name, "%s%s", w->path, tails[i]);
        (void)unlink(name);
    }
}

static void start(struct world *w, int version)
{
    world_close(w);
    wipe_files(w);
    make(w->path, version);
}

/* ---- tests ---- */

static void store__of_every_earlier_version__is_brought_along_whole(void **state)
{
    struct world *w = *state;
    char *fresh = describe(w->store->db);
    int64_t newest = w->store->version;
    assert_int_equal(newest, OLD_VERSIONS + 1); /* else a frozen one is missing above */
    for (int version = 1; version <= OLD_VERSIONS; version++) {
        start(w, version);
        (void)world_open(w);
        assert_int_equal(w->store->version, newest);
        char *now = describe(w->store->db);
        assert_string_equal(now, fresh); /* as if made today */
        free(now);
        assert_all(w);
        assert_alive(w);
        world_reopen(w);
        must(psst_store_check(w->store));
    }
    free(fresh);
}

static void store__of_every_earlier_version__can_be_read_as_it_is(void **state)
{
    struct world *w = *state;
    for (int version = 1; version <= OLD_VERSIONS; version++) {
        start(w, version);
        size_t before = 0, after = 0;
        uint8_t *bytes = world_file(w->path, &before);
        struct psst_diag diag;
        must(psst_store_open(&w->store, w->path, &world_key, true, &diag));
        assert_rows(w->store);
        char seen[100] = "";
        const struct psst_find find = {.contact_id = 3, .words = psst_view_str("first"), .limit = 50};
        assert_int_equal(psst_store_find(w->store, &find, note_seq, seen), PSST_ERR_USAGE);
        const struct psst_find range = {.contact_id = 3, .since_ms = 19000, .until_ms = 42000, .limit = 50};
        must(psst_store_find(w->store, &range, note_seq, seen));
        assert_string_equal(seen, "17000 17001 ");
        world_close(w);
        uint8_t *same = world_file(w->path, &after);
        assert_true(before == after && memcmp(bytes, same, before) == 0);
        free(bytes);
        free(same);
    }
}

/* The tables of the version that the file says it is, and all rows. */
static void assert_one_version(struct world *w, char *const *tables, int64_t at_least)
{
    sqlite3 *db = open_raw(w->path);
    struct psst_store looker = {.db = db};
    int64_t version = 0;
    must(psst_store_pragma_int(&looker, "PRAGMA user_version", &version));
    assert_in_range(version, (uint64_t)at_least, OLD_VERSIONS + 1);
    char *now = describe(db);
    assert_string_equal(now, tables[version]);
    free(now);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    (void)world_open(w);
    assert_all(w);
}

static void cut_everywhere(struct world *w, int version, enum fault_kind kind)
{
    char *tables[OLD_VERSIONS + 2] = {NULL};
    tables[OLD_VERSIONS + 1] = describe(w->store->db);
    for (int v = 1; v <= OLD_VERSIONS; v++) {
        start(w, v);
        sqlite3 *db = open_raw(w->path);
        tables[v] = describe(db);
        assert_int_equal(sqlite3_close(db), SQLITE_OK);
    }
    long cuts = 0;
    for (long n = 1;; n += n < 60 ? 1 : 7) {
        struct psst_diag diag;
        start(w, version);
        fault_vfs_plan(kind, n, true);
        enum psst_err err = psst_store_open(&w->store, w->path, &world_key, false, &diag);
        bool struck = fault_vfs_struck();
        if (err != PSST_OK) w->store = NULL;
        if (kind == FAULT_POWER) fault_vfs_power_cut();
        world_close(w);
        (void)fault_vfs_clear();
        if (kind == FAULT_POWER) fault_vfs_power_back((uint64_t)n);
        assert_one_version(w, tables, version);
        if (!struck) break;
        assert_true(err == PSST_OK || err != PSST_ERR_DAMAGED);
        cuts++;
    }
    assert_true(cuts > 10);
    for (int v = 1; v <= OLD_VERSIONS + 1; v++) free(tables[v]);
}

static void migration__without_power__leaves_one_version_or_the_next(void **state)
{
    cut_everywhere(*state, 1, FAULT_POWER);
    world_reopen(*state);
}

static void migration__on_a_disk_that_fails__leaves_one_version_or_the_next(void **state)
{
    cut_everywhere(*state, 1, FAULT_IO);
}

static void migration__on_a_full_disk__leaves_one_version_or_the_next(void **state)
{
    cut_everywhere(*state, OLD_VERSIONS, FAULT_FULL);
}

static int faulty_setup(void **state)
{
    fault_vfs_install();
    return world_setup(state);
}

static int faulty_teardown(void **state)
{
    (void)fault_vfs_clear();
    int rc = world_teardown(state);
    fault_vfs_uninstall();
    return rc;
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
#define F(f) cmocka_unit_test_setup_teardown(f, faulty_setup, faulty_teardown)
    const struct CMUnitTest tests[] = {
        T(store__of_every_earlier_version__is_brought_along_whole),
        T(store__of_every_earlier_version__can_be_read_as_it_is),
        F(migration__without_power__leaves_one_version_or_the_next),
        F(migration__on_a_disk_that_fails__leaves_one_version_or_the_next),
        F(migration__on_a_full_disk__leaves_one_version_or_the_next),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
