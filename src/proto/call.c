/* Calls: who may say what when. One table holds it all; what it does not hold is dropped and counted (theirs), or refused (ours).
 *
 *   state \ it happens  | we             | they                                        | the clock
 *   --------------------+----------------+---------------------------------------------+------------------------------
 *   NONE                | offer: CALLING | offer: RINGING_HERE   accept: answered with | -
 *                       |                | a hang up, for they think there is a call   |
 *   CALLING             | hang up: NONE  | ring: RINGING_THERE   accept: ACTIVE        | 8 s, no ring: hang up, NONE
 *                       |                | offer: ACTIVE, both have dialled            |
 *                       |                | decline: NONE                               |
 *   RINGING_THERE       | hang up: NONE  | accept, offer: ACTIVE   decline: NONE       | 45 s: hang up, NONE
 *   RINGING_HERE        | ring: stays    | offer: nothing   hang up: NONE              | 60 s: decline, NONE
 *                       | accept: ACTIVE |                                             |
 *                       | decline: NONE  |                                             |
 *   ACTIVE              | hang up: NONE  | hang up, decline: NONE                      | 15 s without a frame:
 *                       | receiving      | receiving, report: told                     |   hang up, NONE
 *                       | report         | offer, ring: nothing   accept: a new id     | 2 s of silence: told, ping
 *
 * Calls have no names on the wire, so that what belonged to one may come in the next: a hang up while it rings there is always
 * such a late one (who is called declines); an accept may be one too, which is why another may follow.
 */
#include "proto/call_internal.h"

#include "proto/session_send.h"

#include <stdlib.h>

#define MS PSST_MS_NS

enum who { WE, THEY };
enum act {
    PLAIN,  /* ours: sent; theirs: told */
    QUIET,  /* theirs: nobody is told */
    ANSWER, /* theirs: they think there is a call, and hear that there is none */
    CROSS,  /* theirs: both have offered; told as an accept */
    OVER,   /* theirs: told as a hang up */
};

#define S(state) PSST_CALL_##state
#define K(kind)  PSST_CALL_KIND_##kind

struct rule {
    enum psst_call_state state;
    enum who who;
    enum psst_call_kind kind;
    enum psst_call_state next;
    enum act act;
};
static const struct rule rules[] = {
    {S(NONE), WE, K(OFFER), S(CALLING), PLAIN},
    {S(NONE), THEY, K(OFFER), S(RINGING_HERE), PLAIN},
    {S(NONE), THEY, K(ACCEPT), S(NONE), ANSWER},

    {S(CALLING), WE, K(HANGUP), S(NONE), PLAIN},
    {S(CALLING), THEY, K(OFFER), S(ACTIVE), CROSS},
    {S(CALLING), THEY, K(RING), S(RINGING_THERE), PLAIN},
    {S(CALLING), THEY, K(ACCEPT), S(ACTIVE), PLAIN},
    {S(CALLING), THEY, K(DECLINE), S(NONE), PLAIN},

    {S(RINGING_THERE), WE, K(HANGUP), S(NONE), PLAIN},
    {S(RINGING_THERE), THEY, K(OFFER), S(ACTIVE), CROSS},
    {S(RINGING_THERE), THEY, K(ACCEPT), S(ACTIVE), PLAIN},
    {S(RINGING_THERE), THEY, K(DECLINE), S(NONE), PLAIN},

    {S(RINGING_HERE), WE, K(RING), S(RINGING_HERE), PLAIN},
    {S(RINGING_HERE), WE, K(ACCEPT), S(ACTIVE), PLAIN},
    {S(RINGING_HERE), WE, K(DECLINE), S(NONE), PLAIN},
    {S(RINGING_HERE), THEY, K(OFFER), S(RINGING_HERE), QUIET},
    {S(RINGING_HERE), THEY, K(HANGUP), S(NONE), PLAIN},

    {S(ACTIVE), WE, K(HANGUP), S(NONE), PLAIN},
    {S(ACTIVE), WE, K(RECEIVING), S(ACTIVE), PLAIN},
    {S(ACTIVE), WE, K(REPORT), S(ACTIVE), PLAIN},
    {S(ACTIVE), THEY, K(OFFER), S(ACTIVE), QUIET},
    {S(ACTIVE), THEY, K(RING), S(ACTIVE), QUIET},
    {S(ACTIVE), THEY, K(ACCEPT), S(ACTIVE), QUIET},
    {S(ACTIVE), THEY, K(DECLINE), S(NONE), OVER},
    {S(ACTIVE), THEY, K(HANGUP), S(NONE), PLAIN},
    {S(ACTIVE), THEY, K(RECEIVING), S(ACTIVE), PLAIN},
    {S(ACTIVE), THEY, K(REPORT), S(ACTIVE), PLAIN},
};

