#include "tui/entry_edit.h"

/* How far back a place is looked for from which clusters can be counted. Flags are pairs of 4 bytes each: a multiple of 8 keeps
 * their pairs where they were. */
#define LOOK_BACK 4096

static bool continues(uint8_t byte)
{
    return (byte & 0xc0) == 0x80;
}

static size_t point_before(struct psst_view text, size_t at)
{
    do at--;
    while (at > 0 && continues(text.data[at]));
    return at;
}

static uint32_t point(struct psst_view text, size_t at)
{
    static const uint8_t bits[4] = {0x7f, 0x1f, 0x0f, 0x07};
    uint8_t lead = text.data[at];
    size_t more = lead < 0x80 ? 0 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
    uint32_t cp = lead & bits[more];
    for (size_t i = 1; i <= more && at + i < text.len; i++) cp = cp << 6 | (text.data[at + i] & 0x3fu);
    return cp;
}

/* Neither joins with what is before nor with what is behind, unless that is no plain one: between two of them there is always a
 * boundary (UAX 29, GB999; between Hangul syllables GB7 and GB8 do not apply). */
static bool plain(uint32_t cp)
{
    return (cp >= 0x20 && cp < 0x7f) || (cp >= 0x391 && cp <= 0x482) || (cp >= 0x5d0 && cp <= 0x5ea) ||
           (cp >= 0x621 && cp <= 0x64a) || (cp >= 0x3041 && cp <= 0x3096) || (cp >= 0x30a1 && cp <= 0x30ff) ||
           (cp >= 0x4e00 && cp <= 0x9fff) || (cp >= 0xac00 && cp <= 0xd7a3);
}

/* A boundary before `at`, near it if there is one. */
static size_t anchor(struct psst_view text, size_t at)
{
    size_t least = at > LOOK_BACK ? at - LOOK_BACK : 0;
    while (least > 0 && continues(text.data[least])) least--;
    if (at == 0) return 0;
    size_t here = point_before(text, at);
    while (here > least) {
        if (text.data[here] == '\n' && here + 1 < at) return here + 1;
        size_t before = point_before(text, here);
        if (plain(point(text, here)) && plain(point(text, before))) return here;
        here = before;
    }
    return least;
}

size_t psst_walk_snap(struct psst_view text, size_t at)
{
    if (at >= text.len) return text.len;
    while (at < text.len && continues(text.data[at])) at++;
    size_t here = anchor(text, at);
    while (here < at) here = psst_text_next(text, here);
    return here;
}

size_t psst_walk_previous(struct psst_view text, size_t at)
{
    if (at > text.len) at = text.len;
    size_t here = anchor(text, at), before = here;
    while (here < at) {
        before = here;
        here = psst_text_next(text, here);
    }
    return before;
}

size_t psst_walk_next(struct psst_view text, size_t at)
{
    return at >= text.len ? text.len : psst_walk_snap(text, at + 1);
}

size_t psst_walk_line_begin(struct psst_view text, size_t at)
{
    while (at > 0 && text.data[at - 1] != '\n') at--;
    return at;
}

size_t psst_walk_line_end(struct psst_view text, size_t at)
{
    while (at < text.len && text.data[at] != '\n') at++;
    /* what cannot be seen, alone in its line, is one cluster with the line feed */
    return psst_walk_snap(text, at) == at ? at : psst_walk_previous(text, at);
}

static bool blank(uint32_t cp)
{
    return cp == ' ' || cp == '\t' || cp == '\n' || cp == 0xa0 || cp == 0x3000 || (cp >= 0x2000 && cp <= 0x200a) ||
           cp == 0x2028 || cp == 0x2029 || cp == 0x202f || cp == 0x205f;
}

/* Letters of all scripts count; the blocks of punctuation do not. */
static bool letter(uint32_t cp)
{
    if (cp < 0x80) return (cp >= '0' && cp <= '9') || ((cp | 0x20) >= 'a' && (cp | 0x20) <= 'z');
    return !blank(cp) && !(cp < 0xc0 && cp != 0xaa && cp != 0xb5 && cp != 0xba) && cp != 0xd7 && cp != 0xf7 &&
           !(cp >= 0x2010 && cp <= 0x206f) && !(cp >= 0x3001 && cp <= 0x303f) && !(cp >= 0xff01 && cp <= 0xff0f);
}

static bool belongs(struct psst_view text, size_t at, bool blanks)
{
    return blanks ? !blank(point(text, at)) : letter(point(text, at));
}

size_t psst_walk_word_left(struct psst_view text, size_t at, bool blanks)
{
    if (at > text.len) at = text.len;
    while (at > 0 && !belongs(text, point_before(text, at), blanks)) at = point_before(text, at);
    while (at > 0 && belongs(text, point_before(text, at), blanks)) at = point_before(text, at);
    return psst_walk_snap(text, at);
}

size_t psst_walk_word_right(struct psst_view text, size_t at)
{
    while (at < text.len && !belongs(text, at, false)) at++;
    while (at < text.len && (continues(text.data[at]) || belongs(text, at, false))) at++;
    return psst_walk_snap(text, at);
}
