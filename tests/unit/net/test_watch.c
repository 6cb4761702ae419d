/* Attacks 50 and 51 begin here: what the kernel tells, what others pretend to be the kernel, and clocks that jump. Messages are
 * built by hand; the times are injected. */
#include "net/watch.h"

#include "support/check.h"

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#define MS     UINT64_C(1000000)
#define SECOND (1000 * MS)
#define UP     (IFF_UP | IFF_RUNNING)

struct builder {
    uint8_t b[4096];
    size_t len;
    size_t head; /* of the message that is built */
};

static void put(struct builder *m, const void *data, size_t len)
{
    assert_true(m->len + NLMSG_ALIGN(len) <= sizeof m->b);
    memcpy(m->b + m->len, data, len);
    m->len += NLMSG_ALIGN(len);
}

static void begin(struct builder *m, uint16_t type, const void *fixed, size_t len)
{
    const struct nlmsghdr head = {.nlmsg_type = type};
    m->head = m->len;
    put(m, &head, sizeof head);
    put(m, fixed, len);
}

static void attribute(struct builder *m, uint16_t type, const void *data, uint16_t len)
{
    const struct rtattr a = {.rta_len = (uint16_t)(sizeof a + len), .rta_type = type};
    put(m, &a, sizeof a);
    put(m, data, len);
}

static void end(struct builder *m)
{
    struct nlmsghdr head;
    memcpy(&head, m->b + m->head, sizeof head);
    head.nlmsg_len = (uint32_t)(m->len - m->head);
    memcpy(m->b + m->head, &head, sizeof head);
}

static struct builder link_message(uint16_t type, int index, unsigned flags)
{
    struct builder m = {.len = 0};
    const struct ifinfomsg info = {.ifi_index = index, .ifi_flags = flags};
    begin(&m, type, &info, sizeof info);
    attribute(&m, IFLA_IFNAME, "eth0", 5);
    end(&m);
    return m;
}

static struct builder address_message(uint16_t type, uint8_t last_byte, uint32_t flags)
{
    struct builder m = {.len = 0};
    const struct ifaddrmsg info = {.ifa_family = AF_INET, .ifa_index = 2, .ifa_prefixlen = 24};
    const uint8_t address[4] = {192, 0, 2, last_byte};
    const struct ifa_cacheinfo lifetime = {.ifa_valid = (uint32_t)rand()};
    begin(&m, type, &info, sizeof info);
    attribute(&m, IFA_ADDRESS, address, sizeof address);
    attribute(&m, IFA_LOCAL, address, sizeof address);
    attribute(&m, IFA_CACHEINFO, &lifetime, sizeof lifetime);
    attribute(&m, IFA_FLAGS, &flags, sizeof flags);
    end(&m);
    return m;
}

static struct builder route_message(uint8_t table, uint8_t type, unsigned flags)
{
    struct builder m = {.len = 0};
    const struct rtmsg info = {.rtm_family = AF_INET, .rtm_table = table, .rtm_type = type, .rtm_flags = flags};
    begin(&m, RTM_NEWROUTE, &info, sizeof info);
    end(&m);
    return m;
}

static struct psst_watch watch(void)
{
    struct psst_watch w;
    psst_watch_init(&w);
    return w;
}

/* What is reported when all has settled. */
static enum psst_watch_what told(struct psst_watch *w, const struct builder *m, uint64_t now_ns)
{
    psst_watch_datagram(w, 0, psst_view(m->b, m->len), now_ns);
    return psst_watch_take(w, now_ns + SECOND);
}

