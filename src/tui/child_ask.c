/* Verbs that ask the person: on the whole terminal, which the loop lends them. */
#include "client/out.h"
#include "tui/child.h"
#include "tui/lent.h"
#include "tui/screen.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

/* It has ended. */
static void wait_for_child(struct psst_app *app, pid_t pid)
{
    int status, process = pidfd_open(pid, 0);
    if (process >= 0) {
        (void)psst_lent_wait(app, (const int[2]){process, -1}, true);
        (void)close(process);
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
}

static void wait_for_enter(struct psst_app *app)
{
    char c = 0;
    (void)printf("\nEnter goes back. ");
    (void)fflush(stdout);
    while (psst_lent_wait(app, (const int[2]){STDIN_FILENO, -1}, true) == 0) {
        ssize_t n = read(STDIN_FILENO, &c, 1);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0 || c == '\n') return;
    }
}

void psst_child_ask(struct psst_app *app, char *const *words)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN}, interrupt, quit;
    psst_screen_lend();
    (void)printf("\n-- psst");
    for (char *const *word = words; *word != NULL; word++) (void)printf(" %s", psst_out_text(*word, 200));
    (void)printf("\n\n");
    (void)fflush(stdout);
    (void)sigaction(SIGINT, &ignore, &interrupt); /* they are the child's */
    (void)sigaction(SIGQUIT, &ignore, &quit);
    pid_t pid = psst_child_start(app, words, -1, -1);
    if (pid > 0) {
        wait_for_child(app, pid);
        wait_for_enter(app);
    }
    (void)sigaction(SIGINT, &interrupt, NULL);
    (void)sigaction(SIGQUIT, &quit, NULL);
    psst_screen_back();
    psst_app_dirty(app, PSST_DIRTY_ALL);
}
