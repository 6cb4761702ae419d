#include "proto/record.h"

void psst_record_init(struct psst_record_state *state, const struct psst_aead_key *key)
{
    state->key = *key;
    state->counter = 0;
}

size_t psst_record_padded_len(size_t chunk_len)
{
    if (chunk_len <= 256) return 256;
    /* Padmé: the longer, the fewer bits of the length may show */
    unsigned e = 0, s = 1;
    while (chunk_len >> (e + 1) != 0) e++;
    while (e >> s != 0) s++;
    size_t mask = ((size_t)1 << (e - s)) - 1;
    size_t padded = (chunk_len + mask) & ~mask;
    return padded < PSST_RECORD_BODY_MAX ? padded : PSST_RECORD_BODY_MAX;
}

/* One record is done. After a thousand the key is replaced by its own hash: who takes the new one cannot go back. */
static enum psst_err move_on(struct psst_record_state *state)
{
    if (++state->counter < PSST_RECORD_RATCHET) return PSST_OK;
    struct psst_aead_key next;
    struct psst_view info = psst_view_str(PSST_LBL("ratchet"));
    enum psst_err err = psst_hkdf_expand(next.b, state->key.b, &info, 1);
    if (err == PSST_OK) psst_record_init(state, &next);
    PSST_WIPE(next);
    return err;
}

/* A state whose ratchet failed stands at the limit and does nothing more. */
static bool usable(const struct psst_record_state *state)
{
    return state->counter < PSST_RECORD_RATCHET;
}

static uint64_t nonce_of_head(const struct psst_record_state *state)
{
    return 2 * (uint64_t)state->counter;
}

static uint64_t nonce_of_body(const struct psst_record_state *state)
{
    return 2 * (uint64_t)state->counter + 1;
}

enum psst_err psst_record_seal(struct psst_record_state *state, uint8_t *record, size_t body_len)
{
    if (body_len < PSST_RECORD_BODY_MIN || body_len > PSST_RECORD_BODY_MAX || !usable(state)) return PSST_ERR_USAGE;
    uint8_t len[2], *body = record + PSST_RECORD_HEAD_LEN;
    psst_store_u16(len, (uint16_t)body_len);
    struct psst_view none = psst_view(NULL, 0);
    enum psst_err err = psst_aead_seal(record, &state->key, nonce_of_head(state), none, psst_view(len, sizeof len));
    if (err != PSST_OK) return err;
    err = psst_aead_seal(body, &state->key, nonce_of_body(state), none, psst_view(body, body_len));
    if (err != PSST_OK) return err;
    return move_on(state);
}

enum psst_err psst_record_open_head(const struct psst_record_state *state, const uint8_t head[PSST_RECORD_HEAD_LEN],
                                    size_t *body_len)
{
    if (!usable(state)) return PSST_ERR_USAGE;
    uint8_t plain[2];
    enum psst_err err = psst_aead_open(plain, &state->key, nonce_of_head(state), psst_view(NULL, 0),
                                       psst_view(head, PSST_RECORD_HEAD_LEN));
    if (err != PSST_OK) return err;
    size_t len = psst_load_u16(plain);
    if (len < PSST_RECORD_BODY_MIN || len > PSST_RECORD_BODY_MAX) return PSST_ERR_AUTH;
    *body_len = len;
    return PSST_OK;
}

enum psst_err psst_record_open_body(struct psst_record_state *state, uint8_t *body, size_t body_len)
{
    if (!usable(state)) return PSST_ERR_USAGE;
    enum psst_err err = psst_aead_open(body, &state->key, nonce_of_body(state), psst_view(NULL, 0),
                                       psst_view(body, body_len + PSST_TAG_LEN));
    if (err != PSST_OK) return err;
    return move_on(state);
}
