/* One psst-voice as a process: begun, told, heard, put away. voice_child.c has one at a time, and decides what it has to do. It outlives
 * its owner's interest: what was put away is waited for, killed if need be, and frees itself. Loop thread only.
 *
 *   new -> running: heard, heard, ... -> lost (it ended, or talks nonsense) -> end
 */
#ifndef PSST_DAEMON_CALLS_VOICE_PROCESS_H
#define PSST_DAEMON_CALLS_VOICE_PROCESS_H

#include "base/log.h"
#include "daemon/voice/protocol.h"

#include <uv.h>

#define PSST_VOICE_PATIENCE_MS 2000 /* after STOP, until it is killed */

struct psst_voice_process;

/* Borrowed until psst_voice_process_end. Both calls may end the process, or begin another. */
struct psst_voice_owner {
    uv_loop_t *loop;
    struct psst_log *log;
    const char *program; /* path of psst-voice */
    void *ctx;
    void (*heard)(void *ctx, const struct psst_voice_message *message); /* read, not checked further; borrowed */
    void (*lost)(void *ctx, const char *why); /* it is of no use any more: has to be ended. why: for the log */
};

/* NULL: none can be had (logged, where the system says why). */
struct psst_voice_process *psst_voice_process_new(const struct psst_voice_owner *owner);
/* 0, or errno. Nothing waits: what the process does not take is not said. */
int psst_voice_process_send(struct psst_voice_process *p, const struct psst_voice_message *message, const int *fds,
                            size_t n_fds);
/* Is killed, unless it ends by itself in PSST_VOICE_PATIENCE_MS. */
void psst_voice_process_hasten(struct psst_voice_process *p);
/* Nothing more goes to or comes from it. now: killed, else it may end in order. Takes p; NULL is safe. */
void psst_voice_process_end(struct psst_voice_process *p, bool now);

#endif
