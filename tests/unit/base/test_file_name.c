/* What a peer's file name becomes (attacks 29, 30, 35). */
#include "support/check.h"

#include "base/file_name.h"

static void name__becomes__a_safe_base_name(void **state)
{
    (void)state;
#define LITERAL(x)                                                                                                     \
    {                                                                                                                  \
        (const uint8_t *)(x), sizeof(x) - 1                                                                            \
    }
    static const struct {
        struct psst_view in;
        const char *out;
    } cases[] = {
        {LITERAL("photo.jpg"), "photo.jpg"},
        {LITERAL("../../etc/passwd"), "passwd"},
        {LITERAL("/etc/passwd"), "passwd"},
        {LITERAL("C:\\Users\\eve\\evil.exe"), "evil.exe"},
        {LITERAL("a/b\\c"), "c"},
        {LITERAL("folder/"), "file"},
        {LITERAL(".."), "file"},
        {LITERAL("..\xcc\x81x"), "\xe2\x97\x8c\xcc\x81x"}, /* the mark must not sit on what stands before the name */
        {LITERAL("."), "file"},
        {LITERAL("/"), "file"},
        {LITERAL(""), "file"},
        {LITERAL("   "), "file"},
        {LITERAL(". . -"), "file"},
        {LITERAL("-rf"), "rf"},
        {LITERAL("--help"), "help"},
        {LITERAL("- .-bashrc"), "bashrc"},
        {LITERAL(".bashrc"), "bashrc"},
        {LITERAL("..hidden.txt"), "hidden.txt"},
        {LITERAL(" name "), "name"},
        {LITERAL("name. . ."), "name"},
        {LITERAL("\xc2\xa0\xe3\x80\x80n\xe2\x80\x83"), "n"},
        {LITERAL("two  words.txt"), "two  words.txt"},
        {LITERAL("app.desktop"), "app.desktop"},
        {LITERAL("a\0b"), "a\xe2\x90\x80"
                          "b"},
        {LITERAL("a\nb\tc"), "a\xe2\x90\x8a"
                             "b\xe2\x90\x89"
                             "c"},
        {LITERAL("\x1b[31mred"), "\xe2\x90\x9b[31mred"},
        {LITERAL("a\x7f"), "a\xe2\x90\xa1"},
        {LITERAL("photo\xe2\x80\xaegpj.exe"), "photogpj.exe"},     /* right-to-left override: attack 35 */
        {LITERAL("\xe2\x80\x8b.\xe2\x80\x8b.profile"), "profile"}, /* zero-width before and between the dots */
        {LITERAL("bad\xff\xfe.txt"), "bad\xef\xbf\xbd\xef\xbf\xbd.txt"},
        {LITERAL("Gr\xc3\xbc\xc3\x9f"
                 "e.txt"),
         "Gr\xc3\xbc\xc3\x9f"
         "e.txt"},
        {LITERAL("\xf0\x9f\x8d\x95.png"), "\xf0\x9f\x8d\x95.png"},
        {LITERAL("%n%s<b>.txt"), "%n%s<b>.txt"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char out[PSST_SAFE_NAME_SIZE];
        psst_file_name_sanitize(out, cases[i].in);
        assert_string_equal(out, cases[i].out);
        char again[PSST_SAFE_NAME_SIZE];
        psst_file_name_sanitize(again, psst_view_str(out));
        assert_string_equal(again, out);
    }
}

static void name__too_long__keeps_whole_characters_and_its_extension(void **state)
{
    (void)state;
    static uint8_t in[70000];
    char out[PSST_SAFE_NAME_SIZE];
    memset(in, 'a', sizeof in);
    psst_file_name_sanitize(out, psst_view(in, 300));
    assert_int_equal(strlen(out), PSST_SAFE_NAME_MAX);
    psst_file_name_sanitize(out, psst_view(in, sizeof in));
    assert_int_equal(strlen(out), PSST_SAFE_NAME_MAX);

    memcpy(in + sizeof in - 5, ".jpeg", 5);
    psst_file_name_sanitize(out, psst_view(in, sizeof in));
    assert_int_equal(strlen(out), PSST_SAFE_NAME_MAX);
    assert_string_equal(out + PSST_SAFE_NAME_MAX - 5, ".jpeg");

    for (size_t shift = 0; shift < 3; shift++) { /* three-byte characters, cut at each of their bytes */
        memset(in, 'a', shift);
        for (size_t i = shift; i + 3 <= 600; i += 3) memcpy(in + i, "\xe2\x82\xac", 3);
        memcpy(in + 600, ".txt", 4);
        psst_file_name_sanitize(out, psst_view(in, 604));
        size_t len = strlen(out);
        assert_true(len <= PSST_SAFE_NAME_MAX && len > PSST_SAFE_NAME_MAX - 3);
        assert_string_equal(out + len - 4, ".txt");
        assert_int_equal((len - 4 - shift) % 3, 0);
    }
}

static void name__of_any_bytes__is_safe(void **state)
{
    (void)state;
    uint32_t random = 1;
    for (int round = 0; round < 20000; round++) {
        uint8_t in[64];
        static const char spice[] = "/\\.- \0\n\x7f\xc2\xa0\xe2\x80\xae.";
        size_t len = (random >> 8) % sizeof in;
        for (size_t i = 0; i < len; i++) {
            random = random * 1664525u + 1013904223u;
            in[i] = (random >> 30) == 0 ? (uint8_t)spice[(random >> 8) % (sizeof spice - 1)] : (uint8_t)(random >> 16);
        }
        random = random * 1664525u + 1013904223u;
        char out[PSST_SAFE_NAME_SIZE];
        psst_file_name_sanitize(out, psst_view(in, len));
        size_t n = strlen(out);
        assert_true(n > 0 && n <= PSST_SAFE_NAME_MAX);
        assert_null(strpbrk(out, "/\\\n\x1b\x7f"));
        assert_true(out[0] != '.' && out[0] != '-' && out[0] != ' ');
        assert_true(out[n - 1] != '.' && out[n - 1] != ' ');
    }
}

static void copy__counts__before_the_extension(void **state)
{
    (void)state;
    char out[PSST_SAFE_NAME_SIZE], longest[PSST_SAFE_NAME_MAX + 1];
    psst_file_name_copy(out, "photo.jpg", 1);
    assert_string_equal(out, "photo.jpg");
    psst_file_name_copy(out, "photo.jpg", 2);
    assert_string_equal(out, "photo (2).jpg");
    psst_file_name_copy(out, "photo", 999);
    assert_string_equal(out, "photo (999)");
    memset(longest, 'a', sizeof longest);
    longest[PSST_SAFE_NAME_MAX] = '\0';
    psst_file_name_copy(out, longest, PSST_SAFE_COPIES);
    assert_int_equal(strlen(out), PSST_SAFE_NAME_MAX + 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(name__becomes__a_safe_base_name),
        cmocka_unit_test(name__too_long__keeps_whole_characters_and_its_extension),
        cmocka_unit_test(name__of_any_bytes__is_safe),
        cmocka_unit_test(copy__counts__before_the_extension),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
