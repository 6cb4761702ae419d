/* Records: byte for byte those of the vectors, the ratchet, the padding, and everything that must not open. */
#include "proto/record.h"

#include "proto/chunk.h"
#include "support/check.h"
#include "support/vectors.h"

static json_t *root;

static int load(void **state)
{
    (void)state;
    if (psst_crypto_init(0) != PSST_OK) return 1;
    root = vectors_load("records.json");
    return 0;
}

static int unload(void **state)
{
    (void)state;
    json_decref(root);
    return 0;
}

static struct psst_record_state state_of(const json_t *v)
{
    struct psst_aead_key key;
    struct psst_record_state s;
    vectors_hex_exact(v, "key", key.b, sizeof key.b);
    psst_record_init(&s, &key);
    s.counter = (uint32_t)vectors_u64(v, "counter");
    return s;
}

/* The body of a record: one chunk, then zeros. */
static void put_body(uint8_t *body, size_t body_len, uint8_t id, struct psst_view data)
{
    struct psst_buf chunk;
    psst_buf_init(&chunk, PSST_RECORD_BODY_MAX);
    psst_chunk_write(&chunk, id, data);
    assert_false(chunk.failed);
    assert_true(chunk.len <= body_len);
    memset(body, 0, body_len);
    memcpy(body, chunk.data, chunk.len);
    psst_buf_fini(&chunk);
}

static void seal__matches__vectors(void **state)
{
    (void)state;
    static uint8_t record[PSST_RECORD_MAX];
    size_t i;
    json_t *v;
    json_array_foreach(vectors_array(root, "records"), i, v)
    {
        struct psst_record_state s = state_of(v);
        struct psst_view data = vectors_hex(v, "chunk_data"), want = vectors_hex(v, "record");
        size_t body_len = psst_record_padded_len(PSST_CHUNK_HEAD_LEN + data.len);
        assert_int_equal(body_len, vectors_u64(v, "body_length"));
        assert_int_equal(want.len, PSST_RECORD_HEAD_LEN + body_len + PSST_TAG_LEN);
        put_body(record + PSST_RECORD_HEAD_LEN, body_len, (uint8_t)vectors_u64(v, "chunk_id"), data);
        assert_int_equal(psst_record_seal(&s, record, body_len), PSST_OK);
        assert_memory_equal(record, want.data, want.len);
    }
    assert_int_equal(i, 12);
}

static void open__gives__the_chunks_of_the_vectors(void **state)
{
    (void)state;
    static uint8_t record[PSST_RECORD_MAX];
    size_t i;
    json_t *v;
    json_array_foreach(vectors_array(root, "records"), i, v)
    {
        struct psst_record_state s = state_of(v);
        struct psst_view wire = vectors_hex(v, "record");
        size_t body_len = 0;
        memcpy(record, wire.data, wire.len);
        assert_int_equal(psst_record_open_head(&s, record, &body_len), PSST_OK);
        assert_int_equal(body_len, vectors_u64(v, "body_length"));
        uint8_t *body = record + PSST_RECORD_HEAD_LEN;
        assert_int_equal(psst_record_open_body(&s, body, body_len), PSST_OK);
        struct psst_chunk chunk;
        assert_int_equal(psst_chunk_read(&chunk, psst_view(body, body_len)), PSST_OK);
        assert_int_equal(chunk.id, vectors_u64(v, "chunk_id"));
        assert_true(psst_view_equal(chunk.data, vectors_hex(v, "chunk_data")));
    }
}

