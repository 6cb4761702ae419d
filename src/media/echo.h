/* speexdsp behind a few calls: the echo of the speaker taken out of the microphone, what is left of it and steady noise
 * suppressed. Alone sees speexdsp. In 10 ms pieces: suppression delays the sound by 10 ms, cancelling alone by nothing.
 *
 *     played ----> queue ---.
 *     microphone --------> cancel -> suppress -> out
 *
 * The reference is paired with the microphone sample by sample, in order, as late as possible: between a sample's handing over
 * to the speaker and its echo lie the latencies of both devices and the room, 200 ms at most (the tail). */
#ifndef PSST_MEDIA_ECHO_H
#define PSST_MEDIA_ECHO_H

#include "media/voice.h"

#define PSST_ECHO_TAIL_MS 200

struct psst_echo;
PSST_MUST_USE enum psst_err psst_echo_new(struct psst_echo **out);
void psst_echo_free(struct psst_echo *echo);
/* What the speaker is about to play, in pieces of at most a frame. */
void psst_echo_played(struct psst_echo *echo, const int16_t *pcm, size_t samples);
/* One frame of the microphone, in place. cancel: the echo; clean: noise. Neither: it stays as it is. Between the ways it
 * fades over one frame. */
void psst_echo_frame(struct psst_echo *echo, int16_t pcm[PSST_VOICE_FRAME_SAMPLES], bool cancel, bool clean);
/* How likely it is that the last frame was speech, in percent; 0 when neither was done. */
unsigned psst_echo_speech_percent(const struct psst_echo *echo);

#endif
