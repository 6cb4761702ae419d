#include "media/gate.h"

#include <math.h>

#define FAST_SAMPLES 240 /* 5 ms */
#define HALF_TURN    3.14159265358979323846f

/* From silence to all over the first n samples of the frame, or back; a raised cosine. What lies behind is left alone on the
 * way up and silent on the way down. */
static void fade(int16_t pcm[PSST_VOICE_FRAME_SAMPLES], unsigned n, bool up)
{
    for (unsigned i = 0; i < n; i++) {
        float risen = 0.5f - 0.5f * cosf(HALF_TURN * ((float)i + 0.5f) / (float)n);
        pcm[i] = (int16_t)lrintf((float)pcm[i] * (up ? risen : 1 - risen));
    }
    if (!up) memset(pcm + n, 0, (PSST_VOICE_FRAME_SAMPLES - n) * sizeof *pcm);
}

bool psst_gate_frame(struct psst_gate *gate, int16_t pcm[PSST_VOICE_FRAME_SAMPLES], int level_dbfs, int sense_dbfs,
                     bool send)
{
    bool was_open = gate->was_open;
    int stays_from = gate->hangover > 0 ? sense_dbfs - PSST_GATE_HYSTERESIS_DB : sense_dbfs;
    if (sense_dbfs <= PSST_VOICE_SILENCE_DBFS || level_dbfs >= stays_from)
        gate->hangover = PSST_GATE_HANGOVER_FRAMES;
    else if (gate->hangover > 0)
        gate->hangover--;

    bool open = send && gate->hangover > 0;
    gate->was_open = open;
    if (open && !was_open) fade(pcm, FAST_SAMPLES, true);
    if (!open && was_open) fade(pcm, send ? PSST_VOICE_FRAME_SAMPLES : FAST_SAMPLES, false);
    if (!open && !was_open) memset(pcm, 0, PSST_VOICE_FRAME_SAMPLES * sizeof *pcm);
    return open || was_open;
}
