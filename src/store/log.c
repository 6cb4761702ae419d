/* The write-ahead log, where it cannot be trusted to be on the disk although it can be read: what a psstd that was killed
 * wrote and did not sync, and what a sync that failed has let go of (a kernel forgets to write such pages; it goes on
 * showing them). SQLite takes a log as it reads it, and appends to it; a power cut would then leave a hole, and everything
 * behind the hole would be gone, also what had been synced and acknowledged. So it is written once more, byte for byte, and
 * synced, before anything is built on it. */
#include "store/store_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define BLOCK ((sqlite3_int64)64 * 1024)

static void log_path(char out[PSST_STORE_PATH_MAX], const char *path)
{
    memset(out, 0, PSST_STORE_PATH_MAX); /* SQLite looks for more behind the terminator */
    (void)snprintf(out, PSST_STORE_PATH_MAX - 8, "%s-wal", path);
}

bool psst_store_has_log(const char *path)
{
    char log[PSST_STORE_PATH_MAX];
    struct stat st;
    log_path(log, path);
    return stat(log, &st) == 0 && st.st_size > 0;
}

static int write_again(sqlite3_file *file, uint8_t *block)
{
    sqlite3_int64 size = 0;
    int rc = file->pMethods->xFileSize(file, &size);
    for (sqlite3_int64 at = 0; at < size && rc == SQLITE_OK; at += BLOCK) {
        int n = (int)(size - at < BLOCK ? size - at : BLOCK);
        rc = file->pMethods->xRead(file, block, n, at);
        if (rc == SQLITE_OK) rc = file->pMethods->xWrite(file, block, n, at);
    }
    return rc == SQLITE_OK ? file->pMethods->xSync(file, SQLITE_SYNC_FULL) : rc;
}

/* Through SQLite's own door, so that it is the same file system for both. */
enum psst_err psst_store_log_again(struct psst_store *store)
{
    char log[PSST_STORE_PATH_MAX];
    sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
    if (!psst_store_has_log(store->path)) return PSST_OK;
    log_path(log, store->path);
    sqlite3_file *file = calloc(1, (size_t)vfs->szOsFile);
    uint8_t *block = malloc((size_t)BLOCK);
    int rc = SQLITE_NOMEM;
    if (file != NULL && block != NULL) {
        rc = vfs->xOpen(vfs, log, file, SQLITE_OPEN_READWRITE | SQLITE_OPEN_WAL, NULL);
        if (rc == SQLITE_OK) rc = write_again(file, block);
        if (file->pMethods != NULL) (void)file->pMethods->xClose(file);
    }
    free(block);
    free(file);
    if (rc == SQLITE_OK) return PSST_OK;
    (void)snprintf(store->words, sizeof store->words, "the write-ahead log cannot be written (%d)", rc);
    store->last = rc == SQLITE_NOMEM ? PSST_ERR_MEMORY : rc == SQLITE_FULL ? PSST_ERR_DISK_FULL : PSST_ERR_IO;
    return store->last;
}
