/* The one call of a user, state by state: what the link, psst-voice, the store and the user interfaces are told (calls_world.h). */
#include "calls_world.h"
#include "support/check.h"

#include <stdio.h>

static void on_answer(void *ctx, int exit_code, const char *name, const char *words, json_t *result)
{
    (void)ctx;
    (void)name;
    w.answers++;
    w.last_exit = exit_code;
    (void)snprintf(w.answer, sizeof w.answer, "%s",
                   exit_code != 0 ? words : json_string_value(json_object_get(result, "state")));
    json_decref(result);
}

static const struct psst_call_ends devices = {-1, -1};

static void call(struct psst_calls *calls, struct psst_contact *contact)
{
    psst_calls_call(calls, contact, devices, 1, on_answer, NULL);
}

/* The link says something of the call; state: what it is in afterwards. */
static void said(struct psst_calls *calls, size_t conn, enum psst_call_state state, struct psst_call_chunk chunk)
{
    const struct psst_event ev = {.type = PSST_EV_CALL, .call = chunk};
    w.conns[conn].state = state;
    psst_calls_event(calls, &w.conns[conn], &ev);
}

static void kind(struct psst_calls *calls, size_t conn, enum psst_call_state state, enum psst_call_kind which,
                 uint8_t reason)
{
    said(calls, conn, state, (struct psst_call_chunk){.kind = (uint8_t)which, .reason = reason});
}

static void offered(struct psst_calls *calls, size_t conn)
{
    kind(calls, conn, PSST_CALL_RINGING_HERE, PSST_CALL_KIND_OFFER, 0);
}

/* To each state, from nothing. */
static void go_calling(struct psst_calls *calls)
{
    w.bob.session = &w.conns[0];
    call(calls, &w.bob);
    assert_noted("offer/87 begin/out/7 <calling> warm");
    assert_string_equal("calling", w.answer);
}

static void go_ringing(struct psst_calls *calls)
{
    go_calling(calls);
    kind(calls, 0, PSST_CALL_RINGING_THERE, PSST_CALL_KIND_RING, 0);
    assert_noted("<ringing> RINGBACK");
}

static void go_offered(struct psst_calls *calls)
{
    offered(calls, 0);
    assert_noted("ring begin/in/7 <offered> RING");
}

static void go_active(struct psst_calls *calls)
{
    go_ringing(calls);
    kind(calls, 0, PSST_CALL_ACTIVE, PSST_CALL_KIND_ACCEPT, 0);
    assert_noted("answered/7 udp+ <active> CALL");
}

/* ---- out ---- */

static void call__is_talked__answered_over_there(void **state)
{
    go_active(*state);
    assert_int_equal(100, w.work.start.opus_max);
    assert_true(w.work.start.settings.send && w.work.start.settings.receive);
    assert_int_equal(PSST_OK, psst_calls_hangup(*state, NULL, NULL));
    assert_noted("hangup/1 udp- drop ended/7/ended <ended:ended>");
    assert_int_equal(1, w.answers);
}

static void call__dials_first__no_session(void **state)
{
    call(*state, &w.bob);
    assert_noted("dial");
    w.bob.session = &w.conns[0];
    w.dialled(w.dialled_ctx, 0, NULL, NULL);
    assert_noted("offer/87 begin/out/7 <calling> warm");
    assert_int_equal(0, w.last_exit);
}

static void call__leaves_nothing__not_reached(void **state)
{
    call(*state, &w.bob);
    w.dialled(w.dialled_ctx, PSST_EXIT_REFUSED, "no", NULL);
    assert_noted("dial");
    assert_int_equal(PSST_EXIT_REFUSED, w.last_exit);
    call(*state, &w.bob); /* and another may be made */
    assert_noted("dial");
    w.dialled(w.dialled_ctx, 0, NULL, NULL); /* the session went as it came */
    assert_noted("");
    assert_int_equal(PSST_EXIT_UNREACHABLE, w.last_exit);
}

