/* What a psst-voice that was taken over says to the sound server (daemon/voice/filter.h).
 *
 * input: bytes. However they are cut, the same is refused; and what passed, read by another reader, holds no command but those of
 * streams, and no memory that is shared.
 */
#include "fuzz.h"

#include "base/bytes.h"
#include "daemon/voice/filter.h"

static bool is_known(uint32_t command)
{
    static const uint8_t good[] = {3, 4, 5, 6, 8, 9, 14, 20, 21, 22, 23, 24, 35, 57};
    return command < 256 && memchr(good, (int)command, sizeof good) != NULL;
}

static void check_passed(const uint8_t *data, size_t size)
{
    while (size >= VOICE_FILTER_HEAD) {
        const size_t len = psst_load_u32(data), left = size - VOICE_FILTER_HEAD;
        FUZZ_CHECK(psst_load_u32(data + 16) <= 0xff);
        FUZZ_CHECK(len > 0 && len <= 1 << 20);
        if (psst_load_u32(data + 4) == UINT32_MAX && left >= 5)
            FUZZ_CHECK(is_known(psst_load_u32(data + VOICE_FILTER_HEAD + 1)));
        if (len > left) return;
        data += VOICE_FILTER_HEAD + len;
        size -= VOICE_FILTER_HEAD + len;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t whole[4096], pieces[4096];
    static const uint8_t cookie[256] = {1};
    struct voice_filter f, g;
    if (size > sizeof whole) size = sizeof whole;
    memcpy(whole, data, size);
    memcpy(pieces, data, size);
    voice_filter_init(&f, cookie);
    voice_filter_init(&g, cookie);
    size_t passed = 0;
    while (passed < size && voice_filter_pass(&g, &pieces[passed], 1)) passed++;
    FUZZ_CHECK(voice_filter_pass(&f, whole, size) == (passed == size));
    if (passed == size) FUZZ_CHECK(memcmp(whole, pieces, size) == 0);
    check_passed(pieces, passed);
    return 0;
}
