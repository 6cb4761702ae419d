/* Moments that are over, as people write them, in a zone whose clocks are put forward and back. */
#include "support/check.h"

#include "client/past.h"

#include <stdlib.h>

#define ZONE "CET-1CEST,M3.5.0,M10.5.0/3"

static time_t at(int year, int month, int day, int hour, int minute, int second)
{
    struct tm tm = {.tm_year = year - 1900,
                    .tm_mon = month - 1,
                    .tm_mday = day,
                    .tm_hour = hour,
                    .tm_min = minute,
                    .tm_sec = second,
                    .tm_isdst = -1};
    return mktime(&tm);
}

static int set_zone(void **state)
{
    (void)state;
    assert_int_equal(0, setenv("TZ", ZONE, 1));
    tzset();
    return 0;
}

static void expect(const char *text, time_t now, bool end, time_t want)
{
    int64_t ms = -1;
    const char *why = psst_past_parse(text, now, end, &ms);
    if (why != NULL) fail_msg("%s: %s", text, why);
    if (ms != (int64_t)want * 1000) fail_msg("%s: %lld s beside it", text, (long long)(ms / 1000 - want));
}

static void parse__takes__what_people_write(void **state)
{
    (void)state;
    const time_t now = at(2026, 11, 23, 14, 30, 10);
    expect("2026-11-23", now, false, at(2026, 11, 23, 0, 0, 0));
    expect("2026-11-23", now, true, at(2026, 11, 24, 0, 0, 0));
    expect("2024-02-29", now, true, at(2024, 3, 1, 0, 0, 0));
    expect("2025-12-31", now, true, at(2026, 1, 1, 0, 0, 0));
    expect("2026-11-22 20:15", now, false, at(2026, 11, 22, 20, 15, 0));
    expect("2026-11-22T20:15:07", now, true, at(2026, 11, 22, 20, 15, 7));
    expect("9:05", now, false, at(2026, 11, 23, 9, 5, 0));
    expect("14:30", now, true, at(2026, 11, 23, 14, 30, 0));
    expect("23:00", now, true, at(2026, 11, 23, 23, 0, 0)); /* an end may be still to come */
    expect("today", now, false, at(2026, 11, 23, 0, 0, 0));
    expect("today", now, true, at(2026, 11, 24, 0, 0, 0));
    expect("yesterday", now, false, at(2026, 11, 22, 0, 0, 0));
    expect("yesterday", now, true, at(2026, 11, 23, 0, 0, 0));
    expect("30m", now, false, now - 1800);
    expect("3h", now, true, now - 3 * 3600);
    expect("2d", now, false, now - 2 * 86400);
    expect("1w", now, false, now - 7 * 86400);
}

static void parse__where_clocks_are_changed__keeps_to_the_calendar(void **state)
{
    (void)state;
    const time_t now = at(2026, 3, 30, 12, 0, 0); /* the night of the 29th had 23 hours */
    expect("2026-03-29", now, false, at(2026, 3, 29, 0, 0, 0));
    expect("2026-03-29", now, true, at(2026, 3, 30, 0, 0, 0));
    assert_int_equal(at(2026, 3, 30, 0, 0, 0) - at(2026, 3, 29, 0, 0, 0), 23 * 3600);
    expect("2026-03-29 02:30", now, false, at(2026, 3, 29, 3, 30, 0)); /* left out: an hour later */
    expect("yesterday", at(2026, 3, 30, 0, 10, 0), false, at(2026, 3, 29, 0, 0, 0));
    expect("yesterday", at(2026, 1, 1, 0, 10, 0), false, at(2025, 12, 31, 0, 0, 0));
}

static void parse__refuses__the_rest_with_a_sentence(void **state)
{
    (void)state;
    const time_t now = at(2026, 11, 23, 14, 30, 0);
    static const char *const cases[] = {"",
                                        " ",
                                        "noon",
                                        "20",
                                        "20:0",
                                        "24:00",
                                        "20:60",
                                        "20:15:60",
                                        "20:15 ",
                                        " 20:15",
                                        "2026-02-30",
                                        "2026-13-01",
                                        "2026-00-01",
                                        "2026-01-00",
                                        "2026-01-32",
                                        "26-01-01",
                                        "2026-1-1",
                                        "2026-11-23 ",
                                        "2026-11-23  20:15",
                                        "2026-11-23 20",
                                        "1969-12-31",
                                        "d",
                                        "2x",
                                        "2",
                                        "-2d",
                                        "2d ",
                                        "999999d",
                                        "2dd",
                                        "tomorrow",
                                        "Today",
                                        "2026-11-23T",
                                        "\x1b[2J",
                                        "60000d"};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t ms = 77;
        const char *why = psst_past_parse(cases[i], now, false, &ms);
        if (why == NULL) fail_msg("%s was taken", cases[i]);
        assert_true(strlen(why) > 10);
        assert_int_equal(ms, 77);
    }
    int64_t ms;
    assert_non_null(psst_past_parse("2026-11-24", now, false, &ms)); /* still to come */
    assert_non_null(psst_past_parse("14:31", now, false, &ms));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse__takes__what_people_write),
        cmocka_unit_test(parse__where_clocks_are_changed__keeps_to_the_calendar),
        cmocka_unit_test(parse__refuses__the_rest_with_a_sentence),
    };
    return cmocka_run_group_tests(tests, set_zone, NULL);
}
