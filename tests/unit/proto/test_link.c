/* A link's life around its session: the handshake's questions and failures, the void, the streams. */
#include "pair.h"

static struct pair pair;

static int set_up(void **state)
{
    (void)state;
    pair_init(&pair);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    pair_fini(&pair);
    return 0;
}

/* ---- it works ---- */

static void handshake__establishes__both(void **state)
{
    (void)state;
    struct pair *p = &pair;
    pair_establish(p);
    assert_memory_equal(p->a.last[PSST_EV_ESTABLISHED].fpr.b, psst_rsa_public_fpr(p->b.config.self)->b, 32);
    assert_memory_equal(p->b.last[PSST_EV_ESTABLISHED].fpr.b, psst_rsa_public_fpr(p->a.config.self)->b, 32);
    assert_int_equal(p->b.count[PSST_EV_ADMIT], 1);
    assert_int_equal(p->b.last[PSST_EV_ADMIT].day, p->now.unix_ms / 86400000);
    assert_int_equal(p->b.count[PSST_EV_CONTACT], 1);
    assert_int_equal(p->a.bytes_out, PSST_M1_LEN + PSST_M3_LEN + PSST_M5_LEN);
    assert_int_equal(p->b.bytes_out, PSST_M2_LEN + PSST_M4_LEN);
    assert_true(psst_view_equal(psst_link_peer_features(p->a.link), p->b.config.features));
    assert_true(psst_view_equal(psst_link_peer_features(p->b.link), p->a.config.features));
    assert_int_equal(psst_link_role(p->a.link), PSST_CALLER);
    assert_int_equal(psst_link_role(p->b.link), PSST_CALLEE);
}

static void handshake__byte_by_byte__is_the_same(void **state)
{
    (void)state;
    struct pair *p = &pair;
    p->a.piece = p->b.piece = 1;
    pair_establish(p);
    assert_int_equal(pair_say(p, &p->a, 1, "one byte at a time"), PSST_OK);
    pair_settle(p);
    assert_string_equal(p->b.text, "one byte at a time");
}

static void m4__leaves__five_milliseconds_after_m3(void **state)
{
    (void)state;
    struct pair *p = &pair;
    pair_settle(p);
    uint64_t m3_ns = p->now.mono_ns;
    assert_int_equal(p->b.count[PSST_EV_CONTACT], 1);
    assert_int_equal(p->b.bytes_out, PSST_M2_LEN);
    assert_int_equal(psst_link_deadline(p->b.link), m3_ns + PSST_M4_DELAY_NS);
    pair_pass(p, PSST_M4_DELAY_NS - 1);
    assert_int_equal(p->b.bytes_out, PSST_M2_LEN);
    pair_pass(p, 1);
    assert_int_equal(p->b.bytes_out, PSST_M2_LEN + PSST_M4_LEN);
}

static void m4__answered_late__leaves_with_the_next_beat(void **state)
{
    (void)state;
    struct pair *p = &pair;
    p->b.contact_late = true;
    pair_settle(p);
    assert_int_equal(p->b.count[PSST_EV_CONTACT], 1);
    pair_pass(p, 2 * PSST_M4_DELAY_NS + 1);
    psst_link_contact(p->b.link, p->b.contact, NULL);
    pair_pass(p, PSST_M4_DELAY_NS - 2);
    assert_int_equal(p->b.bytes_out, PSST_M2_LEN);
    pair_pass(p, 1);
    assert_int_equal(p->b.bytes_out, PSST_M2_LEN + PSST_M4_LEN);
    assert_true(psst_link_established(p->a.link));
}

static void times__tell__when_each_message_was(void **state)
{
    (void)state;
    struct pair *p = &pair;
    uint64_t begin = p->now.mono_ns;
    pair_establish(p);
    const struct psst_duplicate_session *a = psst_link_times(p->a.link), *b = psst_link_times(p->b.link);
    assert_int_equal(a->m1_at_ns, begin);
    assert_int_equal(b->m1_at_ns, begin);
    assert_int_equal(a->m2_at_ns, begin);
    assert_int_equal(b->m2_at_ns, begin);
    assert_int_equal(a->completed_at_ns, begin + PSST_M4_DELAY_NS);
    assert_int_equal(b->completed_at_ns, begin + PSST_M4_DELAY_NS);
    assert_false(a->opened_record);
    assert_int_equal(pair_say(p, &p->b, 1, "hello"), PSST_OK);
    pair_settle(p);
    assert_true(a->opened_record);
}

