/* The jobs of psst-voice that have a file (message.h): a voice message is recorded into one of ours, which becomes a transfer, and
 * played from the one that a transfer left. */
#include "daemon/calls/message_internal.h"

#include "crypto/crypto.h"
#include "daemon/transfers/transfers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define OGG_TAIL 65536 /* the last page of an Ogg file is no longer than this */
#define OGG_HZ   48000

/* ---- recording ---- */

/* How long it is, by its last page (RFC 3533, 6; RFC 7845, 4): ours, written a moment ago. Rounded, but 0 only when nothing is in it. */
static unsigned ogg_seconds(int fd)
{
    static const uint8_t mark[4] = {'O', 'g', 'g', 'S'};
    struct stat st;
    unsigned seconds = 0;
    uint8_t *tail = malloc(OGG_TAIL);
    if (tail == NULL || fstat(fd, &st) != 0) {
        free(tail);
        return 0;
    }
    off_t from = st.st_size > OGG_TAIL ? st.st_size - OGG_TAIL : 0;
    ssize_t n = pread(fd, tail, OGG_TAIL, from);
    for (ssize_t at = n - 14; at >= 0; at--) {
        uint64_t samples = 0;
        if (memcmp(tail + at, mark, sizeof mark) != 0) continue;
        for (size_t i = 8; i > 0; i--) samples = samples << 8 | tail[at + 5 + (ssize_t)i];
        if (samples > 0 && samples < (uint64_t)OGG_HZ * UINT16_MAX)
            seconds = (unsigned)((samples + OGG_HZ / 2) / OGG_HZ);
        if (samples > 0 && seconds == 0) seconds = 1;
        break;
    }
    free(tail);
    return seconds;
}

static void sent(void *ctx, enum psst_err err, const char *words, int64_t id)
{
    struct psst_messages *messages = ctx;
    struct psst_message_job *job = &messages->job;
    json_t *result = json_pack("{s:I, s:I}", "id", (json_int_t)id, "seconds", (json_int_t)job->seconds);
    psst_message_finish(messages, err, NULL, words, result);
}

void psst_message_recorded(struct psst_messages *messages, const struct psst_voice_message *m)
{
    struct psst_message_job *job = &messages->job;
    struct psst_contact *contact = psst_book_by_id(messages->d->book, job->contact_id);
    job->started = false;
    job->seconds = ogg_seconds(job->fd);
    if (job->discard)
        psst_message_finish(messages, PSST_ERR_USAGE, "discarded", "it was thrown away", NULL);
    else if (m->result != 0)
        psst_message_finish(messages, PSST_ERR_IO, NULL,
                            m->words[0] != '\0' ? m->words : "the recording was broken off", NULL);
    else if (contact == NULL)
        psst_message_finish(messages, PSST_ERR_NOT_FOUND, NULL, "the contact is gone", NULL);
    else if (job->seconds == 0)
        psst_message_finish(messages, PSST_ERR_IO, NULL, "nothing was recorded", NULL);
    else {
        job->sending = true;
        psst_transfers_send_voice(messages->d->transfers, contact, job->path, job->seconds, sent, messages);
    }
}

