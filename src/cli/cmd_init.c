/* psst init: the first-run wizard on a terminal, and fully by options elsewhere. */
#include "cli/print.h"
#include "cli/prompt.h"
#include "cli/unlock.h"
#include "client/init_words.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct init {
    char name[PSST_INIT_NAME_SIZE];
    long long bits;
    const char *passphrase_file, *import;
    bool no_passphrase, ask;
    struct psst_passphrase pass;
};

/* ---- asking ---- */

static bool ask_name(struct init *init)
{
    char suggestion[PSST_INIT_NAME_SIZE], question[256];
    psst_init_suggest_name(suggestion);
    (void)snprintf(question, sizeof question,
                   "Your name, as it stands on your card%s%s%s: ", suggestion[0] != '\0' ? " [" : "",
                   psst_out_text(suggestion, 60), suggestion[0] != '\0' ? "]" : "");
    if (!psst_prompt_line(question, init->name, sizeof init->name)) return false;
    if (init->name[0] == '\0') memcpy(init->name, suggestion, sizeof suggestion);
    return init->name[0] != '\0';
}

static bool ask_bits(struct init *init)
{
    (void)fprintf(stderr, "\n%s\n", psst_init_size_words);
    for (size_t i = 0; i < sizeof psst_init_sizes / sizeof psst_init_sizes[0]; i++) {
        char bits[16] = "less";
        if (psst_init_sizes[i].bits > 0) (void)snprintf(bits, sizeof bits, "%d", psst_init_sizes[i].bits);
        (void)fprintf(stderr, "  %s   %s\n", bits, psst_init_sizes[i].words);
    }
    char answer[16];
    do {
        if (!psst_prompt_line("Bits [4096]: ", answer, sizeof answer)) return false;
        if (answer[0] == '\0') (void)snprintf(answer, sizeof answer, "%d", PSST_INIT_BITS);
    } while (!psst_cli_number(answer, 1024, 4096, &init->bits) || !psst_init_bits_allowed(init->bits));
    return true;
}

static bool ask_passphrase(struct init *init)
{
    (void)fprintf(stderr,
                  "\nA passphrase keeps the key closed to who gets at this disk; several words are\n"
                  "good. There is no way back to the key without it%s.\n",
                  init->import != NULL ? "; it also opens\nthe key that is imported" : "");
    return psst_prompt_new_passphrase("Passphrase: ", &init->pass);
}

/* What the options left open. */
static int complete(struct psst_cli *cli, struct init *init, bool bits_given)
{
    if (init->name[0] == '\0' && !(init->ask && ask_name(init)))
        return init->ask ? psst_cli_error(PSST_EXIT_FAILED, "nothing was made")
                         : psst_cli_usage(cli, "--name is missing, and there is no terminal to ask");
    if (!bits_given && init->import == NULL && init->ask && !ask_bits(init))
        return psst_cli_error(PSST_EXIT_FAILED, "nothing was made");
    if (init->passphrase_file != NULL) return psst_cli_passphrase_file(init->passphrase_file, &init->pass);
    if (!init->no_passphrase && !ask_passphrase(init)) return psst_cli_error(PSST_EXIT_FAILED, "nothing was made");
    return PSST_EXIT_DONE;
}

/* ---- making ---- */

/* Dots while primes are looked for; only a terminal sees them. */
static void on_event(void *ctx, const char *event, json_t *params)
{
    (void)ctx;
    (void)params;
    if (strcmp(event, "init.progress") != 0 || !isatty(STDERR_FILENO)) return;
    (void)fputc('.', stderr);
    (void)fflush(stderr);
}

static int open_import(const char *path, int *fd)
{
    struct stat st;
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (*fd < 0) return psst_cli_error(PSST_EXIT_FAILED, "cannot open %s: %s", path, strerror(errno));
    if (fstat(*fd, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 0077) != 0)
        psst_cli_warn("warning: others can read the private key in %s: chmod 600 %s", path, path);
    return PSST_EXIT_DONE;
}

/* Another identity on this machine may have the port already. */
static void warn_when_deaf(struct psst_cli *cli)
{
    struct psst_failure failure;
    json_t *status = psst_cli_try(cli, "status", NULL, &failure);
    if (status != NULL && json_array_size(json_object_get(status, "listen")) == 0)
        psst_cli_warn("warning: nobody can reach you, since psstd listens nowhere: psst up says why");
    json_decref(status);
}

