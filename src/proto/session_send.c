/* Sending: a record is built where it will leave from, at the end of the link's output.
 *
 *   begin: 18 bytes for the head -> the chunk is written behind it -> finish: zeros, room for the tag, sealed in place
 */
#include "proto/session_send.h"

#define BULK_WAITING_MAX                                                                                               \
    ((size_t)256 * 1024) /* over this no more file data: what is typed must not wait long behind it */
#define ANY_WAITING_MAX  SIZE_MAX
#define ACKS_WAITING_MAX ((size_t)PSST_LINK_OUTPUT_MAX + 4 * PSST_RECORD_MAX)
#define ACKS_A_CHUNK     (PSST_CHUNK_DATA_MAX / sizeof(struct psst_msg_id))

#define FILE_DATA_HEAD (1 + 16 + 8) /* kind, transfer id, offset */

static size_t waiting(const struct psst_session *s)
{
    return psst_output_waiting(s->output).len;
}

static enum psst_err may_send(const struct psst_session *s, size_t most_waiting)
{
    if (s->ended || s->closing_ns != PSST_NEVER || s->placed) return PSST_ERR_USAGE;
    return waiting(s) > most_waiting ? PSST_ERR_AGAIN : PSST_OK;
}

static enum psst_err out_of_memory(struct psst_session *s)
{
    psst_session_fail(s, PSST_END_MEMORY);
    return PSST_ERR_MEMORY;
}

/* Where the record that is being built begins in the output. chunk_len with its header. */
static enum psst_err begin(struct psst_session *s, size_t chunk_len, size_t *start)
{
    size_t body_len = psst_record_padded_len(chunk_len);
    if (psst_output_room(s->output, PSST_RECORD_HEAD_LEN + body_len + PSST_TAG_LEN) != PSST_OK) return out_of_memory(s);
    *start = s->output->buf.len;
    psst_buf_put_zeros(&s->output->buf, PSST_RECORD_HEAD_LEN);
    return PSST_OK;
}

/* The record from start on is complete but for its sealing. */
static enum psst_err seal(struct psst_session *s, uint64_t now_ns, size_t start, size_t body_len)
{
    bool was_empty = start == s->output->at;
    if (psst_record_seal(&s->out, s->output->buf.data + start, body_len) != PSST_OK) {
        s->output->buf.len = start; /* never a byte of plain text */
        return out_of_memory(s);
    }
    size_t len = PSST_RECORD_HEAD_LEN + body_len + PSST_TAG_LEN;
    s->counters.records_out++;
    s->counters.bytes_out += len;
    psst_timers_on_sent(&s->timers, len);
    if (was_empty) psst_timers_on_output(&s->timers, now_ns);
    return PSST_OK;
}

static size_t chunk_len_at(const struct psst_session *s, size_t start)
{
    return s->output->buf.len - start - PSST_RECORD_HEAD_LEN;
}

/* The chunk has been written, into a body of that length. */
static enum psst_err finish_in(struct psst_session *s, uint64_t now_ns, size_t start, size_t body_len)
{
    struct psst_buf *buf = &s->output->buf;
    size_t chunk_len = chunk_len_at(s, start);
    psst_buf_put_zeros(buf, body_len - chunk_len + PSST_TAG_LEN);
    if (buf->failed) {
        buf->len = start;
        return out_of_memory(s);
    }
    return seal(s, now_ns, start, body_len);
}

static enum psst_err finish(struct psst_session *s, uint64_t now_ns, size_t start)
{
    return finish_in(s, now_ns, start, psst_record_padded_len(chunk_len_at(s, start)));
}

enum psst_err psst_session_send(struct psst_session *s, uint64_t now_ns, uint8_t id, struct psst_view data)
{
    size_t start = 0;
    enum psst_err err = may_send(s, ANY_WAITING_MAX);
    if (err == PSST_OK) err = begin(s, PSST_CHUNK_HEAD_LEN + data.len, &start);
    if (err != PSST_OK) return err;
    psst_chunk_write(&s->output->buf, id, data);
    return finish(s, now_ns, start);
}

enum psst_err psst_session_send_ping(struct psst_session *s, uint64_t now_ns, uint8_t ping_or_pong,
                                     const uint8_t payload[8])
{
    size_t start = 0;
    enum psst_err err = may_send(s, PSST_LINK_OUTPUT_MAX);
    if (err == PSST_OK) err = begin(s, PSST_CHUNK_HEAD_LEN + 8, &start);
    if (err != PSST_OK) return err;
    psst_ping_write(&s->output->buf, ping_or_pong, payload);
    return finish(s, now_ns, start);
}

