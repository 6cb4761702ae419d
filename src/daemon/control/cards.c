/* Methods about cards and keys: card, inspect, add, safety. */
#include "daemon/control/control.h"

#include "daemon/addresses.h"
#include "daemon/rescue.h"

#include <stdio.h>
#include <stdlib.h>

static json_t *addresses_json(const char (*addresses)[PSST_ADDRESS_MAX + 1], size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; list != NULL && i < n; i++)
        if (json_array_append_new(list, json_string(addresses[i])) != 0) break;
    return list;
}

/* ---- card ---- */

struct card_job {
    int64_t contact_id; /* 0: for nobody in particular */
    struct psst_address_list addresses;
};

static void answer_card(struct psst_request *req, const struct psst_address_list *addresses,
                        const struct psst_pair_secret *secret)
{
    struct psst_identity *identity = req->daemon->identity;
    struct psst_card card = {.n_addresses = addresses->n, .has_pair_secret = secret != NULL};
    (void)snprintf(card.name, sizeof card.name, "%s", psst_identity_name(identity));
    memcpy(card.addresses, addresses->at, sizeof card.addresses);
    card.key = psst_rsa_public_ref((struct psst_rsa_public *)psst_identity_key(identity));
    if (secret != NULL) card.pair_secret = *secret;
    struct psst_buf text;
    psst_buf_init(&text, PSST_CARD_MAX);
    char fingerprint[PSST_FPR_TEXT_LEN];
    psst_fpr_text(fingerprint, psst_rsa_public_fpr(card.key));
    enum psst_err err = psst_card_write(&card, &text);
    if (err == PSST_OK)
        psst_request_result(
            req, json_pack("{s:s%, s:s}", "card", (const char *)text.data, text.len, "fingerprint", fingerprint));
    else
        psst_request_finish(req, err, "the card could not be written");
    psst_buf_fini(&text);
    psst_card_fini(&card);
}

static void secret_kept(void *ctx, enum psst_err err, const char *words)
{
    struct psst_request *req = ctx;
    struct card_job *job = req->state;
    struct psst_contact *contact = err == PSST_OK ? psst_book_by_id(req->daemon->book, job->contact_id) : NULL;
    if (contact != NULL)
        answer_card(req, &job->addresses, &contact->our_secret);
    else
        psst_request_finish(req, err != PSST_OK ? err : PSST_ERR_NOT_FOUND, words);
    free(job);
}

/* The first card for this person: the secret is kept before the card is given out, so that all later ones repeat it. */
static void issue_secret(struct psst_request *req, struct psst_contact *contact,
                         const struct psst_address_list *addresses)
{
    struct card_job *job = calloc(1, sizeof *job);
    if (job == NULL) {
        psst_request_finish(req, PSST_ERR_MEMORY, NULL);
        return;
    }
    *job = (struct card_job){.contact_id = contact->id, .addresses = *addresses};
    req->state = job;
    struct psst_contact with = *contact;
    with.has_our_secret = true;
    psst_crypto_rng.fill(psst_crypto_rng.ctx, with.our_secret.b, sizeof with.our_secret.b);
    psst_book_put(req->daemon->book, contact, &with, secret_kept, req);
    PSST_WIPE(with);
}

static void refuse_closed(struct psst_request *req)
{
    char words[PSST_RESCUE_WORDS_SIZE];
    psst_rescue_words(req->daemon, words);
    bool damaged = psst_identity_state(req->daemon->identity) == PSST_IDENTITY_RESCUE;
    psst_request_finish(req, damaged ? PSST_ERR_DAMAGED : PSST_ERR_LOCKED, damaged ? words : NULL);
}

void psst_control_card(struct psst_request *req)
{
    struct psst_address_list addresses;
    struct psst_contact *contact = NULL;
    if (!psst_request_addresses(req, "addresses", &addresses)) return;
    if (json_object_get(req->params, "for") != NULL) {
        if (psst_identity_state(req->daemon->identity) != PSST_IDENTITY_UNLOCKED) {
            refuse_closed(req);
            return;
        }
        contact = psst_request_contact(req, "for");
        if (contact == NULL) return;
    }
    if (contact != NULL && !contact->has_our_secret)
        issue_secret(req, contact, &addresses);
    else
        answer_card(req, &addresses, contact != NULL ? &contact->our_secret : NULL);
}

/* ---- inspect and add ---- */

/* The card in params, parsed; false: answered. */
static bool read_card(struct psst_request *req, struct psst_card *card)
{
    const char *text = psst_request_string(req, "card");
    if (text == NULL) return false;
    struct psst_diag diag = {{0}};
    enum psst_err err = psst_card_parse(card, psst_view_str(text), &diag);
    if (err == PSST_OK) return true;
    psst_request_error(req, PSST_EXIT_FAILED, psst_err_name(err),
                       diag.text[0] != '\0' ? diag.text : "that is not a contact card");
    return false;
}

static bool is_self(struct psst_daemon *d, const struct psst_card *card)
{
    const struct psst_rsa_public *self = psst_identity_key(d->identity);
    return self != NULL &&
           memcmp(psst_rsa_public_fpr(self)->b, psst_rsa_public_fpr(card->key)->b, sizeof(struct psst_fpr)) == 0;
}

