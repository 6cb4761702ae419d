/* The store as it is at one moment, to be copied while the store goes on being written to.
 *
 *   begin:  checkpoint, so that everything stands in the main file; a second, reading connection then holds what SQLite calls
 *           read mark 0, and as long as it does, no checkpoint touches the main file: new rows stay in the write-ahead log
 *   read:   bytes of the main file as they lie on the disk, encrypted; a copy of all of them is a whole store
 *
 * begin: on the store thread, outside any transaction (psst_store_run_alone). Afterwards any one thread at a time; nobody
 * waits for anybody, but the write-ahead log grows until end. A store that is closed meanwhile is no harm. */
#ifndef PSST_STORE_SNAPSHOT_H
#define PSST_STORE_SNAPSHOT_H

#include "store/store.h"

#include <stdatomic.h>

struct psst_store_snapshot;

/* key: the store's own. PSST_ERR_AGAIN: another snapshot is held. PSST_ERR_DAMAGED: damage was met in this store. */
PSST_MUST_USE enum psst_err psst_store_snapshot_begin(struct psst_store_snapshot **out, struct psst_store *store,
                                                      const struct psst_store_key *key, struct psst_diag *diag);
void psst_store_snapshot_end(struct psst_store_snapshot *snapshot); /* NULL is safe */

/* Bytes of the whole copy: full pages. */
uint64_t psst_store_snapshot_size(const struct psst_store_snapshot *snapshot);
/* Reads every page and looks whether it can be made sense of: PSST_ERR_DAMAGED. PSST_ERR_AGAIN once *stop is set. */
PSST_MUST_USE enum psst_err psst_store_snapshot_check(struct psst_store_snapshot *snapshot, atomic_bool *stop,
                                                      struct psst_diag *diag);
/* Exactly len bytes from offset; offset + len at most size. */
PSST_MUST_USE enum psst_err psst_store_snapshot_read(struct psst_store_snapshot *snapshot, uint64_t offset,
                                                     uint8_t *out, size_t len, struct psst_diag *diag);

#endif
