#include "cli/prompt.h"

#include "base/secret.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <termios.h>
#include <unistd.h>

bool psst_prompt_possible(void)
{
    return isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}

/* Reads up to a line feed, byte by byte: what follows belongs to whoever reads next. -1: end of input; -2: a signal, of
 * those that are let through while it waits (NULL: as ever). */
static ssize_t read_line(char *out, size_t size, const sigset_t *waiting)
{
    size_t len = 0;
    for (;;) {
        char c;
        struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
        if (waiting != NULL && ppoll(&p, 1, NULL, waiting) < 0) return errno == EINTR ? -2 : -1;
        ssize_t n = read(STDIN_FILENO, &c, 1);
        if (n < 0 && errno == EINTR) return -2;
        if (n <= 0 && len == 0) return -1;
        if (n <= 0 || c == '\n') break;
        if (len < size) out[len] = c;
        len++;
    }
    return (ssize_t)len;
}

bool psst_prompt_line(const char *question, char *out, size_t size)
{
    ssize_t len;
    (void)fprintf(stderr, "%s", question);
    (void)fflush(stderr);
    do {
        len = read_line(out, size - 1, NULL);
    } while (len == -2);
    if (len < 0 || (size_t)len > size - 1) return false;
    out[len] = '\0';
    return true;
}

bool psst_prompt_yes(const char *question)
{
    char answer[16], whole[512];
    (void)snprintf(whole, sizeof whole, "%s [y/N] ", question);
    if (!psst_prompt_line(whole, answer, sizeof answer)) return false;
    return strcasecmp(answer, "y") == 0 || strcasecmp(answer, "yes") == 0;
}

/* ---- without echo ---- */

static volatile sig_atomic_t caught;

static void on_signal(int signal_number)
{
    caught = signal_number;
}

static const int watched[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
#define WATCHED (sizeof watched / sizeof watched[0])

bool psst_prompt_passphrase(const char *question, struct psst_passphrase *out)
{
    struct termios before, quiet;
    struct sigaction action = {.sa_handler = on_signal}, old[WATCHED];
    struct psst_passphrase pass = {.len = 0};
    bool terminal = tcgetattr(STDIN_FILENO, &before) == 0;
    sigset_t held, usual;
    caught = 0;
    (void)sigemptyset(&held);
    for (size_t i = 0; i < WATCHED; i++) {
        (void)sigaction(watched[i], &action, &old[i]);
        (void)sigaddset(&held, watched[i]);
    }
    /* they come through only where they end the waiting: one that came just before it would be lost */
    (void)sigprocmask(SIG_BLOCK, &held, &usual);
    if (terminal) {
        quiet = before;
        quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
        (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
    }
    (void)fprintf(stderr, "%s", question);
    (void)fflush(stderr);
    ssize_t len;
    do {
        len = read_line(pass.text, PSST_PASSPHRASE_MAX, &usual);
    } while (len == -2 && caught == 0);
    if (terminal) (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    (void)fprintf(stderr, "\n");
    (void)sigprocmask(SIG_SETMASK, &usual, NULL);
    for (size_t i = 0; i < WATCHED; i++) (void)sigaction(watched[i], &old[i], NULL);
    if (caught != 0) {
        psst_passphrase_wipe(&pass);
        (void)raise(caught);
    }
    bool good = len >= 0 && len <= PSST_PASSPHRASE_MAX;
    if (good) {
        pass.len = (size_t)len;
        *out = pass;
    } else if (len > PSST_PASSPHRASE_MAX) {
        (void)fprintf(stderr, "A passphrase has at most %d bytes.\n", PSST_PASSPHRASE_MAX);
    }
    psst_passphrase_wipe(&pass);
    return good;
}

bool psst_prompt_new_passphrase(const char *question, struct psst_passphrase *out)
{
    for (;;) {
        struct psst_passphrase again;
        if (!psst_prompt_passphrase(question, out)) return false;
        if (out->len == 0) {
            if (psst_prompt_yes("Really none? Then whoever gets the file has your key.")) return true;
            continue;
        }
        if (!psst_prompt_passphrase("The same once more: ", &again)) {
            psst_passphrase_wipe(out);
            return false;
        }
        bool same = out->len == again.len && memcmp(out->text, again.text, out->len) == 0;
        psst_passphrase_wipe(&again);
        if (same) return true;
        psst_passphrase_wipe(out);
        (void)fprintf(stderr, "The two are not the same.\n");
    }
}
