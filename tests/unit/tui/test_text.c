/* Clusters, columns, and where rows are broken. */
#include "support/check.h"

#include "client/out.h"
#include "tui/text.h"

#include <stdlib.h>

/* The rows of a layout with a bar between them. */
static const char *rows_of(const struct psst_layout *layout)
{
    static char shown[4096];
    struct psst_buf buf;
    psst_buf_init(&buf, sizeof shown - 1);
    for (size_t i = 0; i < layout->n_rows; i++) {
        if (i > 0) psst_buf_put_u8(&buf, '|');
        psst_layout_put(&buf, layout, i);
    }
    assert_false(buf.failed);
    if (buf.len > 0) memcpy(shown, buf.data, buf.len);
    shown[buf.len] = '\0';
    psst_buf_fini(&buf);
    return shown;
}

static struct psst_layout layout_of(const char *text, enum psst_render how, unsigned columns)
{
    struct psst_layout layout;
    assert_ok(psst_layout_make(&layout, psst_view_str(text), how, columns));
    return layout;
}

/* ---- one line: what is shown, in how many cells and columns, of how many clusters ---- */

#define FAMILY "\U0001f468\u200d\U0001f469\u200d\U0001f467"

static const struct line_case {
    const char *text, *shown;
    unsigned columns, cells, clusters;
} lines[] = {
    {"", "", 0, 0, 0},
    {"hello", "hello", 5, 5, 5},
    {"gr\u00fc\u00df", "gr\u00fc\u00df", 4, 4, 4},
    {"e\u0301e\u0301", "e\u0301e\u0301", 2, 2, 2},
    {"\u4e16\u754c", "\u4e16\u754c", 4, 2, 2},
    /* Hangul: syllables, and the same from its parts; a part alone is a mark */
    {"\ud55c\uad6d", "\ud55c\uad6d", 4, 2, 2},
    {"\u1112\u1161\u11ab\u1100\u116e\u11a8", "\ud55c\uad6d", 4, 2, 2},
    {"a\u1161", "a\u25cc\u1161", 2, 2, 2},
    /* Devanagari: marks above and below sit on the letter, vowel signs stand beside it */
    {"\u0928\u092e\u0938\u094d\u0924\u0947", "\u0928\u092e\u0938\u094d\u0924\u0947", 4, 4, 4},
    {"\u0915\u093e", "\u0915\u093e", 2, 2, 1},
    {"\u0915\u0902", "\u0915\u0902", 1, 1, 1},
    /* Thai: what is written above joins, what is written beside does not */
    {"\u0e01\u0e34", "\u0e01\u0e34", 1, 1, 1},
    {"\u0e01\u0e33", "\u0e01\u0e33", 2, 2, 1},
    /* emoji */
    {"\U0001f600", "\U0001f600", 2, 1, 1},
    {FAMILY, "\U0001f468\U0001f469\U0001f467", 6, 3, 1},
    {"\U0001f44d\U0001f3fd!", "\U0001f44d!", 3, 2, 2},
    {"\U0001f3fd", "\ufffd", 1, 1, 1},
    {"\U0001f1e9\U0001f1ea", "\U0001f1e9\U0001f1ea", 2, 2, 1},
    {"\U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7", "\U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7", 4, 4, 2},
    {"\U0001f1e9\U0001f1ea\U0001f1eb", "\U0001f1e9\U0001f1ea\ufffd", 3, 3, 2},
    {"\u2764\ufe0f", "\u2764", 1, 1, 1},
    {"1\ufe0f\u20e3", "1\u20e3", 1, 1, 1},
    {"\U0001f3f3\ufe0f\u200d\U0001f308", "\U0001f3f3\U0001f308", 3, 2, 1},
    /* marks: four, and no more */
    {"a\u0300\u0301\u0302\u0303\u0304\u0305\u0306\u0307\u0308\u0309", "a\u0300\u0301\u0302\u0303", 1, 1, 1},
    {"\u0301", "\u25cc\u0301", 1, 1, 1},
    {"\u4e16\u0301", "\u4e16\u0301", 2, 1, 1},
    /* on what the tables differ: a hexagram, an Arabic number sign */
    {"\u4dc0\u0301x", "\ufffdx", 2, 2, 2},
    {"\u06001", "\ufffd1", 2, 2, 1},
    /* what cannot be seen belongs to what can */
    {"a\u200bb", "ab", 2, 2, 2},
    {"\u200b\u200bab", "ab", 2, 2, 2},
    {"\u200b", "", 0, 0, 0},
    {"\u202egpj.exe", "gpj.exe", 7, 7, 7},
    /* controls and what is no text */
    {"a\x1b[31m", "a\u241b[31m", 6, 6, 6},
    {"\r\n\t\x7f", "\u240d\u240a\u2409\u2421", 4, 4, 4},
    {"\xc2\x9b"
     "31m",
     "\ufffd31m", 4, 4, 4},
    {"a\u2028b", "a\ufffdb", 3, 3, 3},
    {"\xff\x80"
     "a",
     "\ufffd\ufffda", 3, 3, 3},
    {"\xed\xa0\x80", "\ufffd\ufffd\ufffd", 3, 3, 3},
    {"\xe4\xb8", "\ufffd", 1, 1, 1},
    {"\xc3(", "\ufffd(", 2, 2, 2},
};