static int make(struct psst_cli *cli, struct init *init)
{
    struct psst_failure failure;
    int import_fd = -1;
    if (init->import != NULL) {
        int code = open_import(init->import, &import_fd);
        if (code != PSST_EXIT_DONE) return code;
    }
    json_t *params = psst_rpc_name(init->name);
    (void)json_object_set_new(params, "bits", json_integer(init->bits));
    (void)json_object_set_new(params, "passphrase", json_boolean(init->pass.len > 0));
    (void)json_object_set_new(params, "import", json_boolean(import_fd >= 0));
    bool terminal = isatty(STDERR_FILENO);
    if (terminal)
        (void)fprintf(stderr, import_fd >= 0 ? "\nTaking the key over " : "\nMaking your key, %lld bits ", init->bits);
    psst_client_on_event(cli->client, on_event, NULL);
    json_t *made = psst_cli_call_secret(cli, "init", params, &init->pass, NULL, import_fd, &failure);
    if (terminal) (void)fprintf(stderr, "\n\n");
    if (made == NULL) return psst_cli_fail(&failure);
    char key[PSST_SIZE_TEXT];
    psst_out_field("name", psst_out_text(init->name, 80));
    psst_out_field("key", psst_out_key(key, made));
    psst_out_fingerprint("fingerprint", psst_out_string(made, "fingerprint"));
    psst_out_field("private key", psst_out_text(cli->paths.identity, 500));
    psst_out_field("your card", psst_out_text(cli->paths.card, 500));
    warn_when_deaf(cli);
    (void)printf("Next: psst card -o CARD.psst --address HOST:PORT, and hand that file over.\n");
    json_decref(made);
    return PSST_EXIT_DONE;
}

static int refuse_when_there(struct psst_cli *cli)
{
    int code = PSST_EXIT_DONE;
    json_t *status = psst_cli_call(cli, "status", NULL, &code);
    const json_t *identity = json_object_get(status, "identity");
    if (json_is_object(identity))
        code = psst_cli_error(PSST_EXIT_FAILED, "there is an identity already: %s, %s; it is never overwritten",
                              psst_out_string(identity, "name"), psst_out_string(identity, "fingerprint"));
    json_decref(status);
    return code;
}

static int run(struct psst_cli *cli, int argc, char **argv)
{
    static const struct option table[] = {{"name", required_argument, NULL, 'n'},
                                          {"bits", required_argument, NULL, 'b'},
                                          {"passphrase-file", required_argument, NULL, 'p'},
                                          {"no-passphrase", no_argument, NULL, 'x'},
                                          {"import", required_argument, NULL, 'i'},
                                          {NULL, 0, NULL, 0}};
    struct init init = {.bits = PSST_INIT_BITS, .ask = psst_prompt_possible()};
    bool bits_given = false;
    int opt, code = PSST_EXIT_DONE;
    while ((opt = getopt_long(argc, argv, ":", table, NULL)) != -1) {
        switch (opt) {
        case 'n':
            if (optarg[0] == '\0' || strlen(optarg) >= sizeof init.name || !psst_text_valid(psst_view_str(optarg)))
                return psst_cli_usage(cli, "a name has 1 to %zu bytes of text", sizeof init.name - 1);
            (void)snprintf(init.name, sizeof init.name, "%s", optarg);
            break;
        case 'b':
            bits_given = psst_cli_number(optarg, 0, 1 << 20, &init.bits);
            if (!bits_given || !psst_init_bits_allowed(init.bits))
                return psst_cli_usage(cli, "a key has 1024 to 4096 bits, in steps of 256");
            break;
        case 'p': init.passphrase_file = optarg; break;
        case 'x': init.no_passphrase = true; break;
        case 'i': init.import = optarg; break;
        default: return psst_cli_bad_option(cli, argv);
        }
    }
    if (!psst_cli_args(cli, argc, 0, 0, &code)) return code;
    if (init.no_passphrase && init.passphrase_file != NULL) return psst_cli_usage(cli, "a passphrase, or none?");
    if (init.import != NULL && bits_given) return psst_cli_usage(cli, "an imported key has its size already");
    if (!init.ask && !init.no_passphrase && init.passphrase_file == NULL)
        return psst_cli_usage(cli, "no terminal to ask: say --passphrase-file, or knowingly --no-passphrase");
    if (!init.ask && init.name[0] == '\0')
        return psst_cli_usage(cli, "--name is missing, and there is no terminal to ask");
    code = refuse_when_there(cli);
    if (code == PSST_EXIT_DONE) code = complete(cli, &init, bits_given);
    if (code == PSST_EXIT_DONE) code = make(cli, &init);
    psst_passphrase_wipe(&init.pass);
    return code;
}

const struct psst_verb psst_verb_init = {
    "init",
    "init --name Alice [--bits N] [--passphrase-file F|--no-passphrase]\ninit --name Alice --import KEY.pem [...]",
    "make your identity: an RSA key pair",
    "Makes the key pair that you are known by, once. On a terminal it asks for what\n"
    "is not given. The private key is kept encrypted under the passphrase.\n"
    "\n"
    "  --name NAME           your name, as it stands on your card\n"
    "  --bits N              1024 to 4096, in steps of 256; the default is 4096\n"
    "  --passphrase-file F   read the passphrase from the file F (- standard input)\n"
    "  --no-passphrase       keep the key unencrypted: for machines without a person\n"
    "  --import KEY.pem      take an existing RSA key; the same passphrase opens it\n",
    PSST_VERB_DAEMON,
    PSST_SCREEN_NOT,
    run,
};
