/* The optional chunks of an established link: read receipts, presence, meetings, and those that nobody knows. What is too much
 * or malformed is skipped, and counted; in the end it costs the session. */
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

/* ---- read receipts ---- */

static void read__both_ways__arrives(void **state)
{
    (void)state;
    struct pair *p = &pair;
    struct pair_end *ends[] = {&p->a, &p->b};
    struct psst_msg_id ids[PSST_RECEIPT_IDS_MAX];
    for (size_t i = 0; i < PSST_RECEIPT_IDS_MAX; i++) memset(ids[i].b, (int)i, sizeof ids[i].b);
    for (size_t i = 0; i < 2; i++) {
        struct pair_end *to = pair_other(p, ends[i]);
        assert_int_equal(psst_link_read(ends[i]->link, p->now, ids, 0), PSST_ERR_USAGE);
        assert_int_equal(psst_link_read(ends[i]->link, p->now, ids, PSST_RECEIPT_IDS_MAX + 1), PSST_ERR_USAGE);
        assert_int_equal(psst_link_read(ends[i]->link, p->now, ids, PSST_RECEIPT_IDS_MAX), PSST_OK);
        pair_settle(p);
        assert_int_equal(to->count[PSST_EV_READ], 1);
        assert_int_equal(to->last[PSST_EV_READ].ids.len, sizeof ids);
        assert_memory_equal(to->ids, ids, sizeof ids);
    }
}

/* Optional, as all that is not known: skipped, and too much of it ends the session. */
static void read__malformed__is_skipped(void **state)
{
    (void)state;
    struct pair *p = &pair;
    static uint8_t data[16 * (PSST_RECEIPT_IDS_MAX + 1)];
    pair_send_chunk(p, &p->a, PSST_CHUNK_READ, data, 0);
    pair_send_chunk(p, &p->a, PSST_CHUNK_READ, data, 17);
    pair_send_chunk(p, &p->a, PSST_CHUNK_READ, data, sizeof data);
    pair_settle(p);
    assert_int_equal(p->b.count[PSST_EV_READ], 0);
    assert_true(psst_link_established(p->b.link));
}

static void read__floods__are_bounded(void **state)
{
    (void)state;
    struct pair *p = &pair;
    for (int minute = 0; minute < 2; minute++) {
        for (int i = 0; i < 64 + 64; i++) pair_send_chunk(p, &p->a, PSST_CHUNK_READ, "IDENTIFIER-OF-16", 16);
        pair_pass(p, 61 * PSST_SECOND_NS);
        assert_int_equal(p->b.count[PSST_EV_READ], 64 * (minute + 1));
        assert_true(psst_link_established(p->b.link));
    }
    for (int i = 0; i < 64 + 65; i++) pair_send_chunk(p, &p->a, PSST_CHUNK_READ, "IDENTIFIER-OF-16", 16);
    pair_settle(p);
    pair_assert_ended(&p->b, PSST_END_TAMPERED);
}

/* ---- presence and meetings ---- */

static void presence__both_ways__arrives(void **state)
{
    (void)state;
    struct pair *p = &pair;
    struct pair_end *ends[] = {&p->a, &p->b};
    char long_one[PSST_PRESENCE_MAX + 1] = {'x'};
    for (size_t i = 0; i < 2; i++) {
        const struct psst_presence_chunk away = {2, psst_view_str("back at three")};
        const struct psst_presence_chunk too_long = {2, psst_view(long_one, sizeof long_one)};
        struct pair_end *to = pair_other(p, ends[i]);
        assert_int_equal(psst_link_presence(ends[i]->link, p->now, &too_long), PSST_ERR_TOO_LONG);
        assert_int_equal(psst_link_presence(ends[i]->link, p->now, &away), PSST_OK);
        pair_settle(p);
        assert_int_equal(to->count[PSST_EV_PRESENCE], 1);
        assert_int_equal(to->last[PSST_EV_PRESENCE].presence.state, 2);
        assert_true(psst_view_equal(to->last[PSST_EV_PRESENCE].presence.utf8, away.utf8));
    }
}

