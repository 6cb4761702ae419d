/* A line that begins with a slash, and what is done about it; and pages of text. psstd, children and the rest of the interface
 * are made up here: what would go to them is written down. */
#include "support/check.h"
#include "unit/tui/fake_world.h"

#include "client/file_words.h"
#include "tui/commands.h"
#include "tui/pager.h"
#include "tui/screen.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- what was done ---- */

static struct psst_app app;
static char done[4096]; /* "call {...}; " */
static bool asked, warned;

static void note(const char *fmt, ...) PSST_PRINTF(1, 2);
static void note(const char *fmt, ...)
{
    va_list args;
    size_t len = strlen(done);
    va_start(args, fmt);
    (void)vsnprintf(done + len, sizeof done - len, fmt, args);
    va_end(args);
}

/* No keys: their functions would bring the terminal along. */
const struct psst_binding psst_bindings[] = {{0}};
const size_t psst_bindings_count = 0;

void psst_app_dirty(struct psst_app *a, unsigned what)
{
    a->dirty |= what;
}
void psst_app_open(struct psst_app *a, const char *name)
{
    (void)a;
    note("open(%s)", name != NULL ? name : "nobody");
}
void psst_app_say(struct psst_app *a, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(a->notice, sizeof a->notice, fmt, args);
    va_end(args);
}
void psst_app_error(struct psst_app *a, const char *fmt, ...)
{
    va_list args;
    warned = true;
    va_start(args, fmt);
    (void)vsnprintf(a->notice, sizeof a->notice, fmt, args);
    va_end(args);
}
void psst_app_request(struct psst_app *a, const char *method, json_t *params, const int *fds, size_t n,
                      psst_client_answer *answer, void *ctx)
{
    char *text = params != NULL ? json_dumps(params, JSON_COMPACT | JSON_SORT_KEYS) : strdup("");
    (void)a;
    (void)fds;
    (void)n;
    note("%s%s", method, text);
    free(text);
    json_decref(params);
    if (answer != NULL) answer(ctx, NULL, NULL); /* it failed, and that was said */
}
void psst_app_say_to(struct psst_app *a, const char *name, struct psst_view text)
{
    (void)a;
    note("say(%s:%.*s)", name, (int)text.len, (const char *)text.data);
}
void psst_app_scroll_to(struct psst_app *a, int64_t seq)
{
    (void)a;
    note("scroll(%lld)", (long long)seq);
}
void psst_app_quit(struct psst_app *a)
{
    (void)a;
    note("quit");
}
void psst_app_voice_answered(void *ctx, json_t *result, const struct psst_failure *failure)
{
    (void)ctx;
    (void)result;
    (void)failure;
}
void psst_model_dialling(struct psst_model *model, const char *name, bool on)
{
    (void)model;
    (void)name;
    (void)on;
}
static void note_words(const char *what, char *const *words)
{
    note("%s(", what);
    for (size_t i = 0; words[i] != NULL; i++) note("%s%s", i > 0 ? "|" : "", words[i]);
    note(")");
}
void psst_child_run(struct psst_app *a, char *const *words)
{
    (void)a;
    note_words("run", words);
}
void psst_child_ask(struct psst_app *a, char *const *words)
{
    (void)a;
    asked = true;
    note_words("ask", words);
}
size_t psst_child_stop_all(struct psst_app *a)
{
    (void)a;
    return 0;
}
void psst_view_bare(struct psst_app *a)
{
    (void)a;
    note("bare");
}
void psst_screen_redraw(void)
{
    note("redraw");
}
void psst_screen_mouse(bool on)
{
    note("mouse(%d)", on);
}
void psst_card_open(struct psst_app *a, const char *name)
{
    (void)a;
    note("card(%s)", name != NULL ? name : "");
}
void psst_add_open(struct psst_app *a, const char *path)
{
    (void)a;
    note("add(%s)", path != NULL ? path : "");
}
void psst_verify_open(struct psst_app *a, const char *name)
{
    (void)a;
    note("verify(%s)", name);
}
void psst_unlock_open(struct psst_app *a)
{
    (void)a;
    note("unlock");
}
void psst_search_open(struct psst_app *a, const char *words)
{
    (void)a;
    note("search(%s)", words);
}

/* ---- a world ---- */

static const struct psst_verb verbs[] = {
    {.name = "say", .usage = "say NAME [--wait S] TEXT...|-", .screen = PSST_SCREEN_OWN},
    {.name = "log", .usage = "log NAME [-f] [-n N]\nlog --search WORDS", .screen = PSST_SCREEN_SHOWN},
    {.name = "rename", .usage = "rename NAME NEW", .screen = PSST_SCREEN_SHOWN},
    {.name = "calls", .usage = "calls [NAME] [-n N]", .screen = PSST_SCREEN_SHOWN},
    {.name = "remove", .usage = "remove NAME", .screen = PSST_SCREEN_ASKS},
    {.name = "init", .usage = "init", .screen = PSST_SCREEN_NOT},
};
static const struct psst_verb *const table[] = {&verbs[0], &verbs[1], &verbs[2], &verbs[3], &verbs[4], &verbs[5]};
static struct psst_tui setup = {.verbs = table, .n_verbs = 6, .version = "0"};

