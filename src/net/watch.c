#include "net/watch.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define SETTLE_NS  UINT64_C(100000000)  /* changes come in flocks */
#define APART_NS   UINT64_C(1000000000) /* between two reports */
#define REPORT_S   30                   /* of several at once: in the long run one in this time */
#define AT_ONCE    10
#define SLEPT_NS   UINT64_C(1000000000)
#define NEVER_NS   UINT64_MAX
#define READS      64 /* a call */
#define DATAGRAM   ((size_t)32768)
#define GROUPS     (RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE)
#define LINK_FLAGS ((uint32_t)(IFF_UP | IFF_RUNNING))

static void changed(struct psst_watch *w, enum psst_watch_what what, uint64_t now_ns)
{
    if (what > w->what) w->what = what;
    if (w->due_ns != NEVER_NS && what != PSST_WATCH_WOKE) return;
    w->due_ns = now_ns + SETTLE_NS;
    if (w->taken_ns != 0 && w->due_ns < w->taken_ns + APART_NS) w->due_ns = w->taken_ns + APART_NS;
    if (what != PSST_WATCH_WOKE) w->due_ns += psst_bucket_wait_ns(&w->often, w->due_ns);
}

/* ---- what is known ---- */

static struct psst_watch_known *find(struct psst_watch *w, const struct psst_watch_known *as)
{
    for (size_t i = 0; i < w->n_known; i++) {
        struct psst_watch_known *k = &w->known[i];
        if (k->index == as->index && k->family == as->family && memcmp(k->address, as->address, sizeof k->address) == 0)
            return k;
    }
    return NULL;
}

/* True: it was not there, or otherwise. */
static bool learn(struct psst_watch *w, const struct psst_watch_known *now)
{
    struct psst_watch_known *k = find(w, now);
    if (k == NULL && w->n_known < PSST_WATCH_KNOWN) w->known[w->n_known++] = *now;
    if (k == NULL) return true;
    bool other = k->flags != now->flags;
    k->flags = now->flags;
    return other;
}

static void forget(struct psst_watch *w, const struct psst_watch_known *gone)
{
    struct psst_watch_known *k = find(w, gone);
    if (k != NULL) *k = w->known[--w->n_known];
}

/* ---- messages ---- */

/* The attribute of this type in a row of them; the longest that is cut short ends the search. */
static struct psst_view attribute(struct psst_view rest, uint16_t type)
{
    struct rtattr a;
    while (rest.len >= sizeof a) {
        memcpy(&a, rest.data, sizeof a);
        if (a.rta_len < sizeof a || a.rta_len > rest.len) break;
        if ((a.rta_type & NLA_TYPE_MASK) == type) return psst_view(rest.data + sizeof a, a.rta_len - sizeof a);
        size_t step = RTA_ALIGN((size_t)a.rta_len);
        if (step > rest.len) break;
        rest = psst_view(rest.data + step, rest.len - step);
    }
    return psst_view(NULL, 0);
}

/* The fixed part of a message, and its attributes. False: it is cut short. */
static bool take_head(void *head, size_t len, struct psst_view *body)
{
    size_t aligned = NLMSG_ALIGN(len);
    if (body->len < aligned) return false;
    memcpy(head, body->data, len);
    *body = psst_view(body->data + aligned, body->len - aligned);
    return true;
}

/* listed: an answer to our question, and no news. */
static void on_link(struct psst_watch *w, bool gone, bool listed, struct psst_view body, uint64_t now_ns)
{
    struct ifinfomsg head;
    if (!take_head(&head, sizeof head, &body) || head.ifi_index <= 0) return;
    if (head.ifi_flags & IFF_LOOPBACK) return;
    const struct psst_watch_known link = {.index = (uint32_t)head.ifi_index, .flags = head.ifi_flags & LINK_FLAGS};
    bool up = !gone && link.flags == LINK_FLAGS;
    bool other = true;
    if (gone)
        forget(w, &link);
    else
        other = learn(w, &link);
    if (other && !listed) changed(w, up ? PSST_WATCH_LINK_UP : PSST_WATCH_LINK_DOWN, now_ns);
}

