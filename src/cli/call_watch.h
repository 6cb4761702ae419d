/* A call in the foreground: begun or answered, watched until it is over, hung up by an interrupt. And everything else that
 * takes sound and time in psstd: recording, playing, the sound check. */
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

/* Opens the wav files named and packs them behind params ("wav_in", "wav_out"): fds and *n. 0, or the exit code, said. */
int psst_wav_open(json_t *params, const char *wav_in, const char *wav_out, int fds[2], size_t *n);

/* One request that lasts: an interrupt asks psstd to end it (voice.stop). hint (NULL: nobody sits there): a line for a person,
 * shown once interrupts are caught; Enter ends it too. discard: an interrupt throws away what was recorded. The answer, or NULL: said, *code is set. Takes params. */
json_t *psst_voice_wait(struct psst_cli *cli, const char *method, json_t *params, const int *fds, size_t n,
                        const char *hint, bool discard, int *code);

#endif
