/* Calling a contact: its addresses, one after another, a little apart ("happy eyeballs", RFC 8305); the first whose
 * handshake completes wins.
 *
 *   addresses: the one given, else: last good, the contact's own in their order, where he last called from
 *       -> names are resolved one at a time -> candidates -> attempts, a new one each 250 ms or as soon as one fails
 *       -> session stands: 0    peer is there, but refuses: 6 at once    all have failed: 5
 *       -> nobody has said anything for a while: all candidates once more, beside what is under way, for ten seconds in all
 *
 * The fresh rounds are for lines that come back: an attempt that has met silence is repeated by the system at ever longer
 * intervals, and on a slow line it may yet be answered. There is one dial for each contact; who asks again meanwhile waits
 * along, and nobody need wait at all (reconnect.c). A session that the contact begins ends the dial too.
 */
#include "daemon/peers/internal.h"

#include "daemon/addresses.h"
#include "daemon/reconnect/reconnect.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define STAGGER_MS     250
#define CANDIDATES_MAX 32
#define PER_NAME_MAX   8
#define DIAL_MS        10000 /* until something must have answered */
#define AGAIN_MS       1500  /* silence before the next round, */
#define AGAIN_SPOKE_MS 3000  /* and where somebody had answered: there the system repeats soon what was lost */
#define STALE_MS       3000 /* an attempt without any answer is repeated by the system after 1 and 3 s: then not for long */
#define ATTEMPTS_MAX   24
#define NS_A_MS        UINT64_C(1000000)

struct waiter {
    struct waiter *next;
    psst_dial_done *done;
    void *ctx;
};

struct candidate {
    union psst_sockaddr at;
    uint8_t address; /* index of the text it came from */
};

struct psst_dial {
    struct psst_peers *peers;
    struct psst_dial *next, *prev;
    struct psst_map_node by_contact;
    int64_t contact_id;
    char alias[PSST_NAME_MAX + 1];
    char addresses[PSST_ADDRESSES_MAX + 4][PSST_ADDRESS_MAX + 1];
    size_t n_addresses, next_address;
    struct candidate candidates[CANDIDATES_MAX];
    size_t n_candidates, next_candidate;
    unsigned attempts;
    uint64_t deadline_ms; /* loop time; PSST_NEVER: what is under way has its own */
    uint64_t attempt_ms;  /* when the last attempt began */
    uv_timer_t timer;
    uv_getaddrinfo_t resolver;
    bool resolving, finished;
    bool left;        /* some attempt has left this machine: there is a network */
    uint8_t handles;  /* what must come back before it is freed */
    uint8_t resolved; /* index of the address that is being resolved */
    uint16_t port;
    enum {
        REASON_NONE,
        REASON_NAME,
        REASON_SOCKET,
        REASON_SILENCE
    } reason; /* how much the words tell; the most wins */
    char words[256];
    struct waiter *waiters;
};

static void step(struct psst_dial *dial);

/* ---- finishing ---- */

static void release(struct psst_dial *dial)
{
    if (--dial->handles == 0) free(dial);
}

static void on_closed(uv_handle_t *handle)
{
    release(handle->data);
}

static void drop_attempts(struct psst_dial *dial)
{
    struct psst_conn *next;
    for (struct psst_conn *conn = dial->peers->conns; conn != NULL; conn = next) {
        next = conn->next;
        if (conn->dial != dial) continue;
        conn->dial = NULL;
        if (conn->state == PSST_CONN_CONNECTING || conn->state == PSST_CONN_HANDSHAKE) psst_conn_close(conn);
    }
    dial->attempts = 0;
}

static void finish(struct psst_dial *dial, int exit_code, const char *words, const char *address)
{
    if (dial->finished) return;
    dial->finished = true;
    if (dial->prev != NULL)
        dial->prev->next = dial->next;
    else
        dial->peers->dials = dial->next;
    if (dial->next != NULL) dial->next->prev = dial->prev;
    psst_map_remove(&dial->peers->dials_by_contact, &dial->by_contact);
    drop_attempts(dial);
    if (dial->resolving) (void)uv_cancel((uv_req_t *)&dial->resolver);
    (void)uv_timer_stop(&dial->timer);
    struct waiter *w = dial->waiters;
    dial->waiters = NULL;
    while (w != NULL) {
        struct waiter *following = w->next;
        w->done(w->ctx, exit_code, words, address);
        free(w);
        w = following;
    }
    psst_reconnect_dialled(dial->peers->d, dial->contact_id, exit_code, words, dial->left);
    uv_close((uv_handle_t *)&dial->timer, on_closed);
}

