/* What begins with a slash: the table, how a line becomes words, what is meant by a word that is short or mistyped; and that
 * the manual says what the tables say. */
#include "support/check.h"

#include "cli/cli.h"
#include "tui/commands.h"
#include "tui/help.h"

#include <stdio.h>
#include <stdlib.h>

#ifndef PSST_TEST_MAN
#error "PSST_TEST_MAN is the path of psst.1"
#endif

static struct psst_tui setup;
static struct psst_app app;

static int begin(void **state)
{
    (void)state;
    setup = (struct psst_tui){.verbs = psst_verbs, .n_verbs = psst_verbs_count, .version = "0"};
    app = (struct psst_app){.setup = &setup};
    (void)setenv("HOME", "/home/al", 1);
    return 0;
}

static const struct psst_command *command_named(const char *name)
{
    for (size_t i = 0; i < psst_commands_count; i++)
        if (strcmp(psst_commands[i].name, name) == 0) return &psst_commands[i];
    return NULL;
}

/* ---- the table ---- */

static void table__each_command__says_what_it_is_once(void **state)
{
    (void)state;
    assert_true(psst_commands_count > 30);
    for (size_t i = 0; i < psst_commands_count; i++) {
        const struct psst_command *command = &psst_commands[i];
        const char *usage = psst_command_usage(&app, command), *summary = psst_command_summary(&app, command);
        assert_non_null(command->run);
        assert_in_range(strlen(command->name), 1, 10);
        assert_int_equal(0, strncmp(usage, command->name, strlen(command->name)));
        assert_true(strchr(" \n", usage[strlen(command->name)]) != NULL);
        if (strlen(summary) == 0 || strlen(summary) > 50) fail_msg("/%s: %s", command->name, summary);
        for (size_t j = 0; j < i; j++) assert_string_not_equal(command->name, psst_commands[j].name);
    }
}

static void table__help_of_each__fits_into_84_columns_and_ends(void **state)
{
    (void)state;
    for (size_t i = 0; i < psst_commands_count; i++) {
        const char *line = psst_commands[i].help;
        if (line == NULL) continue;
        assert_int_equal('\n', line[strlen(line) - 1]);
        while (*line != '\0') {
            size_t len = strcspn(line, "\n");
            if (len > 84) fail_msg("/%s: %zu columns: %.*s", psst_commands[i].name, len, (int)len, line);
            line += len + 1;
        }
    }
}

/* Own ones have a command, and only those; so every verb is reachable, or says that it makes no sense. */
static void table__each_verb__is_reachable(void **state)
{
    (void)state;
    for (size_t i = 0; i < psst_verbs_count; i++) {
        const struct psst_verb *verb = psst_verbs[i];
        bool own = command_named(verb->name) != NULL;
        if (own != (verb->screen == PSST_SCREEN_OWN)) fail_msg("%s: command and verb disagree", verb->name);
        const struct psst_command *command = NULL;
        const struct psst_verb *found = NULL;
        assert_true(psst_command_find(&app, verb->name, &command, &found));
        assert_ptr_equal(verb, found);
        assert_ptr_equal(command_named(verb->name), command);
    }
}

/* A program of its own has no terminal: what asks before it erases would not ask. */
static void table__verbs_that_ask__get_the_terminal(void **state)
{
    static const char *const asking[] = {"remove", "forget", "backup", "passwd"};
    (void)state;
    for (size_t i = 0; i < sizeof asking / sizeof asking[0]; i++)
        assert_int_equal(PSST_SCREEN_ASKS, psst_command_verb(&app, asking[i])->screen);
}

static void table__what_people_expect__is_there(void **state)
{
    static const char *const wanted[] = {"help",     "add",    "card",    "verify", "msg",     "call",   "answer",
                                         "hangup",   "mute",   "ptt",     "sense",  "quality", "file",   "accept",
                                         "decline",  "cancel", "search",  "why",    "status",  "quit",   "query",
                                         "open",     "dial",   "receive", "volume", "play",    "unlock", "lock",
                                         "presence", "close",  "clear",   "bare",   "top",     "bottom", "set",
                                         "contacts", "log",    "files",   "outbox", "away",    "say"};
    (void)state;
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        const struct psst_command *command;
        const struct psst_verb *verb;
        if (!psst_command_find(&app, wanted[i], &command, &verb)) fail_msg("/%s is missing", wanted[i]);
    }
}

/* ---- which one is meant ---- */

