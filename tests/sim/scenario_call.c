/* Calls on bad lines: people who dial, answer and hang up as they like, while datagrams are lost, doubled and late, the line fails
 * for seconds, and keys change. And somebody who has a key and no manners. Attacks 22, 27, 52 and 53 of the list. */
#include "sim.h"

#include "proto/call_internal.h"

#include <stdlib.h>

#define TICK_NS    UINT64_C(20000000)
#define UNDER_WAY  256
#define FRAMES_MAX 16384 /* of one speaker, in one story */

struct datagram {
    uint64_t at_ns; /* 0: no datagram */
    size_t len;
    uint8_t data[PSST_DATAGRAM_HEAD_LEN + PSST_CALL_FRAME_MAX + PSST_TAG_LEN];
};

/* One side's user, and the datagrams that are on their way to it. */
struct person {
    struct sim_end *end;
    struct person *other;
    bool wanted;  /* has dialled, or accepted, the call that there is */
    bool answers; /* and does not only let it ring */
    uint32_t frames;
    uint8_t by_udp[FRAMES_MAX], by_tcp[FRAMES_MAX]; /* taken of the other's */
    size_t offers, calls, heard_udp, heard_tcp;
    struct datagram under_way[UNDER_WAY];
    bool blocked; /* no datagram gets to it */
};

struct line {
    struct person a, b;
    uint64_t loss, late_ns; /* in a hundred; at most */
    uint64_t down_until_ns;
};

static enum psst_call_state state_of(const struct person *p)
{
    return psst_link_call_state(p->end->link);
}

/* What holds whenever anybody looks. */
static void check(struct sim *s, struct person *p)
{
    enum psst_call_state state = state_of(p);
    if (state == PSST_CALL_NONE || state == PSST_CALL_RINGING_HERE) p->wanted = false;
    SIM_CHECK(s, state != PSST_CALL_ACTIVE || p->wanted); /* the microphone is open */
    SIM_CHECK(s, (state == PSST_CALL_NONE) == (psst_link_call_receiver_id(p->end->link) == 0));
}

/* A frame of the other's: what it said, and once by each way. */
static void hear(struct sim *s, const struct person *p, const struct psst_voice_frame *frame, uint8_t taken[FRAMES_MAX])
{
    SIM_CHECK(s, state_of(p) == PSST_CALL_ACTIVE);
    SIM_CHECK(s, frame->timestamp_samples < p->other->frames);
    SIM_CHECK(s, frame->opus.len == 5 && psst_load_u32(frame->opus.data) == ~frame->timestamp_samples);
    SIM_CHECK(s, taken[frame->timestamp_samples] == 0);
    taken[frame->timestamp_samples] = 1;
}

static void on_call(struct sim *s, struct sim_end *e, const struct psst_event *ev)
{
    struct person *p = e->person;
    enum psst_call_state state = state_of(p);
    if (ev->type == PSST_EV_VOICE) {
        hear(s, p, &ev->voice, p->by_tcp);
        p->heard_tcp++;
        return;
    }
    check(s, p);
    switch ((enum psst_call_kind)ev->call.kind) {
    case PSST_CALL_KIND_OFFER:
        SIM_CHECK(s, state == PSST_CALL_RINGING_HERE);
        SIM_CHECK(s, psst_link_call_ring(e->link, s->now) == PSST_OK || psst_link_call_state(e->link) != state);
        p->offers++;
        break;
    case PSST_CALL_KIND_RING: SIM_CHECK(s, state == PSST_CALL_RINGING_THERE); break;
    case PSST_CALL_KIND_ACCEPT: p->calls++; /* fall through */
    case PSST_CALL_KIND_RECEIVING:
    case PSST_CALL_KIND_REPORT:
    case PSST_CALL_KIND_SILENCE: SIM_CHECK(s, state == PSST_CALL_ACTIVE); break;
    case PSST_CALL_KIND_DECLINE:
    case PSST_CALL_KIND_HANGUP: SIM_CHECK(s, state == PSST_CALL_NONE); break;
    }
}

