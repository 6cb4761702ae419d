/* The contacts in memory. The store has the truth: a change is a job, and what is in memory follows its commit. */
#include "daemon/addresses.h"
#include "daemon/daemon.h"
#include "daemon/delivery/delivery.h"
#include "daemon/meet.h"
#include "daemon/presence.h"
#include "daemon/reconnect/reconnect.h"

#include <stdio.h>
#include <stdlib.h>

struct psst_book {
    struct psst_daemon *d;
    struct psst_contact *first, **end;      /* in the order of the store, new ones behind */
    struct psst_map by_id, by_fpr, by_name; /* by_name: folded */
    struct psst_map by_seen, by_reached;    /* who was ever met since the start */
    struct change *changes;                 /* on their way into the store, the latest first */
};

enum psst_err psst_book_new(struct psst_book **out, struct psst_daemon *d)
{
    struct psst_book *book = calloc(1, sizeof *book);
    if (book == NULL) return PSST_ERR_MEMORY;
    book->d = d;
    book->end = &book->first;
    *out = book;
    return PSST_OK;
}

/* A copy; NULL also for an empty one. *good is false when there is no memory. */
static const char *copy_of(const char *text, bool *good)
{
    if (text == NULL || text[0] == '\0') return NULL;
    const char *copy = strdup(text);
    if (copy == NULL) *good = false;
    return copy;
}

static void drop(const char **text)
{
    char *own = (char *)(uintptr_t)*text;
    if (own != NULL) psst_wipe(own, strlen(own));
    free(own);
    *text = NULL;
}

static void move(const char **to, const char **from)
{
    drop(to);
    *to = *from;
    *from = NULL;
}

static void contact_free(struct psst_contact *contact)
{
    free(contact->delivery); /* whatever an answer that came late has made anew */
    free(contact->transfers);
    free(contact->meets);
    psst_rsa_public_free(contact->key);
    drop(&contact->addresses);
    drop(&contact->presence_text);
    free(contact->last_good);
    psst_wipe(contact, sizeof *contact);
    free(contact);
}

/* ---- the list, and the ways to find something in it ---- */

static uint64_t hash_of_fpr(const struct psst_fpr *fpr)
{
    return psst_hash_u64(psst_load_u64(fpr->b)); /* a digest: any part of it will do */
}

/* Takes c, whose name, key and number stand. */
static void enlist(struct psst_book *book, struct psst_contact *c)
{
    c->next = NULL;
    *book->end = c;
    book->end = &c->next;
    psst_map_add(&book->by_id, &c->by_id, psst_hash_u64((uint64_t)c->id));
    psst_map_add(&book->by_fpr, &c->by_fpr, hash_of_fpr(psst_rsa_public_fpr(c->key)));
    psst_map_add(&book->by_name, &c->by_name, psst_hash_folded(c->alias));
}

static void delist(struct psst_book *book, struct psst_contact *c)
{
    struct psst_contact **at = &book->first;
    while (*at != c) at = &(*at)->next;
    *at = c->next;
    if (*at == NULL) book->end = at;
    psst_map_remove(&book->by_id, &c->by_id);
    psst_map_remove(&book->by_fpr, &c->by_fpr);
    psst_map_remove(&book->by_name, &c->by_name);
    if (c->is_seen) psst_map_remove(&book->by_seen, &c->by_seen);
    if (c->is_reached) psst_map_remove(&book->by_reached, &c->by_reached);
}

void psst_book_unload(struct psst_book *book)
{
    psst_map_fini(&book->by_id);
    psst_map_fini(&book->by_fpr);
    psst_map_fini(&book->by_name);
    psst_map_fini(&book->by_seen);
    psst_map_fini(&book->by_reached);
    book->end = &book->first;
    if (book->d->presences != NULL) psst_presences_unloaded(book->d->presences);
    while (book->first != NULL) {
        struct psst_contact *contact = book->first;
        book->first = contact->next;
        contact_free(contact);
    }
}

void psst_book_free(struct psst_book *book)
{
    if (book == NULL) return;
    psst_book_unload(book);
    free(book);
}

/* ---- looking ---- */

struct psst_contact *psst_book_first(struct psst_book *book)
{
    return book->first;
}

