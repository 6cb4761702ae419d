/* Somebody's card becomes a contact: a file or a paste -> what it is -> by which name -> a contact.
 *
 *   ASK --- inspect ---> LOOK --- add ---> DONE
 *    <------ Back ---------+        a known name with another key is a loud stop (attack 42)
 */
#include "base/secret.h"
#include "client/card_file.h"
#include "client/out.h"
#include "tui/ask.h"
#include "tui/commands.h"
#include "tui/form.h"
#include "tui/path.h"

#include <stdlib.h>
#include <strings.h>

#define ALIAS_MAX 64

enum step { STEP_ASK, STEP_LOOK, STEP_DONE };
enum id { ID_PATH = 1, ID_ALIAS, ID_LOOK, ID_ADD, ID_BACK, ID_CLOSE, ID_VERIFY, ID_CALL, ID_OPEN };

struct add_page {
    struct psst_page page;
    struct psst_app *app;
    struct psst_form form;
    enum step step;
    char path[1024], alias[ALIAS_MAX + 1], trouble[1024], name[512];
    char text[PSST_CARD_FILE_MAX + 1]; /* the card */
    json_t *card;                      /* what inspect says of it; NULL */
    bool verified, asked, opened;
};

static struct add_page *self_of(struct psst_page *page)
{
    return (struct add_page *)page;
}

/* ---- what it shows ---- */

static bool in_conflict(const struct add_page *add)
{
    return json_is_string(json_object_get(add->card, "conflict")) &&
           !json_is_string(json_object_get(add->card, "known_as"));
}

static void show_ask(struct add_page *add)
{
    psst_form_words(
        &add->form, PSST_STYLE_PLAIN,
        "The other person's card: a file that he gave you. Type where it lies (Tab completes), or paste the "
        "card itself.");
    psst_form_path(&add->form, ID_PATH, "File", add->path);
    psst_form_button(&add->form, ID_LOOK, "Look at it");
    psst_form_button(&add->form, ID_CLOSE, "Close");
}

static void show_facts(struct add_page *add)
{
    struct psst_form *form = &add->form;
    char key[PSST_SIZE_TEXT];
    const char *name = psst_out_string(add->card, "name");
    const json_t *addresses = json_object_get(add->card, "addresses");
    bool weak = psst_out_bool(add->card, "weak");
    psst_form_fact(form, PSST_STYLE_BOLD, "Card of", name[0] != '\0' ? name : "(no name)");
    psst_form_fact(form, weak ? PSST_STYLE_WARN : PSST_STYLE_PLAIN, "Key", psst_out_key(key, add->card));
    if (weak) psst_form_words(form, PSST_STYLE_WARN, "A key under 3072 bits is weak by today's measure.");
    psst_form_fact(form, PSST_STYLE_PLAIN, "Fingerprint", psst_out_string(add->card, "fingerprint"));
    for (size_t i = 0; i < json_array_size(addresses) && i < 8; i++)
        psst_form_fact(form, PSST_STYLE_PLAIN, "Address",
                       psst_out_text(json_string_value(json_array_get(addresses, i)), 300));
    if (psst_out_bool(add->card, "pair_secret"))
        psst_form_words(form, PSST_STYLE_GOOD, "Pair secret: yes, made for you alone");
    psst_form_words(form, PSST_STYLE_PLAIN, " ");
}

/* The same name with another key: the thing that a false friend would try. */
static void show_conflict(struct add_page *add)
{
    struct psst_form *form = &add->form;
    const char *known = psst_out_string(add->card, "conflict");
    psst_form_words(form, PSST_STYLE_WARN, "!! STOP. You know %s, and this card has ANOTHER KEY. Nothing was changed.",
                    known);
    psst_form_words(form, PSST_STYLE_WARN,
                    "Ask %s in person whether the key is new. If it is: /remove %s, then add the card. A card by mail "
                    "proves nothing.",
                    known, known);
    psst_form_words(form, PSST_STYLE_PLAIN, " ");
    show_facts(add);
    psst_form_words(form, PSST_STYLE_PLAIN, "Only if this is somebody else of that name: another name for him.");
    psst_form_field(form, ID_ALIAS, "Your name for him", add->alias, ALIAS_MAX);
    psst_form_button(form, ID_ADD, "Add somebody else");
    psst_form_button(form, ID_CLOSE, "Leave it");
    psst_form_focus(form, ID_CLOSE);
    form->follow = false; /* the warning stands at the top, and is read first */
}

