/* Who is wanted, and when he is dialled next (reconnect.h); reconnect/watch.c says when the network has changed.
 *
 * Of each contact that was ever wanted there is a struct redial. due_ns is the moment of his next call; the timer is set to
 * the earliest of all. A few calls run at a time: who is due longest comes first, and one that has had no answer for a
 * while makes room.
 */
#include "daemon/reconnect/internal.h"

#include "base/bucket.h"
#include "daemon/presence.h"
#include "daemon/reconnect/backoff.h"

#include <stdlib.h>

#define DIALS_MAX       32 /* at a time */
#define DIAL_LONG_NS    (3 * PSST_SECOND_NS)
#define FULL_NS         (PSST_SECOND_NS / 4)
#define AT_ONCE_NS      (PSST_SECOND_NS / 20) /* "at once": within this, at random */
#define SPREAD_NS       PSST_SECOND_NS        /* and who is least urgent, within this */
#define TOGETHER_NS     (PSST_SECOND_NS / 2)
#define TOGETHER_EVERY  (10 * PSST_SECOND_NS)
#define QUIET_BURST     5                     /* calls for something said: so many at once, then one a second */
#define SHORT_NS        (3 * PSST_SECOND_NS)  /* a session that broke earlier has not stood at all */
#define BESIDE_BURST    4                     /* sessions begun beside another: so many at once, */
#define BESIDE_EVERY_NS (10 * PSST_SECOND_NS) /* then one in this time */
#define NS_A_MS         UINT64_C(1000000)
/* Each contact may propose 16 times in a row; so much of a day is enough for seven that are kept. */
#define URGENT_S_A_DAY UINT64_C(4500)
#define URGENT_COST    (UINT64_C(86400) / URGENT_S_A_DAY) /* of a bucket that fills up by one a second */

/* Of one contact, from the first time that he is wanted until the book is wiped. */
struct redial {
    struct redial *next, **at;
    struct psst_reconnect *rc;
    struct psst_contact *contact;
    uint64_t due_ns;              /* PSST_NEVER: he is not wanted, has a session, or is being dialled */
    uint64_t since_ns;            /* when the session broke, or he went off line */
    uint64_t began_ns;            /* the call that runs; PSST_NEVER: none of ours */
    uint64_t until_ns;            /* an agreed time; 0: none */
    struct psst_bucket urgent;    /* of agreed times: what he may still bring us to today */
    uint64_t quiet_ns, beside_ns; /* levels of the two bursts */
    unsigned tries;               /* in vain, in a row */
    unsigned shorts;              /* sessions that broke at once, in a row */
    enum psst_pace why;           /* BROKE or AWAY: since since_ns; else NONE */
    bool hung_up, suspected;
    bool refused; /* he was there, and wanted nothing of us */
};

static uint64_t mono_ns(struct psst_reconnect *rc)
{
    return psst_daemon_now(rc->d).mono_ns;
}

static uint64_t jitter_ns(uint64_t most_ns)
{
    return psst_rng_range(&psst_crypto_rng, 0, most_ns);
}

/* Whether one more fits into a burst that fills up again by one in every_ns; takes it. */
static bool within_burst(uint64_t *level_ns, uint64_t now_ns, unsigned burst, uint64_t every_ns)
{
    uint64_t from_ns = *level_ns > now_ns ? *level_ns : now_ns;
    if (from_ns > now_ns + (burst - 1) * every_ns) return false;
    *level_ns = from_ns + every_ns;
    return true;
}

/* NULL: out of memory, or locked. */
static struct redial *redial_of(struct psst_reconnect *rc, struct psst_contact *contact)
{
    struct redial *r = contact->redial;
    if (r != NULL || rc == NULL || !rc->open) return r;
    r = calloc(1, sizeof *r);
    if (r == NULL) return NULL;
    r->rc = rc;
    r->contact = contact;
    r->due_ns = r->began_ns = PSST_NEVER;
    psst_bucket_init(&r->urgent, 1, URGENT_S_A_DAY * URGENT_COST);
    r->next = rc->first;
    r->at = &rc->first;
    if (r->next != NULL) r->next->at = &r->next;
    rc->first = r;
    contact->redial = r;
    return r;
}

