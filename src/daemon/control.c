/* The control socket: who may connect, lines in and out, the table of methods, subscribers.
 *
 *   on_connection -> SO_PEERCRED -> client
 *   on_client: read -> lines -> take_line -> request -> (held while the identity opens) -> handler
 *   handler -> psst_request_result -> line -> flush; what the socket does not take waits for UV_WRITABLE
 *
 * A client that lets 4 MiB wait is dropped; one with many unanswered requests is not read for a while (attack 44).
 */
#include "daemon/control.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define HELD_MS        20
#define READS_PER_TURN 16 /* of 64 KiB: then the others have their turn */

struct psst_control_client {
    struct psst_control *control;
    struct psst_lines lines;
    uv_poll_t poll;
    unsigned events;  /* bits: subscribed */
    size_t pending;   /* unanswered requests */
    bool ended;       /* it has closed its side: the answers still go out */
    bool keep_to_end; /* it asked for the shutdown and waits for the socket to close */
    bool closing;
    struct psst_control_client *next;
};

struct psst_control {
    struct psst_daemon *daemon;
    int listen_fd, reserve_fd;
    uv_poll_t listening;
    uv_timer_t later; /* held requests and clients that were paused */
    struct psst_control_client *clients;
    size_t n_clients;
    struct psst_request *requests;      /* all unanswered */
    struct psst_request *held;          /* of these: waiting for the identity to open */
    int last_fds[PSST_CONTROL_CLIENTS]; /* of those who wait for the end: closed as the last thing */
    size_t n_last_fds;
    bool closed;
};

static psst_control_handler *const handlers[PSST_METHOD_COUNT] = {
    [PSST_METHOD_HELLO] = psst_control_hello,
    [PSST_METHOD_STATUS] = psst_control_status,
    [PSST_METHOD_INIT] = psst_control_init,
    [PSST_METHOD_UNLOCK] = psst_control_unlock,
    [PSST_METHOD_LOCK] = psst_control_lock,
    [PSST_METHOD_PASSWD] = psst_control_passwd,
    [PSST_METHOD_SHUTDOWN] = psst_control_shutdown,
    [PSST_METHOD_SETTINGS] = psst_control_settings,
    [PSST_METHOD_SET] = psst_control_set,
    [PSST_METHOD_CARD] = psst_control_card,
    [PSST_METHOD_INSPECT] = psst_control_inspect,
    [PSST_METHOD_ADD] = psst_control_add,
    [PSST_METHOD_CONTACTS] = psst_control_contacts,
    [PSST_METHOD_CONTACT_REMOVE] = psst_control_remove,
    [PSST_METHOD_CONTACT_BLOCK] = psst_control_block,
    [PSST_METHOD_CONTACT_UNBLOCK] = psst_control_unblock,
    [PSST_METHOD_CONTACT_RENAME] = psst_control_rename,
    [PSST_METHOD_CONTACT_ADDRESS] = psst_control_address,
    [PSST_METHOD_CONTACT_HISTORY] = psst_control_history,
    [PSST_METHOD_SAFETY] = psst_control_safety,
    [PSST_METHOD_CONTACT_VERIFIED] = psst_control_verified,
    [PSST_METHOD_DIAL] = psst_control_dial,
    [PSST_METHOD_HANGUP] = psst_control_hangup,
    [PSST_METHOD_SAY] = psst_control_say,
    [PSST_METHOD_LOG] = psst_control_log,
    [PSST_METHOD_SHOWN] = psst_control_shown,
    [PSST_METHOD_SEND] = psst_control_send,
    [PSST_METHOD_FILES] = psst_control_files,
    [PSST_METHOD_FILE_ACCEPT] = psst_control_accept,
    [PSST_METHOD_FILE_DECLINE] = psst_control_decline,
    [PSST_METHOD_SUBSCRIBE] = psst_control_subscribe,
};

static void on_client(uv_poll_t *handle, int status, int events);
static void on_later(uv_timer_t *timer);
static void work_off(struct psst_control_client *client);

/* ---- clients ---- */

static void client_closed(uv_handle_t *handle)
{
    struct psst_control_client *client = handle->data;
    psst_lines_fini(&client->lines);
    free(client);
}

