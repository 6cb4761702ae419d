/* psst log: what was said, and with -f what is being said; a piece of it, what is found in it, and all of it into a file. */
#include "cli/cli.h"
#include "cli/event_note.h"
#include "cli/export.h"
#include "cli/gutter.h"
#include "cli/history.h"
#include "cli/print.h"
#include "client/call_words.h"
#include "client/past.h"

#include <limits.h>
#include <stdlib.h>
#include <strings.h>

#define SHOW_DEFAULT 50
#define SHOW_MAX     100000000

struct log {
    struct psst_cli *cli;
    struct psst_history what;
    FILE *f;
    struct psst_gutter gutter;
    char contact[80]; /* whose messages the gutter shows */
    struct psst_shown shown;
    bool as_json, replay; /* replay: the history is printed, events wait */
    long long last_seq, printed;
    json_t *waiting; /* messages that came while the history was printed */
    enum { CALLS_NOT, CALLS_WANTED, CALLS_FETCHED } tells_calls;
    json_t *calls; /* to be told of between the messages, the oldest at the end; NULL: none */
};

struct options {
    struct psst_history what;
    const char *file; /* NULL: none is written */
    bool as_json, follows, replace, has_n;
};

/* ---- printing ---- */

/* One gutter for each contact in turn: a line says where another one begins. */
static void turn_to(struct log *log, const json_t *message)
{
    const char *name = psst_out_string(message, "contact");
    if (log->what.name != NULL || name[0] == '\0' || strcmp(log->contact, name) == 0) return;
    (void)snprintf(log->contact, sizeof log->contact, "%s", name);
    psst_gutter_init(&log->gutter, log->f, name);
    psst_gutter_note(&log->gutter, "with %s", name);
}

/* Not before psstd has given a message: then it is unlocked. Of a history that is damaged there are none. */
static void fetch_calls(struct log *log)
{
    struct psst_failure failure;
    if (log->tells_calls != CALLS_WANTED) return;
    log->tells_calls = CALLS_FETCHED;
    json_t *params = psst_rpc_name(log->what.name);
    (void)json_object_set_new(params, "limit", json_integer(SHOW_DEFAULT));
    json_t *answer = psst_cli_try(log->cli, "calls", params, &failure);
    log->calls = json_incref(json_object_get(answer, "calls"));
    json_decref(answer);
}

/* Those that began before then; what lies before the first message is told only when it is new. */
static void print_calls(struct log *log, long long until_ms)
{
    size_t n;
    while ((n = json_array_size(log->calls)) > 0) {
        char when[64], words[PSST_CALL_WORDS];
        const json_t *call = json_array_get(log->calls, n - 1);
        long long began = psst_out_int(call, "began");
        if (began >= until_ms) return;
        bool behind = log->printed > 0 || until_ms == LLONG_MAX || json_is_false(json_object_get(call, "seen"));
        if (behind && psst_out_int(call, "ended") > 0)
            psst_gutter_note(&log->gutter, "%s %s", psst_out_time(when, began, "%Y-%m-%d %H:%M"),
                             psst_call_line(words, call));
        (void)json_array_remove(log->calls, n - 1);
    }
}

static void print(struct log *log, const json_t *message)
{
    if (psst_out_int(message, "seq") <= log->last_seq) return;
    fetch_calls(log);
    print_calls(log, psst_out_int(message, "time_ms"));
    log->last_seq = psst_out_int(message, "seq");
    if (log->as_json && psst_out_bool(message, "damaged")) {
        psst_cli_warn("cannot be read, the history is damaged: %s", psst_out_string(message, "words"));
        return;
    }
    log->printed++;
    if (log->as_json) {
        psst_out_json_to(log->f, message);
        if (!log->gutter.buffered) (void)fflush(log->f);
    } else {
        turn_to(log, message);
        psst_gutter_message(&log->gutter, message);
    }
    psst_shown_note(&log->shown, message);
}

static bool print_each(void *ctx, const json_t *message)
{
    struct log *log = ctx;
    print(log, message);
    return !ferror(log->f);
}

static void on_event(void *ctx, const char *event, json_t *params)
{
    struct log *log = ctx;
    if (strcmp(event, "call") == 0) {
        bool over = strcmp(psst_out_string(params, "state"), "ended") == 0;
        if (!log->as_json && !log->replay && over && strcasecmp(psst_out_string(params, "name"), log->what.name) == 0)
            psst_event_note_call(&log->gutter, params, false);
        return;
    }
    if (strcasecmp(psst_out_string(params, "contact"), log->what.name) != 0) return;
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
        if (!psst_shown_mark(log->cli, log->what.name, &log->shown) ||
            psst_client_wait(log->cli->client, PSST_CLIENT_FOREVER) == PSST_ERR_IO)
            return psst_cli_error(PSST_EXIT_LOCKED, "psstd has ended");
    }
}

