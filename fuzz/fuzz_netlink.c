/* What the kernel tells of links, addresses and routes (attack 51), from somebody who is not the kernel after all.
 *
 * input: datagrams, each u16 length (big-endian), then that many bytes. Whatever they hold, at most so much is remembered,
 * nothing is remembered twice, and reports come in their time and no more often than they may.
 */
#include "fuzz.h"

#include "net/watch.h"

#define STEP_NS UINT64_C(50000000)

static void check_known(const struct psst_watch *w)
{
    FUZZ_CHECK(w->n_known <= PSST_WATCH_KNOWN);
    for (size_t i = 0; i < w->n_known; i++) {
        const struct psst_watch_known *a = &w->known[i];
        for (size_t k = i + 1; k < w->n_known; k++) {
            const struct psst_watch_known *b = &w->known[k];
            bool same = a->index == b->index && a->family == b->family;
            FUZZ_CHECK(!same || memcmp(a->address, b->address, sizeof a->address) != 0);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct psst_view input = psst_view(data, size);
    struct psst_watch w = {.netlink_fd = -1, .clock_fd = -1, .due_ns = UINT64_MAX};
    uint64_t now_ns = STEP_NS, told_ns = 0;
    while (input.len > 0) {
        size_t len = fuzz_take_u16(&input);
        struct psst_view datagram = fuzz_take_view(&input, len);
        uint8_t *exact = malloc(datagram.len + 1); /* so that one byte too far is seen */
        FUZZ_CHECK(exact != NULL);
        if (datagram.len > 0) memcpy(exact, datagram.data, datagram.len);
        psst_watch_datagram(&w, 0, psst_view(exact, datagram.len), now_ns);
        free(exact);
        if (psst_watch_take(&w, now_ns) != PSST_WATCH_NOTHING) {
            FUZZ_CHECK(told_ns == 0 || now_ns >= told_ns + UINT64_C(1000000000));
            told_ns = now_ns;
        }
        now_ns += STEP_NS;
    }
    check_known(&w);
    return 0;
}
