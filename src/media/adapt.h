/* What the other side's reports change in what we send: forward error correction, and the quality. No sound comes near it, so
 * nothing that an eavesdropper could ever see of it depends on what is said. Frames are its clock.
 *
 *     loss over 6 %              -> FEC on: announced loss as reported, at least 10 %; the whole room of the frame
 *     under 3 % for 5 s          -> FEC off
 *     three reports in a row with 3 % of loss and no FEC yet, or a delay grown by 100 ms -> one step of quality down with
 *                                   this and each further one, to quality 4 at the lowest; FEC has the whole room all the same
 *     ten quiet reports in a row -> one step up again, to the user's and no higher
 *
 * docs/VOICE.md, "Sending". */
#ifndef PSST_MEDIA_ADAPT_H
#define PSST_MEDIA_ADAPT_H

#include "media/voice.h"

struct psst_adapt { /* psst_adapt_init */
    uint64_t frame; /* the clock */
    uint64_t lossy_at,
        counted_at;        /* frames: the last report with FEC_OFF_PERCENT or more; the last that counted for quality */
    unsigned lowered;      /* steps under the user's quality */
    unsigned bad, quiet;   /* reports in a row */
    unsigned loss_percent; /* announced while fec */
    uint32_t delay_base_ms; /* the smallest, rising slowly */
    bool fec, reported;
};

void psst_adapt_init(struct psst_adapt *adapt);
/* A frame is about to be encoded. */
void psst_adapt_tick(struct psst_adapt *adapt);
/* At most two a second count for the quality. quality: the user's; opus_max: the room in a frame. */
void psst_adapt_report(struct psst_adapt *adapt, uint8_t loss_256, uint16_t delay_ms, unsigned quality,
                       size_t opus_max);

struct psst_adapted {
    size_t bytes;          /* of Opus in a frame; never over opus_max */
    unsigned loss_percent; /* for the encoder: 0: no FEC */
    unsigned quality;      /* that these bytes are */
};
struct psst_adapted psst_adapt_result(const struct psst_adapt *adapt, unsigned quality, size_t opus_max);

#endif
