/* One line after the other over a stream socket, each with up to four descriptors: the framing of the control socket
 * (docs/IPC.md), the same code on both sides. Never blocks; the owner polls fd and calls read and flush.
 *
 *   read:  recvmsg -> in ---line feed---> psst_lines_next     in_fds -> psst_lines_take_fds
 *   write: psst_lines_put -> out, marks (where descriptors ride) -> psst_lines_flush -> sendmsg
 *
 * What the other side sends is hostile: a line, the descriptors that wait, and what waits to be written are bounded,
 * and no descriptor is left open on any path.
 */
#ifndef PSST_IPC_LINES_H
#define PSST_IPC_LINES_H

#include "base/bytes.h"

#define PSST_LINE_MAX        ((size_t)1 << 20) /* bytes of a line, its line feed included */
#define PSST_LINE_FDS        ((size_t)4)       /* descriptors of one line */
#define PSST_LINES_OUT_MAX   ((size_t)4 << 20) /* bytes that may wait to be written */
#define PSST_LINES_MARKS     16                /* lines with descriptors that may wait to be written */
#define PSST_LINES_READ_SIZE ((size_t)65536)

struct psst_lines_mark {
    size_t at; /* offset in out of the line's first byte */
    int fds[PSST_LINE_FDS];
    size_t n;
};

struct psst_lines {
    int fd; /* owned; -1: none */
    struct psst_buf in, out;
    size_t in_at, scanned; /* first byte not yet given; where to go on looking for a line feed */
    size_t out_at;         /* first byte not yet written */
    int in_fds[2 * PSST_LINE_FDS];
    size_t n_in_fds;
    struct psst_lines_mark marks[PSST_LINES_MARKS];
    size_t n_marks;
    bool ended; /* the other side has closed */
};

void psst_lines_init(struct psst_lines *lines, int fd); /* takes fd */
void psst_lines_fini(struct psst_lines *lines);         /* closes everything */

/* Reads once. PSST_OK: something came, or the end of the stream (ended is set; PSST_OK only the first time).
 * PSST_ERR_AGAIN: nothing there. PSST_ERR_PROTOCOL: more descriptors than allowed. PSST_ERR_IO, PSST_ERR_MEMORY. */
PSST_MUST_USE enum psst_err psst_lines_read(struct psst_lines *lines);

/* The next whole line without its line feed, borrowed until the next read. PSST_ERR_AGAIN: none yet.
 * PSST_ERR_TOO_LONG: the line that is coming is over PSST_LINE_MAX. Descriptors that no line can claim are closed. */
PSST_MUST_USE enum psst_err psst_lines_next(struct psst_lines *lines, struct psst_view *line);

/* The first n descriptors that came and were not taken: those of the line just given, when it claims n. Gives them
 * (the caller closes). PSST_ERR_PROTOCOL: fewer have come; nothing is taken. */
PSST_MUST_USE enum psst_err psst_lines_take_fds(struct psst_lines *lines, int *out, size_t n);

/* Queues one line (without line feed; one is added) with n descriptors on its first byte; takes them, also on failure.
 * PSST_ERR_FULL: too much waits already, the other side does not read. PSST_ERR_TOO_LONG. */
PSST_MUST_USE enum psst_err psst_lines_put(struct psst_lines *lines, struct psst_view line, const int *fds, size_t n);

/* Writes what waits. PSST_OK: all written. PSST_ERR_AGAIN: the rest when the socket is writable. PSST_ERR_IO. */
PSST_MUST_USE enum psst_err psst_lines_flush(struct psst_lines *lines);

static inline size_t psst_lines_waiting(const struct psst_lines *lines)
{
    return lines->out.len - lines->out_at;
}

void psst_fds_close(const int *fds, size_t n);

#endif
