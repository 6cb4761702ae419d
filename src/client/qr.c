#include "client/qr.h"

#include <qrencode.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define QUIET 2 /* modules around it; four by the standard, but two are read everywhere and a terminal is small */

static bool dark(const QRcode *code, int x, int y)
{
    if (x < 0 || y < 0 || x >= code->width || y >= code->width) return false;
    return (code->data[y * code->width + x] & 1) != 0;
}

/* The line of the modules in rows y and y + 1; NULL: out of memory. */
static char *make_line(const QRcode *code, int y)
{
    /* indexed by: the upper module is light, the lower one is */
    static const char *const blocks[2][2] = {{" ", "\xe2\x96\x84"}, {"\xe2\x96\x80", "\xe2\x96\x88"}};
    char *line = malloc(3 * (size_t)(code->width + 2 * QUIET) + 1);
    size_t len = 0;
    if (line == NULL) return NULL;
    for (int x = -QUIET; x < code->width + QUIET; x++) {
        const char *block = blocks[!dark(code, x, y)][!dark(code, x, y + 1)];
        memcpy(line + len, block, strlen(block));
        len += strlen(block);
    }
    line[len] = '\0';
    return line;
}

bool psst_qr_make(struct psst_qr *out, const char *text)
{
    QRcode *code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_L);
    if (code == NULL) return false;
    size_t side = (size_t)code->width + 2 * QUIET;
    struct psst_qr qr = {.lines = calloc((side + 1) / 2, sizeof *qr.lines), .columns = side};
    bool good = qr.lines != NULL;
    for (int y = -QUIET; y < code->width + QUIET && good; y += 2) {
        qr.lines[qr.n] = make_line(code, y);
        good = qr.lines[qr.n] != NULL;
        if (good) qr.n++;
    }
    QRcode_free(code);
    if (good)
        *out = qr;
    else
        psst_qr_fini(&qr);
    return good;
}

void psst_qr_fini(struct psst_qr *qr)
{
    for (size_t i = 0; i < qr->n; i++) free(qr->lines[i]);
    free(qr->lines);
    *qr = (struct psst_qr){.n = 0};
}

bool psst_qr_print(FILE *f, const char *text, size_t *width)
{
    struct psst_qr qr;
    if (!psst_qr_make(&qr, text)) return false;
    /* on a terminal the colours are said, so that a light background does not turn it round */
    bool colours = isatty(fileno(f)) != 0;
    for (size_t i = 0; i < qr.n; i++)
        (void)fprintf(f, "%s%s%s\n", colours ? "\x1b[97;40m" : "", qr.lines[i], colours ? "\x1b[0m" : "");
    if (width != NULL) *width = qr.columns;
    psst_qr_fini(&qr);
    return true;
}
