/* Receiving, and the order of things:
 *
 *   input -> head opened -> body opened -> chunk -> handlers[] by identifier -> an event, an answer, or nothing
 *   time  -> timers: ping, rekey, dead
 */
#include "proto/session.h"

#include "proto/call_internal.h"
#include "proto/session_send.h"

#define CLOSING_NS            (2 * PSST_SECOND_NS)
#define UNKNOWN_ACKS_A_MINUTE 4096 /* one full chunk: more of what was never sent is not passed on */
#define RECEIPTS_A_MINUTE     64   /* chunks of at most 64 ids: as many lookups */
#define EARLY_REKEYS_A_MINUTE 8    /* each costs the callee a private operation */
#define EARLY_REKEY_BYTES     (PSST_REKEY_BYTES / 2)

void psst_session_init(struct psst_session *s, enum psst_role role, const struct psst_session_keys *keys,
                       struct psst_rsa_public *peer, const struct psst_pair_secret *psk, const struct psst_rng *rng,
                       struct psst_output *output, uint64_t now_ns)
{
    *s = (struct psst_session){
        .rng = rng,
        .output = output,
        .peer = psst_rsa_public_ref(peer),
        .role = role,
        .v_ab = keys->v_ab,
        .v_ba = keys->v_ba,
        .rk = keys->rk,
        .hash = keys->hash,
        .psk = *psk,
        .closing_ns = PSST_NEVER,
    };
    psst_record_init(&s->out, role == PSST_CALLER ? &keys->k_ab : &keys->k_ba);
    psst_record_init(&s->in, role == PSST_CALLER ? &keys->k_ba : &keys->k_ab);
    psst_buf_init(&s->acks, PSST_LINK_OUTPUT_MAX);
    psst_timers_begin(&s->timers, role, rng, now_ns);
    /* what is left of the handshake's messages waits too */
    if (psst_output_waiting(output).len > 0) psst_timers_on_output(&s->timers, now_ns);
}

void psst_session_fini(struct psst_session *s)
{
    psst_rekey_free(s->rekey);
    psst_session_call_free(s->call);
    psst_text_outstanding_fini(&s->texts);
    psst_buf_fini(&s->acks);
    psst_rsa_public_free(s->peer);
    psst_wipe(s, sizeof *s);
}

void psst_session_fail(struct psst_session *s, enum psst_link_end end)
{
    if (s->ended) return;
    s->ended = true;
    s->end = end;
}

/* What a failure on something that the peer sent means. */
static enum psst_link_end end_for(enum psst_err err)
{
    return err == PSST_ERR_MEMORY || err == PSST_ERR_INTERNAL ? PSST_END_MEMORY : PSST_END_TAMPERED;
}

bool psst_limit_take(struct psst_limit *limit, uint64_t now_ns, uint64_t period_ns, uint32_t most)
{
    if (now_ns - limit->start_ns >= period_ns) *limit = (struct psst_limit){.start_ns = now_ns};
    if (limit->count >= most) return false;
    limit->count++;
    return true;
}

/* ---- rekey ---- */

static void forget_rekey(struct psst_session *s)
{
    psst_rekey_free(s->rekey);
    s->rekey = NULL;
}

/* All keys but those of the records, which change one direction at a time. */
static void install_keys(struct psst_session *s, uint64_t now_ns, struct psst_event *ev)
{
    const struct psst_session_keys *next = &s->rekey->next;
    psst_session_voice_rekeyed(s, next, now_ns);
    s->v_ab = next->v_ab;
    s->v_ba = next->v_ba;
    s->rk = next->rk;
    s->hash = next->hash;
    psst_record_init(&s->in, s->role == PSST_CALLER ? &next->k_ba : &next->k_ab);
    forget_rekey(s);
    psst_timers_on_rekeyed(&s->timers, now_ns);
    s->counters.rekeys++;
    ev->type = PSST_EV_REKEYED;
}

static void begin_rekey(struct psst_session *s, uint64_t now_ns)
{
    psst_timers_on_rekey_begun(&s->timers);
    enum psst_err err = psst_rekey_begin(&s->rekey, s->peer, s->rng);
    if (err == PSST_OK)
        err = psst_session_send(s, now_ns, PSST_CHUNK_REKEY, psst_view(s->rekey->own.message, PSST_REKEY_LEN));
    if (err != PSST_OK) psst_session_fail(s, PSST_END_MEMORY);
}

