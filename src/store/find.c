/* Reading the history: by place, by time, by words.
 *
 *   words --match.c--> an expression for the index       since, until --eras--> a range of seqs
 *   the eras of that range, from the end that is wanted --> seqs, until there are enough --> rows, oldest first
 *
 * Times are those of storing, by this machine's clock: the sender's may say anything. Where that clock was set back, eras
 * overlap; each row's own time is looked at too, so what is found is right, and only takes longer. */
#include "store/store_internal.h"

#include <stdlib.h>

struct search {
    struct psst_store *store;
    const struct psst_find *find;
    int64_t lo, hi;             /* seqs */
    int64_t since_ms, until_ms; /* from, and up to but not including */
    size_t limit;
    struct psst_match match;
    size_t n;
    int64_t *seqs; /* limit of them; the last ones first unless find->first */
};

/* ---- times ---- */

/* An era bound; PSST_ERR_NOT_FOUND: none. */
static enum psst_err bound(struct psst_store *store, enum psst_stmt which, const char *sql, int64_t ms, int64_t *seq)
{
    sqlite3_stmt *stmt;
    enum psst_err err = psst_store_stmt(store, which, sql, &stmt);
    if (err != PSST_OK) return err;
    (void)sqlite3_bind_int64(stmt, 1, ms);
    err = psst_store_stmt_row(store, stmt);
    if (err == PSST_OK && sqlite3_column_type(stmt, 0) == SQLITE_NULL) err = PSST_ERR_NOT_FOUND;
    if (err == PSST_OK) *seq = sqlite3_column_int64(stmt, 0);
    psst_store_stmt_end(stmt);
    return err;
}

/* PSST_ERR_NOT_FOUND: nothing is of that time. */
static enum psst_err narrow(struct search *s)
{
    int64_t seq = 0;
    enum psst_err err = PSST_OK;
    if (s->store->version < PSST_STORE_INDEX_VERSION) return PSST_OK;
    if (s->since_ms > INT64_MIN) {
        err = bound(s->store, STMT_ERA_SINCE, "SELECT min(era) FROM eras WHERE to_ms >= ?1", s->since_ms, &seq);
        if (err == PSST_OK && seq > s->lo) s->lo = seq;
    }
    if (err != PSST_OK || s->until_ms == INT64_MAX) return err;
    err = bound(s->store, STMT_ERA_UNTIL, "SELECT max(era) FROM eras WHERE from_ms < ?1", s->until_ms, &seq);
    if (err != PSST_OK) return err;
    err = bound(s->store, STMT_ERA_BEHIND, "SELECT min(era) - 1 FROM eras WHERE era > ?1", seq, &seq);
    if (err == PSST_OK && seq < s->hi) s->hi = seq;
    return err == PSST_ERR_NOT_FOUND ? PSST_OK : err;
}

/* ---- seqs ---- */

/* A statement that has no place for one of these does without it. */
static void bind_range(const struct search *s, sqlite3_stmt *stmt)
{
    (void)sqlite3_bind_int64(stmt, 2, s->lo);
    (void)sqlite3_bind_int64(stmt, 3, s->hi);
    (void)sqlite3_bind_int64(stmt, 4, s->since_ms);
    (void)sqlite3_bind_int64(stmt, 5, s->until_ms);
    (void)sqlite3_bind_int64(stmt, 6, (int64_t)(s->limit - s->n));
}

static enum psst_err take_seqs(struct search *s, sqlite3_stmt *stmt)
{
    enum psst_err err = PSST_OK;
    while (s->n < s->limit && (err = psst_store_stmt_row(s->store, stmt)) == PSST_OK)
        s->seqs[s->n++] = sqlite3_column_int64(stmt, 0);
    psst_store_stmt_end(stmt);
    return err == PSST_ERR_NOT_FOUND ? PSST_OK : err;
}

#define RANGE_SQL                                                                                                      \
    "SELECT seq FROM messages WHERE contact_id = ?1 AND seq >= ?2 AND seq <= ?3 AND stored_ms >= ?4 AND stored_ms < ?5"

