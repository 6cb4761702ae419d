/* psst presence: how you show yourself. */
#include "cli/cli.h"
#include "cli/print.h"

#define TEXT_MAX 140

/* ---- showing ---- */

static const char *sentence(char out[256], const json_t *presence)
{
    const char *state = psst_out_string(presence, "state"), *text = psst_out_string(presence, "text");
    (void)snprintf(out, 256, "%s%s%.200s", strcmp(state, "busy") == 0 ? "busy, do not disturb" : state,
                   text[0] != '\0' ? ": " : "", text);
    return out;
}

static void print(const json_t *result)
{
    char words[256];
    size_t i;
    json_t *one;
    (void)printf("to everybody you are %s\n", sentence(words, result));
    json_array_foreach(json_object_get(result, "exceptions"), i, one)(void)
        printf("but to %s you are %s\n", psst_out_string(one, "contact"), sentence(words, one));
}

/* ---- changing ---- */

/* The words from the second on, joined by blanks; false: too long, or no text. */
static bool join(char out[TEXT_MAX + 1], char **words, int n)
{
    size_t len = 0;
    for (int i = 0; i < n; i++) {
        size_t more = strlen(words[i]);
        if (len + (i > 0) + more > TEXT_MAX) return false;
        if (i > 0) out[len++] = ' ';
        memcpy(out + len, words[i], more);
        len += more;
    }
    out[len] = '\0';
    return psst_text_valid(psst_view(out, len));
}

static int run(struct psst_cli *cli, int argc, char **argv)
{
    static const struct option table[] = {
        {"for", required_argument, NULL, 'f'}, {"json", no_argument, NULL, 'j'}, {NULL, 0, NULL, 0}};
    const char *name = NULL;
    char text[TEXT_MAX + 1] = "";
    bool as_json = false;
    int opt, code = PSST_EXIT_DONE;
    while ((opt = getopt_long(argc, argv, ":f:", table, NULL)) != -1) {
        if (opt == 'f')
            name = optarg;
        else if (opt == 'j')
            as_json = true;
        else
            return psst_cli_bad_option(cli, argv);
    }
    json_t *params = json_object();
    if (optind < argc) {
        if (!join(text, argv + optind + 1, argc - optind - 1)) {
            json_decref(params);
            return psst_cli_usage(cli, "the text has at most %d bytes of UTF-8", TEXT_MAX);
        }
        (void)json_object_set_new(params, "state", psst_rpc_text(argv[optind]));
        (void)json_object_set_new(params, "text", psst_rpc_text(text));
        if (name != NULL) (void)json_object_set_new(params, "for", psst_rpc_text(name));
    } else if (name != NULL) {
        json_decref(params);
        return psst_cli_usage(cli, "which state is %s to see?", psst_out_text(name, 64));
    }
    json_t *result = psst_cli_call(cli, "presence", params, &code);
    if (result == NULL) return code;
    if (as_json)
        psst_out_json(result);
    else
        print(result);
    json_decref(result);
    return PSST_EXIT_DONE;
}

const struct psst_verb psst_verb_presence = {
    "presence",
    "presence [STATE [TEXT...]] [--for NAME] [--json]",
    "show yourself as away, busy, invisible",
    "STATE is online, away, busy (or dnd: do not disturb, no bell rings) or\n"
    "invisible. Contacts in session see it, with up to 140 bytes of text. Whom you\n"
    "are invisible to finds you off line: sessions end as if psstd stopped, new ones\n"
    "do not come about, and psstd does not dial by itself. Who writes to such a\n"
    "contact by hand dials, and is seen. Without STATE it shows how things stand.\n"
    "\n"
    "  --for NAME   for this contact alone; STATE as-all takes that back\n"
    "  --json       one object: state, text, exceptions\n",
    PSST_VERB_DAEMON,
    PSST_SCREEN_SHOWN,
    run,
};
