/* The files of a restore: all or nothing, also when it is cut off anywhere. */
#include "folder.h"

#include "daemon/backup/restore_home.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const names[] = {"store.db", "store.key", "card.psst", "identity.pem", "config"};
#define NAMES  5
#define PLACED 4 /* of them: in this order */

struct home {
    struct folder folder;
    struct psst_paths paths;
};

static int setup(void **state)
{
    static struct home home;
    folder_init(&home.folder);
    (void)snprintf(home.paths.data_dir, sizeof home.paths.data_dir, "%s", home.folder.path);
    *state = &home;
    return 0;
}

static int teardown(void **state)
{
    struct home *home = *state;
    for (size_t i = 0; i < NAMES; i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "restore.new/%s", names[i]);
        (void)unlink(folder_file(&home->folder, name));
    }
    (void)unlink(folder_file(&home->folder, "restore.new/other"));
    folder_fini(&home->folder);
    return 0;
}

static void put(const struct psst_restore_home *h, const char *name)
{
    int fd = -1;
    assert_ok(psst_restore_home_file(h, name, &fd, NULL));
    assert_int_equal((ssize_t)strlen(name), write(fd, name, strlen(name)));
    assert_int_equal(0, close(fd));
}

static struct psst_restore_home begin_and_fill(struct home *home)
{
    struct psst_restore_home h;
    assert_ok(psst_restore_home_begin(&h, &home->paths, NULL));
    for (size_t i = 0; i < NAMES; i++) put(&h, names[i]);
    return h;
}

/* The store is told so. */
static void assert_marked(struct home *home)
{
    assert_int_equal(0, unlink(folder_file(&home->folder, "store.db-restored")));
}

static void assert_restored(struct home *home)
{
    assert_int_equal(PLACED, folder_count(&home->folder));
    for (size_t i = 0; i < PLACED; i++) {
        struct stat st;
        folder_assert_is(&home->folder, names[i], names[i], strlen(names[i]));
        assert_int_equal(0, stat(folder_file(&home->folder, names[i]), &st));
        assert_int_equal(1, st.st_nlink);
    }
}

static void place__gives__all_files_their_places(void **state)
{
    struct home *home = *state;
    struct stat st;
    struct psst_restore_home h = begin_and_fill(home);
    assert_int_equal(0, stat(folder_file(&home->folder, "restore.new"), &st));
    assert_int_equal(0700, st.st_mode & 07777);
    assert_int_equal(1, folder_count(&home->folder)); /* nothing counts yet */
    assert_ok(psst_restore_home_place(&h, NULL));
    assert_ok(psst_restore_home_clean_up(&home->paths, NULL));
    assert_marked(home);
    assert_restored(home);
    assert_ok(psst_restore_home_clean_up(&home->paths, NULL));
    assert_restored(home);
}

static void place__replaces__a_card_that_is_nobodys(void **state)
{
    struct home *home = *state;
    folder_put(&home->folder, "card.psst", "stale", 5);
    folder_put(&home->folder, "store.db-restored", "", 0);
    struct psst_restore_home h = begin_and_fill(home);
    assert_ok(psst_restore_home_place(&h, NULL));
    assert_marked(home);
    assert_restored(home);
}

static void abandon__leaves__nothing(void **state)
{
    struct home *home = *state;
    struct psst_restore_home h = begin_and_fill(home);
    psst_restore_home_abandon(&h);
    assert_int_equal(0, folder_count(&home->folder));
}

static void begin__refuses__what_is_there_by_its_name(void **state)
{
    struct home *home = *state;
    static const char *const cases[] = {"identity.pem", "store.db", "store.db-wal", "store.key"};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct psst_restore_home h;
        struct psst_diag diag = {{0}};
        folder_put(&home->folder, cases[i], "x", 1);
        assert_err(PSST_ERR_EXISTS, psst_restore_home_begin(&h, &home->paths, &diag));
        assert_non_null(strstr(diag.text, cases[i]));
        folder_assert_is(&home->folder, cases[i], "x", 1);
        assert_int_equal(1, folder_count(&home->folder));
        assert_int_equal(0, unlink(folder_file(&home->folder, cases[i])));
        assert_int_equal(0, symlink("/nowhere", folder_file(&home->folder, cases[i]))); /* a link counts too */
        assert_err(PSST_ERR_EXISTS, psst_restore_home_begin(&h, &home->paths, NULL));
        assert_int_equal(0, unlink(folder_file(&home->folder, cases[i])));
    }
}

