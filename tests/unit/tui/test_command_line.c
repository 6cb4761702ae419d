/* A line that begins with a slash, and what is done about it; and pages of text. psstd, children and the rest of the interface
 * are made up here: what would go to them is written down. */
#include "unit/tui/fake_app.h"

#include "tui/pager.h"
#include "tui/screen.h"

#include <stdio.h>
#include <stdlib.h>

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
