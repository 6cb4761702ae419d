#include "client/qr.h"

#include <qrencode.h>
#include <unistd.h>

#define QUIET 2 /* modules around it; four by the standard, but two are read everywhere and a terminal is small */

static bool dark(const QRcode *code, int x, int y)
{
    if (x < 0 || y < 0 || x >= code->width || y >= code->width) return false;
    return (code->data[y * code->width + x] & 1) != 0;
}

bool psst_qr_print(FILE *f, const char *text, size_t *width)
{
    /* indexed by: the upper module is light, the lower one is */
    static const char *const blocks[2][2] = {{" ", "\xe2\x96\x84"}, {"\xe2\x96\x80", "\xe2\x96\x88"}};
    QRcode *code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_L);
    if (code == NULL) return false;
    /* on a terminal the colours are said, so that a light background does not turn it round */
    bool colours = isatty(fileno(f)) != 0;
    for (int y = -QUIET; y < code->width + QUIET; y += 2) {
        if (colours) (void)fputs("\x1b[97;40m", f);
        for (int x = -QUIET; x < code->width + QUIET; x++)
            (void)fputs(blocks[!dark(code, x, y)][!dark(code, x, y + 1)], f);
        (void)fputs(colours ? "\x1b[0m\n" : "\n", f);
    }
    if (width != NULL) *width = (size_t)code->width + 2 * QUIET;
    QRcode_free(code);
    return true;
}
