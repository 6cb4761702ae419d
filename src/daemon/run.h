/* From main to the daemon: what was asked for on the command line, and the whole life of psstd. */
#ifndef PSST_DAEMON_RUN_H
#define PSST_DAEMON_RUN_H

#include "daemon/daemon.h"

struct psst_run_options {
    const char *listen;    /* NULL, or addresses separated by blanks: kept in the settings */
    const char *log_level; /* NULL: as the settings say; else for this run only */
    int ready_fd;          /* -1, or a descriptor that gets one byte when psstd can be talked to */
    psst_log_sink *sink;
    void *sink_ctx;
};

/* Runs until it is stopped. An error comes with a sentence: psstd could not begin. */
PSST_MUST_USE enum psst_err psst_daemon_run(const struct psst_run_options *options, struct psst_diag *diag);

#endif
