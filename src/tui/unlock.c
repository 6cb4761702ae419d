/* The passphrase, when psstd has begun without it or was locked. */
#include "client/out.h"
#include "tui/ask.h"
#include "tui/form.h"

#include <stdlib.h>

#define EARLY_MS 1000

enum id { ID_PASS = 1, ID_OPEN, ID_LEAVE };

struct unlock {
    struct psst_page page;
    struct psst_app *app;
    struct psst_form form;
    struct psst_passphrase pass;
    bool known, encrypted, command, opening; /* known: psstd has said what the rest is */
    bool forced;                             /* it came by itself, while keys were going down: at opened_ms */
    uint64_t opened_ms;
    unsigned wrong;
    char trouble[1024];
};

static struct unlock *self_of(struct psst_page *page)
{
    return (struct unlock *)page;
}

static void show(struct unlock *unlock)
{
    const struct psst_self *self = psst_model_self(unlock->app->model);
    struct psst_form *form = &unlock->form;
    psst_form_clear(form);
    psst_form_words(form, PSST_STYLE_PLAIN, "The identity of %s is locked: nobody can reach you until it is open.",
                    psst_out_text(self->name, 80));
    psst_form_words(form, PSST_STYLE_PLAIN, " ");
    bool ask = unlock->known && unlock->encrypted && !unlock->opening;
    if (unlock->opening) {
        psst_form_words(form, PSST_STYLE_BOLD, "It is being opened.");
    } else if (ask) {
        psst_form_secret(form, ID_PASS, "Passphrase", &unlock->pass);
        psst_form_focus(form, ID_PASS);
        if (unlock->command)
            psst_form_words(form, PSST_STYLE_DIM, "Enter with nothing typed: the setting passphrase_command answers.");
    } else if (unlock->known) {
        psst_form_words(form, PSST_STYLE_PLAIN, "Its key has no passphrase.");
        psst_form_button(form, ID_OPEN, "Open it");
        psst_form_button(form, ID_LEAVE, "Leave PSST");
    }
    if (unlock->trouble[0] != '\0') psst_form_fact(form, PSST_STYLE_WARN, "!!", unlock->trouble);
    if (unlock->wrong > 0 && !unlock->opening)
        psst_form_words(form, PSST_STYLE_DIM, "%u wrong so far. There is no limit, and no way around it.",
                        unlock->wrong);
    if (ask)
        psst_form_words(form, PSST_STYLE_DIM,
                        "Enter opens it. Escape and Ctrl+C empty the field; when it is empty, they "
                        "leave the program. psst passwd changes the passphrase.");
    if (!ask && unlock->known && !unlock->opening)
        psst_form_words(form, PSST_STYLE_DIM, "Tab and arrows move, Enter goes on, Ctrl+C leaves.");
    unlock->page.secret = ask ? &unlock->pass : NULL;
    psst_app_dirty(unlock->app, PSST_DIRTY_PAGE);
}

/* Another program of ours has opened it. What is being typed, or will be by somebody who does not look up, is a passphrase, and
 * must not become a message. */
static void leave_opened(struct unlock *unlock)
{
    struct psst_app *app = unlock->app;
    bool field = unlock->page.secret != NULL;
    app->hold_typed = unlock->pass.len > 0;
    psst_page_leave(app, &unlock->page);
    if (field) psst_hold_begin(app, PSST_HOLD_SECRET, "your key was opened meanwhile by another program");
}

static void on_unlocked(struct psst_page *page, struct psst_app *app, json_t *result,
                        const struct psst_failure *failure)
{
    struct unlock *unlock = self_of(page);
    unlock->opening = false;
    if (result != NULL) {
        char damaged[1024];
        (void)snprintf(damaged, sizeof damaged, "%s", psst_out_string(result, "damaged"));
        psst_page_leave(app, page);
        if (damaged[0] != '\0') psst_app_error(app, "%s", damaged);
        return;
    }
    if (!psst_model_self(app->model)->locked) { /* another one was quicker */
        leave_opened(unlock);
        return;
    }
    if (strcmp(failure->name, "passphrase") == 0) unlock->wrong++;
    (void)snprintf(unlock->trouble, sizeof unlock->trouble, "%s", failure->words);
    show(unlock);
}

static void open_it(struct unlock *unlock)
{
    json_t *params = json_pack("{s:b}", "passphrase", unlock->pass.len > 0);
    unlock->opening = true;
    unlock->trouble[0] = '\0';
    show(unlock);
    psst_page_ask_secret(&unlock->page, unlock->app, "unlock", params, &unlock->pass, on_unlocked);
}

