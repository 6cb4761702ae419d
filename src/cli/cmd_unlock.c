/* psst unlock, lock, passwd: the passphrase goes through a pipe, and psstd never reads it. */
#include "cli/prompt.h"
#include "cli/unlock.h"
#include "client/out.h"

#include <unistd.h>

int psst_cli_passphrase_file(const char *path, struct psst_passphrase *out)
{
    struct psst_diag diag = {{0}};
    bool loose;
    if (psst_passphrase_from_file(out, path, &loose, &diag) != PSST_OK) return psst_cli_error(1, "%s", diag.text);
    if (loose) psst_cli_warn("warning: others can read the passphrase: chmod 600 %s", path);
    if (out->len > 0) return PSST_EXIT_DONE;
    return psst_cli_error(PSST_EXIT_FAILED, "there is no passphrase in %s", path);
}

json_t *psst_cli_call_secret(struct psst_cli *cli, const char *method, json_t *params, struct psst_passphrase *first,
                             struct psst_passphrase *second, int other_fd, struct psst_failure *failure)
{
    struct psst_passphrase *both[2] = {first, second};
    int fds[PSST_LINE_FDS];
    size_t n = 0;
    struct psst_diag diag = {{0}};
    enum psst_err err = PSST_OK;
    for (size_t i = 0; i < 2; i++) {
        if (both[i] == NULL || both[i]->len == 0 || err != PSST_OK) continue;
        err = psst_passphrase_pipe(&fds[n], both[i], &diag);
        if (err == PSST_OK) n++;
    }
    if (other_fd >= 0) fds[n++] = other_fd;
    if (err == PSST_OK) return psst_client_call(cli->client, method, params, fds, n, PSST_CLIENT_FOREVER, failure);
    psst_fds_close(fds, n);
    json_decref(params);
    (void)psst_failure_set(failure, err, PSST_EXIT_FAILED, "passphrase", "%s", diag.text);
    return NULL;
}

/* pass NULL or empty: the key has none. */
static json_t *unlock(struct psst_cli *cli, struct psst_passphrase *pass, struct psst_failure *failure)
{
    bool some = pass != NULL && pass->len > 0;
    return psst_cli_call_secret(cli, "unlock", json_pack("{s:b}", "passphrase", some), pass, NULL, -1, failure);
}

/* It is open, but not as it should be. */
static void tell_damage(const json_t *result)
{
    const char *damaged = psst_out_string(result, "damaged");
    if (damaged[0] != '\0') psst_cli_warn("%s", damaged);
}

int psst_cli_unlock_by_asking(struct psst_cli *cli)
{
    struct psst_failure failure;
    for (int tries = 0; tries < 3; tries++) {
        struct psst_passphrase pass;
        if (!psst_prompt_passphrase("Passphrase: ", &pass))
            return psst_cli_error(PSST_EXIT_LOCKED, "the identity stays locked");
        json_t *result = unlock(cli, &pass, &failure);
        psst_passphrase_wipe(&pass);
        tell_damage(result);
        json_decref(result);
        if (result != NULL) return PSST_EXIT_DONE;
        if (strcmp(failure.name, "passphrase") != 0) break;
        psst_cli_warn("%s", failure.words);
    }
    return strcmp(failure.name, "passphrase") == 0 ? PSST_EXIT_LOCKED : psst_cli_fail(&failure);
}

/* Identity of the status; NULL: said. *status is to be released. */
static json_t *identity_of(struct psst_cli *cli, json_t **status, int *code)
{
    *status = psst_cli_call(cli, "status", NULL, code);
    json_t *identity = json_object_get(*status, "identity");
    if (json_is_object(identity)) return identity;
    if (*status != NULL) *code = psst_cli_error(PSST_EXIT_LOCKED, "there is no identity yet: psst init");
    return NULL;
}

