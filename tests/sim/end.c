/* One end of a call: the driver of a link, as the daemon's is, and a small application on top. */
#include "sim.h"

static uint8_t scratch[256 * 1024];

/* ---- what is said ---- */

static uint64_t mix(uint64_t a, uint64_t b)
{
    struct det_rng d = det_rng(a ^ (b * UINT64_C(0x9e3779b97f4a7c15)));
    struct psst_rng rng = det_rng_of(&d);
    uint8_t out[8];
    rng.fill(rng.ctx, out, sizeof out);
    return psst_load_u64(out);
}

/* Text number i of this speaker: mostly short, now and then as long as may be. */
static struct psst_text speech(const struct sim *s, const struct sim_person *speaker, size_t i)
{
    static uint8_t body[PSST_TEXT_MAX];
    uint64_t who = speaker == &s->alice ? 1 : 2, h = mix(s->seed + who, i);
    struct psst_text text = {.time_ms = h};
    psst_store_u64(text.id.b, who);
    psst_store_u64(text.id.b + 8, i);
    size_t longest = s->longest, len = 1 + (size_t)(h % (h >> 60 == 0 ? longest : longest < 40 ? longest : 40));
    for (size_t k = 0; k < len; k++) body[k] = (uint8_t)('a' + (h >> (k % 50)) % 26);
    text.utf8 = psst_view(body, len);
    return text;
}

/* Byte k of file data. */
static uint8_t bulk_byte(uint64_t k)
{
    return (uint8_t)(k * 31 + (k >> 11));
}

void sim_chat(struct sim_end *e, size_t n, uint64_t every_ns)
{
    e->to_say += n;
    e->say_every_ns = every_ns;
}

/* ---- questions ---- */

static void ask(struct sim *s, struct sim_end *e, const struct psst_event *ev)
{
    SIM_CHECK(s, e->question.type == PSST_EV_NONE);
    e->question.type = ev->type;
    e->question.at_ns = s->now.mono_ns + sim_draw(s, 0, e->self->thinks_ns);
    e->question.day = ev->day;
    e->question.fpr = ev->fpr;
    memcpy(e->question.mac, ev->mac, sizeof ev->mac);
    if (ev->type == PSST_EV_DECAPSULATE) memcpy(e->question.x, ev->x, PSST_KEM_LEN);
}

static void answer_contact(struct sim_end *e)
{
    const struct sim_person *known = e->self->knows;
    bool is_known = known != NULL && memcmp(psst_rsa_public_fpr(known->pub)->b, e->question.fpr.b, 32) == 0;
    if (e->self->silent)
        psst_link_silent(e->link);
    else
        psst_link_contact(e->link, is_known ? known->pub : NULL, &e->self->psk);
}

static void answer(struct sim *s, struct sim_end *e)
{
    enum psst_event_type type = e->question.type;
    e->question.type = PSST_EV_NONE;
    if (type == PSST_EV_ADMIT) {
        uint64_t today = s->now.unix_ms / 86400000;
        enum psst_err err = psst_replay_cache_add(e->self->seen, e->question.mac, e->question.day, today);
        psst_link_admit(e->link, err == PSST_OK);
    } else if (type == PSST_EV_CONTACT) {
        answer_contact(e);
    } else {
        struct psst_kem_secret secret;
        enum psst_err err = psst_kem_decapsulate(e->self->key, "z", e->question.x, &secret);
        psst_link_decapsulated(e->link, err == PSST_OK ? &secret : NULL);
    }
}

/* ---- duplicates: what the daemon does when a session completes ---- */

static void cut_duplicates(struct sim *s, struct sim_end *newer)
{
    for (size_t i = 0; i < s->n_calls; i++) {
        struct sim_end *ends[] = {&s->calls[i]->caller, &s->calls[i]->callee};
        for (size_t k = 0; k < 2; k++) {
            struct sim_end *older = ends[k];
            if (older == newer || older->self != newer->self || older->link == NULL) continue;
            if (!psst_link_established(older->link)) continue;
            enum psst_duplicate_verdict v =
                psst_duplicate_decide(psst_rsa_public_fpr(newer->self->pub), psst_rsa_public_fpr(newer->other->pub),
                                      psst_link_times(older->link), psst_link_times(newer->link));
            if (v == PSST_DUPLICATE_CLOSE_OLD) sim_bye(s, older, PSST_BYE_DUPLICATE);
            if (v == PSST_DUPLICATE_CLOSE_NEW) sim_bye(s, newer, PSST_BYE_DUPLICATE);
        }
    }
}

/* ---- events ---- */