static void datagram__reports__what_matters_once(void **state)
{
    (void)state;
    struct psst_watch w = watch();
    uint64_t t = 10 * SECOND;
    struct builder up = link_message(RTM_NEWLINK, 2, UP), down = link_message(RTM_NEWLINK, 2, IFF_UP);
    struct builder gone = link_message(RTM_DELLINK, 2, 0), lo = link_message(RTM_NEWLINK, 1, UP | IFF_LOOPBACK);
    assert_int_equal(told(&w, &up, t), PSST_WATCH_LINK_UP);
    assert_int_equal(told(&w, &up, t += 5 * SECOND), PSST_WATCH_NOTHING);
    assert_int_equal(told(&w, &down, t += 5 * SECOND), PSST_WATCH_LINK_DOWN);
    assert_int_equal(told(&w, &gone, t += 5 * SECOND), PSST_WATCH_LINK_DOWN);
    assert_int_equal(told(&w, &lo, t += 5 * SECOND), PSST_WATCH_NOTHING);
    assert_int_equal(w.n_known, 0);

    struct builder tentative = address_message(RTM_NEWADDR, 7, IFA_F_TENTATIVE), there;
    there = address_message(RTM_NEWADDR, 7, IFA_F_PERMANENT);
    assert_int_equal(told(&w, &tentative, t += 5 * SECOND), PSST_WATCH_ADDRESS_NEW);
    assert_int_equal(told(&w, &there, t += 5 * SECOND), PSST_WATCH_ADDRESS_NEW);
    for (int i = 0; i < 5; i++) { /* only its lifetime is another */
        there = address_message(RTM_NEWADDR, 7, IFA_F_PERMANENT);
        assert_int_equal(told(&w, &there, t += 5 * SECOND), PSST_WATCH_NOTHING);
    }
    struct builder away = address_message(RTM_DELADDR, 7, 0);
    assert_int_equal(told(&w, &away, t += 5 * SECOND), PSST_WATCH_ADDRESS_GONE);

    struct builder route = route_message(RT_TABLE_MAIN, RTN_UNICAST, 0), local, cached;
    local = route_message(RT_TABLE_LOCAL, RTN_LOCAL, 0);
    cached = route_message(RT_TABLE_MAIN, RTN_UNICAST, RTM_F_CLONED);
    assert_int_equal(told(&w, &route, t += 5 * SECOND), PSST_WATCH_ROUTE);
    assert_int_equal(told(&w, &local, t += 5 * SECOND), PSST_WATCH_NOTHING);
    assert_int_equal(told(&w, &cached, t += 5 * SECOND), PSST_WATCH_NOTHING);
}

static void mark_as_list(struct builder *m)
{
    struct nlmsghdr head;
    memcpy(&head, m->b, sizeof head);
    head.nlmsg_flags = NLM_F_MULTI;
    memcpy(m->b, &head, sizeof head);
}

static void datagram__learns__what_there_is_at_the_beginning(void **state)
{
    (void)state;
    struct psst_watch w = watch();
    struct builder up = link_message(RTM_NEWLINK, 2, UP), there = address_message(RTM_NEWADDR, 7, IFA_F_PERMANENT);
    const struct nlmsghdr done = {.nlmsg_len = sizeof done, .nlmsg_type = NLMSG_DONE, .nlmsg_flags = NLM_F_MULTI};
    struct builder list_up = up, list_there = there;
    mark_as_list(&list_up);
    mark_as_list(&list_there);
    w.asked = RTM_GETADDR;
    assert_int_equal(told(&w, &list_up, 10 * SECOND), PSST_WATCH_NOTHING);
    assert_int_equal(told(&w, &list_there, 20 * SECOND), PSST_WATCH_NOTHING);
    psst_watch_datagram(&w, 0, psst_view((const uint8_t *)&done, sizeof done), 30 * SECOND);
    assert_int_equal(w.asked, 0);
    assert_int_equal(told(&w, &up, 40 * SECOND), PSST_WATCH_NOTHING); /* known */
    assert_int_equal(told(&w, &there, 50 * SECOND), PSST_WATCH_NOTHING);
    struct builder other = address_message(RTM_NEWADDR, 8, IFA_F_PERMANENT);
    mark_as_list(&other); /* nothing was asked */
    assert_int_equal(told(&w, &other, 60 * SECOND), PSST_WATCH_ADDRESS_NEW);
}

static void datagram__is_ignored__from_anybody_but_the_kernel(void **state)
{
    (void)state;
    struct psst_watch w = watch();
    struct builder m = address_message(RTM_DELADDR, 7, 0);
    psst_watch_datagram(&w, 4711, psst_view(m.b, m.len), SECOND);
    assert_int_equal(psst_watch_take(&w, 9 * SECOND), PSST_WATCH_NOTHING);
    assert_int_equal(w.n_known, 0);
    psst_watch_datagram(&w, 0, psst_view(m.b, m.len), 10 * SECOND);
    assert_int_equal(psst_watch_take(&w, 19 * SECOND), PSST_WATCH_ADDRESS_GONE);
}

