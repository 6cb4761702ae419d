/* Which of two sessions stays: a table, and that two ends with their own clocks never contradict each other. */
#include "proto/duplicate.h"

#include "support/check.h"

static const struct psst_fpr smaller = {{1, 2, 3}}, larger = {{1, 2, 4}};

#define KEEP_BOTH PSST_DUPLICATE_KEEP_BOTH
#define CLOSE_OLD PSST_DUPLICATE_CLOSE_OLD
#define CLOSE_NEW PSST_DUPLICATE_CLOSE_NEW

static const struct {
    const char *what;
    struct psst_duplicate_session older, newer; /* role, M1, M2, completed, opened_record */
    enum psst_duplicate_verdict verdict;        /* of the side with the smaller fingerprint */
} table[] = {
    {"crossed, ours completed first", {PSST_CALLER, 10, 30, 40, false}, {PSST_CALLEE, 20, 21, 50, false}, CLOSE_NEW},
    {"crossed, ours completed last", {PSST_CALLEE, 20, 21, 40, false}, {PSST_CALLER, 10, 30, 50, false}, CLOSE_OLD},
    {"crossed, the older was used", {PSST_CALLER, 10, 30, 40, true}, {PSST_CALLEE, 20, 21, 50, false}, CLOSE_OLD},
    {"crossed, the newer was used", {PSST_CALLER, 10, 30, 40, false}, {PSST_CALLEE, 20, 21, 50, true}, CLOSE_OLD},
    {"theirs came before ours left", {PSST_CALLER, 10, 30, 60, false}, {PSST_CALLEE, 9, 11, 70, false}, CLOSE_OLD},
    {"theirs came after our M2", {PSST_CALLER, 10, 30, 40, false}, {PSST_CALLEE, 31, 32, 50, false}, CLOSE_OLD},
    {"theirs came long after", {PSST_CALLER, 10, 30, 40, false}, {PSST_CALLEE, 9000, 9001, 9002, false}, CLOSE_OLD},
    {"we redialled", {PSST_CALLER, 10, 20, 30, false}, {PSST_CALLER, 15, 25, 35, false}, CLOSE_OLD},
    {"he redialled", {PSST_CALLEE, 10, 20, 30, true}, {PSST_CALLEE, 100, 110, 120, false}, CLOSE_OLD},
    {"one turn of the loop for all", {PSST_CALLER, 10, 10, 10, false}, {PSST_CALLEE, 10, 10, 10, false}, CLOSE_NEW},
};

static void duplicate__smaller_side_decides__by_the_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        enum psst_duplicate_verdict v = psst_duplicate_decide(&smaller, &larger, &table[i].older, &table[i].newer);
        if (v != table[i].verdict) fail_msg("%s: %d", table[i].what, v);
    }
}

static void duplicate__larger_side_waits__always(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        assert_int_equal(psst_duplicate_decide(&larger, &smaller, &table[i].older, &table[i].newer), KEEP_BOTH);
    assert_int_equal(psst_duplicate_decide(&larger, &larger, &table[0].older, &table[0].newer), KEEP_BOTH);
}

static void duplicate__compares_fingerprints__at_every_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof smaller.b; i++) {
        struct psst_fpr a, b;
        memset(a.b, 0x80, sizeof a.b);
        b = a;
        b.b[i] = 0xff; /* larger as a number, smaller if bytes were signed */
        for (size_t k = i + 1; k < sizeof b.b; k++) b.b[k] = 0;
        assert_int_equal(psst_duplicate_decide(&a, &b, &table[0].older, &table[0].newer), CLOSE_NEW);
        assert_int_equal(psst_duplicate_decide(&b, &a, &table[0].older, &table[0].newer), KEEP_BOTH);
    }
}

/* Both ends see the same two sessions with their own clocks and possibly in another order of completion. Exactly one end
 * decides; and after its bye exactly one session is left, whichever order each end saw. */
static void duplicate__one_session_is_left__whatever_order_each_end_saw(void **state)
{
    (void)state;
    for (unsigned bits = 0; bits < 64; bits++) {
        bool a_first_here = bits & 1, a_first_there = bits & 2;
        bool used_here = bits & 4, used_there = bits & 8;
        bool we_are_smaller = bits & 16, crossed_in_time = bits & 32;
        /* session a: called by us. session b: called by the peer. Each seen from here and from there. */
        uint64_t b_m1_here = crossed_in_time ? 20 : 500, a_m1_there = 1020;
        struct psst_duplicate_session a_here = {PSST_CALLER, 10, 40, a_first_here ? 50 : 600, used_here};
        struct psst_duplicate_session b_here = {PSST_CALLEE, b_m1_here, b_m1_here + 1, 550, false};
        struct psst_duplicate_session a_there = {PSST_CALLEE, a_m1_there, a_m1_there + 1, 1060, used_there};
        struct psst_duplicate_session b_there = {PSST_CALLER, crossed_in_time ? 1010 : 1400,
                                                 crossed_in_time ? 1040 : 1440, a_first_there ? 1500 : 1050, false};
        const struct psst_fpr *here = we_are_smaller ? &smaller : &larger;
        const struct psst_fpr *there = we_are_smaller ? &larger : &smaller;
        enum psst_duplicate_verdict v_here =
            psst_duplicate_decide(here, there, a_first_here ? &a_here : &b_here, a_first_here ? &b_here : &a_here);
        enum psst_duplicate_verdict v_there = psst_duplicate_decide(there, here, a_first_there ? &a_there : &b_there,
                                                                    a_first_there ? &b_there : &a_there);
        assert_true((v_here == KEEP_BOTH) != (v_there == KEEP_BOTH));
        assert_int_equal(v_here == KEEP_BOTH, !we_are_smaller);
        /* crossed and unused: the decider's own call stays, whichever completed first */
        if (crossed_in_time && we_are_smaller && !used_here)
            assert_int_equal(v_here, a_first_here ? CLOSE_NEW : CLOSE_OLD);
        if (crossed_in_time && !we_are_smaller && !used_there)
            assert_int_equal(v_there, a_first_there ? CLOSE_OLD : CLOSE_NEW);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(duplicate__smaller_side_decides__by_the_table),
        cmocka_unit_test(duplicate__larger_side_waits__always),
        cmocka_unit_test(duplicate__compares_fingerprints__at_every_byte),
        cmocka_unit_test(duplicate__one_session_is_left__whatever_order_each_end_saw),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
