/* One psst-voice at a time, and what leaves in its place while there is none (voice_child.h).
 *
 *   FRAME from the process ---- aligned to the next timestamp ----+
 *   none for 100 ms, or no process --> timer: an empty one / 20 ms -+--> heard
 *   nothing at all for 300 ms --> killed --> another
 */
#include "daemon/calls/voice_child.h"

#include "base/bucket.h"
#include "daemon/calls/voice_process.h"
#include "ipc/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define NS_A_MS         UINT64_C(1000000)
#define START_WINDOW_MS 60000
#define START_PAUSE_NS  (100 * NS_A_MS) /* between two: one that cannot begin must not take the loop's time */
#define LATE_RUN        15              /* frames in a row: this process is behind for good */
#define JUMP_SAMPLES    96000           /* nor is one followed that is so far ahead */
#define FRAMES_A_SECOND 52              /* of a process: its clock may be a fast one */
#define FRAMES_AT_ONCE  26
#define WORDS_A_SECOND  40 /* of a process: all but frames. Each may go to every user interface */
#define WORDS_AT_ONCE   400
#define FILLS_AT_ONCE   50 /* psstd itself was held up: no more than a second is made up for */

struct psst_voice_child {
    struct psst_log *log;
    char program[PSST_PATH_MAX];
    struct psst_voice_owner owner;
    struct psst_voice_process *process; /* NULL: none */
    uv_timer_t timer;                   /* of a CALL */
    bool closing;

    /* the job */
    struct psst_voice_work work; /* heard NULL: none; fds are ours */
    bool ready;                  /* this process has said so */
    bool stopping;               /* STOP is out */
    bool told;                   /* that it does not work */
    bool over;                   /* CALL: the process has said that it cannot, so that no other is tried */
    unsigned restarts;
    uint64_t starts_ns[PSST_VOICE_STARTS]; /* a ring */
    unsigned n_starts;
    uint64_t heard_ns; /* from it, anything */

    /* the rhythm of a CALL */
    uint32_t next;           /* timestamp */
    uint32_t shift;          /* what this process's timestamps lack */
    bool aligned;            /* shift is known */
    bool filling;            /* no process delivers */
    unsigned late;           /* frames in a row that came after others had taken their place */
    uint64_t frame_ns;       /* when the last one left */
    struct psst_bucket pace; /* of what a process delivers: strangers' sounds are decoded there, and it may be theirs */
    struct psst_bucket words; /* of what it says besides */
};

/* ---- its process ---- */

static void put_away(struct psst_voice_child *voice, bool now)
{
    struct psst_voice_process *p = voice->process;
    voice->process = NULL;
    psst_voice_process_end(p, now);
}

/* 0, or errno. */
static int send_message(struct psst_voice_child *voice, const struct psst_voice_message *message, const int *fds,
                        size_t n_fds)
{
    return voice->process != NULL ? psst_voice_process_send(voice->process, message, fds, n_fds) : EINVAL;
}

/* ---- starting ---- */

static bool may_start(struct psst_voice_child *voice, uint64_t now_ns)
{
    uint64_t *oldest = &voice->starts_ns[voice->n_starts % PSST_VOICE_STARTS];
    uint64_t newest = voice->starts_ns[(voice->n_starts + PSST_VOICE_STARTS - 1) % PSST_VOICE_STARTS];
    if (voice->n_starts > 0 && now_ns - newest < START_PAUSE_NS) return false;
    if (voice->n_starts >= PSST_VOICE_STARTS && now_ns - *oldest < START_WINDOW_MS * NS_A_MS) return false;
    *oldest = now_ns;
    voice->n_starts++;
    return true;
}

/* A process, if there is none. False: none can be had. */
static bool begin_process(struct psst_voice_child *voice)
{
    if (voice->process != NULL) return true;
    if (voice->program[0] == '\0') return false;
    voice->process = psst_voice_process_new(&voice->owner);
    if (voice->process == NULL) return false;
    psst_bucket_init(&voice->words, WORDS_A_SECOND, WORDS_AT_ONCE);
    return true;
}

/* The job goes to a process, a new one if need be. */
static bool begin_job(struct psst_voice_child *voice)
{
    uint64_t now_ns = uv_hrtime();
    if (!may_start(voice, now_ns) || !begin_process(voice)) return false;
    struct psst_voice_message message = {.op = PSST_VOICE_START, .start = voice->work.start};
    voice->ready = false;
    voice->aligned = false;
    voice->late = 0;
    voice->heard_ns = now_ns;
    message.start.timestamp = voice->next;
    if (send_message(voice, &message, voice->work.fds, voice->work.n_fds) == 0) return true;
    put_away(voice, true);
    return false;
}

