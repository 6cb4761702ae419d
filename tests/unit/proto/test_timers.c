/* The policy of time: what is due when, event by event. Times in seconds after the beginning. */
#include "proto/timers.h"

#include "proto/link.h"
#include "support/check.h"
#include "support/det_rng.h"

#define S     PSST_SECOND_NS
#define BEGIN (1000 * S)

static struct det_rng rng_state;
static struct psst_rng rng;
static struct psst_timers t;

static int set_up(void **state)
{
    (void)state;
    rng_state = det_rng(3);
    rng = det_rng_of(&rng_state);
    psst_timers_begin(&t, PSST_CALLER, &rng, BEGIN);
    return 0;
}

/* Nothing is due up to a nanosecond before, and then this. */
static void assert_due(uint64_t at_ns, enum psst_due due)
{
    assert_int_equal(psst_timers_deadline(&t), at_ns);
    assert_int_equal(psst_timers_due(&t, at_ns - 1), PSST_DUE_NOTHING);
    assert_int_equal(psst_timers_due(&t, at_ns), due);
}

static void ping(uint64_t at_ns)
{
    assert_due(at_ns, PSST_DUE_PING);
    psst_timers_on_ping_sent(&t, &rng, at_ns);
}

static void idle__pings_at_random__until_dead(void **state)
{
    (void)state;
    uint64_t first = psst_timers_deadline(&t);
    assert_true(first >= BEGIN + 10 * S && first <= BEGIN + 15 * S);
    ping(first);
    uint64_t second = psst_timers_deadline(&t);
    assert_true(second == BEGIN + 25 * S || (second >= first + 10 * S && second <= first + 15 * S));
    if (second < BEGIN + 25 * S) ping(second);
    assert_due(BEGIN + 25 * S, PSST_DUE_DEAD);
}

static void intervals__spread__over_10_to_15_seconds(void **state)
{
    (void)state;
    uint64_t least = UINT64_MAX, most = 0;
    for (int i = 0; i < 1000; i++) {
        psst_timers_on_ping_sent(&t, &rng, BEGIN);
        psst_timers_on_received(&t, BEGIN, 290);
        uint64_t at = psst_timers_deadline(&t) - BEGIN;
        if (at < least) least = at;
        if (at > most) most = at;
    }
    assert_true(least >= 10 * S && least < 10 * S + S / 10);
    assert_true(most <= 15 * S && most > 15 * S - S / 10);
}

static void heard__puts_off__everything(void **state)
{
    (void)state;
    uint64_t interval = psst_timers_deadline(&t) - BEGIN;
    psst_timers_on_received(&t, BEGIN + 9 * S, 290);
    assert_due(BEGIN + 9 * S + interval, PSST_DUE_PING);
}

static void text_waiting__pings_every_4_seconds__dead_after_12(void **state)
{
    (void)state;
    uint64_t said = BEGIN + 5 * S;
    psst_timers_on_received(&t, said, 290);
    psst_timers_on_text_waiting(&t, said);
    psst_timers_on_text_waiting(&t, said + S); /* the oldest counts */
    ping(said + 4 * S);
    ping(said + 8 * S);
    assert_int_equal(psst_timers_due(&t, said + 12 * S - 1), PSST_DUE_NOTHING);
    assert_int_equal(psst_timers_due(&t, said + 12 * S), PSST_DUE_DEAD);
    psst_timers_on_received(&t, said + 11 * S, 290);
    assert_int_equal(psst_timers_due(&t, said + 12 * S), PSST_DUE_NOTHING);
    psst_timers_on_text_done(&t);
    assert_true(psst_timers_deadline(&t) >= said + 21 * S);
}

static void output_waiting__is_dead_after_12__unless_it_moves(void **state)
{
    (void)state;
    psst_timers_on_output(&t, BEGIN);
    ping(BEGIN + 4 * S);
    psst_timers_on_output_moved(&t, BEGIN + 6 * S, true);
    psst_timers_on_text_waiting(&t, BEGIN + S);
    assert_int_equal(psst_timers_due(&t, BEGIN + 18 * S - 1), PSST_DUE_PING);
    assert_int_equal(psst_timers_due(&t, BEGIN + 18 * S), PSST_DUE_DEAD);
    psst_timers_on_text_done(&t);
    psst_timers_on_output_moved(&t, BEGIN + 7 * S, false); /* all gone */
    assert_int_equal(psst_timers_due(&t, BEGIN + 24 * S), PSST_DUE_PING);
    assert_int_equal(psst_timers_due(&t, BEGIN + 25 * S), PSST_DUE_DEAD);
}

