/* Handshakes that must fail: every refusal of the vectors, every flipped bit, reflections, small-order points, stolen keys,
 * other pair secrets. Always the same PSST_ERR_AUTH, and nothing afterwards. */
#include "play.h"

static json_t *handshakes, *refusals, *kdf;

static int load(void **state)
{
    (void)state;
    if (psst_crypto_init(0) != PSST_OK) return 1;
    handshakes = vectors_load("handshake.json");
    refusals = vectors_load("handshake-refused.json");
    kdf = vectors_load("kdf.json");
    return 0;
}

static int unload(void **state)
{
    (void)state;
    json_decref(handshakes);
    json_decref(refusals);
    json_decref(kdf);
    return 0;
}

/* ---- the vectors ---- */

static const json_t *handshake_named(const char *name)
{
    size_t i;
    const json_t *v;
    json_array_foreach(vectors_array(handshakes, "handshakes"), i,
                       v) if (strcmp(vectors_str(v, "name"), name) == 0) return v;
    fail_msg("no handshake %s", name);
    return NULL;
}

/* All messages before this one, genuine. Where the caller fails at M4, because nobody knows it, it has done its part. */
static void play_before(struct play *p, const json_t *v, int step)
{
    for (int n = 1; n < step; n++) {
        const char field[] = {'M', (char)('0' + n), '\0'};
        assert_int_equal(play_write(p, n), PSST_OK);
        assert_true(psst_view_equal(vectors_hex(v, field), psst_view(p->m[n], play_message_len(n))));
        bool expect_failure = n == 4 && p->contact == NULL;
        assert_int_equal(play_read(p, n, p->m[n]), expect_failure ? PSST_ERR_AUTH : PSST_OK);
    }
}

static void check_refusal(const json_t *refusal)
{
    const json_t *v = handshake_named(vectors_str(refusal, "handshake"));
    const char *why = vectors_str(refusal, "why");
    int step = vectors_str(refusal, "step")[1] - '0';
    bool by_callee = strcmp(vectors_str(refusal, "refused_by"), "callee") == 0;
    struct psst_view message = vectors_hex(refusal, "message");
    struct play p;
    play_init_vector(&p, v);
    play_before(&p, v, step);
    assert_int_equal(message.len, play_message_len(step));
    uint64_t day = vectors_u64(refusal, "unix_time") / 86400;
    if (step == 1) p.callee_day = day;
    enum psst_err want = PSST_ERR_AUTH;
    if (vectors_bool(refusal, "already_in_replay_cache")) {
        p.cache = psst_replay_cache_new();
        assert_non_null(p.cache);
        const uint8_t *mac = message.data + PSST_M1_LEN - 32;
        assert_int_equal(psst_replay_cache_add(p.cache, mac, psst_load_u64(vectors_hex(v, "day").data), day), PSST_OK);
        want = PSST_ERR_EXISTS;
    }
    enum psst_err got = play_read(&p, step, message.data);
    if (got != want) fail_msg("%s: %s", why, psst_err_name(got));
    if (want == PSST_ERR_AUTH) play_assert_ended(by_callee ? p.callee : p.caller);
    play_fini(&p);
}

static void refused__is_refused__every_vector(void **state)
{
    (void)state;
    size_t i;
    const json_t *refusal;
    json_array_foreach(vectors_array(refusals, "refused"), i, refusal) check_refusal(refusal);
    assert_true(i >= 40);
}

/* ---- 10: one bit flipped at every offset ---- */

/* Reads a message into a copy of the end that is waiting for it. */
static enum psst_err read_into_copy(const struct play *p, int n, const uint8_t *message)
{
    struct play copy = *p;
    struct psst_handshake **end = n % 2 == 0 ? &copy.caller : &copy.callee;
    *end = psst_handshake_clone(*end);
    assert_non_null(*end);
    enum psst_err err = play_read(&copy, n, message);
    if (err == PSST_ERR_AUTH && psst_handshake_peer_features(*end).len != 0) err = PSST_ERR_INTERNAL; /* not wiped */
    psst_handshake_free(*end);
    return err;
}

