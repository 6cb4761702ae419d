/* The conversation on a screen that is an array (fake_world.h). */
#include "fake_world.h"
#include "support/check.h"
#include "tui/rows.h"

#include "client/out.h"
#include <stdlib.h>

static struct psst_app app;

static void draw(void)
{
    fake_wipe();
    psst_view_conversation(&app, app.areas.conversation);
}

static void begin(int rows, int columns)
{
    fake_begin(&app, rows, columns);
    draw(); /* an empty one: what was remembered of the test before is forgotten */
    fake.shown = 0;
}

static void resize(int rows, int columns)
{
    fake.rows = rows;
    fake.columns = columns;
    app.areas.conversation = (struct psst_area){0, 0, rows, columns};
}

static char texts[FAKE_ITEMS][32];

static void say_many(size_t n)
{
    for (size_t i = 0; i < n; i++) {
        (void)snprintf(texts[i], sizeof texts[i], "message %zu.", i);
        fake_say(i % 2 == 1, texts[i]);
    }
}

/* ---- what stands where ---- */

static void conversation__draws__gutter_and_day(void **state)
{
    (void)state;
    begin(10, 60);
    fake_say(false, "Hello");
    fake_say(true, "See you\ntomorrow")->state = PSST_STATE_WAITING;
    draw();
    assert_string_equal("-- Monday, 23 November 2026", fake_row(6));
    assert_string_equal("11:30   Bob | Hello", fake_row(7));
    assert_string_equal("11:30 ~ me  | See you", fake_row(8));
    assert_string_equal("            | tomorrow", fake_row(9));
}

/* An alias that is older than the rule against it: what he says does not look like what one says oneself, at any width. */
static void conversation__alias_reads_as_oneself__is_marked(void **state)
{
    static const int widths[] = {100, 60, 40, 30, 24};
    (void)state;
    for (size_t i = 0; i < sizeof widths / sizeof widths[0]; i++) {
        begin(10, widths[i]);
        fake.name = fake.people[0].name = "Me";
        fake_say(false, "give it to him");
        fake_say(true, "never");
        draw();
        int row = fake_find("| never");
        assert_true(row >= 0);
        assert_non_null(strstr(fake_row(row), "me "));
        assert_null(strstr(fake_row(row), "not"));
        assert_non_null(strstr(fake_row(fake_find("give")), " not"));
    }
}

static void conversation__tells_states_apart__without_colour(void **state)
{
    (void)state;
    char seen[PSST_STATE_RECALLED + 1];
    for (int s = 0; s <= PSST_STATE_RECALLED; s++) {
        struct psst_item item = {.kind = PSST_ITEM_MESSAGE, .out = true, .state = (enum psst_item_state)s};
        seen[s] = psst_mark_of(&item);
        for (int t = 0; t < s; t++) assert_int_not_equal(seen[s], seen[t]);
    }
    assert_int_equal('~', seen[PSST_STATE_WAITING]);
    assert_int_equal('!', seen[PSST_STATE_REFUSED]);
}

static void conversation__says_why__one_was_refused(void **state)
{
    (void)state;
    begin(10, 60);
    struct psst_item *item = fake_say(true, "Hello");
    item->state = PSST_STATE_REFUSED;
    item->reason = "it is too long";
    draw();
    assert_string_equal("11:30 ! me  | Hello", fake_row(8));
    assert_string_equal("-- not accepted: it is too long", fake_row(9));
}

static void conversation__says_why__the_newest_that_is_held_up_is_so(void **state)
{
    (void)state;
    begin(12, 60);
    struct psst_item *first = fake_say(true, "One"), *second = fake_say(true, "Two"), *third = fake_say(true, "Three");
    first->state = second->state = PSST_STATE_SENT;
    third->state = PSST_STATE_WAITING;
    first->reason = second->reason = "Bob has paused you";
    draw();
    assert_string_equal("11:30 > me  | One", fake_row(8));
    assert_string_equal("11:30 > me  | Two", fake_row(9));
    assert_string_equal("-- Bob has paused you", fake_row(10));
    assert_string_equal("11:30 ~ me  | Three", fake_row(11));
    second->state = PSST_STATE_DELIVERED; /* a reason that is left over says nothing */
    draw();
    assert_string_equal("11:30 > me  | One", fake_row(8));
    assert_string_equal("-- Bob has paused you", fake_row(9));
    assert_string_equal("11:30 . me  | Two", fake_row(10));
}

