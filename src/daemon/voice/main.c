/* psst-voice: the sound of a call, and nothing else. psstd starts it with one socket as descriptor 3. It has no key and no
 * network, opens no file and no connection, and ends when that socket does.
 *
 *     harden -> relay -> loop -> sandbox -> START: a job -> ... -> STOP, or the end of the socket
 */
#include "daemon/voice/line.h"
#include "daemon/voice/relay.h"
#include "daemon/voice/sandbox.h"
#include "daemon/voice/voice.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define TURN_MAX 32 /* messages in one go; then the sound has its turn */

struct voice {
    struct psst_audio_loop *loop;
    struct psst_audio_watch *line, *later;
    int later_fd; /* wakes us once the callback that ended the job has returned */
    const struct voice_job_kind *kind;
    struct voice_job *job; /* NULL: none */
    bool over;
    uint8_t result;
    char words[PSST_VOICE_WORDS_MAX + 1];
    bool failed;
    struct voice_received received;
};

struct psst_audio_loop *voice_loop(struct voice *voice)
{
    return voice->loop;
}

void voice_say(struct voice *voice, const struct psst_voice_message *message)
{
    if (voice_line_send(PSST_VOICE_FD, message) == PSST_ERR_IO) psst_audio_loop_quit(voice->loop);
}

void voice_over(struct voice *voice, uint8_t result, const char *words)
{
    if (voice->over) return;
    voice->over = true;
    voice->result = result;
    (void)snprintf(voice->words, sizeof voice->words, "%s", words);
    const uint64_t one = 1;
    if (write(voice->later_fd, &one, sizeof one) != (ssize_t)sizeof one) voice->failed = true;
}

static void drop_job(struct voice *voice)
{
    if (voice->job != NULL) voice->kind->free(voice->job);
    voice->job = NULL;
    psst_audio_watch_rest(voice->line, false);
    voice->over = false;
}

static void say_done(struct voice *voice)
{
    struct psst_voice_message done = {.op = PSST_VOICE_DONE, .result = voice->result};
    memcpy(done.words, voice->words, sizeof done.words);
    drop_job(voice); /* first: what it wrote is whole when psstd hears of it */
    voice_say(voice, &done);
}

static void on_later(void *ctx)
{
    struct voice *voice = ctx;
    uint64_t times;
    if (read(voice->later_fd, &times, sizeof times) < 0) return;
    if (voice->over) say_done(voice);
}

static const struct voice_job_kind *kind_of(enum psst_voice_job job)
{
    switch (job) {
    case PSST_VOICE_CALL: return &voice_job_call;
    case PSST_VOICE_RING:
    case PSST_VOICE_RINGBACK: return &voice_job_tone;
    case PSST_VOICE_PLAY: return &voice_job_play;
    case PSST_VOICE_RECORD: return &voice_job_record;
    case PSST_VOICE_CHECK: return &voice_job_check;
    case PSST_VOICE_DEVICES: return &voice_job_devices;
    }
    return NULL;
}

static void on_start(struct voice *voice, const struct psst_voice_start *start, const int *fds)
{
    drop_job(voice);
    voice->kind = kind_of(start->job);
    voice->words[0] = '\0';
    struct psst_diag diag = {0};
    struct voice_job *job = NULL;
    const enum psst_err err = voice->kind->start(&job, voice, start, fds, &diag);
    if (err != PSST_OK) {
        struct psst_voice_message done = {.op = PSST_VOICE_DONE, .result = 1};
        (void)snprintf(done.words, sizeof done.words, "%s",
                       diag.text[0] != '\0' ? diag.text : "the sound cannot be started");
        voice_say(voice, &done);
        return;
    }
    voice->job = job;
    psst_audio_watch_rest(voice->line, voice->kind->awake);
    const struct psst_voice_message ready = {.op = PSST_VOICE_READY};
    voice_say(voice, &ready);
}