static void on_address(struct psst_watch *w, bool gone, bool listed, struct psst_view body, uint64_t now_ns)
{
    struct ifaddrmsg head;
    if (!take_head(&head, sizeof head, &body)) return;
    struct psst_watch_known known = {.index = head.ifa_index, .family = head.ifa_family, .flags = head.ifa_flags};
    struct psst_view address = attribute(body, IFA_LOCAL), flags = attribute(body, IFA_FLAGS);
    if (address.len == 0) address = attribute(body, IFA_ADDRESS);
    if (address.len != (head.ifa_family == AF_INET ? 4u : 16u)) return;
    if (head.ifa_family != AF_INET && head.ifa_family != AF_INET6) return;
    memcpy(known.address, address.data, address.len);
    if (flags.len == sizeof known.flags) memcpy(&known.flags, flags.data, flags.len);
    bool other = true;
    if (gone)
        forget(w, &known);
    else
        other = learn(w, &known);
    if (other && !listed) changed(w, gone ? PSST_WATCH_ADDRESS_GONE : PSST_WATCH_ADDRESS_NEW, now_ns);
}

static void on_route(struct psst_watch *w, struct psst_view body, uint64_t now_ns)
{
    struct rtmsg head;
    if (!take_head(&head, sizeof head, &body)) return;
    if (head.rtm_table != RT_TABLE_MAIN || head.rtm_type != RTN_UNICAST || (head.rtm_flags & RTM_F_CLONED)) return;
    changed(w, PSST_WATCH_ROUTE, now_ns);
}

/* What there is at the beginning: the kernel gives one list at a time. */
static void ask(struct psst_watch *w, uint16_t type)
{
    const struct {
        struct nlmsghdr head;
        struct rtgenmsg what;
    } question = {.head = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct rtgenmsg)),
                           .nlmsg_type = type,
                           .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP}};
    bool gone = w->netlink_fd < 0 || send(w->netlink_fd, &question, question.head.nlmsg_len, MSG_DONTWAIT) < 0;
    w->asked = gone ? 0 : type;
}

static void on_message(struct psst_watch *w, const struct nlmsghdr *head, struct psst_view body, uint64_t now_ns)
{
    bool listed = w->asked != 0 && (head->nlmsg_flags & NLM_F_MULTI);
    switch (head->nlmsg_type) {
    case RTM_NEWLINK:
    case RTM_DELLINK: on_link(w, head->nlmsg_type == RTM_DELLINK, listed, body, now_ns); return;
    case RTM_NEWADDR:
    case RTM_DELADDR: on_address(w, head->nlmsg_type == RTM_DELADDR, listed, body, now_ns); return;
    case RTM_NEWROUTE:
    case RTM_DELROUTE: on_route(w, body, now_ns); return;
    case NLMSG_DONE:
        if (w->asked == RTM_GETLINK)
            ask(w, RTM_GETADDR);
        else
            w->asked = 0;
        return;
    default: return;
    }
}

void psst_watch_datagram(struct psst_watch *w, uint32_t sender, struct psst_view datagram, uint64_t now_ns)
{
    if (sender != 0) return; /* a process, not the kernel */
    struct nlmsghdr head;
    while (datagram.len >= sizeof head) {
        memcpy(&head, datagram.data, sizeof head);
        if (head.nlmsg_len < sizeof head || head.nlmsg_len > datagram.len) return;
        on_message(w, &head, psst_view(datagram.data + sizeof head, head.nlmsg_len - sizeof head), now_ns);
        size_t step = NLMSG_ALIGN((size_t)head.nlmsg_len);
        if (step > datagram.len) return;
        datagram = psst_view(datagram.data + step, datagram.len - step);
    }
}

/* ---- descriptors ---- */

static int open_netlink(void)
{
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    if (fd < 0) return -1;
    const struct sockaddr_nl at = {.nl_family = AF_NETLINK, .nl_groups = GROUPS};
    if (bind(fd, (const struct sockaddr *)&at, sizeof at) == 0) return fd;
    (void)close(fd);
    return -1;
}

/* Later than any clock can be set to: it never rings, it is only cancelled. */
static void set_clock_timer(int fd)
{
    const time_t never = sizeof(time_t) > 4 ? (time_t)INT64_C(9000000000) : (time_t)INT32_MAX;
    const struct itimerspec at = {.it_value = {.tv_sec = never}};
    (void)timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &at, NULL);
}

static uint64_t slept_ns(const struct psst_watch_times *now)
{
    return now->boot_ns > now->mono_ns ? now->boot_ns - now->mono_ns : 0;
}

