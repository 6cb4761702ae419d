/* The handshake, in the order of its messages. Names are those of docs/PROTOCOL.md: h1 to h7 are the transcript's hash,
 * ck1 and ck2 the chain keys, ZA and ZB what the two RSA encapsulations share.
 *
 *   M1  EA || XA || MAC          h1            what B checks before it does anything dear
 *   M2  EB || tag                h2, ck1, h3   X25519 and ZA are in: B is proved
 *   M3  fpr(A), features         h4            under ck1
 *   M4  XB | features            h5, ck2, h6   first part under ck1, second under ck2: ZB and psk are in
 *   M5  32 zero bytes            h7, keys      A is proved
 *
 * Each read builds what it learns in locals and commits it to the handshake in its last lines, once the message has
 * been authenticated. One failure of any kind ends the handshake: begin() refuses every later step.
 */
#include "proto/handshake_internal.h"

#include <stdlib.h>

enum step {
    STEP_ENDED, /* failed, or over */
    STEP_WRITE_M1,
    STEP_READ_M2,
    STEP_WRITE_M3,
    STEP_READ_M4A,
    STEP_READ_M4B,
    STEP_WRITE_M5,
    STEP_READ_M1,
    STEP_ACCEPT_M1,
    STEP_WRITE_M2,
    STEP_READ_M3,
    STEP_WRITE_M4,
    STEP_READ_M5,
};

#define SEALED_PLAIN_LEN  256 /* plain text of M3 and of M4b */
#define FPR_LEN           32
#define X25519_LEN        32
#define MAC_LEN           32
#define M5_PLAIN_LEN      32
#define FEATURES_CAPACITY PSST_M4_FEATURES_MAX /* the larger of the two limits */

_Static_assert(PSST_M1_LEN == X25519_LEN + PSST_KEM_LEN + MAC_LEN, "M1");
_Static_assert(PSST_M2_LEN == X25519_LEN + PSST_TAG_LEN, "M2");
_Static_assert(PSST_M3_LEN == SEALED_PLAIN_LEN + PSST_TAG_LEN, "M3");
_Static_assert(PSST_M4A_LEN == PSST_KEM_LEN + PSST_TAG_LEN && PSST_M4B_LEN == SEALED_PLAIN_LEN + PSST_TAG_LEN, "M4");
_Static_assert(PSST_M4_LEN == PSST_M4A_LEN + PSST_M4B_LEN && PSST_M5_LEN == M5_PLAIN_LEN + PSST_TAG_LEN, "M4, M5");
_Static_assert(PSST_M3_FEATURES_MAX == SEALED_PLAIN_LEN - FPR_LEN - 2, "features of M3");
_Static_assert(PSST_M4_FEATURES_MAX == SEALED_PLAIN_LEN - 2, "features of M4b");

struct features {
    size_t len;
    uint8_t data[FEATURES_CAPACITY];
};

struct psst_handshake {
    enum step next;
    const struct psst_rsa_public *self; /* borrowed */
    const struct psst_rsa_public *peer; /* borrowed; caller: whom it calls. callee: NULL */
    const struct psst_rng *rng;
    struct psst_view fixed_z, fixed_r; /* for the vectors */

    struct psst_hash h;
    struct psst_chain_key ck;
    uint64_t day;                     /* caller: of M1 */
    struct psst_pair_secret psk;      /* caller */
    struct psst_x25519_private e;     /* own ephemeral */
    struct psst_x25519_public e_pub;  /* callee: EB until M2 is written */
    struct psst_x25519_public peer_e; /* callee: EA until M1 is accepted */
    struct psst_kem_secret za;        /* caller: from M1 to M2 */
    struct psst_fpr claimed;          /* callee: who M3 says is calling */
    bool decoy;                       /* callee: M4 was for nobody, and M5 will not do */
    uint8_t m4b[PSST_M4B_LEN];        /* caller: waits for ZB */
    struct features own_features, peer_features;
};

/* ---- features ---- */

static bool next_feature(struct psst_reader *r, uint8_t *id, struct psst_view *value)
{
    *id = psst_read_u8(r);
    *value = psst_read_view(r, psst_read_u8(r));
    return !r->failed;
}

