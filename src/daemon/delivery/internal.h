/* What the files of delivery share. Nothing else includes this.
 *
 *   delivery.c          the whole: what hangs on a contact, the alarm, events in, notifications out
 *   delivery/out.c      the walk over the outbox; saying; resting while he, or this machine, cannot
 *   delivery/settle.c   what became of what was sent; recalling what was not
 *   delivery/in.c       texts that arrive            delivery/receipts.c   telling what was read
 */
#ifndef PSST_DAEMON_DELIVERY_INTERNAL_H
#define PSST_DAEMON_DELIVERY_INTERNAL_H

#include "daemon/delivery/delivery.h"
#include "daemon/delivery/intake.h"

#define PSST_HELD_MAX      8 /* more connections than one contact can have alive */
#define PSST_CHAINS_MAX    5 /* one more than sessions of a contact */
#define PSST_CHAIN_REFUSED 4

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

/* The texts of one connection, in their order (delivery/in.c). */
struct psst_chain {
    uint64_t serial; /* of the connection; 0: free */
    uint64_t count;  /* texts that it has brought */
    uint64_t since;  /* what is older was sent before its sender began anew */
    struct {
        uint64_t no;
        struct psst_msg_id id;
    } refused[PSST_CHAIN_REFUSED]; /* not accepted for now; until one of them has come again, nothing new is */
    struct psst_msg_id last;       /* the one that was handed to the store last */
    uint8_t n_refused;
    uint8_t reason; /* of the first */
    bool follows;   /* there is a last */
};

/* Of one contact, from its first use until the book is wiped. */
struct courier {
    /* out */
    int64_t cursor; /* seq of the last one handed to this session's link */
    uint32_t unacked;
    uint32_t saying;     /* on their way into the store, to be sent at once */
    uint32_t generation; /* of the session: what an older walk brings is not sent */
    bool walking;        /* a batch is being read */
    bool more;           /* the store may hold some behind cursor */
    bool stalled;        /* the link's output is full */
    bool resting;        /* nothing goes now; until rest_ns, the next session, or the user says something */
    bool probing;        /* one at a time, until he has taken one */
    uint8_t rest_reason; /* of "not accepted"; 0: it is this machine that could not write */
    uint8_t rests;       /* since he has taken one */
    uint64_t rest_ns;
    /* receipts */
    bool receipts_due;                      /* there may be some to be sent */
    bool receipts_asked;                    /* the store is looking */
    uint64_t receipts_ns, receipts_next_ns; /* when to look; when the next chunk may leave */
    /* in */
    size_t pending, pending_bytes; /* read and not committed */
    struct psst_held held;         /* because of pending */
    struct psst_intake intake;
    struct psst_held flooding; /* because of intake */
    uint64_t flooding_ns;      /* until then */
    struct psst_chain *chains; /* PSST_CHAINS_MAX; from the first text on: who is quiet takes no room for them */
};

/* ---- delivery.c ---- */

/* NULL: out of memory. */
struct courier *psst_courier_of(struct psst_contact *contact);
/* The alarm rings at at_ns, or earlier. */
void psst_delivery_wake_at(struct psst_delivery *delivery, uint64_t at_ns);
/* Tells all user interfaces. seq 0: not known; reason: of "not accepted", 0: none. */
void psst_delivery_state(struct psst_delivery *delivery, const struct psst_contact *contact,
                         const struct psst_msg_id *id, int64_t seq, enum psst_message_state state, uint8_t reason);
/* So many do not wait any more. */
void psst_delivery_less(struct psst_delivery *delivery, struct psst_contact *contact, uint32_t n);

/* ---- each gives the time of the next call that is wanted; the alarm rang ---- */

uint64_t psst_delivery_out_alarm(struct psst_delivery *delivery, struct psst_contact *contact, uint64_t now_ns);
uint64_t psst_delivery_in_alarm(struct psst_delivery *delivery, struct courier *c, uint64_t now_ns);
uint64_t psst_delivery_receipts_alarm(struct psst_delivery *delivery, struct psst_contact *contact, uint64_t now_ns);

/* ---- delivery/out.c ---- */

/* Sends what there is room for. */
void psst_delivery_pump(struct psst_delivery *delivery, struct psst_contact *contact);
/* This machine could not write: everything that is not settled goes again, a little later. */
void psst_delivery_again(struct psst_delivery *delivery, struct psst_contact *contact);

/* ---- delivery/settle.c ---- */

void psst_delivery_acked(struct psst_delivery *delivery, struct psst_contact *contact, struct psst_view ids);
void psst_delivery_read(struct psst_delivery *delivery, struct psst_contact *contact, struct psst_view ids);
void psst_delivery_not_accepted(struct psst_delivery *delivery, struct psst_contact *contact,
                                const struct psst_event *ev);

/* ---- delivery/in.c ---- */

void psst_delivery_arrived(struct psst_delivery *delivery, struct psst_conn *conn, const struct psst_text *text);

/* ---- delivery/receipts.c ---- */

/* A session stands. */
void psst_delivery_receipts_up(struct psst_delivery *delivery, struct psst_contact *contact);

#endif
