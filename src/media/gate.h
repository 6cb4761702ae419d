/* The gate: what is quieter than the user's threshold is sent as silence. It opens at once, with the frame in which the
 * threshold is reached, so that the beginning of the word in that frame goes out with it; it closes when it has been 6 dB
 * quieter for 300 ms. Opening takes 5 ms and closing a whole frame, by a smooth fade, so that nothing clicks. It adds no
 * delay. Mute goes through the same fade, but closes within 5 ms. */
#ifndef PSST_MEDIA_GATE_H
#define PSST_MEDIA_GATE_H

#include "media/voice.h"

#define PSST_GATE_HYSTERESIS_DB   6
#define PSST_GATE_HANGOVER_FRAMES 15

struct psst_gate {     /* all zeros is closed */
    unsigned hangover; /* frames that it stays open without being asked to */
    bool was_open;     /* at the end of the last frame */
};

/* One frame, in place. level_dbfs: its loudness, see level.h; sense_dbfs: the threshold, PSST_VOICE_SILENCE_DBFS: always
 * open. send false: closed, whatever is said. True when (some of) the frame goes out. */
bool psst_gate_frame(struct psst_gate *gate, int16_t pcm[PSST_VOICE_FRAME_SAMPLES], int level_dbfs, int sense_dbfs,
                     bool send);

#endif
