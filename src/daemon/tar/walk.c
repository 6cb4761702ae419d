/* What is in a folder. One descriptor for each folder on the way down, so that nobody can put another one into the path
 * meanwhile; links are never followed, and what is no file and no folder is never opened. */
#include "daemon/tar/tar.h"

#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct level {
    int fd;
    char **names;
    size_t n, at;
    size_t path_len; /* of the folder's own path, with its '/' */
};

struct psst_tar_walk {
    struct level levels[PSST_TAR_DEPTH_MAX + 1];
    size_t depth; /* levels in use */
    int root_fd;  /* until the first step; borrowed */
    size_t seen;  /* names, of all folders */
    char path[PSST_TAR_PATH_MAX + 2];
    psst_tar_left_out *left;
    void *ctx;
};

static void leave_out(struct psst_tar_walk *walk, const char *why)
{
    if (walk->left != NULL) walk->left(walk->ctx, walk->path, why);
}

/* ---- the names in one folder ---- */

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static enum psst_err add_name(struct psst_tar_walk *walk, struct level *level, size_t *cap, const char *name,
                              struct psst_diag *diag)
{
    if (++walk->seen > PSST_TAR_ENTRIES_MAX)
        return psst_fail(diag, PSST_ERR_TOO_LONG, "There are more than %d files and folders in it.",
                         PSST_TAR_ENTRIES_MAX);
    if (level->n == *cap) {
        size_t more = *cap == 0 ? 16 : *cap * 2;
        char **names = realloc(level->names, more * sizeof *names);
        if (names == NULL) return PSST_ERR_MEMORY;
        level->names = names;
        *cap = more;
    }
    level->names[level->n] = strdup(name);
    if (level->names[level->n] == NULL) return PSST_ERR_MEMORY;
    level->n++;
    return PSST_OK;
}

static enum psst_err read_names(struct psst_tar_walk *walk, struct level *level, struct psst_diag *diag)
{
    int fd = openat(level->fd, ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC); /* with a place of its own */
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (dir == NULL) {
        if (fd >= 0) (void)close(fd);
        return psst_fail(diag, PSST_ERR_IO, "A folder cannot be read: %s.", strerror(errno));
    }
    enum psst_err err = PSST_OK;
    size_t cap = 0;
    for (;;) {
        errno = 0;
        const struct dirent *e = readdir(dir);
        if (e == NULL && errno != 0)
            err = psst_fail(diag, PSST_ERR_IO, "A folder cannot be read: %s.", strerror(errno));
        if (e == NULL || err != PSST_OK) break;
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) continue;
        err = add_name(walk, level, &cap, e->d_name, diag);
        if (err != PSST_OK) break;
    }
    (void)closedir(dir);
    if (err == PSST_OK && level->n > 1) qsort(level->names, level->n, sizeof level->names[0], by_bytes);
    return err;
}

static void level_fini(struct level *level)
{
    for (size_t i = 0; i < level->n; i++) free(level->names[i]);
    free(level->names);
    if (level->fd >= 0 && level->path_len > 0) (void)close(level->fd); /* the folder itself is borrowed */
    *level = (struct level){.fd = -1};
}

/* Takes fd. */
static enum psst_err push(struct psst_tar_walk *walk, int fd, size_t path_len, struct psst_diag *diag)
{
    struct level *level = &walk->levels[walk->depth++];
    *level = (struct level){.fd = fd, .path_len = path_len};
    return read_names(walk, level, diag);
}

/* ---- one after another ---- */

/* The path of the next name of the deepest folder. */
static enum psst_err step(struct psst_tar_walk *walk, const char *name, struct psst_diag *diag)
{
    const struct level *level = &walk->levels[walk->depth - 1];
    size_t len = strlen(name);
    bool deep = walk->depth > PSST_TAR_DEPTH_MAX, wide = level->path_len + len > PSST_TAR_PATH_MAX;
    if (!deep && !wide) {
        memcpy(walk->path + level->path_len, name, len + 1);
        return PSST_OK;
    }
    walk->path[level->path_len] = '\0';
    const char *where = psst_tar_shown(psst_view_str(walk->path));
    if (deep)
        return psst_fail(diag, PSST_ERR_TOO_LONG, "More than %d folders lie inside each other: %s", PSST_TAR_DEPTH_MAX,
                         where);
    return psst_fail(diag, PSST_ERR_TOO_LONG, "The path of something in it is too long: %s", where);
}

