/* One's own card: where it lies, how it is handed over, with addresses, as a file or a QR code. */
#include "client/card_file.h"
#include "client/out.h"
#include "tui/ask.h"
#include "tui/form.h"
#include "tui/path.h"
#include "tui/qr_page.h"

#include <stdlib.h>

#define ADDRESSES_MAX  1000 /* bytes typed */
#define ADDRESSES_MOST 8
#define NAME_PART_MAX  40

enum id { ID_ADDRESSES = 1, ID_PATH, ID_WRITE, ID_QR, ID_ADD, ID_CLOSE };
enum wish { WISH_LOOK, WISH_WRITE, WISH_QR }; /* what the card is asked for */

struct card_page {
    struct psst_page page;
    struct psst_app *app;
    struct psst_form form;
    char *person; /* whom it is for; NULL: anybody */
    enum wish wish;
    char addresses[ADDRESSES_MAX + 1], path[1024], fingerprint[128], listen[400];
    char suggested[128]; /* what path was, before the person changed it */
    char said[1400];
    bool warns, asked, status_known;
};

static struct card_page *self_of(struct psst_page *page)
{
    return (struct card_page *)page;
}

/* ---- what it shows ---- */

static void show_hand_over(struct card_page *card)
{
    struct psst_form *form = &card->form;
    if (card->person != NULL) {
        psst_form_words(form, PSST_STYLE_WARN,
                        "This card is for %s alone. It holds a secret that you two share: then the line holds even if "
                        "RSA and X25519 are broken one day. Nobody else may see it: hand it over yourself. Written "
                        "again, it holds the same secret.",
                        psst_out_text(card->person, 80));
        return;
    }
    psst_form_words(
        form, PSST_STYLE_PLAIN,
        "Your card is a small file with your name and public key. It holds no secret. Hand it to the person "
        "by a way on which nobody can change it: on a USB stick, or from screen to camera. By mail or chat "
        "also, if you two then compare the safety number (/verify).");
    psst_form_words(form, PSST_STYLE_PLAIN, "It lies at %s", psst_out_text(card->app->setup->paths->card, 1000));
}

static void show_reach(struct card_page *card)
{
    struct psst_form *form = &card->form;
    psst_form_words(form, PSST_STYLE_PLAIN,
                    "So that others can call you, a card may hold addresses, HOST:PORT. Without one you call first. "
                    "Behind a router: its name or address, with the port passed on to this machine.");
    if (!card->status_known) return;
    if (card->listen[0] != '\0')
        psst_form_words(form, PSST_STYLE_DIM, "psstd listens at %s", psst_out_text(card->listen, 300));
    else
        psst_form_words(form, PSST_STYLE_WARN,
                        "!! nobody can reach you, since psstd listens nowhere: psst up says why");
}

static void show(struct card_page *card, int focus)
{
    struct psst_form *form = &card->form;
    psst_form_clear(form);
    if (card->said[0] != '\0') psst_form_words(form, card->warns ? PSST_STYLE_WARN : PSST_STYLE_GOOD, "%s", card->said);
    show_hand_over(card);
    if (card->fingerprint[0] != '\0') psst_form_fact(form, PSST_STYLE_PLAIN, "Fingerprint", card->fingerprint);
    psst_form_words(form, PSST_STYLE_PLAIN, " ");
    show_reach(card);
    psst_form_field(form, ID_ADDRESSES, "Addresses", card->addresses, ADDRESSES_MAX);
    psst_form_path(form, ID_PATH, "File", card->path);
    psst_form_button(form, ID_WRITE, "Write the file");
    psst_form_button(form, ID_QR, "QR code");
    psst_form_button(form, ID_ADD, "Add a contact");
    psst_form_button(form, ID_CLOSE, "Close");
    psst_form_focus(form, focus);
    psst_app_dirty(card->app, PSST_DIRTY_PAGE);
}

