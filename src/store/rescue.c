/* Reading a damaged store, as far as it can be read.
 *
 *   row, row, row, ERROR            the walk is over: its statement is ended, so that SQLite forgets the error
 *                 ? ? ? row         probes find the next row that can be read; what lies between is a gap
 *                       row, row    from there the walk goes on
 *
 * Tables are walked by their own keys, never by an index: the table is the truth, and an index may be damaged too. No
 * transaction is open meanwhile (stmt.c leaves it out), because an error would stick to it. At the opening everything is
 * walked once, so that what is missing can be named; a store that an older version wrote is read without the columns
 * that came later. */
#include "store/store_internal.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define PROBES     65536 /* over the whole of a table that cannot be read at all */
#define STRIDE_MIN 8     /* about one page of small rows: hardly any island is stepped over */
#define SQL_MAX    1024

static const struct table {
    const char *name, *key;
} tables[] = {
    [PSST_PART_CONTACTS] = {"contacts", "id"},
    [PSST_PART_MESSAGES] = {"messages", "seq"},
    [PSST_PART_TRANSFERS] = {"transfers", "id"},
};

/* ---- one statement, of which nothing is left behind ---- */

static enum psst_err ask(struct psst_store *store, const char *sql, int64_t key, sqlite3_stmt **stmt)
{
    *stmt = NULL;
    enum psst_err err = psst_store_result(store, sqlite3_prepare_v2(store->db, sql, -1, stmt, NULL));
    if (err == PSST_OK) (void)sqlite3_bind_int64(*stmt, 1, key);
    return err;
}

/* The first row with a key of at least from that a probe can see. PSST_ERR_NOT_FOUND: no more rows. */
static enum psst_err probe(struct psst_store *store, const struct table *table, int64_t from, int64_t *key)
{
    char sql[160];
    (void)snprintf(sql, sizeof sql, "SELECT %s FROM %s NOT INDEXED WHERE %s >= ?1 ORDER BY %s LIMIT 1", table->key,
                   table->name, table->key, table->key);
    sqlite3_stmt *stmt;
    enum psst_err err = ask(store, sql, from, &stmt);
    if (err == PSST_OK) err = psst_store_stmt_row(store, stmt);
    if (err == PSST_OK) *key = sqlite3_column_int64(stmt, 0);
    (void)sqlite3_finalize(stmt);
    return err;
}

/* The highest key that was ever given. Where that cannot be read: the highest that there can be. */
static int64_t highest_key(struct psst_store *store, const struct table *table)
{
    char sql[96];
    int64_t highest = INT64_MAX;
    (void)snprintf(sql, sizeof sql, "SELECT seq FROM sqlite_sequence WHERE name = '%s'", table->name);
    enum psst_err err = psst_store_pragma_int(store, sql, &highest);
    return err == PSST_OK && highest > 0 ? highest : err == PSST_ERR_NOT_FOUND ? 0 : INT64_MAX;
}

/* ---- columns ---- */

static bool has_column(struct psst_store *store, const char *table, const char *name, size_t len)
{
    char sql[64];
    bool found = false;
    sqlite3_stmt *stmt;
    (void)snprintf(sql, sizeof sql, "PRAGMA table_info(%s)", table);
    enum psst_err err = ask(store, sql, 0, &stmt);
    while (err == PSST_OK && !found && (err = psst_store_stmt_row(store, stmt)) == PSST_OK)
        found = psst_view_equal(psst_store_column_view(stmt, 1), psst_view(name, len));
    (void)sqlite3_finalize(stmt);
    return found;
}

/* "a, b, c" with NULL in the place of what this store does not have yet. False: the table itself is not known, because
 * that part of the schema cannot be read. */
static bool select_columns(struct psst_store *store, const struct table *table, const char *columns, char sql[SQL_MAX])
{
    size_t at = (size_t)snprintf(sql, SQL_MAX, "SELECT ");
    if (!has_column(store, table->name, table->key, strlen(table->key))) return false;
    for (const char *name = columns; *name != '\0';) {
        size_t len = strcspn(name, ",");
        bool there = has_column(store, table->name, name, len);
        at += (size_t)snprintf(sql + at, SQL_MAX - at, "%s%.*s", at > 7 ? ", " : "", there ? (int)len : 4,
                               there ? name : "NULL");
        if (at >= SQL_MAX) break; /* our own fault, and no statement then */
        name += len;
        name += strspn(name, ", ");
    }
    at += (size_t)snprintf(sql + at, SQL_MAX - at, " FROM %s NOT INDEXED WHERE %s > ?1 ORDER BY %s", table->name,
                           table->key, table->key);
    return true;
}

