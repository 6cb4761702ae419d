/* psst files and what can be done with them: pause, resume, first; decline, cancel. */
#include "cli/bar.h"
#include "cli/print.h"

#include <stdlib.h>

#define ALL_MAX 1000000 /* of psst files --all -n */

/* ---- the list ---- */

/* "45% of 20.0 MB", "3.1 MB", "folder, 7.4 MB" */
static const char *progress(char out[64], const json_t *file)
{
    char size[PSST_SIZE_TEXT];
    const char *state = psst_out_string(file, "state");
    const char *what = strcmp(psst_file_word(file), "folder") == 0 ? "folder, " : "";
    long long whole = psst_out_int(file, "size"), done = psst_out_int(file, "done");
    bool known = json_is_integer(json_object_get(file, "size"));
    bool part = strcmp(state, "running") == 0 || strcmp(state, "paused") == 0 || strcmp(state, "waiting") == 0;
    (void)psst_out_size(size, (unsigned long long)(known ? whole : done));
    if (known && part && whole > 0 && done > 0)
        (void)snprintf(out, 64, "%s%d%% of %s", what, (int)((double)done * 100 / (double)whole), size);
    else
        (void)snprintf(out, 64, "%s%s", what, known || done > 0 ? size : "-");
    return out;
}

/* What it is at, and how long that takes. */
static void state_words(char out[320], const json_t *file)
{
    char state[256], rate[PSST_SIZE_TEXT], left[PSST_SIZE_TEXT];
    long long queue = psst_out_int(file, "queue"), speed = psst_out_int(file, "rate");
    (void)psst_file_state(state, file);
    if (queue > 0)
        (void)snprintf(out, 320, "%s; %lld before it", state, queue);
    else if (speed > 0 && json_object_get(file, "left_ms") != NULL)
        (void)snprintf(out, 320, "%s, %s/s, %s left", state, psst_out_size(rate, (unsigned long long)speed),
                       psst_out_duration(left, (unsigned long long)psst_out_int(file, "left_ms")));
    else if (speed > 0)
        (void)snprintf(out, 320, "%s, %s/s", state, psst_out_size(rate, (unsigned long long)speed));
    else
        (void)snprintf(out, 320, "%s", state);
}

static void print_files(const json_t *list)
{
    struct psst_table table;
    psst_table_init(&table, 5);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *file = json_array_get(list, i);
        char id[32], whom[128], how_far[64], state[320];
        bool in = strcmp(psst_out_string(file, "direction"), "in") == 0;
        (void)snprintf(id, sizeof id, "%lld", psst_out_int(file, "id"));
        (void)snprintf(whom, sizeof whom, "%s %s", in ? "from" : "to",
                       psst_out_text(json_string_value(json_object_get(file, "contact")), 20));
        state_words(state, file);
        psst_table_add(&table, id);
        psst_table_add(&table, whom);
        psst_table_add(&table, progress(how_far, file));
        psst_table_add(&table, psst_out_text(json_string_value(json_object_get(file, "name")), 40));
        psst_table_add(&table, state);
    }
    psst_table_print(&table, stdout);
    psst_table_fini(&table);
}

/* The pages come newest first, what stands in each oldest first. */
static int all_files(struct psst_cli *cli, long long most, json_t **out)
{
    json_t *all = json_array();
    long long before = 0;
    bool more = true;
    int code = PSST_EXIT_DONE;
    while (more && (long long)json_array_size(all) < most) {
        json_t *params = json_pack("{s:b, s:I}", "all", 1, "before", (json_int_t)before);
        json_t *result = psst_cli_call(cli, "files", params, &code);
        if (result == NULL) break;
        json_t *page = json_object_get(result, "files");
        if (before == 0) psst_cli_warn_damaged(result);
        more = psst_out_bool(result, "more") && json_array_size(page) > 0;
        before = psst_out_int(json_array_get(page, 0), "id");
        (void)json_array_extend(page, all);
        json_decref(all);
        all = json_incref(page);
        json_decref(result);
    }
    while ((long long)json_array_size(all) > most) (void)json_array_remove(all, 0);
    *out = all;
    return code;
}

static int these_files(struct psst_cli *cli, json_t **out)
{
    int code = PSST_EXIT_DONE;
    json_t *result = psst_cli_call(cli, "files", NULL, &code);
    if (result != NULL) psst_cli_warn_damaged(result);
    *out = json_incref(json_object_get(result, "files"));
    json_decref(result);
    return code;
}

static int list_files(struct psst_cli *cli, bool all, long long most, bool as_json)
{
    json_t *list = NULL;
    int code = all ? all_files(cli, most, &list) : these_files(cli, &list);
    if (code == PSST_EXIT_DONE && as_json)
        psst_out_json_list(list);
    else if (code == PSST_EXIT_DONE && json_array_size(list) == 0)
        (void)printf(all ? "no files yet: psst send NAME FILE\n"
                         : "no files are under way: psst send NAME FILE; psst files --all shows earlier ones\n");
    else if (code == PSST_EXIT_DONE)
        print_files(list);
    json_decref(list);
    return code;
}

/* ---- what is decided about one, or several ---- */

static int take_ids(const struct psst_cli *cli, int argc, char **argv, int first)
{
    long long id;
    if (argc <= first) return psst_cli_usage(cli, "the number of a file is missing: psst files shows it");
    for (int i = first; i < argc; i++)
        if (!psst_cli_number(argv[i], 1, INT64_MAX, &id))
            return psst_cli_usage(cli, "ID is the number of the file: psst files shows it");
    return PSST_EXIT_DONE;
}

