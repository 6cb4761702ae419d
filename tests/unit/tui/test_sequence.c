/* What a terminal sends as keys, and pastes however they are cut. */
#include "support/check.h"
#include "tui/paste.h"
#include "tui/sequence.h"

#include <stdlib.h>
#include <string.h>

#define ALT     PSST_MOD_ALT
#define CONTROL PSST_MOD_CONTROL
#define SHIFT   PSST_MOD_SHIFT

static const struct psst_sequence named[] = {{"\033[25~", PSST_KEY_F9, 0}, {"\033OA", PSST_KEY_UP, 0}};

struct expect {
    const char *bytes;
    enum psst_key_code code;
    unsigned mods;
    uint32_t cp; /* or row * 1000 + column of a click */
};

static const struct expect table[] = {
    {"a", PSST_KEY_TEXT, 0, 'a'},
    {"\xc3\xa4", PSST_KEY_TEXT, 0, 0xe4},
    {"\xf0\x9f\x98\x80", PSST_KEY_TEXT, 0, 0x1f600},
    {"\r", PSST_KEY_ENTER, 0, 0},
    {"\n", PSST_KEY_TEXT, CONTROL, 'j'},
    {"\t", PSST_KEY_TAB, 0, 0},
    {"\x7f", PSST_KEY_BACKSPACE, 0, 0},
    {"\x08", PSST_KEY_BACKSPACE, 0, 0},
    {"\x01", PSST_KEY_TEXT, CONTROL, 'a'},
    {"\x1c", PSST_KEY_TEXT, CONTROL, '\\'},
    {"\x1f", PSST_KEY_TEXT, CONTROL, '_'},
    {"\033", PSST_KEY_ESCAPE, 0, 0},
    {"\0331", PSST_KEY_TEXT, ALT, '1'},
    {"\033\xc3\xa4", PSST_KEY_TEXT, ALT, 0xe4},
    {"\033\r", PSST_KEY_ENTER, ALT, 0},
    {"\033\x7f", PSST_KEY_BACKSPACE, ALT, 0},
    {"\033[", PSST_KEY_TEXT, ALT, '['},
    {"\033O", PSST_KEY_TEXT, ALT, 'O'},
    {"\033[A", PSST_KEY_UP, 0, 0},
    {"\033OA", PSST_KEY_UP, 0, 0},
    {"\033OB", PSST_KEY_DOWN, 0, 0},
    {"\033[1;3D", PSST_KEY_LEFT, ALT, 0},
    {"\033[1;5C", PSST_KEY_RIGHT, CONTROL, 0},
    {"\033[1;2A", PSST_KEY_UP, SHIFT, 0},
    {"\033\033[D", PSST_KEY_LEFT, ALT, 0},
    {"\033\033OD", PSST_KEY_LEFT, ALT, 0},
    {"\033Oc", PSST_KEY_RIGHT, CONTROL, 0},
    {"\033[3~", PSST_KEY_DELETE, 0, 0},
    {"\033[3;5~", PSST_KEY_DELETE, CONTROL, 0},
    {"\033[5^", PSST_KEY_PAGE_UP, CONTROL, 0},
    {"\033[Z", PSST_KEY_BACKTAB, 0, 0},
    {"\033OP", PSST_KEY_F1, 0, 0},
    {"\033[[A", PSST_KEY_F1, 0, 0},
    {"\033[[E", PSST_KEY_F5, 0, 0},
    {"\033[11~", PSST_KEY_F1, 0, 0},
    {"\033[24~", PSST_KEY_F12, 0, 0},
    {"\033[25~", PSST_KEY_F9, 0, 0}, /* as terminfo has it here */
    {"\033[1;5P", PSST_KEY_F1, CONTROL, 0},
    {"\033[97;3u", PSST_KEY_TEXT, ALT, 'a'},
    {"\033[74;6u", PSST_KEY_TEXT, CONTROL, 'j'},
    {"\033[27;5;13~", PSST_KEY_ENTER, CONTROL, 0},
    {"\033[32;5u", PSST_KEY_TEXT, CONTROL, '@'},
    {"\033]", PSST_KEY_TEXT, ALT, ']'},
    {"\033P", PSST_KEY_TEXT, ALT, 'P'},
    {"\033[13;3u", PSST_KEY_ENTER, ALT, 0},
    {"\033[I", PSST_KEY_FOCUS_IN, 0, 0},
    {"\033[O", PSST_KEY_FOCUS_OUT, 0, 0},
    {"\033[200~", PSST_KEY_PASTE, 0, 0},
    {"\033[<0;3;4M", PSST_KEY_CLICK, 0, 3002},
    {"\033[<16;3;4M", PSST_KEY_CLICK, CONTROL, 3002},
    {"\033[<64;1;1M", PSST_KEY_WHEEL_UP, 0, 0},
    {"\033[<65;1;1M", PSST_KEY_WHEEL_DOWN, 0, 0},
    {"\033[M #$", PSST_KEY_CLICK, 0, 3002},
    {"\033[M`!!", PSST_KEY_WHEEL_UP, 0, 0},
    {"\033Op", PSST_KEY_TEXT, 0, '0'},
};

