#include "daemon/retention.h"

#include "daemon/transfers/transfers.h"

#include <stdlib.h>
#include <time.h>

#define SOON_MS    30000
#define AGAIN_MS   600000 /* after a failure: the disk is full, say */
#define HOUR_MS    3600000
#define DAY_MS     86400000ULL
#define JUMP_MS    (32 * DAY_MS) /* psstd may not have run for that long; or the clock is wrong */
#define LONGEST_MS (7 * DAY_MS)  /* of one timer: what a clock says a year ahead need not be so */
#define CLOCK      "clock"       /* among one's own values: the time at the last round, 8 bytes */

struct waiter {
    struct waiter *next;
    psst_retention_done *done;
    void *ctx;
};

struct psst_retention {
    struct psst_daemon *d;
    uv_timer_t timer;
    bool open;
    bool working;         /* a round is under way */
    bool again;           /* another one is wanted behind it */
    bool night;           /* this round came by itself: there is time to write the file anew */
    uint64_t doubt_ns;    /* until then nothing is erased by its age: the clock jumped ahead */
    uint32_t generation;  /* of the open store: what an older job brings is nothing */
    struct waiter *now;   /* for this round */
    struct waiter *later; /* for the next */
};

enum psst_err psst_retention_new(struct psst_retention **out, struct psst_daemon *d)
{
    struct psst_retention *r = calloc(1, sizeof *r);
    if (r == NULL) return PSST_ERR_MEMORY;
    r->d = d;
    (void)uv_timer_init(d->loop, &r->timer); /* cannot fail */
    r->timer.data = r;
    *out = r;
    return PSST_OK;
}

static void tell(struct waiter **list, enum psst_err err, const char *words)
{
    while (*list != NULL) {
        struct waiter *waiter = *list;
        *list = waiter->next;
        waiter->done(waiter->ctx, err, words);
        free(waiter);
    }
}

void psst_retention_free(struct psst_retention *r)
{
    free(r);
}

/* ---- the timer ---- */

static void begin(struct psst_retention *r);

static void on_timer(uv_timer_t *timer)
{
    struct psst_retention *r = timer->data;
    time_t now = (time_t)(psst_daemon_now(r->d).unix_ms / 1000);
    struct tm tm;
    r->night = localtime_r(&now, &tm) != NULL && tm.tm_hour == 0;
    begin(r);
}

/* The earlier one holds. */
static void wake_in(struct psst_retention *r, uint64_t ms)
{
    if (!r->open || uv_is_closing((uv_handle_t *)&r->timer)) return;
    if (ms > LONGEST_MS) ms = LONGEST_MS;
    bool set = uv_is_active((uv_handle_t *)&r->timer) != 0;
    if (set && uv_timer_get_due_in(&r->timer) <= ms) return;
    (void)uv_timer_start(&r->timer, on_timer, ms, 0);
}

/* From then until a few minutes past the next midnight, when nobody is disturbed and once a day is enough. */
static uint64_t until_night(uint64_t now_ms, uint64_t due_ms)
{
    if (due_ms > now_ms + LONGEST_MS) return LONGEST_MS;
    time_t at = (time_t)((due_ms > now_ms ? due_ms : now_ms) / 1000);
    struct tm tm;
    if (localtime_r(&at, &tm) == NULL) return DAY_MS;
    bool past = tm.tm_hour > 0 || tm.tm_min >= 5;
    tm.tm_mday += past;
    tm.tm_hour = tm.tm_sec = 0;
    tm.tm_min = 5;
    tm.tm_isdst = -1;
    time_t night = mktime(&tm);
    return night == (time_t)-1 || (uint64_t)night * 1000 <= now_ms ? DAY_MS : (uint64_t)night * 1000 - now_ms;
}

/* ---- a round ---- */

