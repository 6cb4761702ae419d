/* psst-notify as a program that is nobody's child: nothing to be waited for, no zombie. */
#ifndef PSST_TUI_SPAWN_H
#define PSST_TUI_SPAWN_H

#include <stddef.h>

/* Starts it with these bytes (at most 4096) on its standard input. Silent when that cannot be. */
void psst_spawn_notify(const void *bytes, size_t len);

#endif
