/* What is said of calls: results as sentences and exit codes; the line of levels. */
#ifndef PSST_CLIENT_CALL_WORDS_H
#define PSST_CLIENT_CALL_WORDS_H

#include "client/out.h"
#include "ipc/rpc.h"

/* Behind the common exit codes: what came of a call. */
#define PSST_CALL_EXIT_DECLINED   7
#define PSST_CALL_EXIT_BUSY       8
#define PSST_CALL_EXIT_UNANSWERED 9
#define PSST_CALL_EXIT_NO_VOICE   10

/* result as docs/IPC.md has it; "" and what is not known count as failed. */
int psst_call_exit(const char *result);

#define PSST_CALL_WORDS 320
/* One that is over (or runs), for a line of its own: "called Bob: 3 min", "Bob called: missed". */
const char *psst_call_line(char out[PSST_CALL_WORDS], const json_t *call);
/* What an event `call` means for who sits in a conversation with its contact; "": nothing to be said. */
const char *psst_call_event_line(char out[PSST_CALL_WORDS], const json_t *event);
/* "voice message, 12 s", of a file (docs/IPC.md); "": it is none. */
const char *psst_voice_words(char out[PSST_CALL_WORDS], const json_t *file);
/* "0:07", "1:02:33". */
const char *psst_call_clock(char out[PSST_SIZE_TEXT], unsigned long long seconds);

#define PSST_METER_SIZE 512
/* The event `voice` as one line of at most so many columns (0: however long), for a call of so many seconds. silent: nothing
 * is heard of the other side; deaf: it plays nothing. */
const char *psst_call_meter(char out[PSST_METER_SIZE], const json_t *voice, unsigned long long seconds, bool silent,
                            bool deaf, unsigned columns);

#endif
