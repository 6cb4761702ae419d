/* What happens to a handshake on a bad line, and to those who have no business here. Whatever it is, the callee looks the
 * same from outside: not a byte more, and the end at a random moment 20 to 40 s after accepting. Attacks 1, 2, 8 to 13
 * and 17 of the list. */
#include "sim.h"

#define UP_LEN   (PSST_M1_LEN + PSST_M3_LEN + PSST_M5_LEN)
#define DOWN_LEN (PSST_M2_LEN + PSST_M4_LEN)

/* The callee failed, said nothing after that, and went at its moment. */
static void check_void(struct sim *s, const struct sim_end *e)
{
    SIM_CHECK(s, e->established == 0 && e->heard == 0);
    SIM_CHECK(s, e->failed == 1 && e->failed_ns <= e->begun_ns + PSST_HANDSHAKE_DEADLINE_NS);
    SIM_CHECK(s, e->last_out_ns <= e->failed_ns);
    SIM_CHECK(s, e->ended == 1 && e->end == PSST_END_VOID_OVER);
    SIM_CHECK(s, e->ended_ns >= e->begun_ns + PSST_VOID_MIN_NS && e->ended_ns <= e->begun_ns + PSST_VOID_MAX_NS);
}

/* Seed n: cut, or a bit flipped, at byte n of the caller's messages, then at those of the callee. */
static struct net_pipe *pipe_of_seed(struct sim *s, struct sim_call *c, uint64_t *offset)
{
    uint64_t n = s->seed % (UP_LEN + DOWN_LEN);
    *offset = n < UP_LEN ? n : n - UP_LEN;
    return n < UP_LEN ? &c->up : &c->down;
}

/* The line is cut at each byte. */
static void story_cut(struct sim *s)
{
    uint64_t offset = 0;
    s->weather.delay_ns = 20000000;
    struct sim_call *c = sim_call(s, &s->alice, &s->bob);
    sim_chat(&c->caller, 3, 1000); /* right behind M5 */
    struct net_pipe *pipe = pipe_of_seed(s, c, &offset);
    pipe->cut_at = offset;
    sim_run(s, 41 * SIM_SECOND);
    check_void(s, &c->callee);
    SIM_CHECK(s, c->caller.ended == 1);
    bool m2_came = pipe == &c->down ? offset >= PSST_M2_LEN : offset > PSST_M1_LEN;
    SIM_CHECK(s, c->caller.end == (m2_came ? PSST_END_CUT_OFF : PSST_END_NO_ANSWER));
    SIM_CHECK(s, c->caller.established == (pipe == &c->up && offset > UP_LEN - PSST_M5_LEN));
}

/* One bit arrives wrong, at each byte: always the same silent failure. */
static void story_flip(struct sim *s)
{
    uint64_t offset = 0;
    if (s->seed % 2) s->weather.pieces = NET_RANDOM;
    struct sim_call *c = sim_call(s, &s->alice, &s->bob);
    struct net_pipe *pipe = pipe_of_seed(s, c, &offset);
    pipe->flip_bit = 8 * offset + sim_draw(s, 0, 7);
    sim_run(s, 41 * SIM_SECOND);
    check_void(s, &c->callee);
    SIM_CHECK(s, c->caller.ended == 1);
    bool in_m5 = pipe == &c->up && offset >= UP_LEN - PSST_M5_LEN;
    SIM_CHECK(s, c->caller.established == (in_m5 ? 1 : 0));
    enum psst_link_end want = PSST_END_NO_ANSWER;
    if (pipe == &c->up && offset >= PSST_M1_LEN) want = PSST_END_CUT_OFF; /* in the end Bob closes */
    if (pipe == &c->down && offset >= PSST_M2_LEN) want = PSST_END_TAMPERED;
    if (pipe == &c->down && offset >= PSST_M2_LEN + PSST_M4A_LEN) want = PSST_END_NOT_ADDED;
    if (in_m5) want = PSST_END_CUT_OFF;
    if (c->caller.end == PSST_END_NO_PONG && in_m5) want = PSST_END_NO_PONG; /* or Alice is tired of waiting first */
    SIM_CHECK(s, c->caller.end == want);
}

/* ---- strangers ---- */

static void write_up(struct sim *s, struct sim_call *c, const void *data, size_t len)
{
    SIM_CHECK(s, net_write(&c->up, s->now.mono_ns, psst_view(data, len)) == len);
}

static void check_stranger(struct sim *s, struct sim_call *c)
{
    sim_run(s, 41 * SIM_SECOND);
    check_void(s, &c->callee);
    SIM_CHECK(s, c->down.carried == 0);
}

