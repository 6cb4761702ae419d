/* The table of calls: every state, whatever may happen in it, by us, by the other side, by the clock. */
#include "pair.h"

#include "proto/call_internal.h"

#define S(state) PSST_CALL_##state
#define K(kind)  PSST_CALL_KIND_##kind
#define NOTHING  0

static struct pair pair;
static struct psst_record_state reads; /* what opens the records of a */

static int set_up(void **state)
{
    (void)state;
    pair_init(&pair);
    pair_establish(&pair);
    reads = pair.a.link->session.out;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    pair_fini(&pair);
    return 0;
}

/* The one `c` chunk that a has put out since the last look, and nothing else; kind 0: none. It reaches nobody. */
static struct psst_call_chunk said(struct pair *p)
{
    static uint8_t copy[65536];
    struct psst_call_chunk call = {0};
    struct psst_view out = psst_link_output(p->a.link);
    assert_true(out.len <= sizeof copy);
    if (out.len > 0) memcpy(copy, out.data, out.len);
    for (size_t at = 0; at < out.len;) {
        size_t body_len = 0;
        struct psst_chunk chunk;
        assert_int_equal(psst_record_open_head(&reads, copy + at, &body_len), PSST_OK);
        uint8_t *body = copy + at + PSST_RECORD_HEAD_LEN;
        assert_int_equal(psst_record_open_body(&reads, body, body_len), PSST_OK);
        assert_int_equal(psst_chunk_read(&chunk, psst_view(body, body_len)), PSST_OK);
        assert_int_equal(chunk.id, PSST_CHUNK_CALL);
        assert_int_equal(call.kind, NOTHING);
        assert_int_equal(psst_call_chunk_read(&call, chunk.data), PSST_OK);
        at += PSST_RECORD_HEAD_LEN + body_len + PSST_TAG_LEN;
    }
    psst_link_sent(p->a.link, out.len);
    return call;
}

/* b says so, whatever its own link thinks. */
static void they(struct pair *p, uint8_t kind)
{
    const struct psst_call_chunk chunk = {
        .kind = kind, .receiver_id = 0x01020304, .frame_size = 200, .reason = 1, .receiving = false, .loss_256 = 3};
    struct psst_buf out;
    psst_buf_init(&out, 64);
    psst_call_chunk_write(&out, &chunk);
    assert_false(out.failed);
    pair_send_chunk(p, &p->b, PSST_CHUNK_CALL, out.data + PSST_CHUNK_HEAD_LEN, out.len - PSST_CHUNK_HEAD_LEN);
    psst_buf_fini(&out);
    pair_settle(p);
}

static enum psst_err we(struct pair *p, uint8_t kind)
{
    struct psst_link *link = p->a.link;
    switch ((enum psst_call_kind)kind) {
    case PSST_CALL_KIND_OFFER: return psst_link_call_offer(link, p->now, 100);
    case PSST_CALL_KIND_RING: return psst_link_call_ring(link, p->now);
    case PSST_CALL_KIND_ACCEPT: return psst_link_call_accept(link, p->now);
    case PSST_CALL_KIND_DECLINE: return psst_link_call_decline(link, p->now, PSST_CALL_BUSY);
    case PSST_CALL_KIND_HANGUP: return psst_link_call_hangup(link, p->now, PSST_CALL_HUNG_UP);
    case PSST_CALL_KIND_RECEIVING: return psst_link_call_receiving(link, p->now, false);
    case PSST_CALL_KIND_REPORT: return psst_link_call_report(link, p->now, 1, 2, 3);
    case PSST_CALL_KIND_SILENCE: break;
    }
    return PSST_ERR_USAGE;
}