static enum psst_err find_in_range(struct search *s)
{
    sqlite3_stmt *stmt;
    enum psst_err err =
        s->find->first ? psst_store_stmt(s->store, STMT_RANGE_FIRST, RANGE_SQL " ORDER BY seq LIMIT ?6", &stmt)
                       : psst_store_stmt(s->store, STMT_RANGE_LAST, RANGE_SQL " ORDER BY seq DESC LIMIT ?6", &stmt);
    if (err != PSST_OK) return err;
    (void)sqlite3_bind_int64(stmt, 1, s->find->contact_id);
    bind_range(s, stmt);
    return take_seqs(s, stmt);
}

#define MATCH_SQL                                                                                                      \
    "SELECT s.docid FROM search s CROSS JOIN messages m ON m.seq = s.docid WHERE s.text MATCH ?1 AND s.era = ?7"       \
    " AND s.docid >= ?2 AND s.docid <= ?3 AND m.stored_ms >= ?4 AND m.stored_ms < ?5"

/* Beginnings of words cost by how many words have them: whether the whole words are there at all is looked at first. */
static enum psst_err era_has_words(struct search *s, int64_t era)
{
    sqlite3_stmt *stmt;
    if (s->match.whole.len == 0) return PSST_OK;
    enum psst_err err = psst_store_stmt(s->store, STMT_SEARCH_ERA,
                                        "SELECT 1 FROM search WHERE text MATCH ?1 AND era = ?2 LIMIT 1", &stmt);
    if (err != PSST_OK) return err;
    int rc = psst_store_bind_text(stmt, 1, psst_buf_view(&s->match.whole));
    rc |= sqlite3_bind_int64(stmt, 2, era);
    err = rc == SQLITE_OK ? psst_store_stmt_row(s->store, stmt) : PSST_ERR_MEMORY;
    psst_store_stmt_end(stmt);
    return err;
}

static enum psst_err find_in_era(struct search *s, int64_t era)
{
    sqlite3_stmt *stmt;
    enum psst_err err = era_has_words(s, era);
    if (err != PSST_OK) return err == PSST_ERR_NOT_FOUND ? PSST_OK : err;
    err = s->find->first
              ? psst_store_stmt(s->store, STMT_SEARCH_FIRST, MATCH_SQL " ORDER BY s.docid LIMIT ?6", &stmt)
              : psst_store_stmt(s->store, STMT_SEARCH_LAST, MATCH_SQL " ORDER BY s.docid DESC LIMIT ?6", &stmt);
    if (err != PSST_OK) return err;
    bind_range(s, stmt);
    int rc = psst_store_bind_text(stmt, 1, psst_buf_view(&s->match.all));
    rc |= sqlite3_bind_int64(stmt, 7, era);
    if (rc == SQLITE_OK) return take_seqs(s, stmt);
    psst_store_stmt_end(stmt);
    return PSST_ERR_MEMORY;
}

#define ERAS_SQL                                                                                                       \
    "SELECT era FROM eras WHERE era >= coalesce((SELECT max(era) FROM eras WHERE era <= ?2), 0) AND era <= ?3"         \
    " AND to_ms >= ?4 AND from_ms < ?5 ORDER BY era"

static enum psst_err find_words(struct search *s)
{
    sqlite3_stmt *eras;
    enum psst_err err = s->find->first ? psst_store_stmt(s->store, STMT_ERAS_FIRST, ERAS_SQL, &eras)
                                       : psst_store_stmt(s->store, STMT_ERAS_LAST, ERAS_SQL " DESC", &eras);
    if (err != PSST_OK) return err;
    bind_range(s, eras);
    while (s->n < s->limit && (err = psst_store_stmt_row(s->store, eras)) == PSST_OK) {
        err = find_in_era(s, sqlite3_column_int64(eras, 0));
        if (err != PSST_OK) break;
    }
    psst_store_stmt_end(eras);
    return err == PSST_ERR_NOT_FOUND ? PSST_OK : err;
}

/* ---- rows ---- */

static enum psst_err give_rows(struct search *s, psst_message_each *each, void *ctx)
{
    enum psst_err err = PSST_OK;
    for (size_t i = 0; err == PSST_OK && i < s->n; i++) {
        sqlite3_stmt *stmt;
        err = psst_store_stmt(s->store, STMT_MESSAGE, PSST_SELECT_MESSAGES(s->store, "WHERE seq = ?1"), &stmt);
        if (err != PSST_OK) break;
        (void)sqlite3_bind_int64(stmt, 1, s->seqs[s->find->first ? i : s->n - 1 - i]);
        err = psst_store_messages_walk(s->store, stmt, each, ctx);
    }
    return err;
}

