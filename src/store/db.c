/* Opening, making and closing the database.
 *
 *   exists?  no --> make `path.new`, close it, rename it to `path` --.
 *     | yes                                                          |
 *     v                                                              v
 *   open read-only, key, look: wrong key, cut short? --> DAMAGED   open read-write, pragmas, migrate
 *   and read through, unless it is large             --> DAMAGED     |
 *     `------------------ good ----------------------------------^   `-- damage --> DAMAGED
 *
 * So a store either is there whole or is not there at all: an empty or foreign file under its name is damage, and is
 * never written to. The first look is read-only because a write-ahead log that is left would be copied into the file when
 * a read-write handle closes, whatever the key. */
#include "store/store_internal.h"

#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAMAGED_WORDS                                                                                                  \
    "The history %.70s cannot be read: what describes the rest of it is damaged, or store.key is not its own. It is "  \
    "left as it is: put a copy in its place, or move it away to begin a new one."

#define CUT_WORDS "The history %.90s is damaged. It is left as it is, and can be opened for reading only."

#define CHECK_MAX ((off_t)64 << 20) /* read through at each opening: a quarter of a second */

/* Spelled out, so that SQLCipher 3.4 (whose defaults these are, but for the page size) and 4 (which needs to be told)
 * read each other's files. What one of them does not know it ignores. kdf_iter counts for passphrases only: ours is a
 * raw key, nothing is derived from it but the key of the page MACs. */
static const char cipher_settings[] = "PRAGMA cipher_page_size = 4096;"
                                      "PRAGMA kdf_iter = 64000;"
                                      "PRAGMA cipher_use_hmac = ON;"
                                      "PRAGMA cipher_hmac_algorithm = HMAC_SHA1;"
                                      "PRAGMA cipher_kdf_algorithm = PBKDF2_HMAC_SHA1;"
                                      "PRAGMA cipher_plaintext_header_size = 0;";

static const char common_settings[] = "PRAGMA foreign_keys = ON;"
                                      "PRAGMA temp_store = MEMORY;"
                                      "PRAGMA cache_size = -16384;";

/* What match.c asks for the words in what somebody looks for. */
static const char tokenizer[] = "CREATE VIRTUAL TABLE temp.words USING fts3tokenize(unicode61)";

static const char write_settings[] = "PRAGMA secure_delete = ON;"
                                     "PRAGMA synchronous = FULL;"
                                     "PRAGMA journal_size_limit = 8388608;";

/* Lets a file that was cut short be read as far as it goes: SQLite otherwise compares its length first. Before anything
 * that looks into the file, as setting the cache's size does. */
static const char rescue_settings[] = "PRAGMA writable_schema = ON;";

static enum psst_err set_key(struct psst_store *store, const struct psst_store_key *key)
{
    /* "x'" 64 digits "'": the form that is taken as the key itself. Not as a PRAGMA: its text would stay in memory. */
    char text[2 + 2 * sizeof key->b + 2] = "x'";
    psst_hex_encode(text + 2, key->b, sizeof key->b);
    text[sizeof text - 2] = '\'';
    text[sizeof text - 1] = '\0';
    int rc = sqlite3_key(store->db, text, (int)sizeof text - 1);
    PSST_WIPE(text);
    return psst_store_result(store, rc);
}

enum mode {
    MODE_READ,
    MODE_RESCUE, /* read what can be read */
    MODE_MAKE,   /* no write-ahead log yet: all that is made must be in the one file that is renamed */
    MODE_WRITE,
};

/* The first real look into the file. One of zeros reads as a database without tables: ours never are. For a rescue the
 * first row is enough: a later page of the schema may be damaged, and what it describes is missing then. */
