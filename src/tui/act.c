/* What the parts of the interface do to the whole: open a contact, scroll, say something, ask psstd. */
#include "client/private.h"
#include "tui/commands.h"
#include "tui/screen.h"
#include "tui/views.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define SETTINGS_MS 2000

void psst_app_dirty(struct psst_app *app, unsigned what)
{
    app->dirty |= what;
}

/* ---- contacts ---- */

static struct psst_draft *find_draft(struct psst_app *app)
{
    for (size_t i = 0; i < app->n_drafts; i++)
        if (strcmp(app->drafts[i].key, app->open_key) == 0) return &app->drafts[i];
    return NULL;
}

static struct psst_draft *new_draft(struct psst_app *app)
{
    struct psst_draft *more = realloc(app->drafts, (app->n_drafts + 1) * sizeof *more);
    if (more == NULL) return NULL;
    app->drafts = more;
    struct psst_draft *draft = &more[app->n_drafts];
    *draft = (struct psst_draft){.key = strdup(app->open_key)};
    if (draft->key == NULL) return NULL;
    app->n_drafts++;
    return draft;
}

static void forget_text(struct psst_draft *draft)
{
    psst_free_wiped(draft->text);
    draft->text = NULL;
}

void psst_app_forget_drafts(struct psst_app *app)
{
    for (size_t i = 0; i < app->n_drafts; i++) {
        forget_text(&app->drafts[i]);
        free(app->drafts[i].key);
    }
    free(app->drafts);
    app->drafts = NULL;
    app->n_drafts = 0;
}

/* Where one is, as a message: what lies between the same messages will be found again after a reload. */
static int64_t place_seq(const struct psst_app *app)
{
    if (app->conversation == NULL || app->place.end) return 0;
    size_t i = psst_conversation_find(app->conversation, app->place.serial);
    return i < psst_conversation_count(app->conversation) ? psst_conversation_item(app->conversation, i)->seq : 0;
}

static void keep_draft(struct psst_app *app)
{
    if (app->open == NULL) return;
    struct psst_view text = psst_entry_text(app->entry);
    struct psst_draft *draft = find_draft(app);
    int64_t seq = place_seq(app);
    if (draft == NULL && text.len == 0 && seq == 0) return;
    if (draft == NULL) draft = new_draft(app);
    if (draft == NULL) return;
    forget_text(draft);
    draft->text = strndup(text.len > 0 ? (const char *)text.data : "", text.len);
    draft->cursor = psst_entry_cursor(app->entry);
    draft->seq = seq;
}

static void take_draft(struct psst_app *app)
{
    struct psst_draft *draft = app->open != NULL ? find_draft(app) : NULL;
    psst_entry_clear(app->entry);
    app->place = (struct psst_place){.end = true};
    if (draft == NULL) return;
    if (draft->text != NULL) psst_entry_set(app->entry, psst_view_str(draft->text), draft->cursor);
    psst_moment_take(app, &app->line); /* who comes back to a line sees what stands beside it */
    forget_text(draft);
    if (draft->seq > 0) psst_app_scroll_to(app, draft->seq);
}

void psst_app_open(struct psst_app *app, const char *name)
{
    const struct psst_person *person = name != NULL ? psst_model_find(app->model, name) : NULL;
    if (person != NULL && app->open != NULL && strcmp(person->name, app->open) == 0) return;
    char *open = person != NULL ? strdup(person->name) : NULL;
    keep_draft(app);
    psst_complete_end(&app->completion);
    psst_conversation_close(app->conversation);
    app->conversation = NULL;
    free(app->open);
    app->open = open;
    (void)snprintf(app->open_key, sizeof app->open_key, "%s", person != NULL ? person->fingerprint : "");
    if (open != NULL && psst_conversation_open(&app->conversation, app->model, open) != PSST_OK)
        psst_app_error(app, "out of memory: the conversation cannot be shown");
    take_draft(app);
    if (open != NULL) app->contacts_shown = false;
    psst_app_dirty(app, PSST_DIRTY_ALL);
}

