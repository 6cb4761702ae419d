/* A hash table over things that lie elsewhere: each holds a node, the table owns nothing but its buckets. Whoever looks
 * something up hashes the key, and compares it with each thing of that hash:
 *
 *     for (struct psst_map_node *n = psst_map_find(&map, psst_hash_u64(id)); n != NULL; n = psst_map_next(n))
 *         if (PSST_MAP_ITEM(n, struct thing, by_id)->id == id) ...
 *
 * For keys that nobody hostile chooses in large numbers: there is no secret in the hash. One thread at a time. */
#ifndef PSST_BASE_MAP_H
#define PSST_BASE_MAP_H

#include "base/bytes.h"

#define PSST_MAP_FIRST 8 /* buckets that need no memory of their own */

struct psst_map_node {
    struct psst_map_node *next; /* in its bucket */
    uint64_t hash;
};

struct psst_map {                                           /* all zeros is empty */
    struct psst_map_node **buckets, *first[PSST_MAP_FIRST]; /* buckets NULL: first */
    size_t cap;                                             /* of buckets, a power of two */
    size_t count;
};

/* The thing that a node lies in. */
#define PSST_MAP_ITEM(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))

/* Never fails: without memory it grows slower, not wrong. */
void psst_map_add(struct psst_map *map, struct psst_map_node *node, uint64_t hash);
/* node is in the table. */
void psst_map_remove(struct psst_map *map, struct psst_map_node *node);
/* One with this hash, and the next with the same; NULL: no more. */
struct psst_map_node *psst_map_find(const struct psst_map *map, uint64_t hash);
struct psst_map_node *psst_map_next(const struct psst_map_node *node);
/* Empty again; the nodes are their owners'. */
void psst_map_fini(struct psst_map *map);

uint64_t psst_hash_u64(uint64_t v);
uint64_t psst_hash_bytes(struct psst_view bytes);
/* Without regard to ASCII case. */
uint64_t psst_hash_folded(const char *text);

#endif