/* ---- what a user does, of its own mind ---- */

static bool chance(struct sim *s, uint64_t one_in)
{
    return sim_draw(s, 1, one_in) == 1;
}

static void act(struct sim *s, struct person *p)
{
    struct psst_link *link = p->end->link;
    enum psst_err err = PSST_OK;
    switch (state_of(p)) {
    case PSST_CALL_NONE:
        if (!chance(s, 100)) return;
        err = psst_link_call_offer(link, s->now, (uint16_t)sim_draw(s, PSST_CALL_FRAME_MIN, 200));
        p->wanted = err == PSST_OK;
        if (err == PSST_ERR_AGAIN) err = PSST_OK; /* too often this minute */
        break;
    case PSST_CALL_CALLING:
    case PSST_CALL_RINGING_THERE:
        if (chance(s, 300)) err = psst_link_call_hangup(link, s->now, PSST_CALL_HUNG_UP);
        break;
    case PSST_CALL_RINGING_HERE:
        if (p->answers && chance(s, 50)) {
            p->wanted = true;
            err = psst_link_call_accept(link, s->now);
            p->calls++;
        } else if (chance(s, 400)) {
            err = psst_link_call_decline(link, s->now, PSST_CALL_DECLINED);
        }
        break;
    case PSST_CALL_ACTIVE:
        if (chance(s, 30)) err = psst_link_call_receiving(link, s->now, chance(s, 2));
        if (err == PSST_OK && chance(s, 20)) err = psst_link_call_report(link, s->now, 1, 2, 3);
        if (err == PSST_OK && chance(s, 700)) err = psst_link_call_hangup(link, s->now, PSST_CALL_HUNG_UP);
        break;
    }
    SIM_CHECK(s, err == PSST_OK);
}

/* ---- datagrams ---- */

static void put_under_way(struct sim *s, const struct line *line, struct person *to, const struct datagram *d)
{
    if (to->blocked || s->now.mono_ns < line->down_until_ns || sim_draw(s, 0, 99) < line->loss) return;
    for (size_t copies = chance(s, 20) ? 2 : 1, i = 0; i < UNDER_WAY && copies > 0; i++) {
        if (to->under_way[i].at_ns != 0) continue;
        to->under_way[i] = *d;
        to->under_way[i].at_ns = s->now.mono_ns + sim_draw(s, 0, line->late_ns);
        copies--;
    }
}

static void speak(struct sim *s, const struct line *line, struct person *p)
{
    struct datagram d = {0};
    uint8_t opus[5] = {0};
    SIM_CHECK(s, p->frames < FRAMES_MAX);
    psst_store_u32(opus, ~p->frames);
    enum psst_err err = psst_link_voice(p->end->link, s->now, p->frames, psst_view(opus, sizeof opus), d.data, &d.len);
    bool active = state_of(p) == PSST_CALL_ACTIVE;
    SIM_CHECK(s, err == (active ? PSST_OK : PSST_ERR_USAGE) && (active || d.len == 0));
    if (err != PSST_OK) return;
    p->frames++;
    if (d.len > 0) put_under_way(s, line, p->other, &d);
}

static void take_datagrams(struct sim *s, struct person *p)
{
    uint8_t place[PSST_CALL_FRAME_MAX];
    for (size_t i = 0; i < UNDER_WAY; i++) {
        struct datagram *d = &p->under_way[i];
        struct psst_voice_frame frame;
        if (d->at_ns == 0 || d->at_ns > s->now.mono_ns) continue;
        d->at_ns = 0;
        if (psst_link_datagram(p->end->link, s->now, psst_view(d->data, d->len), place, &frame) != PSST_OK) continue;
        hear(s, p, &frame, p->by_udp);
        p->heard_udp++;
    }
}

/* ---- stories ---- */

