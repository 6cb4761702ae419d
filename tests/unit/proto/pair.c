#include "pair.h"

static void init_end(struct pair_end *e, const char *key, const char *contact, uint64_t seed)
{
    memset(e, 0, sizeof *e);
    e->key = vectors_private_key(key);
    e->contact = vectors_public_key(contact);
    e->rng_state = det_rng(seed);
    e->rng = det_rng_of(&e->rng_state);
    e->config.self = psst_rsa_private_public(e->key);
    e->config.rng = &e->rng;
    e->admit = e->decapsulates = e->acks = true;
}

void pair_init(struct pair *p)
{
    init_end(&p->a, "a1024", "b1024", 1);
    init_end(&p->b, "b1024", "a1024", 2);
    p->a.config.features = psst_view("\1\1\7", 3);
    p->b.config.features = psst_view("\2\0", 2);
    p->now = (struct psst_now){.mono_ns = 1000 * PSST_SECOND_NS, .unix_ms = UINT64_C(1750000000000)};
    p->a_to_b = p->b_to_a = true;
    assert_int_equal(psst_link_call(&p->a.link, &p->a.config, p->a.contact, &p->a.psk, p->now), PSST_OK);
    assert_int_equal(psst_link_accept(&p->b.link, &p->b.config, p->now), PSST_OK);
}

static void fini_end(struct pair_end *e)
{
    psst_link_free(e->link);
    psst_rsa_public_free(e->contact);
    psst_rsa_private_free(e->key);
}

void pair_fini(struct pair *p)
{
    fini_end(&p->a);
    fini_end(&p->b);
}

struct pair_end *pair_other(struct pair *p, struct pair_end *e)
{
    return e == &p->a ? &p->b : &p->a;
}

/* ---- one end's turn ---- */

static struct psst_view keep(void *place, size_t size, struct psst_view v)
{
    assert_true(v.len <= size);
    if (v.len > 0) memcpy(place, v.data, v.len);
    return psst_view(place, v.len);
}

static void note(struct pair_end *e, const struct psst_event *ev)
{
    struct psst_event *last = &e->last[ev->type];
    e->count[ev->type]++;
    *last = *ev;
    if (ev->type == PSST_EV_DECAPSULATE) {
        memcpy(e->x, ev->x, sizeof e->x);
        last->x = e->x;
    }
    last->text.utf8 = keep(e->text, sizeof e->text - 1, ev->text.utf8);
    if (ev->type == PSST_EV_TEXT) e->text[ev->text.utf8.len] = '\0';
    last->ids = keep(e->ids, sizeof e->ids, ev->ids);
    last->file.data = keep(e->data, sizeof e->data, ev->file.data);
    last->file.name = keep(e->name, sizeof e->name, ev->file.name);
    last->voice.opus = keep(e->opus, sizeof e->opus, ev->voice.opus);
    last->presence.utf8 = keep(e->presence, sizeof e->presence, ev->presence.utf8);
}

static void answer(struct pair *p, struct pair_end *e, const struct psst_event *ev)
{
    if (ev->type == PSST_EV_TEXT && e->acks) {
        enum psst_err err = psst_link_ack(e->link, p->now, &ev->text.id);
        assert_true(err == PSST_OK || e->tolerant);
    }
    if (e->leave_open) return;
    if (ev->type == PSST_EV_ADMIT) psst_link_admit(e->link, e->admit);
    if (ev->type == PSST_EV_CONTACT && !e->contact_late) psst_link_contact(e->link, e->contact, &e->psk);
    if (ev->type == PSST_EV_DECAPSULATE) {
        struct psst_kem_secret secret;
        bool ok = e->decapsulates && psst_kem_decapsulate(e->key, "z", ev->x, &secret) == PSST_OK;
        psst_link_decapsulated(e->link, ok ? &secret : NULL);
    }
}

