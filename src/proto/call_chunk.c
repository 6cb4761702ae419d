/* `c` chunks: u8 kind || by kind. Writing and reading side by side, as in chunk.c. */
#include "proto/call.h"
#include "proto/chunk.h"

static size_t data_len(uint8_t kind)
{
    switch ((enum psst_call_kind)kind) {
    case PSST_CALL_KIND_OFFER: return 1 + 4 + 2;
    case PSST_CALL_KIND_RING: return 1;
    case PSST_CALL_KIND_ACCEPT: return 1 + 4;
    case PSST_CALL_KIND_DECLINE:
    case PSST_CALL_KIND_HANGUP:
    case PSST_CALL_KIND_RECEIVING: return 1 + 1;
    case PSST_CALL_KIND_REPORT: return 1 + 1 + 2 + 2;
    case PSST_CALL_KIND_SILENCE: break;
    }
    return 0;
}

void psst_call_chunk_write(struct psst_buf *out, const struct psst_call_chunk *chunk)
{
    size_t len = data_len(chunk->kind);
    if (len == 0) {
        out->failed = true;
        return;
    }
    psst_buf_put_u8(out, PSST_CHUNK_CALL);
    psst_buf_put_u24(out, (uint32_t)len);
    psst_buf_put_u8(out, chunk->kind);
    switch ((enum psst_call_kind)chunk->kind) {
    case PSST_CALL_KIND_OFFER:
        psst_buf_put_u32(out, chunk->receiver_id);
        psst_buf_put_u16(out, chunk->frame_size);
        break;
    case PSST_CALL_KIND_ACCEPT: psst_buf_put_u32(out, chunk->receiver_id); break;
    case PSST_CALL_KIND_DECLINE:
    case PSST_CALL_KIND_HANGUP: psst_buf_put_u8(out, chunk->reason); break;
    case PSST_CALL_KIND_RECEIVING: psst_buf_put_u8(out, chunk->receiving ? 1 : 0); break;
    case PSST_CALL_KIND_REPORT:
        psst_buf_put_u8(out, chunk->loss_256);
        psst_buf_put_u16(out, chunk->jitter_ms);
        psst_buf_put_u16(out, chunk->delay_ms);
        break;
    case PSST_CALL_KIND_RING:
    case PSST_CALL_KIND_SILENCE: break;
    }
}

/* Reasons of a later version are taken for the first, which is the plainest. */
static uint8_t read_reason(struct psst_reader *r)
{
    uint8_t reason = psst_read_u8(r);
    return reason >= 1 && reason <= 3 ? reason : 1;
}

/* By kind; false: malformed. */
static bool read_fields(struct psst_call_chunk *c, struct psst_reader *r)
{
    switch ((enum psst_call_kind)c->kind) {
    case PSST_CALL_KIND_OFFER:
        c->receiver_id = psst_read_u32(r);
        c->frame_size = psst_read_u16(r);
        return c->frame_size >= PSST_CALL_FRAME_MIN && c->frame_size <= PSST_CALL_FRAME_MAX && c->receiver_id != 0;
    case PSST_CALL_KIND_RING: return true;
    case PSST_CALL_KIND_ACCEPT: c->receiver_id = psst_read_u32(r); return c->receiver_id != 0;
    case PSST_CALL_KIND_DECLINE:
    case PSST_CALL_KIND_HANGUP: c->reason = read_reason(r); return true;
    case PSST_CALL_KIND_RECEIVING: {
        uint8_t on = psst_read_u8(r);
        c->receiving = on == 1;
        return on <= 1;
    }
    case PSST_CALL_KIND_REPORT:
        c->loss_256 = psst_read_u8(r);
        c->jitter_ms = psst_read_u16(r);
        c->delay_ms = psst_read_u16(r);
        return true;
    case PSST_CALL_KIND_SILENCE: break;
    }
    return false;
}

enum psst_err psst_call_chunk_read(struct psst_call_chunk *out, struct psst_view data)
{
    struct psst_reader r = psst_reader(data);
    struct psst_call_chunk c = {.kind = psst_read_u8(&r)};
    if (!read_fields(&c, &r) || !psst_reader_end(&r)) return PSST_ERR_MALFORMED;
    *out = c;
    return PSST_OK;
}