static enum psst_err make_file(struct psst_messages *messages, struct psst_diag *diag)
{
    struct psst_message_job *job = &messages->job;
    char dir[PSST_PATH_MAX];
    uint8_t number[8];
    enum psst_err err = psst_transfers_voice_dir(messages->d, dir, true, diag);
    if (err != PSST_OK) return err;
    psst_crypto_rng.fill(psst_crypto_rng.ctx, number, sizeof number);
    (void)snprintf(job->path, sizeof job->path, "%s/own-%016llx.opus", dir, (unsigned long long)psst_load_u64(number));
    job->fd = open(job->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (job->fd >= 0) return PSST_OK;
    int number_of_error = errno;
    job->path[0] = '\0';
    return psst_fail(diag, PSST_ERR_IO, "%.160s: %s", dir, strerror(number_of_error));
}

void psst_messages_record(struct psst_messages *messages, const struct psst_contact *contact, unsigned seconds,
                          struct psst_call_ends ends, uint64_t client, psst_sound_done *done, void *ctx)
{
    struct psst_diag diag = {{0}};
    if (!psst_message_begin(messages, PSST_VOICE_RECORD, ends, client, done, ctx)) return;
    messages->job.contact_id = contact->id;
    messages->job.seconds = seconds;
    enum psst_err err = make_file(messages, &diag);
    if (err == PSST_OK)
        psst_message_start(messages);
    else
        psst_message_finish(messages, err, NULL, diag.text, NULL);
}

/* ---- playing ---- */

struct lookup {
    struct psst_messages *messages;
    uint64_t number;
    int64_t id;
    bool found, is_voice, theirs, whole;
    int fd;
    char path[2 * PSST_PATH_MAX];
};

static enum psst_err look_at(void *ctx, const struct psst_transfer_row *row)
{
    struct lookup *lookup = ctx;
    lookup->found = true;
    lookup->theirs = row->direction == PSST_IN;
    lookup->is_voice = row->form == PSST_TRANSFER_FORM_VOICE;
    lookup->whole = (!lookup->theirs || row->state == PSST_TRANSFER_DONE) && row->path.len < sizeof lookup->path;
    if (!lookup->whole) return PSST_OK;
    memcpy(lookup->path, row->path.data, row->path.len);
    lookup->path[row->path.len] = '\0';
    return PSST_OK;
}

/* On the store thread, which may wait for the disk. */
static enum psst_err lookup_work(struct psst_store *store, void *arg)
{
    struct lookup *lookup = arg;
    struct stat st;
    enum psst_err err = psst_store_transfer_by_id(store, lookup->id, look_at, lookup);
    if (err != PSST_OK || !lookup->is_voice || !lookup->whole) return err;
    lookup->fd = open(lookup->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (lookup->fd >= 0 && (fstat(lookup->fd, &st) != 0 || !S_ISREG(st.st_mode))) {
        (void)close(lookup->fd);
        lookup->fd = -1;
    }
    return PSST_OK;
}

static void looked_up(void *arg, enum psst_err err, const char *words)
{
    struct lookup *lookup = arg;
    struct psst_messages *messages = lookup->messages;
    struct psst_message_job *job = &messages->job;
    bool ours = job->kind == PSST_VOICE_PLAY && job->number == lookup->number;
    if (ours) job->theirs = lookup->theirs;
    if (!ours && lookup->fd >= 0) (void)close(lookup->fd);
    if (ours) job->fd = lookup->fd;
    const char *why = !lookup->found      ? "there is no such message: psst files --all shows them"
                      : !lookup->is_voice ? "that is no voice message"
                      : !lookup->whole    ? "it is not here yet: psst files shows how far it is"
                                          : "its file is gone";
    bool playable = ours && err == PSST_OK && lookup->fd >= 0;
    free(lookup);
    if (!ours) return;
    if (err != PSST_OK)
        psst_message_finish(messages, err, NULL, words, NULL);
    else if (!playable)
        psst_message_finish(messages, PSST_ERR_USAGE, NULL, why, NULL);
    else if (job->discard) /* stopped before it began */
        psst_message_finish(messages, PSST_OK, NULL, "", json_object());
    else
        psst_message_start(messages);
}

void psst_messages_play(struct psst_messages *messages, int64_t id, struct psst_call_ends ends, uint64_t client,
                        psst_sound_done *done, void *ctx)
{
    if (!psst_message_begin(messages, PSST_VOICE_PLAY, ends, client, done, ctx)) return;
    struct lookup *lookup = calloc(1, sizeof *lookup);
    if (lookup == NULL) {
        psst_message_finish(messages, PSST_ERR_MEMORY, NULL, NULL, NULL);
        return;
    }
    messages->job.id = id;
    lookup->messages = messages;
    lookup->number = messages->job.number;
    lookup->id = id;
    lookup->fd = -1;
    psst_store_run(messages->d->store, lookup_work, looked_up, lookup);
}

void psst_message_played(struct psst_messages *messages, const struct psst_voice_message *m)
{
    const struct psst_message_job *job = &messages->job;
    if (m->result == 0 && job->theirs) psst_transfers_heard(messages->d->transfers, job->id);
    if (m->result == 0)
        psst_message_finish(messages, PSST_OK, NULL, "", json_object());
    else
        psst_message_finish(messages, PSST_ERR_IO, NULL, m->words[0] != '\0' ? m->words : "it cannot be played", NULL);
}