static void keep_fields(struct card_page *card)
{
    char *addresses = psst_form_text(&card->form, ID_ADDRESSES), *path = psst_form_text(&card->form, ID_PATH);
    if (addresses != NULL) (void)snprintf(card->addresses, sizeof card->addresses, "%s", addresses);
    if (path != NULL) (void)snprintf(card->path, sizeof card->path, "%s", path);
    free(addresses);
    free(path);
}

static void say(struct card_page *card, bool warns, int focus, const char *words)
{
    card->warns = warns;
    (void)snprintf(card->said, sizeof card->said, "%s%s", warns ? "!! " : "", psst_out_text(words, 1300));
    show(card, focus);
    card->form.follow = false; /* what was said stands at the top */
    card->form.scroll = 0;
}

/* Letters and digits of a name, small, for the name of a file; "" when nothing is left of it. */
static void name_part(char out[NAME_PART_MAX], const char *name)
{
    size_t len = 0;
    for (; *name != '\0' && len + 1 < NAME_PART_MAX; name++) {
        char c = *name;
        if (c >= 'A' && c <= 'Z') c = (char)(c - 'A' + 'a');
        bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (plain)
            out[len++] = c;
        else if (len > 0 && out[len - 1] != '-')
            out[len++] = '-';
    }
    while (len > 0 && out[len - 1] == '-') len--;
    out[len] = '\0';
}

/* A file in one's home; a path that the person has typed stays. name: one's own. */
static void suggest_path(struct card_page *card, const char *name)
{
    char me[NAME_PART_MAX], who[NAME_PART_MAX] = "";
    if (strcmp(card->path, card->suggested) != 0) return;
    name_part(me, name);
    if (card->person != NULL) name_part(who, card->person);
    (void)snprintf(card->suggested, sizeof card->suggested, "~/%s%s%s.psst", me[0] != '\0' ? me : "card",
                   card->person != NULL ? "-for-" : "", card->person != NULL && who[0] == '\0' ? "one" : who);
    (void)snprintf(card->path, sizeof card->path, "%s", card->suggested);
}

/* With what is known now; where one is in it stays. */
static void show_again(struct card_page *card)
{
    int scroll = card->form.scroll;
    bool follow = card->form.follow;
    show(card, psst_form_focused(&card->form));
    card->form.scroll = scroll;
    card->form.follow = follow;
}

/* ---- asking for it ---- */

static void write_it(struct card_page *card, const char *text)
{
    struct psst_diag diag = {{0}};
    char *path = psst_path_expand(card->path), words[1400];
    if (path == NULL || path[0] == '\0') {
        say(card, true, ID_PATH, path == NULL ? "out of memory" : "a file needs a name");
    } else if (psst_card_file_write(path, text, card->person != NULL, &diag) != PSST_OK) {
        say(card, true, ID_PATH, diag.text);
    } else {
        (void)snprintf(words, sizeof words, "%s: hand it over; %s", path,
                       card->person != NULL ? "it holds a secret for this one person, so nobody else may see it"
                                            : "it holds no secret");
        say(card, false, ID_ADD, words);
    }
    free(path);
}

static void show_qr(struct card_page *card, const char *text)
{
    char small[PSST_CARD_FILE_MAX + 1];
    if (psst_card_for_qr(small, text))
        psst_qr_page_open(card->app, card->person != NULL ? "Your card, for one person" : "Your card", small);
    else
        say(card, true, ID_QR, "the card is too long for a QR code");
}

static void on_card(struct psst_page *page, struct psst_app *app, json_t *result, const struct psst_failure *failure)
{
    struct card_page *card = self_of(page);
    const char *text = json_string_value(json_object_get(result, "card"));
    (void)app;
    card->asked = false;
    if (text == NULL) {
        say(card, true, ID_ADDRESSES, result == NULL ? failure->words : "psstd gave no card");
        return;
    }
    (void)snprintf(card->fingerprint, sizeof card->fingerprint, "%s", psst_out_string(result, "fingerprint"));
    keep_fields(card);
    switch (card->wish) {
    case WISH_LOOK: show_again(card); return;
    case WISH_WRITE: write_it(card, text); return;
    case WISH_QR: show_qr(card, text); return;
    }
}

