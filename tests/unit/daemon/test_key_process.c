/* psst-key itself, without the client: what it gives up, what nonsense does to it, and when it ends. */
#include "daemon/key/protocol.h"
#include "key_bench.h"
#include "support/vectors.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 65534

struct process {
    pid_t pid;
    int socket;
};

/* As psstd starts it; drops to another uid when this is root, so that the kernel's answers mean something. */
static struct process start(void)
{
    struct process p;
    int pair[2];
    const char *program = getenv("PSST_KEY_PROGRAM");
    assert_non_null(program);
    int low = open(program, O_RDONLY | O_CLOEXEC);
    int exe = fcntl(low, F_DUPFD_CLOEXEC, PSST_KEY_SOCKET + 1); /* out of the socket's place */
    assert_true(exe > PSST_KEY_SOCKET);
    (void)close(low);
    assert_int_equal(0, socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair));
    p.pid = fork();
    if (p.pid == 0) {
        char *args[] = {(char *)(uintptr_t) "psst-key", NULL};
        char *env[] = {(char *)(uintptr_t) "LANG=C.UTF-8", NULL};
        if (dup2(pair[1], PSST_KEY_SOCKET) < 0) _exit(126);
        if (pair[1] == PSST_KEY_SOCKET) (void)fcntl(PSST_KEY_SOCKET, F_SETFD, 0);
        if (getuid() == 0 && (setgid(NOBODY) != 0 || setuid(NOBODY) != 0)) _exit(126);
        (void)fexecve(exe, args, env);
        _exit(127);
    }
    (void)close(exe);
    (void)close(pair[1]);
    p.socket = pair[0];
    return p;
}

/* Its exit status, 0 for a good end; or the number of the signal that killed it, plus 1000. */
static int wait_end(struct process *p)
{
    int status = 0;
    assert_int_equal(p->pid, waitpid(p->pid, &status, 0));
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static int end(struct process *p)
{
    (void)close(p->socket);
    return wait_end(p);
}

static void send_with(struct process *p, const void *bytes, size_t len, const int *fds, size_t n_fds)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int) * 16)];
    } control = {0};
    union {
        const void *in;
        void *out;
    } data = {.in = bytes};
    struct iovec iov = {.iov_base = data.out, .iov_len = len};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    if (n_fds > 0) {
        msg.msg_control = control.bytes;
        msg.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
        struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
        memcpy(CMSG_DATA(c), fds, sizeof(int) * n_fds);
    }
    assert_int_equal((ssize_t)len, sendmsg(p->socket, &msg, MSG_NOSIGNAL));
}

static void send_request(struct process *p, const struct psst_key_request *request, const int *fds, size_t n_fds)
{
    struct psst_buf out;
    psst_buf_init(&out, PSST_KEY_MESSAGE_MAX);
    psst_key_request_write(&out, request);
    send_with(p, out.data, out.len, fds, n_fds);
    psst_buf_fini(&out);
}

/* The answer to number, progress passed over. Its views are not kept. */
static enum psst_err answer_to(struct process *p, uint32_t number)
{
    uint8_t message[PSST_KEY_MESSAGE_MAX];
    struct psst_key_answer answer;
    do {
        ssize_t n = recv(p->socket, message, sizeof message, 0);
        assert_true(n > 0);
        assert_ok(psst_key_answer_read(&answer, psst_view(message, (size_t)n)));
        assert_int_equal(number, answer.number);
    } while (answer.progress);
    return answer.err;
}

static bool is_alive(struct process *p)
{
    const struct psst_key_request lock = {.number = 4711, .op = PSST_KEY_LOCK};
    send_request(p, &lock, NULL, 0);
    return answer_to(p, 4711) == PSST_OK;
}

static void nonsense__is_answered__and_does_no_harm(void **state)
{
    (void)state;
    struct process p = start();
    uint8_t bytes[3000] = {0, 0, 0, 77};
    memset(bytes + 4, 0xff, sizeof bytes - 4);
    static const size_t lengths[] = {4, 5, 8, 100, PSST_KEY_MESSAGE_MAX};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        send_with(&p, bytes, lengths[i], NULL, 0);
        assert_err(PSST_ERR_MALFORMED, answer_to(&p, 77));
    }
    send_with(&p, bytes, 1, NULL, 0); /* not even a number */
    assert_err(PSST_ERR_MALFORMED, answer_to(&p, 0));
    send_with(&p, bytes, sizeof bytes, NULL, 0); /* longer than any message */
    assert_err(PSST_ERR_MALFORMED, answer_to(&p, 0));
    assert_true(is_alive(&p));
    assert_int_equal(0, end(&p));
}

