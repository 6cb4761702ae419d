/* The table of verbs: whole, narrow enough, and all of it in the manual page. */
#include "support/check.h"

#include "cli/cli.h"
#include "client/out.h"

#include <stdlib.h>
#include <unistd.h>

#ifndef PSST_TEST_MAN
#error "PSST_TEST_MAN is the path of psst.1"
#endif

static void table__each_verb__says_what_it_is(void **state)
{
    (void)state;
    for (size_t i = 0; i < psst_verbs_count; i++) {
        const struct psst_verb *verb = psst_verbs[i];
        assert_non_null(verb->run);
        assert_true(strlen(verb->name) <= 10);
        assert_true(strlen(verb->summary) > 0 && strlen(verb->summary) <= 50);
        assert_int_equal(0, strncmp(verb->usage, verb->name, strlen(verb->name)));
        assert_int_equal('\n', verb->help[strlen(verb->help) - 1]);
        for (size_t j = 0; j < i; j++) assert_string_not_equal(verb->name, psst_verbs[j]->name);
    }
}

static void help__each_line__fits_into_80_columns(void **state)
{
    (void)state;
    for (size_t i = 0; i < psst_verbs_count; i++) {
        const char *line = psst_verbs[i]->help;
        while (*line != '\0') {
            size_t len = strcspn(line, "\n");
            if (len > 80) fail_msg("%s: %zu columns: %.*s", psst_verbs[i]->name, len, (int)len, line);
            line += len + (line[len] == '\n');
        }
    }
}

static char *read_manual(void)
{
    FILE *f = fopen(PSST_TEST_MAN, "re");
    assert_non_null(f);
    char *text = calloc(1, 1 << 20);
    assert_non_null(text);
    assert_true(fread(text, 1, (1 << 20) - 1, f) > 0);
    (void)fclose(f);
    return text;
}

static void manual__holds__every_verb_and_every_option(void **state)
{
    (void)state;
    char *manual = read_manual();
    for (size_t i = 0; i < psst_verbs_count; i++) {
        const struct psst_verb *verb = psst_verbs[i];
        char with_args[64], alone[64];
        (void)snprintf(with_args, sizeof with_args, "\n\\fBpsst %s", verb->name);
        (void)snprintf(alone, sizeof alone, "\n.B psst %s\n", verb->name);
        const char *at = strstr(manual, with_args);
        if (at == NULL) at = strstr(manual, alone);
        if (at == NULL) fail_msg("psst.1 does not describe %s", verb->name);
        const char *end = strstr(at, "\n.TP");
        /* long options as the usage has them */
        for (const char *o = strstr(verb->usage, "--"); o != NULL; o = strstr(o + 2, "--")) {
            char option[64] = "";
            for (const char *c = o; strchr(" ]|", *c) == NULL && strlen(option) < 60; c++)
                (void)snprintf(option + strlen(option), 4, *c == '-' ? "\\-" : "%c", *c);
            const char *there = strstr(at, option);
            if (there == NULL || there > end) fail_msg("psst.1 does not describe %s of %s", option, verb->name);
        }
    }
    free(manual);
}

/* Exit code of the whole program with these words; nothing is printed on the test's own output. */
static int run(const char *a, const char *b, const char *c, const char *d)
{
    char *argv[] = {(char *)"psst", (char *)a, (char *)b, (char *)c, (char *)d, NULL};
    int argc = 1;
    while (argv[argc] != NULL) argc++;
    (void)fflush(stdout);
    (void)fflush(stderr);
    int out = dup(STDOUT_FILENO), err = dup(STDERR_FILENO);
    assert_non_null(freopen("/dev/null", "we", stderr));
    assert_non_null(freopen("/dev/null", "we", stdout));
    int code = psst_cli_main(argc, argv);
    (void)fflush(stdout);
    (void)fflush(stderr);
    (void)dup2(out, STDOUT_FILENO);
    (void)dup2(err, STDERR_FILENO);
    (void)close(out);
    (void)close(err);
    return code;
}

