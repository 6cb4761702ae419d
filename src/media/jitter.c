#include "media/jitter.h"

#define MS    48
#define FRAME PSST_VOICE_FRAME_SAMPLES

#define MARGIN       (1 * MS)
#define START        (40 * MS) /* before anything is known of the jitter */
#define KNOWN        30        /* frames, before which too little is known of the jitter */
#define START_FRAMES 5         /* the first to come is not always the first */
#define NEED_MAX     (440 * MS)
#define REST         24       /* half a ms: what is aimed at to be left of the frame before when the next is needed */
#define REST_MAX     (2 * MS) /* ... and what is good enough */
/* shrunk only when it would hold for so much more jitter than needed, and for an eighth of what there is */
#define STEADY    (1 * MS)
#define EVEN      (8 * MS) /* a line with so little jitter: playout follows it as closely as the device pulls */
#define SLOW_FALL 64       /* pulls, 1.3 s: the slow need falls by one part in so many of the difference with each */
/* with FEC: a squared ms of delay is worth so many times 10^-7 frames; at 100 ms, 12 more are worth 1 % of the frames */
#define DELAY_COST 39
#define COST_EQUAL 5000 /* 10^-6 frames: not worth a change */
#define FEC_LASTS  3000 /* frames: silence carries no FEC, and is no reason to come closer */
#define FEC_LOSS   20   /* of 1,000 frames */

#define BEHIND_MAX   500        /* frames: what is older is not late but stray */
#define TRANSIT_NEAR (200 * MS) /* what belongs together arrives so regularly */
#define STRAY_FRAMES 5
#define STRAY_LASTS  (80 * MS)
#define LATE_LASTS   (300 * MS)

void psst_jitter_init(struct psst_jitter *jitter)
{
    memset(jitter, 0, sizeof *jitter);
    psst_delays_init(&jitter->delays);
    psst_pulls_init(&jitter->pulls);
}

static int64_t floor_of(int64_t samples, int64_t piece)
{
    return samples >= 0 ? samples / piece : -((-samples + piece - 1) / piece);
}

static int64_t floor_frame(int64_t samples)
{
    return floor_of(samples, FRAME);
}

static struct psst_jitter_slot *slot_of(struct psst_jitter *j, int64_t frame)
{
    return &j->slots[(uint64_t)frame % PSST_JITTER_SLOTS];
}

static uint8_t *fate_of(struct psst_jitter *j, int64_t frame)
{
    return &j->fates[(uint64_t)frame % PSST_JITTER_FATES];
}

/* ---- what comes in ---- */

static void store(struct psst_jitter *j, int64_t frame, struct psst_view payload, int64_t now)
{
    struct psst_jitter_slot *slot = slot_of(j, frame);
    slot->full = true;
    slot->len = (uint16_t)payload.len;
    slot->arrived = now;
    if (payload.len > 0) memcpy(slot->payload, payload.data, payload.len);
}

static void restart(struct psst_jitter *j, int64_t stamp, struct psst_view payload, int64_t now)
{
    struct psst_pulls pulls = j->pulls;
    psst_jitter_init(j);
    j->pulls = pulls;
    j->synced = true;
    j->need_slow = INT64_MIN / 2;
    j->stamp = stamp;
    j->origin = stamp;
    psst_delays_learn(&j->delays, now, now);
    store(j, 0, payload, now);
}

/* One more frame that cannot be used where we are. True when such frames have come for so long, in step with each other and
 * the clock, that they are the stream and we are elsewhere. */
static bool elsewhere(struct psst_jitter *j, int64_t stamp, int64_t now, int64_t lasts)
{
    int64_t transit = now - stamp, apart = transit - j->stray_transit;
    bool in_step = j->strayed && apart > -TRANSIT_NEAR && apart < TRANSIT_NEAR && now - j->stray_now < TRANSIT_NEAR;
    if (!in_step) {
        j->strays = 0;
        j->stray_since = now;
    }
    j->strayed = true;
    j->strays++;
    j->stray_now = now;
    j->stray_transit = transit;
    return j->strays >= STRAY_FRAMES && now - j->stray_since >= lasts;
}

