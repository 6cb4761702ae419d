/* No text can leave its gutter (attack 39), and nothing raw reaches the screen (attacks 34 to 37). */
#include "support/check.h"

#include "cli/gutter.h"

#include <stdlib.h>
#include <time.h>
#include <wchar.h>

static char *screen; /* what was printed, of the last show */

static const char *alias = "Bob";

static void show(const char *text, size_t len, unsigned columns, const char *state, const char *direction)
{
    size_t size = 0;
    struct psst_gutter gutter;
    free(screen);
    FILE *f = open_memstream(&screen, &size);
    assert_non_null(f);
    psst_gutter_init(&gutter, f, alias);
    gutter.columns = columns;
    json_t *message = json_pack("{s:s, s:s, s:s, s:I, s:s%, s:s}", "contact", alias, "direction", direction, "state",
                                state, "time_ms", (json_int_t)1700000000000, "text", text, len, "reason", "full disk");
    assert_non_null(message);
    psst_gutter_message(&gutter, message);
    json_decref(message);
    assert_int_equal(0, fclose(f));
}

/* As the C library counts, and with it most terminals. */
static size_t columns_of(const char *line)
{
    wchar_t wide[1024];
    size_t n = mbstowcs(wide, line, 1024);
    assert_true(n < 1024);
    int columns = wcswidth(wide, n);
    assert_true(columns >= 0);
    return (size_t)columns;
}

/* Our own: "-- ". A message's first line: "HH:MM x NAME | ". What goes on: blanks, "| ". */
static bool line_is_ours(const char *line)
{
    return strncmp(line, "-- ", 3) == 0;
}

static bool line_is_first(const char *line)
{
    return line[0] >= '0' && line[0] <= '9' && line[2] == ':' && strncmp(line + 5, " ", 1) == 0 &&
           (strncmp(line + 8, "Bob |", 5) == 0 || strncmp(line + 8, "me  |", 5) == 0 ||
            strncmp(line + 8, "me  :", 5) == 0 || strncmp(line + 8, "Bob :", 5) == 0);
}

static bool line_goes_on(const char *line)
{
    return strncmp(line, "            | ", 14) == 0;
}

/* Every line has its gutter, exactly one is a first line, so many are ours, and none is wider than the terminal. */
static void check_lines(unsigned columns, unsigned want_ours)
{
    unsigned first = 0, ours = 0;
    assert_true(psst_text_valid(psst_view_str(screen)));
    for (char *line = strtok(screen, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        if (line_is_ours(line))
            ours++;
        else if (line_is_first(line))
            first++;
        else if (!line_goes_on(line))
            fail_msg("without gutter: %s", line);
        if (columns > 0) assert_true(columns_of(line) <= columns);
    }
    assert_int_equal(1, first);
    assert_int_equal(want_ours, ours);
}

static void text__that_imitates_lines__stays_behind_the_gutter(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "hi",
        "hi\n-- Bob hung up",
        "\n\n\n-- the identity is locked: psst unlock",
        "hi\n12:00   me  | send me your key",
        "hi\r-- overwritten",
        "hi\x1b[2K\x1b[1G-- erased",
        "hi\xe2\x80\xa8-- line separator",
        "hi\xc2\x85-- next line",
        "a\vb\f-- c",
        "                                                                        -- after a wrap",
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx-- and without",
        "\xe4\xb8\x96\xe7\x95\x8c\xe4\xb8\x96\xe7\x95\x8c\xe4\xb8\x96\xe7\x95\x8c\xe4\xb8\x96\xe7\x95\x8c\xe4\xb8\x96"
        "\xe7\x95\x8c\xe4\xb8\x96\xe7\x95\x8c\xe4\xb8\x96\xe7\x95\x8c\xe4\xb8\x96\xe7\x95\x8c wide -- and wrapped",
        "\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98"
        "\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80 -- x",
        "\xf0\x9f\x91\x8d\xf0\x9f\x8f\xbd\xf0\x9f\x91\x8d\xf0\x9f\x8f\xbd\xf0\x9f\x91\x8d\xf0\x9f\x8f\xbd\xf0\x9f\x91\x8d\xf0\x9f\x8f"
        "\xbd\xf0\x9f\x91\x8d\xf0\x9f\x8f\xbd\xf0\x9f\x91\x8d\xf0\x9f\x8f\xbd skin tones -- x",
        "\u4dc0\u4dc0\u4dc0\u4dc0\u4dc0\u4dc0\u4dc0\u4dc0\u4dc0\u4dc0\u4dc0\u4dc0\u4dc0\u4dc0 hexagrams -- x",
        "\xe2\x80\xae-- right to left",
        "trailing line feed\n",
        " ",
    };
    static const unsigned widths[] = {0, 80, 40, 31};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        for (size_t w = 0; w < sizeof widths / sizeof widths[0]; w++) {
            show(texts[i], strlen(texts[i]), widths[w], "shown", "in");
            assert_null(strchr(screen, 0x1b));
            assert_null(strchr(screen, '\r'));
            check_lines(widths[w], 1); /* the day */
        }
    }
}

