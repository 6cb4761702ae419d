/* psstd's side of psst-key: requests in a queue, one child, and a new child when the old one dies.
 *
 *     psst_key_... -> waiting -> sendmsg -> sent -> psst-key answers in order -> done       (key/requests.c: psst_key_...)
 *     end of file, nonsense, exit -> the child is put away -> a new one, at most RESTARTS_MAX a minute -> done (PSST_ERR_IO)
 *
 * A child that was put away lives on in its own struct until libuv has closed both of its handles.
 */
#include "daemon/key/client_internal.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define QUEUE_MAX         256 /* requests under way; more get PSST_ERR_FULL */
#define RESTARTS_MAX      5   /* starts within RESTART_WINDOW_MS */
#define RESTART_WINDOW_MS 60000
#define CLOSE_PATIENCE_MS 2000 /* what is under way may end; then it is killed */
#define REQUEST_MAX       (8 + PSST_KEY_WRAPPED_LEN)

struct entry {
    struct entry *next;
    uint32_t number;
    enum psst_key_op op;
    int fds[PSST_KEY_FDS_MAX]; /* owned until sent */
    size_t n_fds;
    uint8_t message[REQUEST_MAX];
    size_t len;
    psst_key_done *done;
    psst_key_progress *progress;
    void *ctx;
    enum psst_err failed; /* in the failed list: why */
    const char *words;
};

struct queue {
    struct entry *first, **end;
    size_t n;
};

struct child {
    struct psst_key_client *kc;
    uv_process_t process;
    uv_poll_t poll;
    int fd;
    bool running; /* its exit has not been seen */
    int open_handles;
};

struct psst_key_client {
    uv_loop_t *loop;
    char *program;
    struct psst_log *log;
    void (*died)(void *ctx);
    void *ctx;
    struct child *child;  /* NULL: none to talk to */
    struct child *ending; /* closing: the one that may still finish */
    struct queue waiting; /* not sent yet */
    struct queue sent;    /* in the order of the answers to come */
    struct queue failed;  /* answered by `later` */
    uv_timer_t later;
    uv_timer_t patience;
    uint32_t last_number;
    uint64_t starts_ms[RESTARTS_MAX]; /* a ring of when children were started */
    unsigned n_starts;
    bool closing;
    int open_handles; /* of its own and of all children */
    void (*closed)(void *ctx);
    void *closed_ctx;
};

/* ---- the queue ---- */

static void queue_init(struct queue *q)
{
    *q = (struct queue){0};
    q->end = &q->first;
}

static void queue_put(struct queue *q, struct entry *e)
{
    e->next = NULL;
    *q->end = e;
    q->end = &e->next;
    q->n++;
}

static struct entry *queue_take(struct queue *q)
{
    struct entry *e = q->first;
    if (e == NULL) return NULL;
    q->first = e->next;
    if (q->first == NULL) q->end = &q->first;
    q->n--;
    return e;
}

static void close_fds(struct entry *e)
{
    for (size_t i = 0; i < e->n_fds; i++) (void)close(e->fds[i]);
    e->n_fds = 0;
}

static void finish(struct entry *e, const struct psst_key_reply *reply)
{
    close_fds(e);
    psst_key_done *done = e->done;
    void *ctx = e->ctx;
    PSST_WIPE(*e);
    free(e);
    done(ctx, reply);
}

static void fail_entry(struct entry *e)
{
    struct psst_key_reply reply = {.err = e->failed};
    (void)psst_fail(&reply.diag, e->failed, "%s", e->words);
    finish(e, &reply);
}

/* ---- closing ---- */

static void handle_closed(struct psst_key_client *kc)
{
    if (--kc->open_handles > 0) return; /* its own timers are among them: closing, and all has been answered */
    void (*closed)(void *ctx) = kc->closed;
    void *ctx = kc->closed_ctx;
    free(kc->program);
    free(kc);
    if (closed != NULL) closed(ctx);
}

static void on_timer_closed(uv_handle_t *handle)
{
    handle_closed(handle->data);
}

static void on_child_handle_closed(uv_handle_t *handle)
{
    struct child *child = handle->data;
    struct psst_key_client *kc = child->kc;
    if (--child->open_handles == 0) free(child);
    handle_closed(kc);
}

static void close_timer(uv_timer_t *timer)
{
    if (!uv_is_closing((uv_handle_t *)timer)) uv_close((uv_handle_t *)timer, on_timer_closed);
}

/* ---- failing later ---- */

static void on_later(uv_timer_t *timer)
{
    struct psst_key_client *kc = timer->data;
    struct entry *e;
    while ((e = queue_take(&kc->failed)) != NULL) fail_entry(e);
    if (kc->closing) close_timer(&kc->later);
}