static void line__is_shown__in_cells_of_known_columns(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct psst_layout layout = layout_of(lines[i].text, PSST_RENDER_LINE, 2);
        unsigned clusters = 0;
        for (size_t c = 0; c < layout.n_cells; c++) clusters += layout.cells[c].len > 0;
        if (layout.n_rows != 1 || layout.n_cells != lines[i].cells || layout.rows[0].columns != lines[i].columns ||
            clusters != lines[i].clusters || strcmp(rows_of(&layout), lines[i].shown) != 0)
            fail_msg("case %zu: '%s', %u columns, %zu cells, %u clusters", i, rows_of(&layout), layout.rows[0].columns,
                     layout.n_cells, clusters);
        assert_int_equal(lines[i].columns, psst_text_columns(lines[i].text));
        psst_layout_fini(&layout);
    }
}

/* ---- rows ---- */

static const struct row_case {
    const char *text;
    unsigned columns;
    const char *rows;
} breaks[] = {
    {"", 10, ""},
    {"\n", 10, "|"},
    {"a\n", 10, "a|"},
    {"a\n\nb", 10, "a||b"},
    {"a\r\nb", 10, "a\u240d|b"},
    {"a\tb", 10, "a b"},
    {"one two three", 20, "one two three"},
    {"one two three", 8, "one two |three"},
    {"one two three", 7, "one two|three"}, /* the blank is swallowed */
    {"one two three", 6, "one |two |three"},
    {"one  two", 3, "one|two"}, /* so are all of them */
    {"   one", 3, "   |one"},
    {"     one", 3, "   |one"},
    {"a b c", 2, "a |b |c"},
    {"abcdef", 2, "ab|cd|ef"},
    {"abcdef gh", 4, "abcd|ef |gh"},
    {"x abcdefgh", 5, "x |abcde|fgh"},
    /* long words: behind a hyphen or a slash when there is nothing better, and not too early */
    {"twenty-one-and-two", 8, "twenty-|one-and-|two"},
    {"a well-known x", 8, "a |well-|known x"},
    {"https://example.org/some/where", 14, "https://|example.org/|some/where"},
    {"a/bcdefghijk", 8, "a/bcdefg|hijk"},
    {"see https://example.org/x", 12, "see |https://|example.org/|x"},
    /* wide characters: between any two, but not before what closes, nor behind what opens; never in half */
    {"\u4e16\u754c\u4f60\u597d", 4, "\u4e16\u754c|\u4f60\u597d"},
    {"\u4e16\u754c\u4f60\u597d", 5, "\u4e16\u754c|\u4f60\u597d"},
    {"\u4e16\u754c\u4f60\u597d", 3, "\u4e16|\u754c|\u4f60|\u597d"},
    {"\u4e16\u754c", 2, "\u4e16|\u754c"},
    {"a\u4e16\u754c", 2, "a|\u4e16|\u754c"},
    {"abc\u4e16\u754c", 6, "abc\u4e16|\u754c"},
    {"\u4e16\u754c\u3002\u4f60", 4, "\u4e16|\u754c\u3002|\u4f60"},
    {"\u4e16\u4e16\u300c\u754c\u300d", 7, "\u4e16\u4e16|\u300c\u754c\u300d"},
    {"\u4e16\u300c\u754c\u300d", 4, "\u4e16|\u300c\u754c|\u300d"},
    {"\u4e16\u754c,\u4f60", 4, "\u4e16|\u754c,|\u4f60"},
    {"\u4e16\u754c abc", 6, "\u4e16\u754c |abc"},
    {"\u4e16\u3000\u754c", 3, "\u4e16|\u754c"},
    /* clusters stay whole while there is room */
    {"ab" FAMILY, 7, "ab|\U0001f468\U0001f469\U0001f467"},
    {FAMILY "x", 4, "\U0001f468\U0001f469|\U0001f467x"},
    {"a\U0001f1e9\U0001f1ea", 2, "a|\U0001f1e9\U0001f1ea"},
    {"abc\u0301d", 3, "abc\u0301|d"},
    {"ab\u0915\u093e", 3, "ab|\u0915\u093e"},
    {"a\u200bb\u200b", 2, "ab"},
    {"\u200b\n\u200b", 2, "|"},
};

