/* What happens around us: addresses, links and routes that change (rtnetlink), the clock being set, and waking up from
 * suspension. Knows sockets and no event loop: the owner polls two descriptors for input, hands the time in, and asks.
 *
 *   netlink_fd --readable--> psst_watch_read  ---+
 *   clock_fd ---readable--> psst_watch_clock ----+--> 100 ms later, and not twice a second --> psst_watch_take
 *
 * A line that comes and goes all the time is reported ten times, then twice a minute: who is called anew at each report would
 * else be called for ever as often as if the line had just broken. Waking up is always reported.
 *
 * Only the kernel is believed (sender 0), and only what is well formed. A change is one that can matter to a connection: an
 * interface goes up or down, an address comes or goes, a route of the main table does; the refreshing of what is known (router
 * advertisements do that for ever) is none; nor is what there is at the beginning, which is asked for. When the kernel had more to tell than the socket held, something has changed.
 * (netlink(7), rtnetlink(7); timerfd_create(2), TFD_TIMER_CANCEL_ON_SET.)
 */
#ifndef PSST_NET_WATCH_H
#define PSST_NET_WATCH_H

#include "base/bucket.h"
#include "net/address.h"

#define PSST_WATCH_KNOWN                                                                                               \
    128 /* links and addresses whose state is remembered; of others every message counts as a change */

/* What has happened; of several, the weightiest, which is the last in this list. */
enum psst_watch_what {
    PSST_WATCH_NOTHING,
    PSST_WATCH_CLOCK, /* the clock was set; of the network nothing is known */
    PSST_WATCH_ROUTE,
    PSST_WATCH_ADDRESS_NEW,
    PSST_WATCH_LINK_UP,
    PSST_WATCH_MISSED, /* too much at once: something has changed */
    PSST_WATCH_LINK_DOWN,
    PSST_WATCH_ADDRESS_GONE,
    PSST_WATCH_WOKE, /* we were suspended */
};

struct psst_watch_known {
    uint32_t index; /* of the interface */
    uint8_t family; /* AF_UNSPEC: the interface itself */
    uint8_t address[16];
    uint32_t flags;
};

/* Nanoseconds of CLOCK_MONOTONIC, which stands still while we are suspended, and of CLOCK_BOOTTIME, which does not. */
struct psst_watch_times {
    uint64_t mono_ns, boot_ns;
};

/* Embedded by the owner. */
struct psst_watch {
    int netlink_fd, clock_fd; /* -1: the system does not let us */
    struct psst_watch_known known[PSST_WATCH_KNOWN];
    size_t n_known;
    uint16_t asked;    /* the list that the kernel is giving us: RTM_GETLINK, then RTM_GETADDR; 0: none any more */
    uint64_t slept_ns; /* boot minus mono, when last looked at */
    uint64_t due_ns;   /* mono; UINT64_MAX: there is nothing to report */
    uint64_t taken_ns; /* when the last report was taken; 0: never */
    struct psst_bucket often; /* reports that may still be given at once */
    enum psst_watch_what what;
};

/* Nothing is open, and nothing has happened. */
void psst_watch_init(struct psst_watch *w);
/* Opens what the system lets us open: without, changes are found out by silence, which takes longer. */
void psst_watch_open(struct psst_watch *w, const struct psst_watch_times *now);
void psst_watch_close(struct psst_watch *w);
struct psst_watch_times psst_watch_now(void);

/* netlink_fd is readable. False: it is broken, poll it no more. */
PSST_MUST_USE bool psst_watch_read(struct psst_watch *w, uint64_t now_ns);
/* One datagram as it came: sender is the netlink port that it came from. */
void psst_watch_datagram(struct psst_watch *w, uint32_t sender, struct psst_view datagram, uint64_t now_ns);
/* clock_fd is readable: the timer is set anew, and looked whether we slept. */
void psst_watch_clock(struct psst_watch *w, const struct psst_watch_times *now);

/* What is to be done something about now; PSST_WATCH_NOTHING: not yet (see due_ns), or nothing. */
enum psst_watch_what psst_watch_take(struct psst_watch *w, uint64_t now_ns);
const char *psst_watch_words(enum psst_watch_what what); /* "an address is gone" */

#endif
