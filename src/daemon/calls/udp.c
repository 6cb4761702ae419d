/* The UDP sockets, one for each address that TCP listens on: see psst_udp_open (calls.h) for when they are read.
 *
 *   recvmmsg, 64 a turn -> receiver id -> psst_link_datagram -> sound.c          anything else: dropped, counted, unanswered
 */
#include "daemon/calls/internal.h"

#include "net/socket.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define DATAGRAMS_A_TURN 64
#define DATAGRAM_MAX     (PSST_DATAGRAM_HEAD_LEN + PSST_CALL_FRAME_MAX + PSST_TAG_LEN)
#define ROOM             (DATAGRAM_MAX + 4) /* so that a longer one is seen to be that */

struct psst_udp {
    struct psst_calls *calls;
    struct psst_udp *next;
    union psst_sockaddr bound;
    uv_poll_t poll;
    int fd;
};

/* ---- reading ---- */

/* True: his, and new. */
static bool take(struct psst_udp *udp, struct psst_conn *conn, struct psst_view datagram,
                 const union psst_sockaddr *from)
{
    struct psst_calls *calls = udp->calls;
    struct call *call = &calls->call;
    uint8_t room[PSST_CALL_FRAME_MAX];
    struct psst_voice_frame frame;
    struct psst_reader r = psst_reader(datagram);
    if (psst_read_u32(&r) != call->receiver_id || call->receiver_id == 0) return false;
    struct psst_now now = psst_daemon_now(calls->d);
    if (psst_link_datagram(psst_conn_link(conn), now, datagram, room, &frame) != PSST_OK) return false;
    call->to = *from;
    call->via = udp;
    psst_sound_frame(calls, &frame, now.mono_ns);
    return true;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct psst_udp *udp = poll->data;
    struct psst_calls *calls = udp->calls;
    struct mmsghdr messages[DATAGRAMS_A_TURN];
    struct iovec iov[DATAGRAMS_A_TURN];
    union psst_sockaddr from[DATAGRAMS_A_TURN];
    (void)status;
    (void)events;
    if (calls->datagrams == NULL) return;
    memset(messages, 0, sizeof messages);
    for (size_t i = 0; i < DATAGRAMS_A_TURN; i++) {
        iov[i] = (struct iovec){calls->datagrams + i * ROOM, ROOM};
        messages[i].msg_hdr =
            (struct msghdr){.msg_name = &from[i], .msg_namelen = sizeof from[i], .msg_iov = &iov[i], .msg_iovlen = 1};
    }
    int n = recvmmsg(udp->fd, messages, DATAGRAMS_A_TURN, MSG_DONTWAIT, NULL);
    struct psst_conn *conn = psst_call_conn(calls);
    bool any = false;
    for (int i = 0; i < n; i++) { /* n below 0: nothing, or somebody's ICMP message, which means nothing to us */
        struct psst_view datagram = psst_view(iov[i].iov_base, messages[i].msg_len);
        bool good = conn != NULL && psst_conn_link(conn) != NULL && calls->call.state == CALL_ACTIVE &&
                    datagram.len <= DATAGRAM_MAX && take(udp, conn, datagram, &from[i]);
        any = any || good;
        if (!good) psst_daemon_count(calls->d, "datagrams-dropped");
    }
    if (any) psst_conn_kick(conn);
}

static void watch_one(struct psst_udp *udp, bool on)
{
    if (on)
        (void)uv_poll_start(&udp->poll, UV_READABLE, on_readable);
    else
        (void)uv_poll_stop(&udp->poll);
}

void psst_udp_watch(struct psst_calls *calls, bool on)
{
    if (on && calls->datagrams == NULL) calls->datagrams = malloc((size_t)DATAGRAMS_A_TURN * ROOM);
    if (!on && calls->datagrams != NULL) {
        psst_wipe(calls->datagrams, (size_t)DATAGRAMS_A_TURN * ROOM);
        free(calls->datagrams);
        calls->datagrams = NULL;
    }
    for (struct psst_udp *udp = calls->udps; udp != NULL; udp = udp->next) watch_one(udp, calls->datagrams != NULL);
}

/* ---- sending ---- */

bool psst_udp_send(struct psst_udp *udp, const union psst_sockaddr *to, struct psst_view datagram)
{
    return sendto(udp->fd, datagram.data, datagram.len, MSG_DONTWAIT | MSG_NOSIGNAL, &to->any, psst_sockaddr_len(to)) ==
           (ssize_t)datagram.len;
}

static bool same_host(const union psst_sockaddr *a, const union psst_sockaddr *b)
{
    if (a->any.sa_family != b->any.sa_family) return false;
    if (a->any.sa_family == AF_INET) return a->in.sin_addr.s_addr == b->in.sin_addr.s_addr;
    return memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr, sizeof a->in6.sin6_addr) == 0;
}

struct psst_udp *psst_udp_towards(struct psst_calls *calls, const union psst_sockaddr *to,
                                  const union psst_sockaddr *from)
{
    struct psst_udp *best = NULL;
    for (struct psst_udp *udp = calls->udps; udp != NULL; udp = udp->next) {
        if (udp->bound.any.sa_family != to->any.sa_family) continue;
        if (best == NULL || same_host(&udp->bound, from)) best = udp;
    }
    return best;
}

/* ---- life ---- */

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

struct psst_udp *psst_udp_open(struct psst_calls *calls, const union psst_sockaddr *at)
{
    struct psst_udp *udp = calloc(1, sizeof *udp);
    struct psst_diag diag = {{0}};
    if (udp == NULL) return NULL;
    if (psst_socket_udp(&udp->fd, at, &diag) != PSST_OK) {
        psst_log(&calls->d->log, PSST_LOG_WARNING, "no-udp", "reason=\"%s\"", diag.text);
        free(udp);
        return NULL;
    }
    if (uv_poll_init(calls->d->loop, &udp->poll, udp->fd) != 0) {
        (void)close(udp->fd);
        free(udp);
        return NULL;
    }
    udp->calls = calls;
    udp->bound = *at;
    udp->poll.data = udp;
    udp->next = calls->udps;
    calls->udps = udp;
    if (calls->datagrams != NULL) watch_one(udp, true);
    return udp;
}

void psst_udp_close(struct psst_udp *udp)
{
    if (udp == NULL) return;
    struct psst_calls *calls = udp->calls;
    struct psst_udp **at = &calls->udps;
    while (*at != udp) at = &(*at)->next;
    *at = udp->next;
    if (calls->call.via == udp) calls->call.via = NULL; /* until a datagram of his comes by another */
    (void)uv_poll_stop(&udp->poll);
    uv_close((uv_handle_t *)&udp->poll, on_closed);
    (void)close(udp->fd);
}