/* swallowed whole, nothing given */
static const char *const nothing[] = {
    "\xff",
    "\xc3",
    "\xc0\x80",
    "\xed\xa0\x80",
    "\xe0\x9f\xbf",
    "\xf0\x8f\xbf\xbf",
    "\xf4\x90\x80\x80",
    "\xc2\x9b",
    "\033[<0;3;4m",
    "\033[<2;3;4M",
    "\033[<35;3;4M",
    "\033[24;80R",
    "\033[?1;2c",
    "\033[>41;3c",
    "\033[1;1;1;1;1;1X",
    "\033[99999999999~",
    "\033[201~",
    "\033[200",
    "\033[12;",
    "\033[155;5u",
    "\033[<1;1M",
    "\033[M#!!",
    "\033[[Z",
    "\033[200;5~",
    "\033[200^",
    "\033O5q",
    "\033[53;5u", /* control and a digit: there is no such */
    "\033]11;rgb:2e2e/3434/3636\033\\",
    "\033]52;c;bHM7\a",
    "\033]4;1;rgb:",
    "\033P>|XTerm(379)\033\\",
    "\033P1+r544e=78\033",
    "\033_Gi=31;OK\033\\",
};

static void sequence__gives__the_key_of_each(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        const struct expect *e = &table[i];
        struct psst_key key;
        size_t len = strlen(e->bytes), took;
        took = psst_sequence_read(&key, (const uint8_t *)e->bytes, len, true, named, 2);
        if (took != len || key.code != e->code || key.mods != e->mods)
            fail_msg("row %zu: code %d mods %u", i, (int)key.code, key.mods);
        assert_int_equal(key.code == PSST_KEY_CLICK ? (uint32_t)(key.row * 1000 + key.column) : key.cp, e->cp);
        /* a part of it says nothing before it is whole */
        for (size_t part = 1; part < len; part++)
            if (e->bytes[0] == '\033' && strncmp(e->bytes, "\033\033", 2) != 0)
                assert_int_equal(psst_sequence_read(&key, (const uint8_t *)e->bytes, part, false, named, 2), 0);
    }
}

static void sequence__swallows__what_is_no_key(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof nothing / sizeof nothing[0]; i++) {
        const uint8_t *at = (const uint8_t *)nothing[i];
        size_t len = strlen(nothing[i]);
        while (len > 0) {
            struct psst_key key;
            size_t took = psst_sequence_read(&key, at, len, true, named, 2);
            if (took == 0 || took > len || key.code != PSST_KEY_NONE)
                fail_msg("row %zu: took %zu, code %d", i, took, (int)key.code);
            at += took;
            len -= took;
        }
    }
}

static void sequence__is_given_up__when_it_does_not_end(void **state)
{
    (void)state;
    static const char *const begins[] = {"\033[", "\033]1", "\033P1"};
    for (size_t i = 0; i < sizeof begins / sizeof begins[0]; i++) {
        uint8_t bytes[PSST_SEQUENCE_MAX + 10];
        struct psst_key key;
        memset(bytes, '1', sizeof bytes);
        memcpy(bytes, begins[i], strlen(begins[i]));
        assert_int_equal(psst_sequence_read(&key, bytes, PSST_SEQUENCE_MAX - 1, false, named, 2), 0);
        /* at the same byte, however much of it is there */
        assert_int_equal(psst_sequence_read(&key, bytes, PSST_SEQUENCE_MAX, false, named, 2), PSST_SEQUENCE_MAX);
        assert_int_equal(psst_sequence_read(&key, bytes, sizeof bytes, false, named, 2), PSST_SEQUENCE_MAX);
        assert_int_equal(key.code, PSST_KEY_NONE);
    }
}

static void sequence__begins_anew__where_a_string_is_broken_off(void **state)
{
    (void)state;
    struct psst_key key;
    static const uint8_t bytes[] = "\033]11;rgb\r";
    assert_int_equal(psst_sequence_read(&key, bytes, sizeof bytes - 1, false, named, 2), sizeof bytes - 2);
    assert_int_equal(key.code, PSST_KEY_NONE);
    assert_int_equal(psst_sequence_read(&key, (const uint8_t *)"\033]a", 3, false, named, 2), 2);
    assert_int_equal(key.cp, ']');
}

