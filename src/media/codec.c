#include "media/codec.h"

#include <opus.h>
#include <stdlib.h>

#define BYTES_MIN       8      /* 3.2 kbit/s: under what libopus makes speech of */
#define BITS_MAX        300000 /* what libopus takes for one channel; the rest of the bytes is its padding */
#define COMPLEXITY      5      /* of 10: half the time, and speech is understood as well (docs/VOICE.md, "Sending") */
#define COMPLEXITY_LOSS 7      /* while frames are lost there is less to spare */
#define FEC_LOSS_MIN    10     /* announced losses under this switch FEC off again at our bit rates (docs/VOICE.md) */
#define FEC_LOSS_MAX    30
#define LBRR_OF_MONO                                                                                                   \
    0x40 /* RFC 6716, 4.2.3: VAD, LBRR, for the mid and then the side channel, first bits of a SILK frame */
#define LBRR_OF_STEREO 0x50

struct psst_encoder {
    OpusEncoder *opus;
    size_t bytes;
    unsigned loss_percent;
};

struct psst_decoder {
    OpusDecoder *opus;
};

/* ---- encoder ---- */

enum psst_err psst_encoder_new(struct psst_encoder **out)
{
    int status = OPUS_OK;
    struct psst_encoder *e = calloc(1, sizeof *e);
    if (e == NULL) return PSST_ERR_MEMORY;
    e->opus = opus_encoder_create(PSST_VOICE_HZ, 1, OPUS_APPLICATION_VOIP, &status);
    if (e->opus == NULL) {
        free(e);
        return status == OPUS_ALLOC_FAIL ? PSST_ERR_MEMORY : PSST_ERR_INTERNAL;
    }
    if (opus_encoder_ctl(e->opus, OPUS_SET_VBR(0)) != OPUS_OK ||
        opus_encoder_ctl(e->opus, OPUS_SET_DTX(0)) != OPUS_OK ||
        opus_encoder_ctl(e->opus, OPUS_SET_SIGNAL(OPUS_SIGNAL_VOICE)) != OPUS_OK ||
        opus_encoder_ctl(e->opus, OPUS_SET_COMPLEXITY(COMPLEXITY)) != OPUS_OK ||
        opus_encoder_ctl(e->opus, OPUS_SET_EXPERT_FRAME_DURATION(OPUS_FRAMESIZE_20_MS)) != OPUS_OK) {
        psst_encoder_free(e);
        return PSST_ERR_INTERNAL;
    }
    psst_encoder_set(e, psst_voice_opus_bytes(PSST_VOICE_QUALITY_DEFAULT), 0);
    *out = e;
    return PSST_OK;
}

void psst_encoder_free(struct psst_encoder *encoder)
{
    if (encoder == NULL) return;
    opus_encoder_destroy(encoder->opus);
    free(encoder);
}

void psst_encoder_set(struct psst_encoder *encoder, size_t bytes, unsigned loss_percent)
{
    if (bytes < BYTES_MIN) bytes = BYTES_MIN;
    if (bytes > PSST_VOICE_OPUS_MAX) bytes = PSST_VOICE_OPUS_MAX;
    if (loss_percent > 0 && loss_percent < FEC_LOSS_MIN) loss_percent = FEC_LOSS_MIN;
    if (loss_percent > FEC_LOSS_MAX) loss_percent = FEC_LOSS_MAX;
    opus_int32 bits = (opus_int32)bytes * 400;
    if (bits > BITS_MAX) bits = BITS_MAX;
    /* these refuse nothing within the bounds above */
    if (bytes != encoder->bytes) (void)opus_encoder_ctl(encoder->opus, OPUS_SET_BITRATE(bits));
    if (loss_percent != encoder->loss_percent) {
        (void)opus_encoder_ctl(encoder->opus, OPUS_SET_INBAND_FEC(loss_percent > 0 ? 1 : 0));
        (void)opus_encoder_ctl(encoder->opus, OPUS_SET_PACKET_LOSS_PERC((opus_int32)loss_percent));
        (void)opus_encoder_ctl(encoder->opus, OPUS_SET_COMPLEXITY(loss_percent > 0 ? COMPLEXITY_LOSS : COMPLEXITY));
    }
    encoder->bytes = bytes;
    encoder->loss_percent = loss_percent;
}