/* ---- gaps ---- */

static void note_part(struct psst_store *store, const struct psst_store_part *part)
{
    if (!store->surveying) return;
    struct psst_store_part *last = store->n_parts > 0 ? &store->parts[store->n_parts - 1] : NULL;
    bool full = store->n_parts == PSST_STORE_PARTS_MAX; /* then a large one stands at the end */
    if (last != NULL && last->kind == part->kind && (full || last->last + 1 >= part->first))
        last->last = part->last;
    else if (!full)
        store->parts[store->n_parts++] = *part;
}

/* After the row with the key `after`, something cannot be read: until where? Gives the key to go on behind; INT64_MAX:
 * there is nothing more. */
static int64_t skip(struct psst_store *store, enum psst_store_part_kind kind, int64_t after)
{
    const struct table *table = &tables[kind];
    int64_t highest = highest_key(store, table), key = 0;
    int64_t widest = highest == INT64_MAX ? INT64_MAX / 4 : (highest - after) / PROBES;
    if (widest < STRIDE_MIN) widest = STRIDE_MIN;
    if (after == INT64_MAX) return INT64_MAX;
    enum psst_err err = probe(store, table, after + 1, &key);
    if (err == PSST_OK) { /* its key can be read, but not the whole of it */
        note_part(store, &(struct psst_store_part){.kind = kind, .first = key, .last = key});
        return key;
    }
    int64_t bad = after + 1, good = bad;
    for (int64_t stride = 1; err == PSST_ERR_DAMAGED; stride = stride < widest / 2 ? stride * 2 : widest) {
        bad = good;
        if (bad > highest || bad > INT64_MAX - stride) break;
        good = bad + stride;
        err = probe(store, table, good, &key);
    }
    if (err != PSST_OK) { /* to the end */
        if (highest > after)
            note_part(store, &(struct psst_store_part){.kind = kind, .first = after + 1, .last = highest});
        return INT64_MAX;
    }
    while (good - bad > 1) {
        int64_t middle = bad + (good - bad) / 2, at = 0;
        err = probe(store, table, middle, &at);
        if (err == PSST_OK) key = at;
        if (err == PSST_OK || err == PSST_ERR_NOT_FOUND)
            good = middle;
        else
            bad = middle;
    }
    note_part(store, &(struct psst_store_part){.kind = kind, .first = after + 1, .last = key - 1});
    return key - 1;
}

/* ---- walking ---- */

typedef enum psst_err row_each(void *ctx, sqlite3_stmt *stmt); /* PSST_ERR_DAMAGED: this row is; the walk goes on */

static enum psst_err walk(struct psst_store *store, enum psst_store_part_kind kind, const char *columns, int64_t after,
                          row_each *each, void *ctx)
{
    char sql[SQL_MAX];
    if (!select_columns(store, &tables[kind], columns, sql)) {
        note_part(store, &(struct psst_store_part){.kind = kind, .first = 1, .last = INT64_MAX});
        return PSST_OK;
    }
    while (after < INT64_MAX) {
        sqlite3_stmt *stmt;
        enum psst_err err = ask(store, sql, after, &stmt), told = PSST_OK;
        while (err == PSST_OK && told == PSST_OK && (err = psst_store_stmt_row(store, stmt)) == PSST_OK) {
            int64_t key = sqlite3_column_int64(stmt, 0);
            told = each(ctx, stmt);
            if (told != PSST_ERR_DAMAGED) {
                after = key;
                continue;
            }
            note_part(store, &(struct psst_store_part){.kind = kind, .first = key, .last = key});
            after = key;
            told = PSST_OK;
        }
        (void)sqlite3_finalize(stmt);
        if (told != PSST_OK) return told;
        if (err == PSST_ERR_NOT_FOUND) return PSST_OK;
        if (err != PSST_ERR_DAMAGED) return err;
        after = skip(store, kind, after);
    }
    return PSST_OK;
}

/* ---- rows ---- */

struct contacts {
    psst_contact_each *each;
    void *ctx;
};

