/* What holds of every key that tui/input.h gives out; for the targets that read keys. */
#ifndef PSST_FUZZ_KEY_CHECK_H
#define PSST_FUZZ_KEY_CHECK_H

#include "base/text.h"
#include "tui/input.h"

#include <string.h>

static const char *text_wrong(const struct psst_key *key)
{
    uint32_t cp = key->cp;
    if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0)) {
        return "a letter is a control character";
    }
    if (cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff)) return "a letter is none";
    if ((key->mods & PSST_MOD_CONTROL) != 0 && cp != '@' && !(cp >= '[' && cp <= '_') && !(cp >= 'a' && cp <= 'z'))
        return "there is no such control character";
    return NULL;
}

/* NULL: it is one. */
static const char *key_wrong(const struct psst_key *key)
{
    if ((unsigned)key->code > PSST_KEY_GONE) return "no such key";
    if ((key->mods & ~(unsigned)(PSST_MOD_ALT | PSST_MOD_CONTROL | PSST_MOD_SHIFT)) != 0) return "no such modifier";
    if (key->row < 0 || key->row >= 10000 || key->column < 0 || key->column >= 10000) return "far outside";
    if (key->code == PSST_KEY_TEXT) return text_wrong(key);
    if (key->cp != 0) return "a key that is no letter has one";
    if (key->code == PSST_KEY_PASTE && key->mods != 0) return "a paste has modifiers";
    if (key->paste_len > PSST_PASTE_MAX) return "the paste is too long";
    if (key->paste_len == 0) return NULL;
    if (!psst_text_valid(psst_view(key->paste, key->paste_len))) return "the paste is no UTF-8";
    for (size_t i = 0; i < key->paste_len; i++) {
        unsigned char byte = (unsigned char)key->paste[i];
        if ((byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7f) return "the paste has a control character";
    }
    return NULL;
}

static inline bool same_key(const struct psst_key *a, const struct psst_key *b)
{
    return a->code == b->code && a->mods == b->mods && a->cp == b->cp && a->row == b->row && a->column == b->column;
}

#endif