enum psst_err psst_session_send_not_accepted(struct psst_session *s, uint64_t now_ns, const struct psst_msg_id *id,
                                             uint8_t reason)
{
    size_t start = 0;
    enum psst_err err = may_send(s, PSST_LINK_OUTPUT_MAX);
    if (err == PSST_OK) err = begin(s, PSST_CHUNK_HEAD_LEN + 17, &start);
    if (err != PSST_OK) return err;
    psst_not_accepted_write(&s->output->buf, id, reason);
    return finish(s, now_ns, start);
}

enum psst_err psst_session_send_file(struct psst_session *s, uint64_t now_ns, const struct psst_file_chunk *chunk)
{
    size_t start = 0;
    enum psst_err err = may_send(s, PSST_LINK_OUTPUT_MAX);
    if (err == PSST_OK) err = begin(s, PSST_CHUNK_HEAD_LEN + 64 + PSST_FILE_NAME_MAX, &start);
    if (err != PSST_OK) return err;
    psst_file_write(&s->output->buf, chunk);
    return finish(s, now_ns, start);
}

enum psst_err psst_session_send_call(struct psst_session *s, uint64_t now_ns, const struct psst_call_chunk *chunk)
{
    size_t start = 0;
    enum psst_err err = may_send(s, ANY_WAITING_MAX);
    if (err == PSST_OK) err = begin(s, PSST_CHUNK_HEAD_LEN + 8, &start);
    if (err != PSST_OK) return err;
    psst_call_chunk_write(&s->output->buf, chunk);
    return finish(s, now_ns, start);
}

enum psst_err psst_session_send_voice(struct psst_session *s, uint64_t now_ns, struct psst_view frame)
{
    size_t start = 0;
    enum psst_err err = may_send(s, ANY_WAITING_MAX);
    if (err == PSST_OK) err = begin(s, PSST_CHUNK_HEAD_LEN + frame.len, &start);
    if (err != PSST_OK) return err;
    psst_chunk_write(&s->output->buf, PSST_CHUNK_VOICE, frame);
    return finish_in(s, now_ns, start, PSST_CHUNK_HEAD_LEN + frame.len);
}

/* ---- what the link's user sends ---- */

enum psst_err psst_session_text(struct psst_session *s, uint64_t now_ns, const struct psst_text *text)
{
    size_t start = 0;
    if (text->utf8.len < 1) return PSST_ERR_USAGE;
    if (text->utf8.len > PSST_TEXT_MAX) return PSST_ERR_TOO_LONG;
    enum psst_err err = may_send(s, PSST_LINK_OUTPUT_MAX);
    if (err == PSST_OK) err = psst_text_outstanding_add(&s->texts, &text->id);
    if (err == PSST_ERR_MEMORY) return out_of_memory(s);
    if (err == PSST_OK) err = begin(s, PSST_CHUNK_HEAD_LEN + 24 + text->utf8.len, &start);
    if (err != PSST_OK) return err;
    psst_text_write(&s->output->buf, text);
    err = finish(s, now_ns, start);
    if (err == PSST_OK) psst_timers_on_text_waiting(&s->timers, now_ns);
    return err;
}

enum psst_err psst_session_ack(struct psst_session *s, uint64_t now_ns, const struct psst_msg_id *id)
{
    (void)now_ns;
    enum psst_err err = may_send(s, ANY_WAITING_MAX);
    if (err != PSST_OK) return err;
    psst_buf_put(&s->acks, id->b, sizeof id->b);
    return s->acks.failed ? out_of_memory(s) : PSST_OK;
}

enum psst_err psst_session_read(struct psst_session *s, uint64_t now_ns, const struct psst_msg_id *ids, size_t n)
{
    size_t start = 0;
    if (n < 1 || n > PSST_RECEIPT_IDS_MAX) return PSST_ERR_USAGE;
    enum psst_err err = may_send(s, PSST_LINK_OUTPUT_MAX);
    if (err == PSST_OK) err = begin(s, PSST_CHUNK_HEAD_LEN + n * sizeof ids[0], &start);
    if (err != PSST_OK) return err;
    psst_receipt_write(&s->output->buf, ids, n);
    return finish(s, now_ns, start);
}

