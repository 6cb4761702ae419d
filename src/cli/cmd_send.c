/* psst send: files and folders are offered, and standard input is streamed. */
#include "cli/bar.h"
#include "client/out.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define WAIT_MAX_S 604800 /* a week */
#define LOOK_MS    600000 /* for a folder to be looked through */

static const struct option options[] = {
    {"wait", required_argument, NULL, 'w'}, {"name", required_argument, NULL, 'n'}, {NULL, 0, NULL, 0}};

/* ---- files and folders ---- */

/* Absolute, and a file or folder that can be read: said at once, not in the middle. NULL: said. */
static char *check_file(const char *path)
{
    struct stat st;
    char *whole = psst_cli_absolute(path);
    if (whole == NULL) return NULL;
    const char *trouble = NULL;
    if (stat(whole, &st) != 0)
        trouble = strerror(errno);
    else if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
        trouble = "it is neither a plain file nor a folder";
    else if (access(whole, S_ISDIR(st.st_mode) ? R_OK | X_OK : R_OK) != 0)
        trouble = strerror(errno);
    else if (!psst_text_valid(psst_view_str(whole)))
        trouble = "its path is no UTF-8";
    if (trouble == NULL) return whole;
    psst_cli_warn("%s: %s", path, trouble);
    free(whole);
    return NULL;
}

/* ": 12 files in 3 folders, 4.5 MB": what is in it, and what is left out of it. */
static void describe_folder(const json_t *result)
{
    const json_t *contents = json_object_get(result, "contents"), *list = json_object_get(result, "left_out");
    char size[PSST_SIZE_TEXT];
    long long files = psst_out_int(contents, "files"), folders = psst_out_int(contents, "folders");
    long long left = psst_out_int(contents, "left_out"), named = (long long)json_array_size(list);
    (void)printf("; %lld file%s in %lld folder%s, %s\n", files, files == 1 ? "" : "s", folders + 1,
                 folders == 0 ? "" : "s", psst_out_size(size, (unsigned long long)psst_out_int(contents, "bytes")));
    (void)fflush(stdout);
    for (size_t i = 0; i < json_array_size(list); i++)
        psst_cli_warn("left out: %s", psst_out_text(json_string_value(json_array_get(list, i)), 300));
    if (left > named) psst_cli_warn("left out: %lld more", left - named);
}