/* To this state, with all that was said and told forgotten. None of it reaches b. */
static void reach(struct pair *p, enum psst_call_state state)
{
    p->a_to_b = false;
    assert_int_equal(we(p, K(OFFER)), PSST_OK); /* so that there has been a call */
    assert_int_equal(we(p, K(HANGUP)), PSST_OK);
    if (state == S(CALLING) || state == S(RINGING_THERE)) assert_int_equal(we(p, K(OFFER)), PSST_OK);
    if (state == S(RINGING_THERE)) they(p, K(RING));
    if (state == S(RINGING_HERE) || state == S(ACTIVE)) they(p, K(OFFER));
    if (state == S(ACTIVE)) assert_int_equal(we(p, K(ACCEPT)), PSST_OK);
    assert_int_equal(psst_link_call_state(p->a.link), state);
    struct psst_view out = psst_link_output(p->a.link);
    psst_link_sent(p->a.link, out.len);
    reads = p->a.link->session.out;
    p->a.count[PSST_EV_CALL] = 0;
}

struct expected {
    uint8_t kind;
    enum psst_call_state next;
    uint8_t told, said; /* kinds */
    bool dropped;
};

static const struct {
    enum psst_call_state state;
    struct expected theirs[7];
} theirs[] = {
    {S(NONE),
     {{K(OFFER), S(RINGING_HERE), K(OFFER), NOTHING, false},
      {K(RING), S(NONE), NOTHING, NOTHING, true},
      {K(ACCEPT), S(NONE), NOTHING, K(HANGUP), true},
      {K(DECLINE), S(NONE), NOTHING, NOTHING, true},
      {K(HANGUP), S(NONE), NOTHING, NOTHING, true},
      {K(RECEIVING), S(NONE), NOTHING, NOTHING, true},
      {K(REPORT), S(NONE), NOTHING, NOTHING, true}}},
    {S(CALLING),
     {{K(OFFER), S(ACTIVE), K(ACCEPT), NOTHING, false},
      {K(RING), S(RINGING_THERE), K(RING), NOTHING, false},
      {K(ACCEPT), S(ACTIVE), K(ACCEPT), NOTHING, false},
      {K(DECLINE), S(NONE), K(DECLINE), NOTHING, false},
      {K(HANGUP), S(CALLING), NOTHING, NOTHING, true},
      {K(RECEIVING), S(CALLING), NOTHING, NOTHING, true},
      {K(REPORT), S(CALLING), NOTHING, NOTHING, true}}},
    {S(RINGING_THERE),
     {{K(OFFER), S(ACTIVE), K(ACCEPT), NOTHING, false},
      {K(RING), S(RINGING_THERE), NOTHING, NOTHING, true},
      {K(ACCEPT), S(ACTIVE), K(ACCEPT), NOTHING, false},
      {K(DECLINE), S(NONE), K(DECLINE), NOTHING, false},
      {K(HANGUP), S(RINGING_THERE), NOTHING, NOTHING, true},
      {K(RECEIVING), S(RINGING_THERE), NOTHING, NOTHING, true},
      {K(REPORT), S(RINGING_THERE), NOTHING, NOTHING, true}}},
    {S(RINGING_HERE),
     {{K(OFFER), S(RINGING_HERE), NOTHING, NOTHING, false},
      {K(RING), S(RINGING_HERE), NOTHING, NOTHING, true},
      {K(ACCEPT), S(RINGING_HERE), NOTHING, NOTHING, true},
      {K(DECLINE), S(RINGING_HERE), NOTHING, NOTHING, true},
      {K(HANGUP), S(NONE), K(HANGUP), NOTHING, false},
      {K(RECEIVING), S(RINGING_HERE), NOTHING, NOTHING, true},
      {K(REPORT), S(RINGING_HERE), NOTHING, NOTHING, true}}},
    {S(ACTIVE),
     {{K(OFFER), S(ACTIVE), NOTHING, NOTHING, false},
      {K(RING), S(ACTIVE), NOTHING, NOTHING, false},
      {K(ACCEPT), S(ACTIVE), NOTHING, NOTHING, false},
      {K(DECLINE), S(NONE), K(HANGUP), NOTHING, false},
      {K(HANGUP), S(NONE), K(HANGUP), NOTHING, false},
      {K(RECEIVING), S(ACTIVE), K(RECEIVING), NOTHING, false},
      {K(REPORT), S(ACTIVE), K(REPORT), NOTHING, false}}},
};

