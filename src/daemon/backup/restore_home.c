/*   home/restore.new/ identity.pem card.psst config store.key store.db     written, synced
 *   home/restore.new/store.db-restored     made: so the store knows that it was restored (src/store/restored.c)
 *   home/store.db-restored, store.db, store.key, card.psst    linked
 *   home/identity.pem                      linked: from here on it is restored
 *   home/restore.new/                      emptied, identity.pem last, and removed
 * A crash before identity.pem is linked: clean_up takes the links away again. After it: clean_up only empties restore.new. */
#include "daemon/backup/restore_home.h"

#include "daemon/safe_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER   "restore.new"
#define IDENTITY "identity.pem"
#define CARD     "card.psst"
#define MARK     "store.db-restored"

static const char *const linked[] = {MARK, "store.db", "store.key", CARD};
static const char *const unlinked[] = {MARK, "store.db", "store.key", CARD, "config", IDENTITY}; /* in this order */

#define COUNT(list) (sizeof(list) / sizeof(list)[0])

static enum psst_err fail(struct psst_diag *diag, const char *what, const char *name)
{
    int e = errno;
    enum psst_err err = psst_file_err(e);
    if (err == PSST_ERR_DISK_FULL)
        return psst_fail(diag, err, "nothing was restored, and nothing is left of it: the disk is full");
    return psst_fail(diag, err, "cannot %s %s: %s", what, name, strerror(e));
}

static void close_fds(struct psst_restore_home *home)
{
    if (home->new_fd >= 0) (void)close(home->new_fd);
    if (home->home_fd >= 0) (void)close(home->home_fd);
    home->new_fd = home->home_fd = -1;
}

