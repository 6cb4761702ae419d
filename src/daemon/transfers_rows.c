/* A transfer as others see it: as JSON for user interfaces, and as a row in the store. */
#include "daemon/transfers_internal.h"

#include <stdio.h>
#include <stdlib.h>

#define PROGRESS_NS (PSST_SECOND_NS / 4)

/* ---- as JSON ---- */

static uint64_t bytes_done(const struct psst_transfer *t)
{
    if (t->state == PSST_TRANSFER_DONE || (t->direction == PSST_OUT && t->stage == PSST_STAGE_FINISHING))
        return t->size;
    if (t->source != NULL) return psst_file_source_position(t->source);
    if (t->sink != NULL) return psst_file_sink_position(t->sink);
    return 0;
}

const char *psst_transfer_state_name(const struct psst_transfer *t)
{
    switch (t->state) {
    case PSST_TRANSFER_WAITING: return "waiting";
    case PSST_TRANSFER_ACCEPTED: return t->stage != PSST_STAGE_IDLE ? "running" : "waiting";
    case PSST_TRANSFER_DONE: return "done";
    case PSST_TRANSFER_DECLINED: return "declined";
    case PSST_TRANSFER_FAILED: return "failed";
    }
    return "unknown";
}

/* The sentence for a transfer that has ended otherwise than well. */
static void reason_words(char out[200], const struct psst_transfer *t, const char *who)
{
    bool ours = (t->reason & PSST_TRANSFER_OURS) != 0;
    if (ours) who = "you";
    switch (t->reason & ~PSST_TRANSFER_OURS) {
    case PSST_FILE_BY_USER:
        (void)snprintf(out, 200, "%s %s it", who, t->state == PSST_TRANSFER_DECLINED ? "declined" : "cancelled");
        return;
    case PSST_FILE_NOT_SUPPORTED: (void)snprintf(out, 200, "%s cannot take such a file", who); return;
    case PSST_FILE_PROTOCOL:
        (void)snprintf(out, 200, "%s",
                       ours ? "what came was not what was offered" : "the other side got what it did not expect");
        return;
    case PSST_FILE_CHANGED:
        (void)snprintf(out, 200, "%s",
                       ours ? "the file changed or went away while it was sent"
                            : "the file changed or went away on the other side while it was sent");
        return;
    case PSST_FILE_NOT_SAVED:
        (void)snprintf(out, 200, "%s", ours ? "it could not be saved here" : "it could not be saved on the other side");
        return;
    case PSST_FILE_HASH: (void)snprintf(out, 200, "its checksum was not the sender's: nothing was kept"); return;
    default: (void)snprintf(out, 200, "it was ended on %s side", ours ? "this" : "the other"); return;
    }
}

static json_t *transfer_json(const struct psst_transfer *t)
{
    const struct psst_contact *contact = psst_transfer_contact(t);
    const char *who = contact != NULL ? contact->alias : "?";
    json_t *path = json_string(t->path);
    json_t *file = json_pack("{s:I, s:s, s:s, s:s, s:I, s:I, s:s, s:o}", "id", (json_int_t)t->id, "contact", who,
                             "direction", t->direction == PSST_OUT ? "out" : "in", "name", t->name, "size",
                             (json_int_t)t->size, "done", (json_int_t)bytes_done(t), "state",
                             psst_transfer_state_name(t), "path", path != NULL ? path : json_string(""));
    char words[200];
    if (t->state == PSST_TRANSFER_ACCEPTED && t->stage == PSST_STAGE_IDLE) {
        (void)snprintf(words, sizeof words, "accepted: goes on with the next session");
    } else if (t->state == PSST_TRANSFER_WAITING && t->direction == PSST_OUT && contact != NULL && contact->paused_us) {
        (void)snprintf(words, sizeof words, "%s has paused you: it waits, and is offered again", who);
    } else if (t->state == PSST_TRANSFER_DECLINED || t->state == PSST_TRANSFER_FAILED) {
        reason_words(words, t, who);
    } else {
        return file;
    }
    if (file != NULL) (void)json_object_set_new(file, "reason", json_string(t->words != NULL ? t->words : words));
    return file;
}

json_t *psst_transfers_json(struct psst_transfers *transfers)
{
    json_t *list = json_array();
    for (struct psst_transfer *t = transfers->first; t != NULL; t = t->next)
        (void)json_array_append_new(list, transfer_json(t));
    return list;
}

