/* The window over the history. */
#include "model_scene.h"

#include <stdlib.h>

#define MANY 100000

static int64_t seq_at(const struct psst_conversation *conversation, size_t i)
{
    return psst_conversation_item(conversation, i)->seq;
}

/* Ordered, each next to its neighbour in the history, and few. */
static void check_window(const struct psst_conversation *conversation)
{
    size_t n = psst_conversation_count(conversation);
    assert_in_range(n, 1, PSST_CONVERSATION_MAX);
    for (size_t i = 1; i < n; i++) assert_int_equal(seq_at(conversation, i - 1) + SCENE_STEP, seq_at(conversation, i));
}

static int64_t last_seq(const struct psst_conversation *conversation)
{
    return seq_at(conversation, psst_conversation_count(conversation) - 1);
}

static void window__slides_over_all__none_missing_or_doubled(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s);
    s.messages = MANY;
    struct psst_conversation *c = scene_talk(&s, "bob");
    assert_true(psst_conversation_loaded(c));
    assert_int_equal(PSST_CONVERSATION_PAGE, psst_conversation_count(c));
    assert_int_equal((int64_t)MANY * SCENE_STEP, last_seq(c));
    assert_false(psst_conversation_has_newer(c));
    while (psst_conversation_has_older(c)) {
        int64_t first = seq_at(c, 0);
        uint64_t serial = psst_conversation_item(c, 0)->serial;
        psst_conversation_older(c);
        psst_conversation_older(c); /* one is under way */
        scene_run(&s);
        check_window(c);
        assert_int_equal(first > PSST_CONVERSATION_PAGE * SCENE_STEP ? first - PSST_CONVERSATION_PAGE * SCENE_STEP : 3,
                         seq_at(c, 0));
        assert_true(psst_conversation_find(c, serial) < psst_conversation_count(c));
    }
    assert_int_equal(SCENE_STEP, seq_at(c, 0));
    assert_int_equal(MANY / PSST_CONVERSATION_PAGE + 1, scene_times(&s, "log"));
    assert_true(psst_conversation_has_newer(c));
    while (psst_conversation_has_newer(c)) {
        int64_t last = last_seq(c);
        psst_conversation_newer(c);
        scene_run(&s);
        check_window(c);
        int64_t end = last + PSST_CONVERSATION_PAGE * SCENE_STEP;
        assert_true(last_seq(c) == (end < MANY * SCENE_STEP ? end : MANY * SCENE_STEP));
    }
    assert_true(psst_conversation_has_older(c));
    psst_conversation_close(c);
    scene_close(&s);
}

static void window__pages_cut_by_length__go_on(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s);
    s.messages = 500;
    s.page_most = 7;
    struct psst_conversation *c = scene_talk(&s, "bob");
    while (psst_conversation_has_older(c)) {
        psst_conversation_older(c);
        scene_run(&s);
        check_window(c);
    }
    assert_int_equal(SCENE_STEP, seq_at(c, 0));
    while (psst_conversation_has_newer(c)) {
        psst_conversation_newer(c);
        scene_run(&s);
        check_window(c);
    }
    assert_int_equal(500 * SCENE_STEP, last_seq(c));
    psst_conversation_close(c);
    scene_close(&s);
}

static void jump__has_both_sides__and_pages_of_before_are_dropped(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s);
    s.messages = 1000;
    struct psst_conversation *c = scene_talk(&s, "bob");
    s.hold = "log";
    psst_conversation_older(c);
    scene_run(&s);
    psst_conversation_jump(c, 300 * SCENE_STEP);
    assert_false(psst_conversation_loaded(c));
    assert_int_equal(0, psst_conversation_count(c));
    scene_run(&s);
    scene_release(&s);
    assert_true(psst_conversation_loaded(c));
    check_window(c);
    assert_int_equal(PSST_CONVERSATION_PAGE, psst_conversation_count(c));
    assert_int_equal(250 * SCENE_STEP, seq_at(c, 0));
    assert_int_equal(349 * SCENE_STEP, last_seq(c));
    assert_true(psst_conversation_has_older(c));
    assert_true(psst_conversation_has_newer(c));
    psst_conversation_beginning(c);
    scene_run(&s);
    assert_int_equal(SCENE_STEP, seq_at(c, 0));
    assert_false(psst_conversation_has_older(c));
    assert_true(psst_conversation_has_newer(c));
    psst_conversation_end(c);
    scene_run(&s);
    assert_int_equal(1000 * SCENE_STEP, last_seq(c));
    assert_false(psst_conversation_has_newer(c));
    psst_conversation_close(c);
    scene_close(&s);
}

