/* What psst-tar gives up: tar/sandbox_linux.c; another system brings its own file. */
#ifndef PSST_DAEMON_TAR_SANDBOX_H
#define PSST_DAEMON_TAR_SANDBOX_H

#include "base/err.h"

/* First of all: no core files, deaf to the terminal's signals (it ends when psstd does), no descriptor but its own. */
PSST_MUST_USE enum psst_err psst_tar_harden(void);

enum psst_tar_may {
    PSST_TAR_MAY_LOOK,  /* pack, measure: open for reading, list */
    PSST_TAR_MAY_READ,  /* the child that parses: read and write what is open, and nothing else */
    PSST_TAR_MAY_WRITE, /* unpack: make new files and folders, never open one that is there for writing; remove */
};
/* Only the system calls that this needs from here on: no network and no other program in any case. Builds with sanitizers run
 * without (PSST_SANITIZED). */
PSST_MUST_USE enum psst_err psst_tar_sandbox(enum psst_tar_may may);

#endif
