/* Verbs as programs of their own. The program that is run is this one: with words it is the verb, without it is the test. */
#include "support/check.h"
#include "unit/tui/fake_notice.h"
#include "unit/tui/fake_world.h"

#include "tui/commands.h"
#include "tui/pager.h"
#include "tui/screen.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE_MS 20000

/* ---- the verb ---- */

static int verb_line(void)
{
    (void)printf("one line\n");
    return 0;
}
static int verb_speaks(void)
{
    (void)printf("no files: psst send NAME FILE; psst files --all, psst nothing, lpsst send\n");
    return 0;
}
static int verb_said(void)
{
    (void)printf("-- Monday\n11:30 bob | psst send me that\n");
    return 0;
}
static int verb_fail(void)
{
    (void)fprintf(stderr, "psst: it went wrong\n");
    return 1;
}
static int verb_usage(void)
{
    (void)fprintf(stderr, "psst: something is missing\nusage: psst rename NAME NEW\n");
    return 2;
}
static int verb_many(void)
{
    for (int i = 1; i <= 2000; i++) (void)printf("line %d\n", i);
    return 0;
}
static int verb_silent(void)
{
    return 3;
}
static int verb_killed(void)
{
    return raise(SIGKILL);
}
static int verb_looks(void)
{
    char c;
    bool terminal = isatty(0) || isatty(1) || isatty(2) || getsid(0) != getpid();
    (void)printf("%s, %s, %s columns", terminal ? "a terminal" : "no terminal",
                 read(STDIN_FILENO, &c, 1) == 0 ? "nothing to read" : "something to read", getenv("COLUMNS"));
    for (int fd = 3; fd < 256; fd++)
        if (fcntl(fd, F_GETFD) >= 0) (void)printf(", descriptor %d", fd);
    (void)printf("\n");
    return 0;
}
static int verb_runs(void)
{
    (void)printf("a\nb\nc\n");
    (void)fflush(stdout);
    while (pause() < 0) {
    }
    return 0;
}
static int verb_waits(void)
{
    while (pause() < 0) {
    }
    return 0;
}
static int verb_flood(void)
{
    for (int i = 0; i < 40000; i++) (void)printf("%060d\n", i);
    return 0;
}

static int verb_asks(void)
{
    char c;
    return read(STDIN_FILENO, &c, 1) == 1 && c == 'y' ? 0 : 1;
}

static const struct {
    const char *name;
    int (*run)(void);
} as_verb[] = {{"asks", verb_asks}, {"line", verb_line},     {"fail", verb_fail},     {"usage", verb_usage},
               {"many", verb_many}, {"silent", verb_silent}, {"killed", verb_killed}, {"looks", verb_looks},
               {"runs", verb_runs}, {"waits", verb_waits},   {"flood", verb_flood},   {"speaks", verb_speaks},
               {"said", verb_said}};

/* ---- the interface around it ---- */

static struct psst_app app;

const struct psst_verb *psst_command_verb(const struct psst_app *a, const char *name)
{
    static const struct psst_verb verb = {.name = "one"};
    (void)a;
    return strcmp(name, "send") == 0 || strcmp(name, "files") == 0 ? &verb : NULL;
}
static bool lent;
void psst_screen_lend(void)
{
    lent = true;
}
void psst_screen_back(void)
{
    lent = false;
}
int psst_notify_due_ms(struct psst_app *a)
{
    (void)a;
    return -1;
}
void psst_notify_turn(struct psst_app *a)
{
    (void)a;
}

static int begin(void **state)
{
    (void)state;
    fake_begin(&app, 24, 80);
    app.notice[0] = '\0';
    warned = false;
    return 0;
}

static int end(void **state)
{
    (void)state;
    psst_child_end_all(&app);
    while (app.page != NULL) psst_page_pop(&app);
    return 0;
}

static void run(const char *verb, const char *word)
{
    char *words[] = {(char *)verb, (char *)word, NULL};
    psst_child_run(&app, words);
}

