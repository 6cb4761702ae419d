#include "base/log.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define WINDOW_NS      UINT64_C(60000000000)
#define LINE_MAX_BYTES 1024

void psst_log_init(struct psst_log *log, psst_log_sink *sink, void *ctx, enum psst_log_level most)
{
    *log = (struct psst_log){.sink = sink, .ctx = ctx, .most = most};
}

static bool wanted(const struct psst_log *log, enum psst_log_level level)
{
    return log->sink != NULL && level <= log->most;
}

static void PSST_PRINTF(4, 0)
    write_line(struct psst_log *log, enum psst_log_level level, const char *event, const char *fmt, va_list args)
{
    char line[LINE_MAX_BYTES];
    int n = snprintf(line, sizeof line, "%s ", event);
    if (n < 0) return;
    size_t at = (size_t)n < sizeof line ? (size_t)n : sizeof line - 1;
    if (vsnprintf(line + at, sizeof line - at, fmt, args) < 0) line[at] = '\0';
    size_t len = strlen(line);
    if (len > 0 && line[len - 1] == ' ') line[len - 1] = '\0'; /* an event without fields */
    log->sink(log->ctx, level, line);
}

static void say_left_out(struct psst_log *log, struct psst_log_limit *limit)
{
    if (limit->left_out > 0 && wanted(log, PSST_LOG_WARNING)) {
        char line[LINE_MAX_BYTES];
        (void)snprintf(line, sizeof line, "%s left-out=%u", limit->event, (unsigned)limit->left_out);
        log->sink(log->ctx, PSST_LOG_WARNING, line);
    }
    limit->left_out = 0;
}

static bool window_over(const struct psst_log *log, const struct psst_log_limit *limit)
{
    return log->now_ns - limit->window_start_ns >= WINDOW_NS;
}

/* Whatever is logged next brings out the counts whose minute is over: the log has no timer of its own. */
static void say_all_left_out(struct psst_log *log)
{
    for (size_t i = 0; i < PSST_LOG_EVENTS; i++) {
        struct psst_log_limit *limit = &log->limits[i];
        if (limit->event != NULL && limit->left_out > 0 && window_over(log, limit)) say_left_out(log, limit);
    }
}

/* The place of this event; a new event takes a free place, or the one whose window is oldest. */
static struct psst_log_limit *limit_of(struct psst_log *log, const char *event)
{
    struct psst_log_limit *best = &log->limits[0];
    for (size_t i = 0; i < PSST_LOG_EVENTS; i++) {
        struct psst_log_limit *limit = &log->limits[i];
        if (limit->event == NULL) {
            best = limit;
            break;
        }
        if (strcmp(limit->event, event) == 0) return limit;
        if (limit->window_start_ns < best->window_start_ns) best = limit;
    }
    if (best->event != NULL) say_left_out(log, best);
    *best = (struct psst_log_limit){.event = event, .window_start_ns = log->now_ns};
    return best;
}

void psst_log(struct psst_log *log, enum psst_log_level level, const char *event, const char *fmt, ...)
{
    if (!wanted(log, level)) return;
    say_all_left_out(log);
    va_list args;
    va_start(args, fmt);
    write_line(log, level, event, fmt, args);
    va_end(args);
}

void psst_log_limited(struct psst_log *log, enum psst_log_level level, const char *event, const char *fmt, ...)
{
    if (!wanted(log, level)) return;
    say_all_left_out(log);
    struct psst_log_limit *limit = limit_of(log, event);
    if (window_over(log, limit)) {
        limit->window_start_ns = log->now_ns;
        limit->in_window = 0;
    }
    if (limit->in_window >= PSST_LOG_BURST) {
        if (limit->left_out < UINT32_MAX) limit->left_out++;
        return;
    }
    limit->in_window++;
    va_list args;
    va_start(args, fmt);
    write_line(log, level, event, fmt, args);
    va_end(args);
}