static void age_keys(struct sim_call *c)
{
    c->caller.link->session.timers.keys_bytes = PSST_REKEY_BYTES;
    c->callee.link->session.timers.keys_bytes = PSST_REKEY_BYTES; /* or it would be early */
}

static struct line *new_line(struct sim *s, struct sim_call *c)
{
    struct line *line = calloc(1, sizeof *line);
    SIM_CHECK(s, line != NULL);
    line->a = (struct person){.end = &c->caller, .other = &line->b, .answers = true};
    line->b = (struct person){.end = &c->callee, .other = &line->a, .answers = true};
    c->caller.person = &line->a;
    c->callee.person = &line->b;
    c->caller.on_call = c->callee.on_call = on_call;
    line->loss = sim_draw(s, 0, 40);
    line->late_ns = sim_draw(s, 0, 300000000);
    return line;
}

/* Nothing gets through for so long, and then everything that went by TCP. */
static void go_down(struct sim *s, struct line *line, struct sim_call *c, uint64_t ns)
{
    line->down_until_ns = s->now.mono_ns + ns;
    c->up.free_ns = c->down.free_ns = line->down_until_ns;
}

static void tick(struct sim *s, struct line *line, bool acts)
{
    struct person *both[] = {&line->a, &line->b};
    for (size_t i = 0; i < 2; i++) {
        check(s, both[i]);
        if (acts) act(s, both[i]);
        speak(s, line, both[i]);
        take_datagrams(s, both[i]);
    }
    sim_run(s, TICK_NS);
}

static void story_calls(struct sim *s)
{
    sim_draw_weather(s);
    if (s->weather.bytes_per_s > 0 && s->weather.bytes_per_s < 200000) s->weather.bytes_per_s = 200000;
    struct sim_call *c = sim_call(s, &s->alice, &s->bob);
    sim_establish(s, c);
    struct line *line = new_line(s, c);
    sim_chat(&c->caller, 10, 2 * SIM_SECOND);
    sim_chat(&c->callee, 10, 2 * SIM_SECOND);
    for (int i = 0; i < 30 * 50; i++) {
        if (chance(s, 300)) line->a.blocked = !line->a.blocked;
        if (chance(s, 300)) line->b.blocked = !line->b.blocked;
        if (chance(s, 700) && s->now.mono_ns > line->down_until_ns + 3 * SIM_SECOND)
            go_down(s, line, c, sim_draw(s, 1, 6 * SIM_SECOND));
        if (chance(s, 400)) age_keys(c);
        tick(s, line, true);
        SIM_CHECK(s, c->caller.link != NULL && c->callee.link != NULL); /* nothing of all this ends a session */
    }
    /* nobody does anything more: what each thinks of the other becomes true, and it is one call or none */
    line->a.blocked = line->b.blocked = false;
    bool agree = false;
    for (int i = 0; i < 65 * 50 && !agree; i++) {
        tick(s, line, false);
        SIM_CHECK(s, c->caller.link != NULL && c->callee.link != NULL);
        agree = state_of(&line->a) == PSST_CALL_NONE && state_of(&line->b) == PSST_CALL_NONE;
        if (state_of(&line->a) != PSST_CALL_ACTIVE || state_of(&line->b) != PSST_CALL_ACTIVE) continue;
        size_t a = line->a.heard_udp + line->a.heard_tcp, b = line->b.heard_udp + line->b.heard_tcp;
        for (int k = 0; k < 100; k++) tick(s, line, false);
        agree = line->a.heard_udp + line->a.heard_tcp > a && line->b.heard_udp + line->b.heard_tcp > b;
    }
    SIM_CHECK(s, agree);
    free(line);
}

