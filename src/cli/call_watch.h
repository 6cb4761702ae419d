/* A call in the foreground: begun or answered, watched until it is over, hung up by an interrupt. */
#ifndef PSST_CLI_CALL_WATCH_H
#define PSST_CLI_CALL_WATCH_H

#include "cli/cli.h"

#define PSST_CALL_SECONDS_MAX 604800

struct psst_call_wish {
    const char *method;           /* "call" or "answer" */
    const char *name;             /* NULL: the one that rings */
    const char *wav_in, *wav_out; /* NULL: the devices */
    long long seconds;            /* of the call once it stands; 0: until somebody hangs up */
    bool as_json;
};

/* The exit code, said. result (may be NULL): "busy", ... as docs/IPC.md; "unreachable" when there was no session. */
int psst_call_watch(struct psst_cli *cli, const struct psst_call_wish *wish, char result[32]);

#endif