bool psst_features_valid(struct psst_view features)
{
    struct psst_reader r = psst_reader(features);
    int last = -1;
    while (r.left > 0) {
        uint8_t id;
        struct psst_view value;
        if (!next_feature(&r, &id, &value) || id <= last) return false;
        last = id;
    }
    return psst_reader_end(&r);
}

bool psst_features_get(struct psst_view features, uint8_t id, struct psst_view *value)
{
    struct psst_reader r = psst_reader(features);
    while (r.left > 0) {
        uint8_t found;
        struct psst_view v;
        if (!next_feature(&r, &found, &v)) return false;
        if (found != id) continue;
        *value = v;
        return true;
    }
    return false;
}

/* u16 length || features || zeros, the end of M3 and all of M4b. */
static void put_features(uint8_t *out, size_t room, const struct features *features)
{
    memset(out, 0, room);
    psst_store_u16(out, (uint16_t)features->len);
    memcpy(out + 2, features->data, features->len);
}

static bool take_features(struct features *out, struct psst_view padded)
{
    struct psst_reader r = psst_reader(padded);
    struct psst_view v = psst_read_view(&r, psst_read_u16(&r));
    psst_read_zeros(&r);
    if (!psst_reader_end(&r) || v.len > sizeof out->data || !psst_features_valid(v)) return false;
    out->len = v.len;
    if (v.len > 0) memcpy(out->data, v.data, v.len);
    return true;
}

/* ---- the transcript and the keys ---- */

static struct psst_view view_hash(const struct psst_hash *h)
{
    return psst_view(h->b, sizeof h->b);
}

static struct psst_view view_fpr(const struct psst_rsa_public *key)
{
    return psst_view(psst_rsa_public_fpr(key)->b, FPR_LEN);
}

/* h' = SHA-256(h || data). out may be h. */
static enum psst_err mix_hash(struct psst_hash *out, const struct psst_hash *h, const void *data, size_t len)
{
    struct psst_view parts[] = {view_hash(h), psst_view(data, len)};
    return psst_sha256(out, parts, 2);
}

/* h1 = SHA-256(LBL(suite) || fpr(B) || M1 || day) */
static enum psst_err first_hash(struct psst_hash *h1, const struct psst_rsa_public *callee,
                                const uint8_t m1[PSST_M1_LEN], uint64_t day)
{
    uint8_t day_bytes[8];
    psst_store_u64(day_bytes, day);
    struct psst_view parts[] = {psst_view_str(PSST_LBL("X25519 RSASVE ChaChaPoly SHA256")), view_fpr(callee),
                                psst_view(m1, PSST_M1_LEN), psst_view(day_bytes, sizeof day_bytes)};
    return psst_sha256(h1, parts, 4);
}

/* MB = HKDF(salt = LBL("mac"), ikm = spki(B)): only who holds B's whole public key has it. */
static enum psst_err mac_key(uint8_t mb[32], const struct psst_rsa_public *callee)
{
    uint8_t prk[32];
    struct psst_view spki = psst_rsa_public_spki(callee);
    enum psst_err err = psst_hkdf_extract(prk, psst_view_str(PSST_LBL("mac")), &spki, 1);
    if (err == PSST_OK) err = psst_hkdf_expand(mb, prk, NULL, 0);
    PSST_WIPE(prk);
    return err;
}

/* HMAC(MB, "1" || day || EA || XA) */
static enum psst_err m1_mac(uint8_t mac[MAC_LEN], const uint8_t mb[32], uint64_t day, const uint8_t m1[PSST_M1_LEN])
{
    uint8_t day_bytes[8];
    psst_store_u64(day_bytes, day);
    struct psst_view parts[] = {psst_view_str("1"), psst_view(day_bytes, sizeof day_bytes),
                                psst_view(m1, PSST_M1_LEN - MAC_LEN)};
    return psst_hmac(mac, mb, parts, 3);
}

