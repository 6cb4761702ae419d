/* What is offered to us: stored, so that the user can decide, within limits; and what became of it since, when it is
 * offered again. */
#include "daemon/transfers/internal.h"

#include <stdlib.h>

#define OFFERS_BURST  PSST_TRANSFERS_UNDECIDED /* stored at once, and then one a second */
#define WITHDRAWN_MAX 1000 /* offers that one contact took back undecided: who offers for nothing is heard no more */

static void decline(struct psst_transfers *transfers, struct psst_contact *contact, const struct psst_msg_id *id,
                    uint8_t reason)
{
    reason &= (uint8_t)~PSST_TRANSFER_OURS;
    const struct psst_file_chunk chunk = {
        .kind = PSST_FILE_DECLINE, .id = *id, .reason = reason != 0 ? reason : PSST_FILE_BY_USER};
    psst_transfer_say(contact, transfers->d, &chunk);
}

/* ---- again ---- */

static void accepted_again(struct psst_transfer *t)
{
    bool news = t->peer_paused;
    t->peer_paused = false; /* who offers goes on */
    if (t->whole && t->stage == PSST_STAGE_IDLE)
        psst_transfer_in_settle(t, t->path);
    else if ((t->flags & PSST_TRANSFER_PAUSED) != 0)
        psst_transfer_say_kind(t, PSST_FILE_PAUSE, PSST_FILE_PAUSE_BY_USER);
    else
        psst_transfer_in_start(t);
    if (news) psst_transfer_event(t);
}

/* The answer is what has become of it since. */
static void offered_again(struct psst_transfer *t, struct psst_contact *contact, const struct psst_file_chunk *chunk)
{
    switch (t->state) {
    case PSST_TRANSFER_DONE: psst_transfer_in_acknowledge(t->all, contact, &t->transfer_id); return;
    case PSST_TRANSFER_DECLINED:
    case PSST_TRANSFER_FAILED: decline(t->all, contact, &t->transfer_id, t->reason); return;
    case PSST_TRANSFER_WAITING:
    case PSST_TRANSFER_ACCEPTED: break;
    }
    /* once a stream is whole, its size is known here, and not told again by the offer */
    if (chunk->form != t->form || (chunk->size != t->size && t->form != PSST_FILE_FORM_STREAM)) {
        decline(t->all, contact, &t->transfer_id, PSST_FILE_PROTOCOL);
        psst_transfer_end(t, PSST_TRANSFER_FAILED, PSST_FILE_PROTOCOL | PSST_TRANSFER_OURS, NULL);
    } else if (t->state == PSST_TRANSFER_ACCEPTED) {
        accepted_again(t);
    }
}

/* ---- for the first time ---- */

/* Offers that wait for the user. */
static unsigned undecided(const struct psst_transfers *transfers, int64_t contact_id)
{
    unsigned n = 0;
    for (const struct psst_transfer *t = transfers->first; t != NULL; t = t->next)
        n += t->contact_id == contact_id && t->direction == PSST_IN && t->state == PSST_TRANSFER_WAITING;
    return n;
}

/* Whether one more offer of this contact may take a row in the store. What is left out stays with the sender, which
 * offers it again with the next session. */
static bool may_store(struct psst_transfers *transfers, const struct psst_contact *contact,
                      struct psst_courier_files *files)
{
    if (files->withdrawn >= WITHDRAWN_MAX) return false;
    if (undecided(transfers, contact->id) + files->storing >= PSST_TRANSFERS_UNDECIDED) return false;
    uint64_t now_ns = psst_daemon_now(transfers->d).mono_ns;
    uint64_t level_ns = files->offers_ns > now_ns ? files->offers_ns : now_ns;
    if (level_ns - now_ns >= OFFERS_BURST * PSST_SECOND_NS) return false;
    files->offers_ns = level_ns + PSST_SECOND_NS;
    return true;
}

struct offered {
    int64_t contact_id;
    struct psst_msg_id id;
    bool paused, insert;
};

/* It stays with him, as his texts do. */
static void refuse_paused(struct psst_transfers *transfers, struct psst_contact *contact, const struct psst_msg_id *id)
{
    struct psst_conn *conn = contact->session;
    struct psst_now now = psst_daemon_now(transfers->d);
    psst_daemon_count(transfers->d, "offers-while-paused");
    if (conn == NULL || psst_conn_link(conn) == NULL) return;
    if (psst_link_not_accepted(psst_conn_link(conn), now, id, PSST_NOT_ACCEPTED_PAUSED) == PSST_OK)
        psst_conn_kick(conn);
}