static void on_text(struct sim *s, struct sim_end *e, const struct psst_event *ev)
{
    struct psst_text want = speech(s, e->other, e->heard);
    SIM_CHECK(s, memcmp(ev->text.id.b, want.id.b, sizeof want.id.b) == 0);
    SIM_CHECK(s, ev->text.time_ms == want.time_ms);
    SIM_CHECK(s, psst_view_equal(ev->text.utf8, want.utf8));
    e->heard++;
    if (e->to_ack.len == 0) e->ack_ns = s->now.mono_ns + sim_draw(s, 0, e->self->thinks_ns);
    psst_buf_put(&e->to_ack, ev->text.id.b, sizeof ev->text.id.b);
}

static void on_ack(struct sim *s, struct sim_end *e, const struct psst_event *ev)
{
    uint64_t who = e->self == &s->alice ? 1 : 2;
    for (size_t i = 0; i < ev->ids.len; i += 16) {
        if (psst_load_u64(ev->ids.data + i) != who || psst_load_u64(ev->ids.data + i + 8) >= e->said)
            e->strange_acks++;
        else
            e->acked++;
    }
}

static void on_file(struct sim *s, struct sim_end *e, const struct psst_event *ev)
{
    if (ev->file.kind != PSST_FILE_DATA) return;
    SIM_CHECK(s, ev->file.offset == e->bulk_heard);
    bool right = true;
    for (size_t k = 0; k < ev->file.data.len; k++) right &= ev->file.data.data[k] == bulk_byte(e->bulk_heard + k);
    SIM_CHECK(s, right);
    e->bulk_heard += ev->file.data.len;
}

static void on_ended(struct sim *s, struct sim_end *e, const struct psst_event *ev)
{
    e->ended++;
    e->end = ev->end;
    e->reason = ev->reason;
    e->ended_ns = s->now.mono_ns;
    psst_link_free(e->link);
    e->link = NULL;
    e->question.type = PSST_EV_NONE;
    net_close(e->out, s->now.mono_ns);
}

static void handle(struct sim *s, struct sim_end *e, const struct psst_event *ev)
{
    switch (ev->type) {
    case PSST_EV_NONE: break;
    case PSST_EV_ADMIT:
    case PSST_EV_DECAPSULATE:
    case PSST_EV_CONTACT: ask(s, e, ev); break;
    case PSST_EV_FAILED:
        e->failed++;
        e->failed_ns = s->now.mono_ns;
        e->question.type = PSST_EV_NONE;
        break;
    case PSST_EV_ESTABLISHED:
        SIM_CHECK(s, e->other != NULL && memcmp(ev->fpr.b, psst_rsa_public_fpr(e->other->pub)->b, 32) == 0);
        e->established++;
        e->established_ns = s->now.mono_ns;
        e->say_ns = s->now.mono_ns;
        if (e->self->one_session) cut_duplicates(s, e);
        break;
    case PSST_EV_TEXT: on_text(s, e, ev); break;
    case PSST_EV_ACK: on_ack(s, e, ev); break;
    case PSST_EV_NOT_ACCEPTED: e->refused++; break;
    case PSST_EV_READ: break;
    case PSST_EV_FILE: on_file(s, e, ev); break;
    case PSST_EV_PRESENCE:
        e->presences++;
        e->presence.state = ev->presence.state;
        break;
    case PSST_EV_MEET:
        e->meets++;
        e->meet = ev->meet;
        break;
    case PSST_EV_CALL:
    case PSST_EV_VOICE:
        if (e->on_call != NULL) e->on_call(s, e, ev);
        break;
    case PSST_EV_PONG: e->pongs++; break;
    case PSST_EV_REKEYED: e->rekeyed++; break;
    case PSST_EV_ENDED: on_ended(s, e, ev); break;
    }
}

/* ---- the application's turn ---- */

static void say_one(struct sim *s, struct sim_end *e)
{
    struct psst_text text = speech(s, e->self, e->said);
    enum psst_err err = psst_link_text(e->link, s->now, &text);
    SIM_CHECK(s, err == PSST_OK || err == PSST_ERR_AGAIN || err == PSST_ERR_USAGE); /* USAGE: after our own bye */
    if (err == PSST_OK) e->said++;
    e->say_ns = s->now.mono_ns + sim_draw(s, 1, 2 * e->say_every_ns + 1);
}

static void acknowledge(struct sim *s, struct sim_end *e)
{
    for (size_t i = 0; i < e->to_ack.len; i += 16) {
        struct psst_msg_id id;
        memcpy(id.b, e->to_ack.data + i, sizeof id.b);
        (void)!psst_link_ack(e->link, s->now, &id); /* USAGE after our own bye */
    }
    e->to_ack.len = 0;
}

