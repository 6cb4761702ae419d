/* The first run: name, size of the key, passphrase; then the key is made, and the card is shown.
 *
 *   NAME -> SIZE -> PROTECT -+-> PASS -> AGAIN -+-> MAKING -> card page
 *     <------- Escape        +------------------+      |  a failure: its sentence, and back
 */
#include "client/init_words.h"
#include "client/out.h"
#include "tui/ask.h"
#include "tui/form.h"

#include <stdlib.h>

enum step { STEP_NAME, STEP_SIZE, STEP_PROTECT, STEP_PASS, STEP_AGAIN, STEP_MAKING };
enum id { ID_NAME = 1, ID_SIZE, ID_BITS, ID_PROTECT, ID_PASS, ID_AGAIN, ID_ON, ID_BACK, ID_LEAVE };

struct first_run {
    struct psst_page page;
    struct psst_app *app;
    struct psst_form form;
    enum step step;
    char name[PSST_INIT_NAME_SIZE], bits_text[8];
    unsigned size, protect; /* what is chosen: of psst_init_sizes; 0: a passphrase, 1: none */
    long long bits;
    struct psst_passphrase first, again;
    char trouble[1024]; /* a sentence; "" */
    unsigned tried;
};

static const struct psst_page_kind kind;

static struct first_run *self_of(struct psst_page *page)
{
    return (struct first_run *)page;
}

static void forget(struct first_run *run)
{
    psst_passphrase_wipe(&run->first);
    psst_passphrase_wipe(&run->again);
}

/* ---- what each step shows ---- */

static void show_name(struct first_run *run)
{
    struct psst_form *form = &run->form;
    psst_form_words(form, PSST_STYLE_BOLD, "PSST is a private line between two people who hold each other's keys.");
    psst_form_words(form, PSST_STYLE_PLAIN,
                    "No server, no account: you are known by a key that is made here now, and that stays here.");
    psst_form_words(form, PSST_STYLE_PLAIN, " ");
    psst_form_field(form, ID_NAME, "Your name, as it stands on your card", run->name, PSST_INIT_NAME_SIZE - 1);
}

static void show_size(struct first_run *run)
{
    struct psst_form *form = &run->form;
    char options[400];
    psst_form_words(form, PSST_STYLE_PLAIN, "%s", psst_init_size_words);
    (void)snprintf(options, sizeof options, "%d bits: %s\n%d bits: %s\nanother size, as said below: %s",
                   psst_init_sizes[0].bits, psst_init_sizes[0].words, psst_init_sizes[1].bits, psst_init_sizes[1].words,
                   psst_init_sizes[2].words);
    psst_form_choice(form, ID_SIZE, options, run->size);
    psst_form_field(form, ID_BITS, "another size, in bits", run->bits_text, sizeof run->bits_text - 1);
    psst_form_words(form, PSST_STYLE_DIM, "From 1024 to 4096, in steps of 256; under 3072 it is weak.");
}

static void show_protect(struct first_run *run)
{
    psst_form_words(&run->form, PSST_STYLE_PLAIN, "%s.", psst_init_passphrase_words);
    psst_form_choice(&run->form, ID_PROTECT,
                     "a passphrase, asked for whenever psstd begins\n"
                     "no passphrase: whoever gets at this disk is you",
                     run->protect);
}

static void show_passphrase(struct first_run *run)
{
    bool again = run->step == STEP_AGAIN;
    psst_form_words(&run->form, PSST_STYLE_PLAIN, "%s.", psst_init_passphrase_words);
    psst_form_words(&run->form, PSST_STYLE_PLAIN, " ");
    psst_form_secret(&run->form, ID_PASS, "Passphrase", &run->first);
    if (again) psst_form_secret(&run->form, ID_AGAIN, "The same once more", &run->again);
    psst_form_focus(&run->form, again ? ID_AGAIN : ID_PASS);
    psst_form_words(&run->form, PSST_STYLE_DIM,
                    "Enter goes on, Escape goes back. Ctrl+C empties the field, or leaves.");
}

static void show_making(struct first_run *run)
{
    psst_form_words(&run->form, PSST_STYLE_PLAIN,
                    "Your key is being made: %lld bits. This takes some seconds, once; on a slow machine a minute.",
                    run->bits);
    psst_form_words(&run->form, PSST_STYLE_PLAIN, " ");
    if (run->tried == 0) return;
    psst_form_words(&run->form, PSST_STYLE_BOLD, "%u number%s tried, two primes are wanted", run->tried,
                    run->tried == 1 ? "" : "s");
}

