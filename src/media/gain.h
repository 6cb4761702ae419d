/* Gain control: speech is brought to about -20 dBFS, slowly, and never clips: where a peak would pass -1 dBFS the gain is
 * lowered in time, within the frame. speexdsp's own control is not used, because it clips. What is no speech leaves the gain
 * as it is, so that pauses do not begin to hiss. */
#ifndef PSST_MEDIA_GAIN_H
#define PSST_MEDIA_GAIN_H

#include "media/voice.h"

#define PSST_GAIN_TARGET_DBFS   (-20)
#define PSST_GAIN_MOST_DB       18
#define PSST_GAIN_LEAST_DB      (-12)
#define PSST_GAIN_CEILING       29204 /* -1 dBFS */
#define PSST_GAIN_UP_DB_FRAME   0.1f  /* 5 dB a second */
#define PSST_GAIN_DOWN_DB_FRAME 0.4f

struct psst_gain { /* all zeros: no gain */
    float db;
    float speech_dbfs; /* of speech, over a second or so; 0: none heard yet */
    float factor;      /* at the end of the last frame; 0: none yet */
};

/* One frame, in place; speech: it is. on false: back to no gain at all, as slowly, and then the frame is left alone. */
void psst_gain_frame(struct psst_gain *gain, int16_t pcm[PSST_VOICE_FRAME_SAMPLES], bool speech, bool on);

#endif
