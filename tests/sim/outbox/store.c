/* The store thread, one group at a time in virtual time. A group is run in one moment; its power may go in the middle, and
 * the whole side with it. Between the commit and the telling, and between two groups, time passes. */
#include "outbox.h"

#include "store/store_internal.h"

#include <stdlib.h>

#define GROUP_MAX 512

struct ob_job {
    struct ob_job *next;
    psst_store_work *work;
    psst_store_done *done;
    void *arg;
    enum psst_err err;
};

static const struct psst_store_key store_key = {.b = {7, 7, 7}};

static struct ob_job *take(struct ob_job **first, struct ob_job ***end)
{
    struct ob_job *job = *first;
    if (job == NULL) return NULL;
    *first = job->next;
    if (*first == NULL) *end = first;
    return job;
}

static void add(struct ob_job *job, struct ob_job ***end)
{
    job->next = NULL;
    **end = job;
    *end = &job->next;
}

void psst_store_run(struct psst_store_thread *t, psst_store_work *work, psst_store_done *done, void *arg)
{
    struct ob_party *p = t->p;
    if (!p->up) {
        done(arg, PSST_ERR_LOCKED, "");
        return;
    }
    struct ob_job *job = calloc(1, sizeof *job);
    OB_CHECK(p->w, job != NULL);
    *job = (struct ob_job){.work = work, .done = done, .arg = arg};
    if (t->queue == NULL) t->run_ns = ob_soon(p->w, 0, ob_chance(p->w, 10) ? 2000 : 10);
    add(job, &t->queue_end);
}

/* ---- groups ---- */

/* There is room for what others send, or not, or now and then: just where texts must not overtake each other. */
static void set_reserve(struct ob_party *p)
{
    bool full = p->trouble == OB_TROUBLE_RESERVE || (p->trouble == OB_TROUBLE_FLAKY && ob_chance(p->w, 30));
    p->store->reserve_bytes = full ? UINT64_MAX : 0;
    p->store->reserve_is_free = false;
}

static void run_group(struct ob_party *p)
{
    struct psst_store_thread *t = &p->thread;
    struct ob_job *group = NULL, **end = &group, *job;
    enum psst_err err = psst_store_begin(p->store);
    bool begun = err == PSST_OK;
    for (size_t n = 0; n < GROUP_MAX && (job = take(&t->queue, &t->queue_end)) != NULL; n++) {
        job->err = begun ? psst_store_savepoint(p->store) : PSST_OK;
        set_reserve(p);
        if (begun && job->err == PSST_OK) {
            job->err = job->work(p->store, job->arg);
            psst_store_release(p->store, job->err == PSST_OK);
        }
        add(job, &end);
    }
    if (begun) err = psst_store_commit(p->store);
    ob_trace(p->w, "%s: commit: %s %s\n", p->name, psst_err_name(err),
             err == PSST_OK ? "" : psst_store_error(p->store));
    while ((job = take(&group, &end)) != NULL) {
        if (err != PSST_OK) job->err = err;
        add(job, &t->finished_end);
    }
}

/* What the commit has made safe, asked of the store itself. */
static void note_stored(struct ob_party *p)
{
    sqlite3_stmt *stmt = NULL;
    OB_CHECK(p->w, sqlite3_prepare_v2(p->store->db, "SELECT msg_id FROM messages WHERE direction = 0 AND seq > ?1", -1,
                                      &stmt, NULL) == SQLITE_OK);
    OB_CHECK(p->w, sqlite3_bind_int64(stmt, 1, p->noted_seq) == SQLITE_OK);
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        const uint8_t *b = sqlite3_column_blob(stmt, 0);
        char id[OB_ID_SIZE];
        for (size_t i = 0; i < 16; i++) (void)snprintf(id + 2 * i, 3, "%02x", b[i]);
        struct ob_text *t = ob_text_of(p->other, id, psst_view(NULL, 0));
        OB_CHECK(p->w, t != NULL);
        t->stored_there = true;
    }
    (void)sqlite3_finalize(stmt);
    int64_t last = 0;
    OB_CHECK(p->w, psst_store_pragma_int(p->store, "SELECT coalesce(max(seq), 0) FROM messages", &last) == PSST_OK);
    p->noted_seq = last;
}