static void note(struct psst_dial *dial, int reason, const char *words)
{
    if (reason <= (int)dial->reason) return;
    dial->reason = (uint8_t)reason;
    (void)snprintf(dial->words, sizeof dial->words, "%s", words);
}

/* ---- attempts ---- */

static void note_socket_error(struct psst_dial *dial, uint8_t address, int error)
{
    char words[sizeof dial->words];
    const char *at = dial->addresses[address];
    if (error == ECONNREFUSED)
        (void)snprintf(words, sizeof words, "nobody listens at %.120s: %s is off line, or has another address", at,
                       dial->alias);
    else if (error == ETIMEDOUT)
        (void)snprintf(words, sizeof words, "no answer from %s at %.120s: off line, or another address", dial->alias,
                       at);
    else
        (void)snprintf(words, sizeof words, "%s cannot be reached at %.120s: %s", dial->alias, at, strerror(error));
    note(dial, REASON_SOCKET, words);
}

static uint64_t now_ms(const struct psst_dial *dial)
{
    return uv_now(dial->peers->d->loop);
}

static void attempt(struct psst_dial *dial, const struct candidate *to)
{
    int fd;
    int error = 0;
    if (psst_socket_connect(&fd, &to->at, &error) != PSST_OK) {
        note_socket_error(dial, to->address, error);
        dial->left |= error != ENETUNREACH && error != EHOSTUNREACH && error != ENETDOWN && error != EADDRNOTAVAIL;
        return;
    }
    dial->left = true;
    dial->attempt_ms = now_ms(dial);
    struct psst_conn *conn = psst_conn_connecting(dial->peers, fd, &to->at, dial);
    if (conn == NULL) return;
    conn->dialled = to->address;
    dial->attempts++;
}

void psst_dial_failed(struct psst_conn *conn, enum psst_link_end end)
{
    struct psst_dial *dial = conn->dial;
    char words[sizeof dial->words];
    const char *at = dial->addresses[conn->dialled];
    conn->dial = NULL;
    dial->attempts--;
    if (end == PSST_END_NOT_ADDED) {
        (void)snprintf(words, sizeof words,
                       "%s answered, but has not added you, has blocked you, or your pair secrets differ", dial->alias);
        finish(dial, 6, words, at);
        return;
    }
    if (conn->state == PSST_CONN_CONNECTING) {
        note_socket_error(dial, conn->dialled, conn->error);
    } else {
        (void)snprintf(words, sizeof words,
                       "no answer from %s at %.80s: off line, another address, locked, or the clocks differ by more "
                       "than a day",
                       dial->alias, at);
        note(dial, REASON_SILENCE, words);
    }
    step(dial);
}

/* ---- names ---- */

static void add_candidate(struct psst_dial *dial, const union psst_sockaddr *at, uint8_t address)
{
    for (size_t i = 0; i < dial->n_candidates; i++)
        if (psst_sockaddr_equal(&dial->candidates[i].at, at)) return;
    if (dial->n_candidates == CANDIDATES_MAX) return;
    dial->candidates[dial->n_candidates++] = (struct candidate){*at, address};
}

/* In the system's order, but families take turns, so that one that leads nowhere costs 250 ms at most. */
static void add_resolved(struct psst_dial *dial, const struct addrinfo *list)
{
    union psst_sockaddr found[PER_NAME_MAX];
    size_t n = 0;
    for (const struct addrinfo *a = list; a != NULL && n < PER_NAME_MAX; a = a->ai_next)
        if (psst_sockaddr_copy(&found[n], a->ai_addr, dial->port) == PSST_OK) n++;
    bool used[PER_NAME_MAX] = {false};
    int family = n > 0 ? found[0].any.sa_family : AF_UNSPEC;
    for (size_t done = 0; done < n; done++) {
        size_t pick = n;
        for (size_t i = 0; i < n; i++) {
            if (used[i]) continue;
            if (pick == n || (found[pick].any.sa_family != family && found[i].any.sa_family == family)) pick = i;
        }
        used[pick] = true;
        add_candidate(dial, &found[pick], dial->resolved);
        family = found[pick].any.sa_family == AF_INET ? AF_INET6 : AF_INET;
    }
}

