/* Methods about contacts: the list, and one small change each. */
#include "daemon/control/control.h"

#include "daemon/addresses.h"
#include "daemon/presence.h"
#include "daemon/reconnect/reconnect.h"
#include "daemon/rescue.h"
#include "daemon/retention.h"
#include "proto/chunk.h"

#include <stdio.h>
#include <stdlib.h>

#define LIST_BYTES ((size_t)700 * 1024) /* of contacts in one answer: well under the limit of a line */
#define LIMIT_MAX  1000000

json_t *psst_contact_json(const struct psst_contact *contact)
{
    char fingerprint[PSST_FPR_TEXT_LEN];
    psst_fpr_text(fingerprint, psst_rsa_public_fpr(contact->key));
    unsigned bits = psst_rsa_public_bits(contact->key);
    json_t *addresses = json_array();
    char address[PSST_ADDRESS_MAX + 1];
    const char *at = psst_addresses_next(address, contact->addresses);
    for (; at != NULL; at = psst_addresses_next(address, at))
        (void)json_array_append_new(addresses, json_string(address));
    json_t *json = json_pack(
        "{s:s, s:s, s:i, s:b, s:o, s:b, s:b, s:b, s:b, s:b, s:b, s:b, s:i, s:i}", "name", contact->alias, "fingerprint",
        fingerprint, "bits", (int)bits, "weak", bits < PSST_RSA_WEAK_BITS, "addresses", addresses, "verified",
        contact->verified, "blocked", contact->blocked, "paused", contact->paused, "paused_us", contact->paused_us,
        "history", contact->keep_history, "pair_secret", contact->has_our_secret || contact->has_their_secret, "online",
        contact->session != NULL, "unread", (int)contact->unread, "waiting", (int)contact->waiting);
    if (json != NULL) (void)json_object_set_new(json, "receipts", json_boolean(contact->receipts));
    if (json != NULL) (void)json_object_set_new(json, "reconnect", json_boolean(contact->reconnect));
    if (json != NULL) (void)json_object_set_new(json, "redialled", json_boolean(psst_reconnect_wanted(contact)));
    if (json != NULL) (void)json_object_set_new(json, "keep_days", json_integer(contact->keep_days));
    psst_presence_add_json(json, contact);
    return json;
}

/* Contacts from c on, as many as there may be; c is moved behind the last. */
static json_t *page(struct psst_contact **c, int64_t limit)
{
    json_t *list = json_array();
    for (size_t bytes = 0; *c != NULL && limit > 0 && bytes < LIST_BYTES; *c = (*c)->next, limit--) {
        json_t *one = psst_contact_json(*c);
        bytes += json_dumpb(one, NULL, 0, JSON_COMPACT);
        if (json_array_append_new(list, one) != 0) break;
    }
    return list;
}

/* One, or a page of the list: a line holds some thousand, and there may be more. */
void psst_control_contacts(struct psst_request *req)
{
    int64_t limit;
    if (!psst_request_int(req, "limit", 1, LIMIT_MAX, LIMIT_MAX, &limit)) return;
    bool is_one = json_object_get(req->params, "name") != NULL,
         has_after = json_object_get(req->params, "after") != NULL;
    struct psst_contact *c = psst_book_first(req->daemon->book);
    if (is_one || has_after) {
        c = psst_request_contact(req, is_one ? "name" : "after");
        if (c == NULL) return;
    }
    if (is_one) limit = 1;
    if (has_after && !is_one) c = c->next;
    json_t *list = page(&c, limit);
    json_t *damaged = psst_rescue_parts_json(req->daemon, PSST_PART_CONTACTS);
    psst_request_result(
        req, json_pack("{s:o, s:b, s:o*}", "contacts", list, "more", c != NULL && !is_one, "damaged", damaged));
}

/* ---- changes ---- */

static void changed(void *ctx, enum psst_err err, const char *words)
{
    struct psst_request *req = ctx;
    int64_t *id = req->state;
    const struct psst_contact *contact = err == PSST_OK ? psst_book_by_id(req->daemon->book, *id) : NULL;
    free(id);
    if (contact == NULL) {
        psst_request_finish(req, err, words);
        return;
    }
    psst_daemon_event(req->daemon, "contact", psst_contact_json(contact));
    psst_request_result(req, psst_contact_json(contact));
}

static void change(struct psst_request *req, struct psst_contact *contact, const struct psst_contact *with)
{
    int64_t *id = malloc(sizeof *id);
    if (id == NULL) {
        psst_request_finish(req, PSST_ERR_MEMORY, NULL);
        return;
    }
    *id = contact->id;
    req->state = id;
    psst_book_put(req->daemon->book, contact, with, changed, req);
}