static void show_look(struct add_page *add)
{
    struct psst_form *form = &add->form;
    bool known = json_is_string(json_object_get(add->card, "known_as"));
    if (psst_out_bool(add->card, "self")) {
        show_facts(add);
        psst_form_words(form, PSST_STYLE_WARN, "!! this is your own card: give it to others");
        psst_form_button(form, ID_BACK, "Another card");
        psst_form_button(form, ID_CLOSE, "Close");
        return;
    }
    if (in_conflict(add)) {
        show_conflict(add);
        return;
    }
    show_facts(add);
    if (known) {
        psst_form_words(form, PSST_STYLE_OURS,
                        "This is %s, whom you know: addresses and pair secret of the card are taken over.",
                        psst_out_string(add->card, "known_as"));
        psst_form_button(form, ID_ADD, "Take them over");
    } else {
        psst_form_field(form, ID_ALIAS, "Your name for this contact", add->alias, ALIAS_MAX);
        psst_form_button(form, ID_ADD, "Add");
    }
    psst_form_button(form, ID_BACK, "Another card");
    psst_form_button(form, ID_CLOSE, "Close");
}

static void show_done(struct add_page *add)
{
    struct psst_form *form = &add->form;
    const char *name = psst_out_text(add->name, 80);
    psst_form_words(form, PSST_STYLE_GOOD, "%s is a contact.", name);
    psst_form_words(form, PSST_STYLE_PLAIN, " ");
    if (add->verified)
        psst_form_words(form, PSST_STYLE_PLAIN, "The safety number has been compared.");
    else
        psst_form_words(form, PSST_STYLE_PLAIN,
                        "Not verified yet: if the card came by mail or chat, compare the safety number with %s, on "
                        "another line.",
                        name);
    psst_form_words(form, PSST_STYLE_PLAIN,
                    "You can write at once; it is kept until he can be reached. He needs your "
                    "card, too (/card).");
    psst_form_words(form, PSST_STYLE_PLAIN, " ");
    psst_form_button(form, ID_OPEN, "Write");
    if (!add->verified) psst_form_button(form, ID_VERIFY, "Verify");
    psst_form_button(form, ID_CALL, "Call");
}

static void show(struct add_page *add, enum step step)
{
    static void (*const shows[])(struct add_page * add) = {show_ask, show_look, show_done};
    add->step = step;
    psst_form_clear(&add->form);
    if (add->trouble[0] != '\0') psst_form_fact(&add->form, PSST_STYLE_WARN, "!!", add->trouble);
    add->trouble[0] = '\0';
    shows[step](add);
    psst_app_dirty(add->app, PSST_DIRTY_PAGE);
}

static void complain(struct add_page *add, enum step step, const char *words)
{
    (void)snprintf(add->trouble, sizeof add->trouble, "%s", words);
    show(add, step);
}

/* ---- looking at a card ---- */

static void on_inspected(struct psst_page *page, struct psst_app *app, json_t *result,
                         const struct psst_failure *failure)
{
    struct add_page *add = self_of(page);
    (void)app;
    add->asked = false;
    json_decref(add->card);
    add->card = json_incref(result);
    if (result == NULL) {
        complain(add, STEP_ASK, failure->words);
        return;
    }
    const char *name = psst_out_string(result, "name");
    bool suggest = strlen(name) <= ALIAS_MAX && !in_conflict(add);
    (void)snprintf(add->alias, sizeof add->alias, "%s", suggest ? name : "");
    show(add, STEP_LOOK);
}

static void inspect(struct add_page *add)
{
    if (add->asked) return;
    add->asked = true;
    psst_page_ask(&add->page, add->app, "inspect", json_pack("{s:s}", "card", add->text), NULL, 0, on_inspected);
}

static void look_at_file(struct add_page *add)
{
    struct psst_diag diag = {{0}};
    if (add->asked) return; /* what is added is what was looked at */
    char *typed = psst_form_text(&add->form, ID_PATH), *path = NULL;
    if (typed != NULL && add->step == STEP_ASK && add->form.n > 0)
        (void)snprintf(add->path, sizeof add->path, "%s", typed);
    free(typed);
    path = psst_path_expand(add->path);
    if (path == NULL || path[0] == '\0')
        complain(add, STEP_ASK, path == NULL ? "out of memory" : "where does the card lie?");
    else if (strcmp(path, "-") == 0) /* the terminal is no file */
        complain(add, STEP_ASK, "paste the card here, or say where it lies");
    else if (psst_card_file_check(path, &diag) != PSST_OK || psst_card_file_read(add->text, path, &diag) != PSST_OK)
        complain(add, STEP_ASK, diag.text);
    else
        inspect(add);
    free(path);
}

/* True: the paste was meant as a card. */
static bool take_paste(struct add_page *add, const struct psst_key *key)
{
    static const char mark[] = "BEGIN PUBLIC KEY";
    if (key->paste_len == 0 || memmem(key->paste, key->paste_len, mark, sizeof mark - 1) == NULL) return false;
    if (add->asked) return true; /* what is added is what was looked at */
    if (key->paste_len > PSST_CARD_FILE_MAX || memchr(key->paste, '\0', key->paste_len) != NULL) {
        complain(add, STEP_ASK, "that is no card: it has more than 16384 bytes");
        return true;
    }
    memcpy(add->text, key->paste, key->paste_len);
    add->text[key->paste_len] = '\0';
    if (psst_text_valid(psst_view_str(add->text)))
        inspect(add);
    else
        complain(add, STEP_ASK, "that is no card: it is no text");
    return true;
}

