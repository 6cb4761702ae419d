/* put -> jitter buffer;  pull -> mend -> steer -> decode until there is enough -> stretch or shrink -> 20 ms or a part of it
 *
 *   samples:  |<- played, PAST ->|<- decoded, not played: `ahead` samples ->|      stream position = next * 960 - ahead
 *
 * A frame that is missing when it is needed is made from the FEC of the one behind it, else concealed by libopus. When it
 * comes after all while part of the concealment is still to be played, that part is taken back: the decoder returns to
 * where it was, and fades into what was really said. When playout is too close to the network anyway, concealment is put
 * in before the missing frame, not in its place, and gives it time to come.
 */
#include "media/receiver.h"

#include "media/codec.h"
#include "media/jitter.h"
#include "media/stretch.h"

#include <stdlib.h>

#define MS    48
#define FRAME PSST_VOICE_FRAME_SAMPLES

#define PAST      PSST_STRETCH_MAX
#define AHEAD_MAX (4 * FRAME)

#define HOLD_MIN      (10 * MS)
#define FADE_AFTER    5          /* concealed frames in a row, then */
#define FADE_FRAMES   10         /* ... so many to silence */
#define FADE_NOTHING  2          /* frames to silence when the other side sends nothing */
#define HOP           (150 * MS) /* behind by more: frames are left out whole */
#define QUIET_RMS     40         /* under it (-58 dBFS) everything is silence, */
#define QUIET_OF_LOUD 16         /* ... and under so small a part of the usual loudness */
#define PAUSE         8          /* quiet pulls in a row: not the closed mouth of a p */
#define FAR           (60 * MS)
/* pulls that a correction in speech waits for silence: */
#define PATIENCE_LATE     125 /* we are later than we need to be: 2.5 s */
#define PATIENCE_FAR_LATE 40
#define PATIENCE_EARLY    15  /* frames come too late for us; at once when we are far too early */
#define REPORT_FRAMES     128 /* 2.6 s */

struct psst_receiver {
    struct psst_jitter jitter;
    struct psst_decoder *decoder, *before; /* before: the last concealment */
    bool playing;
    int64_t pulled;   /* samples since new */
    int64_t earliest; /* of the pulls since the last steering: when they came, less what was pulled before */
    size_t unsteered; /* samples since then */
    int16_t samples[PAST + AHEAD_MAX];
    size_t ahead;
    /* concealment */
    bool mendable; /* the last frame was concealed, in its own place, and has not been stretched since */
    unsigned gone; /* frames in a row without anything */
    bool join;     /* what comes next does not follow what was: fade */
    bool bridged;  /* ... from this */
    int16_t bridge[FRAME];
    /* stretching */
    unsigned quiet; /* pulls in a row */
    unsigned loud;  /* mean loudness of speech, root mean square */
    unsigned waited;
    /* report */
    uint8_t bad[REPORT_FRAMES];
    unsigned bad_at, bad_count;
    int64_t behind, held; /* from a pull to what it should play, to what it plays (mean): samples */
    struct psst_receiver_stats stats;
};

enum psst_err psst_receiver_new(struct psst_receiver **out)
{
    struct psst_receiver *r = calloc(1, sizeof *r);
    if (r == NULL) return PSST_ERR_MEMORY;
    psst_jitter_init(&r->jitter);
    enum psst_err err = psst_decoder_new(&r->decoder);
    if (err == PSST_OK) err = psst_decoder_new(&r->before);
    if (err != PSST_OK) {
        psst_receiver_free(r);
        return err;
    }
    *out = r;
    return PSST_OK;
}

void psst_receiver_free(struct psst_receiver *receiver)
{
    if (receiver == NULL) return;
    psst_decoder_free(receiver->decoder);
    psst_decoder_free(receiver->before);
    free(receiver);
}

static int64_t samples_of(uint64_t ns)
{
    return (int64_t)(ns / 1000000000 * PSST_VOICE_HZ + ns % 1000000000 * PSST_VOICE_HZ / 1000000000);
}