/* The client's requests go on without it. Its memory stays until the loop has closed the handle. */
static void client_drop(struct psst_control_client *client)
{
    if (client->closing) return;
    struct psst_control *control = client->control;
    client->closing = true;
    for (struct psst_request *req = control->requests; req != NULL; req = req->next)
        if (req->client == client) req->client = NULL;
    for (struct psst_control_client **at = &control->clients; *at != NULL; at = &(*at)->next) {
        if (*at != client) continue;
        *at = client->next;
        break;
    }
    control->n_clients--;
    uv_close((uv_handle_t *)&client->poll, client_closed);
}

/* What is to be waited for now; a client that has nothing left to get is let go. */
static void client_watch(struct psst_control_client *client)
{
    if (client->closing) return;
    size_t waiting = psst_lines_waiting(&client->lines);
    if (client->ended && client->pending == 0 && waiting == 0 && !client->keep_to_end) {
        client_drop(client);
        return;
    }
    int events = 0;
    if (!client->ended && client->pending < PSST_CONTROL_REQUESTS) events |= UV_READABLE;
    if (waiting > 0) events |= UV_WRITABLE;
    int rc = events != 0 ? uv_poll_start(&client->poll, events, on_client) : uv_poll_stop(&client->poll);
    if (rc != 0) client_drop(client);
}

static void client_flush(struct psst_control_client *client)
{
    if (client->closing) return;
    enum psst_err err = psst_lines_flush(&client->lines);
    if (err != PSST_OK && err != PSST_ERR_AGAIN)
        client_drop(client);
    else
        client_watch(client);
}

/* Takes object. */
static enum psst_err client_put(struct psst_control_client *client, json_t *object)
{
    enum psst_err err = psst_rpc_put(&client->lines, object, NULL, 0);
    if (err == PSST_ERR_FULL) psst_daemon_count(client->control->daemon, "control.dropped");
    if (err != PSST_OK && err != PSST_ERR_TOO_LONG)
        client_drop(client);
    else if (err == PSST_OK)
        client_flush(client);
    return err;
}

void psst_control_subscribe_client(struct psst_control_client *client, unsigned events)
{
    client->events = events;
}

void psst_control_keep_to_the_end(struct psst_control_client *client)
{
    client->keep_to_end = true;
}

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
            client_flush(client);
        } else {
            psst_daemon_count(control->daemon, "control.dropped");
            client_drop(client);
        }
    }
    psst_buf_fini(&line);
}

/* ---- requests ---- */

static void run_later(struct psst_control *control, uint64_t ms)
{
    if (control->closed || (uv_is_active((uv_handle_t *)&control->later) && ms > 0)) return;
    (void)uv_timer_start(&control->later, on_later, ms, 0);
}

static void request_free(struct psst_request *req)
{
    struct psst_control_client *client = req->client;
    if (req->prev != NULL)
        req->prev->next = req->next;
    else
        req->control->requests = req->next;
    if (req->next != NULL) req->next->prev = req->prev;
    if (client != NULL && !client->closing) {
        /* lines that came while it was paused are taken from the loop, not from inside whoever answers */
        if (client->pending-- == PSST_CONTROL_REQUESTS) run_later(req->control, 0);
        client_watch(client);
    }
    psst_fds_close(req->fds, req->n_fds);
    json_decref(req->id);
    json_decref(req->params);
    free(req);
}

static void request_answer(struct psst_request *req, json_t *object)
{
    if (req->client == NULL || req->client->closing) {
        json_decref(object);
    } else if (client_put(req->client, object) == PSST_ERR_TOO_LONG) {
        json_t *error = psst_rpc_error(req->id, PSST_RPC_OURS + PSST_EXIT_FAILED, PSST_EXIT_FAILED, "too-long",
                                       "the answer is too long for one line");
        (void)client_put(req->client, error);
    }
    request_free(req);
}

void psst_request_result(struct psst_request *req, json_t *result)
{
    request_answer(req, psst_rpc_result(req->id, result));
}

void psst_request_error(struct psst_request *req, enum psst_exit exit_code, const char *name, const char *words)
{
    request_answer(req, psst_rpc_error(req->id, PSST_RPC_OURS + (int)exit_code, exit_code, name, words));
}

void psst_request_invalid(struct psst_request *req, const char *words)
{
    request_answer(req, psst_rpc_error(req->id, PSST_RPC_INVALID_PARAMS, PSST_EXIT_USAGE, "invalid-params", words));
}

