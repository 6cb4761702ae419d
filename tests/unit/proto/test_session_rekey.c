/* Rekeys of two established links: when they happen, what they change, what may cross them, and what ends the session. */
#include "pair.h"

static struct pair pair;

static int set_up(void **state)
{
    (void)state;
    pair_init(&pair);
    pair_establish(&pair);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    pair_fini(&pair);
    return 0;
}

static void assert_talk(struct pair *p, uint64_t number)
{
    size_t a = p->a.count[PSST_EV_TEXT], b = p->b.count[PSST_EV_TEXT];
    assert_int_equal(pair_say(p, &p->a, number, "to b"), PSST_OK);
    assert_int_equal(pair_say(p, &p->b, number, "to a"), PSST_OK);
    pair_settle(p);
    assert_int_equal(p->a.count[PSST_EV_TEXT], a + 1);
    assert_int_equal(p->b.count[PSST_EV_TEXT], b + 1);
}

static void rekey__after_15_minutes__changes_all_keys(void **state)
{
    (void)state;
    struct pair *p = &pair;
    struct psst_session before = p->a.link->session;
    pair_pass(p, PSST_REKEY_NS - PSST_SECOND_NS);
    assert_int_equal(p->a.count[PSST_EV_REKEYED], 0);
    pair_pass(p, PSST_SECOND_NS);
    assert_int_equal(p->a.count[PSST_EV_REKEYED], 1);
    assert_int_equal(p->b.count[PSST_EV_REKEYED], 1);
    struct psst_session *a = &p->a.link->session, *b = &p->b.link->session;
    assert_memory_equal(a->out.key.b, b->in.key.b, 32);
    assert_memory_equal(a->in.key.b, b->out.key.b, 32);
    assert_memory_equal(a->v_ab.b, b->v_ab.b, 32);
    assert_memory_equal(a->v_ba.b, b->v_ba.b, 32);
    assert_memory_equal(a->rk.b, b->rk.b, 32);
    assert_memory_equal(a->hash.b, b->hash.b, 32);
    assert_int_equal(a->out.counter, b->in.counter);
    assert_memory_not_equal(a->out.key.b, before.out.key.b, 32);
    assert_memory_not_equal(a->in.key.b, before.in.key.b, 32);
    assert_memory_not_equal(a->v_ab.b, before.v_ab.b, 32);
    assert_memory_not_equal(a->rk.b, before.rk.b, 32);
    assert_memory_not_equal(a->hash.b, before.hash.b, 32);
    assert_null(a->rekey);
    assert_null(b->rekey);
    assert_talk(p, 1);
    pair_pass(p, 4 * PSST_REKEY_NS);
    assert_int_equal(psst_link_counters(p->a.link).rekeys, 5);
    assert_int_equal(psst_link_counters(p->b.link).rekeys, 5);
    assert_talk(p, 2);
}

static void rekey__after_2_to_the_30_bytes(void **state)
{
    (void)state;
    struct pair *p = &pair;
    p->a.link->session.timers.keys_bytes = PSST_REKEY_BYTES - 1000;
    p->b.link->session.timers.keys_bytes = PSST_REKEY_BYTES - 1000;
    assert_talk(p, 1);
    assert_int_equal(p->a.count[PSST_EV_REKEYED], 1); /* four records of 290 bytes */
    assert_int_equal(p->b.count[PSST_EV_REKEYED], 1);
    assert_true(p->a.link->session.timers.keys_bytes < 2000);
    assert_talk(p, 2);
}

static void rekey__question_open__sending_goes_on(void **state)
{
    (void)state;
    struct pair *p = &pair;
    pair_pass(p, PSST_REKEY_NS - PSST_SECOND_NS);
    p->b.leave_open = true;
    pair_pass(p, PSST_SECOND_NS);
    assert_int_equal(p->b.count[PSST_EV_DECAPSULATE], 2); /* the handshake's, and this one */
    assert_false(psst_link_wants_input(p->b.link));
    assert_int_equal(pair_say(p, &p->b, 1, "under the old key"), PSST_OK);
    pair_settle(p);
    assert_string_equal(p->a.text, "under the old key");
    assert_int_equal(pair_say(p, &p->a, 1, "waits"), PSST_OK);
    pair_settle(p);
    assert_int_equal(p->b.count[PSST_EV_TEXT], 0);
    struct psst_kem_secret secret;
    assert_int_equal(psst_kem_decapsulate(p->b.key, "z", p->b.x, &secret), PSST_OK);
    p->b.leave_open = false;
    psst_link_decapsulated(p->b.link, &secret);
    assert_int_equal(psst_link_deadline(p->b.link), 0);
    pair_settle(p);
    assert_string_equal(p->b.text, "waits");
    assert_int_equal(p->b.count[PSST_EV_REKEYED], 1);
    assert_talk(p, 2);
}

