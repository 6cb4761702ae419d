/* What the verbs share: words on standard error, psstd, numbers. */
#include "cli/cli.h"

#include "cli/prompt.h"
#include "cli/unlock.h"
#include "client/out.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

#define DAMAGES_SHOWN 8

/* ---- words ---- */

static void put_words(const char *fmt, va_list args)
{
    char words[2048];
    (void)fflush(stdout);
    (void)vsnprintf(words, sizeof words, fmt, args);
    (void)fprintf(stderr, "psst: %s\n", psst_out_text(words, 1500));
}

void psst_cli_warn(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    put_words(fmt, args);
    va_end(args);
}

void psst_cli_warn_damaged(const json_t *answer)
{
    const json_t *list = json_object_get(answer, "damaged");
    for (size_t i = 0; i < json_array_size(list) && i < DAMAGES_SHOWN; i++) {
        const json_t *one = json_array_get(list, i);
        const char *words = json_is_string(one) ? json_string_value(one) : psst_out_string(one, "words");
        psst_cli_warn("cannot be read, the history is damaged: %s", psst_out_text(words, 200));
    }
    if (json_array_size(list) > DAMAGES_SHOWN) psst_cli_warn("and more cannot be read: psst status");
}

int psst_cli_error(int exit_code, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    put_words(fmt, args);
    va_end(args);
    return exit_code;
}

int psst_cli_fail(const struct psst_failure *failure)
{
    return psst_cli_error((int)failure->exit_code, "%s", failure->words);
}

void psst_cli_print_usage(FILE *f, const struct psst_verb *verb)
{
    const char *lead = "usage: psst ";
    for (const char *line = verb->usage; line != NULL;) {
        const char *end = strchr(line, '\n');
        (void)fprintf(f, "%s%.*s\n", lead, (int)(end != NULL ? (size_t)(end - line) : strlen(line)), line);
        line = end != NULL ? end + 1 : NULL;
        lead = "       psst ";
    }
}

int psst_cli_usage(const struct psst_cli *cli, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    put_words(fmt, args);
    va_end(args);
    psst_cli_print_usage(stderr, cli->verb);
    return PSST_EXIT_USAGE;
}

int psst_cli_bad_option(const struct psst_cli *cli, char **argv)
{
    const char *word = optind > 0 ? argv[optind - 1] : "";
    if (optopt != 0 && strncmp(word, "--", 2) != 0) return psst_cli_usage(cli, "what is the option -%c?", optopt);
    return psst_cli_usage(cli, "what is the option %s, or what is missing behind it?", word);
}

bool psst_cli_args(const struct psst_cli *cli, int argc, int min, int max, int *code)
{
    int n = argc - optind;
    if (n < min)
        *code = psst_cli_usage(cli, "something is missing");
    else if (n > max)
        *code = psst_cli_usage(cli, "that is too much");
    return n >= min && n <= max;
}

bool psst_cli_json_only(const struct psst_cli *cli, int argc, char **argv, bool *as_json, int *code)
{
    static const struct option table[] = {{"json", no_argument, NULL, 'j'}, {NULL, 0, NULL, 0}};
    int opt;
    *as_json = false;
    while ((opt = getopt_long(argc, argv, ":", table, NULL)) != -1) {
        if (opt != 'j') {
            *code = psst_cli_bad_option(cli, argv);
            return false;
        }
        *as_json = true;
    }
    return psst_cli_args(cli, argc, 0, 0, code);
}

/* ---- psstd ---- */

int psst_cli_connect(struct psst_cli *cli, bool start)
{
    static const struct psst_client_start how = {NULL};
    struct psst_failure failure;
    if (cli->client != NULL) return PSST_EXIT_DONE;
    if (psst_client_open(&cli->client, &cli->paths, start ? &how : NULL, &failure) == PSST_OK) return PSST_EXIT_DONE;
    return psst_cli_fail(&failure);
}

static int patience(const char *method)
{
    static const char *const erasing[] = {"contact.forget", "contact.history", "contact.remove", "lock"};
    if (strcmp(method, "dial") == 0) return PSST_CLI_DIAL_MS;
    for (size_t i = 0; i < sizeof erasing / sizeof erasing[0]; i++)
        if (strcmp(method, erasing[i]) == 0) return PSST_CLI_ERASE_MS;
    return PSST_CLI_CALL_MS;
}

json_t *psst_cli_try(struct psst_cli *cli, const char *method, json_t *params, struct psst_failure *failure)
{
    return psst_client_call(cli->client, method, params, NULL, 0, patience(method), failure);
}

json_t *psst_cli_call(struct psst_cli *cli, const char *method, json_t *params, int *code)
{
    struct psst_failure failure;
    if (cli->client == NULL) *code = psst_cli_connect(cli, cli->verb->daemon == PSST_VERB_DAEMON);
    if (cli->client == NULL) {
        json_decref(params);
        return NULL;
    }
    json_t *copy = json_incref(params);
    json_t *result = psst_cli_try(cli, method, params, &failure);
    if (result == NULL && strcmp(failure.name, "locked") == 0 && psst_prompt_possible()) {
        *code = psst_cli_unlock_by_asking(cli);
        if (*code != PSST_EXIT_DONE) {
            json_decref(copy);
            return NULL;
        }
        result = psst_cli_try(cli, method, copy, &failure);
    } else {
        json_decref(copy);
    }
    if (result == NULL) *code = psst_cli_fail(&failure);
    return result;
}

int psst_cli_need_unlocked(struct psst_cli *cli)
{
    int code = PSST_EXIT_DONE;
    json_decref(psst_cli_call(cli, "contacts", json_pack("{s:i}", "limit", 1), &code));
    return code;
}

/* ---- numbers and paths ---- */

bool psst_cli_number(const char *text, long long lo, long long hi, long long *out)
{
    char *end;
    if (text[0] < '0' || text[0] > '9') return false;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno != 0 || *end != '\0' || value < lo || value > hi) return false;
    *out = value;
    return true;
}

char *psst_cli_absolute(const char *path)
{
    char *whole = realpath(path, NULL);
    if (whole == NULL) psst_cli_warn("%s: %s", path, strerror(errno));
    return whole;
}
