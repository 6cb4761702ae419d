/* Files on their way out: looked at by a worker, offered, and once accepted sent, one after another for each contact. The
 * link's output is filled only as far as it drains, so that a text never waits behind more than a moment's data.
 */
#include "daemon/transfers_internal.h"

#include "base/text.h"

#include <stdlib.h>
#include <unistd.h>

/* ---- offering ---- */

struct offer {
    uv_work_t work;
    struct psst_transfers *all;
    unsigned generation;
    int64_t contact_id;
    char *path;
    uint64_t size;
    enum psst_err err;
    struct psst_diag diag;
    psst_transfer_done *done;
    void *ctx;
};

static void offer_free(struct offer *offer)
{
    free(offer->path);
    free(offer);
}

static void offer_finish(struct offer *offer, enum psst_err err, const char *words, int64_t id)
{
    offer->done(offer->ctx, err, words, id);
    offer_free(offer);
}

static void look(uv_work_t *work)
{
    struct offer *offer = work->data;
    struct psst_outgoing file;
    offer->err = psst_outgoing_open(&file, offer->path, &offer->diag);
    if (offer->err != PSST_OK) return;
    offer->size = file.size;
    if (file.size > PSST_FILE_SIZE_MAX)
        offer->err = psst_fail(&offer->diag, PSST_ERR_TOO_LONG, "the file is too large");
    (void)close(file.fd);
}

static void offer_stored(struct psst_transfers *transfers, struct psst_transfer *t, enum psst_err err,
                         const char *words, void *ctx)
{
    struct offer *offer = ctx;
    (void)transfers;
    offer->done(offer->ctx, err, words, t != NULL ? t->id : 0);
    offer_free(offer);
    if (t == NULL) return;
    psst_transfer_event(t);
    struct psst_contact *contact = psst_transfer_contact(t);
    if (contact == NULL) return;
    if (contact->session != NULL)
        psst_transfer_offer(t);
    else
        psst_peers_dial_quietly(t->all->d->peers, contact);
}

/* The last part of the path, as it is when that is text; what is not would only be refused over there. */
static void name_of(char out[PSST_SAFE_NAME_SIZE], const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash != NULL ? slash + 1 : path;
    size_t len = strlen(base);
    if (len > 0 && len < PSST_SAFE_NAME_SIZE && len <= PSST_FILE_NAME_MAX && psst_text_valid(psst_view(base, len)))
        memcpy(out, base, len + 1);
    else
        psst_file_name_sanitize(out, psst_view(base, len));
}

static void looked(uv_work_t *work, int status)
{
    struct offer *offer = work->data;
    struct psst_transfers *all = offer->all;
    if (status != 0 || offer->generation != all->generation) {
        offer_finish(offer, PSST_ERR_LOCKED, "the identity was locked meanwhile", 0);
        return;
    }
    if (offer->err != PSST_OK) {
        offer_finish(offer, offer->err, offer->diag.text, 0);
        return;
    }
    char name[PSST_SAFE_NAME_SIZE];
    name_of(name, offer->path);
    struct psst_transfer_row row = {.contact_id = offer->contact_id,
                                    .direction = PSST_OUT,
                                    .state = PSST_TRANSFER_WAITING,
                                    .size = offer->size,
                                    .created_ms = psst_daemon_now(all->d).unix_ms,
                                    .name = psst_view_str(name),
                                    .path = psst_view_str(offer->path)};
    psst_crypto_rng.fill(psst_crypto_rng.ctx, row.transfer_id.b, sizeof row.transfer_id.b);
    psst_transfer_store_new(all, &row, offer_stored, offer);
}

void psst_transfers_send(struct psst_transfers *transfers, struct psst_contact *contact, const char *path,
                         psst_transfer_done *done, void *ctx)
{
    struct offer *offer = calloc(1, sizeof *offer);
    char *copy = strdup(path);
    if (offer == NULL || copy == NULL) {
        free(offer);
        free(copy);
        done(ctx, PSST_ERR_MEMORY, "out of memory", 0);
        return;
    }
    *offer = (struct offer){.all = transfers,
                            .generation = transfers->generation,
                            .contact_id = contact->id,
                            .path = copy,
                            .done = done,
                            .ctx = ctx};
    offer->work.data = offer;
    if (uv_queue_work(transfers->d->loop, &offer->work, look, looked) != 0)
        offer_finish(offer, PSST_ERR_MEMORY, "out of memory", 0);
}

void psst_transfer_offer(struct psst_transfer *t)
{
    struct psst_contact *contact = psst_transfer_contact(t);
    const struct psst_file_chunk chunk = {.kind = PSST_FILE_OFFER,
                                          .id = t->transfer_id,
                                          .form = PSST_FILE_FORM_FILE,
                                          .size = t->size,
                                          .name = psst_view_str(t->name)};
    if (contact != NULL) psst_transfer_say(contact, t->all->d, &chunk);
}

/* ---- sending ---- */

void psst_transfer_out_stop(struct psst_transfer *t)
{
    struct psst_contact *contact = psst_transfer_contact(t);
    struct psst_courier_files *files = contact != NULL ? contact->transfers : NULL;
    if (files != NULL && files->sending == t) files->sending = NULL;
    psst_file_source_close(t->source);
    t->source = NULL;
    t->stage = PSST_STAGE_IDLE;
    t->serial = 0;
}

