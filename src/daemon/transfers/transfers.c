/* Transfers: the list of those that are in memory, what their other side says, and sessions that come and go. */
#include "daemon/transfers/transfers.h"
#include "daemon/transfers/internal.h"

#include "daemon/program.h"
#include "daemon/reconnect/reconnect.h"
#include "daemon/transfers/folder_child.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static void on_child_ended(uv_signal_t *handle, int number)
{
    (void)handle;
    (void)number;
    psst_folder_reap();
}

enum psst_err psst_transfers_new(struct psst_transfers **out, struct psst_daemon *d)
{
    struct psst_transfers *transfers = calloc(1, sizeof *transfers);
    if (transfers == NULL) return PSST_ERR_MEMORY;
    transfers->d = d;
    psst_transfers_limit_init(transfers);
    (void)uv_timer_init(d->loop, &transfers->owed_timer); /* cannot fail */
    transfers->owed_timer.data = transfers;
    if (uv_signal_init(d->loop, &transfers->child_ended) == 0) {
        (void)uv_signal_start(&transfers->child_ended, on_child_ended, SIGCHLD);
        uv_unref((uv_handle_t *)&transfers->child_ended);
    }
    if (!psst_program_find(transfers->tar_program, "psst-tar"))
        psst_log(&d->log, PSST_LOG_WARNING, "psst-tar-missing", "%s", "");
    *out = transfers;
    return PSST_OK;
}

void psst_transfers_close(struct psst_transfers *transfers)
{
    psst_transfers_limit_close(transfers);
    if (!uv_is_closing((uv_handle_t *)&transfers->owed_timer)) uv_close((uv_handle_t *)&transfers->owed_timer, NULL);
    if (transfers->child_ended.loop != NULL && !uv_is_closing((uv_handle_t *)&transfers->child_ended))
        uv_close((uv_handle_t *)&transfers->child_ended, NULL);
}

void psst_transfers_free(struct psst_transfers *transfers)
{
    if (transfers == NULL) return;
    psst_transfers_unloaded(transfers);
    free(transfers);
}

/* ---- the list ---- */

static uint64_t key_hash(int64_t contact_id, const struct psst_msg_id *id)
{
    return psst_hash_bytes(psst_view(id->b, sizeof id->b)) ^ psst_hash_u64((uint64_t)contact_id);
}

struct psst_transfer *psst_transfer_find(struct psst_transfers *transfers, int64_t contact_id,
                                         const struct psst_msg_id *id, enum psst_direction direction)
{
    struct psst_map_node *n = psst_map_find(&transfers->by_key, key_hash(contact_id, id));
    for (; n != NULL; n = psst_map_next(n)) {
        struct psst_transfer *t = PSST_MAP_ITEM(n, struct psst_transfer, by_key);
        if (t->contact_id == contact_id && t->direction == direction &&
            memcmp(t->transfer_id.b, id->b, sizeof id->b) == 0)
            return t;
    }
    return NULL;
}

struct psst_transfer *psst_transfer_by_id(struct psst_transfers *transfers, int64_t id)
{
    struct psst_map_node *n = psst_map_find(&transfers->by_id, psst_hash_u64((uint64_t)id));
    for (; n != NULL; n = psst_map_next(n)) {
        struct psst_transfer *t = PSST_MAP_ITEM(n, struct psst_transfer, by_id);
        if (t->id == id) return t;
    }
    return NULL;
}

struct psst_contact *psst_transfer_contact(const struct psst_transfer *t)
{
    return psst_book_by_id(t->all->d->book, t->contact_id);
}

struct psst_courier_files *psst_transfer_files(struct psst_contact *contact)
{
    struct psst_courier_files *files = contact->transfers;
    if (files != NULL) return files;
    files = calloc(1, sizeof *files);
    if (files == NULL) return NULL;
    psst_bucket_init(&files->lookups, PSST_TRANSFERS_LOOKUPS / 60, PSST_TRANSFERS_LOOKUPS);
    contact->transfers = files;
    return files;
}