/* ck1 = HKDF-Extract(salt = h2, ikm = X25519 secret || ZA). PSST_ERR_AUTH: the peer's point is of small order. */
static enum psst_err derive_ck1(struct psst_chain_key *ck1, const struct psst_hash *h2,
                                const struct psst_x25519_private *own, const struct psst_x25519_public *peer,
                                const struct psst_kem_secret *za)
{
    struct psst_x25519_secret dh;
    enum psst_err err = psst_x25519(&dh, own, peer);
    if (err == PSST_OK) {
        struct psst_view ikm[] = {psst_view(dh.b, sizeof dh.b), psst_view(za->b, sizeof za->b)};
        err = psst_hkdf_extract(ck1->b, view_hash(h2), ikm, 2);
    }
    PSST_WIPE(dh);
    return err;
}

/* ck2 = HKDF-Extract(salt = ck1, ikm = ZB || psk || fpr(A) || fpr(B) || h5). psk NULL: zeros. */
static enum psst_err derive_ck2(struct psst_chain_key *ck2, const struct psst_chain_key *ck1,
                                const struct psst_kem_secret *zb, const struct psst_pair_secret *psk,
                                struct psst_view fpr_a, struct psst_view fpr_b, const struct psst_hash *h5)
{
    static const struct psst_pair_secret none;
    if (psk == NULL) psk = &none;
    struct psst_view ikm[] = {psst_view(zb->b, sizeof zb->b), psst_view(psk->b, sizeof psk->b), fpr_a, fpr_b,
                              view_hash(h5)};
    return psst_hkdf_extract(ck2->b, psst_view(ck1->b, sizeof ck1->b), ikm, 5);
}

/* HKDF-Expand(ck, label || hash, 32); hash NULL: the label alone. */
static enum psst_err expand(uint8_t out[32], const struct psst_chain_key *ck, const char *label,
                            const struct psst_hash *hash)
{
    struct psst_view info[] = {psst_view_str(label), hash != NULL ? view_hash(hash) : psst_view(NULL, 0)};
    return psst_hkdf_expand(out, ck->b, info, hash != NULL ? 2 : 1);
}

enum psst_err psst_session_keys_derive(struct psst_session_keys *out, const struct psst_chain_key *chain,
                                       const struct psst_hash *hash)
{
    struct psst_session_keys keys = {.hash = *hash};
    enum psst_err err = expand(keys.k_ab.b, chain, PSST_LBL("caller to callee"), hash);
    if (err == PSST_OK) err = expand(keys.k_ba.b, chain, PSST_LBL("callee to caller"), hash);
    if (err == PSST_OK) err = expand(keys.v_ab.b, chain, PSST_LBL("voice caller to callee"), hash);
    if (err == PSST_OK) err = expand(keys.v_ba.b, chain, PSST_LBL("voice callee to caller"), hash);
    if (err == PSST_OK) err = expand(keys.rk.b, chain, PSST_LBL("rekey"), hash);
    if (err == PSST_OK) *out = keys;
    PSST_WIPE(keys);
    return err;
}

/* Every message key is used for one message, so its nonce is 0. */
static enum psst_err seal(uint8_t *out, const struct psst_chain_key *ck, const char *label, const struct psst_hash *ad,
                          struct psst_view plain)
{
    struct psst_aead_key key;
    enum psst_err err = expand(key.b, ck, label, NULL);
    if (err == PSST_OK) err = psst_aead_seal(out, &key, 0, view_hash(ad), plain);
    PSST_WIPE(key);
    return err;
}

static enum psst_err open_sealed(uint8_t *out, const struct psst_chain_key *ck, const char *label,
                                 const struct psst_hash *ad, struct psst_view sealed)
{
    struct psst_aead_key key;
    enum psst_err err = expand(key.b, ck, label, NULL);
    if (err == PSST_OK) err = psst_aead_open(out, &key, 0, view_hash(ad), sealed);
    PSST_WIPE(key);
    return err;
}

static enum psst_err draw_ephemeral(struct psst_x25519_private *e, struct psst_x25519_public *e_pub,
                                    const struct psst_rng *rng)
{
    rng->fill(rng->ctx, e->b, sizeof e->b);
    return psst_x25519_public(e_pub, e);
}

