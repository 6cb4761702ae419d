/* Who is called when (attacks 50 and 51): reconnect.c and reconnect/watch.c in a world of our own. What becomes of a call is
 * decided by each test; that real ones come about is tested end to end. */
#include "reconnect_world.h"

#include "support/check.h"

/* ---- setting up ---- */

static int set_up(void **state)
{
    (void)state;
    memset(&world, 0, sizeof world);
    psst_log_init(&world.d.log, NULL, NULL, PSST_LOG_ERROR);
    world.now_ns = 1000 * S;
    world.line = REFUSED;
    world.n_contacts = 1;
    assert_int_equal(psst_reconnect_new(&world.d.reconnect, &world.d), PSST_OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    psst_reconnect_close(world.d.reconnect);
    for (size_t i = 0; i < world.n_contacts; i++) assert_null(world.contacts[i].redial);
    psst_reconnect_free(world.d.reconnect);
    return 0;
}

static void unlock(size_t n)
{
    world.n_contacts = n;
    for (size_t i = 0; i < n; i++) {
        world.contacts[i].id = (int64_t)i + 1;
        world.contacts[i].addresses = "192.0.2.1:1\n";
        world.contacts[i].next = i + 1 < n ? &world.contacts[i + 1] : NULL;
    }
    psst_reconnect_loaded(world.d.reconnect);
}

static void end(struct psst_contact *contact, enum psst_link_end how, uint8_t reason, uint64_t lived_ns)
{
    contact->session = NULL;
    psst_reconnect_ended(&world.d, contact, how, reason, lived_ns);
}

/* ---- one contact ---- */

static void broke__calls_at_once__then_often__for_an_hour(void **state)
{
    (void)state;
    unlock(1);
    assert_true(psst_world_sleeping());
    psst_world_up(&world.contacts[0]);
    assert_true(psst_world_sleeping());
    end(&world.contacts[0], PSST_END_CUT_OFF, 0, 60 * S);
    uint64_t begin_ns = world.now_ns;
    psst_world_pass(7200 * S);
    assert_true(world.calls[0].at_ns <= begin_ns + 60 * MS);
    assert_in_range(psst_world_calls_between(begin_ns, 0, 120), 58, 122);
    assert_true(psst_world_longest_gap(begin_ns, 0, 120) <= 2 * S + 2 * MS);
    assert_true(psst_world_longest_gap(begin_ns, 120, 3590) <= 8 * S + 2 * MS);
    assert_true(psst_world_calls_between(begin_ns, 240, 3600) <= 3360 / 4 + 1);
    assert_int_equal(psst_world_calls_between(begin_ns, 3610, 7200), 0);
    assert_true(psst_world_sleeping());
}

static void broke__goes_on_for_ever__for_a_marked_contact(void **state)
{
    (void)state;
    world.contacts[0].reconnect = true;
    unlock(1);
    psst_world_pass(S);
    assert_int_equal(world.n_calls, 1); /* from the start on */
    psst_world_up(&world.contacts[0]);
    end(&world.contacts[0], PSST_END_NO_PONG, 0, 60 * S);
    uint64_t begin_ns = world.now_ns;
    psst_world_pass(86400 * S);
    assert_true(psst_world_longest_gap(begin_ns, 3600, 86400) <= 301 * S);
    assert_in_range(psst_world_calls_between(begin_ns, 7200, 86400), 79200 / 301, 79200 / 149);
    assert_true(psst_reconnect_wanted(&world.contacts[0]));
}

/* A call into silence lasts: the next follows on its heels. */
static void broke__calls_again__right_after_a_call_that_lasted(void **state)
{
    (void)state;
    unlock(1);
    world.line = HANGS;
    psst_world_up(&world.contacts[0]);
    end(&world.contacts[0], PSST_END_NO_PONG, 0, 60 * S);
    uint64_t begin_ns = world.now_ns;
    psst_world_pass(60 * S);
    assert_int_equal(world.n_calls, 6);
    assert_true(psst_world_longest_gap(begin_ns, 0, 60) <= 10 * S + 100 * MS);
}

static void back__is_back__and_quiet(void **state)
{
    (void)state;
    unlock(1);
    psst_world_up(&world.contacts[0]);
    end(&world.contacts[0], PSST_END_CUT_OFF, 0, 60 * S);
    psst_world_pass(30 * S);
    world.line = ANSWERS;
    psst_world_pass(3 * S);
    assert_non_null(world.contacts[0].session);
    assert_true(psst_world_sleeping());
    assert_false(psst_reconnect_wanted(&world.contacts[0]));
}

/* Five hours without any network, after which the session still comes back. */
static void no_network__does_not_use_up_the_hour(void **state)
{
    (void)state;
    unlock(1);
    world.line = NO_NETWORK;
    psst_world_up(&world.contacts[0]);
    end(&world.contacts[0], PSST_END_CUT_OFF, 0, 60 * S);
    psst_world_pass(5 * 3600 * S);
    psst_world_forget_calls();
    world.line = ANSWERS;
    psst_world_pass(9 * S);
    assert_int_equal(world.n_calls, 1);
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
        world.contacts[0].reconnect = cases[i].marked;
        unlock(1);
        psst_world_pass(S);
        psst_world_up(&world.contacts[0]);
        psst_world_forget_calls();
        end(&world.contacts[0], PSST_END_BYE, cases[i].reason, 60 * S);
        psst_world_pass(600 * S);
        assert_in_range(world.n_calls, cases[i].least, cases[i].most);
    }
}

