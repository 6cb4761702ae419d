#include "daemon/meet_internal.h"

#include "daemon/reconnect/reconnect.h"

#include <stdio.h>
#include <stdlib.h>

#define LOOK_MS 60000 /* at the latest: the clock may have been set, or the machine have slept */

/* ---- the list ---- */

struct psst_meet *psst_meet_find(const struct psst_meets *meets, int64_t contact_id, const struct psst_msg_id *meet_id)
{
    struct psst_meet *m = meets->first;
    while (m != NULL &&
           (m->row.contact_id != contact_id || memcmp(m->row.meet_id.b, meet_id->b, sizeof meet_id->b) != 0))
        m = m->next;
    return m;
}

static struct psst_meet *by_id(const struct psst_meets *meets, int64_t id)
{
    struct psst_meet *m = meets->first;
    while (m != NULL && m->row.id != id) m = m->next;
    return m;
}

struct psst_meet *psst_meet_insert(struct psst_meets *meets, const struct psst_meet_row *row)
{
    struct psst_meet *meet = calloc(1, sizeof *meet);
    if (meet == NULL) return NULL;
    meet->row = *row;
    struct psst_meet **at = &meets->first;
    while (*at != NULL && (*at)->row.time_ms <= row->time_ms) at = &(*at)->next;
    meet->next = *at;
    *at = meet;
    psst_meet_recount(meets, row->contact_id);
    return meet;
}

void psst_meet_drop(struct psst_meets *meets, struct psst_meet *meet)
{
    struct psst_meet **at = &meets->first;
    while (*at != meet) at = &(*at)->next;
    *at = meet->next;
    psst_meet_recount(meets, meet->row.contact_id);
    free(meet);
}

void psst_meets_forget(struct psst_meets *meets, struct psst_contact *contact)
{
    struct psst_meet *next;
    for (struct psst_meet *m = meets->first; m != NULL; m = next) {
        next = m->next;
        if (m->row.contact_id == contact->id) psst_meet_drop(meets, m);
    }
    free(contact->meets);
    contact->meets = NULL;
}

void psst_meet_recount(struct psst_meets *meets, int64_t contact_id)
{
    struct psst_contact *contact = psst_book_by_id(meets->d->book, contact_id);
    if (contact == NULL) return;
    contact->untold = 0;
    for (const struct psst_meet *m = meets->first; m != NULL; m = m->next)
        contact->untold += m->row.contact_id == contact_id && psst_meet_is_news(m) && !m->ever_sent;
}

/* ---- as user interfaces see it ---- */

static json_t *meet_json(const struct psst_meet *meet, const struct psst_contact *contact)
{
    static const char *const states[] = {
        [PSST_MEET_WAITING] = "waiting", [PSST_MEET_AGREED] = "agreed", [PSST_MEET_CANCELLING] = "cancelling"};
    return json_pack("{s:I, s:s, s:I, s:s, s:s, s:b}", "id", (json_int_t)meet->row.id, "contact", contact->alias,
                     "time_ms", (json_int_t)meet->row.time_ms, "direction",
                     meet->row.direction == PSST_OUT ? "out" : "in", "state", states[meet->row.state], "due",
                     meet->due);
}

json_t *psst_meets_json(const struct psst_meets *meets, const struct psst_contact *of)
{
    json_t *list = json_array();
    for (const struct psst_meet *m = meets->first; m != NULL && json_array_size(list) < PSST_MEETS_LISTED;
         m = m->next) {
        const struct psst_contact *contact = psst_book_by_id(meets->d->book, m->row.contact_id);
        if (contact == NULL || (of != NULL && of != contact)) continue;
        (void)json_array_append_new(list, meet_json(m, contact));
    }
    return list;
}

void psst_meet_tell(const struct psst_meets *meets, const struct psst_meet *meet, const char *state, const char *reason)
{
    const struct psst_contact *contact = psst_book_by_id(meets->d->book, meet->row.contact_id);
    json_t *params = contact != NULL ? meet_json(meet, contact) : NULL;
    if (params == NULL) return;
    if (state != NULL) (void)json_object_set_new(params, "state", json_string(state));
    if (reason != NULL) (void)json_object_set_new(params, "reason", json_string(reason));
    psst_daemon_event(meets->d, "meet", params);
}

/* ---- time ---- */

static void on_timer(uv_timer_t *timer)
{
    psst_meets_look(timer->data);
}

static enum psst_err over_work(struct psst_store *store, void *arg)
{
    const uint64_t *before_ms = arg;
    return psst_store_meets_over(store, *before_ms);
}

static void over_done(void *arg, enum psst_err err, const char *words)
{
    (void)err; /* the next one takes them along */
    (void)words;
    free(arg);
}

