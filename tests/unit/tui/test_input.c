/* The terminal on a pseudo-terminal of its own: what is pressed, what is written, and that it is given back. */
#include "support/check.h"
#include "tui/input.h"
#include "tui/screen.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static int person = -1, kept[2], side = -1; /* the person's end; ours were; ours is */
static struct termios mode_before;
static char seen[1 << 18]; /* what was written to the terminal since look() */

static int take_terminal(void **state)
{
    static const struct psst_screen_wish wish = {.mouse = true};
    struct winsize size = {.ws_row = 24, .ws_col = 80};
    (void)state;
    person = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
    if (person < 0 || grantpt(person) != 0 || unlockpt(person) != 0) return -1;
    side = open(ptsname(person), O_RDWR | O_NOCTTY);
    if (side < 0 || ioctl(side, TIOCSWINSZ, &size) != 0 || tcgetattr(side, &mode_before) != 0) return -1;
    for (int i = 0; i < 2; i++) {
        kept[i] = dup(i);
        (void)dup2(side, i);
    }
    (void)setenv("TERM", "xterm", 1);
    (void)setenv("LC_ALL", "C.UTF-8", 1);
    (void)unsetenv("NO_COLOR");
    return psst_screen_begin(&wish) ? 0 : -1;
}

static int give_back(void **state)
{
    (void)state;
    psst_screen_end();
    for (int i = 0; i < 2; i++) {
        (void)dup2(kept[i], i);
        (void)close(kept[i]);
    }
    (void)close(side);
    (void)close(person);
    return 0;
}

/* What has been written since the last look, and how much. */
static size_t look(void)
{
    size_t len = 0;
    ssize_t n;
    while (len < sizeof seen - 1 && (n = read(person, seen + len, sizeof seen - 1 - len)) > 0) len += (size_t)n;
    seen[len] = '\0';
    return len;
}

static void press(const char *bytes)
{
    assert_int_equal(write(person, bytes, strlen(bytes)), (ssize_t)strlen(bytes));
}

/* What the loop does: waits, then asks. */
static struct psst_key next(void)
{
    struct psst_key key = {.code = PSST_KEY_NONE};
    for (int i = 0; i < 20 && key.code == PSST_KEY_NONE; i++) {
        struct pollfd fds[2] = {{.fd = psst_input_fd(), .events = POLLIN},
                                {.fd = psst_input_signal_fd(), .events = POLLIN}};
        (void)poll(fds, 2, 500);
        psst_input_next(&key);
    }
    return key;
}

static enum psst_secret_key secret(struct psst_passphrase *pass)
{
    enum psst_secret_key what = PSST_SECRET_NOTHING;
    for (int i = 0; i < 20 && what == PSST_SECRET_NOTHING; i++) {
        struct pollfd ready = {.fd = psst_input_fd(), .events = POLLIN};
        (void)poll(&ready, 1, 500);
        what = psst_input_secret(pass);
    }
    return what;
}

static void expect(const char *bytes, enum psst_key_code code, uint32_t cp)
{
    press(bytes);
    struct psst_key key = next();
    assert_int_equal(key.code, code);
    assert_int_equal(key.cp, cp);
}

/* ---- keys ---- */

static void input__joins__what_reads_have_cut(void **state)
{
    struct psst_key key;
    (void)state;
    press("\xe4\xbd");
    psst_input_next(&key);
    assert_int_equal(key.code, PSST_KEY_NONE);
    expect("\xa0", PSST_KEY_TEXT, 0x4f60);
    press("\033[1;");
    psst_input_next(&key);
    assert_int_equal(key.code, PSST_KEY_NONE);
    expect("3A", PSST_KEY_UP, 0);
    press("\033[200~a\r\nb\033[20");
    psst_input_next(&key);
    assert_int_equal(key.code, PSST_KEY_NONE);
    press("1~c");
    key = next();
    assert_int_equal(key.code, PSST_KEY_PASTE);
    assert_bytes(psst_view_str("a\nb"), key.paste, key.paste_len);
    expect("", PSST_KEY_TEXT, 'c');
}

static void input__tells__escape_from_what_begins_with_it(void **state)
{
    (void)state;
    expect("\033", PSST_KEY_ESCAPE, 0); /* after a moment */
    expect("\033x", PSST_KEY_TEXT, 'x');
}

static void input__says__that_it_is_to_end(void **state)
{
    (void)state;
    (void)raise(SIGTERM);
    assert_int_equal(next().code, PSST_KEY_GONE);
}

