/* psst outbox, recall, receipts: what has not arrived yet, taking it back, and telling what was read. */
#include "cli/cli.h"
#include "cli/print.h"

#define TEXT_SHOWN 60

static const struct option json_option[] = {{"json", no_argument, NULL, 'j'}, {NULL, 0, NULL, 0}};

/* ---- outbox ---- */

static void add_messages(struct psst_table *table, const json_t *messages)
{
    for (size_t i = 0; i < json_array_size(messages); i++) {
        const json_t *m = json_array_get(messages, i);
        char seq[32], when[64], state[96];
        bool sent = strcmp(psst_out_string(m, "state"), "sent") == 0;
        (void)snprintf(seq, sizeof seq, "  %lld", psst_out_int(m, "seq"));
        (void)psst_out_time(when, psst_out_int(m, sent ? "sent_ms" : "time_ms"), "%d %b %H:%M");
        (void)snprintf(state, sizeof state, "%s %s", sent ? "sent" : "waits since", when);
        psst_table_add(table, seq);
        psst_table_add(table, state);
        psst_table_add(table, psst_out_text(json_string_value(json_object_get(m, "text")), TEXT_SHOWN));
    }
}

static void add_files(struct psst_table *table, const json_t *files)
{
    for (size_t i = 0; i < json_array_size(files); i++) {
        const json_t *file = json_array_get(files, i);
        char id[32];
        (void)snprintf(id, sizeof id, "  file %lld", psst_out_int(file, "id"));
        psst_table_add(table, id);
        psst_table_add(table, psst_out_string(file, "state"));
        psst_table_add(table, psst_out_text(json_string_value(json_object_get(file, "name")), TEXT_SHOWN));
    }
}

static void print_contact(const json_t *entry)
{
    const json_t *messages = json_object_get(entry, "messages"), *files = json_object_get(entry, "files");
    long long waiting = psst_out_int(entry, "waiting"), shown = (long long)json_array_size(messages);
    size_t n_files = json_array_size(files);
    (void)printf("%s: %lld message%s", psst_out_text(json_string_value(json_object_get(entry, "contact")), 64), waiting,
                 waiting == 1 ? "" : "s");
    if (n_files > 0) (void)printf(", %zu file%s", n_files, n_files == 1 ? "" : "s");
    (void)printf("; %s\n", psst_out_string(entry, "why"));
    struct psst_table table;
    psst_table_init(&table, 3);
    add_messages(&table, messages);
    add_files(&table, files);
    psst_table_print(&table, stdout);
    psst_table_fini(&table);
    if (waiting > shown) (void)printf("  ... and %lld more\n", waiting - shown);
}

static int run_outbox(struct psst_cli *cli, int argc, char **argv)
{
    bool as_json = false;
    int opt, code = PSST_EXIT_DONE;
    while ((opt = getopt_long(argc, argv, ":", json_option, NULL)) != -1) {
        if (opt != 'j') return psst_cli_bad_option(cli, argv);
        as_json = true;
    }
    if (!psst_cli_args(cli, argc, 0, 1, &code)) return code;
    json_t *result = psst_cli_call(cli, "outbox", optind < argc ? psst_rpc_name(argv[optind]) : NULL, &code);
    if (result == NULL) return code;
    const json_t *list = json_object_get(result, "outbox");
    if (as_json)
        psst_out_json_list(list);
    else if (json_array_size(list) == 0)
        (void)printf("nothing waits: all has arrived\n");
    for (size_t i = 0; i < json_array_size(list) && !as_json; i++) print_contact(json_array_get(list, i));
    json_decref(result);
    return PSST_EXIT_DONE;
}

const struct psst_verb psst_verb_outbox = {
    "outbox",
    "outbox [NAME] [--json]",
    "what has not arrived yet, and why",
    "For each contact: the messages and files that the other side has not\n"
    "acknowledged, oldest first, and why they have not gone. A message waits until it\n"
    "is first handed to a session, and is sent from then on: it may have arrived. The\n"
    "number in front is what psst recall takes.\n"
    "\n"
    "  --json   a list of objects: contact, why, online, waiting, messages, files\n",
    PSST_VERB_DAEMON,
    PSST_SCREEN_SHOWN,
    run_outbox,
};

