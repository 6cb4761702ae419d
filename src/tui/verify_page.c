/* The safety number of a pair: to be compared, then said to be the same, or not. */
#include "client/out.h"
#include "tui/ask.h"
#include "tui/form.h"
#include "tui/qr_page.h"

#include <stdlib.h>
#include <string.h>

#define GROUPS_A_LINE 6
#define WORDS_A_LINE  4

enum id { ID_SAME = 1, ID_DIFFER, ID_LATER, ID_QR, ID_BACK };

struct verify_page {
    struct psst_page page;
    struct psst_app *app;
    struct psst_form form;
    char *name, *fingerprint;
    char digits[128], words[1000], qr[200], trouble[1024];
    bool known, verified, differ;
};

static struct verify_page *self_of(struct psst_page *page)
{
    return (struct verify_page *)page;
}

/* ---- what it shows ---- */

static void show_number(struct verify_page *verify)
{
    struct psst_form *form = &verify->form;
    struct psst_qr qr;
    psst_form_words(form, PSST_STYLE_PLAIN, "It must be the same on both sides, or somebody sits in between.");
    psst_form_words(form, PSST_STYLE_PLAIN, " ");
    psst_form_words(form, PSST_STYLE_BOLD, "%s", verify->digits);
    psst_form_words(form, PSST_STYLE_PLAIN, " ");
    psst_form_words(form, PSST_STYLE_BOLD, "%s", verify->words);
    psst_form_words(form, PSST_STYLE_PLAIN, " ");
    psst_form_words(form, PSST_STYLE_PLAIN,
                    "Digits, words and QR code say the same: compare one of them. Do it face to face, or by voice on "
                    "another line, where you know the voice. A text by mail or chat proves nothing.");
    if (verify->verified)
        psst_form_words(form, PSST_STYLE_GOOD, "You have compared it: %s is verified.",
                        psst_out_text(verify->name, 80));
    psst_form_words(form, PSST_STYLE_PLAIN, " ");
    if (verify->verified) {
        psst_form_button(form, ID_LATER, "Close");
        psst_form_button(form, ID_BACK, "Take it back");
    } else {
        psst_form_button(form, ID_SAME, "They are the same");
    }
    psst_form_button(form, ID_DIFFER, "They differ");
    if (!verify->verified) psst_form_button(form, ID_LATER, "Later");
    psst_form_button(form, ID_QR, "QR code");
    psst_form_focus(form, ID_LATER);
    if (psst_qr_make(&qr, verify->qr)) psst_form_qr(form, &qr);
}

static void show_alarm(struct verify_page *verify)
{
    struct psst_form *form = &verify->form;
    const char *name = psst_out_text(verify->name, 80);
    psst_form_words(form, PSST_STYLE_WARN, "!! STOP. %s is NOT verified.", name);
    psst_form_words(
        form, PSST_STYLE_WARN,
        "If the numbers really differ, one of you two holds a key that is not the other's: somebody may sit "
        "in between, read all that is said here, and change it.");
    psst_form_words(form, PSST_STYLE_PLAIN, " ");
    psst_form_words(
        form, PSST_STYLE_PLAIN,
        "Say nothing here that others may not know. Compare once more, whole, on another line. If it differs "
        "again: /remove %s, meet in person, and hand each other your cards.",
        name);
    psst_form_words(form, PSST_STYLE_PLAIN, " ");
    psst_form_button(form, ID_LATER, "Close");
}

static void show(struct verify_page *verify)
{
    struct psst_form *form = &verify->form;
    psst_form_clear(form);
    if (verify->trouble[0] != '\0') psst_form_fact(form, PSST_STYLE_WARN, "!!", verify->trouble);
    if (verify->differ)
        show_alarm(verify);
    else if (verify->known)
        show_number(verify);
    else if (verify->trouble[0] != '\0')
        psst_form_button(form, ID_LATER, "Close");
    psst_app_dirty(verify->app, PSST_DIRTY_PAGE);
}

/* ---- asking ---- */

/* So many groups a line: lines are read aloud one by one. */
static void break_lines(char *text, unsigned groups)
{
    unsigned n = 0;
    for (; *text != '\0'; text++)
        if (*text == ' ' && ++n % groups == 0) *text = '\n';
}