/* What the clock ends: after how long in a state, what they are told, what our user is. */
static const struct {
    enum psst_call_state state;
    uint64_t ms;
    struct psst_call_chunk said;
    uint8_t told;
} limits[] = {
    {S(CALLING), PSST_CALL_NO_RING_MS, {.kind = K(HANGUP), .reason = PSST_CALL_FAILED}, PSST_CALL_FAILED},
    {S(RINGING_THERE),
     PSST_CALL_UNANSWERED_MS,
     {.kind = K(HANGUP), .reason = PSST_CALL_UNANSWERED},
     PSST_CALL_UNANSWERED},
    {S(RINGING_HERE), PSST_CALL_RANG_OUT_MS, {.kind = K(DECLINE), .reason = PSST_CALL_DECLINED}, PSST_CALL_UNANSWERED},
    {S(ACTIVE), PSST_CALL_NO_FRAMES_MS, {.kind = K(HANGUP), .reason = PSST_CALL_FAILED}, PSST_CALL_FAILED},
};

static const struct rule *rule_of(enum psst_call_state state, enum who who, uint8_t kind)
{
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        if (rules[i].state == state && rules[i].who == who && (uint8_t)rules[i].kind == kind) return &rules[i];
    return NULL;
}

/* ---- life ---- */

static uint32_t draw_id(const struct psst_rng *rng)
{
    uint8_t bytes[4] = {0};
    uint32_t id = 0;
    while (id == 0) {
        rng->fill(rng->ctx, bytes, sizeof bytes);
        id = psst_load_u32(bytes);
    }
    return id;
}

static bool make(struct psst_session *s)
{
    if (s->call != NULL) return true;
    s->call = calloc(1, sizeof *s->call);
    if (s->call == NULL) return false;
    s->call->own_id = draw_id(s->rng);
    psst_session_voice_init(s);
    return true;
}

void psst_session_call_free(struct psst_session_call *call)
{
    if (call == NULL) return;
    psst_wipe(call, sizeof *call);
    free(call);
}

enum psst_call_state psst_session_call_state(const struct psst_session *s)
{
    return s->call != NULL ? s->call->state : PSST_CALL_NONE;
}

static void enter(struct psst_session *s, uint64_t now_ns, enum psst_call_state next)
{
    struct psst_session_call *call = s->call;
    if (next == call->state) return;
    bool was_active = call->state == PSST_CALL_ACTIVE;
    call->state = next;
    call->since_ns = now_ns;
    if (next == PSST_CALL_ACTIVE) {
        call->reported_ns = call->said_receiving_ns = PSST_NEVER;
        call->receiving = call->said_receiving = true;
        call->silent = false;
        psst_session_voice_begin(s, now_ns);
        psst_timers_on_call(&s->timers, now_ns, true);
    }
    if (was_active) psst_timers_on_call(&s->timers, now_ns, false);
    if (next == PSST_CALL_NONE) {
        call->rung = call->crossed = false;
        call->frame_size = call->own_frame_size = 0;
        call->their_id = 0;
    }
}

/* ---- ours ---- */

