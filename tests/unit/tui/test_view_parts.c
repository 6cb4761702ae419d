/* Contacts, status, call and files on a screen that is an array (fake_world.h). */
#include "fake_world.h"
#include "support/check.h"
#include "tui/strip.h"

#include "client/out.h"
#include <stdio.h>
#include <stdlib.h>

static struct psst_app app;

static struct psst_area all(void)
{
    return (struct psst_area){0, 0, fake.rows, fake.columns};
}

static struct psst_person *add_person(const char *name)
{
    struct psst_person *person = &fake.people[fake.n_people++];
    *person = (struct psst_person){.name = name, .fingerprint = "", .there_text = "", .address = ""};
    return person;
}

static const char *status(int columns)
{
    fake.columns = columns;
    fake_wipe();
    psst_view_status(&app, (struct psst_area){0, 0, 1, columns});
    return fake_row(0);
}

/* ---- contacts ---- */

static void contacts__tell__who_is_there_and_verified(void **state)
{
    (void)state;
    fake_begin(&app, 12, 26);
    add_person("Carol")->unread = 3;
    struct psst_person *dan = add_person("Dan");
    dan->online = true;
    dan->there = PSST_THERE_BUSY;
    dan->weak = true;
    add_person("Eve")->blocked = true;
    psst_view_contacts(&app, all());
    assert_string_equal("1 *\xe2\x9c\x93 Bob", fake_row(0));
    assert_string_equal("2  ? Carol             (3)", fake_row(1));
    assert_string_equal("3 !? Dan          weak key", fake_row(2));
    assert_string_equal("4  ? Eve           blocked", fake_row(3));
    assert_true(fake_has("F1 help"));
}

static void contacts__show__a_call(void **state)
{
    (void)state;
    fake_begin(&app, 12, 26);
    fake.call = (struct psst_call_now){.state = PSST_CALL_OFFERED, .name = "Bob", .way = "", .words = ""};
    psst_view_contacts(&app, all());
    assert_string_equal("1 *\xe2\x9c\x93 Bob             rings", fake_row(0));
}

static void contacts__keep_words__when_a_name_is_long(void **state)
{
    (void)state;
    fake_begin(&app, 12, 20);
    struct psst_person *long_one = add_person("Wolfeschlegelsteinhausenbergerdorff");
    long_one->unread = 12;
    long_one->missed_call = true;
    psst_view_contacts(&app, all());
    assert_non_null(strstr(fake_row(1), "(12)"));
    assert_non_null(strstr(fake_row(1), "Wolfes"));
}

static void contacts__cost_nothing__when_there_are_thousands(void **state)
{
    static char names[FAKE_PEOPLE][16];
    (void)state;
    fake_begin(&app, 12, 26);
    for (size_t i = 1; i < FAKE_PEOPLE; i++) {
        (void)snprintf(names[i], sizeof names[i], "n%zu", i);
        add_person(names[i]);
    }
    app.open = names[1500];
    psst_view_contacts(&app, all());
    assert_true(fake_has("n1500"));
    assert_true(fake.people_asked < FAKE_PEOPLE + 100);
    for (int row = 0; row < 11; row++) {
        const struct psst_person *person = psst_view_contact_at(&app, row, 3);
        assert_non_null(person);
        assert_non_null(strstr(fake_row(row), person->name));
    }
    assert_null(psst_view_contact_at(&app, 11, 3)); /* the hint */
    assert_null(psst_view_contact_at(&app, 3, 26));
    app.open = names[1];
    psst_view_contacts(&app, all());
    assert_true(fake_has("n1 ") || fake_find("n1") >= 0);
}

/* ---- status ---- */

static void status__says__with_whom_and_how_safe(void **state)
{
    (void)state;
    fake_begin(&app, 1, 100);
    assert_string_equal(" Bob  encrypted, verified  in session at 10.0.0.2:4516", status(100));
    fake.people[0].verified = false;
    assert_string_equal(" Bob  encrypted, NOT verified: /verify  in session at 10.0.0.2:4516", status(100));
    fake.people[0].online = false;
    fake.people[0].waiting = 2;
    const char *row = status(100);
    assert_non_null(strstr(row, "not in session"));
    assert_non_null(strstr(row, "2 wait for a session"));
    assert_null(strstr(row, "encrypted"));
}