static void theirs__in_every_state__does_what_the_table_says(void **state)
{
    struct pair *p = &pair;
    for (size_t i = 0; i < sizeof theirs / sizeof theirs[0]; i++)
        for (size_t k = 0; k < 7; k++) {
            const struct expected *want = &theirs[i].theirs[k];
            reach(p, theirs[i].state);
            uint64_t dropped = p->a.link->session.call->dropped;
            they(p, want->kind);
            assert_int_equal(psst_link_call_state(p->a.link), want->next);
            assert_int_equal(p->a.count[PSST_EV_CALL], want->told != NOTHING);
            if (want->told != NOTHING) assert_int_equal(p->a.last[PSST_EV_CALL].call.kind, want->told);
            assert_int_equal(said(p).kind, want->said);
            assert_int_equal(p->a.link->session.call->dropped, dropped + want->dropped);
            assert_true(psst_link_established(p->a.link));
            tear_down(state);
            set_up(state);
        }
}

static const struct {
    enum psst_call_state state;
    struct {
        uint8_t kind;
        enum psst_call_state next;
    } allowed[4];
} ours[] = {
    {S(NONE), {{K(OFFER), S(CALLING)}}},
    {S(CALLING), {{K(HANGUP), S(NONE)}}},
    {S(RINGING_THERE), {{K(HANGUP), S(NONE)}}},
    {S(RINGING_HERE), {{K(RING), S(RINGING_HERE)}, {K(ACCEPT), S(ACTIVE)}, {K(DECLINE), S(NONE)}}},
    {S(ACTIVE), {{K(HANGUP), S(NONE)}, {K(RECEIVING), S(ACTIVE)}, {K(REPORT), S(ACTIVE)}}},
};

static void ours__in_every_state__does_what_the_table_says(void **state)
{
    struct pair *p = &pair;
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
        for (uint8_t kind = K(OFFER); kind <= K(REPORT); kind++) {
            bool allowed = false;
            enum psst_call_state next = ours[i].state;
            for (size_t k = 0; k < 4; k++)
                if (ours[i].allowed[k].kind == kind) {
                    allowed = true;
                    next = ours[i].allowed[k].next;
                }
            reach(p, ours[i].state);
            assert_int_equal(we(p, kind), allowed ? PSST_OK : PSST_ERR_USAGE);
            assert_int_equal(psst_link_call_state(p->a.link), next);
            assert_int_equal(said(p).kind, allowed ? kind : NOTHING);
            pair_settle(p);
            assert_int_equal(p->a.count[PSST_EV_CALL], 0);
            tear_down(state);
            set_up(state);
        }
}

