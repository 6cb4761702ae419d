#include "ipc/lines.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

void psst_fds_close(const int *fds, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (fds[i] >= 0) (void)close(fds[i]);
}

void psst_lines_init(struct psst_lines *lines, int fd)
{
    *lines = (struct psst_lines){.fd = fd};
    psst_buf_init(&lines->in, PSST_LINE_MAX + PSST_LINES_READ_SIZE);
    psst_buf_init(&lines->out, PSST_LINES_OUT_MAX);
}

static void drop_in_fds(struct psst_lines *lines)
{
    psst_fds_close(lines->in_fds, lines->n_in_fds);
    lines->n_in_fds = 0;
}

void psst_lines_fini(struct psst_lines *lines)
{
    drop_in_fds(lines);
    for (size_t i = 0; i < lines->n_marks; i++) psst_fds_close(lines->marks[i].fds, lines->marks[i].n);
    psst_buf_fini(&lines->in);
    psst_buf_fini(&lines->out);
    if (lines->fd >= 0) (void)close(lines->fd);
    psst_lines_init(lines, -1);
}

/* ---- reading ---- */

/* Keeps what came along; what is too much is closed at once. */
static enum psst_err keep_fds(struct psst_lines *lines, struct msghdr *msg)
{
    enum psst_err err = (msg->msg_flags & MSG_CTRUNC) != 0 ? PSST_ERR_PROTOCOL : PSST_OK;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
        size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < n; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
            if (lines->n_in_fds < 2 * PSST_LINE_FDS) {
                lines->in_fds[lines->n_in_fds++] = fd;
            } else {
                (void)close(fd);
                err = PSST_ERR_PROTOCOL;
            }
        }
    }
    return err;
}

/* Drops what was given out; an empty buffer that has grown is given back. */
static void compact_in(struct psst_lines *lines)
{
    if (lines->in_at == 0) return;
    psst_buf_consume(&lines->in, lines->in_at);
    lines->scanned -= lines->in_at;
    lines->in_at = 0;
    if (lines->in.len == 0 && lines->in.cap > 2 * PSST_LINES_READ_SIZE) psst_buf_fini(&lines->in);
}

