/* What two established links do with each other: talk, files, signs of life, partings, and what ends them. */
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

/* ---- text ---- */

static void text__both_ways__arrives_and_is_acknowledged(void **state)
{
    (void)state;
    struct pair *p = &pair;
    struct pair_end *ends[] = {&p->a, &p->b};
    for (size_t i = 0; i < 2; i++) {
        struct pair_end *from = ends[i], *to = pair_other(p, from);
        assert_int_equal(pair_say(p, from, 7, "hello there"), PSST_OK);
        assert_int_equal(from->link->session.texts.count, 1);
        pair_settle(p);
        assert_int_equal(to->count[PSST_EV_TEXT], 1);
        assert_string_equal(to->text, "hello there");
        assert_int_equal(to->last[PSST_EV_TEXT].text.time_ms, p->now.unix_ms);
        assert_int_equal(from->count[PSST_EV_ACK], 1);
        assert_int_equal(from->last[PSST_EV_ACK].ids.len, 16);
        assert_memory_equal(from->ids, to->last[PSST_EV_TEXT].text.id.b, 16);
        assert_int_equal(from->link->session.texts.count, 0);
    }
}

static void acks__collected__go_out_in_one_chunk(void **state)
{
    (void)state;
    struct pair *p = &pair;
    for (uint64_t i = 0; i < 20; i++) assert_int_equal(pair_say(p, &p->a, i, "x"), PSST_OK);
    uint64_t before = psst_link_counters(p->b.link).records_out;
    pair_settle(p);
    assert_int_equal(p->b.count[PSST_EV_TEXT], 20);
    assert_int_equal(p->a.count[PSST_EV_ACK], 1);
    assert_int_equal(p->a.last[PSST_EV_ACK].ids.len, 20 * 16);
    assert_int_equal(psst_link_counters(p->b.link).records_out, before + 1);
}

static void text__longest__arrives(void **state)
{
    (void)state;
    struct pair *p = &pair;
    static char longest[PSST_TEXT_MAX + 2];
    memset(longest, 'y', PSST_TEXT_MAX + 1);
    assert_int_equal(pair_say(p, &p->a, 1, longest), PSST_ERR_TOO_LONG);
    assert_int_equal(pair_say(p, &p->a, 1, ""), PSST_ERR_USAGE);
    longest[PSST_TEXT_MAX] = '\0';
    assert_int_equal(pair_say(p, &p->a, 1, longest), PSST_OK);
    pair_settle(p);
    assert_string_equal(p->b.text, longest);
}

static void text__1024_unacknowledged__again(void **state)
{
    (void)state;
    struct pair *p = &pair;
    p->b.acks = false;
    for (uint64_t i = 0; i < 1024; i++) assert_int_equal(pair_say(p, &p->a, i, "x"), PSST_OK);
    assert_int_equal(pair_say(p, &p->a, 1024, "x"), PSST_ERR_AGAIN);
    pair_settle(p);
    assert_int_equal(pair_say(p, &p->a, 1024, "x"), PSST_ERR_AGAIN);
    struct psst_msg_id id = p->b.last[PSST_EV_TEXT].text.id;
    assert_int_equal(psst_link_ack(p->b.link, p->now, &id), PSST_OK);
    pair_settle(p);
    assert_int_equal(pair_say(p, &p->a, 1024, "x"), PSST_OK);
}

static void not_accepted__is_told_to_the_sender(void **state)
{
    (void)state;
    struct pair *p = &pair;
    p->b.acks = false;
    assert_int_equal(pair_say(p, &p->a, 5, "x"), PSST_OK);
    pair_settle(p);
    struct psst_msg_id id = p->b.last[PSST_EV_TEXT].text.id;
    assert_int_equal(psst_link_not_accepted(p->b.link, p->now, &id, PSST_NOT_ACCEPTED_DISK_FULL), PSST_OK);
    pair_settle(p);
    assert_int_equal(p->a.count[PSST_EV_NOT_ACCEPTED], 1);
    assert_memory_equal(p->a.last[PSST_EV_NOT_ACCEPTED].id.b, id.b, sizeof id.b);
    assert_int_equal(p->a.last[PSST_EV_NOT_ACCEPTED].reason, PSST_NOT_ACCEPTED_DISK_FULL);
    assert_int_equal(p->a.link->session.texts.count, 0);
}

