#include "tui/tty.h"

#include "base/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define SIZE_MAX_CELLS  1000 /* rows and columns beyond that stay empty */
#define CHUNK_SHARED    64 /* bytes at once to a terminal that could not be opened anew: poll says that there is room */
#define CHUNK           4096
#define KEEP_CAPACITY   65536
#define DEFAULT_ROWS    24
#define DEFAULT_COLUMNS 80

static struct {
    bool is_open, shared; /* shared: our end is the shell's */
    int in, out, poll, timer;
    struct termios before;
    uint8_t *bytes; /* from `from` to `len` are to be written */
    size_t from, len, capacity;
    bool asks_room; /* epoll looks at `out` */
} tty = {.in = -1, .out = -1, .poll = -1, .timer = -1};

/* An end of our own; it is not allowed to those who became somebody else since they logged in. */
static int open_anew(int fd)
{
    char path[32];
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int own = open(path, O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (own >= 0) return own;
    tty.shared = true;
    return fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

static bool watch(int fd)
{
    struct epoll_event event = {.events = EPOLLIN};
    return epoll_ctl(tty.poll, EPOLL_CTL_ADD, fd, &event) == 0;
}

bool psst_tty_open(void)
{
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) || tcgetattr(STDIN_FILENO, &tty.before) != 0) {
        (void)fprintf(stderr, "psst: this is no terminal; psst --help shows what can be done without one\n");
        return false;
    }
    tty.shared = false;
    tty.in = open_anew(STDIN_FILENO);
    tty.out = open_anew(STDOUT_FILENO);
    tty.poll = epoll_create1(EPOLL_CLOEXEC);
    tty.timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    tty.asks_room = false;
    tty.is_open = tty.in >= 0 && tty.out >= 0 && tty.poll >= 0 && tty.timer >= 0 && watch(tty.in) && watch(tty.timer);
    if (tty.is_open) return true;
    (void)fprintf(stderr, "psst: the terminal cannot be used: %s\n", strerror(errno));
    psst_tty_close();
    return false;
}

static void shut(int *fd)
{
    if (*fd >= 0) (void)close(*fd);
    *fd = -1;
}

void psst_tty_close(void)
{
    tty.is_open = false;
    shut(&tty.poll);
    shut(&tty.timer);
    shut(&tty.in);
    shut(&tty.out);
    if (tty.bytes != NULL) psst_wipe(tty.bytes, tty.capacity);
    free(tty.bytes);
    tty.bytes = NULL;
    tty.from = tty.len = tty.capacity = 0;
}

void psst_tty_raw(bool on)
{
    struct termios how = tty.before;
    if (!tty.is_open) return;
    if (on) {
        how.c_iflag &= ~(tcflag_t)(BRKINT | ICRNL | INLCR | IGNCR | INPCK | ISTRIP | IXON | IXOFF | PARMRK);
        how.c_oflag &= ~(tcflag_t)OPOST;
        how.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | IEXTEN | ISIG);
        how.c_cflag = (how.c_cflag & ~(tcflag_t)(CSIZE | PARENB)) | CS8;
        how.c_cc[VMIN] = 1;
        how.c_cc[VTIME] = 0;
    }
    while (tcsetattr(tty.in, TCSANOW, &how) != 0 && errno == EINTR) {
    } /* not after what is written has gone out: that may never be */
}

const struct termios *psst_tty_before(void)
{
    return &tty.before;
}

int psst_tty_out_fd(void)
{
    return tty.out;
}

static int from_environment(const char *name, int otherwise)
{
    const char *value = getenv(name);
    long n = value != NULL ? strtol(value, NULL, 10) : 0;
    return n > 0 && n <= SIZE_MAX_CELLS ? (int)n : otherwise;
}

