/* A session that is already established, with the fuzzer as the peer who has the keys: its bytes are the bodies of sealed
 * records, mixed with the passing of time and with what our own user does. No RSA private operation: decapsulations are
 * answered with a constant, and records for the session are sealed with a copy of its own receiving state.
 *
 * input: u8 role, and whether questions stay open || operations: u8 which || its arguments
 * Whatever comes: no event breaks its own promise, the deadline is never in the past, and all that goes out are records that
 * open, each with exactly one chunk, padded as it must be. No call is active that our user has neither begun nor accepted, and no
 * datagram is taken twice.
 */
#include "fuzz.h"

#include "base/text.h"
#include "proto/call_internal.h"
#include "proto/link_internal.h"

#define EVENTS_A_TURN 100000 /* more for one piece of input: it turns on the spot */
#define SCRATCH_LEN   (PSST_RECORD_MAX + 64)

struct world {
    struct psst_link_config config;
    struct fuzz_rng rng_state;
    struct psst_rng rng;
    struct psst_now now;
    struct psst_link *link;
    struct psst_record_state reads; /* what the peer opens our records with */
    size_t checked;                 /* bytes of the output that have been */
    bool leave_open, over;
    bool wanted;    /* our user has dialled or accepted the call that there is */
    bool acks_full; /* more acknowledgements wait than a session keeps: it may end for want of memory */
};

/* ---- what goes out ---- */

static void check_body(struct world *w, struct psst_view body)
{
    struct psst_chunk chunk = {0};
    FUZZ_CHECK(psst_chunk_read(&chunk, body) == PSST_OK);
    size_t padded = psst_record_padded_len(PSST_CHUNK_HEAD_LEN + chunk.data.len);
    if (chunk.id == PSST_CHUNK_VOICE) padded = PSST_CHUNK_HEAD_LEN + chunk.data.len;
    FUZZ_CHECK(body.len == padded || body.len == PSST_RECORD_BODY_MAX);
    /* behind R2 or R3 our records have the new key */
    bool last = chunk.id == PSST_CHUNK_REKEY && (w->link->times.role == PSST_CALLEE || chunk.data.len == 0);
    if (last) psst_record_init(&w->reads, &w->link->session.out.key);
}

static void check_output(struct world *w)
{
    struct psst_view out = psst_link_output(w->link);
    static uint8_t record[PSST_RECORD_MAX];
    while (w->checked < out.len) {
        size_t left = out.len - w->checked, body_len = 0;
        const uint8_t *at = out.data + w->checked;
        FUZZ_CHECK(left >= PSST_RECORD_HEAD_LEN && psst_record_open_head(&w->reads, at, &body_len) == PSST_OK);
        size_t len = PSST_RECORD_HEAD_LEN + body_len + PSST_TAG_LEN;
        FUZZ_CHECK(len <= left);
        memcpy(record, at, len);
        FUZZ_CHECK(psst_record_open_body(&w->reads, record + PSST_RECORD_HEAD_LEN, body_len) == PSST_OK);
        check_body(w, psst_view(record + PSST_RECORD_HEAD_LEN, body_len));
        w->checked += len;
    }
}

static void take_output(struct world *w, size_t len)
{
    check_output(w);
    if (len > w->checked) len = w->checked;
    psst_link_sent(w->link, len);
    w->checked -= len;
}

/* ---- what is reported ---- */

static void check_call(struct world *w)
{
    enum psst_call_state state = psst_link_call_state(w->link);
    if (state == PSST_CALL_NONE || state == PSST_CALL_RINGING_HERE) w->wanted = false;
    if (state == PSST_CALL_ACTIVE) FUZZ_CHECK(w->wanted); /* the microphone is open */
    FUZZ_CHECK((state == PSST_CALL_NONE) == (psst_link_call_receiver_id(w->link) == 0));
    FUZZ_CHECK((state == PSST_CALL_NONE) == (psst_link_call_frame_size(w->link) == 0));
}

