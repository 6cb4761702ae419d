/* Keys as one writes them down, for tests: "ab<Left><C-k><A-Backspace>\n". */
#ifndef PSST_TESTS_TUI_KEYS_H
#define PSST_TESTS_TUI_KEYS_H

#include "support/check.h"
#include "tui/entry.h"

#include <stdlib.h>

static const struct {
    const char *name;
    enum psst_key_code code;
} key_names[] = {
    {"Enter", PSST_KEY_ENTER},   {"Backspace", PSST_KEY_BACKSPACE},
    {"Delete", PSST_KEY_DELETE}, {"Insert", PSST_KEY_INSERT},
    {"Left", PSST_KEY_LEFT},     {"Right", PSST_KEY_RIGHT},
    {"Up", PSST_KEY_UP},         {"Down", PSST_KEY_DOWN},
    {"Home", PSST_KEY_HOME},     {"End", PSST_KEY_END},
    {"F5", PSST_KEY_F5},         {"Escape", PSST_KEY_ESCAPE},
};

static inline uint32_t key_point(const char **at)
{
    const unsigned char *p = (const unsigned char *)*at;
    size_t n = *p < 0x80 ? 1 : *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : 4;
    uint32_t cp = n == 1 ? *p : *p & (0xffu >> (n + 1));
    for (size_t i = 1; i < n; i++) cp = cp << 6 | (p[i] & 0x3fu);
    *at += n;
    return cp;
}

/* The next key of the script; false at its end. */
static inline bool key_next(const char **at, struct psst_key *key)
{
    *key = (struct psst_key){.code = PSST_KEY_TEXT};
    if (**at == '\0') return false;
    if (**at != '<') {
        key->cp = key_point(at);
        if (key->cp == '\n') *key = (struct psst_key){.code = PSST_KEY_TEXT, .cp = 'j', .mods = PSST_MOD_CONTROL};
        return true;
    }
    (*at)++;
    for (; (*at)[1] == '-'; *at += 2)
        key->mods |= **at == 'C' ? PSST_MOD_CONTROL : **at == 'A' ? PSST_MOD_ALT : PSST_MOD_SHIFT;
    size_t len = strcspn(*at, ">");
    for (size_t i = 0; i < sizeof key_names / sizeof key_names[0]; i++)
        if (strlen(key_names[i].name) == len && memcmp(key_names[i].name, *at, len) == 0) key->code = key_names[i].code;
    if (key->code == PSST_KEY_TEXT) {
        assert_int_equal(1, len);
        key->cp = (uint8_t) * *at;
    }
    *at += len + 1;
    return true;
}

static inline enum psst_entry_did press(struct psst_entry *entry, const char *keys, unsigned columns)
{
    struct psst_key key;
    enum psst_entry_did did = PSST_ENTRY_IGNORED;
    while (key_next(&keys, &key)) did = psst_entry_key(entry, &key, columns);
    return did;
}

/* "what | is there", the bar being the cursor. */
static inline void check_entry(const struct psst_entry *entry, const char *want)
{
    struct psst_view text = psst_entry_text(entry);
    size_t cursor = psst_entry_cursor(entry);
    char *got = malloc(text.len + 2); /* of the C library: cmocka would report a leak in the place of what failed */
    assert_true(cursor <= text.len);
    if (cursor > 0) memcpy(got, text.data, cursor);
    got[cursor] = '|';
    if (cursor < text.len) memcpy(got + cursor + 1, text.data + cursor, text.len - cursor);
    got[text.len + 1] = '\0';
    assert_string_equal(want, got);
    free(got);
}

static inline void set_entry(struct psst_entry *entry, const char *with_bar)
{
    const char *bar = strchr(with_bar, '|');
    size_t len = strlen(with_bar), cursor = bar != NULL ? (size_t)(bar - with_bar) : len;
    char *text = malloc(len + 1);
    memcpy(text, with_bar, cursor);
    if (bar != NULL) memcpy(text + cursor, bar + 1, len - cursor - 1);
    psst_entry_set(entry, psst_view(text, bar != NULL ? len - 1 : len), cursor);
    free(text);
}

#endif
