/* psst backup, psst restore: everything that one is, in one encrypted file, and back. */
#include "cli/print.h"
#include "cli/prompt.h"
#include "cli/unlock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct backup_options {
    const char *passphrase_file;
    bool check;
};

/* ---- the passphrase ---- */

/* Twice, and never empty. */
static bool ask_new(struct psst_passphrase *out)
{
    struct psst_passphrase again;
    (void)fprintf(stderr, "The backup gets a passphrase of its own; several words are good. There is no way into\n"
                          "the backup without it.\n");
    for (;;) {
        if (!psst_prompt_passphrase("Passphrase of the backup: ", out)) return false;
        if (out->len == 0) {
            (void)fprintf(stderr, "A backup needs one.\n");
            continue;
        }
        if (!psst_prompt_passphrase("The same once more: ", &again)) {
            psst_passphrase_wipe(out);
            return false;
        }
        bool same = out->len == again.len && memcmp(out->text, again.text, out->len) == 0;
        psst_passphrase_wipe(&again);
        if (same) return true;
        psst_passphrase_wipe(out);
        (void)fprintf(stderr, "The two are not the same.\n");
    }
}

static int get_passphrase(struct psst_cli *cli, const char *file, bool new_one, struct psst_passphrase *out)
{
    if (file != NULL) return psst_cli_passphrase_file(file, out);
    if (!psst_prompt_possible())
        return psst_cli_usage(cli, "no terminal to ask for the passphrase of the backup: use --passphrase-file");
    bool there = new_one ? ask_new(out) : psst_prompt_passphrase("Passphrase of the backup: ", out);
    if (!there) return psst_cli_error(PSST_EXIT_FAILED, "nothing was done");
    return out->len > 0 ? PSST_EXIT_DONE : psst_cli_error(PSST_EXIT_FAILED, "every backup has a passphrase");
}

/* ---- names ---- */

/* The absolute path of a file that is to be made; NULL: said. */
static char *new_file(const char *path)
{
    char dir[PATH_MAX], whole[PATH_MAX * 2];
    struct stat st;
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    int len =
        snprintf(dir, sizeof dir, "%.*s", slash != NULL ? (int)(slash - path) + 1 : 1, slash != NULL ? path : ".");
    if (len < 0 || (size_t)len >= sizeof dir || name[0] == '\0') {
        psst_cli_warn("%s is no name for a file", path);
        return NULL;
    }
    if (lstat(path, &st) == 0) {
        psst_cli_warn("%s is there already, and is never overwritten: choose another name", path);
        return NULL;
    }
    char *folder = psst_cli_absolute(dir);
    if (folder == NULL) return NULL;
    (void)snprintf(whole, sizeof whole, "%s/%s", strcmp(folder, "/") == 0 ? "" : folder, name);
    free(folder);
    return strdup(whole);
}

/* ---- backup ---- */

static int make(struct psst_cli *cli, const char *file, const struct backup_options *options)
{
    struct psst_failure failure;
    struct psst_passphrase pass = {.len = 0};
    bool to_stdout = strcmp(file, "-") == 0;
    int out_fd = -1;
    if (to_stdout && isatty(STDOUT_FILENO))
        return psst_cli_usage(cli, "a backup is nothing to look at: name a file, or send it elsewhere");
    char *path = to_stdout ? NULL : new_file(file);
    if (!to_stdout && path == NULL) return PSST_EXIT_FAILED;
    int code = psst_cli_need_unlocked(cli);
    if (code == PSST_EXIT_DONE) code = get_passphrase(cli, options->passphrase_file, true, &pass);
    if (code == PSST_EXIT_DONE && to_stdout) {
        out_fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
        if (out_fd < 0) code = psst_cli_error(PSST_EXIT_FAILED, "standard output: %s", strerror(errno));
    }
    if (code == PSST_EXIT_DONE) {
        json_t *params = to_stdout ? json_object() : json_pack("{s:o}", "path", psst_rpc_text(path));
        json_t *result = psst_cli_call_secret(cli, "backup", params, &pass, NULL, out_fd, &failure);
        char size[PSST_SIZE_TEXT];
        if (result == NULL)
            code = psst_cli_fail(&failure);
        else if (!to_stdout)
            (void)printf("%s: %s, encrypted. psst backup --check tells whether it is whole,\n"
                         "psst restore brings it back. Keep its passphrase apart from it.\n",
                         psst_out_text(path, 500),
                         psst_out_size(size, (unsigned long long)psst_out_int(result, "bytes")));
        json_decref(result);
    }
    psst_passphrase_wipe(&pass);
    free(path);
    return code;
}

static void print_contents(const json_t *result)
{
    char key[PSST_SIZE_TEXT], size[PSST_SIZE_TEXT];
    psst_out_field("name", psst_out_string(result, "name"));
    psst_out_field("key", psst_out_key(key, result));
    psst_out_fingerprint("fingerprint", psst_out_string(result, "fingerprint"));
    psst_out_field("passphrase",
                   psst_out_bool(result, "encrypted") ? "the key has one of its own" : "the key has none");
    psst_out_field("history", psst_out_size(size, (unsigned long long)psst_out_int(result, "history_bytes")));
}

/* Asks the method about the backup in the file; NULL: said, *code is set. */
static json_t *read_backup(struct psst_cli *cli, const char *method, const char *file, const char *passphrase_file,
                           int *code)
{
    struct psst_failure failure;
    struct psst_passphrase pass = {.len = 0};
    json_t *result = NULL;
    char *path = psst_cli_absolute(file);
    *code = path == NULL ? PSST_EXIT_FAILED : psst_cli_connect(cli, true);
    if (*code == PSST_EXIT_DONE) *code = get_passphrase(cli, passphrase_file, false, &pass);
    if (*code == PSST_EXIT_DONE) {
        json_t *params = json_pack("{s:o}", "path", psst_rpc_text(path));
        result = psst_cli_call_secret(cli, method, params, &pass, NULL, -1, &failure);
        if (result == NULL) *code = psst_cli_fail(&failure);
    }
    psst_passphrase_wipe(&pass);
    free(path);
    return result;
}

