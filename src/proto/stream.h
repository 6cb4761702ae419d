/* The two byte streams of a link.
 *
 * Coming in: records that lie wholly in the caller's scratch are worked on in place; only what is left unfinished is
 * copied, to a buffer of our own, and more is then read behind it. Going out: one buffer, at whose end records are built
 * and sealed in place, and from whose front the socket takes. An empty buffer is freed: at once when small, after a second
 * without use when large, so that bulk data does not allocate for every record.
 */
#ifndef PSST_PROTO_STREAM_H
#define PSST_PROTO_STREAM_H

#include "proto/link.h"

#define PSST_INPUT_MAX  (1024 * 1024)         /* what may wait while a question is open */
#define PSST_INPUT_BULK (4 * PSST_RECORD_MAX) /* our own buffer while large records come */

struct psst_input {
    struct psst_buf own; /* unfinished bytes; those before own_at are done */
    size_t own_at;
    uint8_t *lent; /* the rest of the caller's scratch, until the turn ends; empty while own is not */
    size_t lent_len;
    uint64_t unused_ns; /* since when own is empty and kept; PSST_NEVER: it is not kept */
};

void psst_input_init(struct psst_input *in);
void psst_input_fini(struct psst_input *in);
/* All that waits, in one piece. */
struct psst_span psst_input_waiting(const struct psst_input *in);
/* The first len bytes of it are done with; they stay where they are until the next call that takes more in. */
void psst_input_take(struct psst_input *in, size_t len);
/* Drops everything. */
void psst_input_drop(struct psst_input *in);
/* As psst_link_space. expect: how many bytes the record or message has that is waiting, 0 when not known. */
PSST_MUST_USE enum psst_err psst_input_space(struct psst_input *in, struct psst_span scratch, size_t expect,
                                             struct psst_span *space);
PSST_MUST_USE enum psst_err psst_input_received(struct psst_input *in, uint8_t *data, size_t len);
/* The turn ends: copies what is unfinished out of the scratch, frees what is not needed any more. */
PSST_MUST_USE enum psst_err psst_input_settle(struct psst_input *in, uint64_t now_ns);
uint64_t psst_input_deadline(const struct psst_input *in);

struct psst_output {
    struct psst_buf buf;
    size_t at; /* bytes before it are sent */
    uint64_t unused_ns;
};

void psst_output_init(struct psst_output *out);
void psst_output_fini(struct psst_output *out);
struct psst_view psst_output_waiting(const struct psst_output *out);
/* Makes room for len bytes at out->buf's end, where the caller then appends; everything before must be left alone. */
PSST_MUST_USE enum psst_err psst_output_room(struct psst_output *out, size_t len);
void psst_output_sent(struct psst_output *out, size_t len, uint64_t now_ns);
void psst_output_settle(struct psst_output *out, uint64_t now_ns);
uint64_t psst_output_deadline(const struct psst_output *out);

#endif
