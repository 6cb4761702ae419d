/* Until the core has calls. */
#include "proto/link.h"
#define WEAK __attribute__((weak))
WEAK enum psst_call_state psst_link_call_state(const struct psst_link *l)
{
    (void)l;
    return PSST_CALL_NONE;
}
WEAK enum psst_err psst_link_call_offer(struct psst_link *l, struct psst_now n, uint16_t f)
{
    (void)l;
    (void)n;
    (void)f;
    return PSST_ERR_USAGE;
}
WEAK enum psst_err psst_link_call_ring(struct psst_link *l, struct psst_now n)
{
    (void)l;
    (void)n;
    return PSST_ERR_USAGE;
}
WEAK enum psst_err psst_link_call_accept(struct psst_link *l, struct psst_now n)
{
    (void)l;
    (void)n;
    return PSST_ERR_USAGE;
}
WEAK enum psst_err psst_link_call_decline(struct psst_link *l, struct psst_now n, uint8_t r)
{
    (void)l;
    (void)n;
    (void)r;
    return PSST_ERR_USAGE;
}
WEAK enum psst_err psst_link_call_hangup(struct psst_link *l, struct psst_now n, uint8_t r)
{
    (void)l;
    (void)n;
    (void)r;
    return PSST_ERR_USAGE;
}
WEAK enum psst_err psst_link_call_receiving(struct psst_link *l, struct psst_now n, bool r)
{
    (void)l;
    (void)n;
    (void)r;
    return PSST_ERR_USAGE;
}
WEAK enum psst_err psst_link_call_report(struct psst_link *l, struct psst_now n, uint8_t a, uint16_t b, uint16_t c)
{
    (void)l;
    (void)n;
    (void)a;
    (void)b;
    (void)c;
    return PSST_ERR_USAGE;
}
WEAK uint16_t psst_link_call_frame_size(const struct psst_link *l)
{
    (void)l;
    return 0;
}
WEAK uint32_t psst_link_call_receiver_id(const struct psst_link *l)
{
    (void)l;
    return 0;
}
WEAK enum psst_voice_way psst_link_call_way(const struct psst_link *l)
{
    (void)l;
    return PSST_WAY_BOTH;
}
WEAK enum psst_err psst_link_voice(struct psst_link *l, struct psst_now n, uint32_t t, struct psst_view o, uint8_t *d,
                                   size_t *len)
{
    (void)l;
    (void)n;
    (void)t;
    (void)o;
    (void)d;
    (void)len;
    return PSST_ERR_USAGE;
}
WEAK enum psst_err psst_link_datagram(struct psst_link *l, struct psst_now n, struct psst_view d, uint8_t *f,
                                      struct psst_voice_frame *o)
{
    (void)l;
    (void)n;
    (void)d;
    (void)f;
    (void)o;
    return PSST_ERR_AUTH;
}