struct step {
    struct psst_retention *r;
    uint32_t generation;
    uint64_t now_ms;
    bool doubted, jumped, all, left;
    struct psst_tidied tidied;
    int64_t robbed; /* the contact whose messages the last steps have taken, and of whom nobody was told yet; 0: none */
    char voice_dir[PSST_PATH_MAX];
    int64_t erased[PSST_VOICE_DUE_MAX]; /* voice messages */
    size_t n_erased;
};

/* A clock that is years ahead must not erase at once what is kept for some days: until it has stayed there for an hour, or
 * psstd is started again, nothing is erased by its age. */
static enum psst_err look_at_clock(struct psst_store *store, struct step *step)
{
    uint8_t bytes[8];
    size_t len = 0;
    enum psst_err err = psst_store_own_get(store, CLOCK, bytes, sizeof bytes, &len);
    if (err != PSST_OK && err != PSST_ERR_NOT_FOUND) return err;
    uint64_t last_ms = err == PSST_OK && len == sizeof bytes ? psst_load_u64(bytes) : step->now_ms;
    step->doubted = step->jumped = step->now_ms > last_ms + JUMP_MS;
    bool is_old = step->now_ms > last_ms + HOUR_MS || step->now_ms < last_ms;
    if (err == PSST_OK && !is_old) return PSST_OK;
    psst_store_u64(bytes, step->now_ms);
    return psst_store_own_put(store, CLOCK, psst_view(bytes, sizeof bytes));
}

static enum psst_err tidy_work(struct psst_store *store, void *arg)
{
    struct step *step = arg;
    enum psst_err err = step->doubted ? PSST_OK : look_at_clock(store, step);
    uint64_t now_ms = step->doubted ? 0 : step->now_ms;
    if (err == PSST_OK) err = psst_transfers_voice_sweep(store, step->voice_dir, now_ms, step->erased, &step->n_erased);
    if (err != PSST_OK) return err;
    step->tidied = (struct psst_tidied){.more = true};
    return step->n_erased == 0 ? psst_store_tidy(store, now_ms, &step->tidied) : PSST_OK;
}

static enum psst_err scrub_work(struct psst_store *store, void *arg)
{
    struct step *step = arg;
    return psst_store_scrub(store, step->all, &step->left);
}

static void next_step(struct step *step);

/* Whoever shows messages of his asks for them anew: once for all of his that are erased in a row. */
static void tell_robbed(struct step *step, int64_t next)
{
    struct psst_daemon *d = step->r->d;
    const struct psst_contact *contact = step->robbed != 0 ? psst_book_by_id(d->book, step->robbed) : NULL;
    step->robbed = next;
    if (contact != NULL) psst_daemon_event(d, "contact.forgotten", json_pack("{s:s}", "contact", contact->alias));
}

static void end_round(struct step *step, enum psst_err err, const char *words)
{
    struct psst_retention *r = step->r;
    uint64_t now_ms = psst_daemon_now(r->d).unix_ms;
    tell_robbed(step, 0);
    if (err != PSST_OK) wake_in(r, AGAIN_MS);
    if (err == PSST_OK && step->doubted) wake_in(r, HOUR_MS + SOON_MS);
    if (err == PSST_OK && step->left) wake_in(r, until_night(now_ms, now_ms));
    if (err == PSST_OK && step->tidied.next_ms != UINT64_MAX) wake_in(r, until_night(now_ms, step->tidied.next_ms));
    if (step->jumped) {
        psst_log(&r->d->log, PSST_LOG_WARNING, "clock-jumped", "%s", "nothing is erased by its age for an hour");
        r->doubt_ns = psst_daemon_now(r->d).mono_ns + HOUR_MS * (uint64_t)1000000;
    }
    free(step);
    r->working = r->night = false;
    struct waiter *told = r->now;
    r->now = NULL;
    tell(&told, err, words);
    if (r->again) begin(r);
}