/* What was typed, divided at blanks and commas; NULL: too many. */
static json_t *split_addresses(const char *typed)
{
    json_t *list = json_array();
    for (const char *at = typed; *at != '\0';) {
        size_t len = strcspn(at, " ,;");
        char one[300];
        (void)snprintf(one, sizeof one, "%.*s", (int)len, at);
        if (len > 0) (void)json_array_append_new(list, psst_rpc_text(one));
        at += len + (at[len] != '\0');
    }
    if (json_array_size(list) <= ADDRESSES_MOST) return list;
    json_decref(list);
    return NULL;
}

static void ask(struct card_page *card, enum wish wish)
{
    if (card->asked) return;
    keep_fields(card);
    json_t *addresses = split_addresses(card->addresses);
    if (addresses == NULL) {
        say(card, true, ID_ADDRESSES, "a card has at most 8 addresses");
        return;
    }
    json_t *params = json_pack("{s:o}", "addresses", addresses);
    if (card->person != NULL) (void)json_object_set_new(params, "for", psst_rpc_text(card->person));
    card->wish = wish;
    card->asked = true;
    psst_page_ask(&card->page, card->app, "card", params, NULL, 0, on_card);
}

static void on_status(struct psst_page *page, struct psst_app *app, json_t *result, const struct psst_failure *failure)
{
    struct card_page *card = self_of(page);
    const json_t *listen = json_object_get(result, "listen");
    (void)app;
    (void)failure;
    if (result == NULL) return;
    card->status_known = true;
    card->listen[0] = '\0';
    for (size_t i = 0; i < json_array_size(listen); i++) {
        size_t used = strlen(card->listen);
        const char *one = json_string_value(json_array_get(listen, i));
        (void)snprintf(card->listen + used, sizeof card->listen - used, "%s%s", i > 0 ? ", " : "",
                       psst_out_text(one, 60));
    }
    const char *name = json_string_value(json_object_get(json_object_get(result, "identity"), "name"));
    keep_fields(card);
    suggest_path(card, name != NULL ? name : "");
    show_again(card);
}

/* ---- the page ---- */

static void draw(struct psst_page *page, struct psst_app *app, struct psst_area area)
{
    (void)app;
    psst_form_draw(&self_of(page)->form, area);
}

static bool key(struct psst_page *page, struct psst_app *app, const struct psst_key *key)
{
    struct card_page *card = self_of(page);
    enum psst_form_did did = psst_form_key(&card->form, key);
    if (did != PSST_FORM_PRESSED) return did == PSST_FORM_TOOK;
    switch (card->form.pressed) {
    case ID_WRITE: ask(card, WISH_WRITE); return true;
    case ID_QR: ask(card, WISH_QR); return true;
    case ID_ADD:
        psst_page_leave(app, page);
        psst_add_open(app, NULL);
        return true;
    default: psst_page_leave(app, page); return true;
    }
}

static void free_page(struct psst_page *page)
{
    struct card_page *card = self_of(page);
    psst_page_ask_forget(page);
    psst_form_clear(&card->form);
    free(card->person);
    free(card);
}

static const struct psst_page_kind kind = {.draw = draw, .key = key, .free = free_page};

void psst_card_open(struct psst_app *app, const char *for_name)
{
    struct card_page *card = calloc(1, sizeof *card);
    if (card != NULL && for_name != NULL) card->person = strdup(for_name);
    if (card == NULL || (for_name != NULL && card->person == NULL)) {
        free(card);
        psst_app_error(app, "out of memory");
        return;
    }
    card->page = (struct psst_page){.kind = &kind};
    card->app = app;
    (void)snprintf(card->page.title, sizeof card->page.title, "Your card%s%s", for_name != NULL ? ", for " : "",
                   for_name != NULL ? psst_out_text(for_name, 50) : "");
    suggest_path(card, psst_model_self(app->model)->name);
    show(card, ID_ADDRESSES);
    card->form.follow = false;
    psst_page_push(app, &card->page);
    ask(card, WISH_LOOK);
    psst_page_ask(&card->page, app, "status", NULL, NULL, 0, on_status);
}