void psst_receiver_put(struct psst_receiver *receiver, uint32_t timestamp_samples, struct psst_view payload,
                       uint64_t now_ns)
{
    struct psst_receiver *r = receiver;
    if (payload.len > 0 && !psst_decoder_accepts(payload)) {
        r->stats.garbage++;
        return;
    }
    bool fec = payload.len > 0 && psst_decoder_carries_fec(payload);
    switch (psst_jitter_put(&r->jitter, timestamp_samples, payload, fec, samples_of(now_ns))) {
    case PSST_JITTER_RESYNC:
        r->playing = false;
        r->mendable = false;
        r->join = true;
        r->waited = 0;
        r->stats.received++;
        break;
    case PSST_JITTER_TAKEN: r->stats.received++; break;
    case PSST_JITTER_DOUBLED: r->stats.doubled++; break;
    case PSST_JITTER_STRAY: r->stats.garbage++; break;
    case PSST_JITTER_LATE:
        r->stats.received++;
        r->stats.late++;
        if (r->stats.lost > 0) r->stats.lost--;
        break;
    }
}

/* ---- one more frame, decoded ---- */

static int16_t *head(struct psst_receiver *r)
{
    return r->samples + PAST;
}

static void fade_out(int16_t pcm[FRAME], unsigned step, unsigned steps)
{
    if (step >= steps) {
        memset(pcm, 0, FRAME * sizeof *pcm);
        return;
    }
    int64_t from = (int64_t)(steps - step) * FRAME, all = (int64_t)steps * FRAME;
    for (size_t i = 0; i < FRAME; i++) pcm[i] = (int16_t)(pcm[i] * (from - (int64_t)i) / all);
}

#define SILENT (FADE_AFTER + FADE_FRAMES)

/* Concealment, which fades out: after a while it is only a buzz. nothing: the other side sends no sound. */
static void conceal(struct psst_receiver *r, int16_t pcm[FRAME], bool nothing)
{
    unsigned after = nothing ? 0 : FADE_AFTER, steps = nothing ? FADE_NOTHING : FADE_FRAMES;
    if (r->gone >= after + steps) {
        memset(pcm, 0, FRAME * sizeof *pcm);
        r->gone = SILENT;
        return;
    }
    psst_decoder_conceal(r->decoder, pcm);
    if (r->gone >= after) fade_out(pcm, r->gone - after, steps);
    r->gone++;
}

static void count_report(struct psst_receiver *r, bool bad)
{
    r->bad_count = r->bad_count - r->bad[r->bad_at] + bad;
    r->bad[r->bad_at] = bad;
    r->bad_at = (r->bad_at + 1) % REPORT_FRAMES;
}

/* Something real follows what was made up, or what was left out: fade from where that would have gone on. */
static void begin_real(struct psst_receiver *r)
{
    if (!r->bridged && (r->join || r->gone > FADE_AFTER)) {
        conceal(r, r->bridge, false);
        r->bridged = true;
    }
    r->gone = 0;
    r->join = false;
}

/* The frame whose turn it is, or what takes its place, behind what is ahead. hold: it may wait. */
static void decode_next(struct psst_receiver *r, int64_t now, bool hold)
{
    struct psst_jitter *j = &r->jitter;
    int16_t *pcm = head(r) + r->ahead;
    const struct psst_jitter_slot *slot = psst_jitter_at(j, j->next), *behind = psst_jitter_at(j, j->next + 1);
    struct psst_view packet = psst_view(NULL, 0);
    if (slot != NULL)
        packet = psst_view(slot->payload, slot->len);
    else if (behind != NULL && psst_decoder_carries_fec(psst_view(behind->payload, behind->len)))
        packet = psst_view(behind->payload, behind->len);
    hold = hold && slot == NULL && behind == NULL;
    r->mendable = false;
    if (packet.len > 0) {
        begin_real(r);
        if (slot == NULL)
            r->stats.recovered += psst_decoder_recover(r->decoder, packet, pcm);
        else if (psst_decoder_frame(r->decoder, packet, pcm) != PSST_OK)
            r->stats.garbage++;
    } else {
        r->mendable = r->gone == 0 && slot == NULL && !hold;
        if (r->mendable) psst_decoder_copy(r->before, r->decoder);
        conceal(r, pcm, slot != NULL);
        if (slot == NULL && !hold) r->stats.concealed++;
    }
    if (r->bridged) psst_stretch_fade(pcm, r->bridge, pcm, PSST_STRETCH_FADE);
    r->bridged = false;
    r->ahead += FRAME;
    if (hold) {
        r->stats.stretched += FRAME;
        return;
    }
    if (slot != NULL) {
        int64_t held = now + (int64_t)r->ahead - FRAME - slot->arrived;
        r->held = r->held == 0 ? held : r->held + (held - r->held) / 8;
    } else
        r->stats.lost++;
    count_report(r, slot == NULL);
    psst_jitter_advance(j);
}