static void ask_decapsulate(struct psst_session *s, struct psst_event *ev)
{
    s->asked = true;
    s->answered = false;
    ev->type = PSST_EV_DECAPSULATE;
    ev->x = psst_rekey_x(s->rekey);
}

static bool too_many_rekeys(struct psst_session *s, uint64_t now_ns)
{
    return s->timers.keys_bytes < EARLY_REKEY_BYTES &&
           !psst_limit_take(&s->early_rekeys, now_ns, PSST_MINUTE_NS, EARLY_REKEYS_A_MINUTE);
}

/* R1, R2, R3, told apart by direction and state. */
static enum psst_err on_rekey(struct psst_session *s, struct psst_view data, uint64_t now_ns, struct psst_event *ev)
{
    enum psst_err err = PSST_ERR_PROTOCOL;
    if (s->role == PSST_CALLER) {
        if (s->rekey != NULL) err = psst_rekey_read_r2(s->rekey, data);
        if (err == PSST_OK) ask_decapsulate(s, ev);
    } else if (s->rekey == NULL) {
        if (!too_many_rekeys(s, now_ns)) err = psst_rekey_accept(&s->rekey, data, s->peer, s->rng);
        if (err == PSST_OK) ask_decapsulate(s, ev);
    } else {
        err = psst_rekey_read_r3(s->rekey, data);
        if (err == PSST_OK) install_keys(s, now_ns, ev);
    }
    return err;
}

/* The private operation has come back: callee, R2 and the new sending key; caller, R3 and all new keys. */
static void continue_rekey(struct psst_session *s, uint64_t now_ns, struct psst_event *ev)
{
    const struct psst_rekey_base base = {.rk = &s->rk, .hash = &s->hash, .psk = &s->psk};
    enum psst_err err = psst_rekey_derive(s->rekey, &base, s->secret_ok ? &s->secret : NULL);
    PSST_WIPE(s->secret);
    s->asked = s->answered = false;
    if (err != PSST_OK) {
        psst_session_fail(s, end_for(err));
        return;
    }
    bool caller = s->role == PSST_CALLER;
    struct psst_view message = caller ? psst_view(NULL, 0) : psst_view(s->rekey->own.message, PSST_REKEY_LEN);
    if (psst_session_send(s, now_ns, PSST_CHUNK_REKEY, message) != PSST_OK) return;
    psst_record_init(&s->out, caller ? &s->rekey->next.k_ab : &s->rekey->next.k_ba);
    if (caller) install_keys(s, now_ns, ev);
}

void psst_session_decapsulated(struct psst_session *s, const struct psst_kem_secret *secret)
{
    if (!s->asked || s->answered) return;
    s->answered = true;
    s->secret_ok = secret != NULL;
    if (secret != NULL) s->secret = *secret;
}

/* ---- the other chunks ---- */

/* An optional chunk of a later version. */
static enum psst_err on_unknown(struct psst_session *s, struct psst_view data, uint64_t now_ns, struct psst_event *ev)
{
    (void)data, (void)ev;
    return psst_limit_take(&s->unknown, now_ns, PSST_MINUTE_NS, PSST_UNKNOWN_CHUNKS_A_MINUTE) ? PSST_OK
                                                                                              : PSST_ERR_PROTOCOL;
}

/* An optional chunk of this kind that is well formed, or not: skipped when it is not, or when there are too many. */
static enum psst_err on_optional(struct psst_session *s, struct psst_limit *taken, enum psst_err read, uint64_t now_ns,
                                 enum psst_event_type type, struct psst_event *ev)
{
    if (read != PSST_OK || !psst_limit_take(taken, now_ns, PSST_MINUTE_NS, PSST_OPTIONAL_TAKEN_A_MINUTE))
        return on_unknown(s, psst_view(NULL, 0), now_ns, ev);
    ev->type = type;
    return PSST_OK;
}

static enum psst_err on_presence(struct psst_session *s, struct psst_view data, uint64_t now_ns, struct psst_event *ev)
{
    enum psst_err read = psst_presence_read(&ev->presence, data);
    return on_optional(s, &s->presences, read, now_ns, PSST_EV_PRESENCE, ev);
}

static enum psst_err on_meet(struct psst_session *s, struct psst_view data, uint64_t now_ns, struct psst_event *ev)
{
    enum psst_err read = psst_meet_read(&ev->meet, data);
    return on_optional(s, &s->meets, read, now_ns, PSST_EV_MEET, ev);
}

