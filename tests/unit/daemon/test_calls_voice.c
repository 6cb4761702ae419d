/* psstd's side of psst-voice, against a psst-voice that dies, hangs and lies (fake_voice.c): frames go on leaving, timestamps
 * go on rising, and what cannot go on is said once. */
#include "daemon/calls/voice_child.h"
#include "support/check.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define FIRST       123456u
#define PATIENCE_MS 20000 /* guards a hang, decides nothing */

struct bench {
    uv_loop_t loop;
    struct psst_log log;
    struct psst_voice_child *voice;
    int orders; /* what the processes are to do, one letter each */
    unsigned frames, empty, full_after, empty_between, starts, jumps, dones, readies, levels;
    uint8_t result;
    uint32_t next;
    char words[PSST_VOICE_WORDS_MAX + 1];
    unsigned want_frames, want_full_after, want_dones; /* until then */
    uv_timer_t guard;
    bool over;
};

static void no_sink(void *ctx, enum psst_log_level level, const char *line)
{
    (void)ctx;
    (void)level;
    (void)line;
}

static bool is_enough(const struct bench *b)
{
    return b->frames >= b->want_frames && b->full_after >= b->want_full_after && b->dones >= b->want_dones;
}

static void heard(void *ctx, const struct psst_voice_message *m)
{
    struct bench *b = ctx;
    if (m->op == PSST_VOICE_READY) b->readies++;
    if (m->op == PSST_VOICE_LEVELS) b->levels++;
    if (m->op == PSST_VOICE_DONE) {
        b->dones++;
        b->result = m->result;
        (void)snprintf(b->words, sizeof b->words, "%s", m->words);
    }
    if (m->op == PSST_VOICE_FRAME) {
        /* what is missing was left out, and nothing comes twice or backwards */
        if (m->timestamp - b->next > 100 * PSST_VOICE_FRAME_SAMPLES) b->jumps++;
        b->next = m->timestamp + PSST_VOICE_FRAME_SAMPLES;
        b->frames++;
        if (m->payload.len == 0) b->empty++;
        if (b->empty > 0 && m->payload.len > 0) b->full_after++;
        if (b->full_after > 0 && m->payload.len == 0) b->empty_between++;
        if (m->payload.len == 2) b->starts = m->payload.data[1];
    }
    if (is_enough(b)) uv_stop(&b->loop);
}

static void on_guard(uv_timer_t *timer)
{
    struct bench *b = timer->data;
    b->over = true;
    uv_stop(&b->loop);
}

static struct bench *begin(const char *program, const char *orders)
{
    struct bench *b = calloc(1, sizeof *b);
    assert_non_null(b);
    assert_int_equal(0, uv_loop_init(&b->loop));
    psst_log_init(&b->log, no_sink, NULL, PSST_LOG_ERROR);
    assert_int_equal(PSST_OK, psst_voice_child_new(&b->voice, &b->loop, program, &b->log));
    b->orders = memfd_create("orders", MFD_CLOEXEC);
    assert_true(b->orders >= 0);
    assert_int_equal(strlen(orders), write(b->orders, orders, strlen(orders)));
    assert_int_equal(0, lseek(b->orders, 0, SEEK_SET));
    assert_int_equal(0, uv_timer_init(&b->loop, &b->guard));
    b->guard.data = b;
    b->next = FIRST;
    return b;
}

static struct bench *begin_fake(const char *orders)
{
    const char *program = getenv("PSST_FAKE_VOICE");
    assert_non_null(program);
    return begin(program, orders);
}

static enum psst_err start(struct bench *b, enum psst_voice_job job, struct psst_diag *diag)
{
    struct psst_voice_work work = {.heard = heard, .ctx = b, .fds = {b->orders}, .n_fds = 1};
    work.start = (struct psst_voice_start){
        .job = job, .kinds = {PSST_AUDIO_WAV, PSST_AUDIO_NULL}, .opus_max = 80, .timestamp = FIRST, .limit_s = 5};
    if (job == PSST_VOICE_PLAY) work.start.kinds[0] = PSST_AUDIO_NONE;
    return psst_voice_child_start(b->voice, &work, diag);
}

/* Runs until all three are reached, each counted from the beginning. */
static void run_until(struct bench *b, unsigned frames, unsigned full_after, unsigned dones)
{
    b->want_frames = frames;
    b->want_full_after = full_after;
    b->want_dones = dones;
    (void)uv_timer_start(&b->guard, on_guard, PATIENCE_MS, 0);
    while (!is_enough(b) && !b->over) (void)uv_run(&b->loop, UV_RUN_DEFAULT);
    (void)uv_timer_stop(&b->guard);
    assert_false(b->over);
}

