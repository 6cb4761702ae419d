/* The words of safety numbers: what makes them easy to tell apart. */
#include "identity/words.h"
#include "support/check.h"

#include <stdlib.h>

#define LONGEST 7

static size_t min3(size_t a, size_t b, size_t c)
{
    size_t m = a < b ? a : b;
    return m < c ? m : c;
}

/* How many letters must be changed, added or dropped (Levenshtein). */
static size_t distance(const char *a, const char *b)
{
    size_t row[LONGEST + 1];
    size_t n = strlen(b);
    for (size_t j = 0; j <= n; j++) row[j] = j;
    for (size_t i = 1; a[i - 1] != '\0'; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            size_t above = row[j];
            row[j] = min3(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1] ? 1 : 0));
            diagonal = above;
        }
    }
    return row[n];
}

static void words__are__short_lower_case_and_sorted(void **state)
{
    (void)state;
    for (size_t i = 0; i < PSST_WORDS; i++) {
        size_t len = strlen(psst_words[i]);
        assert_in_range(len, 4, LONGEST);
        assert_int_equal(len, strspn(psst_words[i], "abcdefghijklmnopqrstuvwxyz"));
        if (i > 0) assert_true(strcmp(psst_words[i - 1], psst_words[i]) < 0);
    }
}

static void words__are__told_apart(void **state)
{
    (void)state;
    assert_int_equal(3, distance("kitten", "sitting"));
    for (size_t i = 0; i < PSST_WORDS; i++)
        for (size_t j = i + 1; j < PSST_WORDS; j++) {
            assert_int_not_equal(0, strncmp(psst_words[i], psst_words[j], 3));
            assert_true(distance(psst_words[i], psst_words[j]) >= 3);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words__are__short_lower_case_and_sorted),
        cmocka_unit_test(words__are__told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