static enum psst_err contact_row(void *ctx, sqlite3_stmt *stmt)
{
    const struct contacts *contacts = ctx;
    struct psst_contact_row row = {0};
    enum psst_err err = PSST_ERR_DAMAGED;
    if (psst_store_contact_read(stmt, &row)) err = contacts->each(contacts->ctx, &row);
    PSST_WIPE(row);
    return err;
}

enum psst_err psst_rescue_contacts(struct psst_store *store, psst_contact_each *each, void *ctx)
{
    struct contacts contacts = {each, ctx};
    return walk(store, PSST_PART_CONTACTS, psst_store_contact_columns, 0, contact_row, &contacts);
}

struct transfers {
    psst_transfer_each *each;
    void *ctx;
    int64_t contact_id; /* 0: all */
};

static enum psst_err transfer_row(void *ctx, sqlite3_stmt *stmt)
{
    const struct transfers *transfers = ctx;
    struct psst_transfer_row row = {0};
    if (!psst_store_transfer_read(stmt, &row)) return PSST_ERR_DAMAGED;
    bool wanted = transfers->contact_id == 0 || transfers->contact_id == row.contact_id;
    return wanted ? transfers->each(transfers->ctx, &row) : PSST_OK;
}

enum psst_err psst_rescue_transfers(struct psst_store *store, int64_t contact_id, psst_transfer_each *each, void *ctx)
{
    struct transfers transfers = {each, ctx, contact_id};
    return walk(store, PSST_PART_TRANSFERS, psst_store_transfer_columns, 0, transfer_row, &transfers);
}

struct messages {
    psst_message_each *each;
    void *ctx;
    int64_t contact_id; /* 0: all */
    int64_t before;
};

static enum psst_err message_row(void *ctx, sqlite3_stmt *stmt)
{
    const struct messages *messages = ctx;
    struct psst_message_row row = {0};
    if (!psst_store_message_read_row(stmt, &row)) return PSST_ERR_DAMAGED;
    if (row.seq >= messages->before) return PSST_ERR_FULL; /* that was all */
    bool wanted = messages->contact_id == 0 || messages->contact_id == row.contact_id;
    return wanted ? messages->each(messages->ctx, &row) : PSST_OK;
}

static enum psst_err walk_messages(struct psst_store *store, int64_t after, const struct messages *messages)
{
    struct messages copy = *messages;
    enum psst_err err = walk(store, PSST_PART_MESSAGES, psst_store_message_columns, after, message_row, &copy);
    return err == PSST_ERR_FULL ? PSST_OK : err;
}

/* The last seqs, in a ring. */
struct ring {
    int64_t seqs[PSST_RESCUE_LOG_MAX];
    size_t n, limit;
};

static enum psst_err remember(void *ctx, const struct psst_message_row *row)
{
    struct ring *ring = ctx;
    ring->seqs[ring->n++ % ring->limit] = row->seq;
    return PSST_OK;
}

enum psst_err psst_rescue_log(struct psst_store *store, int64_t contact_id, int64_t after, int64_t before, size_t limit,
                              psst_message_each *each, void *ctx)
{
    struct messages messages = {each, ctx, contact_id, before};
    if (limit > PSST_RESCUE_LOG_MAX) return walk_messages(store, after, &messages);
    if (limit == 0) return PSST_OK;
    struct ring *ring = calloc(1, sizeof *ring);
    if (ring == NULL) return PSST_ERR_MEMORY;
    ring->limit = limit;
    enum psst_err err = walk_messages(store, after, &(struct messages){remember, ring, contact_id, before});
    bool some = ring->n > 0;
    int64_t first = ring->seqs[ring->n > limit ? ring->n % limit : 0];
    free(ring);
    return err == PSST_OK && some ? walk_messages(store, first - 1, &messages) : err;
}

/* ---- what is missing ---- */

static enum psst_err pass_contact(void *ctx, const struct psst_contact_row *row)
{
    (void)ctx;
    (void)row;
    return PSST_OK;
}

static enum psst_err pass_transfer(void *ctx, const struct psst_transfer_row *row)
{
    (void)ctx;
    (void)row;
    return PSST_OK;
}

static struct psst_store_tally *tally_of(struct psst_store *store, int64_t contact_id)
{
    for (size_t i = 0; i < store->n_tallies; i++)
        if (store->tallies[i].contact_id == contact_id) return &store->tallies[i];
    struct psst_store_tally *more = realloc(store->tallies, (store->n_tallies + 1) * sizeof *more);
    if (more == NULL) return NULL;
    store->tallies = more;
    more[store->n_tallies] = (struct psst_store_tally){.contact_id = contact_id};
    return &more[store->n_tallies++];
}

