/* Handshakes that succeed: byte for byte those of the vectors, and the order in which the functions may be called. */
#include "play.h"

static json_t *root;

static int load(void **state)
{
    (void)state;
    if (psst_crypto_init(0) != PSST_OK) return 1;
    root = vectors_load("handshake.json");
    return 0;
}

static int unload(void **state)
{
    (void)state;
    json_decref(root);
    return 0;
}

static void assert_field(const json_t *v, const char *field, const void *got, size_t len)
{
    struct psst_view want = vectors_hex(v, field);
    if (want.len != len || memcmp(want.data, got, len) != 0) fail_msg("%s: %s differs", vectors_str(v, "name"), field);
}

static void assert_message(const json_t *v, struct play *p, int n)
{
    const char field[] = {'M', (char)('0' + n), '\0'};
    assert_field(v, field, p->m[n], play_message_len(n));
}

static void assert_keys(const json_t *v, const struct psst_session_keys *keys)
{
    assert_field(v, "K_AB", keys->k_ab.b, 32);
    assert_field(v, "K_BA", keys->k_ba.b, 32);
    assert_field(v, "V_AB", keys->v_ab.b, 32);
    assert_field(v, "V_BA", keys->v_ba.b, 32);
    assert_field(v, "RK", keys->rk.b, 32);
    assert_field(v, "h7", keys->hash.b, 32);
}

/* Both ends' transcript and chain key at one point. */
static void assert_inside(const json_t *v, struct play *p, const char *hash, const char *chain)
{
    const struct psst_handshake *ends[] = {p->caller, p->callee};
    for (size_t i = 0; i < 2; i++) {
        assert_field(v, hash, psst_handshake_transcript(ends[i])->b, 32);
        if (chain != NULL) assert_field(v, chain, psst_handshake_chain(ends[i])->b, 32);
    }
}

static void assert_features(const json_t *v, struct play *p)
{
    assert_true(psst_view_equal(psst_handshake_peer_features(p->caller), vectors_hex(v, "features_b")));
    assert_true(psst_view_equal(psst_handshake_peer_features(p->callee), vectors_hex(v, "features_a")));
}

static void one_message(const json_t *v, struct play *p, int n)
{
    assert_int_equal(play_write(p, n), PSST_OK);
    assert_message(v, p, n);
    assert_int_equal(play_read(p, n, p->m[n]), PSST_OK);
}

static void check_known(const json_t *v, struct play *p)
{
    assert_int_equal(play_write(p, 1), PSST_OK);
    assert_message(v, p, 1);
    assert_field(v, "h1", psst_handshake_transcript(p->caller)->b, 32);
    assert_int_equal(play_read(p, 1, p->m[1]), PSST_OK);
    uint8_t day[8];
    psst_store_u64(day, p->matched_day);
    assert_field(v, "day", day, sizeof day);
    assert_field(v, "h2", psst_handshake_transcript(p->callee)->b, 32);
    one_message(v, p, 2);
    assert_inside(v, p, "h3", "ck1");
    one_message(v, p, 3);
    assert_inside(v, p, "h4", "ck1");
    assert_field(v, "fpr_a", p->claimed.b, 32);
}

static void handshake__equals_vectors__every_message_and_key(void **state)
{
    (void)state;
    size_t i;
    const json_t *v;
    json_array_foreach(vectors_array(root, "handshakes"), i, v)
    {
        if (strcmp(vectors_str(v, "encapsulated_to"), "nobody") == 0) continue;
        struct play p;
        play_init_vector(&p, v);
        check_known(v, &p);
        one_message(v, &p, 4);
        assert_inside(v, &p, "h6", "ck2");
        assert_features(v, &p);
        one_message(v, &p, 5);
        assert_keys(v, &p.caller_keys);
        assert_keys(v, &p.callee_keys);
        assert_features(v, &p); /* they stay when all else is wiped */
        play_assert_ended(p.caller);
        play_assert_ended(p.callee);
        play_fini(&p);
    }
    assert_true(i >= 8);
}

