#include "daemon/delivery/intake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cmocka.h>

#define SECOND_NS UINT64_C(1000000000)

static void intake__lets_through__what_people_say(void **state)
{
    (void)state;
    struct psst_intake intake = {0};
    uint64_t now = 5;
    for (unsigned i = 0; i < 100000; i++, now += SECOND_NS / 2) /* two a second, for half a day */
        assert_int_equal(psst_intake_take(&intake, now, 500), 0);
}

static void intake__lets_through__a_long_queue_at_once(void **state)
{
    (void)state;
    struct psst_intake intake = {0};
    for (unsigned i = 0; i < 16000; i++) assert_int_equal(psst_intake_take(&intake, 77, 1000), 0);
}

static void intake__stops__after_so_many_bytes(void **state)
{
    (void)state;
    struct psst_intake intake = {0};
    uint64_t taken = 0;
    while (psst_intake_take(&intake, 1, 65536) == 0) taken += 65536;
    assert_in_range(taken, PSST_INTAKE_BYTES - 65536, PSST_INTAKE_BYTES + 65536);
}

static void intake__stops__after_so_many_texts(void **state)
{
    (void)state;
    struct psst_intake intake = {0};
    unsigned taken = 0;
    while (psst_intake_take(&intake, 1, 1) == 0) taken++;
    assert_in_range(taken, PSST_INTAKE_TEXTS - 1, PSST_INTAKE_TEXTS + 1);
}

static void intake__goes_on__once_the_debt_is_paid(void **state)
{
    (void)state;
    struct psst_intake intake = {0};
    uint64_t wait = 0, now = 1000 * SECOND_NS;
    while (wait == 0) wait = psst_intake_take(&intake, now, 65536);
    assert_in_range(wait, 1, 2 * SECOND_NS); /* of one text */
    assert_int_equal(psst_intake_debt(&intake, now), wait);
    assert_int_equal(psst_intake_debt(&intake, now + wait - 1), 1);
    assert_int_equal(psst_intake_debt(&intake, now + wait), 0);
    /* and from then on it is the rate alone */
    uint64_t bytes = 0, begin = now;
    for (now += wait; now < begin + 600 * SECOND_NS; now += SECOND_NS / 10)
        if (psst_intake_debt(&intake, now) == 0 && psst_intake_take(&intake, now, 65536) < UINT64_MAX) bytes += 65536;
    assert_in_range(bytes, 10 * PSST_INTAKE_BYTES_A_MINUTE - 200000, 10 * PSST_INTAKE_BYTES_A_MINUTE + 200000);
}

static void intake__adds_up__debts_of_what_came_all_the_same(void **state)
{
    (void)state;
    struct psst_intake intake = {0};
    uint64_t last = 0;
    for (unsigned i = 0; i < 10000; i++) {
        uint64_t wait = psst_intake_take(&intake, 9, 65536);
        assert_true(wait >= last);
        last = wait;
    }
    assert_true(last > 10000 * SECOND_NS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(intake__lets_through__what_people_say),
        cmocka_unit_test(intake__lets_through__a_long_queue_at_once),
        cmocka_unit_test(intake__stops__after_so_many_bytes),
        cmocka_unit_test(intake__stops__after_so_many_texts),
        cmocka_unit_test(intake__goes_on__once_the_debt_is_paid),
        cmocka_unit_test(intake__adds_up__debts_of_what_came_all_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
