/* Chunks: those of the vectors both ways, each kind written and read back, and each way of being malformed. */
#include "proto/chunk.h"

#include "support/check.h"
#include "support/vectors.h"

#include <stdlib.h>

static json_t *root;

static int load(void **state)
{
    (void)state;
    root = vectors_load("chunks.json");
    return 0;
}

static int unload(void **state)
{
    (void)state;
    json_decref(root);
    return 0;
}

static struct psst_buf new_buf(void)
{
    struct psst_buf buf;
    psst_buf_init(&buf, PSST_RECORD_BODY_MAX);
    return buf;
}

/* The data of the one chunk in buf, which must be of this kind. */
static struct psst_view data_of(const struct psst_buf *buf, uint8_t id)
{
    struct psst_chunk chunk;
    assert_false(buf->failed);
    assert_int_equal(psst_chunk_read(&chunk, psst_buf_view(buf)), PSST_OK);
    assert_int_equal(chunk.id, id);
    return chunk.data;
}

static void chunk__matches__vectors(void **state)
{
    (void)state;
    size_t i;
    json_t *v;
    json_array_foreach(vectors_array(root, "chunks"), i, v)
    {
        struct psst_buf buf = new_buf();
        psst_chunk_write(&buf, (uint8_t)vectors_u64(v, "id"), vectors_hex(v, "data"));
        assert_true(psst_view_equal(psst_buf_view(&buf), vectors_hex(v, "chunk")));
        struct psst_view data = data_of(&buf, (uint8_t)vectors_u64(v, "id"));
        assert_true(psst_view_equal(data, vectors_hex(v, "data")));
        psst_buf_fini(&buf);
    }
    assert_int_equal(i, 7);
}

static void text__matches__vectors(void **state)
{
    (void)state;
    const json_t *v = vectors_get(root, "text");
    struct psst_text text, got;
    struct psst_buf buf = new_buf();
    bool has_id = false;
    vectors_hex_exact(v, "message_id", text.id.b, sizeof text.id.b);
    text.time_ms = vectors_u64(v, "time_ms");
    text.utf8 = vectors_hex(v, "utf8");
    psst_text_write(&buf, &text);
    struct psst_view data = data_of(&buf, PSST_CHUNK_TEXT);
    assert_true(psst_view_equal(data, vectors_hex(v, "data")));
    assert_int_equal(psst_text_read(&got, data, &has_id), PSST_OK);
    assert_true(has_id);
    assert_memory_equal(got.id.b, text.id.b, sizeof text.id.b);
    assert_int_equal(got.time_ms, text.time_ms);
    assert_true(psst_view_equal(got.utf8, text.utf8));
    psst_buf_fini(&buf);
}

/* What a session does with the data of a chunk of this kind. */
static enum psst_err read_any(uint8_t id, struct psst_view data, bool *has_id)
{
    struct psst_text text;
    struct psst_view ids;
    struct psst_msg_id msg;
    uint8_t payload[8], reason;
    *has_id = false;
    switch (id) {
    case PSST_CHUNK_TEXT: return psst_text_read(&text, data, has_id);
    case PSST_CHUNK_ACK: return psst_ack_read(&ids, data);
    case PSST_CHUNK_NOT_ACCEPTED: return psst_not_accepted_read(&msg, &reason, data);
    case PSST_CHUNK_PING:
    case PSST_CHUNK_PONG: return psst_ping_read(payload, data);
    case PSST_CHUNK_BYE: return psst_bye_read(&reason, data);
    default: fail_msg("no reader for %u", id); return PSST_OK;
    }
}

static void refused__are__malformed(void **state)
{
    (void)state;
    size_t i;
    json_t *v;
    json_array_foreach(vectors_array(root, "refused"), i, v)
    {
        bool has_id = false;
        uint8_t id = (uint8_t)vectors_u64(v, "id");
        enum psst_err err = read_any(id, vectors_hex(v, "data"), &has_id);
        if (err != PSST_ERR_MALFORMED) fail_msg("%s: %s", vectors_str(v, "why"), psst_err_name(err));
        assert_int_equal(has_id, id == PSST_CHUNK_TEXT); /* those of the vectors all have one */
    }
    assert_int_equal(i, 14);
}