static const char *words_for(enum psst_err err)
{
    switch (err) {
    case PSST_ERR_LOCKED: return "the identity is locked: psst unlock";
    case PSST_ERR_PASSPHRASE: return "the passphrase is wrong";
    case PSST_ERR_MEMORY: return "out of memory";
    case PSST_ERR_DISK_FULL: return "not saved: the disk is full";
    case PSST_ERR_NOT_FOUND: return "there is no such thing";
    case PSST_ERR_EXISTS: return "it is there already";
    case PSST_ERR_DAMAGED: return "a file of the identity is damaged";
    case PSST_ERR_IO: return "the system refused: see the log";
    default: return "it failed: see the log";
    }
}

void psst_request_finish(struct psst_request *req, enum psst_err err, const char *words)
{
    if (err == PSST_OK)
        psst_request_result(req, NULL);
    else
        psst_request_error(req, psst_rpc_exit_of(err), psst_err_name(err),
                           words != NULL && words[0] != '\0' ? words : words_for(err));
}

void psst_request_done(void *ctx, enum psst_err err, const char *words)
{
    psst_request_finish(ctx, err, words);
}

void psst_control_progress(struct psst_request *req, unsigned tried)
{
    if (req->client == NULL || req->client->closing) return;
    json_t *params = json_pack("{s:I}", "tried", (json_int_t)tried);
    (void)client_put(req->client, psst_rpc_event("init.progress", params));
}

/* Runs the handler, or refuses, or holds the request while the identity is being opened. */
static void request_dispatch(struct psst_request *req)
{
    enum psst_needs needs = psst_methods[req->method].needs;
    enum psst_identity_state state = psst_identity_state(req->daemon->identity);
    if (req->daemon->stopping && needs != PSST_NEEDS_NOTHING) {
        psst_request_error(req, PSST_EXIT_LOCKED, "stopping", "psstd is stopping");
    } else if (needs != PSST_NEEDS_NOTHING && state == PSST_IDENTITY_NONE) {
        psst_request_error(req, PSST_EXIT_LOCKED, "no-identity", "there is no identity yet: psst init");
    } else if (needs != PSST_NEEDS_NOTHING && state == PSST_IDENTITY_OPENING) {
        req->state = req->control->held;
        req->control->held = req;
        run_later(req->control, HELD_MS);
    } else if (needs == PSST_NEEDS_UNLOCKED && state != PSST_IDENTITY_UNLOCKED) {
        psst_request_finish(req, PSST_ERR_LOCKED, NULL);
    } else {
        handlers[req->method](req);
    }
}

static void on_later(uv_timer_t *timer)
{
    struct psst_control *control = timer->data;
    struct psst_request *held = control->held;
    control->held = NULL;
    /* they were put in front one after the other: turned round, they run in their order */
    struct psst_request *in_order = NULL;
    while (held != NULL) {
        struct psst_request *next = held->state;
        held->state = in_order;
        in_order = held;
        held = next;
    }
    while (in_order != NULL) {
        struct psst_request *next = in_order->state;
        in_order->state = NULL;
        request_dispatch(in_order);
        in_order = next;
    }
    struct psst_control_client *next_client;
    for (struct psst_control_client *client = control->clients; client != NULL; client = next_client) {
        next_client = client->next;
        work_off(client);
    }
}

/* ---- lines ---- */

static void refuse_line(struct psst_control_client *client, json_t *id, int code, const char *words)
{
    psst_daemon_count(client->control->daemon, "control.refused");
    (void)client_put(client, psst_rpc_error(id, code, PSST_EXIT_USAGE, "invalid", words));
}