static bool in_range(const struct psst_call_chunk *what)
{
    if (what->kind == PSST_CALL_KIND_OFFER)
        return what->frame_size >= PSST_CALL_FRAME_MIN && what->frame_size <= PSST_CALL_FRAME_MAX;
    if (what->kind == PSST_CALL_KIND_DECLINE || what->kind == PSST_CALL_KIND_HANGUP)
        return what->reason >= 1 && what->reason <= 3;
    return true;
}

static bool too_soon(uint64_t last_ns, uint64_t now_ns, uint64_t gap_ms)
{
    return last_ns != PSST_NEVER && now_ns - last_ns < gap_ms * MS;
}

/* What our user wants, and the other side does not know yet; no more often than every few seconds. */
static enum psst_err say_receiving(struct psst_session *s, uint64_t now_ns)
{
    struct psst_session_call *call = s->call;
    if (call->receiving == call->said_receiving) return PSST_OK;
    if (too_soon(call->said_receiving_ns, now_ns, PSST_CALL_RECEIVING_GAP_MS)) return PSST_OK;
    struct psst_call_chunk chunk = {.kind = PSST_CALL_KIND_RECEIVING, .receiving = call->receiving};
    enum psst_err err = psst_session_send_call(s, now_ns, &chunk);
    if (err != PSST_OK) return err;
    call->said_receiving = call->receiving;
    call->said_receiving_ns = now_ns;
    return PSST_OK;
}

static enum psst_err do_offer(struct psst_session *s, uint64_t now_ns, const struct psst_call_chunk *what)
{
    if (!make(s)) {
        psst_session_fail(s, PSST_END_MEMORY);
        return PSST_ERR_MEMORY;
    }
    if (!psst_limit_take(&s->call->offers_out, now_ns, PSST_MINUTE_NS, PSST_CALL_OFFERS_A_MINUTE))
        return PSST_ERR_AGAIN;
    struct psst_call_chunk offer = *what;
    offer.receiver_id = s->call->own_id;
    enum psst_err err = psst_session_send_call(s, now_ns, &offer);
    if (err == PSST_OK) s->call->frame_size = s->call->own_frame_size = what->frame_size;
    return err;
}

static enum psst_err do_rest(struct psst_session *s, uint64_t now_ns, const struct psst_call_chunk *what)
{
    struct psst_session_call *call = s->call;
    struct psst_call_chunk chunk = *what;
    switch ((enum psst_call_kind)what->kind) {
    case PSST_CALL_KIND_RING:
        if (call->rung) return PSST_OK;
        call->rung = true;
        break;
    case PSST_CALL_KIND_ACCEPT: chunk.receiver_id = call->own_id; break;
    case PSST_CALL_KIND_RECEIVING: call->receiving = what->receiving; return say_receiving(s, now_ns);
    case PSST_CALL_KIND_REPORT:
        if (too_soon(call->reported_ns, now_ns, PSST_CALL_REPORT_GAP_MS)) return PSST_OK;
        call->reported_ns = now_ns;
        break;
    default: break;
    }
    return psst_session_send_call(s, now_ns, &chunk);
}

enum psst_err psst_session_call_do(struct psst_session *s, uint64_t now_ns, const struct psst_call_chunk *what)
{
    const struct rule *rule = rule_of(psst_session_call_state(s), WE, what->kind);
    if (s->ended || s->closing_ns != PSST_NEVER || s->placed || rule == NULL || !in_range(what)) return PSST_ERR_USAGE;
    bool offer = what->kind == PSST_CALL_KIND_OFFER;
    enum psst_err err = offer ? do_offer(s, now_ns, what) : do_rest(s, now_ns, what);
    if (err == PSST_OK) enter(s, now_ns, rule->next);
    return err;
}

/* ---- theirs ---- */

static void tell(struct psst_event *ev, const struct psst_call_chunk *what)
{
    ev->type = PSST_EV_CALL;
    ev->call = *what;
}

