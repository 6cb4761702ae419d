#include "daemon/key/files.h"

#include <errno.h>
#include <poll.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static int64_t now_ms(void)
{
    struct timespec ts;
    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

bool psst_key_peer_gone(int socket)
{
    struct pollfd p = {.fd = socket, .events = 0};
    return poll(&p, 1, 0) == 1 && (p.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0;
}

/* PSST_OK: there is something to read, or the end. */
static enum psst_err wait_readable(int fd, int watch, int64_t until_ms)
{
    for (;;) {
        int64_t left = until_ms - now_ms();
        if (left <= 0) left = 0;
        /* a negative descriptor is passed over by poll; without events, only hang-up and errors are reported */
        struct pollfd p[2] = {{.fd = fd, .events = POLLIN}, {.fd = watch, .events = 0}};
        int n = poll(p, 2, (int)left);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return PSST_ERR_IO;
        if (p[1].revents != 0) return PSST_ERR_AGAIN;
        if (p[0].revents != 0) return PSST_OK;
        if (left == 0) return PSST_ERR_EXPIRED;
    }
}

enum psst_err psst_key_read_all(uint8_t *out, size_t max, size_t *len, int fd, int watch, int timeout_ms)
{
    int64_t until_ms = now_ms() + timeout_ms;
    size_t have = 0;
    for (;;) {
        enum psst_err err = wait_readable(fd, watch, until_ms);
        if (err != PSST_OK) return err;
        uint8_t beyond; /* one byte more than fits tells that there is more */
        ssize_t n = have < max ? read(fd, out + have, max - have) : read(fd, &beyond, 1);
        if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (n < 0) return PSST_ERR_IO;
        if (n == 0) break;
        if (have == max) return PSST_ERR_TOO_LONG;
        have += (size_t)n;
    }
    *len = have;
    return PSST_OK;
}

static enum psst_err failed(struct psst_diag *diag, const char *what)
{
    if (errno == ENOSPC || errno == EDQUOT) {
        return psst_fail(diag, PSST_ERR_DISK_FULL, "the key was not saved: the disk is full");
    }
    return psst_fail(diag, PSST_ERR_IO, "the key was not saved: %s: %s", what, strerror(errno));
}

enum psst_err psst_key_write_file(int fd, struct psst_view data, struct psst_diag *diag)
{
    struct stat st;
    if (fstat(fd, &st) != 0) return failed(diag, "fstat");
    if (!S_ISREG(st.st_mode) || (st.st_mode & 077) != 0 || st.st_size != 0) {
        return psst_fail(diag, PSST_ERR_PERMISSION,
                         "the key was not saved: its file must be new and readable by its owner alone");
    }
    for (size_t at = 0; at < data.len;) {
        ssize_t n = write(fd, data.data + at, data.len - at);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return failed(diag, "write");
        at += (size_t)n;
    }
    if (fsync(fd) != 0) return failed(diag, "fsync");
    return PSST_OK;
}
