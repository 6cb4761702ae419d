/* Voice of an active call: datagrams and their keys, `v` chunks, what is dropped. The ways and the line: test_voice_line.c. */
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

static uint64_t counter_of(const struct talk_datagram *d)
{
    return psst_load_u64(d->data + 4);
}

/* ---- datagrams ---- */

static void datagram__both_ways__is_taken_once(void **state)
{
    (void)state;
    struct pair *p = &pair;
    struct pair_end *ends[] = {&p->a, &p->b};
    for (size_t i = 0; i < 2; i++) {
        struct pair_end *to = pair_other(p, ends[i]);
        for (uint64_t n = 0; n < 3; n++) {
            struct talk_datagram d = talk_frame(&talk, ends[i]);
            assert_int_equal(psst_load_u32(d.data), psst_link_call_receiver_id(to->link));
            assert_int_equal(counter_of(&d), n);
            assert_int_equal(talk_take(p, ends[i], &d), PSST_ERR_AUTH); /* back to who sent it */
            assert_int_equal(talk_take(p, to, &d), PSST_OK);
            assert_int_equal(talk_take(p, to, &d), PSST_ERR_AUTH);
        }
    }
}

static void datagram__out_of_order__is_taken_within_the_window(void **state)
{
    (void)state;
    struct pair *p = &pair;
    static struct talk_datagram sent[PSST_REPLAY_WINDOW + 2];
    size_t n = sizeof sent / sizeof sent[0];
    for (size_t i = 0; i < n; i++) {
        sent[i] = talk_frame(&talk, &p->a);
        pair_settle(p);
    }
    assert_int_equal(talk_take(p, &p->b, &sent[n - 1]), PSST_OK);
    assert_int_equal(talk_take(p, &p->b, &sent[0]), PSST_ERR_AUTH); /* too old */
    assert_int_equal(talk_take(p, &p->b, &sent[1]), PSST_ERR_AUTH);
    assert_int_equal(talk_take(p, &p->b, &sent[2]), PSST_OK);
    assert_int_equal(talk_take(p, &p->b, &sent[n - 2]), PSST_OK);
    assert_int_equal(talk_take(p, &p->b, &sent[2]), PSST_ERR_AUTH);
}

static void datagram__changed_anywhere__is_nothing(void **state)
{
    (void)state;
    struct pair *p = &pair;
    struct talk_datagram good = talk_frame(&talk, &p->a);
    for (size_t bit = 0; bit < 8 * good.len; bit += 5) {
        struct talk_datagram bad = good;
        bad.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(talk_take(p, &p->b, &bad), PSST_ERR_AUTH);
    }
    for (size_t len = 0; len < good.len; len++) {
        struct talk_datagram bad = good;
        bad.len = len;
        assert_int_equal(talk_take(p, &p->b, &bad), PSST_ERR_AUTH);
    }
    struct talk_datagram longer = good;
    longer.len++;
    assert_int_equal(talk_take(p, &p->b, &longer), PSST_ERR_AUTH);
    assert_int_equal(p->b.link->session.call->datagram_ns, PSST_NEVER);
    assert_int_equal(talk_take(p, &p->b, &good), PSST_OK);
}

/* Sealed by him, and no frame all the same. */
static void datagram__with_a_bad_frame__is_dropped(void **state)
{
    (void)state;
    struct pair *p = &pair;
    const struct psst_session *a = &p->a.link->session;
    const struct {
        uint8_t opus_len, last;
        enum psst_err err;
    } cases[] = {
        {TALK_FRAME - 7, 0, PSST_OK},
        {TALK_FRAME - 7 + 1, 0, PSST_ERR_AUTH},
        {3, 1, PSST_ERR_AUTH},
        {0, 0, PSST_OK},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct talk_datagram d = {.len = TALK_DATAGRAM};
        struct psst_voice_frame out;
        uint8_t frame[TALK_FRAME] = {0}, opened[PSST_CALL_FRAME_MAX];
        frame[6] = cases[i].opus_len;
        frame[TALK_FRAME - 1] = cases[i].last;
        assert_int_equal(
            psst_datagram_seal(d.data, &a->v_ab, a->call->their_id, 50 + i, psst_view(frame, sizeof frame)), PSST_OK);
        assert_int_equal(psst_link_datagram(p->b.link, p->now, psst_view(d.data, d.len), opened, &out), cases[i].err);
        if (cases[i].err == PSST_OK) assert_int_equal(out.opus.len, cases[i].opus_len);
    }
    assert_int_equal(p->b.link->session.call->dropped, 2);
}

