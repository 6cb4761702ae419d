/* QR codes on a terminal, two rows a line in half blocks. */
#ifndef PSST_CLIENT_QR_H
#define PSST_CLIENT_QR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Prints text as a QR code with its quiet zone, light on dark. False: it is too much for one. width (may be NULL): its
 * columns. */
bool psst_qr_print(FILE *f, const char *text, size_t *width);

#endif