static void on_resolved(uv_getaddrinfo_t *resolver, int status, struct addrinfo *list)
{
    struct psst_dial *dial = resolver->data;
    dial->resolving = false;
    if (!dial->finished) {
        if (status == 0)
            add_resolved(dial, list);
        else {
            char words[sizeof dial->words];
            (void)snprintf(words, sizeof words, "the name in %.120s cannot be found: %s",
                           dial->addresses[dial->resolved], uv_strerror(status));
            note(dial, REASON_NAME, words);
        }
        step(dial);
    }
    uv_freeaddrinfo(list);
    release(dial);
}

static void resolve_next(struct psst_dial *dial)
{
    uint8_t index = (uint8_t)dial->next_address++;
    char host[PSST_HOST_MAX + 1];
    union psst_sockaddr at;
    if (psst_address_split(dial->addresses[index], host, &dial->port) != PSST_OK) return;
    if (psst_sockaddr_numeric(&at, host, dial->port) == PSST_OK) {
        add_candidate(dial, &at, index);
        return;
    }
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    dial->resolved = index;
    if (uv_getaddrinfo(dial->peers->d->loop, &dial->resolver, on_resolved, host, NULL, &hints) != 0) return;
    dial->resolver.data = dial;
    dial->resolving = true;
    dial->handles++;
}

/* ---- the course of a dial ---- */

static void on_timer(uv_timer_t *timer);

static void set_timer(struct psst_dial *dial, uint64_t at_ms)
{
    uint64_t now = now_ms(dial);
    (void)uv_timer_start(&dial->timer, on_timer, at_ms > now ? at_ms - now : 0, 0);
}

/* Until when nobody's silence means anything. */
static uint64_t patience_ms(const struct psst_dial *dial)
{
    uint64_t at_ms = dial->attempt_ms + AGAIN_MS;
    for (const struct psst_conn *conn = dial->peers->conns; conn != NULL; conn = conn->next) {
        if (conn->dial != dial || conn->state != PSST_CONN_HANDSHAKE) continue;
        const struct psst_duplicate_session *times = psst_link_times(conn->link);
        uint64_t spoke_ns = times->m2_at_ns > times->m1_at_ns ? times->m2_at_ns : times->m1_at_ns;
        if (spoke_ns / NS_A_MS + AGAIN_SPOKE_MS > at_ms) at_ms = spoke_ns / NS_A_MS + AGAIN_SPOKE_MS;
    }
    return at_ms;
}

/* Begins the next attempt that there is, or ends the dial when there is none and none is under way. */
static void step(struct psst_dial *dial)
{
    while (!dial->finished) {
        unsigned before = dial->attempts;
        if (dial->next_candidate < dial->n_candidates) {
            attempt(dial, &dial->candidates[dial->next_candidate++]);
            if (dial->attempts == before) continue; /* failed on the spot */
            set_timer(dial, now_ms(dial) + STAGGER_MS);
            return;
        }
        if (!dial->resolving && dial->next_address < dial->n_addresses) {
            resolve_next(dial);
            continue;
        }
        if (dial->attempts == 0 && !dial->resolving) {
            finish(dial, 5, dial->words, NULL);
            return;
        }
        if (dial->deadline_ms == PSST_NEVER) return;
        uint64_t at_ms = dial->attempts > 0 ? patience_ms(dial) : dial->deadline_ms;
        set_timer(dial, at_ms < dial->deadline_ms ? at_ms : dial->deadline_ms);
        return;
    }
}

/* Ends the attempts that have had no answer at all and began before then. */
static void drop_silent(struct psst_dial *dial, uint64_t before_ms)
{
    struct psst_conn *next;
    for (struct psst_conn *conn = dial->peers->conns; conn != NULL; conn = next) {
        next = conn->next;
        if (conn->dial != dial || conn->state != PSST_CONN_CONNECTING) continue;
        if (conn->give_up_ms - PSST_CONNECT_MS >= before_ms) continue;
        note_socket_error(dial, conn->dialled, ETIMEDOUT);
        conn->dial = NULL;
        dial->attempts--;
        psst_conn_close(conn);
    }
}

/* The time is over for all who have not said anything. */
static void expire(struct psst_dial *dial)
{
    dial->deadline_ms = PSST_NEVER;
    drop_silent(dial, PSST_NEVER);
    if (dial->attempts > 0) return;
    char words[sizeof dial->words];
    (void)snprintf(words, sizeof words, "the name in %.120s is looked up in vain", dial->addresses[dial->resolved]);
    if (dial->resolving) note(dial, REASON_NAME, words);
    finish(dial, 5, dial->words, NULL);
}