static void datagram__too_many__are_dropped(void **state)
{
    (void)state;
    struct pair *p = &pair;
    size_t taken = 0;
    for (size_t i = 0; i < 300; i++) {
        struct talk_datagram d = talk_frame(&talk, &p->a);
        if (talk_take(p, &p->b, &d) == PSST_OK) taken++;
    }
    assert_int_equal(taken, 100);
    p->now.mono_ns += PSST_SECOND_NS;
    struct talk_datagram d = talk_frame(&talk, &p->a);
    assert_int_equal(talk_take(p, &p->b, &d), PSST_OK);
}

static void datagram__outside_of_a_call__is_nothing(void **state)
{
    (void)state;
    struct pair *p = &pair;
    uint8_t place[2000];
    size_t len = 7;
    struct talk_datagram d = talk_frame(&talk, &p->a);
    assert_int_equal(psst_link_call_hangup(p->a.link, p->now, 1), PSST_OK);
    pair_settle(p);
    assert_int_equal(talk_take(p, &p->b, &d), PSST_ERR_AUTH);
    assert_int_equal(psst_link_voice(p->a.link, p->now, 0, psst_view_str("x"), place, &len), PSST_ERR_USAGE);
    assert_int_equal(len, 0);
    assert_int_equal(psst_link_call_offer(p->a.link, p->now, TALK_FRAME), PSST_OK);
    pair_settle(p);
    /* it rings: the microphone is closed, and nothing is heard */
    assert_int_equal(psst_link_voice(p->a.link, p->now, 0, psst_view_str("x"), place, &len), PSST_ERR_USAGE);
    assert_int_equal(psst_link_voice(p->b.link, p->now, 0, psst_view_str("x"), place, &len), PSST_ERR_USAGE);
    assert_int_equal(talk_take(p, &p->b, &d), PSST_ERR_AUTH);
}

static void frame__too_long__is_refused(void **state)
{
    (void)state;
    uint8_t place[2000], opus[TALK_FRAME] = {1};
    size_t len = 7;
    assert_int_equal(psst_link_voice(pair.a.link, pair.now, 0, psst_view(opus, TALK_FRAME - 6), place, &len),
                     PSST_ERR_TOO_LONG);
    assert_int_equal(len, 0);
    assert_int_equal(psst_link_voice(pair.a.link, pair.now, 0, psst_view(opus, TALK_FRAME - 7), place, &len), PSST_OK);
}

/* ---- from call to call ---- */

static void counters__from_call_to_call__go_on(void **state)
{
    (void)state;
    struct pair *p = &pair;
    struct talk_datagram first = talk_frame(&talk, &p->a), missed = talk_frame(&talk, &p->a);
    assert_int_equal(talk_take(p, &p->b, &first), PSST_OK);
    assert_int_equal(psst_link_call_hangup(p->b.link, p->now, 1), PSST_OK);
    pair_settle(p);
    talk_begin(&talk, p);
    assert_int_equal(talk_take(p, &p->b, &first), PSST_ERR_AUTH); /* not even in the next call */
    struct talk_datagram third = talk_frame(&talk, &p->a);
    assert_int_equal(counter_of(&third), 2);
    assert_int_equal(talk_take(p, &p->b, &third), PSST_OK);
    (void)missed;
}

/* ---- rekeys ---- */

static void rekey__during_a_call__changes_the_key_and_takes_the_old_for_two_seconds(void **state)
{
    (void)state;
    struct pair *p = &pair;
    struct pair_end *ends[] = {&p->a, &p->b};
    struct talk_datagram old[2][4];
    for (size_t i = 0; i < 2; i++)
        for (size_t k = 0; k < 4; k++) {
            old[i][k] = talk_frame(&talk, ends[i]);
            pair_settle(p);
        }
    assert_int_equal(talk_take(p, &p->b, &old[0][0]), PSST_OK);
    talk_age_keys(p);
    pair_settle(p);
    assert_int_equal(p->a.count[PSST_EV_REKEYED], 1);
    assert_int_equal(p->b.count[PSST_EV_REKEYED], 1);
    for (size_t i = 0; i < 2; i++) {
        struct pair_end *to = pair_other(p, ends[i]);
        struct talk_datagram d = talk_frame(&talk, ends[i]);
        assert_int_equal(counter_of(&d), UINT64_C(1) << 56);
        assert_int_equal(talk_take(p, to, &d), PSST_OK);
        assert_int_equal(talk_take(p, to, &d), PSST_ERR_AUTH);
        assert_int_equal(talk_take(p, to, &old[i][1]), PSST_OK);
        assert_int_equal(talk_take(p, to, &old[i][1]), PSST_ERR_AUTH);
        assert_int_equal(talk_take(p, to, &old[i][0]),
                         i == 0 ? PSST_ERR_AUTH : PSST_OK); /* the window of the old key */
    }
    pair_pass(p, 2 * PSST_SECOND_NS - 1);
    for (size_t i = 0; i < 2; i++) assert_int_equal(talk_take(p, pair_other(p, ends[i]), &old[i][2]), PSST_OK);
    p->now.mono_ns++; /* over, even if nobody has looked at the clock yet */
    for (size_t i = 0; i < 2; i++) assert_int_equal(talk_take(p, pair_other(p, ends[i]), &old[i][3]), PSST_ERR_AUTH);
    pair_settle(p);
    static const struct psst_aead_key none;
    for (size_t i = 0; i < 2; i++) {
        struct psst_session_call *call = ends[i]->link->session.call;
        assert_int_equal(talk_take(p, pair_other(p, ends[i]), &old[i][3]), PSST_ERR_AUTH);
        assert_memory_equal(call->old.key.b, none.b, sizeof none.b); /* erased, and not only out of use */
        assert_false(call->old.used);
    }
}

