#include "unit/tui/fake_app.h"

#include "client/file_words.h"
#include "tui/screen.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- what was done ---- */

struct psst_app app;
char done[4096];
bool asked;

static void note(const char *fmt, ...) PSST_PRINTF(1, 2);
static void note(const char *fmt, ...)
{
    va_list args;
    size_t len = strlen(done);
    va_start(args, fmt);
    (void)vsnprintf(done + len, sizeof done - len, fmt, args);
    va_end(args);
}

void psst_app_open(struct psst_app *a, const char *name)
{
    (void)a;
    note("open(%s)", name != NULL ? name : "nobody");
}
void psst_app_request(struct psst_app *a, const char *method, json_t *params, const int *fds, size_t n,
                      psst_client_answer *answer, void *ctx)
{
    char *text = params != NULL ? json_dumps(params, JSON_COMPACT | JSON_SORT_KEYS) : strdup("");
    (void)a;
    (void)fds;
    (void)n;
    note("%s%s", method, text);
    free(text);
    json_decref(params);
    if (answer != NULL) answer(ctx, NULL, NULL); /* it failed, and that was said */
}
void psst_app_say_to(struct psst_app *a, const char *name, struct psst_view text)
{
    (void)a;
    note("say(%s:%.*s)", name, (int)text.len, (const char *)text.data);
}
void psst_app_scroll_to(struct psst_app *a, int64_t seq)
{
    (void)a;
    note("scroll(%lld)", (long long)seq);
}
void psst_app_quit(struct psst_app *a)
{
    (void)a;
    note("quit");
}
void psst_app_voice_answered(void *ctx, json_t *result, const struct psst_failure *failure)
{
    (void)ctx;
    (void)result;
    (void)failure;
}
void psst_model_dialling(struct psst_model *model, const char *name, bool on)
{
    (void)model;
    (void)name;
    (void)on;
}
static void note_words(const char *what, char *const *words)
{
    note("%s(", what);
    for (size_t i = 0; words[i] != NULL; i++) note("%s%s", i > 0 ? "|" : "", words[i]);
    note(")");
}
void psst_child_run(struct psst_app *a, char *const *words)
{
    (void)a;
    note_words("run", words);
}
void psst_child_ask(struct psst_app *a, char *const *words)
{
    (void)a;
    asked = true;
    note_words("ask", words);
}
size_t psst_child_stop_all(struct psst_app *a)
{
    (void)a;
    return 0;
}
void psst_view_bare(struct psst_app *a)
{
    (void)a;
    note("bare");
}
void psst_screen_redraw(void)
{
    note("redraw");
}
void psst_screen_mouse(bool on)
{
    note("mouse(%d)", on);
}
void psst_card_open(struct psst_app *a, const char *name)
{
    (void)a;
    note("card(%s)", name != NULL ? name : "");
}
void psst_add_open(struct psst_app *a, const char *path)
{
    (void)a;
    note("add(%s)", path != NULL ? path : "");
}
void psst_verify_open(struct psst_app *a, const char *name)
{
    (void)a;
    note("verify(%s)", name);
}
void psst_unlock_open(struct psst_app *a)
{
    (void)a;
    note("unlock");
}
void psst_search_open(struct psst_app *a, const char *words)
{
    (void)a;
    note("search(%s)", words);
}

/* ---- a world ---- */

static const struct psst_verb verbs[] = {
    {.name = "say", .usage = "say NAME [--wait S] TEXT...|-", .screen = PSST_SCREEN_OWN},
    {.name = "log", .usage = "log NAME [-f] [-n N]\nlog --search WORDS", .screen = PSST_SCREEN_SHOWN},
    {.name = "rename", .usage = "rename NAME NEW", .screen = PSST_SCREEN_SHOWN},
    {.name = "calls", .usage = "calls [NAME] [-n N]", .screen = PSST_SCREEN_SHOWN},
    {.name = "remove", .usage = "remove NAME", .screen = PSST_SCREEN_ASKS},
    {.name = "init", .usage = "init", .screen = PSST_SCREEN_NOT},
};
static const struct psst_verb *const table[] = {&verbs[0], &verbs[1], &verbs[2], &verbs[3], &verbs[4], &verbs[5]};
static struct psst_tui setup = {.verbs = table, .n_verbs = 6, .version = "0"};

uint64_t now = 1000000;
uint64_t psst_client_now_ms(void)
{
    return now;
}

/* The line is begun: what is there has been there for a while. */
void begin_line(void)
{
    struct psst_seen_file seen[PSST_SIGHT_FILES];
    size_t n = 0;
    for (; n < fake.n_files && n < PSST_SIGHT_FILES; n++)
        seen[n] = (struct psst_seen_file){.id = fake.files[n].id, .offer = psst_transfer_is_offer(&fake.files[n])};
    psst_sight_call(&app);
    psst_sight_files(&app, seen, n);
    now += PSST_NOTICED_MS;
    psst_moment_take(&app, &app.meant);
}

/* It is entered as it was begun. */
void end_line(const char *line)
{
    psst_sight_call(&app);
    done[0] = app.notice[0] = '\0';
    warned = false;
    psst_command_line(&app, line);
}

void do_line(const char *line)
{
    begin_line();
    end_line(line);
}

int begin(void **state)
{
    (void)state;
    fake_begin(&app, 24, 80);
    app.setup = &setup;
    fake.n_people = 3;
    fake.people[0].name = "Bob";
    fake.people[1].name = "Carol Ann";
    fake.people[2].name = "Cedric";
    fake.n_files = 0;
    fake.call = (struct psst_call_now){.state = PSST_CALL_NONE, .name = "", .send = true};
    app.open = (char *)"Bob";
    return 0;
}
