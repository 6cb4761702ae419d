/* The entry line: what keys make of it. The tables read: what is there, keys, what is there then; | is the cursor. */
#include "unit/tui/keys.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

static struct psst_entry *entry;

static int begin(void **state)
{
    (void)state;
    return psst_entry_new(&entry) == PSST_OK ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    psst_entry_free(entry);
    entry = NULL;
    return 0;
}

struct one {
    const char *before, *keys, *after;
};

static void check_all(const struct one *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        set_entry(entry, list[i].before);
        (void)press(entry, list[i].keys, 20);
        check_entry(entry, list[i].after);
    }
}
#define CHECK_ALL(list) check_all(list, sizeof(list) / sizeof((list)[0]))

static void entry__moves_and_removes_by_cluster__in_all_scripts(void **state)
{
    (void)state;
    static const struct one list[] = {
        {"|", "ab", "ab|"},
        {"ab|", "<Left>x", "ax|b"},
        {"a|b", "<Backspace>", "|b"},
        {"a|b", "<C-h>", "|b"},
        {"a|b", "<Delete>", "a|"},
        {"a|b", "<C-d>", "a|"},
        {"|", "<Backspace><Delete><Left><Right><Home><End>", "|"},
        {"ab|c", "<C-a>", "|abc"},
        {"a|bc", "<C-e>", "abc|"},
        {"a|bc", "<C-b>", "|abc"},
        {"a|bc", "<C-f>", "ab|c"},
        {"漢字|", "<Left>", "漢|字"},
        {"漢|字", "<Backspace>", "|字"},
        {"한국|", "<Backspace>", "한|"},
        {"e\u0301x|", "<Left><Left>", "|e\u0301x"},
        {"e\u0301|x", "<Backspace>", "|x"},
        {"|e\u0301x", "<Delete>", "|x"},
        {"e|", "\u0301", "e\u0301|"},
        {"👨‍👩‍👧|!", "<Backspace>", "|!"},
        {"|👨‍👩‍👧!", "<Right>", "👨‍👩‍👧|!"},
        {"🇦🇹🇩🇪|", "<Left>", "🇦🇹|🇩🇪"},
        {"🇦🇹🇩🇪|", "<Backspace><Backspace>", "|"},
        {"👍🏽|", "<Backspace>", "|"},
        {"שלום|", "<Left><Backspace>", "של|ם"},
        {"سلام|", "<Home><Delete>", "|لام"},
        {"a\nb|", "<Home><Backspace>", "a|b"},
        {"a\nbc|", "<Home>", "a\n|bc"},
        {"a|b\nc", "<End>", "ab|\nc"},
        {"a\nb|", "<C-Home>", "|a\nb"},
        {"|a\nb", "<C-End>", "a\nb|"},
        {"a|b", "<Insert>x", "ax|b"},
        {"a|b", "\n", "a\n|b"},
        {"a|b", "<A-Enter>", "a\n|b"},
    };
    CHECK_ALL(list);
}

static void entry__knows_words__as_readline(void **state)
{
    (void)state;
    static const struct one list[] = {
        {"one two-three|", "<A-b>", "one two-|three"},
        {"one two-three|", "<A-b><A-b><C-Left>", "|one two-three"},
        {"|one two", "<A-f>", "one| two"},
        {"one| two", "<C-Right>", "one two|"},
        {"one two-three|", "<C-w>", "one |"},
        {"one two-three|", "<A-Backspace>", "one two-|"},
        {"|one two", "<A-d>", "| two"},
        {"|one two", "<A-d><A-d><C-y><C-y>", "one twoone two|"},
        {"a b c|", "<C-w><C-w><C-y>", "a b c|"},
        {"ab|cd", "<C-k><C-y>", "abcd|"},
        {"ab|cd", "<C-u>", "|cd"},
        {"ab|cd", "<C-u><C-e><C-y>", "cdab|"},
        {"ab|cd", "<C-u><C-k><C-y>", "abcd|"},
        {"a\nb|c", "<C-u>", "a\n|c"},
        {"a\n|c", "<C-u>", "a|c"},
        {"a|b\nc", "<C-k>", "a|\nc"},
        {"a|b\nc", "<C-k><C-k><C-y>", "ab\n|c"},
        {"grüße dich|", "<C-w><A-b>", "|grüße "},
        {"привет мир|", "<A-b>", "привет |мир"},
        {"x, 漢字。|", "<A-b>", "x, |漢字。"},
        {"a\u00a0b|", "<C-w>", "a\u00a0|"},
        {"ab|", "<C-t>", "ba|"},
        {"a|bc", "<C-t>", "ba|c"},
        {"|ab", "<C-t>", "|ab"},
        {"a|", "<C-t>", "a|"},
        {"a\n|b", "<C-t>", "a\n|b"},
        {"ab|\nc", "<C-t>", "ba|\nc"},
        {"xe\u0301|", "<C-t>", "e\u0301x|"},
        {"漢👍|", "<C-t>", "👍漢|"},
    };
    CHECK_ALL(list);
}

