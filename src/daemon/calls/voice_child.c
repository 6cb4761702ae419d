/* One psst-voice at a time, and what leaves in its place while there is none (voice_child.h).
 *
 *   FRAME from the process ---- aligned to the next timestamp ----+
 *   none for 100 ms, or no process --> timer: an empty one / 20 ms -+--> heard
 *   nothing at all for 300 ms --> killed --> another
 */
#include "daemon/calls/voice_child.h"

#include "base/bucket.h"
#include "ipc/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define NS_A_MS         UINT64_C(1000000)
#define START_WINDOW_MS 60000
#define START_PAUSE_NS  (100 * NS_A_MS) /* between two: one that cannot begin must not take the loop's time */
#define MESSAGES_A_TURN 16
#define LATE_RUN        15    /* frames in a row: this process is behind for good */
#define JUMP_SAMPLES    96000 /* nor is one followed that is so far ahead */
#define FRAMES_A_SECOND 52    /* of a process: its clock may be a fast one */
#define FRAMES_AT_ONCE  26
#define WORDS_A_SECOND  40 /* of a process: all but frames. Each may go to every user interface */
#define WORDS_AT_ONCE   400
#define FILLS_AT_ONCE   50 /* psstd itself was held up: no more than a second is made up for */
#define ENVIRONMENT_MAX 16

struct process {
    struct psst_voice_child *voice; /* NULL: put away */
    uv_process_t process;
    uv_poll_t poll;
    uv_timer_t patience;
    int fd;
    bool running; /* its exit has not been seen */
    uint8_t handles;
};