static bool same_folded(const char *a, const char *b)
{
    for (;; a++, b++) {
        unsigned char x = (unsigned char)*a, y = (unsigned char)*b;
        if (x >= 'A' && x <= 'Z') x = (unsigned char)(x + 32);
        if (y >= 'A' && y <= 'Z') y = (unsigned char)(y + 32);
        if (x != y) return false;
        if (x == '\0') return true;
    }
}

struct psst_contact *psst_book_by_name(struct psst_book *book, const char *alias)
{
    struct psst_contact *folded = NULL;
    struct psst_map_node *n = psst_map_find(&book->by_name, psst_hash_folded(alias));
    for (; n != NULL; n = psst_map_next(n)) {
        struct psst_contact *c = PSST_MAP_ITEM(n, struct psst_contact, by_name);
        if (strcmp(c->alias, alias) == 0) return c;
        if (same_folded(c->alias, alias)) folded = c; /* the store has no two of them */
    }
    return folded;
}

struct psst_contact *psst_book_by_fpr(struct psst_book *book, const struct psst_fpr *fpr)
{
    for (struct psst_map_node *n = psst_map_find(&book->by_fpr, hash_of_fpr(fpr)); n != NULL; n = psst_map_next(n)) {
        struct psst_contact *c = PSST_MAP_ITEM(n, struct psst_contact, by_fpr);
        if (memcmp(psst_rsa_public_fpr(c->key)->b, fpr->b, sizeof fpr->b) == 0) return c;
    }
    return NULL;
}

struct psst_contact *psst_book_by_id(struct psst_book *book, int64_t id)
{
    struct psst_map_node *n = psst_map_find(&book->by_id, psst_hash_u64((uint64_t)id));
    for (; n != NULL; n = psst_map_next(n)) {
        struct psst_contact *c = PSST_MAP_ITEM(n, struct psst_contact, by_id);
        if (c->id == id) return c;
    }
    return NULL;
}

const struct psst_pair_secret *psst_contact_psk(struct psst_daemon *d, const struct psst_contact *contact)
{
    const struct psst_rsa_public *self = psst_identity_key(d->identity);
    if (self == NULL) return NULL;
    return psst_pair_secret_choose(psst_rsa_public_fpr(self), contact->has_our_secret ? &contact->our_secret : NULL,
                                   psst_rsa_public_fpr(contact->key),
                                   contact->has_their_secret ? &contact->their_secret : NULL);
}

/* ---- where they are ---- */

static uint64_t hash_of_source(const struct psst_source *source)
{
    return psst_hash_u64(psst_load_u64(source->b + 1) ^ source->b[0]);
}

static void note_source(struct psst_map *map, struct psst_map_node *node, bool *is, struct psst_source *noted,
                        const struct psst_source *source)
{
    if (*is && psst_source_equal(noted, source)) return;
    if (*is) psst_map_remove(map, node);
    *noted = *source;
    *is = true;
    psst_map_add(map, node, hash_of_source(source));
}

void psst_book_met(struct psst_book *book, struct psst_contact *contact, const union psst_sockaddr *at, bool ours)
{
    struct psst_source source = psst_source_of(at);
    note_source(&book->by_seen, &contact->by_seen, &contact->is_seen, &contact->seen_from, &source);
    if (ours) note_source(&book->by_reached, &contact->by_reached, &contact->is_reached, &contact->reached_at, &source);
}

bool psst_book_knows_source(const struct psst_book *book, const struct psst_source *source)
{
    uint64_t hash = hash_of_source(source);
    struct psst_map_node *n = psst_map_find(&book->by_seen, hash);
    for (; n != NULL; n = psst_map_next(n))
        if (psst_source_equal(&PSST_MAP_ITEM(n, struct psst_contact, by_seen)->seen_from, source)) return true;
    for (n = psst_map_find(&book->by_reached, hash); n != NULL; n = psst_map_next(n))
        if (psst_source_equal(&PSST_MAP_ITEM(n, struct psst_contact, by_reached)->reached_at, source)) return true;
    return false;
}

/* ---- rows ---- */

