/* /why: in plain words, why things are as they are with a contact. Two questions to psstd, then a page.
 *
 *   contacts {name} -> outbox {name} -> sentences -> pager
 */
#include "client/out.h"
#include "client/presence_words.h"
#include "tui/commands_run.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define ADDRESSES_SHOWN 8

struct why {
    struct psst_app *app;
    char *name;
    json_t *contact;
};

static void why_free(struct why *why)
{
    json_decref(why->contact);
    free(why->name);
    free(why);
}

/* As it is: the pager renders all of it. */
static const char *string(const json_t *object, const char *key)
{
    const char *s = json_string_value(json_object_get(object, key));
    return s != NULL ? s : "";
}

/* ---- the line ---- */

/* The last line of ours in the conversation tells of the session as a rule: how it ended, or why none came about. */
static const struct psst_item *last_note(const struct psst_app *app, const char *name)
{
    const struct psst_conversation *c = app->conversation;
    if (c == NULL || strcmp(psst_conversation_name(c), name) != 0) return NULL;
    for (size_t i = psst_conversation_count(c); i > 0; i--) {
        const struct psst_item *item = psst_conversation_item(c, i - 1);
        if (item->kind == PSST_ITEM_NOTE) return item;
    }
    return NULL;
}

static void tell_seen(struct psst_buf *out, const json_t *contact)
{
    char words[PSST_SIZE_TEXT];
    struct timespec now;
    long long seen = psst_out_int(contact, "seen_ms");
    (void)clock_gettime(CLOCK_REALTIME, &now);
    long long ago = (long long)now.tv_sec * 1000 - seen;
    if (seen > 0)
        psst_buf_printf(out, "The last session ended %s ago.\n",
                        psst_out_duration(words, ago > 0 ? (unsigned long long)ago : 0));
    else
        psst_buf_put_str(out, "There was no session since psstd was started.\n");
}

static const char *address_of(const json_t *addresses, size_t i)
{
    const char *address = json_string_value(json_array_get(addresses, i));
    return address != NULL ? address : "";
}

static void tell_addresses(struct psst_buf *out, const json_t *contact, const char *name)
{
    const json_t *addresses = json_object_get(contact, "addresses");
    size_t n = json_array_size(addresses);
    if (n == 0) {
        psst_buf_printf(out, "No address of %s is known, so nobody can be dialled from here: /address %s HOST:PORT.\n",
                        name, name);
        return;
    }
    psst_buf_printf(out, "%s is dialled at", name);
    for (size_t i = 0; i < n && i < ADDRESSES_SHOWN; i++)
        psst_buf_printf(out, "%s %s", i > 0 ? "," : "", address_of(addresses, i));
    psst_buf_put_str(out, ".\n");
}

static void tell_dialling(struct psst_buf *out, const json_t *contact, const struct psst_person *person,
                          const char *name)
{
    if (person != NULL && person->dialling)
        psst_buf_printf(out, "%s is being dialled this moment.\n", name);
    else if (psst_out_bool(contact, "redialled"))
        psst_buf_printf(out, "%s is dialled from time to time, until a session stands.\n", name);
    else
        psst_buf_printf(out, "%s is not dialled now: /dial does it once, /reconnect on whenever there is no session.\n",
                        name);
}

static void tell_line(struct psst_buf *out, const struct why *why, const struct psst_person *person)
{
    const json_t *contact = why->contact;
    char words[PSST_PRESENCE_WORDS], said[PSST_PRESENCE_WORDS];
    const struct psst_item *note = last_note(why->app, why->name);
    psst_buf_put_str(out, "The line\n\n");
    if (psst_out_bool(contact, "online")) {
        bool plain = strcmp(string(contact, "presence"), "online") == 0;
        psst_buf_put_str(out, "In session: what you say arrives at once.\n");
        if (!plain || string(contact, "presence_text")[0] != '\0')
            psst_buf_printf(out, "%s shows as %s%s.\n", why->name,
                            plain ? "online" : psst_presence_words(words, contact), psst_presence_quote(said, contact));
        if (person != NULL && person->address[0] != '\0')
            psst_buf_printf(out, "The other end is at %s.\n", person->address);
    } else {
        psst_buf_put_str(out, "Not in session: what you say is stored here, and goes at the next session.\n");
        tell_seen(out, contact);
    }
    if (note != NULL)
        psst_buf_printf(out, "The last that psst noted here: %.*s\n",
                        (int)(note->text.len < 400 ? note->text.len : 400), (const char *)note->text.data);
    if (psst_out_bool(contact, "blocked"))
        psst_buf_printf(out, "You have blocked %s: no session can come about until /unblock.\n", why->name);
    else if (!psst_out_bool(contact, "online"))
        tell_dialling(out, contact, person, why->name);
    if (!psst_out_bool(contact, "online")) tell_addresses(out, contact, why->name);
}

static void tell_reach(struct psst_buf *out, const struct why *why)
{
    const struct psst_self *self = psst_model_self(why->app->model);
    const char *shows = string(json_object_get(why->contact, "shows"), "state");
    if (self->listen[0] != '\0')
        psst_buf_printf(out, "We listen at %s; whether that is reached from outside is up to routers in between.\n",
                        self->listen);
    else
        psst_buf_put_str(out, "We listen nowhere: nobody can dial us, only we others. /set listen ADDR:PORT.\n");
    if (strcmp(self->presence, "invisible") == 0 || strcmp(shows, "invisible") == 0)
        psst_buf_printf(out, "You are invisible%s: sessions come about only when you write.\n",
                        strcmp(shows, "invisible") == 0 ? " to this contact" : "");
}

