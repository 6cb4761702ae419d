#include "client/past.h"

#include "client/take.h"

#include <string.h>

static const char unclear[] =
    "a time looks like 2026-11-23, \"2026-11-23 20:15\", 20:15 (today), yesterday, or 3h, 2d, 1w "
    "(ago)";

/* "2d" and nothing behind: so long ago. */
static bool take_span(const char *at, time_t now, time_t *when)
{
    int n = psst_take_number(&at, 1, 5);
    int unit = psst_take(&at, 'm')   ? 60
               : psst_take(&at, 'h') ? 3600
               : psst_take(&at, 'd') ? 86400
               : psst_take(&at, 'w') ? 7 * 86400
                                     : 0;
    if (n < 0 || unit == 0 || *at != '\0') return false;
    *when = now - (time_t)n * unit;
    return true;
}

static bool take_date(const char **at, struct tm *tm)
{
    const char *p = *at;
    int year = psst_take_number(&p, 4, 4);
    int month = year >= 1970 && psst_take(&p, '-') ? psst_take_number(&p, 2, 2) : -1;
    int day = month >= 1 && month <= 12 && psst_take(&p, '-') ? psst_take_number(&p, 2, 2) : -1;
    if (day < 1 || day > 31) return false;
    tm->tm_year = year - 1900;
    tm->tm_mon = month - 1;
    tm->tm_mday = day;
    *at = p;
    return true;
}

/* "20:15", "20:15:30", and nothing behind. */
static bool take_clock(const char *at, struct tm *tm)
{
    tm->tm_hour = psst_take_number(&at, 1, 2);
    if (tm->tm_hour < 0 || !psst_take(&at, ':')) return false;
    tm->tm_min = psst_take_number(&at, 2, 2);
    tm->tm_sec = psst_take(&at, ':') ? psst_take_number(&at, 2, 2) : 0;
    return tm->tm_min >= 0 && tm->tm_sec >= 0 && *at == '\0' && tm->tm_hour <= 23 && tm->tm_min <= 59 &&
           tm->tm_sec <= 59;
}

/* What mktime makes of a day that the calendar does not have is another day. A clock time that is skipped in spring is the
 * one an hour later. */
static const char *moment(struct tm tm, time_t *when)
{
    int day = tm.tm_mday, month = tm.tm_mon;
    struct tm noon = {.tm_year = tm.tm_year, .tm_mon = month, .tm_mday = day, .tm_hour = 12, .tm_isdst = -1};
    (void)mktime(&noon);
    if (noon.tm_mday != day || noon.tm_mon != month) return "there is no such day";
    tm.tm_isdst = -1;
    *when = mktime(&tm);
    return *when == (time_t)-1 ? "there is no such time" : NULL;
}

static const char *whole_day(struct tm tm, bool end, time_t *when)
{
    tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
    const char *why = moment(tm, when);
    if (why != NULL || !end) return why;
    tm.tm_mday++; /* the 32nd is the first of the next month */
    tm.tm_isdst = -1;
    *when = mktime(&tm);
    return NULL;
}

static const char *parse(const char *text, time_t now, bool end, time_t *when)
{
    struct tm tm;
    if (take_span(text, now, when)) return NULL;
    if (localtime_r(&now, &tm) == NULL) return unclear;
    if (strcmp(text, "today") == 0) return whole_day(tm, end, when);
    if (strcmp(text, "yesterday") == 0) {
        struct tm before = {.tm_year = tm.tm_year, .tm_mon = tm.tm_mon, .tm_mday = tm.tm_mday - 1, .tm_hour = 12};
        before.tm_isdst = -1;
        (void)mktime(&before);
        return whole_day(before, end, when);
    }
    bool dated = take_date(&text, &tm);
    if (dated && *text == '\0') return whole_day(tm, end, when);
    if (dated && !psst_take(&text, ' ') && !psst_take(&text, 'T')) return unclear;
    return take_clock(text, &tm) ? moment(tm, when) : unclear;
}

const char *psst_past_parse(const char *text, time_t now, bool end, int64_t *ms)
{
    time_t when = 0;
    const char *why = parse(text, now, end, &when);
    if (why != NULL) return why;
    if (when <= 0) return "that was before there were clocks like ours";
    if (!end && when > now) return "that time is still to come";
    *ms = (int64_t)when * 1000;
    return NULL;
}
