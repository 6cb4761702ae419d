#include "reconnect_world.h"

#include "daemon/retention.h"

#include "support/check.h"

struct psst_world world;

/* ---- the loop ---- */

int uv_timer_init(uv_loop_t *loop, uv_timer_t *timer)
{
    (void)loop;
    for (int i = 0; i < 4; i++) {
        if (world.timers[i].timer != NULL) continue;
        world.timers[i].timer = timer;
        return 0;
    }
    fail_msg("too many timers");
    return -1;
}

int uv_timer_start(uv_timer_t *timer, uv_timer_cb cb, uint64_t ms, uint64_t repeat)
{
    (void)repeat;
    for (int i = 0; i < 4; i++) {
        if (world.timers[i].timer != timer) continue;
        world.timers[i].cb = cb;
        world.timers[i].at_ns = world.now_ns + ms * MS;
    }
    return 0;
}

int uv_timer_stop(uv_timer_t *timer)
{
    for (int i = 0; i < 4; i++)
        if (world.timers[i].timer == timer) world.timers[i].cb = NULL;
    return 0;
}

int uv_is_active(const uv_handle_t *handle)
{
    for (int i = 0; i < 4; i++)
        if ((const uv_handle_t *)world.timers[i].timer == handle) return world.timers[i].cb != NULL;
    return 0;
}

/* The second of the two is the clock's. */
int uv_poll_init(uv_loop_t *loop, uv_poll_t *poll, int fd)
{
    (void)loop;
    assert_true(fd >= 0);
    world.clock_poll = poll;
    return 0;
}

int uv_poll_start(uv_poll_t *poll, int events, uv_poll_cb cb)
{
    (void)poll;
    (void)events;
    world.on_clock = cb;
    return 0;
}

int uv_poll_stop(uv_poll_t *poll)
{
    (void)poll;
    return 0;
}

void uv_close(uv_handle_t *handle, uv_close_cb cb)
{
    assert_null(cb);
    (void)uv_timer_stop((uv_timer_t *)handle);
}

struct psst_watch_times __wrap_psst_watch_now(void);
struct psst_watch_times __wrap_psst_watch_now(void)
{
    return (struct psst_watch_times){world.now_ns, world.now_ns + world.slept_ns};
}

/* ---- the rest of psstd ---- */

struct psst_now psst_daemon_now(struct psst_daemon *daemon)
{
    (void)daemon;
    return (struct psst_now){world.now_ns, 1700000000000 + world.now_ns / MS};
}

void psst_daemon_count(struct psst_daemon *daemon, const char *name)
{
    (void)daemon;
    (void)name;
}

struct psst_contact *psst_book_first(struct psst_book *book)
{
    (void)book;
    return world.n_contacts > 0 ? &world.contacts[0] : NULL;
}

struct psst_contact *psst_book_by_id(struct psst_book *book, int64_t id)
{
    (void)book;
    return &world.contacts[id - 1];
}

bool psst_presence_hides(const struct psst_daemon *daemon, const struct psst_contact *contact)
{
    (void)daemon;
    (void)contact;
    return world.hides;
}

void psst_suspect_all(struct psst_peers *peers)
{
    (void)peers;
    world.probes++;
}

void psst_retention_look(struct psst_retention *retention)
{
    (void)retention;
}

void psst_dial_afresh(struct psst_peers *peers)
{
    (void)peers;
    world.afresh++;
}

static struct psst_conn *session_of(size_t i)
{
    static char sessions[MOST]; /* only that there is one counts */
    return (struct psst_conn *)(void *)&sessions[i];
}

void psst_world_up(struct psst_contact *contact)
{
    contact->session = session_of((size_t)(contact - world.contacts));
    psst_reconnect_up(&world.d, contact);
}

void psst_world_over(size_t i, int code)
{
    world.hangs_until_ns[i] = 0;
    world.running--;
    psst_reconnect_dialled(&world.d, world.contacts[i].id, code, "words", true);
}

