#include "folder.h"

#include "daemon/small_file.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static void small_file__comes_back__as_it_was_written(void **state)
{
    (void)state;
    struct folder f;
    folder_init(&f);
    struct psst_diag diag = {{0}};
    struct psst_buf got;
    psst_buf_init(&got, 100);
    assert_int_equal(psst_small_file_write(folder_file(&f, "a"), psst_view("first", 5), &diag), PSST_OK);
    assert_int_equal(psst_small_file_write(folder_file(&f, "a"), psst_view("one\0two", 7), &diag), PSST_OK);
    folder_assert_is(&f, "a", "one\0two", 7);
    assert_int_equal(psst_small_file_read(folder_file(&f, "a"), 7, &got, &diag), PSST_OK);
    assert_int_equal(got.len, 7);
    assert_memory_equal(got.data, "one\0two", 7);
    assert_int_equal(folder_count(&f), 1); /* nothing is left beside it */
    psst_buf_fini(&got);
    folder_fini(&f);
}

static void small_file__refuses__what_is_missing_too_long_or_no_file(void **state)
{
    (void)state;
    struct folder f;
    folder_init(&f);
    struct psst_diag diag = {{0}};
    struct psst_buf got;
    psst_buf_init(&got, 100);
    assert_int_equal(psst_small_file_read(folder_file(&f, "a"), 10, &got, &diag), PSST_ERR_NOT_FOUND);
    assert_string_equal(diag.text, "");
    folder_put(&f, "a", "12345678901", 11);
    assert_int_equal(psst_small_file_read(folder_file(&f, "a"), 10, &got, &diag), PSST_ERR_TOO_LONG);
    struct psst_diag fifo = {{0}};
    assert_int_equal(mkfifo(folder_file(&f, "p"), 0600), 0);
    assert_int_equal(psst_small_file_read(folder_file(&f, "p"), 10, &got, &fifo), PSST_ERR_PERMISSION);
    assert_non_null(strstr(fifo.text, "not a plain file"));
    psst_buf_fini(&got);
    folder_fini(&f);
}

static void small_file__leaves__the_old_one_when_it_cannot_be_written(void **state)
{
    (void)state;
    struct folder f;
    folder_init(&f);
    struct psst_diag diag = {{0}};
    folder_put(&f, "a", "old", 3);
    assert_int_equal(mkdir(folder_file(&f, "a.new"), 0700), 0); /* in the way of the new one */
    assert_int_not_equal(psst_small_file_write(folder_file(&f, "a"), psst_view("new", 3), &diag), PSST_OK);
    assert_true(diag.text[0] != '\0');
    folder_assert_is(&f, "a", "old", 3);
    assert_int_equal(rmdir(folder_file(&f, "a.new")), 0);
    folder_fini(&f);
}

static void small_file__in_two_steps__takes_the_place_or_leaves_nothing(void **state)
{
    (void)state;
    struct folder f;
    folder_init(&f);
    struct psst_diag diag = {{0}};
    int fd;
    folder_put(&f, "a.new", "from a crash", 12);
    assert_int_equal(psst_small_file_begin(folder_file(&f, "a"), &fd, &diag), PSST_OK);
    assert_int_equal(write(fd, "x", 1), 1);
    assert_int_equal(close(fd), 0);
    assert_false(folder_has(&f, "a"));
    assert_int_equal(psst_small_file_commit(folder_file(&f, "a"), &diag), PSST_OK);
    folder_assert_is(&f, "a", "x", 1);
    assert_int_equal(psst_small_file_begin(folder_file(&f, "a"), &fd, &diag), PSST_OK);
    assert_int_equal(close(fd), 0);
    psst_small_file_abandon(folder_file(&f, "a"));
    folder_assert_is(&f, "a", "x", 1);
    assert_int_equal(folder_count(&f), 1);
    folder_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_file__comes_back__as_it_was_written),
        cmocka_unit_test(small_file__refuses__what_is_missing_too_long_or_no_file),
        cmocka_unit_test(small_file__leaves__the_old_one_when_it_cannot_be_written),
        cmocka_unit_test(small_file__in_two_steps__takes_the_place_or_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