struct psst_voice_child {
    uv_loop_t *loop;
    struct psst_log *log;
    char program[PSST_PATH_MAX];
    struct process *process; /* NULL: none */
    uv_timer_t timer;        /* of a CALL */
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
    uint64_t begun_ns; /* when this process got its START */
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

/* ---- ends of processes ---- */

static void on_closed(uv_handle_t *handle)
{
    struct process *p = handle->data;
    if (--p->handles == 0) free(p);
}

static void on_gone(uv_process_t *process, int64_t status, int sig);
static void on_poll(uv_poll_t *poll, int status, int events);
static void on_tick(uv_timer_t *timer);

static void on_patience(uv_timer_t *timer)
{
    struct process *p = timer->data;
    if (p->running) (void)uv_process_kill(&p->process, SIGKILL);
}

/* Nothing more goes to or comes from it. now: killed, else it may end in order. */
static void put_away(struct psst_voice_child *voice, bool now)
{
    struct process *p = voice->process;
    if (p == NULL) return;
    voice->process = NULL;
    p->voice = NULL;
    uv_close((uv_handle_t *)&p->poll, on_closed);
    (void)close(p->fd);
    p->fd = -1;
    if (!p->running)
        uv_close((uv_handle_t *)&p->patience, on_closed);
    else if (now)
        (void)uv_process_kill(&p->process, SIGKILL);
    else
        (void)uv_timer_start(&p->patience, on_patience, PSST_VOICE_PATIENCE_MS, 0);
}

/* ---- sending ---- */

/* 0, or errno. */
static int send_message(struct psst_voice_child *voice, const struct psst_voice_message *message, const int *fds,
                        size_t n_fds)
{
    uint8_t bytes[PSST_VOICE_MESSAGE_MAX];
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int) * PSST_VOICE_FDS_MAX)];
    } control = {0};
    struct iovec iov = {.iov_base = bytes, .iov_len = psst_voice_message_write(bytes, message)};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    if (voice->process == NULL || iov.iov_len == 0) return EINVAL;
    if (n_fds > 0) {
        msg.msg_control = control.bytes;
        msg.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
        struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
        memcpy(CMSG_DATA(c), fds, sizeof(int) * n_fds);
    }
    ssize_t n;
    do {
        n = sendmsg(voice->process->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    return n < 0 ? errno : 0;
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

/* What a sound server is found by, and nothing else. */
static size_t environment(char *env[ENVIRONMENT_MAX], char (*lines)[PSST_PATH_MAX])
{
    static const char *const names[] = {"HOME",         "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "PULSE_SERVER",
                                        "PULSE_COOKIE", "PULSE_SINK",      "PULSE_SOURCE",    "PULSE_RUNTIME_PATH",
                                        "ASAN_OPTIONS", "UBSAN_OPTIONS",   "PSST_HOME"};
    size_t n = 0;
    (void)snprintf(lines[n], PSST_PATH_MAX, "LANG=C.UTF-8");
    n++;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = getenv(names[i]);
        if (value == NULL || strlen(value) > PSST_PATH_MAX / 2) continue;
        (void)snprintf(lines[n], PSST_PATH_MAX, "%s=%s", names[i], value);
        n++;
    }
    for (size_t i = 0; i < n; i++) env[i] = lines[i];
    env[n] = NULL;
    return n;
}

static int spawn(struct psst_voice_child *voice, struct process *p, int socket)
{
    char lines[ENVIRONMENT_MAX][PSST_PATH_MAX];
    char *env[ENVIRONMENT_MAX];
    (void)environment(env, lines);
    char *args[] = {voice->program, NULL};
    uv_stdio_container_t stdio[PSST_VOICE_FD + 1] = {
        {.flags = UV_IGNORE},
        {.flags = UV_IGNORE},
        {.flags = UV_INHERIT_FD, .data.fd = STDERR_FILENO},
        {.flags = UV_INHERIT_FD, .data.fd = socket},
    };
    const uv_process_options_t options = {
        .exit_cb = on_gone,
        .file = voice->program,
        .args = args,
        .env = env,
        .cwd = "/",
        .flags = UV_PROCESS_DETACHED,
        .stdio_count = PSST_VOICE_FD + 1,
        .stdio = stdio,
    };
    return uv_spawn(voice->loop, &p->process, &options);
}

/* A process, if there is none. False: none can be had. */
static bool begin_process(struct psst_voice_child *voice)
{
    int pair[2];
    if (voice->process != NULL) return true;
    if (voice->program[0] == '\0') return false;
    struct process *p = calloc(1, sizeof *p);
    if (p == NULL) return false;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0) {
        free(p);
        return false;
    }
    p->fd = pair[0];
    if (uv_poll_init(voice->loop, &p->poll, p->fd) != 0) {
        (void)close(pair[0]);
        (void)close(pair[1]);
        free(p);
        return false;
    }
    (void)fcntl(pair[1], F_SETFL, 0); /* its own end is as it likes it */
    (void)uv_timer_init(voice->loop, &p->patience);
    p->process.data = p->poll.data = p->patience.data = p;
    p->handles = 3;
    p->voice = voice;
    voice->process = p;
    int rc = spawn(voice, p, pair[1]);
    (void)close(pair[1]);
    if (rc != 0) {
        psst_log_limited(voice->log, PSST_LOG_ERROR, "voice-process-start", "error=%s", uv_err_name(rc));
        uv_close((uv_handle_t *)&p->process, on_closed);
        put_away(voice, true);
        return false;
    }
    p->running = true;
    psst_bucket_init(&voice->words, WORDS_A_SECOND, WORDS_AT_ONCE);
    (void)uv_poll_start(&p->poll, UV_READABLE, on_poll);
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
    voice->begun_ns = voice->heard_ns = now_ns;
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
static void lost(struct psst_voice_child *voice, const char *why)
{
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

static void take_message(struct psst_voice_child *voice, const struct psst_voice_message *m)
{
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

/* One message; false: there is none, or the process is gone. */
static bool receive(struct process *p)
{
    struct psst_voice_child *voice = p->voice;
    uint8_t bytes[PSST_VOICE_MESSAGE_MAX];
    struct psst_voice_message message;
    ssize_t n;
    do {
        /* without room for descriptors: it has none to give */
        n = recv(p->fd, bytes, sizeof bytes, MSG_DONTWAIT | MSG_TRUNC);
    } while (n < 0 && errno == EINTR);
    if (n < 0 && errno == EAGAIN) return false;
    if (n <= 0 || (size_t)n > sizeof bytes ||
        psst_voice_message_read(&message, psst_view(bytes, (size_t)n)) != PSST_OK) {
        lost(voice, n == 0 ? "end" : n < 0 ? "error" : "nonsense");
        return false;
    }
    take_message(voice, &message);
    return p->voice != NULL; /* not put away by what was called */
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct process *p = poll->data;
    (void)events;
    if (p->voice == NULL) return;
    if (status < 0) {
        lost(p->voice, "poll");
        return;
    }
    for (int i = 0; i < MESSAGES_A_TURN && receive(p); i++) {
    }
}

static void on_gone(uv_process_t *process, int64_t status, int sig)
{
    struct process *p = process->data;
    p->running = false;
    uv_close((uv_handle_t *)process, on_closed);
    if (p->voice == NULL) {
        uv_close((uv_handle_t *)&p->patience, on_closed);
        return;
    }
    psst_log_limited(p->voice->log, PSST_LOG_DEBUG, "voice-process-exit", "status=%d signal=%d", (int)status, sig);
    while (p->voice != NULL && receive(p)) {
    } /* what it said last */
    if (p->voice != NULL) lost(p->voice, "exit");
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
    voice->loop = loop;
    voice->log = log;
    (void)snprintf(voice->program, sizeof voice->program, "%s", program);
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
        (void)uv_timer_start(&voice->process->patience, on_patience, PSST_VOICE_PATIENCE_MS, 0);
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