static void find__beginning_of_one__is_that_one(void **state)
{
    const struct psst_command *command = NULL;
    const struct psst_verb *verb = NULL;
    (void)state;
    assert_true(psst_command_find(&app, "mu", &command, &verb));
    assert_string_equal("mute", command->name);
    assert_true(psst_command_find(&app, "MUTE", &command, &verb));
    assert_string_equal("mute", command->name);
    assert_true(psst_command_find(&app, "contac", &command, &verb));
    assert_null(command);
    assert_string_equal("contacts", verb->name);
    assert_true(psst_command_find(&app, "call", &command, &verb)); /* although there is /calls */
    assert_string_equal("call", command->name);
}

static void find__beginning_of_several_or_none__is_nothing(void **state)
{
    static const char *const words[] = {"", "c", "re", "q", "x", "mutes", "/mute", "mute ", "helpp"};
    const struct psst_command *command;
    const struct psst_verb *verb;
    (void)state;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        assert_false(psst_command_find(&app, words[i], &command, &verb));
}

static void find__verb_that_makes_no_sense__only_by_its_whole_name(void **state)
{
    const struct psst_command *command = NULL;
    const struct psst_verb *verb = NULL;
    (void)state;
    assert_true(psst_command_find(&app, "init", &command, &verb));
    assert_int_equal(PSST_SCREEN_NOT, verb->screen);
    assert_false(psst_command_find(&app, "ini", &command, &verb));
}