static void check_call_event(const struct world *w, const struct psst_call_chunk *c)
{
    enum psst_call_state state = psst_link_call_state(w->link);
    FUZZ_CHECK(c->kind <= PSST_CALL_KIND_REPORT);
    if (c->kind == PSST_CALL_KIND_OFFER) FUZZ_CHECK(state == PSST_CALL_RINGING_HERE);
    if (c->kind == PSST_CALL_KIND_RING) FUZZ_CHECK(state == PSST_CALL_RINGING_THERE);
    if (c->kind == PSST_CALL_KIND_DECLINE || c->kind == PSST_CALL_KIND_HANGUP) FUZZ_CHECK(state == PSST_CALL_NONE);
    if (c->kind == PSST_CALL_KIND_ACCEPT || c->kind >= PSST_CALL_KIND_RECEIVING) FUZZ_CHECK(state == PSST_CALL_ACTIVE);
}

static void check_event(const struct world *w, const struct psst_event *ev)
{
    switch (ev->type) {
    case PSST_EV_TEXT:
        FUZZ_CHECK(ev->text.utf8.len >= 1 && ev->text.utf8.len <= PSST_TEXT_MAX && psst_text_valid(ev->text.utf8));
        break;
    case PSST_EV_READ: FUZZ_CHECK(ev->ids.len <= 16 * PSST_RECEIPT_IDS_MAX); /* fall through */
    case PSST_EV_ACK: FUZZ_CHECK(ev->ids.len > 0 && ev->ids.len % 16 == 0); break;
    case PSST_EV_FILE:
        FUZZ_CHECK(ev->file.kind >= PSST_FILE_OFFER && ev->file.kind <= PSST_FILE_WINDOW);
        if (ev->file.kind == PSST_FILE_OFFER) FUZZ_CHECK(ev->file.name.len >= 1 && psst_text_valid(ev->file.name));
        if (ev->file.kind == PSST_FILE_DATA) FUZZ_CHECK(ev->file.data.len <= PSST_FILE_DATA_MAX);
        break;
    case PSST_EV_PRESENCE:
        FUZZ_CHECK(ev->presence.state >= 1 && ev->presence.state <= 3);
        FUZZ_CHECK(ev->presence.utf8.len <= PSST_PRESENCE_MAX && psst_text_valid(ev->presence.utf8));
        break;
    case PSST_EV_DECAPSULATE: FUZZ_CHECK(ev->x != NULL); break;
    case PSST_EV_ENDED:
        FUZZ_CHECK(ev->end != PSST_END_VOID_OVER && (ev->end != PSST_END_MEMORY || w->acks_full));
        break;
    case PSST_EV_CALL: check_call_event(w, &ev->call); break;
    case PSST_EV_VOICE:
        FUZZ_CHECK(psst_link_call_state(w->link) == PSST_CALL_ACTIVE);
        FUZZ_CHECK(ev->voice.opus.len + PSST_VOICE_FRAME_HEAD_LEN <= psst_link_call_frame_size(w->link));
        break;
    case PSST_EV_MEET:
    case PSST_EV_NOT_ACCEPTED:
    case PSST_EV_PONG:
    case PSST_EV_REKEYED: break;
    default: FUZZ_CHECK(false && "an event that no session has");
    }
}

static void acknowledge(struct world *w, const struct psst_msg_id *id)
{
    bool full = w->link->session.acks.len + sizeof id->b > PSST_LINK_OUTPUT_MAX;
    enum psst_err err = psst_link_ack(w->link, w->now, id);
    FUZZ_CHECK(err == PSST_OK || err == PSST_ERR_USAGE || (err == PSST_ERR_MEMORY && full));
    if (err == PSST_ERR_MEMORY) w->acks_full = true;
}

