/* psst reconnect. */
#include "cli/cli.h"
#include "client/out.h"

static int run_reconnect(struct psst_cli *cli, int argc, char **argv)
{
    static const struct option no_options[] = {{NULL, 0, NULL, 0}};
    int code = PSST_EXIT_DONE;
    if (getopt_long(argc, argv, ":", no_options, NULL) != -1) return psst_cli_bad_option(cli, argv);
    if (!psst_cli_args(cli, argc, 2, 2, &code)) return code;
    const char *name = argv[optind], *word = argv[optind + 1];
    bool on = strcmp(word, "on") == 0;
    if (!on && strcmp(word, "off") != 0) return psst_cli_usage(cli, "on or off?");
    json_t *params = psst_rpc_name(name);
    (void)json_object_set_new(params, "on", json_boolean(on));
    json_t *result = psst_cli_call(cli, "contact.reconnect", params, &code);
    if (result != NULL && on)
        (void)printf("%s is dialled whenever there is no session%s\n", psst_out_text(name, 80),
                     json_array_size(json_object_get(result, "addresses")) == 0
                         ? ", once an address is known: psst address"
                         : "");
    else if (result != NULL)
        (void)printf("%s is dialled when something waits, and for an hour after a session broke\n",
                     psst_out_text(name, 80));
    json_decref(result);
    return code;
}

const struct psst_verb psst_verb_reconnect = {
    "reconnect",
    "reconnect NAME on|off",
    "whether a contact is dialled without end",
    "A session that breaks is always redialled: at once, every 1 to 2 seconds for\n"
    "two minutes, then every few seconds for an hour. So is whom a message or a file\n"
    "waits for: at once, then up to 5 minutes apart. With on, psstd dials whenever\n"
    "there is no session, up to 5 minutes apart, from its start on. Whoever hung up\n"
    "or was hung up on is left alone until something new waits.\n",
    PSST_VERB_DAEMON,
    PSST_SCREEN_SHOWN,
    run_reconnect,
};
