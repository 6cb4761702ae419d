/* What our user decides about a transfer. Each is answered once it is in the store. */
#include "daemon/transfers/internal.h"
#include "daemon/transfers/transfers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct decision {
    psst_transfer_done *done;
    void *ctx;
    int64_t id;
    uint32_t flag; /* that is taken back when it cannot be kept */
    bool was_set;
};

/* NULL: out of memory, said. */
static struct decision *decision_new(int64_t id, psst_transfer_done *done, void *ctx)
{
    struct decision *decision = calloc(1, sizeof *decision);
    if (decision == NULL)
        done(ctx, PSST_ERR_MEMORY, "out of memory", id);
    else
        *decision = (struct decision){.done = done, .ctx = ctx, .id = id};
    return decision;
}

static void answer(struct decision *decision, enum psst_err err, const char *words)
{
    decision->done(decision->ctx, err, words, decision->id);
    free(decision);
}

/* The one that is meant, and not over; NULL: said. */
static struct psst_transfer *undecided(struct psst_transfers *transfers, int64_t id, psst_transfer_done *done,
                                       void *ctx)
{
    struct psst_transfer *t = psst_transfer_by_id(transfers, id);
    char words[120];
    if (t != NULL && !psst_transfer_is_over(t)) return t;
    if (t == NULL)
        (void)snprintf(words, sizeof words, "there is no file %lld under way: psst files shows them", (long long)id);
    else
        (void)snprintf(words, sizeof words, "file %lld is %s already", (long long)id, psst_transfer_state_name(t));
    done(ctx, PSST_ERR_USAGE, words, id);
    return NULL;
}

/* ---- accept ---- */

static void accepted(struct psst_transfer *t, enum psst_err err, const char *words, void *ctx)
{
    struct decision *decision = ctx;
    if (t != NULL && err != PSST_OK && t->state == PSST_TRANSFER_ACCEPTED) {
        t->state = PSST_TRANSFER_WAITING;
        t->flags &= ~(uint32_t)PSST_TRANSFER_NAMED;
        t->path[0] = '\0';
        psst_transfer_close_stream(t);
    }
    if (t != NULL && err == PSST_OK && t->state == PSST_TRANSFER_ACCEPTED) {
        struct psst_contact *contact = psst_transfer_contact(t);
        if (contact != NULL && contact->session == NULL) psst_peers_dial_quietly(t->all->d->peers, contact);
        psst_transfer_in_start(t);
        psst_transfer_event(t);
    }
    answer(decision, err, words);
}

/* Looked at now, so that the user hears of it at once; looked at again, and then for good, when the file is made. */
static enum psst_err check_folder(struct psst_daemon *d, const char *dir, struct psst_diag *diag)
{
    struct stat st;
    if (strcmp(dir, psst_settings_get(d->settings, "download_dir")) == 0 && stat(dir, &st) != 0) {
        enum psst_err err = psst_paths_make_dir(dir, false, diag);
        if (err != PSST_OK) return err;
    }
    if (stat(dir, &st) != 0) return psst_fail(diag, PSST_ERR_NOT_FOUND, "%.160s: %s", dir, strerror(errno));
    if (!S_ISDIR(st.st_mode)) return psst_fail(diag, PSST_ERR_USAGE, "%.160s is not a folder", dir);
    if (access(dir, W_OK | X_OK) != 0)
        return psst_fail(diag, PSST_ERR_PERMISSION, "%.160s cannot be written to: %s", dir, strerror(errno));
    return PSST_OK;
}

/* A name that our user wants: it is to be a new one. */
static enum psst_err check_name(const char *dir, const char *name, struct psst_diag *diag)
{
    struct stat st;
    char path[PSST_PATH_MAX];
    size_t len = strlen(name);
    if (len == 0 || len > PSST_SAFE_NAME_MAX || strchr(name, '/') != NULL || strcmp(name, ".") == 0 ||
        strcmp(name, "..") == 0)
        return psst_fail(diag, PSST_ERR_USAGE, "\"%.80s\" cannot be the name of a file", name);
    int n = snprintf(path, sizeof path, "%s/%s", dir, name);
    if (n < 0 || (size_t)n >= sizeof path) return psst_fail(diag, PSST_ERR_USAGE, "that path is too long");
    if (lstat(path, &st) == 0)
        return psst_fail(diag, PSST_ERR_EXISTS, "%.160s is there already, and nothing is ever overwritten", path);
    return PSST_OK;
}