static void flip_every_bit(int n)
{
    struct play p;
    play_init(&p, "a1024", "b1024", NULL);
    play_until(&p, n);
    for (size_t bit = 0; bit < play_message_len(n) * 8; bit++) {
        p.m[n][bit / 8] ^= (uint8_t)(1u << bit % 8);
        enum psst_err err = read_into_copy(&p, n, p.m[n]);
        if (err != PSST_ERR_AUTH) fail_msg("M%d, bit %zu: %s", n, bit, psst_err_name(err));
        p.m[n][bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_int_equal(read_into_copy(&p, n, p.m[n]), PSST_OK); /* and the message was right all along */
    play_fini(&p);
}

static void m1__is_refused__with_any_bit_flipped(void **state)
{
    (void)state;
    flip_every_bit(1);
}

static void m2__is_refused__with_any_bit_flipped(void **state)
{
    (void)state;
    flip_every_bit(2);
}

static void m3__is_refused__with_any_bit_flipped(void **state)
{
    (void)state;
    flip_every_bit(3);
}

static void m4__is_refused__with_any_bit_flipped(void **state)
{
    (void)state;
    flip_every_bit(4);
}

static void m5__is_refused__with_any_bit_flipped(void **state)
{
    (void)state;
    flip_every_bit(5);
}

/* A message of another handshake between the same two is no better than noise. */
static void message__is_refused__from_another_handshake(void **state)
{
    (void)state;
    for (int n = 2; n <= PLAY_MESSAGES; n++) {
        struct play p, other;
        play_init(&p, "a1024", "b1024", NULL);
        play_init(&other, "a1024", "b1024", NULL);
        other.caller_rng.rest = det_rng(99);
        play_until(&p, n);
        play_until(&other, n);
        assert_int_equal(play_read(&p, n, other.m[n]), PSST_ERR_AUTH);
        play_assert_ended(n % 2 == 0 ? p.caller : p.callee);
        play_fini(&p);
        play_fini(&other);
    }
}

/* ---- 8: replayed ---- */

static void m1__is_stopped_by_the_cache__when_replayed(void **state)
{
    (void)state;
    struct play p;
    play_init(&p, "a1024", "b1024", NULL);
    p.cache = psst_replay_cache_new();
    play_until(&p, 2);
    for (uint64_t day = PLAY_DAY - 1; day <= PLAY_DAY + 1; day++) {
        psst_handshake_free(p.callee);
        assert_int_equal(psst_handshake_callee(&p.callee, play_public("b1024"), psst_view(NULL, 0), &p.callee_rng.rng),
                         PSST_OK);
        p.callee_day = day;
        assert_int_equal(play_read(&p, 1, p.m[1]), PSST_ERR_EXISTS);
        assert_int_equal(p.matched_day, PLAY_DAY);
    }
    play_fini(&p);
}

/* ---- 9: reflected messages, own identity, swapped roles ---- */

static void caller__refuses__its_own_messages(void **state)
{
    (void)state;
    struct play p;
    play_init(&p, "a1024", "b1024", NULL);
    play_until(&p, 1);
    assert_int_equal(read_into_copy(&p, 2, p.m[1]), PSST_ERR_AUTH);
    play_fini(&p);

    play_init(&p, "a1024", "b1024", NULL);
    play_until(&p, 3);
    uint8_t padded[PSST_M4_LEN] = {0};
    memcpy(padded, p.m[3], PSST_M3_LEN);
    assert_int_equal(read_into_copy(&p, 4, padded), PSST_ERR_AUTH);
    play_fini(&p);
}

static void callee__refuses__its_own_messages(void **state)
{
    (void)state;
    struct play p;
    play_init(&p, "a1024", "b1024", NULL);
    play_until(&p, 2);
    uint8_t padded[PSST_M3_LEN] = {0};
    memcpy(padded, p.m[2], PSST_M2_LEN);
    assert_int_equal(read_into_copy(&p, 3, padded), PSST_ERR_AUTH);
    play_fini(&p);

    play_init(&p, "a1024", "b1024", NULL);
    play_until(&p, 5);
    assert_int_equal(read_into_copy(&p, 5, p.m[4]), PSST_ERR_AUTH);
    assert_int_equal(read_into_copy(&p, 5, p.m[4] + PSST_M4A_LEN), PSST_ERR_AUTH);
    play_fini(&p);
}

/* An M1 to B, carried to A, or to a callee that is not B. */
static void m1__is_refused__by_whom_it_was_not_written_to(void **state)
{
    (void)state;
    const char *others[] = {"a1024", "odd1031"};
    for (size_t i = 0; i < 2; i++) {
        struct play p;
        play_init(&p, "a1024", "b1024", NULL);
        play_until(&p, 1);
        psst_handshake_free(p.callee);
        assert_int_equal(
            psst_handshake_callee(&p.callee, play_public(others[i]), psst_view(NULL, 0), &p.callee_rng.rng), PSST_OK);
        assert_int_equal(play_read(&p, 1, p.m[1]), PSST_ERR_AUTH);
        play_assert_ended(p.callee);
        play_fini(&p);
    }
}

static void expand(uint8_t out[32], const struct psst_chain_key *chain, const char *label)
{
    const struct psst_view info = psst_view_str(label);
    assert_int_equal(psst_hkdf_expand(out, chain->b, &info, 1), PSST_OK);
}

/* M3 with a claim of one's choice, sealed as the caller of p would. */
static void forge_m3(struct play *p, const struct psst_rsa_public *claim)
{
    uint8_t plain[256] = {0};
    struct psst_aead_key key;
    memcpy(plain, psst_rsa_public_fpr(claim)->b, 32);
    expand(key.b, psst_handshake_chain(p->caller), PSST_LBL("m3"));
    struct psst_view ad = psst_view(psst_handshake_transcript(p->caller)->b, 32);
    assert_int_equal(psst_aead_seal(p->m[3], &key, 0, ad, psst_view(plain, sizeof plain)), PSST_OK);
}

/* Opens M4a with ck1 and the callee's h4, which the forger of M3 knows as well. */
static void open_m4a(const uint8_t *m4, const struct psst_chain_key *ck1, const struct psst_hash *h4, uint8_t *xb)
{
    struct psst_aead_key key;
    expand(key.b, ck1, PSST_LBL("m4a"));
    assert_int_equal(psst_aead_open(xb, &key, 0, psst_view(h4->b, 32), psst_view(m4, PSST_M4A_LEN)), PSST_OK);
}

/* Somebody calls B and claims to be B, with B's stolen private key at hand, and B's own contact book knows B: he gets noise
 * all the same, out of which B's key makes nothing that fits. */
static void own_identity__gets_a_decoy__even_when_the_book_knows_it(void **state)
{
    (void)state;
    const char *claims[] = {"b1024", "a1024"}; /* the second shows that everything else about the forgery is right */
    for (int i = 0; i < 2; i++) {
        struct play p;
        play_init(&p, "odd1031", "b1024", NULL);
        play_until(&p, 2);
        assert_int_equal(play_read(&p, 2, p.m[2]), PSST_OK);
        forge_m3(&p, play_public(claims[i]));
        assert_int_equal(play_read(&p, 3, p.m[3]), PSST_OK);
        assert_memory_equal(p.claimed.b, psst_rsa_public_fpr(play_public(claims[i]))->b, 32);
        const struct psst_chain_key ck1 = *psst_handshake_chain(p.callee);
        const struct psst_hash h4 = *psst_handshake_transcript(p.callee);
        p.contact = play_public(claims[i]);
        assert_int_equal(play_write(&p, 4), PSST_OK);

        uint8_t xb[PSST_KEM_LEN];
        struct psst_kem_secret zb;
        struct psst_hash h5;
        struct psst_chain_key ck2;
        open_m4a(p.m[4], &ck1, &h4, xb);
        assert_int_equal(psst_kem_decapsulate(play_key(claims[i]), "z", xb, &zb), PSST_OK);
        const struct psst_view h5_of[] = {psst_view(h4.b, 32), psst_view(p.m[4], PSST_M4A_LEN)};
        assert_int_equal(psst_sha256(&h5, h5_of, 2), PSST_OK);
        const uint8_t no_psk[32] = {0};
        const struct psst_view ikm[] = {psst_view(zb.b, 32), psst_view(no_psk, 32), psst_view(p.claimed.b, 32),
                                        psst_view(psst_rsa_public_fpr(play_public("b1024"))->b, 32),
                                        psst_view(h5.b, 32)};
        assert_int_equal(psst_hkdf_extract(ck2.b, psst_view(ck1.b, 32), ikm, 5), PSST_OK);
        bool fits = memcmp(ck2.b, psst_handshake_chain(p.callee)->b, 32) == 0;
        assert_int_equal(fits, i == 1);
        play_fini(&p);
    }
}

/* M5 as somebody would make it who has all of the callee's state: it verifies, and is refused all the same. */
static enum psst_err give_perfect_m5(struct play *p)
{
    struct psst_aead_key key;
    const uint8_t zeros[32] = {0};
    struct psst_view ad = psst_view(psst_handshake_transcript(p->callee)->b, 32);
    expand(key.b, psst_handshake_chain(p->callee), PSST_LBL("m5"));
    assert_int_equal(psst_aead_seal(p->m[5], &key, 0, ad, psst_view(zeros, sizeof zeros)), PSST_OK);
    return play_read(p, 5, p->m[5]);
}

static void stranger__is_refused__even_with_a_perfect_m5(void **state)
{
    (void)state;
    for (int known = 0; known < 2; known++) {
        struct play p;
        play_init(&p, "a1024", "b1024", NULL);
        if (!known) p.contact = NULL;
        play_until(&p, 4);
        assert_int_equal(give_perfect_m5(&p), known ? PSST_OK : PSST_ERR_AUTH); /* the hand-made one is a good one */
        play_assert_ended(p.callee);
        play_fini(&p);
    }
}

/* ---- 11: small-order points ---- */

/* A right MAC for whatever stands in m1 before it. */
static void put_mac(uint8_t m1[PSST_M1_LEN], const char *callee, uint64_t day)
{
    size_t i;
    const json_t *f;
    uint8_t mb[32], day_bytes[8];
    bool found = false;
    json_array_foreach(vectors_array(kdf, "fingerprints"), i, f)
    {
        if (strcmp(vectors_str(f, "key"), callee) != 0) continue;
        vectors_hex_exact(f, "MB", mb, sizeof mb);
        found = true;
    }
    assert_true(found);
    psst_store_u64(day_bytes, day);
    const struct psst_view parts[] = {psst_view_str("1"), psst_view(day_bytes, 8), psst_view(m1, PSST_M1_LEN - 32)};
    assert_int_equal(psst_hmac(m1 + PSST_M1_LEN - 32, mb, parts, 3), PSST_OK);
}

static void small_order_point__is_refused__by_both(void **state)
{
    (void)state;
    size_t i;
    const json_t *point;
    json_array_foreach(vectors_array(kdf, "x25519_all_zero"), i, point)
    {
        struct play p;
        play_init(&p, "a1024", "b1024", NULL);
        play_until(&p, 1);
        uint8_t m1[PSST_M1_LEN], mac[32], x[PSST_KEM_LEN];
        memcpy(m1, p.m[1], sizeof m1);
        vectors_hex_exact(point, "point", m1, 32);
        put_mac(m1, "b1024", PLAY_DAY);
        struct psst_handshake *peek = psst_handshake_clone(p.callee); /* its MAC is right: only accept_m1 refuses it */
        assert_int_equal(psst_handshake_read_m1(peek, m1, PLAY_DAY, mac, &p.matched_day, x), PSST_OK);
        psst_handshake_free(peek);
        assert_int_equal(play_read(&p, 1, m1), PSST_ERR_AUTH);
        play_assert_ended(p.callee);

        uint8_t m2[PSST_M2_LEN] = {0};
        vectors_hex_exact(point, "point", m2, 32);
        assert_int_equal(play_read(&p, 2, m2), PSST_ERR_AUTH);
        play_assert_ended(p.caller);
        play_fini(&p);
    }
    assert_int_equal(i, 9);
}

/* ---- the day ---- */

static void m1__matches__three_days_and_no_other(void **state)
{
    (void)state;
    struct play p;
    play_init(&p, "a1024", "b1024", NULL);
    play_until(&p, 1);
    for (uint64_t day = PLAY_DAY - 3; day <= PLAY_DAY + 3; day++) {
        bool near = day >= PLAY_DAY - 1 && day <= PLAY_DAY + 1;
        struct psst_handshake *callee = psst_handshake_clone(p.callee);
        uint8_t mac[32], x[PSST_KEM_LEN];
        uint64_t matched = 0;
        assert_int_equal(psst_handshake_read_m1(callee, p.m[1], day, mac, &matched, x), near ? PSST_OK : PSST_ERR_AUTH);
        assert_int_equal(matched, near ? PLAY_DAY : 0);
        psst_handshake_free(callee);
    }
    play_fini(&p);
}

/* ---- decapsulation that fails ---- */

static void handshake__fails_as_ever__when_decapsulation_failed(void **state)
{
    (void)state;
    struct play p;
    uint8_t mac[32], x[PSST_KEM_LEN];
    play_init(&p, "a1024", "b1024", NULL);
    play_until(&p, 1);
    assert_int_equal(psst_handshake_read_m1(p.callee, p.m[1], PLAY_DAY, mac, &p.matched_day, x), PSST_OK);
    assert_int_equal(psst_handshake_accept_m1(p.callee, NULL), PSST_ERR_AUTH);
    play_assert_ended(p.callee);
    play_fini(&p);

    play_init(&p, "a1024", "b1024", NULL);
    play_until(&p, 4);
    assert_int_equal(psst_handshake_read_m4a(p.caller, p.m[4], x), PSST_OK);
    assert_int_equal(psst_handshake_read_m4b(p.caller, NULL), PSST_ERR_AUTH);
    play_assert_ended(p.caller);
    play_fini(&p);
}

/* ---- 13: the thief of a key ---- */

/* The thief has B's private key and poses as A to B: it can make and open all but what A's private key is for. */
static void thief_of_callees_key__fails_to_pose_as_a_contact(void **state)
{
    (void)state;
    struct play p;
    play_init(&p, "a1024", "b1024", NULL);
    p.caller_key = p.callee_key; /* answers decapsulations to A with B's key */
    play_until(&p, 4);
    assert_int_equal(play_read(&p, 4, p.m[4]), PSST_ERR_AUTH);
    uint8_t m5[PSST_M5_LEN] = {0};
    assert_int_equal(play_read(&p, 5, m5), PSST_ERR_AUTH);
    play_assert_ended(p.callee);
    play_fini(&p);
}

/* Who answers without B's private key never gets past M2. */
static void impostor__fails_to_answer__without_callees_key(void **state)
{
    (void)state;
    struct play p;
    play_init(&p, "a1024", "b1024", NULL);
    p.callee_key = play_key("odd1031");
    play_until(&p, 2);
    assert_int_equal(play_read(&p, 2, p.m[2]), PSST_ERR_AUTH);
    play_assert_ended(p.caller);
    play_fini(&p);
}

/* ---- pair secrets ---- */

static void psk__must_be_the_same__on_both_sides(void **state)
{
    (void)state;
    const struct psst_pair_secret ours = {{1, 2, 3}}, theirs = {{1, 2, 4}};
    const struct psst_pair_secret *table[][2] = {{&ours, &theirs}, {&ours, NULL}, {NULL, &theirs}};
    for (size_t i = 0; i < 3; i++) {
        struct play p;
        play_init(&p, "a1024", "b1024", table[i][0]);
        p.callee_psk = table[i][1];
        play_until(&p, 4);
        assert_int_equal(play_read(&p, 4, p.m[4]), PSST_ERR_AUTH);
        play_assert_ended(p.caller);
        play_fini(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refused__is_refused__every_vector),
        cmocka_unit_test(m1__is_refused__with_any_bit_flipped),
        cmocka_unit_test(m2__is_refused__with_any_bit_flipped),
        cmocka_unit_test(m3__is_refused__with_any_bit_flipped),
        cmocka_unit_test(m4__is_refused__with_any_bit_flipped),
        cmocka_unit_test(m5__is_refused__with_any_bit_flipped),
        cmocka_unit_test(message__is_refused__from_another_handshake),
        cmocka_unit_test(m1__is_stopped_by_the_cache__when_replayed),
        cmocka_unit_test(caller__refuses__its_own_messages),
        cmocka_unit_test(callee__refuses__its_own_messages),
        cmocka_unit_test(m1__is_refused__by_whom_it_was_not_written_to),
        cmocka_unit_test(own_identity__gets_a_decoy__even_when_the_book_knows_it),
        cmocka_unit_test(stranger__is_refused__even_with_a_perfect_m5),
        cmocka_unit_test(small_order_point__is_refused__by_both),
        cmocka_unit_test(m1__matches__three_days_and_no_other),
        cmocka_unit_test(handshake__fails_as_ever__when_decapsulation_failed),
        cmocka_unit_test(thief_of_callees_key__fails_to_pose_as_a_contact),
        cmocka_unit_test(impostor__fails_to_answer__without_callees_key),
        cmocka_unit_test(psk__must_be_the_same__on_both_sides),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