static void fail_later(struct psst_key_client *kc, struct entry *e, enum psst_err err, const char *words)
{
    close_fds(e);
    e->failed = err;
    e->words = words;
    queue_put(&kc->failed, e);
    (void)uv_timer_start(&kc->later, on_later, 0, 0);
}

static void fail_all_later(struct psst_key_client *kc, const char *words)
{
    struct entry *e;
    while ((e = queue_take(&kc->sent)) != NULL) fail_later(kc, e, PSST_ERR_IO, words);
    while ((e = queue_take(&kc->waiting)) != NULL) fail_later(kc, e, PSST_ERR_IO, words);
}

/* ---- the child ---- */

static void start(struct psst_key_client *kc);

/* Nothing more goes to or comes from it. */
static void put_away(struct child *child)
{
    uv_close((uv_handle_t *)&child->poll, on_child_handle_closed);
    (void)close(child->fd);
    child->fd = -1;
    if (child->kc->child == child) child->kc->child = NULL;
}

static void lost(struct child *child, const char *why)
{
    struct psst_key_client *kc = child->kc;
    psst_log(kc->log, PSST_LOG_WARNING, "key-process-lost", "reason=%s", why);
    if (child->running) (void)uv_process_kill(&child->process, SIGKILL);
    put_away(child);
    fail_all_later(kc, "the key process ended unexpectedly; the identity is locked now");
    start(kc);
    if (kc->died != NULL) kc->died(kc->ctx);
}

static void on_child_exit(uv_process_t *process, int64_t status, int signal)
{
    struct child *child = process->data;
    struct psst_key_client *kc = child->kc;
    child->running = false;
    psst_log(kc->log, PSST_LOG_DEBUG, "key-process-exit", "status=%d signal=%d", (int)status, signal);
    uv_close((uv_handle_t *)process, on_child_handle_closed);
    if (kc->ending == child) {
        kc->ending = NULL;
        close_timer(&kc->patience);
    }
    if (kc->child == child) lost(child, "exit");
}