void psst_tty_size(int *rows, int *columns)
{
    struct winsize size = {0};
    if (ioctl(tty.out, TIOCGWINSZ, &size) != 0) size = (struct winsize){0};
    *rows = size.ws_row > 0 ? size.ws_row : from_environment("LINES", DEFAULT_ROWS);
    *columns = size.ws_col > 0 ? size.ws_col : from_environment("COLUMNS", DEFAULT_COLUMNS);
    if (*rows > SIZE_MAX_CELLS) *rows = SIZE_MAX_CELLS;
    if (*columns > SIZE_MAX_CELLS) *columns = SIZE_MAX_CELLS;
}

/* ---- in ---- */

int psst_tty_poll_fd(void)
{
    return tty.poll;
}

ssize_t psst_tty_read(void *to, size_t max)
{
    struct pollfd ready = {.fd = tty.in, .events = POLLIN};
    if (!tty.is_open) return -1;
    if (poll(&ready, 1, 0) <= 0) return 0;
    ssize_t n = read(tty.in, to, max);
    if (n > 0) return n;
    /* no bytes though it is ready: hung up */
    return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

void psst_tty_alarm(unsigned ms)
{
    struct itimerspec when = {.it_value = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000}};
    (void)timerfd_settime(tty.timer, 0, &when, NULL);
}

bool psst_tty_rang(void)
{
    uint64_t times;
    return read(tty.timer, &times, sizeof times) == (ssize_t)sizeof times;
}

/* ---- out ---- */

bool psst_tty_put(const void *bytes, size_t len)
{
    if (tty.len + len > tty.capacity) {
        size_t capacity = (tty.len + len) * 2;
        uint8_t *more = malloc(capacity); /* not realloc: what was written is wiped wherever it stood */
        if (more == NULL) return false;
        if (tty.len > 0) memcpy(more, tty.bytes, tty.len);
        if (tty.bytes != NULL) psst_wipe(tty.bytes, tty.capacity);
        free(tty.bytes);
        tty.bytes = more;
        tty.capacity = capacity;
    }
    memcpy(tty.bytes + tty.len, bytes, len);
    tty.len += len;
    return true;
}

bool psst_tty_puts(const char *text)
{
    return psst_tty_put(text, strlen(text));
}

bool psst_tty_waits(void)
{
    return tty.len > tty.from;
}

void psst_tty_drop(void)
{
    if (tty.bytes != NULL) psst_wipe(tty.bytes, tty.capacity);
    tty.from = tty.len = 0;
    if (tty.capacity <= KEEP_CAPACITY) return;
    free(tty.bytes);
    tty.bytes = NULL;
    tty.capacity = 0;
}

/* The terminal is looked at for room only while something waits for it. */
static void ask_room(bool ask)
{
    if (ask == tty.asks_room) return;
    struct epoll_event event = {.events = EPOLLOUT};
    if (epoll_ctl(tty.poll, ask ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, tty.out, &event) == 0) tty.asks_room = ask;
}

static int64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool psst_tty_flush(int patience_ms)
{
    const int64_t until = now_ms() + patience_ms;
    while (tty.is_open && psst_tty_waits()) {
        struct pollfd ready = {.fd = tty.out, .events = POLLOUT};
        int64_t left = patience_ms > 0 ? until - now_ms() : 0;
        int got = poll(&ready, 1, left > 0 ? (int)left : 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        size_t len = tty.len - tty.from, most = tty.shared ? CHUNK_SHARED : CHUNK;
        ssize_t n = write(tty.out, tty.bytes + tty.from, len < most ? len : most);
        if (n > 0) tty.from += (size_t)n;
        if (n > 0 || (n < 0 && errno == EINTR)) continue;
        if (n < 0 && errno == EAGAIN && left > 0) continue;
        if (n < 0 && errno != EAGAIN) psst_tty_drop(); /* hung up: reading will say so */
        break;
    }
    bool done = !psst_tty_waits();
    if (done) psst_tty_drop();
    if (tty.is_open) ask_room(!done);
    return done;
}
