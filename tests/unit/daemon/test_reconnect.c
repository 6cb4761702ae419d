/* Who is called when (attacks 50 and 51): reconnect.c and reconnect_watch.c with a clock, a loop and a dialler of our own. Hours
 * pass in a moment. What becomes of a call is decided by each test; that real ones come about is tested end to end. */
#include "daemon/reconnect_internal.h"
#include "daemon/retention.h"

#include "support/check.h"

#include <stdio.h>
#include <stdlib.h>

#define S    PSST_SECOND_NS
#define MS   (S / 1000)
#define MOST 400

/* ---- the loop ---- */

static uint64_t now_ns, slept_ns;

static struct {
    uv_timer_t *timer;
    uv_timer_cb cb;
    uint64_t at_ns;
} timers[4];

static uv_poll_cb on_clock;
static uv_poll_t *clock_poll;

int uv_timer_init(uv_loop_t *loop, uv_timer_t *timer)
{
    (void)loop;
    for (int i = 0; i < 4; i++) {
        if (timers[i].timer != NULL) continue;
        timers[i].timer = timer;
        return 0;
    }
    fail_msg("too many timers");
    return -1;
}

int uv_timer_start(uv_timer_t *timer, uv_timer_cb cb, uint64_t ms, uint64_t repeat)
{
    (void)repeat;
    for (int i = 0; i < 4; i++) {
        if (timers[i].timer != timer) continue;
        timers[i].cb = cb;
        timers[i].at_ns = now_ns + ms * MS;
    }
    return 0;
}

int uv_timer_stop(uv_timer_t *timer)
{
    for (int i = 0; i < 4; i++)
        if (timers[i].timer == timer) timers[i].cb = NULL;
    return 0;
}

int uv_is_active(const uv_handle_t *handle)
{
    for (int i = 0; i < 4; i++)
        if ((const uv_handle_t *)timers[i].timer == handle) return timers[i].cb != NULL;
    return 0;
}

/* The second of the two is the clock's. */
int uv_poll_init(uv_loop_t *loop, uv_poll_t *poll, int fd)
{
    (void)loop;
    assert_true(fd >= 0);
    clock_poll = poll;
    return 0;
}

int uv_poll_start(uv_poll_t *poll, int events, uv_poll_cb cb)
{
    (void)poll;
    (void)events;
    on_clock = cb;
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
    return (struct psst_watch_times){now_ns, now_ns + slept_ns};
}

/* ---- the rest of psstd ---- */

static struct psst_daemon d;
static struct psst_contact contacts[MOST];
static size_t n_contacts;
static bool hides;
static unsigned probes, afresh;

enum { REFUSED, HANGS, ANSWERS, HAS_NOT_ADDED_US, NO_NETWORK, ALONE } line;
static struct {
    uint64_t at_ns;
    int64_t id;
} calls[100000];
static size_t n_calls;
static uint64_t hangs_until_ns[MOST]; /* 0: no call runs */
static size_t running, most_running;

struct psst_now psst_daemon_now(struct psst_daemon *daemon)
{
    (void)daemon;
    return (struct psst_now){now_ns, 1700000000000 + now_ns / MS};
}

void psst_daemon_count(struct psst_daemon *daemon, const char *name)
{
    (void)daemon;
    (void)name;
}

struct psst_contact *psst_book_first(struct psst_book *book)
{
    (void)book;
    return n_contacts > 0 ? &contacts[0] : NULL;
}

struct psst_contact *psst_book_by_id(struct psst_book *book, int64_t id)
{
    (void)book;
    return &contacts[id - 1];
}

bool psst_presence_hides(const struct psst_daemon *daemon, const struct psst_contact *contact)
{
    (void)daemon;
    (void)contact;
    return hides;
}

void psst_suspect_all(struct psst_peers *peers)
{
    (void)peers;
    probes++;
}

void psst_retention_look(struct psst_retention *retention)
{
    (void)retention;
}

void psst_dial_afresh(struct psst_peers *peers)
{
    (void)peers;
    afresh++;
}