bool psst_transfer_may_look_up(struct psst_transfers *transfers, struct psst_contact *contact)
{
    struct psst_courier_files *files = psst_transfer_files(contact);
    return files != NULL && psst_bucket_try(&files->lookups, psst_daemon_now(transfers->d).mono_ns, 1);
}

/* An empty view may point nowhere. */
static char *copy_of(struct psst_view text)
{
    return strndup(text.len > 0 ? (const char *)text.data : "", text.len);
}

struct psst_transfer *psst_transfer_new(struct psst_transfers *transfers, const struct psst_transfer_row *row)
{
    struct psst_transfer *t = calloc(1, sizeof *t);
    if (t == NULL) return NULL;
    t->fd = -1;
    t->name = copy_of(row->name);
    t->path = copy_of(row->path);
    if (t->name == NULL || t->path == NULL) {
        psst_transfer_free(t);
        return NULL;
    }
    t->all = transfers;
    t->id = row->id;
    t->contact_id = row->contact_id;
    t->transfer_id = row->transfer_id;
    t->direction = row->direction;
    t->state = row->state;
    t->reason = row->reason;
    t->form = row->form;
    t->flags = row->flags;
    t->rank = row->rank;
    t->size = row->size;
    t->safe = row->offset;
    t->created_ms = row->created_ms;
    t->mtime_ns = row->mtime_ns;
    t->inode = t->noted_inode = row->inode;
    psst_bucket_init(&t->runs, 1, PSST_TRANSFER_RUNS * PSST_TRANSFER_RUN);
    return t;
}

void psst_transfer_free(struct psst_transfer *t)
{
    if (t == NULL) return;
    if (t->fd >= 0) (void)close(t->fd);
    free(t->name);
    free(t->path);
    free(t->words);
    free(t);
}

/* Takes it out of the list and frees it; nothing of it runs any more. */
static void drop(struct psst_transfer *t)
{
    struct psst_transfers *all = t->all;
    psst_transfer_uncount(t);
    if (psst_transfer_is_over(t) && all->ended > 0) all->ended--;
    *(t->prev != NULL ? &t->prev->next : &all->first) = t->next;
    *(t->next != NULL ? &t->next->prev : &all->last) = t->prev;
    psst_map_remove(&all->by_id, &t->by_id);
    psst_map_remove(&all->by_key, &t->by_key);
    psst_transfer_free(t);
}

/* Those that ended longest ago are known by the store alone from now on; ids are nearly their order. */
static void forget_old(struct psst_transfers *transfers)
{
    struct psst_transfer *next;
    for (struct psst_transfer *t = transfers->first; t != NULL && transfers->ended > PSST_TRANSFERS_ENDED; t = next) {
        next = t->next;
        bool busy = t->keeping > 0 || t->sink_closing || t->sink != NULL ||
                    (t->flags & (PSST_TRANSFER_UNTOLD | PSST_TRANSFER_LITTER)) != 0;
        if (psst_transfer_is_over(t) && !busy) drop(t);
    }
}

void psst_transfer_add(struct psst_transfers *transfers, struct psst_transfer *t)
{
    forget_old(transfers);
    t->all = transfers;
    t->next = NULL;
    t->prev = transfers->last;
    *(t->prev != NULL ? &t->prev->next : &transfers->first) = t;
    transfers->last = t;
    psst_map_add(&transfers->by_id, &t->by_id, psst_hash_u64((uint64_t)t->id));
    psst_map_add(&transfers->by_key, &t->by_key, key_hash(t->contact_id, &t->transfer_id));
    if (psst_transfer_is_over(t)) transfers->ended++;
}

bool psst_transfer_is_over(const struct psst_transfer *t)
{
    return t->state != PSST_TRANSFER_WAITING && t->state != PSST_TRANSFER_ACCEPTED;
}

