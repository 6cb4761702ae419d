/* A link from its first byte: one end is the link under test, the other an honest handshake whose messages the fuzzer may
 * deliver, spoil, cut, delay or replace by its own bytes.
 *
 * input: u8 side: 0 the link was called, 1 it calls; 2 questions stay open; 4 silent once called || operations: u8 which ||
 * its arguments
 * Whatever comes: a callee says nothing before a good M1 and nothing at all in the void, which ends 20 to 40 s after
 * accepting; nobody is established without the honest end's last message; the deadline is never in the past.
 */
#include "fuzz.h"

#include "proto/link.h"

#define START_NS      (UINT64_C(1000) * PSST_SECOND_NS)
#define START_MS      UINT64_C(1750000000000)
#define DAY           (START_MS / 86400000)
#define EVENTS_A_TURN 1000

struct world {
    struct psst_link_config config;
    struct fuzz_rng rng_state;
    struct psst_rng rng;
    struct psst_now now;
    struct psst_link *link;
    struct psst_rsa_public *peer;
    enum psst_role role;
    bool leave_open, silent, over, failed, established;
    bool misled; /* the link has been given wrong answers: what it says may be wrong */

    struct psst_handshake *honest; /* the other end */
    const struct psst_rsa_private *own_key, *honest_key;
    int next; /* number of the message that the honest end writes next */
    uint8_t m[PSST_M4_LEN];
    bool complete; /* the honest end has said its last */
};

static const size_t message_len[6] = {0, PSST_M1_LEN, PSST_M2_LEN, PSST_M3_LEN, PSST_M4_LEN, PSST_M5_LEN};

static const struct psst_kem_secret *decapsulate(const struct psst_rsa_private *key, const uint8_t x[PSST_KEM_LEN],
                                                 struct psst_kem_secret *z)
{
    return psst_kem_decapsulate(key, "z", x, z) == PSST_OK ? z : NULL;
}

/* ---- the honest end ---- */

/* Takes one message that the link has put out. */
static bool honest_read(struct world *w, int n)
{
    struct psst_view out = psst_link_output(w->link);
    uint8_t x[PSST_KEM_LEN], mac[32], in[PSST_M4_LEN];
    uint64_t day;
    struct psst_kem_secret z;
    struct psst_fpr claimed;
    if (out.len < message_len[n]) return false;
    memcpy(in, out.data, message_len[n]);
    psst_link_sent(w->link, message_len[n]);
    enum psst_err err;
    switch (n) {
    case 1:
        err = psst_handshake_read_m1(w->honest, in, DAY, mac, &day, x);
        if (err == PSST_OK) err = psst_handshake_accept_m1(w->honest, decapsulate(w->honest_key, x, &z));
        break;
    case 2: err = psst_handshake_read_m2(w->honest, in); break;
    case 3: err = psst_handshake_read_m3(w->honest, in, &claimed); break;
    default:
        err = psst_handshake_read_m4a(w->honest, in, x);
        if (err == PSST_OK) err = psst_handshake_read_m4b(w->honest, decapsulate(w->honest_key, x, &z));
        break;
    }
    FUZZ_CHECK(err == PSST_OK || (err == PSST_ERR_AUTH && w->misled));
    return err == PSST_OK;
}

static bool honest_write(struct world *w, int n)
{
    struct psst_session_keys keys;
    switch (n) {
    case 1: return psst_handshake_write_m1(w->honest, w->m) == PSST_OK;
    case 2: return psst_handshake_write_m2(w->honest, w->m) == PSST_OK;
    case 3: return psst_handshake_write_m3(w->honest, w->m) == PSST_OK;
    case 4: return psst_handshake_write_m4(w->honest, psst_rsa_private_public(w->own_key), NULL, w->m) == PSST_OK;
    default: return psst_handshake_write_m5(w->honest, w->m, &keys) == PSST_OK;
    }
}

/* The honest end's next message, in w->m; 0 when it is not its turn. */
static size_t honest_next(struct world *w)
{
    int n = w->next;
    if (n > 5 || (n > 1 && !honest_read(w, n - 1)) || !honest_write(w, n)) return 0;
    w->next += 2;
    w->complete = w->next > 5; /* M4 from a callee, M5 from a caller: both then count on from 4 or 5 */
    return message_len[n];
}

/* ---- the link ---- */

