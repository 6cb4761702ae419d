/* Starting psstd when a user interface needs it and none runs. It becomes the leader of a session of its own, with
 * nothing of ours open; what it has to say goes to psstd.log in the run directory. */
#ifndef PSST_CLIENT_START_H
#define PSST_CLIENT_START_H

#include "client/client.h"

#include <sys/types.h>

#define PSST_START_MS    20000     /* until it must be ready */
#define PSST_LOG_MAX     (1 << 20) /* a longer log is begun anew */
#define PSST_DAEMON_NAME "psstd"

struct psst_started {
    pid_t pid;
    int ready_fd;   /* gives one byte when psstd can be talked to, ends without one when it could not begin */
    off_t log_from; /* where in the log its words begin */
};

/* psstd beside our own program, else the one that was installed, else the one in PATH. listen: NULL, or addresses for
 * --listen, ended by NULL. */
PSST_MUST_USE enum psst_err psst_start(struct psst_started *out, const struct psst_paths *paths,
                                       const char *const *listen, struct psst_failure *failure);
/* Waits until psstd can be talked to. False: it ended, or does not come up; the failure has the sentence, from its log.
 * Closes ready_fd. */
bool psst_start_wait(struct psst_started *started, const struct psst_paths *paths, struct psst_failure *failure);

#endif
