/* RSA-KEM, expanded: the vectors byte for byte, what is refused, the ranges of what is drawn. */
#include "support/check.h"
#include "support/det_rng.h"
#include "support/vectors.h"

static json_t *root;

static int load(void **state)
{
    (void)state;
    root = vectors_load("rsakem.json");
    return 0;
}

static int unload(void **state)
{
    (void)state;
    json_decref(root);
    return 0;
}

static const char *const key_names[] = {"a1024", "odd1031", "a2048", "wide-e2048", "a3072", "a4096"};
#define KEYS (sizeof key_names / sizeof key_names[0])

static void encapsulate__matches__the_vectors(void **state)
{
    (void)state;
    size_t i;
    json_t *v;
    json_array_foreach(vectors_array(root, "cases"), i, v)
    {
        struct psst_rsa_public *key = vectors_public_key(vectors_str(v, "recipient"));
        uint8_t x[PSST_KEM_LEN];
        struct psst_kem_secret secret;
        assert_ok(psst_kem_encapsulate_with(key, vectors_hex(v, "z"), vectors_hex(v, "r"), x, &secret));
        assert_bytes(vectors_hex(v, "X"), x, sizeof x);
        assert_bytes(vectors_hex(v, "Z"), secret.b, sizeof secret.b);
        psst_rsa_public_free(key);
    }
    assert_int_equal(18, i);
}

static void decapsulate__matches__the_vectors(void **state)
{
    (void)state;
    size_t i;
    json_t *v;
    json_array_foreach(vectors_array(root, "cases"), i, v)
    {
        struct psst_rsa_private *key = vectors_private_key(vectors_str(v, "recipient"));
        uint8_t x[PSST_KEM_LEN];
        struct psst_kem_secret secret;
        vectors_hex_exact(v, "X", x, sizeof x);
        assert_ok(psst_kem_decapsulate(key, "z", x, &secret));
        assert_bytes(vectors_hex(v, "Z"), secret.b, sizeof secret.b);
        psst_rsa_private_free(key);
    }
    assert_int_equal(18, i);
}

static void decapsulate__refuses__what_the_vectors_refuse(void **state)
{
    (void)state;
    size_t i;
    json_t *v;
    json_array_foreach(vectors_array(root, "refused"), i, v)
    {
        struct psst_rsa_private *key = vectors_private_key(vectors_str(v, "recipient"));
        uint8_t x[PSST_KEM_LEN];
        struct psst_kem_secret secret = {{0xaa}}, before = secret;
        vectors_hex_exact(v, "X", x, sizeof x);
        assert_err(PSST_ERR_AUTH, psst_kem_decapsulate(key, "z", x, &secret));
        assert_memory_equal(&before, &secret, sizeof secret);
        psst_rsa_private_free(key);
    }
    assert_int_equal(5, i);
}

static void encapsulate__opens__at_its_recipient_only(void **state)
{
    (void)state;
    struct det_rng det = det_rng(5);
    const struct psst_rng rng = det_rng_of(&det);
    struct psst_rsa_private *other = vectors_private_key("b2048");
    for (size_t i = 0; i < KEYS; i++) {
        struct psst_rsa_private *key = vectors_private_key(key_names[i]);
        for (int round = 0; round < 4; round++) {
            uint8_t x[PSST_KEM_LEN];
            struct psst_kem_secret sent, got, third;
            assert_ok(psst_kem_encapsulate(psst_rsa_private_public(key), &rng, x, &sent));
            assert_ok(psst_kem_decapsulate(key, "z", x, &got));
            assert_memory_equal(sent.b, got.b, sizeof sent.b);
            if (psst_kem_decapsulate(other, "z", x, &third) == PSST_OK)
                assert_memory_not_equal(sent.b, third.b, sizeof sent.b);
        }
        psst_rsa_private_free(key);
    }
    psst_rsa_private_free(other);
}

