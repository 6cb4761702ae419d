#include "media/gain.h"

#include "media/level.h"

#include <math.h>

#define STEPS        8
#define STEP_SAMPLES (PSST_VOICE_FRAME_SAMPLES / STEPS) /* 2.5 ms */
#define FLOOR_DBFS   (-55)                              /* what is quieter is nobody's speech */
#define SMOOTHING    0.02f                              /* of a frame: a second of speech */

static float clamp(float v, float low, float high)
{
    return v < low ? low : v > high ? high : v;
}

static float wanted_db(struct psst_gain *gain, int level_dbfs, bool speech)
{
    if (speech && level_dbfs > FLOOR_DBFS) {
        if (gain->speech_dbfs == 0) gain->speech_dbfs = PSST_GAIN_TARGET_DBFS;
        gain->speech_dbfs += SMOOTHING * ((float)level_dbfs - gain->speech_dbfs);
    }
    if (gain->speech_dbfs == 0) return gain->db;
    return clamp(PSST_GAIN_TARGET_DBFS - gain->speech_dbfs, PSST_GAIN_LEAST_DB, PSST_GAIN_MOST_DB);
}

/* The most that a step's peak allows. */
static float allowed(const int16_t *pcm)
{
    int peak = 1;
    for (int i = 0; i < STEP_SAMPLES; i++) {
        int v = pcm[i] < 0 ? -pcm[i] : pcm[i];
        if (v > peak) peak = v;
    }
    return (float)PSST_GAIN_CEILING / (float)peak;
}

void psst_gain_frame(struct psst_gain *gain, int16_t pcm[PSST_VOICE_FRAME_SAMPLES], bool speech, bool on)
{
    float want = on ? wanted_db(gain, psst_level_dbfs(pcm, PSST_VOICE_FRAME_SAMPLES), speech) : 0;
    gain->db += clamp(want - gain->db, -PSST_GAIN_DOWN_DB_FRAME, PSST_GAIN_UP_DB_FRAME);
    if (!on && gain->db == 0 && (gain->factor == 0 || gain->factor == 1)) {
        *gain = (struct psst_gain){0};
        return;
    }
    /* Between the steps the gain goes in straight lines from node to node; each node is no higher than both its neighbours
     * allow, so no sample is. Only at the frame's own beginning it may have to jump: the frame before is gone. */
    float most[STEPS], factor = psst_level_factor(gain->db), node = gain->factor > 0 ? gain->factor : 1;
    for (int s = 0; s < STEPS; s++) most[s] = fminf(factor, allowed(pcm + s * STEP_SAMPLES));
    node = fminf(node, allowed(pcm));
    for (int s = 0; s < STEPS; s++) {
        float next = s + 1 < STEPS ? fminf(most[s], most[s + 1]) : most[s];
        for (int i = 0; i < STEP_SAMPLES; i++) {
            float at = node + (next - node) * (float)i / STEP_SAMPLES;
            int16_t *sample = &pcm[s * STEP_SAMPLES + i];
            *sample = (int16_t)lrintf((float)*sample * at);
        }
        node = next;
    }
    gain->factor = node;
}