/* The method and its descriptors; NULL: refused. */
static struct psst_request *request_new(struct psst_control_client *client, const struct psst_rpc *rpc)
{
    enum psst_method method = psst_method_find(rpc->method);
    if (method == PSST_METHOD_COUNT) {
        refuse_line(client, rpc->id, PSST_RPC_NO_METHOD, "there is no such method");
        return NULL;
    }
    const json_t *fds = json_object_get(rpc->params, "fds");
    json_int_t n = json_integer_value(fds);
    struct psst_request *req = calloc(1, sizeof *req);
    if (req == NULL) {
        refuse_line(client, rpc->id, PSST_RPC_OURS + PSST_EXIT_FAILED, "out of memory");
        return NULL;
    }
    bool fits = (fds == NULL || json_is_integer(fds)) && n >= 0 && n <= (json_int_t)psst_methods[method].max_fds;
    if (!fits || psst_lines_take_fds(&client->lines, req->fds, (size_t)n) != PSST_OK) {
        refuse_line(client, rpc->id, PSST_RPC_INVALID_PARAMS, "fds is not the number of descriptors that came along");
        free(req);
        return NULL;
    }
    req->n_fds = (size_t)n;
    req->method = method;
    req->client = client;
    req->control = client->control;
    req->daemon = client->control->daemon;
    req->id = json_incref(rpc->id);
    req->params = rpc->params != NULL ? json_incref(rpc->params) : json_object();
    return req;
}

static void take_line(struct psst_control_client *client, struct psst_view line)
{
    struct psst_rpc rpc;
    enum psst_err err = psst_rpc_parse(&rpc, line);
    struct psst_request *req = NULL;
    if (err == PSST_ERR_MALFORMED)
        refuse_line(client, NULL, PSST_RPC_PARSE_ERROR, "that is not a JSON object");
    else if (err != PSST_OK || rpc.kind == PSST_RPC_RESULT || rpc.kind == PSST_RPC_ERROR)
        refuse_line(client, rpc.id, PSST_RPC_INVALID_REQUEST, "that is not a JSON-RPC 2.0 request");
    else if (rpc.kind == PSST_RPC_REQUEST) /* a notification wants no answer, and nothing here takes one */
        req = request_new(client, &rpc);
    psst_rpc_fini(&rpc);
    if (req == NULL) return;
    req->next = req->control->requests;
    if (req->next != NULL) req->next->prev = req;
    req->control->requests = req;
    client->pending++;
    request_dispatch(req);
}

/* Takes the whole lines that are there, as long as not too many requests wait. */
static void work_off(struct psst_control_client *client)
{
    while (!client->closing && client->pending < PSST_CONTROL_REQUESTS) {
        struct psst_view line;
        enum psst_err err = psst_lines_next(&client->lines, &line);
        if (err == PSST_ERR_AGAIN) break;
        if (err == PSST_OK) {
            take_line(client, line);
            continue;
        }
        refuse_line(client, NULL, PSST_RPC_PARSE_ERROR, "the line is too long");
        client_drop(client);
    }
    if (!client->closing) client_watch(client);
}

static void on_client(uv_poll_t *handle, int status, int events)
{
    struct psst_control_client *client = handle->data;
    if (status < 0) {
        client_drop(client);
        return;
    }
    if ((events & UV_WRITABLE) != 0) client_flush(client);
    for (int i = 0; i < READS_PER_TURN && !client->closing && (events & UV_READABLE) != 0; i++) {
        if (client->ended || client->pending >= PSST_CONTROL_REQUESTS) break;
        enum psst_err err = psst_lines_read(&client->lines);
        if (err == PSST_ERR_AGAIN) break;
        if (err != PSST_OK) {
            client_drop(client);
            return;
        }
        client->ended = client->lines.ended;
        work_off(client);
    }
}

/* ---- connections ---- */

static bool same_user(int fd)
{
    struct ucred cred;
    socklen_t len = sizeof cred;
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0 && cred.uid == geteuid();
}

static void client_new(struct psst_control *control, int fd)
{
    struct psst_control_client *client = calloc(1, sizeof *client);
    if (client == NULL || uv_poll_init(control->daemon->loop, &client->poll, fd) != 0) {
        free(client);
        (void)close(fd);
        return;
    }
    client->control = control;
    client->poll.data = client;
    psst_lines_init(&client->lines, fd);
    client->next = control->clients;
    control->clients = client;
    control->n_clients++;
    client_watch(client);
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
    if (same_user(fd) && control->n_clients < PSST_CONTROL_CLIENTS) {
        client_new(control, fd);
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
        client_drop(client);
    }
}

void psst_control_free(struct psst_control *control)
{
    if (control == NULL) return;
    while (control->requests != NULL) {
        control->requests->client = NULL;
        request_free(control->requests);
    }
    (void)close(control->listen_fd);
    if (control->reserve_fd >= 0) (void)close(control->reserve_fd);
    psst_fds_close(control->last_fds, control->n_last_fds);
    free(control);
}