static void end(struct bench *b)
{
    b->want_frames = b->want_full_after = b->want_dones = UINT32_MAX;
    unsigned frames = b->frames, dones = b->dones;
    psst_voice_child_close(b->voice);
    uv_close((uv_handle_t *)&b->guard, NULL);
    assert_int_equal(0, uv_run(&b->loop, UV_RUN_DEFAULT)); /* also that every process has ended */
    assert_int_equal(0, uv_loop_close(&b->loop));
    assert_int_equal(frames, b->frames);
    assert_int_equal(dones, b->dones);
    psst_voice_child_free(b->voice);
    (void)close(b->orders);
    free(b);
}

static void call__frames_pass__good_process(void **state)
{
    (void)state;
    struct bench *b = begin_fake("g");
    assert_int_equal(PSST_OK, start(b, PSST_VOICE_CALL, NULL));
    assert_int_equal(PSST_VOICE_CALL, psst_voice_child_job(b->voice));
    run_until(b, 10, 0, 0);
    assert_int_equal(0, b->jumps);
    assert_int_equal(1, b->readies);
    end(b);
}

static void call__goes_on__process_that(void **state)
{
    static const char *const orders[] = {"dg", "hg", "ng", "xg", "dz", "dhng"};
    (void)state;
    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        struct bench *b = begin_fake(orders[i]);
        assert_int_equal(PSST_OK, start(b, PSST_VOICE_CALL, NULL));
        /* of the second process, after the empty ones: more than any that does not go on gives */
        run_until(b, 0, i == 5 ? 20 : 10, 0);
        assert_int_equal(0, b->jumps);
        assert_true(b->empty > 0);
        assert_int_equal(strlen(orders[i]) - 1, psst_voice_child_restarts(b->voice));
        assert_int_equal(0, b->dones);
        /* its timestamps are taken for what they are: nothing of it is dropped */
        if (i < 5) assert_true(b->empty_between < 50);
        end(b);
    }
}

