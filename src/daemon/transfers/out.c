/* Sending: of each contact's accepted files one after another, and beside them his streams, a record in turn. The link's
 * output is filled only as far as it drains, so that a text never waits behind more than a moment's data. */
#include "daemon/transfers/internal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static bool is_stream(const struct psst_transfer *t)
{
    return t->form == PSST_FILE_FORM_STREAM;
}

/* ---- who sends ---- */

static void out_of_turn(struct psst_courier_files *files, const struct psst_transfer *t)
{
    if (files->sending == t) files->sending = NULL;
    for (size_t i = 0; i < files->n_streams; i++) {
        if (files->streams[i] != t) continue;
        files->streams[i] = files->streams[--files->n_streams];
        return;
    }
}

void psst_transfer_out_stop(struct psst_transfer *t)
{
    struct psst_contact *contact = psst_transfer_contact(t);
    if (contact != NULL && contact->transfers != NULL) out_of_turn(contact->transfers, t);
    t->stage = PSST_STAGE_IDLE;
    t->serial = 0;
    if (t->source == NULL) return;
    t->reached = psst_file_source_position(t->source);
    if (is_stream(t) && !t->spent) return; /* what was read ahead is still to be sent */
    psst_file_source_close(t->source);
    t->source = NULL;
}

bool psst_transfer_is_before(const struct psst_transfer *a, const struct psst_transfer *b)
{
    return a->rank != b->rank ? a->rank < b->rank : a->id < b->id;
}

static void on_source(void *ctx, enum psst_err err, const struct psst_diag *diag)
{
    struct psst_transfer *t = ctx;
    if (err != PSST_OK) {
        psst_transfer_fail(t, PSST_FILE_CHANGED, diag->text);
        return;
    }
    struct psst_conn *conn = psst_conn_by_serial(t->all->d->peers, t->serial);
    if (conn != NULL) psst_conn_kick(conn);
}

/* Where the bytes of each form come from. */
static enum psst_err open_origin(struct psst_transfer *t, struct psst_origin **origin)
{
    const struct psst_source_id offered = {t->size, t->mtime_ns, t->inode};
    int fd = -1;
    switch ((enum psst_file_form)t->form) {
    case PSST_FILE_FORM_FILE:
    case PSST_FILE_FORM_VOICE: return psst_origin_of_file(origin, t->path, &offered);
    case PSST_FILE_FORM_STREAM:
        fd = t->fd >= 0 ? fcntl(t->fd, F_DUPFD_CLOEXEC, 0) : -1;
        return fd >= 0 ? psst_origin_of_fd(origin, fd) : PSST_ERR_IO;
    case PSST_FILE_FORM_FOLDER: return psst_origin_of_folder(origin, t->all->tar_program, t->path, &offered);
    }
    return PSST_ERR_USAGE;
}

static void start(struct psst_transfer *t, struct psst_courier_files *files)
{
    struct psst_origin *origin = NULL;
    enum psst_err err = t->source == NULL ? open_origin(t, &origin) : PSST_OK;
    if (origin != NULL)
        err = psst_file_source_new(&t->source, t->all->d->workers, origin, t->size, t->start, on_source, t);
    if (err != PSST_OK) {
        psst_transfer_fail(t, PSST_FILE_CHANGED, NULL);
        return;
    }
    if (is_stream(t))
        files->streams[files->n_streams++] = t;
    else
        files->sending = t;
    t->stage = PSST_STAGE_RUNNING;
    psst_pace_begin(&t->pace, uv_hrtime(), psst_file_source_position(t->source));
    psst_transfer_event(t);
}

static bool in_line_before(const struct psst_transfer *t, const struct psst_transfer *best)
{
    return t->stage == PSST_STAGE_IN_LINE && (best == NULL || psst_transfer_is_before(t, best));
}

