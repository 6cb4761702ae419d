/* What the events of a link mean: the questions of a handshake answered from the replay cache, psst-key and the book; a
 * session handed to its contact, duplicates settled; and in the end one sentence for the user.
 */
#include "daemon/calls/calls.h"
#include "daemon/identity.h"
#include "daemon/meet.h"
#include "daemon/peers/internal.h"
#include "daemon/presence.h"
#include "daemon/reconnect/reconnect.h"

#include <stdio.h>
#include <stdlib.h>

/* Sessions that one contact can have at a time. More than two are nobody's intention. */
#define SESSIONS_A_CONTACT 4

/* ---- the private operation ---- */

struct psst_question {
    struct psst_question *next;
    struct psst_peers *peers;
    struct psst_conn *conn; /* NULL: it is gone, the answer is for nobody */
    bool stranger, asked;
    uint8_t x[PSST_KEM_LEN];
};

static void ask_waiting(struct psst_peers *peers);

static void on_decapsulated(void *ctx, const struct psst_key_reply *reply)
{
    struct psst_question *q = ctx;
    struct psst_peers *peers = q->peers;
    struct psst_conn *conn = q->conn;
    if (q->stranger) peers->opening--;
    if (conn != NULL) {
        conn->question = NULL;
        psst_link_decapsulated(conn->link, reply->err == PSST_OK ? &reply->secret : NULL);
        psst_conn_kick(conn);
    }
    free(q);
    ask_waiting(peers);
}

static void ask(struct psst_question *q)
{
    q->asked = true;
    if (q->stranger) q->peers->opening++;
    psst_key_decapsulate(q->peers->d->key, q->x, on_decapsulated, q);
}

static void ask_waiting(struct psst_peers *peers)
{
    while (peers->opening < PSST_STRANGER_OPENS && peers->waiting != NULL) {
        struct psst_question *q = peers->waiting;
        peers->waiting = q->next;
        if (peers->waiting == NULL) peers->waiting_end = &peers->waiting;
        ask(q);
    }
}

/* Strangers take their turn, a few at a time; our own calls and sessions that renew their keys do not wait for them. */
static void decapsulate(struct psst_conn *conn, const uint8_t *x)
{
    struct psst_peers *peers = conn->peers;
    struct psst_question *q = calloc(1, sizeof *q);
    if (q == NULL) {
        psst_link_decapsulated(conn->link, NULL);
        return;
    }
    q->peers = peers;
    q->conn = conn;
    memcpy(q->x, x, sizeof q->x);
    conn->question = q;
    q->stranger = psst_link_role(conn->link) == PSST_CALLEE && !psst_link_established(conn->link);
    if (!q->stranger) {
        ask(q);
        return;
    }
    *peers->waiting_end = q;
    peers->waiting_end = &q->next;
    ask_waiting(peers);
}

void psst_question_drop(struct psst_conn *conn)
{
    struct psst_question *q = conn->question;
    if (q == NULL) return;
    struct psst_peers *peers = conn->peers;
    conn->question = NULL;
    q->conn = NULL;
    if (q->asked) return;
    struct psst_question **at = &peers->waiting;
    while (*at != q) at = &(*at)->next;
    *at = q->next;
    if (peers->waiting_end == &q->next) peers->waiting_end = at;
    free(q);
}

/* ---- the other questions ---- */

/* A new caller, once the identity is open or will not be. */
static void let_in(struct psst_conn *conn)
{
    struct psst_daemon *d = conn->peers->d;
    bool may = psst_identity_state(d->identity) == PSST_IDENTITY_UNLOCKED && !d->stopping;
    if (may)
        psst_admission_shown(&conn->place);
    else
        psst_daemon_count(d, "calls-while-locked");
    psst_link_admit(conn->link, may);
}

struct knock {
    struct psst_daemon *d;
    uint64_t serial;
};

static void on_settled(void *ctx, enum psst_err err, const char *words)
{
    struct knock *knock = ctx;
    struct psst_conn *conn = psst_conn_by_serial(knock->d->peers, knock->serial);
    (void)err;
    (void)words;
    if (conn != NULL && conn->link != NULL) {
        let_in(conn);
        psst_conn_kick(conn);
    }
    free(knock);
}

/* While the identity is just being opened, which takes a moment at every start, the caller waits too: otherwise he would be
 * refused, and hear nothing for ten seconds. */
