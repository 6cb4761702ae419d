#include "tui/lent.h"

#include <errno.h>
#include <poll.h>

int psst_lent_wait(struct psst_app *app, const int fds[2], bool whatever)
{
    for (;;) {
        struct pollfd polled[3] = {{.fd = fds[0], .events = POLLIN},
                                   {.fd = fds[1], .events = POLLIN},
                                   {.fd = app->gone ? -1 : psst_client_fd(app->client), .events = POLLIN}};
        if (!app->gone && psst_client_wants_write(app->client)) polled[2].events |= POLLOUT;
        if (poll(polled, 3, app->gone ? -1 : psst_notify_due_ms(app)) < 0) {
            if (errno == EINTR) continue;
            return -1;
        }
        if (polled[2].revents != 0 && psst_client_turn(app->client) != PSST_OK) app->gone = true;
        if (!app->gone) psst_notify_turn(app);
        for (int i = 0; i < 2; i++)
            if (polled[i].revents != 0) return i;
        if (!whatever && (app->gone || psst_model_self(app->model)->locked)) return -1;
    }
}
