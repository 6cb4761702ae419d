#include "cli/interrupts.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <unistd.h>

static const int caught[PSST_INTERRUPTS] = {SIGINT, SIGTERM, SIGHUP};
static int interrupts[2] = {-1, -1};

static void on_signal(int number)
{
    int keep = errno;
    uint8_t byte = (uint8_t)number;
    if (write(interrupts[1], &byte, 1) < 0) { /* full: one is there already */
    }
    errno = keep;
}

bool psst_interrupts_catch(struct psst_interrupts *was)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    if (pipe2(interrupts, O_CLOEXEC | O_NONBLOCK) != 0) return false;
    for (size_t i = 0; i < PSST_INTERRUPTS; i++) (void)sigaction(caught[i], &action, &was->old[i]);
    return true;
}

void psst_interrupts_release(const struct psst_interrupts *was)
{
    for (size_t i = 0; i < PSST_INTERRUPTS; i++) (void)sigaction(caught[i], &was->old[i], NULL);
    for (size_t i = 0; i < 2; i++) {
        (void)close(interrupts[i]);
        interrupts[i] = -1;
    }
}

static bool was_interrupted(void)
{
    uint8_t byte;
    return read(interrupts[0], &byte, 1) == 1;
}

unsigned psst_interrupts_wait(struct psst_client *client, bool enter, int timeout_ms)
{
    struct pollfd fds[3] = {{.fd = psst_client_fd(client), .events = POLLIN},
                            {.fd = interrupts[0], .events = POLLIN},
                            {.fd = enter ? STDIN_FILENO : -1, .events = POLLIN}};
    unsigned woke = 0;
    if (psst_client_wants_write(client)) fds[0].events |= POLLOUT;
    if (poll(fds, 3, timeout_ms) < 0) return 0;
    if (fds[1].revents != 0 && was_interrupted()) woke |= PSST_WOKE_INTERRUPT;
    if (fds[2].revents != 0) {
        char line[256];
        woke |= PSST_WOKE_ENTER;
        if (read(STDIN_FILENO, line, sizeof line) < 0) return woke;
    }
    if (fds[0].revents != 0) woke |= psst_client_turn(client) == PSST_OK ? PSST_WOKE_CLIENT : PSST_WOKE_GONE;
    return woke;
}
