/* What psst-voice gives up before it sees what strangers have encoded: voice/sandbox_linux.c; another system brings its own
 * file. */
#ifndef PSST_DAEMON_VOICE_SANDBOX_H
#define PSST_DAEMON_VOICE_SANDBOX_H

#include "base/err.h"

/* First of all: not dumpable, no core files, no new privileges, bounded memory and descriptors, deaf to the terminal's
 * signals, nothing open above PSST_VOICE_FD. Then it asks to be served before others, and does without when it may not. */
PSST_MUST_USE enum psst_err psst_voice_harden(void);

/* Before the first message: from here on no program, no process, no connection but to Unix sockets, no file opened for
 * writing, no memory that can be run. What is refused fails with EACCES; what nobody here would ever try ends the process.
 * Builds with sanitizers run without (PSST_SANITIZED). */
PSST_MUST_USE enum psst_err psst_voice_sandbox(void);

/* Part of it (files_linux.c): no file can be opened but the system's and the sound server's, and no abstract Unix socket be
 * reached, as far as the kernel has Landlock. */
PSST_MUST_USE enum psst_err psst_voice_files_only(void);

#endif
