/* What the files of meetings share: meet.c (the list, the time, what the user does), meet_wire.c (what goes to the other
 * side and comes from it). Nothing else includes this. */
#ifndef PSST_DAEMON_MEET_INTERNAL_H
#define PSST_DAEMON_MEET_INTERNAL_H

#include "daemon/meet.h"

struct psst_meet {
    struct psst_meet *next; /* not before this one */
    struct psst_meet_row row;
    uint64_t serial;     /* of the connection that it went out on last */
    unsigned unanswered; /* chunks about it that went out there */
    bool sent;           /* in this session, as it is now */
    bool ever_sent;      /* since it is as it is now */
    bool due;            /* its time has come, and the user was told */
};

struct psst_meets {
    struct psst_daemon *d;
    struct psst_meet *first; /* the earliest */
    uv_timer_t timer;
    unsigned generation; /* of the unlocked identity: what an older job brings is dropped */
};

/* ---- meet.c ---- */

struct psst_meet *psst_meet_find(const struct psst_meets *meets, int64_t contact_id, const struct psst_msg_id *meet_id);
/* NULL: out of memory. */
struct psst_meet *psst_meet_insert(struct psst_meets *meets, const struct psst_meet_row *row);
void psst_meet_drop(struct psst_meets *meets, struct psst_meet *meet);
/* After a meeting with this contact came, went or changed: contact->untold. */
void psst_meet_recount(struct psst_meets *meets, int64_t contact_id);
/* The event `meet`. state NULL: the one that it has; reason may be NULL. */
void psst_meet_tell(const struct psst_meets *meets, const struct psst_meet *meet, const char *state,
                    const char *reason);
/* Something has changed: does what is due now, and sets the timer for what is due later. */
void psst_meets_look(struct psst_meets *meets);

/* ---- meet_wire.c ---- */

/* Whether the other side has to be told something of it. */
bool psst_meet_is_news(const struct psst_meet *meet);
/* Tells him, if that may be now. Gives the nanoseconds after which to try again; 0: need not. */
uint64_t psst_meet_send(struct psst_meets *meets, struct psst_meet *meet, struct psst_contact *contact);

#endif
