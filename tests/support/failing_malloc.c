#include "support/failing_malloc.h"

#include <stddef.h>
#include <stdlib.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);

static unsigned until; /* 0: never */
static bool failed, paused;

static bool fails_now(void)
{
    if (until == 0 || paused || --until > 0) return false;
    failed = true;
    return true;
}

void *__wrap_malloc(size_t size)
{
    return fails_now() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails_now() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t size)
{
    return fails_now() ? NULL : __real_realloc(p, size);
}

void failing_malloc_at(unsigned n)
{
    until = n;
    failed = false;
}

void failing_malloc_pause(bool on)
{
    paused = on;
}

bool failing_malloc_stop(void)
{
    until = 0;
    paused = false;
    return failed;
}