static void message__while_away_from_the_end__is_counted_then_loaded(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s);
    s.messages = 250;
    struct psst_conversation *c = scene_talk(&s, "bob");
    psst_conversation_beginning(c);
    scene_run(&s);
    s.messages = 251;
    scene_tell(&s, "message",
               "{\"contact\":\"bob\",\"seq\":%d,\"direction\":\"in\",\"state\":\"received\","
               "\"text\":\"m753\"}",
               251 * SCENE_STEP);
    assert_int_equal(1, psst_conversation_below(c));
    assert_int_equal(100, psst_conversation_count(c));
    while (psst_conversation_has_newer(c)) {
        psst_conversation_newer(c);
        scene_run(&s);
    }
    check_window(c);
    assert_int_equal(251, psst_conversation_count(c));
    assert_int_equal(0, psst_conversation_below(c));
    psst_conversation_close(c);
    scene_close(&s);
}

static void message__while_the_first_page_is_under_way__stands_there_once(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s);
    s.messages = 3;
    s.hold = "log";
    struct psst_conversation *c = scene_talk(&s, "bob");
    scene_tell(&s, "message",
               "{\"contact\":\"bob\",\"seq\":9,\"direction\":\"in\",\"state\":\"received\","
               "\"text\":\"m9\"}");
    assert_false(psst_conversation_loaded(c));
    scene_release(&s);
    assert_string_equal("m3 | m6 | m9", scene_items(c));
    psst_conversation_close(c);
    scene_close(&s);
}

static void message__while_the_last_page_is_under_way__is_not_lost(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s);
    s.messages = 150;
    struct psst_conversation *c = scene_talk(&s, "bob");
    psst_conversation_beginning(c);
    scene_run(&s);
    s.hold = "log";
    psst_conversation_newer(c);
    scene_run(&s);
    scene_tell(&s, "message",
               "{\"contact\":\"bob\",\"seq\":%d,\"direction\":\"in\",\"state\":\"received\","
               "\"text\":\"m453\"}",
               151 * SCENE_STEP);
    scene_release(&s); /* the page was read before that message was stored */
    assert_int_equal(150 * SCENE_STEP, last_seq(c));
    assert_true(psst_conversation_has_newer(c));
    s.messages = 151;
    psst_conversation_newer(c);
    scene_run(&s);
    assert_false(psst_conversation_has_newer(c));
    check_window(c);
    assert_int_equal(151, psst_conversation_count(c));
    psst_conversation_close(c);
    scene_close(&s);
}

static void many_messages__of_whom_looks_further_up__push_nothing_out(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s);
    s.messages = 100;
    struct psst_conversation *c = scene_talk(&s, "bob");
    uint64_t serial = psst_conversation_item(c, 20)->serial;
    psst_conversation_shown(c, 20);
    for (int i = 101; i <= 600; i++) {
        s.messages = (size_t)i;
        scene_tell(&s, "message",
                   "{\"contact\":\"bob\",\"seq\":%d,\"direction\":\"in\",\"state\":\"received\","
                   "\"text\":\"x\"}",
                   i * SCENE_STEP);
        check_window(c);
    }
    assert_int_equal(20, psst_conversation_find(c, serial));
    assert_true(psst_conversation_has_newer(c));
    assert_int_equal(600, psst_conversation_count(c) + psst_conversation_below(c));
    psst_conversation_end(c);
    scene_run(&s);
    psst_conversation_shown(c, psst_conversation_count(c) - 1);
    for (int i = 601; i <= 1100; i++) {
        s.messages = (size_t)i;
        scene_tell(&s, "message",
                   "{\"contact\":\"bob\",\"seq\":%d,\"direction\":\"in\",\"state\":\"received\","
                   "\"text\":\"x\"}",
                   i * SCENE_STEP);
        check_window(c);
    }
    assert_int_equal(1100 * SCENE_STEP, last_seq(c)); /* and who follows sees the last */
    assert_true(psst_conversation_has_older(c));
    psst_conversation_close(c);
    scene_close(&s);
}