/* R3 is stuck; datagrams under the new key are not. */
static void rekey__overtaken_by_datagrams__loses_none(void **state)
{
    (void)state;
    struct pair *p = &pair;
    p->a.leave_open = true;
    talk_age_keys(p);
    pair_settle(p);
    assert_int_equal(p->a.count[PSST_EV_DECAPSULATE], 1);
    p->a_to_b = false;
    struct psst_kem_secret secret;
    assert_int_equal(psst_kem_decapsulate(p->a.key, "z", p->a.x, &secret), PSST_OK);
    psst_link_decapsulated(p->a.link, &secret);
    pair_settle(p);
    assert_int_equal(p->a.count[PSST_EV_REKEYED], 1);
    assert_int_equal(p->b.count[PSST_EV_REKEYED], 0);
    struct talk_datagram mine = talk_frame(&talk, &p->a), theirs = talk_frame(&talk, &p->b);
    assert_int_equal(counter_of(&mine), UINT64_C(1) << 56);
    assert_int_equal(counter_of(&theirs), 0); /* b has not opened R3 */
    assert_int_equal(talk_take(p, &p->b, &mine), PSST_OK);
    assert_int_equal(talk_take(p, &p->a, &theirs), PSST_OK);
    struct talk_datagram next = talk_frame(&talk, &p->a);
    p->a_to_b = true;
    pair_settle(p);
    assert_int_equal(p->b.count[PSST_EV_REKEYED], 1);
    assert_int_equal(talk_take(p, &p->b, &mine), PSST_ERR_AUTH); /* its window has come along */
    assert_int_equal(talk_take(p, &p->b, &next), PSST_OK);
}

static void rekey__number_256__begins_again_with_0(void **state)
{
    (void)state;
    struct pair *p = &pair;
    p->a.link->session.counters.rekeys = p->b.link->session.counters.rekeys = 255;
    psst_session_voice_init(&p->a.link->session);
    psst_session_voice_init(&p->b.link->session);
    struct talk_datagram d = talk_frame(&talk, &p->a);
    assert_int_equal(counter_of(&d), UINT64_C(0xff) << 56);
    assert_int_equal(talk_take(p, &p->b, &d), PSST_OK);
    talk_age_keys(p);
    pair_settle(p);
    d = talk_frame(&talk, &p->a);
    assert_int_equal(counter_of(&d), 0);
    assert_int_equal(talk_take(p, &p->b, &d), PSST_OK);
}

/* The call comes after the rekey, and a session that had none before knows nothing of old keys. */
static void rekey__before_the_first_call__counts(void **state)
{
    struct pair *p = &pair;
    tear_down(state);
    pair_init(p);
    pair_establish(p);
    talk_age_keys(p);
    pair_settle(p);
    talk_begin(&talk, p);
    struct talk_datagram d = talk_frame(&talk, &p->b);
    assert_int_equal(counter_of(&d), UINT64_C(1) << 56);
    assert_int_equal(talk_take(p, &p->a, &d), PSST_OK);
    assert_false(p->a.link->session.call->old.used);
}

/* ---- by TCP ---- */

static void chunk__in_a_call__is_a_frame_of_one_size(void **state)
{
    (void)state;
    struct pair *p = &pair;
    const char *words[] = {"", "a", "something longer"};
    for (size_t i = 0; i < 3; i++) {
        uint8_t place[2000];
        size_t len = 0, before = psst_link_output(p->a.link).len;
        assert_int_equal(psst_link_voice(p->a.link, p->now, 12345, psst_view_str(words[i]), place, &len), PSST_OK);
        assert_int_equal(psst_link_output(p->a.link).len - before,
                         PSST_RECORD_HEAD_LEN + PSST_CHUNK_HEAD_LEN + TALK_FRAME + PSST_TAG_LEN);
        pair_settle(p);
        assert_int_equal(p->b.count[PSST_EV_VOICE], i + 1);
        assert_int_equal(p->b.last[PSST_EV_VOICE].voice.timestamp_samples, 12345);
        assert_true(psst_view_equal(p->b.last[PSST_EV_VOICE].voice.opus, psst_view_str(words[i])));
    }
}