/* ---- what is heard ---- */

static bool is_tone(unsigned job)
{
    return job == PSST_VOICE_RING || job == PSST_VOICE_RINGBACK;
}

static void forget_job(struct psst_voice_child *voice)
{
    for (size_t i = 0; i < voice->work.n_fds; i++) (void)close(voice->work.fds[i]);
    voice->work = (struct psst_voice_work){.heard = NULL};
    if (!voice->closing) (void)uv_timer_stop(&voice->timer);
}

/* It does not work. A call goes on without. */
static void tell_failed(struct psst_voice_child *voice)
{
    struct psst_voice_message done = {.op = PSST_VOICE_DONE, .result = PSST_VOICE_RESULT_LOST};
    struct psst_voice_work work = voice->work;
    if (work.heard == NULL || voice->told) return;
    (void)snprintf(done.words, sizeof done.words, "%s",
                   voice->program[0] == '\0'
                       ? "psst-voice, which has the sound, is missing: it belongs beside psstd"
                       : "psst-voice, which has the sound, ends again and again: see psstd's log");
    if (work.start.job == PSST_VOICE_CALL)
        voice->told = true;
    else
        forget_job(voice);
    work.heard(work.ctx, &done);
}

static void tell_frame(struct psst_voice_child *voice, struct psst_view payload)
{
    struct psst_voice_message frame = {.op = PSST_VOICE_FRAME, .timestamp = voice->next, .payload = payload};
    voice->next += PSST_VOICE_FRAME_SAMPLES;
    voice->frame_ns = uv_hrtime();
    voice->work.heard(voice->work.ctx, &frame);
}

static void on_tick(uv_timer_t *timer);

static void set_timer(struct psst_voice_child *voice)
{
    uint64_t now_ns = uv_hrtime();
    uint64_t at_ns = voice->frame_ns + (voice->filling ? PSST_VOICE_FRAME_NS : PSST_VOICE_FILL_MS * NS_A_MS);
    (void)uv_timer_start(&voice->timer, on_tick, at_ns > now_ns ? (at_ns - now_ns + NS_A_MS - 1) / NS_A_MS : 0, 0);
}

/* One of a CALL. What comes after an empty one has taken its place is too late: the other side would drop it. */
static void take_frame(struct psst_voice_child *voice, const struct psst_voice_message *m)
{
    if (voice->work.start.job != PSST_VOICE_CALL || !voice->ready) return;
    int32_t ahead = (int32_t)(m->timestamp + voice->shift - voice->next);
    if (ahead < 0) voice->late++;
    if (!voice->aligned || voice->late > LATE_RUN || ahead > JUMP_SAMPLES) {
        voice->shift = voice->next - m->timestamp;
        voice->aligned = true;
        ahead = 0;
    }
    if (ahead < 0) return;
    voice->late = 0;
    if (!psst_bucket_try(&voice->pace, uv_hrtime(), 1)) return;
    voice->filling = false;
    voice->next += (uint32_t)ahead;
    tell_frame(voice, m->payload);
    if (voice->work.start.job == PSST_VOICE_CALL) set_timer(voice);
}

/* The process is of no use any more. */
static void lost(void *ctx, const char *why)
{
    struct psst_voice_child *voice = ctx;
    unsigned job = voice->work.heard != NULL ? voice->work.start.job : 0;
    psst_log_limited(voice->log, job != 0 ? PSST_LOG_WARNING : PSST_LOG_DEBUG, "voice-process-lost", "reason=%s", why);
    put_away(voice, true);
    if (job == 0 || voice->stopping) {
        voice->told = false;
        tell_failed(voice);
        return;
    }
    voice->restarts++;
    if (job == PSST_VOICE_CALL) {
        voice->filling = true; /* the next tick begins another */
        set_timer(voice);
    } else if (!is_tone(job) || !begin_job(voice)) {
        tell_failed(voice);
    }
}

static void take_message(void *ctx, const struct psst_voice_message *m)
{
    struct psst_voice_child *voice = ctx;
    struct psst_voice_work work = voice->work;
    voice->heard_ns = uv_hrtime();
    if (m->op != PSST_VOICE_FRAME && !psst_bucket_try(&voice->words, voice->heard_ns, 1)) {
        lost(voice, "flood");
        return;
    }
    if (work.heard == NULL) return;
    switch (m->op) {
    case PSST_VOICE_FRAME: take_frame(voice, m); return;
    case PSST_VOICE_READY: voice->ready = true; break;
    case PSST_VOICE_DONE:
        if (work.start.job == PSST_VOICE_CALL) {
            voice->over = voice->filling = true;
            put_away(voice, false);
            set_timer(voice);
            work.heard(work.ctx, m);
            return;
        }
        forget_job(voice);
        work.heard(work.ctx, m);
        if (voice->work.heard == NULL) psst_voice_child_drop(voice);
        return;
    case PSST_VOICE_LEVELS:
    case PSST_VOICE_REPORT:
    case PSST_VOICE_DEVICE:
    case PSST_VOICE_LISTED: break;
    case PSST_VOICE_START:
    case PSST_VOICE_SET:
    case PSST_VOICE_REMOTE:
    case PSST_VOICE_STOP: lost(voice, "nonsense"); return; /* those are ours to say */
    }
    work.heard(work.ctx, m);
}

