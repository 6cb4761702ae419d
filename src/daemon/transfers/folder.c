/* Folders as the ends of a transfer (transfers/ends.h). Out: what psst-tar packs, from a pipe. In: a part file as for any other,
 * and beside it a hidden folder, made at the beginning, that psst-tar unpacks it into at the end:
 *
 *   .psst-<id>.part  received -> hash right -> unpacked into .psst-<id>.d -> that is renamed to NAME -> the part is removed
 *
 * The row knows the hidden folder by its number. Wherever psstd dies: as long as it is hidden, it is emptied, and unpacking
 * begins again from the part; when it has its name, it is whole, and all that is left is to remove the part. A psst-tar whose
 * psstd was killed may still wait for a slow disk: it holds a lock on the hidden folder, and nothing is done there before. */
#include "daemon/transfers/ends.h"

#include "base/text.h"
#include "daemon/safe_file.h"
#include "daemon/tar/tree.h"
#include "daemon/transfers/folder_child.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define PIPE_BYTES  (1 << 20)
#define PATIENCE_MS 60000 /* for psst-tar to look once more at what it has packed, and to end */
#define LOCK_MS     5000  /* for one of before to end */
#define LOCK_STEP   20

/* ---- out ---- */

struct folder_origin {
    struct psst_origin origin; /* first */
    struct psst_folder_child child;
    struct psst_source_id id; /* inode: the stamp */
    const char *program;
    char path[];
};

static enum psst_err pack(struct folder_origin *f, int dir_fd, int out_fd, struct psst_diag *diag)
{
    char size[24], stamp[24];
    const char *const args[] = {"pack", size, stamp, NULL};
    (void)snprintf(size, sizeof size, "%" PRIu64, f->id.size);
    (void)snprintf(stamp, sizeof stamp, "%" PRIx64, f->id.inode);
    return psst_folder_child_start(&f->child, f->program, args, dir_fd, out_fd, diag);
}