static enum psst_err encapsulate(struct psst_handshake *hs, const struct psst_rsa_public *to, uint8_t x[PSST_KEM_LEN],
                                 struct psst_kem_secret *z)
{
    if (hs->fixed_z.data == NULL) return psst_kem_encapsulate(to, hs->rng, x, z);
    enum psst_err err = psst_kem_encapsulate_with(to, hs->fixed_z, hs->fixed_r, x, z);
    psst_handshake_fix_kem(hs, psst_view(NULL, 0), psst_view(NULL, 0));
    return err;
}

/* ---- beginning and end of the handshake and of each step ---- */

static enum psst_err new_handshake(struct psst_handshake **out, const struct psst_rsa_public *self,
                                   struct psst_view features, size_t features_max, const struct psst_rng *rng)
{
    if (features.len > features_max) return PSST_ERR_TOO_LONG;
    if (!psst_features_valid(features)) return PSST_ERR_USAGE;
    struct psst_handshake *hs = calloc(1, sizeof *hs);
    if (hs == NULL) return PSST_ERR_MEMORY;
    hs->self = self;
    hs->rng = rng;
    hs->own_features.len = features.len;
    if (features.len > 0) memcpy(hs->own_features.data, features.data, features.len);
    *out = hs;
    return PSST_OK;
}

static bool same_key(const struct psst_rsa_public *a, const struct psst_rsa_public *b)
{
    return psst_view_equal(view_fpr(a), view_fpr(b));
}

enum psst_err psst_handshake_caller(struct psst_handshake **out, const struct psst_rsa_public *self,
                                    const struct psst_rsa_public *peer, const struct psst_pair_secret *psk,
                                    struct psst_view features, uint64_t day, const struct psst_rng *rng)
{
    if (same_key(self, peer)) return PSST_ERR_USAGE; /* nobody calls himself */
    struct psst_handshake *hs;
    enum psst_err err = new_handshake(&hs, self, features, PSST_M3_FEATURES_MAX, rng);
    if (err != PSST_OK) return err;
    hs->peer = peer;
    if (psk != NULL) hs->psk = *psk;
    hs->day = day;
    hs->next = STEP_WRITE_M1;
    *out = hs;
    return PSST_OK;
}

enum psst_err psst_handshake_callee(struct psst_handshake **out, const struct psst_rsa_public *self,
                                    struct psst_view features, const struct psst_rng *rng)
{
    struct psst_handshake *hs;
    enum psst_err err = new_handshake(&hs, self, features, PSST_M4_FEATURES_MAX, rng);
    if (err != PSST_OK) return err;
    hs->next = STEP_READ_M1;
    *out = hs;
    return PSST_OK;
}

void psst_handshake_free(struct psst_handshake *hs)
{
    if (hs == NULL) return;
    psst_wipe(hs, sizeof *hs);
    free(hs);
}

/* The end of every step. A failure leaves nothing behind but the refusal of all that follows. */
static enum psst_err finish(struct psst_handshake *hs, enum psst_err err, enum step next)
{
    if (err != PSST_OK)
        psst_wipe(hs, sizeof *hs); /* STEP_ENDED is 0 */
    else
        hs->next = next;
    return err;
}

struct psst_view psst_handshake_peer_features(const struct psst_handshake *hs)
{
    return psst_view(hs->peer_features.data, hs->peer_features.len);
}

void psst_handshake_fix_kem(struct psst_handshake *hs, struct psst_view z, struct psst_view r)
{
    hs->fixed_z = z;
    hs->fixed_r = r;
}

struct psst_handshake *psst_handshake_clone(const struct psst_handshake *hs)
{
    struct psst_handshake *twin = malloc(sizeof *twin);
    if (twin != NULL) *twin = *hs;
    return twin;
}

const struct psst_hash *psst_handshake_transcript(const struct psst_handshake *hs)
{
    return &hs->h;
}

const struct psst_chain_key *psst_handshake_chain(const struct psst_handshake *hs)
{
    return &hs->ck;
}

/* ---- M1: EA || XA || HMAC(MB, "1" || day || EA || XA) ---- */

