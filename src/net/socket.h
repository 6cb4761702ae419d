/* The few socket calls that PSST makes, with their options in one place. All descriptors are non-blocking and
 * close-on-exec. */
#ifndef PSST_NET_SOCKET_H
#define PSST_NET_SOCKET_H

#include "net/address.h"

/* Kernel buffer of bytes that are not sent yet: small, so that what is written last is not far from the wire (text stays
 * prompt while a file runs). */
#define PSST_NOTSENT_BYTES (128 * 1024)

/* What may wait unread of a connection whose reader is slower than its line, when the line is short. */
#define PSST_UNREAD_BYTES (512 * 1024)

/* Listens on exactly this address and family. *missing: this machine does not have the address family at all. */
PSST_MUST_USE enum psst_err psst_socket_listen(int *fd, const union psst_sockaddr *at, bool *missing,
                                               struct psst_diag *diag);
/* A datagram socket on exactly this address and family, marked for speech (DSCP EF) as far as the system lets us. */
PSST_MUST_USE enum psst_err psst_socket_udp(int *fd, const union psst_sockaddr *at, struct psst_diag *diag);
/* The address that the socket is bound to (a port of 0 was chosen by the system). */
PSST_MUST_USE enum psst_err psst_socket_local(int fd, union psst_sockaddr *out);
/* The next connection, ready for use. PSST_ERR_AGAIN: none waits. PSST_ERR_FULL: descriptors are exhausted. PSST_ERR_IO:
 * this one failed, there may be others. */
PSST_MUST_USE enum psst_err psst_socket_accept(int listener, int *fd, union psst_sockaddr *from);
/* Begins to connect: PSST_OK, and later writable; psst_socket_error then tells. PSST_ERR_IO: *error is the errno. */
PSST_MUST_USE enum psst_err psst_socket_connect(int *fd, const union psst_sockaddr *to, int *error);
/* What became of connecting: 0 or an errno. */
int psst_socket_error(int fd);
/* How the system's own side of a connection is doing. */
struct psst_socket_path {
    bool waits;        /* something was sent that the other system has not acknowledged */
    unsigned timeouts; /* in a row: how often that was sent again without an answer */
    uint64_t acked;    /* bytes acknowledged since the beginning */
    uint64_t rtt_ns;   /* smoothed; 0: not measured yet */
};
/* False: this system does not tell. */
bool psst_socket_path(int fd, struct psst_socket_path *out);
/* The reader does not keep up. The kernel lets up to 32 MiB wait for him, and what is said later stands behind that; on a
 * short line (under a millisecond there and back) it is to be PSST_UNREAD_BYTES, which is enough for its full speed. On
 * longer ones nothing changes. True: it has been done. */
bool psst_socket_keep_short(int fd);
/* Whether the address that this connection goes out from is still one of this machine's. */
bool psst_socket_is_home(int fd);
/* Throws away what has been received, at most max bytes, so that closing sends no reset. */
void psst_socket_drain(int fd, size_t max);

#endif
