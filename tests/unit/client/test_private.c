/* What a program does first that reads passphrases and shows what was said. */
#include "support/check.h"

#include "client/private.h"

#include <jansson.h>
#include <sys/prctl.h>
#include <sys/resource.h>

static void process__leaves_no_core_file__and_shows_nobody_its_memory(void **state)
{
    struct rlimit core;
    (void)state;
    assert_int_equal(0, prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
    psst_process_private();
    assert_int_equal(0, getrlimit(RLIMIT_CORE, &core));
    assert_true(core.rlim_cur == 0 && core.rlim_max == 0);
#ifndef PSST_SANITIZED
    assert_int_equal(0, prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
#endif
}

static void process__wipes_json__when_it_is_freed(void **state)
{
    json_malloc_t allocates = NULL;
    json_free_t frees = NULL;
    (void)state;
    psst_process_private();
    json_get_alloc_funcs(&allocates, &frees);
    assert_true(frees == psst_free_wiped);
    psst_free_wiped(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(process__leaves_no_core_file__and_shows_nobody_its_memory),
        cmocka_unit_test(process__wipes_json__when_it_is_freed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