/* ---- the rhythm ---- */

static bool is_stalled(const struct psst_voice_child *voice, uint64_t now_ns)
{
    uint64_t limit_ms = voice->ready ? PSST_VOICE_STALL_MS : PSST_VOICE_STALL_READY_MS;
    return voice->process != NULL && now_ns - voice->heard_ns > limit_ms * NS_A_MS;
}

static void on_tick(uv_timer_t *timer)
{
    struct psst_voice_child *voice = timer->data;
    if (voice->work.heard == NULL || voice->work.start.job != PSST_VOICE_CALL) return;
    uint64_t now_ns = uv_hrtime();
    if (!voice->filling && now_ns - voice->frame_ns >= PSST_VOICE_FILL_MS * NS_A_MS) {
        /* those that are missing are lost, which the other side conceals; from here on there is silence in time */
        uint32_t missed = (uint32_t)((now_ns - voice->frame_ns) / PSST_VOICE_FRAME_NS);
        voice->next += (missed > 0 ? missed - 1 : 0) * PSST_VOICE_FRAME_SAMPLES;
        voice->frame_ns = now_ns - PSST_VOICE_FRAME_NS;
        voice->filling = true;
    }
    uint64_t at_ns = voice->frame_ns;
    for (int i = 0; i < FILLS_AT_ONCE && voice->filling && at_ns + PSST_VOICE_FRAME_NS <= now_ns; i++) {
        at_ns += PSST_VOICE_FRAME_NS;
        tell_frame(voice, psst_view(NULL, 0));
        if (voice->work.heard == NULL || voice->work.start.job != PSST_VOICE_CALL) return;
        voice->frame_ns = at_ns; /* by the clock, not by when we came to it */
    }
    if (now_ns - voice->frame_ns > FILLS_AT_ONCE * PSST_VOICE_FRAME_NS) voice->frame_ns = now_ns;
    if (!voice->stopping && is_stalled(voice, now_ns)) lost(voice, "hangs");
    if (!voice->stopping && !voice->over && voice->process == NULL && !begin_job(voice) &&
        (voice->n_starts >= PSST_VOICE_STARTS || voice->program[0] == '\0'))
        tell_failed(voice);
    if (voice->work.heard != NULL && voice->work.start.job == PSST_VOICE_CALL) set_timer(voice);
}

/* ---- for others ---- */

enum psst_err psst_voice_child_new(struct psst_voice_child **out, uv_loop_t *loop, const char *program,
                                   struct psst_log *log)
{
    struct psst_voice_child *voice = calloc(1, sizeof *voice);
    if (voice == NULL) return PSST_ERR_MEMORY;
    voice->log = log;
    (void)snprintf(voice->program, sizeof voice->program, "%s", program);
    voice->owner = (struct psst_voice_owner){loop, log, voice->program, voice, take_message, lost};
    (void)uv_timer_init(loop, &voice->timer);
    voice->timer.data = voice;
    *out = voice;
    return PSST_OK;
}

void psst_voice_child_close(struct psst_voice_child *voice)
{
    if (voice->closing) return;
    psst_voice_child_drop(voice);
    voice->closing = true;
    uv_close((uv_handle_t *)&voice->timer, NULL);
}

void psst_voice_child_free(struct psst_voice_child *voice)
{
    free(voice);
}

bool psst_voice_child_exists(const struct psst_voice_child *voice)
{
    return voice->program[0] != '\0' && access(voice->program, X_OK) == 0;
}

void psst_voice_child_warm(struct psst_voice_child *voice)
{
    if (!voice->closing) (void)begin_process(voice);
}

