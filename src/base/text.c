/* The UTF-8 check, rendering for screens, hexadecimal. Rendering: decode one code point -> dropped? symbol? mark over
 * the limit? -> encode. Whatever does not decode becomes U+FFFD, one for each maximal part (Unicode 15, section 3.9).
 */
#include "base/text.h"

#include "base/text_marks.h"

#define REPLACEMENT   0xfffdu
#define ELLIPSIS      0x2026u
#define DOTTED_CIRCLE 0x25ccu /* stands in for the base that a stray mark lacks */
#define MAX_MARKS     8

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

/* Invisible, or able to reorder what stands around them: dropped. Sorted. */
static const struct range dropped[] = {
    {0x00ad, 0x00ad},   /* soft hyphen */
    {0x034f, 0x034f},   /* combining grapheme joiner */
    {0x061c, 0x061c},   /* Arabic letter mark: bidirectional */
    {0x115f, 0x1160},   /* Hangul fillers */
    {0x17b4, 0x17b5},   /* Khmer inherent vowels */
    {0x180b, 0x180f},   /* Mongolian variation selectors, vowel separator */
    {0x200b, 0x200f},   /* zero-width space, joiners, left-to-right and right-to-left mark */
    {0x202a, 0x202e},   /* bidirectional embeddings and overrides */
    {0x2060, 0x206f},   /* word joiner, invisible operators, isolates, deprecated format characters */
    {0x3164, 0x3164},   /* Hangul filler */
    {0xfe00, 0xfe0f},   /* variation selectors */
    {0xfeff, 0xfeff},   /* zero-width no-break space */
    {0xffa0, 0xffa0},   /* halfwidth Hangul filler */
    {0xfff0, 0xfffb},   /* unassigned invisibles, interlinear annotation */
    {0x1bca0, 0x1bca3}, /* shorthand format controls */
    {0x1d173, 0x1d17a}, /* musical format controls */
    {0xe0000, 0xe0fff}, /* tags, more variation selectors */
};

static bool in_ranges(const struct range *ranges, size_t n, uint32_t cp)
{
    size_t lo = 0, hi = n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (cp > ranges[mid].last)
            lo = mid + 1;
        else if (cp < ranges[mid].first)
            hi = mid;
        else
            return true;
    }
    return false;
}

/* How many bytes a lead byte announces, and the range of the byte after it, which alone keeps out overlong forms,
 * surrogates and what lies over U+10FFFF. 0 for no lead byte. */
static size_t lead(uint8_t b, uint8_t *lo, uint8_t *hi)
{
    *lo = 0x80;
    *hi = 0xbf;
    if (b < 0x80) return 1;
    if (b >= 0xc2 && b <= 0xdf) return 2;
    if (b >= 0xe0 && b <= 0xef) {
        if (b == 0xe0) *lo = 0xa0;
        if (b == 0xed) *hi = 0x9f;
        return 3;
    }
    if (b >= 0xf0 && b <= 0xf4) {
        if (b == 0xf0) *lo = 0x90;
        if (b == 0xf4) *hi = 0x8f;
        return 4;
    }
    return 0;
}

size_t psst_text_decode(const uint8_t *p, size_t left, uint32_t *cp)
{
    static const uint8_t lead_bits[5] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint8_t lo, hi;
    size_t len = lead(p[0], &lo, &hi);
    *cp = PSST_TEXT_INVALID;
    if (len == 0) return 1;
    uint32_t v = p[0] & lead_bits[len];
    for (size_t i = 1; i < len; i++) {
        if (i == left || p[i] < lo || p[i] > hi) return i;
        v = v << 6 | (p[i] & 0x3fu);
        lo = 0x80;
        hi = 0xbf;
    }
    *cp = v;
    return len;
}