/* False: too many of them, the session ends. */
static bool within_limits(struct psst_session *s, uint64_t now_ns, uint8_t kind)
{
    if (kind == PSST_CALL_KIND_REPORT)
        return psst_limit_take(&s->call->reports, now_ns, PSST_MINUTE_NS, PSST_CALL_REPORTS_A_MINUTE);
    return psst_limit_take(&s->call->chunks, now_ns, PSST_MINUTE_NS, PSST_CALL_CHUNKS_A_MINUTE);
}

static enum psst_err say(struct psst_session *s, uint64_t now_ns, enum psst_call_kind kind, uint8_t reason)
{
    struct psst_call_chunk chunk = {.kind = (uint8_t)kind, .reason = reason};
    return psst_session_send_call(s, now_ns, &chunk);
}

/* What there is to know about their side of the call. */
static void take_fields(struct psst_session *s, const struct rule *rule, const struct psst_call_chunk *chunk)
{
    struct psst_session_call *call = s->call;
    bool offer = chunk->kind == PSST_CALL_KIND_OFFER;
    if (chunk->kind == PSST_CALL_KIND_ACCEPT || (offer && rule->act != QUIET)) call->their_id = chunk->receiver_id;
    if (rule->act == CROSS) call->crossed = true;
    if (offer && rule->act == PLAIN) call->frame_size = chunk->frame_size;
    if (rule->act == CROSS && s->role == PSST_CALLEE) call->frame_size = chunk->frame_size;
}

static enum psst_err follow(struct psst_session *s, const struct rule *rule, struct psst_call_chunk *chunk,
                            uint64_t now_ns, struct psst_event *ev)
{
    struct psst_session_call *call = s->call;
    if (rule->act == ANSWER) {
        call->dropped++;
        return say(s, now_ns, PSST_CALL_KIND_HANGUP, PSST_CALL_FAILED);
    }
    if (call->state == PSST_CALL_NONE &&
        !psst_limit_take(&call->offers_in, now_ns, PSST_MINUTE_NS, PSST_CALL_OFFERS_A_MINUTE))
        return say(s, now_ns, PSST_CALL_KIND_DECLINE, PSST_CALL_BUSY);
    take_fields(s, rule, chunk);
    /* who hung up before our offer reached it is being rung by it */
    bool rings_there = call->crossed && rule->next == PSST_CALL_NONE;
    enter(s, now_ns, rule->next);
    if (rule->act == CROSS) {
        chunk->kind = PSST_CALL_KIND_ACCEPT;
        chunk->frame_size = call->frame_size;
    }
    if (rule->act == OVER) {
        chunk->kind = PSST_CALL_KIND_HANGUP;
        chunk->reason = PSST_CALL_HUNG_UP;
    }
    if (rule->act != QUIET) tell(ev, chunk);
    return rings_there ? say(s, now_ns, PSST_CALL_KIND_HANGUP, PSST_CALL_HUNG_UP) : PSST_OK;
}

enum psst_err psst_session_call_chunk(struct psst_session *s, struct psst_view data, uint64_t now_ns,
                                      struct psst_event *ev)
{
    struct psst_call_chunk chunk;
    enum psst_err err = psst_call_chunk_read(&chunk, data);
    if (err != PSST_OK) return err;
    if (s->call == NULL && chunk.kind != PSST_CALL_KIND_OFFER) /* of what we never had: nothing is kept for it */
        return psst_limit_take(&s->unknown, now_ns, PSST_MINUTE_NS, PSST_UNKNOWN_CHUNKS_A_MINUTE) ? PSST_OK
                                                                                                  : PSST_ERR_PROTOCOL;
    if (!make(s)) return PSST_ERR_MEMORY;
    if (!within_limits(s, now_ns, chunk.kind)) return PSST_ERR_PROTOCOL;
    const struct rule *rule = rule_of(s->call->state, THEY, chunk.kind);
    if (rule != NULL) return follow(s, rule, &chunk, now_ns, ev);
    s->call->dropped++;
    return PSST_OK;
}

/* ---- the clock ---- */