static int check(struct psst_cli *cli, const char *file, const char *passphrase_file)
{
    int code;
    json_t *result = read_backup(cli, "backup.check", file, passphrase_file, &code);
    if (result == NULL) return code;
    print_contents(result);
    (void)printf("The backup is whole, from its first byte to its last.\n");
    json_decref(result);
    return PSST_EXIT_DONE;
}

static int run_backup(struct psst_cli *cli, int argc, char **argv)
{
    static const struct option table[] = {
        {"passphrase-file", required_argument, NULL, 'p'}, {"check", no_argument, NULL, 'c'}, {NULL, 0, NULL, 0}};
    struct backup_options options = {0};
    int opt, code = PSST_EXIT_DONE;
    while ((opt = getopt_long(argc, argv, ":", table, NULL)) != -1) {
        switch (opt) {
        case 'p': options.passphrase_file = optarg; break;
        case 'c': options.check = true; break;
        default: return psst_cli_bad_option(cli, argv);
        }
    }
    if (!psst_cli_args(cli, argc, 1, 1, &code)) return code;
    return options.check ? check(cli, argv[optind], options.passphrase_file) : make(cli, argv[optind], &options);
}

const struct psst_verb psst_verb_backup = {
    "backup",
    "backup [--passphrase-file F] FILE|-\nbackup --check [--passphrase-file F] FILE",
    "save all you are in psst to one encrypted file",
    "Writes your private key (still under its own passphrase), your card, settings,\n"
    "contacts, history and what waits to be sent into FILE, encrypted under another\n"
    "passphrase that you choose. Messages come and go meanwhile. FILE must not exist\n"
    "yet; - is standard output.\n"
    "\n"
    "  --check               read a backup to its end and touch nothing\n"
    "  --passphrase-file F   the backup's passphrase, from F (- standard input)\n",
    PSST_VERB_DAEMON,
    PSST_SCREEN_ASKS,
    run_backup,
};

/* ---- restore ---- */

/* psstd may have been told to listen where this machine has no address, or where another one listens. */
static void warn_when_deaf(struct psst_cli *cli)
{
    struct psst_failure failure;
    json_t *status = psst_cli_try(cli, "status", NULL, &failure);
    if (status != NULL && json_array_size(json_object_get(status, "listen")) == 0)
        psst_cli_warn("warning: nobody can reach you, since psstd listens nowhere: psst up says why");
    json_decref(status);
}

/* Before anybody types a passphrase. psstd looks again, and at all files. */
static int refuse_when_there(struct psst_cli *cli)
{
    int code = PSST_EXIT_DONE;
    json_t *status = psst_cli_call(cli, "status", NULL, &code);
    const json_t *identity = json_object_get(status, "identity");
    if (json_is_object(identity))
        code =
            psst_cli_error(PSST_EXIT_FAILED,
                           "there is an identity already (%s), and nothing is ever restored over it: set PSST_HOME to "
                           "an empty folder",
                           psst_out_string(identity, "name"));
    json_decref(status);
    return code;
}

static int run_restore(struct psst_cli *cli, int argc, char **argv)
{
    static const struct option table[] = {{"passphrase-file", required_argument, NULL, 'p'}, {NULL, 0, NULL, 0}};
    const char *passphrase_file = NULL;
    int opt, code = PSST_EXIT_DONE;
    while ((opt = getopt_long(argc, argv, ":", table, NULL)) != -1) {
        if (opt != 'p') return psst_cli_bad_option(cli, argv);
        passphrase_file = optarg;
    }
    if (!psst_cli_args(cli, argc, 1, 1, &code)) return code;
    if (strcmp(argv[optind], "-") == 0)
        return psst_cli_usage(cli, "a backup is restored from a file: save it to one first");
    code = refuse_when_there(cli);
    if (code != PSST_EXIT_DONE) return code;
    json_t *result = read_backup(cli, "restore", argv[optind], passphrase_file, &code);
    if (result == NULL) return code;
    print_contents(result);
    if (psst_out_bool(result, "command_left_out"))
        psst_cli_warn("passphrase_command was left out, since it is a program that would be run: psst set it yourself");
    if (json_is_string(json_object_get(result, "settings_error")))
        psst_cli_warn("not all settings could be restored: %s", psst_out_string(result, "settings_error"));
    warn_when_deaf(cli);
    (void)printf("Restored.%s If the old machine still runs psst, end it there: psst down.\n",
                 psst_out_bool(result, "encrypted") ? " Next: psst unlock." : "");
    json_decref(result);
    return PSST_EXIT_DONE;
}

const struct psst_verb psst_verb_restore = {
    "restore",
    "restore [--passphrase-file F] FILE",
    "be who is in a backup, on a machine without psst",
    "Reads the backup in FILE to its end, and only when all of it is whole puts\n"
    "identity, contacts, history and what waits to be sent in their places. Never\n"
    "over an identity or history that is there. The setting passphrase_command is\n"
    "left out. Then: psst unlock, with the passphrase of the key.\n"
    "\n"
    "  --passphrase-file F   the backup's passphrase, from F (- standard input)\n",
    PSST_VERB_DAEMON,
    PSST_SCREEN_NOT,
    run_restore,
};