void psst_transfer_out_next(struct psst_transfers *transfers, struct psst_contact *contact)
{
    struct psst_courier_files *files = psst_transfer_files(contact);
    struct psst_transfer *file = NULL, *stream = NULL;
    if (files == NULL) return;
    bool wants_file = files->sending == NULL, wants_stream = files->n_streams < PSST_TRANSFERS_STREAMS;
    if (!wants_file && !wants_stream) return;
    for (struct psst_transfer *t = transfers->first; t != NULL; t = t->next) {
        if (t->contact_id != contact->id || t->direction != PSST_OUT) continue;
        struct psst_transfer **best = is_stream(t) ? &stream : &file;
        if (in_line_before(t, *best)) *best = t;
    }
    /* one that fails at once brings the next by its end */
    if (wants_stream && stream != NULL) start(stream, files);
    if (wants_file && file != NULL && file->stage == PSST_STAGE_IN_LINE && files->sending == NULL) start(file, files);
}

void psst_transfer_out_reorder(struct psst_transfers *transfers, struct psst_contact *contact)
{
    struct psst_courier_files *files = psst_transfer_files(contact);
    struct psst_transfer *running = files != NULL ? files->sending : NULL;
    if (running != NULL) { /* it stands in line again, with all that it has read ahead */
        files->sending = NULL;
        running->stage = PSST_STAGE_IN_LINE;
    }
    psst_transfer_out_next(transfers, contact);
    if (running != NULL && running->stage == PSST_STAGE_IN_LINE) psst_transfer_event(running);
    if (contact->session != NULL) psst_conn_kick(contact->session);
}

/* ---- what the receiver says ---- */

/* An accept after all was sent: what he had was damaged, and he begins anew. */
static bool may_begin(const struct psst_transfer *t)
{
    return t->stage == PSST_STAGE_IDLE || (t->stage == PSST_STAGE_FINISHING && !is_stream(t));
}

void psst_transfer_out_accepted(struct psst_transfer *t, struct psst_conn *conn, uint64_t offset)
{
    struct psst_contact *contact = psst_transfer_contact(t);
    if (contact == NULL || !may_begin(t)) return; /* accepted twice: harmless */
    uint64_t most = is_stream(t) ? 0 : t->size;
    uint64_t now_ns = psst_daemon_now(t->all->d).mono_ns;
    if (offset > most || !psst_bucket_try(&t->runs, now_ns, PSST_TRANSFER_RUN)) {
        psst_transfer_fail(t, PSST_FILE_PROTOCOL, NULL);
        return;
    }
    if (t->spent) { /* all of it had been sent, and did not arrive */
        psst_transfer_say_kind(t, PSST_FILE_CANCEL, PSST_FILE_CUT_OFF);
        psst_transfer_cut_off(t);
        return;
    }
    bool first = t->state != PSST_TRANSFER_ACCEPTED;
    psst_transfer_out_stop(t);
    t->state = PSST_TRANSFER_ACCEPTED;
    t->peer_paused = false;
    t->start = offset;
    t->reached = offset;
    t->window = 0;
    if (first) psst_transfer_keep(t, NULL, NULL);
    if ((t->flags & PSST_TRANSFER_PAUSED) != 0) {
        psst_transfer_say_kind(t, PSST_FILE_PAUSE, PSST_FILE_PAUSE_BY_USER);
    } else {
        t->serial = psst_conn_serial(conn);
        t->stage = PSST_STAGE_IN_LINE;
    }
    psst_transfer_event(t);
    psst_transfer_out_next(t->all, contact);
}

void psst_transfer_out_paused(struct psst_transfer *t)
{
    struct psst_contact *contact = psst_transfer_contact(t);
    if (contact == NULL || is_stream(t)) return;
    psst_transfer_out_stop(t);
    psst_transfer_say_kind(t, PSST_FILE_PAUSE, PSST_FILE_PAUSE_ANSWER);
    bool news = !t->peer_paused;
    t->peer_paused = true;
    if (news) psst_transfer_event(t);
    psst_transfer_out_next(t->all, contact);
}

void psst_transfer_out_window(struct psst_transfer *t, struct psst_conn *conn, uint64_t offset)
{
    if (!is_stream(t) || t->serial != psst_conn_serial(conn) || offset <= t->window) return;
    t->window = offset;
    psst_conn_kick(conn);
}