/* From record 0 on, all of them: the vectors list those around the first turn of the ratchet. */
static void stream__reaches__the_listed_records(void **state)
{
    (void)state;
    const char *directions[] = {"caller to callee", "callee to caller"};
    for (size_t d = 0; d < 2; d++) {
        size_t i, matched = 0;
        json_t *v;
        struct psst_record_state s = {0};
        for (uint64_t n = 0; n <= 1001; n++) {
            uint8_t record[PSST_RECORD_HEAD_LEN + 256 + PSST_TAG_LEN] = {0};
            const json_t *listed = NULL;
            json_array_foreach(vectors_array(root, "records"), i, v)
            {
                if (vectors_u64(v, "index") == n && strcmp(vectors_str(v, "direction"), directions[d]) == 0) listed = v;
            }
            if (n == 0) s = state_of(listed);
            if (listed != NULL)
                put_body(record + PSST_RECORD_HEAD_LEN, 256, 't', vectors_hex(listed, "chunk_data"));
            else
                put_body(record + PSST_RECORD_HEAD_LEN, 256, 'p', psst_view("whatever", 8));
            assert_int_equal(psst_record_seal(&s, record, 256), PSST_OK);
            if (listed == NULL) continue;
            assert_memory_equal(record, vectors_hex(listed, "record").data, sizeof record);
            matched++;
        }
        assert_int_equal(matched, 6);
    }
}

static void ratchet__turns__after_each_thousand(void **state)
{
    (void)state;
    size_t i;
    json_t *v;
    json_array_foreach(vectors_array(root, "ratchet"), i, v)
    {
        struct psst_aead_key key, want;
        struct psst_record_state out, in;
        vectors_hex_exact(v, "K", key.b, sizeof key.b);
        psst_record_init(&out, &key);
        psst_record_init(&in, &key);
        for (int n = 1; n <= 2000; n++) {
            uint8_t record[PSST_RECORD_HEAD_LEN + 4 + PSST_TAG_LEN] = {0};
            size_t body_len = 0;
            assert_int_equal(psst_record_seal(&out, record, 4), PSST_OK);
            assert_int_equal(psst_record_open_head(&in, record, &body_len), PSST_OK);
            assert_int_equal(psst_record_open_body(&in, record + PSST_RECORD_HEAD_LEN, body_len), PSST_OK);
            assert_int_equal(out.counter, n % 1000);
            assert_int_equal(in.counter, n % 1000);
            if (n % 1000 != 0) continue;
            vectors_hex_exact(v, n == 1000 ? "K_after_1000" : "K_after_2000", want.b, sizeof want.b);
            assert_memory_equal(out.key.b, want.b, sizeof want.b);
            assert_memory_equal(in.key.b, want.b, sizeof want.b);
        }
    }
    assert_int_equal(i, 2);
}

static void padded_len__matches__vectors(void **state)
{
    (void)state;
    size_t i;
    json_t *v;
    json_array_foreach(vectors_array(root, "padded_length"), i, v)
    {
        size_t chunk_len = (size_t)json_integer_value(json_array_get(v, 0));
        assert_int_equal(psst_record_padded_len(chunk_len), json_integer_value(json_array_get(v, 1)));
    }
    assert_int_equal(i, 22);
}

static void padded_len__never_shrinks__and_stays_in_range(void **state)
{
    (void)state;
    size_t before = 0;
    for (size_t len = PSST_RECORD_BODY_MIN; len <= PSST_RECORD_BODY_MAX; len++) {
        size_t padded = psst_record_padded_len(len);
        assert_true(padded >= len && padded >= before && padded <= PSST_RECORD_BODY_MAX);
        assert_true(len <= 256 || padded - len <= len / 8); /* Padmé adds an eighth at most */
        before = padded;
    }
}

/* Everything that must not be taken: by the head, by the body, or by the chunk inside. */
static enum psst_err try_record(const json_t *v)
{
    static uint8_t record[PSST_RECORD_MAX];
    struct psst_record_state s = state_of(v);
    struct psst_view wire = vectors_hex(v, "record");
    memcpy(record, wire.data, wire.len);
    size_t body_len = 0;
    enum psst_err err = psst_record_open_head(&s, record, &body_len);
    if (err != PSST_OK) return err;
    if (wire.len != PSST_RECORD_HEAD_LEN + body_len + PSST_TAG_LEN) return PSST_ERR_MALFORMED;
    err = psst_record_open_body(&s, record + PSST_RECORD_HEAD_LEN, body_len);
    if (err != PSST_OK) return err;
    struct psst_chunk chunk;
    return psst_chunk_read(&chunk, psst_view(record + PSST_RECORD_HEAD_LEN, body_len));
}