static void text__malformed_with_an_id__is_refused_and_the_session_goes_on(void **state)
{
    (void)state;
    struct pair *p = &pair;
    pair_send_chunk(p, &p->a, PSST_CHUNK_TEXT, "IDENTIFIER-OF-16........\xff", 25);
    pair_settle(p);
    assert_int_equal(p->b.count[PSST_EV_TEXT], 0);
    assert_int_equal(p->a.count[PSST_EV_NOT_ACCEPTED], 1);
    assert_memory_equal(p->a.last[PSST_EV_NOT_ACCEPTED].id.b, "IDENTIFIER-OF-16", 16);
    assert_int_equal(p->a.last[PSST_EV_NOT_ACCEPTED].reason, PSST_NOT_ACCEPTED_MALFORMED);
    assert_true(psst_link_established(p->b.link));
}

static void ack_of_what_was_never_sent__harms_nothing_and_is_bounded(void **state)
{
    (void)state;
    struct pair *p = &pair;
    static uint8_t ids[PSST_CHUNK_DATA_MAX / 16 * 16];
    assert_int_equal(pair_say(p, &p->a, 1, "still waiting"), PSST_OK);
    p->b.acks = false;
    for (size_t i = 0; i < sizeof ids; i += 16) psst_store_u64(ids + i, 0xdead0000 + i);
    for (int i = 0; i < 10; i++) pair_send_chunk(p, &p->b, PSST_CHUNK_ACK, ids, sizeof ids);
    pair_settle(p);
    assert_true(psst_link_established(p->a.link));
    assert_int_equal(p->a.link->session.texts.count, 1);
    assert_true(p->a.count[PSST_EV_ACK] >= 1 && p->a.count[PSST_EV_ACK] <= 2);
    /* what was sent is still heard of */
    struct psst_msg_id id = p->b.last[PSST_EV_TEXT].text.id;
    assert_int_equal(psst_link_ack(p->b.link, p->now, &id), PSST_OK);
    size_t before = p->a.count[PSST_EV_ACK];
    pair_settle(p);
    assert_int_equal(p->a.count[PSST_EV_ACK], before + 1);
}

/* ---- files ---- */

static void file__data_in_place__arrives(void **state)
{
    (void)state;
    struct pair *p = &pair;
    const size_t lens[] = {1, 200, 300, 65472, PSST_FILE_DATA_MAX};
    const size_t bodies[] = {256, 256, 336, 65502, 65502};
    struct psst_msg_id id = {{0xaa}};
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        struct psst_span place = {0};
        uint64_t before = psst_link_counters(p->a.link).bytes_out;
        assert_int_equal(psst_link_file_data_begin(p->a.link, &place), PSST_OK);
        assert_int_equal(place.len, PSST_FILE_DATA_MAX);
        memset(place.data, (int)i + 1, lens[i]);
        assert_int_equal(psst_link_file_data_commit(p->a.link, p->now, &id, 1000 + i, lens[i]), PSST_OK);
        pair_settle(p);
        assert_int_equal(psst_link_counters(p->a.link).bytes_out - before, 34 + psst_record_padded_len(29 + lens[i]));
        assert_int_equal(psst_record_padded_len(29 + lens[i]), bodies[i]);
        assert_int_equal(p->b.count[PSST_EV_FILE], i + 1);
        const struct psst_file_chunk *f = &p->b.last[PSST_EV_FILE].file;
        assert_int_equal(f->kind, PSST_FILE_DATA);
        assert_memory_equal(f->id.b, id.b, sizeof id.b);
        assert_int_equal(f->offset, 1000 + i);
        assert_int_equal(f->data.len, lens[i]);
        for (size_t k = 0; k < lens[i]; k++) assert_int_equal(f->data.data[k], i + 1);
    }
}

