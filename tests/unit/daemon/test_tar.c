/* Folders packed and unpacked in this process: walk, pack, read, plan, write. Hostile archives, and the program itself, are
 * tests/e2e/test_tar.py's. */
#include "folder.h"

#include "daemon/tar/tar.h"
#include "daemon/tar/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

struct world {
    struct folder f;
    int top, from, to; /* it, and folders in it */
};

static int open_folder(const char *path)
{
    return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    if (w == NULL) return -1;
    folder_init(&w->f);
    assert_int_equal(0, mkdir(folder_file(&w->f, "from"), 0700));
    assert_int_equal(0, mkdir(folder_file(&w->f, "to"), 0700));
    w->top = open_folder(w->f.path);
    w->from = open_folder(folder_file(&w->f, "from"));
    w->to = open_folder(folder_file(&w->f, "to"));
    assert_true(w->from >= 0 && w->to >= 0);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    assert_ok(psst_tree_empty(w->from));
    assert_ok(psst_tree_empty(w->to));
    (void)close(w->top);
    (void)close(w->from);
    (void)close(w->to);
    folder_fini(&w->f);
    free(w);
    return 0;
}

static void put(int dir_fd, const char *name, const void *data, size_t len)
{
    int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(len == 0 ? 0 : write(fd, data, len), len);
    const struct timespec times[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000, .tv_nsec = 5}};
    assert_int_equal(0, futimens(fd, times));
    assert_int_equal(0, close(fd));
}

static size_t get(int dir_fd, const char *name, void *out, size_t size)
{
    int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    assert_true(fd >= 0);
    ssize_t n = read(fd, out, size);
    assert_true(n >= 0);
    assert_int_equal(0, close(fd));
    return (size_t)n;
}

static struct stat status(int dir_fd, const char *name)
{
    struct stat st;
    assert_int_equal(0, fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW));
    return st;
}

