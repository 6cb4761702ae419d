#include "proto/timers.h"

#include "proto/link.h"

#define PING_WAITING_NS (4 * PSST_SECOND_NS) /* three of them fit into PSST_DEAD_WAITING_NS */
#define OWED_NS         (5 * PSST_SECOND_NS) /* twice in PSST_DEAD_WAITING_NS */
#define PONG_EVERY_NS   PSST_SECOND_NS
#define PAUSED_MAX_NS   (600 * PSST_SECOND_NS) /* a disk that takes nothing for longer does not come back */

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint64_t after(uint64_t at, uint64_t ns)
{
    return at > PSST_NEVER - ns ? PSST_NEVER : at + ns;
}

static uint64_t draw_interval(const struct psst_rng *rng)
{
    return psst_rng_range(rng, PSST_PING_MIN_NS, PSST_PING_MAX_NS);
}

void psst_timers_begin(struct psst_timers *t, enum psst_role role, const struct psst_rng *rng, uint64_t now_ns)
{
    *t = (struct psst_timers){
        .heard_ns = now_ns,
        .pinged_ns = now_ns,
        .progress_ns = now_ns,
        .ping_interval_ns = draw_interval(rng),
        .owed_ns = PSST_NEVER,
        .text_waits_ns = PSST_NEVER,
        .output_waits_ns = PSST_NEVER,
        .ponged_ns = PSST_NEVER,
        .ping_open_ns = PSST_NEVER,
        .asked_ns = PSST_NEVER,
        .paused_ns = PSST_NEVER,
        .keys_ns = now_ns,
        .role = role,
    };
}

void psst_timers_on_received(struct psst_timers *t, uint64_t now_ns, size_t bytes)
{
    t->heard_ns = now_ns;
    t->asked_ns = PSST_NEVER;
    t->keys_bytes += bytes;
}

void psst_timers_on_data(struct psst_timers *t, uint64_t now_ns)
{
    t->owed_ns = earlier(t->owed_ns, after(now_ns, OWED_NS));
}

void psst_timers_on_datagram(struct psst_timers *t, uint64_t now_ns)
{
    t->datagram_ns = now_ns;
}

void psst_timers_on_call(struct psst_timers *t, uint64_t now_ns, bool active)
{
    t->in_call = active;
    if (active) t->datagram_ns = now_ns;
}

uint64_t psst_timers_heard(const struct psst_timers *t)
{
    return later(t->heard_ns, t->datagram_ns);
}

void psst_timers_on_sent(struct psst_timers *t, size_t bytes)
{
    t->owed_ns = PSST_NEVER;
    t->keys_bytes += bytes;
}

void psst_timers_on_text_waiting(struct psst_timers *t, uint64_t now_ns)
{
    t->text_waits_ns = earlier(t->text_waits_ns, now_ns);
}

void psst_timers_on_text_done(struct psst_timers *t)
{
    t->text_waits_ns = PSST_NEVER;
}

void psst_timers_on_output(struct psst_timers *t, uint64_t now_ns)
{
    t->output_waits_ns = now_ns;
}

void psst_timers_on_output_moved(struct psst_timers *t, uint64_t now_ns, bool waiting)
{
    t->output_waits_ns = waiting ? now_ns : PSST_NEVER;
    /* what goes in whole tells nothing: the system's own buffer takes it without any other side */
    if (waiting) t->progress_ns = now_ns;
}

void psst_timers_on_ping_sent(struct psst_timers *t, const struct psst_rng *rng, uint64_t now_ns)
{
    t->pinged_ns = now_ns;
    t->ping_open_ns = now_ns;
    t->asked_ns = earlier(t->asked_ns, now_ns);
    t->ping_interval_ns = draw_interval(rng);
}

bool psst_timers_on_pong(struct psst_timers *t, uint64_t now_ns, uint64_t *rtt_ns)
{
    if (t->ping_open_ns == PSST_NEVER) return false;
    *rtt_ns = now_ns - t->ping_open_ns;
    t->ping_open_ns = PSST_NEVER;
    return true;
}

