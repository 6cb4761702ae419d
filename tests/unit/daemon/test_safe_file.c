#include "folder.h"

#include "daemon/safe_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#define must(expr) assert_int_equal((expr), PSST_OK)

static const struct psst_msg_id id = {.b = {0xab, 1, 2, 3}};
#define TEMP ".psst-ab010203000000000000000000000000.part"

static int setup(void **state)
{
    struct folder *f = calloc(1, sizeof *f);
    if (f == NULL) return -1;
    folder_init(f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    folder_fini(*state);
    free(*state);
    return 0;
}

/* ---- incoming ---- */

static enum psst_err begin(struct psst_incoming *in, const char *dir, const char *name, struct psst_diag *diag)
{
    const struct psst_incoming_wish wish = {.dir = dir, .name = psst_view_str(name), .transfer_id = &id};
    return psst_incoming_open(in, &wish, diag);
}

static void receive(struct folder *f, const char *name, const char *content, char final[PSST_SAFE_NAME_SIZE])
{
    struct psst_incoming in;
    struct psst_diag diag = {.text = ""};
    must(begin(&in, f->path, name, &diag));
    assert_int_equal(write(in.fd, content, strlen(content)), strlen(content));
    must(psst_incoming_finish(&in, &diag));
    assert_int_equal(in.fd, -1);
    assert_int_equal(in.dir_fd, -1);
    memcpy(final, in.name, PSST_SAFE_NAME_SIZE);
}

static void incoming__arrives__private_and_under_its_name(void **state)
{
    struct folder *f = *state;
    mode_t old = umask(0);
    char name[PSST_SAFE_NAME_SIZE];
    receive(f, "../run.desktop", "[Desktop Entry]", name);
    (void)umask(old);
    assert_string_equal(name, "run.desktop");
    folder_assert_is(f, "run.desktop", "[Desktop Entry]", 15); /* mode 0600: never executable */
    assert_int_equal(folder_count(f), 1);
}

static void incoming__while_it_comes__is_a_hidden_part_file(void **state)
{
    struct folder *f = *state;
    struct psst_incoming in;
    must(begin(&in, f->path, "a", NULL));
    assert_int_equal(in.size, 0);
    assert_int_equal(write(in.fd, "half", 4), 4);
    folder_assert_is(f, TEMP, "half", 4);
    assert_int_equal(folder_count(f), 1);
    psst_incoming_abandon(&in);
    assert_int_equal(folder_count(f), 0);
    psst_incoming_abandon(&in); /* again: harmless */
}

static void incoming__whose_name_exists__gets_a_number(void **state)
{
    struct folder *f = *state;
    char name[PSST_SAFE_NAME_SIZE];
    folder_put(f, "photo.jpg", "mine", 4);
    receive(f, "photo.jpg", "second", name);
    assert_string_equal(name, "photo (2).jpg");
    receive(f, "photo.jpg", "third", name);
    assert_string_equal(name, "photo (3).jpg");
    folder_put(f, "README", "mine", 4);
    receive(f, "README", "second", name);
    assert_string_equal(name, "README (2)");
    assert_int_equal(mkdir(folder_file(f, "dir"), 0700), 0);
    receive(f, "dir", "not in it", name);
    assert_string_equal(name, "dir (2)");
    folder_assert_is(f, "photo.jpg", "mine", 4);
    folder_assert_is(f, "photo (2).jpg", "second", 6);
    folder_assert_is(f, "photo (3).jpg", "third", 5);
}

static void incoming__of_the_longest_name__still_gets_a_number(void **state)
{
    struct folder *f = *state;
    char longest[400], name[PSST_SAFE_NAME_SIZE];
    memset(longest, 'n', sizeof longest);
    memcpy(longest + sizeof longest - 5, ".jpg", 5);
    receive(f, longest, "first", name);
    assert_int_equal(strlen(name), PSST_SAFE_NAME_MAX);
    receive(f, longest, "second", name);
    assert_int_equal(strlen(name), PSST_SAFE_NAME_MAX + 4);
    folder_assert_is(f, name, "second", 6);
}

static void incoming__with_all_numbers_taken__fails_and_keeps_the_part(void **state)
{
    struct folder *f = *state;
    folder_put(f, "x", "", 0);
    for (unsigned i = 2; i <= PSST_SAFE_COPIES; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "x (%u)", i);
        assert_int_equal(symlinkat("nowhere", AT_FDCWD, folder_file(f, name)), 0); /* a dangling link is taken too */
    }
    struct psst_incoming in;
    struct psst_diag diag = {.text = ""};
    must(begin(&in, f->path, "x", &diag));
    assert_int_equal(psst_incoming_finish(&in, &diag), PSST_ERR_EXISTS);
    assert_true(strlen(diag.text) > 0);
    assert_true(folder_has(f, TEMP));
    psst_incoming_remove(f->path, &id);
    assert_false(folder_has(f, TEMP));
}

