/* The list of file transfers: rows in the store and what is alive of them, and what the user and the peer decide. */
#include "daemon/transfers_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum psst_err psst_transfers_new(struct psst_transfers **out, struct psst_daemon *d)
{
    struct psst_transfers *transfers = calloc(1, sizeof *transfers);
    if (transfers == NULL) return PSST_ERR_MEMORY;
    transfers->d = d;
    transfers->end = &transfers->first;
    *out = transfers;
    return PSST_OK;
}

static void transfer_free(struct psst_transfer *t)
{
    free(t->name);
    free(t->path);
    free(t->words);
    free(t);
}

void psst_transfers_free(struct psst_transfers *transfers)
{
    if (transfers == NULL) return;
    psst_transfers_unloaded(transfers);
    free(transfers);
}

struct psst_contact *psst_transfer_contact(const struct psst_transfer *t)
{
    return psst_book_by_id(t->all->d->book, t->contact_id);
}

struct psst_courier_files *psst_transfer_files(struct psst_contact *contact)
{
    if (contact->transfers == NULL) contact->transfers = calloc(1, sizeof(struct psst_courier_files));
    return contact->transfers;
}

struct psst_transfer *psst_transfer_find(struct psst_transfers *transfers, int64_t contact_id,
                                         const struct psst_msg_id *id, enum psst_direction direction)
{
    struct psst_transfer *t = transfers->first;
    while (t != NULL && (t->contact_id != contact_id || t->direction != direction ||
                         memcmp(t->transfer_id.b, id->b, sizeof id->b) != 0))
        t = t->next;
    return t;
}

struct psst_transfer *psst_transfer_by_id(struct psst_transfers *transfers, int64_t id)
{
    struct psst_transfer *t = transfers->first;
    while (t != NULL && t->id != id) t = t->next;
    return t;
}

struct psst_transfer *psst_transfer_add(struct psst_transfers *transfers, const struct psst_transfer_row *row)
{
    struct psst_transfer *t = calloc(1, sizeof *t);
    if (t == NULL) return NULL;
    t->name = strndup((const char *)row->name.data, row->name.len);
    t->path = strndup((const char *)row->path.data, row->path.len);
    if (t->name == NULL || t->path == NULL) {
        transfer_free(t);
        return NULL;
    }
    t->all = transfers;
    t->id = row->id;
    t->contact_id = row->contact_id;
    t->transfer_id = row->transfer_id;
    t->direction = row->direction;
    t->state = row->state;
    t->reason = row->reason;
    t->size = row->size;
    t->created_ms = row->created_ms;
    *transfers->end = t;
    transfers->end = &t->next;
    return t;
}

/* ---- what is said to the peer ---- */

void psst_transfer_say(struct psst_contact *contact, struct psst_daemon *d, const struct psst_file_chunk *chunk)
{
    struct psst_conn *conn = contact->session;
    if (conn == NULL || psst_conn_link(conn) == NULL) return;
    if (psst_link_file(psst_conn_link(conn), psst_daemon_now(d), chunk) != PSST_OK)
        psst_log_limited(&d->log, PSST_LOG_WARNING, "file-chunk-not-sent", "kind=%u", (unsigned)chunk->kind);
    psst_conn_kick(conn);
}

void psst_transfer_say_kind(struct psst_transfer *t, uint8_t kind, uint8_t reason)
{
    struct psst_contact *contact = psst_transfer_contact(t);
    const struct psst_file_chunk chunk = {.kind = kind, .id = t->transfer_id, .reason = reason};
    if (contact != NULL) psst_transfer_say(contact, t->all->d, &chunk);
}

void psst_transfer_refuse(struct psst_transfers *transfers, struct psst_contact *contact, const struct psst_msg_id *id)
{
    struct psst_courier_files *files = psst_transfer_files(contact);
    if (files == NULL) return;
    unsigned known = files->n_refused < PSST_TRANSFERS_REFUSED ? files->n_refused : PSST_TRANSFERS_REFUSED;
    for (unsigned i = 0; i < known; i++)
        if (memcmp(files->refused[i].b, id->b, sizeof id->b) == 0) return;
    files->refused[files->n_refused++ % PSST_TRANSFERS_REFUSED] = *id;
    const struct psst_file_chunk chunk = {.kind = PSST_FILE_CANCEL, .id = *id, .reason = PSST_FILE_PROTOCOL};
    psst_transfer_say(contact, transfers->d, &chunk);
}

/* ---- ends ---- */

static void stop(struct psst_transfer *t)
{
    if (t->direction == PSST_OUT)
        psst_transfer_out_stop(t);
    else
        psst_transfer_in_stop(t);
}