static void on_timer(uv_timer_t *timer)
{
    struct psst_dial *dial = timer->data;
    uint64_t now = now_ms(dial);
    if (now >= dial->deadline_ms) {
        expire(dial);
        return;
    }
    if (dial->next_candidate == dial->n_candidates && dial->attempts > 0 && now >= patience_ms(dial)) {
        dial->next_candidate = 0;
        if (dial->attempts + dial->n_candidates > ATTEMPTS_MAX) drop_silent(dial, now);
        step(dial); /* the new one before the old one goes: the dial is not over */
        drop_silent(dial, now > STALE_MS ? now - STALE_MS : 0);
        return;
    }
    step(dial);
}

static void add_address(struct psst_dial *dial, const char *address)
{
    if (address[0] == '\0') return;
    for (size_t i = 0; i < dial->n_addresses; i++)
        if (strcmp(dial->addresses[i], address) == 0) return;
    if (dial->n_addresses < sizeof dial->addresses / sizeof dial->addresses[0])
        (void)snprintf(dial->addresses[dial->n_addresses++], sizeof dial->addresses[0], "%s", address);
}

static void add_sockaddr(struct psst_dial *dial, const union psst_sockaddr *at)
{
    char address[PSST_SOCKADDR_TEXT_MAX];
    psst_sockaddr_text(address, at);
    add_address(dial, address);
}

/* A name may be hard to resolve just when a network comes back, so what it led to the last time goes first. */
static void add_addresses(struct psst_dial *dial, const struct psst_contact *contact)
{
    char address[PSST_ADDRESS_MAX + 1];
    if (contact->last_good != NULL) {
        add_sockaddr(dial, &contact->last_numeric);
        add_address(dial, contact->last_good);
    }
    const char *at = psst_addresses_next(address, contact->addresses);
    for (; at != NULL; at = psst_addresses_next(address, at)) add_address(dial, address);
    if (contact->called_from.any.sa_family != AF_UNSPEC) add_sockaddr(dial, &contact->called_from);
}

void psst_dial_called_from(struct psst_contact *contact, const union psst_sockaddr *from)
{
    char first[PSST_ADDRESS_MAX + 1], host[PSST_HOST_MAX + 1];
    union psst_sockaddr at = *from;
    uint16_t port;
    if (psst_addresses_next(first, contact->addresses) == NULL || psst_address_split(first, host, &port) != PSST_OK)
        return;
    if (at.any.sa_family == AF_INET6)
        at.in6.sin6_port = htons(port);
    else
        at.in.sin_port = htons(port);
    contact->called_from = at;
}

static struct psst_dial *dial_of(struct psst_peers *peers, int64_t contact_id)
{
    struct psst_map_node *n = psst_map_find(&peers->dials_by_contact, psst_hash_u64((uint64_t)contact_id));
    for (; n != NULL; n = psst_map_next(n)) {
        struct psst_dial *dial = PSST_MAP_ITEM(n, struct psst_dial, by_contact);
        if (dial->contact_id == contact_id) return dial;
    }
    return NULL;
}

static struct psst_dial *dial_new(struct psst_peers *peers, const struct psst_contact *contact)
{
    struct psst_dial *dial = calloc(1, sizeof *dial);
    if (dial == NULL) return NULL;
    (void)uv_timer_init(peers->d->loop, &dial->timer);
    dial->timer.data = dial;
    dial->handles = 1;
    dial->peers = peers;
    dial->deadline_ms = uv_now(peers->d->loop) + DIAL_MS;
    dial->contact_id = contact->id;
    memcpy(dial->alias, contact->alias, sizeof dial->alias);
    dial->next = peers->dials;
    if (dial->next != NULL) dial->next->prev = dial;
    peers->dials = dial;
    psst_map_add(&peers->dials_by_contact, &dial->by_contact, psst_hash_u64((uint64_t)contact->id));
    return dial;
}

/* Why there is nothing to try; NULL: there is. */
static const char *objection(struct psst_peers *peers, const struct psst_contact *contact, const char *address,
                             char words[256])
{
    if (psst_identity_state(peers->d->identity) != PSST_IDENTITY_UNLOCKED || peers->closing || peers->d->stopping)
        return "the identity is locked";
    if (contact->blocked) {
        (void)snprintf(words, 256, "%s is blocked: psst unblock %s", contact->alias, contact->alias);
        return words;
    }
    if (address == NULL && contact->addresses == NULL && contact->last_good == NULL) {
        (void)snprintf(words, 256, "no address is known for %s: psst address %s HOST:PORT", contact->alias,
                       contact->alias);
        return words;
    }
    return NULL;
}