/* What is kept of a contact, without what is alive of it and what lies on the heap. */
static void copy_kept(struct psst_contact *to, const struct psst_contact *from)
{
    to->id = from->id;
    memcpy(to->alias, from->alias, sizeof to->alias);
    to->has_our_secret = from->has_our_secret;
    to->has_their_secret = from->has_their_secret;
    to->our_secret = from->our_secret;
    to->their_secret = from->their_secret;
    to->blocked = from->blocked;
    to->verified = from->verified;
    to->keep_history = from->keep_history;
    to->paused = from->paused;
    to->receipts = from->receipts;
    to->reconnect = from->reconnect;
    to->keep_days = from->keep_days;
    to->presence = from->presence;
    to->added_ms = from->added_ms;
}

/* The same with that: from has nothing on the heap afterwards. */
static void take_kept(struct psst_contact *to, struct psst_contact *from)
{
    copy_kept(to, from);
    move(&to->addresses, &from->addresses);
    move(&to->presence_text, &from->presence_text);
}

static struct psst_contact *contact_from_row(const struct psst_contact_row *row)
{
    struct psst_contact *c = calloc(1, sizeof *c);
    if (c == NULL || psst_rsa_public_load(&c->key, row->spki) != PSST_OK) {
        free(c);
        return NULL;
    }
    char addresses[PSST_ADDRESSES_TEXT_MAX + 1], shows[PSST_PRESENCE_TEXT_MAX + 1];
    bool good = true;
    size_t len = row->presence_text.len <= PSST_PRESENCE_TEXT_MAX ? row->presence_text.len : 0;
    if (len > 0) memcpy(shows, row->presence_text.data, len);
    shows[len] = '\0';
    psst_addresses_read(addresses, row->addresses);
    c->addresses = copy_of(addresses, &good);
    c->presence_text = copy_of(shows, &good);
    if (!good) {
        contact_free(c);
        return NULL;
    }
    c->id = row->id;
    (void)snprintf(c->alias, sizeof c->alias, "%s", row->alias);
    c->has_our_secret = row->has_our_secret;
    c->has_their_secret = row->has_their_secret;
    c->our_secret = row->our_secret;
    c->their_secret = row->their_secret;
    c->blocked = row->blocked;
    c->verified = row->verified;
    c->keep_history = row->keep_history;
    c->paused = row->paused;
    c->receipts = row->receipts;
    c->reconnect = row->reconnect;
    c->keep_days = row->keep_days;
    c->presence = row->presence;
    c->added_ms = row->added_ms;
    return c;
}

/* ---- loading ---- */

struct load {
    struct psst_book *book;
    psst_book_done *done;
    void *ctx;
    struct psst_contact *first, **end;
    struct psst_own_presence own;
    bool own_damaged;
    unsigned damaged;
};

static enum psst_err load_each(void *ctx, const struct psst_contact_row *row)
{
    struct load *load = ctx;
    struct psst_contact *c = contact_from_row(row);
    if (c == NULL) {
        load->damaged++; /* one key that does not load must not keep all others away */
        return PSST_OK;
    }
    *load->end = c;
    load->end = &c->next;
    return PSST_OK;
}

static enum psst_err load_work(struct psst_store *store, void *arg)
{
    struct load *load = arg;
    enum psst_err err = psst_store_contacts(store, load_each, load);
    if (err != PSST_OK || psst_own_presence_read(store, &load->own) == PSST_OK) return err;
    load->own_damaged = true;
    load->own.state = PSST_PRESENCE_INVISIBLE; /* nobody is to see more than he may */
    return PSST_OK;
}

static void load_done(void *arg, enum psst_err err, const char *words)
{
    struct load *load = arg;
    struct psst_book *book = load->book;
    psst_book_unload(book);
    while (load->first != NULL) {
        struct psst_contact *c = load->first;
        load->first = c->next;
        enlist(book, c);
    }
    if (err != PSST_OK) psst_book_unload(book);
    if (err == PSST_OK) psst_presences_loaded(book->d->presences, &load->own);
    if (load->own_damaged) psst_log(&book->d->log, PSST_LOG_ERROR, "presence-damaged", "now=invisible");
    if (load->damaged > 0) psst_log(&book->d->log, PSST_LOG_ERROR, "contacts-damaged", "left-out=%u", load->damaged);
    load->done(load->ctx, err, words);
    psst_wipe(load, sizeof *load);
    free(load);
}

