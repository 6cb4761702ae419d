/* `c` chunks that are malformed, too many, or of no call; and what we keep to ourselves so that others need not end the session. */
#include "pair.h"

#include "proto/call_internal.h"

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

static const char offer[] = "\1\1\2\3\4\0\144"; /* of frames of 100 bytes */

static void send(struct pair *p, const char *data, size_t len)
{
    pair_send_chunk(p, &p->b, PSST_CHUNK_CALL, data, len);
    pair_settle(p);
}

/* ---- the chunk ---- */

static void chunk__of_every_kind__is_read_as_written(void **state)
{
    (void)state;
    const struct {
        struct psst_call_chunk chunk;
        const char *data;
        size_t len;
    } cases[] = {
        {{.kind = PSST_CALL_KIND_OFFER, .receiver_id = 0x01020304, .frame_size = 100}, offer, 7},
        {{.kind = PSST_CALL_KIND_OFFER, .receiver_id = 1, .frame_size = 32}, "\1\0\0\0\1\0\40", 7},
        {{.kind = PSST_CALL_KIND_OFFER, .receiver_id = 1, .frame_size = 1200}, "\1\0\0\0\1\4\260", 7},
        {{.kind = PSST_CALL_KIND_RING}, "\2", 1},
        {{.kind = PSST_CALL_KIND_ACCEPT, .receiver_id = 0xfffefdfc}, "\3\377\376\375\374", 5},
        {{.kind = PSST_CALL_KIND_DECLINE, .reason = PSST_CALL_NO_VOICE}, "\4\3", 2},
        {{.kind = PSST_CALL_KIND_HANGUP, .reason = PSST_CALL_UNANSWERED}, "\5\2", 2},
        {{.kind = PSST_CALL_KIND_RECEIVING, .receiving = true}, "\6\1", 2},
        {{.kind = PSST_CALL_KIND_RECEIVING, .receiving = false}, "\6\0", 2},
        {{.kind = PSST_CALL_KIND_REPORT, .loss_256 = 200, .jitter_ms = 258, .delay_ms = 772}, "\7\310\1\2\3\4", 6},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct psst_buf out;
        psst_buf_init(&out, 64);
        psst_call_chunk_write(&out, &cases[i].chunk);
        assert_false(out.failed);
        assert_int_equal(out.len, PSST_CHUNK_HEAD_LEN + cases[i].len);
        assert_memory_equal(out.data + PSST_CHUNK_HEAD_LEN, cases[i].data, cases[i].len);
        struct psst_chunk chunk;
        struct psst_call_chunk got;
        assert_int_equal(psst_chunk_read(&chunk, psst_buf_view(&out)), PSST_OK);
        assert_int_equal(chunk.id, PSST_CHUNK_CALL);
        assert_int_equal(psst_call_chunk_read(&got, chunk.data), PSST_OK);
        assert_int_equal(got.kind, cases[i].chunk.kind);
        assert_int_equal(got.reason, cases[i].chunk.reason);
        assert_int_equal(got.receiver_id, cases[i].chunk.receiver_id);
        assert_int_equal(got.frame_size, cases[i].chunk.frame_size);
        assert_int_equal(got.receiving, cases[i].chunk.receiving);
        assert_int_equal(got.loss_256, cases[i].chunk.loss_256);
        assert_int_equal(got.jitter_ms, cases[i].chunk.jitter_ms);
        assert_int_equal(got.delay_ms, cases[i].chunk.delay_ms);
        psst_buf_fini(&out);
    }
}

static void chunk__with_an_unknown_reason__is_read_as_the_first(void **state)
{
    (void)state;
    struct psst_call_chunk got;
    assert_int_equal(psst_call_chunk_read(&got, psst_view("\4\0", 2)), PSST_OK);
    assert_int_equal(got.reason, 1);
    assert_int_equal(psst_call_chunk_read(&got, psst_view("\5\4", 2)), PSST_OK);
    assert_int_equal(got.reason, 1);
}

