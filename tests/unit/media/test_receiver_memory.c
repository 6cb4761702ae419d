/* The Nth allocation fails while a receiver is made (attack 49): an error, and nothing is left. */
#include "media/codec.h"
#include "media/receiver.h"

#include "support/check.h"
#include "support/failing_malloc.h"

static void nth_allocation_fails__new_receiver__it_is_an_error(void **state)
{
    (void)state;
    unsigned n = 1;
    for (;; n++) {
        struct psst_receiver *receiver = NULL;
        failing_malloc_at(n);
        enum psst_err err = psst_receiver_new(&receiver);
        if (!failing_malloc_stop()) {
            assert_ok(err);
            psst_receiver_free(receiver);
            break;
        }
        assert_err(PSST_ERR_MEMORY, err);
        assert_null(receiver);
    }
    assert_int_equal(n, 4); /* the receiver, and two decoders */
}

static void nth_allocation_fails__new_encoder__it_is_an_error(void **state)
{
    (void)state;
    struct psst_encoder *encoder = NULL;
    failing_malloc_at(1);
    assert_err(PSST_ERR_MEMORY, psst_encoder_new(&encoder));
    assert_true(failing_malloc_stop());
    assert_null(encoder);
    psst_encoder_free(encoder);
    psst_receiver_free(NULL);
    psst_decoder_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nth_allocation_fails__new_receiver__it_is_an_error),
        cmocka_unit_test(nth_allocation_fails__new_encoder__it_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