/* It was known after all: it had ended, and so was no longer in memory. */
static void known(struct psst_transfers *transfers, struct psst_contact *contact, const struct psst_transfer_row *row)
{
    switch (row->state) {
    case PSST_TRANSFER_DONE: psst_transfer_in_acknowledge(transfers, contact, &row->transfer_id); return;
    case PSST_TRANSFER_DECLINED:
    case PSST_TRANSFER_FAILED: decline(transfers, contact, &row->transfer_id, row->reason); return;
    case PSST_TRANSFER_WAITING: /* not read yet: it is seen to then */
    case PSST_TRANSFER_ACCEPTED: return;
    }
}

/* A voice message may be taken without asking: until that is known, nobody is asked. */
static void taken_or_not(struct psst_transfer *t)
{
    if (t->form == PSST_FILE_FORM_VOICE) psst_transfer_voice_offered(t);
    psst_transfer_event(t);
}

static void offer_stored(struct psst_transfers *transfers, struct psst_transfer *t, const struct psst_transfer_row *row,
                         enum psst_err err, const char *words, void *ctx)
{
    struct offered *offered = ctx;
    struct psst_contact *contact = psst_book_by_id(transfers->d->book, offered->contact_id);
    struct psst_courier_files *files = contact != NULL ? contact->transfers : NULL;
    if (files != NULL && offered->insert && files->storing > 0) files->storing--;
    if (t != NULL)
        taken_or_not(t);
    else if (err == PSST_ERR_EXISTS && contact != NULL)
        known(transfers, contact, row);
    else if (err == PSST_ERR_NOT_FOUND && contact != NULL && offered->paused)
        refuse_paused(transfers, contact, &offered->id);
    else if (err == PSST_ERR_NOT_FOUND)
        psst_daemon_count(transfers->d, "offers-left-out");
    else if (err != PSST_ERR_EXISTS && err != PSST_ERR_LOCKED)
        psst_log_limited(&transfers->d->log, PSST_LOG_ERROR, "offer-not-kept", "reason=\"%s\"", words);
    free(offered);
}

/* Looked up in any case, for what ended long ago is known by the store alone; kept only within the limits. */
static void look_up_or_store(struct psst_transfers *transfers, struct psst_contact *contact,
                             const struct psst_file_chunk *chunk)
{
    struct psst_courier_files *files = psst_transfer_files(contact);
    struct offered *offered =
        files != NULL && psst_transfer_may_look_up(transfers, contact) ? malloc(sizeof *offered) : NULL;
    if (offered == NULL) {
        psst_daemon_count(transfers->d, "offers-left-out");
        return;
    }
    *offered = (struct offered){contact->id, chunk->id, contact->paused, false};
    offered->insert = !contact->paused && may_store(transfers, contact, files);
    if (offered->insert) files->storing++;
    char name[PSST_SAFE_NAME_SIZE];
    psst_file_name_sanitize(name, chunk->name); /* what the user is shown is what the file will be called */
    const struct psst_transfer_row row = {.contact_id = contact->id,
                                          .transfer_id = chunk->id,
                                          .direction = PSST_IN,
                                          .state = PSST_TRANSFER_WAITING,
                                          .form = chunk->form,
                                          .size = chunk->size,
                                          .created_ms = psst_daemon_now(transfers->d).unix_ms,
                                          .name = psst_view_str(name),
                                          .path = psst_view("", 0)};
    psst_transfer_store_new(transfers, &row, offered->insert, offer_stored, offered);
}

/* What of the forms can be taken here. */
static bool supported(const struct psst_transfers *transfers, const struct psst_file_chunk *chunk)
{
    switch ((enum psst_file_form)chunk->form) {
    case PSST_FILE_FORM_FILE:
    case PSST_FILE_FORM_VOICE:
    case PSST_FILE_FORM_STREAM: return true;
    case PSST_FILE_FORM_FOLDER: return chunk->size != PSST_FILE_SIZE_UNKNOWN && transfers->tar_program[0] != '\0';
    }
    return false;
}

void psst_transfer_offered(struct psst_transfers *transfers, struct psst_conn *conn,
                           const struct psst_file_chunk *chunk)
{
    struct psst_contact *contact = psst_conn_contact(conn);
    struct psst_transfer *t = psst_transfer_find(transfers, contact->id, &chunk->id, PSST_IN);
    if (t != NULL)
        offered_again(t, contact, chunk);
    else if (!supported(transfers, chunk))
        decline(transfers, contact, &chunk->id, PSST_FILE_NOT_SUPPORTED);
    else
        look_up_or_store(transfers, contact, chunk);
}
