/* The chunk layer alone.
 *
 * input: u8 which reader || bytes
 * A body or the data of one kind of chunk. What a reader takes is written again, and must give the same bytes; what it
 * gives lies within the input.
 */
#include "fuzz.h"

#include "base/text.h"
#include "proto/call.h"
#include "proto/chunk.h"

static bool within(struct psst_view part, struct psst_view whole)
{
    return part.len == 0 || (part.data >= whole.data && part.len <= whole.len - (size_t)(part.data - whole.data));
}

/* What was written is the chunk with this data. */
static void check_written(struct psst_buf *out, uint8_t id, struct psst_view data)
{
    struct psst_chunk chunk;
    FUZZ_CHECK(!out->failed);
    FUZZ_CHECK(psst_chunk_read(&chunk, psst_buf_view(out)) == PSST_OK);
    FUZZ_CHECK(chunk.id == id && psst_view_equal(chunk.data, data));
    psst_buf_fini(out);
}

static void body(struct psst_view v)
{
    struct psst_chunk chunk = {0};
    struct psst_buf out;
    if (psst_chunk_read(&chunk, v) != PSST_OK) return;
    FUZZ_CHECK(v.len >= PSST_CHUNK_HEAD_LEN && within(chunk.data, v));
    if (chunk.data.len > PSST_CHUNK_DATA_MAX) return; /* longer than a record can be */
    psst_buf_init(&out, PSST_RECORD_MAX);
    psst_chunk_write(&out, chunk.id, chunk.data);
    FUZZ_CHECK(psst_view_equal(psst_buf_view(&out), psst_view(v.data, out.len)));
    psst_buf_put_zeros(&out, v.len < PSST_RECORD_MAX ? v.len - out.len : 0);
    if (v.len < PSST_RECORD_MAX) FUZZ_CHECK(psst_view_equal(psst_buf_view(&out), v));
    psst_buf_fini(&out);
}

static void text(struct psst_view v, struct psst_buf *out)
{
    struct psst_text t = {0};
    bool has_id = false;
    enum psst_err err = psst_text_read(&t, v, &has_id);
    FUZZ_CHECK(has_id == (v.len >= 16));
    if (has_id) FUZZ_CHECK(memcmp(t.id.b, v.data, 16) == 0);
    FUZZ_CHECK(err == PSST_OK || err == PSST_ERR_MALFORMED);
    if (err != PSST_OK) return;
    FUZZ_CHECK(has_id && within(t.utf8, v) && psst_text_valid(t.utf8));
    FUZZ_CHECK(t.utf8.len >= 1 && t.utf8.len <= PSST_TEXT_MAX);
    psst_text_write(out, &t);
    check_written(out, PSST_CHUNK_TEXT, v);
}

static void ack(struct psst_view v, struct psst_buf *out)
{
    struct psst_view ids;
    if (psst_ack_read(&ids, v) != PSST_OK) return;
    FUZZ_CHECK(ids.len > 0 && ids.len % 16 == 0 && within(ids, v));
    struct psst_msg_id copy[8];
    if (ids.len > sizeof copy) return;
    memcpy(copy, ids.data, ids.len);
    psst_ack_write(out, copy, ids.len / 16);
    check_written(out, PSST_CHUNK_ACK, v);
}

static void receipt(struct psst_view v, struct psst_buf *out)
{
    struct psst_view ids;
    if (psst_receipt_read(&ids, v) != PSST_OK) return;
    FUZZ_CHECK(ids.len > 0 && ids.len % 16 == 0 && within(ids, v));
    struct psst_msg_id copy[PSST_RECEIPT_IDS_MAX];
    FUZZ_CHECK(ids.len <= sizeof copy);
    memcpy(copy, ids.data, ids.len);
    psst_receipt_write(out, copy, ids.len / 16);
    check_written(out, PSST_CHUNK_READ, v);
}

static void not_accepted(struct psst_view v, struct psst_buf *out)
{
    struct psst_msg_id id;
    uint8_t reason;
    if (psst_not_accepted_read(&id, &reason, v) != PSST_OK) return;
    psst_not_accepted_write(out, &id, reason);
    check_written(out, PSST_CHUNK_NOT_ACCEPTED, v);
}