static void refused__are__refused(void **state)
{
    (void)state;
    size_t i;
    json_t *v;
    json_array_foreach(vectors_array(root, "refused"), i, v)
    {
        enum psst_err err = try_record(v);
        if (err != PSST_ERR_AUTH && err != PSST_ERR_MALFORMED && err != PSST_ERR_PROTOCOL)
            fail_msg("%s: %s", vectors_str(v, "why"), psst_err_name(err));
    }
    assert_int_equal(i, 16);
}

static void length_out_of_range__refused__on_the_head_alone(void **state)
{
    (void)state;
    struct psst_aead_key key = {{7}};
    const unsigned lens[] = {0, 1, 3, 65503, 65535};
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        uint8_t plain[2], head[PSST_RECORD_HEAD_LEN];
        struct psst_record_state s;
        size_t body_len = 99;
        psst_record_init(&s, &key);
        psst_store_u16(plain, (uint16_t)lens[i]);
        assert_int_equal(psst_aead_seal(head, &key, 0, psst_view(NULL, 0), psst_view(plain, 2)), PSST_OK);
        assert_int_equal(psst_record_open_head(&s, head, &body_len), PSST_ERR_AUTH);
        assert_int_equal(body_len, 99);
    }
}

static void open__moves_on__only_when_the_body_opened(void **state)
{
    (void)state;
    struct psst_aead_key key = {{7}};
    struct psst_record_state out, in;
    uint8_t record[PSST_RECORD_HEAD_LEN + 256 + PSST_TAG_LEN] = {0}, copy[sizeof record];
    size_t body_len = 0;
    psst_record_init(&out, &key);
    psst_record_init(&in, &key);
    assert_int_equal(psst_record_seal(&out, record, 256), PSST_OK);
    assert_int_equal(psst_record_open_head(&in, record, &body_len), PSST_OK);
    memcpy(copy, record, sizeof copy);
    copy[sizeof copy - 1] ^= 1;
    assert_int_equal(psst_record_open_body(&in, copy + PSST_RECORD_HEAD_LEN, 256), PSST_ERR_AUTH);
    assert_int_equal(in.counter, 0);
    assert_int_equal(psst_record_open_body(&in, record + PSST_RECORD_HEAD_LEN, 256), PSST_OK);
    assert_int_equal(in.counter, 1);
}

static void seal__refuses__lengths_out_of_range(void **state)
{
    (void)state;
    static uint8_t record[PSST_RECORD_MAX + 2];
    struct psst_aead_key key = {{7}};
    struct psst_record_state s;
    psst_record_init(&s, &key);
    assert_int_equal(psst_record_seal(&s, record, 3), PSST_ERR_USAGE);
    assert_int_equal(psst_record_seal(&s, record, PSST_RECORD_BODY_MAX + 1), PSST_ERR_USAGE);
    assert_int_equal(s.counter, 0);
    assert_int_equal(psst_record_seal(&s, record, PSST_RECORD_BODY_MAX), PSST_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seal__matches__vectors),
        cmocka_unit_test(open__gives__the_chunks_of_the_vectors),
        cmocka_unit_test(stream__reaches__the_listed_records),
        cmocka_unit_test(ratchet__turns__after_each_thousand),
        cmocka_unit_test(padded_len__matches__vectors),
        cmocka_unit_test(padded_len__never_shrinks__and_stays_in_range),
        cmocka_unit_test(refused__are__refused),
        cmocka_unit_test(length_out_of_range__refused__on_the_head_alone),
        cmocka_unit_test(open__moves_on__only_when_the_body_opened),
        cmocka_unit_test(seal__refuses__lengths_out_of_range),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
