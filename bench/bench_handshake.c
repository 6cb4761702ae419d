/* The handshake, core to core in memory, both ends in one process, against its bare operations (2 RSA private, 2 RSA public,
 * 4 X25519: two key pairs, two results) and against a TLS 1.3 handshake with RSA certificates on both sides (libssl over
 * memory BIOs, ChaCha20-Poly1305, X25519). CPU time; medians over interleaved rounds. */
#include "common.h"

#include "proto/handshake.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#define ROUND 12 /* handshakes in one measurement */

struct parties {
    struct psst_rsa_private *a, *b;
    EVP_PKEY *key_a, *key_b; /* other keys of the same size, for the bare operations and for TLS */
    SSL_CTX *client, *server;
};

static void handshake(struct parties *p)
{
    const struct psst_rsa_public *pa = psst_rsa_private_public(p->a), *pb = psst_rsa_private_public(p->b);
    struct psst_handshake *a = NULL, *b = NULL;
    uint8_t m1[PSST_M1_LEN], m2[PSST_M2_LEN], m3[PSST_M3_LEN], m4[PSST_M4_LEN], m5[PSST_M5_LEN];
    uint8_t mac[32], x[PSST_KEM_LEN];
    uint64_t day;
    struct psst_kem_secret z;
    struct psst_fpr claimed;
    struct psst_session_keys ka, kb;
    BENCH_CHECK(psst_handshake_caller(&a, pa, pb, NULL, psst_view(NULL, 0), 20000, &psst_crypto_rng) == PSST_OK);
    BENCH_CHECK(psst_handshake_callee(&b, pb, psst_view(NULL, 0), &psst_crypto_rng) == PSST_OK);
    BENCH_CHECK(psst_handshake_write_m1(a, m1) == PSST_OK);
    BENCH_CHECK(psst_handshake_read_m1(b, m1, 20000, mac, &day, x) == PSST_OK);
    BENCH_CHECK(psst_kem_decapsulate(p->b, "z", x, &z) == PSST_OK);
    BENCH_CHECK(psst_handshake_accept_m1(b, &z) == PSST_OK);
    BENCH_CHECK(psst_handshake_write_m2(b, m2) == PSST_OK);
    BENCH_CHECK(psst_handshake_read_m2(a, m2) == PSST_OK);
    BENCH_CHECK(psst_handshake_write_m3(a, m3) == PSST_OK);
    BENCH_CHECK(psst_handshake_read_m3(b, m3, &claimed) == PSST_OK);
    BENCH_CHECK(psst_handshake_write_m4(b, pa, NULL, m4) == PSST_OK);
    BENCH_CHECK(psst_handshake_read_m4a(a, m4, x) == PSST_OK);
    BENCH_CHECK(psst_kem_decapsulate(p->a, "z", x, &z) == PSST_OK);
    BENCH_CHECK(psst_handshake_read_m4b(a, &z) == PSST_OK);
    BENCH_CHECK(psst_handshake_write_m5(a, m5, &ka) == PSST_OK);
    BENCH_CHECK(psst_handshake_read_m5(b, m5, &kb) == PSST_OK);
    BENCH_CHECK(memcmp(&ka, &kb, sizeof ka) == 0);
    psst_handshake_free(a);
    psst_handshake_free(b);
}

static void bare_rsa(EVP_PKEY *key)
{
    uint8_t plain[512], cipher[512], back[512];
    size_t len = (size_t)EVP_PKEY_get_size(key), n = sizeof cipher, m = sizeof back;
    memset(plain, 0x5a, len);
    plain[0] = 0;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
    BENCH_CHECK(ctx != NULL && EVP_PKEY_encrypt_init(ctx) > 0);
    BENCH_CHECK(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING) > 0);
    BENCH_CHECK(EVP_PKEY_encrypt(ctx, cipher, &n, plain, len) > 0);
    BENCH_CHECK(EVP_PKEY_decrypt_init(ctx) > 0 && EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING) > 0);
    BENCH_CHECK(EVP_PKEY_decrypt(ctx, back, &m, cipher, n) > 0 && m == len && memcmp(plain, back, len) == 0);
    EVP_PKEY_CTX_free(ctx);
}

static void bare(struct parties *p)
{
    bare_rsa(p->key_a);
    bare_rsa(p->key_b);
    EVP_PKEY *e[2] = {EVP_PKEY_Q_keygen(NULL, NULL, "X25519"), EVP_PKEY_Q_keygen(NULL, NULL, "X25519")};
    for (int i = 0; i < 2; i++) {
        uint8_t secret[32];
        size_t n = sizeof secret;
        EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(e[i], NULL);
        BENCH_CHECK(ctx != NULL && EVP_PKEY_derive_init(ctx) > 0 && EVP_PKEY_derive_set_peer(ctx, e[1 - i]) > 0);
        BENCH_CHECK(EVP_PKEY_derive(ctx, secret, &n) > 0);
        EVP_PKEY_CTX_free(ctx);
    }
    EVP_PKEY_free(e[0]);
    EVP_PKEY_free(e[1]);
}

