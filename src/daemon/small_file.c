#include "daemon/small_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define NEW_SUFFIX ".new"

static enum psst_err system_error(struct psst_diag *diag, const char *what, const char *path)
{
    int error = errno;
    enum psst_err err = PSST_ERR_IO;
    if (error == ENOSPC || error == EDQUOT) err = PSST_ERR_DISK_FULL;
    if (error == EACCES || error == EPERM) err = PSST_ERR_PERMISSION;
    return psst_fail(diag, err, "cannot %s %.160s: %s", what, path, strerror(error));
}

static enum psst_err read_all(int fd, const char *path, size_t max, struct psst_buf *out, struct psst_diag *diag)
{
    size_t start = out->len;
    for (;;) {
        uint8_t piece[4096];
        ssize_t n = read(fd, piece, sizeof piece);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return system_error(diag, "read", path);
        if (n == 0) return PSST_OK;
        if ((size_t)n > max - (out->len - start))
            return psst_fail(diag, PSST_ERR_TOO_LONG, "%.160s is too long to be ours", path);
        psst_buf_put(out, piece, (size_t)n);
        if (out->failed) return psst_fail(diag, PSST_ERR_MEMORY, "out of memory");
    }
}

enum psst_err psst_small_file_read(const char *path, size_t max, struct psst_buf *out, struct psst_diag *diag)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return errno == ENOENT ? PSST_ERR_NOT_FOUND : system_error(diag, "open", path);
    enum psst_err err;
    struct stat st;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        err = psst_fail(diag, PSST_ERR_PERMISSION, "%.160s is not a plain file", path);
    else
        err = read_all(fd, path, max, out, diag);
    (void)close(fd);
    return err;
}

static void new_path(char out[PATH_MAX], const char *path)
{
    (void)snprintf(out, PATH_MAX, "%s" NEW_SUFFIX, path);
}

enum psst_err psst_small_file_begin(const char *path, int *fd, struct psst_diag *diag)
{
    char beside[PATH_MAX];
    new_path(beside, path);
    (void)unlink(beside); /* left over from a crash: only one process works here, it holds the lock */
    *fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    return *fd < 0 ? system_error(diag, "create", beside) : PSST_OK;
}

void psst_small_file_abandon(const char *path)
{
    char beside[PATH_MAX];
    new_path(beside, path);
    (void)unlink(beside);
}

enum psst_err psst_small_file_commit(const char *path, struct psst_diag *diag)
{
    char beside[PATH_MAX], dir[PATH_MAX];
    new_path(beside, path);
    if (rename(beside, path) != 0) {
        enum psst_err err = system_error(diag, "replace", path);
        (void)unlink(beside);
        return err;
    }
    (void)snprintf(dir, sizeof dir, "%s", path);
    int fd = open(dirname(dir), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return system_error(diag, "open", dir);
    enum psst_err err = fsync(fd) == 0 || errno == EINVAL ? PSST_OK : system_error(diag, "write", dir);
    (void)close(fd);
    return err;
}

static bool write_all(int fd, struct psst_view content)
{
    while (content.len > 0) {
        ssize_t n = write(fd, content.data, content.len);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return false;
        content.data += n;
        content.len -= (size_t)n;
    }
    return fsync(fd) == 0;
}

enum psst_err psst_small_file_write(const char *path, struct psst_view content, struct psst_diag *diag)
{
    int fd;
    enum psst_err err = psst_small_file_begin(path, &fd, diag);
    if (err != PSST_OK) return err;
    if (!write_all(fd, content)) err = system_error(diag, "write", path);
    (void)close(fd);
    if (err == PSST_OK) return psst_small_file_commit(path, diag);
    psst_small_file_abandon(path);
    return err;
}