/* Every cut, and every length field that lies: no read outside (the buffer is as long as what is handed in), no loop. */
static void datagram__is_harmless__cut_or_lying(void **state)
{
    (void)state;
    struct builder m = address_message(RTM_NEWADDR, 9, IFA_F_PERMANENT);
    struct builder more = route_message(RT_TABLE_MAIN, RTN_UNICAST, 0);
    put(&m, more.b, more.len);
    for (size_t len = 0; len <= m.len; len++) {
        struct psst_watch w = watch();
        uint8_t *exact = malloc(len + 1);
        assert_non_null(exact);
        memcpy(exact, m.b, len);
        psst_watch_datagram(&w, 0, psst_view(exact, len), SECOND);
        free(exact);
    }
    static const uint8_t lies[] = {0, 1, 3, 4, 15, 16, 17, 255};
    for (size_t at = 0; at < m.len; at++) {
        for (size_t i = 0; i < sizeof lies; i++) {
            struct psst_watch w = watch();
            uint8_t *exact = malloc(m.len);
            assert_non_null(exact);
            memcpy(exact, m.b, m.len);
            exact[at] = lies[i];
            psst_watch_datagram(&w, 0, psst_view(exact, m.len), SECOND);
            free(exact);
        }
    }
    struct psst_watch w = watch();
    psst_watch_datagram(&w, 0, psst_view(m.b, sizeof(struct nlmsghdr)), SECOND); /* only a head, which promises more */
    assert_int_equal(psst_watch_take(&w, 9 * SECOND), PSST_WATCH_NOTHING);
}

static void datagram__remembers__only_so_many(void **state)
{
    (void)state;
    struct psst_watch w = watch();
    for (int i = 1; i <= 3 * PSST_WATCH_KNOWN; i++) {
        struct builder m = link_message(RTM_NEWLINK, i, UP);
        psst_watch_datagram(&w, 0, psst_view(m.b, m.len), SECOND);
    }
    assert_int_equal(w.n_known, PSST_WATCH_KNOWN);
    (void)psst_watch_take(&w, 2 * SECOND);
    struct builder known = link_message(RTM_NEWLINK, 5, UP), unknown = link_message(RTM_NEWLINK, 300, UP);
    assert_int_equal(told(&w, &known, 10 * SECOND), PSST_WATCH_NOTHING);
    assert_int_equal(told(&w, &unknown, 20 * SECOND), PSST_WATCH_LINK_UP); /* rather too often than not */
}

static void take__waits__until_things_have_settled(void **state)
{
    (void)state;
    struct psst_watch w = watch();
    struct builder route = route_message(RT_TABLE_MAIN, RTN_UNICAST, 0), down = link_message(RTM_NEWLINK, 2, 0);
    uint64_t t = 10 * SECOND;
    psst_watch_datagram(&w, 0, psst_view(down.b, down.len), t);
    psst_watch_datagram(&w, 0, psst_view(route.b, route.len), t + 50 * MS);
    assert_int_equal(w.due_ns, t + 100 * MS);
    assert_int_equal(psst_watch_take(&w, t + 99 * MS), PSST_WATCH_NOTHING);
    assert_int_equal(psst_watch_take(&w, t + 100 * MS), PSST_WATCH_LINK_DOWN); /* the weightier of the two */
    assert_int_equal(w.due_ns, UINT64_MAX);
    /* a storm is reported once a second */
    unsigned reports = 0;
    for (uint64_t ms = 100; ms < 10100; ms += 10) {
        psst_watch_datagram(&w, 0, psst_view(route.b, route.len), t + ms * MS);
        reports += psst_watch_take(&w, t + ms * MS) != PSST_WATCH_NOTHING;
    }
    assert_in_range(reports, 9, 11);
    /* and one that does not end, twice a minute */
    reports = 0;
    for (uint64_t s = 11; s < 1211; s++) {
        psst_watch_datagram(&w, 0, psst_view(down.b, down.len), t + s * SECOND);
        psst_watch_datagram(&w, 0, psst_view(route.b, route.len), t + s * SECOND);
        reports += psst_watch_take(&w, t + s * SECOND + 500 * MS) != PSST_WATCH_NOTHING;
    }
    assert_in_range(reports, 39, 43);
    /* but that we slept is always told */
    t += 1212 * SECOND;
    const struct psst_watch_times woke = {t, t + 3600 * SECOND};
    psst_watch_clock(&w, &woke);
    assert_int_equal(psst_watch_take(&w, t + SECOND), PSST_WATCH_WOKE);
}

