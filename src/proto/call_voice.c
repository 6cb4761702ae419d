/* Voice in a call: keys, counters, windows, and the way.
 *
 *   ours    Opus -> frame of the call's size -+-> datagram, sealed under V, counter + 1 -> UDP
 *                                             +-> `v` chunk -> TCP, as long as little of it waits
 *   theirs  UDP -> epoch by the counter's top byte: now, old (2 s), next -> window, tag -> frame
 *
 *   the way   began --------------> BOTH --3 s--> TCP, and each tenth frame by UDP
 *             a frame with the flag: UDP --1 s without--> BOTH --3 s--> TCP
 */
#include "proto/call_internal.h"

#include "proto/session_send.h"

#define MS PSST_MS_NS

/* ---- keys ---- */

static const struct psst_aead_key *theirs(enum psst_role role, const struct psst_aead_key *v_ab,
                                          const struct psst_aead_key *v_ba)
{
    return role == PSST_CALLER ? v_ba : v_ab;
}

static void begin_epoch(struct psst_voice_epoch *epoch, uint8_t number, const struct psst_aead_key *key)
{
    *epoch = (struct psst_voice_epoch){.used = true, .number = number, .key = *key};
}

void psst_session_voice_init(struct psst_session *s)
{
    begin_epoch(&s->call->now, (uint8_t)s->counters.rekeys, theirs(s->role, &s->v_ab, &s->v_ba));
    s->call->old_until_ns = PSST_NEVER;
}

void psst_session_voice_rekeyed(struct psst_session *s, const struct psst_session_keys *next, uint64_t now_ns)
{
    struct psst_session_call *call = s->call;
    if (call == NULL) return;
    call->old = call->now;
    call->old_until_ns = now_ns + PSST_CALL_OLD_KEY_MS * MS;
    if (call->next.used)
        call->now = call->next; /* its datagrams had overtaken R3, and are not taken again */
    else
        begin_epoch(&call->now, (uint8_t)(call->old.number + 1), theirs(s->role, &next->v_ab, &next->v_ba));
    PSST_WIPE(call->next);
    call->sent = 0;
}

void psst_session_voice_old_key_over(struct psst_session_call *call)
{
    PSST_WIPE(call->old);
    call->old_until_ns = PSST_NEVER;
}

/* The callee has the next keys from R2 on, and the caller uses them once R3 is on its way, which datagrams overtake. */
static struct psst_voice_epoch *next_epoch(struct psst_session *s)
{
    struct psst_session_call *call = s->call;
    if (s->role != PSST_CALLEE || s->rekey == NULL || s->rekey->stage != PSST_REKEY_R2_SENT) return NULL;
    if (!call->next.used) begin_epoch(&call->next, (uint8_t)(call->now.number + 1), &s->rekey->next.v_ab);
    return &call->next;
}

static struct psst_voice_epoch *epoch_of(struct psst_session *s, uint8_t number, uint64_t now_ns)
{
    struct psst_session_call *call = s->call;
    if (number == call->now.number) return &call->now;
    if (call->old.used && number == call->old.number && now_ns < call->old_until_ns) return &call->old;
    return number == (uint8_t)(call->now.number + 1) ? next_epoch(s) : NULL;
}

/* ---- the way ---- */

void psst_session_voice_begin(struct psst_session *s, uint64_t now_ns)
{
    struct psst_session_call *call = s->call;
    call->frame_ns = now_ns;
    call->unread_ns = 0;
    call->datagram_ns = PSST_NEVER;
    call->flagged = false;
    call->frames_out = 0;
}

enum psst_voice_way psst_session_voice_way(const struct psst_session *s, uint64_t now_ns)
{
    const struct psst_session_call *call = s->call;
    if (psst_session_call_state(s) != PSST_CALL_ACTIVE) return PSST_WAY_BOTH;
    uint64_t both_ns = call->since_ns;
    if (call->flagged) both_ns = call->flag_ns + PSST_CALL_FLAG_FRESH_MS * MS;
    if (now_ns < both_ns) return PSST_WAY_UDP;
    return now_ns < both_ns + PSST_CALL_BOTH_MS * MS ? PSST_WAY_BOTH : PSST_WAY_TCP;
}

static uint8_t flags(const struct psst_session_call *call, uint64_t now_ns)
{
    bool fresh = call->datagram_ns != PSST_NEVER && now_ns - call->datagram_ns < PSST_CALL_FLAG_FRESH_MS * MS;
    return fresh ? PSST_VOICE_FLAG_UDP_ARRIVES : 0;
}

/* ---- out ---- */

/* Whether little enough of our voice still waits to go out by TCP: late voice is of no use to anybody. */
static bool tcp_flows(const struct psst_session *s)
{
    uint64_t waiting = psst_output_waiting(s->output).len, out = s->counters.bytes_out;
    return s->call->voice_end[s->call->voice_at] + waiting <= out || out < waiting;
}