static void handshake__equals_vectors__unknown_caller_gets_a_decoy(void **state)
{
    (void)state;
    size_t i, found = 0;
    const json_t *v;
    json_array_foreach(vectors_array(root, "handshakes"), i, v)
    {
        if (strcmp(vectors_str(v, "encapsulated_to"), "nobody") != 0) continue;
        struct play p;
        play_init_vector(&p, v);
        check_known(v, &p);
        assert_int_equal(play_write(&p, 4), PSST_OK);
        assert_message(v, &p, 4);
        assert_field(v, "h6", psst_handshake_transcript(p.callee)->b, 32);
        assert_field(v, "ck2", psst_handshake_chain(p.callee)->b, 32);
        assert_int_equal(play_read(&p, 4, p.m[4]), PSST_ERR_AUTH);
        play_assert_ended(p.caller);
        play_fini(&p);
        found++;
    }
    assert_int_equal(found, 1);
}

static void assert_same_keys(struct play *p)
{
    assert_memory_equal(&p->caller_keys, &p->callee_keys, sizeof p->caller_keys);
    const uint8_t *keys[] = {p->caller_keys.k_ab.b, p->caller_keys.k_ba.b, p->caller_keys.v_ab.b,
                             p->caller_keys.v_ba.b, p->caller_keys.rk.b,   p->caller_keys.hash.b};
    for (size_t i = 0; i < 6; i++)
        for (size_t k = 0; k < i; k++) assert_memory_not_equal(keys[i], keys[k], 32);
}

static void handshake__agrees__with_drawn_randomness_and_psk(void **state)
{
    (void)state;
    const struct psst_pair_secret psk = {{1, 2, 3}};
    for (int with_psk = 0; with_psk < 2; with_psk++) {
        struct play p;
        play_init(&p, "a1024", "b1024", with_psk ? &psk : NULL);
        play_until(&p, 5);
        assert_int_equal(play_read(&p, 5, p.m[5]), PSST_OK);
        assert_same_keys(&p);
        play_fini(&p);
    }
}

/* What a stranger gets holds nothing of any contact, no pair secret either. */
static void handshake__decoy_is_the_same__with_and_without_psk(void **state)
{
    (void)state;
    const struct psst_pair_secret psk = {{1, 2, 3}};
    struct play p, q;
    play_init(&p, "a1024", "b1024", NULL);
    play_init(&q, "a1024", "b1024", NULL);
    p.contact = q.contact = NULL;
    q.callee_psk = &psk;
    play_until(&p, 4);
    play_until(&q, 4);
    assert_memory_equal(p.m[4], q.m[4], PSST_M4_LEN);
    play_fini(&p);
    play_fini(&q);
}

static void handshake__differs_each_time__same_two_keys(void **state)
{
    (void)state;
    struct play p, q;
    play_init(&p, "a1024", "b1024", NULL);
    play_init(&q, "a1024", "b1024", NULL);
    q.caller_rng.rest = det_rng(99); /* the callee's randomness is the same in both */
    play_until(&p, 5);
    play_until(&q, 5);
    for (int n = 1; n <= PLAY_MESSAGES; n++) {
        size_t from = n == 2 ? 32 : 0; /* EB was drawn alike */
        assert_memory_not_equal(p.m[n] + from, q.m[n] + from, play_message_len(n) - from);
    }
    assert_memory_not_equal(&p.caller_keys, &q.caller_keys, sizeof p.caller_keys);
    play_fini(&p);
    play_fini(&q);
}

/* ---- order ---- */

enum { CALLS = 12 };

/* Calls function number i; everything but the given handshake is well-formed. */
static enum psst_err call(struct psst_handshake *hs, int i, struct play *p)
{
    uint8_t m[PSST_M4_LEN], x[PSST_KEM_LEN], mac[32];
    uint64_t day;
    const struct psst_kem_secret z = {{1}};
    struct psst_fpr fpr;
    struct psst_session_keys keys;
    switch (i) {
    case 0: return psst_handshake_write_m1(hs, m);
    case 1: return psst_handshake_read_m2(hs, p->m[2]);
    case 2: return psst_handshake_write_m3(hs, m);
    case 3: return psst_handshake_read_m4a(hs, p->m[4], x);
    case 4: return psst_handshake_read_m4b(hs, &z);
    case 5: return psst_handshake_write_m5(hs, m, &keys);
    case 6: return psst_handshake_read_m1(hs, p->m[1], PLAY_DAY, mac, &day, x);
    case 7: return psst_handshake_accept_m1(hs, &z);
    case 8: return psst_handshake_write_m2(hs, m);
    case 9: return psst_handshake_read_m3(hs, p->m[3], &fpr);
    case 10: return psst_handshake_write_m4(hs, NULL, NULL, m);
    default: return psst_handshake_read_m5(hs, p->m[5], &keys);
    }
}

