/* What a disk remembers. Each file is an inode: the bytes that are safe, and what was done to it since. A folder has names:
 * for each the inode that it stands for now, and the one that it stands for on the disk. */
#include "support/fault_disk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE     512 /* the least that a disk writes whole */
#define MAX_NAMES 16
#define MAX_DISKS 4

/* A write, or (data NULL) a truncation. */
struct change {
    struct change *next;
    uint64_t at;
    size_t len;
    uint8_t *data;
};

struct fault_inode {
    struct fault_inode *next;
    uint8_t *safe;
    size_t len, room;
    struct change *first, **end;
};

struct name {
    char path[512];
    ino_t number;                   /* the file system's, of the file that now stands for */
    struct fault_inode *now, *safe; /* NULL: there is no such file */
};

struct fault_disk {
    char folder[256];
    struct name names[MAX_NAMES];
    struct fault_inode *inodes;
    struct {
        enum fault_kind kind;
        bool syncs_only, for_good, struck;
        long nth, count;
    } plan;
    bool dead, cutting; /* cutting: in the middle of a change */
    bool safe_overwrite;
    uint64_t random;
};

static struct fault_disk disks[MAX_DISKS]; /* the first is for all that is on no other */

/* ---- small things ---- */

static void *must(void *memory)
{
    if (memory == NULL) abort();
    return memory;
}

static uint64_t draw(struct fault_disk *disk, uint64_t n)
{
    disk->random ^= disk->random << 13;
    disk->random ^= disk->random >> 7;
    disk->random ^= disk->random << 17;
    return (disk->random >> 11) % n;
}

void fault_disk_seed(struct fault_disk *disk, uint64_t seed)
{
    disk->random = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15) | 1;
    for (int i = 0; i < 4; i++) (void)draw(disk, 2);
}

static void change_free(struct change *change)
{
    free(change->data);
    free(change);
}

static void drop_changes(struct fault_inode *inode)
{
    while (inode->first != NULL) {
        struct change *change = inode->first;
        inode->first = change->next;
        change_free(change);
    }
    inode->end = &inode->first;
}

static void forget(struct fault_disk *disk)
{
    while (disk->inodes != NULL) {
        struct fault_inode *inode = disk->inodes;
        disk->inodes = inode->next;
        drop_changes(inode);
        free(inode->safe);
        free(inode);
    }
    memset(disk->names, 0, sizeof disk->names);
}

void fault_disks_forget(void)
{
    for (size_t i = 0; i < MAX_DISKS; i++) forget(&disks[i]);
    memset(disks, 0, sizeof disks);
    for (size_t i = 0; i < MAX_DISKS; i++) fault_disk_seed(&disks[i], i);
}

struct fault_disk *fault_vfs_disk(const char *folder)
{
    for (size_t i = 1; i < MAX_DISKS; i++) {
        if (disks[i].folder[0] != '\0') continue;
        if (snprintf(disks[i].folder, sizeof disks[i].folder, "%s/", folder) >= (int)sizeof disks[i].folder) abort();
        return &disks[i];
    }
    abort();
}

struct fault_disk *fault_disk_of(const char *path)
{
    for (size_t i = 1; path != NULL && i < MAX_DISKS; i++)
        if (disks[i].folder[0] != '\0' && strncmp(path, disks[i].folder, strlen(disks[i].folder)) == 0)
            return &disks[i];
    return &disks[0];
}

bool fault_disk_is_safe(const struct fault_disk *disk)
{
    return disk->safe_overwrite;
}

void fault_disk_safe_overwrite(struct fault_disk *disk, bool safe)
{
    disk->safe_overwrite = safe;
}

/* ---- the plan ---- */

void fault_disk_plan(struct fault_disk *disk, enum fault_kind kind, long nth, bool for_good)
{
    memset(&disk->plan, 0, sizeof disk->plan);
    disk->plan.kind = kind;
    disk->plan.nth = nth;
    disk->plan.for_good = for_good;
}

void fault_disk_plan_sync(struct fault_disk *disk, long nth, bool for_good)
{
    fault_disk_plan(disk, FAULT_IO, nth, for_good);
    disk->plan.syncs_only = true;
}

long fault_disk_clear(struct fault_disk *disk)
{
    long count = disk->plan.count;
    memset(&disk->plan, 0, sizeof disk->plan);
    return count;
}

bool fault_disk_struck(const struct fault_disk *disk)
{
    return disk->plan.struck;
}