static enum psst_jitter_verdict put_late(struct psst_jitter *j, int64_t frame, int64_t stamp, struct psst_view payload,
                                         int64_t now)
{
    bool known = false;
    if (j->next - frame <= PSST_JITTER_FATES) {
        uint8_t *fate = fate_of(j, frame);
        known = *fate == PSST_FATE_USED || *fate == PSST_FATE_LATE;
        if (*fate == PSST_FATE_MISSING) j->missing--;
        if (!known) *fate = PSST_FATE_LATE;
    }
    if (!known) psst_delays_learn(&j->delays, now - frame * FRAME, now);
    if (!known && frame == j->next - 1) {
        store(j, frame, payload, now);
        return PSST_JITTER_LATE;
    }
    if (!elsewhere(j, stamp, now, LATE_LASTS)) return known ? PSST_JITTER_DOUBLED : PSST_JITTER_LATE;
    restart(j, stamp, payload,
            now); /* the sender has begun again with what we know already, or the line is longer now */
    return PSST_JITTER_RESYNC;
}

/* Far ahead of us: either we have not been pulled for long, and then its transit is as usual; or it is a jump. */
static bool pulled_too_slowly(const struct psst_jitter *j, int64_t frame, int64_t now)
{
    int64_t early = psst_delays_quantile(&j->delays, 0) - (now - frame * FRAME);
    return early < TRANSIT_NEAR;
}

enum psst_jitter_verdict psst_jitter_put(struct psst_jitter *jitter, uint32_t timestamp, struct psst_view payload,
                                         bool fec, int64_t now)
{
    struct psst_jitter *j = jitter;
    if (!j->synced) {
        restart(j, (INT64_C(1) << 40) + timestamp, payload, now);
        return PSST_JITTER_RESYNC;
    }
    int64_t stamp = j->stamp + (int32_t)(timestamp - (uint32_t)j->stamp);
    int64_t frame = floor_frame(stamp - j->origin);
    bool fits = frame * FRAME == stamp - j->origin && frame >= j->next - BEHIND_MAX;
    if (fits && frame >= j->next + PSST_JITTER_AHEAD) fits = pulled_too_slowly(j, frame, now);
    if (!fits) {
        if (!elsewhere(j, stamp, now, STRAY_LASTS)) return PSST_JITTER_STRAY;
        restart(j, stamp, payload, now);
        return PSST_JITTER_RESYNC;
    }
    j->stamp = stamp;
    if (fec) j->fec_until = frame + FEC_LASTS;
    if (!j->playing && frame < j->next && frame >= j->next - START_FRAMES) j->next = frame;
    if (frame < j->next) return put_late(j, frame, stamp, payload, now);
    if (frame >= j->next + PSST_JITTER_AHEAD) psst_jitter_skip(j, frame - PSST_JITTER_AHEAD + 1);
    if (psst_jitter_at(j, frame) != NULL) return PSST_JITTER_DOUBLED;
    j->strayed = false;
    psst_delays_learn(&j->delays, now - frame * FRAME, now);
    store(j, frame, payload, now);
    return PSST_JITTER_TAKEN;
}

/* ---- what goes out ---- */

const struct psst_jitter_slot *psst_jitter_at(const struct psst_jitter *jitter, int64_t frame)
{
    const struct psst_jitter_slot *slot = &jitter->slots[(uint64_t)frame % PSST_JITTER_SLOTS];
    return slot->full ? slot : NULL;
}

void psst_jitter_advance(struct psst_jitter *jitter)
{
    uint8_t *fate = fate_of(jitter, jitter->next);
    if (*fate == PSST_FATE_MISSING) jitter->missing--;
    *fate = psst_jitter_at(jitter, jitter->next) != NULL ? PSST_FATE_USED : PSST_FATE_MISSING;
    if (*fate == PSST_FATE_MISSING) jitter->missing++;
    slot_of(jitter, jitter->next - 1)->full = false;
    jitter->next++;
    jitter->playing = true;
}

