/* Bulk data and round trips over loopback TCP, two processes.
 *
 *   bench_stream                    file core to core to /dev/null against a libssl loop; round trip of a message
 *   bench_stream loop SOURCE TARGET the bare loop: records of 64 KiB, SHA-256 on both sides, SOURCE to TARGET, no daemon;
 *                                   prints seconds and CPU seconds
 *   bench_stream tcp SOURCE TARGET  the same without any cryptography
 */
#include "common.h"

#include "proto/record.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define FILE_BYTES       (UINT64_C(1) << 30)
#define ROUND_TRIPS      4000
#define FLUSH_BYTES      (4 * 65536) /* PSST_BULK_WAITING: psstd writes what has gathered while the socket was full */
#define BUSY_ROUND_TRIPS 1000

static uint8_t block[65536];

static void wait_child(pid_t pid)
{
    int status = 0;
    BENCH_CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void write_all(int fd, const void *data, size_t len)
{
    const uint8_t *p = data;
    while (len > 0) {
        ssize_t n = write(fd, p, len);
        BENCH_CHECK(n > 0);
        p += n;
        len -= (size_t)n;
    }
}

/* ---- core to core ---- */

static void core_receiver(struct bench_pair *pair, int fd)
{
    struct psst_link *link = NULL;
    struct psst_event ev;
    int null = open("/dev/null", O_WRONLY);
    uint64_t got = 0;
    BENCH_CHECK(psst_link_accept(&link, &pair->config_b, bench_now()) == PSST_OK);
    for (;;) {
        bench_next(link, fd, pair->key_b, pair->config_a.self, &ev);
        if (ev.type == PSST_EV_ENDED) break;
        if (ev.type == PSST_EV_TEXT) {
            BENCH_CHECK(psst_link_ack(link, bench_now(), &ev.text.id) == PSST_OK);
            bench_flush(link, fd);
        }
        if (ev.type != PSST_EV_FILE || ev.file.kind != PSST_FILE_DATA) continue;
        BENCH_CHECK(ev.file.offset == got);
        write_all(null, ev.file.data.data, ev.file.data.len);
        got += ev.file.data.len;
    }
    psst_link_free(link);
    BENCH_CHECK(got == 0 || got == FILE_BYTES);
    _exit(0);
}

/* Acknowledges texts and drops file data until the line is cut. */
static void busy_receiver(struct bench_pair *pair, int fd)
{
    struct psst_link *link = NULL;
    struct psst_event ev;
    BENCH_CHECK(psst_link_accept(&link, &pair->config_b, bench_now()) == PSST_OK);
    do {
        bench_next(link, fd, pair->key_b, pair->config_a.self, &ev);
        if (ev.type != PSST_EV_TEXT) continue;
        BENCH_CHECK(psst_link_ack(link, bench_now(), &ev.text.id) == PSST_OK);
        bench_flush(link, fd);
    } while (ev.type != PSST_EV_ENDED);
    _exit(0);
}

static struct psst_link *core_caller(struct bench_pair *pair, int fd)
{
    struct psst_link *link = NULL;
    struct psst_event ev;
    struct psst_rsa_public *peer = NULL;
    BENCH_CHECK(psst_rsa_public_load(&peer, psst_rsa_public_spki(pair->config_b.self)) == PSST_OK);
    BENCH_CHECK(psst_link_call(&link, &pair->config_a, peer, NULL, bench_now()) == PSST_OK);
    psst_rsa_public_free(peer);
    bench_next(link, fd, pair->key_a, pair->config_b.self, &ev);
    BENCH_CHECK(ev.type == PSST_EV_ESTABLISHED);
    return link;
}

static void core_send(struct psst_link *link, int fd, int source)
{
    static const struct psst_msg_id id = {{1}};
    uint64_t offset = 0;
    while (offset < FILE_BYTES) {
        struct psst_span place;
        BENCH_CHECK(psst_link_file_data_begin(link, &place) == PSST_OK);
        size_t want = FILE_BYTES - offset < place.len ? (size_t)(FILE_BYTES - offset) : place.len;
        BENCH_CHECK(pread(source, place.data, want, 0) == (ssize_t)want);
        BENCH_CHECK(psst_link_file_data_commit(link, bench_now(), &id, offset, want) == PSST_OK);
        offset += want;
        if (psst_link_output(link).len >= FLUSH_BYTES) bench_flush(link, fd);
    }
}

static double message_round_trip(struct bench_pair *pair, struct psst_link *link, int fd, unsigned i)
{
    struct psst_text text = {.id = {{(uint8_t)i, (uint8_t)(i >> 8)}}, .utf8 = psst_view_str("How are you?")};
    struct psst_event ev;
    double start = bench_wall_s();
    BENCH_CHECK(psst_link_text(link, bench_now(), &text) == PSST_OK);
    bench_flush(link, fd);
    do bench_next(link, fd, pair->key_a, pair->config_b.self, &ev);
    while (ev.type != PSST_EV_ACK);
    return (bench_wall_s() - start) * 1000;
}

/* Reads to the end before closing: an unread ping would make the close a reset. */
static void hang_up(struct psst_link *link, int fd)
{
    psst_link_bye(link, bench_now(), PSST_BYE_CLOSED);
    bench_flush(link, fd);
    BENCH_CHECK(shutdown(fd, SHUT_WR) == 0);
    while (read(fd, block, sizeof block) > 0) continue;
    (void)close(fd);
}

/* The callee in a process of its own; gives the caller's end of the connection. */
static pid_t start_receiver(struct bench_pair *pair, void (*receiver)(struct bench_pair *, int), int *fd)
{
    int fds[2];
    bench_tcp_pair(fds);
    pid_t pid = fork();
    BENCH_CHECK(pid >= 0);
    if (pid == 0) {
        (void)close(fds[0]);
        receiver(pair, fds[1]);
    }
    (void)close(fds[1]);
    *fd = fds[0];
    return pid;
}

static double core_file(struct bench_pair *pair, int source)
{
    int fd;
    pid_t pid = start_receiver(pair, core_receiver, &fd);
    struct psst_link *link = core_caller(pair, fd);
    double start = bench_wall_s();
    core_send(link, fd, source);
    (void)message_round_trip(pair, link, fd, 0); /* all has come, and nothing waits for more to come */
    hang_up(link, fd);
    wait_child(pid);
    double took = bench_wall_s() - start;
    psst_link_free(link);
    return (double)FILE_BYTES / took / 1e9;
}

static void core_round_trip(struct bench_pair *pair)
{
    int fd;
    pid_t pid = start_receiver(pair, core_receiver, &fd);
    struct psst_link *link = core_caller(pair, fd);
    static double ms[ROUND_TRIPS];
    for (unsigned i = 0; i < ROUND_TRIPS; i++) ms[i] = message_round_trip(pair, link, fd, i);
    hang_up(link, fd);
    wait_child(pid);
    psst_link_free(link);
    double median = bench_median(ms, ROUND_TRIPS);
    bench_row("message round trip, core to core over loopback TCP, median", median, "ms", "at most 0.25 ms",
              median <= 0.25, NULL, 0, -1);
}

/* Texts between file data at full speed: one at a time, the next 2 ms after the acknowledgement of the last. */
static void core_round_trip_busy(struct bench_pair *pair)
{
    static const struct psst_msg_id file_id = {{1}};
    static double ms[BUSY_ROUND_TRIPS];
    static uint8_t scratch[65536];
    int fd, lowat = 128 * 1024;
    pid_t pid = start_receiver(pair, busy_receiver, &fd);
    struct psst_link *link = core_caller(pair, fd);
    BENCH_CHECK(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
    BENCH_CHECK(setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &lowat, sizeof lowat) == 0);
    uint64_t offset = 0;
    unsigned done = 0;
    double sent_at = 0, next_at = bench_wall_s();
    while (done < BUSY_ROUND_TRIPS) {
        if (sent_at == 0 && bench_wall_s() >= next_at) {
            struct psst_text text = {.id = {{2, (uint8_t)done, (uint8_t)(done >> 8)}},
                                     .utf8 = psst_view_str("And now?")};
            sent_at = bench_wall_s();
            BENCH_CHECK(psst_link_text(link, bench_now(), &text) == PSST_OK);
        }
        struct psst_span place;
        if (psst_link_output(link).len < 2 * 65536 && psst_link_file_data_begin(link, &place) == PSST_OK) {
            memset(place.data, 0, place.len);
            BENCH_CHECK(psst_link_file_data_commit(link, bench_now(), &file_id, offset, place.len) == PSST_OK);
            offset += place.len;
        }
        struct pollfd p = {.fd = fd, .events = POLLIN | POLLOUT};
        BENCH_CHECK(poll(&p, 1, 1000) > 0);
        if (p.revents & POLLOUT) {
            struct psst_view out = psst_link_output(link);
            ssize_t n = write(fd, out.data, out.len);
            if (n > 0) psst_link_sent(link, (size_t)n);
        }
        if ((p.revents & POLLIN) == 0) continue;
        struct psst_span space = psst_link_space(link, (struct psst_span){scratch, sizeof scratch});
        ssize_t n = read(fd, space.data, space.len);
        BENCH_CHECK(n > 0);
        psst_link_received(link, space.data, (size_t)n);
        for (struct psst_event ev;;) {
            psst_link_next(link, bench_now(), &ev);
            if (ev.type == PSST_EV_NONE) break;
            if (ev.type == PSST_EV_DECAPSULATE) bench_decapsulate(link, pair->key_a, ev.x); /* a rekey each GiB */
            if (ev.type != PSST_EV_ACK) continue;
            ms[done++] = (bench_wall_s() - sent_at) * 1000;
            sent_at = 0;
            next_at = bench_wall_s() + 0.002;
        }
    }
    (void)close(fd);
    wait_child(pid);
    psst_link_free(link);
    double median = bench_median(ms, BUSY_ROUND_TRIPS); /* sorts */
    double p99 = ms[BUSY_ROUND_TRIPS * 99 / 100];
    bench_row("message round trip, core to core, while a file is sent, p99", p99, "ms", "at most 20 ms", p99 <= 20,
              "median of the same", median, -1);
}

/* ---- libssl: TLS 1.3, ChaCha20-Poly1305 ---- */

static SSL_CTX *tls_context(bool server)
{
    SSL_CTX *ctx = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
    BENCH_CHECK(ctx != NULL && SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) == 1);
    BENCH_CHECK(SSL_CTX_set_ciphersuites(ctx, "TLS_CHACHA20_POLY1305_SHA256") == 1);
    /* unread tickets would make the client's close a reset */
    BENCH_CHECK(SSL_CTX_set_num_tickets(ctx, 0) == 1);
    if (server) {
        EVP_PKEY *key = EVP_RSA_gen(2048);
        X509 *cert = X509_new();
        X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
        X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
        BENCH_CHECK(X509_set_pubkey(cert, key) && X509_sign(cert, key, EVP_sha256()) > 0);
        BENCH_CHECK(SSL_CTX_use_certificate(ctx, cert) == 1 && SSL_CTX_use_PrivateKey(ctx, key) == 1);
        X509_free(cert);
        EVP_PKEY_free(key);
    }
    return ctx;
}

