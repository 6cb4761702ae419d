/* psst up, down: psstd in the background, and its end. */
#include "cli/cli.h"
#include "client/out.h"
#include "ipc/lockfile.h"

#include <poll.h>
#include <sys/pidfd.h>
#include <unistd.h>

#define LISTEN_MAX 16
#define DOWN_MS    15000

/* ---- up ---- */

/* psstd runs already: the new addresses hold from now on. */
static int set_listen(struct psst_cli *cli, const char *const *listen)
{
    char value[4096] = "";
    int code = PSST_EXIT_DONE;
    for (size_t i = 0; listen[i] != NULL; i++) {
        size_t len = strlen(value);
        int n = snprintf(value + len, sizeof value - len, "%s%s", len > 0 ? " " : "", listen[i]);
        if (n < 0 || (size_t)n >= sizeof value - len) return psst_cli_usage(cli, "the addresses are too long");
    }
    json_t *params = json_pack("{s:s, s:o}", "key", "listen", "value", psst_rpc_text(value));
    json_decref(psst_cli_call(cli, "set", params, &code));
    return code;
}

/* It runs, and could not listen when it wanted to: tries once more, and so learns why not. */
static int listen_again(struct psst_cli *cli)
{
    int code = PSST_EXIT_DONE;
    json_t *status = psst_cli_call(cli, "status", NULL, &code);
    bool deaf =
        json_is_object(json_object_get(status, "identity")) && json_array_size(json_object_get(status, "listen")) == 0;
    json_t *settings = deaf ? psst_cli_call(cli, "settings", NULL, &code) : NULL;
    const char *value = json_string_value(json_object_get(settings, "listen"));
    const char *const listen[] = {value, NULL};
    if (value != NULL) code = set_listen(cli, listen);
    json_decref(settings);
    json_decref(status);
    return code;
}

static int tell(struct psst_cli *cli)
{
    int code = PSST_EXIT_DONE;
    json_t *status = psst_cli_call(cli, "status", NULL, &code);
    if (status == NULL) return code;
    const json_t *listen = json_object_get(status, "listen");
    const json_t *identity = json_object_get(status, "identity");
    (void)printf("psstd is up (process %lld)", psst_out_int(status, "pid"));
    for (size_t i = 0; i < json_array_size(listen); i++)
        (void)printf("%s%s", i == 0 ? ", listening on " : " and ",
                     psst_out_text(json_string_value(json_array_get(listen, i)), 80));
    (void)printf("\n");
    if (!json_is_object(identity))
        (void)printf("There is no identity yet, so it does not listen: psst init\n");
    else if (psst_out_bool(identity, "locked"))
        (void)printf("The identity is locked: psst unlock\n");
    const json_t *history = json_object_get(status, "history");
    if (json_is_object(history)) psst_cli_warn("%s", psst_out_string(history, "words"));
    json_decref(status);
    return PSST_EXIT_DONE;
}

static int run_up(struct psst_cli *cli, int argc, char **argv)
{
    static const struct option table[] = {{"listen", required_argument, NULL, 'l'}, {NULL, 0, NULL, 0}};
    const char *listen[LISTEN_MAX + 1] = {NULL};
    size_t n = 0;
    int opt, code = PSST_EXIT_DONE;
    while ((opt = getopt_long(argc, argv, ":", table, NULL)) != -1) {
        if (opt != 'l') return psst_cli_bad_option(cli, argv);
        if (n == LISTEN_MAX) return psst_cli_usage(cli, "at most %d addresses", LISTEN_MAX);
        listen[n++] = optarg;
    }
    if (!psst_cli_args(cli, argc, 0, 0, &code)) return code;
    struct psst_failure failure;
    bool runs = psst_client_open(&cli->client, &cli->paths, NULL, &failure) == PSST_OK;
    if (!runs && strcmp(failure.name, "no-daemon") != 0) return psst_cli_fail(&failure);
    const struct psst_client_start start = {n > 0 ? listen : NULL};
    if (!runs && psst_client_open(&cli->client, &cli->paths, &start, &failure) != PSST_OK)
        return psst_cli_fail(&failure);
    if (runs) code = n > 0 ? set_listen(cli, listen) : listen_again(cli);
    return code == PSST_EXIT_DONE ? tell(cli) : code;
}

const struct psst_verb psst_verb_up = {
    "up",
    "up [--listen ADDR:PORT]...",
    "start psstd, and return when it listens",
    "psstd holds your sessions and listens for your contacts; any verb that needs it\n"
    "starts it as well. It goes on in the background until psst down.\n"
    "\n"
    "  --listen ADDR:PORT   listen there and nowhere else, such as 0.0.0.0:4516 or\n"
    "                       [::1]:4516 (several are allowed). Kept in the settings;\n"
    "                       also holds for a psstd that runs already\n",
    PSST_VERB_ALONE,
    PSST_SCREEN_NOT,
    run_up,
};

/* ---- down ---- */

/* A descriptor that becomes readable when psstd's process has ended, also where nobody has asked for its exit code yet; -1:
 * none runs. */
static int process_of(const struct psst_cli *cli)
{
    pid_t pid = 0;
    return psst_lockfile_held(cli->paths.lock, &pid) && pid > 0 ? pidfd_open(pid, 0) : -1;
}

/* Its last words are read until its socket closes; then its process must end. */
static bool wait_for_the_end(struct psst_cli *cli, int process)
{
    uint64_t deadline = psst_client_now_ms() + DOWN_MS, now;
    bool gone = false;
    while (!gone && (now = psst_client_now_ms()) < deadline)
        gone = psst_client_wait(cli->client, (int)(deadline - now)) == PSST_ERR_IO;
    now = psst_client_now_ms();
    struct pollfd end = {.fd = process, .events = POLLIN};
    return process < 0 || poll(&end, 1, now < deadline ? (int)(deadline - now) : 0) == 1;
}

static int run_down(struct psst_cli *cli, int argc, char **argv)
{
    static const struct option no_options[] = {{NULL, 0, NULL, 0}};
    int code = PSST_EXIT_DONE;
    if (getopt_long(argc, argv, ":", no_options, NULL) != -1) return psst_cli_bad_option(cli, argv);
    if (!psst_cli_args(cli, argc, 0, 0, &code)) return code;
    struct psst_failure failure;
    enum psst_err err = psst_client_open(&cli->client, &cli->paths, NULL, &failure);
    if (err == PSST_ERR_NOT_FOUND) {
        (void)printf("psstd is not running\n");
        return PSST_EXIT_DONE;
    }
    if (err != PSST_OK) return psst_cli_fail(&failure);
    int process = process_of(cli);
    json_t *answer = psst_cli_try(cli, "shutdown", NULL, &failure);
    bool ended = answer != NULL && wait_for_the_end(cli, process);
    if (process >= 0) (void)close(process);
    if (answer == NULL) return psst_cli_fail(&failure);
    json_decref(answer);
    if (!ended) return psst_cli_error(PSST_EXIT_FAILED, "psstd does not end; see its log");
    (void)printf("psstd has ended\n");
    return PSST_EXIT_DONE;
}

const struct psst_verb psst_verb_down = {
    "down",
    "down",
    "end psstd, and return when it is gone",
    "Tells everybody in a session, stores everything, and ends. What waits to be sent\n"
    "is kept.\n",
    PSST_VERB_ALONE,
    PSST_SCREEN_SHOWN,
    run_down,
};