void psst_book_load(struct psst_book *book, psst_book_done *done, void *ctx)
{
    struct load *load = calloc(1, sizeof *load);
    if (load == NULL) {
        done(ctx, PSST_ERR_MEMORY, "out of memory");
        return;
    }
    *load = (struct load){.book = book, .done = done, .ctx = ctx};
    load->end = &load->first;
    psst_crypto_rng.fill(psst_crypto_rng.ctx, load->own.coin, sizeof load->own.coin);
    psst_store_run(book->d->store, load_work, load_done, load);
}

/* ---- changing ---- */

struct change {
    struct change *next;
    struct psst_book *book;
    int64_t of; /* the contact that it changes; 0: a new one. with.id is the store thread's meanwhile */
    psst_book_done *done;
    void *ctx;
    struct psst_contact with; /* key referenced; what lies on the heap is its own */
};

static enum psst_err put_work(struct psst_store *store, void *arg)
{
    struct change *change = arg;
    struct psst_contact *with = &change->with;
    struct psst_contact_row row = {
        .id = with->id,
        .fpr = *psst_rsa_public_fpr(with->key),
        .spki = psst_rsa_public_spki(with->key),
        .has_our_secret = with->has_our_secret,
        .has_their_secret = with->has_their_secret,
        .our_secret = with->our_secret,
        .their_secret = with->their_secret,
        .addresses = psst_view_str(with->addresses != NULL ? with->addresses : ""),
        .blocked = with->blocked,
        .verified = with->verified,
        .keep_history = with->keep_history,
        .paused = with->paused,
        .receipts = with->receipts,
        .reconnect = with->reconnect,
        .keep_days = with->keep_days,
        .presence = with->presence,
        .presence_text = psst_view_str(with->presence_text != NULL ? with->presence_text : ""),
        .added_ms = with->added_ms,
    };
    memcpy(row.alias, with->alias, sizeof row.alias);
    enum psst_err err = psst_store_contact_put(store, &row);
    with->id = row.id;
    PSST_WIPE(row);
    return err;
}

static struct psst_contact *add_in_memory(struct psst_book *book, struct psst_contact *with)
{
    struct psst_contact *c = calloc(1, sizeof *c);
    if (c == NULL) return NULL;
    c->key = psst_rsa_public_ref(with->key);
    take_kept(c, with);
    enlist(book, c);
    return c;
}

static void change_free(struct change *change)
{
    struct change **at = &change->book->changes;
    while (*at != NULL && *at != change) at = &(*at)->next;
    if (*at == change) *at = change->next;
    psst_rsa_public_free(change->with.key);
    drop(&change->with.addresses);
    drop(&change->with.presence_text);
    psst_wipe(change, sizeof *change);
    free(change);
}

static void put_done(void *arg, enum psst_err err, const char *words)
{
    struct change *change = arg;
    struct psst_book *book = change->book;
    if (err == PSST_OK) {
        psst_presences_book_changed(book->d->presences);
        struct psst_contact *c = psst_book_by_id(book, change->with.id);
        if (c != NULL) {
            psst_map_remove(&book->by_name, &c->by_name);
            take_kept(c, &change->with);
            psst_map_add(&book->by_name, &c->by_name, psst_hash_folded(c->alias));
        } else {
            c = add_in_memory(book, &change->with);
        }
        if (c != NULL) {
            if (c->blocked) psst_peers_hangup(book->d->peers, c, PSST_BYE_CLOSED, "the contact was blocked");
            psst_reconnect_changed(book->d, c);
        } else {
            err = PSST_ERR_MEMORY;
            words = "stored, but out of memory";
        }
    }
    change->done(change->ctx, err, words);
    change_free(change);
}

static bool same_text(const char *a, const char *b)
{
    return strcmp(a != NULL ? a : "", b != NULL ? b : "") == 0;
}

static bool same_secret(bool has_a, const struct psst_pair_secret *a, bool has_b, const struct psst_pair_secret *b)
{
    return has_a == has_b && (!has_a || psst_crypto_equal(a->b, b->b, sizeof a->b));
}

/* with was made from what is known now, while an earlier change is on its way: what with leaves as it is stays as the
 * earlier one has it, so that a block is not undone by a new name. A secret of ours once issued is never replaced.
 * False: out of memory. */
