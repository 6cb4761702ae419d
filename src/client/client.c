#include "client/client.h"

#include "client/start.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define HELLO_MS 10000

struct pending {
    json_int_t id;
    psst_client_answer *answer;
    void *ctx;
    struct pending *next;
};

struct psst_client {
    struct psst_lines lines;
    json_int_t last_id;
    struct pending *pending;
    psst_client_event *event, *progress;
    void *event_ctx, *progress_ctx;
    bool gone;
};

uint64_t psst_client_now_ms(void)
{
    struct timespec ts;
    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

enum psst_err psst_failure_set(struct psst_failure *failure, enum psst_err err, enum psst_exit exit_code,
                               const char *name, const char *fmt, ...)
{
    va_list args;
    failure->exit_code = exit_code;
    (void)snprintf(failure->name, sizeof failure->name, "%s", name);
    va_start(args, fmt);
    (void)vsnprintf(failure->words, sizeof failure->words, fmt, args);
    va_end(args);
    return err;
}

/* ---- coming and going ---- */

enum psst_err psst_client_over(struct psst_client **out, int fd)
{
    struct psst_client *client = calloc(1, sizeof *client);
    if (client == NULL) {
        (void)close(fd);
        return PSST_ERR_MEMORY;
    }
    psst_lines_init(&client->lines, fd);
    *out = client;
    return PSST_OK;
}

void psst_client_close(struct psst_client *client)
{
    if (client == NULL) return;
    while (client->pending != NULL) {
        struct pending *p = client->pending;
        client->pending = p->next;
        free(p);
    }
    psst_lines_fini(&client->lines);
    free(client);
}

/* A connected socket, or -1 with errno. */
static int connect_to(const char *path)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    size_t len = strlen(path);
    if (len >= sizeof to.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(to.sun_path, path, len + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    struct ucred cred;
    socklen_t cred_len = sizeof cred;
    if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0 &&
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &cred_len) == 0) {
        if (cred.uid == geteuid()) return fd;
        errno = EPERM; /* somebody else's psstd must not be handed a passphrase */
    }
    int reason = errno;
    (void)close(fd);
    errno = reason;
    return -1;
}

static bool nobody_there(int reason)
{
    return reason == ENOENT || reason == ECONNREFUSED;
}

static int start_and_connect(const struct psst_paths *paths, const char *const *listen, struct psst_failure *failure)
{
    struct psst_started started;
    if (psst_start(&started, paths, listen, failure) != PSST_OK) return -1;
    bool ready = psst_start_wait(&started, paths, failure);
    /* also when ours could not begin: another one may have been quicker */
    int fd = connect_to(paths->socket);
    if (fd < 0 && ready)
        (void)psst_failure_set(failure, PSST_ERR_IO, PSST_EXIT_LOCKED, "no-daemon", "cannot reach psstd at %s: %s",
                               paths->socket, strerror(errno));
    return fd;
}

static enum psst_err say_hello(struct psst_client *client, struct psst_failure *failure)
{
    json_t *answer = psst_client_call(client, "hello", json_pack("{s:i}", "version", 1), NULL, 0, HELLO_MS, failure);
    if (answer == NULL && strcmp(failure->name, "no-daemon") == 0)
        (void)psst_failure_set(failure, PSST_ERR_IO, PSST_EXIT_LOCKED, "no-daemon",
                               "psstd hung up: it is ending, or too many user interfaces are connected");
    if (answer == NULL) return PSST_ERR_IO;
    bool same = json_integer_value(json_object_get(answer, "version")) == 1;
    json_decref(answer);
    if (same) return PSST_OK;
    return psst_failure_set(failure, PSST_ERR_PROTOCOL, PSST_EXIT_FAILED, "version",
                            "psstd is of another version: restart it with psst down");
}