static void file__place_given_back__leaves_nothing(void **state)
{
    (void)state;
    struct pair *p = &pair;
    struct psst_span place;
    struct psst_msg_id id = {{1}};
    assert_int_equal(psst_link_file_data_begin(p->a.link, &place), PSST_OK);
    assert_int_equal(pair_say(p, &p->a, 1, "in between"), PSST_ERR_USAGE);
    assert_int_equal(psst_link_file_data_commit(p->a.link, p->now, &id, 0, 0), PSST_OK);
    assert_int_equal(psst_link_output(p->a.link).len, 0);
    assert_int_equal(psst_link_file_data_commit(p->a.link, p->now, &id, 0, 5), PSST_ERR_USAGE);
    assert_int_equal(pair_say(p, &p->a, 1, "afterwards"), PSST_OK);
    pair_settle(p);
    assert_string_equal(p->b.text, "afterwards");
}

static void file__bulk_waiting__leaves_room_for_text(void **state)
{
    (void)state;
    struct pair *p = &pair;
    struct psst_span place;
    struct psst_msg_id id = {{1}};
    size_t records = 0;
    while (psst_link_file_data_begin(p->a.link, &place) == PSST_OK) {
        memset(place.data, 0, place.len);
        assert_int_equal(psst_link_file_data_commit(p->a.link, p->now, &id, records * place.len, place.len), PSST_OK);
        records++;
    }
    assert_int_equal(psst_link_file_data_begin(p->a.link, &place), PSST_ERR_AGAIN);
    assert_true(records == 5); /* 256 KiB, and the one over */
    assert_int_equal(pair_say(p, &p->a, 1, "not behind a gigabyte"), PSST_OK);
    pair_settle(p);
    assert_int_equal(p->b.count[PSST_EV_FILE], records);
    assert_string_equal(p->b.text, "not behind a gigabyte");
    assert_int_equal(psst_link_file_data_begin(p->a.link, &place), PSST_OK);
    assert_int_equal(psst_link_file_data_commit(p->a.link, p->now, &id, 0, 0), PSST_OK);
}

static void file__other_kinds__arrive(void **state)
{
    (void)state;
    struct pair *p = &pair;
    struct psst_file_chunk offer = {.kind = PSST_FILE_OFFER, .id = {{3}}, .size = 9, .name = psst_view("a.txt", 5)};
    assert_int_equal(psst_link_file(p->a.link, p->now, &offer), PSST_OK);
    pair_settle(p);
    assert_int_equal(p->b.last[PSST_EV_FILE].file.kind, PSST_FILE_OFFER);
    assert_true(psst_view_equal(p->b.last[PSST_EV_FILE].file.name, offer.name));
    struct psst_file_chunk data = {.kind = PSST_FILE_DATA, .data = psst_view("x", 1)};
    assert_int_equal(psst_link_file(p->a.link, p->now, &data), PSST_ERR_USAGE);
    data.kind = 9;
    assert_int_equal(psst_link_file(p->a.link, p->now, &data), PSST_ERR_USAGE);
    offer.name = psst_view(NULL, 0);
    assert_int_equal(psst_link_file(p->a.link, p->now, &offer), PSST_ERR_USAGE);
}