/* A plain loop. What our two sides do is open to it too and was measured: reading ahead 256 KiB from a socket that gathers
 * (common.c) changes nothing (1.24 GB/s against 1.22), a buffering BIO that writes 256 KiB at once makes it slower (1.09). */
static void tls_receiver(SSL_CTX *ctx, int fd)
{
    SSL *ssl = SSL_new(ctx);
    int null = open("/dev/null", O_WRONLY);
    uint64_t got = 0;
    BENCH_CHECK(ssl != NULL && SSL_set_fd(ssl, fd) == 1 && SSL_accept(ssl) == 1);
    for (;;) {
        int n = SSL_read(ssl, block, sizeof block);
        if (n <= 0) break;
        write_all(null, block, (size_t)n);
        got += (uint64_t)n;
    }
    BENCH_CHECK(got == FILE_BYTES);
    _exit(0);
}

static double tls_file(SSL_CTX *client, SSL_CTX *server, int source)
{
    int fds[2];
    bench_tcp_pair(fds);
    pid_t pid = fork();
    if (pid == 0) {
        (void)close(fds[0]);
        tls_receiver(server, fds[1]);
    }
    (void)close(fds[1]);
    SSL *ssl = SSL_new(client);
    BENCH_CHECK(ssl != NULL && SSL_set_fd(ssl, fds[0]) == 1 && SSL_connect(ssl) == 1);
    double start = bench_wall_s();
    for (uint64_t offset = 0; offset < FILE_BYTES; offset += sizeof block) {
        BENCH_CHECK(pread(source, block, sizeof block, 0) == (ssize_t)sizeof block);
        BENCH_CHECK(SSL_write(ssl, block, sizeof block) == (int)sizeof block);
    }
    (void)SSL_shutdown(ssl);
    (void)close(fds[0]);
    wait_child(pid);
    double took = bench_wall_s() - start;
    SSL_free(ssl);
    return (double)FILE_BYTES / took / 1e9;
}