static bool there(int dir_fd, const char *name)
{
    struct stat st;
    return fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool same_file(const struct psst_restore_home *home, const char *name)
{
    struct stat a, b;
    return fstatat(home->home_fd, name, &a, AT_SYMLINK_NOFOLLOW) == 0 &&
           fstatat(home->new_fd, name, &b, AT_SYMLINK_NOFOLLOW) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static enum psst_err sync_home(const struct psst_restore_home *home, struct psst_diag *diag)
{
    /* EINVAL: a file system that has no such thing */
    return fsync(home->home_fd) == 0 || errno == EINVAL ? PSST_OK : fail(diag, "write", "the home");
}

/* restore.new is open. With identity.pem in its place nothing outside is touched. */
static enum psst_err undo(const struct psst_restore_home *home, struct psst_diag *diag)
{
    bool restored = there(home->home_fd, IDENTITY);
    for (size_t i = 0; i < COUNT(linked) && !restored; i++)
        if (same_file(home, linked[i]) && unlinkat(home->home_fd, linked[i], 0) != 0)
            return fail(diag, "remove", linked[i]);
    for (size_t i = 0; i < COUNT(unlinked); i++)
        if (unlinkat(home->new_fd, unlinked[i], 0) != 0 && errno != ENOENT)
            return fail(diag, "remove " FOLDER "/", unlinked[i]);
    if (unlinkat(home->home_fd, FOLDER, AT_REMOVEDIR) == 0) return sync_home(home, diag);
    if (errno == ENOTEMPTY || errno == EEXIST)
        return psst_fail(diag, PSST_ERR_EXISTS,
                         "the folder " FOLDER " in psst's home holds what psst did not put there: look, and remove it");
    return fail(diag, "remove", FOLDER);
}

/* PSST_ERR_NOT_FOUND: there is no restore.new. */
static enum psst_err open_both(struct psst_restore_home *home, const char *dir, struct psst_diag *diag)
{
    const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    home->new_fd = -1;
    home->home_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (home->home_fd < 0) {
        (void)fail(diag, "open", dir);
        return PSST_ERR_IO;
    }
    home->new_fd = openat(home->home_fd, FOLDER, flags);
    if (home->new_fd >= 0) return PSST_OK;
    if (errno == ENOENT) return PSST_ERR_NOT_FOUND;
    return psst_fail(diag, PSST_ERR_PERMISSION,
                     "what is called " FOLDER " in psst's home is no folder of psst's: remove it");
}

enum psst_err psst_restore_home_clean_up(const struct psst_paths *paths, struct psst_diag *diag)
{
    struct psst_restore_home home;
    enum psst_err err = open_both(&home, paths->data_dir, diag);
    if (err == PSST_OK)
        err = undo(&home, diag);
    else if (err == PSST_ERR_NOT_FOUND)
        err = PSST_OK;
    close_fds(&home);
    return err;
}

/* A log that is left of a store would be read into another one under its name. */
static enum psst_err refuse(int home_fd, struct psst_diag *diag)
{
    static const struct {
        const char *name, *what;
    } cases[] = {{IDENTITY, "an identity"},
                 {"store.db", "a history"},
                 {"store.db-wal", "a part of a history"},
                 {"store.key", "a history's key"}};
    for (size_t i = 0; i < COUNT(cases); i++)
        if (there(home_fd, cases[i].name))
            return psst_fail(
                diag, PSST_ERR_EXISTS,
                "there is %s already (%s), and nothing is ever restored over it: set PSST_HOME to an empty "
                "folder, or move it away",
                cases[i].what, cases[i].name);
    return PSST_OK;
}

enum psst_err psst_restore_home_begin(struct psst_restore_home *home, const struct psst_paths *paths,
                                      struct psst_diag *diag)
{
    struct psst_restore_home h = {-1, -1};
    enum psst_err err = psst_restore_home_clean_up(paths, diag);
    if (err != PSST_OK) return err;
    h.home_fd = open(paths->data_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (h.home_fd < 0) return fail(diag, "open", paths->data_dir);
    err = refuse(h.home_fd, diag);
    if (err == PSST_OK && mkdirat(h.home_fd, FOLDER, 0700) != 0) err = fail(diag, "make", FOLDER);
    if (err == PSST_OK) {
        h.new_fd = openat(h.home_fd, FOLDER, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (h.new_fd < 0) err = fail(diag, "open", FOLDER);
    }
    if (err == PSST_OK)
        *home = h;
    else
        close_fds(&h);
    return err;
}

enum psst_err psst_restore_home_file(const struct psst_restore_home *home, const char *name, int *fd,
                                     struct psst_diag *diag)
{
    int made = openat(home->new_fd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (made < 0) return fail(diag, "make", name);
    *fd = made;
    return PSST_OK;
}

static enum psst_err link_one(const struct psst_restore_home *home, const char *name, struct psst_diag *diag)
{
    if (linkat(home->new_fd, name, home->home_fd, name, 0) == 0) return PSST_OK;
    if (errno == EEXIST)
        return psst_fail(diag, PSST_ERR_EXISTS, "somebody has just put a %s there: nothing was restored", name);
    return fail(diag, "make", name);
}

static enum psst_err place(const struct psst_restore_home *home, struct psst_diag *diag)
{
    int fd = -1;
    enum psst_err err = psst_restore_home_file(home, MARK, &fd, diag);
    if (err != PSST_OK) return err;
    (void)close(fd);
    err = fsync(home->new_fd) == 0 || errno == EINVAL ? PSST_OK : fail(diag, "write", FOLDER);
    if (err == PSST_OK) err = refuse(home->home_fd, diag);
    if (err == PSST_OK) (void)unlinkat(home->home_fd, CARD, 0); /* without an identity it is nobody's */
    if (err == PSST_OK) (void)unlinkat(home->home_fd, MARK, 0); /* nor without a store */
    for (size_t i = 0; i < COUNT(linked) && err == PSST_OK; i++) err = link_one(home, linked[i], diag);
    if (err == PSST_OK) err = sync_home(home, diag);
    if (err == PSST_OK) err = link_one(home, IDENTITY, diag);
    if (err == PSST_OK) err = sync_home(home, diag);
    return err;
}

enum psst_err psst_restore_home_place(struct psst_restore_home *home, struct psst_diag *diag)
{
    enum psst_err err = place(home, diag);
    if (err != PSST_OK && same_file(home, IDENTITY)) (void)unlinkat(home->home_fd, IDENTITY, 0);
    struct psst_diag later = {{0}};
    enum psst_err cleaned = undo(home, &later);
    (void)cleaned; /* what could not be removed, the next start of psstd removes */
    close_fds(home);
    return err;
}

void psst_restore_home_abandon(struct psst_restore_home *home)
{
    enum psst_err cleaned = undo(home, NULL);
    (void)cleaned;
    close_fds(home);
}