static size_t turn(int timeout_ms)
{
    struct pollfd fds[8];
    size_t n = psst_child_poll(&app, fds, 8);
    if (n > 0 && poll(fds, (nfds_t)n, timeout_ms) > 0) psst_child_turn(&app, fds, n);
    return n;
}

static void run_to_end(const char *verb)
{
    run(verb, NULL);
    while (turn(PATIENCE_MS) > 0) {
    }
}

static const char *row(int i)
{
    struct psst_area area = {0, 0, fake.rows, fake.columns};
    fake_wipe();
    app.page->kind->draw(app.page, &app, area);
    return fake_row(i);
}

static void press(enum psst_key_code code)
{
    struct psst_key key = {.code = code};
    if (!app.page->kind->key(app.page, &app, &key) && code == PSST_KEY_ESCAPE) psst_page_pop(&app);
}

/* ---- tests ---- */

static void child__one_line__is_a_notice(void **state)
{
    (void)state;
    run_to_end("line");
    assert_string_equal("one line", app.notice);
    assert_false(warned);
    assert_null(app.page);
}

static void child__that_failed__is_an_error_in_the_words_of_the_screen(void **state)
{
    (void)state;
    run_to_end("fail");
    assert_string_equal("it went wrong", app.notice);
    assert_true(warned);
    run_to_end("usage");
    assert_string_equal("something is missing; usage: /rename NAME NEW", app.notice);
    warned = false;
    run_to_end("silent");
    assert_string_equal("/silent did not work", app.notice);
    assert_true(warned);
    warned = false;
    run_to_end("killed");
    assert_true(warned);
}

static void child__that_names_verbs__means_commands(void **state)
{
    (void)state;
    run_to_end("speaks");
    assert_string_equal("no files: /send NAME FILE; /files --all, psst nothing, lpsst send", app.notice);
}

static void child__that_shows_what_was_said__is_a_page_word_for_word(void **state)
{
    (void)state;
    run_to_end("said");
    assert_true(psst_pager_is(app.page, "/said"));
    (void)row(0);
    assert_true(fake_has("11:30 bob | psst send me that"));
}

static void child__many_lines__are_a_page(void **state)
{
    (void)state;
    run_to_end("many");
    assert_true(psst_pager_is(app.page, "/many"));
    press(PSST_KEY_END);
    (void)row(0);
    assert_true(fake_has("line 2000"));
}

static void child__has__no_terminal_no_input_nothing_of_ours(void **state)
{
    (void)state;
    run_to_end("looks");
    assert_string_equal("no terminal, nothing to read, 80 columns", app.notice);
}

static void child__that_goes_on__is_shown_and_ends_with_its_page(void **state)
{
    (void)state;
    run("runs", "on");
    while (app.page == NULL && turn(PATIENCE_MS) > 0) {
    }
    assert_true(psst_pager_is(app.page, "/runs on"));
    (void)row(0);
    assert_true(fake_has("c"));
    press(PSST_KEY_ESCAPE);
    assert_null(app.page);
    while (turn(PATIENCE_MS) > 0) {
    }
    assert_string_equal("", app.notice); /* whoever left does not want to hear of it */
    assert_null(app.page);
}

static void child__fifth__is_refused_until_one_ends(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) run("waits", NULL);
    assert_false(warned);
    run("waits", NULL);
    assert_true(warned);
    assert_int_equal(4, psst_child_stop_all(&app));
    while (turn(PATIENCE_MS) > 0) {
    }
    run_to_end("line");
    assert_string_equal("one line", app.notice);
}

static void child__that_prints_without_end__is_cut(void **state)
{
    (void)state;
    run_to_end("flood");
    assert_true(psst_pager_is(app.page, "/flood"));
    press(PSST_KEY_END);
    (void)row(0);
    assert_true(fake_has("the rest is left out"));
}

