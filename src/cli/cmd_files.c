/* psst send, files, accept, decline. */
#include "cli/bar.h"
#include "cli/out.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define WAIT_MAX_S 604800 /* a week */

static const struct option wait_options[] = {
    {"wait", required_argument, NULL, 'w'}, {"output", required_argument, NULL, 'o'}, {NULL, 0, NULL, 0}};

/* ---- send ---- */

/* Absolute, and a file that can be read: said at once, not in the middle. NULL: said. */
static char *check_file(const char *path)
{
    struct stat st;
    char *whole = psst_cli_absolute(path);
    if (whole == NULL) return NULL;
    const char *trouble = NULL;
    if (stat(whole, &st) != 0)
        trouble = strerror(errno);
    else if (S_ISDIR(st.st_mode))
        trouble = "it is a directory: pack it into one file first";
    else if (!S_ISREG(st.st_mode))
        trouble = "it is not a plain file";
    else if (access(whole, R_OK) != 0)
        trouble = strerror(errno);
    else if (!psst_text_valid(psst_view_str(whole)))
        trouble = "its path is no UTF-8";
    if (trouble == NULL) return whole;
    psst_cli_warn("%s: %s", path, trouble);
    free(whole);
    return NULL;
}

static int send_one(struct psst_cli *cli, const char *name, const char *path, long long *id)
{
    int code = PSST_EXIT_DONE;
    json_t *params = psst_cli_name(name);
    (void)json_object_set_new(params, "path", json_string(path));
    json_t *result = psst_cli_call(cli, "send", params, &code);
    if (result == NULL) return code;
    const char *base = strrchr(path, '/') + 1;
    *id = psst_out_int(result, "id");
    (void)printf("file %lld, %s: offered to %s now, or at the next session\n", *id, psst_out_text(base, 255),
                 psst_out_text(name, 80));
    (void)fflush(stdout);
    json_decref(result);
    return PSST_EXIT_DONE;
}

static int send_all(struct psst_cli *cli, const char *name, char **paths, size_t n, long long seconds)
{
    struct psst_follow follow;
    int code = PSST_EXIT_DONE;
    if (seconds > 0) code = psst_follow_begin(&follow, cli);
    for (size_t i = 0; i < n && code == PSST_EXIT_DONE; i++) {
        long long id = 0;
        code = send_one(cli, name, paths[i], &id);
        if (code == PSST_EXIT_DONE && seconds > 0) psst_follow_add(&follow, id);
    }
    if (seconds > 0) {
        if (code == PSST_EXIT_DONE) code = psst_follow_wait(&follow, seconds);
        psst_follow_end(&follow);
    }
    return code;
}

static int run_send(struct psst_cli *cli, int argc, char **argv)
{
    long long seconds = 0;
    int opt, code = PSST_EXIT_DONE;
    while ((opt = getopt_long(argc, argv, ":w:", wait_options, NULL)) != -1) {
        if (opt != 'w') return psst_cli_bad_option(cli, argv);
        if (!psst_cli_number(optarg, 1, WAIT_MAX_S, &seconds))
            return psst_cli_usage(cli, "--wait takes seconds, at least 1");
    }
    if (!psst_cli_args(cli, argc, 2, 1 + PSST_FOLLOW_MAX, &code)) return code;
    const char *name = argv[optind];
    char *paths[PSST_FOLLOW_MAX];
    size_t n = 0;
    for (int i = optind + 1; i < argc; i++) {
        paths[n] = check_file(argv[i]);
        if (paths[n] == NULL) {
            code = PSST_EXIT_FAILED;
            break;
        }
        n++;
    }
    if (code == PSST_EXIT_DONE) code = send_all(cli, name, paths, n, seconds);
    for (size_t i = 0; i < n; i++) free(paths[i]);
    return code;
}

const struct psst_verb psst_verb_send = {
    "send",
    "send NAME [--wait S] FILE...",
    "offer files to a contact",
    "Each file is offered by itself; the other side accepts or declines it. It is\n"
    "read while it is sent, so leave it where it is until it is done; its SHA-256 is\n"
    "checked at the other end. What is cut off begins anew at the next session.\n"
    "\n"
    "  --wait S   wait up to S seconds until all are done: 0, else 5; 6 when declined\n",
    PSST_VERB_DAEMON,
    run_send,
};

/* ---- files ---- */

static const char *progress(char out[64], const json_t *file)
{
    char size[PSST_SIZE_TEXT];
    long long whole = psst_out_int(file, "size"), done = psst_out_int(file, "done");
    (void)psst_out_size(size, (unsigned long long)whole);
    if (strcmp(psst_out_string(file, "state"), "running") == 0 && whole > 0)
        (void)snprintf(out, 64, "%d%% of %s", (int)((double)done * 100 / (double)whole), size);
    else
        (void)snprintf(out, 64, "%s", size);
    return out;
}

static void print_files(const json_t *list)
{
    struct psst_table table;
    psst_table_init(&table, 5);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *file = json_array_get(list, i);
        char id[32], whom[128], how_far[64], state[256];
        bool in = strcmp(psst_out_string(file, "direction"), "in") == 0;
        (void)snprintf(id, sizeof id, "%lld", psst_out_int(file, "id"));
        (void)snprintf(whom, sizeof whom, "%s %s", in ? "from" : "to",
                       psst_out_text(json_string_value(json_object_get(file, "contact")), 20));
        psst_table_add(&table, id);
        psst_table_add(&table, whom);
        psst_table_add(&table, progress(how_far, file));
        psst_table_add(&table, psst_out_text(json_string_value(json_object_get(file, "name")), 40));
        psst_table_add(&table, psst_file_state(state, file));
    }
    psst_table_print(&table, stdout);
    psst_table_fini(&table);
}