static void let_in_when_open(struct psst_conn *conn)
{
    struct psst_daemon *d = conn->peers->d;
    struct knock *knock = NULL;
    if (psst_identity_state(d->identity) == PSST_IDENTITY_OPENING && !d->stopping) knock = malloc(sizeof *knock);
    if (knock == NULL) {
        let_in(conn);
        return;
    }
    *knock = (struct knock){d, conn->serial};
    psst_identity_when_settled(d->identity, on_settled, knock);
}

/* Of all together: how many first messages the replay cache may be filled with. */
static bool may_take(struct psst_peers *peers, const struct psst_source *source, uint64_t now_ns)
{
    if (psst_admission_take(&peers->admission, now_ns)) return true;
    return psst_book_knows_source(peers->d->book, source) && psst_admission_take_reserved(&peers->admission, now_ns);
}

static void admit(struct psst_conn *conn, const struct psst_event *ev)
{
    struct psst_peers *peers = conn->peers;
    struct psst_daemon *d = peers->d;
    struct psst_now now = psst_daemon_now(d);
    uint64_t today = now.unix_ms / 86400000;
    psst_daemon_count(d, "first-messages");
    /* a replay is anybody's who has once listened: it must not use up what others behind the same address may still send */
    if (psst_replay_cache_seen(peers->replay, ev->mac, ev->day, today)) {
        psst_daemon_count(d, "first-messages-replayed");
        psst_link_admit(conn->link, false);
    } else if (!psst_admission_rate(&peers->admission, conn->place.source, now.mono_ns) ||
               !may_take(peers, &conn->place.source, now.mono_ns) ||
               psst_replay_cache_add(peers->replay, ev->mac, ev->day, today) != PSST_OK) {
        psst_daemon_count(d, "first-messages-too-many");
        psst_link_admit(conn->link, false);
    } else {
        psst_replay_file_add(peers->replay_file, ev->mac, ev->day);
        let_in_when_open(conn);
    }
}

/* fpr is only a claim, so no name goes into a log. */
static void look_up(struct psst_conn *conn, const struct psst_fpr *fpr)
{
    struct psst_daemon *d = conn->peers->d;
    /* while the identity is being locked the book still stands, for nobody */
    bool is_open = psst_identity_state(d->identity) == PSST_IDENTITY_UNLOCKED;
    struct psst_contact *contact = is_open ? psst_book_by_fpr(d->book, fpr) : NULL;
    bool blocked = contact != NULL && contact->blocked;
    enum psst_caller_answer answer = is_open ? psst_presence_answer(d, contact, fpr) : PSST_ANSWER_SILENCE;
    if (answer == PSST_ANSWER_CONTACT) {
        psst_link_contact(conn->link, contact->key, psst_contact_psk(d, contact));
        return;
    }
    psst_daemon_count(d, contact == NULL ? "callers-unknown" : blocked ? "callers-blocked" : "callers-not-to-see-us");
    if (answer == PSST_ANSWER_DECOY)
        psst_link_contact(conn->link, NULL, NULL);
    else
        psst_link_silent(conn->link);
}

static void stranger_failed(struct psst_conn *conn)
{
    struct psst_daemon *d = conn->peers->d;
    psst_daemon_count(d, "handshakes-failed");
    psst_log_limited(&d->log, PSST_LOG_INFO, "stranger-refused", "%s", "");
    conn->state = PSST_CONN_VOID;
    psst_question_drop(conn); /* no private operation for one who is gone */
    struct psst_place *out = psst_admission_to_void(&conn->peers->admission, &conn->place);
    if (out == NULL) return;
    struct psst_conn *oldest = (struct psst_conn *)((char *)out - offsetof(struct psst_conn, place));
    psst_socket_drain(oldest->fd, PSST_DRAIN_BYTES);
    psst_conn_close(oldest);
}

/* ---- a session of a contact ---- */

/* conn is one of the contact's from now on, the newest. */
static void attach(struct psst_conn *conn, struct psst_contact *contact)
{
    conn->contact = contact;
    conn->next_of_contact = contact->conns;
    contact->conns = conn;
}

static void detach(struct psst_conn *conn)
{
    struct psst_conn **at = &conn->contact->conns;
    while (*at != conn) at = &(*at)->next_of_contact;
    *at = conn->next_of_contact;
    conn->contact = NULL;
}