static void on_stop(struct voice *voice)
{
    if (voice->job != NULL) {
        if (!voice->over) {
            voice->result = 0;
            voice->words[0] = '\0';
            if (voice->kind->stop != NULL) voice->kind->stop(voice->job);
        }
        say_done(voice);
    }
    psst_audio_loop_quit(voice->loop);
}

/* False: no operation for psst-voice. */
static bool on_message(struct voice *voice, const struct voice_received *r)
{
    const struct psst_voice_message *m = &r->message;
    const struct voice_job_kind *kind = voice->kind;
    const bool runs = voice->job != NULL && !voice->over;
    switch (m->op) {
    case PSST_VOICE_START: on_start(voice, &m->start, r->fds); return true;
    case PSST_VOICE_STOP: on_stop(voice); return true;
    case PSST_VOICE_SET:
        if (runs && kind->set != NULL) kind->set(voice->job, &m->settings);
        return true;
    case PSST_VOICE_FRAME:
        if (runs && kind->frame != NULL) kind->frame(voice->job, m->timestamp, m->payload, m->time_ns);
        return true;
    case PSST_VOICE_REMOTE:
        if (runs && kind->remote != NULL) kind->remote(voice->job, &m->report);
        return true;
    default: return false;
    }
}

static void on_line(void *ctx)
{
    struct voice *voice = ctx;
    for (int turns = 0; turns < TURN_MAX; turns++) {
        enum psst_err err = voice_line_receive(PSST_VOICE_FD, &voice->received);
        if (err == PSST_ERR_AGAIN) return;
        const bool stop = err == PSST_OK && voice->received.message.op == PSST_VOICE_STOP;
        if (err == PSST_OK && !on_message(voice, &voice->received)) err = PSST_ERR_MALFORMED;
        if (err == PSST_ERR_MALFORMED) {
            fprintf(stderr, "psst-voice: psstd says what it must not say\n");
            voice->failed = true;
        }
        if (err != PSST_OK) psst_audio_loop_quit(voice->loop);
        if (err != PSST_OK || stop) return;
    }
}

static bool started_by_psstd(void)
{
    int type = 0;
    socklen_t len = sizeof type;
    return getsockopt(PSST_VOICE_FD, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_SEQPACKET;
}

static enum psst_err voice_init(struct voice *voice)
{
    enum psst_err err = psst_audio_loop_new(&voice->loop);
    voice->later_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (err == PSST_OK && voice->later_fd < 0) err = PSST_ERR_IO;
    if (err == PSST_OK) err = psst_audio_watch_add(&voice->line, voice->loop, PSST_VOICE_FD, on_line, voice);
    if (err == PSST_OK) err = psst_audio_watch_add(&voice->later, voice->loop, voice->later_fd, on_later, voice);
    return err == PSST_OK ? psst_voice_sandbox() : err;
}

static void voice_fini(struct voice *voice)
{
    drop_job(voice);
    psst_audio_watch_remove(voice->line);
    psst_audio_watch_remove(voice->later);
    psst_audio_loop_free(voice->loop);
    if (voice->later_fd >= 0) (void)close(voice->later_fd);
    voice_relay_end();
}

int main(void)
{
    static struct voice voice = {.later_fd = -1};
    if (!started_by_psstd()) {
        fprintf(stderr,
                "psst-voice is the sound of a call, and psstd starts it by itself. There is nothing to run here.\n");
        return 2;
    }
#ifndef PSST_SANITIZED /* libpulse complains there about a home that it may not look into; nobody can mend that */
    if (freopen("/dev/null", "w", stderr) == NULL) return EXIT_FAILURE;
#endif
    enum psst_err err = psst_voice_harden();
    if (err == PSST_OK) err = voice_relay_begin();
    if (err == PSST_OK) err = voice_init(&voice);
    if (err == PSST_OK)
        psst_audio_loop_run(voice.loop);
    else
        fprintf(stderr, "psst-voice: cannot begin: %s\n", psst_err_name(err));
    voice_fini(&voice);
    return err == PSST_OK && !voice.failed ? EXIT_SUCCESS : EXIT_FAILURE;
}
