/* Verbs that ask the person: on the whole terminal, which the loop lends them. */
#include "client/out.h"
#include "tui/child.h"
#include "tui/screen.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static void wait_for_enter(void)
{
    char c = 0;
    (void)printf("\nEnter goes back. ");
    (void)fflush(stdout);
    for (;;) {
        ssize_t n = read(STDIN_FILENO, &c, 1);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0 || c == '\n') return;
    }
}

void psst_child_ask(struct psst_app *app, char *const *words)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN}, interrupt, quit;
    int status = 0;
    psst_screen_lend();
    (void)printf("\n-- psst");
    for (char *const *word = words; *word != NULL; word++) (void)printf(" %s", psst_out_text(*word, 200));
    (void)printf("\n\n");
    (void)fflush(stdout);
    (void)sigaction(SIGINT, &ignore, &interrupt); /* they are the child's */
    (void)sigaction(SIGQUIT, &ignore, &quit);
    pid_t pid = psst_child_start(app, words, -1, -1);
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (pid > 0) wait_for_enter();
    (void)sigaction(SIGINT, &interrupt, NULL);
    (void)sigaction(SIGQUIT, &quit, NULL);
    psst_screen_back();
    psst_app_dirty(app, PSST_DIRTY_ALL);
}
