/* The replay cache: what it remembers, what it forgets, and that it stays bounded. */
#include "proto/replay.h"

#include "support/check.h"

#define TODAY UINT64_C(20254)

static int new_cache(void **state)
{
    *state = psst_replay_cache_new();
    return *state == NULL;
}

static int free_cache(void **state)
{
    psst_replay_cache_free(*state);
    return 0;
}

/* A MAC for each number; spread as HMACs are, so that the test is about the set and not about its hash. */
static void mac_of(uint8_t mac[32], uint64_t number)
{
    memset(mac, 0xa5, 32);
    psst_store_u64(mac, number * UINT64_C(0x9e3779b97f4a7c15));
    psst_store_u64(mac + 8, number);
}

static enum psst_err add(struct psst_replay_cache *cache, uint64_t number, uint64_t day, uint64_t today)
{
    uint8_t mac[32];
    mac_of(mac, number);
    return psst_replay_cache_add(cache, mac, day, today);
}

static void replay_cache__accepts_once__same_mac(void **state)
{
    struct psst_replay_cache *cache = *state;
    assert_int_equal(psst_replay_cache_count(cache), 0);
    assert_int_equal(add(cache, 1, TODAY, TODAY), PSST_OK);
    assert_int_equal(add(cache, 1, TODAY, TODAY), PSST_ERR_EXISTS);
    assert_int_equal(add(cache, 2, TODAY, TODAY), PSST_OK);
    assert_int_equal(psst_replay_cache_count(cache), 2);
}

static void replay_cache__asked__adds_nothing(void **state)
{
    struct psst_replay_cache *cache = *state;
    uint8_t mac[32];
    mac_of(mac, 3);
    assert_false(psst_replay_cache_seen(cache, mac, TODAY, TODAY));
    assert_int_equal(psst_replay_cache_count(cache), 0);
    assert_int_equal(add(cache, 3, TODAY, TODAY), PSST_OK);
    assert_true(psst_replay_cache_seen(cache, mac, TODAY, TODAY));
    assert_false(psst_replay_cache_seen(cache, mac, TODAY + 1, TODAY));
    assert_true(psst_replay_cache_seen(cache, mac, TODAY, TODAY + 2)); /* forgotten: nobody can say */
}

static void replay_cache__tells_apart__every_byte_of_the_key(void **state)
{
    struct psst_replay_cache *cache = *state;
    uint8_t mac[32];
    mac_of(mac, 7);
    assert_int_equal(psst_replay_cache_add(cache, mac, TODAY, TODAY), PSST_OK);
    for (size_t i = 0; i < 16; i++) {
        mac[i] ^= 1;
        assert_int_equal(psst_replay_cache_add(cache, mac, TODAY, TODAY), PSST_OK);
        mac[i] ^= 1;
    }
    mac[31] ^= 1; /* behind the 16 bytes that are kept: the header calls this a clash */
    assert_int_equal(psst_replay_cache_add(cache, mac, TODAY, TODAY), PSST_ERR_EXISTS);
}

static void replay_cache__accepts_once__mac_of_zeros(void **state)
{
    struct psst_replay_cache *cache = *state;
    const uint8_t zeros[32] = {0};
    assert_int_equal(psst_replay_cache_add(cache, zeros, TODAY, TODAY), PSST_OK);
    assert_int_equal(psst_replay_cache_add(cache, zeros, TODAY, TODAY), PSST_ERR_EXISTS);
    assert_int_equal(psst_replay_cache_count(cache), 1);
}

static void replay_cache__remembers__while_the_day_can_match(void **state)
{
    struct psst_replay_cache *cache = *state;
    assert_int_equal(add(cache, 1, TODAY, TODAY - 1), PSST_OK);
    assert_int_equal(add(cache, 1, TODAY, TODAY), PSST_ERR_EXISTS);
    assert_int_equal(add(cache, 1, TODAY, TODAY + 1), PSST_ERR_EXISTS);
    assert_int_equal(psst_replay_cache_count(cache), 1);
}

static void replay_cache__forgets__days_that_cannot_match(void **state)
{
    struct psst_replay_cache *cache = *state;
    for (uint64_t i = 0; i < 300; i++) assert_int_equal(add(cache, i, TODAY + i % 3 - 1, TODAY), PSST_OK);
    assert_int_equal(psst_replay_cache_count(cache), 300);
    assert_int_equal(add(cache, 1000, TODAY + 1, TODAY + 1), PSST_OK);
    assert_int_equal(psst_replay_cache_count(cache), 201);
    assert_int_equal(add(cache, 1001, TODAY + 3, TODAY + 3), PSST_OK);
    assert_int_equal(psst_replay_cache_count(cache), 1);
}

static void replay_cache__refuses__day_that_is_forgotten(void **state)
{
    struct psst_replay_cache *cache = *state;
    assert_int_equal(add(cache, 1, TODAY - 1, TODAY), PSST_OK);
    /* midnight between the MAC's check and the cache: nobody can say any more that it is new */
    assert_int_equal(add(cache, 1, TODAY - 1, TODAY + 1), PSST_ERR_EXISTS);
    assert_int_equal(add(cache, 2, TODAY - 1, TODAY + 1), PSST_ERR_EXISTS);
}

