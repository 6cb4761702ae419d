/* A plan onto the disk, below one descriptor: every file and folder is made by name in its folder's own descriptor, new
 * (O_EXCL), never through a link, and for its owner alone. */
#include "daemon/tar/tar.h"

#include "base/file_name.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE      ((size_t)1024 * 1024)
#define MTIME_LAST INT64_C(253402300799) /* the end of the year 9999 */

struct writing {
    int archive_fd;
    int fds[PSST_TAR_DEPTH_MAX + 1];                     /* of the folders on the way down; 0: the folder itself */
    struct psst_tar_node *nodes[PSST_TAR_DEPTH_MAX + 1]; /* theirs; 0: NULL */
    size_t depth;                                        /* the deepest that is open */
    uint8_t *piece;                                      /* once the kernel could not copy by itself */
    struct psst_diag *diag;
};

static enum psst_err fail(struct writing *w, const struct psst_tar_node *node)
{
    int e = errno;
    enum psst_err err = e == ENOSPC || e == EDQUOT ? PSST_ERR_DISK_FULL : PSST_ERR_IO;
    return psst_fail(w->diag, err, "Cannot write %s: %s.", psst_tar_shown(psst_view_str(node->name)), strerror(e));
}

/* ---- the way down ---- */

static int open_folder(int dir_fd, const char *name)
{
    return openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Opens folder, so that it is the deepest; NULL: the folder itself. */
static enum psst_err go_to(struct writing *w, struct psst_tar_node *folder)
{
    struct psst_tar_node *way[PSST_TAR_DEPTH_MAX + 1];
    size_t depth = folder == NULL ? 0 : folder->depth;
    for (struct psst_tar_node *node = folder; node != NULL; node = node->parent) way[node->depth] = node;
    size_t same = 0;
    while (same < depth && same < w->depth && w->nodes[same + 1] == way[same + 1]) same++;
    while (w->depth > same) (void)close(w->fds[w->depth--]);
    while (w->depth < depth) {
        struct psst_tar_node *node = way[w->depth + 1];
        int fd = open_folder(w->fds[w->depth], node->name);
        if (fd < 0) return fail(w, node);
        w->depth++;
        w->fds[w->depth] = fd;
        w->nodes[w->depth] = node;
    }
    return PSST_OK;
}

/* ---- one file ---- */

/* By the kernel, which may share the bytes with the archive instead of copying them. */
static ssize_t copy_piece(struct writing *w, int fd, uint64_t from, uint64_t left)
{
    size_t n = left < PIECE ? (size_t)left : PIECE;
    if (w->piece == NULL) {
        off_t at = (off_t)from;
        ssize_t done = copy_file_range(w->archive_fd, &at, fd, NULL, n, 0);
        if (done > 0 || (done < 0 && (errno == ENOSPC || errno == EDQUOT || errno == EIO || errno == EINTR)))
            return done;
        w->piece = malloc(PIECE);
        if (w->piece == NULL) return -1;
    }
    ssize_t got = pread(w->archive_fd, w->piece, n, (off_t)from);
    if (got > 0) return write(fd, w->piece, (size_t)got);
    if (got == 0) errno = EIO; /* the archive has become shorter */
    return -1;
}

static enum psst_err copy_contents(struct writing *w, int fd, const struct psst_tar_node *node)
{
    for (uint64_t done = 0; done < node->size;) {
        enum psst_err err = psst_tar_alive();
        if (err != PSST_OK) return err;
        ssize_t n = copy_piece(w, fd, node->offset + done, node->size - done);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return fail(w, node);
        done += (uint64_t)n;
    }
    return PSST_OK;
}

static enum psst_err set_time(struct writing *w, int fd, const struct psst_tar_node *node)
{
    if (node->mtime_s <= 0 || node->mtime_s > MTIME_LAST) return PSST_OK;
    const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = node->mtime_s}};
    return futimens(fd, times) == 0 || errno == EINVAL ? PSST_OK : fail(w, node);
}

/* ---- everything ---- */

/* 0 or a descriptor, or -1 and errno. */
static int make(struct writing *w, const struct psst_tar_node *node, const char *name)
{
    int dir_fd = w->fds[w->depth];
    if (node->folder) return mkdirat(dir_fd, name, 0700);
    return openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
}

/* The plan has given all of them different names; a file system that takes Ab and AB for one sees it otherwise. */
static int make_some_copy(struct writing *w, struct psst_tar_node *node)
{
    char clean[PSST_SAFE_NAME_SIZE], name[PSST_SAFE_NAME_SIZE];
    int fd = make(w, node, node->name);
    if (fd >= 0 || errno != EEXIST) return fd;
    psst_file_name_sanitize(clean, psst_view_str(node->raw));
    for (unsigned copy = 2; copy <= PSST_SAFE_COPIES; copy++) {
        psst_file_name_copy(name, clean, copy);
        fd = make(w, node, name);
        if (fd < 0 && errno == EEXIST) continue;
        char *taken = fd >= 0 ? strdup(name) : NULL;
        if (taken == NULL) break;
        free(node->name);
        node->name = taken;
        return fd;
    }
    return -1;
}

static enum psst_err write_node(struct writing *w, struct psst_tar_node *node)
{
    enum psst_err err = psst_tar_alive();
    if (err == PSST_OK) err = go_to(w, node->parent);
    if (err != PSST_OK) return err;
    int fd = make_some_copy(w, node);
    if (fd < 0) return fail(w, node);
    if (node->folder) return PSST_OK;
    err = copy_contents(w, fd, node);
    if (err == PSST_OK) err = set_time(w, fd, node);
    if (close(fd) != 0 && err == PSST_OK) err = fail(w, node);
    return err;
}

enum psst_err psst_tar_write(struct psst_tar_plan *plan, int archive_fd, int dir_fd, struct psst_diag *diag)
{
    struct writing w = {.archive_fd = archive_fd, .fds = {dir_fd}, .diag = diag};
    enum psst_err err = PSST_OK;
    for (struct psst_tar_node *node = plan->first; node != NULL && err == PSST_OK; node = node->next)
        err = write_node(&w, node);
    while (w.depth > 0) (void)close(w.fds[w.depth--]);
    free(w.piece);
    /* one call for all: an fsync for each of 100,000 files would take minutes */
    if (err == PSST_OK && syncfs(dir_fd) != 0)
        err = psst_fail(diag, errno == ENOSPC || errno == EDQUOT ? PSST_ERR_DISK_FULL : PSST_ERR_IO,
                        "The folder cannot be saved: %s.", strerror(errno));
    return err;
}