static void send_bulk(struct sim *s, struct sim_end *e)
{
    struct psst_msg_id id = {{1}};
    struct psst_span place;
    while (e->bulk_sent < e->bulk && psst_link_file_data_begin(e->link, &place) == PSST_OK) {
        uint64_t left = e->bulk - e->bulk_sent;
        size_t n = left < place.len ? (size_t)left : place.len;
        for (size_t k = 0; k < n; k++) place.data[k] = bulk_byte(e->bulk_sent + k);
        SIM_CHECK(s, psst_link_file_data_commit(e->link, s->now, &id, e->bulk_sent, n) == PSST_OK);
        e->bulk_sent += n;
    }
}

static bool says_now(const struct sim *s, const struct sim_end *e)
{
    return e->said < e->to_say && s->now.mono_ns >= e->say_ns;
}

static bool acks_now(const struct sim *s, const struct sim_end *e)
{
    return e->to_ack.len > 0 && s->now.mono_ns >= e->ack_ns;
}

/* Out of itself: later data follows as the output drains. */
static bool bulk_now(const struct sim_end *e)
{
    return e->bulk > 0 && e->bulk_sent == 0;
}

static void talk(struct sim *s, struct sim_end *e)
{
    if (!psst_link_established(e->link)) return;
    while (says_now(s, e)) say_one(s, e);
    if (acks_now(s, e)) acknowledge(s, e);
    send_bulk(s, e);
}

/* ---- the driver ---- */

static bool flush(struct sim *s, struct sim_end *e)
{
    bool moved = false;
    for (;;) {
        struct psst_view out = psst_link_output(e->link);
        size_t n = out.len > 0 ? net_write(e->out, s->now.mono_ns, out) : 0;
        if (n == 0) return moved;
        psst_link_sent(e->link, n);
        e->last_out_ns = s->now.mono_ns;
        moved = true;
    }
}

static void turn(struct sim *s, struct sim_end *e)
{
    struct psst_event ev = {.type = PSST_EV_ENDED};
    while (e->link != NULL && ev.type != PSST_EV_NONE) {
        psst_link_next(e->link, s->now, &ev);
        handle(s, e, &ev);
    }
    if (e->link == NULL) return;
    talk(s, e);
    (void)flush(s, e);
    /* the network's other direction is gone with this one */
    if (e->out->end_ns != NET_NEVER) net_close(e->in, s->now.mono_ns);
}

static bool reads(const struct sim_end *e)
{
    return !e->deaf && psst_link_wants_input(e->link);
}

static bool receive(struct sim *s, struct sim_end *e)
{
    uint64_t now_ns = s->now.mono_ns;
    if (net_readable(e->in, now_ns) && reads(e)) {
        struct psst_span space = psst_link_space(e->link, (struct psst_span){scratch, e->scratch_len});
        size_t n = net_read(e->in, now_ns, space.data, space.len);
        psst_link_received(e->link, space.data, n);
        return true;
    }
    if (net_ended(e->in, now_ns) && !e->ended_input && !e->deaf) {
        e->ended_input = true;
        psst_link_eof(e->link);
        return true;
    }
    return false;
}

bool sim_end_step(struct sim *s, struct sim_end *e)
{
    if (e->link == NULL) return false;
    uint64_t now_ns = s->now.mono_ns;
    bool due = psst_link_deadline(e->link) <= now_ns;
    if (e->question.type != PSST_EV_NONE && e->question.at_ns <= now_ns) {
        answer(s, e);
        due = true;
    }
    due |= receive(s, e);
    if (psst_link_established(e->link)) due |= says_now(s, e) || acks_now(s, e) || bulk_now(e);
    if (due) {
        turn(s, e);
        memset(scratch, 0xee, e->scratch_len < 2048 ? e->scratch_len : 2048); /* it is ours again */
        return true;
    }
    /* the window may have opened */
    if (!flush(s, e)) return false;
    turn(s, e);
    return true;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

uint64_t sim_end_next(const struct sim_end *e)
{
    if (e->link == NULL) return NET_NEVER;
    uint64_t next = psst_link_deadline(e->link);
    if (e->question.type != PSST_EV_NONE) next = earlier(next, e->question.at_ns);
    bool data = e->in->first != NULL;
    if (data ? reads(e) : !e->ended_input && !e->deaf) next = earlier(next, net_next(e->in));
    if (!psst_link_established(e->link)) return next;
    if (e->said < e->to_say) next = earlier(next, e->say_ns);
    if (e->to_ack.len > 0) next = earlier(next, e->ack_ns);
    return bulk_now(e) ? 0 : next;
}