static void records__right_behind_m5__are_read(void **state)
{
    (void)state;
    struct pair *p = &pair;
    p->a_to_b = true;
    pair_settle(p);
    p->a_to_b = false; /* M5 stays in the output, and a text joins it */
    pair_pass(p, PSST_M4_DELAY_NS);
    assert_true(psst_link_established(p->a.link));
    assert_false(psst_link_established(p->b.link));
    assert_int_equal(pair_say(p, &p->a, 1, "at once"), PSST_OK);
    p->a_to_b = true;
    pair_settle(p);
    assert_true(psst_link_established(p->b.link));
    assert_string_equal(p->b.text, "at once");
}

/* ---- it fails: the callee ---- */

/* Nothing more comes out of b, and it ends at one moment between 20 and 40 s after accepting. */
static void assert_void(struct pair *p, uint64_t accepted_ns, size_t bytes_out)
{
    struct pair_end *b = &p->b;
    assert_int_equal(b->count[PSST_EV_FAILED], 1);
    assert_int_equal(b->count[PSST_EV_ENDED], 0);
    uint64_t end_ns = psst_link_deadline(b->link);
    assert_true(end_ns >= accepted_ns + PSST_VOID_MIN_NS && end_ns <= accepted_ns + PSST_VOID_MAX_NS);
    pair_pass(p, end_ns - p->now.mono_ns - 1);
    assert_int_equal(b->count[PSST_EV_ENDED], 0);
    pair_pass(p, 1);
    pair_assert_ended(b, PSST_END_VOID_OVER);
    assert_int_equal(b->count[PSST_EV_FAILED], 1);
    assert_int_equal(b->count[PSST_EV_ESTABLISHED], 0);
    assert_int_equal(b->bytes_out, bytes_out);
    assert_int_equal(psst_link_output(b->link).len, 0);
    assert_int_equal(psst_link_deadline(b->link), PSST_NEVER);
}

static void callee__noise__goes_into_the_void(void **state)
{
    (void)state;
    struct pair *p = &pair;
    uint8_t noise[PSST_M1_LEN] = {1, 2, 3};
    p->a_to_b = false;
    pair_inject(p, &p->b, noise, sizeof noise);
    assert_int_equal(p->b.count[PSST_EV_ADMIT], 0);
    assert_void(p, p->now.mono_ns, 0);
}

static void callee__silence__fails_after_ten_seconds(void **state)
{
    (void)state;
    struct pair *p = &pair;
    uint64_t accepted_ns = p->now.mono_ns;
    p->a_to_b = false;
    pair_inject(p, &p->b, "GET / HTTP/1.1\r\n", 16);
    pair_pass(p, PSST_HANDSHAKE_DEADLINE_NS - 1);
    assert_int_equal(p->b.count[PSST_EV_FAILED], 0);
    pair_pass(p, 1);
    assert_void(p, accepted_ns, 0);
    pair_assert_ended(&p->a, PSST_END_NO_ANSWER);
}

static void callee__not_admitted__goes_into_the_void(void **state)
{
    (void)state;
    struct pair *p = &pair;
    p->b.admit = false;
    pair_settle(p);
    assert_int_equal(p->b.count[PSST_EV_DECAPSULATE], 0);
    assert_void(p, p->now.mono_ns, 0);
    pair_assert_ended(&p->a, PSST_END_NO_ANSWER);
}

static void callee__failed_decapsulation__goes_into_the_void(void **state)
{
    (void)state;
    struct pair *p = &pair;
    p->b.decapsulates = false;
    pair_settle(p);
    assert_void(p, p->now.mono_ns, 0);
}

static void callee__end_of_stream__keeps_to_the_void_moment(void **state)
{
    (void)state;
    struct pair *p = &pair;
    psst_link_eof(p->b.link);
    p->a_to_b = false;
    pair_settle(p);
    assert_void(p, p->now.mono_ns, 0);
}

