#include "base/me.h"

#include "base/text.h"

/* The Latin letter, small, that a character looks like; 0: none that matters here. */
static char looks_like(uint32_t cp)
{
    static const struct {
        char letter;
        uint32_t cps[12];
    } table[] = {
        {'m', {0x039c, 0x041c, 0x043c, 0x1d0d, 0x2133, 0x216f, 0x217f, 0x24c2, 0x24dc, 0x13b7, 0x2c98, 0xa4df}},
        {'e', {0x0395, 0x0415, 0x0435, 0x1d07, 0x212e, 0x212f, 0x2130, 0x2147, 0x24ba, 0x24d4, 0x13ac, 0xa4f0}},
    };
    if (cp >= 'A' && cp <= 'Z') return (char)(cp - 'A' + 'a');
    if (cp >= 'a' && cp <= 'z') return (char)cp;
    if (cp >= 0xff21 && cp <= 0xff3a) return (char)(cp - 0xff21 + 'a'); /* of full width */
    if (cp >= 0xff41 && cp <= 0xff5a) return (char)(cp - 0xff41 + 'a');
    if (cp >= 0x1d400 && cp <= 0x1d6a3) return (char)((cp - 0x1d400) % 26 + 'a'); /* bold, italic, script: A-Z, a-z */
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        for (size_t j = 0; j < sizeof table[i].cps / sizeof table[i].cps[0]; j++)
            if (table[i].cps[j] == cp) return table[i].letter;
    return 0;
}

/* No letter, no digit and no mark: a blank, a sign. */
static bool ends_word(uint32_t cp)
{
    bool letter = (cp >= 'A' && cp <= 'Z') || (cp >= 'a' && cp <= 'z') || (cp >= '0' && cp <= '9');
    bool sign = cp == 0x1680 || (cp >= 0x2000 && cp < 0x2c00) || (cp >= 0x3000 && cp < 0x3040) || cp == 0xff5c;
    return (cp < 0xc0 && !letter) || sign;
}

bool psst_is_me(struct psst_view name)
{
    static const char me[] = PSST_ME;
    size_t n = 0;
    for (size_t at = 0; at < name.len; n++) {
        uint32_t cp;
        at += psst_text_decode(name.data + at, name.len - at, &cp);
        if (n == sizeof me - 1) return ends_word(cp); /* names are cut where there is little room */
        if (looks_like(cp) != me[n]) return false;
    }
    return n == sizeof me - 1;
}
