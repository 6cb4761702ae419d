/* F1, /help, and the section of the manual: keys (keys.c), commands (commands_table.c), verbs of the command line, from their
 * tables. */
#include "tui/help.h"

#include "tui/pager.h"

#include <stdlib.h>
#include <string.h>

#define TITLE      "Help"
#define KEYS_WIDE  23
#define NAMES_WIDE 29

/* ---- on the screen ---- */

static void put_keys(struct psst_buf *out)
{
    psst_buf_put_str(out, "Keys\n\n");
    for (size_t i = 0; i < psst_bindings_count; i++)
        if (psst_bindings[i].label != NULL)
            psst_buf_printf(out, "  %-*s %s\n", KEYS_WIDE, psst_bindings[i].label, psst_bindings[i].words);
}

/* The first form, as far as it goes into the column. */
static void put_row(struct psst_buf *out, const char *usage, const char *summary)
{
    size_t len = strcspn(usage, "\n");
    if (len < NAMES_WIDE)
        psst_buf_printf(out, "  /%-*.*s %s\n", NAMES_WIDE - 1, (int)len, usage, summary);
    else
        psst_buf_printf(out, "  /%-*.*s %s\n", NAMES_WIDE - 1, (int)strcspn(usage, " \n"), usage, summary);
}

/* Verbs that are no commands, and can be run from here. */
static bool is_listed(const struct psst_verb *verb)
{
    for (size_t i = 0; i < psst_commands_count; i++)
        if (strcmp(psst_commands[i].name, verb->name) == 0) return false;
    return verb->screen != PSST_SCREEN_NOT;
}

static void put_all(struct psst_buf *out, const struct psst_app *app)
{
    put_keys(out);
    psst_buf_put_str(out, "\nCommands: each may be shortened while only one begins so; //text says /text.\n"
                          "/help COMMAND says all about one. [ ] may be left out.\n\n");
    for (size_t i = 0; i < psst_commands_count; i++)
        put_row(out, psst_command_usage(app, &psst_commands[i]), psst_command_summary(app, &psst_commands[i]));
    psst_buf_put_str(out, "\nAnd what else psst can do on a command line; NAME left out means who is open:\n\n");
    for (size_t i = 0; i < app->setup->n_verbs; i++)
        if (is_listed(app->setup->verbs[i])) put_row(out, app->setup->verbs[i]->usage, app->setup->verbs[i]->summary);
    psst_buf_printf(out, "\npsst %s; man psst says all.\n", app->setup->version);
}

static void put_usage(struct psst_buf *out, const char *usage)
{
    for (const char *line = usage; *line != '\0';) {
        size_t len = strcspn(line, "\n");
        psst_buf_printf(out, "%s%.*s\n", line[0] == ' ' ? "  " : "  /", (int)len, line);
        line += len + (line[len] == '\n');
    }
}

static void put_one(struct psst_buf *out, const struct psst_app *app, const struct psst_command *command,
                    const struct psst_verb *verb)
{
    const char *help = command != NULL && command->help != NULL ? command->help : verb != NULL ? verb->help : "";
    const char *summary = command != NULL ? psst_command_summary(app, command) : verb->summary;
    put_usage(out, command != NULL ? psst_command_usage(app, command) : verb->usage);
    psst_buf_printf(out, "\n%s%s%s", summary, help[0] != '\0' ? "\n\n" : "\n", help);
    if (command == NULL && verb->screen == PSST_SCREEN_NOT)
        psst_buf_put_str(out, "\nThis is for the command line, and makes no sense here.\n");
    else if (command == NULL && strstr(verb->usage, " NAME") != NULL)
        psst_buf_put_str(out, "\nHere NAME may be left out; then who is open is meant.\n");
}

void psst_help_open(struct psst_app *app, const char *about)
{
    const struct psst_command *command = NULL;
    const struct psst_verb *verb = NULL;
    char title[80] = TITLE;
    struct psst_buf out;
    if (about != NULL && about[0] == '/') about++;
    if (about != NULL && !psst_command_find(app, about, &command, &verb)) {
        const char *nearest = psst_command_nearest(app, about);
        if (nearest != NULL)
            psst_app_error(app, "there is no command /%.64s; is /%s meant?", about, nearest);
        else
            psst_app_error(app, "there is no command /%.64s: /help shows them", about);
        return;
    }
    if (about != NULL) (void)snprintf(title, sizeof title, TITLE ": /%s", command != NULL ? command->name : verb->name);
    if (psst_pager_is(app->page, title)) {
        psst_page_pop(app); /* F1 again */
        return;
    }
    psst_buf_init(&out, 1 << 18);
    if (about != NULL)
        put_one(&out, app, command, verb);
    else
        put_all(&out, app);
    psst_buf_put_u8(&out, 0);
    if (!out.failed) psst_pager_open(app, title, (const char *)out.data);
    psst_buf_fini(&out);
}

/* ---- in the manual ---- */

/* What means something to roff is taken as it is. */
static void put_roff(struct psst_buf *out, const char *text)
{
    bool begins = true;
    for (; *text != '\0'; text++) {
        if (begins && (*text == '.' || *text == '\'')) psst_buf_put_str(out, "\\&");
        if (*text == '-')
            psst_buf_put_str(out, "\\-");
        else if (*text == '\\')
            psst_buf_put_str(out, "\\e");
        else if (*text == '"')
            psst_buf_put_str(out, "\\(dq");
        else
            psst_buf_put_u8(out, (uint8_t)*text);
        begins = *text == '\n';
    }
}

static void put_item(struct psst_buf *out, const char *lead, const char *label, const char *words)
{
    psst_buf_printf(out, ".TP\n.B \"%s", lead);
    put_roff(out, label);
    psst_buf_put_str(out, "\"\n");
    put_roff(out, words);
    psst_buf_put_str(out, "\n");
}

void psst_help_roff(struct psst_buf *out, const struct psst_verb *const *verbs, size_t n)
{
    struct psst_tui setup = {.verbs = verbs, .n_verbs = n};
    struct psst_app app = {.setup = &setup};
    psst_buf_put_str(out, ".SS Keys\n");
    for (size_t i = 0; i < psst_bindings_count; i++)
        if (psst_bindings[i].label != NULL) put_item(out, "", psst_bindings[i].label, psst_bindings[i].words);
    psst_buf_put_str(out,
                     ".SS Commands\n"
                     "A command may be shortened while only one begins so; //text says /text. Who is open is meant "
                     "where NAME may be left out.\n"
                     ".B /help \\fICOMMAND\\fR\nsays all about one.\n");
    for (size_t i = 0; i < psst_commands_count; i++) {
        char first[128];
        const char *usage = psst_command_usage(&app, &psst_commands[i]);
        (void)snprintf(first, sizeof first, "%.*s", (int)strcspn(usage, "\n"), usage);
        put_item(out, "/", first, psst_command_summary(&app, &psst_commands[i]));
    }
    psst_buf_put_str(out,
                     ".PP\nThe other verbs are commands as well, with the words that they have on the command line; "
                     "what they print is shown on a page:\n");
    bool begun = false;
    for (size_t i = 0; i < n; i++) {
        if (!is_listed(verbs[i])) continue;
        psst_buf_printf(out, "%s/%s", begun ? ",\n" : "", verbs[i]->name);
        begun = true;
    }
    psst_buf_put_str(out, ".\n");
}
