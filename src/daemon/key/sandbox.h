/* What psst-key gives up before it sees the first secret: key/sandbox_linux.c; another system brings its own file. */
#ifndef PSST_DAEMON_KEY_SANDBOX_H
#define PSST_DAEMON_KEY_SANDBOX_H

#include "base/err.h"

/* First of all: not dumpable, no core files, deaf to the terminal's signals, no descriptor above PSST_KEY_SOCKET. */
PSST_MUST_USE enum psst_err psst_key_harden(void);

/* Last of all, once libcrypto is ready: only the system calls that are needed from here on. Builds with sanitizers run
 * without (PSST_SANITIZED). */
PSST_MUST_USE enum psst_err psst_key_sandbox(void);

#endif
