/* The Nth allocation fails, for every N, while text is laid out: an error or a whole layout, no leak, and whoever only asks
 * for a place or for columns gets on. */
#include "support/check.h"
#include "support/failing_malloc.h"

#include "client/out.h"
#include "tui/text.h"

static const char text[] = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen\n"
                           "\u05e9\u05dc\u05d5\u05dd (abc) 123 \u4e16\u754c \U0001f468\u200d\U0001f469\n\u200b\n";

static void nth_allocation_fails__while_text_is_laid_out__nothing_is_given(void **state)
{
    (void)state;
    unsigned errors = 0, n = 1;
    for (bool all = false; !all; n++) {
        struct psst_layout layout;
        failing_malloc_at(n);
        enum psst_err err = psst_layout_make(&layout, psst_view_str(text), PSST_RENDER_PARAGRAPH, 10);
        all = !failing_malloc_stop();
        if (err == PSST_OK) {
            assert_int_equal(strlen(text), layout.rows[layout.n_rows - 1].end);
        } else {
            assert_int_equal(PSST_ERR_MEMORY, err);
            assert_null(layout.cells);
            assert_int_equal(0, layout.n_rows);
            errors++;
        }
        size_t row; /* both bear a layout that was not made */
        unsigned column;
        psst_layout_find(&layout, 5, &row, &column);
        (void)psst_layout_at(&layout, row, column);
        psst_layout_fini(&layout);
    }
    assert_true(errors > 5);
}

static void nth_allocation_fails__while_a_cursor_steps__it_goes_on(void **state)
{
    (void)state;
    struct psst_view view = psst_view_str(text);
    for (unsigned n = 1; n < 8; n++) {
        for (size_t at = 0; at < view.len;) {
            failing_malloc_at(n);
            size_t next = psst_text_next(view, at), back = psst_text_previous(view, next);
            (void)psst_text_columns(text);
            (void)failing_malloc_stop();
            assert_true(next > at && next <= view.len && back < next);
            at = next;
        }
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
        cmocka_unit_test(nth_allocation_fails__while_text_is_laid_out__nothing_is_given),
        cmocka_unit_test(nth_allocation_fails__while_a_cursor_steps__it_goes_on),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
