#include "daemon/voice/sandbox.h"

#include "daemon/voice/protocol.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define MEMORY_MAX      ((rlim_t)1 << 30) /* of addresses: libpulse maps 64 MiB for each pool that it shares */
#define DESCRIPTORS_MAX 64
#define NICE            (-11) /* what sound servers have */
#define REALTIME        5
#define REALTIME_MAX_US                                                                                                \
    200000 /* in one go: a frame takes 2,000. What is over it ends the process, and spares the machine */

/* Ctrl-C and the end of a login reach psst-voice too, but psstd still needs it to end the call: it ends when its socket
 * does. */
static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGTSTP};

static bool limit(int what, rlim_t most)
{
    struct rlimit now;
    if (getrlimit(what, &now) != 0) return false;
    if (now.rlim_max < most) most = now.rlim_max;
    return setrlimit(what, &(struct rlimit){most, most}) == 0;
}

void psst_voice_hurry(void)
{
#ifndef PSST_SANITIZED /* they need time */
    (void)setpriority(PRIO_PROCESS, 0, NICE);
    const struct sched_param realtime = {.sched_priority = REALTIME};
    if (limit(RLIMIT_RTTIME, REALTIME_MAX_US)) (void)sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &realtime);
#endif
}

enum psst_err psst_voice_harden(void)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++)
        if (sigaction(ignored[i], &ignore, NULL) != 0) return PSST_ERR_IO;
    if (!limit(RLIMIT_CORE, 0) || !limit(RLIMIT_NOFILE, DESCRIPTORS_MAX)) return PSST_ERR_IO;
    if (close_range(PSST_VOICE_FD + 1, ~0U, 0) != 0) return PSST_ERR_IO;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return PSST_ERR_IO;
#ifndef PSST_SANITIZED /* sanitizers need memory, time, and at the end to be able to look */
    if (!limit(RLIMIT_AS, MEMORY_MAX) || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return PSST_ERR_IO;
#endif
    psst_voice_hurry();
    return PSST_OK;
}

#ifdef PSST_SANITIZED
enum psst_err psst_voice_sandbox(void)
{
    return PSST_OK;
}

enum psst_err psst_voice_relay_sandbox(void)
{
    return PSST_OK;
}
#else
static const int allowed[] = {
    /* descriptors that are open */
    SCMP_SYS(read),
    SCMP_SYS(readv),
    SCMP_SYS(write),
    SCMP_SYS(writev),
    SCMP_SYS(pread64),
    SCMP_SYS(pwrite64),
    SCMP_SYS(lseek),
    SCMP_SYS(close),
    SCMP_SYS(close_range),
    SCMP_SYS(dup),
    SCMP_SYS(dup3),
    SCMP_SYS(fcntl),
    SCMP_SYS(fstat),
    SCMP_SYS(newfstatat),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(pipe2),
    SCMP_SYS(eventfd2),
    SCMP_SYS(timerfd_create),
    SCMP_SYS(timerfd_settime),
    /* sockets that are connected */
    SCMP_SYS(sendmsg),
    SCMP_SYS(recvfrom),
    SCMP_SYS(recvmsg),
    SCMP_SYS(shutdown),
    SCMP_SYS(getsockopt),
    SCMP_SYS(setsockopt),
    SCMP_SYS(getsockname),
    SCMP_SYS(getpeername),
    /* memory, time, threads, who we are */
    SCMP_SYS(brk),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(madvise),
    SCMP_SYS(futex),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_getres),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(nanosleep),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(time),
    SCMP_SYS(getrandom),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(rseq),
    SCMP_SYS(sched_yield),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(getpid),
    SCMP_SYS(gettid),
    SCMP_SYS(getuid),
    SCMP_SYS(geteuid),
    SCMP_SYS(getgid),
    SCMP_SYS(getegid),
    SCMP_SYS(getresuid),
    SCMP_SYS(getresgid),
    SCMP_SYS(getgroups),
    SCMP_SYS(uname),
    SCMP_SYS(sysinfo),
    SCMP_SYS(wait4), /* for the relay */
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
};