static void forget_over(struct psst_meets *meets, uint64_t now_ms)
{
    bool any = false;
    while (meets->first != NULL && meets->first->row.time_ms + PSST_MEET_AFTER_MS < now_ms) {
        psst_meet_tell(meets, meets->first, "over", NULL);
        psst_meet_drop(meets, meets->first);
        any = true;
    }
    uint64_t *before_ms = any ? malloc(sizeof *before_ms) : NULL;
    if (before_ms == NULL) return;
    *before_ms = now_ms - PSST_MEET_AFTER_MS;
    psst_store_run(meets->d->store, over_work, over_done, before_ms);
}

/* Its time has come: both sides try hard. */
static void be_there(struct psst_meets *meets, struct psst_meet *meet, struct psst_contact *contact,
                     struct psst_now now)
{
    struct psst_daemon *d = meets->d;
    if (contact->blocked || psst_presence_hides(d, contact)) return;
    uint64_t left_ms = meet->row.time_ms + PSST_MEET_AFTER_MS - now.unix_ms;
    psst_reconnect_urgent(d, contact, now.mono_ns + left_ms * 1000000);
    if (meet->due) return;
    meet->due = true;
    psst_meet_tell(meets, meet, NULL, NULL);
}

void psst_meets_look(struct psst_meets *meets)
{
    struct psst_now now = psst_daemon_now(meets->d);
    uint64_t wait_ms = LOOK_MS;
    if (uv_is_closing((uv_handle_t *)&meets->timer)) return;
    forget_over(meets, now.unix_ms);
    for (struct psst_meet *m = meets->first; m != NULL; m = m->next) {
        struct psst_contact *contact = psst_book_by_id(meets->d->book, m->row.contact_id);
        if (contact == NULL) continue;
        uint64_t send_ms = psst_meet_send(meets, m, contact) / 1000000;
        uint64_t begin_ms = m->row.time_ms - PSST_MEET_BEFORE_MS, next_ms = m->row.time_ms + PSST_MEET_AFTER_MS + 1;
        if (now.unix_ms < begin_ms)
            next_ms = begin_ms;
        else if (m->row.state != PSST_MEET_CANCELLING)
            be_there(meets, m, contact, now);
        if (next_ms - now.unix_ms < wait_ms) wait_ms = next_ms - now.unix_ms;
        if (send_ms > 0 && send_ms < wait_ms) wait_ms = send_ms;
    }
    if (meets->first != NULL)
        (void)uv_timer_start(&meets->timer, on_timer, wait_ms + 1, 0);
    else
        (void)uv_timer_stop(&meets->timer);
}

/* ---- what the user does ---- */

struct job {
    struct psst_meets *meets;
    unsigned generation;
    uint64_t now_ms;
    struct psst_meet_row row;
    psst_meet_done *done;
    void *ctx;
};

static struct job *job_new(struct psst_meets *meets, psst_meet_done *done, void *ctx)
{
    struct job *job = calloc(1, sizeof *job);
    if (job == NULL) {
        done(ctx, PSST_ERR_MEMORY, "out of memory", 0);
        return NULL;
    }
    *job = (struct job){.meets = meets,
                        .generation = meets->generation,
                        .now_ms = psst_daemon_now(meets->d).unix_ms,
                        .done = done,
                        .ctx = ctx};
    return job;
}

static enum psst_err propose_work(struct psst_store *store, void *arg)
{
    struct job *job = arg;
    enum psst_err err = psst_store_meets_over(store, job->now_ms - PSST_MEET_AFTER_MS);
    return err != PSST_OK ? err : psst_store_meet_add(store, &job->row);
}

static void propose_done(void *arg, enum psst_err err, const char *words)
{
    struct job *job = arg;
    struct psst_meets *meets = job->meets;
    struct psst_contact *contact = psst_book_by_id(meets->d->book, job->row.contact_id);
    bool lives = err == PSST_OK && job->generation == meets->generation && contact != NULL;
    struct psst_meet *meet = lives ? psst_meet_insert(meets, &job->row) : NULL;
    if (err == PSST_OK && meet == NULL) {
        err = PSST_ERR_MEMORY; /* or locked, or removed, in the same breath */
        words = "stored, but not for now: it goes when psstd is started again";
    }
    if (err == PSST_ERR_FULL) words = "there are 16 meetings with this contact already: psst meet shows them";
    job->done(job->ctx, err, words, job->row.id);
    free(job);
    if (meet == NULL) return;
    psst_meet_tell(meets, meet, NULL, NULL);
    if (contact->session == NULL) psst_reconnect_now(meets->d, contact);
    psst_meets_look(meets);
}