/* A key that was meant for what this page has covered: it leaves no program, and answers no question. */
static bool too_early(const struct unlock *unlock)
{
    return unlock->forced && psst_client_now_ms() - unlock->opened_ms < EARLY_MS;
}

static void secret_key(struct psst_page *page, struct psst_app *app, enum psst_secret_key what)
{
    struct unlock *unlock = self_of(page);
    if (unlock->pass.len == 0 && too_early(unlock)) return;
    if (what == PSST_SECRET_GIVEN_UP || what == PSST_SECRET_BACK) {
        if (unlock->pass.len == 0) psst_app_quit(app);
        psst_passphrase_wipe(&unlock->pass);
    } else if (what == PSST_SECRET_DONE && (unlock->pass.len > 0 || unlock->command)) {
        open_it(unlock);
    }
}

/* ---- what there is to open ---- */

static void on_settings(struct psst_page *page, struct psst_app *app, json_t *result,
                        const struct psst_failure *failure)
{
    struct unlock *unlock = self_of(page);
    (void)app;
    (void)failure;
    const char *command = json_string_value(json_object_get(result, "passphrase_command"));
    unlock->command = command != NULL && command[0] != '\0';
    if (!unlock->opening) show(unlock);
}

static void on_status(struct psst_page *page, struct psst_app *app, json_t *result, const struct psst_failure *failure)
{
    (void)app;
    struct unlock *unlock = self_of(page);
    const json_t *identity = json_object_get(result, "identity");
    if (result == NULL) (void)snprintf(unlock->trouble, sizeof unlock->trouble, "%s", failure->words);
    if (json_is_object(identity) && !psst_out_bool(identity, "locked")) {
        leave_opened(unlock);
        return;
    }
    unlock->known = true;
    unlock->encrypted = psst_out_bool(identity, "encrypted");
    show(unlock);
}

/* ---- the page ---- */

static void draw(struct psst_page *page, struct psst_app *app, struct psst_area area)
{
    (void)app;
    psst_form_draw(&self_of(page)->form, area);
}

static bool key(struct psst_page *page, struct psst_app *app, const struct psst_key *key)
{
    struct unlock *unlock = self_of(page);
    bool interrupt = key->code == PSST_KEY_TEXT && key->mods == PSST_MOD_CONTROL && key->cp == 'c';
    if (too_early(unlock)) return true;
    if (interrupt) psst_app_quit(app);
    if (interrupt || psst_form_key(&unlock->form, key) != PSST_FORM_PRESSED) return true;
    if (unlock->form.pressed == ID_OPEN)
        open_it(unlock);
    else
        psst_app_quit(app);
    return true;
}

static void changed(struct psst_page *page, struct psst_app *app, unsigned parts)
{
    struct unlock *unlock = self_of(page);
    const struct psst_self *self = psst_model_self(app->model);
    if ((parts & PSST_PART_SELF) == 0 || !self->known) return;
    if (unlock->opening) return; /* our own answer has its own words */
    if (self->exists && self->locked)
        show(unlock);
    else
        leave_opened(unlock);
}

static void free_page(struct psst_page *page)
{
    struct unlock *unlock = self_of(page);
    psst_page_ask_forget(page);
    psst_passphrase_wipe(&unlock->pass);
    psst_form_clear(&unlock->form);
    free(unlock);
}

static const struct psst_page_kind kind = {
    .draw = draw, .key = key, .changed = changed, .free = free_page, .whole = true};

void psst_unlock_open(struct psst_app *app)
{
    struct unlock *unlock = calloc(1, sizeof *unlock);
    if (unlock == NULL) {
        psst_app_error(app, "out of memory");
        return;
    }
    unlock->page = (struct psst_page){.kind = &kind, .title = "Locked", .secret_key = secret_key};
    unlock->app = app;
    unlock->opened_ms = psst_client_now_ms();
    unlock->forced = app->last_key_ms > 0 && unlock->opened_ms - app->last_key_ms < EARLY_MS;
    show(unlock);
    psst_page_push(app, &unlock->page);
    psst_page_ask(&unlock->page, app, "status", NULL, NULL, 0, on_status);
    if (app->page == &unlock->page) psst_page_ask(&unlock->page, app, "settings", NULL, NULL, 0, on_settings);
}