static void incoming__with_a_link_at_the_final_name__does_not_follow_it(void **state)
{
    struct folder *f = *state;
    folder_put(f, "victim", "untouched", 9);
    assert_int_equal(symlinkat("victim", AT_FDCWD, folder_file(f, "gift")), 0);
    assert_int_equal(symlinkat("/nonexistent/x", AT_FDCWD, folder_file(f, "gift (2)")), 0);
    char name[PSST_SAFE_NAME_SIZE];
    receive(f, "gift", "new", name);
    assert_string_equal(name, "gift (3)");
    folder_assert_is(f, "victim", "untouched", 9);
}

static void incoming__with_a_link_at_the_part_name__is_refused(void **state)
{
    struct folder *f = *state;
    folder_put(f, "victim", "untouched", 9);
    assert_int_equal(symlinkat("victim", AT_FDCWD, folder_file(f, TEMP)), 0);
    struct psst_incoming in;
    struct psst_diag diag = {.text = ""};
    assert_int_equal(begin(&in, f->path, "x", &diag), PSST_ERR_PERMISSION);
    assert_true(strlen(diag.text) > 0);
    folder_assert_is(f, "victim", "untouched", 9);
}

static void incoming__taken_up_again__must_be_a_file_of_ours_alone(void **state)
{
    struct folder *f = *state;
    struct psst_incoming in;
    folder_put(f, "victim", "untouched", 9);
    assert_int_equal(link(folder_file(f, "victim"), folder_file(f, TEMP)), 0); /* a second name of another file */
    assert_int_equal(begin(&in, f->path, "x", NULL), PSST_ERR_PERMISSION);
    assert_int_equal(unlink(folder_file(f, TEMP)), 0);
    assert_int_equal(mkfifo(folder_file(f, TEMP), 0600), 0); /* would hang who opens it */
    assert_int_equal(begin(&in, f->path, "x", NULL), PSST_ERR_PERMISSION);
    assert_int_equal(unlink(folder_file(f, TEMP)), 0);
    assert_int_equal(mkdir(folder_file(f, TEMP), 0700), 0);
    assert_int_not_equal(begin(&in, f->path, "x", NULL), PSST_OK);
    folder_assert_is(f, "victim", "untouched", 9);
}

static void incoming__resumes__what_was_kept(void **state)
{
    struct folder *f = *state;
    struct psst_incoming in, other;
    must(begin(&in, f->path, "x", NULL));
    assert_int_equal(write(in.fd, "first", 5), 5);
    assert_int_equal(begin(&other, f->path, "x", NULL), PSST_ERR_AGAIN);
    assert_true(psst_incoming_keep(&in));
    assert_false(psst_incoming_keep(&in)); /* nothing is open any more */
    must(begin(&in, f->path, "x", NULL));
    assert_int_equal(in.size, 5);
    assert_int_equal(pwrite(in.fd, "second", 6, 5), 6);
    must(psst_incoming_finish(&in, NULL));
    folder_assert_is(f, "x", "firstsecond", 11);
}

/* The name that our user chose is used as it is; but it is one, and never that of something else. */
static void incoming__under_a_name_of_ours__is_called_exactly_that(void **state)
{
    struct folder *f = *state;
    static const char *const bad[] = {"", ".", "..", "a/b", "/", "../x"};
    struct psst_incoming in;
    struct psst_incoming_wish wish = {.dir = f->path, .exact = true, .transfer_id = &id};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        wish.name = psst_view_str(bad[i]);
        assert_int_equal(psst_incoming_open(&in, &wish, NULL), PSST_ERR_USAGE);
    }
    wish.name = psst_view("a\0b", 3);
    assert_int_equal(psst_incoming_open(&in, &wish, NULL), PSST_ERR_USAGE);
    for (unsigned i = 1; i <= 2; i++) {
        wish.name = psst_view_str(" .-rc ");
        must(psst_incoming_open(&in, &wish, NULL));
        must(psst_incoming_finish(&in, NULL));
        assert_string_equal(in.name, i == 1 ? " .-rc " : "  (2).-rc ");
    }
}