static void callee__questions_left_open__answers_too_late_are_harmless(void **state)
{
    (void)state;
    struct pair *p = &pair;
    struct psst_kem_secret secret = {{1}};
    uint64_t accepted_ns = p->now.mono_ns;
    p->b.leave_open = true;
    pair_settle(p);
    assert_int_equal(p->b.count[PSST_EV_ADMIT], 1);
    psst_link_decapsulated(p->b.link, &secret); /* nobody asked */
    psst_link_contact(p->b.link, p->b.contact, NULL);
    pair_settle(p);
    psst_link_admit(p->b.link, true);
    pair_settle(p);
    assert_int_equal(p->b.count[PSST_EV_DECAPSULATE], 1);
    pair_pass(p, PSST_HANDSHAKE_DEADLINE_NS);
    assert_int_equal(p->b.count[PSST_EV_FAILED], 1);
    psst_link_decapsulated(p->b.link, &secret);
    psst_link_contact(p->b.link, p->b.contact, NULL);
    psst_link_admit(p->b.link, true);
    assert_void(p, accepted_ns, 0);
}

static void callee__void__swallows_64_kib_and_no_more(void **state)
{
    (void)state;
    struct pair *p = &pair;
    static uint8_t noise[PSST_VOID_BYTES];
    p->a_to_b = false;
    pair_inject(p, &p->b, noise, PSST_M1_LEN);
    assert_int_equal(p->b.count[PSST_EV_FAILED], 1);
    assert_true(psst_link_wants_input(p->b.link));
    pair_inject(p, &p->b, noise, PSST_VOID_BYTES - 1);
    assert_true(psst_link_wants_input(p->b.link));
    pair_inject(p, &p->b, noise, 1);
    assert_false(psst_link_wants_input(p->b.link));
    pair_inject(p, &p->b, noise, sizeof noise); /* a driver that does not listen does no harm */
    assert_void(p, p->now.mono_ns, 0);
}

static void callee__what_came_with_the_failure__counts_as_swallowed(void **state)
{
    (void)state;
    struct pair *p = &pair;
    static uint8_t noise[PSST_VOID_BYTES];
    p->a_to_b = false;
    pair_inject(p, &p->b, noise, PSST_M1_LEN + 30000);
    pair_inject(p, &p->b, noise, PSST_VOID_BYTES - 30000 - 1);
    assert_true(psst_link_wants_input(p->b.link));
    pair_inject(p, &p->b, noise, 1);
    assert_false(psst_link_wants_input(p->b.link));
}

static void callee__void_moment__is_random(void **state)
{
    (void)state;
    struct pair *p = &pair;
    uint64_t least = UINT64_MAX, most = 0;
    for (int i = 0; i < 300; i++) {
        struct psst_link *link = NULL;
        assert_int_equal(psst_link_accept(&link, &p->b.config, p->now), PSST_OK);
        if (link->void_ns < least) least = link->void_ns;
        if (link->void_ns > most) most = link->void_ns;
        psst_link_free(link);
    }
    assert_true(least >= p->now.mono_ns + PSST_VOID_MIN_NS &&
                least < p->now.mono_ns + PSST_VOID_MIN_NS + PSST_SECOND_NS);
    assert_true(most <= p->now.mono_ns + PSST_VOID_MAX_NS && most > p->now.mono_ns + PSST_VOID_MAX_NS - PSST_SECOND_NS);
}

static void callee__bytes_before_they_are_due__fail(void **state)
{
    (void)state;
    struct pair *p = &pair;
    struct psst_view m1 = psst_link_output(p->a.link);
    uint8_t both[PSST_M1_LEN + 1] = {0};
    memcpy(both, m1.data, m1.len);
    p->a_to_b = false;
    pair_inject(p, &p->b, both, sizeof both);
    assert_int_equal(p->b.count[PSST_EV_ADMIT], 1); /* the replay cache has seen it nevertheless */
    assert_int_equal(p->b.count[PSST_EV_DECAPSULATE], 0);
    assert_void(p, p->now.mono_ns, 0);
}

static void callee__question_open__wants_no_input(void **state)
{
    (void)state;
    struct pair *p = &pair;
    p->b.leave_open = true;
    assert_true(psst_link_wants_input(p->b.link));
    pair_settle(p);
    assert_false(psst_link_wants_input(p->b.link));
}

/* ---- it fails: the caller ---- */