/* Events until there is none. */
static void settle(struct world *w)
{
    static const struct psst_kem_secret secret = {{42}};
    for (unsigned i = 0; i < EVENTS_A_TURN; i++) {
        struct psst_event ev;
        psst_link_next(w->link, w->now, &ev);
        if (ev.type == PSST_EV_NONE) {
            FUZZ_CHECK(psst_link_deadline(w->link) > w->now.mono_ns);
            check_output(w);
            check_call(w);
            return;
        }
        check_event(w, &ev);
        if (ev.type == PSST_EV_ENDED) {
            w->over = true;
            psst_link_next(w->link, w->now, &ev);
            FUZZ_CHECK(ev.type == PSST_EV_NONE && psst_link_output(w->link).len == 0);
            return;
        }
        check_output(w);
        if (ev.type == PSST_EV_DECAPSULATE && !w->leave_open) psst_link_decapsulated(w->link, &secret);
        if (ev.type == PSST_EV_TEXT) acknowledge(w, &ev.text.id);
    }
    FUZZ_CHECK(false && "no end of events");
}

/* ---- what comes in ---- */

static void receive(struct world *w, const uint8_t *data, size_t len)
{
    static uint8_t scratch[SCRATCH_LEN];
    while (len > 0 && !w->over && psst_link_wants_input(w->link)) {
        struct psst_span space = psst_link_space(w->link, (struct psst_span){scratch, sizeof scratch});
        size_t n = len < space.len ? len : space.len;
        FUZZ_CHECK(n > 0);
        memcpy(space.data, data, n);
        psst_link_received(w->link, space.data, n);
        settle(w);
        data += n;
        len -= n;
    }
}

/* One sealed record with this body, in one piece or two. */
static void receive_body(struct world *w, struct psst_view body, size_t padded, size_t first)
{
    static uint8_t record[PSST_RECORD_MAX];
    struct psst_record_state state = w->link->session.in;
    size_t len = PSST_RECORD_HEAD_LEN + padded + PSST_TAG_LEN;
    memset(record, 0, len);
    if (body.len > 0) memcpy(record + PSST_RECORD_HEAD_LEN, body.data, body.len);
    if (psst_record_seal(&state, record, padded) != PSST_OK) return; /* too short or too long to be one */
    first = first < len ? first : len;
    receive(w, record, first);
    if (!w->over && psst_link_established(w->link)) receive(w, record + first, len - first);
}

static void op_body(struct world *w, struct psst_view *input)
{
    size_t padded = fuzz_take_u16(input), first = fuzz_take_u16(input);
    struct psst_view body = fuzz_take_view(input, padded < PSST_RECORD_BODY_MAX ? padded : PSST_RECORD_BODY_MAX);
    if (padded >= PSST_RECORD_BODY_MIN && padded <= PSST_RECORD_BODY_MAX) receive_body(w, body, padded, first);
}

static void op_chunk(struct world *w, struct psst_view *input)
{
    static uint8_t body[PSST_RECORD_BODY_MAX];
    uint8_t id = fuzz_take_u8(input);
    size_t len = fuzz_take_u16(input);
    if (len > PSST_CHUNK_DATA_MAX) len = PSST_CHUNK_DATA_MAX;
    struct psst_view data = fuzz_take_view(input, len);
    psst_store_u32(body, (uint32_t)data.len);
    body[0] = id;
    if (data.len > 0) memcpy(body + PSST_CHUNK_HEAD_LEN, data.data, data.len);
    size_t chunk_len = PSST_CHUNK_HEAD_LEN + data.len;
    receive_body(w, psst_view(body, chunk_len), psst_record_padded_len(chunk_len), SIZE_MAX);
}

static void op_repeat(struct world *w, struct psst_view *input)
{
    unsigned times = fuzz_take_u8(input);
    struct psst_view start = *input;
    for (unsigned i = 0; i <= times && !w->over; i++) {
        *input = start;
        op_chunk(w, input);
    }
}

