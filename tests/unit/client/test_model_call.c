/* The call and the files. */
#include "model_scene.h"

#include "client/file_words.h"

static const struct psst_call_now *now(const struct scene *s)
{
    return psst_model_call(s->model);
}

static void call(struct scene *s, int id, const char *direction, const char *state, const char *more)
{
    scene_tell(s, "call",
               "{\"id\":%d,\"name\":\"bob\",\"direction\":\"%s\",\"state\":\"%s\",\"way\":\"udp\","
               "\"peer_receiving\":true,\"silent\":false%s}",
               id, direction, state, more);
}

static void voice(struct scene *s, const char *call_json, const char *send)
{
    char json[512];
    (void)snprintf(json, sizeof json,
                   "{\"call\":%s,\"send\":%s,\"receive\":true,\"ptt\":false,\"sense\":-45,\"quality\":7,\"volume\":80,"
                   "\"words\":\"the microphone is silent\"}",
                   call_json, send);
    scene_answer(s, "voice", json);
}

static void call__goes_out__through_its_states(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s);
    struct psst_conversation *c = scene_talk(&s, "bob");
    voice(&s, "{\"id\":4,\"name\":\"bob\",\"state\":\"calling\"}", "true");
    assert_int_equal(PSST_CALL_NONE, now(&s)->state);
    call(&s, 4, "out", "calling", "");
    assert_int_equal(PSST_CALL_CALLING, now(&s)->state);
    assert_string_equal("bob", now(&s)->name);
    assert_true(now(&s)->send);
    assert_int_equal(-45, now(&s)->sense_dbfs);
    assert_int_equal(7, now(&s)->quality);
    assert_int_equal(80, now(&s)->volume);
    voice(&s, "{\"id\":4,\"name\":\"bob\",\"state\":\"ringing\"}", "true");
    call(&s, 4, "out", "ringing", "");
    assert_int_equal(PSST_CALL_RINGING, now(&s)->state);
    scene_tell(&s, "voice", "{\"id\":4,\"microphone_dbfs\":-20}"); /* there are none before it is active */
    assert_true(now(&s)->microphone_dbfs < -99);
    voice(&s, "{\"id\":4,\"name\":\"bob\",\"state\":\"active\"}", "true");
    call(&s, 4, "out", "active", "");
    assert_int_equal(PSST_CALL_ACTIVE, now(&s)->state);
    assert_true(now(&s)->since_ms > 0);
    assert_string_equal("the microphone is silent", now(&s)->words);
    s.changed = 0;
    size_t asked = scene_times(&s, "voice");
    scene_tell(&s, "voice",
               "{\"id\":4,\"microphone_dbfs\":-20,\"speaker_dbfs\":-30,\"voice\":true,\"clipping\":false,\"quality\":7,"
               "\"fec\":true,\"send\":true,\"receive\":true,\"ptt\":false,\"loss\":1.5,\"delay_ms\":80}");
    assert_int_equal(PSST_PART_LEVELS, s.changed);
    assert_int_equal(asked, scene_times(&s, "voice"));
    assert_true(now(&s)->voice && now(&s)->fec);
    assert_true(now(&s)->loss > 1.4 && now(&s)->loss < 1.6);
    scene_tell(&s, "voice", "{\"id\":4,\"microphone_dbfs\":1e300,\"send\":false,\"quality\":99}");
    assert_true((s.changed & PSST_PART_CALL) != 0);
    assert_false(now(&s)->send);
    assert_int_equal(10, now(&s)->quality);
    assert_true(now(&s)->microphone_dbfs <= 0);
    call(&s, 4, "out", "active", ",\"silent\":true,\"x\":1");
    voice(&s, "null", "true");
    call(&s, 4, "out", "ended", ",\"result\":\"ended\",\"words\":\"bob hung up\"");
    assert_int_equal(PSST_CALL_NONE, now(&s)->state);
    assert_string_equal("calling bob | it rings at bob's | in a call with bob | the call has ended: bob hung up",
                        scene_items(c));
    assert_int_equal(0, s.arrivals);
    psst_conversation_close(c);
    scene_close(&s);
}