static int run_files(struct psst_cli *cli, int argc, char **argv)
{
    bool as_json;
    int code = PSST_EXIT_DONE;
    if (!psst_cli_json_only(cli, argc, argv, &as_json, &code)) return code;
    json_t *result = psst_cli_call(cli, "files", NULL, &code);
    if (result == NULL) return code;
    const json_t *list = json_object_get(result, "files");
    psst_cli_warn_damaged(result);
    if (as_json)
        psst_out_json_list(list);
    else if (json_array_size(list) == 0)
        (void)printf("no files yet: psst send NAME FILE\n");
    else
        print_files(list);
    json_decref(result);
    return PSST_EXIT_DONE;
}

const struct psst_verb psst_verb_files = {
    "files",
    "files [--json]",
    "offered, running and finished files",
    "The number in front is what psst accept and psst decline take. Names of files\n"
    "that others offer have been made harmless.\n"
    "\n"
    "  --json   a list of objects: id, contact, direction, name, size, done, state,\n"
    "           reason, path\n",
    PSST_VERB_DAEMON,
    run_files,
};

/* ---- accept, decline ---- */

static bool take_id(const struct psst_cli *cli, const char *word, long long *id, int *code)
{
    if (psst_cli_number(word, 1, INT64_MAX, id)) return true;
    *code = psst_cli_usage(cli, "ID is the number of the file: psst files shows it");
    return false;
}

static int accept_one(struct psst_cli *cli, long long id, const char *dir, bool follows, long long seconds)
{
    struct psst_follow follow;
    int code = follows ? psst_follow_begin(&follow, cli) : PSST_EXIT_DONE;
    json_t *params = json_pack("{s:I}", "id", (json_int_t)id);
    if (dir != NULL) (void)json_object_set_new(params, "dir", psst_cli_text(dir));
    json_t *file = code == PSST_EXIT_DONE ? psst_cli_call(cli, "file.accept", params, &code) : NULL;
    if (file != NULL && !follows)
        (void)printf("file %lld, %s: accepted; psst files shows how far it is\n", id, psst_out_string(file, "name"));
    if (file != NULL && follows) {
        psst_follow_add(&follow, id);
        code = psst_follow_wait(&follow, seconds);
    }
    json_decref(file);
    if (follows) psst_follow_end(&follow);
    return code;
}

static int run_accept(struct psst_cli *cli, int argc, char **argv)
{
    const char *dir = NULL;
    long long seconds = 0, id = 0;
    int opt, code = PSST_EXIT_DONE;
    while ((opt = getopt_long(argc, argv, ":o:w:", wait_options, NULL)) != -1) {
        switch (opt) {
        case 'o': dir = optarg; break;
        case 'w':
            if (!psst_cli_number(optarg, 1, WAIT_MAX_S, &seconds))
                return psst_cli_usage(cli, "--wait takes seconds, at least 1");
            break;
        default: return psst_cli_bad_option(cli, argv);
        }
    }
    if (!psst_cli_args(cli, argc, 1, 1, &code) || !take_id(cli, argv[optind], &id, &code)) return code;
    char *whole = NULL;
    if (dir != NULL) {
        whole = psst_cli_absolute(dir);
        if (whole == NULL) return PSST_EXIT_FAILED;
    }
    bool watched = isatty(STDOUT_FILENO) && isatty(STDERR_FILENO);
    code = accept_one(cli, id, whole, seconds > 0 || watched, seconds);
    free(whole);
    return code;
}

const struct psst_verb psst_verb_accept = {
    "accept",
    "accept ID [-o DIR] [--wait S]",
    "take a file that was offered",
    "The file comes into DIR, by default the download directory, under the name that\n"
    "psst files shows; a file of that name is never overwritten, the new one becomes\n"
    "name (2). On a terminal it shows how far it is; an interrupt only ends the\n"
    "showing.\n"
    "\n"
    "  -o DIR     into this directory\n"
    "  --wait S   wait up to S seconds until it is done: 0, else 5\n",
    PSST_VERB_DAEMON,
    run_accept,
};

static int run_decline(struct psst_cli *cli, int argc, char **argv)
{
    static const struct option no_options[] = {{NULL, 0, NULL, 0}};
    long long id = 0;
    int code = PSST_EXIT_DONE;
    if (getopt_long(argc, argv, ":", no_options, NULL) != -1) return psst_cli_bad_option(cli, argv);
    if (!psst_cli_args(cli, argc, 1, 1, &code) || !take_id(cli, argv[optind], &id, &code)) return code;
    json_t *file = psst_cli_call(cli, "file.decline", json_pack("{s:I}", "id", (json_int_t)id), &code);
    if (file != NULL) (void)printf("file %lld, %s: declined\n", id, psst_out_string(file, "name"));
    json_decref(file);
    return code;
}

const struct psst_verb psst_verb_decline = {
    "decline",
    "decline ID",
    "refuse a file, or stop a running one",
    "Works in both directions: it also takes back an offer of yours. The other side\n"
    "is told; what has come of the file is removed.\n",
    PSST_VERB_DAEMON,
    run_decline,
};