static void op_raw(struct world *w, struct psst_view *input)
{
    struct psst_view v = fuzz_take_view(input, fuzz_take_u16(input));
    receive(w, v.data, v.len);
}

static void op_time(struct world *w, struct psst_view *input)
{
    uint64_t ms = fuzz_take_u16(input);
    if (ms & 0x8000) ms = (ms & 0x7fff) * 1000; /* up to nine hours */
    w->now.mono_ns += ms * (PSST_SECOND_NS / 1000);
    w->now.unix_ms += ms;
}

static void op_deadline(struct world *w, struct psst_view *input)
{
    (void)input;
    uint64_t at = psst_link_deadline(w->link);
    if (at != PSST_NEVER && at > w->now.mono_ns) w->now.mono_ns = at;
}

static void op_eof(struct world *w, struct psst_view *input)
{
    (void)input;
    psst_link_eof(w->link);
}

static void op_decapsulated(struct world *w, struct psst_view *input)
{
    static const struct psst_kem_secret secret = {{43}};
    psst_link_decapsulated(w->link, fuzz_take_u8(input) & 1 ? &secret : NULL);
}

/* ---- what our own user does ---- */

static void check_sent(enum psst_err err)
{
    FUZZ_CHECK(err != PSST_ERR_MEMORY && err != PSST_ERR_INTERNAL);
}

static void op_text(struct world *w, struct psst_view *input)
{
    struct psst_text text = {.time_ms = w->now.unix_ms};
    fuzz_take(input, text.id.b, 2); /* few ids, so that acknowledgements meet them */
    text.utf8 = fuzz_take_view(input, fuzz_take_u16(input));
    check_sent(psst_link_text(w->link, w->now, &text));
}

static void op_ack(struct world *w, struct psst_view *input)
{
    struct psst_msg_id id;
    fuzz_take(input, id.b, sizeof id.b);
    unsigned times = fuzz_take_u16(input) % 5000;
    for (unsigned i = 0; i <= times; i++) acknowledge(w, &id);
}

static void op_not_accepted(struct world *w, struct psst_view *input)
{
    struct psst_msg_id id;
    fuzz_take(input, id.b, sizeof id.b);
    check_sent(psst_link_not_accepted(w->link, w->now, &id, fuzz_take_u8(input)));
}

static void op_file(struct world *w, struct psst_view *input)
{
    struct psst_file_chunk f = {.kind = fuzz_take_u8(input), .form = fuzz_take_u8(input) % 3};
    fuzz_take(input, f.id.b, 4);
    f.size = f.offset = fuzz_take_u16(input);
    f.reason = (uint8_t)f.size;
    f.name = fuzz_take_view(input, fuzz_take_u16(input) % 300);
    check_sent(psst_link_file(w->link, w->now, &f));
}

static void op_file_data(struct world *w, struct psst_view *input)
{
    struct psst_span place = {0};
    const struct psst_msg_id id = {{7}};
    size_t len = fuzz_take_u16(input);
    enum psst_err err = psst_link_file_data_begin(w->link, &place);
    check_sent(err);
    if (err != PSST_OK) return;
    FUZZ_CHECK(place.len == PSST_FILE_DATA_MAX);
    if (len > place.len) len = place.len;
    memset(place.data, 0xda, len);
    FUZZ_CHECK(psst_link_file_data_commit(w->link, w->now, &id, 0, len) == PSST_OK);
}

static void op_optional(struct world *w, struct psst_view *input)
{
    bool is_meet = fuzz_take_u8(input) & 1;
    struct psst_meet_chunk m = {.time_ms = w->now.unix_ms};
    struct psst_presence_chunk p = {.state = 1 + fuzz_take_u8(input) % 3};
    fuzz_take(input, m.id.b, 2);
    p.utf8 = fuzz_take_view(input, fuzz_take_u8(input) % (PSST_PRESENCE_MAX + 2));
    if (!psst_text_valid(p.utf8)) p.utf8.len = 0;
    check_sent(is_meet ? psst_link_meet(w->link, w->now, &m) : psst_link_presence(w->link, w->now, &p));
}