static void clock__in_every_state__ends_what_nobody_answers(void **state)
{
    struct pair *p = &pair;
    const struct {
        enum psst_call_state state;
        uint64_t ms;
        uint8_t said, said_reason, told_reason;
    } limits[] = {
        {S(CALLING), PSST_CALL_NO_RING_MS, K(HANGUP), PSST_CALL_FAILED, PSST_CALL_FAILED},
        {S(RINGING_THERE), PSST_CALL_UNANSWERED_MS, K(HANGUP), PSST_CALL_UNANSWERED, PSST_CALL_UNANSWERED},
        {S(RINGING_HERE), 60000, K(DECLINE), PSST_CALL_DECLINED, PSST_CALL_UNANSWERED},
        {S(ACTIVE), 15000, K(HANGUP), PSST_CALL_FAILED, PSST_CALL_FAILED},
    };
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        reach(p, limits[i].state);
        /* everything else that the clock brings is out of the way */
        uint64_t at = p->now.mono_ns + limits[i].ms * 1000000;
        for (; p->now.mono_ns + PSST_SECOND_NS < at; pair_pass(p, PSST_SECOND_NS)) {
            pair_send_chunk(p, &p->b, PSST_CHUNK_PING, "12345678", 8);
            psst_link_sent(p->a.link, psst_link_output(p->a.link).len);
            p->b.link->session.timers.heard_ns = p->now.mono_ns; /* who hears nothing of us, and lives */
        }
        pair_send_chunk(p, &p->b, PSST_CHUNK_PING, "12345678", 8);
        pair_pass(p, PSST_SECOND_NS - 1);
        psst_link_sent(p->a.link, psst_link_output(p->a.link).len);
        reads = p->a.link->session.out;
        assert_int_equal(psst_link_call_state(p->a.link), limits[i].state);
        assert_int_equal(p->a.count[PSST_EV_CALL], 0);
        assert_int_equal(psst_link_deadline(p->a.link), at);
        pair_pass(p, 1);
        assert_int_equal(psst_link_call_state(p->a.link), S(NONE));
        assert_int_equal(p->a.count[PSST_EV_CALL], 1);
        const struct psst_call_chunk *told = &p->a.last[PSST_EV_CALL].call;
        assert_int_equal(told->kind, K(HANGUP));
        assert_true(told->by_us);
        assert_int_equal(told->reason, limits[i].told_reason);
        struct psst_call_chunk last = said(p);
        assert_int_equal(last.kind, limits[i].said);
        assert_int_equal(last.reason, limits[i].said_reason);
        tear_down(state);
        set_up(state);
    }
}

/* ---- whole calls ---- */

static void call__from_offer_to_hang_up__both_sides_agree(void **state)
{
    (void)state;
    struct pair *p = &pair;
    struct pair_end *ends[] = {&p->a, &p->b};
    for (size_t i = 0; i < 2; i++) {
        struct pair_end *from = ends[i], *to = pair_other(p, from);
        assert_int_equal(psst_link_call_offer(from->link, p->now, 87), PSST_OK);
        pair_settle(p);
        assert_int_equal(psst_link_call_state(to->link), S(RINGING_HERE));
        assert_int_equal(psst_link_call_frame_size(to->link), 87);
        assert_int_equal(to->last[PSST_EV_CALL].call.frame_size, 87);
        assert_int_equal(psst_link_call_ring(to->link, p->now), PSST_OK);
        assert_int_equal(psst_link_call_ring(to->link, p->now), PSST_OK); /* said once */
        pair_settle(p);
        assert_int_equal(psst_link_call_state(from->link), S(RINGING_THERE));
        assert_int_equal(psst_link_call_accept(to->link, p->now), PSST_OK);
        pair_settle(p);
        assert_int_equal(psst_link_call_state(from->link), S(ACTIVE));
        assert_int_equal(psst_link_call_state(to->link), S(ACTIVE));
        assert_int_equal(psst_link_call_frame_size(from->link), 87);
        assert_int_not_equal(psst_link_call_receiver_id(from->link), 0);
        assert_int_equal(from->link->session.call->their_id, psst_link_call_receiver_id(to->link));
        assert_int_equal(to->link->session.call->their_id, psst_link_call_receiver_id(from->link));
        assert_int_equal(psst_link_call_hangup(to->link, p->now, PSST_CALL_HUNG_UP), PSST_OK);
        pair_settle(p);
        assert_int_equal(psst_link_call_state(from->link), S(NONE));
        assert_int_equal(psst_link_call_frame_size(from->link), 0);
        assert_int_equal(psst_link_call_receiver_id(from->link), 0);
        assert_int_equal(from->last[PSST_EV_CALL].call.kind, K(HANGUP));
        assert_false(from->last[PSST_EV_CALL].call.by_us);
        /* no call, no clock: what is left is what every session has */
        assert_int_equal(psst_link_deadline(from->link), psst_timers_deadline(&from->link->session.timers));
        assert_int_equal(from->link->session.call->dropped + to->link->session.call->dropped, 0);
    }
}

