/* libopus behind a few calls: constant bit rate, no DTX, OPUS_SIGNAL_VOICE, 20 ms, mono. Alone sees opus.h, with
 * message.c. Memory is taken in `new` and nowhere else. */
#ifndef PSST_MEDIA_CODEC_H
#define PSST_MEDIA_CODEC_H

#include "media/voice.h"

struct psst_encoder;
PSST_MUST_USE enum psst_err psst_encoder_new(struct psst_encoder **out);
void psst_encoder_free(struct psst_encoder *encoder);
/* bytes: of each payload from the next frame on. loss_percent: what the other side reports; 0: no forward error correction,
 * else in-band FEC for that loss (docs/VOICE.md says from when). */
void psst_encoder_set(struct psst_encoder *encoder, size_t bytes, unsigned loss_percent);
/* Exactly the bytes that were set, into out of PSST_VOICE_OPUS_MAX. PSST_ERR_INTERNAL should libopus refuse. */
PSST_MUST_USE enum psst_err psst_encoder_frame(struct psst_encoder *encoder,
                                               const int16_t pcm[PSST_VOICE_FRAME_SAMPLES], uint8_t *out,
                                               size_t *out_len);

struct psst_decoder;
PSST_MUST_USE enum psst_err psst_decoder_new(struct psst_decoder **out);
void psst_decoder_free(struct psst_decoder *decoder);
/* Whether this is one Opus packet of exactly 20 ms, mono or stereo. Asked before anything is decoded or kept (attack 22). */
bool psst_decoder_accepts(struct psst_view payload);
/* PSST_ERR_MALFORMED: libopus refuses it; pcm is then what concealment makes of it. */
PSST_MUST_USE enum psst_err psst_decoder_frame(struct psst_decoder *decoder, struct psst_view payload,
                                               int16_t pcm[PSST_VOICE_FRAME_SAMPLES]);
/* The frame before `next`, from the FEC that next carries; concealment when it carries none (false). */
bool psst_decoder_recover(struct psst_decoder *decoder, struct psst_view next, int16_t pcm[PSST_VOICE_FRAME_SAMPLES]);
/* Whether next carries the frame before it. */
bool psst_decoder_carries_fec(struct psst_view next);
void psst_decoder_conceal(struct psst_decoder *decoder, int16_t pcm[PSST_VOICE_FRAME_SAMPLES]);

/* Makes `to` go on from where `from` is, so that what was concealed can be taken back. */
void psst_decoder_copy(struct psst_decoder *to, const struct psst_decoder *from);

#endif
