/* The Nth allocation fails while psst-key is asked: each request is answered once, and the next one works. */
#include "key_bench.h"
#include "support/failing_malloc.h"
#include "support/vectors.h"

static void nth_allocation_fails__in_the_client__it_answers_and_goes_on(void **state)
{
    struct key_bench *b = *state;
    unsigned n = 1, errors = 0;
    for (bool all = false; !all; n++) {
        struct key_result r = {0}, next = {0};
        int key = fd_with(vectors_file("keys/a1024.pem"));
        failing_malloc_at(n);
        psst_key_unlock(b->kc, key, -1, key_result_take, &r);
        all = !failing_malloc_stop();
        key_wait(b, &r);
        assert_int_equal(all ? PSST_OK : PSST_ERR_MEMORY, r.err);
        if (!all) errors++;
        psst_key_lock(b->kc, key_result_take, &next);
        key_wait(b, &next);
        assert_ok(next.err);
    }
    assert_true(errors >= 2);
    assert_int_equal(0, b->died);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nth_allocation_fails__in_the_client__it_answers_and_goes_on, key_bench_setup,
                                        key_bench_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
