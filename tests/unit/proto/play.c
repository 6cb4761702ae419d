#include "play.h"

static void fill(void *ctx, uint8_t *out, size_t len)
{
    struct play_rng *r = ctx;
    size_t n = r->len - r->at < len ? r->len - r->at : len;
    memcpy(out, r->script + r->at, n);
    r->at += n;
    struct psst_rng rest = det_rng_of(&r->rest);
    if (len > n) rest.fill(rest.ctx, out + n, len - n);
}

static void init_rng(struct play_rng *r, uint64_t seed)
{
    *r = (struct play_rng){.rng = {fill, r}, .rest = det_rng(seed)};
}

static void push(struct play_rng *r, struct psst_view bytes)
{
    assert_true(bytes.len <= sizeof r->script - r->len);
    memcpy(r->script + r->len, bytes.data, bytes.len);
    r->len += bytes.len;
}

const struct psst_rsa_private *play_key(const char *name)
{
    static struct {
        char name[32];
        struct psst_rsa_private *key;
    } keys[16];
    size_t i = 0;
    while (i < 16 && keys[i].key != NULL && strcmp(keys[i].name, name) != 0) i++;
    assert_true(i < 16 && strlen(name) < sizeof keys[i].name);
    if (keys[i].key == NULL) {
        memcpy(keys[i].name, name, strlen(name) + 1);
        keys[i].key = vectors_private_key(name);
    }
    return keys[i].key;
}

const struct psst_rsa_public *play_public(const char *name)
{
    return psst_rsa_private_public(play_key(name));
}

size_t play_message_len(int n)
{
    static const size_t len[PLAY_MESSAGES + 1] = {0, PSST_M1_LEN, PSST_M2_LEN, PSST_M3_LEN, PSST_M4_LEN, PSST_M5_LEN};
    return len[n];
}

void play_init(struct play *p, const char *caller, const char *callee, const struct psst_pair_secret *psk)
{
    const struct psst_view features = psst_view("\x01\x01\x07\x02\x00", 5);
    memset(p, 0, sizeof *p);
    p->caller_key = play_key(caller);
    p->callee_key = play_key(callee);
    p->contact = play_public(caller);
    p->callee_psk = psk;
    p->callee_day = PLAY_DAY;
    init_rng(&p->caller_rng, 1);
    init_rng(&p->callee_rng, 2);
    assert_int_equal(psst_handshake_caller(&p->caller, play_public(caller), play_public(callee), psk, features,
                                           PLAY_DAY, &p->caller_rng.rng),
                     PSST_OK);
    assert_int_equal(psst_handshake_callee(&p->callee, play_public(callee), features, &p->callee_rng.rng), PSST_OK);
}

void play_init_vector(struct play *p, const json_t *v)
{
    memset(p, 0, sizeof *p);
    const char *caller = vectors_str(v, "caller"), *callee = vectors_str(v, "callee");
    const char *contact = vectors_str(v, "encapsulated_to");
    bool unknown = strcmp(contact, "nobody") == 0;
    p->caller_key = play_key(caller);
    p->callee_key = play_key(callee);
    p->contact = unknown ? NULL : play_public(contact);
    struct psst_view psk = vectors_hex(v, "psk");
    assert_int_equal(psk.len, sizeof p->callee_psk->b);
    p->callee_psk = (const void *)psk.data;
    p->callee_day = vectors_u64(v, "callee_unix_time") / 86400;
    init_rng(&p->caller_rng, 1);
    init_rng(&p->callee_rng, 2);
    push(&p->caller_rng, vectors_hex(v, "ea_scalar"));
    push(&p->callee_rng, vectors_hex(v, "eb_scalar"));
    p->caller_z = vectors_hex(v, "z_a");
    p->caller_r = vectors_hex(v, "r_a");
    if (unknown) {
        push(&p->callee_rng, vectors_hex(v, "XB"));
        push(&p->callee_rng, vectors_hex(v, "ZB"));
    } else {
        p->callee_z = vectors_hex(v, "z_b");
        p->callee_r = vectors_hex(v, "r_b");
    }
    assert_int_equal(psst_handshake_caller(&p->caller, play_public(caller), play_public(callee), p->callee_psk,
                                           vectors_hex(v, "features_a"), vectors_u64(v, "caller_unix_time") / 86400,
                                           &p->caller_rng.rng),
                     PSST_OK);
    assert_int_equal(
        psst_handshake_callee(&p->callee, play_public(callee), vectors_hex(v, "features_b"), &p->callee_rng.rng),
        PSST_OK);
}

void play_fini(struct play *p)
{
    psst_handshake_free(p->caller);
    psst_handshake_free(p->callee);
    psst_replay_cache_free(p->cache);
    memset(p, 0, sizeof *p);
}