void psst_peers_dial(struct psst_peers *peers, struct psst_contact *contact, const char *address, psst_dial_done *done,
                     void *ctx)
{
    char words[256];
    if (contact->session != NULL) {
        psst_sockaddr_text(words, &contact->session->address);
        done(ctx, 0, "", words);
        return;
    }
    const char *why_not = objection(peers, contact, address, words);
    if (why_not != NULL) {
        done(ctx, 5, why_not, NULL);
        return;
    }
    struct psst_dial *dial = dial_of(peers, contact->id);
    bool fresh = dial == NULL;
    if (fresh) dial = dial_new(peers, contact);
    struct waiter *w = dial == NULL ? NULL : malloc(sizeof *w);
    if (w == NULL) {
        done(ctx, 1, "out of memory", NULL);
        if (fresh && dial != NULL) finish(dial, 5, "out of memory", NULL);
        return;
    }
    *w = (struct waiter){.next = dial->waiters, .done = done, .ctx = ctx};
    dial->waiters = w;
    if (address != NULL)
        add_address(dial, address);
    else
        add_addresses(dial, contact);
    if (!fresh && dial->deadline_ms != PSST_NEVER) dial->deadline_ms = now_ms(dial) + DIAL_MS;
    if (fresh || address != NULL) step(dial);
}

bool psst_dial_begin(struct psst_peers *peers, struct psst_contact *contact)
{
    char words[256];
    if (dial_of(peers, contact->id) != NULL) return true;
    if (objection(peers, contact, NULL, words) != NULL) return false;
    struct psst_dial *dial = dial_new(peers, contact);
    if (dial == NULL) return false;
    add_addresses(dial, contact);
    step(dial);
    return true;
}

void psst_dial_stop(struct psst_peers *peers, const struct psst_contact *contact)
{
    struct psst_dial *dial = dial_of(peers, contact->id);
    if (dial != NULL && dial->waiters == NULL) finish(dial, 5, "not needed any more", NULL);
}

void psst_dial_afresh(struct psst_peers *peers)
{
    for (struct psst_dial *dial = peers->dials; dial != NULL; dial = dial->next) {
        if (dial->deadline_ms == PSST_NEVER) continue;
        dial->next_candidate = 0;
        if (!dial->resolving) dial->next_address = 0; /* a name may lead elsewhere now, or at all */
        dial->deadline_ms = now_ms(dial) + DIAL_MS;
        set_timer(dial, 0); /* not from here: a dial may end, and the list change */
    }
}

struct psst_contact *psst_dial_contact(const struct psst_dial *dial)
{
    return psst_book_by_id(dial->peers->d->book, dial->contact_id);
}

void psst_dial_reached(struct psst_peers *peers, struct psst_contact *contact, struct psst_conn *conn)
{
    char address[PSST_ADDRESS_MAX + 1];
    psst_sockaddr_text(address, &conn->address);
    if (conn->dial != NULL) { /* an address of ours, as it was written: it is tried first the next time */
        struct psst_dial *own = conn->dial;
        const char *written = own->addresses[conn->dialled];
        char numeric[PSST_SOCKADDR_TEXT_MAX] = "";
        if (contact->last_good != NULL) psst_sockaddr_text(numeric, &contact->last_numeric);
        contact->last_numeric = conn->address;
        if (strcmp(written, numeric) != 0) {
            free(contact->last_good);
            contact->last_good = strdup(written); /* NULL, out of memory: as if it had not been reached yet */
        }
        (void)snprintf(address, sizeof address, "%s", written);
        own->attempts--;
        conn->dial = NULL;
    }
    struct psst_dial *dial = dial_of(peers, contact->id);
    if (dial != NULL) finish(dial, 0, "", address);
}

void psst_dial_give_up(struct psst_peers *peers, int64_t contact_id, const char *words)
{
    struct psst_dial *dial = contact_id != 0 ? dial_of(peers, contact_id) : peers->dials;
    while (dial != NULL) {
        struct psst_dial *next = contact_id != 0 ? NULL : dial->next;
        finish(dial, 5, words, NULL);
        dial = next;
    }
}
