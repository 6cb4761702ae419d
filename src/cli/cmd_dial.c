/* psst dial, hangup. */
#include "cli/cli.h"
#include "client/out.h"

static const struct option no_options[] = {{NULL, 0, NULL, 0}};

static int run_dial(struct psst_cli *cli, int argc, char **argv)
{
    int code = PSST_EXIT_DONE;
    if (getopt_long(argc, argv, ":", no_options, NULL) != -1) return psst_cli_bad_option(cli, argv);
    if (!psst_cli_args(cli, argc, 1, 2, &code)) return code;
    json_t *params = psst_rpc_name(argv[optind]);
    if (argc - optind == 2) (void)json_object_set_new(params, "address", psst_rpc_text(argv[optind + 1]));
    json_t *result = psst_cli_call(cli, "dial", params, &code);
    if (result == NULL) return code;
    const char *address = psst_out_string(result, "address");
    (void)printf("in session with %s%s%s\n", psst_out_text(argv[optind], 80), address[0] != '\0' ? " at " : "",
                 address);
    json_decref(result);
    return PSST_EXIT_DONE;
}

const struct psst_verb psst_verb_dial = {
    "dial",
    "dial NAME [HOST[:PORT]]",
    "begin a session with a contact",
    "Returns when the session stands, or says why there is none: exit code 5 when the\n"
    "contact cannot be reached, 6 when he answers but refuses you. The address given\n"
    "is tried, else all that are known of the contact. IPv6 is written [::1]:4516.\n",
    PSST_VERB_DAEMON,
    PSST_SCREEN_OWN,
    run_dial,
};

static int hang_up_call(struct psst_cli *cli, const char *name)
{
    int code = PSST_EXIT_DONE;
    json_t *result = psst_cli_call(cli, "call.hangup", name != NULL ? psst_rpc_name(name) : NULL, &code);
    if (result != NULL) (void)printf("the call has ended\n");
    json_decref(result);
    return code;
}

static int run_hangup(struct psst_cli *cli, int argc, char **argv)
{
    static const struct option options[] = {{"call", no_argument, NULL, 'c'}, {NULL, 0, NULL, 0}};
    bool call = false;
    int opt, code = PSST_EXIT_DONE;
    while ((opt = getopt_long(argc, argv, ":", options, NULL)) != -1) {
        if (opt != 'c') return psst_cli_bad_option(cli, argv);
        call = true;
    }
    if (!psst_cli_args(cli, argc, call ? 0 : 1, 1, &code)) return code;
    if (call) return hang_up_call(cli, optind < argc ? argv[optind] : NULL);
    json_t *result = psst_cli_call(cli, "hangup", psst_rpc_name(argv[optind]), &code);
    if (result != NULL) (void)printf("the session with %s has ended\n", psst_out_text(argv[optind], 80));
    json_decref(result);
    return code;
}

const struct psst_verb psst_verb_hangup = {
    "hangup",
    "hangup NAME\nhangup [NAME] --call",
    "end the session with a contact, or a call",
    "The other side is told. The keys of the session are erased at once. With --call\n"
    "only the call ends, and the session stays; NAME may be left out when there is\n"
    "just one call.\n",
    PSST_VERB_DAEMON,
    PSST_SCREEN_OWN,
    run_hangup,
};