static void meet__both_ways__is_acknowledged_and_waits_for_nobody(void **state)
{
    (void)state;
    struct pair *p = &pair;
    struct pair_end *ends[] = {&p->a, &p->b};
    const struct psst_meet_chunk meet = {.id = {{9}}, .time_ms = 12345};
    for (size_t i = 0; i < 2; i++) {
        struct pair_end *to = pair_other(p, ends[i]);
        assert_int_equal(psst_link_meet(ends[i]->link, p->now, &meet), PSST_OK);
        assert_int_equal(ends[i]->link->session.texts.count, 0); /* who does not know meetings never acknowledges */
        pair_settle(p);
        assert_int_equal(to->count[PSST_EV_MEET], 1);
        assert_int_equal(to->last[PSST_EV_MEET].meet.time_ms, 12345);
        assert_memory_equal(to->last[PSST_EV_MEET].meet.id.b, meet.id.b, sizeof meet.id.b);
        assert_int_equal(psst_link_ack(to->link, p->now, &meet.id), PSST_OK);
        pair_settle(p);
        assert_int_equal(ends[i]->count[PSST_EV_ACK], 1);
        assert_memory_equal(ends[i]->ids, meet.id.b, sizeof meet.id.b);
    }
}

static void presence_and_meet__malformed__are_skipped(void **state)
{
    (void)state;
    struct pair *p = &pair;
    char long_one[1 + PSST_PRESENCE_MAX + 1] = {1};
    pair_send_chunk(p, &p->a, PSST_CHUNK_PRESENCE, "", 0);
    pair_send_chunk(p, &p->a, PSST_CHUNK_PRESENCE, "\1\xc0", 2);
    pair_send_chunk(p, &p->a, PSST_CHUNK_PRESENCE, long_one, sizeof long_one);
    pair_send_chunk(p, &p->a, PSST_CHUNK_MEET, "an identifier...1234567", 23);
    pair_send_chunk(p, &p->a, PSST_CHUNK_MEET, "an identifier...123456789", 25);
    pair_settle(p);
    assert_int_equal(p->b.count[PSST_EV_PRESENCE] + p->b.count[PSST_EV_MEET], 0);
    assert_int_equal(p->b.link->session.unknown.count, 5);
    assert_true(psst_link_established(p->b.link));
}

/* Those beyond the limit are skipped like unknown ones, and counted like them. */
static void presence_and_meet__floods__are_bounded(void **state)
{
    (void)state;
    const struct {
        enum psst_event_type type;
        uint8_t id;
        const char *data;
        size_t len;
    } kinds[] = {{PSST_EV_PRESENCE, PSST_CHUNK_PRESENCE, "\2away", 5},
                 {PSST_EV_MEET, PSST_CHUNK_MEET, "an identifier...12345678", 24}};
    const size_t most = PSST_OPTIONAL_TAKEN_A_MINUTE;
    struct pair *p = &pair;
    for (size_t k = 0; k < 2; k++) {
        for (size_t i = 0; i < most + 64; i++) pair_send_chunk(p, &p->a, kinds[k].id, kinds[k].data, kinds[k].len);
        pair_pass(p, 61 * PSST_SECOND_NS);
        assert_int_equal(p->b.count[kinds[k].type], most);
        assert_true(psst_link_established(p->b.link));
    }
    for (size_t i = 0; i < most + 65; i++) pair_send_chunk(p, &p->a, kinds[1].id, kinds[1].data, kinds[1].len);
    pair_settle(p);
    pair_assert_ended(&p->b, PSST_END_TAMPERED);
}

/* ---- chunks that are not known ---- */

static void unknown__optional__64_a_minute(void **state)
{
    (void)state;
    struct pair *p = &pair;
    const uint8_t ids[] = {0x80, 0xf0, 0xe1, 0xff};
    for (int minute = 0; minute < 2; minute++) {
        for (size_t i = 0; i < 64; i++) pair_send_chunk(p, &p->a, ids[i % 4], "new", 3);
        pair_pass(p, 61 * PSST_SECOND_NS);
        assert_true(psst_link_established(p->b.link));
    }
    for (size_t i = 0; i < 65; i++) pair_send_chunk(p, &p->a, ids[i % 4], "new", 3);
    pair_settle(p);
    pair_assert_ended(&p->b, PSST_END_TAMPERED);
}

int main(void)
{
#define SESSION_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        SESSION_TEST(read__both_ways__arrives),
        SESSION_TEST(read__malformed__is_skipped),
        SESSION_TEST(read__floods__are_bounded),
        SESSION_TEST(presence__both_ways__arrives),
        SESSION_TEST(meet__both_ways__is_acknowledged_and_waits_for_nobody),
        SESSION_TEST(presence_and_meet__malformed__are_skipped),
        SESSION_TEST(presence_and_meet__floods__are_bounded),
        SESSION_TEST(unknown__optional__64_a_minute),
    };
    if (psst_crypto_init(0) != PSST_OK) return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
