/* What the files of src/store share: the handle, the statement cache, and the one translation of SQLite's result codes.
 * Nobody else includes this (tests do, to look behind the curtain). */
#ifndef PSST_STORE_STORE_INTERNAL_H
#define PSST_STORE_STORE_INTERNAL_H

#include "store/store.h"

#define SQLITE_HAS_CODEC 1
#include <sqlcipher/sqlite3.h>

#define PSST_STORE_APPLICATION_ID 0x50535354 /* "PSST", in the database header */
#define PSST_STORE_RESERVE_BYTES  (32ULL * 1024 * 1024)
#define PSST_STORE_PAGE_BYTES     4096
#define PSST_STORE_PARTS_MAX      1000 /* gaps that are told apart */
#define PSST_RESCUE_LOG_MAX       1000 /* messages in one page of a log; a longer one begins at the beginning */
#define PSST_STORE_BUSY_MS        5000
#define PSST_STORE_INDEX_VERSION  6 /* the first that can be searched */
#define PSST_ERA_MESSAGES         8192
#define PSST_STORE_VALUE_MAX      (1024 * 1024) /* bytes in one value: far over anything that is stored, far under memory */
#define PSST_STORE_LIST_MAX       (128 * 1024 * 1024)

/* One place in the cache for each statement; its text stands where it is used. */
enum psst_stmt {
    STMT_BEGIN,
    STMT_COMMIT,
    STMT_ROLLBACK,
    STMT_SAVEPOINT,
    STMT_SAVEPOINT_RELEASE,
    STMT_SAVEPOINT_ROLLBACK,
    STMT_CONTACTS,
    STMT_CONTACT_INSERT,
    STMT_CONTACT_UPDATE,
    STMT_CONTACT_REMOVE,
    STMT_CONTACT_KEEPS_HISTORY,
    STMT_MESSAGE_INSERT,
    STMT_MESSAGE_DIGEST,
    STMT_MESSAGE_KNOWN,
    STMT_MESSAGE_FIND_SENT,
    STMT_MESSAGE_FIND_DELIVERED,
    STMT_MESSAGE_SETTLE,
    STMT_MESSAGE_SETTLE_ERASE,
    STMT_MESSAGES_SHOWN,
    STMT_MESSAGES_SHOWN_ERASE,
    STMT_UNREAD,
    STMT_COUNTS,
    STMT_MESSAGE_READ,
    STMT_OUTBOX,
    STMT_OUTBOX_SENT,
    STMT_OUTBOX_LAST,
    STMT_OUTBOX_FIND,
    STMT_OUTBOX_ONE,
    STMT_RECALL,
    STMT_RECALL_ERASE,
    STMT_RECEIPTS_DUE,
    STMT_RECEIPT_SENT,
    STMT_RECEIPTS_NONE,
    STMT_LOG_START,
    STMT_LOG,
    STMT_LOG_BEFORE,
    STMT_TRANSFER_FIND,
    STMT_TRANSFER_INSERT,
    STMT_TRANSFER_UPDATE,
    STMT_TRANSFERS,
    STMT_TRANSFERS_OF_CONTACT,
    STMT_TRANSFER_SAFE,
    STMT_TRANSFERS_OPEN,
    STMT_TRANSFERS_BEFORE,
    STMT_TRANSFER_BY_ID,
    STMT_TRANSFERS_WITHDRAWN,
    STMT_OWN_GET,
    STMT_OWN_PUT,
    STMT_OWN_REMOVE,
    STMT_MEETS,
    STMT_MEET_FIND,
    STMT_MEET_COUNT,
    STMT_MEET_INSERT,
    STMT_MEET_UPDATE,
    STMT_MEET_REMOVE,
    STMT_MEETS_OVER,
    STMT_VOICE_BEFORE,
    STMT_VOICE_HEARD,
    STMT_VOICE_DUE,
    STMT_TRANSFER_REMOVE,
    STMT_CALLS_BOUND,
    STMT_CALL_INSERT,
    STMT_CALL_LAST,
    STMT_CALL_ANSWERED,
    STMT_CALL_ENDED,
    STMT_CALL_ENDED_ERASE,
    STMT_CALLS_CUT_OFF,
    STMT_CALLS,
    STMT_CALLS_OF_CONTACT,
    STMT_CALLS_SEEN,
    STMT_CALLS_SEEN_ERASE,
    STMT_CALLS_FORGET,
    STMT_CALLS_TIDY,
    STMT_REMOVED_CALLS,
    STMT_LAST_SEQ,
    STMT_ERA_INSERT,
    STMT_ERA_UPDATE,
    STMT_ERA_LAST,
    STMT_ERA_NEW_ROWS,
    STMT_ERA_SOIL,
    STMT_ERA_UNCLEAN,
    STMT_ERAS_GONE,
    STMT_ERAS_CLEAN,
    STMT_INDEX_NEW,
    STMT_INDEX_DELETE,
    STMT_INDEX_OPTIMIZE,
    STMT_INDEX_SAVEPOINT,
    STMT_INDEX_RELEASE,
    STMT_INDEX_CONTACT,
    STMT_UNINDEX_CONTACT,
    STMT_SOIL_CONTACT,
    STMT_TOKENS,
    STMT_SEARCH_ERA,
    STMT_SEARCH_FIRST,
    STMT_SEARCH_LAST,
    STMT_ERAS_FIRST,
    STMT_ERAS_LAST,
    STMT_ERA_SINCE,
    STMT_ERA_UNTIL,
    STMT_ERA_BEHIND,
    STMT_RANGE_FIRST,
    STMT_RANGE_LAST,
    STMT_MESSAGE,
    STMT_TIDY_REMOVED,
    STMT_TIDY_FORGET,
    STMT_TIDY_NONE,
    STMT_TIDY_DAYS,
    STMT_TIDY_BARE,
    STMT_TIDY_ERASE,
    STMT_TIDY_REMEMBER,
    STMT_TIDY_DELETE,
    STMT_TIDY_NEXT,
    STMT_REMOVED_CONTACT,
    STMT_REMOVED_SEEN,
    STMT_REMOVED_TRANSFERS,
    STMT_REMOVED_VOICE,
    STMT_REMOVED_MEETS,
    STMT_CONTACT_DELETE,
    STMT_FORGET,
    STMT_FORGOTTEN,
    STMT_COUNT
};