static int subscribe(struct log *log)
{
    int code = PSST_EXIT_DONE;
    json_t *events =
        json_pack("{s:[s,s,s,s,s,s]}", "events", "message", "message.state", "session", "presence", "meet", "call");
    json_t *result = psst_cli_call(log->cli, "subscribe", events, &code);
    json_decref(result);
    if (result != NULL) psst_client_on_event(log->cli->client, on_event, log);
    return code;
}

/* ---- the three ways ---- */

static int walk(struct log *log, const struct options *o)
{
    if (o->has_n && o->what.last == 0) return PSST_EXIT_DONE;
    return psst_history_walk(log->cli, &log->what, print_each, log);
}

/* The end of the conversation: what is shown of it counts as seen. */
static int show_last(struct log *log, const struct options *o)
{
    int code = o->follows ? subscribe(log) : PSST_EXIT_DONE;
    if (!log->as_json) log->tells_calls = CALLS_WANTED;
    if (code == PSST_EXIT_DONE) code = walk(log, o);
    if (code != PSST_EXIT_DONE) return code;
    fetch_calls(log);
    print_calls(log, LLONG_MAX);
    bool marked = fflush(stdout) == 0 && psst_shown_mark(log->cli, log->what.name, &log->shown);
    if (!log->as_json) psst_event_note_meets(log->cli, &log->gutter, log->what.name);
    if (o->follows) return follow(log);
    return marked ? PSST_EXIT_DONE : psst_cli_error(PSST_EXIT_FAILED, "the messages stay marked as new");
}

/* A piece of it, or what was found: says nothing about having seen the rest. */
static int show_piece(struct log *log, const struct options *o)
{
    int code = walk(log, o);
    if (code == PSST_EXIT_DONE && log->printed == 0 && !log->as_json)
        psst_gutter_note(&log->gutter, "%s",
                         o->what.search != NULL ? "nothing was found" : "there are no such messages");
    return code;
}

static int write_file(struct log *log, const struct options *o)
{
    struct psst_export export;
    int code = psst_export_begin(&export, o->file, o->replace);
    if (code != PSST_EXIT_DONE) return code;
    log->f = export.f;
    psst_gutter_init(&log->gutter, export.f, o->what.name != NULL ? o->what.name : "");
    log->gutter.buffered = true;
    log->gutter.columns = 0; /* lines are left whole */
    code = walk(log, o);
    int written = psst_export_end(&export, code == PSST_EXIT_DONE);
    if (code == PSST_EXIT_DONE) code = written;
    if (code == PSST_EXIT_DONE && export.f != stdout)
        (void)printf("%lld messages in %s\n", log->printed, psst_out_text(o->file, 300));
    return code;
}

/* ---- the command line ---- */

static int take_time(const struct psst_cli *cli, const char *option, const char *text, bool end, long long *ms)
{
    int64_t when = 0;
    const char *why = psst_past_parse(text, time(NULL), end, &when);
    if (why != NULL) return psst_cli_usage(cli, "%s %s: %s", option, psst_out_text(text, 60), why);
    *ms = when;
    return PSST_EXIT_DONE;
}

static int take_option(struct psst_cli *cli, char **argv, int opt, struct options *o)
{
    switch (opt) {
    case 'f': o->follows = true; break;
    case 'j': o->as_json = true; break;
    case 'F': o->replace = true; break;
    case 'e': o->file = optarg; break;
    case 's': o->what.search = optarg; break;
    case 'a': return take_time(cli, "--since", optarg, false, &o->what.since_ms);
    case 'u': return take_time(cli, "--until", optarg, true, &o->what.until_ms);
    case 'b':
        if (!psst_cli_number(optarg, 1, INT64_MAX, &o->what.before))
            return psst_cli_usage(cli, "--before takes the seq of a message, as --json shows it");
        break;
    case 'n':
        if (!psst_cli_number(optarg, 0, SHOW_MAX, &o->what.last)) return psst_cli_usage(cli, "-n takes a number");
        o->has_n = true;
        break;
    default: return psst_cli_bad_option(cli, argv);
    }
    return PSST_EXIT_DONE;
}

