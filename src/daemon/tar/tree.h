/* Empties a folder of ours, by descriptor: what an unpacking left that did not come to its end. Waits for the disk. */
#ifndef PSST_DAEMON_TAR_TREE_H
#define PSST_DAEMON_TAR_TREE_H

#include "base/err.h"

/* Removes everything in it, links as links; the folder itself stays. PSST_ERR_IO: something is left. */
PSST_MUST_USE enum psst_err psst_tree_empty(int dir_fd);

#endif
