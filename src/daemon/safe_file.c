/*   a peer's name -> sanitize -> .psst-<id>.part (O_EXCL, 0600) -> fsync -> rename without replace -> fsync of the folder */
#include "daemon/safe_file.h"

#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

/* ---- errors ---- */

enum psst_err psst_file_err(int e)
{
    switch (e) {
    case ENOSPC:
    case EDQUOT: return PSST_ERR_DISK_FULL;
    case EACCES:
    case EPERM:
    case EROFS:
    case ELOOP:
    case EXDEV: return PSST_ERR_PERMISSION;
    case ENOENT:
    case ENOTDIR: return PSST_ERR_NOT_FOUND;
    case EEXIST: return PSST_ERR_EXISTS;
    case EFBIG:
    case ENAMETOOLONG: return PSST_ERR_TOO_LONG;
    case ENOMEM: return PSST_ERR_MEMORY;
    default: return PSST_ERR_IO;
    }
}

static enum psst_err fail(struct psst_diag *diag, int e, const char *what, const char *name)
{
    return psst_fail(diag, psst_file_err(e), "%s %s: %s.", what, name, strerror(e));
}

/* ---- incoming ---- */

/* Opens name, which holds no '/', in the folder and nowhere else. */
static int open_beneath(int dir_fd, const char *name, int flags)
{
    struct open_how how = {
        .flags = (unsigned)(flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK),
        .mode = (flags & O_CREAT) != 0 ? 0600 : 0,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
    };
    long fd = syscall(SYS_openat2, dir_fd, name, &how, sizeof how);
    if (fd >= 0) return (int)fd;
    /* an older kernel, or a sandbox that knows no such call: O_NOFOLLOW and a name without '/' say nearly the same */
    if (errno != ENOSYS && errno != EPERM) return -1;
    return openat(dir_fd, name, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
}

static void temp_name(char out[48], const struct psst_msg_id *id)
{
    char hex[2 * sizeof id->b + 1];
    psst_hex_encode(hex, id->b, sizeof id->b);
    (void)snprintf(out, 48, ".psst-%s.part", hex);
}

void psst_incoming_close(struct psst_incoming *in)
{
    if (in->fd >= 0) (void)close(in->fd);
    if (in->dir_fd >= 0) (void)close(in->dir_fd);
    in->fd = -1;
    in->dir_fd = -1;
}

/* Whether what was opened is a file that an earlier part of this transfer can have made. */
static enum psst_err check_part(struct psst_incoming *in, struct psst_diag *diag)
{
    struct stat st;
    if (fstat(in->fd, &st) != 0) return fail(diag, errno, "Cannot look at", in->temp);
    if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || st.st_nlink != 1)
        return psst_fail(diag, PSST_ERR_PERMISSION, "Somebody else put a file in the place of %s.", in->temp);
    if (flock(in->fd, LOCK_EX | LOCK_NB) != 0)
        return psst_fail(diag, PSST_ERR_AGAIN, "%s is being written already.", in->temp);
    if (fchmod(in->fd, 0600) != 0) return fail(diag, errno, "Cannot protect", in->temp);
    in->size = (uint64_t)st.st_size;
    in->inode = st.st_ino;
    return PSST_OK;
}

