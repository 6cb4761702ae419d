/* What all benches share: clocks, medians over interleaved pairs, and one JSON line a figure on standard output, which
 * tools/bench.sh collects. A bench never decides a test: these machines are shared, so everything is a ratio against a
 * floor or a peer measured in the same run. */
#ifndef PSST_BENCH_COMMON_H
#define PSST_BENCH_COMMON_H

#include "base/bytes.h"
#include "crypto/crypto.h"
#include "proto/link.h"

#include <stdio.h>
#include <stdlib.h>

#define BENCH_PAIRS 9

#define BENCH_CHECK(cond)                                                                                              \
    do {                                                                                                               \
        if (!(cond)) {                                                                                                 \
            (void)fprintf(stderr, "bench: %s:%d: %s\n", __FILE__, __LINE__, #cond);                                    \
            exit(1);                                                                                                   \
        }                                                                                                              \
    } while (0)

double bench_wall_s(void);
double bench_cpu_s(void);          /* of this process */
double bench_children_cpu_s(void); /* of the children waited for */
double bench_median(double *values, size_t n);

/* One figure. goal and reference may be NULL; ratio below 0: none. met: 1, 0, or -1 for "no goal". */
void bench_row(const char *name, double value, const char *unit, const char *goal, int met, const char *reference,
               double reference_value, double ratio);

struct psst_now bench_now(void);

/* An established pair of links over a connected stream socket, one in each of two processes, handshake included: the
 * child is the callee. Keys of bits bits are made by the parent. */
struct bench_pair {
    struct psst_rsa_private *key_a, *key_b;
    struct psst_link_config config_a, config_b;
};
void bench_pair_init(struct bench_pair *pair, unsigned bits);
void bench_pair_fini(struct bench_pair *pair);

/* Drives link over fd, blocking, until ev is something other than a question (which it answers from own key and peer). */
void bench_next(struct psst_link *link, int fd, const struct psst_rsa_private *own, const struct psst_rsa_public *peer,
                struct psst_event *ev);
/* The answer to PSST_EV_DECAPSULATE. */
void bench_decapsulate(struct psst_link *link, const struct psst_rsa_private *own, const uint8_t x[PSST_KEM_LEN]);
void bench_flush(struct psst_link *link, int fd);

/* A connected pair of TCP sockets over loopback, TCP_NODELAY set. */
void bench_tcp_pair(int fds[2]);

#endif