/* Opened for rescue: what was counted while everything was looked at. */
struct psst_store_tally {
    int64_t contact_id;
    uint32_t waiting;
    struct psst_unread unread;
};

/* index.c: how far the index goes, and its last era. */
struct psst_store_era {
    int64_t first_seq;    /* 0: there is none yet */
    int64_t bytes, noted; /* of text; as the row of the era has it */
    int64_t from_ms, to_ms;
    bool is_new; /* its row is not written yet */
};
struct psst_store_indexed {
    int64_t seq; /* all up to this one are in the index, as far as they belong there */
    struct psst_store_era era;
};

struct psst_store {
    sqlite3 *db;
    char *path;
    int64_t version; /* of the tables; older than the newest only when opened for reading only */
    bool read_only;
    bool rescue;    /* what cannot be read is stepped over (rescue.c); no transaction */
    bool surveying; /* and noted */
    struct psst_store_part *parts;
    size_t n_parts;
    struct psst_store_tally *tallies;
    size_t n_tallies;
    bool damaged;           /* sticky: damage was met; nothing is written any more */
    bool log_unsure;        /* the write-ahead log may not be on the disk as it is read: log.c */
    bool reserve_is_free;   /* looked up once a group */
    bool erasure_noted;     /* erase.c */
    enum psst_err last;     /* what the last failing statement meant */
    enum psst_err broken;   /* SQLite gave the whole group up in its middle: what commit has to say */
    uint64_t reserve_bytes; /* PSST_STORE_RESERVE_BYTES; tests change it */
    int64_t era_messages;   /* PSST_ERA_MESSAGES; tests change it */
    struct psst_store_indexed indexed, indexed_at_begin, indexed_at_job; /* now, and what to go back to */
    sqlite3_stmt *stmts[STMT_COUNT];
    char words[192];
};

/* ---- stmt.c ---- */

/* Gives the cached statement, reset and with nothing bound. */
PSST_MUST_USE enum psst_err psst_store_stmt(struct psst_store *store, enum psst_stmt which, const char *sql,
                                            sqlite3_stmt **out);
