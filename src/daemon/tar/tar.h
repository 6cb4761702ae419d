/* psst-tar: a folder as one tar stream, and back. A process of its own, which psstd starts beside psst-key and for one folder:
 * what reads an archive that a stranger made has no key, no network and no way to start anything. psstd knows the descriptors,
 * the exit codes and the report; everything below that is psst-tar's own. docs/PROTOCOL.md, "Folders", says what the stream
 * holds; docs/ARCHITECTURE.md, where this stands.
 *
 *   measure              0: the folder                                   how long its stream will be, and what is left out
 *   pack SIZE STAMP      0: the folder, 1: a pipe                        the stream, if the folder still is what was measured
 *   unpack               0: the whole archive, 1: an empty hidden folder its files; all checks come before the first of them
 *
 *   walk (sorted, no links) -> pack (libarchive)            read (libarchive, a child without a file system) -> plan -> write
 *
 * 2: the report, lines of "word value"; one that ends with another code than 0 has a line "error SENTENCE".
 * 3: a pipe that psstd holds the other end of: when that is closed, psst-tar ends. Missing: nobody to wait for.
 */
#ifndef PSST_DAEMON_TAR_TAR_H
#define PSST_DAEMON_TAR_TAR_H

#include "base/bytes.h"

#define PSST_TAR_ENTRIES_MAX 100000 /* files and folders in one folder */
#define PSST_TAR_DEPTH_MAX   32     /* names in one path */
#define PSST_TAR_NAME_MAX    255    /* bytes of one of them */
#define PSST_TAR_PATH_MAX    4096   /* and of all, with the '/' between them */
#define PSST_TAR_BLOCK       512
#define PSST_TAR_NAMED_MAX   20 /* of what is left out, so many are named */
#define PSST_TAR_REPORT_MAX  16384

#define PSST_TAR_REPORT_FD 2
#define PSST_TAR_LINE_FD   3

enum psst_tar_exit {
    PSST_TAR_DONE = 0,
    PSST_TAR_FAILED = 1,
    PSST_TAR_USAGE = 2,
    PSST_TAR_REFUSED = 3,   /* unpack: it holds what may not be, or is damaged; pack, measure: more than may be sent */
    PSST_TAR_CHANGED = 4,   /* pack: the folder is not what it was */
    PSST_TAR_DISK_FULL = 5, /* unpack */
    PSST_TAR_LEFT = 6,      /* whoever waited for it is gone */
};

struct psst_tar_facts {
    uint64_t size;  /* of the stream */
    uint64_t stamp; /* a number that another folder, or this one after a change, hardly ever has: paths, sizes, times */
    uint64_t bytes; /* of all files */
    uint32_t files, folders;
    uint32_t left;    /* left out: links, devices, what cannot be read */
    uint32_t renamed; /* unpack: whose name had to be changed */
};

/* PSST_OK: whoever waits is still there. PSST_ERR_EXPIRED: not; then everything comes to its end. */
PSST_MUST_USE enum psst_err psst_tar_alive(void);
int psst_tar_line(void); /* the pipe that it looks at; -1: none, as it is until it is set */
void psst_tar_line_set(int fd);

/* A path from outside in a sentence: rendered, and cut. One of a few static buffers. */
const char *psst_tar_shown(struct psst_view path);

/* ---- tar/walk.c: what is in a folder, sorted by name, a folder before what is in it ---- */

struct psst_tar_walk;
typedef void psst_tar_left_out(void *ctx, const char *path, const char *why);

struct psst_tar_found {
    const char *path; /* valid UTF-8; until the next call */
    bool folder;
    int fd; /* of a file, to read from; the caller closes it */
    uint64_t size;
    int64_t mtime_s;
    uint32_t mtime_ns;
};

/* Borrows dir_fd until the end; left may be NULL. NULL: out of memory. */
struct psst_tar_walk *psst_tar_walk_new(int dir_fd, psst_tar_left_out *left, void *ctx);
void psst_tar_walk_free(struct psst_tar_walk *walk);
/* found->path NULL: there is nothing more. PSST_ERR_TOO_LONG: over a limit. */
PSST_MUST_USE enum psst_err psst_tar_walk_next(struct psst_tar_walk *walk, struct psst_tar_found *found,
                                               struct psst_diag *diag);

/* ---- tar/pack.c ---- */

/* Fills in *facts without reading any file. */
PSST_MUST_USE enum psst_err psst_tar_measure(int dir_fd, struct psst_tar_facts *facts, psst_tar_left_out *left,
                                             void *ctx, struct psst_diag *diag);
/* Writes the stream. PSST_ERR_NOT_FOUND: the folder has not that size and stamp, or has them no more. */
PSST_MUST_USE enum psst_err psst_tar_pack(int dir_fd, int out_fd, uint64_t size, uint64_t stamp,
                                          struct psst_diag *diag);

/* ---- tar/read.c: what an archive says is in it ---- */

struct psst_tar_item {
    struct psst_view path; /* as it stands there */
    bool folder;
    uint64_t size, offset; /* where in the archive its bytes lie */
    int64_t mtime_s;
};
typedef enum psst_err psst_tar_each(void *ctx, const struct psst_tar_item *item, struct psst_diag *diag);
/* Reads the headers of the archive of that size. PSST_ERR_MALFORMED: it is not what docs/PROTOCOL.md allows, diag names the
 * entry. What each returns ends it. */
PSST_MUST_USE enum psst_err psst_tar_read(int fd, uint64_t size, psst_tar_each *each, void *ctx,
                                          struct psst_diag *diag);

/* ---- tar/plan.c: under which names it comes to the disk, if at all ---- */

struct psst_tar_node {
    struct psst_tar_node *parent, *next; /* parent NULL: the folder itself; next: later ones */
    char *raw, *name;                    /* as it stood in the archive; as it will be called */
    unsigned copies;                     /* of its name that are taken: 1 is the name itself, 2 "name (2)" */
    unsigned depth;                      /* 1: right in the folder */
    bool folder;
    uint64_t size, offset;
    int64_t mtime_s;
};

struct psst_tar_plan {
    uint64_t archive_size, bytes;
    uint32_t files, folders, renamed;
    struct psst_tar_node *first, *last;
    void *by_raw, *by_name; /* trees (tsearch) */
};

void psst_tar_plan_init(struct psst_tar_plan *plan, uint64_t archive_size);
void psst_tar_plan_fini(struct psst_tar_plan *plan);
/* Any item; believes nothing of it. PSST_ERR_MALFORMED with a sentence that names it. */
PSST_MUST_USE enum psst_err psst_tar_plan_add(struct psst_tar_plan *plan, const struct psst_tar_item *item,
                                              struct psst_diag *diag);

/* ---- tar/write.c ---- */

/* Everything of the plan below dir_fd, which is empty, and safe on the disk. Names may get other copies where the file system
 * takes two for one. */
PSST_MUST_USE enum psst_err psst_tar_write(struct psst_tar_plan *plan, int archive_fd, int dir_fd,
                                           struct psst_diag *diag);

/* ---- tar/unpack.c: read (in a child), plan, write ---- */

/* Takes what the child says from the pipe, up to its end, into the plan. */
PSST_MUST_USE enum psst_err psst_tar_listen(int fd, struct psst_tar_plan *plan, struct psst_diag *diag);
/* Puts on a filter (tar/sandbox.h) on the way: what calls it does nothing else afterwards. */
PSST_MUST_USE enum psst_err psst_tar_unpack(int archive_fd, int dir_fd, struct psst_tar_facts *facts,
                                            struct psst_diag *diag);

#endif