static void op_call(struct world *w, struct psst_view *input)
{
    uint8_t which = fuzz_take_u8(input), reason = which >> 4;
    uint16_t number = fuzz_take_u16(input);
    enum psst_err err = PSST_ERR_USAGE;
    switch (which % 8) {
    case PSST_CALL_KIND_OFFER: err = psst_link_call_offer(w->link, w->now, number); break;
    case PSST_CALL_KIND_RING: err = psst_link_call_ring(w->link, w->now); break;
    case PSST_CALL_KIND_ACCEPT: err = psst_link_call_accept(w->link, w->now); break;
    case PSST_CALL_KIND_DECLINE: err = psst_link_call_decline(w->link, w->now, reason); break;
    case PSST_CALL_KIND_HANGUP: err = psst_link_call_hangup(w->link, w->now, reason); break;
    case PSST_CALL_KIND_RECEIVING: err = psst_link_call_receiving(w->link, w->now, number & 1); break;
    case PSST_CALL_KIND_REPORT: err = psst_link_call_report(w->link, w->now, which, number, number); break;
    default: psst_link_pause(w->link, w->now, number & 1); break;
    }
    check_sent(err);
    bool dials = which % 8 == PSST_CALL_KIND_OFFER || which % 8 == PSST_CALL_KIND_ACCEPT;
    if (err == PSST_OK && dials) w->wanted = true;
}

static void op_voice(struct world *w, struct psst_view *input)
{
    static uint8_t datagram[PSST_DATAGRAM_HEAD_LEN + PSST_CALL_FRAME_MAX + PSST_TAG_LEN];
    unsigned times = fuzz_take_u8(input);
    struct psst_view opus = fuzz_take_view(input, fuzz_take_u16(input) % (PSST_CALL_FRAME_MAX + 10));
    for (unsigned i = 0; i <= times; i++) {
        size_t len = 1;
        enum psst_err err = psst_link_voice(w->link, w->now, i, opus, datagram, &len);
        size_t size = psst_link_call_frame_size(w->link);
        check_sent(err);
        FUZZ_CHECK(len == 0 || len == PSST_DATAGRAM_HEAD_LEN + size + PSST_TAG_LEN);
        if (err == PSST_OK) FUZZ_CHECK(psst_link_call_state(w->link) == PSST_CALL_ACTIVE);
        w->now.mono_ns += 20 * PSST_MS_NS;
    }
}

/* From anybody, or from the peer: under the key of now, the one before it, the one after it. */
static void op_datagram(struct world *w, struct psst_view *input)
{
    static uint8_t datagram[PSST_DATAGRAM_HEAD_LEN + PSST_CALL_FRAME_MAX + PSST_TAG_LEN], frame[PSST_CALL_FRAME_MAX];
    uint8_t how = fuzz_take_u8(input);
    struct psst_voice_frame out;
    struct psst_view any = fuzz_take_view(input, fuzz_take_u16(input) % sizeof frame);
    const struct psst_session_call *call = w->link->session.call;
    if ((how & 1) == 0 || call == NULL || psst_link_call_state(w->link) == PSST_CALL_NONE) {
        FUZZ_CHECK(psst_link_datagram(w->link, w->now, any, frame, &out) == PSST_ERR_AUTH);
        return;
    }
    size_t size = call->frame_size, n = any.len < size ? any.len : size;
    const struct psst_voice_epoch *epochs[] = {&call->now, &call->old, &call->next, &call->now};
    const struct psst_voice_epoch *epoch = epochs[how >> 1 & 3];
    uint64_t counter = (uint64_t)epoch->number << 56 | fuzz_take_u16(input);
    memset(frame, 0, sizeof frame);
    if (n > 0) memcpy(frame, any.data, n);
    FUZZ_CHECK(psst_datagram_seal(datagram, &epoch->key, call->own_id, counter, psst_view(frame, size)) == PSST_OK);
    struct psst_view sealed = psst_view(datagram, PSST_DATAGRAM_HEAD_LEN + size + PSST_TAG_LEN);
    for (int i = 0; i < 2; i++) {
        enum psst_err err = psst_link_datagram(w->link, w->now, sealed, frame, &out);
        FUZZ_CHECK(err == PSST_ERR_AUTH || (err == PSST_OK && i == 0));
        if (err != PSST_OK) continue;
        FUZZ_CHECK(psst_link_call_state(w->link) == PSST_CALL_ACTIVE && (epoch != &call->old || epoch->used));
        FUZZ_CHECK(out.opus.len + PSST_VOICE_FRAME_HEAD_LEN <= size && psst_link_deadline(w->link) != PSST_NEVER);
    }
}