static void turn(struct pair *p, struct pair_end *e)
{
    struct psst_event ev;
    for (psst_link_next(e->link, p->now, &ev); ev.type != PSST_EV_NONE; psst_link_next(e->link, p->now, &ev)) {
        note(e, &ev);
        answer(p, e, &ev);
    }
}

void pair_inject(struct pair *p, struct pair_end *to, const void *data, size_t len)
{
    static uint8_t scratch[2 * PSST_RECORD_MAX];
    const uint8_t *at = data;
    while (len > 0) {
        struct psst_span space = psst_link_space(to->link, (struct psst_span){scratch, sizeof scratch});
        size_t n = len < space.len ? len : space.len;
        if (to->piece > 0 && n > to->piece) n = to->piece;
        assert_true(n > 0);
        memcpy(space.data, at, n);
        psst_link_received(to->link, space.data, n);
        at += n;
        len -= n;
        turn(p, to);
        memset(scratch, 0xee, sizeof scratch); /* it is the driver's again */
    }
}

/* What from has put out goes to the other; whether anything did. */
static bool carry(struct pair *p, struct pair_end *from)
{
    struct pair_end *to = pair_other(p, from);
    bool carries = from == &p->a ? p->a_to_b : p->b_to_a;
    struct psst_view out = psst_link_output(from->link);
    if (out.len == 0 || !carries || !psst_link_wants_input(to->link)) return false;
    static uint8_t copy[2 * PSST_LINK_OUTPUT_MAX];
    size_t len = out.len;
    assert_true(len <= sizeof copy);
    memcpy(copy, out.data, len);
    psst_link_sent(from->link, len);
    from->bytes_out += len;
    pair_inject(p, to, copy, len);
    return true;
}

void pair_settle(struct pair *p)
{
    bool moved = true;
    while (moved) {
        turn(p, &p->a);
        turn(p, &p->b);
        moved = carry(p, &p->a);
        moved |= carry(p, &p->b);
    }
    turn(p, &p->a);
    turn(p, &p->b);
}

void pair_pass(struct pair *p, uint64_t ns)
{
    uint64_t until = p->now.mono_ns + ns;
    pair_settle(p);
    for (;;) {
        uint64_t a = psst_link_deadline(p->a.link), b = psst_link_deadline(p->b.link), next = a < b ? a : b;
        if (next > until) break;
        assert_true(next > p->now.mono_ns); /* whatever is due has been worked off */
        p->now.unix_ms += (next - p->now.mono_ns) / 1000000;
        p->now.mono_ns = next;
        pair_settle(p);
    }
    p->now.unix_ms += (until - p->now.mono_ns) / 1000000;
    p->now.mono_ns = until;
    pair_settle(p);
}

void pair_establish(struct pair *p)
{
    pair_pass(p, PSST_M4_DELAY_NS);
    assert_true(psst_link_established(p->a.link));
    assert_true(psst_link_established(p->b.link));
    assert_int_equal(p->a.count[PSST_EV_ESTABLISHED], 1);
    assert_int_equal(p->b.count[PSST_EV_ESTABLISHED], 1);
}

/* ---- sending ---- */

enum psst_err pair_say(struct pair *p, struct pair_end *from, uint64_t number, const char *utf8)
{
    struct psst_text text = {.time_ms = p->now.unix_ms, .utf8 = psst_view_str(utf8)};
    psst_store_u64(text.id.b + 8, number);
    return psst_link_text(from->link, p->now, &text);
}

void pair_send_chunk(struct pair *p, struct pair_end *from, uint8_t id, const void *data, size_t len)
{
    assert_true(psst_link_established(from->link));
    assert_int_equal(psst_session_send(&from->link->session, p->now.mono_ns, id, psst_view(data, len)), PSST_OK);
}

void pair_assert_ended(const struct pair_end *e, enum psst_link_end end)
{
    assert_int_equal(e->count[PSST_EV_ENDED], 1);
    assert_int_equal(e->last[PSST_EV_ENDED].end, end);
}