static void scrub_done(void *arg, enum psst_err err, const char *words)
{
    struct step *step = arg;
    struct psst_retention *r = step->r;
    if (step->generation != r->generation) {
        free(step);
        return;
    }
    /* the texts are erased all the same; copies of them will be */
    if (err == PSST_ERR_AGAIN)
        wake_in(r, SOON_MS);
    else if (err != PSST_OK)
        psst_log(&r->d->log, PSST_LOG_WARNING, "not-scrubbed", "reason=\"%s\"", words);
    if (err != PSST_OK) step->left = true;
    end_round(step, PSST_OK, "");
}

static void tidy_done(void *arg, enum psst_err err, const char *words)
{
    struct step *step = arg;
    struct psst_retention *r = step->r;
    if (step->generation != r->generation) {
        free(step);
        return;
    }
    if (err != PSST_OK) {
        if (err != PSST_ERR_LOCKED) psst_log(&r->d->log, PSST_LOG_WARNING, "not-erased", "reason=\"%s\"", words);
        end_round(step, err, words);
        return;
    }
    for (size_t i = 0; i < step->n_erased; i++) psst_transfers_erased(r->d->transfers, step->erased[i]);
    int64_t robbed = step->tidied.contact_id; /* steps that clean an index in between take nobody's */
    if (robbed != 0 && robbed != step->robbed) tell_robbed(step, robbed);
    if (!step->tidied.more) tell_robbed(step, 0);
    if (step->tidied.more)
        next_step(step);
    else
        psst_store_run_alone(r->d->store, scrub_work, scrub_done, step);
}

static void next_step(struct step *step)
{
    psst_store_run(step->r->d->store, tidy_work, tidy_done, step);
}

static void begin(struct psst_retention *r)
{
    r->again = r->working;
    if (r->working || !r->open) return;
    struct step *step = calloc(1, sizeof *step);
    if (step == NULL) {
        wake_in(r, AGAIN_MS);
        tell(&r->later, PSST_ERR_MEMORY, "out of memory");
        return;
    }
    const struct psst_now now = psst_daemon_now(r->d);
    (void)uv_timer_stop(&r->timer);
    r->working = true;
    r->now = r->later;
    r->later = NULL;
    *step = (struct step){.r = r,
                          .generation = r->generation,
                          .now_ms = now.unix_ms,
                          .doubted = now.mono_ns < r->doubt_ns,
                          .all = r->night};
    struct psst_diag diag; /* what is too long has no files */
    if (psst_transfers_voice_dir(r->d, step->voice_dir, false, &diag) != PSST_OK) step->voice_dir[0] = '\0';
    next_step(step);
}

/* ---- for the others ---- */

void psst_retention_loaded(struct psst_retention *r)
{
    r->open = true;
    r->generation++;
    begin(r);
}

void psst_retention_unloaded(struct psst_retention *r)
{
    r->open = r->working = r->again = r->night = false;
    r->generation++;
    if (!uv_is_closing((uv_handle_t *)&r->timer)) (void)uv_timer_stop(&r->timer);
    tell(&r->now, PSST_ERR_LOCKED, "locked meanwhile: what is left is erased on the way");
    tell(&r->later, PSST_ERR_LOCKED, "locked meanwhile: what is left is erased on the way");
}

void psst_retention_close(struct psst_retention *r)
{
    psst_retention_unloaded(r);
    if (!uv_is_closing((uv_handle_t *)&r->timer)) uv_close((uv_handle_t *)&r->timer, NULL);
}

void psst_retention_run(struct psst_retention *r, psst_retention_done *done, void *ctx)
{
    struct waiter *waiter = r->open ? calloc(1, sizeof *waiter) : NULL;
    if (waiter == NULL) {
        done(ctx, r->open ? PSST_ERR_MEMORY : PSST_ERR_LOCKED, r->open ? "out of memory" : "locked");
        return;
    }
    *waiter = (struct waiter){.next = r->later, .done = done, .ctx = ctx};
    r->later = waiter;
    begin(r);
}

void psst_retention_soon(struct psst_retention *r)
{
    wake_in(r, SOON_MS);
}

void psst_retention_look(struct psst_retention *r)
{
    begin(r);
}