/* More time for trying hard, at most as much as is left of the day's; false: there is none left. */
static bool grant_urgent(struct redial *r, uint64_t now_ns, uint64_t until_ns)
{
    uint64_t from_ns = r->until_ns > now_ns ? r->until_ns : now_ns;
    if (until_ns <= from_ns) return true;
    uint64_t seconds = (until_ns - from_ns) / PSST_SECOND_NS;
    if (seconds > URGENT_S_A_DAY) seconds = URGENT_S_A_DAY;
    return seconds == 0 || psst_bucket_try(&r->urgent, now_ns, seconds * URGENT_COST);
}

/* ---- who is wanted ---- */

static bool something_waits(const struct psst_contact *contact)
{
    return contact->waiting > 0 || contact->unfinished > 0 || contact->untold > 0;
}

static enum psst_pace pace_of(const struct psst_reconnect *rc, const struct redial *r, uint64_t now_ns)
{
    const struct psst_contact *contact = r->contact;
    bool has_address = contact->addresses != NULL || contact->last_good != NULL;
    if (contact->blocked || !has_address || psst_presence_hides(rc->d, contact)) return PSST_PACE_NONE;
    if (contact->session != NULL) return r->suspected ? PSST_PACE_BROKE : PSST_PACE_NONE;
    if (now_ns < r->until_ns) return PSST_PACE_URGENT;
    if (r->hung_up) return PSST_PACE_NONE;
    if (r->why != PSST_PACE_NONE && now_ns < r->since_ns + PSST_BACKOFF_WANTED_NS) return r->why;
    return contact->reconnect || something_waits(contact) ? PSST_PACE_COLD : PSST_PACE_NONE;
}

bool psst_reconnect_wanted(const struct psst_contact *contact)
{
    const struct redial *r = contact->redial;
    return r != NULL && contact->session == NULL && pace_of(r->rc, r, mono_ns(r->rc)) != PSST_PACE_NONE;
}

/* ---- the timer, and calling ---- */

static void on_timer(uv_timer_t *timer);

static struct redial *earliest(struct psst_reconnect *rc)
{
    struct redial *best = NULL;
    for (struct redial *r = rc->first; r != NULL; r = r->next)
        if (r->due_ns != PSST_NEVER && (best == NULL || r->due_ns < best->due_ns)) best = r;
    return best;
}

/* Of the calls that run, the one that has run for longest. */
static struct redial *longest(struct psst_reconnect *rc)
{
    struct redial *best = NULL;
    for (struct redial *r = rc->first; r != NULL; r = r->next)
        if (r->began_ns != PSST_NEVER && (best == NULL || r->began_ns < best->began_ns)) best = r;
    return best;
}

static void set_timer(struct psst_reconnect *rc)
{
    if (rc->closed || rc->working) return;
    const struct redial *next = earliest(rc);
    if (next == NULL) {
        (void)uv_timer_stop(&rc->timer);
        return;
    }
    uint64_t at_ns = next->due_ns, now_ns = mono_ns(rc);
    if (rc->n_dialling >= DIALS_MAX) {
        uint64_t room_ns = longest(rc)->began_ns + DIAL_LONG_NS;
        if (room_ns < now_ns + FULL_NS) room_ns = now_ns + FULL_NS; /* somebody waits for all of them */
        if (room_ns > at_ns) at_ns = room_ns;
    }
    (void)uv_timer_start(&rc->timer, on_timer, at_ns > now_ns ? (at_ns - now_ns) / NS_A_MS + 1 : 0, 0);
}

static void not_dialling(struct psst_reconnect *rc, struct redial *r)
{
    if (r->began_ns == PSST_NEVER) return;
    r->began_ns = PSST_NEVER;
    rc->n_dialling--;
}

/* After a call that came to nothing, or none that could be made. */
static void wait_for_next(struct psst_reconnect *rc, struct redial *r, uint64_t from_ns)
{
    uint64_t now_ns = mono_ns(rc);
    enum psst_pace pace = pace_of(rc, r, now_ns);
    r->due_ns = PSST_NEVER;
    if (pace == PSST_PACE_NONE) return;
    if (r->refused) pace = PSST_PACE_COLD;
    r->due_ns = from_ns + psst_backoff_ns(pace, now_ns - r->since_ns, r->tries, &psst_crypto_rng);
    uint64_t soonest_ns = now_ns + AT_ONCE_NS; /* the call itself took longer than the pause */
    if (r->due_ns < soonest_ns) r->due_ns = soonest_ns;
}