static void purpose__keeps__secrets_apart(void **state)
{
    (void)state;
    struct det_rng det = det_rng(6);
    const struct psst_rng rng = det_rng_of(&det);
    struct psst_rsa_private *key = vectors_private_key("a1024");
    uint8_t x[PSST_KEM_LEN];
    struct psst_kem_secret sent, store, handshake;
    assert_ok(psst_kem_encapsulate_for(psst_rsa_private_public(key), "store", &rng, x, &sent));
    assert_ok(psst_kem_decapsulate(key, "store", x, &store));
    assert_ok(psst_kem_decapsulate(key, "z", x, &handshake));
    assert_memory_equal(sent.b, store.b, sizeof sent.b);
    assert_memory_not_equal(sent.b, handshake.b, sizeof sent.b);
    psst_rsa_private_free(key);
}

static void encapsulate_with__refuses__numbers_out_of_range(void **state)
{
    (void)state;
    struct psst_rsa_public *key = vectors_public_key("a1024");
    uint8_t x[PSST_KEM_LEN], huge[PSST_KEM_LEN + 1], n_minus_1[128];
    struct psst_kem_secret secret;
    const uint8_t zero = 0, one = 1, two = 2, three[] = {0, 0, 3};
    memset(huge, 0xff, sizeof huge);
    /* n - 1 is the first refused X of the vectors that is larger than 1 */
    struct psst_view refused = vectors_hex(json_array_get(vectors_array(root, "refused"), 2), "X");
    memcpy(n_minus_1, refused.data + PSST_KEM_LEN - 128, 128);
    const struct psst_view r = psst_view(&zero, 1);
    assert_err(PSST_ERR_USAGE, psst_kem_encapsulate_with(key, psst_view(NULL, 0), r, x, &secret));
    assert_err(PSST_ERR_USAGE, psst_kem_encapsulate_with(key, psst_view(&zero, 1), r, x, &secret));
    assert_err(PSST_ERR_USAGE, psst_kem_encapsulate_with(key, psst_view(&one, 1), r, x, &secret));
    assert_err(PSST_ERR_USAGE, psst_kem_encapsulate_with(key, psst_view(huge, 128), r, x, &secret));
    assert_err(PSST_ERR_USAGE, psst_kem_encapsulate_with(key, psst_view(huge, 129), r, x, &secret));
    assert_err(PSST_ERR_USAGE, psst_kem_encapsulate_with(key, psst_view(n_minus_1, 128), r, x, &secret));
    n_minus_1[127]--;
    assert_ok(psst_kem_encapsulate_with(key, psst_view(n_minus_1, 128), r, x, &secret));
    assert_ok(psst_kem_encapsulate_with(key, psst_view(&two, 1), r, x, &secret));
    assert_ok(psst_kem_encapsulate_with(key, psst_view(three, 3), r, x, &secret));
    const struct psst_view z = psst_view(&two, 1);
    assert_err(PSST_ERR_USAGE, psst_kem_encapsulate_with(key, z, psst_view(huge, PSST_KEM_LEN), x, &secret));
    assert_err(PSST_ERR_USAGE, psst_kem_encapsulate_with(key, z, psst_view(huge, sizeof huge), x, &secret));
    psst_rsa_public_free(key);
}

static void largest_r__is__the_last_accepted(void **state)
{
    (void)state;
    /* every third case of the vectors has the largest r: one more must be refused */
    size_t i, seen = 0;
    json_t *v;
    json_array_foreach(vectors_array(root, "cases"), i, v)
    {
        struct psst_view given = vectors_hex(v, "r");
        uint8_t r[PSST_KEM_LEN], x[PSST_KEM_LEN];
        struct psst_kem_secret secret;
        if (given.len < 2 || i % 3 != 2) continue;
        memcpy(r, given.data, given.len);
        for (size_t at = given.len; at-- > 0 && ++r[at] == 0;) continue;
        struct psst_rsa_public *key = vectors_public_key(vectors_str(v, "recipient"));
        assert_err(PSST_ERR_USAGE,
                   psst_kem_encapsulate_with(key, vectors_hex(v, "z"), psst_view(r, given.len), x, &secret));
        psst_rsa_public_free(key);
        seen++;
    }
    assert_int_equal(6, seen);
}