/* The relay's: it allocates nothing, and moves bytes from socket to socket. */
static const int allowed_to_relay[] = {
    SCMP_SYS(connect),      SCMP_SYS(socketpair),     SCMP_SYS(sendmsg), SCMP_SYS(recvfrom),
    SCMP_SYS(close),        SCMP_SYS(poll),           SCMP_SYS(ppoll),   SCMP_SYS(restart_syscall),
    SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigprocmask), SCMP_SYS(getpid),  SCMP_SYS(gettid),
    SCMP_SYS(exit),         SCMP_SYS(exit_group),
};

static const int deadly[] = {
    SCMP_SYS(execve),
    SCMP_SYS(execveat),
    SCMP_SYS(fork),
    SCMP_SYS(vfork),
    SCMP_SYS(ptrace),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev),
    SCMP_SYS(bpf),
    SCMP_SYS(keyctl),
    SCMP_SYS(mount),
    SCMP_SYS(init_module),
    SCMP_SYS(finit_module),
    SCMP_SYS(perf_event_open),
    SCMP_SYS(userfaultfd),
    SCMP_SYS(io_uring_setup),
    SCMP_SYS(setns),
    SCMP_SYS(unshare),
};

/* Threads are tried by clone3 first, whose flags no filter can see. */
static const struct {
    int call, answer;
} pretended[] = {{SCMP_SYS(clone3), ENOSYS}};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A Unix socket that is a stream: nothing can be said over it before it is connected, and no name put on a message. */
static int add_stream_sockets(scmp_filter_ctx f)
{
    int rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2, SCMP_A0(SCMP_CMP_EQ, AF_UNIX),
                              SCMP_A1(SCMP_CMP_MASKED_EQ, ~(scmp_datum_t)(SOCK_CLOEXEC | SOCK_NONBLOCK), SOCK_STREAM));
    if (rc == 0) rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(sendto), 1, SCMP_A4(SCMP_CMP_EQ, 0));
    return rc;
}

static int add_conditions(scmp_filter_ctx f)
{
    int rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    if (rc == 0)
        rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    if (rc == 0) rc = add_stream_sockets(f);
    /* threads, but no processes */
    if (rc == 0)
        rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                              SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
    if (rc == 0)
        rc = seccomp_rule_add(f, SCMP_ACT_KILL_PROCESS, SCMP_SYS(clone), 1,
                              SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0));
    /* abort, and nobody else */
    if (rc == 0)
        rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid()));
    /* its name, which threads set */
    if (rc == 0) rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1, SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME));
    /* limits of its own, to be read */
    if (rc == 0)
        rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 2, SCMP_A0(SCMP_CMP_EQ, 0),
                              SCMP_A2(SCMP_CMP_EQ, 0));
    return rc;
}

static int add_all(scmp_filter_ctx f, uint32_t action, const int *calls, size_t n)
{
    int rc = 0;
    for (size_t i = 0; i < n && rc == 0; i++) rc = seccomp_rule_add(f, action, calls[i], 0);
    return rc;
}

enum psst_err psst_voice_sandbox(void)
{
    enum psst_err err = psst_voice_no_files();
    if (err != PSST_OK) return err;
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EACCES));
    if (filter == NULL) return PSST_ERR_MEMORY;
    int rc = add_all(filter, SCMP_ACT_ALLOW, allowed, COUNT(allowed));
    if (rc == 0) rc = add_all(filter, SCMP_ACT_KILL_PROCESS, deadly, COUNT(deadly));
    for (size_t i = 0; i < COUNT(pretended) && rc == 0; i++)
        rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO((uint32_t)pretended[i].answer), pretended[i].call, 0);
    if (rc == 0) rc = add_conditions(filter);
    if (rc == 0) rc = seccomp_load(filter);
    seccomp_release(filter);
    return rc == 0 ? PSST_OK : PSST_ERR_IO;
}

enum psst_err psst_voice_relay_sandbox(void)
{
    enum psst_err err = psst_voice_no_files();
    if (err != PSST_OK) return err;
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EACCES));
    if (filter == NULL) return PSST_ERR_MEMORY;
    int rc = add_all(filter, SCMP_ACT_ALLOW, allowed_to_relay, COUNT(allowed_to_relay));
    if (rc == 0) rc = add_all(filter, SCMP_ACT_KILL_PROCESS, deadly, COUNT(deadly));
    if (rc == 0) rc = add_stream_sockets(filter);
    if (rc == 0) rc = seccomp_load(filter);
    seccomp_release(filter);
    return rc == 0 ? PSST_OK : PSST_ERR_IO;
}
#endif