static void session_event(struct psst_conn *conn, const char *state, const char *reason)
{
    char address[PSST_SOCKADDR_TEXT_MAX];
    psst_sockaddr_text(address, &conn->address);
    json_t *params = json_pack("{s:s, s:s, s:s}", "contact", conn->contact->alias, "state", state, "address", address);
    if (params == NULL) return;
    if (reason != NULL) (void)json_object_set_new(params, "reason", json_string(reason));
    psst_daemon_event(conn->peers->d, "session", params);
}

/* Sending goes over this session from now on; what was not acknowledged on another is sent again. */
static void use_session(struct psst_conn *conn, const char *reason)
{
    struct psst_daemon *d = conn->peers->d;
    struct psst_contact *contact = conn->contact;
    contact->session = conn;
    session_event(conn, "up", reason);
    psst_presence_up(d, contact);
    psst_delivery_up(d->delivery, contact);
    psst_transfers_up(d->transfers, contact);
    psst_meets_up(d->meets, contact);
    psst_conn_kick(conn);
}

/* The newest of the sessions that this contact still has; NULL: none. */
static struct psst_conn *another_session(const struct psst_contact *contact, const struct psst_conn *but)
{
    struct psst_conn *best = NULL;
    for (struct psst_conn *c = contact->conns; c != NULL; c = c->next_of_contact) {
        if (c == but) continue;
        if (best == NULL || c->since_ms > best->since_ms || (c->since_ms == best->since_ms && c->serial > best->serial))
            best = c;
    }
    return best;
}

void psst_session_detach(struct psst_conn *conn, const char *words)
{
    struct psst_daemon *d = conn->peers->d;
    struct psst_contact *contact = conn->contact;
    if (contact == NULL) return;
    psst_log_limited(&d->log, PSST_LOG_INFO, "session-ended", "contact=%s reason=\"%s\"", contact->alias, words);
    bool in_use = contact->session == conn;
    struct psst_conn *other = in_use ? another_session(contact, conn) : NULL;
    psst_calls_detached(d->calls, conn, other, words);
    if (in_use && other == NULL) session_event(conn, "down", words);
    if (in_use) contact->session = NULL;
    if (in_use && other == NULL) psst_presence_down(d, contact);
    psst_transfers_down(d->transfers, contact, conn->serial);
    detach(conn);
    if (other != NULL)
        use_session(other, words);
    else if (in_use)
        psst_delivery_down(d->delivery, contact);
}

/* The one that gives way says bye; nobody is told that the line is down, because it is not. */
static void give_way(struct psst_conn *loser, const char *words)
{
    psst_session_detach(loser, words);
    psst_conn_bye(loser, PSST_BYE_DUPLICATE);
}

/* Silently: conn takes its place in the same breath. */
static void replace(struct psst_conn *old, struct psst_conn *conn)
{
    struct psst_daemon *d = old->peers->d;
    struct psst_contact *contact = old->contact;
    psst_log_limited(&d->log, PSST_LOG_INFO, "session-replaced", "contact=%s", contact->alias);
    if (contact->session == old) {
        psst_delivery_down(d->delivery, contact);
        contact->session = NULL;
    }
    psst_calls_detached(d->calls, old, conn, "a newer session took the place of the one that the call went over");
    psst_transfers_down(d->transfers, contact, old->serial);
    detach(old);
    psst_conn_bye(old, PSST_BYE_DUPLICATE);
}

/* Where the other side decides which session stays it may forget to: its sessions must not pile up here. */
static void close_oldest(struct psst_conn *newest)
{
    unsigned n = 0;
    struct psst_conn *oldest = NULL;
    for (struct psst_conn *c = newest->contact->conns; c != NULL; c = c->next_of_contact) {
        n++;
        if (c != newest && (oldest == NULL || c->serial < oldest->serial)) oldest = c;
    }
    if (n > SESSIONS_A_CONTACT) replace(oldest, newest);
}