static void draw__rejects__what_is_out_of_range(void **state)
{
    (void)state;
    /* z: all ones is over n-2, zero and one are under 2, then 5. r: all ones is over the largest, then 1 */
    struct psst_rsa_public *key = vectors_public_key("a1024");
    uint8_t script[4 * 128 + 2 * PSST_KEM_LEN] = {0};
    size_t r_len = PSST_KEM_LEN - 128 + 1; /* 2^4224 / n has 3,201 bits for this n */
    memset(script, 0xff, 128);
    script[2 * 128 + 127] = 1;
    script[3 * 128 + 127] = 5;
    memset(script + 4 * 128, 0xff, r_len);
    script[4 * 128 + 2 * r_len - 1] = 1;
    struct script_rng scripted = script_rng(psst_view(script, 4 * 128 + 2 * r_len));
    const struct psst_rng rng = script_rng_of(&scripted);
    uint8_t x[PSST_KEM_LEN], want[PSST_KEM_LEN];
    struct psst_kem_secret secret, want_secret;
    assert_ok(psst_kem_encapsulate(key, &rng, x, &secret));
    const uint8_t five = 5, one = 1;
    assert_ok(psst_kem_encapsulate_with(key, psst_view(&five, 1), psst_view(&one, 1), want, &want_secret));
    assert_memory_equal(want, x, sizeof x);
    assert_memory_equal(want_secret.b, secret.b, sizeof secret.b);
    assert_int_equal(0, scripted.left.len);
    psst_rsa_public_free(key);
}

static void fill_zeros(void *ctx, uint8_t *out, size_t len)
{
    (void)ctx;
    memset(out, 0, len);
}

static void draw__gives_up__when_randomness_is_dead(void **state)
{
    (void)state;
    const struct psst_rng dead = {.fill = fill_zeros};
    struct psst_rsa_public *key = vectors_public_key("a1024");
    uint8_t x[PSST_KEM_LEN];
    struct psst_kem_secret secret;
    assert_err(PSST_ERR_INTERNAL, psst_kem_encapsulate(key, &dead, x, &secret));
    psst_rsa_public_free(key);
}

/* X is uniform whatever n is: its top bit is set about half of the time, for the shortest and the longest key. */
static void x__has__one_distribution(void **state)
{
    (void)state;
    static const char *const names[] = {"a1024", "odd1031", "a4096"};
    struct det_rng det = det_rng(11);
    const struct psst_rng rng = det_rng_of(&det);
    for (size_t i = 0; i < 3; i++) {
        struct psst_rsa_public *key = vectors_public_key(names[i]);
        unsigned set = 0;
        for (int round = 0; round < 400; round++) {
            uint8_t x[PSST_KEM_LEN];
            struct psst_kem_secret secret;
            assert_ok(psst_kem_encapsulate(key, &rng, x, &secret));
            set += x[0] >> 7;
        }
        assert_in_range(set, 150, 250); /* five standard deviations, and the seed is fixed */
        psst_rsa_public_free(key);
    }
}

static void failures__leave__the_key_usable(void **state)
{
    (void)state;
    struct psst_rsa_private *key = vectors_private_key("a1024");
    const json_t *good = json_array_get(vectors_array(root, "cases"), 0);
    for (int round = 0; round < 3; round++) {
        uint8_t x[PSST_KEM_LEN] = {0};
        struct psst_kem_secret secret;
        assert_err(PSST_ERR_AUTH, psst_kem_decapsulate(key, "z", x, &secret));
        vectors_hex_exact(good, "X", x, sizeof x);
        assert_ok(psst_kem_decapsulate(key, "z", x, &secret));
        assert_bytes(vectors_hex(good, "Z"), secret.b, sizeof secret.b);
    }
    psst_rsa_private_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encapsulate__matches__the_vectors),
        cmocka_unit_test(decapsulate__matches__the_vectors),
        cmocka_unit_test(decapsulate__refuses__what_the_vectors_refuse),
        cmocka_unit_test(encapsulate__opens__at_its_recipient_only),
        cmocka_unit_test(purpose__keeps__secrets_apart),
        cmocka_unit_test(encapsulate_with__refuses__numbers_out_of_range),
        cmocka_unit_test(largest_r__is__the_last_accepted),
        cmocka_unit_test(draw__rejects__what_is_out_of_range),
        cmocka_unit_test(draw__gives_up__when_randomness_is_dead),
        cmocka_unit_test(x__has__one_distribution),
        cmocka_unit_test(failures__leave__the_key_usable),
    };
    return cmocka_run_group_tests_name("crypto/kem", tests, load, unload);
}
