/* psst status, set: how psstd stands, and its settings. */
#include "cli/cli.h"
#include "cli/print.h"
#include "client/call_words.h"
#include "client/meet_words.h"
#include "client/presence_words.h"
#include "ipc/settings.h"

#include <time.h>

#define PARTS_SHOWN 12

static long long unix_ms(void)
{
    struct timespec ts;
    (void)clock_gettime(CLOCK_REALTIME, &ts);
    return (long long)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void print_identity(const json_t *identity)
{
    char key[PSST_SIZE_TEXT], line[256];
    if (!json_is_object(identity)) {
        psst_out_field("identity", "none yet: psst init");
        return;
    }
    (void)snprintf(line, sizeof line, "%s, %s, %s%s", psst_out_string(identity, "name"), psst_out_key(key, identity),
                   psst_out_bool(identity, "locked") ? "locked" : "unlocked",
                   psst_out_bool(identity, "encrypted") ? "" : ", no passphrase");
    psst_out_field("identity", line);
    psst_out_fingerprint("", psst_out_string(identity, "fingerprint"));
}

/* Only when something is wrong with it. */
static void print_history(const json_t *history)
{
    if (!json_is_object(history)) return;
    const json_t *parts = json_object_get(history, "parts");
    psst_out_field("history", psst_out_bool(history, "readable")
                                  ? "DAMAGED, open for reading only. What cannot be read:"
                                  : "DAMAGED, and closed");
    for (size_t i = 0; i < json_array_size(parts) && i < PARTS_SHOWN; i++)
        psst_out_field("", psst_out_text(psst_out_string(json_array_get(parts, i), "words"), 200));
    if (json_array_size(parts) > PARTS_SHOWN) psst_out_field("", "and more: psst status --json");
    psst_out_field("", psst_out_text(psst_out_string(history, "words"), 600));
}

static void print_sessions(const json_t *sessions)
{
    struct psst_table table;
    psst_table_init(&table, 6);
    for (size_t i = 0; i < json_array_size(sessions); i++) {
        const json_t *s = json_array_get(sessions, i);
        char in[PSST_SIZE_TEXT], out[PSST_SIZE_TEXT], since[PSST_SIZE_TEXT], trip[48] = "";
        char presence[PSST_PRESENCE_WORDS], said[PSST_PRESENCE_WORDS], both[3 * PSST_PRESENCE_WORDS];
        bool plain = strcmp(psst_out_string(s, "presence"), "online") == 0;
        long long age = unix_ms() - psst_out_int(s, "since_ms");
        long long rtt_us = psst_out_int(s, "rtt_us");
        if (rtt_us > 0) (void)snprintf(trip, sizeof trip, "%.1f ms", (double)rtt_us / 1000);
        (void)snprintf(both, sizeof both, "%s in, %s out%s%s%s",
                       psst_out_size(in, (unsigned long long)psst_out_int(s, "bytes_in")),
                       psst_out_size(out, (unsigned long long)psst_out_int(s, "bytes_out")), plain ? "" : ", ",
                       plain ? "" : psst_presence_words(presence, s), psst_presence_quote(said, s));
        psst_table_add(&table, psst_out_text(json_string_value(json_object_get(s, "contact")), 24));
        psst_table_add(&table, psst_out_string(s, "address"));
        psst_table_add(&table, strcmp(psst_out_string(s, "role"), "caller") == 0 ? "you called" : "called you");
        psst_table_add(&table, psst_out_duration(since, age > 0 ? (unsigned long long)age : 0));
        psst_table_add(&table, trip);
        psst_table_add(&table, both);
    }
    (void)printf("\n");
    if (json_array_size(sessions) == 0) (void)printf("no sessions\n");
    psst_table_print(&table, stdout);
    psst_table_fini(&table);
}

static void print_paused(const json_t *paused)
{
    for (size_t i = 0; i < json_array_size(paused); i++)
        psst_out_field(i == 0 ? "paused" : "", psst_out_text(json_string_value(json_array_get(paused, i)), 64));
}

/* Only what is not as usual. */
static void print_presence(const json_t *presence)
{
    const char *state = psst_out_string(presence, "state"), *text = psst_out_string(presence, "text");
    char line[256];
    if (state[0] == '\0' || (strcmp(state, "online") == 0 && text[0] == '\0')) return;
    (void)snprintf(line, sizeof line, "%s%s%.200s", state, text[0] != '\0' ? ": " : "", text);
    psst_out_field("presence", line);
}

static void print_call(const json_t *call)
{
    char clock[PSST_SIZE_TEXT], line[256];
    const char *state = psst_out_string(call, "state"), *way = psst_out_string(call, "way");
    if (!json_is_object(call)) return;
    bool active = strcmp(state, "active") == 0;
    psst_call_clock(clock, (unsigned long long)psst_out_int(call, "seconds"));
    if (active)
        (void)snprintf(line, sizeof line, "with %.100s, %s, voice by %s%s",
                       psst_out_text(psst_out_string(call, "name"), 60), clock,
                       strcmp(way, "tcp") == 0   ? "TCP"
                       : strcmp(way, "udp") == 0 ? "UDP"
                                                 : "UDP and TCP",
                       psst_out_bool(call, "silent") ? ", nothing is heard" : "");
    else
        (void)snprintf(line, sizeof line, "%s %.100s", strcmp(state, "offered") == 0 ? "from" : "to",
                       psst_out_text(psst_out_string(call, "name"), 60));
    psst_out_field("call", line);
}

static void print_meets(const json_t *meets)
{
    char words[PSST_MEET_WORDS];
    size_t i;
    json_t *meet;
    if (json_array_size(meets) > 0) (void)printf("\n");
    json_array_foreach(meets, i, meet)(void) printf("%s\n", psst_meet_words(words, meet));
}

static void print_network(const json_t *network)
{
    char age[PSST_SIZE_TEXT], line[128];
    if (!json_is_object(network)) return;
    long long ms = unix_ms() - psst_out_int(network, "changed_ms");
    (void)snprintf(line, sizeof line, "%s, %s ago", psst_out_string(network, "what"),
                   psst_out_duration(age, ms > 0 ? (unsigned long long)ms : 0));
    psst_out_field("network", line);
}

static void print_counters(json_t *counters)
{
    struct psst_table table;
    const char *name;
    json_t *value;
    psst_table_init(&table, 2);
    json_object_foreach(counters, name, value)
    {
        char number[PSST_SIZE_TEXT];
        (void)snprintf(number, sizeof number, "%lld", (long long)json_integer_value(value));
        psst_table_add(&table, psst_out_text(name, 60));
        psst_table_add(&table, number);
    }
    if (table.n > 0) (void)printf("\nsince the start:\n");
    psst_table_print(&table, stdout);
    psst_table_fini(&table);
}

static void print_status(const json_t *status)
{
    const json_t *listen = json_object_get(status, "listen");
    char line[128];
    (void)snprintf(line, sizeof line, "running, process %lld, version %s", psst_out_int(status, "pid"),
                   psst_out_string(status, "version"));
    psst_out_field("psstd", line);
    print_identity(json_object_get(status, "identity"));
    print_history(json_object_get(status, "history"));
    for (size_t i = 0; i < json_array_size(listen); i++)
        psst_out_field(i == 0 ? "listening" : "", psst_out_text(json_string_value(json_array_get(listen, i)), 80));
    if (json_array_size(listen) == 0) psst_out_field("listening", "nowhere");
    print_network(json_object_get(status, "network"));
    print_paused(json_object_get(status, "paused"));
    print_presence(json_object_get(status, "presence"));
    print_call(json_object_get(status, "call"));
    print_sessions(json_object_get(status, "sessions"));
    print_meets(json_object_get(status, "meets"));
    print_counters(json_object_get(status, "counters"));
}

static int run_status(struct psst_cli *cli, int argc, char **argv)
{
    bool as_json;
    int code = PSST_EXIT_DONE;
    if (!psst_cli_json_only(cli, argc, argv, &as_json, &code)) return code;
    json_t *status = psst_cli_call(cli, "status", NULL, &code);
    if (status == NULL) return code;
    if (as_json)
        psst_out_json(status);
    else
        print_status(status);
    json_decref(status);
    return PSST_EXIT_DONE;
}

const struct psst_verb psst_verb_status = {
    "status",
    "status [--json]",
    "what psstd is doing",
    "Process, identity, where it listens, the sessions and what it has counted since\n"
    "its start. Does not start psstd: when it is not running, the exit code is 3.\n"
    "\n"
    "  --json   one object: pid, version, identity, history (null unless it is\n"
    "           damaged), listen, network, sessions, paused, counters\n",
    PSST_VERB_ALONE,
    PSST_SCREEN_SHOWN,
    run_status,
};

/* ---- settings ---- */

static int show_settings(struct psst_cli *cli, const char *key)
{
    int code = PSST_EXIT_DONE;
    json_t *all = psst_cli_call(cli, "settings", NULL, &code);
    if (all == NULL) return code;
    struct psst_table table;
    const char *name;
    json_t *value;
    psst_table_init(&table, 2);
    json_object_foreach(all, name, value)
    {
        if (key != NULL && strcmp(name, key) != 0) continue;
        psst_table_add(&table, psst_out_text(name, 60));
        psst_table_add(&table, psst_out_text(json_string_value(value), 1500));
    }
    if (key != NULL && table.n == 2)
        (void)printf("%s\n", table.cells[1]);
    else if (key != NULL)
        code = psst_cli_error(PSST_EXIT_USAGE, "there is no setting %s: psst set shows them all", key);
    else
        psst_table_print(&table, stdout);
    psst_table_fini(&table);
    json_decref(all);
    return code;
}

static int run_set(struct psst_cli *cli, int argc, char **argv)
{
    static const struct option no_options[] = {{NULL, 0, NULL, 0}};
    int code = PSST_EXIT_DONE;
    /* a value may begin with a minus sign */
    if (getopt_long(argc, argv, "+:", no_options, NULL) != -1) return psst_cli_bad_option(cli, argv);
    if (!psst_cli_args(cli, argc, 0, 2, &code)) return code;
    if (argc - optind < 2) return show_settings(cli, argc > optind ? argv[optind] : NULL);
    const char *value = argv[optind + 1];
    json_t *params = json_pack("{s:o}", "key", psst_rpc_text(argv[optind]));
    (void)json_object_set_new(params, "value", value[0] != '\0' ? psst_rpc_text(value) : json_null());
    json_t *result = psst_cli_call(cli, "set", params, &code);
    if (result != NULL) (void)printf("%s\n", psst_out_string(result, "value"));
    json_decref(result);
    return code;
}

#define LINE(id, name, values, words) "  " name ": " words "\n"

const struct psst_verb psst_verb_set = {
    "set",
    "set [KEY [VALUE]]",
    "show or change the settings",
    "Without VALUE it shows one setting, without KEY all. An empty VALUE \"\" goes back\n"
    "to the default. They are kept in the file config, for this identity alone.\n"
    "\n" PSST_SETTINGS_TABLE(LINE),
    PSST_VERB_DAEMON,
    PSST_SCREEN_OWN,
    run_set,
};