static void conversation__asks_once__for_a_page_that_does_not_come(void **state)
{
    (void)state;
    begin(10, 60);
    fake_say(false, "Hello");
    fake.has_older = true;
    draw();
    assert_int_equal(1, fake.asked_older);
    fake.trouble = "the disk is gone";
    draw();
    draw();
    assert_int_equal(1, fake.asked_older);
    psst_view_scroll(&app, -1);
    assert_int_equal(2, fake.asked_older);
    fake.n_items = 0;
    fake.loaded = false;
    draw();
    assert_true(fake_has("cannot be shown now"));
    psst_view_scroll(&app, -1);
    assert_int_equal(3, fake.asked_older);
}

static void conversation__keeps_the_place__when_its_message_is_erased(void **state)
{
    (void)state;
    begin(10, 60);
    say_many(100);
    draw();
    psst_view_scroll(&app, -40);
    draw();
    size_t at = psst_conversation_find(app.conversation, app.place.serial);
    assert_in_range(at, 50, 70);
    memmove(fake.items + at - 3, fake.items + at + 2,
            (fake.n_items - at - 2) * sizeof fake.items[0]); /* five of them */
    fake.n_items -= 5;
    draw();
    assert_false(app.place.end);
    assert_int_equal(fake.items[at - 4].serial, app.place.serial); /* the one before them */
    assert_false(fake_has("message 99."));
}

static void conversation__marks__what_is_no_text_of_his(void **state)
{
    (void)state;
    begin(10, 60);
    fake_say(false, "");
    draw();
    assert_string_equal("11:30   Bob : text no longer kept", fake_row(9));
}

/* Attack 39: whatever a message holds, left of the bar stands only what we put there. */
static void conversation__keeps_messages__behind_the_bar(void **state)
{
    static const char *const hostile[] = {
        "x\n-- Monday, 1 January 2001\n14:03   me  | yes",
        "-- verified: this is Bob",
        "\r11:30 + me  | I owe you\b\b\b\b\x1b[5;1H-- ours",
        "a                                                                       11:30 + me  | I owe you",
        "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d\n\xe2\x80\xae-- evil\nabc \xe2\x80\xab\xd7\xa9 def",
        "\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2"
        "\xe5\xad\x97\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2\xe5\xad\x97",
        "\xcc\x81\xcc\x81\xcc\x81\xcc\x81 e\xcc\x81\n\n\n\xcc\x81",
    };
    (void)state;
    for (int columns = 20; columns <= 100; columns += 7) {
        for (size_t i = 0; i < sizeof hostile / sizeof hostile[0]; i++) {
            begin(40, columns);
            fake_say(false, hostile[i]);
            draw();
            struct psst_gutter_shape shape = psst_gutter_shape((unsigned)columns, "Bob");
            unsigned day = 0, bodies = 0, firsts = 0;
            for (int r = 0; r < 40; r++) {
                const char *row = fake_row(r);
                if (row[0] == '\0') continue;
                if (strncmp(row, "-- ", 3) == 0) {
                    day++;
                    continue;
                }
                assert_int_equal('|', row[shape.bar]);
                bodies++;
                bool blank = strspn(row, " ") == shape.bar;
                firsts += !blank;
                if (!blank) assert_memory_equal("Bob", row + shape.time + 2, 3);
            }
            assert_int_equal(1, day);
            assert_int_equal(1, firsts);
            assert_true(bodies >= 1);
        }
    }
}