static void ping(struct psst_view v, struct psst_buf *out)
{
    uint8_t payload[8];
    if (psst_ping_read(payload, v) != PSST_OK) return;
    psst_ping_write(out, PSST_CHUNK_PONG, payload);
    check_written(out, PSST_CHUNK_PONG, v);
}

static void bye(struct psst_view v, struct psst_buf *out)
{
    uint8_t reason;
    if (psst_bye_read(&reason, v) != PSST_OK) return;
    psst_bye_write(out, reason);
    check_written(out, PSST_CHUNK_BYE, v);
}

static void presence(struct psst_view v, struct psst_buf *out)
{
    struct psst_presence_chunk p = {0};
    if (psst_presence_read(&p, v) != PSST_OK) return;
    FUZZ_CHECK(p.state >= 1 && p.state <= 3 && within(p.utf8, v));
    FUZZ_CHECK(p.utf8.len <= PSST_PRESENCE_MAX && psst_text_valid(p.utf8));
    if (p.state != v.data[0]) return; /* an unknown state */
    psst_presence_write(out, &p);
    check_written(out, PSST_CHUNK_PRESENCE, v);
}

static void meet(struct psst_view v, struct psst_buf *out)
{
    struct psst_meet_chunk m = {0};
    FUZZ_CHECK((psst_meet_read(&m, v) == PSST_OK) == (v.len == 24));
    if (v.len != 24) return;
    psst_meet_write(out, &m);
    check_written(out, PSST_CHUNK_MEET, v);
}

static void file(struct psst_view v, struct psst_buf *out)
{
    struct psst_file_chunk f = {0};
    enum psst_err err = psst_file_read(&f, v);
    FUZZ_CHECK(err == PSST_OK || err == PSST_ERR_MALFORMED || err == PSST_ERR_TOO_LONG);
    if (err == PSST_ERR_TOO_LONG) FUZZ_CHECK(f.kind == v.data[0] && memcmp(f.id.b, v.data + 1, 16) == 0);
    if (err != PSST_OK) return;
    FUZZ_CHECK(f.kind >= PSST_FILE_OFFER && f.kind <= PSST_FILE_WINDOW);
    FUZZ_CHECK(within(f.name, v) && within(f.data, v) && f.offset <= PSST_FILE_SIZE_MAX);
    if (f.kind == PSST_FILE_OFFER) FUZZ_CHECK(f.name.len >= 1 && f.name.len <= PSST_FILE_NAME_MAX);
    if (f.kind == PSST_FILE_OFFER) FUZZ_CHECK(psst_text_valid(f.name));
    psst_file_write(out, &f);
    if (v.len <= PSST_CHUNK_DATA_MAX)
        check_written(out, PSST_CHUNK_FILE, v);
    else
        psst_buf_fini(out);
}

static void call(struct psst_view v, struct psst_buf *out)
{
    struct psst_call_chunk c = {0};
    if (psst_call_chunk_read(&c, v) != PSST_OK) return;
    FUZZ_CHECK(c.kind >= PSST_CALL_KIND_OFFER && c.kind <= PSST_CALL_KIND_REPORT && !c.by_us && !c.silent);
    if (c.kind == PSST_CALL_KIND_OFFER)
        FUZZ_CHECK(c.frame_size >= PSST_CALL_FRAME_MIN && c.frame_size <= PSST_CALL_FRAME_MAX);
    if (c.kind == PSST_CALL_KIND_OFFER || c.kind == PSST_CALL_KIND_ACCEPT) FUZZ_CHECK(c.receiver_id != 0);
    if (c.kind == PSST_CALL_KIND_DECLINE || c.kind == PSST_CALL_KIND_HANGUP) {
        FUZZ_CHECK(c.reason >= 1 && c.reason <= 3);
        if (c.reason != v.data[1]) return; /* an unknown reason */
    }
    psst_call_chunk_write(out, &c);
    check_written(out, PSST_CHUNK_CALL, v);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const readers[])(struct psst_view, struct psst_buf *) = {text, ack,     not_accepted, ping, bye,
                                                                           file, receipt, presence,     meet, call};
    struct psst_view input = psst_view(data, size);
    size_t which = fuzz_take_u8(&input) % (sizeof readers / sizeof readers[0] + 1);
    struct psst_buf out;
    psst_buf_init(&out, PSST_RECORD_MAX);
    if (which == 0)
        body(input);
    else
        readers[which - 1](input, &out);
    psst_buf_fini(&out);
    return 0;
}