static void put_code_point(struct psst_buf *out, uint32_t cp)
{
    uint8_t b[4];
    size_t n = 0;
    if (cp < 0x80) {
        b[n++] = (uint8_t)cp;
    } else if (cp < 0x800) {
        b[n++] = (uint8_t)(0xc0 | cp >> 6);
        b[n++] = (uint8_t)(0x80 | (cp & 0x3f));
    } else if (cp < 0x10000) {
        b[n++] = (uint8_t)(0xe0 | cp >> 12);
        b[n++] = (uint8_t)(0x80 | (cp >> 6 & 0x3f));
        b[n++] = (uint8_t)(0x80 | (cp & 0x3f));
    } else {
        b[n++] = (uint8_t)(0xf0 | cp >> 18);
        b[n++] = (uint8_t)(0x80 | (cp >> 12 & 0x3f));
        b[n++] = (uint8_t)(0x80 | (cp >> 6 & 0x3f));
        b[n++] = (uint8_t)(0x80 | (cp & 0x3f));
    }
    psst_buf_put(out, b, n);
}

/* What is shown in the place of a control, a separator that breaks lines, or a code point that is no character. */
static uint32_t symbol(uint32_t cp, enum psst_render how)
{
    if (how == PSST_RENDER_PARAGRAPH && cp == '\n') return cp;
    if (how == PSST_RENDER_PARAGRAPH && cp == '\t') return ' ';
    if (cp < 0x20) return 0x2400 + cp;
    if (cp == 0x7f) return 0x2421;
    if (cp == PSST_TEXT_INVALID || (cp >= 0x80 && cp <= 0x9f)) return REPLACEMENT;
    if (cp == 0x2028 || cp == 0x2029) return REPLACEMENT; /* line and paragraph separator */
    if ((cp & 0xfffe) == 0xfffe || (cp >= 0xfdd0 && cp <= 0xfdef)) return REPLACEMENT;
    return cp;
}

bool psst_text_valid(struct psst_view utf8)
{
    for (size_t at = 0; at < utf8.len;) {
        uint32_t cp;
        at += psst_text_decode(utf8.data + at, utf8.len - at, &cp);
        if (cp == PSST_TEXT_INVALID || cp == 0) return false;
    }
    return true;
}

void psst_text_render(struct psst_buf *out, struct psst_view text, enum psst_render how, size_t max_chars)
{
    size_t chars = 0;
    size_t marks_here = 0;
    bool base = false; /* a character stands before, on the same line, for marks to sit on */
    for (size_t at = 0; at < text.len;) {
        uint32_t cp;
        at += psst_text_decode(text.data + at, text.len - at, &cp);
        if (in_ranges(dropped, COUNT(dropped), cp)) continue;
        bool mark = in_ranges(marks, COUNT(marks), cp);
        if (mark && ++marks_here > MAX_MARKS) continue;
        size_t takes = mark && !base ? 2 : 1;
        if (takes > max_chars - chars) {
            put_code_point(out, ELLIPSIS);
            return;
        }
        /* a stray mark would sit on what the user interface wrote before this text */
        if (mark && !base) put_code_point(out, DOTTED_CIRCLE);
        cp = symbol(cp, how);
        put_code_point(out, cp);
        chars += takes;
        if (!mark) marks_here = 0;
        base = cp != '\n';
    }
}

void psst_hex_encode(char *out, const uint8_t *data, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        out[2 * i] = digits[data[i] >> 4];
        out[2 * i + 1] = digits[data[i] & 15];
    }
    out[2 * len] = '\0';
}

/* -1 for no digit. */
static int digit_value(uint8_t c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

enum psst_err psst_hex_decode(uint8_t *out, size_t len, struct psst_view hex)
{
    if (len > SIZE_MAX / 2 || hex.len != 2 * len) return PSST_ERR_MALFORMED;
    /* outputs are written only on success: first look, then write */
    for (size_t i = 0; i < hex.len; i++)
        if (digit_value(hex.data[i]) < 0) return PSST_ERR_MALFORMED;
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)(digit_value(hex.data[2 * i]) << 4 | digit_value(hex.data[2 * i + 1]));
    return PSST_OK;
}