void psst_control_inspect(struct psst_request *req)
{
    struct psst_card card;
    if (!read_card(req, &card)) return;
    struct psst_daemon *d = req->daemon;
    const struct psst_contact *known = psst_book_by_fpr(d->book, psst_rsa_public_fpr(card.key));
    const struct psst_contact *named = card.name[0] != '\0' ? psst_book_by_name(d->book, card.name) : NULL;
    if (named == known) named = NULL;
    char fingerprint[PSST_FPR_TEXT_LEN];
    psst_fpr_text(fingerprint, psst_rsa_public_fpr(card.key));
    unsigned bits = psst_rsa_public_bits(card.key);
    json_t *addresses = addresses_json((const char(*)[PSST_ADDRESS_MAX + 1]) card.addresses, card.n_addresses);
    psst_request_result(req, json_pack("{s:s, s:s, s:i, s:b, s:o, s:b, s:s?, s:s?, s:b}", "name", card.name,
                                       "fingerprint", fingerprint, "bits", (int)bits, "weak", bits < PSST_RSA_WEAK_BITS,
                                       "addresses", addresses, "pair_secret", card.has_pair_secret, "known_as",
                                       known != NULL ? known->alias : NULL, "conflict",
                                       named != NULL ? named->alias : NULL, "self", is_self(d, &card)));
    psst_card_fini(&card);
}

/* What the card knows better than the contact: addresses (written to lines, borrowed) and pair secret. Never the key, never
 * the alias. */
static void take_over(struct psst_contact *with, const struct psst_card *card, char lines[PSST_ADDRESSES_TEXT_MAX + 1])
{
    if (card->n_addresses > 0) {
        psst_addresses_join(lines, (const char(*)[PSST_ADDRESS_MAX + 1]) card->addresses, card->n_addresses);
        with->addresses = lines;
    }
    if (card->has_pair_secret) {
        with->has_their_secret = true;
        with->their_secret = card->pair_secret;
    }
}

static void added(void *ctx, enum psst_err err, const char *words)
{
    struct psst_request *req = ctx;
    struct psst_fpr *fpr = req->state;
    const struct psst_contact *contact = err == PSST_OK ? psst_book_by_fpr(req->daemon->book, fpr) : NULL;
    free(fpr);
    if (contact == NULL) {
        psst_request_finish(req, err != PSST_OK ? err : PSST_ERR_NOT_FOUND, words);
        return;
    }
    psst_daemon_event(req->daemon, "contact", psst_contact_json(contact));
    psst_request_result(req, psst_contact_json(contact));
}

/* Fills with from the card, or answers why not. */
static bool new_contact(struct psst_request *req, const struct psst_card *card, const char *alias,
                        struct psst_contact *with)
{
    struct psst_diag diag = {{0}};
    if (alias == NULL || alias[0] == '\0') {
        psst_request_error(req, PSST_EXIT_USAGE, "no-name", "the card has no name: give one with --as NAME");
        return false;
    }
    if (psst_alias_check(alias, psst_identity_name(req->daemon->identity), &diag) != PSST_OK) {
        psst_request_error(req, PSST_EXIT_USAGE, "bad-name", diag.text);
        return false;
    }
    const struct psst_contact *named = psst_book_by_name(req->daemon->book, alias);
    if (named != NULL) {
        char words[320];
        (void)snprintf(words, sizeof words,
                       "%s is a contact already, with another key; nothing was changed. If the key of %s really is "
                       "new, ask in person, then: psst remove %s",
                       named->alias, named->alias, named->alias);
        psst_request_error(req, PSST_EXIT_FAILED, "conflict", words);
        return false;
    }
    (void)snprintf(with->alias, sizeof with->alias, "%s", alias);
    with->key = card->key;
    with->keep_history = true;
    with->added_ms = psst_daemon_now(req->daemon).unix_ms;
    return true;
}

void psst_control_add(struct psst_request *req)
{
    struct psst_card card;
    if (!read_card(req, &card)) return;
    const json_t *alias = json_object_get(req->params, "alias");
    struct psst_contact *known = psst_book_by_fpr(req->daemon->book, psst_rsa_public_fpr(card.key));
    struct psst_contact with = {0};
    bool good = false;
    if (is_self(req->daemon, &card)) {
        psst_request_error(req, PSST_EXIT_FAILED, "self", "this is your own card: give it to others");
    } else if (alias != NULL && !json_is_string(alias) && !json_is_null(alias)) {
        psst_request_invalid(req, "alias: a string is wanted");
    } else if (known != NULL) {
        with = *known;
        good = true;
    } else {
        good = new_contact(req, &card, json_is_string(alias) ? json_string_value(alias) : card.name, &with);
    }
    struct psst_fpr *fpr = good ? malloc(sizeof *fpr) : NULL;
    if (fpr != NULL) {
        *fpr = *psst_rsa_public_fpr(card.key);
        req->state = fpr;
        char lines[PSST_ADDRESSES_TEXT_MAX + 1];
        take_over(&with, &card, lines);
        psst_book_put(req->daemon->book, known, &with, added, req);
    } else if (good) {
        psst_request_finish(req, PSST_ERR_MEMORY, NULL);
    }
    PSST_WIPE(with);
    psst_card_fini(&card);
}

/* ---- safety ---- */

void psst_control_safety(struct psst_request *req)
{
    struct psst_contact *contact = psst_request_contact(req, "name");
    if (contact == NULL) return; /* answered, and req is gone */
    const struct psst_rsa_public *self = psst_identity_key(req->daemon->identity);
    struct psst_safety safety;
    enum psst_err err = psst_safety_number(&safety, psst_rsa_public_fpr(self), psst_rsa_public_fpr(contact->key));
    if (err != PSST_OK) {
        psst_request_finish(req, err, NULL);
        return;
    }
    json_t *words = json_array();
    for (size_t i = 0; i < PSST_SAFETY_WORDS; i++) (void)json_array_append_new(words, json_string(safety.words[i]));
    psst_request_result(req, json_pack("{s:s, s:s, s:o, s:s, s:b}", "name", contact->alias, "digits", safety.digits,
                                       "words", words, "qr", safety.qr, "verified", contact->verified));
}
