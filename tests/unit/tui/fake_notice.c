#include "unit/tui/fake_notice.h"

#include <stdarg.h>
#include <stdio.h>

bool warned;

/* No keys: their functions would bring the terminal along. */
const struct psst_binding psst_bindings[] = {{0}};
const size_t psst_bindings_count = 0;

void psst_app_dirty(struct psst_app *a, unsigned what)
{
    a->dirty |= what;
}

void psst_app_say(struct psst_app *a, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(a->notice, sizeof a->notice, fmt, args);
    va_end(args);
}

void psst_app_error(struct psst_app *a, const char *fmt, ...)
{
    va_list args;
    warned = true;
    va_start(args, fmt);
    (void)vsnprintf(a->notice, sizeof a->notice, fmt, args);
    va_end(args);
}
