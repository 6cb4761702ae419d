/* What of identity.c is for daemon.c and restore.c alone. */
#ifndef PSST_DAEMON_IDENTITY_H
#define PSST_DAEMON_IDENTITY_H

#include "daemon/daemon.h"

/* Why the history could not be opened at the last unlocking, when it is damaged beyond reading; "": it is not. */
const char *psst_identity_store_trouble(const struct psst_identity *identity);
/* psst-key ended by itself: everything is locked; unlocked again at once when that needs nobody. */
void psst_identity_key_died(struct psst_identity *identity);
/* Once it is neither being opened nor locked: at once, or later. */
void psst_identity_when_settled(struct psst_identity *identity, psst_identity_done *done, void *ctx);
/* While the files of a restore come, nobody may make an identity: PSST_ERR_EXISTS, PSST_ERR_AGAIN. */
PSST_MUST_USE enum psst_err psst_identity_restore_begin(struct psst_identity *identity, struct psst_diag *diag);
/* restored: the files are there, and are taken as at the start of psstd. */
void psst_identity_restore_end(struct psst_identity *identity, bool restored);
/* Ends a passphrase_command that is still running. */
void psst_identity_close(struct psst_identity *identity);

/* ---- passphrase_command.c ---- */

struct psst_passphrase_command;

/* Runs the line with /bin/sh; what it prints is the passphrase. Gives the end to read from, which goes to psst-key unread.
 * It has a minute. *running is set to NULL once it has ended. */
PSST_MUST_USE enum psst_err psst_passphrase_command_run(struct psst_passphrase_command **running, uv_loop_t *loop,
                                                        const char *line, int *read_fd, struct psst_diag *diag);
void psst_passphrase_command_kill(struct psst_passphrase_command *command); /* NULL is safe */

#endif
