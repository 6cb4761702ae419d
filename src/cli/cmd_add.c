/* psst add: somebody's card becomes a contact, after it was shown. */
#include "cli/cli.h"
#include "cli/print.h"
#include "cli/prompt.h"
#include "client/card_file.h"

#include <strings.h>

#define ALIAS_SIZE 65

static void show(const json_t *card)
{
    char key[PSST_SIZE_TEXT];
    const char *name = psst_out_string(card, "name");
    psst_out_field("card of", name[0] != '\0' ? name : "(no name)");
    psst_out_field("key", psst_out_key(key, card));
    psst_out_fingerprint("fingerprint", psst_out_string(card, "fingerprint"));
    const json_t *addresses = json_object_get(card, "addresses");
    for (size_t i = 0; i < json_array_size(addresses); i++)
        psst_out_field(i == 0 ? "address" : "", psst_out_text(json_string_value(json_array_get(addresses, i)), 300));
    if (psst_out_bool(card, "pair_secret")) psst_out_field("pair secret", "yes: made for you alone");
    if (psst_out_bool(card, "weak")) (void)printf("A key under 3072 bits is weak by today's measure.\n");
    (void)fflush(stdout);
}

/* The same name with another key: the thing that a false friend would try. */
static int stop_for_conflict(const char *known)
{
    (void)fflush(stdout);
    (void)fprintf(stderr,
                  "psst: STOP. You know %s, and this card has another key. Nothing was changed.\n"
                  "psst: Ask %s in person whether the key is new. If it is: psst remove %s, then add the card.\n"
                  "psst: If this is somebody else of that name: psst add CARD --as ANOTHER-NAME.\n",
                  known, known, known);
    return PSST_EXIT_FAILED;
}

/* Under which name, and whether at all. */
static int decide(struct psst_cli *cli, const json_t *card, const char *as, bool yes, char alias[ALIAS_SIZE])
{
    bool ask = psst_prompt_possible() && !yes;
    const char *known = json_string_value(json_object_get(card, "known_as"));
    const char *name = json_string_value(json_object_get(card, "name"));
    if (name == NULL) name = "";
    (void)snprintf(alias, ALIAS_SIZE, "%s", as != NULL ? as : known != NULL ? known : name);
    if (known != NULL) {
        (void)printf("This is %s, whom you know: addresses and pair secret of the card are taken over.\n",
                     psst_out_text(known, 80));
        (void)fflush(stdout);
    } else if (ask && as == NULL) {
        char question[256];
        (void)snprintf(question, sizeof question, "Your name for this contact%s%s%s: ", alias[0] != '\0' ? " [" : "",
                       psst_out_text(alias, 64), alias[0] != '\0' ? "]" : "");
        char given[ALIAS_SIZE];
        if (!psst_prompt_line(question, given, sizeof given))
            return psst_cli_error(PSST_EXIT_FAILED, "nothing was added");
        if (given[0] != '\0') memcpy(alias, given, sizeof given);
    }
    if (alias[0] == '\0') return psst_cli_usage(cli, "the card has no name: give one with --as ALIAS");
    if (yes) return PSST_EXIT_DONE;
    if (!ask) return psst_cli_usage(cli, "no terminal to ask whether this is right: say --yes");
    if (psst_prompt_yes("Add?")) return PSST_EXIT_DONE;
    return psst_cli_error(PSST_EXIT_FAILED, "nothing was added");
}

static int add(struct psst_cli *cli, const char *text, const json_t *card, const char *as, bool yes)
{
    char alias[ALIAS_SIZE];
    int code = PSST_EXIT_DONE;
    show(card);
    if (psst_out_bool(card, "self"))
        return psst_cli_error(PSST_EXIT_FAILED, "this is your own card: give it to others");
    const char *conflict = json_string_value(json_object_get(card, "conflict"));
    if (conflict != NULL && json_is_null(json_object_get(card, "known_as"))) {
        if (as == NULL || strcasecmp(as, conflict) == 0) return stop_for_conflict(psst_out_text(conflict, 80));
        psst_cli_warn("warning: you know another %s, with another key", conflict);
    }
    code = decide(cli, card, as, yes, alias);
    if (code != PSST_EXIT_DONE) return code;
    json_t *contact =
        psst_cli_call(cli, "add", json_pack("{s:s, s:o}", "card", text, "alias", psst_rpc_text(alias)), &code);
    if (contact == NULL) return code;
    bool verified = psst_out_bool(contact, "verified");
    const char *name = psst_out_string(contact, "name");
    (void)printf("%s is a contact.%s%s%s\n", name, verified ? "" : " Compare the safety number: psst verify ",
                 verified ? "" : name, "");
    json_decref(contact);
    return PSST_EXIT_DONE;
}

static int run(struct psst_cli *cli, int argc, char **argv)
{
    static const struct option table[] = {
        {"as", required_argument, NULL, 'a'}, {"yes", no_argument, NULL, 'y'}, {NULL, 0, NULL, 0}};
    const char *as = NULL;
    bool yes = false;
    int opt, code = PSST_EXIT_DONE;
    while ((opt = getopt_long(argc, argv, ":y", table, NULL)) != -1) {
        switch (opt) {
        case 'a': as = optarg; break;
        case 'y': yes = true; break;
        default: return psst_cli_bad_option(cli, argv);
        }
    }
    if (!psst_cli_args(cli, argc, 1, 1, &code)) return code;
    if (as != NULL && (as[0] == '\0' || strlen(as) >= ALIAS_SIZE || !psst_text_valid(psst_view_str(as))))
        return psst_cli_usage(cli, "a name has 1 to %d bytes of text", ALIAS_SIZE - 1);
    char text[PSST_CARD_FILE_MAX + 1];
    struct psst_diag diag = {{0}};
    if (psst_card_file_read(text, argv[optind], &diag) != PSST_OK)
        return psst_cli_error(PSST_EXIT_FAILED, "%s", diag.text);
    code = psst_cli_need_unlocked(cli);
    if (code != PSST_EXIT_DONE) return code;
    json_t *card = psst_cli_call(cli, "inspect", json_pack("{s:s}", "card", text), &code);
    if (card != NULL) code = add(cli, text, card, as, yes);
    json_decref(card);
    return code;
}

const struct psst_verb psst_verb_add = {
    "add",
    "add CARD [--as ALIAS] [--yes]",
    "take somebody's card into your contacts",
    "CARD is a file, or - for standard input: a card, or any PEM file with an RSA\n"
    "public key. It is checked and shown; then you say by which name you know this\n"
    "person. A key that is known already gets the addresses and the pair secret of\n"
    "the card. A known name with another key is a loud stop: a key is never replaced.\n"
    "\n"
    "  --as ALIAS   your name for this contact; the default is the name on the card\n"
    "  --yes        do not ask\n",
    PSST_VERB_DAEMON,
    PSST_SCREEN_OWN,
    run,
};
