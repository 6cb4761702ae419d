/* What psst-voice gives up before it sees what strangers have encoded: voice/sandbox_linux.c; another system brings its own
 * file. */
#ifndef PSST_DAEMON_VOICE_SANDBOX_H
#define PSST_DAEMON_VOICE_SANDBOX_H

#include "base/err.h"

/* First of all: not dumpable, no core files, no new privileges, bounded memory and descriptors, deaf to the terminal's
 * signals, nothing open above PSST_VOICE_FD, and psst_voice_hurry. */
PSST_MUST_USE enum psst_err psst_voice_harden(void);

/* Asks to be served before others, which nobody has to allow and nothing depends on. Is not inherited. */
void psst_voice_hurry(void);

/* Before the first message: from here on no program, no process, no file opened, no socket connected or named, no memory that can be
 * run. The sound server is reached through the relay alone (relay.h). What is refused fails with EACCES; what nobody here would ever
 * try ends the process. Builds with sanitizers run without (PSST_SANITIZED). */
PSST_MUST_USE enum psst_err psst_voice_sandbox(void);

/* The same for the relay, which can connect to Unix sockets, and do nothing else but pass on. */
PSST_MUST_USE enum psst_err psst_voice_relay_sandbox(void);

/* Part of both (files_linux.c): no file, and no abstract Unix socket, as far as the kernel has Landlock. */
PSST_MUST_USE enum psst_err psst_voice_no_files(void);

#endif