static int unlock_with(struct psst_cli *cli, const char *file, bool encrypted)
{
    struct psst_failure failure;
    struct psst_passphrase pass = {.len = 0};
    if (file != NULL) {
        int code = psst_cli_passphrase_file(file, &pass);
        if (code != PSST_EXIT_DONE) return code;
    } else if (encrypted && psst_prompt_possible()) {
        return psst_cli_unlock_by_asking(cli);
    } else if (encrypted) {
        return psst_cli_usage(cli, "no terminal to ask for the passphrase: use --passphrase-file");
    }
    json_t *result = unlock(cli, encrypted ? &pass : NULL, &failure);
    psst_passphrase_wipe(&pass);
    tell_damage(result);
    json_decref(result);
    return result != NULL ? PSST_EXIT_DONE : psst_cli_fail(&failure);
}

static int run_unlock(struct psst_cli *cli, int argc, char **argv)
{
    static const struct option options[] = {{"passphrase-file", required_argument, NULL, 'p'}, {NULL, 0, NULL, 0}};
    const char *file = NULL;
    int opt, code = PSST_EXIT_DONE;
    while ((opt = getopt_long(argc, argv, ":", options, NULL)) != -1) {
        if (opt != 'p') return psst_cli_bad_option(cli, argv);
        file = optarg;
    }
    if (!psst_cli_args(cli, argc, 0, 0, &code)) return code;
    json_t *status;
    json_t *identity = identity_of(cli, &status, &code);
    if (identity != NULL && psst_out_bool(identity, "locked"))
        code = unlock_with(cli, file, psst_out_bool(identity, "encrypted"));
    const json_t *history = json_object_get(status, "history"); /* as it was before */
    if (identity != NULL && !psst_out_bool(identity, "locked") && json_is_object(history))
        psst_cli_warn("%s", psst_out_string(history, "words"));
    if (identity != NULL && code == PSST_EXIT_DONE) (void)printf("%s is unlocked\n", psst_out_string(identity, "name"));
    json_decref(status);
    return code;
}

const struct psst_verb psst_verb_unlock = {
    "unlock",
    "unlock [--passphrase-file F|-]",
    "open your key; until then nobody can reach you",
    "Asks for the passphrase and hands it to psst-key, the one process that holds\n"
    "your key. Then your contacts can reach you, and what waited is sent.\n"
    "\n"
    "  --passphrase-file F   read it from the file F, or from standard input with -\n",
    PSST_VERB_DAEMON,
    PSST_SCREEN_OWN,
    run_unlock,
};

static int run_lock(struct psst_cli *cli, int argc, char **argv)
{
    int code = PSST_EXIT_DONE;
    static const struct option options[] = {{NULL, 0, NULL, 0}};
    if (getopt_long(argc, argv, ":", options, NULL) != -1) return psst_cli_bad_option(cli, argv);
    if (!psst_cli_args(cli, argc, 0, 0, &code)) return code;
    json_t *result = psst_cli_call(cli, "lock", NULL, &code);
    if (result != NULL) (void)printf("locked\n");
    json_decref(result);
    return code;
}

const struct psst_verb psst_verb_lock = {
    "lock",
    "lock",
    "end all sessions and forget the key until unlock",
    "Ends all sessions (the others are told), closes the history and makes psst-key\n"
    "forget the key. psstd goes on running; strangers cannot tell the difference.\n",
    PSST_VERB_DAEMON,
    PSST_SCREEN_SHOWN,
    run_lock,
};

struct passwd_options {
    const char *old_file, *new_file;
    bool none;
};

