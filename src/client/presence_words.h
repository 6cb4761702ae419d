/* How a contact shows himself, in words. */
#ifndef PSST_CLIENT_PRESENCE_WORDS_H
#define PSST_CLIENT_PRESENCE_WORDS_H

#include "client/out.h"

#define PSST_PRESENCE_WORDS 1024

/* Of a contact or a session as docs/IPC.md shows them: "in session", "away", "busy", "last seen 5 min ago", "-". */
const char *psst_presence_words(char out[PSST_PRESENCE_WORDS], const json_t *object);
/* Two blanks and his words about it, in quotes; "" when there are none. They stand last in a line, so that they look like
 * nothing else. */
const char *psst_presence_quote(char out[PSST_PRESENCE_WORDS], const json_t *object);
/* One line about an event `presence` of a contact. */
const char *psst_presence_line(char out[PSST_PRESENCE_WORDS], const json_t *event);

#endif
