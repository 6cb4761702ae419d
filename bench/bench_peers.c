/* Many quiet contacts of one psstd, for measuring what an idle session costs.
 *
 *   bench_peers COUNT CARD PORT DIRECTORY
 * makes COUNT identities (RSA-1024, for speed), writes their cards to DIRECTORY/0.psst ..., prints "cards"; after a line on
 * standard input dials CARD's owner at 127.0.0.1:PORT with each, prints "up"; then keeps the sessions alive until
 * standard input ends. */
#include "common.h"

#include "identity/card.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

struct peer {
    struct psst_rsa_private *key;
    struct psst_link_config config;
    struct psst_link *link;
};

static struct psst_rsa_public *read_card(const char *path)
{
    static uint8_t text[PSST_CARD_MAX];
    struct psst_card card = {0};
    int fd = open(path, O_RDONLY);
    ssize_t n = read(fd, text, sizeof text);
    BENCH_CHECK(n > 0 && psst_card_parse(&card, psst_view(text, (size_t)n), NULL) == PSST_OK);
    (void)close(fd);
    struct psst_rsa_public *key = psst_rsa_public_ref(card.key);
    psst_card_fini(&card);
    return key;
}

static void make_peer(struct peer *peer, unsigned i, const char *dir)
{
    char path[512];
    struct psst_card card = {0};
    struct psst_buf text;
    BENCH_CHECK(psst_rsa_generate(&peer->key, 1024, NULL, NULL, NULL) == PSST_OK);
    peer->config = (struct psst_link_config){.self = psst_rsa_private_public(peer->key), .rng = &psst_crypto_rng};
    BENCH_CHECK(psst_rsa_public_load(&card.key, psst_rsa_public_spki(peer->config.self)) == PSST_OK);
    (void)snprintf(card.name, sizeof card.name, "Peer%u", i);
    psst_buf_init(&text, PSST_CARD_MAX);
    BENCH_CHECK(psst_card_write(&card, &text) == PSST_OK);
    (void)snprintf(path, sizeof path, "%s/%u.psst", dir, i);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    BENCH_CHECK(fd >= 0 && write(fd, text.data, text.len) == (ssize_t)text.len && close(fd) == 0);
    psst_buf_fini(&text);
    psst_card_fini(&card);
}

/* Each from an address of its own: one that brings more than a few calls a second is turned away. */
static int dial(struct peer *peer, unsigned i, struct psst_rsa_public *to, uint16_t port)
{
    struct psst_event ev;
    struct sockaddr_in addr = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port)};
    struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f010001 + i)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    BENCH_CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&from, sizeof from) == 0);
    BENCH_CHECK(connect(fd, (struct sockaddr *)&addr, sizeof addr) == 0);
    BENCH_CHECK(psst_link_call(&peer->link, &peer->config, to, NULL, bench_now()) == PSST_OK);
    bench_next(peer->link, fd, peer->key, to, &ev);
    BENCH_CHECK(ev.type == PSST_EV_ESTABLISHED);
    return fd;
}

/* Answers and sends pings; a session that ends is an error of the measurement. */
static void serve(struct peer *peers, struct pollfd *polls, unsigned count)
{
    static uint8_t scratch[65536];
    for (;;) {
        uint64_t now = bench_now().mono_ns, next = now + 60 * PSST_SECOND_NS;
        for (unsigned i = 0; i < count; i++) {
            uint64_t d = psst_link_deadline(peers[i].link);
            if (d < next) next = d;
        }
        int ms = next <= now ? 0 : (int)((next - now) / 1000000) + 1;
        BENCH_CHECK(poll(polls, count + 1, ms) >= 0 || errno == EINTR);
        if (polls[count].revents != 0) return;
        for (unsigned i = 0; i < count; i++) {
            struct psst_event ev;
            if (polls[i].revents != 0) {
                struct psst_span space = psst_link_space(peers[i].link, (struct psst_span){scratch, sizeof scratch});
                ssize_t n = read(polls[i].fd, space.data, space.len);
                BENCH_CHECK(n > 0);
                psst_link_received(peers[i].link, space.data, (size_t)n);
            } else if (psst_link_deadline(peers[i].link) > bench_now().mono_ns) {
                continue;
            }
            do {
                psst_link_next(peers[i].link, bench_now(), &ev);
                BENCH_CHECK(ev.type != PSST_EV_ENDED);
            } while (ev.type != PSST_EV_NONE);
            bench_flush(peers[i].link, polls[i].fd);
        }
    }
}

int main(int argc, char **argv)
{
    char line[16];
    BENCH_CHECK(argc == 5 && psst_crypto_init(0) == PSST_OK);
    unsigned count = (unsigned)strtoul(argv[1], NULL, 10);
    uint16_t port = (uint16_t)strtoul(argv[3], NULL, 10);
    BENCH_CHECK(count > 0 && count <= 10000);
    struct peer *peers = calloc(count, sizeof *peers);
    struct pollfd *polls = calloc(count + 1, sizeof *polls);
    BENCH_CHECK(peers != NULL && polls != NULL);
    struct psst_rsa_public *to = read_card(argv[2]);
    for (unsigned i = 0; i < count; i++) make_peer(&peers[i], i, argv[4]);
    (void)puts("cards");
    (void)fflush(stdout);
    BENCH_CHECK(read(STDIN_FILENO, line, sizeof line) > 0);
    for (unsigned i = 0; i < count; i++)
        polls[i] = (struct pollfd){.fd = dial(&peers[i], i, to, port), .events = POLLIN};
    polls[count] = (struct pollfd){.fd = STDIN_FILENO, .events = POLLIN};
    (void)puts("up");
    (void)fflush(stdout);
    serve(peers, polls, count);
    return 0; /* the system closes what is open: the sessions end as cut off */
}
