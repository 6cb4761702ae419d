/* What fault_vfs.c tells the disk, and asks of it. Nobody else includes this. */
#ifndef PSST_TESTS_SUPPORT_FAULT_DISK_H
#define PSST_TESTS_SUPPORT_FAULT_DISK_H

#include "support/fault_vfs.h"

#include <stddef.h>

struct fault_inode;

struct fault_disk *fault_disk_of(const char *path); /* NULL path: the one for everything */
bool fault_disk_is_safe(const struct fault_disk *disk);
void fault_disks_forget(void);

/* A change is about to be made: FAULT_NONE: go on. */
enum fault_kind fault_disk_change(struct fault_disk *disk, bool is_sync);
/* How many of n bytes a write that fails has written. */
size_t fault_disk_how_far(struct fault_disk *disk, size_t n);

bool fault_disk_is_new(const char *path); /* before it is opened */
struct fault_inode *fault_disk_opened(struct fault_disk *disk, const char *path, bool is_new);
void fault_disk_removed(struct fault_disk *disk, const char *path, bool synced);

/* inode may be NULL. */
void fault_inode_wrote(struct fault_inode *inode, const void *data, size_t n, uint64_t at);
void fault_inode_truncated(struct fault_inode *inode, uint64_t size);
void fault_inode_synced(struct fault_disk *disk, struct fault_inode *inode);
void fault_inode_not_synced(struct fault_disk *disk, struct fault_inode *inode);

#endif
