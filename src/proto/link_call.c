/* The functions of link.h for calls: each finds the session, if there is one, and tells it the time. */
#include "proto/call_internal.h"
#include "proto/link_internal.h"

static struct psst_session *session_of(struct psst_link *link, struct psst_now now)
{
    link->now = now;
    return link->phase == PSST_LINK_SESSION && !link->broken ? &link->session : NULL;
}

static const struct psst_session_call *call_of(const struct psst_link *link)
{
    bool any = link->phase == PSST_LINK_SESSION && psst_session_call_state(&link->session) != PSST_CALL_NONE;
    return any ? link->session.call : NULL;
}

static enum psst_err call_do(struct psst_link *link, struct psst_now now, const struct psst_call_chunk *what)
{
    struct psst_session *s = session_of(link, now);
    return s != NULL ? psst_session_call_do(s, now.mono_ns, what) : PSST_ERR_USAGE;
}

enum psst_call_state psst_link_call_state(const struct psst_link *link)
{
    const struct psst_session_call *call = call_of(link);
    return call != NULL ? call->state : PSST_CALL_NONE;
}

enum psst_err psst_link_call_offer(struct psst_link *link, struct psst_now now, uint16_t frame_size)
{
    return call_do(link, now, &(struct psst_call_chunk){.kind = PSST_CALL_KIND_OFFER, .frame_size = frame_size});
}

enum psst_err psst_link_call_ring(struct psst_link *link, struct psst_now now)
{
    return call_do(link, now, &(struct psst_call_chunk){.kind = PSST_CALL_KIND_RING});
}

enum psst_err psst_link_call_accept(struct psst_link *link, struct psst_now now)
{
    return call_do(link, now, &(struct psst_call_chunk){.kind = PSST_CALL_KIND_ACCEPT});
}

enum psst_err psst_link_call_decline(struct psst_link *link, struct psst_now now, uint8_t reason)
{
    return call_do(link, now, &(struct psst_call_chunk){.kind = PSST_CALL_KIND_DECLINE, .reason = reason});
}

enum psst_err psst_link_call_hangup(struct psst_link *link, struct psst_now now, uint8_t reason)
{
    return call_do(link, now, &(struct psst_call_chunk){.kind = PSST_CALL_KIND_HANGUP, .reason = reason});
}

enum psst_err psst_link_call_receiving(struct psst_link *link, struct psst_now now, bool on)
{
    return call_do(link, now, &(struct psst_call_chunk){.kind = PSST_CALL_KIND_RECEIVING, .receiving = on});
}

enum psst_err psst_link_call_report(struct psst_link *link, struct psst_now now, uint8_t loss_256, uint16_t jitter_ms,
                                    uint16_t delay_ms)
{
    return call_do(
        link, now,
        &(struct psst_call_chunk){
            .kind = PSST_CALL_KIND_REPORT, .loss_256 = loss_256, .jitter_ms = jitter_ms, .delay_ms = delay_ms});
}

uint16_t psst_link_call_frame_size(const struct psst_link *link)
{
    const struct psst_session_call *call = call_of(link);
    return call != NULL ? call->frame_size : 0;
}

uint32_t psst_link_call_receiver_id(const struct psst_link *link)
{
    const struct psst_session_call *call = call_of(link);
    return call != NULL ? call->own_id : 0;
}

enum psst_voice_way psst_link_call_way(const struct psst_link *link)
{
    return call_of(link) != NULL ? psst_session_voice_way(&link->session, link->now.mono_ns) : PSST_WAY_BOTH;
}

enum psst_err psst_link_voice(struct psst_link *link, struct psst_now now, uint32_t timestamp_samples,
                              struct psst_view opus, uint8_t *datagram, size_t *len)
{
    struct psst_session *s = session_of(link, now);
    *len = 0;
    return s != NULL ? psst_session_voice_send(s, now.mono_ns, timestamp_samples, opus, datagram, len) : PSST_ERR_USAGE;
}

enum psst_err psst_link_datagram(struct psst_link *link, struct psst_now now, struct psst_view datagram, uint8_t *frame,
                                 struct psst_voice_frame *out)
{
    struct psst_session *s = session_of(link, now);
    return s != NULL ? psst_session_voice_datagram(s, now.mono_ns, datagram, frame, out) : PSST_ERR_AUTH;
}
