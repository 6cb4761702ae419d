#include "client/start.h"

#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef PSST_BINDIR
#define PSST_BINDIR "/usr/bin"
#endif

#define LOG_PATH_MAX (PSST_PATH_MAX + 32)
#define LAST_LINE    400
#define LISTEN_MAX   16
#define READY_FD     3 /* in psstd */

static void log_path(char out[LOG_PATH_MAX], const struct psst_paths *paths)
{
    (void)snprintf(out, LOG_PATH_MAX, "%s/psstd.log", paths->run_dir);
}

/* Beside ourselves: what was built or unpacked together belongs together. */
static bool beside(char out[LOG_PATH_MAX])
{
    ssize_t n = readlink("/proc/self/exe", out, PSST_PATH_MAX);
    if (n <= 0 || n >= PSST_PATH_MAX) return false;
    out[n] = '\0';
    char *slash = strrchr(out, '/');
    if (slash == NULL) return false;
    memcpy(slash + 1, PSST_DAEMON_NAME, sizeof PSST_DAEMON_NAME);
    return access(out, X_OK) == 0;
}

static int open_log(const struct psst_paths *paths)
{
    char path[LOG_PATH_MAX];
    struct stat st;
    log_path(path, paths);
    int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW;
    if (lstat(path, &st) == 0 && st.st_size > PSST_LOG_MAX) flags |= O_TRUNC;
    return open(path, flags, 0600);
}

struct command {
    char *argv[4 + 2 * LISTEN_MAX];
};

static void make_command(struct command *command, const char *const *listen)
{
    static char ready[] = "3"; /* READY_FD */
    size_t n = 0;
    command->argv[n++] = (char *)PSST_DAEMON_NAME;
    command->argv[n++] = (char *)"--ready-fd";
    command->argv[n++] = ready;
    for (size_t i = 0; listen != NULL && listen[i] != NULL && i < LISTEN_MAX; i++) {
        command->argv[n++] = (char *)"--listen";
        command->argv[n++] = (char *)listen[i];
    }
    command->argv[n] = NULL;
}

static int file_actions(posix_spawn_file_actions_t *files, int log, int ready)
{
    int rc = posix_spawn_file_actions_addopen(files, 0, "/dev/null", O_RDWR, 0);
    if (rc == 0) rc = posix_spawn_file_actions_adddup2(files, 0, 1);
    if (rc == 0) rc = posix_spawn_file_actions_adddup2(files, log, 2);
    if (rc == 0) rc = posix_spawn_file_actions_adddup2(files, ready, READY_FD);
    /* nothing that our own caller left open may be held open by a daemon */
    if (rc == 0) rc = posix_spawn_file_actions_addclosefrom_np(files, READY_FD + 1);
    if (rc == 0) rc = posix_spawn_file_actions_addchdir_np(files, "/");
    return rc;
}

static int spawn(pid_t *pid, const char *program, char *const *argv, int log, int ready)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    sigset_t none, pipe_only;
    (void)sigemptyset(&none);
    (void)sigemptyset(&pipe_only);
    (void)sigaddset(&pipe_only, SIGPIPE);
    int rc = posix_spawn_file_actions_init(&files);
    if (rc != 0) return rc;
    rc = posix_spawnattr_init(&attr);
    if (rc == 0) {
        rc = file_actions(&files, log, ready);
        if (rc == 0) rc = posix_spawnattr_setsigmask(&attr, &none);
        if (rc == 0) rc = posix_spawnattr_setsigdefault(&attr, &pipe_only);
        if (rc == 0)
            rc = posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
        if (rc == 0)
            rc = strchr(program, '/') != NULL ? posix_spawn(pid, program, &files, &attr, argv, environ)
                                              : posix_spawnp(pid, program, &files, &attr, argv, environ);
        (void)posix_spawnattr_destroy(&attr);
    }
    (void)posix_spawn_file_actions_destroy(&files);
    return rc;
}

/* Both ends over the numbers that psstd gets, so that moving one never covers another. */
static bool make_pipe(int ends[2])
{
    int raw[2];
    if (pipe2(raw, O_CLOEXEC) != 0) return false;
    ends[0] = fcntl(raw[0], F_DUPFD_CLOEXEC, READY_FD + 1);
    ends[1] = fcntl(raw[1], F_DUPFD_CLOEXEC, READY_FD + 1);
    (void)close(raw[0]);
    (void)close(raw[1]);
    if (ends[0] >= 0 && ends[1] >= 0) return true;
    psst_fds_close(ends, 2);
    return false;
}

