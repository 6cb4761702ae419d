#include "folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

void folder_init(struct folder *f)
{
    const char *tmp = getenv("TMPDIR");
    *f = (struct folder){.mounted = false};
    (void)snprintf(f->path, sizeof f->path, "%s/psst-test-XXXXXX", tmp == NULL ? "/tmp" : tmp);
    assert_non_null(mkdtemp(f->path));
}

static bool mounts_are_private;

void folder_private_mounts(void)
{
    mounts_are_private = unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

bool folder_init_tiny(struct folder *f, size_t bytes)
{
    char options[64];
    folder_init(f);
    (void)snprintf(options, sizeof options, "size=%zu", bytes);
    f->mounted = mounts_are_private && mount("psst-test", f->path, "tmpfs", MS_NOSUID | MS_NODEV, options) == 0;
    if (!f->mounted) {
        print_message("[  SKIPPED ] a tiny tmpfs cannot be mounted here (it needs root): not tested\n");
        folder_fini(f);
    }
    return f->mounted;
}

static void remove_all(int dir_fd)
{
    DIR *dir = fdopendir(dup(dir_fd));
    if (dir == NULL) return;
    rewinddir(dir);
    for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) continue;
        if (unlinkat(dir_fd, e->d_name, 0) != 0) (void)unlinkat(dir_fd, e->d_name, AT_REMOVEDIR);
    }
    (void)closedir(dir);
}

void folder_fini(struct folder *f)
{
    if (f->mounted) (void)umount2(f->path, MNT_DETACH);
    int fd = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        remove_all(fd);
        (void)close(fd);
    }
    (void)rmdir(f->path);
}

const char *folder_file(const struct folder *f, const char *name)
{
    static char paths[8][512];
    static size_t next;
    char *path = paths[next++ % 8];
    (void)snprintf(path, sizeof paths[0], "%s/%s", f->path, name);
    return path;
}

void folder_put(const struct folder *f, const char *name, const void *data, size_t len)
{
    int fd = open(folder_file(f, name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(len == 0 ? 0 : write(fd, data, len), len);
    assert_int_equal(close(fd), 0);
}

size_t folder_count(const struct folder *f)
{
    size_t n = 0;
    DIR *dir = opendir(f->path);
    assert_non_null(dir);
    while (readdir(dir) != NULL) n++;
    (void)closedir(dir);
    return n - 2;
}

bool folder_has(const struct folder *f, const char *name)
{
    struct stat st;
    return lstat(folder_file(f, name), &st) == 0;
}

void folder_assert_is(const struct folder *f, const char *name, const void *data, size_t len)
{
    struct stat st;
    assert_int_equal(lstat(folder_file(f, name), &st), 0);
    assert_true(S_ISREG(st.st_mode));
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(st.st_size, len);
    uint8_t *got = malloc(len + 1);
    assert_non_null(got);
    FILE *file = fopen(folder_file(f, name), "rb");
    assert_non_null(file);
    assert_int_equal(fread(got, 1, len, file), len);
    (void)fclose(file);
    if (len > 0) assert_memory_equal(got, data, len);
    free(got);
}