static enum psst_err send_by_tcp(struct psst_session *s, uint64_t now_ns, struct psst_view frame)
{
    struct psst_session_call *call = s->call;
    if (!tcp_flows(s)) return PSST_OK;
    enum psst_err err = psst_session_send_voice(s, now_ns, frame);
    if (err != PSST_OK) return err;
    call->voice_end[call->voice_at] = s->counters.bytes_out;
    call->voice_at = (call->voice_at + 1) % PSST_CALL_FRAMES_WAITING;
    return PSST_OK;
}

static enum psst_err send_by_udp(struct psst_session *s, struct psst_view frame, uint8_t *datagram, size_t *len)
{
    struct psst_session_call *call = s->call;
    const struct psst_aead_key *key = s->role == PSST_CALLER ? &s->v_ab : &s->v_ba;
    uint64_t counter = (uint64_t)call->now.number << 56 | call->sent++;
    enum psst_err err = psst_datagram_seal(datagram, key, call->their_id, counter, frame);
    if (err == PSST_OK) *len = PSST_DATAGRAM_HEAD_LEN + frame.len + PSST_TAG_LEN;
    return err;
}

enum psst_err psst_session_voice_send(struct psst_session *s, uint64_t now_ns, uint32_t timestamp_samples,
                                      struct psst_view opus, uint8_t *datagram, size_t *len)
{
    struct psst_session_call *call = s->call;
    *len = 0;
    if (s->ended || s->closing_ns != PSST_NEVER || s->placed) return PSST_ERR_USAGE;
    if (psst_session_call_state(s) != PSST_CALL_ACTIVE) return PSST_ERR_USAGE;
    uint8_t bytes[PSST_CALL_FRAME_MAX];
    struct psst_voice_frame frame = {
        .timestamp_samples = timestamp_samples, .flags = flags(call, now_ns), .opus = opus};
    enum psst_err err = psst_voice_frame_write(bytes, call->frame_size, &frame);
    if (err != PSST_OK) return err;
    enum psst_voice_way way = psst_session_voice_way(s, now_ns);
    bool probe = call->frames_out++ % PSST_CALL_PROBE_EVERY == 0;
    struct psst_view view = psst_view(bytes, call->frame_size);
    if (way != PSST_WAY_TCP || probe) err = send_by_udp(s, view, datagram, len);
    if (err == PSST_OK && way != PSST_WAY_UDP) err = send_by_tcp(s, now_ns, view);
    PSST_WIPE(bytes);
    return err;
}

/* ---- in ---- */

static void took_frame(struct psst_session_call *call, uint64_t now_ns, const struct psst_voice_frame *frame)
{
    call->frame_ns = now_ns;
    call->unread_ns = 0;
    if ((frame->flags & PSST_VOICE_FLAG_UDP_ARRIVES) == 0) return;
    call->flagged = true;
    call->flag_ns = now_ns;
}

void psst_session_voice_chunk(struct psst_session *s, struct psst_view data, uint64_t now_ns, struct psst_event *ev)
{
    struct psst_session_call *call = s->call;
    if (call == NULL) return;
    if (call->state != PSST_CALL_ACTIVE || data.len != call->frame_size ||
        psst_voice_frame_read(&ev->voice, data) != PSST_OK ||
        !psst_limit_take(&call->by_tcp, now_ns, PSST_SECOND_NS, PSST_CALL_FRAMES_A_SECOND)) {
        call->dropped++;
        return;
    }
    took_frame(call, now_ns, &ev->voice);
    ev->type = PSST_EV_VOICE;
}

enum psst_err psst_session_voice_datagram(struct psst_session *s, uint64_t now_ns, struct psst_view datagram,
                                          uint8_t *frame, struct psst_voice_frame *out)
{
    struct psst_session_call *call = s->call;
    struct psst_voice_frame got;
    uint64_t counter = 0;
    if (s->ended || s->closing_ns != PSST_NEVER || psst_session_call_state(s) != PSST_CALL_ACTIVE) return PSST_ERR_AUTH;
    if (datagram.len != PSST_DATAGRAM_HEAD_LEN + (size_t)call->frame_size + PSST_TAG_LEN) return PSST_ERR_AUTH;
    struct psst_voice_epoch *epoch = epoch_of(s, datagram.data[4], now_ns);
    if (epoch == NULL) return PSST_ERR_AUTH;
    enum psst_err err =
        psst_datagram_open(frame, &epoch->key, call->own_id, &epoch->window, call->frame_size, datagram, &counter);
    if (err != PSST_OK) return PSST_ERR_AUTH;
    if (psst_voice_frame_read(&got, psst_view(frame, call->frame_size)) != PSST_OK ||
        !psst_limit_take(&call->by_udp, now_ns, PSST_SECOND_NS, PSST_CALL_FRAMES_A_SECOND)) {
        call->dropped++;
        return PSST_ERR_AUTH;
    }
    call->datagram_ns = now_ns;
    psst_timers_on_datagram(&s->timers, now_ns);
    took_frame(call, now_ns, &got);
    *out = got;
    return PSST_OK;
}