/* words: what has been done, in one word, for a list of "file ID, NAME: WORD". */
static int decide(struct psst_cli *cli, const char *method, const char *words, int argc, char **argv, int first)
{
    int code = take_ids(cli, argc, argv, first);
    for (int i = first; i < argc && code == PSST_EXIT_DONE; i++) {
        long long id = strtoll(argv[i], NULL, 10);
        json_t *file = psst_cli_call(cli, method, json_pack("{s:I}", "id", (json_int_t)id), &code);
        if (file != NULL)
            (void)printf("%s %lld, %s: %s\n", psst_file_word(file), id, psst_out_string(file, "name"), words);
        json_decref(file);
    }
    return code;
}

static int run_files(struct psst_cli *cli, int argc, char **argv)
{
    static const struct {
        const char *word, *method, *words;
    } acts[] = {
        {"pause", "file.pause", "paused"}, {"resume", "file.resume", "goes on"}, {"first", "file.first", "goes first"}};
    static const struct option options[] = {
        {"json", no_argument, NULL, 'j'}, {"all", no_argument, NULL, 'a'}, {NULL, 0, NULL, 0}};
    bool as_json = false, all = false;
    long long most = ALL_MAX;
    int opt, code = PSST_EXIT_DONE;
    while ((opt = getopt_long(argc, argv, ":an:", options, NULL)) != -1) {
        if (opt == 'j')
            as_json = true;
        else if (opt == 'a')
            all = true;
        else if (opt != 'n')
            return psst_cli_bad_option(cli, argv);
        else if (!psst_cli_number(optarg, 1, ALL_MAX, &most))
            return psst_cli_usage(cli, "-n takes a number of files");
        else
            all = true;
    }
    for (size_t i = 0; optind < argc && i < sizeof acts / sizeof acts[0]; i++)
        if (strcmp(argv[optind], acts[i].word) == 0)
            return decide(cli, acts[i].method, acts[i].words, argc, argv, optind + 1);
    if (!psst_cli_args(cli, argc, 0, 0, &code)) return code;
    return list_files(cli, all, most, as_json);
}

const struct psst_verb psst_verb_files = {
    "files",
    "files [--all] [-n N] [--json]\nfiles pause ID...\nfiles resume ID...\nfiles first ID...",
    "offered, running and finished files",
    "Shows what is under way and what ended lately. The number in front is what psst\n"
    "accept, decline, cancel and the following take. Names of files that others offer\n"
    "have been made harmless.\n"
    "\n"
    "pause stops a file in either direction, also over restarts, and keeps what is\n"
    "there of it; resume goes on with it. Whoever has paused it must go on with it.\n"
    "first sends a file before all others to its contact. Streams cannot be paused.\n"
    "\n"
    "  --all, -a   all that there ever were\n"
    "  -n N        of these the last N\n"
    "  --json      a list of objects: id, contact, direction, form, name, size, done,\n"
    "              state, reason, path, time_ms, queue, rate, left_ms, resumed_from,\n"
    "              safe, paused_by, contents\n",
    PSST_VERB_DAEMON,
    PSST_SCREEN_SHOWN,
    run_files,
};

/* ---- decline, cancel ---- */

static int run_decision(struct psst_cli *cli, int argc, char **argv, const char *method, const char *words)
{
    static const struct option no_options[] = {{NULL, 0, NULL, 0}};
    if (getopt_long(argc, argv, ":", no_options, NULL) != -1) return psst_cli_bad_option(cli, argv);
    return decide(cli, method, words, argc, argv, optind);
}

/* What begins with a digit is the number of a file, always; everything else is a name whose call is not taken. */
static bool means_a_call(int argc, char **argv)
{
    return argc == 2 && argv[1][0] != '-' && (argv[1][0] < '0' || argv[1][0] > '9');
}

static int decline_call(struct psst_cli *cli, const char *name)
{
    int code = PSST_EXIT_DONE;
    json_t *result = psst_cli_call(cli, "decline", psst_rpc_name(name), &code);
    if (result != NULL) (void)printf("the call from %s: declined\n", psst_out_text(name, 80));
    json_decref(result);
    return code;
}

static int run_decline(struct psst_cli *cli, int argc, char **argv)
{
    bool named = argc == 3 && strcmp(argv[1], "--call") == 0;
    if (named || means_a_call(argc, argv)) return decline_call(cli, argv[argc - 1]);
    return run_decision(cli, argc, argv, "file.decline", "declined");
}

static int run_cancel(struct psst_cli *cli, int argc, char **argv)
{
    return run_decision(cli, argc, argv, "file.cancel", "cancelled");
}

const struct psst_verb psst_verb_decline = {
    "decline",
    "decline ID...\ndecline [--call] NAME",
    "refuse files that were offered, or a call",
    "The other side is told. A file that runs already is cancelled. What begins with\n"
    "a digit is always the number of a file, anything else the name of a contact who\n"
    "calls; --call says that a name is meant.\n",
    PSST_VERB_DAEMON,
    PSST_SCREEN_OWN,
    run_decline,
};

const struct psst_verb psst_verb_cancel = {
    "cancel",
    "cancel ID...",
    "end files that are under way",
    "In either direction, and whatever they are at: it takes back an offer, too. The\n"
    "other side is told, now or at the next session; what has come of the file is\n"
    "removed. To go on with it later, psst files pause instead.\n",
    PSST_VERB_DAEMON,
    PSST_SCREEN_OWN,
    run_cancel,
};