/* Runs a statement that gives no rows, and resets it. */
PSST_MUST_USE enum psst_err psst_store_stmt_run(struct psst_store *store, sqlite3_stmt *stmt);
/* PSST_OK: a row is there. PSST_ERR_NOT_FOUND: no more rows. */
PSST_MUST_USE enum psst_err psst_store_stmt_row(struct psst_store *store, sqlite3_stmt *stmt);
/* Resets and drops what was bound. Always call it after stepping. */
void psst_store_stmt_end(sqlite3_stmt *stmt);
/* What an SQLite result code means here; keeps the words, latches damage. */
enum psst_err psst_store_result(struct psst_store *store, int rc);
/* Prepares, runs and drops one statement; rows are skipped. */
PSST_MUST_USE enum psst_err psst_store_exec(struct psst_store *store, const char *sql);

/* Binding is checked as a whole: or the results together, SQLITE_OK is 0. Views are borrowed until the statement ends. */
int psst_store_bind_blob(sqlite3_stmt *stmt, int at, struct psst_view view);
int psst_store_bind_text(sqlite3_stmt *stmt, int at, struct psst_view view);
int psst_store_bind_u64(sqlite3_stmt *stmt, int at, uint64_t v);

struct psst_view psst_store_column_view(sqlite3_stmt *stmt, int at);
uint64_t psst_store_column_u64(sqlite3_stmt *stmt, int at);
/* Exactly len bytes; false when the column holds anything else, which only a damaged file does. */
bool psst_store_column_bytes(sqlite3_stmt *stmt, int at, uint8_t *out, size_t len);
/* Notes that a row is not what we wrote. */
enum psst_err psst_store_damage(struct psst_store *store, const char *what);

/* ---- rescue.c ---- */

/* Walks everything once: fills parts and tallies. What follows is what their namesakes in store.h do. */
PSST_MUST_USE enum psst_err psst_rescue_survey(struct psst_store *store);
PSST_MUST_USE enum psst_err psst_rescue_contacts(struct psst_store *store, psst_contact_each *each, void *ctx);
PSST_MUST_USE enum psst_err psst_rescue_transfers(struct psst_store *store, int64_t contact_id,
                                                  psst_transfer_each *each, void *ctx);
PSST_MUST_USE enum psst_err psst_rescue_log(struct psst_store *store, int64_t contact_id, int64_t after, int64_t before,
                                            size_t limit, psst_message_each *each, void *ctx);
PSST_MUST_USE enum psst_err psst_rescue_counts(struct psst_store *store, psst_counts_each *each, void *ctx);

/* ---- check.c ---- */

/* Reads every page, but does not compare indices with their tables. */
PSST_MUST_USE enum psst_err psst_store_check_quickly(struct psst_store *store);

/* ---- db.c ---- */

/* A second handle on a sound store that is open already, for reading, without a look at all of it. */
PSST_MUST_USE enum psst_err psst_store_open_beside(struct psst_store **out, const char *path,
                                                   const struct psst_store_key *key, struct psst_diag *diag);

/* ---- log.c ---- */

#define PSST_STORE_PATH_MAX 4096
bool psst_store_has_log(const char *path);
/* Makes sure that what can be read of the write-ahead log is on the disk. Between transactions only. */
PSST_MUST_USE enum psst_err psst_store_log_again(struct psst_store *store);

/* ---- schema.c ---- */

/* Brings the tables from user_version to the newest. A store that a newer version wrote: PSST_ERR_USAGE. */
PSST_MUST_USE enum psst_err psst_store_migrate(struct psst_store *store, struct psst_diag *diag);
/* The step from that version to the next alone. */
PSST_MUST_USE enum psst_err psst_store_take_step(struct psst_store *store, int64_t from);
/* The SQL of that step. */
const char *psst_store_step(int64_t from);

/* ---- restored.c ---- */

/* Whether it came out of a backup and was not opened since. */
bool psst_store_is_restored(const char *path);
/* PSST_ERR_USAGE: there is something in it that we never make. */
PSST_MUST_USE enum psst_err psst_store_restored_look(struct psst_store *store, struct psst_diag *diag);
/* What waits may have been sent. From now on it is a store like others. */
PSST_MUST_USE enum psst_err psst_store_restored_settle(struct psst_store *store, struct psst_diag *diag);
PSST_MUST_USE enum psst_err psst_store_pragma_int(struct psst_store *store, const char *sql, int64_t *value);

/* ---- messages.c ---- */

#define PSST_WAITING  "0" /* the partial indices name their state in the schema: literals here, so that they are used */
#define PSST_RECEIVED "3"

