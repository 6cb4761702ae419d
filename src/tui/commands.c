/* What a line that begins with a slash means, and that it is done: a command of the table, else a verb of the command line. */
#include "client/private.h"
#include "tui/commands_run.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NAME_SIZE 32
#define NAMES_MAX 128 /* commands and verbs together */

/* ---- which one is meant ---- */

const struct psst_verb *psst_command_verb(const struct psst_app *app, const char *name)
{
    for (size_t i = 0; app->setup != NULL && i < app->setup->n_verbs; i++)
        if (strcasecmp(app->setup->verbs[i]->name, name) == 0) return app->setup->verbs[i];
    return NULL;
}

static const struct psst_command *command_of(const char *name)
{
    for (size_t i = 0; i < psst_commands_count; i++)
        if (strcasecmp(psst_commands[i].name, name) == 0) return &psst_commands[i];
    return NULL;
}

/* Names that may be shortened: of commands, then of verbs that have none; not of verbs that make no sense here. */
static size_t all_names(const struct psst_app *app, const char *names[NAMES_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < psst_commands_count && n < NAMES_MAX; i++) names[n++] = psst_commands[i].name;
    for (size_t i = 0; app->setup != NULL && i < app->setup->n_verbs && n < NAMES_MAX; i++) {
        const struct psst_verb *verb = app->setup->verbs[i];
        if (verb->screen != PSST_SCREEN_NOT && command_of(verb->name) == NULL) names[n++] = verb->name;
    }
    return n;
}

static size_t beginning(const struct psst_app *app, const char *begun, const char *found[NAMES_MAX])
{
    const char *names[NAMES_MAX];
    size_t n = all_names(app, names), k = 0;
    for (size_t i = 0; i < n; i++)
        if (strncasecmp(names[i], begun, strlen(begun)) == 0) found[k++] = names[i];
    return k;
}

bool psst_command_find(const struct psst_app *app, const char *name, const struct psst_command **command,
                       const struct psst_verb **verb)
{
    const char *found[NAMES_MAX];
    if (name[0] == '\0') return false;
    if (command_of(name) == NULL && psst_command_verb(app, name) == NULL) {
        if (beginning(app, name, found) != 1) return false;
        name = found[0];
    }
    *command = command_of(name);
    *verb = psst_command_verb(app, name);
    return true;
}

const char *psst_command_usage(const struct psst_app *app, const struct psst_command *command)
{
    const struct psst_verb *verb = psst_command_verb(app, command->name);
    return command->usage != NULL ? command->usage : verb != NULL ? verb->usage : command->name;
}

const char *psst_command_summary(const struct psst_app *app, const struct psst_command *command)
{
    const struct psst_verb *verb = psst_command_verb(app, command->name);
    return command->summary != NULL ? command->summary : verb != NULL ? verb->summary : "";
}

const char *psst_command_nearest(const struct psst_app *app, const char *name)
{
    const char *names[NAMES_MAX], *nearest = NULL;
    size_t n = all_names(app, names);
    unsigned least = PSST_VERB_SLIP;
    for (size_t i = 0; i < n; i++) {
        unsigned d = psst_verb_distance(name, names[i]);
        if (d >= least) continue;
        least = d;
        nearest = names[i];
    }
    return nearest;
}

static void say_unknown(struct psst_app *app, const char *name)
{
    const char *found[NAMES_MAX], *nearest = psst_command_nearest(app, name);
    size_t n = beginning(app, name, found);
    if (n > 1) {
        char list[512] = "";
        for (size_t i = 0; i < n && strlen(list) + NAME_SIZE < sizeof list; i++) {
            size_t len = strlen(list);
            (void)snprintf(list + len, sizeof list - len, "%s/%s", i == 0 ? "" : i + 1 == n ? " or " : ", ", found[i]);
        }
        psst_app_error(app, "/%s may be %s", name, list);
    } else if (nearest != NULL) {
        psst_app_error(app, "there is no command /%s; is /%s meant?", name, nearest);
    } else {
        psst_app_error(app, "there is no command /%.64s (F1 shows them); with two slashes it is said as text", name);
    }
}

/* ---- who is meant ---- */