static void call(struct psst_reconnect *rc, struct redial *r, uint64_t now_ns)
{
    r->due_ns = PSST_NEVER;
    if (pace_of(rc, r, now_ns) == PSST_PACE_NONE) return;
    r->began_ns = now_ns; /* psst_reconnect_dialled may come before this returns */
    rc->n_dialling++;
    if (psst_dial_begin(rc->d->peers, r->contact)) return;
    not_dialling(rc, r);
    r->tries++;
    wait_for_next(rc, r, now_ns);
}

static void make_room(struct psst_reconnect *rc, uint64_t now_ns)
{
    struct redial *r = longest(rc);
    if (r != NULL && now_ns >= r->began_ns + DIAL_LONG_NS) psst_dial_stop(rc->d->peers, r->contact);
}

static void on_timer(uv_timer_t *timer)
{
    struct psst_reconnect *rc = timer->data;
    uint64_t now_ns = mono_ns(rc);
    rc->working = true;
    for (;;) {
        struct redial *r = earliest(rc);
        if (r == NULL || r->due_ns > now_ns) break;
        if (rc->n_dialling >= DIALS_MAX) make_room(rc, now_ns);
        if (rc->n_dialling >= DIALS_MAX) break;
        call(rc, r, now_ns);
    }
    rc->working = false;
    set_timer(rc);
}

/* He is called within so long, unless he is not wanted, or a call runs already. */
static void call_within(struct psst_reconnect *rc, struct redial *r, uint64_t now_ns, uint64_t most_ns)
{
    if (r->began_ns != PSST_NEVER || pace_of(rc, r, now_ns) == PSST_PACE_NONE) return;
    uint64_t at_ns = now_ns + jitter_ns(most_ns);
    if (at_ns < r->due_ns) r->due_ns = at_ns;
}

void psst_reconnect_dialled(struct psst_daemon *d, int64_t contact_id, int exit_code, const char *words, bool left)
{
    struct psst_reconnect *rc = d->reconnect;
    struct psst_contact *contact = rc->open ? psst_book_by_id(d->book, contact_id) : NULL;
    struct redial *r = contact != NULL ? contact->redial : NULL;
    if (r == NULL) return;
    uint64_t now_ns = mono_ns(rc), began_ns = r->began_ns != PSST_NEVER ? r->began_ns : now_ns;
    not_dialling(rc, r);
    r->refused = exit_code == 6; /* he is there, and wants nothing of us: only what waits is tried again, and slowly */
    if (r->refused) r->why = PSST_PACE_NONE;
    if (exit_code != 0) {
        if (r->tries == 0)
            psst_log_limited(&d->log, PSST_LOG_INFO, "not-reached", "contact=%s reason=\"%s\"", contact->alias, words);
        r->tries++;
        if (!left && r->why != PSST_PACE_NONE) r->since_ns = now_ns; /* without a network the time is not his */
        wait_for_next(rc, r, began_ns);
    }
    set_timer(rc);
}

/* ---- what happens to sessions ---- */

/* What was broken with him was perhaps broken with others too. */
static void others_too(struct psst_reconnect *rc, const struct redial *back, uint64_t now_ns)
{
    if (rc->together_ns != 0 && now_ns < rc->together_ns + TOGETHER_EVERY) return;
    rc->together_ns = now_ns;
    for (struct redial *r = rc->first; r != NULL; r = r->next)
        if (r != back && r->why == PSST_PACE_BROKE) call_within(rc, r, now_ns, TOGETHER_NS);
}

void psst_reconnect_up(struct psst_daemon *d, struct psst_contact *contact)
{
    struct psst_reconnect *rc = d->reconnect;
    struct redial *r = contact->redial;
    if (r == NULL) return;
    bool broke = r->why == PSST_PACE_BROKE;
    not_dialling(rc, r);
    r->due_ns = PSST_NEVER;
    r->tries = 0;
    r->why = PSST_PACE_NONE;
    r->hung_up = r->suspected = r->refused = false;
    if (broke) others_too(rc, r, mono_ns(rc));
    set_timer(rc);
}