enum psst_err play_write(struct play *p, int n)
{
    switch (n) {
    case 1:
        if (p->caller_z.len > 0) psst_handshake_fix_kem(p->caller, p->caller_z, p->caller_r);
        return psst_handshake_write_m1(p->caller, p->m[1]);
    case 2: return psst_handshake_write_m2(p->callee, p->m[2]);
    case 3: return psst_handshake_write_m3(p->caller, p->m[3]);
    case 4:
        if (p->callee_z.len > 0) psst_handshake_fix_kem(p->callee, p->callee_z, p->callee_r);
        return psst_handshake_write_m4(p->callee, p->contact, p->callee_psk, p->m[4]);
    default: return psst_handshake_write_m5(p->caller, p->m[5], &p->caller_keys);
    }
}

static const struct psst_kem_secret *decapsulate(const struct psst_rsa_private *key, const uint8_t x[PSST_KEM_LEN],
                                                 struct psst_kem_secret *z)
{
    return psst_kem_decapsulate(key, "z", x, z) == PSST_OK ? z : NULL;
}

static enum psst_err read_m1(struct play *p, const uint8_t *message)
{
    uint8_t mac[32], x[PSST_KEM_LEN];
    struct psst_kem_secret z;
    enum psst_err err = psst_handshake_read_m1(p->callee, message, p->callee_day, mac, &p->matched_day, x);
    if (err != PSST_OK) return err;
    assert_memory_equal(mac, message + PSST_M1_LEN - sizeof mac, sizeof mac);
    if (p->cache != NULL) err = psst_replay_cache_add(p->cache, mac, p->matched_day, p->callee_day);
    if (err != PSST_OK) return err;
    return psst_handshake_accept_m1(p->callee, decapsulate(p->callee_key, x, &z));
}

static enum psst_err read_m4(struct play *p, const uint8_t *message)
{
    uint8_t x[PSST_KEM_LEN];
    struct psst_kem_secret z;
    enum psst_err err = psst_handshake_read_m4a(p->caller, message, x);
    if (err != PSST_OK) return err;
    return psst_handshake_read_m4b(p->caller, decapsulate(p->caller_key, x, &z));
}

enum psst_err play_read(struct play *p, int n, const uint8_t *message)
{
    switch (n) {
    case 1: return read_m1(p, message);
    case 2: return psst_handshake_read_m2(p->caller, message);
    case 3: return psst_handshake_read_m3(p->callee, message, &p->claimed);
    case 4: return read_m4(p, message);
    default: return psst_handshake_read_m5(p->callee, message, &p->callee_keys);
    }
}

void play_until(struct play *p, int n)
{
    for (int i = 1; i <= n; i++) {
        assert_int_equal(play_write(p, i), PSST_OK);
        if (i < n) assert_int_equal(play_read(p, i, p->m[i]), PSST_OK);
    }
}

void play_assert_ended(struct psst_handshake *hs)
{
    uint8_t m[PSST_M4_LEN], x[PSST_KEM_LEN], mac[32];
    uint8_t untouched[sizeof m];
    uint64_t day = 77;
    struct psst_kem_secret z = {{1}};
    struct psst_fpr fpr;
    struct psst_session_keys keys;
    memset(m, 0x5a, sizeof m);
    memcpy(untouched, m, sizeof m);
    assert_int_equal(psst_handshake_write_m1(hs, m), PSST_ERR_USAGE);
    assert_int_equal(psst_handshake_read_m1(hs, m, PLAY_DAY, mac, &day, x), PSST_ERR_USAGE);
    assert_int_equal(psst_handshake_accept_m1(hs, &z), PSST_ERR_USAGE);
    assert_int_equal(psst_handshake_write_m2(hs, m), PSST_ERR_USAGE);
    assert_int_equal(psst_handshake_read_m2(hs, m), PSST_ERR_USAGE);
    assert_int_equal(psst_handshake_write_m3(hs, m), PSST_ERR_USAGE);
    assert_int_equal(psst_handshake_read_m3(hs, m, &fpr), PSST_ERR_USAGE);
    assert_int_equal(psst_handshake_write_m4(hs, NULL, NULL, m), PSST_ERR_USAGE);
    assert_int_equal(psst_handshake_read_m4a(hs, m, x), PSST_ERR_USAGE);
    assert_int_equal(psst_handshake_read_m4b(hs, &z), PSST_ERR_USAGE);
    assert_int_equal(psst_handshake_write_m5(hs, m, &keys), PSST_ERR_USAGE);
    assert_int_equal(psst_handshake_read_m5(hs, m, &keys), PSST_ERR_USAGE);
    assert_memory_equal(m, untouched, sizeof m);
    assert_int_equal(day, 77);
}
