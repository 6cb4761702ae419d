/* Text from outside: the UTF-8 check, the one function that makes it fit for a screen, and hexadecimal.
 *
 * Nothing from a peer reaches a terminal, a log, a notification or a file name but through psst_text_render
 * (docs/THREAT-MODEL.md, "On the screen"; attacks 34 to 38).
 */
#ifndef PSST_BASE_TEXT_H
#define PSST_BASE_TEXT_H

#include "base/bytes.h"

/* Valid UTF-8 (Unicode 15, table 3-7: no overlong forms, no surrogates, nothing over U+10FFFF) without NUL. Empty is
 * valid here. */
bool psst_text_valid(struct psst_view utf8);

/* One code point of the left (at least one) bytes at p, and how many bytes it took. PSST_TEXT_INVALID for each maximal part
 * that does not decode (Unicode 15, section 3.9). */
#define PSST_TEXT_INVALID UINT32_MAX
size_t psst_text_decode(const uint8_t *p, size_t left, uint32_t *cp);

enum psst_render {
    PSST_RENDER_LINE,      /* one line: line feeds are shown as symbols too */
    PSST_RENDER_PARAGRAPH, /* line feeds and tabs stay (tab becomes one space) */
};

/* Appends to out what may be shown of text that came from outside: C0, DEL and C1 controls become their symbol (U+2400
 * block, or U+FFFD), bidirectional controls, zero-width characters, variation selectors and ZWJ are dropped, at most
 * 8 combining marks follow one base character, invalid UTF-8 becomes U+FFFD. At most max_chars code points, then an
 * ellipsis. */
void psst_text_render(struct psst_buf *out, struct psst_view text, enum psst_render how, size_t max_chars);

/* Lower-case hexadecimal; out holds 2 * len + 1 bytes. */
void psst_hex_encode(char *out, const uint8_t *data, size_t len);
/* Exactly 2 * len hexadecimal digits of either case; PSST_ERR_MALFORMED otherwise. */
PSST_MUST_USE enum psst_err psst_hex_decode(uint8_t *out, size_t len, struct psst_view hex);

#endif