bool psst_transfer_is_paused(const struct psst_transfer *t)
{
    return (t->flags & PSST_TRANSFER_PAUSED) != 0 || t->peer_paused;
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
    const struct psst_file_chunk chunk = {
        .kind = kind, .id = t->transfer_id, .reason = reason & (uint8_t)~PSST_TRANSFER_OURS};
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

static void stop(struct psst_transfer *t, bool keep)
{
    if (t->direction == PSST_OUT)
        psst_transfer_out_stop(t);
    else
        psst_transfer_in_stop(t, keep);
}

void psst_transfer_close_stream(struct psst_transfer *t)
{
    psst_file_source_close(t->source);
    t->source = NULL;
    if (t->fd >= 0) (void)close(t->fd);
    t->fd = -1;
    t->client = 0;
}

void psst_transfer_end_then(struct psst_transfer *t, enum psst_transfer_state state, uint8_t reason, const char *words,
                            psst_transfer_then *then, void *ctx)
{
    struct psst_contact *contact = psst_transfer_contact(t);
    char *copy = words != NULL && words[0] != '\0' ? strdup(words) : NULL;
    bool had_sink = t->sink != NULL || t->sink_closing;
    stop(t, false); /* words may stand in what is freed now */
    if (t->direction == PSST_IN && t->path[0] == '/' && state != PSST_TRANSFER_DONE) t->flags |= PSST_TRANSFER_LITTER;
    if (t->direction == PSST_IN && !had_sink) psst_transfer_in_sweep(t);
    psst_transfer_close_stream(t);
    if (t->direction == PSST_IN && t->path[0] == '\0' && state == PSST_TRANSFER_FAILED && contact != NULL) {
        struct psst_courier_files *files = psst_transfer_files(contact);
        if (files != NULL) files->withdrawn++;
    }
    t->state = state;
    t->reason = reason;
    t->all->ended++;
    free(t->words);
    t->words = copy;
    psst_log_limited(&t->all->d->log, PSST_LOG_INFO, "file-ended", "id=%lld state=%s reason=%u", (long long)t->id,
                     psst_transfer_state_name(t), (unsigned)reason);
    psst_transfer_keep(t, then, ctx);
    psst_transfer_event(t);
    if (t->direction == PSST_OUT && contact != NULL) psst_transfer_out_next(t->all, contact);
    if (t->direction == PSST_IN) psst_transfer_in_next(t->all);
}

void psst_transfer_end(struct psst_transfer *t, enum psst_transfer_state state, uint8_t reason, const char *words)
{
    psst_transfer_end_then(t, state, reason, words, NULL, NULL);
}

void psst_transfer_fail(struct psst_transfer *t, uint8_t reason, const char *words)
{
    const struct psst_contact *contact = psst_transfer_contact(t);
    /* who receives is told when he hears the next offer of it; who sends makes none any more */
    if (t->direction == PSST_OUT && (contact == NULL || contact->session == NULL)) t->flags |= PSST_TRANSFER_UNTOLD;
    psst_transfer_say_kind(t, PSST_FILE_CANCEL, reason);
    psst_transfer_end(t, PSST_TRANSFER_FAILED, reason | PSST_TRANSFER_OURS, words);
}

void psst_transfer_cut_off(struct psst_transfer *t)
{
    if (t->source != NULL) t->reached = psst_file_source_position(t->source);
    t->safe = t->reached;
    psst_transfer_end(t, PSST_TRANSFER_FAILED, PSST_FILE_CUT_OFF, NULL);
}

/* ---- chunks that come in ---- */

/* One that is not in memory: what became of it is in the store. */
struct lookup {
    struct psst_msg_id id;
    int64_t contact_id;
};

static void looked_up(struct psst_transfers *transfers, struct psst_transfer *t, const struct psst_transfer_row *row,
                      enum psst_err err, const char *words, void *ctx)
{
    struct lookup *lookup = ctx;
    struct psst_contact *contact = psst_book_by_id(transfers->d->book, lookup->contact_id);
    (void)t;
    (void)words;
    bool over = row->state != PSST_TRANSFER_WAITING && row->state != PSST_TRANSFER_ACCEPTED;
    if (contact != NULL && err == PSST_ERR_NOT_FOUND) {
        psst_transfer_refuse(transfers, contact, &lookup->id);
    } else if (contact != NULL && err == PSST_ERR_EXISTS && over) {
        uint8_t reason = row->reason & (uint8_t)~PSST_TRANSFER_OURS;
        const struct psst_file_chunk chunk = {
            .kind = PSST_FILE_CANCEL, .id = lookup->id, .reason = reason != 0 ? reason : PSST_FILE_PROTOCOL};
        psst_transfer_say(contact, transfers->d, &chunk);
    }
    free(lookup);
}

static void accept_of_unknown(struct psst_transfers *transfers, struct psst_contact *contact,
                              const struct psst_msg_id *id)
{
    struct lookup *lookup = psst_transfer_may_look_up(transfers, contact) ? malloc(sizeof *lookup) : NULL;
    if (lookup == NULL) return;
    *lookup = (struct lookup){*id, contact->id};
    const struct psst_transfer_row row = {.contact_id = contact->id, .transfer_id = *id, .direction = PSST_OUT};
    psst_transfer_store_new(transfers, &row, false, looked_up, lookup);
}

static void cancelled(struct psst_transfer *t, uint8_t reason)
{
    if (t == NULL || psst_transfer_is_over(t)) return;
    /* what is being finished is whole here: its end decides; but a sender that gives up after all was sent is heard */
    bool is_whole = t->stage == PSST_STAGE_FINISHING || t->stage == PSST_STAGE_SETTLING || t->whole;
    if (is_whole && t->direction == PSST_IN) return;
    if (t->form == PSST_FILE_FORM_STREAM && reason == PSST_FILE_CUT_OFF) t->safe = t->reached;
    psst_transfer_end(t, PSST_TRANSFER_FAILED, reason & 0x7f, NULL);
}

/* All of a stream had been sent when the session broke: now it is known that it did not arrive. */
static void declined(struct psst_transfer *t, uint8_t reason)
{
    bool cut_off = t->form == PSST_FILE_FORM_STREAM && reason == PSST_FILE_CUT_OFF;
    if (cut_off)
        psst_transfer_cut_off(t);
    else
        psst_transfer_end(t, PSST_TRANSFER_DECLINED, reason, NULL);
}

static void accepted(struct psst_transfers *transfers, struct psst_conn *conn, struct psst_transfer *out,
                     const struct psst_file_chunk *chunk)
{
    if (out == NULL)
        accept_of_unknown(transfers, psst_conn_contact(conn), &chunk->id);
    else if (!psst_transfer_is_over(out))
        psst_transfer_out_accepted(out, conn, chunk->offset);
    else if (out->state != PSST_TRANSFER_DONE)
        psst_transfer_say_kind(out, PSST_FILE_CANCEL, out->reason);
}

static void file_event(struct psst_transfers *transfers, struct psst_conn *conn, const struct psst_file_chunk *chunk)
{
    struct psst_contact *contact = psst_conn_contact(conn);
    struct psst_transfer *in = psst_transfer_find(transfers, contact->id, &chunk->id, PSST_IN);
    struct psst_transfer *out = psst_transfer_find(transfers, contact->id, &chunk->id, PSST_OUT);
    bool out_runs = out != NULL && !psst_transfer_is_over(out);
    switch ((enum psst_file_kind)chunk->kind) {
    case PSST_FILE_OFFER: psst_transfer_offered(transfers, conn, chunk); return;
    case PSST_FILE_ACCEPT: accepted(transfers, conn, out, chunk); return;
    case PSST_FILE_DECLINE:
        if (out_runs) declined(out, chunk->reason & 0x7f);
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
    case PSST_FILE_CANCEL: cancelled(in != NULL ? in : out, chunk->reason); return;
    case PSST_FILE_PAUSE:
        if (in != NULL)
            psst_transfer_in_paused(in, chunk->reason);
        else if (out_runs)
            psst_transfer_out_paused(out);
        return;
    case PSST_FILE_WINDOW:
        if (out_runs) psst_transfer_out_window(out, conn, chunk->offset);
        return;
    }
}

/* Only what was accepted can be whole over there. That it was we may not know any more: psstd was killed before it was noted,
 * and the acknowledgement is the answer to the offer that it made in its next life. */
static bool may_be_whole(const struct psst_transfer *t)
{
    bool offered = t->offered && t->form != PSST_FILE_FORM_STREAM;
    return t->state == PSST_TRANSFER_ACCEPTED || (t->state == PSST_TRANSFER_WAITING && offered);
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
        if (may_be_whole(t)) psst_transfer_end(t, PSST_TRANSFER_DONE, 0, NULL);
    }
    return all;
}