static void entry__goes_back__with_undo(void **state)
{
    (void)state;
    static const struct one list[] = {
        {"|", "one two<C-_>", "one |"},
        {"|", "one two<C-_><C-_>", "|"},
        {"|", "one two<C-_><C-_><C-_>", "|"},
        {"ab|cd", "<C-k><C-_>", "ab|cd"},
        {"ab|cd", "<C-u><C-_>", "ab|cd"},
        {"abc|", "<Backspace><Backspace><C-_>", "abc|"},
        {"abc|", "<Backspace><Left><Backspace><C-_>", "a|b"},
        {"ab|", "<C-t><C-_>", "ab|"},
        {"a|b", "x<Left>y<C-_>", "a|xb"},
        {"a|b", "<Delete><Delete><C-_>", "a|b"},
    };
    CHECK_ALL(list);
    set_entry(entry, "a|b");
    psst_entry_replace(entry, 0, 1, psst_view_str("completed"));
    check_entry(entry, "completed|b");
    (void)press(entry, "<C-_>", 20);
    check_entry(entry, "a|b");
    psst_entry_clear(entry); /* what is gone so does not come back: it may be another contact's by now */
    (void)press(entry, "<C-_>", 20);
    check_entry(entry, "|");
}

static void entry__leaves_alone__keys_of_the_program(void **state)
{
    (void)state;
    static const char *const keys[] = {"<Enter>", "<A-1>",    "<A-a>",    "<C-l>",  "<C-c>",
                                       "<F5>",    "<Escape>", "<A-Left>", "<A-Up>", "<C-p>"};
    set_entry(entry, "a|b");
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        assert_int_equal(PSST_ENTRY_IGNORED, press(entry, keys[i], 20));
        check_entry(entry, "a|b");
    }
    psst_entry_clear(entry);
    assert_int_equal(PSST_ENTRY_IGNORED, press(entry, "<C-d>", 20));
}

/* ---- rows and history ---- */

static void entry__goes_by_rows__up_and_down(void **state)
{
    (void)state;
    static const struct one list[] = {
        {"one two three four|", "<Up>", "one two |three four"},
        {"abc\nd\nefg|", "<Up>", "abc\nd|\nefg"},
        {"abc\nd\nefg|", "<Up><Up>", "abc|\nd\nefg"},
        {"abc\nd\nefg|", "<Up><Up><Down><Down>", "abc\nd\nefg|"},
        {"abc\n\ne|", "<Up><Up>", "a|bc\n\ne"},
        {"a|bc", "<Up><Down>", "a|bc"},
    };
    psst_entry_clear(entry);
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        set_entry(entry, list[i].before);
        (void)press(entry, list[i].keys, 10);
        if (i > 0)
            check_entry(entry, list[i].after); /* the first one is broken where text.h breaks it */
        else
            assert_true(psst_entry_cursor(entry) < 10);
    }
}

/* Up through every row of a text and Down again never sticks, wherever rows are broken. */
static void entry__reaches_both_ends__from_every_column(void **state)
{
    (void)state;
    static const char text[] =
        "some words and averyverylongonewithoutanyblank 漢字漢字漢字漢字漢字 שלום עולם e\u0301e\u0301\n\nend";
    psst_entry_done(entry);
    for (unsigned columns = 2; columns < 30; columns++) {
        psst_entry_set(entry, psst_view_str(text), SIZE_MAX);
        const struct psst_layout *layout = psst_entry_layout(entry, columns);
        assert_non_null(layout);
        size_t rows = layout->n_rows, row;
        unsigned column;
        for (size_t i = 0; i < rows; i++) (void)press(entry, "<Up>", columns);
        psst_layout_find(psst_entry_layout(entry, columns), (uint32_t)psst_entry_cursor(entry), &row, &column);
        assert_int_equal(0, row);
        for (size_t i = 0; i < rows; i++) (void)press(entry, "<Down>", columns);
        psst_layout_find(psst_entry_layout(entry, columns), (uint32_t)psst_entry_cursor(entry), &row, &column);
        assert_int_equal(rows - 1, row);
    }
}