static void next_in_line(struct psst_transfer *t)
{
    struct psst_contact *contact = psst_transfer_contact(t);
    if (t->direction == PSST_OUT && contact != NULL) psst_transfer_out_next(t->all, contact);
    if (t->direction == PSST_IN) psst_transfer_in_next(t->all);
}

void psst_transfer_end(struct psst_transfer *t, enum psst_transfer_state state, uint8_t reason, const char *words)
{
    char *copy = words != NULL && words[0] != '\0' ? strdup(words) : NULL;
    if (t->direction == PSST_IN) psst_transfer_in_sweep(t);
    stop(t); /* words may stand in what is freed now */
    t->state = state;
    t->reason = reason;
    free(t->words);
    t->words = copy;
    psst_log_limited(&t->all->d->log, PSST_LOG_INFO, "file-ended", "id=%lld state=%s reason=%u", (long long)t->id,
                     psst_transfer_state_name(t), (unsigned)reason);
    psst_transfer_keep(t, NULL, NULL);
    psst_transfer_event(t);
    next_in_line(t);
}

static bool is_over(const struct psst_transfer *t)
{
    return t->state != PSST_TRANSFER_WAITING && t->state != PSST_TRANSFER_ACCEPTED;
}

/* ---- chunks that come in ---- */

static void file_event(struct psst_transfers *transfers, struct psst_conn *conn, const struct psst_file_chunk *chunk)
{
    struct psst_contact *contact = psst_conn_contact(conn);
    struct psst_transfer *in = psst_transfer_find(transfers, contact->id, &chunk->id, PSST_IN);
    struct psst_transfer *out = psst_transfer_find(transfers, contact->id, &chunk->id, PSST_OUT);
    switch ((enum psst_file_kind)chunk->kind) {
    case PSST_FILE_OFFER: psst_transfer_in_offered(transfers, conn, chunk); return;
    case PSST_FILE_ACCEPT:
        if (out != NULL && !is_over(out))
            psst_transfer_out_accepted(out, conn, chunk->offset);
        else if (out != NULL)
            psst_transfer_say_kind(out, PSST_FILE_CANCEL, out->reason & (uint8_t)~PSST_TRANSFER_OURS);
        else
            psst_transfer_refuse(transfers, contact, &chunk->id);
        return;
    case PSST_FILE_DECLINE:
        if (out != NULL && !is_over(out)) psst_transfer_end(out, PSST_TRANSFER_DECLINED, chunk->reason & 0x7f, NULL);
        return;
    case PSST_FILE_DATA:
        if (in != NULL)
            psst_transfer_in_data(in, conn, chunk);
        else
            psst_transfer_refuse(transfers, contact, &chunk->id);
        return;
    case PSST_FILE_DONE:
        if (in != NULL)
            psst_transfer_in_done(in, conn, chunk);
        else
            psst_transfer_refuse(transfers, contact, &chunk->id);
        return;
    case PSST_FILE_PAUSE:
    case PSST_FILE_WINDOW: return;
    case PSST_FILE_CANCEL: break;
    }
    struct psst_transfer *t = in != NULL ? in : out;
    if (t == NULL || is_over(t) || t->stage == PSST_STAGE_FINISHING) {
        /* what is being finished is whole here: its end decides; but a sender that gives up after all was sent is heard */
        if (t == NULL || is_over(t) || t->direction == PSST_IN) return;
    }
    psst_transfer_end(t, PSST_TRANSFER_FAILED, chunk->reason & 0x7f, NULL);
}

/* Acknowledged: the other side has it whole and on its disk. True: all of these were transfers. */
static bool acknowledged(struct psst_transfers *transfers, int64_t contact_id, struct psst_view ids)
{
    bool all = true;
    for (; ids.len >= sizeof(struct psst_msg_id);
         ids = psst_view(ids.data + sizeof(struct psst_msg_id), ids.len - sizeof(struct psst_msg_id))) {
        struct psst_msg_id id;
        memcpy(id.b, ids.data, sizeof id.b);
        struct psst_transfer *t = psst_transfer_find(transfers, contact_id, &id, PSST_OUT);
        if (t == NULL) {
            all = false;
            continue;
        }
        /* only what was accepted and offered can be whole over there; DONE may also be the answer to a second offer */
        if (t->state == PSST_TRANSFER_ACCEPTED) psst_transfer_end(t, PSST_TRANSFER_DONE, 0, NULL);
    }
    return all;
}

