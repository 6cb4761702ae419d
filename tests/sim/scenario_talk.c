/* Two people talk, and the network does what it likes short of breaking. Attacks 17, 28, 52, 53 of the list. */
#include "sim.h"

/* Alice calls Bob; both chat; all is heard, once, in order; they part. */
static void story_chat(struct sim *s)
{
    sim_draw_weather(s);
    struct sim_person *from = sim_draw(s, 0, 1) ? &s->alice : &s->bob;
    struct sim_call *c = sim_call(s, from, from == &s->alice ? &s->bob : &s->alice);
    sim_establish(s, c);
    sim_chat(&c->caller, sim_draw(s, 0, 30), 300000000);
    sim_chat(&c->callee, sim_draw(s, 0, 30), 300000000);
    sim_run_talk(s, c, 120 * SIM_SECOND);
    struct sim_end *first = sim_draw(s, 0, 1) ? &c->caller : &c->callee;
    struct sim_end *second = first == &c->caller ? &c->callee : &c->caller;
    sim_bye(s, first, PSST_BYE_CLOSED);
    sim_run(s, 5 * SIM_SECOND);
    SIM_CHECK(s, first->ended == 1 && first->end == PSST_END_CLOSED);
    SIM_CHECK(s, second->ended == 1 && second->end == PSST_END_BYE && second->reason == PSST_BYE_CLOSED);
}

/* Everything arrives one byte at a time. */
static void story_drip(struct sim *s)
{
    sim_draw_weather(s);
    s->weather.pieces = NET_DRIP;
    struct sim_call *c = sim_call(s, &s->alice, &s->bob);
    sim_establish(s, c);
    sim_chat(&c->caller, 3, SIM_SECOND);
    sim_chat(&c->callee, 3, SIM_SECOND);
    sim_run_talk(s, c, 60 * SIM_SECOND);
}

/* Texts as long as may be, among short ones. */
static void story_long_texts(struct sim *s)
{
    sim_draw_weather(s);
    struct sim_call *c = sim_call(s, &s->bob, &s->alice);
    sim_establish(s, c);
    s->longest = PSST_TEXT_MAX;
    sim_chat(&c->caller, 40, 1000000);
    sim_chat(&c->callee, 40, 1000000);
    sim_run_talk(s, c, 300 * SIM_SECOND);
}

/* A file goes one way, or both, and text stays prompt beside it. */
static void story_file_and_text(struct sim *s)
{
    sim_draw_weather(s);
    struct sim_call *c = sim_call(s, &s->alice, &s->bob);
    sim_establish(s, c);
    c->caller.bulk = sim_draw(s, 1, 1500000);
    if (sim_draw(s, 0, 1)) c->callee.bulk = sim_draw(s, 1, 700000);
    sim_chat(&c->caller, 10, 200000000);
    sim_chat(&c->callee, 10, 200000000);
    sim_run_talk(s, c, 600 * SIM_SECOND);
}

/* A line so slow, with buffers so deep, that what is said stands behind half a minute of file data: slow is not dead. */
static void story_slow_line(struct sim *s)
{
    s->weather =
        (struct net_weather){.delay_ns = 200000000, .bytes_per_s = 8000, .window = 200000, .pieces = NET_RANDOM};
    struct sim_call *c = sim_call(s, &s->alice, &s->bob);
    sim_establish(s, c);
    c->caller.bulk = 1000000;
    sim_chat(&c->caller, 20, 5 * SIM_SECOND);
    sim_run_talk(s, c, 600 * SIM_SECOND);
}

/* Two hours in which nobody says a word. */
static void story_idle(struct sim *s)
{
    sim_draw_weather(s);
    struct sim_call *c = sim_call(s, &s->alice, &s->bob);
    sim_establish(s, c);
    sim_run(s, 7200 * SIM_SECOND);
    SIM_CHECK(s, c->caller.ended == 0 && c->callee.ended == 0);
    SIM_CHECK(s, c->caller.pongs + c->callee.pongs > 7200 / 16);
    SIM_CHECK(s, c->caller.rekeyed >= 7 && c->callee.rekeyed >= 7);
    sim_chat(&c->caller, 1, 1);
    sim_run_talk(s, c, 10 * SIM_SECOND);
}