static void file__impossible_offer__is_declined_by_the_core(void **state)
{
    (void)state;
    struct pair *p = &pair;
    struct psst_file_chunk f = {.kind = PSST_FILE_OFFER, .id = {{3}}, .size = 9, .name = psst_view("a\0b", 3)};
    assert_int_equal(psst_link_file(p->a.link, p->now, &f), PSST_OK);
    pair_settle(p);
    assert_int_equal(p->b.count[PSST_EV_FILE], 0);
    assert_int_equal(p->a.last[PSST_EV_FILE].file.kind, PSST_FILE_DECLINE);
    assert_memory_equal(p->a.last[PSST_EV_FILE].file.id.b, f.id.b, sizeof f.id.b);

    f = (struct psst_file_chunk){.kind = PSST_FILE_DONE, .id = {{4}}, .size = UINT64_MAX};
    assert_int_equal(psst_link_file(p->a.link, p->now, &f), PSST_OK);
    pair_settle(p);
    assert_int_equal(p->b.last[PSST_EV_FILE].file.kind, PSST_FILE_CANCEL); /* both drop it */
    assert_int_equal(p->a.last[PSST_EV_FILE].file.kind, PSST_FILE_CANCEL);
    assert_true(psst_link_established(p->a.link) && psst_link_established(p->b.link));
}

static void buffers__after_bulk__are_freed_within_a_second(void **state)
{
    (void)state;
    struct pair *p = &pair;
    struct psst_span place;
    struct psst_msg_id id = {{1}};
    p->b.piece = 1000; /* so that the receiver needs a buffer of its own */
    for (int i = 0; i < 3; i++) {
        assert_int_equal(psst_link_file_data_begin(p->a.link, &place), PSST_OK);
        assert_int_equal(psst_link_file_data_commit(p->a.link, p->now, &id, 0, place.len), PSST_OK);
    }
    pair_settle(p);
    assert_non_null(p->a.link->out.buf.data); /* kept, for what usually follows */
    assert_non_null(p->b.link->in.own.data);
    pair_pass(p, PSST_SECOND_NS);
    assert_null(p->a.link->out.buf.data);
    assert_null(p->b.link->in.own.data);
}

static void output__over_the_limit__again(void **state)
{
    (void)state;
    struct pair *p = &pair;
    static char body[60001];
    memset(body, 'z', 60000);
    p->a_to_b = false;
    uint64_t i = 0;
    enum psst_err err = PSST_OK;
    for (; err == PSST_OK && i < 100; i++) err = pair_say(p, &p->a, i, body);
    assert_int_equal(err, PSST_ERR_AGAIN);
    size_t waiting = psst_link_output(p->a.link).len;
    assert_true(waiting > PSST_LINK_OUTPUT_MAX && waiting < PSST_LINK_OUTPUT_MAX + 2 * PSST_RECORD_MAX);
    struct psst_msg_id id = {{1}};
    assert_int_equal(psst_link_ack(p->a.link, p->now, &id), PSST_OK);
    assert_int_equal(psst_link_not_accepted(p->a.link, p->now, &id, 1), PSST_ERR_AGAIN);
    p->a_to_b = true;
    pair_settle(p);
    assert_int_equal(p->b.count[PSST_EV_TEXT], i - 1);
    assert_int_equal(pair_say(p, &p->a, 200, body), PSST_OK);
}

/* A peer that sends and never reads: what it sent is acknowledged to nobody, and then it is not read either. */
static void acks__for_one_who_does_not_read__hold_up_his_texts(void **state)
{
    (void)state;
    struct pair *p = &pair;
    static char body[60001];
    memset(body, 'z', 60000);
    p->b_to_a = false;
    for (uint64_t i = 0; psst_link_output(p->b.link).len <= PSST_LINK_OUTPUT_MAX; i++)
        assert_int_equal(pair_say(p, &p->b, i, body), PSST_OK);
    struct psst_msg_id id = {{0}};
    size_t acks = 0;
    for (; psst_link_wants_input(p->b.link) && acks < 100000; acks++) {
        psst_store_u64(id.b, acks);
        assert_int_equal(psst_link_ack(p->b.link, p->now, &id), PSST_OK);
        if (acks % 100 == 0) (void)psst_link_output(p->b.link);
    }
    assert_true(acks > PSST_TEXT_OUTSTANDING_MAX && acks < 30000);
    /* what was on its way when the socket was left alone still has room */
    for (size_t i = 0; i < 8192; i++) assert_int_equal(psst_link_ack(p->b.link, p->now, &id), PSST_OK);
    assert_true(psst_link_established(p->b.link));
    p->b_to_a = true;
    pair_settle(p);
    assert_true(psst_link_wants_input(p->b.link));
    assert_true(p->a.count[PSST_EV_ACK] > 0);
    assert_true(psst_link_established(p->a.link) && psst_link_established(p->b.link));
}