static void chunk__malformed__ends_the_session(void **state)
{
    const struct {
        const char *data;
        size_t len;
    } cases[] = {
        {"", 0},
        {"\0", 1},
        {"\10", 1},                /* no such kind */
        {"\1\1\2\3\4\0", 6},       /* cut short */
        {"\1\1\2\3\4\0\144\0", 8}, /* too long */
        {"\1\0\0\0\0\0\144", 7},   /* no receiver */
        {"\1\1\2\3\4\0\37", 7},    /* frames of 31 */
        {"\1\1\2\3\4\4\261", 7},   /* frames of 1201 */
        {"\2\0", 2},
        {"\3\1\2\3", 4},
        {"\3\0\0\0\0", 5},
        {"\4", 1},
        {"\5\1\1", 3},
        {"\6\2", 2},
        {"\7\1\2\3\4", 5},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        send(&pair, cases[i].data, cases[i].len);
        pair_assert_ended(&pair.a, PSST_END_TAMPERED);
        tear_down(state);
        set_up(state);
    }
    /* a writer writes no kind that is none */
    struct psst_buf out;
    psst_buf_init(&out, 64);
    psst_call_chunk_write(&out, &(struct psst_call_chunk){.kind = PSST_CALL_KIND_SILENCE});
    assert_true(out.failed);
    psst_buf_fini(&out);
}

/* ---- theirs, too many ---- */

static void call__never_had__costs_nothing(void **state)
{
    (void)state;
    struct pair *p = &pair;
    for (int i = 0; i < 64; i++) send(p, "\3\1\2\3\4", 5);
    assert_null(p->a.link->session.call); /* nothing is kept for it */
    assert_int_equal(p->a.count[PSST_EV_CALL], 0);
    assert_int_equal(psst_link_call_state(p->a.link), PSST_CALL_NONE);
    assert_true(psst_link_established(p->a.link));
    send(p, "\3\1\2\3\4", 5);
    pair_assert_ended(&p->a, PSST_END_TAMPERED);
}

static void offers__too_many__ring_six_times_a_minute(void **state)
{
    (void)state;
    struct pair *p = &pair;
    for (size_t minute = 1; minute <= 2; minute++) {
        for (size_t i = 0; i < 12; i++) {
            send(p, offer, 7);
            send(p, "\5\1", 2);
        }
        assert_int_equal(p->a.count[PSST_EV_CALL], minute * 12); /* six offers, six times hung up */
        assert_true(psst_link_established(p->a.link));
        pair_pass(p, 61 * PSST_SECOND_NS);
    }
}

static void chunks__too_many__end_the_session(void **state)
{
    (void)state;
    struct pair *p = &pair;
    for (int minute = 0; minute < 2; minute++) {
        for (size_t i = 0; i < 64; i++) send(p, offer, 7);
        assert_true(psst_link_established(p->a.link));
        assert_int_equal(p->a.count[PSST_EV_CALL], minute == 0 ? 1 : 3); /* and one that nobody has answered */
        pair_pass(p, 61 * PSST_SECOND_NS);
    }
    for (size_t i = 0; i < 65; i++) send(p, offer, 7);
    pair_assert_ended(&p->a, PSST_END_TAMPERED);
}

static void reports__too_many__end_the_session(void **state)
{
    (void)state;
    struct pair *p = &pair;
    send(p, offer, 7);
    assert_int_equal(psst_link_call_accept(p->a.link, p->now), PSST_OK);
    p->a_to_b = false;
    for (size_t i = 0; i < 120; i++) send(p, "\7\1\0\2\0\3", 6);
    assert_int_equal(p->a.count[PSST_EV_CALL], 121);
    assert_true(psst_link_established(p->a.link));
    send(p, "\7\1\0\2\0\3", 6);
    pair_assert_ended(&p->a, PSST_END_TAMPERED);
}

/* ---- ours ---- */

static void active(struct pair *p)
{
    assert_int_equal(psst_link_call_offer(p->a.link, p->now, 100), PSST_OK);
    pair_settle(p);
    assert_int_equal(psst_link_call_accept(p->b.link, p->now), PSST_OK);
    pair_settle(p);
    p->a.count[PSST_EV_CALL] = p->b.count[PSST_EV_CALL] = 0;
}

