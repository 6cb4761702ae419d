#include "talk.h"

void talk_begin(struct talk *t, struct pair *p)
{
    *t = (struct talk){.pair = p, .ab = true, .ba = true};
    assert_int_equal(psst_link_call_offer(p->a.link, p->now, TALK_FRAME), PSST_OK);
    pair_settle(p);
    assert_int_equal(psst_link_call_accept(p->b.link, p->now), PSST_OK);
    pair_settle(p);
    assert_int_equal(psst_link_call_state(p->a.link), PSST_CALL_ACTIVE);
    assert_int_equal(psst_link_call_state(p->b.link), PSST_CALL_ACTIVE);
    memset(p->a.count, 0, sizeof p->a.count);
    memset(p->b.count, 0, sizeof p->b.count);
}

struct talk_datagram talk_frame(struct talk *t, struct pair_end *from)
{
    struct talk_datagram d = {.len = 99};
    t->timestamp += 960;
    assert_int_equal(psst_link_voice(from->link, t->pair->now, t->timestamp, psst_view_str("opus"), d.data, &d.len),
                     PSST_OK);
    assert_true(d.len == 0 || d.len == TALK_DATAGRAM);
    return d;
}

enum psst_err talk_take(struct pair *p, struct pair_end *to, const struct talk_datagram *d)
{
    uint8_t frame[PSST_CALL_FRAME_MAX];
    struct psst_voice_frame out;
    enum psst_err err = psst_link_datagram(to->link, p->now, psst_view(d->data, d->len), frame, &out);
    if (err == PSST_OK) assert_true(psst_view_equal(out.opus, psst_view_str("opus")));
    return err;
}

static void speak(struct talk *t, struct pair_end *from, bool arrives)
{
    size_t who = from == &t->pair->a ? 0 : 1;
    struct talk_datagram d = talk_frame(t, from);
    if (d.len == 0) return;
    t->by_udp[who]++;
    if (!arrives) return;
    assert_int_equal(talk_take(t->pair, pair_other(t->pair, from), &d), PSST_OK);
    t->taken_by_udp[who]++;
}

void talk_for(struct talk *t, uint64_t ns)
{
    struct pair *p = t->pair;
    for (uint64_t until_ns = p->now.mono_ns + ns; p->now.mono_ns < until_ns;) {
        if (psst_link_call_state(p->a.link) == PSST_CALL_ACTIVE) speak(t, &p->a, t->ab);
        if (psst_link_call_state(p->b.link) == PSST_CALL_ACTIVE) speak(t, &p->b, t->ba);
        pair_pass(p, TALK_STEP_NS);
    }
}

enum psst_voice_way talk_way(struct pair *p, struct pair_end *end)
{
    end->link->now = p->now;
    return psst_link_call_way(end->link);
}

void talk_age_keys(struct pair *p)
{
    p->a.link->session.timers.keys_bytes = PSST_REKEY_BYTES;
}