void psst_app_step(struct psst_app *app, int by)
{
    size_t n = psst_model_people(app->model), at = psst_view_contact_open(app);
    if (n == 0) return;
    if (at == n)
        at = by > 0 ? 0 : n - 1;
    else
        at = by > 0 ? (at + 1) % n : (at + n - 1) % n;
    psst_app_open(app, psst_model_person(app->model, at)->name);
}

void psst_app_next_unread(struct psst_app *app)
{
    size_t n = psst_model_people(app->model), at = psst_view_contact_open(app);
    const struct psst_call_now *call = psst_model_call(app->model);
    if (call->state == PSST_CALL_OFFERED && (app->open == NULL || strcmp(app->open, call->name) != 0)) {
        psst_app_open(app, call->name);
        return;
    }
    for (size_t k = 1; k <= n; k++) {
        const struct psst_person *person = psst_model_person(app->model, (at == n ? k - 1 : at + k) % n);
        if (person->unread == 0 && !person->missed_call) continue;
        psst_app_open(app, person->name);
        return;
    }
    psst_app_say(app, "nothing new");
}

/* ---- words for the person ---- */

static PSST_PRINTF(3, 0) void tell(struct psst_app *app, bool warns, const char *fmt, va_list args)
{
    char *words = NULL;
    if (vasprintf(&words, fmt, args) < 0) return;
    size_t len = strlen(words);
    while (len > 0 && words[len - 1] == '\n') words[--len] = '\0';
    if (strchr(words, '\n') != NULL || len >= sizeof app->notice) {
        psst_pager_open(app, "", words);
    } else {
        (void)snprintf(app->notice, sizeof app->notice, "%s", words);
        app->notice_warns = warns;
        psst_app_dirty(app, PSST_DIRTY_STATUS);
    }
    psst_free_wiped(words);
}

void psst_app_say(struct psst_app *app, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    tell(app, false, fmt, args);
    va_end(args);
}

void psst_app_error(struct psst_app *app, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    tell(app, true, fmt, args);
    va_end(args);
}

/* ---- psstd ---- */

struct asked {
    struct psst_app *app;
    psst_client_answer *done;
    void *ctx;
};

static void answered(void *ctx, json_t *result, const struct psst_failure *failure)
{
    struct asked *asked = ctx;
    if (result == NULL) psst_app_error(asked->app, "%s", failure->words);
    if (asked->done != NULL) asked->done(asked->ctx, result, failure);
    free(asked);
}

void psst_app_request(struct psst_app *app, const char *method, json_t *params, const int *fds, size_t n,
                      psst_client_answer *done, void *ctx)
{
    struct asked *asked = malloc(sizeof *asked);
    struct psst_failure failure;
    enum psst_err err = PSST_ERR_MEMORY;
    if (asked != NULL) {
        *asked = (struct asked){app, done, ctx};
        err = psst_client_request(app->client, method, params, fds, n, answered, asked);
        if (err == PSST_OK) return;
        free(asked);
    } else {
        json_decref(params);
        psst_fds_close(fds, n);
    }
    (void)psst_failure_set(&failure, err, PSST_EXIT_FAILED, "no-daemon",
                           "psstd cannot be asked: it has ended, or there is no memory");
    psst_app_error(app, "%s", failure.words);
    if (done != NULL) done(ctx, NULL, &failure);
}

void psst_app_voice_answered(void *ctx, json_t *result, const struct psst_failure *failure)
{
    struct psst_app *app = ctx;
    (void)failure;
    if (result != NULL) psst_model_voice(app->model, result);
}

bool psst_app_wants_mouse(struct psst_app *app)
{
    struct psst_failure failure;
    json_t *settings = psst_client_call(app->client, "settings", NULL, NULL, 0, SETTINGS_MS, &failure);
    const char *mouse = json_string_value(json_object_get(settings, "mouse"));
    bool wants = mouse == NULL || strcmp(mouse, "no") != 0;
    json_decref(settings);
    return wants;
}

/* ---- what was entered ---- */