static void set_blocked(struct psst_request *req, bool blocked)
{
    struct psst_contact *contact = psst_request_contact(req, "name");
    if (contact == NULL) return;
    struct psst_contact with = *contact;
    with.blocked = blocked;
    change(req, contact, &with);
    PSST_WIPE(with);
}

void psst_control_block(struct psst_request *req)
{
    set_blocked(req, true);
}

void psst_control_unblock(struct psst_request *req)
{
    set_blocked(req, false);
}

static void set_paused(struct psst_request *req, bool paused)
{
    struct psst_contact *contact = psst_request_contact(req, "name");
    if (contact == NULL) return;
    struct psst_contact with = *contact;
    with.paused = paused;
    change(req, contact, &with);
    PSST_WIPE(with);
}

void psst_control_pause(struct psst_request *req)
{
    set_paused(req, true);
}

void psst_control_unpause(struct psst_request *req)
{
    set_paused(req, false);
}

void psst_control_rename(struct psst_request *req)
{
    struct psst_contact *contact = psst_request_contact(req, "name");
    const char *new_name = contact != NULL ? psst_request_string(req, "new") : NULL;
    if (new_name == NULL) return;
    struct psst_diag diag = {{0}};
    if (psst_alias_check(new_name, psst_identity_name(req->daemon->identity), &diag) != PSST_OK) {
        psst_request_error(req, PSST_EXIT_USAGE, "bad-name", diag.text);
        return;
    }
    const struct psst_contact *other = psst_book_by_name(req->daemon->book, new_name);
    if (other != NULL && other != contact) {
        char words[160];
        (void)snprintf(words, sizeof words, "%s is a contact already", other->alias);
        psst_request_error(req, PSST_EXIT_FAILED, "exists", words);
        return;
    }
    struct psst_contact with = *contact;
    (void)snprintf(with.alias, sizeof with.alias, "%s", new_name);
    change(req, contact, &with);
    PSST_WIPE(with);
}

void psst_control_address(struct psst_request *req)
{
    struct psst_address_list addresses;
    struct psst_contact *contact = psst_request_contact(req, "name");
    if (contact == NULL || !psst_request_addresses(req, "addresses", &addresses)) return;
    if (json_object_get(req->params, "addresses") == NULL) {
        psst_request_result(req, psst_contact_json(contact));
        return;
    }
    struct psst_contact with = *contact;
    char lines[PSST_ADDRESSES_TEXT_MAX + 1];
    psst_addresses_join(lines, (const char(*)[PSST_ADDRESS_MAX + 1]) addresses.at, addresses.n);
    with.addresses = lines;
    free(contact->last_good); /* the person knows better */
    contact->last_good = NULL;
    change(req, contact, &with);
    PSST_WIPE(with);
}

void psst_control_reconnect(struct psst_request *req)
{
    struct psst_contact *contact = psst_request_contact(req, "name");
    if (contact == NULL) return;
    if (!json_is_boolean(json_object_get(req->params, "on"))) {
        psst_request_invalid(req, "on: true or false is wanted");
        return;
    }
    struct psst_contact with = *contact;
    with.reconnect = psst_request_bool(req, "on");
    change(req, contact, &with);
    PSST_WIPE(with);
}

void psst_control_receipts(struct psst_request *req)
{
    struct psst_contact *contact = psst_request_contact(req, "name");
    if (contact == NULL) return;
    if (!json_is_boolean(json_object_get(req->params, "tell"))) {
        psst_request_invalid(req, "tell: true or false is wanted");
        return;
    }
    struct psst_contact with = *contact;
    with.receipts = psst_request_bool(req, "tell");
    change(req, contact, &with);
    PSST_WIPE(with);
}

void psst_control_verified(struct psst_request *req)
{
    struct psst_contact *contact = psst_request_contact(req, "name");
    if (contact == NULL) return;
    struct psst_contact with = *contact;
    with.verified = psst_request_bool(req, "verified");
    change(req, contact, &with);
    PSST_WIPE(with);
}

/* It is no contact any more; its messages go now. */
static void removed(void *ctx, enum psst_err err, const char *words)
{
    struct psst_request *req = ctx;
    if (err == PSST_OK)
        psst_retention_run(req->daemon->retention, psst_request_done, req);
    else
        psst_request_finish(req, err, words);
}

void psst_control_remove(struct psst_request *req)
{
    struct psst_contact *contact = psst_request_contact(req, "name");
    if (contact != NULL) psst_book_remove(req->daemon->book, contact, removed, req);
}