static void compare_files(struct bench_pair *pair)
{
    char name[] = "/dev/shm/psst-bench-XXXXXX";
    int source = mkstemp(name);
    BENCH_CHECK(source >= 0 && unlink(name) == 0);
    write_all(source, block, sizeof block);
    SSL_CTX *client = tls_context(false), *server = tls_context(true);
    double ours[BENCH_PAIRS], theirs[BENCH_PAIRS], ratio[BENCH_PAIRS];
    for (int i = 0; i < BENCH_PAIRS; i++) {
        ours[i] = core_file(pair, source);
        theirs[i] = tls_file(client, server, source);
        ratio[i] = ours[i] / theirs[i];
    }
    double r = bench_median(ratio, BENCH_PAIRS);
    bench_row("file, core to core, 64 KiB records, to /dev/null", bench_median(ours, BENCH_PAIRS), "GB/s",
              "at least 1.2 times the libssl loop", r >= 1.2, "libssl loop, TLS 1.3 ChaCha20-Poly1305",
              bench_median(theirs, BENCH_PAIRS), r);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
    (void)close(source);
}

/* ---- the bare loop ---- */

static const struct psst_aead_key loop_key = {{7}};

static void loop_receiver(int fd, int target, bool crypto)
{
    static uint8_t in[PSST_RECORD_MAX];
    struct psst_record_state state;
    struct psst_sha256_stream *sha = psst_sha256_stream_new();
    struct psst_hash hash;
    psst_record_init(&state, &loop_key);
    for (;;) {
        size_t have = 0, want = PSST_RECORD_MAX;
        while (have < want) {
            ssize_t n = read(fd, in + have, want - have);
            BENCH_CHECK(n >= 0);
            if (n == 0) break;
            have += (size_t)n;
        }
        if (have == 0) break;
        uint8_t *body = in + PSST_RECORD_HEAD_LEN;
        size_t len = have - PSST_RECORD_HEAD_LEN - PSST_TAG_LEN;
        if (crypto) {
            BENCH_CHECK(psst_record_open_head(&state, in, &len) == PSST_OK);
            BENCH_CHECK(psst_record_open_body(&state, body, len) == PSST_OK);
            BENCH_CHECK(psst_sha256_stream_update(sha, psst_view(body, len)) == PSST_OK);
        }
        write_all(target, body, len);
    }
    BENCH_CHECK(psst_sha256_stream_peek(sha, &hash) == PSST_OK);
    _exit(0);
}

