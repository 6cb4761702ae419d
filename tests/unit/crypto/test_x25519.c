/* X25519: the vectors, RFC 7748, and the points to abort on (attack 11). */
#include "support/check.h"
#include "support/vectors.h"

static json_t *root;

static int load(void **state)
{
    (void)state;
    root = vectors_load("kdf.json");
    return 0;
}

static int unload(void **state)
{
    (void)state;
    json_decref(root);
    return 0;
}

static void public__matches__the_vectors(void **state)
{
    (void)state;
    size_t i;
    json_t *v;
    json_array_foreach(vectors_array(root, "x25519"), i, v)
    {
        struct psst_x25519_private priv;
        struct psst_x25519_public pub;
        vectors_hex_exact(v, "scalar", priv.b, sizeof priv.b);
        assert_ok(psst_x25519_public(&pub, &priv));
        assert_bytes(vectors_hex(v, "public"), pub.b, sizeof pub.b);
    }
    assert_true(i > 0);
}

/* RFC 7748, section 6.1 */
static void both_sides__share__one_secret(void **state)
{
    (void)state;
    struct psst_x25519_private a, b;
    struct psst_x25519_public ga, gb;
    struct psst_x25519_secret at_a, at_b;
    memcpy(a.b, vectors_hex_digits("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a").data,
           sizeof a.b);
    memcpy(b.b, vectors_hex_digits("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb").data,
           sizeof b.b);
    assert_ok(psst_x25519_public(&ga, &a));
    assert_ok(psst_x25519_public(&gb, &b));
    assert_bytes(vectors_hex_digits("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"), ga.b,
                 sizeof ga.b);
    assert_bytes(vectors_hex_digits("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"), gb.b,
                 sizeof gb.b);
    assert_ok(psst_x25519(&at_a, &a, &gb));
    assert_ok(psst_x25519(&at_b, &b, &ga));
    assert_memory_equal(at_a.b, at_b.b, 32);
    assert_bytes(vectors_hex_digits("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"), at_a.b,
                 sizeof at_a.b);
}

/* RFC 7748, section 5.2: a clamped scalar and a point whose top bit is ignored */
static void exchange__matches__rfc_7748(void **state)
{
    (void)state;
    static const struct {
        const char *scalar, *point, *out;
    } cases[] = {
        {"a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
         "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
         "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"},
        {"4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
         "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
         "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957"},
    };
    for (size_t i = 0; i < 2; i++) {
        struct psst_x25519_private scalar;
        struct psst_x25519_public point;
        struct psst_x25519_secret out;
        memcpy(scalar.b, vectors_hex_digits(cases[i].scalar).data, sizeof scalar.b);
        memcpy(point.b, vectors_hex_digits(cases[i].point).data, sizeof point.b);
        assert_ok(psst_x25519(&out, &scalar, &point));
        assert_bytes(vectors_hex_digits(cases[i].out), out.b, sizeof out.b);
    }
}

static void exchange__aborts__on_an_all_zero_result(void **state)
{
    (void)state;
    size_t i;
    json_t *v;
    json_array_foreach(vectors_array(root, "x25519_all_zero"), i, v)
    {
        struct psst_x25519_private priv;
        struct psst_x25519_public point;
        struct psst_x25519_secret out;
        memset(&out, 0xaa, sizeof out);
        const struct psst_x25519_secret before = out;
        vectors_hex_exact(v, "scalar", priv.b, sizeof priv.b);
        vectors_hex_exact(v, "point", point.b, sizeof point.b);
        assert_err(PSST_ERR_AUTH, psst_x25519(&out, &priv, &point));
        assert_memory_equal(&before, &out, sizeof out);
    }
    assert_int_equal(9, i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(public__matches__the_vectors),
        cmocka_unit_test(both_sides__share__one_secret),
        cmocka_unit_test(exchange__matches__rfc_7748),
        cmocka_unit_test(exchange__aborts__on_an_all_zero_result),
    };
    return cmocka_run_group_tests_name("crypto/x25519", tests, load, unload);
}