static void sequence__tells__an_escape_from_what_came_behind_it(void **state)
{
    (void)state;
    static const char *const behind[] = {"\033\033[200~", "\033\033[I", "\033\033[O"};
    for (size_t i = 0; i < sizeof behind / sizeof behind[0]; i++) {
        struct psst_key key;
        const uint8_t *bytes = (const uint8_t *)behind[i];
        assert_int_equal(psst_sequence_read(&key, bytes, strlen(behind[i]), false, named, 2), 1);
        assert_int_equal(key.code, PSST_KEY_ESCAPE);
    }
}

static void sequence__ends__whatever_comes(void **state)
{
    (void)state;
    uint32_t random = 1;
    for (unsigned round = 0; round < 20000; round++) {
        static const char likely[] = "\033\033\033[[O<;;0123456789MmuZ~ABCD\r\x7f\xc3\xa4\xf0\x9f";
        uint8_t bytes[80];
        size_t len = 0;
        do {
            random = random * 1664525u + 1013904223u;
            bytes[len++] = (random >> 8) % 4 == 0 ? (uint8_t)(random >> 16)
                                                  : (uint8_t)likely[(random >> 16) % (sizeof likely - 1)];
        } while (len < sizeof bytes && random >> 28 != 0);
        for (size_t at = 0; at < len;) {
            uint8_t *exact = malloc(len - at); /* so that one byte too far is noticed */
            struct psst_key key;
            assert_non_null(exact);
            memcpy(exact, bytes + at, len - at);
            size_t took = psst_sequence_read(&key, exact, len - at, true, named, 2);
            free(exact);
            assert_true(took > 0 && took <= len - at);
            at += took;
        }
    }
}

/* ---- pastes ---- */

static void paste__is_the_same__however_it_is_cut(void **state)
{
    (void)state;
    static const char sent[] =
        "one\r\ntwo\rthree\n\033[31mred\x07\tt\xc3\xa4\xff\xe4\xbd\xa0\xc2\x9b\xe4\x28\033[20 \033[201~after";
    static const char want[] = "one\ntwo\nthree\n[31mred\tt\xc3\xa4\xe4\xbd\xa0([20 ";
    for (size_t cut = 1; cut <= sizeof sent - 1; cut++) {
        struct psst_paste paste = {.text = NULL};
        size_t at = 0, len = sizeof sent - 1;
        bool ended = false;
        while (!ended && at < len) {
            size_t n = len - at < cut ? len - at : cut;
            at += psst_paste_take(&paste, (const uint8_t *)sent + at, n, &ended);
        }
        assert_true(ended);
        assert_string_equal(sent + at, "after");
        assert_int_equal(paste.len, sizeof want - 1);
        assert_memory_equal(paste.text, want, paste.len);
        assert_false(paste.cut);
        psst_paste_fini(&paste);
    }
}

static void paste__is_cut__at_its_limit_and_between_characters(void **state)
{
    (void)state;
    struct psst_paste paste = {.text = NULL};
    bool ended;
    (void)psst_paste_take(&paste, (const uint8_t *)"x", 1, &ended);
    for (size_t i = 0; i < PSST_PASTE_MAX / 4 + 100; i++)
        assert_int_equal(psst_paste_take(&paste, (const uint8_t *)"\xf0\x9f\x98\x80", 4, &ended), 4);
    (void)psst_paste_take(&paste, (const uint8_t *)"y", 1, &ended); /* fits, but would not stand where it stood */
    assert_true(paste.cut);
    assert_int_equal(paste.len, PSST_PASTE_MAX - 3);
    assert_int_equal(psst_paste_take(&paste, (const uint8_t *)PSST_PASTE_END "z", 7, &ended), 6);
    assert_true(ended);
    psst_paste_fini(&paste);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sequence__gives__the_key_of_each),
        cmocka_unit_test(sequence__swallows__what_is_no_key),
        cmocka_unit_test(sequence__is_given_up__when_it_does_not_end),
        cmocka_unit_test(sequence__begins_anew__where_a_string_is_broken_off),
        cmocka_unit_test(sequence__tells__an_escape_from_what_came_behind_it),
        cmocka_unit_test(sequence__ends__whatever_comes),
        cmocka_unit_test(paste__is_the_same__however_it_is_cut),
        cmocka_unit_test(paste__is_cut__at_its_limit_and_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
