/* The hash table: what is in it is found, what is not is not, however full it is and however alike the hashes are. */
#include "base/map.h"

#include "support/check.h"

#include <stdlib.h>

#define MANY 5000

struct thing {
    struct psst_map_node node;
    uint64_t key;
};

static struct thing things[MANY];

static struct thing *find(const struct psst_map *map, uint64_t hash, uint64_t key)
{
    for (struct psst_map_node *n = psst_map_find(map, hash); n != NULL; n = psst_map_next(n)) {
        struct thing *thing = PSST_MAP_ITEM(n, struct thing, node);
        assert_int_equal(thing->node.hash, hash);
        if (thing->key == key) return thing;
    }
    return NULL;
}

static void map__finds__all_of_many(void **state)
{
    (void)state;
    struct psst_map map = {0};
    for (uint64_t i = 0; i < MANY; i++) {
        assert_null(find(&map, psst_hash_u64(i), i));
        things[i].key = i;
        psst_map_add(&map, &things[i].node, psst_hash_u64(i));
        assert_int_equal(map.count, i + 1);
    }
    for (uint64_t i = 0; i < MANY; i++) assert_ptr_equal(find(&map, psst_hash_u64(i), i), &things[i]);
    assert_null(find(&map, psst_hash_u64(MANY), MANY));
    assert_true(map.cap >= MANY / 2 && map.cap <= 2 * MANY);
    for (uint64_t i = 0; i < MANY; i += 2) psst_map_remove(&map, &things[i].node);
    for (uint64_t i = 0; i < MANY; i++) assert_ptr_equal(find(&map, psst_hash_u64(i), i), i % 2 ? &things[i] : NULL);
    assert_int_equal(map.count, MANY / 2);
    psst_map_fini(&map);
    assert_null(find(&map, psst_hash_u64(1), 1));
}

/* No bucket is much longer than it should be, for the keys that there are: small numbers. */
static void map__spreads__numbers(void **state)
{
    (void)state;
    struct psst_map map = {0};
    for (uint64_t i = 0; i < MANY; i++) psst_map_add(&map, &things[i].node, psst_hash_u64(i << 16));
    for (size_t i = 0; i < map.cap; i++) {
        size_t n = 0;
        for (const struct psst_map_node *node = map.buckets[i]; node != NULL; node = node->next) n++;
        assert_true(n < 12);
    }
    psst_map_fini(&map);
}

static void map__equal_hashes__are_told_apart_by_the_caller(void **state)
{
    (void)state;
    struct psst_map map = {0};
    for (uint64_t i = 0; i < 100; i++) {
        things[i].key = i;
        psst_map_add(&map, &things[i].node, 42);
    }
    for (uint64_t i = 0; i < 100; i++) assert_ptr_equal(find(&map, 42, i), &things[i]);
    assert_null(find(&map, 42, 100));
    assert_null(psst_map_find(&map, 42 + 8));
    for (uint64_t i = 0; i < 100; i++) psst_map_remove(&map, &things[99 - i].node);
    assert_int_equal(map.count, 0);
    assert_null(psst_map_find(&map, 42));
    psst_map_fini(&map);
}

static void hash_folded__is_equal__whatever_the_case(void **state)
{
    (void)state;
    assert_int_equal(psst_hash_folded("Alice@[`Z"), psst_hash_folded("aLICE@[`z"));
    assert_int_not_equal(psst_hash_folded("[lice"), psst_hash_folded("{lice")); /* 32 apart, and no letters */
    assert_int_not_equal(psst_hash_folded("alice"), psst_hash_folded("alicf"));
    assert_int_not_equal(psst_hash_folded("\xc3\x84"), psst_hash_folded("\xc3\xa4"));
    assert_int_equal(psst_hash_bytes(psst_view("", 0)), psst_hash_folded(""));
    assert_int_not_equal(psst_hash_bytes(psst_view("\0", 1)), psst_hash_bytes(psst_view("\0\0", 2)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(map__finds__all_of_many),
        cmocka_unit_test(map__spreads__numbers),
        cmocka_unit_test(map__equal_hashes__are_told_apart_by_the_caller),
        cmocka_unit_test(hash_folded__is_equal__whatever_the_case),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