static void text__longest__fits_a_record(void **state)
{
    (void)state;
    char *utf8 = malloc(PSST_TEXT_MAX + 1);
    assert_non_null(utf8);
    memset(utf8, 'x', PSST_TEXT_MAX + 1);
    struct psst_text text = {.id = {{1}}, .time_ms = 2, .utf8 = psst_view(utf8, PSST_TEXT_MAX)}, got;
    struct psst_buf buf = new_buf();
    bool has_id = false;
    psst_text_write(&buf, &text);
    assert_int_equal(buf.len, PSST_RECORD_BODY_MAX);
    assert_int_equal(psst_text_read(&got, data_of(&buf, PSST_CHUNK_TEXT), &has_id), PSST_OK);
    psst_buf_fini(&buf);

    text.utf8.len++;
    psst_text_write(&buf, &text);
    assert_true(buf.failed);
    psst_buf_fini(&buf);
    free(utf8);
}

static void text__without_an_id__says_so(void **state)
{
    (void)state;
    struct psst_text text;
    bool has_id = true;
    assert_int_equal(psst_text_read(&text, psst_view("fifteen bytes..", 15), &has_id), PSST_ERR_MALFORMED);
    assert_false(has_id);
    assert_int_equal(psst_text_read(&text, psst_view("sixteen bytes...", 16), &has_id), PSST_ERR_MALFORMED);
    assert_true(has_id);
    assert_memory_equal(text.id.b, "sixteen bytes...", 16);
}

static void body__takes_apart__one_chunk_and_zeros(void **state)
{
    (void)state;
    const struct {
        const char *body;
        size_t len;
        enum psst_err want;
    } cases[] = {
        {"p\0\0\10ABCDEFGH", 12, PSST_OK},
        {"p\0\0\10ABCDEFGH\0\0\0", 15, PSST_OK},
        {"r\0\0\0", 4, PSST_OK},
        {"p\0\0\10ABCDEFGH\0\1", 14, PSST_ERR_MALFORMED},
        {"p\0\0\10ABCDEFG", 11, PSST_ERR_MALFORMED},
        {"p\0\0\11ABCDEFGH", 12, PSST_ERR_MALFORMED},
        {"p\377\377\377ABCDEFGH", 12, PSST_ERR_MALFORMED},
        {"p\0\0", 3, PSST_ERR_MALFORMED},
        {"p", 1, PSST_ERR_MALFORMED},
        {"", 0, PSST_ERR_MALFORMED},
        {"\0\0\0\0", 4, PSST_ERR_PROTOCOL},
        {"s\0\0\0", 4, PSST_ERR_PROTOCOL},
        {"\177\0\0\0", 4, PSST_ERR_PROTOCOL},
        {"\200\0\0\0", 4, PSST_OK}, /* optional, whatever it is */
        {"\363\0\0\0", 4, PSST_OK},
        {"\377\0\0\1z\0", 6, PSST_OK},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct psst_chunk chunk;
        enum psst_err err = psst_chunk_read(&chunk, psst_view(cases[i].body, cases[i].len));
        if (err != cases[i].want) fail_msg("case %zu: %s", i, psst_err_name(err));
        if (err == PSST_OK) assert_int_equal(chunk.id, (uint8_t)cases[i].body[0]);
    }
}

static void ack__holds__up_to_a_full_chunk(void **state)
{
    (void)state;
    static struct psst_msg_id ids[PSST_CHUNK_DATA_MAX / 16 + 1];
    size_t most = PSST_CHUNK_DATA_MAX / 16;
    for (size_t i = 0; i < most; i++) psst_store_u64(ids[i].b, i);
    struct psst_buf buf = new_buf();
    struct psst_view got;
    psst_ack_write(&buf, ids, most);
    assert_int_equal(psst_ack_read(&got, data_of(&buf, PSST_CHUNK_ACK)), PSST_OK);
    assert_int_equal(got.len, 16 * most);
    assert_memory_equal(got.data, ids, 16 * most);
    psst_buf_fini(&buf);
    psst_ack_write(&buf, ids, most + 1);
    assert_true(buf.failed);
    psst_buf_fini(&buf);
    psst_ack_write(&buf, ids, 0);
    assert_true(buf.failed);
    psst_buf_fini(&buf);
}

