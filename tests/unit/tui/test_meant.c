/* What a command that names nobody means: what stood on the screen when its line was begun (tui/moment.h). */
#include "unit/tui/fake_app.h"

#include "tui/pager.h"

static void call__rings__is_answered_declined_hung_up(void **state)
{
    (void)state;
    fake.call = (struct psst_call_now){.state = PSST_CALL_OFFERED, .name = "Cedric", .send = true};
    do_line("/answer");
    assert_string_equal("answer{\"name\":\"Cedric\"}open(Cedric)", done);
    do_line("/decline");
    assert_string_equal("decline{\"name\":\"Cedric\"}", done);
    do_line("/hangup");
    assert_string_equal("decline{\"name\":\"Cedric\"}", done);
    do_line("/call Cedric");
    assert_string_equal("answer{\"name\":\"Cedric\"}open(Cedric)", done);
    fake.call.waiting = 1; /* a second one */
    do_line("/answer");
    assert_string_equal("", done);
    assert_non_null(strstr(app.notice, "/answer NAME"));
    do_line("/answer Cedric");
    assert_string_equal("answer{\"name\":\"Cedric\"}open(Cedric)", done);
}

static void rings(const char *who)
{
    fake.call = (struct psst_call_now){.state = PSST_CALL_OFFERED, .name = who, .send = true};
}

static void none_rings(void)
{
    fake.call = (struct psst_call_now){.state = PSST_CALL_NONE, .name = "", .send = true};
}

/* What began to ring while one wrote is neither answered nor declined, the first time. */
static void call__begins_to_ring_while_one_writes__was_not_meant(void **state)
{
    static const struct {
        const char *line, *second;
    } cases[] = {{"/answer", "answer{\"name\":\"Cedric\"}open(Cedric)"},
                 {"/decline", "decline{\"name\":\"Cedric\"}"},
                 {"/hangup", "decline{\"name\":\"Cedric\"}"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        none_rings();
        begin_line();
        rings("Cedric");
        end_line(cases[i].line);
        assert_string_equal("", done);
        assert_non_null(strstr(app.notice, "Cedric began to call"));
        do_line(cases[i].line);
        assert_string_equal(cases[i].second, done);
        rings("Bob"); /* and another one in his place */
        begin_line();
        rings("Cedric");
        end_line(cases[i].line);
        assert_string_equal("", done);
        assert_true(warned);
    }
}

/* What psstd knows already, and the screen not yet: nobody is answered by a word that means whoever there is. */
static void answer__nobody_rings_here__does_not_ask_psstd(void **state)
{
    (void)state;
    none_rings();
    do_line("/answer");
    assert_string_equal("", done);
    assert_non_null(strstr(app.notice, "nobody calls"));
    fake.call = (struct psst_call_now){.state = PSST_CALL_ACTIVE, .name = "Bob", .send = true};
    do_line("/answer");
    assert_string_equal("", done);
}

/* A tenth of a second before is too late to have been read. */
static void call__rings_since_a_moment__was_not_meant(void **state)
{
    (void)state;
    rings("Cedric");
    psst_sight_call(&app);
    now += PSST_NOTICED_MS - 1;
    psst_moment_take(&app, &app.meant);
    end_line("/answer");
    assert_string_equal("", done);
    now += 1;
    psst_moment_take(&app, &app.meant);
    end_line("/answer");
    assert_string_equal("answer{\"name\":\"Cedric\"}open(Cedric)", done);
}

static void call__rings_no_more__nothing_else_is_taken_for_it(void **state)
{
    static const char *const lines[] = {"/answer", "/decline"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        rings("Cedric");
        begin_line();
        none_rings();
        fake.n_files = 1; /* /decline would refuse it */
        fake.files[0] = (struct psst_transfer){
            .id = 3, .contact = "Bob", .name = "c", .form = "file", .state = "waiting", .path = "", .in = true};
        end_line(lines[i]);
        assert_string_equal("", done);
        assert_non_null(strstr(app.notice, "Cedric rings no more"));
        fake.n_files = 0;
    }
}

static void hangup__as_the_call_ends__leaves_the_session(void **state)
{
    (void)state;
    fake.call = (struct psst_call_now){.state = PSST_CALL_ACTIVE, .name = "Bob"};
    begin_line();
    none_rings();
    end_line("/hangup");
    assert_string_equal("", done);
    assert_non_null(strstr(app.notice, "has ended already"));
    end_line("/hangup"); /* said once */
    assert_string_equal("hangup{\"name\":\"Bob\"}", done);
}

static void hangup__just_after_the_call__leaves_the_session(void **state)
{
    (void)state;
    fake.call = (struct psst_call_now){.state = PSST_CALL_ACTIVE, .name = "Bob"};
    psst_sight_call(&app);
    none_rings();
    psst_sight_call(&app);
    now += PSST_CALL_OVER_MS - 1 - PSST_NOTICED_MS;
    do_line("/hangup");
    assert_string_equal("", done);
    assert_non_null(strstr(app.notice, "has ended already"));
    do_line("/hangup Cedric"); /* who was not in it */
    assert_string_equal("hangup{\"name\":\"Cedric\"}", done);
    fake.call = (struct psst_call_now){.state = PSST_CALL_ACTIVE, .name = "Bob"};
    psst_sight_call(&app);
    none_rings();
    psst_sight_call(&app);
    now += PSST_CALL_OVER_MS;
    do_line("/hangup"); /* long over */
    assert_string_equal("hangup{\"name\":\"Bob\"}", done);
}

static void hangup__of_the_call_alone__takes_no_other(void **state)
{
    (void)state;
    rings("Cedric");
    do_line("/hangup Bob --call");
    assert_string_equal("", done);
    none_rings();
    do_line("/hangup --call");
    assert_string_equal("", done);
}

static void call__active__switches_turn_over(void **state)
{
    (void)state;
    fake.call = (struct psst_call_now){.state = PSST_CALL_ACTIVE, .name = "Bob", .send = true, .receive = true};
    do_line("/mute");
    assert_string_equal("voice.set{\"send\":false}", done);
    do_line("/mute off");
    assert_string_equal("voice.set{\"send\":true}", done);
    do_line("/receive");
    assert_string_equal("voice.set{\"receive\":false}", done);
    do_line("/ptt");
    assert_string_equal("voice.set{\"ptt\":true}", done);
    do_line("/ptt maybe");
    assert_string_equal("", done);
    do_line("/hangup");
    assert_string_equal("call.hangup{\"name\":\"Bob\"}", done);
    do_line("/hangup Cedric");
    assert_string_equal("hangup{\"name\":\"Cedric\"}", done);
    fake.call.send = false;
    do_line("/mute");
    assert_string_equal("voice.set{\"send\":true}", done);
    fake.call.send = true;
    begin_line(); /* it is open, and another program closes it before Enter */
    fake.call.send = false;
    end_line("/mute");
    assert_string_equal("voice.set{\"send\":false}", done);
}

static struct psst_transfer offer(int64_t id, const char *from)
{
    return (struct psst_transfer){
        .id = id, .contact = from, .name = "n", .form = "file", .state = "waiting", .path = "", .in = true};
}

static void accept__what_came_while_one_wrote__is_asked_for(void **state)
{
    static const char *const lines[] = {"/accept", "/decline", "/cancel"};
    static const char *const asks[] = {"/accept 8", "/decline 8", "/cancel 8"};
    static const char *const methods[] = {"file.accept{\"id\":8}", "file.decline{\"id\":8}", "file.cancel{\"id\":8}"};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        fake.n_files = 0;
        begin_line();
        fake.n_files = 1;
        fake.files[0] = offer(8, "Bob");
        end_line(lines[i]);
        assert_string_equal("", done);
        assert_non_null(strstr(app.notice, asks[i]));
        do_line(lines[i]); /* now it stands there */
        assert_string_equal(methods[i], done);
        fake.files[0] = offer(7, "Bob"); /* taken back while one writes, another in its place */
        begin_line();
        fake.files[0] = offer(8, "Bob");
        end_line(lines[i]);
        assert_string_equal("", done);
        fake.n_files = 2; /* two are there, one goes: which one was meant? */
        fake.files[1] = offer(9, "Bob");
        begin_line();
        fake.n_files = 1;
        end_line(lines[i]);
        assert_string_equal("", done);
        end_line("/accept 8"); /* a number is a number */
        assert_string_equal("file.accept{\"id\":8}", done);
    }
}

