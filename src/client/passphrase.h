/* The way of a passphrase: from the user interface into a pipe, whose reading end is handed to psstd, which hands it on
 * to psst-key unread. It never stands in a line of the control socket, in argv or in the environment. */
#ifndef PSST_CLIENT_PASSPHRASE_H
#define PSST_CLIENT_PASSPHRASE_H

#include "base/err.h"

#include <stdbool.h>

#define PSST_PASSPHRASE_MAX 1024 /* bytes; less than any pipe holds, so that writing never waits */

struct psst_passphrase {
    char text[PSST_PASSPHRASE_MAX + 1];
    size_t len; /* 0: there is none */
};

void psst_passphrase_wipe(struct psst_passphrase *pass);

/* The reading end of a pipe that holds the passphrase and then ends; pass is wiped in every case. */
PSST_MUST_USE enum psst_err psst_passphrase_pipe(int *out_fd, struct psst_passphrase *pass, struct psst_diag *diag);

/* The first line of what fd gives up to its end (a trailing line feed is dropped; a second line is an error). */
PSST_MUST_USE enum psst_err psst_passphrase_read(struct psst_passphrase *out, int fd, struct psst_diag *diag);
/* From a file, or from standard input when path is "-". *loose: others can read the file too. */
PSST_MUST_USE enum psst_err psst_passphrase_from_file(struct psst_passphrase *out, const char *path, bool *loose,
                                                      struct psst_diag *diag);

#endif
