/* `psst backup` and `psst restore` (docs/BACKUP.md). One of the three jobs at a time.
 *
 *   make:     psst-key seals the private key -> psst-key opens store.key -> the store thread takes a snapshot (store/snapshot.h)
 *             -> a worker copies it, and the small files, into the new file
 *   check,    a worker opens the file -> psst-key opens the private key (restore: into restore.new) -> a worker reads all the
 *   restore:  rest to its end (into restore.new) -> settings -> a worker gives the files their places -> locked identity
 *
 * The passphrase goes to psst-key unread. Loop thread; done is called once, later or at once. Descriptors are taken. */
#ifndef PSST_DAEMON_BACKUP_BACKUP_H
#define PSST_DAEMON_BACKUP_BACKUP_H

#include "daemon/daemon.h"

PSST_MUST_USE enum psst_err psst_backup_new(struct psst_backup **out, struct psst_daemon *d);
/* Gives up whatever is under way: psstd stops. */
void psst_backup_close(struct psst_backup *backup);
void psst_backup_free(struct psst_backup *backup); /* after the loop has run out */
/* The identity is being locked: a backup that is being made is given up. */
void psst_backup_unloaded(struct psst_backup *backup);

struct psst_backup_result {
    uint64_t bytes;         /* of the whole file */
    uint64_t history_bytes; /* of the store in it */
    const char *name;       /* check, restore: what the card says; NULL: make */
    const struct psst_rsa_public *key;
    bool encrypted;             /* the private key has a passphrase of its own */
    bool command_left_out;      /* restore: there was a passphrase_command */
    const char *settings_words; /* restore: why the settings could not be restored; "": they were */
};
typedef void psst_backup_done(void *ctx, enum psst_err err, const char *words, const struct psst_backup_result *result);

/* Into a new file at path (absolute), or with path NULL into out_fd. Needs an unlocked identity. */
void psst_backup_make(struct psst_backup *backup, const char *path, int out_fd, int passphrase_fd,
                      psst_backup_done *done, void *ctx);
/* Reads a backup to its end and touches nothing. */
void psst_backup_check(struct psst_backup *backup, const char *path, int passphrase_fd, psst_backup_done *done,
                       void *ctx);
/* Needs a home without an identity; ends locked (or unlocking itself, as at the start of psstd). */
void psst_backup_restore(struct psst_backup *backup, const char *path, int passphrase_fd, psst_backup_done *done,
                         void *ctx);

#endif
