/* The VFS that SQLite sees; what the disk remembers is fault_disk.c. */
#include "support/fault_disk.h"

#include <errno.h>
#include <sqlcipher/sqlite3.h>
#include <stdlib.h>
#include <string.h>

struct fault_file {
    sqlite3_file base;
    struct fault_disk *disk;
    struct fault_inode *inode; /* NULL: a file without a name */
    sqlite3_file *real;        /* stands behind this struct */
};

static sqlite3_vfs *real_vfs;

static struct fault_file *of(sqlite3_file *f)
{
    return (struct fault_file *)(void *)f;
}

/* As the real one has it: a sync that fails for want of room is an error with that number, and no SQLITE_FULL. */
static int code_of(enum fault_kind kind, bool is_sync)
{
    if (kind == FAULT_NONE) return SQLITE_OK;
    errno = kind == FAULT_FULL ? ENOSPC : EIO;
    if (is_sync) return SQLITE_IOERR_FSYNC;
    return kind == FAULT_FULL ? SQLITE_FULL : SQLITE_IOERR_WRITE;
}

/* ---- files ---- */

static int file_close(sqlite3_file *f)
{
    return of(f)->real->pMethods->xClose(of(f)->real);
}

static int file_read(sqlite3_file *f, void *out, int n, sqlite3_int64 at)
{
    return of(f)->real->pMethods->xRead(of(f)->real, out, n, at);
}

static int really_write(struct fault_file *f, const void *data, int n, sqlite3_int64 at)
{
    if (n == 0) return SQLITE_OK;
    fault_inode_wrote(f->inode, data, (size_t)n, (uint64_t)at);
    return f->real->pMethods->xWrite(f->real, data, n, at);
}

static int file_write(sqlite3_file *file, const void *data, int n, sqlite3_int64 at)
{
    struct fault_file *f = of(file);
    enum fault_kind kind = fault_disk_change(f->disk, false);
    if (kind == FAULT_NONE) return really_write(f, data, n, at);
    (void)really_write(f, data, (int)fault_disk_how_far(f->disk, (size_t)n), at);
    return code_of(kind, false);
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    struct fault_file *f = of(file);
    enum fault_kind kind = fault_disk_change(f->disk, false);
    if (kind != FAULT_NONE) return code_of(kind, false);
    fault_inode_truncated(f->inode, (uint64_t)size);
    return f->real->pMethods->xTruncate(f->real, size);
}

/* The real sync would cost time and show nothing. */
static int file_sync(sqlite3_file *file, int flags)
{
    struct fault_file *f = of(file);
    (void)flags;
    enum fault_kind kind = fault_disk_change(f->disk, true);
    if (kind == FAULT_NONE) fault_inode_synced(f->disk, f->inode);
    if (kind == FAULT_IO || kind == FAULT_FULL) fault_inode_not_synced(f->disk, f->inode);
    return code_of(kind, true);
}

static int file_size(sqlite3_file *f, sqlite3_int64 *size)
{
    return of(f)->real->pMethods->xFileSize(of(f)->real, size);
}

static int file_lock(sqlite3_file *f, int level)
{
    return of(f)->real->pMethods->xLock(of(f)->real, level);
}

static int file_unlock(sqlite3_file *f, int level)
{
    return of(f)->real->pMethods->xUnlock(of(f)->real, level);
}

static int file_reserved(sqlite3_file *f, int *out)
{
    return of(f)->real->pMethods->xCheckReservedLock(of(f)->real, out);
}

static int file_control(sqlite3_file *f, int op, void *arg)
{
    return of(f)->real->pMethods->xFileControl(of(f)->real, op, arg);
}

static int file_sector_size(sqlite3_file *f)
{
    return of(f)->real->pMethods->xSectorSize(of(f)->real);
}

/* A disk may tear and reorder what is not synced: no more is promised than that. */
static int file_characteristics(sqlite3_file *f)
{
    return fault_disk_is_safe(of(f)->disk) ? SQLITE_IOCAP_POWERSAFE_OVERWRITE : 0;
}

static int file_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **out)
{
    return of(f)->real->pMethods->xShmMap(of(f)->real, page, size, extend, out);
}

static int file_shm_lock(sqlite3_file *f, int offset, int n, int flags)
{
    return of(f)->real->pMethods->xShmLock(of(f)->real, offset, n, flags);
}

static void file_shm_barrier(sqlite3_file *f)
{
    of(f)->real->pMethods->xShmBarrier(of(f)->real);
}

static int file_shm_unmap(sqlite3_file *f, int remove)
{
    return of(f)->real->pMethods->xShmUnmap(of(f)->real, remove);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_reserved,
    .xFileControl = file_control,
    .xSectorSize = file_sector_size,
    .xDeviceCharacteristics = file_characteristics,
    .xShmMap = file_shm_map,
    .xShmLock = file_shm_lock,
    .xShmBarrier = file_shm_barrier,
    .xShmUnmap = file_shm_unmap,
};

/* ---- the VFS ---- */

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out_flags)
{
    (void)vfs;
    struct fault_file *f = of(file);
    memset(f, 0, sizeof *f);
    f->real = (sqlite3_file *)(void *)(f + 1);
    f->disk = fault_disk_of(name);
    bool is_new = name != NULL && fault_disk_is_new(name);
    int rc = real_vfs->xOpen(real_vfs, name, f->real, flags, out_flags);
    if (f->real->pMethods == NULL) return rc; /* not open: nothing to wrap */
    f->base.pMethods = &methods;
    if (name != NULL && rc == SQLITE_OK) f->inode = fault_disk_opened(f->disk, name, is_new);
    return rc;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync_dir)
{
    (void)vfs;
    struct fault_disk *disk = fault_disk_of(name);
    enum fault_kind kind = fault_disk_change(disk, false);
    if (kind != FAULT_NONE) return code_of(kind, false);
    int rc = real_vfs->xDelete(real_vfs, name, 0);
    if (rc == SQLITE_OK) fault_disk_removed(disk, name, sync_dir != 0);
    return rc;
}

void fault_vfs_install(void)
{
    static sqlite3_vfs vfs;
    (void)sqlite3_initialize();
    real_vfs = sqlite3_vfs_find(NULL);
    vfs = *real_vfs; /* everything else as it is: it never touches pAppData but through the real methods */
    vfs.pNext = NULL;
    vfs.zName = "psst-fault";
    vfs.szOsFile = (int)sizeof(struct fault_file) + real_vfs->szOsFile;
    vfs.xOpen = vfs_open;
    vfs.xDelete = vfs_delete;
    if (sqlite3_vfs_register(&vfs, 1) != SQLITE_OK) abort();
    fault_disks_forget();
}

void fault_vfs_uninstall(void)
{
    sqlite3_vfs *vfs = sqlite3_vfs_find("psst-fault");
    if (vfs != NULL) (void)sqlite3_vfs_unregister(vfs);
    (void)sqlite3_vfs_register(real_vfs, 1);
    fault_disks_forget();
}
