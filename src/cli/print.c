#include "cli/print.h"
#include "tui/text.h"

#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define LABEL_COLUMNS 13

unsigned psst_out_columns(FILE *f)
{
    struct winsize size;
    if (!isatty(fileno(f))) return 0;
    if (ioctl(fileno(f), TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
    return size.ws_col;
}

/* ---- lines ---- */

void psst_out_field(const char *label, const char *value)
{
    (void)printf("%-*s%s\n", LABEL_COLUMNS, label, value);
}

void psst_out_fingerprint(const char *label, const char *fingerprint)
{
    size_t len = strlen(fingerprint);
    size_t half = len > 40 && fingerprint[39] == ' ' ? 39 : len;
    (void)printf("%-*s%.*s\n", LABEL_COLUMNS, label, (int)half, fingerprint);
    if (half < len) (void)printf("%-*s%s\n", LABEL_COLUMNS, "", fingerprint + half + 1);
}

void psst_table_init(struct psst_table *table, size_t columns)
{
    *table = (struct psst_table){.columns = columns};
}

void psst_table_add(struct psst_table *table, const char *cell)
{
    char **cells = realloc(table->cells, (table->n + 1) * sizeof *cells);
    char *copy = cells != NULL ? strdup(cell) : NULL;
    if (cells != NULL) table->cells = cells;
    if (copy != NULL)
        table->cells[table->n++] = copy;
    else
        table->failed = true;
}

void psst_table_print(const struct psst_table *table, FILE *f)
{
    size_t widths[PSST_TABLE_COLUMNS] = {0};
    if (table->failed) return;
    for (size_t i = 0; i < table->n; i++) {
        size_t width = psst_text_columns(table->cells[i]);
        if (width > widths[i % table->columns]) widths[i % table->columns] = width;
    }
    for (size_t i = 0; i < table->n; i++) {
        bool last = i % table->columns == table->columns - 1;
        size_t pad = last ? 0 : widths[i % table->columns] - psst_text_columns(table->cells[i]) + 2;
        (void)fprintf(f, "%s%*s%s", table->cells[i], (int)pad, "", last ? "\n" : "");
    }
}

void psst_table_fini(struct psst_table *table)
{
    for (size_t i = 0; i < table->n; i++) free(table->cells[i]);
    free(table->cells);
    psst_table_init(table, table->columns);
}

/* ---- JSON ---- */

void psst_out_json_to(FILE *f, const json_t *value)
{
    (void)json_dumpf(value, f, JSON_ENSURE_ASCII | JSON_ENCODE_ANY);
    (void)fputc('\n', f);
}

void psst_out_json(const json_t *value)
{
    psst_out_json_to(stdout, value);
}

void psst_out_json_list(const json_t *list)
{
    size_t n = json_array_size(list);
    (void)printf("[%s", n > 0 ? "\n" : "");
    for (size_t i = 0; i < n; i++) {
        (void)json_dumpf(json_array_get(list, i), stdout, JSON_ENSURE_ASCII | JSON_ENCODE_ANY);
        (void)printf("%s\n", i + 1 < n ? "," : "");
    }
    (void)printf("]\n");
}