static void show(struct first_run *run, enum step step)
{
    static const struct {
        const char *title;
        void (*show)(struct first_run *run);
    } steps[] = {
        [STEP_NAME] = {"Welcome to PSST: your name (1 of 3)", show_name},
        [STEP_SIZE] = {"Your key: its size (2 of 3)", show_size},
        [STEP_PROTECT] = {"Your key: its passphrase (3 of 3)", show_protect},
        [STEP_PASS] = {"Your key: its passphrase (3 of 3)", show_passphrase},
        [STEP_AGAIN] = {"Your key: its passphrase (3 of 3)", show_passphrase},
        [STEP_MAKING] = {"Your key is being made", show_making},
    };
    bool secret = step == STEP_PASS || step == STEP_AGAIN;
    run->step = step;
    psst_form_clear(&run->form);
    (void)snprintf(run->page.title, sizeof run->page.title, "%s", steps[step].title);
    if (run->trouble[0] != '\0') psst_form_fact(&run->form, PSST_STYLE_WARN, "!!", run->trouble);
    steps[step].show(run);
    if (step <= STEP_PROTECT) {
        psst_form_words(&run->form, PSST_STYLE_PLAIN, " ");
        psst_form_button(&run->form, ID_ON, step == STEP_PROTECT ? "Go on and make the key" : "Go on");
        if (step > STEP_NAME) psst_form_button(&run->form, ID_BACK, "Back");
        psst_form_button(&run->form, ID_LEAVE, "Leave PSST");
        psst_form_words(&run->form, PSST_STYLE_DIM,
                        step > STEP_NAME ? "Tab and arrows move, Enter goes on, Escape goes back, Ctrl+C leaves."
                                         : "Tab and arrows move, Enter goes on, Ctrl+C leaves.");
    }
    run->page.secret = !secret ? NULL : step == STEP_PASS ? &run->first : &run->again;
    psst_app_dirty(run->app, PSST_DIRTY_PAGE);
}

static void complain(struct first_run *run, enum step step, const char *words)
{
    (void)snprintf(run->trouble, sizeof run->trouble, "%s", words);
    show(run, step);
    run->trouble[0] = '\0';
}

/* ---- making ---- */

static void on_progress(void *ctx, const char *event, json_t *params)
{
    struct first_run *run = ctx;
    (void)event;
    json_int_t tried = json_integer_value(json_object_get(params, "tried"));
    run->tried = tried > 0 && tried < 100000000 ? (unsigned)tried : 0;
    if (run->step == STEP_MAKING) show(run, STEP_MAKING);
}

static void on_made(struct psst_page *page, struct psst_app *app, json_t *result, const struct psst_failure *failure)
{
    struct first_run *run = self_of(page);
    if (result == NULL) {
        enum step back = strcmp(failure->name, "bad-name") == 0   ? STEP_NAME
                         : strcmp(failure->name, "bad-bits") == 0 ? STEP_SIZE
                                                                  : STEP_PROTECT;
        complain(run, back, failure->words);
        return;
    }
    psst_page_leave(app, page);
    psst_card_open(app, NULL);
    psst_app_say(app, "your key is made: now hand your card to somebody, and add his");
}

static void make(struct first_run *run)
{
    json_t *params = json_pack("{s:o, s:I, s:b, s:b}", "name", psst_rpc_text(run->name), "bits", (json_int_t)run->bits,
                               "passphrase", run->first.len > 0, "import", 0);
    run->tried = 0;
    psst_passphrase_wipe(&run->again);
    show(run, STEP_MAKING);
    psst_page_ask_secret(&run->page, run->app, "init", params, &run->first, on_made);
}

/* ---- going on and back ---- */

static bool take_bits(struct first_run *run)
{
    char *text = psst_form_text(&run->form, ID_BITS);
    run->size = psst_form_chosen(&run->form, ID_SIZE);
    (void)snprintf(run->bits_text, sizeof run->bits_text, "%s", text != NULL ? text : "");
    free(text);
    run->bits = psst_init_sizes[run->size].bits;
    if (run->bits == 0) run->bits = strspn(run->bits_text, "0123456789") == 4 ? atoi(run->bits_text) : 0;
    return psst_init_bits_allowed(run->bits);
}

static void take_name(struct first_run *run)
{
    char *text = psst_form_text(&run->form, ID_NAME), *from = text;
    size_t len;
    while (from != NULL && *from == ' ') from++;
    for (len = from != NULL ? strlen(from) : 0; len > 0 && from[len - 1] == ' ';) len--;
    (void)snprintf(run->name, sizeof run->name, "%.*s", (int)len, from != NULL ? from : "");
    free(text);
}

static void go_on(struct first_run *run)
{
    switch (run->step) {
    case STEP_NAME:
        take_name(run);
        if (run->name[0] == '\0')
            complain(run, STEP_NAME, "A name is needed: others see it on your card.");
        else
            show(run, STEP_SIZE);
        return;
    case STEP_SIZE:
        if (take_bits(run))
            show(run, STEP_PROTECT);
        else
            complain(run, STEP_SIZE, "A key has 1024 to 4096 bits, in steps of 256.");
        return;
    case STEP_PROTECT:
        run->protect = psst_form_chosen(&run->form, ID_PROTECT);
        forget(run);
        if (run->protect == 0)
            show(run, STEP_PASS);
        else
            make(run);
        return;
    case STEP_PASS:
    case STEP_AGAIN:
    case STEP_MAKING: return;
    }
}