static void hung_up__is_left_alone__until_something_new_waits(void **state)
{
    (void)state;
    world.contacts[0].reconnect = true;
    world.contacts[0].waiting = 1;
    unlock(1);
    psst_world_pass(60 * S);
    psst_reconnect_hung_up(&world.d, &world.contacts[0]);
    psst_world_forget_calls();
    psst_reconnect_changed(&world.d, &world.contacts[0]);
    psst_reconnect_all(world.d.reconnect);
    psst_world_pass(3600 * S);
    assert_int_equal(world.n_calls, 0);
    assert_true(psst_world_sleeping());
    world.contacts[0].waiting = 2;
    psst_reconnect_now(&world.d, &world.contacts[0]);
    psst_world_pass(60 * S);
    assert_in_range(world.n_calls, 3, 12);
}

static void said__calls_at_once__but_not_for_each_of_many(void **state)
{
    (void)state;
    unlock(1);
    for (int i = 0; i < 100; i++) {
        world.contacts[0].waiting++;
        psst_reconnect_now(&world.d, &world.contacts[0]);
        psst_world_pass(10 * MS);
    }
    assert_in_range(world.n_calls, 5, 6);
    psst_world_pass(100 * S);
    psst_world_forget_calls();
    psst_reconnect_now(&world.d, &world.contacts[0]);
    psst_world_pass(2 * MS);
    assert_int_equal(world.n_calls, 1);
    world.contacts[0].waiting = 0; /* all recalled */
    psst_reconnect_changed(&world.d, &world.contacts[0]);
    assert_true(psst_world_sleeping());
}

static void unwanted__are_not_called(void **state)
{
    (void)state;
    world.contacts[0].reconnect = true;
    world.contacts[0].waiting = 3;
    world.contacts[0].blocked = true;
    unlock(1);
    psst_world_pass(600 * S);
    assert_int_equal(world.n_calls, 0);
    world.contacts[0].blocked = false;
    world.hides = true;
    psst_reconnect_changed(&world.d, &world.contacts[0]);
    psst_world_pass(600 * S);
    assert_int_equal(world.n_calls, 0);
    psst_reconnect_now(&world.d, &world.contacts[0]); /* written to by hand: this once */
    assert_int_equal(world.n_calls, 1);
    psst_world_pass(600 * S);
    assert_int_equal(world.n_calls, 1);
    world.hides = false;
    world.contacts[0].addresses = NULL;
    psst_reconnect_changed(&world.d, &world.contacts[0]);
    psst_world_pass(600 * S);
    assert_int_equal(world.n_calls, 1);
    world.contacts[0].addresses = "192.0.2.1:1\n";
    psst_reconnect_changed(&world.d, &world.contacts[0]);
    psst_world_pass(S);
    assert_int_equal(world.n_calls, 2);
}

static void refused__waits_longer(void **state)
{
    (void)state;
    unlock(1);
    world.line = HAS_NOT_ADDED_US;
    world.contacts[0].unfinished = 1;
    psst_world_up(&world.contacts[0]);
    end(&world.contacts[0], PSST_END_CUT_OFF, 0, 60 * S);
    psst_world_pass(120 * S);
    assert_in_range(world.n_calls, 3, 10);
    psst_reconnect_urgent(&world.d, &world.contacts[0], world.now_ns + 120 * S);
    psst_world_forget_calls();
    psst_world_pass(120 * S);
    assert_true(world.n_calls <= 4);
}

