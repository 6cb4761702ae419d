#include "media/voice.h"

static const uint8_t kbits[PSST_VOICE_QUALITY_MAX + 1] = {8, 12, 16, 20, 24, 28, 32, 40, 48, 64, 96};

unsigned psst_voice_bits_a_second(unsigned quality)
{
    return 1000u * kbits[quality > PSST_VOICE_QUALITY_MAX ? PSST_VOICE_QUALITY_MAX : quality];
}

size_t psst_voice_opus_bytes(unsigned quality)
{
    return psst_voice_bits_a_second(quality) / 400;
}

unsigned psst_voice_quality_of(size_t opus_bytes)
{
    unsigned quality = PSST_VOICE_QUALITY_MAX;
    while (quality > 0 && psst_voice_opus_bytes(quality) > opus_bytes) quality--;
    return quality;
}