static enum psst_err origin_open(struct psst_origin *o, struct psst_diag *diag)
{
    struct folder_origin *f = (struct folder_origin *)o;
    int ends[2], dir_fd = psst_folder_open(f->path, diag);
    if (dir_fd < 0) return psst_file_err(errno);
    enum psst_err err = pipe2(ends, O_CLOEXEC) == 0 ? PSST_OK : PSST_ERR_IO;
    if (err == PSST_OK) {
        err = pack(f, dir_fd, ends[1], diag);
        (void)close(ends[1]);
        (void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
        (void)fcntl(ends[0], F_SETPIPE_SZ, PIPE_BYTES); /* fewer turns; not allowed: it works all the same */
        o->fd = ends[0];
    }
    (void)close(dir_fd);
    return err;
}

/* It says that there is nothing more: whether that is so, or why not. */
static enum psst_err packed(struct folder_origin *f, struct psst_diag *diag)
{
    struct psst_folder_report report;
    return f->child.pid > 0 ? psst_folder_child_end(&f->child, true, &report, diag) : PSST_OK;
}

static enum psst_err origin_read(struct psst_origin *o, uint8_t *into, size_t len, size_t *n, struct psst_diag *diag)
{
    struct folder_origin *f = (struct folder_origin *)o;
    for (;;) {
        ssize_t rc = read(o->fd, into, len);
        if (rc < 0 && errno == EINTR) continue;
        if (rc < 0 && errno == EAGAIN) return PSST_ERR_AGAIN;
        if (rc < 0) return psst_fail(diag, PSST_ERR_IO, "Cannot read %.160s: %s.", f->path, strerror(errno));
        *n = (size_t)rc;
        return rc > 0 ? PSST_OK : packed(f, diag);
    }
}

static enum psst_err origin_check(struct psst_origin *o, struct psst_diag *diag)
{
    struct folder_origin *f = (struct folder_origin *)o;
    struct pollfd end = {.fd = o->fd, .events = POLLIN};
    uint8_t more;
    int rc;
    while ((rc = poll(&end, 1, PATIENCE_MS)) < 0 && errno == EINTR) continue;
    if (rc <= 0) return psst_fail(diag, PSST_ERR_IO, "psst-tar, which packs folders, does not end.");
    if (read(o->fd, &more, 1) != 0)
        return psst_fail(diag, PSST_ERR_NOT_FOUND, "The folder has changed while it was being sent.");
    return packed(f, diag);
}

static void origin_free(struct psst_origin *o)
{
    struct folder_origin *f = (struct folder_origin *)o;
    psst_folder_child_abandon(&f->child);
    if (o->fd >= 0) (void)close(o->fd);
    free(f);
}

enum psst_err psst_origin_of_folder(struct psst_origin **out, const char *program, const char *path,
                                    const struct psst_source_id *id)
{
    static const struct psst_origin_ops ops = {origin_open, origin_read, origin_check, origin_free};
    size_t size = strlen(path) + 1;
    struct folder_origin *f = calloc(1, sizeof *f + size);
    if (f == NULL) return PSST_ERR_MEMORY;
    f->origin = (struct psst_origin){&ops, -1};
    f->child = PSST_FOLDER_CHILD_NONE;
    f->id = *id;
    f->program = program;
    memcpy(f->path, path, size);
    *out = &f->origin;
    return PSST_OK;
}

/* ---- in: the hidden folder ---- */

struct folder_target {
    struct psst_target target; /* first */
    struct psst_target *part;
    struct psst_folder_child child;
    struct psst_msg_id id;
    int dir_fd, tree_fd; /* the folder that the user chose; the hidden one in it, locked */
    uint64_t inode;      /* the hidden one's, of an earlier run */
    const char *program;
    char temp[PSST_FOLDER_TEMP_SIZE];
    char name[PSST_SAFE_NAME_SIZE];
    char dir[];
};

static void temp_name(char out[PSST_FOLDER_TEMP_SIZE], const struct psst_msg_id *id)
{
    char hex[2 * sizeof id->b + 1];
    psst_hex_encode(hex, id->b, sizeof id->b);
    (void)snprintf(out, PSST_FOLDER_TEMP_SIZE, ".psst-%s.d", hex);
}

static enum psst_err fail(const struct folder_target *f, const char *what, struct psst_diag *diag)
{
    int e = errno;
    return psst_fail(diag, psst_file_err(e), "%s %s: %s.", what, f->name, strerror(e));
}

static int open_hidden(int dir_fd, const char *temp)
{
    return openat(dir_fd, temp, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* False: somebody is still at work in it. */
static bool lock_hidden(int fd)
{
    for (int waited = 0; waited < LOCK_MS; waited += LOCK_STEP) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0) return true;
        (void)poll(NULL, 0, LOCK_STEP);
    }
    return false;
}

static bool is_empty(int fd)
{
    int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
    if (dir == NULL) {
        if (copy >= 0) (void)close(copy);
        return false;
    }
    int n = 0;
    while (n < 3 && readdir(dir) != NULL) n++;
    (void)closedir(dir);
    return n < 3; /* itself, and what it lies in */
}

/* Data comes only after the store has noted which one is ours: any other is empty, or somebody else's. */
static enum psst_err make_hidden(struct folder_target *f, struct psst_diag *diag)
{
    struct stat st;
    int fd = open_hidden(f->dir_fd, f->temp);
    if (fd < 0 && errno == ENOENT) {
        if (mkdirat(f->dir_fd, f->temp, 0700) != 0 || (fsync(f->dir_fd) != 0 && errno != EINVAL))
            return fail(f, "Cannot make the folder", diag);
        fd = open_hidden(f->dir_fd, f->temp);
    }
    if (fd < 0 || fstat(fd, &st) != 0) return fail(f, "Cannot make the folder", diag);
    enum psst_err err = PSST_OK;
    if (st.st_uid != geteuid() || fchmod(fd, 0700) != 0)
        err = psst_fail(diag, PSST_ERR_PERMISSION, "Somebody else put a folder in the place of %s.", f->temp);
    else if (!lock_hidden(fd))
        err = psst_fail(diag, PSST_ERR_AGAIN, "%s is being unpacked already.", f->name);
    else if (st.st_ino != f->inode && !is_empty(fd))
        err = psst_fail(diag, PSST_ERR_EXISTS, "%s in %s is not psst's: look, and remove it.", f->temp, f->dir);
    if (err != PSST_OK) {
        (void)close(fd);
        return err;
    }
    f->tree_fd = fd;
    f->target.inode = st.st_ino;
    return PSST_OK;
}

/* Whether the hidden folder of before has one of the names that finish would have given it: f->name. */
static bool find_finished(struct folder_target *f)
{
    char name[PSST_SAFE_NAME_SIZE];
    struct stat st;
    if (f->inode == 0 || fstatat(f->dir_fd, f->temp, &st, AT_SYMLINK_NOFOLLOW) == 0) return false;
    for (unsigned copy = 1; copy <= PSST_SAFE_COPIES; copy++) {
        psst_file_name_copy(name, f->name, copy);
        if (fstatat(f->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0) continue;
        if (st.st_ino != f->inode || !S_ISDIR(st.st_mode) || st.st_uid != geteuid()) continue;
        memcpy(f->name, name, sizeof name);
        return true;
    }
    return false;
}

static char *whole_path(const struct folder_target *f)
{
    size_t size = strlen(f->dir) + strlen(f->name) + 2;
    char *path = malloc(size);
    const char *slash = f->dir[0] != '\0' && f->dir[strlen(f->dir) - 1] == '/' ? "" : "/";
    if (path != NULL) (void)snprintf(path, size, "%s%s%s", f->dir, slash, f->name);
    return path;
}

/* For what is still to come, and for all of it once more, unpacked. */
static enum psst_err check_room(const struct folder_target *f, const struct psst_target_open *open,
                                struct psst_diag *diag)
{
    struct statvfs fs;
    if (fstatvfs(f->dir_fd, &fs) != 0) return PSST_OK;
    uint64_t frag = fs.f_frsize == 0 ? 1 : fs.f_frsize;
    uint64_t missing = open->size > open->start ? open->size - open->start : 0;
    if (missing / frag + open->size / frag < fs.f_bavail) return PSST_OK;
    return psst_fail(diag, PSST_ERR_DISK_FULL,
                     "There is no room for the folder %s in %s: it is needed twice, packed and unpacked.", f->name,
                     f->dir);
}

static enum psst_err target_open(struct psst_target *t, struct psst_target_open *open_, struct psst_diag *diag)
{
    struct folder_target *f = (struct folder_target *)t;
    f->dir_fd = psst_folder_open(f->dir, diag);
    if (f->dir_fd < 0) return psst_file_err(errno);
    if (find_finished(f)) {
        psst_incoming_remove(f->dir, &f->id);
        open_->whole = whole_path(f);
        return open_->whole != NULL ? PSST_OK : PSST_ERR_MEMORY;
    }
    enum psst_err err = make_hidden(f, diag);
    if (err == PSST_OK) err = check_room(f, open_, diag);
    return err == PSST_OK ? f->part->ops->open(f->part, open_, diag) : err;
}

/* ---- in: the part, as ever ---- */

static enum psst_err target_read_back(struct psst_target *t, uint8_t *into, size_t len, uint64_t at,
                                      struct psst_diag *diag)
{
    struct psst_target *part = ((struct folder_target *)t)->part;
    return part->ops->read_back(part, into, len, at, diag);
}

static enum psst_err target_write(struct psst_target *t, const uint8_t *data, size_t len, size_t *n,
                                  struct psst_diag *diag)
{
    struct psst_target *part = ((struct folder_target *)t)->part;
    return part->ops->write(part, data, len, n, diag);
}

static enum psst_err target_sync(struct psst_target *t, struct psst_diag *diag)
{
    struct psst_target *part = ((struct folder_target *)t)->part;
    return part->ops->sync(part, diag);
}

/* ---- in: the end ---- */

static void remove_hidden(struct folder_target *f)
{
    if (f->tree_fd < 0) return;
    (void)!psst_tree_empty(f->tree_fd);
    (void)unlinkat(f->dir_fd, f->temp, AT_REMOVEDIR);
}

static bool target_end(struct psst_target *t, bool keep)
{
    struct folder_target *f = (struct folder_target *)t;
    psst_folder_child_kill(&f->child);
    t->fd = -1;
    if (!keep) remove_hidden(f);
    return f->part->ops->end(f->part, keep);
}

/* Without the lock that belongs to the descriptor. */
static int open_again(int fd)
{
    char path[32];
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return open(path, O_RDONLY | O_CLOEXEC);
}

static enum psst_err begin_unpacking(struct folder_target *f, struct psst_diag *diag)
{
    static const char *const args[] = {"unpack", NULL};
    enum psst_err err = f->part->ops->sync(f->part, diag);
    if (err == PSST_OK && psst_tree_empty(f->tree_fd) != PSST_OK) err = fail(f, "Cannot empty what is left of", diag);
    int fd = err == PSST_OK ? open_again(psst_target_part_fd(f->part)) : -1;
    if (err == PSST_OK && fd < 0) err = fail(f, "Cannot read what came of", diag);
    if (err == PSST_OK) err = psst_folder_child_start(&f->child, f->program, args, fd, f->tree_fd, diag);
    if (fd >= 0) (void)close(fd);
    f->target.fd = f->child.report_fd;
    return err == PSST_OK ? PSST_ERR_AGAIN : err;
}

/* Never onto anything. */
static int rename_hidden(const struct folder_target *f, const char *name)
{
    if (renameat2(f->dir_fd, f->temp, f->dir_fd, name, RENAME_NOREPLACE) == 0) return 0;
    if (errno != EINVAL && errno != ENOSYS) return -1;
    /* a file system without that flag: what is put into the new folder meanwhile keeps it from being replaced */
    if (mkdirat(f->dir_fd, name, 0700) != 0) return -1;
    return renameat(f->dir_fd, f->temp, f->dir_fd, name);
}

static enum psst_err take_name(struct folder_target *f, struct psst_diag *diag)
{
    char name[PSST_SAFE_NAME_SIZE];
    struct stat named;
    unsigned copy = 1;
    for (; copy <= PSST_SAFE_COPIES; copy++) {
        psst_file_name_copy(name, f->name, copy);
        if (rename_hidden(f, name) == 0) break;
        if (errno != EEXIST && errno != ENOTEMPTY) return fail(f, "Cannot name the folder", diag);
    }
    if (copy > PSST_SAFE_COPIES)
        return psst_fail(diag, PSST_ERR_EXISTS, "There are %d files called %s already.", PSST_SAFE_COPIES, f->name);
    memcpy(f->name, name, sizeof name);
    if (fstatat(f->dir_fd, name, &named, AT_SYMLINK_NOFOLLOW) != 0 || named.st_ino != f->target.inode)
        return psst_fail(diag, PSST_ERR_PERMISSION,
                         "Somebody else changes files in this folder: %s is not the one received.", name);
    return fsync(f->dir_fd) == 0 || errno == EINVAL ? PSST_OK : fail(f, "Cannot save the folder of", diag);
}

static enum psst_err target_finish(struct psst_target *t, char **path, struct psst_diag *diag)
{
    struct folder_target *f = (struct folder_target *)t;
    struct psst_folder_report report;
    if (f->child.pid == 0) return begin_unpacking(f, diag);
    enum psst_err err = psst_folder_child_end(&f->child, false, &report, diag);
    if (err == PSST_ERR_AGAIN) return err;
    t->fd = -1;
    if (err == PSST_OK) err = take_name(f, diag);
    if (err == PSST_ERR_MALFORMED) (void)target_end(t, false);
    if (err != PSST_OK) return err;
    (void)f->part->ops->end(f->part, false);
    *path = whole_path(f);
    if (report.facts.renamed > 0)
        (void)psst_fail(diag, PSST_OK, "%" PRIu32 " of the names in it had to be changed", report.facts.renamed);
    return *path != NULL ? PSST_OK : PSST_ERR_MEMORY;
}

static void target_free(struct psst_target *t)
{
    struct folder_target *f = (struct folder_target *)t;
    psst_folder_child_abandon(&f->child); /* on the loop; whoever closes it orderly has waited in the worker */
    f->part->ops->free(f->part);
    if (f->tree_fd >= 0) (void)close(f->tree_fd);
    if (f->dir_fd >= 0) (void)close(f->dir_fd);
    free(f);
}

enum psst_err psst_target_of_folder(struct psst_target **out, const char *program, const char *dir,
                                    struct psst_view name, bool exact, const struct psst_msg_id *transfer_id,
                                    uint64_t inode)
{
    static const struct psst_target_ops ops = {target_open,   target_read_back, target_write, target_sync,
                                               target_finish, target_end,       target_free};
    size_t size = strlen(dir) + 1;
    struct psst_target *part;
    enum psst_err err = psst_target_of_part(&part, dir, name, exact, transfer_id, 0);
    if (err != PSST_OK) return err;
    struct folder_target *f = calloc(1, sizeof *f + size);
    if (f == NULL) {
        part->ops->free(part);
        return PSST_ERR_MEMORY;
    }
    f->target = (struct psst_target){&ops, -1, 0};
    f->part = part;
    f->child = PSST_FOLDER_CHILD_NONE;
    f->id = *transfer_id;
    f->dir_fd = -1;
    f->tree_fd = -1;
    f->inode = inode;
    f->program = program;
    if (exact)
        memcpy(f->name, name.data, name.len); /* it has the length of a name: the part has looked */
    else
        psst_file_name_sanitize(f->name, name);
    temp_name(f->temp, transfer_id);
    memcpy(f->dir, dir, size);
    *out = &f->target;
    return PSST_OK;
}

void psst_folder_remove(const char *dir, const struct psst_msg_id *transfer_id, uint64_t inode)
{
    char temp[PSST_FOLDER_TEMP_SIZE];
    struct stat st;
    temp_name(temp, transfer_id);
    int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int fd = dir_fd >= 0 ? open_hidden(dir_fd, temp) : -1;
    if (fd >= 0) {
        (void)lock_hidden(fd);
        if (fstat(fd, &st) == 0 && st.st_ino == inode) (void)!psst_tree_empty(fd);
        (void)unlinkat(dir_fd, temp, AT_REMOVEDIR);
        (void)close(fd);
    }
    if (dir_fd >= 0) (void)close(dir_fd);
}