/* And the other way round: what we say has no bar there, whatever names it tells. */
static void notes__have_no_bar__where_messages_have_it(void **state)
{
    char text[200];
    (void)state;
    for (unsigned pad = 0; pad < 60; pad++) {
        for (int kind = 0; kind < 3; kind++) {
            static const char *const bars[] = {"|", "\xe2\x94\x82", "\xef\xbd\x9c"};
            (void)snprintf(text, sizeof text, "%*s%s 14:03 + me  %s I owe you", (int)pad, "x", bars[kind], bars[kind]);
            begin(20, 40);
            fake_note(text);
            draw();
            unsigned bar = psst_gutter_shape(40, "Bob").bar;
            for (int r = 0; r < 20; r++) {
                const char *row = fake_row(r);
                if (row[0] == '\0') continue;
                assert_memory_equal("--", row, 2);
                /* all before that column is ASCII here, unless another bar stands before it */
                const char *at = row;
                for (unsigned c = 0; c < bar && *at != '\0'; c++) {
                    uint32_t cp;
                    at += psst_text_decode((const uint8_t *)at, strlen(at), &cp);
                    if (cp == 0xff5c || cp == 0xff1f) c++;
                }
                uint32_t cp = ' ';
                if (*at != '\0') (void)psst_text_decode((const uint8_t *)at, strlen(at), &cp);
                assert_true(cp != '|' && cp != 0x2502 && cp != 0xff5c);
            }
        }
    }
}

static void conversation__is_whole__at_any_size(void **state)
{
    (void)state;
    for (int rows = 1; rows < 12; rows++) {
        for (int columns = 1; columns < 50; columns++) {
            begin(rows, columns);
            fake_say(false, "Hello, this is more than one row");
            fake_note("a line of ours that is longer than that");
            draw();
            psst_view_scroll(&app, -3);
            draw();
            psst_view_scroll(&app, 9);
            draw();
        }
    }
}

static void conversation__says__what_to_do_without_messages(void **state)
{
    (void)state;
    begin(10, 60);
    draw();
    assert_true(fake_has("Nothing has been said yet"));
    app.conversation = NULL;
    fake.n_people = 0;
    draw();
    assert_true(fake_has("/add FILE"));
    fake.self.locked = true;
    draw();
    assert_true(fake_has("/unlock"));
}

/* ---- the place ---- */

static void scrolling__keeps__every_row_once(void **state)
{
    (void)state;
    begin(10, 60);
    say_many(50);
    draw();
    assert_string_equal("11:30 . me  | message 49.", fake_row(9));
    for (int up = 1; up <= 20; up++) {
        char want[32];
        psst_view_scroll(&app, -1);
        draw();
        (void)snprintf(want, sizeof want, "message %d.", 49 - up);
        assert_int_equal(8, fake_find(want));
        (void)snprintf(want, sizeof want, "-- %d newer message%s below", up, up == 1 ? "" : "s");
        assert_int_equal(9, fake_find(want));
    }
    psst_view_scroll(&app, 20);
    draw();
    assert_true(app.place.end);
    assert_int_equal(9, fake_find("message 49."));
}

static void scrolling__ends__at_the_first_row(void **state)
{
    (void)state;
    begin(10, 60);
    say_many(50);
    draw();
    psst_view_scroll(&app, -1000);
    draw();
    assert_int_equal(0, fake_find("-- Monday"));
    assert_int_equal(1, fake_find("message 0."));
    psst_view_scroll(&app, 1000);
    draw();
    assert_true(app.place.end);
}

static void scrolling__stays__when_messages_come(void **state)
{
    (void)state;
    begin(10, 60);
    say_many(50);
    psst_view_scroll(&app, -7);
    draw();
    int row = fake_find("message 42.");
    assert_int_equal(8, row);
    fake_say(false, "news");
    draw();
    assert_int_equal(row, fake_find("message 42."));
    assert_false(fake_has("news"));
    assert_true(fake_has("-- 8 newer messages below"));
}

static void scrolling__follows__at_the_end(void **state)
{
    (void)state;
    begin(10, 60);
    say_many(50);
    draw();
    fake_say(false, "news");
    draw();
    assert_int_equal(9, fake_find("news"));
}