static void check_event(struct world *w, const struct psst_event *ev)
{
    switch (ev->type) {
    case PSST_EV_ADMIT: FUZZ_CHECK(w->role == PSST_CALLEE && ev->day + 1 >= DAY); break;
    case PSST_EV_CONTACT: FUZZ_CHECK(w->role == PSST_CALLEE); break;
    case PSST_EV_DECAPSULATE: FUZZ_CHECK(ev->x != NULL); break;
    case PSST_EV_FAILED:
        FUZZ_CHECK(w->role == PSST_CALLEE && !w->failed && !w->established);
        w->failed = true;
        break;
    case PSST_EV_ESTABLISHED:
        FUZZ_CHECK(w->complete && !w->established && !w->failed && psst_link_established(w->link));
        FUZZ_CHECK(w->role == PSST_CALLER || !w->silent);
        FUZZ_CHECK(memcmp(ev->fpr.b, psst_rsa_public_fpr(w->peer)->b, 32) == 0);
        w->established = true;
        break;
    case PSST_EV_ENDED: {
        FUZZ_CHECK(ev->end != PSST_END_MEMORY && (ev->end == PSST_END_VOID_OVER) == w->failed);
        uint64_t age = w->now.mono_ns - START_NS;
        if (w->failed) FUZZ_CHECK(age >= PSST_VOID_MIN_NS && psst_link_output(w->link).len == 0);
        w->over = true;
        break;
    }
    default: FUZZ_CHECK(w->established); break;
    }
}

static void answer(struct world *w, const struct psst_event *ev, bool yes)
{
    struct psst_kem_secret z;
    if (ev->type == PSST_EV_ADMIT) psst_link_admit(w->link, yes);
    if (ev->type == PSST_EV_DECAPSULATE)
        psst_link_decapsulated(w->link, yes ? decapsulate(w->own_key, ev->x, &z) : NULL);
    if (ev->type == PSST_EV_CONTACT && w->silent) psst_link_silent(w->link);
    if (ev->type == PSST_EV_CONTACT) psst_link_contact(w->link, yes ? w->peer : NULL, NULL);
}

static void check_silence(struct world *w)
{
    /* M2 is the first that a callee says, and only after the honest M1 */
    if (w->role == PSST_CALLEE && w->next == 1) FUZZ_CHECK(psst_link_output(w->link).len == 0);
}

static void settle(struct world *w)
{
    size_t out_in_void = SIZE_MAX;
    for (unsigned i = 0; i < EVENTS_A_TURN; i++) {
        struct psst_event ev;
        psst_link_next(w->link, w->now, &ev);
        if (ev.type == PSST_EV_NONE) {
            FUZZ_CHECK(psst_link_deadline(w->link) > w->now.mono_ns);
            check_silence(w);
            if (w->failed) FUZZ_CHECK(psst_link_output(w->link).len <= out_in_void);
            return;
        }
        check_event(w, &ev);
        if (w->failed && out_in_void == SIZE_MAX) out_in_void = psst_link_output(w->link).len;
        if (w->over) return;
        if (!w->leave_open) answer(w, &ev, true);
    }
    FUZZ_CHECK(false && "no end of events");
}

static void receive(struct world *w, const uint8_t *data, size_t len)
{
    static uint8_t scratch[4096];
    while (len > 0 && !w->over && psst_link_wants_input(w->link)) {
        struct psst_span space = psst_link_space(w->link, (struct psst_span){scratch, sizeof scratch});
        size_t n = len < space.len ? len : space.len;
        FUZZ_CHECK(n > 0);
        memcpy(space.data, data, n);
        size_t before = psst_link_output(w->link).len;
        bool was_failed = w->failed;
        psst_link_received(w->link, space.data, n);
        settle(w);
        if (was_failed && !w->over) FUZZ_CHECK(psst_link_output(w->link).len == before);
        data += n;
        len -= n;
    }
}

/* ---- operations ---- */

static void op_honest(struct world *w, struct psst_view *input)
{
    (void)input;
    size_t len = honest_next(w);
    receive(w, w->m, len);
}

/* In two pieces, and with time between them. */
static void op_cut(struct world *w, struct psst_view *input)
{
    size_t first = fuzz_take_u16(input) % PSST_M4_LEN, len = honest_next(w);
    if (first > len) first = len;
    receive(w, w->m, first);
    w->now.mono_ns += fuzz_take_u16(input) * (PSST_SECOND_NS / 1000);
    if (!w->over) settle(w);
    if (!w->over) receive(w, w->m + first, len - first);
}

/* With something wrong in it: then nothing good may come of it. */
static void op_spoiled(struct world *w, struct psst_view *input)
{
    size_t at = fuzz_take_u16(input), len = honest_next(w);
    uint8_t with = fuzz_take_u8(input);
    if (len == 0) return;
    if (with != 0) w->complete = false;
    if (with != 0) w->next = 99;
    w->m[at % len] ^= with;
    receive(w, w->m, len);
}

