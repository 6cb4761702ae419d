/* One job of psst-voice at a time, from a request to its answer (message.h).
 *
 *   begin -> (record: a file; play: the row, on the store thread) -> start -> heard: DONE -> over -> finish
 */
#include "daemon/calls/message.h"

#include "crypto/crypto.h"
#include "daemon/transfers/transfers.h"
#include "ipc/rpc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEVICES_MAX 128
#define QUIET_DBFS  (-100)
#define OGG_TAIL    65536 /* the last page of an Ogg file is no longer than this */
#define OGG_HZ      48000

struct job {
    enum psst_voice_job kind; /* 0: nothing is under way */
    uint64_t number;          /* of this psstd; for what comes later */
    uint64_t client;
    psst_sound_done *done;
    void *ctx;
    struct psst_call_ends ends;
    unsigned seconds;
    bool discard, started;
    bool sending;                  /* RECORD: it is being made a transfer, which says when that is done */
    int64_t contact_id;            /* RECORD */
    int64_t id;                    /* PLAY: the transfer */
    bool theirs;                   /* PLAY: it came */
    int fd;                        /* of the message; -1: none */
    char path[PSST_PATH_MAX + 64]; /* RECORD */
    int level_dbfs;                /* CHECK: the loudest */
    json_t *devices;
};

struct psst_messages {
    struct psst_daemon *d;
    struct job job;
    uint64_t numbers;
};

enum psst_err psst_messages_new(struct psst_messages **out, struct psst_daemon *d)
{
    struct psst_messages *messages = calloc(1, sizeof *messages);
    if (messages == NULL) return PSST_ERR_MEMORY;
    messages->d = d;
    *out = messages;
    return PSST_OK;
}

void psst_messages_free(struct psst_messages *messages)
{
    free(messages);
}

/* ---- begin and end ---- */

static void close_all(struct job *job)
{
    psst_call_close_ends(&job->ends);
    if (job->fd >= 0) (void)close(job->fd);
    job->fd = -1;
}

/* Takes result. What was recorded and is no message of anybody's is removed. */
static void finish(struct psst_messages *messages, enum psst_err err, const char *name, const char *words,
                   json_t *result)
{
    struct job job = messages->job;
    messages->job = (struct job){.fd = -1, .ends = {-1, -1}};
    close_all(&job);
    if (err != PSST_OK && job.path[0] != '\0') (void)unlink(job.path);
    json_decref(job.devices);
    if (err != PSST_OK) {
        json_decref(result);
        result = NULL;
    }
    job.done(job.ctx, err, name, words, result);
}

/* False: said; ends are closed. */
static bool begin(struct psst_messages *messages, enum psst_voice_job kind, struct psst_call_ends ends, uint64_t client,
                  psst_sound_done *done, void *ctx)
{
    struct psst_diag diag = {{0}};
    enum psst_err err = messages->job.kind != 0
                            ? psst_fail(&diag, PSST_ERR_USAGE, "a recording or a sound is under way")
                            : psst_calls_sound_free(messages->d->calls, &diag);
    if (err != PSST_OK) {
        psst_call_close_ends(&ends);
        done(ctx, err, NULL, diag.text, NULL);
        return false;
    }
    messages->job = (struct job){.kind = kind,
                                 .number = ++messages->numbers,
                                 .client = client,
                                 .done = done,
                                 .ctx = ctx,
                                 .ends = ends,
                                 .fd = -1,
                                 .level_dbfs = QUIET_DBFS};
    return true;
}

static void heard(void *ctx, const struct psst_voice_message *m);

static void close_one(int *fd)
{
    if (*fd >= 0) (void)close(*fd);
    *fd = -1;
}

/* A file for an end that this job does not have. With the message itself there is room for no more than two. */
static void close_idle(struct job *job)
{
    bool records = job->kind == PSST_VOICE_RECORD;
    if (!records && job->kind != PSST_VOICE_CHECK) close_one(&job->ends.wav_in);
    if (records && job->ends.wav_in >= 0) close_one(&job->ends.wav_out);
}

