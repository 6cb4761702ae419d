/* What befalls a session: wrong bits, cut lines, rekeys at bad moments, peers that behave badly, two sessions at once.
 * Attacks 14, 15, 17, 21, 25, 26 and 28 of the list. */
#include "sim.h"

/* ---- the line ---- */

/* One bit of one direction arrives wrong: tampered, and never a wrong text (the simulator looks at each). */
static void story_flip(struct sim *s)
{
    sim_draw_weather(s);
    struct sim_call *c = sim_call(s, &s->alice, &s->bob);
    sim_establish(s, c);
    struct sim_end *from = sim_draw(s, 0, 1) ? &c->caller : &c->callee;
    struct sim_end *to = from == &c->caller ? &c->callee : &c->caller;
    from->out->flip_bit = 8 * from->out->carried + sim_draw(s, 0, 8 * 20 * 290 - 1);
    sim_chat(from, 20, 50000000);
    sim_chat(to, 20, 50000000);
    sim_run(s, 60 * SIM_SECOND);
    SIM_CHECK(s, to->ended == 1 && to->end == PSST_END_TAMPERED);
    SIM_CHECK(s, from->ended == 1 && from->end == PSST_END_CUT_OFF);
    SIM_CHECK(s, to->heard < 20);
}

/* The line is cut somewhere: what was heard is a beginning of what was said, and both are told. */
static void story_cut(struct sim *s)
{
    sim_draw_weather(s);
    struct sim_call *c = sim_call(s, &s->bob, &s->alice);
    sim_establish(s, c);
    struct net_pipe *pipe = sim_draw(s, 0, 1) ? &c->up : &c->down;
    pipe->cut_at = pipe->carried + sim_draw(s, 0, 10 * 290);
    sim_chat(&c->caller, 20, 50000000);
    sim_chat(&c->callee, 20, 50000000);
    sim_run(s, 60 * SIM_SECOND);
    SIM_CHECK(s, c->caller.ended == 1 && c->caller.end == PSST_END_CUT_OFF);
    SIM_CHECK(s, c->callee.ended == 1 && c->callee.end == PSST_END_CUT_OFF);
    SIM_CHECK(s, c->callee.heard <= c->caller.said && c->caller.heard <= c->callee.said);
    SIM_CHECK(s, c->caller.acked <= c->callee.heard && c->callee.acked <= c->caller.heard);
}

/* ---- rekeys ---- */

/* Three quarters of an hour of talk, both ways, over keys that change twice. */
static void story_rekey_by_time(struct sim *s)
{
    sim_draw_weather(s);
    struct sim_call *c = sim_call(s, &s->alice, &s->bob);
    sim_establish(s, c);
    sim_chat(&c->caller, 120, 20 * SIM_SECOND);
    sim_chat(&c->callee, 120, 20 * SIM_SECOND);
    sim_run(s, 2800 * SIM_SECOND);
    SIM_CHECK(s, c->caller.rekeyed == 3 && c->callee.rekeyed == 3);
    sim_run_talk(s, c, 5000 * SIM_SECOND);
}

static void age_keys(struct sim_call *c, uint64_t bytes)
{
    if (c->caller.link != NULL) c->caller.link->session.timers.keys_bytes = bytes;
    if (c->callee.link != NULL) c->callee.link->session.timers.keys_bytes = bytes;
}

/* Keys run out of bytes again and again, under files and text in both directions. */
static void story_rekey_by_bytes(struct sim *s)
{
    sim_draw_weather(s);
    s->weather.bytes_per_s = 2000000;
    struct sim_call *c = sim_call(s, &s->alice, &s->bob);
    sim_establish(s, c);
    c->caller.bulk = c->callee.bulk = 1500000;
    sim_chat(&c->caller, 20, 300000000);
    sim_chat(&c->callee, 20, 300000000);
    for (int i = 0; i < 4; i++) {
        age_keys(c, PSST_REKEY_BYTES - sim_draw(s, 0, 300000));
        sim_run(s, 3 * SIM_SECOND);
    }
    sim_run_talk(s, c, 900 * SIM_SECOND);
    sim_run(s, 5 * SIM_SECOND); /* a last R3 may be on its way */
    SIM_CHECK(s, c->caller.rekeyed >= 1 && c->caller.rekeyed == c->callee.rekeyed);
}

