/* F1, /help, and the section of the manual: keys (keys.c), signs (rows.c), commands (commands_table.c), verbs of the command
 * line, from their tables. */
#include "tui/help.h"

#include "tui/pager.h"
#include "tui/rows.h"

#include <stdlib.h>
#include <string.h>

#define TITLE        "Help"
#define MARKS        "What became of a message of yours"
#define KEYS_WIDE    23
#define NAMES_WIDE   29
#define FAR_IN       8  /* blanks */
#define NAMES_NARROW 13 /* the names alone */

/* ---- on the screen ---- */

/* How text is laid out for what there is room for. */
struct sheet {
    struct psst_buf *out;
    bool narrow; /* too narrow for two columns: the words below the label */
    int names;   /* columns of a usage */
};

static struct sheet sheet_for(const struct psst_app *app, struct psst_buf *out)
{
    int columns = app->areas.conversation.columns;
    return (struct sheet){out, columns > 0 && columns<52, columns> 0 && columns < 70 ? NAMES_NARROW : NAMES_WIDE};
}

static void put_two(const struct sheet *sheet, int wide, const char *left, int len, const char *right)
{
    if (sheet->narrow)
        psst_buf_printf(sheet->out, "  %.*s\n      %s\n", len, left, right);
    else
        psst_buf_printf(sheet->out, "  %-*.*s %s\n", wide, len, left, right);
}

static void put_keys(const struct sheet *sheet)
{
    psst_buf_put_str(sheet->out, "Keys\n\n");
    for (size_t i = 0; i < psst_bindings_count; i++)
        if (psst_bindings[i].label != NULL)
            put_two(sheet, KEYS_WIDE, psst_bindings[i].label, KEYS_WIDE + 9, psst_bindings[i].words);
}

static void put_marks(const struct sheet *sheet)
{
    psst_buf_put_str(sheet->out, "\n" MARKS ", before it\n\n");
    for (size_t i = 0; i < psst_marks_count; i++)
        psst_buf_printf(sheet->out, "  %c  %s\n", psst_marks[i].sign, psst_marks[i].words);
}

/* The first form, when it goes into the column; else the name alone. */
static void put_row(const struct sheet *sheet, const char *usage, const char *summary)
{
    char form[128];
    size_t len = strcspn(usage, "\n"), most = sheet->narrow ? 34 : (size_t)sheet->names - 1;
    if (len > most) len = strcspn(usage, " \n");
    (void)snprintf(form, sizeof form, "/%.*s", (int)len, usage);
    put_two(sheet, sheet->names, form, (int)sizeof form, summary);
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
    struct sheet sheet = sheet_for(app, out);
    put_keys(&sheet);
    put_marks(&sheet);
    psst_buf_put_str(
        out, "\nCommands: each may be shortened while only one begins so; //text says /text. /help COMMAND says "
             "all about one. What stands in [ ] may be left out.\n\n");
    for (size_t i = 0; i < psst_commands_count; i++)
        put_row(&sheet, psst_command_usage(app, &psst_commands[i]), psst_command_summary(app, &psst_commands[i]));
    psst_buf_put_str(out, "\nAnd what else psst can do on a command line; NAME left out means who is open:\n\n");
    for (size_t i = 0; i < app->setup->n_verbs; i++)
        if (is_listed(app->setup->verbs[i]))
            put_row(&sheet, app->setup->verbs[i]->usage, app->setup->verbs[i]->summary);
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

/* Lines that were broken for 80 columns go together again, so that the page can break them for what it has. What begins with a
 * blank begins a line, unless it stands far in: then it goes on with the option above it. */
static void put_paragraphs(struct psst_buf *out, const char *text)
{
    bool inside = false; /* a line that may go on */
    for (const char *line = text; *line != '\0';) {
        size_t len = strcspn(line, "\n"), blanks = strspn(line, " ");
        bool goes_on = inside && len > 0 && (blanks == 0 || blanks >= FAR_IN);
        if (goes_on)
            psst_buf_put_str(out, " ");
        else if (inside)
            psst_buf_put_str(out, "\n");
        if (len == 0) psst_buf_put_str(out, "\n");
        size_t skip = goes_on ? blanks : 0;
        psst_buf_put(out, line + skip, len - skip);
        inside = len > 0;
        line += len + (line[len] == '\n');
    }
    if (inside) psst_buf_put_str(out, "\n");
}

static void put_one(struct psst_buf *out, const struct psst_app *app, const struct psst_command *command,
                    const struct psst_verb *verb)
{
    const char *help = command != NULL && command->help != NULL ? command->help : verb != NULL ? verb->help : "";
    const char *summary = command != NULL ? psst_command_summary(app, command) : verb->summary;
    put_usage(out, command != NULL ? psst_command_usage(app, command) : verb->usage);
    psst_buf_printf(out, "\n%s\n", summary);
    if (help[0] != '\0') psst_buf_put_str(out, "\n");
    put_paragraphs(out, help);
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
    psst_buf_put_str(out, ".SS " MARKS "\nThe sign before it says:\n");
    for (size_t i = 0; i < psst_marks_count; i++)
        put_item(out, "", (const char[]){psst_marks[i].sign, '\0'}, psst_marks[i].words);
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