static void replay_cache__works__around_the_first_and_last_day(void **state)
{
    struct psst_replay_cache *cache = *state;
    assert_int_equal(add(cache, 1, 0, 0), PSST_OK);
    assert_int_equal(add(cache, 1, 0, 1), PSST_ERR_EXISTS);
    assert_int_equal(add(cache, 2, UINT64_MAX, 0), PSST_ERR_EXISTS);
    assert_int_equal(add(cache, 3, UINT64_MAX, UINT64_MAX), PSST_OK);
    assert_int_equal(add(cache, 3, UINT64_MAX, UINT64_MAX), PSST_ERR_EXISTS);
    assert_int_equal(add(cache, 4, UINT64_MAX - 1, UINT64_MAX), PSST_OK);
    assert_int_equal(psst_replay_cache_count(cache), 2);
}

static void replay_cache__is_full__at_a_million(void **state)
{
    struct psst_replay_cache *cache = *state;
    for (uint64_t i = 0; i < PSST_REPLAY_CACHE_MAX; i++)
        if (add(cache, i, TODAY + i % 2, TODAY) != PSST_OK) fail();
    assert_int_equal(psst_replay_cache_count(cache), PSST_REPLAY_CACHE_MAX);
    assert_int_equal(add(cache, PSST_REPLAY_CACHE_MAX, TODAY, TODAY), PSST_ERR_FULL);
    assert_int_equal(add(cache, 0, TODAY, TODAY), PSST_ERR_EXISTS); /* what is known is still known */
    for (uint64_t i = 0; i < PSST_REPLAY_CACHE_MAX; i += 997)
        assert_int_equal(add(cache, i, TODAY + i % 2, TODAY), PSST_ERR_EXISTS);
    /* two days on, today's half is forgotten and there is room */
    assert_int_equal(add(cache, PSST_REPLAY_CACHE_MAX, TODAY + 2, TODAY + 2), PSST_OK);
    assert_int_equal(psst_replay_cache_count(cache), PSST_REPLAY_CACHE_MAX / 2 + 1);
}

/* Insiders can aim: thousands of MACs that start alike are all found again, slower but right. */
static void replay_cache__stays_right__when_all_start_at_one_place(void **state)
{
    struct psst_replay_cache *cache = *state;
    uint8_t mac[32] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    for (uint64_t round = 0; round < 2; round++) {
        for (uint64_t i = 0; i < 2000; i++) {
            psst_store_u64(mac + 8, i);
            assert_int_equal(psst_replay_cache_add(cache, mac, TODAY, TODAY), round == 0 ? PSST_OK : PSST_ERR_EXISTS);
        }
    }
    assert_int_equal(psst_replay_cache_count(cache), 2000);
}

static void replay_cache__takes_back__what_the_file_holds(void **state)
{
    struct psst_replay_cache *cache = *state;
    uint8_t file[5 * PSST_REPLAY_ENTRY_LEN + 11] = {0}, mac[32];
    const uint64_t days[5] = {TODAY, TODAY - 1, TODAY - 2, TODAY + 1, TODAY}; /* the third is too old */
    for (uint64_t i = 0; i < 5; i++) {
        mac_of(mac, i);
        psst_replay_entry_encode(file + i * PSST_REPLAY_ENTRY_LEN, mac, days[i]);
    }
    assert_int_equal(psst_load_u64(file + 16), TODAY);
    psst_replay_cache_load(cache, psst_view(file, sizeof file), TODAY);
    assert_int_equal(psst_replay_cache_count(cache), 4);
    assert_int_equal(add(cache, 0, TODAY, TODAY), PSST_ERR_EXISTS);
    assert_int_equal(add(cache, 1, TODAY - 1, TODAY), PSST_ERR_EXISTS);
    assert_int_equal(add(cache, 3, TODAY + 1, TODAY), PSST_ERR_EXISTS);
    psst_replay_cache_load(cache, psst_view(file, sizeof file), TODAY); /* doubles do not count */
    psst_replay_cache_load(cache, psst_view(NULL, 0), TODAY);
    assert_int_equal(psst_replay_cache_count(cache), 4);
}

int main(void)
{
#define CACHE_TEST(f) cmocka_unit_test_setup_teardown(f, new_cache, free_cache)
    const struct CMUnitTest tests[] = {
        CACHE_TEST(replay_cache__accepts_once__same_mac),
        CACHE_TEST(replay_cache__asked__adds_nothing),
        CACHE_TEST(replay_cache__tells_apart__every_byte_of_the_key),
        CACHE_TEST(replay_cache__accepts_once__mac_of_zeros),
        CACHE_TEST(replay_cache__remembers__while_the_day_can_match),
        CACHE_TEST(replay_cache__forgets__days_that_cannot_match),
        CACHE_TEST(replay_cache__refuses__day_that_is_forgotten),
        CACHE_TEST(replay_cache__works__around_the_first_and_last_day),
        CACHE_TEST(replay_cache__is_full__at_a_million),
        CACHE_TEST(replay_cache__stays_right__when_all_start_at_one_place),
        CACHE_TEST(replay_cache__takes_back__what_the_file_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