static bool paused(const struct psst_session *s)
{
    return s->timers.paused_ns != PSST_NEVER;
}

/* While our driver does not read, the time in this state stands still: frames may wait there. But not for good, since it is the
 * other side's flood that stops it, as well as a disk; and what comes by UDP is read all the same. */
static uint64_t limit_at(const struct psst_session *s, size_t *which)
{
    const struct psst_session_call *call = s->call;
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        if (limits[i].state != call->state) continue;
        *which = i;
        bool active = call->state == PSST_CALL_ACTIVE;
        uint64_t at = active ? call->frame_ns + call->unread_ns : call->since_ns;
        uint64_t latest = active ? call->frame_ns + PSST_CALL_UNREAD_MS * MS : PSST_NEVER;
        at = paused(s) ? PSST_NEVER : at + limits[i].ms * MS;
        return at < latest ? at : latest;
    }
    return PSST_NEVER;
}

static uint64_t receiving_at(const struct psst_session_call *call)
{
    if (call->state != PSST_CALL_ACTIVE || call->receiving == call->said_receiving) return PSST_NEVER;
    return call->said_receiving_ns == PSST_NEVER ? 0 : call->said_receiving_ns + PSST_CALL_RECEIVING_GAP_MS * MS;
}

/* When there is something to say about silence: 0 when it is broken. */
static uint64_t silence_at(const struct psst_session *s)
{
    const struct psst_session_call *call = s->call;
    uint64_t heard_ns = psst_timers_heard(&s->timers);
    if (call->state != PSST_CALL_ACTIVE || paused(s)) return PSST_NEVER;
    if (call->silent) return heard_ns != call->silent_heard_ns ? 0 : PSST_NEVER;
    return heard_ns + PSST_CALL_SILENCE_MS * MS;
}

static void tell_silence(struct psst_session *s, uint64_t now_ns, struct psst_event *ev)
{
    struct psst_session_call *call = s->call;
    struct psst_call_chunk what = {.kind = PSST_CALL_KIND_SILENCE, .silent = !call->silent};
    call->silent = what.silent;
    call->silent_heard_ns = psst_timers_heard(&s->timers);
    tell(ev, &what);
    if (what.silent) psst_session_probe(s, now_ns);
}

void psst_session_call_due(struct psst_session *s, uint64_t now_ns, struct psst_event *ev)
{
    struct psst_session_call *call = s->call;
    size_t which = 0;
    if (call == NULL) return;
    if (now_ns >= call->old_until_ns) psst_session_voice_old_key_over(call);
    if (now_ns >= limit_at(s, &which)) {
        struct psst_call_chunk what = {.kind = PSST_CALL_KIND_HANGUP, .reason = limits[which].told, .by_us = true};
        if (psst_session_send_call(s, now_ns, &limits[which].said) != PSST_OK) return; /* the session has ended */
        enter(s, now_ns, PSST_CALL_NONE);
        tell(ev, &what);
        return;
    }
    if (now_ns >= receiving_at(call) && say_receiving(s, now_ns) != PSST_OK) return;
    if (now_ns >= silence_at(s)) tell_silence(s, now_ns, ev);
}

uint64_t psst_session_call_deadline(const struct psst_session *s)
{
    size_t which = 0;
    if (s->call == NULL) return PSST_NEVER;
    const uint64_t times[] = {s->call->old_until_ns, limit_at(s, &which), receiving_at(s->call), silence_at(s)};
    uint64_t first = PSST_NEVER;
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
        if (times[i] < first) first = times[i];
    return first;
}

void psst_session_call_resumed(struct psst_session *s, uint64_t now_ns)
{
    struct psst_session_call *call = s->call;
    if (call == NULL || call->state != PSST_CALL_ACTIVE || !paused(s)) return;
    uint64_t since_ns = s->timers.paused_ns > call->frame_ns ? s->timers.paused_ns : call->frame_ns;
    call->unread_ns += now_ns - since_ns;
}