static struct psst_conn *session_of(size_t i)
{
    static char sessions[MOST]; /* only that there is one counts */
    return (struct psst_conn *)(void *)&sessions[i];
}

static void up(struct psst_contact *contact)
{
    contact->session = session_of((size_t)(contact - contacts));
    psst_reconnect_up(&d, contact);
}

static void over(size_t i, int code)
{
    hangs_until_ns[i] = 0;
    running--;
    psst_reconnect_dialled(&d, contacts[i].id, code, "words", true);
}

bool psst_dial_begin(struct psst_peers *peers, struct psst_contact *contact)
{
    (void)peers;
    size_t i = (size_t)(contact - contacts);
    if (line == ALONE) return false;
    assert_true(n_calls < sizeof calls / sizeof calls[0]);
    calls[n_calls].at_ns = now_ns;
    calls[n_calls++].id = contact->id;
    assert_int_equal(hangs_until_ns[i], 0);
    hangs_until_ns[i] = now_ns + 10 * S;
    if (++running > most_running) most_running = running;
    if (line == ANSWERS) up(contact);
    if (line == ANSWERS) over(i, 0);
    if (line == REFUSED) over(i, 5);
    if (line == HAS_NOT_ADDED_US) over(i, 6);
    if (line == NO_NETWORK) {
        hangs_until_ns[i] = 0;
        running--;
        psst_reconnect_dialled(&d, contact->id, 5, "no route", false);
    }
    return true;
}

void psst_dial_stop(struct psst_peers *peers, const struct psst_contact *contact)
{
    (void)peers;
    size_t i = (size_t)(contact - contacts);
    if (hangs_until_ns[i] != 0) over(i, 5);
}

/* ---- time ---- */

/* All that falls due until then happens. */
static void pass(uint64_t ns)
{
    uint64_t end_ns = now_ns + ns;
    for (;;) {
        uint64_t next_ns = end_ns;
        int which = -1;
        size_t hanging = MOST;
        for (int i = 0; i < 4; i++) {
            if (timers[i].cb == NULL || timers[i].at_ns > next_ns) continue;
            next_ns = timers[i].at_ns;
            which = i;
        }
        for (size_t i = 0; i < n_contacts; i++) {
            if (hangs_until_ns[i] == 0 || hangs_until_ns[i] > next_ns) continue;
            next_ns = hangs_until_ns[i];
            hanging = i;
        }
        if (next_ns > now_ns) now_ns = next_ns;
        if (hanging < MOST) {
            over(hanging, 5);
        } else if (which >= 0) {
            uv_timer_cb cb = timers[which].cb;
            timers[which].cb = NULL;
            cb(timers[which].timer);
        } else {
            return;
        }
    }
}

static void forget_calls(void)
{
    n_calls = 0;
}

/* Calls between two moments, seconds after `from`. */
static unsigned calls_between(uint64_t from_ns, uint64_t begin_s, uint64_t end_s)
{
    unsigned n = 0;
    for (size_t i = 0; i < n_calls; i++)
        n += calls[i].at_ns >= from_ns + begin_s * S && calls[i].at_ns < from_ns + end_s * S;
    return n;
}

static uint64_t longest_gap(uint64_t from_ns, uint64_t begin_s, uint64_t end_s)
{
    uint64_t last_ns = from_ns + begin_s * S, gap_ns = 0;
    for (size_t i = 0; i < n_calls; i++) {
        if (calls[i].at_ns < last_ns || calls[i].at_ns >= from_ns + end_s * S) continue;
        if (calls[i].at_ns - last_ns > gap_ns) gap_ns = calls[i].at_ns - last_ns;
        last_ns = calls[i].at_ns;
    }
    uint64_t rest_ns = from_ns + end_s * S - last_ns;
    return rest_ns > gap_ns ? rest_ns : gap_ns;
}

static bool sleeping(void)
{
    return !uv_is_active((uv_handle_t *)&d.reconnect->timer);
}

/* ---- setting up ---- */