static void erased__messages__leave_and_the_others_stay_what_they_were(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s);
    s.messages = 1000;
    s.page_most = 7;
    struct psst_conversation *c = scene_talk(&s, "bob");
    psst_conversation_jump(c, 500 * SCENE_STEP);
    scene_run(&s);
    size_t n = psst_conversation_count(c);
    int64_t first = seq_at(c, 0), last = last_seq(c);
    uint64_t middle = psst_conversation_item(c, n / 2)->serial, end = psst_conversation_item(c, n - 1)->serial;
    psst_model_note(s.model, "bob", "a note");
    s.bare = (size_t)(first / SCENE_STEP) + 4;
    s.gone = (size_t)(first / SCENE_STEP) + 1; /* the first two of the window */
    scene_tell(&s, "contact.forgotten", "{\"contact\":\"bob\"}");
    assert_int_equal(n - 2, psst_conversation_count(c));
    assert_int_equal(first + 2 * SCENE_STEP, seq_at(c, 0));
    assert_int_equal(last, last_seq(c));
    assert_int_equal(n / 2 - 2, psst_conversation_find(c, middle));
    assert_int_equal(n - 3, psst_conversation_find(c, end));
    assert_int_equal(0, psst_conversation_item(c, 2)->text.len);
    assert_int_not_equal(0, psst_conversation_item(c, 3)->text.len);
    assert_true(psst_conversation_loaded(c));
    check_window(c);
    s.gone = s.messages;
    scene_tell(&s, "contact.forgotten", "{\"contact\":\"bob\"}");
    assert_int_equal(0, psst_conversation_count(c));
    psst_conversation_close(c);
    scene_close(&s);
}

static void erased__twice_or_while_renamed__is_looked_at_again(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s);
    s.messages = 5;
    struct psst_conversation *c = scene_talk(&s, "bob");
    s.hold = "log";
    s.gone = 1;
    scene_tell(&s, "contact.forgotten", "{\"contact\":\"bob\"}");
    scene_tell(&s, "contact", "{\"name\":\"robert\",\"fingerprint\":\"%s\"}",
               psst_model_find(s.model, "bob")->fingerprint);
    scene_tell(&s, "contact.forgotten", "{\"contact\":\"robert\"}");
    s.gone = 2;
    scene_release(&s);
    assert_string_equal("m9 | m12 | m15", scene_items(c));
    assert_string_equal("robert", json_string_value(json_object_get(scene_last(&s, "log"), "name")));
    psst_conversation_close(c);
    scene_close(&s);
}

static void erased__and_nothing_can_be_read__does_not_stay(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s);
    s.messages = 3;
    struct psst_conversation *c = scene_talk(&s, "bob");
    scene_answer(&s, "log", "\"failed\"");
    scene_tell(&s, "contact.forgotten", "{\"contact\":\"bob\"}");
    assert_int_equal(0, psst_conversation_count(c));
    assert_false(psst_conversation_loaded(c));
    assert_string_equal("it is so", psst_conversation_trouble(c));
    psst_conversation_close(c);
    scene_close(&s);
}

static void page__that_does_not_come__is_no_end(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s);
    s.messages = 250;
    struct psst_conversation *c = scene_talk(&s, "bob");
    assert_string_equal("", psst_conversation_trouble(c));
    scene_answer(&s, "log", "\"failed\"");
    psst_conversation_older(c);
    scene_run(&s);
    assert_string_equal("it is so", psst_conversation_trouble(c));
    assert_true(psst_conversation_has_older(c));
    assert_int_equal(100, psst_conversation_count(c));
    assert_int_equal(0, json_object_del(s.answers, "log"));
    psst_conversation_older(c);
    assert_string_equal("", psst_conversation_trouble(c));
    scene_run(&s);
    assert_int_equal(200, psst_conversation_count(c));
    check_window(c);
    /* and at the other side */
    psst_conversation_beginning(c);
    scene_run(&s);
    scene_answer(&s, "log", "\"failed\"");
    psst_conversation_newer(c);
    scene_run(&s);
    assert_true(psst_conversation_has_newer(c));
    assert_int_equal(0, json_object_del(s.answers, "log"));
    psst_conversation_newer(c);
    scene_run(&s);
    assert_int_equal(200, psst_conversation_count(c));
    psst_conversation_close(c);
    scene_close(&s);
}

static void first_page__that_does_not_come__is_asked_for_again(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s);
    s.messages = 3;
    scene_answer(&s, "log", "\"failed\"");
    struct psst_conversation *c = scene_talk(&s, "bob");
    assert_false(psst_conversation_loaded(c));
    assert_string_equal("it is so", psst_conversation_trouble(c));
    assert_int_equal(1, scene_times(&s, "log"));
    assert_int_equal(0, json_object_del(s.answers, "log"));
    psst_conversation_older(c);
    psst_conversation_older(c); /* it is under way */
    scene_run(&s);
    assert_string_equal("m3 | m6 | m9", scene_items(c));
    assert_int_equal(2, scene_times(&s, "log"));
    psst_conversation_close(c);
    scene_close(&s);
}