static void call__empty_frames_and_one_word__never_a_good_process(void **state)
{
    (void)state;
    struct bench *b = begin_fake("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
    assert_int_equal(PSST_OK, start(b, PSST_VOICE_CALL, NULL));
    run_until(b, 0, 0, 1);
    assert_non_null(strstr(b->words, "again and again"));
    unsigned before = b->frames;
    run_until(b, before + 30, 0, 0);
    assert_int_equal(1, b->dones);
    assert_true(psst_voice_child_restarts(b->voice) <= PSST_VOICE_STARTS);
    assert_int_equal(b->frames, b->empty);
    assert_int_equal(0, b->jumps);
    end(b);
}

static void call__empty_frames_and_its_words__process_that_cannot(void **state)
{
    (void)state;
    struct bench *b = begin_fake("bg");
    assert_int_equal(PSST_OK, start(b, PSST_VOICE_CALL, NULL));
    run_until(b, 0, 0, 1);
    assert_int_equal(2, b->result);
    assert_string_equal("fake", b->words);
    run_until(b, b->frames + 10, 0, 0);
    assert_int_equal(b->frames, b->empty); /* what it was given is no better for another */
    assert_int_equal(1, b->dones);
    end(b);
}

static void call__goes_on_without_what_is_late__process_that_pauses(void **state)
{
    (void)state;
    struct bench *b = begin_fake("p");
    assert_int_equal(PSST_OK, start(b, PSST_VOICE_CALL, NULL));
    run_until(b, 0, 10, 0);
    assert_int_equal(0, b->jumps); /* nor does anything come twice or backwards */
    end(b);
}

static void call__frames_keep_to_their_rhythm__process_that_floods(void **state)
{
    (void)state;
    struct bench *b = begin_fake("f");
    assert_int_equal(PSST_OK, start(b, PSST_VOICE_CALL, NULL));
    uint64_t began_ns = uv_hrtime();
    run_until(b, 100, 0, 0);
    assert_true(uv_hrtime() - began_ns > 500000000); /* slower is always possible, faster never */
    end(b);
}

static void call__goes_on_with_another__process_that_says_too_much(void **state)
{
    (void)state;
    struct bench *b = begin_fake("wg");
    assert_int_equal(PSST_OK, start(b, PSST_VOICE_CALL, NULL));
    run_until(b, 0, 10, 0);
    assert_int_equal(1, psst_voice_child_restarts(b->voice));
    assert_in_range(b->levels, 1, 600);
    end(b);
}

static void call__empty_frames__no_program(void **state)
{
    struct psst_diag diag = {{0}};
    (void)state;
    struct bench *b = begin("", "");
    assert_false(psst_voice_child_exists(b->voice));
    assert_int_equal(PSST_ERR_IO, start(b, PSST_VOICE_CALL, &diag));
    assert_non_null(strstr(diag.text, "is missing"));
    run_until(b, 10, 0, 0);
    assert_int_equal(b->frames, b->empty);
    end(b);
}

static void call__what_comes_is_handed_over__and_comes_back(void **state)
{
    (void)state;
    struct bench *b = begin_fake("e");
    assert_int_equal(PSST_OK, start(b, PSST_VOICE_CALL, NULL));
    for (unsigned i = 0; i < 20; i++) /* before it is ready they lie in the socket */
        assert_true(psst_voice_child_frame(b->voice, FIRST + i * PSST_VOICE_FRAME_SAMPLES,
                                           psst_view((const uint8_t *)"echo", 4), 1));
    run_until(b, 20, 0, 0);
    assert_int_equal(0, b->empty);
    assert_int_equal(0, b->jumps);
    end(b);
}

static void other_job__is_done__when_its_process_ends(void **state)
{
    (void)state;
    struct bench *b = begin_fake("d");
    assert_int_equal(PSST_OK, start(b, PSST_VOICE_RECORD, NULL));
    run_until(b, 0, 0, 1);
    assert_int_equal(PSST_VOICE_RESULT_LOST, b->result);
    assert_int_equal(0, psst_voice_child_job(b->voice));
    assert_int_equal(0, b->frames); /* those are a call's */
    end(b);
}

static void other_job__hears_done__after_stop(void **state)
{
    (void)state;
    struct bench *b = begin_fake("s");
    assert_int_equal(PSST_OK, start(b, PSST_VOICE_RECORD, NULL));
    psst_voice_child_stop(b->voice);
    psst_voice_child_stop(b->voice);
    run_until(b, 0, 0, 1);
    assert_int_equal(0, b->result);
    assert_string_equal("fake", b->words);
    end(b);
}

static void other_job__hears_why__when_interrupted(void **state)
{
    (void)state;
    struct bench *b = begin_fake("ss");
    assert_int_equal(PSST_OK, start(b, PSST_VOICE_RECORD, NULL));
    psst_voice_child_interrupt(b->voice, "a call");
    assert_int_equal(1, b->dones);
    assert_string_equal("a call", b->words);
    assert_int_equal(PSST_OK, start(b, PSST_VOICE_RECORD, NULL)); /* and another can begin at once */
    psst_voice_child_stop(b->voice);
    run_until(b, 0, 0, 2);
    assert_int_equal(0, b->result);
    end(b);
}

static void ring__is_the_same_process__when_the_call_begins(void **state)
{
    (void)state;
    struct bench *b = begin_fake("ssg");
    psst_voice_child_warm(b->voice);
    assert_int_equal(0, psst_voice_child_job(b->voice));
    assert_int_equal(PSST_OK, start(b, PSST_VOICE_RING, NULL));
    assert_int_equal(PSST_OK, start(b, PSST_VOICE_RINGBACK, NULL));
    assert_int_equal(PSST_OK, start(b, PSST_VOICE_CALL, NULL));
    run_until(b, 10, 0, 0);
    assert_int_equal(0, b->jumps);
    assert_int_equal(0, b->dones);
    assert_int_equal(3, b->starts); /* of one process */
    end(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(call__frames_pass__good_process),
        cmocka_unit_test(call__goes_on__process_that),
        cmocka_unit_test(call__empty_frames_and_one_word__never_a_good_process),
        cmocka_unit_test(call__empty_frames_and_its_words__process_that_cannot),
        cmocka_unit_test(call__goes_on_without_what_is_late__process_that_pauses),
        cmocka_unit_test(call__frames_keep_to_their_rhythm__process_that_floods),
        cmocka_unit_test(call__goes_on_with_another__process_that_says_too_much),
        cmocka_unit_test(call__empty_frames__no_program),
        cmocka_unit_test(call__what_comes_is_handed_over__and_comes_back),
        cmocka_unit_test(other_job__is_done__when_its_process_ends),
        cmocka_unit_test(other_job__hears_done__after_stop),
        cmocka_unit_test(other_job__hears_why__when_interrupted),
        cmocka_unit_test(ring__is_the_same_process__when_the_call_begins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