static int send_one(struct psst_cli *cli, const char *name, const char *path, long long *id)
{
    struct psst_failure failure;
    int code = psst_cli_need_unlocked(cli);
    if (code != PSST_EXIT_DONE) return code;
    json_t *params = psst_rpc_name(name);
    (void)json_object_set_new(params, "path", json_string(path));
    json_t *result = psst_client_call(cli->client, "send", params, NULL, 0, LOOK_MS, &failure);
    if (result == NULL) return psst_cli_fail(&failure);
    const char *base = strrchr(path, '/') + 1;
    bool folder = json_object_get(result, "contents") != NULL;
    *id = psst_out_int(result, "id");
    (void)printf("%s %lld, %s: offered to %s now, or at the next session", folder ? "folder" : "file", *id,
                 psst_out_text(base, 255), psst_out_text(name, 80));
    if (folder)
        describe_folder(result);
    else
        (void)printf("\n");
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

/* ---- standard input ---- */

/* Whoever reads it is psstd; here is waited for the end, and with us goes the stream. */
static int stream_id(struct psst_cli *cli, const char *name, const char *as, long long *id)
{
    struct psst_failure failure;
    int fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
    if (fd < 0) return psst_cli_error(PSST_EXIT_FAILED, "standard input: %s", strerror(errno));
    json_t *params = psst_rpc_name(name);
    if (as != NULL) (void)json_object_set_new(params, "as", psst_rpc_text(as));
    json_t *result = psst_client_call(cli->client, "send", params, &fd, 1, PSST_CLI_CALL_MS, &failure);
    if (result == NULL) return psst_cli_fail(&failure);
    *id = psst_out_int(result, "id");
    json_decref(result);
    return PSST_EXIT_DONE;
}

static int send_stream(struct psst_cli *cli, const char *name, const char *as, long long seconds)
{
    struct psst_follow follow;
    long long id = 0;
    int code = psst_cli_need_unlocked(cli);
    if (code != PSST_EXIT_DONE) return code;
    code = psst_follow_begin(&follow, cli);
    follow.streams = true;
    if (code == PSST_EXIT_DONE) code = stream_id(cli, name, as, &id);
    if (code == PSST_EXIT_DONE) {
        psst_cli_warn("stream %lld: offered to %s now, or at the next session", id, psst_out_text(name, 80));
        psst_follow_add(&follow, id);
        code = psst_follow_wait(&follow, seconds);
    }
    psst_follow_end(&follow);
    return code;
}

/* ---- the verb ---- */

static int send_files(struct psst_cli *cli, const char *name, char **files, int n_files, long long seconds)
{
    char *paths[PSST_FOLLOW_MAX];
    size_t n = 0;
    int code = PSST_EXIT_DONE;
    for (int i = 0; i < n_files && code == PSST_EXIT_DONE; i++) {
        paths[n] = check_file(files[i]);
        if (paths[n] == NULL)
            code = PSST_EXIT_FAILED;
        else
            n++;
    }
    if (code == PSST_EXIT_DONE) code = send_all(cli, name, paths, n, seconds);
    for (size_t i = 0; i < n; i++) free(paths[i]);
    return code;
}

static int run_send(struct psst_cli *cli, int argc, char **argv)
{
    const char *as = NULL;
    long long seconds = 0;
    int opt, code = PSST_EXIT_DONE;
    while ((opt = getopt_long(argc, argv, ":w:", options, NULL)) != -1) {
        switch (opt) {
        case 'n': as = optarg; break;
        case 'w':
            if (!psst_cli_number(optarg, 1, WAIT_MAX_S, &seconds))
                return psst_cli_usage(cli, "--wait takes seconds, at least 1");
            break;
        default: return psst_cli_bad_option(cli, argv);
        }
    }
    if (!psst_cli_args(cli, argc, 2, 1 + PSST_FOLLOW_MAX, &code)) return code;
    const char *name = argv[optind];
    char **files = argv + optind + 1;
    int n = argc - optind - 1;
    bool stream = n == 1 && strcmp(files[0], "-") == 0;
    if (as != NULL && !stream) return psst_cli_usage(cli, "--name is for standard input: psst send NAME -");
    if (as != NULL && (as[0] == '\0' || strlen(as) > 255)) return psst_cli_usage(cli, "a name has 1 to 255 bytes");
    return stream ? send_stream(cli, name, as, seconds) : send_files(cli, name, files, n, seconds);
}

const struct psst_verb psst_verb_send = {
    "send",
    "send NAME [--wait S] FILE|FOLDER...\nsend NAME [--wait S] [--name N] -",
    "offer files, folders or standard input",
    "Each file or folder is offered by itself; the other side accepts or declines it.\n"
    "It is read while it is sent, so leave it as it is until it is done: one that\n"
    "changes is cancelled. What is cut off goes on at the next session, from the last\n"
    "byte that is safe over there; its SHA-256 is checked at the end.\n"
    "\n"
    "Of a FOLDER the files and folders in it are sent, at most 100,000 and 32 deep.\n"
    "Links, devices and what cannot be read are left out, and named. Over there no\n"
    "file of it is executable, and none is hidden: .name becomes name.\n"
    "\n"
    "With - standard input is streamed: the other side can pass it on to a pipe while\n"
    "it comes (psst accept ID -o -). psst waits until all of it is acknowledged; an\n"
    "interrupt cancels it. A stream cannot be taken up again: a session that breaks\n"
    "ends it, on both sides.\n"
    "\n"
    "  --wait S   wait up to S seconds until all are done: 0, else 5; 6 when declined\n"
    "  --name N   what the stream is called over there; by default stream\n",
    PSST_VERB_DAEMON,
    PSST_SCREEN_SHOWN,
    run_send,
};