/* Copies of the descriptors. */
static enum psst_err keep_work(struct psst_voice_child *voice, const struct psst_voice_work *work,
                               struct psst_diag *diag)
{
    struct psst_voice_work kept = *work;
    for (kept.n_fds = 0; kept.n_fds < work->n_fds; kept.n_fds++) {
        kept.fds[kept.n_fds] = fcntl(work->fds[kept.n_fds], F_DUPFD_CLOEXEC, 4);
        if (kept.fds[kept.n_fds] >= 0) continue;
        int error = errno;
        while (kept.n_fds > 0) (void)close(kept.fds[--kept.n_fds]);
        return psst_fail(diag, PSST_ERR_IO, "no more files can be opened: %s", strerror(error));
    }
    voice->work = kept;
    return PSST_OK;
}

enum psst_err psst_voice_child_start(struct psst_voice_child *voice, const struct psst_voice_work *work,
                                     struct psst_diag *diag)
{
    unsigned before = psst_voice_child_job(voice);
    if (voice->closing) return psst_fail(diag, PSST_ERR_IO, "psstd is stopping");
    /* what a tone leaves unsaid harms nobody; of anything else the new job must hear nothing */
    if ((before != 0 && !is_tone(before)) || voice->stopping) psst_voice_child_drop(voice);
    forget_job(voice);
    enum psst_err err = keep_work(voice, work, diag);
    if (err != PSST_OK) return err;
    voice->told = voice->stopping = voice->over = false;
    psst_bucket_init(&voice->pace, FRAMES_A_SECOND, FRAMES_AT_ONCE);
    voice->restarts = voice->n_starts = 0;
    voice->next = work->start.timestamp;
    voice->frame_ns = uv_hrtime();
    bool begun = begin_job(voice);
    if (work->start.job == PSST_VOICE_CALL) {
        voice->filling = !begun;
        set_timer(voice);
    }
    if (begun) return PSST_OK;
    if (work->start.job != PSST_VOICE_CALL) forget_job(voice);
    return psst_fail(diag, PSST_ERR_IO, "%s",
                     voice->program[0] == '\0' ? "psst-voice, which has the sound, is missing: it belongs beside psstd"
                                               : "psst-voice, which has the sound, cannot be started: see psstd's log");
}

unsigned psst_voice_child_job(const struct psst_voice_child *voice)
{
    return voice->work.heard != NULL ? (unsigned)voice->work.start.job : 0;
}

void psst_voice_child_set(struct psst_voice_child *voice, const struct psst_voice_settings *settings)
{
    const struct psst_voice_message message = {.op = PSST_VOICE_SET, .settings = *settings};
    if (voice->work.heard == NULL) return;
    voice->work.start.settings = *settings; /* also of those that come after */
    if (voice->process != NULL && send_message(voice, &message, NULL, 0) != 0) lost(voice, "full");
}

bool psst_voice_child_frame(struct psst_voice_child *voice, uint32_t timestamp, struct psst_view payload,
                            uint64_t time_ns)
{
    const struct psst_voice_message message = {
        .op = PSST_VOICE_FRAME, .timestamp = timestamp, .time_ns = time_ns, .payload = payload};
    if (voice->process == NULL || psst_voice_child_job(voice) != PSST_VOICE_CALL) return false;
    return send_message(voice, &message, NULL, 0) == 0;
}

void psst_voice_child_remote(struct psst_voice_child *voice, const struct psst_voice_report *report)
{
    const struct psst_voice_message message = {.op = PSST_VOICE_REMOTE, .report = *report};
    if (voice->process != NULL && psst_voice_child_job(voice) == PSST_VOICE_CALL)
        (void)send_message(voice, &message, NULL, 0); /* there will be another */
}

void psst_voice_child_stop(struct psst_voice_child *voice)
{
    const struct psst_voice_message message = {.op = PSST_VOICE_STOP};
    if (voice->work.heard == NULL || voice->stopping) return;
    voice->stopping = true;
    if (voice->process == NULL || send_message(voice, &message, NULL, 0) != 0)
        lost(voice, "stop");
    else
        psst_voice_process_hasten(voice->process);
}

void psst_voice_child_drop(struct psst_voice_child *voice)
{
    const struct psst_voice_message message = {.op = PSST_VOICE_STOP};
    forget_job(voice);
    voice->stopping = false;
    if (voice->process != NULL) (void)send_message(voice, &message, NULL, 0);
    put_away(voice, false);
}

void psst_voice_child_interrupt(struct psst_voice_child *voice, const char *words)
{
    struct psst_voice_message done = {.op = PSST_VOICE_DONE, .result = PSST_VOICE_RESULT_LOST};
    struct psst_voice_work work = voice->work;
    psst_voice_child_drop(voice);
    (void)snprintf(done.words, sizeof done.words, "%s", words);
    if (work.heard != NULL) work.heard(work.ctx, &done);
}

unsigned psst_voice_child_restarts(const struct psst_voice_child *voice)
{
    return voice->restarts;
}