/* Something came meanwhile: it stays as it is, and all of ours goes. */
static void place__refuses__what_came_meanwhile(void **state)
{
    struct home *home = *state;
    static const char *const cases[] = {"identity.pem", "store.db", "store.key"};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct psst_diag diag = {{0}};
        struct psst_restore_home h = begin_and_fill(home);
        folder_put(&home->folder, cases[i], "x", 1);
        assert_err(PSST_ERR_EXISTS, psst_restore_home_place(&h, &diag));
        assert_non_null(strstr(diag.text, cases[i]));
        folder_assert_is(&home->folder, cases[i], "x", 1);
        assert_int_equal(1, folder_count(&home->folder));
        assert_int_equal(0, unlink(folder_file(&home->folder, cases[i])));
    }
}

/* Cut off after so many links; then after so many of restore.new's files were removed again. */
static void clean_up__undoes__a_restore_that_was_cut_off(void **state)
{
    struct home *home = *state;
    for (size_t n = 0; n <= PLACED; n++) {
        struct psst_restore_home h = begin_and_fill(home);
        for (size_t i = 0; i < n; i++) assert_int_equal(0, linkat(h.new_fd, names[i], h.home_fd, names[i], 0));
        (void)close(h.new_fd);
        (void)close(h.home_fd);
        assert_ok(psst_restore_home_clean_up(&home->paths, NULL));
        if (n == PLACED)
            assert_restored(home);
        else
            assert_int_equal(0, folder_count(&home->folder));
    }
}

static void clean_up__keeps__what_was_restored(void **state)
{
    struct home *home = *state;
    static const char *const order[] = {"store.db", "store.key", "card.psst", "config", "identity.pem"};
    for (size_t removed = 0; removed <= NAMES; removed++) {
        struct psst_restore_home h = begin_and_fill(home);
        for (size_t i = 0; i < PLACED; i++) assert_int_equal(0, linkat(h.new_fd, names[i], h.home_fd, names[i], 0));
        for (size_t i = 0; i < removed; i++) assert_int_equal(0, unlinkat(h.new_fd, order[i], 0));
        (void)close(h.new_fd);
        (void)close(h.home_fd);
        assert_ok(psst_restore_home_clean_up(&home->paths, NULL));
        assert_restored(home);
        for (size_t i = 0; i < PLACED; i++) assert_int_equal(0, unlink(folder_file(&home->folder, names[i])));
    }
}

/* The next one begins by cleaning up; what is not the restore's own is never removed. */
static void begin__takes_over__from_one_that_was_cut_off(void **state)
{
    struct home *home = *state;
    struct psst_restore_home h = begin_and_fill(home);
    assert_int_equal(0, linkat(h.new_fd, "store.db", h.home_fd, "store.db", 0));
    (void)close(h.new_fd);
    (void)close(h.home_fd);
    h = begin_and_fill(home);
    assert_ok(psst_restore_home_place(&h, NULL));
    assert_marked(home);
    assert_restored(home);
}

static void clean_up__touches__nothing_of_others(void **state)
{
    struct home *home = *state;
    struct psst_restore_home h;
    struct psst_diag diag = {{0}};
    assert_int_equal(0, mkdir(folder_file(&home->folder, "restore.new"), 0700));
    folder_put(&home->folder, "restore.new/other", "x", 1);
    folder_put(&home->folder, "restore.new/store.db", "new", 3);
    folder_put(&home->folder, "store.db", "old", 3); /* another file than the one in restore.new */
    assert_err(PSST_ERR_EXISTS, psst_restore_home_begin(&h, &home->paths, &diag));
    assert_non_null(strstr(diag.text, "restore.new"));
    folder_assert_is(&home->folder, "store.db", "old", 3);
    folder_assert_is(&home->folder, "restore.new/other", "x", 1);

    assert_int_equal(0, unlink(folder_file(&home->folder, "restore.new/other")));
    assert_int_equal(0, rmdir(folder_file(&home->folder, "restore.new")));
    assert_int_equal(0, unlink(folder_file(&home->folder, "store.db")));
    assert_int_equal(0, symlink("/tmp", folder_file(&home->folder, "restore.new"))); /* never followed */
    assert_err(PSST_ERR_PERMISSION, psst_restore_home_begin(&h, &home->paths, NULL));
    assert_int_equal(0, unlink(folder_file(&home->folder, "restore.new")));
}

static void file__refuses__a_second_one(void **state)
{
    struct home *home = *state;
    struct psst_restore_home h = begin_and_fill(home);
    int fd = -1;
    assert_err(PSST_ERR_EXISTS, psst_restore_home_file(&h, "store.db", &fd, NULL));
    assert_int_equal(-1, fd);
    psst_restore_home_abandon(&h);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(place__gives__all_files_their_places),
        T(place__replaces__a_card_that_is_nobodys),
        T(abandon__leaves__nothing),
        T(begin__refuses__what_is_there_by_its_name),
        T(place__refuses__what_came_meanwhile),
        T(clean_up__undoes__a_restore_that_was_cut_off),
        T(clean_up__keeps__what_was_restored),
        T(begin__takes_over__from_one_that_was_cut_off),
        T(clean_up__touches__nothing_of_others),
        T(file__refuses__a_second_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
