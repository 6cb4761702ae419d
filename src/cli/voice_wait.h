/* What takes sound and time in psstd: recording, playing, the sound check; and the wav files that a verb hands over instead
 * of devices. */
#ifndef PSST_CLI_VOICE_WAIT_H
#define PSST_CLI_VOICE_WAIT_H

#include "cli/cli.h"

/* Opens the wav files named and packs them behind params ("wav_in", "wav_out"): fds and *n. 0, or the exit code, said. */
int psst_wav_open(json_t *params, const char *wav_in, const char *wav_out, int fds[2], size_t *n);

/* One request that lasts: an interrupt asks psstd to end it (voice.stop). hint (NULL: nobody sits there): a line for a person,
 * shown once interrupts are caught; Enter ends it too. discard: an interrupt throws away what was recorded. The answer; or
 * NULL: said, *code is set. Takes params and fds. */
json_t *psst_voice_wait(struct psst_cli *cli, const char *method, json_t *params, const int *fds, size_t n,
                        const char *hint, bool discard, int *code);

#endif