static void enter(const char *line)
{
    psst_entry_set(entry, psst_view_str(line), SIZE_MAX);
    psst_entry_done(entry);
    check_entry(entry, "|");
}

static void entry__keeps__what_was_entered_and_what_is_being_written(void **state)
{
    (void)state;
    enter("one");
    enter("two");
    enter("two");
    enter("");
    (void)press(entry, "<Up>", 20);
    check_entry(entry, "two|");
    (void)press(entry, "<Up>", 20);
    check_entry(entry, "one|");
    assert_int_equal(PSST_ENTRY_MOVED, press(entry, "<Up>", 20));
    (void)press(entry, "<Down><Down>", 20);
    check_entry(entry, "|");
    (void)press(entry, "dra<Up>", 20);
    check_entry(entry, "two|");
    (void)press(entry, "<Down>", 20);
    check_entry(entry, "dra|");
    /* the draft is not lost when an old line is entered instead */
    (void)press(entry, "<Up><Up>", 20);
    check_entry(entry, "one|");
    psst_entry_done(entry);
    (void)press(entry, "<Up>", 20);
    check_entry(entry, "one|");
    (void)press(entry, "<Up>", 20);
    check_entry(entry, "dra|");
    /* nor is an old line that was changed and left */
    (void)press(entry, "x<Up><Down><Down><Down>", 20);
    check_entry(entry, "drax|");
}

static void entry__finds__lines_that_begin_so(void **state)
{
    (void)state;
    enter("/file a");
    enter("hello");
    enter("/call Bob");
    (void)press(entry, "/f<Up>", 20);
    check_entry(entry, "/file a|");
    (void)press(entry, "<Down>", 20);
    check_entry(entry, "/f|");
    psst_entry_clear(entry);
    (void)press(entry, "zz<Up>", 20); /* nothing does: all of them */
    check_entry(entry, "/call Bob|");
}

static void entry__forgets__the_oldest_lines_and_what_is_cleared(void **state)
{
    (void)state;
    char line[32];
    for (int i = 0; i < PSST_ENTRY_HISTORY + 7; i++) {
        (void)snprintf(line, sizeof line, "line %d", i);
        enter(line);
    }
    for (int i = 0; i < PSST_ENTRY_HISTORY + 20; i++) (void)press(entry, "<Up>", 20);
    check_entry(entry, "line 7|");
    psst_entry_set(entry, psst_view_str("secret"), SIZE_MAX);
    psst_entry_clear(entry);
    (void)press(entry, "<Up>", 20);
    check_entry(entry, "line 506|");
}

/* ---- pastes, limits, what is no text ---- */

static enum psst_entry_did paste(const char *text, size_t len)
{
    struct psst_key key = {.code = PSST_KEY_PASTE, .paste = text, .paste_len = len};
    return psst_entry_key(entry, &key, 20);
}

static void entry__takes_a_paste__whole_or_not_at_all(void **state)
{
    (void)state;
    set_entry(entry, "a|b");
    assert_int_equal(PSST_ENTRY_CHANGED, paste("1\n2\n", 4));
    check_entry(entry, "a1\n2\n|b");
    (void)press(entry, "<C-_>", 20);
    check_entry(entry, "a|b");
    char *much = test_malloc(PSST_ENTRY_MAX + 1);
    memset(much, 'x', PSST_ENTRY_MAX + 1);
    assert_int_equal(PSST_ENTRY_FULL, paste(much, PSST_ENTRY_MAX - 1));
    check_entry(entry, "a|b");
    assert_int_equal(PSST_ENTRY_CHANGED, paste(much, PSST_ENTRY_MAX - 2));
    assert_int_equal(PSST_ENTRY_MAX, psst_entry_text(entry).len);
    assert_int_equal(PSST_ENTRY_FULL, press(entry, "y", 20));
    assert_int_equal(PSST_ENTRY_FULL, press(entry, "\n", 20));
    assert_int_equal(PSST_ENTRY_CHANGED, press(entry, "<Backspace>y", 20));
    psst_entry_set(entry, psst_view(much, PSST_ENTRY_MAX + 1), 0);
    assert_int_equal(PSST_ENTRY_MAX, psst_entry_text(entry).len);
    test_free(much);
}