static void receipt__holds__one_to_64_ids(void **state)
{
    (void)state;
    struct psst_msg_id ids[PSST_RECEIPT_IDS_MAX + 1] = {{{0}}};
    struct psst_buf buf = new_buf();
    struct psst_view got;
    for (size_t i = 0; i <= PSST_RECEIPT_IDS_MAX; i++) psst_store_u64(ids[i].b, i);
    for (size_t n = 1; n <= PSST_RECEIPT_IDS_MAX; n += PSST_RECEIPT_IDS_MAX - 1) {
        psst_receipt_write(&buf, ids, n);
        assert_int_equal(psst_receipt_read(&got, data_of(&buf, PSST_CHUNK_READ)), PSST_OK);
        assert_int_equal(got.len, 16 * n);
        assert_memory_equal(got.data, ids, 16 * n);
        psst_buf_fini(&buf);
    }
    const size_t bad[] = {0, 1, 15, 17, 16 * PSST_RECEIPT_IDS_MAX - 1, sizeof ids};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(psst_receipt_read(&got, psst_view((const uint8_t *)ids, bad[i])), PSST_ERR_MALFORMED);
    psst_receipt_write(&buf, ids, 0);
    assert_true(buf.failed);
    psst_buf_fini(&buf);
    psst_receipt_write(&buf, ids, PSST_RECEIPT_IDS_MAX + 1);
    assert_true(buf.failed);
    psst_buf_fini(&buf);
}

static void presence__comes_back__as_written(void **state)
{
    (void)state;
    char longest[PSST_PRESENCE_MAX + 1];
    memset(longest, 'x', sizeof longest);
    const struct psst_presence_chunk cases[] = {
        {1, psst_view(NULL, 0)}, {2, psst_view_str("back at three")}, {3, psst_view(longest, PSST_PRESENCE_MAX)}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct psst_buf buf = new_buf();
        struct psst_presence_chunk got;
        psst_presence_write(&buf, &cases[i]);
        assert_int_equal(psst_presence_read(&got, data_of(&buf, PSST_CHUNK_PRESENCE)), PSST_OK);
        assert_int_equal(got.state, cases[i].state);
        assert_true(psst_view_equal(got.utf8, cases[i].utf8));
        psst_buf_fini(&buf);
    }
}

static void presence__unknown_state__is_there(void **state)
{
    (void)state;
    const uint8_t states[] = {0, 4, 0xff};
    for (size_t i = 0; i < sizeof states; i++) {
        struct psst_presence_chunk got = {0};
        assert_int_equal(psst_presence_read(&got, psst_view(&states[i], 1)), PSST_OK);
        assert_int_equal(got.state, 1);
    }
}

static void presence__malformed__is_refused(void **state)
{
    (void)state;
    char long_one[1 + PSST_PRESENCE_MAX + 1];
    memset(long_one, 1, sizeof long_one);
    const struct psst_view cases[] = {psst_view(NULL, 0), psst_view(long_one, sizeof long_one), psst_view("\2\xff", 2),
                                      psst_view("\2a\0b", 4)};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct psst_presence_chunk got = {.state = 77};
        assert_int_equal(psst_presence_read(&got, cases[i]), PSST_ERR_MALFORMED);
        assert_int_equal(got.state, 77);
    }
}

static void meet__comes_back__as_written(void **state)
{
    (void)state;
    struct psst_buf buf = new_buf();
    const struct psst_meet_chunk meet = {.id = {{1, 2, 3}}, .time_ms = UINT64_C(1795550400123)};
    struct psst_meet_chunk got;
    psst_meet_write(&buf, &meet);
    struct psst_view data = data_of(&buf, PSST_CHUNK_MEET);
    assert_int_equal(data.len, 24);
    assert_int_equal(psst_meet_read(&got, data), PSST_OK);
    assert_memory_equal(got.id.b, meet.id.b, sizeof meet.id.b);
    assert_int_equal(got.time_ms, meet.time_ms);
    assert_int_equal(psst_meet_read(&got, psst_view(data.data, 23)), PSST_ERR_MALFORMED);
    assert_int_equal(psst_meet_read(&got, psst_view(buf.data, buf.len)), PSST_ERR_MALFORMED);
    psst_buf_fini(&buf);
}