static void story_noise(struct sim *s)
{
    static uint8_t noise[30000];
    s->weather.pieces = s->seed % 2 ? NET_RANDOM : NET_WHOLE;
    s->rng.fill(s->rng.ctx, noise, sizeof noise);
    struct sim_call *c = sim_stranger(s, &s->bob);
    write_up(s, c, noise, (size_t)sim_draw(s, 0, sizeof noise));
    if (sim_draw(s, 0, 1)) net_close(&c->up, s->now.mono_ns);
    check_stranger(s, c);
}

static void story_other_protocols(struct sim *s)
{
    static const struct psst_view greetings[] = {
        {(const uint8_t *)"GET / HTTP/1.1\r\nHost: example\r\n\r\n", 34},
        {(const uint8_t *)"SSH-2.0-OpenSSH_9.2\r\n", 21},
        {(const uint8_t *)"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11},
        {(const uint8_t *)"\0", 1},
        {(const uint8_t *)"", 0},
    };
    static uint8_t rest[PSST_M1_LEN];
    struct psst_view greeting = greetings[s->seed % 5];
    struct sim_call *c = sim_stranger(s, &s->bob);
    write_up(s, c, greeting.data, greeting.len);
    if (s->seed >= 5) write_up(s, c, rest, sizeof rest); /* long enough for an M1 */
    check_stranger(s, c);
}

/* A byte now and then: the deadline is absolute. */
static void story_slow_drip(struct sim *s)
{
    struct sim_call *c = sim_stranger(s, &s->bob);
    for (int i = 0; i < 41 * 4; i++) {
        write_up(s, c, "x", 1);
        sim_run(s, SIM_SECOND / 4);
    }
    check_void(s, &c->callee);
    SIM_CHECK(s, c->callee.failed_ns == c->callee.begun_ns + PSST_HANDSHAKE_DEADLINE_NS);
    SIM_CHECK(s, c->down.carried == 0);
}

/* A megabyte for the void: 64 KiB of it are read. */
static void story_flood_into_the_void(struct sim *s)
{
    static uint8_t zeros[1 << 20];
    s->weather.window = 1 << 20;
    struct sim_call *c = sim_stranger(s, &s->bob);
    c->callee.scratch_len = 1500;
    write_up(s, c, zeros, sizeof zeros);
    sim_run(s, 15 * SIM_SECOND);
    size_t read = sizeof zeros - c->up.under_way;
    SIM_CHECK(s, read >= PSST_VOID_BYTES && read <= PSST_VOID_BYTES + PSST_M1_LEN + 2 * 1500);
    check_stranger(s, c);
}

/* ---- replays and reflections ---- */

/* All that Alice sent on a good day, played to Bob again, to Alice herself, and only as far as M1. */
static void story_replay(struct sim *s)
{
    s->weather.pieces = s->seed % 2 ? NET_RANDOM : NET_WHOLE;
    struct sim_call *good = sim_call(s, &s->alice, &s->bob);
    good->up.taped = true;
    struct psst_buf *tape = &good->up.tape;
    sim_establish(s, good);
    sim_chat(&good->caller, 5, 10000000);
    sim_run_talk(s, good, 10 * SIM_SECOND);
    sim_bye(s, &good->caller, PSST_BYE_CLOSED);
    sim_run(s, SIM_SECOND);
    SIM_CHECK(s, tape->len >= UP_LEN + 6 * 290);

    struct sim_call *again = sim_stranger(s, &s->bob);
    write_up(s, again, tape->data, tape->len);
    struct sim_call *first_alone = sim_stranger(s, &s->bob);
    write_up(s, first_alone, tape->data, PSST_M1_LEN);
    struct sim_call *to_herself = sim_stranger(s, &s->alice);
    write_up(s, to_herself, tape->data, tape->len);
    sim_run(s, 41 * SIM_SECOND);
    check_void(s, &again->callee);
    check_void(s, &first_alone->callee);
    check_void(s, &to_herself->callee);
    SIM_CHECK(s, again->down.carried == 0 && first_alone->down.carried == 0 && to_herself->down.carried == 0);
}

/* Alice's own bytes come back to her. */
static void story_reflection(struct sim *s)
{
    struct sim_call *c = sim_call(s, &s->alice, &s->bob);
    c->up.taped = true;
    psst_link_free(c->callee.link);
    c->callee.link = NULL;
    sim_run(s, 1);
    SIM_CHECK(s, c->up.tape.len == PSST_M1_LEN);
    (void)net_write(&c->down, s->now.mono_ns, psst_buf_view(&c->up.tape));
    sim_run(s, SIM_SECOND);
    SIM_CHECK(s, c->caller.ended == 1 && c->caller.end == PSST_END_NO_ANSWER);
    SIM_CHECK(s, c->up.carried == PSST_M1_LEN);
}

/* ---- those who are not who they say ---- */

static void check_refused(struct sim *s, struct sim_call *c)
{
    sim_run(s, 41 * SIM_SECOND);
    check_void(s, &c->callee);
    SIM_CHECK(s, c->caller.ended == 1 && c->caller.end == PSST_END_NOT_ADDED && c->caller.established == 0);
    SIM_CHECK(s, c->down.carried == DOWN_LEN); /* what everybody gets who holds Bob's key */
}

/* A valid key that Bob does not know, or has blocked. */
static void story_unknown_caller(struct sim *s)
{
    s->bob.knows = NULL;
    check_refused(s, sim_call(s, &s->alice, &s->bob));
}

/* Bob is invisible to Alice, whom he knows: M2, and nothing more, as from one who has just gone off line. */
static void story_silence(struct sim *s)
{
    sim_draw_weather(s);
    s->bob.silent = true;
    struct sim_call *c = sim_call(s, &s->alice, &s->bob);
    sim_run(s, 41 * SIM_SECOND);
    check_void(s, &c->callee);
    SIM_CHECK(s, c->down.carried == PSST_M2_LEN && c->up.carried == PSST_M1_LEN + PSST_M3_LEN);
    SIM_CHECK(s, c->caller.ended == 1 && c->caller.end == PSST_END_CUT_OFF && c->caller.established == 0);
    SIM_CHECK(s, c->caller.ended_ns == c->caller.begun_ns + PSST_HANDSHAKE_DEADLINE_NS);
    s->bob.silent = false;
    sim_establish(s, sim_call(s, &s->alice, &s->bob));
}

/* Alice's pair secret is not Bob's. */
static void story_other_pair_secret(struct sim *s)
{
    s->alice.psk.b[3] = 1;
    check_refused(s, sim_call(s, &s->alice, &s->bob));
}

/* The thief of Bob's private key, with Alice's public key, poses to Bob as Alice. */
static void story_thief(struct sim *s)
{
    struct sim_call *c = sim_call(s, &s->alice, &s->bob);
    s->alice.key = s->bob.key; /* what the caller's questions are answered with */
    check_refused(s, c);
}

/* Bob's own fingerprint calls Bob: even with his private key, nobody calls himself. */
static void story_own_identity(struct sim *s)
{
    struct psst_link *link = NULL;
    SIM_CHECK(s, psst_link_call(&link, &s->bob.config, s->bob.pub, NULL, s->now) == PSST_ERR_USAGE);
}

/* Clocks a day apart meet; more than a day, and there is no answer. */
static void story_clocks(struct sim *s)
{
    struct sim_call *c = sim_call(s, &s->alice, &s->bob);
    const uint64_t day_ms = UINT64_C(86400000);
    s->now.unix_ms = s->seed < 2 ? s->now.unix_ms + (s->seed + 1) * day_ms : s->now.unix_ms - (s->seed - 1) * day_ms;
    sim_run(s, 41 * SIM_SECOND);
    bool near = s->seed == 0 || s->seed == 2;
    SIM_CHECK(s, c->callee.established == (near ? 1 : 0));
    if (!near) check_void(s, &c->callee);
    if (!near) SIM_CHECK(s, c->caller.end == PSST_END_NO_ANSWER);
}

SIM_SCENARIO(cut_at_every_byte, story_cut, UP_LEN + DOWN_LEN)
SIM_SCENARIO(bit_flipped_at_every_byte, story_flip, UP_LEN + DOWN_LEN)
SIM_SCENARIO(noise, story_noise, 200)
SIM_SCENARIO(other_protocols, story_other_protocols, 10)
SIM_SCENARIO(slow_drip, story_slow_drip, 3)
SIM_SCENARIO(flood_into_the_void, story_flood_into_the_void, 3)
SIM_SCENARIO(replay_of_a_whole_stream, story_replay, 20)
SIM_SCENARIO(reflection, story_reflection, 3)
SIM_SCENARIO(unknown_caller, story_unknown_caller, 20)
SIM_SCENARIO(silence, story_silence, 20)
SIM_SCENARIO(other_pair_secret, story_other_pair_secret, 3)
SIM_SCENARIO(thief_of_bobs_key, story_thief, 20)
SIM_SCENARIO(own_identity, story_own_identity, 1)
SIM_SCENARIO(clocks_apart, story_clocks, 4)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cut_at_every_byte),
        cmocka_unit_test(bit_flipped_at_every_byte),
        cmocka_unit_test(noise),
        cmocka_unit_test(other_protocols),
        cmocka_unit_test(slow_drip),
        cmocka_unit_test(flood_into_the_void),
        cmocka_unit_test(replay_of_a_whole_stream),
        cmocka_unit_test(reflection),
        cmocka_unit_test(unknown_caller),
        cmocka_unit_test(silence),
        cmocka_unit_test(other_pair_secret),
        cmocka_unit_test(thief_of_bobs_key),
        cmocka_unit_test(own_identity),
        cmocka_unit_test(clocks_apart),
    };
    if (psst_crypto_init(0) != PSST_OK) return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
