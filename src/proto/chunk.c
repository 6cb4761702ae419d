#include "proto/chunk.h"

#include "base/text.h"

static bool known(uint8_t id)
{
    switch (id) {
    case PSST_CHUNK_TEXT:
    case PSST_CHUNK_ACK:
    case PSST_CHUNK_NOT_ACCEPTED:
    case PSST_CHUNK_PING:
    case PSST_CHUNK_PONG:
    case PSST_CHUNK_FILE:
    case PSST_CHUNK_CALL:
    case PSST_CHUNK_VOICE:
    case PSST_CHUNK_REKEY:
    case PSST_CHUNK_BYE:
    case PSST_CHUNK_READ:
    case PSST_CHUNK_MEET:
    case PSST_CHUNK_PRESENCE: return true;
    default: return false;
    }
}

enum psst_err psst_chunk_read(struct psst_chunk *out, struct psst_view body)
{
    struct psst_reader r = psst_reader(body);
    struct psst_chunk chunk;
    chunk.id = psst_read_u8(&r);
    chunk.data = psst_read_view(&r, psst_read_u24(&r));
    psst_read_zeros(&r);
    if (!psst_reader_end(&r)) return PSST_ERR_MALFORMED;
    if (!known(chunk.id) && (chunk.id & PSST_CHUNK_OPTIONAL) == 0) return PSST_ERR_PROTOCOL;
    *out = chunk;
    return PSST_OK;
}

static void put_head(struct psst_buf *out, uint8_t id, size_t data_len)
{
    if (data_len > PSST_CHUNK_DATA_MAX) {
        out->failed = true;
        return;
    }
    psst_buf_put_u8(out, id);
    psst_buf_put_u24(out, (uint32_t)data_len);
}

void psst_chunk_write(struct psst_buf *out, uint8_t id, struct psst_view data)
{
    put_head(out, id, data.len);
    psst_buf_put_view(out, data);
}

static void put_id(struct psst_buf *out, const struct psst_msg_id *id)
{
    psst_buf_put(out, id->b, sizeof id->b);
}

static void read_id(struct psst_reader *r, struct psst_msg_id *id)
{
    psst_read_bytes(r, id->b, sizeof id->b);
}

/* ---- t: message id || u64 time || UTF-8 ---- */

void psst_text_write(struct psst_buf *out, const struct psst_text *text)
{
    put_head(out, PSST_CHUNK_TEXT, 16 + 8 + text->utf8.len);
    put_id(out, &text->id);
    psst_buf_put_u64(out, text->time_ms);
    psst_buf_put_view(out, text->utf8);
}

enum psst_err psst_text_read(struct psst_text *out, struct psst_view data, bool *has_id)
{
    struct psst_reader r = psst_reader(data);
    struct psst_text text;
    read_id(&r, &text.id);
    *has_id = !r.failed;
    if (*has_id) out->id = text.id;
    text.time_ms = psst_read_u64(&r);
    text.utf8 = psst_read_rest(&r);
    if (!psst_reader_end(&r)) return PSST_ERR_MALFORMED;
    if (text.utf8.len < 1 || text.utf8.len > PSST_TEXT_MAX || !psst_text_valid(text.utf8)) return PSST_ERR_MALFORMED;
    *out = text;
    return PSST_OK;
}

/* ---- a: one or more message ids ---- */

static void put_ids(struct psst_buf *out, uint8_t chunk, const struct psst_msg_id *ids, size_t n, size_t most)
{
    if (n < 1 || n > most) {
        out->failed = true;
        return;
    }
    put_head(out, chunk, 16 * n);
    for (size_t i = 0; i < n; i++) put_id(out, &ids[i]);
}

void psst_ack_write(struct psst_buf *out, const struct psst_msg_id *ids, size_t n)
{
    put_ids(out, PSST_CHUNK_ACK, ids, n, PSST_CHUNK_DATA_MAX / 16);
}

enum psst_err psst_ack_read(struct psst_view *ids, struct psst_view data)
{
    if (data.len == 0 || data.len % 16 != 0) return PSST_ERR_MALFORMED;
    *ids = data;
    return PSST_OK;
}

/* ---- 0xf2: one or more message ids ---- */