static void not_accepted_and_bye__come_back__as_written(void **state)
{
    (void)state;
    struct psst_msg_id id = {{9, 8, 7}}, got;
    struct psst_buf buf = new_buf();
    uint8_t reason = 0, payload[8];
    psst_not_accepted_write(&buf, &id, PSST_NOT_ACCEPTED_PAUSED);
    struct psst_view data = data_of(&buf, PSST_CHUNK_NOT_ACCEPTED);
    assert_int_equal(psst_not_accepted_read(&got, &reason, data), PSST_OK);
    assert_memory_equal(got.b, id.b, sizeof id.b);
    assert_int_equal(reason, PSST_NOT_ACCEPTED_PAUSED);
    assert_int_equal(psst_not_accepted_read(&got, &reason, psst_view(data.data, 16)), PSST_ERR_MALFORMED);
    psst_buf_fini(&buf);

    psst_bye_write(&buf, PSST_BYE_LOCKED);
    assert_int_equal(psst_bye_read(&reason, data_of(&buf, PSST_CHUNK_BYE)), PSST_OK);
    assert_int_equal(reason, PSST_BYE_LOCKED);
    assert_int_equal(psst_bye_read(&reason, psst_view("\1\1", 2)), PSST_ERR_MALFORMED);
    psst_buf_fini(&buf);

    psst_ping_write(&buf, PSST_CHUNK_PONG, (const uint8_t *)"12345678");
    assert_int_equal(psst_ping_read(payload, data_of(&buf, PSST_CHUNK_PONG)), PSST_OK);
    assert_memory_equal(payload, "12345678", 8);
    psst_buf_fini(&buf);
}

static void assert_same_file(const struct psst_file_chunk *a, const struct psst_file_chunk *b)
{
    assert_int_equal(a->kind, b->kind);
    assert_memory_equal(a->id.b, b->id.b, sizeof a->id.b);
    assert_int_equal(a->form, b->form);
    assert_int_equal(a->reason, b->reason);
    assert_int_equal(a->size, b->size);
    assert_int_equal(a->offset, b->offset);
    assert_true(psst_view_equal(a->name, b->name));
    assert_true(psst_view_equal(a->data, b->data));
    assert_memory_equal(a->sha256.b, b->sha256.b, sizeof a->sha256.b);
}

static const struct psst_msg_id transfer = {{0xf1, 2, 3}};

static void file__each_kind__comes_back_as_written(void **state)
{
    (void)state;
    static uint8_t bulk[PSST_FILE_DATA_MAX] = {1, 2, 3};
    const struct psst_file_chunk chunks[] = {
        {.kind = PSST_FILE_OFFER, .size = 5, .name = psst_view("a", 1)},
        {.kind = PSST_FILE_OFFER,
         .form = PSST_FILE_FORM_FOLDER,
         .size = PSST_FILE_SIZE_MAX,
         .name = psst_view("\xc3\xa9", 2)},
        {.kind = PSST_FILE_OFFER,
         .form = PSST_FILE_FORM_STREAM,
         .size = PSST_FILE_SIZE_UNKNOWN,
         .name = psst_view("s", 1)},
        {.kind = PSST_FILE_OFFER,
         .size = 0,
         .name = psst_view("../../etc/passwd", 16)}, /* the name is not judged here */
        {.kind = PSST_FILE_ACCEPT, .offset = 1234567890123},
        {.kind = PSST_FILE_DECLINE, .reason = PSST_FILE_BY_USER},
        {.kind = PSST_FILE_DATA, .offset = 77, .data = psst_view("x", 1)},
        {.kind = PSST_FILE_DATA, .offset = 0, .data = psst_view(bulk, sizeof bulk)},
        {.kind = PSST_FILE_DONE, .size = 78, .sha256 = {{1, 2}}},
        {.kind = PSST_FILE_CANCEL, .reason = PSST_FILE_CHANGED},
        {.kind = PSST_FILE_PAUSE, .reason = PSST_FILE_PAUSE_ANSWER},
        {.kind = PSST_FILE_WINDOW, .offset = PSST_FILE_SIZE_MAX},
    };
    for (size_t i = 0; i < sizeof chunks / sizeof chunks[0]; i++) {
        struct psst_file_chunk want = chunks[i], got;
        struct psst_buf buf = new_buf();
        want.id = transfer;
        psst_file_write(&buf, &want);
        assert_int_equal(psst_file_read(&got, data_of(&buf, PSST_CHUNK_FILE)), PSST_OK);
        assert_same_file(&got, &want);
        psst_buf_fini(&buf);
    }
}