/* Someone hangs up in the middle of a rekey: nobody hangs. */
static void story_rekey_and_bye(struct sim *s)
{
    sim_draw_weather(s);
    s->alice.thinks_ns = s->bob.thinks_ns = 300000000;
    struct sim_call *c = sim_call(s, &s->alice, &s->bob);
    sim_establish(s, c);
    sim_chat(&c->caller, 5, 200000000);
    sim_chat(&c->callee, 5, 200000000);
    age_keys(c, PSST_REKEY_BYTES);
    sim_run(s, sim_draw(s, 0, 4 * SIM_SECOND));
    uint64_t who = sim_draw(s, 0, 2);
    uint64_t bye_ns = s->now.mono_ns;
    if (who != 0) sim_bye(s, &c->caller, PSST_BYE_CLOSED);
    if (who != 1) sim_bye(s, &c->callee, PSST_BYE_CLOSED);
    sim_run(s, 10 * SIM_SECOND);
    SIM_CHECK(s, c->caller.ended == 1 && c->callee.ended == 1);
    SIM_CHECK(s, c->caller.ended_ns <= bye_ns + 4 * SIM_SECOND && c->callee.ended_ns <= bye_ns + 4 * SIM_SECOND);
    SIM_CHECK(s, c->caller.end == PSST_END_CLOSED || c->caller.end == PSST_END_BYE);
    SIM_CHECK(s, c->callee.end == PSST_END_CLOSED || c->callee.end == PSST_END_BYE);
}

/* ---- peers that behave badly ---- */

static void story_ping_flood(struct sim *s)
{
    struct sim_call *c = sim_call(s, &s->alice, &s->bob);
    sim_establish(s, c);
    uint64_t before = psst_link_counters(c->callee.link).records_out;
    for (int i = 0; i < 100; i++) {
        for (int k = 0; k < 20; k++) sim_send_chunk(s, &c->caller, PSST_CHUNK_PING, "flooding", 8);
        sim_run(s, SIM_SECOND / 10);
    }
    uint64_t answers = psst_link_counters(c->callee.link).records_out - before;
    SIM_CHECK(s, answers >= 9 && answers <= 11);
    SIM_CHECK(s, c->caller.ended == 0 && c->callee.ended == 0);
}

/* Optional ones are skipped, up to 64 a minute; the first that is not optional ends the session. */
static void story_unknown_chunks(struct sim *s)
{
    struct sim_call *c = sim_call(s, &s->alice, &s->bob);
    sim_establish(s, c);
    size_t n = (size_t)sim_draw(s, 1, 100);
    for (size_t i = 0; i < n; i++) sim_send_chunk(s, &c->callee, (uint8_t)sim_draw(s, 0x80, 0xf0), "?", 1);
    sim_chat(&c->callee, 1, 1);
    sim_run(s, SIM_SECOND);
    if (n > PSST_UNKNOWN_CHUNKS_A_MINUTE) {
        SIM_CHECK(s, c->caller.ended == 1 && c->caller.end == PSST_END_TAMPERED && c->caller.heard == 0);
        return;
    }
    SIM_CHECK(s, c->caller.ended == 0 && c->caller.heard == 1);
    sim_send_chunk(s, &c->callee, (uint8_t)sim_draw(s, 'd', 'e'), "?", 1);
    sim_run(s, SIM_SECOND);
    SIM_CHECK(s, c->caller.ended == 1 && c->caller.end == PSST_END_TAMPERED);
}

/* As often as one may, over minutes on a bad line: all arrive, in order, and nobody takes them for a flood. Meetings are
 * acknowledged like messages. */
static void story_optional_chunks(struct sim *s)
{
    sim_draw_weather(s);
    struct sim_call *c = sim_call(s, &s->alice, &s->bob);
    sim_establish(s, c);
    sim_chat(&c->callee, 5, SIM_SECOND);
    for (uint64_t minute = 0; minute < 4; minute++) {
        for (uint64_t i = 1; i <= PSST_OPTIONAL_SENT_A_MINUTE; i++) {
            const struct psst_presence_chunk presence = {(uint8_t)(1 + i % 3), psst_view("away", (size_t)(i % 5))};
            struct psst_meet_chunk meet = {.time_ms = minute << 32 | i};
            psst_store_u64(meet.id.b, i);
            SIM_CHECK(s, psst_link_presence(c->caller.link, s->now, &presence) == PSST_OK);
            SIM_CHECK(s, psst_link_meet(c->caller.link, s->now, &meet) == PSST_OK);
            if (sim_draw(s, 0, 3) == 0) sim_run(s, SIM_SECOND);
        }
        sim_run(s, 60 * SIM_SECOND);
        SIM_CHECK(s, c->callee.presences == (minute + 1) * PSST_OPTIONAL_SENT_A_MINUTE);
        SIM_CHECK(s, c->callee.meets == c->callee.presences && c->callee.presence.state == 1);
        SIM_CHECK(s, c->callee.meet.time_ms == (minute << 32 | PSST_OPTIONAL_SENT_A_MINUTE));
        SIM_CHECK(s, psst_load_u64(c->callee.meet.id.b) == PSST_OPTIONAL_SENT_A_MINUTE);
    }
    size_t strange = c->caller.strange_acks;
    SIM_CHECK(s, psst_link_ack(c->callee.link, s->now, &c->callee.meet.id) == PSST_OK);
    sim_run(s, 60 * SIM_SECOND);
    SIM_CHECK(s, c->caller.strange_acks == strange + 1); /* strange to the simulator, whose texts have other ids */
    SIM_CHECK(s, c->caller.ended == 0 && c->callee.ended == 0 && c->caller.heard == 5);
}