static void accept__without_id__takes_the_only_one_of_who_is_open(void **state)
{
    (void)state;
    fake.n_files = 3;
    fake.files[0] = (struct psst_transfer){
        .id = 3, .contact = "Cedric", .name = "c", .form = "file", .state = "waiting", .path = "", .in = true};
    fake.files[1] = (struct psst_transfer){
        .id = 4, .contact = "Bob", .name = "b", .form = "file", .state = "waiting", .path = "/x", .in = false};
    fake.files[2] = (struct psst_transfer){
        .id = 5, .contact = "Bob", .name = "d", .form = "file", .state = "done", .path = "/y", .in = true};
    do_line("/accept"); /* Cedric's is the only offer */
    assert_string_equal("file.accept{\"id\":3}", done);
    fake.files[2].state = "waiting";
    fake.files[2].path = "";
    do_line("/accept"); /* Bob is open */
    assert_string_equal("file.accept{\"id\":5}", done);
    do_line("/cancel"); /* two of Bob's are under way */
    assert_string_equal("", done);
    assert_true(psst_pager_is(app.page, "Which one?"));
    psst_page_pop(&app);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(call__rings__is_answered_declined_hung_up, begin),
        cmocka_unit_test_setup(call__begins_to_ring_while_one_writes__was_not_meant, begin),
        cmocka_unit_test_setup(answer__nobody_rings_here__does_not_ask_psstd, begin),
        cmocka_unit_test_setup(call__rings_since_a_moment__was_not_meant, begin),
        cmocka_unit_test_setup(call__rings_no_more__nothing_else_is_taken_for_it, begin),
        cmocka_unit_test_setup(hangup__as_the_call_ends__leaves_the_session, begin),
        cmocka_unit_test_setup(hangup__just_after_the_call__leaves_the_session, begin),
        cmocka_unit_test_setup(hangup__of_the_call_alone__takes_no_other, begin),
        cmocka_unit_test_setup(call__active__switches_turn_over, begin),
        cmocka_unit_test_setup(accept__what_came_while_one_wrote__is_asked_for, begin),
        cmocka_unit_test_setup(accept__without_id__takes_the_only_one_of_who_is_open, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