enum psst_err psst_client_open(struct psst_client **out, const struct psst_paths *paths,
                               const struct psst_client_start *start, struct psst_failure *failure)
{
    int fd = connect_to(paths->socket);
    if (fd < 0 && !nobody_there(errno))
        return psst_failure_set(failure, PSST_ERR_IO, PSST_EXIT_LOCKED, "no-daemon", "cannot reach psstd at %s: %s",
                                paths->socket, strerror(errno));
    if (fd < 0 && start == NULL)
        return psst_failure_set(failure, PSST_ERR_NOT_FOUND, PSST_EXIT_LOCKED, "no-daemon", "psstd is not running");
    if (fd < 0) fd = start_and_connect(paths, start->listen, failure);
    if (fd < 0) return PSST_ERR_IO;
    struct psst_client *client;
    if (psst_client_over(&client, fd) != PSST_OK)
        return psst_failure_set(failure, PSST_ERR_MEMORY, PSST_EXIT_FAILED, "memory", "out of memory");
    enum psst_err err = say_hello(client, failure);
    if (err == PSST_OK)
        *out = client;
    else
        psst_client_close(client);
    return err;
}

void psst_client_on_event(struct psst_client *client, psst_client_event *event, void *ctx)
{
    client->event = event;
    client->event_ctx = ctx;
}

void psst_client_on_progress(struct psst_client *client, psst_client_event *progress, void *ctx)
{
    client->progress = progress;
    client->progress_ctx = ctx;
}

int psst_client_fd(const struct psst_client *client)
{
    return client->lines.fd;
}

bool psst_client_wants_write(const struct psst_client *client)
{
    return psst_lines_waiting(&client->lines) > 0;
}

/* ---- requests and what comes back ---- */

enum psst_err psst_client_request(struct psst_client *client, const char *method, json_t *params, const int *fds,
                                  size_t n, psst_client_answer *answer, void *ctx)
{
    if (params == NULL) params = json_object();
    if (n > 0) (void)json_object_set_new(params, "fds", json_integer((json_int_t)n));
    struct pending *p = client->gone ? NULL : calloc(1, sizeof *p);
    if (p == NULL) {
        json_decref(params);
        psst_fds_close(fds, n);
        return client->gone ? PSST_ERR_IO : PSST_ERR_MEMORY;
    }
    json_int_t id = ++client->last_id;
    enum psst_err err = psst_rpc_put(&client->lines, psst_rpc_request(id, method, params), fds, n);
    if (err == PSST_OK) {
        /* when psstd is gone, reading tells, and then all are told */
        enum psst_err flushed = psst_lines_flush(&client->lines);
        (void)flushed;
        *p = (struct pending){.id = id, .answer = answer, .ctx = ctx, .next = client->pending};
        client->pending = p;
    } else {
        free(p);
    }
    return err;
}

static struct pending *take_pending(struct psst_client *client, json_int_t id)
{
    struct pending **at = &client->pending;
    while (*at != NULL && (*at)->id != id) at = &(*at)->next;
    struct pending *p = *at;
    if (p != NULL) *at = p->next;
    return p;
}

void psst_client_forget(struct psst_client *client, const void *ctx)
{
    struct pending **at = &client->pending;
    while (*at != NULL) {
        struct pending *p = *at;
        if (p->ctx == ctx) {
            *at = p->next;
            free(p);
        } else {
            at = &p->next;
        }
    }
}

/* Out of order, or not what psstd says: it is not listened to any longer. */
static void all_gone(struct psst_client *client)
{
    struct psst_failure failure;
    (void)psst_failure_set(&failure, PSST_ERR_IO, PSST_EXIT_LOCKED, "no-daemon", "psstd has ended");
    client->gone = true;
    while (client->pending != NULL) {
        struct pending *p = client->pending;
        client->pending = p->next;
        p->answer(p->ctx, NULL, &failure);
        free(p);
    }
}

void psst_client_give_up(struct psst_client *client)
{
    if (!client->gone) all_gone(client);
}