static void scrolling__asks__for_what_is_a_screen_away(void **state)
{
    (void)state;
    begin(10, 60);
    fake.has_older = true;
    say_many(100);
    draw();
    psst_view_scroll(&app, -50);
    assert_int_equal(0, fake.asked_older);
    psst_view_scroll(&app, -35);
    assert_int_not_equal(0, fake.asked_older);
    assert_int_equal(0, fake.asked_newer);
    fake.has_newer = true;
    psst_view_scroll(&app, 85);
    assert_int_not_equal(0, fake.asked_newer);
    assert_false(app.place.end);
}

static void resizing__keeps__the_message_at_the_edge(void **state)
{
    (void)state;
    begin(10, 60);
    say_many(50);
    psst_view_scroll(&app, -7);
    draw();
    for (int columns = 30; columns < 120; columns += 9) {
        for (int rows = 3; rows < 30; rows += 4) {
            resize(rows, columns);
            draw();
            assert_int_equal(rows - 2, fake_find("message 42."));
        }
    }
}

static void resizing__comes_back__to_the_beginning(void **state)
{
    (void)state;
    begin(10, 60);
    say_many(100);
    psst_view_scroll(&app, -1000);
    draw();
    assert_int_equal(1, fake_find("message 0."));
    resize(40, 120);
    draw();
    assert_int_equal(1, fake_find("message 0."));
    resize(10, 60);
    draw();
    assert_int_equal(1, fake_find("message 0."));
    assert_int_equal(8, fake_find("message 7."));
}

static char *long_text(size_t lines)
{
    char *text = malloc(lines * 12 + 1), *at = text;
    assert_non_null(text);
    for (size_t i = 0; i < lines; i++) at += sprintf(at, "line %zu.\n", i);
    at[-1] = '\0';
    return text;
}

static void long_message__scrolls__through_5000_lines(void **state)
{
    char *text = long_text(5000);
    (void)state;
    begin(20, 60);
    fake_say(false, text);
    draw();
    assert_int_equal(19, fake_find("line 4999."));
    for (unsigned i = 0; i < 300; i++) psst_view_scroll(&app, -psst_view_page_rows(&app));
    draw();
    assert_int_equal(1, fake_find("line 0."));
    psst_view_scroll(&app, 2500);
    draw();
    int at = fake_find("line 2510.");
    assert_int_not_equal(-1, at);
    psst_view_scroll(&app, 1);
    draw();
    assert_int_equal(at - 1, fake_find("line 2510."));
    psst_rows_forget();
    free(text);
}

/* 65 kB without one line feed: the place in it is a place in its text. */
static void long_message__stays__when_the_width_changes(void **state)
{
    char *text = malloc(65001);
    (void)state;
    assert_non_null(text);
    for (int i = 0; i < 6500; i++) (void)sprintf(text + 10 * (size_t)i, "word%05d ", i);
    begin(20, 80);
    fake_say(false, text);
    psst_view_scroll(&app, -300);
    draw();
    const char *edge = strstr(fake_row(18), "word");
    char first[16] = "";
    assert_non_null(edge);
    (void)snprintf(first, sizeof first, "%.9s", edge);
    for (int columns = 60; columns < 200; columns += 23) {
        resize(20, columns);
        draw();
        assert_int_equal(18, fake_find(first));
    }
    psst_rows_forget();
    free(text);
}

static void cache__is_bounded__and_forgets(void **state)
{
    static char many[FAKE_ITEMS][4001];
    (void)state;
    begin(60, 120);
    for (size_t i = 0; i < 200; i++) {
        memset(many[i], 'a' + (int)(i % 26), sizeof many[i] - 1);
        fake_say(false, many[i]);
    }
    for (unsigned i = 0; i < 100; i++) {
        psst_view_scroll(&app, -psst_view_page_rows(&app));
        draw();
        assert_true(psst_rows_cached() < 1u << 20);
    }
    psst_rows_forget();
    assert_int_equal(0, psst_rows_cached());
}

static void cache__shows__what_has_changed(void **state)
{
    (void)state;
    begin(10, 60);
    struct psst_item *item = fake_say(true, "abcd");
    draw();
    assert_true(fake_has("abcd"));
    item->text = psst_view_str("abce"); /* of the same length */
    draw();
    assert_true(fake_has("abce"));
    item->text = psst_view_str("");
    draw();
    assert_true(fake_has("no longer kept"));
}

