/* Where psstd's helpers lie: psst-key, psst-tar. */
#ifndef PSST_DAEMON_PROGRAM_H
#define PSST_DAEMON_PROGRAM_H

#include "ipc/paths.h"

#include <stdbool.h>

/* Beside psstd, as it is built and carried around; else where it is installed. False: out is "". */
bool psst_program_find(char out[PSST_PATH_MAX], const char *name);

#endif
