#include "daemon/tar/sandbox.h"

#include "daemon/tar/tar.h"

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

/* Ctrl-C reaches psst-tar too, but it is psstd that says whether a transfer is over. */
static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGTSTP};

enum psst_err psst_tar_harden(void)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    for (size_t i = 0; i < COUNT(ignored); i++)
        if (sigaction(ignored[i], &ignore, NULL) != 0) return PSST_ERR_IO;
    struct rlimit none = {0, 0};
    if (setrlimit(RLIMIT_CORE, &none) != 0) return PSST_ERR_IO;
    return close_range(PSST_TAR_LINE_FD + 1, ~0U, 0) == 0 ? PSST_OK : PSST_ERR_IO;
}

#ifdef PSST_SANITIZED
enum psst_err psst_tar_sandbox(enum psst_tar_may may)
{
    (void)may;
    return PSST_OK;
}
#else
/* newfstatat is what fstat became, in glibc since 2.33. */
static const int always[] = {
    SCMP_SYS(read),
    SCMP_SYS(pread64),
    SCMP_SYS(write),
    SCMP_SYS(close),
    SCMP_SYS(fstat),
    SCMP_SYS(lseek),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(mremap),
    SCMP_SYS(munmap),
    SCMP_SYS(brk),
    SCMP_SYS(madvise),
    SCMP_SYS(futex),
    SCMP_SYS(getrandom),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(time),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(getpid),
    SCMP_SYS(gettid),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
};
static const int look[] = {SCMP_SYS(newfstatat), SCMP_SYS(getdents64), SCMP_SYS(fcntl), SCMP_SYS(fadvise64),
                           SCMP_SYS(sysinfo)};
static const int make[] = {SCMP_SYS(mkdirat),   SCMP_SYS(unlinkat), SCMP_SYS(copy_file_range),
                           SCMP_SYS(utimensat), SCMP_SYS(syncfs),   SCMP_SYS(wait4)};

static int allow(scmp_filter_ctx filter, const int *calls, size_t n)
{
    int rc = 0;
    for (size_t i = 0; i < n && rc == 0; i++) rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);
    return rc;
}

/* Memory, but never memory that can be run. */
static int allow_memory(scmp_filter_ctx filter)
{
    int rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    if (rc != 0) return rc;
    return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
}

/* For whom there is nothing to open, libraries that would like to are told so. */
static int allow_open(scmp_filter_ctx filter, enum psst_tar_may may)
{
    const scmp_datum_t writes = O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND;
    const scmp_datum_t fresh = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
    if (may == PSST_TAR_MAY_READ) return seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(openat), 0);
    int rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, writes, 0));
    if (rc != 0 || may != PSST_TAR_MAY_WRITE) return rc;
    return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
                            SCMP_A2(SCMP_CMP_MASKED_EQ, writes | fresh, fresh));
}

enum psst_err psst_tar_sandbox(enum psst_tar_may may)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
    if (filter == NULL) return PSST_ERR_MEMORY;
    int rc = allow(filter, always, COUNT(always));
    if (rc == 0) rc = allow_memory(filter);
    if (rc == 0) rc = allow_open(filter, may);
    if (rc == 0 && may != PSST_TAR_MAY_READ) rc = allow(filter, look, COUNT(look));
    if (rc == 0 && may == PSST_TAR_MAY_WRITE) rc = allow(filter, make, COUNT(make));
    if (rc == 0) rc = seccomp_load(filter);
    seccomp_release(filter);
    return rc == 0 ? PSST_OK : PSST_ERR_IO;
}
#endif