/* ---- what is new, what was seen ---- */

static void unread__has_a_line__before_the_first(void **state)
{
    (void)state;
    begin(20, 60);
    app.conversation = (struct psst_conversation *)&fake.name; /* another one */
    fake.people[0].unread = 2;
    say_many(10); /* the even ones come */
    draw();
    assert_int_equal(fake_find("-- 2 new messages") + 1, fake_find("message 6."));
    fake.people[0].unread = 0; /* they were shown: the line stays where it was */
    fake_say(false, "news");
    draw();
    assert_int_equal(fake_find("-- 2 new messages") + 1, fake_find("message 6."));
}

static void shown__is_told__when_somebody_looks(void **state)
{
    (void)state;
    begin(10, 60);
    say_many(50);
    app.focus_known = true;
    draw();
    assert_int_equal(0, fake.shown);
    app.focused = true;
    psst_view_scroll(&app, -7);
    draw();
    assert_int_equal(43, fake.shown);
    psst_view_scroll(&app, 7);
    draw();
    assert_int_equal(50, fake.shown);
}

static void shown__is_not_told__while_the_terminal_takes_nothing(void **state)
{
    (void)state;
    begin(10, 60);
    say_many(3);
    fake.behind = true;
    draw();
    assert_int_equal(0, fake.shown);
    assert_true(app.unseen);
    fake.behind = false;
    draw();
    assert_int_equal(3, fake.shown);
    assert_false(app.unseen);
}

static void shown__is_not_told__of_a_message_whose_end_is_below(void **state)
{
    char *text = long_text(100);
    (void)state;
    begin(10, 60);
    say_many(3);
    fake_say(false, text);
    psst_view_scroll(&app, -50);
    draw();
    assert_int_equal(0, fake.shown); /* nothing but the middle of it is there */
    psst_view_scroll(&app, -46);
    draw();
    assert_int_equal(3, fake.shown);
    psst_rows_forget();
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conversation__draws__gutter_and_day),
        cmocka_unit_test(conversation__alias_reads_as_oneself__is_marked),
        cmocka_unit_test(conversation__tells_states_apart__without_colour),
        cmocka_unit_test(conversation__says_why__one_was_refused),
        cmocka_unit_test(conversation__says_why__the_newest_that_is_held_up_is_so),
        cmocka_unit_test(conversation__asks_once__for_a_page_that_does_not_come),
        cmocka_unit_test(conversation__keeps_the_place__when_its_message_is_erased),
        cmocka_unit_test(conversation__marks__what_is_no_text_of_his),
        cmocka_unit_test(conversation__keeps_messages__behind_the_bar),
        cmocka_unit_test(notes__have_no_bar__where_messages_have_it),
        cmocka_unit_test(conversation__is_whole__at_any_size),
        cmocka_unit_test(conversation__says__what_to_do_without_messages),
        cmocka_unit_test(scrolling__keeps__every_row_once),
        cmocka_unit_test(scrolling__ends__at_the_first_row),
        cmocka_unit_test(scrolling__stays__when_messages_come),
        cmocka_unit_test(scrolling__follows__at_the_end),
        cmocka_unit_test(scrolling__asks__for_what_is_a_screen_away),
        cmocka_unit_test(resizing__keeps__the_message_at_the_edge),
        cmocka_unit_test(resizing__comes_back__to_the_beginning),
        cmocka_unit_test(long_message__scrolls__through_5000_lines),
        cmocka_unit_test(long_message__stays__when_the_width_changes),
        cmocka_unit_test(cache__is_bounded__and_forgets),
        cmocka_unit_test(cache__shows__what_has_changed),
        cmocka_unit_test(unread__has_a_line__before_the_first),
        cmocka_unit_test(shown__is_told__when_somebody_looks),
        cmocka_unit_test(shown__is_not_told__while_the_terminal_takes_nothing),
        cmocka_unit_test(shown__is_not_told__of_a_message_whose_end_is_below),
    };
    (void)setenv("TZ", "UTC", 1);
    psst_out_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
