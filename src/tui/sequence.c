#include "tui/sequence.h"

#include <string.h>

#define ESC        0x1b
#define PARAMS_MAX 4

static size_t give(struct psst_key *out, enum psst_key_code code, unsigned mods, size_t took)
{
    *out = (struct psst_key){.code = code, .mods = mods};
    return took;
}

static size_t give_text(struct psst_key *out, uint32_t cp, unsigned mods, size_t took)
{
    *out = (struct psst_key){.code = PSST_KEY_TEXT, .mods = mods, .cp = cp};
    return took;
}

/* ---- characters ---- */

static size_t read_control(struct psst_key *out, uint8_t byte)
{
    switch (byte) {
    case '\r': return give(out, PSST_KEY_ENTER, 0, 1);
    case '\t': return give(out, PSST_KEY_TAB, 0, 1);
    case 0x08:
    case 0x7f: return give(out, PSST_KEY_BACKSPACE, 0, 1);
    default: break;
    }
    return give_text(out, byte == 0 ? '@' : byte <= 26 ? 'a' + byte - 1u : byte + 0x40u, PSST_MOD_CONTROL, 1);
}

/* Table 3-7 of Unicode 15; what is invalid is swallowed byte by byte. */
static size_t read_utf8(struct psst_key *out, const uint8_t *bytes, size_t len, bool over)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t need = bytes[0] >= 0xf0 ? 4 : bytes[0] >= 0xe0 ? 3 : 2;
    if (bytes[0] < 0xc2 || bytes[0] > 0xf4) return give(out, PSST_KEY_NONE, 0, 1);
    uint32_t cp = bytes[0] & (0x7fu >> need);
    for (size_t i = 1; i < need; i++) {
        if (i == len) return over ? give(out, PSST_KEY_NONE, 0, len) : 0;
        if ((bytes[i] & 0xc0) != 0x80) return give(out, PSST_KEY_NONE, 0, i);
        cp = cp << 6 | (bytes[i] & 0x3fu);
    }
    if (cp < least[need] || cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff) || cp < 0xa0)
        return give(out, PSST_KEY_NONE, 0, need); /* C1 is no letter either */
    return give_text(out, cp, 0, need);
}

static size_t read_character(struct psst_key *out, const uint8_t *bytes, size_t len, bool over)
{
    if (bytes[0] < 0x20 || bytes[0] == 0x7f) return read_control(out, bytes[0]);
    if (bytes[0] < 0x80) return give_text(out, bytes[0], 0, 1);
    return read_utf8(out, bytes, len, over);
}

/* ---- names of sequences ---- */

static enum psst_key_code of_letter(uint8_t final)
{
    switch (final) {
    case 'A': return PSST_KEY_UP;
    case 'B': return PSST_KEY_DOWN;
    case 'C': return PSST_KEY_RIGHT;
    case 'D': return PSST_KEY_LEFT;
    case 'F': return PSST_KEY_END;
    case 'H': return PSST_KEY_HOME;
    case 'P': return PSST_KEY_F1;
    case 'Q': return PSST_KEY_F2;
    case 'R': return PSST_KEY_F3;
    case 'S': return PSST_KEY_F4;
    case 'Z': return PSST_KEY_BACKTAB;
    default: return PSST_KEY_NONE;
    }
}

static enum psst_key_code of_number(unsigned number)
{
    static const struct {
        unsigned number;
        enum psst_key_code code;
    } table[] = {{1, PSST_KEY_HOME},    {2, PSST_KEY_INSERT},    {3, PSST_KEY_DELETE}, {4, PSST_KEY_END},
                 {5, PSST_KEY_PAGE_UP}, {6, PSST_KEY_PAGE_DOWN}, {7, PSST_KEY_HOME},   {8, PSST_KEY_END},
                 {11, PSST_KEY_F1},     {12, PSST_KEY_F2},       {13, PSST_KEY_F3},    {14, PSST_KEY_F4},
                 {15, PSST_KEY_F5},     {17, PSST_KEY_F6},       {18, PSST_KEY_F7},    {19, PSST_KEY_F8},
                 {20, PSST_KEY_F9},     {21, PSST_KEY_F10},      {23, PSST_KEY_F11},   {24, PSST_KEY_F12}};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (table[i].number == number) return table[i].code;
    return PSST_KEY_NONE;
}

