/* Offering: a file or folder is looked at by a worker, a stream is taken as it is; stored, and then offered, on this session and on
 * each that follows, until it is settled. */
#include "daemon/transfers/internal.h"
#include "daemon/transfers/transfers.h"

#include "base/text.h"
#include "daemon/transfers/folder_child.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct offer {
    uv_work_t work;
    struct psst_transfers *all;
    unsigned generation;
    int64_t contact_id;
    char *path; /* of a file, or folder */
    bool folder, voice;
    int fd; /* of a stream */
    uint64_t client;
    char name[PSST_SAFE_NAME_SIZE];
    struct psst_source_id source;
    struct psst_folder_report report; /* of a folder */
    enum psst_err err;
    struct psst_diag diag;
    psst_transfer_done *done;
    void *ctx;
};

static void offer_free(struct offer *offer)
{
    if (offer->fd >= 0) (void)close(offer->fd);
    free(offer->path);
    free(offer);
}

static void offer_finish(struct offer *offer, enum psst_err err, const char *words, int64_t id)
{
    offer->done(offer->ctx, err, words, id);
    offer_free(offer);
}

static struct offer *offer_new(struct psst_transfers *transfers, const struct psst_contact *contact,
                               psst_transfer_done *done, void *ctx)
{
    struct offer *offer = calloc(1, sizeof *offer);
    if (offer == NULL) return NULL;
    offer->work.data = offer;
    offer->all = transfers;
    offer->generation = transfers->generation;
    offer->contact_id = contact->id;
    offer->fd = -1;
    offer->done = done;
    offer->ctx = ctx;
    return offer;
}

/* ---- into the store, and out ---- */

void psst_transfer_offer(struct psst_transfer *t)
{
    struct psst_contact *contact = psst_transfer_contact(t);
    const struct psst_file_chunk chunk = {.kind = PSST_FILE_OFFER,
                                          .id = t->transfer_id,
                                          .form = t->form,
                                          .size = t->form == PSST_FILE_FORM_STREAM ? PSST_FILE_SIZE_UNKNOWN : t->size,
                                          .name = psst_view_str(t->name)};
    if (contact == NULL) return;
    t->offered = t->offered || contact->session != NULL;
    psst_transfer_say(contact, t->all->d, &chunk);
}

static void offer_stored(struct psst_transfers *transfers, struct psst_transfer *t, const struct psst_transfer_row *row,
                         enum psst_err err, const char *words, void *ctx)
{
    struct offer *offer = ctx;
    (void)transfers;
    (void)row;
    if (t != NULL) {
        t->contents = offer->report.facts;
        t->fd = offer->fd;
        t->client = offer->client;
        offer->fd = -1;
    }
    offer->done(offer->ctx, err, t != NULL ? offer->report.left_out : words, t != NULL ? t->id : 0);
    offer_free(offer);
    if (t == NULL || psst_transfer_is_over(t)) return; /* who asked for it may be gone already */
    psst_transfer_event(t);
    struct psst_contact *contact = psst_transfer_contact(t);
    if (contact == NULL) return;
    if (contact->session != NULL)
        psst_transfer_offer(t);
    else
        psst_peers_dial_quietly(t->all->d->peers, contact);
}

static void store(struct offer *offer)
{
    struct psst_transfers *all = offer->all;
    bool stream = offer->fd >= 0;
    struct psst_transfer_row row = {.contact_id = offer->contact_id,
                                    .direction = PSST_OUT,
                                    .state = PSST_TRANSFER_WAITING,
                                    .form = stream          ? PSST_FILE_FORM_STREAM
                                            : offer->folder ? PSST_FILE_FORM_FOLDER
                                            : offer->voice  ? PSST_FILE_FORM_VOICE
                                                            : PSST_FILE_FORM_FILE,
                                    .size = stream ? PSST_TRANSFER_SIZE_UNKNOWN : offer->source.size,
                                    .mtime_ns = offer->source.mtime_ns,
                                    .inode = offer->source.inode,
                                    .created_ms = psst_daemon_now(all->d).unix_ms,
                                    .name = psst_view_str(offer->name),
                                    .path = psst_view_str(stream ? "-" : offer->path)};
    psst_crypto_rng.fill(psst_crypto_rng.ctx, row.transfer_id.b, sizeof row.transfer_id.b);
    psst_transfer_store_new(all, &row, true, offer_stored, offer);
}

