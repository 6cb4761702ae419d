/* psst verify: the safety number of the pair, to be compared in person or by voice. */
#include "cli/cli.h"
#include "cli/prompt.h"
#include "client/out.h"
#include "client/qr.h"

#define WORDS_A_LINE 8

static void show(const json_t *safety)
{
    const json_t *words = json_object_get(safety, "words");
    (void)printf("Safety number with %s: the same on both sides, or somebody sits in between.\n\n    ",
                 psst_out_string(safety, "name"));
    /* twelve groups of five: six a line */
    const char *digits = psst_out_string(safety, "digits");
    for (size_t i = 0, blanks = 0; digits[i] != '\0'; i++) {
        bool line_end = digits[i] == ' ' && ++blanks % 6 == 0;
        (void)printf(line_end ? "\n    " : "%c", digits[i]);
    }
    (void)printf("\n\n    ");
    for (size_t i = 0; i < json_array_size(words); i++) {
        const char *word = psst_out_text(json_string_value(json_array_get(words, i)), 40);
        bool last = i + 1 == json_array_size(words);
        (void)printf("%s%s", word, last ? "\n\n" : (i + 1) % WORDS_A_LINE == 0 ? "\n    " : " ");
    }
    const char *qr = json_string_value(json_object_get(safety, "qr"));
    if (qr != NULL) (void)psst_qr_print(stdout, qr, NULL);
    (void)fflush(stdout);
}

static int mark(struct psst_cli *cli, const char *name, bool yes)
{
    int code = PSST_EXIT_DONE;
    char question[200];
    (void)snprintf(question, sizeof question, "Do they match on both sides?");
    if (!yes && !psst_prompt_yes(question))
        return psst_cli_error(PSST_EXIT_FAILED, "%s is not marked as verified", name);
    json_t *params = psst_rpc_name(name);
    (void)json_object_set_new(params, "verified", json_true());
    json_t *result = psst_cli_call(cli, "contact.verified", params, &code);
    if (result != NULL) (void)printf("%s is verified\n", psst_out_string(result, "name"));
    json_decref(result);
    return code;
}

static int run(struct psst_cli *cli, int argc, char **argv)
{
    static const struct option table[] = {{"yes", no_argument, NULL, 'y'}, {NULL, 0, NULL, 0}};
    bool yes = false;
    int opt, code = PSST_EXIT_DONE;
    while ((opt = getopt_long(argc, argv, ":y", table, NULL)) != -1) {
        if (opt != 'y') return psst_cli_bad_option(cli, argv);
        yes = true;
    }
    if (!psst_cli_args(cli, argc, 1, 1, &code)) return code;
    json_t *safety = psst_cli_call(cli, "safety", psst_rpc_name(argv[optind]), &code);
    if (safety == NULL) return code;
    show(safety);
    code = mark(cli, argv[optind], yes);
    json_decref(safety);
    return code;
}

const struct psst_verb psst_verb_verify = {
    "verify",
    "verify NAME [--yes]",
    "compare the safety number, and mark it",
    "Shows the safety number of you two: 60 digits, 16 words that say the same, and a\n"
    "QR code that holds it. Compare it in person, or by voice where you know the\n"
    "voice: when it is the same on both sides, you hold each other's true keys, and\n"
    "nobody sits in between. Then say y, and the contact is marked as verified.\n"
    "\n"
    "  --yes   mark without asking\n",
    PSST_VERB_DAEMON,
    PSST_SCREEN_OWN,
    run,
};