static void input__says__the_new_size(void **state)
{
    (void)state;
    struct winsize size = {.ws_row = 3, .ws_col = 10};
    assert_int_equal(ioctl(side, TIOCSWINSZ, &size), 0);
    (void)raise(SIGWINCH);
    assert_int_equal(next().code, PSST_KEY_RESIZE);
    psst_screen_resize();
    assert_int_equal(psst_screen_rows(), 3);
    assert_int_equal(psst_screen_columns(), 10);
}

/* ---- passphrases ---- */

static void secret__takes__letters_and_nothing_else(void **state)
{
    struct psst_passphrase pass = {.len = 0};
    (void)state;
    press("ab\033[A\033OB\033[1;3C\033[<0;5;5M\033[M !!\033[I\x01\xc3\xa4\xe4\xbd\xa0\x7f");
    assert_int_equal(secret(&pass), PSST_SECRET_MORE);
    assert_string_equal(pass.text, "ab\xc3\xa4");
    press("\033[200~p\rw\033[201~\rrest");
    assert_int_equal(secret(&pass), PSST_SECRET_DONE);
    assert_string_equal(pass.text, "ab\xc3\xa4pw");
    assert_int_equal(pass.len, 6);
    assert_int_equal(next().code, PSST_KEY_FOCUS_IN); /* kept for later */
    assert_int_equal(next().cp, 'r');                 /* what followed Enter is still there */
}

static void secret__is_emptied__and_given_up(void **state)
{
    struct psst_passphrase pass = {.len = 0}, none = {.len = 0};
    (void)state;
    press("secret\x15");
    assert_int_equal(secret(&pass), PSST_SECRET_MORE);
    assert_memory_equal(&pass, &none, sizeof pass);
    press("\033");
    assert_int_equal(secret(&pass), PSST_SECRET_BACK);
    press("\x03");
    assert_int_equal(secret(&pass), PSST_SECRET_GIVEN_UP);
}

static void secret__stays__within_its_limit(void **state)
{
    struct psst_passphrase pass = {.len = 0};
    char many[PSST_PASSPHRASE_MAX + 200];
    (void)state;
    memset(many, 'x', sizeof many - 1);
    many[sizeof many - 1] = '\0';
    press(many);
    assert_int_equal(secret(&pass), PSST_SECRET_MORE);
    assert_int_equal(pass.len, PSST_PASSPHRASE_MAX);
    assert_int_equal(pass.text[pass.len], '\0');
}

/* What was typed ahead of the question is the answer to it. */
static void secret__takes__what_was_typed_ahead(void **state)
{
    struct psst_passphrase pass = {.len = 0};
    (void)state;
    expect("kabc\r", PSST_KEY_TEXT, 'k');
    assert_int_equal(secret(&pass), PSST_SECRET_DONE);
    assert_string_equal(pass.text, "abc");
}

/* ---- the screen ---- */

static const struct psst_area whole = {0, 0, 24, 80};

static void screen__writes__few_bytes_for_a_letter(void **state)
{
    (void)state;
    psst_draw_clear(whole, PSST_STYLE_PLAIN);
    for (int row = 0; row < 23; row++) psst_draw_text(whole, row, 0, PSST_STYLE_OWN, "a line that is there");
    psst_draw_text(whole, 23, 0, PSST_STYLE_PLAIN, "> hell");
    psst_draw_cursor(whole, 23, 6);
    psst_screen_show();
    assert_true(look() > 400);
    psst_draw_clear(whole, PSST_STYLE_PLAIN); /* all of it anew, as views do */
    for (int row = 0; row < 23; row++) psst_draw_text(whole, row, 0, PSST_STYLE_OWN, "a line that is there");
    psst_draw_text(whole, 23, 0, PSST_STYLE_PLAIN, "> hello");
    psst_draw_cursor(whole, 23, 7);
    psst_screen_show();
    size_t n = look();
    assert_true(n > 0 && n < 40);
    assert_non_null(strchr(seen, 'o'));
    psst_screen_show();
    assert_int_equal(look(), 0);
}

/* Nobody reads: nothing waits, and the newest is shown once somebody does. */
static void screen__does_not_wait__for_who_does_not_read(void **state)
{
    (void)state;
    for (int i = 0; i < 300; i++) {
        psst_screen_redraw();
        for (int row = 0; row < 24; row++)
            psst_draw_format(whole, row, 0, PSST_STYLE_PLAIN, "round %03d %070d", i, row);
        psst_screen_show();
    }
    bool newest = false;
    size_t all = 0;
    for (int i = 0; i < 20; i++) {
        struct psst_key key;
        struct pollfd ready = {.fd = psst_input_fd(), .events = POLLIN};
        all += look();
        newest = newest || strstr(seen, "round 299") != NULL;
        if (poll(&ready, 1, 0) > 0) psst_input_next(&key);
    }
    assert_true(newest);
    assert_true(all < 300000); /* not three hundred screens of two thousand */
}

