/* Agreed times, read and written: what a person types is local time, what psstd is told and tells is UTC. */
#ifndef PSST_CLIENT_MEET_WORDS_H
#define PSST_CLIENT_MEET_WORDS_H

#include "client/out.h"

#include <stdint.h>
#include <time.h>

#define PSST_MEET_AHEAD_S (INT64_C(30) * 86400)
#define PSST_MEET_WORDS   320

/* "20:00" (the next), "2026-11-24 20:00", "today 20:00", "tomorrow 9:00", "+30m", "+1h30m", "+2d". NULL: understood, *ms is
 * set; else why not, a sentence. Local time is what TZ says. */
const char *psst_meet_parse(const char *text, time_t now, int64_t *ms);

/* "Tue 24 Nov, 20:00"; beyond this year with the year. */
const char *psst_meet_when(char out[64], long long time_ms);
/* One line about a meeting or an event `meet` as docs/IPC.md shows them; "" when there is nothing to say. */
const char *psst_meet_words(char out[PSST_MEET_WORDS], const json_t *meet);

#endif
