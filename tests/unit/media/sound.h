/* Sounds for the tests of media, from a seed; and measures of them. */
#ifndef PSST_TESTS_MEDIA_SOUND_H
#define PSST_TESTS_MEDIA_SOUND_H

#include "media/voice.h"

#define SOUND_FRAME PSST_VOICE_FRAME_SAMPLES

/* White noise of so many dBFS (RMS), as psst_level_dbfs has it; state is any number, kept by the caller. */
void sound_noise(int16_t *pcm, size_t n, double dbfs, uint64_t *state);
/* A sine whose peak has so many dBFS; at: the sample it begins at, of an endless one. */
void sound_sine(int16_t *pcm, size_t n, double hz, double peak_dbfs, uint64_t at);
/* Something like speech: a buzz of 110 to 180 Hz through two moving formants in syllables of 200 ms with pauses, about so
 * many dBFS while it is loud; at: the sample it begins at, which alone decides what it is. */
void sound_speech(int16_t *pcm, size_t n, double dbfs, uint64_t at);

double sound_energy(const int16_t *pcm, size_t n);
/* Mean square in dB against full scale; -200 for silence. */
double sound_db(const int16_t *pcm, size_t n);
/* The largest step between neighbours: a click is a large one. */
int sound_largest_step(const int16_t *pcm, size_t n);
/* The normalised correlation of a with b, -1 to 1. */
double sound_correlation(const int16_t *a, const int16_t *b, size_t n);

#endif