static void nearest__slip_of_the_fingers__is_forgiven(void **state)
{
    static const struct {
        const char *typed, *meant;
    } cases[] = {{"claer", "clear"}, {"quti", "quit"},         {"anwser", "answer"}, {"serch", "search"},
                 {"wyh", "why"},     {"contatcs", "contacts"}, {"hlep", "help"},     {"veirfy", "verify"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *nearest = psst_command_nearest(&app, cases[i].typed);
        assert_non_null(nearest);
        assert_string_equal(cases[i].meant, nearest);
    }
    assert_null(psst_command_nearest(&app, "usr/share/doc"));
    assert_null(psst_command_nearest(&app, "averyveryverylongwordindeed"));
}

/* ---- words ---- */

#define WORDS_MAX 8

static void split__table_of_lines__gives_these_words(void **state)
{
    static const struct {
        const char *line;
        int most; /* 0: all */
        const char *words[WORDS_MAX];
    } cases[] = {
        {"", 0, {NULL}},
        {"   \t\r\n ", 0, {NULL}},
        {"file a b", 0, {"file", "a", "b"}},
        {"  file \t a  ", 0, {"file", "a"}},
        {"file a\\ b.pdf", 0, {"file", "a b.pdf"}},
        {"file \"a b\" 'c d'", 0, {"file", "a b", "c d"}},
        {"file \"\" ''", 0, {"file", "", ""}},
        {"x a\"b c\"'d e'f", 0, {"x", "ab cd ef"}},
        {"x \"say \\\"hi\\\" \\\\ \\n\"", 0, {"x", "say \"hi\" \\ \\n"}},
        {"x 'a\\b\"c'", 0, {"x", "a\\b\"c"}},
        {"x \\\"a", 0, {"x", "\"a"}},
        {"x \\\\", 0, {"x", "\\"}},
        {"x ~ ~/a b~ ~/", 0, {"x", "/home/al", "/home/al/a", "b~", "/home/al/"}},
        {"x ~bob \"~/a\" \\~/a '~'", 0, {"x", "~bob", "~/a", "~/a", "~"}},
        {"x ~/a\\ b", 0, {"x", "/home/al/a b"}},
        {"x $HOME *.c `ls` a;b &", 0, {"x", "$HOME", "*.c", "`ls`", "a;b", "&"}},
        {"x \xc3\xa4\xff\x01\x1b[2J y", 0, {"x", "\xc3\xa4\xff\x01\x1b[2J", "y"}},
        {"msg Bob don't \"worry", 2, {"msg", "Bob", "don't \"worry"}},
        {"msg 'Bob B'   two  words \\ ", 2, {"msg", "Bob B", "two  words \\ "}},
        {"msg Bob", 2, {"msg", "Bob"}},
        {"msg Bob   ", 2, {"msg", "Bob"}},
        {"away ~/x isn't", 1, {"away", "~/x isn't"}},
        {"msg ~ ~", 2, {"msg", "/home/al", "~"}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char **words = NULL;
        int n = -1, want = 0;
        while (want < WORDS_MAX && cases[i].words[want] != NULL) want++;
        assert_ok(psst_command_split(cases[i].line, cases[i].most > 0 ? cases[i].most : INT32_MAX, &words, &n));
        if (n != want) fail_msg("%s: %d words", cases[i].line, n);
        for (int k = 0; k < n; k++) assert_string_equal(cases[i].words[k], words[k]);
        assert_null(words[n]);
        free(words);
    }
}

static void split__not_closed__is_malformed(void **state)
{
    static const char *const lines[] = {"\"", "'", "x \"a", "x 'a", "x \\", "x \"a\\", "x 'a\\'b'", "x \"a'"};
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        char **words = NULL;
        int n = -1;
        assert_err(PSST_ERR_MALFORMED, psst_command_split(lines[i], INT32_MAX, &words, &n));
        assert_null(words);
        assert_int_equal(-1, n);
    }
}

/* Every byte but NUL, in every order of two behind each kind of quote: nothing is read or written beyond the line. */
static void split__any_bytes__stay_within_the_line(void **state)
{
    static const char *const leads[] = {"", "x ", "\"", "'", "\\", "~", "~/", "x ~"};
    (void)state;
    for (size_t lead = 0; lead < sizeof leads / sizeof leads[0]; lead++) {
        for (unsigned a = 1; a < 256; a++) {
            for (unsigned b = 1; b < 256; b += a % 3 + 1) {
                char **words = NULL;
                int n = 0;
                char line[8];
                (void)snprintf(line, sizeof line, "%s%c%c", leads[lead], (char)a, (char)b);
                char *exact = strdup(line); /* a sanitizer sees its end */
                if (psst_command_split(exact, INT32_MAX, &words, &n) == PSST_OK) {
                    size_t sum = 0;
                    for (int i = 0; i < n; i++) sum += strlen(words[i]);
                    assert_true(sum <= strlen(line) + 2 * strlen("/home/al"));
                    free(words);
                }
                free(exact);
            }
        }
    }
}

static void split__long_line__has_all_its_words(void **state)
{
    char *line = malloc(200001), **words = NULL;
    int n = 0;
    (void)state;
    assert_non_null(line);
    for (size_t i = 0; i < 200000; i++) line[i] = i % 2 == 0 ? '~' : ' ';
    line[200000] = '\0';
    assert_ok(psst_command_split(line, INT32_MAX, &words, &n));
    assert_int_equal(100000, n);
    assert_string_equal("/home/al", words[99999]);
    free(words);
    free(line);
}

/* ---- the manual ---- */

static void manual__the_screen__is_as_the_tables_say(void **state)
{
    struct psst_buf made;
    FILE *f = fopen(PSST_TEST_MAN, "re");
    char *manual = calloc(1, 1 << 20);
    (void)state;
    assert_non_null(f);
    assert_non_null(manual);
    assert_true(fread(manual, 1, (1 << 20) - 1, f) > 0);
    (void)fclose(f);
    psst_buf_init(&made, 1 << 20);
    psst_help_roff(&made, psst_verbs, psst_verbs_count);
    assert_false(made.failed);
    const char *at = strstr(manual, PSST_HELP_ROFF_BEGIN), *end = strstr(manual, PSST_HELP_ROFF_END);
    assert_non_null(at);
    assert_non_null(end);
    at += strlen(PSST_HELP_ROFF_BEGIN);
    if ((size_t)(end - at) != made.len || memcmp(at, made.data, made.len) != 0)
        fail_msg("psst.1 is not as the tables are: ninja manual (in the build directory) makes it so");
    psst_buf_fini(&made);
    free(manual);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table__each_command__says_what_it_is_once),
        cmocka_unit_test(table__help_of_each__fits_into_84_columns_and_ends),
        cmocka_unit_test(table__each_verb__is_reachable),
        cmocka_unit_test(table__verbs_that_ask__get_the_terminal),
        cmocka_unit_test(table__what_people_expect__is_there),
        cmocka_unit_test(find__beginning_of_one__is_that_one),
        cmocka_unit_test(find__beginning_of_several_or_none__is_nothing),
        cmocka_unit_test(find__verb_that_makes_no_sense__only_by_its_whole_name),
        cmocka_unit_test(nearest__slip_of_the_fingers__is_forgiven),
        cmocka_unit_test(split__table_of_lines__gives_these_words),
        cmocka_unit_test(split__not_closed__is_malformed),
        cmocka_unit_test(split__any_bytes__stay_within_the_line),
        cmocka_unit_test(split__long_line__has_all_its_words),
        cmocka_unit_test(manual__the_screen__is_as_the_tables_say),
    };
    return cmocka_run_group_tests(tests, begin, NULL);
}
