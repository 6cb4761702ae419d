/* The network changes, the clock is set, we wake up: what psstd does about it.
 *
 *   network, waking:  sessions whose address is gone end, the others are asked whether they live (suspect.c); calls that are
 *                     under way begin anew; all who are wanted are called
 *   clock:            all who are wanted are called: with the clocks apart by more than a day nobody was reached
 */
#include "daemon/reconnect/internal.h"

#include "daemon/retention.h"

static void on_settle(uv_timer_t *timer);

static void set_settle(struct psst_reconnect *rc)
{
    uint64_t now_ns = psst_daemon_now(rc->d).mono_ns, due_ns = rc->watch.due_ns;
    if (due_ns == UINT64_MAX) return;
    uint64_t ms = due_ns > now_ns ? (due_ns - now_ns) / 1000000 + 1 : 0;
    if (!uv_is_active((uv_handle_t *)&rc->settle)) (void)uv_timer_start(&rc->settle, on_settle, ms, 0);
}

static void on_settle(uv_timer_t *timer)
{
    struct psst_reconnect *rc = timer->data;
    struct psst_daemon *d = rc->d;
    struct psst_now now = psst_daemon_now(d);
    enum psst_watch_what what = psst_watch_take(&rc->watch, now.mono_ns);
    set_settle(rc);
    if (what == PSST_WATCH_NOTHING || d->stopping) return;
    rc->what = what;
    rc->changed_ms = now.unix_ms;
    psst_daemon_count(d, what == PSST_WATCH_CLOCK ? "clock-set" : "network-changes");
    psst_log_limited(&d->log, PSST_LOG_INFO, "surroundings-changed", "what=\"%s\"", psst_watch_words(what));
    if (what != PSST_WATCH_CLOCK) {
        psst_suspect_all(d->peers);
        psst_dial_afresh(d->peers);
    }
    psst_reconnect_all(rc);
    psst_retention_look(d->retention); /* what is due by the clock, that ran on while the timers slept */
}

static void on_netlink(uv_poll_t *poll, int status, int events)
{
    struct psst_reconnect *rc = poll->data;
    (void)events;
    if (status < 0 || !psst_watch_read(&rc->watch, psst_daemon_now(rc->d).mono_ns)) {
        (void)uv_poll_stop(poll);
        psst_log(&rc->d->log, PSST_LOG_WARNING, "network-not-watched", "%s", "");
        return;
    }
    set_settle(rc);
}

static void on_clock(uv_poll_t *poll, int status, int events)
{
    struct psst_reconnect *rc = poll->data;
    (void)events;
    if (status < 0) {
        (void)uv_poll_stop(poll);
        return;
    }
    const struct psst_watch_times now = psst_watch_now();
    psst_watch_clock(&rc->watch, &now);
    set_settle(rc);
}

static bool poll_on(struct psst_reconnect *rc, uv_poll_t *poll, int fd, uv_poll_cb on_readable)
{
    if (fd < 0 || uv_poll_init(rc->d->loop, poll, fd) != 0) return false;
    poll->data = rc;
    (void)uv_poll_start(poll, UV_READABLE, on_readable);
    return true;
}

void psst_reconnect_watch_begin(struct psst_reconnect *rc)
{
    const struct psst_watch_times now = psst_watch_now();
    (void)uv_timer_init(rc->d->loop, &rc->settle);
    rc->settle.data = rc;
    psst_watch_open(&rc->watch, &now);
    rc->has_netlink = poll_on(rc, &rc->netlink, rc->watch.netlink_fd, on_netlink);
    rc->has_clock = poll_on(rc, &rc->clock, rc->watch.clock_fd, on_clock);
    if (!rc->has_netlink || !rc->has_clock)
        psst_log(&rc->d->log, PSST_LOG_WARNING, "network-not-watched", "netlink=%d clock=%d", rc->has_netlink,
                 rc->has_clock);
}

void psst_reconnect_watch_end(struct psst_reconnect *rc)
{
    uv_close((uv_handle_t *)&rc->settle, NULL);
    if (rc->has_netlink) uv_close((uv_handle_t *)&rc->netlink, NULL);
    if (rc->has_clock) uv_close((uv_handle_t *)&rc->clock, NULL);
    psst_watch_close(&rc->watch);
}

json_t *psst_reconnect_network(const struct psst_reconnect *rc)
{
    if (rc->changed_ms == 0) return json_null();
    return json_pack("{s:I, s:s}", "changed_ms", (json_int_t)rc->changed_ms, "what", psst_watch_words(rc->what));
}