/* True: conn is the session to use from now on. */
static bool settle_duplicates(struct psst_conn *conn)
{
    struct psst_peers *peers = conn->peers;
    const struct psst_fpr *self = psst_rsa_public_fpr(peers->config.self);
    const struct psst_fpr *peer = psst_rsa_public_fpr(conn->contact->key);
    struct psst_conn *next;
    bool stays = true;
    for (struct psst_conn *old = conn->contact->conns; old != NULL && stays; old = next) {
        next = old->next_of_contact;
        if (old == conn) continue;
        switch (psst_duplicate_decide(self, peer, psst_link_times(old->link), psst_link_times(conn->link))) {
        case PSST_DUPLICATE_KEEP_BOTH: break;
        case PSST_DUPLICATE_CLOSE_OLD: replace(old, conn); break;
        case PSST_DUPLICATE_CLOSE_NEW: stays = false; break;
        }
    }
    return stays;
}

bool psst_conn_stays(const struct psst_conn *conn, const struct psst_conn *before)
{
    if (conn->contact == NULL || conn->contact->session != conn) return false;
    if (before == NULL || before->link == NULL) return true;
    const struct psst_fpr *self = psst_rsa_public_fpr(conn->peers->config.self);
    const struct psst_fpr *peer = psst_rsa_public_fpr(conn->contact->key);
    const struct psst_duplicate_session *old = psst_link_times(before->link), *new = psst_link_times(conn->link);
    if (psst_duplicate_decide(self, peer, old, new) != PSST_DUPLICATE_KEEP_BOTH) return true; /* decided, by us */
    /* he has seen the one complete before the other, too */
    return new->m1_at_ns > old->completed_at_ns;
}

static void established(struct psst_conn *conn, const struct psst_fpr *fpr)
{
    struct psst_peers *peers = conn->peers;
    struct psst_daemon *d = peers->d;
    struct psst_contact *contact = psst_book_by_fpr(d->book, fpr);
    psst_admission_leave(&peers->admission, &conn->place);
    bool is_open = psst_identity_state(d->identity) == PSST_IDENTITY_UNLOCKED && !d->stopping;
    /* removed, blocked, not to see us any more or locked while the handshake ran: locking wipes the book, and nothing may
     * hang on it */
    bool hidden =
        is_open && contact != NULL && psst_link_role(conn->link) == PSST_CALLEE && psst_presence_hides(d, contact);
    if (contact == NULL || contact->blocked || !is_open || hidden) {
        if (conn->dial != NULL) psst_dial_failed(conn, PSST_END_NO_ANSWER);
        psst_conn_bye(conn, hidden ? PSST_BYE_STOPPING : is_open ? PSST_BYE_CLOSED : PSST_BYE_LOCKED);
        return;
    }
    conn->state = PSST_CONN_SESSION;
    attach(conn, contact);
    conn->since_ms = psst_daemon_now(d).unix_ms;
    psst_book_met(d->book, contact, &conn->address, psst_link_role(conn->link) == PSST_CALLER);
    bool had_one = contact->session != NULL;
    psst_daemon_count(d, "sessions");
    char address[PSST_SOCKADDR_TEXT_MAX];
    psst_sockaddr_text(address, &conn->address);
    psst_log_limited(&d->log, PSST_LOG_INFO, "session-up", "contact=%s address=%s role=%s", contact->alias, address,
                     psst_link_role(conn->link) == PSST_CALLER ? "caller" : "callee");
    psst_suspect_begin(conn);
    if (psst_link_role(conn->link) == PSST_CALLEE) psst_dial_called_from(contact, &conn->address);
    bool stays = settle_duplicates(conn);
    close_oldest(conn);
    if (stays)
        use_session(conn, had_one ? "a newer session took the place of the one before" : NULL);
    else
        give_way(conn, "both have called; the other session stays");
    psst_dial_reached(peers, contact, conn);
    psst_reconnect_up(d, contact);
}

/* ---- the end ---- */

static const char *bye_words(char out[256], const char *alias, uint8_t reason)
{
    const char *fmt = "%s ended the session";
    if (reason == PSST_BYE_CLOSED) fmt = "%s hung up";
    if (reason == PSST_BYE_DUPLICATE) fmt = "a newer session of %s took the place of this one";
    if (reason == PSST_BYE_LOCKED) fmt = "%s locked the identity";
    if (reason == PSST_BYE_STOPPING) fmt = "%s went off line";
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    (void)snprintf(out, 256, fmt, alias);
#pragma GCC diagnostic pop
    return out;
}

