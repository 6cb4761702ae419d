/* Views, buffers, and the one place where bytes become fields and fields become bytes.
 *
 * struct psst_view borrows bytes for reading. struct psst_buf owns bytes, grows up to a maximum set at its start, and
 * is wiped when freed. struct psst_reader takes a view apart: its failure is sticky, so a parser reads all its fields
 * and asks once, with psst_reader_end, whether everything was there and nothing more. Writing is appending to a
 * psst_buf; its failure is sticky too. All integers on the wire are big-endian (docs/PROTOCOL.md, "Notation").
 */
#ifndef PSST_BASE_BYTES_H
#define PSST_BASE_BYTES_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct psst_view {
    const uint8_t *data;
    size_t len;
};

static inline struct psst_view psst_view(const void *data, size_t len)
{
    return (struct psst_view){(const uint8_t *)data, len};
}

static inline struct psst_view psst_view_str(const char *s)
{
    return psst_view(s, strlen(s));
}

/* Equal in length and content. Not constant-time: secrets are compared by psst_crypto_equal. */
bool psst_view_equal(struct psst_view a, struct psst_view b);

/* ---- buffer ---- */

struct psst_buf {
    uint8_t *data;
    size_t len;
    size_t cap;
    size_t max;  /* never grows past this many bytes */
    bool failed; /* sticky: out of memory or over max; what is in data is then incomplete */
};

/* An empty buffer that may grow to max bytes. Allocates nothing. */
void psst_buf_init(struct psst_buf *buf, size_t max);

/* Wipes and frees. The buffer is empty afterwards and may be used again, with the same max. */
void psst_buf_fini(struct psst_buf *buf);

/* Makes room for len more bytes behind data + data_len, without changing len: PSST_ERR_TOO_LONG or PSST_ERR_MEMORY
 * (and then failed is set). The room is buf->data + buf->len. */
PSST_MUST_USE enum psst_err psst_buf_reserve(struct psst_buf *buf, size_t len);

/* Drops the first len bytes (len at most buf->len), moving the rest to the front. */
void psst_buf_consume(struct psst_buf *buf, size_t len);

void psst_buf_put(struct psst_buf *buf, const void *data, size_t len);
void psst_buf_put_view(struct psst_buf *buf, struct psst_view view);
void psst_buf_put_str(struct psst_buf *buf, const char *s); /* without its terminator */
void psst_buf_put_u8(struct psst_buf *buf, uint8_t v);
void psst_buf_put_u16(struct psst_buf *buf, uint16_t v);
void psst_buf_put_u24(struct psst_buf *buf, uint32_t v);
void psst_buf_put_u32(struct psst_buf *buf, uint32_t v);
void psst_buf_put_u64(struct psst_buf *buf, uint64_t v);
void psst_buf_put_zeros(struct psst_buf *buf, size_t len);
void psst_buf_printf(struct psst_buf *buf, const char *fmt, ...) PSST_PRINTF(2, 3);

static inline struct psst_view psst_buf_view(const struct psst_buf *buf)
{
    return psst_view(buf->data, buf->len);
}

/* Fixed places: big-endian numbers into memory that is known to be large enough. */
void psst_store_u16(uint8_t out[2], uint16_t v);
void psst_store_u32(uint8_t out[4], uint32_t v);
void psst_store_u64(uint8_t out[8], uint64_t v);
uint16_t psst_load_u16(const uint8_t in[2]);
uint32_t psst_load_u32(const uint8_t in[4]);
uint64_t psst_load_u64(const uint8_t in[8]);

/* ---- reader ---- */

struct psst_reader {
    const uint8_t *at;
    size_t left;
    bool failed; /* sticky; every later read gives zeros and empty views */
};

struct psst_reader psst_reader(struct psst_view view);
uint8_t psst_read_u8(struct psst_reader *r);
uint16_t psst_read_u16(struct psst_reader *r);
uint32_t psst_read_u24(struct psst_reader *r);
uint32_t psst_read_u32(struct psst_reader *r);
uint64_t psst_read_u64(struct psst_reader *r);
/* Borrows len bytes of the view. */
struct psst_view psst_read_view(struct psst_reader *r, size_t len);
/* Borrows all that is left. */
struct psst_view psst_read_rest(struct psst_reader *r);
/* Copies len bytes to out (zeros when they are not there). */
void psst_read_bytes(struct psst_reader *r, uint8_t *out, size_t len);
/* Demands that all the rest is zero bytes, and consumes it. */
void psst_read_zeros(struct psst_reader *r);
/* True when everything was there and nothing is left. */
PSST_MUST_USE bool psst_reader_end(const struct psst_reader *r);

#endif