static void entry__leaves_out__what_is_no_text(void **state)
{
    (void)state;
    psst_entry_set(entry, psst_view("a\xff\0b\xc3\xe2\x82\xac\xed\xa0\x80z", 13), SIZE_MAX);
    check_entry(entry, "ab€z|");
    psst_entry_insert(entry, psst_view("\xf0\x9f", 2));
    check_entry(entry, "ab€z|");
    struct psst_key key = {.code = PSST_KEY_TEXT, .cp = 0xd800};
    (void)psst_entry_key(entry, &key, 20);
    key.cp = 0x110000;
    (void)psst_entry_key(entry, &key, 20);
    check_entry(entry, "ab€z|");
    psst_entry_replace(entry, 3, 4, psst_view_str("-")); /* in the middle of a character: all of it */
    check_entry(entry, "ab-|z");
    psst_entry_set(entry, psst_view_str("e\u0301x"), 1);
    check_entry(entry, "e\u0301|x");
}

/* ---- anything at all ---- */

static uint32_t seed;

static uint32_t any(uint32_t below)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % below;
}

static const char *const pieces[] = {"a",      "b",  " ",  "\n", "-",      "é",      "e",    "\u0301",
                                     "漢",     "字", "한", "ש",  "ل",      "👍",      "🏽", "👨",
                                     "\u200d", "👩",  "🇦",  "🇹",  "\u200b", "\ufe0f", "\t"};

/* Where clusters begin, counted from the very beginning: the slow and certain way. */
static size_t bounds_of(struct psst_view text, size_t *out)
{
    size_t n = 0, at = 0;
    out[n++] = 0;
    while (at < text.len) out[n++] = at = psst_text_next(text, at);
    return n;
}

static size_t index_of(const size_t *bounds, size_t n, size_t at)
{
    size_t i = 0;
    while (i < n && bounds[i] != at) i++;
    return i;
}

/* A key with a plain meaning, on a copy of the text; false: its meaning is not told here. */
static bool expect(const char *key, const size_t *bounds, size_t n, char *text, size_t *len, size_t *cursor)
{
    size_t i = index_of(bounds, n, *cursor), from = *cursor, to = *cursor;
    if (strcmp(key, "<Left>") == 0) {
        *cursor = i > 0 ? bounds[i - 1] : 0;
    } else if (strcmp(key, "<Right>") == 0) {
        *cursor = i + 1 < n ? bounds[i + 1] : *len;
    } else if (strcmp(key, "<C-Home>") == 0) {
        *cursor = 0;
    } else if (strcmp(key, "<C-End>") == 0) {
        *cursor = *len;
    } else if (strcmp(key, "<Backspace>") == 0) {
        from = i > 0 ? bounds[i - 1] : 0;
    } else if (strcmp(key, "<Delete>") == 0) {
        to = i + 1 < n ? bounds[i + 1] : *len;
    } else {
        return false;
    }
    memmove(text + from, text + to, *len - to);
    *len -= to - from;
    if (from != to) *cursor = from;
    return true;
}

static void check_step(const char *key, bool typed)
{
    enum { ROOM = 4096 };
    static char text[ROOM + 8];
    static size_t bounds[ROOM + 8];
    struct psst_view now = psst_entry_text(entry);
    size_t len = now.len, cursor = psst_entry_cursor(entry);
    if (len > 0) memcpy(text, now.data, len);
    size_t n = bounds_of(now, bounds);
    assert_true(index_of(bounds, n, cursor) < n);
    bool known = !typed && expect(key, bounds, n, text, &len, &cursor);
    if (typed && strcmp(key, "\n") != 0) {
        memmove(text + cursor + strlen(key), text + cursor, len - cursor);
        memcpy(text + cursor, key, strlen(key));
        len += strlen(key);
        cursor += strlen(key);
        known = strcmp(key, "\t") != 0;
    }
    (void)press(entry, key, 11);
    now = psst_entry_text(entry);
    assert_true(now.len <= PSST_ENTRY_MAX);
    assert_true(psst_text_valid(now));
    n = bounds_of(now, bounds);
    assert_true(index_of(bounds, n, psst_entry_cursor(entry)) < n);
    if (!known) return;
    assert_bytes(psst_view(text, len), now.data, now.len);
    size_t i = 0;
    while (bounds[i] < cursor) i++;
    assert_int_equal(bounds[i], psst_entry_cursor(entry));
}

