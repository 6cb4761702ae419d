/* What is known of the terminal, and what our styles are on it.
 *
 *   TERM -> terminfo -> can it be written on at all, mouse, title, xterm's modes
 *   locale, NO_COLOR -> letters, lines and blocks, colours -> style -> attributes (draw.c)
 */
#include "tui/screen_kind.h"

#include "client/out.h"
#include "tui/screen_draw.h"

#include <curses.h>
#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <term.h>
#include <unistd.h>

static struct psst_screen_kind known;
static bool shows_letters, shows_lines, colours;

/* ---- what it understands ---- */

static bool begins_with(const char *text, const char *beginning)
{
    return strncmp(text, beginning, strlen(beginning)) == 0;
}

const char *psst_screen_capability(const char *name)
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
    const char *tsl = psst_screen_capability("tsl");
    return tsl != NULL && (begins_with(tsl, "\033]0;") || begins_with(tsl, "\033]2;"));
}

bool psst_screen_kind_fits(const char *term)
{
    int found = 0;
    char name[64];
    (void)snprintf(name, sizeof name, "%s", term);
    if (term[0] == '\0' || strlen(term) >= sizeof name || setupterm(name, STDOUT_FILENO, &found) != OK) {
        (void)fprintf(stderr,
                      "psst: what kind of terminal this is (TERM) is not known here: \"%s\"; "
                      "psst chat NAME needs no kind\n",
                      psst_out_text(term, 60));
        return false;
    }
    bool fit = psst_screen_capability("cup") != NULL && psst_screen_capability("clear") != NULL;
    (void)del_curterm(cur_term);
    if (!fit)
        (void)fprintf(stderr,
                      "psst: on this kind of terminal (%s) nothing can be placed; psst chat NAME needs no such\n",
                      psst_out_text(term, 60));
    return fit;
}

static void look_at_kind(const char *term)
{
    const char *mouse = psst_screen_capability("kmous");
    known.xterm = strcmp(term, "dumb") != 0 && !begins_with(term, "linux") && !begins_with(term, "vt") &&
                  !begins_with(term, "cons") && !begins_with(term, "ansi");
    known.mouse = known.xterm && mouse != NULL && begins_with(mouse, "\033[");
    known.meta = begins_with(term, "xterm");
    known.title = knows_titles(term);
}

/* Our own words are UTF-8 whatever the locale says (client/out.h), as they are on the command line: a machine without a
 * locale mostly has a terminal with one. Lines and blocks need one that says so; letters only one that does not say
 * otherwise. */
void psst_screen_kind_locale(void)
{
    const char *code = setlocale(LC_CTYPE, "") != NULL ? nl_langinfo(CODESET) : "";
    shows_lines = strcmp(code, "UTF-8") == 0;
    shows_letters = shows_lines || code[0] == '\0' || strcmp(code, "ANSI_X3.4-1968") == 0;
    psst_out_init();
}

static void look_at_colours(void)
{
    const char *no = getenv("NO_COLOR");
    colours = (no == NULL || no[0] == '\0') && has_colors() && start_color() == OK && COLORS >= 8;
    if (!colours) return;
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
    for (size_t i = 0; colours && i < PSST_STYLES; i++)
        if (looks[i].pair > 0) (void)init_pair(looks[i].pair, looks[i].fg, looks[i].bg);
}

struct psst_attributes psst_screen_attributes(enum psst_style style)
{
    const struct look *look = &looks[(unsigned)style < PSST_STYLES ? style : PSST_STYLE_PLAIN];
    if (!colours) return (struct psst_attributes){look->plain_bits, 0};
    return (struct psst_attributes){look->bits, look->pair};
}

bool psst_screen_has_letters(void)
{
    return shows_letters;
}

bool psst_screen_has_lines(void)
{
    return shows_lines;
}

const struct psst_screen_kind *psst_screen_kind_look(const char *term)
{
    look_at_kind(term);
    look_at_colours();
    make_pairs();
    return &known;
}
