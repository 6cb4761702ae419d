#include "base/map.h"

#include <stdlib.h>

static struct psst_map_node *const *buckets_of(const struct psst_map *map, size_t *mask)
{
    *mask = (map->buckets != NULL ? map->cap : PSST_MAP_FIRST) - 1;
    return map->buckets != NULL ? map->buckets : map->first;
}

static struct psst_map_node **bucket(struct psst_map *map, uint64_t hash)
{
    size_t mask;
    (void)buckets_of(map, &mask);
    return (map->buckets != NULL ? map->buckets : map->first) + (hash & mask);
}

static void put(struct psst_map_node **at, struct psst_map_node *node)
{
    node->next = *at;
    *at = node;
}

static void grow(struct psst_map *map)
{
    size_t mask;
    struct psst_map_node *const *old = buckets_of(map, &mask);
    size_t cap = 2 * (mask + 1);
    if (cap > SIZE_MAX / sizeof *map->buckets) return;
    struct psst_map_node **wider = calloc(cap, sizeof *wider);
    if (wider == NULL) return;
    for (size_t i = 0; i <= mask; i++) {
        struct psst_map_node *next;
        for (struct psst_map_node *node = old[i]; node != NULL; node = next) {
            next = node->next;
            put(&wider[node->hash & (cap - 1)], node);
        }
    }
    free(map->buckets);
    map->buckets = wider;
    map->cap = cap;
}

void psst_map_add(struct psst_map *map, struct psst_map_node *node, uint64_t hash)
{
    if (map->count >= (map->buckets != NULL ? map->cap : PSST_MAP_FIRST)) grow(map);
    node->hash = hash;
    put(bucket(map, hash), node);
    map->count++;
}

void psst_map_remove(struct psst_map *map, struct psst_map_node *node)
{
    struct psst_map_node **at = bucket(map, node->hash);
    while (*at != node) at = &(*at)->next;
    *at = node->next;
    node->next = NULL;
    map->count--;
}

static struct psst_map_node *with_hash(struct psst_map_node *node, uint64_t hash)
{
    while (node != NULL && node->hash != hash) node = node->next;
    return node;
}

struct psst_map_node *psst_map_find(const struct psst_map *map, uint64_t hash)
{
    size_t mask;
    struct psst_map_node *const *buckets = buckets_of(map, &mask);
    return with_hash(buckets[hash & mask], hash);
}

struct psst_map_node *psst_map_next(const struct psst_map_node *node)
{
    return with_hash(node->next, node->hash);
}

void psst_map_fini(struct psst_map *map)
{
    free(map->buckets);
    *map = (struct psst_map){0};
}

/* ---- hashes ---- */

/* The finishing step of splitmix64: each bit of v moves all bits of the result. */
uint64_t psst_hash_u64(uint64_t v)
{
    v = (v ^ (v >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    v = (v ^ (v >> 27)) * UINT64_C(0x94d049bb133111eb);
    return v ^ (v >> 31);
}

static uint64_t step(uint64_t hash, uint8_t byte) /* FNV-1a */
{
    return (hash ^ byte) * UINT64_C(0x100000001b3);
}

#define FNV_BASIS UINT64_C(0xcbf29ce484222325)

uint64_t psst_hash_bytes(struct psst_view bytes)
{
    uint64_t hash = FNV_BASIS;
    for (size_t i = 0; i < bytes.len; i++) hash = step(hash, bytes.data[i]);
    return psst_hash_u64(hash);
}

uint64_t psst_hash_folded(const char *text)
{
    uint64_t hash = FNV_BASIS;
    for (; *text != '\0'; text++) {
        uint8_t c = (uint8_t)*text;
        hash = step(hash, c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c);
    }
    return psst_hash_u64(hash);
}