/* ---- adding ---- */

/* The model may hear of him only after we do. */
static void open_new(struct add_page *add)
{
    if (add->opened || psst_model_find(add->app->model, add->name) == NULL) return;
    add->opened = true;
    psst_app_open(add->app, add->name);
}

static void on_added(struct psst_page *page, struct psst_app *app, json_t *result, const struct psst_failure *failure)
{
    struct add_page *add = self_of(page);
    const char *name = json_string_value(json_object_get(result, "name"));
    (void)app;
    add->asked = false;
    if (result == NULL || name == NULL) {
        complain(add, STEP_LOOK, result == NULL ? failure->words : "psstd gave no contact");
        return;
    }
    (void)snprintf(add->name, sizeof add->name, "%s", name);
    add->verified = psst_out_bool(result, "verified");
    show(add, STEP_DONE);
    open_new(add);
}

static void add_it(struct add_page *add)
{
    const char *known = json_string_value(json_object_get(add->card, "known_as"));
    const char *conflict = json_string_value(json_object_get(add->card, "conflict"));
    char *alias = psst_form_text(&add->form, ID_ALIAS);
    (void)snprintf(add->alias, sizeof add->alias, "%s", alias != NULL ? alias : "");
    free(alias);
    if (add->asked) return;
    if (known == NULL && add->alias[0] == '\0') {
        complain(add, STEP_LOOK, "a contact needs a name");
        return;
    }
    if (known == NULL && conflict != NULL && strcasecmp(conflict, add->alias) == 0) {
        complain(add, STEP_LOOK, "that name belongs to another key, and a key is never replaced");
        return;
    }
    json_t *params =
        json_pack("{s:s, s:o}", "card", add->text, "alias", psst_rpc_text(known != NULL ? known : add->alias));
    add->asked = true;
    psst_page_ask(&add->page, add->app, "add", params, NULL, 0, on_added);
}

/* ---- the page ---- */

static void draw(struct psst_page *page, struct psst_app *app, struct psst_area area)
{
    (void)app;
    psst_form_draw(&self_of(page)->form, area);
}

/* The page is left; what comes next is about the new contact. */
static void go_on(struct add_page *add, int pressed)
{
    struct psst_app *app = add->app;
    char name[sizeof add->name];
    (void)snprintf(name, sizeof name, "%s", add->name);
    psst_page_leave(app, &add->page);
    psst_app_open(app, name);
    if (pressed == ID_VERIFY) psst_verify_open(app, name);
    if (pressed == ID_CALL) psst_command_line(app, "/call");
}

static bool key(struct psst_page *page, struct psst_app *app, const struct psst_key *key)
{
    struct add_page *add = self_of(page);
    if (key->code == PSST_KEY_PASTE && add->step == STEP_ASK && take_paste(add, key)) return true;
    enum psst_form_did did = psst_form_key(&add->form, key);
    if (did != PSST_FORM_PRESSED) return did == PSST_FORM_TOOK;
    switch (add->form.pressed) {
    case ID_LOOK: look_at_file(add); return true;
    case ID_ADD: add_it(add); return true;
    case ID_BACK: show(add, STEP_ASK); return true;
    case ID_VERIFY:
    case ID_CALL:
    case ID_OPEN: go_on(add, add->form.pressed); return true;
    default: psst_page_leave(app, page); return true;
    }
}

static void changed(struct psst_page *page, struct psst_app *app, unsigned parts)
{
    (void)app;
    if ((parts & PSST_PART_CONTACTS) != 0 && self_of(page)->step == STEP_DONE) open_new(self_of(page));
}

static void free_page(struct psst_page *page)
{
    struct add_page *add = self_of(page);
    psst_page_ask_forget(page);
    psst_form_clear(&add->form);
    json_decref(add->card);
    psst_wipe(add->text, sizeof add->text); /* it may hold a pair secret */
    free(add);
}

static const struct psst_page_kind kind = {.draw = draw, .key = key, .changed = changed, .free = free_page};

void psst_add_open(struct psst_app *app, const char *path)
{
    struct add_page *add = calloc(1, sizeof *add);
    if (add == NULL) {
        psst_app_error(app, "out of memory");
        return;
    }
    add->page = (struct psst_page){.kind = &kind, .title = "Add a contact"};
    add->app = app;
    if (path != NULL) (void)snprintf(add->path, sizeof add->path, "%s", path);
    show(add, STEP_ASK);
    psst_page_push(app, &add->page);
    if (path != NULL) look_at_file(add);
}
