/* Small files of our own that are read whole and replaced whole: config, card.psst, store.key, replay. Mode 0600, written
 * beside and renamed, file and directory synchronised. Short waits for the disk, at the start and at rare changes only. */
#ifndef PSST_DAEMON_SMALL_FILE_H
#define PSST_DAEMON_SMALL_FILE_H

#include "base/bytes.h"

/* Appends the content to out. PSST_ERR_NOT_FOUND without a sentence; PSST_ERR_TOO_LONG over max bytes. */
PSST_MUST_USE enum psst_err psst_small_file_read(const char *path, size_t max, struct psst_buf *out,
                                                 struct psst_diag *diag);
PSST_MUST_USE enum psst_err psst_small_file_write(const char *path, struct psst_view content, struct psst_diag *diag);

/* The same in two steps, for a file that somebody else fills: an empty file beside path, then its taking path's place.
 * fd is open for writing; commit and abandon close nothing. */
PSST_MUST_USE enum psst_err psst_small_file_begin(const char *path, int *fd, struct psst_diag *diag);
PSST_MUST_USE enum psst_err psst_small_file_commit(const char *path, struct psst_diag *diag);
void psst_small_file_abandon(const char *path);

#endif
