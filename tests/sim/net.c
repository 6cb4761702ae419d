#include "net.h"

#include <stdlib.h>

#define SEGMENT_MAX 16384

struct net_segment {
    struct net_segment *next;
    uint64_t at_ns;
    size_t len, read;
    uint8_t data[];
};

void net_init(struct net_pipe *pipe, const struct net_weather *weather, struct psst_rng *rng)
{
    *pipe = (struct net_pipe){
        .weather = *weather, .rng = rng, .end_ns = NET_NEVER, .flip_bit = NET_NEVER, .cut_at = NET_NEVER};
    psst_buf_init(&pipe->tape, 1 << 20);
}

static void drop_first(struct net_pipe *pipe)
{
    struct net_segment *first = pipe->first;
    pipe->under_way -= first->len - first->read;
    pipe->first = first->next;
    if (pipe->first == NULL) pipe->last = NULL;
    free(first);
}

void net_fini(struct net_pipe *pipe)
{
    while (pipe->first != NULL) drop_first(pipe);
    psst_buf_fini(&pipe->tape);
}

static uint64_t draw(struct net_pipe *pipe, uint64_t most)
{
    return most == 0 ? 0 : psst_rng_range(pipe->rng, 0, most);
}

/* When something that is written now arrives: in order, after what was written before. */
static uint64_t arrival(struct net_pipe *pipe, uint64_t now_ns, size_t len)
{
    const struct net_weather *w = &pipe->weather;
    if (pipe->free_ns < now_ns) pipe->free_ns = now_ns;
    if (w->bytes_per_s > 0) pipe->free_ns += (uint64_t)len * 1000000000 / w->bytes_per_s;
    uint64_t at = pipe->free_ns + w->delay_ns + draw(pipe, w->jitter_ns);
    if (at < pipe->last_ns) at = pipe->last_ns;
    pipe->last_ns = at;
    return at;
}

static void put_segment(struct net_pipe *pipe, uint64_t now_ns, struct psst_view bytes)
{
    struct net_segment *s = malloc(sizeof *s + bytes.len);
    if (s == NULL) abort();
    *s = (struct net_segment){.at_ns = arrival(pipe, now_ns, bytes.len), .len = bytes.len};
    memcpy(s->data, bytes.data, bytes.len);
    uint64_t flip_byte = pipe->flip_bit / 8;
    if (pipe->flip_bit != NET_NEVER && flip_byte >= pipe->carried && flip_byte - pipe->carried < bytes.len)
        s->data[flip_byte - pipe->carried] ^= (uint8_t)(1u << (pipe->flip_bit % 8));
    if (pipe->last != NULL)
        pipe->last->next = s;
    else
        pipe->first = s;
    pipe->last = s;
    pipe->under_way += bytes.len;
}

size_t net_write(struct net_pipe *pipe, uint64_t now_ns, struct psst_view bytes)
{
    if (pipe->end_ns != NET_NEVER) return bytes.len; /* nobody is there any more */
    size_t taken = 0;
    while (taken < bytes.len && pipe->under_way < pipe->weather.window && pipe->end_ns == NET_NEVER) {
        size_t n = bytes.len - taken, room = pipe->weather.window - pipe->under_way;
        if (n > room) n = room;
        if (n > SEGMENT_MAX) n = SEGMENT_MAX;
        bool cut = pipe->cut_at - pipe->carried <= n;
        if (cut) n = (size_t)(pipe->cut_at - pipe->carried);
        struct psst_view part = psst_view(bytes.data + taken, n);
        if (pipe->taped) psst_buf_put_view(&pipe->tape, part);
        if (pipe->black_hole)
            pipe->under_way += n; /* and there it stays */
        else if (n > 0)
            put_segment(pipe, now_ns, part);
        pipe->carried += n;
        taken += n;
        if (cut) net_close(pipe, now_ns);
    }
    return pipe->end_ns != NET_NEVER ? bytes.len : taken;
}

void net_close(struct net_pipe *pipe, uint64_t now_ns)
{
    if (pipe->end_ns == NET_NEVER && !pipe->black_hole) pipe->end_ns = arrival(pipe, now_ns, 0);
}

bool net_readable(const struct net_pipe *pipe, uint64_t now_ns)
{
    return pipe->first != NULL && pipe->first->at_ns <= now_ns && !pipe->black_hole;
}

bool net_ended(const struct net_pipe *pipe, uint64_t now_ns)
{
    return pipe->first == NULL && pipe->end_ns <= now_ns && !pipe->black_hole;
}

uint64_t net_next(const struct net_pipe *pipe)
{
    if (pipe->black_hole) return NET_NEVER;
    return pipe->first != NULL ? pipe->first->at_ns : pipe->end_ns;
}

size_t net_read(struct net_pipe *pipe, uint64_t now_ns, uint8_t *out, size_t max)
{
    size_t got = 0;
    if (pipe->weather.pieces == NET_DRIP) max = 1;
    if (pipe->weather.pieces == NET_RANDOM) max = (size_t)psst_rng_range(pipe->rng, 1, max);
    while (got < max && net_readable(pipe, now_ns)) {
        struct net_segment *s = pipe->first;
        size_t n = s->len - s->read < max - got ? s->len - s->read : max - got;
        memcpy(out + got, s->data + s->read, n);
        s->read += n;
        got += n;
        pipe->under_way -= n;
        if (s->read == s->len) drop_first(pipe);
    }
    return got;
}
