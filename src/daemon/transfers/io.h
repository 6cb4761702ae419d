/* The disk side of transfers: reading ahead, hashing and writing in workers (workers.h), in large pieces, so that the loop never
 * waits for a disk and never hashes. Every byte is hashed exactly once, in order, by the worker that has it in its cache.
 * What is read and written is transfers/ends.h.
 *
 *   source:  worker: read 1 MiB, hash --> up to PSST_IO_BLOCKS blocks --> loop: take() into records
 *   sink:    loop: put() from records --> blocks of 1 MiB, queued --> worker: hash, write
 *
 * All functions: loop thread. Callbacks: loop thread, never from inside a function called here. One worker job a transfer is
 * under way at any time, and beside it one that waits for the disk to have everything. After close or finish's done no
 * callback comes any more and the handle is gone.
 */
#ifndef PSST_DAEMON_TRANSFERS_IO_H
#define PSST_DAEMON_TRANSFERS_IO_H

#include "daemon/transfers/ends.h"
#include "daemon/workers.h"

#include <uv.h>

#define PSST_IO_BLOCK     (1024 * 1024)       /* bytes in one worker job */
#define PSST_IO_BLOCKS    3                   /* read ahead by a source */
#define PSST_IO_FULL      (4 * PSST_IO_BLOCK) /* queued in a sink: stop reading the socket */
#define PSST_IO_DRAINED   (2 * PSST_IO_BLOCK) /* and go on under this */
#define PSST_IO_QUEUE_MAX (6 * PSST_IO_BLOCK) /* what was read from the socket before stopping still fits */

#define PSST_IO_SIZE_UNKNOWN UINT64_MAX

/* ---- source: on its way out ---- */

struct psst_file_source;

/* err PSST_OK: more can be taken than when it was last looked, or, for the last time, everything has been read. Otherwise the
 * source has failed and gives nothing more: PSST_ERR_NOT_FOUND: what was offered is not there (any more): gone, shorter, or
 * changed. PSST_ERR_PERMISSION, PSST_ERR_USAGE, PSST_ERR_IO: as they say. diag has a sentence. */
typedef void psst_file_source_ready(void *ctx, enum psst_err err, const struct psst_diag *diag);

/* Takes origin, also on errors; begins at once. size: what was offered, more is never read; or PSST_IO_SIZE_UNKNOWN: until
 * the origin ends. start: where to begin taking; the bytes before it are hashed only. PSST_ERR_USAGE: start > size. */
PSST_MUST_USE enum psst_err psst_file_source_new(struct psst_file_source **out, struct psst_workers *workers,
                                                 struct psst_origin *origin, uint64_t size, uint64_t start,
                                                 psst_file_source_ready *ready, void *ctx);
/* Bytes that take would give now; and where in the whole the first of them stands. */
size_t psst_file_source_available(const struct psst_file_source *s);
uint64_t psst_file_source_position(const struct psst_file_source *s);
/* True when nothing more is read until something is taken, however little is available. */
bool psst_file_source_full(const struct psst_file_source *s);
/* True when nothing more comes but what is available. */
bool psst_file_source_complete(const struct psst_file_source *s);
/* True when that has been taken too: position is the size. */
bool psst_file_source_end(const struct psst_file_source *s);
/* Copies up to max bytes out, across blocks; gives how many. A sender of full records waits for ready while available is
 * under a record's worth and more comes. */
size_t psst_file_source_take(struct psst_file_source *s, uint8_t *out, size_t max);
/* The same without copying: the bytes up to the end of their block, borrowed until consume (n at most view.len). */
struct psst_view psst_file_source_peek(const struct psst_file_source *s);
void psst_file_source_consume(struct psst_file_source *s, size_t n);
/* SHA-256 of the whole. PSST_ERR_AGAIN before the end (ready comes once more at the end). */
PSST_MUST_USE enum psst_err psst_file_source_hash(const struct psst_file_source *s, struct psst_hash *hash);
void psst_file_source_close(struct psst_file_source *s); /* NULL is safe */

/* ---- sink: on its way in ---- */

struct psst_file_sink;

enum psst_file_sink_state {
    PSST_SINK_OPENED,  /* position is known now: that is the offset to put into FILE_ACCEPT */
    PSST_SINK_WHOLE,   /* instead: an earlier run had come to its end; whole gives the path; close it */
    PSST_SINK_WROTE,   /* written has risen */
    PSST_SINK_DRAINED, /* was full, is no more */
    PSST_SINK_SAFE,    /* a checkpoint has been reached: safe has risen */
    PSST_SINK_FAILED,  /* err and diag say why; close it */
};
typedef void psst_file_sink_changed(void *ctx, enum psst_file_sink_state state, enum psst_err err,
                                    const struct psst_diag *diag);
/* path: the final path when err is PSST_OK, else ""; diag then has a note for the user, or none. */
typedef void psst_file_sink_done(void *ctx, enum psst_err err, const char *path, const struct psst_diag *diag);
/* safe: so many bytes of it are on the disk and can be taken up again. */
typedef void psst_file_sink_closed(void *ctx, uint64_t safe);

/* Takes target, also on errors. start: how much of an earlier run may be taken up, 0: begin anew (what there was is
 * dropped); position tells what it came to. */
PSST_MUST_USE enum psst_err psst_file_sink_new(struct psst_file_sink **out, struct psst_workers *workers,
                                               struct psst_target *target, uint64_t size, uint64_t start,
                                               psst_file_sink_changed *changed, void *ctx);
/* Where the next byte put belongs. Before PSST_SINK_OPENED it is not known: 0. */
uint64_t psst_file_sink_position(const struct psst_file_sink *s);
/* Of that, what the target has taken; and what is known to be safe. */
uint64_t psst_file_sink_written(const struct psst_file_sink *s);
uint64_t psst_file_sink_safe(const struct psst_file_sink *s);
uint64_t psst_file_sink_inode(const struct psst_file_sink *s); /* of the part file; 0: none, or not opened yet */
const char *psst_file_sink_whole(const struct psst_file_sink *s);
/* Copies. PSST_OK: all was taken. PSST_ERR_PROTOCOL: past the announced size; PSST_ERR_AGAIN: not opened yet; PSST_ERR_FULL:
 * over PSST_IO_QUEUE_MAX; or why the sink has failed: nothing was taken. */
PSST_MUST_USE enum psst_err psst_file_sink_put(struct psst_file_sink *s, struct psst_view data);
/* Stop reading the socket until PSST_SINK_DRAINED. */
bool psst_file_sink_full(const struct psst_file_sink *s);
size_t psst_file_sink_queued(const struct psst_file_sink *s);
/* Makes safe all that has been put: PSST_SINK_SAFE comes when it is. Nothing happens while one is under way, or where the
 * target knows no such thing. */
void psst_file_sink_checkpoint(struct psst_file_sink *s);
/* All has been put, and that is size bytes. Writes the rest, compares, syncs, gives the file its name. done: PSST_ERR_AUTH:
 * another SHA-256, the part file is removed; PSST_ERR_PROTOCOL: bytes are missing; others: the part file is kept. The
 * handle is gone after done; close may be called before it (done then never comes). */
void psst_file_sink_finish(struct psst_file_sink *s, uint64_t size, const struct psst_hash *expected,
                           psst_file_sink_done *done, void *ctx);
/* keep: what was put is written and synced, and can be taken up again; else nothing stays behind. closed (may be NULL) is
 * called when the disk is done with it: not before that may another sink be made for the same transfer. NULL is safe. */
void psst_file_sink_close(struct psst_file_sink *s, bool keep, psst_file_sink_closed *closed, void *ctx);

#endif
