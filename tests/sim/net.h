/* The bad network of the simulator: one direction of a TCP connection. Bytes arrive in order or not at all, late, at a
 * limited rate, behind a limited window, in pieces that have nothing to do with how they were written. And things happen
 * to them: a bit flips, the line is cut at a byte, or nothing arrives any more and nobody is told. */
#ifndef PSST_SIM_NET_H
#define PSST_SIM_NET_H

#include "base/bytes.h"
#include "support/det_rng.h"

#define NET_NEVER UINT64_MAX

enum net_pieces { NET_WHOLE, NET_RANDOM, NET_DRIP /* one byte a read */ };

struct net_weather {
    uint64_t delay_ns, jitter_ns;
    uint64_t bytes_per_s; /* 0: no limit */
    size_t window;        /* written and not yet read */
    enum net_pieces pieces;
};

struct net_segment;

struct net_pipe {
    struct net_weather weather;
    struct psst_rng *rng; /* borrowed */
    struct net_segment *first, *last;
    size_t under_way;
    uint64_t free_ns, last_ns; /* when the line is free; when the last segment arrives */
    uint64_t carried;          /* bytes written, lost ones among them */
    uint64_t end_ns;           /* when the end of the stream arrives; NET_NEVER: it is open */
    /* mishaps; NET_NEVER: does not happen */
    uint64_t flip_bit;    /* this bit of the stream arrives wrong */
    uint64_t cut_at;      /* the stream ends after so many bytes */
    bool black_hole;      /* nothing arrives any more */
    struct psst_buf tape; /* everything written */
    bool taped;
};

void net_init(struct net_pipe *pipe, const struct net_weather *weather, struct psst_rng *rng);
void net_fini(struct net_pipe *pipe);

/* How many of the bytes were taken. */
size_t net_write(struct net_pipe *pipe, uint64_t now_ns, struct psst_view bytes);
/* The end of the stream, after what is under way. */
void net_close(struct net_pipe *pipe, uint64_t now_ns);
/* Whether something can be read, or has ended, now; and when next. */
bool net_readable(const struct net_pipe *pipe, uint64_t now_ns);
bool net_ended(const struct net_pipe *pipe, uint64_t now_ns);
uint64_t net_next(const struct net_pipe *pipe);
/* One read of at most max bytes. */
size_t net_read(struct net_pipe *pipe, uint64_t now_ns, uint8_t *out, size_t max);

#endif