static void tell(struct ob_party *p)
{
    struct psst_store_thread *t = &p->thread;
    struct ob_job *first = t->finished, **end = t->finished_end, *job;
    t->finished = NULL;
    t->finished_end = &t->finished;
    if (first == NULL) return;
    while ((job = take(&first, &end)) != NULL) {
        job->done(job->arg, job->err, job->err == PSST_OK ? "" : psst_store_error(p->store));
        free(job);
    }
}

bool ob_store_step(struct ob_party *p)
{
    struct psst_store_thread *t = &p->thread;
    uint64_t now_ns = p->w->now.mono_ns;
    if (!p->up) return false;
    if (t->queue != NULL && t->run_ns <= now_ns) {
        bool none = t->finished == NULL;
        run_group(p);
        if (fault_disk_dead(p->disk)) {
            ob_cut(p, !p->kills);
            return true;
        }
        OB_CHECK(p->w, !p->store->damaged);
        note_stored(p);
        if (none) t->tell_ns = ob_soon(p->w, 0, ob_chance(p->w, 10) ? 1000 : 5);
        if (t->queue != NULL) t->run_ns = ob_soon(p->w, 0, 10);
        return true;
    }
    if (t->finished != NULL && t->tell_ns <= now_ns) {
        tell(p);
        return true;
    }
    return false;
}

uint64_t ob_store_next(const struct ob_party *p)
{
    const struct psst_store_thread *t = &p->thread;
    uint64_t next = OB_NEVER;
    if (p->up && t->queue != NULL) next = t->run_ns;
    if (p->up && t->finished != NULL && t->tell_ns < next) next = t->tell_ns;
    return next;
}

void ob_store_drain(struct ob_party *p)
{
    while (p->thread.queue != NULL || p->thread.finished != NULL) {
        if (p->thread.queue != NULL) run_group(p);
        OB_CHECK(p->w, !fault_disk_dead(p->disk));
        note_stored(p);
        tell(p);
    }
}

void ob_store_drop_jobs(struct ob_party *p)
{
    struct psst_store_thread *t = &p->thread;
    struct ob_job *job;
    while ((job = take(&t->finished, &t->finished_end)) != NULL || (job = take(&t->queue, &t->queue_end)) != NULL) {
        job->done(job->arg, PSST_ERR_LOCKED, "");
        free(job);
    }
}

/* ---- opening ---- */

static void add_contact(struct ob_party *p)
{
    static uint8_t spki[] = "a key";
    struct psst_contact_row row = {.keep_history = p->w->history,
                                   .receipts = p->w->receipts,
                                   .fpr = {.b = {1}},
                                   .spki = psst_view(spki, sizeof spki)};
    (void)snprintf(row.alias, sizeof row.alias, "%s", p->other->name);
    OB_CHECK(p->w, psst_store_begin(p->store) == PSST_OK);
    OB_CHECK(p->w, psst_store_contact_put(p->store, &row) == PSST_OK);
    OB_CHECK(p->w, psst_store_commit(p->store) == PSST_OK);
    p->contact_id = row.id;
}

void ob_store_open(struct ob_party *p)
{
    struct psst_diag diag = {.text = ""};
    enum psst_err err = psst_store_open(&p->store, p->path, &store_key, false, &diag);
    if (err != PSST_OK) print_error("%s: %s\n", psst_err_name(err), diag.text);
    OB_CHECK(p->w, err == PSST_OK);
    p->store->reserve_bytes = 0;
    if (p->contact_id == 0) add_contact(p);
    p->thread.p = p;
    p->thread.queue_end = &p->thread.queue;
    p->thread.finished_end = &p->thread.finished;
    ob_store_check(p);
    note_stored(p); /* a commit that was not told as good may have been */
}

/* ---- looking ---- */

