/* A voice message that somebody sent: Ogg Opus.
 *
 * input: u8 how || bytes
 *   how bit 0: the checksums of the Ogg pages are put right, so that chance need not find them
 *   how bits 1 to 3: 0: read as it comes; else so many bytes at a time
 * Whatever it is: it is refused with a sentence, or it plays and comes to an end.
 */
#include "fuzz.h"

#include "media/message.h"

#define INPUT_MAX   (256 * 1024)
#define HEAD        27 /* of a page, before its table of segments */
#define FRAMES_MOST 2000

struct input {
    struct psst_view left;
    size_t piece;
};

static ptrdiff_t take(void *ctx, uint8_t *out, size_t len)
{
    struct input *input = ctx;
    if (input->piece > 0 && len > input->piece) len = input->piece;
    struct psst_view v = fuzz_take_view(&input->left, len);
    if (v.len > 0) memcpy(out, v.data, v.len);
    return (ptrdiff_t)v.len;
}

/* Ogg's checksum: CRC-32, most significant bit first, over the page with a checksum of zeros. */
static uint32_t crc(const uint8_t *data, size_t len)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < len; i++) {
        sum ^= (uint32_t)data[i] << 24;
        for (int bit = 0; bit < 8; bit++)
            sum = (sum & UINT32_C(0x80000000)) != 0 ? sum << 1 ^ UINT32_C(0x04c11db7) : sum << 1;
    }
    return sum;
}

static void repair(uint8_t *data, size_t len)
{
    for (size_t at = 0; at + HEAD <= len;) {
        if (memcmp(data + at, "OggS", 4) != 0) {
            at++;
            continue;
        }
        size_t segments = data[at + 26], size = HEAD + segments;
        for (size_t s = 0; s < segments && at + HEAD + s < len; s++) size += data[at + HEAD + s];
        if (size > len - at) return;
        memset(data + at + 22, 0, 4);
        uint32_t sum = crc(data + at, size);
        for (int i = 0; i < 4; i++) data[at + 22 + (size_t)i] = (uint8_t)(sum >> 8 * i);
        at += size;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct psst_view all = psst_view(data, size);
    uint8_t how = fuzz_take_u8(&all);
    if (all.len > INPUT_MAX) return 0;
    uint8_t *copy = malloc(all.len + 1);
    FUZZ_CHECK(copy != NULL);
    if (all.len > 0) memcpy(copy, all.data, all.len);
    if (how & 1) repair(copy, all.len);

    struct input input = {psst_view(copy, all.len), (how >> 1 & 7) * 5u};
    struct psst_message_reader *reader = NULL;
    struct psst_diag diag = {{0}};
    enum psst_err err = psst_message_reader_new(&reader, take, &input, &diag);
    if (err != PSST_OK) {
        FUZZ_CHECK(err == PSST_ERR_MALFORMED && reader == NULL && diag.text[0] != '\0');
    } else {
        int16_t pcm[PSST_VOICE_FRAME_SAMPLES];
        unsigned frames = 0;
        while (err == PSST_OK && frames++ < FRAMES_MOST) err = psst_message_reader_frame(reader, pcm);
        FUZZ_CHECK(err == PSST_OK || err == PSST_ERR_NOT_FOUND || err == PSST_ERR_MALFORMED);
        if (err != PSST_OK) FUZZ_CHECK(psst_message_reader_frame(reader, pcm) == err);
        psst_message_reader_free(reader);
    }
    free(copy);
    return 0;
}
