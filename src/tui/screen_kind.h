/* What kind of terminal this is, looked at once when it is taken over: what it understands beyond its terminfo, which
 * characters and colours it has. What that means for drawing is in screen_draw.h. Between screen_kind.c and screen.c. */
#ifndef PSST_TUI_SCREEN_KIND_H
#define PSST_TUI_SCREEN_KIND_H

#include <stdbool.h>

struct psst_screen_kind {
    bool xterm; /* knows the private modes of xterm, or leaves them alone */
    bool meta;  /* by itself it sends letters with Alt (a plus-minus sign with Alt+1), and is told otherwise */
    bool mouse, title;
};

/* Something can be placed on a terminal of that kind. False: it is said on standard error why not. */
bool psst_screen_kind_fits(const char *term);
/* Before the terminal library makes its screen, which looks at the locale: characters. */
void psst_screen_kind_locale(void);
/* Once it has made it: all else. Good until the next time. */
const struct psst_screen_kind *psst_screen_kind_look(const char *term);
/* What terminfo says; NULL: it has none. */
const char *psst_screen_capability(const char *name);

#endif