static void urgent__is_often__until_it_is_over(void **state)
{
    (void)state;
    unlock(1);
    psst_reconnect_hung_up(&world.d, &world.contacts[0]);
    psst_reconnect_urgent(&world.d, &world.contacts[0], world.now_ns + 600 * S);
    uint64_t begin_ns = world.now_ns;
    psst_world_pass(1200 * S);
    assert_true(psst_world_longest_gap(begin_ns, 0, 599) <= 2 * S + 2 * MS);
    assert_true(psst_world_calls_between(begin_ns, 603, 1200) == 0);
    assert_true(psst_world_sleeping());
}

/* He proposes one time after the other. */
static void urgent__is_no_whole_day(void **state)
{
    (void)state;
    unlock(1);
    psst_reconnect_hung_up(&world.d, &world.contacts[0]);
    uint64_t begin_ns = world.now_ns;
    for (int i = 0; i < 130; i++) { /* 22 hours */
        psst_reconnect_urgent(&world.d, &world.contacts[0], world.now_ns + 620 * S);
        psst_reconnect_urgent(&world.d, &world.contacts[0], world.now_ns + 620 * S); /* told twice, it counts once */
        psst_world_pass(610 * S);
        if (i == 5) assert_true(psst_world_longest_gap(begin_ns, 0, 3600) <= 2 * S + 2 * MS); /* six are all kept */
    }
    size_t calls = psst_world_calls_between(begin_ns, 0, 80000);
    assert_in_range(calls, 2400, 7500); /* two hours of them at most: it fills up again meanwhile */
}

static void urgent__ends_when_the_user_hangs_up(void **state)
{
    (void)state;
    unlock(1);
    psst_reconnect_urgent(&world.d, &world.contacts[0], world.now_ns + 600 * S);
    psst_world_pass(20 * S);
    assert_true(world.n_calls >= 5);
    psst_reconnect_hung_up(&world.d, &world.contacts[0]);
    psst_world_forget_calls();
    psst_world_pass(900 * S);
    assert_int_equal(world.n_calls, 0);
    assert_true(psst_world_sleeping());
}

static void faulty__sessions_that_end_at_once__come_ever_more_slowly(void **state)
{
    (void)state;
    unlock(1);
    world.line = ANSWERS;
    psst_world_up(&world.contacts[0]);
    uint64_t begin_ns = world.now_ns;
    while (world.now_ns < begin_ns + 3600 * S) {
        end(&world.contacts[0], PSST_END_TAMPERED, 0, 50 * MS);
        for (int i = 0; i < 4000 && world.contacts[0].session == NULL; i++) psst_world_pass(100 * MS);
        assert_non_null(world.contacts[0].session);
        psst_world_pass(50 * MS);
    }
    assert_in_range(world.n_calls, 12, 40);
}

static void bye__at_once_and_again__comes_ever_more_slowly(void **state)
{
    (void)state;
    unlock(1);
    world.line = ANSWERS;
    psst_world_up(&world.contacts[0]);
    uint64_t begin_ns = world.now_ns;
    while (world.now_ns < begin_ns + 3600 * S) {
        end(&world.contacts[0], PSST_END_BYE, PSST_BYE_LOCKED, 50 * MS);
        for (int i = 0; i < 4000 && world.contacts[0].session == NULL; i++) psst_world_pass(100 * MS);
        assert_non_null(world.contacts[0].session);
        psst_world_pass(50 * MS);
    }
    assert_in_range(world.n_calls, 12, 40);
    psst_world_forget_calls();
    end(&world.contacts[0], PSST_END_BYE, PSST_BYE_LOCKED, 60 * S); /* one that has stood */
    psst_world_pass(5 * S);
    assert_int_equal(world.n_calls, 1);
}

static void suspected__is_called_beside__until_he_is_heard(void **state)
{
    (void)state;
    unlock(1);
    world.line = HANGS;
    psst_world_up(&world.contacts[0]);
    psst_reconnect_suspect(&world.d, &world.contacts[0], true);
    psst_world_pass(S);
    assert_int_equal(world.n_calls, 1);
    assert_int_equal(world.running, 1);
    psst_reconnect_suspect(&world.d, &world.contacts[0], false);
    assert_int_equal(world.running, 0);
    assert_true(psst_world_sleeping());
    /* again and again: not each time at once */
    world.line = ANSWERS;
    psst_world_forget_calls();
    for (int i = 0; i < 60; i++) {
        psst_reconnect_suspect(&world.d, &world.contacts[0], true);
        psst_world_pass(S);
    }
    assert_in_range(world.n_calls, 8, 20);
}

/* ---- many, and what happens around us ---- */

