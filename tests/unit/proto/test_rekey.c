/* Rekey: both rounds of the vectors, byte for byte, records included; and each message out of its order. */
#include "proto/rekey.h"

#include "proto/chunk.h"
#include "proto/record.h"
#include "support/check.h"
#include "support/det_rng.h"
#include "support/vectors.h"

static json_t *root, *handshakes;
static const json_t *handshake; /* the one that the session began with */
static struct psst_rsa_private *key_a, *key_b;

static const json_t *find_handshake(const char *name)
{
    size_t i;
    json_t *v;
    json_array_foreach(vectors_array(handshakes, "handshakes"), i, v)
    {
        if (strcmp(vectors_str(v, "name"), name) == 0) return v;
    }
    fail_msg("no handshake %s", name);
    return NULL;
}

static int load(void **state)
{
    (void)state;
    if (psst_crypto_init(0) != PSST_OK) return 1;
    root = vectors_load("rekey.json");
    handshakes = vectors_load("handshake.json");
    handshake = find_handshake(vectors_str(root, "handshake"));
    key_a = vectors_private_key(vectors_str(handshake, "caller"));
    key_b = vectors_private_key(vectors_str(handshake, "callee"));
    return 0;
}

static int unload(void **state)
{
    (void)state;
    json_decref(root);
    json_decref(handshakes);
    psst_rsa_private_free(key_a);
    psst_rsa_private_free(key_b);
    return 0;
}

static void assert_field(const json_t *v, const char *field, const void *got, size_t len)
{
    struct psst_view want = vectors_hex(v, field);
    if (want.len != len || memcmp(want.data, got, len) != 0) fail_msg("%s differs", field);
}

static void assert_keys(const json_t *v, const struct psst_session_keys *keys)
{
    assert_field(v, "K_AB", keys->k_ab.b, 32);
    assert_field(v, "K_BA", keys->k_ba.b, 32);
    assert_field(v, "V_AB", keys->v_ab.b, 32);
    assert_field(v, "V_BA", keys->v_ba.b, 32);
    assert_field(v, "RK", keys->rk.b, 32);
}

static struct psst_session_keys keys_before(const json_t *round)
{
    struct psst_session_keys keys;
    const json_t *before = vectors_get(round, "before");
    vectors_hex_exact(before, "K_AB", keys.k_ab.b, 32);
    vectors_hex_exact(before, "K_BA", keys.k_ba.b, 32);
    vectors_hex_exact(before, "V_AB", keys.v_ab.b, 32);
    vectors_hex_exact(before, "V_BA", keys.v_ba.b, 32);
    vectors_hex_exact(before, "RK", keys.rk.b, 32);
    vectors_hex_exact(round, "hash_before", keys.hash.b, 32);
    return keys;
}

/* What one side would have drawn. */
static void fix_half(struct psst_rekey_half *half, const json_t *v, const char *who, const struct psst_rsa_private *to)
{
    char scalar[16], z[8], r[8];
    (void)snprintf(scalar, sizeof scalar, "e%s_scalar", who);
    (void)snprintf(z, sizeof z, "z_%s", who);
    (void)snprintf(r, sizeof r, "r_%s", who);
    struct psst_x25519_public pub;
    vectors_hex_exact(v, scalar, half->scalar.b, 32);
    assert_int_equal(psst_x25519_public(&pub, &half->scalar), PSST_OK);
    memcpy(half->message, pub.b, sizeof pub.b);
    assert_int_equal(psst_kem_encapsulate_with(psst_rsa_private_public(to), vectors_hex(v, z), vectors_hex(v, r),
                                               half->message + 32, &half->z),
                     PSST_OK);
}

static struct psst_kem_secret decapsulate(const struct psst_rsa_private *key, const struct psst_rekey *rekey)
{
    struct psst_kem_secret secret;
    assert_int_equal(psst_kem_decapsulate(key, "z", psst_rekey_x(rekey), &secret), PSST_OK);
    return secret;
}

/* Seals one chunk and compares it with the record of the vectors. */
static void assert_record(struct psst_record_state *s, uint8_t id, struct psst_view data, const json_t *v,
                          const char *field)
{
    static uint8_t record[PSST_RECORD_MAX];
    struct psst_buf chunk;
    psst_buf_init(&chunk, PSST_RECORD_BODY_MAX);
    psst_chunk_write(&chunk, id, data);
    size_t body_len = psst_record_padded_len(chunk.len);
    memset(record, 0, sizeof record);
    memcpy(record + PSST_RECORD_HEAD_LEN, chunk.data, chunk.len);
    psst_buf_fini(&chunk);
    assert_int_equal(psst_record_seal(s, record, body_len), PSST_OK);
    assert_field(v, field, record, PSST_RECORD_HEAD_LEN + body_len + PSST_TAG_LEN);
}

