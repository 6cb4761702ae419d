/* QR codes on a terminal, two rows of modules a line in half blocks, with their quiet zone, light on dark. */
#ifndef PSST_CLIENT_QR_H
#define PSST_CLIENT_QR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* The code as lines of UTF-8 (blank, lower half, upper half, full block: what is drawn is light), each of `columns` columns. */
struct psst_qr {
    char **lines;
    size_t n, columns;
};

/* False: the text is too much for one, or there is no memory. */
bool psst_qr_make(struct psst_qr *out, const char *text);
void psst_qr_fini(struct psst_qr *qr); /* all zeros is safe */

/* Prints text as a QR code. False: as above. width (may be NULL): its columns. */
bool psst_qr_print(FILE *f, const char *text, size_t *width);

#endif