static void call__offered_by_both__is_active_with_the_callers_size(void **state)
{
    (void)state;
    struct pair *p = &pair;
    assert_int_equal(psst_link_call_offer(p->a.link, p->now, 100), PSST_OK);
    assert_int_equal(psst_link_call_offer(p->b.link, p->now, 200), PSST_OK);
    pair_settle(p);
    struct pair_end *ends[] = {&p->a, &p->b};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(psst_link_call_state(ends[i]->link), S(ACTIVE));
        assert_int_equal(psst_link_call_frame_size(ends[i]->link), 100); /* a has called */
        assert_int_equal(ends[i]->count[PSST_EV_CALL], 1);
        assert_int_equal(ends[i]->last[PSST_EV_CALL].call.kind, K(ACCEPT));
        assert_int_equal(ends[i]->link->session.call->their_id,
                         psst_link_call_receiver_id(pair_other(p, ends[i])->link));
    }
}

/* a hangs up before the offer of b has reached it: b's user has a call for a moment, a's phone must not go on ringing. */
static void call__offered_by_both_and_hung_up__rings_nowhere(void **state)
{
    (void)state;
    struct pair *p = &pair;
    assert_int_equal(psst_link_call_offer(p->a.link, p->now, 100), PSST_OK);
    assert_int_equal(psst_link_call_hangup(p->a.link, p->now, PSST_CALL_HUNG_UP), PSST_OK);
    assert_int_equal(psst_link_call_offer(p->b.link, p->now, 200), PSST_OK);
    pair_settle(p);
    assert_int_equal(psst_link_call_state(p->a.link), S(NONE));
    assert_int_equal(psst_link_call_state(p->b.link), S(NONE));
}

/* The accept of b is late, and meets a new offer: both end in the new call. */
static void call__hung_up_and_dialled_again__takes_a_late_accept(void **state)
{
    (void)state;
    struct pair *p = &pair;
    assert_int_equal(psst_link_call_offer(p->a.link, p->now, 100), PSST_OK);
    pair_settle(p);
    assert_int_equal(psst_link_call_hangup(p->a.link, p->now, PSST_CALL_HUNG_UP), PSST_OK);
    assert_int_equal(psst_link_call_offer(p->a.link, p->now, 100), PSST_OK);
    assert_int_equal(psst_link_call_accept(p->b.link, p->now), PSST_OK);
    pair_settle(p);
    assert_int_equal(psst_link_call_state(p->a.link), S(ACTIVE));
    assert_int_equal(psst_link_call_state(p->b.link), S(RINGING_HERE));
    assert_int_equal(psst_link_call_accept(p->b.link, p->now), PSST_OK);
    pair_settle(p);
    assert_int_equal(psst_link_call_state(p->a.link), S(ACTIVE));
    assert_int_equal(psst_link_call_state(p->b.link), S(ACTIVE));
}

static void call__when_the_session_ends__ends_without_a_word(void **state)
{
    (void)state;
    struct pair *p = &pair;
    reach(p, S(ACTIVE));
    pair_send_chunk(p, &p->b, PSST_CHUNK_BYE, "\1", 1);
    pair_settle(p);
    pair_assert_ended(&p->a, PSST_END_BYE);
    assert_int_equal(p->a.count[PSST_EV_CALL], 0);
    assert_int_equal(psst_link_call_state(p->a.link), S(NONE));
    assert_int_equal(we(p, K(HANGUP)), PSST_ERR_USAGE);
}

int main(void)
{
#define CALL_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CALL_TEST(theirs__in_every_state__does_what_the_table_says),
        CALL_TEST(ours__in_every_state__does_what_the_table_says),
        CALL_TEST(clock__in_every_state__ends_what_nobody_answers),
        CALL_TEST(call__from_offer_to_hang_up__both_sides_agree),
        CALL_TEST(call__offered_by_both__is_active_with_the_callers_size),
        CALL_TEST(call__offered_by_both_and_hung_up__rings_nowhere),
        CALL_TEST(call__hung_up_and_dialled_again__takes_a_late_accept),
        CALL_TEST(call__when_the_session_ends__ends_without_a_word),
    };
    if (psst_crypto_init(0) != PSST_OK) return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
