#include "common.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define GATHER_BYTES (4 * 65536) /* as much as the sender writes at once */
#define GATHER_FROM  65536       /* a read that brings so much belongs to bulk data */
#define GATHER_US    1000

static double seconds(clockid_t clock)
{
    struct timespec t;
    (void)clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

double bench_wall_s(void)
{
    return seconds(CLOCK_MONOTONIC);
}

double bench_cpu_s(void)
{
    return seconds(CLOCK_PROCESS_CPUTIME_ID);
}

double bench_children_cpu_s(void)
{
    struct rusage u;
    (void)getrusage(RUSAGE_CHILDREN, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double bench_median(double *values, size_t n)
{
    qsort(values, n, sizeof *values, compare);
    return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

void bench_row(const char *name, double value, const char *unit, const char *goal, int met, const char *reference,
               double reference_value, double ratio)
{
    printf("{\"name\": \"%s\", \"value\": %.6g, \"unit\": \"%s\"", name, value, unit);
    if (goal != NULL)
        printf(", \"goal\": \"%s\", \"met\": %s", goal, met == 1 ? "true" : "false");
    else
        printf(", \"goal\": null, \"met\": null");
    if (reference != NULL)
        printf(", \"reference\": \"%s\", \"reference_value\": %.6g", reference, reference_value);
    else
        printf(", \"reference\": null, \"reference_value\": null");
    if (ratio >= 0)
        printf(", \"ratio\": %.4g}\n", ratio);
    else
        printf(", \"ratio\": null}\n");
    (void)fflush(stdout);
}

struct psst_now bench_now(void)
{
    struct timespec mono, real;
    (void)clock_gettime(CLOCK_MONOTONIC, &mono);
    (void)clock_gettime(CLOCK_REALTIME, &real);
    return (struct psst_now){.mono_ns = (uint64_t)mono.tv_sec * PSST_SECOND_NS + (uint64_t)mono.tv_nsec,
                             .unix_ms = (uint64_t)real.tv_sec * 1000 + (uint64_t)real.tv_nsec / 1000000};
}

void bench_pair_init(struct bench_pair *pair, unsigned bits)
{
    BENCH_CHECK(psst_rsa_generate(&pair->key_a, bits, NULL, NULL, NULL) == PSST_OK);
    BENCH_CHECK(psst_rsa_generate(&pair->key_b, bits, NULL, NULL, NULL) == PSST_OK);
    pair->config_a = (struct psst_link_config){.self = psst_rsa_private_public(pair->key_a), .rng = &psst_crypto_rng};
    pair->config_b = (struct psst_link_config){.self = psst_rsa_private_public(pair->key_b), .rng = &psst_crypto_rng};
}

void bench_pair_fini(struct bench_pair *pair)
{
    psst_rsa_private_free(pair->key_a);
    psst_rsa_private_free(pair->key_b);
}

void bench_flush(struct psst_link *link, int fd)
{
    for (;;) {
        struct psst_view out = psst_link_output(link);
        if (out.len == 0) return;
        ssize_t n = write(fd, out.data, out.len);
        BENCH_CHECK(n > 0);
        psst_link_sent(link, (size_t)n);
    }
}

void bench_decapsulate(struct psst_link *link, const struct psst_rsa_private *own, const uint8_t x[PSST_KEM_LEN])
{
    struct psst_kem_secret secret;
    BENCH_CHECK(psst_kem_decapsulate(own, "z", x, &secret) == PSST_OK);
    psst_link_decapsulated(link, &secret);
    PSST_WIPE(secret);
}

static void set_gather(int fd, bool on)
{
    const int bytes = on ? GATHER_BYTES : 1;
    const struct timeval most = {.tv_usec = on ? GATHER_US : 0};
    BENCH_CHECK(setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof bytes) == 0);
    BENCH_CHECK(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof most) == 0);
}

/* What a receiver that cares does, with whatever protocol: while bulk data comes it lets the kernel gather some of it, for a
 * millisecond at most, because each awakening costs the sender too: it interrupts the other processor. Nothing is ever held
 * up for longer: what has come when the time is up is read; when nothing has, the next wait is for the first byte. */
static ssize_t read_gathering(int fd, void *data, size_t len)
{
    static int gathering = -1; /* the one socket of this process that bulk data comes from */
    ssize_t n = read(fd, data, len);
    if (n < 0 && errno == EAGAIN && gathering == fd) {
        set_gather(fd, false);
        gathering = -1;
        n = read(fd, data, len);
    }
    if (n >= GATHER_FROM && gathering != fd) {
        set_gather(fd, true);
        gathering = fd;
    }
    return n;
}

void bench_next(struct psst_link *link, int fd, const struct psst_rsa_private *own, const struct psst_rsa_public *peer,
                struct psst_event *ev)
{
    static uint8_t scratch[4 * 65536];
    for (;;) {
        psst_link_next(link, bench_now(), ev);
        switch (ev->type) {
        case PSST_EV_ADMIT: psst_link_admit(link, true); continue;
        case PSST_EV_DECAPSULATE: bench_decapsulate(link, own, ev->x); continue;
        case PSST_EV_CONTACT: {
            /* the link takes a reference of its own */
            struct psst_rsa_public *contact = NULL;
            BENCH_CHECK(psst_rsa_public_load(&contact, psst_rsa_public_spki(peer)) == PSST_OK);
            psst_link_contact(link, contact, NULL);
            psst_rsa_public_free(contact);
            continue;
        }
        case PSST_EV_NONE: break;
        default: bench_flush(link, fd); return;
        }
        bench_flush(link, fd);
        uint64_t deadline = psst_link_deadline(link), now = bench_now().mono_ns;
        if (!psst_link_established(link) && deadline <= now + 2 * PSST_M4_DELAY_NS) continue; /* M4's delay */
        struct psst_span space = psst_link_space(link, (struct psst_span){scratch, sizeof scratch});
        ssize_t n = read_gathering(fd, space.data, space.len);
        BENCH_CHECK(n >= 0);
        if (n == 0)
            psst_link_eof(link);
        else
            psst_link_received(link, space.data, (size_t)n);
    }
}

void bench_tcp_pair(int fds[2])
{
    int one = 1;
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof addr;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    BENCH_CHECK(listener >= 0 && bind(listener, (struct sockaddr *)&addr, sizeof addr) == 0);
    BENCH_CHECK(listen(listener, 1) == 0 && getsockname(listener, (struct sockaddr *)&addr, &len) == 0);
    fds[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    BENCH_CHECK(fds[0] >= 0 && connect(fds[0], (struct sockaddr *)&addr, sizeof addr) == 0);
    fds[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    BENCH_CHECK(fds[1] >= 0);
    for (int i = 0; i < 2; i++) BENCH_CHECK(setsockopt(fds[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) == 0);
    BENCH_CHECK(close(listener) == 0);
}