/* xterm: one more than a sum of 1 shift, 2 Alt, 4 control, 8 meta. */
static unsigned of_modifier(unsigned param)
{
    unsigned bits = param > 0 ? param - 1 : 0, mods = 0;
    if ((bits & 1) != 0) mods |= PSST_MOD_SHIFT;
    if ((bits & (2 | 8)) != 0) mods |= PSST_MOD_ALT;
    if ((bits & 4) != 0) mods |= PSST_MOD_CONTROL;
    return mods;
}

/* Of the characters that a control byte can mean, as input.h has them; 0: none. */
static uint32_t of_control(uint32_t cp)
{
    if (cp >= 'A' && cp <= 'Z') return cp + 'a' - 'A';
    if (cp == ' ') return '@';
    return (cp >= 'a' && cp <= 'z') || cp == '@' || (cp >= '[' && cp <= '_') ? cp : 0;
}

/* A character told by its number: as the control byte or the letter would have come. */
static size_t of_character(struct psst_key *out, unsigned cp, unsigned mods, size_t took)
{
    switch (cp) {
    case 13: return give(out, PSST_KEY_ENTER, mods, took);
    case 9: return give(out, (mods & PSST_MOD_SHIFT) != 0 ? PSST_KEY_BACKTAB : PSST_KEY_TAB, 0, took);
    case 27: return give(out, PSST_KEY_ESCAPE, mods, took);
    case 8:
    case 127: return give(out, PSST_KEY_BACKSPACE, mods, took);
    default: break;
    }
    if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff))
        return give(out, PSST_KEY_NONE, 0, took);
    if ((mods & PSST_MOD_CONTROL) != 0) cp = of_control(cp);
    if (cp == 0) return give(out, PSST_KEY_NONE, 0, took);
    return give_text(out, cp, mods & ~(unsigned)PSST_MOD_SHIFT, took);
}

/* ---- the mouse ---- */

static size_t read_click(struct psst_key *out, unsigned button, unsigned column, unsigned row, bool pressed,
                         size_t took)
{
    enum psst_key_code code = PSST_KEY_NONE;
    if ((button & 0xc0) == 0x40)
        code = (button & 3) == 0 ? PSST_KEY_WHEEL_UP : (button & 3) == 1 ? PSST_KEY_WHEEL_DOWN : PSST_KEY_NONE;
    else if ((button & (0xc0 | 32)) == 0 && (button & 3) == 0 && pressed)
        code = PSST_KEY_CLICK;
    (void)give(out, code, 0, took);
    if ((button & 4) != 0) out->mods |= PSST_MOD_SHIFT;
    if ((button & 8) != 0) out->mods |= PSST_MOD_ALT;
    if ((button & 16) != 0) out->mods |= PSST_MOD_CONTROL;
    out->row = row > 0 && row < 10000 ? (int)row - 1 : 0;
    out->column = column > 0 && column < 10000 ? (int)column - 1 : 0;
    return took;
}

/* ---- ECMA-48 ---- */

struct csi {
    unsigned params[PARAMS_MAX];
    size_t n;
    bool sgr; /* '<' stands before them */
    bool foreign;
    uint8_t final;
};

static void read_params(struct csi *csi, const uint8_t *bytes, size_t len)
{
    size_t at = 0;
    if (at < len && bytes[at] == '<') {
        csi->sgr = true;
        at++;
    }
    for (bool digits = false; at < len; at++) {
        if (bytes[at] >= '0' && bytes[at] <= '9') {
            if (!digits && csi->n < PARAMS_MAX) csi->n++;
            digits = true;
            unsigned *param = &csi->params[csi->n - 1];
            if (*param < 10000000) *param = *param * 10 + (unsigned)(bytes[at] - '0');
        } else if (bytes[at] == ';' || bytes[at] == ':') {
            if (!digits && csi->n < PARAMS_MAX) csi->n++;
            digits = false;
        } else {
            csi->foreign = true;
        }
    }
}

