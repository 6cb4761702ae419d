#include "proto/stream.h"

#define KEEP_NS    PSST_SECOND_NS
#define KEEP_BYTES 4096 /* smaller buffers are freed at once: getting a new one costs little */
#define SMALL_ROOM 1024 /* room behind an unfinished record of a talk */
#define BULK_BYTES 8192 /* records longer than this are bulk data */
#define OUTPUT_CAP (4 * PSST_LINK_OUTPUT_MAX)

/* Frees an empty buffer once it has been empty for a while. */
static void trim(struct psst_buf *buf, uint64_t *unused_ns, uint64_t now_ns)
{
    if (buf->data == NULL) {
        *unused_ns = PSST_NEVER;
        return;
    }
    if (*unused_ns == PSST_NEVER) *unused_ns = now_ns;
    if (buf->cap > KEEP_BYTES && now_ns < *unused_ns + KEEP_NS) return;
    psst_buf_fini(buf);
    *unused_ns = PSST_NEVER;
}

static uint64_t trim_deadline(uint64_t unused_ns)
{
    return unused_ns == PSST_NEVER ? PSST_NEVER : unused_ns + KEEP_NS;
}

/* ---- in ---- */

void psst_input_init(struct psst_input *in)
{
    *in = (struct psst_input){.unused_ns = PSST_NEVER};
    psst_buf_init(&in->own, PSST_INPUT_MAX + PSST_INPUT_BULK);
}

void psst_input_fini(struct psst_input *in)
{
    psst_buf_fini(&in->own);
    psst_input_init(in);
}

struct psst_span psst_input_waiting(const struct psst_input *in)
{
    if (in->own.len > in->own_at) return (struct psst_span){in->own.data + in->own_at, in->own.len - in->own_at};
    return (struct psst_span){in->lent, in->lent_len};
}

void psst_input_take(struct psst_input *in, size_t len)
{
    if (in->own.len > in->own_at) {
        in->own_at += len;
    } else if (len > 0) {
        in->lent += len;
        in->lent_len -= len;
    }
}

void psst_input_drop(struct psst_input *in)
{
    in->own.len = in->own_at = 0;
    in->lent = NULL;
    in->lent_len = 0;
}

/* Moves what waits to the front of our own buffer. */
static enum psst_err gather(struct psst_input *in)
{
    psst_buf_consume(&in->own, in->own_at);
    in->own_at = 0;
    if (in->lent_len == 0) return PSST_OK;
    psst_buf_put(&in->own, in->lent, in->lent_len);
    in->lent = NULL;
    in->lent_len = 0;
    in->unused_ns = PSST_NEVER;
    return in->own.failed ? PSST_ERR_MEMORY : PSST_OK;
}

enum psst_err psst_input_space(struct psst_input *in, struct psst_span scratch, size_t expect, struct psst_span *space)
{
    enum psst_err err = gather(in);
    if (err != PSST_OK) return err;
    if (in->own.len == 0) {
        *space = scratch;
        return PSST_OK;
    }
    size_t room = expect > in->own.len ? expect - in->own.len : 0;
    if (expect > BULK_BYTES || in->own.len > BULK_BYTES) {
        /* several records a read */
        size_t bulk = in->own.len < PSST_INPUT_BULK ? PSST_INPUT_BULK - in->own.len : 0;
        if (room < bulk) room = bulk;
    }
    if (room < SMALL_ROOM) room = SMALL_ROOM;
    if (psst_buf_reserve(&in->own, room) != PSST_OK) return PSST_ERR_MEMORY;
    *space = (struct psst_span){in->own.data + in->own.len, in->own.cap - in->own.len};
    return PSST_OK;
}

enum psst_err psst_input_received(struct psst_input *in, uint8_t *data, size_t len)
{
    if (len == 0) return PSST_OK;
    if (in->own.data != NULL && data == in->own.data + in->own.len && len <= in->own.cap - in->own.len) {
        in->own.len += len;
        in->unused_ns = PSST_NEVER;
        return PSST_OK;
    }
    bool waiting = psst_input_waiting(in).len > 0;
    if (waiting) {
        enum psst_err err = gather(in);
        if (err != PSST_OK) return err;
    }
    in->lent = data;
    in->lent_len = len;
    return waiting ? gather(in) : PSST_OK;
}

enum psst_err psst_input_settle(struct psst_input *in, uint64_t now_ns)
{
    enum psst_err err = in->lent_len > 0 ? gather(in) : PSST_OK;
    if (in->own.len > in->own_at) return err;
    in->own.len = in->own_at = 0;
    trim(&in->own, &in->unused_ns, now_ns);
    return err;
}

uint64_t psst_input_deadline(const struct psst_input *in)
{
    return trim_deadline(in->unused_ns);
}

/* ---- out ---- */

void psst_output_init(struct psst_output *out)
{
    *out = (struct psst_output){.unused_ns = PSST_NEVER};
    psst_buf_init(&out->buf, OUTPUT_CAP);
}

void psst_output_fini(struct psst_output *out)
{
    psst_buf_fini(&out->buf);
    psst_output_init(out);
}

struct psst_view psst_output_waiting(const struct psst_output *out)
{
    if (out->buf.len == out->at) return psst_view(NULL, 0);
    return psst_view(out->buf.data + out->at, out->buf.len - out->at);
}

enum psst_err psst_output_room(struct psst_output *out, size_t len)
{
    out->unused_ns = PSST_NEVER;
    size_t waiting = out->buf.len - out->at;
    /* moving less than was sent since the last move: each byte moves once at most */
    if (out->at > 0 && len > out->buf.cap - out->buf.len && waiting <= out->at) {
        psst_buf_consume(&out->buf, out->at);
        out->at = 0;
    }
    return psst_buf_reserve(&out->buf, len) == PSST_OK ? PSST_OK : PSST_ERR_MEMORY;
}

void psst_output_sent(struct psst_output *out, size_t len, uint64_t now_ns)
{
    size_t waiting = out->buf.len - out->at;
    out->at += len < waiting ? len : waiting;
    psst_output_settle(out, now_ns);
}

void psst_output_settle(struct psst_output *out, uint64_t now_ns)
{
    if (out->at < out->buf.len) return;
    out->buf.len = out->at = 0;
    trim(&out->buf, &out->unused_ns, now_ns);
}

uint64_t psst_output_deadline(const struct psst_output *out)
{
    return trim_deadline(out->unused_ns);
}