static bool follow(struct psst_contact *with, const struct psst_contact *now, const struct psst_contact *earlier)
{
    if (strcmp(with->alias, now->alias) == 0) memcpy(with->alias, earlier->alias, sizeof with->alias);
    if (earlier->has_our_secret) {
        with->has_our_secret = true;
        with->our_secret = earlier->our_secret;
    }
    if (same_secret(with->has_their_secret, &with->their_secret, now->has_their_secret, &now->their_secret)) {
        with->has_their_secret = earlier->has_their_secret;
        with->their_secret = earlier->their_secret;
    }
    bool good = true;
    if (same_text(with->addresses, now->addresses)) {
        drop(&with->addresses);
        with->addresses = copy_of(earlier->addresses, &good);
    }
    if (with->blocked == now->blocked) with->blocked = earlier->blocked;
    if (with->verified == now->verified) with->verified = earlier->verified;
    if (with->keep_history == now->keep_history) with->keep_history = earlier->keep_history;
    if (with->paused == now->paused) with->paused = earlier->paused;
    if (with->receipts == now->receipts) with->receipts = earlier->receipts;
    if (with->reconnect == now->reconnect) with->reconnect = earlier->reconnect;
    if (with->keep_days == now->keep_days) with->keep_days = earlier->keep_days;
    if (with->presence == now->presence && same_text(with->presence_text, now->presence_text)) {
        with->presence = earlier->presence;
        drop(&with->presence_text);
        with->presence_text = copy_of(earlier->presence_text, &good);
    }
    return good;
}

static struct change *change_new(struct psst_book *book, const struct psst_contact *with, psst_book_done *done,
                                 void *ctx)
{
    struct change *change = calloc(1, sizeof *change);
    if (change == NULL) {
        done(ctx, PSST_ERR_MEMORY, "out of memory");
        return NULL;
    }
    change->book = book;
    change->done = done;
    change->ctx = ctx;
    bool good = true;
    copy_kept(&change->with, with);
    change->with.key = psst_rsa_public_ref(with->key);
    change->with.addresses = copy_of(with->addresses, &good);
    change->with.presence_text = copy_of(with->presence_text, &good);
    if (good) return change;
    change_free(change);
    done(ctx, PSST_ERR_MEMORY, "out of memory");
    return NULL;
}

void psst_book_put(struct psst_book *book, struct psst_contact *contact, const struct psst_contact *with,
                   psst_book_done *done, void *ctx)
{
    struct change *change = change_new(book, with, done, ctx);
    if (change == NULL) return;
    change->of = change->with.id = contact != NULL ? contact->id : 0;
    const struct change *earlier = contact != NULL ? book->changes : NULL;
    while (earlier != NULL && earlier->of != contact->id) earlier = earlier->next;
    if (earlier != NULL && !follow(&change->with, contact, &earlier->with)) {
        change_free(change);
        done(ctx, PSST_ERR_MEMORY, "out of memory");
        return;
    }
    change->next = book->changes;
    book->changes = change;
    psst_store_run(book->d->store, put_work, put_done, change);
}

static enum psst_err remove_work(struct psst_store *store, void *arg)
{
    struct change *change = arg;
    return psst_store_contact_remove(store, change->with.id);
}

static void remove_done(void *arg, enum psst_err err, const char *words)
{
    struct change *change = arg;
    struct psst_book *book = change->book;
    struct psst_contact *c = psst_book_by_id(book, change->with.id);
    if (err == PSST_OK && c != NULL) {
        psst_peers_hangup(book->d->peers, c, PSST_BYE_CLOSED, "the contact was removed");
        psst_delivery_forget(book->d->delivery, c);
        psst_transfers_forget(book->d->transfers, c);
        psst_meets_forget(book->d->meets, c);
        psst_reconnect_forget(book->d->reconnect, c);
        delist(book, c);
        psst_presences_book_changed(book->d->presences);
        psst_daemon_event(book->d, "contact.removed", json_pack("{s:s}", "contact", c->alias));
        contact_free(c);
    }
    change->done(change->ctx, err, words);
    change_free(change);
}

void psst_book_remove(struct psst_book *book, struct psst_contact *contact, psst_book_done *done, void *ctx)
{
    struct change *change = change_new(book, contact, done, ctx);
    if (change != NULL) psst_store_run(book->d->store, remove_work, remove_done, change);
}
