#include "daemon/key/sandbox.h"

#include "daemon/key/protocol.h"

#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

/* Ctrl-C and the end of a login reach psst-key too, but psstd still needs it for its goodbyes: it ends when its socket
 * does. */
static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGTSTP};

enum psst_err psst_key_harden(void)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++)
        if (sigaction(ignored[i], &ignore, NULL) != 0) return PSST_ERR_IO;
    struct rlimit none = {0, 0};
    if (setrlimit(RLIMIT_CORE, &none) != 0) return PSST_ERR_IO;
    if (close_range(PSST_KEY_SOCKET + 1, ~0U, 0) != 0) return PSST_ERR_IO;
#ifndef PSST_SANITIZED /* the leak check at the end needs to be able to look */
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return PSST_ERR_IO;
#endif
    return PSST_OK;
}

#ifdef PSST_SANITIZED
enum psst_err psst_key_sandbox(void)
{
    return PSST_OK;
}
#else
/* No open, no socket, no clone, no exec: descriptors come by recvmsg, or not at all. newfstatat is what fstat became, in
 * glibc since 2.33. */
static const int allowed[] = {
    SCMP_SYS(read),         SCMP_SYS(write),          SCMP_SYS(writev),       SCMP_SYS(recvmsg),
    SCMP_SYS(sendmsg),      SCMP_SYS(poll),           SCMP_SYS(ppoll),        SCMP_SYS(restart_syscall),
    SCMP_SYS(close),        SCMP_SYS(fsync),          SCMP_SYS(fstat),        SCMP_SYS(lseek),
    SCMP_SYS(mremap),       SCMP_SYS(munmap),         SCMP_SYS(brk),          SCMP_SYS(madvise),
    SCMP_SYS(mlock),        SCMP_SYS(mlock2),         SCMP_SYS(munlock),      SCMP_SYS(futex),
    SCMP_SYS(getrandom),    SCMP_SYS(clock_gettime),  SCMP_SYS(gettimeofday), SCMP_SYS(time),
    SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(sched_yield),
    SCMP_SYS(getpid),       SCMP_SYS(gettid),         SCMP_SYS(exit),         SCMP_SYS(exit_group),
};

static int allow_all(scmp_filter_ctx filter)
{
    int rc = 0;
    for (size_t i = 0; i < sizeof allowed / sizeof allowed[0] && rc == 0; i++)
        rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
    /* memory, but never memory that can be run */
    if (rc == 0) {
        rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    }
    if (rc == 0) {
        rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    }
    if (rc == 0) {
        rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(newfstatat), 1, SCMP_A3(SCMP_CMP_EQ, AT_EMPTY_PATH));
    }
    return rc;
}

enum psst_err psst_key_sandbox(void)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
    if (filter == NULL) return PSST_ERR_MEMORY;
    int rc = allow_all(filter);
    if (rc == 0) rc = seccomp_load(filter);
    seccomp_release(filter);
    return rc == 0 ? PSST_OK : PSST_ERR_IO;
}
#endif
