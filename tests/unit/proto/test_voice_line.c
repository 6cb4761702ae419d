/* A call on a line that fails: which way voice goes, what is a sign of life, and when it is over. */
#include "talk.h"

static struct pair pair;
static struct talk talk;

static int set_up(void **state)
{
    (void)state;
    pair_init(&pair);
    pair_establish(&pair);
    talk_begin(&talk, &pair);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    pair_fini(&pair);
    return 0;
}

#define SECONDS(n) ((n)*PSST_SECOND_NS)

/* ---- the way ---- */

static void way__while_udp_gets_through__is_udp(void **state)
{
    (void)state;
    struct pair *p = &pair;
    assert_int_equal(talk_way(p, &p->a), PSST_WAY_BOTH);
    assert_int_equal(talk_way(p, &p->b), PSST_WAY_BOTH);
    talk_for(&talk, 2 * TALK_STEP_NS);
    assert_int_equal(talk_way(p, &p->a), PSST_WAY_UDP);
    assert_int_equal(talk_way(p, &p->b), PSST_WAY_UDP);
    size_t by_tcp = p->a.count[PSST_EV_VOICE] + p->b.count[PSST_EV_VOICE];
    talk_for(&talk, SECONDS(5));
    assert_int_equal(p->a.count[PSST_EV_VOICE] + p->b.count[PSST_EV_VOICE], by_tcp);
    assert_int_equal(talk.taken_by_udp[0], 252);
    assert_int_equal(talk.taken_by_udp[1], 252);
}

static void way__while_udp_is_blocked__is_tcp_with_probes(void **state)
{
    (void)state;
    struct pair *p = &pair;
    talk.ab = talk.ba = false;
    talk_for(&talk, SECONDS(3) - TALK_STEP_NS);
    assert_int_equal(talk_way(p, &p->a), PSST_WAY_BOTH);
    talk_for(&talk, TALK_STEP_NS);
    assert_int_equal(talk_way(p, &p->a), PSST_WAY_TCP);
    assert_int_equal(talk_way(p, &p->b), PSST_WAY_TCP);
    size_t probes = talk.by_udp[0], heard = p->b.count[PSST_EV_VOICE];
    talk_for(&talk, SECONDS(2));
    assert_int_equal(talk.by_udp[0] - probes, 10); /* of a hundred frames */
    assert_int_equal(p->b.count[PSST_EV_VOICE] - heard, 100);
}

static void way__when_udp_comes_and_goes__follows(void **state)
{
    (void)state;
    struct pair *p = &pair;
    talk.ab = talk.ba = false;
    talk_for(&talk, SECONDS(4));
    assert_int_equal(talk_way(p, &p->a), PSST_WAY_TCP);
    talk.ab = talk.ba = true;
    talk_for(&talk, 12 * TALK_STEP_NS); /* a probe, and an answer to it */
    assert_int_equal(talk_way(p, &p->a), PSST_WAY_UDP);
    assert_int_equal(talk_way(p, &p->b), PSST_WAY_UDP);
    talk_for(&talk, SECONDS(1));
    talk.ab = talk.ba = false; /* and gone again: the last flag came with the last datagram */
    talk_for(&talk, SECONDS(1) - 2 * TALK_STEP_NS);
    assert_int_equal(talk_way(p, &p->a), PSST_WAY_UDP);
    talk_for(&talk, TALK_STEP_NS);
    /* by TCP it now comes that the other's last second is over too */
    assert_int_equal(talk_way(p, &p->a), PSST_WAY_BOTH);
    talk_for(&talk, SECONDS(3) - TALK_STEP_NS);
    assert_int_equal(talk_way(p, &p->a), PSST_WAY_BOTH);
    talk_for(&talk, TALK_STEP_NS);
    assert_int_equal(talk_way(p, &p->a), PSST_WAY_TCP);
}