static void assert_first_record(const struct psst_aead_key *key, const json_t *round, const char *field)
{
    const json_t *v = vectors_get(round, field);
    struct psst_record_state s;
    psst_record_init(&s, key);
    assert_record(&s, (uint8_t)vectors_u64(v, "chunk_id"), vectors_hex(v, "chunk_data"), v, "record");
}

static void play_round(const json_t *round)
{
    struct psst_session_keys before = keys_before(round);
    struct psst_pair_secret psk;
    vectors_hex_exact(handshake, "psk", psk.b, sizeof psk.b);
    const struct psst_rekey_base base = {.rk = &before.rk, .hash = &before.hash, .psk = &psk};
    const json_t *counters = vectors_get(round, "counters_before");
    struct psst_record_state ab, ba;
    psst_record_init(&ab, &before.k_ab);
    psst_record_init(&ba, &before.k_ba);
    ab.counter = (uint32_t)vectors_u64(counters, "K_AB");
    ba.counter = (uint32_t)vectors_u64(counters, "K_BA");

    struct psst_rekey *caller = NULL, *callee = NULL;
    assert_int_equal(psst_rekey_begin(&caller, psst_rsa_private_public(key_b), &psst_crypto_rng), PSST_OK);
    fix_half(&caller->own, round, "a", key_b);
    assert_field(round, "R1_data", caller->own.message, PSST_REKEY_LEN);
    struct psst_view r1 = psst_view(caller->own.message, PSST_REKEY_LEN);
    assert_record(&ab, PSST_CHUNK_REKEY, r1, round, "R1_record");

    assert_int_equal(psst_rekey_accept(&callee, r1, psst_rsa_private_public(key_a), &psst_crypto_rng), PSST_OK);
    fix_half(&callee->own, round, "b", key_a);
    struct psst_kem_secret za = decapsulate(key_b, callee);
    assert_field(round, "ZA", za.b, sizeof za.b);
    assert_int_equal(psst_rekey_derive(callee, &base, &za), PSST_OK);
    struct psst_view r2 = psst_view(callee->own.message, PSST_REKEY_LEN);
    assert_record(&ba, PSST_CHUNK_REKEY, r2, round, "R2_record");

    assert_int_equal(psst_rekey_read_r2(caller, r2), PSST_OK);
    struct psst_kem_secret zb = decapsulate(key_a, caller);
    assert_field(round, "ZB", zb.b, sizeof zb.b);
    assert_int_equal(psst_rekey_derive(caller, &base, &zb), PSST_OK);
    assert_record(&ab, PSST_CHUNK_REKEY, psst_view(NULL, 0), round, "R3_record");
    assert_int_equal(psst_rekey_read_r3(callee, psst_view(NULL, 0)), PSST_OK);

    const struct psst_session_keys *ends[] = {&caller->next, &callee->next};
    for (size_t i = 0; i < 2; i++) {
        assert_keys(vectors_get(round, "after"), ends[i]);
        assert_field(round, "hash", ends[i]->hash.b, 32);
        assert_first_record(&ends[i]->k_ba, round, "first_record_callee_to_caller");
        assert_first_record(&ends[i]->k_ab, round, "first_record_caller_to_callee");
    }
    psst_rekey_free(caller);
    psst_rekey_free(callee);
}

static void rounds__match__vectors(void **state)
{
    (void)state;
    size_t i;
    json_t *round;
    json_array_foreach(vectors_array(root, "rounds"), i, round) play_round(round);
    assert_int_equal(i, 2);
}

static void second_round__goes_on__from_the_first(void **state)
{
    (void)state;
    const json_t *rounds = vectors_array(root, "rounds");
    const json_t *first = json_array_get(rounds, 0), *second = json_array_get(rounds, 1);
    struct psst_session_keys keys = keys_before(second);
    assert_keys(vectors_get(first, "after"), &keys);
    assert_field(first, "hash", keys.hash.b, 32);
}

struct pair {
    struct psst_rekey *caller, *callee;
    struct psst_session_keys before;
    struct psst_pair_secret psk;
    struct psst_rekey_base base;
};

/* R1 is sent and read. */
static void begin_pair(struct pair *p)
{
    memset(p, 0, sizeof *p);
    p->before.rk.b[0] = 1;
    p->base = (struct psst_rekey_base){.rk = &p->before.rk, .hash = &p->before.hash, .psk = &p->psk};
    assert_int_equal(psst_rekey_begin(&p->caller, psst_rsa_private_public(key_b), &psst_crypto_rng), PSST_OK);
    assert_int_equal(psst_rekey_accept(&p->callee, psst_view(p->caller->own.message, PSST_REKEY_LEN),
                                       psst_rsa_private_public(key_a), &psst_crypto_rng),
                     PSST_OK);
}