static void clock__tells__being_set_from_having_slept(void **state)
{
    (void)state;
    struct psst_watch w = watch();
    struct psst_watch_times now = {100 * SECOND, 100 * SECOND};
    now.mono_ns += 10 * SECOND;
    now.boot_ns += 10 * SECOND; /* ten years back or forth: neither of the two has moved */
    psst_watch_clock(&w, &now);
    assert_int_equal(psst_watch_take(&w, now.mono_ns + SECOND), PSST_WATCH_CLOCK);
    now.mono_ns += 10 * SECOND;
    now.boot_ns += 8 * 3600 * SECOND;
    psst_watch_clock(&w, &now);
    assert_int_equal(psst_watch_take(&w, now.mono_ns + SECOND), PSST_WATCH_WOKE);
    now.mono_ns += 10 * SECOND;
    now.boot_ns += 10 * SECOND; /* the same sleep is not reported twice */
    psst_watch_clock(&w, &now);
    assert_int_equal(psst_watch_take(&w, now.mono_ns + SECOND), PSST_WATCH_CLOCK);
    now.mono_ns += 10 * SECOND;
    now.boot_ns += 8 * 3600 * SECOND; /* and the clock, set again a moment later, does not hide it */
    psst_watch_clock(&w, &now);
    psst_watch_clock(&w, &now);
    assert_int_equal(psst_watch_take(&w, now.mono_ns + SECOND), PSST_WATCH_WOKE);
}

/* A timer that rang, however that came, must not ring for ever. */
static void clock__stops__when_the_timer_has_rung(void **state)
{
    (void)state;
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    const uint64_t rang = 1;
    assert_int_equal(write(fds[1], &rang, sizeof rang), (ssize_t)sizeof rang);
    struct psst_watch w = watch();
    w.clock_fd = fds[0];
    const struct psst_watch_times now = {SECOND, SECOND};
    psst_watch_clock(&w, &now);
    assert_int_equal(psst_watch_take(&w, 9 * SECOND), PSST_WATCH_CLOCK);
    (void)close(fds[1]);
    psst_watch_close(&w);
}

static void open__works__on_this_system_and_is_silent(void **state)
{
    (void)state;
    struct psst_watch w;
    struct psst_watch_times now = psst_watch_now();
    assert_true(now.boot_ns >= now.mono_ns);
    psst_watch_open(&w, &now);
    assert_true(w.netlink_fd >= 0 && w.clock_fd >= 0);
    for (int i = 0; i < 1000 && w.asked != 0; i++) { /* the lists of what there is: they come at once */
        assert_true(psst_watch_read(&w, now.mono_ns));
        struct pollfd more = {.fd = w.netlink_fd, .events = POLLIN};
        (void)poll(&more, 1, 10);
    }
    assert_int_equal(w.asked, 0);
    assert_true(psst_watch_read(&w, now.mono_ns)); /* does not block */
    uint64_t expirations;
    assert_int_equal(read(w.clock_fd, &expirations, sizeof expirations), -1); /* has not rung */
    psst_watch_close(&w);
    assert_int_equal(w.netlink_fd, -1);
    assert_int_equal(w.clock_fd, -1);
}

/* Another process sends to our socket: nothing of it is believed; a broken socket says so. */
static void read__reports__a_broken_socket(void **state)
{
    (void)state;
    struct psst_watch w = watch();
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, fds), 0);
    w.netlink_fd = fds[0];
    struct builder m = link_message(RTM_NEWLINK, 2, UP);
    assert_int_equal(write(fds[1], m.b, m.len), (ssize_t)m.len);
    assert_true(psst_watch_read(&w, SECOND));
    assert_int_equal(psst_watch_take(&w, 9 * SECOND), PSST_WATCH_NOTHING); /* not even of the right family */
    w.netlink_fd = -1;
    assert_false(psst_watch_read(&w, SECOND));
    (void)close(fds[0]);
    (void)close(fds[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(datagram__reports__what_matters_once),
        cmocka_unit_test(datagram__learns__what_there_is_at_the_beginning),
        cmocka_unit_test(datagram__is_ignored__from_anybody_but_the_kernel),
        cmocka_unit_test(datagram__is_harmless__cut_or_lying),
        cmocka_unit_test(datagram__remembers__only_so_many),
        cmocka_unit_test(take__waits__until_things_have_settled),
        cmocka_unit_test(clock__tells__being_set_from_having_slept),
        cmocka_unit_test(clock__stops__when_the_timer_has_rung),
        cmocka_unit_test(open__works__on_this_system_and_is_silent),
        cmocka_unit_test(read__reports__a_broken_socket),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
