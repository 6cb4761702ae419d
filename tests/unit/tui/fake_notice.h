/* What the interface says goes into its notice, and no further. In the place of those parts of act.c, and of keys.c. */
#ifndef PSST_TESTS_TUI_FAKE_NOTICE_H
#define PSST_TESTS_TUI_FAKE_NOTICE_H

#include "tui/app.h"

extern bool warned; /* an error was said since the test has set it false */

#endif