/* Only b's datagrams arrive. b hears so by the flag in what a sends by TCP, and goes by UDP alone; a stays with TCP. */
static void way__when_udp_is_blocked_one_way__is_different_for_each(void **state)
{
    (void)state;
    struct pair *p = &pair;
    talk.ab = false;
    talk_for(&talk, SECONDS(6));
    assert_int_equal(talk_way(p, &p->a), PSST_WAY_TCP);
    assert_int_equal(talk_way(p, &p->b), PSST_WAY_UDP);
    size_t a = p->a.count[PSST_EV_VOICE], b = p->b.count[PSST_EV_VOICE], taken = talk.taken_by_udp[1];
    talk_for(&talk, SECONDS(2));
    assert_int_equal(p->a.count[PSST_EV_VOICE], a);
    assert_int_equal(p->b.count[PSST_EV_VOICE] - b, 100);
    assert_int_equal(talk.taken_by_udp[1] - taken, 100);
}

static void way__of_the_next_call__begins_with_both(void **state)
{
    (void)state;
    struct pair *p = &pair;
    talk_for(&talk, SECONDS(1));
    assert_int_equal(psst_link_call_hangup(p->a.link, p->now, 1), PSST_OK);
    pair_settle(p);
    assert_int_equal(psst_link_call_way(p->a.link), PSST_WAY_BOTH);
    talk_begin(&talk, p);
    assert_int_equal(talk_way(p, &p->a), PSST_WAY_BOTH);
    assert_int_equal(talk_way(p, &p->b), PSST_WAY_BOTH);
    struct talk_datagram d = talk_frame(&talk, &p->a);
    uint8_t frame[PSST_CALL_FRAME_MAX];
    struct psst_voice_frame out;
    assert_int_equal(psst_link_datagram(p->b.link, p->now, psst_view(d.data, d.len), frame, &out), PSST_OK);
    assert_int_equal(out.flags, 0); /* nothing of this call has come by UDP yet */
}

/* ---- signs of life ---- */

static size_t silences(const struct pair_end *e, bool silent)
{
    bool is = e->count[PSST_EV_CALL] > 0 && e->last[PSST_EV_CALL].call.kind == PSST_CALL_KIND_SILENCE;
    return is && e->last[PSST_EV_CALL].call.silent == silent ? e->count[PSST_EV_CALL] : 0;
}

static void silence__of_two_seconds__is_told_and_asked_about(void **state)
{
    (void)state;
    struct pair *p = &pair;
    talk_for(&talk, SECONDS(5));
    assert_int_equal(p->a.count[PSST_EV_CALL], 0);
    p->a_to_b = p->b_to_a = talk.ab = talk.ba = false;
    talk_for(&talk, SECONDS(2) - 2 * TALK_STEP_NS);
    assert_int_equal(p->a.count[PSST_EV_CALL], 0);
    assert_int_equal(p->a.link->session.timers.asked_ns, PSST_NEVER);
    talk_for(&talk, 3 * TALK_STEP_NS);
    assert_int_equal(silences(&p->a, true), 1);
    assert_int_equal(silences(&p->b, true), 1);
    assert_int_not_equal(p->a.link->session.timers.asked_ns, PSST_NEVER); /* a ping is on its way */
    talk_for(&talk, SECONDS(5));
    assert_int_equal(silences(&p->a, true), 1); /* told once */
    talk.ab = talk.ba = true;                   /* UDP is back first */
    talk_for(&talk, 12 * TALK_STEP_NS);
    assert_int_equal(silences(&p->a, false), 2);
    assert_int_equal(silences(&p->b, false), 2);
    p->a_to_b = p->b_to_a = true;
    talk_for(&talk, SECONDS(3));
    assert_int_equal(p->a.count[PSST_EV_CALL], 2);
    assert_int_equal(psst_link_call_state(p->a.link), PSST_CALL_ACTIVE);
}

static void silence__broken_by_a_datagram__is_told_at_once(void **state)
{
    (void)state;
    struct pair *p = &pair;
    p->a_to_b = p->b_to_a = talk.ab = talk.ba = false;
    talk_for(&talk, SECONDS(3));
    assert_int_equal(silences(&p->a, true), 1);
    assert_true(psst_link_deadline(p->a.link) > p->now.mono_ns);
    struct talk_datagram d = {.len = 0};
    while (d.len == 0) d = talk_frame(&talk, &p->b);
    assert_int_equal(talk_take(p, &p->a, &d), PSST_OK);
    assert_int_equal(psst_link_deadline(p->a.link), 0); /* the driver has something to hear */
    pair_settle(p);
    assert_int_equal(silences(&p->a, false), 2);
}