static void text__too_wide__is_broken_where_it_reads_best(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof breaks / sizeof breaks[0]; i++) {
        struct psst_layout layout = layout_of(breaks[i].text, PSST_RENDER_PARAGRAPH, breaks[i].columns);
        if (strcmp(rows_of(&layout), breaks[i].rows) != 0) fail_msg("case %zu: '%s'", i, rows_of(&layout));
        psst_layout_fini(&layout);
    }
}

static void text__of_five_hundred_marks__takes_one_column(void **state)
{
    (void)state;
    char text[2048] = "z";
    for (int i = 0; i < 500; i++) memcpy(text + 1 + 2 * i, "\xcc\x80", 3);
    memcpy(text + 1001, "y", 2);
    struct psst_layout layout = layout_of(text, PSST_RENDER_PARAGRAPH, 2);
    assert_string_equal("z\u0300\u0300\u0300\u0300y", rows_of(&layout));
    assert_int_equal(1001, layout.cells[0].len);
    assert_int_equal(1001, psst_text_next(psst_view_str(text), 0));
    assert_int_equal(0, psst_text_previous(psst_view_str(text), 1001));
    psst_layout_fini(&layout);
}

static void step__over_the_longest_cluster__is_one(void **state)
{
    (void)state;
    static const char *const units[] = {"\U0001f468\u200d", "\u0301", "\u093e", "\u200b"};
    static char text[65474];
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        size_t len = 0, unit = strlen(units[i]);
        for (; len + unit <= sizeof text; len += unit) memcpy(text + len, units[i], unit);
        assert_int_equal(len, psst_text_next(psst_view(text, len), 0));
        assert_int_equal(0, psst_text_previous(psst_view(text, len), len));
    }
}

static void layout__of_less_than_two_columns__has_two(void **state)
{
    (void)state;
    struct psst_layout layout = layout_of("\u4e16\u754c", PSST_RENDER_PARAGRAPH, 0);
    assert_string_equal("\u4e16|\u754c", rows_of(&layout));
    psst_layout_fini(&layout);
}

/* ---- places ---- */

static void check_place(const struct psst_layout *layout, uint32_t at, size_t want_row, unsigned want_column)
{
    size_t row;
    unsigned column;
    psst_layout_find(layout, at, &row, &column);
    if (row != want_row || column != want_column)
        fail_msg("byte %u is found at %zu, %u, not at %zu, %u", at, row, column, want_row, want_column);
}

