/* The set of texts that are under way, against the plainest model. */
#include "proto/text.h"

#include "support/check.h"
#include "support/det_rng.h"

static struct psst_msg_id id_of(uint64_t n)
{
    struct psst_msg_id id = {{0}};
    psst_store_u64(id.b + 8, n);
    return id;
}

static void set__behaves__like_a_set(void **state)
{
    (void)state;
    struct psst_text_outstanding set = {0};
    static bool model[3000];
    size_t count = 0;
    struct det_rng seed = det_rng(5);
    struct psst_rng rng = det_rng_of(&seed);
    for (int i = 0; i < 60000; i++) {
        /* in waves, so that it grows to its limit and empties again */
        bool adding = psst_rng_range(&rng, 0, 99) < (i / 10000 % 2 == 0 ? 70 : 20);
        uint64_t n = psst_rng_range(&rng, 0, 2999);
        struct psst_msg_id id = id_of(n);
        if (adding) {
            enum psst_err err = psst_text_outstanding_add(&set, &id);
            assert_int_equal(err, count < PSST_TEXT_OUTSTANDING_MAX ? PSST_OK : PSST_ERR_AGAIN);
            if (err == PSST_OK && !model[n]) count++;
            if (err == PSST_OK) model[n] = true;
        } else {
            assert_int_equal(psst_text_outstanding_remove(&set, &id), model[n]);
            if (model[n]) count--;
            model[n] = false;
        }
        assert_int_equal(set.count, count);
    }
    for (uint64_t n = 0; n < 3000; n++) {
        struct psst_msg_id id = id_of(n);
        assert_int_equal(psst_text_outstanding_remove(&set, &id), model[n]);
    }
    assert_int_equal(set.count, 0);
    assert_null(set.slots);
}

static void empty_set__takes_no_memory__and_knows_nothing(void **state)
{
    (void)state;
    struct psst_text_outstanding set = {0};
    struct psst_msg_id id = id_of(0); /* all zeros is an id like any other */
    assert_false(psst_text_outstanding_remove(&set, &id));
    assert_int_equal(psst_text_outstanding_add(&set, &id), PSST_OK);
    assert_int_equal(psst_text_outstanding_add(&set, &id), PSST_OK);
    assert_int_equal(set.count, 1);
    assert_true(psst_text_outstanding_remove(&set, &id));
    assert_null(set.slots);
    assert_int_equal(psst_text_outstanding_add(&set, &id), PSST_OK);
    psst_text_outstanding_fini(&set);
    assert_null(set.slots);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set__behaves__like_a_set),
        cmocka_unit_test(empty_set__takes_no_memory__and_knows_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
