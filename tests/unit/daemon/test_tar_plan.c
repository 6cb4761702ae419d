/* What becomes of the names in an archive: every line of attacks 29 to 33 and 35. */
#include "support/check.h"
#include "support/failing_malloc.h"

#include "daemon/tar/tar.h"

#include <stdio.h>

#define ARCHIVE 1000000

static enum psst_err add_sized(struct psst_tar_plan *plan, struct psst_view path, bool folder, uint64_t size,
                               uint64_t offset, struct psst_diag *diag)
{
    const struct psst_tar_item item = {.path = path, .folder = folder, .size = size, .offset = offset};
    return psst_tar_plan_add(plan, &item, diag);
}

static enum psst_err add(struct psst_tar_plan *plan, const char *path, struct psst_diag *diag)
{
    size_t len = strlen(path);
    bool folder = len > 0 && path[len - 1] == '/';
    return add_sized(plan, psst_view(path, len), folder, folder ? 0 : 10, 512, diag);
}

/* All paths of the plan, a folder's with '/', one a line. */
static const char *shown(const struct psst_tar_plan *plan)
{
    static char all[65536];
    size_t at = 0;
    all[0] = '\0';
    for (const struct psst_tar_node *node = plan->first; node != NULL; node = node->next) {
        const struct psst_tar_node *way[PSST_TAR_DEPTH_MAX + 1];
        for (const struct psst_tar_node *n = node; n != NULL; n = n->parent) way[n->depth] = n;
        for (unsigned d = 1; d <= node->depth; d++)
            at += (size_t)snprintf(all + at, sizeof all - at, "%s%s", way[d]->name, way[d]->folder ? "/" : "");
        at += (size_t)snprintf(all + at, sizeof all - at, "\n");
        assert_true(at < sizeof all);
    }
    return all;
}

#define LITERAL(x)                                                                                                     \
    {                                                                                                                  \
        (const uint8_t *)(x), sizeof(x) - 1                                                                            \
    }
#define NAME_250                                                                                                       \
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"             \
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"             \
    "01234567890123456789012345678901234567890123456789"

static void path__that_lies_about_its_place__is_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        struct psst_view path;
        bool folder;
        const char *words;
    } cases[] = {
        {LITERAL(""), false, "\"\" has no name"},
        {LITERAL("/"), true, "\"/\" is a path of its own"},
        {LITERAL("//"), true, "is a path of its own"},
        {LITERAL("/etc/passwd"), false, "\"/etc/passwd\" is a path of its own, outside of the folder"},
        {LITERAL("//etc/passwd"), false, "is a path of its own"},
        {LITERAL(".."), false, "\"..\" leads out of the folder"},
        {LITERAL("../"), true, "leads out of the folder"},
        {LITERAL("../x"), false, "\"../x\" leads out of the folder"},
        {LITERAL("a/../../x"), false, "leads out of the folder"},
        {LITERAL("a/.."), false, "leads out of the folder"},
        {LITERAL("a/../"), true, "leads out of the folder"},
        {LITERAL("."), true, "has \".\" in its path"},
        {LITERAL("./"), true, "has \".\" in its path"},
        {LITERAL("./x"), false, "has \".\" in its path"},
        {LITERAL("a/./x"), false, "has \".\" in its path"},
        {LITERAL("a//x"), false, "has an empty part in its path"},
        {LITERAL("a/"), false, "has an empty part in its path"},
        {LITERAL("a//"), true, "has an empty part in its path"},
        {LITERAL("a\0b"), false, "has a name that is no UTF-8"},
        {LITERAL("a\0/../x"), false, "has a name that is no UTF-8"},
        {LITERAL("\0"), false, "has a name that is no UTF-8"},
        {LITERAL("a\xff"), false, "has a name that is no UTF-8"},
        {LITERAL("\xc0\xae\xc0\xae/x"), false, "has a name that is no UTF-8"}, /* ".." in overlong forms */
        {LITERAL("\xed\xa0\x80"), false, "has a name that is no UTF-8"},
        {LITERAL(NAME_250 "012345"), false, "has a name that is too long"},
        {LITERAL("a/" NAME_250 "012345/b"), false, "has a name that is too long"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct psst_tar_plan plan;
        struct psst_diag diag = {{0}};
        psst_tar_plan_init(&plan, ARCHIVE);
        assert_err(PSST_ERR_MALFORMED, add_sized(&plan, cases[i].path, cases[i].folder, 0, 512, &diag));
        if (strstr(diag.text, cases[i].words) == NULL) fail_msg("%zu: %s", i, diag.text);
        assert_non_null(strstr(diag.text, "What came is refused: "));
        psst_tar_plan_fini(&plan);
    }
}