static enum psst_err look(struct psst_store *store, enum mode mode)
{
    static const char all[] = "SELECT count(*) FROM sqlite_master";
    static const char first[] = "SELECT count(*) FROM (SELECT 1 FROM sqlite_master LIMIT 1)";
    int64_t tables = 0, application = 0;
    enum psst_err err = psst_store_pragma_int(store, mode == MODE_RESCUE ? first : all, &tables);
    if (err != PSST_OK || mode == MODE_MAKE) return err;
    err = psst_store_pragma_int(store, "PRAGMA application_id", &application);
    if (err == PSST_OK && (tables == 0 || application != PSST_STORE_APPLICATION_ID))
        err = psst_store_damage(store, "not a store of ours");
    return err;
}

static enum psst_err use_wal(struct psst_store *store)
{
    sqlite3_stmt *stmt = NULL;
    enum psst_err err =
        psst_store_result(store, sqlite3_prepare_v2(store->db, "PRAGMA journal_mode = WAL", -1, &stmt, NULL));
    if (err == PSST_OK) err = psst_store_stmt_row(store, stmt);
    if (err == PSST_OK && !psst_view_equal(psst_store_column_view(stmt, 0), psst_view_str("wal"))) err = PSST_ERR_IO;
    int rc = sqlite3_finalize(stmt); /* the mark in the file is written by this, not by the step that says "wal" */
    return err == PSST_OK ? psst_store_result(store, rc) : err;
}

