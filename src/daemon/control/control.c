/* The control socket: who may connect, and who is told of what.
 *
 *   on_connection -> SO_PEERCRED -> control/client.c -> control/request.c -> its methods, a file for each subject
 */
#include "daemon/control/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- subscribers ---- */

void psst_control_event(struct psst_control *control, const char *event, json_t *params)
{
    enum psst_ipc_event kind = psst_ipc_event_find(event);
    json_t *object = psst_rpc_event(event, params);
    struct psst_buf line;
    psst_buf_init(&line, PSST_LINE_MAX - 1);
    bool ready = object != NULL && kind != PSST_IPC_EVENTS && control != NULL && !control->closed &&
                 psst_rpc_dump(object, &line) == PSST_OK;
    json_decref(object);
    struct psst_control_client *next;
    for (struct psst_control_client *client = ready ? control->clients : NULL; client != NULL; client = next) {
        next = client->next;
        if ((client->events & 1u << kind) == 0) continue;
        if (psst_lines_put(&client->lines, psst_buf_view(&line), NULL, 0) == PSST_OK) {
            psst_control_client_flush(client);
        } else {
            psst_daemon_count(control->daemon, "control.dropped");
            psst_control_client_drop(client);
        }
    }
    psst_buf_fini(&line);
}

bool psst_control_wanted(const struct psst_control *control, enum psst_ipc_event event)
{
    bool wanted = false;
    const struct psst_control_client *client = control != NULL && !control->closed ? control->clients : NULL;
    for (; client != NULL; client = client->next) wanted = wanted || (client->events & 1u << event) != 0;
    return wanted;
}

/* ---- connections ---- */

/* Nothing that psstd has started is a user interface, and psst-voice, which decodes what contacts send, might have found a way here. Who has
 * ended already was none either, for nobody waits for an answer. */
static bool is_child(pid_t pid)
{
    siginfo_t info;
    if (pid <= 0) return false; /* in another container: no child of ours gets there */
    if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0) return true;
    return kill(pid, 0) != 0 && errno == ESRCH;
}

static bool may_enter(int fd)
{
    struct ucred cred;
    socklen_t len = sizeof cred;
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0 && cred.uid == geteuid() && !is_child(cred.pid);
}

/* Without a free descriptor a connection would stay pending and wake the loop for ever: the one in reserve takes it. */
static void refuse_for_want_of_descriptors(struct psst_control *control)
{
    if (control->reserve_fd < 0) return;
    (void)close(control->reserve_fd);
    int fd = accept4(control->listen_fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0) (void)close(fd);
    control->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void on_connection(uv_poll_t *handle, int status, int events)
{
    struct psst_control *control = handle->data;
    (void)events;
    if (status < 0) return;
    int fd = accept4(control->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) {
        if (errno == EMFILE || errno == ENFILE) refuse_for_want_of_descriptors(control);
        return;
    }
    if (may_enter(fd) && control->n_clients < PSST_CONTROL_CLIENTS) {
        psst_control_client_new(control, fd);
        return;
    }
    psst_daemon_count(control->daemon, "control.turned-away");
    psst_log_limited(&control->daemon->log, PSST_LOG_WARNING, "control-turned-away", "clients=%zu", control->n_clients);
    (void)close(fd);
}

/* ---- the socket ---- */

static enum psst_err make_socket(int *out, const char *path, struct psst_diag *diag)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    struct stat st;
    if (strlen(path) >= sizeof at.sun_path) return psst_fail(diag, PSST_ERR_TOO_LONG, "the path %s is too long", path);
    memcpy(at.sun_path, path, strlen(path) + 1);
    if (lstat(path, &st) == 0) {
        if (!S_ISSOCK(st.st_mode)) return psst_fail(diag, PSST_ERR_EXISTS, "%s is there and not a socket", path);
        (void)unlink(path); /* left behind by a psstd that was killed: the lock is ours */
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mode_t before = umask(0177);
    bool made = fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at) == 0 && listen(fd, 64) == 0;
    int reason = errno;
    (void)umask(before);
    if (made) {
        *out = fd;
        return PSST_OK;
    }
    if (fd >= 0) (void)close(fd);
    return psst_fail(diag, PSST_ERR_IO, "cannot make the socket %s: %s", path, strerror(reason));
}

enum psst_err psst_control_new(struct psst_control **out, struct psst_daemon *d, struct psst_diag *diag)
{
    int fd = -1;
    enum psst_err err = psst_paths_make_dir(d->paths.run_dir, true, diag);
    if (err == PSST_OK) err = make_socket(&fd, d->paths.socket, diag);
    if (err != PSST_OK) return err;
    struct psst_control *control = calloc(1, sizeof *control);
    if (control == NULL || uv_poll_init(d->loop, &control->listening, fd) != 0) {
        free(control);
        (void)close(fd);
        return psst_fail(diag, PSST_ERR_MEMORY, "out of memory");
    }
    control->daemon = d;
    control->listen_fd = fd;
    control->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    control->listening.data = control;
    (void)uv_timer_init(d->loop, &control->later);
    control->later.data = control;
    (void)uv_poll_start(&control->listening, UV_READABLE, on_connection);
    *out = control;
    return PSST_OK;
}

void psst_control_close(struct psst_control *control)
{
    if (control == NULL || control->closed) return;
    control->closed = true;
    uv_close((uv_handle_t *)&control->listening, NULL);
    uv_close((uv_handle_t *)&control->later, NULL);
    (void)unlink(control->daemon->paths.socket);
    struct psst_control_client *next;
    for (struct psst_control_client *client = control->clients; client != NULL; client = next) {
        next = client->next;
        if (client->keep_to_end) {
            control->last_fds[control->n_last_fds++] = client->lines.fd;
            client->lines.fd = -1;
        }
        psst_control_client_drop(client);
    }
}

void psst_control_free(struct psst_control *control)
{
    if (control == NULL) return;
    while (control->requests != NULL) {
        control->requests->client = NULL;
        psst_control_request_free(control->requests);
    }
    (void)close(control->listen_fd);
    if (control->reserve_fd >= 0) (void)close(control->reserve_fd);
    psst_fds_close(control->last_fds, control->n_last_fds);
    free(control);
}