/* The one that the user may accept now; NULL: diag says why not. */
static struct psst_transfer *acceptable(struct psst_transfers *transfers, int64_t id, struct psst_diag *diag)
{
    struct psst_transfer *t = psst_transfer_by_id(transfers, id);
    enum psst_err err = PSST_OK;
    if (t == NULL)
        err = psst_fail(diag, PSST_ERR_USAGE, "there is no file %lld to accept: psst files shows them", (long long)id);
    else if (t->direction == PSST_OUT)
        err = psst_fail(diag, PSST_ERR_USAGE, "file %lld goes out: only the other side can accept it", (long long)id);
    else if (t->state != PSST_TRANSFER_WAITING)
        err = psst_fail(diag, PSST_ERR_USAGE, "file %lld has been decided on already: it is %s", (long long)id,
                        psst_transfer_state_name(t));
    return err == PSST_OK ? t : NULL;
}

static enum psst_err check_place(const struct psst_transfer *t, const struct psst_accept *accept,
                                 struct psst_diag *diag)
{
    if (accept->fd >= 0)
        return t->form == PSST_FILE_FORM_STREAM
                   ? PSST_OK
                   : psst_fail(diag, PSST_ERR_USAGE, "file %lld is no stream: give a name or a folder for it",
                               (long long)t->id);
    enum psst_err err = check_folder(t->all->d, accept->dir, diag);
    return err == PSST_OK && accept->name != NULL ? check_name(accept->dir, accept->name, diag) : err;
}

/* False: out of memory. */
static bool take_place(struct psst_transfer *t, const struct psst_accept *accept)
{
    char *path = strdup(accept->fd >= 0 ? "-" : accept->dir);
    char *name = accept->name != NULL && accept->fd < 0 ? strdup(accept->name) : NULL;
    if (path == NULL || (accept->name != NULL && accept->fd < 0 && name == NULL)) {
        free(path);
        free(name);
        return false;
    }
    free(t->path);
    t->path = path;
    if (name != NULL) {
        free(t->name);
        t->name = name;
        t->flags |= PSST_TRANSFER_NAMED;
    }
    t->fd = accept->fd;
    t->client = accept->fd >= 0 ? accept->client : 0;
    return true;
}

void psst_transfers_accept(struct psst_transfers *transfers, int64_t id, const struct psst_accept *accept,
                           psst_transfer_done *done, void *ctx)
{
    struct psst_diag diag = {{0}};
    struct decision *decision = NULL;
    struct psst_transfer *t = acceptable(transfers, id, &diag);
    enum psst_err err = t != NULL ? check_place(t, accept, &diag) : PSST_ERR_USAGE;
    if (err == PSST_OK) {
        decision = malloc(sizeof *decision);
        if (decision == NULL || !take_place(t, accept)) err = PSST_ERR_MEMORY;
    }
    if (err != PSST_OK) {
        if (accept->fd >= 0) (void)close(accept->fd);
        free(decision);
        done(ctx, err, err == PSST_ERR_MEMORY ? "out of memory" : diag.text, id);
        return;
    }
    *decision = (struct decision){.done = done, .ctx = ctx, .id = id};
    t->state = PSST_TRANSFER_ACCEPTED;
    psst_transfer_keep(t, accepted, decision);
}

/* ---- cancel ---- */

static void ended(struct psst_transfer *t, enum psst_err err, const char *words, void *ctx)
{
    (void)t;
    answer(ctx, err, words);
}

void psst_transfers_cancel(struct psst_transfers *transfers, int64_t id, psst_transfer_done *done, void *ctx)
{
    struct psst_transfer *t = undecided(transfers, id, done, ctx);
    if (t == NULL) return;
    bool in = t->direction == PSST_IN;
    if (in && (t->stage == PSST_STAGE_FINISHING || t->stage == PSST_STAGE_SETTLING || t->whole)) {
        done(ctx, PSST_ERR_USAGE, "all of it has come already: it is being checked", id);
        return;
    }
    struct decision *decision = decision_new(id, done, ctx);
    if (decision == NULL) return;
    const struct psst_contact *contact = psst_transfer_contact(t);
    bool offered = in && t->state == PSST_TRANSFER_WAITING;
    if (!in && (contact == NULL || contact->session == NULL)) t->flags |= PSST_TRANSFER_UNTOLD;
    psst_transfer_say_kind(t, offered ? PSST_FILE_DECLINE : PSST_FILE_CANCEL, PSST_FILE_BY_USER);
    psst_transfer_end_then(t, offered ? PSST_TRANSFER_DECLINED : PSST_TRANSFER_FAILED,
                           PSST_FILE_BY_USER | PSST_TRANSFER_OURS, NULL, ended, decision);
}

/* ---- pause, resume ---- */

