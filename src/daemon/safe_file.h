/* Files that come from a peer, and files that go to one (docs/THREAT-MODEL.md, "Files"; attacks 29 to 33).
 *
 * Whatever the peer calls a file, it ends up inside the folder that the user chose, under a name that is safe to show, never
 * over something that is there, never executable. While it comes in it is `.psst-<transfer id>.part` in that folder; all is
 * done by directory descriptor, so that nobody can put a symbolic link or another folder into the path meanwhile.
 * These functions wait for the disk: never on the loop thread. Linux only (openat2, renameat2).
 */
#ifndef PSST_DAEMON_SAFE_FILE_H
#define PSST_DAEMON_SAFE_FILE_H

#include "base/bytes.h"
#include "base/file_name.h"
#include "base/secret.h"

/* ---- incoming ---- */

struct psst_incoming {
    int dir_fd;    /* the folder, held open */
    int fd;        /* the part file, read and write */
    uint64_t size; /* bytes in it: 0 unless an earlier part was taken up again */
    uint64_t inode;
    char temp[48];
    char name[PSST_SAFE_NAME_SIZE]; /* the wish; after finish the name it got */
};

struct psst_incoming_wish {
    const char *dir;       /* may be reached through links: the user named it */
    struct psst_view name; /* sanitised here (again), but for exact */
    bool exact;            /* it is our user's: one path component, used as it is */
    const struct psst_msg_id *transfer_id;
    uint64_t inode, size; /* of the part file that there was before, and of the whole file; inode 0: there was none */
};

/* Makes the part file, mode 0600. One that is there already is taken up again, if it is ours: a regular file of this user
 * with one name. Another one at work on it: PSST_ERR_AGAIN. PSST_ERR_EXISTS: the part file that there was has been given its
 * name, in->name, by a finish that nobody has heard of; nothing is open then. */
PSST_MUST_USE enum psst_err psst_incoming_open(struct psst_incoming *in, const struct psst_incoming_wish *wish,
                                               struct psst_diag *diag);
/* Syncs, gives it its name or the first free "name (2)", syncs the folder, and closes. in->name then is the final name. On
 * error the part file stays and in is closed all the same. */
PSST_MUST_USE enum psst_err psst_incoming_finish(struct psst_incoming *in, struct psst_diag *diag);
void psst_incoming_abandon(struct psst_incoming *in); /* removes the part file, closes */
/* Syncs, closes; the part file stays for a resume. Whether it is safe. */
bool psst_incoming_keep(struct psst_incoming *in);
void psst_incoming_close(struct psst_incoming *in); /* nothing but that; again: harmless */
/* Removes what a transfer that will never be taken up again left in dir. */
void psst_incoming_remove(const char *dir, const struct psst_msg_id *transfer_id);

/* ---- outgoing ---- */

struct psst_outgoing {
    int fd;
    uint64_t size;
    int64_t mtime_ns;
    uint64_t inode; /* 0: this file system gives it another number every day */
};

/* A regular file only (links are followed: the user may mean what they lead to); never hangs on a FIFO. PSST_ERR_NOT_FOUND,
 * PSST_ERR_PERMISSION, PSST_ERR_USAGE (a folder, a device, ...), each with a sentence. The caller closes fd. */
PSST_MUST_USE enum psst_err psst_outgoing_open(struct psst_outgoing *out, const char *path, struct psst_diag *diag);
/* Whether of a file opened as `then` the first size bytes may no longer be what they were: it is shorter than that, or was
 * written to without growing. (Growing is no harm: what was offered is still there.) */
bool psst_outgoing_changed(const struct psst_outgoing *then, uint64_t size);

/* What an errno of a file operation means: PSST_ERR_DISK_FULL, PSST_ERR_PERMISSION, PSST_ERR_NOT_FOUND, ... */
enum psst_err psst_file_err(int e);

#endif