static void damaged__ranges__stand_between_the_messages(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s);
    scene_answer(&s, "log",
                 "{\"messages\":[{\"seq\":3,\"state\":\"shown\",\"direction\":\"in\",\"text\":\"a\"},{\"seq\":9,"
                 "\"state\":\"read\",\"direction\":\"out\",\"text\":\"b\"}],\"more\":false,\"damaged\":[{\"first\":4,"
                 "\"last\":8,\"words\":\"gap\"},{\"first\":10,\"words\":\"rest\"}]}");
    struct psst_conversation *c = scene_talk(&s, "bob");
    assert_string_equal("a | gap | b | rest", scene_items(c));
    assert_int_equal(PSST_ITEM_DAMAGED, psst_conversation_item(c, 1)->kind);
    assert_int_equal(PSST_STATE_READ, psst_conversation_item(c, 2)->state);
    psst_conversation_close(c);
    scene_close(&s);
}

static void hostile__pages__are_bounded_and_harmless(void **state)
{
    (void)state;
    static const char *const pages[] = {
        "{}",
        "[]",
        "{\"messages\":7,\"damaged\":{},\"more\":true}",
        "{\"messages\":[null,[],{},{\"seq\":-1,\"state\":\"sent\"},{\"seq\":1},{\"seq\":5,\"state\":\"odd\"}],"
        "\"more\":true}",
        "{\"messages\":[{\"seq\":9223372036854775807,\"state\":\"sent\",\"text\":null,\"id\":5}],\"more\":true,"
        "\"damaged\":[null,{\"first\":-4},{\"first\":9223372036854775807,\"words\":{}}]}",
        "{\"messages\":[{\"seq\":9,\"state\":\"sent\"},{\"seq\":3,\"state\":\"shown\"},{\"seq\":9,\"state\":\"sent\"}],"
        "\"more\":true}",
    };
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
        struct scene s;
        scene_open(&s);
        scene_answer(&s, "log", pages[i]);
        struct psst_conversation *c = scene_talk(&s, "bob");
        for (int n = 0; n < 5; n++) {
            psst_conversation_older(c);
            psst_conversation_newer(c);
            scene_run(&s);
        }
        assert_false(psst_conversation_has_older(c)); /* the same again is no more history */
        psst_conversation_jump(c, INT64_MAX);
        scene_run(&s);
        psst_conversation_jump(c, 1);
        scene_run(&s);
        for (size_t k = 1; k < psst_conversation_count(c); k++) assert_true(seq_at(c, k - 1) <= seq_at(c, k));
        psst_conversation_close(c);
        scene_close(&s);
    }
}

static void long_messages__many__are_held_only_in_part(void **state)
{
    (void)state;
    struct scene s;
    char *text = malloc(60001);
    scene_open(&s);
    memset(text, 'x', 60000);
    text[60000] = '\0';
    struct psst_conversation *c = scene_talk(&s, "bob");
    for (int i = 1; i <= 120; i++) {
        json_t *params = json_pack("{s:s, s:i, s:s, s:s, s:s}", "contact", "bob", "seq", i * SCENE_STEP, "direction",
                                   "in", "state", "received", "text", text);
        assert_ok(psst_rpc_put(&s.psstd, psst_rpc_event("message", params), NULL, 0));
        assert_ok(psst_lines_flush(&s.psstd));
        scene_run(&s);
    }
    size_t bytes = 0;
    for (size_t i = 0; i < psst_conversation_count(c); i++) bytes += psst_conversation_item(c, i)->text.len;
    assert_in_range(bytes, 60000, 4 << 20);
    check_window(c);
    assert_int_equal(120 * SCENE_STEP, last_seq(c));
    psst_conversation_close(c);
    scene_close(&s);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(window__slides_over_all__none_missing_or_doubled),
        cmocka_unit_test(window__pages_cut_by_length__go_on),
        cmocka_unit_test(jump__has_both_sides__and_pages_of_before_are_dropped),
        cmocka_unit_test(message__while_away_from_the_end__is_counted_then_loaded),
        cmocka_unit_test(message__while_the_first_page_is_under_way__stands_there_once),
        cmocka_unit_test(message__while_the_last_page_is_under_way__is_not_lost),
        cmocka_unit_test(many_messages__of_whom_looks_further_up__push_nothing_out),
        cmocka_unit_test(erased__messages__leave_and_the_others_stay_what_they_were),
        cmocka_unit_test(erased__twice_or_while_renamed__is_looked_at_again),
        cmocka_unit_test(erased__and_nothing_can_be_read__does_not_stay),
        cmocka_unit_test(page__that_does_not_come__is_no_end),
        cmocka_unit_test(first_page__that_does_not_come__is_asked_for_again),
        cmocka_unit_test(damaged__ranges__stand_between_the_messages),
        cmocka_unit_test(hostile__pages__are_bounded_and_harmless),
        cmocka_unit_test(long_messages__many__are_held_only_in_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
