/* What the files of reconnect share: reconnect.c (who is wanted, and when), reconnect/watch.c (what happens around us). Nothing
 * else includes this. */
#ifndef PSST_DAEMON_RECONNECT_INTERNAL_H
#define PSST_DAEMON_RECONNECT_INTERNAL_H

#include "daemon/peers/internal.h"
#include "daemon/reconnect/reconnect.h"
#include "net/watch.h"

struct redial;

struct psst_reconnect {
    struct psst_daemon *d;
    struct redial *first;
    uv_timer_t timer;
    unsigned n_dialling;
    uint64_t together_ns; /* when others were last called because one came back; 0: never */
    bool open;            /* unlocked */
    bool working;         /* the timer is being worked off, and is set afterwards */
    bool closed;
    /* reconnect/watch.c */
    struct psst_watch watch;
    uv_poll_t netlink, clock;
    uv_timer_t settle;
    bool has_netlink, has_clock;
    uint64_t changed_ms; /* unix; 0: nothing has happened yet */
    enum psst_watch_what what;
};

/* All who are wanted and have no session are called. */
void psst_reconnect_all(struct psst_reconnect *reconnect);

void psst_reconnect_watch_begin(struct psst_reconnect *reconnect);
void psst_reconnect_watch_end(struct psst_reconnect *reconnect);

#endif