enum fault_kind fault_disk_change(struct fault_disk *disk, bool is_sync)
{
    disk->cutting = false;
    if (disk->dead) return FAULT_POWER;
    if (disk->plan.kind == FAULT_NONE || (disk->plan.syncs_only && !is_sync)) return FAULT_NONE;
    disk->plan.count++;
    bool now = disk->plan.count == disk->plan.nth || (disk->plan.for_good && disk->plan.count > disk->plan.nth);
    if (!now) return FAULT_NONE;
    disk->plan.struck = true;
    disk->dead = disk->cutting = disk->plan.kind == FAULT_POWER;
    return disk->plan.kind;
}

/* Nothing reaches a disk without power; the write in whose middle it went did in part, or not. */
size_t fault_disk_how_far(struct fault_disk *disk, size_t n)
{
    if (disk->dead && !disk->cutting) return 0;
    return (size_t)draw(disk, n + 1);
}

/* ---- what is done to files ---- */

static void put(struct fault_inode *inode, uint64_t at, const uint8_t *data, size_t n)
{
    size_t len = (size_t)at + n;
    if (len > inode->room) {
        inode->room = len + len / 2;
        inode->safe = must(realloc(inode->safe, inode->room));
    }
    if (len > inode->len) {
        memset(inode->safe + inode->len, 0, len - inode->len); /* a hole reads as zeros */
        inode->len = len;
    }
    memcpy(inode->safe + at, data, n);
}

static void cut(struct fault_inode *inode, uint64_t size)
{
    if (size < inode->len) inode->len = (size_t)size;
}

static void add_change(struct fault_inode *inode, const void *data, size_t n, uint64_t at)
{
    if (inode == NULL) return;
    struct change *change = must(calloc(1, sizeof *change));
    change->at = at;
    change->len = n;
    if (data != NULL) {
        change->data = must(malloc(n));
        memcpy(change->data, data, n);
    }
    *inode->end = change;
    inode->end = &change->next;
}

void fault_inode_wrote(struct fault_inode *inode, const void *data, size_t n, uint64_t at)
{
    add_change(inode, data, n, at);
}

void fault_inode_truncated(struct fault_inode *inode, uint64_t size)
{
    add_change(inode, NULL, 0, size);
}

static void apply(struct fault_inode *inode, const struct change *change)
{
    if (change->data == NULL)
        cut(inode, change->at);
    else
        put(inode, change->at, change->data, change->len);
}

static void apply_all(struct fault_inode *inode)
{
    for (struct change *change = inode->first; change != NULL; change = change->next) apply(inode, change);
    drop_changes(inode);
}

/* Each piece of each change has happened, or not. As pieces do not depend on each other, neither do they on order: of two
 * writes to one place any may be there. */
static void apply_some(struct fault_disk *disk, struct fault_inode *inode)
{
    uint64_t mood = draw(disk, 4); /* 0: nothing of it, 1: all of it, else here and there */
    for (struct change *change = inode->first; change != NULL; change = change->next) {
        if (mood == 0 || (change->data == NULL && mood > 1 && draw(disk, 2) == 0)) continue;
        if (mood == 1 || change->data == NULL) {
            apply(inode, change);
            continue;
        }
        for (size_t at = 0; at < change->len;) {
            size_t n = PIECE - (size_t)((change->at + at) % PIECE);
            if (n > change->len - at) n = change->len - at;
            if (draw(disk, 2) == 0) put(inode, change->at + at, change->data + at, n);
            at += n;
        }
    }
    drop_changes(inode);
}

static void sync_folder(struct fault_disk *disk)
{
    for (size_t i = 0; i < MAX_NAMES; i++) disk->names[i].safe = disk->names[i].now;
}

void fault_inode_synced(struct fault_disk *disk, struct fault_inode *inode)
{
    if (inode == NULL) return;
    apply_all(inode);
    for (size_t i = 0; i < MAX_NAMES; i++) /* the first sync of a new file is its folder's as well */
        if (disk->names[i].now == inode && disk->names[i].safe != inode) {
            sync_folder(disk);
            return;
        }
}

void fault_inode_not_synced(struct fault_disk *disk, struct fault_inode *inode)
{
    if (inode != NULL) apply_some(disk, inode);
}

/* ---- names ---- */