enum psst_err psst_handshake_write_m1(struct psst_handshake *hs, uint8_t out[PSST_M1_LEN])
{
    if (hs->next != STEP_WRITE_M1) return PSST_ERR_USAGE;
    uint8_t m1[PSST_M1_LEN];
    uint8_t mb[32];
    struct psst_x25519_public ea;
    enum psst_err err = draw_ephemeral(&hs->e, &ea, hs->rng);
    memcpy(m1, ea.b, X25519_LEN);
    if (err == PSST_OK) err = encapsulate(hs, hs->peer, m1 + X25519_LEN, &hs->za);
    if (err == PSST_OK) err = mac_key(mb, hs->peer);
    if (err == PSST_OK) err = m1_mac(m1 + X25519_LEN + PSST_KEM_LEN, mb, hs->day, m1);
    if (err == PSST_OK) err = first_hash(&hs->h, hs->peer, m1, hs->day);
    if (err == PSST_OK) memcpy(out, m1, sizeof m1);
    PSST_WIPE(mb);
    return finish(hs, err, STEP_READ_M2);
}

/* All three days are tried whatever the first ones gave, so that the time does not tell which matched. */
static enum psst_err match_day(uint64_t *matched, const struct psst_rsa_public *self, uint64_t today,
                               const uint8_t m1[PSST_M1_LEN])
{
    uint8_t mb[32], mac[MAC_LEN];
    uint64_t day = 0, found = 0;
    enum psst_err err = mac_key(mb, self);
    for (uint64_t i = 0; i < 3 && err == PSST_OK; i++) {
        uint64_t candidate = today - 1 + i; /* next to day 0 it may wrap, to a day that nobody has */
        err = m1_mac(mac, mb, candidate, m1);
        uint64_t equal = psst_crypto_equal(mac, m1 + PSST_M1_LEN - MAC_LEN, MAC_LEN);
        day |= candidate & (0 - equal);
        found |= equal;
    }
    PSST_WIPE(mb);
    PSST_WIPE(mac); /* a right MAC for these bytes is not for anybody else to see */
    if (err == PSST_OK && found == 0) err = PSST_ERR_AUTH;
    if (err == PSST_OK) *matched = day;
    return err;
}

enum psst_err psst_handshake_read_m1(struct psst_handshake *hs, const uint8_t in[PSST_M1_LEN], uint64_t day,
                                     uint8_t mac[32], uint64_t *matched_day, uint8_t x[PSST_KEM_LEN])
{
    if (hs->next != STEP_READ_M1) return PSST_ERR_USAGE;
    uint64_t matched = 0;
    struct psst_hash h1;
    enum psst_err err = match_day(&matched, hs->self, day, in);
    if (err == PSST_OK) err = first_hash(&h1, hs->self, in, matched);
    if (err == PSST_OK) {
        hs->h = h1;
        memcpy(hs->peer_e.b, in, X25519_LEN);
        memcpy(x, in + X25519_LEN, PSST_KEM_LEN);
        memcpy(mac, in + X25519_LEN + PSST_KEM_LEN, MAC_LEN);
        *matched_day = matched;
    }
    return finish(hs, err, STEP_ACCEPT_M1);
}

/* The private operation is done: EB is drawn and ck1 derived, all that M2 needs. */
enum psst_err psst_handshake_accept_m1(struct psst_handshake *hs, const struct psst_kem_secret *za)
{
    if (hs->next != STEP_ACCEPT_M1) return PSST_ERR_USAGE;
    if (za == NULL) return finish(hs, PSST_ERR_AUTH, STEP_ENDED);
    struct psst_hash h2;
    enum psst_err err = draw_ephemeral(&hs->e, &hs->e_pub, hs->rng);
    if (err == PSST_OK) err = mix_hash(&h2, &hs->h, hs->e_pub.b, X25519_LEN);
    if (err == PSST_OK) err = derive_ck1(&hs->ck, &h2, &hs->e, &hs->peer_e, za);
    if (err == PSST_OK) hs->h = h2;
    PSST_WIPE(hs->e);
    return finish(hs, err, STEP_WRITE_M2);
}

/* ---- M2: EB || AEAD(key "m2", AD = h2, empty) ---- */