static enum psst_err on_voice(struct psst_session *s, struct psst_view data, uint64_t now_ns, struct psst_event *ev)
{
    psst_session_voice_chunk(s, data, now_ns, ev);
    return PSST_OK;
}

/* An answer that a peer can provoke: given up where it would pile up at one who does not read. */
static enum psst_err answer(struct psst_session *s, enum psst_err sent)
{
    return sent == PSST_ERR_AGAIN && !s->ended ? PSST_OK : sent;
}

static enum psst_err on_text(struct psst_session *s, struct psst_view data, uint64_t now_ns, struct psst_event *ev)
{
    bool has_id = false;
    psst_timers_on_data(&s->timers, now_ns);
    if (psst_text_read(&ev->text, data, &has_id) == PSST_OK) {
        ev->type = PSST_EV_TEXT;
        return PSST_OK;
    }
    if (!has_id) return PSST_ERR_MALFORMED;
    return answer(s, psst_session_send_not_accepted(s, now_ns, &ev->text.id, PSST_NOT_ACCEPTED_MALFORMED));
}

/* A text of ours is not under way any more; whether it was. */
static bool text_done(struct psst_session *s, const struct psst_msg_id *id)
{
    bool was = psst_text_outstanding_remove(&s->texts, id);
    if (s->texts.count == 0) psst_timers_on_text_done(&s->timers);
    return was;
}

static enum psst_err on_ack(struct psst_session *s, struct psst_view data, uint64_t now_ns, struct psst_event *ev)
{
    enum psst_err err = psst_ack_read(&ev->ids, data);
    if (err != PSST_OK) return err;
    bool worth = false;
    for (size_t i = 0; i < ev->ids.len; i += sizeof(struct psst_msg_id)) {
        struct psst_msg_id id;
        memcpy(id.b, ev->ids.data + i, sizeof id.b);
        worth |= text_done(s, &id) || psst_limit_take(&s->unknown_acks, now_ns, PSST_MINUTE_NS, UNKNOWN_ACKS_A_MINUTE);
    }
    if (worth) ev->type = PSST_EV_ACK;
    return PSST_OK;
}

/* Each is looked up in the book of messages, so their number is bounded; beyond, and malformed, it is skipped. */
static enum psst_err on_read(struct psst_session *s, struct psst_view data, uint64_t now_ns, struct psst_event *ev)
{
    struct psst_view ids;
    if (psst_receipt_read(&ids, data) != PSST_OK ||
        !psst_limit_take(&s->receipts, now_ns, PSST_MINUTE_NS, RECEIPTS_A_MINUTE))
        return on_unknown(s, data, now_ns, ev);
    ev->type = PSST_EV_READ;
    ev->ids = ids;
    return PSST_OK;
}

static enum psst_err on_not_accepted(struct psst_session *s, struct psst_view data, uint64_t now_ns,
                                     struct psst_event *ev)
{
    enum psst_err err = psst_not_accepted_read(&ev->id, &ev->reason, data);
    if (err != PSST_OK) return err;
    if (text_done(s, &ev->id) || psst_limit_take(&s->unknown_acks, now_ns, PSST_MINUTE_NS, UNKNOWN_ACKS_A_MINUTE))
        ev->type = PSST_EV_NOT_ACCEPTED;
    return PSST_OK;
}

static enum psst_err on_ping(struct psst_session *s, struct psst_view data, uint64_t now_ns, struct psst_event *ev)
{
    (void)ev;
    uint8_t payload[8];
    enum psst_err err = psst_ping_read(payload, data);
    if (err != PSST_OK || !psst_timers_may_pong(&s->timers, now_ns)) return err;
    return answer(s, psst_session_send_ping(s, now_ns, PSST_CHUNK_PONG, payload));
}

static enum psst_err on_pong(struct psst_session *s, struct psst_view data, uint64_t now_ns, struct psst_event *ev)
{
    uint8_t payload[8];
    enum psst_err err = psst_ping_read(payload, data);
    if (err != PSST_OK || memcmp(payload, s->ping, sizeof payload) != 0) return err;
    if (psst_timers_on_pong(&s->timers, now_ns, &ev->rtt_ns)) ev->type = PSST_EV_PONG;
    return PSST_OK;
}

