/* Which files psst-voice can read: what libpulse finds its sound server with, and the system's own. With Landlock; an older kernel has
 * none, and then the filter of sandbox_linux.c is all there is. What is open already, the descriptors of psstd among it, stays as
 * it is. */
#include "daemon/voice/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PATH_SIZE   1024
#define READING     (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define EVERYTHING  (LANDLOCK_ACCESS_FS_MAKE_SYM * 2 - 1) /* what the first version knows */
#define SCOPED_FROM 6                                     /* the version that knows `scoped` */
#define SCOPED_ALL  3                                     /* abstract Unix sockets, signals: of those in here alone */

/* As the kernel has it; Debian's header is older. A kernel takes the part that it knows. */
struct rules {
    uint64_t fs, net, scoped;
};

/* Of the machine: they hold no secret of anybody's. */
static const char *const common[] = {
    "/usr",
    "/lib",
    "/lib64",
    "/etc",
    "/sys/devices/system/cpu",
    "/dev/null",
    "/dev/urandom",
    "/var/lib/dbus/machine-id",
};

/* Below what a variable names. */
static const struct {
    const char *variable, *below;
} own[] = {
    {"XDG_RUNTIME_DIR", "/pulse"}, {"PULSE_RUNTIME_PATH", ""}, {"XDG_CONFIG_HOME", "/pulse"}, {"PULSE_COOKIE", ""},
    {"HOME", "/.config/pulse"},    {"HOME", "/.pulse-cookie"}, {"HOME", "/.pulse"},
};

/* What is not there cannot be read either. */
static enum psst_err allow(int rules, const char *path)
{
    struct stat st;
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0) return PSST_OK;
    bool folder = fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
    const struct landlock_path_beneath_attr rule = {.allowed_access = folder ? READING : LANDLOCK_ACCESS_FS_READ_FILE,
                                                    .parent_fd = fd};
    long rc = syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    (void)close(fd);
    return rc == 0 ? PSST_OK : PSST_ERR_IO;
}

static enum psst_err allow_all(int rules)
{
    enum psst_err err = PSST_OK;
    for (size_t i = 0; i < sizeof common / sizeof common[0] && err == PSST_OK; i++) err = allow(rules, common[i]);
    for (size_t i = 0; i < sizeof own / sizeof own[0] && err == PSST_OK; i++) {
        char path[PATH_SIZE];
        const char *value = getenv(own[i].variable);
        if (value == NULL || value[0] != '/') continue;
        int n = snprintf(path, sizeof path, "%s%s", value, own[i].below);
        if (n > 0 && (size_t)n < sizeof path) err = allow(rules, path);
    }
    return err;
}

enum psst_err psst_voice_files_only(void)
{
    struct rules wanted = {.fs = EVERYTHING};
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (version < 1) return errno == ENOSYS || errno == EOPNOTSUPP ? PSST_OK : PSST_ERR_IO;
    if (version >= SCOPED_FROM) wanted.scoped = SCOPED_ALL;
    size_t size = version >= SCOPED_FROM ? sizeof wanted : sizeof wanted.fs;
    int rules = (int)syscall(SYS_landlock_create_ruleset, &wanted, size, 0);
    if (rules < 0) return PSST_ERR_IO;
    enum psst_err err = allow_all(rules);
    if (err == PSST_OK &&
        (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || syscall(SYS_landlock_restrict_self, rules, 0) != 0))
        err = PSST_ERR_IO;
    (void)close(rules);
    return err;
}
