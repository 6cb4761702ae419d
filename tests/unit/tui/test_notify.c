/* Who is called, when, and what the desktop is told: with a clock, a psstd and a bell of the test's own. */
#include "support/check.h"
#include "tui/screen.h"
#include "tui/spawn.h"
#include "tui/views.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t now;
static unsigned bells, told;
static char desktop[4096];
static const char *bell, *notify;
static struct psst_call_now call;
static struct psst_app app;

uint64_t psst_client_now_ms(void)
{
    return now;
}
void psst_screen_bell(void)
{
    bells++;
}
void psst_spawn_notify(const void *bytes, size_t len)
{
    told++;
    (void)snprintf(desktop, sizeof desktop, "%.*s", (int)len, (const char *)bytes);
}
const struct psst_call_now *psst_model_call(const struct psst_model *model)
{
    (void)model;
    return &call;
}
enum psst_err psst_client_request(struct psst_client *client, const char *method, json_t *params, const int *fds,
                                  size_t n, psst_client_answer *answer, void *ctx)
{
    (void)client, (void)params, (void)fds, (void)n;
    assert_string_equal(method, "settings");
    json_t *settings = json_pack("{s:s,s:s}", "bell", bell, "notify", notify);
    answer(ctx, settings, NULL);
    json_decref(settings);
    return PSST_OK;
}

static int begin(void **state)
{
    static char open[] = "bob";
    (void)state;
    now += 1000000;
    bells = told = 0;
    bell = "yes";
    notify = "hidden";
    call = (struct psst_call_now){.state = PSST_CALL_NONE};
    app = (struct psst_app){.open = open, .place = {.end = true}, .focus_known = true, .focused = true};
    app.last_key_ms = now;
    app.model = (struct psst_model *)&app; /* only looked at by psst_model_call */
    (void)setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere", 1);
    return 0;
}

static void arrive(enum psst_arrival_kind kind, const char *who, bool quiet)
{
    struct psst_arrival arrival = {.kind = kind, .contact = who, .words = "some <b>words\nof it\033", .quiet = quiet};
    psst_notify_arrival(&app, &arrival);
}

static void notify__is_silent__about_what_is_seen(void **state)
{
    (void)state;
    arrive(PSST_ARRIVAL_MESSAGE, "bob", false);
    assert_int_equal(bells + told, 0);
    arrive(PSST_ARRIVAL_MESSAGE, "carol", false); /* another one */
    assert_int_equal(bells, 1);
    app.focused = false; /* the terminal is behind others */
    arrive(PSST_ARRIVAL_MESSAGE, "bob", false);
    assert_int_equal(bells, 2);
    app.focused = true;
    app.place.end = false; /* he reads further up */
    now += 2000;
    arrive(PSST_ARRIVAL_MESSAGE, "bob", false);
    assert_int_equal(bells, 3);
    app.place.end = true;
    app.focus_known = false; /* a terminal that does not tell: by the keys */
    app.last_key_ms = now - 29000;
    now += 4000;
    arrive(PSST_ARRIVAL_MESSAGE, "bob", false);
    assert_int_equal(bells, 4);
    app.last_key_ms = now - 29000;
    now += 500;
    arrive(PSST_ARRIVAL_MESSAGE, "dave", false);
    assert_int_equal(bells, 5);
    assert_int_equal(told, 5);
}

static void notify__rings_once__in_two_seconds(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++, now += 39) arrive(PSST_ARRIVAL_MESSAGE, "carol", false);
    assert_int_equal(bells, 2);
    assert_int_equal(told, 2);
}

/* An hour of a message each second, over a page that nobody reads. */
static void notify__rings_ever_less__while_nobody_presses_a_key(void **state)
{
    (void)state;
    struct psst_page page = {.kind = NULL};
    app.page = &page;
    for (int i = 0; i < 3600; i++, now += 1000) arrive(PSST_ARRIVAL_MESSAGE, "bob", false);
    assert_in_range(bells, 5, 70);
    assert_int_equal(bells, told);
    unsigned before = bells;
    app.last_key_ms = now; /* he is back */
    now += 1000;
    for (int i = 0; i < 4; i++, now += 2000) arrive(PSST_ARRIVAL_MESSAGE, "bob", false);
    assert_in_range(bells - before, 2, 3);
}

