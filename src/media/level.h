/* How loud a piece of sound is, in dBFS: root mean square against full scale, so that a square wave of full scale is at 0 and
 * a sine of full scale at -3. Rounded; PSST_VOICE_SILENCE_DBFS and no less. */
#ifndef PSST_MEDIA_LEVEL_H
#define PSST_MEDIA_LEVEL_H

#include "media/voice.h"

int psst_level_dbfs(const int16_t *pcm, size_t samples);
/* The loudest quarter (5 ms) of a frame: a word that begins late in the frame counts as much as one that fills it. */
int psst_level_loudest_dbfs(const int16_t pcm[PSST_VOICE_FRAME_SAMPLES]);
/* Cut off at the rails: three samples in a row at (nearly) full scale. */
bool psst_level_clips(const int16_t pcm[PSST_VOICE_FRAME_SAMPLES]);
/* dB as a factor of amplitude. */
float psst_level_factor(float db);

#endif
