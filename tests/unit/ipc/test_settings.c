/* The table of settings, and that the manual knows each. */
#include "support/check.h"

#include "ipc/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef PSST_TEST_MAN
#error "PSST_TEST_MAN is the directory of the manual"
#endif

static void setting__is_found__by_its_whole_name(void **state)
{
    (void)state;
    for (int i = 0; i < PSST_SETTINGS; i++) assert_int_equal(psst_setting_find(psst_setting_infos[i].name), i);
    assert_int_equal(psst_setting_find("bel"), PSST_SETTINGS);
    assert_int_equal(psst_setting_find("bells"), PSST_SETTINGS);
    assert_int_equal(psst_setting_find(""), PSST_SETTINGS);
}

static void setting__is_explained__in_a_line_of_the_help(void **state)
{
    (void)state;
    for (int i = 0; i < PSST_SETTINGS; i++) {
        const struct psst_setting_info *info = &psst_setting_infos[i];
        assert_in_range(strlen(info->words), 1, 80 - strlen("  : ") - strlen(info->name));
        for (const char *at = info->values; *at != '\0'; at += strspn(at, " ")) {
            char word[32];
            size_t len = strcspn(at, " ");
            assert_in_range(len, 1, sizeof word - 1);
            (void)snprintf(word, sizeof word, "%.*s", (int)len, at);
            assert_non_null(strstr(info->words, word)); /* each of the values is told */
            at += len;
        }
    }
}

static char *read_page(const char *path)
{
    char *page = calloc(1, 1 << 20);
    FILE *f = fopen(path, "re");
    assert_non_null(page);
    assert_non_null(f);
    assert_true(fread(page, 1, (1 << 20) - 1, f) > 0);
    assert_int_equal(fclose(f), 0);
    return page;
}

static bool in_word(char c)
{
    return (c >= 'a' && c <= 'z') || c == '_';
}

/* As a word of its own, between the two. */
static bool names(const char *page, const char *from, const char *to, const char *name)
{
    const char *at = strstr(page, from), *end = at != NULL ? strstr(at, to) : NULL;
    assert_non_null(end);
    while ((at = strstr(at + 1, name)) != NULL && at < end)
        if (!in_word(at[-1]) && !in_word(at[strlen(name)])) return true;
    return false;
}

static void setting__has_its_place__in_both_manuals(void **state)
{
    (void)state;
    char *psst = read_page(PSST_TEST_MAN "/psst.1"), *psstd = read_page(PSST_TEST_MAN "/psstd.8");
    for (int i = 0; i < PSST_SETTINGS; i++) {
        const char *name = psst_setting_infos[i].name;
        if (!names(psst, "Shows or changes the settings:", ".TP", name)) fail_msg("psst(1) does not name %s", name);
        if (!names(psstd, ".SH SETTINGS", ".SH SIGNALS", name)) fail_msg("psstd(8) does not name %s", name);
    }
    free(psst);
    free(psstd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(setting__is_found__by_its_whole_name),
        cmocka_unit_test(setting__is_explained__in_a_line_of_the_help),
        cmocka_unit_test(setting__has_its_place__in_both_manuals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