static void nothing__for_twelve_seconds__is_the_end(void **state)
{
    (void)state;
    struct pair *p = &pair;
    talk_for(&talk, SECONDS(3));
    p->a_to_b = p->b_to_a = talk.ab = talk.ba = false;
    talk_for(&talk, SECONDS(12) - 2 * TALK_STEP_NS);
    assert_true(psst_link_established(p->a.link));
    talk_for(&talk, 2 * TALK_STEP_NS);
    pair_assert_ended(&p->a, PSST_END_NO_PONG);
    pair_assert_ended(&p->b, PSST_END_NO_PONG);
}

/* Voice goes on by UDP, and the connection is dead: noticed, but not before TCP has had its time to come back. */
static void tcp__dead_while_udp_lives__ends_after_25_seconds(void **state)
{
    (void)state;
    struct pair *p = &pair;
    talk_for(&talk, SECONDS(2));
    pair_send_chunk(p, &p->a, PSST_CHUNK_PONG, "not asked", 8);
    pair_send_chunk(p, &p->b, PSST_CHUNK_PONG, "not asked", 8);
    pair_settle(p);
    p->a_to_b = p->b_to_a = false;
    assert_int_equal(pair_say(p, &p->a, 1, "waits"), PSST_OK); /* data waits: 12 s without a call */
    talk_for(&talk, SECONDS(25) - TALK_STEP_NS);
    assert_true(psst_link_established(p->a.link));
    assert_int_equal(p->a.count[PSST_EV_CALL], 0); /* nobody was told of a silence */
    assert_int_equal(psst_link_call_state(p->a.link), PSST_CALL_ACTIVE);
    talk_for(&talk, TALK_STEP_NS);
    pair_assert_ended(&p->a, PSST_END_NO_PONG);
    pair_assert_ended(&p->b, PSST_END_NO_PONG);
}

/* When the connection comes back in time, nothing has happened. */
static void tcp__back_in_time__goes_on(void **state)
{
    (void)state;
    struct pair *p = &pair;
    talk_for(&talk, SECONDS(2));
    p->a_to_b = p->b_to_a = false;
    assert_int_equal(pair_say(p, &p->a, 1, "waits"), PSST_OK);
    talk_for(&talk, SECONDS(20));
    p->a_to_b = p->b_to_a = true;
    talk_for(&talk, SECONDS(30));
    assert_true(psst_link_established(p->a.link));
    assert_int_equal(p->b.count[PSST_EV_TEXT], 1);
    assert_int_equal(p->a.count[PSST_EV_CALL] + p->b.count[PSST_EV_CALL], 0);
}

/* The other side lives, and sends no frames: it has no call. */
static void frames__missing_for_15_seconds__end_the_call(void **state)
{
    (void)state;
    struct pair *p = &pair;
    for (int i = 0; i < 14; i++) {
        pair_send_chunk(p, &p->b, PSST_CHUNK_PONG, "12345678", 8);
        pair_send_chunk(p, &p->a, PSST_CHUNK_PONG, "12345678", 8);
        pair_pass(p, PSST_SECOND_NS);
    }
    assert_int_equal(psst_link_call_state(p->a.link), PSST_CALL_ACTIVE);
    pair_pass(p, PSST_SECOND_NS);
    assert_int_equal(psst_link_call_state(p->a.link), PSST_CALL_NONE);
    assert_int_equal(p->a.last[PSST_EV_CALL].call.kind, PSST_CALL_KIND_HANGUP);
    assert_true(psst_link_established(p->a.link));
}

/* Our own driver does not read: neither silence nor missing frames are the other side's. */
static void paused__for_half_a_minute__is_nobodys_silence(void **state)
{
    (void)state;
    struct pair *p = &pair;
    talk.ab = talk.ba = false; /* all by TCP */
    talk_for(&talk, SECONDS(5));
    p->b_to_a = false;
    psst_link_pause(p->a.link, p->now, true);
    talk_for(&talk, SECONDS(30));
    psst_link_pause(p->a.link, p->now, false);
    p->b_to_a = true;
    talk_for(&talk, SECONDS(5));
    assert_int_equal(p->a.count[PSST_EV_CALL], 0);
    assert_int_equal(psst_link_call_state(p->a.link), PSST_CALL_ACTIVE);
}

