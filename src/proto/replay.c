/* One open-addressing set for each day that can match: yesterday, today, tomorrow. A day lives at its number modulo 3,
 * so that forgetting a day is freeing one table, and the day that takes its place is always three away.
 *
 * The hash of an entry is the MAC itself, without a key of our own (the core has no randomness). That is enough: an
 * entry is only added after its MAC has been verified, so to strangers it is the output of HMAC-SHA256 under a key they
 * lack. Who holds the callee's public key can make valid MACs that begin alike, but a run of n entries that all start
 * at one place of a table of 2^20 costs him n * 2^20 trials, only makes each look as dear as comparing n entries of 16
 * bytes, and has to pass the limit on valid M1 from one address first.
 */
#include "proto/replay.h"

#include <stdlib.h>

#define DAYS      3
#define ENTRY_LEN 16
#define CAP_SHIFT 6 /* of the smallest table: 64 places */
#define ENTRY_DAY ENTRY_LEN

struct entry {
    uint8_t b[ENTRY_LEN]; /* all zeros: empty */
};

struct day_set {
    uint64_t day;
    struct entry *places; /* NULL until something is added */
    size_t cap;           /* a power of two */
    size_t count;
};

struct psst_replay_cache {
    struct day_set sets[DAYS];
};

struct psst_replay_cache *psst_replay_cache_new(void)
{
    return calloc(1, sizeof(struct psst_replay_cache));
}

static void empty_set(struct day_set *set)
{
    free(set->places);
    *set = (struct day_set){0};
}

void psst_replay_cache_free(struct psst_replay_cache *cache)
{
    if (cache == NULL) return;
    for (size_t i = 0; i < DAYS; i++) empty_set(&cache->sets[i]);
    free(cache);
}

size_t psst_replay_cache_count(const struct psst_replay_cache *cache)
{
    size_t count = 0;
    for (size_t i = 0; i < DAYS; i++) count += cache->sets[i].count;
    return count;
}

/* Whether an M1 of that day would pass read_m1 today. Written so that nothing wraps around day 0 or the last day. */
static bool can_match(uint64_t day, uint64_t today)
{
    return day >= today ? day - today <= 1 : today - day <= 1;
}

static void forget_other_days(struct psst_replay_cache *cache, uint64_t today)
{
    for (size_t i = 0; i < DAYS; i++) {
        struct day_set *set = &cache->sets[i];
        if (set->places != NULL && !can_match(set->day, today)) empty_set(set);
    }
}

static struct entry entry_of(const uint8_t mac[ENTRY_LEN])
{
    static const struct entry zeros;
    struct entry e;
    memcpy(e.b, mac, ENTRY_LEN);
    if (memcmp(e.b, zeros.b, ENTRY_LEN) == 0) e.b[0] = 1; /* zeros mean empty; one more clash that will never happen */
    return e;
}

/* The place where this entry is, or the empty one where it belongs. There is always an empty one. */
static struct entry *find_place(const struct day_set *set, const struct entry *e)
{
    static const struct entry zeros;
    for (size_t i = (size_t)psst_load_u64(e->b);; i++) {
        struct entry *place = &set->places[i & (set->cap - 1)];
        if (memcmp(place->b, e->b, ENTRY_LEN) == 0 || memcmp(place->b, zeros.b, ENTRY_LEN) == 0) return place;
    }
}

static bool is_empty(const struct entry *e)
{
    static const struct entry zeros;
    return memcmp(e->b, zeros.b, ENTRY_LEN) == 0;
}

/* Room for one more, at most three quarters full. */
static enum psst_err grow(struct day_set *set)
{
    if (set->cap > 0 && set->count < set->cap / 4 * 3) return PSST_OK;
    struct day_set larger = *set;
    larger.cap = set->cap == 0 ? (size_t)1 << CAP_SHIFT : set->cap * 2;
    larger.places = calloc(larger.cap, sizeof *larger.places);
    if (larger.places == NULL) return PSST_ERR_MEMORY;
    for (size_t i = 0; i < set->cap; i++)
        if (!is_empty(&set->places[i])) *find_place(&larger, &set->places[i]) = set->places[i];
    free(set->places);
    *set = larger;
    return PSST_OK;
}

bool psst_replay_cache_seen(struct psst_replay_cache *cache, const uint8_t mac[32], uint64_t matched_day,
                            uint64_t today)
{
    forget_other_days(cache, today);
    /* midnight passed between the MAC's check and this: its day is forgotten, so nobody can say that it is new */
    if (!can_match(matched_day, today)) return true;
    const struct day_set *set = &cache->sets[matched_day % DAYS];
    struct entry e = entry_of(mac);
    return set->places != NULL && !is_empty(find_place(set, &e));
}

enum psst_err psst_replay_cache_add(struct psst_replay_cache *cache, const uint8_t mac[32], uint64_t matched_day,
                                    uint64_t today)
{
    if (psst_replay_cache_seen(cache, mac, matched_day, today)) return PSST_ERR_EXISTS;
    struct day_set *set = &cache->sets[matched_day % DAYS];
    struct entry e = entry_of(mac);
    if (psst_replay_cache_count(cache) >= PSST_REPLAY_CACHE_MAX) return PSST_ERR_FULL;
    set->day = matched_day;
    enum psst_err err = grow(set);
    if (err != PSST_OK) return err;
    *find_place(set, &e) = e;
    set->count++;
    return PSST_OK;
}

void psst_replay_entry_encode(uint8_t out[PSST_REPLAY_ENTRY_LEN], const uint8_t mac[32], uint64_t matched_day)
{
    memcpy(out, mac, ENTRY_LEN);
    psst_store_u64(out + ENTRY_DAY, matched_day);
}

void psst_replay_cache_load(struct psst_replay_cache *cache, struct psst_view entries, uint64_t today)
{
    struct psst_reader r = psst_reader(entries);
    while (r.left >= PSST_REPLAY_ENTRY_LEN) { /* a rest shorter than that is an append that was cut off */
        uint8_t mac[32] = {0};
        psst_read_bytes(&r, mac, ENTRY_LEN);
        /* days that cannot match, doubles and what is over the maximum are skipped */
        if (psst_replay_cache_add(cache, mac, psst_read_u64(&r), today) == PSST_ERR_MEMORY) return;
    }
}