static void notify__hundred_contacts_at_once__is_no_storm(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "contact %d", i);
        arrive(PSST_ARRIVAL_MESSAGE, name, false);
    }
    assert_int_equal(bells, 3);
    assert_int_equal(told, 3);
    arrive(PSST_ARRIVAL_RINGS, "carol", false); /* is heard all the same */
    assert_int_equal(bells, 4);
}

/* Who calls and hangs up again and again; one that stays is heard, if bells are wanted. */
static void notify__call_again_and_again__rings_when_it_stays(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++, now += 90) {
        call.state = PSST_CALL_OFFERED;
        arrive(PSST_ARRIVAL_RINGS, "carol", false);
        call.state = PSST_CALL_NONE;
        psst_notify_turn(&app);
    }
    assert_int_equal(bells, 1);
    assert_int_equal(told, 0); /* he sits at the terminal */
    call.state = PSST_CALL_OFFERED;
    arrive(PSST_ARRIVAL_RINGS, "carol", false);
    assert_int_equal(bells, 1);
    assert_int_equal(psst_notify_due_ms(&app), 3000);
    now += 3000;
    psst_notify_turn(&app);
    assert_int_equal(bells, 2);
    call.state = PSST_CALL_NONE;
    psst_notify_turn(&app);
    bell = "no";
    call.state = PSST_CALL_OFFERED;
    arrive(PSST_ARRIVAL_RINGS, "carol", false);
    arrive(PSST_ARRIVAL_RINGS, "carol", false);
    assert_int_equal(psst_notify_due_ms(&app), -1);
}

static void notify__obeys__settings_and_quiet(void **state)
{
    (void)state;
    arrive(PSST_ARRIVAL_RINGS, "carol", true);
    arrive(PSST_ARRIVAL_MESSAGE, "carol", true);
    assert_int_equal(bells + told, 0);
    bell = "no";
    arrive(PSST_ARRIVAL_MESSAGE, "carol", false);
    assert_int_equal(bells, 0);
    assert_int_equal(told, 1);
    assert_string_equal(desktop, "news\nPSST\nSomething new for you\n");
    bell = "yes";
    notify = "no";
    arrive(PSST_ARRIVAL_MESSAGE, "dave", false);
    assert_int_equal(bells, 1);
    assert_int_equal(told, 1);
    notify = "shown";
    arrive(PSST_ARRIVAL_MESSAGE, "erin", false);
    assert_string_equal(desktop, "news\nerin\nsome <b>words\xe2\x90\x8aof it\xe2\x90\x9b\n");
}

static void notify__rings_on__while_a_call_rings(void **state)
{
    (void)state;
    assert_int_equal(psst_notify_due_ms(&app), -1);
    app.focused = false;
    call.state = PSST_CALL_OFFERED;
    arrive(PSST_ARRIVAL_RINGS, "carol", false);
    assert_int_equal(bells, 1);
    assert_string_equal(desktop, "call\nPSST\nA call is coming in\n");
    assert_int_equal(psst_notify_due_ms(&app), 3000);
    now += 2999;
    psst_notify_turn(&app);
    assert_int_equal(bells, 1);
    now += 1;
    assert_int_equal(psst_notify_due_ms(&app), 0);
    psst_notify_turn(&app);
    assert_int_equal(bells, 2);
    assert_int_equal(psst_notify_due_ms(&app), 3000);
    call.state = PSST_CALL_ACTIVE; /* answered: no more wake-ups */
    assert_int_equal(psst_notify_due_ms(&app), -1);
    now += 10000;
    psst_notify_turn(&app);
    call.state = PSST_CALL_OFFERED; /* another one, that one is quiet about */
    assert_int_equal(psst_notify_due_ms(&app), -1);
    assert_int_equal(bells, 2);
}

#define fresh(test) cmocka_unit_test_setup(test, begin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        fresh(notify__is_silent__about_what_is_seen),
        fresh(notify__rings_once__in_two_seconds),
        fresh(notify__rings_ever_less__while_nobody_presses_a_key),
        fresh(notify__hundred_contacts_at_once__is_no_storm),
        fresh(notify__call_again_and_again__rings_when_it_stays),
        fresh(notify__obeys__settings_and_quiet),
        fresh(notify__rings_on__while_a_call_rings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