/* Our user has paused it: this run is over, and the other side hears of it. */
static void halt(struct psst_transfer *t)
{
    struct psst_contact *contact = psst_transfer_contact(t);
    uint64_t serial = t->serial;
    bool ran = t->direction == PSST_IN && t->stage == PSST_STAGE_RUNNING;
    if (t->direction == PSST_OUT)
        psst_transfer_out_stop(t);
    else if (t->stage != PSST_STAGE_DRAINING)
        psst_transfer_in_stop(t, true);
    if (t->state == PSST_TRANSFER_ACCEPTED) psst_transfer_say_kind(t, PSST_FILE_PAUSE, PSST_FILE_PAUSE_BY_USER);
    if (ran) { /* what is on its way is not of the next run */
        t->stage = PSST_STAGE_DRAINING;
        t->serial = serial;
    }
    psst_transfer_event(t);
    if (t->direction == PSST_OUT && contact != NULL) psst_transfer_out_next(t->all, contact);
    if (t->direction == PSST_IN) psst_transfer_in_next(t->all);
}

static void go_on(struct psst_transfer *t)
{
    struct psst_contact *contact = psst_transfer_contact(t);
    if (contact == NULL) return;
    if (contact->session == NULL)
        psst_peers_dial_quietly(t->all->d->peers, contact);
    else if (t->direction == PSST_OUT)
        psst_transfer_offer(t);
    else
        psst_transfer_in_start(t); /* while it drains: when it has */
    psst_transfer_event(t);
}

static void flag_kept(struct psst_transfer *t, enum psst_err err, const char *words, void *ctx)
{
    struct decision *decision = ctx;
    if (t != NULL && err != PSST_OK) {
        t->flags &= ~decision->flag;
        if (decision->was_set) t->flags |= decision->flag;
    }
    if (t != NULL && err == PSST_OK && !psst_transfer_is_over(t)) {
        if ((t->flags & PSST_TRANSFER_PAUSED) != 0)
            halt(t);
        else
            go_on(t);
    }
    answer(decision, err, words);
}

static void set_paused(struct psst_transfer *t, bool paused, psst_transfer_done *done, void *ctx)
{
    struct decision *decision = decision_new(t->id, done, ctx);
    if (decision == NULL) return;
    decision->flag = PSST_TRANSFER_PAUSED;
    decision->was_set = (t->flags & PSST_TRANSFER_PAUSED) != 0;
    if (paused)
        t->flags |= PSST_TRANSFER_PAUSED;
    else
        t->flags &= ~(uint32_t)PSST_TRANSFER_PAUSED;
    psst_transfer_keep(t, flag_kept, decision);
}

void psst_transfers_pause(struct psst_transfers *transfers, int64_t id, psst_transfer_done *done, void *ctx)
{
    struct psst_transfer *t = undecided(transfers, id, done, ctx);
    const char *why_not = NULL;
    if (t == NULL) return;
    if (t->form == PSST_FILE_FORM_STREAM)
        why_not = "a stream cannot be paused, only cancelled";
    else if (t->direction == PSST_IN && t->state == PSST_TRANSFER_WAITING)
        why_not = "nobody has accepted it yet: psst accept, or psst decline";
    else if (t->whole || t->stage == PSST_STAGE_FINISHING || t->stage == PSST_STAGE_SETTLING)
        why_not = "all of it has gone over already: it is being checked";
    if (why_not != NULL)
        done(ctx, PSST_ERR_USAGE, why_not, id);
    else
        set_paused(t, true, done, ctx);
}

void psst_transfers_resume(struct psst_transfers *transfers, int64_t id, psst_transfer_done *done, void *ctx)
{
    struct psst_transfer *t = undecided(transfers, id, done, ctx);
    if (t == NULL) return;
    if ((t->flags & PSST_TRANSFER_PAUSED) != 0)
        set_paused(t, false, done, ctx);
    else
        done(ctx, PSST_ERR_USAGE,
             t->peer_paused ? "the other side has paused it, and alone can go on with it" : "it is not paused", id);
}

/* ---- the order ---- */

static void order_kept(struct psst_transfer *t, enum psst_err err, const char *words, void *ctx)
{
    struct psst_contact *contact = t != NULL ? psst_transfer_contact(t) : NULL;
    if (contact != NULL && err == PSST_OK) {
        psst_transfer_out_reorder(t->all, contact);
        psst_transfer_event(t);
    }
    answer(ctx, err, words);
}

void psst_transfers_first(struct psst_transfers *transfers, int64_t id, psst_transfer_done *done, void *ctx)
{
    struct psst_transfer *t = undecided(transfers, id, done, ctx);
    if (t == NULL) return;
    if (t->direction == PSST_IN) {
        done(ctx, PSST_ERR_USAGE, "the sender alone decides what comes first", id);
        return;
    }
    struct decision *decision = decision_new(id, done, ctx);
    if (decision == NULL) return;
    int64_t least = t->rank;
    for (const struct psst_transfer *o = transfers->first; o != NULL; o = o->next)
        if (o != t && o->contact_id == t->contact_id && !psst_transfer_is_over(o) && o->rank <= least)
            least = o->rank - 1;
    t->rank = least;
    psst_transfer_keep(t, order_kept, decision);
}