static void loop(const char *source_path, const char *target_path, bool crypto)
{
    static uint8_t out[PSST_RECORD_MAX];
    int fds[2], source = open(source_path, O_RDONLY);
    int target = open(target_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    BENCH_CHECK(source >= 0 && target >= 0);
    bench_tcp_pair(fds);
    double start = bench_wall_s(), cpu = bench_cpu_s();
    pid_t pid = fork();
    if (pid == 0) {
        (void)close(fds[0]);
        loop_receiver(fds[1], target, crypto);
    }
    (void)close(fds[1]);
    struct psst_record_state state;
    struct psst_sha256_stream *sha = psst_sha256_stream_new();
    struct psst_hash hash;
    psst_record_init(&state, &loop_key);
    for (;;) {
        uint8_t *body = out + PSST_RECORD_HEAD_LEN;
        ssize_t n = read(source, body, PSST_RECORD_BODY_MAX);
        BENCH_CHECK(n >= 0);
        if (n == 0) break;
        if (crypto) {
            BENCH_CHECK(psst_sha256_stream_update(sha, psst_view(body, (size_t)n)) == PSST_OK);
            BENCH_CHECK(psst_record_seal(&state, out, (size_t)n) == PSST_OK);
        }
        write_all(fds[0], out, PSST_RECORD_HEAD_LEN + (size_t)n + PSST_TAG_LEN);
    }
    BENCH_CHECK(psst_sha256_stream_peek(sha, &hash) == PSST_OK);
    psst_sha256_stream_free(sha);
    (void)close(fds[0]);
    wait_child(pid);
    printf("{\"seconds\": %.4f, \"cpu\": %.4f}\n", bench_wall_s() - start,
           bench_cpu_s() - cpu + bench_children_cpu_s());
}

int main(int argc, char **argv)
{
    BENCH_CHECK(psst_crypto_init(0) == PSST_OK);
    if (argc == 4) {
        loop(argv[2], argv[3], strcmp(argv[1], "loop") == 0);
        return 0;
    }
    struct bench_pair pair;
    bench_pair_init(&pair, 2048);
    compare_files(&pair);
    core_round_trip(&pair);
    core_round_trip_busy(&pair);
    bench_pair_fini(&pair);
    return 0;
}
