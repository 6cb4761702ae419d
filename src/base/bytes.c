#include "base/bytes.h"

#include "base/secret.h"

#include <stdio.h>
#include <stdlib.h>

bool psst_view_equal(struct psst_view a, struct psst_view b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

void psst_buf_init(struct psst_buf *buf, size_t max)
{
    *buf = (struct psst_buf){.max = max};
}

void psst_buf_fini(struct psst_buf *buf)
{
    if (buf->data != NULL) {
        psst_wipe(buf->data, buf->cap);
        free(buf->data);
    }
    psst_buf_init(buf, buf->max);
}

enum psst_err psst_buf_reserve(struct psst_buf *buf, size_t len)
{
    if (buf->failed) return PSST_ERR_MEMORY;
    if (len > buf->max || buf->len > buf->max - len) {
        buf->failed = true;
        return PSST_ERR_TOO_LONG;
    }
    size_t need = buf->len + len;
    if (need <= buf->cap) return PSST_OK;
    size_t cap = buf->cap < 64 ? 64 : buf->cap;
    while (cap < need) cap = cap > buf->max / 2 ? buf->max : cap * 2;
    /* not realloc: the old place may hold secrets and must be wiped */
    uint8_t *data = malloc(cap);
    if (data == NULL) {
        buf->failed = true;
        return PSST_ERR_MEMORY;
    }
    if (buf->data != NULL) {
        memcpy(data, buf->data, buf->len);
        psst_wipe(buf->data, buf->cap);
        free(buf->data);
    }
    buf->data = data;
    buf->cap = cap;
    return PSST_OK;
}

void psst_buf_consume(struct psst_buf *buf, size_t len)
{
    if (len > buf->len) len = buf->len;
    if (len == 0) return;
    memmove(buf->data, buf->data + len, buf->len - len);
    buf->len -= len;
    psst_wipe(buf->data + buf->len, len); /* not kept until something else comes to stand there */
}

void psst_buf_put(struct psst_buf *buf, const void *data, size_t len)
{
    if (len == 0 || psst_buf_reserve(buf, len) != PSST_OK) return;
    memcpy(buf->data + buf->len, data, len);
    buf->len += len;
}

void psst_buf_put_view(struct psst_buf *buf, struct psst_view view)
{
    psst_buf_put(buf, view.data, view.len);
}

void psst_buf_put_str(struct psst_buf *buf, const char *s)
{
    psst_buf_put(buf, s, strlen(s));
}

void psst_buf_put_u8(struct psst_buf *buf, uint8_t v)
{
    psst_buf_put(buf, &v, 1);
}

void psst_buf_put_u16(struct psst_buf *buf, uint16_t v)
{
    uint8_t b[2];
    psst_store_u16(b, v);
    psst_buf_put(buf, b, sizeof b);
}

void psst_buf_put_u24(struct psst_buf *buf, uint32_t v)
{
    uint8_t b[4];
    psst_store_u32(b, v);
    psst_buf_put(buf, b + 1, 3);
}

void psst_buf_put_u32(struct psst_buf *buf, uint32_t v)
{
    uint8_t b[4];
    psst_store_u32(b, v);
    psst_buf_put(buf, b, sizeof b);
}

void psst_buf_put_u64(struct psst_buf *buf, uint64_t v)
{
    uint8_t b[8];
    psst_store_u64(b, v);
    psst_buf_put(buf, b, sizeof b);
}

void psst_buf_put_zeros(struct psst_buf *buf, size_t len)
{
    if (len == 0 || psst_buf_reserve(buf, len) != PSST_OK) return;
    memset(buf->data + buf->len, 0, len);
    buf->len += len;
}

void psst_buf_printf(struct psst_buf *buf, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int need = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (need < 0) {
        buf->failed = true;
        return;
    }
    /* vsnprintf writes a terminator; room for it is asked for, but it is not counted */
    if (psst_buf_reserve(buf, (size_t)need + 1) != PSST_OK) return;
    va_start(args, fmt);
    (void)vsnprintf((char *)buf->data + buf->len, (size_t)need + 1, fmt, args);
    va_end(args);
    buf->len += (size_t)need;
}

void psst_store_u16(uint8_t out[2], uint16_t v)
{
    out[0] = (uint8_t)(v >> 8);
    out[1] = (uint8_t)v;
}

void psst_store_u32(uint8_t out[4], uint32_t v)
{
    for (int i = 0; i < 4; i++) out[i] = (uint8_t)(v >> (24 - 8 * i));
}

void psst_store_u64(uint8_t out[8], uint64_t v)
{
    for (int i = 0; i < 8; i++) out[i] = (uint8_t)(v >> (56 - 8 * i));
}

uint16_t psst_load_u16(const uint8_t in[2])
{
    return (uint16_t)((uint16_t)in[0] << 8 | in[1]);
}

uint32_t psst_load_u32(const uint8_t in[4])
{
    return (uint32_t)in[0] << 24 | (uint32_t)in[1] << 16 | (uint32_t)in[2] << 8 | in[3];
}

uint64_t psst_load_u64(const uint8_t in[8])
{
    return (uint64_t)psst_load_u32(in) << 32 | psst_load_u32(in + 4);
}

struct psst_reader psst_reader(struct psst_view view)
{
    return (struct psst_reader){.at = view.data, .left = view.len};
}

struct psst_view psst_read_view(struct psst_reader *r, size_t len)
{
    if (r->failed || len > r->left) {
        r->failed = true;
        return psst_view(NULL, 0);
    }
    struct psst_view v = psst_view(r->at, len);
    if (len > 0) r->at += len;
    r->left -= len;
    return v;
}

struct psst_view psst_read_rest(struct psst_reader *r)
{
    return psst_read_view(r, r->left);
}

uint8_t psst_read_u8(struct psst_reader *r)
{
    struct psst_view v = psst_read_view(r, 1);
    return v.len == 1 ? v.data[0] : 0;
}

uint16_t psst_read_u16(struct psst_reader *r)
{
    struct psst_view v = psst_read_view(r, 2);
    return v.len == 2 ? psst_load_u16(v.data) : 0;
}

uint32_t psst_read_u24(struct psst_reader *r)
{
    struct psst_view v = psst_read_view(r, 3);
    return v.len == 3 ? (uint32_t)v.data[0] << 16 | (uint32_t)v.data[1] << 8 | v.data[2] : 0;
}

uint32_t psst_read_u32(struct psst_reader *r)
{
    struct psst_view v = psst_read_view(r, 4);
    return v.len == 4 ? psst_load_u32(v.data) : 0;
}

uint64_t psst_read_u64(struct psst_reader *r)
{
    struct psst_view v = psst_read_view(r, 8);
    return v.len == 8 ? psst_load_u64(v.data) : 0;
}

void psst_read_bytes(struct psst_reader *r, uint8_t *out, size_t len)
{
    struct psst_view v = psst_read_view(r, len);
    if (v.len == len && len > 0)
        memcpy(out, v.data, len);
    else
        memset(out, 0, len);
}

void psst_read_zeros(struct psst_reader *r)
{
    struct psst_view v = psst_read_rest(r);
    uint8_t any = 0;
    for (size_t i = 0; i < v.len; i++) any |= v.data[i];
    if (any != 0) r->failed = true;
}

bool psst_reader_end(const struct psst_reader *r)
{
    return !r->failed && r->left == 0;
}
