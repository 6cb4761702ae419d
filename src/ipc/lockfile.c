#include "ipc/lockfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static pid_t read_pid(int fd)
{
    char text[24];
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    if (n <= 0) return 0;
    text[n] = '\0';
    long pid = strtol(text, NULL, 10);
    return pid > 0 && pid <= 0x7fffffff ? (pid_t)pid : 0;
}

enum psst_err psst_lockfile_take(int *out_fd, const char *path, struct psst_diag *diag)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return psst_fail(diag, PSST_ERR_IO, "cannot open %s: %s", path, strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        enum psst_err err =
            errno == EWOULDBLOCK
                ? psst_fail(diag, PSST_ERR_EXISTS, "psstd runs already (process %ld)", (long)read_pid(fd))
                : psst_fail(diag, PSST_ERR_IO, "cannot lock %s: %s", path, strerror(errno));
        (void)close(fd);
        return err;
    }
    char text[24];
    int len = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)len, 0) != len) {
        enum psst_err err = psst_fail(diag, PSST_ERR_IO, "cannot write %s: %s", path, strerror(errno));
        (void)close(fd);
        return err;
    }
    *out_fd = fd;
    return PSST_OK;
}

bool psst_lockfile_held(const char *path, pid_t *pid)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return false;
    bool held = flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    if (held && pid != NULL) *pid = read_pid(fd);
    (void)close(fd);
    return held;
}
