#include "support/check.h"

#include "cli/print.h"

#include <stdlib.h>

static void size__steps__by_a_thousand(void **state)
{
    (void)state;
    static const struct {
        unsigned long long bytes;
        const char *want;
    } cases[] = {
        {0, "0 bytes"},         {1, "1 byte"},          {999, "999 bytes"},      {1000, "1.0 kB"},
        {1049, "1.0 kB"},       {999949, "999.9 kB"},   {999950, "1.0 MB"},      {20000000, "20.0 MB"},
        {1000000000, "1.0 GB"}, {1ULL << 62, "4.6 EB"}, {UINT64_MAX, "18.4 EB"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[PSST_SIZE_TEXT];
        assert_string_equal(cases[i].want, psst_out_size(text, cases[i].bytes));
    }
}

static void duration__units__are_people_s(void **state)
{
    (void)state;
    static const struct {
        unsigned long long ms;
        const char *want;
    } cases[] = {{999, "0 s"},           {59999, "59 s"},        {60000, "1 min"},    {3599999, "59 min"},
                 {3600000, "1 h 0 min"}, {7500000, "2 h 5 min"}, {86400000, "1 day"}, {200000000, "2 days"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[PSST_SIZE_TEXT];
        assert_string_equal(cases[i].want, psst_out_duration(text, cases[i].ms));
    }
}

static void table__columns__are_aligned(void **state)
{
    (void)state;
    char *got = NULL;
    size_t size = 0;
    struct psst_table table;
    FILE *f = open_memstream(&got, &size);
    assert_non_null(f);
    psst_table_init(&table, 3);
    static const char *const cells[] = {"a", "long cell", "x", "\xe4\xb8\x96\xe7\x95\x8c", "b", "y"};
    for (size_t i = 0; i < 6; i++) psst_table_add(&table, cells[i]);
    psst_table_print(&table, f);
    psst_table_fini(&table);
    assert_int_equal(0, fclose(f));
    assert_string_equal("a     long cell  x\n\xe4\xb8\x96\xe7\x95\x8c  b          y\n", got);
    free(got);
}

static void text__from_outside__is_one_harmless_line(void **state)
{
    (void)state;
    assert_string_equal("a\xe2\x90\x8a"
                        "b\xe2\x90\x9b[31m",
                        psst_out_text("a\nb\x1b[31m", 100));
    assert_string_equal("abc\xe2\x80\xa6", psst_out_text("abcdef", 3));
    assert_string_equal("", psst_out_text(NULL, 3));
    json_t *object = json_pack("{s:s, s:i, s:b}", "s", "x\ty", "i", 7, "b", 1);
    assert_string_equal("x\xe2\x90\x89y", psst_out_string(object, "s"));
    assert_string_equal("", psst_out_string(object, "i"));
    assert_int_equal(7, psst_out_int(object, "i"));
    assert_true(psst_out_bool(object, "b"));
    assert_false(psst_out_bool(object, "none"));
    json_decref(object);
}

static void text__eight_in_one_printf__do_not_disturb_each_other(void **state)
{
    (void)state;
    const char *t[8];
    char word[2] = "a";
    for (size_t i = 0; i < 8; i++) {
        word[0] = (char)('a' + i);
        t[i] = psst_out_text(word, 10);
    }
    for (size_t i = 0; i < 8; i++) assert_int_equal('a' + (int)i, t[i][0]);
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
        cmocka_unit_test(size__steps__by_a_thousand),
        cmocka_unit_test(duration__units__are_people_s),
        cmocka_unit_test(table__columns__are_aligned),
        cmocka_unit_test(text__from_outside__is_one_harmless_line),
        cmocka_unit_test(text__eight_in_one_printf__do_not_disturb_each_other),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