static void find_program(char out[LOG_PATH_MAX])
{
    if (beside(out)) return;
    (void)snprintf(out, LOG_PATH_MAX, "%s/%s", PSST_BINDIR, PSST_DAEMON_NAME);
    if (access(out, X_OK) != 0) (void)snprintf(out, LOG_PATH_MAX, "%s", PSST_DAEMON_NAME);
}

enum psst_err psst_start(struct psst_started *out, const struct psst_paths *paths, const char *const *listen,
                         struct psst_failure *failure)
{
    struct psst_diag diag = {{0}};
    char program[LOG_PATH_MAX];
    struct command command;
    int ready[2];
    enum psst_err err = psst_paths_make_dir(paths->run_dir, true, &diag);
    if (err != PSST_OK) return psst_failure_set(failure, err, PSST_EXIT_FAILED, "run-directory", "%s", diag.text);
    find_program(program);
    make_command(&command, listen);
    int log = open_log(paths);
    if (log < 0 || !make_pipe(ready)) {
        err = psst_failure_set(failure, PSST_ERR_IO, PSST_EXIT_FAILED, "log", "cannot start psstd in %s: %s",
                               paths->run_dir, strerror(errno));
        if (log >= 0) (void)close(log);
        return err;
    }
    out->log_from = lseek(log, 0, SEEK_END);
    int rc = spawn(&out->pid, program, command.argv, log, ready[1]);
    (void)close(log);
    (void)close(ready[1]);
    out->ready_fd = ready[0];
    if (rc == 0) return PSST_OK;
    (void)close(ready[0]);
    return psst_failure_set(failure, PSST_ERR_IO, PSST_EXIT_LOCKED, "no-daemon", "cannot start %s: %s", program,
                            strerror(rc));
}

/* What psstd said last: its last line that begins with its name, else the last line; rendered. */
static void last_words(const struct psst_paths *paths, off_t log_from, char out[LAST_LINE])
{
    static const char lead[] = PSST_DAEMON_NAME ": ";
    char path[LOG_PATH_MAX], tail[4096];
    log_path(path, paths);
    out[0] = '\0';
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return;
    off_t size = lseek(fd, 0, SEEK_END);
    off_t from = size - log_from >= (off_t)sizeof tail ? size - (off_t)sizeof tail + 1 : log_from;
    ssize_t n = pread(fd, tail, sizeof tail - 1, from);
    (void)close(fd);
    if (n <= 0) return;
    tail[n] = '\0';
    const char *best = tail;
    bool led = false;
    for (char *line = strtok(tail, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        bool leads = strncmp(line, lead, sizeof lead - 1) == 0;
        if (!leads && led) continue;
        best = leads ? line + sizeof lead - 1 : line;
        led = leads;
    }
    struct psst_buf line;
    psst_buf_init(&line, LAST_LINE - 1);
    psst_text_render(&line, psst_view_str(best), PSST_RENDER_LINE, LAST_LINE / 4 - 1);
    if (!line.failed && line.len > 0) memcpy(out, line.data, line.len);
    out[line.failed ? 0 : line.len] = '\0';
    psst_buf_fini(&line);
}

bool psst_start_wait(struct psst_started *started, const struct psst_paths *paths, struct psst_failure *failure)
{
    uint64_t deadline = psst_client_now_ms() + PSST_START_MS;
    struct pollfd p = {.fd = started->ready_fd, .events = POLLIN};
    char byte;
    ssize_t got = -1;
    for (uint64_t now = psst_client_now_ms(); now < deadline && got < 0; now = psst_client_now_ms()) {
        if (poll(&p, 1, (int)(deadline - now)) == 1) got = read(started->ready_fd, &byte, 1);
    }
    (void)close(started->ready_fd);
    started->ready_fd = -1;
    if (got == 1) return true;
    int status = 0;
    bool usage =
        got == 0 && waitpid(started->pid, &status, 0) == started->pid && WIFEXITED(status) && WEXITSTATUS(status) == 2;
    char words[LAST_LINE];
    last_words(paths, started->log_from, words);
    if (words[0] == '\0') (void)snprintf(words, sizeof words, got == 0 ? "it ended at once" : "it does not come up");
    (void)psst_failure_set(failure, PSST_ERR_IO, usage ? PSST_EXIT_USAGE : PSST_EXIT_LOCKED, "no-daemon",
                           "psstd could not begin: %s", words);
    return false;
}