static int set_up(void **state)
{
    (void)state;
    memset(&d, 0, sizeof d);
    memset(contacts, 0, sizeof contacts);
    memset(timers, 0, sizeof timers);
    memset(hangs_until_ns, 0, sizeof hangs_until_ns);
    psst_log_init(&d.log, NULL, NULL, PSST_LOG_ERROR);
    now_ns = 1000 * S;
    slept_ns = 0;
    n_calls = running = most_running = 0;
    probes = afresh = 0;
    hides = false;
    line = REFUSED;
    n_contacts = 1;
    assert_int_equal(psst_reconnect_new(&d.reconnect, &d), PSST_OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    psst_reconnect_close(d.reconnect);
    for (size_t i = 0; i < n_contacts; i++) assert_null(contacts[i].redial);
    psst_reconnect_free(d.reconnect);
    return 0;
}

static void unlock(size_t n)
{
    n_contacts = n;
    for (size_t i = 0; i < n; i++) {
        contacts[i].id = (int64_t)i + 1;
        contacts[i].n_addresses = 1;
        contacts[i].next = i + 1 < n ? &contacts[i + 1] : NULL;
    }
    psst_reconnect_loaded(d.reconnect);
}

static void end(struct psst_contact *contact, enum psst_link_end how, uint8_t reason, uint64_t lived_ns)
{
    contact->session = NULL;
    psst_reconnect_ended(&d, contact, how, reason, lived_ns);
}

/* ---- one contact ---- */

static void broke__calls_at_once__then_often__for_an_hour(void **state)
{
    (void)state;
    unlock(1);
    assert_true(sleeping());
    up(&contacts[0]);
    assert_true(sleeping());
    end(&contacts[0], PSST_END_CUT_OFF, 0, 60 * S);
    uint64_t begin_ns = now_ns;
    pass(7200 * S);
    assert_true(calls[0].at_ns <= begin_ns + 60 * MS);
    assert_in_range(calls_between(begin_ns, 0, 120), 58, 122);
    assert_true(longest_gap(begin_ns, 0, 120) <= 2 * S + 2 * MS);
    assert_true(longest_gap(begin_ns, 120, 3590) <= 8 * S + 2 * MS);
    assert_true(calls_between(begin_ns, 240, 3600) <= 3360 / 4 + 1);
    assert_int_equal(calls_between(begin_ns, 3610, 7200), 0);
    assert_true(sleeping());
}

static void broke__goes_on_for_ever__for_a_marked_contact(void **state)
{
    (void)state;
    contacts[0].reconnect = true;
    unlock(1);
    pass(S);
    assert_int_equal(n_calls, 1); /* from the start on */
    up(&contacts[0]);
    end(&contacts[0], PSST_END_NO_PONG, 0, 60 * S);
    uint64_t begin_ns = now_ns;
    pass(86400 * S);
    assert_true(longest_gap(begin_ns, 3600, 86400) <= 301 * S);
    assert_in_range(calls_between(begin_ns, 7200, 86400), 79200 / 301, 79200 / 149);
    assert_true(psst_reconnect_wanted(&contacts[0]));
}

/* A call into silence lasts: the next follows on its heels. */
static void broke__calls_again__right_after_a_call_that_lasted(void **state)
{
    (void)state;
    unlock(1);
    line = HANGS;
    up(&contacts[0]);
    end(&contacts[0], PSST_END_NO_PONG, 0, 60 * S);
    uint64_t begin_ns = now_ns;
    pass(60 * S);
    assert_int_equal(n_calls, 6);
    assert_true(longest_gap(begin_ns, 0, 60) <= 10 * S + 100 * MS);
}

static void back__is_back__and_quiet(void **state)
{
    (void)state;
    unlock(1);
    up(&contacts[0]);
    end(&contacts[0], PSST_END_CUT_OFF, 0, 60 * S);
    pass(30 * S);
    line = ANSWERS;
    pass(3 * S);
    assert_non_null(contacts[0].session);
    assert_true(sleeping());
    assert_false(psst_reconnect_wanted(&contacts[0]));
}

/* Five hours without any network, after which the session still comes back. */
static void no_network__does_not_use_up_the_hour(void **state)
{
    (void)state;
    unlock(1);
    line = NO_NETWORK;
    up(&contacts[0]);
    end(&contacts[0], PSST_END_CUT_OFF, 0, 60 * S);
    pass(5 * 3600 * S);
    forget_calls();
    line = ANSWERS;
    pass(9 * S);
    assert_int_equal(n_calls, 1);
}

static void bye__says_whether_he_is_wanted(void **state)
{
    (void)state;
    static const struct {
        uint8_t reason;
        bool marked;
        unsigned least, most; /* calls in ten minutes */
    } cases[] = {
        {PSST_BYE_STOPPING, false, 13, 40},
        {PSST_BYE_LOCKED, false, 13, 40},
        {PSST_BYE_CLOSED, false, 0, 0},
        {PSST_BYE_CLOSED, true, 0, 0},
        {PSST_BYE_DUPLICATE, true, 2, 6},
        {PSST_BYE_DUPLICATE, false, 0, 0},
        {77, true, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        (void)tear_down(state);
        (void)set_up(state);
        contacts[0].reconnect = cases[i].marked;
        unlock(1);
        pass(S);
        up(&contacts[0]);
        forget_calls();
        end(&contacts[0], PSST_END_BYE, cases[i].reason, 60 * S);
        pass(600 * S);
        assert_in_range(n_calls, cases[i].least, cases[i].most);
    }
}

static void hung_up__is_left_alone__until_something_new_waits(void **state)
{
    (void)state;
    contacts[0].reconnect = true;
    contacts[0].waiting = 1;
    unlock(1);
    pass(60 * S);
    psst_reconnect_hung_up(&d, &contacts[0]);
    forget_calls();
    psst_reconnect_changed(&d, &contacts[0]);
    psst_reconnect_all(d.reconnect);
    pass(3600 * S);
    assert_int_equal(n_calls, 0);
    assert_true(sleeping());
    contacts[0].waiting = 2;
    psst_reconnect_now(&d, &contacts[0]);
    pass(60 * S);
    assert_in_range(n_calls, 3, 12);
}

static void said__calls_at_once__but_not_for_each_of_many(void **state)
{
    (void)state;
    unlock(1);
    for (int i = 0; i < 100; i++) {
        contacts[0].waiting++;
        psst_reconnect_now(&d, &contacts[0]);
        pass(10 * MS);
    }
    assert_in_range(n_calls, 5, 6);
    pass(100 * S);
    forget_calls();
    psst_reconnect_now(&d, &contacts[0]);
    pass(2 * MS);
    assert_int_equal(n_calls, 1);
    contacts[0].waiting = 0; /* all recalled */
    psst_reconnect_changed(&d, &contacts[0]);
    assert_true(sleeping());
}

static void unwanted__are_not_called(void **state)
{
    (void)state;
    contacts[0].reconnect = true;
    contacts[0].waiting = 3;
    contacts[0].blocked = true;
    unlock(1);
    pass(600 * S);
    assert_int_equal(n_calls, 0);
    contacts[0].blocked = false;
    hides = true;
    psst_reconnect_changed(&d, &contacts[0]);
    pass(600 * S);
    assert_int_equal(n_calls, 0);
    psst_reconnect_now(&d, &contacts[0]); /* written to by hand: this once */
    assert_int_equal(n_calls, 1);
    pass(600 * S);
    assert_int_equal(n_calls, 1);
    hides = false;
    contacts[0].n_addresses = 0;
    psst_reconnect_changed(&d, &contacts[0]);
    pass(600 * S);
    assert_int_equal(n_calls, 1);
    contacts[0].n_addresses = 1;
    psst_reconnect_changed(&d, &contacts[0]);
    pass(S);
    assert_int_equal(n_calls, 2);
}

static void refused__waits_longer(void **state)
{
    (void)state;
    unlock(1);
    line = HAS_NOT_ADDED_US;
    contacts[0].unfinished = 1;
    up(&contacts[0]);
    end(&contacts[0], PSST_END_CUT_OFF, 0, 60 * S);
    pass(120 * S);
    assert_in_range(n_calls, 3, 10);
    psst_reconnect_urgent(&d, &contacts[0], now_ns + 120 * S);
    forget_calls();
    pass(120 * S);
    assert_true(n_calls <= 4);
}

static void urgent__is_often__until_it_is_over(void **state)
{
    (void)state;
    unlock(1);
    psst_reconnect_hung_up(&d, &contacts[0]);
    psst_reconnect_urgent(&d, &contacts[0], now_ns + 600 * S);
    uint64_t begin_ns = now_ns;
    pass(1200 * S);
    assert_true(longest_gap(begin_ns, 0, 599) <= 2 * S + 2 * MS);
    assert_true(calls_between(begin_ns, 603, 1200) == 0);
    assert_true(sleeping());
}

static void faulty__sessions_that_end_at_once__come_ever_more_slowly(void **state)
{
    (void)state;
    unlock(1);
    line = ANSWERS;
    up(&contacts[0]);
    uint64_t begin_ns = now_ns;
    while (now_ns < begin_ns + 3600 * S) {
        end(&contacts[0], PSST_END_TAMPERED, 0, 50 * MS);
        for (int i = 0; i < 4000 && contacts[0].session == NULL; i++) pass(100 * MS);
        assert_non_null(contacts[0].session);
        pass(50 * MS);
    }
    assert_in_range(n_calls, 12, 40);
}

static void bye__at_once_and_again__comes_ever_more_slowly(void **state)
{
    (void)state;
    unlock(1);
    line = ANSWERS;
    up(&contacts[0]);
    uint64_t begin_ns = now_ns;
    while (now_ns < begin_ns + 3600 * S) {
        end(&contacts[0], PSST_END_BYE, PSST_BYE_LOCKED, 50 * MS);
        for (int i = 0; i < 4000 && contacts[0].session == NULL; i++) pass(100 * MS);
        assert_non_null(contacts[0].session);
        pass(50 * MS);
    }
    assert_in_range(n_calls, 12, 40);
    forget_calls();
    end(&contacts[0], PSST_END_BYE, PSST_BYE_LOCKED, 60 * S); /* one that has stood */
    pass(5 * S);
    assert_int_equal(n_calls, 1);
}

static void suspected__is_called_beside__until_he_is_heard(void **state)
{
    (void)state;
    unlock(1);
    line = HANGS;
    up(&contacts[0]);
    psst_reconnect_suspect(&d, &contacts[0], true);
    pass(S);
    assert_int_equal(n_calls, 1);
    assert_int_equal(running, 1);
    psst_reconnect_suspect(&d, &contacts[0], false);
    assert_int_equal(running, 0);
    assert_true(sleeping());
    /* again and again: not each time at once */
    line = ANSWERS;
    forget_calls();
    for (int i = 0; i < 60; i++) {
        psst_reconnect_suspect(&d, &contacts[0], true);
        pass(S);
    }
    assert_in_range(n_calls, 8, 20);
}

/* ---- many, and what happens around us ---- */

static void many__are_called_a_few_at_a_time__and_all(void **state)
{
    (void)state;
    unlock(300);
    line = HANGS;
    for (size_t i = 0; i < 300; i++) up(&contacts[i]);
    for (size_t i = 0; i < 300; i++) end(&contacts[i], PSST_END_NO_PONG, 0, 60 * S);
    pass(60 * S);
    assert_int_equal(most_running, 32);
    bool called[300] = {false};
    for (size_t i = 0; i < n_calls; i++) called[calls[i].id - 1] = true;
    for (size_t i = 0; i < 300; i++) assert_true(called[i]);
    assert_true(n_calls < 5000); /* and the timer does not spin */
    line = ANSWERS;
    for (size_t i = 0; i < 300; i++) {
        if (hangs_until_ns[i] == 0) continue;
        up(&contacts[i]); /* what was under way gets through, too */
        over(i, 0);
    }
    pass(2 * S);
    for (size_t i = 0; i < 300; i++) assert_non_null(contacts[i].session);
    assert_true(sleeping());
}

/* One that is back brings those that broke with him, who would wait for seconds still. */
static void back__brings_the_others(void **state)
{
    (void)state;
    unlock(50);
    for (size_t i = 0; i < 50; i++) up(&contacts[i]);
    for (size_t i = 0; i < 50; i++) end(&contacts[i], PSST_END_NO_PONG, 0, 60 * S);
    pass(1800 * S);
    line = ANSWERS;
    forget_calls();
    while (n_calls == 0) pass(10 * MS);
    pass(600 * MS);
    for (size_t i = 0; i < 50; i++) assert_non_null(contacts[i].session);
}

static void wake(uint64_t ns)
{
    slept_ns += ns;
    on_clock(clock_poll, 0, UV_READABLE);
}

static void waking__calls_all_who_are_wanted__and_asks_the_sessions(void **state)
{
    (void)state;
    contacts[0].reconnect = contacts[1].reconnect = true;
    contacts[2].waiting = 1;
    unlock(5);
    pass(3600 * S);
    up(&contacts[1]);
    forget_calls();
    wake(8 * 3600 * S);
    pass(1200 * MS);
    assert_int_equal(probes, 1);
    assert_int_equal(afresh, 1);
    assert_int_equal(n_calls, 2); /* not who has a session, nor who is not wanted */
    json_t *network = psst_reconnect_network(d.reconnect);
    assert_string_equal(json_string_value(json_object_get(network, "what")), "woke from suspension");
    json_decref(network);
}

static void clock__set__calls_all_who_are_wanted(void **state)
{
    (void)state;
    contacts[0].reconnect = true;
    unlock(2);
    up(&contacts[1]);
    pass(3600 * S);
    forget_calls();
    wake(0); /* ten years forth or back: the monotonic clock knows nothing of it */
    pass(1200 * MS);
    assert_int_equal(n_calls, 1);
    assert_int_equal(probes, 0); /* a clock that is set breaks no line */
    json_t *network = psst_reconnect_network(d.reconnect);
    assert_string_equal(json_string_value(json_object_get(network, "what")), "the clock was set");
    json_decref(network);
}

static void locked__nobody_is_called(void **state)
{
    (void)state;
    contacts[0].reconnect = true;
    unlock(2);
    line = HANGS;
    pass(S);
    assert_int_equal(running, 1);
    psst_reconnect_unloaded(d.reconnect);
    over(0, 5); /* what locking stops */
    end(&contacts[1], PSST_END_CUT_OFF, 0, 60 * S);
    psst_reconnect_now(&d, &contacts[1]);
    psst_reconnect_changed(&d, &contacts[0]);
    wake(0);
    forget_calls();
    pass(600 * S);
    assert_int_equal(n_calls, 0);
    assert_true(sleeping());
    line = ALONE; /* nothing can be tried: not in a loop either */
    unlock(2);
    pass(600 * S);
    line = REFUSED;
    pass(301 * S);
    assert_in_range(n_calls, 1, 3);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(broke__calls_at_once__then_often__for_an_hour),
        T(broke__goes_on_for_ever__for_a_marked_contact),
        T(broke__calls_again__right_after_a_call_that_lasted),
        T(back__is_back__and_quiet),
        T(no_network__does_not_use_up_the_hour),
        T(bye__says_whether_he_is_wanted),
        T(hung_up__is_left_alone__until_something_new_waits),
        T(said__calls_at_once__but_not_for_each_of_many),
        T(unwanted__are_not_called),
        T(refused__waits_longer),
        T(urgent__is_often__until_it_is_over),
        T(faulty__sessions_that_end_at_once__come_ever_more_slowly),
        T(bye__at_once_and_again__comes_ever_more_slowly),
        T(suspected__is_called_beside__until_he_is_heard),
        T(many__are_called_a_few_at_a_time__and_all),
        T(back__brings_the_others),
        T(waking__calls_all_who_are_wanted__and_asks_the_sessions),
        T(clock__set__calls_all_who_are_wanted),
        T(locked__nobody_is_called),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