/* What was concealed has come after all, or its FEC has: the decoder goes back to learn it, and what is left of the
 * concealment, or else what follows it, fades into what was said. */
static void mend(struct psst_receiver *r)
{
    struct psst_jitter *j = &r->jitter;
    int16_t pcm[FRAME];
    if (!r->mendable || r->ahead >= FRAME) return;
    const struct psst_jitter_slot *slot = psst_jitter_at(j, j->next - 1), *behind = psst_jitter_at(j, j->next);
    struct psst_view packet = slot != NULL     ? psst_view(slot->payload, slot->len)
                              : behind != NULL ? psst_view(behind->payload, behind->len)
                                               : psst_view(NULL, 0);
    if (packet.len == 0 || (slot == NULL && !psst_decoder_carries_fec(packet))) return;
    r->bridged = r->ahead < PSST_STRETCH_FADE;
    if (r->bridged) psst_decoder_conceal(r->decoder, r->bridge);
    psst_decoder_copy(r->decoder, r->before);
    if (slot == NULL)
        (void)psst_decoder_recover(r->decoder, packet, pcm);
    else if (psst_decoder_frame(r->decoder, packet, pcm) != PSST_OK)
        r->stats.garbage++;
    if (!r->bridged) {
        const int16_t *rest = pcm + FRAME - r->ahead;
        psst_stretch_fade(head(r), head(r), rest, PSST_STRETCH_FADE);
        memcpy(head(r) + PSST_STRETCH_FADE, rest + PSST_STRETCH_FADE, (r->ahead - PSST_STRETCH_FADE) * sizeof *pcm);
    }
    r->gone = 0;
    r->mendable = false;
}

/* ---- closer or further ---- */

static bool quiet(struct psst_receiver *r)
{
    unsigned rms = psst_stretch_rms(head(r), FRAME);
    bool is = rms < QUIET_RMS || rms < r->loud / QUIET_OF_LOUD;
    if (rms >= QUIET_RMS && rms > r->loud / 4) /* rises at once, falls in seconds */
        r->loud = rms > r->loud ? rms : r->loud - (r->loud - rms) / 64;
    else if (r->loud > 0 && rms >= QUIET_RMS)
        r->loud -= r->loud / 512;
    return is;
}

/* In silence at once; in speech only when it is urgent or has waited for long enough. At least a frame is ahead, of which so
 * many samples are to be left. */
static void correct(struct psst_receiver *r, int64_t by, size_t samples, int64_t now)
{
    const size_t keep = samples > PSST_STRETCH_FADE ? samples : PSST_STRETCH_FADE;
    r->quiet = quiet(r) ? r->quiet + 1 : 0;
    bool silence = r->quiet >= PAUSE;
    int64_t size = by < 0 ? -by : by;
    if (by == 0) {
        r->waited = 0;
        return;
    }
    r->waited++;
    unsigned patience = size > FAR ? PATIENCE_FAR_LATE : PATIENCE_LATE;
    if (by < 0) patience = size > FAR ? 0 : PATIENCE_EARLY;
    if (!silence && r->waited <= patience) return;
    bool must = silence || size > FAR || r->waited > patience + 25; /* half a second in which nothing was like itself */
    size_t done = 0, most = size > PSST_STRETCH_MAX ? PSST_STRETCH_MAX : (size_t)size;
    if (by > 0) {
        if (r->ahead < keep + most && psst_jitter_at(&r->jitter, r->jitter.next) != NULL &&
            r->ahead + FRAME <= AHEAD_MAX)
            decode_next(r, now, false);
        if (r->ahead - keep < most) most = r->ahead - keep;
        done = silence ? psst_stretch_cut(head(r), r->ahead, most) : psst_stretch_shrink(head(r), r->ahead, most, must);
        r->ahead -= done;
        r->stats.shrunk += (uint32_t)done;
    } else if (r->ahead + most <= AHEAD_MAX) {
        done = psst_stretch_grow(head(r), r->ahead, most, must);
        r->ahead += done;
        r->stats.stretched += (uint32_t)done;
    }
    if (done > 0) {
        r->mendable = false;
        r->waited = patience > 5 ? patience - 5 : 0; /* the next one not before a tenth of a second */
    }
}

