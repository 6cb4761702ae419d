/* A backup as a file on the disk: written under another name and given its own only once it is whole and safe; opened and read
 * for restoring. These functions wait for the disk: never on the loop thread. */
#ifndef PSST_DAEMON_BACKUP_FILE_H
#define PSST_DAEMON_BACKUP_FILE_H

#include "daemon/backup/format.h"

#include <stdatomic.h>

/* ---- writing ---- */

struct psst_backup_out {
    int dir_fd; /* -1: it has no name, all goes to fd */
    int fd;
    uint64_t written, synced;
    char name[256];
    char temp[256]; /* "." name ".part" */
};

/* Begins a file that is not there yet: PSST_ERR_EXISTS. path is absolute. What an earlier try left is taken up and emptied;
 * PSST_ERR_AGAIN: another one is at it. */
PSST_MUST_USE enum psst_err psst_backup_out_open(struct psst_backup_out *out, const char *path, struct psst_diag *diag);
/* All goes to fd (taken), such as a pipe. */
void psst_backup_out_over(struct psst_backup_out *out, int fd);
/* Goes on to the disk as it comes, so that no later fsync of anybody has to wait for all of it at once. PSST_ERR_AGAIN once
 * *stop is set; PSST_ERR_EXPIRED: nobody reads the pipe. */
PSST_MUST_USE enum psst_err psst_backup_out_write(struct psst_backup_out *out, struct psst_view data, atomic_bool *stop,
                                                  struct psst_diag *diag);
/* Safe on the disk, and under its name, which it never takes from another file (PSST_ERR_EXISTS). Closes. When it fails,
 * nothing is left. */
PSST_MUST_USE enum psst_err psst_backup_out_finish(struct psst_backup_out *out, struct psst_diag *diag);
void psst_backup_out_abandon(struct psst_backup_out *out); /* nothing is left; closes */

/* ---- reading ---- */

struct psst_backup_in {
    int fd;
    uint64_t size; /* bytes of all chunks */
    uint8_t header[PSST_BACKUP_HEADER_LEN];
    size_t identity_len;
    uint8_t identity[PSST_BACKUP_IDENTITY_MAX]; /* sealed */
};

/* Opens it, reads and checks its head. Errors with a sentence: PSST_ERR_NOT_FOUND, PSST_ERR_PERMISSION, PSST_ERR_MALFORMED,
 * PSST_ERR_DAMAGED, ... */
PSST_MUST_USE enum psst_err psst_backup_in_open(struct psst_backup_in *in, const char *path, struct psst_diag *diag);
/* Reads all the rest into the sink. */
PSST_MUST_USE enum psst_err psst_backup_in_read(struct psst_backup_in *in, const struct psst_aead_key *key,
                                                const struct psst_backup_sink *sink, atomic_bool *stop,
                                                struct psst_diag *diag);
void psst_backup_in_close(struct psst_backup_in *in);

#endif
