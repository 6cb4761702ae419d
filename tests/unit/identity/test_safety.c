/* Fingerprints as text, the safety number against values computed elsewhere from docs/CARD.md, the pair secret's choice. */
#include "identity/card.h"
#include "support/check.h"
#include "support/vectors.h"

#include <stdio.h>

static struct psst_fpr up(void)
{
    struct psst_fpr f;
    for (int i = 0; i < 32; i++) f.b[i] = (uint8_t)i;
    return f;
}

static struct psst_fpr down(void)
{
    struct psst_fpr f;
    for (int i = 0; i < 32; i++) f.b[i] = (uint8_t)(255 - i);
    return f;
}

static void fpr_text__gives__groups_of_four(void **state)
{
    (void)state;
    char text[PSST_FPR_TEXT_LEN];
    struct psst_fpr f = up();
    psst_fpr_text(text, &f);
    assert_string_equal("0001 0203 0405 0607 0809 0a0b 0c0d 0e0f 1011 1213 1415 1617 1819 1a1b 1c1d 1e1f", text);
    assert_int_equal(PSST_FPR_TEXT_LEN, strlen(text) + 1);
}

static void safety_number__is__the_one_computed_from_the_document(void **state)
{
    (void)state;
    static const char *const words[PSST_SAFETY_WORDS] = {
        "cedar",   "guitar",  "ginger", "raccoon", "orange",  "pastry", "dolphin", "cypress",
        "octopus", "pumpkin", "muffin", "lemon",   "sequoia", "igloo",  "harbor",  "cashew",
    };
    struct psst_fpr a = up(), b = down();
    struct psst_safety s;
    assert_ok(psst_safety_number(&s, &a, &b));
    assert_string_equal("87716 37256 36112 33846 68289 27704 77395 25665 42770 30655 59730 63513", s.digits);
    for (size_t i = 0; i < PSST_SAFETY_WORDS; i++) assert_string_equal(words[i], s.words[i]);
    assert_string_equal("PSST/1 safety 877163725636112338466828927704773952566542770306555973063513", s.qr);
}

static void safety_number__is__the_documents_example(void **state)
{
    (void)state;
    static const char words[] =
        "moose sponge postman omelet nest linen thimble sponge verse nutmeg anchor walnut island "
        "mimosa camel skipper ";
    struct psst_rsa_public *a = vectors_public_key("a1024"), *b = vectors_public_key("b1024");
    struct psst_safety s;
    struct psst_buf got;
    assert_ok(psst_safety_number(&s, psst_rsa_public_fpr(a), psst_rsa_public_fpr(b)));
    assert_string_equal("36685 92445 31869 29917 46390 65170 41701 46975 51224 11855 22406 74380", s.digits);
    psst_buf_init(&got, 4096);
    for (size_t i = 0; i < PSST_SAFETY_WORDS; i++) psst_buf_printf(&got, "%s ", s.words[i]);
    assert_bytes(psst_view_str(words), got.data, got.len);
    psst_buf_fini(&got);
    psst_rsa_public_free(a);
    psst_rsa_public_free(b);
}

static void safety_number__keeps__leading_zeros(void **state)
{
    (void)state;
    struct psst_fpr zero = {{0}};
    uint8_t seed[32] = {0};
    struct psst_hash hash;
    struct psst_fpr other;
    struct psst_safety s;
    seed[31] = 166;
    const struct psst_view part = psst_view(seed, sizeof seed);
    assert_ok(psst_sha256(&hash, &part, 1));
    memcpy(other.b, hash.b, sizeof other.b);
    assert_ok(psst_safety_number(&s, &zero, &other));
    assert_string_equal("00506 07355 86620 83644 30001 44209 79363 02624 89915 58285 44987 25977", s.digits);
    assert_string_equal("thunder", s.words[0]);
    assert_string_equal("porch", s.words[15]);
}

static void safety_number__is__the_same_on_both_sides(void **state)
{
    (void)state;
    struct psst_fpr a = up(), b = down();
    struct psst_safety here, there, changed;
    assert_ok(psst_safety_number(&here, &a, &b));
    assert_ok(psst_safety_number(&there, &b, &a));
    assert_string_equal(here.digits, there.digits);
    assert_memory_equal(here.words, there.words, sizeof here.words);
    b.b[31] ^= 1;
    assert_ok(psst_safety_number(&changed, &a, &b));
    assert_string_not_equal(here.digits, changed.digits);
}

static void safety_number__is_refused__for_one_alone(void **state)
{
    (void)state;
    struct psst_fpr a = up();
    struct psst_safety s;
    assert_err(PSST_ERR_USAGE, psst_safety_number(&s, &a, &a));
}

static void pair_secret__is__that_of_the_smaller_fingerprint(void **state)
{
    (void)state;
    struct psst_fpr small = up(), large = down();
    const struct psst_pair_secret ours = {{1}}, theirs = {{2}};
    assert_ptr_equal(&ours, psst_pair_secret_choose(&small, &ours, &large, &theirs));
    assert_ptr_equal(&theirs, psst_pair_secret_choose(&large, &ours, &small, &theirs));
    assert_ptr_equal(&ours, psst_pair_secret_choose(&large, &ours, &small, NULL));
    assert_ptr_equal(&theirs, psst_pair_secret_choose(&small, NULL, &large, &theirs));
    assert_null(psst_pair_secret_choose(&small, NULL, &large, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fpr_text__gives__groups_of_four),
        cmocka_unit_test(safety_number__is__the_one_computed_from_the_document),
        cmocka_unit_test(safety_number__is__the_documents_example),
        cmocka_unit_test(safety_number__keeps__leading_zeros),
        cmocka_unit_test(safety_number__is__the_same_on_both_sides),
        cmocka_unit_test(safety_number__is_refused__for_one_alone),
        cmocka_unit_test(pair_secret__is__that_of_the_smaller_fingerprint),
    };
    if (psst_crypto_init(0) != PSST_OK) return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
