/* psstd's side of psst-voice (daemon/voice/protocol.h): one process at a time, one job at a time, started again when it dies or
 * hangs. Knows nothing of the daemon, so that a test can drive it with a psst-voice of its own. Loop thread only.
 *
 *     psst_voice_child_start(job) -> a process, START -> heard(READY, FRAME, LEVELS, ...) -> heard(DONE)
 *
 * A CALL is kept alive: a process that ends, talks nonsense, or says nothing for 300 ms is put away, and another goes on with
 * the next timestamp. `heard` gets one FRAME every 20 ms all the while: those that no process made hold nothing. Timestamps
 * rise by 960, whatever the processes say, and no process makes more of them than time does. When processes end again and again
 * heard gets a DONE with PSST_VOICE_RESULT_LOST, once, and the empty frames go on until the job is dropped; another process is
 * tried from time to time. A DONE of the process itself (its wav is none) is passed on, and no other is tried.
 * RING and RINGBACK are begun again too. All other jobs are over with their process: heard gets DONE.
 */
#ifndef PSST_DAEMON_CALLS_VOICE_CHILD_H
#define PSST_DAEMON_CALLS_VOICE_CHILD_H

#include "base/log.h"
#include "daemon/voice/protocol.h"

#include <uv.h>

#define PSST_VOICE_STALL_MS       300
#define PSST_VOICE_STALL_READY_MS 3000 /* the same before READY: devices are being opened */
#define PSST_VOICE_FILL_MS        100  /* no frame for so long: empty ones take their place */
#define PSST_VOICE_STARTS         10   /* of processes of one job in a minute */
#define PSST_VOICE_RESULT_LOST    255  /* of a DONE that no process has said */

struct psst_voice_child;

/* What psst-voice says, checked; message is borrowed. May call anything here but close. */
typedef void psst_voice_heard(void *ctx, const struct psst_voice_message *message);

struct psst_voice_work {
    struct psst_voice_start start;
    int fds[PSST_VOICE_FDS_MAX]; /* borrowed: copies are kept as long as the job runs. As protocol.h says which */
    size_t n_fds;
    psst_voice_heard *heard;
    void *ctx;
};

/* program: path of psst-voice, "" when there is none. log is borrowed. */
PSST_MUST_USE enum psst_err psst_voice_child_new(struct psst_voice_child **out, uv_loop_t *loop, const char *program,
                                                 struct psst_log *log);
/* Nothing is heard any more, the process ends. free once the loop has run out, or closed has been called. */
void psst_voice_child_close(struct psst_voice_child *voice);
void psst_voice_child_free(struct psst_voice_child *voice);

bool psst_voice_child_exists(const struct psst_voice_child *voice); /* there is a program at all */
/* A process that waits for its job, so that the job begins at once. */
void psst_voice_child_warm(struct psst_voice_child *voice);
/* Takes the place of what runs, which hears nothing more (and is told nothing: ask psst_voice_child_job before). PSST_ERR_IO with
 * a sentence: no process can be started; a CALL runs all the same, empty. */
PSST_MUST_USE enum psst_err psst_voice_child_start(struct psst_voice_child *voice, const struct psst_voice_work *work,
                                                   struct psst_diag *diag);
/* The job that runs: enum psst_voice_job; 0: none. */
unsigned psst_voice_child_job(const struct psst_voice_child *voice);
void psst_voice_child_set(struct psst_voice_child *voice, const struct psst_voice_settings *settings);
/* CALL: a frame has come. False: dropped, psst-voice does not take it. */
bool psst_voice_child_frame(struct psst_voice_child *voice, uint32_t timestamp, struct psst_view payload,
                            uint64_t time_ns);
/* CALL: what the other side reports. */
void psst_voice_child_remote(struct psst_voice_child *voice, const struct psst_voice_report *report);
/* To be ended in order: heard gets DONE. */
void psst_voice_child_stop(struct psst_voice_child *voice);
/* Ended too, but nothing is heard any more. Without a job: ends a process that was warmed. */
void psst_voice_child_drop(struct psst_voice_child *voice);

/* The same, and heard gets a DONE with PSST_VOICE_RESULT_LOST and these words. */
void psst_voice_child_interrupt(struct psst_voice_child *voice, const char *words);

unsigned psst_voice_child_restarts(const struct psst_voice_child *voice); /* of the job that runs */

#endif