static void call__comes_in_and_is_missed__until_he_is_opened(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s);
    voice(&s, "{\"id\":5,\"name\":\"bob\",\"state\":\"offered\"}", "true");
    call(&s, 5, "in", "offered", "");
    assert_int_equal(PSST_CALL_OFFERED, now(&s)->state);
    assert_int_equal(0, now(&s)->waiting);
    assert_int_equal(PSST_ARRIVAL_RINGS, s.kind);
    assert_false(s.quiet);
    call(&s, 5, "in", "ended", ",\"result\":\"missed\",\"quiet\":true");
    assert_int_equal(PSST_ARRIVAL_MISSED, s.kind);
    assert_true(s.quiet);
    assert_int_equal(2, s.arrivals);
    assert_true(psst_model_find(s.model, "bob")->missed_call);
    struct psst_conversation *c = scene_talk(&s, "bob");
    assert_false(psst_model_find(s.model, "bob")->missed_call);
    psst_conversation_close(c);
    scene_close(&s);
}

static void call__several__shows_the_one_that_concerns_most(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s);
    scene_answer(&s, "voice", "\"failed\"");
    call(&s, 1, "in", "offered", "");
    call(&s, 2, "in", "offered", "");
    assert_int_equal(1, now(&s)->waiting);
    call(&s, 3, "out", "active", "");
    assert_int_equal(PSST_CALL_ACTIVE, now(&s)->state);
    assert_int_equal(2, now(&s)->waiting);
    for (int i = 10; i < 40; i++) call(&s, i, "in", "offered", "");
    assert_int_equal(PSST_CALL_ACTIVE, now(&s)->state);
    call(&s, 3, "out", "ended", "");
    assert_int_equal(PSST_CALL_OFFERED, now(&s)->state);
    json_t *none = json_pack("{s:n}", "call");
    psst_model_voice(s.model, none);
    assert_int_equal(PSST_CALL_NONE, now(&s)->state);
    json_decref(none);
    psst_model_voice(s.model, NULL);
    scene_close(&s);
}

static void loading__a_call_runs_and_others_were_missed__is_known(void **state)
{
    (void)state;
    struct scene s;
    scene_init(&s);
    voice(&s,
          "{\"id\":9,\"name\":\"bob\",\"state\":\"active\",\"seconds\":30,\"way\":\"tcp\",\"peer_receiving\":false}",
          "false");
    scene_answer(
        &s, "calls",
        "{\"calls\":[{\"id\":3,\"name\":\"carol\",\"direction\":\"in\",\"began\":1000,\"result\":\"missed\","
        "\"seen\":false},{\"id\":2,\"name\":\"bob\",\"direction\":\"in\",\"result\":\"missed\",\"seen\":true}]}");
    scene_answer(&s, "meets",
                 "{\"meets\":[{\"id\":1,\"contact\":\"bob\",\"time_ms\":1000,\"direction\":\"out\",\"state\":"
                 "\"agreed\"}]}");
    s.hold = "contacts"; /* what is said of them comes before them */
    scene_begin(&s);
    scene_release(&s);
    assert_int_equal(PSST_CALL_ACTIVE, now(&s)->state);
    assert_true(psst_client_now_ms() - now(&s)->since_ms >= 30000 || now(&s)->since_ms == 1);
    assert_false(now(&s)->send || now(&s)->peer_receiving);
    assert_string_equal("tcp", now(&s)->way);
    assert_true(psst_model_find(s.model, "carol")->missed_call);
    assert_false(psst_model_find(s.model, "bob")->missed_call);
    struct psst_conversation *c = scene_talk(&s, "carol");
    assert_non_null(strstr(scene_items(c), "carol called: missed"));
    psst_conversation_close(c);
    c = scene_talk(&s, "bob");
    assert_non_null(strstr(scene_items(c), "bob knows that you meet"));
    scene_tell(&s, "identity", "{\"locked\":false}"); /* all is told again, and noted once */
    assert_int_equal(1, psst_conversation_count(c));
    scene_tell(&s, "meet", "{\"id\":2,\"contact\":\"bob\",\"time_ms\":1000,\"direction\":\"in\",\"state\":\"agreed\"}");
    assert_int_equal(PSST_ARRIVAL_MEETING, s.kind);
    assert_int_equal(2, psst_conversation_count(c));
    psst_conversation_close(c);
    scene_close(&s);
}

static void file(struct scene *s, int id, const char *direction, const char *form, const char *state, const char *more)
{
    scene_tell(s, "file",
               "{\"id\":%d,\"contact\":\"bob\",\"direction\":\"%s\",\"form\":\"%s\",\"state\":\"%s\",\"name\":\"a b\","
               "\"size\":2000,\"done\":500%s}",
               id, direction, form, state, more);
}

