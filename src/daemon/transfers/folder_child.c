#include "daemon/transfers/folder_child.h"

#include "base/text.h"
#include "daemon/safe_file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGS_MAX 4
#define COUNT(a) (sizeof(a) / sizeof(a)[0])

/* ---- starting ---- */

static void close_fd(int *fd)
{
    if (*fd >= 0) (void)close(*fd);
    *fd = -1;
}

/* Descriptors 0 to 3; what is -1 leads nowhere. 0 when it runs. */
static int spawn(pid_t *pid, const char *program, char *const *argv, const int fds[4])
{
    static char locale[] = "LC_ALL=C";
    char *const environment[] = {locale, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, usual;
    if (posix_spawn_file_actions_init(&actions) != 0) return ENOMEM;
    if (posix_spawnattr_init(&attributes) != 0) {
        (void)posix_spawn_file_actions_destroy(&actions);
        return ENOMEM;
    }
    (void)sigemptyset(&none);
    (void)sigfillset(&usual);
    int rc = posix_spawnattr_setsigmask(&attributes, &none);
    if (rc == 0) rc = posix_spawnattr_setsigdefault(&attributes, &usual);
    if (rc == 0) rc = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    for (int i = 0; i < 4 && rc == 0; i++)
        rc = fds[i] >= 0 ? posix_spawn_file_actions_adddup2(&actions, fds[i], i)
                         : posix_spawn_file_actions_addopen(&actions, i, "/dev/null", O_RDWR, 0);
    if (rc == 0) rc = posix_spawn(pid, program, &actions, &attributes, argv, environment);
    (void)posix_spawnattr_destroy(&attributes);
    (void)posix_spawn_file_actions_destroy(&actions);
    return rc;
}

enum psst_err psst_folder_child_start(struct psst_folder_child *child, const char *program, const char *const *args,
                                      int in_fd, int out_fd, struct psst_diag *diag)
{
    static char name[] = "psst-tar";
    char *argv[ARGS_MAX + 2] = {name};
    int report[2] = {-1, -1}, line[2] = {-1, -1};
    *child = PSST_FOLDER_CHILD_NONE;
    if (program[0] == '\0')
        return psst_fail(diag, PSST_ERR_IO, "psst-tar, which packs folders, is missing: it belongs beside psstd.");
    for (size_t i = 0; i < ARGS_MAX && args[i] != NULL; i++) argv[i + 1] = (char *)(uintptr_t)args[i];
    int rc = pipe2(report, O_CLOEXEC) != 0 || pipe2(line, O_CLOEXEC) != 0 ? errno : 0;
    const int fds[4] = {in_fd, out_fd, report[1], line[0]};
    if (rc == 0) rc = spawn(&child->pid, program, argv, fds);
    close_fd(&report[1]);
    close_fd(&line[0]);
    if (rc != 0) {
        close_fd(&report[0]);
        close_fd(&line[1]);
        child->pid = 0;
        return psst_fail(diag, PSST_ERR_IO, "psst-tar, which packs folders, cannot be started: %s.", strerror(rc));
    }
    (void)fcntl(report[0], F_SETFL, O_NONBLOCK);
    child->report_fd = report[0];
    child->line_fd = line[1];
    psst_buf_init(&child->in, PSST_TAR_REPORT_MAX + 4096);
    return PSST_OK;
}

/* ---- ending ---- */

static int reap(struct psst_folder_child *child)
{
    int status = -1;
    close_fd(&child->line_fd);
    close_fd(&child->report_fd);
    while (child->pid > 0 && waitpid(child->pid, &status, 0) < 0 && errno == EINTR) continue;
    child->pid = 0;
    return status;
}

void psst_folder_child_kill(struct psst_folder_child *child)
{
    if (child->pid <= 0) return;
    (void)kill(child->pid, SIGKILL);
    (void)reap(child);
    psst_buf_fini(&child->in);
}

/* Abandoned ones that are not gone yet; of more than that the rest is waited for. */
static pid_t abandoned[64];
static pthread_mutex_t abandoned_lock = PTHREAD_MUTEX_INITIALIZER;

void psst_folder_reap(void)
{
    (void)pthread_mutex_lock(&abandoned_lock);
    for (size_t i = 0; i < COUNT(abandoned); i++)
        if (abandoned[i] > 0 && waitpid(abandoned[i], NULL, WNOHANG) != 0) abandoned[i] = 0;
    (void)pthread_mutex_unlock(&abandoned_lock);
}

void psst_folder_child_abandon(struct psst_folder_child *child)
{
    if (child->pid <= 0) return;
    (void)kill(child->pid, SIGKILL);
    (void)pthread_mutex_lock(&abandoned_lock);
    for (size_t i = 0; i < COUNT(abandoned) && child->pid > 0; i++) {
        if (abandoned[i] != 0) continue;
        abandoned[i] = child->pid;
        child->pid = 0;
    }
    (void)pthread_mutex_unlock(&abandoned_lock);
    (void)reap(child);
    psst_buf_fini(&child->in);
    psst_folder_reap(); /* it may be gone already */
}

/* PSST_OK: the end of the report. */
static enum psst_err read_report(struct psst_folder_child *child, bool wait)
{
    for (;;) {
        struct pollfd poll_fd = {.fd = child->report_fd, .events = POLLIN};
        if (psst_buf_reserve(&child->in, 1024) != PSST_OK) return PSST_OK; /* more than it ever says */
        ssize_t n = read(child->report_fd, child->in.data + child->in.len, 1024);
        if (n == 0) return PSST_OK;
        if (n > 0) child->in.len += (size_t)n;
        if (n > 0 || errno == EINTR) continue;
        if (errno != EAGAIN) return PSST_ERR_IO;
        if (!wait) return PSST_ERR_AGAIN;
        (void)poll(&poll_fd, 1, -1);
    }
}

/* "WORD VALUE", and nothing else. */
static bool figure(const char *line, const char *word, int base, uint64_t *out)
{
    size_t len = strlen(word);
    char *end;
    if (strncmp(line, word, len) != 0 || line[len] != ' ') return false;
    *out = strtoull(line + len + 1, &end, base);
    return *end == '\0';
}

static void take_line(struct psst_folder_report *report, char *error, size_t error_size, const char *line)
{
    struct psst_tar_facts *facts = &report->facts;
    uint64_t v;
    if (strncmp(line, "error ", 6) == 0) (void)snprintf(error, error_size, "%s", line + 6);
    if (strncmp(line, "out ", 4) == 0) {
        size_t at = strlen(report->left_out);
        (void)snprintf(report->left_out + at, sizeof report->left_out - at, "%s%s", at > 0 ? "\n" : "", line + 4);
    }
    if (figure(line, "size", 10, &v)) facts->size = v;
    if (figure(line, "stamp", 16, &v)) facts->stamp = v;
    if (figure(line, "bytes", 10, &v)) facts->bytes = v;
    if (figure(line, "files", 10, &v)) facts->files = (uint32_t)v;
    if (figure(line, "folders", 10, &v)) facts->folders = (uint32_t)v;
    if (figure(line, "left", 10, &v)) facts->left = (uint32_t)v;
    if (figure(line, "renamed", 10, &v)) facts->renamed = (uint32_t)v;
}

/* Its sentences are made of what others wrote: it has cleaned that, and here it is cleaned again. */
static void take_report(struct psst_buf *in, struct psst_folder_report *report, char *error, size_t error_size)
{
    struct psst_buf text;
    memset(report, 0, sizeof *report);
    psst_buf_init(&text, 3 * in->max);
    psst_text_render(&text, psst_buf_view(in), PSST_RENDER_PARAGRAPH, in->max);
    psst_buf_put_u8(&text, 0);
    char *at = text.failed ? NULL : (char *)text.data;
    for (char *line = at != NULL ? strsep(&at, "\n") : NULL; line != NULL; line = strsep(&at, "\n"))
        take_line(report, error, error_size, line);
    psst_buf_fini(&text);
}

static enum psst_err meaning(int status)
{
    if (!WIFEXITED(status)) return PSST_ERR_IO;
    switch ((enum psst_tar_exit)WEXITSTATUS(status)) {
    case PSST_TAR_DONE: return PSST_OK;
    case PSST_TAR_REFUSED: return PSST_ERR_MALFORMED;
    case PSST_TAR_CHANGED: return PSST_ERR_NOT_FOUND;
    case PSST_TAR_DISK_FULL: return PSST_ERR_DISK_FULL;
    case PSST_TAR_FAILED:
    case PSST_TAR_USAGE:
    case PSST_TAR_LEFT: break;
    }
    return PSST_ERR_IO;
}

enum psst_err psst_folder_child_end(struct psst_folder_child *child, bool wait, struct psst_folder_report *report,
                                    struct psst_diag *diag)
{
    char error[sizeof diag->text] = "";
    enum psst_err err = read_report(child, wait);
    if (err == PSST_ERR_AGAIN) return err;
    err = meaning(reap(child));
    take_report(&child->in, report, error, sizeof error);
    psst_buf_fini(&child->in);
    if (err == PSST_OK) return PSST_OK;
    return psst_fail(diag, err, "%s",
                     error[0] != '\0' ? error : "psst-tar, which packs folders, has ended in the middle.");
}

/* ---- measuring ---- */

int psst_folder_open(const char *path, struct psst_diag *diag)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) return fd;
    int e = errno;
    (void)psst_fail(diag, psst_file_err(e), "Cannot open the folder %.160s: %s.", path, strerror(e));
    errno = e;
    return -1;
}

enum psst_err psst_folder_measure(const char *program, const char *path, struct psst_folder_report *report,
                                  struct psst_diag *diag)
{
    static const char *const args[] = {"measure", NULL};
    struct psst_folder_child child;
    int fd = psst_folder_open(path, diag);
    if (fd < 0) return psst_file_err(errno);
    enum psst_err err = psst_folder_child_start(&child, program, args, fd, -1, diag);
    (void)close(fd);
    if (err == PSST_OK) err = psst_folder_child_end(&child, true, report, diag);
    return err == PSST_ERR_MALFORMED ? PSST_ERR_TOO_LONG : err;
}