const struct psst_person *psst_command_person(const struct psst_app *app, const char *word)
{
    const struct psst_person *person = psst_model_find(app->model, word), *only = NULL;
    if (person != NULL || word[0] == '\0') return person;
    for (size_t i = 0; i < psst_model_people(app->model); i++) {
        const struct psst_person *one = psst_model_person(app->model, i);
        if (strncasecmp(one->name, word, strlen(word)) != 0) continue;
        if (only != NULL) return NULL;
        only = one;
    }
    return only;
}

const struct psst_person *psst_command_whom(struct psst_app *app, int n, char **words, int i)
{
    const struct psst_person *person = NULL;
    if (i < n) {
        person = psst_command_person(app, words[i]);
        if (person == NULL) psst_app_error(app, "there is no contact %s", words[i]);
    } else {
        if (app->open != NULL) person = psst_model_find(app->model, app->open);
        if (person == NULL) psst_app_error(app, PSST_NOBODY_OPEN);
    }
    return person;
}

bool psst_command_has_options(int n, char **words)
{
    for (int i = 1; i < n; i++)
        if (words[i][0] == '-' && words[i][1] != '\0') return true;
    return false;
}

/* ---- verbs ---- */

static bool takes_name(const struct psst_verb *verb)
{
    size_t n = strlen(verb->name);
    return strncmp(verb->usage, verb->name, n) == 0 && strncmp(verb->usage + n, " NAME", 5) == 0;
}

/* Whether the name of who is open is to be put first: it belongs there, and was left out. */
static bool lacks_name(struct psst_app *app, const struct psst_verb *verb, int n, char **words)
{
    if (app->open == NULL || !takes_name(verb)) return false;
    if (n > 1 && psst_model_find(app->model, words[1]) != NULL) return false;
    return n < 2 || words[1][0] != '-' || psst_model_find(app->model, words[n - 1]) == NULL;
}

static void run_verb(struct psst_app *app, const struct psst_verb *verb, int n, char **words)
{
    char **argv = calloc((size_t)n + 2, sizeof *argv);
    int at = 0;
    if (argv == NULL) return;
    argv[at++] = (char *)verb->name;
    if (lacks_name(app, verb, n, words)) argv[at++] = app->open;
    for (int i = 1; i < n; i++) argv[at++] = words[i];
    switch (verb->screen) {
    case PSST_SCREEN_OWN: /* every one has a command: a unit test looks */
    case PSST_SCREEN_SHOWN: psst_child_run(app, argv); break;
    case PSST_SCREEN_ASKS: psst_child_ask(app, argv); break;
    case PSST_SCREEN_NOT:
        psst_app_error(app, "psst %s is for the command line, and makes no sense here", verb->name);
        break;
    }
    free(argv);
}

/* ---- a line ---- */

static void run_line(struct psst_app *app, const char *line, const char *name)
{
    const struct psst_command *command = NULL;
    const struct psst_verb *verb = NULL;
    char **words = NULL;
    int n = 0;
    if (!psst_command_find(app, name, &command, &verb)) {
        say_unknown(app, name);
        return;
    }
    int most = command != NULL && command->verbatim > 0 ? command->verbatim : INT32_MAX;
    enum psst_err err = psst_command_split(line, most, &words, &n);
    if (err != PSST_OK) {
        psst_app_error(app, err == PSST_ERR_MALFORMED ? "a quote is not closed; a backslash takes \" and ' as they are"
                                                      : "out of memory");
        return;
    }
    if (command != NULL) {
        words[0] = (char *)command->name;
        command->run(app, n, words);
    } else {
        run_verb(app, verb, n, words);
    }
    psst_free_wiped(words);
}

void psst_command_line(struct psst_app *app, const char *line)
{
    char name[NAME_SIZE];
    if (line[0] != '/') return;
    if (line[1] == '/') {
        if (app->open != NULL)
            psst_app_say_to(app, app->open, psst_view_str(line + 1));
        else
            psst_app_error(app, PSST_NOBODY_OPEN);
        return;
    }
    line++;
    size_t len = strcspn(line, " \t\r\n");
    if (len == 0) {
        psst_app_say(app, "/help, or F1, shows what there is");
        return;
    }
    (void)snprintf(name, sizeof name, "%.*s", (int)(len < sizeof name ? len : sizeof name - 1), line);
    run_line(app, line, name);
}
