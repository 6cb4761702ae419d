/* The two ends of a transfer, as the pumps of transfers/io.h see them: what is read from on its way out, what is written to on
 * its way in. A form of transfer is an origin and a target: files and part files (transfers/file.c), descriptors of pipes,
 * sockets and the like (transfers/pipe.c). Hashing, blocks, threads and flow control are the pumps'.
 *
 * All functions run in a worker and may wait for the disk, but for nobody else: what would wait gives PSST_ERR_AGAIN, and
 * the pump polls fd. One call at a time, but for sync. An error comes with a sentence in diag. After a function has failed
 * only end and free are called.
 */
#ifndef PSST_DAEMON_TRANSFERS_ENDS_H
#define PSST_DAEMON_TRANSFERS_ENDS_H

#include "base/bytes.h"
#include "base/secret.h"

/* ---- on its way out ---- */

struct psst_origin;
struct psst_origin_ops {
    /* Once, first. PSST_ERR_NOT_FOUND: what was offered is not there (any more). */
    enum psst_err (*open)(struct psst_origin *o, struct psst_diag *diag);
    /* At least one byte and at most len into the buffer, from where the last call ended; *n 0: the end. */
    enum psst_err (*read)(struct psst_origin *o, uint8_t *into, size_t len, size_t *n, struct psst_diag *diag);
    /* All that was offered has been read: whether it was one thing from the first byte to the last. NULL: nothing to ask. */
    enum psst_err (*check)(struct psst_origin *o, struct psst_diag *diag);
    /* Also when open never ran or failed. Any thread. */
    void (*free)(struct psst_origin *o);
};
struct psst_origin {
    const struct psst_origin_ops *ops;
    int fd; /* to be polled after PSST_ERR_AGAIN; else -1 */
};

/* What a file was when it was offered; zeros: not known. */
struct psst_source_id {
    uint64_t size;
    int64_t mtime_ns;
    uint64_t inode;
};

/* Gives the first id->size bytes of the file at path, if it still is what it was. */
PSST_MUST_USE enum psst_err psst_origin_of_file(struct psst_origin **out, const char *path,
                                                const struct psst_source_id *id);
/* Gives the folder at path as psst-tar packs it (program: where that is, borrowed for as long as psstd runs), if id->size and
 * id->inode are still what psst_folder_measure said, as size and stamp. */
PSST_MUST_USE enum psst_err psst_origin_of_folder(struct psst_origin **out, const char *program, const char *path,
                                                  const struct psst_source_id *id);
/* Gives what comes out of a pipe, a socket, a terminal or a file from where it stands. Takes fd, also on errors. */
PSST_MUST_USE enum psst_err psst_origin_of_fd(struct psst_origin **out, int fd);

/* ---- on its way in ---- */

/* What a target is asked to open, and what it came to. */
struct psst_target_open {
    uint64_t size;  /* in: of the whole, or UINT64_MAX: not known */
    uint64_t start; /* in: how much of an earlier run may be taken up; out: how much is, in order from byte 0 */
    char *whole; /* out: an earlier run had come to its end already: the path that finish gave; freed by the caller */
};

struct psst_target;
struct psst_target_ops {
    /* Once, first. PSST_ERR_DISK_FULL when there is less room than it needs. */
    enum psst_err (*open)(struct psst_target *t, struct psst_target_open *open, struct psst_diag *diag);
    /* Exactly len bytes of what was taken up, from at on. NULL when open takes nothing up. */
    enum psst_err (*read_back)(struct psst_target *t, uint8_t *into, size_t len, uint64_t at, struct psst_diag *diag);
    /* *n of the len bytes have been taken, at least one. PSST_ERR_NOT_FOUND: nobody reads what is written any more. */
    enum psst_err (*write)(struct psst_target *t, const uint8_t *data, size_t len, size_t *n, struct psst_diag *diag);
    /* All that was written when it was called is safe. May run beside write, in another thread. NULL: there is no such
     * thing. */
    enum psst_err (*sync)(struct psst_target *t, struct psst_diag *diag);
    /* It is whole and its hash is right. *path is given ("" when there is none), freed by the caller; a sentence in diag then
     * is a note for the user. PSST_ERR_AGAIN: another process works on it; called again when fd can be read. PSST_ERR_MALFORMED:
     * what came cannot be used, nothing of it is kept. */
    enum psst_err (*finish)(struct psst_target *t, char **path, struct psst_diag *diag);
    /* Comes to nothing, in this run (keep: synced, to be taken up again) or for good: then nothing stays behind. Gives
     * whether what was written is safe. */
    bool (*end)(struct psst_target *t, bool keep);
    /* Also when open never ran or failed. Any thread. */
    void (*free)(struct psst_target *t);
};
struct psst_target {
    const struct psst_target_ops *ops;
    int fd;         /* to be polled after PSST_ERR_AGAIN, and for its other end being closed; else -1 */
    uint64_t inode; /* once open: of the part file, of a folder's the hidden folder; 0: there is none */
};

/* The part file of this transfer in dir. name is the peer's or ours; exact: our user's, to be used as it is. inode: of the
 * part file that an earlier run had, 0: none. */
PSST_MUST_USE enum psst_err psst_target_of_part(struct psst_target **out, const char *dir, struct psst_view name,
                                                bool exact, const struct psst_msg_id *transfer_id, uint64_t inode);
int psst_target_part_fd(const struct psst_target *part); /* once open: the part file's descriptor; borrowed */
/* A folder: a part file as above, which psst-tar unpacks at the end. inode: of the hidden folder that an earlier run had. */
PSST_MUST_USE enum psst_err psst_target_of_folder(struct psst_target **out, const char *program, const char *dir,
                                                  struct psst_view name, bool exact,
                                                  const struct psst_msg_id *transfer_id, uint64_t inode);
#define PSST_FOLDER_TEMP_SIZE 48
/* Removes what unpacking for a transfer that will never be taken up again left in dir, beside its part file. inode: of the
 * hidden folder, as it was noted; another one under its name goes only if it is empty. */
void psst_folder_remove(const char *dir, const struct psst_msg_id *transfer_id, uint64_t inode);
/* A pipe, a socket, a terminal or a file from where it stands. Takes fd, also on errors. */
PSST_MUST_USE enum psst_err psst_target_of_fd(struct psst_target **out, int fd);

#endif