static uint64_t now = 1000000;
uint64_t psst_client_now_ms(void)
{
    return now;
}

/* The line is begun: what is there has been there for a while. */
static void begin_line(void)
{
    struct psst_seen_file seen[PSST_SIGHT_FILES];
    size_t n = 0;
    for (; n < fake.n_files && n < PSST_SIGHT_FILES; n++)
        seen[n] = (struct psst_seen_file){.id = fake.files[n].id, .offer = psst_transfer_is_offer(&fake.files[n])};
    psst_sight_call(&app);
    psst_sight_files(&app, seen, n);
    now += PSST_NOTICED_MS;
    psst_moment_take(&app, &app.meant);
}

/* It is entered as it was begun. */
static void end_line(const char *line)
{
    psst_sight_call(&app);
    done[0] = app.notice[0] = '\0';
    warned = false;
    psst_command_line(&app, line);
}

static void do_line(const char *line)
{
    begin_line();
    end_line(line);
}

static int begin(void **state)
{
    (void)state;
    fake_begin(&app, 24, 80);
    app.setup = &setup;
    fake.n_people = 3;
    fake.people[0].name = "Bob";
    fake.people[1].name = "Carol Ann";
    fake.people[2].name = "Cedric";
    fake.n_files = 0;
    fake.call = (struct psst_call_now){.state = PSST_CALL_NONE, .name = "", .send = true};
    app.open = (char *)"Bob";
    return 0;
}

/* ---- lines ---- */

static void line__table__does_this(void **state)
{
    static const struct {
        const char *line, *want;
    } cases[] = {
        {"//hello", "say(Bob:/hello)"},
        {"/msg Carol\\ Ann don't \"worry", "say(Carol Ann:don't \"worry)"},
        {"/msg ce hi", "say(Cedric:hi)"},
        {"/say bob two  blanks", ""}, /* exactly, or the beginning of one */
        {"/call", "call{\"name\":\"Bob\"}open(Bob)"},
        {"/call Ced", "call{\"name\":\"Cedric\"}open(Cedric)"},
        {"/call Cedric --message", "ask(call|Cedric|--message)"},
        {"/call --message", "ask(call|Bob|--message)"},
        {"/call C", ""},
        {"/hangup", "hangup{\"name\":\"Bob\"}"},
        {"/dial 127.0.0.1:99", "dial{\"address\":\"127.0.0.1:99\",\"name\":\"Bob\"}"},
        {"/dial Cedric [::1]:4516", "dial{\"address\":\"[::1]:4516\",\"name\":\"Cedric\"}"},
        {"/sense -40", "voice.set{\"sense\":-40}"},
        {"/sense 1", ""},
        {"/sense x", ""},
        {"/quality 11", ""},
        {"/quality", "voice"},
        {"/mute", ""}, /* there is no call */
        {"/log", "run(log|Bob)"},
        {"/log -f", "run(log|Bob|-f)"},
        {"/log -f Cedric", "run(log|-f|Cedric)"},
        {"/log Cedric -n 3", "run(log|Cedric|-n|3)"},
        {"/rename Robert", "run(rename|Bob|Robert)"},
        {"/calls", "run(calls)"},
        {"/remove", "ask(remove|Bob)"},
        {"/init", ""},
        {"/set", "run(set)"},
        {"/set mouse no", "set{\"key\":\"mouse\",\"value\":\"no\"}"},
        {"/set listen a b", "set{\"key\":\"listen\",\"value\":\"a b\"}"},
        {"/set listen \"\"", "set{\"key\":\"listen\",\"value\":null}"},
        {"/away isn't here", "presence{\"state\":\"away\",\"text\":\"isn't here\"}"},
        {"/back", "presence{\"state\":\"online\",\"text\":\"\"}"},
        {"/search \"two words\" x*", "search(\"two words\" x*)"},
        {"/card", "card()"},
        {"/card Cedric", "card(Cedric)"},
        {"/card -o x", "run(card|-o|x)"},
        {"/add", "add()"},
        {"/add 'a b.psst'", "add(a b.psst)"},
        {"/verify", "verify(Bob)"},
        {"/open ced", "open(Cedric)"},
        {"/query nobody", ""},
        {"/close", "open(nobody)"},
        {"/top", "scroll(-1)"},
        {"/bott", "scroll(0)"},
        {"/accept", ""},
        {"/accept 12 13", "file.accept{\"id\":12}file.accept{\"id\":13}"},
        {"/accept 12 x", ""},
        {"/accept 99999999999999999999", ""},
        {"/cancel 0", ""},
        {"/decline 7", "file.decline{\"id\":7}"},
        {"/decline Cedric", "decline{\"name\":\"Cedric\"}"},
        {"/play 5", "play{\"id\":5}"},
        {"/play 5x", ""},
        {"/stop", "voice.stop"},
        {"/file", ""},
        {"/file /nowhere/at/all", ""},
        {"/quit", "quit"},
        {"/qu", ""},
        {"/msg \"Bob", ""},
        {"/frobnicate it", ""},
        {"/", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bool closed = app.closed;
        do_line(cases[i].line);
        if (strcmp(cases[i].line, "/say bob two  blanks") == 0) { /* ASCII case does not count */
            assert_string_equal("say(Bob:two  blanks)", done);
            continue;
        }
        if (strcmp(cases[i].want, done) != 0) fail_msg("%s: %s", cases[i].line, done);
        if (done[0] == '\0' && app.notice[0] == '\0') fail_msg("%s: nothing was done, and nothing said", cases[i].line);
        app.closed = closed;
    }
}

static void line__nobody_open__says_so_and_asks_nothing(void **state)
{
    static const char *const lines[] = {"//x", "/call", "/verify", "/file x", "/why", "/hangup", "/dial"};
    (void)state;
    app.open = NULL;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        do_line(lines[i]);
        assert_string_equal("", done);
        assert_true(warned);
        assert_non_null(strstr(app.notice, "nobody is open"));
    }
    do_line("/log");
    assert_string_equal("run(log)", done);
    do_line("/card");
    assert_string_equal("card()", done);
}

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

