/* psst calls: who called whom, and what came of it. */
#include "cli/cli.h"
#include "cli/print.h"
#include "client/call_words.h"

#define SHOW_DEFAULT 20
#define SHOW_MAX     1000

static void print_calls(const json_t *list)
{
    struct psst_table table;
    psst_table_init(&table, 3);
    for (size_t i = json_array_size(list); i > 0; i--) { /* the newest come first, and are read last */
        const json_t *call = json_array_get(list, i - 1);
        char when[64], words[PSST_CALL_WORDS];
        bool fresh = json_is_false(json_object_get(call, "seen"));
        psst_table_add(&table, psst_out_time(when, psst_out_int(call, "began"), "%Y-%m-%d %H:%M"));
        psst_table_add(&table, fresh ? "new" : "");
        psst_table_add(&table, psst_call_line(words, call));
    }
    psst_table_print(&table, stdout);
    psst_table_fini(&table);
}

static int run_calls(struct psst_cli *cli, int argc, char **argv)
{
    static const struct option options[] = {{"json", no_argument, NULL, 'j'}, {NULL, 0, NULL, 0}};
    bool as_json = false;
    long long limit = SHOW_DEFAULT;
    int opt, code = PSST_EXIT_DONE;
    while ((opt = getopt_long(argc, argv, ":n:", options, NULL)) != -1) {
        if (opt == 'j')
            as_json = true;
        else if (opt != 'n')
            return psst_cli_bad_option(cli, argv);
        else if (!psst_cli_number(optarg, 1, SHOW_MAX, &limit))
            return psst_cli_usage(cli, "-n takes a number from 1 to %d", SHOW_MAX);
    }
    if (!psst_cli_args(cli, argc, 0, 1, &code)) return code;
    json_t *params = optind < argc ? psst_rpc_name(argv[optind]) : json_object();
    (void)json_object_set_new(params, "limit", json_integer(limit));
    json_t *result = psst_cli_call(cli, "calls", params, &code);
    const json_t *list = json_object_get(result, "calls");
    if (result != NULL && as_json)
        psst_out_json_list(list);
    else if (result != NULL && json_array_size(list) == 0)
        (void)printf("no calls are noted: psst call NAME\n");
    else if (result != NULL)
        print_calls(list);
    json_decref(result);
    return code;
}

const struct psst_verb psst_verb_calls = {
    "calls",
    "calls [NAME] [-n N] [--json]",
    "calls made, taken and missed",
    "The last 20, or N, of all contacts or of one, the newest at the end. Missed ones\n"
    "are new until they were shown here or in psst log. What is kept of calls follows\n"
    "psst history, as messages do.\n"
    "\n"
    "  --json   a list of objects, newest first: id, name, direction, began,\n"
    "           answered, ended (milliseconds since 1970, 0: not), seconds, result,\n"
    "           seen\n",
    PSST_VERB_DAEMON,
    PSST_SCREEN_SHOWN,
    run_calls,
};