/* ---- recall ---- */

/* What of the messages: a number, an identifier of 32 digits, all. False: none of these. */
static bool which(json_t *params, const char *word)
{
    long long seq;
    if (strcmp(word, "all") == 0) return json_object_set_new(params, "all", json_true()) == 0;
    if (strlen(word) == 32 && strspn(word, "0123456789abcdefABCDEF") == 32)
        return json_object_set_new(params, "id", json_string(word)) == 0;
    return psst_cli_number(word, 1, INT64_MAX, &seq) && json_object_set_new(params, "seq", json_integer(seq)) == 0;
}

static int run_recall(struct psst_cli *cli, int argc, char **argv)
{
    static const struct option none[] = {{NULL, 0, NULL, 0}};
    int code = PSST_EXIT_DONE;
    if (getopt_long(argc, argv, ":", none, NULL) != -1) return psst_cli_bad_option(cli, argv);
    if (!psst_cli_args(cli, argc, 1, 2, &code)) return code;
    json_t *params = psst_rpc_name(argv[optind]);
    if (optind + 1 < argc && !which(params, argv[optind + 1])) {
        json_decref(params);
        return psst_cli_usage(cli, "a number or identifier of a message is wanted, or all");
    }
    json_t *result = psst_cli_call(cli, "recall", params, &code);
    if (result == NULL) return code;
    long long n = psst_out_int(result, "recalled");
    if (n > 0)
        (void)printf("taken back: %lld message%s\n", n, n == 1 ? "" : "s");
    else
        code = psst_cli_error(PSST_EXIT_FAILED, "nothing was taken back: nothing waits that was not sent already");
    json_decref(result);
    return code;
}

const struct psst_verb psst_verb_recall = {
    "recall",
    "recall NAME [SEQ|ID|all]",
    "take back what was not sent yet",
    "Takes back one message that still waits: the last one, or that with this number\n"
    "(psst outbox shows it) or identifier; or all of them. It stays in the history,\n"
    "marked; with history off its text is erased. What was sent may have arrived, and\n"
    "cannot be taken back: exit code 1. A file: psst cancel.\n",
    PSST_VERB_DAEMON,
    PSST_SCREEN_SHOWN,
    run_recall,
};

/* ---- receipts ---- */

static int run_receipts(struct psst_cli *cli, int argc, char **argv)
{
    static const struct option none[] = {{NULL, 0, NULL, 0}};
    int code = PSST_EXIT_DONE;
    if (getopt_long(argc, argv, ":", none, NULL) != -1) return psst_cli_bad_option(cli, argv);
    if (!psst_cli_args(cli, argc, 2, 2, &code)) return code;
    const char *name = argv[optind], *word = argv[optind + 1];
    bool on = strcmp(word, "on") == 0;
    if (!on && strcmp(word, "off") != 0) return psst_cli_usage(cli, "on or off?");
    json_t *params = psst_rpc_name(name);
    (void)json_object_set_new(params, "tell", json_boolean(on));
    json_t *result = psst_cli_call(cli, "contact.receipts", params, &code);
    if (result != NULL)
        (void)printf(on ? "%s is told from now on what you have read\n" : "%s is not told what you have read\n",
                     psst_out_text(name, 80));
    json_decref(result);
    return code;
}

const struct psst_verb psst_verb_receipts = {
    "receipts",
    "receipts NAME on|off",
    "whether a contact is told what you have read",
    "Off unless you turn it on: delivered means that it lies on your disk, not that\n"
    "you have seen it. With on, the contact's psst learns which messages you were\n"
    "shown from now on, some seconds later or at the next session. What they let you\n"
    "know is up to them.\n",
    PSST_VERB_DAEMON,
    PSST_SCREEN_SHOWN,
    run_receipts,
};