static void entry__stays_whole__whatever_is_pressed(void **state)
{
    (void)state;
    static const char *const keys[] = {
        "<Left>", "<Right>", "<Backspace>", "<Delete>", "<C-Home>", "<C-End>", "<Left>",   "<Right>",       "<Home>",
        "<End>",  "<C-k>",   "<C-u>",       "<C-w>",    "<C-y>",    "<C-t>",   "<A-d>",    "<A-Backspace>", "<A-b>",
        "<A-f>",  "<C-_>",   "<C-_>",       "<Up>",     "<Down>",   "<Up>",    "<Insert>", "<A-Enter>",
    };
    seed = 4516;
    for (int i = 0; i < 100000; i++) {
        if (psst_entry_text(entry).len > 300) psst_entry_done(entry);
        if (any(2) == 0)
            check_step(pieces[any(sizeof pieces / sizeof pieces[0])], true);
        else
            check_step(keys[any(sizeof keys / sizeof keys[0])], false);
    }
}

static void entry__comes_back__by_undoing_everything(void **state)
{
    (void)state;
    static const char *const keys[] = {"<Left>", "<Right>", "<Backspace>", "<Delete>", "<C-k>", "<C-u>", "<C-w>",
                                       "<C-y>",  "<C-t>",   "<A-d>",       "<Home>",   "<End>", "\n",    "<A-b>"};
    seed = 11;
    for (int round = 0; round < 300; round++) {
        set_entry(entry, "to begin with, 漢字 and e\u0301 🇦🇹|");
        for (int i = 0; i < 150; i++)
            (void)press(entry,
                        any(2) == 0 ? pieces[any(sizeof pieces / sizeof pieces[0])]
                                    : keys[any(sizeof keys / sizeof keys[0])],
                        20);
        for (int i = 0; i < 200; i++) (void)press(entry, "<C-_>", 20);
        struct psst_view now = psst_entry_text(entry);
        assert_bytes(psst_view_str("to begin with, 漢字 and e\u0301 🇦🇹"), now.data, now.len);
    }
}

/* Long texts cost nothing per key that grows with what was written: this would take minutes if it did. */
static void entry__takes_a_full_line__letter_by_letter(void **state)
{
    (void)state;
    static const char *const kinds[] = {"x", "漢", "🇦", "\u0301", "a\u200d"};
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        psst_entry_clear(entry);
        char *much = test_malloc(PSST_ENTRY_MAX);
        size_t len = 0, one = strlen(kinds[k]);
        while (len + one <= PSST_ENTRY_MAX - 3000) {
            memcpy(much + len, kinds[k], one);
            len += one;
        }
        assert_int_equal(PSST_ENTRY_CHANGED, paste(much, len));
        for (int i = 0; i < 500; i++) (void)press(entry, kinds[k], 20);
        for (int i = 0; i < 500; i++) (void)press(entry, "<Left>", 20);
        for (int i = 0; i < 200; i++) (void)press(entry, "<Backspace>", 20);
        assert_true(psst_text_valid(psst_entry_text(entry)));
        test_free(much);
    }
}

int main(void)
{
    (void)setlocale(LC_ALL, "C.UTF-8");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(entry__moves_and_removes_by_cluster__in_all_scripts, begin, end),
        cmocka_unit_test_setup_teardown(entry__knows_words__as_readline, begin, end),
        cmocka_unit_test_setup_teardown(entry__goes_back__with_undo, begin, end),
        cmocka_unit_test_setup_teardown(entry__leaves_alone__keys_of_the_program, begin, end),
        cmocka_unit_test_setup_teardown(entry__goes_by_rows__up_and_down, begin, end),
        cmocka_unit_test_setup_teardown(entry__reaches_both_ends__from_every_column, begin, end),
        cmocka_unit_test_setup_teardown(entry__keeps__what_was_entered_and_what_is_being_written, begin, end),
        cmocka_unit_test_setup_teardown(entry__finds__lines_that_begin_so, begin, end),
        cmocka_unit_test_setup_teardown(entry__forgets__the_oldest_lines_and_what_is_cleared, begin, end),
        cmocka_unit_test_setup_teardown(entry__takes_a_paste__whole_or_not_at_all, begin, end),
        cmocka_unit_test_setup_teardown(entry__leaves_out__what_is_no_text, begin, end),
        cmocka_unit_test_setup_teardown(entry__stays_whole__whatever_is_pressed, begin, end),
        cmocka_unit_test_setup_teardown(entry__comes_back__by_undoing_everything, begin, end),
        cmocka_unit_test_setup_teardown(entry__takes_a_full_line__letter_by_letter, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
