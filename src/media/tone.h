/* The tones that PSST makes itself, frame by frame: computed, with soft edges, from no file. psst-voice plays them. */
#ifndef PSST_MEDIA_TONE_H
#define PSST_MEDIA_TONE_H

#include "media/voice.h"

enum psst_tone_kind {
    PSST_TONE_RING = 0,     /* we are called: two notes that alternate, 1 s, then 3 s of silence; for ever */
    PSST_TONE_RINGBACK = 1, /* it rings there: 425 Hz, 1 s, then 4 s of silence (ITU-T E.180); for ever */
    PSST_TONE_RECORD = 2,   /* speak now: one short note; over after 300 ms, the last 50 of them silent */
};

struct psst_tone { /* the caller's memory; nothing to free */
    enum psst_tone_kind kind;
    uint32_t at_samples;
};

/* At its beginning. */
void psst_tone_init(struct psst_tone *tone, enum psst_tone_kind kind);
/* The next 20 ms; false: it is over, and pcm is silence. */
bool psst_tone_frame(struct psst_tone *tone, int16_t pcm[PSST_VOICE_FRAME_SAMPLES]);

#endif