static enum psst_err settle_in(struct psst_store *store, const struct psst_store_key *key, enum mode mode)
{
    (void)sqlite3_extended_result_codes(store->db, 1);
    (void)sqlite3_busy_timeout(store->db, PSST_STORE_BUSY_MS);
    /* who writes merges lists of the places of a word, which grow with an era (index.c) and the last group in it */
    (void)sqlite3_limit(store->db, SQLITE_LIMIT_LENGTH,
                        store->read_only ? PSST_STORE_VALUE_MAX * 2 : PSST_STORE_LIST_MAX);
    enum psst_err err = set_key(store, key);
#ifdef SQLITE_DBCONFIG_DEFENSIVE /* libraries that know it; a rescue must reach behind the tables */
    if (mode != MODE_RESCUE) (void)sqlite3_db_config(store->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
#endif
#ifdef SQLITE_DBCONFIG_TRUSTED_SCHEMA
    (void)sqlite3_db_config(store->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
#endif
    if (err == PSST_OK) err = psst_store_exec(store, cipher_settings);
    if (err == PSST_OK && mode == MODE_RESCUE) err = psst_store_exec(store, rescue_settings);
    if (err == PSST_OK) err = psst_store_exec(store, common_settings);
    if (err == PSST_OK) err = look(store, mode);
    if (err == PSST_OK && mode == MODE_WRITE) err = use_wal(store);
    if (err == PSST_OK && !store->read_only) err = psst_store_exec(store, write_settings);
    if (err == PSST_OK && mode == MODE_WRITE) err = psst_store_exec(store, tokenizer);
    return err;
}

/* One handle on a file that exists. */
static enum psst_err connect_to(struct psst_store **out, const char *path, const struct psst_store_key *key,
                                enum mode mode, struct psst_diag *diag)
{
    struct psst_store *store = calloc(1, sizeof *store);
    if (store == NULL) return PSST_ERR_MEMORY;
    store->read_only = mode == MODE_READ || mode == MODE_RESCUE;
    store->rescue = mode == MODE_RESCUE;
    store->reserve_bytes = PSST_STORE_RESERVE_BYTES;
    store->era_messages = PSST_ERA_MESSAGES;
    store->log_unsure = mode == MODE_WRITE && psst_store_has_log(path);
    store->path = strdup(path);
    enum psst_err err = store->path == NULL ? PSST_ERR_MEMORY : PSST_OK;
    if (err == PSST_OK) {
        int flags = (store->read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE) | SQLITE_OPEN_NOMUTEX;
        int rc = sqlite3_open_v2(path, &store->db, flags, NULL);
        err = store->db == NULL ? PSST_ERR_MEMORY : psst_store_result(store, rc);
    }
    if (err == PSST_OK) err = settle_in(store, key, mode);
    if (err == PSST_OK) err = psst_store_migrate(store, diag);
    if (err == PSST_OK) err = psst_store_index_begin(store);
    if (err == PSST_OK && !store->read_only) err = psst_store_calls_cut_off(store);
    if (err != PSST_OK) {
        if (err == PSST_ERR_DAMAGED) (void)psst_fail(diag, err, DAMAGED_WORDS, path);
        (void)psst_fail(diag, err, "The history cannot be opened: %s.", store->words);
        psst_store_close(store);
        return err;
    }
    *out = store;
    return PSST_OK;
}

void psst_store_close(struct psst_store *store)
{
    if (store == NULL) return;
    if (store->db != NULL && psst_store_finish_erasing(store) != PSST_OK) {
        /* what is left is erased when it is opened again */
    }
    for (size_t i = 0; i < STMT_COUNT; i++) (void)sqlite3_finalize(store->stmts[i]);
    if (store->db != NULL)
        (void)sqlite3_busy_timeout(store->db, 0); /* a snapshot that is still held is not waited for */
    if (store->db != NULL && !store->read_only && !store->damaged)
        (void)sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    (void)sqlite3_close(store->db);
    free(store->path);
    free(store->parts);
    free(store->tallies);
    psst_wipe(store, sizeof *store);
    free(store);
}

/* ---- making one ---- */

static enum psst_err sync_directory_of(const char *path)
{
    char *copy = strdup(path);
    if (copy == NULL) return PSST_ERR_MEMORY;
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(copy);
    if (fd < 0) return PSST_ERR_IO;
    int rc = fsync(fd);
    (void)close(fd);
    return rc == 0 ? PSST_OK : PSST_ERR_IO;
}

static enum psst_err refused(const char *path, struct psst_diag *diag)
{
    int e = errno;
    enum psst_err err = e == ENOSPC || e == EDQUOT ? PSST_ERR_DISK_FULL
                        : e == EACCES              ? PSST_ERR_PERMISSION
                                                   : PSST_ERR_IO;
    return psst_fail(diag, err, "The history cannot be made at %s: %s.", path, strerror(e));
}

/* What an interrupted making left has never held anything. */
static void remove_draft(const char *draft)
{
    static const char *const tails[] = {"", "-wal", "-shm", "-journal"};
    char name[4096 + 16];
    for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++) {
        (void)snprintf(name, sizeof name, "%s%s", draft, tails[i]);
        (void)unlink(name);
    }
}

static enum psst_err put_in_place(const char *draft, const char *path, struct psst_diag *diag)
{
    int rc = renameat2(AT_FDCWD, draft, AT_FDCWD, path, RENAME_NOREPLACE);
    /* a file system without that flag; nobody else makes stores here, the daemon is one */
    if (rc != 0 && (errno == EINVAL || errno == ENOSYS)) rc = rename(draft, path);
    return rc == 0 ? PSST_OK : refused(path, diag);
}

static enum psst_err make(const char *path, const struct psst_store_key *key, struct psst_diag *diag)
{
    char draft[4096];
    if ((size_t)snprintf(draft, sizeof draft, "%s.new", path) >= sizeof draft)
        return psst_fail(diag, PSST_ERR_TOO_LONG, "The path of the history is too long.");
    remove_draft(draft);
    if (psst_store_has_log(path)) /* SQLite would take it for the new one's, and put what it holds into that */
        return psst_fail(diag, PSST_ERR_EXISTS,
                         "%.90s-wal belongs to a history that is gone: put that back, or move this away as well.",
                         path);
    /* made by us, not by SQLite, for its mode; the log beside it inherits that */
    int fd = open(draft, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) return refused(path, diag);
    (void)close(fd);
    struct psst_store *store = NULL;
    enum psst_err err = connect_to(&store, draft, key, MODE_MAKE, diag);
    if (err == PSST_OK) err = use_wal(store); /* a mark in the file; nothing is in the log when it is closed */
    if (err != PSST_OK) (void)psst_fail(diag, err, "The history cannot be made at %s.", path);
    psst_store_close(store);
    if (err == PSST_OK) err = put_in_place(draft, path, diag);
    if (err == PSST_OK)
        err = sync_directory_of(path);
    else
        remove_draft(draft);
    return err;
}

/* ---- opening ---- */

static enum psst_err check_file(const char *path, bool read_only, struct psst_diag *diag)
{
    struct stat st;
    if (stat(path, &st) != 0) {
        if (errno == ENOENT) return PSST_ERR_NOT_FOUND;
        return psst_fail(diag, errno == EACCES ? PSST_ERR_PERMISSION : PSST_ERR_IO,
                         "The history %s cannot be read: %s.", path, strerror(errno));
    }
    if (!S_ISREG(st.st_mode) || st.st_size < PSST_STORE_PAGE_BYTES) /* one page is always there */
        return psst_fail(diag, PSST_ERR_DAMAGED, DAMAGED_WORDS, path);
    /* Cut inside its last page, which SQLite would only notice when it reads that. With a log beside it the last page may
     * have been in the middle of being written, and is in the log. */
    if (!read_only && st.st_size % PSST_STORE_PAGE_BYTES != 0 && !psst_store_has_log(path))
        return psst_fail(diag, PSST_ERR_DAMAGED, CUT_WORDS, path);
    return PSST_OK;
}

/* Damage is better met now than in the middle of a conversation. */
static enum psst_err read_through(struct psst_store *store, struct psst_diag *diag)
{
    struct stat st;
    if (stat(store->path, &st) != 0 || st.st_size > CHECK_MAX) return PSST_OK;
    enum psst_err err = psst_store_check_quickly(store);
    if (err == PSST_OK) return err;
    return psst_fail(diag, err, err == PSST_ERR_DAMAGED ? CUT_WORDS : "The history %.90s cannot be read.", store->path);
}

static enum psst_err open_for_rescue(struct psst_store **out, const char *path, const struct psst_store_key *key,
                                     struct psst_diag *diag)
{
    struct psst_store *store = NULL;
    enum psst_err err = connect_to(&store, path, key, MODE_RESCUE, diag);
    if (err == PSST_OK) err = psst_rescue_survey(store);
    if (err == PSST_OK) {
        *out = store;
    } else if (store != NULL) {
        (void)psst_fail(diag, err, "The history %.90s cannot be read: %s.", path, store->words);
        psst_store_close(store);
    }
    return err;
}

/* The handle that only reads is there until the other one stands: the last one that is closed would copy a write-ahead log
 * that was left into a file that has just been found to be damaged. */
static enum psst_err open_for_writing(struct psst_store **out, const char *path, const struct psst_store_key *key,
                                      struct psst_diag *diag)
{
    struct psst_store *looking = NULL, *store = NULL;
    bool restored = psst_store_is_restored(path);
    enum psst_err err = connect_to(&looking, path, key, MODE_READ, diag);
    if (err == PSST_OK && restored) err = psst_store_restored_look(looking, diag);
    if (err == PSST_OK) err = read_through(looking, diag);
    if (err == PSST_OK) err = connect_to(&store, path, key, MODE_WRITE, diag);
    psst_store_close(looking);
    if (err == PSST_OK && restored) err = psst_store_restored_settle(store, diag);
    if (err == PSST_OK)
        *out = store;
    else
        psst_store_close(store);
    return err;
}

enum psst_err psst_store_open_beside(struct psst_store **out, const char *path, const struct psst_store_key *key,
                                     struct psst_diag *diag)
{
    return connect_to(out, path, key, MODE_READ, diag);
}

enum psst_err psst_store_open(struct psst_store **out, const char *path, const struct psst_store_key *key,
                              bool read_only, struct psst_diag *diag)
{
    enum psst_err err = check_file(path, read_only, diag);
    if (err == PSST_ERR_NOT_FOUND) {
        if (read_only) return psst_fail(diag, err, "There is no history at %s.", path);
        err = make(path, key, diag);
    }
    if (err != PSST_OK) return err;
    return read_only ? open_for_rescue(out, path, key, diag) : open_for_writing(out, path, key, diag);
}