static void many__are_called_a_few_at_a_time__and_all(void **state)
{
    (void)state;
    unlock(300);
    world.line = HANGS;
    for (size_t i = 0; i < 300; i++) psst_world_up(&world.contacts[i]);
    for (size_t i = 0; i < 300; i++) end(&world.contacts[i], PSST_END_NO_PONG, 0, 60 * S);
    psst_world_pass(60 * S);
    assert_int_equal(world.most_running, 32);
    bool called[300] = {false};
    for (size_t i = 0; i < world.n_calls; i++) called[world.calls[i].id - 1] = true;
    for (size_t i = 0; i < 300; i++) assert_true(called[i]);
    assert_true(world.n_calls < 5000); /* and the timer does not spin */
    world.line = ANSWERS;
    for (size_t i = 0; i < 300; i++) {
        if (world.hangs_until_ns[i] == 0) continue;
        psst_world_up(&world.contacts[i]); /* what was under way gets through, too */
        psst_world_over(i, 0);
    }
    psst_world_pass(2 * S);
    for (size_t i = 0; i < 300; i++) assert_non_null(world.contacts[i].session);
    assert_true(psst_world_sleeping());
}

/* One that is back brings those that broke with him, who would wait for seconds still. */
static void back__brings_the_others(void **state)
{
    (void)state;
    unlock(50);
    for (size_t i = 0; i < 50; i++) psst_world_up(&world.contacts[i]);
    for (size_t i = 0; i < 50; i++) end(&world.contacts[i], PSST_END_NO_PONG, 0, 60 * S);
    psst_world_pass(1800 * S);
    world.line = ANSWERS;
    psst_world_forget_calls();
    while (world.n_calls == 0) psst_world_pass(10 * MS);
    psst_world_pass(600 * MS);
    for (size_t i = 0; i < 50; i++) assert_non_null(world.contacts[i].session);
}

static void wake(uint64_t ns)
{
    world.slept_ns += ns;
    world.on_clock(world.clock_poll, 0, UV_READABLE);
}

static void waking__calls_all_who_are_wanted__and_asks_the_sessions(void **state)
{
    (void)state;
    world.contacts[0].reconnect = world.contacts[1].reconnect = true;
    world.contacts[2].waiting = 1;
    unlock(5);
    psst_world_pass(3600 * S);
    psst_world_up(&world.contacts[1]);
    psst_world_forget_calls();
    wake(8 * 3600 * S);
    psst_world_pass(1200 * MS);
    assert_int_equal(world.probes, 1);
    assert_int_equal(world.afresh, 1);
    assert_int_equal(world.n_calls, 2); /* not who has a session, nor who is not wanted */
    json_t *network = psst_reconnect_network(world.d.reconnect);
    assert_string_equal(json_string_value(json_object_get(network, "what")), "woke from suspension");
    json_decref(network);
}

static void clock__set__calls_all_who_are_wanted(void **state)
{
    (void)state;
    world.contacts[0].reconnect = true;
    unlock(2);
    psst_world_up(&world.contacts[1]);
    psst_world_pass(3600 * S);
    psst_world_forget_calls();
    wake(0); /* ten years forth or back: the monotonic clock knows nothing of it */
    psst_world_pass(1200 * MS);
    assert_int_equal(world.n_calls, 1);
    assert_int_equal(world.probes, 0); /* a clock that is set breaks no line */
    json_t *network = psst_reconnect_network(world.d.reconnect);
    assert_string_equal(json_string_value(json_object_get(network, "what")), "the clock was set");
    json_decref(network);
}

static void locked__nobody_is_called(void **state)
{
    (void)state;
    world.contacts[0].reconnect = true;
    unlock(2);
    world.line = HANGS;
    psst_world_pass(S);
    assert_int_equal(world.running, 1);
    psst_reconnect_unloaded(world.d.reconnect);
    psst_world_over(0, 5); /* what locking stops */
    end(&world.contacts[1], PSST_END_CUT_OFF, 0, 60 * S);
    psst_reconnect_now(&world.d, &world.contacts[1]);
    psst_reconnect_changed(&world.d, &world.contacts[0]);
    wake(0);
    psst_world_forget_calls();
    psst_world_pass(600 * S);
    assert_int_equal(world.n_calls, 0);
    assert_true(psst_world_sleeping());
    world.line = ALONE; /* nothing can be tried: not in a loop either */
    unlock(2);
    psst_world_pass(600 * S);
    world.line = REFUSED;
    psst_world_pass(301 * S);
    assert_in_range(world.n_calls, 1, 3);
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
        T(urgent__is_no_whole_day),
        T(urgent__ends_when_the_user_hangs_up),
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