static void file__offered_run_done__is_noted_at_its_turns(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s);
    struct psst_conversation *c = scene_talk(&s, "bob");
    file(&s, 1, "in", "file", "waiting", "");
    assert_int_equal(PSST_ARRIVAL_OFFER, s.kind);
    file(&s, 1, "in", "file", "waiting", "");
    file(&s, 1, "in", "file", "running", ",\"path\":\"/x/a b\",\"rate\":100,\"left_ms\":15000");
    assert_int_equal(1, s.arrivals);
    const struct psst_transfer *t = psst_model_transfer(s.model, 0);
    assert_int_equal(1, psst_model_transfers(s.model));
    assert_string_equal("running", t->state);
    assert_string_equal("a b", t->name);
    assert_string_equal("/x/a b", t->path);
    assert_true(t->in && t->size == 2000 && t->done == 500 && t->rate == 100 && t->left_ms == 15000);
    file(&s, 1, "in", "file", "paused", ",\"paused_by\":\"them\"");
    assert_string_equal("them", psst_model_transfer(s.model, 0)->paused_by);
    file(&s, 1, "in", "file", "done", ",\"path\":\"/x/a b\"");
    file(&s, 1, "in", "file", "done", ",\"path\":\"/x/a b\"");
    file(&s, 2, "out", "stream", "running", ",\"size\":null");
    assert_int_equal(-1, psst_model_transfer(s.model, 1)->size);
    file(&s, 2, "out", "stream", "failed", ",\"reason\":\"the disk is full\"");
    file(&s, 3, "in", "voice", "waiting", ",\"asks\":false");
    file(&s, 3, "in", "voice", "done", ",\"seconds\":12,\"heard\":false");
    assert_int_equal(PSST_ARRIVAL_VOICE, s.kind);
    file(&s, 3, "in", "voice", "done", ",\"seconds\":12,\"heard\":true");
    assert_int_equal(2, s.arrivals);
    assert_true(psst_model_transfer(s.model, 2)->heard);
    assert_string_equal("file 1 is offered, 2.0 kB (/accept 1 or /decline 1): a b | file 1 is here: /x/a b | "
                        "stream 2 failed: the disk is full: a b | voice message, 12 s: /play 3",
                        scene_items(c));
    psst_conversation_close(c);
    scene_close(&s);
}

/* Until psstd has decided it is nobody's to answer; then it is an offer, told once. */
static void voice__not_taken_by_itself__is_an_offer(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s);
    struct psst_conversation *c = scene_talk(&s, "bob");
    file(&s, 1, "in", "voice", "waiting", ",\"asks\":false");
    assert_int_equal(0, s.arrivals);
    assert_false(psst_transfer_is_offer(psst_model_transfer(s.model, 0)));
    file(&s, 1, "in", "voice", "waiting", ",\"asks\":true");
    file(&s, 1, "in", "voice", "waiting", ",\"asks\":true");
    assert_int_equal(1, s.arrivals);
    assert_int_equal(PSST_ARRIVAL_OFFER, s.kind);
    assert_true(psst_transfer_is_offer(psst_model_transfer(s.model, 0)));
    assert_string_equal("voice message 1 is offered, 2.0 kB (/accept 1 or /decline 1): a b", scene_items(c));
    psst_conversation_close(c);
    scene_close(&s);
}

static void files__many__keeps_what_is_not_over(void **state)
{
    (void)state;
    struct scene s;
    scene_init(&s);
    scene_answer(
        &s, "files",
        "{\"files\":[{\"id\":1,\"contact\":\"bob\",\"direction\":\"in\",\"state\":\"waiting\",\"name\":\"x\"}]}");
    scene_begin(&s);
    assert_int_equal(0, s.arrivals);
    for (int i = 2; i < 100; i++) file(&s, i, "out", "file", "done", "");
    assert_int_equal(1 + 32, psst_model_transfers(s.model));
    assert_int_equal(1, psst_model_transfer(s.model, 0)->id);
    assert_int_equal(99, psst_model_transfer(s.model, 32)->id);
    assert_null(psst_model_transfer(s.model, 33));
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(call__goes_out__through_its_states),
        cmocka_unit_test(call__comes_in_and_is_missed__until_he_is_opened),
        cmocka_unit_test(call__several__shows_the_one_that_concerns_most),
        cmocka_unit_test(loading__a_call_runs_and_others_were_missed__is_known),
        cmocka_unit_test(file__offered_run_done__is_noted_at_its_turns),
        cmocka_unit_test(voice__not_taken_by_itself__is_an_offer),
        cmocka_unit_test(files__many__keeps_what_is_not_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
