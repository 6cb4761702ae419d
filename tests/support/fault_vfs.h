/* A file system for SQLite that fails on command: it wraps the default VFS and, once installed, is the default itself, so
 * that the store under test need not know. Counts what would change the disk (writes, syncs, truncations, removals), can
 * fail the Nth of them, from then on all, and can lose what was not synced, as a power cut does. One thread at a time.
 *
 * What a power cut leaves of a file: everything that was written before its last sync, and of each later write every
 * 512-byte piece or not, whatever the order; of two writes to one place the first, the second or none; a truncation or
 * not. A name that was made or removed is durable once the directory was synced, which SQLite does with the first sync of
 * a new journal; before that it may be as it was. Shared memory is gone. A write that fails may have come half-way. A
 * sync that fails drops what it should have made safe, here and there, for good: later syncs know nothing of it, though
 * whoever reads the file still sees it (that is what kernels do).
 */
#ifndef PSST_TESTS_SUPPORT_FAULT_VFS_H
#define PSST_TESTS_SUPPORT_FAULT_VFS_H

#include <stdbool.h>
#include <stdint.h>

enum fault_kind { FAULT_NONE, FAULT_IO, FAULT_FULL, FAULT_POWER };

void fault_vfs_install(void);
void fault_vfs_uninstall(void);

/* ---- one disk, which holds all files ---- */

/* The nth change from now (1: the next one) fails with kind; for_good: all later ones too. Counting begins anew. POWER: a
 * cut in the middle of that change, as by fault_vfs_power_cut. */
void fault_vfs_plan(enum fault_kind kind, long nth, bool for_good);
/* The same, counting and failing syncs only. */
void fault_vfs_plan_sync(long nth, bool for_good);
/* No more faults. Gives how many changes were counted since the plan. */
long fault_vfs_clear(void);
/* Whether the planned fault has happened. */
bool fault_vfs_struck(void);

/* What chance decides until the power comes back: how far a write goes that fails, what a sync loses that fails. */
void fault_vfs_seed(uint64_t seed);
/* From here on every change fails; once the store is closed, power_back puts on the disk what a cut would have left, as
 * seed has it. */
void fault_vfs_power_cut(void);
void fault_vfs_power_back(uint64_t seed);

/* ---- several ---- */

/* The files below folder are on a disk of their own, from now until uninstall. */
struct fault_disk *fault_vfs_disk(const char *folder);

void fault_disk_plan(struct fault_disk *disk, enum fault_kind kind, long nth, bool for_good);
void fault_disk_plan_sync(struct fault_disk *disk, long nth, bool for_good);
long fault_disk_clear(struct fault_disk *disk);
bool fault_disk_struck(const struct fault_disk *disk);
/* The power is off. */
bool fault_disk_dead(const struct fault_disk *disk);
void fault_disk_seed(struct fault_disk *disk, uint64_t seed);
void fault_disk_power_cut(struct fault_disk *disk);
void fault_disk_power_back(struct fault_disk *disk, uint64_t seed);
/* The program alone has died: what it wrote is there, and can still be lost. After power_cut, in place of power_back. */
void fault_disk_crash_back(struct fault_disk *disk);
/* Whether SQLite may rely on a write not to touch the bytes beside it (at first, on none: nothing is promised). */
void fault_disk_safe_overwrite(struct fault_disk *disk, bool safe);

#endif