static void caller__unknown_to_the_callee__is_not_added(void **state)
{
    (void)state;
    struct pair *p = &pair;
    uint64_t accepted_ns = p->now.mono_ns;
    psst_rsa_public_free(p->b.contact);
    p->b.contact = NULL;
    pair_pass(p, PSST_M4_DELAY_NS);
    pair_assert_ended(&p->a, PSST_END_NOT_ADDED);
    /* M4 went out all the same, at its time */
    assert_int_equal(p->b.bytes_out, PSST_M2_LEN + PSST_M4_LEN);
    psst_link_eof(p->b.link);
    pair_settle(p);
    assert_void(p, accepted_ns, PSST_M2_LEN + PSST_M4_LEN);
}

static void caller__of_one_who_is_silent__gets_not_a_byte_after_m2(void **state)
{
    (void)state;
    struct pair *p = &pair;
    uint64_t accepted_ns = p->now.mono_ns;
    p->b.contact_late = true;
    pair_settle(p);
    psst_link_silent(p->b.link);
    psst_link_contact(p->b.link, p->b.contact, &p->b.psk); /* it has been answered */
    pair_pass(p, PSST_HANDSHAKE_DEADLINE_NS);
    pair_assert_ended(&p->a, PSST_END_CUT_OFF); /* and not: not added */
    assert_int_equal(p->b.count[PSST_EV_FAILED], 1);
    psst_link_eof(p->b.link);
    pair_settle(p);
    assert_void(p, accepted_ns, PSST_M2_LEN);
}

static void silence__where_nothing_was_asked__is_ignored(void **state)
{
    (void)state;
    struct pair *p = &pair;
    psst_link_silent(p->a.link);
    psst_link_silent(p->b.link);
    pair_establish(p);
    psst_link_silent(p->b.link);
    pair_settle(p);
    assert_true(psst_link_established(p->b.link));
}

static void caller__other_pair_secret__is_not_added(void **state)
{
    (void)state;
    struct pair *p = &pair;
    p->b.psk.b[0] = 1;
    pair_pass(p, PSST_M4_DELAY_NS);
    pair_assert_ended(&p->a, PSST_END_NOT_ADDED);
}

static void caller__end_of_stream_before_m2__has_no_answer(void **state)
{
    (void)state;
    struct pair *p = &pair;
    p->b_to_a = false;
    pair_settle(p);
    psst_link_eof(p->a.link);
    pair_settle(p);
    pair_assert_ended(&p->a, PSST_END_NO_ANSWER);
}

static void caller__wrong_m2__has_no_answer(void **state)
{
    (void)state;
    struct pair *p = &pair;
    uint8_t m2[PSST_M2_LEN] = {9};
    p->a_to_b = false;
    pair_inject(p, &p->a, m2, sizeof m2);
    pair_assert_ended(&p->a, PSST_END_NO_ANSWER);
}

static void caller__silence_or_end_after_m2__is_cut_off(void **state)
{
    (void)state;
    for (int eof = 0; eof < 2; eof++) {
        struct pair *p = &pair;
        pair_settle(p); /* M2 came, M3 left, M4 is held */
        p->b_to_a = false;
        if (eof) psst_link_eof(p->a.link);
        pair_pass(p, PSST_HANDSHAKE_DEADLINE_NS);
        pair_assert_ended(&p->a, PSST_END_CUT_OFF);
        pair_fini(p);
        pair_init(p);
    }
}

static void caller__changed_m4__is_tampered_or_not_added(void **state)
{
    (void)state;
    const size_t offsets[] = {0, PSST_M4A_LEN - 1, PSST_M4A_LEN, PSST_M4_LEN - 1};
    for (size_t i = 0; i < 4; i++) {
        struct pair *p = &pair;
        pair_settle(p);
        p->b_to_a = false;
        pair_pass(p, PSST_M4_DELAY_NS);
        struct psst_view out = psst_link_output(p->b.link);
        uint8_t m4[PSST_M4_LEN];
        assert_int_equal(out.len, sizeof m4);
        memcpy(m4, out.data, sizeof m4);
        m4[offsets[i]] ^= 4;
        pair_inject(p, &p->a, m4, sizeof m4);
        pair_assert_ended(&p->a, offsets[i] < PSST_M4A_LEN ? PSST_END_TAMPERED : PSST_END_NOT_ADDED);
        pair_fini(p);
        pair_init(p);
    }
}