/* What psst_store_messages_walk reads; an older store, open for reading only, does not know all of it. */
#define PSST_MESSAGE_COLUMNS "seq, contact_id, direction, state, reason, time_ms, stored_ms, msg_id, text"
#define PSST_SELECT_MESSAGES(store, behind)                                                                            \
    ((store)->version < 3 ? "SELECT " PSST_MESSAGE_COLUMNS ", 0 FROM messages " behind                                 \
                          : "SELECT " PSST_MESSAGE_COLUMNS ", sent_ms FROM messages " behind)

/* Steps through a statement that is bound already, and ends it. */
PSST_MUST_USE enum psst_err psst_store_messages_walk(struct psst_store *store, sqlite3_stmt *stmt,
                                                     psst_message_each *each, void *ctx);
int64_t psst_store_bounded(size_t limit);

/* ---- index.c ---- */

/* After opening: all that is there is indexed. */
PSST_MUST_USE enum psst_err psst_store_index_begin(struct psst_store *store);
/* Indexes what was stored since. At each commit; before that by whoever searches or takes anything out of the index. */
PSST_MUST_USE enum psst_err psst_store_index_new(struct psst_store *store);
/* Takes a text that is indexed (see there) out of the index, before its row changes. Its words stay in the era's piece until
 * the next cleaning. */
PSST_MUST_USE enum psst_err psst_store_unindex(struct psst_store *store, int64_t seq);
/* Writes the eras that words were taken out of anew: some 10 ms an era. */
PSST_MUST_USE enum psst_err psst_store_index_clean(struct psst_store *store);
/* One that waits for it. PSST_ERR_NOT_FOUND: none does. */
PSST_MUST_USE enum psst_err psst_store_index_unclean(struct psst_store *store, int64_t *era);
/* The contact's history is being switched: indexes, or takes out, what waits and what is unread. */
PSST_MUST_USE enum psst_err psst_store_index_contact(struct psst_store *store, int64_t contact_id, bool keeps);

/* ---- match.c ---- */

struct psst_match {
    struct psst_buf all;   /* what is looked for */
    struct psst_buf whole; /* the same without beginnings of words; empty when that says nothing */
};
/* PSST_ERR_MALFORMED: there is no letter and no digit in it. PSST_ERR_TOO_LONG. match is to be freed in any case. */
PSST_MUST_USE enum psst_err psst_match_make(struct psst_store *store, struct psst_view words, int64_t contact_id,
                                            struct psst_match *match);
void psst_match_free(struct psst_match *match);

/* ---- erase.c ---- */

/* After a text was erased: pages may hold copies of it. */
PSST_MUST_USE enum psst_err psst_store_note_erased(struct psst_store *store);
/* Before closing: all that has been begun, however long it takes. Outside any group. */
PSST_MUST_USE enum psst_err psst_store_finish_erasing(struct psst_store *store);

/* ---- calls.c ---- */

/* After opening for writing, outside any group: none runs. */
PSST_MUST_USE enum psst_err psst_store_calls_cut_off(struct psst_store *store);
/* As psst_store_forget does with messages, at once. */
PSST_MUST_USE enum psst_err psst_store_calls_forget(struct psst_store *store, int64_t contact_id, uint64_t before_ms);
/* Those that their contact keeps no longer, some at once; worked: there were any. */
PSST_MUST_USE enum psst_err psst_store_calls_tidy(struct psst_store *store, int64_t now_ms, bool *worked);

/* ---- outbox.c ---- */

/* No receipts are due to this contact any more. */
PSST_MUST_USE enum psst_err psst_store_receipts_none(struct psst_store *store, int64_t contact_id);

/* ---- contacts.c, transfers.c, messages.c: one row of the newest version; false: it is damaged ---- */

extern const char psst_store_contact_columns[], psst_store_transfer_columns[], psst_store_message_columns[];
bool psst_store_contact_read(sqlite3_stmt *stmt, struct psst_contact_row *row);
bool psst_store_transfer_read(sqlite3_stmt *stmt, struct psst_transfer_row *row);
/* Steps through a statement that is bound already, and ends it. */
enum psst_err psst_store_transfer_walk(struct psst_store *store, sqlite3_stmt *stmt, psst_transfer_each *each,
                                       void *ctx);
bool psst_store_message_read_row(sqlite3_stmt *stmt, struct psst_message_row *row);

/* ---- contacts.c ---- */

/* PSST_ERR_NOT_FOUND: no such contact. */
PSST_MUST_USE enum psst_err psst_store_keeps_history(struct psst_store *store, int64_t contact_id, bool *keeps);

#endif
