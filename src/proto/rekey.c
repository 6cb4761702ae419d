#include "proto/rekey.h"

#include <stdlib.h>

enum psst_err psst_rekey_draw(struct psst_rekey_half *half, const struct psst_rsa_public *to,
                              const struct psst_rng *rng)
{
    rng->fill(rng->ctx, half->scalar.b, sizeof half->scalar.b);
    struct psst_x25519_public pub;
    enum psst_err err = psst_x25519_public(&pub, &half->scalar);
    if (err != PSST_OK) return err;
    memcpy(half->message, pub.b, sizeof pub.b);
    return psst_kem_encapsulate(to, rng, half->message + sizeof pub.b, &half->z);
}

static enum psst_err rekey_new(struct psst_rekey **out, enum psst_rekey_stage stage, const struct psst_rsa_public *to,
                               const struct psst_rng *rng)
{
    struct psst_rekey *rekey = calloc(1, sizeof *rekey);
    if (rekey == NULL) return PSST_ERR_MEMORY;
    rekey->stage = stage;
    enum psst_err err = psst_rekey_draw(&rekey->own, to, rng);
    if (err != PSST_OK) {
        psst_rekey_free(rekey);
        return err;
    }
    *out = rekey;
    return PSST_OK;
}

enum psst_err psst_rekey_begin(struct psst_rekey **out, const struct psst_rsa_public *to, const struct psst_rng *rng)
{
    return rekey_new(out, PSST_REKEY_R1_SENT, to, rng);
}

enum psst_err psst_rekey_accept(struct psst_rekey **out, struct psst_view r1, const struct psst_rsa_public *to,
                                const struct psst_rng *rng)
{
    if (r1.len != PSST_REKEY_LEN) return PSST_ERR_PROTOCOL;
    struct psst_rekey *rekey = NULL;
    enum psst_err err = rekey_new(&rekey, PSST_REKEY_R1_READ, to, rng);
    if (err != PSST_OK) return err;
    memcpy(rekey->theirs, r1.data, r1.len);
    *out = rekey;
    return PSST_OK;
}

enum psst_err psst_rekey_read_r2(struct psst_rekey *rekey, struct psst_view r2)
{
    if (rekey->stage != PSST_REKEY_R1_SENT || r2.len != PSST_REKEY_LEN) return PSST_ERR_PROTOCOL;
    memcpy(rekey->theirs, r2.data, r2.len);
    rekey->stage = PSST_REKEY_R2_READ;
    return PSST_OK;
}

enum psst_err psst_rekey_read_r3(const struct psst_rekey *rekey, struct psst_view r3)
{
    return rekey->stage == PSST_REKEY_R2_SENT && r3.len == 0 ? PSST_OK : PSST_ERR_PROTOCOL;
}

const uint8_t *psst_rekey_x(const struct psst_rekey *rekey)
{
    return rekey->theirs + sizeof(struct psst_x25519_public);
}

struct secrets {
    const struct psst_kem_secret *za, *zb;
    const uint8_t *r1, *r2;
    struct psst_x25519_secret dh;
    struct psst_chain_key rk;
};

/* All keys of a session, from RK' and hash' as in the handshake from ck2 and h7. */
static enum psst_err mix(struct psst_session_keys *next, struct secrets *s, const struct psst_rekey_base *base)
{
    struct psst_hash hash;
    struct psst_view heard[] = {psst_view(base->hash->b, sizeof base->hash->b), psst_view(s->r1, PSST_REKEY_LEN),
                                psst_view(s->r2, PSST_REKEY_LEN)};
    enum psst_err err = psst_sha256(&hash, heard, 3);
    if (err != PSST_OK) return err;
    struct psst_view ikm[] = {psst_view(s->dh.b, sizeof s->dh.b), psst_view(s->za->b, sizeof s->za->b),
                              psst_view(s->zb->b, sizeof s->zb->b), psst_view(base->psk->b, sizeof base->psk->b),
                              psst_view(hash.b, sizeof hash.b)};
    err = psst_hkdf_extract(s->rk.b, psst_view(base->rk->b, sizeof base->rk->b), ikm, 5);
    return err == PSST_OK ? psst_session_keys_derive(next, &s->rk, &hash) : err;
}

enum psst_err psst_rekey_derive(struct psst_rekey *rekey, const struct psst_rekey_base *base,
                                const struct psst_kem_secret *theirs)
{
    bool caller = rekey->stage == PSST_REKEY_R2_READ;
    if (!caller && rekey->stage != PSST_REKEY_R1_READ) return PSST_ERR_PROTOCOL;
    if (theirs == NULL) return PSST_ERR_AUTH;
    struct secrets s = {
        .za = caller ? &rekey->own.z : theirs,
        .zb = caller ? theirs : &rekey->own.z,
        .r1 = caller ? rekey->own.message : rekey->theirs,
        .r2 = caller ? rekey->theirs : rekey->own.message,
    };
    struct psst_x25519_public pub;
    memcpy(pub.b, rekey->theirs, sizeof pub.b);
    enum psst_err err = psst_x25519(&s.dh, &rekey->own.scalar, &pub);
    if (err == PSST_OK) err = mix(&rekey->next, &s, base);
    PSST_WIPE(s);
    PSST_WIPE(rekey->own.scalar);
    PSST_WIPE(rekey->own.z);
    if (err == PSST_OK && !caller) rekey->stage = PSST_REKEY_R2_SENT;
    return err;
}

void psst_rekey_free(struct psst_rekey *rekey)
{
    if (rekey == NULL) return;
    psst_wipe(rekey, sizeof *rekey);
    free(rekey);
}
