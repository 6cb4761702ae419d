/*   FILE = header || u16 length, sealed private key || chunks
 *   .FILE.part (0600) -> written, synced on the way -> fsync -> rename without replace -> fsync of the folder */
#include "daemon/backup/file.h"

#include "daemon/safe_file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SYNC_BYTES   (8 * 1024 * 1024) /* written between two syncs: what another fsync may have to wait for */
#define PIPE_BYTES   4096              /* fits into a pipe that poll calls writable, without waiting */
#define PIPE_WAIT_MS 100               /* between two looks at *stop */
#define PIPE_GIVE_UP 600               /* such waits in a row: a minute */

static enum psst_err fail(struct psst_diag *diag, const char *what, const char *name)
{
    int e = errno;
    enum psst_err err = psst_file_err(e);
    if (err == PSST_ERR_DISK_FULL)
        return psst_fail(diag, err, "the backup was not made, and nothing is left of it: the disk is full");
    if (err == PSST_ERR_EXISTS)
        return psst_fail(diag, err, "%.160s is there already, and is never overwritten: choose another name", name);
    return psst_fail(diag, err, "cannot %s %.160s: %s", what, name, strerror(e));
}

/* ---- writing: names ---- */

/* Whether what lies there under the temporary name is ours, and nobody is at it. */
static enum psst_err take_up(int fd, const char *name, struct psst_diag *diag)
{
    struct stat st;
    if (fstat(fd, &st) != 0) return fail(diag, "look at", name);
    if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || st.st_nlink != 1)
        return psst_fail(diag, PSST_ERR_PERMISSION, "somebody else put a file in the place of %.160s", name);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        return psst_fail(diag, PSST_ERR_AGAIN, "another backup to this file is being made just now");
    if (fchmod(fd, 0600) != 0 || ftruncate(fd, 0) != 0) return fail(diag, "empty", name);
    return PSST_OK;
}