static void broke(struct psst_reconnect *rc, struct redial *r, bool faulty, uint64_t lived_ns, uint64_t now_ns)
{
    r->why = PSST_PACE_BROKE;
    r->since_ns = now_ns;
    r->tries = 0;
    r->shorts = faulty || lived_ns < SHORT_NS ? r->shorts + 1 : 0;
    r->due_ns = PSST_NEVER;
    if (r->shorts <= 1 && !faulty)
        call_within(rc, r, now_ns, AT_ONCE_NS);
    else if (pace_of(rc, r, now_ns) != PSST_PACE_NONE)
        r->due_ns = now_ns + psst_backoff_short_ns(r->shorts, &psst_crypto_rng);
}

static void said_bye(struct psst_reconnect *rc, struct redial *r, uint8_t reason, uint64_t lived_ns, uint64_t now_ns)
{
    r->tries = 0;
    r->shorts = lived_ns < SHORT_NS ? r->shorts + 1 : 0;
    r->since_ns = now_ns;
    r->why = PSST_PACE_NONE;
    if (reason == PSST_BYE_LOCKED || reason == PSST_BYE_STOPPING)
        r->why = PSST_PACE_AWAY;
    else if (reason == PSST_BYE_DUPLICATE)
        r->tries = 6; /* another machine with our identity has taken the line: it is not torn back and forth */
    else
        r->hung_up = true;
    wait_for_next(rc, r, now_ns);
    if (r->shorts <= 1 || r->due_ns == PSST_NEVER) return;
    uint64_t soonest_ns = now_ns + psst_backoff_short_ns(r->shorts, &psst_crypto_rng); /* he answers only to leave */
    if (r->due_ns < soonest_ns) r->due_ns = soonest_ns;
}

void psst_reconnect_ended(struct psst_daemon *d, struct psst_contact *contact, enum psst_link_end end,
                          uint8_t bye_reason, uint64_t lived_ns)
{
    struct psst_reconnect *rc = d->reconnect;
    if (contact->session != NULL) return;
    struct redial *r = redial_of(rc, contact);
    if (r == NULL) return;
    uint64_t now_ns = mono_ns(rc);
    r->suspected = false;
    if (end == PSST_END_BYE)
        said_bye(rc, r, bye_reason, lived_ns, now_ns);
    else if (end != PSST_END_CLOSED)
        broke(rc, r, end == PSST_END_TAMPERED || end == PSST_END_MEMORY, lived_ns, now_ns);
    set_timer(rc);
}

void psst_reconnect_suspect(struct psst_daemon *d, struct psst_contact *contact, bool suspected)
{
    struct psst_reconnect *rc = d->reconnect;
    struct redial *r = redial_of(rc, contact);
    if (r == NULL || r->suspected == suspected) return;
    uint64_t now_ns = mono_ns(rc);
    if (!suspected) {
        r->suspected = false;
        r->due_ns = PSST_NEVER;
        psst_dial_stop(d->peers, contact);
    } else {
        psst_log_limited(&d->log, PSST_LOG_INFO, "session-suspected", "contact=%s", contact->alias);
        r->suspected = true;
        r->since_ns = now_ns;
        r->tries = 0;
        /* a line so bad that it is suspected again and again is not torn down and up each time */
        bool often = !within_burst(&r->beside_ns, now_ns, BESIDE_BURST, BESIDE_EVERY_NS);
        call_within(rc, r, now_ns + (often ? BESIDE_EVERY_NS / 2 : 0), AT_ONCE_NS);
    }
    set_timer(rc);
}

void psst_reconnect_hung_up(struct psst_daemon *d, struct psst_contact *contact)
{
    struct redial *r = redial_of(d->reconnect, contact);
    if (r == NULL) return;
    r->hung_up = true;
    r->until_ns = 0; /* also in the time of a meeting, which the contact may have set himself */
    r->why = PSST_PACE_NONE;
    r->until_ns = 0;
    psst_reconnect_changed(d, contact);
}

/* ---- what others want ---- */