/* psst-voice begins. What cannot be started is over. */
static void start(struct psst_messages *messages)
{
    struct job *job = &messages->job;
    struct psst_voice_work work = {.heard = heard, .ctx = messages};
    struct psst_diag diag = {{0}};
    close_idle(job);
    psst_calls_fill_work(messages->d->calls, &job->ends, &work);
    work.start.job = job->kind;
    work.start.limit_s = (uint16_t)job->seconds;
    bool records = job->kind == PSST_VOICE_RECORD || job->kind == PSST_VOICE_CHECK;
    if (!records) work.start.kinds[PSST_AUDIO_MICROPHONE] = PSST_AUDIO_NONE;
    if (job->kind == PSST_VOICE_DEVICES) work.start.kinds[PSST_AUDIO_SPEAKER] = PSST_AUDIO_NONE;
    if (job->kind == PSST_VOICE_RECORD && job->ends.wav_in >= 0) /* nobody sits there who waits for the tone */
        work.start.kinds[PSST_AUDIO_SPEAKER] = PSST_AUDIO_NULL;
    if (job->fd >= 0) work.fds[work.n_fds++] = job->fd;
    enum psst_err err = psst_calls_sound_free(messages->d->calls, &diag); /* a call may have come in between */
    if (err == PSST_OK) err = psst_voice_child_start(psst_calls_voice(messages->d->calls), &work, &diag);
    job->started = err == PSST_OK;
    if (err != PSST_OK) finish(messages, err, NULL, diag.text, NULL);
}

static void stop(struct psst_messages *messages)
{
    if (messages->job.started)
        psst_voice_child_stop(psst_calls_voice(messages->d->calls));
    else
        messages->job.discard = true; /* the file is still looked for */
}

enum psst_err psst_messages_stop(struct psst_messages *messages, bool discard)
{
    if (messages->job.kind == 0) return PSST_ERR_NOT_FOUND;
    messages->job.discard |= discard && messages->job.kind == PSST_VOICE_RECORD;
    stop(messages);
    return PSST_OK;
}

void psst_messages_client_gone(struct psst_messages *messages, uint64_t client)
{
    if (messages->job.kind == 0 || messages->job.client != client) return;
    messages->job.discard = true;
    stop(messages);
}

void psst_messages_unloaded(struct psst_messages *messages)
{
    if (messages->job.kind == 0 || messages->job.sending) return;
    if (messages->job.started) psst_voice_child_drop(psst_calls_voice(messages->d->calls));
    finish(messages, PSST_ERR_LOCKED, NULL, "locked meanwhile", NULL);
}

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
    struct job *job = &messages->job;
    json_t *result = json_pack("{s:I, s:I}", "id", (json_int_t)id, "seconds", (json_int_t)job->seconds);
    finish(messages, err, NULL, words, result);
}

static void recorded(struct psst_messages *messages, const struct psst_voice_message *m)
{
    struct job *job = &messages->job;
    struct psst_contact *contact = psst_book_by_id(messages->d->book, job->contact_id);
    job->started = false;
    job->seconds = ogg_seconds(job->fd);
    if (job->discard)
        finish(messages, PSST_ERR_USAGE, "discarded", "it was thrown away", NULL);
    else if (m->result != 0)
        finish(messages, PSST_ERR_IO, NULL, m->words[0] != '\0' ? m->words : "the recording was broken off", NULL);
    else if (contact == NULL)
        finish(messages, PSST_ERR_NOT_FOUND, NULL, "the contact is gone", NULL);
    else if (job->seconds == 0)
        finish(messages, PSST_ERR_IO, NULL, "nothing was recorded", NULL);
    else {
        job->sending = true;
        psst_transfers_send_voice(messages->d->transfers, contact, job->path, job->seconds, sent, messages);
    }
}

static enum psst_err make_file(struct psst_messages *messages, struct psst_diag *diag)
{
    struct job *job = &messages->job;
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
    if (!begin(messages, PSST_VOICE_RECORD, ends, client, done, ctx)) return;
    messages->job.contact_id = contact->id;
    messages->job.seconds = seconds;
    enum psst_err err = make_file(messages, &diag);
    if (err == PSST_OK)
        start(messages);
    else
        finish(messages, err, NULL, diag.text, NULL);
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
    struct job *job = &messages->job;
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
        finish(messages, err, NULL, words, NULL);
    else if (!playable)
        finish(messages, PSST_ERR_USAGE, NULL, why, NULL);
    else if (job->discard) /* stopped before it began */
        finish(messages, PSST_OK, NULL, "", json_object());
    else
        start(messages);
}

