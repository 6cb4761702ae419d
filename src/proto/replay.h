/* The cache of first messages seen (docs/PROTOCOL.md, "Strangers"): keyed by M1's MAC, kept while its day can match, a
 * million entries at most, in memory that grows with use. Keys are the MAC's first 16 bytes: a clash, which nobody can
 * aim at without the callee's public key, costs one honest caller one retry. */
#ifndef PSST_PROTO_REPLAY_H
#define PSST_PROTO_REPLAY_H

#include "base/bytes.h"

#define PSST_REPLAY_CACHE_MAX 1000000

struct psst_replay_cache; /* one thread at a time */

struct psst_replay_cache *psst_replay_cache_new(void); /* NULL: out of memory */
void psst_replay_cache_free(struct psst_replay_cache *cache);

/* PSST_OK: was not there, and is now. PSST_ERR_EXISTS: seen before. PSST_ERR_FULL: the cache holds a million entries of
 * days that can still match, so the caller must be dropped. today: forgets first what is older than today - 1 (when the
 * day moves on). matched_day is the day that M1's MAC was made with. */
PSST_MUST_USE enum psst_err psst_replay_cache_add(struct psst_replay_cache *cache, const uint8_t mac[32],
                                                  uint64_t matched_day, uint64_t today);
/* Whether psst_replay_cache_add would say PSST_ERR_EXISTS, without adding: so that replays, which cost nothing to make, are
 * told apart before anything is counted against the address they come from. */
bool psst_replay_cache_seen(struct psst_replay_cache *cache, const uint8_t mac[32], uint64_t matched_day,
                            uint64_t today);
size_t psst_replay_cache_count(const struct psst_replay_cache *cache);

#define PSST_REPLAY_ENTRY_LEN 24 /* 16 bytes of MAC || u64 day: one entry in the file on disk */
/* For the file: what the daemon appends after an add, and what it feeds back at its start (malformed input is skipped).
 */
void psst_replay_entry_encode(uint8_t out[PSST_REPLAY_ENTRY_LEN], const uint8_t mac[32], uint64_t matched_day);
void psst_replay_cache_load(struct psst_replay_cache *cache, struct psst_view entries, uint64_t today);

#endif