static const char *kind_of(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFLNK: return "a symbolic link";
    case S_IFIFO: return "a pipe";
    case S_IFSOCK: return "a socket";
    case S_IFCHR:
    case S_IFBLK: return "a device";
    default: return "no file and no folder";
    }
}

/* Opens what is there when it is a file or a folder; -1: it is left out, or gone. */
static int open_found(struct psst_tar_walk *walk, const char *name, struct stat *st)
{
    int dir_fd = walk->levels[walk->depth - 1].fd;
    if (fstatat(dir_fd, name, st, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno != ENOENT) leave_out(walk, strerror(errno));
        return -1;
    }
    mode_t kind = st->st_mode & S_IFMT;
    if (kind != S_IFREG && kind != S_IFDIR) {
        leave_out(walk, kind_of(st->st_mode));
        return -1;
    }
    int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | (kind == S_IFDIR ? O_DIRECTORY : 0);
    int fd = openat(dir_fd, name, flags);
    if (fd < 0 || fstat(fd, st) != 0 || (st->st_mode & S_IFMT) != kind) {
        leave_out(walk, fd < 0 ? strerror(errno) : "it has just changed");
        if (fd >= 0) (void)close(fd);
        return -1;
    }
    return fd;
}

static enum psst_err give(struct psst_tar_walk *walk, struct psst_tar_found *found, int fd, const struct stat *st,
                          struct psst_diag *diag)
{
    bool folder = S_ISDIR(st->st_mode);
    *found = (struct psst_tar_found){.path = walk->path,
                                     .folder = folder,
                                     .fd = folder ? -1 : fd,
                                     .size = folder ? 0 : (uint64_t)st->st_size,
                                     .mtime_s = st->st_mtim.tv_sec,
                                     .mtime_ns = (uint32_t)st->st_mtim.tv_nsec};
    if (!folder) return PSST_OK;
    return push(walk, fd, strlen(walk->path) + 1, diag);
}

enum psst_err psst_tar_walk_next(struct psst_tar_walk *walk, struct psst_tar_found *found, struct psst_diag *diag)
{
    if (walk->root_fd >= 0) {
        int fd = walk->root_fd;
        walk->root_fd = -1;
        enum psst_err err = push(walk, fd, 0, diag);
        if (err != PSST_OK) return err;
    }
    while (walk->depth > 0) {
        struct level *level = &walk->levels[walk->depth - 1];
        if (level->path_len > 0) walk->path[level->path_len - 1] = '/';
        if (level->at == level->n) {
            level_fini(level);
            walk->depth--;
            continue;
        }
        const char *name = level->names[level->at++];
        struct stat st;
        enum psst_err err = step(walk, name, diag);
        if (err == PSST_OK) err = psst_tar_alive();
        if (err != PSST_OK) return err;
        if (!psst_text_valid(psst_view_str(name))) {
            leave_out(walk, "its name is no UTF-8");
            continue;
        }
        int fd = open_found(walk, name, &st);
        if (fd >= 0) return give(walk, found, fd, &st, diag);
    }
    *found = (struct psst_tar_found){.fd = -1};
    return PSST_OK;
}

struct psst_tar_walk *psst_tar_walk_new(int dir_fd, psst_tar_left_out *left, void *ctx)
{
    struct psst_tar_walk *walk = calloc(1, sizeof *walk);
    if (walk == NULL) return NULL;
    walk->root_fd = dir_fd;
    walk->left = left;
    walk->ctx = ctx;
    return walk;
}

void psst_tar_walk_free(struct psst_tar_walk *walk)
{
    if (walk == NULL) return;
    while (walk->depth > 0) level_fini(&walk->levels[--walk->depth]);
    free(walk);
}
