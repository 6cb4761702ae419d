/* What is said of calls, and the line of levels. */
#include "client/call_words.h"
#include "support/check.h"

#include <string.h>

static void call_exit__tells__results_apart(void **state)
{
    (void)state;
    assert_int_equal(psst_call_exit("ended"), PSST_EXIT_DONE);
    assert_int_equal(psst_call_exit("declined"), PSST_CALL_EXIT_DECLINED);
    assert_int_equal(psst_call_exit("busy"), PSST_CALL_EXIT_BUSY);
    assert_int_equal(psst_call_exit("unanswered"), PSST_CALL_EXIT_UNANSWERED);
    assert_int_equal(psst_call_exit("missed"), PSST_CALL_EXIT_UNANSWERED);
    assert_int_equal(psst_call_exit("no-voice"), PSST_CALL_EXIT_NO_VOICE);
    assert_int_equal(psst_call_exit("cut off"), PSST_EXIT_UNREACHABLE);
    assert_int_equal(psst_call_exit("failed"), PSST_EXIT_FAILED);
    assert_int_equal(psst_call_exit("something new"), PSST_EXIT_FAILED);
    assert_int_equal(psst_call_exit(""), PSST_EXIT_FAILED);
}

static void call_line__says__who_called_and_what_came_of_it(void **state)
{
    (void)state;
    static const struct {
        const char *direction, *result;
        int seconds;
        const char *line;
    } cases[] = {
        {"out", "ended", 12, "called Bob: 12 s"},
        {"in", "ended", 200, "Bob called: 3 min"},
        {"in", "missed", 0, "Bob called: missed"},
        {"out", "unanswered", 0, "called Bob: not answered"},
        {"out", "cut off", 61, "called Bob: cut off, 1 min"},
        {"in", "cut off", 0, "Bob called: cut off"},
        {"in", "", 0, "Bob called: runs"},
        {"out", "??", 0, "called Bob: failed"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char line[PSST_CALL_WORDS];
        json_t *call = json_pack("{s:s, s:s, s:s, s:i}", "name", "Bob", "direction", cases[i].direction, "result",
                                 cases[i].result, "seconds", cases[i].seconds);
        assert_string_equal(psst_call_line(line, call), cases[i].line);
        json_decref(call);
    }
}

static void call_line__makes_names__harmless(void **state)
{
    (void)state;
    char line[PSST_CALL_WORDS];
    json_t *call = json_pack("{s:s, s:s, s:s, s:s}", "name", "B\x1b[2Job\n", "direction", "in", "result", "missed",
                             "state", "offered");
    assert_null(strpbrk(psst_call_line(line, call), "\x1b\n"));
    assert_null(strpbrk(psst_call_event_line(line, call), "\x1b\n"));
    json_decref(call);
}

static void call_event_line__says__what_happens(void **state)
{
    (void)state;
    static const struct {
        const char *state, *result, *words, *line;
    } cases[] = {
        {"calling", "", "", "calling Bob"},
        {"ringing", "", "", "it rings at Bob's"},
        {"offered", "", "", "Bob is calling: answer or decline"},
        {"active", "", "", "in a call with Bob"},
        {"active", "", "there is no microphone", "in a call with Bob: there is no microphone"},
        {"ended", "busy", "Bob is busy", "the call has ended: Bob is busy"},
        {"ended", "busy", "", "called Bob: busy"},
        {"dancing", "", "", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char line[PSST_CALL_WORDS];
        json_t *event = json_pack("{s:s, s:s, s:s, s:s, s:s}", "name", "Bob", "direction", "out", "state",
                                  cases[i].state, "result", cases[i].result, "words", cases[i].words);
        assert_string_equal(psst_call_event_line(line, event), cases[i].line);
        json_decref(event);
    }
}

static void call_clock__counts__hours(void **state)
{
    (void)state;
    char out[PSST_SIZE_TEXT];
    assert_string_equal(psst_call_clock(out, 7), "0:07");
    assert_string_equal(psst_call_clock(out, 3599), "59:59");
    assert_string_equal(psst_call_clock(out, 3753), "1:02:33");
}

static json_t *levels(bool send, bool ptt, bool voice, int microphone)
{
    return json_pack("{s:b, s:b, s:b, s:b, s:i, s:i, s:s, s:i, s:f, s:i, s:b}", "send", (int)send, "ptt", (int)ptt,
                     "voice", (int)voice, "receive", 1, "microphone_dbfs", microphone, "speaker_dbfs", -100, "way",
                     "udp", "delay_ms", 62, "loss", 1.5, "quality", 6, "fec", 0);
}

static void call_meter__shows_voice__only_while_it_goes_out(void **state)
{
    (void)state;
    char line[PSST_METER_SIZE];
    json_t *voice = levels(true, false, true, -30);
    assert_string_equal(psst_call_meter(line, voice, 62, false, false, 0),
                        "1:02  me [####....] voice peer [........] udp 62 ms  loss 1.5%  quality 6");
    assert_true(strlen(psst_call_meter(line, voice, 3600, false, false, 0)) < 79);
    assert_int_equal(strlen(psst_call_meter(line, voice, 62, false, false, 40)), 39);
    json_decref(voice);
    voice = levels(true, false, false, 0);
    assert_string_equal(psst_call_meter(line, voice, 0, true, true, 0),
                        "0:00  me [########]       peer [........] udp 62 ms  nothing is heard");
    assert_string_equal(psst_call_meter(line, voice, 0, false, true, 0),
                        "0:00  me [########]       peer [........] udp 62 ms  not listening");
    json_decref(voice);
    voice = levels(false, false, true, -30); /* muted: there is a voice, but it stays here */
    psst_call_meter(line, voice, 0, false, false, 0);
    assert_non_null(strstr(line, "] mute "));
    assert_null(strstr(line, "voice"));
    json_decref(voice);
    voice = levels(false, true, true, -30);
    assert_non_null(strstr(psst_call_meter(line, voice, 0, false, false, 0), "] voice "));
    json_decref(voice);
}

static void voice_words__are__for_voice_messages_alone(void **state)
{
    (void)state;
    char line[PSST_CALL_WORDS];
    json_t *file = json_pack("{s:s, s:i}", "form", "voice", "seconds", 12);
    assert_string_equal(psst_voice_words(line, file), "voice message, 12 s");
    (void)json_object_set_new(file, "seconds", json_integer(0));
    assert_string_equal(psst_voice_words(line, file), "voice message");
    (void)json_object_set_new(file, "form", json_string("file"));
    assert_string_equal(psst_voice_words(line, file), "");
    json_decref(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(call_exit__tells__results_apart),
        cmocka_unit_test(call_line__says__who_called_and_what_came_of_it),
        cmocka_unit_test(call_line__makes_names__harmless),
        cmocka_unit_test(call_event_line__says__what_happens),
        cmocka_unit_test(call_clock__counts__hours),
        cmocka_unit_test(call_meter__shows_voice__only_while_it_goes_out),
        cmocka_unit_test(voice_words__are__for_voice_messages_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
