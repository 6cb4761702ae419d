/* The log: levels, the limit a minute, the count of what was left out. */
#include "support/check.h"

#include "base/log.h"

#include <stdio.h>

#define MINUTE_NS UINT64_C(60000000000)

struct lines {
    size_t n;
    enum psst_log_level level;
    char before[2048]; /* the line before the last */
    char last[2048];
};

static void sink(void *ctx, enum psst_log_level level, const char *line)
{
    struct lines *lines = ctx;
    lines->n++;
    lines->level = level;
    memcpy(lines->before, lines->last, sizeof lines->before);
    (void)snprintf(lines->last, sizeof lines->last, "%s", line);
}

static void log__writes__event_and_fields(void **state)
{
    (void)state;
    struct lines lines = {0};
    struct psst_log log;
    psst_log_init(&log, sink, &lines, PSST_LOG_INFO);
    psst_log(&log, PSST_LOG_INFO, "session-ended", "contact=%s reason=%s", "bob", "bye");
    assert_string_equal("session-ended contact=bob reason=bye", lines.last);
    assert_int_equal(PSST_LOG_INFO, lines.level);
    psst_log(&log, PSST_LOG_ERROR, "stopped", "%s", "");
    assert_string_equal("stopped", lines.last);
    psst_log(&log, PSST_LOG_DEBUG, "detail", "x=%d", 1);
    assert_int_equal(2, lines.n);
}

static void log__cuts__what_is_too_long(void **state)
{
    (void)state;
    struct lines lines = {0};
    struct psst_log log;
    char field[1500];
    memset(field, 'x', sizeof field);
    field[sizeof field - 1] = '\0';
    psst_log_init(&log, sink, &lines, PSST_LOG_INFO);
    psst_log(&log, PSST_LOG_INFO, "long", "f=%s", field);
    assert_int_equal(1023, strlen(lines.last));
    psst_log(&log, PSST_LOG_INFO, field, "f=%s", field);
    assert_int_equal(1023, strlen(lines.last));
}

static void log__is_silent__without_a_sink(void **state)
{
    (void)state;
    struct psst_log log;
    psst_log_init(&log, NULL, NULL, PSST_LOG_DEBUG);
    psst_log(&log, PSST_LOG_ERROR, "e", "x");
    psst_log_limited(&log, PSST_LOG_ERROR, "e", "x");
    assert_null(log.limits[0].event);
}

static void limited__lets_through__a_burst_a_minute(void **state)
{
    (void)state;
    struct lines lines = {0};
    struct psst_log log;
    psst_log_init(&log, sink, &lines, PSST_LOG_INFO);
    log.now_ns = 5;
    for (int i = 0; i < PSST_LOG_BURST + 7; i++) psst_log_limited(&log, PSST_LOG_INFO, "refused", "i=%d", i);
    assert_int_equal(PSST_LOG_BURST, lines.n);
    psst_log_limited(&log, PSST_LOG_INFO, "other", "x=1"); /* each name for itself */
    psst_log(&log, PSST_LOG_INFO, "refused", "x=2");       /* and the unlimited one not at all */
    assert_int_equal(PSST_LOG_BURST + 2, lines.n);
    log.now_ns += MINUTE_NS - 1;
    psst_log_limited(&log, PSST_LOG_INFO, "refused", "i=late");
    assert_int_equal(PSST_LOG_BURST + 2, lines.n);
    log.now_ns += 1;
    psst_log_limited(&log, PSST_LOG_INFO, "refused", "i=new");
    assert_int_equal(PSST_LOG_BURST + 4, lines.n); /* the count, and the new one */
    assert_string_equal("refused left-out=8", lines.before);
    assert_string_equal("refused i=new", lines.last);
    assert_int_equal(1, log.limits[0].in_window);
}

static void limited__tells_the_count__with_the_next_line_of_any_event(void **state)
{
    (void)state;
    struct lines lines = {0};
    struct psst_log log;
    psst_log_init(&log, sink, &lines, PSST_LOG_WARNING);
    for (int i = 0; i < PSST_LOG_BURST + 7; i++) psst_log_limited(&log, PSST_LOG_ERROR, "refused", "i=%d", i);
    log.now_ns += MINUTE_NS;
    psst_log_limited(&log, PSST_LOG_DEBUG, "quiet", "x=1"); /* not written, so it brings out nothing */
    assert_int_equal(PSST_LOG_BURST, lines.n);
    psst_log(&log, PSST_LOG_ERROR, "unrelated", "x=1");
    assert_int_equal(PSST_LOG_BURST + 2, lines.n);
    assert_string_equal("refused left-out=7", lines.before);
    assert_string_equal("unrelated x=1", lines.last);
    psst_log(&log, PSST_LOG_ERROR, "unrelated", "x=1"); /* told once */
    assert_int_equal(PSST_LOG_BURST + 3, lines.n);
}

static void limited__gives_up__the_oldest_name_when_full(void **state)
{
    (void)state;
    struct lines lines = {0};
    struct psst_log log;
    static char names[PSST_LOG_EVENTS][24];
    psst_log_init(&log, sink, &lines, PSST_LOG_INFO);
    for (int i = 0; i < PSST_LOG_BURST + 7; i++) psst_log_limited(&log, PSST_LOG_INFO, "first", "i=%d", i);
    for (int i = 0; i < PSST_LOG_EVENTS - 1; i++) {
        log.now_ns++;
        (void)snprintf(names[i], sizeof names[i], "event-%d", i);
        psst_log_limited(&log, PSST_LOG_INFO, names[i], "x=1");
    }
    psst_log_limited(&log, PSST_LOG_INFO, "one-more", "x=1");
    assert_string_equal("first left-out=7", lines.before); /* its count is not forgotten */
    assert_string_equal("one-more x=1", lines.last);
    assert_string_equal("one-more", log.limits[0].event);
    assert_string_equal("event-0", log.limits[1].event);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(log__writes__event_and_fields),
        cmocka_unit_test(log__cuts__what_is_too_long),
        cmocka_unit_test(log__is_silent__without_a_sink),
        cmocka_unit_test(limited__lets_through__a_burst_a_minute),
        cmocka_unit_test(limited__tells_the_count__with_the_next_line_of_any_event),
        cmocka_unit_test(limited__gives_up__the_oldest_name_when_full),
    };
    return cmocka_run_group_tests_name("base/log", tests, NULL, NULL);
}
