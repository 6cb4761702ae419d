/* Where things lie. PSST_HOME puts everything below one directory; otherwise the XDG base directories decide.
 *
 *   config   config                                          $XDG_CONFIG_HOME/psst/config
 *   data     identity.pem card.psst store.key store.db replay $XDG_DATA_HOME/psst/
 *   run      psst.sock psstd.lock                             $XDG_RUNTIME_DIR/psst, else ~/.local/state/psst/run
 */
#ifndef PSST_IPC_PATHS_H
#define PSST_IPC_PATHS_H

#include "base/err.h"

#include <stdbool.h>

#define PSST_PATH_MAX 1024

struct psst_paths {
    char config_dir[PSST_PATH_MAX], data_dir[PSST_PATH_MAX], run_dir[PSST_PATH_MAX];
    char config[PSST_PATH_MAX + 32], identity[PSST_PATH_MAX + 32], card[PSST_PATH_MAX + 32];
    char store_key[PSST_PATH_MAX + 32], store_db[PSST_PATH_MAX + 32], replay[PSST_PATH_MAX + 32];
    char socket[PSST_PATH_MAX + 32], lock[PSST_PATH_MAX + 32];
    char download_dir[PSST_PATH_MAX]; /* $PSST_HOME/downloads, else the XDG download directory, else ~/Downloads, else ~
                                       */
};

/* From the environment; creates nothing. PSST_ERR_USAGE when neither PSST_HOME nor HOME is set or one is relative or
 * too long (the socket's path must fit into sockaddr_un). */
PSST_MUST_USE enum psst_err psst_paths_get(struct psst_paths *out, struct psst_diag *diag);

/* Makes dir and its parents (0700), and checks that it is a directory of ours that nobody else can write or, when
 * private is set, read: the sentence gives the exact chmod (attacks 43, 46). */
PSST_MUST_USE enum psst_err psst_paths_make_dir(const char *dir, bool private_dir, struct psst_diag *diag);
/* An existing file must be ours and not readable by others; the sentence gives the exact chmod. PSST_ERR_NOT_FOUND. */
PSST_MUST_USE enum psst_err psst_paths_check_private(const char *file, struct psst_diag *diag);

#endif