static void story_strange_acks(struct sim *s)
{
    struct sim_call *c = sim_call(s, &s->alice, &s->bob);
    sim_establish(s, c);
    uint8_t ids[16 * 50];
    for (int i = 0; i < 200; i++) {
        s->rng.fill(s->rng.ctx, ids, sizeof ids);
        sim_send_chunk(s, &c->callee, PSST_CHUNK_ACK, ids, sizeof ids);
    }
    sim_chat(&c->caller, 5, 1000);
    sim_run_talk(s, c, 5 * SIM_SECOND);
    SIM_CHECK(s, c->caller.strange_acks < 4096 + 50);
    SIM_CHECK(s, c->caller.link->session.texts.count == 0);
}

/* Well sealed nonsense: whatever a faulty peer puts into records, the session ends or goes on, and nothing else. */
static void story_sealed_nonsense(struct sim *s)
{
    static const uint8_t ids[] = {'t', 'a', 'n', 'p', 'q', 'f', 'c', 'v', 'r', 'b', 0xf1, 0xf2, 0xf3};
    struct sim_call *c = sim_call(s, &s->alice, &s->bob);
    sim_establish(s, c);
    struct sim_end *from = sim_draw(s, 0, 1) ? &c->caller : &c->callee;
    struct sim_end *to = from == &c->caller ? &c->callee : &c->caller;
    for (int i = 0; i < 50 && from->link != NULL && to->link != NULL; i++) {
        uint8_t data[600];
        size_t len = (size_t)sim_draw(s, 0, sim_draw(s, 0, 1) ? 30 : sizeof data);
        s->rng.fill(s->rng.ctx, data, sizeof data);
        uint8_t id = ids[sim_draw(s, 0, sizeof ids - 1)];
        if (id == 't' && len > 24) data[24] = 0xff; /* the simulator would wonder about a good one */
        if (id == 'f') data[0] = (uint8_t)sim_draw(s, 0, 8) & 3;
        sim_send_chunk(s, from, id, data, len);
        sim_run(s, SIM_SECOND / 100);
    }
    sim_run(s, 60 * SIM_SECOND);
    SIM_CHECK(s, to->heard == 0);
    SIM_CHECK(s, to->ended <= 1 && from->ended <= 1);
}

/* ---- two sessions ---- */

static size_t count_sessions(const struct sim *s, const struct sim_person *p, const struct sim_call **last)
{
    size_t n = 0;
    for (size_t i = 0; i < s->n_calls; i++) {
        const struct sim_call *c = s->calls[i];
        const struct sim_end *ends[] = {&c->caller, &c->callee};
        for (size_t k = 0; k < 2; k++) {
            if (ends[k]->self != p || ends[k]->link == NULL || !psst_link_established(ends[k]->link)) continue;
            *last = c;
            n++;
        }
    }
    return n;
}

static void check_one_session(struct sim *s)
{
    const struct sim_call *alices = NULL, *bobs = NULL;
    SIM_CHECK(s, count_sessions(s, &s->alice, &alices) == 1);
    SIM_CHECK(s, count_sessions(s, &s->bob, &bobs) == 1);
    SIM_CHECK(s, alices == bobs);
    for (size_t i = 0; i < s->n_calls; i++) {
        const struct sim_call *c = s->calls[i];
        if (c == alices) continue;
        SIM_CHECK(s, c->caller.ended == 1 && c->callee.ended == 1);
        const struct sim_end *told = c->caller.self == &s->bob ? &c->caller : &c->callee;
        SIM_CHECK(s, told->end == PSST_END_BYE && told->reason == PSST_BYE_DUPLICATE);
    }
}