static void end_pair(struct pair *p)
{
    psst_rekey_free(p->caller);
    psst_rekey_free(p->callee);
}

static void out_of_order__refused(void **state)
{
    (void)state;
    struct pair p;
    begin_pair(&p);
    struct psst_kem_secret z = decapsulate(key_b, p.callee);
    struct psst_view r2 = psst_view(p.callee->own.message, PSST_REKEY_LEN), nothing = psst_view(NULL, 0);
    assert_int_equal(psst_rekey_read_r3(p.callee, nothing), PSST_ERR_PROTOCOL); /* before R2 */
    assert_int_equal(psst_rekey_read_r2(p.callee, r2), PSST_ERR_PROTOCOL);      /* the callee is never sent one */
    assert_int_equal(psst_rekey_derive(p.caller, &p.base, &z), PSST_ERR_PROTOCOL);
    assert_int_equal(psst_rekey_read_r3(p.caller, nothing), PSST_ERR_PROTOCOL);
    assert_int_equal(psst_rekey_derive(p.callee, &p.base, &z), PSST_OK);
    assert_int_equal(psst_rekey_derive(p.callee, &p.base, &z), PSST_ERR_PROTOCOL); /* twice */
    assert_int_equal(psst_rekey_read_r2(p.caller, r2), PSST_OK);
    assert_int_equal(psst_rekey_read_r2(p.caller, r2), PSST_ERR_PROTOCOL);
    end_pair(&p);
}

static void wrong_lengths__refused(void **state)
{
    (void)state;
    struct pair p;
    uint8_t data[PSST_REKEY_LEN + 1] = {9};
    struct psst_rekey *none = NULL;
    begin_pair(&p);
    const size_t lens[] = {0, 1, PSST_REKEY_LEN - 1, PSST_REKEY_LEN + 1};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(
            psst_rekey_accept(&none, psst_view(data, lens[i]), psst_rsa_private_public(key_a), &psst_crypto_rng),
            PSST_ERR_PROTOCOL);
        assert_null(none);
        assert_int_equal(psst_rekey_read_r2(p.caller, psst_view(data, lens[i])), PSST_ERR_PROTOCOL);
    }
    struct psst_kem_secret z = decapsulate(key_b, p.callee);
    assert_int_equal(psst_rekey_derive(p.callee, &p.base, &z), PSST_OK);
    assert_int_equal(psst_rekey_read_r3(p.callee, psst_view(data, 1)), PSST_ERR_PROTOCOL);
    assert_int_equal(psst_rekey_read_r3(p.callee, psst_view(NULL, 0)), PSST_OK);
    end_pair(&p);
}

static void small_order_point__refused(void **state)
{
    (void)state;
    uint8_t r1[PSST_REKEY_LEN] = {0}; /* the X25519 key is the all-zero point */
    struct pair p;
    begin_pair(&p);
    psst_rekey_free(p.callee);
    p.callee = NULL;
    memcpy(r1 + 32, p.caller->own.message + 32, PSST_KEM_LEN);
    assert_int_equal(
        psst_rekey_accept(&p.callee, psst_view(r1, sizeof r1), psst_rsa_private_public(key_a), &psst_crypto_rng),
        PSST_OK);
    struct psst_kem_secret z = decapsulate(key_b, p.callee);
    assert_int_equal(psst_rekey_derive(p.callee, &p.base, &z), PSST_ERR_AUTH);
    end_pair(&p);
}

static void failed_decapsulation__is_an_authentication_failure(void **state)
{
    (void)state;
    struct pair p;
    begin_pair(&p);
    assert_int_equal(psst_rekey_derive(p.callee, &p.base, NULL), PSST_ERR_AUTH);
    end_pair(&p);
}

static void derive__wipes__what_it_was_made_from(void **state)
{
    (void)state;
    struct pair p;
    begin_pair(&p);
    struct psst_kem_secret z = decapsulate(key_b, p.callee), zeros = {{0}};
    assert_int_equal(psst_rekey_derive(p.callee, &p.base, &z), PSST_OK);
    assert_memory_equal(p.callee->own.z.b, zeros.b, sizeof zeros.b);
    assert_memory_equal(p.callee->own.scalar.b, zeros.b, sizeof zeros.b);
    end_pair(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rounds__match__vectors),
        cmocka_unit_test(second_round__goes_on__from_the_first),
        cmocka_unit_test(out_of_order__refused),
        cmocka_unit_test(wrong_lengths__refused),
        cmocka_unit_test(small_order_point__refused),
        cmocka_unit_test(failed_decapsulation__is_an_authentication_failure),
        cmocka_unit_test(derive__wipes__what_it_was_made_from),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