static void on_source(void *ctx, enum psst_err err, const struct psst_diag *diag)
{
    struct psst_transfer *t = ctx;
    if (err != PSST_OK) {
        psst_transfer_say_kind(t, PSST_FILE_CANCEL, PSST_FILE_CHANGED);
        psst_transfer_end(t, PSST_TRANSFER_FAILED, PSST_FILE_CHANGED | PSST_TRANSFER_OURS, diag->text);
        return;
    }
    struct psst_conn *conn = psst_conn_by_serial(t->all->d->peers, t->serial);
    if (conn != NULL) psst_conn_kick(conn);
}

static void start(struct psst_transfer *t, struct psst_courier_files *files)
{
    const struct psst_source_id offered = {.size = t->size};
    struct psst_origin *origin;
    enum psst_err err = psst_origin_of_file(&origin, t->path, &offered);
    if (err == PSST_OK)
        err = psst_file_source_new(&t->source, t->all->d->loop, origin, t->size, t->start, on_source, t);
    if (err != PSST_OK) {
        psst_transfer_say_kind(t, PSST_FILE_CANCEL, PSST_FILE_CHANGED);
        psst_transfer_end(t, PSST_TRANSFER_FAILED, PSST_FILE_CHANGED | PSST_TRANSFER_OURS, NULL);
        return;
    }
    files->sending = t;
    t->stage = PSST_STAGE_RUNNING;
    psst_transfer_event(t);
}

void psst_transfer_out_next(struct psst_transfers *transfers, struct psst_contact *contact)
{
    struct psst_courier_files *files = psst_transfer_files(contact);
    if (files == NULL || files->sending != NULL) return;
    for (struct psst_transfer *t = transfers->first; t != NULL; t = t->next) {
        if (t->contact_id != contact->id || t->direction != PSST_OUT || t->stage != PSST_STAGE_IN_LINE) continue;
        start(t, files);
        return; /* when it fails at once, its end brings the next one */
    }
}

void psst_transfer_out_accepted(struct psst_transfer *t, struct psst_conn *conn, uint64_t offset)
{
    struct psst_contact *contact = psst_transfer_contact(t);
    if (contact == NULL || t->stage != PSST_STAGE_IDLE) return; /* accepted twice: harmless */
    if (offset > t->size) {
        psst_transfer_say_kind(t, PSST_FILE_CANCEL, PSST_FILE_PROTOCOL);
        psst_transfer_end(t, PSST_TRANSFER_FAILED, PSST_FILE_PROTOCOL | PSST_TRANSFER_OURS, NULL);
        return;
    }
    t->serial = psst_conn_serial(conn);
    t->start = offset;
    t->stage = PSST_STAGE_IN_LINE;
    if (t->state != PSST_TRANSFER_ACCEPTED) {
        t->state = PSST_TRANSFER_ACCEPTED;
        psst_transfer_keep(t, NULL, NULL);
    }
    psst_transfer_event(t);
    psst_transfer_out_next(t->all, contact);
}

/* One record full of data. False: nothing is there to send, or no room. */
static bool send_record(struct psst_transfer *t, struct psst_link *link)
{
    struct psst_file_source *source = t->source;
    size_t available = psst_file_source_available(source);
    uint64_t position = psst_file_source_position(source);
    bool last = position + available >= t->size;
    if (available == 0 || (available < PSST_FILE_DATA_MAX && !last)) return false;
    struct psst_span place;
    if (psst_link_file_data_begin(link, &place) != PSST_OK) return false;
    size_t room = place.len < PSST_FILE_DATA_MAX ? place.len : PSST_FILE_DATA_MAX;
    size_t n = psst_file_source_take(source, place.data, room);
    return psst_link_file_data_commit(link, psst_daemon_now(t->all->d), &t->transfer_id, position, n) == PSST_OK &&
           n > 0;
}

/* All has been handed to the link: what it was is said, and the next one has its turn while this one is written over
 * there. */
static bool finish(struct psst_transfer *t, struct psst_conn *conn)
{
    struct psst_file_chunk chunk = {.kind = PSST_FILE_DONE, .id = t->transfer_id, .size = t->size};
    if (!psst_file_source_end(t->source) || psst_file_source_hash(t->source, &chunk.sha256) != PSST_OK) return false;
    if (psst_link_file(psst_conn_link(conn), psst_daemon_now(t->all->d), &chunk) != PSST_OK) return false;
    uint64_t serial = t->serial;
    psst_transfer_out_stop(t);
    t->stage = PSST_STAGE_FINISHING;
    t->serial = serial;
    psst_transfer_event(t);
    psst_transfer_out_next(t->all, psst_conn_contact(conn));
    return true;
}

void psst_transfers_writable(struct psst_transfers *transfers, struct psst_conn *conn)
{
    struct psst_contact *contact = psst_conn_contact(conn);
    struct psst_courier_files *files = contact->transfers;
    (void)transfers;
    if (files == NULL) return;
    struct psst_transfer *t = files->sending;
    if (t == NULL || t->source == NULL || t->serial != psst_conn_serial(conn)) return;
    while (psst_conn_waiting(conn) < PSST_BULK_WAITING)
        if (!send_record(t, psst_conn_link(conn))) break;
    if (!finish(t, conn)) psst_transfer_progress(t);
}
