/* psst card: one's own card, to be handed over. */
#include "cli/cli.h"
#include "cli/print.h"
#include "client/card_file.h"
#include "client/qr.h"

/* secret: for one person's eyes. */
static int write_file(const char *path, const char *card, bool secret)
{
    struct psst_diag diag = {{0}};
    if (psst_card_file_write(path, card, secret, &diag) != PSST_OK)
        return psst_cli_error(PSST_EXIT_FAILED, "%s", diag.text);
    (void)printf("%s: hand it over; %s\n", path,
                 secret ? "it holds a secret for this one person, so nobody else may see it" : "it holds no secret");
    return PSST_EXIT_DONE;
}

static int print_qr(const char *card)
{
    char small[PSST_CARD_FILE_MAX + 1];
    size_t width = 0;
    if (!psst_card_for_qr(small, card) || !psst_qr_print(stdout, small, &width))
        return psst_cli_error(PSST_EXIT_FAILED, "the card is too long for a QR code");
    unsigned columns = psst_out_columns(stdout);
    if (columns > 0 && width > columns)
        psst_cli_warn("the code is %zu columns wide, the terminal %u: widen it, or make its letters smaller", width,
                      columns);
    return PSST_EXIT_DONE;
}

static int run(struct psst_cli *cli, int argc, char **argv)
{
    static const struct option table[] = {{"output", required_argument, NULL, 'o'},
                                          {"for", required_argument, NULL, 'f'},
                                          {"address", required_argument, NULL, 'a'},
                                          {"qr", no_argument, NULL, 'q'},
                                          {NULL, 0, NULL, 0}};
    const char *file = NULL, *person = NULL;
    bool qr = false;
    int opt, code = PSST_EXIT_DONE;
    json_t *addresses = json_array();
    while ((opt = getopt_long(argc, argv, ":o:", table, NULL)) != -1) {
        switch (opt) {
        case 'o': file = optarg; break;
        case 'f': person = optarg; break;
        case 'a': (void)json_array_append_new(addresses, psst_rpc_text(optarg)); break;
        case 'q': qr = true; break;
        default: json_decref(addresses); return psst_cli_bad_option(cli, argv);
        }
    }
    if (!psst_cli_args(cli, argc, 0, 0, &code)) {
        json_decref(addresses);
        return code;
    }
    json_t *params = json_pack("{s:o}", "addresses", addresses);
    if (person != NULL) (void)json_object_set_new(params, "for", psst_rpc_text(person));
    json_t *result = psst_cli_call(cli, "card", params, &code);
    const char *card = json_string_value(json_object_get(result, "card"));
    if (card != NULL) {
        if (file != NULL)
            code = write_file(file, card, person != NULL);
        else if (!qr)
            (void)fputs(card, stdout);
        if (qr && code == PSST_EXIT_DONE) code = print_qr(card);
    }
    json_decref(result);
    return code;
}

const struct psst_verb psst_verb_card = {
    "card",
    "card [-o FILE] [--for NAME] [--address HOST:PORT]... [--qr]",
    "write your card, to hand over",
    "Your card is a small text file with your name and public key. Who has it can add\n"
    "you; hand it over yourself, or compare the safety number later (psst verify).\n"
    "\n"
    "  -o FILE               into FILE (only a card is replaced), instead of printing\n"
    "  --for NAME            with a secret shared with this contact alone: the line\n"
    "                        then holds even if RSA and X25519 are broken one day.\n"
    "                        Give it to nobody else. Written again, it holds the same\n"
    "                        secret\n"
    "  --address HOST:PORT   where you can be reached (several are allowed)\n"
    "  --qr                  as a QR code\n",
    PSST_VERB_DAEMON,
    PSST_SCREEN_OWN,
    run,
};