enum psst_err psst_encoder_frame(struct psst_encoder *encoder, const int16_t pcm[PSST_VOICE_FRAME_SAMPLES],
                                 uint8_t *out, size_t *out_len)
{
    opus_int32 want = (opus_int32)encoder->bytes;
    opus_int32 n = opus_encode(encoder->opus, pcm, PSST_VOICE_FRAME_SAMPLES, out, want);
    if (n <= 0 || n > want) return PSST_ERR_INTERNAL;
    if (n < want && opus_packet_pad(out, n, want) != OPUS_OK) return PSST_ERR_INTERNAL;
    *out_len = encoder->bytes;
    return PSST_OK;
}

/* ---- decoder ---- */

enum psst_err psst_decoder_new(struct psst_decoder **out)
{
    int status = OPUS_OK;
    struct psst_decoder *d = calloc(1, sizeof *d);
    if (d == NULL) return PSST_ERR_MEMORY;
    d->opus = opus_decoder_create(PSST_VOICE_HZ, 1, &status);
    if (d->opus == NULL) {
        free(d);
        return status == OPUS_ALLOC_FAIL ? PSST_ERR_MEMORY : PSST_ERR_INTERNAL;
    }
    *out = d;
    return PSST_OK;
}

void psst_decoder_free(struct psst_decoder *decoder)
{
    if (decoder == NULL) return;
    opus_decoder_destroy(decoder->opus);
    free(decoder);
}

bool psst_decoder_accepts(struct psst_view payload)
{
    const unsigned char *frames[48];
    opus_int16 sizes[48];
    if (payload.len == 0 || payload.len > PSST_VOICE_OPUS_MAX) return false;
    int count = opus_packet_parse(payload.data, (opus_int32)payload.len, NULL, frames, sizes, NULL);
    return count > 0 &&
           count * opus_packet_get_samples_per_frame(payload.data, PSST_VOICE_HZ) == PSST_VOICE_FRAME_SAMPLES;
}

void psst_decoder_conceal(struct psst_decoder *decoder, int16_t pcm[PSST_VOICE_FRAME_SAMPLES])
{
    if (opus_decode(decoder->opus, NULL, 0, pcm, PSST_VOICE_FRAME_SAMPLES, 0) != PSST_VOICE_FRAME_SAMPLES)
        memset(pcm, 0, PSST_VOICE_FRAME_SAMPLES * sizeof *pcm);
}

enum psst_err psst_decoder_frame(struct psst_decoder *decoder, struct psst_view payload,
                                 int16_t pcm[PSST_VOICE_FRAME_SAMPLES])
{
    if (psst_decoder_accepts(payload) && opus_decode(decoder->opus, payload.data, (opus_int32)payload.len, pcm,
                                                     PSST_VOICE_FRAME_SAMPLES, 0) == PSST_VOICE_FRAME_SAMPLES)
        return PSST_OK;
    psst_decoder_conceal(decoder, pcm);
    return PSST_ERR_MALFORMED;
}

/* Whether a packet of one frame carries the frame before it. libopus 1.3 has no call that says so; it conceals instead, and
 * we want to know which of the two it was. */
bool psst_decoder_carries_fec(struct psst_view next)
{
    const unsigned char *frames[48];
    opus_int16 sizes[48];
    unsigned char toc = 0;
    if (!psst_decoder_accepts(next)) return false;
    int count = opus_packet_parse(next.data, (opus_int32)next.len, &toc, frames, sizes, NULL);
    if (count != 1 || sizes[0] < 1 || (toc & 0x80) != 0) return false; /* 0x80: CELT alone, which has no FEC */
    return (frames[0][0] & ((toc & 0x04) != 0 ? LBRR_OF_STEREO : LBRR_OF_MONO)) != 0;
}

bool psst_decoder_recover(struct psst_decoder *decoder, struct psst_view next, int16_t pcm[PSST_VOICE_FRAME_SAMPLES])
{
    if (psst_decoder_carries_fec(next) && opus_decode(decoder->opus, next.data, (opus_int32)next.len, pcm,
                                                      PSST_VOICE_FRAME_SAMPLES, 1) == PSST_VOICE_FRAME_SAMPLES)
        return true;
    psst_decoder_conceal(decoder, pcm);
    return false;
}

void psst_decoder_copy(struct psst_decoder *to, const struct psst_decoder *from)
{
    /* opus_decoder.h: a state is contiguous and holds no pointer into itself; a shallow copy is one */
    memcpy(to->opus, from->opus, (size_t)opus_decoder_get_size(1));
}
