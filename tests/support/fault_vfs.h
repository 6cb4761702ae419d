/* A file system for SQLite that fails on command: it wraps the default VFS and, once installed, is the default itself, so
 * that the store under test need not know. Counts what would change the disk (writes, syncs, truncations, removals), can
 * fail the Nth of them, from then on all, and can lose what was not synced, as a power cut does. One thread at a time. */
#ifndef PSST_TESTS_SUPPORT_FAULT_VFS_H
#define PSST_TESTS_SUPPORT_FAULT_VFS_H

#include <stdbool.h>
#include <stdint.h>

enum fault_kind { FAULT_NONE, FAULT_IO, FAULT_FULL };

void fault_vfs_install(void);
void fault_vfs_uninstall(void);

/* The nth change from now (1: the next one) fails with kind; for_good: all later ones too. Counting begins anew. */
void fault_vfs_plan(enum fault_kind kind, long nth, bool for_good);
/* The same, counting and failing syncs only. */
void fault_vfs_plan_sync(long nth, bool for_good);
/* No more faults. Gives how many changes were counted since the plan. */
long fault_vfs_clear(void);
/* Whether the planned fault has happened. */
bool fault_vfs_struck(void);

/* From here on every change fails; once the store is closed, power_back puts on the disk what a cut would have left: of
 * every file what was synced, and of each later changed 512-byte sector either state, as seed has it. */
void fault_vfs_power_cut(void);
void fault_vfs_power_back(uint64_t seed);

#endif