static void chunk__malformed_or_too_many__is_dropped(void **state)
{
    (void)state;
    struct pair *p = &pair;
    uint8_t frame[TALK_FRAME + 1] = {0};
    pair_send_chunk(p, &p->a, PSST_CHUNK_VOICE, frame, TALK_FRAME - 1);
    pair_send_chunk(p, &p->a, PSST_CHUNK_VOICE, frame, TALK_FRAME + 1);
    frame[TALK_FRAME - 1] = 1;
    pair_send_chunk(p, &p->a, PSST_CHUNK_VOICE, frame, TALK_FRAME);
    pair_settle(p);
    assert_int_equal(p->b.count[PSST_EV_VOICE], 0);
    assert_int_equal(p->b.link->session.call->dropped, 3);
    frame[TALK_FRAME - 1] = 0;
    for (size_t i = 0; i < 150; i++) pair_send_chunk(p, &p->a, PSST_CHUNK_VOICE, frame, TALK_FRAME);
    pair_settle(p);
    assert_int_equal(p->b.count[PSST_EV_VOICE], 100);
    assert_true(psst_link_established(p->b.link));
    pair_pass(p, PSST_SECOND_NS);
    pair_send_chunk(p, &p->a, PSST_CHUNK_VOICE, frame, TALK_FRAME);
    pair_settle(p);
    assert_int_equal(p->b.count[PSST_EV_VOICE], 101);
    assert_int_equal(psst_link_call_hangup(p->b.link, p->now, 1), PSST_OK);
    pair_send_chunk(p, &p->a, PSST_CHUNK_VOICE, frame, TALK_FRAME);
    pair_settle(p);
    assert_int_equal(p->b.count[PSST_EV_VOICE], 101);
}

/* TCP takes nothing: no more than 200 ms of voice waits, and what is typed does not stand behind minutes of it. */
static void chunk__when_nothing_moves__is_not_queued(void **state)
{
    (void)state;
    struct pair *p = &pair;
    const size_t record = PSST_RECORD_HEAD_LEN + PSST_CHUNK_HEAD_LEN + TALK_FRAME + PSST_TAG_LEN;
    pair_settle(p);
    p->a_to_b = false;
    assert_int_equal(psst_link_output(p->a.link).len, 0);
    for (size_t i = 0; i < 100; i++) (void)talk_frame(&talk, &p->a);
    assert_int_equal(psst_link_output(p->a.link).len, 10 * record);
    assert_int_equal(pair_say(p, &p->a, 1, "a text among it"), PSST_OK);
    size_t with_text = psst_link_output(p->a.link).len;
    (void)talk_frame(&talk, &p->a);
    assert_int_equal(psst_link_output(p->a.link).len, with_text);
    psst_link_sent(p->a.link, 2 * record - 1); /* one has gone, the other almost */
    (void)talk_frame(&talk, &p->a);
    (void)talk_frame(&talk, &p->a);
    assert_int_equal(psst_link_output(p->a.link).len, with_text - (2 * record - 1) + record);
}

int main(void)
{
#define VOICE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        VOICE_TEST(datagram__both_ways__is_taken_once),
        VOICE_TEST(datagram__out_of_order__is_taken_within_the_window),
        VOICE_TEST(datagram__changed_anywhere__is_nothing),
        VOICE_TEST(datagram__with_a_bad_frame__is_dropped),
        VOICE_TEST(datagram__too_many__are_dropped),
        VOICE_TEST(datagram__outside_of_a_call__is_nothing),
        VOICE_TEST(frame__too_long__is_refused),
        VOICE_TEST(counters__from_call_to_call__go_on),
        VOICE_TEST(rekey__during_a_call__changes_the_key_and_takes_the_old_for_two_seconds),
        VOICE_TEST(rekey__overtaken_by_datagrams__loses_none),
        VOICE_TEST(rekey__number_256__begins_again_with_0),
        VOICE_TEST(rekey__before_the_first_call__counts),
        VOICE_TEST(chunk__in_a_call__is_a_frame_of_one_size),
        VOICE_TEST(chunk__malformed_or_too_many__is_dropped),
        VOICE_TEST(chunk__when_nothing_moves__is_not_queued),
    };
    if (psst_crypto_init(0) != PSST_OK) return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