void psst_watch_init(struct psst_watch *w)
{
    *w = (struct psst_watch){.netlink_fd = -1, .clock_fd = -1, .due_ns = NEVER_NS};
    psst_bucket_init(&w->often, 1, (uint64_t)AT_ONCE * REPORT_S);
}

void psst_watch_open(struct psst_watch *w, const struct psst_watch_times *now)
{
    psst_watch_init(w);
    w->slept_ns = slept_ns(now);
    w->netlink_fd = open_netlink();
    ask(w, RTM_GETLINK);
    w->clock_fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
    if (w->clock_fd >= 0) set_clock_timer(w->clock_fd);
}

void psst_watch_close(struct psst_watch *w)
{
    if (w->netlink_fd >= 0) (void)close(w->netlink_fd);
    if (w->clock_fd >= 0) (void)close(w->clock_fd);
    w->netlink_fd = w->clock_fd = -1;
    w->due_ns = NEVER_NS;
}

static uint64_t clock_ns(clockid_t id)
{
    struct timespec ts;
    (void)clock_gettime(id, &ts);
    return (uint64_t)ts.tv_sec * UINT64_C(1000000000) + (uint64_t)ts.tv_nsec;
}

struct psst_watch_times psst_watch_now(void)
{
    struct psst_watch_times now;
    now.mono_ns = clock_ns(CLOCK_MONOTONIC);
    now.boot_ns = clock_ns(CLOCK_BOOTTIME);
    return now;
}

bool psst_watch_read(struct psst_watch *w, uint64_t now_ns)
{
    uint8_t datagram[DATAGRAM];
    for (int i = 0; i < READS; i++) {
        struct sockaddr_nl from = {0};
        struct iovec iov = {datagram, sizeof datagram};
        struct msghdr msg = {.msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &iov, .msg_iovlen = 1};
        ssize_t n = recvmsg(w->netlink_fd, &msg, MSG_DONTWAIT);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == ENOBUFS) {
            changed(w, PSST_WATCH_MISSED, now_ns);
            continue;
        }
        if (n < 0) return errno == EAGAIN || errno == EWOULDBLOCK;
        if (n == 0) return false;
        if (from.nl_family != AF_NETLINK) continue;
        if ((msg.msg_flags & MSG_TRUNC) && from.nl_pid == 0)
            changed(w, PSST_WATCH_MISSED, now_ns);
        else
            psst_watch_datagram(w, from.nl_pid, psst_view(datagram, (size_t)n), now_ns);
    }
    return true;
}

void psst_watch_clock(struct psst_watch *w, const struct psst_watch_times *now)
{
    uint64_t expirations;
    /* one that has rung is left alone: set again it would ring at once, for ever */
    if (w->clock_fd >= 0 && read(w->clock_fd, &expirations, sizeof expirations) < 0 && errno == ECANCELED)
        set_clock_timer(w->clock_fd);
    uint64_t slept = slept_ns(now);
    bool woke = slept > w->slept_ns + SLEPT_NS;
    w->slept_ns = slept;
    changed(w, woke ? PSST_WATCH_WOKE : PSST_WATCH_CLOCK, now->mono_ns);
}

/* ---- reports ---- */

enum psst_watch_what psst_watch_take(struct psst_watch *w, uint64_t now_ns)
{
    if (now_ns < w->due_ns) return PSST_WATCH_NOTHING;
    enum psst_watch_what what = w->what;
    w->what = PSST_WATCH_NOTHING;
    w->due_ns = NEVER_NS;
    w->taken_ns = now_ns;
    psst_bucket_take(&w->often, now_ns, REPORT_S);
    return what;
}

const char *psst_watch_words(enum psst_watch_what what)
{
    switch (what) {
    case PSST_WATCH_NOTHING: break;
    case PSST_WATCH_LINK_UP: return "an interface went up";
    case PSST_WATCH_LINK_DOWN: return "an interface went down";
    case PSST_WATCH_ADDRESS_NEW: return "an address came";
    case PSST_WATCH_ADDRESS_GONE: return "an address went away";
    case PSST_WATCH_ROUTE: return "a route changed";
    case PSST_WATCH_MISSED: return "much changed at once";
    case PSST_WATCH_CLOCK: return "the clock was set";
    case PSST_WATCH_WOKE: return "woke from suspension";
    }
    return "nothing";
}
