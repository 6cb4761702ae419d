/* The Nth malloc fails, for every N (attack 49). */
#include "support/check.h"
#include "support/failing_malloc.h"

#include "base/map.h"
#include "base/text.h"

/* What a parser, a writer and a renderer do with one buffer. */
static enum psst_err write_much(struct psst_buf *buf)
{
    for (unsigned i = 0; i < 200; i++) {
        psst_buf_put_u32(buf, i);
        psst_buf_printf(buf, "%u ", i);
        psst_buf_put_zeros(buf, i);
        psst_text_render(buf, psst_view_str("a\x1b[31mb"), PSST_RENDER_LINE, 10);
    }
    return buf->failed ? PSST_ERR_MEMORY : PSST_OK;
}

static void buf__fails_once_and_for_all__when_the_nth_malloc_fails(void **state)
{
    (void)state;
    struct psst_buf whole;
    psst_buf_init(&whole, 1 << 20);
    assert_ok(write_much(&whole));
    unsigned n = 1;
    for (;; n++) {
        struct psst_buf buf;
        psst_buf_init(&buf, 1 << 20);
        failing_malloc_at(n);
        enum psst_err err = write_much(&buf);
        bool failed = failing_malloc_stop();
        assert_err(failed ? PSST_ERR_MEMORY : PSST_OK, err);
        /* what was written before the failure is a beginning of the whole, and nothing came after it */
        assert_true(buf.len <= whole.len);
        if (buf.len > 0) assert_memory_equal(whole.data, buf.data, buf.len);
        if (!failed) assert_int_equal(whole.len, buf.len);
        psst_buf_fini(&buf);
        if (!failed) break;
    }
    assert_true(n > 5); /* it did grow several times */
    psst_buf_fini(&whole);
}

static void buf__works_again__after_fini(void **state)
{
    (void)state;
    struct psst_buf buf;
    psst_buf_init(&buf, 100);
    failing_malloc_at(1);
    assert_err(PSST_ERR_MEMORY, psst_buf_reserve(&buf, 10));
    assert_true(failing_malloc_stop());
    assert_err(PSST_ERR_MEMORY, psst_buf_reserve(&buf, 10));
    psst_buf_fini(&buf);
    assert_ok(psst_buf_reserve(&buf, 10));
    psst_buf_fini(&buf);
}

/* It grows slower, not wrong. */
static void map__finds_everything__without_memory_to_grow(void **state)
{
    (void)state;
    struct psst_map map = {0};
    struct psst_map_node nodes[100];
    for (uint64_t i = 0; i < 100; i++) {
        if (i == 20) failing_malloc_at(1);
        psst_map_add(&map, &nodes[i], psst_hash_u64(i));
        if (i == 99) assert_true(failing_malloc_stop());
    }
    for (uint64_t i = 0; i < 100; i++) assert_ptr_equal(psst_map_find(&map, psst_hash_u64(i)), &nodes[i]);
    assert_int_equal(map.count, 100);
    psst_map_fini(&map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(map__finds_everything__without_memory_to_grow),
        cmocka_unit_test(buf__fails_once_and_for_all__when_the_nth_malloc_fails),
        cmocka_unit_test(buf__works_again__after_fini),
    };
    return cmocka_run_group_tests_name("base/memory", tests, NULL, NULL);
}
