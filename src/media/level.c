#include "media/level.h"

#include <math.h>

#define FULL    32768.0
#define RAIL    32700
#define IN_ROW  3
#define QUARTER (PSST_VOICE_FRAME_SAMPLES / 4)

int psst_level_dbfs(const int16_t *pcm, size_t samples)
{
    int64_t sum = 0;
    for (size_t i = 0; i < samples; i++) sum += (int32_t)pcm[i] * pcm[i];
    if (sum == 0) return PSST_VOICE_SILENCE_DBFS;
    double db = 10 * log10((double)sum / (double)samples / (FULL * FULL));
    return db <= PSST_VOICE_SILENCE_DBFS ? PSST_VOICE_SILENCE_DBFS : (int)lrint(db);
}

int psst_level_loudest_dbfs(const int16_t pcm[PSST_VOICE_FRAME_SAMPLES])
{
    int loudest = PSST_VOICE_SILENCE_DBFS;
    for (unsigned at = 0; at < PSST_VOICE_FRAME_SAMPLES; at += QUARTER) {
        int level = psst_level_dbfs(pcm + at, QUARTER);
        if (level > loudest) loudest = level;
    }
    return loudest;
}

bool psst_level_clips(const int16_t pcm[PSST_VOICE_FRAME_SAMPLES])
{
    unsigned high = 0, low = 0;
    for (unsigned i = 0; i < PSST_VOICE_FRAME_SAMPLES; i++) {
        high = pcm[i] >= RAIL ? high + 1 : 0;
        low = pcm[i] <= -RAIL ? low + 1 : 0;
        if (high >= IN_ROW || low >= IN_ROW) return true;
    }
    return false;
}

float psst_level_factor(float db)
{
    return powf(10, db / 20);
}