/* One transfer that cannot be: the peer is told; so are we, unless it is an offer, which nobody has seen yet. */
static enum psst_err refuse_transfer(struct psst_session *s, uint64_t now_ns, struct psst_event *ev)
{
    bool offer = ev->file.kind == PSST_FILE_OFFER;
    ev->file.kind = offer ? PSST_FILE_DECLINE : PSST_FILE_CANCEL;
    ev->file.reason = PSST_FILE_PROTOCOL;
    if (!offer) ev->type = PSST_EV_FILE;
    return answer(s, psst_session_send_file(s, now_ns, &ev->file));
}

static enum psst_err on_file(struct psst_session *s, struct psst_view data, uint64_t now_ns, struct psst_event *ev)
{
    psst_timers_on_data(&s->timers, now_ns);
    enum psst_err err = psst_file_read(&ev->file, data);
    if (err == PSST_ERR_TOO_LONG) return refuse_transfer(s, now_ns, ev);
    if (err == PSST_OK) ev->type = PSST_EV_FILE;
    return err;
}

static enum psst_err on_bye(struct psst_session *s, struct psst_view data, uint64_t now_ns, struct psst_event *ev)
{
    (void)now_ns, (void)ev;
    enum psst_err err = psst_bye_read(&s->end_reason, data);
    if (err == PSST_OK) psst_session_fail(s, PSST_END_BYE);
    return err;
}

/* Each may fill in an event. An error ends the session. */
static const struct {
    uint8_t id;
    enum psst_err (*handle)(struct psst_session *s, struct psst_view data, uint64_t now_ns, struct psst_event *ev);
} handlers[] = {
    {PSST_CHUNK_TEXT, on_text},
    {PSST_CHUNK_ACK, on_ack},
    {PSST_CHUNK_NOT_ACCEPTED, on_not_accepted},
    {PSST_CHUNK_FILE, on_file},
    {PSST_CHUNK_PING, on_ping},
    {PSST_CHUNK_PONG, on_pong},
    {PSST_CHUNK_REKEY, on_rekey},
    {PSST_CHUNK_BYE, on_bye},
    {PSST_CHUNK_VOICE, on_voice},
    {PSST_CHUNK_CALL, psst_session_call_chunk},
    {PSST_CHUNK_PRESENCE, on_presence},
    {PSST_CHUNK_MEET, on_meet},
    {PSST_CHUNK_READ, on_read},
};

static enum psst_err dispatch(struct psst_session *s, struct psst_view body, uint64_t now_ns, struct psst_event *ev)
{
    struct psst_chunk chunk;
    enum psst_err err = psst_chunk_read(&chunk, body);
    if (err != PSST_OK) return err;
    for (size_t i = 0; i < sizeof handlers / sizeof handlers[0]; i++)
        if (handlers[i].id == chunk.id) return handlers[i].handle(s, chunk.data, now_ns, ev);
    return on_unknown(s, chunk.data, now_ns, ev); /* optional: psst_chunk_read refused the others */
}

/* ---- records in ---- */

static size_t record_len(size_t body_len)
{
    return PSST_RECORD_HEAD_LEN + body_len + PSST_TAG_LEN;
}

/* One record, when it is there in whole: PSST_ERR_AGAIN otherwise. */
static enum psst_err receive_record(struct psst_session *s, struct psst_input *in, uint64_t now_ns,
                                    struct psst_event *ev)
{
    struct psst_span waiting = psst_input_waiting(in);
    if (s->body_len == 0) {
        size_t body_len = 0;
        if (waiting.len < PSST_RECORD_HEAD_LEN) return PSST_ERR_AGAIN;
        enum psst_err err = psst_record_open_head(&s->in, waiting.data, &body_len);
        if (err != PSST_OK) return err;
        s->body_len = (uint32_t)body_len; /* remembered: a record that drips in has its head opened once */
    }
    size_t len = record_len(s->body_len);
    if (waiting.len < len) return PSST_ERR_AGAIN;
    struct psst_view body = psst_view(waiting.data + PSST_RECORD_HEAD_LEN, s->body_len);
    enum psst_err err = psst_record_open_body(&s->in, waiting.data + PSST_RECORD_HEAD_LEN, s->body_len);
    if (err != PSST_OK) return err;
    psst_input_take(in, len);
    s->body_len = 0;
    s->opened = true;
    s->counters.records_in++;
    s->counters.bytes_in += len;
    psst_timers_on_received(&s->timers, now_ns, len);
    return dispatch(s, body, now_ns, ev);
}

