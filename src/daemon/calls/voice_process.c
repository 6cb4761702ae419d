#include "daemon/calls/voice_process.h"

#include "ipc/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define MESSAGES_A_TURN 16
#define ENVIRONMENT_MAX 16

struct psst_voice_process {
    const struct psst_voice_owner *owner; /* NULL: put away */
    uv_process_t process;
    uv_poll_t poll;
    uv_timer_t patience;
    int fd;
    bool running; /* its exit has not been seen */
    uint8_t handles;
};

/* ---- its end ---- */

static void on_closed(uv_handle_t *handle)
{
    struct psst_voice_process *p = handle->data;
    if (--p->handles == 0) free(p);
}

static void on_patience(uv_timer_t *timer)
{
    struct psst_voice_process *p = timer->data;
    if (p->running) (void)uv_process_kill(&p->process, SIGKILL);
}

void psst_voice_process_hasten(struct psst_voice_process *p)
{
    (void)uv_timer_start(&p->patience, on_patience, PSST_VOICE_PATIENCE_MS, 0);
}

void psst_voice_process_end(struct psst_voice_process *p, bool now)
{
    if (p == NULL) return;
    p->owner = NULL;
    uv_close((uv_handle_t *)&p->poll, on_closed);
    (void)close(p->fd);
    p->fd = -1;
    if (!p->running)
        uv_close((uv_handle_t *)&p->patience, on_closed);
    else if (now)
        (void)uv_process_kill(&p->process, SIGKILL);
    else
        psst_voice_process_hasten(p);
}

/* ---- told ---- */

int psst_voice_process_send(struct psst_voice_process *p, const struct psst_voice_message *message, const int *fds,
                            size_t n_fds)
{
    uint8_t bytes[PSST_VOICE_MESSAGE_MAX];
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int) * PSST_VOICE_FDS_MAX)];
    } control = {0};
    struct iovec iov = {.iov_base = bytes, .iov_len = psst_voice_message_write(bytes, message)};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    if (iov.iov_len == 0) return EINVAL;
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
        n = sendmsg(p->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    return n < 0 ? errno : 0;
}

/* ---- heard ---- */

/* One message; false: there is none, or the process is gone. */
static bool receive(struct psst_voice_process *p)
{
    const struct psst_voice_owner *owner = p->owner;
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
        owner->lost(owner->ctx, n == 0 ? "end" : n < 0 ? "error" : "nonsense");
        return false;
    }
    owner->heard(owner->ctx, &message);
    return p->owner != NULL; /* not put away by what was called */
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct psst_voice_process *p = poll->data;
    (void)events;
    if (p->owner == NULL) return;
    if (status < 0) {
        p->owner->lost(p->owner->ctx, "poll");
        return;
    }
    for (int i = 0; i < MESSAGES_A_TURN && receive(p); i++) {
    }
}

static void on_gone(uv_process_t *process, int64_t status, int sig)
{
    struct psst_voice_process *p = process->data;
    p->running = false;
    uv_close((uv_handle_t *)process, on_closed);
    if (p->owner == NULL) {
        uv_close((uv_handle_t *)&p->patience, on_closed);
        return;
    }
    psst_log_limited(p->owner->log, PSST_LOG_DEBUG, "voice-process-exit", "status=%d signal=%d", (int)status, sig);
    while (p->owner != NULL && receive(p)) {
    } /* what it said last */
    if (p->owner != NULL) p->owner->lost(p->owner->ctx, "exit");
}

/* ---- begun ---- */

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

static int spawn(struct psst_voice_process *p, const struct psst_voice_owner *owner, int socket)
{
    char lines[ENVIRONMENT_MAX][PSST_PATH_MAX];
    char *env[ENVIRONMENT_MAX];
    (void)environment(env, lines);
    char *args[] = {(char *)(uintptr_t)owner->program, NULL}; /* which libuv does not change */
    uv_stdio_container_t stdio[PSST_VOICE_FD + 1] = {
        {.flags = UV_IGNORE},
        {.flags = UV_IGNORE},
        {.flags = UV_INHERIT_FD, .data.fd = STDERR_FILENO},
        {.flags = UV_INHERIT_FD, .data.fd = socket},
    };
    const uv_process_options_t options = {
        .exit_cb = on_gone,
        .file = owner->program,
        .args = args,
        .env = env,
        .cwd = "/",
        .flags = UV_PROCESS_DETACHED,
        .stdio_count = PSST_VOICE_FD + 1,
        .stdio = stdio,
    };
    return uv_spawn(owner->loop, &p->process, &options);
}

struct psst_voice_process *psst_voice_process_new(const struct psst_voice_owner *owner)
{
    int pair[2];
    struct psst_voice_process *p = calloc(1, sizeof *p);
    if (p == NULL) return NULL;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0) {
        free(p);
        return NULL;
    }
    p->fd = pair[0];
    if (uv_poll_init(owner->loop, &p->poll, p->fd) != 0) {
        (void)close(pair[0]);
        (void)close(pair[1]);
        free(p);
        return NULL;
    }
    (void)fcntl(pair[1], F_SETFL, 0); /* its own end is as it likes it */
    (void)uv_timer_init(owner->loop, &p->patience);
    p->process.data = p->poll.data = p->patience.data = p;
    p->handles = 3;
    p->owner = owner;
    int rc = spawn(p, owner, pair[1]);
    (void)close(pair[1]);
    if (rc != 0) {
        psst_log_limited(owner->log, PSST_LOG_ERROR, "voice-process-start", "error=%s", uv_err_name(rc));
        uv_close((uv_handle_t *)&p->process, on_closed);
        psst_voice_process_end(p, true);
        return NULL;
    }
    p->running = true;
    (void)uv_poll_start(&p->poll, UV_READABLE, on_poll);
    return p;
}