static void screen__clips__what_does_not_fit(void **state)
{
    (void)state;
    static const struct psst_area odd[] = {{-1, 0, 3, 3}, {0, -1, 3, 3},  {23, 79, 10, 10},     {100, 100, 5, 5},
                                           {0, 0, 0, 0},  {0, 0, -5, -5}, {22, 70, 1000, 1000}, {5, 5, 1, 1}};
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        psst_draw_clear(odd[i], PSST_STYLE_BAR);
        for (int at = -2; at < 12; at++) {
            (void)psst_draw_text(odd[i], at, at, PSST_STYLE_PLAIN,
                                 "wide \xe6\x97\xa5\xe6\x9c\xac and more of it than fits");
            psst_draw_line(odd[i], at, at, 5000, PSST_LINE_DOWN);
            psst_draw_line(odd[i], at, at, 5000, PSST_LINE_ACROSS);
            psst_draw_bar(odd[i], at, at, 5000, PSST_STYLE_PLAIN, at / 5.0);
            psst_draw_cursor(odd[i], at, at);
        }
        psst_screen_show();
    }
    (void)look();
}

static void screen__cuts__with_an_ellipsis(void **state)
{
    (void)state;
    struct psst_area narrow = {2, 10, 1, 8};
    psst_draw_clear(whole, PSST_STYLE_PLAIN);
    assert_int_equal(psst_draw_text(narrow, 0, 0, PSST_STYLE_PLAIN, "exactly8"), 8);
    psst_screen_show();
    (void)look();
    assert_non_null(strstr(seen, "exactly8"));
    assert_int_equal(psst_draw_text(narrow, 0, 0, PSST_STYLE_PLAIN, "too long for it"), 8);
    psst_screen_redraw();
    psst_screen_show();
    (void)look();
    assert_non_null(strstr(seen, "too lon\xe2\x80\xa6"));
    assert_null(strstr(seen, "too long"));
}

/* Nothing from outside reaches the terminal as a control (attack 34), the title neither. */
static void screen__shows__controls_as_symbols(void **state)
{
    (void)state;
    psst_screen_title("t\033]52;c;AAAA\007\x9b");
    (void)psst_draw_text(whole, 0, 0, PSST_STYLE_PLAIN,
                         "a\033]0;evil\007b\r\n\xc2\x9b"
                         "c");
    psst_screen_show();
    (void)look();
    assert_null(strstr(seen, "\033]0;"));
    assert_null(strstr(seen, "\033]52"));
    assert_null(strchr(seen, '\007'));
    assert_null(strstr(seen, "\xc2\x9b"));
    assert_non_null(strstr(seen, "\033]2;t\xe2\x90\x9b]52;c;AAAA"));
}

static void screen__is_given_back__as_it_was(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {{"\033[?2004h", "\033[?2004l"}, {"\033[?1004h", "\033[?1004l"},
                                           {"\033[8l", "\033[8h"},         {"\033[?1000h", "\033[?1000l"},
                                           {"\033[?1006h", "\033[?1006l"}, {"\033[?1049h", "\033[?1049l"},
                                           {"\033]2;", "\033[23;2t"},      {"\033[?1036;1039h", "\033[?1036;1039r"}};
    struct termios mode;
    psst_screen_title("ours");
    psst_screen_show();
    (void)look();
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) assert_non_null(strstr(seen, pairs[i][0]));
    assert_int_equal(tcgetattr(side, &mode), 0);
    assert_int_equal(mode.c_lflag & (ECHO | ICANON | ISIG), 0);
    for (int i = 0; i < 2; i++) { /* lent and back, then at the end */
        psst_screen_lend();
        (void)look();
        for (size_t k = 0; k < sizeof pairs / sizeof pairs[0]; k++) assert_non_null(strstr(seen, pairs[k][1]));
        assert_int_equal(tcgetattr(side, &mode), 0);
        assert_int_equal(mode.c_lflag, mode_before.c_lflag);
        assert_int_equal(mode.c_iflag, mode_before.c_iflag);
        assert_int_equal(mode.c_oflag, mode_before.c_oflag);
        psst_screen_show(); /* not ours: nothing */
        assert_int_equal(look(), 0);
        psst_screen_bell(); /* but who is called hears it */
        (void)look();
        assert_string_equal(seen, "\a");
        psst_screen_back();
        psst_screen_show();
        (void)look();
        for (size_t k = 0; k < sizeof pairs / sizeof pairs[0]; k++) assert_non_null(strstr(seen, pairs[k][0]));
    }
}