static int check_options(const struct psst_cli *cli, const struct options *o)
{
    bool piece = o->what.search != NULL || o->what.since_ms > 0 || o->what.until_ms > 0 || o->what.before > 0;
    if (o->follows && (piece || o->file != NULL)) return psst_cli_usage(cli, "-f goes with -n and --json only");
    if (o->replace && o->file == NULL) return psst_cli_usage(cli, "--force goes with --export");
    if (o->what.search != NULL && o->what.search[strspn(o->what.search, " \t\n")] == '\0')
        return psst_cli_usage(cli, "what is to be searched?");
    return PSST_EXIT_DONE;
}

static int show(struct psst_cli *cli, const struct options *o)
{
    struct log log = {.cli = cli, .what = o->what, .as_json = o->as_json, .replay = true, .f = stdout};
    bool piece = o->what.search != NULL || o->what.until_ms > 0 || o->what.before > 0;
    log.waiting = json_array();
    psst_gutter_init(&log.gutter, stdout, o->what.name != NULL ? o->what.name : "");
    int code = o->file != NULL ? write_file(&log, o) : piece ? show_piece(&log, o) : show_last(&log, o);
    if (cli->client != NULL) psst_client_on_event(cli->client, NULL, NULL);
    json_decref(log.waiting);
    json_decref(log.calls);
    return code;
}

static int run(struct psst_cli *cli, int argc, char **argv)
{
    static const struct option table[] = {
        {"follow", no_argument, NULL, 'f'},       {"lines", required_argument, NULL, 'n'},
        {"json", no_argument, NULL, 'j'},         {"since", required_argument, NULL, 'a'},
        {"until", required_argument, NULL, 'u'},  {"before", required_argument, NULL, 'b'},
        {"search", required_argument, NULL, 's'}, {"export", required_argument, NULL, 'e'},
        {"force", no_argument, NULL, 'F'},        {NULL, 0, NULL, 0}};
    struct options o = {.file = NULL};
    int opt, code = PSST_EXIT_DONE;
    while (code == PSST_EXIT_DONE && (opt = getopt_long(argc, argv, ":fn:", table, NULL)) != -1)
        code = take_option(cli, argv, opt, &o);
    if (code == PSST_EXIT_DONE) code = check_options(cli, &o);
    if (code != PSST_EXIT_DONE || !psst_cli_args(cli, argc, o.what.search != NULL ? 0 : 1, 1, &code)) return code;
    o.what.name = optind < argc ? argv[optind] : NULL;
    if (!o.has_n && o.file == NULL) o.what.last = SHOW_DEFAULT;
    return show(cli, &o);
}

const struct psst_verb psst_verb_log = {
    "log",
    "log NAME [-f] [-n N] [--json]\n"
    "log NAME [--since TIME] [--until TIME] [--before SEQ] [--search WORDS] [-n N]\n"
    "    [--json] [--export FILE|- [--force]]\n"
    "log --search WORDS [...]",
    "what was said with a contact; search, export",
    "The last messages, oldest first; new ones are marked as shown by it, unless it\n"
    "is a search, an export or an earlier piece. Each line of a message stands behind\n"
    "a gutter |, which no message can imitate; lines that begin with -- are psst's\n"
    "own. In front: ~ it waits, > sent and not acknowledged, + read, ! not accepted,\n"
    "x taken back; a delivered one has no mark.\n"
    "\n"
    "  -f               go on with what is said from now on, until interrupted\n"
    "  -n N             the last N messages; the default is 50, of an export all\n"
    "  --json           one object a line: id, seq, contact, time, time_ms,\n"
    "                   direction, state, text\n"
    "  --since TIME     only what was stored here from then on\n"
    "  --until TIME     only what was stored here before that; a day counts whole\n"
    "  --before SEQ     only what stands before that message (seq as in --json)\n"
    "  --search WORDS   only messages with all these words; \"two words\" that follow\n"
    "                   each other; a star at the end of a word: whatever begins so.\n"
    "                   Neither case nor accents count. Without NAME in all contacts\n"
    "  --export FILE    into a new file that only you can read; - is standard output\n"
    "  --force          also over a file that is there\n"
    "\n"
    "TIME is 2026-11-23, \"2026-11-23 20:15\", 20:15 (today), today, yesterday, or a\n"
    "span: 30m, 3h, 2d, 1w (ago). What is not kept (psst history) cannot be found.\n",
    PSST_VERB_DAEMON,
    PSST_SCREEN_SHOWN,
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
    PSST_SCREEN_SHOWN,
    run_check,
};