/* ---- a damaged store: no index, and rows only from their beginning ---- */

struct rescued {
    const struct search *s;
    size_t total, skip;
    psst_message_each *each; /* NULL: they are counted */
    void *ctx;
};

static enum psst_err rescue_each(void *ctx, const struct psst_message_row *row)
{
    struct rescued *rescued = ctx;
    const struct search *s = rescued->s;
    int64_t stored_ms = (int64_t)row->stored_ms;
    if (stored_ms < s->since_ms || stored_ms >= s->until_ms) return PSST_OK;
    rescued->total++;
    if (rescued->each == NULL || rescued->total <= rescued->skip) return PSST_OK;
    if (rescued->total - rescued->skip > s->limit) return PSST_ERR_AGAIN;
    return rescued->each(rescued->ctx, row);
}

static enum psst_err find_in_rescue(const struct search *s, psst_message_each *each, void *ctx)
{
    const struct psst_find *find = s->find;
    int64_t before = s->hi < INT64_MAX ? s->hi + 1 : INT64_MAX;
    struct rescued rescued = {.s = s};
    if (find->words.len > 0) return PSST_ERR_USAGE;
    enum psst_err err = PSST_OK;
    if (!find->first)
        err = psst_rescue_log(s->store, find->contact_id, find->after_seq, before, SIZE_MAX, rescue_each, &rescued);
    rescued = (struct rescued){
        .s = s, .skip = rescued.total > s->limit ? rescued.total - s->limit : 0, .each = each, .ctx = ctx};
    if (err == PSST_OK)
        err = psst_rescue_log(s->store, find->contact_id, find->after_seq, before, SIZE_MAX, rescue_each, &rescued);
    return err == PSST_ERR_AGAIN && rescued.total - rescued.skip > s->limit ? PSST_OK : err;
}

/* ---- all of it ---- */

static int64_t signed_ms(uint64_t ms)
{
    return ms > INT64_MAX ? INT64_MAX : (int64_t)ms;
}

static enum psst_err find_seqs(struct search *s)
{
    enum psst_err err = narrow(s);
    if (err == PSST_ERR_NOT_FOUND) return PSST_OK;
    if (err != PSST_OK || s->find->words.len == 0) return err == PSST_OK ? find_in_range(s) : err;
    return find_words(s);
}

enum psst_err psst_store_find(struct psst_store *store, const struct psst_find *find, psst_message_each *each,
                              void *ctx)
{
    bool words = find->words.len > 0;
    if (!words && find->contact_id == 0) return PSST_ERR_USAGE;
    if (find->limit == 0 || find->before_seq == 1) return PSST_OK;
    struct search s = {.store = store,
                       .find = find,
                       .lo = find->after_seq < INT64_MAX ? find->after_seq + 1 : INT64_MAX,
                       .hi = find->before_seq > 0 ? find->before_seq - 1 : INT64_MAX,
                       .since_ms = find->since_ms > 0 ? signed_ms(find->since_ms) : INT64_MIN,
                       .until_ms = find->until_ms > 0 ? signed_ms(find->until_ms) : INT64_MAX,
                       .limit = find->limit < PSST_FIND_MAX ? find->limit : PSST_FIND_MAX};
    if (store->rescue) return find_in_rescue(&s, each, ctx);
    if (words && store->version < PSST_STORE_INDEX_VERSION) return PSST_ERR_USAGE;
    enum psst_err err = psst_store_index_new(store);
    if (err == PSST_OK && words) err = psst_match_make(store, find->words, find->contact_id, &s.match);
    if (err == PSST_OK) s.seqs = calloc(s.limit, sizeof *s.seqs);
    if (err == PSST_OK && s.seqs == NULL) err = PSST_ERR_MEMORY;
    if (err == PSST_OK) err = find_seqs(&s);
    if (err == PSST_OK) err = give_rows(&s, each, ctx);
    free(s.seqs);
    psst_match_free(&s.match);
    return err;
}
