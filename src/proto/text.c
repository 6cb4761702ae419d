#include "proto/text.h"

#include <stdlib.h>

#define CAP_MIN 16

struct psst_text_slot {
    struct psst_msg_id id;
    bool used;
};

/* Our own identifiers, which no peer chooses: a plain mixing function is enough. */
static size_t home(const struct psst_text_outstanding *set, const struct psst_msg_id *id)
{
    uint64_t h = psst_load_u64(id->b) ^ psst_load_u64(id->b + 8);
    h *= UINT64_C(0x9e3779b97f4a7c15);
    return (size_t)(h >> 32) & (set->cap - 1);
}

/* The slot that holds id, or the free one where it belongs. There is always a free one: at most half are used. */
static size_t find(const struct psst_text_outstanding *set, const struct psst_msg_id *id)
{
    size_t i = home(set, id);
    while (set->slots[i].used && memcmp(set->slots[i].id.b, id->b, sizeof id->b) != 0) i = (i + 1) & (set->cap - 1);
    return i;
}

static enum psst_err grow(struct psst_text_outstanding *set)
{
    struct psst_text_outstanding next = {.cap = set->cap == 0 ? CAP_MIN : 2 * set->cap, .count = set->count};
    next.slots = calloc(next.cap, sizeof *next.slots);
    if (next.slots == NULL) return PSST_ERR_MEMORY;
    for (size_t i = 0; i < set->cap; i++)
        if (set->slots[i].used) next.slots[find(&next, &set->slots[i].id)] = set->slots[i];
    free(set->slots);
    *set = next;
    return PSST_OK;
}

enum psst_err psst_text_outstanding_add(struct psst_text_outstanding *set, const struct psst_msg_id *id)
{
    if (set->count >= PSST_TEXT_OUTSTANDING_MAX) return PSST_ERR_AGAIN;
    if (2 * (set->count + 1) > set->cap) {
        enum psst_err err = grow(set);
        if (err != PSST_OK) return err;
    }
    struct psst_text_slot *slot = &set->slots[find(set, id)];
    if (slot->used) return PSST_OK;
    *slot = (struct psst_text_slot){.id = *id, .used = true};
    set->count++;
    return PSST_OK;
}

/* Closes the gap at i: each later one of the same cluster moves up unless that would bring it before its home. */
static void close_gap(struct psst_text_outstanding *set, size_t gap)
{
    size_t mask = set->cap - 1;
    for (size_t i = (gap + 1) & mask; set->slots[i].used; i = (i + 1) & mask) {
        size_t from_home = (i - home(set, &set->slots[i].id)) & mask;
        if (from_home < ((i - gap) & mask)) continue;
        set->slots[gap] = set->slots[i];
        gap = i;
    }
    set->slots[gap].used = false;
}

bool psst_text_outstanding_remove(struct psst_text_outstanding *set, const struct psst_msg_id *id)
{
    if (set->count == 0) return false;
    size_t i = find(set, id);
    if (!set->slots[i].used) return false;
    close_gap(set, i);
    if (--set->count == 0) psst_text_outstanding_fini(set);
    return true;
}

void psst_text_outstanding_fini(struct psst_text_outstanding *set)
{
    free(set->slots);
    *set = (struct psst_text_outstanding){0};
}
