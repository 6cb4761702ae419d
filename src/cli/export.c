#include "cli/export.h"

#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int there_already(const char *path)
{
    return psst_cli_error(PSST_EXIT_FAILED, "%s is there already: --force replaces it", path);
}

static int refused(const char *path, int reason)
{
    return psst_cli_error(PSST_EXIT_FAILED, "cannot write %s: %s", path, strerror(reason));
}

/* The directory that path is in; -1: errno. */
static int open_directory(const char *path, int flags)
{
    char *copy = strdup(path);
    if (copy == NULL) return -1;
    int fd = open(dirname(copy), flags | O_CLOEXEC, 0600);
    int reason = errno;
    free(copy);
    errno = reason;
    return fd;
}

/* A file without a name, that nothing is left of however this program ends; where the file system has no such files, one
 * beside the place. */
static int make_file(struct psst_export *export)
{
    int fd = open_directory(export->path, O_TMPFILE | O_WRONLY);
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)) return fd;
    if (asprintf(&export->beside, "%s.XXXXXX", export->path) < 0) {
        export->beside = NULL;
        errno = ENOMEM;
        return -1;
    }
    return mkostemp(export->beside, O_CLOEXEC); /* 0600 */
}

int psst_export_begin(struct psst_export *export, const char *path, bool replace)
{
    struct stat st;
    *export = (struct psst_export){.path = path, .replace = replace};
    if (strcmp(path, "-") == 0) {
        export->f = stdout;
        return PSST_EXIT_DONE;
    }
    bool there = lstat(path, &st) == 0;
    if (there && !replace) return there_already(path);
    if (there && !S_ISREG(st.st_mode))
        return psst_cli_error(PSST_EXIT_FAILED, "%s is not a file: it is left alone", path);
    int fd = make_file(export);
    export->f = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (export->f != NULL) return PSST_EXIT_DONE;
    int reason = errno;
    if (fd >= 0) (void)close(fd);
    free(export->beside);
    return refused(path, reason);
}

/* Gives the file without a name the one beside the place, so that rename can take the place of another. */
static bool name_it(struct psst_export *export)
{
    char self[40];
    (void)snprintf(self, sizeof self, "/proc/self/fd/%d", fileno(export->f));
    if (!export->replace) return linkat(AT_FDCWD, self, AT_FDCWD, export->path, AT_SYMLINK_FOLLOW) == 0;
    for (unsigned i = 0; i < 100; i++) {
        char *name;
        if (asprintf(&name, "%s.%d-%u", export->path, (int)getpid(), i) < 0) return false;
        if (linkat(AT_FDCWD, self, AT_FDCWD, name, AT_SYMLINK_FOLLOW) == 0) {
            export->beside = name;
            return true;
        }
        free(name);
        if (errno != EEXIST) return false;
    }
    return false;
}

static bool move_in_place(const struct psst_export *export)
{
    if (export->replace) return rename(export->beside, export->path) == 0;
    if (renameat2(AT_FDCWD, export->beside, AT_FDCWD, export->path, RENAME_NOREPLACE) == 0) return true;
    if (errno != EINVAL && errno != ENOSYS) return false;
    if (link(export->beside, export->path) != 0) return false; /* which replaces nothing */
    return unlink(export->beside) == 0;
}

static bool put_in_place(struct psst_export *export)
{
    if (fflush(export->f) != 0 || ferror(export->f) || fsync(fileno(export->f)) != 0) return false;
    if (export->beside == NULL && !name_it(export)) return false;
    if (export->beside != NULL && !move_in_place(export)) return false;
    int dir = open_directory(export->path, O_RDONLY | O_DIRECTORY);
    if (dir >= 0) {
        (void)fsync(dir);
        (void)close(dir);
    }
    return true;
}

int psst_export_end(struct psst_export *export, bool keep)
{
    if (export->f == stdout) return PSST_EXIT_DONE; /* main sees whether it could be written */
    errno = 0;
    bool good = keep && put_in_place(export);
    int reason = errno != 0 ? errno : EIO;
    (void)fclose(export->f);
    if (!good && export->beside != NULL) (void)unlink(export->beside);
    free(export->beside);
    if (good || !keep) return PSST_EXIT_DONE;
    return reason == EEXIST ? there_already(export->path) : refused(export->path, reason);
}