static void on_safety(struct psst_page *page, struct psst_app *app, json_t *result, const struct psst_failure *failure)
{
    struct verify_page *verify = self_of(page);
    const json_t *words = json_object_get(result, "words");
    (void)app;
    if (result == NULL) {
        (void)snprintf(verify->trouble, sizeof verify->trouble, "%s", failure->words);
        show(verify);
        return;
    }
    (void)snprintf(verify->digits, sizeof verify->digits, "%s", psst_out_string(result, "digits"));
    (void)snprintf(verify->qr, sizeof verify->qr, "%s", psst_out_string(result, "qr"));
    break_lines(verify->digits, GROUPS_A_LINE);
    verify->words[0] = '\0';
    for (size_t i = 0; i < json_array_size(words); i++) {
        size_t used = strlen(verify->words);
        (void)snprintf(verify->words + used, sizeof verify->words - used, "%s%s", i > 0 ? " " : "",
                       psst_out_text(json_string_value(json_array_get(words, i)), 20));
    }
    break_lines(verify->words, WORDS_A_LINE);
    verify->verified = psst_out_bool(result, "verified");
    verify->known = true;
    show(verify);
}

static void on_marked(struct psst_page *page, struct psst_app *app, json_t *result, const struct psst_failure *failure)
{
    struct verify_page *verify = self_of(page);
    if (result == NULL) {
        (void)snprintf(verify->trouble, sizeof verify->trouble, "%s", failure->words);
        show(verify);
        return;
    }
    verify->verified = psst_out_bool(result, "verified");
    if (!verify->verified || verify->differ) {
        show(verify);
        return;
    }
    char name[512];
    (void)snprintf(name, sizeof name, "%s", psst_out_text(verify->name, 80));
    psst_page_leave(app, page);
    psst_app_say(app, "%s is verified", name);
}

static void mark(struct verify_page *verify, bool verified)
{
    json_t *params = json_pack("{s:o, s:b}", "name", psst_rpc_text(verify->name), "verified", verified);
    verify->trouble[0] = '\0';
    psst_page_ask(&verify->page, verify->app, "contact.verified", params, NULL, 0, on_marked);
}

/* ---- the page ---- */

static void draw(struct psst_page *page, struct psst_app *app, struct psst_area area)
{
    (void)app;
    psst_form_draw(&self_of(page)->form, area);
}

static bool key(struct psst_page *page, struct psst_app *app, const struct psst_key *key)
{
    struct verify_page *verify = self_of(page);
    enum psst_form_did did = psst_form_key(&verify->form, key);
    if (did != PSST_FORM_PRESSED) return did == PSST_FORM_TOOK;
    switch (verify->form.pressed) {
    case ID_SAME: mark(verify, true); return true;
    case ID_BACK: mark(verify, false); return true;
    case ID_DIFFER:
        verify->differ = true;
        show(verify);
        if (verify->verified) mark(verify, false);
        return true;
    case ID_QR: psst_qr_page_open(app, "Safety number", verify->qr); return true;
    default: psst_page_leave(app, page); return true;
    }
}

/* What was compared belongs to one key: when the name is another's now, or nobody's, nothing is marked any more. */
static void changed(struct psst_page *page, struct psst_app *app, unsigned parts)
{
    struct verify_page *verify = self_of(page);
    if ((parts & PSST_PART_CONTACTS) == 0 || !psst_model_complete(app->model)) return;
    const struct psst_person *person = psst_model_find(app->model, verify->name);
    if (person != NULL && strcmp(person->fingerprint, verify->fingerprint) == 0) return;
    psst_page_leave(app, page);
    psst_app_error(app, "this contact was renamed or removed meanwhile; /verify begins anew");
    psst_hold_begin(app, PSST_HOLD_PAUSE, "this contact was renamed or removed meanwhile");
}

static void free_page(struct psst_page *page)
{
    struct verify_page *verify = self_of(page);
    psst_page_ask_forget(page);
    psst_form_clear(&verify->form);
    free(verify->name);
    free(verify->fingerprint);
    free(verify);
}

static const struct psst_page_kind kind = {.draw = draw, .key = key, .changed = changed, .free = free_page};

void psst_verify_open(struct psst_app *app, const char *name)
{
    struct verify_page *verify = calloc(1, sizeof *verify);
    const struct psst_person *person = psst_model_find(app->model, name);
    if (verify != NULL) verify->name = strdup(name);
    if (verify != NULL) verify->fingerprint = strdup(person != NULL ? person->fingerprint : "");
    if (verify == NULL || verify->name == NULL || verify->fingerprint == NULL) {
        if (verify != NULL) free(verify->name);
        free(verify);
        psst_app_error(app, "out of memory");
        return;
    }
    verify->page.kind = &kind;
    verify->app = app;
    (void)snprintf(verify->page.title, sizeof verify->page.title, "Safety number with %s", psst_out_text(name, 50));
    psst_page_push(app, &verify->page);
    json_t *params = json_pack("{s:o}", "name", psst_rpc_text(name));
    psst_page_ask(&verify->page, app, "safety", params, NULL, 0, on_safety);
}