static void offers__of_ours__are_six_a_minute(void **state)
{
    (void)state;
    struct pair *p = &pair;
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(psst_link_call_offer(p->a.link, p->now, 100), PSST_OK);
        assert_int_equal(psst_link_call_hangup(p->a.link, p->now, 1), PSST_OK);
    }
    assert_int_equal(psst_link_call_offer(p->a.link, p->now, 100), PSST_ERR_AGAIN);
    assert_int_equal(psst_link_call_state(p->a.link), PSST_CALL_NONE);
    pair_pass(p, 60 * PSST_SECOND_NS);
    assert_int_equal(psst_link_call_offer(p->a.link, p->now, 100), PSST_OK);
}

static void offers__of_ours__keep_to_the_sizes(void **state)
{
    (void)state;
    struct pair *p = &pair;
    assert_int_equal(psst_link_call_offer(p->a.link, p->now, 31), PSST_ERR_USAGE);
    assert_int_equal(psst_link_call_offer(p->a.link, p->now, 1201), PSST_ERR_USAGE);
    assert_int_equal(psst_link_call_offer(p->a.link, p->now, 1200), PSST_OK);
    assert_int_equal(psst_link_call_hangup(p->a.link, p->now, 0), PSST_ERR_USAGE);
    assert_int_equal(psst_link_call_hangup(p->a.link, p->now, 4), PSST_ERR_USAGE);
    assert_int_equal(psst_link_call_hangup(p->a.link, p->now, 3), PSST_OK);
}

static void reports__of_ours__are_one_a_second(void **state)
{
    (void)state;
    struct pair *p = &pair;
    active(p);
    for (size_t i = 0; i < 30; i++) {
        assert_int_equal(psst_link_call_report(p->a.link, p->now, 10, 20, 30), PSST_OK);
        pair_pass(p, PSST_SECOND_NS / 10);
    }
    assert_int_equal(p->b.last[PSST_EV_CALL].call.delay_ms, 30);
    assert_int_equal(p->b.count[PSST_EV_CALL], 3 + 0);
}

/* The user plays with the switch: the other side hears what holds in the end, and not more often than every three seconds. */
static void receiving__switched_often__says_the_last_word(void **state)
{
    (void)state;
    struct pair *p = &pair;
    active(p);
    for (size_t i = 0; i < 101; i++) assert_int_equal(psst_link_call_receiving(p->a.link, p->now, i % 2 == 1), PSST_OK);
    pair_settle(p);
    assert_int_equal(p->b.count[PSST_EV_CALL], 1);
    assert_false(p->b.last[PSST_EV_CALL].call.receiving);
    assert_int_equal(psst_link_call_receiving(p->a.link, p->now, true), PSST_OK);
    pair_pass(p, PSST_SECOND_NS);
    assert_int_equal(p->b.count[PSST_EV_CALL], 1);
    pair_pass(p, 2 * PSST_SECOND_NS + PSST_SECOND_NS / 2);
    assert_true(p->b.last[PSST_EV_CALL].call.kind == PSST_CALL_KIND_RECEIVING ||
                p->b.last[PSST_EV_CALL].call.kind == PSST_CALL_KIND_SILENCE);
    assert_true(p->b.link->session.call != NULL && p->a.link->session.call->said_receiving);
}

int main(void)
{
#define FLOOD_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        FLOOD_TEST(chunk__of_every_kind__is_read_as_written),
        FLOOD_TEST(chunk__with_an_unknown_reason__is_read_as_the_first),
        FLOOD_TEST(chunk__malformed__ends_the_session),
        FLOOD_TEST(call__never_had__costs_nothing),
        FLOOD_TEST(offers__too_many__ring_six_times_a_minute),
        FLOOD_TEST(chunks__too_many__end_the_session),
        FLOOD_TEST(reports__too_many__end_the_session),
        FLOOD_TEST(offers__of_ours__are_six_a_minute),
        FLOOD_TEST(offers__of_ours__keep_to_the_sizes),
        FLOOD_TEST(reports__of_ours__are_one_a_second),
        FLOOD_TEST(receiving__switched_often__says_the_last_word),
    };
    if (psst_crypto_init(0) != PSST_OK) return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
