/* The terminal library (ncurses) knows what kind of terminal this is and what has changed on it; it writes into memory,
 * and what it wrote goes to the terminal as fast as that takes it:
 *
 *   draw.c -> ncurses -> memory -> tty.c -> terminal
 *
 * A screen is made only when the last one is out. So a terminal that does not read (stopped, a stalled line) costs at most
 * one screen's worth of memory and no time, and shows the newest state when it reads again.
 */
#include "tui/screen.h"

#include "client/out.h"
#include "tui/input_begin.h"
#include "tui/screen_draw.h"
#include "tui/signals.h"
#include "tui/tty.h"

#include <curses.h>
#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <term.h>
#include <unistd.h>

#define LEAVE_MS      500 /* so long the terminal is given to take what restores it */
#define TITLE_MAX     200
#define RESTORE_BYTES 512

/* what xterm and those who follow it understand */
#define XTERM_BEGIN "\033[?2004h\033[?1004h\033[8l" /* pastes between marks, focus, the order of letters is ours */
#define XTERM_END   "\033[8h\033[?1004l\033[?2004l"
#define MOUSE_BEGIN "\033[?1000h\033[?1006h"
#define MOUSE_END   "\033[?1006l\033[?1000l"
#define TITLE_KEEP  "\033[22;2t"
#define TITLE_BACK  "\033[23;2t"

static struct {
    bool begun, ours; /* ours: not lent */
    bool mouse_wished, xterm, mouse_known, title_known, title_set;
    bool shows_letters, shows_lines, colours;
    bool late; /* a screen was to be shown while the one before was not out */
    SCREEN *screen;
    FILE *memory;
    int cursor_row, cursor_column, cursor_shown;
    char title[TITLE_MAX * 4 + 8], title_shown[TITLE_MAX * 4 + 8]; /* wished; "": the one that was */
    char restore[RESTORE_BYTES];
} screen;

/* ---- what kind of terminal ---- */

static bool begins_with(const char *text, const char *beginning)
{
    return strncmp(text, beginning, strlen(beginning)) == 0;
}

static const char *capability(const char *name)
{
    char wanted[16];
    (void)snprintf(wanted, sizeof wanted, "%s", name);
    const char *bytes = tigetstr(wanted);
    return bytes == (char *)-1 ? NULL : bytes;
}

