/* Times as people write them, in a zone whose clocks are put forward and back; and what is said about meetings. */
#include "support/check.h"

#include "client/meet_words.h"

#include <stdlib.h>

#define ZONE "CET-1CEST,M3.5.0,M10.5.0/3"

static time_t at(int year, int month, int day, int hour, int minute)
{
    struct tm tm = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day, .tm_hour = hour, .tm_min = minute};
    tm.tm_isdst = -1;
    return mktime(&tm);
}

static int set_zone(void **state)
{
    (void)state;
    assert_int_equal(0, setenv("TZ", ZONE, 1));
    tzset();
    return 0;
}

static const char *minutes_later(const char *text, time_t now, long long want_s)
{
    int64_t ms = -1;
    const char *why = psst_meet_parse(text, now, &ms);
    if (why != NULL) return why;
    return ms == (int64_t)(now + want_s) * 1000 ? "right" : "another time";
}

static void parse__takes__what_people_write(void **state)
{
    (void)state;
    const time_t now = at(2026, 11, 23, 14, 30);
    static const struct {
        const char *text;
        long long after_s;
    } cases[] = {{"20:00", 5 * 3600 + 1800},
                 {"14:31", 60},
                 {"14:30", 86400}, /* this minute has begun: the next one */
                 {"9:00", 18 * 3600 + 1800},
                 {"09:00", 18 * 3600 + 1800},
                 {"today 20:00", 5 * 3600 + 1800},
                 {"tomorrow 9:00", 18 * 3600 + 1800},
                 {"tomorrow 23:59", 86400 + 9 * 3600 + 29 * 60},
                 {"2026-11-24 20:00", 86400 + 5 * 3600 + 1800},
                 {"2026-11-24T20:00", 86400 + 5 * 3600 + 1800},
                 {"2026-12-01 00:00", 7 * 86400 + 9 * 3600 + 1800},
                 {"+30m", 1800},
                 {"+1h30m", 5400},
                 {"+2d", 2 * 86400},
                 {"+29d23h59m", 29 * 86400 + 23 * 3600 + 59 * 60},
                 {"+30d", 30 * 86400}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *got = minutes_later(cases[i].text, now, cases[i].after_s);
        if (strcmp(got, "right") != 0) fail_msg("%s: %s", cases[i].text, got);
    }
}

static void parse__refuses__the_rest(void **state)
{
    (void)state;
    const time_t now = at(2026, 11, 23, 14, 30);
    static const char *const cases[] = {"",
                                        " ",
                                        "noon",
                                        "20",
                                        "20:0",
                                        "20:000",
                                        "24:00",
                                        "20:60",
                                        "20:00 ",
                                        " 20:00",
                                        "020:00",
                                        "20:00:00",
                                        "-1:00",
                                        "today 9:00",
                                        "tomorrow",
                                        "tomorrow ",
                                        "Tomorrow 9:00",
                                        "yesterday 9:00",
                                        "2026-11-22 20:00",
                                        "2026-02-30 10:00",
                                        "2026-13-01 10:00",
                                        "2026-00-10 10:00",
                                        "2026-11-00 10:00",
                                        "2026-11-24",
                                        "26-11-24 20:00",
                                        "2026-12-24 20:00",
                                        "9999-12-31 23:59",
                                        "1969-01-01 10:00",
                                        "+",
                                        "+m",
                                        "+30",
                                        "+30s",
                                        "+30m ",
                                        "+ 30m",
                                        "+00000000030m",
                                        "+31d",
                                        "+30d1m",
                                        "+0m",
                                        "+-5m",
                                        "++5m",
                                        "+1h-5m",
                                        "20:00\n",
                                        "\xff"};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t ms = -1;
        if (psst_meet_parse(cases[i], now, &ms) == NULL) fail_msg("\"%s\" was taken", cases[i]);
        assert_int_equal(-1, ms);
    }
}

/* The night of 28 March 2027: 02:00 to 03:00 is left out. That of 31 October: it comes twice. */
static void parse__clocks_put_forward_and_back__are_no_trap(void **state)
{
    (void)state;
    int64_t ms = -1;
    const time_t spring = at(2027, 3, 27, 20, 0), autumn = at(2027, 10, 30, 20, 0);
    assert_non_null(psst_meet_parse("tomorrow 2:30", spring, &ms));
    assert_non_null(psst_meet_parse("2:30", spring, &ms));
    assert_string_equal("right", minutes_later("3:00", spring, 6 * 3600));
    assert_string_equal("right", minutes_later("tomorrow 20:00", spring, 23 * 3600));
    assert_string_equal("right", minutes_later("tomorrow 20:00", autumn, 25 * 3600));
    assert_string_equal("right", minutes_later("+1d", autumn, 24 * 3600));
    assert_null(psst_meet_parse("tomorrow 2:30", autumn, &ms)); /* one of the two */
}

static const char *words(const char *json)
{
    static char out[PSST_MEET_WORDS];
    json_t *meet = json_loads(json, 0, NULL);
    assert_non_null(meet);
    const char *got = psst_meet_words(out, meet);
    json_decref(meet);
    return got;
}

static void words__say__how_it_stands(void **state)
{
    (void)state;
#define MEET(rest) "{\"id\": 3, \"contact\": \"bob\", \"time_ms\": 1795460400000, " rest "}"
    assert_string_equal("bob wants to meet: Mon 23 Nov, 20:00 (to call it off: psst meet bob cancel 3)",
                        words(MEET("\"direction\": \"in\", \"state\": \"agreed\", \"due\": false")));
    assert_string_equal("bob knows that you meet: Mon 23 Nov, 20:00",
                        words(MEET("\"direction\": \"out\", \"state\": \"agreed\", \"due\": false")));
    assert_string_equal("you want to meet bob: Mon 23 Nov, 20:00, not known over there yet",
                        words(MEET("\"direction\": \"out\", \"state\": \"waiting\", \"due\": false")));
    assert_string_equal(
        "you want to meet bob: Mon 23 Nov, 20:00; bob has paused you",
        words(MEET("\"direction\": \"out\", \"state\": \"waiting\", \"reason\": \"bob has paused you\"")));
    assert_string_equal("it is time: the meeting with bob, Mon 23 Nov, 20:00",
                        words(MEET("\"direction\": \"in\", \"state\": \"agreed\", \"due\": true")));
    assert_string_equal(
        "the meeting with bob, Mon 23 Nov, 20:00, is called off: bob called it off",
        words(MEET("\"direction\": \"in\", \"state\": \"cancelled\", \"reason\": \"bob called it off\"")));
    assert_string_equal("", words(MEET("\"direction\": \"in\", \"state\": \"over\"")));
    assert_string_equal("no meeting with bob, Mon 23 Nov, 20:00: no",
                        words(MEET("\"direction\": \"out\", \"state\": \"refused\", \"reason\": \"no\"")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse__takes__what_people_write),
        cmocka_unit_test(parse__refuses__the_rest),
        cmocka_unit_test(parse__clocks_put_forward_and_back__are_no_trap),
        cmocka_unit_test(words__say__how_it_stands),
    };
    return cmocka_run_group_tests_name("cli/meet_words", tests, set_zone, NULL);
}
