/* psst-tar (tar.h), as psstd's workers start it: one process for one folder, with nothing but its descriptors. It ends by
 * itself, when it is told to, or when psstd does. Any thread, one call at a time. */
#ifndef PSST_DAEMON_TRANSFERS_FOLDER_CHILD_H
#define PSST_DAEMON_TRANSFERS_FOLDER_CHILD_H

#include "daemon/tar/tar.h"

#include <sys/types.h>

struct psst_folder_child {
    pid_t pid;          /* 0: none */
    int report_fd;      /* to be polled for reading */
    int line_fd;        /* closed when psstd ends: it ends, too */
    struct psst_buf in; /* of the report */
};

struct psst_folder_report {
    struct psst_tar_facts facts;
    char left_out[PSST_TAR_REPORT_MAX]; /* "path: why", a line each; not all of them when there are many */
};

#define PSST_FOLDER_CHILD_NONE ((struct psst_folder_child){.report_fd = -1, .line_fd = -1})

/* args: behind the program's name, ended by NULL. Borrows in_fd and out_fd (-1: none). */
PSST_MUST_USE enum psst_err psst_folder_child_start(struct psst_folder_child *child, const char *program,
                                                    const char *const *args, int in_fd, int out_fd,
                                                    struct psst_diag *diag);
/* Its end, and what it reports: PSST_ERR_MALFORMED: refused; PSST_ERR_NOT_FOUND: the folder has changed;
 * PSST_ERR_DISK_FULL, PSST_ERR_IO; diag has its sentence. wait false: PSST_ERR_AGAIN while it still runs. */
PSST_MUST_USE enum psst_err psst_folder_child_end(struct psst_folder_child *child, bool wait,
                                                  struct psst_folder_report *report, struct psst_diag *diag);
/* Ends it, and waits until it is gone. None: harmless. */
void psst_folder_child_kill(struct psst_folder_child *child);
/* The same without waiting: a disk that hangs would hold it, and us. Whoever hears of SIGCHLD calls reap. */
void psst_folder_child_abandon(struct psst_folder_child *child);
void psst_folder_reap(void);

/* What the folder at path comes to (psst-tar measure). PSST_ERR_TOO_LONG: more than can be sent. */
PSST_MUST_USE enum psst_err psst_folder_measure(const char *program, const char *path,
                                                struct psst_folder_report *report, struct psst_diag *diag);
/* The folder at path, open for psst-tar. -1: errno and diag say why. */
int psst_folder_open(const char *path, struct psst_diag *diag);

#endif
