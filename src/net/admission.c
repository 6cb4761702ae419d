#include "net/admission.h"

#define MESSAGE_COSTS 1000 /* thousandths */

struct psst_source psst_source_of(const union psst_sockaddr *sa)
{
    struct psst_source s = {{0}};
    if (sa->any.sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&sa->in6.sin6_addr)) {
        s.b[0] = 4;
        memcpy(s.b + 1, &sa->in6.sin6_addr.s6_addr[12], 4);
    } else if (sa->any.sa_family == AF_INET6) {
        s.b[0] = 6;
        memcpy(s.b + 1, sa->in6.sin6_addr.s6_addr, 8);
    } else {
        s.b[0] = 4;
        memcpy(s.b + 1, &sa->in.sin_addr, 4);
    }
    return s;
}

bool psst_source_equal(const struct psst_source *a, const struct psst_source *b)
{
    return memcmp(a->b, b->b, sizeof a->b) == 0;
}

void psst_admission_init(struct psst_admission *a, size_t taken, uint64_t now_ns)
{
    *a = (struct psst_admission){0};
    psst_bucket_init(&a->taken, PSST_TAKEN_PER_SECOND, PSST_TAKEN_BURST);
    psst_bucket_init(&a->reserved, PSST_RESERVED_PER_SECOND, PSST_RESERVED_BURST);
    psst_bucket_take(&a->taken, now_ns, taken < PSST_TAKEN_BURST ? taken : PSST_TAKEN_BURST);
}

bool psst_admission_take(struct psst_admission *a, uint64_t now_ns)
{
    return psst_bucket_try(&a->taken, now_ns, 1);
}

bool psst_admission_take_reserved(struct psst_admission *a, uint64_t now_ns)
{
    return psst_bucket_try(&a->reserved, now_ns, 1);
}

static void append(struct psst_place_list *list, struct psst_place *place)
{
    place->prev = list->newest;
    place->next = NULL;
    if (list->newest != NULL)
        list->newest->next = place;
    else
        list->oldest = place;
    list->newest = place;
    list->n++;
}

static void take_out(struct psst_place_list *list, struct psst_place *place)
{
    if (place->prev == NULL && list->oldest != place) return; /* in no list */
    if (place->prev != NULL)
        place->prev->next = place->next;
    else
        list->oldest = place->next;
    if (place->next != NULL)
        place->next->prev = place->prev;
    else
        list->newest = place->prev;
    place->next = place->prev = NULL;
    list->n--;
}

bool psst_admission_enter(struct psst_admission *a, struct psst_place *place, struct psst_source source,
                          struct psst_place **evicted)
{
    unsigned same = 0;
    struct psst_place *oldest_same = NULL, *oldest = NULL; /* of those that have shown nothing */
    for (struct psst_place *p = a->waiting.oldest; p != NULL; p = p->next) {
        bool is_same = psst_source_equal(&p->source, &source);
        if (is_same) same++;
        if (p->shown) continue;
        if (oldest == NULL) oldest = p;
        if (is_same && oldest_same == NULL) oldest_same = p;
    }
    struct psst_place *out = NULL;
    if (same >= PSST_PLACES_PER_SOURCE) {
        if (oldest_same == NULL) return false;
        out = oldest_same;
    } else if (a->waiting.n >= PSST_PLACES) {
        if (oldest == NULL) return false;
        out = oldest;
    }
    if (out != NULL) take_out(&a->waiting, out);
    *place = (struct psst_place){.source = source};
    append(&a->waiting, place);
    *evicted = out;
    return true;
}

void psst_admission_shown(struct psst_place *place)
{
    place->shown = true;
}

void psst_admission_leave(struct psst_admission *a, struct psst_place *place)
{
    take_out(place->in_void ? &a->in_void : &a->waiting, place);
}

struct psst_place *psst_admission_to_void(struct psst_admission *a, struct psst_place *place)
{
    if (place->in_void) return NULL;
    take_out(&a->waiting, place);
    struct psst_place *out = NULL;
    if (a->in_void.n >= PSST_PLACES_VOID) {
        out = a->in_void.oldest;
        take_out(&a->in_void, out);
    }
    place->in_void = true;
    append(&a->in_void, place);
    return out;
}

/* The bucket of this source, or the one that was quiet for longest, emptied for it. */
static struct psst_rate *rate_of(struct psst_admission *a, const struct psst_source *source, uint64_t now_ns)
{
    struct psst_rate *best = &a->rates[0];
    for (size_t i = 0; i < PSST_RATE_SOURCES; i++) {
        struct psst_rate *r = &a->rates[i];
        if (r->used && psst_source_equal(&r->source, source)) return r;
        if (!best->used) continue;
        if (!r->used || r->at_ns < best->at_ns) best = r;
    }
    *best = (struct psst_rate){
        .source = *source, .thousandths = PSST_RATE_BURST * MESSAGE_COSTS, .at_ns = now_ns, .used = true};
    return best;
}

bool psst_admission_rate(struct psst_admission *a, struct psst_source source, uint64_t now_ns)
{
    struct psst_rate *r = rate_of(a, &source, now_ns);
    const uint64_t full = (uint64_t)PSST_RATE_BURST * MESSAGE_COSTS;
    uint64_t passed_ms = (now_ns - r->at_ns) / 1000000;
    if (passed_ms > full) passed_ms = full; /* long enough to fill it; nothing overflows below */
    uint64_t level = r->thousandths + passed_ms * PSST_RATE_PER_SECOND;
    if (level > full) level = full;
    /* whole milliseconds only are taken as passed, so that frequent asking loses nothing */
    r->at_ns = level == full ? now_ns : r->at_ns + passed_ms * 1000000;
    bool may = level >= MESSAGE_COSTS;
    r->thousandths = (uint32_t)(may ? level - MESSAGE_COSTS : level);
    return may;
}
