/* The Nth allocation fails while psst-key is asked: each request is answered once, and the next one works. The linker turns
 * malloc and calloc of our own libraries into the ones here (meson.build). */
#include "key_bench.h"
#include "support/vectors.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);

static bool armed, fired;
static size_t left; /* allocations until one fails */

static bool fails_now(void)
{
    if (!armed || left-- > 0) return false;
    armed = false;
    fired = true;
    return true;
}

void *__wrap_malloc(size_t size)
{
    return fails_now() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails_now() ? NULL : __real_calloc(n, size);
}

static void arm(size_t n)
{
    armed = true;
    fired = false;
    left = n;
}

static void nth_allocation_fails__in_the_client__it_answers_and_goes_on(void **state)
{
    struct key_bench *b = *state;
    size_t n = 0, errors = 0;
    for (bool all = false; !all; n++) {
        struct key_result r = {0}, next = {0};
        int key = fd_with(vectors_file("keys/a1024.pem"));
        arm(n);
        psst_key_unlock(b->kc, key, -1, key_result_take, &r);
        armed = false;
        all = !fired;
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
