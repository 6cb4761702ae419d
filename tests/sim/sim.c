#include "sim.h"

#include "support/vectors.h"

#include <stdio.h>

#define SCRATCH_MAX       (256 * 1024)
#define STEPS_AT_ONE_TIME 3000000 /* more than any story takes: the driver would be spinning */

/* ---- the story's frame ---- */

void sim_fail(const struct sim *s, const char *file, int line, const char *what)
{
    fail_msg("%s, seed %llu, at %.3f s: %s (%s:%d)", s->story, (unsigned long long)s->seed,
             (double)(s->now.mono_ns - 1000 * SIM_SECOND) / 1e9, what, file, line);
    abort(); /* not reached */
}

uint64_t sim_draw(struct sim *s, uint64_t lo, uint64_t hi)
{
    return psst_rng_range(&s->rng, lo, hi);
}

/* Loading a key takes as long as a whole handshake. */
struct key_pair {
    struct psst_rsa_private *key;
    struct psst_rsa_public *pub;
};

static const struct key_pair *key_named(const char *name)
{
    static struct key_pair a, b;
    struct key_pair *pair = strcmp(name, "a1024") == 0 ? &a : &b;
    if (pair->key == NULL) {
        pair->key = vectors_private_key(name);
        pair->pub = vectors_public_key(name);
    }
    return pair;
}

static void init_person(struct sim *s, struct sim_person *p, const char *key, uint64_t seed)
{
    p->sim = s;
    p->key = key_named(key)->key;
    p->pub = key_named(key)->pub;
    p->rng_state = det_rng(seed);
    p->rng = det_rng_of(&p->rng_state);
    p->config = (struct psst_link_config){.self = p->pub, .rng = &p->rng};
    p->seen = psst_replay_cache_new();
    p->thinks_ns = sim_draw(s, 0, 20000000);
    SIM_CHECK(s, p->seen != NULL);
}

static void init_sim(struct sim *s, const char *story, uint64_t seed)
{
    *s = (struct sim){.story = story, .seed = seed, .longest = 300};
    s->rng_state = det_rng(seed);
    s->rng = det_rng_of(&s->rng_state);
    s->now = (struct psst_now){.mono_ns = 1000 * SIM_SECOND, .unix_ms = UINT64_C(1750000000000)};
    s->weather = (struct net_weather){.window = 65536, .pieces = NET_WHOLE};
    const struct psst_fpr *a = psst_rsa_public_fpr(key_named("a1024")->pub);
    const struct psst_fpr *b = psst_rsa_public_fpr(key_named("b1024")->pub);
    bool a_first = memcmp(a->b, b->b, sizeof a->b) < 0;
    init_person(s, &s->alice, a_first ? "a1024" : "b1024", seed ^ UINT64_C(0xa11ce0000000000));
    init_person(s, &s->bob, a_first ? "b1024" : "a1024", seed ^ UINT64_C(0xb0b00000000000));
    s->alice.knows = &s->bob;
    s->bob.knows = &s->alice;
}

static void fini_end(struct sim_end *e)
{
    psst_link_free(e->link);
    psst_buf_fini(&e->to_ack);
}

static void fini_sim(struct sim *s)
{
    for (size_t i = 0; i < s->n_calls; i++) {
        fini_end(&s->calls[i]->caller);
        fini_end(&s->calls[i]->callee);
        net_fini(&s->calls[i]->up);
        net_fini(&s->calls[i]->down);
        free(s->calls[i]);
    }
    psst_replay_cache_free(s->alice.seen);
    psst_replay_cache_free(s->bob.seen);
}

static void tell_once(const char *name, sim_story *story, uint64_t seed)
{
    struct sim s;
    init_sim(&s, name, seed);
    story(&s);
    fini_sim(&s);
}

static uint64_t from_environment(const char *name, uint64_t otherwise)
{
    const char *value = getenv(name);
    return value != NULL ? strtoull(value, NULL, 10) : otherwise;
}

void sim_tell(const char *name, sim_story *story, uint64_t seeds)
{
    uint64_t only = from_environment("PSST_SIM_SEED", UINT64_MAX);
    if (only != UINT64_MAX) {
        tell_once(name, story, only);
        return;
    }
    seeds *= from_environment("PSST_SIM_TIMES", 1);
    for (uint64_t seed = 0; seed < seeds; seed++) tell_once(name, story, seed);
}

void sim_draw_weather(struct sim *s)
{
    static const uint64_t rates[] = {0, 64000, 200000, 10000000};
    static const size_t windows[] = {5000, 16384, 65536, 262144};
    s->weather = (struct net_weather){
        .delay_ns = sim_draw(s, 0, 300000000),
        .jitter_ns = sim_draw(s, 0, 300000000),
        .bytes_per_s = rates[sim_draw(s, 0, 3)],
        .window = windows[sim_draw(s, 0, 3)],
        .pieces = sim_draw(s, 0, 1) ? NET_RANDOM : NET_WHOLE,
    };
}

/* ---- calls ---- */

