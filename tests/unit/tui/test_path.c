#include "support/check.h"

#include "tui/path.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void path__is_completed__as_it_was_typed(void **state)
{
    (void)state;
    char dir[] = "/tmp/psst-path-XXXXXX", typed[100], hint[100], *longer;
    assert_non_null(mkdtemp(dir));
    assert_int_equal(0, setenv("HOME", dir, 1));
    assert_int_equal(0, chdir(dir));
    static const char *const names[] = {"bob one.psst", "bob two.psst", "cards/", ".hidden"};
    for (size_t i = 0; i < 4; i++) {
        (void)snprintf(typed, sizeof typed, "%s", names[i]);
        if (strchr(typed, '/') != NULL)
            assert_int_equal(0, mkdir(typed, 0700));
        else
            assert_int_equal(0, creat(typed, 0600) < 0);
    }
    static const struct {
        const char *typed, *longer; /* NULL: no longer */
        bool more;
    } cases[] = {
        {"b", "bob ", true},         {"bob ", NULL, true},          {"bob o", "bob one.psst", true},
        {"ca", "cards/", true},      {"~/ca", "~/cards/", true},    {"~", "~/", true},
        {"x", NULL, false},          {".", ".hidden", true},        {"cards/", NULL, false},
        {"/nowhere/x", NULL, false}, {"bob one.psst", NULL, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(cases[i].more, psst_path_complete(cases[i].typed, &longer, hint, sizeof hint));
        if (cases[i].longer == NULL)
            assert_null(longer);
        else
            assert_string_equal(cases[i].longer, longer);
        free(longer);
    }
    (void)psst_path_complete("bob ", &longer, hint, sizeof hint);
    assert_non_null(strstr(hint, "bob one.psst"));
    char *expanded = psst_path_expand(" ~/a b ");
    (void)snprintf(typed, sizeof typed, "%s/a b", dir);
    assert_string_equal(typed, expanded);
    free(expanded);
    (void)unlink("bob one.psst");
    (void)unlink("bob two.psst");
    (void)unlink(".hidden");
    (void)rmdir("cards");
    assert_int_equal(0, chdir("/"));
    assert_int_equal(0, rmdir(dir));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(path__is_completed__as_it_was_typed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