/* Everything but what is next is refused, and refusing changes nothing. */
static void only(struct play *p, struct psst_handshake *hs, int next)
{
    for (int i = 0; i < CALLS; i++)
        if (i != next) assert_int_equal(call(hs, i, p), PSST_ERR_USAGE);
}

static void handshake__refuses__functions_out_of_order(void **state)
{
    (void)state;
    struct play p;
    uint8_t mac[32], x[PSST_KEM_LEN];
    struct psst_kem_secret z;
    play_init(&p, "a1024", "b1024", NULL);
    only(&p, p.caller, 0);
    only(&p, p.callee, 6);
    assert_int_equal(play_write(&p, 1), PSST_OK);
    only(&p, p.caller, 1);
    assert_int_equal(psst_handshake_read_m1(p.callee, p.m[1], PLAY_DAY, mac, &p.matched_day, x), PSST_OK);
    only(&p, p.callee, 7);
    assert_int_equal(psst_kem_decapsulate(p.callee_key, "z", x, &z), PSST_OK);
    assert_int_equal(psst_handshake_accept_m1(p.callee, &z), PSST_OK);
    only(&p, p.callee, 8);
    assert_int_equal(play_write(&p, 2), PSST_OK);
    only(&p, p.callee, 9);
    assert_int_equal(play_read(&p, 2, p.m[2]), PSST_OK);
    only(&p, p.caller, 2);
    assert_int_equal(play_write(&p, 3), PSST_OK);
    only(&p, p.caller, 3);
    assert_int_equal(play_read(&p, 3, p.m[3]), PSST_OK);
    only(&p, p.callee, 10);
    assert_int_equal(play_write(&p, 4), PSST_OK);
    only(&p, p.callee, 11);
    assert_int_equal(psst_handshake_read_m4a(p.caller, p.m[4], x), PSST_OK);
    only(&p, p.caller, 4);
    assert_int_equal(psst_kem_decapsulate(p.caller_key, "z", x, &z), PSST_OK);
    assert_int_equal(psst_handshake_read_m4b(p.caller, &z), PSST_OK);
    only(&p, p.caller, 5);
    assert_int_equal(play_write(&p, 5), PSST_OK);
    assert_int_equal(play_read(&p, 5, p.m[5]), PSST_OK);
    play_assert_ended(p.caller);
    play_assert_ended(p.callee);
    assert_same_keys(&p);
    play_fini(&p);
}

/* ---- arguments ---- */

static void handshake__refuses__calling_oneself(void **state)
{
    (void)state;
    struct psst_handshake *hs = NULL;
    assert_int_equal(psst_handshake_caller(&hs, play_public("a1024"), play_public("a1024"), NULL, psst_view(NULL, 0),
                                           PLAY_DAY, &psst_crypto_rng),
                     PSST_ERR_USAGE);
    struct psst_rsa_public *again = vectors_public_key("a1024"); /* another object, the same key */
    assert_int_equal(
        psst_handshake_caller(&hs, play_public("a1024"), again, NULL, psst_view(NULL, 0), PLAY_DAY, &psst_crypto_rng),
        PSST_ERR_USAGE);
    psst_rsa_public_free(again);
    assert_null(hs);
}

