/* Records: the fuzzer's bytes as a stream, whole, cut and with something flipped; and the fuzzer's bytes as bodies.
 *
 * input: u8 how || u16 how many records were before || bytes
 *   how 0: the bytes are what came from the wire: nothing in them may open
 *   how 1: the bytes are a body, sealed and opened again; then one bit of the record is flipped (its place from the front)
 *   how 2: lengths: the padding of every chunk length
 */
#include "fuzz.h"

#include "proto/record.h"

static const struct psst_aead_key key = {{1, 2, 3, 4, 5, 6, 7, 8}};

/* The state after so many records, without sealing them. */
static struct psst_record_state state_at(uint16_t counter)
{
    struct psst_record_state s;
    psst_record_init(&s, &key);
    s.counter = counter % PSST_RECORD_RATCHET;
    return s;
}

static void from_the_wire(struct psst_record_state s, struct psst_view v)
{
    size_t body_len = 0;
    struct psst_record_state before = s;
    uint8_t head[PSST_RECORD_HEAD_LEN];
    fuzz_take(&v, head, sizeof head);
    FUZZ_CHECK(psst_record_open_head(&s, head, &body_len) == PSST_ERR_AUTH && body_len == 0);
    size_t len = v.len + PSST_RECORD_BODY_MIN + PSST_TAG_LEN;
    uint8_t *body = calloc(1, len);
    FUZZ_CHECK(body != NULL);
    if (v.len > 0) memcpy(body, v.data, v.len);
    FUZZ_CHECK(psst_record_open_body(&s, body, len - PSST_TAG_LEN) == PSST_ERR_AUTH);
    FUZZ_CHECK(memcmp(&s, &before, sizeof s) == 0);
    free(body);
}

static void check_moved(const struct psst_record_state *now, uint32_t before)
{
    FUZZ_CHECK(now->counter == (before + 1) % PSST_RECORD_RATCHET);
    FUZZ_CHECK((memcmp(&now->key, &key, sizeof key) != 0) == (before + 1 == PSST_RECORD_RATCHET));
}

static void there_and_back(struct psst_record_state s, struct psst_view v)
{
    uint16_t flip_byte = fuzz_take_u16(&v);
    uint8_t flip_bit = fuzz_take_u8(&v) % 8;
    if (v.len < PSST_RECORD_BODY_MIN || v.len > PSST_RECORD_BODY_MAX) return;
    size_t len = PSST_RECORD_HEAD_LEN + v.len + PSST_TAG_LEN, body_len = 0;
    struct psst_record_state out = s, in = s, other = s;
    uint8_t *record = malloc(len), *copy = malloc(len);
    FUZZ_CHECK(record != NULL && copy != NULL);
    memcpy(record + PSST_RECORD_HEAD_LEN, v.data, v.len);
    FUZZ_CHECK(psst_record_seal(&out, record, v.len) == PSST_OK);
    check_moved(&out, s.counter);

    memcpy(copy, record, len);
    copy[flip_byte % len] ^= (uint8_t)(1u << flip_bit);
    enum psst_err head = psst_record_open_head(&other, copy, &body_len);
    FUZZ_CHECK(head == (flip_byte % len < PSST_RECORD_HEAD_LEN ? PSST_ERR_AUTH : PSST_OK));
    if (head == PSST_OK)
        FUZZ_CHECK(psst_record_open_body(&other, copy + PSST_RECORD_HEAD_LEN, body_len) == PSST_ERR_AUTH);

    FUZZ_CHECK(psst_record_open_head(&in, record, &body_len) == PSST_OK && body_len == v.len);
    FUZZ_CHECK(psst_record_open_body(&in, record + PSST_RECORD_HEAD_LEN, body_len) == PSST_OK);
    FUZZ_CHECK(memcmp(record + PSST_RECORD_HEAD_LEN, v.data, v.len) == 0);
    FUZZ_CHECK(memcmp(&in, &out, sizeof in) == 0);
    free(record);
    free(copy);
}

static void lengths(struct psst_view v)
{
    while (v.len > 0) {
        size_t len = fuzz_take_u16(&v), padded;
        if (len < PSST_CHUNK_HEAD_LEN || len > PSST_RECORD_BODY_MAX) continue;
        padded = psst_record_padded_len(len);
        FUZZ_CHECK(padded >= len && padded >= 256 && padded <= PSST_RECORD_BODY_MAX);
        FUZZ_CHECK(padded <= 256 || (padded - len) * 8 <= padded); /* Padmé costs at most 12 percent */
        FUZZ_CHECK(psst_record_padded_len(padded) == padded);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_init();
    struct psst_view input = psst_view(data, size);
    uint8_t how = fuzz_take_u8(&input) % 3;
    struct psst_record_state s = state_at(fuzz_take_u16(&input));
    if (how == 0) from_the_wire(s, input);
    if (how == 1) there_and_back(s, input);
    if (how == 2) lengths(input);
    return 0;
}