/* ---- pages of text ---- */

static void draw(void)
{
    struct psst_area area = {0, 0, fake.rows, fake.columns};
    fake_wipe();
    app.page->kind->draw(app.page, &app, area);
}

static void press(enum psst_key_code code, uint32_t cp)
{
    struct psst_key key = {.code = code, .cp = cp};
    if (!app.page->kind->key(app.page, &app, &key) && code == PSST_KEY_ESCAPE) psst_page_pop(&app);
}

static void open_lines(unsigned n)
{
    struct psst_buf text;
    psst_buf_init(&text, 1 << 20);
    for (unsigned i = 1; i <= n; i++) psst_buf_printf(&text, "line %u\n", i);
    psst_buf_put_u8(&text, 0);
    psst_pager_open(&app, "Lines", (const char *)text.data);
    psst_buf_fini(&text);
}

static void pager__long_text__is_walked_through(void **state)
{
    (void)state;
    fake.rows = 10;
    open_lines(100);
    draw();
    assert_true(fake_has("line 1"));
    assert_true(fake_has("line 9"));
    assert_false(fake_has("line 10"));
    press(PSST_KEY_PAGE_DOWN, 0);
    draw();
    assert_int_equal(0, fake_find("line 9"));
    press(PSST_KEY_UP, 0);
    draw();
    assert_int_equal(0, fake_find("line 8"));
    press(PSST_KEY_END, 0);
    draw();
    assert_int_equal(8, fake_find("line 100"));
    press(PSST_KEY_DOWN, 0);
    draw();
    assert_int_equal(8, fake_find("line 100"));
    press(PSST_KEY_HOME, 0);
    press(PSST_KEY_UP, 0);
    draw();
    assert_true(fake_has("line 1"));
    press(PSST_KEY_TEXT, 'q');
    assert_null(app.page);
}

static void pager__search__goes_there_and_on(void **state)
{
    static const char typed[] = "/LINE 4";
    (void)state;
    fake.rows = 10;
    open_lines(60);
    draw();
    for (const char *c = typed; *c != '\0'; c++) press(PSST_KEY_TEXT, (uint32_t)*c);
    draw();
    assert_true(fake_has("/LINE 4"));
    press(PSST_KEY_ENTER, 0);
    draw();
    assert_true(fake_has("line 4"));
    press(PSST_KEY_TEXT, 'n');
    draw();
    assert_true(fake_has("line 40"));
    press(PSST_KEY_TEXT, 'N');
    draw();
    assert_int_equal(0, fake_find("line 1") < 0 ? fake_find("line 2") : fake_find("line 1"));
    press(PSST_KEY_ESCAPE, 0);
    assert_null(app.page);
}

static void pager__narrow__goes_on_under_the_second_column(void **state)
{
    (void)state;
    fake.rows = 10;
    fake.columns = 40;
    psst_pager_open(&app, "Table", "  F1        this help that is too long for one row of it\n");
    draw();
    int row = fake_find("F1");
    assert_true(row >= 0);
    assert_memory_equal("             ", fake_row(row + 1), 12);
    assert_true(fake_row(row + 1)[13] != ' ');
    press(PSST_KEY_ESCAPE, 0);
}