/* 0, or errno. */
static int send_entry(int fd, struct entry *e)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int) * PSST_KEY_FDS_MAX)];
    } control = {0};
    struct iovec iov = {.iov_base = e->message, .iov_len = e->len};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    if (e->n_fds > 0) {
        msg.msg_control = control.bytes;
        msg.msg_controllen = CMSG_SPACE(sizeof(int) * e->n_fds);
        struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int) * e->n_fds);
        memcpy(CMSG_DATA(c), e->fds, sizeof(int) * e->n_fds);
    }
    ssize_t n;
    do {
        n = sendmsg(fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    return n < 0 ? errno : 0;
}

static void on_poll(uv_poll_t *poll, int status, int events);

static void send_waiting(struct psst_key_client *kc)
{
    struct child *child = kc->child;
    if (child == NULL) return;
    int events = UV_READABLE;
    while (kc->waiting.first != NULL) {
        int failed = send_entry(child->fd, kc->waiting.first);
        if (failed == EPIPE || failed == ECONNRESET) break; /* it is gone: on_poll or on_child_exit will tell */
        if (failed == EAGAIN) {
            events |= UV_WRITABLE;
            break;
        }
        struct entry *e = queue_take(&kc->waiting);
        if (failed != 0) { /* such as a descriptor that is none */
            fail_later(kc, e, PSST_ERR_IO, "the request could not be handed to the key process");
            continue;
        }
        close_fds(e);
        queue_put(&kc->sent, e);
    }
    (void)uv_poll_start(&child->poll, events, on_poll);
}

/* ---- answers ---- */

static bool is_backup(enum psst_key_op op)
{
    return op == PSST_KEY_BACKUP_SEAL || op == PSST_KEY_BACKUP_OPEN || op == PSST_KEY_BACKUP_CHECK;
}

/* What an operation's good answer must hold. */
static bool complete(enum psst_key_op op, const struct psst_key_answer *a)
{
    if (a->err != PSST_OK) return a->secret.len == 0 && a->wrapped.len == 0;
    bool secret =
        op == PSST_KEY_DECAPSULATE || op == PSST_KEY_CREATE_STORE || op == PSST_KEY_OPEN_STORE || is_backup(op);
    bool wrapped = op == PSST_KEY_CREATE_STORE;
    bool spki = op == PSST_KEY_UNLOCK || op == PSST_KEY_GENERATE || op == PSST_KEY_IMPORT || op == PSST_KEY_CHANGE;
    return secret == (a->secret.len > 0) && wrapped == (a->wrapped.len > 0) && spki == (a->spki.len > 0);
}

static void hand_over(struct entry *e, const struct psst_key_answer *a)
{
    struct psst_key_reply reply = {
        .err = a->err, .diag = a->diag, .spki = a->spki, .wrapped = a->wrapped, .encrypted = a->encrypted};
    if (a->secret.len == PSST_KEY_LEN && e->op == PSST_KEY_DECAPSULATE)
        memcpy(reply.secret.b, a->secret.data, sizeof reply.secret.b);
    else if (a->secret.len == PSST_KEY_LEN && is_backup(e->op))
        memcpy(reply.backup_key.b, a->secret.data, sizeof reply.backup_key.b);
    else if (a->secret.len == PSST_KEY_LEN)
        memcpy(reply.store_key.b, a->secret.data, sizeof reply.store_key.b);
    finish(e, &reply);
    PSST_WIPE(reply);
}

/* False: this child talks nonsense. */
static bool take_message(struct psst_key_client *kc, struct psst_view message)
{
    struct psst_key_answer answer;
    struct entry *e = kc->sent.first;
    if (psst_key_answer_read(&answer, message) != PSST_OK) return false;
    if (e == NULL || answer.number != e->number) return false;
    if (answer.progress) {
        if (e->progress == NULL) return false;
        e->progress(e->ctx, answer.tried);
        return true;
    }
    if (!complete(e->op, &answer)) return false;
    hand_over(queue_take(&kc->sent), &answer);
    return true;
}

/* One message; false when there is none, or the child is lost. */
static bool receive(struct child *child)
{
    uint8_t message[PSST_KEY_MESSAGE_MAX];
    ssize_t n;
    do {
        /* without room for descriptors: it has none to give */
        n = recv(child->fd, message, sizeof message, MSG_DONTWAIT | MSG_TRUNC);
    } while (n < 0 && errno == EINTR);
    if (n < 0 && errno == EAGAIN) return false;
    if (n <= 0) {
        lost(child, n == 0 ? "end" : "error");
        return false;
    }
    struct psst_key_client *kc = child->kc;
    bool sense = (size_t)n <= sizeof message && take_message(kc, psst_view(message, (size_t)n));
    PSST_WIPE(message);
    if (kc->child != child) return false; /* what was called has closed the client */
    if (!sense) lost(child, "nonsense");
    return sense;
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct child *child = poll->data;
    struct psst_key_client *kc = child->kc;
    if (status < 0) {
        lost(child, "poll");
        return;
    }
    if ((events & UV_READABLE) != 0) {
        int turns = 16; /* then the loop's other business has its turn */
        while (turns-- > 0 && receive(child)) {
        }
    }
    if (kc->child == child && (events & UV_WRITABLE) != 0) send_waiting(kc);
}

/* ---- starting ---- */

static bool may_start(struct psst_key_client *kc)
{
    uint64_t now = uv_now(kc->loop);
    uint64_t *oldest = &kc->starts_ms[kc->n_starts % RESTARTS_MAX];
    if (kc->n_starts >= RESTARTS_MAX && now - *oldest < RESTART_WINDOW_MS) return false;
    *oldest = now;
    kc->n_starts++;
    return true;
}

/* Its own session, so that the terminal's signals pass it by; the socket as descriptor 3; hardly any environment. */
static int spawn(struct psst_key_client *kc, struct child *child, int socket)
{
    static char lang[] = "LANG=C.UTF-8";
    char *env[4] = {lang};
#ifdef PSST_SANITIZED
    static char asan[512];
    if (getenv("ASAN_OPTIONS") != NULL) {
        (void)snprintf(asan, sizeof asan, "ASAN_OPTIONS=%s", getenv("ASAN_OPTIONS"));
        env[1] = asan;
    }
#endif
    char *args[] = {kc->program, NULL};
    uv_stdio_container_t stdio[PSST_KEY_SOCKET + 1] = {
        {.flags = UV_IGNORE},
        {.flags = UV_IGNORE},
        {.flags = UV_INHERIT_FD, .data.fd = STDERR_FILENO},
        {.flags = UV_INHERIT_FD, .data.fd = socket},
    };
    const uv_process_options_t options = {
        .exit_cb = on_child_exit,
        .file = kc->program,
        .args = args,
        .env = env,
        .cwd = "/",
        .flags = UV_PROCESS_DETACHED,
        .stdio_count = PSST_KEY_SOCKET + 1,
        .stdio = stdio,
    };
    return uv_spawn(kc->loop, &child->process, &options);
}

static void start(struct psst_key_client *kc)
{
    if (kc->child != NULL || kc->closing || !may_start(kc)) return;
    struct child *child = calloc(1, sizeof *child);
    int pair[2];
    if (child == NULL) return;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
        free(child);
        return;
    }
    child->kc = kc;
    child->fd = pair[0];
    child->process.data = child->poll.data = child;
    int rc = uv_poll_init(kc->loop, &child->poll, child->fd);
    if (rc != 0) {
        (void)close(pair[0]);
        (void)close(pair[1]);
        free(child);
        return;
    }
    child->open_handles = 2;
    kc->open_handles += 2;
    rc = spawn(kc, child, pair[1]);
    (void)close(pair[1]);
    if (rc != 0) {
        psst_log(kc->log, PSST_LOG_ERROR, "key-process-start", "error=%s", uv_err_name(rc));
        uv_close((uv_handle_t *)&child->process, on_child_handle_closed);
        put_away(child);
        return;
    }
    child->running = true;
    kc->child = child;
    send_waiting(kc);
}

