/* No file at all, with Landlock; an older kernel has none, and then the filter of sandbox_linux.c, which lets no file be opened, stands
 * alone. What is open already, the descriptors of psstd among it, stays as it is. */
#include "daemon/voice/sandbox.h"

#include <errno.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EVERYTHING  (LANDLOCK_ACCESS_FS_MAKE_SYM * 2 - 1) /* what the first version knows */
#define SCOPED_FROM 6                                     /* the version that knows `scoped` */
#define SCOPED_ALL  3                                     /* abstract Unix sockets, signals: of those in here alone */

/* As the kernel has it; Debian's header is older. A kernel takes the part that it knows. */
struct rules {
    uint64_t fs, net, scoped;
};

enum psst_err psst_voice_no_files(void)
{
    struct rules wanted = {.fs = EVERYTHING};
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (version < 1) return errno == ENOSYS || errno == EOPNOTSUPP ? PSST_OK : PSST_ERR_IO;
    if (version >= SCOPED_FROM) wanted.scoped = SCOPED_ALL;
    size_t size = version >= SCOPED_FROM ? sizeof wanted : sizeof wanted.fs;
    int rules = (int)syscall(SYS_landlock_create_ruleset, &wanted, size, 0);
    if (rules < 0) return PSST_ERR_IO;
    enum psst_err err = PSST_OK;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || syscall(SYS_landlock_restrict_self, rules, 0) != 0)
        err = PSST_ERR_IO;
    (void)close(rules);
    return err;
}
