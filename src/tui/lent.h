/* While the terminal is somebody else's: psstd is listened to, so that nothing of what it says is lost, a call still rings, and
 * it need not keep for us what we do not take. Nothing is drawn. */
#ifndef PSST_TUI_LENT_H
#define PSST_TUI_LENT_H

#include "tui/app.h"

/* Waits until one of these descriptors (-1: it is not waited for) is readable; which one: 0, 1; or -1: it cannot be waited for, or,
 * unless `whatever`, the identity has been locked or psstd has ended. That psstd has ended the app knows then. */
int psst_lent_wait(struct psst_app *app, const int fds[2], bool whatever);

#endif
