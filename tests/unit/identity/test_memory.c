/* The Nth allocation fails, for every N, while cards are read and written: an error each time, no leak, nothing half
 * done. */
#include "identity/card.h"
#include "support/check.h"
#include "support/failing_malloc.h"
#include "support/vectors.h"

static struct psst_card a_card(void)
{
    struct psst_card card = {.name = "Zo\u00eb", .n_addresses = 1, .has_pair_secret = true, .pair_secret = {{1}}};
    strcpy(card.addresses[0], "bob.example.org:4516");
    card.key = vectors_public_key("a1024");
    return card;
}

static void nth_allocation_fails__while_a_card_is_read__nothing_is_given(void **state)
{
    (void)state;
    struct psst_card card = a_card();
    struct psst_buf text;
    psst_buf_init(&text, PSST_CARD_MAX);
    assert_ok(psst_card_write(&card, &text));
    psst_card_fini(&card);
    unsigned n = 1;
    for (bool all = false; !all; n++) {
        struct psst_card read = {0};
        struct psst_diag diag = {0};
        failing_malloc_at(n);
        enum psst_err err = psst_card_parse(&read, psst_buf_view(&text), &diag);
        all = !failing_malloc_stop();
        if (err == PSST_OK) {
            psst_card_fini(&read);
            continue;
        }
        assert_false(all);
        assert_null(read.key);
        assert_true(strlen(diag.text) > 0);
    }
    assert_true(n > 2);
    psst_buf_fini(&text);
}

static void nth_allocation_fails__while_a_card_is_written__it_is_an_error(void **state)
{
    (void)state;
    struct psst_card card = a_card();
    unsigned n = 1, errors = 0;
    for (bool all = false; !all; n++) {
        struct psst_buf text;
        psst_buf_init(&text, PSST_CARD_MAX);
        failing_malloc_at(n);
        enum psst_err err = psst_card_write(&card, &text);
        all = !failing_malloc_stop();
        assert_int_equal(all, err == PSST_OK);
        if (err != PSST_OK) errors++;
        psst_buf_fini(&text);
    }
    assert_true(errors > 2);
    psst_card_fini(&card);
}

static void nth_allocation_fails__while_a_name_is_checked__it_is_no_name(void **state)
{
    (void)state;
    failing_malloc_at(1);
    enum psst_err err = psst_name_check("Bob", NULL);
    assert_true(failing_malloc_stop());
    assert_err(PSST_ERR_MEMORY, err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nth_allocation_fails__while_a_card_is_read__nothing_is_given),
        cmocka_unit_test(nth_allocation_fails__while_a_card_is_written__it_is_an_error),
        cmocka_unit_test(nth_allocation_fails__while_a_name_is_checked__it_is_no_name),
    };
    if (psst_crypto_init(0) != PSST_OK) return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
