/* Descriptors of our user as the ends of a stream (transfers/ends.h): pipes, sockets, terminals, and files from where they
 * stand. Whoever is at their other end may take hours, so nothing here ever waits for him.
 *
 * A descriptor that came from another process shares its flags with that one: made non-blocking, it would break the shell
 * that it came from. So pipes and terminals are opened a second time through /proc; where that cannot be, as with
 * sockets, the flag is set and put back at the end. Plain files have no such thing, and need none. */
#include "daemon/transfers/ends.h"

#include "daemon/safe_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

struct end {
    int fd;        /* what came */
    int own_fd;    /* opened a second time; -1: not */
    bool put_back; /* fd was made non-blocking by us */
    bool is_file;  /* nobody's flags matter, and there is nothing to poll */
    bool is_socket;
};

static void end_close(struct end *end)
{
    if (end->own_fd >= 0) (void)close(end->own_fd);
    if (end->put_back) {
        int flags = fcntl(end->fd, F_GETFL);
        if (flags >= 0) (void)fcntl(end->fd, F_SETFL, flags & ~O_NONBLOCK);
    }
    if (end->fd >= 0) (void)close(end->fd);
    *end = (struct end){.fd = -1, .own_fd = -1};
}

/* access: O_RDONLY or O_WRONLY. */
static enum psst_err end_open(struct end *end, int access, struct psst_diag *diag)
{
    struct stat st;
    int flags = fcntl(end->fd, F_GETFL);
    if (flags < 0 || fstat(end->fd, &st) != 0)
        return psst_fail(diag, PSST_ERR_IO, "That stream cannot be used: %s.", strerror(errno));
    int mode = flags & O_ACCMODE;
    if ((mode != access && mode != O_RDWR) || S_ISDIR(st.st_mode))
        return psst_fail(diag, PSST_ERR_USAGE, "That stream cannot be %s.",
                         access == O_RDONLY ? "read from" : "written to");
    end->is_file = S_ISREG(st.st_mode) || S_ISBLK(st.st_mode);
    end->is_socket = S_ISSOCK(st.st_mode);
    if (end->is_file || (flags & O_NONBLOCK) != 0) return PSST_OK;
    char path[32];
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", end->fd);
    if (!end->is_socket) end->own_fd = open(path, access | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (end->own_fd >= 0) return PSST_OK;
    if (fcntl(end->fd, F_SETFL, flags | O_NONBLOCK) != 0)
        return psst_fail(diag, PSST_ERR_IO, "That stream cannot be used: %s.", strerror(errno));
    end->put_back = true;
    return PSST_OK;
}

static int end_fd(const struct end *end)
{
    return end->own_fd >= 0 ? end->own_fd : end->fd;
}

static bool would_wait(int e)
{
    return e == EAGAIN || e == EWOULDBLOCK;
}

/* ---- out ---- */

struct fd_origin {
    struct psst_origin origin; /* first */
    struct end end;
};

static enum psst_err fd_origin_open(struct psst_origin *o, struct psst_diag *diag)
{
    struct fd_origin *f = (struct fd_origin *)o;
    enum psst_err err = end_open(&f->end, O_RDONLY, diag);
    if (err != PSST_OK) return err;
    if (!f->end.is_file) o->fd = end_fd(&f->end);
#ifdef F_SETPIPE_SZ
    (void)fcntl(end_fd(&f->end), F_SETPIPE_SZ,
                1 << 20); /* fewer turns; not a pipe, or not allowed: it works all the same */
#endif
    return PSST_OK;
}

static enum psst_err fd_read(struct psst_origin *o, uint8_t *into, size_t len, size_t *n, struct psst_diag *diag)
{
    struct fd_origin *f = (struct fd_origin *)o;
    for (;;) {
        ssize_t rc = read(end_fd(&f->end), into, len);
        if (rc >= 0) {
            *n = (size_t)rc;
            return PSST_OK;
        }
        if (errno == EINTR) continue;
        if (would_wait(errno)) return PSST_ERR_AGAIN;
        return psst_fail(diag, PSST_ERR_IO, "The stream cannot be read any further: %s.", strerror(errno));
    }
}

static void fd_origin_free(struct psst_origin *o)
{
    struct fd_origin *f = (struct fd_origin *)o;
    end_close(&f->end);
    free(f);
}

enum psst_err psst_origin_of_fd(struct psst_origin **out, int fd)
{
    static const struct psst_origin_ops ops = {fd_origin_open, fd_read, NULL, fd_origin_free};
    struct fd_origin *f = calloc(1, sizeof *f);
    if (f == NULL) {
        (void)close(fd);
        return PSST_ERR_MEMORY;
    }
    f->origin = (struct psst_origin){&ops, -1};
    f->end = (struct end){.fd = fd, .own_fd = -1};
    *out = &f->origin;
    return PSST_OK;
}

/* ---- in ---- */

struct fd_target {
    struct psst_target target; /* first */
    struct end end;
};

static enum psst_err fd_target_open(struct psst_target *t, struct psst_target_open *open, struct psst_diag *diag)
{
    struct fd_target *f = (struct fd_target *)t;
    open->start = 0;
    enum psst_err err = end_open(&f->end, O_WRONLY, diag);
    if (err == PSST_OK && !f->end.is_file) t->fd = end_fd(&f->end);
    return err;
}

static enum psst_err fd_write(struct psst_target *t, const uint8_t *data, size_t len, size_t *n, struct psst_diag *diag)
{
    struct fd_target *f = (struct fd_target *)t;
    for (;;) {
        ssize_t rc = f->end.is_socket ? send(f->end.fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT)
                                      : write(end_fd(&f->end), data, len);
        if (rc > 0) {
            *n = (size_t)rc;
            return PSST_OK;
        }
        if (rc < 0 && errno == EINTR) continue;
        if (rc == 0 || would_wait(errno)) return PSST_ERR_AGAIN;
        if (errno == EPIPE || errno == ECONNRESET)
            return psst_fail(diag, PSST_ERR_NOT_FOUND, "Whoever read the stream closed it.");
        return psst_fail(diag, psst_file_err(errno), "The stream cannot be written: %s.", strerror(errno));
    }
}

static enum psst_err fd_finish(struct psst_target *t, char **path, struct psst_diag *diag)
{
    struct fd_target *f = (struct fd_target *)t;
    if (f->end.is_file && fdatasync(f->end.fd) != 0 && errno != EINVAL)
        return psst_fail(diag, psst_file_err(errno), "The stream cannot be saved: %s.", strerror(errno));
    end_close(&f->end);
    *path = strdup("");
    return *path != NULL ? PSST_OK : PSST_ERR_MEMORY;
}

static bool fd_end(struct psst_target *t, bool keep)
{
    struct fd_target *f = (struct fd_target *)t;
    (void)keep; /* what has been passed on is gone */
    end_close(&f->end);
    return false;
}

static void fd_target_free(struct psst_target *t)
{
    struct fd_target *f = (struct fd_target *)t;
    end_close(&f->end);
    free(f);
}

enum psst_err psst_target_of_fd(struct psst_target **out, int fd)
{
    static const struct psst_target_ops ops = {fd_target_open, NULL, fd_write, NULL, fd_finish, fd_end, fd_target_free};
    struct fd_target *f = calloc(1, sizeof *f);
    if (f == NULL) {
        (void)close(fd);
        return PSST_ERR_MEMORY;
    }
    f->target = (struct psst_target){&ops, -1, 0};
    f->end = (struct end){.fd = fd, .own_fd = -1};
    *out = &f->target;
    return PSST_OK;
}