static bool not_accepted(struct psst_transfers *transfers, struct psst_contact *contact, const struct psst_event *ev)
{
    struct psst_transfer *t = psst_transfer_find(transfers, contact->id, &ev->id, PSST_OUT);
    if (t == NULL) return false;
    bool later = ev->reason == PSST_NOT_ACCEPTED_PAUSED || ev->reason == PSST_NOT_ACCEPTED_DISK_FULL;
    if (later && t->state == PSST_TRANSFER_WAITING) {
        psst_delivery_rest(transfers->d->delivery, contact, ev->reason);
        psst_transfer_event(t);
        return true;
    }
    uint8_t reason = ev->reason == PSST_NOT_ACCEPTED_HASH ? PSST_FILE_HASH : PSST_FILE_NOT_SAVED;
    if (!psst_transfer_is_over(t)) psst_transfer_end(t, PSST_TRANSFER_FAILED, reason, NULL);
    return true;
}

bool psst_transfers_event(struct psst_transfers *transfers, struct psst_conn *conn, const struct psst_event *ev)
{
    struct psst_contact *contact = psst_conn_contact(conn);
    switch (ev->type) {
    case PSST_EV_FILE: file_event(transfers, conn, &ev->file); return true;
    case PSST_EV_ACK: return acknowledged(transfers, contact->id, ev->ids);
    case PSST_EV_NOT_ACCEPTED: return not_accepted(transfers, contact, ev);
    default: return false;
    }
}