static size_t of_csi(struct psst_key *out, const struct csi *csi, size_t took)
{
    unsigned mods = csi->n >= 2 ? of_modifier(csi->params[1]) : 0;
    if (csi->foreign) return give(out, PSST_KEY_NONE, 0, took);
    if (csi->sgr) {
        if (csi->n != 3 || (csi->final != 'M' && csi->final != 'm')) return give(out, PSST_KEY_NONE, 0, took);
        return read_click(out, csi->params[0], csi->params[1], csi->params[2], csi->final == 'M', took);
    }
    switch (csi->final) {
    case 'I': return give(out, PSST_KEY_FOCUS_IN, 0, took);
    case 'O': return give(out, PSST_KEY_FOCUS_OUT, 0, took);
    case 'u': return of_character(out, csi->params[0], mods, took);
    case '~':
        if (csi->params[0] == 27 && csi->n == 3) return of_character(out, csi->params[2], mods, took);
        if (csi->params[0] == 200) return give(out, csi->n == 1 ? PSST_KEY_PASTE : PSST_KEY_NONE, 0, took);
        return give(out, of_number(csi->params[0]), mods, took);
    case '^': return give(out, of_number(csi->params[0]), PSST_MOD_CONTROL, took); /* rxvt */
    case '$': return give(out, of_number(csi->params[0]), PSST_MOD_SHIFT, took);
    case '@': return give(out, of_number(csi->params[0]), PSST_MOD_CONTROL | PSST_MOD_SHIFT, took);
    default: break;
    }
    if (csi->final >= 'a' && csi->final <= 'd' && csi->n == 0) /* rxvt */
        return give(out, of_letter((uint8_t)(csi->final - 'a' + 'A')), PSST_MOD_SHIFT, took);
    /* with numbers it is "1;modifier"; others are answers to questions that we do not ask */
    bool key = csi->n == 0 || (csi->params[0] <= 1 && csi->n <= 2 && csi->params[1] <= 16);
    return give(out, key ? of_letter(csi->final) : PSST_KEY_NONE, mods, took);
}

/* bytes begins with ESC [ */
static size_t read_csi(struct psst_key *out, const uint8_t *bytes, size_t len, bool over)
{
    struct csi csi = {.n = 0};
    size_t at = 2;
    if (len == 2) return over ? give_text(out, '[', PSST_MOD_ALT, 2) : 0;
    if (bytes[2] == 'M') { /* the old way of clicks: three bytes, each 32 more */
        if (len < 6) return over ? give(out, PSST_KEY_NONE, 0, len) : 0;
        return read_click(out, bytes[3] - 32u, bytes[4] - 32u, bytes[5] - 32u, (bytes[3] & 3) != 3, 6);
    }
    if (bytes[2] == '[') { /* the Linux console's F1 to F5 */
        if (len < 4) return over ? give(out, PSST_KEY_NONE, 0, len) : 0;
        bool known = bytes[3] >= 'A' && bytes[3] <= 'E';
        return give(out, known ? (enum psst_key_code)(PSST_KEY_F1 + (bytes[3] - 'A')) : PSST_KEY_NONE, 0, 4);
    }
    if (len > PSST_SEQUENCE_MAX) len = PSST_SEQUENCE_MAX;
    while (at < len && bytes[at] >= 0x20 && bytes[at] <= 0x3f && bytes[at] != '$') at++;
    if (at == len) return over || len == PSST_SEQUENCE_MAX ? give(out, PSST_KEY_NONE, 0, len) : 0;
    if (bytes[at] < 0x20 || bytes[at] > 0x7e)
        return give(out, PSST_KEY_NONE, 0, at); /* broken off: the rest begins anew */
    csi.final = bytes[at];
    read_params(&csi, bytes + 2, at - 2);
    return of_csi(out, &csi, at + 1);
}

/* bytes begins with ESC O */
static size_t read_ss3(struct psst_key *out, const uint8_t *bytes, size_t len, bool over)
{
    size_t at = 2;
    unsigned mods = 0;
    while (at < len && at < 6 && ((bytes[at] >= '0' && bytes[at] <= '9') || bytes[at] == ';')) {
        if (bytes[at] != ';') mods = of_modifier((unsigned)(bytes[at] - '0'));
        at++;
    }
    if (at == len) return over ? give_text(out, 'O', PSST_MOD_ALT, 2) : 0;
    uint8_t final = bytes[at];
    if (final < 0x20 || final > 0x7e) return give(out, PSST_KEY_NONE, 0, at);
    if (final >= 'a' && final <= 'd') /* rxvt */
        return give(out, of_letter((uint8_t)(final - 'a' + 'A')), mods | PSST_MOD_CONTROL, at + 1);
    if (final == 'M') return give(out, PSST_KEY_ENTER, mods, at + 1);
    if (final >= 'j' && final <= 'y')
        return of_character(out, final - 'j' + (unsigned)'*', mods, at + 1); /* the keypad */
    return give(out, of_letter(final), mods, at + 1);
}

