/* The log: a sink that is passed in, stable event names with fields, never a message's text and never a secret.
 *
 * An event looks like `session-ended contact=bob reason=bye`. Fields are written by the caller as printf text whose
 * outside parts went through psst_text_render. Events that a peer can cause are rate-limited by name: at most
 * PSST_LOG_BURST a minute each, and then one line that counts what was left out.
 * One logger is used from one thread only.
 */
#ifndef PSST_BASE_LOG_H
#define PSST_BASE_LOG_H

#include "base/err.h"

#include <stdint.h>

#define PSST_LOG_BURST  20
#define PSST_LOG_EVENTS 64 /* distinct rate-limited names kept */

enum psst_log_level { PSST_LOG_ERROR, PSST_LOG_WARNING, PSST_LOG_INFO, PSST_LOG_DEBUG };

/* line is terminated and without line feed. */
typedef void psst_log_sink(void *ctx, enum psst_log_level level, const char *line);

struct psst_log_limit {
    const char *event;
    uint64_t window_start_ns;
    uint32_t in_window;
    uint32_t left_out;
};

struct psst_log {
    psst_log_sink *sink;
    void *ctx;
    enum psst_log_level most;
    uint64_t now_ns; /* set by the owner once per loop turn: the log reads no clock */
    struct psst_log_limit limits[PSST_LOG_EVENTS];
};

void psst_log_init(struct psst_log *log, psst_log_sink *sink, void *ctx, enum psst_log_level most);

/* event is a string constant. */
void psst_log(struct psst_log *log, enum psst_log_level level, const char *event, const char *fmt, ...)
    PSST_PRINTF(4, 5);
/* The same, rate-limited: for everything that somebody outside can cause. */
void psst_log_limited(struct psst_log *log, enum psst_log_level level, const char *event, const char *fmt, ...)
    PSST_PRINTF(4, 5);

#endif
