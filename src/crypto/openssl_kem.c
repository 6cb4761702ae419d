/* RSA-KEM, expanded (docs/PROTOCOL.md): z^e mod n hidden in a number of one size and one distribution whatever n is.
 *
 *   z in [2, n-2] --raw RSA--> c --(+ r*n)--> X (528 bytes)        Z = SHA-256("PSST/1 " purpose || fpr || X || z)
 *
 * z and Z are secret. c, r and X are not: X goes over the wire, and whoever knows n has c and r from it. */
#include "crypto/openssl_internal.h"

#define PURPOSE_HANDSHAKE "z"
#define PURPOSE_MAX_LEN   32
/* A draw is rejected one time in two at worst: so many in a row means that the randomness is none. */
#define MAX_DRAWS 512

/* Whether 2 <= z <= n-2, in constant time: no borrow from n-2 - z, and a bit above the lowest is set. */
static bool z_in_range(const uint8_t *z, const struct psst_rsa_public *to)
{
    unsigned borrow = 0, above = (unsigned)z[to->len - 1] >> 1;
    for (size_t i = to->len; i-- > 0;) borrow = ((unsigned)to->z_max[i] - z[i] - borrow) >> 31;
    for (size_t i = 0; i < to->len - 1; i++) above |= z[i];
    return borrow == 0 && above != 0;
}

/* Z. z is nlen bytes. */
static enum psst_err derive(struct psst_kem_secret *secret, const struct psst_rsa_public *key, const char *purpose,
                            const uint8_t x[PSST_KEM_LEN], const uint8_t *z)
{
    struct psst_view parts[] = {
        psst_view_str("PSST/1 "),   psst_view_str(purpose), psst_view(key->fpr.b, sizeof key->fpr.b),
        psst_view(x, PSST_KEM_LEN), psst_view(z, key->len),
    };
    struct psst_hash hash;
    enum psst_err err = psst_sha256(&hash, parts, sizeof parts / sizeof parts[0]);
    if (err == PSST_OK) memcpy(secret->b, hash.b, sizeof secret->b);
    PSST_WIPE(hash);
    return err;
}

enum psst_err psst_ossl_kem_prepare(struct psst_rsa_public *key)
{
    struct psst_ossl_thread *t = psst_ossl_thread();
    if (t == NULL) return PSST_ERR_INTERNAL;
    BN_CTX_start(t->bn);
    BIGNUM *v = BN_CTX_get(t->bn), *r_max = BN_CTX_get(t->bn);
    key->c_max = BN_new();
    int len = (int)key->len;
    bool ok = r_max != NULL && key->c_max != NULL && BN_one(v) == 1 && BN_lshift(v, v, 8 * PSST_KEM_LEN) == 1 &&
              BN_sub_word(v, 1) == 1 && BN_div(r_max, key->c_max, v, key->n, t->bn) == 1 &&
              BN_bn2binpad(r_max, key->r_max, PSST_KEM_LEN) == PSST_KEM_LEN && BN_copy(v, key->n) != NULL &&
              BN_sub_word(v, 2) == 1 && BN_bn2binpad(v, key->z_max, len) == len;
    if (ok) key->r_bits = (size_t)BN_num_bits(r_max);
    BN_CTX_end(t->bn);
    return ok ? PSST_OK : psst_ossl_fail(PSST_ERR_INTERNAL);
}

/* len bytes of which only the lowest bits bits can be set. */
static void draw_bits(uint8_t *out, size_t len, size_t bits, const struct psst_rng *rng)
{
    rng->fill(rng->ctx, out, len);
    out[0] &= (uint8_t)(0xffu >> (8 * len - bits));
}

/* Uniform in [2, n-2]. */
static enum psst_err draw_z(uint8_t *z, const struct psst_rsa_public *to, const struct psst_rng *rng)
{
    for (unsigned i = 0; i < MAX_DRAWS; i++) {
        draw_bits(z, to->len, to->bits, rng);
        if (z_in_range(z, to)) return PSST_OK;
    }
    return PSST_ERR_INTERNAL;
}