/* ---- signs of life ---- */

/* The disk of one takes half a minute over what it has: the other waits, and nobody takes anybody for dead. */
static void pause__of_our_own__is_nobodys_silence(void **state)
{
    (void)state;
    struct pair *p = &pair;
    p->a_to_b = false; /* b does not read */
    psst_link_pause(p->b.link, p->now, true);
    assert_int_equal(pair_say(p, &p->a, 1, "later"), PSST_OK);
    pair_pass(p, 60 * PSST_SECOND_NS);
    assert_int_equal(p->a.count[PSST_EV_ENDED] + p->b.count[PSST_EV_ENDED], 0);
    p->a_to_b = true;
    psst_link_pause(p->b.link, p->now, false);
    pair_pass(p, PSST_SECOND_NS);
    assert_string_equal(p->b.text, "later");
    p->a_to_b = p->b_to_a = false; /* after it silence counts again */
    pair_pass(p, PSST_DEAD_IDLE_NS);
    pair_assert_ended(&p->b, PSST_END_NO_PONG);
}

static void idle__pings_at_10_to_15_seconds__and_lives(void **state)
{
    (void)state;
    struct pair *p = &pair;
    pair_pass(p, PSST_PING_MIN_NS - PSST_SECOND_NS);
    assert_int_equal(psst_link_counters(p->a.link).records_out + psst_link_counters(p->b.link).records_out, 0);
    pair_pass(p, 600 * PSST_SECOND_NS);
    size_t pongs = p->a.count[PSST_EV_PONG] + p->b.count[PSST_EV_PONG];
    assert_true(pongs >= 600 / 15 && pongs <= 610 / 10);
    assert_int_equal(p->a.count[PSST_EV_ENDED] + p->b.count[PSST_EV_ENDED], 0);
}

static void pong__tells__the_time_it_took(void **state)
{
    (void)state;
    struct pair *p = &pair;
    p->b_to_a = false;
    pair_pass(p, PSST_PING_MAX_NS);
    uint64_t pinged_ns = p->a.link->session.timers.pinged_ns;
    assert_int_equal(p->a.count[PSST_EV_PONG], 0);
    p->b_to_a = true;
    pair_settle(p);
    assert_int_equal(p->a.count[PSST_EV_PONG], 1);
    assert_int_equal(p->a.last[PSST_EV_PONG].rtt_ns, p->now.mono_ns - pinged_ns);
}

static void silence__idle__is_noticed_after_25_seconds(void **state)
{
    (void)state;
    struct pair *p = &pair;
    p->a_to_b = p->b_to_a = false;
    /* our pings cannot leave: that is data waiting too, but only from the ping on */
    pair_pass(p, PSST_DEAD_IDLE_NS - 1);
    assert_int_equal(p->a.count[PSST_EV_ENDED], 0);
    pair_pass(p, 1);
    pair_assert_ended(&p->a, PSST_END_NO_PONG);
    pair_assert_ended(&p->b, PSST_END_NO_PONG);
}

static void silence__with_text_waiting__is_noticed_after_12_seconds(void **state)
{
    (void)state;
    struct pair *p = &pair;
    p->b_to_a = false;
    assert_int_equal(pair_say(p, &p->a, 1, "anybody there?"), PSST_OK);
    pair_pass(p, PSST_DEAD_WAITING_NS - 1);
    assert_int_equal(p->a.count[PSST_EV_ENDED], 0);
    pair_pass(p, 1);
    pair_assert_ended(&p->a, PSST_END_NO_PONG);
}

