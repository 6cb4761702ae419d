/* Verbs as programs of their own, beside the loop: without a terminal, and what they print comes through a pipe.
 *
 *   fork -> /proc/self/exe VERB WORDS -> pipe, pidfd -> psst_child_turn -> ended: notice, or pager
 *                                                                      -> more than two lines before: pager that grows
 */
#include "tui/child.h"

#include "base/secret.h"
#include "client/private.h"
#include "tui/pager.h"
#include "tui/screen.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILDREN    4
#define WORDS_MAX   512
#define READ_A_TURN 65536

struct child {
    struct psst_app *app;
    pid_t pid; /* 0: this place is free */
    int process, pipe;
    struct psst_buf out;    /* what no page shows yet */
    struct psst_page *page; /* NULL: none yet, or left */
    bool left;              /* the person did not want to see more */
    char title[80];
};

struct psst_children {
    struct child at[CHILDREN];
};

/* ---- beginning ---- */

/* "psst VERB words"; ended by NULL. The words are borrowed. */
static bool make_argv(char *argv[WORDS_MAX + 2], char *const *words)
{
    static char name[] = "psst";
    size_t n = 0;
    argv[n++] = name;
    for (; *words != NULL && n <= WORDS_MAX; words++) argv[n++] = *words;
    argv[n] = NULL;
    return *words == NULL;
}

/* In the child, between fork and exec: only what is safe there. */
static void become(char *const *argv, int input, int output)
{
    sigset_t none;
    (void)sigemptyset(&none);
    for (int s = 1; s < 32; s++) (void)signal(s, SIG_DFL);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    if (input >= 0) (void)dup2(input, STDIN_FILENO);
    if (output >= 0) {
        (void)dup2(output, STDOUT_FILENO);
        (void)dup2(output, STDERR_FILENO);
        (void)setsid(); /* no terminal, and a group to be ended as one */
    }
    (void)close_range(3, ~0u, 0); /* the child's standard library is told nothing of ours */
    (void)execv("/proc/self/exe", argv);
    _exit(127);
}

pid_t psst_child_start(struct psst_app *app, char *const *words, int input, int output)
{
    char *argv[WORDS_MAX + 2];
    if (!make_argv(argv, words)) {
        psst_app_error(app, "that are too many words");
        return -1;
    }
    pid_t pid = fork();
    if (pid == 0) become(argv, input, output);
    if (pid < 0) psst_app_error(app, "no program could be started: %s", strerror(errno));
    return pid;
}

static struct child *free_place(struct psst_app *app)
{
    if (app->children == NULL) app->children = calloc(1, sizeof *app->children);
    for (size_t i = 0; app->children != NULL && i < CHILDREN; i++)
        if (app->children->at[i].pid == 0) return &app->children->at[i];
    return NULL;
}

static void name_it(struct child *child, char *const *words)
{
    (void)snprintf(child->title, sizeof child->title, "/%s", words[0]);
    for (size_t i = 1; words[i] != NULL; i++) {
        size_t len = strlen(child->title);
        (void)snprintf(child->title + len, sizeof child->title - len, " %s", words[i]);
    }
}

void psst_child_run(struct psst_app *app, char *const *words)
{
    struct child *child = free_place(app);
    char columns[16];
    int ends[2];
    if (child == NULL) {
        psst_app_error(app, "%d are at work already; /stop ends them", CHILDREN);
        return;
    }
    int input = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (input < 0 || pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
        if (input >= 0) (void)close(input);
        psst_app_error(app, "no program could be started: %s", strerror(errno));
        return;
    }
    /* its own end waits when it is full, as a program expects it */
    (void)fcntl(ends[1], F_SETFL, fcntl(ends[1], F_GETFL) & ~O_NONBLOCK);
    (void)snprintf(columns, sizeof columns, "%d", psst_screen_columns());
    (void)setenv("COLUMNS", columns, 1);
    pid_t pid = psst_child_start(app, words, input, ends[1]);
    (void)close(input);
    (void)close(ends[1]);
    if (pid < 0) {
        (void)close(ends[0]);
        return;
    }
    *child = (struct child){.app = app, .pid = pid, .process = pidfd_open(pid, 0), .pipe = ends[0]};
    psst_buf_init(&child->out, PSST_PAGER_MAX + 1);
    name_it(child, words);
}

/* ---- what it prints ---- */

static void end_child(const struct child *child)
{
    if (kill(-child->pid, SIGTERM) != 0) (void)kill(child->pid, SIGTERM); /* it may not lead its group yet */
}

/* The person left the page: of a program that still runs that means enough. */
static void on_left(void *ctx)
{
    struct child *child = ctx;
    child->page = NULL;
    child->left = true;
    end_child(child);
}

static size_t lines_of(const struct psst_buf *buf)
{
    size_t n = 0;
    for (size_t i = 0; i < buf->len; i++) n += buf->data[i] == '\n';
    return n + (buf->len > 0 && buf->data[buf->len - 1] != '\n');
}

