/* Right-to-left text in the order in which it is seen. Hebrew letters stand for what they are: \u05d0 is the first, \u05d1
 * the second. What is expected reads from the left edge. */
#include "support/check.h"

#include "client/out.h"
#include "tui/text.h"

#define A "\u05d0"
#define B "\u05d1"
#define C "\u05d2"
#define D "\u05d3"

static const struct order_case {
    const char *text;
    unsigned columns;
    const char *rows; /* from the left; > before those that are to be set to the right */
} cases[] = {
    {"abc", 20, "abc"},
    {A B C, 20, ">" C B A},
    {"x " A B C " y", 20, "x " C B A " y"},
    {A B " x", 20, ">x " B A},
    /* numbers keep their order, and their place among the words */
    {A B " 123 " C D, 20, ">" D C " 123 " B A},
    {A " 12-3", 20, ">12-3 " A},
    {"a 1 " A " 2 b", 20, "a 1 2 " A " b"},
    {A " 1,234.50", 20, ">1,234.50 " A},
    /* Arabic, its digits, and Latin inside */
    {"\u0627\u0628 \u0661\u0662 \u062a", 20, ">\u062a \u0661\u0662 \u0628\u0627"},
    {"\u0627\u0628 abc def \u062a", 20, ">\u062a abc def \u0628\u0627"},
    {"say \u0627\u0628 12 now", 20, "say 12 \u0628\u0627 now"},
    /* brackets are turned, and belong together */
    {A "(" B ")" C, 20, ">" C "(" B ")" A},
    {A " (abc) " B, 20, ">" B " (abc) " A},
    {"a (" A B ") b", 20, "a (" B A ") b"},
    {"a [" A "] (b)", 20, "a [" A "] (b)"},
    {A "<" B, 20, ">" B ">" A},
    {A "[" B "(c", 20, ">c)" B "]" A},
    {"\u00ab" A "\u00bb", 20, ">\u00ab" A "\u00bb"},
    /* marks stay on their letters */
    {A "\u05b8" B "\u05b7", 20, ">" B "\u05b7" A "\u05b8"},
    /* nobody turns text around with what cannot be seen */
    {"photo\u202egpj.exe", 20, "photogpj.exe"},
    {"\u202eabc\u202c", 20, "abc"},
    {"\u2067" A "\u2069 x", 20, ">x " A},
    {"\u200fabc", 20, "abc"},
    /* each paragraph has its own direction, neutral ones have ours */
    {"a " A "\n" A " a\n123\n-- " A, 20, "a " A "|>a " A "|123|>" A " --"},
    {"", 20, ""},
    /* rows are broken as text is read, then each is turned */
    {A A " " B B " " C C, 5, ">" B B " " A A "|>" C C},
    {A A " " B B " " C C, 6, "> " B B " " A A "|>" C C},
    {A A A A, 3, ">" A A A "|>" A},
    {"abc " A A " " B B, 6, "abc " A A "|" B B},
    {A " abc def", 6, "> abc " A "|>def"},
    /* wide characters, and clusters of several cells */
    {A "\u4e16\u754c" B, 20, ">" B "\u4e16\u754c" A},
    {A "\U0001f600" B, 20, ">" B "\U0001f600" A},
    {A "\U0001f1e9\U0001f1ea" B, 20, ">" B "\U0001f1e9\U0001f1ea" A},
    {"a " A "\u093e b", 20, "a \u093e" A " b"},
    {A " \u0915\u093e " B, 20, ">" B " \u0915\u093e " A},
};

static void put_rows(struct psst_buf *buf, const struct psst_layout *layout)
{
    for (size_t i = 0; i < layout->n_rows; i++) {
        if (i > 0) psst_buf_put_u8(buf, '|');
        if (layout->rows[i].rtl) psst_buf_put_u8(buf, '>');
        psst_layout_put(buf, layout, i);
    }
}

static void text__of_both_directions__is_in_the_order_in_which_it_is_seen(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct psst_layout layout;
        struct psst_buf buf;
        psst_buf_init(&buf, 4096);
        assert_ok(psst_layout_make(&layout, psst_view_str(cases[i].text), PSST_RENDER_PARAGRAPH, cases[i].columns));
        put_rows(&buf, &layout);
        if (!psst_view_equal(psst_view_str(cases[i].rows), psst_buf_view(&buf)))
            fail_msg("case %zu: '%.*s', not '%s'", i, (int)buf.len, (const char *)buf.data, cases[i].rows);
        psst_buf_fini(&buf);
        psst_layout_fini(&layout);
    }
}

static void text__as_read__is_left_in_its_order(void **state)
{
    (void)state;
    struct psst_layout layout;
    struct psst_buf buf;
    psst_buf_init(&buf, 4096);
    assert_ok(psst_layout_make_as_read(&layout, psst_view_str(A "(" B ") 12\u202e " C C), PSST_RENDER_PARAGRAPH, 8));
    put_rows(&buf, &layout);
    assert_bytes(psst_view_str(A "(" B ") 12 |" C C), buf.data, buf.len);
    psst_buf_fini(&buf);
    psst_layout_fini(&layout);
}

static void check_place(const struct psst_layout *layout, uint32_t at, unsigned want, bool back)
{
    size_t row;
    unsigned column;
    psst_layout_find(layout, at, &row, &column);
    if (row != 0 || column != want) fail_msg("byte %u is found at %zu, %u, not %u", at, row, column, want);
    if (back) assert_int_equal(at, psst_layout_at(layout, row, column));
}

static void place__in_both_directions__is_on_the_letter(void **state)
{
    (void)state;
    struct psst_layout layout; /* seen: C xy B A */
    assert_ok(psst_layout_make(&layout, psst_view_str(A B "xy" C), PSST_RENDER_PARAGRAPH, 20));
    check_place(&layout, 0, 4, true);
    check_place(&layout, 2, 3, true);
    check_place(&layout, 4, 1, true);
    check_place(&layout, 5, 2, true);
    check_place(&layout, 6, 0, true);
    check_place(&layout, 8, 0, false); /* the end */
    assert_int_equal(0, psst_layout_at(&layout, 0, 99));
    psst_layout_fini(&layout);

    assert_ok(psst_layout_make(&layout, psst_view_str("a " A B " b"), PSST_RENDER_PARAGRAPH, 20));
    check_place(&layout, 0, 0, true);
    check_place(&layout, 2, 3, true);
    check_place(&layout, 4, 2, true);
    check_place(&layout, 6, 4, true);
    check_place(&layout, 8, 6, true);
    assert_true(layout.cells[2].rtl);
    assert_false(layout.cells[0].rtl);
    psst_layout_fini(&layout);
}

/* What was slow in somebody's bidi: it must end, and end well. */
static void text__of_nested_brackets__is_laid_out(void **state)
{
    (void)state;
    static char text[65001];
    memset(text, '(', 30000);
    memcpy(text + 30000, A, 2);
    memset(text + 30002, ')', 30000);
    struct psst_layout layout;
    assert_ok(psst_layout_make(&layout, psst_view_str(text), PSST_RENDER_PARAGRAPH, 80));
    assert_int_equal(60001, layout.n_cells);
    psst_layout_fini(&layout);
}

static int set_up(void **state)
{
    (void)state;
    psst_out_init();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text__of_both_directions__is_in_the_order_in_which_it_is_seen),
        cmocka_unit_test(text__as_read__is_left_in_its_order),
        cmocka_unit_test(place__in_both_directions__is_on_the_letter),
        cmocka_unit_test(text__of_nested_brackets__is_laid_out),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