enum psst_err psst_handshake_write_m2(struct psst_handshake *hs, uint8_t out[PSST_M2_LEN])
{
    if (hs->next != STEP_WRITE_M2) return PSST_ERR_USAGE;
    uint8_t m2[PSST_M2_LEN];
    uint8_t *tag = m2 + X25519_LEN;
    memcpy(m2, hs->e_pub.b, X25519_LEN);
    enum psst_err err = seal(tag, &hs->ck, PSST_LBL("m2"), &hs->h, psst_view(NULL, 0));
    if (err == PSST_OK) err = mix_hash(&hs->h, &hs->h, tag, PSST_TAG_LEN);
    if (err == PSST_OK) memcpy(out, m2, sizeof m2);
    return finish(hs, err, STEP_READ_M3);
}

enum psst_err psst_handshake_read_m2(struct psst_handshake *hs, const uint8_t in[PSST_M2_LEN])
{
    if (hs->next != STEP_READ_M2) return PSST_ERR_USAGE;
    const uint8_t *tag = in + X25519_LEN;
    struct psst_x25519_public eb;
    struct psst_hash h2, h3;
    struct psst_chain_key ck1;
    uint8_t nothing[1];
    memcpy(eb.b, in, X25519_LEN);
    enum psst_err err = mix_hash(&h2, &hs->h, eb.b, X25519_LEN);
    if (err == PSST_OK) err = derive_ck1(&ck1, &h2, &hs->e, &eb, &hs->za);
    if (err == PSST_OK) err = open_sealed(nothing, &ck1, PSST_LBL("m2"), &h2, psst_view(tag, PSST_TAG_LEN));
    if (err == PSST_OK) err = mix_hash(&h3, &h2, tag, PSST_TAG_LEN);
    if (err == PSST_OK) {
        hs->h = h3;
        hs->ck = ck1;
    }
    PSST_WIPE(ck1);
    PSST_WIPE(hs->e);
    PSST_WIPE(hs->za);
    return finish(hs, err, STEP_WRITE_M3);
}

/* ---- M3: AEAD(key "m3", AD = h3, fpr(A) || u16 length || features || zeros) ---- */

enum psst_err psst_handshake_write_m3(struct psst_handshake *hs, uint8_t out[PSST_M3_LEN])
{
    if (hs->next != STEP_WRITE_M3) return PSST_ERR_USAGE;
    uint8_t plain[SEALED_PLAIN_LEN], m3[PSST_M3_LEN];
    memcpy(plain, psst_rsa_public_fpr(hs->self)->b, FPR_LEN);
    put_features(plain + FPR_LEN, sizeof plain - FPR_LEN, &hs->own_features);
    enum psst_err err = seal(m3, &hs->ck, PSST_LBL("m3"), &hs->h, psst_view(plain, sizeof plain));
    if (err == PSST_OK) err = mix_hash(&hs->h, &hs->h, m3, sizeof m3);
    if (err == PSST_OK) memcpy(out, m3, sizeof m3);
    PSST_WIPE(plain); /* the caller's identity is hidden */
    return finish(hs, err, STEP_READ_M4A);
}

enum psst_err psst_handshake_read_m3(struct psst_handshake *hs, const uint8_t in[PSST_M3_LEN], struct psst_fpr *claimed)
{
    if (hs->next != STEP_READ_M3) return PSST_ERR_USAGE;
    uint8_t plain[SEALED_PLAIN_LEN];
    struct psst_hash h4;
    struct features features;
    enum psst_err err = open_sealed(plain, &hs->ck, PSST_LBL("m3"), &hs->h, psst_view(in, PSST_M3_LEN));
    if (err == PSST_OK && !take_features(&features, psst_view(plain + FPR_LEN, sizeof plain - FPR_LEN)))
        err = PSST_ERR_AUTH;
    if (err == PSST_OK) err = mix_hash(&h4, &hs->h, in, PSST_M3_LEN);
    if (err == PSST_OK) {
        hs->h = h4;
        memcpy(hs->claimed.b, plain, FPR_LEN);
        hs->peer_features = features;
        *claimed = hs->claimed;
    }
    PSST_WIPE(plain);
    return finish(hs, err, STEP_WRITE_M4);
}

