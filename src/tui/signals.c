#include "tui/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define RESTORE_MAX 512
#define PATIENCE_MS 200
#define INSISTS_NS  1000000000
#define CRASH_STACK 65536

static const int soft[] = {SIGWINCH, SIGTERM, SIGHUP, SIGINT, SIGTSTP, SIGCONT};
static const int fatal[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGQUIT, SIGTRAP, SIGSYS, SIGXCPU};
#define SOFT  (sizeof soft / sizeof soft[0])
#define FATAL (sizeof fatal / sizeof fatal[0])

static int ends[2] = {-1, -1};
static volatile sig_atomic_t came; /* changed in handlers, and elsewhere only while they are blocked */
static volatile sig_atomic_t lent;
static int64_t first_end_ns;
static struct sigaction soft_act, soft_before[SOFT], fatal_before[FATAL], pipe_before;
static uint8_t crash_stack[CRASH_STACK];

static struct {
    int fd;
    char bytes[RESTORE_MAX];
    volatile sig_atomic_t len; /* last to be set */
    struct termios mode;
} restore = {.fd = -1};

static int64_t now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* From a handler: only what POSIX allows there. */
static void give_back(void)
{
    sigset_t out;
    size_t from = 0, len = (size_t)restore.len;
    if (len == 0) return;
    restore.len = 0;
    (void)sigemptyset(&out);
    (void)sigaddset(&out, SIGTTOU);
    (void)sigprocmask(SIG_BLOCK, &out, NULL);
    while (from < len) {
        struct pollfd ready = {.fd = restore.fd, .events = POLLOUT};
        if (poll(&ready, 1, PATIENCE_MS) <= 0) break;
        ssize_t n = write(restore.fd, restore.bytes + from, len - from);
        if (n <= 0) break;
        from += (size_t)n;
    }
    (void)tcsetattr(restore.fd, TCSANOW, &restore.mode);
}

static void die(int sig, const struct sigaction *before)
{
    sigset_t it;
    give_back();
    (void)sigaction(sig, before, NULL);
    (void)sigemptyset(&it);
    (void)sigaddset(&it, sig);
    (void)sigprocmask(SIG_UNBLOCK, &it, NULL);
    (void)raise(sig);
}

static void on_fatal(int sig)
{
    if (lent != 0 && sig == SIGQUIT) return;
    for (size_t i = 0; i < FATAL; i++)
        if (fatal[i] == sig) die(sig, &fatal_before[i]);
}

static void on_soft(int sig)
{
    int saved = errno;
    if (lent != 0 && sig == SIGINT) return;
    unsigned bit = sig == SIGWINCH  ? PSST_SIGNAL_SIZE
                   : sig == SIGTSTP ? PSST_SIGNAL_STOP
                   : sig == SIGCONT ? PSST_SIGNAL_CONTINUED
                                    : PSST_SIGNAL_END;
    if (bit == PSST_SIGNAL_END) {
        static const struct sigaction otherwise = {.sa_handler = SIG_DFL};
        if (((unsigned)came & PSST_SIGNAL_END) == 0)
            first_end_ns = now_ns();
        else if (now_ns() - first_end_ns > INSISTS_NS)
            die(sig, &otherwise);
    }
    came = (sig_atomic_t)((unsigned)came | bit);
    ssize_t n = write(ends[1], "", 1); /* full: it is awake already */
    (void)n;
    errno = saved;
}

static void block(sigset_t *before)
{
    sigset_t all;
    (void)sigemptyset(&all);
    for (size_t i = 0; i < SOFT; i++) (void)sigaddset(&all, soft[i]);
    (void)sigprocmask(SIG_BLOCK, &all, before);
}

bool psst_signals_begin(void)
{
    struct sigaction act;
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return false;
    came = lent = 0;
    soft_act = (struct sigaction){.sa_handler = on_soft, .sa_flags = SA_RESTART};
    (void)sigemptyset(&soft_act.sa_mask);
    for (size_t i = 0; i < SOFT; i++) (void)sigaddset(&soft_act.sa_mask, soft[i]);
    for (size_t i = 0; i < SOFT; i++) (void)sigaction(soft[i], &soft_act, &soft_before[i]);
    /* a stack of its own: what overflowed one may be what ends us */
    stack_t stack = {.ss_sp = crash_stack, .ss_size = sizeof crash_stack};
    (void)sigaltstack(&stack, NULL);
    act = (struct sigaction){.sa_handler = on_fatal, .sa_flags = SA_ONSTACK};
    (void)sigemptyset(&act.sa_mask);
    for (size_t i = 0; i < FATAL; i++) (void)sigaction(fatal[i], &act, &fatal_before[i]);
    act = (struct sigaction){.sa_handler = SIG_IGN};
    (void)sigaction(SIGPIPE, &act, &pipe_before);
    return true;
}

void psst_signals_end(void)
{
    if (ends[0] < 0) return;
    psst_signals_restore(-1, "", 0, NULL);
    for (size_t i = 0; i < SOFT; i++) (void)sigaction(soft[i], &soft_before[i], NULL);
    for (size_t i = 0; i < FATAL; i++) (void)sigaction(fatal[i], &fatal_before[i], NULL);
    (void)sigaction(SIGPIPE, &pipe_before, NULL);
    (void)close(ends[0]);
    (void)close(ends[1]);
    ends[0] = ends[1] = -1;
}

int psst_signals_fd(void)
{
    return ends[0];
}

static void forget(unsigned bits)
{
    sigset_t before;
    block(&before);
    came = (sig_atomic_t)((unsigned)came & ~bits);
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
}

unsigned psst_signals_take(void)
{
    char bytes[64];
    sigset_t before;
    if (ends[0] < 0) return 0;
    while (read(ends[0], bytes, sizeof bytes) > 0) {
    }
    block(&before);
    unsigned bits = (unsigned)came;
    came = 0;
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    return bits;
}

void psst_signals_lend(bool to_others)
{
    struct sigaction usual = {.sa_handler = SIG_DFL};
    if (ends[0] < 0 || to_others == (lent != 0)) return;
    lent = to_others;
    (void)sigaction(SIGTSTP, to_others ? &usual : &soft_act, NULL);
    if (!to_others) forget(PSST_SIGNAL_STOP | PSST_SIGNAL_CONTINUED);
}

void psst_signals_stop(void)
{
    /* the whole group, as the terminal itself would: a script that has started us is stopped too. An orphaned group, which
     * nobody could continue, is not stopped by SIGTSTP. */
    (void)kill(0, SIGTSTP);
}

void psst_signals_restore(int fd, const char *bytes, size_t len, const struct termios *mode)
{
    restore.len = 0;
    if (len == 0 || len > RESTORE_MAX) return;
    restore.fd = fd;
    memcpy(restore.bytes, bytes, len);
    restore.mode = *mode;
    restore.len = (sig_atomic_t)len;
}