static void status__keeps__whom_and_safety_at_40_columns(void **state)
{
    (void)state;
    fake_begin(&app, 1, 40);
    fake.people[0].verified = false;
    fake.people[0].weak = true;
    fake.people[0].bits = 1024;
    fake.people[0].waiting = 7;
    fake.self.listen = "";
    fake.self.presence = "away";
    add_person("Carol")->unread = 2;
    for (int columns = 20; columns < 200; columns++) {
        const char *row = status(columns);
        assert_non_null(strstr(row, "Bob"));
        assert_non_null(strstr(row, "NOT verified"));
        assert_true(psst_text_columns(row) <= (unsigned)columns);
    }
    assert_non_null(strstr(status(199), "2 new: Carol"));
    assert_non_null(strstr(status(199), "weak key (1024 bits)"));
    assert_non_null(strstr(status(40), "weak key"));
}

static void status__keeps__safety_beside_a_long_name(void **state)
{
    (void)state;
    fake_begin(&app, 1, 40);
    fake.people[0].name = app.open = (char *)(uintptr_t) "Wolfeschlegelsteinhausenbergerdorff";
    assert_non_null(strstr(status(40), "encrypted, verified"));
    fake.people[0].verified = false;
    assert_non_null(strstr(status(40), "NOT verified"));
    assert_non_null(strstr(status(40), "Wolfesch"));
}

/* What he says of himself cannot come before what we say of him. */
static void status__puts__his_own_words_last(void **state)
{
    (void)state;
    fake_begin(&app, 1, 160);
    fake.people[0].verified = false;
    fake.people[0].there = PSST_THERE_AWAY;
    fake.people[0].there_text = "lunch  encrypted, verified";
    const char *row = status(160);
    assert_true(strstr(row, "NOT verified") < strstr(row, "lunch"));
    assert_non_null(strstr(row, "away"));
}

static void status__says__locked_and_damaged(void **state)
{
    (void)state;
    fake_begin(&app, 1, 100);
    fake.self.damaged = true;
    assert_non_null(strstr(status(100), "damaged"));
    fake.self.locked = true;
    assert_non_null(strstr(status(100), "locked"));
    assert_null(strstr(status(100), "encrypted"));
}

/* ---- a call ---- */

static void call__asks__when_it_rings(void **state)
{
    (void)state;
    fake_begin(&app, 2, 59);
    assert_int_equal(0, psst_view_call_rows(&app));
    fake.call = (struct psst_call_now){.state = PSST_CALL_OFFERED, .name = "Bob", .way = "", .words = "", .waiting = 1};
    assert_int_equal(1, psst_view_call_rows(&app));
    psst_view_call(&app, (struct psst_area){0, 0, 1, 59});
    assert_non_null(strstr(fake_row(0), "Bob calls"));
    assert_non_null(strstr(fake_row(0), "F7"));
    fake_wipe();
    psst_view_call(&app, (struct psst_area){0, 0, 1, 40});
    assert_non_null(strstr(fake_row(0), "Bob calls"));
    assert_non_null(strstr(fake_row(0), "F8"));
}

static void active(void)
{
    fake.call = (struct psst_call_now){.state = PSST_CALL_ACTIVE,
                                       .name = "Bob",
                                       .since_ms = psst_client_now_ms() - 62500,
                                       .peer_receiving = true,
                                       .way = "udp",
                                       .words = "",
                                       .send = true,
                                       .receive = true,
                                       .sense_dbfs = -45,
                                       .quality = 7,
                                       .microphone_dbfs = -30,
                                       .speaker_dbfs = -60,
                                       .loss = 1.5,
                                       .delay_ms = 80};
}

static void draw_call(int rows, int columns)
{
    fake_wipe();
    fake.columns = columns;
    psst_view_call(&app, (struct psst_area){0, 0, rows, columns});
}