struct survey {
    struct psst_store *store;
    uint64_t last_ms;
    size_t n_parts; /* whose times are known */
};

static enum psst_err count_message(void *ctx, const struct psst_message_row *row)
{
    struct survey *survey = ctx;
    struct psst_store *store = survey->store;
    /* the gaps that were found since the row before lie between the two */
    for (; survey->n_parts < store->n_parts; survey->n_parts++) {
        struct psst_store_part *part = &store->parts[survey->n_parts];
        if (part->kind != PSST_PART_MESSAGES) continue;
        part->after_ms = survey->last_ms;
        part->before_ms = row->stored_ms;
    }
    survey->last_ms = row->stored_ms;
    bool waits = row->state == PSST_MESSAGE_WAITING || row->state == PSST_MESSAGE_SENT,
         is_new = row->state == PSST_MESSAGE_RECEIVED;
    if (!waits && !is_new) return PSST_OK;
    struct psst_store_tally *tally = tally_of(store, row->contact_id);
    if (tally == NULL) return PSST_ERR_MEMORY;
    tally->waiting += waits;
    tally->unread.texts += is_new;
    if (is_new) tally->unread.bytes += row->text.len;
    return PSST_OK;
}

/* How long the file says it is, and how long it is. A write-ahead log may hold the rest. */
static void measure(struct psst_store *store)
{
    char log[4096];
    struct stat st;
    int64_t pages = 0;
    (void)snprintf(log, sizeof log, "%s-wal", store->path);
    if (stat(log, &st) == 0 && st.st_size > 0) return;
    if (stat(store->path, &st) != 0 || psst_store_pragma_int(store, "PRAGMA page_count", &pages) != PSST_OK) return;
    if (pages <= st.st_size / PSST_STORE_PAGE_BYTES) return;
    note_part(store, &(struct psst_store_part){
                         .kind = PSST_PART_CUT_SHORT, .first = st.st_size, .last = pages * PSST_STORE_PAGE_BYTES});
}

static enum psst_err survey_messages(struct psst_store *store)
{
    struct survey survey = {.store = store, .n_parts = store->n_parts};
    enum psst_err err = walk_messages(store, 0, &(struct messages){count_message, &survey, 0, INT64_MAX});
    for (; survey.n_parts < store->n_parts; survey.n_parts++)
        if (store->parts[survey.n_parts].kind == PSST_PART_MESSAGES)
            store->parts[survey.n_parts].after_ms = survey.last_ms;
    return err;
}

enum psst_err psst_rescue_survey(struct psst_store *store)
{
    store->parts = calloc(PSST_STORE_PARTS_MAX, sizeof *store->parts);
    if (store->parts == NULL) return PSST_ERR_MEMORY;
    bool some = false; /* of the tables must be known: the schema may be lost as well */
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        some |= has_column(store, tables[i].name, tables[i].key, strlen(tables[i].key));
    if (!some) return psst_store_damage(store, "nothing of it can be read");
    store->surveying = true;
    measure(store);
    enum psst_err err = psst_rescue_contacts(store, pass_contact, NULL);
    if (err == PSST_OK) err = survey_messages(store);
    if (err == PSST_OK) err = psst_rescue_transfers(store, 0, pass_transfer, NULL);
    if (err == PSST_OK && store->n_parts == 0 && psst_store_check_quickly(store) == PSST_ERR_DAMAGED)
        note_part(store, &(struct psst_store_part){.kind = PSST_PART_OTHER});
    store->surveying = false;
    return err;
}

enum psst_err psst_rescue_counts(struct psst_store *store, psst_counts_each *each, void *ctx)
{
    enum psst_err err = PSST_OK;
    for (size_t i = 0; err == PSST_OK && i < store->n_tallies; i++) {
        const struct psst_store_tally *tally = &store->tallies[i];
        const struct psst_counts_row row = {tally->contact_id, tally->waiting, tally->unread};
        err = each(ctx, &row);
    }
    return err;
}

const struct psst_store_part *psst_store_parts(const struct psst_store *store, size_t *n)
{
    *n = store->n_parts;
    return store->parts;
}

bool psst_store_is_rescue(const struct psst_store *store)
{
    return store->rescue;
}