/* Both dial, at the same time or nearly, on lines of different quality; some have something to say at once. */
static void story_both_dial(struct sim *s)
{
    s->alice.one_session = s->bob.one_session = true;
    struct sim_person *first = sim_draw(s, 0, 1) ? &s->alice : &s->bob;
    struct sim_person *second = first == &s->alice ? &s->bob : &s->alice;
    sim_draw_weather(s);
    struct sim_call *one = sim_call(s, first, second);
    if (sim_draw(s, 0, 1)) sim_run(s, sim_draw(s, 0, 2000000000));
    sim_draw_weather(s);
    struct sim_call *two = sim_call(s, second, first);
    struct sim_end *ends[] = {&one->caller, &one->callee, &two->caller, &two->callee};
    for (size_t i = 0; i < 4; i++)
        if (sim_draw(s, 0, 3) == 0) sim_chat(ends[i], 3, 100000000);
    sim_run(s, 20 * SIM_SECOND);
    check_one_session(s);
}

/* Bob redials after losing his address; his old session is a black hole that Alice still believes in. */
static void story_redial(struct sim *s)
{
    s->alice.one_session = s->bob.one_session = true;
    struct sim_call *old = sim_call(s, &s->bob, &s->alice);
    sim_establish(s, old);
    sim_run(s, sim_draw(s, 0, 20 * SIM_SECOND));
    sim_swallow(old);
    psst_link_free(old->caller.link);
    old->caller.link = NULL;
    struct sim_call *new = sim_call(s, &s->bob, &s->alice);
    sim_establish(s, new);
    sim_chat(&new->caller, 3, SIM_SECOND);
    sim_chat(&new->callee, 3, SIM_SECOND);
    sim_run_talk(s, new, 10 * SIM_SECOND);
    SIM_CHECK(s, old->callee.ended == 1);
    SIM_CHECK(s, new->caller.ended == 0 && new->callee.ended == 0);
}

/* Bob's identity on two machines: the newer session wins, and the older machine is told. */
static void story_two_machines(struct sim *s)
{
    s->alice.one_session = true;
    struct sim_call *one = sim_call(s, &s->bob, &s->alice);
    sim_establish(s, one);
    sim_chat(&one->caller, 2, SIM_SECOND);
    sim_run(s, 5 * SIM_SECOND);
    struct sim_call *two = sim_call(s, &s->bob, &s->alice);
    sim_establish(s, two);
    sim_run(s, SIM_SECOND);
    SIM_CHECK(s, one->caller.ended == 1 && one->caller.end == PSST_END_BYE);
    SIM_CHECK(s, one->caller.reason == PSST_BYE_DUPLICATE);
    SIM_CHECK(s, one->callee.ended == 1 && one->callee.end == PSST_END_CLOSED);
    SIM_CHECK(s, two->caller.ended == 0 && two->callee.ended == 0);
}

SIM_SCENARIO(bit_flipped, story_flip, 300)
SIM_SCENARIO(line_cut, story_cut, 300)
SIM_SCENARIO(rekey_by_time, story_rekey_by_time, 30)
SIM_SCENARIO(rekey_by_bytes, story_rekey_by_bytes, 15)
SIM_SCENARIO(rekey_crosses_bye, story_rekey_and_bye, 300)
SIM_SCENARIO(ping_flood, story_ping_flood, 5)
SIM_SCENARIO(unknown_chunks, story_unknown_chunks, 50)
SIM_SCENARIO(presence_and_meetings, story_optional_chunks, 30)
SIM_SCENARIO(acks_of_what_was_never_sent, story_strange_acks, 5)
SIM_SCENARIO(sealed_nonsense, story_sealed_nonsense, 300)
SIM_SCENARIO(both_dial_at_once, story_both_dial, 500)
SIM_SCENARIO(redial_after_losing_the_address, story_redial, 50)
SIM_SCENARIO(same_identity_on_two_machines, story_two_machines, 20)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bit_flipped),
        cmocka_unit_test(line_cut),
        cmocka_unit_test(rekey_by_time),
        cmocka_unit_test(rekey_by_bytes),
        cmocka_unit_test(rekey_crosses_bye),
        cmocka_unit_test(ping_flood),
        cmocka_unit_test(unknown_chunks),
        cmocka_unit_test(presence_and_meetings),
        cmocka_unit_test(acks_of_what_was_never_sent),
        cmocka_unit_test(sealed_nonsense),
        cmocka_unit_test(both_dial_at_once),
        cmocka_unit_test(redial_after_losing_the_address),
        cmocka_unit_test(same_identity_on_two_machines),
    };
    if (psst_crypto_init(0) != PSST_OK) return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
