#include "daemon/voice/line.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

/* What came along; more than fits was closed by the kernel, and shows as MSG_CTRUNC. */
static size_t take_fds(struct msghdr *msg, int fds[PSST_VOICE_FDS_MAX])
{
    size_t n = 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
        const size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
            if (n < PSST_VOICE_FDS_MAX)
                fds[n++] = fd;
            else
                (void)close(fd);
        }
    }
    return n;
}

enum psst_err voice_line_receive(int fd, struct voice_received *out)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int) * PSST_VOICE_FDS_MAX)];
    } control;
    struct iovec iov = {.iov_base = out->bytes, .iov_len = sizeof out->bytes};
    struct msghdr msg = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
    ssize_t len;
    do {
        len = recvmsg(fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    } while (len < 0 && errno == EINTR);
    if (len < 0 && errno == EAGAIN) return PSST_ERR_AGAIN;
    if (len <= 0) return PSST_ERR_IO;
    const size_t n = take_fds(&msg, out->fds);
    enum psst_err err = (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 ? PSST_ERR_MALFORMED : PSST_OK;
    if (err == PSST_OK) err = psst_voice_message_read(&out->message, psst_view(out->bytes, (size_t)len));
    if (err == PSST_OK && n != (out->message.op == PSST_VOICE_START ? psst_voice_start_fds(&out->message.start) : 0))
        err = PSST_ERR_MALFORMED;
    if (err != PSST_OK)
        for (size_t i = 0; i < n; i++) (void)close(out->fds[i]);
    return err;
}

enum psst_err voice_line_send(int fd, const struct psst_voice_message *message)
{
    uint8_t bytes[PSST_VOICE_MESSAGE_MAX];
    const size_t len = psst_voice_message_write(bytes, message);
    if (len == 0) return PSST_ERR_USAGE;
    ssize_t sent;
    do {
        sent = send(fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    if (sent >= 0) return PSST_OK;
    return errno == EAGAIN || errno == ENOBUFS ? PSST_ERR_FULL : PSST_ERR_IO;
}