static void show(struct child *child)
{
    if (child->page == NULL) child->page = psst_pager_begin(child->app, child->title, on_left, child);
    if (child->page != NULL) psst_pager_append(child->page, child->app, psst_buf_view(&child->out));
    psst_buf_fini(&child->out);
}

/* False: there is no more. */
static bool read_some(struct child *child)
{
    uint8_t bytes[4096];
    bool more = true;
    for (size_t sum = 0; more && sum < READ_A_TURN;) {
        ssize_t n = read(child->pipe, bytes, sizeof bytes);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) break;
        more = n > 0;
        if (!more) break;
        sum += (size_t)n;
        if (!child->left && !child->out.failed) psst_buf_put(&child->out, bytes, (size_t)n);
        if (child->page != NULL) show(child);
    }
    PSST_WIPE(bytes);
    return more;
}

/* ---- its end ---- */

static void tell(struct child *child, bool failed)
{
    int columns = psst_screen_columns();
    char *words = psst_child_words(child->app, &child->out, columns > 4 ? (unsigned)columns - 4 : 0);
    if (words == NULL) {
        psst_app_error(child->app, "no memory for what %s says", child->title);
    } else if (words[0] != '\0') {
        if (strchr(words, '\n') != NULL)
            psst_pager_open(child->app, child->title, words);
        else if (failed)
            psst_app_error(child->app, "%s", words);
        else
            psst_app_say(child->app, "%s", words);
    } else if (failed) {
        psst_app_error(child->app, "%s did not work", child->title);
    }
    psst_free_wiped(words);
}

/* Its process is no more. */
static void finish(struct child *child)
{
    int status = 0;
    while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (child->pipe >= 0) {
        while (read_some(child)) { /* a program that it left behind may hold the other end: what is there, no more */
            struct pollfd more = {.fd = child->pipe, .events = POLLIN};
            if (poll(&more, 1, 0) != 1) break;
        }
        (void)close(child->pipe);
    }
    if (child->process >= 0) (void)close(child->process);
    bool failed = !WIFEXITED(status) || WEXITSTATUS(status) != 0;
    if (child->page != NULL) {
        if (failed) psst_pager_append(child->page, child->app, psst_view_str("-- it did not work to its end\n"));
        psst_pager_forget(child->page, child->app);
    } else if (!child->left) {
        tell(child, failed);
    }
    psst_buf_fini(&child->out);
    *child = (struct child){.pid = 0};
}

/* ---- for the loop ---- */

size_t psst_child_poll(struct psst_app *app, struct pollfd *fds, size_t max)
{
    size_t n = 0;
    for (size_t i = 0; app->children != NULL && i < CHILDREN && n + 2 <= max; i++) {
        const struct child *child = &app->children->at[i];
        if (child->pid == 0) continue;
        fds[n++] = (struct pollfd){.fd = child->pipe, .events = POLLIN};
        fds[n++] = (struct pollfd){.fd = child->process, .events = POLLIN};
    }
    return n;
}

static struct child *child_of(struct psst_app *app, int fd)
{
    for (size_t i = 0; app->children != NULL && i < CHILDREN; i++) {
        struct child *child = &app->children->at[i];
        if (child->pid != 0 && fd >= 0 && (child->pipe == fd || child->process == fd)) return child;
    }
    return NULL;
}

static void turn(struct child *child, bool ended)
{
    if (child->pipe >= 0 && !read_some(child)) {
        (void)close(child->pipe);
        child->pipe = -1;
        ended = ended || child->process < 0; /* no pidfd: what prints no more ends */
    }
    if (ended)
        finish(child);
    else if (child->page == NULL && !child->left && lines_of(&child->out) > 2)
        show(child);
}

void psst_child_turn(struct psst_app *app, const struct pollfd *fds, size_t n)
{
    for (size_t i = 0; i + 1 < n; i += 2) {
        if (fds[i].revents == 0 && fds[i + 1].revents == 0) continue;
        struct child *child = child_of(app, fds[i].fd >= 0 ? fds[i].fd : fds[i + 1].fd);
        if (child != NULL) turn(child, fds[i + 1].revents != 0);
    }
}

size_t psst_child_stop_all(struct psst_app *app)
{
    size_t n = 0;
    for (size_t i = 0; app->children != NULL && i < CHILDREN; i++) {
        if (app->children->at[i].pid == 0) continue;
        end_child(&app->children->at[i]);
        n++;
    }
    return n;
}

void psst_child_end_all(struct psst_app *app)
{
    (void)psst_child_stop_all(app);
    for (size_t i = 0; app->children != NULL && i < CHILDREN; i++) {
        struct child *child = &app->children->at[i];
        if (child->pid == 0) continue;
        if (child->page != NULL) psst_pager_forget(child->page, child->app);
        if (child->pipe >= 0) (void)close(child->pipe);
        if (child->process >= 0) (void)close(child->process);
        psst_buf_fini(&child->out);
    }
    free(app->children);
    app->children = NULL;
}
