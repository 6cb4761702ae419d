/* What backup.c and restore.c share. */
#ifndef PSST_DAEMON_BACKUP_INTERNAL_H
#define PSST_DAEMON_BACKUP_INTERNAL_H

#include "daemon/backup/backup.h"
#include "daemon/backup/file.h"
#include "daemon/backup/restore_home.h"
#include "store/snapshot.h"

enum psst_backup_kind { PSST_BACKUP_MAKE, PSST_BACKUP_CHECK, PSST_BACKUP_RESTORE };

struct psst_backup {
    struct psst_daemon *d;
    struct psst_backup_job *job; /* NULL: none is under way */
};

/* While a worker or the store thread is at it, nothing here is touched but stop. */
struct psst_backup_job {
    struct psst_backup *backup;
    enum psst_backup_kind kind;
    uv_work_t work;
    atomic_bool stop;
    const char *stop_words; /* the loop's: why */
    psst_backup_done *done;
    void *ctx;
    char *path;        /* NULL: out_fd */
    int passphrase_fd; /* until psst-key has it */
    int out_fd;
    int sealed_fd; /* the sealed private key, in memory */
    struct psst_aead_key key;
    enum psst_err err; /* the worker's */
    struct psst_diag diag;
    struct psst_backup_result result;
    /* make */
    uint8_t header[PSST_BACKUP_HEADER_LEN];
    struct psst_store_key store_key;
    struct psst_store_snapshot *snapshot;
    /* check, restore */
    struct psst_backup_in in;
    struct psst_restore_home home;
    int key_fd;  /* the new identity.pem, until psst-key has it */
    int file_fd; /* the member that is being written */
    struct psst_buf card_text;
    struct psst_card card;
    struct psst_settings *settings; /* of the backup */
    struct psst_diag settings_diag;
};

/* NULL: refused, done was called, the descriptors are closed. */
struct psst_backup_job *psst_backup_job_new(struct psst_backup *backup, enum psst_backup_kind kind, const char *path,
                                            int out_fd, int passphrase_fd, psst_backup_done *done, void *ctx);
/* Tells, frees, and makes room for the next. */
void psst_backup_job_end(struct psst_backup_job *job, enum psst_err err, const char *words);
/* Runs work in a worker and then after on the loop. */
void psst_backup_job_work(struct psst_backup_job *job, uv_work_cb work, uv_after_work_cb after);
/* A file in memory alone, 0600 as psst-key wants it; -1 with a sentence. */
int psst_backup_memory_file(struct psst_diag *diag);

#endif
