#include "client/meet_words.h"

#include "client/take.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_S 86400

static const char unclear[] = "a time looks like 20:00, 2026-11-24 20:00, tomorrow 9:00 or +30m";

/* ---- reading ---- */

static bool take_word(const char **at, const char *word)
{
    size_t len = strlen(word);
    if (strncmp(*at, word, len) != 0) return false;
    *at += len;
    return true;
}

/* "9:00", "20:00", and nothing behind. */
static bool take_clock(const char **at, struct tm *tm)
{
    tm->tm_hour = psst_take_number(at, 1, 2);
    if (tm->tm_hour < 0 || !psst_take(at, ':')) return false;
    tm->tm_min = psst_take_number(at, 2, 2);
    tm->tm_sec = 0;
    return tm->tm_min >= 0 && **at == '\0' && tm->tm_hour <= 23 && tm->tm_min <= 59;
}

/* "+1h30m": from now. */
static const char *parse_span(const char *at, time_t now, time_t *when)
{
    int64_t seconds = 0;
    do {
        int n = psst_take_number(&at, 1, 4);
        int64_t unit = psst_take(&at, 'm') ? 60 : psst_take(&at, 'h') ? 3600 : psst_take(&at, 'd') ? DAY_S : 0;
        if (n < 0 || unit == 0) return "a span looks like +30m, +1h30m or +2d";
        seconds += n * unit;
    } while (*at != '\0');
    *when = now + (time_t)seconds;
    return NULL;
}

/* Local time to a moment; false: clocks are put forward over it that day. */
static bool moment(const struct tm *wanted, time_t *when)
{
    struct tm tm = *wanted;
    tm.tm_isdst = -1;
    *when = mktime(&tm);
    return *when != (time_t)-1 && tm.tm_hour == wanted->tm_hour && tm.tm_min == wanted->tm_min &&
           tm.tm_mday == wanted->tm_mday && tm.tm_mon == wanted->tm_mon;
}

/* The day beside the given one, as the calendar has it. */
static void move_day(struct tm *tm, int days)
{
    struct tm noon = {.tm_year = tm->tm_year, .tm_mon = tm->tm_mon, .tm_mday = tm->tm_mday + days, .tm_hour = 12};
    noon.tm_isdst = -1;
    (void)mktime(&noon);
    tm->tm_year = noon.tm_year;
    tm->tm_mon = noon.tm_mon;
    tm->tm_mday = noon.tm_mday;
}

/* "2026-11-24 ": false when there is none. */
static bool take_date(const char **at, struct tm *tm)
{
    const char *start = *at;
    int year = psst_take_number(at, 4, 4);
    int month = year >= 1970 && psst_take(at, '-') ? psst_take_number(at, 2, 2) : -1;
    int day = month >= 1 && month <= 12 && psst_take(at, '-') ? psst_take_number(at, 2, 2) : -1;
    if (day < 1 || day > 31 || (!psst_take(at, ' ') && !psst_take(at, 'T'))) {
        *at = start;
        return false;
    }
    tm->tm_year = year - 1900;
    tm->tm_mon = month - 1;
    tm->tm_mday = day;
    return true;
}

static const char *parse_moment(const char *at, time_t now, time_t *when)
{
    struct tm tm;
    if (localtime_r(&now, &tm) == NULL) return unclear;
    bool dated = take_date(&at, &tm), tomorrow = !dated && take_word(&at, "tomorrow ");
    bool today = !dated && !tomorrow && take_word(&at, "today ");
    if (!take_clock(&at, &tm)) return unclear;
    if (tomorrow) move_day(&tm, 1);
    bool exists = moment(&tm, when);
    if (exists && *when <= now && !dated && !tomorrow && !today) { /* a mere 9:00 is the next one */
        move_day(&tm, 1);
        exists = moment(&tm, when);
    }
    return exists ? NULL : "there is no such time: the clocks or the calendar leave it out";
}

const char *psst_meet_parse(const char *text, time_t now, int64_t *ms)
{
    time_t when = 0;
    const char *why = text[0] == '+' ? parse_span(text + 1, now, &when) : parse_moment(text, now, &when);
    if (why != NULL) return why;
    if (when <= now) return "that time is over";
    if (when - now > PSST_MEET_AHEAD_S) return "a meeting is at most 30 days ahead";
    *ms = (int64_t)when * 1000;
    return NULL;
}

/* ---- writing ---- */

const char *psst_meet_when(char out[64], long long time_ms)
{
    return psst_out_time(out, time_ms, "%a %d %b, %H:%M");
}

const char *psst_meet_words(char out[PSST_MEET_WORDS], const json_t *meet)
{
    char when[64];
    const char *state = psst_out_string(meet, "state"), *name = psst_out_text(psst_out_string(meet, "contact"), 64);
    const char *reason = psst_out_string(meet, "reason");
    bool theirs = strcmp(psst_out_string(meet, "direction"), "in") == 0;
    long long id = psst_out_int(meet, "id");
    (void)psst_meet_when(when, psst_out_int(meet, "time_ms"));
    out[0] = '\0';
    if (strcmp(state, "over") == 0) return out;
    if (strcmp(state, "cancelled") == 0 || strcmp(state, "cancelling") == 0)
        (void)snprintf(out, PSST_MEET_WORDS, "the meeting with %s, %s, is called off%s%.100s", name, when,
                       reason[0] != '\0' ? ": " : "", reason);
    else if (strcmp(state, "refused") == 0)
        (void)snprintf(out, PSST_MEET_WORDS, "no meeting with %s, %s: %.100s", name, when, reason);
    else if (psst_out_bool(meet, "due"))
        (void)snprintf(out, PSST_MEET_WORDS, "it is time: the meeting with %s, %s", name, when);
    else if (theirs)
        (void)snprintf(out, PSST_MEET_WORDS, "%s wants to meet: %s (to call it off: psst meet %s cancel %lld)", name,
                       when, name, id);
    else if (strcmp(state, "agreed") == 0)
        (void)snprintf(out, PSST_MEET_WORDS, "%s knows that you meet: %s", name, when);
    else
        (void)snprintf(out, PSST_MEET_WORDS, "you want to meet %s: %s%s%.100s", name, when,
                       reason[0] != '\0' ? "; " : ", not known over there yet", reason);
    return out;
}