static void call__is_not_offered__hung_up_while_dialling(void **state)
{
    call(*state, &w.bob);
    assert_int_equal(PSST_OK, psst_calls_hangup(*state, &w.bob, NULL));
    assert_int_equal(1, w.answers);
    assert_int_equal(PSST_EXIT_FAILED, w.last_exit);
    w.bob.session = &w.conns[0];
    w.dialled(w.dialled_ctx, 0, NULL, NULL);
    assert_noted("dial");
    assert_int_equal(1, w.answers);
}

static void call__is_talked_at_once__he_calls_while_we_dial(void **state)
{
    call(*state, &w.bob);
    offered(*state, 0);
    assert_noted("dial");
    w.bob.session = &w.conns[0];
    w.dialled(w.dialled_ctx, 0, NULL, NULL);
    assert_noted("accept begin/out/7 answered/7 udp+ <active> CALL");
}

static void call__is_talked__both_have_offered(void **state)
{
    go_calling(*state);
    kind(*state, 0, PSST_CALL_ACTIVE, PSST_CALL_KIND_ACCEPT, 0);
    assert_noted("answered/7 udp+ <active> CALL");
}

static void call__is_told_why__it_comes_to_nothing(void **state)
{
    static const struct {
        bool rung, by_us;
        enum psst_call_kind kind;
        uint8_t reason;
        const char *noted;
    } cases[] = {
        {true, false, PSST_CALL_KIND_DECLINE, PSST_CALL_DECLINED, "drop ended/7/declined <ended:declined>"},
        {true, false, PSST_CALL_KIND_DECLINE, 99, "drop ended/7/declined <ended:declined>"},
        {false, false, PSST_CALL_KIND_DECLINE, PSST_CALL_BUSY, "ended/7/busy <ended:busy>"},
        {false, false, PSST_CALL_KIND_DECLINE, PSST_CALL_NO_VOICE, "ended/7/no-voice <ended:no-voice>"},
        {false, true, PSST_CALL_KIND_HANGUP, PSST_CALL_FAILED, "ended/7/no-voice <ended:no-voice>"},
        {true, true, PSST_CALL_KIND_HANGUP, PSST_CALL_UNANSWERED, "drop ended/7/unanswered <ended:unanswered>"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (cases[i].rung)
            go_ringing(*state);
        else
            go_calling(*state);
        said(*state, 0, PSST_CALL_NONE,
             (struct psst_call_chunk){
                 .kind = (uint8_t)cases[i].kind, .reason = cases[i].reason, .by_us = cases[i].by_us});
        assert_noted(cases[i].noted);
        assert_int_equal(0, calls_world_teardown(state) | calls_world_setup(state));
    }
}

static void call__ends_as_failed__link_refuses(void **state)
{
    w.bob.session = &w.conns[0];
    w.no_link = true;
    call(*state, &w.bob);
    assert_int_equal(PSST_EXIT_FAILED, w.last_exit);
    assert_null(strstr(w.trace, "begin"));
    assert_int_equal(json_is_null(psst_calls_call_json(*state)), 1);
}

static void call__is_refused__another_is_under_way(void **state)
{
    go_offered(*state);
    call(*state, &w.carol);
    assert_int_equal(PSST_EXIT_USAGE, w.last_exit);
    assert_string_equal("a call is under way", w.answer);
    assert_noted("");
    call(*state, &w.bob); /* but he who rings is answered so */
    assert_int_equal(0, w.last_exit);
    assert_noted("accept answered/7 udp+ <active> CALL");
}

static void call__is_refused__no_psst_voice_or_one_that_records(void **state)
{
    w.bob.session = &w.conns[0];
    w.no_voice = true;
    call(*state, &w.bob);
    assert_int_equal(PSST_EXIT_FAILED, w.last_exit);
    w.no_voice = false;
    w.job = PSST_VOICE_RECORD;
    call(*state, &w.bob);
    assert_int_equal(PSST_EXIT_USAGE, w.last_exit);
    assert_noted("");
    w.job = 0;
}

/* ---- in ---- */

static void offer__is_talked__answered_here(void **state)
{
    go_offered(*state);
    assert_int_equal(PSST_AUDIO_NONE, w.work.start.kinds[PSST_AUDIO_MICROPHONE]); /* a tone opens no microphone */
    assert_int_equal(PSST_ERR_USAGE, psst_calls_answer(*state, &w.carol, devices, 2, NULL));
    assert_noted("");
    assert_int_equal(PSST_OK, psst_calls_answer(*state, NULL, devices, 2, NULL));
    assert_noted("accept answered/7 udp+ <active> CALL");
    assert_int_equal(PSST_AUDIO_PULSE, w.work.start.kinds[PSST_AUDIO_MICROPHONE]);
    assert_int_equal(PSST_ERR_USAGE, psst_calls_answer(*state, NULL, devices, 2, NULL));
    assert_int_equal(PSST_ERR_USAGE, psst_calls_decline(*state, &w.bob, NULL));
    assert_noted("");
    kind(*state, 0, PSST_CALL_NONE, PSST_CALL_KIND_HANGUP, PSST_CALL_HUNG_UP);
    assert_noted("udp- drop ended/7/ended <ended:ended>");
}

/* Which of them is gone is all that counts: 1 calls here, 2 answers. */
static void call__is_hung_up__its_user_interface_is_gone(void **state)
{
    go_offered(*state);
    psst_calls_client_gone(*state, 2); /* rings here: it is nobody's yet */
    assert_noted("");
    assert_int_equal(PSST_OK, psst_calls_answer(*state, NULL, devices, 2, NULL));
    assert_noted("accept answered/7 udp+ <active> CALL");
    psst_calls_client_gone(*state, 1);
    assert_noted("");
    psst_calls_client_gone(*state, 2);
    assert_noted("hangup/1 udp- drop ended/7/ended <ended:ended>");
}

static void offer__is_missed__given_up_over_there(void **state)
{
    go_offered(*state);
    kind(*state, 0, PSST_CALL_NONE, PSST_CALL_KIND_HANGUP, PSST_CALL_HUNG_UP);
    assert_noted("drop ended/7/missed <ended:missed>");
    assert_int_equal(PSST_ERR_USAGE, psst_calls_answer(*state, NULL, devices, 2, NULL));
    assert_noted("");
}

static void offer__is_declined__by_the_user(void **state)
{
    go_offered(*state);
    assert_int_equal(PSST_OK, psst_calls_hangup(*state, NULL, NULL)); /* as `decline` */
    assert_noted("decline/1 drop ended/7/declined <ended:declined>");
}

static void offer__is_turned_down_and_noted__when(void **state)
{
    w.bob.paused = true;
    offered(*state, 0);
    assert_noted("decline/2 begin/in/7 ended/7/missed <ended:missed/quiet>");
    w.bob.paused = false;
    w.no_voice = true;
    offered(*state, 0);
    assert_noted("decline/3 begin/in/8 ended/8/missed <ended:missed/quiet>");
    w.no_voice = false;
    offered(*state, 0);
    assert_noted("ring begin/in/9 <offered> RING");
    offered(*state, 1);
    assert_noted("decline/2 begin/in/10 ended/10/missed <ended:missed/quiet>");
    assert_int_equal(PSST_OK, psst_calls_answer(*state, NULL, devices, 2, NULL));
    assert_noted("accept answered/9 udp+ <active> CALL");
    offered(*state, 1);
    assert_noted("decline/2 begin/in/11 ended/11/missed <ended:missed/quiet>");
    /* what that other session says of calls changes nothing in this one */
    kind(*state, 1, PSST_CALL_NONE, PSST_CALL_KIND_HANGUP, PSST_CALL_HUNG_UP);
    assert_noted("");
}

static void offer__rings_without_a_tone__not_to_be_disturbed(void **state)
{
    w.busy = true;
    offered(*state, 0);
    assert_noted("ring begin/in/7 <offered/quiet> warm");
}

static void offer__leaves_a_recording_alone__until_it_is_answered(void **state)
{
    w.job = PSST_VOICE_RECORD;
    offered(*state, 0);
    assert_noted("ring begin/in/7 <offered>");
    assert_int_equal(PSST_OK, psst_calls_answer(*state, NULL, devices, 2, NULL));
    assert_noted("accept answered/7 udp+ <active> interrupt CALL");
}

static void offer__starts_no_process__gone_at_once(void **state)
{
    offered(*state, 0);
    kind(*state, 0, PSST_CALL_NONE, PSST_CALL_KIND_HANGUP, PSST_CALL_HUNG_UP);
    assert_noted("ring begin/in/7 <offered> ended/7/missed <ended:missed>");
}

/* ---- the session ends ---- */

static void session__ends_the_call__in_each_state(void **state)
{
    static const struct {
        void (*go)(struct psst_calls *calls);
        const char *cut, *ours; /* the line broke; we end the session ourselves */
    } cases[] = {
        {go_calling, "ended/7/cut off <ended:cut off>", "hangup/1 ended/7/unanswered <ended:unanswered>"},
        {go_ringing, "drop ended/7/cut off <ended:cut off>", "hangup/1 drop ended/7/unanswered <ended:unanswered>"},
        {go_offered, "drop ended/7/missed <ended:missed>", "drop ended/7/missed <ended:missed>"},
        {go_active, "udp- drop ended/7/cut off <ended:cut off>", "hangup/1 udp- drop ended/7/ended <ended:ended>"},
    };
    for (size_t i = 0; i < 2 * sizeof cases / sizeof cases[0]; i++) {
        cases[i / 2].go(*state);
        psst_calls_detached(*state, &w.conns[1], NULL, "another"); /* means nothing */
        assert_noted("");
        w.conns[0].gone = i % 2 == 0;
        psst_calls_detached(*state, &w.conns[0], NULL, "gone");
        assert_noted(i % 2 == 0 ? cases[i / 2].cut : cases[i / 2].ours);
        psst_calls_detached(*state, &w.conns[0], NULL, "gone");
        assert_noted("");
        assert_int_equal(0, calls_world_teardown(state) | calls_world_setup(state));
    }
}

static void session__gives_its_unanswered_call_to_the_next__but_no_other(void **state)
{
    struct psst_conn *next = &w.conns[1];
    next->contact = &w.bob; /* both have dialled: two sessions, of which one stays */
    go_ringing(*state);
    psst_calls_detached(*state, &w.conns[0], next, "replaced");
    assert_noted("offer/87 <calling> drop warm");
    kind(*state, 0, PSST_CALL_NONE, PSST_CALL_KIND_HANGUP, PSST_CALL_HUNG_UP); /* of the one before */
    kind(*state, 1, PSST_CALL_ACTIVE, PSST_CALL_KIND_ACCEPT, 0);
    assert_noted("answered/7 udp+ <active> CALL");
    w.conns[0].state = PSST_CALL_NONE;
    psst_calls_detached(*state, next, &w.conns[0], "replaced");
    assert_noted("hangup/1 udp- drop ended/7/ended <ended:ended>");
    assert_int_equal(0, calls_world_teardown(state) | calls_world_setup(state));
    go_calling(*state);
    w.conns[1].state = PSST_CALL_RINGING_HERE; /* he has called over that one */
    psst_calls_detached(*state, &w.conns[0], &w.conns[1], "replaced");
    assert_noted("accept answered/7 udp+ <active> CALL");
    assert_int_equal(0, calls_world_teardown(state) | calls_world_setup(state));
    w.conns[1].contact = &w.bob;
    go_calling(*state);
    w.bob.session = &w.conns[1]; /* a newer one is used since, and his side closes the one that we called over */
    w.conns[0].gone = true;
    psst_calls_detached(*state, &w.conns[0], NULL, "a newer session took the place of this one");
    assert_noted("offer/87 <calling> warm");
}

/* Both have called, each over the session that was his newest: it is one call, over the one that stays. */
static void offer__over_another_session__while_we_call__is_one_call(void **state)
{
    w.conns[1].contact = &w.bob;
    go_ringing(*state);
    w.bob.session = &w.conns[1]; /* his newer one: that is where his side goes on */
    offered(*state, 1);
    assert_noted("hangup/1 accept answered/7 udp+ <active> CALL");
    psst_calls_detached(*state, &w.conns[0], &w.conns[1], "replaced"); /* the bye of the other comes later */
    kind(*state, 0, PSST_CALL_NONE, PSST_CALL_KIND_HANGUP, PSST_CALL_HUNG_UP);
    assert_noted("");
    assert_int_equal(0, calls_world_teardown(state) | calls_world_setup(state));

    w.conns[1].contact = &w.bob;
    go_calling(*state);
    offered(*state, 1); /* his older one: he hears of the newer only now, and one of the two gives way */
    assert_noted("");
    psst_calls_detached(*state, &w.conns[0], &w.conns[1], "both have called; the other session stays");
    assert_noted("accept answered/7 udp+ <active> CALL");
    assert_int_equal(0, calls_world_teardown(state) | calls_world_setup(state));

    w.conns[1].contact = &w.bob;
    go_calling(*state);
    offered(*state, 1);
    assert_int_equal(PSST_OK,
                     psst_calls_hangup(*state, NULL, NULL)); /* neither gave way: his is not left without an answer */
    assert_noted(
        "hangup/1 ended/7/unanswered <ended:unanswered> decline/2 begin/in/8 ended/8/missed <ended:missed/quiet>");
}

/* A call of ours over one session, and his offer over another that may give way. */
static void offered_while_active_and_unsure(struct psst_calls *calls)
{
    w.conns[1].contact = &w.bob;
    w.unsure = true;
    go_active(calls);
    w.bob.session = &w.conns[1];
    offered(calls, 1);
}

/* Both sessions came about at once, and his side says which of them stays: until then nothing of what was said is taken back. */
static void offer__over_a_session_that_may_give_way__moves_nothing(void **state)
{
    w.conns[1].contact = &w.bob;
    w.unsure = true;
    go_calling(*state);
    w.bob.session = &w.conns[1];
    offered(*state, 1);
    assert_noted("");
    w.conns[0].state = PSST_CALL_ACTIVE;
    kind(*state, 0, PSST_CALL_ACTIVE, PSST_CALL_KIND_OFFER, 0);
    assert_noted("answered/7 udp+ <active> CALL");
    offered(*state, 1);
    assert_noted("");
    psst_calls_detached(*state, &w.conns[1], &w.conns[0], "both have called; the other session stays");
    assert_noted("");
    assert_true(psst_calls_talks(*state, &w.conns[0]));
    assert_int_equal(0, calls_world_teardown(state) | calls_world_setup(state));

    offered_while_active_and_unsure(*state);
    assert_noted("");
    psst_calls_detached(*state, &w.conns[0], &w.conns[1], "replaced"); /* that was the one */
    assert_noted("accept udp+ <active> CALL");
    assert_true(psst_calls_talks(*state, &w.conns[1]));
    assert_int_equal(0, calls_world_teardown(state) | calls_world_setup(state));

    offered_while_active_and_unsure(*state);
    kind(*state, 1, PSST_CALL_NONE, PSST_CALL_KIND_HANGUP, PSST_CALL_HUNG_UP);
    assert_noted("");
    psst_calls_detached(*state, &w.conns[0], &w.conns[1],
                        "cut off"); /* he calls no more: no new call of ours comes of that */
    assert_noted("hangup/1 udp- drop ended/7/ended <ended:ended>");
}

/* What we took for his answer was his call over a session that his side has given up since. */
static void offer__over_a_newer_session__moves_a_call_of_ours__and_what_rings(void **state)
{
    w.conns[1].contact = &w.bob;
    go_active(*state);
    offered(*state, 1);
    assert_noted(
        "decline/2 begin/in/8 ended/8/missed <ended:missed/quiet>"); /* not the newest: another program of his */
    w.bob.session = &w.conns[1];
    offered(*state, 1);
    assert_noted("hangup/1 accept udp+ <active> CALL");
    assert_true(psst_calls_talks(*state, &w.conns[1]));
    assert_int_equal(0, calls_world_teardown(state) | calls_world_setup(state));

    w.conns[1].contact = &w.bob;
    go_offered(*state);
    w.bob.session = &w.conns[1];
    offered(*state, 1);
    assert_noted("ring");
    psst_calls_detached(*state, &w.conns[0], &w.conns[1], "replaced");
    assert_noted("");
    assert_int_equal(PSST_OK, psst_calls_answer(*state, NULL, devices, 2, NULL));
    assert_noted("accept answered/7 udp+ <active> CALL");
    assert_int_equal(PSST_CALL_ACTIVE, w.conns[1].state);
    /* he whom the user answered calls once more: that is for the user to say */
    w.conns[0].state = PSST_CALL_NONE;
    w.bob.session = &w.conns[0];
    offered(*state, 0);
    assert_noted("decline/2 begin/in/8 ended/8/missed <ended:missed/quiet>");
}

static void locking__ends_all(void **state)
{
    go_active(*state);
    psst_calls_unloaded(*state);
    assert_noted("udp- drop ended/7/cut off <ended:cut off>");
    call(*state, &w.bob); /* no number is known for it */
    assert_int_equal(PSST_EXIT_FAILED, w.last_exit);
    offered(*state, 0);
    assert_noted("decline/2"); /* and none can be noted */
}

/* ---- while they talk ---- */

static void talk__frames_pass__both_ways(void **state)
{
    const struct psst_event in = {.type = PSST_EV_VOICE, .voice = {.timestamp_samples = 5}};
    psst_calls_event(*state, &w.conns[0], &in);
    assert_noted(""); /* nobody talks */
    go_offered(*state);
    w.heard(w.heard_ctx, &(struct psst_voice_message){.op = PSST_VOICE_FRAME, .timestamp = 1});
    psst_calls_event(*state, &w.conns[0], &in);
    assert_noted(""); /* nor while it rings */
    assert_int_equal(PSST_OK, psst_calls_answer(*state, NULL, devices, 2, NULL));
    assert_noted("accept answered/7 udp+ <active> CALL");
    psst_calls_event(*state, &w.conns[0], &in);
    psst_calls_event(*state, &w.conns[1], &in);
    size_t kicks = w.kicks;
    w.heard(w.heard_ctx, &(struct psst_voice_message){.op = PSST_VOICE_FRAME,
                                                      .timestamp = 960,
                                                      .payload = psst_view((const uint8_t *)"opus", 4)});
    assert_noted("heard/5 frame/960 udp/4");
    assert_true(w.kicks > kicks); /* what goes by TCP */
    assert_true(psst_calls_talks(*state, &w.conns[0]));
    assert_false(psst_calls_talks(*state, &w.conns[1]));
}

static void talk__is_told__reports_levels_silence_devices(void **state)
{
    go_active(*state);
    said(*state, 0, PSST_CALL_ACTIVE, (struct psst_call_chunk){.kind = PSST_CALL_KIND_REPORT, .loss_256 = 9});
    said(*state, 0, PSST_CALL_ACTIVE, (struct psst_call_chunk){.kind = PSST_CALL_KIND_SILENCE, .silent = true});
    said(*state, 0, PSST_CALL_ACTIVE, (struct psst_call_chunk){.kind = PSST_CALL_KIND_RECEIVING});
    w.heard(w.heard_ctx, &(struct psst_voice_message){.op = PSST_VOICE_LEVELS});
    w.heard(w.heard_ctx, &(struct psst_voice_message){.op = PSST_VOICE_REPORT, .report = {.loss_256 = 3}});
    w.heard(w.heard_ctx, &(struct psst_voice_message){.op = PSST_VOICE_DEVICE, .words = "no microphone"});
    assert_noted("remote/9 <active> <active> <voice> report/3 <active>");
    json_t *voice = psst_calls_voice_json(*state);
    assert_true(json_is_true(json_object_get(json_object_get(voice, "call"), "silent")));
    assert_true(json_is_false(json_object_get(json_object_get(voice, "call"), "peer_receiving")));
    assert_true(json_is_false(json_object_get(voice, "microphone_works")));
    assert_string_equal("no microphone", json_string_value(json_object_get(voice, "words")));
    json_decref(voice);
}

static void talk__goes_on__psst_voice_is_lost__and_ends__wav_is_none(void **state)
{
    go_active(*state);
    w.heard(w.heard_ctx,
            &(struct psst_voice_message){.op = PSST_VOICE_DONE, .result = PSST_VOICE_RESULT_LOST, .words = "lost"});
    assert_noted("<active>");
    w.heard(w.heard_ctx, &(struct psst_voice_message){.op = PSST_VOICE_DONE, .result = 1, .words = "no wav"});
    assert_noted("hangup/3 udp- drop ended/7/failed <ended:failed>");
}

/* Descriptors have run out: psst-voice gets no job, and a call without one would stand there, deaf and dumb. */
static void talk__ends_with_a_sentence__no_job_can_be_had(void **state)
{
    go_ringing(*state);
    w.no_files = true;
    kind(*state, 0, PSST_CALL_ACTIVE, PSST_CALL_KIND_ACCEPT, 0);
    assert_noted("answered/7 udp+ <active> hangup/3 udp- ended/7/failed <ended:failed>");
    w.no_files = false;
    assert_int_equal(0, calls_world_teardown(state) | calls_world_setup(state));
    go_active(*state);
    w.no_files = true;
    psst_calls_settings_changed(*state, true); /* other devices */
    assert_noted("hangup/3 udp- ended/7/failed <ended:failed>");
}

static void talk__microphone_goes_out__when_send_or_ptt(void **state)
{
    bool yes = true, no = false;
    assert_int_equal(PSST_ERR_USAGE, psst_calls_switch(*state, &no, NULL, NULL, NULL));
    w.push_to_talk = "yes";
    w.quality = "10"; /* of the caller's frames */
    w.bob.session = &w.conns[0];
    call(*state, &w.bob);
    kind(*state, 0, PSST_CALL_ACTIVE, PSST_CALL_KIND_ACCEPT, 0);
    assert_noted("offer/247 begin/out/7 <calling> answered/7 udp+ <active> CALL");
    assert_false(w.work.start.settings.send);
    assert_int_equal(PSST_OK, psst_calls_switch(*state, NULL, NULL, &yes, NULL));
    assert_int_equal(PSST_OK, psst_calls_switch(*state, NULL, NULL, &no, NULL));
    assert_int_equal(PSST_OK, psst_calls_switch(*state, &yes, &no, NULL, NULL));
    assert_int_equal(PSST_OK, psst_calls_switch(*state, NULL, &no, NULL, NULL));
    assert_noted("set/11 set/01 receiving/0 set/10 set/10");
}

static void setting__is_followed__by_a_call_that_runs(void **state)
{
    psst_calls_settings_changed(*state, true);
    assert_noted("");
    go_active(*state);
    w.heard(w.heard_ctx, &(struct psst_voice_message){.op = PSST_VOICE_FRAME, .timestamp = 9600});
    psst_calls_settings_changed(*state, false);
    psst_calls_settings_changed(*state, true); /* another device: begun anew, timestamps go on */
    assert_noted("frame/9600 set/11 CALL");
    assert_int_equal(10560, w.work.start.timestamp);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, calls_world_setup, calls_world_teardown)
    const struct CMUnitTest tests[] = {
        T(call__is_talked__answered_over_there),
        T(call__dials_first__no_session),
        T(call__leaves_nothing__not_reached),
        T(call__is_not_offered__hung_up_while_dialling),
        T(call__is_talked_at_once__he_calls_while_we_dial),
        T(call__is_talked__both_have_offered),
        T(call__is_told_why__it_comes_to_nothing),
        T(call__ends_as_failed__link_refuses),
        T(call__is_refused__another_is_under_way),
        T(call__is_refused__no_psst_voice_or_one_that_records),
        T(offer__is_talked__answered_here),
        T(call__is_hung_up__its_user_interface_is_gone),
        T(offer__is_missed__given_up_over_there),
        T(offer__is_declined__by_the_user),
        T(offer__is_turned_down_and_noted__when),
        T(offer__rings_without_a_tone__not_to_be_disturbed),
        T(offer__leaves_a_recording_alone__until_it_is_answered),
        T(offer__starts_no_process__gone_at_once),
        T(session__ends_the_call__in_each_state),
        T(session__gives_its_unanswered_call_to_the_next__but_no_other),
        T(offer__over_another_session__while_we_call__is_one_call),
        T(offer__over_a_session_that_may_give_way__moves_nothing),
        T(offer__over_a_newer_session__moves_a_call_of_ours__and_what_rings),
        T(locking__ends_all),
        T(talk__frames_pass__both_ways),
        T(talk__is_told__reports_levels_silence_devices),
        T(talk__goes_on__psst_voice_is_lost__and_ends__wav_is_none),
        T(talk__ends_with_a_sentence__no_job_can_be_had),
        T(talk__microphone_goes_out__when_send_or_ptt),
        T(setting__is_followed__by_a_call_that_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