static void rekey__bye_and_end_behind_an_open_question__is_a_bye(void **state)
{
    (void)state;
    struct pair *p = &pair;
    p->b.leave_open = true;
    p->a.link->session.timers.keys_bytes = PSST_REKEY_BYTES;
    struct psst_event ev;
    psst_link_next(p->a.link, p->now, &ev);
    psst_link_bye(p->a.link, p->now, PSST_BYE_CLOSED);
    pair_settle(p);
    pair_assert_ended(&p->a, PSST_END_CLOSED);
    psst_link_eof(p->b.link);
    pair_settle(p);
    assert_int_equal(p->b.count[PSST_EV_ENDED], 0);
    struct psst_kem_secret secret;
    assert_int_equal(psst_kem_decapsulate(p->b.key, "z", p->b.x, &secret), PSST_OK);
    psst_link_decapsulated(p->b.link, &secret);
    pair_settle(p);
    pair_assert_ended(&p->b, PSST_END_BYE);
}

static void rekey__failed_decapsulation__ends(void **state)
{
    (void)state;
    struct pair *p = &pair;
    pair_pass(p, PSST_REKEY_NS - PSST_SECOND_NS);
    p->b.decapsulates = false;
    pair_pass(p, PSST_SECOND_NS);
    pair_assert_ended(&p->b, PSST_END_TAMPERED);
}

static void rekey__never_answered__ends_after_30_minutes(void **state)
{
    (void)state;
    struct pair *p = &pair;
    p->a.link->session.timers.rekeying = true; /* a caller that forgets its duty, and still talks */
    uint64_t begin = p->a.link->session.timers.keys_ns;
    pair_pass(p, begin + PSST_REKEY_LATEST_NS - p->now.mono_ns - 1);
    assert_int_equal(p->b.count[PSST_EV_ENDED], 0);
    pair_pass(p, 1);
    pair_assert_ended(&p->b, PSST_END_REKEY_LATE);
}

static void rekey__over_2_to_the_31_bytes__ends(void **state)
{
    (void)state;
    struct pair *p = &pair;
    p->b.link->session.timers.keys_bytes = PSST_REKEY_LATEST_BYTES - 100;
    assert_int_equal(pair_say(p, &p->a, 1, "one too many"), PSST_OK);
    pair_settle(p);
    assert_int_equal(p->b.count[PSST_EV_TEXT], 1);
    pair_assert_ended(&p->b, PSST_END_REKEY_LATE);
}

static void rekey__begun_by_the_callee_or_twice__ends(void **state)
{
    (void)state;
    uint8_t r[PSST_REKEY_LEN] = {7};
    struct pair *p = &pair;
    pair_send_chunk(p, &p->b, PSST_CHUNK_REKEY, r, sizeof r);
    pair_settle(p);
    pair_assert_ended(&p->a, PSST_END_TAMPERED);
    tear_down(NULL);
    set_up(NULL);
    p->b_to_a = false;
    pair_send_chunk(p, &p->a, PSST_CHUNK_REKEY, r, sizeof r);
    pair_send_chunk(p, &p->a, PSST_CHUNK_REKEY, r, sizeof r);
    pair_settle(p);
    pair_assert_ended(&p->b, PSST_END_TAMPERED);
}

static void rekey__flood__ends(void **state)
{
    (void)state;
    struct pair *p = &pair;
    for (int i = 0; i < 8; i++) {
        p->a.link->session.timers.keys_bytes = PSST_REKEY_BYTES;
        pair_settle(p);
        assert_int_equal(p->b.count[PSST_EV_REKEYED], i + 1);
    }
    p->a.link->session.timers.keys_bytes = PSST_REKEY_BYTES;
    pair_settle(p);
    pair_assert_ended(&p->b, PSST_END_TAMPERED);
}

int main(void)
{
#define SESSION_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        SESSION_TEST(rekey__after_15_minutes__changes_all_keys),
        SESSION_TEST(rekey__after_2_to_the_30_bytes),
        SESSION_TEST(rekey__question_open__sending_goes_on),
        SESSION_TEST(rekey__bye_and_end_behind_an_open_question__is_a_bye),
        SESSION_TEST(rekey__failed_decapsulation__ends),
        SESSION_TEST(rekey__never_answered__ends_after_30_minutes),
        SESSION_TEST(rekey__over_2_to_the_31_bytes__ends),
        SESSION_TEST(rekey__begun_by_the_callee_or_twice__ends),
        SESSION_TEST(rekey__flood__ends),
    };
    if (psst_crypto_init(0) != PSST_OK) return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