void psst_reconnect_changed(struct psst_daemon *d, struct psst_contact *contact)
{
    struct psst_reconnect *rc = d->reconnect;
    bool perhaps = contact->redial != NULL || contact->reconnect || something_waits(contact);
    struct redial *r = perhaps ? redial_of(rc, contact) : NULL;
    if (r == NULL) return;
    uint64_t now_ns = mono_ns(rc);
    if (pace_of(rc, r, now_ns) == PSST_PACE_NONE) {
        r->due_ns = PSST_NEVER;
        if (r->began_ns != PSST_NEVER) psst_dial_stop(d->peers, contact);
    } else if (r->due_ns == PSST_NEVER) {
        r->tries = 0;
        call_within(rc, r, now_ns, AT_ONCE_NS);
    }
    set_timer(rc);
}

void psst_reconnect_now(struct psst_daemon *d, struct psst_contact *contact)
{
    struct psst_reconnect *rc = d->reconnect;
    struct redial *r = contact->session == NULL ? redial_of(rc, contact) : NULL;
    if (r == NULL) return;
    uint64_t now_ns = mono_ns(rc);
    r->hung_up = false;
    if (psst_presence_hides(d,
                            contact)) { /* nobody calls him by himself; this is the user's doing, and for this once */
        if (within_burst(&r->quiet_ns, now_ns, QUIET_BURST, PSST_SECOND_NS)) (void)psst_dial_begin(d->peers, contact);
        return;
    }
    if (within_burst(&r->quiet_ns, now_ns, QUIET_BURST, PSST_SECOND_NS)) {
        r->tries = 0;
        call_within(rc, r, now_ns, 0);
    }
    set_timer(rc);
}

void psst_peers_dial_quietly(struct psst_peers *peers, struct psst_contact *contact)
{
    psst_reconnect_now(peers->d, contact);
}

void psst_reconnect_urgent(struct psst_daemon *d, struct psst_contact *contact, uint64_t until_ns)
{
    struct redial *r = redial_of(d->reconnect, contact);
    if (r == NULL) return;
    uint64_t now_ns = mono_ns(d->reconnect);
    if (!grant_urgent(r, now_ns, until_ns)) return;
    bool begins = r->until_ns == 0 && until_ns != 0;
    r->until_ns = until_ns;
    if (begins) call_within(d->reconnect, r, now_ns, AT_ONCE_NS);
    psst_reconnect_changed(d, contact);
}

void psst_reconnect_all(struct psst_reconnect *rc)
{
    uint64_t now_ns = mono_ns(rc);
    for (struct redial *r = rc->first; r != NULL; r = r->next) {
        bool first = pace_of(rc, r, now_ns) != PSST_PACE_COLD || something_waits(r->contact);
        r->tries = 0;
        call_within(rc, r, now_ns, first ? AT_ONCE_NS : SPREAD_NS);
    }
    set_timer(rc);
}

/* ---- life ---- */

void psst_reconnect_loaded(struct psst_reconnect *rc)
{
    rc->open = true;
    for (struct psst_contact *c = psst_book_first(rc->d->book); c != NULL; c = c->next)
        if (c->reconnect || something_waits(c)) (void)redial_of(rc, c);
    psst_reconnect_all(rc);
}

void psst_reconnect_forget(struct psst_reconnect *rc, struct psst_contact *contact)
{
    struct redial *r = contact->redial;
    if (r == NULL) return;
    not_dialling(rc, r);
    *r->at = r->next;
    if (r->next != NULL) r->next->at = r->at;
    contact->redial = NULL;
    free(r);
}

void psst_reconnect_unloaded(struct psst_reconnect *rc)
{
    rc->open = false;
    while (rc->first != NULL) psst_reconnect_forget(rc, rc->first->contact);
    set_timer(rc);
}

enum psst_err psst_reconnect_new(struct psst_reconnect **out, struct psst_daemon *d)
{
    struct psst_reconnect *rc = calloc(1, sizeof *rc);
    if (rc == NULL) return PSST_ERR_MEMORY;
    rc->d = d;
    (void)uv_timer_init(d->loop, &rc->timer); /* cannot fail */
    rc->timer.data = rc;
    psst_reconnect_watch_begin(rc);
    *out = rc;
    return PSST_OK;
}

void psst_reconnect_close(struct psst_reconnect *rc)
{
    if (rc->closed) return;
    psst_reconnect_unloaded(rc);
    rc->closed = true;
    psst_reconnect_watch_end(rc);
    uv_close((uv_handle_t *)&rc->timer, NULL);
}

void psst_reconnect_free(struct psst_reconnect *rc)
{
    free(rc);
}