static void child__at_the_end_of_all__ends_too(void **state)
{
    struct pollfd fds[8];
    (void)state;
    run("waits", NULL);
    assert_int_equal(2, psst_child_poll(&app, fds, 8));
    int process = dup(fds[1].fd); /* a pidfd: readable when it has ended */
    psst_child_end_all(&app);
    struct pollfd ended = {.fd = process, .events = POLLIN};
    assert_int_equal(1, poll(&ended, 1, PATIENCE_MS));
    (void)close(process);
    assert_int_equal(0, psst_child_poll(&app, fds, 8));
}

/* ---- on the whole terminal ---- */

static unsigned heard, heard_lent;
static void on_event(void *ctx, const char *event, json_t *params)
{
    (void)ctx;
    (void)params;
    if (strcmp(event, "message") != 0) return;
    heard++;
    heard_lent += lent;
}

/* Runs `psst asks`, to which "y" and Enter are typed; psstd has said `said` before, and may have ended. */
static void ask(const char *said, bool ended)
{
    char *words[] = {(char *)(uintptr_t) "asks", NULL};
    int keys[2], line[2], input = dup(STDIN_FILENO), output = dup(STDOUT_FILENO), nowhere = open("/dev/null", O_WRONLY);
    heard = heard_lent = 0;
    assert_int_equal(pipe(keys), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, line), 0);
    assert_int_equal(write(keys[1], "y\n", 2), 2);
    assert_int_equal(write(line[1], said, strlen(said)), (ssize_t)strlen(said));
    if (ended) (void)close(line[1]);
    assert_ok(psst_client_over(&app.client, line[0]));
    psst_client_on_event(app.client, on_event, NULL);
    (void)fflush(stdout);
    (void)dup2(keys[0], STDIN_FILENO);
    (void)dup2(nowhere, STDOUT_FILENO);
    psst_child_ask(&app, words);
    (void)fflush(stdout);
    (void)dup2(input, STDIN_FILENO);
    (void)dup2(output, STDOUT_FILENO);
    psst_client_close(app.client);
    app.client = NULL;
    if (!ended) (void)close(line[1]);
    const int all[] = {keys[0], keys[1], input, output, nowhere};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) (void)close(all[i]);
}

#define MESSAGE "{\"jsonrpc\":\"2.0\",\"method\":\"message\",\"params\":{}}\n"

static void child__that_asks__has_the_terminal_and_psstd_is_heard(void **state)
{
    (void)state;
    ask(MESSAGE MESSAGE, false);
    assert_int_equal(heard, 2);
    assert_int_equal(heard_lent, 2);
    assert_false(lent);
    assert_false(app.gone);
}

static void child__that_asks__goes_on_when_psstd_ends(void **state)
{
    (void)state;
    ask("", true);
    assert_true(app.gone);
    assert_false(lent);
}

int main(int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < sizeof as_verb / sizeof as_verb[0]; i++)
        if (strcmp(as_verb[i].name, argv[1]) == 0) return as_verb[i].run();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(child__one_line__is_a_notice, begin, end),
        cmocka_unit_test_setup_teardown(child__that_failed__is_an_error_in_the_words_of_the_screen, begin, end),
        cmocka_unit_test_setup_teardown(child__that_names_verbs__means_commands, begin, end),
        cmocka_unit_test_setup_teardown(child__that_shows_what_was_said__is_a_page_word_for_word, begin, end),
        cmocka_unit_test_setup_teardown(child__many_lines__are_a_page, begin, end),
        cmocka_unit_test_setup_teardown(child__has__no_terminal_no_input_nothing_of_ours, begin, end),
        cmocka_unit_test_setup_teardown(child__that_goes_on__is_shown_and_ends_with_its_page, begin, end),
        cmocka_unit_test_setup_teardown(child__fifth__is_refused_until_one_ends, begin, end),
        cmocka_unit_test_setup_teardown(child__that_prints_without_end__is_cut, begin, end),
        cmocka_unit_test_setup_teardown(child__at_the_end_of_all__ends_too, begin, end),
        cmocka_unit_test_setup_teardown(child__that_asks__has_the_terminal_and_psstd_is_heard, begin, end),
        cmocka_unit_test_setup_teardown(child__that_asks__goes_on_when_psstd_ends, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