static void call__shows__levels_and_what_goes_out(void **state)
{
    (void)state;
    fake_begin(&app, 2, 59);
    active();
    assert_int_equal(2, psst_view_call_rows(&app));
    draw_call(2, 59);
    assert_non_null(strstr(fake_row(0), "in a call with Bob 1:02"));
    assert_non_null(strstr(fake_row(0), "silence goes out"));
    assert_non_null(strstr(fake_row(1), "you ##|##....."));
    assert_non_null(strstr(fake_row(1), "him .........."));
    assert_true(fake_has("q7  -45 dB  2%  80 ms"));
    fake.call.voice = true;
    draw_call(2, 59);
    assert_true(fake_has("voice goes out"));
    fake.call.send = false;
    draw_call(2, 59);
    assert_true(fake_has("muted"));
    assert_false(fake_has("voice goes out"));
    draw_call(1, 180);
    assert_true(fake_has("muted") && fake_has("quality 7") && fake_has("sense -45 dBFS") && fake_has("udp"));
}

static void call__says__what_is_wrong_even_when_narrow(void **state)
{
    (void)state;
    fake_begin(&app, 2, 40);
    active();
    fake.call.peer_receiving = false;
    fake.call.send = false;
    draw_call(2, 59);
    assert_true(fake_has("does not hear you"));
    assert_true(fake_has("muted"));
    fake.call.silent = true;
    fake.call.peer_receiving = true;
    draw_call(2, 59);
    assert_true(fake_has("nothing heard"));
    fake.call.words = "the microphone cannot be opened";
    draw_call(2, 59);
    assert_true(fake_has("the microphone"));
    draw_call(2, 40);
    assert_true(fake_has("muted"));
}

/* ---- files ---- */

static struct psst_transfer *add_file(int64_t id, const char *name, const char *state, bool in)
{
    struct psst_transfer *file = &fake.files[fake.n_files++];
    *file = (struct psst_transfer){.id = id,
                                   .contact = "Bob",
                                   .name = name,
                                   .form = "file",
                                   .state = state,
                                   .reason = "",
                                   .path = "",
                                   .paused_by = "",
                                   .in = in,
                                   .size = 2100000};
    return file;
}

static void draw_files(int rows, int columns)
{
    fake_wipe();
    fake.columns = columns;
    psst_view_transfers(&app, (struct psst_area){0, 0, rows, columns});
}

static void files__offer__says_what_to_type(void **state)
{
    (void)state;
    fake_begin(&app, 3, 80);
    add_file(3, "cat.png", "waiting", true);
    add_file(4, "over.png", "done", true);
    assert_int_equal(1, psst_view_transfer_rows(&app));
    draw_files(1, 80);
    assert_string_equal(" <- Bob offers a file, 2.1 MB:  /accept 3 or /decline 3  cat.png", fake_row(0));
    draw_files(1, 40);
    assert_non_null(strstr(fake_row(0), "/accept 3"));
}

static void files__run__with_bar_and_rate(void **state)
{
    (void)state;
    fake_begin(&app, 3, 100);
    struct psst_transfer *file = add_file(3, "cat.png", "running", true);
    file->done = 1050000;
    file->rate = 70000;
    file->left_ms = 15000;
    draw_files(1, 100);
    assert_string_equal(" <- Bob  #####.....  50%  of 2.1 MB  70.0 kB/s  15 s left  cat.png", fake_row(0));
    draw_files(1, 40);
    assert_non_null(strstr(fake_row(0), "50%"));
}

/* What is to be typed is a verb that there is. */
static void files__paused_by_us__says_what_goes_on_with_it(void **state)
{
    (void)state;
    fake_begin(&app, 3, 80);
    struct psst_transfer *file = add_file(3, "cat.png", "paused", true);
    file->paused_by = "us";
    draw_files(1, 80);
    assert_non_null(strstr(fake_row(0), "paused: /files resume 3"));
    file->paused_by = "them";
    draw_files(1, 80);
    assert_non_null(strstr(fake_row(0), "paused over there (3)"));
}

static void files__more_than_three__are_counted(void **state)
{
    (void)state;
    fake_begin(&app, 3, 80);
    for (int i = 0; i < 5; i++) add_file(i + 1, "a", "running", false);
    add_file(9, "cat.png", "waiting", true);
    assert_int_equal(3, psst_view_transfer_rows(&app));
    draw_files(3, 80);
    assert_non_null(strstr(fake_row(0), "/accept 9")); /* what asks goes first */
    assert_string_equal(" 4 more files: /files", fake_row(2));
}

/* ---- all of them ---- */