/* ---- sessions ---- */

/* It was ended while nobody was there to be told. */
static void tell_late(struct psst_transfer *t)
{
    psst_transfer_say_kind(t, PSST_FILE_CANCEL, t->reason);
    t->flags &= ~(uint32_t)PSST_TRANSFER_UNTOLD;
    psst_transfer_keep(t, NULL, NULL);
    psst_transfer_event(t);
}

static void resume(struct psst_transfer *t)
{
    if ((t->flags & PSST_TRANSFER_PAUSED) != 0) return;
    if (t->direction == PSST_OUT)
        psst_transfer_offer(t);
    else if (t->state == PSST_TRANSFER_ACCEPTED)
        psst_transfer_in_start(t);
}

void psst_transfers_up(struct psst_transfers *transfers, struct psst_contact *contact)
{
    for (struct psst_transfer *t = transfers->first; t != NULL; t = t->next) {
        if (t->contact_id != contact->id) continue;
        psst_bucket_init(&t->runs, 1, PSST_TRANSFER_RUNS * PSST_TRANSFER_RUN);
        if (!psst_transfer_is_over(t))
            resume(t);
        else if ((t->flags & PSST_TRANSFER_UNTOLD) != 0)
            tell_late(t);
    }
}

void psst_transfers_offer_again(struct psst_transfers *transfers, struct psst_contact *contact)
{
    for (struct psst_transfer *t = transfers->first; t != NULL; t = t->next)
        if (t->contact_id == contact->id && t->direction == PSST_OUT && t->state == PSST_TRANSFER_WAITING) resume(t);
}

/* Whether the end of that connection is the end of what this one was doing. */
static bool is_hit(const struct psst_transfer *t, const struct psst_contact *contact, uint64_t serial)
{
    if (t->contact_id != contact->id || psst_transfer_is_over(t) || t->stage == PSST_STAGE_IDLE) return false;
    /* needs nobody any more */
    if (t->direction == PSST_IN && (t->stage == PSST_STAGE_FINISHING || t->stage == PSST_STAGE_SETTLING)) return false;
    return t->serial == serial || contact->session == NULL;
}

/* What of a stream has left the pipe, or has come out of it, cannot be had again. But when all of it was sent, the other
 * side may have it: the next offer brings the answer. */
