/* What is shown to people: text from outside made harmless, sizes, times. For every user interface. */
#ifndef PSST_CLIENT_OUT_H
#define PSST_CLIENT_OUT_H

#include "base/text.h"

#include <jansson.h>
#include <stdio.h>

/* Prepares the locale: columns of characters (tui/text.h) need one that knows UTF-8. */
void psst_out_init(void);

/* One line of text from outside, rendered, at most max_chars characters. Static storage, eight in turn: good for the
 * arguments of one printf. NULL gives "". */
const char *psst_out_text(const char *text, size_t max_chars);
/* A contact's alias where it stands as who has said something: one that reads as "me" (base/me.h; psstd takes none, but one may
 * be older than that) is marked. Static storage, as above. */
const char *psst_out_alias(const char *alias, size_t max_chars);
/* The string under key of an object, rendered so; "" when it is not there. */
const char *psst_out_string(const json_t *object, const char *key);
long long psst_out_int(const json_t *object, const char *key);
bool psst_out_bool(const json_t *object, const char *key);

#define PSST_SIZE_TEXT 32
/* "812 bytes", "20.0 MB". */
const char *psst_out_size(char out[PSST_SIZE_TEXT], unsigned long long bytes);
/* "12 s", "3 min", "2 h 5 min", "4 days". */
const char *psst_out_duration(char out[PSST_SIZE_TEXT], unsigned long long ms);
/* strftime of local time. */
const char *psst_out_time(char out[64], long long unix_ms, const char *format);
/* "RSA 4096 bits", "RSA 2048 bits (weak)". */
const char *psst_out_key(char out[PSST_SIZE_TEXT], const json_t *object);

#endif
