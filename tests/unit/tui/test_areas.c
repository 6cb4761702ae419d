/* How the terminal is divided: at every size nothing overlaps, nothing is lost, and what matters most is left. */
#include "support/check.h"
#include "tui/views.h"

static bool inside(struct psst_area a, int rows, int columns)
{
    return a.row >= 0 && a.column >= 0 && a.rows >= 0 && a.columns >= 0 && a.row + a.rows <= rows &&
           a.column + a.columns <= columns;
}

static int cells(struct psst_area a)
{
    return a.rows * a.columns;
}

static bool apart(struct psst_area a, struct psst_area b)
{
    return cells(a) == 0 || cells(b) == 0 || a.row + a.rows <= b.row || b.row + b.rows <= a.row ||
           a.column + a.columns <= b.column || b.column + b.columns <= a.column;
}

static void check(const struct psst_shape *shape)
{
    struct psst_areas at;
    psst_areas_divide(&at, shape);
    const struct psst_area all[] = {at.contacts, at.conversation, at.call, at.transfers,
                                    at.status,   at.notice,       at.entry};
    const size_t n = sizeof all / sizeof all[0];
    int sum = 0;
    for (size_t i = 0; i < n; i++) {
        assert_true(inside(all[i], shape->rows, shape->columns));
        sum += cells(all[i]);
        for (size_t k = i + 1; k < n; k++) assert_true(apart(all[i], all[k]));
    }
    bool line = !at.folded && !shape->whole_page;
    assert_int_equal(sum + (line ? at.contacts.rows : 0), shape->rows * shape->columns);
    if (!shape->whole_page) assert_true(at.entry.rows >= 1);
}

static void areas__cover_the_terminal__at_every_size(void **state)
{
    (void)state;
    for (int rows = 1; rows <= 60; rows++) {
        for (int columns = 1; columns <= 200; columns += columns < 70 ? 1 : 13) {
            for (unsigned bits = 0; bits < 64; bits++) {
                struct psst_shape shape = {.rows = rows, .columns = columns};
                shape.entry_rows = (bits & 1) != 0 ? 6 : 1;
                shape.call_rows = (bits & 2) != 0 ? 2 : 0;
                shape.transfer_rows = (bits & 4) != 0 ? 3 : 0;
                shape.notice = (bits & 8) != 0;
                shape.contacts_shown = (bits & 16) != 0;
                shape.whole_page = (bits & 32) != 0;
                check(&shape);
            }
        }
    }
}

static void areas__keep_three_rows_of_conversation__on_80x24_with_all_there_is(void **state)
{
    (void)state;
    struct psst_areas at;
    struct psst_shape shape = {
        .rows = 24, .columns = 80, .entry_rows = 6, .call_rows = 2, .transfer_rows = 3, .notice = true};
    psst_areas_divide(&at, &shape);
    assert_false(at.folded);
    assert_int_equal(at.contacts.columns, 20);
    assert_int_equal(at.conversation.columns, 59);
    assert_int_equal(at.conversation.rows, 11);
    assert_int_equal(at.entry.rows, 6);
}

static void areas__fold__under_60_columns(void **state)
{
    (void)state;
    struct psst_areas at;
    struct psst_shape shape = {.rows = 12, .columns = 40, .entry_rows = 1};
    psst_areas_divide(&at, &shape);
    assert_true(at.folded);
    assert_int_equal(at.contacts.columns, 0);
    assert_int_equal(at.conversation.columns, 40);
    shape.contacts_shown = true;
    psst_areas_divide(&at, &shape);
    assert_int_equal(at.contacts.columns, 40);
    assert_int_equal(at.conversation.rows, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(areas__cover_the_terminal__at_every_size),
        cmocka_unit_test(areas__keep_three_rows_of_conversation__on_80x24_with_all_there_is),
        cmocka_unit_test(areas__fold__under_60_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
