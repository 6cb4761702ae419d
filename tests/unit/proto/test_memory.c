/* The Nth allocation fails, for every N, through a whole life of two links: no crash, no leak, and each end is told. */
#include "pair.h"
#include "support/failing_malloc.h"

static void send_bulk(struct pair *p)
{
    struct psst_span place;
    struct psst_msg_id id = {{1}};
    for (int i = 0; i < 3; i++) {
        if (psst_link_file_data_begin(p->a.link, &place) != PSST_OK) return;
        memset(place.data, i, place.len);
        (void)!psst_link_file_data_commit(p->a.link, p->now, &id, 0, place.len);
    }
}

static void talk(struct pair *p)
{
    uint8_t datagram[PSST_DATAGRAM_HEAD_LEN + PSST_CALL_FRAME_MAX + PSST_TAG_LEN];
    size_t len = 0;
    (void)!psst_link_call_offer(p->a.link, p->now, 100);
    pair_settle(p);
    (void)!psst_link_call_accept(p->b.link, p->now);
    pair_settle(p);
    (void)!psst_link_voice(p->a.link, p->now, 0, psst_view_str("opus"), datagram, &len);
    pair_settle(p);
    (void)!psst_link_call_hangup(p->b.link, p->now, PSST_CALL_HUNG_UP);
}

/* Everything that takes memory. */
static void live(struct pair *p)
{
    static char body[5000];
    memset(body, 'b', sizeof body - 1);
    p->a.tolerant = p->b.tolerant = true;
    p->a.piece = 100;
    p->b.piece = 1000;
    pair_pass(p, PSST_M4_DELAY_NS);
    for (uint64_t i = 0; i < 40; i++) (void)!pair_say(p, &p->a, i, i % 10 ? "x" : body);
    (void)!pair_say(p, &p->b, 1, body);
    pair_settle(p);
    send_bulk(p);
    pair_settle(p);
    if (psst_link_established(p->a.link)) p->a.link->session.timers.keys_bytes = PSST_REKEY_BYTES;
    pair_settle(p);
    (void)!pair_say(p, &p->b, 2, "after the rekey");
    pair_settle(p);
    talk(p);
    psst_link_bye(p->a.link, p->now, PSST_BYE_CLOSED);
    pair_settle(p);
}

static bool told(const struct pair_end *e)
{
    return e->count[PSST_EV_FAILED] == 1 ||
           (e->count[PSST_EV_ENDED] == 1 && e->last[PSST_EV_ENDED].end == PSST_END_MEMORY);
}

static void nth_allocation_fails__in_a_session__each_end_is_told(void **state)
{
    (void)state;
    unsigned n = 0;
    bool failed;
    do {
        struct pair p;
        pair_init(&p);
        failing_malloc_at(++n);
        live(&p);
        failed = failing_malloc_stop();
        if (failed && !told(&p.a) && !told(&p.b)) fail_msg("allocation %u failed and nobody was told", n);
        /* whoever is still there ends like on any other day */
        psst_link_eof(p.a.link);
        psst_link_eof(p.b.link);
        pair_pass(&p, PSST_VOID_MAX_NS);
        assert_int_equal(p.a.count[PSST_EV_ENDED], 1);
        assert_int_equal(p.b.count[PSST_EV_ENDED], 1);
        pair_fini(&p);
    } while (failed);
    assert_true(n > 16); /* there was something to fail */
}

static void nth_allocation_fails__in_a_call_or_accept__is_an_error(void **state)
{
    (void)state;
    struct pair p;
    pair_init(&p);
    bool more = true;
    for (unsigned n = 1; more; n++) {
        struct psst_link *link = NULL;
        failing_malloc_at(n);
        enum psst_err err = psst_link_call(&link, &p.a.config, p.a.contact, NULL, p.now);
        bool failed = more = failing_malloc_stop();
        if (failed) assert_true(err == PSST_ERR_MEMORY || err == PSST_ERR_INTERNAL);
        if (failed) assert_null(link);
        psst_link_free(link);
        link = NULL;
        failing_malloc_at(n);
        err = psst_link_accept(&link, &p.b.config, p.now);
        failed = failing_malloc_stop();
        more |= failed;
        if (failed) assert_int_equal(err, PSST_ERR_MEMORY);
        if (failed) assert_null(link);
        psst_link_free(link);
    }
    pair_fini(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nth_allocation_fails__in_a_session__each_end_is_told),
        cmocka_unit_test(nth_allocation_fails__in_a_call_or_accept__is_an_error),
    };
    if (psst_crypto_init(0) != PSST_OK) return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
