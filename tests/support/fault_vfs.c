#include "support/fault_vfs.h"

#include <sqlcipher/sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECTOR    512
#define MAX_FILES 32

/* ---- what would survive a power cut: the bytes of each file at its last sync ---- */

struct image {
    char path[512];
    uint8_t *data;
    size_t len;
};

struct fault_file {
    sqlite3_file base;
    struct image *image; /* NULL: a file without a name */
    sqlite3_file *real;  /* stands behind this struct */
};

static sqlite3_vfs *real_vfs;
static struct image images[MAX_FILES];
static struct {
    enum fault_kind kind;
    bool syncs_only, for_good, struck, dead;
    long nth, count;
} plan;

static struct image *image_of(const char *path)
{
    if (path == NULL) return NULL;
    for (size_t i = 0; i < MAX_FILES; i++)
        if (strcmp(images[i].path, path) == 0) return &images[i];
    for (size_t i = 0; i < MAX_FILES; i++) {
        if (images[i].path[0] != '\0') continue;
        (void)snprintf(images[i].path, sizeof images[i].path, "%s", path);
        return &images[i];
    }
    abort(); /* a test with more files than that wants a larger table */
}

static void image_drop(struct image *image)
{
    free(image->data);
    *image = (struct image){.data = NULL};
}

static uint8_t *read_whole(const char *path, size_t *len)
{
    FILE *f = fopen(path, "rb");
    *len = 0;
    if (f == NULL) return NULL;
    struct stat st;
    if (fstat(fileno(f), &st) != 0) abort();
    uint8_t *data = malloc((size_t)st.st_size + 1);
    if (data == NULL) abort();
    *len = fread(data, 1, (size_t)st.st_size, f);
    (void)fclose(f);
    return data;
}

static void image_take(struct image *image)
{
    free(image->data);
    image->data = read_whole(image->path, &image->len);
}

/* ---- the plan ---- */

static int fault(bool is_sync)
{
    if (plan.dead) return SQLITE_IOERR;
    if (plan.kind == FAULT_NONE || (plan.syncs_only && !is_sync)) return SQLITE_OK;
    plan.count++;
    bool now = plan.count == plan.nth || (plan.for_good && plan.count > plan.nth);
    if (!now) return SQLITE_OK;
    plan.struck = true;
    if (plan.kind == FAULT_FULL) return SQLITE_FULL;
    return is_sync ? SQLITE_IOERR_FSYNC : SQLITE_IOERR_WRITE;
}

void fault_vfs_plan(enum fault_kind kind, long nth, bool for_good)
{
    memset(&plan, 0, sizeof plan);
    plan.kind = kind;
    plan.nth = nth;
    plan.for_good = for_good;
}

void fault_vfs_plan_sync(long nth, bool for_good)
{
    fault_vfs_plan(FAULT_IO, nth, for_good);
    plan.syncs_only = true;
}

long fault_vfs_clear(void)
{
    long count = plan.count;
    memset(&plan, 0, sizeof plan);
    return count;
}

bool fault_vfs_struck(void)
{
    return plan.struck;
}

/* ---- power ---- */

void fault_vfs_power_cut(void)
{
    plan.dead = true;
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void put_back(struct image *image, uint64_t *random)
{
    size_t now_len = 0;
    uint8_t *now = read_whole(image->path, &now_len);
    if (now == NULL) return; /* removed, and the removal synced */
    bool longer = (next_random(random) & 1) != 0;
    size_t len = longer && now_len > image->len ? now_len : image->len;
    uint8_t *mix = calloc(1, len + 1);
    if (mix == NULL) abort();
    for (size_t at = 0; at < len; at += SECTOR) {
        size_t n = len - at < SECTOR ? len - at : SECTOR;
        bool newer = (next_random(random) & 1) != 0 && at + n <= now_len;
        if (newer)
            memcpy(mix + at, now + at, n);
        else if (at + n <= image->len)
            memcpy(mix + at, image->data + at, n);
    }
    FILE *f = fopen(image->path, "wb");
    if (f == NULL || fwrite(mix, 1, len, f) != len || fclose(f) != 0) abort();
    free(mix);
    free(now);
}

void fault_vfs_power_back(uint64_t seed)
{
    uint64_t random = seed * 0x9e3779b97f4a7c15u + 1;
    for (size_t i = 0; i < MAX_FILES; i++) {
        if (images[i].path[0] == '\0') continue;
        size_t n = strlen(images[i].path);
        if (n > 4 && strcmp(images[i].path + n - 4, "-shm") == 0)
            (void)unlink(images[i].path);
        else
            put_back(&images[i], &random);
        image_drop(&images[i]);
    }
    memset(&plan, 0, sizeof plan);
}

/* ---- files ---- */

static struct fault_file *of(sqlite3_file *f)
{
    return (struct fault_file *)(void *)f;
}

static int file_close(sqlite3_file *f)
{
    return of(f)->real->pMethods->xClose(of(f)->real);
}

static int file_read(sqlite3_file *f, void *out, int n, sqlite3_int64 at)
{
    return of(f)->real->pMethods->xRead(of(f)->real, out, n, at);
}

static int file_write(sqlite3_file *f, const void *data, int n, sqlite3_int64 at)
{
    int rc = fault(false);
    return rc != SQLITE_OK ? rc : of(f)->real->pMethods->xWrite(of(f)->real, data, n, at);
}

static int file_truncate(sqlite3_file *f, sqlite3_int64 size)
{
    int rc = fault(false);
    return rc != SQLITE_OK ? rc : of(f)->real->pMethods->xTruncate(of(f)->real, size);
}

static int file_sync(sqlite3_file *f, int flags)
{
    int rc = fault(true);
    if (rc != SQLITE_OK) return rc;
    (void)flags; /* the real sync would cost time and show nothing */
    if (of(f)->image != NULL) image_take(of(f)->image);
    return SQLITE_OK;
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

static int file_characteristics(sqlite3_file *f)
{
    /* a disk may tear and reorder what is not synced: promise nothing */
    (void)f;
    return 0;
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
    int rc = real_vfs->xOpen(real_vfs, name, f->real, flags, out_flags);
    if (f->real->pMethods == NULL) return rc; /* not open: nothing to wrap */
    f->base.pMethods = &methods;
    bool known = image_of(name) != NULL && image_of(name)->data != NULL;
    f->image = image_of(name);
    /* what is there when a run begins is on the disk */
    if (rc == SQLITE_OK && f->image != NULL && !known) image_take(f->image);
    return rc;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync_dir)
{
    (void)vfs;
    int rc = fault(false);
    if (rc != SQLITE_OK) return rc;
    struct image *image = image_of(name);
    if (image != NULL) image_drop(image);
    return real_vfs->xDelete(real_vfs, name, sync_dir);
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
    memset(&plan, 0, sizeof plan);
}

void fault_vfs_uninstall(void)
{
    sqlite3_vfs *vfs = sqlite3_vfs_find("psst-fault");
    if (vfs != NULL) (void)sqlite3_vfs_unregister(vfs);
    (void)sqlite3_vfs_register(real_vfs, 1);
    for (size_t i = 0; i < MAX_FILES; i++) image_drop(&images[i]);
}