static enum psst_err split(struct psst_backup_out *out, char dir[4096], const char *path, struct psst_diag *diag)
{
    const char *slash = strrchr(path, '/');
    size_t dir_len = slash == NULL ? 0 : (size_t)(slash - path);
    const char *name = slash == NULL ? "" : slash + 1;
    if (path[0] != '/' || name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return psst_fail(diag, PSST_ERR_USAGE, "the backup needs a file name");
    int named = snprintf(out->name, sizeof out->name, "%s", name);
    int temp = snprintf(out->temp, sizeof out->temp, ".%s.part", name);
    if (dir_len >= 4096 || named < 0 || (size_t)named >= sizeof out->name || temp < 0 ||
        (size_t)temp >= sizeof out->temp)
        return psst_fail(diag, PSST_ERR_TOO_LONG, "the name of the backup is too long");
    memcpy(dir, path, dir_len);
    dir[dir_len] = '\0';
    if (dir_len == 0) memcpy(dir, "/", 2);
    return PSST_OK;
}

static void close_fds(struct psst_backup_out *out)
{
    if (out->fd >= 0) (void)close(out->fd);
    if (out->dir_fd >= 0) (void)close(out->dir_fd);
    out->fd = out->dir_fd = -1;
}

enum psst_err psst_backup_out_open(struct psst_backup_out *out, const char *path, struct psst_diag *diag)
{
    char dir[4096];
    struct stat st;
    struct psst_backup_out o = {.dir_fd = -1, .fd = -1};
    enum psst_err err = split(&o, dir, path, diag);
    if (err != PSST_OK) return err;
    o.dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (o.dir_fd < 0) return fail(diag, "open the folder", dir);
    if (fstatat(o.dir_fd, o.name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
        errno = EEXIST;
        err = fail(diag, "make", path);
    }
    if (err == PSST_OK) {
        const int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
        o.fd = openat(o.dir_fd, o.temp, flags | O_CREAT | O_EXCL, 0600);
        if (o.fd < 0 && errno == EEXIST) o.fd = openat(o.dir_fd, o.temp, flags);
        err = o.fd < 0 ? fail(diag, "make", path) : take_up(o.fd, path, diag);
    }
    if (err == PSST_OK)
        *out = o;
    else
        close_fds(&o);
    return err;
}

void psst_backup_out_over(struct psst_backup_out *out, int fd)
{
    *out = (struct psst_backup_out){.dir_fd = -1, .fd = fd};
}

void psst_backup_out_abandon(struct psst_backup_out *out)
{
    if (out->dir_fd >= 0) (void)unlinkat(out->dir_fd, out->temp, 0);
    close_fds(out);
}

/* ---- writing: bytes ---- */

/* A pipe may never be read: so much only as it takes at once, and not for ever. */
static enum psst_err wait_writable(int fd, atomic_bool *stop, struct psst_diag *diag)
{
    for (int i = 0; i < PIPE_GIVE_UP; i++) {
        struct pollfd p = {.fd = fd, .events = POLLOUT};
        int n = poll(&p, 1, PIPE_WAIT_MS);
        if (atomic_load(stop)) return PSST_ERR_AGAIN;
        if (n > 0) return PSST_OK;
    }
    return psst_fail(diag, PSST_ERR_EXPIRED, "nobody has read the backup for a minute: given up");
}

static enum psst_err keep_pace(struct psst_backup_out *out, struct psst_diag *diag)
{
    if (out->dir_fd < 0 || out->written - out->synced < SYNC_BYTES) return PSST_OK;
    out->synced = out->written;
    return fdatasync(out->fd) == 0 ? PSST_OK : fail(diag, "write", out->name);
}

enum psst_err psst_backup_out_write(struct psst_backup_out *out, struct psst_view data, atomic_bool *stop,
                                    struct psst_diag *diag)
{
    enum psst_err err = PSST_OK;
    while (err == PSST_OK && data.len > 0) {
        if (atomic_load(stop)) return PSST_ERR_AGAIN;
        size_t most = out->dir_fd >= 0 ? SYNC_BYTES : PIPE_BYTES;
        if (out->dir_fd < 0) err = wait_writable(out->fd, stop, diag);
        if (err != PSST_OK) break;
        ssize_t n = write(out->fd, data.data, data.len < most ? data.len : most);
        if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (n < 0) return fail(diag, "write", out->dir_fd >= 0 ? out->name : "the backup");
        out->written += (size_t)n;
        data = psst_view(data.data + n, data.len - (size_t)n);
        err = keep_pace(out, diag);
    }
    return err;
}

static int rename_without_replace(const struct psst_backup_out *out)
{
    if (renameat2(out->dir_fd, out->temp, out->dir_fd, out->name, RENAME_NOREPLACE) == 0) return 0;
    if (errno != EINVAL && errno != ENOSYS) return -1;
    /* a file system without that flag: a second name never replaces either */
    if (linkat(out->dir_fd, out->temp, out->dir_fd, out->name, 0) != 0) return -1;
    (void)unlinkat(out->dir_fd, out->temp, 0);
    return 0;
}

enum psst_err psst_backup_out_finish(struct psst_backup_out *out, struct psst_diag *diag)
{
    enum psst_err err = PSST_OK;
    if (out->dir_fd < 0) {
        int fd = out->fd;
        out->fd = -1;
        return close(fd) == 0 ? PSST_OK : fail(diag, "write", "the backup");
    }
    if (fsync(out->fd) != 0) err = fail(diag, "write", out->name);
    if (err == PSST_OK && rename_without_replace(out) != 0) err = fail(diag, "name", out->name);
    if (err != PSST_OK) {
        psst_backup_out_abandon(out);
        return err;
    }
    /* EINVAL: a file system that has no such thing */
    if (fsync(out->dir_fd) != 0 && errno != EINVAL) err = fail(diag, "write the folder of", out->name);
    if (err != PSST_OK) (void)unlinkat(out->dir_fd, out->name, 0);
    close_fds(out);
    return err;
}

/* ---- reading ---- */

static enum psst_err read_exactly(int fd, uint8_t *out, size_t len, struct psst_diag *diag)
{
    while (len > 0) {
        ssize_t n = read(fd, out, len);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return psst_fail(diag, PSST_ERR_IO, "the backup cannot be read: %s", strerror(errno));
        if (n == 0) return psst_fail(diag, PSST_ERR_DAMAGED, "the backup is damaged, or was cut short");
        out += n;
        len -= (size_t)n;
    }
    return PSST_OK;
}

static enum psst_err read_head(struct psst_backup_in *in, uint64_t file_size, struct psst_diag *diag)
{
    uint8_t len[2];
    if (file_size < sizeof in->header) return psst_fail(diag, PSST_ERR_MALFORMED, "this is no backup that psst made");
    enum psst_err err = read_exactly(in->fd, in->header, sizeof in->header, diag);
    if (err == PSST_OK) err = psst_backup_header_check(in->header, diag);
    if (err == PSST_OK) err = read_exactly(in->fd, len, sizeof len, diag);
    if (err != PSST_OK) return err;
    in->identity_len = psst_load_u16(len);
    if (in->identity_len <= PSST_TAG_LEN || in->identity_len > sizeof in->identity)
        return psst_fail(diag, PSST_ERR_DAMAGED, "this backup is damaged at its beginning");
    err = read_exactly(in->fd, in->identity, in->identity_len, diag);
    if (err == PSST_OK) in->size = file_size - sizeof in->header - sizeof len - in->identity_len;
    return err;
}

enum psst_err psst_backup_in_open(struct psst_backup_in *in, const char *path, struct psst_diag *diag)
{
    struct stat st;
    in->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK); /* a FIFO does not hang */
    if (in->fd < 0) return fail(diag, "open", path);
    enum psst_err err = PSST_OK;
    if (fstat(in->fd, &st) != 0)
        err = fail(diag, "look at", path);
    else if (!S_ISREG(st.st_mode))
        err = psst_fail(diag, PSST_ERR_USAGE, "%.160s is not a file: save the backup to a file first", path);
    if (err == PSST_OK) err = read_head(in, (uint64_t)st.st_size, diag);
    if (err != PSST_OK) psst_backup_in_close(in);
    return err;
}

enum psst_err psst_backup_in_read(struct psst_backup_in *in, const struct psst_aead_key *key,
                                  const struct psst_backup_sink *sink, atomic_bool *stop, struct psst_diag *diag)
{
    struct psst_backup_reader *r = NULL;
    uint8_t *sealed = malloc(PSST_BACKUP_SEALED_CHUNK);
    enum psst_err err = sealed == NULL ? PSST_ERR_MEMORY : PSST_OK;
    if (err == PSST_OK) err = psst_backup_reader_new(&r, in->header, key, in->size, sink, diag);
    for (size_t n; err == PSST_OK && (n = psst_backup_reader_wants(r)) > 0;) {
        if (atomic_load(stop)) {
            err = PSST_ERR_AGAIN;
            break;
        }
        err = read_exactly(in->fd, sealed, n, diag);
        if (err == PSST_OK) err = psst_backup_reader_chunk(r, psst_view(sealed, n), diag);
    }
    if (err == PSST_OK) err = psst_backup_reader_end(r, diag);
    psst_backup_reader_free(r);
    free(sealed);
    return err;
}

void psst_backup_in_close(struct psst_backup_in *in)
{
    if (in->fd >= 0) (void)close(in->fd);
    in->fd = -1;
}
