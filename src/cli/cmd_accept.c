/* psst accept: where something that was offered goes to. */
#include "cli/bar.h"
#include "client/out.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define WAIT_MAX_S 604800 /* a week */

/* Where to: params for file.accept, and a descriptor for a pipe. */
struct place {
    char *dir, *name; /* owned; NULL: the default */
    bool to_stdout;
};

static void place_fini(struct place *place)
{
    free(place->dir);
    free(place->name);
}

static int out_of_memory(void)
{
    return psst_cli_error(PSST_EXIT_FAILED, "out of memory");
}

/* A directory that is there takes it under its own name; another path is the name that it gets, in a directory that is
 * there. 0, or the exit code, said. */
static int find_place(struct place *place, const char *word)
{
    struct stat st;
    *place = (struct place){.to_stdout = strcmp(word, "-") == 0};
    if (place->to_stdout) return PSST_EXIT_DONE;
    if (stat(word, &st) == 0 && S_ISDIR(st.st_mode)) {
        place->dir = psst_cli_absolute(word);
        return place->dir != NULL ? PSST_EXIT_DONE : PSST_EXIT_FAILED;
    }
    if (lstat(word, &st) == 0)
        return psst_cli_error(PSST_EXIT_FAILED, "%s is there already, and nothing is ever overwritten", word);
    const char *slash = strrchr(word, '/'), *name = slash != NULL ? slash + 1 : word;
    if (name[0] == '\0') return psst_cli_error(PSST_EXIT_FAILED, "%s: %s", word, strerror(ENOENT));
    char *dir = slash == NULL ? strdup(".") : strndup(word, slash == word ? 1 : (size_t)(slash - word));
    place->name = strdup(name);
    if (dir == NULL || place->name == NULL) {
        free(dir);
        return out_of_memory();
    }
    place->dir = psst_cli_absolute(dir);
    free(dir);
    return place->dir != NULL ? PSST_EXIT_DONE : PSST_EXIT_FAILED;
}

static json_t *ask(struct psst_cli *cli, long long id, const struct place *place, int *code)
{
    struct psst_failure failure;
    json_t *params = json_pack("{s:I}", "id", (json_int_t)id);
    if (place->dir != NULL) (void)json_object_set_new(params, "dir", psst_rpc_text(place->dir));
    if (place->name != NULL) (void)json_object_set_new(params, "as", psst_rpc_text(place->name));
    if (!place->to_stdout) return psst_cli_call(cli, "file.accept", params, code);
    int fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    if (fd < 0) {
        json_decref(params);
        *code = psst_cli_error(PSST_EXIT_FAILED, "standard output: %s", strerror(errno));
        return NULL;
    }
    json_t *file = psst_client_call(cli->client, "file.accept", params, &fd, 1, PSST_CLI_CALL_MS, &failure);
    if (file == NULL) *code = psst_cli_fail(&failure);
    return file;
}

static int accept_one(struct psst_cli *cli, long long id, const struct place *place, bool follows, long long seconds)
{
    struct psst_follow follow;
    int code = place->to_stdout ? psst_cli_need_unlocked(cli) : PSST_EXIT_DONE;
    if (code == PSST_EXIT_DONE && follows) code = psst_follow_begin(&follow, cli);
    if (code != PSST_EXIT_DONE) return code;
    if (follows) follow.streams = place->to_stdout;
    json_t *file = ask(cli, id, place, &code);
    if (file != NULL && !follows)
        (void)printf("%s %lld, %s: accepted; psst files shows how far it is\n", psst_file_word(file), id,
                     psst_out_string(file, "name"));
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
    static const struct option options[] = {
        {"wait", required_argument, NULL, 'w'}, {"output", required_argument, NULL, 'o'}, {NULL, 0, NULL, 0}};
    const char *where = NULL;
    long long seconds = 0, id = 0;
    int opt, code = PSST_EXIT_DONE;
    while ((opt = getopt_long(argc, argv, ":o:w:", options, NULL)) != -1) {
        switch (opt) {
        case 'o': where = optarg; break;
        case 'w':
            if (!psst_cli_number(optarg, 1, WAIT_MAX_S, &seconds))
                return psst_cli_usage(cli, "--wait takes seconds, at least 1");
            break;
        default: return psst_cli_bad_option(cli, argv);
        }
    }
    if (!psst_cli_args(cli, argc, 1, 1, &code)) return code;
    if (!psst_cli_number(argv[optind], 1, INT64_MAX, &id))
        return psst_cli_usage(cli, "ID is the number of the file: psst files shows it");
    struct place place = {NULL, NULL, false};
    if (where != NULL) code = find_place(&place, where);
    if (place.to_stdout && isatty(STDOUT_FILENO)) /* what a contact sends could make it do anything */
        return psst_cli_usage(cli, "a stream is not shown on a terminal: name a file, or send it elsewhere");
    bool watched = place.to_stdout || (isatty(STDOUT_FILENO) && isatty(STDERR_FILENO));
    if (code == PSST_EXIT_DONE) code = accept_one(cli, id, &place, seconds > 0 || watched, seconds);
    place_fini(&place);
    return code;
}

const struct psst_verb psst_verb_accept = {
    "accept",
    "accept ID [-o DIR|FILE|-] [--wait S]",
    "take a file or stream that was offered",
    "It comes into DIR, by default the download directory, under the name that psst\n"
    "files shows, or is called FILE, which must not be there yet; nothing is ever\n"
    "overwritten, a second name becomes name (2). On a terminal it shows how far it\n"
    "is; an interrupt only ends the showing.\n"
    "\n"
    "A stream can also go to standard output, as it comes: -o -. psst then waits for\n"
    "its end: 0 when all has been passed on and its checksum is right; else 1, and\n"
    "what has been passed on is not to be trusted. An interrupt cancels it. Never to\n"
    "a terminal: what a contact sends could make it do anything.\n"
    "\n"
    "  -o DIR|FILE|-   into this directory, under this name, to standard output\n"
    "  --wait S        wait up to S seconds until it is done: 0, else 5\n",
    PSST_VERB_DAEMON,
    PSST_SCREEN_OWN,
    run_accept,
};
