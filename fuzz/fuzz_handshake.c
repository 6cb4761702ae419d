/* One message of a handshake, by the fuzzer, to an end that is waiting for it. All before it is genuine.
 *
 * input: u8 which message, 1 to 5 || u8 how || bytes
 *   how 0: the bytes are the message (zeros to its length)
 *   how 1: the bytes are laid over the genuine message by exclusive or
 *   how 2: the bytes are what the message holds, under right MACs and tags: EA and XA, or the plain text
 * A message is taken when it is the genuine one, or well made and well sealed; everything else must be PSST_ERR_AUTH, after
 * which the handshake is dead.
 */
#include "fuzz.h"

#include "proto/handshake_internal.h"

#define DAY      UINT64_C(20254)
#define MESSAGES 5

static const size_t message_len[MESSAGES + 1] = {0, PSST_M1_LEN, PSST_M2_LEN, PSST_M3_LEN, PSST_M4_LEN, PSST_M5_LEN};

/* The genuine handshake, played once: who waits for message n, as it was before reading it; and that message. */
static struct {
    struct psst_handshake *waiting[MESSAGES + 1];
    uint8_t m[MESSAGES + 1][PSST_M4_LEN];
    struct psst_rng rng;
    struct fuzz_rng state;
    struct psst_hash before_m4a; /* h4 */
    struct psst_hash m3_ad;      /* h3 */
    struct psst_chain_key ck1;
    struct psst_chain_key ck2;
    struct psst_hash m5_ad;  /* h6 */
    struct psst_hash m4b_ad; /* h5 */
} genuine;

static const struct psst_rsa_public *public_a(void)
{
    return psst_rsa_private_public(fuzz_key_a());
}

static const struct psst_rsa_public *public_b(void)
{
    return psst_rsa_private_public(fuzz_key_b());
}

static const struct psst_kem_secret *decapsulate(const struct psst_rsa_private *key, const uint8_t x[PSST_KEM_LEN],
                                                 struct psst_kem_secret *z)
{
    return psst_kem_decapsulate(key, "z", x, z) == PSST_OK ? z : NULL;
}

/* Message n is read by hs, all that belongs to it included. */
static enum psst_err read_message(struct psst_handshake *hs, int n, const uint8_t *m)
{
    uint8_t mac[32], x[PSST_KEM_LEN];
    uint64_t day;
    struct psst_kem_secret z;
    struct psst_fpr claimed;
    struct psst_session_keys keys;
    enum psst_err err;
    switch (n) {
    case 1:
        err = psst_handshake_read_m1(hs, m, DAY, mac, &day, x);
        return err != PSST_OK ? err : psst_handshake_accept_m1(hs, decapsulate(fuzz_key_b(), x, &z));
    case 2: return psst_handshake_read_m2(hs, m);
    case 3: return psst_handshake_read_m3(hs, m, &claimed);
    case 4:
        err = psst_handshake_read_m4a(hs, m, x);
        return err != PSST_OK ? err : psst_handshake_read_m4b(hs, decapsulate(fuzz_key_a(), x, &z));
    default: return psst_handshake_read_m5(hs, m, &keys);
    }
}

static enum psst_err write_message(struct psst_handshake *hs, int n, uint8_t *m)
{
    struct psst_session_keys keys;
    switch (n) {
    case 1: return psst_handshake_write_m1(hs, m);
    case 2: return psst_handshake_write_m2(hs, m);
    case 3: return psst_handshake_write_m3(hs, m);
    case 4: return psst_handshake_write_m4(hs, public_a(), NULL, m);
    default: return psst_handshake_write_m5(hs, m, &keys);
    }
}