static void usage__wrong__is_two_and_starts_nothing(void **state)
{
    (void)state;
    char home[] = "/tmp/psst-verbs-XXXXXX", run_dir[64];
    assert_non_null(mkdtemp(home));
    (void)setenv("PSST_HOME", home, 1);
    static const char *const cases[][4] = {
        {"frobnicate"},
        {"say"},
        {"say", "bob"},
        {"say", "--wait", "x", "bob"},
        {"say", "--wait"},
        {"dial"},
        {"hangup"},
        {"log"},
        {"log", "bob", "-n", "x"},
        {"log", "bob", "-n", "-1"},
        {"log", "-n"},
        {"add"},
        {"add", "a", "b"},
        {"init"},
        {"init", "--name", "Alice"},
        {"init", "--name", "", "--no-passphrase"},
        {"init", "--bits", "4096", "--no-passphrase"},
        {"init", "--bits", "1000", "--no-passphrase"},
        {"init", "--bits", "2049", "--no-passphrase"},
        {"init", "--bits", "99999999999999999999", "--no-passphrase"},
        {"history", "bob", "maybe"},
        {"history"},
        {"history", "bob", "0"},
        {"history", "bob", "40000"},
        {"history", "bob", "1", "2"},
        {"forget"},
        {"forget", "bob", "--before", "tomorrow"},
        {"log"},
        {"log", "bob", "--since", "maybe"},
        {"log", "bob", "--before", "0"},
        {"log", "bob", "--search", " "},
        {"log", "bob", "-f", "--search=x"},
        {"log", "bob", "--force"},
        {"status", "--wrong"},
        {"status", "-x"},
        {"contacts", "bob"},
        {"accept"},
        {"accept", "x"},
        {"accept", "0"},
        {"accept", "-1"},
        {"decline", "1.5"},
        {"decline", "-1"},
        {"decline"},
        {"decline", "--call"},
        {"decline", "bob", "carol"},
        {"call"},
        {"call", "bob", "carol"},
        {"call", "bob", "--seconds", "0"},
        {"call", "bob", "--seconds=1h"},
        {"call", "bob", "--frobnicate"},
        {"call", "bob", "--message", "--json"},
        {"call", "bob", "--message", "--seconds=301"},
        {"call", "--message"},
        {"answer", "bob", "carol"},
        {"answer", "bob", "--message"},
        {"calls", "-n", "0"},
        {"calls", "-n", "1001"},
        {"calls", "bob", "carol"},
        {"mute", "maybe"},
        {"mute", "on", "off"},
        {"ptt", "--on"},
        {"receive", "ON"},
        {"sense", "-101"},
        {"sense", "1"},
        {"sense", "-5dB"},
        {"quality", "11"},
        {"quality", "-1"},
        {"volume", "201"},
        {"devices", "x"},
        {"soundcheck", "--seconds", "31"},
        {"soundcheck", "x"},
        {"play"},
        {"play", "bob"},
        {"play", "0"},
        {"hangup"},
        {"hangup", "a", "b", "--call"},
        {"send", "bob"},
        {"verify"},
        {"rename", "bob"},
        {"address"},
        {"up", "now"},
        {"up", "--listen"},
        {"unlock", "now"},
        {"passwd", "--no-passphrase", "--new-passphrase-file", "x"},
        {"chat"},
        {"remove"},
        {"help", "frobnicate"},
        {"set", "a", "b", "c"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int code = run(cases[i][0], cases[i][1], cases[i][2], cases[i][3]);
        if (code != 2) fail_msg("psst %s %s: exit code %d", cases[i][0], cases[i][1] ? cases[i][1] : "", code);
    }
    (void)snprintf(run_dir, sizeof run_dir, "%s/run", home);
    assert_int_not_equal(0, access(run_dir, F_OK));
    assert_int_equal(0, rmdir(home));
}

static void help__of_all_and_of_each__is_zero(void **state)
{
    (void)state;
    assert_int_equal(0, run("help", NULL, NULL, NULL));
    assert_int_equal(0, run("--help", NULL, NULL, NULL));
    assert_int_equal(0, run("--version", NULL, NULL, NULL));
    assert_int_equal(0, run(NULL, NULL, NULL, NULL));
    for (size_t i = 0; i < psst_verbs_count; i++) {
        assert_int_equal(0, run(psst_verbs[i]->name, "--help", NULL, NULL));
        assert_int_equal(0, run("help", psst_verbs[i]->name, NULL, NULL));
    }
}

static void daemon__not_running__status_is_three_and_down_is_done(void **state)
{
    (void)state;
    char home[] = "/tmp/psst-verbs-XXXXXX";
    assert_non_null(mkdtemp(home));
    (void)setenv("PSST_HOME", home, 1);
    assert_int_equal(3, run("status", NULL, NULL, NULL));
    assert_int_equal(3, run("status", "--json", NULL, NULL));
    assert_int_equal(0, run("down", NULL, NULL, NULL));
    assert_int_equal(0, rmdir(home));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table__each_verb__says_what_it_is),
        cmocka_unit_test(help__each_line__fits_into_80_columns),
        cmocka_unit_test(manual__holds__every_verb_and_every_option),
        cmocka_unit_test(usage__wrong__is_two_and_starts_nothing),
        cmocka_unit_test(help__of_all_and_of_each__is_zero),
        cmocka_unit_test(daemon__not_running__status_is_three_and_down_is_done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
