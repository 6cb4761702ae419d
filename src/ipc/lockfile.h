/* One psstd for one run directory: who holds the flock on psstd.lock is it; its number stands in the file. Whoever
 * holds the lock may remove a socket that a dead psstd left behind. */
#ifndef PSST_IPC_LOCKFILE_H
#define PSST_IPC_LOCKFILE_H

#include "base/err.h"

#include <stdbool.h>
#include <sys/types.h>

/* Gives the descriptor that holds the lock until it is closed. PSST_ERR_EXISTS: "psstd runs already (process N)"
 * (attack 45). */
PSST_MUST_USE enum psst_err psst_lockfile_take(int *out_fd, const char *path, struct psst_diag *diag);
/* True while somebody holds it; *pid (may be NULL) is then its number, 0 when it cannot be read. */
bool psst_lockfile_held(const char *path, pid_t *pid);

#endif