static void parts__stay_in_their_area__at_any_size(void **state)
{
    static const char *const names[] = {"Bob", "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d",
                                        "\xe7\x94\xb0\xe4\xb8\xad\xe3\x81\x95\xe3\x82\x93",
                                        "\x1b[2J\x1b]0;x\x07 %n%s <b>", "Wolfeschlegelsteinhausenbergerdorff"};
    (void)state;
    for (size_t n = 0; n < sizeof names / sizeof names[0]; n++) {
        fake_begin(&app, 10, 120);
        active();
        struct psst_person *person = &fake.people[0];
        fake.call.name = person->name = app.open = (char *)(uintptr_t)names[n];
        fake.call.words = names[n];
        person->there_text = person->address = names[n];
        person->unread = person->waiting = UINT64_MAX;
        person->weak = person->blocked = person->paused = person->missed_call = true;
        add_file(INT64_MAX, names[n], "waiting", true)->contact = names[n];
        add_file(INT64_MIN, names[n], "running", false)->done = INT64_MAX;
        fake.files[1].rate = fake.files[1].left_ms = INT64_MAX;
        for (int columns = 1; columns < 100; columns++) {
            struct psst_area area = {2, 3, 3, columns};
            fake_wipe();
            psst_view_contacts(&app, area);
            psst_view_status(&app, area);
            psst_view_call(&app, area);
            psst_view_transfers(&app, area);
            assert_string_equal("", fake_row(1));
            assert_string_equal("", fake_row(5));
            for (int row = 2; row < 5; row++) {
                assert_memory_equal("   ", fake_row(row)[0] != '\0' ? fake_row(row) : "   ", 3);
                assert_true(psst_text_columns(fake_row(row)) <= (unsigned)columns + 3);
                assert_null(strchr(fake_row(row), '\x1b'));
            }
        }
    }
}

/* ---- strips ---- */

static void strip__cuts__the_least_important_first(void **state)
{
    static struct psst_strip strip;
    (void)state;
    strip.n = 0;
    psst_strip_add(&strip, 0, PSST_STYLE_PLAIN, NULL, "stays");
    psst_strip_add(&strip, 2, PSST_STYLE_PLAIN, "lo", "long one");
    psst_strip_add(&strip, 1, PSST_STYLE_PLAIN, NULL, "more");
    assert_int_equal(5 + 2 + 8 + 2 + 4, psst_strip_fit(&strip, 21));
    assert_int_equal(5 + 2 + 2 + 2 + 4, psst_strip_fit(&strip, 20));
    assert_int_equal(5 + 2 + 4, psst_strip_fit(&strip, 14));
    assert_int_equal(5 + 2 + 2, psst_strip_fit(&strip, 10)); /* what gave way for another that has gone */
    assert_int_equal(5, psst_strip_fit(&strip, 1));
    for (int i = 0; i < 40; i++) psst_strip_add(&strip, 1, PSST_STYLE_PLAIN, NULL, "x");
    assert_int_equal(PSST_STRIP_PIECES, strip.n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(contacts__tell__who_is_there_and_verified),
        cmocka_unit_test(contacts__show__a_call),
        cmocka_unit_test(contacts__keep_words__when_a_name_is_long),
        cmocka_unit_test(contacts__cost_nothing__when_there_are_thousands),
        cmocka_unit_test(status__says__with_whom_and_how_safe),
        cmocka_unit_test(status__keeps__whom_and_safety_at_40_columns),
        cmocka_unit_test(status__keeps__safety_beside_a_long_name),
        cmocka_unit_test(status__puts__his_own_words_last),
        cmocka_unit_test(status__says__locked_and_damaged),
        cmocka_unit_test(call__asks__when_it_rings),
        cmocka_unit_test(call__shows__levels_and_what_goes_out),
        cmocka_unit_test(call__says__what_is_wrong_even_when_narrow),
        cmocka_unit_test(files__offer__says_what_to_type),
        cmocka_unit_test(files__run__with_bar_and_rate),
        cmocka_unit_test(files__paused_by_us__says_what_goes_on_with_it),
        cmocka_unit_test(files__more_than_three__are_counted),
        cmocka_unit_test(parts__stay_in_their_area__at_any_size),
        cmocka_unit_test(strip__cuts__the_least_important_first),
    };
    psst_out_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