static void descriptors__must_be__as_many_as_announced(void **state)
{
    (void)state;
    struct process p = start();
    int fds[16];
    for (size_t i = 0; i < 16; i++) fds[i] = fd_with_text("x");
    const struct psst_key_request unlock = {.number = 1, .op = PSST_KEY_UNLOCK, .passphrase = {true}};
    const struct psst_key_request lock = {.number = 2, .op = PSST_KEY_LOCK};
    static const size_t wrong[] = {0, 1, 3, 4, 5, 16};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        send_request(&p, &unlock, fds, wrong[i]);
        /* more than there is room for: the message counts as none, and has no number */
        assert_err(PSST_ERR_MALFORMED, answer_to(&p, wrong[i] > PSST_KEY_FDS_MAX ? 0 : 1));
    }
    send_request(&p, &lock, fds, 1);
    assert_err(PSST_ERR_MALFORMED, answer_to(&p, 2));
    assert_true(is_alive(&p));
    for (size_t i = 0; i < 16; i++) (void)close(fds[i]);
    assert_int_equal(0, end(&p));
}

#ifndef PSST_SANITIZED
static void read_status(pid_t pid, const char *field, char *out, size_t max)
{
    char path[64], line[256];
    (void)snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *f = fopen(path, "re");
    assert_non_null(f);
    out[0] = '\0';
    while (fgets(line, sizeof line, f) != NULL) {
        if (strncmp(line, field, strlen(field)) == 0) (void)snprintf(out, max, "%s", line + strlen(field));
    }
    (void)fclose(f);
}
#endif

static void process__has_given_up__what_it_does_not_need(void **state)
{
    (void)state;
#ifdef PSST_SANITIZED
    skip(); /* the sanitizers need to look */
#else
    struct process p = start();
    assert_true(is_alive(&p)); /* so it is through with its start */
    char text[64], path[64];
    read_status(p.pid, "Seccomp:", text, sizeof text);
    assert_int_equal(2, strtol(text, NULL, 10)); /* a filter */
    read_status(p.pid, "NoNewPrivs:", text, sizeof text);
    assert_int_equal(1, strtol(text, NULL, 10));

    /* what is not dumpable belongs to root, whoever runs it: nobody of the same uid can look into its memory */
    struct stat st;
    (void)snprintf(path, sizeof path, "/proc/%d/mem", (int)p.pid);
    assert_int_equal(0, stat(path, &st));
    assert_int_equal(0, st.st_uid);
    read_status(p.pid, "Uid:", text, sizeof text);
    assert_int_not_equal(0, strtol(text, NULL, 10));

    for (int fd = PSST_KEY_SOCKET + 1; getuid() == 0 && fd < 64; fd++) {
        (void)snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)p.pid, fd);
        assert_int_equal(-1, lstat(path, &st));
    }
    assert_int_equal(0, end(&p));
#endif
}

static void process__stays__when_the_terminal_signals(void **state)
{
    (void)state;
    struct process p = start();
    assert_true(is_alive(&p));
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE};
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) assert_int_equal(0, kill(p.pid, signals[i]));
    assert_true(is_alive(&p));
    assert_int_equal(0, end(&p));
}

static void process__ends__with_its_socket(void **state)
{
    (void)state;
    struct process p = start();
    assert_int_equal(0, end(&p));
}

static void process__ends__with_its_socket_while_a_passphrase_is_awaited(void **state)
{
    (void)state;
    struct process p = start();
    int ends[2];
    assert_int_equal(0, pipe2(ends, O_CLOEXEC));
    const int fds[] = {fd_with(vectors_file("keys/a1024.pem")), ends[0]};
    const struct psst_key_request unlock = {.number = 1, .op = PSST_KEY_UNLOCK, .passphrase = {true}};
    send_request(&p, &unlock, fds, 2);
    assert_int_equal(0, end(&p));
    (void)close(fds[0]);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

static void process__ends__with_its_socket_while_a_key_is_made(void **state)
{
    (void)state;
    struct process p = start();
    const int file = fd_empty_file();
    const struct psst_key_request generate = {.number = 1, .op = PSST_KEY_GENERATE, .bits = 4096};
    send_request(&p, &generate, &file, 1);
    assert_int_equal(0, end(&p));
    (void)close(file);
}

static void a_large_key__is_made__inside_the_sandbox(void **state)
{
    (void)state;
    struct process p = start();
    const int fds[] = {fd_empty_file(), fd_with_text("a passphrase")};
    const struct psst_key_request generate = {.number = 5, .op = PSST_KEY_GENERATE, .passphrase = {true}, .bits = 2048};
    send_request(&p, &generate, fds, 2);
    assert_ok(answer_to(&p, 5));
    for (uint32_t i = 0; i < 20; i++) {
        const struct psst_key_request store = {.number = 100 + i, .op = PSST_KEY_CREATE_STORE};
        send_request(&p, &store, NULL, 0);
        assert_ok(answer_to(&p, 100 + i));
    }
    (void)close(fds[0]);
    (void)close(fds[1]);
    assert_int_equal(0, end(&p));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nonsense__is_answered__and_does_no_harm),
        cmocka_unit_test(descriptors__must_be__as_many_as_announced),
        cmocka_unit_test(process__has_given_up__what_it_does_not_need),
        cmocka_unit_test(process__stays__when_the_terminal_signals),
        cmocka_unit_test(process__ends__with_its_socket),
        cmocka_unit_test(process__ends__with_its_socket_while_a_passphrase_is_awaited),
        cmocka_unit_test(process__ends__with_its_socket_while_a_key_is_made),
        cmocka_unit_test(a_large_key__is_made__inside_the_sandbox),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