static void remember_inside(const struct psst_handshake *caller, const struct psst_handshake *callee, int n)
{
    if (n == 3) {
        genuine.ck1 = *psst_handshake_chain(callee);
        genuine.m3_ad = *psst_handshake_transcript(callee);
    }
    if (n == 4) {
        genuine.before_m4a = *psst_handshake_transcript(caller);
        struct psst_view parts[] = {psst_view(genuine.before_m4a.b, 32), psst_view(genuine.m[4], PSST_M4A_LEN)};
        FUZZ_CHECK(psst_sha256(&genuine.m4b_ad, parts, 2) == PSST_OK);
    }
    if (n == 5) {
        genuine.ck2 = *psst_handshake_chain(callee);
        genuine.m5_ad = *psst_handshake_transcript(callee);
    }
}

static void play_genuine(void)
{
    static bool done;
    if (done) return;
    const struct psst_view features = psst_view("\x01\x01\x07", 3);
    struct psst_handshake *caller, *callee;
    fuzz_init();
    genuine.state.state = 1;
    genuine.rng = fuzz_rng_of(&genuine.state);
    FUZZ_CHECK(psst_handshake_caller(&caller, public_a(), public_b(), NULL, features, DAY, &genuine.rng) == PSST_OK);
    FUZZ_CHECK(psst_handshake_callee(&callee, public_b(), features, &genuine.rng) == PSST_OK);
    for (int n = 1; n <= MESSAGES; n++) {
        struct psst_handshake *from = n % 2 == 1 ? caller : callee, *to = n % 2 == 1 ? callee : caller;
        FUZZ_CHECK(write_message(from, n, genuine.m[n]) == PSST_OK);
        genuine.waiting[n] = psst_handshake_clone(to);
        FUZZ_CHECK(genuine.waiting[n] != NULL);
        remember_inside(caller, callee, n);
        FUZZ_CHECK(read_message(to, n, genuine.m[n]) == PSST_OK);
    }
    psst_handshake_free(caller);
    psst_handshake_free(callee);
    done = true;
}

/* ---- making the message ---- */

static void seal(uint8_t *out, const struct psst_chain_key *chain, const char *label, const struct psst_hash *ad,
                 const uint8_t *plain, size_t len)
{
    struct psst_aead_key key;
    struct psst_view info = psst_view_str(label);
    FUZZ_CHECK(psst_hkdf_expand(key.b, chain->b, &info, 1) == PSST_OK);
    FUZZ_CHECK(psst_aead_seal(out, &key, 0, psst_view(ad->b, 32), psst_view(plain, len)) == PSST_OK);
}

static void put_mac(uint8_t m1[PSST_M1_LEN])
{
    uint8_t prk[32], mb[32], day[8];
    struct psst_view spki = psst_rsa_public_spki(public_b());
    FUZZ_CHECK(psst_hkdf_extract(prk, psst_view_str(PSST_LBL("mac")), &spki, 1) == PSST_OK);
    FUZZ_CHECK(psst_hkdf_expand(mb, prk, NULL, 0) == PSST_OK);
    psst_store_u64(day, DAY);
    struct psst_view parts[] = {psst_view_str("1"), psst_view(day, 8), psst_view(m1, PSST_M1_LEN - 32)};
    FUZZ_CHECK(psst_hmac(m1 + PSST_M1_LEN - 32, mb, parts, 3) == PSST_OK);
}

static bool all_zero(const uint8_t *p, size_t len)
{
    uint8_t any = 0;
    for (size_t i = 0; i < len; i++) any |= p[i];
    return any == 0;
}

/* u16 length || features || zeros: judged here without the reader that is under test. */
static bool good_features(const uint8_t *p, size_t len)
{
    size_t n = psst_load_u16(p), at = 2;
    int last = -1;
    if (n > len - 2 || !all_zero(p + 2 + n, len - 2 - n)) return false;
    while (at < 2 + n) {
        if (2 + n - at < 2 || p[at] <= last || 2 + n - at - 2 < p[at + 1]) return false;
        last = p[at];
        at += 2u + p[at + 1];
    }
    return true;
}

enum expect { EXPECT_AUTH, EXPECT_OK, EXPECT_EITHER };