enum psst_err psst_key_client_new(struct psst_key_client **out, uv_loop_t *loop, const char *program,
                                  struct psst_log *log, void (*died)(void *ctx), void *ctx)
{
    struct psst_key_client *kc = calloc(1, sizeof *kc);
    char *name = strdup(program);
    if (kc == NULL || name == NULL) {
        free(kc);
        free(name);
        return PSST_ERR_MEMORY;
    }
    *kc = (struct psst_key_client){.loop = loop, .program = name, .log = log, .died = died, .ctx = ctx};
    queue_init(&kc->waiting);
    queue_init(&kc->sent);
    queue_init(&kc->failed);
    (void)uv_timer_init(loop, &kc->later); /* cannot fail */
    (void)uv_timer_init(loop, &kc->patience);
    kc->later.data = kc->patience.data = kc;
    kc->open_handles = 2;
    start(kc);
    *out = kc;
    return PSST_OK;
}

static void on_patience_over(uv_timer_t *timer)
{
    struct psst_key_client *kc = timer->data;
    if (kc->ending != NULL) (void)uv_process_kill(&kc->ending->process, SIGKILL);
}

void psst_key_client_close(struct psst_key_client *kc, void (*closed)(void *ctx), void *ctx)
{
    if (kc->closing) return;
    kc->closing = true;
    kc->closed = closed;
    kc->closed_ctx = ctx;
    fail_all_later(kc, "psstd is stopping");
    (void)uv_timer_start(&kc->later, on_later, 0, 0);
    struct child *child = kc->child;
    if (child == NULL) {
        close_timer(&kc->patience);
        return;
    }
    put_away(child); /* the end of its socket is what tells it to end */
    kc->ending = child;
    (void)uv_timer_start(&kc->patience, on_patience_over, CLOSE_PATIENCE_MS, 0);
}

/* ---- requests ---- */

static struct entry *entry_new(struct psst_key_client *kc, const struct psst_key_wish *wish)
{
    struct entry *e = calloc(1, sizeof *e);
    if (e == NULL) return NULL;
    struct psst_key_request request = wish->request;
    request.number = ++kc->last_number;
    struct psst_buf out;
    psst_buf_init(&out, sizeof e->message);
    psst_key_request_write(&out, &request);
    if (!out.failed) {
        memcpy(e->message, out.data, out.len);
        e->len = out.len;
    }
    psst_buf_fini(&out);
    e->number = request.number;
    e->op = request.op;
    memcpy(e->fds, wish->fds, sizeof e->fds);
    e->n_fds = wish->n_fds;
    e->progress = wish->progress;
    e->done = wish->done;
    e->ctx = wish->ctx;
    return e;
}

void psst_key_submit(struct psst_key_client *kc, const struct psst_key_wish *wish)
{
    struct entry *e = entry_new(kc, wish);
    if (e == NULL) { /* there is nothing to keep it in until later */
        const struct psst_key_reply reply = {.err = PSST_ERR_MEMORY};
        for (size_t i = 0; i < wish->n_fds; i++) (void)close(wish->fds[i]);
        wish->done(wish->ctx, &reply);
        return;
    }
    start(kc);
    if (kc->closing)
        fail_later(kc, e, PSST_ERR_IO, "psstd is stopping");
    else if (wish->refused != PSST_OK)
        fail_later(kc, e, wish->refused, wish->words);
    else if (e->len == 0)
        fail_later(kc, e, PSST_ERR_MEMORY, "out of memory");
    else if (kc->child == NULL)
        fail_later(kc, e, PSST_ERR_IO, "the key process cannot be started, or ends again and again: see psstd's log");
    else if (kc->waiting.n + kc->sent.n >= QUEUE_MAX)
        fail_later(kc, e, PSST_ERR_FULL, "too much waits for the key process");
    else {
        queue_put(&kc->waiting, e);
        send_waiting(kc);
    }
}