/* a speaks for a second, and b says nothing but that it is there. */
static void speak_to_nobody(struct pair *p)
{
    pair_send_chunk(p, &p->b, PSST_CHUNK_PONG, "12345678", 8);
    for (int i = 0; i < 50; i++) {
        if (psst_link_call_state(p->a.link) == PSST_CALL_ACTIVE) (void)talk_frame(&talk, &p->a);
        pair_pass(p, TALK_STEP_NS);
    }
}

/* He makes us pause again and again, and sends no frame: each pause only stops the clock of the 15 s, it does not set it back. */
static void paused__again_and_again__holds_no_dead_call(void **state)
{
    (void)state;
    struct pair *p = &pair;
    talk.ab = talk.ba = false;
    talk_for(&talk, SECONDS(1));
    unsigned read_s = 0;
    for (; psst_link_call_state(p->a.link) == PSST_CALL_ACTIVE && read_s < 60; read_s++) {
        psst_link_pause(p->a.link, p->now, true);
        speak_to_nobody(p);
        psst_link_pause(p->a.link, p->now, false);
        speak_to_nobody(p);
    }
    assert_in_range(read_s, 14, 16);
    assert_int_equal(p->a.last[PSST_EV_CALL].call.kind, PSST_CALL_KIND_HANGUP);
    assert_true(p->a.last[PSST_EV_CALL].call.by_us);
    assert_true(psst_link_established(p->a.link));
}

/* Hardly anything is read any more: a minute without a frame is the end, read or not. */
static void paused__for_a_minute_without_a_frame__ends_the_call(void **state)
{
    (void)state;
    struct pair *p = &pair;
    talk.ab = talk.ba = false;
    talk_for(&talk, SECONDS(1));
    p->b_to_a = false;
    psst_link_pause(p->a.link, p->now, true);
    talk_for(&talk, SECONDS(60) - 2 * TALK_STEP_NS);
    assert_int_equal(psst_link_call_state(p->a.link), PSST_CALL_ACTIVE);
    talk_for(&talk, 4 * TALK_STEP_NS);
    assert_int_equal(psst_link_call_state(p->a.link), PSST_CALL_NONE);
    assert_true(psst_link_established(p->a.link)); /* which is the disk's, and not the call's */
}

/* A disk that takes nothing for minutes is no reason to hang up on somebody who is heard. */
static void paused__while_datagrams_come__goes_on(void **state)
{
    (void)state;
    struct pair *p = &pair;
    talk_for(&talk, SECONDS(1));
    p->b_to_a = false;
    psst_link_pause(p->a.link, p->now, true);
    talk_for(&talk, SECONDS(200));
    psst_link_pause(p->a.link, p->now, false);
    p->b_to_a = true;
    talk_for(&talk, SECONDS(5));
    assert_int_equal(psst_link_call_state(p->a.link), PSST_CALL_ACTIVE);
    assert_int_equal(p->a.count[PSST_EV_CALL], 0);
}

int main(void)
{
#define LINE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        LINE_TEST(way__while_udp_gets_through__is_udp),
        LINE_TEST(way__while_udp_is_blocked__is_tcp_with_probes),
        LINE_TEST(way__when_udp_comes_and_goes__follows),
        LINE_TEST(way__when_udp_is_blocked_one_way__is_different_for_each),
        LINE_TEST(way__of_the_next_call__begins_with_both),
        LINE_TEST(silence__of_two_seconds__is_told_and_asked_about),
        LINE_TEST(silence__broken_by_a_datagram__is_told_at_once),
        LINE_TEST(nothing__for_twelve_seconds__is_the_end),
        LINE_TEST(tcp__dead_while_udp_lives__ends_after_25_seconds),
        LINE_TEST(tcp__back_in_time__goes_on),
        LINE_TEST(frames__missing_for_15_seconds__end_the_call),
        LINE_TEST(paused__for_half_a_minute__is_nobodys_silence),
        LINE_TEST(paused__again_and_again__holds_no_dead_call),
        LINE_TEST(paused__for_a_minute_without_a_frame__ends_the_call),
        LINE_TEST(paused__while_datagrams_come__goes_on),
    };
    if (psst_crypto_init(0) != PSST_OK) return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