bool psst_dial_begin(struct psst_peers *peers, struct psst_contact *contact)
{
    (void)peers;
    size_t i = (size_t)(contact - world.contacts);
    if (world.line == ALONE) return false;
    assert_true(world.n_calls < sizeof world.calls / sizeof world.calls[0]);
    world.calls[world.n_calls].at_ns = world.now_ns;
    world.calls[world.n_calls++].id = contact->id;
    assert_int_equal(world.hangs_until_ns[i], 0);
    world.hangs_until_ns[i] = world.now_ns + 10 * S;
    if (++world.running > world.most_running) world.most_running = world.running;
    if (world.line == ANSWERS) psst_world_up(contact);
    if (world.line == ANSWERS) psst_world_over(i, 0);
    if (world.line == REFUSED) psst_world_over(i, 5);
    if (world.line == HAS_NOT_ADDED_US) psst_world_over(i, 6);
    if (world.line == NO_NETWORK) {
        world.hangs_until_ns[i] = 0;
        world.running--;
        psst_reconnect_dialled(&world.d, contact->id, 5, "no route", false);
    }
    return true;
}

void psst_dial_stop(struct psst_peers *peers, const struct psst_contact *contact)
{
    (void)peers;
    size_t i = (size_t)(contact - world.contacts);
    if (world.hangs_until_ns[i] != 0) psst_world_over(i, 5);
}

/* ---- time ---- */

/* All that falls due until then happens. */
void psst_world_pass(uint64_t ns)
{
    uint64_t end_ns = world.now_ns + ns;
    for (;;) {
        uint64_t next_ns = end_ns;
        int which = -1;
        size_t hanging = MOST;
        for (int i = 0; i < 4; i++) {
            if (world.timers[i].cb == NULL || world.timers[i].at_ns > next_ns) continue;
            next_ns = world.timers[i].at_ns;
            which = i;
        }
        for (size_t i = 0; i < world.n_contacts; i++) {
            if (world.hangs_until_ns[i] == 0 || world.hangs_until_ns[i] > next_ns) continue;
            next_ns = world.hangs_until_ns[i];
            hanging = i;
        }
        if (next_ns > world.now_ns) world.now_ns = next_ns;
        if (hanging < MOST) {
            psst_world_over(hanging, 5);
        } else if (which >= 0) {
            uv_timer_cb cb = world.timers[which].cb;
            world.timers[which].cb = NULL;
            cb(world.timers[which].timer);
        } else {
            return;
        }
    }
}

void psst_world_forget_calls(void)
{
    world.n_calls = 0;
}

/* Calls between two moments, seconds after `from`. */
unsigned psst_world_calls_between(uint64_t from_ns, uint64_t begin_s, uint64_t end_s)
{
    unsigned n = 0;
    for (size_t i = 0; i < world.n_calls; i++)
        n += world.calls[i].at_ns >= from_ns + begin_s * S && world.calls[i].at_ns < from_ns + end_s * S;
    return n;
}

uint64_t psst_world_longest_gap(uint64_t from_ns, uint64_t begin_s, uint64_t end_s)
{
    uint64_t last_ns = from_ns + begin_s * S, gap_ns = 0;
    for (size_t i = 0; i < world.n_calls; i++) {
        if (world.calls[i].at_ns < last_ns || world.calls[i].at_ns >= from_ns + end_s * S) continue;
        if (world.calls[i].at_ns - last_ns > gap_ns) gap_ns = world.calls[i].at_ns - last_ns;
        last_ns = world.calls[i].at_ns;
    }
    uint64_t rest_ns = from_ns + end_s * S - last_ns;
    return rest_ns > gap_ns ? rest_ns : gap_ns;
}

bool psst_world_sleeping(void)
{
    return !uv_is_active((uv_handle_t *)&world.d.reconnect->timer);
}
