/* The disk side of file transfers: reading ahead, hashing and writing in libuv's workers, in large pieces, so that the loop
 * never waits for a disk and never hashes. Every byte is hashed exactly once, in order, by the worker that has it in its cache.
 *
 *   source:  worker: read 1 MiB, hash --> up to PSST_IO_BLOCKS blocks --> loop: take() into records
 *   sink:    loop: put() from records --> blocks of 1 MiB, queued --> worker: hash, write
 *
 * All functions: loop thread. Callbacks: loop thread, never from inside a function called here. One worker job a transfer is
 * under way at any time. After close or finish's done no callback comes any more and the handle is gone.
 */
#ifndef PSST_DAEMON_TRANSFER_IO_H
#define PSST_DAEMON_TRANSFER_IO_H

#include "base/bytes.h"
#include "base/secret.h"

#include <uv.h>

#define PSST_IO_BLOCK     (1024 * 1024)       /* bytes in one worker job */
#define PSST_IO_BLOCKS    3                   /* read ahead by a source */
#define PSST_IO_FULL      (4 * PSST_IO_BLOCK) /* queued in a sink: stop reading the socket */
#define PSST_IO_DRAINED   (2 * PSST_IO_BLOCK) /* and go on under this */
#define PSST_IO_QUEUE_MAX (6 * PSST_IO_BLOCK) /* what was read from the socket before stopping still fits */

/* ---- source: a file on its way out ---- */

struct psst_file_source;

/* err PSST_OK: more can be taken than when it was last looked, or, for the last time, everything has been read. Otherwise the
 * source has failed and gives nothing more: PSST_ERR_NOT_FOUND: what was offered is not there (any more): gone, shorter, or
 * changed while it was read. PSST_ERR_PERMISSION, PSST_ERR_USAGE, PSST_ERR_IO: as they say. diag has a sentence. */
typedef void psst_file_source_ready(void *ctx, enum psst_err err, const struct psst_diag *diag);

/* Begins at once. size: what was offered; more is never read. start: where to begin taking; the bytes before it are hashed
 * only. PSST_ERR_USAGE: start > size. */
PSST_MUST_USE enum psst_err psst_file_source_new(struct psst_file_source **out, uv_loop_t *loop, const char *path,
                                                 uint64_t size, uint64_t start, psst_file_source_ready *ready,
                                                 void *ctx);
/* Bytes that take would give now; and where in the file the first of them stands. */
size_t psst_file_source_available(const struct psst_file_source *s);
uint64_t psst_file_source_position(const struct psst_file_source *s);
/* True when position == size. */
bool psst_file_source_end(const struct psst_file_source *s);
/* Copies up to max bytes out, across blocks; gives how many. A sender of full records waits for ready while available is
 * under a record's worth and position + available < size. */
size_t psst_file_source_take(struct psst_file_source *s, uint8_t *out, size_t max);
/* The same without copying: the bytes up to the end of their block, borrowed until consume (n at most view.len). */
struct psst_view psst_file_source_peek(const struct psst_file_source *s);
void psst_file_source_consume(struct psst_file_source *s, size_t n);
/* SHA-256 of the whole file. PSST_ERR_AGAIN before the end (ready comes once more at the end). */
PSST_MUST_USE enum psst_err psst_file_source_hash(const struct psst_file_source *s, struct psst_hash *hash);
void psst_file_source_close(struct psst_file_source *s); /* NULL is safe */

/* ---- sink: a file on its way in ---- */

struct psst_file_sink;

enum psst_file_sink_state {
    PSST_SINK_OPENED,  /* position is known now: that is the offset to put into FILE_ACCEPT */
    PSST_SINK_DRAINED, /* was full, is no more */
    PSST_SINK_FAILED,  /* err and diag say why; close it */
};
typedef void psst_file_sink_changed(void *ctx, enum psst_file_sink_state state, enum psst_err err,
                                    const struct psst_diag *diag);
/* path: the final path when err is PSST_OK, else "". */
typedef void psst_file_sink_done(void *ctx, enum psst_err err, const char *path, const struct psst_diag *diag);

/* name is the peer's or ours: sanitised again. start: how much of an earlier part file may be taken up, 0: begin anew (an
 * old part file is emptied), UINT64_MAX: all that is there; position tells what it came to. Fails early with
 * PSST_ERR_DISK_FULL when there is less room than the file needs. */
PSST_MUST_USE enum psst_err psst_file_sink_new(struct psst_file_sink **out, uv_loop_t *loop, const char *dir,
                                               struct psst_view name, const struct psst_msg_id *transfer_id,
                                               uint64_t size, uint64_t start, psst_file_sink_changed *changed,
                                               void *ctx);
/* Where the next byte put belongs. Before PSST_SINK_OPENED it is not known: 0. */
uint64_t psst_file_sink_position(const struct psst_file_sink *s);
/* Copies. PSST_OK: all was taken. PSST_ERR_PROTOCOL: past the announced size; PSST_ERR_AGAIN: not opened yet; PSST_ERR_FULL:
 * over PSST_IO_QUEUE_MAX; or why the sink has failed: nothing was taken. */
PSST_MUST_USE enum psst_err psst_file_sink_put(struct psst_file_sink *s, struct psst_view data);
/* Stop reading the socket until PSST_SINK_DRAINED. */
bool psst_file_sink_full(const struct psst_file_sink *s);
size_t psst_file_sink_queued(const struct psst_file_sink *s);
/* All has been put. Writes the rest, compares, syncs, gives the file its name. done: PSST_ERR_AUTH: another SHA-256, the part
 * file is removed; PSST_ERR_PROTOCOL: bytes are missing; others: the part file is kept. The handle is gone after done;
 * close may be called before it (done then never comes). */
void psst_file_sink_finish(struct psst_file_sink *s, const struct psst_hash *expected, psst_file_sink_done *done,
                           void *ctx);
/* keep: what was put is written and synced, and can be taken up again; else the part file is removed. closed (may be NULL)
 * is called when the disk is done with it: not before that may another sink be made for the same transfer. NULL is safe. */
void psst_file_sink_close(struct psst_file_sink *s, bool keep, void (*closed)(void *ctx), void *ctx);

#endif