void psst_receipt_write(struct psst_buf *out, const struct psst_msg_id *ids, size_t n)
{
    put_ids(out, PSST_CHUNK_READ, ids, n, PSST_RECEIPT_IDS_MAX);
}

enum psst_err psst_receipt_read(struct psst_view *ids, struct psst_view data)
{
    return data.len > 16 * PSST_RECEIPT_IDS_MAX ? PSST_ERR_MALFORMED : psst_ack_read(ids, data);
}

/* ---- n: message id || u8 reason ---- */

void psst_not_accepted_write(struct psst_buf *out, const struct psst_msg_id *id, uint8_t reason)
{
    put_head(out, PSST_CHUNK_NOT_ACCEPTED, 16 + 1);
    put_id(out, id);
    psst_buf_put_u8(out, reason);
}

enum psst_err psst_not_accepted_read(struct psst_msg_id *id, uint8_t *reason, struct psst_view data)
{
    struct psst_reader r = psst_reader(data);
    struct psst_msg_id got;
    read_id(&r, &got);
    uint8_t why = psst_read_u8(&r);
    if (!psst_reader_end(&r)) return PSST_ERR_MALFORMED;
    *id = got;
    *reason = why;
    return PSST_OK;
}

/* ---- p, q: 8 bytes, repeated in the answer ---- */

void psst_ping_write(struct psst_buf *out, uint8_t ping_or_pong, const uint8_t payload[8])
{
    psst_chunk_write(out, ping_or_pong, psst_view(payload, 8));
}

enum psst_err psst_ping_read(uint8_t payload[8], struct psst_view data)
{
    if (data.len != 8) return PSST_ERR_MALFORMED;
    memcpy(payload, data.data, 8);
    return PSST_OK;
}

/* ---- b: u8 reason ---- */

void psst_bye_write(struct psst_buf *out, uint8_t reason)
{
    psst_chunk_write(out, PSST_CHUNK_BYE, psst_view(&reason, 1));
}

enum psst_err psst_bye_read(uint8_t *reason, struct psst_view data)
{
    if (data.len != 1) return PSST_ERR_MALFORMED;
    *reason = data.data[0];
    return PSST_OK;
}

/* ---- 0xf3: u8 state || UTF-8 ---- */

#define PRESENCE_STATES 3

void psst_presence_write(struct psst_buf *out, const struct psst_presence_chunk *presence)
{
    put_head(out, PSST_CHUNK_PRESENCE, 1 + presence->utf8.len);
    psst_buf_put_u8(out, presence->state);
    psst_buf_put_view(out, presence->utf8);
}

enum psst_err psst_presence_read(struct psst_presence_chunk *out, struct psst_view data)
{
    struct psst_reader r = psst_reader(data);
    uint8_t state = psst_read_u8(&r);
    struct psst_view utf8 = psst_read_rest(&r);
    if (!psst_reader_end(&r) || utf8.len > PSST_PRESENCE_MAX || !psst_text_valid(utf8)) return PSST_ERR_MALFORMED;
    out->state = state >= 1 && state <= PRESENCE_STATES ? state : 1;
    out->utf8 = utf8;
    return PSST_OK;
}

/* ---- 0xf1: meeting id || u64 time ---- */

void psst_meet_write(struct psst_buf *out, const struct psst_meet_chunk *meet)
{
    put_head(out, PSST_CHUNK_MEET, 16 + 8);
    put_id(out, &meet->id);
    psst_buf_put_u64(out, meet->time_ms);
}

enum psst_err psst_meet_read(struct psst_meet_chunk *out, struct psst_view data)
{
    struct psst_reader r = psst_reader(data);
    struct psst_meet_chunk meet;
    read_id(&r, &meet.id);
    meet.time_ms = psst_read_u64(&r);
    if (!psst_reader_end(&r)) return PSST_ERR_MALFORMED;
    *out = meet;
    return PSST_OK;
}

/* ---- f: u8 kind || transfer id || by kind ---- */