static void op_raw(struct world *w, struct psst_view *input)
{
    struct psst_view v = fuzz_take_view(input, fuzz_take_u16(input));
    if (v.len > 0 && !w->established)
        w->next = w->next == 1 ? 1 : 99; /* the honest end will not be understood any more */
    receive(w, v.data, v.len);
}

static void op_much(struct world *w, struct psst_view *input)
{
    static uint8_t much[3 * PSST_VOID_BYTES];
    memset(much, fuzz_take_u8(input), sizeof much);
    if (!w->established) w->next = w->next == 1 ? 1 : 99;
    receive(w, much, sizeof much);
}

static void op_time(struct world *w, struct psst_view *input)
{
    uint64_t ms = fuzz_take_u16(input);
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

/* Answers, whether asked or not. */
static void op_answer(struct world *w, struct psst_view *input)
{
    static const struct psst_kem_secret wrong = {{1}};
    uint8_t what = fuzz_take_u8(input);
    w->misled = true;
    if (what % 3 == 0) psst_link_admit(w->link, what & 0x80);
    if (what % 3 == 1) psst_link_decapsulated(w->link, what & 0x80 ? &wrong : NULL);
    if (what % 3 == 2) psst_link_contact(w->link, NULL, NULL);
}

static void op_sent(struct world *w, struct psst_view *input)
{
    size_t len = fuzz_take_u16(input), waiting = psst_link_output(w->link).len;
    if (w->established) psst_link_sent(w->link, len < waiting ? len : waiting);
}

static void op_user(struct world *w, struct psst_view *input)
{
    const struct psst_text text = {.utf8 = psst_view_str("hello")};
    const struct psst_msg_id id = {{1}};
    struct psst_span place;
    enum psst_err want = psst_link_established(w->link) ? PSST_OK : PSST_ERR_USAGE;
    uint8_t what = fuzz_take_u8(input);
    if (what % 4 == 0) FUZZ_CHECK(psst_link_text(w->link, w->now, &text) == want || want == PSST_OK);
    if (what % 4 == 1) FUZZ_CHECK(psst_link_ack(w->link, w->now, &id) == want || want == PSST_OK);
    if (what % 4 == 2 && want != PSST_OK) FUZZ_CHECK(psst_link_file_data_begin(w->link, &place) == want);
    if (what % 4 == 3) psst_link_bye(w->link, w->now, 1);
}

static void (*const ops[])(struct world *, struct psst_view *) = {
    op_honest, op_honest,   op_cut, op_spoiled, op_raw,  op_much,
    op_time,   op_deadline, op_eof, op_answer,  op_sent, op_user,
};

static void begin(struct world *w)
{
    const struct psst_view features = psst_view("\x01\x01\x07", 3);
    const struct psst_rsa_public *own = psst_rsa_private_public(w->own_key);
    FUZZ_CHECK(psst_rsa_public_load(&w->peer, psst_rsa_public_spki(psst_rsa_private_public(w->honest_key))) == PSST_OK);
    w->config = (struct psst_link_config){.self = own, .rng = &w->rng, .features = features};
    if (w->role == PSST_CALLER) {
        FUZZ_CHECK(psst_link_call(&w->link, &w->config, w->peer, NULL, w->now) == PSST_OK);
        FUZZ_CHECK(psst_handshake_callee(&w->honest, w->peer, features, &w->rng) == PSST_OK);
        w->next = 2;
    } else {
        FUZZ_CHECK(psst_link_accept(&w->link, &w->config, w->now) == PSST_OK);
        FUZZ_CHECK(psst_handshake_caller(&w->honest, w->peer, own, NULL, features, DAY, &w->rng) == PSST_OK);
        w->next = 1;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_init();
    struct psst_view input = psst_view(data, size);
    uint8_t flags = fuzz_take_u8(&input);
    struct world w = {.now = {.mono_ns = START_NS, .unix_ms = START_MS}};
    w.rng_state.state = 1;
    w.rng = fuzz_rng_of(&w.rng_state);
    w.role = flags & 1 ? PSST_CALLER : PSST_CALLEE;
    w.leave_open = flags & 2;
    w.silent = flags & 4;
    w.own_key = flags & 1 ? fuzz_key_a() : fuzz_key_b();
    w.honest_key = flags & 1 ? fuzz_key_b() : fuzz_key_a();
    begin(&w);
    for (unsigned turns = 0; input.len > 0 && !w.over && turns < 64; turns++) {
        ops[fuzz_take_u8(&input) % (sizeof ops / sizeof ops[0])](&w, &input);
        if (!w.over) settle(&w);
    }
    psst_link_free(w.link);
    psst_handshake_free(w.honest);
    psst_rsa_public_free(w.peer);
    return 0;
}