bool psst_timers_may_pong(struct psst_timers *t, uint64_t now_ns)
{
    if (t->ponged_ns != PSST_NEVER && now_ns < after(t->ponged_ns, PONG_EVERY_NS)) return false;
    t->ponged_ns = now_ns;
    return true;
}

void psst_timers_on_paused(struct psst_timers *t, uint64_t now_ns, bool paused)
{
    if (paused == (t->paused_ns != PSST_NEVER)) return;
    t->paused_ns = paused ? now_ns : PSST_NEVER;
    if (!paused) t->heard_ns = now_ns; /* what he has said since is about to be read */
}

void psst_timers_on_rekey_begun(struct psst_timers *t)
{
    t->rekeying = true;
}

void psst_timers_on_rekeyed(struct psst_timers *t, uint64_t now_ns)
{
    t->rekeying = false;
    t->keys_ns = now_ns;
    t->keys_bytes = 0;
}

/* Since when data waits, whichever is longer. */
static uint64_t waits_ns(const struct psst_timers *t)
{
    return earlier(t->text_waits_ns, t->output_waits_ns);
}

uint64_t psst_timers_waiting(const struct psst_timers *t)
{
    return t->paused_ns != PSST_NEVER ? PSST_NEVER : earlier(waits_ns(t), t->asked_ns);
}

uint64_t psst_timers_unanswered(const struct psst_timers *t)
{
    uint64_t waits = psst_timers_waiting(t);
    return waits == PSST_NEVER ? PSST_NEVER : later(waits, later(psst_timers_heard(t), t->progress_ns));
}

static uint64_t ping_at(const struct psst_timers *t)
{
    uint64_t quiet_ns = later(t->heard_ns, t->pinged_ns);
    uint64_t at = earlier(after(quiet_ns, t->ping_interval_ns), t->owed_ns);
    uint64_t waits = waits_ns(t);
    if (waits != PSST_NEVER) at = earlier(at, after(later(quiet_ns, waits), PING_WAITING_NS));
    if (t->paused_ns != PSST_NEVER) at = earlier(at, after(later(t->pinged_ns, t->paused_ns), PING_WAITING_NS));
    return at;
}

static uint64_t dead_at(const struct psst_timers *t)
{
    if (t->paused_ns != PSST_NEVER) return after(t->paused_ns, PAUSED_MAX_NS);
    uint64_t at = after(t->heard_ns, PSST_DEAD_IDLE_NS), heard_ns = psst_timers_heard(t);
    uint64_t waits = waits_ns(t);
    if (t->in_call) at = earlier(at, after(heard_ns, PSST_DEAD_WAITING_NS));
    if (waits == PSST_NEVER) return at;
    /* on a slow line an answer may stand behind much: what still moves is not dead yet */
    uint64_t last_ns = later(later(heard_ns, t->progress_ns), waits);
    return earlier(at, after(last_ns, PSST_DEAD_WAITING_NS));
}

static uint64_t rekey_at(const struct psst_timers *t)
{
    if (t->role != PSST_CALLER || t->rekeying) return PSST_NEVER;
    return t->keys_bytes >= PSST_REKEY_BYTES ? 0 : after(t->keys_ns, PSST_REKEY_NS);
}

/* The callee's duty; the caller holds to it too, for a callee that never answers R1. */
static uint64_t rekey_late_at(const struct psst_timers *t)
{
    return t->keys_bytes >= PSST_REKEY_LATEST_BYTES ? 0 : after(t->keys_ns, PSST_REKEY_LATEST_NS);
}

enum psst_due psst_timers_due(const struct psst_timers *t, uint64_t now_ns)
{
    if (now_ns >= dead_at(t)) return PSST_DUE_DEAD;
    if (now_ns >= rekey_late_at(t)) return PSST_DUE_REKEY_LATE;
    if (now_ns >= rekey_at(t)) return PSST_DUE_REKEY;
    if (now_ns >= ping_at(t)) return PSST_DUE_PING;
    return PSST_DUE_NOTHING;
}

uint64_t psst_timers_deadline(const struct psst_timers *t)
{
    return earlier(earlier(dead_at(t), rekey_late_at(t)), earlier(rekey_at(t), ping_at(t)));
}
