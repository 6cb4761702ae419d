/* psst-key's way to files and pipes: it opens nothing, it reads and writes descriptors that it was handed. Everything has
 * a maximum and a deadline, because whoever holds the other end may never close it. */
#ifndef PSST_DAEMON_KEY_FILES_H
#define PSST_DAEMON_KEY_FILES_H

#include "base/bytes.h"

/* Reads fd to its end into out, which holds max bytes. PSST_ERR_TOO_LONG when there is more; PSST_ERR_EXPIRED after
 * timeout_ms in all; PSST_ERR_AGAIN when the other end of the socket watch (-1: none) has closed, so that nobody waits for the
 * result; PSST_ERR_IO. */
PSST_MUST_USE enum psst_err psst_key_read_all(uint8_t *out, size_t max, size_t *len, int fd, int watch, int timeout_ms);

/* Writes data to fd, which must be an empty plain file that nobody else may read, and waits for the disk. */
PSST_MUST_USE enum psst_err psst_key_write_file(int fd, struct psst_view data, struct psst_diag *diag);

/* True when the other end of the socket has closed. */
bool psst_key_peer_gone(int socket);

#endif