/* What stands before the text is as wide in each row, and nobody there is called as oneself is. */
static void alias__that_reads_as_oneself_or_has_odd_letters__keeps_the_gutter(void **state)
{
    static const struct {
        const char *alias, *head;
    } cases[] = {{"me", "  not you: me | "},
                 {"M\u0435", "  not you: me | "},
                 {"\u4dc0\u4dc0\u4dc0", "  \ufffd\ufffd\ufffd | "}, /* terminals disagree about its columns */
                 {"Bo\033[31mb", "  Bo\u241b[31mb | "}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        alias = cases[i].alias;
        show("one two three four five six seven eight nine", 44, 40, "shown", "in");
        const char *head = strstr(screen, cases[i].head);
        if (head == NULL) fail_msg("%s: %s", cases[i].alias, screen);
        (void)strtok(screen, "\n"); /* the day */
        char *first = strtok(NULL, "\n"), *second = strtok(NULL, "\n");
        *strstr(first, "| ") = *strstr(second, "| ") = '\0';
        assert_int_equal(columns_of(first), columns_of(second));
    }
    alias = "Bob";
}

static void text__longest__is_shown_whole(void **state)
{
    (void)state;
    char *text = malloc(65474);
    assert_non_null(text);
    memset(text, 'w', 65474);
    show(text, 65474, 80, "shown", "in");
    size_t shown = 0;
    for (const char *c = screen; *c != '\0'; c++) shown += *c == 'w';
    assert_int_equal(65474, shown);
    check_lines(80, 1);
    free(text);
}

static void text__in_words__is_broken_after_blanks(void **state)
{
    (void)state;
    const char *text = "one two three four five six";
    show(text, strlen(text), 14 + 17, "shown", "in");
    assert_non_null(strstr(screen, "| one two three \n"));
    assert_non_null(strstr(screen, "            | four five six\n"));
    show(text, strlen(text), 14 + 18, "shown", "in"); /* the blank that does not fit is not missed */
    assert_non_null(strstr(screen, "| one two three four\n"));
    show(text, strlen(text), 0, "shown", "in");
    assert_non_null(strstr(screen, "| one two three four five six\n"));
}

static void state__waiting_refused_or_erased__stands_in_the_gutter(void **state)
{
    (void)state;
    show("hi", 2, 80, "waiting", "out");
    assert_non_null(strstr(screen, " ~ me  | hi\n"));
    show("hi", 2, 80, "refused", "out");
    assert_non_null(strstr(screen, " ! me  | hi\n-- not accepted: full disk\n"));
    show("hi", 2, 80, "delivered", "out");
    assert_non_null(strstr(screen, "   me  | hi\n"));
    show("", 0, 80, "delivered", "out");
    assert_non_null(strstr(screen, "   me  : text no longer kept\n"));
    show("text no longer kept", 19, 80, "shown", "in");
    assert_non_null(strstr(screen, "   Bob | text no longer kept\n"));
}

static void note__long__is_broken_with_its_mark(void **state)
{
    (void)state;
    size_t size = 0;
    struct psst_gutter gutter;
    char name[300];
    memset(name, 'n', sizeof name);
    name[sizeof name - 1] = '\0';
    free(screen);
    FILE *f = open_memstream(&screen, &size);
    assert_non_null(f);
    psst_gutter_init(&gutter, f, alias);
    gutter.columns = 40;
    psst_gutter_note(&gutter, "file 1 is offered: %s\n12:00   me  | fake", name);
    assert_int_equal(0, fclose(f));
    for (char *line = strtok(screen, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        assert_true(line_is_ours(line));
        assert_true(columns_of(line) <= 40);
    }
}

static int set_up(void **state)
{
    (void)state;
    (void)setenv("TZ", "UTC", 1);
    tzset();
    psst_out_init();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text__that_imitates_lines__stays_behind_the_gutter),
        cmocka_unit_test(alias__that_reads_as_oneself_or_has_odd_letters__keeps_the_gutter),
        cmocka_unit_test(text__longest__is_shown_whole),
        cmocka_unit_test(text__in_words__is_broken_after_blanks),
        cmocka_unit_test(state__waiting_refused_or_erased__stands_in_the_gutter),
        cmocka_unit_test(note__long__is_broken_with_its_mark),
    };
    int failed = cmocka_run_group_tests(tests, set_up, NULL);
    free(screen);
    return failed;
}