void psst_session_flush(struct psst_session *s, uint64_t now_ns)
{
    size_t at = 0;
    while (at < s->acks.len && may_send(s, ACKS_WAITING_MAX) == PSST_OK) {
        size_t n = (s->acks.len - at) / sizeof(struct psst_msg_id);
        if (n > ACKS_A_CHUNK) n = ACKS_A_CHUNK;
        struct psst_view ids = psst_view(s->acks.data + at, n * sizeof(struct psst_msg_id));
        if (psst_session_send(s, now_ns, PSST_CHUNK_ACK, ids) != PSST_OK) return;
        at += ids.len;
    }
    psst_buf_consume(&s->acks, at);
    if (s->acks.len == 0 && s->acks.data != NULL) psst_buf_fini(&s->acks);
}

enum psst_err psst_session_not_accepted(struct psst_session *s, uint64_t now_ns, const struct psst_msg_id *id,
                                        uint8_t reason)
{
    return psst_session_send_not_accepted(s, now_ns, id, reason);
}

enum psst_err psst_session_file(struct psst_session *s, uint64_t now_ns, const struct psst_file_chunk *chunk)
{
    if (chunk->kind < PSST_FILE_OFFER || chunk->kind > PSST_FILE_WINDOW || chunk->kind == PSST_FILE_DATA)
        return PSST_ERR_USAGE;
    if (chunk->kind == PSST_FILE_OFFER && chunk->name.len < 1) return PSST_ERR_USAGE;
    if (chunk->kind == PSST_FILE_OFFER && chunk->name.len > PSST_FILE_NAME_MAX) return PSST_ERR_TOO_LONG;
    return psst_session_send_file(s, now_ns, chunk);
}

enum psst_err psst_session_presence(struct psst_session *s, uint64_t now_ns, const struct psst_presence_chunk *presence)
{
    size_t start = 0;
    if (presence->utf8.len > PSST_PRESENCE_MAX) return PSST_ERR_TOO_LONG;
    enum psst_err err = may_send(s, PSST_LINK_OUTPUT_MAX);
    if (err == PSST_OK) err = begin(s, PSST_CHUNK_HEAD_LEN + 1 + presence->utf8.len, &start);
    if (err != PSST_OK) return err;
    psst_presence_write(&s->output->buf, presence);
    return finish(s, now_ns, start);
}

enum psst_err psst_session_meet(struct psst_session *s, uint64_t now_ns, const struct psst_meet_chunk *meet)
{
    size_t start = 0;
    enum psst_err err = may_send(s, PSST_LINK_OUTPUT_MAX);
    if (err == PSST_OK) err = begin(s, PSST_CHUNK_HEAD_LEN + 24, &start);
    if (err != PSST_OK) return err;
    psst_meet_write(&s->output->buf, meet);
    return finish(s, now_ns, start);
}

enum psst_err psst_session_place(struct psst_session *s, struct psst_span *place)
{
    enum psst_err err = may_send(s, BULK_WAITING_MAX);
    if (err != PSST_OK) return err;
    if (psst_output_room(s->output, PSST_RECORD_MAX) != PSST_OK) return out_of_memory(s);
    s->placed = true;
    uint8_t *record = s->output->buf.data + s->output->buf.len;
    *place = (struct psst_span){
        .data = record + PSST_RECORD_HEAD_LEN + PSST_CHUNK_HEAD_LEN + FILE_DATA_HEAD,
        .len = PSST_FILE_DATA_MAX,
    };
    return PSST_OK;
}

enum psst_err psst_session_commit(struct psst_session *s, uint64_t now_ns, const struct psst_msg_id *id,
                                  uint64_t offset, size_t len)
{
    if (!s->placed || len > PSST_FILE_DATA_MAX) return PSST_ERR_USAGE;
    s->placed = false;
    if (len == 0) return PSST_OK;
    struct psst_buf *buf = &s->output->buf;
    size_t start = buf->len, chunk_len = PSST_CHUNK_HEAD_LEN + FILE_DATA_HEAD + len;
    size_t body_len = psst_record_padded_len(chunk_len); /* a full place makes a full record */
    uint8_t *chunk = buf->data + start + PSST_RECORD_HEAD_LEN, *data = chunk + PSST_CHUNK_HEAD_LEN;
    psst_store_u32(chunk, (uint32_t)(FILE_DATA_HEAD + len)); /* u24, behind the identifier */
    chunk[0] = PSST_CHUNK_FILE;
    data[0] = PSST_FILE_DATA;
    memcpy(data + 1, id->b, sizeof id->b);
    psst_store_u64(data + 17, offset);
    memset(chunk + chunk_len, 0, body_len - chunk_len);
    buf->len = start + PSST_RECORD_HEAD_LEN + body_len + PSST_TAG_LEN;
    return seal(s, now_ns, start, body_len);
}
