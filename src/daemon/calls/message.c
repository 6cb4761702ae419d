/* One job of psst-voice at a time, from a request to its answer (message.h); those that have a file are in message_file.c.
 *
 *   begin -> (a file, or a row and its file: message_file.c) -> start -> heard: DONE -> over -> finish
 */
#include "daemon/calls/message_internal.h"

#include "ipc/rpc.h"

#include <stdlib.h>
#include <unistd.h>

#define DEVICES_MAX 128

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

static void close_all(struct psst_message_job *job)
{
    psst_call_close_ends(&job->ends);
    if (job->fd >= 0) (void)close(job->fd);
    job->fd = -1;
}

void psst_message_finish(struct psst_messages *messages, enum psst_err err, const char *name, const char *words,
                         json_t *result)
{
    struct psst_message_job job = messages->job;
    messages->job = (struct psst_message_job){.fd = -1, .ends = {-1, -1}};
    close_all(&job);
    if (err != PSST_OK && job.path[0] != '\0') (void)unlink(job.path);
    json_decref(job.devices);
    if (err != PSST_OK) {
        json_decref(result);
        result = NULL;
    }
    job.done(job.ctx, err, name, words, result);
}

bool psst_message_begin(struct psst_messages *messages, enum psst_voice_job kind, struct psst_call_ends ends,
                        uint64_t client, psst_sound_done *done, void *ctx)
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
    messages->job = (struct psst_message_job){.kind = kind,
                                              .number = ++messages->numbers,
                                              .client = client,
                                              .done = done,
                                              .ctx = ctx,
                                              .ends = ends,
                                              .fd = -1,
                                              .level_dbfs = PSST_MESSAGE_QUIET_DBFS};
    return true;
}

static void heard(void *ctx, const struct psst_voice_message *m);

static void close_one(int *fd)
{
    if (*fd >= 0) (void)close(*fd);
    *fd = -1;
}

/* A file for an end that this job does not have. With the message itself there is room for no more than two. */
static void close_idle(struct psst_message_job *job)
{
    bool records = job->kind == PSST_VOICE_RECORD;
    if (!records && job->kind != PSST_VOICE_CHECK) close_one(&job->ends.wav_in);
    if (records && job->ends.wav_in >= 0) close_one(&job->ends.wav_out);
}

void psst_message_start(struct psst_messages *messages)
{
    struct psst_message_job *job = &messages->job;
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
    if (err != PSST_OK) psst_message_finish(messages, err, NULL, diag.text, NULL);
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
    psst_message_finish(messages, PSST_ERR_LOCKED, NULL, "locked meanwhile", NULL);
}

/* ---- sound check, devices ---- */

void psst_messages_check(struct psst_messages *messages, unsigned seconds, struct psst_call_ends ends, uint64_t client,
                         psst_sound_done *done, void *ctx)
{
    if (!psst_message_begin(messages, PSST_VOICE_CHECK, ends, client, done, ctx)) return;
    messages->job.seconds = seconds;
    psst_message_start(messages);
}

void psst_messages_devices(struct psst_messages *messages, uint64_t client, psst_sound_done *done, void *ctx)
{
    const struct psst_call_ends none = {-1, -1};
    if (!psst_message_begin(messages, PSST_VOICE_DEVICES, none, client, done, ctx)) return;
    messages->job.devices = json_array();
    psst_message_start(messages);
}

static void listed(struct psst_message_job *job, const struct psst_voice_message *m)
{
    if (job->kind != PSST_VOICE_DEVICES || json_array_size(job->devices) >= DEVICES_MAX) return;
    (void)json_array_append_new(job->devices, json_pack("{s:s, s:o, s:o, s:b}", "end",
                                                        m->end == PSST_AUDIO_MICROPHONE ? "microphone" : "speaker",
                                                        "name", psst_rpc_words(m->name), "description",
                                                        psst_rpc_words(m->words), "default", (int)m->is_default));
}

static void checked(struct psst_messages *messages, const struct psst_voice_message *m)
{
    psst_message_finish(messages, PSST_OK, NULL, "",
                        json_pack("{s:b, s:o, s:i}", "ok", m->result == 0, "words", psst_rpc_words(m->words),
                                  "level_dbfs", messages->job.level_dbfs));
}

/* ---- what psst-voice says ---- */

static void over(struct psst_messages *messages, const struct psst_voice_message *m)
{
    struct psst_message_job *job = &messages->job;
    switch ((unsigned)job->kind) {
    case PSST_VOICE_RECORD: psst_message_recorded(messages, m); return;
    case PSST_VOICE_PLAY: psst_message_played(messages, m); return;
    case PSST_VOICE_CHECK: checked(messages, m); return;
    case PSST_VOICE_DEVICES:
        if (m->result != 0)
            psst_message_finish(messages, PSST_ERR_IO, NULL, m->words, NULL);
        else
            psst_message_finish(messages, PSST_OK, NULL, "", json_pack("{s:O}", "devices", job->devices));
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
