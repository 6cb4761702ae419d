#include "net/socket.h"

#include <errno.h>
#include <linux/tcp.h> /* its tcp_info knows more than the C library's */
#include <unistd.h>

#define BACKLOG      1024
#define SHORT_RTT_US 1000
#define DSCP_EF      0xb8 /* expedited forwarding (RFC 3246), as the traffic class has it */
/* A peer may stop reading for ten minutes while his disk is busy (src/proto/timers.c), and this counts that too; a silent line
 * is noticed in seconds without it. What is left behind by a dead one the system then drops as well. */
#define USER_TIMEOUT_MS 660000

static void set_option(int fd, int level, int name, int value)
{
    (void)setsockopt(fd, level, name, &value, sizeof value); /* without it things are slower, not wrong */
}

static void tune(int fd)
{
    set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    set_option(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, PSST_NOTSENT_BYTES);
    set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, USER_TIMEOUT_MS);
    set_option(fd, IPPROTO_TCP, TCP_THIN_LINEAR_TIMEOUTS,
               1); /* a typed line that is lost is sent again soon, six times */
}

enum psst_err psst_socket_listen(int *fd, const union psst_sockaddr *at, bool *missing, struct psst_diag *diag)
{
    char text[PSST_SOCKADDR_TEXT_MAX];
    psst_sockaddr_text(text, at);
    *missing = false;
    int s = socket(at->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (s < 0) {
        *missing = errno == EAFNOSUPPORT;
        return psst_fail(diag, PSST_ERR_IO, "cannot listen on %s: %s", text, strerror(errno));
    }
    set_option(s, SOL_SOCKET, SO_REUSEADDR, 1);
    if (at->any.sa_family == AF_INET6) set_option(s, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    if (bind(s, &at->any, psst_sockaddr_len(at)) != 0 || listen(s, BACKLOG) != 0) {
        int error = errno;
        (void)close(s);
        *missing =
            error == EADDRNOTAVAIL && at->any.sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&at->in6.sin6_addr);
        return psst_fail(diag, PSST_ERR_IO, "cannot listen on %s: %s", text, strerror(error));
    }
    *fd = s;
    return PSST_OK;
}

enum psst_err psst_socket_udp(int *fd, const union psst_sockaddr *at, struct psst_diag *diag)
{
    char text[PSST_SOCKADDR_TEXT_MAX];
    psst_sockaddr_text(text, at);
    int s = socket(at->any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (s < 0) return psst_fail(diag, PSST_ERR_IO, "cannot take datagrams on %s: %s", text, strerror(errno));
    if (at->any.sa_family == AF_INET6) {
        set_option(s, IPPROTO_IPV6, IPV6_V6ONLY, 1);
        set_option(s, IPPROTO_IPV6, IPV6_TCLASS, DSCP_EF);
    } else {
        set_option(s, IPPROTO_IP, IP_TOS, DSCP_EF);
    }
    if (bind(s, &at->any, psst_sockaddr_len(at)) == 0) {
        *fd = s;
        return PSST_OK;
    }
    int error = errno;
    (void)close(s);
    return psst_fail(diag, PSST_ERR_IO, "cannot take datagrams on %s: %s", text, strerror(error));
}

enum psst_err psst_socket_local(int fd, union psst_sockaddr *out)
{
    union psst_sockaddr sa = {0};
    socklen_t len = sizeof sa;
    if (getsockname(fd, &sa.any, &len) != 0) return PSST_ERR_IO;
    *out = sa;
    return PSST_OK;
}

enum psst_err psst_socket_accept(int listener, int *fd, union psst_sockaddr *from)
{
    union psst_sockaddr sa = {0};
    socklen_t len = sizeof sa;
    int s = accept4(listener, &sa.any, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (s < 0) {
        if (errno == EAGAIN || errno == EWOULDBLOCK) return PSST_ERR_AGAIN;
        bool full = errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
        return full ? PSST_ERR_FULL : PSST_ERR_IO;
    }
    tune(s);
    *fd = s;
    *from = sa;
    return PSST_OK;
}

enum psst_err psst_socket_connect(int *fd, const union psst_sockaddr *to, int *error)
{
    int s = socket(to->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (s < 0) {
        *error = errno;
        return PSST_ERR_IO;
    }
    tune(s);
    if (connect(s, &to->any, psst_sockaddr_len(to)) != 0 && errno != EINPROGRESS && errno != EINTR) {
        *error = errno;
        (void)close(s);
        return PSST_ERR_IO;
    }
    *fd = s;
    return PSST_OK;
}

int psst_socket_error(int fd)
{
    int error = 0;
    socklen_t len = sizeof error;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0) return errno;
    return error;
}

bool psst_socket_path(int fd, struct psst_socket_path *out)
{
    struct tcp_info info;
    socklen_t len = sizeof info;
    memset(&info, 0, sizeof info);
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0) return false;
    *out = (struct psst_socket_path){.waits = info.tcpi_unacked > 0,
                                     .timeouts = info.tcpi_retransmits,
                                     .acked = info.tcpi_bytes_acked,
                                     .rtt_ns = (uint64_t)info.tcpi_rtt * 1000};
    return true;
}

bool psst_socket_keep_short(int fd)
{
    struct tcp_info info;
    socklen_t len = sizeof info;
    int most = PSST_UNREAD_BYTES;
    memset(&info, 0, sizeof info);
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0) return false;
    if (info.tcpi_min_rtt == 0 || info.tcpi_min_rtt > SHORT_RTT_US) return false;
    return setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &most, sizeof most) == 0;
}

/* Binding tells; nothing is sent. */
bool psst_socket_is_home(int fd)
{
    union psst_sockaddr local;
    if (psst_socket_local(fd, &local) != PSST_OK) return true; /* not known: silence will tell */
    if (local.any.sa_family == AF_INET6)
        local.in6.sin6_port = 0;
    else
        local.in.sin_port = 0;
    int s = socket(local.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (s < 0) return true;
    bool gone = bind(s, &local.any, psst_sockaddr_len(&local)) != 0 && errno == EADDRNOTAVAIL;
    (void)close(s);
    return !gone;
}

void psst_socket_drain(int fd, size_t max)
{
    uint8_t waste[4096];
    while (max > 0) {
        ssize_t n = recv(fd, waste, max < sizeof waste ? max : sizeof waste, MSG_DONTWAIT);
        if (n <= 0) return;
        max -= (size_t)n;
    }
}