static bool is_lost(const struct psst_transfer *t)
{
    if (t->form != PSST_FILE_FORM_STREAM || t->stage == PSST_STAGE_FINISHING) return false;
    return t->direction == PSST_OUT ? t->spent : t->reached > 0;
}

void psst_transfers_down(struct psst_transfers *transfers, struct psst_contact *contact, uint64_t serial)
{
    for (struct psst_transfer *t = transfers->first; t != NULL; t = t->next) {
        if (!is_hit(t, contact, serial)) continue;
        if (is_lost(t)) {
            psst_transfer_cut_off(t);
            continue;
        }
        stop(t, t->form != PSST_FILE_FORM_STREAM);
        psst_transfer_event(t);
        if (contact->session != NULL) resume(t);
    }
    psst_transfer_in_next(transfers);
}

void psst_transfers_client_gone(struct psst_transfers *transfers, uint64_t client)
{
    for (struct psst_transfer *t = transfers->first; t != NULL; t = t->next) {
        if (t->client != client || psst_transfer_is_over(t)) continue;
        psst_transfer_fail(t, PSST_FILE_BY_USER, "the program that the stream was for has ended");
    }
}

/* ---- contacts that go, and all of them ---- */

/* Who waits for it hears of it; its row goes with the contact. */
static void end_forgotten(struct psst_transfer *t)
{
    bool idle = t->direction == PSST_IN && t->state == PSST_TRANSFER_ACCEPTED && t->sink == NULL;
    stop(t, false);
    if (idle) psst_transfer_in_sweep(t);
    psst_transfer_close_stream(t);
    if (psst_transfer_is_over(t)) return;
    t->state = PSST_TRANSFER_FAILED;
    t->reason = PSST_FILE_BY_USER | PSST_TRANSFER_OURS;
    t->all->ended++;
    psst_transfer_event(t);
}

void psst_transfers_erased(struct psst_transfers *transfers, int64_t id)
{
    struct psst_transfer *t = psst_transfer_by_id(transfers, id);
    if (t != NULL && psst_transfer_is_over(t) && t->keeping == 0 && t->sink == NULL && !t->sink_closing) drop(t);
}

void psst_transfers_forget(struct psst_transfers *transfers, struct psst_contact *contact)
{
    struct psst_transfer *next;
    for (struct psst_transfer *t = transfers->first; t != NULL; t = next) {
        next = t->next;
        if (t->contact_id != contact->id) continue;
        end_forgotten(t);
        drop(t);
    }
    free(contact->transfers);
    contact->transfers = NULL;
}

/* A stream does not outlast the open identity: whoever waits for its end is told, and so will be the other side. */
static void end_streams(struct psst_transfers *transfers)
{
    for (struct psst_transfer *t = transfers->first; t != NULL; t = t->next) {
        if (t->client == 0 || psst_transfer_is_over(t)) continue;
        if (t->direction == PSST_OUT) t->flags |= PSST_TRANSFER_UNTOLD;
        psst_transfer_cut_off(t);
    }
}

void psst_transfers_unloaded(struct psst_transfers *transfers)
{
    end_streams(transfers);
    transfers->generation++;
    transfers->loaded = false;
    for (struct psst_transfer *t = transfers->first; t != NULL; t = transfers->first) {
        stop(t, t->form != PSST_FILE_FORM_STREAM);
        psst_transfer_close_stream(t);
        drop(t);
    }
    psst_map_fini(&transfers->by_id);
    psst_map_fini(&transfers->by_key);
    transfers->ended = 0;
    if (transfers->d->book == NULL) return;
    for (struct psst_contact *c = psst_book_first(transfers->d->book); c != NULL; c = c->next) {
        free(c->transfers);
        c->transfers = NULL;
    }
}

void psst_transfers_when_quiet(struct psst_transfers *transfers, void (*quiet)(void *ctx), void *ctx)
{
    transfers->quiet = quiet;
    transfers->quiet_ctx = ctx;
    if (transfers->sinks > 0) return;
    transfers->quiet = NULL;
    quiet(ctx);
}

size_t psst_transfers_busy(const struct psst_transfers *transfers)
{
    return transfers->sinks;
}
