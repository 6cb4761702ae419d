#include "media/sender.h"

#include "media/adapt.h"
#include "media/codec.h"
#include "media/echo.h"
#include "media/gain.h"
#include "media/gate.h"
#include "media/level.h"

#include <stdlib.h>

#define OPUS_LEAST      8  /* bytes: with less room there is no speech */
#define SPEECH_PERCENT  60 /* from here on it is speech that the gain follows */
#define CLIPPING_FRAMES 25 /* half a second */

struct psst_sender {
    struct psst_sender_settings settings;
    struct psst_echo *echo;
    struct psst_gain gain;
    struct psst_gate gate;
    struct psst_adapt adapt;
    struct psst_encoder *encoder;
    unsigned clipping; /* frames left */
    struct psst_sender_state state;
};

static void apply_settings(struct psst_sender *sender, const struct psst_sender_settings *settings)
{
    sender->settings = *settings;
    if (sender->settings.opus_max > PSST_VOICE_OPUS_MAX) sender->settings.opus_max = PSST_VOICE_OPUS_MAX;
    if (sender->settings.opus_max < OPUS_LEAST) sender->settings.opus_max = OPUS_LEAST;
    if (sender->settings.quality > PSST_VOICE_QUALITY_MAX) sender->settings.quality = PSST_VOICE_QUALITY_MAX;
}

/* What the encoder is to do from the next frame on. */
static void apply_adapted(struct psst_sender *sender)
{
    struct psst_adapted adapted =
        psst_adapt_result(&sender->adapt, sender->settings.quality, sender->settings.opus_max);
    psst_encoder_set(sender->encoder, adapted.bytes, adapted.loss_percent);
    sender->state.fec = adapted.loss_percent > 0;
    sender->state.quality = adapted.quality;
}

enum psst_err psst_sender_new(struct psst_sender **out, const struct psst_sender_settings *settings)
{
    if (settings->opus_max < OPUS_LEAST) return PSST_ERR_USAGE;
    struct psst_sender *sender = calloc(1, sizeof *sender);
    if (sender == NULL) return PSST_ERR_MEMORY;
    enum psst_err err = psst_encoder_new(&sender->encoder);
    if (err == PSST_OK) err = psst_echo_new(&sender->echo);
    if (err != PSST_OK) {
        psst_sender_free(sender);
        return err;
    }
    psst_adapt_init(&sender->adapt);
    sender->state.level_dbfs = PSST_VOICE_SILENCE_DBFS;
    apply_settings(sender, settings);
    apply_adapted(sender);
    *out = sender;
    return PSST_OK;
}

void psst_sender_free(struct psst_sender *sender)
{
    if (sender == NULL) return;
    psst_echo_free(sender->echo);
    psst_encoder_free(sender->encoder);
    free(sender);
}

void psst_sender_set(struct psst_sender *sender, const struct psst_sender_settings *settings)
{
    apply_settings(sender, settings);
    apply_adapted(sender);
}

void psst_sender_report(struct psst_sender *sender, uint8_t loss_256, uint16_t jitter_ms, uint16_t delay_ms)
{
    (void)jitter_ms; /* its buffer has made delay of it, and loss */
    psst_adapt_report(&sender->adapt, loss_256, delay_ms, sender->settings.quality, sender->settings.opus_max);
    apply_adapted(sender);
}

void psst_sender_played(struct psst_sender *sender, const int16_t *pcm, size_t samples)
{
    psst_echo_played(sender->echo, pcm, samples);
}

enum psst_err psst_sender_frame(struct psst_sender *sender, const int16_t pcm[PSST_VOICE_FRAME_SAMPLES], uint8_t *opus,
                                size_t *len)
{
    const struct psst_sender_settings *settings = &sender->settings;
    struct psst_sender_state *state = &sender->state;
    int16_t frame[PSST_VOICE_FRAME_SAMPLES];
    memcpy(frame, pcm, sizeof frame);
    if (psst_level_clips(frame))
        sender->clipping = CLIPPING_FRAMES;
    else if (sender->clipping > 0)
        sender->clipping--;

    psst_echo_frame(sender->echo, frame, settings->echo, settings->clean);
    bool speech = psst_echo_speech_percent(sender->echo) >= SPEECH_PERCENT;
    psst_gain_frame(&sender->gain, frame, speech, settings->clean);
    state->level_dbfs = psst_level_dbfs(frame, PSST_VOICE_FRAME_SAMPLES);
    state->clipping = sender->clipping > 0;
    bool sounds =
        psst_gate_frame(&sender->gate, frame, psst_level_loudest_dbfs(frame), settings->sense_dbfs, settings->send);
    state->voice = sounds && settings->send;

    psst_adapt_tick(&sender->adapt);
    return psst_encoder_frame(sender->encoder, frame, opus, len);
}

struct psst_sender_state psst_sender_state(const struct psst_sender *sender)
{
    return sender->state;
}