bool ob_store_row(struct ob_party *p, const struct psst_msg_id *id, enum psst_direction direction, struct ob_row *row)
{
    static const char sql[] = "SELECT seq, state, sent_ms > 0 FROM messages WHERE msg_id = ?1 AND direction = ?2"
                              " AND contact_id = ?3";
    sqlite3_stmt *stmt = NULL;
    OB_CHECK(p->w, sqlite3_prepare_v2(p->store->db, sql, -1, &stmt, NULL) == SQLITE_OK);
    (void)sqlite3_bind_blob(stmt, 1, id->b, sizeof id->b, SQLITE_STATIC);
    (void)sqlite3_bind_int(stmt, 2, direction);
    (void)sqlite3_bind_int64(stmt, 3, p->contact_id);
    bool found = sqlite3_step(stmt) == SQLITE_ROW;
    if (found)
        *row = (struct ob_row){sqlite3_column_int64(stmt, 0), sqlite3_column_int(stmt, 1),
                               sqlite3_column_int(stmt, 2) != 0};
    (void)sqlite3_finalize(stmt);
    return found;
}

struct check {
    struct ob_party *p;
    bool own[OB_TEXTS], theirs[OB_TEXTS];
    size_t next_own, next_theirs; /* in the order of saying */
};

static enum psst_err check_row(void *ctx, const struct psst_message_row *row)
{
    struct check *check = ctx;
    struct ob_party *p = check->p, *speaker = row->direction == PSST_OUT ? p : p->other;
    struct ob_world *w = p->w;
    char id[OB_ID_SIZE];
    for (size_t i = 0; i < sizeof row->id.b; i++) (void)snprintf(id + 2 * i, 3, "%02x", row->id.b[i]);
    struct ob_text *t = ob_text_of(speaker, id, row->text);
    if (t == NULL) { /* stored, but nobody was told, and its text is erased */
        OB_CHECK(w, !w->history && row->direction == PSST_OUT);
        return PSST_OK;
    }
    size_t n = (size_t)(t - speaker->texts);
    bool *seen = row->direction == PSST_OUT ? check->own : check->theirs;
    size_t *next = row->direction == PSST_OUT ? &check->next_own : &check->next_theirs;
    OB_CHECK(w, !seen[n]);   /* once */
    OB_CHECK(w, n >= *next); /* in order */
    seen[n] = true;
    *next = n + 1;
    if (row->direction == PSST_IN) {
        OB_CHECK(w, t->wired && !t->recalled);
        if (w->history) OB_CHECK(w, row->text.len == t->len);
        return PSST_OK;
    }
    bool arrived = row->state == PSST_MESSAGE_DELIVERED || row->state == PSST_MESSAGE_READ;
    if (row->state == PSST_MESSAGE_RECALLED) t->recalled = true;
    OB_CHECK(w, !arrived || t->stored_there);
    OB_CHECK(w, !t->delivered || arrived);
    OB_CHECK(w, !t->recalled || (row->state == PSST_MESSAGE_RECALLED && !t->wired));
    OB_CHECK(w, row->state != PSST_MESSAGE_WAITING || !t->wired); /* what may have left is never called waiting */
    OB_CHECK(w, row->state != PSST_MESSAGE_READ || t->shown_there);
    if (w->history || row->state == PSST_MESSAGE_WAITING || row->state == PSST_MESSAGE_SENT)
        OB_CHECK(w, row->text.len == t->len);
    return PSST_OK;
}

static void check_integrity(struct ob_party *p)
{
    sqlite3_stmt *stmt = NULL;
    OB_CHECK(p->w, sqlite3_prepare_v2(p->store->db, "PRAGMA integrity_check", -1, &stmt, NULL) == SQLITE_OK);
    OB_CHECK(p->w, sqlite3_step(stmt) == SQLITE_ROW);
    OB_CHECK(p->w, strcmp((const char *)sqlite3_column_text(stmt, 0), "ok") == 0);
    (void)sqlite3_finalize(stmt);
}

void ob_store_check(struct ob_party *p)
{
    struct check check = {.p = p};
    check_integrity(p);
    OB_CHECK(p->w, psst_store_log(p->store, p->contact_id, 0, SIZE_MAX, check_row, &check) == PSST_OK);
    for (size_t i = 0; i < p->n_texts; i++) OB_CHECK(p->w, !p->texts[i].confirmed || check.own[i]);
    for (size_t i = 0; i < p->other->n_texts; i++) OB_CHECK(p->w, !p->other->texts[i].stored_there || check.theirs[i]);
}
