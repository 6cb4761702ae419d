#include "media/adapt.h"

#define FEC_ON_PERCENT     6
#define FEC_OFF_PERCENT    3
#define FEC_OFF_FRAMES     250 /* 5 s */
#define ANNOUNCED_MIN      10
#define FEC_BYTES_OVER     40 /* at 16 kbit/s and less it carries nothing */
#define COUNTED_FRAMES     25
#define QUALITY_LEAST      4
#define BAD_REPORTS        3
#define QUIET_REPORTS      10
#define DELAY_GROWN_MS     100
#define DELAY_QUIET_MS     50
#define DELAY_BASE_RISE_MS 1 /* a report: a path that has become longer for good is no growth after a while */

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* What FEC may use: the room, up to the highest quality. */
static size_t fec_bytes(size_t opus_max)
{
    return smaller(opus_max, psst_voice_opus_bytes(PSST_VOICE_QUALITY_MAX));
}

/* loss_256 is at least so many percent: without rounding, so that 6 % is not over 6 %. */
static bool at_least(uint8_t loss_256, unsigned percent)
{
    return loss_256 * 100u >= percent * 256u;
}

void psst_adapt_init(struct psst_adapt *adapt)
{
    *adapt = (struct psst_adapt){0};
}

void psst_adapt_tick(struct psst_adapt *adapt)
{
    adapt->frame++;
}

static void report_fec(struct psst_adapt *adapt, uint8_t loss_256, size_t opus_max)
{
    if (at_least(loss_256, FEC_OFF_PERCENT)) adapt->lossy_at = adapt->frame;
    if (loss_256 * 100u > FEC_ON_PERCENT * 256u) adapt->fec = true;
    if (adapt->frame - adapt->lossy_at >= FEC_OFF_FRAMES) adapt->fec = false;
    if (fec_bytes(opus_max) <= FEC_BYTES_OVER) adapt->fec = false;
    unsigned percent = (loss_256 * 100u + 128) / 256;
    adapt->loss_percent = percent < ANNOUNCED_MIN ? ANNOUNCED_MIN : percent;
}

static void report_quality(struct psst_adapt *adapt, uint8_t loss_256, uint16_t delay_ms, unsigned quality)
{
    if (adapt->reported && adapt->frame - adapt->counted_at < COUNTED_FRAMES) return;
    if (!adapt->reported || delay_ms <= adapt->delay_base_ms)
        adapt->delay_base_ms = delay_ms;
    else
        adapt->delay_base_ms += DELAY_BASE_RISE_MS;
    adapt->reported = true;
    adapt->counted_at = adapt->frame;

    bool lossy = at_least(loss_256, FEC_OFF_PERCENT);
    bool bad = (lossy && !adapt->fec) || delay_ms >= adapt->delay_base_ms + DELAY_GROWN_MS;
    bool quiet = !lossy && delay_ms < adapt->delay_base_ms + DELAY_QUIET_MS;
    adapt->bad = bad ? adapt->bad + 1 : 0;
    adapt->quiet = quiet ? adapt->quiet + 1 : 0;
    if (adapt->bad >= BAD_REPORTS && quality > QUALITY_LEAST + adapt->lowered) adapt->lowered++;
    if (adapt->quiet >= QUIET_REPORTS) {
        adapt->quiet = 0;
        if (adapt->lowered > 0) adapt->lowered--;
    }
}

void psst_adapt_report(struct psst_adapt *adapt, uint8_t loss_256, uint16_t delay_ms, unsigned quality, size_t opus_max)
{
    if (quality > PSST_VOICE_QUALITY_MAX) quality = PSST_VOICE_QUALITY_MAX;
    report_fec(adapt, loss_256, opus_max);
    report_quality(adapt, loss_256, delay_ms, quality);
}

/* The user may have chosen another quality since it was lowered: never under the least, unless he did. */
static unsigned lowered(const struct psst_adapt *adapt, unsigned quality)
{
    if (quality <= QUALITY_LEAST) return quality;
    return quality - QUALITY_LEAST > adapt->lowered ? quality - adapt->lowered : QUALITY_LEAST;
}

struct psst_adapted psst_adapt_result(const struct psst_adapt *adapt, unsigned quality, size_t opus_max)
{
    if (quality > PSST_VOICE_QUALITY_MAX) quality = PSST_VOICE_QUALITY_MAX;
    size_t bytes = smaller(psst_voice_opus_bytes(lowered(adapt, quality)), opus_max);
    if (adapt->fec) bytes = fec_bytes(opus_max);
    return (struct psst_adapted){bytes, adapt->fec ? adapt->loss_percent : 0, psst_voice_quality_of(bytes)};
}
