/* psst log: what was said, and with -f what is being said. */
#include "cli/cli.h"
#include "cli/event_note.h"
#include "cli/gutter.h"
#include "cli/history.h"

#include <stdlib.h>
#include <strings.h>

#define SHOW_DEFAULT 50
#define SHOW_MAX     10000000

struct log {
    struct psst_cli *cli;
    const char *name;
    struct psst_gutter gutter;
    struct psst_shown shown;
    bool as_json, replay; /* replay: the history is printed, events wait */
    long long last_seq;
    json_t *waiting; /* messages that came while the history was printed */
};

static void print(struct log *log, const json_t *message)
{
    if (psst_out_int(message, "seq") <= log->last_seq) return;
    log->last_seq = psst_out_int(message, "seq");
    if (log->as_json && psst_out_bool(message, "damaged")) {
        psst_cli_warn("cannot be read, the history is damaged: %s", psst_out_string(message, "words"));
        return;
    }
    if (log->as_json) {
        psst_out_json(message);
        (void)fflush(stdout);
    } else {
        psst_gutter_message(&log->gutter, message);
    }
    psst_shown_note(&log->shown, message);
}

static void on_event(void *ctx, const char *event, json_t *params)
{
    struct log *log = ctx;
    if (strcasecmp(psst_out_string(params, "contact"), log->name) != 0) return;
    if (strcmp(event, "message") == 0) {
        if (log->replay)
            (void)json_array_append(log->waiting, params);
        else
            print(log, params);
    } else if (strcmp(event, "message.state") == 0 && !log->as_json && !log->replay) {
        if (strcmp(psst_out_string(params, "state"), "refused") == 0)
            psst_gutter_note(&log->gutter, "not accepted: %s", psst_out_string(params, "reason"));
    } else if (strcmp(event, "session") == 0 && !log->as_json && !log->replay) {
        const char *reason = psst_out_string(params, "reason");
        bool up = strcmp(psst_out_string(params, "state"), "up") == 0;
        psst_gutter_note(&log->gutter, "%s", up ? "in session" : reason[0] != '\0' ? reason : "the session has ended");
    } else if (!log->as_json && !log->replay) {
        (void)psst_event_note(&log->gutter, event, params);
    }
}

static int follow(struct log *log)
{
    log->replay = false;
    for (size_t i = 0; i < json_array_size(log->waiting); i++) print(log, json_array_get(log->waiting, i));
    for (;;) {
        if (ferror(stdout)) return PSST_EXIT_FAILED;
        if (!psst_shown_mark(log->cli, log->name, &log->shown) ||
            psst_client_wait(log->cli->client, PSST_CLIENT_FOREVER) == PSST_ERR_IO)
            return psst_cli_error(PSST_EXIT_LOCKED, "psstd has ended");
    }
}

static int subscribe(struct log *log)
{
    int code = PSST_EXIT_DONE;
    json_t *events = json_pack("{s:[s,s,s,s,s]}", "events", "message", "message.state", "session", "presence", "meet");
    json_t *result = psst_cli_call(log->cli, "subscribe", events, &code);
    json_decref(result);
    if (result != NULL) psst_client_on_event(log->cli->client, on_event, log);
    return code;
}

static int show(struct log *log, long long n, bool follows)
{
    int code = follows ? subscribe(log) : PSST_EXIT_DONE;
    json_t *history = code == PSST_EXIT_DONE ? psst_history_last(log->cli, log->name, n, &code) : NULL;
    if (history == NULL) return code;
    for (size_t i = 0; i < json_array_size(history); i++) print(log, json_array_get(history, i));
    bool marked = fflush(stdout) == 0 && psst_shown_mark(log->cli, log->name, &log->shown);
    json_decref(history);
    if (!log->as_json) psst_event_note_meets(log->cli, &log->gutter, log->name);
    if (follows) return follow(log);
    return marked ? PSST_EXIT_DONE : psst_cli_error(PSST_EXIT_FAILED, "the messages stay marked as new");
}

static int run(struct psst_cli *cli, int argc, char **argv)
{
    static const struct option table[] = {{"follow", no_argument, NULL, 'f'},
                                          {"lines", required_argument, NULL, 'n'},
                                          {"json", no_argument, NULL, 'j'},
                                          {NULL, 0, NULL, 0}};
    struct log log = {.cli = cli, .replay = true};
    long long n = SHOW_DEFAULT;
    bool follows = false;
    int opt, code = PSST_EXIT_DONE;
    while ((opt = getopt_long(argc, argv, ":fn:", table, NULL)) != -1) {
        switch (opt) {
        case 'f': follows = true; break;
        case 'j': log.as_json = true; break;
        case 'n':
            if (!psst_cli_number(optarg, 0, SHOW_MAX, &n)) return psst_cli_usage(cli, "-n takes a number");
            break;
        default: return psst_cli_bad_option(cli, argv);
        }
    }
    if (!psst_cli_args(cli, argc, 1, 1, &code)) return code;
    log.name = argv[optind];
    log.waiting = json_array();
    psst_gutter_init(&log.gutter, stdout, log.name);
    code = show(&log, n, follows);
    if (cli->client != NULL) psst_client_on_event(cli->client, NULL, NULL);
    json_decref(log.waiting);
    return code;
}

const struct psst_verb psst_verb_log = {
    "log",
    "log NAME [-f] [-n N] [--json]",
    "what was said with a contact",
    "The last messages, oldest first; new ones are marked as shown by it. Each line\n"
    "of a message stands behind a gutter |, which no message can imitate; lines that\n"
    "begin with -- are psst's own. In front: ~ it waits, > sent and not acknowledged,\n"
    "+ read, ! not accepted, x taken back; a delivered one has no mark.\n"
    "\n"
    "  -f       go on with what is said from now on, until interrupted\n"
    "  -n N     the last N messages; the default is 50\n"
    "  --json   one object a line: id, seq, contact, time, time_ms, direction, state,\n"
    "           text\n",
    PSST_VERB_DAEMON,
    run,
};

static int run_check(struct psst_cli *cli, int argc, char **argv)
{
    static const struct option no_options[] = {{NULL, 0, NULL, 0}};
    int code = PSST_EXIT_DONE;
    if (getopt_long(argc, argv, ":", no_options, NULL) != -1) return psst_cli_bad_option(cli, argv);
    if (!psst_cli_args(cli, argc, 0, 0, &code)) return code;
    json_t *result = psst_cli_call(cli, "check", NULL, &code);
    if (result != NULL) (void)printf("the history is sound\n");
    json_decref(result);
    return code;
}

const struct psst_verb psst_verb_check = {
    "check",
    "check",
    "read the whole history: is it sound?",
    "Reads and authenticates every page of the history and compares its indices. What\n"
    "is found to be damaged is named. Messages wait meanwhile: some seconds for a\n"
    "million of them.\n",
    PSST_VERB_DAEMON,
    run_check,
};