static void path__becomes__a_safe_one(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"photo.jpg", "photo.jpg\n"},
        {"a/b/c.txt", "a/\na/b/\na/b/c.txt\n"},
        {"a/", "a/\n"},
        {".bashrc", "bashrc\n"},
        {".ssh/authorized_keys", "ssh/\nssh/authorized_keys\n"},
        {".git/.../config", "git/\ngit/file/\ngit/file/config\n"},
        {"-rf", "rf\n"},
        {"x/--help", "x/\nx/help\n"},
        {"app.desktop", "app.desktop\n"},
        {" a /b. ", "a/\na/b\n"},
        {"a\nb\x1b[2J", "a\xe2\x90\x8a"
                        "b\xe2\x90\x9b[2J\n"},
        {"gpj\xe2\x80\xae"
         "exe.sh",
         "gpjexe.sh\n"},
        {"C:\\windows\\system32", "system32\n"},
        {"a\\..\\..\\x", "x\n"},
        {"...", "file\n"},
        {"\xe2\x80\x8b..", "file\n"}, /* a zero-width character does not make ".." harmless: it becomes "file" */
        {"\xe2\x80\xa4\xe2\x80\xa4/x", "\xe2\x80\xa4\xe2\x80\xa4/\n\xe2\x80\xa4\xe2\x80\xa4/x\n"}, /* look-alikes */
        {"CON", "CON\n"},
        {"%n%s", "%n%s\n"},
        {"Gr\xc3\xbc\xc3\x9f"
         "e/e\xcc\x81",
         "Gr\xc3\xbc\xc3\x9f"
         "e/\nGr\xc3\xbc\xc3\x9f"
         "e/e\xcc\x81\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct psst_tar_plan plan;
        struct psst_diag diag = {{0}};
        psst_tar_plan_init(&plan, ARCHIVE);
        assert_ok(add(&plan, cases[i][0], &diag));
        assert_string_equal(cases[i][1], shown(&plan));
        psst_tar_plan_fini(&plan);
    }
}

static void names__that_become_one__are_numbered(void **state)
{
    (void)state;
    struct psst_tar_plan plan;
    struct psst_diag diag = {{0}};
    psst_tar_plan_init(&plan, ARCHIVE);
    static const char *const paths[] = {"a.txt", ".a.txt", "..a.txt", "a (2).txt", "-a.txt",
                                        "d/x",   ".d/x",   ".d/.x",   "d/y"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) assert_ok(add(&plan, paths[i], &diag));
    assert_string_equal("a.txt\n"
                        "a (2).txt\n"
                        "a (3).txt\n"
                        "a (2) (2).txt\n"
                        "a (4).txt\n"
                        "d/\n"
                        "d/x\n"
                        "d (2)/\n"
                        "d (2)/x\n"
                        "d (2)/x (2)\n"
                        "d/y\n",
                        shown(&plan));
    assert_int_equal(9, plan.files);
    assert_int_equal(2, plan.folders);
    assert_int_equal(6, plan.renamed);
    psst_tar_plan_fini(&plan);
}

static void names__that_become_one_too_often__are_refused(void **state)
{
    (void)state;
    struct psst_tar_plan plan;
    struct psst_diag diag = {{0}};
    psst_tar_plan_init(&plan, ARCHIVE);
    enum psst_err err = PSST_OK;
    unsigned n = 0;
    for (char path[2048] = ""; err == PSST_OK && n < 2000; n++) { /* ".x", "..x", ... all "x" */
        size_t len = n % 200 + 1;
        memset(path, n < 200 ? '.' : n < 400 ? '-' : n < 600 ? ' ' : '.', len);
        (void)snprintf(path + len, sizeof path - len, "%*sx", (int)(n / 200 * 5), "");
        err = add(&plan, path, &diag);
    }
    assert_err(PSST_ERR_MALFORMED, err);
    assert_int_equal(1000, n);
    assert_non_null(strstr(diag.text, "has the same name as too many others"));
    psst_tar_plan_fini(&plan);
}

static void entry__that_is_there_twice__is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *first, *second, *words; /* NULL: allowed */
    } cases[] = {
        {"a", "a", "\"a\" is there twice"},
        {"a/", "a", "is there twice"},
        {"a", "a/", "is there twice"},
        {"a/b", "a", "is there twice"},
        {"a", "a/b", "lies in something that is no folder"},
        {"a/", "a/", NULL},
        {"a/b", "a/", NULL},
        {"a/b", "a/b/", "is there twice"},
        {"a", "A", NULL}, /* two names here; what the file system makes of it is seen when they are written */
        {"e\xcc\x81", "\xc3\xa9", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct psst_tar_plan plan;
        struct psst_diag diag = {{0}};
        psst_tar_plan_init(&plan, ARCHIVE);
        assert_ok(add(&plan, cases[i].first, &diag));
        assert_err(cases[i].words == NULL ? PSST_OK : PSST_ERR_MALFORMED, add(&plan, cases[i].second, &diag));
        if (cases[i].words != NULL) assert_non_null(strstr(diag.text, cases[i].words));
        psst_tar_plan_fini(&plan);
    }
}