static unsigned lefts;
static void on_left(void *ctx)
{
    (void)ctx;
    lefts++;
}

static void pager__that_grows__follows_until_one_goes_up(void **state)
{
    (void)state;
    fake.rows = 6;
    lefts = 0;
    struct psst_page *page = psst_pager_begin(&app, "Grows", on_left, NULL);
    assert_non_null(page);
    for (unsigned i = 1; i <= 20; i++) {
        char line[32];
        (void)snprintf(line, sizeof line, "line %u\n", i);
        psst_pager_append(page, &app, psst_view_str(line));
        draw();
    }
    assert_true(fake_has("line 20"));
    press(PSST_KEY_PAGE_UP, 0);
    psst_pager_append(page, &app, psst_view_str("line 21\n"));
    draw();
    assert_false(fake_has("line 21"));
    press(PSST_KEY_END, 0);
    psst_pager_append(page, &app, psst_view_str("line 2"));
    psst_pager_append(page, &app, psst_view_str("2\n"));
    draw();
    assert_true(fake_has("line 22"));
    press(PSST_KEY_ESCAPE, 0);
    assert_int_equal(1, lefts);
}

static void pager__hostile_text__moves_nothing(void **state)
{
    char *wide = malloc(300001);
    (void)state;
    assert_non_null(wide);
    fake.rows = 10;
    psst_pager_open(&app, "Bad",
                    "\x1b[2Jclear\x9b\n\xff\xfe\xe2\x80\xae"
                    "evil\n\x07\x08\n");
    draw();
    for (int i = 0; i < fake.rows; i++) assert_null(strchr(fake_row(i), 0x1b));
    press(PSST_KEY_ESCAPE, 0);
    memset(wide, 0xf0, 300000); /* one line, no UTF-8, much longer than any */
    wide[300000] = '\0';
    psst_pager_open(&app, "Wide", wide);
    draw();
    press(PSST_KEY_END, 0);
    draw();
    press(PSST_KEY_PAGE_UP, 0);
    draw();
    press(PSST_KEY_ESCAPE, 0);
    free(wide);
}

static void pager__empty_text__is_a_page(void **state)
{
    (void)state;
    psst_pager_open(&app, "Nothing", "");
    draw();
    press(PSST_KEY_DOWN, 0);
    press(PSST_KEY_UP, 0);
    press(PSST_KEY_END, 0);
    press(PSST_KEY_TEXT, 'n');
    draw();
    press(PSST_KEY_ESCAPE, 0);
    assert_null(app.page);
}

static void help__f1_again__leaves_it(void **state)
{
    (void)state;
    do_line("/help");
    assert_true(psst_pager_is(app.page, "Help"));
    draw();
    assert_true(fake_has("Keys"));
    psst_help_open(&app, NULL);
    assert_null(app.page);
    do_line("/help /mute");
    draw();
    assert_true(fake_has("/mute"));
    psst_page_pop(&app);
    do_line("/help frobnicate");
    assert_null(app.page);
    assert_true(warned);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(line__table__does_this, begin),
        cmocka_unit_test_setup(line__nobody_open__says_so_and_asks_nothing, begin),
        cmocka_unit_test_setup(call__rings__is_answered_declined_hung_up, begin),
        cmocka_unit_test_setup(call__begins_to_ring_while_one_writes__was_not_meant, begin),
        cmocka_unit_test_setup(call__rings_since_a_moment__was_not_meant, begin),
        cmocka_unit_test_setup(call__rings_no_more__nothing_else_is_taken_for_it, begin),
        cmocka_unit_test_setup(hangup__as_the_call_ends__leaves_the_session, begin),
        cmocka_unit_test_setup(hangup__just_after_the_call__leaves_the_session, begin),
        cmocka_unit_test_setup(hangup__of_the_call_alone__takes_no_other, begin),
        cmocka_unit_test_setup(call__active__switches_turn_over, begin),
        cmocka_unit_test_setup(accept__what_came_while_one_wrote__is_asked_for, begin),
        cmocka_unit_test_setup(accept__without_id__takes_the_only_one_of_who_is_open, begin),
        cmocka_unit_test_setup(pager__long_text__is_walked_through, begin),
        cmocka_unit_test_setup(pager__search__goes_there_and_on, begin),
        cmocka_unit_test_setup(pager__narrow__goes_on_under_the_second_column, begin),
        cmocka_unit_test_setup(pager__that_grows__follows_until_one_goes_up, begin),
        cmocka_unit_test_setup(pager__hostile_text__moves_nothing, begin),
        cmocka_unit_test_setup(pager__empty_text__is_a_page, begin),
        cmocka_unit_test_setup(help__f1_again__leaves_it, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
