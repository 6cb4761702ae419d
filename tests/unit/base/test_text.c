/* UTF-8, rendering (attacks 34 to 37), hexadecimal. */
#include "support/check.h"

#include "base/text.h"

/* cases with NUL inside need a length */
#define LIT(s)                                                                                                         \
    {                                                                                                                  \
        (const uint8_t *)(s), sizeof(s) - 1                                                                            \
    }

static void valid__follows__unicode_table_3_7(void **state)
{
    (void)state;
    static const struct {
        struct psst_view bytes;
        bool valid;
    } cases[] = {
        {LIT(""), true},
        {LIT("plain"), true},
        {LIT("\x01\x7f"), true},
        {LIT("a\0b"), false},
        {LIT("\xc2\x80"), true},
        {LIT("\xdf\xbf"), true},
        {LIT("\xe0\xa0\x80"), true},
        {LIT("\xed\x9f\xbf"), true},
        {LIT("\xee\x80\x80"), true},
        {LIT("\xef\xbf\xbf"), true},
        {LIT("\xf0\x90\x80\x80"), true},
        {LIT("\xf4\x8f\xbf\xbf"), true},
        /* overlong */
        {LIT("\xc0\x80"), false},
        {LIT("\xc1\xbf"), false},
        {LIT("\xe0\x9f\xbf"), false},
        {LIT("\xf0\x8f\xbf\xbf"), false},
        /* surrogates, over U+10FFFF */
        {LIT("\xed\xa0\x80"), false},
        {LIT("\xed\xbf\xbf"), false},
        {LIT("\xf4\x90\x80\x80"), false},
        {LIT("\xf5\x80\x80\x80"), false},
        {LIT("\xff"), false},
        {LIT("\xfe"), false},
        /* cut short, or continued by nothing */
        {LIT("\x80"), false},
        {LIT("\xbf"), false},
        {LIT("\xc2"), false},
        {LIT("\xe1\x80"), false},
        {LIT("\xf1\x80\x80"), false},
        {LIT("\xc2\x41"), false},
        {LIT("\xe1\x80\x41"), false},
        {LIT("\xf1\x80\x80\xc2\x80"), false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (psst_text_valid(cases[i].bytes) != cases[i].valid) fail_msg("case %zu", i);
}

struct render_case {
    struct psst_view in;
    enum psst_render how;
    size_t max;
    const char *out;
};

static void check_render(const struct render_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct psst_buf out;
        psst_buf_init(&out, 4096);
        psst_text_render(&out, cases[i].in, cases[i].how, cases[i].max);
        assert_false(out.failed);
        if (!psst_view_equal(psst_view_str(cases[i].out), psst_buf_view(&out)))
            fail_msg("case %zu gives '%.*s'", i, (int)out.len, (const char *)out.data);
        psst_buf_fini(&out);
    }
}

static void render__shows__controls_as_symbols(void **state)
{
    (void)state;
    static const struct render_case cases[] = {
        {LIT("plain"), PSST_RENDER_LINE, 99, "plain"},
        {LIT(""), PSST_RENDER_LINE, 99, ""},
        {LIT("a\x1b[31mb\x1b]52;c;x\x07"), PSST_RENDER_LINE, 99, "a␛[31mb␛]52;c;x␇"},
        {LIT("a\0b"), PSST_RENDER_LINE, 99, "a␀b"},
        {LIT("a\r\n\tb"), PSST_RENDER_LINE, 99, "a␍␊␉b"},
        {LIT("a\r\n\tb"), PSST_RENDER_PARAGRAPH, 99, "a␍\n b"},
        {LIT("\x08\x0b\x0c\x7f"), PSST_RENDER_PARAGRAPH, 99, "␈␋␌␡"},
        {LIT("\xc2\x9b"
             "31m\xc2\x85\xc2\x90"),
         PSST_RENDER_LINE, 99, "�31m��"},
        {LIT("a\xe2\x80\xa8"
             "b\xe2\x80\xa9"
             "c"),
         PSST_RENDER_PARAGRAPH, 99, "a�b�c"},
        {LIT("%n <b>&amp; file:///etc"), PSST_RENDER_LINE, 99, "%n <b>&amp; file:///etc"},
    };
    check_render(cases, sizeof cases / sizeof cases[0]);
}

static void render__drops__what_is_invisible(void **state)
{
    (void)state;
    static const struct render_case cases[] = {
        {LIT("photo\u202egpj.exe"), PSST_RENDER_LINE, 99, "photogpj.exe"},
        {LIT("\u2066a\u2069\u200e\u200f\u061c\u202a\u202b\u202c\u202d"), PSST_RENDER_LINE, 99, "a"},
        {LIT("Al\u200bi\u200cc\u200de\u2060\ufeff\u00ad"), PSST_RENDER_LINE, 99, "Alice"},
        {LIT("\U0001f468\u200d\U0001f469\ufe0f"), PSST_RENDER_LINE, 99, "\U0001f468\U0001f469"},
        {LIT("x\u3164\uffa0\u115f\u1160\u180e"), PSST_RENDER_LINE, 99, "x"},
        {LIT("a\U000e0041\U000e007f\U000e0100"), PSST_RENDER_LINE, 99, "a"},
        {LIT("\u034f\u17b4\u180b\ufe00\u206f\ufff9\U0001d173\U0001bca0"), PSST_RENDER_LINE, 99, ""},
    };
    check_render(cases, sizeof cases / sizeof cases[0]);
}

static void render__replaces__each_maximal_invalid_part(void **state)
{
    (void)state;
    static const struct render_case cases[] = {
        /* the examples of Unicode 15, tables 3-8 to 3-11 */
        {LIT("\xc0\xaf\xe0\x80\xbf\xf0\x81\x82\x41"), PSST_RENDER_LINE, 99, "��������A"},
        {LIT("\xed\xa0\x80\xed\xbf\xbf\xed\xaf\x41"), PSST_RENDER_LINE, 99, "��������A"},
        {LIT("\xf4\x91\x92\x93\xff\x41\x80\xbf\x42"), PSST_RENDER_LINE, 99, "�����A��B"},
        {LIT("\xe1\x80\xe2\xf0\x91\x92\xf1\xbf\x41"), PSST_RENDER_LINE, 99, "����A"},
        {LIT("\xef\xbf\xbe\xef\xb7\x90\xf4\x8f\xbf\xbf"), PSST_RENDER_LINE, 99, "���"},
        {LIT("a\xe2\x80"), PSST_RENDER_LINE, 99, "a�"},
    };
    check_render(cases, sizeof cases / sizeof cases[0]);
}

static void render__stops__at_the_limit_with_an_ellipsis(void **state)
{
    (void)state;
    static const struct render_case cases[] = {
        {LIT("abc"), PSST_RENDER_LINE, 3, "abc"},       {LIT("abcd"), PSST_RENDER_LINE, 3, "abc…"},
        {LIT("abc\u200b"), PSST_RENDER_LINE, 3, "abc"}, {LIT("äöü€"), PSST_RENDER_LINE, 2, "äö…"},
        {LIT("x"), PSST_RENDER_LINE, 0, "…"},           {LIT(""), PSST_RENDER_LINE, 0, ""},
        {LIT("a\u0301"), PSST_RENDER_LINE, 1, "a…"},    {LIT("\u0301"), PSST_RENDER_LINE, 1, "…"},
        {LIT("ab"), PSST_RENDER_LINE, SIZE_MAX, "ab"},
    };
    check_render(cases, sizeof cases / sizeof cases[0]);
}

static void render__clamps__combining_marks(void **state)
{
    (void)state;
    static const struct render_case cases[] = {
        {LIT("e\u0301"), PSST_RENDER_LINE, 99, "e\u0301"},
        {LIT("z\u0300\u0300\u0300\u0300\u0300\u0300\u0300\u0300\u0300\u0300y\u0300"), PSST_RENDER_LINE, 99,
         "z\u0300\u0300\u0300\u0300\u0300\u0300\u0300\u0300y\u0300"},
        /* marks without a base must not sit on what stands before the text */
        {LIT("\u0301x"), PSST_RENDER_LINE, 99, "\u25cc\u0301x"},
        {LIT("a\n\u0301\u0302x"), PSST_RENDER_PARAGRAPH, 99, "a\n\u25cc\u0301\u0302x"},
        {LIT("\u20dd\u20e3"), PSST_RENDER_LINE, 99, "\u25cc\u20dd\u20e3"},
        /* Hangul written in parts: lead, vowel, final */
        {LIT("\u1112\u1161\u11ab"), PSST_RENDER_LINE, 99, "\u1112\u1161\u11ab"},
    };
    check_render(cases, sizeof cases / sizeof cases[0]);
    struct psst_buf in, out;
    psst_buf_init(&in, 4096);
    psst_buf_init(&out, 4096);
    psst_buf_put_str(&in, "a");
    for (int i = 0; i < 500; i++) psst_buf_put_str(&in, "\u0489");
    psst_text_render(&out, psst_buf_view(&in), PSST_RENDER_LINE, 1000);
    assert_int_equal(1 + 8 * 2, out.len);
    psst_buf_fini(&in);
    psst_buf_fini(&out);
}

/* Whatever goes in: valid UTF-8 comes out, no controls, no more characters than asked for. */
static void render__gives__harmless_text_for_any_bytes(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (int round = 0; round < 2000; round++) {
        uint8_t in[64];
        for (size_t i = 0; i < sizeof in; i++) {
            seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            in[i] = (uint8_t)(seed >> 56 & (seed >> 40 & 1 ? 0xff : 0x9f));
        }
        struct psst_buf out;
        psst_buf_init(&out, 4096);
        psst_text_render(&out, psst_view(in, sizeof in), PSST_RENDER_LINE, 20);
        assert_false(out.failed);
        assert_true(psst_text_valid(psst_buf_view(&out)));
        size_t chars = 0;
        for (size_t i = 0; i < out.len; i++) {
            assert_true(out.data[i] >= 0x20 && out.data[i] != 0x7f);
            assert_false(out.data[i] == 0xc2 && out.data[i + 1] < 0xa0);
            chars += (out.data[i] & 0xc0) != 0x80;
        }
        assert_true(chars <= 21);
        psst_buf_fini(&out);
    }
}

static void hex__goes__there_and_back(void **state)
{
    (void)state;
    const uint8_t bytes[] = {0x00, 0x01, 0x9a, 0xbc, 0xff};
    char text[11];
    uint8_t back[5] = {0};
    psst_hex_encode(text, bytes, sizeof bytes);
    assert_string_equal("00019abcff", text);
    assert_ok(psst_hex_decode(back, 5, psst_view_str("00019AbCfF")));
    assert_memory_equal(bytes, back, 5);
    psst_hex_encode(text, bytes, 0);
    assert_string_equal("", text);
    assert_ok(psst_hex_decode(back, 0, psst_view_str("")));
}

static void hex__refuses__anything_else(void **state)
{
    (void)state;
    static const char *const cases[] = {"",     "0",    "000",  "00000", "0g00", "000g",
                                        " 000", "0x00", "00:0", "@000",  "`000"};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t out[2] = {7, 7};
        assert_err(PSST_ERR_MALFORMED, psst_hex_decode(out, 2, psst_view_str(cases[i])));
        assert_memory_equal("\7\7", out, 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(valid__follows__unicode_table_3_7),
        cmocka_unit_test(render__shows__controls_as_symbols),
        cmocka_unit_test(render__drops__what_is_invisible),
        cmocka_unit_test(render__replaces__each_maximal_invalid_part),
        cmocka_unit_test(render__stops__at_the_limit_with_an_ellipsis),
        cmocka_unit_test(render__clamps__combining_marks),
        cmocka_unit_test(render__gives__harmless_text_for_any_bytes),
        cmocka_unit_test(hex__goes__there_and_back),
        cmocka_unit_test(hex__refuses__anything_else),
    };
    return cmocka_run_group_tests_name("base/text", tests, NULL, NULL);
}
