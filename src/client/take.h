/* Pieces of what people write: each moves *at behind what it has taken. */
#ifndef PSST_CLIENT_TAKE_H
#define PSST_CLIENT_TAKE_H

#include <stdbool.h>

/* From lo to hi digits, and no more of them behind: the value. Else -1. */
int psst_take_number(const char **at, int lo, int hi);
/* This character; false: it is another, and *at stays. */
bool psst_take(const char **at, char c);

#endif