static void said(void *ctx, json_t *result, const struct psst_failure *failure)
{
    struct psst_app *app = ctx;
    if (result == NULL) psst_app_error(app, "not said: %s", failure->words);
}

void psst_app_say_to(struct psst_app *app, const char *name, struct psst_view text)
{
    if (psst_model_say(app->model, name, text, said, app) != PSST_OK)
        psst_app_error(app, "not said: psstd has ended, or there is no memory");
}

/* One line: of several, pasted as a rule, nobody knows whether they were meant as a command. Line feeds at the end are no more
 * lines: they come along with a line that was copied whole. */
static void enter_command(struct psst_app *app, struct psst_view text)
{
    while (text.data[text.len - 1] == '\n') text.len--; /* it begins with a slash */
    if (memchr(text.data, '\n', text.len) != NULL) {
        psst_app_error(app, "several lines are no command; two slashes before them say them as text");
        return; /* what was written stays */
    }
    char *line = strndup((const char *)text.data, text.len);
    app->meant = app->line;
    psst_entry_done(app->entry);
    if (line != NULL) psst_command_line(app, line);
    psst_free_wiped(line);
    psst_app_dirty(app, PSST_DIRTY_ENTRY);
}

void psst_app_entered(struct psst_app *app)
{
    struct psst_view text = psst_entry_text(app->entry);
    if (text.len == 0) return;
    if (text.data[0] == '/' && !(text.len > 1 && text.data[1] == '/')) {
        enter_command(app, text);
        return;
    }
    if (app->open == NULL) {
        psst_app_error(app, PSST_NOBODY_OPEN);
        return; /* what was written stays */
    }
    if (text.data[0] == '/') text = psst_view(text.data + 1, text.len - 1);
    psst_app_say_to(app, app->open, text);
    psst_entry_done(app->entry);
    psst_app_scroll_to(app, 0);
    psst_app_dirty(app, PSST_DIRTY_ENTRY | PSST_DIRTY_CONVERSATION);
}

/* ---- scrolling ---- */

void psst_app_scroll(struct psst_app *app, int rows)
{
    if (app->conversation == NULL) return;
    psst_view_scroll(app, rows);
    psst_app_dirty(app, PSST_DIRTY_CONVERSATION);
}

void psst_app_scroll_to(struct psst_app *app, int64_t seq)
{
    if (app->conversation == NULL) return;
    app->place = (struct psst_place){.end = seq == 0};
    app->wanted_seq = seq > 0 ? seq : 0;
    app->wanted_beginning = seq < 0;
    if (seq > 0)
        psst_conversation_jump(app->conversation, seq);
    else if (seq < 0)
        psst_conversation_beginning(app->conversation);
    else if (psst_conversation_has_newer(app->conversation))
        psst_conversation_end(app->conversation);
    psst_app_settle(app);
    psst_app_dirty(app, PSST_DIRTY_CONVERSATION);
}

/* Once the window is there that scroll_to asked for: the place in it. */
void psst_app_settle(struct psst_app *app)
{
    struct psst_conversation *conversation = app->conversation;
    size_t n = conversation != NULL ? psst_conversation_count(conversation) : 0;
    if (n == 0 || !psst_conversation_loaded(conversation)) return;
    if (app->wanted_beginning && !psst_conversation_has_older(conversation)) {
        app->place = (struct psst_place){.serial = psst_conversation_item(conversation, 0)->serial};
        app->wanted_beginning = false;
        psst_view_scroll(app, 0);
    }
    for (size_t i = 0; i < n && app->wanted_seq > 0; i++) { /* or the one behind it, when it was erased */
        const struct psst_item *item = psst_conversation_item(conversation, i);
        if (item->kind != PSST_ITEM_MESSAGE || (item->seq < app->wanted_seq && i + 1 < n)) continue;
        app->place = (struct psst_place){.serial = item->serial};
        app->wanted_seq = 0;
        psst_view_scroll(app, psst_view_page_rows(app) / 2); /* some of what came after it, too */
    }
}

void psst_app_quit(struct psst_app *app)
{
    app->quitting = true;
}