static void text__acknowledged__is_waited_for_no_longer(void **state)
{
    (void)state;
    struct pair *p = &pair;
    assert_int_equal(pair_say(p, &p->a, 1, "x"), PSST_OK);
    assert_int_equal(psst_link_deadline(p->a.link), p->now.mono_ns + 4 * PSST_SECOND_NS);
    pair_settle(p);
    assert_true(psst_link_deadline(p->a.link) >= p->now.mono_ns + PSST_PING_MIN_NS);
}

static void silence__with_output_waiting__is_noticed_after_12_seconds(void **state)
{
    (void)state;
    struct pair *p = &pair;
    struct psst_file_chunk accept = {.kind = PSST_FILE_ACCEPT};
    p->a_to_b = false;
    pair_pass(p, 5 * PSST_SECOND_NS);
    assert_int_equal(psst_link_file(p->a.link, p->now, &accept), PSST_OK);
    p->b_to_a = false;
    pair_pass(p, PSST_DEAD_WAITING_NS - 1);
    assert_int_equal(p->a.count[PSST_EV_ENDED], 0);
    pair_pass(p, 1);
    pair_assert_ended(&p->a, PSST_END_NO_PONG);
}

static void slow_store__answers_pings__and_lives(void **state)
{
    (void)state;
    struct pair *p = &pair;
    p->b.acks = false; /* its disk takes a minute */
    assert_int_equal(pair_say(p, &p->a, 1, "patience"), PSST_OK);
    pair_pass(p, 60 * PSST_SECOND_NS);
    assert_true(psst_link_established(p->a.link));
    assert_true(p->a.count[PSST_EV_PONG] >= 14);
}

static void ping_flood__answered_once_a_second(void **state)
{
    (void)state;
    struct pair *p = &pair;
    uint64_t before = psst_link_counters(p->b.link).records_out;
    for (int second = 0; second < 3; second++) {
        for (int i = 0; i < 100; i++) pair_send_chunk(p, &p->a, PSST_CHUNK_PING, "floodfld", 8);
        pair_pass(p, PSST_SECOND_NS);
    }
    assert_int_equal(psst_link_counters(p->b.link).records_out - before, 3);
    assert_true(psst_link_established(p->b.link));
}

static void pong__nobody_asked_for__is_ignored(void **state)
{
    (void)state;
    struct pair *p = &pair;
    pair_send_chunk(p, &p->a, PSST_CHUNK_PONG, "\0\0\0\0\0\0\0\0", 8);
    pair_send_chunk(p, &p->a, PSST_CHUNK_PONG, "whatever", 8);
    pair_settle(p);
    assert_int_equal(p->b.count[PSST_EV_PONG], 0);
    assert_true(psst_link_established(p->b.link));
}

/* ---- what ends a session ---- */

static void voice__without_a_call__is_dropped(void **state)
{
    (void)state;
    struct pair *p = &pair;
    for (size_t i = 0; i < 500; i++) pair_send_chunk(p, &p->a, PSST_CHUNK_VOICE, "frame", 5);
    pair_settle(p);
    assert_true(psst_link_established(p->b.link));
}