/* Packs from into a file, whose descriptor is given. */
static int packed(const struct world *w, struct psst_tar_facts *facts)
{
    struct psst_diag diag = {{0}};
    assert_ok(psst_tar_measure(w->from, facts, NULL, NULL, &diag));
    int fd = open(folder_file(&w->f, "tar"), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_ok(psst_tar_pack(w->from, fd, facts->size, facts->stamp, &diag));
    assert_int_equal(facts->size, lseek(fd, 0, SEEK_END));
    return fd;
}

static enum psst_err add(void *ctx, const struct psst_tar_item *item, struct psst_diag *diag)
{
    return psst_tar_plan_add(ctx, item, diag);
}

/* What psst_tar_unpack does, in one process and without a filter. Closes fd. */
static enum psst_err unpacked(const struct world *w, int fd, struct psst_tar_facts *facts, struct psst_diag *diag)
{
    struct psst_tar_plan plan;
    struct stat st;
    assert_int_equal(0, fstat(fd, &st));
    psst_tar_plan_init(&plan, (uint64_t)st.st_size);
    enum psst_err err = psst_tar_read(fd, (uint64_t)st.st_size, add, &plan, diag);
    if (err == PSST_OK) err = psst_tar_write(&plan, fd, w->to, diag);
    *facts = (struct psst_tar_facts){
        .bytes = plan.bytes, .files = plan.files, .folders = plan.folders, .renamed = plan.renamed};
    psst_tar_plan_fini(&plan);
    assert_int_equal(0, close(fd));
    return err;
}

static void folder__round_trip__is_the_same(void **state)
{
    struct world *w = *state;
    static uint8_t big[3000001], back[sizeof big + 1];
    for (size_t i = 0; i < sizeof big; i++) big[i] = (uint8_t)(i * 7 >> 3);
    assert_int_equal(0, mkdirat(w->from, "sub", 0755));
    assert_int_equal(0, mkdirat(w->from, "empty", 0755));
    assert_int_equal(0, mkdirat(w->from,
                                "Gr\xc3\xbc\xc3\x9f"
                                "e",
                                0755));
    put(w->from, "a", "", 0);
    put(w->from, "b", "b", 1);
    put(w->from, "sub/block", big, 512);
    put(w->from, "sub/more", big, 513);
    put(w->from, "sub/big", big, sizeof big);
    put(w->from,
        "Gr\xc3\xbc\xc3\x9f"
        "e/e\xcc\x81",
        "x", 1); /* e and an accent: no other form may come of it */
    put(w->from, "100 % & (copy) 'quoted'", "x", 1);
    assert_int_equal(0, fchmodat(w->from, "b", 0755, 0));

    struct psst_tar_facts facts, got;
    struct psst_diag diag = {{0}};
    int fd = packed(w, &facts);
    assert_int_equal(7, facts.files);
    assert_int_equal(3, facts.folders);
    assert_int_equal(0, facts.left);
    assert_int_equal(0 + 1 + 512 + 513 + sizeof big + 1 + 1, facts.bytes);
    assert_ok(unpacked(w, fd, &got, &diag));
    assert_int_equal(7, got.files);
    assert_int_equal(3, got.folders);
    assert_int_equal(0, got.renamed);

    assert_int_equal(0, get(w->to, "a", back, sizeof back));
    assert_int_equal(sizeof big, get(w->to, "sub/big", back, sizeof back));
    assert_memory_equal(big, back, sizeof big);
    assert_int_equal(512, get(w->to, "sub/block", back, sizeof back));
    assert_int_equal(513, get(w->to, "sub/more", back, sizeof back));
    assert_memory_equal(big, back, 513);
    assert_int_equal(1, get(w->to,
                            "Gr\xc3\xbc\xc3\x9f"
                            "e/e\xcc\x81",
                            back, sizeof back));
    assert_int_equal(1, get(w->to, "100 % & (copy) 'quoted'", back, sizeof back));
    assert_true(S_ISDIR(status(w->to, "empty").st_mode));
    struct stat st = status(w->to, "b");
    assert_int_equal(0600, st.st_mode & 07777); /* never executable */
    assert_int_equal(1000000000, st.st_mtim.tv_sec);
    assert_int_equal(0700, status(w->to, "sub").st_mode & 07777);
}

static void folder__empty__is_packed_and_unpacked(void **state)
{
    struct world *w = *state;
    struct psst_tar_facts facts;
    struct psst_diag diag = {{0}};
    int fd = packed(w, &facts);
    assert_int_equal(1024, facts.size);
    assert_ok(unpacked(w, fd, &facts, &diag));
    assert_int_equal(0, facts.files + facts.folders);
}

struct left {
    unsigned n;
    char all[2048];
};

static void on_left(void *ctx, const char *path, const char *why)
{
    struct left *left = ctx;
    size_t at = strlen(left->all);
    (void)snprintf(left->all + at, sizeof left->all - at, "%s: %s\n", path, why);
    left->n++;
}

static void pack__leaves_out__what_is_no_file_and_says_so(void **state)
{
    struct world *w = *state;
    put(w->from, "kept", "x", 1);
    put(w->from, "secret", "x", 1);
    put(w->from, "bad\xff", "x", 1);
    assert_int_equal(0, mkdirat(w->from, "d", 0700));
    assert_int_equal(0, symlinkat("/etc", w->from, "d/etc"));
    assert_int_equal(0, symlinkat("kept", w->from, "link"));
    assert_int_equal(0, symlinkat("nowhere", w->from, "dangling"));
    assert_int_equal(0, mkfifoat(w->from, "pipe", 0600));
    assert_int_equal(0, fchmodat(w->from, "secret", 0, 0));
    bool root = geteuid() == 0; /* reads everything */

    struct left left = {0};
    struct psst_tar_facts facts;
    struct psst_diag diag = {{0}};
    assert_ok(psst_tar_measure(w->from, &facts, on_left, &left, &diag));
    assert_string_equal(root ? "bad\xff: its name is no UTF-8\nd/etc: a symbolic link\ndangling: a symbolic link\n"
                               "link: a symbolic link\npipe: a pipe\n"
                             : "bad\xff: its name is no UTF-8\nd/etc: a symbolic link\ndangling: a symbolic link\n"
                               "link: a symbolic link\npipe: a pipe\nsecret: Permission denied\n",
                        left.all);
    assert_int_equal(left.n, facts.left);
    assert_int_equal(root ? 2 : 1, facts.files);
    int fd = packed(w, &facts);
    assert_ok(unpacked(w, fd, &facts, &diag));
    assert_int_equal(1, facts.folders);
    assert_int_equal(1, status(w->to, "kept").st_size);
}

static void pack__again__gives_the_same_bytes(void **state)
{
    struct world *w = *state;
    static char one[65536], two[65536];
    for (int i = 0; i < 20; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "f%d", i * 7 % 20); /* made in no order */
        put(w->from, name, name, strlen(name));
    }
    struct psst_tar_facts facts;
    (void)close(packed(w, &facts));
    size_t n = get(w->top, "tar", one, sizeof one);
    assert_int_equal(0, mkdirat(w->from, "passing", 0700)); /* the folder's own time does not count */
    assert_int_equal(0, unlinkat(w->from, "passing", AT_REMOVEDIR));
    (void)close(packed(w, &facts));
    assert_int_equal(n, get(w->top, "tar", two, sizeof two));
    assert_memory_equal(one, two, n);
}

