/* The socket to psstd: whole messages, with their descriptors. */
#ifndef PSST_DAEMON_VOICE_LINE_H
#define PSST_DAEMON_VOICE_LINE_H

#include "daemon/voice/protocol.h"

struct voice_received {
    struct psst_voice_message message; /* its payload is in bytes */
    int fds[PSST_VOICE_FDS_MAX];       /* the receiver's; START alone has any */
    uint8_t bytes[PSST_VOICE_MESSAGE_MAX];
};

/* PSST_ERR_AGAIN: there is none now; PSST_ERR_IO: the socket has ended; PSST_ERR_MALFORMED: psstd talks nonsense. */
PSST_MUST_USE enum psst_err voice_line_receive(int fd, struct voice_received *out);
/* PSST_ERR_FULL: dropped; PSST_ERR_IO: the socket has ended; PSST_ERR_USAGE: it cannot be said. */
PSST_MUST_USE enum psst_err voice_line_send(int fd, const struct psst_voice_message *message);

#endif
