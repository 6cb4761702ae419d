/* Speech made longer or shorter by whole pitch periods, heard as little as can be (overlap and add at the offset where the
 * wave is most like itself: Verhelst and Roelands, WSOLA, 1993). Works on samples in place; no state, no allocation. */
#ifndef PSST_MEDIA_STRETCH_H
#define PSST_MEDIA_STRETCH_H

#include "media/voice.h"

#define PSST_STRETCH_MIN  120 /* samples: 2.5 ms, a voice of 400 Hz */
#define PSST_STRETCH_MAX  800 /* 16.7 ms, 60 Hz */
#define PSST_STRETCH_FADE 240

/* The root of the mean square. */
unsigned psst_stretch_rms(const int16_t *pcm, size_t len);

/* Drops one period of at most `most` samples near the head of pcm, which holds len >= most + PSST_STRETCH_FADE. Returns how
 * many were dropped; 0 when nothing there may be dropped unheard, unless `must`. */
size_t psst_stretch_shrink(int16_t *pcm, size_t len, size_t most, bool must);

/* Repeats one period of at most `most` samples. PSST_STRETCH_MAX samples that have been played lie before pcm, and there is
 * room for `most` behind its len >= PSST_STRETCH_FADE. Returns how many were added, as above. */
size_t psst_stretch_grow(int16_t *pcm, size_t len, size_t most, bool must);

/* The same in silence: exactly `most`, whatever is there. */
size_t psst_stretch_cut(int16_t *pcm, size_t len, size_t most);

/* From a to b over len samples, into out, which may be either. */
void psst_stretch_fade(int16_t *out, const int16_t *a, const int16_t *b, size_t len);

#endif