static void data_heard__owes_a_sign_within_5_seconds(void **state)
{
    (void)state;
    psst_timers_on_received(&t, BEGIN + S, 65536);
    psst_timers_on_data(&t, BEGIN + S);
    psst_timers_on_received(&t, BEGIN + 3 * S, 65536);
    psst_timers_on_data(&t, BEGIN + 3 * S);
    assert_due(BEGIN + 6 * S, PSST_DUE_PING);
    psst_timers_on_sent(&t, 290);
    assert_true(psst_timers_deadline(&t) >= BEGIN + 13 * S);
}

static void pongs__once_a_second(void **state)
{
    (void)state;
    assert_true(psst_timers_may_pong(&t, BEGIN));
    assert_false(psst_timers_may_pong(&t, BEGIN));
    assert_false(psst_timers_may_pong(&t, BEGIN + S - 1));
    assert_true(psst_timers_may_pong(&t, BEGIN + S));
}

static void paused__pings_every_4_seconds__dead_after_10_minutes(void **state)
{
    (void)state;
    psst_timers_on_paused(&t, BEGIN + S, true);
    psst_timers_on_paused(&t, BEGIN + 2 * S, true); /* said twice */
    uint64_t now = BEGIN + S;
    while (now < BEGIN + 597 * S) {
        assert_int_equal(psst_timers_due(&t, now + 4 * S - 1), PSST_DUE_NOTHING);
        now += 4 * S;
        assert_int_equal(psst_timers_due(&t, now), PSST_DUE_PING);
        psst_timers_on_ping_sent(&t, &rng, now);
    }
    assert_int_equal(psst_timers_due(&t, BEGIN + 601 * S), PSST_DUE_DEAD);
    psst_timers_on_paused(&t, BEGIN + 601 * S, false);
    assert_int_not_equal(psst_timers_due(&t, BEGIN + 601 * S), PSST_DUE_DEAD);
    assert_int_equal(psst_timers_due(&t, BEGIN + 626 * S), PSST_DUE_DEAD);
}

static void rtt__of_the_last_ping__once(void **state)
{
    (void)state;
    uint64_t rtt = 0;
    assert_false(psst_timers_on_pong(&t, BEGIN, &rtt));
    psst_timers_on_ping_sent(&t, &rng, BEGIN + S);
    assert_true(psst_timers_on_pong(&t, BEGIN + 3 * S, &rtt));
    assert_int_equal(rtt, 2 * S);
    assert_false(psst_timers_on_pong(&t, BEGIN + 3 * S, &rtt));
}

static void unanswered__is__since_when_nothing_is_heard_of_what_waits(void **state)
{
    (void)state;
    assert_int_equal(psst_timers_unanswered(&t), PSST_NEVER);
    psst_timers_on_text_waiting(&t, BEGIN + 3 * S);
    assert_int_equal(psst_timers_unanswered(&t), BEGIN + 3 * S);
    psst_timers_on_received(&t, BEGIN + 4 * S, 290); /* a sign of life, though not the answer */
    assert_int_equal(psst_timers_unanswered(&t), BEGIN + 4 * S);
    assert_int_equal(psst_timers_waiting(&t), BEGIN + 3 * S);
    psst_timers_on_text_done(&t);
    assert_int_equal(psst_timers_unanswered(&t), PSST_NEVER);
    assert_int_equal(psst_timers_waiting(&t), PSST_NEVER);
    /* a ping, and another one: the first counts */
    psst_timers_on_ping_sent(&t, &rng, BEGIN + 10 * S);
    psst_timers_on_ping_sent(&t, &rng, BEGIN + 12 * S);
    assert_int_equal(psst_timers_unanswered(&t), BEGIN + 10 * S);
    psst_timers_on_received(&t, BEGIN + 13 * S, 290);
    assert_int_equal(psst_timers_unanswered(&t), PSST_NEVER);
    /* output that moves is taken by somebody */
    psst_timers_on_output(&t, BEGIN + 14 * S);
    assert_int_equal(psst_timers_unanswered(&t), BEGIN + 14 * S);
    psst_timers_on_output_moved(&t, BEGIN + 16 * S, true);
    assert_int_equal(psst_timers_unanswered(&t), BEGIN + 16 * S);
    /* who does not read hears nothing */
    psst_timers_on_paused(&t, BEGIN + 17 * S, true);
    assert_int_equal(psst_timers_unanswered(&t), PSST_NEVER);
    psst_timers_on_paused(&t, BEGIN + 19 * S, false);
    assert_int_equal(psst_timers_unanswered(&t), BEGIN + 19 * S);
}