static void hand_out(struct psst_client *client, const struct psst_rpc *rpc)
{
    if (rpc->kind == PSST_RPC_EVENT) {
        if (client->progress != NULL && strcmp(rpc->method, "init.progress") == 0)
            client->progress(client->progress_ctx, rpc->method, rpc->params);
        else if (client->event != NULL)
            client->event(client->event_ctx, rpc->method, rpc->params);
        return;
    }
    struct pending *p = json_is_integer(rpc->id) ? take_pending(client, json_integer_value(rpc->id)) : NULL;
    if (p == NULL) return;
    if (rpc->kind == PSST_RPC_RESULT) {
        p->answer(p->ctx, rpc->result, NULL);
    } else {
        struct psst_failure failure;
        (void)psst_failure_set(&failure, PSST_ERR_IO, (enum psst_exit)rpc->exit_code, rpc->name, "%s", rpc->message);
        p->answer(p->ctx, NULL, &failure);
    }
    free(p);
}

enum psst_err psst_client_turn(struct psst_client *client)
{
    if (client->gone) return PSST_ERR_IO;
    enum psst_err flushed = psst_lines_flush(&client->lines);
    (void)flushed; /* when psstd is gone, reading tells */
    for (;;) {
        struct psst_view line;
        enum psst_err err = psst_lines_next(&client->lines, &line);
        if (err == PSST_OK) {
            struct psst_rpc rpc;
            err = psst_rpc_parse(&rpc, line);
            if (err == PSST_OK) hand_out(client, &rpc);
            if (rpc.root != NULL) psst_rpc_fini(&rpc);
        } else if (err == PSST_ERR_AGAIN) {
            err = psst_lines_read(&client->lines);
            if (err == PSST_ERR_AGAIN) return PSST_OK;
            if (err == PSST_OK && client->lines.ended) err = PSST_ERR_IO;
        }
        if (err == PSST_OK) continue;
        all_gone(client);
        return PSST_ERR_IO;
    }
}

enum psst_err psst_client_wait(struct psst_client *client, int timeout_ms)
{
    if (client->gone) return PSST_ERR_IO;
    struct pollfd p = {.fd = client->lines.fd, .events = POLLIN};
    if (psst_client_wants_write(client)) p.events |= POLLOUT;
    int n = poll(&p, 1, timeout_ms);
    if (n < 0) return PSST_ERR_AGAIN;
    return n == 0 ? PSST_ERR_EXPIRED : psst_client_turn(client);
}

struct call {
    json_t *result;
    struct psst_failure *failure;
    bool answered;
};

static void called(void *ctx, json_t *result, const struct psst_failure *failure)
{
    struct call *call = ctx;
    call->answered = true;
    call->result = json_incref(result);
    if (result == NULL) *call->failure = *failure;
}

json_t *psst_client_call(struct psst_client *client, const char *method, json_t *params, const int *fds, size_t n,
                         int timeout_ms, struct psst_failure *failure)
{
    struct call call = {.failure = failure};
    uint64_t deadline = timeout_ms < 0 ? UINT64_MAX : psst_client_now_ms() + (uint64_t)timeout_ms;
    enum psst_err err = psst_client_request(client, method, params, fds, n, called, &call);
    if (err == PSST_ERR_TOO_LONG) {
        (void)psst_failure_set(failure, err, PSST_EXIT_FAILED, "too-long", "that is too long to be handed to psstd");
        return NULL;
    }
    if (err != PSST_OK) {
        (void)psst_failure_set(failure, err, err == PSST_ERR_IO ? PSST_EXIT_LOCKED : PSST_EXIT_FAILED, "no-daemon",
                               err == PSST_ERR_IO ? "psstd has ended" : "out of memory");
        return NULL;
    }
    while (!call.answered) {
        uint64_t now = psst_client_now_ms();
        int wait_ms = timeout_ms < 0 ? -1 : now >= deadline ? 0 : (int)(deadline - now);
        err = psst_client_wait(client, wait_ms);
        if (call.answered || err == PSST_OK || err == PSST_ERR_AGAIN) continue;
        /* the answer must not find this frame when it comes after all */
        struct pending *p = take_pending(client, client->last_id);
        free(p);
        (void)psst_failure_set(failure, err, PSST_EXIT_LOCKED, "no-answer", "psstd does not answer");
        return NULL;
    }
    return call.result;
}