static void size__that_lies__is_refused(void **state)
{
    (void)state;
    static const struct {
        uint64_t size, offset;
        bool good;
    } cases[] = {
        {ARCHIVE - 512, 512, true},
        {ARCHIVE - 511, 512, false},
        {ARCHIVE, 0, true},
        {ARCHIVE + 1, 0, false},
        {0, ARCHIVE, true},
        {0, ARCHIVE + 1, false},
        {UINT64_C(1) << 63, 512, false},
        {UINT64_MAX, 512, false},
        {UINT64_MAX - 511, 512, false},
        {512, UINT64_MAX, false},
        {512, UINT64_MAX - 511, false},
        {1, UINT64_C(1) << 63, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct psst_tar_plan plan;
        struct psst_diag diag = {{0}};
        psst_tar_plan_init(&plan, ARCHIVE);
        enum psst_err want = cases[i].good ? PSST_OK : PSST_ERR_MALFORMED;
        assert_err(want, add_sized(&plan, psst_view_str("x"), false, cases[i].size, cases[i].offset, &diag));
        psst_tar_plan_fini(&plan);
    }
}

static void sizes__together_longer_than_the_archive__are_refused(void **state)
{
    (void)state;
    struct psst_tar_plan plan;
    struct psst_diag diag = {{0}};
    psst_tar_plan_init(&plan, ARCHIVE);
    assert_ok(add_sized(&plan, psst_view_str("a"), false, ARCHIVE / 2, 0, &diag));
    assert_ok(add_sized(&plan, psst_view_str("b"), false, ARCHIVE / 2, 0, &diag));
    assert_err(PSST_ERR_MALFORMED, add_sized(&plan, psst_view_str("c"), false, 1, 0, &diag));
    assert_err(PSST_ERR_MALFORMED, add_sized(&plan, psst_view_str("d"), true, 1, 0, &diag));
    psst_tar_plan_fini(&plan);
}

static void depth__over_the_limit__is_refused(void **state)
{
    (void)state;
    struct psst_tar_plan plan;
    struct psst_diag diag = {{0}};
    char path[PSST_TAR_PATH_MAX * 2];
    psst_tar_plan_init(&plan, ARCHIVE);
    for (size_t i = 0; i < PSST_TAR_DEPTH_MAX; i++) memcpy(path + 2 * i, "d/", 3);
    assert_ok(add(&plan, path, &diag));
    memcpy(path + 2 * PSST_TAR_DEPTH_MAX, "x", 2);
    assert_err(PSST_ERR_MALFORMED, add(&plan, path, &diag));
    assert_non_null(strstr(diag.text, "lies in too many folders"));
    assert_int_equal(PSST_TAR_DEPTH_MAX, plan.folders);

    diag.text[0] = '\0';
    memset(path, 'x', sizeof path);
    for (size_t i = 200; i < sizeof path; i += 201) path[i] = '/';
    path[PSST_TAR_PATH_MAX + 1] = '\0';
    assert_err(PSST_ERR_MALFORMED, add(&plan, path, &diag));
    assert_non_null(strstr(diag.text, "has a path that is too long"));
    path[PSST_TAR_PATH_MAX] = '\0';
    assert_ok(add(&plan, path, &diag));
    psst_tar_plan_fini(&plan);
}

static void entries__over_the_limit__are_refused(void **state)
{
    (void)state;
    struct psst_tar_plan plan;
    struct psst_diag diag = {{0}};
    psst_tar_plan_init(&plan, ARCHIVE);
    for (unsigned i = 0; i < PSST_TAR_ENTRIES_MAX / 2; i++) { /* each makes a folder and what is in it */
        char path[32];
        (void)snprintf(path, sizeof path, "%u/x/", i);
        assert_ok(add(&plan, path, &diag));
    }
    assert_err(PSST_ERR_MALFORMED, add(&plan, "one more", &diag));
    assert_non_null(strstr(diag.text, "more than 100000 files and folders"));
    assert_ok(add(&plan, "7/x/", &diag)); /* it is there */
    psst_tar_plan_fini(&plan);
}

static void plan__out_of_memory__is_an_ordinary_error(void **state)
{
    (void)state;
    unsigned n = 1;
    for (;; n++) {
        struct psst_tar_plan plan;
        struct psst_diag diag = {{0}};
        psst_tar_plan_init(&plan, ARCHIVE);
        failing_malloc_at(n);
        enum psst_err err = add(&plan, "a/b/c", &diag);
        if (err == PSST_OK) err = add(&plan, ".a/b/.c", &diag);
        bool failed = failing_malloc_stop();
        assert_true(err == PSST_OK || err == PSST_ERR_MEMORY); /* a name that cannot be rendered is called "file" */
        psst_tar_plan_fini(&plan);
        if (!failed) {
            assert_ok(err);
            break;
        }
    }
    assert_true(n > 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(path__that_lies_about_its_place__is_refused_by_name),
        cmocka_unit_test(path__becomes__a_safe_one),
        cmocka_unit_test(names__that_become_one__are_numbered),
        cmocka_unit_test(names__that_become_one_too_often__are_refused),
        cmocka_unit_test(entry__that_is_there_twice__is_refused),
        cmocka_unit_test(size__that_lies__is_refused),
        cmocka_unit_test(sizes__together_longer_than_the_archive__are_refused),
        cmocka_unit_test(depth__over_the_limit__is_refused),
        cmocka_unit_test(entries__over_the_limit__are_refused),
        cmocka_unit_test(plan__out_of_memory__is_an_ordinary_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