void psst_meet_propose(struct psst_meets *meets, struct psst_contact *contact, uint64_t time_ms, psst_meet_done *done,
                       void *ctx)
{
    uint64_t now_ms = psst_daemon_now(meets->d).unix_ms;
    if (time_ms <= now_ms || time_ms > now_ms + PSST_MEET_AHEAD_MS) {
        done(ctx, PSST_ERR_USAGE, "a meeting lies ahead, by 30 days at most", 0);
        return;
    }
    struct job *job = job_new(meets, done, ctx);
    if (job == NULL) return;
    job->row = (struct psst_meet_row){
        .contact_id = contact->id, .direction = PSST_OUT, .state = PSST_MEET_WAITING, .time_ms = time_ms};
    psst_crypto_rng.fill(psst_crypto_rng.ctx, job->row.meet_id.b, sizeof job->row.meet_id.b);
    psst_store_run(meets->d->store, propose_work, propose_done, job);
}

static enum psst_err cancel_work(struct psst_store *store, void *arg)
{
    const struct job *job = arg;
    return psst_store_meet_state(store, job->row.id, PSST_MEET_CANCELLING);
}

static void cancel_done(void *arg, enum psst_err err, const char *words)
{
    struct job *job = arg;
    struct psst_meets *meets = job->meets;
    struct psst_meet *meet = err == PSST_OK && job->generation == meets->generation ? by_id(meets, job->row.id) : NULL;
    if (meet != NULL) {
        struct psst_contact *contact = psst_book_by_id(meets->d->book, meet->row.contact_id);
        bool was_due = meet->due;
        meet->row.state = PSST_MEET_CANCELLING;
        meet->due = meet->sent = meet->ever_sent = false;
        psst_meet_recount(meets, meet->row.contact_id);
        psst_meet_tell(meets, meet, "cancelled", NULL);
        if (contact != NULL && was_due) psst_reconnect_urgent(meets->d, contact, 0);
        if (contact != NULL && contact->session == NULL) psst_reconnect_now(meets->d, contact);
        psst_meets_look(meets);
    }
    job->done(job->ctx, err, err == PSST_ERR_NOT_FOUND ? "there is no such meeting" : words, job->row.id);
    free(job);
}

void psst_meet_cancel(struct psst_meets *meets, int64_t id, psst_meet_done *done, void *ctx)
{
    struct job *job = job_new(meets, done, ctx);
    if (job == NULL) return;
    job->row.id = id;
    psst_store_run(meets->d->store, cancel_work, cancel_done, job);
}

/* ---- life ---- */

enum psst_err psst_meets_new(struct psst_meets **out, struct psst_daemon *d)
{
    struct psst_meets *meets = calloc(1, sizeof *meets);
    if (meets == NULL) return PSST_ERR_MEMORY;
    meets->d = d;
    (void)uv_timer_init(d->loop, &meets->timer); /* cannot fail */
    meets->timer.data = meets;
    *out = meets;
    return PSST_OK;
}

void psst_meets_close(struct psst_meets *meets)
{
    psst_meets_unloaded(meets);
    uv_close((uv_handle_t *)&meets->timer, NULL);
}

void psst_meets_free(struct psst_meets *meets)
{
    free(meets);
}

struct load {
    struct psst_meets *meets;
    unsigned generation;
    struct psst_meet_row *rows;
    size_t n, cap;
};

static enum psst_err load_each(void *ctx, const struct psst_meet_row *row)
{
    struct load *load = ctx;
    if (load->n == load->cap) {
        size_t cap = load->cap == 0 ? 16 : 2 * load->cap;
        struct psst_meet_row *rows = realloc(load->rows, cap * sizeof *rows);
        if (rows == NULL) return PSST_ERR_MEMORY;
        load->rows = rows;
        load->cap = cap;
    }
    load->rows[load->n++] = *row;
    return PSST_OK;
}

static enum psst_err load_work(struct psst_store *store, void *arg)
{
    return psst_store_meets(store, load_each, arg);
}

static void load_done(void *arg, enum psst_err err, const char *words)
{
    struct load *load = arg;
    struct psst_meets *meets = load->meets;
    bool lives = load->generation == meets->generation;
    if (err != PSST_OK && err != PSST_ERR_LOCKED)
        psst_log(&meets->d->log, PSST_LOG_ERROR, "meetings-not-read", "reason=\"%s\"", words);
    for (size_t i = 0; lives && i < load->n; i++) {
        const struct psst_meet *meet = psst_meet_insert(meets, &load->rows[i]);
        struct psst_contact *contact = psst_book_by_id(meets->d->book, load->rows[i].contact_id);
        if (meet != NULL && contact != NULL && psst_meet_is_news(meet)) psst_reconnect_changed(meets->d, contact);
    }
    if (lives) psst_meets_look(meets);
    free(load->rows);
    free(load);
}

void psst_meets_loaded(struct psst_meets *meets)
{
    struct load *load = calloc(1, sizeof *load);
    if (load == NULL) return;
    load->meets = meets;
    load->generation = ++meets->generation;
    psst_store_run(meets->d->store, load_work, load_done, load);
}

void psst_meets_unloaded(struct psst_meets *meets)
{
    meets->generation++;
    while (meets->first != NULL) psst_meet_drop(meets, meets->first);
    (void)uv_timer_stop(&meets->timer);
}