static void pack__of_a_folder_that_changed__fails(void **state)
{
    struct world *w = *state;
    put(w->from, "f", "abc", 3);
    struct psst_tar_facts was;
    struct psst_diag diag = {{0}};
    assert_ok(psst_tar_measure(w->from, &was, NULL, NULL, &diag));
    static const struct {
        const char *name, *content;
    } changes[] = {{"f", "abcd"}, {"g", ""}, {"f2", "x"}};
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        put(w->from, changes[i].name, changes[i].content, strlen(changes[i].content));
        diag.text[0] = '\0';
        int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
        assert_err(PSST_ERR_NOT_FOUND, psst_tar_pack(w->from, null, was.size, was.stamp, &diag));
        assert_string_equal("The folder has changed since it was offered.", diag.text);
        (void)close(null);
        assert_ok(psst_tree_empty(w->from));
        put(w->from, "f", "abc", 3);
    }
    /* other bytes, the same length: its time says so */
    int fd = openat(w->from, "f", O_WRONLY | O_CLOEXEC);
    assert_int_equal(3, write(fd, "xyz", 3));
    (void)close(fd);
    assert_err(PSST_ERR_NOT_FOUND, psst_tar_pack(w->from, -1, was.size, was.stamp, &diag));
}

static void walk__over_a_limit__says_which(void **state)
{
    struct world *w = *state;
    struct psst_tar_facts facts;
    struct psst_diag diag = {{0}};
    int at = dup(w->from);
    for (int i = 0; i < PSST_TAR_DEPTH_MAX; i++) {
        assert_int_equal(0, mkdirat(at, "d", 0700));
        int next = openat(at, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        (void)close(at);
        at = next;
    }
    assert_ok(psst_tar_measure(w->from, &facts, NULL, NULL, &diag));
    assert_int_equal(PSST_TAR_DEPTH_MAX, facts.folders);
    put(at, "x", "", 0);
    assert_err(PSST_ERR_TOO_LONG, psst_tar_measure(w->from, &facts, NULL, NULL, &diag));
    assert_non_null(strstr(diag.text, "More than 32 folders lie inside each other"));
    (void)close(at);
}

/* ---- writing ---- */

static void plan_one(struct psst_tar_plan *plan, const char *path, bool folder)
{
    struct psst_diag diag = {{0}};
    const struct psst_tar_item item = {.path = psst_view_str(path), .folder = folder, .size = folder ? 0 : 3};
    assert_ok(psst_tar_plan_add(plan, &item, &diag));
}

/* Somebody who may write there puts links where files and folders are going to be made (attack 31); or the file system takes
 * two names for one. */
static void write__never__goes_through_what_is_there(void **state)
{
    struct world *w = *state;
    struct psst_tar_plan plan;
    struct psst_diag diag = {{0}};
    put(w->from, "archive", "abcdef", 6);
    put(w->from, "victim", "safe", 4);
    assert_int_equal(0, symlinkat("../from/victim", w->to, "file"));
    assert_int_equal(0, symlinkat("../from", w->to, "folder"));
    psst_tar_plan_init(&plan, 6);
    plan_one(&plan, "file", false);
    plan_one(&plan, "folder/", true);
    plan_one(&plan, "folder/victim", false);
    int fd = openat(w->from, "archive", O_RDONLY | O_CLOEXEC);
    assert_ok(psst_tar_write(&plan, fd, w->to, &diag));
    psst_tar_plan_fini(&plan);
    (void)close(fd);
    char got[8];
    assert_int_equal(4, get(w->from, "victim", got, sizeof got));
    assert_memory_equal("safe", got, 4);
    assert_int_equal(3, get(w->to, "file (2)", got, sizeof got));
    assert_memory_equal("abc", got, 3);
    assert_true(S_ISDIR(status(w->to, "folder (2)").st_mode));
    assert_int_equal(3, get(w->to, "folder (2)/victim", got, sizeof got));
}

static void write__on_a_full_disk__says_so(void **state)
{
    struct world *w = *state;
    struct folder tiny;
    if (!folder_init_tiny(&tiny, 65536)) return;
    static uint8_t big[200000];
    struct psst_tar_plan plan;
    struct psst_diag diag = {{0}};
    put(w->from, "archive", big, sizeof big);
    psst_tar_plan_init(&plan, sizeof big);
    const struct psst_tar_item item = {.path = psst_view_str("big"), .size = sizeof big};
    assert_ok(psst_tar_plan_add(&plan, &item, &diag));
    int fd = openat(w->from, "archive", O_RDONLY | O_CLOEXEC), dir = open_folder(tiny.path);
    assert_err(PSST_ERR_DISK_FULL, psst_tar_write(&plan, fd, dir, &diag));
    assert_non_null(strstr(diag.text, "Cannot write \"big\""));
    psst_tar_plan_fini(&plan);
    (void)close(fd);
    (void)close(dir);
    folder_fini(&tiny);
}

static void tree__is_emptied__and_nothing_else(void **state)
{
    struct world *w = *state;
    put(w->from, "outside", "x", 1);
    assert_int_equal(0, symlinkat("../from", w->to, "link"));
    int at = dup(w->to);
    for (int i = 0; i < 40; i++) {
        put(at, "f", "x", 1);
        put(at, "g", "x", 1);
        assert_int_equal(0, symlinkat("..", at, "up"));
        assert_int_equal(0, mkdirat(at, "d", 0700));
        assert_int_equal(0, mkdirat(at, "e", 0700));
        int next = openat(at, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        (void)close(at);
        at = next;
    }
    (void)close(at);
    assert_ok(psst_tree_empty(w->to));
    assert_int_equal(0, unlinkat(w->top, "to", AT_REMOVEDIR));
    assert_int_equal(1, status(w->from, "outside").st_size);
    assert_ok(psst_tree_empty(w->to)); /* there is nothing any more */
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    folder_private_mounts();
    const struct CMUnitTest tests[] = {
        T(folder__round_trip__is_the_same),
        T(folder__empty__is_packed_and_unpacked),
        T(pack__leaves_out__what_is_no_file_and_says_so),
        T(pack__again__gives_the_same_bytes),
        T(pack__of_a_folder_that_changed__fails),
        T(walk__over_a_limit__says_which),
        T(write__never__goes_through_what_is_there),
        T(write__on_a_full_disk__says_so),
        T(tree__is_emptied__and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