static void draw_word(const char *word)
{
    struct psst_area area = {0, 0, psst_screen_rows(), psst_screen_columns()};
    psst_draw_clear(area, PSST_STYLE_PLAIN);
    (void)psst_draw_text(area, 3, 3, PSST_STYLE_PLAIN, word);
    psst_screen_show();
    (void)look();
}

/* What stood there is wiped off before it is left: not every terminal has two screens, or forgets the one. */
static void assert_cleared_before_left(void)
{
    const char *left = strstr(seen, "\033[?1049l");
    assert_non_null(left);
    const char *cleared = strstr(seen, "\033[H\033[2J");
    assert_true(cleared != NULL && cleared < left);
}

static void screen__is_empty__when_it_is_left(void **state)
{
    (void)state;
    draw_word("Zinnober");
    psst_screen_lend();
    (void)look();
    assert_cleared_before_left();
    psst_screen_back();
    draw_word("Zinnober");
    psst_screen_lend_bare();
    (void)look();
    assert_cleared_before_left();
    assert_non_null(strstr(strstr(seen, "\033[?1049l"), "\033[?1049h")); /* and another one is there */
    psst_screen_back();
    (void)look();
    assert_cleared_before_left();
    draw_word("Zinnober");
    psst_screen_forget();
    psst_screen_show();
    (void)look();
    assert_non_null(strstr(seen, "\033[H\033[2J"));
    assert_null(strchr(seen, '.')); /* what it was written over with is not shown */
    draw_word("Zinnober");
    assert_non_null(strstr(seen, "Zinnober"));
}

static void screen__is_given_back__by_who_dies(void **state)
{
    (void)state;
    static const struct psst_screen_wish wish = {.mouse = true};
    static const int deaths[] = {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGQUIT};
    struct termios mode;
    for (size_t i = 0; i < sizeof deaths / sizeof deaths[0]; i++) {
        int status;
        psst_screen_end();
        (void)look();
        pid_t child = fork();
        if (child == 0) {
            (void)signal(deaths[i], SIG_DFL); /* the test's own way to die would come back here */
            if (psst_screen_begin(&wish)) {
                psst_screen_title("ours");
                psst_screen_show();
                (void)raise(deaths[i]);
            }
            _exit(0);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), deaths[i]);
        (void)look();
        const char *begun = strstr(seen, "\033[?1049h");
        assert_non_null(begun);
        assert_cleared_before_left();
        assert_non_null(strstr(begun, "\033[?2004l"));
        assert_non_null(strstr(begun, "\033[?1000l"));
        assert_non_null(strstr(begun, "\033[8h"));
        assert_non_null(strstr(begun, "\033[23;2t"));
        assert_int_equal(tcgetattr(side, &mode), 0);
        assert_int_equal(mode.c_lflag, mode_before.c_lflag);
        assert_int_equal(mode.c_oflag, mode_before.c_oflag);
    }
}

/* The interrupt key is then that of whom it was lent to. */
static void screen__is_lent__with_its_keys(void **state)
{
    struct psst_key key;
    (void)state;
    psst_screen_lend();
    (void)raise(SIGINT);
    (void)raise(SIGQUIT);
    psst_screen_back();
    psst_input_next(&key);
    assert_int_equal(key.code, PSST_KEY_NONE);
    (void)raise(SIGINT);
    psst_input_next(&key);
    assert_int_equal(key.code, PSST_KEY_GONE);
}

#define on_a_terminal(test) cmocka_unit_test_setup_teardown(test, take_terminal, give_back)

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_a_terminal(input__joins__what_reads_have_cut),
        on_a_terminal(input__tells__escape_from_what_begins_with_it),
        on_a_terminal(input__says__that_it_is_to_end),
        on_a_terminal(input__says__the_new_size),
        on_a_terminal(secret__takes__letters_and_nothing_else),
        on_a_terminal(secret__is_emptied__and_given_up),
        on_a_terminal(secret__stays__within_its_limit),
        on_a_terminal(secret__takes__what_was_typed_ahead),
        on_a_terminal(screen__writes__few_bytes_for_a_letter),
        on_a_terminal(screen__does_not_wait__for_who_does_not_read),
        on_a_terminal(screen__clips__what_does_not_fit),
        on_a_terminal(screen__cuts__with_an_ellipsis),
        on_a_terminal(screen__shows__controls_as_symbols),
        on_a_terminal(screen__is_given_back__as_it_was),
        on_a_terminal(screen__is_empty__when_it_is_left),
        on_a_terminal(screen__is_given_back__by_who_dies),
        on_a_terminal(screen__is_lent__with_its_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
