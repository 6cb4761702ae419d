#include "daemon/voice/relay.h"

#include "base/secret.h"
#include "daemon/voice/filter.h"
#include "daemon/voice/protocol.h"
#include "daemon/voice/sandbox.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROOM 16384 /* bytes of one direction: 85 ms of sound */

struct side {
    int fd;
    size_t from, to; /* of bytes: what waits to go out here */
    uint8_t bytes[ROOM];
};
struct pipe {
    bool open;
    struct side client, server;
    struct voice_filter filter;
};
struct relay {
    int line;
    const struct voice_server *server;
    struct pipe pipes[VOICE_RELAY_PIPES];
};

/* ---- a connection ---- */

static void end_pipe(struct pipe *p)
{
    (void)close(p->client.fd);
    (void)close(p->server.fd);
    p->open = false;
}

/* False: nobody is there any more. */
static bool push(struct side *s)
{
    while (s->from < s->to) {
        ssize_t n = send(s->fd, s->bytes + s->from, s->to - s->from, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return errno == EAGAIN;
        s->from += (size_t)n;
    }
    s->from = s->to = 0;
    return true;
}

/* From one side into the other, which has sent all that it had. filter: NULL, anything may pass. A descriptor that comes along is
 * dropped by the kernel, as there is no room for it. */
static bool pull(struct side *from, struct side *into, struct voice_filter *filter)
{
    ssize_t n = recv(from->fd, into->bytes, ROOM, MSG_DONTWAIT);
    if (n < 0) return errno == EAGAIN || errno == EINTR;
    if (n == 0 || (filter != NULL && !voice_filter_pass(filter, into->bytes, (size_t)n))) return false;
    into->to = (size_t)n;
    return push(into);
}

static short wants(const struct side *s, const struct side *other)
{
    return (short)((s->to > 0 ? POLLOUT : 0) | (other->to == 0 ? POLLIN : 0));
}

static bool turn(struct side *s, struct side *other, struct voice_filter *filter, short happened)
{
    if ((happened & POLLOUT) != 0 && !push(s)) return false;
    if ((happened & POLLIN) != 0 && other->to == 0) return pull(s, other, filter);
    return (happened & (POLLERR | POLLHUP | POLLNVAL)) == 0;
}

/* ---- requests ---- */

/* connect() is psst-voice's own in this program: the real one. */
static int connect_server(const struct voice_server *server)
{
    for (size_t i = 0; i < server->n; i++) {
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0) return -1;
        if (syscall(SYS_connect, fd, &server->places[i], sizeof server->places[i]) == 0) return fd;
        (void)close(fd);
    }
    return -1;
}

static struct pipe *free_pipe(struct relay *r)
{
    for (size_t i = 0; i < VOICE_RELAY_PIPES; i++)
        if (!r->pipes[i].open) return &r->pipes[i];
    return NULL;
}

static bool answer(int line, uint8_t number, uint8_t error, int fd)
{
    uint8_t bytes[2] = {number, error};
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct iovec iov = {.iov_base = bytes, .iov_len = sizeof bytes};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    if (fd >= 0) {
        msg.msg_control = control.bytes;
        msg.msg_controllen = sizeof control.bytes;
        struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(c), &fd, sizeof fd);
    }
    return sendmsg(line, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)sizeof bytes;
}

/* False: that was the end of psst-voice. */
static bool on_request(struct relay *r)
{
    uint8_t number;
    int pair[2];
    ssize_t n = recv(r->line, &number, 1, MSG_DONTWAIT);
    if (n < 0) return errno == EAGAIN || errno == EINTR;
    if (n == 0) return false;
    struct pipe *p = free_pipe(r);
    int server = p != NULL ? connect_server(r->server) : -1;
    if (server < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0) {
        if (server >= 0) (void)close(server);
        (void)answer(r->line, number, ECONNREFUSED, -1);
        return true;
    }
    p->open = true;
    p->client.fd = pair[0];
    p->server.fd = server;
    p->client.from = p->client.to = p->server.from = p->server.to = 0;
    voice_filter_init(&p->filter, r->server->has_cookie ? r->server->cookie : NULL);
    if (!answer(r->line, number, 0, pair[1])) end_pipe(p);
    (void)close(pair[1]);
    return true;
}

/* ---- the process ---- */

void voice_relay_run(int line, const struct voice_server *server)
{
    static struct relay relay;
    relay.line = line;
    relay.server = server;
    for (;;) {
        struct pollfd fds[1 + 2 * VOICE_RELAY_PIPES] = {{.fd = line, .events = POLLIN}};
        for (size_t i = 0; i < VOICE_RELAY_PIPES; i++) {
            const struct pipe *p = &relay.pipes[i];
            fds[1 + 2 * i] = (struct pollfd){p->open ? p->client.fd : -1, wants(&p->client, &p->server), 0};
            fds[2 + 2 * i] = (struct pollfd){p->open ? p->server.fd : -1, wants(&p->server, &p->client), 0};
        }
        if (poll(fds, 1 + 2 * VOICE_RELAY_PIPES, -1) < 0) {
            if (errno == EINTR) continue;
            return;
        }
        for (size_t i = 0; i < VOICE_RELAY_PIPES; i++) {
            struct pipe *p = &relay.pipes[i];
            if (p->open && (!turn(&p->client, &p->server, &p->filter, fds[1 + 2 * i].revents) ||
                            !turn(&p->server, &p->client, NULL, fds[2 + 2 * i].revents)))
                end_pipe(p);
        }
        if (fds[0].revents != 0 && !on_request(&relay)) return;
    }
}

static void run_relay(int line, const struct voice_server *server)
{
    (void)close(PSST_VOICE_FD); /* psstd has to see the end of psst-voice */
    (void)prctl(PR_SET_NAME, "psst-voice-line");
    psst_voice_hurry();
    if (psst_voice_relay_sandbox() == PSST_OK) voice_relay_run(line, server);
    _exit(EXIT_SUCCESS);
}

static pid_t relay_pid = -1;
static int relay_line = -1;

void voice_relay_end(void)
{
    if (relay_line < 0) return;
    voice_connect_over(-1);
    (void)close(relay_line);
    while (waitpid(relay_pid, NULL, 0) < 0 && errno == EINTR) continue;
    relay_line = -1;
}

enum psst_err voice_relay_begin(void)
{
    static struct voice_server server;
    const struct timeval patience = {.tv_usec = VOICE_RELAY_ANSWERS_MS * 1000};
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) return PSST_ERR_IO;
    voice_server_find(&server);
    const pid_t pid = fork();
    if (pid == 0) {
        (void)close(pair[0]);
        run_relay(pair[1], &server);
    }
    (void)close(pair[1]);
    psst_wipe(server.cookie, sizeof server.cookie); /* the relay's alone */
    if (pid < 0 || setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0 ||
        setsockopt(pair[0], SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) != 0) {
        (void)close(pair[0]);
        return PSST_ERR_IO;
    }
    relay_pid = pid;
    relay_line = pair[0];
    voice_connect_over(relay_line);
    /* one name for whatever the relay leads to: libpulse then looks for no folder, no cookie and no other server */
    return setenv("PULSE_SERVER", "unix:/psst-voice", 1) == 0 ? PSST_OK : PSST_ERR_MEMORY;
}