static void go_back(struct first_run *run)
{
    if (run->step == STEP_NAME) take_name(run);
    if (run->step == STEP_SIZE) (void)take_bits(run);
    if (run->step == STEP_PROTECT) run->protect = psst_form_chosen(&run->form, ID_PROTECT);
    forget(run);
    show(run, run->step == STEP_AGAIN || run->step == STEP_PASS ? STEP_PROTECT
              : run->step == STEP_PROTECT                       ? STEP_SIZE
              : run->step == STEP_MAKING                        ? STEP_MAKING /* what is under way comes to its end */
                                                                : STEP_NAME);
}

static void secret_key(struct psst_page *page, struct psst_app *app, enum psst_secret_key what)
{
    struct first_run *run = self_of(page);
    struct psst_passphrase *field = run->step == STEP_PASS ? &run->first : &run->again;
    if (what == PSST_SECRET_GIVEN_UP) {
        if (field->len == 0) psst_app_quit(app);
        psst_passphrase_wipe(field);
    } else if (what == PSST_SECRET_BACK) {
        go_back(run);
    } else if (what == PSST_SECRET_DONE && run->step == STEP_PASS) {
        if (run->first.len > 0)
            show(run, STEP_AGAIN);
        else
            complain(run, STEP_PASS, "That is none. Escape goes back to where you may choose to have none.");
    } else if (what == PSST_SECRET_DONE) {
        bool same = run->first.len == run->again.len && memcmp(run->first.text, run->again.text, run->first.len) == 0;
        if (same) {
            run->page.secret = NULL;
            make(run);
            return;
        }
        forget(run);
        complain(run, STEP_PASS, "The two are not the same: once more, from the beginning.");
    }
}

/* ---- the page ---- */

static void draw(struct psst_page *page, struct psst_app *app, struct psst_area area)
{
    (void)app;
    psst_form_draw(&self_of(page)->form, area);
}

/* Whoever types a number means it. */
static void number_means_another(struct first_run *run, const struct psst_key *key)
{
    if (key->code != PSST_KEY_TEXT || key->mods != 0 || key->cp < '0' || key->cp > '9') return;
    if (psst_form_focused(&run->form) != ID_BITS) psst_form_set(&run->form, ID_BITS, "");
    psst_form_choose(&run->form, ID_SIZE, 2);
    psst_form_focus(&run->form, ID_BITS);
}

static bool key(struct psst_page *page, struct psst_app *app, const struct psst_key *key)
{
    struct first_run *run = self_of(page);
    if (key->code == PSST_KEY_TEXT && key->mods == PSST_MOD_CONTROL && key->cp == 'c') {
        psst_app_quit(app);
        return true;
    }
    if (key->code == PSST_KEY_ESCAPE) {
        go_back(run);
        return true;
    }
    if (run->step == STEP_SIZE) number_means_another(run, key);
    if (psst_form_key(&run->form, key) != PSST_FORM_PRESSED) return true;
    if (run->form.pressed == ID_ON)
        go_on(run);
    else if (run->form.pressed == ID_BACK)
        go_back(run);
    else
        psst_app_quit(app);
    return true;
}

/* Somebody else may make the identity meanwhile. */
static void changed(struct psst_page *page, struct psst_app *app, unsigned parts)
{
    struct first_run *run = self_of(page);
    const struct psst_self *self = psst_model_self(app->model);
    if ((parts & PSST_PART_SELF) == 0 || run->step == STEP_MAKING || !self->known || !self->exists) return;
    static const char words[] = "an identity has been made here meanwhile, by another program of yours";
    bool field = page->secret != NULL;
    app->hold_typed = run->first.len > 0;
    psst_page_leave(app, page);
    psst_app_say(app, "%s", words);
    psst_hold_begin(app, field ? PSST_HOLD_SECRET : PSST_HOLD_PAUSE, words);
    if (self->locked && app->page == NULL) psst_unlock_open(app);
}

static void free_page(struct psst_page *page)
{
    struct first_run *run = self_of(page);
    psst_page_ask_forget(page);
    psst_client_on_progress(run->app->client, NULL, NULL);
    forget(run);
    psst_form_clear(&run->form);
    free(run);
}

static const struct psst_page_kind kind = {
    .draw = draw, .key = key, .changed = changed, .free = free_page, .whole = true};

void psst_first_run_open(struct psst_app *app)
{
    struct first_run *run = calloc(1, sizeof *run);
    char suggestion[PSST_INIT_NAME_SIZE];
    if (run == NULL) {
        psst_app_error(app, "out of memory");
        return;
    }
    run->page = (struct psst_page){.kind = &kind, .secret_key = secret_key};
    run->app = app;
    psst_init_suggest_name(suggestion);
    (void)snprintf(run->name, sizeof run->name, "%.64s", psst_out_text(suggestion, 60));
    (void)snprintf(run->bits_text, sizeof run->bits_text, "2048");
    psst_client_on_progress(app->client, on_progress, run);
    show(run, STEP_NAME);
    psst_page_push(app, &run->page);
}