/* The line swallows everything and tells nobody: noticed within 25 s when idle, 12 s when something waits. */
static void story_black_hole(struct sim *s)
{
    s->weather.delay_ns = sim_draw(s, 0, 200000000);
    struct sim_call *c = sim_call(s, &s->alice, &s->bob);
    sim_establish(s, c);
    sim_chat(&c->caller, 5, SIM_SECOND);
    sim_run(s, sim_draw(s, 10, 60) * SIM_SECOND);
    uint64_t swallowed_ns = s->now.mono_ns;
    sim_swallow(c);
    if (s->seed % 3 == 0) sim_chat(&c->caller, 1, 1);
    if (s->seed % 3 == 1) c->caller.bulk = 1000000;
    if (s->seed % 3 != 2) sim_run(s, 1); /* said, or sent, right away */
    sim_run(s, 26 * SIM_SECOND);
    SIM_CHECK(s, c->caller.ended == 1 && c->caller.end == PSST_END_NO_PONG);
    SIM_CHECK(s, c->callee.ended == 1 && c->callee.end == PSST_END_NO_PONG);
    uint64_t limit = s->seed % 3 == 2 ? PSST_DEAD_IDLE_NS : PSST_DEAD_WAITING_NS;
    SIM_CHECK(s, c->caller.ended_ns <= swallowed_ns + limit + 1000000);
    SIM_CHECK(s, c->callee.ended_ns <= swallowed_ns + PSST_DEAD_IDLE_NS);
}

/* One direction alone is swallowed: both notice. */
static void story_half_open(struct sim *s)
{
    struct sim_call *c = sim_call(s, &s->alice, &s->bob);
    sim_establish(s, c);
    sim_run(s, sim_draw(s, 0, 30) * SIM_SECOND);
    if (sim_draw(s, 0, 1))
        c->up.black_hole = true;
    else
        c->down.black_hole = true;
    sim_run(s, 51 * SIM_SECOND);
    SIM_CHECK(s, c->caller.ended == 1 && c->callee.ended == 1);
}

/* Bob's machine is too busy to read for a while: nothing is lost, nothing piles up without limit. */
static void story_one_does_not_read(struct sim *s)
{
    struct sim_call *c = sim_call(s, &s->alice, &s->bob);
    sim_establish(s, c);
    c->callee.deaf = true;
    c->callee.scratch_len = 65536;
    c->caller.bulk = 3000000;
    s->longest = PSST_TEXT_MAX;
    sim_chat(&c->caller, 200, 1000);
    sim_run(s, 5 * SIM_SECOND);
    SIM_CHECK(s, c->caller.said < 200 || c->caller.bulk_sent < c->caller.bulk);
    SIM_CHECK(s, psst_link_output(c->caller.link).len <= PSST_LINK_OUTPUT_MAX + 2 * PSST_RECORD_MAX);
    c->callee.deaf = false;
    sim_run_talk(s, c, 60 * SIM_SECOND);
}

SIM_SCENARIO(two_people_chat, story_chat, 1000)
SIM_SCENARIO(byte_by_byte, story_drip, 40)
SIM_SCENARIO(long_texts, story_long_texts, 30)
SIM_SCENARIO(file_beside_text, story_file_and_text, 40)
SIM_SCENARIO(slow_is_not_dead, story_slow_line, 5)
SIM_SCENARIO(idle_for_hours, story_idle, 20)
SIM_SCENARIO(black_hole_is_noticed, story_black_hole, 150)
SIM_SCENARIO(half_open_is_noticed, story_half_open, 50)
SIM_SCENARIO(one_does_not_read, story_one_does_not_read, 3)
int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_people_chat),
        cmocka_unit_test(byte_by_byte),
        cmocka_unit_test(long_texts),
        cmocka_unit_test(file_beside_text),
        cmocka_unit_test(slow_is_not_dead),
        cmocka_unit_test(idle_for_hours),
        cmocka_unit_test(black_hole_is_noticed),
        cmocka_unit_test(half_open_is_noticed),
        cmocka_unit_test(one_does_not_read),
    };
    if (psst_crypto_init(0) != PSST_OK) return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
