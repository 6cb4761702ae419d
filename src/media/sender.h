/* The sending half of a call: what the microphone gave, to what goes on the wire.
 *
 *     capture -> echo cancelled -> noise suppressed, gain controlled -> level -> gate -> (muted?) -> Opus, one size
 *
 * Always one payload for each frame, of one size, whatever is said: gate closed and mute are silence that is encoded. Echo or
 * clean delay the sound by 10 ms. One thread. Nothing is allocated after new. docs/VOICE.md, "Sending".
 */
#ifndef PSST_MEDIA_SENDER_H
#define PSST_MEDIA_SENDER_H

#include "media/voice.h"

struct psst_sender_settings {
    size_t opus_max;  /* room in each frame; the quality that is used never needs more */
    unsigned quality; /* 0 to 10, the user's */
    int sense_dbfs;   /* the gate: what is quieter is not sent; PSST_VOICE_SILENCE_DBFS: always open */
    bool send;        /* false: muted */
    bool echo;        /* our own canceller; false where the sound server has one */
    bool clean;       /* noise suppression and gain control */
};

struct psst_sender;
PSST_MUST_USE enum psst_err psst_sender_new(struct psst_sender **out, const struct psst_sender_settings *settings);
void psst_sender_free(struct psst_sender *sender);
void psst_sender_set(struct psst_sender *sender, const struct psst_sender_settings *settings);
/* What the other side reports about what it gets: FEC on from over 6 %, off again under 3 %; quality goes down and up. */
void psst_sender_report(struct psst_sender *sender, uint8_t loss_256, uint16_t jitter_ms, uint16_t delay_ms);

/* What the speaker is about to play, in the order in which it does, in pieces of at most a frame: the canceller's reference. */
void psst_sender_played(struct psst_sender *sender, const int16_t *pcm, size_t samples);
/* One frame of the microphone; opus holds PSST_VOICE_OPUS_MAX. *len: the bytes of the quality in use, at most opus_max;
 * settings and reports change it, sound never does. On the wire it is filled up to the call's one size. */
PSST_MUST_USE enum psst_err psst_sender_frame(struct psst_sender *sender, const int16_t pcm[PSST_VOICE_FRAME_SAMPLES],
                                              uint8_t *opus, size_t *len);

struct psst_sender_state {
    int level_dbfs; /* of the last frame, before the gate */
    bool voice;     /* the gate is open and we are not muted: voice is really going out */
    bool clipping;  /* within the last half second */
    bool fec;
    unsigned quality; /* in use */
};
struct psst_sender_state psst_sender_state(const struct psst_sender *sender);

#endif