static size_t file_len(const struct psst_file_chunk *chunk)
{
    const size_t head = 1 + 16;
    switch (chunk->kind) {
    case PSST_FILE_OFFER: return head + 1 + 8 + chunk->name.len;
    case PSST_FILE_ACCEPT: return head + 8;
    case PSST_FILE_DECLINE:
    case PSST_FILE_CANCEL:
    case PSST_FILE_PAUSE: return head + 1;
    case PSST_FILE_WINDOW: return head + 8;
    case PSST_FILE_DATA: return head + 8 + chunk->data.len;
    case PSST_FILE_DONE: return head + 8 + sizeof chunk->sha256.b;
    default: return SIZE_MAX;
    }
}

void psst_file_write(struct psst_buf *out, const struct psst_file_chunk *chunk)
{
    put_head(out, PSST_CHUNK_FILE, file_len(chunk)); /* fails for an unknown kind */
    psst_buf_put_u8(out, chunk->kind);
    put_id(out, &chunk->id);
    switch (chunk->kind) {
    case PSST_FILE_OFFER:
        psst_buf_put_u8(out, chunk->form);
        psst_buf_put_u64(out, chunk->size);
        psst_buf_put_view(out, chunk->name);
        break;
    case PSST_FILE_ACCEPT:
    case PSST_FILE_WINDOW: psst_buf_put_u64(out, chunk->offset); break;
    case PSST_FILE_DECLINE:
    case PSST_FILE_CANCEL:
    case PSST_FILE_PAUSE: psst_buf_put_u8(out, chunk->reason); break;
    case PSST_FILE_DATA:
        psst_buf_put_u64(out, chunk->offset);
        psst_buf_put_view(out, chunk->data);
        break;
    case PSST_FILE_DONE:
        psst_buf_put_u64(out, chunk->size);
        psst_buf_put(out, chunk->sha256.b, sizeof chunk->sha256.b);
        break;
    default: break;
    }
}

/* By kind; false: malformed. */
static bool read_file_fields(struct psst_file_chunk *f, struct psst_reader *r)
{
    switch (f->kind) {
    case PSST_FILE_OFFER:
        f->form = psst_read_u8(r);
        f->size = psst_read_u64(r);
        f->name = psst_read_rest(r);
        return f->name.len >= 1 && f->name.len <= PSST_FILE_NAME_MAX;
    case PSST_FILE_ACCEPT:
    case PSST_FILE_WINDOW: f->offset = psst_read_u64(r); return true;
    case PSST_FILE_DECLINE:
    case PSST_FILE_CANCEL:
    case PSST_FILE_PAUSE: f->reason = psst_read_u8(r); return true;
    case PSST_FILE_DATA:
        f->offset = psst_read_u64(r);
        f->data = psst_read_rest(r);
        return f->data.len >= 1;
    case PSST_FILE_DONE:
        f->size = psst_read_u64(r);
        psst_read_bytes(r, f->sha256.b, sizeof f->sha256.b);
        return true;
    default: return false;
    }
}

/* What is wrong with this one transfer, and not with the peer as a whole. */
static bool within_limits(const struct psst_file_chunk *f)
{
    switch (f->kind) {
    case PSST_FILE_OFFER:
        if (!psst_text_valid(f->name)) return false;
        if (f->size == PSST_FILE_SIZE_UNKNOWN) return f->form != PSST_FILE_FORM_FILE && f->form != PSST_FILE_FORM_VOICE;
        return f->size <= PSST_FILE_SIZE_MAX;
    case PSST_FILE_ACCEPT:
    case PSST_FILE_WINDOW: return f->offset <= PSST_FILE_SIZE_MAX;
    case PSST_FILE_DATA: return f->offset <= PSST_FILE_SIZE_MAX && f->data.len <= PSST_FILE_SIZE_MAX - f->offset;
    case PSST_FILE_DONE: return f->size <= PSST_FILE_SIZE_MAX;
    default: return true;
    }
}

enum psst_err psst_file_read(struct psst_file_chunk *out, struct psst_view data)
{
    struct psst_reader r = psst_reader(data);
    struct psst_file_chunk f = {.kind = psst_read_u8(&r)};
    read_id(&r, &f.id);
    if (!read_file_fields(&f, &r) || !psst_reader_end(&r)) return PSST_ERR_MALFORMED;
    if (!within_limits(&f)) {
        out->kind = f.kind;
        out->id = f.id;
        return PSST_ERR_TOO_LONG;
    }
    *out = f;
    return PSST_OK;
}