/* The old one, when there is one, and the new one. */
static int get_both(struct psst_cli *cli, const struct passwd_options *options, bool encrypted,
                    struct psst_passphrase *old, struct psst_passphrase *new_one)
{
    int code = PSST_EXIT_DONE;
    bool ask = psst_prompt_possible();
    if (options->old_file != NULL)
        code = psst_cli_passphrase_file(options->old_file, old);
    else if (encrypted && !ask)
        code = psst_cli_usage(cli, "no terminal to ask: use --passphrase-file and --new-passphrase-file");
    else if (encrypted && !psst_prompt_passphrase("Passphrase until now: ", old))
        code = psst_cli_error(PSST_EXIT_FAILED, "nothing was changed");
    if (code != PSST_EXIT_DONE || options->none) return code;
    if (options->new_file != NULL) return psst_cli_passphrase_file(options->new_file, new_one);
    if (!ask) return psst_cli_usage(cli, "no terminal to ask: use --new-passphrase-file or --no-passphrase");
    if (psst_prompt_new_passphrase("New passphrase (empty for none): ", new_one)) return PSST_EXIT_DONE;
    return psst_cli_error(PSST_EXIT_FAILED, "nothing was changed");
}

static int change_passphrase(struct psst_cli *cli, const struct passwd_options *options, bool encrypted)
{
    struct psst_passphrase old = {.len = 0}, new_one = {.len = 0};
    struct psst_failure failure;
    int code = get_both(cli, options, encrypted, &old, &new_one);
    if (code == PSST_EXIT_DONE) {
        if (!encrypted) psst_passphrase_wipe(&old);
        bool some = new_one.len > 0;
        json_t *params = json_pack("{s:b, s:b}", "old", old.len > 0, "new", some);
        json_t *result = psst_cli_call_secret(cli, "passwd", params, &old, &new_one, -1, &failure);
        code = result != NULL ? PSST_EXIT_DONE : psst_cli_fail(&failure);
        if (result != NULL) (void)printf(some ? "the passphrase was changed\n" : "the key has no passphrase now\n");
        json_decref(result);
    }
    psst_passphrase_wipe(&old);
    psst_passphrase_wipe(&new_one);
    return code;
}

static int run_passwd(struct psst_cli *cli, int argc, char **argv)
{
    static const struct option table[] = {{"passphrase-file", required_argument, NULL, 'p'},
                                          {"new-passphrase-file", required_argument, NULL, 'n'},
                                          {"no-passphrase", no_argument, NULL, 'x'},
                                          {NULL, 0, NULL, 0}};
    struct passwd_options options = {0};
    int opt, code = PSST_EXIT_DONE;
    while ((opt = getopt_long(argc, argv, ":", table, NULL)) != -1) {
        switch (opt) {
        case 'p': options.old_file = optarg; break;
        case 'n': options.new_file = optarg; break;
        case 'x': options.none = true; break;
        default: return psst_cli_bad_option(cli, argv);
        }
    }
    if (!psst_cli_args(cli, argc, 0, 0, &code)) return code;
    if (options.none && options.new_file != NULL) return psst_cli_usage(cli, "a new passphrase, or none?");
    if (options.old_file != NULL && options.new_file != NULL && strcmp(options.old_file, "-") == 0 &&
        strcmp(options.new_file, "-") == 0)
        return psst_cli_usage(cli, "only one of the two can be read from standard input");
    json_t *status;
    json_t *identity = identity_of(cli, &status, &code);
    if (identity != NULL) code = change_passphrase(cli, &options, psst_out_bool(identity, "encrypted"));
    json_decref(status);
    return code;
}

const struct psst_verb psst_verb_passwd = {
    "passwd",
    "passwd [--passphrase-file F] [--new-passphrase-file F]\npasswd [--passphrase-file F] --no-passphrase",
    "change the passphrase of your key",
    "Writes the private key anew under another passphrase. The key itself, and what\n"
    "others know of you, stays as it is.\n"
    "\n"
    "  --passphrase-file F       the one until now (- is standard input)\n"
    "  --new-passphrase-file F   the new one\n"
    "  --no-passphrase           from now on none: whoever gets the file has the key\n",
    PSST_VERB_DAEMON,
    PSST_SCREEN_ASKS,
    run_passwd,
};