/* bytes begins with ESC and what begins a string: an answer to a question that we did not ask (the shell's or the editor's
 * before us), which ends with ST or BEL. A person's Alt+] is that and a pause, or no digit behind it. */
static bool begins_string(const uint8_t *bytes, size_t len)
{
    switch (bytes[1]) {
    case ']': return len == 2 || (bytes[2] >= '0' && bytes[2] <= '9');
    case 'P': return len == 2 || (bytes[2] >= '!' && bytes[2] <= '?');
    case '_': return len == 2 || bytes[2] == 'G';
    default: return false;
    }
}

static size_t read_string(struct psst_key *out, const uint8_t *bytes, size_t len, bool over)
{
    size_t at = 2;
    if (len > PSST_SEQUENCE_MAX) len = PSST_SEQUENCE_MAX;
    while (at < len && bytes[at] >= 0x20) at++;
    if (at == len && len == 2 && over) return give_text(out, bytes[1], PSST_MOD_ALT, 2);
    if (at == len) return over || len == PSST_SEQUENCE_MAX ? give(out, PSST_KEY_NONE, 0, len) : 0;
    if (bytes[at] == '\a') return give(out, PSST_KEY_NONE, 0, at + 1);
    if (bytes[at] != ESC) return give(out, PSST_KEY_NONE, 0, at); /* broken off: the rest begins anew */
    if (at + 1 == len) return over ? give(out, PSST_KEY_NONE, 0, len) : 0;
    return give(out, PSST_KEY_NONE, 0, bytes[at + 1] == '\\' ? at + 2 : at);
}

/* A sequence that terminfo names. *begun: the bytes are the beginning of one. */
static const struct psst_sequence *find_named(const uint8_t *bytes, size_t len, const struct psst_sequence *named,
                                              size_t n, bool *begun)
{
    const struct psst_sequence *best = NULL;
    for (size_t i = 0; i < n; i++) {
        size_t size = strlen(named[i].bytes);
        size_t common = size < len ? size : len;
        if (size == 0 || memcmp(named[i].bytes, bytes, common) != 0) continue;
        if (common < size)
            *begun = true;
        else if (best == NULL || size > strlen(best->bytes))
            best = &named[i];
    }
    return best;
}

static size_t read_escape(struct psst_key *out, const uint8_t *bytes, size_t len, bool over)
{
    if (len == 1) return over ? give(out, PSST_KEY_ESCAPE, 0, 1) : 0;
    if (bytes[1] == '[') return read_csi(out, bytes, len, over);
    if (bytes[1] == 'O') return read_ss3(out, bytes, len, over);
    if (bytes[1] == ESC) return give(out, PSST_KEY_ESCAPE, 0, 1);
    if (begins_string(bytes, len)) return read_string(out, bytes, len, over);
    size_t took = read_character(out, bytes + 1, len - 1, over);
    if (took == 0) return 0;
    out->mods |= PSST_MOD_ALT;
    return took + 1;
}

/* No key that goes down with Alt: the Escape before it was one of its own. */
static bool comes_by_itself(enum psst_key_code code)
{
    return code == PSST_KEY_PASTE || code == PSST_KEY_FOCUS_IN || code == PSST_KEY_FOCUS_OUT;
}

size_t psst_sequence_read(struct psst_key *out, const uint8_t *bytes, size_t len, bool over,
                          const struct psst_sequence *named, size_t n_named)
{
    bool begun = false;
    *out = (struct psst_key){.code = PSST_KEY_NONE};
    if (len == 0) return 0;
    const struct psst_sequence *name = find_named(bytes, len, named, n_named, &begun);
    if (begun && !over) return 0;
    if (name != NULL) return give(out, name->code, name->mods, strlen(name->bytes));
    if (bytes[0] != ESC) return read_character(out, bytes, len, over);
    /* ESC before a sequence is Alt (rxvt, and others when told to) */
    if (len >= 2 && bytes[1] == ESC) {
        if (len == 2 && !over) return 0;
        if (len > 2 && (bytes[2] == '[' || bytes[2] == 'O')) {
            size_t took = read_escape(out, bytes + 1, len - 1, over);
            if (took == 0) return 0;
            if (comes_by_itself(out->code)) return give(out, PSST_KEY_ESCAPE, 0, 1);
            out->mods |= PSST_MOD_ALT;
            return took + 1;
        }
    }
    return read_escape(out, bytes, len, over);
}