/* ---- what waits ---- */

static void tell_waiting(struct psst_buf *out, const struct why *why, const json_t *outbox)
{
    const json_t *mine = NULL, *one;
    size_t i;
    psst_buf_put_str(out, "\nWhat waits\n\n");
    json_array_foreach((json_t *)json_object_get(outbox, "outbox"), i, one)
    {
        if (strcasecmp(string(one, "contact"), why->name) == 0) mine = one;
    }
    if (outbox == NULL) {
        psst_buf_put_str(out, "That is not known now.\n");
    } else if (mine == NULL) {
        psst_buf_put_str(out, "Nothing: all that you said has arrived, or was taken back.\n");
    } else {
        long long n = psst_out_int(mine, "waiting");
        size_t files = json_array_size(json_object_get(mine, "files"));
        psst_buf_printf(out, "%lld message%s", n, n == 1 ? "" : "s");
        if (files > 0) psst_buf_printf(out, " and %zu file%s", files, files == 1 ? "" : "s");
        psst_buf_printf(out, ". Why: %s.\n/outbox shows them, /recall takes the last one back.\n", string(mine, "why"));
    }
    if (psst_out_bool(why->contact, "paused"))
        psst_buf_printf(out, "You have paused %s: texts and offers stay over there until /unpause.\n", why->name);
    if (psst_out_bool(why->contact, "paused_us"))
        psst_buf_printf(out, "%s has paused you: what you say waits here until that ends.\n", why->name);
    if (!psst_out_bool(why->contact, "history"))
        psst_buf_put_str(out, "No history is kept with this contact: texts go once they are delivered or shown.\n");
}

/* ---- how safe it is ---- */

static void tell_safety(struct psst_buf *out, const struct why *why)
{
    const json_t *contact = why->contact;
    const struct psst_self *self = psst_model_self(why->app->model);
    const char *name = why->name;
    psst_buf_put_str(out, "\nHow safe it is\n\n");
    psst_buf_put_str(out, "All that goes over the line is encrypted from your machine to the other one, with keys of "
                          "this session alone that are erased with it.\n");
    if (psst_out_bool(contact, "verified"))
        psst_buf_printf(out, "Verified: you have compared the safety number with %s, and nobody sits in between.\n",
                        name);
    else
        psst_buf_printf(out,
                        "NOT verified: the line is safe with whoever holds the key that you were given as %s's. "
                        "Whether that is %s you only know once you have compared the safety number: /verify.\n",
                        name, name);
    if (psst_out_bool(contact, "weak"))
        psst_buf_printf(out,
                        "The key of %s is weak: RSA with %lld bits. Somebody with much computing power may break it, "
                        "and then pretend to be %s.\n",
                        name, psst_out_int(contact, "bits"), name);
    if (self->weak) psst_buf_printf(out, "Your own key is weak, too: RSA with %u bits.\n", self->bits);
    if (psst_out_bool(contact, "pair_secret"))
        psst_buf_put_str(out,
                         "A pair secret is in use: what is said now stays secret even if RSA and X25519 are broken "
                         "one day.\n");
    else
        psst_buf_printf(out,
                        "There is no pair secret: what is recorded now can be read if RSA and X25519 are both broken "
                        "one day. /card %s makes a card that holds one, to be handed over.\n",
                        name);
}

static void show(const struct why *why, const json_t *outbox)
{
    const struct psst_person *person = psst_model_find(why->app->model, why->name);
    char title[80];
    struct psst_buf out;
    psst_buf_init(&out, 1 << 18);
    tell_line(&out, why, person);
    tell_reach(&out, why);
    tell_waiting(&out, why, outbox);
    tell_safety(&out, why);
    psst_buf_put_u8(&out, 0);
    (void)snprintf(title, sizeof title, "Why: %.60s", why->name);
    if (!out.failed) psst_pager_open(why->app, title, (const char *)out.data);
    psst_buf_fini(&out);
}

/* ---- asking ---- */

static void got_outbox(void *ctx, json_t *result, const struct psst_failure *failure)
{
    struct why *why = ctx;
    (void)failure;
    show(why, result);
    why_free(why);
}

static void got_contact(void *ctx, json_t *result, const struct psst_failure *failure)
{
    struct why *why = ctx;
    const json_t *list = json_object_get(result, "contacts");
    (void)failure;
    if (json_array_size(list) == 0) {
        why_free(why);
        return;
    }
    why->contact = json_incref(json_array_get(list, 0));
    psst_app_request(why->app, "outbox", psst_rpc_name(why->name), NULL, 0, got_outbox, why);
}

void psst_run_why(struct psst_app *app, int n, char **words)
{
    const struct psst_person *person = psst_command_whom(app, n, words, 1);
    struct why *why = person != NULL ? calloc(1, sizeof *why) : NULL;
    if (why == NULL) return;
    *why = (struct why){.app = app, .name = strdup(person->name)};
    if (why->name == NULL) {
        why_free(why);
        return;
    }
    psst_app_request(app, "contacts", psst_rpc_name(person->name), NULL, 0, got_contact, why);
}