static void caller__hangs_up_while_dialling__is_closed(void **state)
{
    (void)state;
    struct pair *p = &pair;
    psst_link_bye(p->a.link, p->now, PSST_BYE_CLOSED);
    assert_int_equal(psst_link_deadline(p->a.link), 0);
    pair_settle(p);
    pair_assert_ended(&p->a, PSST_END_CLOSED);
}

static void call__to_oneself__refused(void **state)
{
    (void)state;
    struct pair *p = &pair;
    struct psst_link *link = NULL;
    struct psst_rsa_public *self = vectors_public_key("a1024");
    assert_int_equal(psst_link_call(&link, &p->a.config, self, NULL, p->now), PSST_ERR_USAGE);
    assert_null(link);
    psst_rsa_public_free(self);
}

/* ---- before there is a session ---- */

static void sending__before_the_session__is_refused(void **state)
{
    (void)state;
    struct pair *p = &pair;
    struct psst_msg_id id = {{1}};
    struct psst_file_chunk file = {.kind = PSST_FILE_ACCEPT};
    struct psst_span place;
    assert_int_equal(pair_say(p, &p->a, 1, "x"), PSST_ERR_USAGE);
    assert_int_equal(psst_link_ack(p->a.link, p->now, &id), PSST_ERR_USAGE);
    assert_int_equal(psst_link_not_accepted(p->a.link, p->now, &id, 1), PSST_ERR_USAGE);
    assert_int_equal(psst_link_file(p->a.link, p->now, &file), PSST_ERR_USAGE);
    assert_int_equal(psst_link_file_data_begin(p->a.link, &place), PSST_ERR_USAGE);
    assert_int_equal(psst_link_file_data_commit(p->a.link, p->now, &id, 0, 0), PSST_ERR_USAGE);
    assert_int_equal(psst_link_counters(p->a.link).bytes_out, 0);
}

static void size__idle_link__is_small(void **state)
{
    (void)state;
    struct pair *p = &pair;
    pair_establish(p);
    struct psst_link *link = p->a.link;
    assert_true(sizeof *link + link->features_len <= 1228); /* 1.2 KiB */
    assert_null(link->opening);
    assert_null(link->in.own.data);
    assert_null(link->out.buf.data);
    assert_null(link->session.rekey);
    assert_null(link->session.texts.slots);
    assert_null(link->session.acks.data);
}

int main(void)
{
#define LINK_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        LINK_TEST(handshake__establishes__both),
        LINK_TEST(handshake__byte_by_byte__is_the_same),
        LINK_TEST(m4__leaves__five_milliseconds_after_m3),
        LINK_TEST(m4__answered_late__leaves_with_the_next_beat),
        LINK_TEST(times__tell__when_each_message_was),
        LINK_TEST(records__right_behind_m5__are_read),
        LINK_TEST(callee__noise__goes_into_the_void),
        LINK_TEST(callee__silence__fails_after_ten_seconds),
        LINK_TEST(callee__not_admitted__goes_into_the_void),
        LINK_TEST(callee__failed_decapsulation__goes_into_the_void),
        LINK_TEST(callee__end_of_stream__keeps_to_the_void_moment),
        LINK_TEST(callee__questions_left_open__answers_too_late_are_harmless),
        LINK_TEST(callee__void__swallows_64_kib_and_no_more),
        LINK_TEST(callee__what_came_with_the_failure__counts_as_swallowed),
        LINK_TEST(callee__void_moment__is_random),
        LINK_TEST(callee__bytes_before_they_are_due__fail),
        LINK_TEST(callee__question_open__wants_no_input),
        LINK_TEST(caller__unknown_to_the_callee__is_not_added),
        LINK_TEST(caller__of_one_who_is_silent__gets_not_a_byte_after_m2),
        LINK_TEST(silence__where_nothing_was_asked__is_ignored),
        LINK_TEST(caller__other_pair_secret__is_not_added),
        LINK_TEST(caller__end_of_stream_before_m2__has_no_answer),
        LINK_TEST(caller__wrong_m2__has_no_answer),
        LINK_TEST(caller__silence_or_end_after_m2__is_cut_off),
        LINK_TEST(caller__changed_m4__is_tampered_or_not_added),
        LINK_TEST(caller__hangs_up_while_dialling__is_closed),
        LINK_TEST(call__to_oneself__refused),
        LINK_TEST(sending__before_the_session__is_refused),
        LINK_TEST(size__idle_link__is_small),
    };
    if (psst_crypto_init(0) != PSST_OK) return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