static void handshake__refuses__features_that_do_not_fit(void **state)
{
    (void)state;
    uint8_t features[PSST_M4_FEATURES_MAX + 1] = {1, PSST_M4_FEATURES_MAX + 1 - 2};
    struct psst_handshake *hs = NULL;
    struct psst_view over = psst_view(features, PSST_M4_FEATURES_MAX + 1);
    assert_int_equal(psst_handshake_callee(&hs, play_public("a1024"), over, &psst_crypto_rng), PSST_ERR_TOO_LONG);
    features[1] = PSST_M3_FEATURES_MAX + 1 - 2;
    over.len = PSST_M3_FEATURES_MAX + 1;
    assert_int_equal(
        psst_handshake_caller(&hs, play_public("a1024"), play_public("b1024"), NULL, over, PLAY_DAY, &psst_crypto_rng),
        PSST_ERR_TOO_LONG);
    assert_int_equal(psst_handshake_callee(&hs, play_public("a1024"), psst_view("\x01", 1), &psst_crypto_rng),
                     PSST_ERR_USAGE);
    assert_null(hs);
    psst_handshake_free(NULL);
}

static void handshake__refuses__contact_that_is_not_the_claimed_one(void **state)
{
    (void)state;
    struct play p;
    play_init(&p, "a1024", "b1024", NULL);
    play_until(&p, 3);
    assert_int_equal(play_read(&p, 3, p.m[3]), PSST_OK);
    assert_int_equal(psst_handshake_write_m4(p.callee, play_public("odd1031"), NULL, p.m[4]), PSST_ERR_USAGE);
    assert_int_equal(psst_handshake_write_m4(p.callee, play_public("a1024"), NULL, p.m[4]), PSST_OK);
    play_fini(&p);
}

/* ---- features ---- */

static void features__are_judged__by_the_table(void **state)
{
    (void)state;
    json_t *chunks = vectors_load("chunks.json");
    const json_t *f = vectors_get(chunks, "features"), *entry, *refused;
    struct psst_view encoded = vectors_hex(f, "encoded"), value;
    size_t i;
    assert_true(psst_features_valid(encoded));
    assert_true(psst_features_valid(psst_view(NULL, 0)));
    json_array_foreach(vectors_array(f, "entries"), i, entry)
    {
        uint8_t id = (uint8_t)json_integer_value(json_array_get(entry, 0));
        assert_true(psst_features_get(encoded, id, &value));
        assert_true(psst_view_equal(value, vectors_hex_of(json_array_get(entry, 1))));
    }
    assert_int_equal(i, 3);
    assert_false(psst_features_get(encoded, 3, &value));
    assert_false(psst_features_get(psst_view(NULL, 0), 0, &value));
    json_array_foreach(vectors_array(f, "refused"), i, refused)
        assert_false(psst_features_valid(vectors_hex(refused, "encoded")));
    assert_int_equal(i, 4);
    json_decref(chunks);
}

static void features__hold__id_zero_and_the_longest_value(void **state)
{
    (void)state;
    uint8_t longest[257] = {255, 255};
    struct psst_view value;
    assert_true(psst_features_valid(psst_view("\0\0\xff\0", 4)));
    assert_true(psst_features_get(psst_view("\0\0\xff\0", 4), 0, &value));
    assert_int_equal(value.len, 0);
    assert_true(psst_features_valid(psst_view(longest, sizeof longest)));
    assert_true(psst_features_get(psst_view(longest, sizeof longest), 255, &value));
    assert_int_equal(value.len, 255);
    assert_false(psst_features_valid(psst_view(longest, sizeof longest - 1)));
    assert_false(psst_features_get(psst_view(longest, sizeof longest - 1), 255, &value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(handshake__equals_vectors__every_message_and_key),
        cmocka_unit_test(handshake__equals_vectors__unknown_caller_gets_a_decoy),
        cmocka_unit_test(handshake__agrees__with_drawn_randomness_and_psk),
        cmocka_unit_test(handshake__decoy_is_the_same__with_and_without_psk),
        cmocka_unit_test(handshake__differs_each_time__same_two_keys),
        cmocka_unit_test(handshake__refuses__functions_out_of_order),
        cmocka_unit_test(handshake__refuses__calling_oneself),
        cmocka_unit_test(handshake__refuses__features_that_do_not_fit),
        cmocka_unit_test(handshake__refuses__contact_that_is_not_the_claimed_one),
        cmocka_unit_test(features__are_judged__by_the_table),
        cmocka_unit_test(features__hold__id_zero_and_the_longest_value),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