enum psst_err psst_lines_read(struct psst_lines *lines)
{
    if (lines->fd < 0 || lines->ended) return PSST_ERR_IO;
    compact_in(lines);
    enum psst_err err = psst_buf_reserve(&lines->in, PSST_LINES_READ_SIZE);
    if (err != PSST_OK) return err;
    union {
        char bytes[CMSG_SPACE(sizeof(int) * PSST_LINE_FDS)];
        struct cmsghdr align;
    } control;
    struct iovec iov = {lines->in.data + lines->in.len, PSST_LINES_READ_SIZE};
    struct msghdr msg = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
    ssize_t n;
    do {
        n = recvmsg(lines->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    } while (n < 0 && errno == EINTR);
    if (n < 0) return errno == EAGAIN || errno == EWOULDBLOCK ? PSST_ERR_AGAIN : PSST_ERR_IO;
    if (n == 0) lines->ended = true;
    lines->in.len += (size_t)n;
    return keep_fds(lines, &msg);
}

enum psst_err psst_lines_next(struct psst_lines *lines, struct psst_view *line)
{
    /* descriptors come no later than the first byte of their line: with nothing buffered, they have no owner */
    if (lines->in_at == lines->in.len) {
        drop_in_fds(lines);
        return PSST_ERR_AGAIN;
    }
    const uint8_t *from = lines->in.data + lines->scanned;
    const uint8_t *lf = memchr(from, '\n', lines->in.len - lines->scanned);
    size_t end = lf != NULL ? (size_t)(lf - lines->in.data) : lines->in.len;
    if (end - lines->in_at >= PSST_LINE_MAX) return PSST_ERR_TOO_LONG;
    if (lf == NULL) {
        lines->scanned = lines->in.len;
        return PSST_ERR_AGAIN;
    }
    *line = psst_view(lines->in.data + lines->in_at, end - lines->in_at);
    lines->in_at = lines->scanned = end + 1;
    return PSST_OK;
}

enum psst_err psst_lines_take_fds(struct psst_lines *lines, int *out, size_t n)
{
    if (n > lines->n_in_fds) return PSST_ERR_PROTOCOL;
    if (n == 0) return PSST_OK;
    memcpy(out, lines->in_fds, n * sizeof *out);
    lines->n_in_fds -= n;
    memmove(lines->in_fds, lines->in_fds + n, lines->n_in_fds * sizeof *out);
    return PSST_OK;
}

/* ---- writing ---- */

static void compact_out(struct psst_lines *lines)
{
    if (lines->out_at == 0) return;
    psst_buf_consume(&lines->out, lines->out_at);
    for (size_t i = 0; i < lines->n_marks; i++) lines->marks[i].at -= lines->out_at;
    lines->out_at = 0;
    if (lines->out.len == 0 && lines->out.cap > 2 * PSST_LINES_READ_SIZE) psst_buf_fini(&lines->out);
}

enum psst_err psst_lines_put(struct psst_lines *lines, struct psst_view line, const int *fds, size_t n)
{
    enum psst_err err = PSST_OK;
    compact_out(lines);
    if (n > PSST_LINE_FDS || memchr(line.data, '\n', line.len) != NULL)
        err = PSST_ERR_USAGE;
    else if (line.len >= PSST_LINE_MAX)
        err = PSST_ERR_TOO_LONG;
    else if (line.len + 1 > lines->out.max - lines->out.len || (n > 0 && lines->n_marks == PSST_LINES_MARKS))
        err = PSST_ERR_FULL;
    else
        err = psst_buf_reserve(&lines->out, line.len + 1);
    if (err != PSST_OK) {
        psst_fds_close(fds, n);
        return err;
    }
    if (n > 0) {
        struct psst_lines_mark *mark = &lines->marks[lines->n_marks++];
        *mark = (struct psst_lines_mark){.at = lines->out.len, .n = n};
        memcpy(mark->fds, fds, n * sizeof *fds);
    }
    psst_buf_put_view(&lines->out, line);
    psst_buf_put_u8(&lines->out, '\n');
    return PSST_OK;
}

/* One sendmsg: up to the next line that carries descriptors; those of this line ride on its first byte. */
static ssize_t send_once(struct psst_lines *lines)
{
    bool with_fds = lines->n_marks > 0 && lines->marks[0].at == lines->out_at;
    size_t next = with_fds ? 1 : 0;
    size_t end = next < lines->n_marks ? lines->marks[next].at : lines->out.len;
    struct iovec iov = {lines->out.data + lines->out_at, end - lines->out_at};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    union {
        char bytes[CMSG_SPACE(sizeof(int) * PSST_LINE_FDS)];
        struct cmsghdr align;
    } control = {{0}};
    if (with_fds) {
        size_t bytes = lines->marks[0].n * sizeof(int);
        msg.msg_control = control.bytes;
        msg.msg_controllen = CMSG_SPACE(bytes);
        struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(bytes);
        memcpy(CMSG_DATA(c), lines->marks[0].fds, bytes);
    }
    ssize_t n = sendmsg(lines->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n > 0 && with_fds) {
        psst_fds_close(lines->marks[0].fds, lines->marks[0].n);
        lines->n_marks--;
        memmove(lines->marks, lines->marks + 1, lines->n_marks * sizeof lines->marks[0]);
    }
    return n;
}

enum psst_err psst_lines_flush(struct psst_lines *lines)
{
    if (lines->fd < 0) return PSST_ERR_IO;
    while (lines->out_at < lines->out.len) {
        ssize_t n = send_once(lines);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return errno == EAGAIN || errno == EWOULDBLOCK ? PSST_ERR_AGAIN : PSST_ERR_IO;
        lines->out_at += (size_t)n;
    }
    compact_out(lines);
    return PSST_OK;
}