bool psst_transfers_event(struct psst_transfers *transfers, struct psst_conn *conn, const struct psst_event *ev)
{
    struct psst_contact *contact = psst_conn_contact(conn);
    if (ev->type == PSST_EV_FILE) {
        file_event(transfers, conn, &ev->file);
        return true;
    }
    if (ev->type == PSST_EV_ACK) return acknowledged(transfers, contact->id, ev->ids);
    if (ev->type != PSST_EV_NOT_ACCEPTED) return false;
    struct psst_transfer *t = psst_transfer_find(transfers, contact->id, &ev->id, PSST_OUT);
    if (t == NULL) return false;
    bool later = ev->reason == PSST_NOT_ACCEPTED_PAUSED || ev->reason == PSST_NOT_ACCEPTED_DISK_FULL;
    if (later && t->state == PSST_TRANSFER_WAITING) {
        psst_delivery_rest(transfers->d->delivery, contact, ev->reason);
        psst_transfer_event(t);
        return true;
    }
    uint8_t reason = ev->reason == PSST_NOT_ACCEPTED_HASH ? PSST_FILE_HASH : PSST_FILE_NOT_SAVED;
    if (!is_over(t)) psst_transfer_end(t, PSST_TRANSFER_FAILED, reason, NULL);
    return true;
}

/* ---- sessions ---- */

void psst_transfers_up(struct psst_transfers *transfers, struct psst_contact *contact)
{
    for (struct psst_transfer *t = transfers->first; t != NULL; t = t->next) {
        if (t->contact_id != contact->id || is_over(t)) continue;
        if (t->direction == PSST_OUT)
            psst_transfer_offer(t);
        else if (t->state == PSST_TRANSFER_ACCEPTED)
            psst_transfer_in_start(t);
    }
}

void psst_transfers_offer_again(struct psst_transfers *transfers, struct psst_contact *contact)
{
    for (struct psst_transfer *t = transfers->first; t != NULL; t = t->next)
        if (t->contact_id == contact->id && t->direction == PSST_OUT && t->state == PSST_TRANSFER_WAITING)
            psst_transfer_offer(t);
}

/* Whether the end of that connection is the end of what this one was doing. */
static bool is_hit(const struct psst_transfer *t, const struct psst_contact *contact, uint64_t serial)
{
    if (t->contact_id != contact->id || is_over(t) || t->stage == PSST_STAGE_IDLE) return false;
    if (t->direction == PSST_IN && t->stage == PSST_STAGE_FINISHING) return false; /* needs nobody any more */
    return t->serial == serial || contact->session == NULL;
}

void psst_transfers_down(struct psst_transfers *transfers, struct psst_contact *contact, uint64_t serial)
{
    for (struct psst_transfer *t = transfers->first; t != NULL; t = t->next) {
        if (!is_hit(t, contact, serial)) continue;
        stop(t);
        psst_transfer_event(t);
        if (contact->session == NULL) continue;
        if (t->direction == PSST_OUT)
            psst_transfer_offer(t);
        else
            psst_transfer_in_start(t);
    }
    psst_transfer_in_next(transfers);
}

void psst_transfers_forget(struct psst_transfers *transfers, struct psst_contact *contact)
{
    struct psst_transfer **at = &transfers->first;
    while (*at != NULL) {
        struct psst_transfer *t = *at;
        if (t->contact_id != contact->id) {
            at = &t->next;
            continue;
        }
        *at = t->next;
        stop(t);
        transfer_free(t);
    }
    transfers->end = at;
    free(contact->transfers);
    contact->transfers = NULL;
}

void psst_transfers_unloaded(struct psst_transfers *transfers)
{
    transfers->generation++;
    while (transfers->first != NULL) {
        struct psst_transfer *t = transfers->first;
        transfers->first = t->next;
        stop(t);
        transfer_free(t);
    }
    transfers->end = &transfers->first;
    if (transfers->d->book == NULL) return;
    for (struct psst_contact *c = psst_book_first(transfers->d->book); c != NULL; c = c->next) {
        free(c->transfers);
        c->transfers = NULL;
    }
}

/* ---- loading ---- */

struct load {
    struct psst_transfers *all;
    unsigned generation;
    struct psst_transfers found; /* a list of its own, made on the store thread */
};

static enum psst_err load_each(void *ctx, const struct psst_transfer_row *row)
{
    struct load *load = ctx;
    return psst_transfer_add(&load->found, row) != NULL ? PSST_OK : PSST_ERR_MEMORY;
}

static enum psst_err load_work(struct psst_store *store, void *arg)
{
    struct load *load = arg;
    return psst_store_transfers(store, 0, load_each, load);
}