/* psstd died after the file had got its name, and before that was noted. */
static void incoming__finished_already__is_found_by_its_number(void **state)
{
    struct folder *f = *state;
    struct psst_incoming in, again;
    folder_put(f, "x", "mine", 4);
    must(begin(&in, f->path, "x", NULL));
    struct psst_incoming_wish wish = {
        .dir = f->path, .name = psst_view_str("x"), .transfer_id = &id, .inode = in.inode, .size = 4};
    assert_true(in.inode != 0);
    assert_int_equal(write(in.fd, "data", 4), 4);
    must(psst_incoming_finish(&in, NULL));
    assert_int_equal(psst_incoming_open(&again, &wish, NULL), PSST_ERR_EXISTS);
    assert_string_equal(again.name, "x (2)");
    assert_int_equal(again.fd, -1);
    assert_int_equal(folder_count(f), 2);
    wish.size = 5; /* of another size it is something else */
    must(psst_incoming_open(&again, &wish, NULL));
    assert_int_equal(again.size, 0);
    psst_incoming_abandon(&again);
    wish.size = 4;
    assert_int_equal(unlink(folder_file(f, "x (2)")), 0);
    folder_put(f, "y", "keeps the number from being used again", 38);
    must(psst_incoming_open(&again, &wish, NULL)); /* gone: it comes once more */
    psst_incoming_abandon(&again);
}

/* The folder is renamed away and a link to another put in its place while a file comes in. */
static void incoming__with_its_folder_swapped__stays_in_the_folder_it_began_in(void **state)
{
    struct folder *f = *state;
    assert_int_equal(mkdir(folder_file(f, "down"), 0700), 0);
    assert_int_equal(mkdir(folder_file(f, "trap"), 0700), 0);
    struct psst_incoming in;
    must(begin(&in, folder_file(f, "down"), "x", NULL));
    assert_int_equal(write(in.fd, "data", 4), 4);
    assert_int_equal(rename(folder_file(f, "down"), folder_file(f, "moved")), 0);
    assert_int_equal(symlinkat("trap", AT_FDCWD, folder_file(f, "down")), 0);
    must(psst_incoming_finish(&in, NULL));
    folder_assert_is(f, "moved/x", "data", 4);
    assert_false(folder_has(f, "trap/x"));
    assert_int_equal(unlink(folder_file(f, "moved/x")), 0);
}

static void incoming__whose_part_is_swapped__is_not_taken_for_it(void **state)
{
    struct folder *f = *state;
    struct psst_incoming in;
    struct psst_diag diag = {.text = ""};
    must(begin(&in, f->path, "x", NULL));
    assert_int_equal(write(in.fd, "data", 4), 4);
    assert_int_equal(unlink(folder_file(f, TEMP)), 0);
    folder_put(f, TEMP, "forged", 6);
    assert_int_equal(psst_incoming_finish(&in, &diag), PSST_ERR_PERMISSION);
    assert_non_null(strstr(diag.text, "Somebody else"));
}

static void incoming__without_a_folder__has_a_sentence(void **state)
{
    struct folder *f = *state;
    struct psst_incoming in;
    struct psst_diag diag = {.text = ""};
    assert_int_equal(begin(&in, folder_file(f, "none"), "x", &diag), PSST_ERR_NOT_FOUND);
    assert_true(strlen(diag.text) > 0);
    folder_put(f, "plain", "", 0);
    assert_int_equal(begin(&in, folder_file(f, "plain"), "x", NULL), PSST_ERR_NOT_FOUND);
}

static void incoming__on_a_full_disk__says_so(void **state)
{
    (void)state;
    struct folder tiny;
    if (!folder_init_tiny(&tiny, 64 * 1024)) skip();
    struct psst_incoming in;
    must(begin(&in, tiny.path, "x", NULL));
    static const char block[4096];
    ssize_t n = 1;
    while (n > 0) n = write(in.fd, block, sizeof block);
    assert_int_equal(psst_file_err(errno), PSST_ERR_DISK_FULL);
    psst_incoming_abandon(&in);
    assert_int_equal(folder_count(&tiny), 0);
    folder_fini(&tiny);
}

