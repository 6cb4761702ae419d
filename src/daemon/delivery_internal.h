/* What the files of delivery share: delivery.c (out, and the whole), delivery_in.c (in). Nothing else includes this. */
#ifndef PSST_DAEMON_DELIVERY_INTERNAL_H
#define PSST_DAEMON_DELIVERY_INTERNAL_H

#include "daemon/delivery.h"
#include "daemon/intake.h"

#define PSST_HELD_MAX 8 /* more connections than one contact can have alive */

struct psst_delivery {
    struct psst_daemon *d;
    uv_timer_t alarm;  /* one for all couriers; runs only while one of them waits for something */
    uint64_t alarm_ns; /* PSST_NEVER: not set */
};

/* Serials of connections that are not read. */
struct psst_held {
    uint64_t serials[PSST_HELD_MAX];
    unsigned n;
};

/* Of one contact, from its first use until the book is wiped. */
struct courier {
    int64_t cursor; /* seq of the last one handed to this session's link */
    uint32_t unacked;
    uint32_t generation; /* of the session: what an older walk brings is not sent */
    bool walking;        /* a batch is being read */
    bool more;           /* the store may hold some behind cursor */
    bool stalled;        /* the link's output is full */
    bool resting;        /* he takes nothing now; until rest_ns, the next session, or the user says something */
    bool probing;        /* one at a time, until he has taken one */
    uint8_t rest_reason;
    uint64_t rest_ns;

    size_t pending, pending_bytes; /* in: read and not committed */
    struct psst_held held;         /* because of pending */
    struct psst_intake intake;
    struct psst_held flooding; /* because of intake */
    uint64_t flooding_ns;      /* until then */
};

/* NULL: out of memory. */
struct courier *psst_courier_of(struct psst_contact *contact);
/* The alarm rings at at_ns, or earlier. */
void psst_delivery_wake_at(struct psst_delivery *delivery, uint64_t at_ns);

/* ---- delivery_in.c ---- */

void psst_delivery_arrived(struct psst_delivery *delivery, struct psst_conn *conn, const struct psst_text *text);
/* The alarm rang: reads on where enough time has passed. Gives the time of the next call that is wanted. */
uint64_t psst_delivery_in_alarm(struct psst_delivery *delivery, struct courier *c, uint64_t now_ns);

#endif