/* Whether c + r*n stays under 2^4224. */
static bool r_in_range(const uint8_t r[PSST_KEM_LEN], const BIGNUM *c, const struct psst_rsa_public *to)
{
    int order = memcmp(r, to->r_max, PSST_KEM_LEN);
    return order < 0 || (order == 0 && BN_cmp(c, to->c_max) <= 0);
}

/* Uniform among those. */
static enum psst_err draw_r(uint8_t r[PSST_KEM_LEN], const BIGNUM *c, const struct psst_rsa_public *to,
                            const struct psst_rng *rng)
{
    size_t len = (to->r_bits + 7) / 8;
    memset(r, 0, PSST_KEM_LEN - len);
    for (unsigned i = 0; i < MAX_DRAWS; i++) {
        draw_bits(r + PSST_KEM_LEN - len, len, to->r_bits, rng);
        if (r_in_range(r, c, to)) return PSST_OK;
    }
    return PSST_ERR_INTERNAL;
}

/* Where r comes from: drawn, or given by a test vector. */
struct source {
    const struct psst_rng *rng;
    struct psst_view given;
};

/* A big-endian number into len bytes, whatever zeros it begins with; false when it does not fit. */
static bool pad(uint8_t *out, size_t len, struct psst_view number)
{
    while (number.len > len && number.data[0] == 0) number = psst_view(number.data + 1, number.len - 1);
    if (number.len > len) return false;
    memset(out, 0, len - number.len);
    if (number.len > 0) memcpy(out + len - number.len, number.data, number.len);
    return true;
}

static enum psst_err choose_r(uint8_t r[PSST_KEM_LEN], const BIGNUM *c, const struct psst_rsa_public *to,
                              const struct source *source)
{
    if (source->rng != NULL) return draw_r(r, c, to, source->rng);
    return pad(r, PSST_KEM_LEN, source->given) && r_in_range(r, c, to) ? PSST_OK : PSST_ERR_USAGE;
}

/* X = c + r*n. */
static enum psst_err expand(uint8_t x[PSST_KEM_LEN], const struct psst_rsa_public *to, const uint8_t *c_bytes,
                            const struct source *source)
{
    struct psst_ossl_thread *t = psst_ossl_thread();
    if (t == NULL) return PSST_ERR_INTERNAL;
    enum psst_err err = PSST_ERR_INTERNAL;
    uint8_t r_bytes[PSST_KEM_LEN];
    BN_CTX_start(t->bn);
    BIGNUM *c = BN_CTX_get(t->bn), *r = BN_CTX_get(t->bn);
    if (r == NULL || BN_bin2bn(c_bytes, (int)to->len, c) == NULL) goto out;
    err = choose_r(r_bytes, c, to, source);
    if (err != PSST_OK) goto out;
    err = PSST_ERR_INTERNAL;
    if (BN_bin2bn(r_bytes, sizeof r_bytes, r) == NULL) goto out;
    if (BN_mul(r, r, to->n, t->bn) != 1 || BN_add(r, r, c) != 1 || BN_bn2binpad(r, x, PSST_KEM_LEN) != PSST_KEM_LEN)
        goto out;
    err = PSST_OK;
out:
    BN_CTX_end(t->bn);
    return err == PSST_OK ? PSST_OK : psst_ossl_fail(err);
}

static enum psst_err encapsulate(const struct psst_rsa_public *to, const char *purpose, const uint8_t *z,
                                 const struct source *source, uint8_t x[PSST_KEM_LEN], struct psst_kem_secret *secret)
{
    uint8_t c[PSST_RSA_MAX_LEN], made[PSST_KEM_LEN];
    if (strlen(purpose) > PURPOSE_MAX_LEN) return PSST_ERR_USAGE;
    /* the key is immutable to its users; the idle context inside is libcrypto's business */
    struct psst_ossl_pkey *key = &((struct psst_rsa_public *)(uintptr_t)to)->key;
    enum psst_err err = psst_ossl_raw_rsa(key, PSST_OSSL_ENCRYPT, c, z, to->len);
    if (err == PSST_OK) err = expand(made, to, c, source);
    if (err == PSST_OK) err = derive(secret, to, purpose, made, z);
    if (err == PSST_OK) memcpy(x, made, sizeof made);
    return err;
}