/* ---- outgoing ---- */

static void outgoing__opens__regular_files_and_links_to_them(void **state)
{
    struct folder *f = *state;
    folder_put(f, "real", "hello", 5);
    assert_int_equal(symlinkat("real", AT_FDCWD, folder_file(f, "link")), 0);
    static const char *const names[] = {"real", "link"};
    for (size_t i = 0; i < 2; i++) {
        struct psst_outgoing out;
        must(psst_outgoing_open(&out, folder_file(f, names[i]), NULL));
        assert_int_equal(out.size, 5);
        assert_true(out.mtime_ns > 0);
        assert_true((fcntl(out.fd, F_GETFD) & FD_CLOEXEC) != 0);
        (void)close(out.fd);
    }
}

static void outgoing__refuses__what_is_no_file(void **state)
{
    struct folder *f = *state;
    assert_int_equal(mkfifo(folder_file(f, "fifo"), 0600), 0);
    assert_int_equal(mkdir(folder_file(f, "dir"), 0700), 0);
    assert_int_equal(symlinkat("gone", AT_FDCWD, folder_file(f, "dangling")), 0);
    assert_int_equal(symlinkat("loop", AT_FDCWD, folder_file(f, "loop")), 0);
    const struct {
        const char *path;
        enum psst_err err;
    } cases[] = {
        {folder_file(f, "fifo"), PSST_ERR_USAGE},
        {folder_file(f, "dir"), PSST_ERR_USAGE},
        {folder_file(f, "dangling"), PSST_ERR_NOT_FOUND},
        {folder_file(f, "loop"), PSST_ERR_PERMISSION},
        {"/dev/null", PSST_ERR_USAGE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct psst_outgoing out = {.fd = -7};
        struct psst_diag diag = {.text = ""};
        assert_int_equal(psst_outgoing_open(&out, cases[i].path, &diag), cases[i].err);
        assert_int_equal(out.fd, -7);
        assert_true(strlen(diag.text) > 0);
    }
}

static void outgoing__tells__whether_it_changed(void **state)
{
    struct folder *f = *state;
    folder_put(f, "x", "0123456789", 10);
    struct psst_outgoing out;
    must(psst_outgoing_open(&out, folder_file(f, "x"), NULL));
    assert_false(psst_outgoing_changed(&out, 10));
    folder_put(f, "new", "0123456789+", 11);
    int fd = open(folder_file(f, "x"), O_WRONLY | O_APPEND | O_CLOEXEC);
    assert_int_equal(write(fd, "more", 4), 4);
    assert_false(psst_outgoing_changed(&out, 10)); /* it grew: what was offered is still there */
    assert_int_equal(ftruncate(fd, 10), 0);
    const struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    assert_int_equal(futimens(fd, times), 0);
    assert_true(psst_outgoing_changed(&out, 10)); /* written to, as long as before */
    assert_int_equal(ftruncate(fd, 9), 0);
    assert_true(psst_outgoing_changed(&out, 10));
    (void)close(fd);
    (void)close(out.fd);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(incoming__arrives__private_and_under_its_name),
        T(incoming__while_it_comes__is_a_hidden_part_file),
        T(incoming__whose_name_exists__gets_a_number),
        T(incoming__of_the_longest_name__still_gets_a_number),
        T(incoming__with_all_numbers_taken__fails_and_keeps_the_part),
        T(incoming__with_a_link_at_the_final_name__does_not_follow_it),
        T(incoming__with_a_link_at_the_part_name__is_refused),
        T(incoming__taken_up_again__must_be_a_file_of_ours_alone),
        T(incoming__resumes__what_was_kept),
        T(incoming__under_a_name_of_ours__is_called_exactly_that),
        T(incoming__finished_already__is_found_by_its_number),
        T(incoming__with_its_folder_swapped__stays_in_the_folder_it_began_in),
        T(incoming__whose_part_is_swapped__is_not_taken_for_it),
        T(incoming__without_a_folder__has_a_sentence),
        T(incoming__on_a_full_disk__says_so),
        T(outgoing__opens__regular_files_and_links_to_them),
        T(outgoing__refuses__what_is_no_file),
        T(outgoing__tells__whether_it_changed),
    };
    folder_private_mounts();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
