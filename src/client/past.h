/* Moments that are over, as people write them: local time, of which TZ says what it is. */
#ifndef PSST_CLIENT_PAST_H
#define PSST_CLIENT_PAST_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* "2026-11-23", "2026-11-23 20:15", with seconds too, "20:15" (today), "today", "yesterday"; "30m", "3h", "2d", "1w" (ago). A
 * whole day is its beginning; with end, the beginning of the next one. NULL: understood, *ms is set; else why not, a
 * sentence. */
const char *psst_past_parse(const char *text, time_t now, bool end, int64_t *ms);

#endif
