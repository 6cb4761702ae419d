/* Buffers and readers: their limits, their sticky failures, big-endian numbers. */
#include "support/check.h"

#include "base/secret.h"

#include <stdio.h>

static void numbers__are__big_endian(void **state)
{
    (void)state;
    struct psst_buf buf;
    psst_buf_init(&buf, 100);
    psst_buf_put_u8(&buf, 0x01);
    psst_buf_put_u16(&buf, 0x0203);
    psst_buf_put_u24(&buf, 0x040506);
    psst_buf_put_u32(&buf, 0x0708090a);
    psst_buf_put_u64(&buf, UINT64_C(0x0b0c0d0e0f101112));
    assert_bytes(psst_view("\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17\20\21\22", 18), buf.data, buf.len);
    struct psst_reader r = psst_reader(psst_buf_view(&buf));
    assert_int_equal(0x01, psst_read_u8(&r));
    assert_int_equal(0x0203, psst_read_u16(&r));
    assert_int_equal(0x040506, psst_read_u24(&r));
    assert_int_equal(0x0708090a, psst_read_u32(&r));
    assert_true(psst_read_u64(&r) == UINT64_C(0x0b0c0d0e0f101112));
    assert_true(psst_reader_end(&r));
    psst_buf_fini(&buf);
}

static void numbers__keep__their_top_bits(void **state)
{
    (void)state;
    uint8_t b[8];
    psst_store_u16(b, UINT16_MAX - 1);
    assert_int_equal(UINT16_MAX - 1, psst_load_u16(b));
    psst_store_u32(b, UINT32_MAX - 1);
    assert_true(psst_load_u32(b) == UINT32_MAX - 1);
    psst_store_u64(b, UINT64_MAX - 1);
    assert_true(psst_load_u64(b) == UINT64_MAX - 1);
}

static void buf__stops__at_its_maximum(void **state)
{
    (void)state;
    struct psst_buf buf;
    psst_buf_init(&buf, 5);
    psst_buf_put(&buf, "abc", 3);
    psst_buf_put(&buf, "de", 2);
    assert_false(buf.failed);
    assert_bytes(psst_view("abcde", 5), buf.data, buf.len);
    psst_buf_put_u8(&buf, 'f');
    assert_true(buf.failed);
    assert_int_equal(5, buf.len);
    psst_buf_put(&buf, NULL, 0);
    assert_err(PSST_ERR_MEMORY, psst_buf_reserve(&buf, 0));
    psst_buf_fini(&buf);
    assert_false(buf.failed);
    assert_int_equal(5, buf.max);
    assert_ok(psst_buf_reserve(&buf, 5));
    assert_int_equal(0, buf.len);
    psst_buf_fini(&buf);
}

static void buf__refuses__lengths_that_would_wrap(void **state)
{
    (void)state;
    struct psst_buf buf;
    psst_buf_init(&buf, SIZE_MAX);
    psst_buf_put_str(&buf, "some bytes");
    assert_err(PSST_ERR_TOO_LONG, psst_buf_reserve(&buf, SIZE_MAX));
    assert_int_equal(10, buf.len);
    psst_buf_fini(&buf);
    psst_buf_init(&buf, 0);
    assert_err(PSST_ERR_TOO_LONG, psst_buf_reserve(&buf, 1));
    psst_buf_fini(&buf);
    assert_ok(psst_buf_reserve(&buf, 0));
    psst_buf_fini(&buf);
}

static void buf__keeps__its_content_while_growing(void **state)
{
    (void)state;
    struct psst_buf buf;
    psst_buf_init(&buf, 100000);
    for (unsigned i = 0; i < 25000; i++) psst_buf_put_u32(&buf, i);
    assert_false(buf.failed);
    assert_int_equal(100000, buf.len);
    for (unsigned i = 0; i < 25000; i++) assert_int_equal(i, psst_load_u32(buf.data + (size_t)4 * i));
    psst_buf_put_u8(&buf, 0);
    assert_true(buf.failed);
    psst_buf_fini(&buf);
}

static void consume__moves__the_rest_to_the_front(void **state)
{
    (void)state;
    struct psst_buf buf;
    psst_buf_init(&buf, 100);
    psst_buf_consume(&buf, 3);
    psst_buf_put_str(&buf, "abcdef");
    psst_buf_consume(&buf, 0);
    psst_buf_consume(&buf, 2);
    assert_bytes(psst_view_str("cdef"), buf.data, buf.len);
    psst_buf_consume(&buf, 100);
    assert_int_equal(0, buf.len);
    psst_buf_fini(&buf);
}

static void printf__counts__no_terminator(void **state)
{
    (void)state;
    struct psst_buf buf;
    psst_buf_init(&buf, 12);
    psst_buf_put_str(&buf, "n=");
    psst_buf_printf(&buf, "%d", -1234);
    assert_bytes(psst_view_str("n=-1234"), buf.data, buf.len);
    psst_buf_printf(&buf, "%s", "12345");
    assert_true(buf.failed); /* five bytes would fit, their terminator does not */
    psst_buf_fini(&buf);
}

static void put_zeros__puts__zeros(void **state)
{
    (void)state;
    struct psst_buf buf;
    psst_buf_init(&buf, 70);
    psst_buf_put_str(&buf, "x");
    psst_buf_put_zeros(&buf, 69);
    psst_buf_put_zeros(&buf, 0);
    assert_false(buf.failed);
    for (size_t i = 1; i < 70; i++) assert_int_equal(0, buf.data[i]);
    psst_buf_put_zeros(&buf, 1);
    assert_true(buf.failed);
    psst_buf_fini(&buf);
}