static void place__of_a_byte__is_where_it_is_seen(void **state)
{
    (void)state;
    /* "one two" | "three" | "" */
    struct psst_layout layout = layout_of("one two three\n", PSST_RENDER_PARAGRAPH, 7);
    check_place(&layout, 0, 0, 0);
    check_place(&layout, 4, 0, 4);
    check_place(&layout, 7, 0, 7); /* the blank that was swallowed */
    check_place(&layout, 8, 1, 0);
    check_place(&layout, 13, 1, 5); /* the line feed */
    check_place(&layout, 14, 2, 0);
    check_place(&layout, 999, 2, 0);
    assert_int_equal(4, psst_layout_at(&layout, 0, 4));
    assert_int_equal(7, psst_layout_at(&layout, 0, 7));
    assert_int_equal(7, psst_layout_at(&layout, 0, 70));
    assert_int_equal(8, psst_layout_at(&layout, 1, 0));
    assert_int_equal(13, psst_layout_at(&layout, 1, 70));
    assert_int_equal(14, psst_layout_at(&layout, 2, 3));
    assert_int_equal(14, psst_layout_at(&layout, 9, 0));
    psst_layout_fini(&layout);

    layout = layout_of("abcdef", PSST_RENDER_PARAGRAPH, 3); /* broken at nothing: its end is the next one's beginning */
    check_place(&layout, 3, 1, 0);
    check_place(&layout, 6, 1, 3);
    assert_int_equal(2, psst_layout_at(&layout, 0, 9));
    assert_int_equal(6, psst_layout_at(&layout, 1, 9));
    psst_layout_fini(&layout);
}

static void place__inside_a_cluster__is_the_cluster(void **state)
{
    (void)state;
    struct psst_layout layout = layout_of("a\u4e16" FAMILY "b", PSST_RENDER_LINE, 80);
    check_place(&layout, 1, 0, 1);
    check_place(&layout, 2, 0, 1);
    check_place(&layout, 4, 0, 3);
    check_place(&layout, 11, 0, 3);
    check_place(&layout, 22, 0, 9);
    assert_int_equal(1, psst_layout_at(&layout, 0, 2));
    for (unsigned column = 3; column < 9; column++) assert_int_equal(4, psst_layout_at(&layout, 0, column));
    assert_int_equal(22, psst_layout_at(&layout, 0, 9));
    psst_layout_fini(&layout);
}

static void step__over_text__goes_by_what_is_seen(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t at[8]; /* boundaries, the last is the end */
    } cases[] = {
        {"ab", {0, 1, 2}},
        {"a\u200b\u200bb", {0, 7, 8}},
        {"\u200ba\nb", {0, 4, 5, 6}},
        {"a\n\u200b\nb", {0, 1, 2, 6, 7}},
        {"\r\n\r", {0, 1, 2, 3}},
        {"\U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7x", {0, 8, 16, 17}},
        {FAMILY FAMILY, {0, 18, 36}},
        {"e\u0301\u0302x\u0301", {0, 5, 8}},
        {"\xe4\xb8\xff", {0, 2, 3}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct psst_view text = psst_view_str(cases[i].text);
        for (size_t k = 0; cases[i].at[k] < text.len; k++) {
            if (psst_text_next(text, cases[i].at[k]) != cases[i].at[k + 1] ||
                psst_text_previous(text, cases[i].at[k + 1]) != cases[i].at[k])
                fail_msg("case %zu, step %zu: %zu, %zu", i, k, psst_text_next(text, cases[i].at[k]),
                         psst_text_previous(text, cases[i].at[k + 1]));
        }
        assert_int_equal(text.len, psst_text_next(text, text.len));
        assert_int_equal(0, psst_text_previous(text, 0));
    }
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
        cmocka_unit_test(line__is_shown__in_cells_of_known_columns),
        cmocka_unit_test(text__too_wide__is_broken_where_it_reads_best),
        cmocka_unit_test(text__of_five_hundred_marks__takes_one_column),
        cmocka_unit_test(step__over_the_longest_cluster__is_one),
        cmocka_unit_test(layout__of_less_than_two_columns__has_two),
        cmocka_unit_test(place__of_a_byte__is_where_it_is_seen),
        cmocka_unit_test(place__inside_a_cluster__is_the_cluster),
        cmocka_unit_test(step__over_text__goes_by_what_is_seen),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