/* Fills m with well-sealed bytes of the fuzzer's. */
static enum expect make_sealed(int n, struct psst_view input, uint8_t *m)
{
    uint8_t plain[256];
    switch (n) {
    case 1:
        fuzz_take(&input, m, PSST_M1_LEN - 32);
        put_mac(m);
        return EXPECT_EITHER; /* points of small order and c of 0, 1, n - 1 are refused, the rest is any stranger's M1 */
    case 3:
        fuzz_take(&input, plain, sizeof plain);
        seal(m, &genuine.ck1, PSST_LBL("m3"), &genuine.m3_ad, plain, sizeof plain);
        return good_features(plain + 32, sizeof plain - 32) ? EXPECT_OK : EXPECT_AUTH;
    case 4:
        fuzz_take(&input, plain, sizeof plain);
        memcpy(m, genuine.m[4], PSST_M4A_LEN);
        seal(m + PSST_M4A_LEN, &genuine.ck2, PSST_LBL("m4"), &genuine.m4b_ad, plain, sizeof plain);
        return good_features(plain, sizeof plain) ? EXPECT_OK : EXPECT_AUTH;
    case 5:
        fuzz_take(&input, plain, 32);
        seal(m, &genuine.ck2, PSST_LBL("m5"), &genuine.m5_ad, plain, 32);
        return all_zero(plain, 32) ? EXPECT_OK : EXPECT_AUTH;
    default: /* M2 holds nothing: a point of the fuzzer's with the genuine tag */
        fuzz_take(&input, m, 32);
        memcpy(m + 32, genuine.m[2] + 32, PSST_TAG_LEN);
        return memcmp(m, genuine.m[2], PSST_M2_LEN) == 0 ? EXPECT_OK : EXPECT_AUTH;
    }
}

static enum expect make(int n, uint8_t how, struct psst_view input, uint8_t *m)
{
    if (how % 3 == 2) return make_sealed(n, input, m);
    fuzz_take(&input, m, message_len[n]);
    for (size_t i = 0; how % 3 == 1 && i < message_len[n]; i++) m[i] ^= genuine.m[n][i];
    return memcmp(m, genuine.m[n], message_len[n]) == 0 ? EXPECT_OK : EXPECT_AUTH;
}

/* A dead handshake writes nothing and reads nothing. */
static void check_dead(struct psst_handshake *hs)
{
    uint8_t m[PSST_M4_LEN];
    for (int n = 1; n <= MESSAGES; n++) {
        FUZZ_CHECK(write_message(hs, n, m) == PSST_ERR_USAGE);
        FUZZ_CHECK(read_message(hs, n, genuine.m[n]) == PSST_ERR_USAGE);
    }
    FUZZ_CHECK(psst_handshake_peer_features(hs).len == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    play_genuine();
    struct psst_view input = psst_view(data, size);
    int n = 1 + fuzz_take_u8(&input) % MESSAGES;
    uint8_t how = fuzz_take_u8(&input);
    uint8_t m[PSST_M4_LEN];
    enum expect expect = make(n, how, input, m);

    struct psst_handshake *hs = psst_handshake_clone(genuine.waiting[n]);
    FUZZ_CHECK(hs != NULL);
    enum psst_err err = read_message(hs, n, m);
    FUZZ_CHECK(err == PSST_OK || err == PSST_ERR_AUTH);
    if (expect != EXPECT_EITHER) FUZZ_CHECK(err == (expect == EXPECT_OK ? PSST_OK : PSST_ERR_AUTH));
    if (err == PSST_OK)
        FUZZ_CHECK(psst_features_valid(psst_handshake_peer_features(hs)));
    else
        check_dead(hs);
    if (err == PSST_OK && n < MESSAGES && n != 3) FUZZ_CHECK(write_message(hs, n + 1, m) == PSST_OK);
    psst_handshake_free(hs);
    return 0;
}