/* The line fails for seconds during a call, longer than anybody likes and less than 12 s: the call is still there. */
static void story_outage(struct sim *s)
{
    s->weather.delay_ns = sim_draw(s, 0, 200000000);
    struct sim_call *c = sim_call(s, &s->alice, &s->bob);
    sim_establish(s, c);
    struct line *line = new_line(s, c);
    line->loss = sim_draw(s, 0, 20);
    line->a.wanted = line->b.wanted = true;
    SIM_CHECK(s, psst_link_call_offer(c->caller.link, s->now, 100) == PSST_OK);
    sim_run(s, SIM_SECOND);
    line->b.wanted = true;
    SIM_CHECK(s, psst_link_call_accept(c->callee.link, s->now) == PSST_OK);
    for (int i = 0; i < 100; i++) tick(s, line, false);
    go_down(s, line, c, sim_draw(s, 2 * SIM_SECOND, 10 * SIM_SECOND));
    if (chance(s, 2)) age_keys(c); /* R1 is on its way when the line fails */
    while (s->now.mono_ns < line->down_until_ns) tick(s, line, false);
    for (int i = 0; i < 50; i++) tick(s, line, false);
    size_t a = line->a.heard_udp, b = line->b.heard_udp;
    for (int i = 0; i < 100; i++) tick(s, line, false);
    SIM_CHECK(s, state_of(&line->a) == PSST_CALL_ACTIVE && state_of(&line->b) == PSST_CALL_ACTIVE);
    SIM_CHECK(s, line->a.heard_udp - a > 60 && line->b.heard_udp - b > 60);
    free(line);
}

/* He has a key, knows every chunk, and sends what he likes. Nobody here dials or answers. */
static void story_evil(struct sim *s)
{
    struct sim_call *c = sim_call(s, &s->alice, &s->bob);
    sim_establish(s, c);
    struct line *line = new_line(s, c);
    c->caller.on_call = NULL;
    struct person *victim = &line->b;
    for (int i = 0; i < 500 && c->callee.link != NULL; i++) {
        static const uint8_t lens[] = {1, 7, 1, 5, 2, 2, 2, 6};
        uint8_t data[200] = {0};
        s->rng.fill(s->rng.ctx, data, 8);
        data[0] = (uint8_t)sim_draw(s, 1, 7);
        if (data[0] == PSST_CALL_KIND_OFFER) data[5] = 0;
        if (data[0] == PSST_CALL_KIND_OFFER) data[6] = 100;
        if (data[0] == PSST_CALL_KIND_RECEIVING) data[1] &= 1;
        if (chance(s, 2))
            sim_send_chunk(s, &c->caller, PSST_CHUNK_CALL, data, lens[data[0]]);
        else
            sim_send_chunk(s, &c->caller, PSST_CHUNK_VOICE, data, 100);
        sim_run(s, sim_draw(s, 0, 3 * SIM_SECOND));
        if (c->callee.link == NULL || c->caller.link == NULL) break;
        check(s, victim);
        SIM_CHECK(s, state_of(victim) == PSST_CALL_NONE || state_of(victim) == PSST_CALL_RINGING_HERE);
        uint64_t minutes = (s->now.mono_ns - c->callee.established_ns) / (60 * SIM_SECOND);
        SIM_CHECK(s, victim->offers <= 6 * (minutes + 1) + 6);
    }
    SIM_CHECK(s, victim->heard_tcp == 0);
    SIM_CHECK(s, c->callee.ended == 0 || c->callee.end == PSST_END_TAMPERED);
    free(line);
}

SIM_SCENARIO(calls__on_bad_lines__are_one_call_or_none, story_calls, 60)
SIM_SCENARIO(outage__of_seconds__is_outlived, story_outage, 40)
SIM_SCENARIO(evil_peer__with_any_chunks__opens_no_microphone, story_evil, 40)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls__on_bad_lines__are_one_call_or_none),
        cmocka_unit_test(outage__of_seconds__is_outlived),
        cmocka_unit_test(evil_peer__with_any_chunks__opens_no_microphone),
    };
    if (psst_crypto_init(0) != PSST_OK) return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
