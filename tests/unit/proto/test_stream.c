/* The two byte streams of a link: what is copied and what is not, and when memory is given back. */
#include "proto/stream.h"

#include "support/check.h"
#include "support/det_rng.h"

static uint8_t scratch[4096];
static const struct psst_span whole_scratch = {scratch, sizeof scratch};

/* Reads len bytes of a running pattern into where the input wants them. */
static struct psst_span put_in(struct psst_input *in, size_t len, size_t expect, uint8_t *pattern)
{
    struct psst_span space;
    assert_int_equal(psst_input_space(in, whole_scratch, expect, &space), PSST_OK);
    assert_true(space.len >= len);
    for (size_t i = 0; i < len; i++) space.data[i] = (*pattern)++;
    assert_int_equal(psst_input_received(in, space.data, len), PSST_OK);
    return space;
}

static void input__whole_in_scratch__is_not_copied(void **state)
{
    (void)state;
    struct psst_input in;
    uint8_t pattern = 0;
    psst_input_init(&in);
    assert_ptr_equal(put_in(&in, 100, 0, &pattern).data, scratch);
    struct psst_span waiting = psst_input_waiting(&in);
    assert_ptr_equal(waiting.data, scratch);
    assert_int_equal(waiting.len, 100);
    psst_input_take(&in, 100);
    assert_int_equal(psst_input_settle(&in, 0), PSST_OK);
    assert_null(in.own.data);
    psst_input_fini(&in);
}

static void input__rest__is_copied_and_read_on_behind(void **state)
{
    (void)state;
    struct psst_input in;
    uint8_t pattern = 0;
    psst_input_init(&in);
    (void)put_in(&in, 100, 0, &pattern);
    psst_input_take(&in, 30);
    assert_int_equal(psst_input_settle(&in, 0), PSST_OK);
    memset(scratch, 0xee, sizeof scratch);
    assert_ptr_not_equal(put_in(&in, 50, 0, &pattern).data, scratch);
    struct psst_span waiting = psst_input_waiting(&in);
    assert_int_equal(waiting.len, 120);
    for (size_t i = 0; i < waiting.len; i++) assert_int_equal(waiting.data[i], 30 + i);
    psst_input_take(&in, 120);
    assert_int_equal(psst_input_settle(&in, 0), PSST_OK);
    assert_null(in.own.data); /* small: freed at once */
    assert_ptr_equal(put_in(&in, 1, 0, &pattern).data, scratch);
    psst_input_fini(&in);
}

static void input__bulk__reads_several_records_at_once(void **state)
{
    (void)state;
    struct psst_input in;
    uint8_t pattern = 0;
    psst_input_init(&in);
    (void)put_in(&in, 100, 0, &pattern);
    assert_int_equal(psst_input_settle(&in, 0), PSST_OK);
    struct psst_span space;
    assert_int_equal(psst_input_space(&in, whole_scratch, PSST_RECORD_MAX, &space), PSST_OK);
    assert_int_equal(space.len, PSST_INPUT_BULK - 100);
    assert_true(space.len >= 3 * PSST_RECORD_MAX);
    psst_input_take(&in, 100);
    assert_int_equal(psst_input_settle(&in, 5), PSST_OK);
    assert_non_null(in.own.data); /* kept for a second */
    assert_int_equal(psst_input_deadline(&in), 5 + PSST_SECOND_NS);
    assert_int_equal(psst_input_settle(&in, 5 + PSST_SECOND_NS), PSST_OK);
    assert_null(in.own.data);
    assert_int_equal(psst_input_deadline(&in), PSST_NEVER);
    psst_input_fini(&in);
}

static void input__a_driver_that_ignores_space__loses_nothing(void **state)
{
    (void)state;
    struct psst_input in;
    psst_input_init(&in);
    uint8_t one[3] = {1, 2, 3}, two[3] = {4, 5, 6};
    assert_int_equal(psst_input_received(&in, one, 3), PSST_OK);
    assert_int_equal(psst_input_received(&in, two, 3), PSST_OK);
    assert_int_equal(psst_input_received(&in, two, 0), PSST_OK);
    struct psst_span waiting = psst_input_waiting(&in);
    assert_int_equal(waiting.len, 6);
    assert_memory_equal(waiting.data, "\1\2\3\4\5\6", 6);
    psst_input_fini(&in);
}

static void input__is_bounded(void **state)
{
    (void)state;
    struct psst_input in;
    static uint8_t much[65536];
    psst_input_init(&in);
    enum psst_err err = PSST_OK;
    for (int i = 0; i < 40 && err == PSST_OK; i++) err = psst_input_received(&in, much, sizeof much);
    assert_int_equal(err, PSST_ERR_MEMORY);
    assert_true(in.own.cap <= PSST_INPUT_MAX + PSST_INPUT_BULK);
    psst_input_fini(&in);
}

/* Random writes and partial sends: the bytes come out as they went in, and room is reused. */
static void output__is_a_queue(void **state)
{
    (void)state;
    struct psst_output out;
    struct det_rng seed = det_rng(11);
    struct psst_rng rng = det_rng_of(&seed);
    uint64_t in_count = 0, out_count = 0;
    psst_output_init(&out);
    for (int i = 0; i < 20000; i++) {
        if (psst_output_waiting(&out).len < 50000) {
            size_t n = (size_t)psst_rng_range(&rng, 1, 3000);
            assert_int_equal(psst_output_room(&out, n), PSST_OK);
            for (size_t k = 0; k < n; k++) psst_buf_put_u8(&out.buf, (uint8_t)(in_count++ * 7));
        }
        struct psst_view waiting = psst_output_waiting(&out);
        assert_int_equal(waiting.len, in_count - out_count);
        size_t n = (size_t)psst_rng_range(&rng, 0, 3000);
        if (n > waiting.len) n = waiting.len;
        for (size_t k = 0; k < n; k++) assert_true(waiting.data[k] == (uint8_t)((out_count + k) * 7));
        out_count += n;
        psst_output_sent(&out, n, 0);
    }
    assert_true(out.buf.cap <= 4 * 65536);
    psst_output_fini(&out);
}

static void output__sent__more_than_there_is(void **state)
{
    (void)state;
    struct psst_output out;
    psst_output_init(&out);
    assert_int_equal(psst_output_room(&out, 3), PSST_OK);
    psst_buf_put(&out.buf, "abc", 3);
    psst_output_sent(&out, 99, 0);
    assert_int_equal(psst_output_waiting(&out).len, 0);
    assert_null(out.buf.data);
    psst_output_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(input__whole_in_scratch__is_not_copied),
        cmocka_unit_test(input__rest__is_copied_and_read_on_behind),
        cmocka_unit_test(input__bulk__reads_several_records_at_once),
        cmocka_unit_test(input__a_driver_that_ignores_space__loses_nothing),
        cmocka_unit_test(input__is_bounded),
        cmocka_unit_test(output__is_a_queue),
        cmocka_unit_test(output__sent__more_than_there_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