static void file__over_a_limit__costs_that_transfer_alone(void **state)
{
    (void)state;
    const struct psst_file_chunk chunks[] = {
        {.kind = PSST_FILE_OFFER, .size = 1, .name = psst_view("a\0b", 3)},
        {.kind = PSST_FILE_OFFER, .size = 1, .name = psst_view("\xff", 1)},
        {.kind = PSST_FILE_OFFER, .size = PSST_FILE_SIZE_MAX + 1, .name = psst_view("a", 1)},
        {.kind = PSST_FILE_OFFER, .size = PSST_FILE_SIZE_UNKNOWN, .name = psst_view("a", 1)}, /* a plain file knows */
        {.kind = PSST_FILE_ACCEPT, .offset = PSST_FILE_SIZE_MAX + 1},
        {.kind = PSST_FILE_WINDOW, .offset = UINT64_MAX},
        {.kind = PSST_FILE_DATA, .offset = UINT64_MAX, .data = psst_view("x", 1)},
        {.kind = PSST_FILE_DATA, .offset = PSST_FILE_SIZE_MAX, .data = psst_view("x", 1)},
        {.kind = PSST_FILE_DONE, .size = UINT64_MAX},
    };
    for (size_t i = 0; i < sizeof chunks / sizeof chunks[0]; i++) {
        struct psst_file_chunk want = chunks[i], got = {0};
        struct psst_buf buf = new_buf();
        want.id = transfer;
        psst_file_write(&buf, &want);
        enum psst_err err = psst_file_read(&got, data_of(&buf, PSST_CHUNK_FILE));
        if (err != PSST_ERR_TOO_LONG) fail_msg("case %zu: %s", i, psst_err_name(err));
        assert_memory_equal(got.id.b, transfer.b, sizeof transfer.b);
        assert_int_equal(got.kind, want.kind);
        psst_buf_fini(&buf);
    }
}

static void file__malformed__refused(void **state)
{
    (void)state;
    uint8_t data[300] = {0};
    const struct {
        uint8_t kind;
        size_t len;
    } cases[] = {
        {PSST_FILE_OFFER, 26},
        {PSST_FILE_OFFER, 26 + 256},
        {PSST_FILE_ACCEPT, 24},
        {PSST_FILE_ACCEPT, 26},
        {PSST_FILE_DECLINE, 17},
        {PSST_FILE_DECLINE, 19},
        {PSST_FILE_DATA, 25},
        {PSST_FILE_DATA, 20},
        {PSST_FILE_DONE, 56},
        {PSST_FILE_DONE, 58},
        {PSST_FILE_CANCEL, 17},
        {PSST_FILE_PAUSE, 17},
        {PSST_FILE_PAUSE, 19},
        {PSST_FILE_WINDOW, 24},
        {PSST_FILE_WINDOW, 26},
        {0, 25},
        {9, 25},
        {PSST_FILE_ACCEPT, 1},
        {PSST_FILE_ACCEPT, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct psst_file_chunk got;
        memset(data, 'a', sizeof data);
        data[0] = cases[i].kind;
        data[17] = PSST_FILE_FORM_STREAM;
        enum psst_err err = psst_file_read(&got, psst_view(data, cases[i].len));
        if (err != PSST_ERR_MALFORMED) fail_msg("case %zu: %s", i, psst_err_name(err));
    }
    struct psst_file_chunk got;
    memset(data, 'a', sizeof data);
    memset(data + 18, 0, 8);
    data[0] = PSST_FILE_OFFER;
    data[17] = 200; /* a form of a later edition: it is for the receiver to decline */
    assert_int_equal(psst_file_read(&got, psst_view(data, 30)), PSST_OK);
    assert_int_equal(got.form, 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chunk__matches__vectors),
        cmocka_unit_test(text__matches__vectors),
        cmocka_unit_test(refused__are__malformed),
        cmocka_unit_test(text__longest__fits_a_record),
        cmocka_unit_test(text__without_an_id__says_so),
        cmocka_unit_test(body__takes_apart__one_chunk_and_zeros),
        cmocka_unit_test(ack__holds__up_to_a_full_chunk),
        cmocka_unit_test(receipt__holds__one_to_64_ids),
        cmocka_unit_test(presence__comes_back__as_written),
        cmocka_unit_test(presence__unknown_state__is_there),
        cmocka_unit_test(presence__malformed__is_refused),
        cmocka_unit_test(meet__comes_back__as_written),
        cmocka_unit_test(not_accepted_and_bye__come_back__as_written),
        cmocka_unit_test(file__each_kind__comes_back_as_written),
        cmocka_unit_test(file__over_a_limit__costs_that_transfer_alone),
        cmocka_unit_test(file__malformed__refused),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
