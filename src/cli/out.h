/* What is printed for people: text from outside made harmless, columns, sizes, times; and for programs: JSON. */
#ifndef PSST_CLI_OUT_H
#define PSST_CLI_OUT_H

#include "base/text.h"

#include <jansson.h>
#include <stdio.h>

/* Prepares the locale: widths of characters need one that knows UTF-8. */
void psst_out_init(void);

/* One line of text from outside, rendered, at most max_chars characters. Static storage, eight in turn: good for the
 * arguments of one printf. NULL gives "". */
const char *psst_out_text(const char *text, size_t max_chars);
/* The string under key of an object, rendered so; "" when it is not there. */
const char *psst_out_string(const json_t *object, const char *key);
long long psst_out_int(const json_t *object, const char *key);
bool psst_out_bool(const json_t *object, const char *key);

/* Columns that a character takes; a terminal may disagree on some. */
int psst_out_char_width(uint32_t cp);
size_t psst_out_width(const char *text);
/* The code point at *text, which moves behind it; 0 at the end. Text is valid UTF-8. */
uint32_t psst_out_next(const char **text);
/* Columns of the terminal behind f; 0: it is none, nothing needs to be wrapped. */
unsigned psst_out_columns(FILE *f);

#define PSST_SIZE_TEXT 32
/* "812 bytes", "20.0 MB". */
const char *psst_out_size(char out[PSST_SIZE_TEXT], unsigned long long bytes);
/* "12 s", "3 min", "2 h 5 min", "4 days". */
const char *psst_out_duration(char out[PSST_SIZE_TEXT], unsigned long long ms);
/* strftime of local time. */
const char *psst_out_time(char out[64], long long unix_ms, const char *format);
/* "RSA 4096 bits", "RSA 2048 bits (weak)". */
const char *psst_out_key(char out[PSST_SIZE_TEXT], const json_t *object);

/* "label        value"; the fingerprint takes two such lines. */
void psst_out_field(const char *label, const char *value);
void psst_out_fingerprint(const char *label, const char *fingerprint);

/* A table: cells are copied; columns are as wide as their widest cell, the last one is not padded. */
#define PSST_TABLE_COLUMNS 8
struct psst_table {
    size_t columns, n; /* cells */
    char **cells;
    bool failed;
};
void psst_table_init(struct psst_table *table, size_t columns);
void psst_table_add(struct psst_table *table, const char *cell);
void psst_table_print(const struct psst_table *table, FILE *f);
void psst_table_fini(struct psst_table *table);

/* One JSON value a line; everything but ASCII escaped, so that no terminal is moved by it. */
void psst_out_json(const json_t *value);
void psst_out_json_to(FILE *f, const json_t *value);
/* A list as a JSON array, one element a line. */
void psst_out_json_list(const json_t *list);

#endif
