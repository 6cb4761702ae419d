/* The interface around a line that begins with a slash: psstd, children and the other parts are made up, and what would go to them
 * is written down. On top of fake_world.h; linked in the place of act.c, child.c and the pages. */
#ifndef PSST_TESTS_TUI_FAKE_APP_H
#define PSST_TESTS_TUI_FAKE_APP_H

#include "support/check.h"
#include "unit/tui/fake_notice.h"
#include "unit/tui/fake_world.h"

#include "tui/commands.h"

extern struct psst_app app;
extern char done[4096]; /* by the last line: "call{...}open(Bob)" */
extern bool asked;
extern uint64_t now; /* psst_client_now_ms */

/* For each test: Bob, Carol Ann and Cedric, Bob is open; no files, no call. */
int begin(void **state);
/* The line is begun: what is there has been there for a while. */
void begin_line(void);
/* It is entered as it was begun. */
void end_line(const char *line);
void do_line(const char *line); /* both */

#endif
