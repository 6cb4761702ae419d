/* The files of a restore, inside the home (docs/BACKUP.md, "Restoring"): everything is written into the folder restore.new there,
 * checked, and then given its place by second names (hard links), identity.pem last. Only that one makes an identity: until it is
 * there nothing counts, and what has the same inode in both places is what a crash left. Waits for the disk: never on the loop
 * thread, but for clean_up at the start. */
#ifndef PSST_DAEMON_BACKUP_RESTORE_HOME_H
#define PSST_DAEMON_BACKUP_RESTORE_HOME_H

#include "base/bytes.h"
#include "ipc/paths.h"

struct psst_restore_home {
    int home_fd, new_fd; /* the data directory, and restore.new in it; -1: not open */
};

/* Removes what a restore that was cut off has left: at psstd's start, and before another one. */
PSST_MUST_USE enum psst_err psst_restore_home_clean_up(const struct psst_paths *paths, struct psst_diag *diag);
/* Cleans up, refuses when there is an identity, a store or its key (PSST_ERR_EXISTS, which one), makes restore.new. */
PSST_MUST_USE enum psst_err psst_restore_home_begin(struct psst_restore_home *home, const struct psst_paths *paths,
                                                    struct psst_diag *diag);
/* A new file (0600) in restore.new under one of the fixed names: "identity.pem" or a member's. */
PSST_MUST_USE enum psst_err psst_restore_home_file(const struct psst_restore_home *home, const char *name, int *fd,
                                                   struct psst_diag *diag);
/* All is written and synced: gives the files their places. When it fails, nothing is left. Ends it. */
PSST_MUST_USE enum psst_err psst_restore_home_place(struct psst_restore_home *home, struct psst_diag *diag);
/* Nothing is left. Ends it. */
void psst_restore_home_abandon(struct psst_restore_home *home);

#endif