static SSL_CTX *tls_context(const SSL_METHOD *method, EVP_PKEY *key)
{
    X509 *cert = X509_new();
    BENCH_CHECK(cert != NULL && X509_set_version(cert, 2) && ASN1_INTEGER_set(X509_get_serialNumber(cert), 1));
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC, (const unsigned char *)"bench", -1, -1,
                               0);
    X509_set_issuer_name(cert, X509_get_subject_name(cert));
    X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    BENCH_CHECK(X509_set_pubkey(cert, key) && X509_sign(cert, key, EVP_sha256()) > 0);
    SSL_CTX *ctx = SSL_CTX_new(method);
    BENCH_CHECK(ctx != NULL && SSL_CTX_use_certificate(ctx, cert) == 1 && SSL_CTX_use_PrivateKey(ctx, key) == 1);
    BENCH_CHECK(SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) == 1);
    BENCH_CHECK(SSL_CTX_set_ciphersuites(ctx, "TLS_CHACHA20_POLY1305_SHA256") == 1);
    BENCH_CHECK(SSL_CTX_set1_groups_list(ctx, "X25519") == 1);
    SSL_CTX_set_num_tickets(ctx, 0);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    X509_free(cert);
    return ctx;
}

static int trust_all(int ok, X509_STORE_CTX *store)
{
    (void)ok;
    (void)store;
    return 1; /* certificates are pinned in real use; the signature in CertificateVerify is checked all the same */
}

static void tls(struct parties *p)
{
    SSL *c = SSL_new(p->client), *s = SSL_new(p->server);
    BIO *c_out = NULL, *s_out = NULL;
    BENCH_CHECK(c != NULL && s != NULL && BIO_new_bio_pair(&c_out, 65536, &s_out, 65536) == 1);
    SSL_set_bio(c, c_out, c_out);
    SSL_set_bio(s, s_out, s_out);
    SSL_set_connect_state(c);
    SSL_set_accept_state(s);
    for (int turn = 0; turn < 20 && !(SSL_is_init_finished(c) && SSL_is_init_finished(s)); turn++) {
        (void)SSL_do_handshake(c);
        (void)SSL_do_handshake(s);
    }
    BENCH_CHECK(SSL_is_init_finished(c) && SSL_is_init_finished(s));
    SSL_free(c);
    SSL_free(s);
}

static double measure(void (*what)(struct parties *), struct parties *p)
{
    double start = bench_cpu_s();
    for (int i = 0; i < ROUND; i++) what(p);
    return (bench_cpu_s() - start) * 1000 / ROUND;
}

static void bench(unsigned bits)
{
    struct parties p = {0};
    BENCH_CHECK(psst_rsa_generate(&p.a, bits, NULL, NULL, NULL) == PSST_OK);
    BENCH_CHECK(psst_rsa_generate(&p.b, bits, NULL, NULL, NULL) == PSST_OK);
    p.key_a = EVP_RSA_gen(bits);
    p.key_b = EVP_RSA_gen(bits);
    BENCH_CHECK(p.key_a != NULL && p.key_b != NULL);
    p.client = tls_context(TLS_client_method(), p.key_a);
    p.server = tls_context(TLS_server_method(), p.key_b);
    SSL_CTX_set_verify(p.client, SSL_VERIFY_PEER, trust_all);
    SSL_CTX_set_verify(p.server, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, trust_all);

    double ours[BENCH_PAIRS], floor_[BENCH_PAIRS], peer[BENCH_PAIRS], to_floor[BENCH_PAIRS], to_peer[BENCH_PAIRS];
    handshake(&p);
    bare(&p);
    tls(&p);
    for (int i = 0; i < BENCH_PAIRS; i++) {
        ours[i] = measure(handshake, &p);
        floor_[i] = measure(bare, &p);
        peer[i] = measure(tls, &p);
        to_floor[i] = ours[i] / floor_[i];
        to_peer[i] = ours[i] / peer[i];
    }
    double v = bench_median(ours, BENCH_PAIRS), f = bench_median(floor_, BENCH_PAIRS),
           t = bench_median(peer, BENCH_PAIRS);
    double rf = bench_median(to_floor, BENCH_PAIRS), rt = bench_median(to_peer, BENCH_PAIRS);
    char name[80];
    (void)snprintf(name, sizeof name, "handshake CPU, both ends, RSA-%u", bits);
    bench_row(name, v, "ms", bits == 4096 ? "at most 1.05 times the bare operations" : NULL, rf <= 1.05,
              "bare RSA and X25519 operations", f, rf);
    (void)snprintf(name, sizeof name, "handshake CPU against TLS 1.3, RSA-%u", bits);
    bench_row(name, v, "ms", bits == 4096 ? "at most 0.95 times TLS 1.3" : NULL, rt <= 0.95,
              "TLS 1.3, certificates on both sides", t, rt);

    SSL_CTX_free(p.client);
    SSL_CTX_free(p.server);
    EVP_PKEY_free(p.key_a);
    EVP_PKEY_free(p.key_b);
    psst_rsa_private_free(p.a);
    psst_rsa_private_free(p.b);
}

int main(void)
{
    BENCH_CHECK(psst_crypto_init(0) == PSST_OK);
    bench(2048);
    bench(4096);
    return 0;
}