static void reader__fails__for_good(void **state)
{
    (void)state;
    struct psst_reader r = psst_reader(psst_view("\1\2\3", 3));
    assert_int_equal(0, psst_read_u32(&r));
    assert_true(r.failed);
    assert_int_equal(0, psst_read_u8(&r));
    assert_int_equal(0, psst_read_rest(&r).len);
    assert_false(psst_reader_end(&r));
    uint8_t out[2] = {9, 9};
    psst_read_bytes(&r, out, 2);
    assert_memory_equal("\0\0", out, 2);
    psst_read_bytes(&r, out, 0);
}

static void reader__demands__its_end(void **state)
{
    (void)state;
    struct psst_reader r = psst_reader(psst_view("abc", 3));
    assert_bytes(psst_view_str("ab"), psst_read_view(&r, 2).data, 2);
    assert_false(psst_reader_end(&r));
    assert_bytes(psst_view_str("c"), psst_read_rest(&r).data, 1);
    assert_true(psst_reader_end(&r));
    assert_int_equal(0, psst_read_view(&r, 0).len);
    assert_true(psst_reader_end(&r));
    r = psst_reader(psst_view(NULL, 0));
    assert_int_equal(0, psst_read_rest(&r).len);
    assert_true(psst_reader_end(&r));
    assert_int_equal(0, psst_read_view(&r, SIZE_MAX).len);
    assert_false(psst_reader_end(&r));
}

static void read_zeros__refuses__anything_else(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
        bool good;
    } cases[] = {{"", 0, true}, {"\0", 1, true}, {"\0\0\0", 3, true}, {"\0\0\1", 3, false}, {"\200\0", 2, false}};
    for (size_t i = 0; i < 5; i++) {
        struct psst_reader r = psst_reader(psst_view(cases[i].bytes, cases[i].len));
        psst_read_zeros(&r);
        assert_int_equal(cases[i].good, psst_reader_end(&r));
    }
}

static void view_equal__compares__length_and_content(void **state)
{
    (void)state;
    assert_true(psst_view_equal(psst_view_str("ab"), psst_view("abc", 2)));
    assert_false(psst_view_equal(psst_view_str("ab"), psst_view_str("abc")));
    assert_false(psst_view_equal(psst_view_str("ab"), psst_view_str("ac")));
    assert_true(psst_view_equal(psst_view(NULL, 0), psst_view("x", 0)));
}

static void wipe__leaves__zeros_and_nothing_more(void **state)
{
    (void)state;
    uint8_t b[6] = {1, 2, 3, 4, 5, 6};
    psst_wipe(b + 1, 4);
    assert_memory_equal("\1\0\0\0\0\6", b, 6);
    psst_wipe(NULL, 0);
    struct psst_aead_key key;
    memset(&key, 0xff, sizeof key);
    PSST_WIPE(key);
    for (size_t i = 0; i < sizeof key.b; i++) assert_int_equal(0, key.b[i]);
}

static void fail__keeps__the_first_sentence(void **state)
{
    (void)state;
    struct psst_diag diag = {.text = ""};
    assert_err(PSST_ERR_IO, psst_fail(&diag, PSST_ERR_IO, "%s is %d", "x", 3));
    assert_err(PSST_ERR_FULL, psst_fail(&diag, PSST_ERR_FULL, "later"));
    assert_string_equal("x is 3", diag.text);
    assert_err(PSST_ERR_FULL, psst_fail(NULL, PSST_ERR_FULL, "nobody reads"));
    struct psst_diag cut = {.text = ""};
    char long_text[400];
    memset(long_text, 'a', sizeof long_text);
    long_text[399] = '\0';
    assert_err(PSST_ERR_IO, psst_fail(&cut, PSST_ERR_IO, "%s", long_text));
    assert_int_equal(sizeof cut.text - 1, strlen(cut.text));
}

static void err_name__is__different_for_each(void **state)
{
    (void)state;
    for (int a = PSST_OK; a <= PSST_ERR_INTERNAL; a++) {
        assert_string_not_equal("unknown", psst_err_name((enum psst_err)a));
        for (int b = PSST_OK; b < a; b++)
            assert_string_not_equal(psst_err_name((enum psst_err)a), psst_err_name((enum psst_err)b));
    }
    assert_string_equal("unknown", psst_err_name((enum psst_err)9999));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers__are__big_endian),
        cmocka_unit_test(numbers__keep__their_top_bits),
        cmocka_unit_test(buf__stops__at_its_maximum),
        cmocka_unit_test(buf__refuses__lengths_that_would_wrap),
        cmocka_unit_test(buf__keeps__its_content_while_growing),
        cmocka_unit_test(consume__moves__the_rest_to_the_front),
        cmocka_unit_test(printf__counts__no_terminator),
        cmocka_unit_test(put_zeros__puts__zeros),
        cmocka_unit_test(reader__fails__for_good),
        cmocka_unit_test(reader__demands__its_end),
        cmocka_unit_test(read_zeros__refuses__anything_else),
        cmocka_unit_test(view_equal__compares__length_and_content),
        cmocka_unit_test(wipe__leaves__zeros_and_nothing_more),
        cmocka_unit_test(fail__keeps__the_first_sentence),
        cmocka_unit_test(err_name__is__different_for_each),
    };
    return cmocka_run_group_tests_name("base/bytes", tests, NULL, NULL);
}
