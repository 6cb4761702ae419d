/* The terminal library (ncurses) knows what kind of terminal this is and what has changed on it; it writes into memory,
 * and what it wrote goes to the terminal as fast as that takes it:
 *
 *   draw.c -> ncurses -> memory -> tty.c -> terminal
 *
 * A screen is made only when the last one is out. So a terminal that does not read (stopped, a stalled line) costs at most
 * one screen's worth of memory and no time, and shows the newest state when it reads again.
 */
#include "tui/screen.h"

#include "base/secret.h"
#include "client/out.h"
#include "tui/input_begin.h"
#include "tui/screen_draw.h"
#include "tui/screen_kind.h"
#include "tui/signals.h"
#include "tui/tty.h"

#include <curses.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define LEAVE_MS      500 /* so long the terminal is given to take what restores it */
#define TITLE_MAX     200
#define RESTORE_BYTES 512

/* what xterm and those who follow it understand */
#define XTERM_BEGIN "\033[?2004h\033[?1004h\033[8l" /* pastes between marks, focus, the order of letters is ours */
#define XTERM_END   "\033[8h\033[?1004l\033[?2004l"
/* Alt sends an Escape before the key; what was set is kept, and comes back */
#define META_BEGIN  "\033[?1036;1039s\033[?1036;1039h"
#define META_END    "\033[?1036;1039r"
#define MOUSE_BEGIN "\033[?1000h\033[?1006h"
#define MOUSE_END   "\033[?1006l\033[?1000l"
#define TITLE_KEEP  "\033[22;2t"
#define TITLE_BACK  "\033[23;2t"

static struct {
    bool begun, ours; /* ours: not lent */
    bool bare;        /* lent as an empty screen */
    bool mouse_wished, title_set;
    bool late; /* a screen was to be shown while the one before was not out */
    const struct psst_screen_kind *kind;
    SCREEN *screen;
    FILE *memory;
    int cursor_row, cursor_column, cursor_shown;
    char title[TITLE_MAX * 4 + 8], title_shown[TITLE_MAX * 4 + 8]; /* wished; "": the one that was */
    char restore[RESTORE_BYTES];
} screen;

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
    PSST_WIPE(bytes);
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
    if (!screen.kind->title || strcmp(screen.title, screen.title_shown) == 0) return;
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

/* What stands there goes, then the screen that was there before comes back, where there are two. */
static void restore_add_screen(void)
{
    restore_add(psst_screen_capability("clear"));
    restore_add(psst_screen_capability("rmcup"));
}

static void prepare_restore(void)
{
    screen.restore[0] = '\0';
    if (screen.title_set) restore_add("\033\\" TITLE_BACK);
    if (screen.kind->mouse) restore_add(MOUSE_END);
    if (screen.kind->meta) restore_add(META_END);
    if (screen.kind->xterm) restore_add(XTERM_END);
    restore_add(psst_screen_capability("sgr0"));
    restore_add(psst_screen_capability("cnorm"));
    restore_add_screen();
    restore_add("\r\n");
    psst_signals_restore(psst_tty_out_fd(), screen.restore, strlen(screen.restore), psst_tty_before());
}

static void enter(void)
{
    psst_signals_lend(false);
    psst_tty_raw(true);
    if (screen.kind->xterm) (void)psst_tty_puts(XTERM_BEGIN);
    if (screen.kind->meta) (void)psst_tty_puts(META_BEGIN);
    if (screen.kind->mouse && screen.mouse_wished) (void)psst_tty_puts(MOUSE_BEGIN);
    screen.ours = true;
    prepare_restore();
}

/* What still waits is not worth waiting for, but what gives the terminal back is. */
static void leave(void)
{
    if (!screen.ours) return;
    (void)curs_set(1);
    screen.cursor_shown = 1;
    (void)clear(); /* what was said stays neither there nor in what curses remembers of it */
    (void)refresh();
    (void)endwin();
    title_back();
    if (screen.kind->mouse && screen.mouse_wished) (void)psst_tty_puts(MOUSE_END);
    if (screen.kind->meta) (void)psst_tty_puts(META_END);
    if (screen.kind->xterm) (void)psst_tty_puts(XTERM_END);
    collect();
    (void)psst_tty_flush(LEAVE_MS);
    psst_tty_drop();
    psst_tty_raw(false);
    psst_signals_restore(-1, "", 0, NULL);
    psst_signals_lend(true);
    screen.ours = false;
}

/* ---- lent as an empty screen ---- */

static void bare_begin(void)
{
    screen.restore[0] = '\0';
    restore_add(psst_screen_capability("smcup"));
    restore_add(psst_screen_capability("clear"));
    (void)psst_tty_puts(screen.restore);
    (void)psst_tty_flush(LEAVE_MS);
    screen.restore[0] = '\0';
    restore_add_screen();
    psst_signals_restore(psst_tty_out_fd(), screen.restore, strlen(screen.restore), psst_tty_before());
    screen.bare = true;
}

static void bare_end(void)
{
    if (!screen.bare) return;
    (void)psst_tty_puts(screen.restore);
    (void)psst_tty_flush(LEAVE_MS);
    psst_signals_restore(-1, "", 0, NULL);
    screen.bare = false;
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

bool psst_screen_begin(const struct psst_screen_wish *wish)
{
    static bool at_exit;
    const char *term = getenv("TERM");
    if (screen.begun) return true;
    if (term == NULL) term = "";
    if (!psst_screen_kind_fits(term) || !psst_tty_open()) return false;
    memset(&screen, 0, sizeof screen);
    psst_screen_kind_locale();
    if (!psst_signals_begin() || !make_screen(term)) {
        psst_signals_end();
        psst_tty_close();
        (void)fprintf(stderr, "psst: the terminal cannot be taken over\n");
        return false;
    }
    screen.mouse_wished = wish->mouse;
    screen.cursor_row = -1;
    screen.cursor_shown = -1;
    screen.kind = psst_screen_kind_look(term);
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
    bare_end();
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

void psst_screen_lend_bare(void)
{
    if (!screen.begun || !screen.ours) return;
    leave();
    bare_begin();
}

void psst_screen_back(void)
{
    if (!screen.begun || screen.ours) return;
    bare_end();
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

void psst_screen_forget(void)
{
    if (!screen.begun || !screen.ours) return;
    /* so many changes of style that its buffer, longer than a screen, is written over to its end; none of it is shown */
    for (int cell = 0; cell < getmaxy(stdscr) * getmaxx(stdscr); cell++) {
        (void)attrset(cell % 2 == 0 ? A_BOLD : A_REVERSE);
        (void)mvaddch(cell / getmaxx(stdscr), cell % getmaxx(stdscr), '.');
    }
    (void)attrset(A_NORMAL);
    (void)refresh();
    if (ftruncate(fileno(screen.memory), 0) == 0) (void)lseek(fileno(screen.memory), 0, SEEK_SET);
    (void)erase();
    psst_screen_redraw();
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
    if (!screen.begun || psst_tty_waits()) return; /* also when it is lent: who is called should hear it */
    (void)psst_tty_puts("\a");
    (void)psst_tty_flush(0);
}

void psst_screen_mouse(bool on)
{
    if (!screen.begun || on == screen.mouse_wished) return;
    screen.mouse_wished = on;
    if (!screen.ours || !screen.kind->mouse) return;
    (void)psst_tty_puts(on ? MOUSE_BEGIN : MOUSE_END);
    (void)psst_tty_flush(0);
}

void psst_screen_title(const char *title)
{
    (void)snprintf(screen.title, sizeof screen.title, "%s", title != NULL ? psst_out_text(title, TITLE_MAX) : "");
}