static void receive(struct psst_session *s, struct psst_input *in, uint64_t now_ns, struct psst_event *ev)
{
    if (s->closing_ns != PSST_NEVER) psst_input_drop(in); /* after our bye nothing is listened to */
    while (!s->ended && !s->asked && ev->type == PSST_EV_NONE) {
        enum psst_err err = receive_record(s, in, now_ns, ev);
        if (err == PSST_ERR_AGAIN) return;
        if (err != PSST_OK) psst_session_fail(s, end_for(err));
    }
}

/* ---- time ---- */

static void send_ping(struct psst_session *s, uint64_t now_ns)
{
    s->rng->fill(s->rng->ctx, s->ping, sizeof s->ping);
    if (psst_session_send(s, now_ns, PSST_CHUNK_PING, psst_view(s->ping, sizeof s->ping)) == PSST_OK)
        psst_timers_on_ping_sent(&s->timers, s->rng, now_ns);
}

void psst_session_probe(struct psst_session *s, uint64_t now_ns)
{
    if (!s->ended && s->closing_ns == PSST_NEVER) send_ping(s, now_ns);
}

static void work_off_timers(struct psst_session *s, uint64_t now_ns)
{
    while (!s->ended) {
        switch (psst_timers_due(&s->timers, now_ns)) {
        case PSST_DUE_NOTHING: return;
        case PSST_DUE_PING: send_ping(s, now_ns); break;
        case PSST_DUE_REKEY: begin_rekey(s, now_ns); break;
        case PSST_DUE_REKEY_LATE: psst_session_fail(s, PSST_END_REKEY_LATE); break;
        case PSST_DUE_DEAD: psst_session_fail(s, PSST_END_NO_PONG); break;
        }
    }
}

static void work_off_time(struct psst_session *s, bool eof, uint64_t now_ns, struct psst_event *ev)
{
    if (s->closing_ns != PSST_NEVER) {
        bool drained = psst_output_waiting(s->output).len == 0;
        if (drained || eof || now_ns >= s->closing_ns) psst_session_fail(s, PSST_END_CLOSED);
        return;
    }
    /* a bye may stand behind what an open question holds up */
    if (eof && !s->asked) psst_session_fail(s, PSST_END_CUT_OFF);
    work_off_timers(s, now_ns);
    if (!s->ended) psst_session_call_due(s, now_ns, ev);
}

bool psst_session_next(struct psst_session *s, struct psst_input *in, bool eof, uint64_t now_ns, struct psst_event *ev)
{
    if (!s->ended && s->answered && s->closing_ns == PSST_NEVER) continue_rekey(s, now_ns, ev);
    if (ev->type == PSST_EV_NONE) receive(s, in, now_ns, ev);
    if (ev->type == PSST_EV_NONE && !s->ended) work_off_time(s, eof, now_ns, ev);
    if (ev->type == PSST_EV_NONE && s->ended) {
        ev->type = PSST_EV_ENDED;
        ev->end = s->end;
        ev->reason = s->end_reason;
    }
    return ev->type != PSST_EV_NONE;
}

uint64_t psst_session_deadline(const struct psst_session *s)
{
    if (s->ended) return 0;
    if (s->closing_ns != PSST_NEVER) return psst_output_waiting(s->output).len == 0 ? 0 : s->closing_ns;
    uint64_t timers = psst_timers_deadline(&s->timers), call = psst_session_call_deadline(s);
    if (s->answered) return 0;
    return call < timers ? call : timers;
}

void psst_session_paused(struct psst_session *s, uint64_t now_ns, bool paused)
{
    if (!paused) psst_session_call_resumed(s, now_ns);
    psst_timers_on_paused(&s->timers, now_ns, paused);
}

bool psst_session_wants_input(const struct psst_session *s)
{
    return !s->asked && s->acks.len <= PSST_ACKS_HELD_MAX;
}

size_t psst_session_expects(const struct psst_session *s)
{
    return s->body_len == 0 ? 0 : record_len(s->body_len);
}

void psst_session_output_moved(struct psst_session *s, uint64_t now_ns)
{
    psst_timers_on_output_moved(&s->timers, now_ns, psst_output_waiting(s->output).len > 0);
}

void psst_session_bye(struct psst_session *s, uint64_t now_ns, uint8_t reason)
{
    if (s->ended || s->closing_ns != PSST_NEVER) return;
    psst_session_flush(s, now_ns);
    if (psst_session_send(s, now_ns, PSST_CHUNK_BYE, psst_view(&reason, 1)) != PSST_OK) return;
    s->closing_ns = now_ns + CLOSING_NS;
}