/* Much too far behind: whole frames are left out, and faded over. */
static int64_t hop(struct psst_receiver *r, int64_t by)
{
    int64_t frames = by / FRAME;
    if (by < HOP) return by;
    psst_jitter_skip(&r->jitter, r->jitter.next + frames);
    r->stats.shrunk += (uint32_t)(frames * FRAME);
    r->join = true;
    r->mendable = false;
    return by - frames * FRAME;
}

static bool may_start(struct psst_receiver *r, int64_t now)
{
    struct psst_jitter *j = &r->jitter;
    if (!j->synced) return false;
    int64_t position = j->next * FRAME - (int64_t)r->ahead;
    return now - psst_jitter_need(j) >= position;
}

/* Once a frame: where should playout be? */
static void steer(struct psst_receiver *r, size_t samples, int64_t now)
{
    struct psst_jitter *j = &r->jitter;
    int64_t aim, at = j->pulls.base + r->pulled, position = j->next * FRAME - (int64_t)r->ahead;
    int64_t by = psst_jitter_steer(j, position, at, (int64_t)samples, &aim);
    r->behind = at - aim;
    by = hop(r, by);
    while (r->ahead < samples) {
        bool hold = by <= -HOLD_MIN;
        if (hold) by = 0; /* once is enough for one pull */
        decode_next(r, now, hold);
    }
    if (r->ahead >= FRAME) correct(r, by, samples, now);
}

static void learn_pull(struct psst_receiver *r, int64_t now)
{
    if (r->unsteered == 0 || now - r->pulled < r->earliest) r->earliest = now - r->pulled;
}

void psst_receiver_pull(struct psst_receiver *receiver, int16_t *pcm, size_t samples, uint64_t now_ns)
{
    struct psst_receiver *r = receiver;
    int64_t now = samples_of(now_ns);
    learn_pull(r, now);
    r->unsteered += samples;
    const bool whole = r->unsteered >= FRAME;
    if (whole || r->ahead < samples) psst_pulls_learn(&r->jitter.pulls, r->earliest);
    if (!r->playing && may_start(r, now)) r->playing = true;
    if (r->playing) {
        mend(r);
        if (whole || r->ahead < samples) {
            steer(r, samples, now);
            r->unsteered = 0;
        }
    } else {
        if (whole) r->unsteered = 0;
        while (r->ahead < samples) {
            conceal(r, head(r) + r->ahead, true);
            r->ahead += FRAME;
        }
    }
    memcpy(pcm, head(r), samples * sizeof *pcm);
    memmove(r->samples, r->samples + samples, (PAST + r->ahead - samples) * sizeof *pcm);
    r->ahead -= samples;
    r->pulled += (int64_t)samples;
}

static uint16_t whole_ms(int64_t samples)
{
    if (samples < 0) return 0;
    if (samples / MS > UINT16_MAX) return UINT16_MAX;
    return (uint16_t)(samples / MS);
}

struct psst_receiver_stats psst_receiver_stats(const struct psst_receiver *receiver)
{
    const struct psst_receiver *r = receiver;
    struct psst_receiver_stats s = r->stats;
    int64_t first = psst_delays_quantile(&r->jitter.delays, 0);
    s.loss_256 = (uint8_t)(r->bad_count * 255 / REPORT_FRAMES);
    s.jitter_ms = whole_ms(psst_delays_quantile(&r->jitter.delays, 980) - first);
    if (r->playing) {
        s.target_ms = whole_ms(r->behind - first);
        s.held_ms = whole_ms(r->held);
    }
    return s;
}