void psst_transfer_event(struct psst_transfer *t)
{
    t->told_ns = uv_hrtime();
    psst_daemon_event(t->all->d, "file", transfer_json(t));
}

void psst_transfer_progress(struct psst_transfer *t)
{
    if (uv_hrtime() - t->told_ns >= PROGRESS_NS) psst_transfer_event(t);
}

/* ---- rows ---- */

struct keep {
    struct psst_transfers *all;
    unsigned generation;
    struct psst_transfer_row row; /* name and path point to the copies */
    char *name, *path;
    psst_transfer_then *then;     /* of one that is in the list */
    psst_transfer_stored *stored; /* of a new one */
    void *ctx;
};

static void keep_free(struct keep *keep)
{
    free(keep->name);
    free(keep->path);
    free(keep);
}

static struct keep *keep_new(struct psst_transfers *transfers, const struct psst_transfer_row *row)
{
    struct keep *keep = calloc(1, sizeof *keep);
    if (keep == NULL) return NULL;
    keep->all = transfers;
    keep->generation = transfers->generation;
    keep->row = *row;
    keep->name = strndup((const char *)row->name.data, row->name.len);
    keep->path = strndup((const char *)row->path.data, row->path.len);
    if (keep->name == NULL || keep->path == NULL) {
        keep_free(keep);
        return NULL;
    }
    keep->row.name = psst_view(keep->name, row->name.len);
    keep->row.path = psst_view(keep->path, row->path.len);
    return keep;
}

static enum psst_err keep_work(struct psst_store *store, void *arg)
{
    struct keep *keep = arg;
    return psst_store_transfer_put(store, &keep->row);
}

static void kept(void *arg, enum psst_err err, const char *words)
{
    struct keep *keep = arg;
    struct psst_transfers *all = keep->all;
    struct psst_transfer *t = keep->generation == all->generation ? psst_transfer_by_id(all, keep->row.id) : NULL;
    if (err != PSST_OK && err != PSST_ERR_LOCKED)
        psst_log_limited(&all->d->log, PSST_LOG_ERROR, "transfer-not-kept", "reason=\"%s\"", words);
    if (t != NULL && keep->then != NULL) keep->then(t, err, words, keep->ctx);
    keep_free(keep);
}

void psst_transfer_keep(struct psst_transfer *t, psst_transfer_then *then, void *ctx)
{
    const struct psst_transfer_row row = {
        .id = t->id,
        .contact_id = t->contact_id,
        .transfer_id = t->transfer_id,
        .direction = t->direction,
        .state = t->state,
        .reason = t->reason,
        .size = t->size,
        .offset = t->state == PSST_TRANSFER_DONE ? t->size : 0,
        .created_ms = t->created_ms,
        .name = psst_view_str(t->name),
        .path = psst_view_str(t->path),
    };
    struct keep *keep = keep_new(t->all, &row);
    if (keep == NULL) {
        if (then != NULL) then(t, PSST_ERR_MEMORY, "out of memory", ctx);
        return;
    }
    keep->then = then;
    keep->ctx = ctx;
    psst_store_run(t->all->d->store, keep_work, kept, keep);
}

static void stored(void *arg, enum psst_err err, const char *words)
{
    struct keep *keep = arg;
    struct psst_transfers *all = keep->all;
    struct psst_transfer *t = NULL;
    if (err == PSST_OK && keep->generation != all->generation) {
        err = PSST_ERR_LOCKED;
        words = "the identity was locked meanwhile";
    }
    if (err == PSST_OK) t = psst_transfer_add(all, &keep->row);
    if (err == PSST_OK && t == NULL) {
        err = PSST_ERR_MEMORY;
        words = "out of memory";
    }
    keep->stored(all, t, err, words, keep->ctx);
    keep_free(keep);
}

void psst_transfer_store_new(struct psst_transfers *transfers, const struct psst_transfer_row *row,
                             psst_transfer_stored *then, void *ctx)
{
    struct keep *keep = keep_new(transfers, row);
    if (keep == NULL) {
        then(transfers, NULL, PSST_ERR_MEMORY, "out of memory", ctx);
        return;
    }
    keep->stored = then;
    keep->ctx = ctx;
    psst_store_run(transfers->d->store, keep_work, stored, keep);
}
