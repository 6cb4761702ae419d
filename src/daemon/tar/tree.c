#include "daemon/tar/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define DEPTH_MAX 64 /* ours are 32 deep */

struct level {
    DIR *dir;
    char name[256]; /* in the folder above */
};

/* An own place in the folder: the caller's descriptor keeps its own. NULL: it cannot be read. */
static DIR *open_level(int dir_fd, const char *name)
{
    int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (dir == NULL && fd >= 0) (void)close(fd);
    return dir;
}

/* Removes what is no folder. The name of the first folder, or NULL: there is none left. */
static const char *next_folder(DIR *dir)
{
    for (const struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) continue;
        if (unlinkat(dirfd(dir), e->d_name, 0) == 0) continue;
        if (unlinkat(dirfd(dir), e->d_name, AT_REMOVEDIR) == 0) continue; /* an empty one */
        if (errno == ENOTEMPTY || errno == EEXIST) return e->d_name;
    }
    return NULL;
}

enum psst_err psst_tree_empty(int dir_fd)
{
    struct level levels[DEPTH_MAX];
    size_t depth = 0;
    enum psst_err err = PSST_OK;
    levels[0].dir = open_level(dir_fd, ".");
    if (levels[0].dir == NULL) return PSST_ERR_IO;
    for (;;) {
        DIR *dir = levels[depth].dir;
        const char *name = err == PSST_OK ? next_folder(dir) : NULL;
        if (name != NULL && strlen(name) < sizeof levels[0].name && depth + 1 < DEPTH_MAX) {
            struct level *below = &levels[depth + 1];
            memcpy(below->name, name, strlen(name) + 1);
            below->dir = open_level(dirfd(dir), below->name);
            if (below->dir != NULL)
                depth++;
            else
                err = PSST_ERR_IO;
            continue;
        }
        if (name != NULL) err = PSST_ERR_IO;
        (void)closedir(dir);
        if (depth == 0) break;
        depth--;
        if (err == PSST_OK && unlinkat(dirfd(levels[depth].dir), levels[depth + 1].name, AT_REMOVEDIR) != 0)
            err = PSST_ERR_IO;
    }
    return err;
}
