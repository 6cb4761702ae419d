/* How long to wait before the next call that nobody makes by hand: a table of paces, jitter, caps. Pure: no clock, no state. */
#ifndef PSST_DAEMON_RECONNECT_BACKOFF_H
#define PSST_DAEMON_RECONNECT_BACKOFF_H

#include "crypto/crypto.h"

enum psst_pace {
    PSST_PACE_NONE,   /* he is not wanted */
    PSST_PACE_BROKE,  /* the session broke: 1 to 2 s for two minutes, then growing to 8 s */
    PSST_PACE_URGENT, /* 1 to 2 s */
    PSST_PACE_AWAY,   /* he went off line by his own will: from 4 s up to a minute */
    PSST_PACE_COLD,   /* something waits, or he is marked: from 5 s up to 5 minutes */
    PSST_PACES
};

/* How long after a break, or a farewell, a contact is wanted for that alone. */
#define PSST_BACKOFF_WANTED_NS (UINT64_C(3600) * 1000000000)

/* After `tries` calls in a row that came to nothing, the first of them age_ns ago. Not for PSST_PACE_NONE. */
uint64_t psst_backoff_ns(enum psst_pace pace, uint64_t age_ns, unsigned tries, const struct psst_rng *rng);
/* A session that broke as soon as it stood, for the n-th time in a row (n >= 1): before the next one. */
uint64_t psst_backoff_short_ns(unsigned n, const struct psst_rng *rng);

#endif