static const char *end_words(char out[256], const struct psst_conn *conn, const struct psst_event *ev)
{
    const char *alias = conn->contact->alias;
    switch (ev->end) {
    case PSST_END_BYE: return bye_words(out, alias, ev->reason);
    case PSST_END_CUT_OFF:
        (void)snprintf(out, 256, "the line to %s was cut off: %s", alias,
                       conn->error != 0 ? strerror(conn->error) : "the connection ended without a goodbye");
        return out;
    case PSST_END_NO_PONG: (void)snprintf(out, 256, "%s does not answer any more", alias); return out;
    case PSST_END_TAMPERED:
        (void)snprintf(out, 256, "the line to %s was tampered with, or the other side is faulty", alias);
        return out;
    case PSST_END_REKEY_LATE:
        (void)snprintf(out, 256, "the line to %s was ended: its keys were not renewed in time", alias);
        return out;
    case PSST_END_CLOSED: return "the session was closed";
    case PSST_END_MEMORY: return "the session was ended: out of memory";
    case PSST_END_NO_ANSWER:
    case PSST_END_NOT_ADDED:
    case PSST_END_VOID_OVER: break;
    }
    return "the session was ended";
}

static void session_ended(struct psst_conn *conn, const struct psst_event *ev)
{
    struct psst_daemon *d = conn->peers->d;
    struct psst_contact *contact = conn->contact;
    char words[256];
    uint64_t lived_ns = psst_daemon_now(d).mono_ns - psst_link_times(conn->link)->completed_at_ns;
    psst_session_detach(conn, end_words(words, conn, ev));
    psst_conn_close(conn);
    psst_reconnect_ended(d, contact, ev->end, ev->reason, lived_ns);
}

static void ended(struct psst_conn *conn, const struct psst_event *ev)
{
    switch ((enum psst_conn_state)conn->state) {
    case PSST_CONN_SESSION: session_ended(conn, ev); return;
    case PSST_CONN_HANDSHAKE:
        if (conn->dial != NULL) psst_dial_failed(conn, ev->end);
        psst_conn_close(conn);
        return;
    case PSST_CONN_ENDING:
        if (ev->end == PSST_END_CLOSED)
            psst_conn_linger(conn);
        else
            psst_conn_close(conn);
        return;
    case PSST_CONN_VOID: psst_socket_drain(conn->fd, PSST_DRAIN_BYTES); break;
    case PSST_CONN_CONNECTING:
    case PSST_CONN_LINGER:
    case PSST_CONN_CLOSED: break;
    }
    psst_conn_close(conn);
}

void psst_conn_event(struct psst_conn *conn, const struct psst_event *ev)
{
    struct psst_daemon *d = conn->peers->d;
    switch (ev->type) {
    case PSST_EV_NONE: return;
    case PSST_EV_ADMIT: admit(conn, ev); return;
    case PSST_EV_DECAPSULATE: decapsulate(conn, ev->x); return;
    case PSST_EV_CONTACT: look_up(conn, &ev->fpr); return;
    case PSST_EV_FAILED: stranger_failed(conn); return;
    case PSST_EV_ESTABLISHED: established(conn, &ev->fpr); return;
    case PSST_EV_ENDED: ended(conn, ev); return;
    case PSST_EV_PONG: psst_suspect_pong(conn, ev->rtt_ns); return;
    case PSST_EV_REKEYED: psst_daemon_count(d, "rekeys"); return;
    case PSST_EV_TEXT:
    case PSST_EV_ACK:
    case PSST_EV_NOT_ACCEPTED:
    case PSST_EV_READ:
    case PSST_EV_FILE:
    case PSST_EV_PRESENCE:
    case PSST_EV_CALL:
    case PSST_EV_VOICE:
    case PSST_EV_MEET: break;
    }
    if (conn->state != PSST_CONN_SESSION || conn->contact == NULL) return; /* it has had our bye */
    if (ev->type == PSST_EV_PRESENCE) {
        psst_presence_event(d, conn, ev);
        return;
    }
    if (ev->type == PSST_EV_CALL || ev->type == PSST_EV_VOICE) {
        psst_calls_event(d->calls, conn, ev);
        return;
    }
    if (psst_meets_event(d->meets, conn, ev)) return;
    if (psst_transfers_event(d->transfers, conn, ev)) return;
    if (ev->type != PSST_EV_FILE) psst_delivery_event(d->delivery, conn, ev);
}
