/* The entry line as it is seen: prompt, rows, marks, and where the cursor stands. */
#include "unit/tui/keys.h"

#include "unit/tui/fake_world.h"

#include <locale.h>

static struct psst_app app;

static int begin(void **state)
{
    (void)state;
    fake_begin(&app, 24, 40);
    return psst_entry_new(&app.entry) == PSST_OK ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    psst_entry_free(app.entry);
    return 0;
}

static void draw(int rows)
{
    fake_wipe();
    fake.cursor_row = fake.cursor_column = -1;
    psst_view_entry(&app, (struct psst_area){0, 0, rows, fake.columns});
}

static void check_cursor(int row, int column)
{
    assert_int_equal(row, fake.cursor_row);
    assert_int_equal(column, fake.cursor_column);
}

static void entry__has_a_prompt__with_the_name(void **state)
{
    (void)state;
    draw(1);
    assert_string_equal("Bob>", fake_row(0));
    check_cursor(0, 5);
    set_entry(app.entry, "hello|");
    draw(1);
    assert_string_equal("Bob> hello", fake_row(0));
    check_cursor(0, 10);
    app.open = NULL;
    draw(1);
    assert_string_equal("psst> hello", fake_row(0));
    app.open = (char *)(uintptr_t) "Somebody with a very long name";
    draw(1);
    assert_memory_equal("Somebody w", fake_row(0), 10); /* a third, and not a column more */
    assert_non_null(strstr(fake_row(0), "> hello"));
    check_cursor(0, 18);
    app.open = (char *)(uintptr_t) "E\x1b[2Jve";
    draw(1);
    assert_string_equal("E\u241b[2Jve> hello", fake_row(0));
    fake.columns = 12; /* the text goes before the prompt */
    draw(1);
    assert_string_equal("hello", fake_row(0));
    check_cursor(0, 5);
}

static void entry__wraps__and_follows_the_cursor(void **state)
{
    (void)state;
    set_entry(app.entry, "1\n2\n3\n4\n5\n6\n7\n8|");
    assert_int_equal(6, psst_view_entry_rows(&app, 40));
    draw(6);
    assert_string_equal("Bob>^3", fake_row(0));
    assert_string_equal("     8", fake_row(5));
    check_cursor(5, 6);
    (void)press(app.entry, "<Up><Up><Up>", 40);
    draw(6); /* nothing moves as long as it is to be seen */
    assert_string_equal("Bob>^3", fake_row(0));
    check_cursor(2, 6);
    (void)press(app.entry, "<C-Home>", 40);
    draw(6);
    assert_string_equal("Bob> 1", fake_row(0));
    assert_string_equal("    v6", fake_row(5));
    check_cursor(0, 5);
    (void)press(app.entry, "<Down><Down>", 40);
    draw(1);
    assert_string_equal("Bobv^3", fake_row(0));
    check_cursor(0, 5);
}

static void entry__keeps_the_cursor__on_the_screen_at_every_size(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "|",
        "|aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa|",
        "漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字|",
        "one two three four five six seven eight nine ten |",
        "שלום עולם שלום עולם שלום עולם שלום עולם שלום עולם|",
        "שלום עולם שלום |עולם שלום עולם שלום עולם שלום עולם",
        "a\n\n\n\n\n\n\n\n|\nb",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        for (int columns = 1; columns < 100; columns++) {
            fake.columns = columns;
            for (int rows = 1; rows <= 6; rows++) {
                set_entry(app.entry, texts[i]);
                assert_true(psst_view_entry_rows(&app, columns) >= 1 && psst_view_entry_rows(&app, columns) <= 6);
                draw(rows);
                assert_true(fake.cursor_row >= 0 && fake.cursor_row < rows);
                assert_true(fake.cursor_column >= 0 && fake.cursor_column < columns);
            }
        }
    }
}

static void entry__sets_right_to_left__to_the_right(void **state)
{
    (void)state;
    set_entry(app.entry, "שלום|");
    draw(1);
    assert_string_equal("Bob>                                םולש", fake_row(0));
    check_cursor(0, 35); /* left of all */
    set_entry(app.entry, "|שלום");
    draw(1);
    check_cursor(0, 39);
    set_entry(app.entry, "של|ום");
    draw(1);
    check_cursor(0, 37);
}

static void entry__counts__the_last_bytes(void **state)
{
    (void)state;
    char *much = test_malloc(PSST_ENTRY_MAX);
    memset(much, 'x', PSST_ENTRY_MAX);
    psst_entry_set(app.entry, psst_view(much, PSST_ENTRY_MAX - 1000), SIZE_MAX);
    draw(6);
    assert_false(fake_has("left"));
    (void)press(app.entry, "x", 40);
    draw(6);
    assert_int_equal(1, fake_find("999 left x"));
    psst_entry_set(app.entry, psst_view(much, PSST_ENTRY_MAX), SIZE_MAX);
    draw(6);
    assert_int_equal(1, fake_find("0 left"));
    test_free(much);
}

int main(void)
{
    (void)setlocale(LC_ALL, "C.UTF-8");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(entry__has_a_prompt__with_the_name, begin, end),
        cmocka_unit_test_setup_teardown(entry__wraps__and_follows_the_cursor, begin, end),
        cmocka_unit_test_setup_teardown(entry__keeps_the_cursor__on_the_screen_at_every_size, begin, end),
        cmocka_unit_test_setup_teardown(entry__sets_right_to_left__to_the_right, begin, end),
        cmocka_unit_test_setup_teardown(entry__counts__the_last_bytes, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