static bool knows_titles(const char *term)
{
    static const char *const names[] = {"xterm", "tmux",    "screen",  "rxvt",   "alacritty",
                                        "foot",  "kitty",   "konsole", "gnome",  "vte",
                                        "st-",   "wezterm", "putty",   "mlterm", "contour"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (begins_with(term, names[i])) return true;
    const char *tsl = capability("tsl");
    return tsl != NULL && (begins_with(tsl, "\033]0;") || begins_with(tsl, "\033]2;"));
}

static void look_at_kind(const char *term)
{
    const char *mouse = capability("kmous");
    screen.xterm = strcmp(term, "dumb") != 0 && !begins_with(term, "linux") && !begins_with(term, "vt") &&
                   !begins_with(term, "cons") && !begins_with(term, "ansi");
    screen.mouse_known = screen.xterm && mouse != NULL && begins_with(mouse, "\033[");
    screen.title_known = knows_titles(term);
}

/* Our own words are UTF-8 whatever the locale says (client/out.h), as they are on the command line: a machine without a
 * locale mostly has a terminal with one. Lines and blocks need one that says so; letters only one that does not say
 * otherwise. */
static void look_at_locale(void)
{
    const char *code = setlocale(LC_CTYPE, "") != NULL ? nl_langinfo(CODESET) : "";
    screen.shows_lines = strcmp(code, "UTF-8") == 0;
    screen.shows_letters = screen.shows_lines || code[0] == '\0' || strcmp(code, "ANSI_X3.4-1968") == 0;
    psst_out_init();
}

static void look_at_colours(void)
{
    const char *no = getenv("NO_COLOR");
    screen.colours = (no == NULL || no[0] == '\0') && has_colors() && start_color() == OK && COLORS >= 8;
    if (!screen.colours) return;
    (void)use_default_colors();
}

/* ---- styles ---- */

struct look {
    attr_t bits, plain_bits; /* with colours; without */
    short pair, fg, bg;      /* pair 0: the terminal's own */
};

static const struct look looks[PSST_STYLES] = {
    [PSST_STYLE_PLAIN] = {A_NORMAL, A_NORMAL, 0, -1, -1},
    [PSST_STYLE_DIM] = {A_DIM, A_DIM, 0, -1, -1},
    [PSST_STYLE_BOLD] = {A_BOLD, A_BOLD, 0, -1, -1},
    [PSST_STYLE_OWN] = {A_NORMAL, A_NORMAL, 1, COLOR_CYAN, -1},
    [PSST_STYLE_PEER] = {A_NORMAL, A_NORMAL, 0, -1, -1},
    [PSST_STYLE_OURS] = {A_NORMAL, A_DIM, 2, COLOR_BLUE, -1},
    [PSST_STYLE_GUTTER] = {A_DIM, A_DIM, 0, -1, -1},
    [PSST_STYLE_BAR] = {A_REVERSE, A_REVERSE, 0, -1, -1},
    [PSST_STYLE_SELECTED] = {A_REVERSE, A_REVERSE, 0, -1, -1},
    [PSST_STYLE_UNREAD] = {A_BOLD, A_BOLD, 3, COLOR_YELLOW, -1},
    [PSST_STYLE_GOOD] = {A_NORMAL, A_NORMAL, 4, COLOR_GREEN, -1},
    [PSST_STYLE_WARN] = {A_BOLD, A_BOLD, 5, COLOR_RED, -1},
    [PSST_STYLE_QR] = {A_NORMAL, A_NORMAL, 6, COLOR_WHITE, COLOR_BLACK},
};

static void make_pairs(void)
{
    for (size_t i = 0; screen.colours && i < PSST_STYLES; i++)
        if (looks[i].pair > 0) (void)init_pair(looks[i].pair, looks[i].fg, looks[i].bg);
}

struct psst_attributes psst_screen_attributes(enum psst_style style)
{
    const struct look *look = &looks[(unsigned)style < PSST_STYLES ? style : PSST_STYLE_PLAIN];
    if (!screen.colours) return (struct psst_attributes){look->plain_bits, 0};
    return (struct psst_attributes){look->bits, look->pair};
}

bool psst_screen_has_letters(void)
{
    return screen.shows_letters;
}

bool psst_screen_has_lines(void)
{
    return screen.shows_lines;
}

bool psst_screen_ready(void)
{
    return screen.begun;
}

/* ---- memory -> terminal ---- */

static void collect(void)
{
    char bytes[4096];
    ssize_t n;
    int fd = fileno(screen.memory);
    (void)fflush(screen.memory);
    for (off_t at = 0; (n = pread(fd, bytes, sizeof bytes, at)) > 0; at += n) (void)psst_tty_put(bytes, (size_t)n);
    explicit_bzero(bytes, sizeof bytes);
    if (ftruncate(fd, 0) == 0) (void)lseek(fd, 0, SEEK_SET);
}

static void title_back(void)
{
    if (screen.title_set) (void)psst_tty_puts(TITLE_BACK);
    screen.title_set = false;
    screen.title_shown[0] = '\0';
}

static void prepare_restore(void);

/* The one that is wished, when it is not there yet. */
static void title_forth(void)
{
    if (!screen.title_known || strcmp(screen.title, screen.title_shown) == 0) return;
    if (screen.title[0] == '\0') {
        title_back();
    } else {
        if (!screen.title_set) (void)psst_tty_puts(TITLE_KEEP);
        screen.title_set = true;
        memcpy(screen.title_shown, screen.title, sizeof screen.title);
        (void)psst_tty_puts("\033]2;");
        (void)psst_tty_puts(screen.title);
        (void)psst_tty_puts("\033\\");
    }
    prepare_restore();
}

/* Adds a capability to the bytes that restore the terminal, without its pauses ("$<5>"). */
static void restore_add(const char *bytes)
{
    size_t len = strlen(screen.restore);
    for (const char *p = bytes != NULL ? bytes : ""; *p != '\0' && len + 1 < sizeof screen.restore; p++) {
        const char *end = p[0] == '$' && p[1] == '<' ? strchr(p, '>') : NULL;
        if (end != NULL)
            p = end;
        else
            screen.restore[len++] = *p;
    }
    screen.restore[len] = '\0';
}

static void prepare_restore(void)
{
    screen.restore[0] = '\0';
    if (screen.title_set) restore_add("\033\\" TITLE_BACK);
    if (screen.mouse_known) restore_add(MOUSE_END);
    if (screen.xterm) restore_add(XTERM_END);
    restore_add(capability("sgr0"));
    restore_add(capability("cnorm"));
    restore_add(capability("rmcup"));
    if (capability("rmcup") == NULL) restore_add(capability("clear")); /* what was said does not stay there */
    restore_add("\r\n");
    psst_signals_restore(psst_tty_out_fd(), screen.restore, strlen(screen.restore), psst_tty_before());
}

static void enter(void)
{
    psst_signals_lend(false);
    psst_tty_raw(true);
    if (screen.xterm) (void)psst_tty_puts(XTERM_BEGIN);
    if (screen.mouse_known && screen.mouse_wished) (void)psst_tty_puts(MOUSE_BEGIN);
    screen.ours = true;
    prepare_restore();
}

/* What still waits is not worth waiting for, but what gives the terminal back is. */
static void leave(void)
{
    if (!screen.ours) return;
    (void)curs_set(1);
    screen.cursor_shown = 1;
    if (capability("rmcup") == NULL) { /* what was said does not stay there */
        (void)erase();
        (void)refresh();
    }
    (void)endwin();
    title_back();
    if (screen.mouse_known && screen.mouse_wished) (void)psst_tty_puts(MOUSE_END);
    if (screen.xterm) (void)psst_tty_puts(XTERM_END);
    collect();
    (void)psst_tty_flush(LEAVE_MS);
    psst_tty_drop();
    psst_tty_raw(false);
    psst_signals_restore(-1, "", 0, NULL);
    psst_signals_lend(true);
    screen.ours = false;
}

/* ---- begin, end ---- */

static bool make_screen(const char *term)
{
    int fd = memfd_create("screen", MFD_CLOEXEC), high, wide;
    screen.memory = fd >= 0 ? fdopen(fd, "w+") : NULL;
    if (screen.memory == NULL) {
        if (fd >= 0) (void)close(fd);
        return false;
    }
    char name[64];
    (void)snprintf(name, sizeof name, "%s", term);
    /* a terminal that needs pauses is not found any more, and pauses would be made while nobody listens */
    bool padding = getenv("NCURSES_NO_PADDING") != NULL;
    if (!padding) (void)setenv("NCURSES_NO_PADDING", "1", 1);
    screen.screen = newterm(name, screen.memory, screen.memory);
    if (!padding) (void)unsetenv("NCURSES_NO_PADDING");
    if (screen.screen == NULL) return false;
    psst_tty_size(&high, &wide);
    (void)typeahead(-1);
    (void)resize_term(high, wide);
    (void)leaveok(stdscr, FALSE);
    (void)scrollok(stdscr, FALSE);
    return true;
}

/* A kind that can be written on at any place; said when not. */
static bool check_kind(const char *term)
{
    int known = 0;
    char name[64];
    (void)snprintf(name, sizeof name, "%s", term);
    if (term[0] == '\0' || strlen(term) >= sizeof name || setupterm(name, STDOUT_FILENO, &known) != OK) {
        (void)fprintf(stderr,
                      "psst: what kind of terminal this is (TERM) is not known here: \"%s\"; "
                      "psst chat NAME needs no kind\n",
                      psst_out_text(term, 60));
        return false;
    }
    bool fit = capability("cup") != NULL && capability("clear") != NULL;
    (void)del_curterm(cur_term);
    if (!fit)
        (void)fprintf(stderr,
                      "psst: on this kind of terminal (%s) nothing can be placed; psst chat NAME needs no such\n",
                      psst_out_text(term, 60));
    return fit;
}

bool psst_screen_begin(const struct psst_screen_wish *wish)
{
    static bool at_exit;
    const char *term = getenv("TERM");
    if (screen.begun) return true;
    if (term == NULL) term = "";
    if (!check_kind(term) || !psst_tty_open()) return false;
    memset(&screen, 0, sizeof screen);
    look_at_locale();
    if (!psst_signals_begin() || !make_screen(term)) {
        psst_signals_end();
        psst_tty_close();
        (void)fprintf(stderr, "psst: the terminal cannot be taken over\n");
        return false;
    }
    screen.mouse_wished = wish->mouse;
    screen.cursor_row = -1;
    screen.cursor_shown = -1;
    look_at_kind(term);
    look_at_colours();
    make_pairs();
    psst_input_begin();
    screen.begun = true;
    if (!at_exit) at_exit = atexit(psst_screen_end) == 0;
    enter();
    return true;
}

void psst_screen_end(void)
{
    if (!screen.begun) return;
    leave();
    screen.begun = false;
    psst_input_end();
    psst_signals_end();
    delscreen(screen.screen);
    (void)fclose(screen.memory);
    psst_tty_close();
}

void psst_screen_lend(void)
{
    if (screen.begun) leave();
}

void psst_screen_back(void)
{
    if (!screen.begun || screen.ours) return;
    enter();
    psst_screen_resize();
}

void psst_screen_again(void)
{
    if (!screen.begun || !screen.ours) return;
    psst_tty_drop();
    leave();
    psst_screen_back();
}

void psst_screen_suspend(void)
{
    if (!screen.begun || !screen.ours) return;
    psst_screen_lend();
    psst_signals_stop();
    psst_screen_back();
}

/* ---- sizes, showing ---- */

int psst_screen_rows(void)
{
    return screen.begun ? getmaxy(stdscr) : 0;
}

int psst_screen_columns(void)
{
    return screen.begun ? getmaxx(stdscr) : 0;
}

void psst_screen_resize(void)
{
    int high, wide;
    if (!screen.begun) return;
    psst_tty_size(&high, &wide);
    (void)resize_term(high, wide);
    (void)erase();
    psst_screen_redraw();
}

void psst_screen_redraw(void)
{
    if (screen.begun) (void)clearok(curscr, TRUE);
}

void psst_screen_cursor(int row, int column)
{
    screen.cursor_row = row;
    screen.cursor_column = column;
}

static void make_frame(void)
{
    bool shown =
        screen.cursor_row >= 0 && screen.cursor_row < getmaxy(stdscr) && screen.cursor_column < getmaxx(stdscr);
    if (shown) (void)move(screen.cursor_row, screen.cursor_column);
    if (screen.cursor_shown != (int)shown) {
        (void)curs_set(shown);
        screen.cursor_shown = shown;
    }
    (void)refresh();
    collect();
    title_forth();
}

void psst_screen_show(void)
{
    if (!screen.begun || !screen.ours) return;
    screen.late = !psst_tty_flush(0);
    if (screen.late) return;
    make_frame();
    (void)psst_tty_flush(0);
}

void psst_screen_turn(void)
{
    if (!screen.begun || !screen.ours || (!psst_tty_waits() && !screen.late)) return;
    if (psst_tty_flush(0) && screen.late) psst_screen_show();
}

bool psst_screen_behind(void)
{
    return screen.begun && psst_tty_waits();
}

/* ---- bell, mouse, title ---- */

void psst_screen_bell(void)
{
    if (!screen.begun || !screen.ours || psst_tty_waits()) return;
    (void)psst_tty_puts("\a");
    (void)psst_tty_flush(0);
}

void psst_screen_mouse(bool on)
{
    if (!screen.begun || on == screen.mouse_wished) return;
    screen.mouse_wished = on;
    if (!screen.ours || !screen.mouse_known) return;
    (void)psst_tty_puts(on ? MOUSE_BEGIN : MOUSE_END);
    (void)psst_tty_flush(0);
}

void psst_screen_title(const char *title)
{
    (void)snprintf(screen.title, sizeof screen.title, "%s", title != NULL ? psst_out_text(title, TITLE_MAX) : "");
}