static void init_end(struct sim *s, struct sim_end *e, struct sim_person *self, struct sim_person *other)
{
    static const size_t scratch[] = {64, 1500, 65536, SCRATCH_MAX};
    e->self = self;
    e->other = other;
    e->scratch_len = scratch[sim_draw(s, 0, 3)];
    e->begun_ns = s->now.mono_ns;
    psst_buf_init(&e->to_ack, 1 << 20);
}

static struct sim_call *new_call(struct sim *s, struct sim_person *from, struct sim_person *to)
{
    SIM_CHECK(s, s->n_calls < SIM_CALLS);
    struct sim_call *c = calloc(1, sizeof *c);
    SIM_CHECK(s, c != NULL);
    s->calls[s->n_calls++] = c;
    net_init(&c->up, &s->weather, &s->rng);
    net_init(&c->down, &s->weather, &s->rng);
    init_end(s, &c->caller, from, to);
    init_end(s, &c->callee, to, from);
    c->caller.out = c->callee.in = &c->up;
    c->callee.out = c->caller.in = &c->down;
    SIM_CHECK(s, psst_link_accept(&c->callee.link, &to->config, s->now) == PSST_OK);
    return c;
}

struct sim_call *sim_call(struct sim *s, struct sim_person *from, struct sim_person *to)
{
    struct sim_call *c = new_call(s, from, to);
    SIM_CHECK(s, psst_link_call(&c->caller.link, &from->config, to->pub, &from->psk, s->now) == PSST_OK);
    return c;
}

struct sim_call *sim_stranger(struct sim *s, struct sim_person *to)
{
    struct sim_call *c = new_call(s, NULL, to);
    c->down.taped = true;
    c->down.weather.window = 1 << 20;
    return c;
}

void sim_swallow(struct sim_call *c)
{
    c->up.black_hole = c->down.black_hole = true;
}

void sim_bye(struct sim *s, struct sim_end *e, uint8_t reason)
{
    if (e->link != NULL) psst_link_bye(e->link, s->now, reason);
}

void sim_send_chunk(struct sim *s, struct sim_end *e, uint8_t id, const void *data, size_t len)
{
    SIM_CHECK(s, e->link != NULL && psst_link_established(e->link));
    SIM_CHECK(s, psst_session_send(&e->link->session, s->now.mono_ns, id, psst_view(data, len)) == PSST_OK);
}

/* ---- the clock ---- */

static bool step_all(struct sim *s)
{
    bool moved = false;
    for (size_t i = 0; i < s->n_calls; i++) {
        moved |= sim_end_step(s, &s->calls[i]->caller);
        moved |= sim_end_step(s, &s->calls[i]->callee);
    }
    return moved;
}

static uint64_t next_time(const struct sim *s)
{
    uint64_t next = NET_NEVER;
    for (size_t i = 0; i < s->n_calls; i++) {
        uint64_t caller = sim_end_next(&s->calls[i]->caller), callee = sim_end_next(&s->calls[i]->callee);
        if (caller < next) next = caller;
        if (callee < next) next = callee;
    }
    return next;
}

static void go_to(struct sim *s, uint64_t ns)
{
    if (ns <= s->now.mono_ns) return;
    s->now.unix_ms += ns / 1000000 - s->now.mono_ns / 1000000;
    s->now.mono_ns = ns;
}

/* Everything that is due now. */
static void work_off(struct sim *s)
{
    size_t steps = 0;
    while (step_all(s)) SIM_CHECK(s, ++steps < STEPS_AT_ONE_TIME);
}

/* To the time when something happens next; false when that is after until. */
static bool advance(struct sim *s, uint64_t until_ns)
{
    uint64_t next = next_time(s);
    SIM_CHECK(s, next > s->now.mono_ns); /* what is due was worked off */
    go_to(s, next < until_ns ? next : until_ns);
    return next <= until_ns;
}

void sim_run(struct sim *s, uint64_t ns)
{
    uint64_t until_ns = s->now.mono_ns + ns;
    do work_off(s);
    while (advance(s, until_ns));
}

void sim_establish(struct sim *s, struct sim_call *c)
{
    uint64_t until_ns = s->now.mono_ns + PSST_HANDSHAKE_DEADLINE_NS;
    do work_off(s);
    while (!(c->caller.established && c->callee.established) && advance(s, until_ns));
    SIM_CHECK(s, c->caller.established == 1 && c->callee.established == 1);
}

bool sim_all_heard(const struct sim_end *from, const struct sim_end *to)
{
    return from->said == from->to_say && to->heard == from->said && from->acked == from->said &&
           from->bulk_sent == from->bulk && to->bulk_heard == from->bulk;
}

static bool talk_is_over(const struct sim_call *c)
{
    return sim_all_heard(&c->caller, &c->callee) && sim_all_heard(&c->callee, &c->caller);
}

void sim_run_talk(struct sim *s, struct sim_call *c, uint64_t at_most_ns)
{
    uint64_t until_ns = s->now.mono_ns + at_most_ns;
    do work_off(s);
    while (c->caller.link != NULL && c->callee.link != NULL && !talk_is_over(c) && advance(s, until_ns));
    SIM_CHECK(s, sim_all_heard(&c->caller, &c->callee));
    SIM_CHECK(s, sim_all_heard(&c->callee, &c->caller));
}