/* ---- files and folders ---- */

static bool is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static void look_into(struct offer *offer)
{
    struct psst_tar_facts *facts = &offer->report.facts;
    offer->folder = true;
    offer->err = psst_folder_measure(offer->all->tar_program, offer->path, &offer->report, &offer->diag);
    if (offer->err != PSST_OK) return;
    offer->source = (struct psst_source_id){.size = facts->size, .inode = facts->stamp};
    if (facts->size > PSST_FILE_SIZE_MAX)
        offer->err = psst_fail(&offer->diag, PSST_ERR_TOO_LONG, "the folder is too large");
}

static void look(uv_work_t *work)
{
    struct offer *offer = work->data;
    struct psst_outgoing file;
    if (is_folder(offer->path)) {
        look_into(offer);
        return;
    }
    offer->err = psst_outgoing_open(&file, offer->path, &offer->diag);
    if (offer->err != PSST_OK) return;
    offer->source = (struct psst_source_id){file.size, file.mtime_ns, file.inode};
    if (file.size > PSST_FILE_SIZE_MAX)
        offer->err = psst_fail(&offer->diag, PSST_ERR_TOO_LONG, "the file is too large");
    (void)close(file.fd);
}

/* As it is when that is text; what is not would only be refused over there. */
static void take_name(char out[PSST_SAFE_NAME_SIZE], const char *name)
{
    size_t len = strlen(name);
    if (len > 0 && len < PSST_SAFE_NAME_SIZE && len <= PSST_FILE_NAME_MAX && psst_text_valid(psst_view(name, len)))
        memcpy(out, name, len + 1);
    else
        psst_file_name_sanitize(out, psst_view(name, len));
}

static void looked(uv_work_t *work, int status)
{
    struct offer *offer = work->data;
    if (status != 0 || offer->generation != offer->all->generation)
        offer_finish(offer, PSST_ERR_LOCKED, "the identity was locked meanwhile", 0);
    else if (offer->err != PSST_OK)
        offer_finish(offer, offer->err, offer->diag.text, 0);
    else
        store(offer);
}

static void send_path(struct psst_transfers *transfers, struct psst_contact *contact, const char *path,
                      const char *voice_name, psst_transfer_done *done, void *ctx)
{
    struct offer *offer = offer_new(transfers, contact, done, ctx);
    if (offer != NULL) offer->path = strdup(path);
    if (offer == NULL || offer->path == NULL) {
        if (offer != NULL) offer_free(offer);
        done(ctx, PSST_ERR_MEMORY, "out of memory", 0);
        return;
    }
    for (size_t len = strlen(path); len > 1 && path[len - 1] == '/';) offer->path[--len] = '\0'; /* a folder's */
    const char *slash = strrchr(offer->path, '/');
    offer->voice = voice_name != NULL;
    take_name(offer->name, offer->voice ? voice_name : slash != NULL ? slash + 1 : offer->path);
    if (uv_queue_work(transfers->d->loop, &offer->work, look, looked) != 0)
        offer_finish(offer, PSST_ERR_MEMORY, "out of memory", 0);
}

void psst_transfers_send(struct psst_transfers *transfers, struct psst_contact *contact, const char *path,
                         psst_transfer_done *done, void *ctx)
{
    send_path(transfers, contact, path, NULL, done, ctx);
}

void psst_transfers_send_voice(struct psst_transfers *transfers, struct psst_contact *contact, const char *path,
                               unsigned seconds, psst_transfer_done *done, void *ctx)
{
    char name[64];
    psst_transfer_voice_name(name, seconds);
    send_path(transfers, contact, path, name, done, ctx);
}

/* ---- streams ---- */

void psst_transfers_send_stream(struct psst_transfers *transfers, struct psst_contact *contact, int fd,
                                const char *name, uint64_t client, psst_transfer_done *done, void *ctx)
{
    struct offer *offer = offer_new(transfers, contact, done, ctx);
    if (offer == NULL) {
        (void)close(fd);
        done(ctx, PSST_ERR_MEMORY, "out of memory", 0);
        return;
    }
    offer->fd = fd;
    offer->client = client;
    take_name(offer->name, name);
    store(offer);
}