/* ---- M4: M4a = AEAD(key "m4a" of ck1, AD = h4, XB); M4b = AEAD(key "m4" of ck2, AD = h5, u16 length || features ||
 * zeros) ---- */

/* XB and ZB for nobody: random, then an encapsulation of which nothing is kept, because one to a contact would have
 * been made here. Its cost is like that of a key of our own size; the rest of the difference is levelled by the fixed
 * delay of M4 (PSST_M4_DELAY_NS), which is the driver's. */
static enum psst_err encapsulate_decoy(const struct psst_handshake *hs, uint8_t xb[PSST_KEM_LEN],
                                       struct psst_kem_secret *zb)
{
    uint8_t unused_x[PSST_KEM_LEN];
    struct psst_kem_secret unused_z;
    hs->rng->fill(hs->rng->ctx, xb, PSST_KEM_LEN);
    hs->rng->fill(hs->rng->ctx, zb->b, sizeof zb->b);
    enum psst_err err = psst_kem_encapsulate(hs->self, hs->rng, unused_x, &unused_z);
    PSST_WIPE(unused_z);
    return err;
}

/* Seals both parts of M4 into m4 and leads the transcript to h6 and the chain to ck2. */
static enum psst_err seal_m4(struct psst_handshake *hs, const uint8_t xb[PSST_KEM_LEN],
                             const struct psst_kem_secret *zb, const struct psst_pair_secret *psk,
                             uint8_t m4[PSST_M4_LEN])
{
    uint8_t *m4b = m4 + PSST_M4A_LEN;
    uint8_t plain[SEALED_PLAIN_LEN];
    struct psst_hash h5;
    struct psst_chain_key ck2;
    put_features(plain, sizeof plain, &hs->own_features);
    enum psst_err err = seal(m4, &hs->ck, PSST_LBL("m4a"), &hs->h, psst_view(xb, PSST_KEM_LEN));
    if (err == PSST_OK) err = mix_hash(&h5, &hs->h, m4, PSST_M4A_LEN);
    if (err == PSST_OK)
        err = derive_ck2(&ck2, &hs->ck, zb, psk, psst_view(hs->claimed.b, FPR_LEN), view_fpr(hs->self), &h5);
    if (err == PSST_OK) err = seal(m4b, &ck2, PSST_LBL("m4"), &h5, psst_view(plain, sizeof plain));
    if (err == PSST_OK) err = mix_hash(&hs->h, &h5, m4b, PSST_M4B_LEN);
    if (err == PSST_OK) hs->ck = ck2;
    PSST_WIPE(ck2);
    return err;
}

enum psst_err psst_handshake_write_m4(struct psst_handshake *hs, const struct psst_rsa_public *contact,
                                      const struct psst_pair_secret *psk, uint8_t out[PSST_M4_LEN])
{
    if (hs->next != STEP_WRITE_M4) return PSST_ERR_USAGE;
    struct psst_view claimed = psst_view(hs->claimed.b, FPR_LEN);
    if (contact != NULL && !psst_view_equal(view_fpr(contact), claimed)) return PSST_ERR_USAGE;
    /* whoever claims to be us is nobody, even when the contact book knows us */
    bool decoy = contact == NULL || psst_view_equal(view_fpr(hs->self), claimed);
    uint8_t xb[PSST_KEM_LEN], m4[PSST_M4_LEN];
    struct psst_kem_secret zb;
    enum psst_err err = decoy ? encapsulate_decoy(hs, xb, &zb) : encapsulate(hs, contact, xb, &zb);
    if (err == PSST_OK) err = seal_m4(hs, xb, &zb, decoy ? NULL : psk, m4);
    if (err == PSST_OK) {
        hs->decoy = decoy;
        memcpy(out, m4, sizeof m4);
    }
    PSST_WIPE(zb);
    return finish(hs, err, STEP_READ_M5);
}

