/* What is printed: fields, tables, and for programs JSON. */
#ifndef PSST_CLI_PRINT_H
#define PSST_CLI_PRINT_H

#include "client/out.h"

/* Columns of the terminal behind f; 0: it is none, nothing needs to be wrapped. */
unsigned psst_out_columns(FILE *f);

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
