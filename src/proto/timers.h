/* When a session pings, when it takes the other side for dead, when it needs new keys (docs/PROTOCOL.md, "Chunks",
 * "Rekey"): the whole policy of time, and nothing else. It is told what happens, and asked what is due. All times are
 * monotonic nanoseconds.
 *
 *   heard ---- 10 to 15 s, at random ----> ping ----> ... 25 s: dead
 *   heard ---- 4 s ----> ping --- 4 s ---> ping ----> ... 12 s: dead      while data waits
 *   data heard, nothing said ---- 5 s ---> ping                           so that a sender knows of us
 *   nothing heard, neither records nor datagrams ------------> ... 12 s: dead      in a call
 *
 * Data waits when a text is not acknowledged, or output does not move. Voice datagrams are signs of life for the two limits of
 * 12 s, and not for that of 25 s: they tell that the other side is there, and not that the session's own connection is.
 */
#ifndef PSST_PROTO_TIMERS_H
#define PSST_PROTO_TIMERS_H

#include "proto/handshake.h"

struct psst_timers {
    uint64_t heard_ns;         /* a record opened */
    uint64_t pinged_ns;        /* our last ping, or the beginning */
    uint64_t ping_interval_ns; /* drawn anew for each */
    uint64_t owed_ns;          /* until when a sign of life is owed to a peer that sends data; PSST_NEVER: none */
    uint64_t text_waits_ns;    /* since when texts are unacknowledged; PSST_NEVER: none are */
    uint64_t output_waits_ns;  /* since when output has not moved; PSST_NEVER: there is none */
    uint64_t progress_ns;      /* when some of more output than fits on the line last moved: somebody takes it */
    uint64_t ponged_ns;        /* our last answer; PSST_NEVER: none yet */
    uint64_t ping_open_ns;     /* when the ping left that is not answered yet; PSST_NEVER: none */
    uint64_t asked_ns;         /* the first ping since something was heard; PSST_NEVER: none */
    uint64_t keys_ns;          /* age of the keys */
    uint64_t keys_bytes;       /* of both directions under them */
    uint64_t paused_ns;        /* since when our own driver does not read; PSST_NEVER: it does */
    uint64_t datagram_ns;      /* the last voice datagram, or the beginning of the call; 0: none yet */
    bool in_call;
    bool rekeying;
    enum psst_role role;
};

enum psst_due { PSST_DUE_NOTHING, PSST_DUE_PING, PSST_DUE_REKEY, PSST_DUE_REKEY_LATE, PSST_DUE_DEAD };

void psst_timers_begin(struct psst_timers *t, enum psst_role role, const struct psst_rng *rng, uint64_t now_ns);

/* A record opened; data: one that its sender waits for a sign of life after (text, file data). */
void psst_timers_on_received(struct psst_timers *t, uint64_t now_ns, size_t bytes);
void psst_timers_on_data(struct psst_timers *t, uint64_t now_ns);
/* A voice datagram opened. */
void psst_timers_on_datagram(struct psst_timers *t, uint64_t now_ns);
/* A call is active from now on, or is over. */
void psst_timers_on_call(struct psst_timers *t, uint64_t now_ns, bool active);
/* The last sign of life of any kind. */
uint64_t psst_timers_heard(const struct psst_timers *t);
/* A record was sealed. */
void psst_timers_on_sent(struct psst_timers *t, size_t bytes);
void psst_timers_on_text_waiting(struct psst_timers *t, uint64_t now_ns);
void psst_timers_on_text_done(struct psst_timers *t); /* none is unacknowledged any more */
/* Output came into an empty place. */
void psst_timers_on_output(struct psst_timers *t, uint64_t now_ns);
/* Some of it went; waiting: not all. */
void psst_timers_on_output_moved(struct psst_timers *t, uint64_t now_ns, bool waiting);
void psst_timers_on_ping_sent(struct psst_timers *t, const struct psst_rng *rng, uint64_t now_ns);
/* Our ping was answered: true, with the time it took, for the first answer to the last ping. */
bool psst_timers_on_pong(struct psst_timers *t, uint64_t now_ns, uint64_t *rtt_ns);
/* A ping came: whether it may be answered (once a second at most), which it then is. */
bool psst_timers_may_pong(struct psst_timers *t, uint64_t now_ns);
/* Our own driver stops reading (its disk has more than enough), or goes on: silence is not the peer's meanwhile, and he is
 * sent signs of life as if data waited. */
void psst_timers_on_paused(struct psst_timers *t, uint64_t now_ns, bool paused);
void psst_timers_on_rekey_begun(struct psst_timers *t);
void psst_timers_on_rekeyed(struct psst_timers *t, uint64_t now_ns);

enum psst_due psst_timers_due(const struct psst_timers *t, uint64_t now_ns);
/* Since when an answer or a taker is waited for (text, ping, output) and nothing is heard and nothing moves; PSST_NEVER:
 * nothing is waited for, or we ourselves do not read. */
uint64_t psst_timers_unanswered(const struct psst_timers *t);
/* Since when something waits, whatever is heard meanwhile; PSST_NEVER: nothing does. */
uint64_t psst_timers_waiting(const struct psst_timers *t);
/* When something will be due; 0 when it is already. */
uint64_t psst_timers_deadline(const struct psst_timers *t);

#endif
