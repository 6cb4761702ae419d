/* Where a passphrase comes from when nobody is there to type it: the setting passphrase_command. */
#include "daemon/identity.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define MINUTE_MS 60000

struct psst_passphrase_command {
    uv_process_t process;
    uv_timer_t timer;
    struct psst_passphrase_command **running;
    int handles;
};

static void on_closed(uv_handle_t *handle)
{
    struct psst_passphrase_command *command = handle->data;
    if (--command->handles == 0) free(command);
}

static void close_handles(struct psst_passphrase_command *command)
{
    if (command->running != NULL) *command->running = NULL;
    command->running = NULL;
    uv_close((uv_handle_t *)&command->process, on_closed);
    uv_close((uv_handle_t *)&command->timer, on_closed);
}

static void on_exit_of_it(uv_process_t *process, int64_t status, int signal)
{
    (void)status; /* psst-key tells whether what it printed opens the key */
    (void)signal;
    close_handles(process->data);
}

static void on_minute_over(uv_timer_t *timer)
{
    psst_passphrase_command_kill(timer->data);
}

void psst_passphrase_command_kill(struct psst_passphrase_command *command)
{
    if (command != NULL) (void)uv_process_kill(&command->process, SIGKILL);
}

static int spawn(struct psst_passphrase_command *command, uv_loop_t *loop, const char *line, int write_fd)
{
    char shell[] = "/bin/sh", dash_c[] = "-c";
    char *copy = strdup(line);
    if (copy == NULL) return UV_ENOMEM;
    char *args[] = {shell, dash_c, copy, NULL};
    uv_stdio_container_t stdio[3] = {
        {.flags = UV_IGNORE},
        {.flags = UV_INHERIT_FD, .data.fd = write_fd},
        {.flags = UV_INHERIT_FD, .data.fd = STDERR_FILENO},
    };
    const uv_process_options_t options = {
        .exit_cb = on_exit_of_it, .file = shell, .args = args, .stdio = stdio, .stdio_count = 3};
    int rc = uv_spawn(loop, &command->process, &options);
    free(copy);
    return rc;
}

enum psst_err psst_passphrase_command_run(struct psst_passphrase_command **running, uv_loop_t *loop, const char *line,
                                          int *read_fd, struct psst_diag *diag)
{
    int ends[2];
    struct psst_passphrase_command *command = calloc(1, sizeof *command);
    if (command == NULL) return psst_fail(diag, PSST_ERR_MEMORY, "out of memory");
    if (pipe2(ends, O_CLOEXEC) != 0) {
        free(command);
        return psst_fail(diag, PSST_ERR_IO, "cannot make a pipe for passphrase_command");
    }
    (void)uv_timer_init(loop, &command->timer);
    command->process.data = command->timer.data = command;
    command->handles = 2;
    int rc = spawn(command, loop, line, ends[1]);
    (void)close(ends[1]);
    if (rc != 0) {
        (void)close(ends[0]);
        close_handles(command);
        return psst_fail(diag, PSST_ERR_IO, "cannot run passphrase_command: %s", uv_strerror(rc));
    }
    command->running = running;
    *running = command;
    (void)uv_timer_start(&command->timer, on_minute_over, MINUTE_MS, 0);
    *read_fd = ends[0];
    return PSST_OK;
}
