/* A verb that lasts waits for psstd and for its person. What interrupts it comes out of a pipe, so that none is lost between
 * two looks. One at a time in the program. */
#ifndef PSST_CLI_INTERRUPTS_H
#define PSST_CLI_INTERRUPTS_H

#include "client/client.h"

#include <signal.h>

#define PSST_INTERRUPTS 3 /* SIGINT, SIGTERM, SIGHUP */

struct psst_interrupts {
    struct sigaction old[PSST_INTERRUPTS];
};

/* From now on they are caught. False: errno says why, and nothing is to be released. */
bool psst_interrupts_catch(struct psst_interrupts *was);
void psst_interrupts_release(const struct psst_interrupts *was);

enum psst_woke { PSST_WOKE_CLIENT = 1, PSST_WOKE_INTERRUPT = 2, PSST_WOKE_ENTER = 4, PSST_WOKE_GONE = 8 };
/* Waits for psstd (and lets the client take its turn), an interrupt, or (enter) a line of the person's; what it was, as
 * bits of enum psst_woke. timeout_ms: -1 for ever. */
unsigned psst_interrupts_wait(struct psst_client *client, bool enter, int timeout_ms);

#endif
