/* Questions to a person, at a terminal that the test plays: the other end of a pseudo-terminal. */
#include "support/check.h"

#include "cli/prompt.h"

#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define PATIENCE_MS 20000 /* only guards against a hang */

struct terminal {
    int fd;
    pid_t child;
    char seen[4096]; /* everything that the terminal has shown */
    size_t len;
};

static void open_terminal(struct terminal *t, void (*child)(void))
{
    *t = (struct terminal){0};
    (void)fflush(NULL);
    t->child = forkpty(&t->fd, NULL, NULL, NULL);
    assert_true(t->child >= 0);
    if (t->child > 0) return;
    child();
    (void)fflush(NULL);
    _exit(0);
}

/* Reads until words were shown n times; false: the end came first. */
static bool wait_for(struct terminal *t, const char *words, int n)
{
    for (;;) {
        int found = 0;
        for (const char *at = strstr(t->seen, words); at != NULL; at = strstr(at + 1, words)) found++;
        if (found >= n) return true;
        struct pollfd p = {.fd = t->fd, .events = POLLIN};
        if (poll(&p, 1, PATIENCE_MS) != 1) fail_msg("waited in vain for: %s; seen: %s", words, t->seen);
        ssize_t got = read(t->fd, t->seen + t->len, sizeof t->seen - 1 - t->len);
        if (got <= 0) return false; /* EIO: nobody has the terminal open any more */
        t->len += (size_t)got;
    }
}

static void type(struct terminal *t, const char *keys)
{
    assert_int_equal(strlen(keys), write(t->fd, keys, strlen(keys)));
}

/* Gives the wait status. */
static int end_of(struct terminal *t)
{
    int status = 0;
    (void)wait_for(t, "\x01never", 1);
    assert_int_equal(t->child, waitpid(t->child, &status, 0));
    (void)close(t->fd);
    return status;
}

static void say_echo(void)
{
    struct termios now;
    (void)printf("echo %s\n", tcgetattr(STDIN_FILENO, &now) == 0 && (now.c_lflag & ECHO) != 0 ? "on" : "off");
}

static void ask_passphrase(void)
{
    struct psst_passphrase pass;
    bool got = psst_prompt_passphrase("Passphrase: ", &pass);
    (void)printf("got %d, %zu bytes, %s\n", got, got ? pass.len : 0,
                 got && strcmp(pass.text, "open sesame") == 0 ? "right" : "wrong");
    say_echo();
}

static void passphrase__typed__is_not_shown_and_echo_comes_back(void **state)
{
    (void)state;
    struct terminal t;
    open_terminal(&t, ask_passphrase);
    assert_true(wait_for(&t, "Passphrase: ", 1));
    type(&t, "open sesame\n");
    assert_true(wait_for(&t, "echo on", 1));
    assert_non_null(strstr(t.seen, "got 1, 11 bytes, right"));
    assert_null(strstr(t.seen, "sesame"));
    assert_int_equal(0, end_of(&t));
}

static void passphrase__interrupted__restores_the_terminal_and_ends(void **state)
{
    (void)state;
    struct terminal t;
    struct termios now;
    open_terminal(&t, ask_passphrase);
    assert_true(wait_for(&t, "Passphrase: ", 1));
    type(&t, "open\x03");
    int status = 0;
    assert_int_equal(t.child, waitpid(t.child, &status, 0));
    assert_true(WIFSIGNALED(status));
    assert_int_equal(SIGINT, WTERMSIG(status));
    assert_int_equal(0, tcgetattr(t.fd, &now));
    assert_true((now.c_lflag & ECHO) != 0);
    (void)close(t.fd);
}

static void passphrase__end_of_input__is_none(void **state)
{
    (void)state;
    struct terminal t;
    open_terminal(&t, ask_passphrase);
    assert_true(wait_for(&t, "Passphrase: ", 1));
    type(&t, "\x04");
    assert_true(wait_for(&t, "got 0", 1));
    assert_int_equal(0, end_of(&t));
}

static void ask_new(void)
{
    struct psst_passphrase pass;
    bool got = psst_prompt_new_passphrase("New: ", &pass);
    (void)printf("got %d, %zu bytes\n", got, got ? pass.len : 0);
}

static void new_passphrase__twice_the_same__or_asked_again(void **state)
{
    (void)state;
    struct terminal t;
    open_terminal(&t, ask_new);
    assert_true(wait_for(&t, "New: ", 1));
    type(&t, "one\n");
    assert_true(wait_for(&t, "once more: ", 1));
    type(&t, "two\n");
    assert_true(wait_for(&t, "not the same", 1));
    assert_true(wait_for(&t, "New: ", 2));
    type(&t, "three\n");
    assert_true(wait_for(&t, "once more: ", 2));
    type(&t, "three\n");
    assert_true(wait_for(&t, "got 1, 5 bytes", 1));
    assert_int_equal(0, end_of(&t));
}

static void new_passphrase__empty__only_after_really(void **state)
{
    (void)state;
    struct terminal t;
    open_terminal(&t, ask_new);
    assert_true(wait_for(&t, "New: ", 1));
    type(&t, "\n");
    assert_true(wait_for(&t, "Really none?", 1));
    assert_true(wait_for(&t, "[y/N] ", 1));
    type(&t, "\n");
    assert_true(wait_for(&t, "New: ", 2));
    type(&t, "\n");
    assert_true(wait_for(&t, "[y/N] ", 2));
    type(&t, "yes\n");
    assert_true(wait_for(&t, "got 1, 0 bytes", 1));
    assert_int_equal(0, end_of(&t));
}

static void ask_yes(void)
{
    (void)printf("possible %d\n", psst_prompt_possible());
    for (int i = 0; i < 6; i++) (void)printf("answer %d: %d\n", i, psst_prompt_yes("Well?"));
}

static void yes__only_y_or_yes__is_one(void **state)
{
    (void)state;
    static const char *const answers[] = {"y\n", "YES\n", "\n", "no\n", "yellow\n", "\x04"};
    struct terminal t;
    open_terminal(&t, ask_yes);
    for (int i = 0; i < 6; i++) {
        assert_true(wait_for(&t, "[y/N] ", i + 1));
        type(&t, answers[i]);
    }
    (void)end_of(&t);
    static const char want[] = "110000";
    assert_non_null(strstr(t.seen, "possible 1"));
    for (int i = 0; i < 6; i++) {
        char line[32];
        (void)snprintf(line, sizeof line, "answer %d: %c", i, want[i]);
        if (strstr(t.seen, line) == NULL) fail_msg("not seen: %s in %s", line, t.seen);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passphrase__typed__is_not_shown_and_echo_comes_back),
        cmocka_unit_test(passphrase__interrupted__restores_the_terminal_and_ends),
        cmocka_unit_test(passphrase__end_of_input__is_none),
        cmocka_unit_test(new_passphrase__twice_the_same__or_asked_again),
        cmocka_unit_test(new_passphrase__empty__only_after_really),
        cmocka_unit_test(yes__only_y_or_yes__is_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