static struct name *name_of(struct fault_disk *disk, const char *path)
{
    for (size_t i = 0; i < MAX_NAMES; i++)
        if (strcmp(disk->names[i].path, path) == 0) return &disk->names[i];
    for (size_t i = 0; i < MAX_NAMES; i++) {
        if (disk->names[i].path[0] != '\0') continue;
        if (snprintf(disk->names[i].path, sizeof disk->names[i].path, "%s", path) >= (int)sizeof disk->names[i].path)
            abort();
        return &disk->names[i];
    }
    abort(); /* a test with more files than that wants a larger table */
}

static struct fault_inode *inode_new(struct fault_disk *disk)
{
    struct fault_inode *inode = must(calloc(1, sizeof *inode));
    inode->end = &inode->first;
    inode->next = disk->inodes;
    disk->inodes = inode;
    return inode;
}

static ino_t number_of(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 ? st.st_ino : 0;
}

static void read_in(struct fault_inode *inode, const char *path)
{
    FILE *f = must(fopen(path, "rb"));
    struct stat st;
    if (fstat(fileno(f), &st) != 0) abort();
    inode->room = (size_t)st.st_size;
    inode->safe = must(malloc(inode->room + 1));
    inode->len = fread(inode->safe, 1, inode->room, f);
    (void)fclose(f);
}

bool fault_disk_is_new(const char *path)
{
    return access(path, F_OK) != 0;
}

/* What is there when it is first met is on the disk, and so is what came there without SQLite. */
struct fault_inode *fault_disk_opened(struct fault_disk *disk, const char *path, bool is_new)
{
    struct name *name = name_of(disk, path);
    ino_t number = number_of(path);
    if (is_new) {
        name->now = inode_new(disk);
    } else if (name->now == NULL || name->number != number) {
        name->now = name->safe = inode_new(disk);
        read_in(name->now, path);
    }
    name->number = number;
    return name->now;
}

void fault_disk_removed(struct fault_disk *disk, const char *path, bool synced)
{
    name_of(disk, path)->now = NULL;
    if (synced) sync_folder(disk);
}

/* ---- power ---- */

bool fault_disk_dead(const struct fault_disk *disk)
{
    return disk->dead;
}

void fault_disk_power_cut(struct fault_disk *disk)
{
    disk->cutting = false;
    disk->dead = true;
}

static void write_out(const char *path, const struct fault_inode *inode)
{
    if (inode == NULL) {
        (void)unlink(path);
        return;
    }
    FILE *f = must(fopen(path, "wb"));
    if (inode->len > 0 && fwrite(inode->safe, 1, inode->len, f) != inode->len) abort();
    if (fclose(f) != 0) abort();
}

/* Nothing of it survives. It is not opened through the VFS, and has no name here. */
static void remove_shared_memory(const char *path)
{
    char shm[520];
    (void)snprintf(shm, sizeof shm, "%s-shm", path);
    (void)unlink(shm);
}

static void power_on(struct fault_disk *disk)
{
    memset(&disk->plan, 0, sizeof disk->plan);
    disk->dead = false;
}

void fault_disk_power_back(struct fault_disk *disk, uint64_t seed)
{
    fault_disk_seed(disk, seed);
    for (size_t i = 0; i < MAX_NAMES; i++) {
        struct name *name = &disk->names[i];
        /* renamed or removed by others: they see to it themselves */
        bool foreign = name->now != NULL && number_of(name->path) != name->number;
        if (name->path[0] == '\0' || foreign) continue;
        struct fault_inode *left = name->now != name->safe && draw(disk, 2) == 0 ? name->safe : name->now;
        if (left != NULL) apply_some(disk, left);
        write_out(name->path, left);
        remove_shared_memory(name->path);
    }
    forget(disk); /* what there is now is read in anew, and is safe */
    power_on(disk);
}

void fault_disk_crash_back(struct fault_disk *disk)
{
    power_on(disk);
}

/* ---- the one disk ---- */

void fault_vfs_plan(enum fault_kind kind, long nth, bool for_good)
{
    fault_disk_plan(&disks[0], kind, nth, for_good);
}

void fault_vfs_plan_sync(long nth, bool for_good)
{
    fault_disk_plan_sync(&disks[0], nth, for_good);
}

long fault_vfs_clear(void)
{
    return fault_disk_clear(&disks[0]);
}

bool fault_vfs_struck(void)
{
    return fault_disk_struck(&disks[0]);
}

void fault_vfs_seed(uint64_t seed)
{
    fault_disk_seed(&disks[0], seed);
}

void fault_vfs_power_cut(void)
{
    fault_disk_power_cut(&disks[0]);
}

void fault_vfs_power_back(uint64_t seed)
{
    fault_disk_power_back(&disks[0], seed);
}