void psst_messages_play(struct psst_messages *messages, int64_t id, struct psst_call_ends ends, uint64_t client,
                        psst_sound_done *done, void *ctx)
{
    if (!begin(messages, PSST_VOICE_PLAY, ends, client, done, ctx)) return;
    struct lookup *lookup = calloc(1, sizeof *lookup);
    if (lookup == NULL) {
        finish(messages, PSST_ERR_MEMORY, NULL, NULL, NULL);
        return;
    }
    messages->job.id = id;
    lookup->messages = messages;
    lookup->number = messages->job.number;
    lookup->id = id;
    lookup->fd = -1;
    psst_store_run(messages->d->store, lookup_work, looked_up, lookup);
}

static void played(struct psst_messages *messages, const struct psst_voice_message *m)
{
    const struct job *job = &messages->job;
    if (m->result == 0 && job->theirs) psst_transfers_heard(messages->d->transfers, job->id);
    if (m->result == 0)
        finish(messages, PSST_OK, NULL, "", json_object());
    else
        finish(messages, PSST_ERR_IO, NULL, m->words[0] != '\0' ? m->words : "it cannot be played", NULL);
}

/* ---- sound check, devices ---- */

void psst_messages_check(struct psst_messages *messages, unsigned seconds, struct psst_call_ends ends, uint64_t client,
                         psst_sound_done *done, void *ctx)
{
    if (!begin(messages, PSST_VOICE_CHECK, ends, client, done, ctx)) return;
    messages->job.seconds = seconds;
    start(messages);
}

void psst_messages_devices(struct psst_messages *messages, uint64_t client, psst_sound_done *done, void *ctx)
{
    const struct psst_call_ends none = {-1, -1};
    if (!begin(messages, PSST_VOICE_DEVICES, none, client, done, ctx)) return;
    messages->job.devices = json_array();
    start(messages);
}

static void listed(struct job *job, const struct psst_voice_message *m)
{
    if (job->kind != PSST_VOICE_DEVICES || json_array_size(job->devices) >= DEVICES_MAX) return;
    (void)json_array_append_new(job->devices, json_pack("{s:s, s:o, s:o, s:b}", "end",
                                                        m->end == PSST_AUDIO_MICROPHONE ? "microphone" : "speaker",
                                                        "name", psst_rpc_words(m->name), "description",
                                                        psst_rpc_words(m->words), "default", (int)m->is_default));
}

static void checked(struct psst_messages *messages, const struct psst_voice_message *m)
{
    finish(messages, PSST_OK, NULL, "",
           json_pack("{s:b, s:o, s:i}", "ok", m->result == 0, "words", psst_rpc_words(m->words), "level_dbfs",
                     messages->job.level_dbfs));
}

/* ---- what psst-voice says ---- */

static void over(struct psst_messages *messages, const struct psst_voice_message *m)
{
    struct job *job = &messages->job;
    switch ((unsigned)job->kind) {
    case PSST_VOICE_RECORD: recorded(messages, m); return;
    case PSST_VOICE_PLAY: played(messages, m); return;
    case PSST_VOICE_CHECK: checked(messages, m); return;
    case PSST_VOICE_DEVICES:
        if (m->result != 0)
            finish(messages, PSST_ERR_IO, NULL, m->words, NULL);
        else
            finish(messages, PSST_OK, NULL, "", json_pack("{s:O}", "devices", job->devices));
        return;
    default: return;
    }
}

static void heard(void *ctx, const struct psst_voice_message *m)
{
    struct psst_messages *messages = ctx;
    if (messages->job.kind == 0 || !messages->job.started) return;
    if (m->op == PSST_VOICE_LEVELS && m->levels.microphone_dbfs > messages->job.level_dbfs)
        messages->job.level_dbfs = m->levels.microphone_dbfs;
    if (m->op == PSST_VOICE_LISTED) listed(&messages->job, m);
    if (m->op == PSST_VOICE_DONE) over(messages, m);
}