void psst_jitter_skip(struct psst_jitter *jitter, int64_t frame)
{
    if (frame - jitter->next > PSST_JITTER_FATES) { /* nothing of what is remembered is near any more */
        memset(jitter->fates, 0, sizeof jitter->fates);
        jitter->missing = 0;
        for (size_t i = 0; i < PSST_JITTER_SLOTS; i++) jitter->slots[i].full = false;
        jitter->next = frame;
    }
    while (jitter->next < frame) psst_jitter_advance(jitter);
}

/* ---- how far behind ---- */

int64_t psst_jitter_need(const struct psst_jitter *jitter)
{
    int64_t first = psst_delays_quantile(&jitter->delays, 0),
            need = psst_delays_quantile(&jitter->delays, 980) + MARGIN;
    if (jitter->delays.count < KNOWN && need < first + START) need = first + START;
    return need < first + NEED_MAX ? need : first + NEED_MAX;
}

/* Of 1,000 frames. */
static int64_t lost_share(const struct psst_jitter *j)
{
    int64_t known = j->next < PSST_JITTER_FATES ? j->next : PSST_JITTER_FATES;
    return known > 0 ? (int64_t)j->missing * 1000 / known : 0;
}

/* FEC makes a lost or late frame good when the one behind it is there; so there is more to win by waiting, and less to lose by
 * not waiting. What the transit `to_play` costs: the share of frames that would be gone for good, in millionths, and the
 * delay, the worse the longer it is already. */
static int64_t cost(const struct psst_jitter *j, int64_t to_play)
{
    int64_t here = 1000000 - lost_share(j) * 1000;
    int64_t in_time = here * psst_delays_share(&j->delays, to_play - MARGIN) / 1000;
    int64_t next_in_time = here * psst_delays_share(&j->delays, to_play - MARGIN - FRAME) / 1000;
    int64_t ms = (to_play - psst_delays_quantile(&j->delays, 0)) / MS;
    return (1000000 - in_time) * (1000000 - next_in_time) / 1000000 + ms * ms * DELAY_COST / 10;
}

static bool with_fec(const struct psst_jitter *j)
{
    return j->next < j->fec_until && lost_share(j) >= FEC_LOSS && j->delays.count >= KNOWN;
}

/* The start of the frame that should be the next to be needed, so that its loss or lateness costs least; `now` stays unless
 * another is better by enough. */
static int64_t best_with_fec(const struct psst_jitter *j, int64_t at, int64_t now)
{
    int64_t first = psst_delays_quantile(&j->delays, 0);
    int64_t best = floor_frame(at - first) * FRAME, least = cost(j, at - best);
    for (int64_t start = best - FRAME; at - start <= first + NEED_MAX; start -= FRAME) {
        int64_t is = cost(j, at - start);
        if (is < least) {
            least = is;
            best = start;
        }
    }
    bool near = at - now >= first && at - now <= first + NEED_MAX;
    return near && cost(j, at - now) <= least + COST_EQUAL ? now : best;
}

int64_t psst_jitter_steer(struct psst_jitter *jitter, int64_t position, int64_t at, int64_t piece, int64_t *aim)
{
    struct psst_jitter *j = jitter;
    int64_t need = psst_jitter_need(j);
    int64_t fall = j->delays.count < 4 * KNOWN ? SLOW_FALL / 8 : SLOW_FALL;
    j->need_slow = need >= j->need_slow ? need : j->need_slow - (j->need_slow - need + fall - 1) / fall;
    /* A frame is needed at the pull that reaches it. So only whole pulls of playout's distance make more frames be there in
     * time: the aim is the start of a frame at a pull, less a rest. Where frames come as they like, it is not worth a change
     * to be closer by less than one. */
    int64_t spread = need - MARGIN - psst_delays_quantile(&j->delays, 0);
    int64_t grid = spread <= EVEN ? piece : FRAME;
    int64_t latest = floor_of(at - need, grid) * grid;
    int64_t steady = floor_of(at - j->need_slow - STEADY - spread / 8, grid) * grid;
    if (with_fec(j)) latest = steady = best_with_fec(j, at, -floor_frame(-position) * FRAME);
    *aim = latest - REST;
    if (position > latest) return *aim - position;
    if (position < steady - REST_MAX) return steady - REST - position;
    return 0;
}