static void out_of_protocol__ends__the_session(void **state)
{
    (void)state;
    const struct {
        uint8_t id;
        const char *data;
        size_t len;
    } cases[] = {
        {'s', "", 0},
        {0, "", 0},
        {PSST_CHUNK_TEXT, "no identifier", 13},
        {PSST_CHUNK_ACK, "", 0},
        {PSST_CHUNK_ACK, "seventeen bytes..", 17},
        {PSST_CHUNK_NOT_ACCEPTED, "sixteen bytes...", 16},
        {PSST_CHUNK_PING, "seven..", 7},
        {PSST_CHUNK_PONG, "nine bytes", 10},
        {PSST_CHUNK_FILE, "", 0},
        {PSST_CHUNK_FILE, "\7sixteen bytes...", 17},
        {PSST_CHUNK_BYE, "", 0},
        {PSST_CHUNK_REKEY, "", 0}, /* R3, and there was no R2 */
        {PSST_CHUNK_REKEY, "R1?", 3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct pair *p = &pair;
        pair_send_chunk(p, &p->a, cases[i].id, cases[i].data, cases[i].len);
        size_t before = p->b.bytes_out;
        pair_settle(p);
        pair_assert_ended(&p->b, PSST_END_TAMPERED);
        assert_int_equal(p->b.bytes_out, before); /* and silently */
        assert_int_equal(psst_link_output(p->b.link).len, 0);
        tear_down(NULL);
        set_up(NULL);
    }
}

/* ---- records that are not what was sent ---- */

static void record__changed_or_out_of_place__ends_the_session(void **state)
{
    (void)state;
    for (int what = 0; what < 4; what++) {
        struct pair *p = &pair;
        uint8_t two[2 * 290];
        p->a_to_b = false;
        assert_int_equal(pair_say(p, &p->a, 1, "one"), PSST_OK);
        assert_int_equal(pair_say(p, &p->a, 2, "two"), PSST_OK);
        struct psst_view out = psst_link_output(p->a.link);
        assert_int_equal(out.len, sizeof two);
        memcpy(two, out.data, sizeof two);
        size_t expected = 0;
        if (what == 0) { /* replayed */
            memcpy(two + 290, two, 290);
            expected = 1;
        } else if (what == 1) { /* the first left out */
            memcpy(two, two + 290, 290);
        } else if (what == 2) { /* in the head */
            two[3] ^= 1;
        } else { /* in the second's body */
            two[290 + 100] ^= 1;
            expected = 1;
        }
        pair_inject(p, &p->b, two, sizeof two);
        assert_int_equal(p->b.count[PSST_EV_TEXT], expected);
        pair_assert_ended(&p->b, PSST_END_TAMPERED);
        assert_int_equal(psst_link_output(p->b.link).len, 0);
        tear_down(NULL);
        set_up(NULL);
    }
}

static void end_of_stream__without_bye__is_cut_off(void **state)
{
    (void)state;
    struct pair *p = &pair;
    assert_int_equal(pair_say(p, &p->a, 1, "my last words"), PSST_OK);
    struct psst_view out = psst_link_output(p->a.link);
    pair_inject(p, &p->b, out.data, out.len);
    p->a_to_b = false;
    psst_link_eof(p->b.link);
    pair_settle(p);
    assert_string_equal(p->b.text, "my last words");
    pair_assert_ended(&p->b, PSST_END_CUT_OFF);
}

/* ---- partings ---- */

static void bye__ends_both__with_its_reason(void **state)
{
    (void)state;
    struct pair *p = &pair;
    assert_int_equal(pair_say(p, &p->a, 1, "good night"), PSST_OK);
    psst_link_bye(p->a.link, p->now, PSST_BYE_LOCKED);
    assert_int_equal(pair_say(p, &p->a, 2, "too late"), PSST_ERR_USAGE);
    pair_settle(p);
    assert_string_equal(p->b.text, "good night");
    pair_assert_ended(&p->b, PSST_END_BYE);
    assert_int_equal(p->b.last[PSST_EV_ENDED].reason, PSST_BYE_LOCKED);
    pair_assert_ended(&p->a, PSST_END_CLOSED);
    assert_int_equal(psst_link_counters(p->a.link).records_out, 2); /* still there to be asked */
}

static void bye__takes_along__collected_acks(void **state)
{
    (void)state;
    struct pair *p = &pair;
    p->b.acks = false;
    assert_int_equal(pair_say(p, &p->a, 1, "x"), PSST_OK);
    pair_settle(p);
    struct psst_msg_id id = p->b.last[PSST_EV_TEXT].text.id;
    assert_int_equal(psst_link_ack(p->b.link, p->now, &id), PSST_OK);
    psst_link_bye(p->b.link, p->now, PSST_BYE_STOPPING);
    pair_settle(p);
    assert_int_equal(p->a.count[PSST_EV_ACK], 1);
    pair_assert_ended(&p->a, PSST_END_BYE);
}

static void bye__that_cannot_leave__ends_after_two_seconds(void **state)
{
    (void)state;
    struct pair *p = &pair;
    p->a_to_b = false;
    psst_link_bye(p->a.link, p->now, PSST_BYE_CLOSED);
    pair_pass(p, 2 * PSST_SECOND_NS - 1);
    assert_int_equal(p->a.count[PSST_EV_ENDED], 0);
    pair_pass(p, 1);
    pair_assert_ended(&p->a, PSST_END_CLOSED);
}

static void bye__from_both__ends_both(void **state)
{
    (void)state;
    struct pair *p = &pair;
    psst_link_bye(p->a.link, p->now, PSST_BYE_CLOSED);
    psst_link_bye(p->b.link, p->now, PSST_BYE_CLOSED);
    pair_settle(p);
    pair_assert_ended(&p->a, PSST_END_CLOSED);
    pair_assert_ended(&p->b, PSST_END_CLOSED);
}

int main(void)
{
#define SESSION_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        SESSION_TEST(text__both_ways__arrives_and_is_acknowledged),
        SESSION_TEST(acks__collected__go_out_in_one_chunk),
        SESSION_TEST(text__longest__arrives),
        SESSION_TEST(text__1024_unacknowledged__again),
        SESSION_TEST(not_accepted__is_told_to_the_sender),
        SESSION_TEST(text__malformed_with_an_id__is_refused_and_the_session_goes_on),
        SESSION_TEST(ack_of_what_was_never_sent__harms_nothing_and_is_bounded),
        SESSION_TEST(file__data_in_place__arrives),
        SESSION_TEST(file__place_given_back__leaves_nothing),
        SESSION_TEST(file__bulk_waiting__leaves_room_for_text),
        SESSION_TEST(file__other_kinds__arrive),
        SESSION_TEST(file__impossible_offer__is_declined_by_the_core),
        SESSION_TEST(buffers__after_bulk__are_freed_within_a_second),
        SESSION_TEST(output__over_the_limit__again),
        SESSION_TEST(acks__for_one_who_does_not_read__hold_up_his_texts),
        SESSION_TEST(pause__of_our_own__is_nobodys_silence),
        SESSION_TEST(idle__pings_at_10_to_15_seconds__and_lives),
        SESSION_TEST(pong__tells__the_time_it_took),
        SESSION_TEST(silence__idle__is_noticed_after_25_seconds),
        SESSION_TEST(silence__with_text_waiting__is_noticed_after_12_seconds),
        SESSION_TEST(text__acknowledged__is_waited_for_no_longer),
        SESSION_TEST(silence__with_output_waiting__is_noticed_after_12_seconds),
        SESSION_TEST(slow_store__answers_pings__and_lives),
        SESSION_TEST(ping_flood__answered_once_a_second),
        SESSION_TEST(pong__nobody_asked_for__is_ignored),
        SESSION_TEST(voice__without_a_call__is_dropped),
        SESSION_TEST(out_of_protocol__ends__the_session),
        SESSION_TEST(record__changed_or_out_of_place__ends_the_session),
        SESSION_TEST(end_of_stream__without_bye__is_cut_off),
        SESSION_TEST(bye__ends_both__with_its_reason),
        SESSION_TEST(bye__takes_along__collected_acks),
        SESSION_TEST(bye__that_cannot_leave__ends_after_two_seconds),
        SESSION_TEST(bye__from_both__ends_both),
    };
    if (psst_crypto_init(0) != PSST_OK) return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