static void op_bye(struct world *w, struct psst_view *input)
{
    psst_link_bye(w->link, w->now, fuzz_take_u8(input));
}

static void op_sent(struct world *w, struct psst_view *input)
{
    uint16_t len = fuzz_take_u16(input);
    take_output(w, len == UINT16_MAX ? SIZE_MAX : len);
}

/* ---- all together ---- */

static void (*const ops[])(struct world *, struct psst_view *) = {
    op_body, op_chunk,        op_optional, op_repeat, op_raw,          op_time, op_deadline,
    op_eof,  op_text,         op_ack,      op_sent,   op_not_accepted, op_file, op_file_data,
    op_bye,  op_decapsulated, op_call,     op_voice,  op_datagram,
};

/* A link whose handshake is over. */
static void establish(struct world *w, enum psst_role role)
{
    static const struct psst_session_keys keys = {
        .k_ab = {{1}}, .k_ba = {{2}}, .v_ab = {{3}}, .v_ba = {{4}}, .rk = {{5}}};
    static const struct psst_pair_secret psk = {{6}};
    const struct psst_rsa_private *peer_key = role == PSST_CALLER ? fuzz_key_b() : fuzz_key_a();
    struct psst_rsa_public *peer;
    FUZZ_CHECK(psst_rsa_public_load(&peer, psst_rsa_public_spki(psst_rsa_private_public(peer_key))) == PSST_OK);
    FUZZ_CHECK(psst_link_accept(&w->link, &w->config, w->now) == PSST_OK);
    psst_opening_free(w->link->opening);
    w->link->opening = NULL;
    w->link->phase = PSST_LINK_SESSION;
    w->link->times.role = role;
    psst_session_init(&w->link->session, role, &keys, peer, &psk, &w->rng, &w->link->out, w->now.mono_ns);
    psst_rsa_public_free(peer);
    psst_record_init(&w->reads, role == PSST_CALLER ? &keys.k_ab : &keys.k_ba);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_init();
    struct psst_view input = psst_view(data, size);
    uint8_t flags = fuzz_take_u8(&input);
    struct world w = {.now = {.mono_ns = UINT64_C(1000) * PSST_SECOND_NS, .unix_ms = UINT64_C(1750000000000)}};
    w.rng_state.state = 1;
    w.rng = fuzz_rng_of(&w.rng_state);
    w.config.rng = &w.rng;
    w.leave_open = flags & 2;
    w.config.self = psst_rsa_private_public(flags & 1 ? fuzz_key_a() : fuzz_key_b());
    establish(&w, flags & 1 ? PSST_CALLER : PSST_CALLEE);
    for (unsigned turns = 0; input.len > 0 && !w.over && turns < 1000; turns++) {
        ops[fuzz_take_u8(&input) % (sizeof ops / sizeof ops[0])](&w, &input);
        if (!w.over) settle(&w);
    }
    psst_link_free(w.link);
    return 0;
}