/* Whether the part file of before has one of the names that finish would have given it. */
static bool find_finished(struct psst_incoming *in, const struct psst_incoming_wish *wish)
{
    char name[PSST_SAFE_NAME_SIZE];
    for (unsigned copy = 1; copy <= PSST_SAFE_COPIES; copy++) {
        struct stat st;
        psst_file_name_copy(name, in->name, copy);
        if (fstatat(in->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0) continue;
        if (st.st_ino != wish->inode || !S_ISREG(st.st_mode) || st.st_uid != geteuid()) continue;
        if ((uint64_t)st.st_size != wish->size) continue;
        memcpy(in->name, name, sizeof name);
        return true;
    }
    return false;
}

static enum psst_err open_part(struct psst_incoming *in, const struct psst_incoming_wish *wish, struct psst_diag *diag)
{
    in->fd = open_beneath(in->dir_fd, in->temp, O_RDWR);
    if (in->fd < 0 && errno == ENOENT) {
        if (wish->inode != 0 && find_finished(in, wish)) return PSST_ERR_EXISTS;
        in->fd = open_beneath(in->dir_fd, in->temp, O_RDWR | O_CREAT | O_EXCL);
    }
    if (in->fd < 0 && errno == EEXIST)
        return psst_fail(diag, PSST_ERR_AGAIN, "%s was just made by another one.", in->temp);
    if (in->fd < 0) return fail(diag, errno, "Cannot make", in->temp);
    return check_part(in, diag);
}

static enum psst_err take_wish(struct psst_incoming *in, const struct psst_incoming_wish *wish, struct psst_diag *diag)
{
    if (!wish->exact) {
        psst_file_name_sanitize(in->name, wish->name);
        return PSST_OK;
    }
    struct psst_view name = wish->name;
    bool usable = name.len > 0 && name.len < sizeof in->name && memchr(name.data, '/', name.len) == NULL &&
                  memchr(name.data, 0, name.len) == NULL;
    if (usable) {
        memcpy(in->name, name.data, name.len);
        in->name[name.len] = '\0';
        usable = strcmp(in->name, ".") != 0 && strcmp(in->name, "..") != 0;
    }
    return usable ? PSST_OK : psst_fail(diag, PSST_ERR_USAGE, "That cannot be the name of a file.");
}

enum psst_err psst_incoming_open(struct psst_incoming *in, const struct psst_incoming_wish *wish,
                                 struct psst_diag *diag)
{
    struct psst_incoming opening = {.dir_fd = -1, .fd = -1};
    enum psst_err err = take_wish(&opening, wish, diag);
    if (err != PSST_OK) return err;
    temp_name(opening.temp, wish->transfer_id);
    opening.dir_fd = open(wish->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (opening.dir_fd < 0) return fail(diag, errno, "Cannot open the folder", wish->dir);
    err = open_part(&opening, wish, diag);
    if (err != PSST_OK) psst_incoming_close(&opening);
    if (err == PSST_OK || err == PSST_ERR_EXISTS) *in = opening;
    return err;
}

/* Gives the part file this name unless something has it: EEXIST. */
static int rename_without_replace(const struct psst_incoming *in, const char *name)
{
    if (renameat2(in->dir_fd, in->temp, in->dir_fd, name, RENAME_NOREPLACE) == 0) return 0;
    if (errno != EINVAL && errno != ENOSYS) return -1;
    /* a file system without that flag: a second name never replaces either */
    if (linkat(in->dir_fd, in->temp, in->dir_fd, name, 0) != 0) return -1;
    (void)unlinkat(in->dir_fd, in->temp, 0);
    return 0;
}

static enum psst_err take_name(struct psst_incoming *in, struct psst_diag *diag)
{
    char name[PSST_SAFE_NAME_SIZE];
    for (unsigned copy = 1; copy <= PSST_SAFE_COPIES; copy++) {
        psst_file_name_copy(name, in->name, copy);
        if (rename_without_replace(in, name) == 0) {
            memcpy(in->name, name, sizeof name);
            return PSST_OK;
        }
        if (errno != EEXIST) return fail(diag, errno, "Cannot name the file", name);
    }
    return psst_fail(diag, PSST_ERR_EXISTS, "There are %d files called %s already.", PSST_SAFE_COPIES, in->name);
}

/* That the name leads to what was written, and not to what somebody put in its place before it was renamed. */
static enum psst_err check_named(const struct psst_incoming *in, struct psst_diag *diag)
{
    struct stat ours, named;
    if (fstat(in->fd, &ours) != 0 || fstatat(in->dir_fd, in->name, &named, AT_SYMLINK_NOFOLLOW) != 0)
        return fail(diag, errno, "Cannot look at", in->name);
    if (ours.st_dev != named.st_dev || ours.st_ino != named.st_ino)
        return psst_fail(diag, PSST_ERR_PERMISSION,
                         "Somebody else changes files in this folder: %s is not the one received.", in->name);
    return PSST_OK;
}

enum psst_err psst_incoming_finish(struct psst_incoming *in, struct psst_diag *diag)
{
    enum psst_err err = PSST_OK;
    if (fsync(in->fd) != 0) err = fail(diag, errno, "Cannot save", in->name);
    if (err == PSST_OK) err = take_name(in, diag);
    if (err == PSST_OK) err = check_named(in, diag);
    /* EINVAL: a file system that has no such thing */
    if (err == PSST_OK && fsync(in->dir_fd) != 0 && errno != EINVAL)
        err = fail(diag, errno, "Cannot save the folder of", in->name);
    psst_incoming_close(in);
    return err;
}

void psst_incoming_abandon(struct psst_incoming *in)
{
    if (in->dir_fd >= 0) (void)unlinkat(in->dir_fd, in->temp, 0);
    psst_incoming_close(in);
}

bool psst_incoming_keep(struct psst_incoming *in)
{
    bool safe = in->fd >= 0 && fsync(in->fd) == 0 && (fsync(in->dir_fd) == 0 || errno == EINVAL);
    psst_incoming_close(in);
    return safe;
}

void psst_incoming_remove(const char *dir, const struct psst_msg_id *transfer_id)
{
    char temp[48];
    temp_name(temp, transfer_id);
    int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir_fd < 0) return;
    (void)unlinkat(dir_fd, temp, 0);
    (void)close(dir_fd);
}

/* ---- outgoing ---- */

static int64_t mtime_ns(const struct stat *st)
{
    return (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

/* Whether a file keeps its number for as long as it lives. The tables of FAT know no such number, and what comes over some
 * networks or from some program has one that was made up when it was looked at. */
static bool numbers_last(int fd)
{
    struct statfs fs;
    if (fstatfs(fd, &fs) != 0) return false;
    switch ((unsigned long)fs.f_type) {
    case BTRFS_SUPER_MAGIC:
    case EXT4_SUPER_MAGIC:
    case F2FS_SUPER_MAGIC:
    case NFS_SUPER_MAGIC:
    case OVERLAYFS_SUPER_MAGIC:
    case TMPFS_MAGIC:
    case XFS_SUPER_MAGIC: return true;
    default: return false;
    }
}

static enum psst_err not_a_file(mode_t mode, const char *path, struct psst_diag *diag)
{
    if (S_ISDIR(mode)) return psst_fail(diag, PSST_ERR_USAGE, "%s is a folder: only files can be sent.", path);
    return psst_fail(diag, PSST_ERR_USAGE, "%s is no ordinary file.", path);
}

enum psst_err psst_outgoing_open(struct psst_outgoing *out, const char *path, struct psst_diag *diag)
{
    struct stat st;
    /* looked at before it is opened: opening a device can already do something */
    if (stat(path, &st) != 0) return fail(diag, errno, "Cannot open", path);
    if (!S_ISREG(st.st_mode)) return not_a_file(st.st_mode, path, diag);
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0) return fail(diag, errno, "Cannot open", path);
    enum psst_err err = PSST_OK;
    if (fstat(fd, &st) != 0)
        err = fail(diag, errno, "Cannot open", path);
    else if (!S_ISREG(st.st_mode))
        err = not_a_file(st.st_mode, path, diag);
    if (err != PSST_OK) {
        (void)close(fd);
        return err;
    }
    *out = (struct psst_outgoing){.fd = fd, .size = (uint64_t)st.st_size, .mtime_ns = mtime_ns(&st)};
    if (numbers_last(fd)) out->inode = st.st_ino;
    return PSST_OK;
}

bool psst_outgoing_changed(const struct psst_outgoing *then, uint64_t size)
{
    struct stat now;
    if (fstat(then->fd, &now) != 0) return true;
    uint64_t now_size = (uint64_t)now.st_size;
    if (now_size < size) return true;
    return now_size == then->size && mtime_ns(&now) != then->mtime_ns;
}