static void rekey__by_bytes_of_both_directions(void **state)
{
    (void)state;
    psst_timers_on_sent(&t, PSST_REKEY_BYTES / 2);
    psst_timers_on_received(&t, BEGIN, PSST_REKEY_BYTES / 2 - 1);
    assert_int_equal(psst_timers_due(&t, BEGIN), PSST_DUE_NOTHING);
    psst_timers_on_sent(&t, 1);
    assert_int_equal(psst_timers_due(&t, BEGIN), PSST_DUE_REKEY);
    assert_int_equal(psst_timers_deadline(&t), 0);
    psst_timers_on_rekey_begun(&t);
    assert_int_equal(psst_timers_due(&t, BEGIN), PSST_DUE_NOTHING);
    psst_timers_on_sent(&t, PSST_REKEY_BYTES);
    assert_int_equal(psst_timers_due(&t, BEGIN), PSST_DUE_REKEY_LATE);
    psst_timers_on_rekeyed(&t, BEGIN);
    assert_int_equal(psst_timers_due(&t, BEGIN), PSST_DUE_NOTHING);
}

static void rekey__by_time__is_the_callers_duty(void **state)
{
    (void)state;
    for (int caller = 0; caller < 2; caller++) {
        psst_timers_begin(&t, caller ? PSST_CALLER : PSST_CALLEE, &rng, BEGIN);
        psst_timers_on_received(&t, BEGIN + 900 * S, 290);
        assert_int_equal(psst_timers_due(&t, BEGIN + 900 * S - 1), PSST_DUE_NOTHING);
        assert_int_equal(psst_timers_due(&t, BEGIN + 900 * S), caller ? PSST_DUE_REKEY : PSST_DUE_NOTHING);
        psst_timers_on_rekey_begun(&t);
        psst_timers_on_received(&t, BEGIN + 1800 * S, 290);
        assert_int_equal(psst_timers_due(&t, BEGIN + 1800 * S - 1), PSST_DUE_NOTHING);
        assert_int_equal(psst_timers_due(&t, BEGIN + 1800 * S), PSST_DUE_REKEY_LATE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(idle__pings_at_random__until_dead, set_up),
        cmocka_unit_test_setup(intervals__spread__over_10_to_15_seconds, set_up),
        cmocka_unit_test_setup(heard__puts_off__everything, set_up),
        cmocka_unit_test_setup(text_waiting__pings_every_4_seconds__dead_after_12, set_up),
        cmocka_unit_test_setup(output_waiting__is_dead_after_12__unless_it_moves, set_up),
        cmocka_unit_test_setup(data_heard__owes_a_sign_within_5_seconds, set_up),
        cmocka_unit_test_setup(pongs__once_a_second, set_up),
        cmocka_unit_test_setup(paused__pings_every_4_seconds__dead_after_10_minutes, set_up),
        cmocka_unit_test_setup(rtt__of_the_last_ping__once, set_up),
        cmocka_unit_test_setup(unanswered__is__since_when_nothing_is_heard_of_what_waits, set_up),
        cmocka_unit_test_setup(rekey__by_bytes_of_both_directions, set_up),
        cmocka_unit_test_setup(rekey__by_time__is_the_callers_duty, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
