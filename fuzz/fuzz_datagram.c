/* Voice datagrams and frames.
 *
 * input: u8 how || bytes
 *   how 0: the bytes are a datagram from anybody: refused, and the window does not move
 *   how 1: the bytes are a frame: read, and when it is one, written again to the same bytes; sealed and opened
 *   how 2: the bytes are counters in order of arrival, differences of 2 bytes from a place of 8: each is taken once
 */
#include "fuzz.h"

#include "proto/datagram.h"

#define RECEIVER  UINT32_C(0x0a0b0c0d)
#define FRAME_MAX 4096

static const struct psst_aead_key key = {{9, 8, 7}};

static void from_anybody(struct psst_view v)
{
    struct psst_replay_window w = {0}, before = w;
    static uint8_t frame[FRAME_MAX];
    uint64_t counter = 5;
    if (v.len > FRAME_MAX) return;
    size_t frame_len = v.len < 28 ? 100 : v.len - 28;
    FUZZ_CHECK(psst_datagram_open(frame, &key, RECEIVER, &w, frame_len, v, &counter) == PSST_ERR_AUTH);
    FUZZ_CHECK(counter == 5 && memcmp(&w, &before, sizeof w) == 0);
}

static void frame(struct psst_view v)
{
    static uint8_t again[FRAME_MAX], datagram[FRAME_MAX + 28], opened[FRAME_MAX];
    struct psst_replay_window w = {0};
    struct psst_voice_frame f;
    uint64_t number = fuzz_take_u16(&v), counter = 0;
    if (v.len > FRAME_MAX || psst_voice_frame_read(&f, v) != PSST_OK) return;
    FUZZ_CHECK(psst_voice_frame_write(again, v.len, &f) == PSST_OK);
    FUZZ_CHECK(memcmp(again, v.data, v.len) == 0);
    FUZZ_CHECK(psst_datagram_seal(datagram, &key, RECEIVER, number, v) == PSST_OK);
    struct psst_view sealed = psst_view(datagram, v.len + 28);
    FUZZ_CHECK(psst_datagram_open(opened, &key, RECEIVER + 1, &w, v.len, sealed, &counter) == PSST_ERR_AUTH);
    FUZZ_CHECK(psst_datagram_open(opened, &key, RECEIVER, &w, v.len, sealed, &counter) == PSST_OK);
    FUZZ_CHECK(counter == number && memcmp(opened, v.data, v.len) == 0);
    FUZZ_CHECK(psst_datagram_open(opened, &key, RECEIVER, &w, v.len, sealed, &counter) == PSST_ERR_AUTH);
}

static void counters(struct psst_view v)
{
    struct psst_replay_window w = {0};
    uint8_t place[8];
    uint64_t top = 0;
    bool any = false;
    fuzz_take(&v, place, sizeof place);
    uint64_t base = psst_load_u64(place);
    while (v.len > 0) {
        uint64_t counter = base + fuzz_take_u16(&v); /* may wrap: a counter like any other */
        bool fresh = psst_replay_window_check(&w, counter);
        if (!any || counter > top) FUZZ_CHECK(fresh);
        if (any && counter <= top && top - counter >= PSST_REPLAY_WINDOW) FUZZ_CHECK(!fresh);
        if (!fresh) continue;
        psst_replay_window_mark(&w, counter);
        FUZZ_CHECK(!psst_replay_window_check(&w, counter));
        if (!any || counter > top) top = counter;
        any = true;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_init();
    struct psst_view input = psst_view(data, size);
    uint8_t how = fuzz_take_u8(&input) % 3;
    if (how == 0) from_anybody(input);
    if (how == 1) frame(input);
    if (how == 2) counters(input);
    return 0;
}