enum psst_err psst_handshake_read_m4a(struct psst_handshake *hs, const uint8_t in[PSST_M4_LEN], uint8_t x[PSST_KEM_LEN])
{
    if (hs->next != STEP_READ_M4A) return PSST_ERR_USAGE;
    uint8_t xb[PSST_KEM_LEN];
    struct psst_hash h5;
    enum psst_err err = open_sealed(xb, &hs->ck, PSST_LBL("m4a"), &hs->h, psst_view(in, PSST_M4A_LEN));
    if (err == PSST_OK) err = mix_hash(&h5, &hs->h, in, PSST_M4A_LEN);
    if (err == PSST_OK) {
        hs->h = h5;
        memcpy(hs->m4b, in + PSST_M4A_LEN, PSST_M4B_LEN);
        memcpy(x, xb, sizeof xb);
    }
    return finish(hs, err, STEP_READ_M4B);
}

enum psst_err psst_handshake_read_m4b(struct psst_handshake *hs, const struct psst_kem_secret *zb)
{
    if (hs->next != STEP_READ_M4B) return PSST_ERR_USAGE;
    if (zb == NULL) return finish(hs, PSST_ERR_AUTH, STEP_ENDED);
    uint8_t plain[SEALED_PLAIN_LEN];
    struct psst_chain_key ck2;
    struct psst_hash h6;
    struct features features;
    enum psst_err err = derive_ck2(&ck2, &hs->ck, zb, &hs->psk, view_fpr(hs->self), view_fpr(hs->peer), &hs->h);
    if (err == PSST_OK) err = open_sealed(plain, &ck2, PSST_LBL("m4"), &hs->h, psst_view(hs->m4b, sizeof hs->m4b));
    if (err == PSST_OK && !take_features(&features, psst_view(plain, sizeof plain))) err = PSST_ERR_AUTH;
    if (err == PSST_OK) err = mix_hash(&h6, &hs->h, hs->m4b, sizeof hs->m4b);
    if (err == PSST_OK) {
        hs->h = h6;
        hs->ck = ck2;
        hs->peer_features = features;
    }
    PSST_WIPE(ck2);
    PSST_WIPE(hs->psk);
    return finish(hs, err, STEP_WRITE_M5);
}

/* ---- M5: AEAD(key "m5" of ck2, AD = h6, 32 zero bytes); then the keys ---- */

static const uint8_t m5_plain[M5_PLAIN_LEN];

enum psst_err psst_handshake_write_m5(struct psst_handshake *hs, uint8_t out[PSST_M5_LEN],
                                      struct psst_session_keys *keys)
{
    if (hs->next != STEP_WRITE_M5) return PSST_ERR_USAGE;
    uint8_t m5[PSST_M5_LEN];
    enum psst_err err = seal(m5, &hs->ck, PSST_LBL("m5"), &hs->h, psst_view(m5_plain, sizeof m5_plain));
    if (err == PSST_OK) err = mix_hash(&hs->h, &hs->h, m5, sizeof m5);
    if (err == PSST_OK) err = psst_session_keys_derive(keys, &hs->ck, &hs->h);
    if (err == PSST_OK) memcpy(out, m5, sizeof m5);
    PSST_WIPE(hs->ck);
    return finish(hs, err, STEP_ENDED);
}

enum psst_err psst_handshake_read_m5(struct psst_handshake *hs, const uint8_t in[PSST_M5_LEN],
                                     struct psst_session_keys *keys)
{
    if (hs->next != STEP_READ_M5) return PSST_ERR_USAGE;
    uint8_t plain[M5_PLAIN_LEN];
    struct psst_hash h7;
    struct psst_session_keys derived;
    enum psst_err err = open_sealed(plain, &hs->ck, PSST_LBL("m5"), &hs->h, psst_view(in, PSST_M5_LEN));
    if (err == PSST_OK && !psst_crypto_equal(plain, m5_plain, sizeof plain)) err = PSST_ERR_AUTH;
    if (err == PSST_OK) err = mix_hash(&h7, &hs->h, in, PSST_M5_LEN);
    if (err == PSST_OK) err = psst_session_keys_derive(&derived, &hs->ck, &h7);
    if (err == PSST_OK && hs->decoy) err = PSST_ERR_AUTH; /* it may even have verified: nobody is still nobody */
    if (err == PSST_OK) {
        hs->h = h7;
        *keys = derived;
    }
    PSST_WIPE(derived);
    PSST_WIPE(hs->ck);
    return finish(hs, err, STEP_ENDED);
}