static void load_done(void *arg, enum psst_err err, const char *words)
{
    struct load *load = arg;
    struct psst_transfers *all = load->all;
    if (err != PSST_OK && err != PSST_ERR_LOCKED)
        psst_log(&all->d->log, PSST_LOG_ERROR, "transfers-not-read", "reason=\"%s\"", words);
    while (load->found.first != NULL) {
        struct psst_transfer *t = load->found.first;
        load->found.first = t->next;
        t->next = NULL;
        if (err != PSST_OK || load->generation != all->generation) {
            transfer_free(t);
            continue;
        }
        t->all = all;
        *all->end = t;
        all->end = &t->next;
    }
    free(load);
}

void psst_transfers_loaded(struct psst_transfers *transfers)
{
    struct load *load = calloc(1, sizeof *load);
    if (load == NULL) return;
    load->all = transfers;
    load->generation = transfers->generation;
    load->found.end = &load->found.first;
    psst_store_run(transfers->d->store, load_work, load_done, load);
}

/* ---- what the user decides ---- */

struct decision {
    psst_transfer_done *done;
    void *ctx;
};

static void accepted(struct psst_transfer *t, enum psst_err err, const char *words, void *ctx)
{
    struct decision *decision = ctx;
    if (err != PSST_OK && t->state == PSST_TRANSFER_ACCEPTED) t->state = PSST_TRANSFER_WAITING;
    if (err == PSST_OK && t->state == PSST_TRANSFER_ACCEPTED) {
        struct psst_contact *contact = psst_transfer_contact(t);
        if (contact != NULL && contact->session == NULL) psst_peers_dial_quietly(t->all->d->peers, contact);
        psst_transfer_in_start(t);
        psst_transfer_event(t);
    }
    decision->done(decision->ctx, err, words, t->id);
    free(decision);
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

/* The one that the user may accept now; NULL: diag says why not. */
static struct psst_transfer *acceptable(struct psst_transfers *transfers, int64_t id, struct psst_diag *diag)
{
    struct psst_transfer *t = psst_transfer_by_id(transfers, id);
    enum psst_err err = PSST_OK;
    if (t == NULL)
        err = psst_fail(diag, PSST_ERR_USAGE, "there is no file %lld: psst files shows them", (long long)id);
    else if (t->direction == PSST_OUT)
        err = psst_fail(diag, PSST_ERR_USAGE, "file %lld goes out: only the other side can accept it", (long long)id);
    else if (t->state != PSST_TRANSFER_WAITING)
        err = psst_fail(diag, PSST_ERR_USAGE, "file %lld has been decided on already: it is %s", (long long)id,
                        psst_transfer_state_name(t));
    return err == PSST_OK ? t : NULL;
}

void psst_transfers_accept(struct psst_transfers *transfers, int64_t id, const char *dir, psst_transfer_done *done,
                           void *ctx)
{
    struct psst_diag diag = {{0}};
    struct psst_transfer *t = acceptable(transfers, id, &diag);
    enum psst_err err = t != NULL ? check_folder(transfers->d, dir, &diag) : PSST_ERR_USAGE;
    if (t == NULL || err != PSST_OK) {
        done(ctx, err, diag.text, id);
        return;
    }
    char *path = strdup(dir);
    struct decision *decision = malloc(sizeof *decision);
    if (path == NULL || decision == NULL) {
        free(path);
        free(decision);
        done(ctx, PSST_ERR_MEMORY, "out of memory", id);
        return;
    }
    *decision = (struct decision){done, ctx};
    free(t->path);
    t->path = path;
    t->state = PSST_TRANSFER_ACCEPTED;
    psst_transfer_keep(t, accepted, decision);
}

void psst_transfers_decline(struct psst_transfers *transfers, int64_t id, psst_transfer_done *done, void *ctx)
{
    struct psst_transfer *t = psst_transfer_by_id(transfers, id);
    char words[120];
    if (t == NULL || is_over(t)) {
        if (t == NULL)
            (void)snprintf(words, sizeof words, "there is no file %lld: psst files shows them", (long long)id);
        else
            (void)snprintf(words, sizeof words, "file %lld is %s already", (long long)id, psst_transfer_state_name(t));
        done(ctx, PSST_ERR_USAGE, words, id);
        return;
    }
    bool undecided = t->direction == PSST_IN && t->state == PSST_TRANSFER_WAITING;
    psst_transfer_say_kind(t, undecided ? PSST_FILE_DECLINE : PSST_FILE_CANCEL, PSST_FILE_BY_USER);
    psst_transfer_end(t, undecided ? PSST_TRANSFER_DECLINED : PSST_TRANSFER_FAILED,
                      PSST_FILE_BY_USER | PSST_TRANSFER_OURS, NULL);
    done(ctx, PSST_OK, "", id);
}