enum psst_err psst_kem_encapsulate_for(const struct psst_rsa_public *to, const char *purpose,
                                       const struct psst_rng *rng, uint8_t x[PSST_KEM_LEN],
                                       struct psst_kem_secret *secret)
{
    uint8_t z[PSST_RSA_MAX_LEN];
    const struct source source = {.rng = rng};
    enum psst_err err = draw_z(z, to, rng);
    if (err == PSST_OK) err = encapsulate(to, purpose, z, &source, x, secret);
    PSST_WIPE(z);
    return err;
}

enum psst_err psst_kem_encapsulate(const struct psst_rsa_public *to, const struct psst_rng *rng,
                                   uint8_t x[PSST_KEM_LEN], struct psst_kem_secret *secret)
{
    return psst_kem_encapsulate_for(to, PURPOSE_HANDSHAKE, rng, x, secret);
}

enum psst_err psst_kem_encapsulate_with(const struct psst_rsa_public *to, struct psst_view z, struct psst_view r,
                                        uint8_t x[PSST_KEM_LEN], struct psst_kem_secret *secret)
{
    uint8_t padded[PSST_RSA_MAX_LEN];
    const struct source source = {.given = r};
    enum psst_err err = pad(padded, to->len, z) && z_in_range(padded, to) ? PSST_OK : PSST_ERR_USAGE;
    if (err == PSST_OK) err = encapsulate(to, PURPOSE_HANDSHAKE, padded, &source, x, secret);
    PSST_WIPE(padded);
    return err;
}

/* ---- the private side ---- */

/* c = X mod n, refusing 0, 1 and n-1: their z is known to everybody. */
static enum psst_err reduce(uint8_t *c, const struct psst_rsa_public *own, const uint8_t x[PSST_KEM_LEN])
{
    struct psst_ossl_thread *t = psst_ossl_thread();
    if (t == NULL) return PSST_ERR_INTERNAL;
    bool ok = false;
    BN_CTX_start(t->bn);
    BIGNUM *v = BN_CTX_get(t->bn), *rest = BN_CTX_get(t->bn);
    if (rest == NULL || BN_bin2bn(x, PSST_KEM_LEN, v) == NULL || BN_mod(rest, v, own->n, t->bn) != 1) goto out;
    if (BN_bn2binpad(rest, c, (int)own->len) != (int)own->len) goto out;
    if (BN_is_zero(rest) || BN_is_one(rest)) goto out;
    ok = BN_add_word(rest, 1) == 1 && BN_cmp(rest, own->n) != 0;
out:
    BN_CTX_end(t->bn);
    return ok ? PSST_OK : PSST_ERR_AUTH;
}

enum psst_err psst_kem_decapsulate(const struct psst_rsa_private *key, const char *purpose,
                                   const uint8_t x[PSST_KEM_LEN], struct psst_kem_secret *secret)
{
    uint8_t c[PSST_RSA_MAX_LEN], z[PSST_RSA_MAX_LEN];
    if (strlen(purpose) > PURPOSE_MAX_LEN) return PSST_ERR_USAGE;
    struct psst_ossl_pkey *pkey = &((struct psst_rsa_private *)(uintptr_t)key)->key;
    enum psst_err err = reduce(c, key->pub, x);
    if (err == PSST_OK) err = psst_ossl_raw_rsa(pkey, PSST_OSSL_DECRYPT, z, c, key->pub->len);
    if (err == PSST_OK) err = derive(secret, key->pub, purpose, x, z);
    PSST_WIPE(z);
    /* a decapsulation that errs is treated exactly like an authentication failure */
    return err == PSST_OK ? PSST_OK : psst_ossl_fail(PSST_ERR_AUTH);
}