/* ---- records ---- */

/* How much of it goes into one record now: of a file full ones, of a stream what there is. */
static size_t piece(const struct psst_transfer *t, size_t most)
{
    size_t available = psst_file_source_available(t->source);
    if (is_stream(t)) {
        uint64_t position = psst_file_source_position(t->source);
        uint64_t granted = t->window > position ? t->window - position : 0;
        if (granted < most) most = (size_t)granted;
    } else if (available < most && !psst_file_source_complete(t->source) && !psst_file_source_full(t->source)) {
        return 0;
    }
    return available < most ? available : most;
}

/* One record of data. False: nothing is there to send, or no room. */
static bool send_record(struct psst_transfer *t, struct psst_conn *conn, size_t most)
{
    struct psst_link *link = psst_conn_link(conn);
    if (t->source == NULL || t->serial != psst_conn_serial(conn)) return false;
    size_t wanted = piece(t, most);
    struct psst_span place;
    if (wanted == 0 || psst_link_file_data_begin(link, &place) != PSST_OK) return false;
    uint64_t position = psst_file_source_position(t->source);
    size_t n = psst_file_source_take(t->source, place.data, wanted < place.len ? wanted : place.len);
    if (n > 0) t->spent = is_stream(t);
    psst_transfers_limit_take(t->all, n);
    return psst_link_file_data_commit(link, psst_daemon_now(t->all->d), &t->transfer_id, position, n) == PSST_OK &&
           n > 0;
}

/* The running ones in turn: the streams, then the file. */
static struct psst_transfer *in_turn(const struct psst_courier_files *files, size_t i)
{
    i %= files->n_streams + 1;
    return i < files->n_streams ? files->streams[i] : files->sending;
}

/* A record of whoever is next and has one. */
static bool send_one(struct psst_transfers *transfers, struct psst_courier_files *files, struct psst_conn *conn)
{
    size_t n = files->n_streams + 1, most = psst_transfers_limit_ask(transfers);
    for (size_t i = 0; most > 0 && i < n; i++) {
        struct psst_transfer *t = in_turn(files, files->turn++);
        if (t != NULL && send_record(t, conn, most)) return true;
    }
    return false;
}

/* All has been handed to the link: what it was is said, and the next one has its turn while this one is written over
 * there. */
static bool finish(struct psst_transfer *t, struct psst_conn *conn)
{
    if (t->source == NULL || t->serial != psst_conn_serial(conn)) return false;
    struct psst_file_chunk chunk = {
        .kind = PSST_FILE_DONE, .id = t->transfer_id, .size = psst_file_source_position(t->source)};
    if (!psst_file_source_end(t->source) || psst_file_source_hash(t->source, &chunk.sha256) != PSST_OK) return false;
    if (psst_link_file(psst_conn_link(conn), psst_daemon_now(t->all->d), &chunk) != PSST_OK) return false;
    uint64_t serial = t->serial;
    t->spent = is_stream(t);
    psst_transfer_out_stop(t);
    t->stage = PSST_STAGE_FINISHING;
    t->serial = serial;
    if (is_stream(t)) {
        t->size = chunk.size;
        psst_transfer_keep(t, NULL, NULL);
    }
    psst_transfer_event(t);
    psst_transfer_out_next(t->all, psst_conn_contact(conn));
    return true;
}

void psst_transfers_writable(struct psst_transfers *transfers, struct psst_conn *conn)
{
    struct psst_contact *contact = psst_conn_contact(conn);
    struct psst_courier_files *files = contact->transfers;
    if (files == NULL || (files->sending == NULL && files->n_streams == 0)) return;
    while (psst_conn_waiting(conn) < PSST_BULK_WAITING && send_one(transfers, files, conn)) continue;
    for (size_t i = files->n_streams; i > 0; i--)
        if (i <= files->n_streams && !finish(files->streams[i - 1], conn))
            psst_transfer_progress(files->streams[i - 1]);
    if (files->sending != NULL && !finish(files->sending, conn)) psst_transfer_progress(files->sending);
}
